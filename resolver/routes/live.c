#include "resolver/routes/live.h"

#include "base/log.h"
#include "base/mem.h"
#include "rpki/routes/judge.h"

LOOP_HANDLE(route_live)
LOOP_HANDLE_IMPL(route_live)

struct route_live {
	struct loop *loop PARENT_FIELD;
	route_live_fn *changed;
	void *owner PARENT_FIELD; /* own-ok: R15 the owner, who frees this before it goes */
	route_live_h self;
	struct announced *now OWNED_FIELD;
	struct announced_edit *edit OWNED_FIELD; /* NULL: as now */
	uint64_t published_ms;
	timer_h due;
	bool asked;       /* there are changes that are not published */
	uint32_t next_source;
};

void route_live_free(struct route_live *l)
{
	if (l == NULL)
		return;
	loop_timer_stop(l->loop, &l->due);
	if (l->self.v != 0)
		route_live_retire(l->loop, l->self);
	announced_edit_free(MOVE(l->edit));
	announced_unref(MOVE(l->now));
	mem_free(l);
}

struct route_live *route_live_new(struct loop *loop, route_live_fn *changed, void *owner)
{
	AUTO(route_live_free) struct route_live *l = (struct route_live *)mem_alloc(sizeof *l);

	if (l == NULL)
		return NULL;
	l->loop = loop;
	l->changed = changed;
	l->owner = owner;
	l->now = announced_new();
	l->self = route_live_enlist(loop, l);
	return l->now != NULL && l->self.v != 0 ? MOVE(l) : NULL;
}

const struct announced *route_live_now(const struct route_live *l)
{
	return l->now;
}

uint32_t route_live_source(struct route_live *l)
{
	return l->next_source++ & (SOURCE_WITHOUT_LENGTH - 1);
}

static void stop(struct route_live *l)
{
	loop_timer_stop(l->loop, &l->due);
	l->asked = false;
}

RESULT route_live_settle(struct route_live *l)
{
	AUTO(announced_unref) struct announced *next = NULL;

	if (!l->asked)
		return DONE;
	TRY(announced_edit_state(l->edit, 0, &next));
	announced_unref(MOVE(l->now));
	l->now = MOVE(next);
	l->published_ms = now_ms(loop_now(l->loop));
	stop(l);
	return DONE;
}

void route_live_replace(struct route_live *l, struct announced *a)
{
	announced_unref(MOVE(l->now));
	l->now = a;
	announced_edit_free(MOVE(l->edit));
	stop(l);
}

static void ask(struct route_live *l, uint64_t wait_ms);

static void on_due(struct loop *loop, void *object)
{
	struct route_live *l = (struct route_live *)object;

	(void)loop;
	l->due.v = 0;
	if (!l->asked)
		return;
	if (OK(route_live_settle(l)))
		l->changed(l->owner);
	else
		ask(l, ROUTE_LIVE_MS);
}

/* Without memory for a timer the next change asks again. */
static void ask(struct route_live *l, uint64_t wait_ms)
{
	l->asked = true;
	if (l->due.v == 0 && !OK(loop_timer(l->loop, &route_live_loop_type, l->self.v, on_due, wait_ms, &l->due)))
		log_limited(LOG_LEVEL_ERROR, "routes: out of memory: changes are made known later");
}

struct announced_edit *route_live_edit(struct route_live *l)
{
	uint64_t age = now_ms(loop_now(l->loop)) - l->published_ms;

	if (l->edit == NULL)
		l->edit = announced_edit_new(l->now);
	if (l->edit != NULL && l->due.v == 0)
		ask(l, age < ROUTE_LIVE_MS ? ROUTE_LIVE_MS - age : 0);
	return l->edit;
}
