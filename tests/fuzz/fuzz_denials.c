/*
 * Denials that contradict each other, expire, are evicted and flushed, for two zones, and questions: whatever the cache answers, the sets that come with it must prove it to
 * the validator, and none is past its end. The cache stays within its limit.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "resolver/cache/denials.h"
#include "resolver/cache/rrcache.h"
#include "tests/fuzz/failing.h"
#include "validator/denial.h"
#include "validator/nsec3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

#define LIMIT 16384u
#define MAX_OPS 2000u
#define MAX_TTL 40u

static const struct hash_key hash_key = { { 11, 22 } };
static const uint16_t types[] = { RR_A, RR_NS, RR_SOA, RR_DS, RR_CNAME, RR_DNAME, RR_NXNAME, RR_TXT };
#define TYPES (sizeof types / sizeof types[0])

struct world {
	struct denials *d BORROWED_FIELD;
	struct nsec3_hasher *h BORROWED_FIELD;
	struct arena *a BORROWED_FIELD;
	struct now now;
	struct name_buf zone[2];
	uint32_t limit;
	uint64_t octets; /* before this step: it may be above a limit that was lowered, but does not grow then */
};

/* Up to three labels out of few, in one octet. */
static struct name nth(struct world *w, uint8_t n, const struct name_buf *zone)
{
	static const uint8_t *const label[] = { (const uint8_t *)"\1a", (const uint8_t *)"\1B", (const uint8_t *)"\1*", (const uint8_t *)"\1\0" };
	struct name_buf at = *zone, next;

	for (unsigned int i = n & 3; i > 0; i--) {
		const uint8_t *l = label[n >> (2 * i) & 3];
		uint8_t one[3] = { 1, l[1], 0 };

		CHECK(OK(name_concat((struct name){ one, 3, 1 }, 1, name_of(&at), &next)));
		at = next;
	}
	return name_dup_in(w->a, name_of(&at));
}

static struct rrset *make(struct world *w, struct name owner, uint16_t type, uint32_t ttl, struct span rdata, struct name signer) OWNED_BY(rrset_free);
static struct rrset *make(struct world *w, struct name owner, uint16_t type, uint32_t ttl, struct span rdata, struct name signer)
{
	uint8_t sig[18 + NAME_MAX_OCTETS + 4] = { 0, (uint8_t)type, 13 };
	struct span both[2] = { rdata, { sig, 18u + signer.len + 4u } };
	struct rrset *rs;

	sig[3] = (uint8_t)(owner.labels - (name_is_wildcard(owner) ? 1 : 0));
	memcpy(sig + 18, signer.wire, signer.len);
	rs = rrset_make_in(w->a, owner, type, CLASS_IN, ttl, both, 1, 1);
	CHECK(rs != NULL);
	rs->security = SECURITY_SECURE;
	return rs;
}

static size_t bitmap(uint8_t mask, bool nsec, uint8_t *out)
{
	uint8_t bits[17] = { 0 };
	size_t used = 0;

	for (unsigned int i = 0; i < TYPES; i++) {
		if ((mask >> i & 1) != 0)
			bits[types[i] / 8] |= (uint8_t)(0x80 >> types[i] % 8);
	}
	if (nsec)
		bits[RR_NSEC / 8] |= 0x80 >> RR_NSEC % 8;
	for (size_t i = 0; i < sizeof bits; i++)
		used = bits[i] != 0 ? i + 1 : used;
	if (used == 0)
		return 0;
	out[0] = 0;
	out[1] = (uint8_t)used;
	memcpy(out + 2, bits, used);
	return used + 2;
}

static const struct rrset *read_nsec(struct world *w, struct reader *r, const struct name_buf *zone)
{
	struct name owner = nth(w, read8(r), zone), next = nth(w, read8(r), zone);
	uint8_t rdata[NAME_MAX_OCTETS + 20];
	uint32_t ttl = read8(r) % MAX_TTL;

	memcpy(rdata, next.wire, next.len);
	return make(w, owner, RR_NSEC, ttl, span_of(rdata, next.len + bitmap(read8(r), true, rdata + next.len)), name_of(zone));
}

/* The hash of a name or one beside it. */
static void read_hash(struct world *w, struct reader *r, const struct name_buf *zone, struct span salt, unsigned int iterations, uint8_t *ret)
{
	struct name n = nth(w, read8(r), zone);
	uint8_t by = read8(r);

	CHECK(OK(nsec3_hash(w->h, n, salt, iterations, ret)));
	ret[by >> 4] = (uint8_t)(ret[by >> 4] + (by & 15) - 7);
}

static const struct rrset *read_nsec3(struct world *w, struct reader *r, const struct name_buf *zone)
{
	static const char digit[] = "0123456789abcdefghijklmnopqrstuv";
	uint8_t how = read8(r), rdata[60] = { 1, how & 1, 0, how >> 1 & 1, how >> 2 & 1, 77 }, hash[NSEC3_HASH_OCTETS], label[34] = { 32 };
	struct span salt = span_of(rdata + 5, rdata[4]);
	size_t at = 5 + salt.n;
	struct name_buf owner;
	uint32_t ttl = read8(r) % MAX_TTL;

	read_hash(w, r, zone, salt, rdata[3], hash);
	for (unsigned int i = 0; i < 32; i++) {
		unsigned int bit = i * 5, v = (unsigned int)(hash[bit / 8] << 8 | (bit / 8 + 1 < NSEC3_HASH_OCTETS ? hash[bit / 8 + 1] : 0));

		label[1 + i] = (uint8_t)digit[v >> (11 - bit % 8) & 31];
	}
	CHECK(OK(name_concat((struct name){ label, 34, 1 }, 1, name_of(zone), &owner)));
	rdata[at++] = NSEC3_HASH_OCTETS;
	read_hash(w, r, zone, salt, rdata[3], rdata + at);
	at += NSEC3_HASH_OCTETS;
	return make(w, name_of(&owner), RR_NSEC3, ttl, span_of(rdata, at + bitmap(read8(r), false, rdata + at)), name_of(zone));
}

static const struct rrset *read_soa(struct world *w, struct reader *r, const struct name_buf *zone)
{
	uint8_t rdata[22] = { 0 };
	uint32_t ttl = read8(r) % MAX_TTL;

	rdata[21] = read8(r);
	return make(w, name_of(zone), RR_SOA, ttl, span_of(rdata, sizeof rdata), name_of(zone));
}

static enum denied proven(enum denial d)
{
	switch (d) {
	case DENIAL_PROVEN_NXDOMAIN:
		return DENIED_NXDOMAIN;
	case DENIAL_PROVEN_NODATA:
	case DENIAL_WILDCARD_NODATA:
	case DENIAL_NO_DS_INSECURE:
		return DENIED_NODATA;
	case DENIAL_WILDCARD_ANSWER:
		return DENIED_WILDCARD;
	default:
		return DENIED_NOTHING;
	}
}

/* Whose denials they are, and that each is fresh. */
static struct name zone_of(struct world *w, const struct denied_answer *a)
{
	struct name zone = { NULL, 0, 0 };

	CHECK(a->n > 0 && a->n <= 4);
	for (size_t i = 0; i < a->n; i++) {
		CHECK(a->sets[i]->ttl > 0 && a->sets[i]->ttl <= MAX_TTL && a->ttl <= a->sets[i]->ttl);
		CHECK(OK(name_from_wire(span_of(rrset_sig(a->sets[i], 0).p + 18, rrset_sig(a->sets[i], 0).n - 18), &zone)));
	}
	CHECK(name_equal(zone, name_of(&w->zone[0])) || name_equal(zone, name_of(&w->zone[1])));
	return zone;
}

static void find(struct world *w, struct reader *r)
{
	struct name name = MINE(nth(w, read8(r), &w->zone[read8(r) & 1]));
	uint16_t type = types[read8(r) % TYPES];
	unsigned int hashes = read8(r) % 8;
	struct denied_answer a;
	struct work work = { UINT32_MAX };
	struct denial_proof p;

	denials_find(w->d, name, type, name_root, w->h, hashes, w->a, &w->now, &a);
	if (a.what == DENIED_NOTHING)
		return;
	p = (struct denial_proof){ .zone = zone_of(w, &a), .sets = a.sets, .n = a.n, .limits = DENIAL_LIMITS, .hasher = w->h, .work = &work, .arena = w->a };
	CHECK(name_is_under(name, p.zone) && (type != RR_DS || name_is_strictly_under(name, p.zone)));
	if (a.what == DENIED_WILDCARD)
		CHECK(MINE(denial_prove_expansion(&p, name, a.wildcard.labels - 1u).what) == DENIAL_WILDCARD_ANSWER);
	else
		CHECK(proven(MINE(denial_prove(&p, name, type).what)) == a.what && a.no_soa == (a.sets[0]->type != RR_SOA));
}

/* One of many zones with a denial or two; some that are no use to anybody. */
static void put_another(struct world *w, struct reader *r)
{
	uint8_t label[] = { 2, 'x', read8(r) }, how = read8(r), rdata[8] = { 0, 0, 6, 0x22 };
	struct name_buf zone, more;
	struct rrset *rs;

	CHECK(OK(name_from_text("more.", NULL, &more)) && OK(name_concat((struct name){ label, 3, 1 }, 1, name_of(&more), &zone)));
	rs = MINE(make(w, name_of(&zone), (how & 1) != 0 ? RR_SOA : RR_NSEC, how % MAX_TTL, span_of(rdata, 4), name_of(&zone)));
	rs->security = (how & 0x40) != 0 ? SECURITY_INSECURE : SECURITY_SECURE;
	denials_put_for(w->d, name_of(&zone), rs, (how & 0x80) != 0 ? 5 : MAX_TTL, &w->now);
}

/* What was put is there, for no longer than it was said to be good; another set is not. */
static void look_again(struct world *w, const struct name_buf *zone, const struct rrset *rs)
{
	AUTO(rrset_free) struct rrset *other = MINE(rrset_copy(rs));
	struct span sig = rrset_sig(rs, 0);
	uint32_t left = 0;

	CHECK(other != NULL);
	if (denials_has(w->d, name_of(zone), rs, &w->now, &left))
		CHECK(left > 0 && left <= MAX_TTL && w->limit > 0);
	((uint8_t *)other)[sig.p + sig.n - 1 - (const uint8_t *)rs] ^= 1; /* of the signature */
	CHECK(!denials_has(w->d, name_of(zone), other, &w->now, &left));
}

static void put(struct world *w, const struct name_buf *zone, const struct rrset *rs)
{
	denials_put(w->d, name_of(zone), rs, &w->now);
	look_again(w, zone, rs);
}

static void step(struct world *w, struct reader *r)
{
	uint8_t what = read8(r);
	const struct name_buf *zone = &w->zone[what >> 7];
	struct cache_usage u;

	denials_usage(w->d, &u);
	w->octets = u.octets;
	switch (what & 15) {
	case 0:
		w->now.mono_ns += (uint64_t)read8(r) % 16 * UINT64_C(1000000000);
		break;
	case 1:
		(void)denials_flush(w->d, MINE(nth(w, read8(r), zone)));
		break;
	case 2:
		put(w, zone, MINE(read_soa(w, r, zone)));
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		put(w, zone, MINE(read_nsec(w, r, zone)));
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		put(w, zone, MINE(read_nsec3(w, r, zone)));
		break;
	case 13:
		w->limit = (what & 0x40) != 0 ? LIMIT : (what & 0x20) != 0 ? 0 : LIMIT / 4 * 3; /* the tables have their part, and keep it */
		denials_set_limit(w->d, w->limit);
		break;
	case 14:
	case 15:
		put_another(w, r);
		break;
	default:
		find(w, r);
		break;
	}
	denials_usage(w->d, &u);
	CHECK(w->limit == 0 ? u.entries == 0 : u.octets <= w->limit || u.octets <= w->octets);
	CHECK(u.entries > 0 || denials_flush(w->d, name_root) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(denials_free) struct denials *d = denials_new(LIMIT, &hash_key);
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct world w = { .d = d, .h = h, .a = a, .now = { .mono_ns = UINT64_C(1000000000000) }, .limit = LIMIT };
	struct reader r = reader_of(span_of(data, size));

	if (d == NULL || h == NULL || a == NULL) {
		CHECK(mem_failed());
		return 0;
	}
	CHECK(OK(name_from_text("Test.", NULL, &w.zone[0])) && OK(name_from_text("a.test.", NULL, &w.zone[1])));
	for (unsigned int i = 0; i < MAX_OPS && !reader_end(&r); i++) {
		step(&w, &r);
		if (i % 32 == 0)
			arena_reset(a);
	}
	return 0;
}
