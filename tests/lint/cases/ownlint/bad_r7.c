#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *stash;     /* expect: R7 */
	const char *name;       /* expect: R7 */
	struct {
		void *user[2];  /* expect: R7 */
	} in;
	union {
		int n;
		int *p;         /* expect: R7 */
	};
};
static struct zone *current; /* expect: R7 */
int now(const struct keeper *k);
int now(const struct keeper *k)
{
	return k->stash == current;
}
