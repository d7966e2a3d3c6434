/* as: base/libevent.h */
#include "base/loop.h"
#include <event2/event.h>
