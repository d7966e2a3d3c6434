/*
 * filter.h: rules that block names, and answers by what is known of their addresses. Text of rules (rule.h) goes into a builder, a builder becomes a filter, and a filter
 * never changes: any thread reads it. Nothing here does I/O or knows the time.
 *
 * A rule holds for a name (its pattern, $denyallow), a question ($dnstype) and, when it has conditions on the answer ($route, $asn, $address), an address of the answer:
 * all conditions of one rule must hold for the same address. Who has a question calls filter_question() before it is resolved, and, unless that blocked it, filter_answer()
 * with what came: it judges the name of the question anew, together with what lies behind it.
 *
 *   class       exception and important > important > exception > plain; within one class the rule that was added first is told
 *   the chain   the name of the question and the targets of CNAME and DNAME, in order. An exception for a name covers that name and all that it leads to, the addresses
 *               among it; it does not undo a block of a name before it: nobody is let through for pointing at a name that is
 *   $dnstype    of the name of the question: its type. A target is met as CNAME and as the type of the question: a rule for types holds when it has one of
 *               both, a rule against types when it has neither
 *   addresses   a rule with conditions on the answer blocks or excepts single addresses, one blocked address blocks the answer; as an exception it undoes what
 *               such rules say of its address, and never the block of a name
 *   $asn        holds for no address whose origin is not known, negated or not
 */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include "base/addr.h"
#include "dns/name.h"

struct filter;
struct filter_builder;

/* --- making one */

/* What a builder takes, counted in what it has taken. 0: no limit. What goes beyond is refused rule by rule, with the limit as its reason, and counted as over_limit too. */
struct filter_limits {
	size_t rules;
	size_t patterns; /* rules that are not found by name but tried one by one ("*" within, no anchor): what a look-up costs */
	size_t octets;   /* memory for rules and their text */
	size_t line;     /* octets of a line */
	size_t told;     /* refused lines that are told one by one; the others are counted only */
};

struct filter_counts {
	uint64_t rules;      /* in the filter, with those below */
	uint64_t exceptions;
	uint64_t patterns;
	uint64_t conditions; /* with conditions on the answer */
	uint64_t refused;    /* lines (of a hosts line: names) that are no rule, and why was told while there was room */
	uint64_t over_limit; /* of these: because of a limit */
	uint64_t skipped;    /* cosmetic rules and names of the machine itself ("localhost"): of others' lists, not of ours */
	uint64_t disabled;   /* taken back by $badfilter */
	uint64_t duplicates; /* said before: kept once */
};

struct filter_refusal {
	const char *source BORROWED_FIELD;
	uint32_t line;
	struct span text;  /* of the line, without spaces around it; octets of others: may be anything */
	const char *reason BORROWED_FIELD;
};
typedef void filter_refused_fn(void *ctx, const struct filter_refusal *r);

void filter_builder_free(struct filter_builder *b) TAKES(1);
/* The key makes names of others collide by chance only. refused (NULL: nobody is told) is called from filter_add_text() and filter_add_rule(). NULL when out of memory. */
struct filter_builder *filter_builder_new(const struct filter_limits *limits, const struct hash_key *key, filter_refused_fn *refused, void *ctx)
	OWNED_BY(filter_builder_free) __attribute__((nonnull(1, 2)));
DEFINE_AUTO(struct filter_builder, filter_builder_free)
/* Lines of rules, hosts files and lists of names, mixed as they may be. What is no rule is refused and told, and the others are taken. ERR_NOMEM only. source: its name, for hits. */
RESULT filter_add_text(struct filter_builder *b, const char *source, struct span text) NONNULL;
/* One rule that was written by hand. ERR_FORMAT: it was refused, told and counted; an empty line and a comment are DONE. */
RESULT filter_add_rule(struct filter_builder *b, const char *source, uint32_t line, struct span text) NONNULL;

void filter_free(struct filter *f) TAKES(1);
/* Takes the builder, also when it fails: ERR_NOMEM. */
RESULT filter_build(struct filter_builder *b, struct filter **ret_filter) TAKES(1) NONNULL;
DEFINE_AUTO(struct filter, filter_free)
const struct filter_counts *filter_count(const struct filter *f) BORROWED NONNULL;
size_t filter_octets(const struct filter *f) NONNULL; /* memory that it holds */

/* --- asking it */

bool filter_is_empty(const struct filter *f) NONNULL;      /* it has no rule: all passes */
bool filter_wants_answers(const struct filter *f) NONNULL; /* some rule has a condition on addresses: filter_answer() needs them. Without: it judges the names only */
bool filter_wants_routes(const struct filter *f) NONNULL;  /* and some of these ask for route state or origin: the addresses need these facts */

/* What the RPKI says of the route to an address. The words of $route are those of filter_route_text(). */
enum filter_route {
	FILTER_ROUTE_VALID,
	FILTER_ROUTE_INVALID,
	FILTER_ROUTE_NOT_FOUND,
	FILTER_ROUTE_UNKNOWN,   /* no announced route, or no VRPs */
	FILTER_ROUTE_COVERED,   /* where no source of routes is configured: VRPs cover it */
	FILTER_ROUTE_UNCOVERED, /* likewise: none does */
	FILTER_ROUTE_AS0,       /* likewise: nobody may announce it */
	FILTER_ROUTES
};
const char *filter_route_text(enum filter_route r) BORROWED; /* "valid", "invalid", "not-found", "unknown", "covered", "uncovered", "as0" */

struct filter_address {
	struct addr addr;
	enum filter_route state; /* FILTER_ROUTE_UNKNOWN where filter_wants_routes() is false */
	uint32_t origin;         /* AS number; 0: not known */
	uint8_t excepted;        /* for filter_answer()'s own use; whatever it was before */
};

enum filter_verdict {
	FILTER_PASS,    /* no rule has a say */
	FILTER_ALLOWED, /* an exception has the last word */
	FILTER_BLOCKED
};

/* The rule that decided; for FILTER_PASS nothing is set but the verdict. What it points to is the filter's and the caller's. */
struct filter_hit {
	enum filter_verdict verdict;
	bool important;
	const char *rule BORROWED_FIELD;   /* its line, as it was written, without spaces around it */
	const char *source BORROWED_FIELD;
	uint32_t line;
	struct name name;                  /* of the question or the chain, for which it holds */
	const struct filter_address *address BORROWED_FIELD; /* for which its conditions hold; NULL: it has none */
};

/* By the rules without conditions on the answer. */
enum filter_verdict filter_question(const struct filter *f, struct name qname, uint16_t qtype, struct filter_hit *ret_hit) NONNULL;
/* names: at least that of the question, names[0]. addresses: all of the answer, its SVCB hints too; none when there are none, and when nobody wants them. */
enum filter_verdict filter_answer(const struct filter *f, const struct name *names, size_t name_count, uint16_t qtype, struct filter_address *addresses, size_t address_count,
    struct filter_hit *ret_hit) __attribute__((nonnull(1, 2, 7)));

#endif
