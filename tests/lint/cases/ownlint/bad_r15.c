#include "tests/lint/cases/ownlint/zone.h"
typedef void visit_fn(void *user);
struct later {
	visit_fn *fn;
	void *user PARENT_FIELD; /* expect: R15 */
};
static void visit(struct zone *z)
{
	z->serial++;
}
void go(struct later *l);
void go(struct later *l)
{
	l->fn = (visit_fn *)visit;                     /* expect: R15 */
	l->fn = (visit_fn *)(uintptr_t)(void *)visit;  /* expect: R15 */
}
