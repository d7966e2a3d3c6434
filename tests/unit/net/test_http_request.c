/* The head of a request: what is taken, and what is refused with which status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/http_head.h"
#include "net/http_request.h"

static const struct http_request_limits limits = { 64, 8 };

static unsigned int parse(const char *text, struct http_request *q)
{
	return http_request_parse(span_text(text), &limits, q);
}

static void what_may_be(void **state)
{
	struct http_request q;

	(void)state;
	assert_int_equal(parse("GET /json?select-asn=AS1 HTTP/1.1\r\nHost: localhost:8323\r\nAccept-Encoding: br, gzip;q=0.5\r\n\r\n", &q), 0);
	assert_true(q.method == HTTP_GET && !q.old && !q.close && !q.chunked && !q.has_length && q.takes_gzip);
	assert_true(span_equal(q.path, span_text("/json")) && span_equal(q.query, span_text("select-asn=AS1")));
	assert_true(span_equal(q.host, span_text("localhost:8323")) && q.modified_since == INT64_MIN && q.none_match.p == NULL);

	assert_int_equal(parse("HEAD http://h.example/a/b HTTP/1.1\r\nHost: x\r\nConnection: foo, close\r\n\r\n", &q), 0);
	assert_true(q.method == HTTP_HEAD && q.close && span_equal(q.path, span_text("/a/b")));
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &q), 0);
	assert_true(q.old && q.close);
	assert_int_equal(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &q), 0);
	assert_true(q.old && !q.close);
	assert_int_equal(parse("POST /v HTTP/1.1\r\nHost:\r\nContent-Length: 5\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n\r\n", &q), 0);
	assert_true(q.has_length && q.length == 5 && q.expects && span_equal(q.type, span_text("application/json")));
	assert_int_equal(parse("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip;q=0\r\nAccept: text/html, */*\r\n\r\n", &q), 0);
	assert_true(!q.takes_gzip && q.takes_html && !q.takes_json);
	assert_int_equal(parse("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", &q), 0);
}

static void what_may_not(void **state)
{
	static const struct {
		unsigned int status;
		const char *text;
	} bad[] = {
		{ 400, "GET / HTTP/1.1\r\n\r\n" },                            /* no host */
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" },
		{ 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n" },
		{ 400, "GET json HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\nHost: a\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ 400, "\r\n\r\n" },
		{ 414, "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n" },
		{ 431, "GET / HTTP/1.1\r\nHost: a\r\nA: \r\nA: \r\nA: \r\nA: \r\nA: \r\nA: \r\nA: \r\nA: \r\n\r\n" },
		{ 501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 501, "get / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" },
		{ 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct http_request q;

		if (parse(bad[i].text, &q) != bad[i].status)
			fail_msg("%s gave %u instead of %u", bad[i].text, parse(bad[i].text, &q), bad[i].status);
	}
}

static void queries(void **state)
{
	char text[] = "&select-asn=AS1&&select-prefix=10.0.0.0%2F8&a+b=c%20d&flag&bad=%zz";
	struct span q = span_text(text);
	char room[sizeof text + 1];
	const char *key, *value;

	(void)state;
	assert_true(http_query_next(&q, room, &key, &value));
	assert_string_equal(key, "select-asn");
	assert_string_equal(value, "AS1");
	assert_true(http_query_next(&q, room, &key, &value));
	assert_string_equal(value, "10.0.0.0/8");
	assert_true(http_query_next(&q, room, &key, &value));
	assert_string_equal(key, "a b");
	assert_string_equal(value, "c d");
	assert_true(http_query_next(&q, room, &key, &value));
	assert_string_equal(key, "flag");
	assert_string_equal(value, "");
	assert_false(http_query_next(&q, room, &key, &value));
	assert_true(q.n > 0);
	q = span_text("a=%00");
	assert_false(http_query_next(&q, room, &key, &value));
	q = span_text("");
	assert_false(http_query_next(&q, room, &key, &value));
	assert_true(q.n == 0);
}

static void dates_and_tags(void **state)
{
	char room[HTTP_DATE_ROOM];

	(void)state;
	assert_true(http_date_read(span_text("Sun, 06 Nov 1994 08:49:37 GMT")) == 784111777);
	assert_string_equal(http_date_print(784111777, room), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_true(http_date_read(span_text("Sunday, 06-Nov-94 08:49:37 GMT")) == INT64_MIN);
	assert_true(http_date_read(span_text("Sun, 06 Nov 1994 08:49:37 UTC")) == INT64_MIN);
	assert_true(http_date_read(span_text("Sun, 36 Nov 1994 08:49:37 GMT")) == INT64_MIN);
	assert_true(http_tag_matches(span_text("\"a\", W/\"b\""), "\"b\""));
	assert_true(http_tag_matches(span_text("\"a\""), "W/\"a\""));
	assert_true(http_tag_matches(span_text(" * "), "\"b\""));
	assert_false(http_tag_matches(span_text("\"a\", \"bb\""), "\"b\""));
	assert_false(http_tag_matches(span_text("b"), "\"b\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be),
		cmocka_unit_test(what_may_not),
		cmocka_unit_test(queries),
		cmocka_unit_test(dates_and_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
