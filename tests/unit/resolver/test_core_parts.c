/* The small parts of resolver/core: budget, settings, draft, alias, qmin, inflight, deleg and select. */
#include "cache_unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/core/alias.h"
#include "resolver/core/deleg.h"
#include "resolver/core/draft.h"
#include "resolver/core/hints.h"
#include "resolver/core/inflight.h"
#include "resolver/core/qmin.h"
#include "resolver/core/select.h"
#include "resolver/core/settings.h"

/* --- budget */

static void a_budget_is_taken_from_all_above_or_from_none(void **state)
{
	struct budget parent = { .left = { .packets = 3, .octets = 100 } }, child = { .left = { .packets = 10, .octets = 50 }, .parent = &parent };

	(void)state;
	assert_true(budget_take_packets(&child, 2));
	assert_int_equal(parent.left.packets, 1);
	assert_int_equal(child.left.packets, 8);
	assert_false(budget_take_packets(&child, 2));
	assert_int_equal(child.left.packets, 8);
	assert_int_equal(parent.left.packets, 1);
	assert_false(budget_take_octets(&child, 51));
	assert_true(budget_take_octets(&child, 50));
	assert_int_equal(parent.left.octets, 50);
	assert_false(budget_take_work(&child, 1));
	assert_false(budget_take_alias(&child));
}

/* --- settings */

struct set {
	struct conf *conf;
	struct core_settings *s;
};

static struct set settings(const char *text)
{
	struct strbuf *report = strbuf_new(10000);
	struct set set;

	if (!OK(conf_load_text(text, "test", report, &set.conf)) || !OK(core_settings_make(set.conf, report, &set.s)))
		fail_msg("%s", strbuf_text(report));
	strbuf_free(report);
	return set;
}

static void settings_done(struct set *set)
{
	core_settings_free(set->s);
	conf_free(set->conf);
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_true(OK(addr_parse(text, &a)));
	return a;
}

static bool may_ask(const struct set *set, const char *text)
{
	struct addr a = addr(text);

	return settings_may_ask(set->s, &a);
}

static void hints_are_the_thirteen_root_servers(void **state)
{
	struct set set = settings("server:\n");

	(void)state;
	assert_int_equal(set.s->root_count, 13);
	for (size_t i = 0; i < 13; i++)
		assert_int_equal(set.s->roots[i].addr_count, 2);
	settings_done(&set);
}

static void hints_come_from_a_file_when_one_is_named(void **state)
{
	char path[] = "/tmp/cairn-hints-XXXXXX", text[200];
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	struct strbuf *report = strbuf_new(1000);
	struct core_settings *s;
	struct conf *c;
	struct set set;

	(void)state;
	assert_non_null(f);
	fputs("ns.root. 3600 IN A 1.2.3.4\n. 3600 IN NS ns.root.\nns.root. 3600 IN AAAA 2001:db8::1\nother. A 6.6.6.6\n", f);
	fclose(f);
	snprintf(text, sizeof text, "server:\n\troot-hints: \"%s\"\n", path);
	set = settings(text);
	assert_int_equal(set.s->root_count, 1);
	assert_int_equal(set.s->roots[0].addr_count, 2);
	settings_done(&set);
	unlink(path);
	assert_true(OK(conf_load_text(text, "test", report, &c)));
	assert_false(OK(core_settings_make(c, report, &s)));
	assert_non_null(strstr(strbuf_text(report), path));
	conf_free(c);
	strbuf_free(report);
}

static void addresses_that_are_no_servers_are_not_asked(void **state)
{
	struct set set = settings("server:\n\tdo-not-query-address: 192.0.2.0/24\n"), v4 = settings("server:\n\tdo-ip6: no\n\tdo-not-query-localhost: no\n");

	(void)state;
	assert_true(may_ask(&set, "198.51.100.1"));
	assert_true(may_ask(&set, "2001:db8::1"));
	assert_false(may_ask(&set, "192.0.2.77"));
	assert_false(may_ask(&set, "127.0.0.1"));
	assert_false(may_ask(&set, "::1"));
	assert_false(may_ask(&set, "0.0.0.0"));
	assert_false(may_ask(&set, "::"));
	assert_false(may_ask(&set, "255.255.255.255"));
	assert_false(may_ask(&set, "224.0.0.1"));
	assert_false(may_ask(&set, "ff02::1"));
	assert_false(may_ask(&set, "::ffff:198.51.100.1"));
	assert_true(may_ask(&v4, "127.0.0.1"));
	assert_false(may_ask(&v4, "2001:db8::1"));
	settings_done(&set);
	settings_done(&v4);
}

static void the_deepest_configured_zone_counts(void **state)
{
	struct turn t = turn_begin();
	struct set set = settings("stub-zone:\n\tname: \".\"\n\tstub-addr: 1.2.3.4\nforward-zone:\n\tname: example.com\n\tforward-addr: 1.2.3.5@5353\n"
	    "\tforward-host: ns.example.org@54\nstub-zone:\n\tname: sub.example.com\n\tstub-addr: 2001:db8::1\nstub-zone:\n\tname: example.com\n\tstub-addr: 1.1.1.1\n");
	const struct zone_conf *z = settings_zone(set.s, nm(&t, "www.example.com."), 0);

	(void)state;
	assert_int_equal(set.s->zone_count, 4);
	assert_int_equal(z->kind, ZONE_FORWARD);
	assert_int_equal(z->addr_count, 1);
	assert_int_equal(z->addrs[0].port, 5353);
	assert_int_equal(z->host_count, 1);
	assert_int_equal(z->hosts[0].port, 54);
	assert_true(name_equal(z->hosts[0].name, nm(&t, "ns.example.org.")));
	assert_int_equal(settings_zone(set.s, nm(&t, "www.example.com."), (uint64_t)1 << (z - set.s->zones))->kind, ZONE_STUB);
	assert_true(name_equal(settings_zone(set.s, nm(&t, "a.sub.example.com."), 0)->name, nm(&t, "sub.example.com.")));
	assert_true(name_is_root(settings_zone(set.s, nm(&t, "org."), 0)->name));
	settings_done(&set);
	turn_end(&t);
}

static uint32_t zone_rate(const struct set *set, const char *zone)
{
	struct name_buf nb;

	assert_true(OK(name_from_text(zone, NULL, &nb)));
	return settings_zone_rate(set->s, name_of(&nb));
}

static void the_rate_of_a_zone_is_its_own_or_that_below_the_closest_name(void **state)
{
	struct set set = settings("server:\n ratelimit: 7\n ratelimit-size: 1m\n ratelimit-factor: 3\n ratelimit-backoff: yes\n ratelimit-for-domain: com 100\n"
	    " ratelimit-below-domain: com 5\n ratelimit-below-domain: b.com 0\n ratelimit-for-domain: x.a.com 6\n"), none = settings("server:\n");

	(void)state;
	assert_int_equal(zone_rate(&set, "org."), 7);
	assert_int_equal(zone_rate(&set, "com."), 100);
	assert_int_equal(zone_rate(&set, "a.COM."), 5);
	assert_int_equal(zone_rate(&set, "b.com."), 5);
	assert_int_equal(zone_rate(&set, "c.b.com."), 0);
	assert_int_equal(zone_rate(&set, "x.a.com."), 6);
	assert_int_equal(zone_rate(&set, "y.x.a.com."), 5);
	assert_int_equal(set.s->rate.factor, 3);
	assert_true(set.s->rate.backoff);
	assert_int_equal(set.s->rate_octets, 1 << 20);
	assert_true(set.s->limits_rates);
	assert_false(none.s->limits_rates);
	settings_done(&none);
	settings_done(&set);
}

/* --- draft */

static void a_draft_becomes_an_answer_with_the_least_ttl(void **state)
{
	struct turn t = turn_begin();
	struct draft d = { 0 };
	struct answer a = { 0 }, copy;

	(void)state;
	assert_true(OK(draft_add(&d, t.a, PART_ANSWER, a_set(&t, "a.example.", 300, 1, RANK_ANSWER_AUTH, SECURITY_SECURE), 300)));
	assert_true(OK(draft_add(&d, t.a, PART_ANSWER, a_set(&t, "A.example.", 300, 1, RANK_ANSWER_AUTH, SECURITY_SECURE), 300)));
	assert_true(OK(draft_add(&d, t.a, PART_AUTHORITY, ns_set(&t, "example.", "ns.example.", 100), 100)));
	assert_true(OK(draft_add_copy(&d, t.a, PART_ADDITIONAL, a_set(&t, "ns.example.", 5, 2, RANK_GLUE, SECURITY_INSECURE), 5)));
	assert_true(draft_has(&d, PART_ANSWER, nm(&t, "a.EXAMPLE."), RR_A));
	assert_true(OK(draft_finish(&d, t.a, &a)));
	assert_int_equal(a.answer_count, 1);
	assert_int_equal(a.authority_count, 1);
	assert_int_equal(a.additional_count, 1);
	assert_int_equal(a.ttl, 100);
	assert_int_equal(a.security, SECURITY_UNCHECKED);
	a.q.name = nm(&t, "a.example.");
	a.why = "because";
	for (int i = 0; i < 10; i++)
		answer_add_ede(&a, EDE_OTHER, "text");
	assert_int_equal(a.ede_count, ANSWER_EDES);
	assert_true(OK(answer_copy_in(t.a, &a, &copy)));
	assert_string_equal(copy.why, "because");
	assert_ptr_not_equal(copy.sets[0].rs, a.sets[0].rs);
	draft_clear(&d);
	assert_true(OK(draft_finish(&d, t.a, &a)));
	assert_int_equal(a.ttl, 0);
	turn_end(&t);
}

/* --- alias */

static void a_dname_replaces_the_end_of_a_name(void **state)
{
	struct turn t = turn_begin();
	struct name target = nm(&t, "new.org.");
	const struct rrset *d = make_set(&t, "old.com.", RR_DNAME, 60, span_of(target.wire, target.len), RANK_ANSWER_AUTH, SECURITY_UNCHECKED), *c;
	struct name_buf nb;

	(void)state;
	assert_true(OK(dname_substitute(d, nm(&t, "a.b.old.com."), &nb)));
	assert_true(name_equal(name_of(&nb), nm(&t, "a.b.new.org.")));
	assert_int_equal(dname_substitute(d, nm(&t, "old.com."), &nb).e, ERR_FORMAT);
	assert_int_equal(dname_substitute(d, nm(&t, "a.bold.com."), &nb).e, ERR_FORMAT);
	c = dname_cname(t.a, d, nm(&t, "a.b.old.com."), name_of(&nb));
	assert_int_equal(c->ttl, 60);
	assert_int_equal(c->rank, RANK_ANSWER_AUTH);
	turn_end(&t);
}

/* --- qmin */

static void minimisation_shows_one_label_then_shares_what_is_left(void **state)
{
	struct turn t = turn_begin();
	struct set set = settings("server:\n\tqname-minimisation: yes\n");
	struct question q = { nm(&t, "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.com."), RR_MX, CLASS_IN }, asked;
	struct qmin m = { 0 };
	unsigned int labels[12], n = 0;

	(void)state;
	for (;;) {
		asked = qmin_question(&m, set.s, &q, false);
		labels[n++] = asked.name.labels;
		if (asked.name.labels == q.name.labels)
			break;
		assert_int_equal(asked.type, RR_A);
		qmin_advance(&m, &asked);
		assert_true(n < 12);
	}
	assert_int_equal(asked.type, RR_MX);
	assert_int_equal(labels[0], 1);
	assert_int_equal(labels[3], 4);
	assert_true(labels[5] > labels[4]);
	assert_int_equal(qmin_question(&(struct qmin){ 0 }, set.s, &q, true).name.labels, 21);
	m = (struct qmin){ .off = true };
	assert_int_equal(qmin_question(&m, set.s, &q, false).name.labels, 21);
	qmin_enter_zone(&m, nm(&t, "20.com."));
	assert_int_equal(qmin_question(&m, set.s, &q, false).name.labels, 3);
	settings_done(&set);
	turn_end(&t);
}

/* --- inflight */

static void flights_are_found_without_case_and_by_all_of_the_question(void **state)
{
	struct turn t = turn_begin();
	struct flight_table table = { 0 };
	struct flight f[300];
	char name[40];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "N%d.example.", i);
		f[i] = (struct flight){ .q = { nm(&t, name), RR_A, CLASS_IN } };
		f[i].hash = flight_hash(&test_key, &f[i].q, 0);
		assert_true(OK(flight_add(&table, &f[i])));
	}
	for (int i = 0; i < 300; i++) {
		struct question q = { f[i].q.name, RR_A, CLASS_IN };

		snprintf(name, sizeof name, "n%d.EXAMPLE.", i);
		q.name = nm(&t, name);
		assert_ptr_equal(flight_find(&table, flight_hash(&test_key, &q, 0), &q, 0), &f[i]);
		assert_null(flight_find(&table, flight_hash(&test_key, &q, FLIGHT_CD), &q, FLIGHT_CD));
		q.type = RR_AAAA;
		assert_null(flight_find(&table, flight_hash(&test_key, &q, 0), &q, 0));
		flight_remove(&table, &f[i]);
		flight_remove(&table, &f[i]);
	}
	assert_int_equal(table.count, 0);
	flight_table_done(&table);
	turn_end(&t);
}

/* --- deleg and select */

struct servers {
	struct turn t;
	struct set set;
	struct rrcache *cache;
	struct infra *infra;
	struct rng *rng;
	struct now now;
	struct deleg_env e;
};

static struct servers servers_begin(const char *conf)
{
	static const struct rrcache_limits cache = { .octets = 1 << 20, .max_ttl = 86400, .max_negative_ttl = 3600, .max_bundle_octets = 65536 };
	static const struct infra_limits infra = { .host_ttl_sec = 900, .max_entries = 1000, .min_rtt_ms = 50, .max_rtt_ms = 10000, .lame_ttl_sec = 900 };
	struct servers s = { .t = turn_begin(), .set = settings(conf), .now = at_sec(1000) };

	s.cache = rrcache_new(&cache, &test_key);
	s.infra = infra_new(&infra, &test_key);
	s.rng = rng_new_seeded(1);
	return s;
}

static void servers_ready(struct servers *s)
{
	s->e = (struct deleg_env){ .arena = s->t.a, .settings = s->set.s, .cache = s->cache, .rng = s->rng, .now = &s->now };
}

static void servers_end(struct servers *s)
{
	rrcache_free(s->cache);
	infra_free(s->infra);
	rng_free(s->rng);
	settings_done(&s->set);
	turn_end(&s->t);
}

static void many_names_of_one_address_are_one_server(void **state)
{
	struct servers s = servers_begin("server:\n");
	struct span rdata[10];
	const struct rrset *sets[11];
	struct deleg *d;
	char name[40];

	(void)state;
	servers_ready(&s);
	for (int i = 0; i < 10; i++) {
		struct name n;

		snprintf(name, sizeof name, "ns%d.example.", i);
		n = nm(&s.t, name);
		rdata[i] = span_of(n.wire, n.len);
		sets[i + 1] = a_set(&s.t, name, 60, 1, RANK_GLUE, SECURITY_UNCHECKED);
	}
	sets[0] = rrset_make_in(s.t.a, nm(&s.t, "example."), RR_NS, CLASS_IN, 60, rdata, 10, 0);
	assert_true(OK(deleg_from_sets(&s.e, nm(&s.t, "example."), sets, 11, 1060, &d)));
	assert_int_equal(d->target_count, 10);
	assert_int_equal(d->server_count, 1);
	assert_true(deleg_has_target(d, nm(&s.t, "NS3.example.")));
	servers_end(&s);
}

static void names_are_looked_up_only_when_that_can_help(void **state)
{
	struct servers s = servers_begin("server:\n");
	const struct rrset *inside = ns_set(&s.t, "example.", "ns.example.", 60), *outside = ns_set(&s.t, "example.", "ns.other.", 60);
	struct deleg *d;
	size_t target;
	int family;

	(void)state;
	servers_ready(&s);
	assert_true(OK(deleg_from_sets(&s.e, nm(&s.t, "example."), &inside, 1, 1060, &d)));
	assert_false(deleg_next_target(&s.e, d, &target, &family));
	assert_true(OK(deleg_from_sets(&s.e, nm(&s.t, "example."), &outside, 1, 1060, &d)));
	assert_true(deleg_next_target(&s.e, d, &target, &family));
	assert_int_equal(family, FAMILY_V4);
	d->targets[0].state[FAMILY_V4] = TARGET_ASKING;
	assert_true(deleg_is_asking(d));
	assert_false(deleg_next_target(&s.e, d, &target, &family));
	assert_true(OK(deleg_add_addresses(&s.e, d, 0, FAMILY_V4, NULL)));
	assert_true(deleg_next_target(&s.e, d, &target, &family));
	assert_int_equal(family, FAMILY_V6);
	d->dead_targets = 100;
	assert_false(deleg_next_target(&s.e, d, &target, &family));
	servers_end(&s);
}

static void put_delegation(struct servers *s, const char *zone, const struct rrset *const *sets, size_t n)
{
	struct bundle_key k = { nm(&s->t, zone), 0, CLASS_IN, BUNDLE_DELEGATION };

	assert_true(OK(rrcache_put(s->cache, s->t.m, &k, sets, n, 60, &s->now)));
}

static void glue_of_the_name_servers_own_zone_saves_a_lookup(void **state)
{
	struct servers s = servers_begin("server:\n");
	const struct rrset *other[] = { ns_set(&s.t, "other.", "ns.other.", 60), a_set(&s.t, "ns.other.", 60, 1, RANK_GLUE, SECURITY_UNCHECKED),
		a_set(&s.t, "www.other.", 60, 2, RANK_GLUE, SECURITY_UNCHECKED) };
	const struct rrset *here = ns_set(&s.t, "example.", "ns.other.", 60), *elsewhere = ns_set(&s.t, "example.", "ns.third.", 60);
	struct deleg *d;
	size_t target;
	int family;

	(void)state;
	servers_ready(&s);
	assert_true(OK(deleg_from_sets(&s.e, nm(&s.t, "example."), &here, 1, 1060, &d)));
	assert_int_equal(d->server_count, 0);
	put_delegation(&s, "other.", other, 3);
	assert_true(OK(deleg_refresh(&s.e, d)));
	assert_int_equal(d->server_count, 1);
	assert_true(OK(deleg_from_sets(&s.e, nm(&s.t, "example."), &here, 1, 1060, &d)));
	assert_int_equal(d->server_count, 1);
	assert_true(d->targets[0].has_glue);
	/* The zone's own word is still there to be asked for, when the glue leads nowhere. */
	assert_int_equal(d->targets[0].state[FAMILY_V4], TARGET_UNASKED);
	assert_true(deleg_next_target(&s.e, d, &target, &family));
	/* But a name of which nothing is known comes first. */
	{
		struct name known = nm(&s.t, "ns.other."), unknown = nm(&s.t, "ns.third.");
		struct span names[] = { span_of(known.wire, known.len), span_of(unknown.wire, unknown.len) };
		const struct rrset *both = rrset_make_in(s.t.a, nm(&s.t, "example."), RR_NS, CLASS_IN, 60, names, 2, 0);

		assert_true(OK(deleg_from_sets(&s.e, nm(&s.t, "example."), &both, 1, 1060, &d)));
		for (int i = 0; i < 20; i++) {
			assert_true(deleg_next_target(&s.e, d, &target, &family));
			assert_true(name_equal(d->targets[target].name, unknown));
		}
	}
	/* A delegation above the name's own has no say. */
	assert_true(OK(deleg_from_sets(&s.e, nm(&s.t, "example."), &elsewhere, 1, 1060, &d)));
	assert_int_equal(d->server_count, 0);
	servers_end(&s);
}

static void names_in_one_zone_are_looked_up_one_after_the_other(void **state)
{
	struct servers s = servers_begin("server:\n");
	const char *names[] = { "ns1.other.", "ns2.other.", "ns.third." };
	struct span rdata[3];
	const struct rrset *ns;
	struct deleg *d;
	size_t target, again;
	int family;

	(void)state;
	servers_ready(&s);
	for (size_t i = 0; i < 3; i++) {
		struct name n = nm(&s.t, names[i]);

		rdata[i] = span_of(n.wire, n.len);
	}
	ns = rrset_make_in(s.t.a, nm(&s.t, "example."), RR_NS, CLASS_IN, 60, rdata, 3, 0);
	assert_true(OK(deleg_from_sets(&s.e, nm(&s.t, "example."), &ns, 1, 1060, &d)));
	d->targets[0].state[FAMILY_V4] = TARGET_ASKING;
	assert_true(deleg_next_target(&s.e, d, &target, &family));
	assert_int_equal(target, 2);
	d->targets[2].state[FAMILY_V4] = TARGET_ASKING;
	assert_false(deleg_next_target(&s.e, d, &again, &family));
	d->targets[0].state[FAMILY_V4] = TARGET_FAILED;
	assert_true(deleg_next_target(&s.e, d, &again, &family));
	assert_int_equal(again, 1);
	servers_end(&s);
}

static struct deleg *two_servers(struct servers *s, struct endpoint at[2])
{
	const struct rrset *sets[2] = { ns_set(&s->t, "example.", "ns.example.", 60), NULL };
	uint8_t rdata[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };
	struct span spans[2] = { span_of(rdata[0], 4), span_of(rdata[1], 4) };
	struct deleg *d;

	servers_ready(s);
	sets[1] = rrset_make_in(s->t.a, nm(&s->t, "ns.example."), RR_A, CLASS_IN, 60, spans, 2, 0);
	assert_true(OK(deleg_from_sets(&s->e, nm(&s->t, "example."), sets, 2, 1060, &d)));
	assert_int_equal(d->server_count, 2);
	at[0] = d->servers[0].at;
	at[1] = d->servers[1].at;
	return d;
}

static void the_faster_server_is_asked_most_but_not_always(void **state)
{
	struct servers s = servers_begin("server:\n");
	struct endpoint at[2];
	struct deleg *d = two_servers(&s, at);
	unsigned int count[2] = { 0 };
	size_t pick;

	(void)state;
	infra_note_rtt(s.infra, &at[0], 10000, &s.now);
	infra_note_rtt(s.infra, &at[1], 200000, &s.now);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(select_server(&s.e, d, RR_A, s.infra, &pick), SELECT_SERVER);
		count[pick]++;
	}
	assert_true(count[0] > 1800);
	assert_true(count[1] > 10);
	servers_end(&s);
}

#define FAST_SERVERS 4u

/* How often each of four servers is chosen, whose round trips are near to each other: the k-th has k * 2 ms less than the one before it. */
static void count_choices(const char *conf, bool renew, unsigned int count[FAST_SERVERS])
{
	struct servers s = servers_begin(conf);
	const struct rrset *sets[2] = { ns_set(&s.t, "example.", "ns.example.", 60), NULL };
	uint8_t rdata[FAST_SERVERS][4];
	struct span spans[FAST_SERVERS];
	struct deleg *d;
	size_t pick;

	servers_ready(&s);
	s.e.renew = renew;
	memset(count, 0, FAST_SERVERS * sizeof *count);
	for (uint8_t i = 0; i < FAST_SERVERS; i++) {
		memcpy(rdata[i], (uint8_t[]){ 192, 0, 2, i }, 4);
		spans[i] = span_of(rdata[i], 4);
	}
	sets[1] = rrset_make_in(s.t.a, nm(&s.t, "ns.example."), RR_A, CLASS_IN, 60, spans, FAST_SERVERS, 0);
	assert_true(OK(deleg_from_sets(&s.e, nm(&s.t, "example."), sets, 2, 1060, &d)));
	assert_int_equal(d->server_count, FAST_SERVERS);
	for (uint8_t i = 0; i < FAST_SERVERS; i++)
		infra_note_rtt(s.infra, &d->servers[i].at, 20000u - 2000u * d->servers[i].at.a.b[3], &s.now);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(select_server(&s.e, d, RR_A, s.infra, &pick), SELECT_SERVER);
		count[d->servers[pick].at.a.b[3]]++;
	}
	servers_end(&s);
}

static void so_often_as_is_wished_only_the_fastest_are_asked(void **state)
{
	unsigned int count[FAST_SERVERS];

	(void)state;
	count_choices("server:\n\tfast-server-num: 1\n", false, count);
	for (size_t i = 0; i < FAST_SERVERS; i++)
		assert_in_range(count[i], 190, 310);
	count_choices("server:\n\tfast-server-permil: 1000\n\tfast-server-num: 2\n", false, count);
	assert_int_equal(count[0] + count[1], 0);
	assert_in_range(count[2], 400, 600);
	count_choices("server:\n\tfast-server-permil: 500\n\tfast-server-num: 1\n", false, count);
	assert_in_range(count[3], 565, 685);
	assert_in_range(count[0], 85, 165);
	count_choices("server:\n\tfast-server-permil: 1000\n\tfast-server-num: 1000\n", false, count);
	for (size_t i = 0; i < FAST_SERVERS; i++)
		assert_in_range(count[i], 190, 310);
	count_choices("server:\n\tfast-server-permil: 1000\n\tfast-server-num: 1\n", true, count); /* nobody waits */
	assert_in_range(count[0], 190, 310);
}

static void silent_and_lame_servers_are_passed_over(void **state)
{
	struct servers s = servers_begin("server:\n");
	struct endpoint at[2];
	struct deleg *d = two_servers(&s, at);
	size_t pick;

	(void)state;
	for (int i = 0; i < 3; i++) {
		s.now.mono_ns += UINT64_C(1000000000);
		infra_note_timeout_of(s.infra, &at[0], RR_A, &s.now);
	}
	infra_note_lame(s.infra, &at[1], nm(&s.t, "example."), LAME_REFUSED, &s.now);
	assert_int_equal(select_server(&s.e, d, RR_A, s.infra, &pick), SELECT_BLOCKED);
	assert_int_equal(d->servers[1].outcome, SERVER_LAME);
	/* It was silent for A only. */
	assert_int_equal(select_server(&s.e, d, RR_AAAA, s.infra, &pick), SELECT_SERVER);
	assert_int_equal(pick, 0);
	/* When its back-off has passed, one may probe. */
	s.now.mono_ns += UINT64_C(60000000000);
	assert_int_equal(select_server(&s.e, d, RR_A, s.infra, &pick), SELECT_SERVER);
	assert_int_equal(select_server(&s.e, d, RR_A, s.infra, &pick), SELECT_BLOCKED);
	infra_note_rtt(s.infra, &at[0], 10000, &s.now);
	assert_int_equal(select_server(&s.e, d, RR_A, s.infra, &pick), SELECT_SERVER);
	d->servers[0].done = true;
	assert_int_equal(select_server(&s.e, d, RR_A, s.infra, &pick), SELECT_NONE);
	servers_end(&s);
}

static void what_failed_how_is_said_in_one_line(void **state)
{
	struct servers s = servers_begin("server:\n");
	struct endpoint at[2];
	struct deleg *d = two_servers(&s, at);
	struct strbuf *out = strbuf_new(1000);

	(void)state;
	d->servers[0].outcome = SERVER_TIMEOUT;
	d->servers[0].tries = d->servers[0].timeouts = 2;
	d->servers[1].outcome = SERVER_RCODE;
	d->servers[1].tries = 1;
	d->servers[1].rcode = RCODE_REFUSED;
	deleg_explain(d, out);
	assert_string_equal(strbuf_text(out), "zone example.: 192.0.2.1@53 timed out 2 times, 192.0.2.2@53 REFUSED");
	strbuf_free(out);
	servers_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_budget_is_taken_from_all_above_or_from_none),
		cmocka_unit_test(hints_are_the_thirteen_root_servers),
		cmocka_unit_test(hints_come_from_a_file_when_one_is_named),
		cmocka_unit_test(addresses_that_are_no_servers_are_not_asked),
		cmocka_unit_test(the_deepest_configured_zone_counts),
		cmocka_unit_test(the_rate_of_a_zone_is_its_own_or_that_below_the_closest_name),
		cmocka_unit_test(a_draft_becomes_an_answer_with_the_least_ttl),
		cmocka_unit_test(a_dname_replaces_the_end_of_a_name),
		cmocka_unit_test(minimisation_shows_one_label_then_shares_what_is_left),
		cmocka_unit_test(flights_are_found_without_case_and_by_all_of_the_question),
		cmocka_unit_test(many_names_of_one_address_are_one_server),
		cmocka_unit_test(names_are_looked_up_only_when_that_can_help),
		cmocka_unit_test(glue_of_the_name_servers_own_zone_saves_a_lookup),
		cmocka_unit_test(names_in_one_zone_are_looked_up_one_after_the_other),
		cmocka_unit_test(the_faster_server_is_asked_most_but_not_always),
		cmocka_unit_test(so_often_as_is_wished_only_the_fastest_are_asked),
		cmocka_unit_test(silent_and_lame_servers_are_passed_over),
		cmocka_unit_test(what_failed_how_is_said_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
