#include "resolver/routes/caches.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define CONNECT_MS 10000u
#define NO_ERROR 65535u /* of rtr_client_last_error() */

LOOP_HANDLE(route_cache)
LOOP_HANDLE_IMPL(route_cache)

struct route_cache {
	struct route_caches *all PARENT_FIELD;
	char *name OWNED_FIELD;
	struct endpoint at;
	struct rtr_client *client OWNED_FIELD;
	route_cache_h self;
	stream_h stream;
	bool up;         /* the stream is connected */
	bool told;       /* a failure was logged since it last worked */
	timer_h due;
	uint64_t connect_by_ms;
};

struct route_caches {
	struct host *host PARENT_FIELD;
	struct route_cache *list OWNED_FIELD;
	size_t n;
	route_caches_fn *changed;
	void *owner PARENT_FIELD; /* own-ok: R15 the owner, who frees this before it goes */
	/* What was told last. */
	size_t best;        /* whose data; n: nobody's */
	uint64_t updated_ms;
	uint64_t states;    /* of all of them, mixed into a number */
};

static void pump(struct route_cache *c);

static uint64_t now_of(const struct route_cache *c)
{
	return now_ms(loop_now(c->all->host->loop));
}

void route_caches_free(struct route_caches *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->n; i++) {
		struct route_cache *c = &x->list[i];

		loop_timer_stop(x->host->loop, &c->due);
		host_stream_close(x->host, c->stream);
		if (c->self.v != 0)
			route_cache_retire(x->host->loop, c->self);
		rtr_client_free(MOVE(c->client));
		mem_free(MOVE(c->name));
	}
	mem_free(MOVE(x->list));
	mem_free(x);
}

size_t route_caches_count(const struct route_caches *x)
{
	return x->n;
}

const struct rtr_client *route_caches_at(const struct route_caches *x, size_t i, const char **ret_name)
{
	*ret_name = x->list[i].name;
	return x->list[i].client;
}

const struct rtr_client *route_caches_best(const struct route_caches *x, const char **ret_name)
{
	for (size_t i = 0; i < x->n; i++) {
		if (rtr_client_table(x->list[i].client) == NULL)
			continue;
		*ret_name = x->list[i].name;
		return x->list[i].client;
	}
	return NULL;
}

/* Differs when a server has come, gone, or has other data than before. */
static uint64_t states_of(const struct route_caches *x)
{
	uint64_t mixed = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct rtr_client *c = x->list[i].client;
		uint64_t one = rtr_client_state(c) == RTR_CLIENT_AWAY ? 1 : 2;

		if (rtr_client_table(c) != NULL)
			one += 4 + 8 * rtr_client_updated(c);
		mixed = (mixed ^ one) * UINT64_C(0x9e3779b97f4a7c15) + i;
	}
	return mixed;
}

static void say_which(const struct route_caches *x, size_t best)
{
	if (best == x->n)
		log_warn("routes: no RTR server has data that have not expired: nothing is known of any route");
	else if (best != x->best)
		log_notice("routes: VRPs from %s", x->list[best].name);
}

/* Tells the owner when other data count than before, the same were confirmed, or a server has come or gone. */
static void compare(struct route_caches *x)
{
	size_t best = 0;
	uint64_t updated = 0, states = states_of(x);

	while (best < x->n && rtr_client_table(x->list[best].client) == NULL)
		best++;
	if (best < x->n)
		updated = rtr_client_updated(x->list[best].client);
	if (best == x->best && updated == x->updated_ms && states == x->states)
		return;
	if (best != x->best || updated != x->updated_ms)
		say_which(x, best);
	x->states = states;
	x->best = best;
	x->updated_ms = updated;
	x->changed(x->owner);
}

/* ------------------------------------------------------------------------------------------------------------- connections */

static void lost(struct route_cache *c, const char *why)
{
	host_stream_close(c->all->host, c->stream);
	c->stream.v = 0;
	c->up = false;
	if (!c->told)
		log_warn("routes: RTR server %s: %s", c->name, why);
	c->told = true;
	rtr_client_disconnected(c->client, now_of(c));
}

static void on_connected(struct loop *l, void *object, stream_h s)
{
	struct route_cache *c = (struct route_cache *)object;

	(void)l;
	(void)s;
	c->up = true;
	rtr_client_connected(c->client, now_of(c));
	pump(c);
}

static void on_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct route_cache *c = (struct route_cache *)object;

	(void)l;
	(void)s;
	rtr_client_input(c->client, now_of(c), octets);
	pump(c);
}

static void on_drained(struct loop *l, void *object, stream_h s)
{
	(void)l;
	(void)object;
	(void)s;
}

static void on_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	struct route_cache *c = (struct route_cache *)object;

	(void)l;
	(void)s;
	c->stream.v = 0;
	lost(c, e == ERR_REFUSED ? "nobody listens there" : e == ERR_CLOSED ? "closed the connection" : "the connection failed");
	pump(c);
}

static void begin(struct route_cache *c)
{
	struct host *h = c->all->host;
	struct exchange_options o = { .to = c->at, .path = strchr(c->name, '/') != NULL ? c->name : NULL };
	struct stream_events ev = { .type = &route_cache_loop_type, .who = c->self.v, .connected = on_connected, .data = on_data, .drained = on_drained, .closed = on_closed };

	c->connect_by_ms = now_of(c) + CONNECT_MS;
	if (!OK(host_connect(h, &o, &ev, &c->stream)))
		lost(c, "cannot be connected to");
}

static void on_due(struct loop *l, void *object)
{
	struct route_cache *c = (struct route_cache *)object;

	(void)l;
	c->due.v = 0;
	pump(c);
}

static void arm(struct route_cache *c)
{
	uint64_t due = rtr_client_due(c->client), now = now_of(c);

	loop_timer_stop(c->all->host->loop, &c->due);
	if (c->stream.v != 0 && !c->up && due > c->connect_by_ms)
		due = c->connect_by_ms;
	if (due == UINT64_MAX)
		return;
	if (!OK(loop_timer(c->all->host->loop, &route_cache_loop_type, c->self.v, on_due, due > now ? due - now : 1, &c->due)))
		log_error("routes: out of memory: RTR server %s is not asked again", c->name);
}

/* Sends what it has to send. */
static void send_all(struct route_cache *c)
{
	struct span out = rtr_client_output(c->client);

	if (out.n > 0 && c->up && !OK(host_stream_write(c->all->host, c->stream, out)))
		lost(c, "does not take what is sent");
}

/* Does what the client wishes, and sees when it is to be asked again. */
static void pump(struct route_cache *c)
{
	enum rtr_wish wish;

	if (c->stream.v != 0 && !c->up && now_of(c) >= c->connect_by_ms)
		lost(c, "does not answer");
	send_all(c);
	wish = rtr_client_tick(c->client, now_of(c));
	send_all(c);
	if (wish == RTR_WISH_CLOSE && c->stream.v != 0)
		lost(c, rtr_client_last_error(c->client) == NO_ERROR ? "does not answer" : "the session ended with an Error Report");
	else if (wish == RTR_WISH_CONNECT && c->stream.v == 0)
		begin(c);
	if (rtr_client_state(c->client) == RTR_CLIENT_RESTS)
		c->told = false;
	arm(c);
	compare(c->all);
}

struct route_caches *route_caches_new(struct host *h, const struct route_cache_at *at, size_t n, route_caches_fn *changed, void *owner)
{
	AUTO(route_caches_free) struct route_caches *x = (struct route_caches *)mem_alloc(sizeof *x);

	if (x == NULL)
		return NULL;
	x->host = h;
	x->changed = changed;
	x->owner = owner;
	x->list = (struct route_cache *)mem_alloc_array(n, sizeof *x->list);
	if (x->list == NULL)
		return NULL;
	x->n = x->best = n;
	for (size_t i = 0; i < n; i++) {
		struct route_cache *c = &x->list[i];

		c->all = x;
		c->at = at[i].at;
		c->name = mem_strdup(at[i].name);
		c->client = rtr_client_new(&RTR_CLIENT_USUAL);
		c->self = route_cache_enlist(h->loop, c);
		if (c->name == NULL || c->client == NULL || c->self.v == 0)
			return NULL;
		if (!OK(loop_timer(h->loop, &route_cache_loop_type, c->self.v, on_due, 0, &c->due)))
			return NULL;
	}
	return MOVE(x);
}
