#include "tests/lint/cases/ownlint/zone.h"
struct dead {
	int n;
};
struct thing {
	struct dead dead;
	struct zone *held OWNED_FIELD;
};
void bury(struct dead *d);
void thing_close(struct thing *t) TAKES(1);
void thing_close(struct thing *t)
{
	bury(&t->dead); /* frees the whole later */
}
void thing_hold(struct thing *t, struct zone *z) TAKES(2);
void thing_hold(struct thing *t, struct zone *z)
{
	t->held = z;
}

void thing_end(struct thing *t);
void thing_end(struct thing *t)
{
	zone_free(MOVE(t->held));
}
