/* once.h: one run in this process, from the network or from the store alone. For --once. */
#ifndef RPKI_ONCE_H
#define RPKI_ONCE_H

#include "base/own.h"

struct conf;
struct payload_table;
struct rng;

struct once_options {
	const struct conf *conf BORROWED_FIELD;
	struct rng *rng BORROWED_FIELD;
	bool offline; /* what the store has */
	bool at_given;
	int64_t at_sec;
};

/* *ret_table is the caller's. *ret_all_usable: of the trust anchors. What is wrong is in the log. ERR_FORMAT: the configuration (certificates, proxy); ERR_SYSTEM and others: the run. */
RESULT once_run(const struct once_options *o, struct payload_table **ret_table, bool *ret_all_usable) NONNULL;

#endif
