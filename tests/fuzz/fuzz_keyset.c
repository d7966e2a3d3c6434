/*
 * DNSKEY RRsets with keys of all algorithms and flags, of which some are made at first and the others later, within limits of keys and of work; signed by some of their keys, and
 * with signatures of any octets. Completed, a set is what it is when it is made at once; a key is revoked exactly when it says so and signs the set itself (RFC 5011 section 2.1),
 * by the second implementation.
 */
#include "base/arena.h"
#include "base/cursor.h"
#include "tests/fuzz/kit.h"
#include "tests/unit/validator/obvious.h"
#include "tests/unit/validator/signer.h"
#include "validator/ds.h"
#include "validator/signature.h"
#include "validator/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS 5u
#define SIGS 12u
#define NOW 1700000000u

struct model {
	struct signer *signer[KEYS] BORROWED_FIELD; /* NULL: octets as they came */
	struct span rdata[KEYS];
	size_t keys;
	struct span sig[SIGS];
	size_t sigs;
};

static const struct name zone = { (const uint8_t *)"\7example", 9, 1 };

static void draw_keys(struct model *m, struct arena *a, struct reader *r)
{
	static const uint8_t algs[] = { 13, 15, 8, 14, 16, 5, 7, 10 };
	static const uint16_t flags[] = { 257, 256, 385, 384, 1, 129, 0 };
	uint8_t n = read8(r);

	m->keys = 1 + n % KEYS;
	for (size_t i = 0; i < m->keys; i++) {
		uint8_t c = read8(r);
		struct span any;

		if ((c & 7) != 7) {
			m->signer[i] = signer_new(algs[c & 7], flags[c / 8 % 7], c / 64u);
			m->rdata[i] = signer_dnskey(m->signer[i]);
			continue;
		}
		any = read_span(r, 4u + c / 8u < reader_left(r) ? 4u + c / 8u : reader_left(r));
		m->rdata[i] = span_of(any.n >= 4 ? arena_dup(a, any.p, any.n) : arena_dup(a, "\1\1\3\15", 4), any.n >= 4 ? any.n : 4);
	}
}

static void draw_sigs(struct model *m, struct arena *a, struct reader *r, const struct rrset *set)
{
	for (m->sigs = read8(r) % SIGS; m->sigs > 0 && !reader_end(r); m->sigs--) {
		size_t at = SIGS - m->sigs;
		uint8_t c = read8(r);
		const struct signer *s = m->signer[c % m->keys];
		struct signer_how how = { .zone = (c & 0x10) != 0 ? name_root : zone, .ttl = 3600, .labels = -1, .inception = NOW - 1000,
			.expiration = (c & 0x20) != 0 ? NOW - 500000 : NOW + 1000000 };
		uint8_t *octets;

		if (s == NULL) {
			m->sig[at] = read_span(r, c % 40u < reader_left(r) ? c % 40u : reader_left(r));
			if (m->sig[at].p == NULL)
				m->sig[at] = span_of("", 0);
			continue;
		}
		m->sig[at] = signer_rrsig_in(a, s, &how, set);
		if ((c & 0x40) != 0) {
			octets = arena_dup(a, m->sig[at].p, m->sig[at].n);
			octets[m->sig[at].n - 1 - c % 20] ^= 1;
			m->sig[at].p = octets;
		}
	}
}

static void check_same(const struct keyset *x, const struct keyset *y)
{
	CHECK(keyset_count(x) == keyset_count(y) && name_equal(keyset_owner(x), keyset_owner(y)));
	for (size_t i = 0; i < keyset_count(x); i++) {
		const struct key *a = keyset_key(x, i), *b = keyset_key(y, i);

		CHECK(key_fault(a) == key_fault(b) && key_tag(a) == key_tag(b) && key_flags(a) == key_flags(b) && key_algorithm(a) == key_algorithm(b) && key_cost(a) == key_cost(b));
		CHECK(*key_fault_text(key_fault(a)) != '\0');
	}
}

/* Some keys at first, the rest later, within drawn limits. NULL: not within these. */
static struct keyset *in_parts(const struct rrset *set, struct reader *r, const struct keyset *whole) BORROWED;
static struct keyset *in_parts(const struct rrset *set, struct reader *r, const struct keyset *whole)
{
	struct key_limits limits = KEY_LIMITS, few = KEY_LIMITS;
	uint8_t mask = read8(r), spare = read8(r);
	struct work work = { WORK_KEY_MADE * (spare & 7u) }, plenty = { 10000000 };
	AUTO(keyset_free) struct keyset *ks = NULL;
	bool marked[KEYS];
	size_t n = 0;
	struct result made;

	for (size_t i = 0; i < KEYS; i++)
		marked[i] = (mask >> i & 1) != 0;
	for (size_t i = 0; i < set->count; i++)
		n += marked[i];
	few.max_keys = (spare & 0x80) != 0 ? (uint16_t)(spare >> 3 & 7) : few.max_keys;
	made = keyset_make_some(set, marked, NULL, &few, &work, &ks);
	CHECK(made.e == (set->count > few.max_keys ? ERR_LIMIT : n > (spare & 7u) ? ERR_BUDGET : ERR_NONE));
	if (!OK(made))
		return NULL;
	for (size_t i = 0; i < set->count; i++) {
		CHECK(marked[i] ? key_fault(keyset_key(ks, i)) == key_fault(keyset_key(whole, i)) : key_fault(keyset_key(ks, i)) == KEY_UNMADE);
		CHECK(key_tag(keyset_key(ks, i)) == key_tag(keyset_key(whole, i)));
	}
	CHECK(work.left == WORK_KEY_MADE * ((spare & 7u) - n));
	made = keyset_complete(ks, set, NULL, &limits, &work);
	CHECK(made.e == (set->count - n > (spare & 7u) - n ? ERR_BUDGET : ERR_NONE));
	CHECK(OK(keyset_complete(ks, set, NULL, &limits, &plenty)));
	return MOVE(ks);
}

/* By the second implementation: the key is one, has the flag, and a good signature of its own is among those that are looked at. */
static bool is_revoked(const struct rrset *set, struct span rdata)
{
	struct sig_time t = { NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	bool good = false;

	if (rdata.n < 4 || (rdata.p[1] & 0x80) == 0)
		return false;
	for (size_t i = 0; i < set->sigs && !good; i++) {
		struct span one = rrset_sig(set, i);
		struct rrsig sig;

		if (!OK(rrsig_parse(one, &sig)) || sig.tag != obvious_tag(rdata) || sig.algorithm != rdata.p[3] || !name_equal(sig.signer, zone))
			continue;
		good = obvious_verify(rdata, one, set) && rrsig_check(&sig, set, &t) == SIG_GOOD;
	}
	return good;
}

static void check_revocations(const struct rrset *set, const struct keyset *ks, struct arena *a, uint32_t work_left)
{
	struct sig_time t = { NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, false };

	for (size_t i = 0; i <= set->count; i++) {
		struct work work = { work_left };
		bool revoked = false;
		struct result r = rrset_verify_revocation(set, ks, i, &t, a, &work, &revoked);

		CHECK(OK(r) || r.e == ERR_BUDGET);
		if (!OK(r))
			continue;
		if (i == set->count) {
			CHECK(!revoked);
			continue;
		}
		CHECK(!revoked || key_fault(keyset_key(ks, i)) == KEY_REVOKED);
		if (key_fault(keyset_key(ks, i)) == KEY_REVOKED && set->sigs <= SIG_MAX_FAILURES)
			CHECK(revoked == is_revoked(set, rrset_rdata(set, i)));
	}
}

/* As trust in a zone, which threads share. Takes the keys. */
static void as_trust(const struct rrset *set, struct keyset *ks)
{
	AUTO(trust_unref) struct trust *t = trust_new(TRUST_KEYS, zone, 60, ks, set, 0, NULL);
	AUTO(trust_unref) struct trust *again = NULL;

	CHECK(t != NULL && trust_octets(t) > set->octets && *trust_state_text(t->state) != '\0');
	CHECK(t->ds->ttl <= 60);
	again = trust_ref(t);
	CHECK(again->refs == 2);
}

static void one_input(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct reader r = reader_of(span_of(data, size));
	struct key_limits limits = KEY_LIMITS;
	struct work work = { 10000000 };
	AUTO(keyset_free) struct keyset *whole = NULL;
	struct model m = { .keys = 0 };
	struct span items[KEYS + SIGS];
	struct keyset *parts;
	struct rrset *set;

	if (size < 4)
		return;
	draw_keys(&m, a, &r);
	set = rrset_make_in(a, zone, RR_DNSKEY, CLASS_IN, 3600, m.rdata, m.keys, 0);
	CHECK(set != NULL && OK(keyset_make(set, NULL, &limits, &work, &whole)));
	parts = in_parts(set, &r, whole);
	if (parts != NULL)
		check_same(whole, parts);
	if (parts != NULL)
		as_trust(set, parts);
	draw_sigs(&m, a, &r, set);
	for (size_t i = 0; i < set->count; i++)
		items[i] = rrset_rdata(set, i);
	m.sigs = 0;
	for (size_t i = 0; i < SIGS; i++)
		if (m.sig[i].p != NULL)
			items[set->count + m.sigs++] = m.sig[i];
	set = rrset_make_unique_in(a, zone, RR_DNSKEY, CLASS_IN, 3600, items, set->count, m.sigs);
	CHECK(set != NULL);
	check_revocations(set, whole, a, 10000000);
	check_revocations(set, whole, a, (data[0] & 0xf0u) * 10);
	for (size_t i = 0; i < m.keys; i++)
		signer_free(m.signer[i]);
}

KIT_TARGET(one_input)
