#include "validator/anchors.h"

#include <string.h>

#include "base/libcrypto.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "dns/zonefile.h"
#include "validator/algorithm.h"

enum { FLAG_ZONE = 0x0100, FLAG_REVOKE = 0x0080 };

struct item {
	uint8_t *rdata OWNED_FIELD;
	uint16_t n;
	uint16_t type;
};
struct anchor_zone {
	struct name_buf name; /* lower case */
	bool insecure;        /* domain-insecure said so */
	size_t count;
	struct item *items OWNED_FIELD;
};
struct anchors {
	size_t count;
	struct anchor_zone *zones OWNED_FIELD;
	bool sealed;
	uint8_t digest[ANCHORS_DIGEST];
};

static void zone_done(struct anchor_zone *z)
{
	for (size_t i = 0; i < z->count; i++)
		mem_free(MOVE(z->items[i].rdata));
	mem_free(MOVE(z->items));
	z->count = 0;
}

void anchors_free(struct anchors *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->count; i++)
		zone_done(&a->zones[i]);
	mem_free(MOVE(a->zones));
	mem_free(a);
}

struct anchors *anchors_new(void)
{
	return mem_alloc(sizeof(struct anchors));
}

/* Where name is or belongs in the sorted entries. */
static size_t find_place(const struct anchors *a, struct name name, bool *ret_there)
{
	size_t low = 0;
	size_t high = a->count;

	*ret_there = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = name_compare(name_of(&a->zones[mid].name), name);

		if (c == 0) {
			*ret_there = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct result get_zone(struct anchors *a, struct name name, size_t *ret_at)
{
	bool there;
	size_t at = find_place(a, name, &there);
	void *p = a->zones;
	struct result r;

	if (!there) {
		r = mem_resize(&p, a->count, a->count + 1, sizeof *a->zones);
		if (!OK(r))
			return r;
		a->zones = p;
		memmove(a->zones + at + 1, a->zones + at, (a->count - at) * sizeof *a->zones);
		memset(&a->zones[at], 0, sizeof a->zones[at]);
		name_copy(&a->zones[at].name, name);
		name_lower(&a->zones[at].name);
		a->count++;
	}
	*ret_at = at;
	return DONE;
}

/* A slip of the pen that makes the zone bogus, not insecure: it was meant to be trusted. */
bool anchor_cannot_match(uint16_t type, struct span rdata)
{
	const struct digest_kind *d = type == RR_DS && rdata.n >= 4 ? digest_find(rdata.p[3]) : NULL;

	return d != NULL && rdata.n - 4 != d->octets;
}

/* What is wrong with an RR as an anchor; NULL: nothing. */
static const char *why_not(uint16_t type, struct span rdata)
{
	struct reader r = reader_of(rdata);

	if (type == RR_DS) {
		read_skip(&r, 4);
		if (!reader_ok(&r) || reader_left(&r) == 0)
			return "a DS without a digest";
		return NULL;
	}
	if (type == RR_DNSKEY) {
		uint16_t flags = read16(&r);
		uint8_t protocol = read8(&r);

		read8(&r);
		if (!reader_ok(&r) || reader_left(&r) == 0)
			return "a DNSKEY without a key";
		if (protocol != 3)
			return "a DNSKEY of a protocol other than 3";
		if ((flags & FLAG_ZONE) == 0)
			return "a DNSKEY that is no zone key";
		if ((flags & FLAG_REVOKE) != 0)
			return "a revoked DNSKEY";
		return NULL;
	}
	return "a type other than DS and DNSKEY";
}

static int item_compare(const struct item *a, uint16_t type, struct span rdata)
{
	size_t n = a->n < rdata.n ? a->n : rdata.n;
	int c;

	if (a->type != type)
		return a->type < type ? -1 : 1;
	c = memcmp(a->rdata, rdata.p, n);
	return c != 0 ? c : a->n < rdata.n ? -1 : a->n > rdata.n;
}

struct result anchors_add(struct anchors *a, struct name zone, uint16_t type, struct span rdata)
{
	AUTO(mem_free) void *copy = NULL;
	struct anchor_zone *z;
	size_t at;
	size_t i = 0;
	void *p;

	if (why_not(type, rdata) != NULL || rdata.n > UINT16_MAX)
		return FAIL(ERR_FORMAT);
	copy = mem_dup(rdata.p, rdata.n);
	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	TRY(get_zone(a, zone, &at));
	z = &a->zones[at];
	while (i < z->count && item_compare(&z->items[i], type, rdata) < 0)
		i++;
	if (i < z->count && item_compare(&z->items[i], type, rdata) == 0)
		return DONE;
	p = z->items;
	TRY(mem_resize(&p, z->count, z->count + 1, sizeof *z->items));
	z->items = p;
	memmove(z->items + i + 1, z->items + i, (z->count - i) * sizeof *z->items);
	z->items[i].rdata = MOVE(copy);
	z->items[i].n = (uint16_t)rdata.n;
	z->items[i].type = type;
	z->count++;
	return DONE;
}

struct take {
	struct anchors *a BORROWED_FIELD;
	const char *where BORROWED_FIELD;
	struct strbuf *report BORROWED_FIELD;
	size_t taken;
	size_t refused;
};

static struct result take_rr(void *user, const struct zone_rr *rr)
{
	struct take *t = user;
	const char *why = rr->rclass != CLASS_IN ? "a class other than IN" : why_not(rr->type, rr->rdata);
	char text[NAME_TEXT];

	if (why != NULL) {
		t->refused++;
		strbuf_printf(t->report, "%s: %s: found %s, expected a trust anchor\n", t->where, name_to_text(rr->owner, text), why);
		return DONE;
	}
	if (anchor_cannot_match(rr->type, rr->rdata))
		strbuf_printf(t->report, "%s: warning: %s: found a DS whose digest is not of its type's length: no key matches it, and the zone will be bogus\n", t->where,
		    name_to_text(rr->owner, text));
	t->taken++;
	return anchors_add(t->a, rr->owner, rr->type, rr->rdata);
}

struct result anchors_add_text(struct anchors *a, const char *where, struct span text, struct strbuf *report)
{
	struct take t = { a, where, report, 0, 0 };
	struct zone_read z = { .origin_text = where, .origin = name_root, .default_ttl = 3600, .rclass = CLASS_IN, .max_octets = ANCHOR_FILE_MAX,
		.max_generated = 1, .fn = take_rr, .user = &t };

	TRY(zone_read_text(&z, text, report));
	if (t.refused == 0 && t.taken == 0)
		strbuf_printf(report, "%s: found no record, expected DS or DNSKEY\n", where);
	return t.refused == 0 && t.taken != 0 ? DONE : FAIL(ERR_FORMAT);
}

/* As published by IANA at https://data.iana.org/root-anchors/. */
static const uint8_t root_ds[][4 + 32] = {
	{ 0x4f, 0x66, 8, 2, /* 20326 */
	    0xe0, 0x6d, 0x44, 0xb8, 0x0b, 0x8f, 0x1d, 0x39, 0xa9, 0x5c, 0x0b, 0x0d, 0x7c, 0x65, 0xd0, 0x84, 0x58, 0xe8, 0x80, 0x40, 0x9b, 0xbc, 0x68,
	        0x34, 0x57, 0x10, 0x42, 0x37, 0xc7, 0xf8, 0xec, 0x8d },
	{ 0x97, 0x28, 8, 2, /* 38696 */
	    0x68, 0x3d, 0x2d, 0x0a, 0xcb, 0x8c, 0x9b, 0x71, 0x2a, 0x19, 0x48, 0xb2, 0x7f, 0x74, 0x12, 0x19, 0x29, 0x8d, 0x0a, 0x45, 0x0d, 0x61, 0x2c,
	        0x48, 0x3a, 0xf4, 0x44, 0xa4, 0xc0, 0xfb, 0x2b, 0x16 },
};

struct result anchors_add_root(struct anchors *a)
{
	for (size_t i = 0; i < sizeof root_ds / sizeof root_ds[0]; i++)
		TRY(anchors_add(a, name_root, RR_DS, span_of(root_ds[i], sizeof root_ds[i])));
	return DONE;
}

struct result anchors_add_insecure(struct anchors *a, struct name zone)
{
	size_t at;

	TRY(get_zone(a, zone, &at));
	a->zones[at].insecure = true;
	return DONE;
}

struct result anchors_seal(struct anchors *a)
{
	AUTO(EVP_MD_CTX_free) EVP_MD_CTX *h = EVP_MD_CTX_new();
	bool ok;

	if (h == NULL)
		return FAIL(ERR_NOMEM);
	ok = EVP_DigestInit_ex(h, EVP_sha256(), NULL) == 1;
	for (size_t i = 0; i < a->count; i++) {
		const struct anchor_zone *z = &a->zones[i];
		uint8_t head[4] = { z->insecure && z->count == 0, 0, (uint8_t)(z->count >> 8), (uint8_t)z->count };

		ok = ok && EVP_DigestUpdate(h, z->name.b, z->name.len) == 1 && EVP_DigestUpdate(h, head, sizeof head) == 1;
		for (size_t k = 0; k < z->count; k++) {
			uint8_t what[4];

			store16(what, z->items[k].type);
			store16(what + 2, z->items[k].n);
			ok = ok && EVP_DigestUpdate(h, what, sizeof what) == 1 && EVP_DigestUpdate(h, z->items[k].rdata, z->items[k].n) == 1;
		}
	}
	if (!ok || EVP_DigestFinal_ex(h, a->digest, NULL) != 1)
		return FAIL(ERR_SYSTEM);
	a->sealed = true;
	return DONE;
}

struct anchor_found anchors_zone_at(const struct anchors *a, size_t i)
{
	const struct anchor_zone *z = &a->zones[i];

	return (struct anchor_found){ z->count != 0 ? ANCHOR_KEYS : ANCHOR_INSECURE, name_of(&z->name), z->count != 0 ? z : NULL };
}

struct anchor_found anchors_find(const struct anchors *a, struct name name)
{
	for (unsigned int labels = name.labels + 1u; labels-- > 0;) {
		bool there;
		size_t at = find_place(a, name_suffix(name, labels), &there);

		if (there)
			return anchors_zone_at(a, at);
		if (at == 0)
			break; /* every entry is after this suffix, and so after all shorter ones */
	}
	return (struct anchor_found){ ANCHOR_NONE, name_root, NULL };
}

bool anchors_has(const struct anchors *a, struct name zone)
{
	bool there;
	size_t at = find_place(a, zone, &there);

	return there && a->zones[at].count != 0;
}

size_t anchors_zones(const struct anchors *a)
{
	return a->count;
}

size_t anchor_zone_count(const struct anchor_zone *z)
{
	return z->count;
}

struct anchor_rr anchor_zone_rr(const struct anchor_zone *z, size_t i)
{
	return (struct anchor_rr){ z->items[i].type, span_of(z->items[i].rdata, z->items[i].n) };
}

const uint8_t *anchors_digest(const struct anchors *a)
{
	return a->digest;
}

uint16_t dnskey_tag_of(struct span rdata)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < rdata.n && i < UINT16_MAX; i++)
		sum += (i & 1) != 0 ? rdata.p[i] : (uint32_t)rdata.p[i] << 8;
	return (uint16_t)(sum + (sum >> 16));
}

struct nta {
	struct name_buf name;
	int64_t until;
};
struct ntas {
	size_t max;
	size_t count;
	struct nta *list OWNED_FIELD;
};

void ntas_free(struct ntas *n)
{
	if (n == NULL)
		return;
	mem_free(MOVE(n->list));
	mem_free(n);
}

struct ntas *ntas_new(size_t max)
{
	AUTO(ntas_free) struct ntas *n = mem_alloc(sizeof *n);

	if (n != NULL)
		n->max = max;
	return MOVE(n);
}

static size_t nta_place(const struct ntas *n, struct name name, bool *ret_there)
{
	size_t low = 0;
	size_t high = n->count;

	*ret_there = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = name_compare(name_of(&n->list[mid].name), name);

		if (c == 0) {
			*ret_there = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct result ntas_set(struct ntas *n, struct name name, uint32_t lifetime, int64_t now)
{
	bool there;
	size_t at;
	void *p;

	if (lifetime == 0 || lifetime > NTA_LIFETIME_MAX)
		return FAIL(ERR_RANGE);
	at = nta_place(n, name, &there);
	if (!there && n->count >= n->max) {
		ntas_expire(n, now);
		at = nta_place(n, name, &there);
		if (n->count >= n->max)
			return FAIL(ERR_LIMIT);
	}
	if (!there) {
		p = n->list;
		TRY(mem_resize(&p, n->count, n->count + 1, sizeof *n->list));
		n->list = p;
		memmove(n->list + at + 1, n->list + at, (n->count - at) * sizeof *n->list);
		name_copy(&n->list[at].name, name);
		n->count++;
	}
	n->list[at].until = now + lifetime;
	return DONE;
}

bool ntas_remove(struct ntas *n, struct name name)
{
	bool there;
	size_t at = nta_place(n, name, &there);

	if (!there)
		return false;
	n->count--;
	memmove(n->list + at, n->list + at + 1, (n->count - at) * sizeof *n->list);
	return true;
}

size_t ntas_expire(struct ntas *n, int64_t now)
{
	size_t kept = 0;
	size_t gone;

	for (size_t i = 0; i < n->count; i++) {
		if (n->list[i].until > now)
			n->list[kept++] = n->list[i];
	}
	gone = n->count - kept;
	n->count = kept;
	return gone;
}

size_t ntas_count(const struct ntas *n)
{
	return n->count;
}

struct name ntas_at(const struct ntas *n, size_t i, int64_t *ret_until)
{
	*ret_until = n->list[i].until;
	return name_of(&n->list[i].name);
}

struct anchor_found anchors_find_with(const struct anchors *a, const struct ntas *n, int64_t now, struct name name)
{
	struct anchor_found f = anchors_find(a, name);
	unsigned int least = f.kind == ANCHOR_NONE ? 0 : f.zone.labels; /* a closer anchor is not reached by an NTA above it (RFC 7646 section 2) */

	if (n->count == 0)
		return f;
	for (unsigned int labels = name.labels + 1u; labels-- > least;) {
		bool there;
		size_t at = nta_place(n, name_suffix(name, labels), &there);

		if (there && n->list[at].until > now)
			return (struct anchor_found){ ANCHOR_NEGATIVE, name_of(&n->list[at].name), NULL };
	}
	return f;
}
