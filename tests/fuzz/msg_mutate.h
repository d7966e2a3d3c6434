/*
 * msg_mutate.h: messages changed as messages, for the mutators of targets that read them: records come, go, move to another section and get each other's owners, types, TTLs and data;
 * what comes out has its counts and compression pointers right, and so gets beyond the reader. One time in three octets are changed instead, as they come.
 */
#ifndef TESTS_FUZZ_MSG_MUTATE_H
#define TESTS_FUZZ_MSG_MUTATE_H

#include <string.h>

#include "base/arena.h"
#include "dns/build.h"
#include "dns/msg.h"
#include "dns/rdata.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max) __attribute__((weak)); /* an engine's; NULL where there is none */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

#define MUTATE_SETS 40u

struct mutate_set {
	const struct rrset *rs BORROWED_FIELD;
	enum msg_part part;
};
struct mutate {
	struct arena *arena BORROWED_FIELD;
	uint64_t dice;
	struct msg m;
	struct mutate_set set[MUTATE_SETS];
	size_t n;
};

static inline uint32_t mutate_draw(struct mutate *u, uint32_t n)
{
	u->dice ^= u->dice << 13;
	u->dice ^= u->dice >> 7;
	u->dice ^= u->dice << 17;
	return n == 0 ? 0 : (uint32_t)(u->dice >> 20) % n;
}

static inline void mutate_take(struct mutate *u, const struct msg_section *s, enum msg_part part)
{
	for (size_t i = 0; i < s->count && u->n < MUTATE_SETS; i++)
		u->set[u->n++] = (struct mutate_set){ s->sets[i], part };
}

/* A name of the message, or one label more or less. */
static inline struct name mutate_name(struct mutate *u)
{
	static const uint8_t label[] = { 1, 'x', 0 };
	struct name n = u->n > 0 && mutate_draw(u, 3) != 0 ? rrset_name(u->set[mutate_draw(u, (uint32_t)u->n)].rs) : u->m.q.name;
	struct name_buf *more;

	if (n.wire == NULL)
		return name_root;
	if (mutate_draw(u, 4) == 0 && n.labels > 0)
		return name_strip(n, 1 + mutate_draw(u, n.labels));
	more = mutate_draw(u, 4) == 0 ? arena_alloc(u->arena, sizeof *more) : NULL;
	if (more == NULL || !OK(name_concat((struct name){ label, 3, 1 }, 1, n, more)))
		return n;
	return name_of(more);
}

/* The same records with another owner, type or data where the octets of one of them fit. */
static inline const struct rrset *mutate_made(struct mutate *u, const struct rrset *rs, struct name owner, uint16_t type, bool change)
{
	struct span items[64];
	size_t n = (size_t)rs->count + rs->sigs, count = 0, sigs = 0;
	size_t at = mutate_draw(u, n > 0 ? (uint32_t)n : 1);

	for (size_t i = 0; i < n && count + sigs < 64; i++) {
		struct span s = rrset_item_(rs, i);

		if (change && i == at && s.n > 0) {
			uint8_t *copy = arena_alloc(u->arena, s.n + 64);

			if (copy == NULL)
				continue;
			memcpy(copy, s.p, s.n);
			s = LLVMFuzzerMutate != NULL ? span_of(copy, LLVMFuzzerMutate(copy, s.n, s.n + 64)) : s;
		}
		if (!OK(rdata_check(i < rs->count ? type : RR_RRSIG, s)))
			continue;
		items[count + sigs] = s;
		*(i < rs->count ? &count : &sigs) += 1;
	}
	return rrset_make_in(u->arena, owner, type, rs->rclass, rs->ttl, items, count, sigs);
}

static inline void mutate_op(struct mutate *u)
{
	static const uint16_t types[] = { RR_A, RR_NS, RR_CNAME, RR_SOA, RR_DNAME, RR_DS, RR_NSEC, RR_TXT, RR_AAAA, RR_MX };
	size_t i = mutate_draw(u, u->n > 0 ? (uint32_t)u->n : 1);
	struct mutate_set *s = &u->set[i];
	const struct rrset *made = NULL;

	if (u->n == 0 || mutate_draw(u, 8) == 0) {
		u->m.flags ^= (uint16_t)(1u << mutate_draw(u, 16));
		return;
	}
	switch (mutate_draw(u, 8)) {
	case 0:
		*s = u->set[--u->n];
		return;
	case 1:
		if (u->n < MUTATE_SETS)
			u->set[u->n++] = (struct mutate_set){ s->rs, (enum msg_part)(PART_ANSWER + mutate_draw(u, 3)) };
		return;
	case 2:
		s->part = (enum msg_part)(PART_ANSWER + mutate_draw(u, 3));
		return;
	case 3:
	case 4:
		made = mutate_made(u, s->rs, mutate_name(u), s->rs->type, false);
		break;
	case 5:
		made = mutate_made(u, s->rs, rrset_name(s->rs), types[mutate_draw(u, sizeof types / sizeof types[0])], false);
		break;
	default:
		made = mutate_made(u, s->rs, rrset_name(s->rs), s->rs->type, true);
		break;
	}
	if (made != NULL && made->count + made->sigs > 0)
		s->rs = made;
}

static inline size_t mutate_build(struct mutate *u, uint8_t *out, size_t max)
{
	struct edns_out e = { u->m.edns.udp_size, u->m.rcode, u->m.edns.dnssec_ok, u->m.edns.compact_ok };
	struct builder b;

	build_start(&b, out, max, max, u->m.edns.present ? 11 : 0, u->m.id, u->m.flags);
	if (u->m.has_question)
		build_question(&b, &u->m.q);
	for (unsigned int part = PART_ANSWER; part <= PART_ADDITIONAL; part++)
		for (size_t i = 0; i < u->n; i++)
			if (u->set[i].part == part)
				(void)build_rrset(&b, (enum msg_part)part, u->set[i].rs, u->set[i].rs->ttl, true, 0);
	if (u->m.edns.present) {
		build_edns_start(&b, &e);
		build_edns_end(&b);
	}
	return build_finish(&b);
}

/* The message stands behind `before` octets, which only octets' mutations change. */
static inline size_t msg_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed, size_t before)
{
	static uint8_t copy[MSG_MAX];
	AUTO(arena_free) struct arena *a = arena_new(1 << 22);
	struct msg_limits limits = { .max_rrs = 500, .max_options = 50, .drop_bad_rdata = true };
	struct mutate u = { .arena = a, .dice = UINT64_C(0x9e3779b97f4a7c15) ^ seed };
	size_t n = 0;

	(void)mutate_draw(&u, 1);
	if (a != NULL && mutate_draw(&u, 3) != 0 && size > before && max > before && max - before <= sizeof copy && size - before <= sizeof copy) {
		memcpy(copy, data + before, size - before);
		if (OK(msg_read(a, span_of(copy, size - before), &limits, &u.m))) {
			mutate_take(&u, &u.m.answer, PART_ANSWER);
			mutate_take(&u, &u.m.authority, PART_AUTHORITY);
			mutate_take(&u, &u.m.additional, PART_ADDITIONAL);
			for (uint32_t ops = 1 + mutate_draw(&u, 4); ops > 0; ops--)
				mutate_op(&u);
			n = mutate_build(&u, data + before, max - before);
		}
	}
	if (n != 0)
		return before + n;
	return LLVMFuzzerMutate != NULL ? LLVMFuzzerMutate(data, size, max) : size;
}

/* In a target: MSG_MUTATOR(octets before the message) */
#define MSG_MUTATOR(before) \
	size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed) \
	{ \
		return msg_mutate(data, size, max, seed, before); \
	}

#endif
