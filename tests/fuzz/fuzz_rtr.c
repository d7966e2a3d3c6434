/*
 * The RTR service between a publisher and two routers: one sends whatever octets it likes and reads as little as it likes, the other is our own client. Tables are
 * published, routers notified, connections lost. Everything the cache sends is well formed, in the one version of its session, and never answers an Error Report; and the
 * client ends with exactly what was published, as far as its version has it.
 */
#include <stdlib.h>

#include "base/rng.h"
#include "base/strbuf.h"
#include "rpki/routes/rtr_client.h"
#include "rpki/serve/rtr_session.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where memory ran out, nothing is insisted on. */
#define CHECK(x) \
	do { \
		if (!(x) && !mem_failed()) \
			abort(); \
	} while (0)

#define MAX_STEPS 500u
#define MAX_OUT (1u << 20)
#define ROUNDS 50u

struct world {
	struct rtr_feed *feed BORROWED_FIELD;
	struct rtr_counts counts;
	struct rtr_session stranger, ours;
	struct strbuf *said BORROWED_FIELD; /* to the stranger, as far as it is no whole PDU */
	struct rtr_client *client BORROWED_FIELD;
	bool up;          /* our client is connected */
	bool report_sent; /* the stranger sent an Error Report: silence follows */
	uint64_t now;
};

/* A table of few payloads out of a small world, drawn by one octet. */
static struct payload_table *draw(uint8_t seed) OWNED_BY(table_unref);
static struct payload_table *draw(uint8_t seed)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(rng_free) struct rng *rng = MINE(rng_new_seeded(seed & 15));
	struct payload_table *t = NULL;

	if (b == NULL || rng == NULL)
		return NULL;
	for (unsigned int i = rng_below(rng, 12); i > 0; i--) {
		struct vrp v = { .family = rng_below(rng, 2) ? ADDR_V4 : ADDR_V6, .len = 8, .maxlen = 9, .asn = rng_below(rng, 3) };

		v.addr[0] = (uint8_t)rng_below(rng, 4);
		if (!OK(table_builder_add_vrp(b, &v, SOURCE_NONE)))
			return NULL;
	}
	for (unsigned int i = rng_below(rng, 3); i > 0; i--) {
		uint8_t octet = (uint8_t)rng_below(rng, 3);
		uint32_t p[2] = { 1 + rng_below(rng, 3), 1 + rng_below(rng, 3) };
		struct router_key k = { .asn = rng_below(rng, 2), .spki = span_of(&octet, 1) };

		if (!OK(table_builder_add_key(b, &k, SOURCE_NONE)) || !OK(table_builder_add_aspa(b, rng_below(rng, 3), p, 2, SOURCE_NONE)))
			return NULL;
	}
	if (!OK(table_builder_finish(MOVE(b), seed, &t)))
		return NULL;
	return t;
}

static void publish(struct world *w, uint8_t seed)
{
	AUTO(table_unref) struct payload_table *t = draw(seed);
	bool changed;

	if (t != NULL)
		CHECK(OK(rtr_feed_publish(w->feed, MOVE(t), &changed)));
}

/* --- the stranger --- */

static void judge_pdu(struct world *w, struct span octets)
{
	struct rtr_pdu p;
	enum rtr_error code;
	const char *why;

	CHECK(OK(rtr_read(octets, &p, &code, &why)));
	CHECK(!w->report_sent);
	CHECK(octets.p[0] <= RTR_VERSION_MAX);
	CHECK(octets.p[1] != RTR_SERIAL_QUERY && octets.p[1] != RTR_RESET_QUERY);
	if (w->stranger.state == RTR_OPEN)
		CHECK(octets.p[0] == w->stranger.version || octets.p[1] == RTR_ERROR);
}

static void judge_said(struct world *w)
{
	struct span s = strbuf_span(w->said);
	size_t at = 0;

	while (s.n - at >= RTR_HEADER) {
		uint32_t n = rtr_header_of(s.p + at).length;

		CHECK(n >= RTR_HEADER && n <= RTR_PDU_MAX);
		if (n < RTR_HEADER || n > s.n - at)
			break;
		judge_pdu(w, span_of(s.p + at, n));
		at += n;
	}
	strbuf_drop(w->said, at);
}

static void stranger_reads(struct world *w, size_t max)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct span piece = rtr_session_output(&w->stranger, max);

		if (piece.n == 0)
			break;
		CHECK(piece.n <= max);
		mem_fail_hold(true);
		strbuf_add_span(w->said, piece);
		mem_fail_hold(false);
	}
	judge_said(w);
}

static void stranger_sends(struct world *w, struct span octets)
{
	if (w->stranger.state == RTR_LAST || w->stranger.state == RTR_ENDED)
		return;
	rtr_session_input(&w->stranger, octets);
	CHECK(w->stranger.state != RTR_OPEN || w->stranger.version <= RTR_VERSION_MAX);
	w->report_sent |= w->stranger.state == RTR_ENDED && w->stranger.end == RTR_END_REPORT;
}

static void stranger_again(struct world *w)
{
	rtr_session_done(&w->stranger);
	rtr_session_init(&w->stranger, w->feed, &w->counts);
	strbuf_clear(w->said);
	w->report_sent = false;
}

/* --- our own client --- */

static void hang_up(struct world *w)
{
	if (w->up)
		rtr_client_disconnected(w->client, w->now);
	w->up = false;
	rtr_session_done(&w->ours);
	rtr_session_init(&w->ours, w->feed, &w->counts);
}

/* Octets go to and fro until both are silent. */
static void converse(struct world *w, size_t max)
{
	for (unsigned int i = 0; i < 10000; i++) {
		struct span out = rtr_client_output(w->client);
		struct span in;

		if (out.n > 0)
			rtr_session_input(&w->ours, out);
		in = rtr_session_output(&w->ours, max);
		if (in.n > 0)
			rtr_client_input(w->client, w->now, in);
		if (in.n == 0 && out.n == 0)
			break;
	}
	if (w->ours.state == RTR_ENDED || rtr_client_state(w->client) == RTR_CLIENT_LEAVES)
		hang_up(w);
}

static void live(struct world *w, uint64_t ms, size_t max)
{
	enum rtr_wish wish;

	w->now += ms;
	wish = rtr_client_tick(w->client, w->now);
	if (wish == RTR_WISH_CONNECT && !w->up) {
		w->up = true;
		rtr_client_connected(w->client, w->now);
	} else if (wish == RTR_WISH_CLOSE) {
		hang_up(w);
	}
	if (w->up)
		converse(w, max);
}

/* What of t a version has is in `got`, and nothing else. */
static void same(const struct payload_table *got, const struct payload_table *t, uint8_t version)
{
	AUTO(table_unref) struct payload_table *empty = draw(0);

	CHECK(table_count(got, PAYLOAD_VRP) == table_count(t, PAYLOAD_VRP));
	for (size_t i = 0; i < table_count(got, PAYLOAD_VRP) && i < table_count(t, PAYLOAD_VRP); i++) {
		struct vrp a = table_vrp(got, i), b = table_vrp(t, i);

		CHECK(vrp_compare(&a, &b) == 0);
	}
	CHECK(table_count(got, PAYLOAD_KEY) == (version >= 1 ? table_count(t, PAYLOAD_KEY) : 0));
	CHECK(table_count(got, PAYLOAD_ASPA) == (version >= 2 ? table_count(t, PAYLOAD_ASPA) : 0));
	CHECK(version < 2 || table_equal(got, t));
}

/* Enough time for every wait of a client: then it has what was published last. */
static void settle(struct world *w)
{
	const struct payload_table *t = rtr_feed_table(w->feed);

	for (unsigned int i = 0; i < 6; i++)
		live(w, 4000000, 1000);
	if (t == NULL) {
		CHECK(rtr_client_table(w->client) == NULL);
		return;
	}
	CHECK(rtr_client_table(w->client) != NULL);
	if (rtr_client_table(w->client) != NULL && !mem_failed())
		same(rtr_client_table(w->client), t, rtr_client_version(w->client));
}

static void step(struct world *w, struct reader *r)
{
	uint8_t what = read8(r), arg = read8(r);

	switch (what % 9) {
	case 0:
		publish(w, arg);
		break;
	case 1:
		stranger_sends(w, read_span(r, arg <= reader_left(r) ? arg : reader_left(r)));
		break;
	case 2:
		stranger_reads(w, arg == 0 ? 1 : arg);
		break;
	case 3:
		live(w, (uint64_t)arg * 1000, 1u + arg);
		break;
	case 4:
		(void)rtr_session_notify(&w->ours);
		(void)rtr_session_notify(&w->stranger);
		break;
	case 5:
		hang_up(w);
		break;
	case 6:
		stranger_again(w);
		break;
	case 7:
		rtr_session_goodbye(arg & 1 ? &w->ours : &w->stranger, arg & 2 ? RTR_CACHE_SHUTDOWN : RTR_CACHE_RESTART);
		break;
	default:
		settle(w);
		break;
	}
}

static void run(struct world *w, struct reader *r)
{
	rtr_session_init(&w->stranger, w->feed, &w->counts);
	rtr_session_init(&w->ours, w->feed, &w->counts);
	for (unsigned int i = 0; i < MAX_STEPS && !reader_end(r); i++)
		step(w, r);
	if (!mem_failed())
		settle(w);
	stranger_reads(w, 100);
	CHECK(rtr_feed_octets(w->feed) < 1u << 20);
	rtr_session_done(&w->stranger);
	rtr_session_done(&w->ours);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	struct rtr_feed_options fo = { .timers = RTR_TIMERS_USUAL, .history = { 4, 4096 } };
	struct rtr_client_options co = RTR_CLIENT_USUAL;
	struct rtr_state ids = { .session = { 1, 2, 3 }, .serial = UINT32_MAX - 2 };
	AUTO(rtr_feed_free) struct rtr_feed *feed = rtr_feed_new(&fo, &ids);
	AUTO(rtr_client_free) struct rtr_client *client = NULL;
	AUTO(strbuf_free) struct strbuf *said = MINE(strbuf_new(MAX_OUT));
	struct world w = { .feed = feed, .said = said, .now = 1000000 };

	co.max_version = (uint8_t)(read8(&r) % RTR_VERSIONS);
	client = rtr_client_new(&co);
	HOLDS(feed != NULL && client != NULL && said != NULL);
	w.client = client;
	run(&w, &r);
	return 0;
}
