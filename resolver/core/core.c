/* core.c: the way in: questions from clients, waiters, and the list of what is under way. The states are in query.c. */
#include "resolver/core/core.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/core/lookup.h"
#include "resolver/core/resolution.h"

#define ARENA_LIMIT (4u << 20) /* octets of one resolution: replies are bounded by its budget, this by their sets */

LOOP_HANDLE_IMPL(waiter)
LOOP_HANDLE_IMPL(resolution)

/* --- a core */

struct core *core_new(const struct core_env *env)
{
	AUTO(core_free) struct core *c = mem_alloc(sizeof *c);

	if (c == NULL)
		return NULL;
	c->env = *env;
	c->settings = env->settings;
	c->hasher = nsec3_hasher_new();
	if (c->hasher == NULL)
		return NULL;
	if (!OK(core_work_start(c)))
		return NULL;
	c->number = core_shared_enter(env->shared, env->loop);
	return c->number == 0 ? NULL : MOVE(c);
}

void core_free(struct core *c)
{
	if (c == NULL)
		return;
	c->closing = true;
	while (c->oldest != NULL)
		finish_failure(c->oldest, FAIL_DROPPED, "the resolver ends");
	core_work_end(c);
	core_shared_leave(c->env.shared, c->number);
	nsec3_hasher_free(MOVE(c->hasher));
	route_seat_done(&c->seat);
	flight_table_done(&c->flights);
	flight_table_done(&c->steps);
	for (size_t i = 0; i < c->pooled; i++)
		arena_free(MOVE(c->pool[i]));
	mem_free(c);
}

void core_set_settings(struct core *c, const struct core_settings *s)
{
	c->settings = s;
}

void core_set_validation(struct core *c, const struct validation *v)
{
	c->env.validation = v;
	/* what was found under the one before does not count: it begins anew at the next step */
	for (struct resolution *q = c->oldest; q != NULL; q = q->newer) {
		q->judge = NULL;
		q->chain = NULL;
		validate_forget(q);
		q->bogus = (struct bogus){ .is = false };
	}
}

const struct core_settings *core_oldest_settings(const struct core *c)
{
	return c->oldest != NULL ? c->oldest->settings : c->settings;
}

struct arena *core_arena(struct core *c)
{
	if (c->pooled == 0)
		return arena_new(ARENA_LIMIT);
	c->pooled--;
	return MOVE(c->pool[c->pooled]);
}

void core_arena_return(struct core *c, struct arena *a)
{
	if (c->closing || c->pooled == ARENA_POOL) {
		arena_free(MOVE(a));
		return;
	}
	arena_reset(a);
	c->pool[c->pooled++] = MOVE(a);
}

/* --- a resolution's life */

static void resolution_free(struct resolution *q) TAKES(1);
DEFINE_AUTO(struct resolution, resolution_free)
static void resolution_free(struct resolution *q)
{
	if (q == NULL)
		return;
	validate_forget(q);
	arena_free(MOVE(q->arena));
	mem_free(q);
}

static void resolution_bury(struct dead *d)
{
	resolution_free(PARENT_OF(d, struct resolution, dead));
}

static void list_in(struct core *c, struct resolution *q) TAKES(2);
static void list_in(struct core *c, struct resolution *q)
{
	q->older = c->newest;
	if (c->newest != NULL)
		c->newest->newer = q;
	else
		c->oldest = q;
	c->newest = q;
	c->count++;
}

static void list_out(struct core *c, struct resolution *q)
{
	if (q->older != NULL)
		q->older->newer = q->newer;
	else
		c->oldest = q->newer;
	if (q->newer != NULL)
		q->newer->older = q->older;
	else
		c->newest = q->older;
	c->count--;
}

static void out_of_time(struct loop *l, void *object)
{
	struct resolution *q = object;

	(void)l;
	q->deadline = (timer_h){ 0 };
	upstream_cancel(q->core->env.upstream, q->ask);
	q->ask = (ask_h){ 0 };
	validate_forget_pause(q);
	step_leave(q);
	/* A poor reply is better than none, if it can be judged by what is known. */
	q->late = true;
	if (q->weak != NULL && q->deleg != NULL && q->state != QUERY_CHAIN && q->state != QUERY_VALIDATE) {
		query_give_up(q);
		query_run(q);
	} else {
		finish_failure(q, FAIL_TIME, "out of time");
	}
}

static bool resolution_start(struct resolution *q, const struct question *s, unsigned int flags)
{
	struct core *c = q->core;

	q->q = (struct question){ name_dup_in(q->arena, s->name), s->type, s->rclass };
	if (q->q.name.wire == NULL)
		return false;
	q->now = q->q;
	q->flight = (struct flight){ .hash = flight_hash(core_shared_key(c->env.shared), &q->q, flags), .q = q->q, .flags = flags };
	q->self = resolution_enlist(c->env.loop, q);
	if (q->self.v == 0)
		return false;
	if (!OK(flight_add(&c->flights, &q->flight)) ||
	    !OK(loop_timer(c->env.loop, &resolution_loop_type, q->self.v, out_of_time, q->budget.left.time_ms, &q->deadline))) {
		flight_remove(&c->flights, &q->flight);
		resolution_retire(c->env.loop, q->self);
		return false;
	}
	return true;
}

/* A sub-question may not spend more than the one that asks has left. */
static void set_budget(struct resolution *q, struct resolution *parent)
{
	q->budget.left = parent == NULL ? q->settings->client : q->settings->sub;
	if (parent != NULL) {
		q->budget.parent = &parent->budget;
		q->depth = parent->depth + 1;
	}
	q->packets_seen = q->budget.left.packets;
}

struct resolution *resolution_new(struct core *c, const struct question *s, unsigned int flags, enum query_purpose p, struct resolution *parent)
{
	AUTO(resolution_free) struct resolution *made = c->closing ? NULL : mem_alloc(sizeof *made);
	struct resolution *q = made;

	if (q == NULL)
		return NULL;
	q->core = c;
	q->arena = core_arena(c);
	q->settings = c->settings;
	q->purpose = p;
	q->skip_cache = p == FOR_PRIMING;
	q->rejudge = p == FOR_CHAIN;
	q->chain_left = q->settings->chain_links;
	q->from_cache_left = q->settings->cached_judgements;
	q->restarts_left = c->env.validation == NULL ? 0 : c->env.validation->max_restart;
	q->started_ms = now_ms(loop_now(c->env.loop));
	set_budget(q, parent);
	if (q->arena == NULL || !resolution_start(q, s, flags))
		return NULL;
	list_in(c, MOVE(made));
	return q;
}

void resolution_close(struct resolution *q)
{
	struct core *c = q->core;

	if (q->closing)
		return;
	q->closing = true;
	q->state = QUERY_DONE;
	query_note_move(q);
	upstream_cancel(c->env.upstream, q->ask);
	q->ask = (ask_h){ 0 };
	loop_timer_stop(c->env.loop, &q->deadline);
	validate_forget_pause(q);
	step_leave(q);
	step_end(q);
	flight_remove(&c->flights, &q->flight);
	if (q->shared.flight.listed)
		core_shared_release(c->env.shared, &q->shared);
	sub_leave_all(q);
	list_out(c, q);
	resolution_retire(c->env.loop, q->self);
	loop_bury(c->env.loop, &q->dead, resolution_bury);
}

void resolution_unwanted(struct resolution *q)
{
	if (q->closing || q->state == QUERY_DONE || q->detached || q->waiters != NULL || q->parent_count > 0 || q->remotes != NULL)
		return;
	resolution_close(q);
}

/* --- waiters */

/* The client timer of RFC 8767 section 5: an expired answer now, and the resolution goes on for those who come later. */
static void stale_time(struct loop *l, void *object)
{
	struct waiter *w = object;
	struct resolution *q = w->resolution;
	struct answer stale;

	(void)l;
	w->stale = (timer_h){ 0 };
	if (!finish_find_stale(q->core, q->settings, &q->q, query_is_raw(q), q->arena, &stale))
		return;
	q->detached = true;
	waiter_tell(w, &stale);
}

static RESULT waiter_add(struct resolution *q, const struct resolve_request *r, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn,
    waiter_h *ret)
{
	AUTO(waiter_free) struct waiter *w = mem_alloc(sizeof *w);
	struct waiter **at = &q->waiters;
	struct loop *l = q->core->env.loop;

	if (w == NULL)
		return FAIL(ERR_NOMEM);
	*w = (struct waiter){ .resolution = q, .type = t, .who = who, .tag = tag, .fn = fn, .stale_ok = r->stale_ok };
	w->self = waiter_enlist(l, w);
	if (w->self.v == 0)
		return FAIL(ERR_NOMEM);
	/* Without the timer an expired answer comes later, on failure. */
	if (r->stale_ok && r->stale_after_ms > 0)
		(void)OK(loop_timer(l, &waiter_loop_type, w->self.v, stale_time, r->stale_after_ms, &w->stale));
	while (*at != NULL)
		at = &(*at)->next;
	*ret = w->self;
	*at = MOVE(w);
	return DONE;
}

void core_cancel(struct core *c, waiter_h h)
{
	struct waiter *w = waiter_get(c->env.loop, h);

	if (w == NULL)
		return;
	waiter_close(w);
	resolution_unwanted(w->resolution);
}

/* --- questions that need no resolution */

struct asker {
	struct core *core BORROWED_FIELD;
	const struct resolve_request *r BORROWED_FIELD;
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	uint32_t tag;
	resolve_fn *fn;
	struct arena *arena BORROWED_FIELD;
	struct draft draft;
	bool nothing; /* the cache has nothing of that name: it need not be asked again in this turn */
};

static void tell(const struct asker *k, const struct answer *a)
{
	void *object = loop_slot_get(k->core->env.loop, k->type, k->who);

	if (object != NULL)
		k->fn(k->core->env.loop, object, k->tag, a);
}

static bool tell_refused(const struct asker *k)
{
	struct answer a = { .q = k->r->q, .rcode = RCODE_REFUSED };

	if (k->r->q.rclass == CLASS_IN && (!rrtype_is_meta(k->r->q.type) || k->r->q.type == RR_ANY))
		return false;
	answer_add_ede(&a, k->r->q.rclass == CLASS_IN ? EDE_INVALID_QTYPE : EDE_NOT_SUPPORTED, NULL);
	tell(k, &a);
	return true;
}

/* RD clear and nothing known of the question itself: what we know of where to ask. */
static RESULT referral_from_cache(struct asker *k, struct answer *ret)
{
	const struct now *now = loop_now(k->core->env.loop);
	const struct bundle *cut = rrcache_deepest_delegation(k->core->env.rrcache, k->r->q.name, CLASS_IN, now), *spare = NULL;
	unsigned int floor = cut == NULL ? 0 : bundle_key(cut).name.labels + 1;

	for (unsigned int n = k->r->q.name.labels + 1; n > floor && spare == NULL; n--) {
		struct bundle_key key = { name_suffix(k->r->q.name, n - 1), RR_NS, CLASS_IN, BUNDLE_DATA };

		spare = rrcache_get(k->core->env.rrcache, &key, now, 0);
	}
	/* The zone's own word, when that was validated, says more than its parent's. */
	if (spare == NULL && cut != NULL) {
		struct bundle_key key = { bundle_key(cut).name, RR_NS, CLASS_IN, BUNDLE_DATA };

		spare = rrcache_get(k->core->env.rrcache, &key, now, 0);
		if (spare != NULL && lookup_security(spare) != SECURITY_SECURE)
			spare = NULL;
	}
	cut = spare != NULL ? spare : cut;
	if (cut == NULL) {
		ret->rcode = RCODE_REFUSED;
		answer_add_ede(ret, EDE_NOT_AUTHORITATIVE, NULL);
		return DONE;
	}
	for (size_t i = 0; i < bundle_count(cut); i++) {
		const struct rrset *rs = bundle_set(cut, i);
		bool address = rs->type == RR_A || rs->type == RR_AAAA;

		if (rs->type == RR_NS || address)
			TRY(draft_add_copy(&k->draft, k->arena, address ? PART_ADDITIONAL : PART_AUTHORITY, rs, bundle_ttl_left(cut, now)));
	}
	return draft_finish(&k->draft, k->arena, ret);
}

static RESULT tell_without_asking(struct asker *k)
{
	struct answer a = { .q = k->r->q };

	if (k->r->stale_ok && finish_find_stale(k->core, k->core->settings, &k->r->q, k->r->check_disabled, k->arena, &a)) {
		tell(k, &a);
		return DONE;
	}
	draft_clear(&k->draft);
	TRY(referral_from_cache(k, &a));
	tell(k, &a);
	return DONE;
}

static bool tell_stale(const struct asker *k)
{
	struct answer a;

	if (!k->r->stale_first || k->r->refresh || !finish_find_stale(k->core, k->core->settings, &k->r->q, k->r->check_disabled, k->arena, &a))
		return false;
	tell(k, &a);
	return true;
}

static RESULT tell_failure(struct asker *k, const struct bundle *failure)
{
	struct answer a = { .q = k->r->q }, stale;
	bool found;

	stats_inc(k->core->env.stats, COUNT_CORE_FAILURE_HITS);
	finish_describe_failure(&a, failure, k->arena);
	finish_prolong_stale(k->core, k->core->settings, &k->r->q, k->r->check_disabled, k->arena);
	found = a.by_route ? finish_find_validated(k->core, k->core->settings, &k->r->q, k->r->check_disabled, k->arena, &a, &stale) :
		k->r->stale_ok && finish_find_stale(k->core, k->core->settings, &k->r->q, k->r->check_disabled, k->arena, &stale);
	tell(k, found ? &stale : &a);
	return DONE;
}

/* *ret_told: it was answered from the cache. */
static RESULT tell_from_cache(struct asker *k, bool *ret_told)
{
	enum lookup_kind kind;
	struct answer a = { .q = k->r->q };
	struct lookup look = {
		.cache = k->core->env.rrcache, .settings = k->core->settings, .now = loop_now(k->core->env.loop), .arena = k->arena, .draft = &k->draft,
		.denials = core_denials(k->core), .hasher = k->core->hasher, .validation = k->core->env.validation,
		.flags = core_lookup_flags(k->core, k->r->check_disabled) | (k->r->no_upstream ? LOOKUP_NO_FAILURES : 0), .type = k->r->q.type, .name = k->r->q.name,
		.aliases_left = k->core->settings->client.cname_steps,
	};

	*ret_told = false;
	if (k->r->refresh)
		return DONE;
	TRY(lookup_answer(&look, &kind));
	switch (kind) {
	case LOOKUP_NOTHING:
		k->nothing = look.name.wire == k->r->q.name.wire;
		draft_clear(&k->draft);
		return DONE;
	case LOOKUP_UNCHECKED:
	case LOOKUP_LOOP:
		draft_clear(&k->draft);
		return DONE;
	case LOOKUP_FAILURE:
		*ret_told = true;
		return tell_failure(k, look.failure);
	case LOOKUP_NXDOMAIN:
		a.rcode = RCODE_NXDOMAIN;
		break;
	case LOOKUP_TOO_LONG:
		a.rcode = RCODE_YXDOMAIN;
		break;
	case LOOKUP_ANSWER:
	case LOOKUP_NODATA:
		break;
	}
	TRY(draft_finish(&k->draft, k->arena, &a));
	a.cacheable = a.ttl > 0;
	a.synthesized = look.synthesized;
	validate_finish_answer(k->core, !k->r->check_disabled, &a);
	stats_inc(k->core->env.stats, COUNT_CORE_CACHE_ANSWERS);
	*ret_told = true;
	tell(k, &a);
	return DONE;
}

/* --- questions that do */

static void start_or_join_remote(struct resolution *q)
{
	uint32_t core = 0;
	uint64_t resolution = 0;

	q->shared = (struct shared_flight){ .flight = q->flight, .core = q->core->number, .resolution = q->self.v };
	q->shared.flight.listed = false;
	if (!core_shared_claim(q->core->env.shared, &q->shared, &core, &resolution) && core != q->core->number) {
		q->state = QUERY_REMOTE;
		query_note_move(q);
		q->skip_cache = q->renew;
		if (remote_join(q, core, resolution)) {
			stats_inc(q->core->env.stats, COUNT_CORE_JOINED_REMOTE);
			return;
		}
		q->state = QUERY_LOOKUP;
	}
	query_run(q);
}

static RESULT resolve(struct core *c, const struct resolve_request *r, bool nothing, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn,
    waiter_h *ret)
{
	unsigned int flags = r->check_disabled ? FLIGHT_CD : 0;
	struct flight *f = flight_find(&c->flights, flight_hash(core_shared_key(c->env.shared), &r->q, flags), &r->q, flags);
	struct resolution *q;

	if (f != NULL) {
		q = PARENT_OF(f, struct resolution, flight);
		stats_inc(c->env.stats, COUNT_CORE_JOINED);
		return waiter_add(q, r, t, who, tag, fn, ret);
	}
	q = resolution_new(c, &r->q, flags, FOR_CLIENT, NULL);
	if (q == NULL)
		return FAIL(ERR_NOMEM);
	q->renew = r->refresh;
	q->skip_cache = r->refresh || nothing;
	if (!OK(waiter_add(q, r, t, who, tag, fn, ret))) {
		resolution_close(q);
		return FAIL(ERR_NOMEM);
	}
	stats_inc(c->env.stats, COUNT_CORE_STARTED);
	start_or_join_remote(q);
	return DONE;
}

RESULT core_resolve(struct core *c, const struct resolve_request *r, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn,
    waiter_h *ret)
{
	AUTO(arena_free) struct arena *a = core_arena(c);
	struct asker k = { .core = c, .r = r, .type = t, .who = who, .tag = tag, .fn = fn, .arena = a };
	struct result done = DONE;
	bool told = false;

	*ret = (waiter_h){ 0 };
	if (a == NULL)
		return FAIL(ERR_NOMEM);
	if (tell_refused(&k)) {
		told = true;
	} else {
		done = tell_from_cache(&k, &told);
		if (OK(done) && !told && tell_stale(&k))
			told = true;
		if (OK(done) && !told && r->no_upstream) {
			done = tell_without_asking(&k);
			told = true;
		}
	}
	core_arena_return(c, MOVE(a));
	if (!OK(done) || told)
		return done;
	return resolve(c, r, k.nothing, t, who, tag, fn, ret);
}

/* --- the control socket */

size_t core_resolutions(const struct core *c)
{
	return c->count;
}

void core_drop_oldest(struct core *c, size_t n)
{
	struct resolution *q = c->oldest;

	while (q != NULL && n > 0) {
		struct resolution *next = q->newer;

		/* What serves other questions too ends with them. */
		if (q->purpose == FOR_CLIENT && !q->closing) {
			finish_failure(q, FAIL_DROPPED, "dropped under overload");
			n--;
			next = c->oldest;
			while (next != NULL && next->purpose != FOR_CLIENT)
				next = next->newer;
		}
		q = next;
	}
}

static void dump_one(struct resolution *q, struct strbuf *out)
{
	char name[NAME_TEXT], type[RRTYPE_TEXT], at[ENDPOINT_TEXT];
	uint64_t age = now_ms(query_now(q)) - q->started_ms;

	strbuf_printf(out, "%s IN %s %llu.%03llu %s", name_to_text(q->q.name, name), rrtype_text(q->q.type, type), (unsigned long long)(age / 1000),
	    (unsigned long long)(age % 1000), query_state_text(q->state));
	if (q->state == QUERY_ASKING)
		strbuf_printf(out, " %s", endpoint_text(&q->deleg->servers[q->server].at, at));
	strbuf_putc(out, '\n');
}

void core_dump_requests(const struct core *c, struct strbuf *out)
{
	for (struct resolution *q = c->oldest; q != NULL; q = q->newer)
		dump_one(q, out);
}

static void explain(const struct deleg_env *e, struct infra *infra, struct name name, struct strbuf *out)
{
	struct deleg *d = NULL;

	if (OK(deleg_find(e, name, RR_A, 0, &d)) && (d != NULL || OK(deleg_from_hints(e, &d))) && d != NULL)
		deleg_list_servers(d, infra, e->now, out);
}

void core_explain_servers_of(struct rrcache *cache, struct infra *infra, const struct core_settings *settings, struct name name, const struct now *now,
    struct strbuf *out)
{
	AUTO(arena_free) struct arena *a = arena_new(ARENA_LIMIT);
	struct deleg_env e = { .arena = a, .settings = settings, .cache = cache, .now = now };

	if (a != NULL)
		explain(&e, infra, name, out);
}

void core_explain_servers(struct core *c, struct name name, struct strbuf *out)
{
	core_explain_servers_of(c->env.rrcache, c->env.infra, c->settings, name, loop_now(c->env.loop), out);
}
