/*
 * remote.c: one question, several workers. A worker that finds its client's question in flight at another makes a resolution that stands in for its clients and
 * asks the owner to tell it. All of it by messages; what they carry they own.
 */
#include "resolver/core/resolution.h"

#include "base/mem.h"

#define ANSWER_ARENA (256u << 10)

/* --- the answer, to a worker that waits */

struct told {
	struct message m; /* first */
	resolution_h to;
	bool gone;        /* the question was not there: ask yourself */
	uint32_t packets; /* what it cost meanwhile */
	struct arena *arena OWNED_FIELD;
	struct answer answer; /* in the arena */
};

static void told_free(struct told *t) TAKES(1);
DEFINE_AUTO(struct told, told_free)
static void told_free(struct told *t)
{
	if (t == NULL)
		return;
	arena_free(MOVE(t->arena));
	mem_free(t);
}

static void told_message_free(struct message *m) TAKES(1);
static void told_message_free(struct message *m)
{
	told_free((struct told *)(void *)m);
}

static void told_run(struct loop *l, struct message *m)
{
	struct told *t = (struct told *)(void *)m;
	struct resolution *q = resolution_get(l, t->to);

	if (q == NULL || q->state != QUERY_REMOTE)
		return;
	if (!budget_take_packets(&q->budget, t->packets))
		q->budget.left.packets = 0;
	if (!t->gone) {
		t->answer.q = q->q; /* as our client wrote it */
		finish_with(q, &t->answer);
		return;
	}
	q->state = QUERY_LOOKUP;
	query_run(q);
}

static struct told *told_new(uint64_t to) OWNED_BY(told_free);
static struct told *told_new(uint64_t to)
{
	AUTO(told_free) struct told *t = mem_alloc(sizeof *t);

	if (t == NULL)
		return NULL;
	t->m.run = told_run;
	t->m.free = told_message_free;
	t->to.v = to;
	t->gone = true;
	return MOVE(t);
}

/* An answer that does not fit the arena is not told: the other worker asks itself. */
static void tell(struct core_shared *s, uint32_t core, uint64_t to, const struct answer *a, uint32_t packets)
{
	AUTO(told_free) struct told *t = told_new(to);

	if (t == NULL)
		return; /* its deadline ends it */
	t->packets = packets;
	t->arena = a == NULL ? NULL : arena_new(ANSWER_ARENA);
	t->gone = t->arena == NULL || !OK(answer_copy_in(t->arena, a, &t->answer));
	(void)core_shared_post(s, core, &MOVE(t)->m);
}

void remote_tell_all(struct resolution *q, const struct answer *a)
{
	for (struct remote *r = q->remotes; r != NULL; r = r->next) {
		uint32_t left = q->budget.left.packets;

		tell(q->core->env.shared, r->core, r->resolution, a, r->packets_left > left ? r->packets_left - left : 0);
	}
	q->remotes = NULL;
}

/* --- the wish to be told, to the worker that has the question */

struct join {
	struct message m; /* first */
	struct core_shared *shared PARENT_FIELD; /* outlives all cores */
	resolution_h resolution;
	uint32_t from;
	uint64_t waiting;
};

static void join_free(struct join *j) TAKES(1);
DEFINE_AUTO(struct join, join_free)
static void join_free(struct join *j)
{
	mem_free(j);
}

static void join_message_free(struct message *m) TAKES(1);
static void join_message_free(struct message *m)
{
	join_free((struct join *)(void *)m);
}

static void join_run(struct loop *l, struct message *m)
{
	const struct join *j = (const struct join *)(const void *)m;
	struct resolution *q = resolution_get(l, j->resolution);
	struct remote *r = q == NULL || q->state == QUERY_DONE ? NULL : arena_alloc(q->arena, sizeof *r);

	if (r == NULL) {
		tell(j->shared, j->from, j->waiting, NULL, 0);
		return;
	}
	*r = (struct remote){ q->remotes, j->from, j->waiting, q->budget.left.packets };
	q->remotes = r;
}

bool remote_join(struct resolution *q, uint32_t core, uint64_t resolution)
{
	AUTO(join_free) struct join *j = mem_alloc(sizeof *j);

	if (j == NULL)
		return false;
	*j = (struct join){ .m = { .run = join_run, .free = join_message_free }, .shared = q->core->env.shared, .resolution = { resolution },
		.from = q->core->number, .waiting = q->self.v };
	return core_shared_post(q->core->env.shared, core, &MOVE(j)->m);
}
