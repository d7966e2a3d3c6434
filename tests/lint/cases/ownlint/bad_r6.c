#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *held OWNED_FIELD;
};
static const struct zone *last OWNED_FIELD;
void keep(struct keeper *k, struct zone *z, int n);
void keep(struct keeper *k, struct zone *z, int n)
{
	k->held = z;                /* expect: R6 */
	last = n > 0 ? z : NULL;    /* expect: R6 */
	*k = (struct keeper){ .held = z }; /* expect: R6 */
	*k = (struct keeper){ z };  /* expect: R6 */
}

void keeper_end(struct keeper *k);
void keeper_end(struct keeper *k)
{
	zone_free(MOVE(k->held));
}
