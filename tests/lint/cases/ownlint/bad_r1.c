#include "tests/lint/cases/ownlint/zone.h"
struct zone *first(struct table *t); /* expect: R1 */
static char *text(void); /* expect: R1 */
static char *text(void) /* expect: R1 */
{
	return NULL;
}
int use(void);
int use(void)
{
	return text() == NULL;
}
