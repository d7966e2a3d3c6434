#include "tests/lint/cases/ownlint/zone.h"
static void drop(struct zone *z)
{
	zone_free(z); /* expect: fanalyzer:-Wanalyzer-double-free */
}
void twice(void);
void twice(void)
{
	struct zone *z = zone_new(1);

	drop(z);
	drop(z);
}
