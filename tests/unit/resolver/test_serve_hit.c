/* From an answer to a stored packet (render.c), and from that to a reply (hit.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "resolver/serve/hit.h"
#include "resolver/serve/render.h"

static uint8_t scratch[RENDER_SCRATCH];
static struct serve_settings settings;
static struct arena *arena;
static struct now now = { 5000000000000u, 1700000000, 0 };

static int set_up(void **state)
{
	(void)state;
	settings = (struct serve_settings){ .minimal = true, .ede = true, .edns_size = 1232, .expired_reply_ttl_sec = 30 };
	arena = arena_new(0);
	return arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct name name_in(const char *text)
{
	struct name_buf nb;

	assert_true(OK(name_from_text(text, NULL, &nb)));
	return name_dup_in(arena, name_of(&nb));
}

static struct answer_set set_of(const char *owner, uint16_t type, uint32_t ttl, size_t count, size_t rdlen, size_t sigs)
{
	static const uint8_t sig[] = { 0, 1, 8, 2, 0, 0, 1, 0, 0x70, 0, 0, 0, 0x60, 0, 0, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct span *rdata = arena_alloc_array(arena, count + sigs, sizeof *rdata);
	struct rrset *rs;

	for (size_t i = 0; i < count; i++) {
		uint8_t *p = arena_alloc(arena, rdlen);

		store16(p + rdlen - 2, (uint16_t)i);
		rdata[i] = span_of(p, rdlen);
	}
	for (size_t i = 0; i < sigs; i++)
		rdata[count + i] = span_of(sig, sizeof sig);
	rs = rrset_make_in(arena, name_in(owner), type, CLASS_IN, ttl, rdata, count, sigs);
	assert_non_null(rs);
	return (struct answer_set){ rs, ttl };
}

static struct answer answer_of(struct answer_set *sets, size_t an, size_t ns, size_t ar)
{
	struct answer a = { .rcode = RCODE_NOERROR,
		.cacheable = true,
		.ttl = UINT32_MAX,
		.sets = sets,
		.answer_count = an,
		.authority_count = ns,
		.additional_count = ar };

	for (size_t i = 0; i < an + ns + ar; i++)
		if (sets[i].ttl < a.ttl)
			a.ttl = sets[i].ttl;
	return a;
}

static struct ans_entry *render(const struct answer *a, const char *qname, uint16_t type, uint32_t variant)
{
	struct render r = { &settings, &now, 7, scratch };
	struct ans_key k = { name_in(qname), type, CLASS_IN, variant };
	struct ans_entry *e;

	assert_true(OK(render_answer(&r, a, &k, 1, &e)));
	return e;
}

static struct reply_to to_client(const char *qname, uint16_t id, uint16_t flags, bool edns, bool dnssec_ok, uint16_t limit)
{
	return (struct reply_to){ .id = id,
		.flags = flags,
		.limit = limit,
		.name = name_in(qname),
		.type = RR_A,
		.rclass = CLASS_IN,
		.edns = edns,
		.dnssec_ok = dnssec_ok };
}

static uint8_t out[65535];

static struct msg composed(const struct ans_entry *e, const struct reply_to *to, uint32_t later, size_t *ret_len)
{
	struct msg m;

	memset(out, 0xee, sizeof out);
	*ret_len = hit_compose(&settings, e, to, now_sec(&now) + later, out, sizeof out);
	assert_in_range(*ret_len, 12, to->limit);
	assert_int_equal(out[*ret_len], 0xee); /* nothing behind the end */
	assert_true(OK(msg_read(arena, span_of(out, *ret_len), &(struct msg_limits){ .max_rrs = 0 }, &m)));
	return m;
}

static void a_reply_has_id_flags_and_case_of_its_client(void **state)
{
	struct answer_set sets[] = { set_of("www.example.", RR_A, 300, 1, 4, 0) };
	struct answer a = answer_of(sets, 1, 0, 0);
	struct ans_entry *e = render(&a, "www.Example.", RR_A, 0);
	struct reply_to to = to_client("wWw.exAmple.", 0xbeef, MSG_RD | MSG_CD | MSG_AD, false, false, 512);
	size_t len;
	struct msg m = composed(e, &to, 10, &len);

	(void)state;
	assert_int_equal(m.id, 0xbeef);
	assert_int_equal(m.flags, MSG_QR | MSG_RD | MSG_RA | MSG_CD); /* AD only for what was validated */
	assert_true(name_equal_case(m.q.name, to.name));
	assert_int_equal(m.answer.sets[0]->ttl, 290);
	assert_false(m.edns.present);
	assert_memory_equal(ans_packet(e) + 13, "www", 3);
	ans_entry_free(e);
}

static void ad_is_for_validated_answers_and_clients_that_ask(void **state)
{
	struct answer_set sets[] = { set_of("a.", RR_A, 300, 1, 4, 1) };
	struct answer a = answer_of(sets, 1, 0, 0);
	struct reply_to plain = to_client("a.", 1, MSG_RD, true, false, 1232), ad = to_client("a.", 1, MSG_AD, true, false, 1232);
	struct reply_to dnssec_ok = to_client("a.", 1, 0, true, true, 1232);
	struct ans_entry *e;
	size_t len;

	(void)state;
	a.security = SECURITY_SECURE;
	e = render(&a, "a.", RR_A, ANS_DO);
	assert_int_equal(composed(e, &plain, 0, &len).flags & MSG_AD, 0);
	assert_int_equal(composed(e, &ad, 0, &len).flags & MSG_AD, MSG_AD);
	assert_int_equal(composed(e, &dnssec_ok, 0, &len).flags & MSG_AD, MSG_AD);
	assert_true(composed(e, &dnssec_ok, 0, &len).edns.dnssec_ok);
	ans_entry_free(e);
}

static void signatures_go_to_those_who_set_do(void **state)
{
	struct answer_set sets[] = { set_of("a.", RR_A, 300, 1, 4, 1) };
	struct answer a = answer_of(sets, 1, 0, 0);
	struct reply_to to = to_client("a.", 1, MSG_RD, true, true, 1232);
	struct ans_entry *with = render(&a, "a.", RR_A, ANS_DO), *without = render(&a, "a.", RR_A, 0);
	size_t len;

	(void)state;
	assert_int_equal(composed(with, &to, 0, &len).answer.sets[0]->sigs, 1);
	to.dnssec_ok = false;
	assert_int_equal(composed(without, &to, 0, &len).answer.sets[0]->sigs, 0);
	ans_entry_free(with);
	ans_entry_free(without);
}

static void addresses_rotate_and_all_of_them_are_there(void **state)
{
	struct answer_set sets[] = { set_of("a.", RR_A, 300, 5, 4, 0) };
	struct answer a = answer_of(sets, 1, 0, 0);
	struct ans_entry *e = render(&a, "a.", RR_A, 0);
	unsigned int first_seen[5] = { 0 };

	(void)state;
	settings.roundrobin = true;
	for (unsigned int id = 0; id < 65536; id += 1311) {
		struct reply_to to = to_client("a.", (uint16_t)id, MSG_RD, false, false, 512);
		size_t len;
		struct msg m = composed(e, &to, 0, &len);

		assert_int_equal(m.answer.count, 1);
		assert_int_equal(m.answer.sets[0]->count, 5);
		first_seen[load16(rrset_rdata(m.answer.sets[0], 0).p + 2)]++;
	}
	for (size_t i = 0; i < 5; i++)
		assert_in_range(first_seen[i], 8, 12);
	ans_entry_free(e);
}

static void a_reply_always_fits_and_is_always_well_formed(void **state)
{
	struct answer_set sets[] = { set_of("a.example.", RR_A, 300, 20, 4, 1), set_of("example.", RR_TXT, 300, 0, 4, 0),
		set_of("example.", RR_A, 300, 3, 4, 1) };
	struct answer a = answer_of(sets, 1, 0, 0);
	struct ans_entry *e;
	bool cut_before = true;

	(void)state;
	sets[1] = sets[2];
	a.authority_count = 1;
	settings.minimal = false;
	e = render(&a, "a.example.", RR_A, ANS_DO);
	for (uint16_t limit = 60; limit < 700; limit++) {
		struct reply_to to = to_client("a.example.", 1, MSG_RD, true, true, limit);
		size_t len;
		struct msg m = composed(e, &to, 0, &len);
		bool cut = (m.flags & MSG_TC) != 0;

		assert_true(cut_before || !cut); /* more room never makes it worse */
		cut_before = cut;
		assert_true(m.edns.present);
		if (!cut)
			assert_int_equal(m.answer.sets[0]->count, 20);
	}
	assert_false(cut_before);
	ans_entry_free(e);
}

static void what_is_not_needed_goes_before_anything_is_cut(void **state)
{
	struct answer_set sets[] = { set_of("a.", RR_A, 300, 5, 4, 0), set_of("b.", RR_A, 300, 5, 4, 0),
		set_of("c.", RR_A, 300, 5, 4, 0) };
	struct answer a = answer_of(sets, 1, 1, 1);
	struct reply_to to = to_client("a.", 1, MSG_RD, false, false, 512);
	struct ans_entry *e;
	size_t len, whole;
	struct msg m;

	(void)state;
	settings.minimal = false;
	e = render(&a, "a.", RR_A, 0);
	m = composed(e, &to, 0, &whole);
	assert_int_equal(m.additional.count, 1);
	to.limit = (uint16_t)(whole - 1);
	m = composed(e, &to, 0, &len);
	assert_int_equal(m.flags & MSG_TC, 0);
	assert_int_equal(m.additional.count, 0);
	assert_int_equal(m.authority.count, 1);
	to.limit = (uint16_t)(len - 1);
	m = composed(e, &to, 0, &len);
	assert_int_equal(m.flags & MSG_TC, 0);
	assert_int_equal(m.authority.count, 0);
	assert_int_equal(m.answer.sets[0]->count, 5);
	to.limit = (uint16_t)(len - 1);
	m = composed(e, &to, 0, &len);
	assert_int_equal(m.flags & MSG_TC, MSG_TC);
	assert_int_equal(m.answer.sets[0]->count, 4);
	ans_entry_free(e);
}

static void a_negative_answer_without_its_soa_is_cut(void **state)
{
	struct answer_set sets[] = { set_of("b.", RR_A, 300, 5, 4, 0) };
	struct answer a = answer_of(sets, 0, 1, 0);
	struct reply_to to = to_client("a.", 1, MSG_RD, false, false, 60);
	struct ans_entry *e;
	size_t len;

	(void)state;
	a.rcode = RCODE_NXDOMAIN;
	e = render(&a, "a.", RR_A, 0);
	assert_int_equal(composed(e, &to, 0, &len).flags & MSG_TC, MSG_TC);
	to.limit = 512;
	assert_int_equal(composed(e, &to, 0, &len).flags & MSG_TC, 0);
	ans_entry_free(e);
}

static void minimal_replies_keep_what_proves(void **state)
{
	static const uint8_t nsec[] = { 1, 'z', 0, 0, 1, 0x40 };
	struct span rdata = span_of(nsec, sizeof nsec);
	struct answer_set sets[] = { set_of("a.", RR_A, 300, 1, 4, 1), set_of("ns.", RR_A, 300, 1, 4, 0), { NULL, 300 },
		set_of("x.", RR_A, 300, 1, 4, 0) };
	struct reply_to to = to_client("a.", 1, MSG_RD, true, true, 1232);
	struct answer a;
	struct ans_entry *e;
	size_t len;
	struct msg m;

	(void)state;
	sets[2].rs = rrset_make_in(arena, name_in("a."), RR_NSEC, CLASS_IN, 300, &rdata, 1, 0);
	a = answer_of(sets, 1, 2, 1);
	e = render(&a, "a.", RR_A, ANS_DO);
	m = composed(e, &to, 0, &len);
	/* who validates wants the section whole where it proves something */
	assert_int_equal(m.authority.count, 2);
	assert_int_equal(m.authority.sets[1]->type, RR_NSEC);
	assert_int_equal(m.additional.count, 1);
	ans_entry_free(e);
	e = render(&a, "a.", RR_A, 0);
	m = composed(e, &to, 0, &len);
	assert_int_equal(m.authority.count, 0);
	assert_int_equal(m.additional.count, 0);
	ans_entry_free(e);
}

static void the_opt_has_what_was_asked_for(void **state)
{
	struct answer_set sets[] = { set_of("a.", RR_A, 300, 1, 4, 0) };
	struct answer a = answer_of(sets, 1, 0, 0);
	struct reply_to to = to_client("a.", 1, MSG_RD, true, false, 1232);
	struct ans_entry *e;
	struct reader options;
	struct span data;
	uint16_t code;
	size_t len;
	struct msg m;

	(void)state;
	a.ede[0] = (struct ede){ EDE_OTHER, "why not" };
	a.ede_count = 1;
	memcpy(settings.nsid, "me", 2);
	settings.nsid_len = 2;
	to.nsid = true;
	to.cookie_len = COOKIE_FULL;
	to.keepalive = true;
	to.keepalive_ds = 77;
	e = render(&a, "a.", RR_A, 0);
	m = composed(e, &to, 0, &len);
	assert_int_equal(m.edns.udp_size, 1232);
	options = reader_of(m.edns.options);
	assert_true(edns_next_option(&options, &code, &data));
	assert_int_equal(code, EDNS_COOKIE);
	assert_int_equal(data.n, COOKIE_FULL);
	assert_true(edns_next_option(&options, &code, &data));
	assert_int_equal(code, EDNS_NSID);
	assert_memory_equal(data.p, "me", 2);
	assert_true(edns_next_option(&options, &code, &data));
	assert_int_equal(code, EDNS_TCP_KEEPALIVE);
	assert_int_equal(load16(data.p), 77);
	assert_true(edns_next_option(&options, &code, &data));
	assert_int_equal(code, EDNS_ERROR);
	assert_int_equal(data.n, 2 + 7);
	assert_false(edns_next_option(&options, &code, &data));
	ans_entry_free(e);
}

static void expired_data_keeps_the_ttl_of_the_reply(void **state)
{
	struct answer_set sets[] = { set_of("a.", RR_A, 300, 1, 4, 0) };
	struct answer a = answer_of(sets, 1, 0, 0);
	struct reply_to to = to_client("a.", 1, MSG_RD, true, false, 1232);
	struct ans_entry *e;
	size_t len;

	(void)state;
	a.stale = true;
	a.cacheable = false;
	sets[0].ttl = 0;
	e = render(&a, "a.", RR_A, 0);
	assert_int_equal(composed(e, &to, 100, &len).answer.sets[0]->ttl, 30);
	assert_int_equal(composed(e, &to, 0, &len).edns.options.n, 0); /* ede-serve-expired is off */
	ans_entry_free(e);
	settings.ede_expired = true;
	e = render(&a, "a.", RR_A, 0);
	assert_int_equal(composed(e, &to, 0, &len).edns.options.n, 6);
	ans_entry_free(e);
}

static void times_follow_the_least_ttl(void **state)
{
	struct answer_set sets[] = { set_of("a.", RR_CNAME, 100, 0, 4, 0), set_of("b.", RR_A, 5000, 1, 4, 0) };
	struct answer a = answer_of(sets, 2, 0, 0);
	struct ans_entry *e = render(&a, "a.", RR_A, 0);

	(void)state;
	assert_int_equal(e->expires_sec - e->stored_sec, 100);
	assert_int_equal(e->expires_sec - e->prefetch_sec, 10);
	assert_true(hit_is_fresh(e, 7, now_sec(&now) + 99));
	assert_false(hit_is_fresh(e, 7, now_sec(&now) + 100));
	assert_false(hit_is_fresh(e, 8, now_sec(&now)));
	ans_entry_free(e);
}

static void out_of_memory_is_said(void **state)
{
	struct answer_set sets[] = { set_of("a.", RR_A, 300, 1, 4, 0) };
	struct answer a = answer_of(sets, 1, 0, 0);
	struct render r = { &settings, &now, 7, scratch };
	struct ans_key k = { name_in("a."), RR_A, CLASS_IN, 0 };
	struct ans_entry *e = NULL;

	(void)state;
	mem_fail_at(1, true);
	assert_int_equal(render_answer(&r, &a, &k, 1, &e).e, ERR_NOMEM);
	mem_fail_at(0, false);
	assert_null(e);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reply_has_id_flags_and_case_of_its_client),
		TEST(ad_is_for_validated_answers_and_clients_that_ask),
		TEST(signatures_go_to_those_who_set_do),
		TEST(addresses_rotate_and_all_of_them_are_there),
		TEST(a_reply_always_fits_and_is_always_well_formed),
		TEST(what_is_not_needed_goes_before_anything_is_cut),
		TEST(a_negative_answer_without_its_soa_is_cut),
		TEST(minimal_replies_keep_what_proves),
		TEST(the_opt_has_what_was_asked_for),
		TEST(expired_data_keeps_the_ttl_of_the_reply),
		TEST(times_follow_the_least_ttl),
		TEST(out_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
