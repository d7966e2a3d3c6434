/*
 * Invariants of a struct client: (1) it is in exactly one of s->clients and s->refreshes while open, and in none once closed; (2) a
 * client that owes a reply closes with told set: it was answered, or dropped with a reason that is counted; (3) quota holds one
 * QUOTA_WAITING for each open client that owes a reply.
 */
#include "resolver/serve/client.h"

#include <assert.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "resolver/cache/anscache.h"
#include "resolver/core/core.h"
#include "resolver/serve/answer_filter.h"
#include "resolver/serve/answer_route.h"
#include "resolver/serve/hit.h"
#include "resolver/serve/obligation.h"
#include "resolver/serve/quota.h"
#include "resolver/serve/render.h"
#include "resolver/serve/serve_tap.h"
#include "resolver/serve/tcp.h"
#include "resolver/stats.h"

#define CHAIN_OCTETS 65536u    /* of local data that an answer starts with */
#define PATIENCE_MS 4500u      /* stubs give up after five seconds */
#define REFRESH_AGAIN_SEC 5u   /* a refresh of the same entry is not begun again for so long */

LOOP_HANDLE_IMPL(client)

struct client {
	struct serve *serve PARENT_FIELD;
	struct client *next OWNED_FIELD, *prev BORROWED_FIELD; /* in a list of serve */
	struct dead dead;
	client_h self;
	waiter_h waiter;
	struct origin origin;
	struct reply_to to;        /* its name is the one below */
	struct name_buf name;
	struct arena *arena OWNED_FIELD; /* for chain */
	const struct answer *chain ARENA_FIELD; /* local data that comes first, or NULL */
	uint64_t since_ms;
	uint64_t since_ns;
	uint64_t hash;
	uint32_t variant;
	timer_h patience;
	bool refresh;              /* nobody waits */
	bool gave_up;              /* nobody waits any more */
	bool recurse;
	bool resolving;            /* core knows it */
	bool told;
	bool closing;
};

static void list_add(struct client_list *l, struct client *c) TAKES(2);
static void list_add(struct client_list *l, struct client *c)
{
	struct client **end = l->newest != NULL ? &l->newest->next : &l->oldest;

	c->next = NULL;
	c->prev = l->newest;
	*end = MOVE(c);
	l->newest = *end;
	l->count++;
}

static void list_remove(struct client_list *l, struct client *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		l->oldest = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		l->newest = c->prev;
	c->next = c->prev = NULL;
	l->count--;
}

static void client_free(struct client *c) TAKES(1);
DEFINE_AUTO(struct client, client_free)
static void client_free(struct client *c)
{
	if (c == NULL)
		return;
	arena_free(MOVE(c->arena));
	mem_free(c);
}

static void client_bury(struct dead *d)
{
	struct client *c = PARENT_OF(d, struct client, dead);

	assert(c->told); /* invariant 2 */
	client_free(c); /* own-ok: R4 the grave owned it */
}

static void client_close(struct client *c)
{
	struct serve *s = c->serve;

	if (c->closing)
		return;
	c->closing = true;
	list_remove(c->refresh ? &s->refreshes : &s->clients, c);
	if (!c->refresh)
		quota_close(s->quota, &c->origin.from.a, QUOTA_WAITING);
	loop_timer_stop(s->env.loop, &c->patience);
	client_retire(s->env.loop, c->self);
	loop_bury(s->env.loop, &c->dead, client_bury);
	if (origin_is_tcp(&c->origin))
		session_question_done(s, c->origin.session);
}

/* The reply is no longer owed: it was sent. */
void obligation_met(struct client *c)
{
	c->told = true;
	client_close(c);
}

/* The reply is no longer owed, for a reason that is counted. */
void obligation_dropped(struct client *c, enum counter why)
{
	stats_inc(c->serve->env.stats, why);
	c->told = true;
	client_close(c);
}

static struct client *client_make(struct serve *s) OWNED_BY(client_free);
static struct client *client_make(struct serve *s)
{
	AUTO(client_free) struct client *c = mem_alloc(sizeof *c);

	if (c == NULL)
		return NULL;
	c->serve = s;
	c->self = client_enlist(s->env.loop, c);
	if (c->self.v == 0)
		return NULL;
	c->since_ns = loop_now(s->env.loop)->mono_ns;
	c->since_ms = now_ms(loop_now(s->env.loop));
	return MOVE(c);
}

static struct ans_key key_of(const struct client *c)
{
	return (struct ans_key){ name_of(&c->name), c->to.type, c->to.rclass, c->variant };
}

/* One line for the operator, at most a few a second: which servers failed how. */
static void log_failure(const struct client *c, const struct answer *a)
{
	char name[NAME_TEXT], type[RRTYPE_TEXT], cls[RRTYPE_TEXT];

	if (a->rcode != RCODE_SERVFAIL || !c->serve->env.settings->log_servfail)
		return;
	log_limited(LOG_LEVEL_NOTICE, "SERVFAIL <%s %s %s>: %s", name_to_text(name_of(&c->name), name),
	    rrtype_text(c->to.type, type), rrclass_text(c->to.rclass, cls), a->why != NULL ? a->why : "no reason given");
}

static void send_entry(struct client *c, const struct ans_entry *e)
{
	struct serve *s = c->serve;
	const struct now *now = loop_now(s->env.loop);
	uint8_t *buf = serve_room(s, &c->origin, c->to.limit);
	uint64_t took_us = (now->mono_ns - c->since_ns) / 1000;
	uint16_t flags = load16(ans_packet(e) + 2);
	size_t len;

	if (buf == NULL)
		return;
	len = hit_compose(s->env.settings, e, &c->to, now_sec(now), buf, c->to.limit);
	if (len > 0 && (load16(buf + 2) & MSG_TC) != 0)
		stats_inc(s->env.stats, COUNT_ANSWERS_TRUNCATED);
	if (s->tap != NULL)
		serve_tap_entry(s, &c->origin, span_of(buf, len), e, TAP_HOW_RESOLVED, c->since_ns);
	serve_send(s, &c->origin, len);
	reply_count(s->env.stats, flags & 15, (e->flags & HIT_NO_DATA) != 0);
	stats_inc(s->env.stats, COUNT_RECURSIVE_REPLIES);
	stats_add(s->env.stats, COUNT_RECURSION_US, took_us);
	if ((e->flags & HIT_STALE) != 0)
		stats_inc(s->env.stats, COUNT_EXPIRED);
	if (s->env.settings->log_replies)
		serve_log_reply(s, &c->origin, &c->to, flags & 15, took_us, false, len);
}

static void send_failure(struct client *c)
{
	struct reply_code code = { .rcode = RCODE_SERVFAIL, .recursion_available = true };

	serve_code(c->serve, &c->origin, &c->to, &code);
}

/* Another client's answer that was published in this turn serves all that waited for it. */
static const struct ans_entry *published_now(struct client *c) BORROWED;
static const struct ans_entry *published_now(struct client *c)
{
	struct serve *s = c->serve;
	struct ans_key k = key_of(c);
	uint32_t now = now_sec(loop_now(s->env.loop));
	const struct ans_entry *e;

	if (c->chain != NULL || !c->recurse)
		return NULL;
	e = anscache_get(s->env.anscache, &k, c->hash);
	return e != NULL && e->stored_sec == now && hit_is_fresh(e, serve_stamp(s), now) ? e : NULL;
}

/* The local alias, then what its target gave. */
static bool join_chain(const struct client *c, const struct answer *a, struct answer *ret)
{
	size_t own = c->chain->answer_count, all = own + a->answer_count + a->authority_count + a->additional_count;
	struct answer_set *sets = arena_alloc_array(c->arena, all > 0 ? all : 1, sizeof *sets);

	if (sets == NULL)
		return false;
	memcpy(sets, c->chain->sets, own * sizeof *sets);
	if (all > own)
		memcpy(sets + own, a->sets, (all - own) * sizeof *sets);
	*ret = *a;
	ret->q = (struct question){ name_of(&c->name), c->to.type, c->to.rclass };
	ret->authoritative = c->chain->authoritative;
	ret->cacheable = false;
	ret->sets = sets;
	ret->answer_count = own + a->answer_count;
	return true;
}

static bool may_publish(const struct client *c, const struct answer *a)
{
	return a->cacheable && !a->stale && a->ttl > 0 && c->recurse && c->chain == NULL && c->to.type != RR_ANY;
}

/* TOLD_NOT: out of memory, nobody was told. TOLD_NOTHING: nobody is to be. */
enum told { TOLD, TOLD_NOT, TOLD_NOTHING };

/* Judges, renders, answers who waits, publishes. */
static enum told render_and_send(struct client *c, const struct answer *a)
{
	struct serve *s = c->serve;
	struct render how = { s->env.settings, loop_now(s->env.loop), serve_stamp(s), s->scratch };
	AUTO(ans_entry_free) struct ans_entry *e = NULL;
	struct ans_key k = key_of(c);
	struct answer_filter filter;
	struct answer_route route;
	struct answer joined;

	if (c->chain != NULL) {
		if (!join_chain(c, a, &joined))
			return TOLD_NOT;
		a = &joined;
	}
	a = answer_route_judge(s, a, &route);
	a = answer_filter_judge(s, a, c->chain != NULL ? c->chain->answer_count : 0, &filter);
	if (filter.nothing)
		return TOLD_NOTHING;
	if (!OK(render_answer(&how, a, &k, c->hash, &e)))
		return TOLD_NOT;
	e->watched = route.mask | filter.mask;
	e->flags |= filter.blocked ? HIT_FILTERED : 0;
	if (!c->refresh)
		send_entry(c, e);
	if (may_publish(c, a) && (int32_t)(e->expires_sec - e->stored_sec) > 0 && serve_is_worth_a_place(s, a, c->hash)) {
		anscache_put(s->env.anscache, s->env.member, MOVE(e));
		answer_route_stored(s, &k, c->hash, &route);
		answer_filter_stored(s, &k, c->hash, &filter);
	}
	return TOLD;
}

/* False: policy says that nobody is told. */
static bool answer_client(struct client *c, const struct answer *a)
{
	const struct ans_entry *e = published_now(c);
	enum told told = TOLD;

	if (e != NULL && !c->refresh)
		send_entry(c, e);
	else
		told = render_and_send(c, a);
	if (told == TOLD_NOT && !c->refresh)
		send_failure(c);
	if (!c->refresh || c->gave_up)
		log_failure(c, a);
	if (a->stale && !c->refresh) /* the resolution goes on for those who ask next (RFC 8767 section 5) */
		client_refresh(
		    c->serve, &(struct question){ name_of(&c->name), c->to.type, c->to.rclass }, c->variant, c->hash, false);
	return told != TOLD_NOTHING || c->refresh;
}

/* Nobody waits any more, but the next who asks shall have it. */
static void publish_late(struct client *c, const struct answer *a)
{
	c->origin.port = (port_h){ 0 }; /* nothing can be sent */
	(void)render_and_send(c, a);
}

/*
 * Large answers that were held back and come all at once are what discard-timeout is against (pulsing attacks). A failure is about
 * as small as its question, as many as wait-limit lets wait, and ends the client's waiting: it is always told.
 */
static bool is_too_late(const struct client *c, const struct answer *a)
{
	uint32_t limit = c->serve->env.settings->discard_ms;

	return limit != 0 && a->rcode != RCODE_SERVFAIL && !c->refresh && !origin_is_tcp(&c->origin) &&
	       now_ms(loop_now(c->serve->env.loop)) - c->since_ms > limit;
}

static void take_answer(struct client *c, const struct answer *a)
{
	OBLIGATION(owed, c);

	c->resolving = false;
	if (is_too_late(c, a)) {
		publish_late(c, a);
		OBLIGATION_DROP(owed, COUNT_QUERIES_DISCARDED);
		return;
	}
	if (answer_client(c, a))
		OBLIGATION_MET(owed);
	else
		OBLIGATION_DROP(owed, COUNT_DROPPED_POLICY);
}

/* core has the answer. */
static void client_resolved(struct loop *l, void *object, uint32_t tag, const struct answer *a)
{
	struct client *c = object;

	(void)l;
	(void)tag;
	take_answer(c, a);
}

static struct resolve_request request_of(const struct client *c, const struct name *target, bool renew)
{
	const struct serve_settings *s = c->serve->env.settings;
	struct resolve_request r = { .q = { name_of(&c->name), c->to.type, c->to.rclass } };

	if (target != NULL)
		r.q.name = *target;
	r.check_disabled = (c->variant & ANS_CD) != 0;
	r.refresh = renew;
	r.no_upstream = !c->recurse;
	r.stale_ok = s->serve_expired && !c->refresh;
	r.stale_first = r.stale_ok && s->expired_wait_ms == 0;
	r.stale_after_ms = r.stale_ok ? s->expired_wait_ms : 0;
	return r;
}

static void start(struct client *c, const struct name *target, bool renew)
{
	struct resolve_request r = request_of(c, target, renew);
	waiter_h waiter = { 0 };

	c->resolving = true;
	if (OK(core_resolve(c->serve->env.core, &r, &client_loop_type, c->self.v, 0, client_resolved, &waiter))) {
		if (!c->closing)
			c->waiter = waiter;
		return;
	}
	c->resolving = false;
	if (c->closing)
		return;
	if (!c->refresh)
		send_failure(c);
	obligation_met(c);
}

/*
 * An answer would come too late now, and the stub is about to give up: it is told so, and what it waited for becomes a refresh, which goes on for those who ask
 * next. Where answers are never too late (discard-timeout: 0, TCP) clients wait as long as the resolution lasts.
 */
static void out_of_patience(struct loop *l, void *object)
{
	struct client *c = object;
	struct serve *s = c->serve;
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	struct reply_code code = { .rcode = RCODE_SERVFAIL, .recursion_available = true };

	(void)l;
	c->patience = (timer_h){ 0 };
	if (s->env.settings->ede)
		reply_ede_option(&w, EDE_NO_REACHABLE, "no answer in time");
	code.ede = writer_done(&w);
	serve_code(s, &c->origin, &c->to, &code);
	stats_inc(s->env.stats, COUNT_QUERIES_GIVEN_UP);
	list_remove(&s->clients, c);
	quota_close(s->quota, &c->origin.from.a, QUOTA_WAITING);
	c->refresh = c->gave_up = true;
	list_add(&s->refreshes, c); /* own-ok: R4 from one list to the other */
}

static void limit_patience(struct client *c)
{
	uint32_t discard = c->serve->env.settings->discard_ms;

	if (discard != 0 && !origin_is_tcp(&c->origin)) /* without memory for the timer it waits longer */
		(void)OK(loop_timer(c->serve->env.loop, &client_loop_type, c->self.v, out_of_patience, discard > PATIENCE_MS ? discard : PATIENCE_MS,
		    &c->patience));
}

/* The client leaves, for a reason. */
static void client_leave(struct client *c, enum counter why)
{
	OBLIGATION(owed, c);

	if (c->resolving)
		core_cancel(c->serve->env.core, c->waiter);
	c->resolving = false;
	OBLIGATION_DROP(owed, why);
}

/* The queue is full: the oldest slow work gives way, when it is slow enough; hits go on being answered meanwhile. False: no room.
 */
static bool make_room(struct serve *s)
{
	const struct serve_settings *set = s->env.settings;
	struct client *oldest;

	if (s->clients.count + s->refreshes.count < set->max_waiting)
		return true;
	if (s->refreshes.oldest != NULL) {
		client_leave(s->refreshes.oldest, COUNT_LIST_OVERWRITTEN);
		return true;
	}
	oldest = s->clients.oldest;
	if (oldest == NULL || now_ms(loop_now(s->env.loop)) - oldest->since_ms < set->jostle_ms)
		return false;
	stats_inc(s->env.stats, COUNT_LIST_OVERWRITTEN);
	core_drop_oldest(s->env.core, 1);
	if (s->clients.count < set->max_waiting)
		return true;
	/* what was dropped had none of ours waiting */
	client_leave(s->clients.oldest, COUNT_LIST_OVERWRITTEN);
	return true;
}

static uint32_t wait_limit(const struct serve *s, const struct request *r)
{
	const struct serve_settings *set = s->env.settings;
	const struct prefix_map *m = r->good_cookie ? set->wait_cookie : set->wait;
	struct addr client = addr_unmap(&r->origin.from.a);
	uint32_t v;

	if (m != NULL && prefix_map_get(m, &client, &v))
		return v == UINT32_MAX ? 0 : v;
	return r->good_cookie ? set->wait_limit_cookie : set->wait_limit;
}

static void fill(struct client *c, const struct request *r)
{
	c->origin = r->origin;
	c->to = r->to;
	name_copy(&c->name, r->to.name);
	c->to.name = name_of(&c->name);
	c->variant = r->variant;
	c->hash = r->hash;
	c->recurse = r->recurse;
}

/* Copies the local part of the answer: the zones may change while we wait. */
static bool keep_chain(struct client *c, const struct answer *chain)
{
	struct answer *copy;

	c->arena = arena_new(CHAIN_OCTETS);
	copy = c->arena != NULL ? arena_dup(c->arena, chain, sizeof *chain) : NULL;
	if (copy == NULL)
		return false;
	copy->authority_count = copy->additional_count = 0;
	copy->sets = arena_dup(c->arena, chain->sets, chain->answer_count * sizeof *chain->sets);
	if (copy->sets == NULL)
		return false;
	for (size_t i = 0; i < chain->answer_count; i++) {
		copy->sets[i].rs = rrset_copy_in(c->arena, chain->sets[i].rs);
		if (copy->sets[i].rs == NULL)
			return false;
	}
	c->chain = copy;
	return true;
}

static void count_waiting(struct serve *s)
{
	uint64_t n = s->clients.count;

	stats_add(s->env.stats, COUNT_LIST_SUM, n);
	if (n > stats_get(s->env.stats, COUNT_LIST_MAX))
		stats_add(s->env.stats, COUNT_LIST_MAX, n - stats_get(s->env.stats, COUNT_LIST_MAX));
}

void client_wait(struct serve *s, const struct request *r, const struct answer *chain, const struct name *target)
{
	AUTO(client_free) struct client *made = NULL;
	struct client *c;

	stats_inc(s->env.stats, COUNT_CACHE_MISSES);
	if (!make_room(s)) {
		stats_inc(s->env.stats, COUNT_LIST_EXCEEDED);
		return;
	}
	if (!quota_open(s->quota, &r->origin.from.a, QUOTA_WAITING, wait_limit(s, r))) {
		stats_inc(s->env.stats, COUNT_QUERIES_WAIT_LIMIT);
		return;
	}
	made = client_make(s);
	if (made == NULL) {
		quota_close(s->quota, &r->origin.from.a, QUOTA_WAITING);
		serve_code(s, &r->origin, &r->to, &(struct reply_code){ .rcode = RCODE_SERVFAIL, .recursion_available = true });
		return;
	}
	c = made;
	fill(c, r);
	list_add(&s->clients, MOVE(made));
	count_waiting(s);
	if (origin_is_tcp(&c->origin))
		session_question_waits(s, c->origin.session);
	if (chain != NULL && !keep_chain(c, chain)) {
		send_failure(c);
		obligation_met(c);
		return;
	}
	limit_patience(c);
	start(c, target, false);
}

void client_refresh(struct serve *s, const struct question *q, uint32_t variant, uint64_t hash, bool prefetch)
{
	uint32_t now = now_sec(loop_now(s->env.loop)), tag = (uint32_t)(hash >> 32);
	size_t at = (size_t)hash % SERVE_REFRESHES;
	AUTO(client_free) struct client *made = NULL;
	struct client *c;

	if (s->refreshed[at].hash == tag && now - s->refreshed[at].sec < REFRESH_AGAIN_SEC)
		return;
	if (s->clients.count + s->refreshes.count >= s->env.settings->max_waiting / 2)
		return; /* clients first */
	made = client_make(s);
	if (made == NULL)
		return;
	c = made;
	s->refreshed[at].hash = tag;
	s->refreshed[at].sec = now;
	name_copy(&c->name, q->name);
	c->to = (struct reply_to){ .name = name_of(&c->name), .type = q->type, .rclass = q->rclass };
	c->variant = variant;
	c->hash = hash;
	c->refresh = c->recurse = true;
	list_add(&s->refreshes, MOVE(made));
	if (prefetch)
		stats_inc(s->env.stats, COUNT_PREFETCHES);
	start(c, NULL, prefetch);
}

void client_drop_session(struct serve *s, session_h h)
{
	struct client *next;

	for (struct client *c = s->clients.oldest; c != NULL; c = next) {
		next = c->next;
		if (c->origin.session.v == h.v)
			client_leave(c, COUNT_DROPPED_POLICY);
	}
}

void client_drop_all(struct serve *s)
{
	while (s->clients.oldest != NULL)
		client_leave(s->clients.oldest, COUNT_DROPPED_POLICY);
	while (s->refreshes.oldest != NULL)
		client_leave(s->refreshes.oldest, COUNT_DROPPED_POLICY);
}
