#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *held OWNED_FIELD;
	struct zone *seen BORROWED_FIELD;
};
void put(struct table *t, struct keeper *k, struct zone *z);
void put(struct table *t, struct keeper *k, struct zone *z)
{
	AUTO(zone_free) struct zone *mine = zone_new(1);
	struct zone *plain = NULL;

	table_put(t, mine);          /* expect: R4 */
	table_put(t, z);             /* expect: R4 */
	table_put(t, k->held);       /* expect: R4 */
	zone_free(k->held);          /* expect: R4 */
	table_put(t, MOVE(z));       /* expect: R4 */
	table_put(t, MOVE(plain));   /* expect: R4 */
	table_put(t, MOVE(k->seen)); /* expect: R4 */
	table_put(t, (struct zone *)(uintptr_t)table_find(t) == NULL ? NULL : plain); /* expect: R4 */
}
