/*
 * obvious_denial.h: what records of NSEC and NSEC3 say about a question, by reading each of them against the sentences of RFC 4035 section 5.4, RFC 5155 section 8, RFC 6840
 * section 4 and RFC 9824, without an order and without stopping at the first. Nothing of validator/ is used but the names of its verdicts.
 */
#ifndef TESTS_UNIT_VALIDATOR_OBVIOUS_DENIAL_H
#define TESTS_UNIT_VALIDATOR_OBVIOUS_DENIAL_H

#include "dns/rrset.h"
#include "validator/denial.h"

struct obvious_denial {
	unsigned int may;  /* bit of each enum denial that the records, or some of them, say */
	bool contradict;   /* two of them speak about the same name: one that does not prove may stand before one that does */
};
struct obvious_denial obvious_denial(const struct rrset *const *sets, size_t n, struct name zone, struct name name, uint16_t type,
    const struct denial_limits *limits);
/* For an answer made from a wildcard whose signature has so many labels. */
struct obvious_denial obvious_expansion(const struct rrset *const *sets, size_t n, struct name zone, struct name name, unsigned int labels,
    const struct denial_limits *limits);
/* RFC 5155 section 5; the digits of base32hex. */
void obvious_nsec3_label(struct name name, struct span salt, unsigned int iterations, uint8_t ret_hash[20], char ret_text[33]);

#endif
