/*
 * rtr_feed.h: what the RTR service gives to routers: the present table with its serial number, the differences from earlier serials, the session IDs, and the PDUs
 * of all of these, rendered when first asked for and shared by all sessions. Used by one thread.
 */
#ifndef RPKI_SERVE_RTR_FEED_H
#define RPKI_SERVE_RTR_FEED_H

#include "rpki/routes/delta.h"
#include "rpki/routes/rtr_image.h"
#include "rpki/routes/rtr_pdu.h"

struct rng;
struct rtr_feed;

/* What must outlive a restart together with the data for routers to go on where they were. */
struct rtr_state {
	uint16_t session[RTR_VERSIONS]; /* all different (8210bis section 5.1) */
	uint32_t serial;
};
/* New and unpredictable, for a start without data from before. */
struct rtr_state rtr_state_draw(struct rng *rng) NONNULL;

struct rtr_feed_options {
	struct rtr_timers timers;
	struct history_limits history; /* octets bounds the rendered differences too */
};

void rtr_feed_free(struct rtr_feed *f) TAKES(1);
struct rtr_feed *rtr_feed_new(const struct rtr_feed_options *o, const struct rtr_state *s) OWNED_BY(rtr_feed_free) NONNULL;
DEFINE_AUTO(struct rtr_feed, rtr_feed_free)

/* Makes t the present table. Does nothing when it is equal to the one before; else the serial goes up by one (the first table has the serial
 * that the state says). *ret_changed tells which. ERR_NOMEM: the old one stays. */
RESULT rtr_feed_publish(struct rtr_feed *f, struct payload_table *t, bool *ret_changed) TAKES(2) NONNULL;
/* Goes on where another feed was: its state, the table that it had, and the differences that led to it. Before anything is published. */
void rtr_feed_restore(struct rtr_feed *f, const struct rtr_state *s, struct payload_table *t, struct payload_history *h) TAKES(3) TAKES(4) NONNULL;
void rtr_feed_set_timers(struct rtr_feed *f, const struct rtr_timers *t) NONNULL;

const struct payload_table *rtr_feed_table(const struct rtr_feed *f) BORROWED NONNULL; /* NULL: there is no data yet */
struct rtr_state rtr_feed_state(const struct rtr_feed *f) NONNULL;
const struct payload_history *rtr_feed_history(const struct rtr_feed *f) BORROWED NONNULL;
const struct rtr_timers *rtr_feed_timers(const struct rtr_feed *f) BORROWED NONNULL;
/* How often a table was published that differed: a number to compare. */
uint64_t rtr_feed_generation(const struct rtr_feed *f) NONNULL;
size_t rtr_feed_octets(const struct rtr_feed *f) NONNULL; /* of memory: table, history and images that the feed itself holds */

/* PDUs of the whole table; there is data. */
RESULT rtr_feed_full(struct rtr_feed *f, uint8_t version, struct rtr_image **ret_image) NONNULL;
/* PDUs from serial to now. ERR_NOTFOUND: not known any more, or longer than the whole table: Cache Reset is the answer. */
RESULT rtr_feed_since(struct rtr_feed *f, uint8_t version, uint32_t serial, struct rtr_image **ret_image) NONNULL;

#endif
