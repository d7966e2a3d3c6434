/* stored: whose word counts at a URI; modules of rsync URIs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "rpki/validate/stored.h"
#include "tests/unit/rpki/store_here.h"

#define NOTIFY "https://rrdp.example/notification.xml"
#define MODULE "rsync://repo.example/module/"

static void put_at(enum store_kind kind, const char *source, const char *uri, const char *octets, int64_t now)
{
	struct store_update *u;

	assert_true(OK(store_update_begin(store, kind, span_text(source), STORE_REPLACE, &u)));
	assert_true(OK(store_update_publish(u, span_text(uri), NULL, span_text(octets))));
	assert_true(OK(store_update_commit(u, span_text("state"), now)));
	store_update_free(u);
}

static void put(enum store_kind kind, const char *source, const char *uri, const char *octets) { put_at(kind, source, uri, octets, 1); }

/* What is found, as text; "-" for nothing, "limit" for too much. */
static const char *find(bool rrdp, const char *notify, const char *uri, size_t max)
{
	static char text[100];
	struct stored *s = stored_new(store, rrdp);
	struct objects_reader *r = NULL;
	struct arena *a = arena_new(0);
	uint8_t hash[OBJECT_HASH];
	struct span octets;
	struct result found;

	assert_non_null(s);
	assert_true(OK(stored_objects(s)->ops->open(stored_objects(s), &r)));
	for (int twice = 0; twice < 2; twice++) {
		found = r->ops->find(r, span_text(notify), span_text(uri), max, a, &octets, hash);
		snprintf(text, sizeof text, "%s", found.e == ERR_NOTFOUND ? "-" : found.e == ERR_LIMIT ? "limit" : "?");
		if (OK(found))
			snprintf(text, sizeof text, "%.*s", (int)octets.n, (const char *)octets.p);
	}
	objects_close(r);
	stored_free(s);
	arena_free(a);
	return text;
}

static void rrdp_counts_once_it_was_fetched(void **state)
{
	(void)state;
	assert_string_equal(find(true, NOTIFY, MODULE "a.roa", 100), "-");
	put(STORE_RSYNC, MODULE, MODULE "a.roa", "by rsync");
	assert_string_equal(find(true, NOTIFY, MODULE "a.roa", 100), "by rsync");
	put(STORE_RRDP, NOTIFY, MODULE "b.roa", "by rrdp");
	assert_string_equal(find(true, NOTIFY, MODULE "b.roa", 100), "by rrdp");
	assert_string_equal(find(true, NOTIFY, MODULE "a.roa", 100), "-"); /* one never fills the other's gaps */
	assert_string_equal(find(false, NOTIFY, MODULE "a.roa", 100), "by rsync");
	assert_string_equal(find(true, "", MODULE "a.roa", 100), "by rsync");
	assert_string_equal(find(true, "https://other.example/n.xml", MODULE "b.roa", 100), "-");
	assert_string_equal(find(true, NOTIFY, MODULE "b.roa", 3), "limit");
	assert_string_equal(find(true, "", "rsync://repo.example/other/a.roa", 100), "-");
	assert_string_equal(find(true, "", "https://repo.example/module/a.roa", 100), "-");
}

/* rsync is asked when RRDP has failed: what it brings then counts, until RRDP brings something again. */
static void the_later_one_counts(void **state)
{
	(void)state;
	put_at(STORE_RRDP, NOTIFY, MODULE "a.roa", "by rrdp", 10);
	put_at(STORE_RSYNC, MODULE, MODULE "a.roa", "by rsync", 9);
	assert_string_equal(find(true, NOTIFY, MODULE "a.roa", 100), "by rrdp");
	put_at(STORE_RSYNC, MODULE, MODULE "a.roa", "by rsync", 11);
	assert_string_equal(find(true, NOTIFY, MODULE "a.roa", 100), "by rsync");
	put_at(STORE_RRDP, NOTIFY, MODULE "a.roa", "by rrdp", 12);
	assert_string_equal(find(true, NOTIFY, MODULE "a.roa", 100), "by rrdp");
}

/* One reader is asked for objects of several sources in turn. */
static void a_reader_does_not_mix_sources(void **state)
{
	static const struct {
		const char *notify, *uri, *is;
	} all[] = { { "", MODULE "a.roa", "one" }, { "", "rsync://repo.example/modulf/a.roa", "two" }, { "", MODULE "a.roa", "one" }, { NOTIFY, MODULE "a.roa", "three" },
		{ "", MODULE "a.roa", "one" }, { NOTIFY, "rsync://repo.example/modulf/a.roa", "-" } };
	struct stored *s = stored_new(store, true);
	struct objects_reader *r = NULL;
	struct arena *a = arena_new(0);
	uint8_t hash[OBJECT_HASH];
	struct span octets;

	(void)state;
	put_at(STORE_RSYNC, MODULE, MODULE "a.roa", "one", 1);
	put_at(STORE_RSYNC, "rsync://repo.example/modulf/", "rsync://repo.example/modulf/a.roa", "two", 1);
	put_at(STORE_RRDP, NOTIFY, MODULE "a.roa", "three", 2);
	assert_true(OK(stored_objects(s)->ops->open(stored_objects(s), &r)));
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct result found = r->ops->find(r, span_text(all[i].notify), span_text(all[i].uri), 100, a, &octets, hash);

		if (strcmp(all[i].is, "-") == 0)
			assert_int_equal(found.e, ERR_NOTFOUND);
		else
			assert_true(OK(found) && span_equal(octets, span_text(all[i].is)));
	}
	objects_close(r);
	stored_free(s);
	arena_free(a);
}

static void anchors_are_sources_of_their_own(void **state)
{
	struct stored *s = stored_new(store, true);
	struct objects_reader *r = NULL;
	struct arena *a = arena_new(0);
	struct span octets;

	(void)state;
	put(STORE_ANCHOR, "https://ta.example/ta.cer", "https://ta.example/ta.cer", "certificate");
	assert_true(OK(stored_objects(s)->ops->open(stored_objects(s), &r)));
	assert_true(OK(r->ops->anchor(r, span_text("https://ta.example/ta.cer"), 100, a, &octets)));
	assert_true(span_equal(octets, span_text("certificate")));
	assert_int_equal(r->ops->anchor(r, span_text("rsync://ta.example/ta.cer"), 100, a, &octets).e, ERR_NOTFOUND);
	objects_close(r);
	stored_free(s);
	arena_free(a);
}

static void modules_are_the_first_part_of_the_path(void **state)
{
	(void)state;
	assert_true(span_equal(rsync_module(span_text("rsync://h/m/a/b.roa")), span_text("rsync://h/m/")));
	assert_true(span_equal(rsync_module(span_text("rsync://h/m/")), span_text("rsync://h/m/")));
	assert_int_equal(rsync_module(span_text("rsync://h/m")).n, 0);
	assert_int_equal(rsync_module(span_text("rsync://h")).n, 0);
	assert_int_equal(rsync_module(span_text("https://h/m/a")).n, 0);
	assert_int_equal(rsync_module(span_text("")).n, 0);
}

static uint64_t notes(void)
{
	struct store_usage u;

	assert_true(OK(store_usage(store, &u)));
	return u.notes;
}

static void much_is_written_before_the_end(void **state)
{
	struct stored *s = stored_new(store, true);
	struct objects_keeper *k = stored_keeper(s);
	uint8_t *value = calloc(1, 1 << 20);

	(void)state;
	for (int i = 0; i < 3; i++) {
		char key[] = "vA";

		key[1] = (char)('A' + i);
		assert_int_equal(notes(), i == 2 ? 2 : 0); /* two MiB did not wait */
		assert_true(OK(k->keep(k, span_text(key), span_of(value, 1 << 20), NULL, 0)));
	}
	assert_true(OK(stored_write_kept(s)));
	assert_int_equal(notes(), 3);
	/* A store that is full is told of at the end, and stops nobody before. */
	for (int i = 0; i < 16; i++) {
		char key[] = "va";

		key[1] = (char)('a' + i);
		assert_true(OK(k->keep(k, span_text(key), span_of(value, 1 << 20), NULL, 0)));
	}
	assert_int_equal(stored_write_kept(s).e, ERR_LIMIT);
	assert_true(OK(stored_write_kept(s)));
	free(value);
	stored_free(s);
}

/* n notes of last good states that end at this time. */
static void keep_good(struct stored *s, uint32_t n, uint32_t end_of_it)
{
	struct objects_keeper *k = stored_keeper(s);
	uint8_t key[33] = { 'G' }, value[49] = { 0 };

	store32(value + 36, end_of_it);
	for (uint32_t i = 0; i < n; i++) {
		store32(key + 1, i);
		assert_true(OK(k->keep(k, span_of(key, sizeof key), span_of(value, sizeof value), NULL, 0)));
	}
	assert_true(OK(stored_write_kept(s)));
}

static void spare_states_stay_until_they_end_or_are_too_many(void **state)
{
	struct stored *s = stored_new(store, true);
	struct objects_keeper *k = stored_keeper(s);
	uint8_t key[33] = { 'G' };

	(void)state;
	keep_good(s, 900, 1000);
	assert_true(OK(stored_sweep(s, 1000)));
	assert_int_equal(notes(), 900);
	assert_true(OK(k->used(k, span_of(key, sizeof key)))); /* the first */
	assert_true(OK(stored_sweep(s, 1001)));
	assert_int_equal(notes(), 1);
	keep_good(s, 1100, 1000);
	assert_true(OK(k->used(k, span_of(key, sizeof key))));
	assert_true(OK(stored_sweep(s, 1000)));
	assert_int_equal(notes(), 1);
	stored_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rrdp_counts_once_it_was_fetched, begin, end),
		cmocka_unit_test_setup_teardown(the_later_one_counts, begin, end),
		cmocka_unit_test_setup_teardown(a_reader_does_not_mix_sources, begin, end),
		cmocka_unit_test_setup_teardown(anchors_are_sources_of_their_own, begin, end),
		cmocka_unit_test_setup_teardown(much_is_written_before_the_end, begin, end),
		cmocka_unit_test_setup_teardown(spare_states_stay_until_they_end_or_are_too_many, begin, end),
		cmocka_unit_test(modules_are_the_first_part_of_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
