/*
 * world.h: a small Internet drawn from a seed: a root, top levels, zones on servers good and bad, aliases across zones, wildcards, names that do not exist; and the
 * model: what the right answer to any question is, found by looking at all zones at once, slowly and plainly.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "dns/msg.h"
#include "tests/sim/net.h"

struct world;
struct model_zone;
struct arena;

struct world_options {
	unsigned int tops, zones;     /* how many */
	uint32_t bad_servers;         /* in 1,000,000: share of servers (beyond each zone's first) that are bad in some way */
	uint32_t broken_zones;        /* in 1,000,000: zones all of whose servers are bad */
	bool liars;                   /* bad servers may lie, with the marked addresses */
	bool circles;                 /* zones whose servers are named in one another */
	bool deep;                    /* a long ladder of delegations */
};

void world_free(struct world *w) TAKES(1);
struct world *world_new(struct sim *s, const struct world_options *o) OWNED_BY(world_free) NONNULL;
DEFINE_AUTO(struct world, world_free)

/* A question worth asking, drawn: mostly of names that exist. */
void world_question(struct world *w, struct name_buf *ret_name, uint16_t *ret_type) NONNULL;

/* A question that was not asked before, about a zone that has only good servers. False: there is none. */
bool world_fresh_question(struct world *w, struct name_buf *ret_name, uint16_t *ret_type) NONNULL;

/* What a resolver with the world's trust anchors must find. In rising order: of a chain of aliases the last of these counts. */
enum world_security { WORLD_SECURE, WORLD_INSECURE, WORLD_BOGUS };
struct strbuf;
/* Signs zones, all drawn from the seed alone: what else was and will be drawn of the world stays the same. Once, before anything is asked. The plants of signed worlds
 * make signatures or the model wrong. */
void world_sign(struct world *w, uint64_t seed, enum plant plant) NONNULL;
bool world_is_signed(const struct world *w) NONNULL;
void world_tell_zones(const struct world *w) NONNULL; /* on standard error: how each is signed */
/* Trust anchors and more for the server: clause. */
void world_trust(const struct world *w, struct strbuf *out) NONNULL;

struct world_rr {
	struct name owner;
	uint16_t type;
	uint32_t ttl;
	struct span rdata;
	bool clock; /* an address that says when the server gave it: world_clock_age() */
};
struct world_answer {
	uint16_t rcode;
	struct world_rr *rrs ARENA_FIELD;
	size_t count;
	bool last_empty;               /* nothing of the type asked for where the aliases end */
	const struct model_zone *zone BORROWED_FIELD; /* where they end */
	bool may_fail; /* a zone on the way is broken, or the chain too long: SERVFAIL is right as well */
	enum world_security security;
	bool deniable; /* a server of a zone on the way says nothing at all, and with that many iterations the zone cannot prove that there is something */
	bool faulty;   /* WORLD_BOGUS by what is wrong with the zone itself, not with one above */
	bool firm;     /* nothing on the way leaves whoever changes replies a choice: all is signed, and no denial says less than it might */
};
void world_right_answer(struct world *w, struct arena *a, struct name name, uint16_t type, struct world_answer *ret);

uint64_t world_packets(const struct world *w) NONNULL;  /* that servers have received */
/* A server's address, drawn; and one of its zones' names. For forgers. */
void world_some_server(struct world *w, struct endpoint *ret_server) NONNULL;
/* The zones, one after another, for flushes. */
struct name world_some_zone(struct world *w) NONNULL;
/* A set of cables pulled, or put back: all servers, or all but the root's. */
void world_outage(struct world *w, bool down, bool roots_too) NONNULL;
/* How many virtual seconds ago a server gave an address of a clock (of four octets); it has the last 24 bits of the second, so that half a year and more are told as less. */
uint32_t world_clock_age(struct span rdata, uint64_t now_sec);

/* Configurations that ask other servers for a part of the world; the answers are the same. */
enum world_setup { SETUP_PLAIN, SETUP_FORWARD_ALL, SETUP_FORWARD_ZONE, SETUP_STUB, SETUPS };
void world_clauses(struct world *w, enum world_setup setup, struct strbuf *out) NONNULL;

/* Servers say one thing over a connection and end their direction of it; what was asked behind that is lost. */
void world_half_close(struct world *w) NONNULL;

/* Servers that were bad anyway are somebody's who has taken the route to them: they say what has the mark, and the model knows nothing of it. */
void world_hijack(struct world *w) NONNULL;
/* Their addresses, at most max; how many. */
size_t world_hijacked(const struct world *w, struct addr *ret, size_t max) NONNULL;

/* What simulate's plants make honest servers do. */
void world_plant(struct world *w, bool wrong, bool forges) NONNULL;

/* A server of one's own: its zone is delegated from the root with glue. fn writes the reply's records; false: silence. */
struct builder;
typedef bool world_reply_fn(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp);
struct world_guest;
struct world_guest *world_guest(struct world *w, const char *zone, const char *address4, world_reply_fn *fn, void *ctx) BORROWED;
/* DS RRs for it in the root, which is signed. */
void world_guest_ds(struct world *w, const char *zone, const struct span *ds, size_t n) NONNULL;
uint64_t world_guest_packets(const struct world_guest *g) NONNULL;
/* Addresses in 66.66.0.0/16 and TXT "forged" are only in forged data: no client may ever see them. */
bool world_is_marked(uint16_t type, struct span rdata);
/* Addresses in 66.67.0.0/16 are forged by servers of the zone itself, which validation alone can find out: only clients that check for themselves may see them. */
bool world_is_marked_bogus(uint16_t type, struct span rdata);
/* Every record of it was said by a server that has a say on its name (heard.h). */
bool world_was_said(const struct world *w, const struct rrset *rs) NONNULL;
/* A forged reply to this question, with the mark, as a liar or forger would send it. Its length. */
size_t world_forge(uint8_t *out, size_t cap, uint16_t id, const struct question *q) NONNULL;

#endif
