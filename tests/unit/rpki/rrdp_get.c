/*
 * rrdp_get: fetches a repository by RRDP over HTTPS, twice, and says what it found: a hand tool, and what tests/stages/ci/64-rrdp runs.
 *
 * usage: rrdp_get URI ADDRESS BUNDLE [PROXY@PORT]      the notification; of every host; PEM file of authorities
 * It prints for each run the outcome, the serial, the objects, their octets, and a sum over URIs and octets that does not depend on their order. Exit status 0: both well.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/loop_event.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "net/tls_client.h"
#include "rpki/fetch/fetcher_direct.h"
#include "rpki/fetch/rrdp_fetch.h"

LOOP_HANDLE(getter)
LOOP_HANDLE_IMPL(getter)

struct getter {
	uint8_t state[65536];
	size_t state_len;
	uint64_t objects, octets, sum;
	enum rrdp_outcome outcome;
};

static RESULT g_begin(void *ctx, bool whole)
{
	struct getter *g = (struct getter *)ctx;

	(void)whole;
	g->objects = g->octets = g->sum = 0;
	return DONE;
}

static RESULT g_publish(void *ctx, struct span uri, const uint8_t *replaces, struct span octets)
{
	static const struct hash_key key = { { 1, 2 } };
	struct getter *g = (struct getter *)ctx;

	(void)replaces;
	g->objects++;
	g->octets += octets.n;
	g->sum += siphash13(&key, uri.p, uri.n) ^ siphash13(&key, octets.p, octets.n);
	return DONE;
}

static RESULT g_withdraw(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH])
{
	(void)ctx, (void)uri, (void)hash;
	return FAIL(ERR_NOTFOUND); /* nothing is kept: deltas lead to a snapshot */
}

static RESULT g_keep(void *ctx, struct span state)
{
	struct getter *g = (struct getter *)ctx;

	if (state.n > sizeof g->state)
		return FAIL(ERR_LIMIT);
	memcpy(g->state, state.p, state.n);
	g->state_len = state.n;
	return DONE;
}

static void g_abort(void *ctx)
{
	(void)ctx;
}

static void on_ended(struct loop *l, void *object, rrdp_fetch_h f, const struct rrdp_report *r)
{
	static const char *const names[] = { "under way", "unchanged", "deltas", "snapshot", "failed" };
	struct getter *g = (struct getter *)object;

	(void)f;
	printf("%s serial %" PRIu64 " objects %" PRIu64 " octets %" PRIu64 " sum %016" PRIx64 " read %" PRIu64 "\n%s", names[r->outcome], r->serial, g->objects, g->octets,
		g->sum, r->octets, r->why);
	g->outcome = r->outcome;
	loop_stop(l);
}

static struct addr server;

static void look_up(const char *host, struct names_answer *ret)
{
	(void)host;
	ret->a[ret->n++] = server;
}

static bool run(struct getter *g, struct loop *l, struct fetcher *c, const char *uri)
{
	struct rrdp_limits limits = rrdp_limits_default();
	struct rrdp_store store = { g, g_begin, g_publish, g_withdraw, g_keep, g_keep, g_abort };
	struct rrdp_options o = { .uri = uri, .spool = "/tmp", .state = span_of(g->state, g->state_len), .limits = &limits };
	getter_h self = getter_enlist(l, g);
	struct rrdp_fetch_events ev = { .type = &getter_loop_type, .who = self.v, .ended = on_ended };
	rrdp_fetch_h f;

	if (!OK(rrdp_fetch_begin(c, &o, &store, 0, &ev, &f)))
		return false;
	loop_run(l);
	getter_retire(l, self);
	return g->outcome != RRDP_FAILED;
}

int main(int argc, char **argv)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	AUTO(tls_trust_free) struct tls_trust *trust = NULL;
	AUTO(rng_free) struct rng *rng = rng_new();
	AUTO(loop_free) struct loop *l = NULL;
	AUTO(host_free) struct host *h = NULL;
	AUTO(fetcher_free) struct fetcher *c = NULL;
	static struct getter g;
	struct fetcher_direct_options o = fetcher_direct_options_default();
	struct loop_backend b;

	if (argc < 4 || why == NULL || rng == NULL || !OK(addr_parse(argv[2], &server)) || !OK(loop_event_backend(&b))) {
		fprintf(stderr, "usage: rrdp_get URI ADDRESS BUNDLE [PROXY@PORT]\n");
		return 2;
	}
	if (!OK(tls_trust_new(argv[3], why, &trust))) {
		fprintf(stderr, "%s\n", strbuf_text(why));
		return 2;
	}
	o.lookup = look_up;
	o.http.trust = trust;
	o.http.by_proxy = argc > 4;
	if (argc > 4 && !OK(endpoint_parse(argv[4], 3128, &o.http.proxy)))
		return 2;
	l = loop_new(&b, rng, NULL);
	h = l != NULL ? host_event_new(l, 0) : NULL;
	c = h != NULL ? fetcher_direct_new(h, &o) : NULL;
	if (c == NULL || !run(&g, l, c, argv[1]) || !run(&g, l, c, argv[1]))
		return 1;
	return 0;
}
