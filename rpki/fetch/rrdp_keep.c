#include "rpki/fetch/rrdp_keep.h"

#include "base/arena.h"
#include "base/mem.h"
#include "rpki/store/store.h"

struct rrdp_keep {
	struct store *store PARENT_FIELD;
	char *notify OWNED_FIELD;
	struct store_update *update OWNED_FIELD; /* under way */
	int64_t now;
};

void rrdp_keep_free(struct rrdp_keep *k)
{
	if (k == NULL)
		return;
	store_update_free(MOVE(k->update));
	mem_free(MOVE(k->notify));
	mem_free(k);
}

struct rrdp_keep *rrdp_keep_new(struct store *s, const char *notify, int64_t now)
{
	AUTO(rrdp_keep_free) struct rrdp_keep *k = mem_alloc(sizeof *k);

	if (k == NULL)
		return NULL;
	k->store = s;
	k->now = now;
	k->notify = mem_strdup(notify);
	return k->notify != NULL ? MOVE(k) : NULL;
}

RESULT rrdp_keep_state(struct rrdp_keep *k, struct arena *a, struct span *ret)
{
	AUTO(store_view_close) struct store_view *v = NULL;
	struct store_source src;
	struct result r;
	const uint8_t *copy;

	*ret = (struct span){ NULL, 0 };
	TRY(store_view_open(k->store, &v));
	r = store_source(v, STORE_RRDP, span_text(k->notify), &src);
	if (r.e == ERR_NOTFOUND)
		return DONE;
	TRY(r);
	copy = arena_dup(a, src.state.p, src.state.n);
	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	*ret = span_of(copy, src.state.n);
	return DONE;
}

static struct result keep_begin(void *ctx, bool whole)
{
	struct rrdp_keep *k = ctx;

	store_update_free(MOVE(k->update));
	return store_update_begin(k->store, STORE_RRDP, span_text(k->notify), whole ? STORE_REPLACE : STORE_CHANGE, &k->update);
}

static struct result keep_publish(void *ctx, struct span uri, const uint8_t *replaces, struct span octets)
{
	struct rrdp_keep *k = ctx;

	return store_update_publish(k->update, uri, replaces, octets);
}

static struct result keep_withdraw(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH])
{
	struct rrdp_keep *k = ctx;

	return store_update_withdraw(k->update, uri, hash);
}

static struct result keep_commit(void *ctx, struct span state)
{
	struct rrdp_keep *k = ctx;
	struct result r = store_update_commit(k->update, state, k->now);

	store_update_free(MOVE(k->update));
	return r;
}

static struct result keep_touch(void *ctx, struct span state)
{
	struct rrdp_keep *k = ctx;

	return store_touch(k->store, STORE_RRDP, span_text(k->notify), state, k->now);
}

static void keep_abort(void *ctx)
{
	struct rrdp_keep *k = ctx;

	store_update_free(MOVE(k->update));
}

struct rrdp_store rrdp_keep_store(struct rrdp_keep *k)
{
	return (struct rrdp_store){ .ctx = k, .begin = keep_begin, .publish = keep_publish, .withdraw = keep_withdraw, .commit = keep_commit, .touch = keep_touch, .abort = keep_abort };
}
