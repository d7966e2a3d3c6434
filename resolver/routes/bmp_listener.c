/*
 * A session is *up* while its connection is, then it is a *remainder*: no reader and no stream, its sources stay until the timer. What goes, goes by source number in one walk
 * over the table at the end of the turn, however many peers went.
 */
#include "resolver/routes/bmp_listener.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/routes/board.h"

#define NAME 200u
#define AGAIN_MS 2000u /* until an address that could not be listened on is tried again */

LOOP_HANDLE(bmp_session)
LOOP_HANDLE_IMPL(bmp_session)
LOOP_HANDLE(bmp_listener)
LOOP_HANDLE_IMPL(bmp_listener)

/* A peer that told, or could tell, of routes. */
struct bmp_source {
	uint32_t peer;   /* number of bmp.h */
	uint32_t source; /* number in the table of routes */
	struct bmp_peer what;
	uint64_t at_ms;
	uint64_t routes;
};

struct bmp_session {
	struct bmp_sink sink; /* first: the reader tells this */
	struct bmp_listener *listener PARENT_FIELD;
	struct bmp_session *next OWNED_FIELD;
	struct bmp_session **at PARENT_FIELD;
	struct dead dead;
	bmp_session_h self;
	stream_h stream;
	timer_h timer;   /* up: looks whether a message stalls; remainder: the end of the hold time */
	struct endpoint from;
	struct bmp *reader OWNED_FIELD; /* NULL: a remainder */
	struct bmp_counts told;         /* how much of the reader's counts is in the listener's */
	struct bmp_source *sources OWNED_FIELD;
	size_t count, room;
	size_t last;      /* the source that changed last */
	uint64_t routes;  /* of all */
	uint64_t began_ms; /* the message that has begun, or the session when none has come */
	bool closed;
};

/* Where it listens, or would. */
struct bmp_place {
	struct endpoint at;
	acceptor_h acceptor;
	bool open, told;
};

struct bmp_listener {
	struct host *host PARENT_FIELD;
	struct route_live *live PARENT_FIELD;
	struct route_counts *counts PARENT_FIELD;
	bmp_listener_h self;
	struct bmp_listener_options o;
	struct prefix *allowed OWNED_FIELD;
	struct bmp_place *places OWNED_FIELD;
	size_t place_count;
	timer_h again;
	struct bmp_session *sessions OWNED_FIELD; /* remainders, too; the newest first */
	uint32_t up;
	/* Sources whose routes go at the end of this turn. */
	uint32_t *gone OWNED_FIELD;
	size_t gone_count, gone_room;
	bool sweep_asked;
};

static void count(const struct bmp_listener *b, enum route_counter k)
{
	route_counts_add(b->counts, k, 1);
}

/* --------------------------------------------------------------------------------------------------------- what goes */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool is_gone(const void *ctx, uint32_t source)
{
	const struct bmp_listener *b = ctx;

	return bsearch(&source, b->gone, b->gone_count, sizeof source, by_number) != NULL;
}

/* All routes of the sources that are gone. */
static RESULT sweep(struct bmp_listener *b)
{
	struct announced_edit *e;

	if (b->gone_count == 0)
		return DONE;
	e = route_live_edit(b->live);
	if (e == NULL)
		return FAIL(ERR_NOMEM);
	qsort(b->gone, b->gone_count, sizeof b->gone[0], by_number);
	TRY(announced_drop_where(e, is_gone, b));
	b->gone_count = 0;
	return DONE;
}

static void on_turn_end(struct loop *l, void *object)
{
	struct bmp_listener *b = (struct bmp_listener *)object;

	(void)l;
	b->sweep_asked = false;
	if (!OK(sweep(b)))
		log_limited(LOG_LEVEL_ERROR, "routes: bmp: out of memory: routes of a peer that is gone stay until another one goes");
}

static RESULT go(struct bmp_listener *b, uint32_t source)
{
	if (b->gone_count == b->gone_room) {
		TRY(mem_resize((void **)(void *)&b->gone, b->gone_room, b->gone_room * 2 + 4, sizeof *b->gone));
		b->gone_room = b->gone_room * 2 + 4;
	}
	if (!b->sweep_asked)
		TRY(loop_at_turn_end(b->host->loop, &bmp_listener_loop_type, b->self.v, on_turn_end));
	b->sweep_asked = true;
	b->gone[b->gone_count++] = source;
	return DONE;
}

/* ------------------------------------------------------------------------------------------------------------- sessions */

static void session_free(struct bmp_session *s) TAKES(1);
static void session_free(struct bmp_session *s)
{
	if (s == NULL)
		return;
	bmp_free(MOVE(s->reader));
	mem_free(MOVE(s->sources));
	mem_free(s);
}
DEFINE_AUTO(struct bmp_session, session_free)

static void session_bury(struct dead *d)
{
	session_free(PARENT_OF(d, struct bmp_session, dead));
}

/* The end of a session with all that it has. */
static void session_close(struct bmp_session *s)
{
	struct loop *l = s->listener->host->loop;

	if (s->closed)
		return;
	s->closed = true;
	s->listener->up -= s->reader != NULL;
	loop_timer_stop(l, &s->timer);
	host_stream_close(s->listener->host, s->stream);
	bmp_session_retire(l, s->self);
	*s->at = s->next;
	if (s->next != NULL)
		s->next->at = s->at;
	s->next = NULL;
	loop_bury(l, &s->dead, session_bury);
}

/* Its routes go as well. ERR_NOMEM: it is still there. */
static RESULT session_forget(struct bmp_session *s)
{
	while (s->count > 0) {
		TRY(go(s->listener, s->sources[s->count - 1].source));
		s->count--;
	}
	session_close(s);
	return DONE;
}

static void on_held(struct loop *l, void *object)
{
	struct bmp_session *s = (struct bmp_session *)object;
	struct bmp_listener *b = s->listener;

	s->timer.v = 0;
	if (!OK(session_forget(s)) && !OK(loop_timer(l, &bmp_session_loop_type, s->self.v, on_held, b->o.stall_ms, &s->timer)))
		log_limited(LOG_LEVEL_ERROR, "routes: bmp: out of memory: routes of a session that has ended stay until its router comes back");
}

/* What the router left here before goes when it leaves again; and the oldest of what others left, where as many are there as sessions may be. */
static void forget_remainders(const struct bmp_session *of)
{
	uint32_t n = 0;

	for (struct bmp_session *s = of->listener->sessions, *next; s != NULL; s = next) {
		next = s->next;
		if (s == of || s->reader != NULL)
			continue;
		if ((addr_equal(&s->from.a, &of->from.a) || ++n >= of->listener->o.max_sessions) && !OK(session_forget(s)))
			return;
	}
}

static void note_counts(struct bmp_session *s)
{
	const struct bmp_counts *now = bmp_counts(s->reader);
	struct route_counts *c = s->listener->counts;

	route_counts_add(c, ROUTES_BMP_MESSAGES, now->messages - s->told.messages);
	route_counts_add(c, ROUTES_BMP_CHANGES, now->changes - s->told.changes);
	route_counts_add(c, ROUTES_BMP_STRANGE, now->strange - s->told.strange);
	route_counts_add(c, ROUTES_BMP_BAD_UPDATES, now->bad - s->told.bad);
	s->told = *now;
}

/* The connection is over; what was told stays for the hold time. */
static void session_over(struct bmp_session *s, const char *why)
{
	struct bmp_listener *b = s->listener;
	char from[ENDPOINT_TEXT];

	log_notice("routes: bmp: session of %s is over: %s; it told of %" PRIu64 " routes", endpoint_text(&s->from, from), why, s->routes);
	note_counts(s);
	count(b, ROUTES_BMP_ENDED);
	bmp_free(MOVE(s->reader));
	b->up--;
	host_stream_close(b->host, s->stream);
	s->stream.v = 0;
	loop_timer_stop(b->host->loop, &s->timer);
	forget_remainders(s);
	(void)route_live_edit(b->live); /* it is seen on the next sheet */
	if (s->routes == 0 || b->o.hold_ms == 0 || !OK(loop_timer(b->host->loop, &bmp_session_loop_type, s->self.v, on_held, b->o.hold_ms, &s->timer)))
		on_held(b->host->loop, s);
}

static void session_fails(struct bmp_session *s, enum err e)
{
	if (e == ERR_CLOSED) {
		session_over(s, "the router ends it");
	} else if (e == ERR_FORMAT) {
		count(s->listener, ROUTES_BMP_MALFORMED);
		session_over(s, "what came is no BMP of version 3");
	} else if (e == ERR_LIMIT) {
		count(s->listener, ROUTES_BMP_LIMITED);
		session_over(s, "more peers, more routes or a longer message than bmp-max-peers:, bmp-max-routes: or bmp-max-message: allow");
	} else {
		count(s->listener, ROUTES_BMP_NO_MEMORY);
		session_over(s, err_text(e));
	}
}

/* ----------------------------------------------------------------------------------------------------- what the reader tells */

static struct bmp_session *session_of(struct bmp_sink *s) BORROWED;
static struct bmp_session *session_of(struct bmp_sink *s)
{
	return (struct bmp_session *)(void *)s;
}

static RESULT peer_up(struct bmp_sink *sink, uint32_t number, const struct bmp_peer *p)
{
	struct bmp_session *s = session_of(sink);

	if (s->count == s->room) {
		TRY(mem_resize((void **)(void *)&s->sources, s->room, s->room * 2 + 4, sizeof *s->sources));
		s->room = s->room * 2 + 4;
	}
	s->last = s->count;
	s->sources[s->count++] = (struct bmp_source){ .peer = number, .source = route_live_source(s->listener->live), .what = *p,
		.at_ms = now_ms(loop_now(s->listener->host->loop)) };
	return route_live_edit(s->listener->live) != NULL ? DONE : FAIL(ERR_NOMEM); /* the peer is to be seen */
}

/* The reader tells of peers that are up alone. */
static struct bmp_source *source_of(struct bmp_session *s, uint32_t number) BORROWED;
static struct bmp_source *source_of(struct bmp_session *s, uint32_t number)
{
	if (s->last < s->count && s->sources[s->last].peer == number)
		return &s->sources[s->last];
	for (s->last = 0; s->last < s->count; s->last++)
		if (s->sources[s->last].peer == number)
			return &s->sources[s->last];
	return NULL;
}

static RESULT change(struct bmp_sink *sink, uint32_t number, const struct bgp_change *c)
{
	struct bmp_session *s = session_of(sink);
	struct bmp_source *from = source_of(s, number);
	struct announced_edit *e = route_live_edit(s->listener->live);
	size_t before;
	struct result r;

	if (from == NULL || e == NULL)
		return FAIL(ERR_NOMEM);
	before = announced_edit_count(e);
	if (c->announced) {
		struct announced_route route = { .origin = c->origin, .source = from->source, .path = c->path, .since = (uint32_t)loop_now(s->listener->host->loop)->wall_sec };

		r = announced_set(e, &c->prefix, &route);
	} else {
		r = announced_remove(e, &c->prefix, from->source, c->path);
	}
	if (!OK(r))
		return r.e == ERR_NOTFOUND ? DONE : r;
	from->routes += announced_edit_count(e) - before;
	s->routes += announced_edit_count(e) - before;
	return s->routes <= s->listener->o.max_routes ? DONE : FAIL(ERR_LIMIT);
}

static RESULT peer_down(struct bmp_sink *sink, uint32_t number)
{
	struct bmp_session *s = session_of(sink);
	struct bmp_source *from = source_of(s, number);

	if (from == NULL)
		return DONE;
	TRY(go(s->listener, from->source));
	s->routes -= from->routes;
	*from = s->sources[--s->count];
	return DONE;
}

static const struct bmp_sink_ops sink_ops = { peer_up, change, peer_down };

/* ------------------------------------------------------------------------------------------------------------ connections */

static void on_data(struct loop *l, void *object, stream_h h, struct span octets)
{
	struct bmp_session *s = (struct bmp_session *)object;
	bool within = bmp_within_message(s->reader);
	uint64_t messages = bmp_counts(s->reader)->messages;
	struct result r = bmp_feed(s->reader, octets);

	(void)h;
	if (!OK(r)) {
		session_fails(s, r.e);
		return;
	}
	if (!within || bmp_counts(s->reader)->messages != messages)
		s->began_ms = now_ms(loop_now(l));
	note_counts(s);
}

static void on_drained(struct loop *l, void *object, stream_h h)
{
	(void)l, (void)object, (void)h;
}

static void on_closed(struct loop *l, void *object, stream_h h, enum err e)
{
	struct bmp_session *s = (struct bmp_session *)object;

	(void)l, (void)h;
	s->stream.v = 0;
	session_over(s, e == ERR_CLOSED ? "the router closed the connection" : "the connection failed");
}

static void watch_stall(struct bmp_session *s);

static void on_stall(struct loop *l, void *object)
{
	struct bmp_session *s = (struct bmp_session *)object;
	bool waits = bmp_within_message(s->reader) || bmp_counts(s->reader)->messages == 0;

	s->timer.v = 0;
	if (waits && now_ms(loop_now(l)) - s->began_ms >= s->listener->o.stall_ms) {
		count(s->listener, ROUTES_BMP_STALLED);
		session_over(s, "a message was not ended in time, or none came");
		return;
	}
	watch_stall(s);
}

static void watch_stall(struct bmp_session *s)
{
	struct bmp_listener *b = s->listener;

	if (!OK(loop_timer(b->host->loop, &bmp_session_loop_type, s->self.v, on_stall, b->o.stall_ms / 2 + 1, &s->timer)))
		session_fails(s, ERR_NOMEM); /* a session without a limit is worse than none */
}

static bool may_connect(const struct bmp_listener *b, const struct addr *from)
{
	struct addr a = addr_unmap(from);

	for (size_t i = 0; i < b->o.allowed_count; i++)
		if (prefix_covers(&b->allowed[i], &a))
			return true;
	return b->o.allowed_count == 0 && addr_is_loopback(&a);
}

static struct bmp_session *session_new(struct bmp_listener *b, stream_h stream, const struct endpoint *from) OWNED_BY(session_free);
static struct bmp_session *session_new(struct bmp_listener *b, stream_h stream, const struct endpoint *from)
{
	AUTO(session_free) struct bmp_session *s = (struct bmp_session *)mem_alloc(sizeof *s);
	struct stream_events ev = { .type = &bmp_session_loop_type, .data = on_data, .drained = on_drained, .closed = on_closed };

	if (s == NULL)
		return NULL;
	s->sink.ops = &sink_ops;
	s->listener = b;
	s->stream = stream;
	s->from = *from;
	s->from.a = addr_unmap(&from->a);
	s->began_ms = now_ms(loop_now(b->host->loop));
	s->reader = bmp_new(&s->sink, &b->o.limits);
	if (s->reader == NULL)
		return NULL;
	s->self = bmp_session_enlist(b->host->loop, s);
	ev.who = s->self.v;
	if (s->self.v != 0 && OK(host_stream_adopt(b->host, stream, &ev)))
		return MOVE(s);
	if (s->self.v != 0)
		bmp_session_retire(b->host->loop, s->self);
	return NULL;
}

static void on_accept(struct loop *l, void *object, acceptor_h a, stream_h stream, const struct endpoint *from, const struct endpoint *local)
{
	struct bmp_listener *b = (struct bmp_listener *)object;
	AUTO(session_free) struct bmp_session *made = NULL;
	struct bmp_session *s;
	char text[ENDPOINT_TEXT];

	(void)l, (void)a, (void)local; /* what is not adopted the host closes */
	if (!may_connect(b, &from->a)) {
		count(b, ROUTES_BMP_REFUSED);
		log_limited(LOG_LEVEL_WARN, "routes: bmp: %s is refused: bmp-allow: does not have it", endpoint_text(from, text));
		return;
	}
	if (b->up < b->o.max_sessions)
		made = session_new(b, stream, from);
	if (made == NULL) {
		count(b, ROUTES_BMP_SHED);
		log_limited(LOG_LEVEL_WARN, "routes: bmp: %s is closed at once: %u sessions are there", endpoint_text(from, text), b->up);
		return;
	}
	s = made;
	s->next = b->sessions;
	if (s->next != NULL)
		s->next->at = &s->next;
	s->at = &b->sessions;
	b->sessions = MOVE(made);
	b->up++;
	count(b, ROUTES_BMP_ACCEPTED);
	(void)route_live_edit(b->live);
	log_notice("routes: bmp: session of %s", endpoint_text(&s->from, text));
	watch_stall(s);
}

/* ---------------------------------------------------------------------------------------------------------------- lifetime */

void bmp_listener_free(struct bmp_listener *b)
{
	if (b == NULL)
		return;
	loop_timer_stop(b->host->loop, &b->again);
	for (size_t i = 0; i < b->place_count; i++)
		if (b->places[i].open)
			host_accept_close(b->host, b->places[i].acceptor);
	while (b->sessions != NULL)
		session_close(b->sessions);
	if (b->self.v != 0)
		bmp_listener_retire(b->host->loop, b->self);
	mem_free(MOVE(b->places));
	mem_free(MOVE(b->allowed));
	mem_free(MOVE(b->gone));
	mem_free(b);
}

struct bmp_listener *bmp_listener_new(struct host *h, struct route_live *live, struct route_counts *counts, const struct bmp_listener_options *o)
{
	AUTO(bmp_listener_free) struct bmp_listener *b = (struct bmp_listener *)mem_alloc(sizeof *b);

	if (b == NULL)
		return NULL;
	b->host = h;
	b->live = live;
	b->counts = counts;
	b->o = *o;
	b->o.allowed = NULL;
	b->allowed = (struct prefix *)mem_alloc_array(o->allowed_count + 1, sizeof *b->allowed);
	if (b->allowed == NULL)
		return NULL;
	for (size_t i = 0; i < o->allowed_count; i++)
		b->allowed[i] = o->allowed[i];
	b->self = bmp_listener_enlist(h->loop, b);
	return b->self.v != 0 ? MOVE(b) : NULL;
}

static bool open_place(struct bmp_listener *b, struct bmp_place *p)
{
	struct listen_options o = { .at = p->at, .keepalive = true, .dscp = -1 };
	char text[ENDPOINT_TEXT];

	errno = 0;
	p->open = OK(host_accept(b->host, &o, &bmp_listener_loop_type, b->self.v, on_accept, &p->acceptor));
	if (p->open)
		log_notice("routes: bmp: listens on %s", endpoint_text(&p->at, text));
	else if (!p->told)
		log_error("routes: bmp-listen: %s cannot be listened on: %s; it is tried again every %u s", endpoint_text(&p->at, text), errno != 0 ? strerror(errno) : "out of memory",
			AGAIN_MS / 1000);
	p->told = true;
	return p->open;
}

static void on_again(struct loop *l, void *object)
{
	struct bmp_listener *b = (struct bmp_listener *)object;
	bool all = true;

	b->again.v = 0;
	for (size_t i = 0; i < b->place_count; i++)
		if (!b->places[i].open)
			all = open_place(b, &b->places[i]) && all;
	if (!all && !OK(loop_timer(l, &bmp_listener_loop_type, b->self.v, on_again, AGAIN_MS, &b->again)))
		log_error("routes: bmp-listen: out of memory: what cannot be listened on is not tried again until the next reload");
}

RESULT bmp_listener_add(struct bmp_listener *b, const struct endpoint *at)
{
	TRY(mem_resize((void **)(void *)&b->places, b->place_count, b->place_count + 1, sizeof *b->places));
	b->places[b->place_count++] = (struct bmp_place){ .at = *at };
	if (b->again.v == 0)
		TRY(loop_timer(b->host->loop, &bmp_listener_loop_type, b->self.v, on_again, 0, &b->again));
	return DONE;
}

RESULT bmp_listener_forget(struct bmp_listener *b)
{
	for (struct bmp_session *s = b->sessions, *next; s != NULL; s = next) {
		next = s->next;
		TRY(session_forget(s));
	}
	return sweep(b);
}

static RESULT describe_session(const struct bmp_session *s, struct route_sheet *sheet)
{
	static const char *const views[] = { [BMP_BEFORE_POLICY] = "before policy", [BMP_AFTER_POLICY] = "after policy", [BMP_LOC_RIB] = "Loc-RIB" };
	AUTO(strbuf_free) struct strbuf *name = strbuf_new(NAME);
	char text[ENDPOINT_TEXT];

	if (name == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < s->count; i++) {
		const struct bmp_source *x = &s->sources[i];

		strbuf_clear(name);
		strbuf_printf(name, "bmp %s", addr_text(&s->from.a, text));
		if (x->what.view != BMP_LOC_RIB)
			strbuf_printf(name, ", peer %s AS%u", addr_text(&x->what.address, text), x->what.as);
		strbuf_printf(name, ", %s%s", views[x->what.view], s->reader == NULL ? ", ended" : "");
		TRY(strbuf_result(name));
		TRY(route_sheet_add_source(sheet, x->source, strbuf_text(name), x->at_ms, x->routes));
	}
	return DONE;
}

RESULT bmp_listener_describe(const struct bmp_listener *b, struct route_sheet *sheet)
{
	for (const struct bmp_session *s = b->sessions; s != NULL; s = s->next) {
		TRY(describe_session(s, sheet));
		if (s->reader != NULL)
			sheet->bmp_peers += (uint32_t)s->count;
	}
	sheet->bmp_sessions = b->up;
	return DONE;
}
