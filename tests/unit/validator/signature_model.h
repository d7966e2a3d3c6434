/*
 * signature_model.h: makes a zone's keys, an RRset and signatures from octets, spoils them here and there, and holds what the validator says of them against the
 * second implementation (obvious.h). Shared by a unit test, which draws the octets, and a fuzz target.
 */
#ifndef TESTS_UNIT_VALIDATOR_SIGNATURE_MODEL_H
#define TESTS_UNIT_VALIDATOR_SIGNATURE_MODEL_H

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "dns/rdata.h"
#include "tests/unit/validator/obvious.h"
#include "tests/unit/validator/signer.h"
#include "validator/ds.h"
#include "validator/signature.h"

#define SIGMODEL_KEYS 4u
#define SIGMODEL_RRS 4u
#define SIGMODEL_SIGS 3u

struct sigmodel {
	struct arena *arena;
	struct reader in;
	struct name_buf zone;
	struct signer *signer[SIGMODEL_KEYS];
	size_t signers;
	struct rrset *dnskeys, *set;
	uint32_t now;
	bool agreed_good; /* what both said */
};

static inline struct name_buf sigmodel_text(const char *text)
{
	struct name_buf b;

	if (!OK(name_from_text(text, NULL, &b)))
		abort();
	return b;
}

/* A name of up to three labels before `under`, in both cases. */
static inline struct name_buf sigmodel_name(struct sigmodel *m, struct name under)
{
	static const uint8_t letters[] = "aAbBzZ*-[@`{\0";
	unsigned int n = read8(&m->in), labels = n & 3;
	uint8_t wire[16];
	struct writer w = writer_of(wire, sizeof wire);
	struct name_buf b;

	for (unsigned int i = 0; i < labels; i++) {
		uint8_t c = read8(&m->in);

		write8(&w, 1 + (c >> 7));
		write8(&w, letters[c % (sizeof letters - 1)]);
		if (c >> 7 != 0)
			write8(&w, c);
	}
	write8(&w, 0);
	if ((n & 4) != 0 && labels > 0) { /* a wildcard */
		wire[0] = 1;
		wire[1] = '*';
		w.pos = 2;
		write8(&w, 0);
		labels = 1;
	}
	if (!OK(name_concat((struct name){ wire, (uint8_t)w.pos, (uint8_t)labels }, labels, under, &b)))
		abort();
	return b;
}

/* What the rdata of a type begins with: octets, character strings, names; then any octets. */
static const struct sigmodel_form {
	uint16_t type;
	uint8_t octets, strings, names;
	bool tail;
} sigmodel_forms[] = { { RR_A, 4, 0, 0, false }, { RR_NS, 0, 0, 1, false }, { 3, 0, 0, 1, false }, { 4, 0, 0, 1, false }, { RR_CNAME, 0, 0, 1, false },
	{ 7, 0, 0, 1, false }, { 8, 0, 0, 1, false }, { 9, 0, 0, 1, false }, { RR_PTR, 0, 0, 1, false }, { 14, 0, 0, 2, false }, { RR_MX, 2, 0, 1, false },
	{ 17, 0, 0, 2, false }, { 18, 2, 0, 1, false }, { 21, 2, 0, 1, false }, { 26, 2, 0, 2, false }, { 30, 0, 0, 1, true }, { 33, 6, 0, 1, false },
	{ 35, 4, 3, 1, false }, { 36, 2, 0, 1, false }, { 39, 0, 0, 1, false }, { RR_SOA, 0, 0, 2, true }, { RR_TXT, 0, 2, 0, false }, { 13, 0, 2, 0, false },
	{ RR_NSEC, 0, 0, 1, true }, { RR_DS, 4, 0, 0, true }, { RR_DNSKEY, 4, 0, 0, true }, { RR_NSEC3PARAM, 4, 1, 0, false }, { 64, 2, 0, 1, true },
	{ 55, 4, 0, 0, true }, { 45, 3, 0, 1, true }, { 107, 2, 0, 1, false }, { 38, 1, 0, 1, true }, { 65280, 0, 0, 1, true }, { 24, 18, 0, 1, true }, { 28, 16, 0, 0, false } };

static inline struct span sigmodel_rdata(struct sigmodel *m, const struct sigmodel_form *f)
{
	uint8_t room[1500];
	struct writer w = writer_of(room, sizeof room);

	for (unsigned int i = 0; i < f->octets; i++)
		write8(&w, read8(&m->in));
	for (unsigned int i = 0; i < f->strings; i++) {
		struct span s = read_span(&m->in, read8(&m->in) & 3);

		write8(&w, (uint8_t)s.n);
		write_span(&w, s);
	}
	for (unsigned int i = 0; i < f->names; i++) {
		struct name_buf n = sigmodel_name(m, name_of(&m->zone));

		write_octets(&w, n.b, n.len);
	}
	if (f->tail)
		write_span(&w, read_span(&m->in, read8(&m->in) & 31));
	if (!OK(rdata_check(f->type, writer_done(&w))))
		return (struct span){ NULL, 0 };
	return span_of(arena_dup(m->arena, room, w.pos), w.pos);
}

static inline void sigmodel_keys(struct sigmodel *m)
{
	static const uint8_t algs[] = { 8, 13, 15, 8, 13, 15, 5, 7, 10, 14, 16 };
	static const uint16_t flags[] = { 257, 256, 256, 257, 385, 1 };
	struct span rdata[SIGMODEL_KEYS];
	size_t n = 1 + read8(&m->in) % SIGMODEL_KEYS;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = read8(&m->in);
		uint8_t *p;

		m->signer[i] = signer_new(algs[c % sizeof algs], flags[c / 16 % 6], c / 128u);
		rdata[i] = signer_dnskey(m->signer[i]);
		p = arena_dup(m->arena, rdata[i].p, rdata[i].n);
		if ((c & 15) == 15) { /* another key than the one that signs */
			uint16_t at = read16(&m->in);

			p[at % rdata[i].n] ^= (uint8_t)(1u << (at >> 13));
		}
		rdata[i].p = p;
	}
	m->signers = n;
	m->dnskeys = rrset_make_in(m->arena, name_of(&m->zone), RR_DNSKEY, CLASS_IN, 3600, rdata, n, 0);
}

/* Near the edges of what 32 bits of time tell. */
static inline uint32_t sigmodel_time(struct sigmodel *m)
{
	static const uint32_t offsets[] = { 0, 0x7fffffff, 0x80000000, 0x80000001, 3600, 86400, 0xffffffff - 3599, 0xffffffff - 86399, 1000000, 0xffffffff - 999999 };
	uint8_t c = read8(&m->in);

	return m->now + offsets[c % (sizeof offsets / sizeof *offsets)] + (uint32_t)(c / 64) - 1;
}

static inline struct span sigmodel_sig(struct sigmodel *m)
{
	const struct signer *s = m->signer[read8(&m->in) % m->signers];
	uint8_t c = read8(&m->in);
	struct name_buf zone = m->zone;
	struct signer_how how = { .ttl = (c & 1) != 0 ? m->set->ttl : 77, .labels = -1, .inception = m->now - 1000, .expiration = m->now + 1000000 };
	struct name owner = rrset_name(m->set);
	unsigned int most = owner.labels - (name_is_wildcard(owner) ? 1u : 0u);

	if ((c & 2) != 0)
		how.labels = (int)(read8(&m->in) % (most + 1)); /* made from a wildcard, or from above the zone */
	if ((c & 12) == 12) {
		how.inception = sigmodel_time(m);
		how.expiration = sigmodel_time(m);
	}
	if ((c & 0x70) == 0x70)
		zone = sigmodel_name(m, (c & 0x80) != 0 ? name_of(&m->zone) : name_root);
	how.zone = name_of(&zone);
	return signer_rrsig_in(m->arena, s, &how, m->set);
}

/* Flips case or bits of what was signed, or of signatures. */
static inline void sigmodel_spoil(struct sigmodel *m)
{
	struct span spans[SIGMODEL_RRS + SIGMODEL_SIGS];
	size_t n = (size_t)m->set->count + m->set->sigs;
	struct name_buf owner;
	unsigned int c = read8(&m->in);

	if ((c & 3) == 0)
		return;
	name_copy(&owner, rrset_name(m->set));
	for (size_t i = 0; i < n; i++) {
		struct span s = rrset_item_(m->set, i);

		spans[i] = span_of(arena_dup(m->arena, s.p, s.n), s.n);
	}
	for (unsigned int k = 0; k < (c & 3); k++) {
		uint16_t at = read16(&m->in);
		size_t i = read8(&m->in) % n;
		uint8_t *p = arena_dup(m->arena, spans[i].p, spans[i].n + 0);

		if (spans[i].n == 0)
			continue;
		p[at % spans[i].n] ^= (c & 4) != 0 ? 0x20 : (uint8_t)(1u << (at >> 13));
		if (i >= m->set->count || OK(rdata_check(m->set->type, span_of(p, spans[i].n))))
			spans[i].p = p;
	}
	if ((c & 8) != 0 && owner.len > 2)
		owner.b[1] ^= (owner.b[1] | 0x20) >= 'a' && (owner.b[1] | 0x20) <= 'z' ? 0x20 : 0;
	m->set = rrset_make_in(m->arena, name_of(&owner), m->set->type, CLASS_IN, m->set->ttl, spans, m->set->count, m->set->sigs);
	if (m->set == NULL)
		abort();
}

static inline void sigmodel_die(const struct sigmodel *m, const char *what, const struct sig_report *r)
{
	fprintf(stderr, "type %u, %u RRs, %u signatures: %s; verdict %s, signature %u\n", m->set->type, m->set->count, m->set->sigs, what, sig_verdict_text(r->verdict),
	    r->index);
	abort();
}

static inline void sigmodel_done(struct sigmodel *m)
{
	for (size_t i = 0; i < m->signers; i++)
		signer_free(MOVE(m->signer[i]));
}

/* false: the octets gave no RRset. Ended by sigmodel_done() in any case. */
static inline bool sigmodel_make(struct sigmodel *m, struct arena *a, struct span octets)
{
	static const char *const zones[] = { "Example.", ".", "sub.EXAMPLE." };
	struct span rdata[SIGMODEL_RRS], sigs[SIGMODEL_SIGS];
	const struct sigmodel_form *f;
	struct name_buf owner;
	size_t n = 0, count, c;

	*m = (struct sigmodel){ .arena = a, .in = reader_of(octets) };
	c = read8(&m->in);
	m->zone = sigmodel_text(zones[c % 3]);
	m->now = (c & 0x80) != 0 ? 1600000000u : (c & 0x40) != 0 ? 0xffffff00u : 0x7fffff80u;
	sigmodel_keys(m);
	f = &sigmodel_forms[read8(&m->in) % (sizeof sigmodel_forms / sizeof *sigmodel_forms)];
	owner = sigmodel_name(m, name_of(&m->zone));
	count = 1 + read8(&m->in) % SIGMODEL_RRS;
	for (size_t i = 0; i < count; i++) {
		rdata[n] = sigmodel_rdata(m, f);
		n += rdata[n].p != NULL;
	}
	if (n == 0)
		return false;
	m->set = rrset_make_in(a, name_of(&owner), f->type, CLASS_IN, read16(&m->in), rdata, n, 0);
	if (m->set == NULL || m->dnskeys == NULL)
		abort();
	n = 1 + read8(&m->in) % SIGMODEL_SIGS;
	for (size_t i = 0; i < n; i++)
		sigs[i] = sigmodel_sig(m);
	m->set = signer_with_in(a, m->set, sigs, n);
	sigmodel_spoil(m);
	return true;
}

static inline void sigmodel_check(struct sigmodel *m)
{
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = { 1000, 1000, 1000 };
	struct work work = { 100000000 };
	struct sig_time t = { m->now, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	struct obvious_time ot = { m->now, SIG_SKEW_MIN, SIG_SKEW_MAX };
	AUTO(keyset_free) struct keyset *keys = NULL;
	struct sig_report r = { 0 };
	struct rrsig sig;

	if (!OK(keyset_make(m->dnskeys, NULL, &kl, &work, &keys)) || !OK(rrset_verify(m->set, keys, NULL, NULL, &t, &sl, m->arena, &work, &r))) {
		if (!mem_failed())
			abort();
		return;
	}
	m->agreed_good = obvious_is_signed(m->set, m->dnskeys, &ot);
	if ((r.verdict == SIG_GOOD) != m->agreed_good)
		sigmodel_die(m, m->agreed_good ? "a good signature is refused" : "a signature is accepted that is not good", &r);
	if (r.limited)
		sigmodel_die(m, "a limit that is not there", &r);
	if (r.verdict != SIG_GOOD)
		return;
	if (!OK(rrsig_parse(rrset_sig(m->set, r.index), &sig)))
		abort();
	if (r.ttl > m->set->ttl || r.ttl > sig.ttl || (r.ttl != 0 && (int64_t)r.ttl > (int64_t)(int32_t)(sig.expiration - m->now) + SIG_SKEW_MAX))
		sigmodel_die(m, "kept for too long", &r);
	if (r.wildcard != (sig.labels < rrset_name(m->set).labels - (name_is_wildcard(rrset_name(m->set)) ? 1u : 0u)))
		sigmodel_die(m, "wildcard or not", &r);
}

#endif
