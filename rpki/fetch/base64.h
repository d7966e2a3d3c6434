/* base64.h: base64 (RFC 4648 section 4) that comes in pieces, with white space anywhere (xsd:base64Binary). */
#ifndef RPKI_FETCH_BASE64_H
#define RPKI_FETCH_BASE64_H

#include "base/cursor.h"

struct base64_reader {
	uint32_t bits;
	uint8_t have; /* digits in bits, below 4 */
	uint8_t pad;  /* '=' seen, at most 2 */
};

/* Room that n octets of text need at most, with what an earlier piece left. */
static inline size_t base64_room(size_t n) { return n / 4 * 3 + 6; }
/* Writes what the piece gives. false: no base64, or it does not fit. */
bool base64_read(struct base64_reader *b, struct span text, struct writer *out) NONNULL;
/* At the end of the text. false: it was cut off, or has bits behind its end. */
bool base64_end(const struct base64_reader *b) NONNULL;

#endif
