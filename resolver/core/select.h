/* select.h: which server of a delegation to ask next: by route (route.h), by smoothed round-trip time, with some exploration, past those in back-off, lame or used up. */
#ifndef RESOLVER_CORE_SELECT_H
#define RESOLVER_CORE_SELECT_H

#include "resolver/core/deleg.h"

enum select_result {
	SELECT_SERVER,  /* ask it */
	SELECT_LAST,    /* ask it if no other can be found: its route is invalid */
	SELECT_NONE,    /* none is left that may be asked for this question */
	SELECT_BLOCKED, /* none but those in back-off */
};
/* type: what will be asked for. *ret_server: index. A server whose back-off has passed is probed by one question at a time (infra_may_ask). */
enum select_result select_server(const struct deleg_env *e, struct deleg *d, uint16_t type, struct infra *infra, size_t *ret_server) NONNULL;

/* The policy on routes that servers of d are judged by: that of the zone; for a forwarder, which answers for all zones, that of the name asked for. */
enum route_policy select_policy(const struct deleg_env *e, const struct deleg *d) NONNULL;

#endif
