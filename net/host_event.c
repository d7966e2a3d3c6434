#include "net/event_host.h"

#include <fcntl.h>
#include <unistd.h>

#define MAX_UNSENT_DEFAULT ((size_t)1 << 20)

static void event_free(struct host *h) TAKES(1);
static void event_free(struct host *h)
{
	struct host_event *he = host_event_of(h);

	while (he->dgrams != NULL)
		event_dgram_close(&he->host, he->dgrams);
	event_close_exchanges(he);
	event_close_acceptors(he);
	event_close_streams(he);
	if (he->reserve_fd >= 0)
		close(he->reserve_fd);
	mem_free(he->ports);
	mem_free(he->scratch);
	mem_free(he);
}

static const struct host_ops event_ops = {
	.dgram_listen = event_dgram_listen,
	.dgram_close = event_dgram_close,
	.dgram_room = event_dgram_room,
	.dgram_commit = event_dgram_commit,
	.dgram_flush = event_dgram_flush,
	.dgram_stamp = event_dgram_stamp,
	.ask = event_ask,
	.ask_close = event_ask_close,
	.accept = event_accept,
	.accept_close = event_accept_close,
	.accept_pause = event_accept_pause,
	.connect = event_connect,
	.stream_adopt = event_stream_adopt,
	.stream_write = event_stream_write,
	.stream_unsent = event_stream_unsent,
	.stream_pause = event_stream_pause,
	.stream_close = event_stream_close,
	.free = event_free,
};

struct host *host_event_new(struct loop *l, size_t max_unsent)
{
	AUTO(mem_free) void *made = mem_alloc(sizeof(struct host_event));
	struct host_event *he = (struct host_event *)made;

	if (he == NULL)
		return NULL;
	he->host = (struct host){ .ops = &event_ops, .loop = l };
	he->scratch = (uint8_t *)mem_alloc_raw(HOST_SCRATCH);
	if (he->scratch == NULL)
		return NULL;
	he->max_unsent = max_unsent != 0 ? max_unsent : MAX_UNSENT_DEFAULT;
	he->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return (struct host *)MOVE(made);
}
