#include "dns/rdata_parse.h"

#include "base/base64.h"
#include "base/mem.h"
#include "dns/fields.h"
#include "dns/rdata.h"
#include "dns/svcb.h"

/* Each field's parser takes its words and gives NULL, or what it expected instead of them. What does not fit makes the writer full. */
struct parse {
	struct lexer *l BORROWED_FIELD;
	const struct name *origin BORROWED_FIELD;
	struct writer *w BORROWED_FIELD;
	enum err error; /* other than ERR_FORMAT */
};

/* The next word; NULL when there is one, else what was expected (or what the lexer says). */
static const char *need(struct parse *p, const char *what, struct word *ret)
{
	const char *msg = NULL;

	switch (lexer_next(p->l, ret, &msg)) {
	case LEX_WORD:
		return NULL;
	case LEX_END:
		return what;
	default:
		return msg;
	}
}

/* The next word if there is one: false at the end of the entry; *msg is set when the text is broken. */
static bool more(struct parse *p, struct word *ret, const char **msg)
{
	*msg = NULL;
	return lexer_next(p->l, ret, msg) == LEX_WORD;
}

static const char *parse_name(struct parse *p)
{
	static const char what[] = "a domain name";
	struct word w;
	struct name_buf name;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (w.quoted || !OK(name_from_text_n((const char *)w.s.p, w.s.n, p->origin, &name)))
		return what;
	write_octets(p->w, name.b, name.len);
	return NULL;
}

static const char *parse_number(struct parse *p, uint64_t max, const char *what, uint64_t *ret)
{
	struct word w;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	return word_number(w.s, max, ret) ? NULL : what;
}

static const char *parse_u8(struct parse *p)
{
	uint64_t v;
	const char *msg = parse_number(p, UINT8_MAX, "a number from 0 to 255", &v);

	if (msg == NULL)
		write8(p->w, (uint8_t)v);
	return msg;
}

static const char *parse_u16(struct parse *p)
{
	uint64_t v;
	const char *msg = parse_number(p, UINT16_MAX, "a number from 0 to 65535", &v);

	if (msg == NULL)
		write16(p->w, (uint16_t)v);
	return msg;
}

static const char *parse_u32(struct parse *p)
{
	uint64_t v;
	const char *msg = parse_number(p, UINT32_MAX, "a number from 0 to 4294967295", &v);

	if (msg == NULL)
		write32(p->w, (uint32_t)v);
	return msg;
}

static const char *parse_u64(struct parse *p, uint8_t field)
{
	uint64_t v;
	const char *msg = field == F_TIME48 ? parse_number(p, (UINT64_C(1) << 48) - 1, "seconds, below 2^48", &v) :
					      parse_number(p, UINT64_MAX, "a number below 2^64", &v);

	if (msg != NULL)
		return msg;
	if (field == F_TIME48)
		write16(p->w, (uint16_t)(v >> 32));
	else
		write32(p->w, (uint32_t)(v >> 32));
	write32(p->w, (uint32_t)v);
	return NULL;
}

static const char *parse_period(struct parse *p, uint8_t field)
{
	const char *what = field == F_TIME ? "a date as YYYYMMDDHHMMSS or in seconds" : "a number of seconds, or a time like 1d12h";
	struct word w;
	uint32_t v;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (field == F_TIME ? !word_time(w.s, &v) : !word_period(w.s, &v))
		return what;
	write32(p->w, v);
	return NULL;
}

static bool type_of_word(struct span w, uint16_t *ret)
{
	char text[32];

	if (w.n >= sizeof text || memchr(w.p, 0, w.n) != NULL)
		return false;
	memcpy(text, w.p, w.n);
	text[w.n] = '\0';
	return OK(rrtype_parse(text, ret));
}

static const char *parse_type(struct parse *p)
{
	static const char what[] = "an RR type";
	struct word w;
	uint16_t type;
	uint64_t number;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (word_number(w.s, UINT16_MAX, &number)) /* as old signatures have it */
		type = (uint16_t)number;
	else if (!type_of_word(w.s, &type))
		return what;
	write16(p->w, type);
	return NULL;
}

static const char *parse_mnemonic(struct parse *p, uint8_t field)
{
	const char *what = field == F_ALGORITHM ? "a DNSSEC algorithm" : field == F_SCHEME ? "a DSYNC scheme" : "a certificate type";
	struct word w;
	uint16_t v;
	uint64_t number;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (word_number(w.s, field == F_CERT_TYPE ? UINT16_MAX : UINT8_MAX, &number))
		v = (uint16_t)number;
	else if (!OK(field_mnemonic_parse(field, w.s, &v)))
		return what;
	if (field == F_CERT_TYPE)
		write16(p->w, v);
	else
		write8(p->w, (uint8_t)v);
	return NULL;
}

static const char *parse_address(struct parse *p, size_t octets)
{
	const char *what = octets == 4 ? "an IPv4 address" : "an IPv6 address";
	uint8_t a[16];
	struct word w;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (!word_address(w.s, octets, a))
		return what;
	write_octets(p->w, a, octets);
	return NULL;
}

/* n numbers of `digits` hexadecimal digits at most (at least: exact), with a sign between. */
static const char *parse_groups(struct parse *p, unsigned int n, unsigned int octets, char between, const char *what)
{
	struct word w;
	const char *msg = need(p, what, &w);
	size_t at = 0;

	if (msg != NULL)
		return msg;
	for (unsigned int i = 0; i < n; i++) {
		static const uint8_t zeros[4] = { '0', '0', '0', '0' };
		uint8_t digits[4];
		size_t start = at;
		struct writer four = writer_of(digits, 2u * octets);

		while (at < w.s.n && w.s.p[at] != (uint8_t)between)
			at++;
		if (at == start || at - start > 2u * octets || (octets == 1 && at - start != 2))
			return what;
		write_octets(&four, zeros, 2u * octets - (at - start));
		write_octets(&four, w.s.p + start, at - start);
		if (!word_hex(writer_done(&four), p->w) || (at == w.s.n) != (i + 1 == n))
			return what;
		at++;
	}
	return NULL;
}

static const char *put_string(struct parse *p, const struct word *w)
{
	uint8_t octets[255];
	struct writer room = writer_of(octets, sizeof octets);

	if (!word_unescape(w->s, &room))
		return writer_ok(&room) ? "a string with valid escapes" : "a string of at most 255 octets";
	write8(p->w, (uint8_t)room.pos);
	write_octets(p->w, octets, room.pos);
	return NULL;
}

static const char *parse_string(struct parse *p)
{
	struct word w;
	const char *msg = need(p, "a string", &w);

	return msg != NULL ? msg : put_string(p, &w);
}

static const char *parse_strings(struct parse *p, bool one_or_none)
{
	struct word w;
	const char *msg;

	while (more(p, &w, &msg)) {
		msg = put_string(p, &w);
		if (msg != NULL || one_or_none)
			return msg;
	}
	return msg;
}

static const char *parse_long_text(struct parse *p, uint8_t field)
{
	struct word w;
	const char *msg = need(p, "a string", &w);

	if (msg != NULL)
		return msg;
	if (w.s.n == 0 && field == F_LONG_TEXT)
		return "a string that is not empty";
	if (!word_unescape(w.s, p->w) && writer_ok(p->w))
		return "a string with valid escapes";
	return NULL;
}

static const char *parse_tag(struct parse *p)
{
	static const char what[] = "a tag of letters and digits";
	struct word w;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (w.s.n == 0 || w.s.n > 255)
		return what;
	write8(p->w, (uint8_t)w.s.n);
	write_span(p->w, w.s);
	return NULL; /* which octets is checked with the whole */
}

static const char *parse_base64(struct parse *p, uint8_t field)
{
	static const char what[] = "base64 data";
	struct base64 state = { .form = BASE64_LOOSE };
	struct word w;
	const char *msg;
	size_t start = p->w->pos;
	bool first = true;

	while (more(p, &w, &msg)) {
		if (first && field == F_BASE64_DASH && word_is(w.s, "-"))
			return NULL;
		first = false;
		if (!base64_read(&state, w.s, p->w) && writer_ok(p->w)) /* else it does not fit, which is for the caller to say */
			return what;
	}
	if (msg != NULL)
		return msg;
	return !writer_ok(p->w) || (base64_end(&state) && (field != F_BASE64 || p->w->pos != start)) ? NULL : what;
}

/* Base64 in one word. */
static const char *parse_base64_word(struct parse *p, const char *what)
{
	struct base64 state = { .form = BASE64_LOOSE };
	struct word w;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	return (base64_read(&state, w.s, p->w) && base64_end(&state)) || !writer_ok(p->w) ? NULL : what;
}

static const char *parse_data16(struct parse *p)
{
	uint64_t n;
	const char *msg = parse_number(p, UINT16_MAX, "a number of octets", &n);
	size_t start;

	if (msg != NULL)
		return msg;
	write16(p->w, (uint16_t)n);
	start = p->w->pos;
	if (n != 0)
		msg = parse_base64_word(p, "base64 data");
	if (msg == NULL && writer_ok(p->w) && p->w->pos - start != n)
		msg = "as many octets as the number before says";
	return msg;
}

static const char *parse_hex(struct parse *p)
{
	static const char what[] = "hexadecimal data";
	struct base16 state = { 0, false };
	struct word w;
	const char *msg;
	size_t start = p->w->pos;

	while (more(p, &w, &msg))
		if (!base16_add(&state, w.s, p->w))
			return what;
	if (msg != NULL)
		return msg;
	return !state.odd && (p->w->pos != start || !writer_ok(p->w)) ? NULL : what;
}

/* A word with a length octet before it: salt in base16 or "-", hash in base32hex. */
static const char *parse_counted(struct parse *p, uint8_t field)
{
	const char *what = field == F_SALT ? "a salt in hexadecimal digits, or \"-\"" : "a hash in base32hex";
	uint8_t octets[255];
	struct writer room = writer_of(octets, sizeof octets);
	struct word w;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (field == F_SALT && word_is(w.s, "-"))
		w.s.n = 0;
	if (field == F_SALT ? !word_hex(w.s, &room) : !word_base32hex(w.s, &room))
		return what;
	if (!writer_ok(&room))
		return what;
	write8(p->w, (uint8_t)room.pos);
	write_span(p->w, writer_done(&room));
	return NULL;
}

static const char *parse_bits(struct parse *p, unsigned int types, uint8_t *bits)
{
	struct word w;
	const char *msg;
	uint16_t type;

	while (more(p, &w, &msg)) {
		if (!type_of_word(w.s, &type) || type >= types)
			return "an RR type";
		bits[type / 8] |= (uint8_t)(0x80 >> type % 8);
	}
	return msg;
}

static const char *parse_bitmap(struct parse *p)
{
	uint8_t bits[65536 / 8] = { 0 };
	const char *msg = parse_bits(p, 65536, bits);

	for (unsigned int window = 0; msg == NULL && window < 256; window++) {
		const uint8_t *b = bits + (size_t)window * 32;
		unsigned int n = 32;

		while (n > 0 && b[n - 1] == 0)
			n--;
		if (n == 0)
			continue;
		write8(p->w, (uint8_t)window);
		write8(p->w, (uint8_t)n);
		write_octets(p->w, b, n);
	}
	return msg;
}

static const char *parse_nxt(struct parse *p)
{
	uint8_t bits[16] = { 0 };
	const char *msg = parse_bits(p, 128, bits);
	unsigned int n = 16;

	while (n > 0 && bits[n - 1] == 0)
		n--;
	if (msg == NULL && (n == 0 || (bits[0] & 0x80) != 0))
		return "an RR type from 1 to 127";
	write_octets(p->w, bits, n);
	return msg;
}

/* --- the odd ones */

static const char *parse_apl(struct parse *p)
{
	static const char what[] = "an address prefix as [!]1:ADDRESS/LENGTH or [!]2:ADDRESS/LENGTH";
	struct word w;
	const char *msg;

	while (more(p, &w, &msg)) {
		uint8_t address[16];
		struct span s = w.s;
		bool negative = s.n != 0 && s.p[0] == '!';
		uint64_t prefix;
		size_t octets;
		size_t slash = s.n;

		if (negative)
			s = (struct span){ s.p + 1, s.n - 1 };
		while (slash > 0 && w.s.p[slash - 1] != '/')
			slash--;
		if (slash < (negative ? 4u : 3u) || (s.p[0] != '1' && s.p[0] != '2') || s.p[1] != ':')
			return what;
		octets = s.p[0] == '1' ? 4 : 16;
		if (!word_number((struct span){ w.s.p + slash, w.s.n - slash }, octets * 8, &prefix) ||
		    !word_address((struct span){ s.p + 2, slash - 1 - negative - 2 }, octets, address))
			return what;
		write16(p->w, octets == 4 ? 1 : 2);
		write8(p->w, (uint8_t)prefix);
		while (octets > 0 && address[octets - 1] == 0)
			octets--;
		write8(p->w, (uint8_t)(octets | (negative ? 0x80 : 0)));
		write_octets(p->w, address, octets);
	}
	return msg;
}

/* A decimal fraction in units of 10^-places, of at most max units; an "m" behind it when metres. */
static bool decimal(struct span s, unsigned int places, bool metres, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	unsigned int seen = 0;
	bool point = false;
	bool any = false;

	if (metres && s.n > 1 && (s.p[s.n - 1] | 0x20) == 'm')
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9' || (point && seen++ == places))
			return false;
		any = true;
		v = v * 10 + (s.p[i] - (unsigned int)'0');
		if (v > max)
			return false;
	}
	for (; seen < places; seen++)
		v *= 10;
	*ret = v;
	return any && v <= max;
}

static const char *parse_angle(struct parse *p, unsigned int max, const char *signs, uint32_t *ret)
{
	static const char what[] = "an angle: degrees [minutes [seconds]] and N, S, E or W";
	static const uint32_t unit[] = { 3600000, 60000, 1 };
	uint64_t all = 0;

	for (unsigned int i = 0; i < 4; i++) {
		struct word w;
		uint64_t v;
		const char *msg = need(p, what, &w);

		if (msg != NULL)
			return msg;
		if (i > 0 && w.s.n == 1 && ((w.s.p[0] & 0xdf) == signs[0] || (w.s.p[0] & 0xdf) == signs[1])) {
			if (all > max * UINT64_C(3600000))
				return what;
			*ret = (w.s.p[0] & 0xdf) == signs[0] ? 0x80000000u + (uint32_t)all : 0x80000000u - (uint32_t)all;
			return NULL;
		}
		if (i == 3 || !decimal(w.s, i == 2 ? 3 : 0, false, i == 0 ? max : i == 1 ? 59 : 59999, &v))
			return what;
		all += v * unit[i];
	}
	return what;
}

static const char *parse_loc(struct parse *p)
{
	static const char what[] = "a size in metres";
	uint8_t size[3] = { 0x12, 0x16, 0x13 }; /* RFC 1876 section 3: 1 m, 10 km, 10 m */
	uint32_t latitude = 0;
	uint32_t longitude = 0;
	uint64_t altitude;
	struct word w;
	bool negative;
	const char *msg = parse_angle(p, 90, "NS", &latitude);

	if (msg == NULL)
		msg = parse_angle(p, 180, "EW", &longitude);
	if (msg == NULL)
		msg = need(p, "an altitude in metres", &w);
	if (msg != NULL)
		return msg;
	negative = w.s.n != 0 && w.s.p[0] == '-';
	if (negative)
		w.s = (struct span){ w.s.p + 1, w.s.n - 1 };
	if (!decimal(w.s, 2, true, negative ? 10000000 : UINT32_MAX - UINT64_C(10000000), &altitude))
		return "an altitude in metres, from -100000.00 to 42849672.95";
	for (unsigned int i = 0; i < 3 && more(p, &w, &msg); i++) {
		uint64_t v;
		unsigned int exponent = 0;

		if (!decimal(w.s, 2, true, UINT64_C(9000000000), &v))
			return what;
		for (; v > 9; v /= 10)
			exponent++;
		size[i] = (uint8_t)(v << 4 | exponent);
	}
	write8(p->w, 0);
	write_octets(p->w, size, sizeof size);
	write32(p->w, latitude);
	write32(p->w, longitude);
	write32(p->w, negative ? 10000000 - (uint32_t)altitude : 10000000 + (uint32_t)altitude);
	return msg;
}

static bool service_port(struct span w, uint64_t *ret) /* RFC 1010's best known */
{
	static const struct {
		const char *text BORROWED_FIELD;
		uint16_t port;
	} services[] = { { "echo", 7 }, { "discard", 9 }, { "daytime", 13 }, { "ftp-data", 20 }, { "ftp", 21 }, { "ssh", 22 }, { "telnet", 23 },
		{ "smtp", 25 }, { "time", 37 }, { "nameserver", 42 }, { "whois", 43 }, { "domain", 53 }, { "tftp", 69 }, { "gopher", 70 },
		{ "finger", 79 }, { "http", 80 }, { "pop2", 109 }, { "pop3", 110 }, { "sunrpc", 111 }, { "auth", 113 }, { "nntp", 119 }, { "ntp", 123 },
		{ "imap2", 143 }, { "snmp", 161 }, { "irc", 194 }, { "https", 443 } };

	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
		if (word_is(w, services[i].text)) {
			*ret = services[i].port;
			return true;
		}
	return word_number(w, UINT16_MAX, ret);
}

static const char *parse_wks(struct parse *p)
{
	static const char what[] = "a protocol: tcp, udp or a number";
	uint8_t ports[65536 / 8] = { 0 };
	size_t n = 0;
	struct word w;
	uint64_t v;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (word_is(w.s, "tcp"))
		v = 6;
	else if (word_is(w.s, "udp"))
		v = 17;
	else if (!word_number(w.s, 255, &v))
		return what;
	write8(p->w, (uint8_t)v);
	while (more(p, &w, &msg)) {
		if (!service_port(w.s, &v))
			return "a port number or the name of a well-known service";
		ports[v / 8] |= (uint8_t)(0x80 >> v % 8);
		if (v / 8 + 1 > n)
			n = v / 8 + 1;
	}
	write_octets(p->w, ports, n);
	return msg;
}

static const char *parse_nsap(struct parse *p)
{
	static const char what[] = "an NSAP address: 0x and hexadecimal digits, dots allowed";
	struct base16 state = { 0, false };
	struct word w;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (w.s.n < 3 || w.s.p[0] != '0' || (w.s.p[1] | 0x20) != 'x')
		return what;
	for (size_t i = 2; i < w.s.n; i++)
		if (w.s.p[i] != '.' && !base16_add(&state, (struct span){ w.s.p + i, 1 }, p->w))
			return what;
	return state.odd ? what : NULL;
}

static const char *parse_atma(struct parse *p)
{
	static const char what[] = "an ATM address: hexadecimal digits with dots allowed, or + and decimal digits";
	struct base16 state = { 0, false };
	struct word w;
	const char *msg = need(p, what, &w);

	if (msg != NULL)
		return msg;
	if (w.s.n > 1 && w.s.p[0] == '+') {
		write8(p->w, 1);
		for (size_t i = 1; i < w.s.n; i++)
			if (w.s.p[i] < '0' || w.s.p[i] > '9')
				return what;
		write_octets(p->w, w.s.p + 1, w.s.n - 1);
		return NULL;
	}
	write8(p->w, 0);
	for (size_t i = 0; i < w.s.n; i++)
		if (w.s.p[i] != '.' && !base16_add(&state, (struct span){ w.s.p + i, 1 }, p->w))
			return what;
	return state.odd ? what : NULL;
}

static const char *parse_a6(struct parse *p)
{
	static const char what[] = "an IPv6 address whose prefix bits are zero";
	uint8_t a[16];
	uint64_t prefix;
	struct word w;
	const char *msg = parse_number(p, 128, "a prefix length from 0 to 128", &prefix);

	if (msg == NULL)
		msg = need(p, what, &w);
	if (msg != NULL)
		return msg;
	if (!word_address(w.s, 16, a))
		return what;
	for (unsigned int i = 0; i < prefix; i++)
		if ((a[i / 8] & (0x80 >> i % 8)) != 0)
			return what;
	write8(p->w, (uint8_t)prefix);
	write_octets(p->w, a + prefix / 8, 16 - prefix / 8);
	return prefix != 0 ? parse_name(p) : NULL;
}

static const char *parse_gateway(struct parse *p, uint64_t kind)
{
	struct word w;
	const char *msg;

	switch (kind) {
	case 0:
		msg = need(p, "\".\", as there is no gateway", &w);
		return msg != NULL || word_is(w.s, ".") ? msg : "\".\", as there is no gateway";
	case 1:
		return parse_address(p, 4);
	case 2:
		return parse_address(p, 16);
	case 3:
		return parse_name(p);
	default:
		return "a gateway type from 0 to 3";
	}
}

static const char *parse_ipseckey(struct parse *p)
{
	uint64_t kind;
	const char *msg = parse_number(p, 3, "a gateway type from 0 to 3", &kind);

	if (msg != NULL)
		return msg;
	write8(p->w, (uint8_t)kind);
	msg = parse_u8(p);
	return msg != NULL ? msg : parse_gateway(p, kind);
}

static const char *parse_amtrelay(struct parse *p)
{
	uint64_t discovery = 0;
	uint64_t kind = 0;
	const char *msg = parse_number(p, 1, "0 or 1 for discovery", &discovery);

	if (msg == NULL)
		msg = parse_number(p, 3, "a relay type from 0 to 3", &kind);
	if (msg != NULL)
		return msg;
	write8(p->w, (uint8_t)(discovery << 7 | kind));
	return parse_gateway(p, kind);
}

static const char *parse_hip(struct parse *p)
{
	static const char what[] = "a host identity tag in hexadecimal digits";
	uint8_t tag[255];
	struct writer room = writer_of(tag, sizeof tag);
	uint64_t algorithm;
	size_t length_at;
	struct word w;
	struct lexer here;
	const char *msg = parse_number(p, 255, "a public key algorithm from 0 to 255", &algorithm);

	if (msg == NULL)
		msg = need(p, what, &w);
	if (msg != NULL)
		return msg;
	if (!word_hex(w.s, &room) || !writer_ok(&room) || room.pos == 0)
		return what;
	write8(p->w, (uint8_t)room.pos);
	write8(p->w, (uint8_t)algorithm);
	length_at = p->w->pos;
	write16(p->w, 0);
	write_span(p->w, writer_done(&room));
	msg = parse_base64_word(p, "a public key in base64");
	if (msg == NULL && writer_ok(p->w) && p->w->pos - length_at - 2 - room.pos > UINT16_MAX)
		return "a public key of at most 65535 octets";
	if (msg == NULL && writer_ok(p->w))
		patch16(p->w, length_at, (uint16_t)(p->w->pos - length_at - 2 - room.pos));
	for (here = *p->l; msg == NULL && more(p, &w, &msg); here = *p->l) {
		*p->l = here;
		msg = parse_name(p);
	}
	return msg;
}

static struct result add_param(struct svcb_params *params, const struct word *w, const char **ret_msg)
{
	size_t n = 0;
	struct span value;

	while (n < w->s.n && w->s.p[n] != '=')
		n++;
	if (w->quoted) {
		*ret_msg = "a SvcParam without quotes before its key";
		return FAIL(ERR_FORMAT);
	}
	if (n == w->s.n)
		return svcb_params_add(params, w->s, false, (struct span){ w->s.p, 0 }, ret_msg);
	value = (struct span){ w->s.p + n + 1, w->s.n - n - 1 };
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		value = (struct span){ value.p + 1, value.n - 2 };
	return svcb_params_add(params, (struct span){ w->s.p, n }, true, value, ret_msg);
}

static const char *parse_params(struct parse *p)
{
	AUTO(svcb_params_free) struct svcb_params *params = svcb_params_new();
	const char *msg = "SvcParams that fit an RR";
	struct result r = { params != NULL ? ERR_NONE : ERR_NOMEM };
	enum lexed e = LEX_WORD;
	struct word w;

	while (OK(r) && params != NULL && e == LEX_WORD) {
		e = lexer_next_pair(p->l, &w, &msg);
		if (e == LEX_WORD)
			r = add_param(params, &w, &msg);
		else if (e == LEX_END)
			r = svcb_params_write(params, p->w, &msg);
	}
	if (!OK(r) && r.e != ERR_FORMAT)
		p->error = r.e;
	return OK(r) && e == LEX_END ? NULL : msg;
}

/* --- all */

static const char *parse_field(struct parse *p, uint8_t field)
{
	switch (field) {
	case F_NAME:
	case F_NAME_LOWER:
	case F_NAME_OLD:
	case F_NAME_1035:
		return parse_name(p);
	case F_U8:
		return parse_u8(p);
	case F_U16:
		return parse_u16(p);
	case F_U32:
		return parse_u32(p);
	case F_U64:
	case F_TIME48:
		return parse_u64(p, field);
	case F_PERIOD:
	case F_TIME:
		return parse_period(p, field);
	case F_TYPE:
		return parse_type(p);
	case F_ALGORITHM:
	case F_SCHEME:
	case F_CERT_TYPE:
		return parse_mnemonic(p, field);
	case F_A:
		return parse_address(p, 4);
	case F_AAAA:
		return parse_address(p, 16);
	case F_NODE64:
		return parse_groups(p, 4, 2, ':', "four groups of hexadecimal digits with colons between");
	case F_EUI48:
		return parse_groups(p, 6, 1, '-', "six pairs of hexadecimal digits with hyphens between");
	case F_EUI64:
		return parse_groups(p, 8, 1, '-', "eight pairs of hexadecimal digits with hyphens between");
	case F_STRING:
		return parse_string(p);
	case F_STRING_OPT:
	case F_STRINGS:
		return parse_strings(p, field == F_STRING_OPT);
	case F_LONG_TEXT:
	case F_VALUE:
		return parse_long_text(p, field);
	case F_TAG:
		return parse_tag(p);
	case F_BASE64:
	case F_BASE64_OPT:
	case F_BASE64_DASH:
		return parse_base64(p, field);
	case F_DATA16:
		return parse_data16(p);
	case F_HEX:
	case F_DIGEST:
		return parse_hex(p);
	case F_SALT:
	case F_HASH:
		return parse_counted(p, field);
	case F_BITMAP:
		return parse_bitmap(p);
	case F_NXT:
		return parse_nxt(p);
	case F_APL:
		return parse_apl(p);
	case F_LOC:
		return parse_loc(p);
	case F_WKS:
		return parse_wks(p);
	case F_NSAP:
		return parse_nsap(p);
	case F_ATMA:
		return parse_atma(p);
	case F_A6:
		return parse_a6(p);
	case F_IPSECKEY:
		return parse_ipseckey(p);
	case F_AMTRELAY:
		return parse_amtrelay(p);
	case F_HIP:
		return parse_hip(p);
	case F_PARAMS:
		return parse_params(p);
	default: /* F_OPAQUE, F_EMPTY */
		return "\\#, as this type has no text form of its own";
	}
}

/* RFC 3597 section 5, behind the \#. */
static const char *parse_generic(struct parse *p)
{
	struct base16 state = { 0, false };
	size_t start = p->w->pos;
	uint64_t n;
	struct word w;
	const char *msg = parse_number(p, UINT16_MAX, "the number of octets", &n);

	if (msg != NULL)
		return msg;
	while (more(p, &w, &msg))
		if (!base16_add(&state, w.s, p->w))
			return "hexadecimal data";
	if (msg != NULL)
		return msg;
	return state.odd || (writer_ok(p->w) && p->w->pos - start != n) ? "as many octets as the number before says" : NULL;
}

static const char *parse_all(struct parse *p, uint16_t type)
{
	struct lexer here = *p->l;
	struct word w;
	const char *msg;

	if (more(p, &w, &msg) && !w.quoted && w.s.n == 2 && memcmp(w.s.p, "\\#", 2) == 0)
		return parse_generic(p);
	*p->l = here;
	for (const uint8_t *f = format_of(type); *f != F_END; f++) {
		msg = parse_field(p, *f);
		if (msg != NULL)
			return msg;
	}
	if (more(p, &w, &msg))
		return "the end of the record";
	return msg;
}

RESULT rdata_parse_words(uint16_t type, struct lexer *l, const struct name *origin, struct writer *out, const char **ret_msg)
{
	struct parse p = { l, origin, out, ERR_NONE };
	size_t start = out->pos;
	const char *msg = parse_all(&p, type);

	if (msg == NULL && (!writer_ok(out) || out->pos - start > UINT16_MAX)) {
		p.error = ERR_SPACE;
		msg = "rdata of at most 65535 octets";
	}
	if (msg == NULL && !OK(rdata_check(type, (struct span){ out->base + start, out->pos - start })))
		msg = "rdata that its type allows";
	if (msg == NULL)
		return DONE;
	writer_rewind(out, start);
	*ret_msg = msg;
	return FAIL(p.error != ERR_NONE ? p.error : ERR_FORMAT);
}

RESULT rdata_parse(uint16_t type, const char *text, const struct name *origin, struct writer *out, const char **ret_msg)
{
	struct lexer l = lexer_of(span_text(text));
	size_t start = out->pos;

	TRY(rdata_parse_words(type, &l, origin, out, ret_msg));
	if (lexer_is_last(&l))
		return DONE;
	writer_rewind(out, start);
	*ret_msg = "one record only";
	return FAIL(ERR_FORMAT);
}
