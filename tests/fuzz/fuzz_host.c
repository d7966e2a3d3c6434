/*
 * The production host on loopback: streams, datagrams and exchanges opened, written to, paused and closed in any order, as the input says (an octet of what, an octet of how much;
 * the first one says where and how it listens).
 *
 * What is written to a stream arrives in order and unchanged, however it is cut; nothing is heard of what was closed, and of each end once; a reply that comes to an exchange
 * answers a question that was asked; afterwards no handle is left.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/host.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENDS 24u
#define ASKED 8u
#define MOST_OPS 300u
#define MAX_UNSENT 20000u

LOOP_HANDLE(user)
LOOP_HANDLE_IMPL(user)

struct end {
	struct user *u BORROWED_FIELD;
	stream_h s;
	unsigned int peer;     /* number of the other end; ENDS: not known yet */
	uint8_t mark;          /* of what this end writes */
	size_t written, heard; /* octets */
	bool open, connected, told;
};
struct question {
	exchange_h x;
	bool open;
};
struct user {
	struct loop *loop OWNED_FIELD;
	struct host *host OWNED_FIELD;
	user_h self;
	struct endpoint at;
	struct dgram_sock *sock OWNED_FIELD;
	acceptor_h acceptor;
	bool listens;
	struct end end[ENDS];
	size_t ends;
	struct question asked[ASKED];
	unsigned int reply; /* what is answered to questions */
	bool close_in_data;
};

static uint8_t octet_at(uint8_t mark, size_t i)
{
	return (uint8_t)(mark + i * 7 + i / 251);
}

static struct end *end_of(struct user *u, stream_h s) BORROWED;
static struct end *end_of(struct user *u, stream_h s)
{
	for (size_t i = 0; i < u->ends; i++)
		if (u->end[i].s.v == s.v && u->end[i].open)
			return &u->end[i];
	abort(); /* an event of a stream that is not open */
}

/* --- streams */

static void on_connected(struct loop *l, void *object, stream_h s)
{
	struct end *e = end_of((struct user *)object, s);

	(void)l;
	CHECK(!e->connected);
	e->connected = true;
}

/* Both ends are of this program, so what comes must be what the other end has written: the first octet says who that is. */
static void on_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct user *u = (struct user *)object;
	struct end *e = end_of(u, s);

	(void)l;
	CHECK(octets.n > 0);
	for (size_t i = 0; i < octets.n; i++) {
		if (e->heard == 0)
			e->peer = octets.p[i];
		else
			CHECK(e->peer < u->ends && octets.p[i] == octet_at(u->end[e->peer].mark, e->heard));
		e->heard++;
	}
	CHECK(e->peer < u->ends && e->heard <= u->end[e->peer].written);
	if (u->close_in_data) {
		e->open = false;
		host_stream_close(u->host, s);
	}
}

static void on_drained(struct loop *l, void *object, stream_h s)
{
	struct user *u = (struct user *)object;

	(void)l;
	(void)end_of(u, s);
	CHECK(host_stream_unsent(u->host, s) == 0);
}

static void on_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	struct end *x = end_of((struct user *)object, s);

	(void)l;
	CHECK(e != ERR_NONE && !x->told);
	x->told = true;
	x->open = false;
}

static struct stream_events events_of(const struct user *u)
{
	return (struct stream_events){ &user_loop_type, u->self.v, on_connected, on_data, on_drained, on_closed };
}

static struct end *add_end(struct user *u, stream_h s) BORROWED;
static struct end *add_end(struct user *u, stream_h s)
{
	struct end *e = &u->end[u->ends];

	*e = (struct end){ .u = u, .s = s, .peer = ENDS, .mark = (uint8_t)(u->ends * 37), .open = true };
	u->ends++;
	return e;
}

static void on_accept(struct loop *l, void *object, acceptor_h a, stream_h s, const struct endpoint *from, const struct endpoint *local)
{
	struct user *u = (struct user *)object;
	struct stream_events ev = events_of(u);

	(void)l, (void)a;
	CHECK(from->port != 0 && local->port == u->at.port);
	if (u->ends == ENDS || u->reply % 16 == 15)
		return; /* nobody wants it: it is closed */
	if (OK(host_stream_adopt(u->host, s, &ev)))
		add_end(u, s)->connected = true;
}

static void connect_one(struct user *u)
{
	struct exchange_options o = { .to = u->at };
	struct stream_events ev = events_of(u);
	stream_h s;

	if (u->ends < ENDS && OK(host_connect(u->host, &o, &ev, &s)))
		add_end(u, s);
}

static void write_some(struct user *u, struct end *e, size_t n)
{
	static uint8_t buf[MAX_UNSENT + 10000];
	size_t before = host_stream_unsent(u->host, e->s);
	struct result r;

	for (size_t i = 0; i < n; i++)
		buf[i] = e->written + i == 0 ? (uint8_t)(e - u->end) : octet_at(e->mark, e->written + i);
	r = host_stream_write(u->host, e->s, span_of(buf, n));
	if (!e->open) {
		CHECK(r.e == ERR_CLOSED);
		return;
	}
	CHECK(OK(r) == (before + n <= MAX_UNSENT) && (OK(r) || r.e == ERR_LIMIT));
	if (OK(r))
		e->written += n;
}

/* --- datagrams and questions */

static void on_datagrams(struct loop *l, void *object, struct dgram_sock *s, const struct datagram *in, size_t n)
{
	struct user *u = (struct user *)object;

	(void)l;
	for (size_t i = 0; i < n; i++) {
		uint8_t *room;
		unsigned int times = u->reply % 4 == 3 ? 2 : u->reply % 4 == 2 ? 0 : 1;

		for (; times > 0; times--) {
			room = host_dgram_room(u->host, s, in[i].len + 10);
			CHECK(room != NULL && host_dgram_room(u->host, s, 70000) == NULL);
			room = host_dgram_room(u->host, s, in[i].len);
			memcpy(room, in[i].data, in[i].len);
			host_dgram_commit(u->host, s, in[i].len, &in[i].from, &in[i].local);
		}
	}
	if (u->reply % 8 == 7)
		host_dgram_flush(u->host, s);
}

static struct question *question_of(struct user *u, exchange_h x) BORROWED;
static struct question *question_of(struct user *u, exchange_h x)
{
	for (size_t i = 0; i < ASKED; i++)
		if (u->asked[i].open && u->asked[i].x.v == x.v)
			return &u->asked[i];
	abort();
}

/* Of a question with that mark; some are longer than is taken in, and get no reply. */
static size_t octets_of(uint8_t mark)
{
	return (mark & 0x81) == 0x81 ? 350 : 12u + mark;
}

static void on_packet(struct loop *l, void *object, exchange_h x, struct span packet)
{
	struct user *u = (struct user *)object;
	struct question *q = question_of(u, x);

	(void)l;
	CHECK(packet.n > 0 && packet.n == octets_of(packet.p[0])); /* with few ports to draw from it may be the reply to a question of before */
	for (size_t i = 0; i < packet.n; i++)
		CHECK(packet.p[i] == octet_at(packet.p[0], i));
	if (u->reply % 2 == 1) {
		q->open = false;
		host_ask_close(u->host, x);
	}
}

static void on_error(struct loop *l, void *object, exchange_h x, enum err e)
{
	(void)l, (void)e;
	(void)question_of((struct user *)object, x);
}

static void ask(struct user *u, struct question *q, uint8_t c)
{
	uint8_t packet[400];
	struct exchange_options o = { .to = u->at, .no_fragment = (c & 1) != 0 };
	struct exchange_events ev = { &user_loop_type, u->self.v, on_packet, on_error };

	if (q->open) {
		q->open = false;
		host_ask_close(u->host, q->x);
		host_ask_close(u->host, q->x);
		return;
	}
	if ((c & 0x70) == 0x70)
		o.from.family = ADDR_V6; /* of another family than it goes to */
	else if ((c & 0x60) == 0x60)
		o.from = u->at.a;
	if ((c & 0x0e) == 0x0e)
		o.to.port = 1; /* nobody listens there */
	for (size_t i = 0; i < octets_of(c); i++)
		packet[i] = octet_at(c, i);
	q->open = OK(host_ask(u->host, &o, span_of(packet, octets_of(c)), &ev, &q->x));
	CHECK(!q->open || o.from.family == ADDR_NONE || o.from.family == u->at.a.family);
}

/* --- a run */

static bool listen_all(struct user *u, uint8_t how)
{
	static const char *const places[4][2] = { { "127.0.0.1", "127.0.0.1" }, { "0.0.0.0", "127.0.0.1" }, { "::1", "::1" }, { "::", "::1" } };
	struct listen_options o = { .batch = (how & 4) != 0 ? 8 : 0, .dscp = (how & 8) != 0 ? 8 : -1, .reuse_port = true, .max_datagram = 300, .freebind = (how & 0x10) != 0,
		.transparent = (how & 0x20) != 0, .rcvbuf = (how & 0x40) != 0 ? 1 << 16 : 0, .sndbuf = (how & 0x80) != 0 ? 1 << 16 : 0 };

	CHECK(OK(addr_parse(places[how & 3][0], &o.at.a)) && OK(addr_parse(places[how & 3][1], &u->at.a)));
	for (unsigned int tries = 0; tries < 10; tries++) {
		o.at.port = u->at.port = (uint16_t)(20000 + ((unsigned int)getpid() * 7 + tries * 131 + rng_below(loop_rng(u->loop), 1000)) % 30000);
		if (!OK(host_accept(u->host, &o, &user_loop_type, u->self.v, on_accept, &u->acceptor)))
			continue;
		if (OK(host_dgram_listen(u->host, &o, &user_loop_type, u->self.v, on_datagrams, &u->sock))) {
			CHECK(OK(host_dgram_stamp(u->host, u->sock, (how & 4) != 0)));
			return true;
		}
		host_accept_close(u->host, u->acceptor);
	}
	return false;
}

static void one_op(struct user *u, struct reader *r)
{
	static const uint8_t some[2][8192] = { { 0xff, 1 }, { 0 } };
	uint8_t op = read8(r), c = read8(r);
	struct end *e = u->ends > 0 ? &u->end[c % u->ends] : NULL;

	switch (op & 15) {
	case 0:
	case 1:
		connect_one(u);
		break;
	case 2:
	case 3:
	case 4:
		if (e != NULL)
			write_some(u, e, (size_t)(op >> 4) * (op >> 4) * 120 + (op & 1));
		break;
	case 5:
		if (e != NULL)
			host_stream_pause(u->host, e->s, (op & 0x10) != 0);
		break;
	case 6:
		if (e != NULL) {
			host_stream_close(u->host, e->s);
			e->open = false;
		}
		break;
	case 7:
		host_accept_pause(u->host, u->acceptor, (op & 0x10) != 0);
		break;
	case 8:
		u->reply = c;
		u->close_in_data = op == 0xf8;
		break;
	case 9:
		(void)!OK(host_event_permit_ports(u->host, (op & 0x10) != 0 ? NULL : &some[op >> 5 & 1]));
		break;
	case 10:
	case 11:
		ask(u, &u->asked[op >> 4 & 7], c);
		break;
	default:
		for (unsigned int i = 0; i <= (op >> 4 & 3); i++)
			loop_turn(u->loop, false);
		break;
	}
	CHECK(e == NULL || e->open || host_stream_unsent(u->host, e->s) == 0);
}

static void run(struct user *u, struct reader *r)
{
	for (unsigned int i = 0; i < MOST_OPS && !reader_end(r); i++)
		one_op(u, r);
	for (unsigned int i = 0; i < 30; i++)
		loop_turn(u->loop, false);
	/* what was written and not closed by anybody has come, as far as somebody reads */
	for (size_t i = 0; i < u->ends; i++)
		CHECK(u->end[i].peer == ENDS || u->end[i].heard <= u->end[u->end[i].peer].written);
	if (u->reply % 2 == 0) { /* else the host closes what is open */
		host_dgram_close(u->host, u->sock);
		host_accept_close(u->host, u->acceptor);
		host_accept_close(u->host, u->acceptor);
		for (size_t i = 0; i < u->ends; i++)
			host_stream_close(u->host, u->end[i].s);
		for (size_t i = 0; i < ASKED; i++)
			if (u->asked[i].open)
				host_ask_close(u->host, u->asked[i].x);
	}
}

static void one_input(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	AUTO(rng_free) struct rng *rng = rng_new_seeded(size);
	struct user *u = mem_alloc(sizeof *u);
	struct loop_backend b;

	CHECK(u != NULL && rng != NULL && OK(loop_event_backend(&b)));
	u->loop = loop_new(&b, rng, NULL);
	CHECK(u->loop != NULL);
	u->host = host_event_new(u->loop, MAX_UNSENT);
	u->self = user_enlist(u->loop, u);
	CHECK(u->host != NULL && u->self.v != 0);
	host_event_rest(u->host, 2);
	if (listen_all(u, read8(&r))) /* else there is no loopback here */
		run(u, &r);
	user_retire(u->loop, u->self);
	host_free(u->host);
	loop_turn(u->loop, false);
	CHECK(loop_live_handles(u->loop) == 0);
	loop_free(u->loop);
	mem_free(u);
}

KIT_TARGET(one_input)
