/* stream_client.h: for tests: a client of a stream that keeps what it hears. It is the first thing in the object of the handle that it is opened for. */
#ifndef TESTS_UNIT_RPKI_STREAM_CLIENT_H
#define TESTS_UNIT_RPKI_STREAM_CLIENT_H

#include "tests/unit/net/net_test.h"

struct stream_client {
	stream_h stream;
	char heard[1 << 18];
	size_t n;
	bool closed;
};

static inline void stream_client_connected(struct loop *l, void *object, stream_h s)
{
	(void)l, (void)object, (void)s;
}

static inline void stream_client_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct stream_client *c = (struct stream_client *)object;

	(void)l, (void)s;
	assert_true(c->n + octets.n < sizeof c->heard);
	memcpy(c->heard + c->n, octets.p, octets.n);
	c->n += octets.n;
	c->heard[c->n] = '\0';
}

static inline void stream_client_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	struct stream_client *c = (struct stream_client *)object;

	(void)l, (void)s, (void)e;
	c->closed = true;
}

/* Anew, where it was open before. */
static inline void stream_client_open(struct host *h, struct stream_client *c, const struct exchange_options *o, const struct loop_type *t, uint64_t who)
{
	const struct stream_events ev = { .type = t, .who = who, .connected = stream_client_connected, .data = stream_client_data, .closed = stream_client_closed };

	host_stream_close(h, c->stream);
	c->n = 0;
	c->heard[0] = '\0';
	c->closed = false;
	assert_true(OK(host_connect(h, o, &ev, &c->stream)));
}

#endif
