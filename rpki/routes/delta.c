#include "rpki/routes/delta.h"

struct payload_delta {
	struct payload_table *announced OWNED_FIELD;
	struct payload_table *withdrawn OWNED_FIELD;
};

void delta_free(struct payload_delta *d)
{
	if (d == NULL)
		return;
	table_unref(MOVE(d->announced));
	table_unref(MOVE(d->withdrawn));
	mem_free(d);
}

/* The payloads of a that b does not have, and those of c that d does not have; c and d may be NULL. */
static RESULT pick(const struct payload_table *a, const struct payload_table *b, const struct payload_table *c,
    const struct payload_table *d, struct payload_table **ret_table)
{
	AUTO(table_builder_free) struct table_builder *t = table_builder_new(NULL);

	if (t == NULL)
		return FAIL(ERR_NOMEM);
	TRY(table_builder_add_difference(t, a, b));
	if (c != NULL && d != NULL)
		TRY(table_builder_add_difference(t, c, d));
	return table_builder_finish(MOVE(t), 0, ret_table);
}

RESULT delta_between(const struct payload_table *from, const struct payload_table *to, struct payload_delta **ret_delta)
{
	AUTO(delta_free) struct payload_delta *d = (struct payload_delta *)mem_alloc(sizeof *d);

	if (d == NULL)
		return FAIL(ERR_NOMEM);
	TRY(pick(to, from, NULL, NULL, &d->announced));
	TRY(pick(from, to, NULL, NULL, &d->withdrawn));
	*ret_delta = MOVE(d);
	return DONE;
}

RESULT delta_join(const struct payload_delta *first, const struct payload_delta *second, struct payload_delta **ret_delta)
{
	AUTO(delta_free) struct payload_delta *d = (struct payload_delta *)mem_alloc(sizeof *d);

	if (d == NULL)
		return FAIL(ERR_NOMEM);
	TRY(pick(first->announced, second->withdrawn, second->announced, first->withdrawn, &d->announced));
	TRY(pick(first->withdrawn, second->announced, second->withdrawn, first->announced, &d->withdrawn));
	*ret_delta = MOVE(d);
	return DONE;
}

RESULT delta_of(struct payload_table *announced, struct payload_table *withdrawn, struct payload_delta **ret_delta)
{
	AUTO(table_unref) struct payload_table *plus = announced, *minus = withdrawn;
	AUTO(delta_free) struct payload_delta *d = (struct payload_delta *)mem_alloc(sizeof *d);

	if (d == NULL)
		return FAIL(ERR_NOMEM);
	d->announced = MOVE(plus);
	d->withdrawn = MOVE(minus);
	*ret_delta = MOVE(d);
	return DONE;
}

static RESULT empty_table(struct payload_table **ret_table)
{
	AUTO(table_builder_free) struct table_builder *t = table_builder_new(NULL);

	return t != NULL ? table_builder_finish(MOVE(t), 0, ret_table) : FAIL(ERR_NOMEM);
}

RESULT delta_none(struct payload_delta **ret_delta)
{
	AUTO(delta_free) struct payload_delta *d = (struct payload_delta *)mem_alloc(sizeof *d);

	if (d == NULL)
		return FAIL(ERR_NOMEM);
	TRY(empty_table(&d->announced));
	TRY(empty_table(&d->withdrawn));
	*ret_delta = MOVE(d);
	return DONE;
}

const struct payload_table *delta_announced(const struct payload_delta *d)
{
	return d->announced;
}

const struct payload_table *delta_withdrawn(const struct payload_delta *d)
{
	return d->withdrawn;
}

bool delta_is_empty(const struct payload_delta *d)
{
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++)
		if (table_count(d->announced, k) != 0 || table_count(d->withdrawn, k) != 0)
			return false;
	return true;
}

size_t delta_octets(const struct payload_delta *d)
{
	return sizeof *d + table_octets(d->announced) + table_octets(d->withdrawn);
}

bool delta_replaces(const struct payload_delta *d, size_t i)
{
	uint32_t customer = table_aspa(d->withdrawn, i).customer;
	size_t low = 0, high = table_count(d->announced, PAYLOAD_ASPA);

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table_aspa(d->announced, mid).customer < customer)
			low = mid + 1;
		else
			high = mid;
	}
	return low < table_count(d->announced, PAYLOAD_ASPA) && table_aspa(d->announced, low).customer == customer;
}

/* ----------------------------------------------------------------------------------------------------------------- history */

struct step {
	struct step *older OWNED_FIELD;
	struct payload_delta *delta OWNED_FIELD; /* leads to the serial of this step */
	size_t octets;
};

struct payload_history {
	struct history_limits limits;
	uint32_t serial;
	struct step *newest OWNED_FIELD;
	size_t count, octets;
};

static void steps_free(struct step *s) TAKES(1);
static void steps_free(struct step *s)
{
	while (s != NULL) {
		struct step *older = s->older;

		delta_free(MOVE(s->delta));
		mem_free(s);
		s = older;
	}
}
DEFINE_AUTO(struct step, steps_free)

void history_free(struct payload_history *h)
{
	if (h == NULL)
		return;
	steps_free(MOVE(h->newest));
	mem_free(h);
}

struct payload_history *history_new(const struct history_limits *limits, uint32_t serial)
{
	AUTO(history_free) struct payload_history *h = (struct payload_history *)mem_alloc(sizeof *h);

	if (h == NULL)
		return NULL;
	h->limits = *limits;
	if (h->limits.serials == 0)
		h->limits.serials = 1;
	h->serial = serial;
	return MOVE(h);
}

/* Keeps the newest steps that are within the limits together. */
static void forget(struct payload_history *h)
{
	struct step **at = &h->newest;
	size_t count = 0, octets = 0;

	while (*at != NULL && count < h->limits.serials && (*at)->octets <= h->limits.octets - octets) {
		count++;
		octets += (*at)->octets;
		at = &(*at)->older;
	}
	steps_free(MOVE(*at));
	h->count = count;
	h->octets = octets;
}

RESULT history_add(struct payload_history *h, struct payload_delta *d, uint32_t *ret_serial)
{
	AUTO(delta_free) struct payload_delta *own = d;
	AUTO(steps_free) struct step *s = (struct step *)mem_alloc(sizeof *s);

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->octets = sizeof *s + delta_octets(own);
	s->delta = MOVE(own);
	s->older = MOVE(h->newest);
	h->newest = MOVE(s);
	h->serial++;
	forget(h);
	*ret_serial = h->serial;
	return DONE;
}

uint32_t history_serial(const struct payload_history *h)
{
	return h->serial;
}

size_t history_count(const struct payload_history *h)
{
	return h->count;
}

size_t history_octets(const struct payload_history *h)
{
	return h->octets;
}

const struct payload_delta *history_step(const struct payload_history *h, size_t back)
{
	const struct step *s = h->newest;

	while (back-- > 0 && s != NULL)
		s = s->older;
	return s != NULL ? s->delta : NULL;
}

RESULT history_since(const struct payload_history *h, uint32_t serial, struct payload_delta **ret_delta)
{
	AUTO(delta_free) struct payload_delta *d = NULL;
	uint32_t back = h->serial - serial;
	const struct step *s = h->newest;

	if (back > h->count)
		return FAIL(ERR_NOTFOUND);
	TRY(delta_none(&d));
	for (uint32_t i = 0; i < back && s != NULL; i++, s = s->older) {
		AUTO(delta_free) struct payload_delta *later = MOVE(d);

		TRY(delta_join(s->delta, later, &d));
	}
	*ret_delta = MOVE(d);
	return DONE;
}
