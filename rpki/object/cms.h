/*
 * cms.h: signed objects (RFC 6488, RFC 9589): a CMS SignedData with one signer, and in it the signer's certificate. cms_read() reads the wrapper and the EE
 * certificate, cms_check() verifies; what is inside (eContent) is for the readers of ROAs, manifests and so on. DER, or the BER that der.h
 * says; what is pointed at then lies in the arena.
 */
#ifndef RPKI_OBJECT_CMS_H
#define RPKI_OBJECT_CMS_H

#include "rpki/object/cert.h"

enum object_type {
	OBJECT_UNKNOWN,
	OBJECT_CERT,
	OBJECT_CRL,
	OBJECT_ROA,
	OBJECT_MANIFEST,
	OBJECT_GHOSTBUSTERS,
	OBJECT_ASPA,
	OBJECT_TAK,
	OBJECT_RSC,
	OBJECT_PREFIX_LIST,
	OBJECT_TAL,
	OBJECT_TYPES,
};
const char *object_type_text(enum object_type t) BORROWED;
enum object_type object_type_of_name(struct span name);      /* by the last four characters: ".roa" */
enum object_type object_type_of_content(struct span oid);    /* by an eContentType */

struct cms {
	struct span whole;
	struct span content_type;
	struct span content;      /* eContent's octets */
	struct span digest;       /* the message digest that was signed */
	struct span attributes;   /* the contents of signedAttrs */
	struct span attributes_head; /* their length octets, as they are signed */
	struct span signature;
	struct cert ee;
	int64_t signing_time;
	bool has_signing_time;
	bool ber;                 /* the wrapper was not DER */
};

/* type: what the file's name says it is; OBJECT_UNKNOWN when nothing does. ERR_FORMAT: a rule is broken, and *ret is as far as it came; ERR_NOMEM. */
RESULT cms_read(struct span whole, enum object_type type, struct arena *a, struct report *rep, struct cms *ret) NONNULL;
/* The two signatures: of the EE certificate and by it, with all that cert_check() looks at. ret_effective as there. */
RESULT cms_check(const struct cms *cms, const struct issuer *by, int64_t now, struct arena *a, struct report *rep, struct resources *ret_effective) NONNULL;
/* The latter alone. */
RESULT cms_check_signature(const struct cms *cms, struct report *rep) NONNULL;

#endif
