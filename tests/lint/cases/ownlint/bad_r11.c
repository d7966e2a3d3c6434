#include "tests/lint/cases/ownlint/zone.h"
void lose(struct table *t, struct zone *z) TAKES(2);
void lose(struct table *t, struct zone *z) /* expect: R11 */
{
	if (t != NULL && z->serial > 1)
		(void)zone_serial(z);
}
