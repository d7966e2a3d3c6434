/* take.c: what stands in a publication point's files: each object is looked at by itself, and gives its products, or a CA, or is refused. */
#include <string.h>

#include "base/arena.h"
#include "rpki/object/aspa.h"
#include "rpki/object/ghostbusters.h"
#include "rpki/object/manifest.h"
#include "rpki/object/roa.h"
#include "rpki/object/tak.h"
#include "rpki/validate/point.h"
#include "rpki/validate/remember.h"

/* --- products */

static struct item *add_item(struct point *p, enum counted kind, const struct point_file *f, const struct cert *c) BORROWED;
static struct item *add_item(struct point *p, enum counted kind, const struct point_file *f, const struct cert *c)
{
	struct item *x = arena_alloc(p->arena, sizeof *x);

	if (x == NULL)
		return NULL;
	*x = (struct item){ p->items, kind, f->uri, f->hash, c->serial, c->not_before, c->not_after };
	p->items = x;
	return x;
}

static struct product *add_product(struct point *p, const struct item *item) BORROWED;
static struct product *add_product(struct point *p, const struct item *item)
{
	struct product *x = item != NULL ? arena_alloc(p->arena, sizeof *x) : NULL;

	if (x == NULL)
		return NULL;
	x->item = item;
	product_origin(p, x);
	x->next = p->products;
	p->products = x;
	return x;
}

static RESULT take_roa(struct point *p, const struct point_file *f, const struct issuer *by, struct report *rep)
{
	struct resources effective;
	struct product *x;
	struct cms cms;
	struct roa roa;

	TRY(cms_read(f->octets, OBJECT_ROA, p->arena, rep, &cms));
	remember_validity(p, cms.ee.not_before, cms.ee.not_after);
	TRY(roa_read(&cms, rep, &roa));
	TRY(cms_check(&cms, by, p->options->now, p->arena, rep, &effective));
	TRY(roa_check(&roa, &cms.ee, &effective, rep));
	x = add_product(p, add_item(p, COUNTED_ROA, f, &cms.ee));
	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->as = roa.as;
	x->what = roa.blocks;
	x->prefixes = roa.prefixes;
	p->payloads += roa.prefixes;
	return DONE;
}

static RESULT take_aspa(struct point *p, const struct point_file *f, const struct issuer *by, struct report *rep)
{
	struct resources effective;
	uint32_t *list, provider;
	struct reader walk;
	struct product *x;
	struct aspa aspa;
	struct cms cms;
	size_t n = 0;

	TRY(cms_read(f->octets, OBJECT_ASPA, p->arena, rep, &cms));
	remember_validity(p, cms.ee.not_before, cms.ee.not_after);
	TRY(aspa_read(&cms, rep, &aspa));
	TRY(cms_check(&cms, by, p->options->now, p->arena, rep, &effective));
	TRY(aspa_check(&aspa, &cms.ee, &effective, rep));
	x = add_product(p, add_item(p, COUNTED_ASPA, f, &cms.ee));
	list = x != NULL ? arena_alloc_array(p->arena, aspa.count + 1, sizeof *list) : NULL;
	if (list == NULL)
		return FAIL(ERR_NOMEM);
	for (walk = aspa_begin(&aspa); n < aspa.count && aspa_next(&walk, &provider); n++)
		list[n] = provider;
	x->as = aspa.customer;
	x->list = list;
	x->n = n;
	p->payloads += n;
	return DONE;
}

static RESULT take_ghostbusters(struct point *p, const struct point_file *f, const struct issuer *by, struct report *rep)
{
	struct resources effective;
	struct ghostbusters g;
	struct cms cms;

	TRY(cms_read(f->octets, OBJECT_GHOSTBUSTERS, p->arena, rep, &cms));
	remember_validity(p, cms.ee.not_before, cms.ee.not_after);
	TRY(cms_check(&cms, by, p->options->now, p->arena, rep, &effective));
	TRY(ghostbusters_read(&cms, rep, &g));
	TRY(ghostbusters_check(&cms.ee, rep));
	return add_item(p, COUNTED_GHOSTBUSTERS, f, &cms.ee) != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT take_tak(struct point *p, const struct point_file *f, const struct issuer *by, struct report *rep)
{
	struct resources effective;
	struct cms cms;
	struct tak tak;

	TRY(cms_read(f->octets, OBJECT_TAK, p->arena, rep, &cms));
	remember_validity(p, cms.ee.not_before, cms.ee.not_after);
	TRY(cms_check(&cms, by, p->options->now, p->arena, rep, &effective));
	TRY(tak_read(&cms, rep, &tak));
	TRY(tak_check(&tak, &cms.ee, by->cert, rep));
	return add_item(p, COUNTED_TAK, f, &cms.ee) != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT take_router(struct point *p, const struct point_file *f, const struct issuer *by, struct report *rep)
{
	struct resources effective;
	const struct item *item;
	struct product *x;
	struct cert c;

	TRY(cert_read(f->octets, CERT_ROUTER, CERT_USE_ANY, p->arena, rep, &c));
	remember_validity(p, c.not_before, c.not_after);
	TRY(cert_check(&c, by, p->options->now, p->arena, rep, &effective));
	item = add_item(p, COUNTED_ROUTER, f, &c);
	if (item == NULL)
		return FAIL(ERR_NOMEM);
	for (uint32_t i = 0; i < effective.asn.n; i++) {
		for (uint64_t as = effective.asn.r[i].lo; as <= effective.asn.r[i].hi; as++) {
			if (++p->payloads > p->options->limits.payloads)
				return DONE; /* the whole point falls for that */
			x = add_product(p, item);
			if (x == NULL)
				return FAIL(ERR_NOMEM);
			x->as = (uint32_t)as;
			x->ski = c.ski;
			x->what = c.key.whole;
		}
	}
	return DONE;
}

/* --- children */

RESULT child_join(struct point *p, struct ca *c, bool *ret_room)
{
	*ret_room = true;
	if (c->depth < 2)
		return DONE;
	if (p->ca->branch == NULL) {
		c->branch = mem_alloc(sizeof *c->branch);
		if (c->branch == NULL)
			return FAIL(ERR_NOMEM);
		atomic_init(&c->branch->holders, 1);
		atomic_init(&c->branch->points, 1);
		return DONE;
	}
	if (atomic_fetch_add_explicit(&p->ca->branch->points, 1, memory_order_relaxed) >= p->options->limits.branch) {
		*ret_room = false;
		return DONE;
	}
	atomic_fetch_add_explicit(&p->ca->branch->holders, 1, memory_order_relaxed);
	c->branch = p->ca->branch;
	return DONE;
}

/* Thousands may wait for their turn: when its certificate can be read again from the store, as little as can be is kept of a CA whose resources are those of its certificate. */
static RESULT shrink(const struct point *p, struct ca **c)
{
	AUTO(ca_free) struct ca *small = NULL;

	if (!p->remembers || (*c)->brief || !(*c)->as_claimed)
		return DONE;
	remember_identify(&p->options->limits, *c);
	small = ca_brief();
	if (small == NULL || !(*c)->identified)
		return FAIL(ERR_NOMEM);
	TRY(ca_copy_brief(small, *c));
	small->as_claimed = true;
	memcpy(small->by, p->ca->identity, sizeof small->by);
	ca_free(MOVE(*c));
	*c = MOVE(small);
	return DONE;
}

RESULT child_add(struct point *p, struct ca *given, const char **ret_why)
{
	AUTO(ca_free) struct ca *c = MOVE(given);
	bool room;

	TRY(child_below(c, p->ca, p->stale));
	TRY(shrink(p, &c));
	if (c->depth > p->options->limits.depth || c->depth >= CA_MAX_DEPTH) {
		*ret_why = "more CAs above one another than allowed";
		p->limits++;
		return DONE;
	}
	TRY(child_join(p, c, &room));
	if (!room) {
		*ret_why = CHILD_NO_ROOM;
		p->limits++;
		p->unsure = true;
		return DONE;
	}
	p->child_count++;
	c->next = MOVE(p->children);
	p->children = MOVE(c);
	return DONE;
}

static RESULT take_child(struct point *p, const struct point_file *f, const struct issuer *by, struct report *rep, const char **ret_why)
{
	AUTO(ca_free) struct ca *c = NULL;
	struct resources effective;

	TRY(ca_new(f->octets, CERT_CA, f->uri, rep, &c));
	remember_validity(p, c->cert.not_before, c->cert.not_after);
	TRY(cert_check(&c->cert, by, p->options->now, c->arena, rep, &effective));
	if (ca_is_above(p->ca, c->cert.ski)) {
		*ret_why = "a CA below itself: the key is one of its issuers'";
		return DONE;
	}
	TRY(ca_keep_resources(c, &effective));
	return child_add(p, MOVE(c), ret_why);
}

/* --- all of them */

static enum counted counted_as(enum object_type t, enum cert_kind kind)
{
	switch (t) {
	case OBJECT_CERT:
		return kind == CERT_ROUTER ? COUNTED_ROUTER : COUNTED_CERT;
	case OBJECT_CRL:
		return COUNTED_CRL;
	case OBJECT_ROA:
		return COUNTED_ROA;
	case OBJECT_MANIFEST:
		return COUNTED_MANIFEST;
	case OBJECT_GHOSTBUSTERS:
		return COUNTED_GHOSTBUSTERS;
	case OBJECT_ASPA:
		return COUNTED_ASPA;
	case OBJECT_TAK:
		return COUNTED_TAK;
	case OBJECT_UNKNOWN:
	case OBJECT_RSC:
	case OBJECT_PREFIX_LIST:
	case OBJECT_TAL:
	case OBJECT_TYPES:
		break;
	}
	return COUNTED_OTHER;
}

RESULT point_take(struct point *p, const struct manifest_file *m, const struct point_file *f, const struct issuer *by)
{
	enum object_type type = object_type_of_name(m->name);
	enum cert_kind kind = type == OBJECT_CERT ? cert_kind_of(f->octets) : CERT_EE;
	enum counted counted = counted_as(type, kind);
	const char *why = NULL;
	struct report rep;
	struct result r = DONE;
	bool good;

	report_init(&rep);
	switch (counted) {
	case COUNTED_ROA:
		r = take_roa(p, f, by, &rep);
		break;
	case COUNTED_ASPA:
		r = take_aspa(p, f, by, &rep);
		break;
	case COUNTED_CERT:
		r = take_child(p, f, by, &rep, &why);
		break;
	case COUNTED_ROUTER:
		r = take_router(p, f, by, &rep);
		break;
	case COUNTED_GHOSTBUSTERS:
		r = take_ghostbusters(p, f, by, &rep);
		break;
	case COUNTED_TAK:
		r = take_tak(p, f, by, &rep);
		break;
	case COUNTED_CRL: /* the one that counts was looked at; others do no harm */
	case COUNTED_MANIFEST:
	case COUNTED_OTHER:
	case COUNTED:
		return DONE;
	}
	TRY(point_verdict(r, &good));
	good = good && why == NULL;
	p->valid[counted] += good;
	p->invalid[counted] += !good;
	if (good)
		return DONE;
	return why != NULL ? point_refuse_text(p, f->uri, why) : point_refuse(p, f->uri, &rep);
}
