/*
 * Octets that claim to be the image of a table. First octet even: as they are. Odd: what follows describes changes (offset, value) of the image of a table that is sound, so that
 * what is refused is refused deep inside. What is accepted is walked through whole, keeps the order that a table has, and its image is what was read. The same octets in a sealed memory file
 * are taken or refused alike; in one that is not sealed they are refused; and a table that was taken goes through a file of its own unchanged.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rpki/routes/table_image.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct payload_table *base_table(void) OWNED_BY(table_unref);
static struct payload_table *base_table(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct payload_table *t = NULL;
	struct payload_source s = { .kind = SOURCE_ROA, .tal = "t", .uri = "rsync://a/b", .comment = "c" };
	struct router_key k = { .asn = 1, .spki = span_text("key") };
	uint32_t providers[] = { 2, 3 }, id = 0;
	bool good = b != NULL && OK(table_builder_add_source(b, &s, &id));

	for (uint8_t i = 0; i < 6 && good; i++) {
		struct vrp v = { .family = i & 1 ? ADDR_V4 : ADDR_V6, .len = 8, .maxlen = (uint8_t)(8 + i), .addr = { (uint8_t)(i + 1) }, .asn = i };

		good = OK(table_builder_add_vrp(b, &v, i < 3 ? id : SOURCE_NONE));
	}
	good = good && OK(table_builder_add_key(b, &k, id));
	k.asn = 2;
	good = good && OK(table_builder_add_key(b, &k, id)) && OK(table_builder_add_aspa(b, 1, providers, 2, SOURCE_NONE)) &&
	    OK(table_builder_add_aspa(b, 2, providers, 1, SOURCE_NONE));
	return good && OK(table_builder_finish(MOVE(b), 1, &t)) ? t : NULL;
}

static void change(struct span how, uint8_t *image, size_t n)
{
	struct reader r = reader_of(how);

	while (reader_left(&r) >= 3) {
		uint16_t at = read16(&r);
		uint8_t value = read8(&r);

		image[at % n] = value;
	}
}

static size_t texts_of(const struct payload_table *t, enum payload_kind k, size_t i)
{
	size_t sum = 0;

	for (size_t w = 0; w < table_sources(t, k, i); w++) {
		struct payload_source s = table_source(t, k, i, w);

		sum += strlen(s.tal) + (s.uri != NULL ? strlen(s.uri) : 0) + (s.comment != NULL ? strlen(s.comment) : 0);
	}
	return sum;
}

static void check_order(const struct payload_table *t)
{
	volatile size_t sum = 0;

	for (size_t i = 0; i < table_count(t, PAYLOAD_VRP); i++) {
		struct vrp v = table_vrp(t, i), before = table_vrp(t, i > 0 ? i - 1 : 0);

		if (!vrp_is_sound(&v) || (i > 0 && vrp_compare(&before, &v) >= 0) || table_find_vrp(t, &v) != i)
			abort();
		sum += texts_of(t, PAYLOAD_VRP, i);
	}
	for (size_t i = 0; i < table_count(t, PAYLOAD_KEY); i++) {
		struct router_key k = table_key(t, i), before = table_key(t, i > 0 ? i - 1 : 0);

		if (k.spki.n == 0 || (i > 0 && router_key_compare(&before, &k) >= 0))
			abort();
		sum += texts_of(t, PAYLOAD_KEY, i);
	}
	for (size_t i = 0; i < table_count(t, PAYLOAD_ASPA); i++) {
		struct aspa_payload a = table_aspa(t, i);

		if (!aspa_is_sound(&a))
			abort();
		sum += texts_of(t, PAYLOAD_ASPA, i);
	}
	(void)sum;
}

static RESULT image_of(struct span data, void **ret, size_t *ret_n)
{
	AUTO(table_unref) struct payload_table *base = NULL;

	if (data.n == 0 || (data.p[0] & 1) == 0) {
		*ret_n = data.n > 0 ? data.n - 1 : 0;
		*ret = mem_dup(data.n > 0 ? data.p + 1 : data.p, *ret_n);
		return *ret != NULL ? DONE : FAIL(ERR_NOMEM);
	}
	base = base_table();
	if (base == NULL)
		return FAIL(ERR_NOMEM);
	TRY(table_image_copy(base, ret, ret_n));
	change(span_of(data.p + 1, data.n - 1), *ret, *ret_n);
	return DONE;
}

/* A memory file with these octets; -1: there is none. */
static int file_of(struct span s, bool sealed)
{
	int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if ((s.n == 0 || write(fd, s.p, s.n) == (ssize_t)s.n) &&
	    (!sealed || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0))
		return fd;
	(void)close(fd);
	return -1;
}

static struct result map_octets(struct span s, bool sealed, struct payload_table **ret)
{
	int fd = file_of(s, sealed);
	struct result r = fd < 0 ? FAIL(ERR_NOMEM) : table_image_map(fd, s.n, ret);

	if (fd >= 0)
		(void)close(fd);
	return r;
}

/* The table, out of the file that it was written to. ERR_LIMIT would be wrong: an octet less is too little room, and no more than that is said. */
static struct result through_file(const struct payload_table *t, size_t n, struct payload_table **ret)
{
	AUTO(table_unref) struct payload_table *none = NULL;
	struct result r;
	int fd;

	TRY(table_image_file(t, &fd));
	r = table_image_map(fd, n - 1, &none);
	if (r.e == ERR_LIMIT)
		r = table_image_map(fd, n, ret);
	else if (r.e != ERR_NOMEM)
		r = FAIL(ERR_LIMIT);
	(void)close(fd);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(table_unref) struct payload_table *t = NULL, *mapped = NULL, *open = NULL, *written = NULL;
	AUTO(mem_free) void *image = NULL, *copy = NULL, *again = NULL;
	size_t n = 0, m = 0;
	struct result taken, r;

	if (!OK(MINE(image_of(span_of(data, size), &image, &n))))
		return 0;
	copy = MINE(mem_dup(image, n));
	if (copy == NULL)
		return 0;
	taken = table_image_take(MOVE(copy), n, &t);
	r = map_octets(span_of(image, n), true, &mapped);
	HOLDS(r.e == taken.e);
	r = map_octets(span_of(image, n), false, &open);
	HOLDS(r.e == ERR_REFUSED);
	if (!OK(taken))
		return 0;
	check_order(t);
	check_order(mapped);
	HOLDS(OK(table_image_copy(t, &again, &m)));
	HOLDS(m == n && memcmp(again, image, n) == 0);
	r = through_file(mapped, n, &written);
	HOLDS(OK(r));
	HOLDS(table_image_sum(written) == table_image_sum(t));
	return 0;
}
