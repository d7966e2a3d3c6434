/*
 * rule.h: every rule of the RPKI's profiles that a checker can check, as one table: its name (RFC, section, and a word where a section has several), and
 * what is wrong when it is broken. A report collects what an object breaks: only the first rule on the way to routers, all of them for people. Rules
 * can be left out by name, for objects made under older RFCs.
 */
#ifndef RPKI_OBJECT_RULE_H
#define RPKI_OBJECT_RULE_H

#include "base/cursor.h"
#include "base/own.h"

struct arena;
struct strbuf;

#include "rpki/object/rules.def"

enum rule {
	RULE_NONE,
#define RULE(id, name, text) RULE_##id,
	RPKI_RULES(RULE)
#undef RULE
	RULE_COUNT,
};

const char *rule_name(enum rule r) BORROWED;                          /* "rfc6487#4.8.3"; several rows may share a name */
const char *rule_text(enum rule r) BORROWED;                          /* "no Authority Key Identifier" */
const char *rule_place(enum rule r, char room[64]) BORROWED NONNULL;  /* "RFC 6487 section 4.8.3" */

/* One rule that was broken. */
struct finding {
	enum rule rule;
	const char *detail ARENA_FIELD;    /* what the object says there, or NULL */
	const struct finding *next ARENA_FIELD;
};

#define RULE_WORDS ((RULE_COUNT + 63) / 64)
#define REPORT_MAX_FINDINGS 200 /* of one object, with their details; the rest is counted */

struct report {
	uint64_t ignored[RULE_WORDS];
	uint64_t broken[RULE_WORDS];
	struct arena *notes BORROWED_FIELD;         /* for findings; NULL: the first rule is all that is wanted */
	const struct finding *findings ARENA_FIELD; /* the newest first */
	size_t count;                               /* broken rules that are not ignored, each as often as it was met */
	enum rule first;                            /* RULE_NONE: none is broken */
	bool all;                                   /* go on after a broken rule */
};

/* For the way to routers: stops at the first broken rule. */
static inline void report_init(struct report *rep) { *rep = (struct report){ .first = RULE_NONE }; }
/* For people: collects all, in this arena, which outlives the report. */
void report_init_all(struct report *rep, struct arena *notes) NONNULL;
/* Leaves out the rules of these names, divided by commas. ERR_NOTFOUND: a name that no rule has (*ret_bad is where it begins). */
RESULT report_ignore(struct report *rep, const char *names, const char **ret_bad) NONNULL;

/* Notes a broken rule. True: the reader is to stop here. */
bool report_broken(struct report *rep, enum rule r) NONNULL;
bool report_broken_at(struct report *rep, enum rule r, const char *fmt, ...) PRINTF_LIKE(3, 4) __attribute__((nonnull(1, 3)));
static inline bool report_has(const struct report *rep, enum rule r) { return (rep->broken[r / 64] >> (r % 64) & 1) != 0; }
static inline bool report_good(const struct report *rep) { return rep->first == RULE_NONE; }
/* True when a rule of this name is broken. */
bool report_names(const struct report *rep, const char *name) NONNULL;
/* One line for each finding: "NAME: RFC 6487 section 4.8.3: no Authority Key Identifier". */
void report_print(const struct report *rep, const char *object, struct strbuf *out) NONNULL;

/* In a function that gives false when the reading is to stop. */
#define BROKEN(rep, rule) \
	do { \
		if (report_broken((rep), RULE_##rule)) \
			return false; \
	} while (0)
#define BROKEN_AT(rep, rule, ...) \
	do { \
		if (report_broken_at((rep), RULE_##rule, __VA_ARGS__)) \
			return false; \
	} while (0)
/* What cannot be read cannot be read on, ignored or not. */
#define UNREADABLE(rep, rule) \
	do { \
		report_broken((rep), RULE_##rule); \
		return false; \
	} while (0)

#endif
