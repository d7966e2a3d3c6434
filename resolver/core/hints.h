/* hints.h: the thirteen root servers, built in, for priming (RFC 9609). */
#ifndef RESOLVER_CORE_HINTS_H
#define RESOLVER_CORE_HINTS_H

#include "base/own.h"

struct root_hint {
	const char *name BORROWED_FIELD;
	const char *ipv4 BORROWED_FIELD;
	const char *ipv6 BORROWED_FIELD;
};
const struct root_hint *root_hints(size_t *ret_count) BORROWED NONNULL;

#endif
