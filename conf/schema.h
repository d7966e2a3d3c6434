/*
 * schema.h: the schema table as data: what clauses and options there are, and what each is. The rows are in schema.def,
 * clauses.def, enums.def and themes.def. Everything here is constant.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include "conf/conf.h"
#include "conf/value.h"

#define SCHEMA_RELOAD 1u  /* applied at a reload */
#define SCHEMA_LIST 2u    /* collects its values */
#define SCHEMA_NEEDED 4u  /* its clause is an error without it */
#define SCHEMA_NOT_YET 8u /* accepted, not used in this version */
#define SCHEMA_IGNORED 16u /* accepted, has no effect in Cairn */

#define SCHEMA_WORDS 3 /* most words of one value */

enum schema_theme {
#define THEME(id, kind, text) THEME_##id,
#include "conf/themes.def"
#undef THEME
	THEME_COUNT
};

struct schema_clause {
	const char *name BORROWED_FIELD;
	const char *doc BORROWED_FIELD;
	bool many;
};

struct schema_option {
	const char *name BORROWED_FIELD;
	const char *type BORROWED_FIELD;
	const char *dflt BORROWED_FIELD; /* NULL: none */
	const char *since BORROWED_FIELD;
	const char *unbound BORROWED_FIELD; /* as in schema.def */
	const char *doc BORROWED_FIELD;
	int64_t min, max;
	enum conf_clause_kind clause;
	unsigned int flags;
	unsigned int theme; /* with NOT_YET and IGNORED */
};

const struct schema_clause *schema_clause(enum conf_clause_kind k) BORROWED;
const struct schema_option *schema_option(enum conf_opt o) BORROWED;
const char *schema_theme_text(unsigned int theme) BORROWED; /* what happens instead */
/* The options of a clause are those from *ret_first on, in number as returned. */
size_t schema_clause_options(enum conf_clause_kind k, enum conf_opt *ret_first) NONNULL;
/* All options of the clause have one theme: then the clause as a whole is not used. */
bool schema_clause_unused(enum conf_clause_kind k);
/* The types of an option's words; their number is returned, 1 to SCHEMA_WORDS. */
size_t schema_types(enum conf_opt o, struct value_type types[SCHEMA_WORDS]) NONNULL;

/* Look-up by name, Unbound's further names included. Made once for each reading of a file. */
struct schema_index;
void schema_index_free(struct schema_index *x) TAKES(1);
struct schema_index *schema_index_new(void) OWNED_BY(schema_index_free);
DEFINE_AUTO(struct schema_index, schema_index_free)
/* False when the clause has no such option. */
bool schema_find(const struct schema_index *x, enum conf_clause_kind k, struct span name, enum conf_opt *ret) NONNULL;
/* The first clause that has an option of this name. */
bool schema_find_any(const struct schema_index *x, struct span name, enum conf_opt *ret) NONNULL;
bool schema_find_clause(struct span name, enum conf_clause_kind *ret) NONNULL;
/* Types of an option's words, from the index. */
size_t schema_index_types(const struct schema_index *x, enum conf_opt o, const struct value_type **ret_types) NONNULL;
/* The known spelling that is nearest to name, with options of clause k first (CLAUSE_KINDS: none), or NULL when nothing is near. */
const char *schema_nearest(enum conf_clause_kind k, struct span name) BORROWED;

#endif
