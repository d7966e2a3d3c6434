#include "tests/lint/cases/ownlint/zone.h"
struct pool {
	char *name OWNED_FIELD;
};
void pool_free(struct pool *p) TAKES(1);
struct pool *pool_new(void) OWNED_BY(pool_free);
DEFINE_AUTO(struct pool, pool_free)
void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	mem_free(p->name);
	mem_free(p);
}
struct pool *pool_new(void)
{
	AUTO(pool_free) struct pool *p = mem_alloc(sizeof(*p)); /* raw memory becomes an object */

	if (p == NULL)
		return NULL;
	p->name = mem_strdup("pool");
	return p->name != NULL ? MOVE(p) : NULL;
}
