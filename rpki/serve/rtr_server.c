#include "rpki/serve/rtr_server.h"

#include "base/log.h"
#include "base/mem.h"

#define SWEEP_LEAST_MS 1000u

LOOP_HANDLE(rtr_peer)
LOOP_HANDLE_IMPL(rtr_peer)
LOOP_HANDLE(rtr_server)
LOOP_HANDLE_IMPL(rtr_server)

struct rtr_peer {
	struct rtr_server *server PARENT_FIELD;
	struct host *host PARENT_FIELD; /* that the stream is of: the server's, or TLS on top of it */
	struct rtr_peer *next OWNED_FIELD;
	struct rtr_peer **at PARENT_FIELD;
	struct dead dead;
	rtr_peer_h self;
	stream_h stream;
	uint64_t moved_ms; /* when a piece left, or the response began */
	struct endpoint from;
	bool closed, paused, busy; /* busy: counted in server->busy */
	uint32_t reset_queries, serial_queries;
	uint64_t octets_read, octets_sent;
	int64_t updated, reset;
	struct rtr_session session;
};

struct listening {
	struct listening *next OWNED_FIELD;
	struct host *host PARENT_FIELD;
	acceptor_h acceptor;
};

struct rtr_server {
	struct host *host PARENT_FIELD;
	struct rtr_feed *feed PARENT_FIELD;
	rtr_server_h self;
	struct rtr_server_options o;
	struct rtr_server_counts counts;
	struct listening *listening OWNED_FIELD;
	struct rtr_peer *clients OWNED_FIELD;
	uint32_t busy; /* clients with output */
	timer_h notify, sweep;
	uint64_t notified_ms; /* when routers were notified last */
	bool ever_notified;
};

/* ----------------------------------------------------------------------------------------------------------------- clients */

static void client_free(struct rtr_peer *c) TAKES(1);
static void client_free(struct rtr_peer *c)
{
	if (c == NULL)
		return;
	rtr_session_done(&c->session);
	mem_free(c);
}
DEFINE_AUTO(struct rtr_peer, client_free)

static void client_bury(struct dead *d)
{
	client_free(PARENT_OF(d, struct rtr_peer, dead));
}

static void set_busy(struct rtr_peer *c, bool busy)
{
	if (c->busy == busy)
		return;
	c->busy = busy;
	c->server->busy += busy ? 1 : UINT32_MAX;
}

static void client_close(struct rtr_peer *c)
{
	struct rtr_server *s = c->server;
	struct loop *l = s->host->loop;

	if (c->closed)
		return;
	c->closed = true;
	set_busy(c, false);
	rtr_peer_retire(l, c->self);
	host_stream_close(c->host, c->stream);
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	s->counts.clients--;
	/* The image may be large: it does not wait for the grave. */
	rtr_session_done(&c->session);
	loop_bury(l, &c->dead, client_bury);
}

/* The session has ended by itself: counted, and logged when the router is to blame. */
static void tell_end(struct rtr_peer *c)
{
	struct rtr_server_counts *n = &c->server->counts;
	char from[ENDPOINT_TEXT];

	if (c->from.a.family == ADDR_NONE)
		memcpy(from, "Unix socket", sizeof "Unix socket");
	else
		(void)endpoint_text(&c->from, from);
	switch ((enum rtr_session_end)c->session.end) {
	case RTR_END_MALFORMED:
		n->ended_malformed++;
		log_limited(LOG_LEVEL_NOTICE, "rtr: %s: broke the protocol, closed", from);
		break;
	case RTR_END_REPORT:
		n->ended_report++;
		log_limited(LOG_LEVEL_NOTICE, "rtr: %s: reported error %u, %s", from, c->session.peer_error,
			rtr_error_text(c->session.peer_error));
		break;
	case RTR_END_FLOOD:
		n->ended_flood++;
		log_limited(LOG_LEVEL_NOTICE, "rtr: %s: too many queries at once, closed", from);
		break;
	case RTR_END_MEMORY:
		n->ended_memory++;
		log_limited(LOG_LEVEL_WARN, "rtr: %s: closed: out of memory", from);
		break;
	case RTR_END_GOODBYE:
	case RTR_END_NONE:
		break;
	}
}

static void arm_sweep(struct rtr_server *s);

/* What this router did since the counts of all were so. */
static void note(struct rtr_peer *c, const struct rtr_counts *before)
{
	const struct rtr_counts *now = &c->server->counts.sessions;
	int64_t sec = loop_now(c->server->host->loop)->wall_sec;

	c->reset_queries += (uint32_t)(now->reset_queries - before->reset_queries);
	c->serial_queries += (uint32_t)(now->serial_queries - before->serial_queries);
	if (now->responses_full != before->responses_full)
		c->updated = c->reset = sec;
	else if (now->responses_delta != before->responses_delta)
		c->updated = sec;
}

/* Gives the stream the next piece, when the one before has left; closes when all is said. */
static void client_send(struct rtr_peer *c)
{
	struct rtr_server *s = c->server;
	struct rtr_counts before = s->counts.sessions;
	size_t room = s->o.piece;

	while (!c->closed && room > 0) {
		struct span piece = rtr_session_output(&c->session, room);

		if (piece.n == 0)
			break;
		if (!OK(host_stream_write(c->host, c->stream, piece))) {
			client_close(c);
			return;
		}
		room -= piece.n;
		s->counts.octets_sent += piece.n;
		c->octets_sent += piece.n;
	}
	note(c, &before); /* of queries that had waited */
	if (c->session.state == RTR_ENDED && host_stream_unsent(c->host, c->stream) == 0) {
		tell_end(c);
		client_close(c);
		return;
	}
	set_busy(c, rtr_session_has_output(&c->session) || host_stream_unsent(c->host, c->stream) > 0);
	if (c->busy)
		arm_sweep(s);
	if (c->paused == rtr_session_reading(&c->session)) {
		c->paused = !c->paused;
		host_stream_pause(c->host, c->stream, c->paused);
	}
}

static void on_data(struct loop *l, void *object, stream_h h, struct span octets)
{
	struct rtr_peer *c = (struct rtr_peer *)object;
	struct rtr_counts before = c->server->counts.sessions;

	(void)h;
	if (!c->busy)
		c->moved_ms = now_ms(loop_now(l));
	c->server->counts.octets_read += octets.n;
	c->octets_read += octets.n;
	rtr_session_input(&c->session, octets);
	note(c, &before);
	if (!c->busy || c->session.state == RTR_ENDED)
		client_send(c);
}

static void on_drained(struct loop *l, void *object, stream_h h)
{
	struct rtr_peer *c = (struct rtr_peer *)object;

	(void)h;
	c->moved_ms = now_ms(loop_now(l));
	client_send(c);
}

static void on_closed(struct loop *l, void *object, stream_h h, enum err e)
{
	struct rtr_peer *c = (struct rtr_peer *)object;

	(void)l, (void)h, (void)e;
	client_close(c);
}

static struct host *host_of(const struct rtr_server *s, acceptor_h a) BORROWED;
static struct host *host_of(const struct rtr_server *s, acceptor_h a)
{
	for (const struct listening *at = s->listening; at != NULL; at = at->next)
		if (at->acceptor.v == a.v)
			return at->host;
	return s->host;
}

static void on_accept(struct loop *l, void *object, acceptor_h a, stream_h stream, const struct endpoint *from,
	const struct endpoint *local)
{
	struct rtr_server *s = (struct rtr_server *)object;
	AUTO(client_free) struct rtr_peer *made = NULL;
	struct rtr_peer *c;
	struct stream_events ev = { .type = &rtr_peer_loop_type, .data = on_data, .drained = on_drained, .closed = on_closed };

	(void)local;
	if (s->counts.clients >= s->o.max_clients) {
		s->counts.refused++;
		log_limited(LOG_LEVEL_WARN, "rtr: %u routers are connected, the next is refused", s->counts.clients);
		return;
	}
	made = (struct rtr_peer *)mem_alloc(sizeof *made);
	if (made == NULL) {
		s->counts.refused++;
		return;
	}
	c = made;
	c->server = s;
	c->host = host_of(s, a);
	c->stream = stream;
	c->from = *from;
	rtr_session_init(&c->session, s->feed, &s->counts.sessions);
	c->self = rtr_peer_enlist(l, c);
	ev.who = c->self.v;
	if (c->self.v == 0 || !OK(host_stream_adopt(c->host, stream, &ev))) {
		s->counts.refused++;
		if (c->self.v != 0)
			rtr_peer_retire(l, c->self);
		return;
	}
	c->next = s->clients;
	if (c->next != NULL)
		c->next->at = &c->next;
	c->at = &s->clients;
	s->clients = MOVE(made);
	s->counts.clients++;
	s->counts.accepted++;
}

/* ------------------------------------------------------------------------------------------------------------------ timers */

static uint64_t stall_ms(const struct rtr_server *s)
{
	return s->o.stall_ms != 0 ? s->o.stall_ms : (uint64_t)rtr_feed_timers(s->feed)->retry * 3000;
}

/* Drops who has waited too long, and who has begun too long ago. */
static void look_at_busy(struct rtr_server *s)
{
	uint64_t now = now_ms(loop_now(s->host->loop)), generation = rtr_feed_generation(s->feed);

	for (struct rtr_peer *c = s->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (!c->busy)
			continue;
		if (now - c->moved_ms >= stall_ms(s)) {
			s->counts.dropped_stalled++;
			log_limited(LOG_LEVEL_NOTICE, "rtr: a router does not read what it asked for: closed");
			client_close(c);
		} else if (rtr_session_responding(&c->session) && generation - c->session.began > s->o.max_behind) {
			s->counts.dropped_behind++;
			log_limited(LOG_LEVEL_NOTICE, "rtr: a router is too slow for the data to stay the same: closed");
			client_close(c);
		}
	}
}

static void on_sweep(struct loop *l, void *object)
{
	struct rtr_server *s = (struct rtr_server *)object;

	(void)l;
	s->sweep.v = 0;
	look_at_busy(s);
	arm_sweep(s);
}

/* Without memory for the timer the next client that becomes busy asks again. */
static void arm_sweep(struct rtr_server *s)
{
	uint64_t ms = stall_ms(s) / 4;

	if (s->busy > 0 && s->sweep.v == 0)
		(void)!OK(loop_timer(s->host->loop, &rtr_server_loop_type, s->self.v, on_sweep, ms > SWEEP_LEAST_MS ? ms : SWEEP_LEAST_MS,
			&s->sweep));
}

/* True when somebody was told: only then the next time has to wait. */
static bool notify_all(struct rtr_server *s)
{
	bool told = false;

	for (struct rtr_peer *c = s->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (rtr_session_notify(&c->session)) {
			c->moved_ms = now_ms(loop_now(s->host->loop));
			client_send(c);
			told = true;
		}
	}
	return told;
}

static void on_notify(struct loop *l, void *object)
{
	struct rtr_server *s = (struct rtr_server *)object;

	s->notify.v = 0;
	if (notify_all(s)) {
		s->notified_ms = now_ms(loop_now(l));
		s->ever_notified = true;
	}
}

void rtr_server_published(struct rtr_server *s)
{
	uint64_t now = now_ms(loop_now(s->host->loop)), since = now - s->notified_ms;

	look_at_busy(s);
	if (s->notify.v != 0)
		return;
	if (!s->ever_notified || since >= s->o.notify_ms)
		on_notify(s->host->loop, s);
	else if (!OK(loop_timer(s->host->loop, &rtr_server_loop_type, s->self.v, on_notify, s->o.notify_ms - since, &s->notify)))
		log_limited(LOG_LEVEL_WARN, "rtr: out of memory: routers hear of new data when they ask");
}

/* ---------------------------------------------------------------------------------------------------------------- lifetime */

static void stop_listening(struct rtr_server *s)
{
	while (s->listening != NULL) {
		AUTO(mem_free) void *first = s->listening;
		struct listening *at = first;

		host_accept_close(at->host, at->acceptor);
		s->listening = at->next;
	}
}

void rtr_server_free(struct rtr_server *s)
{
	if (s == NULL)
		return;
	stop_listening(s);
	while (s->clients != NULL)
		client_close(s->clients);
	loop_timer_stop(s->host->loop, &s->notify);
	loop_timer_stop(s->host->loop, &s->sweep);
	if (s->self.v != 0)
		rtr_server_retire(s->host->loop, s->self);
	mem_free(s);
}

struct rtr_server *rtr_server_new(struct host *h, struct rtr_feed *f, const struct rtr_server_options *o)
{
	AUTO(rtr_server_free) struct rtr_server *s = (struct rtr_server *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->host = h;
	s->feed = f;
	s->o = *o;
	s->self = rtr_server_enlist(h->loop, s);
	return s->self.v != 0 ? MOVE(s) : NULL;
}

RESULT rtr_server_listen(struct rtr_server *s, const struct listen_options *o)
{
	return rtr_server_listen_on(s, s->host, o);
}

RESULT rtr_server_listen_on(struct rtr_server *s, struct host *h, const struct listen_options *o)
{
	AUTO(mem_free) void *room = mem_alloc(sizeof(struct listening));
	struct listening *at = room;

	if (at == NULL)
		return FAIL(ERR_NOMEM);
	at->host = h;
	TRY(host_accept(h, o, &rtr_server_loop_type, s->self.v, on_accept, &at->acceptor));
	at->next = s->listening;
	s->listening = MOVE(room);
	return DONE;
}

void rtr_server_goodbye(struct rtr_server *s, enum rtr_error code)
{
	stop_listening(s);
	loop_timer_stop(s->host->loop, &s->notify);
	for (struct rtr_peer *c = s->clients, *next; c != NULL; c = next) {
		next = c->next;
		rtr_session_goodbye(&c->session, code);
		client_send(c);
	}
}

void rtr_server_each(const struct rtr_server *s, rtr_client_fn *fn, void *ctx)
{
	for (const struct rtr_peer *c = s->clients; c != NULL; c = c->next) {
		struct rtr_client v = { .from = c->from.a, .told = c->session.told, .serial = c->session.serial, .reset_queries = c->reset_queries,
			.serial_queries = c->serial_queries, .octets_read = c->octets_read, .octets_sent = c->octets_sent, .updated = c->updated, .reset = c->reset };

		fn(ctx, &v);
	}
}

const struct rtr_server_counts *rtr_server_counts(const struct rtr_server *s)
{
	return &s->counts;
}
