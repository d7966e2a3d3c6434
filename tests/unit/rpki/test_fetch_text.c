/* The small parts of rpki/fetch that read text: rsync: URIs, https: URIs (net/http_url.h), and the spool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/libcrypto.h"
#include "base/mem.h"
#include "net/http_url.h"
#include "rpki/fetch/spool.h"
#include "rpki/fetch/uri.h"

static void rsync_uris(void **state)
{
	static const char *const good[] = { "rsync://a.example/m/x.roa", "rsync://a.example:8873/m/d/x-_~.cer", "RSYNC://A/m/x" };
	static const char *const bad[] = { "", "rsync://", "rsync://a", "rsync://a/m", "rsync://a/m/", "rsync://a//x", "rsync://a/m//x", "rsync://a/m/../x",
		"rsync://a/m/./x", "rsync://a/m/.x", "rsync://a/m/x%2e", "rsync://a/m/x\\y", "rsync://a/m/x y", "rsync://u@a/m/x", "rsync://a:/m/x", "rsync://a:1x/m/x",
		"rsync://a:123456/m/x", "https://a/m/x", "rsync:/a/m/x", "rsync://-a/m/x", "rsync://.a/m/x", "rsync://a/m/x\x80", "rsync://a/m/x?y", "rsync:///m/x" };
	char text[RSYNC_URI_MAX + 2] = "rsync://a/m/";
	size_t n = strlen(text);

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(rsync_uri_ok(span_text(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(rsync_uri_ok(span_text(bad[i])));
	memset(text + n, 'x', RSYNC_NAME_MAX);
	assert_true(rsync_uri_ok(span_of(text, n + RSYNC_NAME_MAX)));
	memset(text + n, 'x', RSYNC_NAME_MAX + 1);
	assert_false(rsync_uri_ok(span_of(text, n + RSYNC_NAME_MAX + 1)));
	for (; n < sizeof text; n++)
		text[n] = n % 2 == 0 || n == RSYNC_URI_MAX - 1 ? 'x' : '/';
	assert_true(rsync_uri_ok(span_of(text, RSYNC_URI_MAX)));
	assert_false(rsync_uri_ok(span_of(text, RSYNC_URI_MAX + 2)));
	assert_true(rsync_folder_ok(span_text("rsync://a/m/")));
	assert_true(rsync_folder_ok(span_text("rsync://a/m")));
	assert_true(rsync_folder_ok(span_text("rsync://a/m/d/")));
	assert_false(rsync_folder_ok(span_text("rsync://a/")));
	assert_false(rsync_folder_ok(span_text("rsync://a/m//")));
}

static void https_uris(void **state)
{
	static const char *const bad[] = { "", "https://", "https://a", "http://a/", "https:///x", "https://u@a/", "https://a:0/", "https://a:65536/", "https://a:/",
		"https://a/#x", "https://a/ x", "https://a/\x7f", "https://a/../x", "https://a/b/..", "https://a/./x", "https://a..b/", "https://.a/", "https://[::1/",
		"https://[1.2.3.4]/", "https://[fe80::1%25eth0]/", "https://a/\r\nx", "https://a\\b/" };
	struct http_url u, v;

	(void)state;
	assert_true(OK(http_url_parse(span_text("https://Host.example/a/b.xml?x=..&y"), &u)));
	assert_true(span_equal(u.host, span_text("Host.example")));
	assert_true(span_equal(u.target, span_text("/a/b.xml?x=..&y")));
	assert_int_equal(u.port, 443);
	assert_false(u.literal);
	assert_true(OK(http_url_parse(span_text("HTTPS://host.EXAMPLE:443/"), &v)));
	assert_true(http_url_same_origin(&u, &v));
	assert_true(OK(http_url_parse(span_text("https://host.example:8443/"), &v)));
	assert_false(http_url_same_origin(&u, &v));
	assert_true(OK(http_url_parse(span_text("https://host.exampl/"), &v)));
	assert_false(http_url_same_origin(&u, &v));
	assert_true(OK(http_url_parse(span_text("https://[2001:db8::1]:444/x"), &v)));
	assert_true(v.literal && v.port == 444 && span_equal(v.host, span_text("2001:db8::1")));
	assert_true(OK(http_url_parse(span_text("https://192.0.2.1/x"), &v)));
	assert_true(v.literal);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(OK(http_url_parse(span_text(bad[i]), &u)));
}

struct heard {
	uint64_t octets;
	unsigned int last;
	SHA256_CTX sha;
};

static RESULT hear(void *ctx, struct span octets, bool last)
{
	struct heard *h = (struct heard *)ctx;

	h->octets += octets.n;
	h->last += last;
	SHA256_Update(&h->sha, octets.p, octets.n);
	return DONE;
}

/* So many octets in pieces, and back. */
static void spool_some(const char *dir, size_t total, size_t piece)
{
	AUTO(spool_free) struct spool *s = spool_new(dir, total);
	struct heard h = { .octets = 0 };
	uint8_t hash[SPOOL_HASH], again[SPOOL_HASH], *room = (uint8_t *)malloc(total + 1);
	SHA256_CTX sha;

	assert_non_null(s);
	assert_non_null(room);
	for (size_t i = 0; i < total; i++)
		room[i] = (uint8_t)(i * 7 + i / 251);
	SHA256_Init(&sha);
	SHA256_Update(&sha, room, total);
	SHA256_Final(hash, &sha);
	for (size_t at = 0; at < total; at += piece)
		assert_true(OK(spool_add(s, span_of(room + at, total - at < piece ? total - at : piece))));
	assert_int_equal(spool_add(s, span_of(room, 1)).e, ERR_LIMIT);
	assert_int_equal(spool_octets(s), total);
	assert_true(OK(spool_check(s, hash)));
	SHA256_Init(&h.sha);
	assert_true(OK(spool_replay(s, hear, &h)));
	SHA256_Final(again, &h.sha);
	assert_int_equal(h.octets, total);
	assert_int_equal(h.last, 1);
	assert_memory_equal(hash, again, SPOOL_HASH);
	free(room);
}

static void what_was_spooled_comes_back(void **state)
{
	(void)state;
	spool_some(NULL, 0, 1);
	spool_some(NULL, 300000, 1000);
	spool_some("/tmp", 1000, 100);
	spool_some("/tmp", SPOOL_IN_MEMORY, 4096);
	spool_some("/tmp", 3 * SPOOL_IN_MEMORY + 17, 10000);
	spool_some("/tmp", 3 * SPOOL_IN_MEMORY + 17, 2 * SPOOL_IN_MEMORY);
}

static void a_spool_with_another_hash_is_refused(void **state)
{
	AUTO(spool_free) struct spool *s = spool_new(NULL, 10);
	uint8_t hash[SPOOL_HASH] = { 1 };

	(void)state;
	assert_non_null(s);
	assert_true(OK(spool_add(s, span_text("abc"))));
	assert_int_equal(spool_check(s, hash).e, ERR_REFUSED);
}

static void a_spool_needs_its_folder(void **state)
{
	AUTO(spool_free) struct spool *s = spool_new("/nonexistent", 1 << 20);
	static const uint8_t zeros[SPOOL_IN_MEMORY + 1];

	(void)state;
	assert_non_null(s);
	assert_int_equal(spool_add(s, span_of(zeros, sizeof zeros)).e, ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsync_uris),
		cmocka_unit_test(https_uris),
		cmocka_unit_test(what_was_spooled_comes_back),
		cmocka_unit_test(a_spool_with_another_hash_is_refused),
		cmocka_unit_test(a_spool_needs_its_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
