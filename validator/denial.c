#include "validator/denial.h"

#include "base/arena.h"
#include "validator/nsec.h"
#include "validator/nsec3.h"

const char *denial_text(enum denial d)
{
	switch (d) {
	case DENIAL_NOT_PROVEN:
		return "not proven";
	case DENIAL_PROVEN_NXDOMAIN:
		return "no such name";
	case DENIAL_PROVEN_NODATA:
		return "no such type";
	case DENIAL_WILDCARD_NODATA:
		return "no such type at the wildcard";
	case DENIAL_WILDCARD_ANSWER:
		return "nothing closer than the wildcard";
	case DENIAL_NO_DS_INSECURE:
		return "unsigned delegation";
	case DENIAL_INSECURE_OPTOUT:
		return "opt-out";
	case DENIAL_ITERATIONS_INSECURE:
		return "too many iterations";
	case DENIAL_TOO_MUCH_WORK:
		return "too much work";
	case DENIAL_FAILED:
		return "failed";
	}
	return "?";
}

static struct denial_verdict verdict(enum denial what, const char *text)
{
	struct denial_verdict v = { .what = what, .text = text };

	if (what == DENIAL_NOT_PROVEN)
		v.ede = DENIAL_EDE_NSEC_MISSING;
	else if (what == DENIAL_ITERATIONS_INSECURE)
		v.ede = DENIAL_EDE_ITERATIONS;
	return v;
}

static struct denial_verdict failed(struct result r)
{
	if (r.e == ERR_BUDGET)
		return verdict(DENIAL_TOO_MUCH_WORK, "the work for this question is spent");
	return verdict(DENIAL_FAILED, err_text(r.e));
}

/* "*" under the last `labels` labels of name. Fits always when name has more labels than that: one of them gives way. */
static bool wildcard_at(struct name name, unsigned int labels, struct name_buf *ret)
{
	static const uint8_t star[] = { 1, '*', 0 };

	return OK(name_concat((struct name){ star, sizeof star, 1 }, 1, name_suffix(name, labels), ret));
}

/* The bit map at a name that exists, be it the name itself or the wildcard for it. */
static struct denial_verdict nodata_of(struct span types, uint16_t type, bool root, bool wildcard)
{
	if (!bitmap_denies(types, type, root))
		return verdict(DENIAL_NOT_PROVEN, bitmap_has(types, type) ? "the record that matches the name has the type"
		    : bitmap_has(types, RR_CNAME) ? "the record that matches the name has a CNAME"
						  : "the record that matches the name is from the wrong side of a cut");
	if (wildcard) {
		if (bitmap_is_cut(types))
			return verdict(DENIAL_NOT_PROVEN, "the wildcard is a delegation");
		return verdict(DENIAL_WILDCARD_NODATA, "the wildcard does not have the type");
	}
	if (type == RR_DS && bitmap_is_cut(types))
		return verdict(DENIAL_NO_DS_INSECURE, "the delegation has no DS");
	return verdict(DENIAL_PROVEN_NODATA, "the name does not have the type");
}

/* The bit map of the record that matches the name. */
static struct denial_verdict denied_at(struct span types, uint16_t type, bool root)
{
	struct denial_verdict v;

	if (!bitmap_has(types, RR_NXNAME))
		return nodata_of(types, type, root, false);
	if (!bitmap_is_nxname(types))
		return verdict(DENIAL_NOT_PROVEN, "NXNAME at a name with data");
	v = verdict(DENIAL_PROVEN_NXDOMAIN, "NXNAME at the name");
	v.compact = true;
	return v;
}

/* The bit map of the record that matches the wildcard. */
static struct denial_verdict denied_at_wildcard(struct span types, uint16_t type)
{
	return bitmap_is_nxname(types) ? verdict(DENIAL_NOT_PROVEN, "compact denial for a wildcard") : nodata_of(types, type, false, true);
}

/* --- NSEC */

struct nsecs {
	const struct denial_proof *p BORROWED_FIELD;
	bool any; /* the sets had one that can be used */
};

static bool find_nsec(struct nsecs *s, struct name name, bool (*fits)(const struct nsec *, struct name), struct nsec *ret)
{
	for (size_t i = 0; i < s->p->n; i++) {
		if (s->p->sets[i]->type != RR_NSEC || !OK(nsec_read(s->p->sets[i], s->p->zone, ret)))
			continue;
		s->any = true;
		if (!fits(ret, name))
			continue;
		if (s->p->used != NULL)
			s->p->used[i] = true;
		return true;
	}
	return false;
}

/* The name is not there; now the wildcard. */
static struct denial_verdict nsec_wildcard(struct nsecs *s, struct name name, uint16_t type, unsigned int closest)
{
	struct denial_verdict v;
	struct name_buf wildcard;
	struct nsec n;

	if (!wildcard_at(name, closest, &wildcard))
		return verdict(DENIAL_NOT_PROVEN, "the wildcard's name is too long");
	if (find_nsec(s, name_of(&wildcard), nsec_matches, &n))
		v = denied_at_wildcard(n.types, type);
	else if (!find_nsec(s, name_of(&wildcard), nsec_covers, &n))
		v = verdict(DENIAL_NOT_PROVEN, "no NSEC covers the wildcard");
	else if (nsec_shows_empty(&n, name_of(&wildcard)))
		v = verdict(DENIAL_WILDCARD_NODATA, "the wildcard is an empty non-terminal");
	else
		v = verdict(DENIAL_PROVEN_NXDOMAIN, "NSEC covers name and wildcard");
	v.closest = closest;
	return v;
}

static struct denial_verdict prove_nsec(struct nsecs *s, struct name name, uint16_t type)
{
	struct nsec n;

	if (find_nsec(s, name, nsec_matches, &n))
		return denied_at(n.types, type, name_is_root(name));
	if (!find_nsec(s, name, nsec_covers, &n))
		return verdict(DENIAL_NOT_PROVEN, "no NSEC matches or covers the name");
	if (nsec_shows_empty(&n, name))
		return verdict(DENIAL_PROVEN_NODATA, "the name is an empty non-terminal");
	return nsec_wildcard(s, name, type, nsec_encloser_labels(&n, name));
}

static struct denial_verdict expand_nsec(struct nsecs *s, struct name name, unsigned int labels)
{
	struct nsec n;

	if (!find_nsec(s, name, nsec_covers, &n))
		return verdict(DENIAL_NOT_PROVEN, "no NSEC covers the name that the wildcard answers for");
	if (nsec_shows_empty(&n, name) || nsec_encloser_labels(&n, name) != labels)
		return verdict(DENIAL_NOT_PROVEN, "there is something closer to the name than the wildcard");
	return verdict(DENIAL_WILDCARD_ANSWER, "NSEC covers the name");
}

/* --- NSEC3 */

/* RFC 5155 section 8.3: the closest encloser and the record that covers the next closer name. ret_cover NULL: not proven, *ret_text says why. */
static RESULT closest_encloser(struct nsec3_zone *z, struct name name, unsigned int *ret_labels, const struct nsec3 **ret_cover, const char **ret_text)
{
	const struct nsec3 *match = NULL;
	const struct nsec3 *cover = NULL;
	unsigned int labels = name.labels;

	while (match == NULL && labels-- > z->zone.labels)
		TRY(nsec3_match(z, name_suffix(name, labels), &match));
	*ret_cover = NULL;
	if (match == NULL) {
		*ret_text = "no NSEC3 matches an ancestor of the name";
		return DONE;
	}
	*ret_labels = labels;
	if (bitmap_is_cut(match->types) || bitmap_has(match->types, RR_DNAME)) { /* RFC 6840 section 4.1 */
		*ret_text = "the closest encloser is a delegation or has a DNAME";
		return DONE;
	}
	if (bitmap_has(match->types, RR_NXNAME)) {
		*ret_text = "the closest encloser is denied itself (NXNAME)";
		return DONE;
	}
	TRY(nsec3_cover(z, name_suffix(name, labels + 1), &cover));
	*ret_text = "no NSEC3 covers the next closer name";
	*ret_cover = cover;
	return DONE;
}

static RESULT prove_wildcard3(struct nsec3_zone *z, struct name name, uint16_t type, unsigned int closest, bool opt_out, struct denial_verdict *ret)
{
	struct name_buf wildcard;
	const struct nsec3 *n = NULL;
	bool covered = false;

	*ret = verdict(DENIAL_NOT_PROVEN, "no NSEC3 matches or covers the wildcard");
	if (!wildcard_at(name, closest, &wildcard))
		return DONE;
	TRY(nsec3_match(z, name_of(&wildcard), &n));
	if (n != NULL) {
		*ret = denied_at_wildcard(n->types, type);
	} else {
		TRY(nsec3_cover(z, name_of(&wildcard), &n));
		covered = n != NULL;
		if (covered)
			*ret = verdict(DENIAL_PROVEN_NXDOMAIN, "NSEC3 covers next closer name and wildcard");
	}
	if (opt_out) {
		*ret = verdict(DENIAL_INSECURE_OPTOUT, "the next closer name is in an opt-out span");
		ret->no_wildcard = covered;
	}
	ret->closest = closest;
	return DONE;
}

static RESULT prove_nsec3(struct nsec3_zone *z, struct name name, uint16_t type, struct denial_verdict *ret)
{
	const struct nsec3 *n = NULL;
	unsigned int closest = 0;
	const char *text = NULL;

	TRY(nsec3_match(z, name, &n));
	if (n != NULL) {
		if (bitmap_has(n->types, RR_SOA) && !name_equal(name, z->zone))
			*ret = verdict(DENIAL_NOT_PROVEN, "SOA below the apex");
		else
			*ret = denied_at(n->types, type, name_is_root(name));
		return DONE;
	}
	TRY(closest_encloser(z, name, &closest, &n, &text));
	if (n == NULL) {
		*ret = verdict(DENIAL_NOT_PROVEN, text);
		return DONE;
	}
	return prove_wildcard3(z, name, type, closest, n->opt_out, ret);
}

static RESULT expand_nsec3(struct nsec3_zone *z, struct name name, unsigned int labels, struct denial_verdict *ret)
{
	const struct nsec3 *n = NULL;

	TRY(nsec3_cover(z, name_suffix(name, labels + 1), &n));
	if (n == NULL)
		*ret = verdict(DENIAL_NOT_PROVEN, "no NSEC3 covers the next closer name of the wildcard's answer");
	else if (n->opt_out)
		*ret = verdict(DENIAL_INSECURE_OPTOUT, "the next closer name is in an opt-out span");
	else
		*ret = verdict(DENIAL_WILDCARD_ANSWER, "NSEC3 covers the next closer name");
	return DONE;
}

/* --- both */

/* Which sets the records were of that were of use. */
static void mark_used(const struct denial_proof *p, const struct nsec3_zone *z)
{
	for (size_t r = 0; p->used != NULL && r < z->n; r++)
		for (size_t i = 0; z->records[r].used && i < p->n; i++)
			p->used[i] = p->used[i] || p->sets[i] == z->records[r].set;
}

/* What stands before any hash: the records are of use, and their parameters allowed. ERR_REFUSED: *ret is the verdict; without NSEC3 it stays what NSEC
 * gave. */
static RESULT collect3(const struct denial_proof *p, bool any_nsec, struct nsec3_zone *z, struct denial_verdict *ret)
{
	if (p->used != NULL) /* NSEC records did not suffice */
		memset(p->used, 0, p->n * sizeof *p->used);
	TRY(nsec3_collect(p->sets, p->n, p->zone, p->arena, p->hasher, p->work, z));
	if (z->n == 0 && any_nsec)
		return FAIL(ERR_REFUSED);
	if (z->n == 0)
		*ret = verdict(DENIAL_NOT_PROVEN, "neither NSEC nor NSEC3 of the zone came along");
	else if (z->mixed)
		*ret = verdict(DENIAL_NOT_PROVEN, "NSEC3 records with different parameters");
	else if (z->iterations > p->limits.iterations && z->iterations > p->limits.iterations_checked) {
		*ret = verdict(DENIAL_ITERATIONS_INSECURE, "more NSEC3 iterations than allowed");
		z->records[0].used = true;
		mark_used(p, z);
	} else {
		if (p->memo != NULL)
			nsec3_recall(z, p->memo);
		return DONE;
	}
	return FAIL(ERR_REFUSED);
}

static void hashed(const struct denial_proof *p, const struct nsec3_zone *z)
{
	mark_used(p, z);
	if (p->memo != NULL)
		nsec3_remember(z, p->memo);
}

/* *ret holds the verdict where there is nothing to look for. */
static bool is_answerable(const struct denial_proof *p, struct name name, struct denial_verdict *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->sets[i]->type == RR_NSEC || p->sets[i]->type == RR_NSEC3;
	if (!name_is_under(name, p->zone))
		*ret = verdict(DENIAL_NOT_PROVEN, "the name is not in the zone");
	else if (p->limits.sets != 0 && n > p->limits.sets)
		*ret = verdict(DENIAL_TOO_MUCH_WORK, "more records than any proof needs");
	else
		return true;
	return false;
}

/* A proof with more iterations than allowed proves nothing, but it may be wrong. */
static struct denial_verdict weaken(const struct denial_proof *p, const struct nsec3_zone *z, const struct denial_verdict *v)
{
	struct denial_verdict weak = *v;

	if (z->iterations <= p->limits.iterations || v->what == DENIAL_NOT_PROVEN || v->what == DENIAL_TOO_MUCH_WORK || v->what == DENIAL_FAILED)
		return weak;
	weak = verdict(DENIAL_ITERATIONS_INSECURE, "more NSEC3 iterations than allowed");
	weak.closest = v->closest;
	return weak;
}

struct denial_verdict denial_prove(const struct denial_proof *p, struct name name, uint16_t type)
{
	struct nsecs s = { .p = p };
	struct nsec3_zone z;
	struct denial_verdict v;
	struct result r;

	if (!is_answerable(p, name, &v))
		return v;
	if (type == RR_DS && name_equal(name, p->zone) && !name_is_root(name))
		return verdict(DENIAL_NOT_PROVEN, "a zone has no say about its own DS");
	v = prove_nsec(&s, name, type);
	if (v.what != DENIAL_NOT_PROVEN)
		return v;
	r = collect3(p, s.any, &z, &v);
	if (!OK(r))
		return r.e == ERR_REFUSED ? v : failed(r);
	r = prove_nsec3(&z, name, type, &v);
	if (!OK(r))
		v = failed(r);
	v = weaken(p, &z, &v);
	hashed(p, &z);
	v.hashes = z.hashes;
	return v;
}

struct denial_verdict denial_prove_expansion(const struct denial_proof *p, struct name name, unsigned int labels)
{
	struct nsecs s = { .p = p };
	struct nsec3_zone z;
	struct denial_verdict v;
	struct result r;

	if (!is_answerable(p, name, &v))
		return v;
	if (labels >= name.labels || labels < p->zone.labels)
		return verdict(DENIAL_NOT_PROVEN, "no wildcard of this zone answers for the name");
	v = expand_nsec(&s, name, labels);
	v.closest = labels;
	if (v.what != DENIAL_NOT_PROVEN)
		return v;
	r = collect3(p, s.any, &z, &v);
	if (!OK(r))
		return r.e == ERR_REFUSED ? v : failed(r);
	r = expand_nsec3(&z, name, labels, &v);
	if (!OK(r))
		v = failed(r);
	v = weaken(p, &z, &v);
	hashed(p, &z);
	v.closest = labels;
	v.hashes = z.hashes;
	return v;
}
