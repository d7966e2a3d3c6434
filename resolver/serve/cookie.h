/*
 * cookie.h: server cookies (RFC 7873) in the form that RFC 9018 makes common to all servers of an anycast address: version,
 * reserved, time and a SipHash-2-4 of client cookie, these and the client's address. No state is kept for a client.
 */
#ifndef RESOLVER_SERVE_COOKIE_H
#define RESOLVER_SERVE_COOKIE_H

#include "base/addr.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/own.h"

#define COOKIE_CLIENT 8
#define COOKIE_FULL 24 /* client and server part as we make them */
#define COOKIE_SECRETS 4

struct cookie_secrets {
	struct hash_key key[COOKIE_SECRETS]; /* the first makes cookies, all are accepted: a secret is rolled over without a gap */
	uint8_t count;
	bool drawn; /* not from the configuration */
};

enum cookie_state {
	COOKIE_NONE,      /* no option */
	COOKIE_MALFORMED, /* a length that RFC 7873 section 5.2.2 forbids: FORMERR */
	COOKIE_ALONE,     /* client part only */
	COOKIE_BAD,       /* not ours, too old, or from the future */
	COOKIE_GOOD,
	COOKIE_RENEW,     /* good, and old enough that the reply brings a new one */
};

/* Judges an option. now is wall time. For all but NONE and MALFORMED, ret_reply is what the reply's option says. */
enum cookie_state cookie_judge(const struct cookie_secrets *s, struct span option, const struct addr *client, int64_t wall_sec,
    uint8_t ret_reply[COOKIE_FULL]) NONNULL;
/* 32 hexadecimal digits. */
RESULT cookie_secret_parse(const char *hex, struct hash_key *ret) NONNULL;

#endif
