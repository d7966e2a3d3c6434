/*
 * Any messages, through a small queue: what finds room there is written, taken out, and read by protobuf-c, which must find what was told: no more, no less, in order. The input says which
 * fields there are and what is in them, how long the pieces are, and when the queue is emptied.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "resolver/dnstap/encode.h"
#include "resolver/dnstap/ring.h"
#include "resolver/dnstap/tap.h"
#include "resolver/dnstap/tap_settings.h"
#include "resolver/serve/policy_note.h"
#include "resolver/stats.h"
#include "tests/fuzz/kit.h"
#include "tests/unit/resolver/dnstap/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUE 8192u
#define WAITING 1100u /* messages that a queue of that size can hold */

struct told {
	struct tap_event event;
	struct policy_note note;
	char text[TAP_EXTRA_MAX];
	uint8_t policy[TAP_POLICY_MAX];
};
struct act {
	struct reader in;
	struct tap tap;
	struct told told[WAITING];
	size_t first, last;
	struct now now;
	struct stats stats;
};

/* So many octets of the input, as often as the first octet says: long messages are cheap. */
static struct span piece(struct act *a, uint8_t room[4096])
{
	struct span some = read_span(&a->in, read8(&a->in) % 64);
	size_t n = 0, times = some.n > 0 ? 1 + some.p[0] % 32 : 0;

	for (size_t i = 0; i < times; i++) {
		memcpy(room + n, some.p, some.n);
		n += some.n;
	}
	return span_of(room, n);
}

static void endpoint(struct act *a, struct endpoint *e)
{
	static const uint8_t kinds[] = { ADDR_NONE, ADDR_V4, ADDR_V6, ADDR_V4 };

	e->a.family = kinds[read8(&a->in) % 4];
	for (size_t i = 0; i < addr_octets(&e->a); i++)
		e->a.b[i] = read8(&a->in);
	e->port = read16(&a->in);
}

static struct span policy_of(struct act *a, struct told *t)
{
	uint8_t how = read8(&a->in), room[4096];
	struct span text, value;

	if ((how & 1) == 0)
		return (struct span){ NULL, 0 };
	t->note = (struct policy_note){ .type = (how & 2) != 0 ? "route" : NULL, .action = (enum policy_action)(how / 4 % 7), .match = (enum policy_match)(how / 32 % 6) };
	text = piece(a, room);
	for (size_t i = 0; i < text.n; i++)
		room[i] = room[i] == 0 ? ' ' : room[i];
	room[text.n < sizeof room ? text.n : sizeof room - 1] = '\0';
	policy_note_rule(&t->note, (const char *)room);
	value = read_span(&a->in, read8(&a->in));
	memcpy(t->note.value, value.p != NULL ? value.p : t->note.value, value.n);
	t->note.value_len = (uint8_t)value.n;
	return span_of(t->policy, tap_encode_policy(&t->note, t->policy));
}

static struct span kept(struct span s) /* a copy */
{
	void *p = mem_alloc(s.n > 0 ? s.n : 1);

	CHECK(p != NULL);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

static void forget(struct told *t)
{
	const struct span *all[] = { &t->event.query_message, &t->event.response_message, &t->event.zone };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		uintptr_t at = (uintptr_t)all[i]->p;

		mem_free((void *)at);
	}
}

static void same(const ProtobufCBinaryData *got, protobuf_c_boolean has, struct span expected)
{
	CHECK((has != 0) == (expected.n > 0));
	CHECK(!has || span_equal(span_of(got->data, got->len), expected));
}
#define SAME(m, field, expected) same(&(m)->field, (m)->has_##field, expected)

static void same_policy(const struct told *t, const Dnstap__Policy *p)
{
	CHECK((p != NULL) == (t->event.policy.n > 0));
	if (p == NULL)
		return;
	CHECK((p->type != NULL) == (t->note.type != NULL) && (p->type == NULL || strcmp(p->type, t->note.type) == 0));
	SAME(p, rule, span_text(t->note.rule));
	SAME(p, value, span_of(t->note.value, t->note.value_len));
	CHECK((p->has_action != 0) == (t->note.action != 0) && (!p->has_action || (unsigned int)p->action == t->note.action));
	CHECK((p->has_match != 0) == (t->note.match != 0) && (!p->has_match || (unsigned int)p->match == t->note.match));
}

static void take_one(struct act *a, struct span frame)
{
	AUTO(dnstap_free) Dnstap__Dnstap *d = dnstap__dnstap__unpack(NULL, frame.n, frame.p);
	struct told *t = &a->told[a->first++];
	const struct tap_event *e = &t->event;
	const Dnstap__Message *m;

	CHECK(a->first <= a->last && d != NULL && d->message != NULL);
	m = d->message;
	SAME(d, identity, e->identity);
	SAME(d, version, e->version);
	SAME(d, extra, e->extra);
	CHECK((unsigned int)m->type == e->type && m->has_socket_protocol && (unsigned int)m->socket_protocol == e->protocol);
	CHECK((m->has_socket_family != 0) == (e->query.a.family != ADDR_NONE || e->response.a.family != ADDR_NONE));
	SAME(m, query_address, span_of(e->query.a.b, addr_octets(&e->query.a)));
	SAME(m, response_address, span_of(e->response.a.b, addr_octets(&e->response.a)));
	CHECK(m->query_port == e->query.port && m->response_port == e->response.port);
	CHECK(m->query_time_sec == (uint64_t)e->query_time.sec && m->response_time_sec == (uint64_t)e->response_time.sec);
	CHECK((e->query_time.sec == 0 || m->query_time_nsec == e->query_time.nsec) && (e->response_time.sec == 0 || m->response_time_nsec == e->response_time.nsec));
	SAME(m, query_message, e->query_message);
	SAME(m, response_message, e->response_message);
	SAME(m, query_zone, e->zone);
	same_policy(t, m->policy);
	CHECK(d->base.n_unknown_fields == 0 && m->base.n_unknown_fields == 0);
	forget(t);
}

static void take_all(struct act *a)
{
	struct span frame;

	while (tap_ring_next(a->tap.ring, &frame)) {
		take_one(a, frame);
		tap_ring_done(a->tap.ring);
	}
	CHECK(a->first == a->last);
	a->first = a->last = 0;
}

static void tell(struct act *a)
{
	struct told *t = &a->told[a->last];
	struct tap_event *e = &t->event;
	uint64_t before = stats_get(a->tap.stats, COUNT_DNSTAP_QUEUED);
	uint8_t room[4096], how = read8(&a->in);

	*e = (struct tap_event){ .type = (enum tap_type)(TAP_RESOLVER_QUERY + how % 6), .protocol = (enum tap_protocol)(1 + how / 8 % 7) };
	endpoint(a, &e->query);
	endpoint(a, &e->response);
	e->query_time = tap_time_at(&a->now, read32(&a->in) * UINT64_C(1000));
	e->response_time = tap_time_of(&a->now);
	CHECK(e->query_time.sec <= e->response_time.sec && e->query_time.nsec < 1000000000u);
	e->query_message = kept(piece(a, room));
	e->response_message = kept(piece(a, room));
	e->zone = kept(read_span(&a->in, read8(&a->in)));
	e->policy = policy_of(a, t);
	how = read8(&a->in);
	e->extra = tap_extra_reply((enum tap_how)(how % 4), how / 4 % 5, how / 20 % 9, t->text);
	CHECK(e->extra.n > 0 && e->extra.p[e->extra.n - 1] == '}');
	if (tap_wants(&a->tap, e->type))
		tap_tell(&a->tap, e);
	if (stats_get(a->tap.stats, COUNT_DNSTAP_QUEUED) > before)
		a->last++;
	else
		forget(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(mem_free) void *block = mem_alloc(sizeof(struct act));
	struct act *a = block;
	char identity[] = "who we are";
	struct tap_settings settings = { .wanted = UINT32_MAX, .sample = size > 0 ? data[0] % 3 : 0, .identity = size % 2 == 0 ? identity : NULL };
	struct tap_bell bell = { .fd = -1 };
	AUTO(tap_ring_free) struct tap_ring *ring = tap_ring_new(QUEUE);

	CHECK(ring != NULL && a != NULL);
	a->in = reader_of(span_of(data, size));
	a->tap = (struct tap){ .settings = &settings, .ring = ring, .bell = &bell, .stats = &a->stats };
	a->now = (struct now){ UINT64_C(5000000000000), 1700000000, read32(&a->in) % 1000000000u };
	while (!reader_end(&a->in) && reader_ok(&a->in)) {
		if (read8(&a->in) % 4 == 0 || a->last == WAITING)
			take_all(a);
		tell(a);
	}
	take_all(a);
	tap_done(&a->tap);
	return 0;
}
