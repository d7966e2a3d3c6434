#include "tests/unit/dns/dns_test.h"
#include "tests/unit/validator/denial_model.h"
#include "tests/unit/validator/obvious_denial.h"
#include "validator/nsec.h"

static uint64_t seed = 1;
static uint32_t draw(uint32_t below) /* the same numbers in each run */
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static const uint16_t asked[] = { RR_A, RR_TXT, RR_DS, RR_CNAME, RR_NS, RR_DNAME };

static void ask_everything(struct model *m, unsigned int subsets)
{
	for (unsigned int i = 0; i <= 84; i++) {
		struct name_buf q = i == 84 ? m->zone : model_nth("*abc", i, name_of(&m->zone));

		for (size_t t = 0; t < sizeof asked / sizeof *asked; t++) {
			for (int nsec3 = 0; nsec3 < 2; nsec3++) {
				model_check(m, name_of(&q), asked[t], nsec3 != 0, 0, true);
				for (unsigned int k = 0; k < subsets; k++)
					model_check(m, name_of(&q), asked[t], nsec3 != 0, (uint64_t)draw(1u << 31) << 31 | draw(1u << 31), false);
			}
		}
	}
}

/* The heart: random zones, every question, the whole chains and parts of them. */
static void chains_prove_what_is_so_and_nothing_else(void **state)
{
	static const unsigned int kinds[] = { M_A, M_A, M_CNAME, M_NS, M_NS | M_DS, M_DNAME };
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	AUTO(arena_free) struct arena *a = arena_new(0);
	static struct model m;
	unsigned int proofs = 0;

	(void)state;
	for (unsigned int run = 0; run < 40; run++) {
		unsigned int some = 1 + draw(9);

		arena_reset(a);
		model_init(&m, a, h);
		m.opt_out = run % 2 != 0;
		m.iterations = run % 3;
		for (unsigned int i = 0; i < some; i++) {
			struct name_buf name = model_nth("*ab", draw(MODEL_NAMES), name_of(&m.zone));

			if (model_find(&m, name_of(&name)) == NULL)
				model_add(&m, name_of(&name), kinds[draw(6)]);
		}
		model_sign(&m);
		ask_everything(&m, 3);
		proofs += m.proofs;
	}
	assert_true(proofs > 100000);
}

/* --- by hand */

struct rig {
	struct arena *arena;
	struct nsec3_hasher *hasher;
	struct work work;
	const struct rrset *sets[600];
	size_t n;
	struct name_buf zone;
	struct denial_limits limits;
};

static void rig_start(struct rig *r, struct arena *a, struct nsec3_hasher *h, const char *zone)
{
	*r = (struct rig){ .arena = a, .hasher = h, .work = { 1000000 }, .zone = nb(zone), .limits = DENIAL_LIMITS };
}
static struct rrset *put(struct rig *r, const char *owner, uint16_t type, const char *rdata)
{
	struct rrset *rs = make_set(r->arena, owner, type, 300, &rdata, 1);

	rs->security = SECURITY_SECURE;
	r->sets[r->n++] = rs;
	return rs;
}
static struct denial_proof proof_of(struct rig *r)
{
	return (struct denial_proof){ .zone = name_of(&r->zone), .sets = r->sets, .n = r->n, .limits = r->limits, .hasher = r->hasher, .work = &r->work, .arena = r->arena };
}
static struct denial_verdict prove(struct rig *r, const char *name, uint16_t type)
{
	struct denial_proof p = proof_of(r);
	struct name_buf q = nb(name);

	return denial_prove(&p, name_of(&q), type);
}
static enum denial expand(struct rig *r, const char *name, unsigned int labels)
{
	struct denial_proof p = proof_of(r);
	struct name_buf q = nb(name);

	return denial_prove_expansion(&p, name_of(&q), labels).what;
}

#define RIG(zone) \
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new(); \
	AUTO(arena_free) struct arena *a = arena_new(0); \
	struct rig r; \
	(void)state; \
	rig_start(&r, a, h, zone)

static void rfc_4035_appendix_b(void **state)
{
	RIG("example.");

	put(&r, "b.example.", RR_NSEC, "ns1.example. NS RRSIG NSEC"); /* B.2, name error; and B.5 */
	put(&r, "example.", RR_NSEC, "a.example. NS SOA MX RRSIG NSEC DNSKEY");
	assert_int_equal(prove(&r, "ml.example.", RR_A).what, DENIAL_PROVEN_NXDOMAIN);
	assert_int_equal(prove(&r, "b.example.", RR_DS).what, DENIAL_NO_DS_INSECURE);
	assert_int_equal(prove(&r, "b.example.", RR_A).what, DENIAL_NOT_PROVEN);
	assert_int_equal(prove(&r, "x.b.example.", RR_A).what, DENIAL_NOT_PROVEN);
	assert_int_equal(prove(&r, "example.", RR_DS).what, DENIAL_NOT_PROVEN); /* B.8 is of the child */
	rig_start(&r, a, h, "example.");
	put(&r, "ns1.example.", RR_NSEC, "ns2.example. A RRSIG NSEC"); /* B.3 */
	assert_int_equal(prove(&r, "ns1.example.", RR_MX).what, DENIAL_PROVEN_NODATA);
	assert_int_equal(prove(&r, "ns1.example.", RR_A).what, DENIAL_NOT_PROVEN);
	rig_start(&r, a, h, "example.");
	put(&r, "x.y.w.example.", RR_NSEC, "xx.example. MX RRSIG NSEC"); /* B.6, B.7 */
	assert_int_equal(expand(&r, "a.z.w.example.", 2), DENIAL_WILDCARD_ANSWER);
	assert_int_equal(expand(&r, "a.z.w.example.", 1), DENIAL_NOT_PROVEN);
	assert_int_equal(prove(&r, "a.z.w.example.", RR_AAAA).what, DENIAL_NOT_PROVEN);
	put(&r, "*.w.example.", RR_NSEC, "x.w.example. MX RRSIG NSEC");
	assert_int_equal(prove(&r, "a.z.w.example.", RR_AAAA).what, DENIAL_WILDCARD_NODATA);
	assert_int_equal(prove(&r, "a.z.w.example.", RR_MX).what, DENIAL_NOT_PROVEN);
}

static void rfc_5155_appendix_b(void **state)
{
	RIG("example.");

	put(&r, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", RR_NSEC3, "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG");
	put(&r, "b4um86eghhds6nea196smvmlo4ors995.example.", RR_NSEC3, "1 1 12 aabbccdd gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG");
	put(&r, "35mthgpgcu1qg68fab165klnsnk3dpvl.example.", RR_NSEC3, "1 1 12 aabbccdd b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG");
	assert_int_equal(prove(&r, "a.c.x.w.example.", RR_A).what, DENIAL_INSECURE_OPTOUT); /* B.1: opt-out is set everywhere */
	assert_true(prove(&r, "a.c.x.w.example.", RR_A).no_wildcard);
	assert_int_equal(prove(&r, "a.c.x.w.example.", RR_A).closest, 3);
	assert_int_equal(prove(&r, "c.example.", RR_DS).what, DENIAL_INSECURE_OPTOUT); /* B.3 */
	assert_int_equal(prove(&r, "example.", RR_DS).what, DENIAL_NOT_PROVEN); /* B.6 */
	put(&r, "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", RR_NSEC3, "1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG");
	assert_int_equal(prove(&r, "ns1.example.", RR_MX).what, DENIAL_PROVEN_NODATA); /* B.2 */
	put(&r, "ji6neoaepv8b5o6k4ev33abha8ht9fgc.example.", RR_NSEC3, "1 1 12 aabbccdd k8udemvp1j2f7eg6jebps17vp3n8i58h");
	assert_int_equal(prove(&r, "y.w.example.", RR_A).what, DENIAL_PROVEN_NODATA); /* B.2.1, empty non-terminal */
	put(&r, "q04jkcevqvmu85r014c7dkba38o0ji5r.example.", RR_NSEC3, "1 1 12 aabbccdd r53bq7cc2uvmubfu5ocmm6pers9tk9en A RRSIG");
	assert_int_equal(expand(&r, "a.z.w.example.", 2), DENIAL_INSECURE_OPTOUT); /* B.4 */
}

static void a_next_name_outside_the_zone_proves_nothing(void **state)
{
	RIG("a.example.");

	put(&r, "a.example.", RR_NSEC, "zzz.example. NS SOA RRSIG NSEC");
	assert_int_equal(prove(&r, "q.a.example.", RR_A).what, DENIAL_NOT_PROVEN);
	assert_int_equal(prove(&r, "b.example.", RR_A).what, DENIAL_NOT_PROVEN);
	put(&r, "example.", RR_NSEC, "z.a.example. A RRSIG NSEC");
	assert_int_equal(prove(&r, "q.a.example.", RR_A).what, DENIAL_NOT_PROVEN);
	put(&r, "x.a.example.", RR_NSEC, "b.a.example. A RRSIG NSEC"); /* backwards */
	assert_int_equal(prove(&r, "y.a.example.", RR_A).what, DENIAL_NOT_PROVEN);
}

static void an_nsec3_not_directly_under_its_zone_proves_nothing(void **state)
{
	RIG("example.");

	put(&r, "2t7b4g4vsa5smi47k61mv5bv1a22bojr.sub.example.", RR_NSEC3, "1 0 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG");
	assert_int_equal(prove(&r, "ns1.example.", RR_MX).what, DENIAL_NOT_PROVEN);
	put(&r, "2t7b4g4vsa5smi47k61mv5bv1a22bojr.org.", RR_NSEC3, "1 0 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG");
	assert_int_equal(prove(&r, "ns1.example.", RR_MX).what, DENIAL_NOT_PROVEN);
	put(&r, "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", RR_NSEC3, "1 2 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG"); /* a flag */
	assert_int_equal(prove(&r, "ns1.example.", RR_MX).what, DENIAL_NOT_PROVEN);
	put(&r, "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", RR_NSEC3, "1 0 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG");
	assert_int_equal(prove(&r, "ns1.example.", RR_MX).what, DENIAL_PROVEN_NODATA);
	put(&r, "35mthgpgcu1qg68fab165klnsnk3dpvl.example.", RR_NSEC3, "1 0 11 aabbccdd b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG"); /* another chain */
	assert_int_equal(prove(&r, "ns1.example.", RR_MX).what, DENIAL_NOT_PROVEN);
}

static void a_set_that_was_expanded_or_not_verified_proves_nothing(void **state)
{
	static const char *const sig = "NSEC 8 1 300 20300101000000 20200101000000 1 example. AAAA";
	RIG("example.");
	struct rrset *rs = put(&r, "b.example.", RR_NSEC, "d.example. A RRSIG NSEC");
	struct writer w;
	uint8_t room[128];
	const char *msg;
	struct span data[2];
	struct rrset *two;
	struct name_buf owner = nb("b.example.");

	assert_int_equal(prove(&r, "b.example.", RR_MX).what, DENIAL_PROVEN_NODATA);
	rs->security = SECURITY_UNCHECKED;
	assert_int_equal(prove(&r, "b.example.", RR_MX).what, DENIAL_NOT_PROVEN);
	for (uint8_t labels = 1; labels <= 3; labels++) {
		w = writer_of(room, sizeof room);
		assert_ok(rdata_parse(RR_RRSIG, sig, NULL, &w, &msg));
		room[3] = labels;
		data[0] = rrset_rdata(rs, 0);
		data[1] = writer_done(&w);
		two = rrset_make_in(a, name_of(&owner), RR_NSEC, CLASS_IN, 300, data, 1, 1);
		assert_non_null(two);
		two->security = SECURITY_SECURE;
		r.sets[0] = two;
		assert_int_equal(prove(&r, "b.example.", RR_MX).what, labels == 2 ? DENIAL_PROVEN_NODATA : DENIAL_NOT_PROVEN);
	}
}

static void compact_denial(void **state)
{
	RIG("example.");

	put(&r, "no.example.", RR_NSEC, "\\000.no.example. RRSIG NSEC NXNAME");
	put(&r, "yes.example.", RR_NSEC, "\\000.yes.example. A RRSIG NSEC");
	put(&r, "both.example.", RR_NSEC, "\\000.both.example. A RRSIG NSEC NXNAME");
	assert_int_equal(prove(&r, "no.example.", RR_A).what, DENIAL_PROVEN_NXDOMAIN);
	assert_true(prove(&r, "no.example.", RR_A).compact);
	assert_int_equal(prove(&r, "yes.example.", RR_MX).what, DENIAL_PROVEN_NODATA);
	assert_int_equal(prove(&r, "yes.example.", RR_A).what, DENIAL_NOT_PROVEN);
	assert_int_equal(prove(&r, "both.example.", RR_MX).what, DENIAL_NOT_PROVEN);
	assert_int_equal(prove(&r, "x.no.example.", RR_A).what, DENIAL_NOT_PROVEN);
}

/* The NSEC3 record of a name, which covers nothing: the next hash is one more. */
static void put_alone(struct rig *r, const char *name, const char *types)
{
	struct name_buf n = nb(name);
	uint8_t hash[NSEC3_HASH_OCTETS];
	char label[33], next[33], owner[60], rdata[100];

	obvious_nsec3_label(name_of(&n), span_of(NULL, 0), 0, hash, label);
	memcpy(next, label, sizeof next);
	assert_true(next[31] < 'v');
	next[31] = next[31] == '9' ? 'a' : (char)(next[31] + 1);
	(void)snprintf(owner, sizeof owner, "%s.example.", label);
	(void)snprintf(rdata, sizeof rdata, "1 0 0 - %s %s", next, types);
	put(r, owner, RR_NSEC3, rdata);
}

/* RFC 9824 section 4 */
static void compact_denial_by_nsec3(void **state)
{
	RIG("example.");

	put_alone(&r, "no.example.", "NXNAME");
	put_alone(&r, "yes.example.", "A RRSIG");
	put_alone(&r, "ent.example.", "");
	put_alone(&r, "both.example.", "A NXNAME");
	put_alone(&r, "*.yes.example.", "NXNAME");
	assert_int_equal(prove(&r, "no.example.", RR_A).what, DENIAL_PROVEN_NXDOMAIN);
	assert_true(prove(&r, "no.example.", RR_A).compact);
	assert_int_equal(prove(&r, "yes.example.", RR_MX).what, DENIAL_PROVEN_NODATA);
	assert_int_equal(prove(&r, "ent.example.", RR_A).what, DENIAL_PROVEN_NODATA);
	assert_int_equal(prove(&r, "both.example.", RR_MX).what, DENIAL_NOT_PROVEN);
	put(&r, "00000000000000000000000000000000.example.", RR_NSEC3, "1 0 0 - vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"); /* covers all that is not matched */
	assert_int_equal(prove(&r, "x.no.example.", RR_A).what, DENIAL_NOT_PROVEN); /* what is not there encloses nothing */
	assert_int_equal(prove(&r, "x.yes.example.", RR_A).what, DENIAL_NOT_PROVEN); /* a wildcard's absence is not said so */
	assert_int_equal(prove(&r, "x.ent.example.", RR_A).what, DENIAL_PROVEN_NXDOMAIN);
	assert_false(prove(&r, "x.ent.example.", RR_A).compact);
}

static void work_is_bounded(void **state)
{
	RIG("example.");
	char name[300] = "";
	struct denial_verdict v;

	for (int i = 0; i < 110; i++)
		memcpy(name + (size_t)i * 2, "a.", 3);
	memcpy(name + 220, "example.", 9);
	put(&r, "35mthgpgcu1qg68fab165klnsnk3dpvl.example.", RR_NSEC3, "1 0 50 aabbccdd b4um86eghhds6nea196smvmlo4ors995 A RRSIG");
	r.work.left = 51 * WORK_NSEC3_HASH * 20 + 1;
	v = prove(&r, name, RR_A);
	assert_int_equal(v.what, DENIAL_TOO_MUCH_WORK);
	assert_int_equal(v.hashes, 20);
	assert_int_equal(r.work.left, 1);
	r.work.left = 1000000;
	v = prove(&r, name, RR_A);
	assert_int_equal(v.what, DENIAL_NOT_PROVEN);
	assert_int_equal(v.ede, DENIAL_EDE_NSEC_MISSING);
	assert_int_equal(v.hashes, 111); /* each once */
	r.limits.iterations = r.limits.iterations_checked = 49;
	v = prove(&r, name, RR_A);
	assert_int_equal(v.what, DENIAL_ITERATIONS_INSECURE);
	assert_int_equal(v.ede, DENIAL_EDE_ITERATIONS);
	assert_int_equal(v.hashes, 0);
	while (r.n < DENIAL_SETS + 1)
		put(&r, "35mthgpgcu1qg68fab165klnsnk3dpvl.example.", RR_NSEC3, "1 0 0 - b4um86eghhds6nea196smvmlo4ors995 A RRSIG");
	assert_int_equal(prove(&r, name, RR_A).what, DENIAL_TOO_MUCH_WORK); /* padded */
}

/* An arena that is full, at each of its allocations: no verdict, never a wrong one. */
static void memory_may_run_out(void **state)
{
	RIG("example.");
	unsigned int failed = 0;

	put(&r, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", RR_NSEC3, "1 0 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG");
	put(&r, "b4um86eghhds6nea196smvmlo4ors995.example.", RR_NSEC3, "1 0 12 aabbccdd gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG");
	put(&r, "35mthgpgcu1qg68fab165klnsnk3dpvl.example.", RR_NSEC3, "1 0 12 aabbccdd b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG");
	for (size_t limit = 1;; limit += 8) {
		AUTO(arena_free) struct arena *small = arena_new(limit);
		struct denial_proof p = proof_of(&r);
		struct name_buf q = nb("a.c.x.w.example.");
		struct denial_verdict v;

		assert_true(limit < 100000);
		assert_non_null(small);
		p.arena = small;
		v = denial_prove(&p, name_of(&q), RR_A);
		if (v.what == DENIAL_PROVEN_NXDOMAIN)
			break;
		assert_int_equal(v.what, DENIAL_FAILED);
		failed++;
	}
	assert_true(failed > 5);
}

static void the_root_denies_a_name(void **state)
{
	RIG(".");

	put(&r, ".", RR_NSEC, "aaa. NS SOA RRSIG NSEC DNSKEY");
	put(&r, "zw.", RR_NSEC, ". NS RRSIG NSEC");
	put(&r, "lb.", RR_NSEC, "lc. NS DS RRSIG NSEC");
	put(&r, "local.", RR_NSEC, "loker. NS RRSIG NSEC");
	assert_int_equal(prove(&r, "zzz.", RR_A).what, DENIAL_PROVEN_NXDOMAIN);
	assert_int_equal(prove(&r, "lba.", RR_A).what, DENIAL_PROVEN_NXDOMAIN);
	assert_int_equal(prove(&r, "lb.", RR_DS).what, DENIAL_NOT_PROVEN);
	assert_int_equal(prove(&r, "zw.", RR_DS).what, DENIAL_NO_DS_INSECURE);
	assert_int_equal(prove(&r, "x.zw.", RR_A).what, DENIAL_NOT_PROVEN);
	assert_int_equal(prove(&r, ".", RR_DS).what, DENIAL_PROVEN_NODATA);
	assert_int_equal(prove(&r, ".", RR_TXT).what, DENIAL_PROVEN_NODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_prove_what_is_so_and_nothing_else),
		cmocka_unit_test(rfc_4035_appendix_b),
		cmocka_unit_test(rfc_5155_appendix_b),
		cmocka_unit_test(a_next_name_outside_the_zone_proves_nothing),
		cmocka_unit_test(an_nsec3_not_directly_under_its_zone_proves_nothing),
		cmocka_unit_test(a_set_that_was_expanded_or_not_verified_proves_nothing),
		cmocka_unit_test(compact_denial),
		cmocka_unit_test(compact_denial_by_nsec3),
		cmocka_unit_test(work_is_bounded),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(the_root_denies_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
