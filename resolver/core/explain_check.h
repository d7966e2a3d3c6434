/*
 * explain_check.h: the examination of single sets for explain.h: every signature with its own verdict, every DS with the key that it names, proofs with what they prove.
 */
#ifndef RESOLVER_CORE_EXPLAIN_CHECK_H
#define RESOLVER_CORE_EXPLAIN_CHECK_H

#include "resolver/core/explain.h"

/* What an examination works with. */
struct explain_tools {
	struct arena *arena BORROWED_FIELD;
	struct nsec3_hasher *hasher BORROWED_FIELD;
	const struct val_policy *policy BORROWED_FIELD;
	struct sig_time time;
	struct work work;
	bool out_of_work;
	unsigned int dates_good, dates_bad; /* signatures seen with dates of now, and others */
};

/* keys NULL: none are known. allowed: as in rrset_verify(). ERR_NOMEM. */
RESULT explain_set_make(struct explain_tools *t, const struct rrset *rs, uint32_t ttl, const struct keyset *keys, const bool *allowed, struct explain_set *ret)
    __attribute__((nonnull(1, 2, 6)));
/* The DNSKEY RRset of z with its links: keys, keyset, and which link names which key. The links have been read. ERR_NOMEM. */
RESULT explain_keys_make(struct explain_tools *t, const struct rrset *dnskeys, uint32_t ttl, const struct rrset *ds, const struct anchor_zone *anchor,
    struct explain_zone *z) __attribute__((nonnull(1, 2, 6)));
/* The links of z, from its DS RRset or its trust anchor. ERR_NOMEM. */
RESULT explain_links_make(struct explain_tools *t, const struct rrset *ds, const struct anchor_zone *anchor, struct explain_zone *z) __attribute__((nonnull(1, 4)));
/* A proof's sets; then, when all keys that it needs are known, what it proves about name and type (labels 0), or about the expansion of name by a signature of so many labels. */
RESULT explain_proof_make(struct explain_tools *t, const struct rrset *const *sets, size_t n, uint32_t ttl, const struct keyset *keys, struct explain_proof *ret)
    __attribute__((nonnull(1, 6)));
void explain_proof_judge(struct explain_tools *t, struct explain_proof *p, struct name zone, struct name name, uint16_t type) NONNULL;
void explain_proof_judge_expansion(struct explain_tools *t, struct explain_proof *p, struct name zone, struct name name, unsigned int labels) NONNULL;

#endif
