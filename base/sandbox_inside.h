/* sandbox_inside.h: the part of sandbox.h that takes libseccomp, or its absence. */
#ifndef BASE_SANDBOX_INSIDE_H
#define BASE_SANDBOX_INSIDE_H

#include "base/own.h"

/* From here on no system calls but those of the groups. ERR_UNSUPPORTED: this build cannot; nothing was changed. ERR_SYSTEM (see errno), ERR_NOMEM. */
RESULT sandbox_restrict_calls(unsigned int groups);

#endif
