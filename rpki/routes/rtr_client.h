/*
 * rtr_client.h: the router's side of RTR, as a state machine without I/O: it keeps a table up to date with one cache. Its owner connects, moves octets, and asks it
 * now and then what it wishes; time comes as an argument, in milliseconds that only grow.
 *
 *   RTR_CLIENT_AWAY     no connection. A wish to connect comes when it is time.
 *   RTR_CLIENT_ASKED    a query was sent; nothing of the answer came yet
 *   RTR_CLIENT_HEARS    Cache Response came; payloads are collected until End of Data
 *   RTR_CLIENT_RESTS    up to date; a Notify or the refresh interval leads to the next query
 *   RTR_CLIENT_LEAVES   an Error Report is to be sent, or none; then the wish is to close
 *
 * The table is replaced only by whole answers, and outlives connections until the expire interval is over (RFC 8210 section 6). Versions: the highest is tried
 * first; a cache that speaks a lower one says so by Error Report or by its answer, or closes (section 7).
 */
#ifndef RPKI_ROUTES_RTR_CLIENT_H
#define RPKI_ROUTES_RTR_CLIENT_H

#include "rpki/routes/rtr_pdu.h"
#include "rpki/routes/table.h"

struct rtr_client;

enum rtr_client_state { RTR_CLIENT_AWAY, RTR_CLIENT_ASKED, RTR_CLIENT_HEARS, RTR_CLIENT_RESTS, RTR_CLIENT_LEAVES };
enum rtr_wish { RTR_WISH_NOTHING, RTR_WISH_CONNECT, RTR_WISH_CLOSE };

struct rtr_client_options {
	uint8_t max_version;        /* 0 to RTR_VERSION_MAX */
	uint32_t answer_ms;         /* an answer of which nothing comes for this long is given up */
	uint32_t reconnect_ms;      /* before the first new attempt to connect; doubled for each that fails, up to the retry interval */
	struct rtr_timers timers;   /* until a cache says others (version 0 never does) */
	struct table_limits limits; /* of one answer; 0: as much as a PDU and 32 bits allow */
};
#define RTR_CLIENT_USUAL ((struct rtr_client_options){ RTR_VERSION_MAX, 60000, 1000, RTR_TIMERS_USUAL, { 0 } })

struct rtr_client_counts {
	uint64_t tables, resets, differences, notifies, expiries, reports_sent, reports_received, downgrades;
};

void rtr_client_free(struct rtr_client *c) TAKES(1);
struct rtr_client *rtr_client_new(const struct rtr_client_options *o) OWNED_BY(rtr_client_free) NONNULL;
DEFINE_AUTO(struct rtr_client, rtr_client_free)

/* What the owner tells. */
void rtr_client_connected(struct rtr_client *c, uint64_t now) NONNULL;
void rtr_client_input(struct rtr_client *c, uint64_t now, struct span octets) NONNULL;
void rtr_client_disconnected(struct rtr_client *c, uint64_t now) NONNULL; /* or the attempt to connect failed */
/* What it asks: does what time has made due. The wish stays until it was followed. */
enum rtr_wish rtr_client_tick(struct rtr_client *c, uint64_t now) NONNULL;
uint64_t rtr_client_due(const struct rtr_client *c) NONNULL; /* when to tick next at the latest; UINT64_MAX: only after an event */
/* To be sent now, all of it; empty: nothing. Good until the next call for c, and not given again. */
struct span rtr_client_output(struct rtr_client *c) NONNULL;

/* What it has: NULL without data that is not expired. The generation of a table is how many there were. */
const struct payload_table *rtr_client_table(const struct rtr_client *c) BORROWED NONNULL;
enum rtr_client_state rtr_client_state(const struct rtr_client *c) NONNULL;
uint8_t rtr_client_version(const struct rtr_client *c) NONNULL;
uint32_t rtr_client_serial(const struct rtr_client *c) NONNULL;   /* of the table */
uint64_t rtr_client_updated(const struct rtr_client *c) NONNULL;  /* when the last End of Data came */
const struct rtr_client_counts *rtr_client_counts(const struct rtr_client *c) BORROWED NONNULL;
unsigned int rtr_client_last_error(const struct rtr_client *c) NONNULL; /* code of the last Error Report, sent or received; 65535: none */

#endif
