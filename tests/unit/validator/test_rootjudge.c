/* The real root zone before the judge: each reply that a root server gave then about a top level, and its broken twin. */
#include "tests/unit/validator/rootzone.h"

#include "dns/edns.h"
#include "validator/judge.h"
#include "validator/nsec3.h"

#define KNOWN 4000

static struct anchors *anchors;
static struct ntas *ntas;
static struct nsec3_hasher *hasher;
static struct trust *known[KNOWN];
static size_t n_known;
static bool with_referrals;

static void forget(void)
{
	while (n_known > 0)
		trust_unref(MOVE(known[--n_known]));
}

static const struct trust *look_up(void *user, struct name zone)
{
	(void)user;
	for (size_t i = n_known; i-- > 0;)
		if (name_equal(name_of(&known[i]->zone), zone))
			return known[i];
	return NULL;
}

/* A referral to a top level brings its DS set, or the NSEC that says that there is none. */
static bool referral(void *user, struct name zone, const struct rrset *const **ret_sets, size_t *ret_n)
{
	static const struct rrset *set;

	(void)user;
	if (!with_referrals || zone.labels != 1)
		return false;
	set = find(zone, RR_DS);
	if (set == NULL)
		set = find(zone, RR_NSEC);
	*ret_sets = &set;
	*ret_n = set != NULL;
	return set != NULL;
}

static bool cut(void *user, struct name name, struct name *ret_zone)
{
	struct name top = name.labels > 0 ? name_suffix(name, 1) : name_root;

	(void)user;
	*ret_zone = find(top, RR_NS) != NULL ? top : name_root;
	return true;
}

static bool failed(void *user, struct name name, uint16_t type, struct chain_failure *ret)
{
	(void)user;
	(void)name;
	(void)type;
	(void)ret;
	return false;
}

static void learn(void *user, struct trust *t)
{
	(void)user;
	assert_true(n_known < KNOWN);
	known[n_known++] = t;
}

static const struct val_policy policy = { .keys = { KEY_RSA_MIN_BITS, KEY_RSA_MAX_BITS, KEY_RSA_EXPONENT_BITS, KEY_MAX_KEYS },
	.signatures = { SIG_MAX_SIGNATURES, SIG_MAX_SAME_TAG, SIG_MAX_FAILURES }, .denials = { DENIAL_ITERATIONS, DENIAL_SETS, DENIAL_ITERATIONS_CHECKED }, .skew_min = SIG_SKEW_MIN,
	.skew_max = SIG_SKEW_MAX, .stripped_is_bogus = true, .max_probes = VAL_MAX_PROBES };

struct reply {
	struct judge_reply r;
	const struct rrset *answer[1], *authority[3];
};

/* What a root server says. */
static void serve(struct name name, uint16_t type, struct reply *p)
{
	const struct rrset *set = find(name, type);

	*p = (struct reply){ .r = { .name = name, .type = type, .final = name, .zone = name_root } };
	p->r.answer = p->answer;
	p->r.authority = p->authority;
	if (set != NULL) {
		p->r.kind = JUDGE_ANSWER;
		p->answer[p->r.answers++] = set;
		return;
	}
	p->r.kind = JUDGE_NODATA;
	p->authority[p->r.authorities++] = find(name_root, RR_SOA);
	p->authority[p->r.authorities++] = find(name, RR_NSEC);
	assert_non_null(p->authority[1]);
}

/* What is asked on the way is answered from the zone; a question that its servers cannot answer ends it: NULL, and *ret_ask is that question. */
static const struct judgement *judge_at(const struct judge_reply *r, struct arena *a, uint32_t now, struct question *ret_ask)
{
	struct judge *j = judge_new(a, r);

	assert_non_null(j);
	for (int i = 0; i < 100; i++) {
		struct work work = { 100 * WORK_UNIT };
		struct chain_env e = { .policy = &policy, .anchors = anchors, .ntas = ntas, .wall = now, .time = { now, SIG_SKEW_MIN, SIG_SKEW_MAX, false }, .hasher = hasher,
			.arena = a, .work = &work, .known = look_up, .referral = referral, .cut = cut, .failed = failed, .learn = learn };
		enum judge_what what = judge_run(j, &e, ret_ask);
		struct question on_the_way;
		struct reply p;

		if (what == JUDGE_DONE)
			return judge_judgement(j);
		assert_int_equal(what, JUDGE_ASK);
		if (ret_ask->type == RR_DS ? ret_ask->name.labels != 1 : ret_ask->name.labels != 0)
			return NULL;
		serve(ret_ask->name, ret_ask->type, &p);
		assert_int_equal(judge_at(&p.r, a, now, &on_the_way)->security, SECURITY_SECURE);
	}
	fail_msg("no end");
	return NULL;
}

#define ARENA AUTO(arena_free) struct arena *a = arena_new(0)

static void delegations_are_secure_or_provably_not(void **state)
{
	size_t secure = 0, insecure = 0;

	(void)state;
	for (size_t i = 0; i < n_sets; i++) {
		const struct judgement *v;
		struct question q;
		struct reply p;
		ARENA;

		if (!is_top(i))
			continue;
		serve(rrset_name(sets[i]), RR_DS, &p);
		v = judge_at(&p.r, a, NOON, &q);
		assert_non_null(v);
		assert_int_equal(v->security, SECURITY_SECURE);
		assert_int_equal(v->ede, 0);
		assert_true(name_equal(v->zone, name_root));
		if (p.r.kind == JUDGE_ANSWER) {
			assert_int_equal(v->answer[0].rs->security, SECURITY_SECURE);
			assert_true(rrset_same_data(v->answer[0].rs, p.answer[0]));
			secure++;
		} else {
			assert_int_equal(v->denial, DENIAL_NO_DS_INSECURE);
			assert_int_equal(v->authority[1].rs->security, SECURITY_SECURE);
			insecure++;
		}
	}
	assert_int_equal(secure + insecure, n_nsecs - 1);
	assert_true(secure > 1300 && insecure > 100);
}

/* Data from below a top level without a signature: insecure where the root says so, and else the top level's keys are asked for. From an empty memory each time, by the
 * referral or by a DS question. */
static void what_is_below_is_secure_or_provably_not(void **state)
{
	static const struct name www = { (const uint8_t *)"\3www", 5, 1 };
	struct span address = span_of("\300\0\2\1", 4);

	(void)state;
	for (size_t i = 0; i < n_sets; i++) {
		const struct judgement *v;
		struct question q;
		struct reply p = { .answer = { NULL } };
		struct name_buf name;
		ARENA;

		if (!is_top(i))
			continue;
		if (i % 32 == 0) /* the root's keys, too */
			forget();
		with_referrals = i % 2 == 0;
		assert_ok(name_concat(www, 1, rrset_name(sets[i]), &name));
		p.answer[0] = rrset_make_in(a, name_of(&name), RR_A, CLASS_IN, 60, &address, 1, 0);
		p.r = (struct judge_reply){ .name = name_of(&name), .type = RR_A, .kind = JUDGE_ANSWER, .final = name_of(&name), .zone = rrset_name(sets[i]),
			.answer = p.answer, .answers = 1, .authority = p.authority };
		v = judge_at(&p.r, a, NOON, &q);
		if (find(rrset_name(sets[i]), RR_DS) != NULL) {
			assert_null(v);
			assert_int_equal(q.type, RR_DNSKEY);
			assert_true(name_equal(q.name, rrset_name(sets[i])));
		} else {
			assert_non_null(v);
			assert_int_equal(v->security, SECURITY_INSECURE);
			assert_true(name_equal(v->zone, rrset_name(sets[i])));
		}
	}
	with_referrals = false;
}

static void absent(struct name name, const struct rrset *covers, bool with_wildcard, enum security want)
{
	const struct judgement *v;
	struct question q;
	struct reply p = { .authority = { find(name_root, RR_SOA), covers, find(name_root, RR_NSEC) } };
	ARENA;

	p.r = (struct judge_reply){ .name = name, .type = RR_A, .kind = JUDGE_NXDOMAIN, .final = name, .zone = name_root, .answer = p.answer, .authority = p.authority,
		.authorities = with_wildcard ? 3 : 2 };
	v = judge_at(&p.r, a, NOON, &q);
	assert_non_null(v);
	assert_int_equal(v->security, want);
	if (want == SECURITY_SECURE)
		assert_int_equal(v->denial, DENIAL_PROVEN_NXDOMAIN);
	else
		assert_true(v->ede == EDE_NSEC_MISSING || v->ede == EDE_BOGUS); /* there are records, but they do not say so */
}

static void every_gap_is_securely_empty(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_nsecs; i++) {
		struct name_buf gap;

		if (nsecs[i]->name_labels == 0)
			continue;
		gap = behind(rrset_name(nsecs[i]));
		absent(name_of(&gap), nsecs[i], true, SECURITY_SECURE);
		if (i % 16 != 0)
			continue;
		absent(name_of(&gap), nsecs[i], false, SECURITY_BOGUS);               /* a wildcard might answer */
		absent(name_of(&gap), nsecs[(i + 1) % n_nsecs], true, SECURITY_BOGUS); /* another gap's */
	}
}

static uint16_t ede_of(const struct judge_reply *r, uint32_t now)
{
	const struct judgement *v;
	struct question q;
	ARENA;

	v = judge_at(r, a, now, &q);
	assert_non_null(v);
	assert_int_equal(v->security, SECURITY_BOGUS);
	assert_non_null(v->text);
	return v->ede;
}

static const struct rrset *flipped(const struct rrset *set, size_t item, size_t bit)
{
	struct span spans[64];
	uint8_t *p;

	for (size_t i = 0; i < (size_t)set->count + set->sigs; i++)
		spans[i] = rrset_item_(set, i);
	p = arena_dup(arena, spans[item].p, spans[item].n);
	p[spans[item].n - 1 - bit / 8 % spans[item].n] ^= 1u << (bit % 8);
	spans[item].p = p;
	return rrset_make_unique_in(arena, rrset_name(set), set->type, CLASS_IN, set->ttl, spans, set->count, set->sigs);
}

static void broken_twins_are_bogus(void **state)
{
	struct question q;
	struct reply p;
	size_t n = 0;

	(void)state;
	{
		ARENA;

		forget();
		serve(name_root, RR_DNSKEY, &p);
		assert_int_equal(judge_at(&p.r, a, NOON, &q)->security, SECURITY_SECURE); /* known from here on */
	}
	for (size_t i = 0; i < n_sets; i++) {
		const struct rrset **set;

		if (!is_top(i) || n++ % 16 != 0)
			continue;
		serve(rrset_name(sets[i]), RR_DS, &p);
		assert_int_equal(ede_of(&p.r, NOON + 60 * DAY), EDE_SIG_EXPIRED);
		assert_int_equal(ede_of(&p.r, NOON - 60 * DAY), EDE_SIG_NOT_YET);
		set = p.r.kind == JUDGE_ANSWER ? &p.answer[0] : &p.authority[1];
		*set = flipped(*set, (*set)->count, i % 2048); /* the signature, RSA-2048 */
		assert_int_equal(ede_of(&p.r, NOON), EDE_BOGUS);
		serve(rrset_name(sets[i]), RR_DS, &p);
		*set = flipped(*set, 0, i % 64);
		(void)ede_of(&p.r, NOON);
		serve(rrset_name(sets[i]), RR_DS, &p);
		*set = rrset_make_in(arena, rrset_name(*set), (*set)->type, CLASS_IN, 60, (struct span[]){ rrset_rdata(*set, 0) }, 1, 0);
		assert_int_equal(ede_of(&p.r, NOON), EDE_RRSIGS_MISSING);
	}
	forget();
	serve(name_root, RR_DNSKEY, &p);
	assert_int_equal(ede_of(&p.r, NOON + 60 * DAY), EDE_SIG_EXPIRED);
	assert_int_equal(ede_of(&p.r, NOON - 60 * DAY), EDE_SIG_NOT_YET);
	p.answer[0] = flipped(p.answer[0], p.answer[0]->count, 99);
	assert_int_equal(ede_of(&p.r, NOON), EDE_BOGUS);
}

static int setup(void **state)
{
	if (root_load(state) != 0)
		return 1;
	anchors = anchors_new();
	ntas = ntas_new(1);
	hasher = nsec3_hasher_new();
	return anchors != NULL && ntas != NULL && hasher != NULL && OK(anchors_add_root(anchors)) && OK(anchors_seal(anchors)) ? 0 : 1;
}

static int teardown(void **state)
{
	forget();
	anchors_free(MOVE(anchors));
	ntas_free(MOVE(ntas));
	nsec3_hasher_free(MOVE(hasher));
	return root_unload(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delegations_are_secure_or_provably_not),
		cmocka_unit_test(what_is_below_is_secure_or_provably_not),
		cmocka_unit_test(every_gap_is_securely_empty),
		cmocka_unit_test(broken_twins_are_bogus),
	};

	return root_there() ? cmocka_run_group_tests(tests, setup, teardown) : 77;
}
