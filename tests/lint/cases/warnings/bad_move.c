#include "tests/lint/cases/ownlint/zone.h"
int read_it(const struct zone *z) NONNULL;
int late(struct table *t);
int late(struct table *t)
{
	AUTO(zone_free) struct zone *z = zone_new(1);

	table_put(t, MOVE(z));
	return z->serial; /* expect: gcc:-Wnull-dereference */
}
void ignore(void);
void ignore(void)
{
	zone_new(1); /* expect: gcc:-Wunused-result expect: clang:-Wunused-result */
}
int loose(const struct zone *z);
int loose(const struct zone *z)
{
	struct zone *w = (struct zone *)z; /* expect: gcc:-Wcast-qual expect: clang:-Wcast-qual */

	return w->serial;
}
int twice(void);
int twice(void)
{
	char *p = mem_strdup("x");
	int n;

	mem_free(p);
	n = p[0]; /* expect: gcc:-Wuse-after-free */
	return n;
}
