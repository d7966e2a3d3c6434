#include "tests/lint/cases/ownlint/zone.h"
struct box {
	struct zone *held OWNED_FIELD;
};
struct chain {
	struct chain *next OWNED_FIELD; /* for who holds the list */
	struct zone *a OWNED_FIELD;
	struct zone *b OWNED_FIELD;
	struct box box;
};
struct homeless {
	struct zone *kept OWNED_FIELD;
};
void box_end(struct box *b);
void chain_free(struct chain *c) TAKES(1);
struct chain *chain_new(void) OWNED_BY(chain_free);
void empty(struct homeless *h);
static void drop_b(struct chain *c)
{
	zone_free(MOVE(c->b));
}
void chain_free(struct chain *c)
{
	if (c == NULL)
		return;
	zone_free(MOVE(c->a));
	drop_b(c);
	box_end(&c->box);
	mem_free(c);
}
void empty(struct homeless *h)
{
	zone_free(MOVE(h->kept));
}
void box_end(struct box *b)
{
	zone_free(MOVE(b->held));
}
