#include "tests/lint/cases/ownlint/zone.h"
struct count {
	_Atomic int hits;
	int misses;
};
static int calls;           /* expect: R14 */
static struct count counts; /* expect: R14 */
static char name[16];       /* expect: R14 */
int note(void);
int note(void)
{
	static int last; /* expect: R14 */

	last += name[0];
	counts.misses++;
	return last + calls++;
}
