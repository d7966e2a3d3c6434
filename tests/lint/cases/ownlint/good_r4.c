#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *held OWNED_FIELD;
	struct zone *slots[4] OWNED_FIELD;
};
void keeper_free(struct keeper *k) TAKES(1);
void keeper_free(struct keeper *k)
{
	if (k == NULL)
		return;
	zone_free(k->held);
	for (size_t i = 0; i < 4; i++)
		zone_free(k->slots[i]);
	mem_free(k);
}
void pass(struct table *t, struct keeper *k, struct zone *z) TAKES(3);
void pass(struct table *t, struct keeper *k, struct zone *z)
{
	AUTO(zone_free) struct zone *mine = zone_new(1);

	table_put(t, MOVE(mine));
	table_put(t, MOVE(k->held));
	table_put(t, zone_new(2));
	table_put(t, NULL);
	table_put(t, z);
}
