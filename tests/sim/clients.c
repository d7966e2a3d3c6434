/* clients.c: who asks: by UDP and TCP, in every manner that is met, some of them rude. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "dns/build.h"
#include "tests/sim/run.h"

#define OUT_ROOM 4096u

/* A connection of a client. */
struct talk {
	struct talk *next OWNED_FIELD;
	struct client *c PARENT_FIELD;
	struct sim_conn *conn BORROWED_FIELD; /* NULL: it is over */
	enum manner manner;
	unsigned int waiting;
	uint8_t *in OWNED_FIELD;
	size_t have, room;
	size_t sent, len;
	uint16_t first_id, last_id;
	uint8_t out[OUT_ROOM];
};

struct endpoint run_resolver(void)
{
	return (struct endpoint){ .a = { ADDR_V4, { 10, 0, 0, 1 } }, .port = 53 };
}

static void *get_memory(size_t n) OWNED_BY(mem_free);
static void *get_memory(size_t n)
{
	void *p = mem_alloc(n);

	if (p == NULL)
		abort();
	return p;
}

/* ---- questions ------------------------------------------------------------------------------------------------------------------------- */

static void put_option(struct builder *b, uint8_t option, struct span learnt)
{
	static const uint8_t subnet[] = { 0, 1, 24, 0, 192, 0, 2 }, cookie[] = "8 octets";
	bool all = option == OPTION_COOKIES_AND_ALL;

	if (all || option == OPTION_COOKIE)
		(void)build_edns_option(b, EDNS_COOKIE, learnt.n > 0 ? learnt : span_of(cookie, 8));
	if (all || option == OPTION_NSID)
		(void)build_edns_option(b, 3, span_of(NULL, 0));
	if (all || option == OPTION_SUBNET)
		(void)build_edns_option(b, 8, span_of(subnet, sizeof subnet));
	if (all || option == OPTION_KEEPALIVE)
		(void)build_edns_option(b, 11, span_of(NULL, 0));
	if (all || option == OPTION_UNKNOWN)
		(void)build_edns_option(b, 65001, span_of(cookie, 5));
	if (all || option == OPTION_PADDING)
		(void)build_edns_option(b, 12, span_of(cookie, 3));
}

static size_t compose(const struct asked *q, struct span cookie, uint8_t *out, size_t cap)
{
	struct question question = { name_of(&q->name), q->type, CLASS_IN };
	struct edns_out e = { .udp_size = q->udp_size, .dnssec_ok = q->dnssec_ok };
	struct builder b;

	build_start(&b, out, cap, cap, q->edns ? 11 + 80 : 0, q->id, (q->recurse ? MSG_RD : 0) | (q->check_disabled ? MSG_CD : 0) |
	    (q->authentic ? MSG_AD : 0));
	build_question(&b, &question);
	if (q->edns) {
		build_edns_start(&b, &e);
		put_option(&b, q->option, cookie);
		build_edns_end(&b);
	}
	return build_finish(&b);
}

size_t clients_compose(const struct asked *q, uint8_t *out, size_t cap)
{
	return compose(q, span_of(NULL, 0), out, cap);
}

static struct span cookie_of(const struct run *r, const struct asked *q)
{
	return span_of(r->clients[q->client].cookie, r->clients[q->client].cookie_len);
}

static struct asked *new_question(struct run *r, unsigned int client, bool tcp) BORROWED;
static struct asked *new_question(struct run *r, unsigned int client, bool tcp)
{
	static const uint16_t sizes[] = { 1232, 1232, 1232, 0, 512, 600, 4096, 65535 };
	struct asked *q;

	if (r->count == MAX_QUESTIONS)
		return NULL;
	q = &r->asked[r->count++];
	*q = (struct asked){ .id = (uint16_t)r->count, .client = (uint8_t)client, .tcp = tcp, .edns = sim_chance(r->sim, 800000), .recurse = true,
		.dnssec_ok = sim_chance(r->sim, 400000), .udp_size = sizes[sim_draw(r->sim, 0, 7)], .at_ns = sim_now_ns(r->sim), .calm = r->calm,
		.packets = world_packets(r->world) };
	q->check_disabled = sim_chance(r->sim, 50000);
	q->recurse = !sim_chance(r->sim, 50000);
	if (r->plain) {
		q->edns = q->dnssec_ok = q->recurse = true;
		q->check_disabled = false;
		q->udp_size = 1232;
	}
	q->authentic = r->is_signed && q->id % 5 == 0;
	return q;
}

static void send_udp(struct run *r, const struct asked *q)
{
	struct endpoint from = { .a = r->clients[q->client].at, .port = (uint16_t)(20000 + q->id) }, to = run_resolver();
	uint8_t out[512];

	sim_send(r->sim, &from, &to, span_of(out, compose(q, cookie_of(r, q), out, sizeof out)));
}

struct asked *clients_ask(struct run *r, unsigned int client, struct name name, uint16_t type)
{
	struct asked *q = new_question(r, client, false);

	if (q == NULL)
		return NULL;
	name_copy(&q->name, name);
	q->type = type;
	q->recurse = !r->no_recursion;
	send_udp(r, q);
	return q;
}

static struct asked *put_question(struct run *r, const struct asked *how, bool tcp) BORROWED;
static struct asked *put_question(struct run *r, const struct asked *how, bool tcp)
{
	struct asked *q = r->count == MAX_QUESTIONS ? NULL : &r->asked[r->count++];

	if (q == NULL)
		return NULL;
	*q = *how;
	q->id = (uint16_t)r->count;
	q->tcp = tcp;
	q->at_ns = sim_now_ns(r->sim);
	q->calm = r->calm;
	q->packets = world_packets(r->world);
	return q;
}

bool clients_put(struct run *r, const struct asked *how)
{
	const struct asked *q = put_question(r, how, false);

	if (q != NULL)
		send_udp(r, q);
	return q != NULL;
}

/* ---- TCP ------------------------------------------------------------------------------------------------------------------------------- */

static void end_talk(struct talk *t)
{
	struct run *r = t->c->r;
	struct sim_conn *conn = t->conn;

	if (conn == NULL)
		return;
	t->conn = NULL;
	for (unsigned int id = t->first_id; t->first_id != 0 && id <= t->last_id; id++) {
		if (r->asked[id - 1].client == t->c->number && r->asked[id - 1].replies == 0)
			r->asked[id - 1].lossy = true;
	}
	sim_conn_set_ctx(conn, NULL);
	sim_conn_close(r->sim, conn);
}

static void ask_tcp(struct run *r, unsigned int client, enum manner manner, const struct asked *again);

static void took_frame(struct talk *t, struct span frame)
{
	struct run *r = t->c->r;
	bool truncated;

	(void)judge_reply(r, t->c->number, true, frame, &truncated);
	if (truncated)
		complain(r, NULL, "truncated over TCP");
	if (t->waiting > 0)
		t->waiting--;
	if (t->waiting == 0 && t->manner != LEFT && t->sent == t->len)
		end_talk(t);
}

static void client_data(struct sim *s, void *ctx, struct sim_conn *conn, struct span octets)
{
	struct talk *t = ctx;
	size_t at = 0;

	(void)s, (void)conn;
	if (t == NULL)
		return;
	if (t->have + octets.n > t->room) {
		void *in = t->in;

		if (!OK(mem_resize(&in, t->room, t->have + octets.n + 1024, 1)))
			abort();
		t->in = in;
		t->room = t->have + octets.n + 1024;
	}
	memcpy(t->in + t->have, octets.p, octets.n);
	t->have += octets.n;
	while (t->have - at >= 2 && t->have - at >= 2u + load16(t->in + at)) {
		size_t len = load16(t->in + at);

		took_frame(t, span_of(t->in + at + 2, len));
		at += len + 2;
	}
	memmove(t->in, t->in + at, t->have - at);
	t->have -= at;
}

/* The resolver closed it. That is its right when nothing is owed, when a client is slow, and when places are short. */
static void client_closed(struct sim *s, void *ctx, struct sim_conn *conn)
{
	struct talk *t = ctx;
	struct run *r;

	(void)s, (void)conn;
	if (t == NULL)
		return;
	r = t->c->r;
	t->conn = NULL;
	for (unsigned int id = t->first_id; t->first_id != 0 && id <= t->last_id; id++) {
		struct asked *q = &r->asked[id - 1];

		if (q->client == t->c->number && q->tcp && q->replies == 0 && (t->manner == EARLY || t->manner == FLOOD || t->manner == DRIP))
			q->lossy = true;
	}
}

static void client_opened(struct sim *s, void *ctx, struct sim_conn *conn)
{
	(void)s, (void)ctx, (void)conn;
}

static void drip(struct sim *s, void *ctx, uint64_t arg)
{
	struct talk *t = ctx;
	size_t n = t->len - t->sent;

	(void)arg;
	if (t->conn == NULL || n == 0)
		return;
	if (n > 8)
		n = sim_draw(s, 1, 8);
	sim_conn_write(s, t->conn, span_of(t->out + t->sent, n));
	t->sent += n;
	sim_at(s, sim_draw(s, 1, 1500) * MS, drip, t, 0);
}

static void leave(struct sim *s, void *ctx, uint64_t arg)
{
	(void)s, (void)arg;
	end_talk(ctx);
}

static struct talk *open_talk(struct run *r, unsigned int client, enum manner manner) BORROWED;
static struct talk *open_talk(struct run *r, unsigned int client, enum manner manner)
{
	struct talk *t = get_memory(sizeof *t);
	struct endpoint from = { .a = r->clients[client].at, .port = (uint16_t)sim_draw(r->sim, 1024, 65535) }, to = run_resolver();

	t->c = &r->clients[client];
	t->manner = manner;
	t->next = r->talks;
	r->talks = t;
	t->conn = sim_connect(r->sim, &from, &to, t);
	return t;
}

static void write_question(struct talk *t, struct asked *q)
{
	size_t n;

	q->lossy = t->manner == EARLY || t->manner == FLOOD || t->manner == DRIP;
	n = compose(q, cookie_of(t->c->r, q), t->out + t->len + 2, OUT_ROOM - t->len - 2);
	store16(t->out + t->len, (uint16_t)n);
	t->len += n + 2;
	t->waiting++;
	if (t->first_id == 0)
		t->first_id = q->id;
	t->last_id = q->id;
}

static bool has_room(const struct talk *t)
{
	return t->len + 2 + 400 <= OUT_ROOM;
}

static void add_question(struct talk *t, const struct asked *again)
{
	struct run *r = t->c->r;
	struct asked *q = has_room(t) ? new_question(r, t->c->number, true) : NULL;

	if (q == NULL)
		return;
	if (again != NULL) {
		q->name = again->name;
		q->type = again->type;
		q->recurse = again->recurse;
	} else {
		world_question(r->world, &q->name, &q->type);
	}
	write_question(t, q);
}

static void say(struct talk *t)
{
	struct run *r = t->c->r;
	enum manner manner = t->manner;

	if (manner == DRIP) {
		drip(r->sim, t, 0);
		return;
	}
	if (manner == FLOOD)
		t->len = sim_draw(r->sim, 0, t->len);
	t->sent = t->len;
	sim_conn_write(r->sim, t->conn, span_of(t->out, t->len));
	if (manner == EARLY || manner == FLOOD) {
		r->closed_early = true;
		sim_at(r->sim, sim_draw(r->sim, 0, manner == EARLY ? 300 : 60000) * MS, leave, t, 0);
	}
}

static void ask_tcp(struct run *r, unsigned int client, enum manner manner, const struct asked *again)
{
	struct talk *t = open_talk(r, client, manner);
	uint64_t n = manner == PIPELINE ? sim_draw(r->sim, 2, 12) : manner == DRIP || manner == EARLY ? sim_draw(r->sim, 1, 4) : 1;

	for (uint64_t i = 0; i < n; i++)
		add_question(t, again);
	say(t);
}

bool clients_put_tcp(struct run *r, enum manner manner, const struct asked *how, unsigned int n)
{
	struct talk *t = r->count + n > MAX_QUESTIONS || n == 0 ? NULL : open_talk(r, how->client, manner);

	if (t == NULL)
		return false;
	for (unsigned int i = 0; i < n && has_room(t); i++)
		write_question(t, put_question(r, &how[i], true));
	say(t);
	return true;
}

static void client_datagram(struct sim *s, void *ctx, const struct endpoint *from, const struct endpoint *to, struct span packet)
{
	struct client *c = ctx;
	struct endpoint resolver = run_resolver();
	const struct asked *q;
	bool truncated;

	(void)s, (void)to;
	if (!endpoint_equal(from, &resolver))
		return;
	q = judge_reply(c->r, c->number, false, packet, &truncated);
	if (truncated && q != NULL && sim_chance(s, 700000))
		ask_tcp(c->r, c->number, ONE, q);
}

static const struct sim_node_events client_events = { .datagram = client_datagram, .data = client_data, .closed = client_closed, .opened = client_opened };

/* ---- when ------------------------------------------------------------------------------------------------------------------------------ */

static enum manner draw_manner(struct run *r)
{
	static const enum manner all[] = { ONE, ONE, ONE, LEFT, PIPELINE, PIPELINE, DRIP, EARLY };

	return all[sim_draw(r->sim, 0, sizeof all / sizeof all[0] - 1)];
}

static void ask(struct sim *s, void *ctx, uint64_t arg)
{
	struct client *c = ctx;
	struct run *r = c->r;
	struct asked *q;

	(void)s, (void)arg;
	if (r->tcp && c->number < 2) {
		ask_tcp(r, c->number, draw_manner(r), NULL);
		return;
	}
	q = new_question(r, c->number, false);
	if (q == NULL)
		return;
	world_question(r->world, &q->name, &q->type);
	send_udp(r, q);
	if (sim_chance(s, 100000)) { /* a herd: others ask the same at the same time */
		for (uint64_t n = sim_draw(s, 1, 10); n > 0; n--) {
			struct asked *same = new_question(r, (unsigned int)sim_draw(s, 2, CLIENTS - 1), false);

			if (same == NULL)
				return;
			same->name = q->name;
			same->type = q->type;
			send_udp(r, same);
		}
	}
}

static void flood(struct sim *s, void *ctx, uint64_t arg)
{
	struct run *r = ctx;

	ask_tcp(r, CLIENTS - 1, FLOOD, NULL);
	if (arg > 0)
		sim_at(s, sim_draw(s, 0, 20) * MS, flood, r, arg - 1);
}

void clients_start(struct run *r)
{
	static const struct sim_link wire = { .delay_min_us = 10, .delay_max_us = 300 };

	r->asked = (struct asked *)mem_alloc_array(MAX_QUESTIONS, sizeof *r->asked);
	if (r->asked == NULL)
		abort();
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *c = &r->clients[i];

		*c = (struct client){ .r = r, .number = (uint8_t)i, .at = { ADDR_V4, { 10, 1, 0, (uint8_t)(i + 1) } } };
		if (!OK(sim_node(r->sim, &c->at, &client_events, c)))
			abort();
		sim_node_link(r->sim, &c->at, &wire);
	}
}

void clients_schedule(struct run *r)
{
	uint64_t n = r->lonely ? sim_draw(r->sim, 3, 12) : sim_draw(r->sim, 20, 120);

	for (uint64_t at = 0; n > 0; n--) {
		if (r->lonely)
			at += sim_draw(r->sim, 60, 400) * SEC;
		else
			at += sim_chance(r->sim, 300000) ? 0 : sim_draw(r->sim, 0, 400) * MS;
		if (sim_chance(r->sim, 20000))
			at += sim_draw(r->sim, 1, 2000) * SEC; /* long enough for things to expire */
		sim_at(r->sim, at, ask, &r->clients[sim_draw(r->sim, r->lonely ? 2 : 0, CLIENTS - 1)], 0);
	}
	if (r->floods)
		sim_at(r->sim, sim_draw(r->sim, 0, 5) * SEC, flood, r, sim_draw(r->sim, 20, 150));
}

void clients_stop(struct run *r)
{
	while (r->talks != NULL) {
		struct talk *t = r->talks;

		r->talks = t->next;
		mem_free(MOVE(t->in));
		mem_free(t);
	}
	mem_free(MOVE(r->asked));
}
