/*
 * denial.h: what a set of NSEC or NSEC3 records says about a question (RFC 4035 section 5.4, RFC 5155 section 8, RFC 6840 section 4, RFC 9276, RFC 9824).
 * The caller has verified the sets with keys of the zone and marked them SECURITY_SECURE; others are not looked at. What is not proven by them is
 * DENIAL_NOT_PROVEN: there is no doubt in favour of the answer. No state, no I/O.
 *
 * Words: the closest encloser is the longest ancestor of a name that exists; the next closer name is one label longer; the wildcard is "*" at the
 * closest encloser.
 */
#ifndef VALIDATOR_DENIAL_H
#define VALIDATOR_DENIAL_H

#include "dns/rrset.h"
#include "validator/work.h"

struct arena;
struct nsec3_hasher;
struct nsec3_memo;

enum denial {
	DENIAL_NOT_PROVEN = 0,
	DENIAL_PROVEN_NXDOMAIN,     /* neither the name nor a wildcard for it is there */
	DENIAL_PROVEN_NODATA,       /* the name exists, perhaps as an empty non-terminal, without this type; DS: it is no cut */
	DENIAL_WILDCARD_NODATA,     /* the wildcard for the name exists without this type */
	DENIAL_WILDCARD_ANSWER,     /* denial_prove_expansion(): nothing is closer to the name than the wildcard */
	DENIAL_NO_DS_INSECURE,      /* DS: a cut whose child is not signed */
	DENIAL_INSECURE_OPTOUT,     /* what there is at the next closer name is not signed, if there is anything (RFC 5155 section 6) */
	DENIAL_ITERATIONS_INSECURE, /* more iterations than allowed: the answer is insecure (RFC 9276 section 3.2), if not proven false */
	DENIAL_TOO_MUCH_WORK,       /* the work that was given did not suffice: says nothing about the zone */
	DENIAL_FAILED,              /* memory ran out or libcrypto failed: says nothing about the zone */
};

#define DENIAL_ITERATIONS 50      /* val-nsec3-keysize-iterations, for every key size */
#define DENIAL_ITERATIONS_CHECKED 150 /* up to so many, what does not prove anything is not believed either */
#define DENIAL_SETS 64            /* NSEC and NSEC3 sets that one proof may bring; eight are the most that one needs */

enum { /* RFC 8914; 0: nothing to say */
	DENIAL_EDE_NONE = 0,
	DENIAL_EDE_NSEC_MISSING = 12,
	DENIAL_EDE_ITERATIONS = 27,
};

struct denial_limits {
	unsigned int iterations; /* of NSEC3; above: DENIAL_ITERATIONS_INSECURE at best */
	size_t sets;             /* more of them: DENIAL_TOO_MUCH_WORK; 0: no limit */
	unsigned int iterations_checked; /* above `iterations` and up to this, proofs are looked at all the same: the wrong ones are DENIAL_NOT_PROVEN. Beyond, nothing is hashed */
};
#define DENIAL_LIMITS ((struct denial_limits){ DENIAL_ITERATIONS, DENIAL_SETS, DENIAL_ITERATIONS_CHECKED })

struct denial_proof { /* what is given */
	struct name zone;                 /* whose keys verified the sets */
	const struct rrset *const *sets BORROWED_FIELD; /* all of them; those of other types are passed over */
	size_t n;
	struct denial_limits limits;
	struct nsec3_hasher *hasher BORROWED_FIELD;
	struct work *work BORROWED_FIELD; /* of this question; hashes are charged to it */
	struct arena *arena BORROWED_FIELD; /* of this question */
	bool *used BORROWED_FIELD;          /* NULL, or one flag for each set, cleared: set for those that the verdict rests on */
	struct nsec3_memo *memo BORROWED_FIELD; /* NULL, or the hashes of this question */
};

struct denial_verdict {
	enum denial what;
	uint16_t ede;              /* INFO-CODE of RFC 8914 */
	const char *text BORROWED_FIELD; /* why, in a phrase; static */
	bool compact;              /* DENIAL_PROVEN_NXDOMAIN: by the record that matches the name, with which servers say NODATA (RFC 9824) */
	bool no_wildcard;          /* DENIAL_INSECURE_OPTOUT: the wildcard is denied too, as NXDOMAIN needs */
	unsigned int closest;      /* labels of the closest encloser, when one was found */
	unsigned int hashes;       /* NSEC3 hashes computed */
};

/* The proof for a question that got no data. name may be the target of an alias; then it is asked anew with its own zone. The caller compares the
 * verdict with the rcode: DENIAL_PROVEN_NXDOMAIN does not make NODATA wrong where it is compact. A DS question is the parent's:
 * zone is above name, unless both are the root. */
struct denial_verdict denial_prove(const struct denial_proof *p, struct name name, uint16_t type) NONNULL;
/* The proof that must come with an answer expanded from a wildcard (RFC 4035 section 5.3.4, RFC 5155 section 8.8): its RRSIG has `labels` labels, fewer than
 * name. DENIAL_WILDCARD_ANSWER, DENIAL_INSECURE_OPTOUT, or why not. */
struct denial_verdict denial_prove_expansion(const struct denial_proof *p, struct name name, unsigned int labels) NONNULL;
/* "NXDOMAIN", "no DS", ...: for logs and explanations. */
const char *denial_text(enum denial d) BORROWED;

#endif
