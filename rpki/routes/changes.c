#include "rpki/routes/changes.h"

#include "rpki/routes/raw.h"

struct payload_changes {
	struct raw raw; /* tag 1: announced, 0: withdrawn */
	struct table_limits limits;
};

void changes_free(struct payload_changes *c)
{
	if (c == NULL)
		return;
	raw_done(&c->raw);
	mem_free(c);
}

struct payload_changes *changes_new(const struct table_limits *limits)
{
	AUTO(changes_free) struct payload_changes *c = (struct payload_changes *)mem_alloc(sizeof *c);

	if (c != NULL && limits != NULL)
		c->limits = *limits;
	return MOVE(c);
}

RESULT changes_add_vrp(struct payload_changes *c, bool announce, const struct vrp *v)
{
	if (!vrp_is_sound(v))
		return FAIL(ERR_RANGE);
	if (c->limits.vrps != 0 && c->raw.n4 + c->raw.n6 >= c->limits.vrps)
		return FAIL(ERR_LIMIT);
	return raw_add_vrp(&c->raw, v, announce);
}

RESULT changes_add_key(struct payload_changes *c, bool announce, const struct router_key *k)
{
	if (k->spki.n == 0 || k->spki.n > PAYLOAD_SPKI_MAX)
		return FAIL(ERR_RANGE);
	if (c->limits.keys != 0 && c->raw.nkeys >= c->limits.keys)
		return FAIL(ERR_LIMIT);
	return raw_add_key(&c->raw, k, announce);
}

RESULT changes_add_aspa(struct payload_changes *c, bool announce, const struct aspa_payload *a)
{
	if (announce ? !aspa_is_sound(a) : a->n != 0)
		return FAIL(ERR_RANGE);
	if (c->limits.aspas != 0 && c->raw.naspas >= c->limits.aspas)
		return FAIL(ERR_LIMIT);
	return raw_add_aspa(&c->raw, a, announce);
}

size_t changes_count(const struct payload_changes *c)
{
	return c->raw.n4 + c->raw.n6 + c->raw.nkeys + c->raw.naspas;
}

/* One change to a payload that was there or not: whether it is there now. */
static bool step(bool *there, uint32_t announce, enum changes_fault *fault)
{
	if (announce == *there) {
		*fault = announce ? CHANGES_DUPLICATE : CHANGES_UNKNOWN;
		return false;
	}
	*there = announce != 0;
	return true;
}

static struct vrp change_vrp(const struct raw *r, size_t i, uint32_t *ret_tag)
{
	if (i < r->n4) {
		*ret_tag = r->v4[i].tag;
		return raw4_vrp(&r->v4[i]);
	}
	*ret_tag = r->v6[i - r->n4].tag;
	return raw6_vrp(&r->v6[i - r->n4]);
}

static RESULT apply_vrps(const struct raw *r, const struct payload_table *base, struct changes_problem *p, struct table_builder *b)
{
	size_t n = base != NULL ? table_count(base, PAYLOAD_VRP) : 0, j = 0, i = 0, all = r->n4 + r->n6;

	if (n == 0 && raw_vrps_are(r, 1)) /* a whole table, as most are */
		return table_builder_add_raw_vrps(b, r);
	while (i < all) {
		uint32_t tag;
		struct vrp v = change_vrp(r, i, &tag), old = v;
		bool there = false;

		for (; j < n; j++) {
			old = table_vrp(base, j);
			if (vrp_compare(&old, &v) >= 0)
				break;
			TRY(table_builder_add_vrp(b, &old, SOURCE_NONE));
		}
		if (j < n && vrp_compare(&old, &v) == 0) {
			there = true;
			j++;
		}
		for (; i < all; i++) {
			struct vrp next = change_vrp(r, i, &tag);

			if (vrp_compare(&next, &v) != 0)
				break;
			p->kind = PAYLOAD_VRP;
			p->vrp = v;
			if (!step(&there, tag, &p->fault))
				return FAIL(ERR_FORMAT);
		}
		if (there)
			TRY(table_builder_add_vrp(b, &v, SOURCE_NONE));
	}
	for (; j < n; j++) {
		struct vrp old = table_vrp(base, j);

		TRY(table_builder_add_vrp(b, &old, SOURCE_NONE));
	}
	return DONE;
}

static RESULT apply_keys(const struct raw *r, const struct payload_table *base, struct changes_problem *p, struct table_builder *b)
{
	size_t n = base != NULL ? table_count(base, PAYLOAD_KEY) : 0, j = 0, i = 0;

	while (i < r->nkeys) {
		struct router_key k = raw_key_value(r, &r->keys[i]), old = k;
		bool there = false;

		for (; j < n; j++) {
			old = table_key(base, j);
			if (router_key_compare(&old, &k) >= 0)
				break;
			TRY(table_builder_add_key(b, &old, SOURCE_NONE));
		}
		if (j < n && router_key_compare(&old, &k) == 0) {
			there = true;
			j++;
		}
		for (; i < r->nkeys; i++) {
			struct router_key next = raw_key_value(r, &r->keys[i]);

			if (router_key_compare(&next, &k) != 0)
				break;
			p->kind = PAYLOAD_KEY;
			p->key = k;
			if (!step(&there, r->keys[i].tag, &p->fault))
				return FAIL(ERR_FORMAT);
		}
		if (there)
			TRY(table_builder_add_key(b, &k, SOURCE_NONE));
	}
	for (; j < n; j++) {
		struct router_key old = table_key(base, j);

		TRY(table_builder_add_key(b, &old, SOURCE_NONE));
	}
	return DONE;
}

static RESULT keep_aspa(struct table_builder *b, const struct aspa_payload *a)
{
	return table_builder_add_aspa(b, a->customer, a->providers, a->n, SOURCE_NONE);
}

static RESULT apply_aspas(const struct raw *r, const struct payload_table *base, struct changes_problem *p, struct table_builder *b)
{
	size_t n = base != NULL ? table_count(base, PAYLOAD_ASPA) : 0, j = 0, i = 0;

	while (i < r->naspas) {
		uint32_t customer = r->aspas[i].customer;
		struct aspa_payload now = { .customer = customer }; /* without providers: there is none */

		for (; j < n && table_aspa(base, j).customer < customer; j++) {
			struct aspa_payload old = table_aspa(base, j);

			TRY(keep_aspa(b, &old));
		}
		if (j < n && table_aspa(base, j).customer == customer)
			now = table_aspa(base, j++);
		for (; i < r->naspas && r->aspas[i].customer == customer; i++) {
			p->kind = PAYLOAD_ASPA;
			p->customer = customer;
			p->fault = CHANGES_UNKNOWN;
			if (r->aspas[i].tag == 0 && now.n == 0)
				return FAIL(ERR_FORMAT);
			now = raw_aspa_value(r, &r->aspas[i]);
		}
		if (now.n != 0)
			TRY(keep_aspa(b, &now));
	}
	for (; j < n; j++) {
		struct aspa_payload old = table_aspa(base, j);

		TRY(keep_aspa(b, &old));
	}
	return DONE;
}

RESULT changes_apply(struct payload_changes *c, const struct payload_table *base, uint64_t generation, struct changes_problem *ret_problem,
    struct payload_table **ret_table)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct changes_problem problem = { .fault = CHANGES_SOUND };
	struct result r;

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	TRY(raw_sort(&c->raw));
	r = apply_vrps(&c->raw, base, &problem, b);
	if (OK(r))
		r = apply_keys(&c->raw, base, &problem, b);
	if (OK(r))
		r = apply_aspas(&c->raw, base, &problem, b);
	if (r.e == ERR_FORMAT)
		*ret_problem = problem;
	TRY(r);
	return table_builder_finish(MOVE(b), generation, ret_table);
}
