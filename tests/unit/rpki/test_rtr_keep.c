/* Routers go on after a restart: session, serial, data and differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/rng.h"
#include "rpki/routes/expiry.h"
#include "rpki/serve/rtr_keep.h"

#define NOW 1000000
#define AGE 7200

static const struct history_limits limits = { 3, 1u << 20 };

struct keep {
	char dir[32];
	char path[64];
	struct rtr_feed *feed OWNED_FIELD; /* which has published four times */
};

/* VRPs with AS numbers from `first` on; the first one of them expires at `end` (0: none does). */
static struct payload_table *table_of(uint32_t first, uint32_t n, int64_t end) OWNED_BY(table_unref);
static struct payload_table *table_of(uint32_t first, uint32_t n, int64_t end)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct payload_source s = { .kind = SOURCE_ROA, .tal = "t", .chain_not_after = end };
	struct payload_table *t = NULL;
	uint32_t id = SOURCE_NONE, providers[] = { 1, 2 };

	assert_non_null(b);
	if (end != 0)
		assert_true(OK(table_builder_add_source(b, &s, &id)));
	for (uint32_t i = 0; i < n; i++) {
		struct vrp v = { .family = ADDR_V4, .len = 8, .maxlen = 8, .addr = { 10 }, .asn = first + i };

		assert_true(OK(table_builder_add_vrp(b, &v, i == 0 ? id : SOURCE_NONE)));
	}
	assert_true(OK(table_builder_add_aspa(b, first, providers, 2, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	return t;
}

static struct rtr_feed *feed_of(uint64_t seed) OWNED_BY(rtr_feed_free);
static struct rtr_feed *feed_of(uint64_t seed)
{
	AUTO(rng_free) struct rng *rng = rng_new_seeded(seed);
	struct rtr_feed_options o = { .timers = RTR_TIMERS_USUAL, .history = limits };
	struct rtr_state ids;

	assert_non_null(rng);
	ids = rtr_state_draw(rng);
	return rtr_feed_new(&o, &ids);
}

static void publish(struct rtr_feed *f, uint32_t first, uint32_t n, int64_t end)
{
	bool changed;

	assert_true(OK(rtr_feed_publish(f, table_of(first, n, end), &changed)));
}

static int set_up(void **state)
{
	struct keep *k = mem_alloc(sizeof *k);

	assert_non_null(k);
	(void)snprintf(k->dir, sizeof k->dir, "/tmp/keep.XXXXXX");
	assert_non_null(mkdtemp(k->dir));
	(void)snprintf(k->path, sizeof k->path, "%s/%s", k->dir, RTR_KEEP_NAME);
	k->feed = feed_of(1);
	assert_non_null(k->feed);
	for (uint32_t i = 1; i <= 4; i++)
		publish(k->feed, i, 10, NOW + 100);
	*state = k;
	return 0;
}

static int tear_down(void **state)
{
	struct keep *k = *state;

	(void)unlink(k->path);
	(void)rmdir(k->dir);
	rtr_feed_free(MOVE(k->feed));
	mem_free(k);
	return 0;
}

static void assert_same_pdus(struct rtr_feed *a, struct rtr_feed *b, uint32_t serial)
{
	for (uint8_t v = 0; v < RTR_VERSIONS; v++) {
		AUTO(rtr_image_unref) struct rtr_image *x = NULL, *y = NULL;
		struct result r = rtr_feed_since(a, v, serial, &x);

		assert_int_equal(r.e, rtr_feed_since(b, v, serial, &y).e);
		assert_true(!OK(r) || span_equal(rtr_image_octets(x), rtr_image_octets(y)));
	}
}

static void routers_go_on(void **state)
{
	struct keep *k = *state;
	AUTO(rtr_feed_free) struct rtr_feed *next = feed_of(2);
	struct rtr_state before = rtr_feed_state(k->feed), after;
	int64_t at = 0;
	bool changed = true;

	assert_true(OK(rtr_keep_write(k->path, k->feed, NOW)));
	assert_true(OK(rtr_keep_read(k->path, next, &limits, NOW + 50, AGE, &at)));
	after = rtr_feed_state(next);
	assert_int_equal(at, NOW);
	assert_int_equal(after.serial, 4);
	assert_memory_equal(after.session + 1, before.session + 1, sizeof after.session - sizeof after.session[0]);
	assert_true(table_equal(rtr_feed_table(k->feed), rtr_feed_table(next)));
	for (uint32_t serial = 0; serial <= 5; serial++)
		assert_same_pdus(k->feed, next, serial);
	/* The first run finds the same: nothing has changed. Then something does: the serial goes on. */
	assert_true(OK(rtr_feed_publish(next, table_of(4, 10, NOW + 100), &changed)));
	assert_false(changed);
	publish(next, 5, 10, 0);
	assert_int_equal(rtr_feed_state(next).serial, 5);
	publish(k->feed, 5, 10, 0);
	assert_same_pdus(k->feed, next, 3);
}

/* GoBGP keeps what it had when it finds the same session, and asks for everything all the same. */
static void version_0_begins_a_session(void **state)
{
	struct keep *k = *state;
	struct rtr_state before = rtr_feed_state(k->feed), after, like;
	struct rtr_feed_options o = { .timers = RTR_TIMERS_USUAL, .history = limits };
	int64_t at = 0;

	assert_true(OK(rtr_keep_write(k->path, k->feed, NOW)));
	for (unsigned int i = 0; i < RTR_VERSIONS; i++) {
		AUTO(rtr_feed_free) struct rtr_feed *next = NULL;

		like = before;
		like.session[0] = before.session[i]; /* drawn by chance */
		next = rtr_feed_new(&o, &like);
		assert_non_null(next);
		assert_true(OK(rtr_keep_read(k->path, next, &limits, NOW, AGE, &at)));
		after = rtr_feed_state(next);
		for (unsigned int j = 0; j < RTR_VERSIONS; j++)
			assert_int_not_equal(after.session[0], before.session[j]);
		/* It is kept, too: a run that changes nothing writes it. */
		assert_int_equal(rtr_keep_confirm(k->path, next, NOW).e, ERR_NOTFOUND);
	}
}

static void what_has_expired_is_withdrawn(void **state)
{
	struct keep *k = *state;
	AUTO(rtr_feed_free) struct rtr_feed *next = feed_of(2);
	AUTO(rtr_image_unref) struct rtr_image *i = NULL;
	int64_t at = 0;

	assert_true(OK(rtr_keep_write(k->path, k->feed, NOW)));
	assert_true(OK(rtr_keep_read(k->path, next, &limits, NOW + 101, AGE, &at)));
	assert_int_equal(rtr_feed_state(next).serial, 5);
	assert_int_equal(table_count(rtr_feed_table(next), PAYLOAD_VRP), 9);
	assert_true(OK(rtr_feed_since(next, 1, 4, &i)));
	assert_int_equal(rtr_image_octets(i).n, 20);
}

static void old_data_are_not_used(void **state)
{
	struct keep *k = *state;
	AUTO(rtr_feed_free) struct rtr_feed *next = feed_of(2);
	int64_t at = 0;

	assert_int_equal(rtr_keep_read(k->path, next, &limits, NOW, AGE, &at).e, ERR_NOTFOUND);
	assert_true(OK(rtr_keep_write(k->path, k->feed, NOW)));
	assert_int_equal(rtr_keep_read(k->path, next, &limits, NOW + AGE + 1, AGE, &at).e, ERR_TIMEOUT);
	assert_int_equal(rtr_keep_read(k->path, next, &limits, NOW - RTR_KEEP_AHEAD - 1, AGE, &at).e, ERR_TIMEOUT);
	assert_null(rtr_feed_table(next));
	assert_true(OK(rtr_keep_read(k->path, next, &limits, NOW + AGE, AGE, &at)));
}

static void a_run_without_changes_confirms(void **state)
{
	struct keep *k = *state;
	AUTO(rtr_feed_free) struct rtr_feed *next = feed_of(2);
	int64_t at = 0;

	assert_int_equal(rtr_keep_confirm(k->path, k->feed, NOW).e, ERR_NOTFOUND);
	assert_true(OK(rtr_keep_write(k->path, k->feed, NOW)));
	assert_true(OK(rtr_keep_confirm(k->path, k->feed, NOW + AGE)));
	assert_int_equal(rtr_keep_confirm(k->path, next, NOW).e, ERR_NOTFOUND);
	assert_true(OK(rtr_keep_read(k->path, next, &limits, NOW + AGE + 10, AGE, &at)));
	assert_int_equal(at, NOW + AGE);
	publish(k->feed, 9, 9, 0);
	assert_int_equal(rtr_keep_confirm(k->path, k->feed, NOW).e, ERR_NOTFOUND);
}

/* ret_at < 0: refused */
static int64_t read_octets(const struct keep *k, struct span octets)
{
	AUTO(rtr_feed_free) struct rtr_feed *next = feed_of(2);
	int64_t at = -1;
	struct result r;

	assert_true(OK(file_write_atomic(k->path, octets, 0600)));
	r = rtr_keep_read(k->path, next, &limits, NOW, AGE, &at);
	assert_true(OK(r) || r.e == ERR_FORMAT || r.e == ERR_TIMEOUT);
	if (!OK(r))
		assert_null(rtr_feed_table(next));
	else
		assert_true(table_equal(rtr_feed_table(k->feed), rtr_feed_table(next)) && rtr_feed_state(next).serial == 4);
	return OK(r) ? at : -1;
}

static void damage_is_seen(void **state)
{
	struct keep *k = *state;
	AUTO_CHARS char *text = NULL;
	size_t n = 0, accepted = 0;

	assert_true(OK(rtr_keep_write(k->path, k->feed, NOW)));
	assert_true(OK(file_read_all(k->path, 1u << 20, &text, &n)));
	for (size_t at = 0; at < n; at += 1 + at / 300) {
		text[at] ^= 1;
		accepted += read_octets(k, span_of(text, n)) >= 0;
		text[at] ^= 1;
	}
	assert_int_equal(accepted, 16); /* the confirmation, without which the data are as of the time of writing */
	for (size_t less = 1; less < n; less += 1 + n / 50)
		assert_int_equal(read_octets(k, span_of(text, n - less)), -1);
	assert_int_equal(read_octets(k, span_of("", 0)), -1);
	assert_int_equal(read_octets(k, span_of(text, n)), NOW);
}

static void without_memory_nothing_changes(void **state)
{
	struct keep *k = *state;
	struct result r = FAIL(ERR_NOMEM);
	int64_t at = 0;

	for (uint64_t i = 1; !OK(r); i++) {
		AUTO(rtr_feed_free) struct rtr_feed *next = feed_of(2);

		mem_fail_at(i, true);
		r = rtr_keep_write(k->path, k->feed, NOW);
		if (OK(r))
			r = rtr_keep_read(k->path, next, &limits, NOW, AGE, &at);
		mem_fail_at(0, false);
		assert_true(OK(r) || r.e == ERR_NOMEM);
		assert_true(OK(r) == (rtr_feed_table(next) != NULL));
	}
}

static void a_payload_lives_as_long_as_its_best_source(void **state)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL, *left = NULL;
	struct payload_source s = { .kind = SOURCE_ROA, .not_after = 50, .chain_not_after = 40, .stale = 60 };
	struct payload_source other = { .kind = SOURCE_ROA, .not_after = 45, .stale = 42 }, own = { .kind = SOURCE_EXCEPTION };
	struct vrp v = { .family = ADDR_V4, .asn = 1 };
	uint32_t ids[3] = { 0 };
	size_t expired = 0;

	(void)state;
	assert_int_equal(source_expiry(&s), 40);
	assert_int_equal(source_expiry(&other), 42);
	assert_true(source_expiry(&own) == EXPIRY_NEVER);
	assert_true(OK(table_builder_add_source(b, &s, &ids[0])) && OK(table_builder_add_source(b, &other, &ids[1])) &&
		    OK(table_builder_add_source(b, &own, &ids[2])));
	assert_true(OK(table_builder_add_vrp(b, &v, ids[0])) && OK(table_builder_add_vrp(b, &v, ids[1])));
	v.asn = 2;
	assert_true(OK(table_builder_add_vrp(b, &v, ids[0])));
	v.asn = 3;
	assert_true(OK(table_builder_add_vrp(b, &v, ids[0])) && OK(table_builder_add_vrp(b, &v, ids[2])));
	v.asn = 4;
	assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_int_equal(payload_expiry(t, PAYLOAD_VRP, 0), 42);
	assert_true(OK(table_unexpired(t, 40, &expired, &left)));
	assert_ptr_equal(left, t);
	table_unref(MOVE(left));
	assert_true(OK(table_unexpired(t, 41, &expired, &left)));
	assert_int_equal(expired, 1);
	assert_int_equal(table_count(left, PAYLOAD_VRP), 3);
	table_unref(MOVE(left));
	assert_true(OK(table_unexpired(t, 43, &expired, &left)));
	assert_int_equal(expired, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(routers_go_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(version_0_begins_a_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_has_expired_is_withdrawn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(old_data_are_not_used, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_run_without_changes_confirms, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_is_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_memory_nothing_changes, set_up, tear_down),
		cmocka_unit_test(a_payload_lives_as_long_as_its_best_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
