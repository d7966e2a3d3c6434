#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *held OWNED_FIELD;
	const struct table *table PARENT_FIELD;
	const uint8_t *octets BORROWED_FIELD;
	struct zone *with ARENA_FIELD;
};
void keep(struct keeper *k, const struct table *t, struct zone *z, struct zone *with, const uint8_t *p) TAKES(3);
void keep(struct keeper *k, const struct table *t, struct zone *z, struct zone *with, const uint8_t *p)
{
	zone_free(MOVE(k->held));
	k->held = z;
	k->table = t;
	k->with = with;
	k->octets = p;
}
