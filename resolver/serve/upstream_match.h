/*
 * upstream_match.h: is this packet the reply to that query? Pure functions over the packet; address and port were compared by the
 * host (connected socket). RFC 5452 section 9.1 names what has to agree; QR, opcode, QDCOUNT and the class are compared as well,
 * for resolvers that did not were fooled.
 */
#ifndef RESOLVER_SERVE_UPSTREAM_MATCH_H
#define RESOLVER_SERVE_UPSTREAM_MATCH_H

#include "dns/msg.h"

enum match {
	MATCH_YES,
	MATCH_CASE,        /* all but the case of the name: a server that folds it, or a forger */
	MATCH_NO_QUESTION, /* an error without a question section, as some servers send when they could not read the query */
	MATCH_ID,          /* another ID: a near miss */
	MATCH_NOT,         /* the ID, but not our question, or no reply at all; or too short for a header */
};

struct match_expected {
	struct name name; /* in the case that was sent */
	uint16_t type;
	uint16_t rclass;
	uint16_t id;
};

/* *ret_flags (of the header) is written unless the packet is shorter than a header. */
enum match match_reply(struct span packet, const struct match_expected *e, uint16_t *ret_flags) NONNULL;

enum cookie_match {
	COOKIE_NONE,  /* no such option */
	COOKIE_OURS,  /* our client cookie came back: only who saw the query can say it */
	COOKIE_WRONG, /* another client cookie, or an option of an impossible length (RFC 7873 section 5.3) */
};
/* *ret_server: the server cookie, empty when there is none; written with COOKIE_OURS only. */
enum cookie_match match_cookie(const struct edns *e, const uint8_t client_cookie[8], struct span *ret_server) NONNULL;

#endif
