#include "rpki/fetch/rrdp_fetch.h"

#include "base/mem.h"

LOOP_HANDLE_IMPL(rrdp_fetch)

struct rrdp_fetch {
	struct http_client *client PARENT_FIELD;
	struct loop *loop PARENT_FIELD;
	struct dead dead;
	rrdp_fetch_h self;
	struct rrdp_fetch_events ev;
	struct rrdp_sync *sync OWNED_FIELD;
	struct addr *addresses OWNED_FIELD;
	size_t count;
	http_transfer_h transfer;
	timer_h start;
	bool closed;
};

static void fetch_free(struct rrdp_fetch *f) TAKES(1);
static void fetch_free(struct rrdp_fetch *f)
{
	if (f == NULL)
		return;
	rrdp_sync_free(f->sync);
	mem_free(f->addresses);
	mem_free(f);
}
DEFINE_AUTO(struct rrdp_fetch, fetch_free)

static void fetch_bury(struct dead *d)
{
	fetch_free((struct rrdp_fetch *)(void *)((char *)d - offsetof(struct rrdp_fetch, dead)));
}

static void fetch_close(struct rrdp_fetch *f)
{
	if (f->closed)
		return;
	f->closed = true;
	rrdp_fetch_retire(f->loop, f->self);
	loop_timer_stop(f->loop, &f->start);
	http_cancel(f->client, f->transfer);
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
	http_cancel(f->client, f->transfer);
	rrdp_sync_end(f->sync, ERR_NONE, "");
	ask_next(f);
}

static void on_answer(struct loop *l, void *object, http_transfer_h t, const struct http_answer *a)
{
	struct rrdp_fetch *f = (struct rrdp_fetch *)object;

	(void)l, (void)t;
	if (!OK(rrdp_sync_answer(f->sync, a->status, a->etag, a->modified)))
		give_up(f);
}

static void on_body(struct loop *l, void *object, http_transfer_h t, struct span octets)
{
	struct rrdp_fetch *f = (struct rrdp_fetch *)object;

	(void)l, (void)t;
	if (!OK(rrdp_sync_data(f->sync, octets)))
		give_up(f);
}

static void on_ended(struct loop *l, void *object, http_transfer_h t, enum err e, const char *why)
{
	struct rrdp_fetch *f = (struct rrdp_fetch *)object;

	(void)l, (void)t;
	rrdp_sync_end(f->sync, e, why);
	ask_next(f);
}

/* Each request that cannot even be begun ends, and there are only so many. */
static void ask_next(struct rrdp_fetch *f)
{
	struct http_events ev = { .type = &rrdp_fetch_loop_type, .who = f->self.v, .answer = on_answer, .body = on_body, .ended = on_ended };
	const struct rrdp_request *q;

	while ((q = rrdp_sync_request(f->sync)) != NULL) {
		struct http_request r = { .uri = q->uri, .etag = q->etag, .modified = q->modified, .addresses = f->addresses, .count = f->count,
			.max_octets = q->max_octets, .gzip = true };
		struct result x = http_get(f->client, &r, &ev, &f->transfer);

		if (OK(x))
			return;
		rrdp_sync_end(f->sync, x.e, x.e == ERR_RANGE ? "no address" : err_text(x.e));
	}
	finish(f);
}

static void on_start(struct loop *l, void *object)
{
	struct rrdp_fetch *f = (struct rrdp_fetch *)object;

	(void)l;
	ask_next(f);
}

RESULT rrdp_fetch_begin(struct http_client *client, struct loop *l, const struct rrdp_options *o, const struct rrdp_store *store, const struct addr *addresses,
	size_t count, const struct rrdp_fetch_events *ev, rrdp_fetch_h *ret)
{
	AUTO(fetch_free) struct rrdp_fetch *f = (struct rrdp_fetch *)mem_alloc(sizeof *f);
	struct result r;

	if (f == NULL)
		return FAIL(ERR_NOMEM);
	f->client = client;
	f->loop = l;
	f->ev = *ev;
	f->count = count;
	f->sync = rrdp_sync_new(o, store);
	f->addresses = (struct addr *)mem_alloc_array(count, sizeof *f->addresses);
	if (f->sync == NULL || f->addresses == NULL)
		return FAIL(ERR_NOMEM);
	if (count > 0)
		memcpy(f->addresses, addresses, count * sizeof *addresses);
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

	if (f != NULL)
		fetch_close(f);
}
