/* edns.h: the OPT pseudo-RR (RFC 6891), its options, and extended DNS errors (RFC 8914). */
#ifndef DNS_EDNS_H
#define DNS_EDNS_H

#include "base/cursor.h"
#include "base/own.h"

/* IANA "DNS EDNS0 Option Codes (OPT)": all that are registered. */
enum {
	EDNS_LLQ = 1, EDNS_UL = 2, EDNS_NSID = 3, EDNS_DAU = 5, EDNS_DHU = 6, EDNS_N3U = 7, EDNS_CLIENT_SUBNET = 8, EDNS_EXPIRE = 9, EDNS_COOKIE = 10,
	EDNS_TCP_KEEPALIVE = 11, EDNS_PADDING = 12, EDNS_CHAIN = 13, EDNS_KEY_TAG = 14, EDNS_ERROR = 15, EDNS_CLIENT_TAG = 16, EDNS_SERVER_TAG = 17,
	EDNS_REPORT_CHANNEL = 18, EDNS_ZONEVERSION = 19, EDNS_UMBRELLA = 20292, EDNS_DEVICEID = 26946,
};

/* IANA "Extended DNS Error Codes". */
enum {
	EDE_OTHER = 0, EDE_UNSUPPORTED_DNSKEY = 1, EDE_UNSUPPORTED_DS = 2, EDE_STALE = 3, EDE_FORGED = 4, EDE_INDETERMINATE = 5, EDE_BOGUS = 6,
	EDE_SIG_EXPIRED = 7, EDE_SIG_NOT_YET = 8, EDE_DNSKEY_MISSING = 9, EDE_RRSIGS_MISSING = 10, EDE_NO_ZONE_KEY = 11, EDE_NSEC_MISSING = 12,
	EDE_CACHED_ERROR = 13, EDE_NOT_READY = 14, EDE_BLOCKED = 15, EDE_CENSORED = 16, EDE_FILTERED = 17, EDE_PROHIBITED = 18, EDE_STALE_NXDOMAIN = 19,
	EDE_NOT_AUTHORITATIVE = 20, EDE_NOT_SUPPORTED = 21, EDE_NO_REACHABLE = 22, EDE_NETWORK = 23, EDE_INVALID_DATA = 24, EDE_SIG_BEFORE_INCEPTION = 25,
	EDE_TOO_EARLY = 26, EDE_NSEC3_ITERATIONS = 27, EDE_POLICY = 28, EDE_SYNTHESIZED = 29, EDE_INVALID_QTYPE = 30, EDE_NEGATIVE_ANCHOR = 33,
};
const char *ede_text(uint16_t code) BORROWED; /* the registered phrase, or "" */

struct edns {
	bool present;
	bool dnssec_ok;    /* DO */
	bool compact_ok;   /* CO, RFC 9824 */
	uint8_t version;
	uint8_t ext_rcode; /* upper eight bits */
	uint16_t udp_size; /* as sent; below 512 counts as 512 (RFC 6891 section 6.2.3) */
	struct span options;
};

/* Reads options one by one: false at the end. ERR_FORMAT is found when the OPT RR is parsed, so this cannot fail later. */
bool edns_next_option(struct reader *options, uint16_t *ret_code, struct span *ret_data) NONNULL;
/* Walks the whole list once: ERR_FORMAT when a length does not fit, ERR_LIMIT past max_options (0: no limit). */
RESULT edns_check_options(struct span options, unsigned int max_options);

/* An extended error that goes with an answer. The text is short, ASCII, and without client data. */
/* Is the extended error one of validation (RFC 8914 sections 4.2 to 4.13)? */
static inline bool ede_is_dnssec(uint16_t code)
{
	return code == EDE_UNSUPPORTED_DNSKEY || code == EDE_UNSUPPORTED_DS || (code >= EDE_INDETERMINATE && code <= EDE_NSEC_MISSING) ||
	    code == EDE_SIG_BEFORE_INCEPTION || code == EDE_NSEC3_ITERATIONS;
}
struct ede {
	uint16_t code;
	const char *text ARENA_FIELD; /* may be NULL */
};

#endif
