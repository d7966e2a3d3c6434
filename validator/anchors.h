/*
 * anchors.h: where trust begins. A set of trust anchors by zone (DS and DNSKEY, from configuration text, files of such RRs, RFC 5011 state files and the
 * built-in root keys) and of names that are insecure by configuration. Filled by the configuration's reader, sealed, and from then on immutable: every
 * worker reads it, a reload publishes another one. Beside it a small set of negative trust anchors (RFC 7646), which operators set at run time
 * and which end by themselves.
 *
 * For a question the closest enclosing entry counts. At one name an anchor beats `domain-insecure`, and a negative trust anchor beats both.
 * The DS of a zone is the parent's: for it the entry enclosing the parent's name is asked for.
 */
#ifndef VALIDATOR_ANCHORS_H
#define VALIDATOR_ANCHORS_H

#include "dns/name.h"

struct anchors;
struct strbuf;

#define ANCHORS_DIGEST 32        /* octets of SHA-256 */
#define ANCHOR_FILE_MAX (1 << 20) /* octets of a file of anchors that are read */

void anchors_free(struct anchors *a) TAKES(1);
struct anchors *anchors_new(void) OWNED_BY(anchors_free);
DEFINE_AUTO(struct anchors, anchors_free)

/* Adds every DS and DNSKEY RR of zone-file text; where names it in messages. All or nothing of the text is used: on ERR_FORMAT each error is a line in
 * report and the set is unusable (free it). Refused: other types and classes, DS without a digest, keys that are revoked, are no zone keys
 * (RFC 4034 section 2.1.1) or are not of protocol 3, text without an RR. ERR_LIMIT, ERR_NOMEM. Not after anchors_seal(). */
RESULT anchors_add_text(struct anchors *a, const char *where, struct span text, struct strbuf *report) NONNULL;
/* One RR of type DS or DNSKEY (from an RFC 5011 state file). ERR_FORMAT: refused, as above. After any error of this and the next two the set is unusable. */
RESULT anchors_add(struct anchors *a, struct name zone, uint16_t type, struct span rdata) NONNULL;
/* Whether no key can match it: a DS whose digest is not of its type's length. Taken, with a warning in report: a zone that was meant to be trusted does not become insecure by it. */
bool anchor_cannot_match(uint16_t type, struct span rdata);
/* The root's KSKs: 20326 (since 2017) and 38696 (signs since October 2026). */
RESULT anchors_add_root(struct anchors *a) NONNULL;
/* The name and all below it are insecure unless a closer anchor says otherwise. */
RESULT anchors_add_insecure(struct anchors *a, struct name zone) NONNULL;
/* Sorts, and makes the digest. ERR_SYSTEM: libcrypto failed. */
RESULT anchors_seal(struct anchors *a) NONNULL;

enum anchor_kind {
	ANCHOR_NONE,     /* nothing encloses the name: indeterminate (RFC 4035 section 4.3) */
	ANCHOR_KEYS,     /* an island of security begins at zone */
	ANCHOR_INSECURE, /* domain-insecure */
	ANCHOR_NEGATIVE, /* a negative trust anchor */
};
struct anchor_zone;
struct anchor_found {
	enum anchor_kind kind;
	struct name zone;                           /* the entry's name; of ANCHOR_NONE the root */
	const struct anchor_zone *keys BORROWED_FIELD; /* ANCHOR_KEYS; else NULL. As long as the set */
};
struct anchor_rr {
	uint16_t type; /* RR_DS or RR_DNSKEY */
	struct span rdata;
};
/* The closest enclosing entry of a sealed set. */
struct anchor_found anchors_find(const struct anchors *a, struct name name) NONNULL;
/* Whether exactly this name has an anchor (`root-anchors:` is left out when the configuration has one of its own). Also before sealing. */
bool anchors_has(const struct anchors *a, struct name zone) NONNULL;
size_t anchors_zones(const struct anchors *a) NONNULL; /* entries, for lists */
struct anchor_found anchors_zone_at(const struct anchors *a, size_t i) NONNULL;
size_t anchor_zone_count(const struct anchor_zone *z) NONNULL;
struct anchor_rr anchor_zone_rr(const struct anchor_zone *z, size_t i) NONNULL;
/* SHA-256 over the whole set in canonical order: a cache that was saved under another one is not trusted. */
const uint8_t *anchors_digest(const struct anchors *a) BORROWED NONNULL;

/* RFC 4034 appendix B, for every algorithm but 1. */
uint16_t dnskey_tag_of(struct span rdata);

/* --- negative trust anchors, RFC 7646 */
struct ntas;
#define NTA_LIFETIME 3600          /* seconds, default */
#define NTA_LIFETIME_MAX (7 * 86400) /* RFC 7646 section 2: a week */
#define NTA_MAX 10000              /* entries, default */

void ntas_free(struct ntas *n) TAKES(1);
struct ntas *ntas_new(size_t max) OWNED_BY(ntas_free);
DEFINE_AUTO(struct ntas, ntas_free)
/* Sets or renews; lifetime in seconds from now (wall time), 1..NTA_LIFETIME_MAX, else ERR_RANGE. ERR_LIMIT: there are max others that are in force. */
RESULT ntas_set(struct ntas *n, struct name name, uint32_t lifetime, int64_t now) NONNULL;
bool ntas_remove(struct ntas *n, struct name name) NONNULL; /* false: there was none */
size_t ntas_expire(struct ntas *n, int64_t now) NONNULL;    /* drops what has ended; how many */
size_t ntas_count(const struct ntas *n) NONNULL;
struct name ntas_at(const struct ntas *n, size_t i, int64_t *ret_until) NONNULL; /* in canonical order */
/* The same as anchors_find with the negative ones in force at now laid over it. */
struct anchor_found anchors_find_with(const struct anchors *a, const struct ntas *n, int64_t now, struct name name) NONNULL;

#endif
