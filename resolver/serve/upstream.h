/*
 * upstream.h: one question to one server, whatever transport it takes: the iterator says whom and what, upstream gives a reply
 * that matches or says how it failed. Here live: the fresh port, ID and letter case (0x20) of each query; DNS cookies (RFC 7873)
 * of servers; matching on address, port, ID, opcode, QR, question and case, and waiting on after a mismatch (a near miss, one
 * with a wrong ID or cookie, sends the question to TCP); EDNS with 1232 octets and the fallback without; truncation to TCP,
 * connections kept and pipelined (RFC 7766); time-outs by the server's RTT; what infra learns of the server. Every packet is
 * charged to the budget.
 */
#ifndef RESOLVER_SERVE_UPSTREAM_H
#define RESOLVER_SERVE_UPSTREAM_H

#include "base/addr.h"
#include "base/loop.h"
#include "dns/msg.h"
#include "resolver/core/budget.h"

struct upstream; /* one per worker */
struct host;
struct infra;
struct stats;
struct tap;
LOOP_HANDLE(ask)

struct upstream_settings {
	bool ipv4, ipv6, udp, tcp;
	bool use_0x20;
	bool cookies;
	uint16_t edns_size;          /* edns-buffer-size: 1232 */
	uint32_t max_asks;           /* exchanges and streams at once (outgoing-range); more wait */
	uint32_t max_waiting;        /* that many; the next one fails (0: as many as max_asks) */
	uint32_t tcp_idle_ms;        /* connections kept that long for reuse; EDNS keepalive of the server counts */
	uint32_t tcp_max;            /* connections at once (outgoing-num-tcp) */
	uint32_t tcp_pipeline;       /* questions under way on one connection */
	uint32_t tcp_questions;      /* over one connection (max-reuse-tcp-queries); 0: no limit */
	uint16_t tcp_mss;            /* outgoing-tcp-mss; 0: the system's */
	bool udp_unconnected;        /* udp-connect: no */
	uint32_t tcp_timeout_ms;     /* connect and answer */
	uint32_t min_timeout_ms, max_timeout_ms;
	uint64_t unwanted_most;      /* packets that are no replies, after which the alarm is raised (unwanted-reply-threshold); 0: never */
	struct msg_limits limits;
	const struct addr *from ARENA_FIELD; /* outgoing-interface list; one is drawn for each query */
	size_t from_count;
};

struct ask_request {
	struct endpoint server;
	struct question q;   /* name is copied */
	struct name zone;    /* for those who watch: what the server is asked about, in the asker's arena; wire NULL: not told */
	bool recurse;        /* RD: a forwarder */
	bool check_disabled; /* CD */
	bool dnssec_ok;      /* DO; only with EDNS */
	bool tcp;            /* only TCP */
	bool plain_case;     /* no 0x20 this time */
	bool no_edns;        /* this time */
	uint32_t timeout_ms; /* for this attempt; 0: what infra says */
};

enum ask_outcome {
	ASK_REPLY,       /* reply is a matching message, parsed: any rcode, never TC */
	ASK_TIMEOUT,
	ASK_UNREACHABLE, /* the network or the server's host says so; connection refused or reset */
	ASK_MALFORMED,   /* something that matches but cannot be read (and nothing better came) */
	ASK_BUDGET,      /* the asker's packets or octets are spent */
	ASK_NO_ROOM,     /* descriptors or memory */
};

struct ask_reply {
	enum ask_outcome outcome;
	const struct msg *msg BORROWED_FIELD; /* ASK_REPLY: in the asker's arena */
	bool tcp;        /* came over TCP */
	bool strong;     /* protected by more than port, ID and case: TCP, or our cookie echoed */
	bool edns;       /* the query had EDNS when this was answered */
	uint32_t rtt_us; /* of the last packet */
};
/* Called once for each upstream_ask that returned DONE, unless it was cancelled; in a later turn or a later callback. */
typedef void ask_fn(struct loop *l, void *object, uint32_t tag, const struct ask_reply *r);

void upstream_free(struct upstream *u) TAKES(1);
struct upstream *upstream_new(struct loop *l, struct host *h, struct infra *infra, struct stats *stats,
	const struct upstream_settings *s) OWNED_BY(upstream_free) NONNULL;
DEFINE_AUTO(struct upstream, upstream_free)
/* Raised when settings.unwanted_most is reached, and again each time that it is. A part of its owner, who outlives u. */
struct upstream_alarm {
	void (*raise)(struct upstream_alarm *a); /* asks nothing of the upstream */
};
void upstream_set_alarm(struct upstream *u, struct upstream_alarm *a) __attribute__((nonnull(1))); /* NULL: nobody hears it */
void upstream_set_tap(struct upstream *u, struct tap *t) __attribute__((nonnull(1))); /* dnstap; NULL: none. Until the next call */
void upstream_set(struct upstream *u, const struct upstream_settings *s) NONNULL; /* reload: for questions from now on */

/* arena and budget belong to the asker (object `who` of type t) and live until fn or upstream_cancel. */
RESULT upstream_ask(struct upstream *u, const struct ask_request *r, struct arena *arena, struct budget *budget,
	const struct loop_type *t, uint64_t who, uint32_t tag, ask_fn *fn, ask_h *ret) NONNULL;
void upstream_cancel(struct upstream *u, ask_h a) NONNULL; /* a stale handle is fine */

#endif
