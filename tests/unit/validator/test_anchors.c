#include "tests/unit/dns/dns_test.h"

#include "validator/anchors.h"

#define DS1 "20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
#define DS2 "38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16"
#define DS3 "1 13 2 0000000000000000000000000000000000000000000000000000000000000001"
#define KEY "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="

static struct anchors *set_of(const char *text)
{
	AUTO(anchors_free) struct anchors *a = anchors_new();
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

	assert_ok(anchors_add_text(a, "t", span_text(text), report));
	assert_string_equal(strbuf_text(report), "");
	return MOVE(a);
}

static void expect(struct anchor_found f, enum anchor_kind kind, const char *zone)
{
	char text[NAME_TEXT];

	assert_int_equal(f.kind, kind);
	assert_string_equal(name_to_text(f.zone, text), zone);
	assert_int_equal(f.keys != NULL, kind == ANCHOR_KEYS);
}

static struct anchor_found find(const struct anchors *a, const char *name)
{
	struct name_buf b = nb(name);

	return anchors_find(a, name_of(&b));
}

static void the_built_in_ones_are_the_roots_two_keys(void **state)
{
	AUTO(anchors_free) struct anchors *a = anchors_new();
	AUTO(anchors_free) struct anchors *b = set_of(". IN DS " DS2 "\n. IN DS " DS1 "\n. DS " DS1 "\n");
	struct anchor_found f;

	(void)state;
	assert_ok(anchors_add_root(a));
	assert_ok(anchors_seal(a));
	assert_ok(anchors_seal(b));
	f = find(a, "www.example.");
	expect(f, ANCHOR_KEYS, ".");
	assert_int_equal(anchor_zone_count(f.keys), 2);
	assert_int_equal(load16(anchor_zone_rr(f.keys, 0).rdata.p), 20326);
	assert_int_equal(load16(anchor_zone_rr(f.keys, 1).rdata.p), 38696);
	assert_memory_equal(anchors_digest(a), anchors_digest(b), ANCHORS_DIGEST);
}

static void the_closest_enclosing_entry_counts(void **state)
{
	AUTO(anchors_free) struct anchors *a = set_of("Example. DS " DS3 "\nsub.a.example. DNSKEY " KEY "\n");
	struct name_buf n = nb("a.example.");
	struct name_buf both = nb("sub.A.example.");
	struct name_buf lan = nb("lan.");

	(void)state;
	assert_ok(anchors_add_insecure(a, name_of(&n)));
	assert_ok(anchors_add_insecure(a, name_of(&both)));
	assert_ok(anchors_add_insecure(a, name_of(&lan)));
	assert_ok(anchors_seal(a));
	expect(find(a, "."), ANCHOR_NONE, ".");
	expect(find(a, "com."), ANCHOR_NONE, ".");
	expect(find(a, "zz.com."), ANCHOR_NONE, ".");
	expect(find(a, "eXample."), ANCHOR_KEYS, "example.");
	expect(find(a, "zz.example."), ANCHOR_KEYS, "example.");
	expect(find(a, "a.example."), ANCHOR_INSECURE, "a.example.");
	expect(find(a, "x.y.a.example."), ANCHOR_INSECURE, "a.example.");
	expect(find(a, "sub.a.example."), ANCHOR_KEYS, "sub.a.example."); /* an anchor beats domain-insecure */
	expect(find(a, "x.sub.a.example."), ANCHOR_KEYS, "sub.a.example.");
	expect(find(a, "notexample."), ANCHOR_NONE, ".");
	expect(find(a, "printer.lan."), ANCHOR_INSECURE, "lan.");
	assert_int_equal(anchors_zones(a), 4);
	assert_true(anchors_has(a, name_of(&both)));
	assert_false(anchors_has(a, name_of(&n)));
	assert_false(anchors_has(a, name_root));
}

static void every_change_changes_the_digest(void **state)
{
	static const char *const sets[] = { ". DS " DS1, ". DS " DS2, "a. DS " DS1, ". DS " DS1 "\n. DS " DS2, ". DNSKEY " KEY, ". DS " DS1 "\na. DS " DS1 };
	uint8_t seen[8][ANCHORS_DIGEST];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i <= sizeof sets / sizeof sets[0]; i++) {
		AUTO(anchors_free) struct anchors *a = set_of(i == 0 ? sets[0] : sets[i - 1]);
		struct name_buf n = nb("a.");

		if (i == 0)
			assert_ok(anchors_add_insecure(a, name_of(&n)));
		assert_ok(anchors_seal(a));
		memcpy(seen[count], anchors_digest(a), ANCHORS_DIGEST);
		for (size_t k = 0; k < count; k++)
			assert_memory_not_equal(seen[k], seen[count], ANCHORS_DIGEST);
		count++;
	}
}

/* The zone was meant to be trusted: it must not become insecure by a slip of the pen. */
static void a_digest_of_a_wrong_length_is_taken_with_a_warning(void **state)
{
	static const char text[] = ". DS 1 8 1 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";
	AUTO(anchors_free) struct anchors *a = anchors_new();
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

	(void)state;
	assert_ok(anchors_add_text(a, "file.key", span_text(text), report));
	assert_non_null(strstr(strbuf_text(report), "file.key: warning: .: found a DS whose digest is not of its type's length"));
	assert_true(anchors_has(a, name_root));
	assert_true(anchor_cannot_match(RR_DS, span_of("\0\1\10\2x", 5)));
	assert_false(anchor_cannot_match(RR_DS, span_of("\0\1\10\77x", 5))); /* unknown digests have any length */
}

static void what_is_no_anchor_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text;
		const char *word;
	} bad[] = {
		{ "", "no record" },
		{ "; nothing\n", "no record" },
		{ ". A 192.0.2.1", "other than DS" },
		{ ". CH DS " DS1, "class" },
		{ "a. DNSKEY 385 3 13 AwEAAQ==", "revoked" },
		{ "a. DNSKEY 1 3 13 AwEAAQ==", "zone key" },
		{ "a. DNSKEY 257 2 13 AwEAAQ==", "protocol" },
		{ ". DS " DS1 "\n. DS garbage\n", "expected" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO(anchors_free) struct anchors *a = anchors_new();
		AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

		assert_err(anchors_add_text(a, "file.key", span_text(bad[i].text), report), ERR_FORMAT);
		if (strstr(strbuf_text(report), bad[i].word) == NULL || strstr(strbuf_text(report), "file.key") == NULL)
			fail_msg("%s: %s", bad[i].text, strbuf_text(report));
	}
}

static void key_tags_are_those_of_rfc_4034(void **state)
{
	AUTO(anchors_free) struct anchors *a = set_of("example.net. DNSKEY " KEY);
	struct name_buf n = nb("example.net.");

	(void)state;
	assert_int_equal(dnskey_tag_of(anchor_zone_rr(anchors_find(a, name_of(&n)).keys, 0).rdata), 2371); /* of a key known from the wild */
}

static struct anchor_found with(const struct anchors *a, const struct ntas *n, int64_t now, const char *name)
{
	struct name_buf b = nb(name);

	return anchors_find_with(a, n, now, name_of(&b));
}

static void negative_anchors_end_by_themselves(void **state)
{
	AUTO(anchors_free) struct anchors *a = set_of(". DS " DS1 "\nsafe.bad.example. DS " DS3);
	AUTO(ntas_free) struct ntas *n = ntas_new(2);
	struct name_buf bad = nb("bad.example.");
	struct name_buf other = nb("other.");
	struct name_buf third = nb("third.");
	int64_t until = 0;

	(void)state;
	assert_ok(anchors_seal(a));
	expect(with(a, n, 1000, "www.bad.example."), ANCHOR_KEYS, ".");
	assert_err(ntas_set(n, name_of(&bad), 0, 1000), ERR_RANGE);
	assert_err(ntas_set(n, name_of(&bad), NTA_LIFETIME_MAX + 1, 1000), ERR_RANGE);
	assert_ok(ntas_set(n, name_of(&bad), 100, 1000));
	expect(with(a, n, 1000, "www.BAD.example."), ANCHOR_NEGATIVE, "bad.example.");
	expect(with(a, n, 1099, "bad.example."), ANCHOR_NEGATIVE, "bad.example.");
	expect(with(a, n, 1099, "example."), ANCHOR_KEYS, ".");
	expect(with(a, n, 1099, "x.safe.bad.example."), ANCHOR_KEYS, "safe.bad.example."); /* a closer anchor */
	expect(with(a, n, 1100, "bad.example."), ANCHOR_KEYS, ".");
	assert_ok(ntas_set(n, name_of(&other), 500, 1000));
	assert_err(ntas_set(n, name_of(&third), 500, 1000), ERR_LIMIT);
	assert_ok(ntas_set(n, name_of(&third), 500, 1100)); /* the one that ended made room */
	assert_int_equal(ntas_count(n), 2);
	assert_true(name_equal(ntas_at(n, 0, &until), name_of(&other)));
	assert_int_equal(until, 1500);
	assert_true(ntas_remove(n, name_of(&other)));
	assert_false(ntas_remove(n, name_of(&other)));
	assert_int_equal(ntas_expire(n, 1599), 0);
	assert_int_equal(ntas_expire(n, 1600), 1);
	assert_int_equal(ntas_count(n), 0);
}

static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	for (uint64_t at = 1; at < 1000; at++) {
		struct result r = FAIL(ERR_NOMEM);

		mem_fail_at(at, false);
		{
			AUTO(anchors_free) struct anchors *a = anchors_new();
			AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

			if (a != NULL && report != NULL) {
				r = anchors_add_text(a, "t", span_text("a. DS " DS3 "\nb. DNSKEY " KEY), report);
				if (OK(r))
					r = anchors_add_root(a);
			}
		}
		if (!mem_failed()) {
			mem_fail_at(0, false);
			assert_ok(r);
			return;
		}
		mem_fail_at(0, false);
	}
	fail_msg("it never ends");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_built_in_ones_are_the_roots_two_keys),
		cmocka_unit_test(the_closest_enclosing_entry_counts),
		cmocka_unit_test(every_change_changes_the_digest),
		cmocka_unit_test(what_is_no_anchor_is_refused_with_a_reason),
		cmocka_unit_test(a_digest_of_a_wrong_length_is_taken_with_a_warning),
		cmocka_unit_test(key_tags_are_those_of_rfc_4034),
		cmocka_unit_test(negative_anchors_end_by_themselves),
		cmocka_unit_test(memory_may_run_out_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
