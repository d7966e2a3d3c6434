/* validate_inside.h: what validate.c, links.c, turnwork.c and unsigned.c have of one another; no other file includes it. */
#ifndef RESOLVER_CORE_VALIDATE_INSIDE_H
#define RESOLVER_CORE_VALIDATE_INSIDE_H

#include "resolver/core/resolution.h"

/* turnwork.c */
uint32_t work_turn_left(const struct core *c) NONNULL;          /* thousandths of a unit */
uint32_t work_question_left(const struct resolution *q) NONNULL; /* of the question, and of all that wait for it on the same account */
bool work_turn_is_over(const struct core *c) NONNULL;           /* what is left of it is not worth starting with */
void work_charge(struct resolution *q, uint32_t spent) NONNULL;
void work_pause(struct resolution *q) NONNULL;                  /* it goes on in another turn (VALIDATE when there is a reply, else LOCATE), or fails */
/* A run was given so much, spent so much of it, and could not go on: it pauses, or fails. */
void work_is_out(struct resolution *q, uint32_t given, uint32_t spent) NONNULL;

/* links.c */
struct chain_env links_env(struct resolution *q, struct work *w) NONNULL;
const struct trust *links_known(void *user, struct name zone) BORROWED;
bool links_referral(void *user, struct name zone, const struct rrset *const **ret_sets, size_t *ret_n);
bool links_cut(void *user, struct name name, struct name *ret_zone);
void links_ask(struct resolution *q, const struct question *s) NONNULL; /* the judge wants to know */

/* unsigned.c */
bool unsigned_is_lost(struct resolution *q) NONNULL;    /* the reply lacks signatures that it should have: it is bogus */
bool unsigned_ask_others(struct resolution *q) NONNULL; /* another server is asked first, and the reply kept as a poor one */
bool unsigned_cut_end(struct resolution *q) NONNULL;    /* an unsigned end of a signed chain of aliases is left out, to be asked for by its name. False: out of memory */

/* validate.c: adds to sets that have room for so many. ERR_NOMEM. */
RESULT validate_put(struct resolution *q, struct scrub_sets *to, size_t room, const struct rrset *rs) NONNULL;

#endif
