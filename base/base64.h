/* base64.h: base64 (RFC 4648) as everything here reads and writes it: text that may come in pieces, and the forms in which specifications want it. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/cursor.h"

struct strbuf;

enum {
	BASE64_BLANKS = 1,   /* reading: white space anywhere (xsd:base64Binary) */
	BASE64_URL = 2,      /* reading: the digits of RFC 4648 section 5, too; printing: those */
	BASE64_UNPADDED = 4, /* reading: '=' may be missing at the end; printing: it is */
	BASE64_LOOSE = 8,    /* reading: bits behind the last octet may be anything */
};

/* { .form = ... } to begin with. */
struct base64 {
	uint32_t bits;
	uint8_t have; /* digits in bits, below 4 */
	uint8_t pad;  /* '=' seen, at most 2 */
	uint8_t form;
};

/* Room that n octets of text need at most, with what an earlier piece left. */
static inline size_t base64_room(size_t n) { return n / 4 * 3 + 6; }
/* Writes what the piece gives. False: no base64, or it does not fit. */
bool base64_read(struct base64 *b, struct span text, struct writer *out) NONNULL;
/* At the end of the text. False: it was cut off, or has bits behind its end. */
bool base64_end(const struct base64 *b) NONNULL;

void base64_print(struct strbuf *out, struct span octets, unsigned int form) NONNULL;

#endif
