/*
 * Requests to cairn-rpki's HTTP service over a small table, one after the other on one connection. Whatever is asked is answered; what is answered by 200 as JSON is JSON, and
 * is whole.
 */
#include <stdlib.h>

#include "net/http_head.h"
#include "rpki/serve/http.h"
#include "rpki/serve/json.h"
#include "tests/fuzz/one_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct payload_table *table(void) OWNED_BY(table_unref);
static struct payload_table *table(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct payload_source source = { .kind = SOURCE_ROA, .tal = "ripe", .uri = "rsync://h/a \"b\".roa", .not_after = 1700000000 };
	const uint8_t octets[] = { 0x30, 0x03, 1, 2, 3 };
	struct router_key key = { .asn = 64496, .spki = span_of(octets, sizeof octets) };
	const uint32_t providers[] = { 1, 2, 3 };
	struct payload_table *t = NULL;
	uint32_t id;

	if (b == NULL || !OK(table_builder_add_source(b, &source, &id)))
		return NULL;
	for (uint8_t i = 0; i < 40; i++) {
		struct vrp v = { .addr = { 10, i }, .asn = i % 7u, .family = i % 5 == 0 ? ADDR_V6 : ADDR_V4, .len = 16, .maxlen = 24 };

		if (!OK(table_builder_add_vrp(b, &v, i % 3 == 0 ? SOURCE_NONE : id)))
			return NULL;
	}
	if (!OK(table_builder_add_key(b, &key, id)) || !OK(table_builder_add_aspa(b, 64496, providers, 3, id)) || !OK(table_builder_finish(MOVE(b), 1, &t)))
		return NULL;
	return t;
}

static bool is_json(struct span body)
{
	AUTO(arena_free) struct arena *a = arena_new(64 << 20);
	const struct json *top;
	struct json_error wrong;

	return a != NULL && OK(json_read(body, a, &top, &wrong));
}

/* The first answer, when it is one by 200 with JSON of known length. */
static void look_at(struct span said)
{
	size_t end = http_head_end(said);
	struct http_head head;

	if (end == 0 || !OK(http_head_parse(span_of(said.p, end), &head)) || head.status != 200 || !head.has_length || head.gzip || head.length > said.n - end)
		return;
	if (memmem(said.p, end, "Content-Type: application/json", 30) != NULL && head.length > 0)
		MUST(is_json(span_of(&said.p[end], (size_t)head.length)));
}

static void serve(struct span wire)
{
	struct rpki_http_options o = { .server = HTTP_SERVER_USUAL, .shelf = 1 << 20, .version = "0" };
	struct rtr_feed_options fo = { .timers = { 3600, 600, 7200 }, .history = { 4, 1 << 20 } };
	struct rtr_state state = { { 1, 2, 3 }, 1 };
	struct listen_options lo = { .dscp = -1 };
	struct rtr_feed *feed = MINE(rtr_feed_new(&fo, &state));
	struct payload_table *t = MINE(table());
	struct rpki_http *x;
	struct world w;
	bool changed;

	world_begin(&w);
	if (feed == NULL || t == NULL || !OK(MINE(rtr_feed_publish(feed, t, &changed))))
		abort();
	x = MINE(rpki_http_new(&w.host, feed, NULL, &o));
	if (x == NULL || !OK(MINE(rpki_http_listen(x, &w.host, &lo))) || !OK(MINE(rpki_http_publish(x, status_new()))))
		abort();
	talk(&w, wire, 20000);
	look_at(strbuf_span(w.said));
	rpki_http_free(x);
	rtr_feed_free(feed);
	world_end(&w);
}

/* A request line of the input, and nothing else that could be wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(strbuf_free) struct strbuf *wire = strbuf_new(100000);

	HOLDS(wire != NULL);
	if (size < 1 || size > 20000)
		return 0;
	if (data[0] == 'P') {
		strbuf_printf(wire, "POST /validity HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", size - 1);
		strbuf_add(wire, data + 1, size - 1);
	} else {
		strbuf_puts(wire, "GET /");
		strbuf_add(wire, data, size);
		strbuf_puts(wire, " HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	HOLDS(strbuf_ok(wire));
	serve(strbuf_span(wire));
	return 0;
}
