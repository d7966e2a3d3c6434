/*
 * conf.h: one configuration, read once and never changed: a reload reads a new one and publishes it. Made from the schema table
 * (schema.def: one row an option), which also makes the defaults, the man page and --check-config.
 *
 * Ids: OPT_<OPTION> for the server: clause (OPT_DO_IP4), OPT_<CLAUSE>_<OPTION> for the others (OPT_STUB_ZONE_STUB_ADDR), in
 * capitals and with '-' as '_'. Clauses that may be given several times (stub-zone:, forward-zone:, view:, ...) stand in file
 * order; server: and the other single ones are merged from all their places, a later scalar replacing an earlier one, lists
 * growing.
 *
 * How a file becomes this: conf/lex.h cuts it into words, conf/parse.h gives the words to options and checks them by conf/value.h,
 * and looks over the whole at the end. conf/schema.h is the table as data.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/own.h"

struct conf;
struct conf_clause;
struct endpoint;
struct prefix;
struct strbuf;

enum conf_clause_kind {
#define CLAUSE(id, name, many, doc) CLAUSE_##id,
#include "conf/clauses.def"
#undef CLAUSE
	CLAUSE_KINDS
};

enum conf_opt {
#define OPTION(id, clause, name, type, min, max, dflt, flags, since, unbound, doc) OPT_##id,
#include "conf/schema.def"
#undef OPTION
	OPT_COUNT
};

/* The words of enumerations: CONF_ACL_ALLOW, CONF_LOCAL_STATIC, ... All different from each other and from 0. */
enum conf_enum_word {
	CONF_WORD_NONE,
#define ENUM_WORD(set, id, word) CONF_##set##_##id,
#include "conf/enums.def"
#undef ENUM_WORD
	CONF_WORD_COUNT
};

void conf_free(struct conf *c) TAKES(1);
/* Reads path ("-" is standard input; NULL: the built-in default configuration). Everything that is wrong or worth a warning is
 * added to report, one line each, "FILE:LINE: error|warning: OPTION: found X, expected Y". ERR_FORMAT when there was an error.
 * report may be NULL. */
RESULT conf_load(const char *path, struct strbuf *report, struct conf **ret_conf);
/* The same, with how many of each there were; written also on failure. */
struct conf_counts {
	uint32_t errors, warnings;
};
RESULT conf_load_counted(const char *path, struct strbuf *report, struct conf_counts *ret_counts, struct conf **ret_conf);
/* The same, but *ret_conf is given on ERR_FORMAT too: what could be read, for further checks only. */
RESULT conf_load_partly(const char *path, struct strbuf *report, struct conf_counts *ret_counts, struct conf **ret_conf);
/* The same from text; origin names it in messages. */
RESULT conf_load_text(const char *text, const char *origin, struct strbuf *report, struct conf **ret_conf);
DEFINE_AUTO(struct conf, conf_free)

/* Always there, with defaults when the file has no such clause. */
const struct conf_clause *conf_server(const struct conf *c) BORROWED NONNULL;
const struct conf_clause *conf_single(const struct conf *c, enum conf_clause_kind k) BORROWED NONNULL;
size_t conf_clause_count(const struct conf *c, enum conf_clause_kind k) NONNULL;             /* as given in the file */
const struct conf_clause *conf_clause(const struct conf *c, enum conf_clause_kind k, size_t i) BORROWED NONNULL;

/* Scalars: the value given last, or the default. Times are in the option's unit as documented in schema.def, sizes in octets. */
bool conf_bool(const struct conf_clause *c, enum conf_opt o) NONNULL;
int64_t conf_int(const struct conf_clause *c, enum conf_opt o) NONNULL;        /* numbers, sizes ("4m"), times, enumerations */
const char *conf_text(const struct conf_clause *c, enum conf_opt o) BORROWED NONNULL; /* NULL: not given and no default */
bool conf_given(const struct conf_clause *c, enum conf_opt o) NONNULL;         /* it stands in the file */

/* Lists: each value given, in order; a value with several parts ("NAME TYPE") is asked for word by word (quotes removed). A list
 * that was not given has the values of its default. */
size_t conf_count(const struct conf_clause *c, enum conf_opt o) NONNULL;
const char *conf_item(const struct conf_clause *c, enum conf_opt o, size_t i) BORROWED NONNULL; /* its first word */
/* NULL past the last */
const char *conf_word(const struct conf_clause *c, enum conf_opt o, size_t i, size_t word) BORROWED NONNULL;
/* Place of item i among all values of the clause: orders the items of lists that are read together (outgoing-port-permit and
 * -avoid). */
size_t conf_order(const struct conf_clause *c, enum conf_opt o, size_t i) NONNULL;
/* Where item i (or the scalar, i = 0) was written, for messages: "FILE:LINE". Good until this thread's next call of conf_where. */
const char *conf_where(const struct conf_clause *c, enum conf_opt o, size_t i) BORROWED NONNULL;

/* Words as values. Each word was checked when it was read, so these fail only where said. */
int64_t conf_word_int(const struct conf_clause *c, enum conf_opt o, size_t i, size_t word) NONNULL; /* numbers, enumerations */
RESULT conf_word_prefix(const struct conf_clause *c, enum conf_opt o, size_t i, size_t word, struct prefix *ret) NONNULL;
/* "ADDRESS[@PORT][#NAME]", also of options that allow names: ERR_FORMAT when it is the name of a host or interface, or a path. */
RESULT conf_word_endpoint(const struct conf_clause *c, enum conf_opt o, size_t i, size_t word, uint16_t default_port,
    struct endpoint *ret) NONNULL;

/* By name, for get_option and set_option. set checks as the reader does; the new configuration shares nothing with the old one. A
 * scalar is replaced, a list gets one more value. ERR_NOTFOUND: no such option in a clause that exists once. */
RESULT conf_print_option(const struct conf *c, const char *name, struct strbuf *out) NONNULL;
RESULT conf_with_option(const struct conf *c, const char *name, const char *value, struct strbuf *report, struct conf **ret_conf)
    __attribute__((nonnull(1, 2, 3, 5)));
/* The whole configuration as a file that reads back to the same. */
RESULT conf_print(const struct conf *c, struct strbuf *out) NONNULL;
/* Both say the same; where it was written does not count. */
bool conf_equal(const struct conf *a, const struct conf *b) NONNULL;

#endif
