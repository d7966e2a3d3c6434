/*
 * validation.h: what the core validates by: policy, trust anchors, negative trust anchors. Immutable once shared; counted; another one takes its place at run time: on a reload,
 * when RFC 5011 changed the anchors, when the operator set or removed a negative anchor, or one ended.
 */
#ifndef RESOLVER_CORE_VALIDATION_H
#define RESOLVER_CORE_VALIDATION_H

#include <stdatomic.h>

#include "validator/chain.h"

struct anchor_overlay;
struct conf;
struct strbuf;

#define VALIDATION_WORK_SLICE (128 * WORK_UNIT) /* two milliseconds: what clients with hits may have to wait for others' misses */

struct validation {
	_Atomic uint32_t refs;
	struct val_policy policy;
	struct anchors *anchors OWNED_FIELD; /* sealed */
	struct ntas *ntas OWNED_FIELD;
	uint32_t max_restart;   /* val-max-restart: other servers asked after a bogus answer */
	uint32_t bogus_max_sec; /* val-bogus-ttl: a bogus answer is remembered for the back-off of RFC 9520, up to this */
	uint32_t hash_attempts; /* val-hash-attempts: NSEC3 hashes for one name that is looked for among denials */
	uint32_t work_slice;    /* of one turn, thousandths of a unit (validator/work.h) */
	bool lame_check;        /* not disable-dnssec-lame-check: other servers are asked when one of a signed zone sends no signatures */
	bool permissive;        /* val-permissive-mode */
	bool clean_additional;  /* val-clean-additional */
	bool aggressive;        /* aggressive-nsec */
	bool prefetch_keys;     /* prefetch-key */
	bool sentinel;          /* root-key-sentinel */
	bool signaling;         /* trust-anchor-signaling */
	uint8_t log_level;      /* val-log-level */
};

void validation_unref(struct validation *v) TAKES(1);
DEFINE_AUTO(struct validation, validation_unref)
struct validation *validation_ref(const struct validation *v) OWNED_BY(validation_unref) NONNULL;
/* The configuration's part: anchors of trust-anchor:, trust-anchor-file:, auto-trust-anchor-file: (one that is not there yet: the built-in root's), trusted-keys-file:,
 * root-anchors:, domain-insecure:; no negative anchors. *ret is NULL when nothing is to be validated (module-config without validator, or no anchor at all).
 * Messages about what is wrong are added to report. ERR_FORMAT, ERR_NOMEM, ERR_SYSTEM. */
RESULT validation_make(const struct conf *c, struct strbuf *report, struct validation **ret) NONNULL;
/* The same with what was learnt or said since. ntas NULL: none. */
RESULT validation_make_over(const struct conf *c, const struct anchor_overlay *o, struct ntas *ntas, struct strbuf *report, struct validation **ret)
    TAKES(3) __attribute__((nonnull(1, 2, 4, 5)));

#endif
