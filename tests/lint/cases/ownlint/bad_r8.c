#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *held OWNED_FIELD;
};
struct zone *make(struct keeper *k, struct zone **ret_zone) OWNED_BY(zone_free);
struct zone *make(struct keeper *k, struct zone **ret_zone)
{
	AUTO(zone_free) struct zone *z = zone_new(1);
	AUTO(zone_free) struct zone *twin = z; /* expect: R8 */

	k->held = z;   /* expect: R8 */
	*ret_zone = z; /* expect: R8 */
	(void)twin;
	return z;      /* expect: R8 */
}

void keeper_end(struct keeper *k);
void keeper_end(struct keeper *k)
{
	zone_free(MOVE(k->held));
}
