#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *held OWNED_FIELD;
	const struct zone *seen BORROWED_FIELD;
};
static struct zone *global SHARED_FIELD;
void hold(struct keeper *k);
void hold(struct keeper *k)
{
	struct zone *plain = zone_new(1); /* expect: R3 */
	struct zone *later;
	struct keeper made = { .seen = zone_new(2) }; /* expect: R3 */

	later = zone_new(3);                      /* expect: R3 */
	(void)zone_new(4);                        /* expect: R3 */
	if (zone_serial(zone_new(5)) > 0)         /* expect: R3 */
		k->seen = zone_new(6);            /* expect: R3 */
	if (zone_new(7) == NULL)                  /* expect: R3 */
		plain = MOVE(k->held);            /* expect: R3 */
	MOVE(k->held);                            /* expect: R3 */
	global = zone_new(8);                     /* expect: R3 */
	(void)plain;
	(void)later;
	(void)made;
}
struct zone *lent(void) BORROWED;
struct zone *lent(void)
{
	return zone_new(9); /* expect: R3 */
}
int twice(int n);
int twice(int n)
{
	struct zone *z = n > 0 ? NULL : zone_new(10); /* expect: R3 */

	return z != NULL;
}
