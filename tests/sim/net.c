/* net.c: the clock, the events and the paths between nodes and hosts. A host's side of things is in host.c. */
#include "tests/sim/net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/epoch.h"
#include "base/mem.h"
#include "base/rng.h"
#include "tests/sim/inside.h"

#define START_NS (100u * UINT64_C(1000000000)) /* the machine was up for a while */
#define NS_PER_US 1000u

static void event_free(struct sim_event *e) TAKES(1);
static void event_free(struct sim_event *e)
{
	mem_free(e);
}

void sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->event_count; i++)
		event_free(s->events[i]);
	mem_free(MOVE(s->events));
	for (struct sim_conn *c = s->conns, *next; c != NULL; c = next) {
		next = c->next;
		mem_free(MOVE(c->unread));
		mem_free(c);
	}
	for (struct sim_node *n = s->nodes, *next; n != NULL; n = next) {
		next = n->next;
		mem_free(n);
	}
	rng_free(MOVE(s->rng));
	mem_free(s);
}

struct sim *sim_new(uint64_t seed)
{
	AUTO(sim_free) struct sim *s = (struct sim *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->now_ns = START_NS;
	s->wall_start = 1791158400; /* 2026-10-05: the run itself never asks what day it is */
	s->link = (struct sim_link){ .delay_min_us = 200, .delay_max_us = 20000 };
	s->rng = rng_new_seeded(seed ^ 0x73696d6e65740001u);
	return s->rng == NULL ? NULL : MOVE(s);
}

uint64_t sim_now_ns(const struct sim *s)
{
	return s->now_ns;
}

int64_t sim_wall_sec(const struct sim *s)
{
	return s->wall_start + (int64_t)(s->now_ns / UINT64_C(1000000000));
}

struct rng *sim_rng(struct sim *s)
{
	return s->rng;
}

uint64_t sim_draw(struct sim *s, uint64_t from, uint64_t to)
{
	return from >= to ? from : from + rng64(s->rng) % (to - from + 1);
}

bool sim_chance(struct sim *s, uint32_t in_million)
{
	return in_million != 0 && rng_below(s->rng, 1000000) < in_million;
}

void sim_set_link(struct sim *s, const struct sim_link *l)
{
	s->link = *l;
}

uint64_t sim_trace(const struct sim *s)
{
	return s->trace;
}

void sim_note(struct sim *s, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		s->trace = (s->trace ^ b[i]) * 0x100000001b3u; /* FNV-1a: any change of any octet shows */
}

void sim_set_verbose(struct sim *s, bool verbose)
{
	s->verbose = verbose;
}

void sim_set_plant(struct sim *s, enum plant p)
{
	s->plant = p;
}

bool sim_verbose(const struct sim *s)
{
	return s->verbose;
}

uint64_t sim_turns(const struct sim *s)
{
	return s->turns;
}

/* ---- events: a binary heap by time, then by order of making --------------------------------------------------------------------------- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->seq < b->seq;
}

static void sift_up(struct sim *s, size_t i)
{
	while (i > 0 && before(s->events[i], s->events[(i - 1) / 2])) {
		struct sim_event *t = s->events[i];

		s->events[i] = s->events[(i - 1) / 2];
		s->events[(i - 1) / 2] = t;
		i = (i - 1) / 2;
	}
}

static void sift_down(struct sim *s)
{
	size_t i = 0;

	for (;;) {
		size_t least = i, l = 2 * i + 1;

		if (l < s->event_count && before(s->events[l], s->events[least]))
			least = l;
		if (l + 1 < s->event_count && before(s->events[l + 1], s->events[least]))
			least = l + 1;
		if (least == i)
			return;
		struct sim_event *t = s->events[i];

		s->events[i] = s->events[least];
		s->events[least] = t;
		i = least;
	}
}

void sim_push(struct sim *s, uint64_t wait_ns, struct sim_event *e)
{
	e->at_ns = s->now_ns + wait_ns;
	e->seq = s->seq++;
	if (s->event_count == s->event_room) {
		void *room = s->events;
		size_t n = s->event_room == 0 ? 256 : s->event_room * 2;

		/* The simulator's own memory is not what is tested: without it there is no run. */
		mem_fail_hold(true);
		if (!OK(mem_resize(&room, s->event_room, n, sizeof(struct sim_event *))))
			abort();
		mem_fail_hold(false);
		s->events = (struct sim_event **)room;
		s->event_room = n;
	}
	s->events[s->event_count++] = e;
	sift_up(s, s->event_count - 1);
}

static struct sim_event *pop(struct sim *s) OWNED_BY(event_free);
static struct sim_event *pop(struct sim *s)
{
	struct sim_event *e = s->events[0];

	s->events[0] = s->events[--s->event_count];
	sift_down(s);
	return e;
}

struct sim_event *sim_event_new(enum sim_event_kind kind, struct span payload)
{
	struct sim_event *e;

	mem_fail_hold(true);
	e = (struct sim_event *)mem_alloc(sizeof *e + payload.n);
	mem_fail_hold(false);
	if (e == NULL)
		abort();
	e->kind = kind;
	e->len = payload.n;
	if (payload.n > 0)
		memcpy(e->octets, payload.p, payload.n);
	return e;
}

void sim_at(struct sim *s, uint64_t wait_ns, sim_fn *fn, void *ctx, uint64_t arg)
{
	struct sim_event *e = sim_event_new(SIM_CALL, span_of(NULL, 0));

	e->fn = fn;
	e->ctx = ctx;
	e->arg = arg;
	sim_push(s, wait_ns, e);
}

/* ---- nodes and paths ------------------------------------------------------------------------------------------------------------------ */

static struct sim_node *find_node(const struct sim *s, const struct addr *a) BORROWED;
static struct sim_node *find_node(const struct sim *s, const struct addr *a)
{
	for (struct sim_node *n = s->nodes; n != NULL; n = n->next) {
		if (addr_equal(&n->at, a))
			return n;
	}
	return NULL;
}

RESULT sim_node(struct sim *s, const struct addr *at, const struct sim_node_events *ev, void *ctx)
{
	struct sim_node *n;

	if (find_node(s, at) != NULL)
		return FAIL(ERR_EXISTS);
	n = (struct sim_node *)mem_alloc(sizeof *n);
	if (n == NULL)
		return FAIL(ERR_NOMEM);
	n->at = *at;
	n->ev = ev;
	n->ctx = ctx;
	n->next = s->nodes;
	s->nodes = n;
	return DONE;
}

void sim_node_link(struct sim *s, const struct addr *at, const struct sim_link *l)
{
	struct sim_node *n = find_node(s, at);

	assert(n != NULL);
	n->link = *l;
	n->own_link = true;
}

void sim_node_down(struct sim *s, const struct addr *at, bool down)
{
	struct sim_node *n = find_node(s, at);

	assert(n != NULL);
	n->down = down;
}

static const struct sim_link *path(const struct sim *s, const struct addr *a, const struct addr *b, bool *ret_down) BORROWED;
static const struct sim_link *path(const struct sim *s, const struct addr *a, const struct addr *b, bool *ret_down)
{
	const struct sim_node *x = find_node(s, a), *y = find_node(s, b);

	*ret_down = (x != NULL && x->down) || (y != NULL && y->down);
	if (x != NULL && x->own_link)
		return &x->link;
	return y != NULL && y->own_link ? &y->link : &s->link;
}

static uint64_t delay_ns(struct sim *s, const struct sim_link *l)
{
	struct timespec t;

	if (s->plant == PLANT_NONDETERMINISM && clock_gettime(CLOCK_MONOTONIC, &t) == 0)
		return (uint64_t)t.tv_nsec;
	return sim_draw(s, l->delay_min_us, l->delay_max_us) * NS_PER_US;
}

static void launch(struct sim *s, const struct sim_link *l, const struct endpoint *from, const struct endpoint *to, struct span packet)
{
	struct sim_event *e = sim_event_new(SIM_DATAGRAM, packet);

	e->from = *from;
	e->to = *to;
	if (packet.n > 0 && sim_chance(s, l->damage))
		e->octets[sim_draw(s, 0, packet.n - 1)] ^= (uint8_t)sim_draw(s, 1, 255);
	sim_push(s, delay_ns(s, l), e);
}

void sim_send(struct sim *s, const struct endpoint *from, const struct endpoint *to, struct span packet)
{
	bool down;
	const struct sim_link *l = path(s, &from->a, &to->a, &down);

	if (down || sim_chance(s, l->loss))
		return;
	launch(s, l, from, to, packet);
	if (sim_chance(s, l->duplicate))
		launch(s, l, from, to, packet);
}

/* ---- connections: nothing is lost or damaged, but octets arrive in pieces, late, or the other end goes ---------------------------------- */

struct sim_conn *sim_conn_new(struct sim *s, const struct endpoint *program, const struct endpoint *node)
{
	struct sim_conn *c;

	mem_fail_hold(true);
	c = (struct sim_conn *)mem_alloc(sizeof *c);
	mem_fail_hold(false);
	if (c == NULL)
		abort();
	c->program = *program;
	c->node = *node;
	c->next = s->conns;
	if (s->conns != NULL)
		s->conns->at = &c->next;
	c->at = &s->conns;
	s->conns = c;
	return c;
}

void sim_conn_unlink(struct sim_conn *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	mem_free(MOVE(c->unread));
	mem_free(c);
}

static uint64_t arrival(struct sim *s, struct sim_conn *c, bool to_program, uint64_t wait)
{
	uint64_t *last = to_program ? &c->last_in : &c->last_out, at = s->now_ns + wait;

	if (at < *last)
		at = *last; /* a stream keeps its order */
	*last = at;
	return at - s->now_ns;
}

void sim_conn_push(struct sim *s, struct sim_conn *c, enum sim_event_kind kind, bool to_program, struct span octets)
{
	bool down;
	const struct sim_link *l = path(s, &c->node.a, &c->program.a, &down);

	if (down)
		return; /* as a pulled cable: no word of an end either */
	do {
		size_t n = octets.n > 1 && sim_chance(s, 300000) ? sim_draw(s, 1, octets.n) : octets.n;
		struct sim_event *e = sim_event_new(kind, span_of(octets.p, n));

		e->conn = c;
		e->to_program = to_program;
		c->events++;
		sim_push(s, arrival(s, c, to_program, delay_ns(s, l)), e);
		octets = n == octets.n ? span_of(NULL, 0) : span_of(octets.p + n, octets.n - n);
	} while (octets.n > 0);
}

struct sim_conn *sim_connect(struct sim *s, const struct endpoint *from, const struct endpoint *to, void *ctx)
{
	struct sim_conn *c = sim_conn_new(s, to, from);
	const struct sim_node *n = find_node(s, &from->a);

	assert(n != NULL);
	c->ev = n->ev;
	c->ctx = ctx;
	c->by_node = true;
	sim_conn_push(s, c, SIM_OPEN, true, span_of(NULL, 0));
	return c;
}

void sim_conn_write(struct sim *s, struct sim_conn *c, struct span octets)
{
	if (!c->node_gone && !c->node_ended && octets.n > 0)
		sim_conn_push(s, c, SIM_DATA, true, octets);
}

void sim_conn_end(struct sim *s, struct sim_conn *c)
{
	if (c->node_gone || c->node_ended)
		return;
	c->node_ended = true;
	sim_conn_push(s, c, SIM_CLOSE, true, span_of(NULL, 0));
}

void sim_conn_close(struct sim *s, struct sim_conn *c)
{
	if (c->node_gone)
		return;
	c->node_gone = true;
	if (!c->node_ended)
		sim_conn_push(s, c, SIM_CLOSE, true, span_of(NULL, 0));
	sim_conn_settle(c);
}

void sim_conn_stall(struct sim *s, struct sim_conn *c, bool stalled)
{
	c->stalled = stalled;
	if (stalled || c->unread_len == 0)
		return;
	sim_conn_push(s, c, SIM_DATA, false, span_of(c->unread, c->unread_len));
	mem_free(MOVE(c->unread));
	c->unread_len = 0;
	sim_host_drained(c);
}

void sim_conn_settle(struct sim_conn *c)
{
	if (c->node_gone && c->program_gone && c->events == 0)
		sim_conn_unlink(c);
}

void sim_conn_set_ctx(struct sim_conn *c, void *ctx)
{
	c->ctx = ctx;
}

void *sim_conn_ctx(struct sim_conn *c)
{
	return c->ctx;
}

const struct endpoint *sim_conn_peer(const struct sim_conn *c)
{
	return &c->program;
}

const struct endpoint *sim_conn_here(const struct sim_conn *c)
{
	return &c->node;
}

/* The program opened a connection: does anybody listen? */
static void node_opened(struct sim *s, struct sim_conn *c)
{
	const struct sim_node *n = find_node(s, &c->node.a);

	if (n != NULL && n->ev->connection != NULL) {
		c->ev = n->ev;
		c->ctx = n->ctx;
		if (n->ev->connection(s, n->ctx, c)) {
			if (!c->node_gone)
				sim_conn_push(s, c, SIM_OPENED, true, span_of(NULL, 0));
			return;
		}
	}
	if (n == NULL)
		return; /* nobody at that address: no answer at all */
	c->node_gone = true;
	sim_conn_push(s, c, SIM_REFUSED, true, span_of(NULL, 0));
}

static void conn_event(struct sim *s, struct sim_event *e)
{
	struct sim_conn *c = e->conn;

	c->events--;
	if (e->to_program) {
		if (!c->program_gone)
			sim_host_conn_event(s, e);
	} else if (c->ev == NULL && e->kind != SIM_OPEN) {
		/* Its opening was lost, with the cable. */
		if (!c->node_gone && e->kind == SIM_DATA)
			sim_conn_push(s, c, SIM_REFUSED, true, span_of(NULL, 0));
		c->node_gone = true;
	} else if (!c->node_gone) {
		switch (e->kind) {
		case SIM_OPEN:
			node_opened(s, c);
			break;
		case SIM_OPENED:
			if (c->ev->opened != NULL)
				c->ev->opened(s, c->ctx, c);
			break;
		case SIM_DATA:
			if (c->ev->data != NULL)
				c->ev->data(s, c->ctx, c, span_of(e->octets, e->len));
			break;
		case SIM_CLOSE:
		case SIM_REFUSED:
			c->node_gone = true;
			if (c->ev != NULL && c->ev->closed != NULL)
				c->ev->closed(s, c->ctx, c);
			break;
		case SIM_CALL:
		case SIM_DATAGRAM:
			break;
		}
	}
	sim_conn_settle(c);
}

/* ---- the run -------------------------------------------------------------------------------------------------------------------------- */

static void happen(struct sim *s, struct sim_event *e)
{
	struct sim_node *n;

	sim_note(s, &e->at_ns, sizeof e->at_ns);
	sim_note(s, &e->kind, sizeof e->kind);
	sim_note(s, e->octets, e->len);
	switch (e->kind) {
	case SIM_CALL:
		e->fn(s, e->ctx, e->arg);
		break;
	case SIM_DATAGRAM:
		n = find_node(s, &e->to.a);
		if (n != NULL && n->down)
			break;
		if (n != NULL && n->ev->datagram != NULL)
			n->ev->datagram(s, n->ctx, &e->from, &e->to, span_of(e->octets, e->len));
		else
			sim_host_datagram(s, e);
		break;
	case SIM_OPEN:
	case SIM_OPENED:
	case SIM_DATA:
	case SIM_CLOSE:
	case SIM_REFUSED:
		conn_event(s, e);
		break;
	}
}

/* Every loop that has something to do takes turns until none has. */
static void run_loops(struct sim *s)
{
	bool again;

	do {
		again = false;
		for (struct sim_backend *b = s->backends; b != NULL; b = b->next) {
			if (b->loop == NULL || !(b->woken || b->wake_ns <= s->now_ns))
				continue;
			bool mail = b->host != NULL && sim_host_has_mail(b->host);

			b->woken = false;
			b->wake_ns = UINT64_MAX;
			if (b->member != NULL)
				epoch_online(b->member);
			loop_turn(b->loop, true);
			if (b->member != NULL)
				epoch_offline(b->member);
			s->turns++;
			/* A turn waits first: one that had work may have set timers that it did not wait for. */
			b->woken |= mail || b->wake_ns <= s->now_ns;
			again = true;
		}
	} while (again);
}

static uint64_t next_instant(const struct sim *s)
{
	uint64_t at = s->event_count > 0 ? s->events[0]->at_ns : UINT64_MAX;

	for (const struct sim_backend *b = s->backends; b != NULL; b = b->next) {
		if (b->wake_ns < at)
			at = b->wake_ns;
	}
	return at;
}

bool sim_at_rest(const struct sim *s)
{
	return next_instant(s) == UINT64_MAX;
}

bool sim_run(struct sim *s, uint64_t until_ns)
{
	for (;;) {
		uint64_t at;

		run_loops(s);
		at = next_instant(s);
		if (at == UINT64_MAX)
			return true;
		if (at > until_ns) {
			if (s->now_ns < until_ns)
				s->now_ns = until_ns;
			return s->event_count == 0;
		}
		if (at > s->now_ns)
			s->now_ns = at;
		while (s->event_count > 0 && s->events[0]->at_ns <= s->now_ns) {
			struct sim_event *e = pop(s);

			mem_fail_hold(true); /* what the nodes do is the simulator's */
			happen(s, e);
			mem_fail_hold(false);
			event_free(e);
		}
	}
}
