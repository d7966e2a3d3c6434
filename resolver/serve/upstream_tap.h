/* upstream_tap.h: what dnstap is told of servers and forwarders: our questions and their replies. Called only where there is a tap. */
#ifndef RESOLVER_SERVE_UPSTREAM_TAP_H
#define RESOLVER_SERVE_UPSTREAM_TAP_H

#include "resolver/serve/upstream_inside.h"

void ask_tap_query(struct ask *a, const struct attempt *t, struct span packet) NONNULL;
void ask_tap_reply(struct ask *a, const struct attempt *t, struct span packet) NONNULL;

#endif
