/*
 * serve_settings.h: what the configuration says about serving, in the form in which a question is judged: no text is compared and nothing is looked up by
 * name on the way of a packet. Immutable; made by the thread that reads the configuration, then shared by all workers.
 */
#ifndef RESOLVER_SERVE_SERVE_SETTINGS_H
#define RESOLVER_SERVE_SERVE_SETTINGS_H

#include "base/addr.h"
#include "base/cursor.h"
#include "base/own.h"
#include "resolver/serve/cookie.h"

struct conf;
struct rng;
struct strbuf;

/* access-control: and interface-action:. ACCESS_UNSAID: the table does not name the client. */
enum access {
	ACCESS_UNSAID,
	ACCESS_DENY,   /* no reply */
	ACCESS_REFUSE,
	ACCESS_ALLOW,       /* questions with RD, and local data */
	ACCESS_ALLOW_SETRD, /* as if RD were set */
	ACCESS_ALLOW_SNOOP, /* also without RD: from the cache */
	ACCESS_ALLOW_COOKIE, /* over UDP only with a good cookie */
	ACCESS_DENY_NON_LOCAL,
	ACCESS_REFUSE_NON_LOCAL,
};

/* answer-policy: of route-validation: */
enum answer_routes { ANSWER_ROUTES_OFF, ANSWER_ROUTES_LOG, ANSWER_ROUTES_BLOCK };

/* One address that is listened to. */
struct listen_at {
	struct endpoint at;
	uint8_t access; /* interface-action:, or ACCESS_UNSAID */
};

#define SERVE_TEXT 256 /* identity and version: one TXT string and its NUL */

struct serve_settings {
	/* who is served */
	struct prefix_map *access OWNED_FIELD; /* values are enum access */
	struct listen_at *listen OWNED_FIELD;
	size_t listen_count;
	bool udp, tcp;
	bool reuse_port, transparent, freebind;
	int rcvbuf, sndbuf, dscp;
	uint16_t tcp_mss; /* 0: the system's */
	uint32_t queue_us; /* sock-queue-timeout: a datagram that waited for longer is dropped; 0: none is */

	/* how often */
	uint32_t rate_per_sec;        /* ip-ratelimit for the whole process; 0: no limit */
	uint32_t rate_cookie_per_sec; /* with a good cookie */
	uint32_t rate_factor;         /* one in so many is let through all the same; 0: none */
	bool rate_backoff;            /* a client over its limit gets nothing until it has slowed down */
	size_t rate_octets;           /* of the table of clients, for the whole process */
	uint32_t wait_limit;          /* questions of one client waiting, per worker; 0: no limit */
	uint32_t wait_limit_cookie;
	struct prefix_map *wait OWNED_FIELD;        /* wait-limit-netblock: limit, UINT32_MAX for none */
	struct prefix_map *wait_cookie OWNED_FIELD; /* wait-limit-cookie-netblock */

	/* replies */
	uint16_t max_udp_size;
	uint16_t edns_size; /* that we announce: what we can take */
	bool harden_short;  /* a client that announces less than 512 octets gets 512 */
	bool harden_large;  /* questions of more than 512 octets are dropped */
	bool minimal, roundrobin, deny_any, ede, ede_expired;
	bool original_ttl;
	bool hide_identity, hide_version, hide_trustanchor;
	bool no_do;     /* disable-edns-do */
	bool ignore_cd; /* CD does not keep an answer from being validated */
	char identity[SERVE_TEXT];
	char version[SERVE_TEXT];
	uint8_t nsid[255];
	uint8_t nsid_len;
	bool cookies;
	struct cookie_secrets secrets;

	enum answer_routes answer_routes;

	/* waiting */
	uint32_t max_waiting;  /* num-queries-per-thread */
	uint32_t jostle_ms;
	uint32_t discard_ms;   /* 0: never */
	bool prefetch;
	bool serve_expired;
	uint32_t expired_ttl_sec;       /* how long after the end; 0: no limit */
	uint32_t expired_reply_ttl_sec;
	uint32_t expired_wait_ms;       /* 0: expired data is given at once */

	/* TCP */
	uint32_t tcp_sessions;      /* per worker */
	struct prefix_map *tcp_limit OWNED_FIELD; /* tcp-connection-limit, or NULL */
	uint32_t tcp_idle_ms;
	bool tcp_keepalive;
	uint32_t tcp_keepalive_ms;
	size_t tcp_unsent_octets;   /* of all sessions of a worker */
	uint32_t tcp_pipeline;      /* questions of one session under way */

	/* log */
	bool log_queries, log_replies, log_servfail, log_local;
	bool log_tag;      /* "query" and "reply" in place of the level */
	bool log_destaddr; /* in the lines for replies */
};

void serve_settings_free(struct serve_settings *s) TAKES(1);
/* What is wrong is added to report. ERR_FORMAT: it cannot be used; ERR_NOMEM. rng draws the cookie secret when none is configured: keep, when not
 * NULL, is one that was drawn before and goes on being used. */
RESULT serve_settings_make(const struct conf *c, struct rng *rng, const struct cookie_secrets *keep, struct strbuf *report,
    struct serve_settings **ret_settings) __attribute__((nonnull(1, 2, 4, 5)));
DEFINE_AUTO(struct serve_settings, serve_settings_free)

/* What access-control: says about a client; unsaid is the interface's action, else refuse for all but loopback. */
enum access settings_access(const struct serve_settings *s, const struct addr *client, enum access of_interface) NONNULL;

#endif
