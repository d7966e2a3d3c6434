#include "tests/lint/cases/ownlint/zone.h"
struct pair {
	struct zone *a OWNED_FIELD;
	struct zone *b OWNED_FIELD;
	struct {
		struct zone *c OWNED_FIELD;
	} inner;
};
struct homeless {
	struct zone *kept OWNED_FIELD; /* expect: R13 */
};
void pair_free(struct pair *p) TAKES(1);
struct pair *pair_new(void) OWNED_BY(pair_free);
void fill(struct homeless *h);
void pair_free(struct pair *p) /* expect: R13 */
{
	if (p == NULL)
		return;
	zone_free(MOVE(p->a));
	zone_free(MOVE(p->inner.c));
	mem_free(p);
}
void fill(struct homeless *h)
{
	h->kept = zone_new(1);
}
