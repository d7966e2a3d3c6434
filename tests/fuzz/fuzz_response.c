/*
 * fuzz_response: any message as the reply of a server of a zone. The first octets say how it was asked; the rest is the message. Whatever it is, what the scrubber
 * keeps obeys: nothing outside of the zone but the targets of aliases; a referral leads strictly down and towards the name; negative answers hold no
 * SOA from above; ranks are those of the section.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "resolver/core/scrub.h"
#include "resolver/core/settings.h"
#include "tests/fuzz/msg_mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_inside(const struct scrub_sets *s, struct name zone)
{
	for (size_t i = 0; i < s->count; i++) {
		check(name_is_under(rrset_name(s->sets[i]), zone));
		check(s->sets[i]->rclass == CLASS_IN);
		check(s->sets[i]->rank != RANK_NONE);
	}
}

static void check_referral(const struct scrubbed *s, const struct scrub_request *r)
{
	const struct rrset *ns = scrub_find(&s->authority, s->cut, RR_NS);

	check(name_is_strictly_under(s->cut, r->zone) && name_is_under(r->q.name, s->cut));
	check(ns != NULL && ns->rank == RANK_DELEGATION && s->answer.count == 0);
	for (size_t i = 0; i < s->authority.count; i++)
		check(s->authority.sets[i]->type != RR_NS || name_equal(rrset_name(s->authority.sets[i]), s->cut));
	for (size_t i = 0; i < s->additional.count; i++)
		check(s->additional.sets[i]->rank == RANK_GLUE);
}

static void check_result(const struct scrubbed *s, const struct scrub_request *r)
{
	check(s->kind < REPLY_KINDS);
	check_inside(&s->answer, r->zone);
	check_inside(&s->authority, r->zone);
	check_inside(&s->additional, r->zone);
	if (s->kind == REPLY_REFERRAL)
		check_referral(s, r);
	if (s->kind == REPLY_NODATA || s->kind == REPLY_NXDOMAIN)
		check(s->answer.count == 0);
	if (s->kind == REPLY_ALIAS)
		check(s->answer.count > 0);
	if (s->kind == REPLY_LAME || s->kind == REPLY_ERROR)
		check(s->authority.count == 0);
	for (size_t i = 0; r->settings->drop_spare_ns && s->kind != REPLY_REFERRAL && i < s->authority.count; i++)
		check(s->authority.sets[i]->type != RR_NS);
}

static bool zone_of(struct name n, uint8_t labels, struct name *ret)
{
	if (labels > n.labels)
		return false;
	*ret = name_suffix(n, labels);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct core_settings set = {
		.ipv4 = true, .ipv6 = true, .max_ns = 20, .max_chain = 11, .max_rrsigs = 8, .max_ttl = 86400, .max_negative_ttl = 3600, .harden_glue = true,
	};
	struct scrub_request r = { .settings = &set };
	struct msg_limits limits = { .max_rrs = 4000, .max_options = 20 };
	struct scrubbed s;
	struct msg m;
	AUTO(arena_free) struct arena *a = NULL;

	if (size < 4)
		return 0;
	a = arena_new(8u << 20);
	if (a == NULL || !OK(msg_read(a, span_of(data + 4, size - 4), &limits, &m)) || !m.has_question)
		return 0;
	r.q = m.q;
	r.q.rclass = CLASS_IN;
	if (!zone_of(m.q.name, data[0] & 0x7f, &r.zone))
		return 0;
	r.recursive = (data[1] & 1) != 0;
	set.drop_spare_ns = (data[1] & 2) != 0;
	if ((data[1] & 4) != 0)
		r.q.type = (uint16_t)(data[2] << 8 | data[3]);
	if (OK(scrub_reply(a, &r, &m, &s)))
		check_result(&s, &r);
	return 0;
}

MSG_MUTATOR(4)
