#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *a; /* own-ok: R7 two words */
	/* own-ok: R7 it stands alone above the line */
	struct zone *b;
	struct zone *c; /* own-ok: R7 */ /* expect: suppression */
	int d;          /* own-ok: R7 there is nothing here */ /* expect: suppression */
};
