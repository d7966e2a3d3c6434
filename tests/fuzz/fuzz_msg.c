/*
 * Whole messages: both readers. What is read is built again, and that reads as the same: the second time to the octet. The memory it takes is bounded by
 * the size of the packet. Within limits the same comes out, or it is said that there is a limit; bad records that may be left out are, and nothing else changes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "dns/build.h"
#include "dns/msg.h"
#include "tests/fuzz/failing.h"
#include "tests/fuzz/msg_mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static void check_query(struct span packet)
{
	struct msg_query q;
	enum msg_verdict v = msg_read_query(packet, 16, &q);

	CHECK((v == MSG_DROP) == (packet.n < 12 || (packet.p[2] & 0x80) != 0));
	CHECK(q.question_end <= packet.n);
	if (q.question_end != 0)
		CHECK(q.q.name.wire == packet.p + 12 && q.question_end == 12 + q.q.name.len + 4);
	if (v == MSG_GOOD)
		CHECK(q.question_end != 0 && msg_opcode(q.flags) == OPCODE_QUERY && OK(edns_check_options(q.edns.options, 16)));
}

static bool build_section(struct builder *b, enum msg_part part, const struct msg_section *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (!build_rrset(b, part, s->sets[i], s->sets[i]->ttl, true, 0))
			return false;
	return true;
}

static size_t build_again(const struct msg *m, uint8_t *buf, size_t cap)
{
	struct builder b;

	build_start(&b, buf, cap, cap, 0, m->id, m->flags);
	if (m->has_question)
		build_question(&b, &m->q);
	if (!build_section(&b, PART_ANSWER, &m->answer) || !build_section(&b, PART_AUTHORITY, &m->authority) ||
	    !build_section(&b, PART_ADDITIONAL, &m->additional))
		return 0;
	if (m->edns.present) {
		struct edns_out e = { m->edns.udp_size, m->rcode, m->edns.dnssec_ok, m->edns.compact_ok };
		struct reader r = reader_of(m->edns.options);
		uint16_t code;
		struct span value;

		build_edns_start(&b, &e);
		while (edns_next_option(&r, &code, &value))
			if (!build_edns_option(&b, code, value))
				return 0;
	}
	return build_finish(&b);
}

static void check_same_section(const struct msg_section *a, const struct msg_section *b)
{
	CHECK(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		CHECK(rrset_same_data(a->sets[i], b->sets[i]));
		CHECK(a->sets[i]->sigs == b->sets[i]->sigs && a->sets[i]->ttl == b->sets[i]->ttl);
	}
}

static void check_same(const struct msg *a, const struct msg *b)
{
	CHECK(a->id == b->id && a->flags == b->flags && a->rcode == b->rcode && a->has_question == b->has_question);
	CHECK(name_equal_case(a->q.name, b->q.name) && a->q.type == b->q.type && a->q.rclass == b->q.rclass);
	CHECK(a->edns.present == b->edns.present && span_equal(a->edns.options, b->edns.options) && a->edns.udp_size == b->edns.udp_size);
	check_same_section(&a->answer, &b->answer);
	check_same_section(&a->authority, &b->authority);
	check_same_section(&a->additional, &b->additional);
}

static void check_sets(const struct msg_section *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct rrset *rs = s->sets[i];
		struct name target, again;

		CHECK(OK(rrset_check_block((struct span){ (const uint8_t *)rs, rs->octets })));
		for (size_t k = 0; k < rs->count; k++)
			if (rrset_target(rs, k, &target))
				CHECK(OK(name_from_wire(span_of(target.wire, target.len), &again)) && again.len == target.len &&
				    target.wire + target.len <= rrset_rdata(rs, k).p + rrset_rdata(rs, k).n);
	}
}

static void check_print(const struct msg *m)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 24);

	if (out == NULL)
		return;
	msg_print(m, out);
	for (const char *p = strbuf_text(out); *p != '\0'; p++)
		CHECK((*p >= ' ' && *p < 127) || *p == '\n');
}

static size_t records(const struct msg_section *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += (size_t)s->sets[i]->count + s->sets[i]->sigs;
	return n;
}

/* whole: the message as it reads without limits; NULL: it does not. */
static void check_limits(struct span packet, const struct msg *whole, unsigned int draw)
{
	AUTO(arena_free) struct arena *a = arena_new(0), *small = arena_new(1000 + draw * 64u);
	struct msg_limits few = { .max_rrs = 1 + draw % 8, .max_options = 1 + draw % 4, .max_hops = 1 + draw % 32 }, lenient = { .max_options = 100, .drop_bad_rdata = true };
	struct msg m;
	struct result r;

	if (a == NULL || small == NULL)
		return;
	r = msg_read(a, packet, &few, &m);
	CHECK(OK(r) ? whole != NULL || mem_failed() : r.e == ERR_LIMIT || r.e == ERR_FORMAT || r.e == ERR_NOMEM);
	if (OK(r) && whole != NULL)
		CHECK(records(&m.answer) + records(&m.authority) + records(&m.additional) <= 1 + draw % 8 && m.id == whole->id);
	r = msg_read(a, packet, &lenient, &m);
	if (OK(r))
		CHECK(whole != NULL ? m.bad_rdata == 0 : m.bad_rdata > 0 || mem_failed());
	else
		CHECK(whole == NULL || mem_failed());
	if (OK(r) && whole != NULL)
		check_same(whole, &m);
	r = msg_read(small, packet, &lenient, &m);
	CHECK(OK(r) || r.e == ERR_LIMIT || r.e == ERR_FORMAT || r.e == ERR_NOMEM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t first[65535];
	static uint8_t second[65535];
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct span packet = span_of(data, size);
	struct msg_limits limits = { .max_options = 100 };
	struct msg m;
	struct msg again;
	struct msg third;
	size_t n;

	if (a == NULL)
		return 0;
	check_query(packet);
	if (!OK(msg_read(a, packet, &limits, &m))) {
		check_limits(packet, NULL, size & 31);
		return 0;
	}
	check_limits(packet, &m, size & 31);
	CHECK(arena_used(a) <= 200 * size + 65536);
	check_sets(&m.answer);
	check_sets(&m.authority);
	check_sets(&m.additional);
	check_print(&m);
	m.edns.version = 0;
	n = build_again(&m, first, sizeof first);
	if (n == 0)
		return 0;
	HOLDS(OK(msg_read(a, (struct span){ first, n }, &limits, &again)));
	check_same(&m, &again);
	CHECK(build_again(&again, second, sizeof second) == n);
	HOLDS(OK(msg_read(a, (struct span){ second, n }, &limits, &third)));
	CHECK(memcmp(first, second, n) == 0);
	return 0;
}

MSG_MUTATOR(0)
