#include "base/lock.h"
#include "base/role.h"
#include "tests/lint/cases/ownlint/zone.h"
void touch(void) REQUIRES(on_loop);
void on_the_loop(struct lock *l, struct table *t);
void on_the_loop(struct lock *l, struct table *t)
{
	AUTO(zone_free) struct zone *z = zone_new(1);

	loop_entered();
	touch();
	lock_take(l);
	table_put(t, MOVE(z));
	lock_give(l);
}
