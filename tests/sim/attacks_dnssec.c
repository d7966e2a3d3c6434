/*
 * attacks_dnssec.c: signed zones made to be dear: colliding keys and signatures (CVE-2023-50387), hashes (CVE-2023-50868), padded proofs, keys without end. Counted is what one
 * question costs in units of work (validator/work.h: one is an RSA-2048 verification) and upstream packets, and what other clients notice of it meanwhile. Time is
 * not measured, it is another machine's elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "tests/sim/attacks.h"
#include "tests/sim/sign.h"
#include "validator/algorithm.h"
#include "validator/work.h"

#define DAY 86400
#define KEYS_MOST 500u
#define HITS_EVERY (2 * MS)
#define HITS_MOST 1500u
#define TURN_MOST 140.0 /* units between two hits, 2 ms apart: the work of two turns */

static const struct sign_key first = { ALG_ED25519, 0 }, second = { ALG_ED25519, 1 }; /* the one signs the keys, the other all else */

struct trap {
	const char *what BORROWED_FIELD;
	unsigned int keys, sigs, ds; /* how many that collide, beside the right one */
	bool of_first;               /* they collide with the key that signs the keys: otherwise with the other one */
	bool keys_junk;              /* the key set's signatures too, before the right one */
	bool keys_bad;               /* and no right one */
	bool misshapen;              /* they are too short for their algorithm */
	bool alias;                  /* to the next zone of the kind */
	unsigned int zones, servers;
	unsigned int iterations, labels, extras; /* NSEC3: names of so many labels, so many records more than needed */
	double units, packets;       /* the bars */
};

#define KEYS_BAD 8u /* below */
static const struct trap traps[] = {
	{ .what = "500 keys of one tag, 500 signatures", .keys = 500, .sigs = 500, .zones = 1, .servers = 1, .units = 20, .packets = 14 },
	{ .what = "60 keys of one tag, 500 signatures", .keys = 60, .sigs = 500, .zones = 1, .servers = 1, .units = 150, .packets = 14 },
	{ .what = "one key, 500 bad signatures", .sigs = 500, .zones = 1, .servers = 1, .units = 80, .packets = 14 },
	{ .what = "60 keys of one tag, one bad signature", .keys = 60, .sigs = 1, .zones = 1, .servers = 1, .units = 130, .packets = 14 },
	{ .what = "60 keys of one tag, 500 signatures of the key set too", .keys = 60, .sigs = 500, .keys_junk = true, .zones = 1, .servers = 1, .units = 100,
	    .packets = 14 },
	{ .what = "60 keys, 500 DS of one tag", .keys = 60, .ds = 500, .of_first = true, .sigs = 1, .zones = 1, .servers = 1, .units = 10, .packets = 16 },
	{ .what = "500 keys, 500 DS, 500 signatures of one tag", .keys = 500, .ds = 500, .of_first = true, .sigs = 500, .zones = 1, .servers = 1, .units = 20,
	    .packets = 16 },
	{ .what = "60 keys of one tag, 500 signatures, at six servers", .keys = 60, .sigs = 500, .zones = 1, .servers = 6, .units = 350, .packets = 40 },
	{ .what = "keys that never verify, at six servers", .keys = 60, .sigs = 500, .keys_bad = true, .zones = 1, .servers = 6, .units = 250, .packets = 40 },
	{ .what = "60 misshapen keys of one tag, 500 signatures", .keys = 60, .sigs = 500, .misshapen = true, .zones = 1, .servers = 6, .units = 350, .packets = 40 },
	{ .what = "aliases through eleven zones, all dear and none bad", .keys = 60, .sigs = 1, .alias = true, .zones = 11, .servers = 1, .units = 1000, .packets = 60 },
	{ .what = "NSEC3 with 500 iterations", .iterations = 500, .labels = 5, .zones = 1, .servers = 1, .units = 50, .packets = 14 },
	{ .what = "NSEC3 with 50 iterations, 30 labels", .iterations = 50, .labels = 30, .zones = 1, .servers = 1, .units = 80, .packets = 14 },
	{ .what = "NSEC3 with 50 iterations, 110 labels", .iterations = 50, .labels = 110, .zones = 1, .servers = 1, .units = 150, .packets = 14 },
	{ .what = "a denial with 150 signed NSEC3 more than it needs", .iterations = 1, .labels = 5, .extras = 150, .zones = 1, .servers = 1, .units = 160, .packets = 14 },
	{ .what = "such denials at six servers", .iterations = 1, .labels = 5, .extras = 150, .zones = 1, .servers = 6, .units = 160, .packets = 40 },
};

/* ---- what its servers say ---------------------------------------------------------------------------------------------------------------------- */

static uint8_t *octets(struct arena *a, size_t n) IN_ARENA;
static uint8_t *octets(struct arena *a, size_t n)
{
	uint8_t *p = arena_alloc(a, n);

	if (p == NULL)
		abort();
	return p;
}

/* A key of this tag that nobody has the private half of. */
static struct span fake_key(struct attack *k, struct arena *a, uint16_t tag, bool misshapen)
{
	size_t n = misshapen ? 20 : 36;
	uint8_t *d = octets(a, n);

	store16(d, 256);
	d[2] = 3;
	d[3] = ALG_ED25519;
	rng_fill(sim_rng(k->run.sim), d + 4, n - 6);
	for (uint32_t x = 0; x < 65536 && sign_tag(span_of(d, n)) != tag; x++)
		store16(d + n - 2, (uint16_t)(tag - sign_tag(span_of(d, n - 2)) - x));
	return span_of(d, n);
}

static struct sign_how how_of(const struct attack *k, struct arena *a, struct name zone, bool keys)
{
	int64_t now = sim_wall_sec(k->run.sim);

	return (struct sign_how){ .key = keys ? first : second, .tag = sign_tag(sign_dnskey(a, keys ? first : second, keys ? 257 : 256)), .signer = zone, .inception = (uint32_t)(now - DAY),
		.expiration = (uint32_t)(now + 10 * DAY) };
}

/* The RRs with n bad signatures, then, if wanted, the right one. */
static const struct rrset *with_signatures(struct attack *k, struct arena *a, struct name zone, const struct rrset *rs, struct name source, unsigned int n,
    bool right) IN_ARENA;
static const struct rrset *with_signatures(struct attack *k, struct arena *a, struct name zone, const struct rrset *rs, struct name source, unsigned int n,
    bool right)
{
	struct span *items = arena_alloc_array(a, rs->count + n + 1u, sizeof *items), data, good;
	struct sign_how how = how_of(k, a, zone, rs->type == RR_DNSKEY);
	unsigned int count = 0;
	size_t head;

	if (items == NULL)
		abort();
	data = sign_data(a, &how, rs, source, &head);
	good = sign_rrsig(a, how.key, data, head);
	for (; count < rs->count; count++)
		items[count] = rrset_rdata(rs, count);
	for (unsigned int i = 0; i < n; i++) {
		uint8_t *d = arena_dup(a, good.p, good.n);

		rng_fill(sim_rng(k->run.sim), d + good.n - 64, 32);
		items[count++] = span_of(d, good.n);
	}
	if (right)
		items[count++] = good;
	rs = rrset_make_in(a, rrset_name(rs), rs->type, CLASS_IN, rs->ttl, items, rs->count, count - rs->count);
	if (rs == NULL)
		abort();
	return rs;
}

void put_signed(struct attack *k, struct builder *b, struct arena *a, enum msg_part part, struct name zone, struct name owner, struct name source, uint16_t type,
    const struct span *rdata, size_t n, unsigned int junk, bool right)
{
	const struct rrset *rs = rrset_make_in(a, owner, type, CLASS_IN, 300, rdata, n, 0);

	if (rs == NULL)
		abort();
	rs = with_signatures(k, a, zone, rs, source, junk, right);
	if (!build_rrset(b, part, rs, rs->ttl, true, 0))
		build_set_flags(b, MSG_TC, 0);
}

void put_keys(struct attack *k, struct builder *b, struct arena *a, struct name zone)
{
	struct span keys[2] = { sign_dnskey(a, first, 257), sign_dnskey(a, second, 256) };

	put_signed(k, b, a, PART_ANSWER, zone, zone, zone, RR_DNSKEY, keys, 2, 0, true);
}

static void say_keys(struct attack *k, const struct trap *t, struct arena *a, struct builder *b, struct name zone)
{
	struct span keys[KEYS_MOST + 2] = { sign_dnskey(a, first, 257), sign_dnskey(a, second, 256) };
	unsigned int n = 2;

	while (n < t->keys + 2) {
		keys[n] = fake_key(k, a, sign_tag(keys[t->of_first ? 0 : 1]), t->misshapen);
		n++;
	}
	put_signed(k, b, a, PART_ANSWER, zone, zone, zone, RR_DNSKEY, keys, n, t->keys_junk || t->keys_bad ? t->sigs : 0, !t->keys_bad);
}

void put_signed_soa(struct attack *k, struct builder *b, struct arena *a, struct name zone)
{
	uint8_t *d = octets(a, 22);
	struct span s = span_of(d, 22);

	for (unsigned int i = 0; i < 5; i++)
		store32(d + 2 + 4 * i, 300);
	put_signed(k, b, a, PART_AUTHORITY, zone, zone, zone, RR_SOA, &s, 1, 0, true);
}

/* An NSEC3 from hash - before to hash + 1. */
static void say_nsec3(struct attack *k, const struct trap *t, struct arena *a, struct builder *b, struct name zone, const uint8_t hash[SIGN_HASH], bool matches)
{
	static const uint16_t types[] = { RR_NS, RR_SOA, RR_RRSIG, RR_DNSKEY, RR_NSEC3PARAM };
	struct span bits = sign_bitmap(a, types, matches ? 5 : 0), rdata;
	uint8_t from[SIGN_HASH], *d = octets(a, 26 + bits.n);
	struct name_buf owner;
	char text[33];

	memcpy(from, hash, SIGN_HASH);
	if (!matches)
		from[SIGN_HASH - 1]--;
	sign_base32(from, text);
	if (!OK(name_from_text(text, &zone, &owner)))
		abort();
	d[0] = 1;
	store16(d + 2, (uint16_t)t->iterations);
	d[5] = SIGN_HASH;
	memcpy(d + 6, hash, SIGN_HASH);
	d[6 + SIGN_HASH - 1]++;
	memcpy(d + 6 + SIGN_HASH, bits.p, bits.n);
	rdata = span_of(d, 26 + bits.n);
	put_signed(k, b, a, PART_AUTHORITY, zone, name_of(&owner), name_of(&owner), RR_NSEC3, &rdata, 1, 0, true);
}

static void say_nothing_here(struct attack *k, const struct trap *t, struct arena *a, struct builder *b, struct name zone, struct name n)
{
	uint8_t hash[SIGN_HASH];
	struct name_buf star;

	put_signed_soa(k, b, a, zone);
	sign_nsec3_hash(zone, span_of("", 0), t->iterations, hash);
	say_nsec3(k, t, a, b, zone, hash, true);
	if (n.labels > zone.labels) {
		build_set_rcode(b, RCODE_NXDOMAIN);
		sign_nsec3_hash(name_suffix(n, zone.labels + 1u), span_of("", 0), t->iterations, hash);
		say_nsec3(k, t, a, b, zone, hash, false);
		if (!OK(name_from_text("*", &zone, &star)))
			abort();
		sign_nsec3_hash(name_of(&star), span_of("", 0), t->iterations, hash);
		say_nsec3(k, t, a, b, zone, hash, false);
	}
	for (unsigned int i = 0; i < t->extras; i++) {
		rng_fill(sim_rng(k->run.sim), hash, sizeof hash);
		say_nsec3(k, t, a, b, zone, hash, false);
	}
}

static bool says(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	static const uint8_t address[4] = { 30, 0, 0, 1 };
	struct attack *k = ctx;
	const struct trap *t = &traps[k->kind];
	struct name zone = name_suffix(q->q.name, 1);
	struct span d = span_of(address, 4);
	char next[20];

	(void)tcp;
	if (q->q.type == RR_DNSKEY && q->q.name.labels == 1) {
		say_keys(k, t, a, b, zone);
	} else if (q->q.type != RR_A || t->labels > 0) {
		say_nothing_here(k, t, a, b, zone, q->q.name);
	} else if (t->alias) {
		struct name target;

		(void)snprintf(next, sizeof next, "w.trap%u", (unsigned int)(atoi((const char *)name_label(zone, 0).p + 4) + 1));
		target = text_name(a, next);
		d = span_of(target.wire, target.len);
		put_signed(k, b, a, PART_ANSWER, zone, q->q.name, q->q.name, RR_CNAME, &d, 1, t->sigs, true);
	} else {
		put_signed(k, b, a, PART_ANSWER, zone, q->q.name, q->q.name, RR_A, &d, 1, t->sigs, true);
	}
	return true;
}

/* ---- the scene --------------------------------------------------------------------------------------------------------------------------------- */

static double units(const struct attack *k)
{
	return (double)stats_get(&k->run.w[0].worker->stats, COUNT_VAL_WORK) / WORK_UNIT;
}

static void delegate(struct attack *k, const struct trap *t, unsigned int zone)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct span ds[KEYS_MOST + 1], key = sign_dnskey(a, first, 257);
	unsigned int n = 0;
	char name[20], at[20];
	struct name apex;

	(void)snprintf(name, sizeof name, "trap%u", zone);
	apex = text_name(a, name);
	for (; n < t->ds; n++) {
		uint8_t *d = arena_dup(a, sign_ds(a, apex, key, 2).p, 36);

		rng_fill(sim_rng(k->run.sim), d + 4, 32);
		ds[n] = span_of(d, 36);
	}
	ds[n++] = sign_ds(a, apex, key, 2);
	world_guest_ds(k->run.world, name, ds, n);
	for (unsigned int i = 0; i < t->servers; i++) {
		(void)snprintf(at, sizeof at, "50.%u.0.%u", zone, i + 1);
		guest(k, name, at, says);
	}
}

void signed_guest(struct attack *k, const char *zone, const char *address, world_reply_fn *fn)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct span ds = sign_ds(a, text_name(a, zone), sign_dnskey(a, first, 257), 2);

	world_guest_ds(k->run.world, zone, &ds, 1);
	guest(k, zone, address, fn);
}

/* One question into the zone, while another client asks for what is in the cache. */
static void attack_trap(struct attack *k, const struct trap *t)
{
	char name[300] = "", what[160];
	struct asked *q, *hit = NULL;
	double before, last, most = 0;
	unsigned int hits = 0, missed = 0, from;
	uint64_t sent;

	begin_signed(k, 200 + k->kind);
	for (unsigned int i = 0; i < t->zones; i++)
		delegate(k, t, i);
	start(k);
	for (unsigned int i = 1; i < t->labels; i++)
		strcat(name, "x.");
	strcat(name, "w.trap0");
	(void)ask(k, ".", RR_SOA, 10000);
	before = last = units(k);
	sent = packets(k);
	q = ask(k, name, RR_A, 0);
	from = k->run.count;
	for (; hits < HITS_MOST && (q->replies == 0 || hits < 20); hits++) {
		hit = ask(k, ".", RR_SOA, 0);
		(void)sim_run(k->run.sim, sim_now_ns(k->run.sim) + HITS_EVERY);
		most = units(k) - last > most ? units(k) - last : most;
		last = units(k);
	}
	(void)sim_run(k->run.sim, sim_now_ns(k->run.sim) + 20 * SEC);
	for (unsigned int i = from; i < from + hits; i++)
		missed += k->run.asked[i].replies != 1 || k->run.asked[i].took_ns > 2 * MS || k->run.asked[i].rcode != RCODE_NOERROR;
	(void)hit;
	(void)snprintf(what, sizeof what, "%s: units of work", t->what);
	bar(k, what, units(k) - before, t->units);
	(void)snprintf(what, sizeof what, "%s: packets", t->what);
	bar(k, what, (double)(packets(k) - sent), t->packets);
	(void)snprintf(what, sizeof what, "%s: units between others' hits", t->what);
	bar(k, what, most, TURN_MOST);
	(void)snprintf(what, sizeof what, "%s: others' hits not answered at once", t->what);
	bar(k, what, missed, 0);
	(void)snprintf(what, sizeof what, "%s: seconds that the client waits", t->what);
	bar(k, what, seconds(q), 5);
	if (k->verbose)
		fprintf(stderr, "   rcode %u, extended error %d, after %g s\n", q->rcode, q->ede, seconds(q));
	end(k);
}

/* Keys that are others each time, and verify never: what question after question about the zone costs. */
static void attack_endless_keys(struct attack *k, const struct trap *t)
{
	double before;
	uint64_t sent;

	begin_signed(k, 200 + k->kind);
	delegate(k, t, 0);
	start(k);
	(void)ask(k, ".", RR_SOA, 10000);
	before = units(k);
	sent = packets(k);
	for (unsigned int i = 0; i < 20; i++) {
		char name[20];

		(void)snprintf(name, sizeof name, "w%u.trap0", i);
		(void)ask(k, name, RR_A, 1000);
	}
	bar(k, "keys that never verify: units of work, 20 questions", units(k) - before, 600);
	bar(k, "keys that never verify: packets, 20 questions", (double)(packets(k) - sent), 100);
	end(k);
}

void attacks_on_validation(struct attack *k)
{
	for (k->kind = 0; k->kind < sizeof traps / sizeof traps[0]; k->kind++)
		attack_trap(k, &traps[k->kind]);
	k->kind = KEYS_BAD;
	attack_endless_keys(k, &traps[KEYS_BAD]);
}
