#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *held OWNED_FIELD;
};
struct look {
	const struct zone *at BORROWED_FIELD;
};
struct zone *make(struct keeper *k, bool keep) OWNED_BY(zone_free);
struct zone *make(struct keeper *k, bool keep)
{
	AUTO(zone_free) struct zone *z = zone_new(1);
	struct look l = { z };

	if (keep && zone_serial(l.at) > 0) {
		k->held = MOVE(z);
		return NULL;
	}
	return MOVE(z);
}

void keeper_end(struct keeper *k);
void keeper_end(struct keeper *k)
{
	zone_free(MOVE(k->held));
}
