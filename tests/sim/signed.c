/* signed.c: which zones of a world are signed, what is wrong with them, and the signatures and proofs that servers give. */
#include "tests/sim/signed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/libcrypto.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "validator/algorithm.h"

#define DAY 86400
#define ITERATIONS_FOLLOWED 50u /* val-nsec3-keysize-iterations */
#define FLAG_ZONE 256u
#define FLAG_SEP 257u

struct made_signature {
	struct made_signature *next ARENA_FIELD;
	uint8_t of[32]; /* what was signed, and by which key */
	struct span rrsig;
};

static void *get(struct arena *a, size_t n) IN_ARENA;
static void *get(struct arena *a, size_t n)
{
	void *p = arena_alloc(a, n);

	if (p == NULL)
		abort();
	return p;
}

/* ---- which zones ---------------------------------------------------------------------------------------------------------------------------- */

static bool chance(struct rng *g, uint32_t in_million)
{
	return rng_below(g, 1000000) < in_million;
}

static void add_key(struct world *w, struct model_zone *z, struct rng *g, uint8_t algorithm, uint16_t flags)
{
	struct zone_signing *x = z->signing;
	unsigned int i = x->key_count++;
	struct span rdata;
	bool again;

	do {
		again = false;
		x->keys[i] = (struct sign_key){ algorithm, (uint8_t)rng_below(g, SIGN_KEYS) };
		for (unsigned int k = 0; k < i; k++)
			again |= x->keys[k].algorithm == algorithm && x->keys[k].number == x->keys[i].number;
	} while (again);
	x->flags[i] = flags;
	rdata = sign_dnskey(w->arena, x->keys[i], flags);
	x->tags[i] = sign_tag(rdata);
	model_add(w, z, z->apex, RR_DNSKEY, 3600, rdata);
}

static uint8_t draw_algorithm(struct rng *g)
{
	static const uint8_t all[] = { ALG_RSASHA256, ALG_RSASHA256, ALG_RSASHA256, ALG_RSASHA256, ALG_RSASHA1_NSEC3, ALG_ED25519 };

	return all[rng_below(g, sizeof all)];
}

static void set_denial(struct world *w, struct model_zone *z, enum denial_kind denial, unsigned int iterations, bool salt)
{
	struct zone_signing *x = z->signing;
	uint8_t rdata[5 + 8] = { 1, 0 };

	x->denial = denial;
	if (denial == BY_NSEC)
		return;
	x->iterations = iterations;
	x->salt = span_of(arena_dup(w->arena, "\xaa\xbb\xcc\xdd", 4), salt ? 4 : 0);
	store16(rdata + 2, (uint16_t)x->iterations);
	rdata[4] = (uint8_t)x->salt.n;
	memcpy(rdata + 5, x->salt.p, x->salt.n);
	model_add(w, z, z->apex, RR_NSEC3PARAM, 0, span_of(arena_dup(w->arena, rdata, 5 + x->salt.n), 5 + x->salt.n));
}

static void draw_denial(struct world *w, struct model_zone *z, struct rng *g)
{
	static const unsigned int iterations[] = { 0, 0, 0, 1, 10, 50, 51, 500 };
	enum denial_kind denial = (enum denial_kind)rng_below(g, 3);
	unsigned int n = denial == BY_NSEC ? 0 : iterations[rng_below(g, 8)];

	set_denial(w, z, denial, n, denial != BY_NSEC && rng_below(g, 2) != 0);
}

/* Its keys: one for all, or one for the keys and one for the rest; of one algorithm, or of two. */
static void make_keys(struct world *w, struct model_zone *z, struct rng *g, uint8_t algorithm, bool two, bool one_key)
{
	z->signing = get(w->arena, sizeof *z->signing);
	for (unsigned int i = 0; i <= two; i++) {
		add_key(w, z, g, algorithm, FLAG_SEP);
		if (!one_key)
			add_key(w, z, g, algorithm, FLAG_ZONE);
		algorithm = algorithm == ALG_ED25519 ? ALG_RSASHA256 : ALG_ED25519;
	}
}

static void sign_zone(struct world *w, struct model_zone *z, struct rng *g)
{
	uint8_t algorithm = draw_algorithm(g);
	bool two = chance(g, 100000), one_key = chance(g, 300000);

	make_keys(w, z, g, algorithm, two, one_key);
	draw_denial(w, z, g);
}

/* The DS RRs at the parent: of all keys that sign keys. What is not followed is there beside them or alone. */
static void add_ds(struct world *w, struct model_zone *z, struct rng *g, bool unknown)
{
	static const uint8_t digests[] = { 2, 2, 2, 4, 1 };
	struct zone_signing *x = z->signing;

	for (unsigned int i = 0; i < x->key_count; i++) {
		struct span key = sign_dnskey(w->arena, x->keys[i], x->flags[i]), ds;
		uint8_t *changed;

		if (x->flags[i] != FLAG_SEP)
			continue;
		ds = sign_ds(w->arena, z->apex, key, unknown ? 200 : digests[rng_below(g, sizeof digests)]);
		changed = arena_dup(w->arena, ds.p, ds.n);
		if (x->fault == FAULT_DS)
			changed[ds.n - 1] ^= 1;
		model_add(w, z->parent, z->apex, RR_DS, 3600, span_of(changed, ds.n));
	}
}

/* With a DS, but without a key. */
static void add_dead_ds(struct world *w, struct model_zone *z)
{
	struct span key = sign_dnskey(w->arena, (struct sign_key){ ALG_RSASHA256, 0 }, FLAG_SEP);

	model_add(w, z->parent, z->apex, RR_DS, 3600, sign_ds(w->arena, z->apex, key, 2));
}

static void draw_zone(struct world *w, struct model_zone *z, struct rng *g)
{
	bool top = z->parent == w->root, unknown;
	enum zone_fault fault = chance(g, top ? 20000 : 100000) ? (enum zone_fault)(1 + rng_below(g, FAULTS - 1)) : FAULT_NONE;
	bool ds = chance(g, 850000);

	z->security = z->parent->security;
	if (fault == FAULT_UNSIGNED) {
		if (z->security != WORLD_SECURE)
			return;
		add_dead_ds(w, z);
		z->security = WORLD_BOGUS;
		return;
	}
	if (chance(g, 200000)) {
		if (z->security == WORLD_SECURE)
			z->security = WORLD_INSECURE;
		return;
	}
	sign_zone(w, z, g);
	z->signing->fault = fault;
	unknown = chance(g, 40000);
	if (ds)
		add_ds(w, z, g, unknown);
	if (z->security == WORLD_SECURE && (!ds || unknown))
		z->security = WORLD_INSECURE;
	if (z->security == WORLD_INSECURE && chance(g, 150000)) {
		z->anchored = true;
		z->security = WORLD_SECURE;
	}
	/* An anchor is right where a DS is wrong. */
	if (z->security == WORLD_SECURE && fault != FAULT_NONE && !(z->anchored && fault == FAULT_DS))
		z->security = WORLD_BOGUS;
	if (chance(g, 30000) && z->security != WORLD_INSECURE && !z->anchored) {
		z->switched_off = true;
		z->security = WORLD_INSECURE;
	}
}

static void draw_temper(struct model_server *v, struct rng *g)
{
	bool bad = v->temper >= REFUSES && v->temper < FORWARDER;

	if (v->root || v->temper == HONEST || v->temper >= FORWARDER || !chance(g, bad ? 600000 : 100000))
		return;
	for (const struct model_serves *x = v->zones; v->temper == EMPTY && x != NULL; x = x->next)
		x->zone->empties--;
	v->temper = (enum temper)(STRIPS + rng_below(g, TEMPERS - STRIPS));
}

/* Forwarders know everything, with its signatures. */
static void tell_forwarders(struct world *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		for (struct model_zone *z = w->zones; z != NULL; z = z->next) {
			struct model_serves *x = get(w->arena, sizeof *x);

			x->zone = z;
			x->next = w->forwarders[i]->zones;
			w->forwarders[i]->zones = x;
		}
	}
}

void world_sign_zone(struct world *w, struct model_zone *z, const struct sign_plan *p)
{
	AUTO(rng_free) struct rng *g = rng_new_seeded(z->apex.len);
	enum world_security above = z->parent == NULL ? WORLD_SECURE : z->parent->security;

	if (g == NULL)
		abort();
	w->is_signed = true;
	z->security = above;
	if (p == NULL || p->fault == FAULT_UNSIGNED) {
		if (p != NULL && above == WORLD_SECURE && z->parent != NULL) {
			add_dead_ds(w, z);
			z->security = WORLD_BOGUS;
		} else if (above == WORLD_SECURE) {
			z->security = WORLD_INSECURE;
		}
		return;
	}
	make_keys(w, z, g, p->algorithm, p->two_algorithms, p->one_key);
	set_denial(w, z, p->denial, p->denial == BY_NSEC ? 0 : p->iterations, p->salt);
	z->signing->fault = p->fault;
	if (z->parent == NULL)
		return;
	if (p->ds)
		add_ds(w, z, g, p->unknown_ds);
	if (above == WORLD_SECURE && (!p->ds || p->unknown_ds))
		z->security = WORLD_INSECURE;
	if (z->security == WORLD_INSECURE && p->anchored) {
		z->anchored = true;
		z->security = WORLD_SECURE;
	}
	if (z->security == WORLD_SECURE && p->fault != FAULT_NONE && !(z->anchored && p->fault == FAULT_DS))
		z->security = WORLD_BOGUS;
	if (p->switched_off && z->security != WORLD_INSECURE && !z->anchored) {
		z->switched_off = true;
		z->security = WORLD_INSECURE;
	}
}

void world_sign_end(struct world *w)
{
	tell_forwarders(w);
}

void world_sign(struct world *w, uint64_t seed, enum plant plant)
{
	AUTO(rng_free) struct rng *g = rng_new_seeded(seed ^ 0x7369676e65640001u);
	struct model_zone **all = get(w->arena, w->zone_count * sizeof *all);
	unsigned int n = w->zone_count;

	if (g == NULL)
		abort();
	w->is_signed = true;
	w->sign_plant = plant;
	for (struct model_zone *z = w->zones; z != NULL; z = z->next)
		all[--n] = z; /* parents first */
	for (unsigned int i = 0; i < w->zone_count; i++) {
		if (all[i] == w->root)
			sign_zone(w, all[i], g);
		else
			draw_zone(w, all[i], g);
	}
	for (struct model_server *v = w->servers; v != NULL; v = v->next)
		draw_temper(v, g);
	tell_forwarders(w);
	for (unsigned int i = 0; i < w->zone_count; i++) {
		if (plant == PLANT_SIGN_INSECURE && all[i]->security == WORLD_SECURE)
			all[i]->security = WORLD_INSECURE;
		if (plant == PLANT_SIGN_BOGUS && all[i]->security == WORLD_SECURE)
			all[i]->security = WORLD_BOGUS;
	}
}

void world_tell_zones(const struct world *w)
{
	static const char *const denials[] = { "NSEC", "NSEC3", "opt-out" }, *const securities[] = { "secure", "insecure", "bogus" };
	static const char *const faults[FAULTS] = { "", ", expired", ", not yet valid", ", wrong DS", ", wrong key", ", corrupt", ", no signatures" };

	for (const struct model_zone *z = w->zones; w->is_signed && z != NULL; z = z->next) {
		char apex[NAME_TEXT];

		fprintf(stderr, "%s %s", name_to_text(z->apex, apex), securities[z->security]);
		if (z->signing != NULL)
			fprintf(stderr, ": algorithm %u, %s, %u iterations%s%s", z->signing->keys[0].algorithm, denials[z->signing->denial],
			    z->signing->iterations, faults[z->signing->fault], z->anchored ? ", anchored" : "");
		fprintf(stderr, "%s\n", z->switched_off ? ", switched off" : "");
	}
}

bool world_is_signed(const struct world *w)
{
	return w->is_signed;
}

static void print_anchor(const struct world *w, const struct model_zone *z, struct strbuf *out)
{
	char apex[NAME_TEXT];

	for (unsigned int i = 0; i < z->signing->key_count; i++) {
		struct span ds;

		if (z->signing->flags[i] != FLAG_SEP)
			continue;
		ds = sign_ds(w->arena, z->apex, sign_dnskey(w->arena, z->signing->keys[i], FLAG_SEP), 2);
		strbuf_printf(out, " trust-anchor: \"%s IN DS %u %u %u ", name_to_text(z->apex, apex), load16(ds.p), ds.p[2], ds.p[3]);
		for (size_t k = 4; k < ds.n; k++)
			strbuf_printf(out, "%02x", ds.p[k]);
		strbuf_puts(out, "\"\n");
	}
}

void world_trust(const struct world *w, struct strbuf *out)
{
	char apex[NAME_TEXT];

	for (const struct model_zone *z = w->zones; z != NULL; z = z->next) {
		if (w->is_signed && (z == w->root || z->anchored))
			print_anchor(w, z, out);
		if (z->switched_off)
			strbuf_printf(out, " domain-insecure: \"%s\"\n", name_to_text(z->apex, apex));
	}
}

bool zone_is_watched(const struct model_zone *z)
{
	return z->signing != NULL && z->security == WORLD_SECURE && z->signing->iterations <= ITERATIONS_FOLLOWED;
}

bool zone_denies_weakly(const struct model_zone *z, struct name name, bool absent)
{
	bool is_cut = false, has_ds = false;

	if (z->signing == NULL)
		return false;
	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
		if (name_equal(m->rr.owner, name) && !name_equal(name, z->apex)) {
			is_cut |= m->rr.type == RR_NS;
			has_ds |= m->rr.type == RR_DS;
		}
	}
	return z->signing->iterations > ITERATIONS_FOLLOWED || (z->signing->denial == BY_OPT_OUT && (absent || (is_cut && !has_ds)));
}

/* ---- signatures ----------------------------------------------------------------------------------------------------------------------------- */

static struct span signature(struct world *w, const struct sign_how *how, const struct rrset *rs, struct arena *a, struct name source)
{
	size_t head;
	struct span data = sign_data(a, how, rs, source, &head);
	struct made_signature *m, **at;
	uint8_t of[32];

	if (EVP_Q_digest(NULL, "SHA256", NULL, data.p, data.n, of, NULL) <= 0)
		abort();
	of[31] ^= how->key.number;
	for (at = &w->made[load16(of) % 512]; *at != NULL; at = &(*at)->next) {
		if (memcmp((*at)->of, of, sizeof of) == 0)
			return (*at)->rrsig;
	}
	m = get(w->arena, sizeof *m);
	memcpy(m->of, of, sizeof of);
	m->rrsig = sign_rrsig(w->arena, how->key, data, head);
	*at = m;
	return m->rrsig;
}

/* RFC 4035 section 2.2: neither what belongs to zones below, nor the NS RRs that lead there. */
static bool is_signed_there(const struct model_zone *z, const struct rrset *rs)
{
	struct name cut;

	return !model_cut(z, rrset_name(rs), rs->type == RR_NSEC ? RR_DS : rs->type, &cut);
}

/* The DNSKEY set by the keys that the parent names, all else by the others, if there are others; by each algorithm. */
static bool key_signs(const struct zone_signing *x, unsigned int i, uint16_t type)
{
	bool others = false;

	for (unsigned int k = 0; k < x->key_count; k++)
		others |= x->flags[k] == FLAG_ZONE;
	return type == RR_DNSKEY || !others ? x->flags[i] == FLAG_SEP : x->flags[i] == FLAG_ZONE;
}

const struct rrset *signed_set(struct model_server *v, struct arena *a, const struct model_zone *z, const struct rrset *rs, struct name source)
{
	const struct zone_signing *x = z->signing;
	int64_t start = sim_wall_sec(v->world->sim) / DAY * DAY;
	struct span *items = arena_alloc_array(a, rs->count + ZONE_KEYS, sizeof *items);
	bool watched = zone_is_watched(z);
	unsigned int n = 0;
	const struct rrset *with;

	if (x == NULL || !is_signed_there(z, rs) || (v->temper == STRIPS && watched))
		return rs;
	if (items == NULL)
		abort();
	for (; n < rs->count; n++)
		items[n] = rrset_rdata(rs, n);
	for (unsigned int i = 0; i < x->key_count; i++) {
		struct sign_how how = { .key = x->keys[i], .tag = x->tags[i], .signer = z->apex, .inception = (uint32_t)(start - 3 * DAY),
			.expiration = (uint32_t)(start + 27 * DAY) };
		struct span sig;

		if (!key_signs(x, i, rs->type))
			continue;
		if (x->fault == FAULT_EXPIRED || (v->temper == OUTDATED && watched)) {
			how.inception -= 41 * DAY;
			how.expiration -= 41 * DAY;
		} else if (x->fault == FAULT_NOT_YET) {
			how.inception += 17 * DAY;
			how.expiration += 17 * DAY;
		} else if (x->fault == FAULT_KEY && rs->type != RR_DNSKEY) {
			how.tag ^= 0x5555;
		}
		sig = signature(v->world, &how, rs, a, source);
		if (x->fault == FAULT_CORRUPT || (v->temper == CORRUPTS && watched)) {
			uint8_t *changed = arena_dup(a, sig.p, sig.n);

			changed[sig.n - 7] ^= 4;
			sig = span_of(changed, sig.n);
		}
		items[n++] = sig;
	}
	with = rrset_make_in(a, rrset_name(rs), rs->type, CLASS_IN, rs->ttl, items, rs->count, n - rs->count);
	if (with == NULL)
		abort();
	return with;
}

/* ---- the names of a zone, as its denials know them ------------------------------------------------------------------------------------------- */

static int by_name(const void *x, const void *y)
{
	const struct zone_name *a = x, *b = y;

	return name_compare(a->owner, b->owner);
}

static int by_hash(const void *x, const void *y)
{
	const struct zone_name *a = x, *b = y;

	return memcmp(a->hash, b->hash, SIGN_HASH);
}

static struct zone_name *name_in(struct zone_signing *x, struct name n) BORROWED;
static struct zone_name *name_in(struct zone_signing *x, struct name n)
{
	for (unsigned int i = 0; i < x->name_count; i++) {
		if (name_equal(x->names[i].owner, n))
			return &x->names[i];
	}
	x->names[x->name_count].owner = n;
	return &x->names[x->name_count++];
}

static void add_type(struct zone_name *n, uint16_t type)
{
	unsigned int at = n->count;

	for (unsigned int i = 0; i < n->count; i++) {
		if (n->types[i] == type)
			return;
	}
	if (n->count == sizeof n->types / sizeof n->types[0])
		abort();
	for (; at > 0 && n->types[at - 1] > type; at--)
		n->types[at] = n->types[at - 1];
	n->types[at] = type;
	n->count++;
}

static bool has_type(const struct zone_name *n, uint16_t type)
{
	for (unsigned int i = 0; i < n->count; i++) {
		if (n->types[i] == type)
			return true;
	}
	return false;
}

static uint32_t soa_minimum(const struct model_zone *z)
{
	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
		if (m->rr.type == RR_SOA)
			return load32(m->rr.rdata.p + m->rr.rdata.n - 4);
	}
	return 0;
}

static void make_names(struct world *w, const struct model_zone *z)
{
	struct zone_signing *x = z->signing;
	unsigned int room = 0, kept = 0;

	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next)
		room += 1u + m->rr.owner.labels - z->apex.labels;
	x->names = get(w->arena, room * sizeof *x->names);
	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
		struct name cut, up = m->rr.owner;
		bool below = model_cut(z, m->rr.owner, RR_DS, &cut);
		struct zone_name *n;

		if (below)
			continue; /* glue */
		n = name_in(x, m->rr.owner);
		add_type(n, m->rr.type);
		n->cut |= m->rr.type == RR_NS && m->rr.owner.labels > z->apex.labels;
		while (x->denial != BY_NSEC && up.labels > z->apex.labels) {
			up = name_parent(up);
			(void)name_in(x, up); /* an empty non-terminal, perhaps */
		}
	}
	for (unsigned int i = 0; i < x->name_count; i++) {
		if (x->denial == BY_OPT_OUT && x->names[i].cut && !has_type(&x->names[i], RR_DS))
			continue;
		x->names[kept] = x->names[i];
		if (x->denial != BY_NSEC)
			sign_nsec3_hash(x->names[kept].owner, x->salt, x->iterations, x->names[kept].hash);
		kept++;
	}
	x->name_count = kept;
	qsort(x->names, kept, sizeof *x->names, x->denial == BY_NSEC ? by_name : by_hash);
	x->denial_ttl = soa_minimum(z);
}

static struct zone_signing *names_of(struct model_server *v, const struct model_zone *z) BORROWED;
static struct zone_signing *names_of(struct model_server *v, const struct model_zone *z)
{
	if (z->signing->names == NULL)
		make_names(v->world, z);
	return z->signing;
}

/* ---- denials -------------------------------------------------------------------------------------------------------------------------------- */

struct prover {
	struct model_server *v BORROWED_FIELD;
	struct arena *a BORROWED_FIELD;
	const struct model_zone *z BORROWED_FIELD;
	struct zone_signing *x BORROWED_FIELD;
	struct proofs *p BORROWED_FIELD;
};

static void give(const struct prover *v, struct name owner, uint16_t type, struct span rdata)
{
	const struct rrset *rs;

	for (unsigned int i = 0; i < v->p->n; i++) {
		if (name_equal(rrset_name(v->p->sets[i]), owner))
			return;
	}
	rs = rrset_make_in(v->a, owner, type, CLASS_IN, v->x->denial_ttl, &rdata, 1, 0);
	if (rs == NULL || v->p->n == MAX_PROOFS)
		abort();
	v->p->sets[v->p->n++] = signed_set(v->v, v->a, v->z, rs, owner);
}

static void give_nsec(const struct prover *v, unsigned int i)
{
	const struct zone_name *n = &v->x->names[i], *next = &v->x->names[(i + 1) % v->x->name_count];
	uint16_t types[20];
	struct span bits;
	uint8_t *d;
	struct zone_name all = *n;

	if (all.count + 2 > sizeof all.types / sizeof all.types[0])
		abort();
	add_type(&all, RR_RRSIG);
	add_type(&all, RR_NSEC);
	memcpy(types, all.types, sizeof all.types);
	bits = sign_bitmap(v->a, types, all.count);
	d = get(v->a, next->owner.len + bits.n);
	octets_lower(d, next->owner.wire, next->owner.len);
	memcpy(d + next->owner.len, bits.p, bits.n);
	give(v, n->owner, RR_NSEC, span_of(d, next->owner.len + bits.n));
}

static void give_nsec3(const struct prover *v, unsigned int i)
{
	struct zone_name n = v->x->names[i];
	const struct zone_name *next = &v->x->names[(i + 1) % v->x->name_count];
	char text[40];
	struct name_buf owner;
	struct span bits;
	struct writer w;
	size_t room;

	/* An unsigned delegation has nothing that is signed, nor has an empty non-terminal. */
	if (n.count > 0 && (!n.cut || has_type(&n, RR_DS)))
		add_type(&n, RR_RRSIG);
	bits = sign_bitmap(v->a, n.types, n.count);
	sign_base32(n.hash, text);
	must(name_from_text(text, &v->z->apex, &owner));
	room = 6 + v->x->salt.n + SIGN_HASH + bits.n;
	w = writer_of(get(v->a, room), room);
	write8(&w, 1);
	write8(&w, v->x->denial == BY_OPT_OUT);
	write16(&w, (uint16_t)v->x->iterations);
	write8(&w, (uint8_t)v->x->salt.n);
	write_span(&w, v->x->salt);
	write8(&w, SIGN_HASH);
	write_octets(&w, next->hash, SIGN_HASH);
	write_span(&w, bits);
	give(v, name_dup_in(v->a, name_of(&owner)), RR_NSEC3, writer_done(&w));
}

/* Where the name is; -1: nowhere. *ret_before: the entry that it would stand behind. */
static int find_name(const struct prover *v, struct name n, unsigned int *ret_before)
{
	struct zone_name key = { .owner = n };
	unsigned int count = v->x->name_count;

	if (v->x->denial != BY_NSEC)
		sign_nsec3_hash(n, v->x->salt, v->x->iterations, key.hash);
	*ret_before = count - 1; /* before the first comes the last */
	for (unsigned int i = 0; i < count; i++) {
		int order = v->x->denial == BY_NSEC ? by_name(&v->x->names[i], &key) : by_hash(&v->x->names[i], &key);

		if (order == 0)
			return (int)i;
		if (order < 0)
			*ret_before = i;
		else
			break;
	}
	return -1;
}

/* The record of the name itself, or the one that covers it. */
static void give_for(const struct prover *v, struct name n)
{
	unsigned int before;
	int at = find_name(v, n, &before);

	if (v->x->denial == BY_NSEC)
		give_nsec(v, at >= 0 ? (unsigned int)at : before);
	else
		give_nsec3(v, at >= 0 ? (unsigned int)at : before);
}

/* The longest ancestor (or the name itself) that has a record of its own, or with NSEC exists: an empty non-terminal has none there. */
static struct name encloser(const struct prover *v, struct name n)
{
	unsigned int unused;

	while (n.labels > v->z->apex.labels) {
		if (v->x->denial != BY_NSEC) {
			if (find_name(v, n, &unused) >= 0)
				return n;
		} else {
			for (unsigned int i = 0; i < v->x->name_count; i++) {
				if (name_is_under(v->x->names[i].owner, n))
					return n;
			}
		}
		n = name_parent(n);
	}
	return n;
}

/* NSEC3: the closest encloser is there and the next closer name is not. */
static struct name give_encloser(const struct prover *v, struct name n)
{
	struct name up = encloser(v, n);

	if (v->x->denial == BY_NSEC) {
		give_for(v, n);
		return up;
	}
	give_for(v, up);
	if (up.labels < n.labels)
		give_for(v, name_suffix(n, up.labels + 1u));
	return up;
}

static bool start(struct prover *s, struct model_server *v, struct arena *a, const struct model_zone *z, struct proofs *p)
{
	*s = (struct prover){ v, a, z, NULL, p };
	if (z->signing == NULL || (zone_is_watched(z) && (v->temper == STRIPS || v->temper == NO_PROOFS)))
		return false;
	s->x = names_of(v, z);
	return true;
}

void prove_nodata(struct model_server *v, struct arena *a, const struct model_zone *z, struct name name, struct name source, struct proofs *p)
{
	struct prover s;
	unsigned int unused;

	if (!start(&s, v, a, z, p))
		return;
	if (!name_equal(name, source)) {
		(void)give_encloser(&s, name);
		give_for(&s, source);
	} else if (s.x->denial == BY_NSEC || find_name(&s, name, &unused) >= 0) {
		give_for(&s, name); /* with NSEC the one that covers an empty non-terminal */
	} else {
		(void)give_encloser(&s, name); /* an unsigned delegation under opt-out */
	}
}

void prove_nxdomain(struct model_server *v, struct arena *a, const struct model_zone *z, struct name name, struct proofs *p)
{
	struct prover s;
	struct name_buf star;
	struct name up;

	if (!start(&s, v, a, z, p))
		return;
	up = give_encloser(&s, name);
	must(name_from_text("*", &up, &star));
	give_for(&s, name_of(&star));
}

void prove_expansion(struct model_server *v, struct arena *a, const struct model_zone *z, struct name name, struct proofs *p)
{
	struct prover s;
	struct name up;

	if (!start(&s, v, a, z, p))
		return;
	if (s.x->denial == BY_NSEC) {
		give_for(&s, name);
		return;
	}
	up = encloser(&s, name);
	give_for(&s, name_suffix(name, up.labels + 1u));
}
