#include "rpki/serve/slurm_inside.h"

#include <stdio.h>
#include <stdlib.h>

void slurm_free(struct slurm *s)
{
	if (s == NULL)
		return;
	validity_free(MOVE(s->any));
	validity_free(MOVE(s->one));
	mem_free(MOVE(s->origins.v));
	mem_free(MOVE(s->customers.v));
	mem_free(MOVE(s->keys));
	table_unref(MOVE(s->asserted));
	mem_free(s);
}

/* --------------------------------------------------------------------------------------------------------------- conflicts */

static int scope_order(const void *pa, const void *pb)
{
	const struct prefix_scope *a = pa, *b = pb;
	int c = memcmp(a->p.a.b, b->p.a.b, sizeof a->p.a.b);

	if (a->p.a.family != b->p.a.family)
		return a->p.a.family < b->p.a.family ? -1 : 1;
	return c != 0 ? c : a->p.len < b->p.len ? -1 : a->p.len > b->p.len;
}

static int number_order(const void *pa, const void *pb)
{
	const struct number_scope *a = pa, *b = pb;

	return a->number < b->number ? -1 : a->number > b->number;
}

static void conflict(struct slurm_work *w, const struct slurm_file *files, uint32_t one, uint32_t other, const char *what, const char *value)
{
	w->file = files[other].name;
	w->section = w->list = NULL;
	slurm_finding(w, NULL, "found %s %s, which %s speaks of too; expected files that do not overlap", what, value, files[one].name);
}

static bool overlap(const struct prefix *outer, const struct prefix *inner)
{
	return outer->a.family == inner->a.family && outer->len <= inner->len && bits_equal(outer->a.b, inner->a.b, outer->len);
}

/* In order, what overlaps a prefix and comes before it is a chain of prefixes, one within the other: the last prefix that reaches as far. */
static void check_prefixes(struct slurm_work *w, const struct slurm_file *files)
{
	const struct prefix_scope *outer = NULL;
	char a[ADDR_TEXT], text[ADDR_TEXT + 4];

	if (w->nprefixes > 1)
		qsort(w->prefixes, w->nprefixes, sizeof *w->prefixes, scope_order);
	for (size_t i = 0; i < w->nprefixes; i++) {
		const struct prefix_scope *p = &w->prefixes[i];

		if (outer == NULL || !overlap(&outer->p, &p->p)) {
			outer = p;
		} else if (outer->file != p->file) {
			(void)snprintf(text, sizeof text, "%s/%u", addr_text(&p->p.a, a), p->p.len);
			conflict(w, files, outer->file, p->file, "the prefix", text);
		}
	}
}

static void check_numbers(struct slurm_work *w, const struct slurm_file *files, struct number_scopes *list, const char *what)
{
	const struct number_scope *v = list->v;
	char text[16];

	if (list->n > 1)
		qsort(list->v, list->n, sizeof *v, number_order);
	for (size_t i = 1; i < list->n; i++) {
		if (v[i].number == v[i - 1].number && v[i].file != v[i - 1].file) {
			(void)snprintf(text, sizeof text, "AS%u", v[i].number);
			conflict(w, files, v[i - 1].file, v[i].file, what, text);
		}
	}
}

/* ----------------------------------------------------------------------------------------------------------------- reading */

static int plain_order(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

static void sort_numbers(struct numbers *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof *list->v, plain_order);
}

static RESULT index_of(struct table_builder *b, struct validity_index **ret) TAKES(1);
static RESULT index_of(struct table_builder *b, struct validity_index **ret)
{
	AUTO(table_unref) struct payload_table *t = NULL;

	TRY(table_builder_finish(b, 0, &t));
	return validity_new(t, ret);
}

static RESULT read_all(struct slurm_work *w, const struct slurm_file *files, size_t n)
{
	for (size_t i = 0; i < n && w->failed == ERR_NONE; i++)
		slurm_read_file(w, &files[i]);
	if (w->failed != ERR_NONE)
		return FAIL(w->failed);
	check_prefixes(w, files);
	check_numbers(w, files, &w->router_asns, "router keys of");
	check_numbers(w, files, &w->customers, "the customer");
	if (w->findings > SLURM_FINDINGS_MAX)
		strbuf_printf(w->report, "%s: and %zu more\n", w->file, w->findings - SLURM_FINDINGS_MAX);
	if (w->findings > 0)
		return FAIL(ERR_FORMAT);
	sort_numbers(&w->s->origins);
	sort_numbers(&w->s->customers);
	TRY(index_of(MOVE(w->any), &w->s->any));
	TRY(index_of(MOVE(w->one), &w->s->one));
	return table_builder_finish(MOVE(w->asserted), 0, &w->s->asserted);
}

RESULT slurm_read(const struct slurm_file *files, size_t n, struct strbuf *report, struct slurm **ret_slurm)
{
	AUTO(slurm_free) struct slurm *s = (struct slurm *)mem_alloc(sizeof *s);
	struct slurm_work w = { .s = s, .any = table_builder_new(NULL), .one = table_builder_new(NULL),
		.asserted = table_builder_new(NULL), .report = report, .file = "" };
	struct result r = FAIL(ERR_NOMEM);

	if (s != NULL && w.any != NULL && w.one != NULL && w.asserted != NULL)
		r = read_all(&w, files, n);
	slurm_work_done(&w);
	TRY(r);
	*ret_slurm = MOVE(s);
	return DONE;
}

/* ---------------------------------------------------------------------------------------------------------------- applying */

static bool has_number(const struct numbers *list, uint32_t number)
{
	return list->n > 0 && bsearch(&number, list->v, list->n, sizeof *list->v, plain_order) != NULL;
}

struct match {
	uint32_t asn;
	bool any, found;
};

static bool see_filter(void *ctx, const struct vrp *filter)
{
	struct match *m = ctx;

	m->found |= m->any || filter->asn == m->asn;
	return !m->found;
}

static bool vrp_filtered(const struct slurm *s, const struct vrp *v)
{
	struct prefix p = vrp_prefix(v);
	struct match m = { .any = true };

	if (has_number(&s->origins, v->asn))
		return true;
	validity_covering(s->any, &p, see_filter, &m);
	if (m.found)
		return true;
	m = (struct match){ .asn = v->asn };
	validity_covering(s->one, &p, see_filter, &m);
	return m.found;
}

static bool key_filtered(const struct slurm *s, const struct router_key *k)
{
	for (size_t i = 0; i < s->nkeys; i++) {
		const struct key_filter *f = &s->keys[i];

		if ((!f->has_asn || f->asn == k->asn) && (!f->has_ski || memcmp(f->ski, k->ski, sizeof k->ski) == 0))
			return true;
	}
	return false;
}

static bool filtered(void *ctx, const struct payload_table *t, enum payload_kind k, size_t i)
{
	const struct slurm *s = ctx;
	struct vrp v;
	struct router_key key;

	switch (k) {
	case PAYLOAD_VRP:
		v = table_vrp(t, i);
		return vrp_filtered(s, &v);
	case PAYLOAD_KEY:
		key = table_key(t, i);
		return key_filtered(s, &key);
	case PAYLOAD_ASPA:
		return has_number(&s->customers, table_aspa(t, i).customer);
	case PAYLOAD_KINDS:
		break;
	}
	return false;
}

RESULT slurm_apply(const struct slurm *s, const struct payload_table *t, const struct table_limits *limits, uint64_t generation,
    struct slurm_counts *ret_counts, struct payload_table **ret_table)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(limits);
	struct slurm_counts counts = { .filtered = { 0 } };

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	if (t != NULL)
		TRY(table_builder_add_unless(b, t, filtered, (void *)(uintptr_t)s, counts.filtered));
	TRY(table_builder_add_table(b, s->asserted));
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++)
		counts.asserted[k] = s->nasserted[k];
	TRY(table_builder_finish(MOVE(b), generation, ret_table));
	*ret_counts = counts;
	return DONE;
}
