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
	SLOW,       /* up to a second and a half */
	STAMMERS,   /* another reply first: wrong ID, question, class, QR or opcode; then the right one */
	TWICE,      /* every reply two times */
	PROMISCUOUS, /* right, with name servers of its own zone that nobody asked for */
	STUFFS,     /* right, with records of other zones in all sections */
	DRIPS,      /* over TCP octet by octet */
	/* bad: no good answer comes from it */
	REFUSES, SILENT, SERVFAILS, NOT_EDNS /* FORMERR always */, UPWARD /* refers to the root */, LIAR /* other zones' records */,
	LIAR_DNAME /* a DNAME above its zone */, SELF /* refers to its own zone */, SHUTS /* TC, and closes connections */, GARBAGE /* right ID, then noise */,
	EMPTY /* NOERROR without anything: not to be told from "no data" */,
	HIJACKED, /* somebody has taken the route to it: right, but for all addresses, which are forged; unsigned */
	/* a forwarder: recurses, by the model */
	FORWARDER, FORWARDER_STUFFS /* and adds what is beyond the zone it is asked about */,
	/* in signed worlds; honest about zones whose data nobody can check */
	STRIPS,    /* neither signatures nor proofs nor DS */
	CORRUPTS,  /* signatures with an octet changed */
	OUTDATED,  /* signatures that have expired */
	FORGES,    /* an address of its own, unsigned */
	FORGES_SIGNED, /* likewise, with the right one's signature */
	DENIES,    /* no such name, unsigned */
	REPLAYS,   /* no such name, with another name's proof */
	SWAPS,     /* another name's data with its signature */
	NO_PROOFS, /* signatures, but no denials */
	TEMPERS
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
	unsigned int empties;             /* servers of kind EMPTY */
	bool at_provider;                 /* its servers are the provider's, without glue */
	bool lost;                        /* its servers cannot be found */
	struct zone_signing *signing ARENA_FIELD; /* NULL: unsigned */
	enum world_security security;
	bool anchored;                    /* has a trust anchor of its own */
	bool switched_off;                /* domain-insecure */
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
	struct name forwards;             /* FORWARDER_STUFFS: the zone that it is asked about */
	struct model_serves *zones ARENA_FIELD;
};
/* Somebody between a server and the network: gets the reply that is about to go (n 0: none is), may change it in place, up to cap octets, or send others. The
 * octets that go now; 0: none. *ret_wait_ns: after that time. */
typedef size_t world_meddle_fn(void *ctx, struct model_server *v, const struct endpoint *server, const struct endpoint *to, struct span query, bool tcp, uint8_t *out,
    size_t n, size_t cap, uint64_t *ret_wait_ns);

struct world {
	struct sim *sim PARENT_FIELD;
	struct arena *arena OWNED_FIELD;
	struct world_options o;
	struct model_zone *zones ARENA_FIELD, *root ARENA_FIELD, *provider ARENA_FIELD;
	struct model_server *servers ARENA_FIELD;
	struct model_server *provider_servers[3] ARENA_FIELD;
	unsigned int zone_count, server_count, fresh;
	uint64_t packets;
	struct model_server *forwarders[2] ARENA_FIELD;
	bool wrong;                       /* the plant: an honest server errs */
	bool forges;                      /* the plant: an honest server's data has the mark */
	struct heard *heard OWNED_FIELD;
	bool half_closes;                 /* servers end their direction of a connection with the first answer */
	bool is_signed;
	enum plant sign_plant;
	struct made_signature *made[512] ARENA_FIELD;
	world_meddle_fn *meddle;          /* NULL: none */
	void *meddle_ctx BORROWED_FIELD;
	const char *clause BORROWED_FIELD; /* lines that stand in the clause of world_clauses() too; or NULL */
};

struct model_find {
	bool exists;                           /* the name, or one below it, or a wildcard covers it */
	struct name source;                    /* where the data stands: the name, or the wildcard */
	const struct model_rr *cname BORROWED_FIELD;
	const struct model_rr *dname BORROWED_FIELD; /* above the name: nothing else counts */
};
void model_find(const struct model_zone *z, struct name name, struct model_find *ret);
/* The cut between the zone and the name, nearest to the apex (the DS of a cut is above it); false: none. */
bool model_cut(const struct model_zone *z, struct name n, uint16_t type, struct name *ret_cut);
/* One more record of a zone. */
void model_add(struct world *w, struct model_zone *z, struct name owner, uint16_t type, uint32_t ttl, struct span rdata);
void server_start(struct model_server *v) NONNULL;
/* The octets of its reply in out; 0: none. */
size_t server_reply(struct model_server *v, struct span packet, bool tcp, uint8_t *out, size_t cap) NONNULL;
/* Worlds by hand: a root with its servers and nothing else; then zones, parents first, and their servers (v4 addresses 20.x.y.53), then records. */
struct world *world_new_by_hand(struct sim *s) OWNED_BY(world_free) NONNULL;
struct model_zone *world_add_zone(struct world *w, struct model_zone *parent, const char *label) BORROWED NONNULL;
struct model_server *world_add_server(struct world *w, struct model_zone *z, enum temper temper) BORROWED NONNULL;
/* The servers of another zone, which becomes the provider, serve it, and have their names there: delegated without glue. */
void world_serve_at(struct world *w, struct model_zone *z, struct model_zone *host) NONNULL;
void world_put(struct world *w, struct model_zone *z, const char *text) NONNULL; /* a record as in a zone file; it must be readable */
/* The root's delegation of a guest's zone. */
void world_delegate(struct world *w, const char *zone, const char *address4) NONNULL;

#endif
