#include "conf/store.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "conf/schema.h"

static void clause_free(struct conf_clause *cl) TAKES(1);
DEFINE_AUTO(struct conf_clause, clause_free)

static void clause_free(struct conf_clause *cl)
{
	if (cl == NULL)
		return;
	for (size_t i = 0; cl->slots != NULL && i < cl->slot_count; i++)
		mem_free(cl->slots[i].items);
	mem_free(cl->slots);
	mem_free(cl->items);
	mem_free(cl);
}

void conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (size_t k = 0; k < CLAUSE_KINDS; k++) {
		struct clause_list *l = &c->clauses[k];

		for (size_t i = 0; i < l->n; i++)
			clause_free(l->v[i]);
		mem_free(l->v);
	}
	for (size_t i = 0; i < c->file_count; i++)
		mem_free(c->files[i]);
	mem_free(c->files);
	mem_free(c->pool);
	mem_free(c);
}

/* Room for one more element, doubling. */
static RESULT grow(void **p, size_t n, size_t *room, size_t size, size_t least)
{
	size_t more = *room != 0 ? *room * 2 : least;

	if (n < *room)
		return DONE;
	TRY(mem_resize(p, *room, more, size));
	*room = more;
	return DONE;
}

static RESULT grow32(void **p, uint32_t n, uint32_t *room, size_t size, size_t least)
{
	size_t wide = *room;

	if (n >= UINT32_MAX / 4)
		return FAIL(ERR_LIMIT);
	TRY(grow(p, n, &wide, size, least));
	*room = (uint32_t)wide;
	return DONE;
}

RESULT store_word(struct conf *c, struct span word, uint32_t *ret)
{
	size_t at = c->pool_n, need = at + word.n + 1, room = c->pool_room != 0 ? c->pool_room : 1024;

	if (need > UINT32_MAX)
		return FAIL(ERR_LIMIT);
	while (room < need)
		room *= 2;
	if (room != c->pool_room) {
		TRY(mem_resize((void **)&c->pool, c->pool_room, room, 1));
		c->pool_room = room;
	}
	if (word.n != 0)
		memcpy(c->pool + at, word.p, word.n);
	c->pool[at + word.n] = '\0';
	c->pool_n = need;
	*ret = (uint32_t)at;
	return DONE;
}

void store_rewind(struct conf *c, size_t to)
{
	if (to < c->pool_n)
		c->pool_n = to;
}

const char *store_text(const struct conf *c, uint32_t at)
{
	return c->pool + at;
}

RESULT store_file(struct conf *c, const char *name, uint16_t *ret)
{
	AUTO_CHARS char *copy = NULL;

	if (c->file_count >= UINT16_MAX)
		return FAIL(ERR_LIMIT);
	TRY(grow((void **)&c->files, c->file_count, &c->file_room, sizeof(char *), 4));
	copy = mem_strdup(name);
	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	c->files[c->file_count] = MOVE(copy);
	*ret = (uint16_t)c->file_count++;
	return DONE;
}

const char *store_file_name(const struct conf *c, uint16_t file)
{
	return file < c->file_count ? c->files[file] : "default";
}

/* The number that a scalar has by default. The table's defaults are right; a test reads each. */
static int64_t default_number(enum conf_opt o)
{
	const struct schema_option *opt = schema_option(o);
	struct value_type types[SCHEMA_WORDS];
	struct value v;

	if ((opt->flags & SCHEMA_LIST) != 0 || opt->dflt == NULL || schema_types(o, types) != 1 ||
	    !value_read(&types[0], opt->dflt, &v))
		return 0;
	return v.num;
}

/* The default of a list: values separated by ", ". */
static RESULT default_list(struct conf_clause *cl, enum conf_opt o)
{
	const char *p = schema_option(o)->dflt;

	while (p != NULL && *p != '\0') {
		struct conf_item item = { .file = UINT16_MAX, .opt = (uint16_t)o, .words = 1, .flags = STORE_DEFAULT };
		const char *end = strstr(p, ", ");
		size_t n = end != NULL ? (size_t)(end - p) : strlen(p);

		TRY(store_word(cl->conf, span_of(p, n), &item.text));
		TRY(store_item(cl, &item, 0));
		p = end != NULL ? end + 2 : NULL;
	}
	return DONE;
}

/* A clause without values, not even defaults. */
static RESULT clause_bare(struct conf *c, enum conf_clause_kind k, struct conf_clause **ret)
{
	AUTO(clause_free) struct conf_clause *cl = mem_alloc(sizeof(*cl));

	if (cl == NULL)
		return FAIL(ERR_NOMEM);
	cl->conf = c;
	cl->kind = k;
	cl->slot_count = schema_clause_options(k, &cl->first);
	cl->slots = mem_alloc_array(cl->slot_count, sizeof(*cl->slots));
	if (cl->slots == NULL)
		return FAIL(ERR_NOMEM);
	*ret = MOVE(cl);
	return DONE;
}

static RESULT clause_new(struct conf *c, enum conf_clause_kind k, struct conf_clause **ret)
{
	AUTO(clause_free) struct conf_clause *cl = NULL;

	TRY(clause_bare(c, k, &cl));
	for (size_t i = 0; i < cl->slot_count; i++) {
		enum conf_opt o = (enum conf_opt)(cl->first + i);

		cl->slots[i].num = default_number(o);
		if ((schema_option(o)->flags & SCHEMA_LIST) != 0)
			TRY(default_list(cl, o));
	}
	*ret = MOVE(cl);
	return DONE;
}

RESULT store_clause(struct conf *c, enum conf_clause_kind k, struct conf_clause **ret)
{
	struct clause_list *l = &c->clauses[k];
	AUTO(clause_free) struct conf_clause *cl = NULL;

	if (l->n == 1 && !schema_clause(k)->many) {
		*ret = l->v[0];
		return DONE;
	}
	TRY(grow((void **)&l->v, l->n, &l->room, sizeof(struct conf_clause *), 1));
	TRY(clause_new(c, k, &cl));
	l->v[l->n] = MOVE(cl);
	*ret = l->v[l->n++];
	return DONE;
}

RESULT store_new(struct conf **ret)
{
	AUTO(conf_free) struct conf *c = mem_alloc(sizeof(*c));
	struct conf_clause *cl;

	if (c == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t k = 0; k < CLAUSE_KINDS; k++) {
		if (!schema_clause((enum conf_clause_kind)k)->many)
			TRY(store_clause(c, (enum conf_clause_kind)k, &cl));
	}
	*ret = MOVE(c);
	return DONE;
}

static struct conf_slot *slot_of(struct conf_clause *cl, enum conf_opt o) BORROWED;
static struct conf_slot *slot_of(struct conf_clause *cl, enum conf_opt o)
{
	assert(o >= cl->first && (size_t)(o - cl->first) < cl->slot_count); /* an option is asked of its own clause */
	return &cl->slots[o - cl->first];
}

const struct conf_slot *store_slot(const struct conf_clause *cl, enum conf_opt o)
{
	assert(o >= cl->first && (size_t)(o - cl->first) < cl->slot_count);
	return &cl->slots[o - cl->first];
}

const struct conf_item *store_get(const struct conf_clause *cl, enum conf_opt o, size_t i)
{
	const struct conf_slot *s = store_slot(cl, o);

	return i < s->n ? &cl->items[s->items[i]] : NULL;
}

/* All values of a slot die: a scalar is replaced, or a list's defaults give way. */
static void slot_clear(struct conf_clause *cl, struct conf_slot *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		cl->items[s->items[i]].flags |= STORE_DEAD;
	s->n = 0;
}

RESULT store_item(struct conf_clause *cl, const struct conf_item *item, int64_t num)
{
	struct conf_slot *s = slot_of(cl, (enum conf_opt)item->opt);
	bool list = (schema_option((enum conf_opt)item->opt)->flags & SCHEMA_LIST) != 0;

	TRY(grow32((void **)&cl->items, cl->item_count, &cl->item_room, sizeof(*cl->items), 1));
	TRY(grow32((void **)&s->items, s->n, &s->room, sizeof(*s->items), 1));
	if ((item->flags & STORE_DEFAULT) == 0) {
		if (!list || !s->given)
			slot_clear(cl, s);
		s->given = true;
		s->num = num;
		cl->given = true;
	}
	s->items[s->n++] = cl->item_count;
	cl->items[cl->item_count++] = *item;
	return DONE;
}

/* A copy of n elements, with room for just these. *ret stays NULL when there are none. */
static RESULT dup(const void *from, size_t n, size_t size, void **ret)
{
	if (n == 0)
		return DONE;
	*ret = mem_dup(from, n * size);
	return *ret != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT clause_copy(struct conf *c, const struct conf_clause *from)
{
	struct clause_list *l = &c->clauses[from->kind];
	AUTO(clause_free) struct conf_clause *cl = NULL;

	TRY(clause_bare(c, from->kind, &cl));
	cl->line = from->line;
	cl->file = from->file;
	cl->given = from->given;
	cl->item_count = cl->item_room = from->item_count;
	TRY(dup(from->items, from->item_count, sizeof(*cl->items), (void **)&cl->items));
	for (size_t i = 0; i < cl->slot_count; i++) {
		const struct conf_slot *s = &from->slots[i];

		cl->slots[i] = (struct conf_slot){ .n = s->n, .room = s->n, .given = s->given, .num = s->num };
		TRY(dup(s->items, s->n, sizeof(*s->items), (void **)&cl->slots[i].items));
	}
	TRY(grow((void **)&l->v, l->n, &l->room, sizeof(struct conf_clause *), 1));
	l->v[l->n++] = MOVE(cl);
	return DONE;
}

RESULT store_copy(const struct conf *from, struct conf **ret)
{
	AUTO(conf_free) struct conf *c = mem_alloc(sizeof(*c));

	if (c == NULL)
		return FAIL(ERR_NOMEM);
	c->pool_n = c->pool_room = from->pool_n;
	TRY(dup(from->pool, from->pool_n, 1, (void **)&c->pool));
	for (size_t i = 0; i < from->file_count; i++) {
		uint16_t file;

		TRY(store_file(c, from->files[i], &file));
	}
	for (size_t k = 0; k < CLAUSE_KINDS; k++) {
		for (size_t i = 0; i < from->clauses[k].n; i++)
			TRY(clause_copy(c, from->clauses[k].v[i]));
	}
	*ret = MOVE(c);
	return DONE;
}
