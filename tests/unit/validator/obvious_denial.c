#include "tests/unit/validator/obvious_denial.h"

#include <stdlib.h>

#include "base/libcrypto.h"

/* --- names as lists of labels, the top one first, in lower case */

struct labels {
	unsigned int n;
	struct {
		unsigned int n;
		uint8_t b[63];
	} l[128];
};

static void split(const uint8_t *wire, struct labels *to)
{
	struct labels up = { 0 };

	for (; *wire != 0; wire += 1 + *wire) {
		up.l[up.n].n = *wire;
		for (unsigned int i = 0; i < *wire; i++) {
			uint8_t c = wire[1 + i];

			up.l[up.n].b[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
		}
		up.n++;
	}
	to->n = up.n;
	for (unsigned int i = 0; i < up.n; i++)
		to->l[i] = up.l[up.n - 1 - i];
}

static int order_of_labels(const struct labels *a, const struct labels *b, unsigned int i)
{
	for (unsigned int k = 0; k < a->l[i].n && k < b->l[i].n; k++)
		if (a->l[i].b[k] != b->l[i].b[k])
			return a->l[i].b[k] < b->l[i].b[k] ? -1 : 1;
	return a->l[i].n < b->l[i].n ? -1 : a->l[i].n > b->l[i].n;
}

/* RFC 4034 section 6.1 */
static int order(const struct labels *a, const struct labels *b)
{
	for (unsigned int i = 0; i < a->n && i < b->n; i++) {
		int o = order_of_labels(a, b, i);

		if (o != 0)
			return o;
	}
	return a->n < b->n ? -1 : a->n > b->n;
}

static unsigned int common(const struct labels *a, const struct labels *b)
{
	unsigned int i = 0;

	while (i < a->n && i < b->n && order_of_labels(a, b, i) == 0)
		i++;
	return i;
}

static bool under(const struct labels *a, const struct labels *top) /* or the same */
{
	return common(a, top) == top->n;
}

static bool same(const struct labels *a, const struct labels *b)
{
	return a->n == b->n && under(a, b);
}

static struct labels wildcard_at(const struct labels *name, unsigned int n)
{
	struct labels w = *name;

	w.n = n + 1;
	w.l[n].n = 1;
	w.l[n].b[0] = '*';
	return w;
}

static size_t join(const struct labels *a, uint8_t *wire)
{
	size_t at = 0;

	for (unsigned int i = a->n; i-- > 0;) {
		wire[at++] = (uint8_t)a->l[i].n;
		memcpy(wire + at, a->l[i].b, a->l[i].n);
		at += a->l[i].n;
	}
	wire[at++] = 0;
	return at;
}

/* --- types (RFC 4034 section 4.1.2) */

static bool has(const uint8_t *map, size_t n, unsigned int type)
{
	for (size_t at = 0; at + 2 <= n;) {
		unsigned int window = map[at], octets = map[at + 1];

		if (octets == 0 || octets > 32 || at + 2 + octets > n)
			return false;
		if (window == type / 256)
			return type % 256 / 8 < octets && (map[at + 2 + type % 256 / 8] >> (7 - type % 8) & 1) != 0;
		at += 2 + octets;
	}
	return false;
}

struct types {
	const uint8_t *p;
	size_t n;
};
#define HAS(t, type) has((t).p, (t).n, (type))

static bool is_cut(struct types t)
{
	return HAS(t, 2) && !HAS(t, 6);
}

static bool only_compact(struct types t)
{
	for (unsigned int type = 0; type < 65536; type++)
		if (type != 46 && type != 47 && type != 128 && HAS(t, type))
			return false;
	return true;
}

/* What a record at a name (or at the wildcard for it) says of a type. */
static unsigned int said_at(struct types t, unsigned int type, bool at_root, bool at_wildcard)
{
	if (type == 255 ? !only_compact(t) : HAS(t, type) || HAS(t, 5))
		return 0; /* of any type: there is none */
	if (type == 43 && HAS(t, 6) && !at_root)
		return 0; /* the child's record: the DS is at the parent */
	if (type != 43 && is_cut(t))
		return 0; /* the parent's record: all else is at the child */
	if (at_wildcard)
		return is_cut(t) ? 0 : 1u << DENIAL_WILDCARD_NODATA;
	if (type == 43 && is_cut(t))
		return 1u << DENIAL_NO_DS_INSECURE;
	return 1u << DENIAL_PROVEN_NODATA;
}

/* What the record at the name itself says; one with NXNAME says that the name is not there. */
static unsigned int said_of(struct types t, unsigned int type, bool root)
{
	if (HAS(t, 128))
		return only_compact(t) ? 1u << DENIAL_PROVEN_NXDOMAIN : 0;
	return said_at(t, type, root, false);
}

/* The same of the record at the wildcard: that a wildcard is not there, none says so. */
static unsigned int said_of_wildcard(struct types t, unsigned int type)
{
	return HAS(t, 128) && only_compact(t) ? 0 : said_at(t, type, false, true);
}

/* --- records that may speak for the zone */

/* RFC 4035 section 5.3.4: a set made from a wildcard is no record of the zone; and the zone signs it. */
static bool is_the_zones(const struct rrset *rs, const struct labels *zone)
{
	struct labels owner, signer;
	bool star;

	split(rrset_name(rs).wire, &owner);
	star = owner.n > 0 && owner.l[owner.n - 1].n == 1 && owner.l[owner.n - 1].b[0] == '*';
	if (rs->rclass != 1 || rs->security != SECURITY_SECURE || !under(&owner, zone))
		return false;
	for (size_t i = 0; i < rs->sigs; i++) {
		struct span sig = rrset_sig(rs, i);
		struct name name;

		if (sig.n < 19 || !OK(name_from_wire(span_of(sig.p + 18, sig.n - 18), &name)))
			return false;
		split(name.wire, &signer);
		if (!same(&signer, zone) || sig.p[3] != owner.n - (star ? 1u : 0u))
			return false;
	}
	return true;
}

struct record {
	struct labels owner, next;
	struct types types;
	bool last;
};

static bool read_nsec(const struct rrset *rs, const struct labels *zone, struct record *r)
{
	struct span rdata;
	struct name next;

	if (rs->type != 47 || rs->count != 1 || !is_the_zones(rs, zone))
		return false;
	rdata = rrset_rdata(rs, 0);
	if (!OK(name_from_wire(rdata, &next)))
		return false;
	split(rrset_name(rs).wire, &r->owner);
	split(next.wire, &r->next);
	r->types = (struct types){ rdata.p + next.len, rdata.n - next.len };
	r->last = same(&r->next, zone);
	if (!under(&r->next, zone) || (!r->last && order(&r->owner, &r->next) >= 0))
		return false;
	if (HAS(r->types, 6) && !same(&r->owner, zone))
		return false;
	return !same(&r->owner, zone) || !HAS(r->types, 2) || HAS(r->types, 6);
}

static bool covers(const struct record *r, const struct labels *name)
{
	if (order(&r->owner, name) >= 0 || (!r->last && order(name, &r->next) >= 0))
		return false;
	return !(under(name, &r->owner) && (is_cut(r->types) || HAS(r->types, 39)));
}

struct nsecs {
	struct record *r;
	size_t n;
};

/* Records that match or cover: how many. */
static unsigned int speak(const struct nsecs *s, const struct labels *name)
{
	unsigned int match = 0, cover = 0;

	for (size_t i = 0; i < s->n; i++) {
		match += same(&s->r[i].owner, name);
		cover += covers(&s->r[i], name);
	}
	return match + cover;
}

static unsigned int closest_by(const struct record *r, const struct labels *name)
{
	unsigned int a = common(name, &r->owner), b = common(name, &r->next);

	return a > b ? a : b;
}

static unsigned int wildcard_by_nsec(const struct nsecs *s, const struct labels *name, unsigned int type, unsigned int closest, bool *contradict)
{
	struct labels w = wildcard_at(name, closest);
	unsigned int may = 0;

	*contradict = *contradict || speak(s, &w) > 1;
	for (size_t i = 0; i < s->n; i++) {
		const struct record *r = &s->r[i];

		if (same(&r->owner, &w))
			may |= said_of_wildcard(r->types, type);
		if (covers(r, &w))
			may |= under(&r->next, &w) && !same(&r->next, &w) ? 1u << DENIAL_WILDCARD_NODATA : 1u << DENIAL_PROVEN_NXDOMAIN;
	}
	return may;
}

static struct obvious_denial by_nsec(const struct nsecs *s, const struct labels *name, unsigned int type)
{
	struct obvious_denial d = { 0, speak(s, name) > 1 };

	for (size_t i = 0; i < s->n; i++) {
		const struct record *r = &s->r[i];

		if (same(&r->owner, name)) {
			d.may |= said_of(r->types, type, name->n == 0);
		} else if (covers(r, name)) {
			if (under(&r->next, name))
				d.may |= 1u << DENIAL_PROVEN_NODATA;
			else
				d.may |= wildcard_by_nsec(s, name, type, closest_by(r, name), &d.contradict);
		}
	}
	return d;
}

/* --- NSEC3 */

struct record3 {
	char owner[33];
	uint8_t owner_hash[20], next[20];
	struct types types;
	bool opt_out;
	struct span salt;
	unsigned int iterations;
};
struct nsec3s {
	struct record3 *r;
	size_t n;
};

static void digest(uint8_t *data, size_t n, struct span salt, uint8_t hash[20])
{
	unsigned int len = 0;

	memcpy(data + n, salt.p != NULL ? salt.p : data, salt.n);
	if (EVP_Digest(data, n + salt.n, hash, &len, EVP_sha1(), NULL) != 1 || len != 20)
		abort();
}

static void text_of(const uint8_t hash[20], char text[33])
{
	unsigned int at = 0, acc = 0, bits = 0;

	for (unsigned int i = 0; i < 20; i++) {
		acc = acc << 8 | hash[i];
		for (bits += 8; bits >= 5; bits -= 5)
			text[at++] = "0123456789abcdefghijklmnopqrstuv"[acc >> (bits - 5) & 31];
	}
	text[at] = 0;
}

static void hash_of(const struct labels *name, struct span salt, unsigned int iterations, uint8_t hash[20], char text[33])
{
	uint8_t data[600];

	digest(data, join(name, data), salt, hash);
	for (unsigned int i = 0; i < iterations; i++) {
		memcpy(data, hash, 20);
		digest(data, 20, salt, hash);
	}
	text_of(hash, text);
}

void obvious_nsec3_label(struct name name, struct span salt, unsigned int iterations, uint8_t ret_hash[20], char ret_text[33])
{
	struct labels l;

	split(name.wire, &l);
	hash_of(&l, salt, iterations, ret_hash, ret_text);
}

/* The octets that these digits stand for: found by writing each digit's bits. */
static bool octets_of(const char *text, uint8_t hash[20])
{
	memset(hash, 0, 20);
	for (unsigned int i = 0; i < 32; i++) {
		const char *digits = "0123456789abcdefghijklmnopqrstuv", *d = text[i] != 0 ? strchr(digits, text[i]) : NULL;

		if (d == NULL)
			return false;
		for (unsigned int bit = 0; bit < 5; bit++)
			if (((unsigned int)(d - digits) >> (4 - bit) & 1) != 0)
				hash[(i * 5 + bit) / 8] |= (uint8_t)(0x80 >> (i * 5 + bit) % 8);
	}
	return true;
}

static bool read_nsec3(const struct rrset *rs, size_t i, const struct labels *zone, struct record3 *r)
{
	struct span d = rrset_rdata(rs, i);
	struct labels owner;
	size_t salt;

	split(rrset_name(rs).wire, &owner);
	if (rs->type != 50 || !is_the_zones(rs, zone) || owner.n != zone->n + 1 || owner.l[zone->n].n != 32)
		return false;
	memcpy(r->owner, owner.l[zone->n].b, 32);
	r->owner[32] = 0;
	if (!octets_of(r->owner, r->owner_hash) || d.n < 5)
		return false;
	salt = d.p[4];
	if (d.p[0] != 1 || (d.p[1] & 0xfe) != 0 || d.n < 6 + salt || d.p[5 + salt] != 20 || d.n < 26 + salt)
		return false;
	r->opt_out = (d.p[1] & 1) != 0;
	r->iterations = load16(d.p + 2);
	r->salt = span_of(d.p + 5, salt);
	memcpy(r->next, d.p + 6 + salt, 20);
	r->types = (struct types){ d.p + 26 + salt, d.n - 26 - salt };
	return true;
}

static const struct record3 *at3(const struct nsec3s *s, const struct labels *name)
{
	uint8_t hash[20];
	char text[33];

	for (size_t i = 0; i < s->n; i++) {
		hash_of(name, s->r[i].salt, s->r[i].iterations, hash, text);
		if (strcmp(text, s->r[i].owner) == 0)
			return &s->r[i];
	}
	return NULL;
}

static bool covers3(const struct record3 *r, const struct labels *name)
{
	uint8_t hash[20];
	char text[33];
	bool behind, before;

	hash_of(name, r->salt, r->iterations, hash, text);
	behind = memcmp(hash, r->owner_hash, 20) > 0;
	before = memcmp(hash, r->next, 20) < 0;
	if (memcmp(hash, r->owner_hash, 20) == 0)
		return false;
	return memcmp(r->owner_hash, r->next, 20) < 0 ? behind && before : behind || before;
}

static unsigned int speak3(const struct nsec3s *s, const struct labels *name)
{
	unsigned int n = 0;
	uint8_t hash[20];
	char text[33];

	for (size_t i = 0; i < s->n; i++) {
		hash_of(name, s->r[i].salt, s->r[i].iterations, hash, text);
		n += covers3(&s->r[i], name);
		n += strcmp(text, s->r[i].owner) == 0;
	}
	return n;
}

/* DENIAL_WILDCARD_ANSWER stands for "covered", DENIAL_INSECURE_OPTOUT for "covered, with opt-out". */
static unsigned int covered3(const struct nsec3s *s, const struct labels *name)
{
	unsigned int by = 0;

	for (size_t i = 0; i < s->n; i++)
		if (covers3(&s->r[i], name))
			by |= 1u << (s->r[i].opt_out ? DENIAL_INSECURE_OPTOUT : DENIAL_WILDCARD_ANSWER);
	return by;
}

static struct obvious_denial by_nsec3(const struct nsec3s *s, const struct labels *zone, const struct labels *name, unsigned int type)
{
	struct obvious_denial d = { 0, speak3(s, name) > 1 };
	const struct record3 *r = at3(s, name);
	struct labels up = *name, next_closer, w;
	unsigned int by;

	if (r != NULL) {
		if (!HAS(r->types, 6) || same(name, zone))
			d.may = said_of(r->types, type, name->n == 0);
		return d;
	}
	if (same(name, zone))
		return d;
	do { /* RFC 5155 section 8.3 */
		next_closer = up;
		up.n--;
		r = at3(s, &up);
		d.contradict = d.contradict || speak3(s, &up) > 1;
	} while (r == NULL && up.n > zone->n);
	if (r == NULL || is_cut(r->types) || HAS(r->types, 39) || HAS(r->types, 128))
		return d;
	by = covered3(s, &next_closer);
	d.contradict = d.contradict || speak3(s, &next_closer) > 1;
	if (by == 0)
		return d;
	w = wildcard_at(&up, up.n);
	d.contradict = d.contradict || speak3(s, &w) > 1;
	if ((by & 1u << DENIAL_INSECURE_OPTOUT) != 0)
		d.may |= 1u << DENIAL_INSECURE_OPTOUT;
	if ((by & 1u << DENIAL_WILDCARD_ANSWER) == 0)
		return d;
	r = at3(s, &w);
	if (r != NULL)
		d.may |= said_of_wildcard(r->types, type);
	else if (covered3(s, &w) != 0)
		d.may |= 1u << DENIAL_PROVEN_NXDOMAIN;
	return d;
}

/* --- both */

struct all {
	struct labels zone, name;
	struct nsecs nsecs;
	struct nsec3s nsec3s;
	bool mixed, dear, too_dear;
};

static void collect(struct all *a, const struct rrset *const *sets, size_t n, struct name zone, struct name name, const struct denial_limits *limits)
{
	size_t room = 1;

	split(zone.wire, &a->zone);
	split(name.wire, &a->name);
	for (size_t i = 0; i < n; i++)
		room += sets[i]->count;
	a->nsecs = (struct nsecs){ calloc(room, sizeof *a->nsecs.r), 0 };
	a->nsec3s = (struct nsec3s){ calloc(room, sizeof *a->nsec3s.r), 0 };
	if (a->nsecs.r == NULL || a->nsec3s.r == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		a->nsecs.n += read_nsec(sets[i], &a->zone, &a->nsecs.r[a->nsecs.n]);
		for (size_t k = 0; sets[i]->type == 50 && k < sets[i]->count; k++)
			a->nsec3s.n += read_nsec3(sets[i], k, &a->zone, &a->nsec3s.r[a->nsec3s.n]);
	}
	for (size_t i = 1; i < a->nsec3s.n; i++)
		a->mixed = a->mixed || a->nsec3s.r[i].iterations != a->nsec3s.r[0].iterations || !span_equal(a->nsec3s.r[i].salt, a->nsec3s.r[0].salt);
	a->dear = a->nsec3s.n > 0 && a->nsec3s.r[0].iterations > limits->iterations;
	a->too_dear = a->dear && a->nsec3s.r[0].iterations > limits->iterations_checked;
}

/* What would be a proof with fewer iterations is insecure with so many. */
static unsigned int dear_or(const struct all *a, unsigned int may)
{
	return a->dear && may != 0 ? 1u << DENIAL_ITERATIONS_INSECURE : may;
}

static void done(struct all *a)
{
	free(a->nsecs.r);
	free(a->nsec3s.r);
}

struct obvious_denial obvious_denial(const struct rrset *const *sets, size_t n, struct name zone, struct name name, uint16_t type,
    const struct denial_limits *limits)
{
	struct obvious_denial d = { 0, false }, d3;
	struct all *a = calloc(1, sizeof *a);

	if (a == NULL)
		abort();
	collect(a, sets, n, zone, name, limits);
	if (under(&a->name, &a->zone) && !(type == 43 && same(&a->name, &a->zone) && a->zone.n > 0)) {
		d = by_nsec(&a->nsecs, &a->name, type);
		if (a->too_dear && !a->mixed) {
			d.may |= 1u << DENIAL_ITERATIONS_INSECURE;
		} else if (!a->mixed) {
			d3 = by_nsec3(&a->nsec3s, &a->zone, &a->name, type);
			d.may |= dear_or(a, d3.may);
			d.contradict = d.contradict || d3.contradict;
		}
	}
	done(a);
	free(a);
	return d;
}

struct obvious_denial obvious_expansion(const struct rrset *const *sets, size_t n, struct name zone, struct name name, unsigned int labels,
    const struct denial_limits *limits)
{
	struct obvious_denial d = { 0, false };
	struct all *a = calloc(1, sizeof *a);

	if (a == NULL)
		abort();
	collect(a, sets, n, zone, name, limits);
	if (under(&a->name, &a->zone) && labels < a->name.n && labels >= a->zone.n) {
		d.contradict = speak(&a->nsecs, &a->name) > 1;
		for (size_t i = 0; i < a->nsecs.n; i++) {
			const struct record *r = &a->nsecs.r[i];

			if (covers(r, &a->name) && !under(&r->next, &a->name) && closest_by(r, &a->name) == labels)
				d.may |= 1u << DENIAL_WILDCARD_ANSWER;
		}
		if (a->too_dear && !a->mixed) {
			d.may |= 1u << DENIAL_ITERATIONS_INSECURE;
		} else if (!a->mixed) {
			struct labels next_closer = a->name;

			next_closer.n = labels + 1;
			d.may |= dear_or(a, covered3(&a->nsec3s, &next_closer));
		}
	}
	done(a);
	free(a);
	return d;
}
