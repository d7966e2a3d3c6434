/*
 * signer.h: signs RRsets for tests, with keys that are the same in each run and never used for anything else. What is signed is made by obvious.c, not by the
 * validator. Out of memory ends the program.
 */
#ifndef TESTS_UNIT_VALIDATOR_SIGNER_H
#define TESTS_UNIT_VALIDATOR_SIGNER_H

#include "dns/rrset.h"

struct signer;
void signer_free(struct signer *s) TAKES(1);
DEFINE_AUTO(struct signer, signer_free)
/* Algorithms 5, 7, 8, 10 (RSA, 1024 bits; three keys), 13 to 16. Another number is another key. */
struct signer *signer_new(uint8_t algorithm, uint16_t flags, unsigned int number) OWNED_BY(signer_free);
struct span signer_dnskey(const struct signer *s) NONNULL; /* rdata */
uint16_t signer_tag(const struct signer *s) NONNULL;
struct span signer_sign_in(struct arena *a, const struct signer *s, struct span data) NONNULL; /* in DNSSEC's form */

struct signer_how {
	struct name zone;
	uint32_t inception, expiration, ttl;
	int labels;   /* below 0: the owner's */
	uint16_t tag; /* 0: the key's */
};
struct span signer_rrsig_in(struct arena *a, const struct signer *s, const struct signer_how *how, const struct rrset *set) NONNULL; /* rdata */
/* A copy of the set with these signatures and no others; duplicates stay. */
struct rrset *signer_with_in(struct arena *a, const struct rrset *set, const struct span *sigs, size_t n) IN_ARENA;
struct rrset *signer_signed_in(struct arena *a, const struct signer *s, const struct signer_how *how, const struct rrset *set) IN_ARENA;

#endif
