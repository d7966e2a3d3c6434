#include "tests/lint/cases/ownlint/zone.h"
typedef void visit_fn(void *user);
struct now {
	visit_fn *fn;
	void *user BORROWED_FIELD; /* as long as the call lasts */
};
static void visit(void *user)
{
	struct zone *z = user;

	z->serial++;
}
void go(struct now *n);
void go(struct now *n)
{
	n->fn = visit;
	if (n->fn != (visit_fn *)NULL)
		n->fn(n->user);
}
