#include "resolver/serve/upstream_pool.h"

#include "base/mem.h"
#include "base/rng.h"
#include "net/host.h"

#define QUERY_ROOM 1024u
#define STUCK_MS 1000u      /* a busy connection without an answer for so long makes room for others */
#define IDLE_MOST_MS 120000u /* whatever the server allows */
#define STRAYS_MOST 64u     /* replies to nobody, before the connection is closed */

struct placed {
	uint64_t who;
	uint64_t asked_ns;
	uint16_t id;
};

struct conn {
	struct pool *pool PARENT_FIELD;
	struct conn *next OWNED_FIELD;
	struct conn **at PARENT_FIELD;
	struct dead dead;
	conn_h self;
	stream_h stream;
	struct endpoint server;
	struct addr from;
	bool open, alone, closed;
	bool doomed; /* it had to make room: ends in the next turn, and counts no more */
	uint32_t strays;
	uint32_t idle_ms;
	uint64_t answers, asked;
	uint64_t opened_ns, moved_ns; /* connected; the last answer, or the question that ended an idle time */
	timer_h idle;
	struct placed *placed OWNED_FIELD;
	size_t count, room;
	uint8_t *in OWNED_FIELD; /* an incomplete frame, from its length on */
	size_t in_len, in_room;
};

struct pool {
	struct loop *loop PARENT_FIELD;
	struct host *host PARENT_FIELD;
	struct pool_limits limits;
	struct pool_user user;
	struct conn *conns OWNED_FIELD; /* newest first */
	size_t count;
	uint64_t opened, worn;
};

LOOP_HANDLE_IMPL(conn)

static uint64_t now_ns(const struct pool *p)
{
	return loop_now(p->loop)->mono_ns;
}

/* ---------------------------------------------------------------------------------------------------------------- the list */

static void conn_free(struct conn *c) TAKES(1);
DEFINE_AUTO(struct conn, conn_free)
static void conn_free(struct conn *c)
{
	if (c == NULL)
		return;
	mem_free(c->placed);
	mem_free(c->in);
	mem_free(c);
}

static void conn_bury(struct dead *d)
{
	conn_free(PARENT_OF(d, struct conn, dead));
}

static void conn_link(struct pool *p, struct conn *c) TAKES(2);
static void conn_link(struct pool *p, struct conn *c)
{
	c->next = MOVE(p->conns);
	c->at = &p->conns;
	if (c->next != NULL)
		c->next->at = &c->next;
	p->conns = MOVE(c);
}

static void conn_unlink(struct conn *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	c->next = NULL;
}

/* From here on no event and no handle leads to c; its memory and its table of questions last until the turn ends. */
static void conn_close(struct conn *c)
{
	struct pool *p = c->pool;

	if (c->closed)
		return;
	c->closed = true;
	loop_timer_stop(p->loop, &c->idle);
	host_stream_close(p->host, c->stream);
	conn_retire(p->loop, c->self);
	conn_unlink(c);
	if (!c->doomed)
		p->count--;
	loop_bury(p->loop, &c->dead, conn_bury);
}

static void tell_room(struct pool *p)
{
	void *owner = loop_slot_get(p->loop, p->user.owner_type, p->user.owner);

	if (owner != NULL)
		p->user.room(p->loop, owner);
}

/* Closes, and tells every question on it. */
static void conn_lose(struct conn *c, enum err e)
{
	struct pool *p = c->pool;

	if (c->closed)
		return;
	conn_close(c);
	for (size_t i = 0; i < c->count; i++) {
		void *object = loop_slot_get(p->loop, p->user.type, c->placed[i].who);

		if (object != NULL)
			p->user.lost(p->loop, object, e, c->answers > 0);
	}
	c->count = 0;
	tell_room(p);
}

static void idle_over(struct loop *l, void *object)
{
	struct conn *c = (struct conn *)object;

	(void)l;
	c->idle.v = 0;
	if (c->count > 0)
		return;
	conn_close(c);
	tell_room(c->pool);
}

static bool is_worn(const struct conn *c)
{
	return c->pool->limits.questions != 0 && c->asked >= c->pool->limits.questions;
}

/* A question has left c. */
static void conn_rest(struct conn *c)
{
	struct pool *p = c->pool;

	if (c->closed || c->count > 0)
		return;
	loop_timer_stop(p->loop, &c->idle);
	if (c->doomed || !c->open || c->alone || c->idle_ms == 0 || is_worn(c) ||
		!OK(loop_timer(p->loop, &conn_loop_type, c->self.v, idle_over, c->idle_ms, &c->idle)))
		conn_close(c);
}

static void placed_remove(struct conn *c, size_t i)
{
	c->placed[i] = c->placed[--c->count];
}

static bool placed_find(const struct conn *c, uint16_t id, size_t *ret)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->placed[i].id == id) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* ------------------------------------------------------------------------------------------------------------------ frames */

static uint32_t rtt_us(const struct conn *c, uint64_t asked_ns)
{
	uint64_t since = asked_ns > c->opened_ns ? asked_ns : c->opened_ns;
	uint64_t us = (now_ns(c->pool) - since) / 1000;

	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void take_frame(struct conn *c, struct span message)
{
	struct pool *p = c->pool;
	struct reader r = reader_of(message);
	uint16_t id = read16(&r);
	uint64_t who, asked_ns;
	void *object;
	size_t i;

	if (!reader_ok(&r)) {
		conn_lose(c, ERR_FORMAT);
		return;
	}
	if (!placed_find(c, id, &i)) { /* to one who has given up, or to nobody */
		if (++c->strays > STRAYS_MOST)
			conn_lose(c, ERR_FORMAT);
		return;
	}
	who = c->placed[i].who;
	asked_ns = c->placed[i].asked_ns;
	placed_remove(c, i);
	c->answers++;
	c->moved_ns = now_ns(p);
	object = loop_slot_get(p->loop, p->user.type, who);
	if (object != NULL)
		p->user.answer(p->loop, object, c->self, message, rtt_us(c, asked_ns));
	conn_rest(c);
	tell_room(p);
}

/* Whole frames at the start of *octets, which is advanced behind them. */
static void take_frames(struct conn *c, struct span *octets)
{
	while (!c->closed) {
		struct reader r = reader_of(*octets);
		struct span message = read_span(&r, read16(&r));

		if (!reader_ok(&r))
			return;
		*octets = read_rest(&r);
		take_frame(c, message);
	}
}

static bool in_append(struct conn *c, struct span s)
{
	size_t room = c->in_room != 0 ? c->in_room : 2048;
	void *in = c->in;

	while (room < c->in_len + s.n)
		room *= 2;
	if (room != c->in_room) {
		if (!OK(mem_resize(&in, c->in_room, room, 1)))
			return false;
		c->in = (uint8_t *)in;
		c->in_room = room;
	}
	if (s.n > 0)
		memcpy(c->in + c->in_len, s.p, s.n);
	c->in_len += s.n;
	return true;
}

/* Octets still wanted until the frame in c->in is whole; of its length field, when that is not there. */
static size_t in_wanted(const struct conn *c)
{
	struct reader r = reader_of(span_of(c->in, c->in_len));
	uint16_t n = read16(&r);

	return reader_ok(&r) ? 2 + (size_t)n - c->in_len : 2 - c->in_len;
}

/* Completes the frame that is under way. False: there is none any more and *octets has what follows; or memory ran out and c is
 * lost. */
static bool in_complete(struct conn *c, struct span *octets)
{
	while (c->in_len > 0 && octets->n > 0) {
		struct reader r = reader_of(*octets);
		size_t wanted = in_wanted(c);
		struct span part = read_span(&r, wanted < octets->n ? wanted : octets->n);

		*octets = read_rest(&r);
		if (!in_append(c, part)) {
			conn_lose(c, ERR_NOMEM);
			return false;
		}
		if (c->in_len >= 2 && in_wanted(c) == 0) {
			struct span message = span_of(c->in + 2, c->in_len - 2);

			c->in_len = 0;
			take_frame(c, message);
		}
		if (c->closed)
			return false;
	}
	return c->in_len > 0;
}

static void on_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct conn *c = (struct conn *)object;

	(void)l;
	(void)s;
	if (in_complete(c, &octets) || c->closed)
		return;
	take_frames(c, &octets);
	if (!c->closed && octets.n > 0 && !in_append(c, octets))
		conn_lose(c, ERR_NOMEM);
}

static void on_connected(struct loop *l, void *object, stream_h s)
{
	struct conn *c = (struct conn *)object;

	(void)l;
	(void)s;
	c->open = true;
	c->opened_ns = now_ns(c->pool);
	c->moved_ns = c->opened_ns;
	conn_rest(c);
}

static void on_drained(struct loop *l, void *object, stream_h s)
{
	(void)l;
	(void)object;
	(void)s;
}

static void on_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	(void)l;
	(void)s;
	conn_lose((struct conn *)object, e);
}

/* ---------------------------------------------------------------------------------------------------------------- the pool */

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	while (p->conns != NULL)
		conn_close(p->conns);
	mem_free(p);
}

struct pool *pool_new(struct loop *l, struct host *h, const struct pool_limits *limits, const struct pool_user *user)
{
	AUTO(pool_free) struct pool *p = (struct pool *)mem_alloc(sizeof *p);

	if (p == NULL)
		return NULL;
	p->loop = l;
	p->host = h;
	p->limits = *limits;
	p->user = *user;
	return MOVE(p);
}

void pool_set_limits(struct pool *p, const struct pool_limits *limits)
{
	p->limits = *limits;
}

size_t pool_count(const struct pool *p)
{
	return p->count;
}

uint64_t pool_opened(const struct pool *p)
{
	return p->opened;
}

uint64_t pool_worn(const struct pool *p)
{
	return p->worn;
}

/* The newest on which r may be put. */
static struct conn *find_shared(const struct pool *p, const struct pool_request *r) BORROWED;
static struct conn *find_shared(const struct pool *p, const struct pool_request *r)
{
	uint32_t pipeline = p->limits.pipeline != 0 ? p->limits.pipeline : 1;

	if (r->alone)
		return NULL;
	for (struct conn *c = p->conns; c != NULL; c = c->next)
		if (!c->alone && !c->doomed && !is_worn(c) && c->count < pipeline && c->answers + c->count < UINT16_MAX &&
			endpoint_equal(&c->server, &r->server) && (r->from.family == ADDR_NONE || addr_equal(&c->from, &r->from)))
			return c;
	return NULL;
}

bool pool_has_place(const struct pool *p, const struct pool_request *r)
{
	return find_shared(p, r) != NULL;
}

/* The idle one that is idle for longest or else the busy one that moved longest ago. */
static struct conn *find_victim(const struct pool *p) BORROWED;
static struct conn *find_victim(const struct pool *p)
{
	struct conn *idle = NULL, *stuck = NULL;

	for (struct conn *c = p->conns; c != NULL; c = c->next) {
		struct conn **best = c->count == 0 ? &idle : &stuck;

		if (!c->doomed && (*best == NULL || c->moved_ns < (*best)->moved_ns))
			*best = c;
	}
	if (idle != NULL)
		return idle;
	return stuck != NULL && now_ns(p) - stuck->moved_ns >= STUCK_MS * UINT64_C(1000000) ? stuck : NULL;
}

static void doom_over(struct loop *l, void *object)
{
	struct conn *c = (struct conn *)object;

	(void)l;
	c->idle.v = 0;
	conn_lose(c, ERR_TIMEOUT);
}

/* Its questions are told in the next turn, not while another one is being placed. */
static bool conn_doom(struct conn *c)
{
	struct pool *p = c->pool;

	loop_timer_stop(p->loop, &c->idle);
	if (!OK(loop_timer(p->loop, &conn_loop_type, c->self.v, doom_over, 0, &c->idle)))
		return false;
	c->doomed = true;
	p->count--;
	host_stream_close(p->host, c->stream);
	return true;
}

/* While the pool is half full or more, one server has a quarter of it at most. */
static bool has_share(const struct pool *p, const struct endpoint *server)
{
	uint32_t theirs = 0;

	if (p->count < p->limits.max / 2)
		return true;
	for (const struct conn *c = p->conns; c != NULL; c = c->next)
		theirs += !c->doomed && endpoint_equal(&c->server, server);
	return theirs == 0 || theirs < p->limits.max / 4;
}

static bool make_place(struct pool *p)
{
	struct conn *victim;

	if (p->count < p->limits.max)
		return true;
	victim = find_victim(p);
	if (victim == NULL)
		return false;
	if (victim->count > 0)
		return conn_doom(victim) && p->count < p->limits.max;
	conn_close(victim);
	return p->count < p->limits.max;
}

static RESULT conn_open(struct pool *p, const struct pool_request *r, struct conn **ret)
{
	struct exchange_options o = { .to = r->server, .from = r->from, .mss = p->limits.mss };
	struct stream_events ev = { &conn_loop_type, 0, on_connected, on_data, on_drained, on_closed };
	AUTO(conn_free) struct conn *c = (struct conn *)mem_alloc(sizeof *c);
	struct result opened;

	if (c == NULL)
		return FAIL(ERR_NOMEM);
	c->pool = p;
	c->server = r->server;
	c->from = r->from;
	c->alone = r->alone;
	c->idle_ms = p->limits.idle_ms < IDLE_MOST_MS ? p->limits.idle_ms : IDLE_MOST_MS;
	c->moved_ns = now_ns(p);
	c->self = conn_enlist(p->loop, c);
	if (c->self.v == 0)
		return FAIL(ERR_NOMEM);
	ev.who = c->self.v;
	opened = host_connect(p->host, &o, &ev, &c->stream);
	if (!OK(opened)) {
		conn_retire(p->loop, c->self);
		return opened;
	}
	p->count++;
	p->opened++;
	conn_link(p, MOVE(c));
	*ret = p->conns;
	return DONE;
}

static uint16_t draw_id(const struct conn *c)
{
	uint16_t id;
	size_t i;

	do /* a connection has far fewer questions than there are IDs: find_shared() */
		id = rng16(loop_rng(c->pool->loop));
	while (placed_find(c, id, &i));
	return id;
}

static RESULT place(struct conn *c, uint64_t who, struct pool_place *ret)
{
	struct pool *p = c->pool;
	void *placed = c->placed;

	if (c->count == c->room) {
		size_t room = c->room != 0 ? 2 * c->room : 4;

		TRY(mem_resize(&placed, c->room, room, sizeof *c->placed));
		c->placed = (struct placed *)placed;
		c->room = room;
	}
	if (c->count == 0) {
		loop_timer_stop(p->loop, &c->idle);
		c->moved_ns = now_ns(p);
	}
	ret->conn = c->self;
	ret->id = draw_id(c);
	ret->first = c->answers == 0 && c->count == 0;
	c->placed[c->count++] = (struct placed){ who, now_ns(p), ret->id };
	c->asked++;
	p->worn += c->asked == p->limits.questions;
	return DONE;
}

RESULT pool_join(struct pool *p, const struct pool_request *r, struct pool_place *ret)
{
	struct conn *c = find_shared(p, r);
	struct result done;

	if (c == NULL) {
		if (!has_share(p, &r->server) || !make_place(p))
			return FAIL(ERR_LIMIT);
		TRY(conn_open(p, r, &c));
	}
	done = place(c, r->who, ret);
	if (!OK(done))
		conn_rest(c);
	return done;
}

RESULT pool_send(struct pool *p, const struct pool_place *at, struct span message)
{
	struct conn *c = conn_get(p->loop, at->conn);
	uint8_t frame[2 + QUERY_ROOM];
	struct writer w = writer_of(frame, sizeof frame);

	if (c == NULL)
		return FAIL(ERR_CLOSED);
	write16(&w, (uint16_t)message.n);
	write_span(&w, message);
	if (!writer_ok(&w))
		return FAIL(ERR_SPACE);
	return host_stream_write(p->host, c->stream, writer_done(&w));
}

void pool_leave(struct pool *p, const struct pool_place *at, bool silent)
{
	struct conn *c = conn_get(p->loop, at->conn);
	size_t i;

	if (c == NULL || !placed_find(c, at->id, &i))
		return;
	silent = silent && c->moved_ns <= c->placed[i].asked_ns;
	placed_remove(c, i);
	if (silent && c->count == 0)
		conn_close(c);
	else
		conn_rest(c);
	tell_room(p);
}

void pool_keepalive(struct pool *p, conn_h h, uint16_t units)
{
	struct conn *c = conn_get(p->loop, h);

	if (c != NULL)
		c->idle_ms = units * 100u < IDLE_MOST_MS ? units * 100u : IDLE_MOST_MS;
}
