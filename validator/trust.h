/*
 * trust.h: what is known of how far a name can be trusted as a zone: its keys, or that it has none that we can follow, or that it is no zone at all. Made by
 * chain.h from validated data, immutable, counted, shared by all threads; resolver/cache/keycache.h keeps them.
 */
#ifndef VALIDATOR_TRUST_H
#define VALIDATOR_TRUST_H

#include <stdatomic.h>

#include "validator/key.h"

enum trust_state {
	TRUST_NONE,     /* no trust anchor encloses the name: indeterminate (RFC 4035 section 4.3) */
	TRUST_INSECURE, /* proven, or configured: data at and below it is not signed in a way that we follow */
	TRUST_NO_CUT,   /* proven: no zone begins at this name; its data belongs to the zone above */
	TRUST_NO_NAME,  /* proven: neither this name nor anything below it exists; so no zone begins there */
	TRUST_DS,       /* its DS RRset is validated, its keys are not known yet */
	TRUST_KEYS,     /* its DNSKEY RRset is validated */
};
const char *trust_state_text(enum trust_state s) BORROWED;

struct trust {
	_Atomic uint32_t refs;
	enum trust_state state;
	struct name_buf zone;
	struct keyset *keys OWNED_FIELD; /* TRUST_KEYS */
	struct rrset *ds OWNED_FIELD;    /* TRUST_DS; TRUST_KEYS: by which the keys were found, NULL for an anchor's */
	uint16_t ede;                    /* TRUST_INSECURE: why, as an extended error (1, 2, 27); 0: nothing to say */
	char *text OWNED_FIELD;          /* with names and numbers; NULL: none */
	uint32_t ttl;                    /* seconds that it holds from when it was made: the least of the TTLs and what is left of the signatures */
};

void trust_unref(struct trust *t) TAKES(1);
DEFINE_AUTO(struct trust, trust_unref)
struct trust *trust_ref(const struct trust *t) OWNED_BY(trust_unref) NONNULL;
/* With one reference. text is copied; ds is copied (NULL unless TRUST_DS or TRUST_KEYS). NULL: out of memory. */
struct trust *trust_new(enum trust_state s, struct name zone, uint32_t ttl, struct keyset *keys, const struct rrset *ds, uint16_t ede, const char *text)
    OWNED_BY(trust_unref) TAKES(4);
size_t trust_octets(const struct trust *t) NONNULL; /* about what it takes from the heap, keys of libcrypto guessed */

#endif
