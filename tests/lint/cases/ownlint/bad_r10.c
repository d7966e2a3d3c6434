#include "base/loop.h"
struct query {
	int n;
};
static const struct loop_type query_type = { "query" };
void query_late(struct loop *l, void *object);
void query_late(struct loop *l, void *object)
{
	struct query *q = object;

	(void)l;
	q->n++;
}
void somewhere(void *p);
static void query_soon(struct loop *l, void *object)
{
	(void)l;
	somewhere(object); /* expect: R10 */
}
void query_arm(struct loop *l);
void query_arm(struct loop *l)
{
	timer_h t;

	(void)loop_timer(l, &query_type, 1, query_late, 5, &t); /* expect: R10 */
	(void)loop_timer(l, &query_type, 1, query_soon, 5, &t);
}
