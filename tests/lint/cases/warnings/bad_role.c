#include "base/lock.h"
#include "base/role.h"
void touch(void) REQUIRES(on_loop);
void from_anywhere(void);
void from_anywhere(void)
{
	touch(); /* expect: clang:-Wthread-safety */
}
int leak(struct lock *l, int n);
int leak(struct lock *l, int n)
{
	lock_take(l);
	if (n > 0)
		return 1;
	lock_give(l);
	return 0;
} /* expect: clang:-Wthread-safety */
typedef void fn(void *);
static void typed(int *p)
{
	*p = 1;
}
fn *cast(void);
fn *cast(void)
{
	return (fn *)typed; /* expect: clang:-Wcast-function-type */
}
