#include "tests/lint/cases/ownlint/zone.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void raw(void);
void raw(void)
{
	void *p = malloc(1);  /* expect: R5 */
	char *s = strdup("");  /* expect: R5 */

	free(p);               /* expect: R5 */
	if (asprintf(&s, "x") > 0) /* expect: R5 */
		free(s);       /* expect: R5 */
}
