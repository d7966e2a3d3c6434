/* as: base/loop_event.c */
#include "base/loop.h"
#include <event2/event.h>
