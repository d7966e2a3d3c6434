/*
 * control.h: what the monitor and the other processes say to each other. The monitor looks into nothing that comes from the engine: it hands on descriptors, and keeps the last of each, so
 * that a process that serves and was started again has the data at once.
 * A process whose link to the monitor is closed ends.
 */
#ifndef RPKI_PROCESS_CONTROL_H
#define RPKI_PROCESS_CONTROL_H

enum control_message {
	CONTROL_READY = 1, /* any to monitor: it has what it needs, and is in its sandbox. 1 octet: system calls are filtered; 1: version of Landlock */
	CONTROL_SNAPSHOT,  /* engine to monitor to serve: fd is a table's image (rpki/routes/table_image.h) */
	CONTROL_STATUS,    /* likewise: fd is a sealed memory file with a status (rpki/serve/status.h) */
	CONTROL_LATER,     /* likewise, without fd: the first table takes a while */
	CONTROL_RUN_DONE,  /* engine to monitor: a run has found a table, so the store is sound */
	CONTROL_PEER,      /* monitor to engine: 1 octet, enum fetch_way; fd is a link to the process that fetches so */
	CONTROL_RUN_NOW,   /* monitor to engine */
	CONTROL_TIMERS,    /* monitor to serve: refresh 4, retry 4, expire 4 */
	CONTROL_WISH,      /* serve to monitor: what an operator wants, as of operator_verbs.h */
	CONTROL_GRANTED,   /* monitor to serve: likewise, done or not */
	CONTROL_VERBOSITY, /* monitor to any: 1 octet, how often -v was said, as it were */
	CONTROL_IDENTITY,  /* monitor to serve: 1 octet, client_address; fd is a sealed memory file of rpki/process/identity.h */
};

#endif
