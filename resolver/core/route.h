/*
 * route.h: what routes mean for the choice of servers. A verdict (rpki/routes/judge.h) is kept beside what else is known of a server (infra.h), stamped with the generation
 * of the view that it was made from, and made again on next use when there is a newer one.
 *
 *   off                  routes do not count
 *   log                  they are judged, and a change is said in the log
 *   prefer               also: an invalid one is asked when no other can be, and among servers of like round-trip time valid ones come first
 *   require-not-invalid  also: an invalid one is never asked
 *   require-valid        also: only valid ones are
 *
 * While there are no VRPs that have not expired, the last two are as `log`: who fetches them may need us for it.
 */
#ifndef RESOLVER_CORE_ROUTE_H
#define RESOLVER_CORE_ROUTE_H

#include "resolver/cache/infra.h"
#include "rpki/routes/judge.h"

struct arena;
struct core;
struct route_board;
struct route_sheet;
struct strbuf;

enum route_policy { ROUTE_POLICY_OFF, ROUTE_POLICY_LOG, ROUTE_POLICY_PREFER, ROUTE_POLICY_NOT_INVALID, ROUTE_POLICY_VALID };

/* What one choice goes by. */
struct route_rule {
	const struct route_view *view BORROWED_FIELD; /* NULL: routes do not count */
	enum route_policy policy;
};

/* f: what is known of the server; the verdict is kept with it. VERDICT_UNKNOWN where routes do not count. */
enum verdict_state route_state_of(const struct route_rule *r, struct infra *infra, const struct endpoint *server, const struct server_facts *f, const struct now *now) NONNULL;

enum route_use { ROUTE_FIRST, ROUTE_USUAL, ROUTE_LAST, ROUTE_NEVER };
enum route_use route_use_of(const struct route_rule *r, enum verdict_state state) NONNULL;
/* Counts, and says once, that policies which require something have no VRPs to go by; and that they have again. view: NULL: nothing is known of routes. */
void route_note_guard(struct core *c, const struct route_view *view, enum route_policy policy) __attribute__((nonnull(1)));
/* Counts a question to a server by the route to it; f: what is known of the server since it was chosen. */
void route_count(struct core *c, const struct server_facts *f) NONNULL;
/* The worse of them: what is known of the route to a server, and `other`: both 1 + enum verdict_state, 0 when it is not known. */
uint8_t route_worse(struct core *c, const struct server_facts *f, uint8_t other) NONNULL;
/* "192.0.2.53: invalid origin, 192.0.2.0/24 by AS64511, VRP 192.0.2.0/24-24 AS64496", in the arena; NULL: no memory. */
const char *route_reason(const struct route_rule *r, const struct endpoint *server, struct arena *a) IN_ARENA NONNULL;

/* What a condition on routes goes by, of an address: its state, and who announces the route that decided. */
struct route_facts {
	enum verdict_state state;
	uint32_t origin; /* AS number; 0: no route is known, or it is of a set of ASes */
	bool contested;  /* somebody else's route of the same prefix is invalid */
};
/* view: NULL: unknown. */
struct route_facts route_facts_of(const struct route_view *view, const struct addr *a) __attribute__((nonnull(2)));

/* One thread's place before the board. */
struct route_seat {
	struct route_sheet *sheet OWNED_FIELD; /* that hung there when it looked last */
	uint64_t number;
};
/* The view that hangs there now; NULL: none. Good until the next call. */
const struct route_view *route_seat_view(struct route_seat *s, struct route_board *b) BORROWED NONNULL;
void route_seat_done(struct route_seat *s) NONNULL;
/* "192.0.2.53: route invalid origin, 192.0.2.0/24 by AS64511, VRP 192.0.2.0/24-24 AS64496" */
void route_say(const struct route_view *view, const struct addr *a, struct strbuf *out) NONNULL;

/* The view that hangs on the board now; NULL: none. Good for this turn. */
const struct route_view *core_routes(struct core *c) BORROWED NONNULL;

#endif
