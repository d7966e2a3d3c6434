/*
 * A client's side of a connection, in pieces as long as the first octet says. However it is cut, the server says the same; what it says begins with a sound head; it never asks for more
 * than came; and nothing is left when it is closed.
 */
#include <stdlib.h>

#include "net/http_head.h"
#include "net/http_server.h"
#include "tests/fuzz/one_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct asked {
	struct http_server *server BORROWED_FIELD;
	unsigned int n;
};

LOOP_HANDLE(asked)
LOOP_HANDLE_IMPL(asked)

/* Says what it was asked, at once. */
static void on_asked(struct loop *l, void *object, http_ask_h ask, const struct http_request *q, struct span body)
{
	struct asked *w = (struct asked *)object;
	struct http_response r = { .status = 200, .type = "text/plain", .etag = "\"a\"", .modified = 1 };
	struct http_page *p = http_page_text(q->method == HTTP_POST ? body : q->path, q->takes_gzip);

	(void)l;
	w->n++;
	MUST(body.n <= 100);
	http_server_respond(w->server, ask, &r, p);
}

/* The date may change between two runs: it is not looked at. */
static uint64_t sum_of(const struct strbuf *said)
{
	const char *p = strbuf_text(said), *end = p + strbuf_len(said), *date;
	uint64_t sum = 0;

	while (p < end) {
		date = memmem(p, (size_t)(end - p), "\r\nDate: ", 8);
		for (const char *stop = date != NULL ? date : end; p < stop; p++)
			sum = sum * 31 + (uint8_t)*p + 1;
		p = date != NULL ? date + 8 + 29 : end;
	}
	return sum;
}

static uint64_t serve(struct span wire, size_t piece, unsigned int *ret_asked)
{
	struct http_server_options o = HTTP_SERVER_USUAL;
	struct world w;
	struct asked asked = { .n = 0 };
	asked_h self;
	struct http_server_events ev = { .type = &asked_loop_type, .asked = on_asked };
	struct listen_options lo = { .dscp = -1 };
	struct http_head head;
	struct span said;
	uint64_t sum;

	o.max_body = 100;
	o.max_head = 500;
	world_begin(&w);
	self = MINE(asked_enlist(w.loop, &asked));
	ev.who = self.v;
	asked.server = MINE(http_server_new(&w.host, &o, &ev));
	if (asked.server == NULL || !OK(MINE(http_server_listen(asked.server, &w.host, &lo))))
		abort();
	talk(&w, wire, piece);
	said = strbuf_span(w.said);
	MUST(said.n == 0 || (said.n > 12 && memcmp(said.p, "HTTP/1.1 ", 9) == 0));
	MUST(said.n == 0 || memcmp(said.p, "HTTP/1.1 100", 12) == 0 || (http_head_end(said) > 0 && OK(http_head_parse(span_of(said.p, http_head_end(said)), &head))));
	sum = sum_of(w.said);
	*ret_asked = asked.n;
	http_server_free(asked.server);
	asked_retire(w.loop, self);
	world_end(&w);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int a, b;
	uint64_t x, y;

	if (size < 1 || size > 20000)
		return 0;
	x = serve(span_of(data + 1, size - 1), 20000, &a);
	y = serve(span_of(data + 1, size - 1), (size_t)data[0] + 1, &b);
	HOLDS(x == y && a == b && a <= size / 16);
	return 0;
}
