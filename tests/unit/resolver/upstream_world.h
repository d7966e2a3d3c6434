/*
 * upstream_world.h: a host that only notes what it is asked to do, on a loop in virtual time; and replies made to measure. For
 * the tests of serve/upstream*.c.
 */
#ifndef TESTS_UNIT_RESOLVER_UPSTREAM_WORLD_H
#define TESTS_UNIT_RESOLVER_UPSTREAM_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/host.h"
#include "resolver/cache/infra.h"
#include "resolver/serve/upstream.h"
#include "resolver/stats.h"

#define MOST 2048u /* exchanges and streams of one test */

struct exchange {
	exchange_h self;
	bool open;
	struct exchange_options o;
	struct exchange_events ev;
	uint8_t packet[512];
	size_t n;
};

struct stream {
	stream_h self;
	bool open;
	struct exchange_options o;
	struct stream_events ev;
	uint8_t out[8192]; /* what was written */
	size_t out_len;
};

struct fake_host {
	struct host host; /* first */
	struct exchange *udp[MOST];
	struct stream *tcp[MOST];
	size_t udps, tcps;
	enum err ask_error, connect_error; /* what the next ones give */
};

LOOP_HANDLE(asker)
struct asker {
	asker_h self;
	unsigned int told;
	uint32_t tag;
	struct ask_reply reply;
	struct msg msg; /* a copy of reply.msg's head */
};

struct world {
	uint64_t now_ns;
	struct loop *loop;
	struct rng *rng;
	struct fake_host *fake;
	struct infra *infra;
	struct stats *stats;
	struct upstream_settings set;
	struct upstream *up;
	struct arena *arena;
	struct budget budget;
	struct asker me;
	struct name_buf name;
	struct ask_request request;
	ask_h ask;
};

int world_start(void **state);
int world_end(void **state);
/* Asks w->request. */
struct result world_ask(struct world *w);
void world_must_ask(struct world *w);
void world_run(struct world *w, uint64_t ms); /* that long, and one turn more */
void world_turn(struct world *w);             /* one, at the same time */
struct server_facts world_facts(struct world *w);

enum reply_cookie { RC_NONE, RC_OURS, RC_WRONG, RC_CLIENT_ONLY };
struct reply_spec {
	uint16_t id_xor;
	uint16_t set, clear; /* flags */
	uint16_t rcode;
	bool no_question, two_questions, no_answer, lower, other_case;
	const char *name; /* another one */
	uint16_t type, rclass; /* others */
	bool opt;
	enum reply_cookie cookie;
	uint8_t server_cookie; /* its first octet, 8 octets in all */
	int keepalive; /* units + 1; 0: none */
	int cut, extra; /* octets less or more at the end */
};
/* A reply to the query in `query`. */
size_t make_reply(struct span query, const struct reply_spec *r, uint8_t *out, size_t cap);
void udp_reply(struct world *w, size_t i, const struct reply_spec *r);
void udp_octets(struct world *w, size_t i, struct span packet);
void udp_error(struct world *w, size_t i, enum err e);
void tcp_connected(struct world *w, size_t i);
void tcp_closed(struct world *w, size_t i, enum err e);
void tcp_octets(struct world *w, size_t i, struct span octets);
/* The q-th query that was written to stream i; empty when there is none. */
struct span tcp_query(struct world *w, size_t i, size_t q);
void tcp_reply(struct world *w, size_t i, size_t q, const struct reply_spec *r);
struct span udp_query(struct world *w, size_t i);
bool query_has_edns(struct span query);
size_t query_cookie_octets(struct span query);

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_start, world_end)

static const struct reply_spec good = { .opt = true };

static inline void assert_told(const struct world *w, enum ask_outcome outcome)
{
	assert_int_equal(w->me.told, 1);
	assert_int_equal(w->me.reply.outcome, outcome);
	assert_int_equal(w->me.tag, 42);
}

static inline void ask_tcp(struct world *w)
{
	w->request.tcp = true;
	world_must_ask(w);
}

#endif
