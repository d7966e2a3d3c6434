#include "rpki/fetch/patience.h"

#include <string.h>

#include "base/strbuf.h"
#include "rpki/store/store.h"

#define KEY "patience"
#define NOTE_OCTETS (8u << 20) /* what would need more is not kept */

struct dead_one {
	char *uri OWNED_FIELD;
	uint32_t failures;
};

struct patience {
	struct patience_options o;
	struct dead_one *list OWNED_FIELD; /* in the order of their URIs */
	size_t n, room;
	bool changed; /* since it was kept */
};

void patience_free(struct patience *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->n; i++)
		mem_free(MOVE(x->list[i].uri));
	mem_free(MOVE(x->list));
	mem_free(x);
}

struct patience *patience_new(void)
{
	AUTO(patience_free) struct patience *x = mem_alloc(sizeof *x);

	return MOVE(x);
}

void patience_set(struct patience *x, const struct patience_options *o)
{
	x->o = *o;
}

/* The first that is not before it. */
static size_t place_of(const struct patience *x, const char *uri)
{
	size_t from = 0, to = x->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (strcmp(x->list[mid].uri, uri) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static bool is_at(const struct patience *x, size_t at, const char *uri)
{
	return at < x->n && strcmp(x->list[at].uri, uri) == 0;
}

uint32_t patience_failures(const struct patience *x, const char *uri)
{
	size_t at = place_of(x, uri);

	return is_at(x, at, uri) ? x->list[at].failures : 0;
}

uint32_t patience_ms(const struct patience *x, const char *uri)
{
	uint32_t failures = patience_failures(x, uri), ms = x->o.full_ms;

	if (x->o.least_ms == 0 || x->o.least_ms >= x->o.full_ms || failures < x->o.after || failures % PATIENCE_EVERY == 0)
		return 0;
	for (uint32_t i = x->o.after; i <= failures && ms > x->o.least_ms; i++)
		ms /= 2;
	return ms > x->o.least_ms ? ms : x->o.least_ms;
}

static void forget(struct patience *x, size_t at)
{
	x->changed = true;
	mem_free(MOVE(x->list[at].uri));
	memmove(&x->list[at], &x->list[at + 1], (x->n - at - 1) * sizeof *x->list);
	x->n--;
}

static void remember(struct patience *x, size_t at, struct span uri, uint32_t failures)
{
	AUTO_CHARS char *copy = x->n < x->o.max ? mem_strndup((const char *)uri.p, uri.n) : NULL;

	if (copy == NULL)
		return;
	if (x->n == x->room) {
		if (!OK(mem_resize((void **)(void *)&x->list, x->room, x->room + 64, sizeof *x->list)))
			return;
		x->room += 64;
	}
	memmove(&x->list[at + 1], &x->list[at], (x->n - at) * sizeof *x->list);
	x->list[at] = (struct dead_one){ NULL, failures };
	x->list[at].uri = MOVE(copy);
	x->n++;
	x->changed = true;
}

void patience_note(struct patience *x, const char *uri, bool failed)
{
	size_t at = place_of(x, uri);
	bool there = is_at(x, at, uri);

	if (!failed && there)
		forget(x, at);
	else if (failed && !there)
		remember(x, at, span_text(uri), 1);
	else if (failed && x->list[at].failures < UINT32_MAX) {
		x->list[at].failures++;
		x->changed = true;
	}
}

/* --- kept: the time, then of each repository its failures, the length of its URI, its URI */

static void put32(struct strbuf *b, uint32_t v)
{
	uint8_t o[4];

	store32(o, v);
	strbuf_add(b, o, sizeof o);
}

RESULT patience_keep(struct patience *x, struct store *s, int64_t now)
{
	AUTO(strbuf_free) struct strbuf *b = x->changed ? strbuf_new(NOTE_OCTETS) : NULL;
	struct store_note note = { .key = span_text(KEY) };

	if (!x->changed)
		return DONE;
	if (b == NULL)
		return FAIL(ERR_NOMEM);
	put32(b, (uint32_t)((uint64_t)now >> 32));
	put32(b, (uint32_t)now);
	for (size_t i = 0; i < x->n; i++) {
		put32(b, x->list[i].failures);
		put32(b, (uint32_t)strlen(x->list[i].uri));
		strbuf_puts(b, x->list[i].uri);
	}
	TRY(strbuf_result(b));
	note.value = strbuf_span(b);
	TRY(store_notes_put(s, &note, 1));
	x->changed = false;
	return DONE;
}

/* In the order in which they were written, which is that of the list. */
static void take(struct patience *x, struct reader *r)
{
	while (!reader_end(r)) {
		uint32_t failures = read32(r);
		struct span uri = read_span(r, read32(r));

		if (!reader_ok(r) || uri.n == 0 || memchr(uri.p, '\0', uri.n) != NULL || failures == 0)
			return;
		remember(x, x->n, uri, failures);
		if (x->n > 1 && strcmp(x->list[x->n - 2].uri, x->list[x->n - 1].uri) >= 0)
			forget(x, x->n - 1);
	}
}

RESULT patience_recall(struct patience *x, struct store *s, int64_t now)
{
	AUTO(store_view_close) struct store_view *v = NULL;
	struct store_note note;
	struct reader r;
	struct result found;
	uint64_t high;
	int64_t then;

	TRY(store_view_open(s, &v));
	found = store_note_get(v, span_text(KEY), &note);
	if (found.e == ERR_NOTFOUND)
		return DONE;
	TRY(found);
	r = reader_of(note.value);
	high = read32(&r);
	then = (int64_t)(high << 32 | read32(&r));
	if (reader_ok(&r) && x->n == 0 && then <= now && now - then <= PATIENCE_KEPT_SEC)
		take(x, &r);
	x->changed = false;
	return DONE;
}
