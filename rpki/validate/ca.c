/* ca.c: CAs whose certificates are valid: what is kept of them until their turn comes, and their place in the tree. */
#include "rpki/validate/point.h"

#include <string.h>

#include "base/arena.h"
#include "rpki/object/key.h"

void branch_unref(struct branch *b)
{
	if (b != NULL && atomic_fetch_sub_explicit(&b->holders, 1, memory_order_acq_rel) == 1)
		mem_free(b);
}

void ca_free(struct ca *c)
{
	struct arena *a;

	if (c == NULL)
		return;
	branch_unref(MOVE(c->branch));
	a = MOVE(c->arena); /* own-ok: R3 the object itself lies in it */
	arena_free(a);
}

struct ca *ca_brief(void)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct ca *c = a != NULL ? arena_alloc(a, sizeof *c) : NULL;

	if (c != NULL)
		c->arena = MOVE(a); /* it owns the arena that it lies in */
	return c;
}

RESULT ca_new(struct span octets, enum cert_kind kind, struct span uri, struct report *rep, struct ca **ret)
{
	AUTO(ca_free) struct ca *c = ca_brief();
	const uint8_t *copy = c != NULL ? arena_dup(c->arena, octets.p, octets.n) : NULL, *name = c != NULL ? arena_dup(c->arena, uri.p, uri.n) : NULL;

	if (copy == NULL || name == NULL)
		return FAIL(ERR_NOMEM);
	TRY(cert_read(span_of(copy, octets.n), kind, CERT_USE_ANY, c->arena, rep, &c->cert));
	c->uri = span_of(name, uri.n);
	sha256_of(octets, c->hash);
	*ret = MOVE(c);
	return DONE;
}

void ca_chain_after(int64_t *ret_not_before, int64_t *ret_not_after, const struct ca *by, int64_t not_before, int64_t not_after)
{
	*ret_not_before = not_before > by->chain_not_before ? not_before : by->chain_not_before;
	*ret_not_after = not_after < by->chain_not_after ? not_after : by->chain_not_after;
}

static RESULT copy_set(struct arena *a, const void *from, uint32_t n, size_t size, const void **ret)
{
	*ret = arena_dup(a, n > 0 ? from : "", n * size);
	return *ret != NULL ? DONE : FAIL(ERR_NOMEM);
}

RESULT ca_keep_resources(struct ca *c, const struct resources *effective)
{
	const struct resources *claimed = &c->cert.claimed;
	const void *v4, *v6, *as;

	c->as_claimed = effective->ip4 == claimed->ip4 && effective->ip6 == claimed->ip6 && effective->as == claimed->as && effective->v4.r == claimed->v4.r &&
	    effective->v6.r == claimed->v6.r && effective->asn.r == claimed->asn.r && effective->v4.n == claimed->v4.n && effective->v6.n == claimed->v6.n &&
	    effective->asn.n == claimed->asn.n;
	if (c->as_claimed) {
		c->effective = *claimed;
		return DONE;
	}
	TRY(copy_set(c->arena, effective->v4.r, effective->v4.n, sizeof *effective->v4.r, &v4));
	TRY(copy_set(c->arena, effective->v6.r, effective->v6.n, sizeof *effective->v6.r, &v6));
	TRY(copy_set(c->arena, effective->asn.r, effective->asn.n, sizeof *effective->asn.r, &as));
	c->effective = *effective;
	c->effective.v4.r = v4;
	c->effective.v6.r = v6;
	c->effective.asn.r = as;
	return DONE;
}

bool ca_is_above(const struct ca *c, struct span ski)
{
	if (span_equal(c->cert.ski, ski))
		return true;
	for (unsigned int i = 0; i < c->depth; i++)
		if (ski.n == CA_KEY_ID && memcmp(c->above[i], ski.p, CA_KEY_ID) == 0)
			return true;
	return false;
}

RESULT child_below(struct ca *c, const struct ca *by, int64_t stale)
{
	c->anchor = by->anchor;
	c->depth = by->depth + 1;
	c->stale = stale;
	ca_chain_after(&c->chain_not_before, &c->chain_not_after, by, c->cert.not_before, c->cert.not_after);
	c->above = arena_alloc_array(c->arena, c->depth, sizeof *c->above);
	if (c->above == NULL)
		return FAIL(ERR_NOMEM);
	if (by->depth > 0)
		memcpy(c->above, by->above, by->depth * sizeof *c->above);
	if (by->cert.ski.n == CA_KEY_ID)
		memcpy(c->above[by->depth], by->cert.ski.p, CA_KEY_ID);
	return DONE;
}

RESULT ca_copy_brief(struct ca *to, const struct ca *c)
{
	const struct {
		struct span *to BORROWED_FIELD;
		struct span from;
	} texts[] = { { &to->uri, c->uri }, { &to->cert.notify, c->cert.notify }, { &to->cert.manifest, c->cert.manifest }, { &to->cert.repository, c->cert.repository },
		{ &to->cert.ski, c->cert.ski }, { &to->cert.serial, c->cert.serial } };
	const void *above = c->above;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const uint8_t *copy = arena_dup(to->arena, texts[i].from.n > 0 ? texts[i].from.p : (const uint8_t *)"", texts[i].from.n);

		if (copy == NULL)
			return FAIL(ERR_NOMEM);
		*texts[i].to = span_of(copy, texts[i].from.n);
	}
	to->above = arena_dup(to->arena, above, c->depth * sizeof *c->above);
	if (to->above == NULL)
		return FAIL(ERR_NOMEM);
	to->cert.not_before = c->cert.not_before;
	to->cert.not_after = c->cert.not_after;
	to->anchor = c->anchor;
	to->depth = c->depth;
	to->chain_not_before = c->chain_not_before;
	to->chain_not_after = c->chain_not_after;
	to->stale = c->stale;
	memcpy(to->hash, c->hash, sizeof to->hash);
	memcpy(to->identity, c->identity, sizeof to->identity);
	to->brief = to->identified = true;
	return DONE;
}
