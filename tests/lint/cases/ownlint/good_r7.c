#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *z OWNED_FIELD;
	struct keeper *next PARENT_FIELD;
	int (*fn)(void *user); /* a pointer to a function has no owner */
	int (*fns[2])(void);
	const char *name BORROWED_FIELD;
};
static const char *const words[] = { "a", "b" };
static struct zone *current OWNED_FIELD;
int now(const struct keeper *k);
int now(const struct keeper *k)
{
	return k->z == current && words[0] != NULL;
}

void keeper_end(struct keeper *k);
void keeper_end(struct keeper *k)
{
	zone_free(MOVE(k->z));
}
