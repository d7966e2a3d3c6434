/*
 * draft.h: an answer while it grows: three lists of RRsets in an arena. Whoever adds a set sees to it that it lives as long as the arena, or copies it in.
 */
#ifndef RESOLVER_CORE_DRAFT_H
#define RESOLVER_CORE_DRAFT_H

#include "dns/build.h"
#include "resolver/core/answer.h"

struct arena;

struct draft_part {
	struct answer_set *sets ARENA_FIELD;
	size_t count, cap;
};

#define NOTE_SPOILT "records of wrong form were left out" /* of the server's reply */

struct draft {
	const char *note BORROWED_FIELD; /* static text or in the arena: to be told as EDE_OTHER; NULL: none */
	bool bare;                 /* its last name is denied without a record that says so: whatever led there, the whole is not secure */
	struct draft_part part[3]; /* by enum msg_part - 1: answer, authority, additional */
};

void draft_clear(struct draft *d) NONNULL;
/* Adds a set unless one of that owner and type is there. ERR_NOMEM: the arena is full. */
RESULT draft_add(struct draft *d, struct arena *a, enum msg_part part, const struct rrset *rs, uint32_t ttl) NONNULL;
RESULT draft_add_copy(struct draft *d, struct arena *a, enum msg_part part, const struct rrset *rs, uint32_t ttl) NONNULL;
bool draft_has(const struct draft *d, enum msg_part part, struct name owner, uint16_t type) NONNULL;
/* Lays the parts out one behind the other and sets counts, ttl (the least) and security (the least); other fields stay. */
RESULT draft_finish(const struct draft *d, struct arena *a, struct answer *ret) NONNULL;

/* A copy of a whole answer: for another worker. */
RESULT answer_copy_in(struct arena *a, const struct answer *from, struct answer *ret) NONNULL;
void answer_add_ede(struct answer *a, uint16_t code, const char *text) __attribute__((nonnull(1)));

#endif
