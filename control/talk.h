/*
 * talk.h: one exchange with a daemon over its control socket, in unbound-control's line protocol: "UBCT1 VERB ARGUMENTS\n" goes out, for some verbs followed by
 * lines and an end mark (octet 4 alone on a line), and text comes back until the daemon closes. With "--json" before the verb cairnd answers in JSON.
 */
#ifndef CONTROL_TALK_H
#define CONTROL_TALK_H

#include <stdio.h>

#include "base/own.h"

struct talk {
	const char *server BORROWED_FIELD;  /* path of a Unix socket, or ADDRESS[@PORT] */
	bool json;
	int words;
	char *const *word BORROWED_FIELD;   /* verb and arguments */
	FILE *in BORROWED_FIELD;            /* lines for verbs that take them */
	FILE *out BORROWED_FIELD;
	unsigned int timeout_sec;           /* for each wait; 0: none */
};

/* Whether a verb reads lines (local_zones, load_cache, ...). */
bool talk_takes_lines(const char *verb) NONNULL;
/* Exit status: 0; 1 when the daemon answered "error ..."; 2 when it could not be reached or the words are unusable. Problems are said on standard error. */
int talk_run(const struct talk *t) NONNULL;

#endif
