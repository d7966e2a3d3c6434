/* libz.h: what is used of zlib, with the words of own.h added. The only file that includes its header. */
#ifndef BASE_LIBZ_H
#define BASE_LIBZ_H

#define ZLIB_CONST /* input is const */

#include <zlib.h>

#include "base/mem.h"

/* For zalloc and zfree: the project's memory. */
void *libz_alloc(void *opaque, unsigned int n, unsigned int size) OWNED_BY(mem_free);
void libz_free(void *opaque, void *p) TAKES(2);

#endif
