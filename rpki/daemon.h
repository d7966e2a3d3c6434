/*
 * daemon.h: cairn-rpki as a process. Of what it is to be, this build has validation of a tree of files that is at hand (--once --offline with rpki-tree:), and the serving half: local
 * exceptions (SLURM) are read, read again when they change, and their assertions served over RTR and written to files. It does not fetch: with trust anchors and without
 * --offline it says so, and ends.
 */
#ifndef RPKI_DAEMON_H
#define RPKI_DAEMON_H

#include "base/own.h"

struct rpki_options {
	const char *conf_path BORROWED_FIELD;
	bool foreground;
	bool once;          /* one run: outputs are written, nothing is served */
	bool offline;       /* nothing is fetched: what rpki-tree: has counts */
	bool at_given;
	int64_t at_sec;     /* the time of validation, and that outputs say they were made at, when given */
	unsigned int verbosity;
};

/* The exit status: 0; 1: something failed, or a trust anchor was not usable; 2: usage or configuration. */
int rpki_daemon_run(const struct rpki_options *o) NONNULL;

#endif
