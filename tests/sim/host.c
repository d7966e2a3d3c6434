/*
 * host.c: struct host on the virtual network. What arrives is put in the host's mail in the order of arrival; the loop's next turn hands it out, after its timers,
 * as descriptors are in production. Sends take effect at once (what the network does with them then is net.c's).
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/sim/inside.h"

#define BATCH 64
#define PORT_FIRST 1024u

struct mail {
	struct mail *next OWNED_FIELD;
	enum sim_event_kind kind;
	struct endpoint from, to;
	struct sim_conn *conn BORROWED_FIELD; /* it counts its mails */
	size_t len;
	uint8_t octets[];
};

struct exchange {
	struct sim_host *h PARENT_FIELD;
	struct exchange *next OWNED_FIELD;
	struct exchange **at PARENT_FIELD;
	struct dead dead;
	exchange_h self;
	struct endpoint from, to;
	struct exchange_events ev;
	uint16_t id;
	bool closed;
};

struct stream {
	struct sim_host *h PARENT_FIELD;
	struct stream *next OWNED_FIELD;
	struct stream **at PARENT_FIELD;
	struct dead dead;
	stream_h self;
	struct sim_conn *conn BORROWED_FIELD; /* NULL once our end is gone */
	struct stream_events ev;
	bool adopted, closed, paused;
	struct mail *held OWNED_FIELD;  /* arrived while paused */
	struct mail **held_end PARENT_FIELD;
	timer_h drained, given;
};

struct acceptor {
	struct sim_host *h PARENT_FIELD;
	struct acceptor *next OWNED_FIELD;
	struct acceptor **at PARENT_FIELD;
	struct dead dead;
	acceptor_h self;
	struct endpoint listen;
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	host_accept_fn *fn;
	bool closed, paused;
};

struct dgram_sock {
	struct sim_host *h PARENT_FIELD;
	struct dgram_sock *next OWNED_FIELD;
	struct dgram_sock **at PARENT_FIELD;
	struct endpoint listen;
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	host_datagrams_fn *fn;
	uint8_t room[65536];
};

struct sim_host {
	struct host host;
	struct sim *sim PARENT_FIELD;
	struct sim_backend *backend PARENT_FIELD;
	struct addr address4, address6;
	struct exchange *exchanges OWNED_FIELD;
	struct stream *streams OWNED_FIELD;
	struct acceptor *acceptors OWNED_FIELD;
	struct dgram_sock *socks OWNED_FIELD;
	struct mail *mail OWNED_FIELD;
	struct mail **mail_end PARENT_FIELD;
	unsigned int open, limit;
	uint64_t slot; /* of this host on its loop */
};

static const struct loop_type host_type = { "host" };

static struct sim_host *host_of(struct host *h) BORROWED;
static struct sim_host *host_of(struct host *h)
{
	return (struct sim_host *)(void *)h;
}

#define LINK(list, x) \
	do { \
		(x)->next = (list); \
		if ((list) != NULL) \
			(list)->at = &(x)->next; \
		(x)->at = &(list); \
		(list) = (x); \
	} while (0)
#define UNLINK(x) \
	do { \
		*(x)->at = (x)->next; \
		if ((x)->next != NULL) \
			(x)->next->at = (x)->at; \
	} while (0)
#define OF_DEAD(T, d) ((T *)(void *)((char *)(d) - offsetof(T, dead)))

/* ---- mail ----------------------------------------------------------------------------------------------------------------------------- */

static void mail_free(struct mail *m) TAKES(1);
static void mail_free(struct mail *m)
{
	if (m->conn != NULL) {
		m->conn->events--;
		sim_conn_settle(m->conn);
	}
	mem_free(m);
}

static void drop_all(struct mail *m) TAKES(1);
static void drop_all(struct mail *m)
{
	while (m != NULL) {
		struct mail *next = m->next;

		mail_free(m);
		m = next;
	}
}

static struct mail *mail_new(const struct sim_event *e) OWNED_BY(mail_free);
static struct mail *mail_new(const struct sim_event *e)
{
	struct mail *m;

	mem_fail_hold(true);
	m = (struct mail *)mem_alloc(sizeof *m + e->len);
	mem_fail_hold(false);
	if (m == NULL)
		abort();
	m->kind = e->kind;
	m->from = e->from;
	m->to = e->to;
	m->conn = e->conn;
	if (m->conn != NULL)
		m->conn->events++;
	m->len = e->len;
	memcpy(m->octets, e->octets, e->len);
	return m;
}

static void post(struct sim_host *h, const struct sim_event *e)
{
	struct mail *m = mail_new(e);

	*h->mail_end = m;
	h->mail_end = &m->next;
	h->backend->woken = true;
}

bool sim_host_has_mail(const struct sim_host *h)
{
	return h->mail != NULL;
}

static bool listens_at(const struct endpoint *listen, const struct endpoint *to)
{
	return listen->port == to->port && (addr_is_unspecified(&listen->a) ? listen->a.family == to->a.family : addr_equal(&listen->a, &to->a));
}

static struct exchange *find_exchange(struct sim_host *h, const struct endpoint *from, const struct endpoint *to) BORROWED;
static struct exchange *find_exchange(struct sim_host *h, const struct endpoint *from, const struct endpoint *to)
{
	for (struct exchange *x = h->exchanges; x != NULL; x = x->next) {
		if (endpoint_equal(&x->to, from) && endpoint_equal(&x->from, to))
			return x;
	}
	return NULL;
}

static bool dgram_is_for(struct sim_host *h, const struct sim_event *e)
{
	for (const struct dgram_sock *s = h->socks; s != NULL; s = s->next) {
		if (listens_at(&s->listen, &e->to))
			return true;
	}
	return find_exchange(h, &e->from, &e->to) != NULL;
}

void sim_host_datagram(struct sim *s, const struct sim_event *e)
{
	struct sim_host *hosts[64];
	size_t n = 0;

	for (struct sim_backend *b = s->backends; b != NULL && n < 64; b = b->next) {
		if (b->host != NULL && dgram_is_for(b->host, e))
			hosts[n++] = b->host;
	}
	/* Several workers on one port: the kernel spreads by a hash of the addresses. */
	if (n > 0)
		post(hosts[(e->from.port ^ e->from.a.b[3] ^ e->from.a.b[15]) % n], e);
}

void sim_host_conn_event(struct sim *s, const struct sim_event *e)
{
	struct sim_host *hosts[64];
	size_t n = 0;

	if (e->kind != SIM_OPEN) {
		if (e->conn->host != NULL)
			post(e->conn->host, e);
		return;
	}
	for (struct sim_backend *b = s->backends; b != NULL && n < 64; b = b->next) {
		const struct acceptor *a = b->host == NULL ? NULL : b->host->acceptors;

		for (; a != NULL; a = a->next) {
			if (listens_at(&a->listen, &e->conn->program)) {
				hosts[n++] = b->host;
				break;
			}
		}
	}
	if (n > 0) {
		e->conn->host = hosts[e->conn->node.port % n]; /* what follows goes there too, accepted or not */
		post(e->conn->host, e);
		return;
	}
	e->conn->program_gone = true;
	sim_conn_push(s, e->conn, SIM_REFUSED, false, span_of(NULL, 0));
}

/* ---- handing out ---------------------------------------------------------------------------------------------------------------------- */

static void give_batch(struct sim_host *h, struct dgram_sock *s, struct mail *const *mails, size_t n)
{
	struct datagram in[BATCH];
	void *object = loop_slot_get(h->host.loop, s->type, s->who);

	for (size_t i = 0; i < n; i++)
		in[i] = (struct datagram){ mails[i]->octets, mails[i]->len, mails[i]->from, mails[i]->to.a, 0 };
	h->host.counts.dgrams_in += n;
	h->host.counts.dgram_batches_in++;
	if (object != NULL)
		s->fn(h->host.loop, object, s, in, n);
}

static struct dgram_sock *sock_for(struct sim_host *h, const struct mail *m) BORROWED;
static struct dgram_sock *sock_for(struct sim_host *h, const struct mail *m)
{
	for (struct dgram_sock *s = h->socks; m->kind == SIM_DATAGRAM && s != NULL; s = s->next) {
		if (listens_at(&s->listen, &m->to))
			return s;
	}
	return NULL;
}

static struct stream *stream_for(struct sim_host *h, struct sim_conn *c, bool ours) BORROWED;
static struct stream *stream_for(struct sim_host *h, struct sim_conn *c, bool ours)
{
	struct stream *x = (struct stream *)mem_alloc(sizeof *x);

	if (x == NULL)
		return NULL;
	x->h = h;
	x->conn = c;
	x->adopted = ours;
	x->held_end = &x->held;
	x->self = stream_enlist(h->host.loop, x);
	if (x->self.v == 0) {
		mem_free(x);
		return NULL;
	}
	c->host = h;
	c->stream = x->self;
	LINK(h->streams, x);
	h->open++;
	return x;
}

static void refuse(struct sim_host *h, struct sim_conn *c)
{
	c->program_gone = true;
	c->host = NULL;
	sim_conn_push(h->sim, c, SIM_REFUSED, false, span_of(NULL, 0));
}

static void give_connection(struct sim_host *h, struct sim_conn *c)
{
	for (struct acceptor *a = h->acceptors; a != NULL; a = a->next) {
		void *object = loop_slot_get(h->host.loop, a->type, a->who);
		struct stream *x;

		if (!listens_at(&a->listen, &c->program))
			continue;
		x = object == NULL || a->paused || (h->limit != 0 && h->open >= h->limit) ? NULL : stream_for(h, c, false);
		if (x == NULL)
			break;
		h->host.counts.streams_accepted++;
		sim_conn_push(h->sim, c, SIM_OPENED, false, span_of(NULL, 0));
		a->fn(h->host.loop, object, a->self, x->self, &c->node, &c->program);
		if (!x->adopted && !x->closed)
			host_stream_close(&h->host, x->self);
		return;
	}
	h->host.counts.accepts_shed++;
	refuse(h, c);
}

static void end_stream(struct stream *x);

static void give_stream_event(struct sim_host *h, const struct mail *m)
{
	struct stream *x = stream_get(h->host.loop, m->conn->stream);
	void *object = x == NULL || !x->adopted ? NULL : loop_slot_get(h->host.loop, x->ev.type, x->ev.who);
	struct loop *l = h->host.loop;

	if (x == NULL || x->closed)
		return;
	switch (m->kind) {
	case SIM_OPENED:
		if (object != NULL && x->ev.connected != NULL)
			x->ev.connected(l, object, x->self);
		break;
	case SIM_DATA:
		if (object != NULL)
			x->ev.data(l, object, x->self, span_of(m->octets, m->len));
		break;
	case SIM_CLOSE:
	case SIM_REFUSED: {
		struct stream_events ev = x->ev;
		stream_h self = x->self;

		if (x->conn->node_ended) /* both directions end at once, as in net/host_event.c */
			sim_conn_push(h->sim, x->conn, SIM_CLOSE, false, span_of(NULL, 0));
		end_stream(x);
		if (object != NULL)
			ev.closed(l, object, self, m->kind == SIM_CLOSE ? ERR_CLOSED : ERR_REFUSED);
		break;
	}
	case SIM_CALL:
	case SIM_DATAGRAM:
	case SIM_OPEN:
		break;
	}
}

static void hold_or_give(struct sim_host *h, struct mail *m) TAKES(2);
static void hold_or_give(struct sim_host *h, struct mail *m)
{
	struct stream *x = stream_get(h->host.loop, m->conn->stream);

	if (x != NULL && x->paused && m->kind != SIM_OPENED) {
		*x->held_end = m;
		x->held_end = &m->next;
		return;
	}
	give_stream_event(h, m);
	mail_free(m);
}

static void give_packet(struct sim_host *h, const struct mail *m)
{
	struct exchange *x = find_exchange(h, &m->from, &m->to);
	void *object = x == NULL || x->closed ? NULL : loop_slot_get(h->host.loop, x->ev.type, x->ev.who);

	if (object != NULL)
		x->ev.packet(h->host.loop, object, x->self, span_of(m->octets, m->len));
}

static void hand_out(struct loop *l, void *object)
{
	struct sim_host *h = object;
	struct mail *m = h->mail;

	(void)l;
	h->mail = NULL;
	h->mail_end = &h->mail;
	while (m != NULL) {
		struct mail *next = m->next, *batch[BATCH];
		struct dgram_sock *s = sock_for(h, m);
		size_t n = 0;

		m->next = NULL;
		if (s != NULL) {
			batch[n++] = m;
			while (next != NULL && n < BATCH && sock_for(h, next) == s) {
				batch[n++] = next;
				next = next->next;
			}
			give_batch(h, s, batch, n);
			for (size_t i = 0; i < n; i++)
				mail_free(batch[i]);
		} else if (m->kind == SIM_DATAGRAM) {
			give_packet(h, m);
			mail_free(m);
		} else if (m->kind == SIM_OPEN) {
			give_connection(h, m->conn);
			mail_free(m);
		} else {
			hold_or_give(h, m);
		}
		m = next;
	}
}

/* ---- the loop's back end -------------------------------------------------------------------------------------------------------------- */

static void backend_now(void *ctx, struct now *ret)
{
	const struct sim_backend *b = ctx;

	*ret = (struct now){ .mono_ns = b->sim->now_ns, .wall_sec = b->sim->wall_start + (int64_t)(b->sim->now_ns / 1000000000u),
		.wall_nsec = (uint32_t)(b->sim->now_ns % 1000000000u) };
}

static void backend_wait(void *ctx, struct loop *l, uint64_t wait_ns)
{
	struct sim_backend *b = ctx;

	b->wake_ns = wait_ns == UINT64_MAX ? UINT64_MAX : b->sim->now_ns + wait_ns;
	if (b->host != NULL && b->host->mail != NULL)
		loop_fd_ready(l, b->source, LOOP_READ);
}

static RESULT backend_watch(void *ctx, struct loop *l, int fd, unsigned int events, uint32_t slot, void **ret_watch)
{
	(void)ctx, (void)l, (void)fd, (void)events, (void)slot, (void)ret_watch;
	return FAIL(ERR_UNSUPPORTED); /* nothing above the seam has a descriptor */
}

static void backend_unwatch(void *ctx, void *watch)
{
	(void)ctx, (void)watch;
}

static void backend_wake(void *ctx)
{
	struct sim_backend *b = ctx;

	b->woken = true;
}

static void backend_free(void *ctx)
{
	struct sim_backend *b = ctx;

	for (struct sim_backend **at = &b->sim->backends; *at != NULL; at = &(*at)->next) {
		if (*at == b) {
			*at = b->next;
			break;
		}
	}
	mem_free(b);
}

struct loop *sim_loop_new(struct sim *s, struct rng *rng, struct epoch_member *member)
{
	struct sim_backend *b = (struct sim_backend *)mem_alloc(sizeof *b), **end = &s->backends;
	struct loop_backend face = { b, backend_now, backend_wait, backend_watch, backend_unwatch, backend_wake, backend_free };

	if (b == NULL)
		return NULL;
	b->sim = s;
	b->member = member;
	b->wake_ns = s->now_ns; /* a first turn, for what was set before */
	while (*end != NULL)
		end = &(*end)->next;
	*end = b;
	b->loop = loop_new(&face, rng, member);
	return b->loop;
}

/* ---- host_ops ------------------------------------------------------------------------------------------------------------------------- */

static bool at_limit(struct sim_host *h)
{
	if (h->limit == 0 || h->open < h->limit)
		return false;
	h->host.counts.no_descriptor++;
	return true;
}

static RESULT op_dgram_listen(struct host *host, const struct listen_options *o, const struct loop_type *t, uint64_t who, host_datagrams_fn *fn,
    struct dgram_sock **ret_sock)
{
	struct sim_host *h = host_of(host);
	struct dgram_sock *s;

	if (at_limit(h))
		return FAIL(ERR_LIMIT);
	s = (struct dgram_sock *)mem_alloc(sizeof *s);
	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->h = h;
	s->listen = o->at;
	s->type = t;
	s->who = who;
	s->fn = fn;
	LINK(h->socks, s);
	h->open++;
	*ret_sock = s;
	return DONE;
}

static void op_dgram_close(struct host *host, struct dgram_sock *s)
{
	UNLINK(s);
	host_of(host)->open--;
	mem_free(s);
}

static uint8_t *op_dgram_room(struct dgram_sock *s, size_t cap) BORROWED;
static uint8_t *op_dgram_room(struct dgram_sock *s, size_t cap)
{
	return cap > 65535 ? NULL : s->room;
}

static void op_dgram_commit(struct dgram_sock *s, size_t len, const struct endpoint *to, const struct addr *local)
{
	struct endpoint from = s->listen;

	if (local != NULL && local->family != ADDR_NONE)
		from.a = *local;
	s->h->host.counts.dgrams_out++;
	if (s->h->sim->plant == PLANT_DROP && ++s->h->sim->planted == 5)
		return;
	if (s->h->sim->plant == PLANT_DOUBLE_REPLY && ++s->h->sim->planted == 5)
		sim_send(s->h->sim, &from, to, span_of(s->room, len));
	sim_send(s->h->sim, &from, to, span_of(s->room, len));
}

static void op_dgram_flush(struct dgram_sock *s)
{
	(void)s;
}

static void exchange_bury(struct dead *d)
{
	mem_free(OF_DEAD(struct exchange, d));
}

static void nothing(struct loop *l, void *object)
{
	(void)l, (void)object;
}

static void never_rest(struct loop *l, void *object)
{
	timer_h t;

	(void)OK(loop_timer(l, &host_type, ((struct sim_host *)object)->slot, never_rest, 3600000, &t));
}

/* Faults of ours that the oracles must find (O3, O4, O8). */
static void plant_fault(struct sim_host *h, const struct endpoint *from, const struct endpoint *to, struct span packet)
{
	struct loop *l = h->host.loop;
	timer_h t;

	if (h->sim->plant == PLANT_STORM) {
		for (unsigned int i = 0; i < 100; i++)
			sim_send(h->sim, from, to, packet);
	}
	if (h->sim->plant == PLANT_DROP || h->sim->plant == PLANT_DOUBLE_REPLY || ++h->sim->planted != 5)
		return;
	if (h->sim->plant == PLANT_LEAK) {
		void *lost = mem_alloc(1);

		(void)lost;
	} else if (h->sim->plant == PLANT_HANDLE) {
		(void)loop_slot_add(l, &host_type, h);
	} else if (h->sim->plant == PLANT_SOCKET) {
		h->open++;
	} else if (h->sim->plant == PLANT_STALE) {
		uint64_t slot = loop_slot_add(l, &host_type, h);

		(void)OK(loop_timer(l, &host_type, slot, nothing, 1, &t));
		loop_slot_retire(l, slot);
	} else if (h->sim->plant == PLANT_RESTLESS) {
		never_rest(l, h);
	}
}

static RESULT op_ask(struct host *host, const struct exchange_options *o, struct span packet, const struct exchange_events *ev, exchange_h *ret)
{
	struct sim_host *h = host_of(host);
	struct exchange *x;

	if (at_limit(h))
		return FAIL(ERR_LIMIT);
	x = (struct exchange *)mem_alloc(sizeof *x);
	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->h = h;
	x->to = o->to;
	x->from.a = o->to.a.family == ADDR_V4 ? h->address4 : h->address6;
	do
		x->from.port = (uint16_t)(PORT_FIRST + rng_below(loop_rng(host->loop), 65536 - PORT_FIRST));
	while (find_exchange(h, &x->to, &x->from) != NULL);
	x->ev = *ev;
	x->id = packet.n >= 2 ? load16(packet.p) : 0;
	x->self = exchange_enlist(host->loop, x);
	if (x->self.v == 0) {
		mem_free(x);
		return FAIL(ERR_NOMEM);
	}
	LINK(h->exchanges, x);
	h->open++;
	h->host.counts.exchanges++;
	if (h->sim->plant != PLANT_NONE)
		plant_fault(h, &x->from, &x->to, packet);
	sim_send(h->sim, &x->from, &x->to, packet);
	*ret = x->self;
	return DONE;
}

static void op_ask_close(struct host *host, exchange_h xh)
{
	struct exchange *x = exchange_get(host->loop, xh);

	if (x == NULL || x->closed)
		return;
	x->closed = true;
	exchange_retire(host->loop, xh);
	UNLINK(x);
	host_of(host)->open--;
	loop_bury(host->loop, &x->dead, exchange_bury);
}

static void acceptor_bury(struct dead *d)
{
	mem_free(OF_DEAD(struct acceptor, d));
}

static RESULT op_accept(struct host *host, const struct listen_options *o, const struct loop_type *t, uint64_t who, host_accept_fn *fn, acceptor_h *ret)
{
	struct sim_host *h = host_of(host);
	struct acceptor *a;

	if (at_limit(h))
		return FAIL(ERR_LIMIT);
	a = (struct acceptor *)mem_alloc(sizeof *a);
	if (a == NULL)
		return FAIL(ERR_NOMEM);
	a->h = h;
	a->listen = o->at;
	a->type = t;
	a->who = who;
	a->fn = fn;
	a->self = acceptor_enlist(host->loop, a);
	if (a->self.v == 0) {
		mem_free(a);
		return FAIL(ERR_NOMEM);
	}
	LINK(h->acceptors, a);
	h->open++;
	*ret = a->self;
	return DONE;
}

static void op_accept_close(struct host *host, acceptor_h ah)
{
	struct acceptor *a = acceptor_get(host->loop, ah);

	if (a == NULL || a->closed)
		return;
	a->closed = true;
	acceptor_retire(host->loop, ah);
	UNLINK(a);
	host_of(host)->open--;
	loop_bury(host->loop, &a->dead, acceptor_bury);
}

static void op_accept_pause(struct host *host, acceptor_h ah, bool paused)
{
	struct acceptor *a = acceptor_get(host->loop, ah);

	if (a != NULL)
		a->paused = paused;
}

static RESULT op_connect(struct host *host, const struct exchange_options *o, const struct stream_events *ev, stream_h *ret)
{
	struct sim_host *h = host_of(host);
	struct endpoint from = { .a = o->to.a.family == ADDR_V4 ? h->address4 : h->address6 };
	struct sim_conn *c;
	struct stream *x;

	if (at_limit(h))
		return FAIL(ERR_LIMIT);
	from.port = (uint16_t)(PORT_FIRST + rng_below(loop_rng(host->loop), 65536 - PORT_FIRST));
	c = sim_conn_new(h->sim, &from, &o->to);
	x = stream_for(h, c, true);
	if (x == NULL) {
		sim_conn_unlink(c);
		return FAIL(ERR_NOMEM);
	}
	x->ev = *ev;
	h->host.counts.streams_opened++;
	sim_conn_push(h->sim, c, SIM_OPEN, false, span_of(NULL, 0));
	*ret = x->self;
	return DONE;
}

static RESULT op_stream_adopt(struct host *host, stream_h sh, const struct stream_events *ev)
{
	struct stream *x = stream_get(host->loop, sh);

	if (x == NULL || x->closed)
		return FAIL(ERR_CLOSED);
	x->ev = *ev;
	x->adopted = true;
	return DONE;
}

static void tell_drained(struct loop *l, void *object)
{
	struct stream *x = object;
	void *who = x->closed ? NULL : loop_slot_get(l, x->ev.type, x->ev.who);

	x->drained = (timer_h){ 0 };
	if (who != NULL && x->ev.drained != NULL)
		x->ev.drained(l, who, x->self);
}

static RESULT op_stream_write(struct host *host, stream_h sh, struct span octets)
{
	struct stream *x = stream_get(host->loop, sh);

	if (x == NULL || x->closed)
		return FAIL(ERR_CLOSED);
	if (x->conn->stalled) {
		void *more = x->conn->unread;
		struct result done;

		mem_fail_hold(true);
		done = mem_resize(&more, x->conn->unread_len, x->conn->unread_len + octets.n, 1);
		mem_fail_hold(false);
		if (!OK(done))
			abort();
		x->conn->unread = more;
		memcpy(x->conn->unread + x->conn->unread_len, octets.p, octets.n);
		x->conn->unread_len += octets.n;
		return DONE;
	}
	if (x->drained.v == 0)
		TRY(loop_timer(host->loop, &stream_loop_type, x->self.v, tell_drained, 0, &x->drained));
	if (octets.n > 0)
		sim_conn_push(host_of(host)->sim, x->conn, SIM_DATA, false, octets);
	return DONE;
}

static size_t op_stream_unsent(struct host *host, stream_h sh)
{
	const struct stream *x = stream_get(host->loop, sh);

	return x == NULL || x->closed ? 0 : x->conn->unread_len; /* else the network takes everything at once */
}

void sim_host_drained(struct sim_conn *c)
{
	struct stream *x = c->host == NULL ? NULL : stream_get(c->host->host.loop, c->stream);

	if (x != NULL && !x->closed && x->drained.v == 0)
		(void)OK(loop_timer(c->host->host.loop, &stream_loop_type, x->self.v, tell_drained, 0, &x->drained));
}

static void give_held(struct loop *l, void *object)
{
	struct stream *x = object;
	struct sim_host *h = x->h;

	(void)l;
	x->given = (timer_h){ 0 };
	while (!x->closed && !x->paused && x->held != NULL) {
		struct mail *m = x->held;

		x->held = m->next;
		if (x->held == NULL)
			x->held_end = &x->held;
		give_stream_event(h, m);
		mail_free(m);
	}
}

static void op_stream_pause(struct host *host, stream_h sh, bool paused)
{
	struct stream *x = stream_get(host->loop, sh);

	if (x == NULL || x->closed)
		return;
	x->paused = paused;
	if (!paused && x->held != NULL && x->given.v == 0 && !OK(loop_timer(host->loop, &stream_loop_type, sh.v, give_held, 0, &x->given)))
		host_stream_close(host, sh);
}

static void stream_bury(struct dead *d)
{
	struct stream *x = OF_DEAD(struct stream, d);

	drop_all(MOVE(x->held));
	mem_free(x);
}

static void end_stream(struct stream *x)
{
	x->closed = true;
	loop_timer_stop(x->h->host.loop, &x->drained);
	loop_timer_stop(x->h->host.loop, &x->given);
	stream_retire(x->h->host.loop, x->self);
	x->conn->program_gone = true;
	x->conn->host = NULL;
	UNLINK(x);
	x->h->open--;
	loop_bury(x->h->host.loop, &x->dead, stream_bury);
}

static void op_stream_close(struct host *host, stream_h sh)
{
	struct stream *x = stream_get(host->loop, sh);

	if (x == NULL || x->closed)
		return;
	sim_conn_push(host_of(host)->sim, x->conn, SIM_CLOSE, false, span_of(NULL, 0));
	end_stream(x);
}

static void op_free(struct host *host)
{
	struct sim_host *h = host_of(host);

	while (h->socks != NULL)
		op_dgram_close(host, h->socks);
	while (h->acceptors != NULL)
		op_accept_close(host, h->acceptors->self);
	while (h->streams != NULL)
		op_stream_close(host, h->streams->self);
	while (h->exchanges != NULL)
		op_ask_close(host, h->exchanges->self);
	drop_all(MOVE(h->mail));
	loop_slot_retire(host->loop, h->slot);
	h->backend->host = NULL;
	mem_free(h);
}

static const struct host_ops sim_ops = { op_dgram_listen, op_dgram_close, op_dgram_room, op_dgram_commit, op_dgram_flush, NULL, op_ask, op_ask_close,
	op_accept, op_accept_close, op_accept_pause, op_connect, op_stream_adopt, op_stream_write, op_stream_unsent, op_stream_pause, op_stream_close, op_free };

struct host *sim_host_new(struct sim *s, struct loop *l, const struct addr *address4, const struct addr *address6)
{
	struct sim_backend *b = loop_backend_ctx(l, backend_free);
	struct sim_host *h = (struct sim_host *)mem_alloc(sizeof *h);
	uint64_t slot;

	assert(b != NULL && b->host == NULL);
	if (h == NULL)
		return NULL;
	h->host.ops = &sim_ops;
	h->host.loop = l;
	h->sim = s;
	h->backend = b;
	h->address4 = *address4;
	h->address6 = *address6;
	h->mail_end = &h->mail;
	slot = loop_slot_add(l, &host_type, h);
	if (slot == 0 || !OK(loop_source(l, &host_type, slot, hand_out, &b->source))) {
		mem_free(h);
		return NULL;
	}
	h->slot = slot;
	b->host = h;
	return &h->host;
}

void sim_host_limit(struct host *h, unsigned int open)
{
	host_of(h)->limit = open;
}

unsigned int sim_host_open(const struct host *h)
{
	return ((const struct sim_host *)(const void *)h)->open;
}

bool sim_waiting_port(const struct sim *s, const struct endpoint *server, uint16_t *ret_port, uint16_t *ret_id)
{
	for (const struct sim_backend *b = s->backends; b != NULL; b = b->next) {
		const struct exchange *x = b->host == NULL ? NULL : b->host->exchanges;

		for (; x != NULL; x = x->next) {
			if (!x->closed && endpoint_equal(&x->to, server)) {
				*ret_port = x->from.port;
				*ret_id = x->id;
				return true;
			}
		}
	}
	return false;
}
