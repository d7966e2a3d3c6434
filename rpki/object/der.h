/*
 * der.h: DER (X.690) as the RPKI's profiles use it: a cursor over octets, no tree, nothing allocated. A parser asks for what its syntax has next, by tag;
 * anything else, a length that is not minimal or passes the end, a tag of more than one octet: the reader fails for good (base/cursor.h), and the
 * parser asks once at the end. Depth is the caller's: each syntax is written down as functions, and only the one for BER calls itself.
 *
 * BER is met in one place, the CMS wrapper as one large registry publishes it: ber_to_der() writes that out as DER first.
 */
#ifndef RPKI_OBJECT_DER_H
#define RPKI_OBJECT_DER_H

#include "base/cursor.h"

struct arena;

/* Identifier octets; context-specific ones are DER_CONTEXT + n (primitive) and DER_CONSTRUCTED + n (constructed). */
enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0x80,
	DER_CONSTRUCTED = 0xa0,
};

/* As read_span() and read_rest(), but nothing after an error, and from no octets none: a reader of what is not there is met all the time here. */
static inline struct span der_take(struct reader *r, size_t n)
{
	if (r->bad || r->base == NULL) {
		if (n > 0)
			reader_fail(r);
		return (struct span){ NULL, 0 };
	}
	return read_span(r, n);
}
static inline struct span der_rest(struct reader *r) { return der_take(r, reader_left(r)); }

/* The length octets after the first one; fails unless it is the shortest form of the length. */
static inline size_t der_long_length_(struct reader *r, uint8_t first)
{
	size_t n = 0;

	if (first < 0x81 || first > 0x84) { /* indefinite, or more than anybody can have */
		reader_fail(r);
		return 0;
	}
	for (unsigned int i = first & 0x7f; i > 0; i--)
		n = n << 8 | read8(r);
	if (n < 0x80 || (first > 0x81 && n >> (8 * ((first & 0x7fu) - 1)) == 0))
		reader_fail(r);
	return n;
}

/* The identifier octet of what comes next, without taking it; 0 at the end and after an error. */
static inline uint8_t der_peek(const struct reader *r)
{
	struct reader look = *r;

	return read8(&look);
}

/* Takes what comes next, whatever it is: its contents. */
static inline struct span der_any(struct reader *r, uint8_t *ret_tag)
{
	uint8_t tag = read8(r), first = read8(r);
	size_t n = first;

	*ret_tag = tag;
	if ((tag & 0x1f) == 0x1f || tag == 0)
		reader_fail(r);
	if (first >= 0x80)
		n = der_long_length_(r, first);
	return der_take(r, n);
}

/* The contents of the next element, which must have this tag. */
static inline struct span der_get(struct reader *r, uint8_t tag)
{
	uint8_t got;
	struct span s = der_any(r, &got);

	if (got == tag)
		return s;
	reader_fail(r);
	return (struct span){ NULL, 0 };
}

/* A reader of the contents of the next element. It has failed when r has. */
static inline struct reader der_enter(struct reader *r, uint8_t tag)
{
	struct reader in = reader_of(der_get(r, tag));

	if (!reader_ok(r))
		reader_fail(&in);
	return in;
}

/* The next element with its head, whatever it is, or only when it has this tag (else the reader fails). */
static inline struct span der_whole_any(struct reader *r)
{
	struct reader from = *r;
	uint8_t tag;

	der_any(r, &tag);
	return reader_ok(r) ? der_take(&from, r->pos - from.pos) : (struct span){ NULL, 0 };
}
static inline struct span der_whole(struct reader *r, uint8_t tag)
{
	if (der_peek(r) != tag)
		reader_fail(r);
	return der_whole_any(r);
}

/* Ends the reading of one element's contents: when something is left in it, or it failed, the outer one fails. */
static inline void der_leave(struct reader *r, const struct reader *in)
{
	if (!reader_ok(in) || !reader_end(in))
		reader_fail(r);
}

/* INTEGER: canonical (no superfluous first octet), else the reader fails. As octets, two's complement. */
struct span der_integer(struct reader *r) NONNULL;
static inline bool der_negative(struct span integer) { return integer.n > 0 && (integer.p[0] & 0x80) != 0; }
static inline bool der_zero(struct span integer) { return integer.n == 1 && integer.p[0] == 0; }
/* False when it is negative or more than max. */
bool der_small(struct span integer, uint64_t max, uint64_t *ret_value) NONNULL;

bool der_boolean(struct reader *r) NONNULL; /* 0x00 or 0xff, else the reader fails */

struct bits {
	struct span octets;
	uint8_t unused; /* bits of the last octet that do not count: 0 to 7, all zero */
};
struct bits der_bit_string(struct reader *r) NONNULL;
struct bits der_bits_of(struct reader *r, struct span contents) NONNULL; /* the same, with the contents in hand; r fails */
static inline size_t bits_count(struct bits b) { return b.octets.n * 8 - b.unused; }

/* UTCTime (1950 to 2049) and GeneralizedTime as RFC 5280 section 4.1.2.5 wants them: seconds, no fraction, Z. False when it is not that. */
bool der_time_value(uint8_t tag, struct span contents, int64_t *ret_sec) NONNULL;

/* UTF8String's contents are whole UTF-8 (RFC 3629 section 4): no overlong forms, no surrogates, nothing past U+10FFFF. */
bool der_utf8_is_good(struct span contents);

/* SET OF: the elements in the order of their encodings (X.690 section 11.6). */
bool der_set_is_sorted(struct span contents);

/* The octets of an OID's contents as dotted numbers, NUL-terminated, cut to the room. */
#define DER_OID_TEXT 64
const char *der_oid_text(struct span oid, char room[DER_OID_TEXT]) BORROWED NONNULL;

/* True when all of it is one strict DER element, at most max_depth deep: heads, and the contents of the types named above. */
#define DER_MAX_DEPTH 32
bool der_is_strict(struct span s, unsigned int max_depth);

/*
 * Writes a CMS ContentInfo with BER's freedoms (indefinite lengths in the wrapper, a constructed OCTET STRING) out as DER, in the arena. What is
 * encoded with definite lengths is copied as it is, and certificates and signed attributes may not be encoded otherwise: their octets are signed.
 * ERR_FORMAT: no such thing; ERR_NOMEM.
 */
#define BER_MAX_DEPTH 12
RESULT ber_to_der(struct span s, struct arena *a, struct span *ret) NONNULL;

#endif
