#include "tests/lint/cases/ownlint/zone.h"
struct leaf {
	struct zone *zone OWNED_FIELD;
};
struct twig {
	struct zone *zone OWNED_FIELD;
};
struct bud {
	int n;
};
void leaf_free(struct leaf *l) TAKES(1);
struct leaf *leaf_new(void) OWNED_BY(leaf_free);
void twig_free(struct twig *t) TAKES(1);
struct twig *twig_new(void) OWNED_BY(twig_free);
void bud_free(struct bud *b) TAKES(1);
struct bud *bud_new(void) OWNED_BY(bud_free);
void leaf_free(struct leaf *l)
{
	if (l == NULL)
		return;
	zone_free(MOVE(l->zone));
	mem_free(l);
}
void twig_free(struct twig *t)
{
	if (t != NULL && t->zone != NULL)
		zone_free(MOVE(t->zone));
	mem_free(t);
}
void bud_free(struct bud *b)
{
	mem_free(b); /* which looks itself */
}
