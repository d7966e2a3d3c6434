/* What the filter makes of questions and answers: what is told in place of them, what is counted, noted and watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/epoch.h"
#include "base/mem.h"
#include "resolver/routes/board.h"
#include "resolver/serve/answer_filter.h"
#include "resolver/serve/filtering.h"
#include "resolver/serve/serve.h"
#include "resolver/serve/watched.h"
#include "resolver/stats.h"
#include "tests/unit/resolver/route_world.h"

static const struct hash_key key = { { 7, 8 } };

static struct serve serve;
static struct stats stats;
static struct arena *arena;
static struct epoch *epoch;
static struct epoch_member *member;
static struct answer_filter j;

static void begin(void)
{
	memset(&serve, 0, sizeof serve);
	memset(&stats, 0, sizeof stats);
	arena = arena_new(0);
	epoch = epoch_new();
	member = epoch_join(epoch);
	epoch_online(member);
	serve.env.stats = &stats;
	serve.env.member = member;
	serve.env.filters = filter_board_new();
	serve.env.routes = route_board_new();
	serve.env.watched = watched_new(100, &key);
	serve.env.anscache = anscache_new(1 << 16, &key);
	serve.filter_arena = arena_new(1 << 16);
}

static void end(void)
{
	filter_seat_done(&serve.filter_seat);
	route_seat_done(&serve.seat);
	filter_board_free(serve.env.filters);
	route_board_free(serve.env.routes);
	watched_free(serve.env.watched);
	anscache_free(serve.env.anscache);
	arena_free(serve.filter_arena);
	epoch_leave(member);
	epoch_free(epoch);
	arena_free(arena);
}

/* These lines of rules are in force. */
static void rules(const char *text, enum filter_told told, bool dry)
{
	static const struct filter_limits limits = { .rules = 1000 };
	struct filter_builder *b = filter_builder_new(&limits, &key, NULL, NULL);
	struct filter_options o = { told, 5, dry };
	struct filter *f = NULL;

	assert_non_null(b);
	assert_true(OK(filter_add_text(b, "/etc/cairn/rules.txt", span_text(text))));
	assert_true(OK(filter_build(b, &f)));
	assert_int_equal(filter_count(f)->refused, 0);
	filter_board_put(serve.env.filters, filter_sheet_new(f, &o));
}

static struct name named(const char *text)
{
	struct name_buf nb;

	assert_true(OK(name_from_text(text, NULL, &nb)));
	return name_dup_in(arena, name_of(&nb));
}

static struct question asked(const char *name, uint16_t type)
{
	return (struct question){ named(name), type, CLASS_IN };
}

static bool is_blocked(const char *name, uint16_t type)
{
	struct question q = asked(name, type);

	return answer_filter_question(&serve, &q, &j);
}

static const struct rrset *set_of(const char *owner, uint16_t type, const void *rdata, size_t n)
{
	struct span d = span_of(arena_dup(arena, rdata, n), n);

	return rrset_make_in(arena, named(owner), type, CLASS_IN, 300, &d, 1, 0);
}

static const struct rrset *address(const char *owner, const char *text)
{
	struct addr a = route_world_addr(text);

	return set_of(owner, a.family == ADDR_V4 ? RR_A : RR_AAAA, a.b, a.family == ADDR_V4 ? 4 : 16);
}

static const struct rrset *alias(const char *owner, const char *target)
{
	struct name t = named(target);

	return set_of(owner, RR_CNAME, t.wire, t.len);
}

/* n sets, the last `more` of them additional. */
static struct answer *answer(const char *name, uint16_t type, const struct rrset *const *sets, size_t n, size_t more)
{
	struct answer *a = arena_alloc(arena, sizeof *a);

	*a = (struct answer){ .q = asked(name, type), .cacheable = true, .ttl = 300, .security = SECURITY_SECURE, .answer_count = n - more, .additional_count = more };
	a->sets = arena_alloc_array(arena, n + 1, sizeof *a->sets);
	for (size_t i = 0; i < n; i++)
		a->sets[i] = (struct answer_set){ sets[i], 300 };
	return a;
}

static const struct answer *one(const char *name, const char *text)
{
	const struct rrset *rs = address(name, text);

	return answer_filter_judge(&serve, answer(name, rs->type, &rs, 1, 0), 0, &j);
}

static void a_blocked_question_is_told_null(void **state)
{
	(void)state;
	begin();
	rules("||ads.example^\n", FILTER_TOLD_NULL, false);
	assert_false(is_blocked("example", RR_A));
	assert_true(is_blocked("x.ads.example", RR_A));
	assert_int_equal(j.instead.rcode, RCODE_NOERROR);
	assert_int_equal(j.instead.answer_count, 1);
	assert_int_equal(j.instead.sets[0].ttl, 5);
	assert_int_equal(j.instead.sets[0].rs->type, RR_A);
	assert_memory_equal(rrset_rdata(j.instead.sets[0].rs, 0).p, "\0\0\0\0", 4);
	assert_true(name_equal(rrset_name(j.instead.sets[0].rs), named("x.ads.example")));
	assert_int_equal(j.instead.security, SECURITY_INSECURE);
	assert_int_equal(j.instead.ede[0].code, EDE_BLOCKED);
	assert_string_equal(j.instead.ede[0].text, "rules.txt:1: ||ads.example^"); /* no folders of ours */
	assert_true(is_blocked("ads.example", RR_AAAA));
	assert_int_equal(rrset_rdata(j.instead.sets[0].rs, 0).n, 16);
	assert_true(is_blocked("ads.example", RR_TXT)); /* no address for that: no data, with a SOA of its own TTL */
	assert_int_equal(j.instead.answer_count, 0);
	assert_int_equal(j.instead.authority_count, 1);
	assert_int_equal(j.instead.sets[0].rs->type, RR_SOA);
	assert_int_equal(load32(rrset_rdata(j.instead.sets[0].rs, 0).p + rrset_rdata(j.instead.sets[0].rs, 0).n - 4), 5);
	assert_int_equal(stats_get(&stats, COUNT_FILTER_BLOCKED), 3);
	end();
}

static void each_block_answer_is_as_it_says(void **state)
{
	(void)state;
	begin();
	rules("||ads.example^\n", FILTER_TOLD_NXDOMAIN, false);
	assert_true(is_blocked("ads.example", RR_A));
	assert_int_equal(j.instead.rcode, RCODE_NXDOMAIN);
	assert_int_equal(j.instead.authority_count, 1);
	assert_int_equal(j.note.action, POLICY_NXDOMAIN);
	rules("||ads.example^\n", FILTER_TOLD_NODATA, false);
	assert_true(is_blocked("ads.example", RR_A));
	assert_int_equal(j.instead.rcode, RCODE_NOERROR);
	assert_int_equal(j.instead.answer_count, 0);
	assert_int_equal(j.instead.authority_count, 1);
	assert_int_equal(j.note.action, POLICY_NODATA);
	rules("||ads.example^\n", FILTER_TOLD_REFUSED, false);
	assert_true(is_blocked("ads.example", RR_A));
	assert_int_equal(j.instead.rcode, RCODE_REFUSED);
	assert_int_equal(j.instead.authority_count, 0);
	assert_false(j.nothing);
	rules("||ads.example^\n", FILTER_TOLD_NOTHING, false);
	assert_true(is_blocked("ads.example", RR_A));
	assert_true(j.nothing);
	assert_int_equal(j.note.action, POLICY_DROP);
	end();
}

static void without_rules_nothing_happens(void **state)
{
	const struct answer *a;

	(void)state;
	begin();
	assert_false(is_blocked("ads.example", RR_A));
	filter_board_put(serve.env.filters, NULL);
	a = one("ads.example", "192.0.2.1");
	assert_ptr_not_equal(a, &j.instead);
	rules("", FILTER_TOLD_NULL, false);
	assert_false(is_blocked("ads.example", RR_A));
	assert_ptr_not_equal(one("ads.example", "192.0.2.1"), &j.instead);
	assert_int_equal(watched_count(serve.env.watched), 0);
	end();
}

static void an_alias_to_a_blocked_name_is_blocked(void **state)
{
	const struct rrset *sets[2];
	const struct answer *a;

	(void)state;
	begin();
	rules("||tracker.example^\n@@||good.example^\n", FILTER_TOLD_NULL, false);
	sets[0] = alias("www.site.example", "x.tracker.example");
	sets[1] = address("x.tracker.example", "192.0.2.1");
	a = answer_filter_judge(&serve, answer("www.site.example", RR_A, sets, 2, 0), 0, &j);
	assert_ptr_equal(a, &j.instead);
	assert_true(j.blocked);
	assert_int_equal(a->answer_count, 1);
	assert_true(name_equal(rrset_name(a->sets[0].rs), named("www.site.example")));
	assert_string_equal(a->ede[0].text, "rules.txt:1: ||tracker.example^: x.tracker.example.");
	assert_int_equal(j.note.match, POLICY_QNAME);
	assert_memory_equal(j.note.value, "\1x\7tracker\7example", 18);
	/* Who is let through may lead there. */
	sets[0] = alias("www.good.example", "x.tracker.example");
	a = answer_filter_judge(&serve, answer("www.good.example", RR_A, sets, 2, 0), 0, &j);
	assert_false(j.blocked);
	assert_int_equal(a->answer_count, 2);
	assert_int_equal(a->policy->action, POLICY_PASS);
	assert_int_equal(stats_get(&stats, COUNT_FILTER_ALLOWED), 1);
	end();
}

static void local_data_are_not_judged_but_what_they_lead_to_is(void **state)
{
	const struct rrset *sets[2];

	(void)state;
	begin();
	rules("||home.example^\n||tracker.example^\n*$address=192.0.2.9\n", FILTER_TOLD_NULL, false);
	sets[0] = alias("home.example", "good.example");
	sets[1] = address("good.example", "192.0.2.1");
	(void)answer_filter_judge(&serve, answer("home.example", RR_A, sets, 2, 0), 1, &j);
	assert_false(j.blocked);
	sets[0] = alias("home.example", "tracker.example");
	sets[1] = address("tracker.example", "192.0.2.1");
	(void)answer_filter_judge(&serve, answer("home.example", RR_A, sets, 2, 0), 1, &j);
	assert_true(j.blocked);
	sets[0] = address("home.example", "192.0.2.9");
	(void)answer_filter_judge(&serve, answer("good.example", RR_A, sets, 1, 0), 1, &j);
	assert_false(j.blocked);
	end();
}

static void an_address_is_blocked_by_its_route(void **state)
{
	static const uint8_t hints[] = { 0, 1, 0, 0, 4, 0, 8, 192, 0, 2, 1, 198, 51, 100, 7 };
	const struct rrset *https;
	const struct answer *a;

	(void)state;
	begin();
	rules("||taken.example^$route=invalid\n||by.example^$asn=64511\n", FILTER_TOLD_NODATA, false);
	route_world_put(serve.env.routes, true, true);
	assert_false(is_blocked("taken.example", RR_A)); /* that is not known yet */
	(void)one("taken.example", "192.0.2.1");
	assert_false(j.blocked);
	a = one("taken.example", "198.51.100.7");
	assert_true(j.blocked);
	assert_int_equal(a->answer_count, 0);
	assert_string_equal(a->ede[0].text, "rules.txt:1: ||taken.example^$route=invalid: 198.51.100.7 (invalid, AS64511)");
	assert_int_equal(j.note.match, POLICY_RESPONSE_IP);
	assert_int_equal(j.note.value_len, 4);
	(void)one("by.example", "198.51.100.7");
	assert_true(j.blocked);
	(void)one("by.example", "192.0.2.1");
	assert_false(j.blocked);
	(void)one("other.example", "198.51.100.7");
	assert_false(j.blocked);
	https = set_of("taken.example", RR_HTTPS, hints, sizeof hints);
	(void)answer_filter_judge(&serve, answer("taken.example", RR_HTTPS, &https, 1, 0), 0, &j);
	assert_true(j.blocked);
	assert_int_equal(watched_count(serve.env.watched), 2);
	assert_true(j.mask != 0);
	end();
}

static void what_comes_along_is_left_out(void **state)
{
	const struct rrset *sets[2];
	static const uint8_t mx[] = { 0, 10, 4, 'm', 'a', 'i', 'l', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0 };
	const struct answer *a;

	(void)state;
	begin();
	rules("*$route=invalid\n", FILTER_TOLD_NULL, false);
	route_world_put(serve.env.routes, true, true);
	sets[0] = set_of("example", RR_MX, mx, sizeof mx);
	sets[1] = address("mail.example", "198.51.100.7");
	a = answer_filter_judge(&serve, answer("example", RR_MX, sets, 2, 1), 0, &j);
	assert_false(j.blocked);
	assert_int_equal(a->answer_count, 1);
	assert_int_equal(a->additional_count, 0);
	sets[1] = address("mail.example", "192.0.2.1");
	a = answer_filter_judge(&serve, answer("example", RR_MX, sets, 2, 1), 0, &j);
	assert_int_equal(a->additional_count, 1);
	end();
}

static void the_dry_run_counts_notes_and_changes_nothing(void **state)
{
	const struct answer *a;

	(void)state;
	begin();
	rules("||ads.example^\n", FILTER_TOLD_NULL, true);
	assert_false(is_blocked("ads.example", RR_A));
	assert_int_equal(stats_get(&stats, COUNT_FILTER_DRY_RUN), 0); /* once, with the answer */
	a = one("ads.example", "192.0.2.1");
	assert_false(j.blocked);
	assert_int_equal(a->answer_count, 1);
	assert_int_equal(a->security, SECURITY_SECURE);
	assert_int_equal(a->ede_count, 0);
	assert_int_equal(a->policy->action, POLICY_PASS);
	assert_string_equal(a->policy->rule, "||ads.example^");
	assert_int_equal(stats_get(&stats, COUNT_FILTER_DRY_RUN), 1);
	assert_int_equal(stats_get(&stats, COUNT_FILTER_BLOCKED), 0);
	end();
}

static void failures_and_what_is_bogus_stay_what_they_are(void **state)
{
	const struct rrset *rs;
	struct answer *a;

	(void)state;
	begin();
	rules("||ads.example^\n", FILTER_TOLD_NULL, false);
	a = answer("ads.example", RR_A, NULL, 0, 0);
	a->rcode = RCODE_SERVFAIL;
	a->bogus = true;
	assert_ptr_equal(answer_filter_judge(&serve, a, 0, &j), a);
	rs = address("ads.example", "192.0.2.1");
	a = answer("ads.example", RR_A, &rs, 1, 0); /* told to a client with CD */
	a->security = SECURITY_BOGUS;
	assert_ptr_equal(answer_filter_judge(&serve, a, 0, &j), a);
	/* What answer-policy: has blocked is not blocked again. */
	a = answer("ads.example", RR_A, NULL, 0, 0);
	a->ede[0] = (struct ede){ EDE_BLOCKED, "route" };
	a->ede_count = 1;
	assert_ptr_equal(answer_filter_judge(&serve, a, 0, &j), a);
	assert_int_equal(stats_get(&stats, COUNT_FILTER_BLOCKED), 0);
	end();
}

static void store(const struct ans_key *k, uint64_t hash)
{
	struct ans_entry *e = ans_entry_new(0, 12 + 13 + 4, 0);
	uint8_t *packet;

	assert_non_null(e);
	e->hash = hash;
	e->len = e->question_end = e->answer_end = 12 + 13 + 4;
	packet = (uint8_t *)(e + 1);
	memset(packet, 0, e->len);
	memcpy(packet + 12, k->name.wire, k->name.len);
	store16(packet + 12 + k->name.len, k->type);
	store16(packet + 14 + k->name.len, k->rclass);
	anscache_put(serve.env.anscache, member, e);
}

static void what_was_judged_while_something_changed_is_not_kept(void **state)
{
	struct ans_key k = { .type = RR_A, .rclass = CLASS_IN };
	uint64_t hash;

	(void)state;
	begin();
	rules("||ads.example^$route=invalid\n", FILTER_TOLD_NULL, false);
	route_world_put(serve.env.routes, true, false);
	(void)one("ads.example", "198.51.100.7");
	assert_true(j.mask != 0);
	k.name = named("ads.example");
	hash = anscache_hash(serve.env.anscache, &k);
	store(&k, hash);
	answer_filter_stored(&serve, &k, hash, &j);
	assert_non_null(anscache_get(serve.env.anscache, &k, hash));
	route_world_put(serve.env.routes, true, true);
	answer_filter_stored(&serve, &k, hash, &j);
	assert_null(anscache_get(serve.env.anscache, &k, hash));
	(void)one("ads.example", "192.0.2.1");
	store(&k, hash);
	rules("||other.example^\n", FILTER_TOLD_NULL, false);
	answer_filter_stored(&serve, &k, hash, &j);
	assert_null(anscache_get(serve.env.anscache, &k, hash));
	end();
}

static void without_memory_it_is_a_failure(void **state)
{
	const struct answer *a;
	const struct rrset *rs;
	struct answer *big;

	(void)state;
	begin();
	rules("||ads.example^\n", FILTER_TOLD_NULL, false);
	arena_free(serve.filter_arena);
	serve.filter_arena = arena_new(8);
	rs = address("other.example", "192.0.2.1");
	big = answer("other.example", RR_A, &rs, 1, 0);
	a = answer_filter_judge(&serve, big, 0, &j);
	assert_int_equal(a->rcode, RCODE_SERVFAIL);
	assert_false(a->cacheable);
	assert_true(is_blocked("ads.example", RR_A));
	assert_int_equal(j.instead.rcode, RCODE_SERVFAIL);
	end();
}

static void states_have_the_words_of_the_filter(void **state)
{
	(void)state;
	assert_int_equal(filtering_route_of(VERDICT_VALID), FILTER_ROUTE_VALID);
	assert_int_equal(filtering_route_of(VERDICT_INVALID_ORIGIN), FILTER_ROUTE_INVALID);
	assert_int_equal(filtering_route_of(VERDICT_INVALID_LENGTH), FILTER_ROUTE_INVALID);
	assert_int_equal(filtering_route_of(VERDICT_NOT_FOUND), FILTER_ROUTE_NOT_FOUND);
	assert_int_equal(filtering_route_of(VERDICT_COVERED), FILTER_ROUTE_COVERED);
	assert_int_equal(filtering_route_of(VERDICT_UNCOVERED), FILTER_ROUTE_UNCOVERED);
	assert_int_equal(filtering_route_of(VERDICT_AS0), FILTER_ROUTE_AS0);
	assert_int_equal(filtering_route_of(VERDICT_UNKNOWN), FILTER_ROUTE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blocked_question_is_told_null),
		cmocka_unit_test(each_block_answer_is_as_it_says),
		cmocka_unit_test(without_rules_nothing_happens),
		cmocka_unit_test(an_alias_to_a_blocked_name_is_blocked),
		cmocka_unit_test(local_data_are_not_judged_but_what_they_lead_to_is),
		cmocka_unit_test(an_address_is_blocked_by_its_route),
		cmocka_unit_test(what_comes_along_is_left_out),
		cmocka_unit_test(the_dry_run_counts_notes_and_changes_nothing),
		cmocka_unit_test(failures_and_what_is_bogus_stay_what_they_are),
		cmocka_unit_test(what_was_judged_while_something_changed_is_not_kept),
		cmocka_unit_test(without_memory_it_is_a_failure),
		cmocka_unit_test(states_have_the_words_of_the_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
