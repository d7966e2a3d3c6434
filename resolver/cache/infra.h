/*
 * infra.h: what is known of servers: round trip, back-off, EDNS, cookies; and which servers are lame for which zones. Only misses
 * touch it: shards with one short lock each, facts copied in and out. Bounded in entries, the least recently used goes first.
 *
 * The states of a server:
 *
 *   fine      fewer than INFRA_DOWN_AFTER timeouts in a row; each doubles what is waited for the next answer, three times at most
 *   back-off  after that: infra_may_ask() says no until blocked_until_ms. Timeouts of what is still in flight change nothing
 *   probing   the time has passed and one caller has been let through; when nothing is heard from it in time, the next one may
 *
 * A timeout of the probe doubles the back-off, to at most max_backoff_ms; a single reply, whatever it says, leads back to fine
 * at once. So after an outage of any length a server is asked again within max_backoff_ms of the first question for it. And when
 * the first reply of any server follows many timeouts and no reply, the outage was ours: every back-off that began before that
 * reply has passed.
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
	uint32_t unknown_ms;      /* unknown-server-time-limit; 0: INFRA_UNKNOWN_RTT_MS */
	uint32_t max_backoff_ms;  /* 0: 15000 */
	uint32_t max_wait_ms;     /* the longest wait for one answer, within max_rtt_ms; 0: 6000 */
	uint32_t lame_ttl_sec;
	bool keep_probing;        /* infra-keep-probing: the back-off does not double */
};

#define INFRA_DOWN_AFTER 3u          /* timeouts in a row */
#define INFRA_FIRST_BACKOFF_MS 1000u /* doubles from there */
#define INFRA_UNKNOWN_RTT_MS 400u    /* what is waited for a server that was never heard, unless the limits say so */
#define INFRA_OUTAGE_TIMEOUTS 8u     /* of any servers, without a reply of any: the next reply ends an outage of ours */

enum edns_state { EDNS_UNTRIED, EDNS_WORKS, EDNS_BROKEN }; /* BROKEN needs evidence: repeated, or over TCP, or with our cookie */
enum lame_kind { LAME_NO, LAME_REFERRAL, LAME_REFUSED, LAME_SERVFAIL, LAME_NOTAUTH, LAME_GARBAGE };

struct server_facts {
	uint32_t srtt_us, rttvar_us; /* 0: never measured */
	uint32_t timeout_ms;         /* what to wait for the next answer: RFC 6298, doubled by timeouts, bounded */
	uint16_t timeouts;           /* in a row */
	uint16_t silent_type;        /* the question type that they all were for; 0: of several types, or not known */
	uint64_t blocked_until_ms;   /* mono: in back-off until then; a probe may go through after */
	uint8_t edns;                /* enum edns_state */
	bool no_0x20;                /* seen to fold case */
	bool tcp_only;               /* a near miss of a forger, or UDP never answers */
	bool knows_cookies;          /* answered with a server cookie before: an answer without one is refused over UDP */
	uint8_t cookie_len;          /* of the server cookie, 0: none */
	uint8_t cookie[32];
	uint8_t client_cookie[8];
	uint8_t route_state;         /* enum verdict_state (rpki/routes/judge.h) */
	uint32_t route_origin;       /* AS number; 0: none is known */
	uint64_t route_generation;   /* of the view that it was made from; 0: never */
};

void infra_free(struct infra *i) TAKES(1);
struct infra *infra_new(const struct infra_limits *l, const struct hash_key *key) OWNED_BY(infra_free) NONNULL;
DEFINE_AUTO(struct infra, infra_free)
void infra_set_limits(struct infra *i, const struct infra_limits *l) NONNULL;

/* Defaults for a server that is not known. */
void infra_get(struct infra *i, const struct endpoint *server, const struct now *now, struct server_facts *ret) NONNULL;
void infra_note_rtt(struct infra *i, const struct endpoint *server, uint32_t rtt_us, const struct now *now) NONNULL;
void infra_note_timeout(struct infra *i, const struct endpoint *server, const struct now *now) NONNULL;
void infra_note_timeout_of(struct infra *i, const struct endpoint *server, uint16_t type, const struct now *now) NONNULL; /* of a question of that type */
/* Always true for a server not in back-off. When the back-off has passed, true for one caller, who is then the probe. */
bool infra_may_ask(struct infra *i, const struct endpoint *server, const struct now *now) NONNULL;
/* !works: EDNS counts as broken at once with strong evidence, otherwise when it was said three times in a row. */
void infra_note_edns(struct infra *i, const struct endpoint *server, bool works, bool strong_evidence, const struct now *now) NONNULL;
void infra_note_no_0x20(struct infra *i, const struct endpoint *server, const struct now *now) NONNULL;
void infra_note_tcp_only(struct infra *i, const struct endpoint *server, uint32_t for_sec, const struct now *now) NONNULL;
/* len is 8 to 32 (RFC 7873 section 4), or 0: the cookie is to be forgotten, not that the server knows cookies. Others are
 * ignored. */
void infra_note_cookie(struct infra *i, const struct endpoint *server, const uint8_t client_cookie[8], const uint8_t *server_cookie,
    size_t len, const struct now *now) __attribute__((nonnull(1, 2, 3, 6)));

/* True: nobody has noted what this generation says of it before. */
bool infra_note_route(struct infra *i, const struct endpoint *server, uint8_t state, uint32_t origin, uint64_t generation, const struct now *now) NONNULL;

/* Lameness of a server for exactly that zone, kept for lame_ttl_sec; LAME_NO forgets it. */
void infra_note_lame(struct infra *i, const struct endpoint *server, struct name zone, enum lame_kind why, const struct now *now) NONNULL;
enum lame_kind infra_lame(struct infra *i, const struct endpoint *server, struct name zone, const struct now *now) NONNULL;
const char *lame_text(enum lame_kind k) BORROWED; /* "refused", ...; never NULL */

void infra_flush(struct infra *i, const struct addr *only); /* NULL: all */
/* One line a server, and one for each zone it is lame for, as unbound-control's dump_infra. */
void infra_dump(struct infra *i, const struct now *now, struct strbuf *out) NONNULL;
size_t infra_count(const struct infra *i) NONNULL; /* servers */
uint64_t infra_evicted(const struct infra *i) NONNULL;

#endif
