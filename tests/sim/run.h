/*
 * run.h: one run of the resolver in a virtual Internet, as the simulator's files see it: weather.c draws it and disturbs it, clients.c asks, judge.c says whether
 * what came back is right, run.c starts and ends it, attacks.c asks single questions in worlds made to be dear, simulate.c is the program.
 */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include "base/epoch.h"
#include "resolver/worker.h"
#include "tests/sim/world.h"

#define SEC UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define MAX_WORKERS 3
#define CLIENTS 8
#define MAX_QUESTIONS 2000
#define PACKETS_PER_QUESTION 60 /* the promise for one question, all retries counted */
#define PATIENCE (13 * SEC)      /* no reply takes longer */

struct asked {
	struct name_buf name;
	uint16_t type, id, udp_size;
	uint8_t client;
	bool tcp, edns, dnssec_ok, recurse, check_disabled;
	bool authentic; /* has AD: wants to know */
	uint8_t option; /* of EDNS: enum client_option */
	bool lossy;  /* its connection may end before the reply: the client's own doing, or places ran out */
	bool must;   /* no failure is excused */
	bool calm;   /* the weather has been good since it was asked */
	unsigned int replies;
	uint64_t at_ns, took_ns;
	uint64_t packets; /* that servers had received when it was asked */
	uint16_t rcode, answers; /* of its reply */
	int ede;                 /* its extended error; -1: none */
	bool secure;             /* it had AD */
};

enum client_option { OPTION_NONE, OPTION_COOKIE, OPTION_NSID, OPTION_SUBNET, OPTION_KEEPALIVE, OPTION_PADDING, OPTION_UNKNOWN, OPTION_COOKIES_AND_ALL, CLIENT_OPTIONS };

/* How a client behaves on a connection. */
enum manner {
	ONE,      /* a question, a reply, the end */
	LEFT,     /* likewise, but it is for the other side to close */
	PIPELINE, /* several at once */
	DRIP,     /* some octets now and then */
	EARLY,    /* goes before the reply can come */
	FLOOD,    /* takes a place and says little */
	MANNERS
};

struct client {
	struct run *r PARENT_FIELD;
	struct addr at;
	uint8_t number;
	uint8_t cookie[24]; /* the server's answer to ours, behind it */
	uint8_t cookie_len; /* 0: none yet */
};

struct talk;

struct run {
	uint64_t seed;
	struct sim *sim OWNED_FIELD;
	struct world *world OWNED_FIELD;
	struct shared *shared OWNED_FIELD;
	struct plan *plan OWNED_FIELD;
	struct rng *rng OWNED_FIELD;             /* for plans */
	struct epoch_member *member OWNED_FIELD; /* the control side's */
	unsigned int workers;
	struct {
		struct rng *rng OWNED_FIELD;
		struct epoch_member *member OWNED_FIELD;
		struct loop *loop OWNED_FIELD;
		struct host *host OWNED_FIELD;
		struct tap_seat tap; /* of messages that nobody reads; without a ring: not told */
		struct worker *worker OWNED_FIELD;
	} w[MAX_WORKERS];

	/* drawn */
	struct sim_link link;
	enum plant plant;
	enum world_setup setup;
	char conf[2048];   /* options of this run, besides those of all runs */
	char clauses[256]; /* and clauses */
	bool calm;         /* the network is good: failures need a broken zone */
	bool damaged;      /* octets change on the way, or the model knows nothing of the names asked for: what is said may be wrong */
	bool stale_ok;     /* serve-expired */
	bool small;        /* the caches are tiny */
	bool lonely;       /* one question at a time, and what it costs is counted */
	bool tcp, floods, forgers, reloads, flushes, limits, outages, oom;
	bool meddled;      /* somebody changes replies on purpose (fuzzing): also `damaged` */
	bool policies;     /* of the configuration: some clients are refused, or get flags of its choice */
	bool unvalidated;  /* by the configuration: what only validation can find out may be said */
	bool no_do;        /* disable-edns-do: who asks with DO may be answered without EDNS */
	bool resigned;     /* and has the zones' keys: what is secure may differ from the model */
	bool guests;       /* attacks.c: the model knows nothing of the names asked for */
	bool is_signed;    /* the world has signatures, the resolver its trust anchors */
	bool hijacked;     /* routes to some servers are invalid, and what these say is forged; the resolver is to ask no such */
	bool no_recursion; /* clients_ask() clears RD */
	bool plain;        /* questions have EDNS and DO, and no CD */
	bool starved;      /* memory ran out for long: replies may be missing */
	bool in_child;     /* of a fork, where memory has run out */
	bool closed_early; /* owners were closed with events under way */

	struct client clients[CLIENTS];
	struct talk *talks OWNED_FIELD;
	struct asked *asked OWNED_FIELD;
	unsigned int uncounted; /* questions that judge.c does not know: they may cost packets all the same */
	unsigned int count, wrong, failures, missing;
	uint64_t flushed_ns, packets, trace, dearest;
	uint64_t routes; /* views that hung on the board */
};

/* What is wrong is said on standard error, with the seed. */
void complain(struct run *r, const struct asked *q, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* run.c */
void run_seed(struct run *r, uint64_t seed, enum plant plant, bool verbose) NONNULL;
bool run_start(struct run *r, uint64_t seed, enum plant plant, bool verbose) NONNULL; /* the network alone */
bool run_start_workers(struct run *r) NONNULL;
void run_stop(struct run *r) NONNULL; /* everything is closed, and nothing is left */
RESULT run_make_plan(struct run *r, const char *more, struct plan **ret_plan) NONNULL;
struct endpoint run_resolver(void);

/* routes.c: what hangs on the board from now on: routes to these addresses are invalid, all others valid; without VRPs all are unknown. */
void routes_hang(struct run *r, const struct addr *taken, size_t n, bool vrps) __attribute__((nonnull(1)));
void routes_hijack(struct run *r) NONNULL; /* of servers of the world (world_hijack) */

/* weather.c */
void weather_draw(struct run *r) NONNULL;
void weather_start(struct run *r) NONNULL;
void weather_reload(struct run *r, const char *change) NONNULL; /* with these further lines of server: */
void weather_end_calm(struct run *r) NONNULL; /* questions under way are excused, should they fail */

/* clients.c */
void clients_start(struct run *r) NONNULL;
void clients_schedule(struct run *r) NONNULL;
void clients_stop(struct run *r) NONNULL;
/* A question by UDP of a client that knows what it wants. NULL: too many. */
struct asked *clients_ask(struct run *r, unsigned int client, struct name name, uint16_t type) BORROWED;
/* Questions with everything set but id, at_ns, calm, packets: by UDP, or on one connection. False: too many, and nothing was sent. */
bool clients_put(struct run *r, const struct asked *how) NONNULL;
bool clients_put_tcp(struct run *r, enum manner manner, const struct asked *how, unsigned int n) NONNULL;
size_t clients_compose(const struct asked *q, uint8_t *out, size_t cap) NONNULL;

/* judge.c */
struct asked *judge_reply(struct run *r, unsigned int client, bool tcp, struct span packet, bool *ret_truncated) BORROWED; /* NULL: to nothing asked */
void judge_all(struct run *r) NONNULL;    /* when everything has come to rest */
void judge_caches(struct run *r) NONNULL;

/* attacks.c: returns how many bars were missed. */
unsigned int attacks_run(bool verbose, unsigned int *ret_passed) NONNULL;

#endif
