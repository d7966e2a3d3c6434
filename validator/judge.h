/*
 * judge.h: the verdict on one reply (RFC 4035 section 5): each RRset of the answer on its own merits, wildcard expansions with their proofs, denials of existence.
 * It is a state machine without I/O: judge_run() goes as far as it can and says which question must be answered before it can go on.
 *
 * "No such name" that comes with the proof of "no such data" is judged by its proof: denial says which it is.
 *
 * What is verified is verified once: a judge remembers its verdicts between runs, sets that come in as SECURITY_SECURE are not looked at again, and keys come from chain.h.
 */
#ifndef VALIDATOR_JUDGE_H
#define VALIDATOR_JUDGE_H

#include "dns/msg.h"
#include "validator/chain.h"

enum judge_kind {
	JUDGE_ANSWER,   /* the RRset asked for at `final`, behind aliases or not */
	JUDGE_ALIAS,    /* aliases only: they end at `final`, about which nothing is said */
	JUDGE_NODATA,   /* perhaps behind aliases: `final` has no such type */
	JUDGE_NXDOMAIN, /* perhaps behind aliases: `final` does not exist */
};

struct judge_reply {
	struct name name;   /* asked for */
	uint16_t type;
	enum judge_kind kind;
	struct name final;
	struct name zone;   /* whose servers answered, as the delegation has it; for a forwarder the name it serves */
	const struct rrset *const *answer BORROWED_FIELD; /* in order: an alias before what it leads to; CNAMEs worked out from a DNAME follow it */
	size_t answers;
	const struct rrset *const *authority BORROWED_FIELD; /* SOA, NSEC, NSEC3; also NS and others */
	size_t authorities;
};

struct judged_set {
	struct rrset *rs ARENA_FIELD; /* a copy with its security and with its TTL capped by the signature's life; NULL: to be left out of the reply
	                                 (unsigned data beside a secure answer, proofs that do not verify or prove nothing) */
	struct name source;           /* it was expanded from this wildcard; labels 0 and wire NULL: it was not */
};

struct judgement {
	enum security security;       /* SECURE, INSECURE, INDETERMINATE or BOGUS */
	uint16_t ede;                 /* BOGUS: why; INSECURE: 1, 2 or 27, or 0 */
	const char *text ARENA_FIELD; /* names the zone, key tag and record; NULL: none */
	struct name zone;             /* the zone that the verdict is about: the signer, or the deepest that is known */
	enum denial denial;           /* of negative replies and expansions that were proven */
	struct judged_set *answer ARENA_FIELD;    /* as in the reply, one for one */
	struct judged_set *authority ARENA_FIELD;
};

enum judge_what {
	JUDGE_DONE,    /* `judgement` is there */
	JUDGE_ASK,     /* the question ret_ask must be answered; then run again */
	JUDGE_WORK,    /* this run's work is spent: run again in another turn with new work; when there is none left, the question fails without a verdict */
	JUDGE_NO_ROOM, /* out of memory, or libcrypto failed: no verdict */
};

struct judge; /* in an arena */
/* The reply, and all that it points to, stay until the judge is no longer used. NULL: the arena is full. */
struct judge *judge_new(struct arena *a, const struct judge_reply *r) IN_ARENA NONNULL;
/* e->arena is the judge's own; e may be another one at each run. What is learnt on the way (DS RRsets, keys, names that are no cuts) goes to e->learn(). */
enum judge_what judge_run(struct judge *j, struct chain_env *e, struct question *ret_ask) NONNULL;
const struct judgement *judge_judgement(const struct judge *j) BORROWED NONNULL; /* after JUDGE_DONE */

#endif
