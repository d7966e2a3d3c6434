/* sandbox_nocalls.c: a build without libseccomp. */
#include "config.h"

#ifndef HAVE_LIBSECCOMP

#include "base/sandbox.h"
#include "base/sandbox_inside.h"

bool sandbox_has_calls(void)
{
	return false;
}

RESULT sandbox_restrict_calls(unsigned int groups)
{
	(void)groups;
	return FAIL(ERR_UNSUPPORTED);
}

#endif
