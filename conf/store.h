/*
 * store.h: how a configuration lies in memory. Only conf/ sees this; others use conf.h.
 *
 * The words of all values stand one after the other in one pool, each with a NUL behind it. An item is one value that was given:
 * where its words begin, which option, where it was written. A clause has its items in the order of the file, and for each of its
 * options a slot with the numbers of its items. A value that was replaced by a later one stays in the items and is marked dead. Two
 * hundred thousand local-zone lines so cost their text and some 25 octets each.
 *
 * The values that a list has by default are items too, marked as such; they die when the first value is given.
 */
#ifndef CONF_STORE_H
#define CONF_STORE_H

#include "base/cursor.h"
#include "conf/conf.h"

#define STORE_DEAD 1u
#define STORE_DEFAULT 2u

struct conf_item {
	uint32_t text; /* in the pool */
	uint32_t line;
	uint16_t file; /* in the table of file names */
	uint16_t opt;
	uint8_t words;
	uint8_t flags;
};

struct conf_slot {
	uint32_t *items OWNED_FIELD; /* in the clause's items; of a scalar the last one only */
	uint32_t n, room;
	bool given;
	int64_t num; /* of a scalar: the number, default or given */
};

struct conf_clause {
	struct conf *conf PARENT_FIELD;
	enum conf_clause_kind kind;
	enum conf_opt first; /* option of slot 0 */
	struct conf_slot *slots OWNED_FIELD;
	size_t slot_count;
	struct conf_item *items OWNED_FIELD;
	uint32_t item_count, item_room;
	uint32_t line; /* where the clause begins */
	uint16_t file;
	bool given;
};

struct clause_list {
	struct conf_clause **v OWNED_FIELD;
	size_t n, room;
};

struct conf {
	char *pool OWNED_FIELD;
	size_t pool_n, pool_room;
	char **files OWNED_FIELD; /* names */
	size_t file_count, file_room;
	struct clause_list clauses[CLAUSE_KINDS];
};

/* An empty configuration: every single clause with its defaults. */
RESULT store_new(struct conf **ret) NONNULL;
RESULT store_copy(const struct conf *from, struct conf **ret) NONNULL;
RESULT store_file(struct conf *c, const char *name, uint16_t *ret) NONNULL; /* ERR_LIMIT: more files than UINT16_MAX */
const char *store_file_name(const struct conf *c, uint16_t file) BORROWED NONNULL;
/* The single clause of this kind, or a new one. */
RESULT store_clause(struct conf *c, enum conf_clause_kind k, struct conf_clause **ret) NONNULL;
/* Adds a word with its NUL to the pool. */
RESULT store_word(struct conf *c, struct span word, uint32_t *ret) NONNULL;
/* Adds a value. num is that of a scalar. */
RESULT store_item(struct conf_clause *cl, const struct conf_item *item, int64_t num) NONNULL;
/* Takes back what was added to the pool from `to` on; no item uses it. */
void store_rewind(struct conf *c, size_t to) NONNULL;
const struct conf_slot *store_slot(const struct conf_clause *cl, enum conf_opt o) BORROWED NONNULL;
const struct conf_item *store_get(const struct conf_clause *cl, enum conf_opt o, size_t i) BORROWED NONNULL; /* NULL: no such */
const char *store_text(const struct conf *c, uint32_t at) BORROWED NONNULL;

#endif
