#ifndef CASE_GOOD_H
#define CASE_GOOD_H
#include <stddef.h>
size_t good(void);
static inline size_t twice(size_t n)
{
	return 2 * n;
}
#endif
