/*
 * board.h: where the state of routes is hung up for all to see: the view that verdicts are made from (rpki/routes/judge.h), and where it comes from. A sheet is immutable
 * and counted; one thread hangs it up, any takes it down for as long as it is needed. Only misses and the operator look: one short lock.
 */
#ifndef RESOLVER_ROUTES_BOARD_H
#define RESOLVER_ROUTES_BOARD_H

#include <stdatomic.h>

#include "resolver/routes/counts.h"
#include "rpki/routes/judge.h"

struct route_board;

/* A source of announced routes. */
struct route_source {
	uint32_t number;        /* in routes that came from it */
	char *name OWNED_FIELD; /* path of a file, or a router and its peer */
	uint64_t at_ms;         /* mono: when it was read, or came up */
	uint64_t routes;        /* 0: not known */
};

/* A server of VRPs, whether or not its data count. */
struct route_rtr {
	char *name OWNED_FIELD;
	bool connected;
	bool in_use;         /* its data are the ones that count */
	bool has_data;       /* that have not expired: the rest is set */
	uint8_t version;
	uint32_t serial;
	uint64_t vrps;
	uint64_t updated_ms; /* mono: when it last said that they are up to date */
};

struct route_sheet {
	atomic_uint refs;
	struct route_view *view OWNED_FIELD;
	char *cache OWNED_FIELD;  /* the RTR server whose VRPs these are; NULL: there are none */
	uint32_t serial;
	uint8_t version;          /* of the protocol */
	uint64_t updated_ms;      /* mono: when the server last said that they are up to date */
	uint64_t vrps;
	bool has_sources;         /* of announced routes */
	uint64_t prefixes, routes;
	struct route_source *sources OWNED_FIELD;
	size_t source_count;
	struct route_rtr *rtrs OWNED_FIELD; /* in order of preference */
	size_t rtr_count;
	uint32_t bmp_sessions, bmp_peers; /* that are up */
};

void route_sheet_unref(struct route_sheet *s) TAKES(1); /* any thread */
struct route_sheet *route_sheet_new(void) OWNED_BY(route_sheet_unref); /* empty, held once */
DEFINE_AUTO(struct route_sheet, route_sheet_unref)
/* Appends a source; its name is copied. ERR_NOMEM. */
RESULT route_sheet_add_source(struct route_sheet *s, uint32_t number, const char *name, uint64_t at_ms, uint64_t routes) NONNULL;

/* Appends a server of VRPs: a copy, also of its name. ERR_NOMEM. */
RESULT route_sheet_add_rtr(struct route_sheet *s, const char *name, const struct route_rtr *r) NONNULL;

/* NULL: it is not on this sheet. */
const struct route_source *route_sheet_source(const struct route_sheet *s, uint32_t number) BORROWED NONNULL;

void route_board_free(struct route_board *b) TAKES(1);
struct route_board *route_board_new(void) OWNED_BY(route_board_free);
DEFINE_AUTO(struct route_board, route_board_free)
/* What its keeper counts, for good. */
struct route_counts *route_board_counts(struct route_board *b) BORROWED NONNULL;
void route_board_put(struct route_board *b, struct route_sheet *s) TAKES(2) NONNULL;
/* Another number for each sheet; 0: none hangs there. Any thread, without the lock. */
uint64_t route_board_number(const struct route_board *b) NONNULL;
/* The sheet that hangs there; NULL: none yet. */
struct route_sheet *route_board_get(struct route_board *b) OWNED_BY(route_sheet_unref) NONNULL;

#endif
