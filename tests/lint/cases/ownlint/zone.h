/* What the cases of ownlint share. */
#ifndef CASE_ZONE_H
#define CASE_ZONE_H
#include "base/mem.h"
struct zone {
	int serial;
};
struct table;
struct arena;
void zone_free(struct zone *z) TAKES(1);
struct zone *zone_new(int serial) OWNED_BY(zone_free);
struct zone *zone_in(struct arena *a) IN_ARENA;
const struct zone *table_find(const struct table *t) BORROWED;
int zone_serial(const struct zone *z);
void table_put(struct table *t, struct zone *z) TAKES(2);
DEFINE_AUTO(struct zone, zone_free)
#endif
