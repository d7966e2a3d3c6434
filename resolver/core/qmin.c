#include "resolver/core/qmin.h"

#include "resolver/core/settings.h"

void qmin_enter_zone(struct qmin *m, struct name zone)
{
	if (zone.labels > m->labels)
		m->labels = zone.labels;
	m->off = false;
	m->by_ns = false;
}

void qmin_look_above(struct qmin *m, struct name zone)
{
	m->labels = zone.labels;
	m->off = false;
	m->by_ns = false;
	m->above = true;
}

/* RFC 9156 section 2.3: the first MINIMISE_ONE_LAB steps show one label each, the others share what is left. */
static unsigned int labels_to_add(const struct qmin *m, const struct core_settings *s, unsigned int left)
{
	uint32_t steps_left;

	if (m->above || m->steps < s->qmin_one_label)
		return 1;
	steps_left = s->qmin_steps > m->steps ? s->qmin_steps - m->steps : 1;
	return left / steps_left > 1 ? left / steps_left : 1;
}

struct question qmin_question(struct qmin *m, const struct core_settings *s, const struct question *q, bool plain)
{
	unsigned int left, show;

	if (plain || m->off || (!s->qmin && !m->above) || m->steps >= s->qmin_steps || m->labels >= q->name.labels)
		return *q;
	left = q->name.labels - m->labels;
	show = m->labels + labels_to_add(m, s, left);
	if (show >= q->name.labels)
		return *q;
	return (struct question){ name_suffix(q->name, show), m->by_ns ? RR_NS : RR_A, q->rclass };
}

void qmin_advance(struct qmin *m, const struct question *asked)
{
	m->labels = asked->name.labels;
	m->steps++;
}
