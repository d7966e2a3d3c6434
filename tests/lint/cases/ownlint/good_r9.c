#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	const struct zone *seen BORROWED_FIELD;
};
const struct zone *look(struct keeper *k, const struct table *t) BORROWED;
const struct zone *look(struct keeper *k, const struct table *t)
{
	const struct zone *z = table_find(t);

	k->seen = z;
	return z;
}
void drop(struct zone *z) TAKES(1);
void drop(struct zone *z)
{
	AUTO(zone_free) struct zone *mine = z; /* taken, so it is ours */

	(void)mine;
}
