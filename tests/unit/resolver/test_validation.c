/* What follows from the configuration for validation: policy, anchors of every source, names that are insecure. */
#include "cache_unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/core/anchor_sources.h"
#include "resolver/core/validation.h"

#define DS1 "DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001"
#define DS2 "DS 2 13 2 0000000000000000000000000000000000000000000000000000000000000002"
#define KEY "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="

static char dir[] = "/tmp/cairn-validation-XXXXXX";

static struct result make(const char *text, struct strbuf *report, struct validation **ret)
{
	AUTO(conf_free) struct conf *c = NULL;

	if (!OK(conf_load_text(text, "test", report, &c)))
		fail_msg("%s", strbuf_text(report));
	return validation_make(c, report, ret);
}

static struct validation *of(const char *text) OWNED_BY(validation_unref);
static struct validation *of(const char *text)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct validation *v = NULL;

	if (!OK(make(text, report, &v)))
		fail_msg("%s", strbuf_text(report));
	assert_string_equal(strbuf_text(report), "");
	return v;
}

static void refused(const char *text, const char *message)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct validation *v = NULL;

	assert_int_equal(make(text, report, &v).e, ERR_FORMAT);
	assert_null(v);
	if (strstr(strbuf_text(report), message) == NULL)
		fail_msg("found %s, expected %s", strbuf_text(report), message);
}

static void put(const char *name, const char *text)
{
	AUTO_CHARS char *path = mem_printf("%s/%s", dir, name);

	assert_true(OK(file_write_atomic(path, span_text(text), 0600)));
}

static enum anchor_kind kind(const struct validation *v, const char *name)
{
	struct name_buf b;

	assert_true(OK(name_from_text(name, NULL, &b)));
	return anchors_find(v->anchors, name_of(&b)).kind;
}

static size_t keys(const struct validation *v, const char *name)
{
	struct name_buf b;
	struct anchor_found f;

	assert_true(OK(name_from_text(name, NULL, &b)));
	f = anchors_find(v->anchors, name_of(&b));
	return f.kind == ANCHOR_KEYS && name_equal(f.zone, name_of(&b)) ? anchor_zone_count(f.keys) : 0;
}

static void without_any_option_the_built_in_root_is_trusted(void **state)
{
	AUTO(validation_unref) struct validation *v = of("server:\n");

	(void)state;
	assert_non_null(v);
	assert_int_equal(keys(v, "."), 2);
	assert_int_equal(v->policy.denials.iterations, 50);
	assert_int_equal(v->policy.skew_min, 3600);
	assert_int_equal(v->policy.skew_max, 86400);
	assert_true(v->policy.stripped_is_bogus && !v->policy.all_algorithms && !v->policy.fixed_date && !v->policy.ignore_dates);
	assert_int_equal(v->max_restart, 5);
	assert_int_equal(v->bogus_max_sec, 60);
	assert_true(v->aggressive && v->sentinel && v->signaling && !v->permissive && !v->clean_additional && !v->prefetch_keys);
	assert_non_null(v->ntas);
}

static void nothing_is_validated_without_an_anchor_or_the_module(void **state)
{
	(void)state;
	assert_null(of("server:\nroot-anchors: none\ndomain-insecure: a\n"));
	assert_null(of("server:\nmodule-config: \"iterator\"\ntrust-anchor: \"a. " DS1 "\"\n"));
}

static void an_anchor_of_the_root_takes_the_place_of_the_built_in_one(void **state)
{
	AUTO(validation_unref) struct validation *root = of("server:\ntrust-anchor: \". " DS1 "\"\n");
	AUTO(validation_unref) struct validation *island = of("server:\ntrust-anchor: \"corp. " DS1 "\"\ntrust-anchor: \"corp. " DS2 "\"\n");
	AUTO(validation_unref) struct validation *alone = of("server:\nroot-anchors: none\ntrust-anchor: \"corp. " DS1 "\"\n");

	(void)state;
	assert_int_equal(keys(root, "."), 1);
	assert_int_equal(keys(island, "."), 2);
	assert_int_equal(keys(island, "corp."), 2);
	assert_int_equal(kind(alone, "example."), ANCHOR_NONE);
	assert_int_equal(kind(alone, "a.corp."), ANCHOR_KEYS);
}

static void options_become_policy(void **state)
{
	AUTO(validation_unref) struct validation *v = of("server:\nval-override-date: 20260102030405\nval-nsec3-keysize-iterations: \"1024 10 2048 100 4096 20\"\n"
		"harden-dnssec-stripped: no\nharden-algo-downgrade: yes\nval-sig-skew-min: 1\nval-sig-skew-max: 2\ndisable-dnssec-algorithm: 5\n"
		"disable-dnssec-algorithm: 7\ndisable-ds-digest: 1\nval-permissive-mode: yes\nval-log-level: 2\nval-max-restart: 9\nval-bogus-ttl: 8\n"
		"aggressive-nsec: no\nprefetch-key: yes\nval-clean-additional: yes\nroot-key-sentinel: no\ntrust-anchor-signaling: no\nval-validation-attempts: 3\n");
	AUTO(validation_unref) struct validation *ignore = of("server:\nval-override-date: -1\n");
	AUTO(validation_unref) struct validation *none = of("server:\nval-override-date: 0\n");

	(void)state;
	assert_true(v->policy.fixed_date);
	assert_int_equal(v->policy.date, 1767323045);
	assert_int_equal(v->policy.denials.iterations, 100);
	assert_true(!v->policy.stripped_is_bogus && v->policy.all_algorithms);
	assert_int_equal(v->policy.skew_min, 1);
	assert_int_equal(v->policy.skew_max, 2);
	assert_false(algorithm_usable(&v->policy.algorithms, 5) || algorithm_usable(&v->policy.algorithms, 7));
	assert_true(algorithm_usable(&v->policy.algorithms, 8));
	assert_false(digest_usable(&v->policy.algorithms, 1));
	assert_int_equal(v->policy.signatures.max_signatures, 3);
	assert_true(v->permissive && v->prefetch_keys && v->clean_additional && !v->aggressive && !v->sentinel && !v->signaling);
	assert_int_equal(v->log_level, 2);
	assert_int_equal(v->max_restart, 9);
	assert_int_equal(v->bogus_max_sec, 8);
	assert_true(ignore->policy.ignore_dates && !ignore->policy.fixed_date);
	assert_true(!none->policy.ignore_dates && !none->policy.fixed_date);
}

static void files_of_every_form_are_read(void **state)
{
	char text[2048];
	struct validation *v;

	(void)state;
	put("one.key", "; a comment\na. IN " DS1 "\na. IN " DS2 "\n");
	put("two.key", "b. 3600 IN DNSKEY " KEY "\n");
	put("bind.keys", "trust-anchors { c. initial-key 257 3 13 \"mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==\"; };\n");
	put("auto.key", "d. IN " DS1 "\n");
	(void)snprintf(text, sizeof text, "server:\ndirectory: \"%s\"\ntrust-anchor-file: \"*.key\"\nroot-anchors: none\ntrusted-keys-file: \"%s/bind.*\"\n", dir, dir);
	v = of(text);
	assert_int_equal(keys(v, "a."), 2);
	assert_int_equal(keys(v, "b."), 1);
	assert_int_equal(keys(v, "c."), 1);
	assert_int_equal(keys(v, "d."), 1);
	validation_unref(v);
	(void)snprintf(text, sizeof text, "server:\nauto-trust-anchor-file: \"%s/auto.key\"\nauto-trust-anchor-file: \"%s/not-there\"\n", dir, dir);
	v = of(text);
	assert_int_equal(keys(v, "d."), 1);
	assert_int_equal(keys(v, "."), 2); /* of the file that begins with the built-in one */
	validation_unref(v);
}

static void a_revoked_root_is_not_replaced_by_the_built_in_one(void **state)
{
	char text[1024];

	(void)state;
	put("revoked", ";;REVOKED\n;;id: . 1\n;;next_probe_time: x\n. 1 IN DNSKEY 385 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+"
		"KkxLbxILfDLUT0rAK9iUzy1L53eKGQ== ;;state=4 [ REVOKED ] ;;count=0 ;;lastchange=1 ;;x\n");
	(void)snprintf(text, sizeof text, "server:\nauto-trust-anchor-file: \"%s/revoked\"\n", dir);
	assert_null(of(text));
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	char text[1024];

	(void)state;
	refused("server:\ntrust-anchor: \"www.example.com. A 192.0.2.1\"\n", "test:2: error: trust-anchor: www.example.com.: found a type other than DS and DNSKEY");
	refused("server:\ntrust-anchor-file: \"/nowhere/at/all\"\n", "test:2: error: trust-anchor-file: /nowhere/at/all cannot be read");
	refused("server:\ntrust-anchor-file: \"/nowhere/*.key\"\n", "test:2: error: trust-anchor-file: no file matches /nowhere/*.key");
	refused("server:\nroot-anchors: none\nauto-trust-anchor-file: \"/nowhere/root.key\"\n", "test:3: error: auto-trust-anchor-file: /nowhere/root.key is not there");
	put("damaged", ";;id: . 1\n. 1 IN " DS1 "\n");
	(void)snprintf(text, sizeof text, "server:\nauto-trust-anchor-file: \"%s/damaged\"\n", dir);
	refused(text, "/damaged:2: found a record without its state");
	refused(text, "test:2: error: auto-trust-anchor-file: ");
	put("bad.keys", "trusted-keys {");
	(void)snprintf(text, sizeof text, "server:\ntrusted-keys-file: \"%s/bad.keys\"\n", dir);
	refused(text, "bad.keys:1: found something else");
}

static void ianas_file_takes_the_place_of_the_built_in_one(void **state)
{
	char text[1024];
	struct validation *v;

	(void)state;
	put("root.xml", "<TrustAnchor><Zone>.</Zone><KeyDigest validFrom=\"2017-02-02T00:00:00+00:00\"><KeyTag>7</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType>"
		"<Digest>E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D</Digest></KeyDigest></TrustAnchor>");
	(void)snprintf(text, sizeof text, "server:\nroot-anchors-file: \"%s/root.xml\"\n", dir);
	v = of(text);
	assert_int_equal(keys(v, "."), 1);
	validation_unref(v);
	(void)snprintf(text, sizeof text, "server:\nroot-anchors-file: \"%s/root.xml\"\nroot-anchors-signature: \"%s/root.xml\"\n", dir, dir);
	refused(text, "test:2: error: root-anchors-file: found one of root-anchors-signature and root-anchors-ca, expected both or none");
	(void)snprintf(text, sizeof text, "server:\nroot-anchors-file: \"%s/root.xml\"\nroot-anchors-signature: \"%s/root.xml\"\nroot-anchors-ca: \"%s/root.xml\"\n",
	    dir, dir, dir);
	refused(text, "test:2: error: root-anchors-file: found no certificate, expected PEM");
	refused("server:\nroot-anchors-file: \"/nowhere/x\"\n", "test:2: error: root-anchors-file: /nowhere/x cannot be read");
}

static void names_are_insecure_as_the_options_say(void **state)
{
	AUTO(validation_unref) struct validation *v = of("server:\ndomain-insecure: \"lan\"\ndomain-insecure: sub.corp.\ninsecure-lan-zones: yes\n");
	AUTO(validation_unref) struct validation *off = of("server:\n");

	(void)state;
	assert_int_equal(kind(v, "a.lan."), ANCHOR_INSECURE);
	assert_int_equal(kind(v, "corp."), ANCHOR_KEYS);
	assert_int_equal(kind(v, "sub.corp."), ANCHOR_INSECURE);
	assert_int_equal(kind(v, "1.168.192.in-addr.arpa."), ANCHOR_INSECURE);
	assert_int_equal(kind(v, "31.172.in-addr.arpa."), ANCHOR_INSECURE);
	assert_int_equal(kind(v, "32.172.in-addr.arpa."), ANCHOR_KEYS);
	assert_int_equal(kind(v, "64.100.in-addr.arpa."), ANCHOR_INSECURE);
	assert_int_equal(kind(v, "127.100.in-addr.arpa."), ANCHOR_INSECURE);
	assert_int_equal(kind(off, "1.168.192.in-addr.arpa."), ANCHOR_KEYS);
	assert_memory_not_equal(anchors_digest(v->anchors), anchors_digest(off->anchors), ANCHORS_DIGEST);
}

static void what_was_learnt_since_is_laid_over(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	AUTO(conf_free) struct conf *c = NULL;
	AUTO(autotrust_free) struct autotrust *t = NULL;
	AUTO(validation_unref) struct validation *v = NULL;
	AUTO(ntas_free) struct ntas *n = ntas_new(10);
	const struct autotrust *autos[1];
	struct name_buf lan, x;
	struct anchor_overlay o;

	(void)state;
	assert_true(OK(conf_load_text("server:\nauto-trust-anchor-file: \"/nowhere\"\nroot-anchors: none\ndomain-insecure: lan\n", "test", report, &c)));
	assert_true(OK(autotrust_read("t", span_text("e. IN " DS1 "\n"), &t, report)));
	assert_true(OK(name_from_text("lan.", NULL, &lan)) && OK(name_from_text("x.e.", NULL, &x)));
	assert_true(OK(ntas_set(n, name_of(&x), 5, 100)));
	autos[0] = t;
	o = (struct anchor_overlay){ .autos = autos, .insecure = &x, .insecure_count = 1, .validated = &lan, .validated_count = 1 };
	assert_true(OK(validation_make_over(c, &o, MOVE(n), report, &v)));
	assert_int_equal(keys(v, "e."), 1);
	assert_int_equal(kind(v, "x.e."), ANCHOR_INSECURE);
	assert_int_equal(kind(v, "lan."), ANCHOR_NONE);
	assert_int_equal(anchors_find_with(v->anchors, v->ntas, 104, name_of(&x)).kind, ANCHOR_NEGATIVE);
	assert_int_equal(anchors_find_with(v->anchors, v->ntas, 105, name_of(&x)).kind, ANCHOR_INSECURE);
}

static void it_is_shared_by_counting(void **state)
{
	AUTO(validation_unref) struct validation *v = of("server:\n");
	AUTO(validation_unref) struct validation *other = validation_ref(v);

	(void)state;
	assert_ptr_equal(v, other);
	validation_unref(MOVE(v));
	assert_int_equal(keys(other, "."), 2);
}

static void running_out_of_memory_leaves_nothing(void **state)
{
	struct mem_usage before = mem_usage();

	(void)state;
	for (uint64_t n = 1; n < 2000; n++) {
		struct validation *v = NULL;
		struct strbuf *report = strbuf_new(65536);
		struct conf *c = NULL;
		struct result r;

		assert_true(OK(conf_load_text("server:\ntrust-anchor: \". " DS1 "\"\nauto-trust-anchor-file: \"/nowhere\"\ndomain-insecure: a\n", "test", report, &c)));
		mem_fail_at(n, true);
		r = validation_make(c, report, &v);
		mem_fail_at(0, false);
		validation_unref(v);
		conf_free(c);
		strbuf_free(report);
		assert_int_equal(mem_usage().objects, before.objects);
		if (OK(r))
			return;
		assert_null(v);
	}
	fail();
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "one.key", "two.key", "bind.keys", "auto.key", "revoked", "damaged", "bad.keys", "root.xml" };

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		AUTO_CHARS char *path = mem_printf("%s/%s", dir, files[i]);

		(void)unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_any_option_the_built_in_root_is_trusted),
		cmocka_unit_test(nothing_is_validated_without_an_anchor_or_the_module),
		cmocka_unit_test(an_anchor_of_the_root_takes_the_place_of_the_built_in_one),
		cmocka_unit_test(options_become_policy),
		cmocka_unit_test(files_of_every_form_are_read),
		cmocka_unit_test(a_revoked_root_is_not_replaced_by_the_built_in_one),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(ianas_file_takes_the_place_of_the_built_in_one),
		cmocka_unit_test(names_are_insecure_as_the_options_say),
		cmocka_unit_test(what_was_learnt_since_is_laid_over),
		cmocka_unit_test(it_is_shared_by_counting),
		cmocka_unit_test(running_out_of_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
