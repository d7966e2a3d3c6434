#include "rpki/validate/remember.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "config.h"
#include "rpki/object/roa.h"

#define FORM "cairn remembers 3" /* of what is written here */

struct seen {
	struct seen *next ARENA_FIELD;
	uint8_t pair[REMEMBER_PAIR];
};

/* --- octets */

static void put32(struct strbuf *b, uint32_t v)
{
	uint8_t o[4];

	store32(o, v);
	strbuf_add(b, o, sizeof o);
}

static void put64(struct strbuf *b, uint64_t v)
{
	put32(b, (uint32_t)(v >> 32));
	put32(b, (uint32_t)v);
}

static void put_span(struct strbuf *b, struct span s)
{
	put32(b, (uint32_t)s.n);
	strbuf_add(b, s.p, s.n);
}

/* --- what a point is known by */

static int find_build_id(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct strbuf *out = ctx;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type == PT_NOTE)
			strbuf_add(out, (const char *)info->dlpi_addr + h->p_vaddr, h->p_memsz); /* the linker's hash of the program is in it */
	}
	return 1; /* the first one is the program itself */
}

/* The program that judged: a newer one may judge otherwise. */
static void put_program(struct strbuf *b)
{
	put_span(b, span_text(FORM " " PACKAGE_VERSION));
	(void)dl_iterate_phdr(find_build_id, b);
}

static void put_set32(struct strbuf *b, enum claim claim, const struct set32 *s)
{
	strbuf_putc(b, (char)claim);
	put32(b, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		put32(b, s->r[i].lo);
		put32(b, s->r[i].hi);
	}
}

static void put_set128(struct strbuf *b, enum claim claim, const struct set128 *s)
{
	strbuf_putc(b, (char)claim);
	put32(b, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		put64(b, (uint64_t)(s->r[i].lo >> 64));
		put64(b, (uint64_t)s->r[i].lo);
		put64(b, (uint64_t)(s->r[i].hi >> 64));
		put64(b, (uint64_t)s->r[i].hi);
	}
}

static void put_resources(struct strbuf *b, const struct resources *r)
{
	put_set32(b, r->ip4, &r->v4);
	put_set128(b, r->ip6, &r->v6);
	put_set32(b, r->as, &r->asn);
}

void remember_identify(const struct validate_limits *l, struct ca *c)
{
	AUTO(strbuf_free) struct strbuf *b = NULL;

	if (c->identified)
		return;
	b = strbuf_new(REMEMBER_MAX);
	if (b == NULL)
		return;
	put_program(b);
	put32(b, l->depth);
	put32(b, l->branch);
	put32(b, l->files);
	put32(b, l->children);
	put32(b, l->payloads);
	put32(b, l->object);
	strbuf_add(b, c->hash, sizeof c->hash);
	put_span(b, c->uri);
	put32(b, c->depth);
	if (c->depth > 0)
		strbuf_add(b, c->above, c->depth * sizeof *c->above);
	put_resources(b, &c->effective);
	if (!strbuf_ok(b))
		return;
	sha256_of(strbuf_span(b), c->identity);
	c->identified = true;
}

/* --- what a verdict is based on */

void remember_change(struct point *p, int64_t at)
{
	if (at <= p->options->now)
		p->from = at > p->from ? at : p->from;
	else
		p->until = at < p->until ? at : p->until;
}

void remember_validity(struct point *p, int64_t not_before, int64_t not_after)
{
	remember_change(p, not_before);
	if (not_after < INT64_MAX)
		remember_change(p, not_after + 1);
}

RESULT remember_seen(struct point *p, struct span uri, const uint8_t *hash)
{
	struct seen *s;

	if (!p->remembers)
		return DONE;
	s = arena_alloc(p->arena, sizeof *s);
	if (s == NULL)
		return FAIL(ERR_NOMEM);
	sha256_of(uri, s->pair);
	if (hash != NULL)
		memcpy(s->pair + OBJECT_HASH, hash, OBJECT_HASH);
	if (p->seen_last != NULL)
		p->seen_last->next = s;
	else
		p->seen = s;
	p->seen_last = s;
	p->seen_count++;
	return DONE;
}

/* --- writing */

static void put_item(struct strbuf *b, const struct item *i)
{
	strbuf_putc(b, 'o');
	strbuf_add(b, i->hash, OBJECT_HASH);
	put64(b, (uint64_t)i->not_before);
	put64(b, (uint64_t)i->not_after);
	put_span(b, i->uri);
	put_span(b, i->serial);
	strbuf_putc(b, (char)i->kind);
}

static void put_product(struct strbuf *b, const struct product *x)
{
	strbuf_putc(b, 'p');
	put32(b, x->as);
	put_span(b, x->what);
	put_span(b, x->ski);
	put32(b, (uint32_t)x->prefixes);
	put32(b, (uint32_t)x->n);
	for (size_t i = 0; i < x->n; i++)
		put32(b, x->list[i]);
}

static void put_child(struct strbuf *b, const struct ca *c)
{
	strbuf_putc(b, 'c');
	strbuf_add(b, c->hash, sizeof c->hash);
	put64(b, (uint64_t)c->cert.not_before);
	put64(b, (uint64_t)c->cert.not_after);
	put_span(b, c->uri);
	put_span(b, c->cert.serial);
	strbuf_add(b, c->identity, sizeof c->identity);
	put_span(b, c->cert.notify);
	put_span(b, c->cert.manifest);
	put_span(b, c->cert.repository);
	put_span(b, c->cert.ski);
	strbuf_putc(b, c->as_claimed);
	if (!c->as_claimed)
		put_resources(b, &c->effective);
}

static void put_refusal(struct strbuf *b, const struct refusal *f)
{
	strbuf_putc(b, 'r');
	put_span(b, f->uri);
	put_span(b, span_of(f->why, strlen(f->why) + 1)); /* with its NUL, so that it can be used where it lies */
}

/* Two bits of what became of it, then one for each that it wants. */
static uint8_t flags_of(const struct point *p)
{
	unsigned int flags = (p->failed ? 1u : 0u) | (p->kept ? 2u : 0u);

	for (size_t i = 0; i < WANTINGS; i++)
		flags |= p->wanting[i] ? 4u << i : 0u;
	return (uint8_t)flags;
}

void remember_write(const struct point *p, struct strbuf *out)
{
	const struct product *x = p->products;

	strbuf_putc(out, (char)flags_of(p));
	put64(out, (uint64_t)p->own_stale);
	put64(out, p->payloads);
	put64(out, p->limits);
	for (size_t i = 0; i < COUNTED; i++) {
		put64(out, p->valid[i]);
		put64(out, p->invalid[i]);
	}
	for (const struct item *i = p->items; i != NULL; i = i->next) {
		put_item(out, i);
		for (; x != NULL && x->item == i; x = x->next)
			put_product(out, x);
	}
	for (const struct ca *c = p->children; c != NULL; c = c->next)
		put_child(out, c);
	for (const struct refusal *f = p->refusals; f != NULL; f = f->next)
		put_refusal(out, f);
}

uint64_t remember_sum(struct span s)
{
	static const struct hash_key known = { { 0x636169726e206f6eu, 0x6365206d6f726521u } };

	return siphash13(&known, s.p, s.n);
}

void remember_seal(struct strbuf *note)
{
	put64(note, remember_sum(strbuf_span(note)));
}

static RESULT put_states(struct point *p, struct strbuf *b)
{
	uint8_t state[OBJECT_STATE];

	TRY(p->reader->ops->state(p->reader, p->ca->cert.notify, p->ca->cert.manifest, state));
	strbuf_add(b, state, sizeof state);
	TRY(p->reader->ops->state(p->reader, p->ca->cert.notify, p->ca->cert.repository, state));
	strbuf_add(b, state, sizeof state);
	return DONE;
}

static RESULT write_note(struct point *p, struct span good, struct strbuf *b)
{
	put64(b, (uint64_t)p->from);
	put64(b, (uint64_t)p->until);
	TRY(put_states(p, b));
	put_span(b, good);
	put32(b, (uint32_t)p->seen_count);
	for (const struct seen *s = p->seen; s != NULL; s = s->next)
		strbuf_add(b, s->pair, sizeof s->pair);
	remember_write(p, b);
	remember_seal(b);
	return DONE;
}

static RESULT set_key(struct point *p)
{
	uint8_t *key = arena_alloc(p->arena, REMEMBER_KEY);

	if (key == NULL)
		return FAIL(ERR_NOMEM);
	key[0] = REMEMBER_LETTER;
	memcpy(key + 1, p->ca->identity, OBJECT_HASH);
	p->note_key = span_of(key, REMEMBER_KEY);
	return DONE;
}

RESULT remember_make(struct point *p, struct span good)
{
	AUTO(strbuf_free) struct strbuf *b = NULL;
	const uint8_t *value;

	for (struct ca *c = p->children; c != NULL; c = c->next) {
		remember_identify(&p->options->limits, c);
		if (!c->identified)
			return DONE;
	}
	b = strbuf_new(REMEMBER_MAX);
	if (b == NULL)
		return FAIL(ERR_NOMEM);
	TRY(write_note(p, good, b));
	if (!strbuf_ok(b))
		return strbuf_result(b).e == ERR_NOMEM ? FAIL(ERR_NOMEM) : DONE;
	value = arena_dup(p->arena, strbuf_text(b), strbuf_len(b));
	if (value == NULL)
		return FAIL(ERR_NOMEM);
	p->note_value = span_of(value, strbuf_len(b));
	return DONE;
}

/* --- recalling */

static RESULT same_state(struct point *p, struct span base, struct span was, bool *ret_same)
{
	static const uint8_t unknown[OBJECT_STATE];
	uint8_t state[OBJECT_STATE];

	TRY(p->reader->ops->state(p->reader, p->ca->cert.notify, base, state));
	*ret_same = memcmp(state, unknown, sizeof state) != 0 && memcmp(state, was.p, sizeof state) == 0;
	return DONE;
}

/* Whether what was found at each URI is there still. */
static RESULT all_there(struct point *p, struct span seen, bool *ret_there)
{
	static const uint8_t nothing[OBJECT_HASH];
	struct reader r = reader_of(seen);
	struct span base = p->ca->cert.manifest;

	*ret_there = false;
	while (!reader_end(&r)) {
		struct span uri = read_span(&r, OBJECT_HASH), was = read_span(&r, OBJECT_HASH);
		uint8_t is[OBJECT_HASH] = { 0 };
		struct result found;

		if (was.n != OBJECT_HASH)
			return FAIL(ERR_FORMAT);
		found = p->reader->ops->hash_at(p->reader, p->ca->cert.notify, base, uri.p, is);

		if (!OK(found) && found.e != ERR_NOTFOUND)
			return found;
		if (memcmp(OK(found) ? is : nothing, was.p, OBJECT_HASH) != 0)
			return DONE;
		base = p->ca->cert.repository;
	}
	*ret_there = true;
	return DONE;
}

static RESULT holds(struct point *p, const struct remembered *m, struct span good, bool *ret_holds)
{
	bool same;

	*ret_holds = false;
	if (p->options->now < m->from || p->options->now >= m->until || !span_equal(m->good, good))
		return DONE;
	TRY(same_state(p, p->ca->cert.manifest, span_of(m->states.p, OBJECT_STATE), &same));
	if (same)
		TRY(same_state(p, p->ca->cert.repository, span_of(m->states.p + OBJECT_STATE, OBJECT_STATE), &same));
	if (same) {
		*ret_holds = true;
		return DONE;
	}
	return all_there(p, m->seen, ret_holds);
}

RESULT remember_recall(struct point *p, struct span good, bool *ret_known)
{
	struct remembered m;
	struct result r;
	struct span note;

	*ret_known = false;
	remember_identify(&p->options->limits, p->ca);
	if (!p->ca->identified)
		return FAIL(ERR_NOMEM);
	TRY(set_key(p));
	r = p->reader->ops->recall(p->reader, p->note_key, &note);
	if (r.e == ERR_NOTFOUND)
		return DONE;
	TRY(r);
	r = remember_open(note, &m);
	if (r.e == ERR_FORMAT)
		return DONE;
	TRY(r);
	TRY(holds(p, &m, good, ret_known));
	if (!*ret_known)
		return remember_know(p, m.found);
	r = remember_take(m.found, p);
	*ret_known = OK(r);
	return r.e == ERR_FORMAT ? DONE : r;
}
