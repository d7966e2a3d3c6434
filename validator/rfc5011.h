/*
 * rfc5011.h: trust anchors that follow their zone's rollovers (RFC 5011), as functions over a state file's content, a DNSKEY RRset and the wall time. The
 * caller asks for the DNSKEY RRset when next_probe has come, validates it by the anchors here, and writes the new content with
 * file_write_atomic(). The file is in the format of Unbound's auto-trust-anchor-file, and either reads the other's.
 *
 *            NEWKEY            ADDTIME            KEYREM
 *   START ----------> ADDPEND ----------> VALID ----------> MISSING
 *     ^                 |                 | ^----------------|  |
 *     '-----------------'                 |      KEYPRES        |
 *      KEYREM or REVBIT                   | REVBIT              | REVBIT
 *                                         v                     |
 *                    REMOVED <-------- REVOKED <----------------'
 *                             REMTIME
 *
 * Anchors are the keys in VALID and MISSING. ADDPEND ends after the hold-down when a later RRset still has the key. A key in START is forgotten; one in
 * REMOVED is kept, so that it never comes back. A key's REVOKE bit is no part of its identity. Every other event changes nothing.
 */
#ifndef VALIDATOR_RFC5011_H
#define VALIDATOR_RFC5011_H

#include "dns/name.h"

struct strbuf;

enum ta_state { TA_START, TA_ADDPEND, TA_VALID, TA_MISSING, TA_REVOKED, TA_REMOVED }; /* numbers of the file */
enum ta_event { TA_NEWKEY, TA_ADDTIME, TA_KEYREM, TA_KEYPRES, TA_REVBIT, TA_REMTIME };
enum ta_state ta_next(enum ta_state s, enum ta_event e); /* RFC 5011 section 4.2 */

#define AUTOTRUST_FILE_MAX (1 << 20)
#define AUTOTRUST_KEYS 64 /* entries kept; past it the longest removed makes room, else a new key is not noted and counted in not_noted */

struct ta_key {
	enum ta_state state;
	uint16_t type;   /* RR_DNSKEY, or RR_DS in a file that has not yet seen its zone */
	uint16_t n;
	uint32_t ttl;    /* seconds, original */
	uint32_t count;  /* ADDPEND: times seen */
	int64_t since;   /* wall time of the last change of state */
	uint8_t *rdata OWNED_FIELD;
};
struct autotrust {
	struct name_buf zone;
	int64_t last_queried; /* wall times; 0: never */
	int64_t last_success;
	int64_t next_probe;
	uint32_t failed;      /* probes since the last success */
	uint32_t interval;    /* seconds; RFC 5011 section 2.3 */
	uint32_t retry;
	uint64_t not_noted;   /* new keys for which there was no room */
	size_t count;
	struct ta_key *keys OWNED_FIELD;
};
struct ta_policy { /* seconds */
	uint32_t add_holddown; /* 30 days; at least the original TTL is waited */
	uint32_t del_holddown; /* 30 days */
	uint32_t keep_missing; /* 366 days, after which a missing key is removed if there is a valid one; 0: for ever */
	bool often;            /* probes may be closer together than an hour (not RFC 5011; for tests) */
};
extern const struct ta_policy ta_policy_default;

void autotrust_free(struct autotrust *t) TAKES(1);
DEFINE_AUTO(struct autotrust, autotrust_free)
/* Reads a file's content: a state file, or plain DS and DNSKEY RRs of one zone. ERR_FORMAT: damaged or cut off, with lines "where: found ..." in report; such
 * a file is never to be overwritten. ERR_NOMEM. */
RESULT autotrust_read(const char *where, struct span text, struct autotrust **ret, struct strbuf *report) NONNULL;
void autotrust_write(const struct autotrust *t, struct strbuf *out) NONNULL; /* ask strbuf_result() before it is used */

struct ta_seen {
	struct span rdata;  /* a DNSKEY of an algorithm that is validated */
	bool self_signed;   /* revoked keys: an RRSIG made with it over the RRset was verified (RFC 5011 section 2.1) */
	bool by_ds;         /* a DS of this zone's entries matches it */
};
struct ta_probe {
	const struct ta_seen *keys BORROWED_FIELD;
	size_t count;
	bool validated;     /* by an anchor that this RRset does not revoke; else only revocations are taken from it */
	uint32_t original_ttl;
	uint32_t sig_left;  /* seconds until the RRSIG expires */
};
/* Applies what a probe has brought. *ret_changed: the set of anchors (not merely times) differs. ERR_NOMEM: t is consistent, probe again. */
RESULT autotrust_probe(struct autotrust *t, const struct ta_policy *p, const struct ta_probe *seen, int64_t now, bool *ret_changed) NONNULL;
void autotrust_failed(struct autotrust *t, int64_t now) NONNULL; /* there was no answer: ask again after the retry time */
bool ta_is_anchor(const struct ta_key *k) NONNULL;
/* Every key has been revoked: the zone counts as one without an anchor (RFC 5011 section 5). */
bool autotrust_is_revoked(const struct autotrust *t) NONNULL;

#endif
