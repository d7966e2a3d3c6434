/*
 * RRSIG, DNSKEY and other rdata of any octets as a set with its signatures and keys: read within bounds, and signed only when the second implementation says so. The mutator changes the
 * set and signs it again with keys of the tests.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "dns/rdata.h"
#include "tests/fuzz/failing.h"
#include "tests/unit/validator/obvious.h"
#include "tests/unit/validator/signer.h"
#include "validator/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

/* As many octets as the next one says, eight times that for large rdata. */
static struct span piece(struct reader *r)
{
	size_t n = read8(r);
	struct span s = read_span(r, n < 200 ? n : (n - 199) * 8);

	return s.p != NULL ? s : span_of("", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(keyset_free) struct keyset *keys = NULL;
	struct reader r = reader_of((struct span){ data, size });
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = { 100, 100, 100 };
	struct work work = { 100000000 };
	struct sig_time t = { read32(&r), SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	struct obvious_time ot = { t.now, SIG_SKEW_MIN, SIG_SKEW_MAX };
	uint16_t type = read16(&r);
	struct span rdata[2], items[8];
	struct name owner, zone;
	struct rrset *dnskeys, *set;
	struct sig_report report;
	size_t n = 0, sigs;

	if (a == NULL || !OK(name_from_wire((struct span){ data + (size - reader_left(&r)), reader_left(&r) }, &owner)))
		return 0;
	read_skip(&r, owner.len);
	zone = name_strip(owner, read8(&r) & 7);
	rdata[0] = piece(&r);
	rdata[1] = piece(&r);
	for (unsigned int i = read8(&r) & 3; i > 0; i--) {
		items[n] = piece(&r);
		n += OK(rdata_check(type, items[n]));
	}
	for (sigs = 0; sigs < 3 && !reader_end(&r); sigs++)
		items[n + sigs] = piece(&r);
	dnskeys = rrset_make_in(a, zone, RR_DNSKEY, CLASS_IN, 60, rdata, 2, 0);
	set = n > 0 ? rrset_make_in(a, owner, type, CLASS_IN, 60, items, n, sigs) : NULL;
	if (dnskeys == NULL || set == NULL || !OK(keyset_make(dnskeys, NULL, &kl, &work, &keys)))
		return 0;
	HOLDS(OK(rrset_verify(set, keys, NULL, NULL, &t, &sl, a, &work, &report)));
	if ((report.verdict == SIG_GOOD) != obvious_is_signed(set, dnskeys, &ot))
		abort();
	return 0;
}

/* --- mutation: what was changed is signed again, so that it gets past the signature; also of AFL++, by its shim (custom_mutators/libfuzzer) */

#define SIGNERS 8
#define MOST_RRS 3u
#define MOST_SIGS 3u

static struct signer *signers[SIGNERS] OWNED_FIELD;

struct input {
	uint32_t now;
	uint16_t type;
	struct name_buf owner;
	uint8_t strip;
	struct span keys[2], rrs[MOST_RRS], sigs[MOST_SIGS];
	size_t rr_count, sig_count;
};

static uint32_t draw(uint64_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return n == 0 ? 0 : (uint32_t)(*state >> 16) % n;
}

static void make_signers(void)
{
	static const struct {
		uint8_t algorithm;
		uint16_t flags;
		unsigned int number;
	} all[SIGNERS] = { { 8, 257, 0 }, { 13, 257, 0 }, { 15, 257, 0 }, { 8, 256, 1 }, { 13, 256, 1 }, { 13, 385, 0 }, { 14, 256, 0 }, { 16, 257, 0 } };

	for (size_t i = 0; i < SIGNERS && signers[i] == NULL; i++)
		signers[i] = signer_new(all[i].algorithm, all[i].flags, all[i].number); /* they last as long as the program */
}

static void input_read(struct span s, struct input *ret)
{
	struct reader r = reader_of(s);
	struct name owner;
	size_t n;

	*ret = (struct input){ .now = read32(&r), .type = read16(&r) };
	if (OK(name_from_wire(span_of(s.p + (s.n - reader_left(&r)), reader_left(&r)), &owner))) {
		name_copy(&ret->owner, owner);
		read_skip(&r, owner.len);
	} else if (!OK(name_from_text("www.example.", NULL, &ret->owner)))
		abort();
	ret->strip = read8(&r) & 7;
	ret->keys[0] = piece(&r);
	ret->keys[1] = piece(&r);
	for (n = read8(&r) & 3; ret->rr_count < n; ret->rr_count++)
		ret->rrs[ret->rr_count] = piece(&r);
	while (ret->sig_count < MOST_SIGS && !reader_end(&r))
		ret->sigs[ret->sig_count++] = piece(&r);
}

static void write_piece(struct writer *w, struct span s)
{
	size_t n = s.n < 200 ? s.n : (s.n + 7) / 8 * 8;

	write8(w, (uint8_t)(n < 200 ? n : 199 + n / 8));
	write_span(w, s);
	for (size_t i = s.n; i < n; i++)
		write8(w, 0);
}

static size_t input_write(const struct input *in, uint8_t *room, size_t max)
{
	struct writer w = writer_of(room, max);

	write32(&w, in->now);
	write16(&w, in->type);
	write_octets(&w, in->owner.b, in->owner.len);
	write8(&w, in->strip);
	write_piece(&w, in->keys[0]);
	write_piece(&w, in->keys[1]);
	write8(&w, (uint8_t)in->rr_count);
	for (size_t i = 0; i < in->rr_count; i++)
		write_piece(&w, in->rrs[i]);
	for (size_t i = 0; i < in->sig_count; i++)
		write_piece(&w, in->sigs[i]);
	return writer_ok(&w) ? writer_done(&w).n : 0;
}

static struct span flipped(struct arena *a, struct span s, uint64_t *dice)
{
	uint8_t *p;

	if (s.n == 0)
		return s;
	p = arena_dup(a, s.p, s.n);
	p[draw(dice, (uint32_t)s.n)] ^= (uint8_t)(draw(dice, 2) == 0 ? 0x20 : 1u << draw(dice, 8));
	return span_of(p, s.n);
}

/* Another form of rdata: as many octets, strings and names as the type may have. */
static void change_rr(struct input *in, struct arena *a, uint64_t *dice)
{
	size_t i = draw(dice, MOST_RRS);

	if (in->rr_count == 0 || (i >= in->rr_count && draw(dice, 2) == 0)) {
		uint8_t *p = arena_alloc(a, 64);
		size_t n = draw(dice, 33);

		for (size_t k = 0; k < n; k++)
			p[k] = (uint8_t)draw(dice, draw(dice, 2) == 0 ? 4 : 256);
		if (in->rr_count == MOST_RRS)
			in->rr_count--;
		in->rrs[in->rr_count++] = draw(dice, 2) == 0 ? span_of(in->owner.b, in->owner.len) : span_of(p, n);
		return;
	}
	i %= in->rr_count;
	if (draw(dice, 4) == 0)
		in->rrs[i] = in->rrs[--in->rr_count];
	else
		in->rrs[i] = flipped(a, in->rrs[i], dice);
}

static void change_owner(struct input *in, uint64_t *dice)
{
	static const struct name first[] = { { (const uint8_t *)"\1*", 3, 1 }, { (const uint8_t *)"\1A", 3, 1 }, { (const uint8_t *)"\2\0z", 4, 1 } };
	struct name owner = name_of(&in->owner);
	struct name_buf made;

	if (draw(dice, 2) == 0 && owner.labels > 0)
		name_copy(&made, name_parent(owner));
	else if (!OK(name_concat(first[draw(dice, 3)], 1, owner, &made)))
		return;
	in->owner = made;
}

static void change(struct input *in, struct arena *a, uint64_t *dice)
{
	static const uint16_t usual[] = { RR_A, RR_NS, RR_CNAME, RR_SOA, RR_PTR, RR_MX, RR_TXT, 28, 33, 35, 39, RR_DS, RR_NSEC, RR_DNSKEY, RR_NSEC3, 64, 65280 };

	switch (draw(dice, 8)) {
	case 0:
		in->now = draw(dice, 4) == 0 ? (uint32_t)(draw(dice, 65536) << 16) : in->now + (uint32_t)draw(dice, 3) - 1;
		break;
	case 1:
		in->type = usual[draw(dice, sizeof usual / sizeof usual[0])];
		break;
	case 2:
		change_owner(in, dice);
		break;
	case 3:
		in->strip = (uint8_t)draw(dice, 4);
		break;
	default:
		change_rr(in, a, dice);
		break;
	}
}

static void sign_again(struct input *in, struct arena *a, uint64_t *dice)
{
	const struct signer *by = signers[draw(dice, SIGNERS)], *beside = signers[draw(dice, SIGNERS)];
	struct name owner = name_of(&in->owner), zone = name_strip(owner, in->strip);
	struct signer_how how = { .zone = zone, .ttl = 60, .labels = -1, .inception = in->now - draw(dice, 7200), .expiration = in->now + draw(dice, 7200) };
	struct span good[MOST_RRS];
	struct rrset *set;
	size_t n = 0;

	for (size_t i = 0; i < in->rr_count; i++)
		if (OK(rdata_check(in->type, in->rrs[i])))
			good[n++] = in->rrs[i];
	set = n > 0 ? rrset_make_in(a, owner, in->type, CLASS_IN, 60, good, n, 0) : NULL;
	if (set == NULL)
		return;
	if (draw(dice, 3) == 0)
		how.labels = (int)draw(dice, owner.labels + 1u - (name_is_wildcard(owner) ? 1u : 0u)); /* more cannot be signed */
	if (draw(dice, 8) == 0)
		how.tag = (uint16_t)draw(dice, 65536);
	in->keys[0] = signer_dnskey(by);
	in->keys[1] = signer_dnskey(beside);
	in->sig_count = 0;
	in->sigs[in->sig_count++] = signer_rrsig_in(a, by, &how, set);
	if (draw(dice, 2) == 0)
		in->sigs[in->sig_count++] = signer_rrsig_in(a, beside, &how, set);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	uint64_t dice = UINT64_C(0x9e3779b97f4a7c15) ^ seed;
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(mem_free) void *copy = mem_dup(data, size);
	struct input in;

	if (a == NULL || copy == NULL)
		abort();
	make_signers();
	input_read(span_of(copy, size), &in);
	for (uint32_t n = 1 + draw(&dice, 4); n > 0; n--)
		change(&in, a, &dice);
	if (draw(&dice, 4) > 0)
		sign_again(&in, a, &dice);
	if (draw(&dice, 3) == 0) { /* and spoilt afterwards */
		if (in.sig_count > 0 && draw(&dice, 2) == 0)
			in.sigs[0] = flipped(a, in.sigs[0], &dice);
		else if (in.rr_count > 0)
			in.rrs[0] = flipped(a, in.rrs[0], &dice);
	}
	return input_write(&in, data, max);
}
