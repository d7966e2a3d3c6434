#include "base/loop.h"
struct query {
	int n;
};
static const struct loop_type query_type = { "query" };
static void query_late(struct loop *l, void *object)
{
	struct query *q = object;

	(void)l;
	q->n++;
}
static void query_ready(struct loop *l, void *object, unsigned int events)
{
	struct query *q = (struct query *)object;

	(void)l;
	q->n += (int)events + ((struct query *)object)->n;
}
void query_arm(struct loop *l, int fd);
void query_arm(struct loop *l, int fd)
{
	timer_h t;
	watch_h w;

	(void)loop_timer(l, &query_type, 1, query_late, 5, &t);
	(void)loop_watch(l, &query_type, 1, fd, LOOP_READ, &query_ready, &w);
}
