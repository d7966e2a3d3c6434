/*
 * steps.c: one step of minimisation for all that need it. When a top level's delegation has expired, or nothing is known yet, many questions want the same step at the same time: the first one asks,
 * the others wait for what it learns (QUERY_STEP) and then look into the cache.
 */
#include "resolver/core/validate_inside.h"

#define MAX_WAITS 2u /* of one question: a step that fails is not waited for again and again */

static uint64_t hash_of(const struct resolution *q)
{
	return flight_hash(core_shared_key(q->core->env.shared), &q->asked, 0);
}

static struct resolution *leader_of(struct resolution *q, uint64_t hash) BORROWED;
static struct resolution *leader_of(struct resolution *q, uint64_t hash)
{
	struct flight *f = flight_find(&q->core->steps, hash, &q->asked, 0);
	struct resolution *leader = f == NULL ? NULL : PARENT_OF(f, struct resolution, step);

	return leader != NULL && leader != q && leader->state == QUERY_ASKING && name_equal(leader->deleg->zone, q->deleg->zone) ? leader : NULL;
}

bool step_join(struct resolution *q)
{
	struct resolution *leader = q->step_waits < MAX_WAITS ? leader_of(q, hash_of(q)) : NULL;

	if (leader == NULL)
		return false;
	stats_inc(q->core->env.stats, COUNT_CORE_STEPS_SHARED);
	q->step_waits++;
	q->step_of = leader;
	q->step_next = leader->step_first;
	leader->step_first = q;
	q->state = QUERY_STEP;
	return true;
}

void step_lead(struct resolution *q)
{
	uint64_t hash = hash_of(q);

	if (q->state != QUERY_ASKING || q->step.listed || flight_find(&q->core->steps, hash, &q->asked, 0) != NULL)
		return;
	q->step = (struct flight){ .hash = hash, .q = q->asked };
	(void)OK(flight_add(&q->core->steps, &q->step)); /* or each asks for itself */
}

void step_end(struct resolution *q)
{
	flight_remove(&q->core->steps, &q->step);
	while (q->step_first != NULL) {
		struct resolution *f = q->step_first;

		q->step_first = f->step_next;
		f->step_next = f->step_of = NULL;
		work_pause(f);
	}
}

void step_leave(struct resolution *q)
{
	struct resolution **at;

	if (q->step_of == NULL)
		return;
	at = &q->step_of->step_first;
	while (*at != q)
		at = &(*at)->step_next;
	*at = q->step_next;
	q->step_next = q->step_of = NULL;
}
