#include "base/libz.h"

void *libz_alloc(void *opaque, unsigned int n, unsigned int size)
{
	(void)opaque;
	return mem_alloc_array(n, size);
}

void libz_free(void *opaque, void *p)
{
	(void)opaque;
	mem_free(p);
}
