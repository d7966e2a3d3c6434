/* serve_tap.h: what dnstap is told of clients: their questions and our replies. Called only where there is a tap (serve.h). */
#ifndef RESOLVER_SERVE_SERVE_TAP_H
#define RESOLVER_SERVE_SERVE_TAP_H

#include "resolver/dnstap/tap.h"
#include "resolver/serve/serve.h"

struct request;

/* A question that was admitted, or is refused with a reply. */
void serve_tap_question(struct serve *s, const struct request *r, struct span packet) NONNULL;
/* A reply that is about to be sent. asked_ns: when the question came (mono). */
void serve_tap_entry(struct serve *s, const struct origin *o, struct span packet, const struct ans_entry *e, enum tap_how how, uint64_t asked_ns) NONNULL;
void serve_tap_code(struct serve *s, const struct origin *o, struct span packet) NONNULL; /* with s->policy */

#endif
