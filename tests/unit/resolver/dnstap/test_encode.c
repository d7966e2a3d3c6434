/* What is written is what protobuf-c reads, field by field; what there is not is not written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "resolver/dnstap/encode.h"
#include "resolver/dnstap/tap.h"
#include "resolver/serve/policy_note.h"
#include "tests/unit/resolver/dnstap/schema.h"

static Dnstap__Dnstap *there_and_back(const struct tap_event *e) OWNED_BY(dnstap_free);
static Dnstap__Dnstap *there_and_back(const struct tap_event *e)
{
	struct tap_size n = tap_encode_size(e);
	AUTO(mem_free) void *block = mem_alloc(n.all + 1);
	uint8_t *room = block;
	AUTO(dnstap_free) Dnstap__Dnstap *d = NULL;

	assert_non_null(room);
	room[n.all] = 0xa5;
	tap_encode(e, &n, room);
	assert_int_equal(room[n.all], 0xa5);
	d = dnstap__dnstap__unpack(NULL, n.all, room);
	assert_non_null(d);
	assert_int_equal(d->type, DNSTAP__DNSTAP__TYPE__MESSAGE);
	assert_non_null(d->message);
	return MOVE(d);
}

static void assert_octets(const ProtobufCBinaryData *got, protobuf_c_boolean has, struct span expected)
{
	assert_int_equal(has, expected.n > 0);
	if (expected.n == 0)
		return;
	assert_int_equal(got->len, expected.n);
	assert_memory_equal(got->data, expected.p, expected.n);
}
#define OCTETS(m, field, expected) assert_octets(&(m)->field, (m)->has_##field, expected)

static const uint8_t query[] = { 1, 2, 3, 4, 5 }, response[] = { 6, 7, 0, 9 }, zone[] = { 3, 'c', 'o', 'm', 0 };

static void everything(void **state)
{
	struct tap_event e = { .type = TAP_RESOLVER_RESPONSE, .protocol = TAP_TCP };
	struct policy_note note = { .type = "filter", .action = POLICY_NXDOMAIN, .match = POLICY_QNAME };
	AUTO(dnstap_free) Dnstap__Dnstap *d = NULL;
	uint8_t policy[TAP_POLICY_MAX];
	Dnstap__Message *m;

	(void)state;
	assert_true(OK(endpoint_parse("192.0.2.1@65535", 0, &e.query)));
	assert_true(OK(endpoint_parse("198.51.100.2@53", 0, &e.response)));
	e.query_time = (struct tap_time){ 1700000000, 999999999 };
	e.response_time = (struct tap_time){ INT64_C(5000000000), 1 };
	e.query_message = span_of(query, sizeof query);
	e.response_message = span_of(response, sizeof response);
	e.zone = span_of(zone, sizeof zone);
	policy_note_rule(&note, "||example.com^");
	policy_note_name(&note, (struct name){ zone, sizeof zone, 1 });
	e.policy = span_of(policy, tap_encode_policy(&note, policy));
	e.identity = span_text("me");
	e.version = span_text("cairn 1");
	e.extra = span_text("{}");
	d = there_and_back(&e);
	m = d->message;
	OCTETS(d, identity, span_text("me"));
	OCTETS(d, version, span_text("cairn 1"));
	OCTETS(d, extra, span_text("{}"));
	assert_int_equal(m->type, DNSTAP__MESSAGE__TYPE__RESOLVER_RESPONSE);
	assert_true(m->has_socket_family && m->has_socket_protocol);
	assert_int_equal(m->socket_family, DNSTAP__SOCKET_FAMILY__INET);
	assert_int_equal(m->socket_protocol, DNSTAP__SOCKET_PROTOCOL__TCP);
	OCTETS(m, query_address, span_of("\xc0\x00\x02\x01", 4));
	OCTETS(m, response_address, span_of("\xc6\x33\x64\x02", 4));
	assert_int_equal(m->query_port, 65535);
	assert_int_equal(m->response_port, 53);
	assert_int_equal(m->query_time_sec, 1700000000);
	assert_int_equal(m->query_time_nsec, 999999999);
	assert_true(m->response_time_sec == UINT64_C(5000000000));
	assert_int_equal(m->response_time_nsec, 1);
	OCTETS(m, query_message, e.query_message);
	OCTETS(m, response_message, e.response_message);
	OCTETS(m, query_zone, e.zone);
	assert_non_null(m->policy);
	assert_string_equal(m->policy->type, "filter");
	OCTETS(m->policy, rule, span_text("||example.com^"));
	assert_int_equal(m->policy->action, DNSTAP__POLICY__ACTION__NXDOMAIN);
	assert_int_equal(m->policy->match, DNSTAP__POLICY__MATCH__QNAME);
	OCTETS(m->policy, value, e.zone);
	assert_int_equal(m->base.n_unknown_fields + d->base.n_unknown_fields + m->policy->base.n_unknown_fields, 0);
	assert_false(m->has_http_protocol);
}

static void nothing_but_what_must_be(void **state)
{
	struct tap_event e = { .type = TAP_CLIENT_QUERY, .protocol = TAP_UDP };
	AUTO(dnstap_free) Dnstap__Dnstap *d = there_and_back(&e);
	const Dnstap__Message *m = d->message;

	(void)state;
	assert_int_equal(m->type, DNSTAP__MESSAGE__TYPE__CLIENT_QUERY);
	assert_true(m->has_socket_protocol);
	assert_false(d->has_identity || d->has_version || d->has_extra || m->has_socket_family || m->has_query_address || m->has_response_address || m->has_query_port ||
		m->has_response_port || m->has_query_time_sec || m->has_query_time_nsec || m->has_query_message || m->has_query_zone || m->has_response_time_sec ||
		m->has_response_time_nsec || m->has_response_message);
	assert_null(m->policy);
}

static void ipv6_and_lengths(void **state)
{
	static uint8_t large[65535];
	static const size_t lengths[] = { 1, 127, 128, 16383, 16384, sizeof large };

	(void)state;
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (uint8_t)(i * 31 + 7);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct tap_event e = { .type = TAP_FORWARDER_QUERY, .protocol = TAP_DOT, .query_message = span_of(large, lengths[i]) };
		AUTO(dnstap_free) Dnstap__Dnstap *d = NULL;

		assert_true(OK(endpoint_parse("2001:db8::53@853", 0, &e.response)));
		d = there_and_back(&e);
		assert_int_equal(d->message->socket_family, DNSTAP__SOCKET_FAMILY__INET6);
		assert_int_equal(d->message->socket_protocol, DNSTAP__SOCKET_PROTOCOL__DOT);
		OCTETS(d->message, response_address, span_of(e.response.a.b, 16));
		OCTETS(d->message, query_message, e.query_message);
	}
}

/* The longest that can be is not longer than the room that there is for it. */
static void the_longest_policy(void **state)
{
	struct policy_note note = { .type = "a type of policy", .action = POLICY_LOCAL_DATA, .match = POLICY_NS_IP, .value_len = NAME_MAX_OCTETS };
	char text[600];
	uint8_t room[TAP_POLICY_MAX];
	struct tap_event e = { .type = TAP_CLIENT_RESPONSE, .protocol = TAP_UDP };
	AUTO(dnstap_free) Dnstap__Dnstap *d = NULL;

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	policy_note_rule(&note, text);
	e.policy = span_of(room, tap_encode_policy(&note, room));
	d = there_and_back(&e);
	assert_int_equal(d->message->policy->rule.len, POLICY_RULE_MAX);
	assert_int_equal(d->message->policy->value.len, NAME_MAX_OCTETS);
}

static void policy_without_words(void **state)
{
	struct policy_note note = { .match = POLICY_NS_IP };
	struct addr a;
	uint8_t room[TAP_POLICY_MAX];
	struct tap_event e = { .type = TAP_CLIENT_RESPONSE, .protocol = TAP_UDP };
	AUTO(dnstap_free) Dnstap__Dnstap *d = NULL;

	(void)state;
	assert_true(OK(addr_parse("2001:db8::1", &a)));
	policy_note_addr(&note, &a);
	e.policy = span_of(room, tap_encode_policy(&note, room));
	d = there_and_back(&e);
	assert_null(d->message->policy->type);
	assert_false(d->message->policy->has_rule || d->message->policy->has_action);
	OCTETS(d->message->policy, value, span_of(a.b, 16));
}

static void times(void **state)
{
	const struct now now = { .mono_ns = UINT64_C(10500000000), .wall_sec = 1000, .wall_nsec = 200000000 };
	struct tap_time t = tap_time_at(&now, now.mono_ns);

	(void)state;
	assert_true(t.sec == 1000 && t.nsec == 200000000);
	t = tap_time_at(&now, now.mono_ns - 200000000);
	assert_true(t.sec == 1000 && t.nsec == 0);
	t = tap_time_at(&now, now.mono_ns - 200000001);
	assert_true(t.sec == 999 && t.nsec == 999999999);
	t = tap_time_at(&now, UINT64_C(500000000));
	assert_true(t.sec == 990 && t.nsec == 200000000);
	t = tap_time_at(&now, now.mono_ns + 5); /* of a packet that was stamped later than the turn began */
	assert_true(t.sec == 1000 && t.nsec == 200000000);
}

static void words(void **state)
{
	char room[TAP_EXTRA_MAX];
	struct span s = tap_extra_reply(TAP_HOW_CACHE, 4, 2, room);

	(void)state;
	assert_true(span_equal(s, span_text("{\"from\":\"cache\",\"dnssec\":\"secure\",\"route\":\"valid\"}")));
	s = tap_extra_reply(TAP_HOW_RESOLVED, 2, 0, room);
	assert_true(span_equal(s, span_text("{\"from\":\"resolved\",\"dnssec\":\"bogus\"}")));
	s = tap_extra_reply(TAP_HOW_LOCAL, 0, 0, room);
	assert_true(span_equal(s, span_text("{\"from\":\"local\"}")));
	s = tap_extra_reply(TAP_HOW_CODE, 0, 0, room);
	assert_true(span_equal(s, span_text("{\"from\":\"policy\"}")));
	for (uint8_t i = 0; i < 5; i++)
		assert_true(tap_extra_reply(TAP_HOW_CACHE, i, (uint8_t)(1 + VERDICT_NOT_FOUND), room).n > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(nothing_but_what_must_be),
		cmocka_unit_test(ipv6_and_lengths),
		cmocka_unit_test(the_longest_policy),
		cmocka_unit_test(policy_without_words),
		cmocka_unit_test(times),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
