/*
 * judge_inside.h: what the files of the judge share, and nobody else includes. judge.c: a judge's life, the verdict on the whole. judge_set.c: one set of the answer. judge_proof.c: what
 * NSEC and NSEC3 prove, wildcards, ways out of the zone. judge_denial.c: negative replies. A function says JUDGE_DONE when its part is settled; all else is passed up.
 */
#ifndef VALIDATOR_JUDGE_INSIDE_H
#define VALIDATOR_JUDGE_INSIDE_H

#include "validator/judge.h"
#include "validator/nsec3.h"

#define SIGNATURES_LOOKED_AT 32 /* of one set, for their signers */
#define SIGNERS_TRIED 4         /* of one set, and of one denial */
#define UNKNOWN_TTL 60          /* seconds, of what was learnt from others who did not say how long it holds */

struct signers { /* whose word was looked at already */
	struct name tried[SIGNERS_TRIED];
	unsigned int n;
};

struct seen { /* one set of the reply */
	const struct rrset *set BORROWED_FIELD;
	bool done;
	enum security security;          /* once done */
	uint16_t ede;
	const char *text ARENA_FIELD;
	struct name zone;                /* signer, or the zone that the verdict is about */
	struct rrset *good ARENA_FIELD;  /* SECURE: the copy with its TTL */
	struct rrset *trial ARENA_FIELD; /* of a denial: a copy that proofs are tried with before it is verified */
	struct name asked_zone;          /* of a denial: whether that zone could have signed it: `of_zone` */
	bool of_zone;
	unsigned int labels;             /* of the signature that counted */
	bool wildcard;                   /* expanded; proven once `expansion` says so */
	enum denial expansion;
	struct name source;
	/* While its signers are gone through. */
	unsigned int at;                 /* pass * SIGNATURES_LOOKED_AT + signature */
	struct signers signers;
	bool refuted;                    /* a zone that could have signed it did not: `report`, `by` */
	struct sig_report report;        /* the nearest */
	struct name by;
	struct sig_progress progress;    /* where work ran out */
	const struct keyset *keys BORROWED_FIELD; /* what with; only compared */
	uint16_t failed_ede;             /* the trust in a signer could not be found out */
	const char *failed_text ARENA_FIELD;
	struct name failed_zone;
};

struct judge {
	struct arena *arena PARENT_FIELD;
	struct judge_reply reply;
	struct seen *answer ARENA_FIELD;
	struct seen *authority ARENA_FIELD;
	size_t bad_denials;              /* NSEC and NSEC3 sets that did not verify */
	struct nsec3_memo hashes;
	struct seen negative;            /* the denial as one part; its set is NULL */
	bool way_out_done, way_out_learnt;
	struct chain_memo memo;
	struct question asked;
	unsigned int asked_in_vain;
	bool done;
	struct judgement out;
};

/* What one run has at hand. */
struct run {
	struct judge *j BORROWED_FIELD;
	struct chain_env *e BORROWED_FIELD;
	struct question ask;
};

struct proof { /* what a zone can deny with, and whose each is */
	struct denial_proof p;
	struct seen **of ARENA_FIELD;
	uint32_t ttl; /* the least of those that counted */
};

static inline bool is_denial(uint16_t type)
{
	return type == RR_NSEC || type == RR_NSEC3;
}

/* The name whose zone must hold data at owner: DS belongs above the cut. */
static inline struct name home_of(struct name owner, uint16_t type)
{
	return type == RR_DS ? name_parent(owner) : owner;
}

static inline bool is_zone(const struct trust *t)
{
	return t != NULL && t->state != TRUST_NO_CUT && t->state != TRUST_NO_NAME;
}

/* A zone might begin there, as the one above denies with too many iterations to be followed (RFC 9276 section 3.2). A signature of the one above says more. */
static inline bool is_guess(const struct trust *t)
{
	return t->state == TRUST_INSECURE && t->ede == EDE_NSEC3_ITERATIONS;
}

static inline bool is_about_time(enum sig_verdict v)
{
	return v == SIG_DATES || v == SIG_EXPIRED || v == SIG_NOT_YET;
}

static inline bool is_new(const struct signers *d, struct name signer)
{
	for (unsigned int i = 0; i < d->n; i++)
		if (name_equal(d->tried[i], signer))
			return false;
	return true;
}

/* --- judge.c */

/* What ERR_BUDGET and the other errors mean for a run. */
enum judge_what run_error(struct result r);
/* A chain that wants the very question that is judged: there is nothing to be had, so the step becomes CHAIN_BOGUS. */
void run_refuse_own_question(struct run *r, struct chain_step *s) NONNULL;
/* What cannot be settled now, with r->ask set for JUDGE_ASK; JUDGE_DONE: it can. */
enum judge_what run_halted(struct run *r, const struct chain_step *s) NONNULL;
/* Whether a zone that is known to begin between signer and name makes the signer's word there void. An anchor does so too. */
bool run_is_wrong_side(struct run *r, struct name name, unsigned int signer_labels) NONNULL;
/* The same of a signer whose keys are known, with the delegations that are remembered; they may need questions. */
enum judge_what run_check_side(struct run *r, struct name name, struct name signer, bool *ret_wrong) NONNULL;
/* An anchor encloses the name: it is neither insecure by configuration nor without any. */
bool run_is_in_island(struct run *r, struct name name) NONNULL;
/* Labels of the anchor, or of what else the configuration has, above the name: no zone above that speaks for it. */
unsigned int run_least_labels(struct run *r, struct name name) NONNULL;
/* Keeps what was proven of a name as a zone, unless configuration has a say about that very name. text may be NULL. */
enum judge_what run_learn(struct run *r, enum trust_state state, struct name zone, uint32_t ttl, uint16_t ede, const char *text) __attribute__((nonnull(1)));
/* A set that is settled may say where zones begin. */
enum judge_what run_learn_from_set(struct run *r, const struct seen *s) NONNULL;
/* The verdict on a part; text is in the arena, or NULL. */
void seen_settle(struct seen *s, enum security security, uint16_t ede, const char *text, struct name zone) __attribute__((nonnull(1)));
enum judge_what seen_settle_unsigned(struct run *r, struct seen *s, const struct trust *t) NONNULL; /* by what is known of a zone without keys */
enum judge_what seen_settle_secure(struct run *r, struct seen *s, struct name zone, uint32_t ttl) NONNULL;
enum judge_what seen_take_secure(struct run *r, struct seen *s) NONNULL; /* it came in as secure */
void seen_cap_ttl(struct seen *s, uint32_t ttl) NONNULL;

/* --- judge_set.c */

/* The sets of the answer, in order. *ret_stop: one is bogus. */
enum judge_what run_answer(struct run *r, bool *ret_stop) NONNULL;
/* With a signer's keys. JUDGE_DONE without s->done: they do not verify it, s->report says why. */
enum judge_what seen_try_keys(struct run *r, struct seen *s, struct name signer, const struct keyset *keys) NONNULL;
enum judge_what seen_settle_refuted(struct run *r, struct seen *s) NONNULL; /* bogus, as s->report and s->by say */

/* --- judge_proof.c */

/* A set of the authority section with the keys of zone; bad: settled as bogus, with the reason. */
enum judge_what seen_verify_beside(struct run *r, struct seen *s, struct name zone, const struct keyset *keys) NONNULL;
/* What the zone's records prove. labels: of a wildcard's signature, for an expansion; -1: a denial of name and type. */
enum judge_what run_prove(struct run *r, struct name zone, const struct keyset *keys, struct name name, uint16_t type, int labels, struct proof *ret,
    struct denial_verdict *ret_verdict) NONNULL;
bool run_brings_unsigned(const struct judge *j, bool soa) NONNULL; /* SOA, or else NSEC and NSEC3, without any signature */
/* s: an expanded set, or the denial. any: NSEC or NSEC3 of the zone came along. */
enum judge_what seen_settle_unproven(struct run *r, struct seen *s, struct name name, uint16_t type, struct name zone, bool any, const struct denial_verdict *v) NONNULL;
/* Insecure by opt-out or iterations. */
enum judge_what seen_settle_opted_out(struct run *r, struct seen *s, struct name name, struct name zone, const struct denial_verdict *v) NONNULL;
/* The proofs that expanded sets need. *ret_stop: one is missing. */
enum judge_what run_expansions(struct run *r, bool *ret_stop) NONNULL;
/* Of a reply that ends in an alias. */
enum judge_what run_way_out(struct run *r) NONNULL;

/* --- judge_denial.c */

/* The denial that a negative reply is. */
enum judge_what run_denial(struct run *r) NONNULL;

#endif
