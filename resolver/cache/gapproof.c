#include "resolver/cache/gapproof.h"

#include "resolver/cache/key.h"
#include "validator/nsec.h"

static void decide(struct gap_proof *ret, enum denied what)
{
	ret->what = what;
}

static void add(struct gap_proof *p, struct gap *g)
{
	for (unsigned int i = 0; i < p->gaps; i++) {
		if (p->gap[i] == g)
			return;
	}
	p->gap[p->gaps++] = g;
}

/* --- at a name that exists */

/* The name asked for has this bit map. An owner with NXNAME is not there; whatever it has beside that, it is there for nothing else (RFC 9824 section 3.1). */
static enum denied denied_at(const struct gap *g, const struct gap_question *q)
{
	if (bitmap_has(g->types, RR_NXNAME))
		return bitmap_has_data(g->types) || bitmap_has(g->types, q->type) ? DENIED_NOTHING : DENIED_NXDOMAIN;
	return bitmap_denies(g->types, q->type, name_is_root(q->name)) ? DENIED_NODATA : DENIED_NOTHING;
}

/* The wildcard that the name is to be answered from has this bit map. */
static enum denied denied_at_wildcard(const struct gap *g, const struct gap_question *q)
{
	if (!g->speaks_below || q->type == RR_ANY)
		return DENIED_NOTHING; /* a delegation or a DNAME at "*" (RFC 4592 section 4): the zone's servers may know what that means */
	return bitmap_denies(g->types, q->type, false) ? DENIED_NODATA : DENIED_WILDCARD;
}

/* --- NSEC */

/* The part of key that names the closest encloser: what owner or next have of it, whole labels. */
static size_t common_key(struct span key, struct span other)
{
	size_t n = key.n < other.n ? key.n : other.n, same = 0, whole = 0;

	for (; same < n && key.p[same] == other.p[same]; same++) {
		if (key.p[same] == 0)
			whole = same + 1;
	}
	return whole;
}

static unsigned int key_labels(const uint8_t *key, size_t n)
{
	unsigned int labels = 0;

	for (size_t i = 0; i < n; i++)
		labels += key[i] == 0;
	return labels;
}

/* Does a gap that the key lies in speak about it? */
static bool may_speak(const struct gap *g, struct span key)
{
	return g->speaks_below || !gap_key_is_under(key, g->node.key);
}

static void prove_wildcard(struct gap_zone *z, const struct gap_question *q, struct gap *g, size_t encloser, uint8_t *key, struct gap_proof *ret)
{
	unsigned int closest = z->name_labels + key_labels(key, encloser);
	struct gap *w = g;
	bool match = false;

	key[encloser] = '*';
	key[encloser + 1] = 0;
	struct span star = span_of(key, encloser + 2);
	if (!gap_covers(g, star))
		w = gap_zone_at_place(z, GAP_NSEC, GAP_STAR, star, q->now_sec, &match);
	add(ret, g);
	ret->closest = closest;
	if (match) {
		decide(ret, denied_at_wildcard(w, q));
	} else if (w == NULL || !may_speak(w, star)) {
		decide(ret, q->type == RR_ANY ? DENIED_NOTHING : DENIED_WILDCARD); /* whether there is one is not known */
	} else if (gap_key_is_under(w->next, star)) { /* "*" is an empty non-terminal */
		decide(ret, q->type == RR_ANY ? DENIED_NOTHING : DENIED_NODATA);
	} else {
		decide(ret, DENIED_NXDOMAIN);
	}
	if (ret->what == DENIED_NODATA || ret->what == DENIED_NXDOMAIN)
		add(ret, w);
}

void gap_prove_nsec(struct gap_zone *z, const struct gap_question *q, struct gap_proof *ret)
{
	KEY_SCRATCH uint8_t octets[GAP_KEY_OCTETS + 2];
	struct span key = span_of(octets, gap_key(q->name, z->name_labels, octets));
	bool match = false;
	struct gap *g = gap_zone_at(z, GAP_NSEC, key, q->now_sec, &match);

	*ret = (struct gap_proof){ .what = DENIED_NOTHING };
	if (g == NULL)
		return;
	if (match) {
		add(ret, g);
		decide(ret, denied_at(g, q));
	} else if (!may_speak(g, key)) {
		return;
	} else if (gap_key_is_under(g->next, key)) { /* an empty non-terminal */
		add(ret, g);
		decide(ret, DENIED_NODATA);
	} else {
		size_t a = common_key(key, g->node.key), b = common_key(key, g->next);

		prove_wildcard(z, q, g, a > b ? a : b, octets, ret);
	}
}

/* --- NSEC3 */

static const struct gap *any_nsec3(const struct gap_zone *z) BORROWED;
static const struct gap *any_nsec3(const struct gap_zone *z)
{
	return (const struct gap *)(const void *)z->order[GAP_NSEC3].top;
}

static void exchange(bool *known, uint8_t *hash, bool *other_known, uint8_t *other)
{
	if (*known && !*other_known)
		memcpy(other, hash, NSEC3_HASH_OCTETS);
	else if (!*known && *other_known)
		memcpy(hash, other, NSEC3_HASH_OCTETS);
	*known = *other_known = *known || *other_known;
}

bool gap_hashes_sync(struct gap_zone *z, struct gap_hashes *h)
{
	const struct gap *g = any_nsec3(z);
	bool apex, star;

	if (g == NULL)
		return false;
	if (!h->any || h->iterations != g->iterations || !span_equal(span_of(h->salt, h->salt_len), g->salt)) {
		h->any = true;
		h->iterations = g->iterations;
		h->salt_len = (uint8_t)g->salt.n;
		if (g->salt.n != 0)
			memcpy(h->salt, g->salt.p, g->salt.n);
		h->levels = 0;
		h->star_known = false;
	}
	apex = h->levels > 0;
	exchange(&apex, h->level[0], &z->apex_known, z->apex_hash);
	if (apex && h->levels == 0)
		h->levels = 1;
	star = h->star_known && h->star_labels == z->name_labels;
	if (star || !h->star_known) {
		exchange(&star, h->star, &z->star_known, z->star_hash);
		h->star_known = star;
		h->star_labels = z->name_labels;
	}
	return true;
}

static struct span hash_span(const uint8_t *hash)
{
	return span_of(hash, NSEC3_HASH_OCTETS);
}

/* The next closer name is in `cover`, and that without opt-out; now the wildcard. encloser NULL: nothing says that there is one. */
static enum gap_need prove_wildcard3(struct gap_zone *z, const struct gap_question *q, const struct gap_hashes *h, struct gap *encloser, struct gap *cover,
    unsigned int labels, struct gap_proof *ret)
{
	bool match = false;
	struct gap *w;

	if (!h->star_known || h->star_labels != labels)
		return GAP_NEEDS_STAR;
	w = gap_zone_at_place(z, GAP_NSEC3, GAP_STAR3, hash_span(h->star), q->now_sec, &match);
	if (w != NULL && match)
		decide(ret, denied_at_wildcard(w, q));
	else if (w != NULL)
		decide(ret, w->opt_out ? DENIED_NOTHING : DENIED_NXDOMAIN);
	else
		decide(ret, q->type == RR_ANY ? DENIED_NOTHING : DENIED_WILDCARD);
	ret->closest = labels;
	if (encloser == NULL && ret->what != DENIED_WILDCARD) { /* that it exists can only the wildcard's own data tell */
		*ret = (struct gap_proof){ .what = DENIED_NOTHING };
	} else if (ret->what == DENIED_WILDCARD) {
		ret->guess = encloser == NULL;
		add(ret, cover);
	} else if (ret->what != DENIED_NOTHING) {
		add(ret, encloser);
		add(ret, cover);
		add(ret, w);
	}
	return GAP_DECIDED;
}

/* A record below the apex that has the SOA bit is the apex of another zone: it says nothing here. */
static bool is_strange(const struct gap *g, unsigned int level)
{
	return level > 0 && bitmap_has(g->types, RR_SOA);
}

enum gap_need gap_prove_nsec3(struct gap_zone *z, const struct gap_question *q, const struct gap_hashes *h, struct gap_proof *ret, unsigned int *ret_labels)
{
	unsigned int depth = q->name.labels - z->name_labels;
	struct gap *encloser = NULL; /* of the level above */

	*ret = (struct gap_proof){ .what = DENIED_NOTHING };
	for (unsigned int i = 0; i <= depth; i++) {
		bool match = false;
		struct gap *g;

		if (i >= h->levels)
			return GAP_NEEDS_LEVEL;
		g = i == 0 ? gap_zone_at_place(z, GAP_NSEC3, GAP_APEX3, hash_span(h->level[i]), q->now_sec, &match)
			   : gap_zone_at(z, GAP_NSEC3, hash_span(h->level[i]), q->now_sec, &match);
		if (g != NULL && match) {
			if (is_strange(g, i) || (i < depth && !g->speaks_below))
				return GAP_DECIDED;
			if (i == depth) {
				add(ret, g);
				decide(ret, denied_at(g, q));
			}
			encloser = g;
		} else if (g != NULL && i > 0) {
			if (g->opt_out)
				return GAP_DECIDED;
			*ret_labels = z->name_labels + i - 1;
			return prove_wildcard3(z, q, h, encloser, g, *ret_labels, ret);
		} else {
			encloser = NULL;
		}
	}
	return GAP_DECIDED;
}
