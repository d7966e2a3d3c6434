/*
 * unsafe.h: VRPs that may make a good route invalid: those whose prefix overlaps resources of a CA whose publication point failed. What that CA would have authorised is missing, and
 * a VRP for the same addresses from elsewhere speaks alone. Who has all of IPv4 or IPv6 (a trust anchor) makes nothing unsafe by that. Routinator means the same by the word.
 *
 *   collect   unsafe_add, for each CA that failed
 *   seal      unsafe_seal: sorted, what overlaps is one
 *   ask       unsafe_has
 */
#ifndef RPKI_VALIDATE_UNSAFE_H
#define RPKI_VALIDATE_UNSAFE_H

#include "base/mem.h"
#include "rpki/object/resources.h"
#include "rpki/routes/payload.h"

enum unsafe_policy { UNSAFE_ACCEPT, UNSAFE_WARN, UNSAFE_REJECT }; /* in the order of conf's words */

struct payload_table;
struct unsafe;

void unsafe_free(struct unsafe *x) TAKES(1);
/* max: ranges of each family that are kept, 0: 1,000,000. NULL: out of memory. */
struct unsafe *unsafe_new(uint32_t max) OWNED_BY(unsafe_free);
DEFINE_AUTO(struct unsafe, unsafe_free)
/* r: effective, nothing inherits. ERR_NOMEM. Ranges past the limit are counted alone. */
RESULT unsafe_add(struct unsafe *x, const struct resources *r) NONNULL;
void unsafe_seal(struct unsafe *x) NONNULL;
bool unsafe_is_empty(const struct unsafe *x) NONNULL;
uint64_t unsafe_left_out(const struct unsafe *x) NONNULL;
bool unsafe_has(const struct unsafe *x, const struct vrp *v) NONNULL; /* sealed */

/* What is unsafe of a table: *ret_unsafe has it (NULL: nothing). With UNSAFE_REJECT *t is replaced by one without it. ERR_NOMEM: *t is as it was. */
RESULT unsafe_part(const struct unsafe *x, enum unsafe_policy policy, uint64_t generation, struct payload_table **t, struct payload_table **ret_unsafe) NONNULL;

#endif
