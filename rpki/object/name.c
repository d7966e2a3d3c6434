/* What certificates and CRLs share: the signed frame, names, serial numbers, extensions, URIs. */
#include <stdio.h>

#include "rpki/object/cert.h"
#include "rpki/object/oid.h"

bool signed_parts_read(struct span whole, struct signed_parts *ret)
{
	struct reader outer = reader_of(whole), r = der_enter(&outer, DER_SEQUENCE);
	struct bits bits;

	ret->tbs = der_whole(&r, DER_SEQUENCE);
	ret->algorithm = der_whole(&r, DER_SEQUENCE);
	bits = der_bit_string(&r);
	ret->signature = bits.octets;
	der_leave(&outer, &r);
	return reader_ok(&outer) && reader_end(&outer) && bits.unused == 0;
}

bool algorithm_is_sha256_with_rsa(struct span algorithm)
{
	struct reader outer = reader_of(algorithm), r = der_enter(&outer, DER_SEQUENCE);
	struct span oid = der_get(&r, DER_OID);

	if (!OID_IS(oid, OID_SHA256_WITH_RSA))
		return false;
	return reader_end(&r) || (der_get(&r, DER_NULL).n == 0 && reader_ok(&r) && reader_end(&r));
}

static bool is_printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != 0 && strchr(" '()+,-./:=?", c) != NULL)))
			return false;
	}
	return s.n > 0;
}

/* An AttributeTypeAndValue. */
static bool attribute_next(struct reader *r, struct span *ret_oid, uint8_t *ret_tag, struct span *ret_value)
{
	struct reader in = der_enter(r, DER_SEQUENCE);

	*ret_oid = der_get(&in, DER_OID);
	*ret_value = der_any(&in, ret_tag);
	der_leave(r, &in);
	return reader_ok(r);
}

bool name_is_good(struct span name)
{
	struct reader outer = reader_of(name), r = der_enter(&outer, DER_SEQUENCE);
	unsigned int common = 0, serial = 0;

	while (!reader_end(&r)) {
		struct span all = der_get(&r, DER_SET);
		struct reader set = reader_of(all);

		if (!reader_ok(&r) || reader_end(&set) || !der_set_is_sorted(all))
			return false;
		while (!reader_end(&set)) {
			struct span oid, value;
			uint8_t tag;

			if (!attribute_next(&set, &oid, &tag, &value))
				return false;
			if (OID_IS(oid, OID_COMMON_NAME))
				common++;
			else if (OID_IS(oid, OID_SERIAL_NUMBER))
				serial++;
			else
				return false;
			if (!(tag == DER_PRINTABLE_STRING ? is_printable(value) : tag == DER_UTF8_STRING && value.n > 0 && der_utf8_is_good(value)))
				return false;
		}
	}
	return reader_ok(&r) && reader_ok(&outer) && common == 1 && serial <= 1;
}

static bool text_equal(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		uint8_t x = a.p[i] >= 'A' && a.p[i] <= 'Z' ? a.p[i] | 0x20 : a.p[i];
		uint8_t y = b.p[i] >= 'A' && b.p[i] <= 'Z' ? b.p[i] | 0x20 : b.p[i];

		if (x != y)
			return false;
	}
	return true;
}

static bool set_equal(struct reader *x, struct reader *y)
{
	while (!reader_end(x) && !reader_end(y)) {
		struct span oid_x, oid_y, value_x, value_y;
		uint8_t tag;

		if (!attribute_next(x, &oid_x, &tag, &value_x) || !attribute_next(y, &oid_y, &tag, &value_y))
			return false;
		if (!span_equal(oid_x, oid_y) || !text_equal(value_x, value_y))
			return false;
	}
	return reader_end(x) && reader_end(y);
}

bool name_equal(struct span a, struct span b)
{
	struct reader outer_a = reader_of(a), outer_b = reader_of(b), x, y;

	if (span_equal(a, b))
		return true;
	x = der_enter(&outer_a, DER_SEQUENCE);
	y = der_enter(&outer_b, DER_SEQUENCE);
	while (!reader_end(&x) && !reader_end(&y)) {
		struct reader set_x = der_enter(&x, DER_SET), set_y = der_enter(&y, DER_SET);

		if (!reader_ok(&x) || !reader_ok(&y) || !set_equal(&set_x, &set_y))
			return false;
	}
	return reader_ok(&x) && reader_ok(&y) && reader_end(&x) && reader_end(&y);
}

const char *name_text(struct span name, char room[256])
{
	struct reader outer = reader_of(name), r = der_enter(&outer, DER_SEQUENCE);
	size_t at = 0;

	room[0] = '\0';
	while (!reader_end(&r)) {
		struct reader set = der_enter(&r, DER_SET);

		while (!reader_end(&set)) {
			struct span oid, value;
			uint8_t tag;
			int n;

			if (!attribute_next(&set, &oid, &tag, &value))
				return room;
			n = snprintf(room + at, 256 - at, "%s%s=", at > 0 ? ", " : "",
			    OID_IS(oid, OID_COMMON_NAME)         ? "CN"
				: OID_IS(oid, OID_SERIAL_NUMBER) ? "serialNumber"
								 : "?");
			if (n < 0 || (size_t)n >= 256 - at)
				return room;
			at += (size_t)n;
			for (size_t i = 0; i < value.n && at + 1 < 256; i++)
				room[at++] = value.p[i] >= 0x20 && value.p[i] < 0x7f ? (char)value.p[i] : '?';
			room[at] = '\0';
		}
	}
	return room;
}

enum serial_fault serial_fault(struct span integer)
{
	if (der_negative(integer))
		return SERIAL_NEGATIVE;
	if (der_zero(integer))
		return SERIAL_ZERO;
	return integer.n > 20 ? SERIAL_LONG : SERIAL_GOOD;
}

bool extension_next(struct reader *r, struct extension *ret)
{
	struct reader in = der_enter(r, DER_SEQUENCE);

	ret->oid = der_get(&in, DER_OID);
	ret->critical = false;
	if (der_peek(&in) == DER_BOOLEAN) {
		ret->critical = der_boolean(&in);
		if (!ret->critical)
			reader_fail(&in); /* the default is not encoded */
	}
	ret->value = der_get(&in, DER_OCTET_STRING);
	der_leave(r, &in);
	return reader_ok(r);
}

bool aki_read(struct span value, struct span *ret_key_id)
{
	struct reader outer = reader_of(value), r = der_enter(&outer, DER_SEQUENCE);
	struct span id = der_get(&r, DER_CONTEXT);

	if (!reader_ok(&r) || !reader_end(&outer) || !reader_end(&r) || id.n != 20)
		return false;
	*ret_key_id = id;
	return true;
}

/* The path's segments; a final slash is good. */
static bool path_is_good(struct reader *r)
{
	size_t n = 0, dots = 0;

	while (!reader_end(r)) {
		uint8_t c = read8(r);

		if (c == '/') {
			if (n > 0 && dots == n && n <= 2)
				return false;
			n = dots = 0;
			continue;
		}
		n++;
		dots += c == '.';
	}
	return n == 0 || dots != n || n > 2; /* empty segments are met in the wild, and do no harm */
}

bool uri_is(struct span uri, const char *scheme)
{
	size_t n = strlen(scheme), host = 0;
	struct reader r = reader_of(uri);
	struct span begin = der_take(&r, n);

	if (!reader_ok(&r) || uri.n > URI_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((begin.p[i] | (begin.p[i] >= 'A' && begin.p[i] <= 'Z' ? 0x20 : 0)) != (uint8_t)scheme[i])
			return false;
	for (size_t i = n; i < uri.n; i++)
		if (uri.p[i] <= 0x20 || uri.p[i] >= 0x7f || strchr("\"<>\\^`{|}", uri.p[i]) != NULL)
			return false;
	while (!reader_end(&r) && der_peek(&r) != '/') {
		uint8_t c = read8(&r);

		if (c == '@' || c == '?' || c == '#')
			return false;
		host++;
	}
	read_skip(&r, 1);
	return host > 0 && reader_ok(&r) && path_is_good(&r);
}
