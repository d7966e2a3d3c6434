#include "net/http_request.h"

#include <stdio.h>
#include <time.h>

#include "net/http_head.h"

#define METHOD_MAX 16u

static const char *const months[12] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const days[7] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* ------------------------------------------------------------------------------------------------------------ request line */

static bool is_exactly(struct span s, const char *text) /* with case */
{
	return span_equal(s, span_text(text));
}

static bool read_method(struct span s, enum http_method *ret)
{
	static const struct {
		const char *word BORROWED_FIELD;
		enum http_method method;
	} methods[] = { { "GET", HTTP_GET }, { "HEAD", HTTP_HEAD }, { "POST", HTTP_POST }, { "OPTIONS", HTTP_OPTIONS }, { "PUT", HTTP_OTHER },
		{ "DELETE", HTTP_OTHER }, { "PATCH", HTTP_OTHER }, { "TRACE", HTTP_OTHER } };

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (is_exactly(s, methods[i].word)) {
			*ret = methods[i].method;
			return true;
		}
	}
	return false;
}

/* Up to the next space; false: there is none. */
static bool next_word(struct reader *r, struct span *ret)
{
	struct reader look = *r;
	size_t n = 0;

	while (!reader_end(&look)) {
		if (read8(&look) == ' ') {
			*ret = read_span(r, n);
			read_skip(r, 1);
			return true;
		}
		n++;
	}
	return false;
}

/* origin-form, or absolute-form, which a server takes too (RFC 9112 section 3.2.2); "*" only for OPTIONS. */
static bool read_target(struct span t, struct http_request *q)
{
	const uint8_t *mark;
	size_t n;

	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] <= 0x20 || t.p[i] >= 0x7f || t.p[i] == '#')
			return false;
	if (is_exactly(t, "*") && q->method == HTTP_OPTIONS) {
		q->path = t;
		return true;
	}
	if (t.n > 7 && http_is_text(span_of(t.p, 7), "http://")) {
		const uint8_t *slash;

		t = span_of(&t.p[7], t.n - 7);
		slash = memchr(t.p, '/', t.n);
		if (slash == NULL || slash == t.p)
			return false;
		n = (size_t)(slash - t.p);
		t = span_of(slash, t.n - n);
	}
	if (t.n == 0 || t.p[0] != '/')
		return false;
	mark = memchr(t.p, '?', t.n);
	n = mark == NULL ? t.n : (size_t)(mark - t.p);
	q->path = span_of(t.p, n);
	if (mark != NULL)
		q->query = span_of(&t.p[n + 1], t.n - n - 1);
	return true;
}

static unsigned int read_first(struct span line, const struct http_request_limits *limits, struct http_request *q)
{
	struct reader r = reader_of(line);
	struct span method, target, version;

	if (!next_word(&r, &method) || !http_is_token(method))
		return 400;
	if (!next_word(&r, &target))
		return 400;
	version = read_rest(&r);
	if (version.n != 8 || memcmp(version.p, "HTTP/", 5) != 0 || version.p[6] != '.')
		return 400;
	if (version.p[5] != '1' || version.p[7] < '0' || version.p[7] > '9')
		return 505;
	if (method.n > METHOD_MAX || !read_method(method, &q->method))
		return 501;
	if (target.n > limits->target)
		return 414;
	q->old = version.p[7] == '0';
	q->close = q->old;
	return read_target(target, q) ? 0 : 400;
}

/* ----------------------------------------------------------------------------------------------------------------- fields */

/* "gzip;q=0" says no. */
static bool weighs_nothing(struct span member, struct span *ret_name)
{
	const uint8_t *semicolon = member.n == 0 ? NULL : memchr(member.p, ';', member.n);
	size_t n = semicolon == NULL ? member.n : (size_t)(semicolon - member.p);
	struct span rest = semicolon == NULL ? span_of("", 0) : http_trim(span_of(&member.p[n + 1], member.n - n - 1));

	*ret_name = http_trim(span_of(member.p, n));
	return http_is_text(rest, "q=0") || http_is_text(rest, "q=0.0") || http_is_text(rest, "q=0.00") || http_is_text(rest, "q=0.000");
}

static void read_codings(struct span list, struct http_request *q)
{
	struct span member, name;

	while (http_next_member(&list, &member)) {
		bool none = weighs_nothing(member, &name);

		if (http_is_text(name, "gzip") || http_is_text(name, "x-gzip"))
			q->takes_gzip = !none;
	}
}

static void read_types(struct span list, struct http_request *q)
{
	struct span member, name;

	while (http_next_member(&list, &member)) {
		if (weighs_nothing(member, &name))
			continue;
		q->takes_json = q->takes_json || http_is_text(name, "application/json");
		q->takes_html = q->takes_html || http_is_text(name, "text/html");
	}
}

static void read_connection(struct span list, struct http_request *q)
{
	struct span member;

	while (http_next_member(&list, &member)) {
		if (http_is_text(member, "close"))
			q->close = true;
		else if (http_is_text(member, "keep-alive") && q->old)
			q->close = false;
	}
}

static bool is_host(struct span v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= 0x20 || v.p[i] >= 0x7f || strchr("/?#@,\"<>\\^`{|}", v.p[i]) != NULL)
			return false;
	return true;
}

static unsigned int read_length(struct span v, struct http_request *q)
{
	uint64_t n;

	if (!http_read_number(v, &n) || (q->has_length && q->length != n))
		return 400;
	q->has_length = true;
	q->length = n;
	return 0;
}

static unsigned int read_value(struct span name, struct span v, struct http_request *q)
{
	if (http_is_text(name, "content-length"))
		return read_length(v, q);
	if (http_is_text(name, "transfer-encoding")) {
		if (q->chunked || q->old || !http_is_text(v, "chunked"))
			return q->chunked || q->old ? 400 : 501;
		q->chunked = true;
	} else if (http_is_text(name, "host")) {
		if (q->host.p != NULL || !is_host(v))
			return 400;
		q->host = v;
	} else if (http_is_text(name, "expect")) {
		if (!http_is_text(v, "100-continue"))
			return 417;
		q->expects = !q->old;
	} else if (http_is_text(name, "connection")) {
		read_connection(v, q);
	} else if (http_is_text(name, "accept-encoding")) {
		read_codings(v, q);
	} else if (http_is_text(name, "accept")) {
		read_types(v, q);
	} else if (http_is_text(name, "content-type")) {
		q->type = v;
	} else if (http_is_text(name, "if-none-match")) {
		q->none_match = v;
	} else if (http_is_text(name, "if-modified-since")) {
		q->modified_since = http_date_read(v);
	}
	return 0;
}

static unsigned int read_field(struct span line, struct http_request *q)
{
	const uint8_t *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);
	struct span name;
	size_t n;

	if (colon == NULL)
		return 400;
	n = (size_t)(colon - line.p);
	name = span_of(line.p, n);
	/* A line that continues the one before, too, is no token (RFC 9112 section 5.2). */
	return http_is_token(name) ? read_value(name, http_trim(span_of(&line.p[n + 1], line.n - n - 1)), q) : 400;
}

unsigned int http_request_parse(struct span text, const struct http_request_limits *limits, struct http_request *ret)
{
	struct reader r = reader_of(text);
	struct http_request q = { .modified_since = INT64_MIN };
	unsigned int wrong, fields = 0;
	struct span line;

	if (!http_next_line(&r, &line))
		return 400;
	wrong = read_first(line, limits, &q);
	while (wrong == 0) {
		if (!http_next_line(&r, &line))
			return 400;
		if (line.n == 0)
			break;
		wrong = ++fields > limits->fields ? 431 : read_field(line, &q);
	}
	if (wrong != 0)
		return wrong;
	/* Two lengths are an attack on whoever stands before us (RFC 9112 section 6.3). */
	if (!reader_end(&r) || (q.chunked && q.has_length) || (!q.old && q.host.p == NULL))
		return 400;
	*ret = q;
	return 0;
}

/* ------------------------------------------------------------------------------------------------------------------ queries */

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool http_decode(struct span text, bool plus, char *room, size_t *ret_n)
{
	struct reader r = reader_of(text);
	size_t n = 0;

	while (!reader_end(&r)) {
		uint8_t c = read8(&r);

		if (c == '%') {
			int high = hex_value(read8(&r)), low = hex_value(read8(&r));

			if (!reader_ok(&r) || high < 0 || low < 0)
				return false;
			c = (uint8_t)(high << 4 | low);
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			return false;
		room[n++] = (char)c;
	}
	room[n] = '\0';
	*ret_n = n;
	return true;
}

bool http_query_next(struct span *query, char *room, const char **ret_key, const char **ret_value)
{
	const uint8_t *end, *equals;
	struct span pair, key, value;
	size_t n, used, more;

	while (query->n > 0 && query->p[0] == '&')
		*query = span_of(&query->p[1], query->n - 1);
	if (query->n == 0)
		return false;
	end = memchr(query->p, '&', query->n);
	n = end == NULL ? query->n : (size_t)(end - query->p);
	pair = span_of(query->p, n);
	equals = memchr(pair.p, '=', pair.n);
	key = equals == NULL ? pair : span_of(pair.p, (size_t)(equals - pair.p));
	value = equals == NULL ? span_of("", 0) : span_of(&pair.p[key.n + 1], pair.n - key.n - 1);

	if (!http_decode(key, true, room, &used))
		return false;
	*ret_key = room;
	*ret_value = "";
	if (value.n > 0) {
		if (!http_decode(value, true, room + used + 1, &more))
			return false;
		*ret_value = room + used + 1;
	}
	n = end == NULL ? n : n + 1;
	*query = span_of(&query->p[n], query->n - n);
	return true;
}

/* ------------------------------------------------------------------------------------------------------------ dates and tags */

/* Two digits; -1: they are none. */
static int two(struct span s, size_t at)
{
	uint8_t a = s.p[at], b = s.p[at + 1];

	return a >= '0' && a <= '9' && b >= '0' && b <= '9' ? (a - '0') * 10 + b - '0' : -1;
}

static int word_of(struct span s, size_t at, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (memcmp(&s.p[at], words[i], 3) == 0)
			return i;
	return -1;
}

int64_t http_date_read(struct span text)
{
	static const char form[] = "ddd, dd mmm yyyy hh:mm:ss GMT";
	struct tm t = { .tm_sec = 0 };
	int century;

	if (text.n != sizeof form - 1 || word_of(text, 0, days, 7) < 0)
		return INT64_MIN;
	for (size_t i = 0; i < text.n; i++)
		if ((strchr(" ,:GMT", form[i]) != NULL || text.p[i] == '\0') && text.p[i] != (uint8_t)form[i])
			return INT64_MIN;
	t.tm_mday = two(text, 5);
	t.tm_mon = word_of(text, 8, months, 12);
	century = two(text, 12);
	t.tm_year = two(text, 14);
	t.tm_hour = two(text, 17);
	t.tm_min = two(text, 20);
	t.tm_sec = two(text, 23);
	if (t.tm_mday < 1 || t.tm_mday > 31 || t.tm_mon < 0 || century < 19 || t.tm_year < 0 || t.tm_hour < 0 || t.tm_hour > 23 || t.tm_min < 0 ||
	    t.tm_min > 59 || t.tm_sec < 0 || t.tm_sec > 60)
		return INT64_MIN;
	t.tm_year += century * 100 - 1900;
	return (int64_t)timegm(&t);
}

const char *http_date_print(int64_t sec, char room[HTTP_DATE_ROOM])
{
	time_t at = (time_t)sec;
	struct tm t;

	if (gmtime_r(&at, &t) == NULL || t.tm_year < 0 || t.tm_year > 8099) {
		at = 0;
		(void)gmtime_r(&at, &t);
	}
	(void)snprintf(room, HTTP_DATE_ROOM, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday % 7], t.tm_mday % 32, months[t.tm_mon % 12],
		(t.tm_year + 1900) % 10000, t.tm_hour % 24, t.tm_min % 60, t.tm_sec % 61);
	return room;
}

static struct span strong(struct span tag)
{
	return tag.n >= 2 && tag.p[0] == 'W' && tag.p[1] == '/' ? span_of(&tag.p[2], tag.n - 2) : tag;
}

bool http_tag_matches(struct span list, const char *tag)
{
	struct span member, wanted = strong(span_text(tag));

	if (is_exactly(http_trim(list), "*"))
		return true;
	while (http_next_member(&list, &member)) /* our tags have no comma */
		if (span_equal(strong(member), wanted))
			return true;
	return false;
}
