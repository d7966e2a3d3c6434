#include "tests/unit/validator/validator_test.h"

#include "dns/edns.h"
#include "tests/unit/validator/signer.h"
#include "validator/ds.h"
#include "validator/signature.h"

static struct arena *arena;

static struct sig_report verify(const char *zone, const char *const *keys, struct rrset *set, uint32_t now)
{
	struct rrset *dnskeys = signed_set(arena, zone, RR_DNSKEY, 3600, keys, NULL);
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = SIG_LIMITS;
	struct work work = { 1000000 };
	struct sig_time t = { now, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	AUTO(keyset_free) struct keyset *ks = NULL;
	struct sig_report r = { 0 };

	assert_ok(keyset_make(dnskeys, NULL, &kl, &work, &ks));
	assert_ok(rrset_verify(set, ks, NULL, NULL, &t, &sl, arena, &work, &r));
	return r;
}

static struct sig_report a_set(const char *owner, const char *address, const char *key, const char *sig, uint32_t now)
{
	return verify("Example.net.", TEXTS(key), signed_set(arena, owner, RR_A, 3600, TEXTS(address), TEXTS(sig)), now);
}

static void signatures_of_the_rfcs(void **state)
{
	struct rrset *mx;

	(void)state;
	assert_int_equal(a_set("www.example.net.", "192.0.2.91", KEY_RFC5702_8, SIG_RFC5702_8, 1300000000).verdict, SIG_GOOD);
	assert_int_equal(a_set("www.example.net.", "192.0.2.91", KEY_RFC5702_10, SIG_RFC5702_10, 1300000000).verdict, SIG_GOOD);
	assert_int_equal(a_set("WWW.example.net.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1283000000).verdict, SIG_GOOD);
	assert_int_equal(a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_14, SIG_RFC6605_14, 1283000000).verdict, SIG_GOOD);
	mx = signed_set(arena, "example.com.", RR_MX, 3600, TEXTS("10 MAIL.example.com."), TEXTS(SIG_RFC8080_15));
	assert_int_equal(verify("example.com.", TEXTS(KEY_RFC8080_15), mx, 1439000000).verdict, SIG_GOOD);
	mx = signed_set(arena, "example.com.", RR_MX, 3600, TEXTS("10 mail.example.com."), TEXTS(SIG_RFC8080_16));
	assert_int_equal(verify("example.com.", TEXTS(KEY_RFC8080_16), mx, 1439000000).verdict, SIG_GOOD);
}

static void what_is_wrong_is_said(void **state)
{
	struct sig_report r;

	(void)state;
	r = a_set("www.example.net.", "192.0.2.2", KEY_RFC6605_13, SIG_RFC6605_13, 1283000000);
	assert_int_equal(r.verdict, SIG_BAD);
	assert_int_equal(r.ede, EDE_BOGUS);
	r = a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1300000000);
	assert_int_equal(r.verdict, SIG_EXPIRED);
	assert_int_equal(r.ede, EDE_SIG_EXPIRED);
	r = a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1200000000);
	assert_int_equal(r.ede, EDE_SIG_NOT_YET);
	r = a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_14, SIG_RFC6605_13, 1283000000);
	assert_int_equal(r.ede, EDE_DNSKEY_MISSING);
	r = a_set("example.net.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1283000000);
	assert_int_equal(r.verdict, SIG_LABELS);
	r = a_set("www.example.org.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1283000000);
	assert_int_equal(r.verdict, SIG_SIGNER);
	r = a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_13, "A 13 1 3600 20100909100439 20100812100439 55648 example.net. AAAA", 1283000000);
	assert_int_equal(r.verdict, SIG_LABELS); /* fewer than the signer's */
}

static void digests_of_the_rfcs(void **state)
{
	struct rrset *ds = signed_set(arena, "example.net.", RR_DS, 60, TEXTS(DS_RFC6605_13, DS_RFC6605_14), NULL);
	struct rrset *keys = signed_set(arena, "EXAMPLE.net.", RR_DNSKEY, 60, TEXTS(KEY_RFC6605_13, KEY_RFC6605_14, KEY_RFC5702_8), NULL);
	struct work work = { 100000 };
	bool vouched[3];
	size_t n = 0;

	(void)state;
	assert_ok(ds_vouch(ds, keys, NULL, DS_MAX_MISSES, &work, vouched, &n));
	assert_int_equal(n, 2);
	ds = signed_set(arena, "example.org.", RR_DS, 60, TEXTS(DS_RFC6605_13), NULL);
	keys = signed_set(arena, "example.org.", RR_DNSKEY, 60, TEXTS(KEY_RFC6605_13), NULL);
	assert_ok(ds_vouch(ds, keys, NULL, DS_MAX_MISSES, &work, vouched, &n));
	assert_int_equal(n, 0);
}

/* --- with keys of our own */

#define NOW 1600000000u

static struct name_buf zone_buf;
static struct signer_how how_for(const char *zone)
{
	zone_buf = nb(zone);
	return (struct signer_how){ .zone = name_of(&zone_buf), .inception = NOW - 86400, .expiration = NOW + 86400 * 20, .ttl = 3600, .labels = -1 };
}

static struct rrset *key_set(const char *zone, const struct span *keys, size_t n)
{
	struct name_buf owner = nb(zone);
	struct rrset *rs = rrset_make_in(arena, name_of(&owner), RR_DNSKEY, CLASS_IN, 3600, keys, n, 0);

	assert_non_null(rs);
	return rs;
}

static struct sig_report verify_by(const struct rrset *dnskeys, const struct rrset *set, const bool *allowed, struct sig_limits limits)
{
	struct key_limits kl = KEY_LIMITS;
	struct work work = { 10000000 };
	struct sig_time t = { NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	AUTO(keyset_free) struct keyset *ks = NULL;
	struct sig_report r = { 0 };

	assert_ok(keyset_make(dnskeys, NULL, &kl, &work, &ks));
	assert_ok(rrset_verify(set, ks, allowed, NULL, &t, &limits, arena, &work, &r));
	return r;
}

static struct sig_report verify_with(const struct signer *s, const char *zone, const struct rrset *set)
{
	struct span key = signer_dnskey(s);

	return verify_by(key_set(zone, &key, 1), set, NULL, SIG_LIMITS);
}

static struct rrset *plain(const char *owner, uint16_t type, const char *const *rdata)
{
	return signed_set(arena, owner, type, 3600, rdata, NULL);
}

static void every_algorithm_signs_a_set(void **state)
{
	static const uint8_t algs[] = { 5, 7, 8, 10, 13, 14, 15, 16 };

	(void)state;
	for (size_t i = 0; i < sizeof algs; i++) {
		AUTO(signer_free) struct signer *s = signer_new(algs[i], 256, 0);
		struct signer_how how = how_for("example.");
		struct rrset *set = plain("www.example.", RR_A, TEXTS("192.0.2.1", "192.0.2.2"));
		struct sig_report r = verify_with(s, "example.", signer_signed_in(arena, s, &how, set));

		assert_int_equal(r.verdict, SIG_GOOD);
		assert_int_equal(r.algorithm, algs[i]);
		assert_int_equal(r.tag, signer_tag(s));
		assert_int_equal(r.tried, 1);
		assert_int_equal(r.ttl, 3600);
		assert_false(r.wildcard);
	}
}

/* The same signature, made at "*.w.example.", for other owners. */
static void a_wildcard_answers_for_names_below_its_encloser(void **state)
{
	static const struct {
		const char *owner;
		enum sig_verdict want;
		bool wildcard;
	} cases[] = { { "*.w.example.", SIG_GOOD, false }, { "a.w.example.", SIG_GOOD, true }, { "A.b.c.W.example.", SIG_GOOD, true }, { "*.a.w.example.", SIG_GOOD, true },
		{ "w.example.", SIG_BAD, false }, { "example.", SIG_LABELS, false }, { "a.x.example.", SIG_BAD, false } };
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for("example.");
	struct span sig = signer_rrsig_in(arena, s, &how, plain("*.w.example.", RR_A, TEXTS("192.0.2.1")));

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rrset *set = signer_with_in(arena, plain(cases[i].owner, RR_A, TEXTS("192.0.2.1")), &sig, 1);
		struct sig_report r = verify_with(s, "example.", set);
		struct name_buf source = nb("untouched."), star = nb("*.w.example.");
		struct rrsig parsed;

		assert_int_equal(r.verdict, cases[i].want);
		assert_int_equal(r.wildcard, cases[i].wildcard);
		assert_ok(rrsig_parse(sig, &parsed));
		if (cases[i].want != SIG_GOOD)
			continue;
		assert_int_equal(rrsig_wildcard(&parsed, set, &source), cases[i].wildcard);
		if (!cases[i].wildcard)
			star = nb("untouched.");
		assert_true(name_equal(name_of(&source), name_of(&star)));
	}
}

static void the_longest_owner_has_a_wildcard_too(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for(".");
	char owner[260] = "";
	struct name_buf source;
	struct rrsig parsed;
	struct rrset *set;

	(void)state;
	for (size_t i = 0; i < 127; i++)
		memcpy(owner + 2 * i, "a.", 3);
	set = plain(owner, RR_A, TEXTS("192.0.2.1"));
	assert_int_equal(set->name_len, NAME_MAX_OCTETS);
	for (int labels = 126; labels >= 0; labels -= 63) {
		struct rrset *rs;

		how.labels = labels;
		rs = signer_signed_in(arena, s, &how, set);
		assert_int_equal(verify_with(s, ".", rs).verdict, SIG_GOOD);
		assert_ok(rrsig_parse(rrset_sig(rs, 0), &parsed));
		assert_true(rrsig_wildcard(&parsed, rs, &source));
		assert_int_equal(source.labels, labels + 1);
		assert_int_equal(source.len, 2 * labels + 3);
	}
}

/* RFC 4035 section 5.3.1 and RFC 4034 section 5: whose signature it may be. */
static void the_signer_is_the_zone_that_holds_the_set(void **state)
{
	static const struct {
		const char *owner;
		uint16_t type;
		const char *rdata, *zone;
		enum sig_verdict want;
	} cases[] = { { "sub.example.", RR_DNSKEY, KEY_RFC8080_15, "sub.example.", SIG_GOOD }, { "sub.example.", RR_DNSKEY, KEY_RFC8080_15, "example.", SIG_SIGNER },
		{ "sub.example.", RR_SOA, "a. b. 1 2 3 4 5", "sub.example.", SIG_GOOD }, { "sub.example.", RR_SOA, "a. b. 1 2 3 4 5", "example.", SIG_SIGNER },
		{ "sub.example.", RR_NSEC3PARAM, "1 0 0 -", "example.", SIG_SIGNER }, { "sub.example.", RR_NSEC3PARAM, "1 0 0 -", "sub.example.", SIG_GOOD },
		{ "sub.example.", RR_DS, DS_RFC8080_15, "sub.example.", SIG_SIGNER }, { "sub.example.", RR_DS, DS_RFC8080_15, "example.", SIG_GOOD },
		{ ".", RR_DS, DS_RFC8080_15, ".", SIG_SIGNER }, { "sub.example.", RR_NS, "a.", "sub.example.", SIG_GOOD }, { "sub.example.", RR_NS, "a.", "example.", SIG_GOOD },
		{ "sub.example.", RR_A, "192.0.2.1", "ub.example.", SIG_SIGNER }, { "sub.example.", RR_A, "192.0.2.1", "a.sub.example.", SIG_SIGNER },
		{ "sub.example.", RR_A, "192.0.2.1", "org.", SIG_SIGNER }, { "sub.example.", RR_A, "192.0.2.1", ".", SIG_GOOD } };
	AUTO(signer_free) struct signer *s = signer_new(15, 257, 0);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct signer_how how = how_for(cases[i].zone);
		struct rrset *set = plain(cases[i].owner, cases[i].type, TEXTS(cases[i].rdata));

		assert_int_equal(verify_with(s, cases[i].zone, signer_signed_in(arena, s, &how, set)).verdict, cases[i].want);
	}
}

static void the_signer_is_the_owner_of_the_keys(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 257, 0);
	struct signer_how how = how_for("example.");
	struct rrset *set = signer_signed_in(arena, s, &how, plain("sub.example.", RR_A, TEXTS("192.0.2.1")));

	(void)state;
	assert_int_equal(verify_with(s, "EXAMPLE.", set).verdict, SIG_GOOD);
	assert_int_equal(verify_with(s, ".", set).verdict, SIG_SIGNER);
	assert_int_equal(verify_with(s, "sub.example.", set).verdict, SIG_SIGNER);
}

static void labels_are_between_signer_and_owner(void **state)
{
	struct name_buf zone = nb("b.example.");
	struct sig_time t = { NOW, 0, 0, true };
	struct rrsig sig = { .type = RR_A, .signer = name_of(&zone) };

	(void)state;
	for (unsigned int labels = 0; labels < 8; labels++) {
		sig.labels = (uint8_t)labels;
		assert_int_equal(rrsig_check(&sig, plain("d.c.b.example.", RR_A, TEXTS("192.0.2.1")), &t), labels >= 2 && labels <= 4 ? SIG_GOOD : SIG_LABELS);
		assert_int_equal(rrsig_check(&sig, plain("*.c.b.example.", RR_A, TEXTS("192.0.2.1")), &t), labels >= 2 && labels <= 3 ? SIG_GOOD : SIG_LABELS);
	}
	sig.type = RR_AAAA;
	assert_int_equal(rrsig_check(&sig, plain("d.c.b.example.", RR_A, TEXTS("192.0.2.1")), &t), SIG_MISSING);
}

static enum sig_verdict dates(uint32_t inception, uint32_t expiration, uint32_t now)
{
	static const struct name example = { (const uint8_t *)"\7example", 9, 1 };
	struct rrsig sig = { .type = RR_A, .labels = 1, .signer = example, .inception = inception, .expiration = expiration };
	struct sig_time t = { now, SIG_SKEW_MIN, SIG_SKEW_MAX, false };

	return rrsig_check(&sig, plain("example.", RR_A, TEXTS("192.0.2.1")), &t);
}

/* A tenth of the signature's life, at least an hour, at most a day; on the circle of 2^32 seconds (RFC 1982), wherever that begins. */
static void clocks_may_be_off_a_little(void **state)
{
	static const uint32_t starts[] = { NOW, 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffff000 };

	(void)state;
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		uint32_t s = starts[i];

		assert_int_equal(dates(s, s + 7200, s), SIG_GOOD); /* two hours */
		assert_int_equal(dates(s, s + 7200, s - 3600), SIG_GOOD);
		assert_int_equal(dates(s, s + 7200, s - 3601), SIG_NOT_YET);
		assert_int_equal(dates(s, s + 7200, s + 7200 + 3600), SIG_GOOD);
		assert_int_equal(dates(s, s + 7200, s + 7200 + 3601), SIG_EXPIRED);
		assert_int_equal(dates(s, s + 400000, s - 40000), SIG_GOOD); /* days */
		assert_int_equal(dates(s, s + 400000, s - 40001), SIG_NOT_YET);
		assert_int_equal(dates(s, s + 400000, s + 440001), SIG_EXPIRED);
		assert_int_equal(dates(s, s + 30000000, s - 86400), SIG_GOOD); /* a year */
		assert_int_equal(dates(s, s + 30000000, s - 86401), SIG_NOT_YET);
		assert_int_equal(dates(s, s + 30000000, s + 30086400), SIG_GOOD);
		assert_int_equal(dates(s, s + 30000000, s + 30086401), SIG_EXPIRED);
		assert_int_equal(dates(s, s + 0x7fffffff, s), SIG_GOOD); /* the longest life there is */
		assert_int_equal(dates(s, s + 0x7fffffff, s - 86401), SIG_NOT_YET);
		assert_int_equal(dates(s, s, s), SIG_GOOD);
		assert_int_equal(dates(s, s - 1, s), SIG_DATES);
		assert_int_equal(dates(s, s - 0x7fffffff, s), SIG_DATES);
		assert_int_equal(dates(s, s + 100, s + 0x70000000), SIG_EXPIRED);
		assert_int_equal(dates(s, s + 100, s - 0x70000000), SIG_NOT_YET);
	}
	assert_int_equal(sig_verdict_ede(SIG_DATES), EDE_SIG_BEFORE_INCEPTION);
}

static uint32_t ttl_of(uint32_t set_ttl, uint32_t original, uint32_t left, bool ignore)
{
	struct rrset *set = signed_set(arena, "example.", RR_A, set_ttl, TEXTS("192.0.2.1"), NULL);
	struct rrsig sig = { .ttl = original, .inception = NOW + left - 36000, .expiration = NOW + left };
	struct sig_time t = { NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, ignore };

	return rrsig_ttl(&sig, set, &t);
}

static void a_set_is_kept_no_longer_than_its_signature(void **state)
{
	(void)state;
	assert_int_equal(ttl_of(300, 600, 10000, false), 300);
	assert_int_equal(ttl_of(600, 300, 10000, false), 300);
	assert_int_equal(ttl_of(86400, 86400, 10000, false), 10000);
	assert_int_equal(ttl_of(86400, 86400, 1, false), 1);
	assert_int_equal(ttl_of(86400, 86400, 0, false), 3600);             /* by the skew alone */
	assert_int_equal(ttl_of(86400, 86400, (uint32_t)-100, false), 3500);
	assert_int_equal(ttl_of(86400, 86400, (uint32_t)-3600, false), 0);
	assert_int_equal(ttl_of(86400, 86400, (uint32_t)-7200, false), 0);
	assert_int_equal(ttl_of(86400, 300, (uint32_t)-7200, true), 300);
}

static void the_original_ttl_counts(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for("example.");
	struct span sig;

	(void)state;
	how.ttl = 7200;
	sig = signer_rrsig_in(arena, s, &how, plain("example.", RR_A, TEXTS("192.0.2.1")));
	for (uint32_t ttl = 0; ttl <= 100000; ttl += 10000) {
		struct rrset *set = signer_with_in(arena, signed_set(arena, "example.", RR_A, ttl, TEXTS("192.0.2.1"), NULL), &sig, 1);

		assert_int_equal(verify_with(s, "example.", set).verdict, SIG_GOOD);
		assert_int_equal(verify_with(s, "example.", set).ttl, ttl < 7200 ? ttl : 7200);
	}
}

static void rdata_is_signed_in_canonical_order(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for("example.");
	struct rrset *sorted = plain("example.", RR_TXT, TEXTS("a", "b", "aa", "ab", "\"\"", "aaa"));
	struct span sig = signer_rrsig_in(arena, s, &how, sorted);
	struct span spans[7];
	struct canonical c;

	(void)state;
	for (size_t turn = 0; turn < 6; turn++) {
		for (size_t i = 0; i < 6; i++)
			spans[i] = rrset_rdata(sorted, (i * 5 + turn) % 6);
		spans[6] = sig;
		assert_int_equal(verify_with(s, "example.", rrset_make_in(arena, rrset_name(sorted), RR_TXT, CLASS_IN, 60, spans, 6, 1)).verdict, SIG_GOOD);
	}
	assert_ok(canonical_make(arena, sorted, &c));
	assert_int_equal(c.count, 6);
	for (size_t i = 1; i < c.count; i++)
		assert_true(rdata_compare(RR_TXT, c.rdata[i - 1], c.rdata[i]) < 0);
	for (size_t i = 0; i < 6; i++)
		spans[i] = rrset_rdata(sorted, i);
	assert_int_equal(verify_with(s, "example.", rrset_make_in(arena, rrset_name(sorted), RR_TXT, CLASS_IN, 60, &spans[1], 5, 1)).verdict, SIG_BAD); /* one is missing */
}

static void a_shorter_rdata_stands_before_its_continuation(void **state)
{
	static const char *const opaque[] = { "\\# 3 010203", "\\# 2 0102", "\\# 2 0103", "\\# 1 ff", "\\# 0", NULL };
	struct canonical c;

	(void)state;
	assert_ok(canonical_make(arena, plain("example.", 65280, opaque), &c));
	assert_int_equal(c.count, 5);
	assert_int_equal(c.octets, 8);
	assert_int_equal(c.rdata[0].n, 0);
	assert_int_equal(c.rdata[1].n, 2);
	assert_int_equal(c.rdata[2].n, 3);
	assert_int_equal(c.rdata[3].n, 2);
	assert_int_equal(c.rdata[4].p[0], 0xff);
}

static void duplicates_do_not_count(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for("example.");
	struct rrset *once = plain("example.", RR_MX, TEXTS("10 mail.example.", "20 mail.example."));
	struct span spans[4] = { rrset_rdata(once, 0), rrset_rdata(once, 1), rdata_of(arena, RR_MX, "10 MAIL.example."), signer_rrsig_in(arena, s, &how, once) };
	struct rrset *twice = rrset_make_unique_in(arena, rrset_name(once), RR_MX, CLASS_IN, 60, spans, 3, 1);
	struct canonical c;

	(void)state;
	assert_int_equal(twice->count, 3);
	assert_int_equal(verify_with(s, "example.", twice).verdict, SIG_GOOD);
	assert_ok(canonical_make(arena, twice, &c));
	assert_int_equal(c.count, 2);
}

/* RFC 4034 section 6.2 (3) with RFC 6840 section 5.1: where the case of names in rdata does not count. */
static void names_in_rdata_are_lowered_in_old_types_only(void **state)
{
	static const struct {
		uint16_t type;
		const char *signed_as, *seen_as;
		bool same;
	} cases[] = { { RR_NS, "ns.example.", "NS.Example.", true }, { RR_CNAME, "ns.example.", "NS.Example.", true }, { RR_PTR, "ns.example.", "NS.Example.", true },
		{ RR_MX, "1 ns.example.", "1 NS.Example.", true }, { RR_SOA, "a.b. c.d. 1 2 3 4 5", "A.b. C.D. 1 2 3 4 5", true },
		{ RR_SRV, "1 2 3 ns.example.", "1 2 3 NS.Example.", true }, { RR_DNAME, "ns.example.", "NS.Example.", true },
		{ RR_NAPTR, "1 2 \"a\" \"b\" \"c\" ns.example.", "1 2 \"a\" \"b\" \"c\" NS.Example.", true },
		{ RR_NAPTR, "1 2 \"a\" \"b\" \"c\" ns.example.", "1 2 \"A\" \"b\" \"c\" ns.Example.", false }, { RR_TXT, "ns.example.", "NS.Example.", false },
		{ RR_NSEC, "ns.example. A", "NS.Example. A", false }, { RR_SVCB, "1 ns.example.", "1 NS.Example.", false }, { RR_HTTPS, "1 ns.example.", "1 NS.Example.", false } };
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct signer_how how = how_for("example.");
		struct span sig = signer_rrsig_in(arena, s, &how, plain("example.", cases[i].type, TEXTS(cases[i].signed_as)));
		struct rrset *set = signer_with_in(arena, plain("EXAMPLE.", cases[i].type, TEXTS(cases[i].seen_as)), &sig, 1);

		assert_int_equal(verify_with(s, "example.", set).verdict, cases[i].same ? SIG_GOOD : SIG_BAD);
	}
}

/* --- keys with the same tag, and limits */

/* An Ed25519 key that nobody has the secret of, with the tag that is asked for. */
static struct span lookalike(uint16_t tag, uint32_t number)
{
	uint8_t room[36] = { 1, 0, 3, 15 };
	struct span rdata = { room, sizeof room };

	store32(room + 8, number);
	for (uint32_t i = 0; i < 0x10000; i++) {
		store16(room + 34, (uint16_t)i);
		if (dnskey_tag(rdata) == tag)
			return span_of(arena_dup(arena, room, sizeof room), sizeof room);
	}
	fail_msg("no key of tag %u", tag);
	return rdata;
}

static void keys_with_the_same_tag_are_tried_up_to_a_limit(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for("example.");
	struct rrset *set = signer_signed_in(arena, s, &how, plain("example.", RR_A, TEXTS("192.0.2.1")));

	(void)state;
	for (uint32_t before = 0; before < 10; before++) {
		struct sig_limits many = { 100, 100, 100 };
		struct span keys[12];
		struct sig_report r;

		for (uint32_t i = 0; i < before; i++)
			keys[i] = lookalike(signer_tag(s), i);
		keys[before] = signer_dnskey(s);
		r = verify_by(key_set("example.", keys, before + 1), set, NULL, SIG_LIMITS);
		assert_int_equal(r.verdict, before < SIG_MAX_SAME_TAG ? SIG_GOOD : SIG_BAD);
		assert_int_equal(r.limited, before >= SIG_MAX_SAME_TAG);
		assert_int_equal(r.tried, before < SIG_MAX_SAME_TAG ? before + 1 : SIG_MAX_SAME_TAG);
		r = verify_by(key_set("example.", keys, before + 1), set, NULL, many);
		assert_int_equal(r.verdict, SIG_GOOD);
		assert_int_equal(r.tried, before + 1);
	}
}

/* So many signatures that do not verify, then a good one. */
static struct sig_report bad_ones_first(const struct signer *s, size_t bad, struct sig_limits limits)
{
	struct signer_how how = how_for("example.");
	struct rrset *set = plain("example.", RR_A, TEXTS("192.0.2.1"));
	struct span sigs[40], key = signer_dnskey(s);

	for (size_t i = 0; i <= bad; i++) {
		struct span good = signer_rrsig_in(arena, s, &how, set);
		uint8_t *p = arena_dup(arena, good.p, good.n);

		if (i < bad)
			p[good.n - 1 - i] ^= 1;
		sigs[i] = span_of(p, good.n);
	}
	return verify_by(key_set("example.", &key, 1), signer_with_in(arena, set, sigs, bad + 1), NULL, limits);
}

static void signatures_are_verified_up_to_limits(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(8, 256, 0);
	struct sig_report r;

	(void)state;
	for (size_t bad = 0; bad < 12; bad++) {
		r = bad_ones_first(s, bad, SIG_LIMITS);
		assert_int_equal(r.verdict, bad < 8 ? SIG_GOOD : SIG_BAD);
		assert_int_equal(r.limited, bad >= 8);
		assert_int_equal(r.tried, bad < 8 ? bad + 1 : 8);
	}
	r = bad_ones_first(s, 3, (struct sig_limits){ 3, 100, 100 });
	assert_int_equal(r.verdict, SIG_BAD);
	assert_true(r.limited);
	assert_int_equal(r.tried, 3);
	r = bad_ones_first(s, 3, (struct sig_limits){ 100, 100, 3 });
	assert_int_equal(r.verdict, SIG_BAD);
	assert_int_equal(r.tried, 3);
	r = bad_ones_first(s, 3, (struct sig_limits){ 4, 1, 4 });
	assert_int_equal(r.verdict, SIG_GOOD);
	assert_int_equal(r.index, 3);
}

/* KeyTrap, CVE-2023-50387: many keys of one tag and many signatures: no more than the failures that are allowed. */
static void many_keys_times_many_signatures_cost_little(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for("example.");
	struct rrset *set = plain("example.", RR_A, TEXTS("192.0.2.1"));
	struct span keys[60], sigs[60];
	struct sig_report r;

	(void)state;
	for (uint32_t i = 0; i < 60; i++) {
		uint8_t *p;

		keys[i] = lookalike(signer_tag(s), i);
		sigs[i] = signer_rrsig_in(arena, s, &how, set);
		p = arena_dup(arena, sigs[i].p, sigs[i].n);
		p[sigs[i].n - 1 - i] ^= 1;
		sigs[i].p = p;
	}
	r = verify_by(key_set("example.", keys, 60), signer_with_in(arena, set, sigs, 60), NULL, SIG_LIMITS);
	assert_int_equal(r.verdict, SIG_BAD);
	assert_true(r.limited);
	assert_int_equal(r.tried, SIG_MAX_FAILURES);
}

/* What costs nothing is not limited: expired, of other algorithms, of keys that are not there. */
static void signatures_that_need_no_check_do_not_count(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0), *other = signer_new(13, 256, 0);
	struct rrset *set = plain("example.", RR_A, TEXTS("192.0.2.1"));
	struct span sigs[60], key = signer_dnskey(s);
	struct sig_report r;

	(void)state;
	for (uint32_t i = 0; i < 59; i++) {
		struct signer_how how = how_for("example.");

		how.expiration = i % 2 == 0 ? NOW - 80000 + i : how.expiration;
		sigs[i] = signer_rrsig_in(arena, i % 2 == 0 ? s : other, &how, set);
	}
	sigs[59] = signer_rrsig_in(arena, s, &(struct signer_how){ name_of(&zone_buf), NOW - 1, NOW + 1, 60, -1, 0 }, set);
	r = verify_by(key_set("example.", &key, 1), signer_with_in(arena, set, sigs, 60), NULL, SIG_LIMITS);
	assert_int_equal(r.verdict, SIG_GOOD);
	assert_int_equal(r.index, 59);
	assert_int_equal(r.tried, 1);
	assert_false(r.limited);
	r = verify_by(key_set("example.", &key, 1), signer_with_in(arena, set, sigs, 59), NULL, SIG_LIMITS);
	assert_int_equal(r.verdict, SIG_NO_KEY); /* it came nearer than an expired one */
	assert_int_equal(r.ede, EDE_DNSKEY_MISSING);
}

/* --- which key */

static void a_faulty_key_is_named(void **state)
{
	static const struct {
		uint16_t flags;
		enum key_fault fault;
		uint16_t ede;
	} cases[] = { { 385, KEY_REVOKED, EDE_DNSKEY_MISSING }, { 1, KEY_NOT_ZONE, EDE_NO_ZONE_KEY }, { 0, KEY_NOT_ZONE, EDE_NO_ZONE_KEY } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(signer_free) struct signer *s = signer_new(15, cases[i].flags, 0);
		struct signer_how how = how_for("example.");
		struct sig_report r = verify_with(s, "example.", signer_signed_in(arena, s, &how, plain("example.", RR_A, TEXTS("192.0.2.1"))));

		assert_int_equal(r.verdict, SIG_KEY_FAULT);
		assert_int_equal(r.fault, cases[i].fault);
		assert_int_equal(r.ede, cases[i].ede);
		assert_int_equal(r.tried, 0);
	}
}

static void a_key_counts_only_when_it_is_allowed(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 257, 0), *t = signer_new(13, 257, 1);
	struct signer_how how = how_for("example.");
	struct span keys[2] = { signer_dnskey(s), signer_dnskey(t) };
	struct rrset *dnskeys = key_set("example.", keys, 2);
	struct rrset *set = signer_signed_in(arena, t, &how, dnskeys);

	(void)state;
	assert_int_equal(verify_by(dnskeys, set, NULL, SIG_LIMITS).verdict, SIG_GOOD);
	assert_int_equal(verify_by(dnskeys, set, (const bool[]){ false, true }, SIG_LIMITS).verdict, SIG_GOOD);
	assert_int_equal(verify_by(dnskeys, set, (const bool[]){ true, false }, SIG_LIMITS).verdict, SIG_NO_KEY);
}

static void an_algorithm_that_is_off_signs_nothing(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(8, 256, 0);
	struct signer_how how = how_for("example.");
	struct rrset *set = signer_signed_in(arena, s, &how, plain("example.", RR_A, TEXTS("192.0.2.1")));
	struct span key = signer_dnskey(s);
	struct algorithm_policy p = { { 0 }, { 0 } };
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = SIG_LIMITS;
	struct work work = { 10000000 };
	struct sig_time t = { NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	AUTO(keyset_free) struct keyset *ks = NULL;
	struct sig_report r = { 0 };

	(void)state;
	algorithm_switch_off(&p, 8);
	assert_ok(keyset_make(key_set("example.", &key, 1), &p, &kl, &work, &ks));
	assert_ok(rrset_verify(set, ks, NULL, &p, &t, &sl, arena, &work, &r));
	assert_int_equal(r.verdict, SIG_ALGORITHM);
	assert_int_equal(r.ede, EDE_UNSUPPORTED_DNSKEY);
}

static void nothing_is_verified_that_is_not_paid(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for("example.");
	struct rrset *set = signer_signed_in(arena, s, &how, plain("example.", RR_A, TEXTS("192.0.2.1")));
	struct span key = signer_dnskey(s);
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = SIG_LIMITS;
	struct work work = { WORK_KEY_MADE + WORK_ED25519 - 1 };
	struct sig_time t = { NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	AUTO(keyset_free) struct keyset *ks = NULL;
	struct sig_report r = { 0 };

	(void)state;
	assert_ok(keyset_make(key_set("example.", &key, 1), NULL, &kl, &work, &ks));
	assert_err(rrset_verify(set, ks, NULL, NULL, &t, &sl, arena, &work, &r), ERR_BUDGET);
	assert_int_equal(work.left, WORK_ED25519 - 1);
	work.left++;
	assert_ok(rrset_verify(set, ks, NULL, NULL, &t, &sl, arena, &work, &r));
	assert_int_equal(r.verdict, SIG_GOOD);
	assert_int_equal(work.left, 0);
}

/* --- revocation (RFC 5011 section 2.1) */

static bool revoked(const struct rrset *dnskeys, const struct rrset *set, size_t i)
{
	struct key_limits kl = KEY_LIMITS;
	struct work work = { 10000000 };
	struct sig_time t = { NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	AUTO(keyset_free) struct keyset *ks = NULL;
	bool so = false;

	assert_ok(keyset_make(dnskeys, NULL, &kl, &work, &ks));
	assert_ok(rrset_verify_revocation(set, ks, i, &t, arena, &work, &so));
	return so;
}

static void a_key_revokes_itself(void **state)
{
	AUTO(signer_free) struct signer *gone = signer_new(15, 385, 0), *stays = signer_new(13, 257, 0);
	struct signer_how how = how_for("example."), late = how_for("example.");
	struct span keys[2] = { signer_dnskey(gone), signer_dnskey(stays) };
	struct rrset *dnskeys = key_set("example.", keys, 2);
	struct span by_gone = signer_rrsig_in(arena, gone, &how, dnskeys), by_stays = signer_rrsig_in(arena, stays, &how, dnskeys);
	struct span sigs[2] = { by_stays, by_gone }, expired;
	uint8_t *p = arena_dup(arena, by_gone.p, by_gone.n);
	struct span forged = { p, by_gone.n };

	(void)state;
	p[forged.n - 1] ^= 1;
	late.expiration = NOW - 80000;
	expired = signer_rrsig_in(arena, gone, &late, dnskeys);
	assert_true(revoked(dnskeys, signer_with_in(arena, dnskeys, sigs, 2), 0));
	assert_false(revoked(dnskeys, signer_with_in(arena, dnskeys, sigs, 2), 1)); /* has not the flag */
	assert_false(revoked(dnskeys, signer_with_in(arena, dnskeys, sigs, 2), 2)); /* is not there */
	assert_false(revoked(dnskeys, signer_with_in(arena, dnskeys, &by_stays, 1), 0)); /* another key cannot say it */
	assert_false(revoked(dnskeys, signer_with_in(arena, dnskeys, &forged, 1), 0));
	assert_false(revoked(dnskeys, signer_with_in(arena, dnskeys, &expired, 1), 0));
	assert_false(revoked(dnskeys, signer_with_in(arena, dnskeys, NULL, 0), 0));
	/* and otherwise it signs nothing */
	assert_int_equal(verify_by(dnskeys, signer_with_in(arena, dnskeys, &by_gone, 1), NULL, SIG_LIMITS).fault, KEY_REVOKED);
	assert_int_equal(verify_by(dnskeys, signer_with_in(arena, dnskeys, sigs, 2), NULL, SIG_LIMITS).verdict, SIG_GOOD);
}

/* --- the rest */

static void an_rrsig_cut_off_anywhere_is_malformed(void **state)
{
	struct span whole = rdata_of(arena, RR_RRSIG, SIG_RFC8080_15);
	struct rrsig sig;

	(void)state;
	assert_ok(rrsig_parse(whole, &sig));
	for (size_t n = 0; n < whole.n - sig.signature.n; n++)
		assert_err(rrsig_parse((struct span){ whole.p, n }, &sig), ERR_FORMAT);
	assert_ok(rrsig_parse((struct span){ whole.p, whole.n - sig.signature.n }, &sig)); /* one that does not verify */
}

static void without_a_signature_it_is_missing(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct sig_report r = verify_with(s, "example.", plain("example.", RR_A, TEXTS("192.0.2.1")));
	struct span junk = span_text("junk");

	(void)state;
	assert_int_equal(r.verdict, SIG_MISSING);
	assert_int_equal(r.ede, EDE_RRSIGS_MISSING);
	r = verify_with(s, "example.", signer_with_in(arena, plain("example.", RR_A, TEXTS("192.0.2.1")), &junk, 1));
	assert_int_equal(r.verdict, SIG_FORMAT);
	assert_int_equal(r.ede, EDE_BOGUS);
}

static void every_verdict_has_a_text(void **state)
{
	(void)state;
	for (int v = SIG_MISSING; v <= SIG_GOOD; v++) {
		assert_string_not_equal(sig_verdict_text((enum sig_verdict)v), "unknown verdict");
		assert_int_not_equal(sig_verdict_ede((enum sig_verdict)v), 0);
	}
}

static struct rrset *torture_set, *torture_keys;

static bool verify_it(void)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = SIG_LIMITS;
	struct work work = { 10000000 };
	struct sig_time t = { NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	AUTO(keyset_free) struct keyset *ks = NULL;
	struct sig_report r = { 0 };

	return a != NULL && OK(keyset_make(torture_keys, NULL, &kl, &work, &ks)) && OK(rrset_verify(torture_set, ks, NULL, NULL, &t, &sl, a, &work, &r)) &&
	    r.verdict == SIG_GOOD;
}

static void memory_may_run_out(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for("example.");
	struct span key = signer_dnskey(s);

	(void)state;
	torture_keys = key_set("example.", &key, 1);
	torture_set = signer_signed_in(arena, s, &how, plain("example.", RR_A, TEXTS("192.0.2.1")));
	assert_true(for_each_failing_allocation(verify_it) >= 5);
}

/* The arena's limit makes each of its allocations fail in turn. */
static void an_arena_may_be_full(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(15, 256, 0);
	struct signer_how how = how_for("example.");
	struct span key = signer_dnskey(s);
	struct rrset *set = signer_signed_in(arena, s, &how, plain("example.", RR_A, TEXTS("192.0.2.1", "192.0.2.2")));
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = SIG_LIMITS;
	struct work work = { 10000000 };
	struct sig_time t = { NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	AUTO(keyset_free) struct keyset *ks = NULL;
	unsigned int refused = 0;
	struct result done;

	(void)state;
	assert_ok(keyset_make(key_set("example.", &key, 1), NULL, &kl, &work, &ks));
	for (size_t limit = 1;; limit += 16) {
		AUTO(arena_free) struct arena *a = arena_new(limit);
		struct sig_report r = { 0 };

		done = rrset_verify(set, ks, NULL, NULL, &t, &sl, a, &work, &r);
		if (OK(done))
			break;
		assert_int_equal(done.e, ERR_NOMEM);
		refused++;
		assert_true(limit < 100000);
	}
	assert_true(refused > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_of_the_rfcs),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(digests_of_the_rfcs),
		cmocka_unit_test(every_algorithm_signs_a_set),
		cmocka_unit_test(a_wildcard_answers_for_names_below_its_encloser),
		cmocka_unit_test(the_longest_owner_has_a_wildcard_too),
		cmocka_unit_test(the_signer_is_the_zone_that_holds_the_set),
		cmocka_unit_test(the_signer_is_the_owner_of_the_keys),
		cmocka_unit_test(labels_are_between_signer_and_owner),
		cmocka_unit_test(clocks_may_be_off_a_little),
		cmocka_unit_test(a_set_is_kept_no_longer_than_its_signature),
		cmocka_unit_test(the_original_ttl_counts),
		cmocka_unit_test(rdata_is_signed_in_canonical_order),
		cmocka_unit_test(a_shorter_rdata_stands_before_its_continuation),
		cmocka_unit_test(duplicates_do_not_count),
		cmocka_unit_test(names_in_rdata_are_lowered_in_old_types_only),
		cmocka_unit_test(keys_with_the_same_tag_are_tried_up_to_a_limit),
		cmocka_unit_test(signatures_are_verified_up_to_limits),
		cmocka_unit_test(many_keys_times_many_signatures_cost_little),
		cmocka_unit_test(signatures_that_need_no_check_do_not_count),
		cmocka_unit_test(a_faulty_key_is_named),
		cmocka_unit_test(a_key_counts_only_when_it_is_allowed),
		cmocka_unit_test(an_algorithm_that_is_off_signs_nothing),
		cmocka_unit_test(nothing_is_verified_that_is_not_paid),
		cmocka_unit_test(a_key_revokes_itself),
		cmocka_unit_test(an_rrsig_cut_off_anywhere_is_malformed),
		cmocka_unit_test(without_a_signature_it_is_missing),
		cmocka_unit_test(every_verdict_has_a_text),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(an_arena_may_be_full),
	};
	int failed;

	arena = arena_new(0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(MOVE(arena));
	return failed;
}
