#include "resolver/routes/caches.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/tls_client.h"

#define CONNECT_MS 10000u
#define ROOM ((size_t)32 * 1024) /* of plaintext */
#define NO_ERROR 65535u /* of rtr_client_last_error() */

LOOP_HANDLE(route_cache)
LOOP_HANDLE_IMPL(route_cache)

struct route_cache {
	struct route_caches *all PARENT_FIELD;
	char *name OWNED_FIELD;
	struct endpoint at;
	bool secure, literal;
	char *tls_host OWNED_FIELD;        /* with TLS: whom the certificate must be for */
	struct tls_client *tls OWNED_FIELD; /* of this connection */
	struct rtr_client *client OWNED_FIELD;
	route_cache_h self;
	stream_h stream;
	bool up;         /* the stream is connected, and with TLS the server is who it should be */
	bool told;       /* a failure was logged since it last worked */
	timer_h due;
	uint64_t connect_by_ms;
};

struct route_caches {
	struct host *host PARENT_FIELD;
	struct route_cache *list OWNED_FIELD;
	size_t n;
	struct tls_trust *trust OWNED_FIELD; /* NULL: none */
	uint8_t *room OWNED_FIELD;           /* for plaintext; NULL: not needed yet */
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
		tls_client_free(MOVE(c->tls));
		mem_free(MOVE(c->tls_host));
		mem_free(MOVE(c->name));
	}
	tls_trust_free(MOVE(x->trust));
	mem_free(MOVE(x->room));
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
	tls_client_free(MOVE(c->tls));
	if (!c->told)
		log_warn("routes: RTR server %s: %s", c->name, why);
	c->told = true;
	rtr_client_disconnected(c->client, now_of(c));
}

/* ---------------------------------------------------------------------------------------------------------------------- TLS */

static RESULT send_tls(struct route_cache *c)
{
	struct span s = tls_client_output(c->tls);
	struct result r = s.n > 0 ? host_stream_write(c->all->host, c->stream, s) : DONE;

	tls_client_sent(c->tls);
	return r;
}

/* All plaintext that is there goes to the client. */
static RESULT read_tls(struct route_cache *c)
{
	size_t n;

	do {
		n = 0;
		TRY(tls_client_read(c->tls, c->all->room, ROOM, &n));
		if (n > 0)
			rtr_client_input(c->client, now_of(c), span_of(c->all->room, n));
	} while (n > 0);
	return send_tls(c); /* a key update asks for an answer */
}

static RESULT feed_tls(struct route_cache *c, struct span octets)
{
	struct result r = tls_client_input(c->tls, octets), sent = send_tls(c); /* an alert, too */

	TRY(r);
	TRY(sent);
	if (!tls_client_ready(c->tls))
		return DONE;
	if (!c->up) {
		c->up = true;
		rtr_client_connected(c->client, now_of(c));
	}
	TRY(read_tls(c));
	return tls_client_ended(c->tls) ? FAIL(ERR_CLOSED) : DONE;
}

static void feed_tls_or_lose(struct route_cache *c, struct span octets)
{
	struct result r = feed_tls(c, octets);
	char why[256] = "";

	if (OK(r))
		return;
	if (c->tls != NULL)
		(void)snprintf(why, sizeof why, "%s", tls_client_why(c->tls));
	lost(c, why[0] != '\0' ? why : r.e == ERR_CLOSED ? "closed the connection" : err_text(r.e));
}

static void begin_tls(struct route_cache *c)
{
	if (c->all->room == NULL)
		c->all->room = (uint8_t *)mem_alloc_raw(ROOM);
	if (c->all->trust != NULL && c->all->room != NULL)
		c->tls = tls_client_new_plain(c->all->trust, c->tls_host, c->literal);
	if (c->tls == NULL)
		lost(c, c->all->trust == NULL ? "TLS without authorities: see rtr-tls-ca:, rtr-tls-certificate: and rtr-tls-key:" : "TLS cannot be begun");
	else
		feed_tls_or_lose(c, span_of("", 0));
}

/* ------------------------------------------------------------------------------------------------------------- what is heard */

static void on_connected(struct loop *l, void *object, stream_h s)
{
	struct route_cache *c = (struct route_cache *)object;

	(void)l;
	(void)s;
	if (c->secure) {
		begin_tls(c);
	} else {
		c->up = true;
		rtr_client_connected(c->client, now_of(c));
	}
	pump(c);
}

static void on_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct route_cache *c = (struct route_cache *)object;

	(void)l;
	(void)s;
	if (c->tls != NULL)
		feed_tls_or_lose(c, octets);
	else
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
	struct result r = DONE;

	if (out.n == 0 || !c->up)
		return;
	if (c->tls != NULL) {
		r = tls_client_write(c->tls, out);
		if (OK(r))
			r = send_tls(c);
	} else {
		r = host_stream_write(c->all->host, c->stream, out);
	}
	if (!OK(r))
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

void route_caches_trust(struct route_caches *x, struct tls_trust *t)
{
	tls_trust_free(MOVE(x->trust)); /* a connection keeps what it needs of it */
	x->trust = t;
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
		c->secure = at[i].tls;
		c->literal = at[i].literal;
		c->tls_host = mem_strdup(at[i].tls ? at[i].host : "");
		c->client = rtr_client_new(&RTR_CLIENT_USUAL);
		c->self = route_cache_enlist(h->loop, c);
		if (c->name == NULL || c->tls_host == NULL || c->client == NULL || c->self.v == 0)
			return NULL;
		if (!OK(loop_timer(h->loop, &route_cache_loop_type, c->self.v, on_due, 0, &c->due)))
			return NULL;
	}
	return MOVE(x);
}
