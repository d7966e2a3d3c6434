#include "rpki/fetch/rrdp_fetch.h"

#include "base/mem.h"

LOOP_HANDLE_IMPL(rrdp_fetch)

struct rrdp_fetch {
	struct fetcher *fetcher PARENT_FIELD;
	struct loop *loop PARENT_FIELD;
	struct dead dead;
	rrdp_fetch_h self;
	struct rrdp_fetch_events ev;
	struct rrdp_sync *sync OWNED_FIELD;
	fetch_h transfer;
	uint32_t deadline_ms, connect_ms;
	timer_h start;
	bool closed;
};

static void fetch_free(struct rrdp_fetch *f) TAKES(1);
static void fetch_free(struct rrdp_fetch *f)
{
	if (f == NULL)
		return;
	rrdp_sync_free(f->sync);
	mem_free(f);
}
DEFINE_AUTO(struct rrdp_fetch, fetch_free)

static void fetch_bury(struct dead *d)
{
	fetch_free(PARENT_OF(d, struct rrdp_fetch, dead));
}

static void fetch_close(struct rrdp_fetch *f)
{
	if (f->closed)
		return;
	f->closed = true;
	rrdp_fetch_retire(f->loop, f->self);
	loop_timer_stop(f->loop, &f->start);
	fetcher_cancel(f->fetcher, f->transfer);
	loop_bury(f->loop, &f->dead, fetch_bury);
}

static void finish(struct rrdp_fetch *f)
{
	struct rrdp_report report = rrdp_sync_report(f->sync);
	void *object = loop_slot_get(f->loop, f->ev.type, f->ev.who);

	fetch_close(f);
	if (object != NULL)
		f->ev.ended(f->loop, object, f->self, &report);
}

static void ask_next(struct rrdp_fetch *f);

/* The sync has told why itself: the transfer is given up. */
static void give_up(struct rrdp_fetch *f)
{
	fetcher_cancel(f->fetcher, f->transfer);
	rrdp_sync_end(f->sync, ERR_NONE, "");
	ask_next(f);
}

static void on_head(struct loop *l, void *object, fetch_h h, const struct fetch_head *a)
{
	struct rrdp_fetch *f = (struct rrdp_fetch *)object;

	(void)l, (void)h;
	if (!OK(rrdp_sync_answer(f->sync, a->status, a->etag, a->modified)))
		give_up(f);
}

static void on_body(struct loop *l, void *object, fetch_h h, struct span octets)
{
	struct rrdp_fetch *f = (struct rrdp_fetch *)object;

	(void)l, (void)h;
	if (!OK(rrdp_sync_data(f->sync, octets)))
		give_up(f);
}

static void on_ended(struct loop *l, void *object, fetch_h h, const struct fetch_end *e)
{
	struct rrdp_fetch *f = (struct rrdp_fetch *)object;

	(void)l, (void)h;
	rrdp_sync_end(f->sync, e->e, e->why);
	ask_next(f);
}

/* Each request that cannot even be begun ends, and there are only so many. */
static void ask_next(struct rrdp_fetch *f)
{
	struct fetch_events ev = { .type = &rrdp_fetch_loop_type, .who = f->self.v, .head = on_head, .body = on_body, .ended = on_ended };
	const struct rrdp_request *q;

	while ((q = rrdp_sync_request(f->sync)) != NULL) {
		struct fetch_get r = { .uri = q->uri, .etag = q->etag, .modified = q->modified, .max_octets = q->max_octets, .deadline_ms = f->deadline_ms,
			.connect_ms = f->connect_ms };
		struct result x = fetcher_get(f->fetcher, &r, &ev, &f->transfer);

		if (OK(x))
			return;
		rrdp_sync_end(f->sync, x.e, err_text(x.e));
	}
	finish(f);
}

static void on_start(struct loop *l, void *object)
{
	struct rrdp_fetch *f = (struct rrdp_fetch *)object;

	(void)l;
	ask_next(f);
}

RESULT rrdp_fetch_begin(struct fetcher *fetcher, const struct rrdp_options *o, const struct rrdp_store *store, uint32_t deadline_ms, const struct rrdp_fetch_events *ev,
	rrdp_fetch_h *ret)
{
	AUTO(fetch_free) struct rrdp_fetch *f = (struct rrdp_fetch *)mem_alloc(sizeof *f);
	struct loop *l = fetcher->loop;
	struct result r;

	if (f == NULL)
		return FAIL(ERR_NOMEM);
	f->fetcher = fetcher;
	f->loop = l;
	f->ev = *ev;
	f->deadline_ms = deadline_ms;
	f->connect_ms = o->connect_ms;
	f->sync = rrdp_sync_new(o, store);
	if (f->sync == NULL)
		return FAIL(ERR_NOMEM);
	f->self = rrdp_fetch_enlist(l, f);
	if (f->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = loop_timer(l, &rrdp_fetch_loop_type, f->self.v, on_start, 0, &f->start);
	if (!OK(r)) {
		rrdp_fetch_retire(l, f->self);
		return r;
	}
	*ret = f->self;
	(void)MOVE(f); /* own-ok: R3 the loop has it by its handle until it is buried */
	return DONE;
}

void rrdp_fetch_stop(struct loop *l, rrdp_fetch_h h)
{
	struct rrdp_fetch *f = rrdp_fetch_get(l, h);

	if (f == NULL)
		return;
	fetch_close(f);
	rrdp_sync_free(MOVE(f->sync)); /* now: what the store has open may not outlive this call */
}
