#include "conf/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "conf/conf.h"

struct enum_word {
	const char *set BORROWED_FIELD;
	const char *word BORROWED_FIELD;
};

static const struct enum_word enum_words[] = {
	[CONF_WORD_NONE] = { "", "" },
#define ENUM_WORD(set, id, word) [CONF_##set##_##id] = { #set, word },
#include "conf/enums.def"
#undef ENUM_WORD
};

static const struct {
	const char *name BORROWED_FIELD;
	enum value_kind kind;
} kinds[] = {
	{ "bool", VALUE_BOOL }, { "int", VALUE_INT }, { "size", VALUE_SIZE }, { "seconds", VALUE_SECONDS },
	{ "interval", VALUE_INTERVAL }, { "ms", VALUE_MS }, { "port", VALUE_PORT }, { "ports", VALUE_PORTS },
	{ "intlist", VALUE_INTLIST }, { "text", VALUE_TEXT }, { "path", VALUE_PATH }, { "netblock", VALUE_NETBLOCK },
	{ "listen", VALUE_LISTEN }, { "control", VALUE_CONTROL }, { "server", VALUE_SERVER }, { "host", VALUE_HOST },
	{ "name", VALUE_NAME }, { "rr", VALUE_RR }, { "ptr", VALUE_PTR }, { "hex", VALUE_HEX }, { "date", VALUE_DATE },
	{ "modules", VALUE_MODULES },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool value_type_parse(struct span spec, struct value_type *ret)
{
	struct value_type t = { .kind = VALUE_ENUM };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (span_equal(spec, span_text(kinds[i].name))) {
			t.kind = kinds[i].kind;
			*ret = t;
			return true;
		}
	}
	if (spec.n < 5 || memcmp(spec.p, "enum:", 5) != 0)
		return false;
	spec = span_of(spec.p + 5, spec.n - 5);
	for (int i = 1; i < CONF_WORD_COUNT; i++) {
		if (!span_equal(spec, span_text(enum_words[i].set)))
			continue;
		if (t.first == 0)
			t.first = i;
		t.end = i + 1;
	}
	*ret = t;
	return t.first != 0;
}

bool value_is_number(enum value_kind k)
{
	return k == VALUE_BOOL || k == VALUE_INT || k == VALUE_SIZE || k == VALUE_SECONDS || k == VALUE_INTERVAL || k == VALUE_MS ||
	    k == VALUE_PORT || k == VALUE_ENUM;
}

/* Reads digits at *s and moves past them. False when there are none, or too many for 63 bits. */
static bool read_digits(const char **s, int64_t *ret)
{
	const char *p = *s;
	int64_t v = 0;

	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++) {
		if (v > (INT64_MAX - (*p - '0')) / 10)
			return false;
		v = v * 10 + (*p - '0');
	}
	*s = p;
	*ret = v;
	return true;
}

/* An optional sign and digits. */
static bool read_number(const char **s, int64_t *ret)
{
	const char *p = *s;
	bool minus = *p == '-';
	int64_t v;

	p += minus;
	if (!read_digits(&p, &v))
		return false;
	*ret = minus ? -v : v;
	*s = p;
	return true;
}

static bool in_range(const struct value_type *t, int64_t v)
{
	return v >= t->min && v <= t->max;
}

static bool read_int(const struct value_type *t, const char *s, int64_t *ret)
{
	return read_number(&s, ret) && *s == '\0' && in_range(t, *ret);
}

/* "4m", "4 Mb", "1024", "512B". */
static bool read_size(const struct value_type *t, const char *s, int64_t *ret)
{
	unsigned int shift = 0;
	int64_t v;

	if (!read_digits(&s, &v))
		return false;
	while (is_blank(*s))
		s++;
	switch (*s) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	default:
		break;
	}
	s += shift != 0;
	s += *s == 'b' || *s == 'B';
	if (*s != '\0' || v > INT64_MAX >> shift)
		return false;
	*ret = v << shift;
	return in_range(t, *ret);
}

static bool read_ports(const char *s)
{
	int64_t low, high;

	if (!read_digits(&s, &low))
		return false;
	high = low;
	if (*s == '-') {
		s++;
		if (!read_digits(&s, &high))
			return false;
	}
	return *s == '\0' && low <= high && high <= 65535;
}

static bool read_intlist(const char *s)
{
	size_t n = 0;
	int64_t v;

	for (;;) {
		while (is_blank(*s))
			s++;
		if (*s == '\0')
			return n > 0;
		if (!read_number(&s, &v) || (*s != '\0' && !is_blank(*s)))
			return false;
		n++;
	}
}

/* A label character, written "\DDD" or "\X" or as itself. Moves *i past it; false when the escape is none. */
static bool name_step(struct span s, size_t *i)
{
	unsigned int v;

	if (s.p[*i] != '\\') {
		++*i;
		return true;
	}
	if (*i + 1 >= s.n)
		return false;
	if (!is_digit((char)s.p[*i + 1])) {
		*i += 2;
		return true;
	}
	if (*i + 3 >= s.n || !is_digit((char)s.p[*i + 2]) || !is_digit((char)s.p[*i + 3]))
		return false;
	v = (s.p[*i + 1] - (unsigned int)'0') * 100 + (s.p[*i + 2] - (unsigned int)'0') * 10 + (s.p[*i + 3] - (unsigned int)'0');
	*i += 4;
	return v <= 255;
}

/* RFC 1035 section 2.3.4: labels of 1 to 63 octets, names of at most 255 in wire form. */
static bool is_name(struct span s)
{
	size_t wire = 1, label = 0, i = 0;

	if (s.n == 1 && s.p[0] == '.')
		return true;
	if (s.n == 0)
		return false;
	while (i < s.n) {
		if (s.p[i] == '.') {
			if (label == 0)
				return false;
			wire += label + 1;
			label = 0;
			i++;
			continue;
		}
		if (s.p[i] <= ' ' || s.p[i] == '@' || !name_step(s, &i) || ++label > 63)
			return false;
	}
	if (label != 0)
		wire += label + 1;
	return wire <= 255;
}

/* The first blank-separated word at *s, and moves *s behind it and the blanks. Empty at the end. */
static struct span next_word(const char **s)
{
	const char *p = *s + strspn(*s, " \t");
	size_t n = strcspn(p, " \t");

	*s = p + n + strspn(p + n, " \t");
	return span_of(p, n);
}

static bool is_rr(const char *s)
{
	struct span owner = next_word(&s);

	return is_name(owner) && *s != '\0';
}

static bool is_addr(struct span s)
{
	char copy[ADDR_TEXT];
	struct addr a;

	if (s.n >= sizeof(copy))
		return false;
	memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return OK(addr_parse(copy, &a));
}

static bool is_ptr(const char *s)
{
	struct span addr = next_word(&s), second = next_word(&s), third = next_word(&s);

	if (!is_addr(addr) || *s != '\0')
		return false;
	if (third.n == 0)
		return is_name(second);
	for (size_t i = 0; i < second.n; i++) {
		if (!is_digit((char)second.p[i]))
			return false;
	}
	return second.n <= 10 && is_name(third);
}

static bool is_date(const char *s)
{
	const char *p = s;
	int64_t v;

	if (*s == '\0' || strcmp(s, "-1") == 0)
		return true;
	return read_digits(&p, &v) && *p == '\0' && (v <= UINT32_MAX || strlen(s) == 14);
}

static bool is_hex_text(const struct value_type *t, const char *s)
{
	size_t n = 0;

	if (*s == '\0')
		return true;
	for (; s[n] != '\0'; n++) {
		if (!is_hex(s[n]))
			return false;
	}
	return in_range(t, (int64_t)n);
}

static const char *const modules[] = { "iterator", "validator", "dns64", "respip", "cachedb", "subnetcache", "ipsecmod", "ipset",
	"python", "dynlib" };

static bool is_modules(const char *s)
{
	struct span word = next_word(&s);
	bool any = word.n != 0;

	for (; word.n != 0; word = next_word(&s)) {
		bool known = false;

		for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
			known = known || span_equal(word, span_text(modules[i]));
		if (!known)
			return false;
	}
	return any;
}

RESULT value_prefix(const char *text, struct prefix *ret)
{
	size_t n = strcspn(text, "/");
	char copy[ADDR_TEXT];
	struct prefix p;
	const char *rest;
	int64_t len;

	if (n >= sizeof(copy))
		return FAIL(ERR_FORMAT);
	memcpy(copy, text, n);
	copy[n] = '\0';
	TRY(addr_parse(copy, &p.a));
	len = (int64_t)addr_octets(&p.a) * 8;
	if (text[n] == '/') {
		int64_t max = len;

		rest = text + n + 1;
		if (!read_digits(&rest, &len) || *rest != '\0')
			return FAIL(ERR_FORMAT);
		if (len > max)
			return FAIL(ERR_RANGE);
	}
	for (size_t i = 0; i < sizeof(p.a.b); i++) {
		int64_t keep = len - (int64_t)i * 8;

		p.a.b[i] &= keep >= 8 ? 0xff : keep <= 0 ? 0 : (uint8_t)(0xff << (8 - keep));
	}
	p.len = (uint8_t)len;
	*ret = p;
	return DONE;
}

/* The normal form differs only when host bits were set. */
static bool read_netblock(const char *s, struct value *ret)
{
	char text[ADDR_TEXT];
	struct prefix exact = { 0 }, p = { 0 };

	if (!OK(value_prefix(s, &p)))
		return false;
	if (!OK(prefix_parse(s, &exact)))
		snprintf(ret->normal, sizeof(ret->normal), "%.55s/%u", addr_text(&p.a, text), p.len);
	return true;
}

RESULT value_server_split(const char *text, uint16_t default_port, struct value_server *ret)
{
	struct value_server s = { .port = default_port };
	size_t n = strcspn(text, "@#");
	const char *rest = text + n;
	int64_t port;

	s.host = span_of(text, n);
	if (n == 0)
		return FAIL(ERR_FORMAT);
	if (*rest == '@') {
		rest++;
		if (!read_digits(&rest, &port) || port > 65535)
			return FAIL(ERR_FORMAT);
		s.port = (uint16_t)port;
	}
	if (*rest == '#') {
		s.auth = rest + 1;
		if (!is_name(span_text(s.auth)))
			return FAIL(ERR_FORMAT);
	} else if (*rest != '\0') {
		return FAIL(ERR_FORMAT);
	}
	*ret = s;
	return DONE;
}

RESULT value_endpoint(const char *text, uint16_t default_port, struct endpoint *ret)
{
	struct value_server s;
	char copy[ADDR_TEXT + 20];
	struct endpoint e;

	TRY(value_server_split(text, default_port, &s));
	if (s.host.n >= sizeof(copy))
		return FAIL(ERR_FORMAT);
	memcpy(copy, s.host.p, s.host.n);
	copy[s.host.n] = '\0';
	TRY(endpoint_parse(copy, s.port, &e));
	*ret = e;
	return DONE;
}

/* Could only have been meant as an address: digits and dots, or a colon. */
static bool looks_like_addr(struct span s)
{
	bool digits = true;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ':')
			return true;
		digits = digits && (is_digit((char)s.p[i]) || s.p[i] == '.');
	}
	return digits;
}

/* A link-local address whose scope is an interface that is not there now. */
static bool is_scoped(struct span s)
{
	const uint8_t *percent = memchr(s.p, '%', s.n);

	return percent != NULL && is_addr(span_of(s.p, (size_t)(percent - s.p))) && percent + 1 < s.p + s.n;
}

static bool is_interface(struct span s)
{
	if (s.n == 0 || s.n > 15 || looks_like_addr(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] == '/')
			return false;
	}
	return true;
}

static bool is_server(const struct value_type *t, const char *s)
{
	struct value_server v;

	if (t->kind == VALUE_CONTROL && s[0] == '/')
		return s[1] != '\0';
	if (!OK(value_server_split(s, 0, &v)))
		return false;
	if (is_addr(v.host) || is_scoped(v.host))
		return t->kind == VALUE_SERVER || t->kind == VALUE_HOST || v.auth == NULL;
	if (t->kind == VALUE_HOST)
		return is_name(v.host) && !looks_like_addr(v.host);
	return t->kind != VALUE_SERVER && v.auth == NULL && is_interface(v.host);
}

static bool read_enum(const struct value_type *t, const char *s, int64_t *ret)
{
	for (int i = t->first; i < t->end; i++) {
		if (strcmp(enum_words[i].word, s) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool read_bool(const char *s, int64_t *ret)
{
	*ret = strcmp(s, "yes") == 0;
	return *ret != 0 || strcmp(s, "no") == 0;
}

bool value_read(const struct value_type *t, const char *word, struct value *ret)
{
	ret->num = 0;
	ret->normal[0] = '\0';
	switch (t->kind) {
	case VALUE_BOOL:
		return read_bool(word, &ret->num);
	case VALUE_INTERVAL:
		if (word[0] == '\0')
			return true;
		return read_int(t, word, &ret->num);
	case VALUE_INT:
	case VALUE_SECONDS:
	case VALUE_MS:
	case VALUE_PORT:
		return read_int(t, word, &ret->num);
	case VALUE_SIZE:
		return read_size(t, word, &ret->num);
	case VALUE_PORTS:
		return read_ports(word);
	case VALUE_INTLIST:
		return read_intlist(word);
	case VALUE_TEXT:
	case VALUE_PATH:
		return true;
	case VALUE_NETBLOCK:
		return read_netblock(word, ret);
	case VALUE_LISTEN:
	case VALUE_CONTROL:
	case VALUE_SERVER:
	case VALUE_HOST:
		return is_server(t, word);
	case VALUE_NAME:
		return is_name(span_text(word));
	case VALUE_RR:
		return is_rr(word);
	case VALUE_PTR:
		return is_ptr(word);
	case VALUE_HEX:
		return is_hex_text(t, word);
	case VALUE_DATE:
		return is_date(word);
	case VALUE_MODULES:
		return is_modules(word);
	case VALUE_ENUM:
		return read_enum(t, word, &ret->num);
	}
	return false;
}

static void expect_number(const struct value_type *t, const char *what, struct strbuf *out)
{
	strbuf_printf(out, "%s from %" PRId64 " to %" PRId64, what, t->min, t->max);
}

static void expect_words(const struct value_type *t, struct strbuf *out)
{
	strbuf_puts(out, "one of");
	for (int i = t->first; i < t->end; i++)
		strbuf_printf(out, " %s", enum_words[i].word);
}

static void expect_modules(struct strbuf *out)
{
	strbuf_puts(out, "modules out of");
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		strbuf_printf(out, " %s", modules[i]);
}

void value_expected(const struct value_type *t, struct strbuf *out)
{
	switch (t->kind) {
	case VALUE_BOOL:
		strbuf_puts(out, "yes or no");
		return;
	case VALUE_INT:
		expect_number(t, "a number", out);
		return;
	case VALUE_SIZE:
		expect_number(t, "a size such as 4m,", out);
		return;
	case VALUE_SECONDS:
		expect_number(t, "seconds", out);
		return;
	case VALUE_INTERVAL:
		expect_number(t, "\"\" or seconds", out);
		return;
	case VALUE_MS:
		expect_number(t, "milliseconds", out);
		return;
	case VALUE_PORT:
		expect_number(t, "a port number", out);
		return;
	case VALUE_PORTS:
		strbuf_puts(out, "a port number or a range LOW-HIGH");
		return;
	case VALUE_INTLIST:
		strbuf_puts(out, "numbers separated by blanks, in quotes");
		return;
	case VALUE_TEXT:
		strbuf_puts(out, "a text");
		return;
	case VALUE_PATH:
		strbuf_puts(out, "the name of a file or directory");
		return;
	case VALUE_NETBLOCK:
		strbuf_puts(out, "an address or a netblock ADDRESS/LENGTH");
		return;
	case VALUE_LISTEN:
		strbuf_puts(out, "ADDRESS or ADDRESS@PORT, or the name of a network interface in place of the address");
		return;
	case VALUE_CONTROL:
		strbuf_puts(out, "an absolute path, or ADDRESS or ADDRESS@PORT");
		return;
	case VALUE_SERVER:
		strbuf_puts(out, "an address, ADDRESS[@PORT][#NAME]");
		return;
	case VALUE_HOST:
		strbuf_puts(out, "the name or address of a host, HOST[@PORT][#NAME]");
		return;
	case VALUE_NAME:
		strbuf_puts(out, "a domain name");
		return;
	case VALUE_RR:
		strbuf_puts(out, "a resource record \"NAME [TTL] [CLASS] TYPE DATA\"");
		return;
	case VALUE_PTR:
		strbuf_puts(out, "\"ADDRESS [TTL] NAME\"");
		return;
	case VALUE_HEX:
		expect_number(t, "\"\" or hexadecimal digits,", out);
		return;
	case VALUE_DATE:
		strbuf_puts(out, "YYYYMMDDHHMMSS, seconds since 1970, -1 or \"\"");
		return;
	case VALUE_MODULES:
		expect_modules(out);
		return;
	case VALUE_ENUM:
		expect_words(t, out);
		return;
	}
}
