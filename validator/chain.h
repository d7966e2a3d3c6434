/*
 * chain.h: the way from a trust anchor down to a zone (RFC 4035 section 5, RFC 6840). A step says what is known of the trust in a zone or which one
 * question must be answered first: the DS RRset of a name, or the DNSKEY RRset of a zone. Whoever walks asks it and steps again; the answers come back through
 * chain_known() and friends. No I/O and no state: what it finds out on the way it hands to learn().
 *
 * The walk to zone Z:  the anchor that encloses Z (or none, or insecure by configuration) -> the closest zone above Z whose trust matters: the signer of what the referral
 * to Z brought, or the deepest cut known above -> its trust, first -> the DS RRset of Z, or the proof that there is none, from the referral when it verifies, else by a
 * DS question -> the keys of Z by a DNSKEY question. Each step goes strictly towards the anchor, so it ends.
 */
#ifndef VALIDATOR_CHAIN_H
#define VALIDATOR_CHAIN_H

#include "validator/anchors.h"
#include "validator/denial.h"
#include "validator/ds.h"
#include "validator/signature.h"
#include "validator/trust.h"

/* How validation goes: from configuration; immutable. */
struct val_policy {
	struct algorithm_policy algorithms;
	struct key_limits keys;
	struct sig_limits signatures;
	struct denial_limits denials;
	uint32_t skew_min, skew_max;    /* seconds: val-sig-skew-min, -max */
	bool fixed_date, ignore_dates;  /* val-override-date */
	uint32_t date;                  /* with fixed_date: seconds since 1970 */
	bool stripped_is_bogus;         /* harden-dnssec-stripped */
	bool all_algorithms;            /* harden-algo-downgrade */
	uint32_t max_probes;            /* names that are asked for a DS on the search for an unsigned cut above one name */
};
#define VAL_MAX_PROBES 16u

/* Why a look-up or question on the way failed: it was bogus, or nobody answered. */
struct chain_failure {
	uint16_t ede;                    /* extended error of that question's answer */
	const char *text BORROWED_FIELD; /* or NULL */
};

/* What was verified of referrals, so that a walk that ran out of work does not verify it again. Empty to begin with; in the arena. */
struct chain_seen;
struct chain_memo {
	struct chain_seen *first ARENA_FIELD;
	const struct rrset *dnskeys BORROWED_FIELD; /* of the question: how far their verification got, with which keys allowed */
	const bool *vouched ARENA_FIELD;
	struct sig_progress progress;
};

struct chain_env {
	const struct val_policy *policy BORROWED_FIELD;
	const struct anchors *anchors BORROWED_FIELD;
	const struct ntas *ntas BORROWED_FIELD;
	int64_t wall;                    /* seconds since 1970: for negative anchors */
	struct sig_time time;            /* for signatures */
	struct nsec3_hasher *hasher BORROWED_FIELD;
	struct arena *arena BORROWED_FIELD;
	struct work *work BORROWED_FIELD;
	struct chain_memo *memo BORROWED_FIELD; /* of one question, kept from run to run; judge_run() brings its own. NULL: none */
	void *user BORROWED_FIELD;
	/* What is known of that very name as a zone; NULL: nothing. Good until the next call. */
	const struct trust *(*known)(void *user, struct name zone);
	/* What the referral to that zone brought beside NS and addresses: DS, NSEC, NSEC3 with their signatures. false: none is remembered. */
	bool (*referral)(void *user, struct name zone, const struct rrset *const **ret_sets, size_t *ret_n);
	/* The deepest zone cut that is remembered at or above name; false: not even the root. */
	bool (*cut)(void *user, struct name name, struct name *ret_zone);
	/* Did that question (type RR_DS or RR_DNSKEY), asked on behalf of this one, fail? */
	bool (*failed)(void *user, struct name name, uint16_t type, struct chain_failure *ret);
	/* A denial that was verified on the way, signed by zone; NULL: nobody keeps them. */
	void (*denied)(void *user, struct name zone, const struct rrset *rs);
	/* Was this SOA, NSEC or NSEC3 set, with the same records and signatures, found secure by zone's keys before? Then for how many seconds it still holds. NULL: nobody remembers. */
	bool (*verified)(void *user, struct name zone, const struct rrset *rs, uint32_t *ret_ttl);
	/* Keeps it; takes the reference. */
	void (*learn)(void *user, struct trust *t);
};

enum chain_what {
	CHAIN_KNOWN,   /* `trust` is set: any state but TRUST_DS */
	CHAIN_ASK,     /* the question `name`, `type` (RR_DS or RR_DNSKEY) must be answered first */
	CHAIN_BOGUS,   /* what there is does not validate, or the question for it failed: `ede`, `text` */
	CHAIN_WORK,    /* the work ran out: says nothing about the zone */
	CHAIN_NO_ROOM, /* out of memory, or libcrypto failed */
};
struct chain_step {
	enum chain_what what;
	struct trust *trust OWNED_FIELD; /* CHAIN_KNOWN: a reference, the caller's */
	struct name name;                /* CHAIN_ASK: in the arena, or of the question */
	uint16_t type;
	uint16_t ede;                    /* CHAIN_BOGUS */
	const char *text ARENA_FIELD;    /* CHAIN_BOGUS; names zone, key tag and record */
};
void chain_step_done(struct chain_step *s) NONNULL; /* gives the reference back */

/* The trust in `zone`, taken for a zone's name (a signer, or a delegation's). A name that turns out to be none: TRUST_NO_CUT or TRUST_NO_NAME. ret is initialised by it. */
void chain_zone(struct chain_env *e, struct name zone, struct chain_step *ret) NONNULL;
/* The same for a DNSKEY question about its own owner: ends one step earlier, with TRUST_DS (or TRUST_KEYS) when its anchor or its DS RRset is known. For
 * an anchor's own zone: TRUST_NO_CUT is never said, and *ret_anchor is set instead of a trust, with what = CHAIN_KNOWN and trust = NULL. */
void chain_zone_for_keys(struct chain_env *e, struct name zone, const struct anchor_zone **ret_anchor, struct chain_step *ret) NONNULL;
/* The zone that data at `owner` (type: of the question; DS belongs above the cut) must belong to when nothing signed says so: from the deepest known zone down, name
 * by name, until an unsigned cut is found or proven absent. CHAIN_KNOWN: TRUST_INSECURE or TRUST_NONE, or TRUST_KEYS: the data should have been signed. */
void chain_zone_of(struct chain_env *e, struct name owner, uint16_t type, struct chain_step *ret) NONNULL;

/* A DNSKEY RRset by what vouches for it: ds (validated) or anchor, the other NULL. ERR_REFUSED: bogus (ret->ede, ret->text); ERR_BUDGET, ERR_NOMEM. DONE:
 * ret->what is CHAIN_KNOWN with TRUST_KEYS, or TRUST_INSECURE when the anchor or DS has no algorithm that we follow; *ret_good is the report of the signature that counted. */
RESULT chain_keys(struct chain_env *e, const struct rrset *dnskeys, const struct rrset *ds, const struct anchor_zone *anchor, struct sig_report *ret_good,
    struct chain_step *ret) __attribute__((nonnull(1, 2, 5, 6)));

/* Parts that judge.c shares. What validated about a cut is kept through learn(), and is the step: TRUST_DS, or TRUST_INSECURE when nothing in it can be followed. */
void chain_learn_ds(struct chain_env *e, const struct rrset *ds, uint32_t ttl, struct chain_step *ret) NONNULL;
void chain_learn(struct chain_env *e, const struct trust *t) NONNULL; /* one more reference goes to learn() */
/* Why a set is not signed well by zone; why name is insecure under it; a name without its final dot. All are of bounded length; NULL: the arena is full. */
const char *chain_signature_text(struct chain_env *e, const struct rrset *set, struct name zone, const struct sig_report *r) IN_ARENA NONNULL;
const char *chain_insecure_text(struct chain_env *e, struct name name, struct name zone, enum denial why) IN_ARENA NONNULL;
const char *chain_name_text(struct arena *a, struct name n) IN_ARENA NONNULL;

#endif
