#include "tests/lint/cases/ownlint/zone.h"
void once(struct table *t);
void once(struct table *t)
{
	AUTO(zone_free) struct zone *z = zone_new(1);

	if (z != NULL)
		table_put(t, MOVE(z));
}
