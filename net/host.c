#include "net/host.h"

LOOP_HANDLE_IMPL(exchange)
LOOP_HANDLE_IMPL(stream)
LOOP_HANDLE_IMPL(acceptor)

void host_free(struct host *h)
{
	if (h != NULL)
		h->ops->free(h);
}
