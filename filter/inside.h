/* inside.h: a filter from within: shared by what builds it, what asks it, and its tests. */
#ifndef FILTER_INSIDE_H
#define FILTER_INSIDE_H

#include "filter/rule.h"

#define NO_RULE UINT32_MAX

/* Rules that are tried one by one, by their number, in the order they were added. */
struct filter_tried {
	uint32_t *rule OWNED_FIELD;
	size_t n;
};

/*
 * Rules with a name are found by it: the table has a slot for each hash, in it the number of the first such rule, which leads to the next one. Only suffixes of a name
 * with as many labels as some rule's name has are looked up.
 */
struct filter {
	struct arena *arena OWNED_FIELD; /* what the rules point to */
	struct filter_rule *rule OWNED_FIELD;
	size_t rules;
	uint32_t *slot OWNED_FIELD;
	size_t slots; /* a power of two */
	uint64_t labels[2]; /* bit n: some rule's name has n labels */
	struct filter_tried tried[2]; /* [1]: with conditions on addresses */
	bool named_conditions; /* some rule with a name has such conditions */
	bool wants_routes;
	struct hash_key key;
	struct filter_counts counts;
};

#endif
