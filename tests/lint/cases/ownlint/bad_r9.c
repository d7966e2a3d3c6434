#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	const struct zone *held OWNED_FIELD;
};
void steal(struct keeper *k, const struct table *t, struct arena *a, struct zone *z);
void steal(struct keeper *k, const struct table *t, struct arena *a, struct zone *z)
{
	AUTO(zone_free) struct zone *mine = zone_in(a); /* expect: R9 */
	AUTO(zone_free) struct zone *his = z;           /* expect: R9 */

	k->held = table_find(t); /* expect: R9 */
	(void)mine;
	(void)his;
}
const struct zone *lend(const struct table *t) OWNED_BY(zone_free);
const struct zone *lend(const struct table *t)
{
	return table_find(t); /* expect: R9 */
}

void keeper_end(struct keeper *k);
void keeper_end(struct keeper *k)
{
	zone_free(MOVE(k->held));
}
