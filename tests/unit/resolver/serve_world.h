/*
 * serve_world.h: a host and a core that only note what they are asked to do, a loop whose clock the test moves, and the serving
 * side between them. For the tests of serve/serve.c and of what it calls. It plays core: nothing of resolver/core/core.c is linked.
 */
#ifndef TESTS_UNIT_RESOLVER_SERVE_WORLD_H
#define TESTS_UNIT_RESOLVER_SERVE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/epoch.h"
#include "base/mem.h"
#include "net/host.h"
#include "resolver/cache/anscache.h"
#include "resolver/core/core.h"
#include "resolver/serve/answer_route.h"
#include "resolver/serve/quota.h"
#include "resolver/serve/serve.h"
#include "resolver/serve/tcp.h"
#include "resolver/serve/watched.h"
#include "resolver/stats.h"
#include "tests/unit/resolver/route_world.h"

/* What core was asked. */
#define MAX_ASKED 4096
struct asked {
	struct resolve_request r;
	struct name_buf name;
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	resolve_fn *fn;
	bool open;
};
extern struct asked asked[MAX_ASKED];
extern size_t asked_count, cancelled, dropped_oldest;
extern enum err core_error; /* what the next questions get */

/* What was sent over UDP; the oldest are overwritten. */
struct sent {
	uint8_t b[4096];
	size_t n;
	struct endpoint to;
};
extern struct sent sent[256];
extern size_t sent_count;
extern bool sock_open;
extern bool stamped, stamp_fails; /* datagrams are asked how long they waited, and cannot say */
extern struct listen_options listened, accepting; /* what the last ones were opened with */

struct fake_stream {
	struct stream_events ev;
	bool adopted, closed, paused, refuses;
	uint8_t out[1 << 17]; /* what was written */
	size_t n, unsent;
};
extern struct fake_stream streams[40]; /* by number of stream_h */

struct serve_world {
	struct loop *loop OWNED_FIELD;
	struct epoch *epoch OWNED_FIELD;
	struct epoch_member *member OWNED_FIELD;
	struct rng *rng OWNED_FIELD;
	struct anscache *anscache OWNED_FIELD;
	struct conf *conf OWNED_FIELD;
	struct serve_settings *settings OWNED_FIELD;
	struct local_zones *zones OWNED_FIELD;
	struct arena *arena OWNED_FIELD;
	struct route_board *board OWNED_FIELD;
	struct watched *watched OWNED_FIELD;
	struct filter_board *filters OWNED_FIELD;
	struct serve *serve OWNED_FIELD;
	struct stats stats;
	_Atomic uint64_t stamp;
};
extern struct serve_world world;

/* more: lines of configuration that follow those of "server:". */
void serve_world_start(const char *more);
void serve_world_end(void);
#define BEGIN(more) \
	(void)state; \
	serve_world_start(more)
#define BLOCK "route-validation:\n answer-policy: block\n"

void turn(void); /* one, at the same time */
void pass_ms(uint64_t ms);

struct endpoint client(unsigned int n);
struct wire {
	uint8_t b[512];
	size_t n;
};
/* edns: 0 none, else the size; options may be empty. */
struct wire question(const char *name, uint16_t type, uint16_t id, uint16_t flags, uint16_t edns, struct span options);
struct wire framed(const char *name, uint16_t id); /* for TCP, without EDNS */
void deliver(const struct datagram *d, size_t n);
void receive(struct wire q, unsigned int from);
void receive_late(struct wire q, unsigned int from, uint32_t waited_us);
void ask(const char *name, uint16_t id, unsigned int from);

void connect_from(unsigned int n, unsigned int from);
void stream_gives(unsigned int n, const void *p, size_t len);
void stream_drains(unsigned int n);

/* Core answers the i-th question. */
void tell(size_t i, const struct answer *a);
void tell_addresses(size_t i, size_t n, uint32_t ttl);
struct answer addresses(size_t i, size_t n, uint32_t ttl); /* n of them, for the i-th question */
const struct rrset *set_of(const char *owner, uint16_t type, const void *rdata, size_t n) IN_ARENA;
/* Asks for type, with EDNS, and has core answer with these sets; the last `more` of them are additional. Returns the index of the reply. */
size_t answered_with(const char *name, uint16_t type, const struct rrset *const *sets, size_t n, size_t more);
size_t answered_by_address(const char *name, const char *address);

/* Of the i-th reply over UDP. */
uint16_t sent_flags(size_t i);
uint16_t sent_id(size_t i);
uint16_t sent_answers(size_t i);
bool says(size_t i, const char *text);

/* What the daemon does when routes have changed: takes stored answers out that have one of these bits. Returns how many. */
size_t flush_moved(uint32_t bits);

#endif
