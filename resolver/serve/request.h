/*
 * request.h: one question on its way through the serving side, as values: what was asked (it borrows from the packet), where the
 * reply goes, and what the reply has to look like. A question that has to wait is copied into a struct client (client.h).
 */
#ifndef RESOLVER_SERVE_REQUEST_H
#define RESOLVER_SERVE_REQUEST_H

#include "base/addr.h"
#include "base/loop.h"
#include "dns/msg.h"
#include "resolver/serve/cookie.h"

LOOP_HANDLE(port)    /* an address that is listened to: listener.h */
LOOP_HANDLE(session) /* a TCP connection of a client: tcp.h */

/* Where a question came from. */
struct origin {
	struct endpoint from;
	struct addr local; /* where it arrived, for replies from the same address; ADDR_NONE: the socket has only one */
	uint16_t local_port;
	port_h port;       /* UDP */
	session_h session; /* TCP; {0}: UDP */
};
static inline bool origin_is_tcp(const struct origin *o) { return o->session.v != 0; }

/* What a reply must have beside the answer: all that differs from client to client. */
struct reply_to {
	uint16_t id;
	uint16_t flags;     /* of the question: RD, CD and AD count */
	uint16_t limit;     /* octets that the reply may have */
	struct name name;   /* as the client wrote it */
	uint16_t type, rclass;
	bool edns;          /* the client has EDNS: the reply has an OPT */
	bool dnssec_ok;
	bool nsid;          /* asked for */
	bool keepalive;     /* asked for, over TCP */
	uint8_t cookie_len; /* 0 or COOKIE_FULL */
	uint16_t keepalive_ds; /* tenths of a second, told when keepalive */
	uint8_t cookie[COOKIE_FULL];
};

enum verdict {
	ADMIT,          /* go on */
	ADMIT_LOCAL,    /* only local data may answer; else the access says REFUSED or nothing */
	ADMIT_REPLY,    /* rcode and ede say what to reply */
	ADMIT_CHAOS,    /* class CH: what we tell of ourselves, or local data */
	ADMIT_DROP,     /* no reply, by policy */
};

struct request {
	struct msg_query m; /* borrows from the packet */
	struct origin origin;
	struct reply_to to;
	enum verdict verdict;
	uint16_t rcode;     /* ADMIT_REPLY: with the extended bits */
	uint16_t ede;       /* ADMIT_REPLY: an extended error, when has_ede */
	bool has_ede;
	bool bare;          /* ADMIT_REPLY: the header alone, no question (FORMERR; REFUSED to clients without EDNS) */
	bool refuse_other;  /* ADMIT_LOCAL: REFUSED for what is not local; otherwise dropped */
	bool truncate;      /* ADMIT_REPLY: TC, so that the client comes by TCP */
	bool recurse;       /* may ask servers */
	bool good_cookie;
	bool may_be_local;  /* local_may_match() said so */
	uint32_t variant;   /* of the answer cache's key */
	uint64_t hash;
};

#endif
