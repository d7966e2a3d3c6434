/*
 * explain.h: why a question's answer is secure, insecure or bogus: the chain of trust as the caches have it, from the root (or the trust anchor) down to the zones of the answer,
 * each link examined anew with the validator's own parts. For the control socket: nothing is asked, nothing is remembered, and any thread whose epoch member is online may do it.
 * What the examination misses it names (`wanted`), so that whoever explains can ask for it and explain again.
 *
 * Glossary
 *   link     what leads from one zone to the next: the DS RRs (or the trust anchor) and the key that they name
 *   record   a set that answers, an alias on the way, or the proof that there is none
 *   verdict  of a zone: of the whole chain down to it; of a record: of it and of its zone
 */
#ifndef RESOLVER_CORE_EXPLAIN_H
#define RESOLVER_CORE_EXPLAIN_H

#include "dns/msg.h"
#include "resolver/cache/infra.h"
#include "resolver/core/answer.h"
#include "resolver/core/deleg.h"
#include "resolver/core/exposure.h"
#include "resolver/core/validation.h"
#include "validator/denial.h"
#include "validator/signature.h"

struct keycache;
struct rrcache;

#define EXPLAIN_WORK (4000u * WORK_UNIT) /* of one explanation: about a twentieth of a second */
#define EXPLAIN_SIGS 16                  /* signatures of a set that are shown */
#define EXPLAIN_RECORDS 16               /* aliases that are followed */
#define EXPLAIN_WANTED 32                /* questions that one explanation may name */
#define EXPLAIN_PROBES 8                 /* names between a zone and an unsigned set that are looked at for an unsigned cut */

struct explain_env {
	struct rrcache *rrcache PARENT_FIELD;
	struct rrcache *kept PARENT_FIELD;                /* answers that it does not keep: explain_keep.h; NULL: none */
	struct infra *infra PARENT_FIELD;
	struct keycache *keycache PARENT_FIELD;           /* NULL: none */
	const struct core_settings *settings SHARED_FIELD;
	const struct validation *validation SHARED_FIELD; /* NULL: nothing is validated */
	const struct route_view *routes BORROWED_FIELD;   /* NULL: nothing is known of them */
	const struct now *now BORROWED_FIELD;
};

enum explain_verdict { EXPLAIN_SECURE, EXPLAIN_INSECURE, EXPLAIN_INDETERMINATE, EXPLAIN_UNKNOWN, EXPLAIN_BOGUS };
const char *explain_verdict_text(enum explain_verdict v) BORROWED; /* "secure", ... */

/* What was found out about a zone or a record. */
struct explain_finding {
	enum explain_verdict verdict;
	uint16_t ede;                  /* 0: none fits */
	bool inherited;                /* it says no more than what was found above */
	const char *reason ARENA_FIELD; /* a sentence without its stop; NULL: nothing to say */
	const char *mend ARENA_FIELD;  /* what to do about it, in whole sentences; NULL: nothing */
};

struct explain_sig {
	bool readable;                 /* false: the rest is not set */
	bool tried;                    /* its verdict is final; false: no keys are known, or it is beyond the limits */
	uint16_t tag;
	uint8_t algorithm, labels;
	struct name signer;
	int64_t inception, expiration; /* seconds since 1970 */
	enum sig_verdict verdict;
	enum key_fault fault;          /* with SIG_KEY_FAULT */
};

struct explain_set {
	const struct rrset *rs ARENA_FIELD; /* a copy; NULL: there is none */
	uint32_t ttl;                  /* seconds left in the cache */
	struct explain_sig *sigs ARENA_FIELD;
	size_t sig_count;
	size_t best;                   /* index of the signature that counts; of no meaning when there is none */
	enum sig_verdict verdict;      /* of the best one; SIG_GOOD only with a key that verified it */
	bool tried;                    /* false: no keys to try it with are known */
};

enum explain_match {
	MATCH_UNTRIED,                 /* no DNSKEY RRset is known, or it may not be followed */
	MATCH_NO_KEY,                  /* no key has its tag and algorithm */
	MATCH_DIFFERS,                 /* one has, but it is another key */
	MATCH_FAULTY,                  /* it is that key, which cannot be used */
	MATCH_KEY,
};
const char *explain_match_text(enum explain_match m) BORROWED;

/* A DS RR, or an RR of a trust anchor: it names a key. */
struct explain_link {
	uint16_t type;                 /* RR_DS or RR_DNSKEY */
	bool readable;
	bool usable;                   /* algorithm and digest are validated, and no better digest stands beside it */
	uint16_t tag;
	uint8_t algorithm, digest_type; /* digest_type 0: a DNSKEY */
	enum explain_match match;
};

struct explain_key {
	uint16_t tag, flags;
	uint8_t algorithm;
	enum key_fault fault;
	bool named;                    /* by a link that may be followed */
};

struct explain_server {
	struct name name;              /* wire NULL: from the configuration, without a name */
	struct endpoint at;
	bool asked;                    /* something is known of it */
	uint32_t rtt_ms;
	uint16_t timeouts;             /* in a row */
	bool backoff;
	enum lame_kind lame;
	bool judged;                   /* route is set */
	struct route_verdict route;
};

struct explain_proof {
	struct explain_set *sets ARENA_FIELD; /* NSEC and NSEC3, SOA of negative answers */
	size_t n;
	bool judged;                   /* `what` says what they prove */
	enum denial what;
	bool compact;                  /* as in struct denial_verdict */
	const char *text BORROWED_FIELD; /* why, in a phrase; static, NULL when not judged */
};

#define EXPLAIN_TOP SIZE_MAX
struct explain_zone {
	struct name name;
	size_t parent;                 /* index of the zone above; EXPLAIN_TOP: none */
	struct explain_finding finding;

	bool cut_known;                /* source, cut_ttl, servers are set */
	enum deleg_source source;
	uint32_t cut_ttl;              /* 0: not of the cache */
	struct explain_server *servers ARENA_FIELD;
	size_t server_count;
	bool judged;                   /* guards and exposure are set */
	struct guard_counts guards;    /* of its servers */
	enum exposure exposure;

	enum anchor_kind config;       /* what trust anchors say at this name */
	struct name config_at;
	bool anchored;                 /* the anchor is its own: links are the anchor's */
	int64_t nta_until;             /* ANCHOR_NEGATIVE: seconds since 1970 */
	bool remembered;               /* the key cache has it: */
	enum trust_state trust;

	struct explain_link *links ARENA_FIELD;
	size_t link_count;
	struct explain_set ds;
	struct explain_proof no_ds;
	const char *ds_failure ARENA_FIELD, *key_failure ARENA_FIELD; /* why the question failed lately */
	struct explain_set dnskey;
	bool too_many_misses;          /* so many DS RRs have tags of keys and match none that they are not all tried */
	struct explain_key *keys ARENA_FIELD;
	size_t key_count;
	struct keyset *keyset OWNED_FIELD;
};

enum explain_kind { EXPLAIN_DATA, EXPLAIN_ALIAS, EXPLAIN_NODATA, EXPLAIN_NXDOMAIN, EXPLAIN_MISSING };
const char *explain_kind_text(enum explain_kind k) BORROWED;

struct explain_record {
	enum explain_kind kind;
	struct name name;              /* EXPLAIN_ALIAS of a DNAME: the name that is under it */
	uint16_t type;                 /* of the set; of what is missing: as asked */
	size_t zone;                   /* index; EXPLAIN_TOP: none is known */
	struct name target;            /* EXPLAIN_ALIAS; wire NULL: it would be too long (YXDOMAIN) */
	struct explain_set set;        /* EXPLAIN_DATA, EXPLAIN_ALIAS */
	bool expanded;                 /* from `source` */
	struct name source;
	struct explain_proof proof;    /* of a denial, or that nothing is closer than the wildcard */
	const char *failure ARENA_FIELD; /* EXPLAIN_MISSING: why the question failed lately */
	struct explain_finding finding;
};

struct explanation {
	struct arena *arena OWNED_FIELD;
	struct question q;
	int64_t wall;                  /* when, seconds since 1970 */
	struct explain_zone *zones OWNED_FIELD; /* a zone stands behind the one above it */
	size_t zone_count, zone_cap;
	struct explain_record records[EXPLAIN_RECORDS];
	size_t record_count;
	struct explain_finding finding; /* the whole: its `mend` has what is to be done for all of it */
	struct question wanted[EXPLAIN_WANTED];
	size_t wanted_count;
	bool clock;                    /* no signature has dates of now: the clock may be wrong */
	bool out_of_work;              /* some signatures were left untried */
};
/* What clients are told, beside which the explanation is shown. */
struct explain_told {
	bool told;                     /* false: no answer came in time */
	uint16_t rcode;
	enum security security;        /* of an answer that is no failure */
	struct ede ede[ANSWER_EDES];
	size_t ede_count;
	const char *why BORROWED_FIELD; /* of a failure; or NULL */
};

void explanation_free(struct explanation *x) TAKES(1);
DEFINE_AUTO(struct explanation, explanation_free)
/* NULL: out of memory, or libcrypto failed. */
struct explanation *explain_make(const struct explain_env *e, const struct question *q) OWNED_BY(explanation_free) NONNULL;

#endif
