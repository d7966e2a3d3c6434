/*
 *   waiting   the way is down: asked when a process is attached, or ended when that takes too long
 *   asked     sent; a process that ends now leaves it waiting once more, when it has not been asked twice
 *   answered  the head has come (a run of rsync has none); a process that ends now ends it
 */
#include "rpki/process/fetcher_link.h"

#include <stdio.h>

#include "rpki/process/fetch_wire.h"
#include "rpki/process/link.h"

#define ASKED_MAX 2u

LOOP_HANDLE(fetcher_link)
LOOP_HANDLE_IMPL(fetcher_link)
LOOP_HANDLE(link_fetch)
LOOP_HANDLE_IMPL(link_fetch)

struct link_fetch {
	struct fetcher_link *owner PARENT_FIELD;
	struct link_fetch *next OWNED_FIELD;
	struct link_fetch **at PARENT_FIELD;
	struct dead dead;
	link_fetch_h self; /* its value is the id */
	enum fetch_way way;
	struct fetch_events ev;
	unsigned int asked; /* times */
	bool waiting, answered, paused;
	bool given_up;
	uint64_t max_octets, octets;
	uint32_t deadline_ms, connect_ms;
	uint8_t folder[FETCH_FOLDER];
	char *uri OWNED_FIELD, *etag OWNED_FIELD, *modified OWNED_FIELD;
};

struct way {
	bool has, up;
	link_h link;
	struct fetch_counts before, now; /* of the processes that have ended; of this one */
};

struct fetcher_link {
	struct fetcher fetcher; /* first */
	fetcher_link_h self;
	struct way ways[FETCH_WAYS];
	struct link_fetch *fetches OWNED_FIELD;
	timer_h patience; /* while something waits */
};

static struct fetcher_link *of(struct fetcher *f) BORROWED;
static struct fetcher_link *of(struct fetcher *f)
{
	return (struct fetcher_link *)(void *)f;
}

/* ------------------------------------------------------------------------------------------------------------------ fetches */

static void fetch_free(struct link_fetch *x) TAKES(1);
static void fetch_free(struct link_fetch *x)
{
	if (x == NULL)
		return;
	mem_free(x->uri);
	mem_free(x->etag);
	mem_free(x->modified);
	mem_free(x);
}
DEFINE_AUTO(struct link_fetch, fetch_free)

static void fetch_bury(struct dead *d)
{
	fetch_free(PARENT_OF(d, struct link_fetch, dead));
}

static void fetch_close(struct link_fetch *x)
{
	struct loop *l = x->owner->fetcher.loop;

	link_fetch_retire(l, x->self);
	*x->at = x->next;
	if (x->next != NULL)
		x->next->at = x->at;
	x->next = NULL;
	loop_bury(l, &x->dead, fetch_bury);
}

static void fetch_end(struct link_fetch *x, const struct fetch_end *e)
{
	struct loop *l = x->owner->fetcher.loop;
	void *object = loop_slot_get(l, x->ev.type, x->ev.who);
	fetch_h h = { x->self.v };

	fetch_close(x);
	if (object != NULL)
		x->ev.ended(l, object, h, e);
}

static void fetch_fail(struct link_fetch *x, enum err e, const char *why)
{
	const struct fetch_end end = { .e = e, .why = why, .octets = x->octets };

	fetch_end(x, &end);
}

static RESULT ask(struct link_fetch *x)
{
	struct fetcher_link *f = x->owner;
	uint8_t room[FETCH_MESSAGE_MAX];
	struct writer w = writer_of(room, sizeof room);

	write64(&w, x->self.v);
	if (x->way == FETCH_BY_HTTPS)
		write64(&w, x->max_octets);
	write32(&w, x->deadline_ms);
	if (x->way == FETCH_BY_RSYNC)
		write_octets(&w, x->folder, FETCH_FOLDER);
	write_text(&w, x->uri, FETCH_URI_MAX);
	if (x->way == FETCH_BY_HTTPS) {
		write_text(&w, x->etag, FETCH_TAG_MAX);
		write_text(&w, x->modified, FETCH_TAG_MAX);
	}
	if (x->connect_ms > 0)
		write32(&w, x->connect_ms);
	if (!writer_ok(&w))
		return FAIL(ERR_RANGE);
	TRY(link_send(f->fetcher.loop, f->ways[x->way].link, x->way == FETCH_BY_HTTPS ? FETCH_GET : FETCH_RSYNC, writer_done(&w), -1));
	x->waiting = false;
	x->asked++;
	return DONE;
}

static void tell(struct link_fetch *x, enum fetch_message what, bool flag)
{
	struct fetcher_link *f = x->owner;
	uint8_t room[16];
	struct writer w = writer_of(room, sizeof room);

	if (x->waiting || !f->ways[x->way].up)
		return;
	write64(&w, x->self.v);
	if (what == FETCH_PAUSE)
		write8(&w, flag);
	if (!OK(link_send(f->fetcher.loop, f->ways[x->way].link, what, writer_done(&w), -1)))
		return; /* then the link is about to end, or so much waits that nothing matters */
}

/* --------------------------------------------------------------------------------------------------------- a way goes down */

static struct link_fetch *given_up(struct fetcher_link *f) BORROWED;
static struct link_fetch *given_up(struct fetcher_link *f)
{
	for (struct link_fetch *x = f->fetches; x != NULL; x = x->next)
		if (x->given_up)
			return x;
	return NULL;
}

/* Callbacks may begin others meanwhile, which then wait for their own time. */
static void end_given_up(struct fetcher_link *f, const char *why)
{
	struct link_fetch *x;

	while ((x = given_up(f)) != NULL)
		fetch_fail(x, ERR_CLOSED, why);
}

static void on_patience_over(struct loop *l, void *object)
{
	struct fetcher_link *f = (struct fetcher_link *)object;

	(void)l;
	f->patience.v = 0;
	for (struct link_fetch *x = f->fetches; x != NULL; x = x->next)
		x->given_up = x->waiting && !f->ways[x->way].up;
	end_given_up(f, "the fetching process is not there");
}

static RESULT be_patient(struct fetcher_link *f)
{
	return f->patience.v != 0 ? DONE
				  : loop_timer(f->fetcher.loop, &fetcher_link_loop_type, f->self.v, on_patience_over, FETCHER_LINK_WAIT_MS, &f->patience);
}

/* What had no answer waits, once more; the rest ends. */
static void go_down(struct fetcher_link *f, enum fetch_way way)
{
	struct way *w = &f->ways[way];
	bool patient = OK(be_patient(f));

	if (w->up)
		link_close(f->fetcher.loop, w->link);
	w->up = false;
	for (struct link_fetch *x = f->fetches; x != NULL; x = x->next) {
		if (x->way != way || x->waiting)
			continue;
		x->waiting = patient && !x->answered && x->asked < ASKED_MAX;
		x->given_up = !x->waiting;
	}
	end_given_up(f, "the fetching process ended");
}

static enum fetch_way way_of(const struct fetcher_link *f, link_h k)
{
	return f->ways[FETCH_BY_RSYNC].up && f->ways[FETCH_BY_RSYNC].link.v == k.v ? FETCH_BY_RSYNC : FETCH_BY_HTTPS;
}

static void on_closed(struct loop *l, void *object, link_h k, enum err e)
{
	struct fetcher_link *f = (struct fetcher_link *)object;

	(void)l, (void)e;
	go_down(f, way_of(f, k));
}

/* ---------------------------------------------------------------------------------------------------- what the other says */

static bool hear_head(struct link_fetch *x, struct reader *r)
{
	struct loop *l = x->owner->fetcher.loop;
	char etag[FETCH_TAG_MAX], modified[FETCH_TAG_MAX];
	struct fetch_head h = { .status = read32(r), .etag = etag, .modified = modified };
	void *object = loop_slot_get(l, x->ev.type, x->ev.who);

	read_text(r, etag, sizeof etag);
	read_text(r, modified, sizeof modified);
	if (!reader_ok(r) || !reader_end(r) || x->answered || x->way != FETCH_BY_HTTPS || h.status > 999)
		return false;
	x->answered = true;
	if (object != NULL)
		x->ev.head(l, object, (fetch_h){ x->self.v }, &h);
	return true;
}

static bool hear_body(struct link_fetch *x, struct reader *r)
{
	struct loop *l = x->owner->fetcher.loop;
	void *object = loop_slot_get(l, x->ev.type, x->ev.who);
	struct span s = read_rest(r);

	if (!x->answered || s.n > x->max_octets - x->octets)
		return false;
	x->octets += s.n;
	if (object != NULL)
		x->ev.body(l, object, (fetch_h){ x->self.v }, s);
	return true;
}

static bool hear_ended(struct link_fetch *x, struct reader *r)
{
	char why[FETCH_WHY_MAX];
	struct fetch_end e = { .why = why };
	uint8_t code;

	e.octets = read64(r);
	code = read8(r);
	read_text(r, why, sizeof why);
	if (!reader_ok(r) || !reader_end(r) || code > ERR_UNSUPPORTED || (code == ERR_NONE && x->way == FETCH_BY_HTTPS && !x->answered))
		return false;
	e.e = (enum err)code;
	if (x->way == FETCH_BY_HTTPS)
		e.octets = x->octets;
	fetch_end(x, &e);
	return true;
}

static bool hear_counts(struct way *w, struct reader *r)
{
	uint64_t n[FETCH_COUNTED];

	for (size_t i = 0; i < FETCH_COUNTED; i++)
		n[i] = read64(r);
	if (!reader_ok(r) || !reader_end(r))
		return false;
	w->now = (struct fetch_counts){ n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12] };
	return true;
}

/* By a number that somebody else has said: it is no handle before it has been found here. */
static struct link_fetch *find(struct fetcher_link *f, uint64_t id) BORROWED;
static struct link_fetch *find(struct fetcher_link *f, uint64_t id)
{
	for (struct link_fetch *x = f->fetches; x != NULL; x = x->next)
		if (x->self.v == id)
			return x;
	return NULL;
}

/* False: this is not what the other end may say. */
static bool hear(struct fetcher_link *f, enum fetch_way way, uint32_t type, struct reader *r)
{
	struct link_fetch *x;

	if (type == FETCH_COUNTS)
		return hear_counts(&f->ways[way], r);
	x = find(f, read64(r));
	if (!reader_ok(r))
		return false;
	if (x == NULL)
		return type >= FETCH_HEAD && type <= FETCH_ENDED; /* it was cancelled meanwhile */
	if (x->way != way || x->waiting)
		return false;
	switch (type) {
	case FETCH_HEAD:
		return hear_head(x, r);
	case FETCH_BODY:
		return hear_body(x, r);
	case FETCH_ENDED:
		return hear_ended(x, r);
	default:
		return false;
	}
}

static void on_message(struct loop *l, void *object, link_h k, struct link_message *m)
{
	struct fetcher_link *f = (struct fetcher_link *)object;
	enum fetch_way way = way_of(f, k);
	struct reader r = reader_of(m->body);

	(void)l;
	if (!hear(f, way, m->type, &r) && f->ways[way].up && f->ways[way].link.v == k.v)
		go_down(f, way);
}

/* ------------------------------------------------------------------------------------------------------------ from above */

static RESULT begin(struct fetcher_link *f, struct link_fetch *x, const char *uri, const char *etag, const char *modified, fetch_h *ret) TAKES(2);
static RESULT begin(struct fetcher_link *f, struct link_fetch *x, const char *uri, const char *etag, const char *modified, fetch_h *ret)
{
	AUTO(fetch_free) struct link_fetch *own = x;
	struct result r = DONE;

	own->owner = f;
	own->waiting = true;
	own->uri = mem_strdup(uri);
	own->etag = mem_strdup(etag);
	own->modified = mem_strdup(modified);
	if (own->uri == NULL || own->etag == NULL || own->modified == NULL)
		return FAIL(ERR_NOMEM);
	if (!f->ways[own->way].has || strlen(uri) >= FETCH_URI_MAX)
		return FAIL(ERR_CLOSED);
	own->self = link_fetch_enlist(f->fetcher.loop, own);
	if (own->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = f->ways[own->way].up ? ask(own) : be_patient(f);
	if (!OK(r) && r.e != ERR_NOMEM && f->ways[own->way].up)
		r = be_patient(f); /* the process has just ended: on_closed() comes, and the next process is asked */
	if (!OK(r)) {
		link_fetch_retire(f->fetcher.loop, own->self);
		return FAIL(ERR_NOMEM);
	}
	*ret = (fetch_h){ own->self.v };
	own->next = f->fetches;
	own->at = &f->fetches;
	if (own->next != NULL)
		own->next->at = &own->next;
	f->fetches = MOVE(own);
	return DONE;
}

static RESULT on_get(struct fetcher *fetcher, const struct fetch_get *q, const struct fetch_events *ev, fetch_h *ret)
{
	AUTO(fetch_free) struct link_fetch *x = (struct link_fetch *)mem_alloc(sizeof *x);

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->way = FETCH_BY_HTTPS;
	x->ev = *ev;
	x->max_octets = q->max_octets;
	x->deadline_ms = q->deadline_ms;
	x->connect_ms = q->connect_ms;
	return begin(of(fetcher), MOVE(x), q->uri, q->etag != NULL ? q->etag : "", q->modified != NULL ? q->modified : "", ret);
}

static RESULT on_rsync(struct fetcher *fetcher, const struct fetch_rsync *q, const struct fetch_events *ev, fetch_h *ret)
{
	AUTO(fetch_free) struct link_fetch *x = (struct link_fetch *)mem_alloc(sizeof *x);

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->way = FETCH_BY_RSYNC;
	x->ev = *ev;
	x->deadline_ms = q->deadline_ms;
	x->connect_ms = q->connect_ms;
	memcpy(x->folder, q->folder, FETCH_FOLDER);
	return begin(of(fetcher), MOVE(x), q->uri, "", "", ret);
}

static void on_pause(struct fetcher *fetcher, fetch_h h, bool paused)
{
	struct link_fetch *x = link_fetch_get(fetcher->loop, (link_fetch_h){ h.v });

	if (x == NULL || x->paused == paused)
		return;
	x->paused = paused;
	tell(x, FETCH_PAUSE, paused);
}

static void on_cancel(struct fetcher *fetcher, fetch_h h)
{
	struct link_fetch *x = link_fetch_get(fetcher->loop, (link_fetch_h){ h.v });

	if (x == NULL)
		return;
	tell(x, FETCH_CANCEL, false);
	fetch_close(x);
}

static void add_counts(struct fetch_counts *to, const struct fetch_counts *c)
{
	to->gets += c->gets;
	to->rsyncs += c->rsyncs;
	to->failed += c->failed;
	to->octets += c->octets;
	to->connections += c->connections;
	to->reused += c->reused;
	to->redirects += c->redirects;
	to->too_slow += c->too_slow;
	to->too_late += c->too_late;
	to->too_large += c->too_large;
	to->names += c->names;
	to->names_failed += c->names_failed;
	to->waited += c->waited;
}

static struct fetch_counts on_counts(const struct fetcher *fetcher)
{
	const struct fetcher_link *f = (const struct fetcher_link *)(const void *)fetcher;
	struct fetch_counts all = { .gets = 0 };

	for (size_t i = 0; i < FETCH_WAYS; i++) {
		add_counts(&all, &f->ways[i].before);
		add_counts(&all, &f->ways[i].now);
	}
	return all;
}

static void on_free(struct fetcher *fetcher) TAKES(1);
static void on_free(struct fetcher *fetcher)
{
	struct fetcher_link *f = of(fetcher);
	struct loop *l = f->fetcher.loop;

	while (f->fetches != NULL)
		fetch_close(f->fetches);
	for (size_t i = 0; i < FETCH_WAYS; i++)
		if (f->ways[i].up)
			link_close(l, f->ways[i].link);
	loop_timer_stop(l, &f->patience);
	if (f->self.v != 0)
		fetcher_link_retire(l, f->self);
	mem_free(f);
}

static const struct fetcher_ops link_ops = {
	.get = on_get,
	.rsync = on_rsync,
	.pause = on_pause,
	.cancel = on_cancel,
	.counts = on_counts,
	.free = on_free,
};

struct fetcher *fetcher_link_new(struct loop *l, const bool has[FETCH_WAYS])
{
	AUTO(mem_free) void *made = mem_alloc(sizeof(struct fetcher_link));
	struct fetcher_link *f = (struct fetcher_link *)made;

	if (f == NULL)
		return NULL;
	f->fetcher = (struct fetcher){ .ops = &link_ops, .loop = l };
	for (size_t i = 0; i < FETCH_WAYS; i++)
		f->ways[i].has = has[i];
	f->self = fetcher_link_enlist(l, f);
	if (f->self.v == 0)
		return NULL;
	return (struct fetcher *)MOVE(made);
}

RESULT fetcher_link_attach(struct fetcher *fetcher, enum fetch_way way, int fd)
{
	struct fetcher_link *f = of(fetcher);
	const struct link_events ev = { .type = &fetcher_link_loop_type, .who = f->self.v, .message = on_message, .closed = on_closed };
	struct way *w = &f->ways[way];
	struct link_fetch *x, *next;

	if (w->up)
		go_down(f, way);
	add_counts(&w->before, &w->now);
	w->now = (struct fetch_counts){ .gets = 0 };
	TRY(link_open(f->fetcher.loop, fd, &ev, &w->link));
	w->up = true;
	for (x = f->fetches; x != NULL; x = next) {
		next = x->next;
		if (x->way != way || !x->waiting)
			continue;
		if (!OK(ask(x))) /* gone again already, or no memory: what waits goes on waiting */
			break;
		if (x->paused)
			tell(x, FETCH_PAUSE, true);
	}
	return DONE;
}
