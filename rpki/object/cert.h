/*
 * cert.h: resource certificates (RFC 6487, resources of RFC 3779) and BGPsec router certificates (RFC 8209). cert_read() looks at what the octets alone tell;
 * cert_check() at what needs the issuer, its CRL and the time. A struct cert points into the octets it was read from, and into the arena for its
 * resources: both outlive it. The AIA is looked at and never followed, nor a reason to reject.
 */
#ifndef RPKI_OBJECT_CERT_H
#define RPKI_OBJECT_CERT_H

#include "rpki/object/key.h"
#include "rpki/object/resources.h"
#include "rpki/object/rule.h"

struct crl;

enum cert_kind {
	CERT_TA,     /* self-signed */
	CERT_CA,
	CERT_EE,     /* in a signed object */
	CERT_ROUTER,
};

/* What the EE certificate of a signed object is used for: its resources and SIA differ. */
enum cert_use {
	CERT_USE_ANY,
	CERT_USE_RSC, /* no SIA (RFC 9323 section 2) */
};

/* Pieces of a certificate's uris; n is 0 when there is none. */
struct cert {
	struct span whole;
	struct span tbs;       /* what is signed, with its head */
	struct span signature;
	struct span serial;    /* INTEGER's octets */
	struct span issuer;    /* Name, with its head */
	struct span subject;
	struct key_info key;
	struct span ski;       /* 20 octets, or none */
	struct span aki;
	struct span crl_uri;      /* the first rsync URI of the CRLDP */
	struct span aia_uri;      /* likewise of the AIA */
	struct span repository;   /* SIA of CAs: caRepository, rpkiManifest (rsync), rpkiNotify (https) */
	struct span manifest;
	struct span notify;
	struct span signed_object; /* SIA of EEs */
	struct span cps;          /* URI of the policy's qualifier */
	int64_t not_before;       /* seconds since 1970; both belong to the validity */
	int64_t not_after;
	struct resources claimed;
	enum cert_kind kind;
	bool reconsidered;        /* RFC 8360's policy: what the issuer has not is left out */
	bool has_sia, has_aki, has_aia, has_crldp;
	uint8_t constraints;      /* Basic Constraints: 0 none, 1 without cA, 2 with */
};

#define CERT_MAX_EXTENSIONS 40 /* in one certificate; the profile has 11 */

/* What kind a .cer file wants to be; by its extended key usage, names and key identifiers. CERT_CA when it cannot be read. */
enum cert_kind cert_kind_of(struct span whole);

/* Reads a certificate of this kind. ERR_FORMAT: a rule is broken (the report says which), and then *ret is as far as it came; ERR_NOMEM. */
RESULT cert_read(struct span whole, enum cert_kind kind, enum cert_use use, struct arena *a, struct report *rep, struct cert *ret) NONNULL;

/* A CA that is valid, as its products are checked against. */
struct issuer {
	const struct cert *cert BORROWED_FIELD;
	const struct public_key *key BORROWED_FIELD;
	const struct resources *resources BORROWED_FIELD; /* effective: no inherit */
	const struct crl *crl BORROWED_FIELD;             /* NULL: revocation is not looked at */
};

/* Validity, issuer's name and key identifier, revocation, signature and resources (RFC 6487 section 7.2), the dear one last. *ret_effective borrows from both, or is
 * in the arena. ERR_FORMAT: not valid; ERR_NOMEM. */
RESULT cert_check(const struct cert *c, const struct issuer *by, int64_t now, struct arena *a, struct report *rep, struct resources *ret_effective) NONNULL;
/* A trust anchor's: against the SubjectPublicKeyInfo of its locator (NULL: not known). *ret_key, which verified it, is owned by the caller. */
RESULT cert_check_ta(const struct cert *c, const struct span *locator_key, int64_t now, struct report *rep, struct public_key **ret_key)
    __attribute__((nonnull(1, 4, 5)));

/* The signed half of certificates and CRLs: SEQUENCE { tbs, algorithm, signature }. False: it cannot be read. */
struct signed_parts {
	struct span tbs;       /* with its head */
	struct span algorithm; /* the AlgorithmIdentifier, with its head */
	struct span signature; /* octets */
};
bool signed_parts_read(struct span whole, struct signed_parts *ret) NONNULL;
bool algorithm_is_sha256_with_rsa(struct span algorithm); /* with its head; parameters NULL or absent (RFC 4055 section 5) */

/* Names (RFC 6487 section 4.4): one CommonName and at most one serialNumber, of PrintableString (or UTF8String, which is met). `name` with its head. */
bool name_is_good(struct span name);
/* As RFC 5280 section 7.1 compares them: the types of strings do not count, nor case. Real issuers write PrintableString here and UTF8String there. */
bool name_equal(struct span a, struct span b);
const char *name_text(struct span name, char room[256]) BORROWED NONNULL; /* "CN=abc, serialNumber=1"; what is not printable as '?' */

/* A serial number: positive, of at most 20 octets. */
enum serial_fault { SERIAL_GOOD, SERIAL_NEGATIVE, SERIAL_ZERO, SERIAL_LONG };
enum serial_fault serial_fault(struct span integer);

/* One extension. */
struct extension {
	struct span oid;
	struct span value; /* of the OCTET STRING */
	bool critical;
};
bool extension_next(struct reader *r, struct extension *ret) NONNULL; /* false: r failed */
/* KeyIdentifier in an Authority Key Identifier: false when there is something else, or none of 20 octets. */
bool aki_read(struct span value, struct span *ret_key_id) NONNULL;

/* URIs: of printable ASCII, with this scheme ("rsync://", "https://"), a host, and no segment "." or ".." in the path. */
#define URI_MAX 2048
bool uri_is(struct span uri, const char *scheme) NONNULL;

#endif
