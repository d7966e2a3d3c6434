#include "tests/lint/cases/ownlint/zone.h"
int once(void);
int once(void)
{
	AUTO(zone_free) struct zone *z = zone_new(1);

	return z != NULL ? z->serial : 0;
}
