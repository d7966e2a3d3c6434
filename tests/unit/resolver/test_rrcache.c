#include "cache_unit.h"

#include "resolver/cache/rrcache.h"

static const struct rrcache_limits roomy = { .octets = 4 << 20, .max_ttl = 86400, .max_negative_ttl = 3600, .keep_expired_sec = 100 };

static struct bundle_key key(struct turn *t, const char *name, uint16_t type, enum bundle_kind kind)
{
	return (struct bundle_key){ nm(t, name), type, CLASS_IN, (uint8_t)kind };
}

static struct result put1(struct rrcache *c, struct turn *t, struct bundle_key k, const struct rrset *rs, uint32_t ttl, uint32_t now)
{
	struct now n = at_sec(now);

	return rrcache_put(c, t->m, &k, &rs, 1, ttl, &n);
}

static struct result put_a_as(struct rrcache *c, struct turn *t, const char *name, uint8_t last, uint32_t ttl, enum rank r, enum security s, uint32_t now)
{
	return put1(c, t, key(t, name, RR_A, BUNDLE_DATA), a_set(t, name, ttl, last, r, s), 0, now);
}

static void put_a(struct rrcache *c, struct turn *t, const char *name, uint8_t last, uint32_t ttl, uint32_t now)
{
	assert_true(OK(put_a_as(c, t, name, last, ttl, RANK_ANSWER_AUTH, SECURITY_INSECURE, now)));
}

static const struct bundle *get(struct rrcache *c, struct turn *t, const char *name, uint16_t type, enum bundle_kind kind, uint32_t now, unsigned int flags)
{
	struct bundle_key k = key(t, name, type, kind);
	struct now n = at_sec(now);

	return rrcache_get(c, &k, &n, flags);
}

static int last_octet(const struct bundle *b)
{
	return b == NULL ? -1 : rrset_rdata(bundle_set(b, 0), 0).p[3];
}

static int get_a(struct rrcache *c, struct turn *t, const char *name, uint32_t now)
{
	return last_octet(get(c, t, name, RR_A, BUNDLE_DATA, now, 0));
}

static void put_negative(struct rrcache *c, struct turn *t, const char *name, uint16_t type, enum security s, uint32_t now)
{
	enum bundle_kind kind = type == 0 ? BUNDLE_NXDOMAIN : BUNDLE_NODATA;

	assert_true(OK(put1(c, t, key(t, name, type, kind), soa_set(t, "example.", 300, RANK_AUTHORITY, s), 300, now)));
}

#define BEGIN \
	struct turn t = turn_begin(); \
	struct rrcache *c = rrcache_new(&roomy, &test_key); \
	(void)state; \
	assert_non_null(c)
#define END \
	rrcache_free(c); \
	turn_end(&t)

static void what_was_put_is_found_without_case_until_its_ttl_has_passed(void **state)
{
	BEGIN;
	const struct bundle *b;

	put_a(c, &t, "www.Example.ORG.", 7, 60, 1000);
	b = get(c, &t, "WWW.eXample.org.", RR_A, BUNDLE_DATA, 1059, 0);
	assert_int_equal(last_octet(b), 7);
	assert_int_equal(bundle_info(b)->ttl, 60);
	assert_int_equal(bundle_info(b)->expires_sec, 1060);
	assert_int_equal(bundle_info(b)->stored_sec, 1000);
	assert_int_equal(bundle_count(b), 1);
	assert_true(name_equal_case(rrset_name(bundle_set(b, 0)), nm(&t, "www.Example.ORG.")));
	assert_true(name_equal(bundle_key(b).name, nm(&t, "www.example.org.")));
	assert_ptr_equal(bundle_find(b, nm(&t, "www.EXAMPLE.org."), RR_A), bundle_set(b, 0));
	assert_null(bundle_find(b, nm(&t, "example.org."), RR_A));
	assert_int_equal(get_a(c, &t, "www.example.org.", 1060), -1);
	assert_int_equal(get_a(c, &t, "www.example.com.", 1000), -1);
	assert_null(get(c, &t, "www.example.org.", RR_AAAA, BUNDLE_DATA, 1000, 0));
	assert_null(get(c, &t, "www.example.org.", RR_A, BUNDLE_NODATA, 1000, 0));
	END;
}

static void an_expired_entry_is_found_only_as_stale_and_within_the_limit(void **state)
{
	BEGIN;
	put_a(c, &t, "a.example.", 1, 60, 1000);
	assert_null(get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 1100, 0));
	assert_int_equal(last_octet(get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 1100, RRCACHE_STALE)), 1);
	assert_int_equal(last_octet(get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 1159, RRCACHE_STALE)), 1);
	assert_null(get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 1160, RRCACHE_STALE));
	END;
}

static void a_stale_entry_may_be_prolonged_as_such(void **state)
{
	BEGIN;
	struct now early = at_sec(1050), late = at_sec(1159);
	const struct bundle *b;

	put_a(c, &t, "a.example.", 1, 60, 1000);
	b = get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 1050, 0);
	assert_true(OK(rrcache_prolong(c, t.m, b, &early)));
	assert_ptr_equal(get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 1159, RRCACHE_STALE), b); /* it had not expired */
	assert_true(OK(rrcache_prolong(c, t.m, b, &late)));
	assert_int_equal(last_octet(get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 1258, RRCACHE_STALE)), 1);
	assert_null(get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 1259, RRCACHE_STALE));
	assert_null(get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 1160, 0)); /* and is no fresher for that */
	assert_int_equal(rrcache_prolong(c, t.m, b, &late).e, ERR_NOTFOUND);
	END;
}

static void ttls_are_bounded_and_zero_is_not_stored(void **state)
{
	struct rrcache_limits l = roomy;
	BEGIN;

	put_a(c, &t, "long.example.", 1, UINT32_MAX, 0);
	assert_int_equal(bundle_info(get(c, &t, "long.example.", RR_A, BUNDLE_DATA, 0, 0))->ttl, 86400);
	assert_int_equal(bundle_set(get(c, &t, "long.example.", RR_A, BUNDLE_DATA, 0, 0), 0)->ttl, 86400);
	assert_int_equal(put_a_as(c, &t, "zero.example.", 1, 0, RANK_ANSWER_AUTH, SECURITY_INSECURE, 0).e, ERR_RANGE);
	put_negative(c, &t, "none.example.", RR_A, SECURITY_INSECURE, 0);
	assert_int_equal(bundle_info(get(c, &t, "none.example.", RR_A, BUNDLE_NODATA, 0, 0))->ttl, 300);
	assert_int_equal(put1(c, &t, key(&t, "n.example.", 0, BUNDLE_NXDOMAIN), soa_set(&t, "example.", 0, RANK_AUTHORITY, 0), 99999, 0).e, 0);
	assert_int_equal(bundle_info(get(c, &t, "n.example.", 0, BUNDLE_NXDOMAIN, 0, 0))->ttl, 3600);
	l.min_ttl = 30;
	rrcache_set_limits(c, &l);
	put_a(c, &t, "zero.example.", 1, 0, 0);
	assert_int_equal(bundle_info(get(c, &t, "zero.example.", RR_A, BUNDLE_DATA, 0, 0))->ttl, 30);
	END;
}

static void the_least_ttl_rank_and_security_of_its_sets_are_the_bundles(void **state)
{
	BEGIN;
	struct bundle_key k = key(&t, "example.", 0, BUNDLE_DELEGATION);
	const struct rrset *sets[] = {
		ns_set(&t, "example.", "ns.example.", 3600),
		a_set(&t, "ns.example.", 120, 53, RANK_GLUE, SECURITY_SECURE),
	};
	struct now n = at_sec(10);
	const struct bundle *b;

	assert_true(OK(rrcache_put(c, t.m, &k, sets, 2, 0, &n)));
	b = rrcache_get(c, &k, &n, 0);
	assert_int_equal(bundle_count(b), 2);
	assert_int_equal(bundle_info(b)->ttl, 120);
	assert_int_equal(bundle_info(b)->rank, RANK_GLUE);
	assert_int_equal(bundle_info(b)->security, SECURITY_UNCHECKED);
	assert_int_equal(rrset_rdata(bundle_find(b, nm(&t, "ns.example."), RR_A), 0).p[3], 53);
	assert_int_equal(bundle_set(b, 1)->security, SECURITY_SECURE);
	assert_true(OK(rrcache_put(c, t.m, &k, sets, 2, 77, &n)));
	assert_int_equal(bundle_info(rrcache_get(c, &k, &n, 0))->ttl, 77);
	END;
}

static void less_trusted_data_does_not_replace_what_is_better_and_unexpired(void **state)
{
	BEGIN;
	put_a(c, &t, "a.example.", 1, 60, 0);
	assert_int_equal(put_a_as(c, &t, "a.example.", 2, 60, RANK_ADDITIONAL, SECURITY_INSECURE, 1).e, ERR_EXISTS);
	assert_int_equal(get_a(c, &t, "a.example.", 1), 1);
	assert_int_equal(put_a_as(c, &t, "a.example.", 3, 60, RANK_ANSWER_AUTH, SECURITY_INSECURE, 2).e, ERR_NONE);
	assert_int_equal(get_a(c, &t, "a.example.", 2), 3);
	assert_int_equal(put_a_as(c, &t, "a.example.", 4, 60, RANK_ADDITIONAL, SECURITY_INSECURE, 62).e, ERR_NONE);
	assert_int_equal(get_a(c, &t, "a.example.", 62), 4);
	END;
}

static void secure_data_stays_when_the_new_one_is_not(void **state)
{
	BEGIN;
	assert_true(OK(put_a_as(c, &t, "a.example.", 1, 60, RANK_ANSWER_AUTH, SECURITY_SECURE, 0)));
	assert_int_equal(put_a_as(c, &t, "a.example.", 2, 60, RANK_ANSWER_AUTH, SECURITY_UNCHECKED, 0).e, ERR_EXISTS);
	assert_int_equal(put_a_as(c, &t, "a.example.", 2, 60, RANK_ANSWER_AUTH, SECURITY_BOGUS, 0).e, ERR_EXISTS);
	assert_int_equal(get_a(c, &t, "a.example.", 0), 1);
	assert_true(OK(put_a_as(c, &t, "a.example.", 3, 60, RANK_ANSWER_AUTH, SECURITY_SECURE, 0)));
	assert_int_equal(get_a(c, &t, "a.example.", 0), 3);
	END;
}

static void data_and_its_absence_remove_each_other(void **state)
{
	BEGIN;
	put_a(c, &t, "a.example.", 1, 60, 0);
	put_negative(c, &t, "a.example.", RR_A, SECURITY_INSECURE, 1);
	assert_int_equal(get_a(c, &t, "a.example.", 1), -1);
	assert_non_null(get(c, &t, "a.example.", RR_A, BUNDLE_NODATA, 1, 0));
	put_a(c, &t, "a.example.", 2, 60, 2);
	assert_null(get(c, &t, "a.example.", RR_A, BUNDLE_NODATA, 2, 0));
	assert_int_equal(get_a(c, &t, "a.example.", 2), 2);
	put_negative(c, &t, "a.example.", 0, SECURITY_INSECURE, 3);
	assert_int_equal(get_a(c, &t, "a.example.", 3), -1);
	put_a(c, &t, "a.example.", 3, 60, 4);
	assert_null(get(c, &t, "a.example.", 0, BUNDLE_NXDOMAIN, 4, 0));
	assert_int_equal(get_a(c, &t, "a.example.", 4), 3);
	END;
}

static void secure_denial_is_not_undone_by_unchecked_data(void **state)
{
	BEGIN;
	put_negative(c, &t, "a.example.", RR_A, SECURITY_SECURE, 0);
	assert_int_equal(put_a_as(c, &t, "a.example.", 1, 60, RANK_ANSWER_AUTH, SECURITY_UNCHECKED, 0).e, ERR_EXISTS);
	assert_int_equal(put_a_as(c, &t, "a.example.", 1, 60, RANK_ADDITIONAL, SECURITY_SECURE, 0).e, ERR_EXISTS);
	assert_int_equal(get_a(c, &t, "a.example.", 0), -1);
	assert_true(OK(put_a_as(c, &t, "a.example.", 1, 60, RANK_ANSWER_AUTH, SECURITY_UNCHECKED, 300)));
	assert_int_equal(get_a(c, &t, "a.example.", 300), 1);
	END;
}

static void a_denied_name_hides_rare_types_too(void **state)
{
	BEGIN;
	struct span rdata = span_text("\1x");

	assert_true(OK(put1(c, &t, key(&t, "a.example.", 4711, BUNDLE_DATA), make_set(&t, "a.example.", 4711, 60, rdata, RANK_ANSWER_AUTH, 0), 0, 0)));
	assert_non_null(get(c, &t, "a.example.", 4711, BUNDLE_DATA, 0, 0));
	put_negative(c, &t, "a.example.", 0, SECURITY_INSECURE, 1);
	assert_null(get(c, &t, "a.example.", 4711, BUNDLE_DATA, 1, 0));
	END;
}

static void nxdomain_covers_what_is_below_it_up_to_a_top(void **state)
{
	BEGIN;
	struct now n = at_sec(0);

	put_negative(c, &t, "b.example.", 0, SECURITY_INSECURE, 0);
	assert_non_null(rrcache_covering_nxdomain(c, nm(&t, "x.y.B.example."), name_root, CLASS_IN, &n));
	assert_non_null(rrcache_covering_nxdomain(c, nm(&t, "b.example."), nm(&t, "b.example."), CLASS_IN, &n));
	assert_null(rrcache_covering_nxdomain(c, nm(&t, "x.b.example."), nm(&t, "x.b.example."), CLASS_IN, &n));
	assert_null(rrcache_covering_nxdomain(c, nm(&t, "xb.example."), name_root, CLASS_IN, &n));
	assert_null(rrcache_covering_nxdomain(c, nm(&t, "x.b.example."), nm(&t, "other."), CLASS_IN, &n));
	put_a(c, &t, "x.y.b.example.", 1, 60, 1); /* so b.example. exists after all */
	assert_null(rrcache_covering_nxdomain(c, nm(&t, "x.y.b.example."), name_root, CLASS_IN, &n));
	END;
}

static void put_delegation(struct rrcache *c, struct turn *t, const char *zone, uint32_t ttl, uint32_t now)
{
	assert_true(OK(put1(c, t, key(t, zone, 0, BUNDLE_DELEGATION), ns_set(t, zone, "ns.example.", ttl), 0, now)));
}

static void the_deepest_unexpired_delegation_is_found(void **state)
{
	BEGIN;
	struct now n = at_sec(0);

	assert_null(rrcache_deepest_delegation(c, nm(&t, "www.example."), CLASS_IN, &n));
	put_delegation(c, &t, ".", 1000, 0);
	put_delegation(c, &t, "example.", 500, 0);
	put_delegation(c, &t, "deep.er.example.", 100, 0);
	assert_int_equal(bundle_key(rrcache_deepest_delegation(c, nm(&t, "other."), CLASS_IN, &n)).name.labels, 0);
	assert_int_equal(bundle_key(rrcache_deepest_delegation(c, nm(&t, "er.example."), CLASS_IN, &n)).name.labels, 1);
	assert_int_equal(bundle_key(rrcache_deepest_delegation(c, nm(&t, "a.b.Deep.er.example."), CLASS_IN, &n)).name.labels, 3);
	n = at_sec(100);
	assert_int_equal(bundle_key(rrcache_deepest_delegation(c, nm(&t, "a.b.deep.er.example."), CLASS_IN, &n)).name.labels, 1);
	assert_null(rrcache_deepest_delegation(c, nm(&t, "example."), CLASS_CH, &n));
	END;
}

static void a_childs_own_ns_set_does_not_touch_the_delegation(void **state)
{
	BEGIN;
	const struct rrset *childs = make_set(&t, "example.", RR_NS, 9999, span_of("\2ns\5other", 10), RANK_ANSWER_AUTH, SECURITY_INSECURE);

	put_delegation(c, &t, "example.", 100, 0);
	assert_true(OK(put1(c, &t, key(&t, "example.", RR_NS, BUNDLE_DATA), childs, 0, 50)));
	assert_null(get(c, &t, "example.", 0, BUNDLE_DELEGATION, 100, 0));
	assert_int_equal(get(c, &t, "example.", 0, BUNDLE_DELEGATION, 99, 0) != NULL, 1);
	END;
}

static struct result fail_at(struct rrcache *c, struct turn *t, const char *name, uint32_t now)
{
	struct bundle_key k = key(t, name, RR_A, BUNDLE_FAILURE);
	struct now n = at_sec(now);

	return rrcache_put_failure(c, t->m, &k, RCODE_SERVFAIL, EDE_NO_REACHABLE, "all servers timed out", 5, 300, &n);
}

static void failures_double_up_to_their_maximum_and_start_again_after_a_pause(void **state)
{
	static const uint32_t lasts[] = { 5, 10, 20, 40, 80, 160, 300, 300 };
	BEGIN;
	uint32_t now = 0;
	const struct bundle *b;

	for (size_t i = 0; i < sizeof(lasts) / sizeof(lasts[0]); i++) {
		assert_true(OK(fail_at(c, &t, "a.example.", now)));
		b = get(c, &t, "a.example.", RR_A, BUNDLE_FAILURE, now, 0);
		assert_int_equal(bundle_info(b)->ttl, lasts[i]);
		assert_int_equal(bundle_info(b)->failures, i + 1);
		now += lasts[i];
		assert_null(get(c, &t, "a.example.", RR_A, BUNDLE_FAILURE, now, 0));
	}
	assert_int_equal(bundle_info(b)->rcode, RCODE_SERVFAIL);
	assert_int_equal(bundle_info(b)->ede, EDE_NO_REACHABLE);
	assert_string_equal(bundle_text(b), "all servers timed out");
	assert_true(OK(fail_at(c, &t, "a.example.", now + 301)));
	assert_int_equal(bundle_info(get(c, &t, "a.example.", RR_A, BUNDLE_FAILURE, now + 301, 0))->ttl, 5);
	put_a(c, &t, "a.example.", 1, 60, now + 302);
	assert_null(get(c, &t, "a.example.", RR_A, BUNDLE_FAILURE, now + 302, 0));
	END;
}

static void a_verdict_makes_a_new_entry_and_bounds_its_ttl(void **state)
{
	BEGIN;
	struct now n = at_sec(10);
	const struct bundle *b, *judged;

	put_a(c, &t, "a.example.", 1, 3600, 0);
	b = get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 10, 0);
	assert_true(OK(rrcache_set_security(c, t.m, b, SECURITY_SECURE, 60, &n)));
	judged = get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 10, 0);
	assert_int_equal(bundle_info(judged)->security, SECURITY_SECURE);
	assert_int_equal(bundle_set(judged, 0)->security, SECURITY_SECURE);
	assert_int_equal(bundle_info(judged)->expires_sec, 70);
	assert_int_equal(bundle_info(b)->security, SECURITY_INSECURE); /* still readable until the turn ends */
	assert_int_equal(rrcache_set_security(c, t.m, b, SECURITY_BOGUS, 60, &n).e, ERR_NOTFOUND);
	assert_int_equal(bundle_info(get(c, &t, "a.example.", RR_A, BUNDLE_DATA, 10, 0))->security, SECURITY_SECURE);
	END;
}

static void a_flushed_name_or_type_is_gone(void **state)
{
	BEGIN;
	put_a(c, &t, "a.example.", 1, 60, 0);
	put_negative(c, &t, "a.example.", RR_AAAA, SECURITY_INSECURE, 0);
	put_a(c, &t, "b.a.example.", 2, 60, 0);
	assert_int_equal(rrcache_flush_name(c, t.m, nm(&t, "A.example."), RR_AAAA), 1);
	assert_null(get(c, &t, "a.example.", RR_AAAA, BUNDLE_NODATA, 0, 0));
	assert_int_equal(get_a(c, &t, "a.example.", 0), 1);
	put_negative(c, &t, "a.example.", RR_MX, SECURITY_INSECURE, 0);
	assert_int_equal(rrcache_flush_name(c, t.m, nm(&t, "a.EXAMPLE."), 0), 2);
	assert_int_equal(get_a(c, &t, "a.example.", 0), -1);
	assert_int_equal(get_a(c, &t, "b.a.example.", 0), 2);
	END;
}

static void a_flushed_subtree_is_gone_and_can_be_learnt_anew(void **state)
{
	BEGIN;
	uint64_t before = rrcache_flush_count(c);

	put_a(c, &t, "a.example.", 1, 60, 0);
	put_a(c, &t, "example.", 2, 60, 0);
	put_a(c, &t, "a.other.", 3, 60, 0);
	assert_int_equal(rrcache_flush_zone(c, t.m, nm(&t, "Example.")), 2);
	assert_int_equal(get_a(c, &t, "a.example.", 0), -1);
	assert_int_equal(get_a(c, &t, "a.other.", 0), 3);
	assert_true(rrcache_flushed_since(c, nm(&t, "x.y.example."), before));
	assert_false(rrcache_flushed_since(c, nm(&t, "x.other."), before));
	assert_false(rrcache_flushed_since(c, nm(&t, "x.y.example."), rrcache_flush_count(c)));
	put_a(c, &t, "a.example.", 4, 60, 0);
	assert_int_equal(get_a(c, &t, "a.example.", 0), 4);
	END;
}

static void what_was_judged_or_loaded_across_a_flush_is_hidden(void **state)
{
	BEGIN;
	struct bundle_key k = key(&t, "a.example.", RR_A, BUNDLE_DATA);
	const struct rrset *rs = a_set(&t, "a.example.", 60, 1, RANK_ANSWER_AUTH, SECURITY_INSECURE);
	uint64_t before = rrcache_flush_count(c);
	struct now n = at_sec(0);

	rrcache_flush_zone(c, t.m, nm(&t, "example."));
	assert_true(OK(rrcache_restore(c, t.m, &k, &rs, 1, 60, 0, before, &n)));
	assert_null(rrcache_get(c, &k, &n, 0));
	assert_true(OK(rrcache_restore(c, t.m, &k, &rs, 1, 60, 0, rrcache_flush_count(c), &n)));
	assert_non_null(rrcache_get(c, &k, &n, 0));
	END;
}

static void classes_of_entries_can_be_flushed(void **state)
{
	BEGIN;
	put_a(c, &t, "good.example.", 1, 60, 0);
	assert_true(OK(put_a_as(c, &t, "bad.example.", 2, 60, RANK_ANSWER_AUTH, SECURITY_BOGUS, 0)));
	put_negative(c, &t, "none.example.", RR_A, SECURITY_INSECURE, 0);
	assert_true(OK(fail_at(c, &t, "fail.example.", 0)));
	assert_int_equal(rrcache_flush_class(c, t.m, FLUSH_BOGUS), 1);
	assert_int_equal(get_a(c, &t, "bad.example.", 0), -1);
	assert_int_equal(rrcache_flush_class(c, t.m, FLUSH_NEGATIVE), 2);
	assert_int_equal(get_a(c, &t, "good.example.", 0), 1);
	assert_int_equal(rrcache_flush_class(c, t.m, FLUSH_ALL), 1);
	assert_int_equal(rrcache_usage(c).entries, 0);
	END;
}

static void what_is_restored_goes_on_ageing(void **state)
{
	BEGIN;
	struct bundle_key k = key(&t, "a.example.", RR_A, BUNDLE_DATA);
	const struct rrset *rs = a_set(&t, "a.example.", 600, 1, RANK_ANSWER_AUTH, SECURITY_SECURE);
	struct now n = at_sec(50); /* the machine has just started: the entry is older */

	assert_true(OK(rrcache_restore(c, t.m, &k, &rs, 1, 600, 500, 0, &n)));
	assert_int_equal(bundle_info(rrcache_get(c, &k, &n, 0))->expires_sec, 150);
	assert_int_equal(bundle_info(rrcache_get(c, &k, &n, 0))->security, SECURITY_SECURE);
	assert_int_equal(rrcache_restore(c, t.m, &k, &rs, 1, 600, 100, 0, &n).e, ERR_EXISTS);
	k = key(&t, "b.example.", RR_A, BUNDLE_DATA);
	assert_int_equal(rrcache_restore(c, t.m, &k, &rs, 1, 600, 700, 0, &n).e, ERR_RANGE);
	n = at_sec(5000);
	assert_true(OK(rrcache_restore(c, t.m, &k, &rs, 1, 600, 699, 0, &n)));
	assert_null(rrcache_get(c, &k, &n, 0));
	assert_non_null(rrcache_get(c, &k, &n, RRCACHE_STALE));
	END;
}

static void what_is_too_large_or_empty_is_refused(void **state)
{
	struct rrcache_limits l = roomy;
	BEGIN;
	struct bundle_key k = key(&t, "a.example.", RR_A, BUNDLE_DATA);
	struct now n = at_sec(0);

	assert_int_equal(rrcache_put(c, t.m, &k, NULL, 0, 60, &n).e, ERR_RANGE);
	k.kind = BUNDLE_FAILURE;
	assert_int_equal(rrcache_put(c, t.m, &k, NULL, 0, 60, &n).e, ERR_RANGE);
	l.max_bundle_octets = 40;
	rrcache_set_limits(c, &l);
	assert_int_equal(put_a_as(c, &t, "a.example.", 1, 60, RANK_ANSWER_AUTH, SECURITY_INSECURE, 0).e, ERR_LIMIT);
	END;
}

static struct result count_it(void *user, const struct bundle *b)
{
	(void)b;
	(*(unsigned int *)user)++;
	return DONE;
}

static struct result refuse_it(void *user, const struct bundle *b)
{
	(void)user;
	(void)b;
	return FAIL(ERR_SPACE);
}

static void visits_see_each_entry_once(void **state)
{
	BEGIN;
	unsigned int seen = 0;
	uint64_t cursor = 0;
	struct result r;
	char name[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "n%d.example.", i);
		put_a(c, &t, name, 1, 60, 0);
	}
	do {
		cursor = rrcache_visit(c, cursor, 100, count_it, &seen, &r);
		assert_true(OK(r));
	} while (cursor != 0);
	assert_int_equal(seen, 2000);
	assert_int_equal(rrcache_usage(c).entries, 2000);
	assert_int_equal(rrcache_visit(c, 0, 100000, refuse_it, NULL, &r), 0);
	assert_int_equal(r.e, ERR_SPACE);
	END;
}

static void fill(struct rrcache *c, struct turn *t, int from, int to)
{
	char name[32];

	for (int i = from; i < to; i++) {
		snprintf(name, sizeof(name), "n%d.example.", i);
		(void)put_a_as(c, t, name, 1, 60, RANK_ANSWER_AUTH, SECURITY_INSECURE, 0);
		arena_reset(t->a);
		epoch_quiesce(t->m);
		assert_true(rrcache_usage(c).octets <= rrcache_usage(c).limit_octets);
	}
}

static void memory_stays_within_its_limit_also_when_that_is_lowered(void **state)
{
	struct rrcache_limits l = roomy;
	BEGIN;

	fill(c, &t, 0, 30000);
	assert_true(rrcache_usage(c).evicted > 0);
	assert_true(rrcache_usage(c).octets > (3 << 20));
	assert_true(rrcache_usage(c).entries > 10000);
	l.octets = 256 << 10;
	rrcache_set_limits(c, &l);
	for (int i = 0; rrcache_usage(c).octets > l.octets; i++) {
		char name[32];

		snprintf(name, sizeof(name), "m%d.example.", i);
		(void)put_a_as(c, &t, name, 1, 60, RANK_ANSWER_AUTH, SECURITY_INSECURE, 0);
		epoch_quiesce(t.m);
		assert_true(i < 20000);
	}
	fill(c, &t, 100000, 102000);
	assert_true(rrcache_usage(c).entries > 400); /* the index gave its memory back as well */
	END;
}

static void out_of_memory_loses_nothing_but_what_was_to_be_stored(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct turn t = turn_begin();
		struct bundle_key k = key(&t, "a.example.", RR_A, BUNDLE_DATA);
		const struct rrset *rs = a_set(&t, "a.example.", 60, 1, RANK_ANSWER_AUTH, SECURITY_INSECURE);
		struct name zone = nm(&t, "example.");
		struct now now = at_sec(0);
		struct result r = FAIL(ERR_NOMEM);

		mem_fail_at(n, false);
		struct rrcache *c = rrcache_new(&roomy, &test_key);
		if (c != NULL) {
			r = rrcache_put(c, t.m, &k, &rs, 1, 0, &now);
			const struct bundle *b = rrcache_get(c, &k, &now, 0);
			assert_int_equal(OK(r), b != NULL);
			if (b != NULL)
				(void)OK(rrcache_set_security(c, t.m, b, SECURITY_SECURE, 60, &now));
			(void)OK(rrcache_put_failure(c, t.m, &k, 2, 0, "why", 5, 300, &now));
			(void)rrcache_flush_zone(c, t.m, zone);
			assert_null(rrcache_get(c, &k, &now, RRCACHE_STALE));
		}
		bool failed = mem_failed();
		mem_fail_at(0, false);
		rrcache_free(c);
		turn_end(&t);
		if (!failed)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found_without_case_until_its_ttl_has_passed),
		cmocka_unit_test(an_expired_entry_is_found_only_as_stale_and_within_the_limit),
		cmocka_unit_test(a_stale_entry_may_be_prolonged_as_such),
		cmocka_unit_test(ttls_are_bounded_and_zero_is_not_stored),
		cmocka_unit_test(the_least_ttl_rank_and_security_of_its_sets_are_the_bundles),
		cmocka_unit_test(less_trusted_data_does_not_replace_what_is_better_and_unexpired),
		cmocka_unit_test(secure_data_stays_when_the_new_one_is_not),
		cmocka_unit_test(data_and_its_absence_remove_each_other),
		cmocka_unit_test(secure_denial_is_not_undone_by_unchecked_data),
		cmocka_unit_test(a_denied_name_hides_rare_types_too),
		cmocka_unit_test(nxdomain_covers_what_is_below_it_up_to_a_top),
		cmocka_unit_test(the_deepest_unexpired_delegation_is_found),
		cmocka_unit_test(a_childs_own_ns_set_does_not_touch_the_delegation),
		cmocka_unit_test(failures_double_up_to_their_maximum_and_start_again_after_a_pause),
		cmocka_unit_test(a_verdict_makes_a_new_entry_and_bounds_its_ttl),
		cmocka_unit_test(a_flushed_name_or_type_is_gone),
		cmocka_unit_test(a_flushed_subtree_is_gone_and_can_be_learnt_anew),
		cmocka_unit_test(what_was_judged_or_loaded_across_a_flush_is_hidden),
		cmocka_unit_test(classes_of_entries_can_be_flushed),
		cmocka_unit_test(what_is_restored_goes_on_ageing),
		cmocka_unit_test(what_is_too_large_or_empty_is_refused),
		cmocka_unit_test(visits_see_each_entry_once),
		cmocka_unit_test(memory_stays_within_its_limit_also_when_that_is_lowered),
		cmocka_unit_test(out_of_memory_loses_nothing_but_what_was_to_be_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
