/*
 * Sessions of clients over streams: questions, pieces of questions and anything else come on up to four connections, cut where the input says; they idle, are closed, are not read.
 * A naive reader of the framing keeps the account: a reply has the ID of a question that was asked on its connection and not answered yet, in whatever order; a whole question is
 * answered, unless its connection ended for a reason that the resolver may have; and in the end nothing is left.
 */
#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "dns/build.h"
#include "tests/fuzz/kit.h"
#include "tests/sim/run.h"
#include "tests/sim/signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONNS 4u
#define STREAM 16384u          /* octets that are sent on a connection, at most */
#define REPLIES (4u * 65536u)  /* that may come at once */
#define FRAMES (STREAM / 12u)
#define MOST_EVENTS 300u

struct frame {
	uint16_t id;
	bool told;
};
struct act;
struct line {
	struct act *a PARENT_FIELD;
	struct addr at;
	struct sim_conn *conn BORROWED_FIELD; /* NULL: not open */
	uint8_t piece;
	bool stalled;
	/* of the present connection */
	bool offended, was_stalled;  /* what is no question was sent; it was not read */
	uint8_t out[STREAM], in[REPLIES]; /* what was sent, and what came and is no whole reply yet */
	size_t out_len, framed, in_len;
	struct frame asked[FRAMES];
	size_t asked_count;
	unsigned int owed;            /* whole questions of ours */
};
struct act {
	struct run r;
	struct line line[CONNS];
	uint16_t id;
	bool scarce; /* places, questions */
};

/* ---- the account --------------------------------------------------------------------------------------------------------------------------------- */

static void forget(struct line *l)
{
	l->conn = NULL;
	l->out_len = l->framed = l->in_len = l->asked_count = 0;
	l->owed = 0;
	l->stalled = l->offended = l->was_stalled = false;
}

static void account(struct line *l)
{
	while (l->out_len - l->framed >= 2 && l->out_len - l->framed >= 2u + load16(l->out + l->framed)) {
		size_t n = load16(l->out + l->framed);
		const uint8_t *m = l->out + l->framed + 2;

		if (n < MSG_HEADER || (m[2] & 0x80) != 0)
			l->offended = true;
		else
			l->asked[l->asked_count++] = (struct frame){ load16(m), false };
		l->framed += n + 2;
	}
}

static void take_reply_of(struct line *l, struct span m)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct msg msg;
	size_t i = 0;

	CHECK(m.n >= MSG_HEADER && (m.p[2] & 0x80) != 0);
	CHECK(OK(msg_read(a, m, NULL, &msg)));
	CHECK((msg.flags & MSG_TC) == 0);
	while (i < l->asked_count && (l->asked[i].told || l->asked[i].id != load16(m.p)))
		i++;
	CHECK(i < l->asked_count);
	l->asked[i].told = true;
	if (l->owed > 0)
		l->owed--;
}

static void on_data(struct sim *s, void *ctx, struct sim_conn *c, struct span octets)
{
	struct line *l = ctx;
	size_t at = 0;

	(void)s, (void)c;
	if (l == NULL)
		return;
	CHECK(octets.n <= REPLIES - l->in_len);
	memcpy(l->in + l->in_len, octets.p, octets.n);
	l->in_len += octets.n;
	while (l->in_len - at >= 2 && l->in_len - at >= 2u + load16(l->in + at)) {
		take_reply_of(l, span_of(l->in + at + 2, load16(l->in + at)));
		at += 2u + load16(l->in + at);
	}
	memmove(l->in, l->in + at, l->in_len - at);
	l->in_len -= at;
}

/* The resolver may end it: when what came is no question, or stays in pieces; when nobody reads; when places are short. */
static void on_closed(struct sim *s, void *ctx, struct sim_conn *c)
{
	struct line *l = ctx;

	(void)s, (void)c;
	if (l == NULL)
		return;
	if (l->owed > 0 && !l->offended && !l->was_stalled && l->framed == l->out_len && !l->a->scarce && !mem_failed())
		complain(&l->a->r, NULL, "a session was closed that was owed %u replies", l->owed);
	forget(l);
}

static const struct sim_node_events events = { .data = on_data, .closed = on_closed };

/* ---- what is sent ----------------------------------------------------------------------------------------------------------------------------------- */

static void say(struct line *l, const uint8_t *p, size_t n)
{
	struct sim *s = l->a->r.sim;
	struct endpoint from = { .a = l->at, .port = (uint16_t)(5000 + l->a->id) }, to = run_resolver();

	if (n > STREAM - l->out_len)
		return;
	if (l->conn == NULL) {
		forget(l);
		l->conn = sim_connect(s, &from, &to, l);
		sim_conn_stall(s, l->conn, l->stalled);
		l->a->id++;
	}
	memcpy(l->out + l->out_len, p, n);
	l->out_len += n;
	account(l);
	for (size_t at = 0, k; at < n; at += k) {
		k = l->piece == 0 || l->piece > n - at ? n - at : l->piece;
		sim_conn_write(s, l->conn, span_of(p + at, k));
	}
}

static size_t question(struct act *a, uint8_t what, uint8_t *out, size_t cap)
{
	static const char *const names[] = { "h0.t0", "big.t0", "huge.t0", "nothing.t0", "h0.t1", "c0.t0", "slow.t1", "t0" };
	static const uint16_t types[] = { RR_A, RR_TXT, RR_AAAA, RR_MX };
	struct asked q = { .id = a->id++, .type = types[what >> 3 & 3], .recurse = (what & 32) == 0, .edns = (what & 64) != 0, .udp_size = 512,
		.option = (what & 128) != 0 ? OPTION_KEEPALIVE : OPTION_NONE };

	must(name_from_text(names[what & 7], NULL, &q.name));
	return clients_compose(&q, out, cap);
}

static void wait_ms(struct act *a, uint64_t ms)
{
	(void)sim_run(a->r.sim, sim_now_ns(a->r.sim) + ms * MS);
}

static void nothing(struct sim *s, void *ctx, uint64_t arg)
{
	(void)s, (void)ctx, (void)arg;
}

static void event(struct act *a, struct reader *r)
{
	static const uint16_t ms[] = { 0, 1, 5, 20, 100, 400, 1100, 5000, 31000 };
	uint8_t what = read8(r), b = read8(r), out[2 + 512];
	struct line *l = &a->line[what >> 3 & 3];
	struct span raw;
	size_t n;

	switch (what & 7) {
	case 0:
	case 1:
		n = question(a, b, out + 2, 512);
		store16(out, (uint16_t)n);
		say(l, out, n + 2);
		if (l->conn != NULL)
			l->owed++;
		break;
	case 2:
		raw = read_span(r, b % 64 < reader_left(r) ? b % 64 : reader_left(r));
		if (raw.n > 0)
			say(l, raw.p, raw.n);
		break;
	case 3:
		l->piece = b % 40;
		break;
	case 4:
		sim_at(a->r.sim, ms[b % 9] * MS, nothing, NULL, 0);
		wait_ms(a, ms[b % 9]);
		break;
	case 5:
		if (l->conn != NULL) {
			struct sim_conn *c = l->conn;

			sim_conn_set_ctx(c, NULL);
			forget(l);
			sim_conn_close(a->r.sim, c);
		}
		break;
	case 6:
		if (l->conn != NULL) {
			l->stalled = !l->stalled;
			l->was_stalled = true;
			sim_conn_stall(a->r.sim, l->conn, l->stalled);
		}
		break;
	default: /* a part of a question: whatever comes next belongs to it */
		n = question(a, b, out + 2, 512);
		store16(out, (uint16_t)n);
		say(l, out, 1 + (what >> 5) * 7u < n ? 1 + (what >> 5) * 7u : n);
		break;
	}
}

/* ---- the run ------------------------------------------------------------------------------------------------------------------------------------------ */

static void make_world(struct act *a)
{
	struct world *w = world_new_by_hand(a->r.sim);
	struct model_zone *t0, *t1;
	char text[400];

	CHECK(w != NULL);
	a->r.world = w;
	t0 = world_add_zone(w, w->root, "t0");
	(void)world_add_server(w, t0, HONEST);
	t1 = world_add_zone(w, w->root, "t1");
	(void)world_add_server(w, t1, SLOW);
	world_put(w, t0, "h0 A 30.0.0.1");
	world_put(w, t0, "c0 CNAME h0.t1.");
	world_put(w, t1, "h0 A 30.0.0.2");
	for (unsigned int i = 0; i < 90; i++) {
		(void)snprintf(text, sizeof text, "%s TXT \"%0240u\"", i < 6 ? "big" : "huge", i);
		world_put(w, t0, text);
	}
}

static void options(struct act *a, uint8_t how)
{
	static const char *const lines[] = { " incoming-num-tcp: 2\n", " tcp-idle-timeout: 300\n", " edns-tcp-keepalive: yes\n", " stream-wait-size: 4k\n", " num-queries-per-thread: 2\n",
		" tcp-connection-limit: 10.2.0.0/16 1\n", " ip-ratelimit: 2\n", " edns-tcp-keepalive-timeout: 100\n" };

	(void)snprintf(a->r.conf, sizeof a->r.conf, " msg-cache-size: 64k\n rrset-cache-size: 128k\n infra-cache-numhosts: 100\n");
	for (unsigned int i = 0; i < 8; i++) {
		size_t n = strlen(a->r.conf);

		if ((how >> i & 1) != 0)
			(void)snprintf(a->r.conf + n, sizeof a->r.conf - n, "%s", lines[i]);
	}
	a->scarce = (how & (1 | 16 | 32 | 64)) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	static const struct sim_link wire = { .delay_min_us = 100, .delay_max_us = 100 };
	struct act *a;
	unsigned int wrong;

	log_set_level(LOG_LEVEL_ERROR);
	mem_fail_hold(true);
	a = (struct act *)mem_alloc(sizeof *a);
	CHECK(a != NULL && run_start(&a->r, 5, PLANT_NONE, false));
	sim_set_link(a->r.sim, &wire);
	a->r.workers = 1;
	a->r.damaged = a->r.guests = true;
	a->id = 1000;
	options(a, read8(&r));
	make_world(a);
	CHECK(run_start_workers(&a->r));
	clients_start(&a->r);
	for (unsigned int i = 0; i < CONNS; i++) {
		a->line[i].a = a;
		a->line[i].at = (struct addr){ ADDR_V4, { 10, 2, 0, (uint8_t)(i + 1) } };
		CHECK(OK(sim_node(a->r.sim, &a->line[i].at, &events, &a->line[i])));
	}
	mem_fail_hold(false);
	for (unsigned int n = 0; n < MOST_EVENTS && !reader_end(&r); n++)
		event(a, &r);
	for (unsigned int i = 0; i < CONNS; i++) {
		if (a->line[i].conn != NULL && a->line[i].stalled)
			sim_conn_stall(a->r.sim, a->line[i].conn, false);
	}
	a->r.closed_early = true;
	if (!sim_run(a->r.sim, sim_now_ns(a->r.sim) + 600 * SEC) || !sim_at_rest(a->r.sim) || sim_turns(a->r.sim) > 1000000)
		complain(&a->r, NULL, "it never comes to rest");
	mem_fail_hold(true);
	for (unsigned int i = 0; i < CONNS; i++)
		CHECK(a->line[i].conn == NULL); /* idle long enough */
	run_stop(&a->r);
	wrong = a->r.wrong;
	mem_free(a);
	mem_fail_hold(false);
	if (wrong != 0)
		abort();
	return 0;
}
