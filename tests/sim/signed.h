/*
 * signed.h: worlds with signatures: which zones are signed and how, what is wrong with some, and what a server adds to a reply when DO is set (RFC 4035 section 3.1,
 * RFC 5155 section 7.2). Proofs are looked up in lists of all names of a zone, by the plainest means.
 */
#ifndef TESTS_SIM_SIGNED_H
#define TESTS_SIM_SIGNED_H

#include "tests/sim/sign.h"
#include "tests/sim/world_inside.h"

enum denial_kind { BY_NSEC, BY_NSEC3, BY_OPT_OUT };

/* What is wrong with all of a zone, at all its servers. */
enum zone_fault {
	FAULT_NONE,
	FAULT_EXPIRED,  /* signatures ended two weeks ago */
	FAULT_NOT_YET,  /* they begin in two weeks */
	FAULT_DS,       /* the DS names no key of the zone */
	FAULT_KEY,      /* signed by a key that the zone does not have */
	FAULT_CORRUPT,  /* signatures do not verify */
	FAULT_UNSIGNED, /* no signatures, in spite of the DS */
	FAULTS
};

struct zone_name {
	struct name owner;
	uint16_t types[16];            /* in rising order, RRSIG and NSEC left out */
	unsigned int count;
	bool cut;
	uint8_t hash[SIGN_HASH];
};

/* How a zone of a world by hand is signed. */
struct sign_plan {
	uint8_t algorithm;      /* 5, 7, 8 or 15 */
	bool two_algorithms, one_key;
	enum denial_kind denial;
	unsigned int iterations; /* of NSEC3 */
	bool salt;
	bool ds;                /* at the parent */
	bool unknown_ds;        /* of a digest that nobody knows */
	bool anchored;          /* a trust anchor of its own */
	bool switched_off;      /* domain-insecure */
	enum zone_fault fault;
};

#define ZONE_KEYS 4u
#define MAX_PROOFS 8u

struct zone_signing {
	struct sign_key keys[ZONE_KEYS];
	uint16_t flags[ZONE_KEYS], tags[ZONE_KEYS];
	unsigned int key_count;
	enum denial_kind denial;
	enum zone_fault fault;
	unsigned int iterations;
	struct span salt;
	uint32_t denial_ttl;
	struct zone_name *names ARENA_FIELD;   /* those that have NSEC, in canonical order; or NSEC3, by hash */
	unsigned int name_count;
};

/* The denials and DS that a reply needs. */
struct proofs {
	const struct rrset *sets[MAX_PROOFS] ARENA_FIELD;
	unsigned int n;
};

/* A set of the zone, with the signatures that this server would give it. source: where it stands in the zone. */
const struct rrset *signed_set(struct model_server *v, struct arena *a, const struct model_zone *z, const struct rrset *rs, struct name source) IN_ARENA;
/* Why there is nothing of the type at `name`, whose data stands at `source` (the name itself, or a wildcard). */
void prove_nodata(struct model_server *v, struct arena *a, const struct model_zone *z, struct name name, struct name source, struct proofs *p);
void prove_nxdomain(struct model_server *v, struct arena *a, const struct model_zone *z, struct name name, struct proofs *p);
/* Why the wildcard is right: nothing is closer. */
void prove_expansion(struct model_server *v, struct arena *a, const struct model_zone *z, struct name name, struct proofs *p);
/* A world by hand: all zones are there. The root is signed first; zones that are not signed have to be told (NULL), for what is insecure below them. */
void world_sign_zone(struct world *w, struct model_zone *z, const struct sign_plan *p) __attribute__((nonnull(1, 2)));
void world_sign_end(struct world *w) NONNULL;
/* This zone's data can be checked, all of it: what a server says wrongly about it must be found out. (With too many iterations any name may be an unsigned
 * delegation, as far as a validator can tell.) */
bool zone_is_watched(const struct model_zone *z);
/* What it denies about the name is not secure, though the zone is signed: too many iterations; opt-out, when the denial needs the span of a name that is not there. */
bool zone_denies_weakly(const struct model_zone *z, struct name name, bool absent);

#endif
