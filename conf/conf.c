#include "conf/conf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "conf/schema.h"
#include "conf/store.h"

const struct conf_clause *conf_server(const struct conf *c)
{
	return conf_single(c, CLAUSE_SERVER);
}

const struct conf_clause *conf_single(const struct conf *c, enum conf_clause_kind k)
{
	assert(!schema_clause(k)->many);
	return c->clauses[k].v[0];
}

size_t conf_clause_count(const struct conf *c, enum conf_clause_kind k)
{
	return schema_clause(k)->many ? c->clauses[k].n : c->clauses[k].v[0]->given;
}

const struct conf_clause *conf_clause(const struct conf *c, enum conf_clause_kind k, size_t i)
{
	assert(i < c->clauses[k].n);
	return c->clauses[k].v[i];
}

bool conf_bool(const struct conf_clause *c, enum conf_opt o)
{
	return store_slot(c, o)->num != 0;
}

int64_t conf_int(const struct conf_clause *c, enum conf_opt o)
{
	return store_slot(c, o)->num;
}

const char *conf_text(const struct conf_clause *c, enum conf_opt o)
{
	const struct conf_item *i = store_get(c, o, 0);

	return i != NULL ? store_text(c->conf, i->text) : schema_option(o)->dflt;
}

bool conf_given(const struct conf_clause *c, enum conf_opt o)
{
	return store_slot(c, o)->given;
}

size_t conf_count(const struct conf_clause *c, enum conf_opt o)
{
	return store_slot(c, o)->n;
}

const char *conf_item(const struct conf_clause *c, enum conf_opt o, size_t i)
{
	return conf_word(c, o, i, 0);
}

const char *conf_word(const struct conf_clause *c, enum conf_opt o, size_t i, size_t word)
{
	const struct conf_item *item = store_get(c, o, i);
	const char *p;

	if (item == NULL || word >= item->words)
		return NULL;
	for (p = store_text(c->conf, item->text); word > 0; word--)
		p += strlen(p) + 1;
	return p;
}

size_t conf_order(const struct conf_clause *c, enum conf_opt o, size_t i)
{
	const struct conf_slot *s = store_slot(c, o);

	return i < s->n ? s->items[i] : SIZE_MAX;
}

const char *conf_where(const struct conf_clause *c, enum conf_opt o, size_t i)
{
	static _Thread_local char text[512];
	const struct conf_item *item = store_get(c, o, i);

	if (item == NULL || (item->flags & STORE_DEFAULT) != 0)
		return "default";
	snprintf(text, sizeof(text), item->line != 0 ? "%.490s:%u" : "%.490s", store_file_name(c->conf, item->file), item->line);
	return text;
}

int64_t conf_word_int(const struct conf_clause *c, enum conf_opt o, size_t i, size_t word)
{
	const char *text = conf_word(c, o, i, word);
	struct value_type types[SCHEMA_WORDS];
	struct value v;

	if (text == NULL || word >= schema_types(o, types) || !value_read(&types[word], text, &v))
		return 0;
	return v.num;
}

RESULT conf_word_prefix(const struct conf_clause *c, enum conf_opt o, size_t i, size_t word, struct prefix *ret)
{
	const char *text = conf_word(c, o, i, word);

	return text != NULL ? value_prefix(text, ret) : FAIL(ERR_NOTFOUND);
}

RESULT conf_word_endpoint(const struct conf_clause *c, enum conf_opt o, size_t i, size_t word, uint16_t default_port,
    struct endpoint *ret)
{
	const char *text = conf_word(c, o, i, word);

	return text != NULL ? value_endpoint(text, default_port, ret) : FAIL(ERR_NOTFOUND);
}

static bool items_equal(
    const struct conf_clause *a, const struct conf_item *ia, const struct conf_clause *b, const struct conf_item *ib)
{
	const char *pa = store_text(a->conf, ia->text), *pb = store_text(b->conf, ib->text);

	if (ia->opt != ib->opt || ia->words != ib->words)
		return false;
	for (unsigned int w = 0; w < ia->words; w++) {
		if (strcmp(pa, pb) != 0)
			return false;
		pa += strlen(pa) + 1;
		pb += strlen(pb) + 1;
	}
	return true;
}

/* The next item from *at on that was given and lives, or NULL. */
static const struct conf_item *next_given(const struct conf_clause *c, uint32_t *at) BORROWED;
static const struct conf_item *next_given(const struct conf_clause *c, uint32_t *at)
{
	while (*at < c->item_count) {
		const struct conf_item *i = &c->items[(*at)++];

		if (i->flags == 0)
			return i;
	}
	return NULL;
}

static bool clauses_equal(const struct conf_clause *a, const struct conf_clause *b)
{
	uint32_t at_a = 0, at_b = 0;

	for (;;) {
		const struct conf_item *ia = next_given(a, &at_a), *ib = next_given(b, &at_b);

		if (ia == NULL || ib == NULL)
			return ia == ib;
		if (!items_equal(a, ia, b, ib))
			return false;
	}
}

bool conf_equal(const struct conf *a, const struct conf *b)
{
	for (size_t k = 0; k < CLAUSE_KINDS; k++) {
		if (a->clauses[k].n != b->clauses[k].n)
			return false;
		for (size_t i = 0; i < a->clauses[k].n; i++) {
			if (!clauses_equal(a->clauses[k].v[i], b->clauses[k].v[i]))
				return false;
		}
	}
	return true;
}
