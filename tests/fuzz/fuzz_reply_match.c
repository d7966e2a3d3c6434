/*
 * Packets as if from a server: none is taken for the reply to a question that it does not repeat. The first two octets of the
 * input choose the ID and the question, the rest is the packet. The oracle compares octets, without the code under test.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "dns/rrtype.h"
#include "resolver/serve/upstream_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static const uint8_t names[4][17] = { "\0", "\3wWw\7eXample\3oRg", "\1A\3com", "\3a.b\4\200\0@[" };
static const uint8_t lengths[4] = { 1, 17, 7, 10 };

static void check(const uint8_t *p, size_t n, const struct match_expected *e, enum match m)
{
	size_t len = e->name.len;

	if (m != MATCH_YES && m != MATCH_CASE)
		return;
	MUST(n >= 12 + len + 4);
	MUST(p[0] == e->id >> 8 && p[1] == (e->id & 255));
	MUST((p[2] & 0xf8) == 0x80);
	MUST(p[4] == 0 && p[5] == 1);
	for (size_t i = 0; i < len; i++)
		MUST(p[12 + i] == e->name.wire[i] || (m == MATCH_CASE && (p[12 + i] ^ e->name.wire[i]) == 0x20));
	MUST(p[12 + len] == e->type >> 8 && p[13 + len] == (e->type & 255));
	MUST(p[14 + len] == 0 && p[15 + len] == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t client[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	static const struct msg_limits limits = { .max_rrs = 1000, .max_options = 50 };
	struct match_expected e = { .rclass = CLASS_IN };
	struct span server = { NULL, 0 };
	struct arena *a;
	uint16_t flags = 0;
	struct msg msg;
	enum match m;

	if (size < 2)
		return 0;
	if (!OK(name_from_wire(span_of(names[data[0] & 3], lengths[data[0] & 3]), &e.name)))
		return 0;
	e.id = (uint16_t)(data[1] << 8 | 0x34);
	e.type = (data[0] & 4) != 0 ? RR_A : RR_HTTPS;
	m = match_reply(span_of(data + 2, size - 2), &e, &flags);
	check(data + 2, size - 2, &e, m);
	if (m != MATCH_YES)
		return 0;
	a = arena_new((size_t)4 << 20);
	if (a == NULL)
		return 0;
	if (OK(msg_read(a, span_of(data + 2, size - 2), &limits, &msg))) {
		MUST(msg.has_question && msg.id == e.id && name_equal_case(msg.q.name, e.name) && msg.q.type == e.type);
		if (match_cookie(&msg.edns, client, &server) == COOKIE_OURS)
			MUST(msg.edns.present && (server.n == 0 || (server.n >= 8 && server.n <= 32)));
	}
	arena_free(a);
	return 0;
}
