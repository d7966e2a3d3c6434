#include "tests/lint/cases/ownlint/zone.h"
struct leaf {
	struct zone *zone OWNED_FIELD;
};
void leaf_free(struct leaf *l) TAKES(1);
struct leaf *leaf_new(void) OWNED_BY(leaf_free);
void leaf_free(struct leaf *l)
{
	zone_free(MOVE(l->zone)); /* expect: R12 */
	mem_free(l);
}
