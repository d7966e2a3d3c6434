#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/zonefile.h"
#include "resolver/core/alias.h"
#include "resolver/core/scrub.h"
#include "resolver/core/settings.h"

/* A reply from text: records, separated by ';', each section introduced by "an:", "ns:" or "ar:". */
struct reader_of_text {
	struct arena *a;
	struct msg *m;
	struct msg_section *section;
};

static struct name nm(struct arena *a, const char *text)
{
	struct name_buf nb;

	assert_true(OK(name_from_text(text, NULL, &nb)));
	return name_dup_in(a, name_of(&nb));
}

static void add_record(struct reader_of_text *t, const char *text)
{
	uint8_t room[300];
	struct writer out = writer_of(room, sizeof room);
	struct span rdata[8];
	struct name_buf owner;
	struct zone_rr rr;
	const struct rrset **sets = t->section->sets;
	size_t n = t->section->count, old = 0;
	const char *msg = "";

	if (!OK(zone_read_rr(text, name_root, 300, &owner, &rr, &out, &msg)))
		fail_msg("%s: %s", text, msg);
	if (n > 0 && sets[n - 1]->type == rr.type && name_equal(rrset_name(sets[n - 1]), rr.owner)) {
		for (; old < sets[n - 1]->count; old++)
			rdata[old] = rrset_rdata(sets[n - 1], old);
		t->section->count = --n;
	}
	rdata[old] = rr.rdata;
	sets[n] = rrset_make_in(t->a, rr.owner, rr.type, rr.rclass, rr.ttl, rdata, old + 1, 0);
	assert_non_null(sets[n]);
	t->section->count = n + 1;
}

static struct msg message(struct arena *a, uint16_t flags, uint16_t rcode, const char *text)
{
	struct msg m = { .flags = flags, .rcode = rcode };
	struct reader_of_text t = { a, &m, &m.answer };
	struct msg_section *sections[3] = { &m.answer, &m.authority, &m.additional };
	char copy[2000], *save = copy, *word;

	for (size_t i = 0; i < 3; i++)
		sections[i]->sets = arena_alloc_array(a, 20, sizeof *sections[i]->sets);
	snprintf(copy, sizeof copy, "%s", text);
	while ((word = strsep(&save, ";")) != NULL) {
		static const char *const names[3] = { "an:", "ns:", "ar:" };

		word += strspn(word, " ");
		for (size_t i = 0; i < 3; i++) {
			if (strncmp(word, names[i], 3) == 0) {
				t.section = sections[i];
				word += 3;
				word += strspn(word, " ");
			}
		}
		if (*word != '\0')
			add_record(&t, word);
	}
	return m;
}

struct place {
	struct arena *a;
	struct conf *conf;
	struct core_settings *set;
	struct scrubbed s;
	char text[2000];
};

static struct place *place_new(const char *conf)
{
	struct place *p = mem_alloc(sizeof *p);
	struct strbuf *report = strbuf_new(10000);

	assert_non_null(p);
	p->a = arena_new(0);
	if (!OK(conf_load_text(conf, "test", report, &p->conf)) || !OK(core_settings_make(p->conf, report, &p->set)))
		fail_msg("%s", strbuf_text(report));
	strbuf_free(report);
	return p;
}

static void place_free(struct place *p)
{
	core_settings_free(p->set);
	conf_free(p->conf);
	arena_free(p->a);
	mem_free(p);
}

static void print(struct place *p, const char *name, const struct scrub_sets *sets)
{
	struct strbuf *out = strbuf_new(2000);
	size_t at;

	for (size_t i = 0; i < sets->count; i++)
		rrset_print(sets->sets[i], sets->sets[i]->ttl, out);
	at = strlen(p->text);
	snprintf(p->text + at, sizeof p->text - at, "%s %s", name, strbuf_text(out));
	strbuf_free(out);
	for (char *c = p->text; *c != '\0'; c++)
		*c = *c == '\t' || *c == '\n' ? ' ' : *c;
}

/* Scrubs and gives what is left as "an: ... ns: ... ar: ...". */
static enum reply_kind scrub(struct place *p, const char *zone, const char *name, uint16_t type, bool recursive, uint16_t flags, uint16_t rcode,
    const char *text)
{
	struct msg m = message(p->a, flags, rcode, text);
	struct scrub_request r = { p->set, nm(p->a, zone), { nm(p->a, name), type, CLASS_IN }, recursive, false };

	assert_true(OK(scrub_reply(p->a, &r, &m, &p->s)));
	p->text[0] = '\0';
	print(p, "an:", &p->s.answer);
	print(p, "ns:", &p->s.authority);
	print(p, "ar:", &p->s.additional);
	return p->s.kind;
}
#define AUTHORITY(zone, name, type, rcode, text) scrub(p, zone, name, type, false, MSG_QR | MSG_AA, rcode, text)
#define PLAIN(zone, name, type, rcode, text) scrub(p, zone, name, type, false, MSG_QR, rcode, text)

#define BEGIN(conf) \
	struct mem_usage before = mem_usage(); \
	struct place *p = place_new(conf); \
	(void)state
#define END \
	place_free(p); \
	assert_int_equal(mem_usage().objects, before.objects)

static void an_answer_is_kept_and_nothing_that_rides_along(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_A, 0,
	    "an: www.example.com. A 1.2.3.4; mail.example.com. A 6.6.6.6; www.bank.com. A 6.6.6.6; ns: example.com. NS ns.evil.org.; "
	    "example.com. MX 1 ns.example.com.; example.com. TYPE65280 \\# 1 00; ar: ns.evil.org. A 6.6.6.6; ns.example.com. A 6.6.6.6; www.example.com. TYPE65280 \\# 1 00"),
	    REPLY_ANSWER);
	assert_string_equal(p->text, "an: www.example.com. 300 IN A 1.2.3.4 ns: ar: ");
	assert_int_equal(p->s.answer.sets[0]->rank, RANK_ANSWER_AUTH);
	assert_int_equal(p->s.dropped, 8);
	END;
}

static void spare_ns_records_are_shown_when_the_configuration_says_so_but_only_of_the_zone(void **state)
{
	BEGIN("server:\n\titer-scrub-promiscuous: no\n");

	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_A, 0,
	    "an: www.example.com. A 1.2.3.4; ns: example.com. NS ns.example.com.; mail.example.com. NS ns.example.com.; com. NS ns.evil.org.; "
	    "ar: ns.example.com. A 1.2.3.5; ns.evil.org. A 6.6.6.6"), REPLY_ANSWER);
	assert_string_equal(p->text, "an: www.example.com. 300 IN A 1.2.3.4 ns: example.com. 300 IN NS ns.example.com. ar: ns.example.com. 300 IN A 1.2.3.5 ");
	END;
}

static void aliases_end_at_the_edge_of_the_zone(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_A, 0,
	    "an: a.example.com. CNAME b.example.com.; b.example.com. CNAME www.bank.com.; www.bank.com. A 6.6.6.6"), REPLY_ALIAS);
	assert_true(name_equal(p->s.final, nm(p->a, "www.bank.com.")));
	assert_int_equal(p->s.answer.count, 2);
	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_A, 0,
	    "an: a.example.com. CNAME b.example.com.; b.example.com. A 1.2.3.4"), REPLY_ANSWER);
	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_CNAME, 0,
	    "an: a.example.com. CNAME b.example.com.; b.example.com. A 1.2.3.4"), REPLY_ANSWER);
	assert_int_equal(p->s.answer.count, 1);
	END;
}

static void loops_of_aliases_end(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_A, 0,
	    "an: a.example.com. CNAME b.example.com.; b.example.com. CNAME a.example.com."), REPLY_ALIAS);
	assert_true(p->s.answer.count <= 13);
	END;
}

static void dnames_are_worked_out_not_believed(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(AUTHORITY("example.com.", "x.old.example.com.", RR_A, 0,
	    "an: old.example.com. 60 DNAME new.example.com.; x.old.example.com. CNAME www.evil.org.; x.new.example.com. A 1.2.3.4"), REPLY_ANSWER);
	assert_string_equal(p->text, "an: old.example.com. 60 IN DNAME new.example.com. x.old.example.com. 60 IN CNAME x.new.example.com. "
	    "x.new.example.com. 300 IN A 1.2.3.4 ns: ar: ");
	/* A DNAME above the zone is nothing. */
	assert_int_equal(AUTHORITY("example.com.", "x.example.com.", RR_A, 0, "an: com. DNAME evil.org."), REPLY_ERROR);
	END;
}

static void a_dname_that_makes_a_name_too_long_is_yxdomain(void **state)
{
	char name[300] = "", text[800];
	BEGIN("server:\n");

	for (int i = 0; i < 100; i++)
		strcat(name, "a.");
	strcat(name, "o.com.");
	snprintf(text, sizeof text, "an: o.com. DNAME %s", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b.com.");
	assert_int_equal(AUTHORITY("com.", name, RR_A, RCODE_YXDOMAIN, text), REPLY_ANSWER);
	assert_int_equal(p->s.rcode, RCODE_YXDOMAIN);
	assert_int_equal(p->s.answer.count, 1);
	assert_int_equal(AUTHORITY("com.", name, RR_A, RCODE_YXDOMAIN, ""), REPLY_ERROR);
	END;
}

static void a_referral_leads_down_and_brings_its_own_glue(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(PLAIN("com.", "www.example.com.", RR_A, 0,
	    "ns: example.com. NS ns.example.com.; example.com. NS ns.other.org.; ar: ns.example.com. A 1.2.3.4; ns.other.org. A 6.6.6.6; www.bank.com. A 6.6.6.6"),
	    REPLY_REFERRAL);
	assert_true(name_equal(p->s.cut, nm(p->a, "example.com.")));
	assert_int_equal(p->s.additional.count, 1);
	assert_int_equal(p->s.additional.sets[0]->rank, RANK_GLUE);
	assert_int_equal(p->s.authority.sets[0]->rank, RANK_DELEGATION);
	assert_int_equal(AUTHORITY("com.", "www.example.com.", RR_A, 0, "ns: example.com. NS ns.example.com."), REPLY_REFERRAL); /* AA by mistake */
	END;
}

static void referrals_that_lead_nowhere_are_lame(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(PLAIN("example.com.", "www.example.com.", RR_A, 0, "ns: com. NS a.gtld.net."), REPLY_LAME);
	assert_int_equal(PLAIN("example.com.", "www.example.com.", RR_A, 0, "ns: example.com. NS ns.example.com."), REPLY_LAME);
	assert_int_equal(PLAIN("com.", "www.example.com.", RR_A, 0, "ns: other.com. NS ns.other.com."), REPLY_LAME);
	assert_int_equal(scrub(p, "com.", "www.example.com.", RR_A, true, MSG_QR | MSG_RA, 0, "ns: example.com. NS ns.example.com."), REPLY_LAME);
	END;
}

static void a_referral_to_the_name_of_a_ds_question_says_there_is_none(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(PLAIN("com.", "example.com.", RR_DS, 0, "ns: example.com. NS ns.example.com."), REPLY_NODATA);
	assert_int_equal(p->s.negative_ttl, 0);
	END;
}

static void denials_need_a_soa_of_the_zone(void **state)
{
	BEGIN("server:\n\tcache-max-negative-ttl: 100\n");

	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_A, 0, "ns: example.com. SOA a. b. 1 2 3 4 60"), REPLY_NODATA);
	assert_int_equal(p->s.negative_ttl, 60);
	assert_int_equal(p->s.authority.sets[0]->ttl, 60);
	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_A, RCODE_NXDOMAIN, "ns: example.com. SOA a. b. 1 2 3 4 86400"), REPLY_NXDOMAIN);
	assert_int_equal(p->s.negative_ttl, 100);
	/* One from above could deny the zone's siblings. */
	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_A, RCODE_NXDOMAIN, "ns: com. SOA a. b. 1 2 3 4 60"), REPLY_NXDOMAIN);
	assert_int_equal(p->s.negative_ttl, 0);
	assert_int_equal(p->s.authority.count, 0);
	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_A, 0, "ns: com. SOA a. b. 1 2 3 4 60"), REPLY_EMPTY);
	END;
}

static void other_answers_are_told_apart(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_AAAA, 0, "an: www.example.com. A 1.2.3.4"), REPLY_EMPTY);
	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_AAAA, 0, "an: other.example.com. AAAA ::1"), REPLY_ERROR);
	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_A, RCODE_REFUSED, ""), REPLY_ERROR);
	assert_int_equal(p->s.lame, LAME_REFUSED);
	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_A, RCODE_SERVFAIL, ""), REPLY_ERROR);
	assert_int_equal(p->s.lame, LAME_SERVFAIL);
	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_A, RCODE_FORMERR, ""), REPLY_ERROR);
	assert_int_equal(p->s.lame, LAME_GARBAGE);
	assert_int_equal(scrub(p, "example.com.", "www.example.com.", RR_A, false, MSG_QR | MSG_RA, 0, "an: www.example.com. A 1.2.3.4"), REPLY_ANSWER);
	assert_true(p->s.second_hand);
	assert_int_equal(p->s.answer.sets[0]->rank, RANK_ANSWER_NONAUTH);
	assert_int_equal(scrub(p, ".", "www.example.com.", RR_A, true, MSG_QR | MSG_RA, 0, "an: www.example.com. A 1.2.3.4"), REPLY_ANSWER);
	assert_false(p->s.second_hand);
	END;
}

static void any_takes_all_that_is_of_the_name(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(AUTHORITY("example.com.", "www.example.com.", RR_ANY, 0,
	    "an: www.example.com. A 1.2.3.4; www.example.com. MX 1 m.example.com.; x.example.com. A 6.6.6.6"), REPLY_ANSWER);
	assert_int_equal(p->s.answer.count, 2);
	END;
}

static void ttls_obey_the_configuration(void **state)
{
	BEGIN("server:\n\tcache-max-ttl: 1000\n\tcache-min-ttl: 50\n");

	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_A, 0, "an: a.example.com. 5 A 1.2.3.4"), REPLY_ANSWER);
	assert_int_equal(p->s.answer.sets[0]->ttl, 50);
	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_A, 0, "an: a.example.com. 5000 A 1.2.3.4"), REPLY_ANSWER);
	assert_int_equal(p->s.answer.sets[0]->ttl, 1000);
	END;
}

static void private_addresses_are_filtered_in_service_bindings_too(void **state)
{
	BEGIN("server:\n\tprivate-address: 10.0.0.0/8\n\tprivate-address: fd00::/8\n\tprivate-domain: home.example.com\n");

	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_A, 0, "an: a.example.com. A 10.0.0.1; a.example.com. A 1.2.3.4"), REPLY_ANSWER);
	assert_int_equal(p->s.answer.sets[0]->count, 1);
	assert_true(p->s.filtered);
	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_HTTPS, 0, "an: a.example.com. HTTPS 1 . ipv4hint=1.2.3.4,10.0.0.1"), REPLY_ANSWER);
	assert_int_equal(p->s.answer.count, 0);
	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_AAAA, 0, "an: a.example.com. AAAA ::ffff:10.1.1.1"), REPLY_ANSWER);
	assert_int_equal(p->s.answer.count, 0);
	assert_int_equal(AUTHORITY("example.com.", "x.home.example.com.", RR_A, 0, "an: x.home.example.com. A 10.0.0.1"), REPLY_ANSWER);
	assert_int_equal(p->s.answer.count, 1);
	END;
}

static void a_set_of_several_cnames_counts_as_its_first(void **state)
{
	BEGIN("server:\n");

	assert_int_equal(AUTHORITY("example.com.", "a.example.com.", RR_A, 0, "an: a.example.com. CNAME b.org.; a.example.com. CNAME c.org."), REPLY_ALIAS);
	assert_int_equal(p->s.answer.sets[0]->count, 1);
	END;
}

static void a_reply_is_judged_only_for_a_name_of_the_zone(void **state)
{
	BEGIN("server:\n");
	struct msg m = message(p->a, MSG_QR, 0, "");
	struct scrub_request r = { p->set, nm(p->a, "example.com."), { nm(p->a, "www.bank.com."), RR_A, CLASS_IN }, false, false };

	assert_int_equal(scrub_reply(p->a, &r, &m, &p->s).e, ERR_RANGE);
	END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_kept_and_nothing_that_rides_along),
		cmocka_unit_test(spare_ns_records_are_shown_when_the_configuration_says_so_but_only_of_the_zone),
		cmocka_unit_test(aliases_end_at_the_edge_of_the_zone),
		cmocka_unit_test(loops_of_aliases_end),
		cmocka_unit_test(dnames_are_worked_out_not_believed),
		cmocka_unit_test(a_dname_that_makes_a_name_too_long_is_yxdomain),
		cmocka_unit_test(a_referral_leads_down_and_brings_its_own_glue),
		cmocka_unit_test(referrals_that_lead_nowhere_are_lame),
		cmocka_unit_test(a_referral_to_the_name_of_a_ds_question_says_there_is_none),
		cmocka_unit_test(denials_need_a_soa_of_the_zone),
		cmocka_unit_test(other_answers_are_told_apart),
		cmocka_unit_test(any_takes_all_that_is_of_the_name),
		cmocka_unit_test(ttls_obey_the_configuration),
		cmocka_unit_test(private_addresses_are_filtered_in_service_bindings_too),
		cmocka_unit_test(a_set_of_several_cnames_counts_as_its_first),
		cmocka_unit_test(a_reply_is_judged_only_for_a_name_of_the_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
