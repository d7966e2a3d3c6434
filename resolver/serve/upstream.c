#include "resolver/serve/upstream.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/rng.h"
#include "resolver/serve/upstream_inside.h"

#define WAIT_MS 1000u            /* for room, before "no room" is said */
#define ADMIT_MOST 64u           /* that wait for TCP are looked at in a turn */
#define SECRET_SEC (24 * 3600u)  /* a client cookie's secret is drawn anew (RFC 7873 section 7.1) */

LOOP_HANDLE_IMPL(ask)
LOOP_HANDLE_IMPL(upstream)
const struct loop_type ask_inner_loop_type = { "ask" };

/* ------------------------------------------------------------------------------------------------------------------- lists */

void ask_list_add(struct ask_list *list, int link, struct ask *a)
{
	a->link[link].list = list;
	a->link[link].next = NULL;
	a->link[link].prev = list->last;
	if (list->last != NULL)
		list->last->link[link].next = a;
	else
		list->first = a;
	list->last = a;
	list->count++;
}

void ask_list_remove(int link, struct ask *a)
{
	struct ask_list *list = a->link[link].list;
	struct ask *prev = a->link[link].prev, *next = a->link[link].next;

	if (list == NULL)
		return;
	if (prev != NULL)
		prev->link[link].next = next;
	else
		list->first = next;
	if (next != NULL)
		next->link[link].prev = prev;
	else
		list->last = prev;
	list->count--;
	a->link[link].list = NULL;
	a->link[link].prev = NULL;
	a->link[link].next = NULL;
}

/* -------------------------------------------------------------------------------------------------- making and ending asks */

static void ask_free(struct ask *a) TAKES(1);
DEFINE_AUTO(struct ask, ask_free)
static void ask_free(struct ask *a)
{
	mem_free(a);
}

static void ask_bury(struct dead *d)
{
	ask_free(PARENT_OF(d, struct ask, dead));
}

void ask_end(struct ask *a)
{
	struct upstream *u = a->u;

	loop_timer_stop(u->loop, &a->timer);
	for (unsigned int i = 0; i < a->udp_count; i++)
		host_ask_close(u->host, a->udp[i].x);
	loop_slot_retire(u->loop, a->inner);
	ask_retire(u->loop, a->self);
	if (a->tcp_on)
		pool_leave(u->pool, &a->place, false);
	ask_list_remove(LINK_LIFE, a);
	ask_list_remove(LINK_TCP, a);
	loop_bury(u->loop, &a->dead, ask_bury);
	upstream_room(u);
}

static RESULT ask_make(struct upstream *u, const struct ask_request *r, struct ask **ret)
{
	AUTO(ask_free) struct ask *a = (struct ask *)mem_alloc_raw(sizeof *a);

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	memset(a, 0, offsetof(struct ask, udp));
	a->u = u;
	a->request = *r;
	name_copy(&a->name, r->q.name);
	a->request.q.name = name_of(&a->name);
	a->plain = r->plain_case;
	a->inner = loop_slot_add(u->loop, &ask_inner_loop_type, a);
	a->self = ask_enlist(u->loop, a);
	if (a->inner == 0 || a->self.v == 0) {
		loop_slot_retire(u->loop, a->inner);
		ask_retire(u->loop, a->self);
		return FAIL(ERR_NOMEM);
	}
	*ret = MOVE(a); /* a list's, in the next step */
	return DONE;
}

/* -------------------------------------------------------------------------------------------------------------------- room */

static bool has_room(struct upstream *u)
{
	while (u->active.count + u->late.count >= u->set.max_asks && u->late.first != NULL)
		ask_end(u->late.first);
	return u->active.count < u->set.max_asks;
}

static void admit_waiting(struct upstream *u)
{
	uint32_t most = u->waiting.count;

	while (most-- > 0 && u->waiting.first != NULL && has_room(u)) {
		struct ask *a = u->waiting.first;
		struct result r;

		loop_timer_stop(u->loop, &a->timer);
		ask_list_remove(LINK_LIFE, a);
		ask_list_add(&u->active, LINK_LIFE, a);
		r = ask_start(a);
		if (!OK(r))
			ask_fail(a, r.e);
	}
}

static void admit_tcp(struct upstream *u)
{
	uint32_t most = u->tcp_queue.count < ADMIT_MOST ? u->tcp_queue.count : ADMIT_MOST;

	while (most-- > 0 && u->tcp_queue.first != NULL) {
		struct ask *a = u->tcp_queue.first;
		struct result r;

		ask_list_remove(LINK_TCP, a);
		r = ask_start_tcp(a);
		if (r.e == ERR_LIMIT) /* perhaps of its server only: the next one may find a place */
			ask_list_add(&u->tcp_queue, LINK_TCP, a);
		else if (!OK(r))
			ask_tcp_failed(a, r.e);
	}
}

static void admit(struct loop *l, void *object)
{
	struct upstream *u = (struct upstream *)object;

	(void)l;
	u->admit_asked = false;
	admit_tcp(u);
	admit_waiting(u);
}

void upstream_room(struct upstream *u)
{
	if (u->admit_asked || (u->waiting.count == 0 && u->tcp_queue.count == 0))
		return;
	/* without memory for the hook the next one that ends asks again, and those that wait have timers */
	u->admit_asked = OK(loop_at_turn_end(u->loop, &upstream_loop_type, u->self.v, admit));
}

static void pool_has_room(struct loop *l, void *object)
{
	(void)l;
	upstream_room((struct upstream *)object);
}

/* ------------------------------------------------------------------------------------------------------------ the upstream */

struct hash_key *upstream_secret(struct upstream *u)
{
	uint32_t sec = now_sec(loop_now(u->loop));

	if (sec - u->secret_sec >= SECRET_SEC) {
		u->secret = rng_hash_key(loop_rng(u->loop));
		u->secret_sec = sec;
	}
	return &u->secret;
}

static struct pool_limits pool_limits_of(const struct upstream_settings *s)
{
	return (struct pool_limits){ .max = s->tcp_max, .pipeline = s->tcp_pipeline, .idle_ms = s->tcp_idle_ms,
		.questions = s->tcp_questions, .mss = s->tcp_mss };
}

static void take_settings(struct upstream *u, const struct upstream_settings *s)
{
	u->set = *s;
	if (u->set.limits.key == NULL)
		u->set.limits.key = &u->parse_key;
	if (u->set.edns_size < 512) /* RFC 6891 section 6.2.3 */
		u->set.edns_size = 512;
	if (u->set.tcp_max == 0)
		u->set.tcp = false;
	if (u->set.max_asks == 0)
		u->set.max_asks = 1;
}

void upstream_free(struct upstream *u)
{
	if (u == NULL)
		return;
	while (u->waiting.first != NULL)
		ask_end(u->waiting.first);
	while (u->active.first != NULL)
		ask_end(u->active.first);
	while (u->late.first != NULL)
		ask_end(u->late.first);
	upstream_retire(u->loop, u->self);
	pool_free(MOVE(u->pool));
	mem_free(u);
}

struct upstream *upstream_new(
	struct loop *l, struct host *h, struct infra *infra, struct stats *stats, const struct upstream_settings *s)
{
	AUTO(upstream_free) struct upstream *u = (struct upstream *)mem_alloc(sizeof *u);
	struct pool_user user = {.type = &ask_inner_loop_type,
		.answer = ask_tcp_answer,
		.lost = ask_tcp_lost,
		.room = pool_has_room,
		.owner_type = &upstream_loop_type};
	struct pool_limits limits = pool_limits_of(s);

	if (u == NULL)
		return NULL;
	u->loop = l;
	u->host = h;
	u->infra = infra;
	u->stats = stats;
	u->secret = rng_hash_key(loop_rng(l));
	u->secret_sec = now_sec(loop_now(l));
	u->parse_key = rng_hash_key(loop_rng(l));
	take_settings(u, s);
	u->self = upstream_enlist(l, u);
	if (u->self.v == 0)
		return NULL;
	user.owner = u->self.v;
	u->pool = pool_new(l, h, &limits, &user);
	return u->pool != NULL ? MOVE(u) : NULL;
}

void upstream_set_alarm(struct upstream *u, struct upstream_alarm *a)
{
	u->alarm = a;
}

void upstream_unwanted(struct upstream *u)
{
	stats_inc(u->stats, COUNT_UNWANTED_REPLIES);
	u->unwanted++;
	if (u->set.unwanted_most == 0 || u->unwanted < u->set.unwanted_most)
		return;
	u->unwanted = 0;
	if (u->alarm != NULL)
		u->alarm->raise(u->alarm);
}

void upstream_set_tap(struct upstream *u, struct tap *t)
{
	u->tap = t;
}

void upstream_set(struct upstream *u, const struct upstream_settings *s)
{
	struct pool_limits limits = pool_limits_of(s);

	take_settings(u, s);
	pool_set_limits(u->pool, &limits);
	upstream_room(u);
}

static RESULT begin(struct upstream *u, struct ask *a)
{
	if (has_room(u)) {
		ask_list_add(&u->active, LINK_LIFE, a);
		return ask_start(a);
	}
	if (u->waiting.count >= (u->set.max_waiting != 0 ? u->set.max_waiting : u->set.max_asks))
		return FAIL(ERR_LIMIT);
	ask_list_add(&u->waiting, LINK_LIFE, a);
	stats_inc(u->stats, COUNT_UPSTREAM_WAITED);
	return ask_arm(a, WAIT_MS);
}

RESULT upstream_ask(struct upstream *u, const struct ask_request *r, struct arena *arena, struct budget *budget,
	const struct loop_type *t, uint64_t who, uint32_t tag, ask_fn *fn, ask_h *ret)
{
	struct ask *a;
	struct result done;

	if ((r->server.a.family == ADDR_V4 && !u->set.ipv4) || (r->server.a.family == ADDR_V6 && !u->set.ipv6) ||
		(!u->set.udp && !u->set.tcp))
		return FAIL(ERR_UNSUPPORTED);
	TRY(ask_make(u, r, &a));
	a->arena = arena;
	a->budget = budget;
	a->type = t;
	a->who = who;
	a->tag = tag;
	a->fn = fn;
	done = begin(u, a);
	if (OK(done))
		*ret = a->self;
	else
		ask_end(a);
	return done;
}

void upstream_cancel(struct upstream *u, ask_h h)
{
	struct ask *a = ask_get(u->loop, h);

	if (a != NULL)
		ask_end(a);
}
