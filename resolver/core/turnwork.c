/*
 * turnwork.c: validation is paid for: by the question, and by the turn, so that clients whose answers are at hand do not wait for others' signatures. A turn's work is used up by whoever
 * comes first; the rest stands in a queue and goes on in the next turns, in the order in which it came.
 */
#include "resolver/core/validate_inside.h"

LOOP_HANDLE_IMPL(core)

static void work_refill(struct loop *l, void *object)
{
	struct core *c = object;

	(void)l;
	c->turn_spent = 0;
	c->refilling = false;
}

static uint32_t slice_of(const struct core *c)
{
	return c->env.validation->work_slice;
}

uint32_t work_turn_left(const struct core *c)
{
	return slice_of(c) > c->turn_spent ? slice_of(c) - c->turn_spent : 0;
}

/* What the question, and all that wait for it on the same account, have left. */
uint32_t work_question_left(const struct resolution *q)
{
	uint32_t left = UINT32_MAX;

	for (const struct budget *b = &q->budget; b != NULL; b = b->parent)
		left = b->left.work < left ? b->left.work : left;
	return left;
}

void work_charge(struct resolution *q, uint32_t spent)
{
	struct core *c = q->core;

	if (spent == 0)
		return;
	(void)budget_take_work(&q->budget, spent); /* it was there: it has just been looked at */
	stats_add(c->env.stats, COUNT_VAL_WORK, spent);
	c->turn_spent += spent;
	if (!c->refilling)
		c->refilling = OK(loop_at_turn_end(c->env.loop, &core_loop_type, c->self.v, work_refill));
	if (!c->refilling) /* no memory for the hook: better too much work than none ever after */
		c->turn_spent = 0;
}

/* Enough for one verification of any kind: less is not worth starting with. */
bool work_turn_is_over(const struct core *c)
{
	return work_turn_left(c) < WORK_P384 && work_turn_left(c) < slice_of(c) / 2;
}

void validate_forget_pause(struct resolution *q)
{
	struct core *c = q->core;

	if (!q->paused)
		return;
	*(q->paused_before != NULL ? &q->paused_before->paused_behind : &c->paused_first) = q->paused_behind;
	*(q->paused_behind != NULL ? &q->paused_behind->paused_before : &c->paused_last) = q->paused_before;
	q->paused_before = q->paused_behind = NULL;
	q->paused = false;
}

static RESULT arm_resume(struct core *c);

/* In the order in which they paused, as far as this turn's work reaches. */
static void resume(struct loop *l, void *object)
{
	struct core *c = object;

	(void)l;
	c->resume = (timer_h){ 0 };
	while (c->paused_first != NULL && (c->env.validation == NULL || !work_turn_is_over(c))) {
		struct resolution *q = c->paused_first;

		validate_forget_pause(q);
		q->state = q->reply != NULL ? QUERY_VALIDATE : QUERY_LOCATE; /* or it waited for a step */
		query_run(q);
	}
	/* Without a timer they would wait for their deadlines. */
	while (c->paused_first != NULL && !OK(arm_resume(c)))
		finish_failure(c->paused_first, FAIL_ROOM, "out of memory");
}

static RESULT arm_resume(struct core *c)
{
	return c->resume.v != 0 ? DONE : loop_timer(c->env.loop, &core_loop_type, c->self.v, resume, 1, &c->resume);
}

/* Others come first: it goes on in another turn. */
void work_pause(struct resolution *q)
{
	if (q->late) {
		finish_failure(q, FAIL_TIME, "out of time");
		return;
	}
	if (q->reply != NULL)
		stats_inc(q->core->env.stats, COUNT_VAL_PAUSES);
	if (!OK(arm_resume(q->core))) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	if (q->reply != NULL)
		q->state = QUERY_CHAIN;
	q->paused = true;
	q->paused_before = q->core->paused_last;
	*(q->paused_before != NULL ? &q->paused_before->paused_behind : &q->core->paused_first) = q;
	q->core->paused_last = q;
}

/* given: what the last run was allowed to spend, and that was not enough for its next step. A whole slice that bought nothing never will. */
void work_is_out(struct resolution *q, uint32_t given, uint32_t spent)
{
	if (work_question_left(q) > 0 && (spent > 0 || (given < work_question_left(q) && given < slice_of(q->core)))) {
		work_pause(q);
		return;
	}
	stats_inc(q->core->env.stats, COUNT_VAL_OUT_OF_WORK);
	finish_failure(q, FAIL_BUDGET, "the question's budget of validation is spent");
}

/* --- a core */

RESULT core_work_start(struct core *c)
{
	c->self = core_enlist(c->env.loop, c);
	return c->self.v != 0 ? DONE : FAIL(ERR_NOMEM);
}

void core_work_end(struct core *c)
{
	loop_timer_stop(c->env.loop, &c->resume);
	core_retire(c->env.loop, c->self);
}
