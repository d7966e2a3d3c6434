/*
 * daemon.h: cairn-rpki as processes (rpki/process): the one that was started becomes the monitor. It opens the listening sockets and makes the folders, starts the others, hands on what
 * the engine makes to the process that serves, and starts again what ends. It reads the configuration, and nothing that comes from outside.
 *
 *   signals: SIGHUP  the configuration is read again; engine and fetching start anew with it, routers stay
 *            SIGUSR1 a run begins now
 *            SIGTERM, SIGINT  routers are told, and all ends
 */
#ifndef RPKI_DAEMON_H
#define RPKI_DAEMON_H

#include "base/own.h"

struct rpki_options {
	const char *conf_path BORROWED_FIELD;
	bool foreground;
	bool once;          /* one run: outputs are written, nothing is served */
	bool offline;       /* nothing is fetched: what is in the store counts, or what rpki-tree: has */
	bool at_given;
	int64_t at_sec;     /* the time of validation, and that outputs say they were made at, when given */
	unsigned int verbosity;
};

/* The exit status: 0; 1: something failed, or a trust anchor was not usable; 2: usage or configuration. */
int rpki_daemon_run(const struct rpki_options *o) NONNULL;

#endif
