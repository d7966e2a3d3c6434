/*
 * meddle.h: somebody between a server and the network, who changes what the server says: fuzz_resolve's rules (OP_MEDDLE) say which replies, and how.
 *
 * Two marks tell what must never be believed (tests/sim/world.h): addresses in 66.66.0.0/16 for what is out of bailiwick or comes from off the path. Where whoever changes a reply
 * may say what he likes (the zone's own unsigned data, a lying root) the marks are taken out of what the script wrote.
 */
#ifndef TESTS_FUZZ_MEDDLE_H
#define TESTS_FUZZ_MEDDLE_H

#include "tests/fuzz/script.h"
#include "tests/sim/run.h"
#include "tests/sim/signed.h"

enum meddle_action {
	MEDDLE_DROP,
	MEDDLE_DELAY,       /* argument: hundredths of a second */
	MEDDLE_TWICE,
	MEDDLE_CUT,         /* after so many octets */
	MEDDLE_TC,          /* and no records */
	MEDDLE_RCODE,
	MEDDLE_FLAGS,       /* AA, RA, AD, CD, Z, RD, TC: bits of the argument are turned over */
	MEDDLE_NO_SECTION,  /* which of three; bits */
	MEDDLE_NO_SET,      /* the n-th RRset goes */
	MEDDLE_NO_SIGS,
	MEDDLE_BAD_SIGS,    /* an octet of each signature (blob: place, change) */
	MEDDLE_TTL,         /* 0, 1, 60, a week, 2^31-1, 2^32-1 */
	MEDDLE_STUFF,       /* another top level's names, marked; argument: section */
	MEDDLE_RR,          /* blob: type (2), owner, rdata; argument: section */
	MEDDLE_REPLACE,     /* blob is the message; argument bit 0: with the right id and QR */
	MEDDLE_XOR,         /* blob: place (2), change, ... */
	MEDDLE_NEAR_MISS,   /* from off the path, marked, first; argument: in what it is wrong */
	MEDDLE_TRAIL,       /* blob is added at the end */
	MEDDLE_EDNS,        /* argument: none, version 1, two, small size, blob as options, rcode's upper bits */
	MEDDLE_RENAME,      /* argument: section; owners become another name of the zone */
	MEDDLE_ALIAS,       /* the answer is a CNAME to a name of zone (blob[0]); argument: template; blob[1] bit 0: and the rest stays */
	MEDDLE_DNAME,       /* likewise, at the zone */
	MEDDLE_REFER,       /* argument: self, up, sideways, down; blob: how many, names without glue in which zone */
	MEDDLE_RESIGN,      /* all sets are signed anew with the zone's keys, after the other changes */
	MEDDLE_REPLAY,      /* what was said before, with this id and question (argument bit 0: its own question) */
	MEDDLE_SWAP,        /* data, signatures or proofs of another name under this one */
	MEDDLE_ACTIONS
};

struct meddle_rule {
	const struct script_op *op BORROWED_FIELD;
	const struct model_zone *zone BORROWED_FIELD; /* NULL: all */
	uint32_t seen, done;
};

struct meddler {
	struct run *r BORROWED_FIELD;
	struct meddle_rule rules[SCRIPT_OPS];
	size_t count;
	const struct model_zone *const *zones BORROWED_FIELD; /* of the script; the root is first */
	size_t zone_count;
	bool trusting;  /* the root's replies are changed, or a forwarder's for everything: nothing is out of anybody's bailiwick */
	bool plain_case; /* use-caps-for-id is off */
	uint8_t routes;  /* script_routes.h */
	size_t before_n; /* the last reply, for MEDDLE_REPLAY */
	uint8_t before[1500];
};

void meddle_start(struct meddler *m) NONNULL; /* from now on replies go through it; it lives as long as the world */
void meddle_add(struct meddler *m, const struct script_op *op) NONNULL;
/* Is what this operation changes the root's? */
bool meddle_is_of_root(const struct script_op *op, size_t zone_count) NONNULL;
/* Now something comes from off the path to whoever waits for that server; it is wrong in one thing. False: nobody waits. */
bool meddle_forge(struct meddler *m, const struct model_server *v, unsigned int near_miss) NONNULL;

#endif
