/*
 * cycle_gate.c: which repository a publication point waits for. Repositories are entries of a table that only grows, under the run's lock; an entry's `state` is what both sides look at.
 * Threads make new entries and wake the loop by a message; the loop does everything else.
 */
#include "rpki/cycle_inside.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "net/http_url.h"
#include "rpki/fetch/uri.h"
#include "rpki/object/key.h"

struct wake {
	struct message m; /* first: it is freed by it */
	cycle_h c;
};

void place_free(struct place *p)
{
	if (p == NULL)
		return;
	rrdp_keep_free(MOVE(p->keep));
	mem_free(p->uri);
	mem_free(p->module);
	mem_free(p->why);
	mem_free(p);
}
static struct cycle *cycle_of(struct validate_gate *g) BORROWED;
static struct cycle *cycle_of(struct validate_gate *g)
{
	return (struct cycle *)(void *)g;
}

static void wake_run(struct loop *l, struct message *m)
{
	struct cycle *c = cycle_get(l, ((const struct wake *)(const void *)m)->c);

	if (c == NULL)
		return;
	lock_take(&c->lock);
	c->woken = false;
	lock_give(&c->lock);
	cycle_check(c);
}

static void wake_free(struct message *m)
{
	mem_free(m); /* own-ok: R4 the queue owned it */
}

static void wake_drop(struct wake *w) TAKES(1);
static void wake_drop(struct wake *w)
{
	mem_free(w);
}
DEFINE_AUTO(struct wake, wake_drop)

/* With the lock. */
static bool wake_up(struct cycle *c)
{
	AUTO(wake_drop) struct wake *w = NULL;

	if (c->woken)
		return true;
	w = mem_alloc(sizeof *w);
	if (w == NULL)
		return false;
	w->m.run = wake_run;
	w->m.free = wake_free;
	w->c = c->self;
	c->woken = true;
	loop_post(c->loop, &MOVE(w)->m);
	return true;
}

void cycle_gate_idle(struct validate_gate *g)
{
	struct cycle *c = cycle_of(g);

	lock_take(&c->lock);
	(void)wake_up(c); /* out of memory: the run's deadline ends it */
	lock_give(&c->lock);
}

static uint32_t bucket_of(bool rrdp, struct span uri)
{
	uint8_t hash[32];

	sha256_of(uri, hash);
	return (load32(hash) + rrdp) % CYCLE_BUCKETS;
}

static struct place *find_place(const struct cycle *c, bool rrdp, struct span uri) BORROWED;
static struct place *find_place(const struct cycle *c, bool rrdp, struct span uri)
{
	struct place *p = c->buckets[bucket_of(rrdp, uri)].first;

	while (p != NULL && (p->rrdp != rrdp || !span_equal(span_text(p->uri), uri)))
		p = p->chain;
	return p;
}

static struct place *make_place(struct cycle *c, bool rrdp, struct span uri, struct span module, size_t anchor) BORROWED;
static struct place *make_place(struct cycle *c, bool rrdp, struct span uri, struct span module, size_t anchor)
{
	AUTO(place_free) struct place *p = mem_alloc(sizeof *p);
	struct bucket *b = &c->buckets[bucket_of(rrdp, uri)];
	struct place *made = p;

	if (p == NULL)
		return NULL;
	p->uri = mem_strndup((const char *)uri.p, uri.n);
	p->module = mem_strndup(module.n > 0 ? (const char *)module.p : "", module.n);
	if (p->uri == NULL || p->module == NULL)
		return NULL;
	if (c->count == c->room) {
		if (!OK(mem_resize((void **)(void *)&c->places, c->room, c->room + 64, sizeof *c->places)))
			return NULL;
		c->room += 64;
	}
	p->c = c;
	p->rrdp = rrdp;
	p->anchor = anchor;
	p->number = (uint32_t)c->count;
	p->chain = b->first;
	b->first = made;
	c->places[c->count++].place = MOVE(p);
	c->per_anchor[anchor]++;
	c->counts.repositories++;
	return made;
}

static bool one_too_many(const struct cycle *c, const struct validate_point *p)
{
	const struct cycle_limits *l = &c->o.limits;

	return c->count >= l->repositories || c->per_anchor[p->anchor] >= l->anchor_repositories ||
	    (p->branch_repositories != NULL && *p->branch_repositories >= l->branch_repositories);
}

/* Names of this machine are not to be asked for by a stranger's word, and a name has a dot. */
static bool host_is_dubious(struct span host)
{
	return host.n == 0 || memchr(host.p, '.', host.n) == NULL || memchr(host.p, ':', host.n) != NULL || (host.p[host.n - 1] >= '0' && host.p[host.n - 1] <= '9') ||
	    (host.n >= 9 && strncasecmp((const char *)host.p + host.n - 9, "localhost", 9) == 0);
}

static struct span rsync_host(struct span module)
{
	size_t from = strlen("rsync://"), n = from;

	while (n < module.n && module.p[n] != '/' && module.p[n] != ':')
		n++;
	return n > from ? span_of(module.p + from, n - from) : (struct span){ NULL, 0 };
}

static bool may_fetch(struct cycle *c, bool rrdp, struct span uri)
{
	struct http_url u;
	bool good = rrdp ? OK(http_url_parse(uri, &u)) : uri.n > 0 && rsync_folder_ok(uri);

	if (!good)
		return false;
	if (c->o.dubious_hosts || !host_is_dubious(rrdp ? u.host : rsync_host(uri)))
		return true;
	c->counts.dubious++;
	return false;
}

/* Where a point that wants this waits; NULL: nowhere, and *ret_good says whether because it is there. */
static struct place *wait_for(struct cycle *c, const struct validate_point *p, bool rrdp, struct span uri, struct span module, bool *ret_good) BORROWED;
static struct place *wait_for(struct cycle *c, const struct validate_point *p, bool rrdp, struct span uri, struct span module, bool *ret_good)
{
	struct place *at = find_place(c, rrdp, uri);

	*ret_good = at != NULL && at->state == STATE_GOOD;
	if (at != NULL)
		return at->state == STATE_NEW || at->state == STATE_UNDER_WAY ? at : NULL;
	if (c->late || !may_fetch(c, rrdp, uri))
		return NULL;
	if (one_too_many(c, p)) {
		c->counts.over_limit++;
		return NULL;
	}
	at = make_place(c, rrdp, uri, module, p->anchor);
	if (at == NULL || !wake_up(c)) {
		if (at != NULL)
			at->state = STATE_FAILED;
		return NULL; /* out of memory: as if it could not be fetched */
	}
	at->report.fallback = !rrdp && c->o.rrdp && p->notify.n > 0;
	if (p->branch_repositories != NULL)
		++*p->branch_repositories;
	return at;
}

bool cycle_gate_may_pass(struct validate_gate *g, const struct validate_point *p, uint32_t *ret_place)
{
	struct cycle *c = cycle_of(g);
	struct span module = rsync_module(p->manifest);
	struct place *at = NULL;
	uint64_t over, dubious;
	bool good = false;

	lock_take(&c->lock);
	over = c->counts.over_limit;
	dubious = c->counts.dubious;
	if (c->o.rrdp && p->notify.n > 0)
		at = wait_for(c, p, true, p->notify, module, &good);
	if (at == NULL && !good && c->o.rsync)
		at = wait_for(c, p, false, module, module, &good);
	if (c->counts.over_limit > over)
		c->counts.over_limit = over + (at == NULL); /* by RRDP and by rsync it is the same point, and one that waits asks again */
	if (c->counts.dubious > dubious)
		c->counts.dubious = dubious + (at == NULL);
	if (at != NULL)
		*ret_place = at->number;
	lock_give(&c->lock);
	return at == NULL;
}
