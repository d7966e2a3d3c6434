/* validate: a whole toy repository, and what happens to the rest of it when something in it is wrong, lost, too much or older than it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "rpki/object/roa.h"
#include "rpki/validate/validate.h"
#include "tests/unit/rpki/object/toy.h"

#define MOST_FILES 40

/* Objects in memory, and a sink and a keeper that write down what they are told. */
struct world {
	struct objects objects;
	struct validate_sink sink;
	unsigned int unsafe; /* CAs whose points failed */
	bool unsafe_is_toys;
	struct objects_keeper keeper;
	struct toy *toy;
	struct toy_file files[MOST_FILES];
	size_t n;
	char told[4000];
	struct {
		uint8_t key[64], value[100];
		size_t key_n, value_n;
	} kept[4];
	size_t kept_n;
	struct toy_file old[MOST_FILES]; /* what is to be had by hash, too */
	size_t old_n;
	struct validate_options o;
	struct anchor_result result;
	struct anchor_locator locator;
};

struct reader_of_world {
	struct objects_reader reader;
	struct world *w;
};

static struct toy *toy;

static RESULT w_open(const struct objects *o, struct objects_reader **ret);
static void w_close(struct objects_reader *r) { mem_free(r); }

static struct world *world_of(struct objects_reader *r) { return ((struct reader_of_world *)(void *)r)->w; }

static RESULT w_find(struct objects_reader *r, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH])
{
	(void)notify;
	(void)a;
	return toy_file_find(world_of(r)->files, world_of(r)->n, uri, max, ret, ret_hash);
}

static RESULT w_anchor(struct objects_reader *r, struct span uri, size_t max, struct arena *a, struct span *ret)
{
	uint8_t hash[OBJECT_HASH];

	return w_find(r, span_of("", 0), uri, max, a, ret, hash);
}

static RESULT w_recall(struct objects_reader *r, struct span key, struct span *ret)
{
	struct world *w = world_of(r);

	for (size_t i = 0; i < w->kept_n; i++) {
		if (!span_equal(span_of(w->kept[i].key, w->kept[i].key_n), key))
			continue;
		*ret = span_of(w->kept[i].value, w->kept[i].value_n);
		return DONE;
	}
	return FAIL(ERR_NOTFOUND);
}

static RESULT w_by_hash(struct objects_reader *r, const uint8_t hash[OBJECT_HASH], size_t max, struct span *ret)
{
	return toy_file_by_hash(world_of(r)->old, world_of(r)->old_n, hash, max, ret);
}

static const struct objects_ops ops = { w_open, w_close, w_find, w_anchor, w_recall, w_by_hash, NULL, NULL };

static RESULT w_open(const struct objects *o, struct objects_reader **ret)
{
	struct reader_of_world *r = mem_alloc(sizeof *r);

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	r->reader.ops = &ops;
	r->w = (struct world *)(uintptr_t)(const void *)o;
	*ret = &r->reader;
	return DONE;
}

/* --- what is told */

static struct world *of_sink(struct validate_sink *s) { return PARENT_OF(s, struct world, sink); }

static void tell(struct world *w, const char *text)
{
	strncat(w->told, text, sizeof w->told - strlen(w->told) - 1);
	strncat(w->told, "\n", sizeof w->told - strlen(w->told) - 1);
}

static RESULT s_roa(struct validate_sink *s, const struct origin *o, const struct roa *roa)
{
	struct roa_walk w = roa_begin(roa);
	struct roa_prefix p;
	char line[200], room[PREFIX_TEXT];

	assert_string_equal(o->tal, "toy");
	assert_true(o->chain_not_after >= TOY_NOW && o->stale >= TOY_NOW && o->stale < INT64_MAX);
	while (roa_next(&w, &p)) {
		snprintf(line, sizeof line, "AS%u %s-%u", roa->as, ip_prefix_text(&p.p, room), p.max_len);
		tell(of_sink(s), line);
	}
	return DONE;
}

static RESULT s_aspa(struct validate_sink *s, const struct origin *o, uint32_t customer, const uint32_t *providers, size_t n)
{
	char line[100];

	(void)o;
	snprintf(line, sizeof line, "ASPA %u: %zu from %u", customer, n, providers[0]);
	tell(of_sink(s), line);
	return DONE;
}

static RESULT s_router(struct validate_sink *s, const struct origin *o, uint32_t as, struct span ski, struct span spki)
{
	char line[100];

	(void)o;
	assert_int_equal(ski.n, 20);
	assert_true(spki.n > 80);
	snprintf(line, sizeof line, "router key of %u", as);
	tell(of_sink(s), line);
	return DONE;
}

static void s_refused(struct validate_sink *s, const char *tal, struct span uri, const char *why)
{
	char line[400];

	(void)tal;
	snprintf(line, sizeof line, "refused %.*s: %s", (int)uri.n, (const char *)uri.p, why);
	tell(of_sink(s), line);
}

static RESULT s_unsafe(struct validate_sink *s, const struct resources *r)
{
	struct world *w = of_sink(s);

	w->unsafe++;
	w->unsafe_is_toys = resources_have_as(r, 64496) && !resources_have_as(r, 1);
	return DONE;
}

static const struct validate_sink_ops sink_ops = { .roa = s_roa, .aspa = s_aspa, .router_key = s_router, .refused = s_refused, .unsafe = s_unsafe };

static RESULT k_keep(struct objects_keeper *k, struct span key, struct span value, const uint8_t *hashes, size_t count)
{
	struct world *w = PARENT_OF(k, struct world, keeper);
	size_t i = 0;

	assert_true(count > 1 && memcmp(hashes, value.p, OBJECT_HASH) == 0);
	while (i < w->kept_n && !span_equal(span_of(w->kept[i].key, w->kept[i].key_n), key))
		i++;
	assert_true(i < 4 && key.n <= sizeof w->kept[i].key && value.n <= sizeof w->kept[i].value);
	w->kept_n = i == w->kept_n ? i + 1 : w->kept_n;
	memcpy(w->kept[i].key, key.p, key.n);
	memcpy(w->kept[i].value, value.p, value.n);
	w->kept[i].key_n = key.n;
	w->kept[i].value_n = value.n;
	return DONE;
}

static struct world *world_new(void)
{
	struct world *w = mem_alloc(sizeof *w);

	assert_non_null(w);
	w->objects.ops = &ops;
	w->sink.ops = &sink_ops;
	w->keeper.keep = k_keep;
	w->toy = toy;
	toy_repository(toy, w->files);
	w->n = TOY_FILES;
	w->locator = (struct anchor_locator){ "toy", toy_locator(toy) };
	w->o = (struct validate_options){ .now = TOY_NOW, .threads = 1, .limits = validate_limits_default(), .objects = &w->objects, .sink = &w->sink, .anchors = &w->locator, .anchor_count = 1 };
	return w;
}

static const char *run(struct world *w)
{
	w->told[0] = '\0';
	assert_true(OK(validate_run(&w->o, &w->result)));
	return w->told;
}

static void remember_all(struct world *w)
{
	memcpy(w->old, w->files, sizeof w->old);
	w->old_n = w->n;
}

#define assert_has(text, part) \
	do { \
		if (strstr((text), (part)) == NULL) \
			fail_msg("\"%s\" has no \"%s\"", (text), (part)); \
	} while (0)
#define assert_has_not(text, part) \
	do { \
		if (strstr((text), (part)) != NULL) \
			fail_msg("\"%s\" has \"%s\"", (text), (part)); \
	} while (0)

#define ALL_TOLD "router key of 64496\nASPA 64496: 2 from 1\nAS64496 10.1.0.0/16-24\nAS64496 2001:db8:1::/48-48\n"

/* --- */

static void all_is_told(void **state)
{
	struct world *w = world_new();

	(void)state;
	for (w->o.threads = 1; w->o.threads <= 4; w->o.threads += 3) {
		assert_string_equal(run(w), ALL_TOLD);
		assert_true(w->result.usable);
		assert_int_equal(w->result.points, 2);
		assert_int_equal(w->result.points_failed, 0);
		assert_int_equal(w->result.payloads, 5); /* two prefixes, one key, two providers */
		assert_int_equal(w->result.valid[COUNTED_CERT], 2);
		assert_int_equal(w->result.valid[COUNTED_CRL], 2);
		assert_int_equal(w->result.valid[COUNTED_MANIFEST], 2);
		assert_int_equal(w->result.valid[COUNTED_GHOSTBUSTERS], 1);
	}
	mem_free(w);
}

static void one_bad_object_costs_only_itself(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->files[TOY_FILE_ROA].octets = toy_object(toy, TOY_ASPA);
	w->files[TOY_FILE_ROUTER].octets = toy_object(toy, TOY_PREFIX_LIST); /* no certificate at all */
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 7, w->files + TOY_FILE_CRL, 5);
	(void)run(w);
	assert_has(w->told, "refused rsync://toy.example/repo/router.cer: ");
	assert_has(w->told, "refused rsync://toy.example/repo/toy.roa: ");
	assert_has(w->told, "\nASPA 64496: 2 from 1\n");
	assert_int_equal(w->result.points_failed, 0);
	assert_int_equal(w->result.invalid[COUNTED_ROA], 1);
	mem_free(w);
}

static void a_file_that_is_missing_or_another_fails_the_point(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->files[TOY_FILE_GHOSTBUSTERS].uri = "rsync://toy.example/repo/elsewhere.gbr";
	assert_string_equal(run(w), "refused rsync://toy.example/repo/toy.gbr: RFC 9286 section 6.4: missing, though on the manifest\n");
	assert_int_equal(w->result.points_failed, 1);
	assert_true(w->unsafe == 1 && w->unsafe_is_toys);
	assert_true(w->result.usable); /* the trust anchor's own point is good */
	w->files[TOY_FILE_GHOSTBUSTERS] = (struct toy_file){ "rsync://toy.example/repo/toy.gbr", toy_object(toy, TOY_ROA) };
	assert_has(run(w), "section 6.5: another hash than on the manifest");
	w->files[TOY_FILE_TA_CRL].octets = toy_object(toy, TOY_CRL);
	(void)run(w);
	assert_false(w->result.usable);
	assert_int_equal(w->result.points, 1);
	mem_free(w);
}

static void time_decides(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->o.now = TOY_NOW + INT64_C(10) * 366 * 86400;
	(void)run(w);
	assert_false(w->result.usable);
	assert_int_equal(w->result.points, 0);
	assert_has(w->told, "refused rsync://toy.example/ta/toy.cer: RFC 6487 section 4.6.2");
	mem_free(w);
}

static void each_limit_bites_and_is_counted(void **state)
{
	struct world *w = world_new();
	const struct validate_limits usual = w->o.limits;

	(void)state;
	w->o.limits.depth = 0;
	assert_string_equal(run(w), "refused rsync://toy.example/ta/ca.cer: more CAs above one another than allowed\n");
	assert_int_equal(w->result.limits, 1);
	w->o.limits = usual;
	w->o.limits.files = 4;
	assert_string_equal(run(w), "refused rsync://toy.example/repo/toy.mft: more files on one manifest than allowed\n");
	assert_int_equal(w->result.limits, 1);
	w->o.limits = usual;
	w->o.limits.children = 0;
	assert_string_equal(run(w), "refused rsync://toy.example/ta/ta.mft: more CA certificates of one CA than allowed\n");
	w->o.limits = usual;
	w->o.limits.payloads = 4;
	assert_string_equal(run(w), "refused rsync://toy.example/repo/toy.mft: more payloads of one CA than allowed\n");
	assert_int_equal(w->result.payloads, 0);
	w->o.limits.payloads = 5;
	assert_string_equal(run(w), ALL_TOLD);
	w->o.limits.object = (uint32_t)w->files[TOY_FILE_ASPA].octets.n - 1;
	assert_has(run(w), "larger than allowed");
	assert_true(w->result.limits > 0);
	mem_free(w);
}

static void a_ca_below_itself_is_not_gone_into(void **state)
{
	struct world *w = world_new();
	struct toy_file list[6];

	(void)state;
	memcpy(list, w->files + TOY_FILE_CRL, 5 * sizeof list[0]);
	list[5] = (struct toy_file){ "rsync://toy.example/repo/again.cer", toy_ca_below_itself(toy) };
	w->files[w->n++] = list[5];
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 8, list, 6);
	(void)run(w);
	assert_has(w->told, "refused rsync://toy.example/repo/again.cer: a CA below itself");
	assert_has(w->told, "AS64496 10.1.0.0/16-24");
	assert_int_equal(w->result.points, 2);
	mem_free(w);
}

static void the_last_good_state_stands_in(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->o.keeper = &w->keeper;
	assert_string_equal(run(w), ALL_TOLD);
	assert_int_equal(w->kept_n, 2);
	remember_all(w);
	w->files[TOY_FILE_GHOSTBUSTERS].uri = "rsync://toy.example/repo/elsewhere.gbr";
	(void)run(w);
	assert_has(w->told, "missing, though on the manifest");
	assert_has(w->told, ALL_TOLD);
	assert_int_equal(w->result.points_kept, 1);
	assert_int_equal(w->result.points_failed, 0);
	/* Nothing is kept of what has lost its octets, and nothing that is too old. */
	w->old_n = TOY_FILE_ASPA;
	(void)run(w);
	assert_has_not(w->told, "AS64496");
	assert_int_equal(w->result.points_failed, 1);
	mem_free(w);
}

static void a_state_with_an_object_that_was_refused_is_none_to_go_back_to(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->o.keeper = &w->keeper;
	w->files[TOY_FILE_ROA].octets = toy_object(toy, TOY_ASPA);
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 8, w->files + TOY_FILE_CRL, 5);
	assert_has(run(w), "\nASPA 64496: 2 from 1\n");
	remember_all(w);
	w->files[TOY_FILE_GHOSTBUSTERS].uri = "rsync://toy.example/repo/elsewhere.gbr";
	assert_has_not(run(w), "ASPA 64496");
	assert_int_equal(w->result.points_failed, 1);
	assert_int_equal(w->result.points_kept, 0);
	/* Its number counts all the same. */
	toy_repository(toy, w->files);
	assert_has(run(w), "the manifest's number is not higher");
	mem_free(w);
}

static void manifests_must_rise(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->o.keeper = &w->keeper;
	assert_string_equal(run(w), ALL_TOLD);
	remember_all(w);
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 7, w->files + TOY_FILE_CRL, 2); /* the same number, less in it */
	(void)run(w);
	assert_has(w->told, "the manifest's number is not higher than that of the last good one");
	assert_has(w->told, ALL_TOLD);
	assert_int_equal(w->result.points_kept, 1);
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 6, w->files + TOY_FILE_CRL, 2);
	assert_has(run(w), "not higher");
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 8, w->files + TOY_FILE_CRL, 2);
	assert_string_equal(run(w), "AS64496 10.1.0.0/16-24\nAS64496 2001:db8:1::/48-48\n");
	assert_int_equal(w->result.points_kept, 0);
	assert_has_not(run(w), "not higher"); /* it is the last good one by now */
	mem_free(w);
}

/* A file changed, signed again, and listed again by its point's manifest, which has this number. */
static void change_file(struct world *w, unsigned int file, enum toy_what what, const char *part, const char *edits, uint8_t number)
{
	struct toy_tree tree = toy_tree(toy_arena(toy), w->files[file].octets, what);

	assert_true(toy_edit(toy_arena(toy), &tree, part, edits));
	w->files[file].octets = toy_sign(toy, toy_arena(toy), &tree, 0);
	if (file != TOY_FILE_MANIFEST)
		w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, number, w->files + TOY_FILE_CRL, 5);
}

static void what_a_check_refuses_is_not_told(void **state)
{
	static const struct {
		unsigned int file;
		enum toy_what what;
		const char *part, *edits, *said, *not_told;
	} all[] = {
		{ TOY_FILE_ROA, TOY_ROA, "content", "0.1.0.1.0.0:000b", "toy.roa: ", "AS64496 " }, /* 11.0.0.0/8, which its certificate has not */
		{ TOY_FILE_ROA, TOY_ROA, "ee/ip", "2.0.0.1.0:000b", "toy.roa: ", "AS64496 " },     /* its certificate has more than the CA */
		{ TOY_FILE_ROA, TOY_ROA, "ee/tbs", "1:0666", "toy.roa: RFC 6487 section 7.2: the certificate is revoked", "AS64496 " },
		{ TOY_FILE_ROA, TOY_ROA, "ee/tbs", "4.1:3236303130323030303030305a", "toy.roa: ", "AS64496 " },
		{ TOY_FILE_ASPA, TOY_ASPA, "content", "0.1:00fbf1", "toy.asa: ", "ASPA" },
		{ TOY_FILE_ROUTER, TOY_ROUTER, "as", "2.0.0.0.0:00fc00", "router.cer: ", "router key" },
		{ TOY_FILE_CRL, TOY_CRL, "tbs", "4:3236303130323030303030305a", "toy.crl: ", "64496" },
		{ TOY_FILE_CRL, TOY_CRL, "aki", "1.0.0|01", "toy.crl: ", "64496" },
		{ TOY_FILE_MANIFEST, TOY_MANIFEST, "content", "0.2:32303236303130323030303030305a", "toy.mft: ", "64496" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct world *w = world_new();

		change_file(w, all[i].file, all[i].what, all[i].part, all[i].edits, 7);
		(void)run(w);
		assert_has(w->told, all[i].said);
		assert_has_not(w->told, all[i].not_told);
		mem_free(w);
	}
}

/* What is published is counted so, though the last good state serves; and that one is not counted beside it. */
static void what_a_point_wants_is_counted(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->o.keeper = &w->keeper;
	assert_string_equal(run(w), ALL_TOLD);
	assert_true(w->result.wanting[WANTING_MANIFEST] == 0 && w->result.wanting[WANTING_FRESH_MANIFEST] == 0 && w->result.wanting[WANTING_FRESH_CRL] == 0);
	remember_all(w);
	w->files[TOY_FILE_MANIFEST].uri = "rsync://toy.example/repo/elsewhere.mft";
	assert_has(run(w), ALL_TOLD);
	assert_true(w->result.points_kept == 1 && w->result.wanting[WANTING_MANIFEST] == 1 && w->result.wanting[WANTING_FRESH_MANIFEST] == 0);
	toy_repository(toy, w->files);
	change_file(w, TOY_FILE_MANIFEST, TOY_MANIFEST, "content", "0.0:08 0.2:32303236303130323030303030305a", 8);
	assert_has(run(w), ALL_TOLD);
	assert_true(w->result.points_kept == 1 && w->result.wanting[WANTING_MANIFEST] == 0 && w->result.wanting[WANTING_FRESH_MANIFEST] == 1 && w->result.wanting[WANTING_FRESH_CRL] == 0);
	assert_true(w->result.invalid[COUNTED_MANIFEST] == 1);
	toy_repository(toy, w->files);
	change_file(w, TOY_FILE_CRL, TOY_CRL, "tbs", "4:3236303130323030303030305a", 8);
	(void)run(w);
	assert_true(w->result.wanting[WANTING_MANIFEST] == 0 && w->result.wanting[WANTING_FRESH_MANIFEST] == 0 && w->result.wanting[WANTING_FRESH_CRL] == 1);
	/* What could be gone back to is out of date as well. */
	toy_repository(toy, w->files);
	change_file(w, TOY_FILE_MANIFEST, TOY_MANIFEST, "content", "0.0:09 0.2:32303237303230313030303030305a", 9);
	assert_has(run(w), ALL_TOLD);
	remember_all(w);
	w->files[TOY_FILE_MANIFEST].uri = "rsync://toy.example/repo/elsewhere.mft";
	w->o.now += INT64_C(30) * 86400;
	(void)run(w);
	assert_true(w->result.points_failed == 1 && w->result.wanting[WANTING_MANIFEST] == 1 && w->result.wanting[WANTING_FRESH_MANIFEST] == 0);
	mem_free(w);
}

static void a_manifest_that_is_older_does_not_count_though_its_number_is_higher(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->o.keeper = &w->keeper;
	assert_string_equal(run(w), ALL_TOLD);
	remember_all(w);
	change_file(w, TOY_FILE_MANIFEST, TOY_MANIFEST, "content", "0.0:08 0.1:32303235313233313030303030305a", 0);
	(void)run(w);
	assert_has(w->told, "the manifest is older than the last good one");
	assert_has(w->told, ALL_TOLD);
	assert_int_equal(w->result.points_kept, 1);
	mem_free(w);
}

/* Four CAs one below the other: the second of those below the registry's member is one too many, or not. */
static void points_below_a_member_are_counted(void **state)
{
	struct world *w = world_new();
	struct toy_place places[TOY_PLACES];
	struct toy_file list[3];

	(void)state;
	toy_places(toy, places);
	for (w->n = 0; w->n < TOY_PLACES; w->n++)
		w->files[w->n] = (struct toy_file){ places[w->n].uri, places[w->n].octets };
	list[0] = w->files[TOY_PLACE_SUB_CRL];
	list[1] = w->files[TOY_PLACE_SUB_ROA];
	list[2] = (struct toy_file){ "rsync://toy.example/sub/below.cer", toy_ca_below(toy, TOY_KEY_SUB, TOY_KEY_EE, "rsync://toy.example/sub/sub.crl") };
	w->files[w->n++] = list[2];
	w->files[TOY_PLACE_SUB_MANIFEST].octets = toy_manifest_at(toy, TOY_KEY_SUB, places[TOY_PLACE_SUB_MANIFEST].uri, list[0].uri, 8, list, 3);
	w->o.limits.branch = 1;
	assert_has(run(w), "refused rsync://toy.example/sub/below.cer: more publication points below one CA than allowed");
	assert_has(w->told, "AS64498 10.1.2.0/24-24");
	assert_int_equal(w->result.points, 3);
	assert_int_equal(w->result.limits, 1);
	w->o.limits.branch = 2;
	assert_has_not(run(w), "more publication points");
	assert_int_equal(w->result.points, 4);
	mem_free(w);
}

static void memory_may_run_out_anywhere(void **state)
{
	struct world *w = world_new();
	bool failed = true;

	(void)state;
	w->o.keeper = &w->keeper;
	for (uint64_t n = 1; failed; n++) {
		struct mem_usage before = mem_usage();
		struct result r;

		w->told[0] = '\0';
		w->kept_n = 0;
		mem_fail_at(n, false);
		r = validate_run(&w->o, &w->result);
		failed = mem_failed();
		mem_fail_at(0, false);
		assert_true(failed ? r.e == ERR_NOMEM || strcmp(w->told, ALL_TOLD) == 0 : OK(r));
		assert_int_equal(mem_usage().objects, before.objects);
	}
	assert_string_equal(w->told, ALL_TOLD);
	mem_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_told),
		cmocka_unit_test(one_bad_object_costs_only_itself),
		cmocka_unit_test(a_file_that_is_missing_or_another_fails_the_point),
		cmocka_unit_test(time_decides),
		cmocka_unit_test(each_limit_bites_and_is_counted),
		cmocka_unit_test(a_ca_below_itself_is_not_gone_into),
		cmocka_unit_test(the_last_good_state_stands_in),
		cmocka_unit_test(a_state_with_an_object_that_was_refused_is_none_to_go_back_to),
		cmocka_unit_test(manifests_must_rise),
		cmocka_unit_test(what_a_check_refuses_is_not_told),
		cmocka_unit_test(a_manifest_that_is_older_does_not_count_though_its_number_is_higher),
		cmocka_unit_test(what_a_point_wants_is_counted),
		cmocka_unit_test(points_below_a_member_are_counted),
		cmocka_unit_test(memory_may_run_out_anywhere),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
