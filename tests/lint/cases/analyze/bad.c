#include "tests/lint/cases/ownlint/zone.h"
void twice(struct table *t);
void twice(struct table *t)
{
	struct zone *z = zone_new(1);
	struct zone *alias = z;

	table_put(t, z);
	zone_free(alias);  /* a double free over TAKES expect: analyzer:unix.Malloc */
}
int late(struct table *t);
int late(struct table *t)
{
	struct zone *z = zone_new(1);

	table_put(t, MOVE(z));
	return z->serial; /* expect: analyzer:core.NullDereference */
}
