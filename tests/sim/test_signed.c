/*
 * What honest servers of signed worlds say is what the validator's parts take for proof, and the model says beforehand which parts it cannot be: two
 * implementations that share no code, held against each other over many worlds.
 */
#include "tests/unit/dns/dns_test.h"

#include "base/rng.h"
#include "tests/sim/signed.h"
#include "validator/denial.h"
#include "validator/ds.h"
#include "validator/nsec3.h"
#include "validator/signature.h"

#define WORLDS 60
#define QUESTIONS 120

static struct {
	unsigned int questions, good, bad, nxdomain, nodata, expansion, weak, referrals;
} seen;

struct check {
	struct world *w BORROWED_FIELD;
	struct sim *sim BORROWED_FIELD;
	struct arena *a BORROWED_FIELD;
	struct nsec3_hasher *hasher BORROWED_FIELD;
	struct msg m;
	const char *what BORROWED_FIELD;
};

static struct model_zone *zone_named(struct world *w, struct name n) BORROWED;
static struct model_zone *zone_named(struct world *w, struct name n)
{
	for (struct model_zone *z = w->zones; z != NULL; z = z->next) {
		if (name_equal(z->apex, n))
			return z;
	}
	return NULL;
}

static struct model_server *honest_server(struct world *w, const struct model_zone *z) BORROWED;
static struct model_server *honest_server(struct world *w, const struct model_zone *z)
{
	for (struct model_server *v = w->servers; v != NULL; v = v->next) {
		for (const struct model_serves *x = v->zones; x != NULL; x = x->next) {
			if (x->zone == z && v->temper == HONEST)
				return v;
		}
	}
	return NULL;
}

static bool ask(struct check *c, struct model_server *v, struct name name, uint16_t type)
{
	struct question q = { name, type, CLASS_IN };
	struct edns_out e = { .udp_size = 1232, .dnssec_ok = true };
	static uint8_t in[512], out[65535];
	struct builder b;
	size_t n;

	build_start(&b, in, sizeof in, sizeof in, 11, 1, 0);
	build_question(&b, &q);
	build_edns_start(&b, &e);
	build_edns_end(&b);
	n = server_reply(v, span_of(in, build_finish(&b)), true, out, sizeof out);
	return n > 0 && OK(msg_read(c->a, span_of(arena_dup(c->a, out, n), n), NULL, &c->m)) && (c->m.flags & MSG_TC) == 0;
}

/* Signed by its zone, as the model says of the zone: the set marked secure; NULL: it has no signatures. */
static struct rrset *check_set(struct check *c, const struct rrset *rs) IN_ARENA;
static struct rrset *check_set(struct check *c, const struct rrset *rs)
{
	struct sig_time t = { (uint32_t)sim_wall_sec(c->sim), SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = SIG_LIMITS;
	struct work work = { 10000000 };
	AUTO(keyset_free) struct keyset *ks = NULL;
	struct sig_report report;
	struct rrsig sig;
	struct model_zone *z;
	struct span keys[ZONE_KEYS];
	struct rrset *copy;

	if (rs->sigs == 0)
		return NULL;
	assert_ok(rrsig_parse(rrset_sig(rs, 0), &sig));
	z = zone_named(c->w, sig.signer);
	if (z == NULL || z->signing == NULL) {
		fail_msg("signed by what is no signed zone");
		return NULL;
	}
	for (unsigned int i = 0; i < z->signing->key_count; i++)
		keys[i] = sign_dnskey(c->a, z->signing->keys[i], z->signing->flags[i]);
	assert_ok(keyset_make(rrset_make_in(c->a, z->apex, RR_DNSKEY, CLASS_IN, 3600, keys, z->signing->key_count, 0), NULL, &kl, &work, &ks));
	assert_ok(rrset_verify(rs, ks, NULL, NULL, &t, &sl, c->a, &work, &report));
	copy = rrset_copy_in(c->a, rs);
	copy->security = SECURITY_SECURE;
	if (report.verdict == SIG_GOOD) {
		seen.good++;
		assert_true(z->signing->fault == FAULT_NONE || z->signing->fault == FAULT_DS || (z->signing->fault == FAULT_KEY && rs->type == RR_DNSKEY));
	} else {
		seen.bad++;
		assert_true(z->signing->fault != FAULT_NONE && z->signing->fault != FAULT_DS);
	}
	return copy;
}

static struct denial_proof proof_of(struct check *c, const struct model_zone *z, struct work *work)
{
	const struct rrset **sets = arena_alloc_array(c->a, c->m.authority.count + 1, sizeof *sets);
	struct denial_proof p = { .zone = z->apex, .sets = sets, .limits = DENIAL_LIMITS, .hasher = c->hasher, .work = work, .arena = c->a };

	for (size_t i = 0; i < c->m.authority.count; i++) {
		struct rrset *rs = check_set(c, c->m.authority.sets[i]);

		if (rs != NULL)
			sets[p.n++] = rs;
	}
	return p;
}

/* How the end of the chain is proven, at a name of a signed zone. */
static void check_end(struct check *c, const struct model_zone *z, struct name name, uint16_t type)
{
	struct work work = { 10000000 };
	struct denial_proof p = proof_of(c, z, &work);
	struct denial_verdict v;
	struct model_find f;
	bool has = false, weak;

	model_find(z, name, &f);
	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next)
		has |= f.exists && name_equal(m->rr.owner, f.source) && m->rr.type == type;
	if (has && name_equal(f.source, name))
		return;
	if (has) {
		v = denial_prove_expansion(&p, name, f.source.labels - 1u);
		weak = zone_denies_weakly(z, name, true);
		seen.expansion += !weak;
		assert_int_equal(v.what == DENIAL_WILDCARD_ANSWER, !weak);
	} else {
		v = denial_prove(&p, name, type);
		weak = zone_denies_weakly(z, name, !f.exists || !name_equal(f.source, name));
		seen.nxdomain += !weak && !f.exists;
		seen.nodata += !weak && f.exists;
		if (!weak && !f.exists)
			assert_int_equal(v.what, DENIAL_PROVEN_NXDOMAIN);
		else if (!weak)
			assert_true(v.what == DENIAL_PROVEN_NODATA || v.what == DENIAL_WILDCARD_NODATA || v.what == DENIAL_NO_DS_INSECURE);
	}
	if (weak) {
		seen.weak++;
		assert_true(v.what == DENIAL_INSECURE_OPTOUT || v.what == DENIAL_ITERATIONS_INSECURE || v.what == DENIAL_NO_DS_INSECURE);
	}
}

static void question(struct check *c, struct model_zone *z, struct name name, uint16_t type)
{
	struct model_server *v = honest_server(c->w, z);
	struct model_find f;

	if (v == NULL || !ask(c, v, name, type))
		return;
	seen.questions++;
	for (size_t i = 0; i < c->m.answer.count; i++)
		(void)check_set(c, c->m.answer.sets[i]);
	if (z->signing == NULL) {
		for (size_t i = 0; i < c->m.answer.count; i++)
			assert_true(c->m.answer.sets[i]->sigs == 0 || !name_is_under(rrset_name(c->m.answer.sets[i]), z->apex) || name_equal(z->apex, name));
		return;
	}
	model_find(z, name, &f);
	if (f.dname == NULL && (f.cname == NULL || type == RR_CNAME))
		check_end(c, z, name, type);
}

/* What a server of the zone above says on the way: a DS that is signed, or that there is none. */
static void referral(struct check *c, const struct model_zone *z)
{
	struct model_server *v = honest_server(c->w, z->parent);
	struct work work = { 10000000 };
	struct denial_verdict d;
	struct denial_proof p;
	struct name_buf below;
	bool has_ds = false;

	must(name_from_text("www", &z->apex, &below));
	/* A server of both answers for the zone itself. */
	if (v == NULL || z->parent->signing == NULL || !ask(c, v, name_of(&below), RR_A) || (c->m.flags & MSG_AA) != 0)
		return;
	seen.referrals++;
	p = proof_of(c, z->parent, &work);
	for (size_t i = 0; i < p.n; i++)
		has_ds |= p.sets[i]->type == RR_DS && name_equal(rrset_name(p.sets[i]), z->apex);
	if (has_ds)
		return;
	d = denial_prove(&p, z->apex, RR_DS);
	assert_true(d.what == DENIAL_NO_DS_INSECURE || d.what == DENIAL_INSECURE_OPTOUT || d.what == DENIAL_ITERATIONS_INSECURE);
}

static void one_world(uint64_t seed)
{
	struct world_options o = { .tops = 3, .zones = 10, .bad_servers = 200000, .liars = true, .deep = seed % 4 == 0 };
	AUTO(sim_free) struct sim *sim = sim_new(seed);
	AUTO(nsec3_hasher_free) struct nsec3_hasher *hasher = nsec3_hasher_new();
	AUTO(world_free) struct world *w = world_new(sim, &o);
	struct check c = { .w = w, .sim = sim, .hasher = hasher };

	world_sign(w, seed, PLANT_NONE);
	for (unsigned int i = 0; i < QUESTIONS; i++) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		struct model_zone *best = w->root;
		struct name_buf name;
		uint16_t type;

		c.a = a;
		world_question(w, &name, &type);
		for (struct model_zone *z = w->zones; z != NULL; z = z->next) {
			if (name_is_under(name_of(&name), z->apex) && z->apex.labels >= best->apex.labels)
				best = z;
		}
		if (type == RR_DS)
			best = best->parent;
		question(&c, best, name_of(&name), type);
	}
	for (struct model_zone *z = w->zones; z != NULL; z = z->next) {
		AUTO(arena_free) struct arena *a = arena_new(0);

		c.a = a;
		if (z->parent != NULL)
			referral(&c, z);
		question(&c, z, z->apex, RR_DNSKEY);
		if (z->parent != NULL)
			question(&c, z->parent, z->apex, RR_DS);
	}
}

static void what_servers_say_is_proof(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS; seed++)
		one_world(seed);
	print_message("%u questions: %u sets signed well, %u badly; %u names, %u types denied, %u expansions, %u denials without weight, %u referrals\n",
	    seen.questions, seen.good, seen.bad, seen.nxdomain, seen.nodata, seen.expansion, seen.weak, seen.referrals);
	/* Every kind was met. */
	assert_true(seen.good > 1000 && seen.bad > 50 && seen.nxdomain > 20 && seen.nodata > 20 && seen.expansion > 5 && seen.weak > 20 && seen.referrals > 100);
}

/* RFC 4034 section 5.4, RFC 5155 appendix A: the signer's own parts by what is written elsewhere. */
static void hashes_and_tags(void **state)
{
	static const uint8_t salt[] = { 0xaa, 0xbb, 0xcc, 0xdd };
	struct name_buf name = nb("example.");
	uint8_t hash[SIGN_HASH];
	char text[33];

	(void)state;
	sign_nsec3_hash(name_of(&name), span_of(salt, sizeof salt), 12, hash);
	sign_base32(hash, text);
	assert_string_equal(text, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(hashes_and_tags), cmocka_unit_test(what_servers_say_is_proof) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
