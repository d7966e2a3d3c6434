/* world_inside.h: what world.c (zones, model) and servers.c (behaviour) share. */
#ifndef TESTS_SIM_WORLD_INSIDE_H
#define TESTS_SIM_WORLD_INSIDE_H

#include <stdlib.h>

#include "tests/sim/world.h"

/* What cannot fail in a world of our own making. */
static inline void must(struct result r)
{
	if (!OK(r))
		abort();
}

enum temper {
	HONEST,
	/* odd, but right in the end */
	FOLDS_CASE, /* answers in lower case: 0x20 fails */
	TRUNCATES,  /* every UDP answer has TC */
	COOKIES,    /* BADCOOKIE to whoever comes without its cookie */
	NO_TCP,     /* refuses connections */
	/* bad: no good answer comes from it */
	REFUSES, SILENT, SERVFAILS, NOT_EDNS /* FORMERR always */, EMPTY /* NOERROR without anything */, UPWARD /* refers to the root */, LIAR,
};

struct model_rr {
	struct model_rr *next ARENA_FIELD;
	struct world_rr rr;
};
struct model_zone {
	struct model_zone *next ARENA_FIELD;
	struct model_zone *parent ARENA_FIELD;
	struct name apex;
	struct model_rr *rrs ARENA_FIELD; /* with the NS sets and glue of zones below */
	unsigned int hosts;
	unsigned int honest;              /* honest servers */
};
struct model_serves {
	struct model_serves *next ARENA_FIELD;
	struct model_zone *zone ARENA_FIELD;
};
struct model_server {
	struct model_server *next ARENA_FIELD;
	struct world *world PARENT_FIELD;
	struct addr v4, v6;
	enum temper temper;
	bool root;
	struct model_serves *zones ARENA_FIELD;
};
struct world {
	struct sim *sim PARENT_FIELD;
	struct arena *arena OWNED_FIELD;
	struct world_options o;
	struct model_zone *zones ARENA_FIELD, *root ARENA_FIELD, *provider ARENA_FIELD;
	struct model_server *servers ARENA_FIELD;
	struct model_server *provider_servers[3] ARENA_FIELD;
	unsigned int zone_count, server_count;
	uint64_t packets;
};

struct model_find {
	bool exists;                           /* the name, or one below it, or a wildcard covers it */
	struct name source;                    /* where the data stands: the name, or the wildcard */
	const struct model_rr *cname BORROWED_FIELD;
	const struct model_rr *dname BORROWED_FIELD; /* above the name: nothing else counts */
};
void model_find(const struct model_zone *z, struct name name, struct model_find *ret);
void server_start(struct model_server *v) NONNULL;

#endif
