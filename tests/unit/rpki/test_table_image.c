#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>

#include "rpki/routes/table_image.h"

#define GENERATION 77u
#define MOST ((size_t)1 << 30)

/* n VRPs of both families, each from one or two of n / 2 + 1 objects; a key, two ASPAs, an exception. */
static struct payload_table *table_with(size_t n) OWNED_BY(table_unref);
static struct payload_table *table_with(size_t n)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct payload_table *t = NULL;
	struct payload_source own = { .kind = SOURCE_EXCEPTION, .comment = "ours" };
	struct router_key key = { .ski = { 9 }, .asn = 5, .spki = span_text("a key") };
	uint32_t id = 0, providers[] = { 30, 10, 20 };

	assert_non_null(b);
	for (size_t i = 0; i < n; i++) {
		struct vrp v = { .asn = (uint32_t)i, .family = i % 3 == 0 ? ADDR_V6 : ADDR_V4, .len = 24, .maxlen = 24 };
		struct payload_source s = { .kind = SOURCE_ROA, .tal = i % 2 == 0 ? "one" : "two", .uri = "rsync://a.example/b/c.roa", .not_before = (int64_t)i,
			.not_after = -1, .chain_not_before = 3, .chain_not_after = 4, .stale = 5 };

		store16(v.addr, (uint16_t)(i >> 8));
		v.addr[2] = (uint8_t)i;
		if (i % 2 == 0)
			assert_true(OK(table_builder_add_source(b, &s, &id)));
		assert_true(OK(table_builder_add_vrp(b, &v, i % 5 == 0 ? SOURCE_NONE : id)));
		if (i % 7 == 0)
			assert_true(OK(table_builder_add_vrp(b, &v, 0)));
	}
	assert_true(OK(table_builder_add_source(b, &own, &id)));
	assert_true(OK(table_builder_add_key(b, &key, id)));
	assert_true(OK(table_builder_add_aspa(b, 1, providers, 3, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 2, providers, 1, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), GENERATION, &t)));
	return t;
}

static void assert_text(const char *a, const char *b)
{
	assert_true((a == NULL) == (b == NULL));
	if (a != NULL && b != NULL)
		assert_string_equal(a, b);
}

static void assert_same(const struct payload_table *a, const struct payload_table *b)
{
	assert_true(table_equal(a, b));
	assert_int_equal(table_generation(a), table_generation(b));
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++) {
		for (size_t i = 0; i < table_count(a, k); i++) {
			assert_int_equal(table_sources(a, k, i), table_sources(b, k, i));
			for (size_t w = 0; w < table_sources(a, k, i); w++) {
				struct payload_source x = table_source(a, k, i, w), y = table_source(b, k, i, w);

				assert_int_equal(x.kind, y.kind);
				assert_text(x.tal, y.tal);
				assert_text(x.uri, y.uri);
				assert_text(x.comment, y.comment);
				assert_true(x.not_before == y.not_before && x.not_after == y.not_after && x.stale == y.stale);
				assert_true(x.chain_not_before == y.chain_not_before && x.chain_not_after == y.chain_not_after);
			}
		}
	}
}

static void what_was_written_is_read_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		AUTO(table_unref) struct payload_table *t = table_with(sizes[i]), *back = NULL;
		AUTO(mem_free) void *octets = NULL;
		size_t n = 0;

		assert_true(OK(table_image_copy(t, &octets, &n)));
		assert_true(OK(table_image_take(MOVE(octets), n, &back)));
		assert_same(t, back);
		assert_true(table_image_sum(t) == table_image_sum(back));
	}
}

static void an_empty_table_has_an_image(void **state)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL, *back = NULL;
	AUTO(mem_free) void *octets = NULL;
	size_t n = 0;

	(void)state;
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_true(OK(table_image_copy(t, &octets, &n)));
	assert_int_equal(n, TABLE_IMAGE_HEAD);
	assert_true(OK(table_image_take(MOVE(octets), n, &back)));
	assert_true(table_equal(t, back));
}

static void a_table_that_was_read_is_a_table_like_others(void **state)
{
	AUTO(table_unref) struct payload_table *t = table_with(100), *back = NULL, *built = NULL;
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(mem_free) void *octets = NULL;
	size_t n = 0;

	(void)state;
	assert_true(OK(table_image_copy(t, &octets, &n)));
	assert_true(OK(table_image_take(MOVE(octets), n, &back)));
	assert_true(OK(table_builder_add_table(b, back)));
	assert_true(OK(table_builder_finish(MOVE(b), GENERATION, &built)));
	assert_same(t, built);
}

static void a_sealed_file_is_mapped(void **state)
{
	AUTO(table_unref) struct payload_table *t = table_with(5000), *back = NULL;
	int fd = -1;

	(void)state;
	assert_true(OK(table_image_file(t, &fd)));
	assert_int_equal(table_image_map(fd, 100, &back).e, ERR_LIMIT);
	assert_true(OK(table_image_map(fd, MOST, &back)));
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(close(fd), 0);
	assert_same(t, back);
}

static void a_file_that_can_change_is_refused(void **state)
{
	AUTO(table_unref) struct payload_table *t = table_with(10), *back = NULL;
	AUTO(mem_free) void *octets = NULL;
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t n = 0;

	(void)state;
	assert_true(OK(table_image_copy(t, &octets, &n)));
	assert_int_equal(write(fd, octets, n), (ssize_t)n);
	assert_int_equal(table_image_map(fd, MOST, &back).e, ERR_REFUSED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(table_image_map(fd, MOST, &back).e, ERR_REFUSED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), 0);
	assert_true(OK(table_image_map(fd, MOST, &back)));
	assert_int_equal(close(fd), 0);
	assert_int_equal(table_image_map(STDIN_FILENO, MOST, &back).e, ERR_REFUSED);
}

/* Everything that a table has is looked at: what was accepted in error is seen by a sanitizer. */
static uint64_t look_at(const struct payload_table *t)
{
	uint64_t sum = table_image_sum(t);

	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++)
		for (size_t i = 0; i < table_count(t, k); i++)
			for (size_t w = 0; w < table_sources(t, k, i); w++) {
				struct payload_source s = table_source(t, k, i, w);

				sum += strlen(s.tal) + (s.uri != NULL ? strlen(s.uri) : 0) + (s.comment != NULL ? strlen(s.comment) : 0);
			}
	return sum;
}

/* n octets of the image of t, with one of them changed. */
static struct result read_changed(const uint8_t *image, size_t n, size_t at, uint8_t flip, bool *ret_same)
{
	AUTO(table_unref) struct payload_table *back = NULL;
	AUTO(mem_free) void *copy = mem_dup(image, n);
	struct result r;

	((uint8_t *)copy)[at] ^= flip;
	r = table_image_take(MOVE(copy), n, &back);
	if (OK(r)) {
		AUTO(mem_free) void *again = NULL;
		size_t m = 0;

		(void)look_at(back);
		assert_true(OK(table_image_copy(back, &again, &m)));
		*ret_same = m == n && memcmp(again, image, at) == 0 && ((uint8_t *)again)[at] == (image[at] ^ flip);
	}
	return r;
}

static void no_octet_is_believed(void **state)
{
	AUTO(table_unref) struct payload_table *t = table_with(20);
	AUTO(mem_free) void *octets = NULL;
	size_t n = 0, refused = 0;

	(void)state;
	assert_true(OK(table_image_copy(t, &octets, &n)));
	for (size_t at = 0; at < n; at++) {
		for (unsigned int flip = 1; flip < 256; flip <<= 1) {
			bool same = true;

			refused += !OK(read_changed(octets, n, at, (uint8_t)flip, &same));
			assert_true(same); /* what is accepted is what was said */
		}
	}
	assert_true(refused > n);
	for (size_t less = 1; less <= n; less++) {
		AUTO(table_unref) struct payload_table *back = NULL;
		AUTO(mem_free) void *copy = mem_dup(octets, n);

		assert_int_equal(table_image_take(MOVE(copy), n - less, &back).e, ERR_FORMAT);
	}
}

/* Where the arrays of table_with(20) begin, to break one thing of each. */
static struct result with_u32(const uint8_t *image, size_t n, size_t at, uint32_t value)
{
	AUTO(table_unref) struct payload_table *back = NULL;
	AUTO(mem_free) void *copy = mem_dup(image, n);

	memcpy((uint8_t *)copy + at, &value, sizeof value);
	return table_image_take(MOVE(copy), n, &back);
}

static void counts_are_held_against_the_size(void **state)
{
	AUTO(table_unref) struct payload_table *t = table_with(20);
	AUTO(mem_free) void *octets = NULL;
	size_t n = 0;

	(void)state;
	assert_true(OK(table_image_copy(t, &octets, &n)));
	for (size_t at = 40; at + 4 <= TABLE_IMAGE_HEAD - 4; at += 4) {
		assert_int_equal(with_u32(octets, n, at, UINT32_MAX).e, ERR_FORMAT);
		assert_int_equal(with_u32(octets, n, at, 0x7fffffff).e, ERR_FORMAT);
	}
}

static void order_is_not_believed(void **state)
{
	AUTO(table_unref) struct payload_table *t = table_with(20);
	AUTO(mem_free) void *octets = NULL;
	size_t n = 0;
	uint32_t same = 0;

	(void)state;
	assert_true(OK(table_image_copy(t, &octets, &n)));
	memcpy(&same, (uint8_t *)octets + TABLE_IMAGE_HEAD, sizeof same);
	/* The second prefix becomes the first one's: twice the same address with another AS number is right only when that ascends. */
	assert_true(OK(with_u32(octets, n, TABLE_IMAGE_HEAD + 12, same)));
	assert_int_equal(with_u32(octets, n, TABLE_IMAGE_HEAD, 0xffffff00).e, ERR_FORMAT);
}

/* Two VRPs of one prefix: their AS numbers ascend. */
static void as_numbers_of_a_prefix_ascend(void **state)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL;
	AUTO(mem_free) void *octets = NULL;
	struct vrp v = { .family = ADDR_V4, .len = 8, .maxlen = 8, .addr = { 10 } };
	size_t n = 0;

	(void)state;
	for (v.asn = 5; v.asn < 7; v.asn++)
		assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_true(OK(table_image_copy(t, &octets, &n)));
	assert_true(OK(with_u32(octets, n, TABLE_IMAGE_HEAD + 12 + 4, 7)));
	assert_int_equal(with_u32(octets, n, TABLE_IMAGE_HEAD + 12 + 4, 5).e, ERR_FORMAT);
	assert_int_equal(with_u32(octets, n, TABLE_IMAGE_HEAD + 12 + 4, 4).e, ERR_FORMAT);
}

static void memory_that_runs_out_is_told(void **state)
{
	AUTO(table_unref) struct payload_table *t = table_with(20), *back = NULL;
	struct result r = FAIL(ERR_NOMEM);

	(void)state;
	for (uint64_t i = 1; !OK(r); i++) {
		AUTO(mem_free) void *octets = NULL;
		size_t n = 0;

		mem_fail_at(i, true);
		r = table_image_copy(t, &octets, &n);
		if (OK(r))
			r = table_image_take(MOVE(octets), n, &back);
		mem_fail_at(0, false);
		assert_true(OK(r) || r.e == ERR_NOMEM);
	}
	assert_same(t, back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(an_empty_table_has_an_image),
		cmocka_unit_test(a_table_that_was_read_is_a_table_like_others),
		cmocka_unit_test(a_sealed_file_is_mapped),
		cmocka_unit_test(a_file_that_can_change_is_refused),
		cmocka_unit_test(no_octet_is_believed),
		cmocka_unit_test(counts_are_held_against_the_size),
		cmocka_unit_test(order_is_not_believed),
		cmocka_unit_test(as_numbers_of_a_prefix_ascend),
		cmocka_unit_test(memory_that_runs_out_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
