#include "rpki/process/fetch_service.h"

#include <unistd.h>

#include "rpki/process/fetch_wire.h"
#include "rpki/process/link.h"

#define UNDER_WAY_MAX 100000u /* requests; more than that the engine never asks for at a time */

LOOP_HANDLE(fetch_service)
LOOP_HANDLE_IMPL(fetch_service)
LOOP_HANDLE(served_fetch)
LOOP_HANDLE_IMPL(served_fetch)

struct served_fetch {
	struct fetch_service *service PARENT_FIELD;
	struct served_fetch *next OWNED_FIELD;
	struct served_fetch **at PARENT_FIELD;
	struct dead dead;
	served_fetch_h self;
	uint64_t id;       /* the engine's */
	fetch_h fetch;
	bool paused;       /* by the engine */
};

struct fetch_service {
	struct loop *loop PARENT_FIELD;
	struct fetcher *fetcher PARENT_FIELD;
	fetch_service_h self;
	struct fetch_service_events ev;
	link_h link;
	struct served_fetch *fetches OWNED_FIELD;
	uint32_t under_way;
	bool resting; /* the engine does not keep up: transfers are paused */
	bool ended;
};

static void served_free(struct served_fetch *x) TAKES(1);
static void served_free(struct served_fetch *x)
{
	mem_free(x);
}
DEFINE_AUTO(struct served_fetch, served_free)

static void served_bury(struct dead *d)
{
	served_free(PARENT_OF(d, struct served_fetch, dead));
}

static void served_close(struct served_fetch *x)
{
	struct fetch_service *s = x->service;

	served_fetch_retire(s->loop, x->self);
	*x->at = x->next;
	if (x->next != NULL)
		x->next->at = x->at;
	x->next = NULL;
	s->under_way--;
	loop_bury(s->loop, &x->dead, served_bury);
}

static void cancel_all(struct fetch_service *s)
{
	while (s->fetches != NULL) {
		fetcher_cancel(s->fetcher, s->fetches->fetch);
		served_close(s->fetches);
	}
}

static void end(struct fetch_service *s, enum err e)
{
	void *object = loop_slot_get(s->loop, s->ev.type, s->ev.who);

	if (s->ended)
		return;
	s->ended = true;
	link_close(s->loop, s->link);
	cancel_all(s);
	if (object != NULL)
		s->ev.ended(s->loop, object, e);
}

/* ------------------------------------------------------------------------------------------------------------- to the engine */

static void say(struct fetch_service *s, enum fetch_message what, struct span body)
{
	struct result r = s->ended ? DONE : link_send(s->loop, s->link, what, body, -1);

	if (!OK(r))
		end(s, r.e);
}

static void rest(struct fetch_service *s, bool resting)
{
	if (s->resting == resting)
		return;
	s->resting = resting;
	for (struct served_fetch *x = s->fetches; x != NULL; x = x->next)
		if (!x->paused)
			fetcher_pause(s->fetcher, x->fetch, resting);
}

static void say_counts(struct fetch_service *s)
{
	const struct fetch_counts c = fetcher_counts(s->fetcher);
	const uint64_t n[FETCH_COUNTED] = { c.gets, c.rsyncs, c.failed, c.octets, c.connections, c.reused, c.redirects, c.too_slow, c.too_late, c.too_large, c.names, c.names_failed,
		c.waited };
	uint8_t room[8 * FETCH_COUNTED];
	struct writer w = writer_of(room, sizeof room);

	for (size_t i = 0; i < FETCH_COUNTED; i++)
		write64(&w, n[i]);
	say(s, FETCH_COUNTS, writer_done(&w));
}

static void say_ended(struct fetch_service *s, uint64_t id, const struct fetch_end *e)
{
	uint8_t room[FETCH_MESSAGE_MAX];
	struct writer w = writer_of(room, sizeof room);

	write64(&w, id);
	write64(&w, e->octets);
	write8(&w, (uint8_t)e->e);
	write_text(&w, e->why, FETCH_WHY_MAX);
	say_counts(s);
	say(s, FETCH_ENDED, writer_done(&w));
}

static void on_head(struct loop *l, void *object, fetch_h f, const struct fetch_head *h)
{
	struct served_fetch *x = (struct served_fetch *)object;
	uint8_t room[FETCH_MESSAGE_MAX];
	struct writer w = writer_of(room, sizeof room);

	(void)l, (void)f;
	write64(&w, x->id);
	write32(&w, h->status);
	write_text(&w, h->etag, FETCH_TAG_MAX);
	write_text(&w, h->modified, FETCH_TAG_MAX);
	say(x->service, FETCH_HEAD, writer_done(&w));
}

static void on_body(struct loop *l, void *object, fetch_h f, struct span octets)
{
	struct served_fetch *x = (struct served_fetch *)object;
	struct fetch_service *s = x->service;
	struct reader r = reader_of(octets);
	uint8_t room[LINK_BODY_MAX];

	(void)l, (void)f;
	while (reader_left(&r) > 0 && !s->ended) {
		struct writer w = writer_of(room, sizeof room);

		write64(&w, x->id);
		write_span(&w, read_span(&r, reader_left(&r) < writer_left(&w) ? reader_left(&r) : writer_left(&w)));
		say(s, FETCH_BODY, writer_done(&w));
	}
	if (!s->ended && link_unsent(s->loop, s->link) > LINK_UNSENT_HIGH)
		rest(s, true);
}

static void on_fetch_ended(struct loop *l, void *object, fetch_h f, const struct fetch_end *e)
{
	struct served_fetch *x = (struct served_fetch *)object;
	struct fetch_service *s = x->service;
	uint64_t id = x->id;

	(void)l, (void)f;
	served_close(x);
	say_ended(s, id, e);
}

/* ----------------------------------------------------------------------------------------------------------- from the engine */

static struct served_fetch *find(struct fetch_service *s, uint64_t id) BORROWED;
static struct served_fetch *find(struct fetch_service *s, uint64_t id)
{
	for (struct served_fetch *x = s->fetches; x != NULL; x = x->next)
		if (x->id == id)
			return x;
	return NULL;
}

static struct served_fetch *add(struct fetch_service *s, uint64_t id) BORROWED;
static struct served_fetch *add(struct fetch_service *s, uint64_t id)
{
	AUTO(served_free) struct served_fetch *x = (struct served_fetch *)mem_alloc(sizeof *x);

	if (x == NULL)
		return NULL;
	x->service = s;
	x->id = id;
	x->self = served_fetch_enlist(s->loop, x);
	if (x->self.v == 0)
		return NULL;
	x->next = s->fetches;
	x->at = &s->fetches;
	if (x->next != NULL)
		x->next->at = &x->next;
	s->under_way++;
	s->fetches = MOVE(x);
	return s->fetches;
}

/* What was begun, or could not be. */
static void begun(struct fetch_service *s, struct served_fetch *x, struct result r)
{
	const struct fetch_end e = { .e = r.e, .why = err_text(r.e) };
	uint64_t id = x->id;

	if (OK(r)) {
		if (s->resting)
			fetcher_pause(s->fetcher, x->fetch, true);
		return;
	}
	served_close(x);
	say_ended(s, id, &e);
}

static uint32_t read_connect(struct reader *r)
{
	return reader_ok(r) && !reader_end(r) ? read32(r) : 0;
}

/* False: this is not what an engine may say. */
static bool hear_get(struct fetch_service *s, struct served_fetch *x, struct reader *r)
{
	const struct fetch_events ev = { .type = &served_fetch_loop_type, .who = x->self.v, .head = on_head, .body = on_body, .ended = on_fetch_ended };
	char uri[FETCH_URI_MAX], etag[FETCH_TAG_MAX], modified[FETCH_TAG_MAX];
	struct fetch_get q = { .uri = uri, .etag = etag, .modified = modified };

	q.max_octets = read64(r);
	q.deadline_ms = read32(r);
	read_text(r, uri, sizeof uri);
	read_text(r, etag, sizeof etag);
	read_text(r, modified, sizeof modified);
	q.connect_ms = read_connect(r);
	if (!reader_ok(r) || !reader_end(r))
		return false;
	begun(s, x, fetcher_get(s->fetcher, &q, &ev, &x->fetch));
	return true;
}

static bool hear_rsync(struct fetch_service *s, struct served_fetch *x, struct reader *r)
{
	const struct fetch_events ev = { .type = &served_fetch_loop_type, .who = x->self.v, .head = on_head, .body = on_body, .ended = on_fetch_ended };
	char uri[FETCH_URI_MAX];
	struct fetch_rsync q = { .uri = uri };
	struct span folder;

	q.deadline_ms = read32(r);
	folder = read_span(r, FETCH_FOLDER);
	read_text(r, uri, sizeof uri);
	q.connect_ms = read_connect(r);
	if (!reader_ok(r) || !reader_end(r))
		return false;
	memcpy(q.folder, folder.p, FETCH_FOLDER);
	begun(s, x, fetcher_rsync(s->fetcher, &q, &ev, &x->fetch));
	return true;
}

static bool hear_new(struct fetch_service *s, uint32_t type, uint64_t id, struct reader *r)
{
	struct served_fetch *x;

	if (s->under_way >= UNDER_WAY_MAX || find(s, id) != NULL)
		return false;
	x = add(s, id);
	if (x == NULL) {
		const struct fetch_end e = { .e = ERR_NOMEM, .why = err_text(ERR_NOMEM) };

		say_ended(s, id, &e);
		return true;
	}
	return type == FETCH_GET ? hear_get(s, x, r) : hear_rsync(s, x, r);
}

static bool hear(struct fetch_service *s, uint32_t type, struct reader *r)
{
	uint64_t id = read64(r);
	struct served_fetch *x;

	if (!reader_ok(r))
		return false;
	if (type == FETCH_GET || type == FETCH_RSYNC)
		return hear_new(s, type, id, r);
	if (type != FETCH_PAUSE && type != FETCH_CANCEL)
		return false;
	x = find(s, id);
	if (x == NULL)
		return true; /* it has ended meanwhile */
	if (type == FETCH_PAUSE) {
		x->paused = read8(r) != 0;
		fetcher_pause(s->fetcher, x->fetch, x->paused || s->resting);
	} else {
		fetcher_cancel(s->fetcher, x->fetch);
		served_close(x);
	}
	return reader_ok(r);
}

static void on_message(struct loop *l, void *object, link_h k, struct link_message *m)
{
	struct fetch_service *s = (struct fetch_service *)object;
	struct reader r = reader_of(m->body);

	(void)l, (void)k;
	if (!s->ended && !hear(s, m->type, &r))
		end(s, ERR_FORMAT);
}

static void on_drained(struct loop *l, void *object, link_h k)
{
	struct fetch_service *s = (struct fetch_service *)object;

	(void)l, (void)k;
	rest(s, false);
}

static void on_closed(struct loop *l, void *object, link_h k, enum err e)
{
	struct fetch_service *s = (struct fetch_service *)object;

	(void)l, (void)k;
	end(s, e);
}

/* ------------------------------------------------------------------------------------------------------------------- whole */

void fetch_service_free(struct fetch_service *s)
{
	if (s == NULL)
		return;
	cancel_all(s);
	if (!s->ended && s->link.v != 0)
		link_close(s->loop, s->link);
	if (s->self.v != 0)
		fetch_service_retire(s->loop, s->self);
	mem_free(s);
}

static RESULT fill(struct fetch_service *s, int fd)
{
	const struct link_events ev = { .type = &fetch_service_loop_type, .who = s->self.v, .message = on_message, .drained = on_drained, .closed = on_closed };

	return link_open(s->loop, fd, &ev, &s->link);
}

RESULT fetch_service_new(struct loop *l, struct fetcher *f, int fd, const struct fetch_service_events *ev, struct fetch_service **ret)
{
	AUTO(fetch_service_free) struct fetch_service *s = (struct fetch_service *)mem_alloc(sizeof *s);

	if (s != NULL) {
		s->loop = l;
		s->fetcher = f;
		s->ev = *ev;
		s->self = fetch_service_enlist(l, s);
	}
	if (s == NULL || s->self.v == 0) {
		(void)close(fd);
		return FAIL(ERR_NOMEM);
	}
	TRY(fill(s, fd));
	*ret = MOVE(s);
	return DONE;
}
