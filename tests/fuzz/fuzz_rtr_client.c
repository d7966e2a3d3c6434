/*
 * A cache that sends whatever octets it likes, in pieces of any size, to our RTR client, while time goes on and connections end. The client sends well-formed PDUs of a
 * router only, never answers an Error Report by one, has a sound table or none, none past its end, and always says when it wants to be asked again.
 */
#include <stdlib.h>

#include "rpki/routes/rtr_client.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x) && !mem_failed()) \
			abort(); \
	} while (0)

#define MAX_STEPS 500u

struct world {
	struct rtr_client *c BORROWED_FIELD;
	bool up;
	uint64_t now;
};

static void judge_output(struct world *w)
{
	struct span out = rtr_client_output(w->c);

	while (out.n > 0) {
		struct rtr_pdu p;
		enum rtr_error code;
		const char *why;
		uint32_t n;

		CHECK(out.n >= RTR_HEADER);
		n = rtr_header_of(out.p).length;
		CHECK(n >= RTR_HEADER && n <= out.n);
		CHECK(OK(rtr_read(span_of(out.p, n), &p, &code, &why)));
		CHECK(p.h.type == RTR_SERIAL_QUERY || p.h.type == RTR_RESET_QUERY || p.h.type == RTR_ERROR);
		out = span_of(out.p + n, out.n - n);
	}
}

static void judge_table(struct world *w)
{
	const struct payload_table *t = rtr_client_table(w->c);

	if (t == NULL)
		return;
	CHECK(w->now < rtr_client_updated(w->c) + UINT64_C(172800) * 1000);
	for (size_t i = 0; i < table_count(t, PAYLOAD_VRP); i++) {
		struct vrp v = table_vrp(t, i), before = v;

		CHECK(vrp_is_sound(&v));
		if (i > 0)
			before = table_vrp(t, i - 1);
		CHECK(i == 0 || vrp_compare(&before, &v) < 0);
	}
	for (size_t i = 0; i < table_count(t, PAYLOAD_ASPA); i++) {
		struct aspa_payload a = table_aspa(t, i);

		CHECK(aspa_is_sound(&a));
	}
}

static void tick(struct world *w)
{
	enum rtr_wish wish = rtr_client_tick(w->c, w->now);

	judge_output(w);
	if (wish == RTR_WISH_CONNECT) {
		CHECK(!w->up);
		w->up = true;
		rtr_client_connected(w->c, w->now);
	} else if (wish == RTR_WISH_CLOSE) {
		CHECK(w->up);
		w->up = false;
		rtr_client_disconnected(w->c, w->now);
	}
	judge_output(w);
}

/* A PDU of the session under way, so that the fuzzer need not guess its numbers. */
static void helpful(struct world *w, uint8_t what, uint8_t arg)
{
	uint8_t room[64], version = rtr_client_version(w->c);
	struct writer out = writer_of(room, sizeof room);
	struct vrp v = { .family = arg & 1 ? ADDR_V4 : ADDR_V6, .len = 8, .maxlen = 8, .addr = { arg }, .asn = arg };
	uint32_t providers[2] = { arg, arg + 1u };
	struct aspa_payload a = { .customer = arg, .providers = providers, .n = 2 };
	struct router_key k = { .asn = arg, .spki = span_of(&arg, 1) };

	switch (what % 8) {
	case 0:
		rtr_write_cache_response(&out, version, 7);
		break;
	case 1:
		rtr_write_end_of_data(&out, version, 7, arg, &RTR_TIMERS_USUAL);
		break;
	case 2:
	case 3:
		rtr_write_vrp(&out, version, what % 8 == 2, &v);
		break;
	case 4:
		rtr_write_aspa(&out, version, arg != 0, &a);
		break;
	case 5:
		rtr_write_key(&out, version, (arg & 2) != 0, &k);
		break;
	case 6:
		rtr_write_serial_notify(&out, version, 7, arg);
		break;
	default:
		rtr_write_error(&out, (uint8_t)(arg >> 6), (enum rtr_error)(arg & 15), span_of(NULL, 0), "so");
		break;
	}
	rtr_client_input(w->c, w->now, writer_done(&out));
}

static void step(struct world *w, struct reader *r)
{
	uint8_t what = read8(r), arg = read8(r);

	switch (what >> 5) {
	case 0:
	case 1:
		if (w->up)
			rtr_client_input(w->c, w->now, read_span(r, arg <= reader_left(r) ? arg : reader_left(r)));
		break;
	case 2:
		w->now += (uint64_t)arg * arg * 1000;
		break;
	case 3:
		if (w->up)
			rtr_client_disconnected(w->c, w->now);
		w->up = false;
		break;
	default:
		if (w->up)
			helpful(w, what, arg);
		break;
	}
	judge_output(w);
	tick(w);
	judge_table(w);
	CHECK(rtr_client_due(w->c) != UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	struct rtr_client_options o = RTR_CLIENT_USUAL;
	AUTO(rtr_client_free) struct rtr_client *c = NULL;
	struct world w = { .now = 1000000 };

	o.max_version = (uint8_t)(read8(&r) % RTR_VERSIONS);
	o.limits.vrps = 100;
	c = rtr_client_new(&o);
	HOLDS(c != NULL);
	w.c = c;
	tick(&w);
	for (unsigned int i = 0; i < MAX_STEPS && !reader_end(&r); i++)
		step(&w, &r);
	return 0;
}
