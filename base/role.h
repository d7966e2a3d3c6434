/* role.h: which kind of thread a function runs on, checked by clang's thread-safety analysis (docs/ownership.md, section 6). */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include "base/own.h"

struct ROLE role {
	char unused;
};
extern struct role on_loop; /* a thread that runs a struct loop, inside a turn */
void loop_entered(void) ASSERTS(on_loop);

#endif
