/*
 * net.h: a virtual network in virtual time, from one seed. It drives everything above the socket (net/host.h, base/loop.h) as production does, in one
 * thread: the same seed gives the same run to the octet.
 *
 *   node   a piece of test code at an address: a name server, a client, a forger. Hears datagrams and connections to its address, port 53 or any
 *   host   a worker of the program under test: struct host on a struct loop with a virtual back end
 *   link   what happens to a datagram on its way: delay, loss, duplication, reordering (by the spread of the delay), damage
 *
 * sim_run() is the heart: it hands what has arrived to loops that have something to do, then advances the clock to the next instant at which anything
 * happens. Nothing sleeps, nothing asks the machine's clock. The trace hash covers every event in order, so that two runs can be compared.
 */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include "base/loop.h"
#include "net/host.h"

struct sim;
struct sim_conn; /* a connection; both its ends know it by this */

/* Faults of the simulator itself, each of which an oracle must find (CAIRN_SIM_PLANT). */
enum plant { PLANT_NONE, PLANT_DOUBLE_REPLY, PLANT_DROP, PLANT_LEAK, PLANT_HANDLE, PLANT_SOCKET, PLANT_STORM, PLANT_FORGE, PLANT_FORGE_CACHE, PLANT_WRONG,
	PLANT_NONDETERMINISM, PLANT_STALE, PLANT_RESTLESS, PLANT_OLD, PLANT_SIGN_FORGERY, PLANT_SIGN_INSECURE, PLANT_SIGN_BOGUS, PLANT_FOREIGN, PLANT_HIJACK, PLANTS };

struct sim_link {
	uint32_t delay_min_us, delay_max_us;
	uint32_t loss, duplicate, damage; /* in 1,000,000 */
};

void sim_free(struct sim *s) TAKES(1); /* the hosts and loops made on it have been freed */
struct sim *sim_new(uint64_t seed) OWNED_BY(sim_free);
DEFINE_AUTO(struct sim, sim_free)

uint64_t sim_now_ns(const struct sim *s) NONNULL;
int64_t sim_wall_sec(const struct sim *s) NONNULL; /* seconds since 1970, as the programs' wall clock says */
struct rng *sim_rng(struct sim *s) BORROWED NONNULL; /* the network's and the nodes' draws; programs under test have their own */
uint64_t sim_draw(struct sim *s, uint64_t from, uint64_t to) NONNULL; /* from <= x <= to */
bool sim_chance(struct sim *s, uint32_t in_million) NONNULL;
void sim_set_link(struct sim *s, const struct sim_link *l) NONNULL;   /* of every path, but for those of nodes with a link of their own */
uint64_t sim_trace(const struct sim *s) NONNULL;
void sim_note(struct sim *s, const void *p, size_t n) NONNULL;        /* adds to the trace hash */
void sim_set_verbose(struct sim *s, bool verbose) NONNULL;            /* tells every event on standard error */
void sim_set_plant(struct sim *s, enum plant p) NONNULL;
bool sim_verbose(const struct sim *s) NONNULL;

/* fn(s, ctx, arg) at a later instant. */
typedef void sim_fn(struct sim *s, void *ctx, uint64_t arg);
void sim_at(struct sim *s, uint64_t wait_ns, sim_fn *fn, void *ctx, uint64_t arg);

/* Runs until nothing is left to happen or the time is reached. True: nothing is left but timers beyond it. */
bool sim_run(struct sim *s, uint64_t until_ns) NONNULL;
bool sim_at_rest(const struct sim *s) NONNULL;     /* no timer is left either */
uint64_t sim_turns(const struct sim *s) NONNULL; /* turns of all loops: a run that spins is a bug */

/* ---- the program's side --------------------------------------------------------------------------------------------------------------- */

/* A loop on the virtual clock. It is the caller's, who frees it before the simulator. wall clock = start + virtual time. */
struct loop *sim_loop_new(struct sim *s, struct rng *rng, struct epoch_member *member) OWNED_BY(loop_free);
/* A host on it. Its exchanges and connections leave from `address4` and `address6`. */
struct host *sim_host_new(struct sim *s, struct loop *l, const struct addr *address4, const struct addr *address6) OWNED_BY(host_free) NONNULL;
/* Descriptors that a host may have open at once; the next one is ERR_LIMIT. 0: no limit. */
void sim_host_limit(struct host *h, unsigned int open) NONNULL;
unsigned int sim_host_open(const struct host *h) NONNULL; /* exchanges, streams, listeners now */

/* ---- nodes ----------------------------------------------------------------------------------------------------------------------------- */

struct sim_node_events {
	void (*datagram)(struct sim *s, void *ctx, const struct endpoint *from, const struct endpoint *to, struct span packet);
	bool (*connection)(struct sim *s, void *ctx, struct sim_conn *c); /* false: refused */
	void (*opened)(struct sim *s, void *ctx, struct sim_conn *c);     /* one that this node opened */
	void (*data)(struct sim *s, void *ctx, struct sim_conn *c, struct span octets);
	void (*closed)(struct sim *s, void *ctx, struct sim_conn *c);     /* by the other end, or refused; c is gone afterwards */
};
/* ev and ctx live as long as the simulator. An address belongs to one node. */
RESULT sim_node(struct sim *s, const struct addr *at, const struct sim_node_events *ev, void *ctx);
void sim_node_link(struct sim *s, const struct addr *at, const struct sim_link *l) NONNULL; /* for what goes to and comes from it */
void sim_node_down(struct sim *s, const struct addr *at, bool down) NONNULL;                /* a pulled cable: nothing passes */

/* Sends a datagram; `from` may be anybody's (forgers). */
void sim_send(struct sim *s, const struct endpoint *from, const struct endpoint *to, struct span packet) NONNULL;
/* Opens a connection to a host's acceptor. NULL: out of memory. */
struct sim_conn *sim_connect(struct sim *s, const struct endpoint *from, const struct endpoint *to, void *ctx) BORROWED;
void sim_conn_write(struct sim *s, struct sim_conn *c, struct span octets) NONNULL; /* arrives in pieces */
void sim_conn_close(struct sim *s, struct sim_conn *c) NONNULL;
void sim_conn_end(struct sim *s, struct sim_conn *c) NONNULL;   /* of the node's direction (a half-close): it still hears what comes, until the other end is gone too */
void sim_conn_stall(struct sim *s, struct sim_conn *c, bool stalled) NONNULL; /* the node stops reading, or goes on */
void sim_conn_set_ctx(struct sim_conn *c, void *ctx);
void *sim_conn_ctx(struct sim_conn *c) BORROWED NONNULL;
const struct endpoint *sim_conn_peer(const struct sim_conn *c) BORROWED NONNULL; /* the program's end, as the node sees it */
const struct endpoint *sim_conn_here(const struct sim_conn *c) BORROWED NONNULL; /* the node's own end: an address of it that was connected to */
/* Ports on which exchanges of hosts wait for an answer from this server: what an off-path attacker would give much to know. For tests of near misses. */
bool sim_waiting_port(const struct sim *s, const struct endpoint *server, uint16_t *ret_port, uint16_t *ret_id) NONNULL;

#endif
