/* libseccomp.h: what is used of libseccomp, with the words of own.h added. The only file that includes its header. */
#ifndef BASE_LIBSECCOMP_H
#define BASE_LIBSECCOMP_H

#include <seccomp.h>

#include "base/own.h"

extern void seccomp_release(scmp_filter_ctx) TAKES(1);
extern scmp_filter_ctx seccomp_init(uint32_t) OWNED_BY(seccomp_release);
static inline UNUSED void seccomp_release_p(void **p)
{
	if (*p != NULL)
		seccomp_release(*p);
	*p = NULL;
}

#endif
