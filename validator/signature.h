/*
 * signature.h: whether an RRset is signed (RFC 4034 sections 3 and 6, RFC 4035 section 5.3, RFC 6840 sections 5.1 to 5.4). The checks that cost nothing
 * come first; only then is a signature verified, and only with keys of its tag and algorithm. All work is spent from a struct work, and the
 * numbers of signatures and keys that are tried are limited (CVE-2023-50387).
 */
#ifndef VALIDATOR_SIGNATURE_H
#define VALIDATOR_SIGNATURE_H

#include "validator/key.h"

struct arena;

/* The rdata of one RRSIG, looked at. */
struct rrsig {
	uint16_t type;       /* covered */
	uint8_t algorithm;
	uint8_t labels;      /* of the owner when it was signed, without root and "*" */
	uint32_t ttl;        /* original, seconds */
	uint32_t expiration; /* seconds since 1970, modulo 2^32 */
	uint32_t inception;
	uint16_t tag;
	struct name signer;  /* case as received */
	struct span fixed;   /* the octets before the signer's name */
	struct span signature;
};
RESULT rrsig_parse(struct span rdata, struct rrsig *ret) NONNULL; /* ERR_FORMAT */

/* What a signature is worth; of several, the best one counts, and else the highest number: it came nearest. */
enum sig_verdict {
	SIG_MISSING,     /* there is none that covers the type */
	SIG_FORMAT,      /* malformed */
	SIG_SIGNER,      /* its signer is not a zone that can hold the RRset, or not the one asked for */
	SIG_LABELS,      /* more labels than the owner has, or fewer than its signer (RFC 4035 section 5.3.1; no such signature can be) */
	SIG_ALGORITHM,   /* not validated */
	SIG_DATES,       /* expires before it begins */
	SIG_EXPIRED,
	SIG_NOT_YET,
	SIG_NO_KEY,      /* the zone has no key of that tag and algorithm, or not among the allowed ones */
	SIG_KEY_FAULT,   /* it has, but the key cannot be used: report names the fault */
	SIG_BAD,         /* does not verify */
	SIG_GOOD,
};
uint16_t sig_verdict_ede(enum sig_verdict v);              /* extended error (RFC 8914); EDE_BOGUS when there is no closer one */
const char *sig_verdict_text(enum sig_verdict v) BORROWED; /* for messages */

/* Time for signatures: CLOCK_REALTIME, and how far it may be off: a tenth of the signature's life within these bounds (val-sig-skew-min, -max). */
struct sig_time {
	uint32_t now; /* seconds since 1970, modulo 2^32 (RFC 1982 arithmetic) */
	uint32_t skew_min;
	uint32_t skew_max;
	bool ignore;  /* dates are not checked (val-override-date: -1) */
};
#define SIG_SKEW_MIN 3600
#define SIG_SKEW_MAX 86400

/* All that can be said without a key: SIG_GOOD when nothing speaks against it. */
enum sig_verdict rrsig_check(const struct rrsig *sig, const struct rrset *set, const struct sig_time *time) NONNULL;
/* Whether the owner has been made from a wildcard (labels fewer than the owner's); then its source, "*." and the closest encloser. A denial of
 * the owner itself is needed too (RFC 4035 section 5.3.4). false: ret is untouched. Only for a signature that passed rrsig_check. */
bool rrsig_wildcard(const struct rrsig *sig, const struct rrset *set, struct name_buf *ret_source) NONNULL;
/* How long the RRset may be kept: at most its TTL, the original one, and what is left of the signature's life, skew included
 * (RFC 4035 section 5.3.3). Seconds. */
uint32_t rrsig_ttl(const struct rrsig *sig, const struct rrset *set, const struct sig_time *time) NONNULL;

/* An RRset's rdata in canonical form and order, without duplicates: made once, used for each of its signatures. */
struct canonical {
	struct span *rdata ARENA_FIELD;
	size_t count;
	size_t octets; /* of all */
};
RESULT canonical_make(struct arena *a, const struct rrset *set, struct canonical *ret) NONNULL; /* ERR_NOMEM */
/* Verifies one signature with one key. DONE: good. ERR_REFUSED: bad. ERR_BUDGET, ERR_NOMEM. sig has passed rrsig_check. */
RESULT rrsig_verify(const struct rrsig *sig, const struct rrset *set, const struct canonical *data, const struct key *key, struct arena *a,
    struct work *work) NONNULL;

#define SIG_MAX_SIGNATURES 8 /* verified for one RRset */
#define SIG_MAX_SAME_TAG 4   /* keys tried for one signature */
#define SIG_MAX_FAILURES 8   /* verifications of one RRset that may fail */

struct sig_limits {
	uint16_t max_signatures;
	uint16_t max_same_tag;
	uint16_t max_failures;
};
#define SIG_LIMITS ((struct sig_limits){ SIG_MAX_SIGNATURES, SIG_MAX_SAME_TAG, SIG_MAX_FAILURES })

struct sig_report {
	enum sig_verdict verdict;
	uint16_t ede;         /* when the verdict is not SIG_GOOD */
	uint16_t index;       /* of the signature that the verdict is about; 0 when there is none */
	uint16_t tag;         /* its key tag */
	uint8_t algorithm;
	uint8_t labels;
	enum key_fault fault; /* with SIG_KEY_FAULT */
	bool wildcard;        /* the owner was made from *ret_source of rrsig_wildcard() */
	uint32_t ttl;         /* with SIG_GOOD: rrsig_ttl() of the signature */
	bool limited;         /* signatures or keys were left untried because of the limits */
	uint16_t tried;       /* verifications made */
};

/* Whether set is signed by a key of the zone: one signature with one key is enough. allowed NULL: any of the keys that has no fault; else flags as
 * from ds_vouch() for keys, in their order (a DNSKEY RRset must be signed by a key that its parent names). The signer must be the
 * keys' owner. ERR_BUDGET and ERR_NOMEM say nothing about the RRset. */
RESULT rrset_verify(const struct rrset *set, const struct keyset *keys, const bool *allowed, const struct algorithm_policy *policy,
    const struct sig_time *time, const struct sig_limits *limits, struct arena *a, struct work *work, struct sig_report *ret)
    __attribute__((nonnull(1, 2, 5, 6, 7, 8, 9)));
/* How far a verification got whose work ran out, so that it can go on another turn. Zero to begin with; good for one set with one set of keys and flags. */
struct sig_progress {
	bool begun;
	size_t sig, key;        /* the next ones */
	uint16_t same;          /* keys tried for that signature */
	uint16_t verified;      /* signatures verified with a key at least */
	uint16_t failures;
	enum sig_verdict best;  /* of that signature so far */
	enum key_fault fault;
	struct sig_report report;
};
/* rrset_verify() that goes on where p says. With another result than ERR_BUDGET it is over. */
RESULT rrset_verify_on(const struct rrset *set, const struct keyset *keys, const bool *allowed, const struct algorithm_policy *policy,
    const struct sig_time *time, const struct sig_limits *limits, struct arena *a, struct work *work, struct sig_progress *p, struct sig_report *ret)
    __attribute__((nonnull(1, 2, 5, 6, 7, 8, 9, 10)));
/* Whether a DNSKEY RRset says itself that its i-th key is revoked: the key has the flag and signs the set (RFC 5011 section 2.1). As above. */
RESULT rrset_verify_revocation(const struct rrset *set, const struct keyset *keys, size_t i, const struct sig_time *time, struct arena *a,
    struct work *work, bool *ret_revoked) NONNULL;

#endif
