#include "rpki/fetch/patience.h"

#include <string.h>

struct dead_one {
	char *uri OWNED_FIELD;
	uint32_t failures;
};

struct patience {
	struct patience_options o;
	struct dead_one *list OWNED_FIELD; /* in the order of their URIs */
	size_t n, room;
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
	mem_free(MOVE(x->list[at].uri));
	memmove(&x->list[at], &x->list[at + 1], (x->n - at - 1) * sizeof *x->list);
	x->n--;
}

static void remember(struct patience *x, size_t at, const char *uri)
{
	AUTO_CHARS char *copy = x->n < x->o.max ? mem_strdup(uri) : NULL;

	if (copy == NULL)
		return;
	if (x->n == x->room) {
		if (!OK(mem_resize((void **)(void *)&x->list, x->room, x->room + 64, sizeof *x->list)))
			return;
		x->room += 64;
	}
	memmove(&x->list[at + 1], &x->list[at], (x->n - at) * sizeof *x->list);
	x->list[at] = (struct dead_one){ NULL, 1 };
	x->list[at].uri = MOVE(copy);
	x->n++;
}

void patience_note(struct patience *x, const char *uri, bool failed)
{
	size_t at = place_of(x, uri);
	bool there = is_at(x, at, uri);

	if (!failed && there)
		forget(x, at);
	else if (failed && !there)
		remember(x, at, uri);
	else if (failed && x->list[at].failures < UINT32_MAX)
		x->list[at].failures++;
}
