/* libevent.h: what is used of libevent, with the words of own.h added. The only file that includes its headers. */
#ifndef BASE_LIBEVENT_H
#define BASE_LIBEVENT_H

#include <event2/event.h>

#include "base/own.h"

extern void event_config_free(struct event_config *) TAKES(1);
extern struct event_config *event_config_new(void) OWNED_BY(event_config_free);
extern void event_base_free(struct event_base *) TAKES(1);
extern struct event_base *event_base_new_with_config(const struct event_config *) OWNED_BY(event_base_free);
extern void event_free(struct event *) TAKES(1);
extern struct event *event_new(struct event_base *, evutil_socket_t, short, event_callback_fn, void *) OWNED_BY(event_free);

static inline UNUSED void event_config_free_p(struct event_config **p)
{
	if (*p != NULL)
		event_config_free(*p);
	*p = NULL;
}

#endif
