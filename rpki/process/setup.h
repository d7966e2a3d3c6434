/* setup.h: what the processes of cairn-rpki have from the monitor: its memory at the moment when they began. */
#ifndef RPKI_PROCESS_SETUP_H
#define RPKI_PROCESS_SETUP_H

#include "base/process.h"
#include "conf/conf.h"
#include "rpki/daemon.h"
#include "rpki/process/listeners.h"

#define SERVE_FOLDER "serve" /* in cache-dir: what the serving process keeps, and no other */

struct setup {
	struct rpki_options o;
	struct conf *conf OWNED_FIELD;
	struct process_user user;
	struct listeners listeners;
	int monitor_pid;
	int log_to;           /* the monitor logs what is written there; -1: each process logs to standard error */
	bool started;         /* until then the monitor logs to standard error, also when it is to log to syslog */
	bool anchors;         /* there are trust anchors: something is to be fetched and validated */
	bool set_store_aside; /* the engine has died on it twice */
};

static inline const struct conf_clause *setup_rpki(const struct setup *s) BORROWED;
static inline const struct conf_clause *setup_rpki(const struct setup *s)
{
	return conf_single(s->conf, CLAUSE_RPKI);
}
static inline const struct conf_clause *setup_rtr(const struct setup *s) BORROWED;
static inline const struct conf_clause *setup_rtr(const struct setup *s)
{
	return conf_single(s->conf, CLAUSE_RTR);
}

#endif
