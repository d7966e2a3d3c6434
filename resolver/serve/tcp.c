/*
 * States of a session, none of them stored: *idle* (nothing buffered, nothing waiting, nothing unsent), *reading* (a frame is
 * incomplete), *working* (questions wait), *writing* (the client has not read everything). busy_since_ms is when the present state
 * that has a time limit began.
 */
#include "resolver/serve/tcp.h"

#include "base/mem.h"
#include "resolver/serve/client.h"
#include "resolver/serve/quota.h"
#include "resolver/serve/serve_tap.h"
#include "resolver/stats.h"

#define FIRST_BUFFER 512u
#define UNSENT_PAUSE (64u * 1024) /* octets unsent after which no more questions of a session are read */
#define CHECK_PER_LIMIT 4u        /* a time limit is looked at so many times before it ends */

LOOP_HANDLE_IMPL(session)

struct session {
	struct serve *serve PARENT_FIELD;
	struct session *next OWNED_FIELD, *prev BORROWED_FIELD;
	struct dead dead;
	session_h self;
	stream_h stream;
	timer_h timer;
	struct endpoint from;
	struct endpoint local;
	enum access of_interface;
	uint8_t *in OWNED_FIELD; /* octets that are not a whole frame yet, or wait because too much is under way */
	size_t in_len, in_cap;
	size_t unsent;           /* counted in serve->unsent */
	uint32_t waiting;        /* questions */
	uint64_t busy_since_ms;  /* the frame began, or the oldest unsent reply was written, or the session became idle */
	bool keepalive;          /* the client knows how long it may idle */
	bool paused;
	bool in_frames;          /* take_frames() is on the stack */
	bool closing;
};

static uint64_t now_of(const struct session *c)
{
	return now_ms(loop_now(c->serve->env.loop));
}

static void session_free(struct session *c) TAKES(1);
DEFINE_AUTO(struct session, session_free)
static void session_free(struct session *c)
{
	if (c == NULL)
		return;
	mem_free(MOVE(c->in));
	mem_free(c);
}

static void session_bury(struct dead *d)
{
	session_free(PARENT_OF(d, struct session, dead));
}

static void unlink_session(struct session *c)
{
	struct session_list *list = &c->serve->sessions;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		list->first = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	c->next = c->prev = NULL;
	list->count--;
}

static void session_close(struct session *c)
{
	struct serve *s = c->serve;

	if (c->closing)
		return;
	c->closing = true;
	s->unsent -= c->unsent;
	c->unsent = 0;
	loop_timer_stop(s->env.loop, &c->timer);
	host_stream_close(s->env.host, c->stream);
	quota_close(s->quota, &c->from.a, QUOTA_SESSIONS);
	unlink_session(c);
	session_retire(s->env.loop, c->self);
	loop_bury(s->env.loop, &c->dead, session_bury);
	if (c->waiting > 0)
		client_drop_session(s, c->self);
}

void tcp_close_all(struct serve *s)
{
	while (s->sessions.first != NULL)
		session_close(s->sessions.first);
}

/* The more of its places are taken, the shorter a worker waits (RFC 7766 section 6.2.3, RFC 7828 section 3.4). */
uint32_t tcp_idle_now(const struct serve *s, bool keepalive)
{
	const struct serve_settings *set = s->env.settings;
	uint64_t whole = keepalive ? set->tcp_keepalive_ms : set->tcp_idle_ms;
	uint64_t used = s->sessions.count, all = set->tcp_sessions > 0 ? set->tcp_sessions : 1;

	if (used * 2 <= all)
		return (uint32_t)whole;
	if (used * 5 <= all * 4)
		return (uint32_t)(whole / 3 + 1);
	return used < all ? (uint32_t)(whole / 10 + 1) : (uint32_t)(whole / 100 + 1);
}

static void session_check(struct loop *l, void *object);

static void arm(struct session *c)
{
	uint32_t wait = tcp_idle_now(c->serve, c->keepalive) / CHECK_PER_LIMIT + 1;

	if (!OK(loop_timer(c->serve->env.loop, &session_loop_type, c->self.v, session_check, wait, &c->timer)))
		session_close(c); /* a session without a limit is worse than none */
}

static void session_check(struct loop *l, void *object)
{
	struct session *c = object;
	bool over = now_of(c) - c->busy_since_ms >= tcp_idle_now(c->serve, c->keepalive && c->in_len == 0);

	(void)l;
	c->timer = (timer_h){ 0 };
	if (over && c->unsent > 0) {
		stats_inc(c->serve->env.stats, COUNT_TCP_SLOW_CLOSED);
		session_close(c);
	} else if (over && (c->waiting == 0 || c->in_len > 0) && !c->paused) {
		stats_inc(c->serve->env.stats, COUNT_TCP_IDLE_CLOSED);
		session_close(c);
	} else {
		arm(c);
	}
}

/* Of the client with most sessions the one that has been idle longest; of equals that which has been so longest. O(n), only when
 * all places are taken. */
static struct session *greediest(struct serve *s) BORROWED;
static struct session *greediest(struct serve *s)
{
	struct session *worst = NULL;
	uint32_t most = 0;

	for (struct session *c = s->sessions.first; c != NULL; c = c->next) {
		uint32_t n = quota_count(s->quota, &c->from.a, QUOTA_SESSIONS);

		if (c->waiting > 0)
			continue;
		if (worst == NULL || n > most || (n == most && c->busy_since_ms < worst->busy_since_ms)) {
			worst = c;
			most = n;
		}
	}
	return worst;
}

static bool make_place(struct serve *s, const struct addr *newcomer)
{
	struct session *out;

	if (s->sessions.count < s->env.settings->tcp_sessions)
		return true;
	out = greediest(s);
	/* who has the most himself gets no more at the cost of others */
	if (out == NULL || quota_count(s->quota, newcomer, QUOTA_SESSIONS) > quota_count(s->quota, &out->from.a, QUOTA_SESSIONS))
		return false;
	stats_inc(s->env.stats, COUNT_TCP_EVICTED);
	session_close(out);
	return true;
}

static void session_frames(struct session *c, struct span octets);

static void session_data(struct loop *l, void *object, stream_h stream, struct span octets)
{
	struct session *c = object;

	(void)l;
	(void)stream;
	session_frames(c, octets);
}

static void session_drained(struct loop *l, void *object, stream_h stream)
{
	struct session *c = object;

	(void)l;
	(void)stream;
	c->serve->unsent -= c->unsent;
	c->unsent = 0;
	c->busy_since_ms = now_of(c);
	session_frames(c, (struct span){ NULL, 0 });
}

static void session_closed(struct loop *l, void *object, stream_h stream, enum err e)
{
	struct session *c = object;

	(void)l;
	(void)stream;
	(void)e;
	session_close(c);
}

static bool has_place(struct serve *s, const struct endpoint *from)
{
	struct addr client = addr_unmap(&from->a);
	uint32_t limit = 0;

	if (s->env.settings->tcp_limit != NULL && prefix_map_get(s->env.settings->tcp_limit, &client, &limit) && limit == 0)
		return false;
	if (!make_place(s, &from->a))
		return false;
	return quota_open(s->quota, &from->a, QUOTA_SESSIONS, limit == UINT32_MAX ? 0 : limit);
}

void session_open(struct serve *s, stream_h stream, const struct endpoint *from, const struct endpoint *local, enum access of_interface)
{
	const struct stream_events ev = { &session_loop_type, 0, NULL, session_data, session_drained, session_closed };
	struct stream_events with_self = ev;
	AUTO(session_free) struct session *made = NULL;
	struct session *c;

	if (settings_access(s->env.settings, &from->a, of_interface) == ACCESS_DENY || !has_place(s, from)) {
		stats_inc(s->env.stats, COUNT_TCP_REFUSED);
		return; /* not adopted: the host closes it */
	}
	made = mem_alloc(sizeof *made);
	c = made;
	if (made == NULL) {
		quota_close(s->quota, &from->a, QUOTA_SESSIONS);
		return;
	}
	c->serve = s;
	c->stream = stream;
	c->from = *from;
	c->local = *local;
	c->of_interface = of_interface;
	c->self = session_enlist(s->env.loop, c);
	with_self.who = c->self.v;
	if (c->self.v == 0 || !OK(host_stream_adopt(s->env.host, stream, &with_self))) {
		quota_close(s->quota, &from->a, QUOTA_SESSIONS);
		session_retire(s->env.loop, c->self);
		return;
	}
	c->next = MOVE(s->sessions.first);
	if (c->next != NULL)
		c->next->prev = c;
	s->sessions.first = MOVE(made);
	s->sessions.count++;
	c->busy_since_ms = now_of(c);
	stats_inc(s->env.stats, COUNT_TCP_SESSIONS);
	arm(c);
}

void session_question_waits(struct serve *s, session_h h)
{
	struct session *c = session_get(s->env.loop, h);

	if (c != NULL)
		c->waiting++;
}

static void session_resume(struct loop *l, void *object)
{
	struct session *c = object;

	(void)l;
	session_frames(c, (struct span){ NULL, 0 });
}

void session_question_done(struct serve *s, session_h h)
{
	struct session *c = session_get(s->env.loop, h);

	if (c == NULL || c->waiting == 0)
		return;
	c->waiting--;
	if (c->in_len == 0)
		c->busy_since_ms = now_of(c);
	/* what is buffered is taken up at the end of the turn: we may be deep in a callback */
	if ((c->in_len > 0 || c->paused) && !c->in_frames &&
	    !OK(loop_at_turn_end(s->env.loop, &session_loop_type, c->self.v, session_resume)))
		session_close(c);
}

void session_reply(struct serve *s, session_h h, size_t len)
{
	struct session *c = session_get(s->env.loop, h);
	size_t before;

	if (c == NULL)
		return;
	store16(s->frame, (uint16_t)len);
	before = c->unsent;
	if (!OK(host_stream_write(s->env.host, c->stream, span_of(s->frame, len + 2)))) {
		stats_inc(s->env.stats, COUNT_TCP_SLOW_CLOSED);
		session_close(c);
		return;
	}
	c->unsent = host_stream_unsent(s->env.host, c->stream);
	s->unsent = s->unsent - before + c->unsent;
	if (before == 0)
		c->busy_since_ms = now_of(c);
	if (s->unsent > s->env.settings->tcp_unsent_octets && c->unsent > UNSENT_PAUSE) {
		stats_inc(s->env.stats, COUNT_TCP_SLOW_CLOSED);
		session_close(c);
	}
}

static bool may_go_on(const struct session *c)
{
	return !c->closing && c->waiting < c->serve->env.settings->tcp_pipeline && c->unsent < UNSENT_PAUSE;
}

/* One question. Drops and rate limits are those of UDP; a packet that is no question at all ends the session. */
static void take_frame(struct session *c, struct span frame)
{
	struct serve *s = c->serve;
	struct request r;

	r.origin = (struct origin){ c->from, c->local.a, c->local.port, { 0 }, c->self };
	s->admission.now = loop_now(s->env.loop);
	admission_judge(&s->admission, frame, c->of_interface, tcp_idle_now(s, true), &r);
	if (frame.n < MSG_HEADER || (r.verdict == ADMIT_DROP && (load16(frame.p + 2) & MSG_QR) != 0)) {
		session_close(c);
		return;
	}
	c->keepalive |= r.to.keepalive;
	if (s->tap != NULL && r.verdict != ADMIT_DROP)
		serve_tap_question(s, &r, frame);
	serve_prepare(s, &r);
	serve_question(s, &r);
}

/* Takes the whole frames at the front of octets, and returns how many octets they had. */
static size_t take_frames(struct session *c, struct span octets)
{
	size_t at = 0;

	c->in_frames = true;
	while (may_go_on(c) && octets.n - at >= 2 && octets.n - at >= 2u + load16(octets.p + at)) {
		size_t n = load16(octets.p + at);

		take_frame(c, span_of(octets.p + at + 2, n));
		at += 2 + n;
		if (c->unsent == 0)
			c->busy_since_ms = now_of(c);
	}
	c->in_frames = false;
	return at;
}

static bool keep(struct session *c, struct span octets)
{
	void *in = c->in;
	size_t cap = c->in_cap > 0 ? c->in_cap : FIRST_BUFFER;

	while (cap < c->in_len + octets.n)
		cap *= 2;
	if (cap > c->in_cap) {
		if (!OK(mem_resize(&in, c->in_cap, cap, 1)))
			return false;
		c->in = in;
		c->in_cap = cap;
	}
	if (c->in_len == 0 && c->unsent == 0)
		c->busy_since_ms = now_of(c);
	memcpy(c->in + c->in_len, octets.p, octets.n);
	c->in_len += octets.n;
	return true;
}

static void pause_or_resume(struct session *c)
{
	bool pause = !may_go_on(c);

	if (pause != c->paused)
		host_stream_pause(c->serve->env.host, c->stream, pause);
	c->paused = pause;
}

static void session_frames(struct session *c, struct span octets)
{
	size_t taken;

	if (c->in_frames)
		return;
	if (c->in_len > 0 && octets.n > 0 && !keep(c, octets)) {
		session_close(c);
		return;
	}
	taken = take_frames(c, c->in_len > 0 ? span_of(c->in, c->in_len) : octets);
	if (c->closing)
		return;
	if (c->in_len > 0) {
		memmove(c->in, c->in + taken, c->in_len - taken);
		c->in_len -= taken;
	} else if (octets.n > taken && !keep(c, span_of(octets.p + taken, octets.n - taken))) {
		session_close(c);
		return;
	}
	if (c->in_len == 0) {
		mem_free(MOVE(c->in));
		c->in_cap = 0;
	}
	pause_or_resume(c);
}
