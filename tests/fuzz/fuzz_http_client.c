/*
 * The HTTP client with a server that says what the input says, on the simulator's network. The first octet: bit 0 by a proxy, bit 1 three transfers one after the other.
 * Then pieces, each after its length and an octet: 0 to say it when something was asked, 1 to close after it, 2 to say it after a second. Every transfer ends once, and
 * nothing stays.
 */
#include <stdlib.h>

#include "base/rng.h"
#include "net/http_client.h"
#include "tests/fuzz/failing.h"
#include "tests/sim/net.h"

#define SECOND 1000000000ull

LOOP_HANDLE(asker)
LOOP_HANDLE_IMPL(asker)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct server {
	struct reader script;
	struct sim_conn *c PARENT_FIELD; /* that is open */
};

struct asker {
	unsigned int answers, ended;
	uint64_t octets;
	enum err e;
};

static void say_next(struct sim *s, struct server *v);

static void later(struct sim *s, void *ctx, uint64_t arg)
{
	(void)arg;
	say_next(s, (struct server *)ctx);
}

static void say_next(struct sim *s, struct server *v)
{
	size_t n = read8(&v->script);
	uint8_t how = read8(&v->script) % 3;
	struct span text;

	if (v->c == NULL || reader_end(&v->script))
		return;
	text = read_span(&v->script, reader_left(&v->script) < n ? reader_left(&v->script) : n);
	sim_conn_write(s, v->c, text);
	if (how == 1) {
		sim_conn_close(s, v->c);
		v->c = NULL;
	} else if (how == 2) {
		sim_at(s, SECOND, later, v, 0);
	}
}

static bool on_connection(struct sim *s, void *ctx, struct sim_conn *c)
{
	(void)s;
	((struct server *)ctx)->c = c;
	return true;
}

static void on_data(struct sim *s, void *ctx, struct sim_conn *c, struct span octets)
{
	(void)octets;
	((struct server *)ctx)->c = c;
	say_next(s, (struct server *)ctx);
}

static void on_closed(struct sim *s, void *ctx, struct sim_conn *c)
{
	struct server *v = (struct server *)ctx;

	(void)s;
	if (v->c == c)
		v->c = NULL;
}

static const struct sim_node_events node = { .connection = on_connection, .data = on_data, .closed = on_closed };

static void asker_answer(struct loop *l, void *object, http_transfer_h t, const struct http_answer *x)
{
	struct asker *a = (struct asker *)object;

	(void)l, (void)t, (void)x;
	a->answers++;
}

static void asker_body(struct loop *l, void *object, http_transfer_h t, struct span octets)
{
	struct asker *a = (struct asker *)object;

	(void)l, (void)t;
	a->octets += octets.n;
}

static void asker_ended(struct loop *l, void *object, http_transfer_h t, enum err e, const char *why)
{
	struct asker *a = (struct asker *)object;

	(void)l, (void)t;
	a->ended++;
	a->e = why == NULL ? ERR_RANGE : e;
}

static void wake_run(struct loop *l, struct message *m)
{
	(void)l, (void)m;
}

static void wake_free(struct message *m)
{
	(void)m;
}

/* One transfer, from its beginning to its end. */
static bool transfer(struct sim *s, struct loop *l, struct http_client *c, const struct addr *at)
{
	static const uint64_t max = 10000;
	struct asker a = { .answers = 0 };
	asker_h self = asker_enlist(l, &a);
	struct http_wish q = { .uri = "https://h.example/a", .etag = "\"x\"", .addresses = at, .count = 1, .max_octets = max, .gzip = true };
	struct http_events ev = { .type = &asker_loop_type, .who = self.v, .answer = asker_answer, .body = asker_body, .ended = asker_ended };
	struct message wake = { .run = wake_run, .free = wake_free };
	http_transfer_h t;
	bool begun = self.v != 0 && OK(http_get(c, &q, &ev, &t));

	loop_post(l, &wake);
	(void)sim_run(s, sim_now_ns(s) + 700 * SECOND);
	asker_retire(l, self);
	return begun && a.ended == 1 && a.answers <= 1 && a.octets <= max && (a.e != ERR_NONE || a.answers == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server v = { .script = reader_of(span_of(data, size)) };
	uint8_t flags = read8(&v.script);
	AUTO(rng_free) struct rng *rng = MINE(rng_new_seeded(1));
	AUTO(sim_free) struct sim *s = MINE(sim_new(1));
	AUTO(loop_free) struct loop *l = MINE(sim_loop_new(s, rng, NULL));
	struct addr own4 = { ADDR_V4, { 198, 51, 100, 1 } }, own6 = { ADDR_V6, { 0x20, 1, 0xd, 0xb8, 1 } }, at = { ADDR_V4, { 192, 0, 2, 1 } };
	AUTO(host_free) struct host *h = MINE(sim_host_new(s, l, &own4, &own6));
	AUTO(http_client_free) struct http_client *c = NULL;
	struct http_options o = http_options_default();

	if (h == NULL || !MINE(OK(sim_node(s, &at, &node, &v))))
		return 0;
	o.by_proxy = (flags & 1) != 0;
	o.proxy = (struct endpoint){ .a = at, .port = 3128 };
	o.head_octets = 1000;
	c = http_client_new(h, &o);
	HOLDS(c != NULL);
	for (unsigned int i = 0; i < ((flags & 2) != 0 ? 3u : 1u); i++)
		HOLDS(transfer(s, l, c, &at));
	HOLDS(sim_host_open(h) == 0); /* nothing that a server said may keep a connection for ever */
	return 0;
}
