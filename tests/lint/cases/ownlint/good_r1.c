#include "tests/lint/cases/ownlint/zone.h"
struct zone *made(void) OWNED_BY(zone_free);
struct zone *lent(struct table *t) BORROWED;
struct zone *in(struct arena *a) IN_ARENA;
int (*chosen(int i))(int); /* a pointer to a function has no owner */
static const char *word(int n)
{
	return n > 0 ? "many" : "none";
}
int use(void);
int use(void)
{
	return word(1)[0];
}
