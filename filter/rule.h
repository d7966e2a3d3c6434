/*
 * rule.h: one rule in AdGuard's syntax for DNS, read and printed.
 *
 *   ||name^      the name and all below it; *.name too
 *   |name^       this name; so is a line that is nothing but a name with a dot
 *   .name^       all below the name, not itself; ||*.name^ too
 *   other text   anchored by "||" (where a label starts), "|" (at the start), "^" or "|" (at the end), with "*" for any run of octets. Without anchors it holds wherever
 *                it is in a name: name$important does, and so does @@name
 *   * or nothing each name; only with a condition
 *   ||192.0.2.1^ each name with this address: $address=192.0.2.1
 *   @@           before it: an exception
 *   $a,b=c       behind it: modifiers: important, badfilter, and those of only.h. A rule with any other is none: what it was meant for is not known
 *
 * What is printed is one form for each rule, by which rules are compared: $badfilter takes back what has the same form.
 */
#ifndef FILTER_RULE_H
#define FILTER_RULE_H

#include "filter/only.h"
#include "filter/pattern.h"

struct arena;
struct strbuf;

enum rule_kind {
	RULE_NAME,    /* the name itself */
	RULE_SUBTREE, /* it and all below */
	RULE_BELOW,   /* all below */
	RULE_PATTERN,
	RULE_ANY,     /* each name */
};

struct filter_rule {
	enum rule_kind kind;
	bool exception;
	bool important;
	bool badfilter;
	struct name name;       /* of the first three kinds: lower case, not the root */
	struct pattern pattern; /* of RULE_PATTERN */
	struct filter_only *only ARENA_FIELD; /* NULL: no conditions */
	const char *text ARENA_FIELD; /* the line it came from; set by who keeps it, like the next two */
	const char *source ARENA_FIELD;
	uint32_t line;
	uint32_t next;          /* likewise: of those with the same hash */
};

/*
 * text: without spaces around it. ERR_FORMAT: *ret_reason says why it is none. ERR_NOMEM, also when the arena is at its limit. The rule lives in the arena, and not longer than text.
 */
RESULT filter_rule_read(struct span text, struct arena *a, struct filter_rule *ret_rule, const char **ret_reason) NONNULL;
/* A name alone, as lists and hosts files have it. One without a dot is none. */
RESULT filter_rule_read_name(struct span text, struct arena *a, struct filter_rule *ret_rule, const char **ret_reason) NONNULL;
/* $badfilter is not printed. */
void filter_rule_print(const struct filter_rule *r, struct strbuf *out) NONNULL;
/* r with all that it points to but text and source. ERR_NOMEM. */
RESULT filter_rule_copy(const struct filter_rule *r, struct arena *a, struct filter_rule *ret_rule) NONNULL;

bool filter_rule_asks_address(const struct filter_rule *r) NONNULL; /* it has conditions on the answer */

#endif
