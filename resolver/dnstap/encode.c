#include "resolver/dnstap/encode.h"

#include <assert.h>
#include <string.h>

#include "resolver/serve/policy_note.h"

/* Field numbers of the schema. */
enum { DNSTAP_IDENTITY = 1, DNSTAP_VERSION = 2, DNSTAP_EXTRA = 3, DNSTAP_MESSAGE = 14, DNSTAP_TYPE = 15 };
enum {
	MESSAGE_TYPE = 1,
	MESSAGE_FAMILY = 2,
	MESSAGE_PROTOCOL = 3,
	MESSAGE_QUERY_ADDRESS = 4,
	MESSAGE_RESPONSE_ADDRESS = 5,
	MESSAGE_QUERY_PORT = 6,
	MESSAGE_RESPONSE_PORT = 7,
	MESSAGE_QUERY_SEC = 8,
	MESSAGE_QUERY_NSEC = 9,
	MESSAGE_QUERY = 10,
	MESSAGE_ZONE = 11,
	MESSAGE_RESPONSE_SEC = 12,
	MESSAGE_RESPONSE_NSEC = 13,
	MESSAGE_RESPONSE = 14,
	MESSAGE_POLICY = 15,
};
enum { POLICY_FIELD_TYPE = 1, POLICY_FIELD_RULE = 2, POLICY_FIELD_ACTION = 3, POLICY_FIELD_MATCH = 4, POLICY_FIELD_VALUE = 5 };
enum { WIRE_VARINT = 0, WIRE_OCTETS = 2, WIRE_FIXED32 = 5 };
#define TYPE_MESSAGE 1u /* the only Dnstap.Type */
#define FAMILY_INET 1u
#define FAMILY_INET6 2u

/* Where octets go; without room they are counted only, so that size and content come from the same walk. */
struct sink {
	uint8_t *room BORROWED_FIELD;
	size_t n;
};

static inline void put(struct sink *s, const void *p, size_t n)
{
	if (s->room != NULL)
		memcpy(s->room + s->n, p, n);
	s->n += n;
}

static inline void put1(struct sink *s, uint8_t v)
{
	if (s->room != NULL)
		s->room[s->n] = v;
	s->n++;
}

static inline void varint(struct sink *s, uint64_t v)
{
	while (v >= 0x80) {
		put1(s, (uint8_t)(v | 0x80));
		v >>= 7;
	}
	put1(s, (uint8_t)v);
}

static inline void key(struct sink *s, unsigned int field, unsigned int wire)
{
	varint(s, field << 3 | wire);
}

static inline void number(struct sink *s, unsigned int field, uint64_t v)
{
	key(s, field, WIRE_VARINT);
	varint(s, v);
}

static inline void fixed32(struct sink *s, unsigned int field, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	key(s, field, WIRE_FIXED32);
	put(s, b, sizeof b);
}

static inline void octets(struct sink *s, unsigned int field, struct span v)
{
	if (v.n == 0)
		return;
	key(s, field, WIRE_OCTETS);
	varint(s, v.n);
	put(s, v.p, v.n);
}

static inline void address(struct sink *s, unsigned int field, const struct addr *a)
{
	octets(s, field, span_of(a->b, addr_octets(a)));
}

static inline void port(struct sink *s, unsigned int field, uint16_t v)
{
	if (v != 0)
		number(s, field, v);
}

static inline void time_of(struct sink *s, unsigned int field, const struct tap_time *t)
{
	if (t->sec == 0)
		return;
	number(s, field, (uint64_t)t->sec);
	fixed32(s, field + 1, t->nsec);
}

static inline void family(struct sink *s, const struct tap_event *e)
{
	uint8_t f = e->query.a.family != ADDR_NONE ? e->query.a.family : e->response.a.family;

	if (f == ADDR_V4 || f == ADDR_V6)
		number(s, MESSAGE_FAMILY, f == ADDR_V4 ? FAMILY_INET : FAMILY_INET6);
}

static void message(struct sink *s, const struct tap_event *e)
{
	number(s, MESSAGE_TYPE, e->type);
	family(s, e);
	number(s, MESSAGE_PROTOCOL, e->protocol);
	address(s, MESSAGE_QUERY_ADDRESS, &e->query.a);
	address(s, MESSAGE_RESPONSE_ADDRESS, &e->response.a);
	port(s, MESSAGE_QUERY_PORT, e->query.port);
	port(s, MESSAGE_RESPONSE_PORT, e->response.port);
	time_of(s, MESSAGE_QUERY_SEC, &e->query_time);
	octets(s, MESSAGE_QUERY, e->query_message);
	octets(s, MESSAGE_ZONE, e->zone);
	time_of(s, MESSAGE_RESPONSE_SEC, &e->response_time);
	octets(s, MESSAGE_RESPONSE, e->response_message);
	octets(s, MESSAGE_POLICY, e->policy);
}

/* All before the message, whose octets are n. */
static void begin(struct sink *s, const struct tap_event *e, size_t n)
{
	octets(s, DNSTAP_IDENTITY, e->identity);
	octets(s, DNSTAP_VERSION, e->version);
	octets(s, DNSTAP_EXTRA, e->extra);
	key(s, DNSTAP_MESSAGE, WIRE_OCTETS);
	varint(s, n);
}

static void end(struct sink *s)
{
	number(s, DNSTAP_TYPE, TYPE_MESSAGE);
}

struct tap_size tap_encode_size(const struct tap_event *e)
{
	struct sink inner = { NULL, 0 }, outer = { NULL, 0 };

	message(&inner, e);
	begin(&outer, e, inner.n);
	end(&outer);
	return (struct tap_size){ outer.n + inner.n, inner.n };
}

void tap_encode(const struct tap_event *e, const struct tap_size *n, uint8_t *room)
{
	struct sink s = { room, 0 };

	begin(&s, e, n->message);
	message(&s, e);
	end(&s);
}

static void policy(struct sink *s, const struct policy_note *n)
{
	octets(s, POLICY_FIELD_TYPE, span_of(n->type, n->type != NULL ? strlen(n->type) : 0));
	octets(s, POLICY_FIELD_RULE, span_of(n->rule, strlen(n->rule)));
	if (n->action != 0)
		number(s, POLICY_FIELD_ACTION, n->action);
	if (n->match != 0)
		number(s, POLICY_FIELD_MATCH, n->match);
	octets(s, POLICY_FIELD_VALUE, span_of(n->value, n->value_len));
}

size_t tap_encode_policy(const struct policy_note *n, uint8_t room[TAP_POLICY_MAX])
{
	struct sink s = { NULL, 0 };

	policy(&s, n);
	assert(s.n <= TAP_POLICY_MAX); /* a type is a short word of ours */
	s = (struct sink){ room, 0 };
	policy(&s, n);
	return s.n;
}
