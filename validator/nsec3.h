/*
 * nsec3.h: NSEC3 records of one zone and the hashes of names under it (RFC 5155, RFC 9276). Each hash is computed once for a question and paid for from
 * a struct work before it is computed: many labels times many iterations is what CVE-2023-50868 is made of.
 */
#ifndef VALIDATOR_NSEC3_H
#define VALIDATOR_NSEC3_H

#include "dns/rrset.h"
#include "validator/work.h"

#define NSEC3_HASH_OCTETS 20 /* SHA-1, the only algorithm there is */

struct arena;
struct nsec3_hasher;

/* One for each thread: SHA-1 as libcrypto has it, fetched once. */
void nsec3_hasher_free(struct nsec3_hasher *h) TAKES(1);
struct nsec3_hasher *nsec3_hasher_new(void) OWNED_BY(nsec3_hasher_free); /* NULL: no memory, or a libcrypto without SHA-1 */
DEFINE_AUTO(struct nsec3_hasher, nsec3_hasher_free)

/* The hash of a name (RFC 5155 section 5). ERR_SYSTEM: libcrypto failed. */
RESULT nsec3_hash(struct nsec3_hasher *h, struct name name, struct span salt, unsigned int iterations, uint8_t ret_hash[NSEC3_HASH_OCTETS]) NONNULL;

struct nsec3 {
	uint8_t owner_hash[NSEC3_HASH_OCTETS];
	struct span next_hash; /* NSEC3_HASH_OCTETS */
	struct span types;
	bool opt_out;
	bool used; /* nsec3_match() or nsec3_cover() gave it */
	const struct rrset *set BORROWED_FIELD;
};

/* The hash that an NSEC3 record's owner in that zone stands for; false: it is no such name. */
bool nsec3_owner_hash(struct name owner, struct name zone, uint8_t ret_hash[NSEC3_HASH_OCTETS]);
/* The i-th record of a set, as far as it is one of this zone's: owner one label of base32hex directly under it, signatures of the zone, SHA-1, no unknown
 * flag. ERR_REFUSED: it is not. What is found borrows from rs. */
RESULT nsec3_read(const struct rrset *rs, size_t i, struct name zone, struct nsec3 *ret, struct span *ret_salt, unsigned int *ret_iterations) NONNULL;

struct nsec3_hashed; /* a name whose hash is known */

struct nsec3_zone {
	struct name zone;
	struct span salt;
	unsigned int iterations;
	bool mixed; /* records with different parameters: no proof (RFC 5155 section 8.2) */
	struct nsec3 *records ARENA_FIELD;
	size_t n;

	struct arena *arena BORROWED_FIELD;
	struct nsec3_hasher *hasher BORROWED_FIELD;
	struct work *work BORROWED_FIELD;
	struct nsec3_hashed *known ARENA_FIELD;
	unsigned int hashes; /* computed so far */
};

/* Hashes that are kept from one proof to the next of the same question, in its arena; zero to begin with. */
struct nsec3_memo {
	struct nsec3_hashed *known ARENA_FIELD;
	struct span salt;
	unsigned int iterations;
};
void nsec3_recall(struct nsec3_zone *z, const struct nsec3_memo *m) NONNULL; /* those of the same salt and iterations */
void nsec3_remember(const struct nsec3_zone *z, struct nsec3_memo *m) NONNULL;

/* Collects those of the sets that are NSEC3 records of this zone: owner one label of base32hex directly under it, SHA-1, no unknown flag. All others
 * are left out; no hash is computed. ERR_NOMEM. Everything borrowed lives as long as ret. */
RESULT nsec3_collect(const struct rrset *const *sets, size_t n, struct name zone, struct arena *a, struct nsec3_hasher *h, struct work *w,
    struct nsec3_zone *ret) NONNULL;
/* The record whose owner is the hash of name, or NULL in *ret. ERR_BUDGET: the hash was not paid for; ERR_NOMEM, ERR_SYSTEM. */
RESULT nsec3_match(struct nsec3_zone *z, struct name name, const struct nsec3 **ret) NONNULL;
/* The record whose span the hash of name is in, or NULL; one without opt-out when there is one. Errors as above. */
RESULT nsec3_cover(struct nsec3_zone *z, struct name name, const struct nsec3 **ret) NONNULL;

#endif
