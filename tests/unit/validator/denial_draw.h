/*
 * denial_draw.h: any NSEC and NSEC3 records, made from octets (no zone need ever have had them), and questions; the validator's verdicts are held against obvious_denial.h.
 * Shared by a unit test, which draws the octets, and a fuzz target.
 */
#ifndef TESTS_UNIT_VALIDATOR_DENIAL_DRAW_H
#define TESTS_UNIT_VALIDATOR_DENIAL_DRAW_H

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "tests/unit/validator/obvious_denial.h"
#include "validator/nsec3.h"

#define DRAW_SETS 10u
#define DRAW_ITERATIONS 3u
static const struct denial_limits draw_limits = { .iterations = DRAW_ITERATIONS, .iterations_checked = DRAW_ITERATIONS + 1 };

struct draw {
	struct arena *arena;
	struct nsec3_hasher *hasher;
	struct reader in;
	struct name_buf zone;
	const struct rrset *sets[DRAW_SETS];
	size_t n;
	unsigned int proven[16]; /* verdicts by kind, over all questions */
	unsigned int asked;
};

static inline struct name_buf draw_name(struct draw *d)
{
	static const char *const tops[] = { "Z.", "Z.", "Z.", "z.", "y.z.", ".", "zz.", "a.Z." };
	static const char letters[] = "aAbB*-\0z";
	unsigned int c = read8(&d->in), labels = c & 3;
	uint8_t wire[16];
	struct writer w = writer_of(wire, sizeof wire);
	struct name_buf top, b;

	for (unsigned int i = 0; i < labels; i++) {
		write8(&w, 1);
		write8(&w, (uint8_t)letters[read8(&d->in) % (sizeof letters - 1)]);
	}
	write8(&w, 0);
	if (!OK(name_from_text((c & 0xe0) == 0xe0 ? tops[c >> 2 & 7] : "z.", NULL, &top)) ||
	    !OK(name_concat((struct name){ wire, (uint8_t)w.pos, (uint8_t)labels }, labels, name_of(&top), &b)))
		abort();
	return b;
}

static inline void draw_types(struct draw *d, struct writer *w)
{
	static const uint16_t types[] = { RR_A, RR_NS, RR_SOA, RR_CNAME, RR_DS, 39, RR_RRSIG, RR_NSEC, 128, RR_TXT };
	uint8_t map[17] = { 0 };
	uint32_t c = read16(&d->in);

	if ((c & 0xf000) == 0xf000) { /* any octets */
		write_span(w, read_span(&d->in, c & 15));
		return;
	}
	for (unsigned int i = 0; i < 10; i++) /* half of them seldom: what has all denies nothing */
		if ((c >> i & 1) != 0 && ((c & 0x400) == 0 || i < 3 || i > 5))
			map[types[i] / 8] |= (uint8_t)(0x80 >> types[i] % 8);
	write8(w, 0);
	write8(w, sizeof map);
	write_octets(w, map, sizeof map);
}

/* The hash of a name, or one more or less than it, or any. */
static inline void draw_hash(struct draw *d, unsigned int iterations, struct span salt, uint8_t hash[20])
{
	struct name_buf n = draw_name(d);
	unsigned int c = read8(&d->in);
	char text[33];

	obvious_nsec3_label(name_of(&n), salt, iterations, hash, text);
	if ((c & 3) == 1)
		hash[19] = (uint8_t)(hash[19] + (c & 4) - 2);
	else if ((c & 3) == 2)
		memset(hash, (int)c, 20);
	else if ((c & 3) == 3)
		hash[0] = (uint8_t)(hash[0] + (c >> 2));
}

static inline struct rrset *draw_set(struct draw *d)
{
	static const uint8_t digits[] = "0123456789abcdefghijklmnopqrstuv0123456789ABCDEFGHIJKLMNOPQRSTUVw";
	unsigned int c = read8(&d->in), iterations = (c & 0x30) == 0x30 ? read8(&d->in) % (DRAW_ITERATIONS + 3) : 1;
	struct span salt = span_of("salt", (c & 0xc0) == 0xc0 ? read8(&d->in) % 5u : 2);
	uint8_t room[400], sig[64] = { 0, 47, 8 }, hash[20], label[34] = { 32 };
	struct name_buf owner = d->zone, next;
	struct writer w = writer_of(room, sizeof room), sw = writer_of(sig, sizeof sig);
	struct span items[2];
	struct rrset *rs;
	bool nsec3 = (c & 1) != 0;

	if (nsec3) {
		unsigned int how = read8(&d->in);

		draw_hash(d, iterations, salt, hash);
		for (unsigned int i = 0; i < 32; i++) {
			unsigned int v = 0;

			for (unsigned int bit = i * 5; bit < i * 5 + 5; bit++)
				v = v << 1 | (hash[bit / 8] >> (7 - bit % 8) & 1u);
			label[1 + i] = digits[v + ((how & 1) != 0 ? 32u : 0u)];
		}
		if ((how & 0xf0) == 0xf0)
			label[1 + how % 16 * 2] = how % 2 != 0 ? 'w' : '/';
		if ((how & 0xf0) == 0xe0)
			owner = draw_name(d);
		if (!OK(name_concat((struct name){ label, 34, 1 }, 1, name_of(&owner), &owner)))
			abort();
		write8(&w, (how & 0xf2) == 0xd2 ? 2 : 1);
		write8(&w, (how & 0xf2) == 0xc2 ? 2 : how >> 1 & 1);
		write16(&w, (uint16_t)iterations);
		write8(&w, (uint8_t)salt.n);
		write_span(&w, salt);
		draw_hash(d, iterations, salt, hash);
		write8(&w, 20);
		write_octets(&w, hash, 20);
	} else {
		owner = draw_name(d);
		next = draw_name(d);
		write_octets(&w, next.b, next.len);
	}
	draw_types(d, &w);
	items[0] = writer_done(&w);
	if ((c & 8) != 0) { /* with a signature: of the zone or not, with as many labels or not */
		unsigned int s = read8(&d->in);
		struct name_buf signer = (s & 0xf0) == 0xf0 ? draw_name(d) : d->zone;

		sig[1] = nsec3 ? 50 : 47;
		sig[3] = (uint8_t)(owner.labels - (name_is_wildcard(name_of(&owner)) ? 1u : 0u) - ((s & 15) == 15));
		sw.pos = 18;
		write_octets(&sw, signer.b, signer.len);
		write8(&sw, 1);
		items[1] = writer_done(&sw);
	}
	rs = rrset_make_in(d->arena, name_of(&owner), nsec3 ? RR_NSEC3 : RR_NSEC, CLASS_IN, 300, items, 1, (c & 8) != 0);
	if (rs == NULL)
		abort();
	rs->security = (c & 0x36) == 0x36 ? SECURITY_INSECURE : SECURITY_SECURE;
	return rs;
}

static inline void draw_die(struct draw *d, struct name name, uint16_t type, const struct denial_verdict *v, unsigned int may, const char *what)
{
	char text[NAME_TEXT];

	for (size_t i = 0; i < d->n; i++) {
		struct span s = rrset_rdata(d->sets[i], 0);

		fprintf(stderr, "%s %s", name_to_text(rrset_name(d->sets[i]), text), d->sets[i]->type == RR_NSEC ? "NSEC" : "NSEC3");
		for (size_t k = 0; k < s.n; k++)
			fprintf(stderr, " %02x", s.p[k]);
		fprintf(stderr, "\n");
	}
	fprintf(stderr, "%s type %u: %s: said %s (%s), may say %#x\n", name_to_text(name, text), type, what, denial_text(v->what), v->text, may);
	abort();
}

static inline void draw_compare(struct draw *d, struct name name, uint16_t type, const struct denial_verdict *v, const struct obvious_denial *o)
{
	if (v->what == DENIAL_FAILED && mem_failed())
		return;
	d->asked++;
	d->proven[v->what & 15]++;
	if (v->what != DENIAL_NOT_PROVEN && (o->may & 1u << v->what) == 0)
		draw_die(d, name, type, v, o->may, "said without proof");
	if (v->what == DENIAL_NOT_PROVEN && o->may != 0 && !o->contradict)
		draw_die(d, name, type, v, o->may, "not seen to be proven");
}

static inline void draw_ask(struct draw *d, struct name name, uint16_t type)
{
	struct work work = { 10000000 };
	struct denial_proof p = { .zone = name_of(&d->zone), .sets = d->sets, .n = d->n, .limits = draw_limits, .hasher = d->hasher, .work = &work,
		.arena = d->arena };
	struct denial_verdict v = denial_prove(&p, name, type);
	struct obvious_denial o = obvious_denial(d->sets, d->n, name_of(&d->zone), name, type, &draw_limits);

	draw_compare(d, name, type, &v, &o);
	for (unsigned int labels = 0; labels <= name.labels; labels++) {
		v = denial_prove_expansion(&p, name, labels);
		o = obvious_expansion(d->sets, d->n, name_of(&d->zone), name, labels, &draw_limits);
		draw_compare(d, name, type, &v, &o);
	}
}

static inline void draw_run(struct draw *d, struct arena *a, struct nsec3_hasher *h, struct span octets)
{
	static const uint16_t types[] = { RR_A, RR_DS, RR_TXT, RR_NS, RR_ANY, RR_CNAME, RR_SOA, 39 };
	unsigned int c;

	d->arena = a;
	d->hasher = h;
	d->in = reader_of(octets);
	c = read8(&d->in);
	if (!OK(name_from_text((c & 0x70) == 0x70 ? "." : "z.", NULL, &d->zone)))
		abort();
	mem_fail_hold(true); /* but for the validator's */
	for (d->n = 0; d->n < 1 + c % DRAW_SETS; d->n++)
		d->sets[d->n] = draw_set(d);
	mem_fail_hold(false);
	for (unsigned int i = 0; i < 12 && (i == 0 || !reader_end(&d->in)); i++) {
		struct name_buf name = draw_name(d);

		draw_ask(d, name_of(&name), types[read8(&d->in) % 8]);
	}
}

#endif
