/* event.h: one message that passed, as values: what dnstap's Message tells. Nothing here is kept: all borrows from whoever tells. */
#ifndef RESOLVER_DNSTAP_EVENT_H
#define RESOLVER_DNSTAP_EVENT_H

#include "base/addr.h"
#include "base/cursor.h"

/* Numbers of the schema (https://dnstap.info). */
enum tap_type {
	TAP_RESOLVER_QUERY = 3,
	TAP_RESOLVER_RESPONSE,
	TAP_CLIENT_QUERY,
	TAP_CLIENT_RESPONSE,
	TAP_FORWARDER_QUERY,
	TAP_FORWARDER_RESPONSE,
};
enum tap_protocol { TAP_UDP = 1, TAP_TCP, TAP_DOT, TAP_DOH, TAP_DNSCRYPT_UDP, TAP_DNSCRYPT_TCP, TAP_DOQ };

struct tap_time {
	int64_t sec; /* since 1970; 0: not told */
	uint32_t nsec;
};

/* A field that is empty (a span of no octets, an address of no family, port 0, time 0) is left out. */
struct tap_event {
	enum tap_type type;
	enum tap_protocol protocol;
	struct endpoint query;    /* who asks */
	struct endpoint response; /* who answers */
	struct tap_time query_time, response_time;
	struct span query_message, response_message;
	struct span zone;         /* bailiwick: a name on the wire */
	struct span policy;       /* as tap_encode_policy() wrote it */
	struct span identity, version, extra;
};

#endif
