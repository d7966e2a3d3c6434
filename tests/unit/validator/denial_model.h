/*
 * denial_model.h: a small zone as a plain list of names, what it says about every question, found by looking at the list, and its complete NSEC and NSEC3
 * chains. Proofs made from any part of the chains are held against the list: none may say what is not so, and the whole chain says all that is so.
 * Shared by a unit test and a fuzz target.
 */
#ifndef TESTS_UNIT_VALIDATOR_DENIAL_MODEL_H
#define TESTS_UNIT_VALIDATOR_DENIAL_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "validator/denial.h"
#include "validator/nsec3.h"

#define MODEL_NODES 64
#define MODEL_NAMES 39 /* all names of one to three labels of { *, a, b } */

enum { M_A = 1, M_CNAME = 2, M_NS = 4, M_DS = 8, M_DNAME = 16, M_SOA = 32 };
enum model_truth { TRUTH_DATA, TRUTH_ELSEWHERE, TRUTH_NODATA, TRUTH_NO_DS, TRUTH_NXDOMAIN, TRUTH_WILDCARD_NODATA };

struct model_node {
	struct name_buf name;
	unsigned int types;
	uint8_t hash[NSEC3_HASH_OCTETS];
};

struct model {
	struct name_buf zone;
	struct model_node node[MODEL_NODES]; /* names with RRsets of the zone and cuts, the apex first */
	size_t n;
	bool opt_out;
	unsigned int iterations;
	const struct rrset *nsec[MODEL_NODES * 4];
	size_t nsecs;
	const struct rrset *nsec3[MODEL_NODES * 4];
	size_t nsec3s;
	struct name_buf hashed[MODEL_NODES * 4]; /* the names that have an NSEC3 */
	struct arena *arena;
	struct nsec3_hasher *hasher;
	unsigned int proofs; /* asked so far */
};

static inline struct name_buf model_name(const char *text)
{
	struct name_buf b;

	if (!OK(name_from_text(text, NULL, &b)))
		abort();
	return b;
}

/* The i-th of MODEL_NAMES (labels drawn from the alphabet), or of as many as the alphabet gives. */
static inline struct name_buf model_nth(const char *alphabet, unsigned int i, struct name zone)
{
	unsigned int k = (unsigned int)strlen(alphabet);
	unsigned int labels = 1;
	unsigned int count = k;
	uint8_t wire[16];
	struct name_buf out;
	size_t at = 0;

	while (i >= count) {
		i -= count;
		count *= k;
		labels++;
	}
	for (unsigned int l = 0; l < labels; l++) {
		wire[at++] = 1;
		wire[at++] = (uint8_t)alphabet[i % k];
		i /= k;
	}
	wire[at++] = 0;
	if (!OK(name_concat((struct name){ wire, (uint8_t)at, (uint8_t)labels }, labels, zone, &out)))
		abort();
	return out;
}

static inline struct model_node *model_find(struct model *m, struct name name)
{
	for (size_t i = 0; i < m->n; i++) {
		if (name_equal(name_of(&m->node[i].name), name))
			return &m->node[i];
	}
	return NULL;
}
/* Has RRsets or is above a name that has. */
static inline bool model_exists(const struct model *m, struct name name)
{
	for (size_t i = 0; i < m->n; i++) {
		if (name_is_under(name_of(&m->node[i].name), name))
			return true;
	}
	return false;
}
/* Below a cut or a DNAME. */
static inline bool model_is_beyond(struct model *m, struct name name)
{
	for (unsigned int l = 1; l + m->zone.labels <= name.labels; l++) {
		const struct model_node *up = model_find(m, name_strip(name, l));

		if (up != NULL && ((up->types & M_DNAME) != 0 || ((up->types & M_NS) != 0 && (up->types & M_SOA) == 0)))
			return true;
	}
	return false;
}

static inline bool model_has(unsigned int types, uint16_t type)
{
	unsigned int bit = type == RR_A ? M_A : type == RR_CNAME ? M_CNAME : type == RR_NS ? M_NS : type == RR_DS ? M_DS
	    : type == RR_DNAME ? M_DNAME : type == RR_SOA ? M_SOA : 0;

	return (types & bit) != 0 || (types & M_CNAME) != 0;
}

static inline struct name_buf model_wildcard(struct name up)
{
	static const uint8_t star[] = { 1, '*', 0 };
	struct name_buf b;

	if (!OK(name_concat((struct name){ star, 3, 1 }, 1, up, &b)))
		abort();
	return b;
}

static inline enum model_truth model_ask(struct model *m, struct name name, uint16_t type)
{
	const struct model_node *x = model_find(m, name);
	struct name up = name;
	struct name_buf wildcard;

	if (model_is_beyond(m, name))
		return TRUTH_ELSEWHERE;
	if (x != NULL) {
		if ((x->types & M_NS) != 0 && (x->types & M_SOA) == 0)
			return type != RR_DS ? TRUTH_ELSEWHERE : (x->types & M_DS) != 0 ? TRUTH_DATA : TRUTH_NO_DS;
		if (type == RR_DS && (x->types & M_SOA) != 0)
			return TRUTH_ELSEWHERE;
		return model_has(x->types, type) ? TRUTH_DATA : TRUTH_NODATA;
	}
	if (model_exists(m, name))
		return TRUTH_NODATA;
	while (!model_exists(m, up))
		up = name_parent(up);
	wildcard = model_wildcard(up);
	if (!model_exists(m, name_of(&wildcard)))
		return TRUTH_NXDOMAIN;
	x = model_find(m, name_of(&wildcard));
	return x != NULL && model_has(x->types, type) ? TRUTH_DATA : TRUTH_WILDCARD_NODATA;
}

static inline void model_bitmap(struct writer *w, unsigned int types, bool nsec, bool empty)
{
	static const struct { unsigned int bit; uint16_t type; } map[] = { { M_A, RR_A }, { M_CNAME, RR_CNAME }, { M_NS, RR_NS }, { M_DS, RR_DS },
		{ M_DNAME, RR_DNAME }, { M_SOA, RR_SOA } };
	uint8_t bits[7] = { 0 };

	if (empty)
		return;
	for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
		if ((types & map[i].bit) != 0)
			bits[map[i].type / 8] |= (uint8_t)(0x80 >> (map[i].type & 7));
	}
	bits[RR_RRSIG / 8] |= 0x80 >> (RR_RRSIG & 7);
	if (nsec)
		bits[RR_NSEC / 8] |= 0x80 >> (RR_NSEC & 7);
	write8(w, 0);
	write8(w, sizeof bits);
	write_octets(w, bits, sizeof bits);
}

static inline const struct rrset *model_set(struct model *m, struct name owner, uint16_t type, const struct writer *w)
{
	struct span rdata = writer_done(w);
	struct rrset *rs = rrset_make_in(m->arena, owner, type, CLASS_IN, 300, &rdata, 1, 0);

	if (rs == NULL)
		abort();
	rs->security = SECURITY_SECURE;
	return rs;
}

static inline int model_by_name(const void *a, const void *b)
{
	const struct model_node *x = a;
	const struct model_node *y = b;

	return name_compare(name_of(&x->name), name_of(&y->name));
}
static inline int model_by_hash(const void *a, const void *b)
{
	return memcmp(((const struct model_node *)a)->hash, ((const struct model_node *)b)->hash, NSEC3_HASH_OCTETS);
}

static inline struct name_buf model_hashed_owner(const uint8_t *hash, struct name zone)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint8_t wire[34] = { 32 };
	struct name_buf b;

	for (unsigned int i = 0; i < 32; i++) {
		unsigned int v = 0;

		for (unsigned int bit = i * 5; bit < i * 5 + 5; bit++)
			v = v << 1 | (hash[bit / 8] >> (7 - bit % 8) & 1u);
		wire[1 + i] = (uint8_t)digits[v];
	}
	if (!OK(name_concat((struct name){ wire, sizeof wire, 1 }, 1, zone, &b)))
		abort();
	return b;
}

static inline void model_add(struct model *m, struct name name, unsigned int types)
{
	struct model_node *x = &m->node[m->n];

	if (m->n == MODEL_NODES)
		abort();
	name_copy(&x->name, name);
	x->types = types;
	m->n++;
}

static inline void model_init(struct model *m, struct arena *a, struct nsec3_hasher *h)
{
	*m = (struct model){ .zone = model_name("z."), .arena = a, .hasher = h };
	model_add(m, name_of(&m->zone), M_SOA | M_NS);
}

/* Both chains of what was added. Names beyond cuts and DNAMEs go; so do cuts and DNAMEs at wildcards, which mean nothing (RFC 4592 section 4). */
static inline void model_sign(struct model *m)
{
	static struct model_node all[MODEL_NODES * 4];
	size_t n = 0;
	uint8_t room[600];

	for (size_t i = 0; i < m->n;) {
		struct name name = name_of(&m->node[i].name);

		if (model_is_beyond(m, name) || (name_is_wildcard(name) && (m->node[i].types & (M_NS | M_DNAME)) != 0)) {
			m->node[i] = m->node[--m->n];
			i = 0;
		} else {
			i++;
		}
	}
	qsort(m->node, m->n, sizeof *m->node, model_by_name);
	for (size_t i = 0; i < m->n; i++) {
		struct writer w = writer_of(room, sizeof room);
		struct name next = name_of(&m->node[(i + 1) % m->n].name);

		write_octets(&w, next.wire, next.len);
		model_bitmap(&w, m->node[i].types, true, false);
		m->nsec[m->nsecs++] = model_set(m, name_of(&m->node[i].name), RR_NSEC, &w);
	}
	for (size_t i = 0; i < m->n; i++) {
		struct name name = name_of(&m->node[i].name);

		if (m->opt_out && (m->node[i].types & (M_NS | M_DS | M_SOA)) == M_NS)
			continue;
		for (; name.labels >= m->zone.labels; name = name_parent(name)) { /* with its empty non-terminals */
			bool seen = false;

			for (size_t k = 0; k < n; k++)
				seen = seen || name_equal(name_of(&all[k].name), name);
			if (!seen) {
				const struct model_node *x = model_find(m, name);

				name_copy(&all[n].name, name);
				all[n].types = x != NULL ? x->types : 0;
				if (!OK(nsec3_hash(m->hasher, name, span_of("ab", 2), m->iterations, all[n].hash)))
					abort();
				n++;
			}
			if (name.labels == 0)
				break;
		}
	}
	qsort(all, n, sizeof *all, model_by_hash);
	for (size_t i = 0; i < n; i++) {
		struct writer w = writer_of(room, sizeof room);
		struct name_buf owner = model_hashed_owner(all[i].hash, name_of(&m->zone));

		write8(&w, 1);
		write8(&w, m->opt_out);
		write16(&w, (uint16_t)m->iterations);
		write8(&w, 2);
		write_octets(&w, "ab", 2);
		write8(&w, NSEC3_HASH_OCTETS);
		write_octets(&w, all[(i + 1) % n].hash, NSEC3_HASH_OCTETS);
		model_bitmap(&w, all[i].types, false, all[i].types == 0);
		m->hashed[m->nsec3s] = all[i].name;
		m->nsec3[m->nsec3s++] = model_set(m, name_of(&owner), RR_NSEC3, &w);
	}
}

static inline const char *model_fault(const struct denial_verdict *v, enum model_truth t)
{
	switch (v->what) {
	case DENIAL_NOT_PROVEN:
		return NULL;
	case DENIAL_PROVEN_NXDOMAIN:
		return t == TRUTH_NXDOMAIN ? NULL : "no such name";
	case DENIAL_PROVEN_NODATA:
		return t == TRUTH_NODATA ? NULL : "no such type";
	case DENIAL_WILDCARD_NODATA:
		return t == TRUTH_WILDCARD_NODATA ? NULL : "no such type at the wildcard";
	case DENIAL_NO_DS_INSECURE:
		return t == TRUTH_NO_DS ? NULL : "no DS";
	default:
		return "a verdict that is none";
	}
}

/* Opt-out speaks only of names that have no NSEC3, below the longest ancestor that has one. */
static inline bool model_opt_out_holds(const struct model *m, struct name name, unsigned int closest)
{
	unsigned int longest = 0;

	for (size_t i = 0; i < m->nsec3s; i++) {
		if (name_is_under(name, name_of(&m->hashed[i])) && m->hashed[i].labels > longest)
			longest = m->hashed[i].labels;
	}
	return m->opt_out && longest < name.labels && closest == longest;
}

static inline void model_die(const struct model *m, struct name name, uint16_t type, const char *what, const struct denial_verdict *v, bool nsec3)
{
	char text[NAME_TEXT];

	for (size_t i = 0; i < m->n; i++)
		fprintf(stderr, "  %s types %#x\n", name_to_text(name_of(&m->node[i].name), text), m->node[i].types);
	fprintf(stderr, "%s type %u, %s%s: %s; said: %s (%s)\n", name_to_text(name, text), type, nsec3 ? "NSEC3" : "NSEC", m->opt_out ? " opt-out" : "",
	    what, denial_text(v->what), v->text);
	abort();
}

/* Takes those records of a chain whose bit is set (bit i % 64 of subset), and holds what they say against the zone. whole: they must say everything. */
static inline void model_check(struct model *m, struct name name, uint16_t type, bool nsec3, uint64_t subset, bool whole)
{
	const struct rrset *const *chain = nsec3 ? m->nsec3 : m->nsec;
	size_t n = nsec3 ? m->nsec3s : m->nsecs;
	const struct rrset *sets[MODEL_NODES * 4];
	enum model_truth truth = model_ask(m, name, type);
	struct work work = { 1000000 };
	struct denial_proof p = { .zone = name_of(&m->zone), .sets = sets, .limits = { .iterations = 50 }, .hasher = m->hasher, .work = &work, .arena = m->arena };
	struct denial_verdict v;
	const char *fault;

	for (size_t i = 0; i < n; i++) {
		if (whole || (subset >> (i % 64) & 1) != 0)
			sets[p.n++] = chain[i];
	}
	v = denial_prove(&p, name, type);
	m->proofs++;
	if (v.what == DENIAL_FAILED && mem_failed())
		return;
	if (v.what == DENIAL_INSECURE_OPTOUT) {
		if (!nsec3 || !model_opt_out_holds(m, name, v.closest))
			model_die(m, name, type, "opt-out where there is none", &v, nsec3);
		return;
	}
	fault = model_fault(&v, truth);
	if (fault != NULL)
		model_die(m, name, type, "a false proof", &v, nsec3);
	if (whole && v.what == DENIAL_NOT_PROVEN && truth != TRUTH_DATA && truth != TRUTH_ELSEWHERE)
		model_die(m, name, type, "the whole chain does not prove what is so", &v, nsec3);
	for (unsigned int labels = m->zone.labels; labels < name.labels; labels++) {
		struct name up = name_suffix(name, labels);
		struct name_buf wildcard = model_wildcard(up);
		bool closest = !model_exists(m, name_suffix(name, labels + 1));

		if (model_find(m, name_of(&wildcard)) == NULL)
			continue; /* then there is no such signature */
		v = denial_prove_expansion(&p, name, labels);
		m->proofs++;
		if (v.what == DENIAL_FAILED && mem_failed())
			return;
		if (v.what == DENIAL_WILDCARD_ANSWER && !closest)
			model_die(m, name, type, "a false expansion", &v, nsec3);
		if (whole && closest && v.what != DENIAL_WILDCARD_ANSWER && !(nsec3 && m->opt_out && v.what == DENIAL_INSECURE_OPTOUT))
			model_die(m, name, type, "an expansion that is right is not proven", &v, nsec3);
	}
}

#endif
