/*
 * attacks.h: what attacks.c and attacks_dnssec.c share (attack_kit.c): single questions about zones made to be dear, asked of a resolver with good weather, and bars that what they
 * cost must not pass.
 */
#ifndef TESTS_SIM_ATTACKS_H
#define TESTS_SIM_ATTACKS_H

#include "base/arena.h"
#include "dns/build.h"
#include "dns/rrset.h"
#include "tests/sim/run.h"

#define GUESTS 40

struct attack {
	struct run run;
	struct world_guest *guests[GUESTS] PARENT_FIELD;
	unsigned int guest_count;
	unsigned int passed, failed;
	unsigned int kind, drawn;
	bool verbose;
};

/* What guests say. */
struct name text_name(struct arena *a, const char *text) NONNULL;
bool put(struct builder *b, struct arena *a, enum msg_part part, struct name owner, uint16_t type, const struct span *rdata, size_t n, uint32_t ttl) NONNULL;
void put_address(struct builder *b, struct arena *a, enum msg_part part, struct name owner, const char *address) NONNULL;
void put_soa(struct builder *b, struct arena *a, struct name zone) NONNULL;
void no_such_name(struct builder *b, struct arena *a, struct name zone) NONNULL;
void put_alias(struct builder *b, struct arena *a, struct name owner, uint16_t type, struct name target) NONNULL;
/* A referral to n servers with a number between these words. Over UDP it may be too long: TC. */
void refer(struct builder *b, struct arena *a, struct name cut, unsigned int n, const char *before, unsigned int base, const char *after) NONNULL;
bool is_direct_child(struct name n, struct name zone);

/* The scene: a run is begun, gets its guests, is started, asked, and ended. */
void begin(struct attack *k, uint64_t seed) NONNULL;
void begin_signed(struct attack *k, uint64_t seed) NONNULL; /* with a signed root, and its anchor in the resolver */
void guest(struct attack *k, const char *zone, const char *address, world_reply_fn *fn) NONNULL;
void start(struct attack *k) NONNULL;
void end(struct attack *k) NONNULL;
uint64_t packets(const struct attack *k) NONNULL;
struct asked *ask(struct attack *k, const char *name, uint16_t type, unsigned int wait_ms) BORROWED;
/* Until it is answered, and what that leads to has been sent. */
void ask_and_wait(struct attack *k, const char *name) NONNULL;
/* What one question costs, everything that it leads to counted. */
uint64_t cost(struct attack *k, const char *name, struct asked **ret_asked) __attribute__((nonnull(1, 2)));
double seconds(const struct asked *q) NONNULL;
void bar(struct attack *k, const char *what, double value, double most) NONNULL;

/* Signed zones (attacks_dnssec.c): each has one key for its keys and one for all else. */
/* The RRs with `junk` signatures that do not verify, then, if wanted, the right one, made as if the set stood at `source`. */
void put_signed(struct attack *k, struct builder *b, struct arena *a, enum msg_part part, struct name zone, struct name owner, struct name source, uint16_t type,
    const struct span *rdata, size_t n, unsigned int junk, bool right) __attribute__((nonnull(1, 2, 3)));
void put_keys(struct attack *k, struct builder *b, struct arena *a, struct name zone) NONNULL;
void put_signed_soa(struct attack *k, struct builder *b, struct arena *a, struct name zone) NONNULL;
/* A guest with a DS in the root. */
void signed_guest(struct attack *k, const char *zone, const char *address, world_reply_fn *fn) NONNULL;

void attacks_on_validation(struct attack *k) NONNULL; /* attacks_dnssec.c */
void lies_told(struct attack *k) NONNULL;             /* lies.c */
void hijacks(struct attack *k) NONNULL;               /* hijacks.c */

#endif
