/* inside.h: what net.c (the network) and host.c (the program's side of it) share. */
#ifndef TESTS_SIM_INSIDE_H
#define TESTS_SIM_INSIDE_H

#include "base/mem.h"
#include "tests/sim/net.h"

struct sim_host;

enum sim_event_kind { SIM_CALL, SIM_DATAGRAM, SIM_OPEN, SIM_OPENED, SIM_DATA, SIM_CLOSE, SIM_REFUSED };

struct sim_event {
	uint64_t at_ns, seq;
	uint32_t kind;
	sim_fn *fn;                   /* SIM_CALL */
	void *ctx BORROWED_FIELD;     /* SIM_CALL */
	uint64_t arg;
	struct endpoint from, to;     /* SIM_DATAGRAM */
	struct sim_conn *conn BORROWED_FIELD; /* the others; it counts its events */
	bool to_program;
	size_t len;
	uint8_t octets[];
};

struct sim_node {
	struct sim_node *next OWNED_FIELD;
	struct addr at;
	const struct sim_node_events *ev BORROWED_FIELD;
	void *ctx BORROWED_FIELD;
	struct sim_link link;
	bool own_link, down;
};

/* Freed when both ends are gone and no event of it is under way. */
struct sim_conn {
	struct sim_conn *next OWNED_FIELD;
	struct sim_conn **at PARENT_FIELD;
	struct endpoint program, node;
	const struct sim_node_events *ev BORROWED_FIELD;
	void *ctx BORROWED_FIELD;
	struct sim_host *host BORROWED_FIELD; /* the program's end, while it is there */
	stream_h stream;
	uint64_t last_in, last_out;
	uint32_t events;
	bool node_gone, program_gone, by_node;
	bool node_ended;              /* it says nothing more, and hears */
	bool stalled;                 /* the node does not read: what the program writes waits here */
	uint8_t *unread OWNED_FIELD;
	size_t unread_len;
};

struct sim_backend {
	struct sim_backend *next OWNED_FIELD;
	struct sim *sim PARENT_FIELD;
	struct loop *loop PARENT_FIELD;
	struct epoch_member *member PARENT_FIELD; /* online only during turns: between them the loop sleeps */
	uint64_t wake_ns; /* when the loop's next timer is due */
	bool woken;
	struct sim_host *host BORROWED_FIELD;
	uint32_t source;  /* the slot that is made ready when the host has mail */
};

struct sim {
	uint64_t now_ns, seq, trace, turns;
	int64_t wall_start;
	struct rng *rng OWNED_FIELD;
	struct sim_link link;
	struct sim_event **events OWNED_FIELD;
	size_t event_count, event_room;
	struct sim_node *nodes OWNED_FIELD;
	struct sim_conn *conns OWNED_FIELD;
	struct sim_backend *backends BORROWED_FIELD; /* each belongs to its loop */
	bool verbose;
	enum plant plant;
	unsigned int planted;
};

void sim_push(struct sim *s, uint64_t wait_ns, struct sim_event *e) TAKES(3) NONNULL;
struct sim_event *sim_event_new(enum sim_event_kind kind, struct span payload) OWNED_BY(mem_free);
struct sim_conn *sim_conn_new(struct sim *s, const struct endpoint *program, const struct endpoint *node) BORROWED NONNULL;
void sim_conn_unlink(struct sim_conn *c) NONNULL;
void sim_conn_settle(struct sim_conn *c) NONNULL;
void sim_conn_push(struct sim *s, struct sim_conn *c, enum sim_event_kind kind, bool to_program, struct span octets);

/* Something arrived for the program: it goes into the mail of the host concerned. */
bool sim_host_has_mail(const struct sim_host *h) NONNULL;
void sim_host_datagram(struct sim *s, const struct sim_event *e) NONNULL;
void sim_host_drained(struct sim_conn *c) NONNULL; /* what waited in the connection has gone */
void sim_host_conn_event(struct sim *s, const struct sim_event *e) NONNULL;

#endif
