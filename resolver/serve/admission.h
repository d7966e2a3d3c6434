/*
 * admission.h: may this packet be answered at all, and how? The first step after reading: everything that can be said without
 * looking anything up by name. No allocation, no system call; of tables only access-control's, and the clients' when a rate limit
 * is set.
 */
#ifndef RESOLVER_SERVE_ADMISSION_H
#define RESOLVER_SERVE_ADMISSION_H

#include "base/clock.h"
#include "resolver/serve/request.h"
#include "resolver/serve/serve_settings.h"

struct quota;
struct stats;

struct admission {
	const struct serve_settings *settings SHARED_FIELD;
	struct quota *quota PARENT_FIELD;
	struct stats *stats PARENT_FIELD;
	const struct now *now BORROWED_FIELD; /* of this turn */
	unsigned int workers;                 /* limits of the process are shared out among so many */
	/* the client asked about last: neighbours in a batch often are the same */
	struct addr seen;
	enum access seen_of_interface, seen_access;
	bool validates; /* answers are validated: disable-edns-do is not obeyed */
};

/* Judges the packet; r->origin is set before, everything else is filled in. keepalive_ms is told to TCP clients that ask (RFC
 * 7828). */
void admission_judge(struct admission *a, struct span packet, enum access of_interface, uint32_t keepalive_ms, struct request *r)
    NONNULL;
void admission_forget(struct admission *a) NONNULL; /* the settings have changed */

#endif
