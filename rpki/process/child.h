/* child.h: what all processes that the monitor starts do first: a log, a loop and randomness of their own; another user; a sandbox; the link to the monitor. */
#ifndef RPKI_PROCESS_CHILD_H
#define RPKI_PROCESS_CHILD_H

#include "base/sandbox.h"
#include "rpki/process/link.h"
#include "rpki/process/monitor.h"
#include "rpki/process/setup.h"

enum child_role { CHILD_ENGINE, CHILD_HTTPS, CHILD_RSYNC, CHILD_SERVE, CHILD_ROLES };

struct child {
	const struct setup *setup SHARED_FIELD;
	enum child_role role;
	struct rng *rng OWNED_FIELD;
	struct loop *loop OWNED_FIELD;
	link_h control;
	bool linked;
};

const char *child_name(enum child_role role) BORROWED;
unsigned int child_groups(enum child_role role); /* of its sandbox */
/* The log as this process writes it; ident: "" for the monitor. */
void child_set_verbosity(unsigned int n); /* of the log, as so many -v */
/* A message for all: true when it was CONTROL_VERBOSITY, and has been obeyed. */
bool child_heard(const struct link_message *m) NONNULL;
void child_log(const struct setup *s, const char *ident) NONNULL;

/* In order. The reason for an error is in the log. */
RESULT child_begin(struct child *c, const struct setup *s, enum child_role role) NONNULL;
RESULT child_become_user(struct child *c) NONNULL; /* and dies with the monitor */
/* paths: besides those that each process needs. Tells the monitor what holds. ERR_CLOSED: the monitor is gone. */
RESULT child_confine(struct child *c, const struct sandbox_path *paths, size_t n) __attribute__((nonnull(1)));
RESULT child_link(struct child *c, int control, const struct link_events *ev) NONNULL;
void child_end(struct child *c) NONNULL; /* everything on the loop has been closed */

#endif
