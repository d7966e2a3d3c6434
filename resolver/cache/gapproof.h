/*
 * gapproof.h: what the gaps known of one zone say about a question (RFC 8198 section 5, RFC 4035 section 5.4, RFC 5155 section 8, RFC 6840 section 4, RFC 9824). They need not
 * suffice: then nothing is said.
 *
 * NSEC3 is walked from the apex down, so that a name far below the last that exists costs no more hashes than that. A hash that is missing is asked of the
 * caller, who computes it without holding the lock and asks again.
 */
#ifndef RESOLVER_CACHE_GAPPROOF_H
#define RESOLVER_CACHE_GAPPROOF_H

#include "resolver/cache/denials.h"
#include "resolver/cache/gaps.h"

struct gap_question {
	struct name name;    /* at or below the zone; for DS below it, but for the root's */
	uint16_t type;
	uint32_t now_sec;
};

struct gap_proof {
	enum denied what;
	bool guess; /* as in struct denied_answer */
	struct gap *gap[3] BORROWED_FIELD; /* different ones */
	unsigned int gaps;
	unsigned int closest; /* DENIED_WILDCARD: labels of the closest encloser */
};

/* Hashes that were computed for one question under one zone and one set of parameters. */
struct gap_hashes {
	uint8_t salt[UINT8_MAX];
	uint8_t salt_len;
	uint16_t iterations;
	bool any;            /* parameters are set */
	uint8_t (*level)[NSEC3_HASH_OCTETS] ARENA_FIELD; /* of the zone's apex, of the name one label below it, ... */
	unsigned int levels; /* known */
	uint8_t star[NSEC3_HASH_OCTETS];
	bool star_known;
	unsigned int star_labels; /* of the closest encloser that it was computed for */
};

enum gap_need {
	GAP_DECIDED,      /* ret says what */
	GAP_NEEDS_LEVEL,  /* the hash of the next level */
	GAP_NEEDS_STAR,   /* the hash of "*" under the last star_labels labels of the name */
};

void gap_prove_nsec(struct gap_zone *z, const struct gap_question *q, struct gap_proof *ret) NONNULL;
/* h has the zone's parameters. *ret_labels: of GAP_NEEDS_STAR. */
enum gap_need gap_prove_nsec3(struct gap_zone *z, const struct gap_question *q, const struct gap_hashes *h, struct gap_proof *ret, unsigned int *ret_labels) NONNULL;
/* The parameters of the zone's NSEC3 gaps, with an h that is empty unless it was for the same; what the zone remembers goes into h, and the reverse. false: the zone has none. */
bool gap_hashes_sync(struct gap_zone *z, struct gap_hashes *h) NONNULL;

#endif
