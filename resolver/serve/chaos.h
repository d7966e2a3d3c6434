/* chaos.h: what we tell of ourselves: id.server, hostname.bind, version.server and version.bind of class CH (RFC 4892). */
#ifndef RESOLVER_SERVE_CHAOS_H
#define RESOLVER_SERVE_CHAOS_H

#include "resolver/core/answer.h"
#include "resolver/serve/serve_settings.h"

struct arena;

enum chaos { CHAOS_OTHER, CHAOS_ANSWER, CHAOS_HIDDEN };
/* CHAOS_ANSWER: the answer is in the arena. CHAOS_HIDDEN: the configuration keeps it secret. CHAOS_OTHER: not a name of ours (or no
 * memory). */
enum chaos chaos_answer(const struct serve_settings *s, const struct question *q, struct arena *a, struct answer *ret_answer)
    NONNULL;

#endif
