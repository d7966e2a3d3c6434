#include "tests/lint/cases/ownlint/zone.h"
struct table *table_new(void) OWNED_BY(table_close); /* expect: R2 */
void table_free(struct table *t);
struct table *table_make(void) OWNED_BY(table_free); /* expect: R2 */
struct table *table_copy(void) OWNED_BY(zone_free);  /* expect: R2 */
void table_drop(struct table *t) TAKES(1);
DEFINE_AUTO(struct table, table_drop)
void wrong(void);
void wrong(void)
{
	AUTO(zone_free) struct zone *z = zone_new(1);
	AUTO(table_drop) struct table *t = (struct table *)zone_new(2); /* expect: R2 */

	mem_free(MOVE(z)); /* expect: R2 */
	(void)t;
}
struct table *other(void) OWNED_BY(table_drop);
struct table *other(void)
{
	return (struct table *)zone_new(1); /* expect: R2 */
}
