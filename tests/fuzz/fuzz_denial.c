/*
 * Denial of existence: the input is a small zone, a question and the records of its chains that come along; held against what the zone says. With the first octet's highest bit set some
 * records are spoilt and signed again before, so that they pass for the zone's; then what they say is held against the second implementation, for the zone says something else.
 */
#include "base/cursor.h"
#include "dns/rdata.h"
#include "tests/fuzz/failing.h"
#include "tests/unit/validator/denial_model.h"
#include "tests/unit/validator/obvious_denial.h"
#include "tests/unit/validator/signer.h"
#include "validator/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* --- records of the chains that were spoilt, and signed again: secure as they are, whatever they say now */

static struct signer *signer OWNED_FIELD; /* lasts as long as the program */
static struct keyset *keys OWNED_FIELD;

static const uint32_t now = 1700000000;
static const struct denial_limits spoilt_limits = { .iterations = 3, .iterations_checked = 4 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct key_limits limits = KEY_LIMITS;
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct work work = { 1000000 };
	struct name_buf zone = model_name("z.");
	struct span key;

	(void)argc;
	(void)argv;
	signer = signer_new(13, 257, 0);
	key = signer_dnskey(signer);
	if (a == NULL || !OK(keyset_make(rrset_make_in(a, name_of(&zone), RR_DNSKEY, CLASS_IN, 300, &key, 1, 0), NULL, &limits, &work, &keys)))
		abort();
	return 0;
}

/* What comes before a bit map, and one with NXNAME, alone as compact denial has it (RFC 9824) or beside A. */
static struct span denied_itself(struct model *m, struct span before, bool alone)
{
	uint8_t map[2 + 17] = { 0, 17, alone ? 0 : 0x40, [2 + 16] = 0x80 }, *p = arena_alloc(m->arena, before.n + sizeof map);

	if (p == NULL)
		abort();
	memcpy(p, before.p, before.n);
	memcpy(p + before.n, map, sizeof map);
	return span_of(p, before.n + sizeof map);
}

/* The rdata of a record with something else in it; p NULL where it would be none. */
static struct span bent(struct model *m, const struct rrset *set, const struct rrset *other, unsigned int how, unsigned int at)
{
	struct span s = rrset_rdata(how % 8 == 0 ? other : set, 0);
	uint8_t *p = arena_dup(m->arena, s.p, s.n + 0);
	bool nsec3 = set->type == RR_NSEC3;

	s.p = p;
	switch (how % 8) {
	case 0: /* what another one says */
		break;
	case 1:
		p[at % s.n] ^= (uint8_t)(1u << (how >> 3 & 7));
		break;
	case 2: /* a type more or less */
		p[s.n - 1 - at % (s.n < 7 ? s.n : 7)] ^= (uint8_t)(1u << (how >> 3 & 7));
		break;
	case 3:
		p[nsec3 ? 1 : 0] ^= 1; /* opt-out; a label that is longer */
		break;
	case 4:
		if (nsec3)
			p[3] = (uint8_t)(at & 3); /* iterations */
		else
			p[at % s.n] ^= 0x20; /* the case of a letter */
		break;
	case 5: /* the next hash, by one */
		if (nsec3)
			p[7 + NSEC3_HASH_OCTETS] = (uint8_t)(p[7 + NSEC3_HASH_OCTETS] + (at & 2) - 1);
		break;
	case 6: /* no types, or the one that says that the name is not there */
		s.n = s.n > 9 ? s.n - 9 : s.n;
		if ((how & 8) != 0)
			s = denied_itself(m, s, (how & 16) == 0);
		break;
	default: /* another salt */
		if (nsec3)
			p[5] ^= (uint8_t)at;
		break;
	}
	return OK(rdata_check(set->type, s)) ? s : (struct span){ NULL, 0 };
}

static const struct rrset *signed_again(struct model *m, struct name owner, uint16_t type, struct span rdata)
{
	struct signer_how how = { .zone = name_of(&m->zone), .ttl = 300, .labels = -1, .inception = now - 1000, .expiration = now + 1000 };
	struct rrset *made = rrset_make_in(m->arena, owner, type, CLASS_IN, 300, &rdata, 1, 0);
	struct sig_time t = { now, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	struct sig_limits limits = { 10, 10, 10 };
	struct work work = { 1000000 };
	struct sig_report report;

	if (made == NULL)
		abort();
	made = signer_signed_in(m->arena, signer, &how, made);
	if (!OK(rrset_verify(made, keys, NULL, NULL, &t, &limits, m->arena, &work, &report)) || report.verdict != SIG_GOOD)
		abort();
	made->security = SECURITY_SECURE;
	return made;
}

static void spoil(struct model *m, struct reader *r)
{
	unsigned int which = read8(r), how = read8(r), at = read8(r), from = read8(r);
	bool nsec3 = (which & 1) != 0;
	const struct rrset **chain = nsec3 ? m->nsec3 : m->nsec;
	size_t n = nsec3 ? m->nsec3s : m->nsecs;
	const struct rrset *set = chain[which / 2 % n], *other = chain[from % n];
	struct span rdata = bent(m, set, other, how, at);
	struct name owner = rrset_name((how & 0xc0) == 0xc0 ? other : set);

	if (rdata.p != NULL)
		chain[which / 2 % n] = signed_again(m, owner, set->type, rdata);
}

static void compare(const struct model *m, struct name name, uint16_t type, const struct denial_verdict *v, const struct obvious_denial *o, bool nsec3)
{
	if (v->what == DENIAL_FAILED && mem_failed())
		return;
	if (v->what != DENIAL_NOT_PROVEN && (o->may & 1u << v->what) == 0)
		model_die(m, name, type, "said without proof, of spoilt records", v, nsec3);
	if (v->what == DENIAL_NOT_PROVEN && o->may != 0 && !o->contradict)
		model_die(m, name, type, "not seen to be proven, by spoilt records", v, nsec3);
}

static void ask_spoilt(struct model *m, struct name name, uint16_t type, bool nsec3, uint64_t subset)
{
	const struct rrset *sets[MODEL_NODES * 4];
	struct work work = { 10000000 };
	struct denial_proof p = { .zone = name_of(&m->zone), .sets = sets, .limits = spoilt_limits, .hasher = m->hasher, .work = &work, .arena = m->arena };
	struct denial_verdict v;
	struct obvious_denial o;

	for (size_t i = 0; i < (nsec3 ? m->nsec3s : m->nsecs); i++)
		if (subset == 0 || (subset >> (i % 64) & 1) != 0)
			sets[p.n++] = nsec3 ? m->nsec3[i] : m->nsec[i];
	v = denial_prove(&p, name, type);
	mem_fail_hold(true);
	o = obvious_denial(sets, p.n, p.zone, name, type, &spoilt_limits);
	mem_fail_hold(false);
	compare(m, name, type, &v, &o, nsec3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int kinds[] = { M_A, M_CNAME, M_NS, M_NS | M_DS, M_DNAME };
	static const uint16_t types[] = { RR_A, RR_TXT, RR_DS, RR_CNAME, RR_NS, RR_DNAME };
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct reader r = reader_of((struct span){ data, size });
	static struct model m;
	unsigned int n;
	bool spoilt;

	if (h == NULL || a == NULL)
		return 0;
	mem_fail_hold(true);
	model_init(&m, a, h);
	n = read8(&r);
	m.opt_out = (n & 1) != 0;
	m.iterations = n >> 1 & 3;
	spoilt = n >> 7 != 0;
	for (n = n >> 3 & 15; n > 0; n--) {
		struct name_buf name = model_nth("*ab", read8(&r) % MODEL_NAMES, name_of(&m.zone));
		unsigned int kind = kinds[read8(&r) % 5];

		if (model_find(&m, name_of(&name)) == NULL)
			model_add(&m, name_of(&name), kind);
	}
	model_sign(&m);
	for (n = spoilt ? 1 + read8(&r) % 4 : 0; n > 0; n--)
		spoil(&m, &r);
	mem_fail_hold(false);
	for (n = 0; n < 64 && !reader_end(&r); n++) {
		struct name_buf q = model_nth("*abc", read8(&r) % 84, name_of(&m.zone));
		uint16_t type = types[read8(&r) % 6];
		uint64_t subset = (uint64_t)read32(&r) << 32 | read32(&r);

		if (spoilt) {
			ask_spoilt(&m, name_of(&q), type, false, subset);
			ask_spoilt(&m, name_of(&q), type, true, subset);
			continue;
		}
		model_check(&m, name_of(&q), type, false, subset, subset == 0);
		model_check(&m, name_of(&q), type, true, subset, subset == 0);
	}
	return 0;
}
