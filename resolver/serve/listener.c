#include "resolver/serve/listener.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/serve/serve_tap.h"
#include "resolver/serve/tcp.h"
#include "resolver/stats.h"

#define BACKLOG 256u

LOOP_HANDLE_IMPL(port)

struct port {
	struct serve *serve PARENT_FIELD;
	struct port *next OWNED_FIELD;
	struct dead dead;
	port_h self;
	struct listen_at at;
	struct dgram_sock *sock PARENT_FIELD; /* the host's; NULL: no UDP */
	acceptor_h acceptor;                  /* {0}: no TCP */
	bool keep;                            /* named by the new settings */
};

static void port_free(struct port *p) TAKES(1);
DEFINE_AUTO(struct port, port_free)
static void port_free(struct port *p)
{
	mem_free(p);
}

static void port_bury(struct dead *d)
{
	port_free(PARENT_OF(d, struct port, dead));
}

static void port_close(struct port *p)
{
	struct serve *s = p->serve;

	if (p->sock != NULL)
		host_dgram_close(s->env.host, p->sock);
	p->sock = NULL;
	host_accept_close(s->env.host, p->acceptor);
	port_retire(s->env.loop, p->self);
	loop_bury(s->env.loop, &p->dead, port_bury);
}

void listener_close_all(struct serve *s)
{
	while (s->ports != NULL) {
		struct port *p = s->ports;

		s->ports = p->next;
		port_close(p);
	}
}

uint8_t *listener_room(struct serve *s, port_h h, size_t limit)
{
	struct port *p = port_get(s->env.loop, h);

	return p != NULL && p->sock != NULL ? host_dgram_room(s->env.host, p->sock, limit) : NULL;
}

struct endpoint listener_address(struct serve *s, const struct origin *o)
{
	struct port *p = o->local.family == ADDR_NONE ? port_get(s->env.loop, o->port) : NULL;

	return (struct endpoint){ .a = addr_unmap(p != NULL ? &p->at.at.a : &o->local), .port = o->local_port };
}

void listener_send(struct serve *s, const struct origin *o, size_t len)
{
	struct port *p = port_get(s->env.loop, o->port);

	if (p != NULL && p->sock != NULL)
		host_dgram_commit(s->env.host, p->sock, len, &o->from, &o->local);
}

/* A client's port that no answer should go to: 0, and those of services that answer anything (Loop DoS). */
static bool is_reflector(uint16_t port)
{
	return port == 0 || port == 7 || port == 13 || port == 17 || port == 19 || port == 37;
}

static void take_part(struct serve *s, struct port *p, const struct datagram *in, size_t n)
{
	struct request *batch = s->batch;

	for (size_t i = 0; i < n; i++) {
		struct request *r = &batch[i];

		r->origin = (struct origin){ in[i].from, in[i].local, p->at.at.port, p->self, { 0 } };
		if (is_reflector(in[i].from.port)) {
			stats_inc(s->env.stats, COUNT_DROPPED_MALFORMED);
			r->verdict = ADMIT_DROP;
			continue;
		}
		if (s->env.settings->queue_us != 0 && in[i].waited_us > s->env.settings->queue_us) {
			stats_inc(s->env.stats, COUNT_QUERIES_TIMED_OUT);
			r->verdict = ADMIT_DROP;
			continue;
		}
		admission_judge(&s->admission, span_of(in[i].data, in[i].len), (enum access)p->at.access, 0, r);
		serve_prepare(s, r);
		if (s->tap != NULL && r->verdict != ADMIT_DROP)
			serve_tap_question(s, r, span_of(in[i].data, in[i].len));
	}
	for (size_t i = 0; i < n; i++)
		serve_fetch(s, &batch[i]);
	for (size_t i = 0; i < n; i++)
		serve_question(s, &batch[i]);
}

/* A batch has arrived: everything is read, judged and hashed before the first question is looked up, so that memory is on its way
 * meanwhile. */
static void listener_datagrams(struct loop *l, void *object, struct dgram_sock *sock, const struct datagram *in, size_t n)
{
	struct port *p = object;
	struct serve *s = p->serve;

	(void)sock;
	if (s->stopping)
		return;
	s->admission.now = loop_now(l);
	for (size_t i = 0; i < n; i += SERVE_BATCH)
		take_part(s, p, in + i, n - i < SERVE_BATCH ? n - i : SERVE_BATCH);
}

static void listener_accepted(
    struct loop *l, void *object, acceptor_h a, stream_h stream, const struct endpoint *from, const struct endpoint *local)
{
	struct port *p = object;

	(void)l;
	(void)a;
	if (!p->serve->stopping)
		session_open(p->serve, stream, from, local, (enum access)p->at.access);
}

static void complain(struct strbuf *report, const char *what, const struct endpoint *at)
{
	char text[ENDPOINT_TEXT];
	int e = errno;

	strbuf_printf(report, "cannot listen to %s over %s: %s\n", endpoint_text(at, text), what, strerror(e));
}

static bool port_listen(struct serve *s, struct port *p, struct strbuf *report)
{
	const struct serve_settings *set = s->env.settings;
	struct listen_options o = { .at = p->at.at,
		.reuse_port = set->reuse_port,
		.transparent = set->transparent,
		.freebind = set->freebind,
		.rcvbuf = set->rcvbuf,
		.sndbuf = set->sndbuf,
		.backlog = BACKLOG,
		.mss = set->tcp_mss,
		.batch = SERVE_BATCH,
		.dscp = set->dscp };
	bool good = true;

	if (set->udp && !OK(host_dgram_listen(s->env.host, &o, &port_loop_type, p->self.v, listener_datagrams, &p->sock))) {
		complain(report, "UDP", &p->at.at);
		good = false;
	}
	if (set->tcp && good && !OK(host_accept(s->env.host, &o, &port_loop_type, p->self.v, listener_accepted, &p->acceptor))) {
		complain(report, "TCP", &p->at.at);
		good = false;
	}
	return good;
}

static RESULT port_open(struct serve *s, const struct listen_at *at, struct strbuf *report)
{
	AUTO(port_free) struct port *p = mem_alloc(sizeof *p);

	if (p == NULL)
		return FAIL(ERR_NOMEM);
	p->serve = s;
	p->at = *at;
	p->keep = true;
	p->self = port_enlist(s->env.loop, p);
	if (p->self.v == 0)
		return FAIL(ERR_NOMEM);
	if (!port_listen(s, p, report)) {
		port_close(p);
		(void)MOVE(p); /* own-ok: R3 the grave has it */
		return FAIL(ERR_SYSTEM);
	}
	p->next = MOVE(s->ports);
	s->ports = MOVE(p);
	return DONE;
}

static struct port *find(struct serve *s, const struct endpoint *at) BORROWED;
static struct port *find(struct serve *s, const struct endpoint *at)
{
	struct port *p = s->ports;

	while (p != NULL && !endpoint_equal(&p->at.at, at))
		p = p->next;
	return p;
}

static void close_unnamed(struct serve *s)
{
	struct port **at = &s->ports;

	while (*at != NULL) {
		struct port *p = *at;

		if (p->keep) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		port_close(p);
	}
}

/* sock-queue-timeout: may come and go with a reload. */
static void stamp_all(struct serve *s, struct strbuf *report)
{
	for (struct port *p = s->ports; p != NULL; p = p->next)
		if (p->sock != NULL && !OK(host_dgram_stamp(s->env.host, p->sock, s->env.settings->queue_us != 0))) {
			char text[ENDPOINT_TEXT];

			strbuf_printf(report, "sock-queue-timeout has no effect at %s: it is not told when datagrams arrive\n", endpoint_text(&p->at.at, text));
		}
}

RESULT listener_open(struct serve *s, struct strbuf *report, size_t *ret_failed)
{
	const struct serve_settings *set = s->env.settings;
	size_t failed = 0;

	for (struct port *p = s->ports; p != NULL; p = p->next)
		p->keep = false;
	for (size_t i = 0; i < set->listen_count; i++) {
		struct port *p = find(s, &set->listen[i].at);

		if (p != NULL) {
			p->keep = true;
			p->at.access = set->listen[i].access;
		} else if (!OK(port_open(s, &set->listen[i], report))) {
			failed++;
		}
	}
	close_unnamed(s);
	stamp_all(s, report);
	*ret_failed = failed;
	return set->listen_count > 0 && failed == set->listen_count ? FAIL(ERR_SYSTEM) : DONE;
}
