/* as: base/mem.c; the allocator may. */
#include <stddef.h>
#include <string.h>
void *malloc(size_t);
void *make(size_t n);
void *make(size_t n)
{
	return memset(malloc(n), 0, n);
}
