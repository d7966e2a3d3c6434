/* routes_world.h: a host that only notes what it is asked to do, on a loop in virtual time, for the tests of resolver/routes. The test plays routers and RTR servers. */
#ifndef TESTS_UNIT_RESOLVER_ROUTES_WORLD_H
#define TESTS_UNIT_RESOLVER_ROUTES_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "net/host.h"

#define MOST_STREAMS 2000u

struct stream {
	stream_h self;
	bool open, adopted;
	struct endpoint to;
	char path[100]; /* "": to an address */
	struct stream_events ev;
	uint8_t out[8192]; /* what was written, until world_wrote() */
	size_t out_len;
};

struct acceptor {
	acceptor_h self;
	bool open;
	struct endpoint at;
	const struct loop_type *type;
	uint64_t who;
	host_accept_fn *fn;
};

struct routes_host {
	struct host host; /* first */
	struct stream *streams[MOST_STREAMS];
	struct acceptor *acceptors[MOST_STREAMS];
	size_t stream_count, acceptor_count;
	enum err accept_error, connect_error; /* what the next ones give */
};

struct routes_world {
	uint64_t now_ns;
	struct loop *loop;
	struct rng *rng;
	struct routes_host *host;
	unsigned int changed;
};

void world_open(struct routes_world *w);
void world_close(struct routes_world *w);
void world_pass(struct routes_world *w, uint64_t ms); /* that long, and a turn more */
void world_turn(struct routes_world *w);
/* A connection from there to acceptor i: its number among the streams. */
size_t world_accept(struct routes_world *w, size_t i, const char *from);
void world_connected(struct routes_world *w, size_t stream);
void world_data(struct routes_world *w, size_t stream, struct span octets);
void world_closed(struct routes_world *w, size_t stream, enum err e);
bool world_is_open(const struct routes_world *w, size_t stream);
struct span world_wrote(struct routes_world *w, size_t stream); /* since the last time */
void world_changed(void *owner); /* counts; owner is the world */

#endif
