/*
 * daemon.h: cairn-rpki as a process. Of what it is to be, this build has the serving half: local exceptions (SLURM) are read, read again when they change, and their
 * assertions served over RTR and written to files. With trust anchors it says that it cannot fetch and validate, and ends.
 */
#ifndef RPKI_DAEMON_H
#define RPKI_DAEMON_H

#include "base/own.h"

struct rpki_options {
	const char *conf_path BORROWED_FIELD;
	bool foreground;
	bool once;          /* one run: outputs are written, nothing is served */
	bool at_given;
	int64_t at_sec;     /* the time that outputs say they were made at, when given */
	unsigned int verbosity;
};

/* The exit status: 0; 1: something failed; 2: usage or configuration. */
int rpki_daemon_run(const struct rpki_options *o) NONNULL;

#endif
