#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *held OWNED_FIELD;
	struct zone *slots[4] OWNED_FIELD;
};
static struct zone *global OWNED_FIELD;
RESULT give(struct keeper *k, struct table *t, struct zone **ret_zone);
RESULT give(struct keeper *k, struct table *t, struct zone **ret_zone)
{
	AUTO(zone_free) struct zone *z = zone_new(1);
	AUTO(zone_free) UNUSED struct zone *old = MOVE(k->held);
	struct keeper made = { .held = zone_new(2) };

	if (z == NULL || (k->held = zone_new(3)) == NULL)
		return FAIL(ERR_NOMEM);
	k->slots[1] = zone_new(4);
	k->slots[2] = MOVE(made.held);
	global = zone_new(5);
	table_put(t, zone_new(6));
	table_put(t, z->serial > 1 ? MOVE(k->slots[2]) : NULL);
	*ret_zone = MOVE(z);
	return DONE;
}
struct zone *pick(int n) OWNED_BY(zone_free);
struct zone *pick(int n)
{
	return n > 0 ? zone_new(n) : NULL;
}
