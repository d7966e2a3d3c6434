/* libfstrm.h: what is used of libfstrm, with the words of own.h added. The only file that includes its headers. */
#ifndef BASE_LIBFSTRM_H
#define BASE_LIBFSTRM_H

#include "base/own.h"

#include <fstrm.h>

extern struct fstrm_rdwr *fstrm_rdwr_init(void *) __attribute__((warn_unused_result)); /* own-ok: R1 freed by AUTO_FSTRM */
extern struct fstrm_writer *fstrm_writer_init(const struct fstrm_writer_options *, struct fstrm_rdwr **) __attribute__((warn_unused_result)); /* own-ok: R1 freed by AUTO_FSTRM */
extern struct fstrm_writer_options *fstrm_writer_options_init(void) __attribute__((warn_unused_result)); /* own-ok: R1 freed by AUTO_FSTRM */

/* The library's destructors take the address of the pointer. */
static inline void fstrm_rdwr_p_(struct fstrm_rdwr **p)
{
	if (*p != NULL)
		(void)fstrm_rdwr_destroy(p);
}
static inline void fstrm_writer_p_(struct fstrm_writer **p)
{
	if (*p != NULL)
		(void)fstrm_writer_destroy(p);
}
static inline void fstrm_writer_options_p_(struct fstrm_writer_options **p)
{
	if (*p != NULL)
		fstrm_writer_options_destroy(p);
}
#define AUTO_FSTRM(what) __attribute__((cleanup(what##_p_)))

#endif
