/* Random zones are put into the cache whole, in part, or changed on the way; what it says is held against the zone and against the validator's own proofs. */
#include "signed_zone.h"

#include "resolver/cache/rrcache.h"
#include "validator/denial.h"

#define PLENTY ((size_t)64 << 20)

struct rig {
	struct turn t;
	struct denials *d;
	struct nsec3_hasher *h;
	struct now now;
	uint64_t x;
};

static struct rig rig_begin(size_t octets)
{
	struct rig r = { .now = at_sec(1000), .x = 88172645463325252u };

	r.t.before = mem_usage();
	r.d = denials_new(octets, &test_key);
	r.h = nsec3_hasher_new();
	r.t.a = arena_new(0);
	assert_true(r.d != NULL && r.h != NULL && r.t.a != NULL);
	return r;
}

static void rig_end(struct rig *r)
{
	denials_free(r->d);
	nsec3_hasher_free(r->h);
	arena_free(r->t.a);
	assert_int_equal(mem_usage().objects, r->t.before.objects);
}

static struct denied_answer ask_within(struct rig *r, struct name name, uint16_t type, unsigned int hashes, struct name floor)
{
	struct denied_answer a;

	denials_find(r->d, name, type, floor, r->h, hashes, r->t.a, &r->now, &a);
	return a;
}

static struct denied_answer ask(struct rig *r, struct name name, uint16_t type)
{
	return ask_within(r, name, type, 100, name_root);
}

static struct denied_answer ask_text(struct rig *r, const char *name, uint16_t type)
{
	return ask(r, nm(&r->t, name), type);
}

static struct cache_usage usage(const struct rig *r)
{
	struct cache_usage u;

	denials_usage(r->d, &u);
	return u;
}

static void put_zone(struct rig *r, struct zone *z, unsigned int of_a_hundred)
{
	for (unsigned int i = 0; i < z->sets; i++) {
		if (zone_draw(&r->x, 100) < of_a_hundred)
			denials_put(r->d, z->apex, z->set[i], &r->now);
	}
	denials_put(r->d, z->apex, z->soa, &r->now);
}

/* --- against the zone, and against the validator */

static struct denial_proof proof_of(struct rig *r, struct name zone, const struct rrset *const *sets, size_t n, struct work *w)
{
	return (struct denial_proof){ .zone = zone, .sets = sets, .n = n, .limits = { .iterations = DENIAL_ITERATIONS }, .hasher = r->h, .work = w, .arena = r->t.a };
}

static enum denied denied_of(enum denial d)
{
	switch (d) {
	case DENIAL_PROVEN_NXDOMAIN:
		return DENIED_NXDOMAIN;
	case DENIAL_PROVEN_NODATA:
	case DENIAL_WILDCARD_NODATA:
	case DENIAL_NO_DS_INSECURE:
		return DENIED_NODATA;
	case DENIAL_WILDCARD_ANSWER:
		return DENIED_WILDCARD;
	default:
		return DENIED_NOTHING;
	}
}

static bool has_opt_out(const struct rrset *rs)
{
	return rs->type == RR_NSEC3 && (rrset_rdata(rs, 0).p[1] & 1) != 0;
}

/* The NSEC3 set that matches the name, or whose span its hash is in. */
static const struct rrset *set_at(struct rig *r, struct zone *z, const struct rrset *const *sets, size_t n, struct name name, bool match)
{
	struct work w = { UINT32_MAX };
	struct nsec3_zone all;
	const struct nsec3 *found = NULL;

	assert_true(OK(nsec3_collect(sets, n, z->apex, r->t.a, r->h, &w, &all)));
	assert_true(OK(match ? nsec3_match(&all, name, &found) : nsec3_cover(&all, name, &found)));
	return found != NULL ? found->set : NULL;
}

/* Only one that matches the closest encloser may have the flag (RFC 8198 section 5.2). */
static void check_no_opt_out(struct rig *r, struct zone *z, struct name name, const struct denied_answer *a, unsigned int closest)
{
	for (size_t i = 0; i < a->n; i++) {
		if (has_opt_out(a->sets[i]))
			assert_non_null(set_at(r, z, &a->sets[i], 1, name_suffix(name, closest), true));
	}
}

/* The sets that came with the answer prove it, without any other. */
static void check_proof(struct rig *r, struct zone *z, struct name name, uint16_t type, const struct denied_answer *a, unsigned int closest)
{
	struct work w = { UINT32_MAX };
	struct denial_proof p = proof_of(r, z->apex, a->sets, a->n, &w);

	if (a->what == DENIED_NOTHING)
		return;
	assert_true(a->n >= 1 && a->n <= 4 && a->ttl == z->ttl);
	for (size_t i = 0; i < a->n; i++)
		assert_true(a->sets[i]->sigs == 1 && a->sets[i]->ttl == z->ttl && a->sets[i]->security == SECURITY_SECURE);
	if (a->what == DENIED_WILDCARD) {
		assert_int_equal(a->wildcard.labels, closest + 1);
		assert_true(name_is_wildcard(a->wildcard) && name_is_under(name, name_parent(a->wildcard)));
		assert_int_equal(denial_prove_expansion(&p, name, closest).what, DENIAL_WILDCARD_ANSWER);
		return;
	}
	assert_int_equal(a->sets[0]->type, RR_SOA);
	if (a->what == DENIED_NXDOMAIN)
		check_no_opt_out(r, z, name, a, closest);
	assert_int_equal(denied_of(denial_prove(&p, name, type).what), a->what);
}

/* The wildcard for the name may be a delegation that is not signed: the validator lets that pass, RFC 8198 section 5.2 does not. */
static bool wildcard_is_opt_out(struct rig *r, struct zone *z, const struct rrset *const *sets, size_t n, struct name name, unsigned int closest)
{
	const struct rrset *rs;

	if (!z->opt_out || closest >= name.labels)
		return false;
	rs = set_at(r, z, sets, n, zone_name_below(r->t.a, name_suffix(name, closest), "*", 1), false);
	return rs != NULL && has_opt_out(rs);
}

static void check_question(struct rig *r, struct zone *z, bool whole, const struct rrset *const *sets, size_t n, struct name name, uint16_t type)
{
	struct work w = { UINT32_MAX };
	struct denial_proof p = proof_of(r, z->apex, sets, n, &w);
	struct denied_answer a = ask(r, name, type);
	unsigned int closest = 0;
	enum denied truth = zone_says(z, name, type, &closest);
	enum denied proven = denied_of(denial_prove(&p, name, type).what);

	if (a.guess) { /* a wildcard that nobody has seen is no answer */
		assert_int_equal(a.what, DENIED_WILDCARD);
		a.what = DENIED_NOTHING;
	}
	if (a.what != truth && a.what != DENIED_NOTHING) { /* short of knowing the wildcard, it says so */
		assert_int_equal(a.what, DENIED_WILDCARD);
		assert_null(zone_find(z, name));
		assert_false(zone_is_hidden(z, name));
	}
	if (truth == DENIED_NOTHING) /* more careful than the validator, where the wildcard is a DNAME, or for ANY */
		assert_true(a.what == DENIED_NOTHING || (!whole && a.what == DENIED_WILDCARD));
	else if (proven == DENIED_NXDOMAIN && wildcard_is_opt_out(r, z, sets, n, name, closest))
		assert_true(a.what == DENIED_NOTHING || a.what == DENIED_WILDCARD);
	else if (proven != DENIED_NOTHING)
		assert_int_equal(a.what, proven);
	else
		assert_true(a.what == DENIED_NOTHING || a.what == DENIED_WILDCARD);
	if (whole)
		assert_int_equal(a.what, truth);
	check_proof(r, z, name, type, &a, closest);
}

static void check_zone(struct rig *r, struct zone *z, unsigned int of_a_hundred, unsigned int questions)
{
	static const uint16_t types[] = { RR_A, RR_TXT, RR_CNAME, RR_DS, RR_NS, RR_ANY, RR_DNAME, RR_MX };
	const struct rrset *sets[ZONE_NODES * 5];
	size_t n = 0;

	for (unsigned int i = 0; i < z->sets; i++) {
		if (zone_draw(&r->x, 100) < of_a_hundred)
			sets[n++] = z->set[i];
	}
	for (size_t i = n; i-- > 0; )
		denials_put(r->d, z->apex, sets[(i * 7 + 3) % n], &r->now);
	for (size_t i = 0; i < n; i++)
		denials_put(r->d, z->apex, sets[i], &r->now);
	denials_put(r->d, z->apex, z->soa, &r->now);
	for (unsigned int i = 0; i < questions; i++)
		check_question(r, z, of_a_hundred >= 100 && !z->opt_out, sets, n, zone_random_name(z, &r->x), types[zone_draw(&r->x, sizeof types / sizeof types[0])]);
}

static void run_zones(bool nsec3, unsigned int of_a_hundred)
{
	struct rig r = rig_begin(PLENTY);

	for (unsigned int i = 0; i < 120; i++) {
		static struct zone z;

		zone_make(&z, r.t.a, i % 9 == 0 ? name_root : nm(&r.t, "Example.test."), &r.x);
		if (nsec3)
			zone_make_nsec3s(&z, r.h);
		else {
			z.opt_out = false;
			zone_make_nsecs(&z);
		}
		check_zone(&r, &z, of_a_hundred, 150);
		(void)denials_flush(r.d, name_root);
		assert_int_equal(usage(&r).entries, 0);
		arena_reset(r.t.a);
	}
	rig_end(&r);
}

static void whole_nsec_zones_answer_everything(void **state)
{
	(void)state;
	run_zones(false, 100);
}

static void parts_of_nsec_zones_say_what_they_prove(void **state)
{
	(void)state;
	run_zones(false, 50);
	run_zones(false, 15);
}

static void whole_nsec3_zones_answer_everything_but_what_opt_out_hides(void **state)
{
	(void)state;
	run_zones(true, 100);
}

static void parts_of_nsec3_zones_say_what_they_prove(void **state)
{
	(void)state;
	run_zones(true, 60);
	run_zones(true, 20);
}

/* A zone changes while its old denials are kept: once all of the new ones came, nothing of the old is left. */
static void new_gaps_remove_what_they_contradict(void **state)
{
	struct rig r = rig_begin(PLENTY);

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		static struct zone z;

		for (unsigned int k = 0; k < 2; k++) {
			zone_make(&z, r.t.a, nm(&r.t, "test."), &r.x);
			z.opt_out = false;
			z.salt_len = 0;
			z.iterations = 0;
			if (i % 2 == 0)
				zone_make_nsecs(&z);
			else
				zone_make_nsec3s(&z, r.h);
			put_zone(&r, &z, 80);
		}
		check_zone(&r, &z, 100, 60);
		assert_int_equal(usage(&r).entries, z.sets);
		(void)denials_flush(r.d, name_root);
		arena_reset(r.t.a);
	}
	rig_end(&r);
}

/* --- single facts */

/* One NSEC of example.: owner, next, types. */
static void put_nsec(struct rig *r, const char *owner, const char *next, const uint16_t *types, unsigned int n, uint32_t ttl)
{
	struct node node = { .name = nm(&r->t, owner), .types = n };

	memcpy(node.type, types, n * sizeof *types);
	denials_put(r->d, nm(&r->t, "example."), zone_nsec(r->t.a, nm(&r->t, "example."), &node, nm(&r->t, next), ttl), &r->now);
}
#define PUT(r, owner, next, ttl, ...) \
	put_nsec(r, owner, next, (const uint16_t[]){ __VA_ARGS__ }, sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t), ttl)

static void put_soa(struct rig *r, uint32_t ttl, uint32_t minimum)
{
	denials_put(r->d, nm(&r->t, "example."), zone_soa(r->t.a, nm(&r->t, "example."), ttl, minimum), &r->now);
}

static void a_denial_needs_the_soa_and_lasts_as_long_as_the_shortest(void **state)
{
	struct rig r = rig_begin(PLENTY);
	struct denied_answer a;

	(void)state;
	PUT(&r, "example.", "m.example.", 300, RR_SOA, RR_NS);
	assert_int_equal(ask_text(&r, "c.example.", RR_A).what, DENIED_NOTHING);
	put_soa(&r, 200, 60);
	a = ask_text(&r, "c.example.", RR_A);
	assert_int_equal(a.what, DENIED_NXDOMAIN);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.ttl, 60);
	r.now = at_sec(1150);
	a = ask_text(&r, "c.example.", RR_A);
	assert_int_equal(a.ttl, 50);
	assert_int_equal(a.sets[0]->ttl, 50);
	assert_int_equal(a.sets[1]->ttl, 150);
	r.now = at_sec(1200);
	assert_int_equal(ask_text(&r, "c.example.", RR_A).what, DENIED_NOTHING); /* the SOA is gone */
	put_soa(&r, 1000, 1000);
	assert_int_equal(ask_text(&r, "c.example.", RR_A).ttl, 100);
	r.now = at_sec(1300);
	assert_int_equal(ask_text(&r, "c.example.", RR_A).what, DENIED_NOTHING); /* and now the NSEC */
	assert_int_equal(usage(&r).entries, 0);
	rig_end(&r);
}

static void what_is_not_secure_or_not_the_zones_is_passed_over(void **state)
{
	struct rig r = rig_begin(PLENTY);
	struct name zone = nm(&r.t, "example."), other = nm(&r.t, "test.");
	struct node apex = { zone, { RR_SOA, RR_NS }, 2 };
	struct rrset *rs;

	(void)state;
	put_soa(&r, 300, 300);
	rs = rrset_copy_in(r.t.a, zone_nsec(r.t.a, zone, &apex, zone, 300));
	rs->security = SECURITY_INSECURE;
	denials_put(r.d, zone, rs, &r.now);
	denials_put(r.d, zone, zone_nsec(r.t.a, other, &apex, zone, 300), &r.now); /* the signer is another */
	denials_put(r.d, other, zone_nsec(r.t.a, other, &apex, zone, 300), &r.now); /* the owner is outside */
	PUT(&r, "z.example.", "a.example.", 300, RR_A); /* does not go on */
	PUT(&r, "b.example.", "a.test.", 300, RR_A);
	PUT(&r, "b.example.", "c.example.", 300, RR_SOA);
	PUT(&r, "b.example.", "c.example.", 0, RR_A);
	assert_int_equal(usage(&r).entries, 0);
	PUT(&r, "b.example.", "c.example.", 300, RR_A);
	assert_int_equal(usage(&r).entries, 1);
	rig_end(&r);
}

static void the_parent_says_nothing_below_a_cut_or_a_dname(void **state)
{
	struct rig r = rig_begin(PLENTY);

	(void)state;
	put_soa(&r, 300, 300);
	PUT(&r, "example.", "cut.example.", 300, RR_SOA, RR_NS);
	PUT(&r, "cut.example.", "name.example.", 300, RR_NS);
	PUT(&r, "name.example.", "example.", 300, RR_DNAME);
	assert_int_equal(ask_text(&r, "a.cut.example.", RR_A).what, DENIED_NOTHING);
	assert_int_equal(ask_text(&r, "cut.example.", RR_A).what, DENIED_NOTHING);
	assert_int_equal(ask_text(&r, "cut.example.", RR_DS).what, DENIED_NODATA);
	assert_int_equal(ask_text(&r, "a.name.example.", RR_A).what, DENIED_NOTHING);
	assert_int_equal(ask_text(&r, "name.example.", RR_A).what, DENIED_NODATA);
	assert_int_equal(ask_text(&r, "cuz.example.", RR_A).what, DENIED_NXDOMAIN);
	assert_int_equal(ask_text(&r, "example.", RR_DS).what, DENIED_NOTHING);
	rig_end(&r);
}

static void a_zone_that_is_known_below_is_asked_and_a_floor_holds(void **state)
{
	struct rig r = rig_begin(PLENTY);
	struct name sub = nm(&r.t, "sub.example.");
	struct node apex = { sub, { RR_SOA, RR_NS }, 2 };

	(void)state;
	put_soa(&r, 300, 300);
	PUT(&r, "example.", "example.", 300, RR_SOA, RR_NS);
	assert_int_equal(ask_text(&r, "a.sub.example.", RR_A).what, DENIED_NXDOMAIN);
	assert_int_equal(ask_within(&r, nm(&r.t, "a.sub.example."), RR_A, 9, sub).what, DENIED_NOTHING);
	assert_int_equal(ask_within(&r, nm(&r.t, "a.sub.example."), RR_A, 9, nm(&r.t, "example.")).what, DENIED_NXDOMAIN);
	denials_put(r.d, sub, zone_nsec(r.t.a, sub, &apex, nm(&r.t, "m.sub.example."), 300), &r.now);
	assert_int_equal(ask_text(&r, "z.sub.example.", RR_A).what, DENIED_NOTHING); /* the deeper zone, which does not know */
	assert_int_equal(ask_text(&r, "sub.example.", RR_DS).what, DENIED_NXDOMAIN); /* a question to the parent */
	rig_end(&r);
}

static void compact_denial_speaks_of_its_name_alone(void **state)
{
	struct rig r = rig_begin(PLENTY);

	(void)state;
	put_soa(&r, 300, 300);
	PUT(&r, "b.example.", "\\000.b.example.", 300, RR_NXNAME);
	PUT(&r, "d.example.", "\\000.d.example.", 300, RR_NXNAME, RR_A);
	assert_int_equal(ask_text(&r, "b.example.", RR_A).what, DENIED_NXDOMAIN);
	assert_int_equal(ask_text(&r, "b.example.", RR_NSEC).what, DENIED_NOTHING);
	assert_int_equal(ask_text(&r, "a.b.example.", RR_A).what, DENIED_NOTHING);
	assert_int_equal(ask_text(&r, "c.example.", RR_A).what, DENIED_NOTHING);
	assert_int_equal(ask_text(&r, "d.example.", RR_TXT).what, DENIED_NOTHING);
	rig_end(&r);
}

static void a_wildcard_that_is_not_known_leaves_it_open(void **state)
{
	struct rig r = rig_begin(PLENTY);
	struct denied_answer a;

	(void)state;
	PUT(&r, "b.sub.example.", "d.sub.example.", 300, RR_A);
	a = ask_text(&r, "c.sub.example.", RR_A); /* no SOA is needed to say that */
	assert_int_equal(a.what, DENIED_WILDCARD);
	assert_true(name_equal(a.wildcard, nm(&r.t, "*.sub.example.")));
	assert_int_equal(a.n, 1);
	assert_int_equal(a.ttl, 300);
	assert_int_equal(ask_text(&r, "c.sub.example.", RR_ANY).what, DENIED_NOTHING);
	PUT(&r, "*.sub.example.", "a.sub.example.", 200, RR_CNAME);
	put_soa(&r, 300, 300);
	assert_int_equal(ask_text(&r, "c.sub.example.", RR_A).what, DENIED_WILDCARD);
	PUT(&r, "*.sub.example.", "a.sub.example.", 200, RR_A);
	assert_int_equal(ask_text(&r, "c.sub.example.", RR_A).what, DENIED_WILDCARD);
	a = ask_text(&r, "c.sub.example.", RR_TXT);
	assert_int_equal(a.what, DENIED_NODATA);
	assert_int_equal(a.n, 3);
	assert_int_equal(a.ttl, 200);
	PUT(&r, "*.sub.example.", "a.sub.example.", 200, RR_NS);
	assert_int_equal(ask_text(&r, "c.sub.example.", RR_A).what, DENIED_NOTHING);
	rig_end(&r);
}

static void hashes_are_limited_and_high_iterations_not_kept(void **state)
{
	struct rig r = rig_begin(PLENTY);
	static struct zone z;

	(void)state;
	z = (struct zone){ .arena = r.t.a, .apex = nm(&r.t, "example."), .ttl = 100, .iterations = 50 };
	node_add(zone_add(&z, z.apex), RR_SOA);
	node_add(zone_add(&z, nm(&r.t, "b.a.example.")), RR_A);
	(void)zone_add(&z, nm(&r.t, "a.example."));
	zone_make_nsec3s(&z, r.h);
	put_zone(&r, &z, 100);
	/* apex, a, c.a, *.a */
	assert_int_equal(ask_within(&r, nm(&r.t, "x.y.c.a.example."), RR_A, 3, name_root).what, DENIED_NOTHING);
	assert_int_equal(ask_within(&r, nm(&r.t, "x.y.c.a.example."), RR_A, 3, name_root).what, DENIED_NXDOMAIN); /* the apex's is remembered */
	assert_int_equal(ask_within(&r, nm(&r.t, "x.y.c.a.example."), RR_A, 2, name_root).what, DENIED_NOTHING);
	/* of a name below the apex only its own, once "*" is known */
	assert_int_equal(ask_within(&r, nm(&r.t, "x.example."), RR_A, 2, name_root).what, DENIED_NXDOMAIN);
	assert_int_equal(ask_within(&r, nm(&r.t, "w.example."), RR_A, 1, name_root).what, DENIED_NXDOMAIN);
	/* other parameters: the old chain is gone with what was remembered */
	z.iterations = 3;
	zone_make_nsec3s(&z, r.h);
	denials_put(r.d, z.apex, z.set[0], &r.now);
	assert_int_equal(usage(&r).entries, 1);
	put_zone(&r, &z, 100);
	assert_int_equal(ask(&r, nm(&r.t, "x.example."), RR_A).what, DENIED_NXDOMAIN);
	(void)denials_flush(r.d, name_root);
	z.iterations = 51;
	zone_make_nsec3s(&z, r.h);
	put_zone(&r, &z, 100);
	assert_int_equal(usage(&r).entries, 0);
	rig_end(&r);
}

static void flushes_take_what_speaks_about_the_name(void **state)
{
	struct rig r = rig_begin(PLENTY);
	static struct zone z;

	(void)state;
	put_soa(&r, 300, 300);
	PUT(&r, "example.", "b.example.", 300, RR_SOA, RR_NS);
	PUT(&r, "b.example.", "a.b.example.", 300, RR_A);
	PUT(&r, "a.b.example.", "d.example.", 300, RR_A);
	PUT(&r, "d.example.", "example.", 300, RR_A);
	assert_int_equal(denials_flush(r.d, nm(&r.t, "x.test.")), 0);
	assert_int_equal(denials_flush(r.d, nm(&r.t, "c.example.")), 1);
	assert_int_equal(ask_text(&r, "c.example.", RR_A).what, DENIED_NOTHING);
	assert_int_equal(ask_text(&r, "e.example.", RR_A).what, DENIED_NXDOMAIN);
	PUT(&r, "a.b.example.", "d.example.", 300, RR_A);
	assert_int_equal(denials_flush(r.d, nm(&r.t, "b.example.")), 2);
	z = (struct zone){ .arena = r.t.a, .apex = nm(&r.t, "n3.example."), .ttl = 100 };
	node_add(zone_add(&z, z.apex), RR_SOA);
	zone_make_nsec3s(&z, r.h);
	put_zone(&r, &z, 100);
	assert_int_equal(denials_flush(r.d, nm(&r.t, "a.n3.example.")), 2); /* and what covers it in the zone above */
	put_zone(&r, &z, 100);
	assert_int_equal(denials_flush(r.d, nm(&r.t, "example.")), 2);
	assert_int_equal(usage(&r).entries, 0);
	rig_end(&r);
}

/* --- bounds */

static void put_numbered(struct rig *r, const char *zone, unsigned int i)
{
	char owner[64], next[64];
	struct node node = { .type = { RR_A }, .types = 1 };

	(void)snprintf(owner, sizeof owner, "n%06u.%s", i, zone);
	(void)snprintf(next, sizeof next, "n%06ua.%s", i, zone);
	node.name = nm(&r->t, owner);
	denials_put(r->d, nm(&r->t, zone), zone_nsec(r->t.a, nm(&r->t, zone), &node, nm(&r->t, next), 3000), &r->now);
}

static void one_zone_stays_within_the_limit(void **state)
{
	struct rig r = rig_begin(100000);
	char name[64];

	(void)state;
	denials_put(r.d, nm(&r.t, "big.test."), zone_soa(r.t.a, nm(&r.t, "big.test."), 300, 300), &r.now);
	for (unsigned int i = 0; i < 3000; i++) {
		put_numbered(&r, "big.test.", i);
		assert_true(usage(&r).octets <= 100000);
		(void)ask_text(&r, "n000000.big.test.", RR_TXT); /* one that is in use */
		if (i % 64 == 0)
			arena_reset(r.t.a);
	}
	assert_true(usage(&r).entries > 50 && usage(&r).evicted > 2000);
	assert_int_equal(usage(&r).entries + usage(&r).evicted, 3000);
	assert_int_equal(ask_text(&r, "n000000.big.test.", RR_TXT).what, DENIED_NODATA);
	(void)snprintf(name, sizeof name, "n%06u.big.test.", 2999u);
	assert_int_equal(ask_text(&r, name, RR_TXT).what, DENIED_NODATA);
	assert_int_equal(ask_text(&r, "n000100.big.test.", RR_TXT).what, DENIED_NOTHING);
	denials_set_limit(r.d, 0);
	assert_int_equal(usage(&r).entries, 0);
	put_numbered(&r, "big.test.", 1);
	assert_int_equal(usage(&r).entries, 0);
	rig_end(&r);
}

static void the_zone_that_was_not_used_goes_first(void **state)
{
	struct rig r = rig_begin(200000);
	char zone[64];
	uint64_t most = 0;

	(void)state;
	for (unsigned int i = 0; i < 2000; i++) {
		r.now = at_ms(1000000 + i);
		(void)snprintf(zone, sizeof zone, "z%u.test.", i);
		denials_put(r.d, nm(&r.t, zone), zone_soa(r.t.a, nm(&r.t, zone), 3000, 300), &r.now);
		put_numbered(&r, zone, 1);
		assert_int_equal(ask_text(&r, "n000001.z0.test.", RR_TXT).what, DENIED_NODATA);
		most = usage(&r).octets > most ? usage(&r).octets : most;
		if (i % 64 == 0)
			arena_reset(r.t.a);
	}
	assert_true(most <= 200000 && usage(&r).evicted > 1000);
	assert_int_equal(ask_text(&r, "n000001.z1999.test.", RR_TXT).what, DENIED_NODATA);
	assert_int_equal(ask_text(&r, "n000001.z1.test.", RR_TXT).what, DENIED_NOTHING);
	denials_set_limit(r.d, 20000);
	for (unsigned int i = 0; i < 60; i++)
		put_numbered(&r, "last.test.", i);
	assert_true(usage(&r).octets <= 20000);
	rig_end(&r);
}

static void no_memory_is_no_answer(void **state)
{
	struct rig r = rig_begin(PLENTY);
	unsigned int i;

	(void)state;
	for (i = 1; i < 200; i++) {
		struct node apex = { nm(&r.t, "example."), { RR_SOA, RR_NS }, 2 };
		const struct rrset *rs = zone_nsec(r.t.a, apex.name, &apex, apex.name, 300), *soa = zone_soa(r.t.a, apex.name, 300, 300);
		AUTO(arena_free) struct arena *a = arena_new(0);
		struct name name = nm(&r.t, "a.example.");
		struct denied_answer got;

		mem_fail_at(i, true);
		denials_put(r.d, apex.name, rs, &r.now);
		denials_put(r.d, apex.name, soa, &r.now);
		denials_find(r.d, name, RR_A, name_root, r.h, 9, a, &r.now, &got);
		mem_fail_at(0, false);
		(void)denials_flush(r.d, name_root);
		if (got.what != DENIED_NOTHING)
			break;
	}
	assert_true(i > 3 && i < 20);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_nsec_zones_answer_everything),
		cmocka_unit_test(parts_of_nsec_zones_say_what_they_prove),
		cmocka_unit_test(whole_nsec3_zones_answer_everything_but_what_opt_out_hides),
		cmocka_unit_test(parts_of_nsec3_zones_say_what_they_prove),
		cmocka_unit_test(new_gaps_remove_what_they_contradict),
		cmocka_unit_test(a_denial_needs_the_soa_and_lasts_as_long_as_the_shortest),
		cmocka_unit_test(what_is_not_secure_or_not_the_zones_is_passed_over),
		cmocka_unit_test(the_parent_says_nothing_below_a_cut_or_a_dname),
		cmocka_unit_test(a_zone_that_is_known_below_is_asked_and_a_floor_holds),
		cmocka_unit_test(compact_denial_speaks_of_its_name_alone),
		cmocka_unit_test(a_wildcard_that_is_not_known_leaves_it_open),
		cmocka_unit_test(hashes_are_limited_and_high_iterations_not_kept),
		cmocka_unit_test(flushes_take_what_speaks_about_the_name),
		cmocka_unit_test(one_zone_stays_within_the_limit),
		cmocka_unit_test(the_zone_that_was_not_used_goes_first),
		cmocka_unit_test(no_memory_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
