/* What dnstap is told of one question to one server: each packet that is sent, each that fits, and nothing else. */
#include "resolver/dnstap/ring.h"
#include "resolver/dnstap/tap.h"
#include "resolver/dnstap/tap_settings.h"
#include "tests/unit/resolver/dnstap/schema.h"
#include "tests/unit/resolver/upstream_world.h"

#define ALL (1u << TAP_RESOLVER_QUERY | 1u << TAP_RESOLVER_RESPONSE | 1u << TAP_FORWARDER_QUERY | 1u << TAP_FORWARDER_RESPONSE)

static struct tap_settings settings;
static struct tap_bell bell = { .fd = -1 };
static struct tap tap;

static int start(void **state)
{
	int failed = world_start(state);
	struct world *w = (struct world *)*state;

	if (failed != 0)
		return failed;
	settings = (struct tap_settings){ .wanted = ALL };
	tap = (struct tap){ .settings = &settings, .ring = tap_ring_new(65536), .bell = &bell, .stats = w->stats };
	assert_non_null(tap.ring);
	upstream_set_tap(w->up, &tap);
	return 0;
}

static int end(void **state)
{
	tap_ring_free(tap.ring);
	return world_end(state);
}

static Dnstap__Dnstap *next(void) OWNED_BY(dnstap_free);
static Dnstap__Dnstap *next(void)
{
	struct span frame;
	Dnstap__Dnstap *d;

	assert_true(tap_ring_next(tap.ring, &frame));
	d = dnstap__dnstap__unpack(NULL, frame.n, frame.p);
	assert_non_null(d);
	tap_ring_done(tap.ring);
	return d;
}

static void nothing_more(void)
{
	struct span frame;

	assert_false(tap_ring_next(tap.ring, &frame));
}

static void assert_query(struct world *w, Dnstap__Message__Type type, Dnstap__SocketProtocol protocol, struct span packet)
{
	AUTO(dnstap_free) Dnstap__Dnstap *d = next();
	const Dnstap__Message *m = d->message;

	assert_int_equal(m->type, type);
	assert_int_equal(m->socket_protocol, protocol);
	assert_true(span_equal(span_of(m->query_message.data, m->query_message.len), packet));
	assert_true(span_equal(span_of(m->response_address.data, m->response_address.len), span_of(w->request.server.a.b, addr_octets(&w->request.server.a))));
	assert_int_equal(m->response_port, w->request.server.port);
	assert_true(m->has_query_time_sec && m->has_query_time_nsec && !m->has_response_time_sec && !m->has_response_message);
}

static void assert_response(Dnstap__Message__Type type, Dnstap__SocketProtocol protocol, uint16_t id)
{
	AUTO(dnstap_free) Dnstap__Dnstap *d = next();
	const Dnstap__Message *m = d->message;

	assert_int_equal(m->type, type);
	assert_int_equal(m->socket_protocol, protocol);
	assert_true(m->has_response_message && !m->has_query_message && m->has_query_time_sec && m->has_response_time_sec);
	assert_int_equal(load16(m->response_message.data), id);
	assert_false(d->has_extra); /* nothing is known of routes */
}

static void over_udp(void **state)
{
	static const uint8_t zone[] = { 3, 'c', 'o', 'm', 0 };
	struct world *w = (struct world *)*state;

	w->request.zone = (struct name){ zone, sizeof zone, 1 };
	world_must_ask(w);
	assert_query(w, DNSTAP__MESSAGE__TYPE__RESOLVER_QUERY, DNSTAP__SOCKET_PROTOCOL__UDP, udp_query(w, 0));
	udp_reply(w, 0, &(struct reply_spec){ .name = "elsewhere.test" }); /* fits no question */
	nothing_more();
	udp_reply(w, 0, &good);
	assert_response(DNSTAP__MESSAGE__TYPE__RESOLVER_RESPONSE, DNSTAP__SOCKET_PROTOCOL__UDP, load16(udp_query(w, 0).p));
	nothing_more();
	world_must_ask(w);
	{
		AUTO(dnstap_free) Dnstap__Dnstap *d = next();

		assert_true(span_equal(span_of(d->message->query_zone.data, d->message->query_zone.len), span_of(zone, sizeof zone)));
	}
}

static void what_is_truncated_comes_by_tcp(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	assert_query(w, DNSTAP__MESSAGE__TYPE__RESOLVER_QUERY, DNSTAP__SOCKET_PROTOCOL__UDP, udp_query(w, 0));
	udp_reply(w, 0, &(struct reply_spec){ .opt = true, .set = MSG_TC });
	assert_response(DNSTAP__MESSAGE__TYPE__RESOLVER_RESPONSE, DNSTAP__SOCKET_PROTOCOL__UDP, load16(udp_query(w, 0).p));
	tcp_connected(w, 0);
	assert_query(w, DNSTAP__MESSAGE__TYPE__RESOLVER_QUERY, DNSTAP__SOCKET_PROTOCOL__TCP, tcp_query(w, 0, 0));
	tcp_reply(w, 0, 0, &good);
	assert_response(DNSTAP__MESSAGE__TYPE__RESOLVER_RESPONSE, DNSTAP__SOCKET_PROTOCOL__TCP, load16(tcp_query(w, 0, 0).p));
	nothing_more();
}

static void forwarders_have_types_of_their_own(void **state)
{
	struct world *w = (struct world *)*state;

	w->request.recurse = true;
	world_must_ask(w);
	assert_query(w, DNSTAP__MESSAGE__TYPE__FORWARDER_QUERY, DNSTAP__SOCKET_PROTOCOL__UDP, udp_query(w, 0));
	udp_reply(w, 0, &good);
	assert_response(DNSTAP__MESSAGE__TYPE__FORWARDER_RESPONSE, DNSTAP__SOCKET_PROTOCOL__UDP, load16(udp_query(w, 0).p));
}

static void only_what_is_wanted(void **state)
{
	struct world *w = (struct world *)*state;

	settings.wanted = 1u << TAP_RESOLVER_RESPONSE | 1u << TAP_FORWARDER_QUERY;
	world_must_ask(w);
	nothing_more();
	udp_reply(w, 0, &good);
	assert_response(DNSTAP__MESSAGE__TYPE__RESOLVER_RESPONSE, DNSTAP__SOCKET_PROTOCOL__UDP, load16(udp_query(w, 0).p));
	upstream_set_tap(w->up, NULL);
	world_must_ask(w);
	udp_reply(w, 1, &good);
	nothing_more();
}

static void a_full_queue_is_counted(void **state)
{
	struct world *w = (struct world *)*state;

	while (tap_ring_room(tap.ring, 1000) != NULL)
		(void)tap_ring_commit(tap.ring, 1000);
	while (tap_ring_room(tap.ring, 4) != NULL)
		(void)tap_ring_commit(tap.ring, 4);
	world_must_ask(w);
	assert_int_equal(stats_get(w->stats, COUNT_DNSTAP_DROPPED), 1);
	assert_int_equal(stats_get(w->stats, COUNT_DNSTAP_QUEUED), 0);
}

#define WITH_TAP(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TAP(over_udp),
		WITH_TAP(what_is_truncated_comes_by_tcp),
		WITH_TAP(forwarders_have_types_of_their_own),
		WITH_TAP(only_what_is_wanted),
		WITH_TAP(a_full_queue_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
