#include "tests/lint/cases/ownlint/zone.h"
int once(void);
int once(void)
{
	AUTO(zone_free) struct zone *z = zone_new(1);

	return z != NULL ? z->serial : 0;
}

struct box {
	char *text OWNED_FIELD;
};
static void box_free(struct box *b) TAKES(1);
static struct box *box_new(void) OWNED_BY(box_free);
DEFINE_AUTO(struct box, box_free)
static void box_free(struct box *b)
{
	if (b == NULL)
		return;
	mem_free(b->text);
	mem_free(b);
}
static struct box *box_new(void)
{
	AUTO(box_free) struct box *b = mem_alloc(sizeof(*b));

	if (b != NULL)
		b->text = mem_strdup("x");
	return MOVE(b);
}
int open_box(void);
int open_box(void)
{
	AUTO(box_free) struct box *b = box_new();

	return b != NULL && b->text != NULL;
}
