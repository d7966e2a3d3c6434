/*
 * publication_truth.h: what libcrypto says about a product of the toy RPKI (publication.h): whether there is a way from the trust anchor to it on which every signature, time, resource,
 * revocation list and manifest allows it. It shares no code with what it judges.
 */
#ifndef TESTS_FUZZ_PUBLICATION_TRUTH_H
#define TESTS_FUZZ_PUBLICATION_TRUTH_H

#include "tests/fuzz/publication.h"

enum truth_kind { TRUTH_ROA, TRUTH_ASPA, TRUTH_ROUTER };

struct truth_product {
	enum truth_kind kind;
	struct span uri;
	uint32_t as;
	const struct ip_prefix *prefixes ARENA_FIELD; /* of a ROA */
	size_t n;
};

struct truth;
void truth_free(struct truth *t) TAKES(1);
/* states: the one that was looked at last, and before it (count - 1) those whose manifests may stand in for it, the newest first. key: the trust anchor's SubjectPublicKeyInfo. */
struct truth *truth_new(const struct pub_state *const *states, size_t count, const char *anchor, struct span key, int64_t now) OWNED_BY(truth_free) NONNULL;
DEFINE_AUTO(struct truth, truth_free)
/* For speed: what most states have. It lasts as long as the program. */
void truth_know(const struct pub_state *pristine, int64_t now) NONNULL;
/* NULL: it may be. Else what speaks against it, on the way that came furthest. */
const char *truth_excludes(struct truth *t, const struct truth_product *p) BORROWED NONNULL;

#endif
