#include <arpa/inet.h>

#include "base/base64.h"
#include "base/strbuf.h"
#include "dns/fields.h"
#include "dns/rdata.h"
#include "dns/svcb.h"
#include "dns/words.h"

/* A field's printer gives false when the text cannot express the octets; the RR is then printed as RFC 3597 has it. */

static void print_name(struct reader *r, struct strbuf *out)
{
	char text[NAME_TEXT];
	struct name n;

	if (!OK(name_from_wire((struct span){ r->base + r->pos, reader_left(r) }, &n))) {
		reader_fail(r);
		return;
	}
	read_skip(r, n.len);
	strbuf_puts(out, name_to_text(n, text));
}

static void print_address(struct span a, struct strbuf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (a.n != 0 && inet_ntop(a.n == 4 ? AF_INET : AF_INET6, a.p, text, sizeof text) != NULL)
		strbuf_puts(out, text);
}

static void print_type(uint16_t type, struct strbuf *out)
{
	char text[RRTYPE_TEXT];

	strbuf_puts(out, rrtype_text(type, text));
}

static void print_mnemonic(uint8_t field, uint16_t value, struct strbuf *out)
{
	const char *text = field != F_ALGORITHM ? field_mnemonic(field, value) : NULL; /* algorithms are numbers to all tools */

	if (text != NULL)
		strbuf_puts(out, text);
	else
		strbuf_printf(out, "%u", (unsigned int)value);
}

/* Groups of octets as hexadecimal digits. */
static void print_groups(struct span s, size_t octets, char between, struct strbuf *out)
{
	for (size_t i = 0; i + octets <= s.n; i += octets) {
		if (i != 0)
			strbuf_putc(out, between);
		text_print_hex((struct span){ s.p + i, octets }, out);
	}
}

static bool print_strings(struct reader *r, struct strbuf *out)
{
	while (reader_ok(r) && !reader_end(r)) {
		text_quote(read_span(r, read8(r)), out);
		if (!reader_end(r))
			strbuf_putc(out, ' ');
	}
	return true;
}

static void print_bits(const uint8_t *bits, size_t n, unsigned int first, bool *any, struct strbuf *out)
{
	for (unsigned int i = 0; i < n * 8; i++)
		if ((bits[i / 8] & (0x80 >> i % 8)) != 0) {
			if (*any)
				strbuf_putc(out, ' ');
			*any = true;
			print_type((uint16_t)(first + i), out);
		}
}

static bool print_bitmap(struct reader *r, struct strbuf *out)
{
	bool any = false;

	while (!reader_end(r)) {
		unsigned int window = read8(r);
		struct span bits = read_span(r, read8(r));

		print_bits(bits.p, bits.n, window * 256, &any, out);
	}
	return true;
}

static bool print_nxt(struct reader *r, struct strbuf *out)
{
	struct span bits = read_rest(r);
	bool any = false;

	if (bits.n == 0 || bits.n > 16 || (bits.p[0] & 0x80) != 0 || bits.p[bits.n - 1] == 0)
		return false;
	print_bits(bits.p, bits.n, 0, &any, out);
	return true;
}

static bool print_apl(struct reader *r, struct strbuf *out)
{
	while (!reader_end(r)) {
		uint8_t address[16] = { 0 };
		unsigned int family = read16(r);
		unsigned int prefix = read8(r);
		unsigned int length = read8(r);
		struct span part = read_span(r, length & 0x7f);

		if (family != 1 && family != 2)
			return false;
		if (part.n != 0)
			memcpy(address, part.p, part.n);
		strbuf_printf(out, "%s%u:", (length & 0x80) != 0 ? "!" : "", family);
		print_address((struct span){ address, family == 1 ? 4 : 16 }, out);
		strbuf_printf(out, "/%u%s", prefix, reader_end(r) ? "" : " ");
	}
	return true;
}

/* RFC 1876 section 2: four bits of mantissa, four of exponent, in centimetres. */
static bool print_size(uint8_t size, struct strbuf *out)
{
	static const uint32_t power[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000 };
	unsigned int mantissa = size >> 4;
	unsigned int exponent = size & 15;

	if (mantissa > 9 || exponent > 9 || (mantissa == 0 && exponent != 0))
		return false;
	if (exponent < 2)
		strbuf_printf(out, " 0.%02um", mantissa * power[exponent]);
	else
		strbuf_printf(out, " %um", mantissa * power[exponent - 2]);
	return true;
}

/* Thousandths of a second of arc, from 2^31 at the equator or prime meridian. */
static bool print_angle(uint32_t v, unsigned int max_degrees, char positive, char negative, struct strbuf *out)
{
	bool minus = v < 0x80000000u;
	uint32_t a = minus ? 0x80000000u - v : v - 0x80000000u;

	if (a > max_degrees * 3600000u)
		return false;
	strbuf_printf(out, "%u %u %u.%03u %c ", a / 3600000, a / 60000 % 60, a / 1000 % 60, a % 1000, minus ? negative : positive);
	return true;
}

static bool print_loc(struct reader *r, struct strbuf *out)
{
	uint8_t version = read8(r);
	uint8_t size = read8(r);
	uint8_t horizontal = read8(r);
	uint8_t vertical = read8(r);
	uint32_t latitude = read32(r);
	uint32_t longitude = read32(r);
	int64_t altitude = (int64_t)read32(r) - 10000000; /* centimetres above 100 km below the ellipsoid */
	uint64_t height = (uint64_t)(altitude < 0 ? -altitude : altitude);

	if (version != 0 || !print_angle(latitude, 90, 'N', 'S', out) || !print_angle(longitude, 180, 'E', 'W', out))
		return false;
	strbuf_printf(out, "%s%u.%02um", altitude < 0 ? "-" : "", (unsigned int)(height / 100), (unsigned int)(height % 100));
	return print_size(size, out) && print_size(horizontal, out) && print_size(vertical, out);
}

static bool print_wks(struct reader *r, struct strbuf *out)
{
	unsigned int protocol = read8(r);
	struct span ports = read_rest(r);

	if (ports.n != 0 && ports.p[ports.n - 1] == 0)
		return false;
	strbuf_printf(out, "%u", protocol);
	for (unsigned int i = 0; i < ports.n * 8; i++)
		if ((ports.p[i / 8] & (0x80 >> i % 8)) != 0)
			strbuf_printf(out, " %u", i);
	return true;
}

static bool print_atma(struct reader *r, struct strbuf *out)
{
	unsigned int format = read8(r);
	struct span address = read_rest(r);

	if (format == 0) {
		text_print_hex(address, out);
		return true;
	}
	if (format != 1)
		return false;
	strbuf_putc(out, '+');
	for (size_t i = 0; i < address.n; i++) {
		if (address.p[i] < '0' || address.p[i] > '9')
			return false;
		strbuf_putc(out, (char)address.p[i]);
	}
	return true;
}

static bool print_a6(struct reader *r, struct strbuf *out)
{
	uint8_t address[16] = { 0 };
	unsigned int prefix = read8(r);
	struct span suffix = read_span(r, (128u - prefix + 7) / 8);

	if (suffix.n != 0)
		memcpy(address + 16 - suffix.n, suffix.p, suffix.n);
	if (prefix % 8 != 0 && address[prefix / 8] >> (8 - prefix % 8) != 0)
		return false; /* bits that the text would drop */
	strbuf_printf(out, "%u ", prefix);
	print_address((struct span){ address, 16 }, out);
	if (prefix != 0) {
		strbuf_putc(out, ' ');
		print_name(r, out);
	}
	return true;
}

static bool print_gateway(struct reader *r, unsigned int kind, struct strbuf *out)
{
	switch (kind) {
	case 0:
		strbuf_putc(out, '.');
		return true;
	case 1:
		print_address(read_span(r, 4), out);
		return true;
	case 2:
		print_address(read_span(r, 16), out);
		return true;
	case 3:
		print_name(r, out);
		return true;
	default:
		return false;
	}
}

static bool print_ipseckey(struct reader *r, struct strbuf *out)
{
	unsigned int kind = read8(r);

	strbuf_printf(out, "%u %u ", kind, (unsigned int)read8(r));
	return print_gateway(r, kind, out);
}

static bool print_amtrelay(struct reader *r, struct strbuf *out)
{
	unsigned int kind = read8(r);

	strbuf_printf(out, "%u %u ", kind >> 7, kind & 0x7f);
	return print_gateway(r, kind & 0x7f, out);
}

static bool print_hip(struct reader *r, struct strbuf *out)
{
	unsigned int hit = read8(r);
	unsigned int key;

	strbuf_printf(out, "%u ", (unsigned int)read8(r));
	key = read16(r);
	text_print_hex(read_span(r, hit), out);
	strbuf_putc(out, ' ');
	base64_print(out, read_span(r, key), 0);
	while (!reader_end(r)) {
		strbuf_putc(out, ' ');
		print_name(r, out);
	}
	return true;
}

static void print_data16(struct reader *r, struct strbuf *out)
{
	struct span data = read_span(r, read16(r));

	strbuf_printf(out, "%u%s", (unsigned int)data.n, data.n != 0 ? " " : "");
	base64_print(out, data, 0);
}

static void print_salt(struct reader *r, struct strbuf *out)
{
	struct span salt = read_span(r, read8(r));

	if (salt.n == 0)
		strbuf_putc(out, '-');
	text_print_hex(salt, out);
}

static void print_number(uint8_t field, struct reader *r, struct strbuf *out)
{
	uint64_t v = 0;

	switch (field) {
	case F_U8:
		v = read8(r);
		break;
	case F_U16:
		v = read16(r);
		break;
	case F_TIME48:
		v = (uint64_t)read16(r) << 32;
		v |= read32(r);
		break;
	case F_U64:
		v = (uint64_t)read32(r) << 32;
		v |= read32(r);
		break;
	default:
		v = read32(r);
		break;
	}
	strbuf_printf(out, "%llu", (unsigned long long)v);
}

static bool print_field(uint8_t field, struct reader *r, struct strbuf *out)
{
	switch (field) {
	case F_NAME:
	case F_NAME_LOWER:
	case F_NAME_OLD:
	case F_NAME_1035:
		print_name(r, out);
		return true;
	case F_U8:
	case F_U16:
	case F_U32:
	case F_U64:
	case F_PERIOD:
	case F_TIME48:
		print_number(field, r, out);
		return true;
	case F_TIME:
		text_print_time(read32(r), out);
		return true;
	case F_TYPE:
		print_type(read16(r), out);
		return true;
	case F_ALGORITHM:
	case F_SCHEME:
		print_mnemonic(field, read8(r), out);
		return true;
	case F_CERT_TYPE:
		print_mnemonic(field, read16(r), out);
		return true;
	case F_A:
		print_address(read_span(r, 4), out);
		return true;
	case F_AAAA:
		print_address(read_span(r, 16), out);
		return true;
	case F_NODE64:
		print_groups(read_span(r, 8), 2, ':', out);
		return true;
	case F_EUI48:
		print_groups(read_span(r, 6), 1, '-', out);
		return true;
	case F_EUI64:
		print_groups(read_span(r, 8), 1, '-', out);
		return true;
	case F_STRING:
		text_quote(read_span(r, read8(r)), out);
		return true;
	case F_STRING_OPT:
	case F_STRINGS:
		return print_strings(r, out);
	case F_LONG_TEXT:
	case F_VALUE:
		text_quote(read_rest(r), out);
		return true;
	case F_TAG:
		strbuf_add_span(out, read_span(r, read8(r)));
		return true;
	case F_BASE64_DASH:
		if (reader_end(r))
			strbuf_putc(out, '-');
		base64_print(out, read_rest(r), 0);
		return true;
	case F_BASE64:
	case F_BASE64_OPT:
		base64_print(out, read_rest(r), 0);
		return true;
	case F_DATA16:
		print_data16(r, out);
		return true;
	case F_HEX:
	case F_DIGEST:
		text_print_hex(read_rest(r), out);
		return true;
	case F_NSAP:
		strbuf_puts(out, "0x");
		text_print_hex(read_rest(r), out);
		return true;
	case F_SALT:
		print_salt(r, out);
		return true;
	case F_HASH:
		text_print_base32hex(read_span(r, read8(r)), out);
		return true;
	case F_BITMAP:
		return print_bitmap(r, out);
	case F_NXT:
		return print_nxt(r, out);
	case F_APL:
		return print_apl(r, out);
	case F_LOC:
		return print_loc(r, out);
	case F_WKS:
		return print_wks(r, out);
	case F_ATMA:
		return print_atma(r, out);
	case F_A6:
		return print_a6(r, out);
	case F_IPSECKEY:
		return print_ipseckey(r, out);
	case F_AMTRELAY:
		return print_amtrelay(r, out);
	case F_HIP:
		return print_hip(r, out);
	case F_PARAMS:
		svcb_print(read_rest(r), out);
		return true;
	default: /* F_OPAQUE, F_EMPTY */
		return false;
	}
}

static bool print_fields(uint16_t type, struct span rdata, struct strbuf *out)
{
	const uint8_t *format = format_of(type);
	struct reader r = reader_of(rdata);

	for (const uint8_t *f = format; *f != F_END; f++) {
		if (f != format && *f != F_PARAMS && (!reader_end(&r) || *f == F_BASE64_DASH || *f == F_VALUE))
			strbuf_putc(out, ' ');
		if (!print_field(*f, &r, out))
			return false;
	}
	return reader_ok(&r) && reader_end(&r);
}

void rdata_print(uint16_t type, struct span rdata, struct strbuf *out)
{
	size_t len = strbuf_len(out);

	if (*format_of(type) != F_OPAQUE && OK(rdata_check(type, rdata)) && print_fields(type, rdata, out))
		return;
	strbuf_cut(out, len);
	strbuf_printf(out, "\\# %zu%s", rdata.n, rdata.n != 0 ? " " : "");
	text_print_hex(rdata, out);
}
