#include "resolver/ask.h"

#include "base/arena.h"
#include "base/mem.h"
#include "resolver/apart.h"
#include "resolver/core/draft.h"
#include "resolver/worker.h"

#define ANSWER_ARENA (256u << 10)

/* Whom the answer is for. */
struct asker {
	struct loop *home PARENT_FIELD;
	const struct loop_type *type BORROWED_FIELD; /* static */
	uint64_t who;
	uint32_t tag;
	resolve_fn *fn;
};

/* --- the answer, on its way home */

struct told {
	struct message m; /* first */
	struct asker to;
	struct arena *arena OWNED_FIELD;
	bool have;
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
	void *object = loop_slot_get(l, t->to.type, t->to.who);

	if (object != NULL)
		t->to.fn(l, object, t->to.tag, t->have ? &t->answer : NULL);
}

static void send_home(struct told *told) TAKES(1);
static void send_home(struct told *told)
{
	AUTO(told_free) struct told *t = told;

	loop_post(t->to.home, &t->m);
	(void)MOVE(t); /* own-ok: R3 the queue has it: the message is the first thing in it */
}

/* --- the question, at the worker */

LOOP_HANDLE(asking)
LOOP_HANDLE_IMPL(asking)

struct asking {
	struct loop *loop PARENT_FIELD; /* the worker's */
	struct dead dead;
	asking_h self;
	struct apart *apart BORROWED_FIELD; /* the core that was asked is not the worker's; until asking_end() */
	struct told *told OWNED_FIELD;
};

static void asking_free(struct asking *a) TAKES(1);
DEFINE_AUTO(struct asking, asking_free)
static void asking_free(struct asking *a)
{
	if (a == NULL)
		return;
	told_free(MOVE(a->told));
	mem_free(a);
}

static void asking_bury(struct dead *d)
{
	asking_free(PARENT_OF(d, struct asking, dead));
}

static void asking_end(struct asking *a)
{
	asking_retire(a->loop, a->self);
	if (a->apart != NULL)
		apart_end(a->apart);
	a->apart = NULL;
	loop_bury(a->loop, &a->dead, asking_bury);
}

static void answered(struct loop *l, void *object, uint32_t tag, const struct answer *a)
{
	struct asking *k = object;
	struct told *t = k->told;

	(void)l;
	(void)tag;
	t->have = OK(answer_copy_in(t->arena, a, &t->answer));
	send_home(MOVE(k->told));
	asking_end(k);
}

struct ask_message {
	struct message m; /* first */
	struct worker *worker PARENT_FIELD;
	struct resolve_request request;
	struct name_buf name;
	struct validation *by OWNED_FIELD; /* NULL: the worker's own core is asked */
	struct told *told OWNED_FIELD;
};

static void ask_message_done(struct ask_message *m) TAKES(1);
DEFINE_AUTO(struct ask_message, ask_message_done)
static void ask_message_done(struct ask_message *m)
{
	if (m == NULL)
		return;
	told_free(MOVE(m->told));
	validation_unref(MOVE(m->by));
	mem_free(m);
}

static void ask_message_free(struct message *m) TAKES(1);
static void ask_message_free(struct message *m)
{
	ask_message_done((struct ask_message *)(void *)m);
}

/* The core to ask; NULL: out of memory. */
static struct core *core_for(struct asking *k, const struct ask_message *m) BORROWED;
static struct core *core_for(struct asking *k, const struct ask_message *m)
{
	if (m->by == NULL)
		return m->worker->core;
	k->apart = apart_begin(m->worker, m->by);
	return k->apart != NULL ? apart_core(k->apart) : NULL;
}

static void ask_message_run(struct loop *l, struct message *message)
{
	struct ask_message *m = (struct ask_message *)(void *)message;
	AUTO(asking_free) struct asking *made = mem_alloc(sizeof *made);
	struct asking *k = made;
	struct core *core;
	waiter_h unused;

	if (k == NULL || (k->self = asking_enlist(l, k)).v == 0) {
		send_home(MOVE(m->told));
		return;
	}
	k->loop = l;
	k->told = MOVE(m->told);
	(void)MOVE(made); /* own-ok: R3 it ends when it is told */
	core = core_for(k, m);
	if (core != NULL && OK(core_resolve(core, &m->request, &asking_loop_type, k->self.v, 0, answered, &unused)))
		return;
	send_home(MOVE(k->told));
	asking_end(k);
}

static RESULT send_question(struct ask_message *message, struct worker *w, const struct resolve_request *r, const struct asker *to) TAKES(1);
static RESULT send_question(struct ask_message *message, struct worker *w, const struct resolve_request *r, const struct asker *to)
{
	AUTO(ask_message_done) struct ask_message *m = message;

	m->told = mem_alloc(sizeof *m->told);
	if (m->told == NULL)
		return FAIL(ERR_NOMEM);
	m->told->arena = arena_new(ANSWER_ARENA);
	if (m->told->arena == NULL)
		return FAIL(ERR_NOMEM);
	m->told->m = (struct message){ NULL, told_run, told_message_free };
	m->told->to = *to;
	m->m = (struct message){ NULL, ask_message_run, ask_message_free };
	m->worker = w;
	m->request = *r;
	name_copy(&m->name, r->q.name);
	m->request.q.name = name_of(&m->name);
	loop_post(w->env.loop, &m->m);
	(void)MOVE(m); /* own-ok: R3 the queue has it: the message is the first thing in it */
	return DONE;
}

RESULT ask_worker(struct worker *w, struct loop *home, const struct resolve_request *r, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn)
{
	AUTO(ask_message_done) struct ask_message *m = mem_alloc(sizeof *m);
	struct asker to = { home, t, who, tag, fn };

	return m != NULL ? send_question(MOVE(m), w, r, &to) : FAIL(ERR_NOMEM);
}

RESULT ask_apart(struct worker *w, struct loop *home, const struct resolve_request *r, const struct validation *by, const struct loop_type *t, uint64_t who,
    uint32_t tag, resolve_fn *fn)
{
	AUTO(ask_message_done) struct ask_message *m = mem_alloc(sizeof *m);
	struct asker to = { home, t, who, tag, fn };

	if (m == NULL)
		return FAIL(ERR_NOMEM);
	m->by = validation_ref(by);
	return send_question(MOVE(m), w, r, &to);
}
