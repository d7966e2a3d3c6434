/* tak.h: trust anchor keys (RFC 9691), by which a trust anchor says which key will be, or was, its own. */
#ifndef RPKI_OBJECT_TAK_H
#define RPKI_OBJECT_TAK_H

#include "rpki/object/cms.h"

struct tak_key {
	struct span comments; /* SEQUENCE OF UTF8String's contents */
	struct span uris;     /* SEQUENCE OF IA5String's contents */
	struct key_info key;
	bool there;
};

struct tak {
	struct tak_key current, predecessor, successor;
};

RESULT tak_read(const struct cms *cms, struct report *rep, struct tak *ret) NONNULL;
/* Its EE certificate inherits all (section 3.3), and the current key is the issuer's (NULL: not known). */
RESULT tak_check(const struct tak *tak, const struct cert *ee, const struct cert *issuer, struct report *rep) __attribute__((nonnull(1, 2, 4)));
bool tak_next_uri(struct reader *walk, struct span *ret_uri) NONNULL; /* of reader_of(key.uris) or of the comments; false at the end */

#endif
