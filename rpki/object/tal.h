/* tal.h: trust anchor locators (RFC 8630): where a trust anchor's certificate is, and its key. Text, from a file of the operator's. */
#ifndef RPKI_OBJECT_TAL_H
#define RPKI_OBJECT_TAL_H

#include "rpki/object/key.h"
#include "rpki/object/rule.h"

struct arena;

#define TAL_MAX_URIS 64
#define TAL_MAX 65536 /* octets of the file */

struct tal {
	struct span uris[TAL_MAX_URIS]; /* rsync: or https:, in the order of the file */
	size_t count;
	struct span key_octets;         /* the SubjectPublicKeyInfo, in the arena */
	struct key_info key;
};

/* *ret points into the text and the arena. ERR_FORMAT: a rule is broken; ERR_NOMEM. */
RESULT tal_read(struct span text, struct arena *a, struct report *rep, struct tal *ret) NONNULL;

#endif
