/*
 * only.h: when a rule holds: the modifiers behind its "$" that ask for something. Lists are written with "|", "~" before an item negates it. A list holds when one of its
 * items does and none of the negated ones; with negated ones alone, when none of them does.
 *
 *   $denyallow=a|b           not for these names nor what is below them; without "~"
 *   $dnstype=A|TYPE65        for questions of these types; of both signs the negated ones are dropped, as others do
 *   $route=invalid|~valid    for addresses whose route is in one of these states (filter.h)
 *   $asn=64500|AS64512-65534 for addresses of these origins
 *   $address=192.0.2.0/24    for addresses in these prefixes
 */
#ifndef FILTER_ONLY_H
#define FILTER_ONLY_H

#include "filter/filter.h"

struct arena;
struct strbuf;

struct filter_range {
	uint32_t first, last;
	bool negated;
};
struct filter_ranges {
	struct filter_range *r ARENA_FIELD;
	size_t n;
};
struct filter_net {
	struct prefix p;
	bool negated;
};

struct filter_only {
	struct name *denyallow ARENA_FIELD; /* lower case, in canonical order */
	size_t denyallows;
	struct filter_ranges types;
	struct filter_ranges asn;
	struct filter_net *net ARENA_FIELD;
	size_t nets;
	uint32_t routes; /* a bit for each enum filter_route; 0: any */
};

/*
 * One modifier with its value. ERR_NOTFOUND: no such modifier. ERR_FORMAT: *ret_reason says what is wrong with it. ERR_NOMEM, also when the arena is at its limit.
 */
RESULT only_read(struct filter_only *o, struct span name, struct span value, struct arena *a, const char **ret_reason) NONNULL;
/* $address with one address alone. */
RESULT only_address(struct filter_only *o, const struct addr *address, struct arena *a) NONNULL;
/* As they are written, a comma between them: what only_read() reads as the same. Nothing when there are none. */
void only_print(const struct filter_only *o, struct strbuf *out) NONNULL;
/* o with all that it points to, in the arena; NULL: no memory. */
struct filter_only *only_copy(const struct filter_only *o, struct arena *a) IN_ARENA NONNULL;

bool only_is_empty(const struct filter_only *o) NONNULL;
bool only_asks_address(const struct filter_only *o) NONNULL; /* $route, $asn or $address */
bool only_asks_route(const struct filter_only *o) NONNULL;   /* $route or $asn */

/* type, as: what the name is asked for; the same twice but for targets (filter.h). */
bool only_holds_question(const struct filter_only *o, struct name n, uint16_t type, uint16_t as) NONNULL;
bool only_holds_address(const struct filter_only *o, const struct filter_address *a) NONNULL;

#endif
