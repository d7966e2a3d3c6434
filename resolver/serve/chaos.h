/*
 * chaos.h: what we tell of ourselves in class CH: id.server, hostname.bind, version.server and version.bind (RFC 4892), and the key tags of the trust anchors, a line for each zone, as
 * trustanchor.cairn and trustanchor.unbound.
 */
#ifndef RESOLVER_SERVE_CHAOS_H
#define RESOLVER_SERVE_CHAOS_H

#include "resolver/core/answer.h"
#include "resolver/serve/serve_settings.h"

struct anchors;
struct arena;

enum chaos { CHAOS_OTHER, CHAOS_ANSWER, CHAOS_HIDDEN };
/* anchors NULL: nothing is validated. CHAOS_ANSWER: the answer is in the arena. CHAOS_HIDDEN: the configuration keeps it secret. CHAOS_OTHER: not a name of ours (or no
 * memory). */
enum chaos chaos_answer(const struct serve_settings *s, const struct anchors *anchors, const struct question *q, struct arena *a, struct answer *ret_answer)
    __attribute__((nonnull(1, 3, 4, 5)));

#endif
