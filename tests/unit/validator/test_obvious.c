/* The validator's signatures against the second implementation (obvious.h), and that one against libldns. */
#include "tests/unit/validator/validator_test.h"

#include "tests/unit/ldns_overlay.h"
#include "tests/unit/validator/signature_model.h"

extern void ldns_rr_list_deep_free(ldns_rr_list *list) TAKES(1);
extern ldns_rr_list *ldns_rr_list_new(void) OWNED_BY(ldns_rr_list_deep_free);
DEFINE_AUTO(ldns_rr_list, ldns_rr_list_deep_free)

static uint64_t seed = 5;
static uint8_t draw(void) /* the same octets in each run */
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint8_t)(seed >> 40);
}

/* *ret stays NULL when libldns does not read it. */
static void to_ldns(struct name owner, uint16_t type, uint32_t ttl, struct span rdata, ldns_rr **ret)
{
	uint8_t wire[66000];
	struct writer w = writer_of(wire, sizeof wire);
	size_t at = 0;

	write_octets(&w, owner.wire, owner.len);
	write16(&w, type);
	write16(&w, CLASS_IN);
	write32(&w, ttl);
	write16(&w, (uint16_t)rdata.n);
	write_span(&w, rdata);
	assert_true(writer_ok(&w));
	*ret = NULL;
	if (ldns_wire2rr(ret, wire, w.pos, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		*ret = NULL;
}

/* Types that libldns reads and writes as they came, and has in its own list of those with names to lower. */
static bool is_for_ldns(uint16_t type)
{
	static const uint16_t types[] = { RR_A, RR_NS, RR_CNAME, RR_PTR, RR_MX, 17, 18, 33, RR_SOA, RR_TXT, RR_NSEC, RR_DS, 28, 39 };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i] == type)
			return true;
	return false;
}

/* The mathematics alone: whether key i made signature s over the set. -1: libldns cannot say. */
static int ldns_says(const struct rrset *set, struct span rrsig, const struct rrset *dnskeys, size_t i)
{
	AUTO(ldns_rr_list_deep_free) ldns_rr_list *rrs = ldns_rr_list_new();
	AUTO(ldns_rr_list_deep_free) ldns_rr_list *keys = ldns_rr_list_new();
	AUTO(ldns_rr_free) ldns_rr *sig = NULL;
	ldns_rr *rr;

	to_ldns(rrset_name(set), RR_RRSIG, set->ttl, rrsig, &sig);
	for (size_t k = 0; k < set->count; k++) {
		to_ldns(rrset_name(set), set->type, set->ttl, rrset_rdata(set, k), &rr);
		if (rr == NULL)
			return -1;
		ldns_rr_list_push_rr(rrs, rr);
	}
	to_ldns(rrset_name(dnskeys), RR_DNSKEY, 3600, rrset_rdata(dnskeys, i), &rr);
	if (rr == NULL)
		return -1;
	ldns_rr_list_push_rr(keys, rr);
	return sig != NULL ? ldns_verify_rrsig_keylist_notime(rrs, sig, keys, NULL) == LDNS_STATUS_OK : -1;
}

static unsigned int compared, ldns_good;

static void compare_with_ldns(const struct sigmodel *m)
{
	for (size_t s = 0; s < m->set->sigs; s++)
		for (size_t i = 0; i < m->dnskeys->count; i++) {
			struct span rrsig = rrset_sig(m->set, s), dnskey = rrset_rdata(m->dnskeys, i);
			struct rrsig sig;
			bool ours;
			int theirs;

			if (!OK(rrsig_parse(rrsig, &sig)) || sig.type != m->set->type || sig.labels > rrset_name(m->set).labels || dnskey.p[2] != 3 ||
			    (dnskey.p[0] & 1) == 0 || sig.tag != obvious_tag(dnskey) || sig.algorithm != dnskey.p[3])
				continue; /* what libldns looks at besides */
			ours = obvious_verify(dnskey, rrsig, m->set);
			theirs = ldns_says(m->set, rrsig, m->dnskeys, i);
			if (theirs < 0)
				continue;
			assert_int_equal(theirs, ours);
			compared++;
			ldns_good += ours;
		}
}

static void both_say_the_same(void **state)
{
	unsigned int good = 0, bad = 0;

	(void)state;
	for (unsigned int run = 0; run < 1500; run++) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		uint8_t octets[160];
		struct sigmodel m;

		for (size_t i = 0; i < sizeof octets; i++)
			octets[i] = draw();
		if (sigmodel_make(&m, a, span_of(octets, sizeof octets))) {
			sigmodel_check(&m);
			good += m.agreed_good;
			bad += !m.agreed_good;
			if (is_for_ldns(m.set->type))
				compare_with_ldns(&m);
		}
		sigmodel_done(&m);
	}
	print_message("%u good, %u not; %u compared with libldns, %u of these good\n", good, bad, compared, ldns_good);
	assert_true(good > 300 && bad > 300 && compared > 500 && ldns_good > 100);
}

static void digests_are_the_same(void **state)
{
	static const uint8_t types[] = { 1, 2, 4 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(signer_free) struct signer *s = signer_new(13, 257, 0);
	struct name_buf owner = nb("Example.ORG.");
	struct span dnskey = signer_dnskey(s);

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		AUTO(ldns_rr_free) ldns_rr *key = NULL;
		ldns_rr *rr;
		uint8_t room[64];
		struct writer w = writer_of(room, sizeof room);
		struct work work = { 1000000 };
		struct ds d;

		to_ldns(name_of(&owner), RR_DNSKEY, 60, dnskey, &key);
		rr = ldns_key_rr2ds(key, (ldns_hash)types[i]);
		assert_non_null(rr);
		write16(&w, ldns_calc_keytag(key));
		write8(&w, 13);
		write8(&w, types[i]);
		write_octets(&w, ldns_rdf_data(ldns_rr_rdf(rr, 3)), ldns_rdf_size(ldns_rr_rdf(rr, 3)));
		ldns_rr_free(rr);
		for (unsigned int k = 0; k < w.pos; k++) {
			assert_true(obvious_ds_matches(writer_done(&w), name_of(&owner), dnskey));
			assert_ok(ds_parse(writer_done(&w), &d));
			assert_ok(ds_matches(&d, name_of(&owner), dnskey, &work));
			room[k] ^= 1;
			assert_false(obvious_ds_matches(writer_done(&w), name_of(&owner), dnskey));
			assert_false(OK(ds_parse(writer_done(&w), &d)) && OK(ds_matches(&d, name_of(&owner), dnskey, &work)));
			room[k] ^= 1;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_say_the_same),
		cmocka_unit_test(digests_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
