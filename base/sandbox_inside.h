/* sandbox_inside.h: the part of sandbox.h that takes libseccomp, or its absence. */
#ifndef BASE_SANDBOX_INSIDE_H
#define BASE_SANDBOX_INSIDE_H

#include "base/own.h"

/* A build with a sanitizer, which looks into its own process and runs a program that names functions. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* From here on no system calls but those of the groups. ERR_UNSUPPORTED: this build cannot; nothing was changed. ERR_SYSTEM (see errno), ERR_NOMEM. */
RESULT sandbox_restrict_calls(unsigned int groups);

#endif
