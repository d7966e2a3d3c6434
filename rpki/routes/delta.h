/*
 * delta.h: how one table becomes another, net-minimal: what must be announced and what withdrawn, nothing in both; immutable like the tables. And the history of a
 * table: its last differences, each with the serial number that it leads to, from which the difference between any of them and now is made.
 */
#ifndef RPKI_ROUTES_DELTA_H
#define RPKI_ROUTES_DELTA_H

#include "rpki/routes/table.h"

struct payload_delta;

void delta_free(struct payload_delta *d) TAKES(1);
DEFINE_AUTO(struct payload_delta, delta_free)
RESULT delta_between(const struct payload_table *from, const struct payload_table *to, struct payload_delta **ret_delta) NONNULL;
/* What first and then second do, in one. second begins where first ends. */
RESULT delta_join(const struct payload_delta *first, const struct payload_delta *second, struct payload_delta **ret_delta) NONNULL;
RESULT delta_none(struct payload_delta **ret_delta) NONNULL; /* changes nothing */
/* Of what it announces and withdraws, both taken over: one that was written down comes back. ERR_NOMEM. */
RESULT delta_of(struct payload_table *announced, struct payload_table *withdrawn, struct payload_delta **ret_delta) TAKES(1) TAKES(2) NONNULL;

/* An ASPA that gets other providers stands in both: with the old providers in what goes, with the new ones in what comes. RTR sends it as an
 * announcement alone, which replaces the former. */
const struct payload_table *delta_announced(const struct payload_delta *d) BORROWED NONNULL;
const struct payload_table *delta_withdrawn(const struct payload_delta *d) BORROWED NONNULL;
bool delta_is_empty(const struct payload_delta *d) NONNULL;
size_t delta_octets(const struct payload_delta *d) NONNULL; /* of memory */
/* True when the customer of ASPA i of what goes comes back with other providers. */
bool delta_replaces(const struct payload_delta *d, size_t i) NONNULL;

struct payload_history;

struct history_limits {
	uint32_t serials; /* how many differences are kept, at least 1 */
	size_t octets;    /* of memory for all; the oldest go first, at least the newest stays when it fits alone */
};

void history_free(struct payload_history *h) TAKES(1);
struct payload_history *history_new(const struct history_limits *limits, uint32_t serial) OWNED_BY(history_free) NONNULL;
DEFINE_AUTO(struct payload_history, history_free)
/* The table that had the last serial has become that of the next, by d. Returns the next serial: they go round at 2^32 (RFC 1982). */
RESULT history_add(struct payload_history *h, struct payload_delta *d, uint32_t *ret_serial) TAKES(2) NONNULL;
uint32_t history_serial(const struct payload_history *h) NONNULL;
size_t history_count(const struct payload_history *h) NONNULL;
size_t history_octets(const struct payload_history *h) NONNULL;
/* The difference that led to the present serial (back 0), to the one before (1) and so on, below history_count(). */
const struct payload_delta *history_step(const struct payload_history *h, size_t back) BORROWED NONNULL;
/* From serial to the present one, which may be the same. ERR_NOTFOUND: it is not known (any more); ERR_NOMEM. */
RESULT history_since(const struct payload_history *h, uint32_t serial, struct payload_delta **ret_delta) NONNULL;

#endif
