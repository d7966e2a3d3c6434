#include "rpki/serve/tally.h"

#include <string.h>

#include "base/strbuf.h"

static enum status_payload slot_of(const struct payload_table *t, enum payload_kind k, size_t i)
{
	if (k == PAYLOAD_VRP)
		return i < table_vrps4(t) ? STATUS_V4 : STATUS_V6;
	return k == PAYLOAD_KEY ? STATUS_KEYS : STATUS_ASPAS;
}

/* The anchor of that name, looked for first where the last one was. */
static struct status_anchor *anchor_of(struct status *s, struct status_anchor *last, const char *name) BORROWED;
static struct status_anchor *anchor_of(struct status *s, struct status_anchor *last, const char *name)
{
	if (last != NULL && strcmp(last->name, name) == 0)
		return last;
	for (struct status_anchor *a = s->anchors; a != NULL; a = a->next)
		if (strcmp(a->name, name) == 0)
			return a;
	return status_add_anchor(s, name);
}

static void count_as(struct status_payloads *p, bool first, bool served)
{
	p->valid++;
	if (!first)
		p->duplicate++;
	else if (served)
		p->contributed++;
	else
		p->filtered++;
}

struct places {
	tally_place_fn *of; /* NULL: nobody asks */
	void *ctx BORROWED_FIELD;
};

static void count_at(const struct places *p, const char *uri, enum status_payload slot, bool first, bool served)
{
	struct status_repository *r = p->of != NULL && uri != NULL ? p->of(p->ctx, uri) : NULL;

	if (r != NULL)
		count_as(&r->payloads[slot], first, served);
}

static RESULT count_validated(struct status *s, const struct payload_table *t, const struct payload_table *served, enum payload_kind k, const struct places *places)
{
	struct status_anchor *last = NULL;
	size_t at = 0;

	for (size_t i = 0; i < table_count(t, k); i++) {
		enum status_payload slot = slot_of(t, k, i);
		bool there = table_has_next(served, t, k, i, &at), first = true;

		for (size_t w = 0; w < table_sources(t, k, i); w++) {
			struct payload_source source = table_source(t, k, i, w);

			if (source.kind == SOURCE_EXCEPTION)
				continue;
			last = anchor_of(s, last, source.tal);
			if (last == NULL)
				return FAIL(ERR_NOMEM);
			count_as(&last->payloads[slot], first, there);
			count_as(&s->total[slot], first, there);
			count_at(places, source.uri, slot, first, there);
			first = false;
		}
	}
	return DONE;
}

/* What exceptions add to it. */
static void count_exceptions(struct status *s, const struct payload_table *served, enum payload_kind k)
{
	for (size_t i = 0; i < table_count(served, k); i++) {
		enum status_payload slot = slot_of(served, k, i);
		size_t n = table_sources(served, k, i), own = 0;

		for (size_t w = 0; w < n; w++)
			own += table_source(served, k, i, w).kind == SOURCE_EXCEPTION;
		for (size_t w = 0; w < own; w++) {
			count_as(&s->exceptions[slot], w == 0 && own == n, true);
			count_as(&s->total[slot], w == 0 && own == n, true);
		}
	}
}

RESULT tally_payloads(struct status *s, const struct payload_table *validated, const struct payload_table *served)
{
	return tally_payloads_at(s, validated, served, NULL, NULL);
}

RESULT tally_payloads_at(struct status *s, const struct payload_table *validated, const struct payload_table *served, tally_place_fn *of, void *ctx)
{
	const struct places places = { of, ctx };

	memset(s->total, 0, sizeof s->total);
	memset(s->exceptions, 0, sizeof s->exceptions);
	for (struct status_anchor *a = s->anchors; a != NULL; a = a->next)
		memset(a->payloads, 0, sizeof a->payloads);
	for (struct status_repository *r = s->repositories; r != NULL; r = r->next)
		memset(r->payloads, 0, sizeof r->payloads);
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++) {
		if (validated != NULL)
			TRY(count_validated(s, validated, served, k, &places));
		count_exceptions(s, served, k);
	}
	return DONE;
}

RESULT tally_unsafe(struct status *s, const struct payload_table *unsafe, bool rejected)
{
	struct status_anchor *last = NULL;

	for (size_t i = 0; i < table_count(unsafe, PAYLOAD_VRP); i++) {
		enum status_payload slot = slot_of(unsafe, PAYLOAD_VRP, i);

		for (size_t w = 0; w < table_sources(unsafe, PAYLOAD_VRP, i); w++) {
			last = anchor_of(s, last, table_source(unsafe, PAYLOAD_VRP, i, w).tal);
			if (last == NULL)
				return FAIL(ERR_NOMEM);
			last->payloads[slot].unsafe++;
			s->total[slot].unsafe++;
			if (!rejected)
				continue;
			last->payloads[slot].valid++;
			s->total[slot].valid++;
		}
	}
	return DONE;
}
