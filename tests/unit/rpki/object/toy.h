/*
 * toy.h: for tests: a toy RPKI. A trust anchor, a CA below it, its CRL, manifest and one object of each kind, all valid at TOY_NOW; each can be changed anywhere
 * (tree.h) and is signed again afterwards, so that what is wrong with it is what was changed, and nothing else.
 */
#ifndef TESTS_UNIT_RPKI_TOY_H
#define TESTS_UNIT_RPKI_TOY_H

#include "rpki/object/inspect.h"
#include "tests/unit/rpki/object/tree.h"

enum toy_what {
	TOY_TA,
	TOY_CA,
	TOY_ROUTER,
	TOY_CRL,
	TOY_ROA,
	TOY_MANIFEST,
	TOY_GHOSTBUSTERS,
	TOY_ASPA,
	TOY_TAK,
	TOY_RSC,
	TOY_PREFIX_LIST,
	TOY_KINDS,
};

#define TOY_NOW 1800000000 /* 2027-01-15; all is valid from 2026 to 2036 */

/* What is not put right again after a change. */
enum { TOY_KEEP_DIGEST = 1, TOY_KEEP_SIGNATURE = 2, TOY_KEEP_EE_SIGNATURE = 4 };

enum toy_key { TOY_KEY_TA, TOY_KEY_CA, TOY_KEY_EE, TOY_KEY_SUB, TOY_KEYS };
struct toy;
void toy_free(struct toy *t) TAKES(1);
struct toy *toy_new(void) OWNED_BY(toy_free);
DEFINE_AUTO(struct toy, toy_free)

const char *toy_name(enum toy_what w) BORROWED;       /* "toy.roa" */
struct span toy_object(const struct toy *t, enum toy_what w) NONNULL;
struct arena *toy_arena(struct toy *t) BORROWED NONNULL; /* for what is made of it */
/*
 * An object that was changed. part is where the edits begin: "" is the whole; of certificates and CRLs "tbs", and an extension by its name (bc ski aki ku
 * eku crldp aia sia cp ip as num); of signed objects "sd", "signer", "attrs", "content", and "ee" or "ee/" and a part of a certificate.
 */
struct span toy_edited(struct toy *t, enum toy_what w, const char *part, const char *edits, unsigned int keep) NONNULL;
/* The same, made in another arena. */
struct span toy_edited_in(struct arena *a, struct toy *t, enum toy_what w, const char *part, const char *edits, unsigned int keep) NONNULL;

/* The pieces of an object's tree that signing needs; for mutators, which change the tree themselves. */
struct toy_tree {
	enum toy_what what;
	enum toy_key by; /* who signs it, or its EE certificate: the TA or the CA, if nobody says otherwise */
	struct node *root ARENA_FIELD;
	struct node *cert ARENA_FIELD; /* the EE certificate, or the certificate or CRL */
	struct node *content ARENA_FIELD;
	struct node *attributes ARENA_FIELD;
	struct node *digest ARENA_FIELD;
	struct node *signature ARENA_FIELD;
};
struct span toy_key_info(const struct toy *t, enum toy_key key) NONNULL; /* its SubjectPublicKeyInfo */
struct toy_tree toy_tree(struct arena *a, struct span der, enum toy_what w) NONNULL;
bool toy_edit(struct arena *a, struct toy_tree *tree, const char *part, const char *edits) NONNULL; /* as toy_edited(), but not signed yet */
struct span toy_sign(struct toy *t, struct arena *a, struct toy_tree *tree, unsigned int keep) NONNULL;

/* A signed object's tree with indefinite lengths in the wrapper, and the content in chunks; as it is, where its parts are not there any more. */
struct span toy_as_ber(struct arena *a, const struct toy_tree *tree) NONNULL;

/* A whole repository: two publication points, the trust anchor's and the CA's, by rsync alone. Everything lasts as long as the toy. */
struct toy_file {
	const char *uri ARENA_FIELD;
	struct span octets;
};
enum { TOY_FILE_TA, TOY_FILE_TA_CRL, TOY_FILE_CA, TOY_FILE_TA_MANIFEST, TOY_FILE_CRL, TOY_FILE_ROA, TOY_FILE_ASPA, TOY_FILE_ROUTER, TOY_FILE_GHOSTBUSTERS, TOY_FILE_MANIFEST,
	TOY_FILES };
void toy_repository(struct toy *t, struct toy_file ret[TOY_FILES]) NONNULL;
/* What is published at a URI, with its hash, or has a hash: as the readers of objects answer (rpki/validate/objects.h). */
RESULT toy_file_find(const struct toy_file *files, size_t n, struct span uri, size_t max, struct span *ret, uint8_t ret_hash[32]) NONNULL;
RESULT toy_file_by_hash(const struct toy_file *files, size_t n, const uint8_t hash[32], size_t max, struct span *ret) NONNULL;
/* A manifest of either point, of this number, that lists these files (at most 32) with their hashes. */
struct span toy_manifest(struct toy *t, bool of_anchor, uint8_t number, const struct toy_file *files, size_t n) NONNULL;
/* The same of any CA, to be published here, with this CRL in its own certificate (NULL: the CA's). */
struct span toy_manifest_at(struct toy *t, enum toy_key by, const char *where, const char *crl, uint8_t number, const struct toy_file *files, size_t n) __attribute__((nonnull(1, 3)));
struct span toy_ca_below_itself(struct toy *t) NONNULL; /* the CA's key certified by the CA */
/* A CA certificate for a key that inherits all, with the CA's publication point; crl: of the issuer. */
struct span toy_ca_below(struct toy *t, enum toy_key by, enum toy_key key, const char *crl) __attribute__((nonnull(1)));

/*
 * The same with a third CA below the second, all that may be on manifests, and serial numbers that differ: point 0 is the trust anchor's, 2 the third CA's. A point's manifest is
 * the last of it and its CRL the first (after the trust anchor's certificate).
 */
struct toy_place {
	const char *uri;
	enum toy_what what;
	enum toy_key by;
	unsigned int point;
	struct span octets;
};
enum toy_place_at { TOY_PLACE_TA, TOY_PLACE_TA_CRL, TOY_PLACE_CA, TOY_PLACE_TAK, TOY_PLACE_TA_MANIFEST, TOY_PLACE_CRL, TOY_PLACE_ROA, TOY_PLACE_ROA2, TOY_PLACE_ASPA, TOY_PLACE_ROUTER,
	TOY_PLACE_GHOSTBUSTERS, TOY_PLACE_PREFIX_LIST, TOY_PLACE_SUB, TOY_PLACE_MANIFEST, TOY_PLACE_SUB_CRL, TOY_PLACE_SUB_ROA, TOY_PLACE_SUB_MANIFEST, TOY_PLACES };
void toy_places(struct toy *t, struct toy_place ret[TOY_PLACES]) NONNULL;

/* All that a chain for an inspection needs. */
struct inspect_context toy_context(const struct toy *t) NONNULL;
struct span toy_locator(struct toy *t) NONNULL; /* the text of the trust anchor's locator */

#endif
