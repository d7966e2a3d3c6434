/*
 * changes.h: announcements and withdrawals in the order in which a router hears them, and the table that they make of another. It tells what may not be: an
 * announcement of what is there, a withdrawal of what is not (RFC 8210 section 12, codes 7 and 6).
 */
#ifndef RPKI_ROUTES_CHANGES_H
#define RPKI_ROUTES_CHANGES_H

#include "rpki/routes/table.h"

struct payload_changes;

enum changes_fault { CHANGES_SOUND, CHANGES_DUPLICATE, CHANGES_UNKNOWN };

struct changes_problem {
	enum changes_fault fault;
	enum payload_kind kind;
	/* Of the kind that it is: */
	struct vrp vrp;
	struct router_key key; /* its spki is that of the changes: good as long as they are */
	uint32_t customer;
};

void changes_free(struct payload_changes *c) TAKES(1);
/* limits may be NULL; they count changes. */
struct payload_changes *changes_new(const struct table_limits *limits) OWNED_BY(changes_free);
DEFINE_AUTO(struct payload_changes, changes_free)
/* ERR_RANGE: not sound; ERR_LIMIT; ERR_NOMEM. Withdrawn ASPAs have no providers. */
RESULT changes_add_vrp(struct payload_changes *c, bool announce, const struct vrp *v) NONNULL;
RESULT changes_add_key(struct payload_changes *c, bool announce, const struct router_key *k) NONNULL;
RESULT changes_add_aspa(struct payload_changes *c, bool announce, const struct aspa_payload *a) NONNULL;
size_t changes_count(const struct payload_changes *c) NONNULL;
/*
 * The table that they make of base (NULL: of nothing), as generation. An announced ASPA takes the place of the customer's former one. ERR_FORMAT: *ret_problem says
 * which change may not be; ERR_NOMEM. Sorts the changes; they can be applied again.
 */
RESULT changes_apply(struct payload_changes *c, const struct payload_table *base, uint64_t generation, struct changes_problem *ret_problem,
    struct payload_table **ret_table) __attribute__((nonnull(1, 4, 5)));

#endif
