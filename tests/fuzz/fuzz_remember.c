/* What is remembered of a publication point: a note without its sum. What can be read is written again, octet for octet. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "rpki/validate/remember.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void free_children(struct point *p)
{
	while (p->children != NULL) {
		AUTO(ca_free) struct ca *c = MOVE(p->children);

		p->children = MOVE(c->next);
	}
}

/* The same object by object: each is found by its hash and name, and gives what it gave. */
static bool known_again(const struct point *p, struct span found)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct point other = { .options = p->options, .ca = p->ca, .arena = a, .stale = p->stale };
	size_t n = 0;

	if (a == NULL || !OK(remember_know(&other, found)))
		return mem_failed();
	for (const struct item *i = p->items; i != NULL; i = i->next, n++) {
		AUTO(ca_free) struct ca *c = NULL;
		const struct known *k = remember_find(&other, i->hash, i->uri);

		if (k == NULL || !OK(remember_reuse(&other, k, &c)) || c != NULL)
			return mem_failed();
	}
	for (const struct ca *i = p->children; i != NULL; i = i->next, n++) {
		AUTO(ca_free) struct ca *c = NULL;
		const struct known *k = remember_find(&other, i->hash, i->uri);

		if (k == NULL || !OK(remember_reuse(&other, k, &c)) || c == NULL)
			return mem_failed();
	}
	return other.known_count == n;
}

static bool written_again(const struct point *p, struct span found)
{
	AUTO(strbuf_free) struct strbuf *again = strbuf_new(REMEMBER_MAX);

	if (again == NULL)
		return false;
	remember_write(p, again);
	return span_equal(strbuf_span(again), found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *note = strbuf_new(REMEMBER_MAX);
	struct validate_options o = { .now = 1, .limits = validate_limits_default() };
	struct ca ca = { .stale = INT64_MAX, .chain_not_after = INT64_MAX };
	struct point p = { .options = &o, .ca = &ca, .arena = a };
	struct remembered m;
	struct result r;
	bool same;

	HOLDS(a != NULL && note != NULL);
	strbuf_add(note, data, size);
	remember_seal(note);
	HOLDS(strbuf_ok(note));
	if (!OK(remember_open(strbuf_span(note), &m)))
		return 0;
	HOLDS(m.states.n == 2 * OBJECT_STATE && m.seen.n % (2 * OBJECT_HASH) == 0);
	r = remember_take(m.found, &p);
	same = !OK(r) || (written_again(&p, m.found) && known_again(&p, m.found));
	free_children(&p);
	HOLDS(same);
	return 0;
}
