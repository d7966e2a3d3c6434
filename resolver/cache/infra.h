/*
 * infra.h: what is known of servers: round trip, back-off, EDNS, cookies; and which servers are lame for which zones. Only misses touch it: shards with one
 * short lock each, facts copied in and out. Bounded in entries, the least recently used goes first.
 *
 * After an outage of any length a server is tried again soon: back-off per address doubles to at most infra_limits.max_backoff_ms, one probe at a time is let
 * through when it has passed, and a single reply clears it.
 */
#ifndef RESOLVER_CACHE_INFRA_H
#define RESOLVER_CACHE_INFRA_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/hash.h"
#include "dns/name.h"

struct infra;
struct strbuf;

struct infra_limits {
	uint32_t host_ttl_sec;    /* infra-host-ttl */
	uint32_t max_entries;     /* infra-cache-numhosts */
	uint32_t min_rtt_ms;      /* infra-cache-min-rtt */
	uint32_t max_rtt_ms;      /* infra-cache-max-rtt */
	uint32_t max_backoff_ms;
	uint32_t lame_ttl_sec;
	bool keep_probing;
};

enum edns_state { EDNS_UNTRIED, EDNS_WORKS, EDNS_BROKEN }; /* BROKEN needs evidence: repeated, or over TCP, or with our cookie */
enum lame_kind { LAME_NO, LAME_REFERRAL, LAME_REFUSED, LAME_SERVFAIL, LAME_NOTAUTH, LAME_GARBAGE };

struct server_facts {
	uint32_t srtt_us, rttvar_us; /* 0: never measured */
	uint32_t timeout_ms;         /* what to wait for the next answer (RFC 6298, bounded) */
	uint16_t timeouts;           /* in a row */
	uint64_t blocked_until_ms;   /* mono: in back-off until then; a probe may go through after */
	uint8_t edns;                /* enum edns_state */
	bool no_0x20;                /* seen to fold case */
	bool tcp_only;               /* a near miss of a forger, or UDP never answers */
	bool knows_cookies;          /* answered with a server cookie before: an answer without one is refused over UDP */
	uint8_t cookie_len;          /* of the server cookie, 0: none */
	uint8_t cookie[32];
	uint8_t client_cookie[8];
};

void infra_free(struct infra *i) TAKES(1);
struct infra *infra_new(const struct infra_limits *l, const struct hash_key *key) OWNED_BY(infra_free) NONNULL;
DEFINE_AUTO(struct infra, infra_free)
void infra_set_limits(struct infra *i, const struct infra_limits *l) NONNULL;

void infra_get(struct infra *i, const struct endpoint *server, const struct now *now, struct server_facts *ret) NONNULL; /* defaults when unknown */
void infra_note_rtt(struct infra *i, const struct endpoint *server, uint32_t rtt_us, const struct now *now) NONNULL;
void infra_note_timeout(struct infra *i, const struct endpoint *server, const struct now *now) NONNULL;
/* True for one caller when the back-off has passed and nobody probes yet: that caller may ask. Always true for a server not in back-off. */
bool infra_may_ask(struct infra *i, const struct endpoint *server, const struct now *now) NONNULL;
void infra_note_edns(struct infra *i, const struct endpoint *server, bool works, bool strong_evidence, const struct now *now) NONNULL;
void infra_note_no_0x20(struct infra *i, const struct endpoint *server, const struct now *now) NONNULL;
void infra_note_tcp_only(struct infra *i, const struct endpoint *server, uint32_t for_sec, const struct now *now) NONNULL;
void infra_note_cookie(struct infra *i, const struct endpoint *server, const uint8_t client_cookie[8], const uint8_t *server_cookie, size_t len,
    const struct now *now) NONNULL;

void infra_note_lame(struct infra *i, const struct endpoint *server, struct name zone, enum lame_kind why, const struct now *now) NONNULL;
enum lame_kind infra_lame(struct infra *i, const struct endpoint *server, struct name zone, const struct now *now) NONNULL;

void infra_flush(struct infra *i, const struct addr *only) ; /* NULL: all */
void infra_dump(struct infra *i, const struct now *now, struct strbuf *out) NONNULL; /* one line a server, as unbound-control's dump_infra */
size_t infra_count(const struct infra *i) NONNULL;

#endif
