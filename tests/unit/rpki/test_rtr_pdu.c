/* PDUs on the wire, and images: their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rpki/routes/rtr_image.h"

static struct rtr_pdu read_ok(struct span octets)
{
	struct rtr_pdu p = { .serial = 0 };
	enum rtr_error code;
	const char *why;

	assert_true(OK(rtr_read(octets, &p, &code, &why)));
	return p;
}

static enum rtr_error read_bad(struct span octets)
{
	struct rtr_pdu p;
	enum rtr_error code = 99;
	const char *why = NULL;

	assert_int_equal(rtr_read(octets, &p, &code, &why).e, ERR_FORMAT);
	assert_non_null(why);
	return code;
}

static void prefixes_lie_on_the_wire_as_rfc_8210_draws_them(void **state)
{
	static const uint8_t v4[] = { 1, 4, 0, 0, 0, 0, 0, 20, 1, 24, 25, 0, 192, 0, 2, 0, 0, 0, 0xfb, 0xf0 };
	static const uint8_t v6[] = { 2, 6, 0, 0, 0, 0, 0, 32, 0, 32, 48, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 };
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	struct vrp v = { .family = ADDR_V4, .len = 24, .maxlen = 25, .asn = 64496, .addr = { 192, 0, 2 } };
	struct rtr_pdu p;

	(void)state;
	rtr_write_vrp(&w, 1, true, &v);
	assert_true(span_equal(writer_done(&w), span_of(v4, sizeof v4)));
	p = read_ok(span_of(v4, sizeof v4));
	assert_true(p.announce);
	assert_int_equal(vrp_compare(&p.vrp, &v), 0);
	v = (struct vrp){ .family = ADDR_V6, .len = 32, .maxlen = 48, .asn = 65536, .addr = { 0x20, 1, 0xd, 0xb8 } };
	w = writer_of(room, sizeof room);
	rtr_write_vrp(&w, 2, false, &v);
	assert_true(span_equal(writer_done(&w), span_of(v6, sizeof v6)));
	p = read_ok(span_of(v6, sizeof v6));
	assert_false(p.announce);
	assert_int_equal(vrp_compare(&p.vrp, &v), 0);
}

static void end_of_data_has_timers_from_version_1_on(void **state)
{
	uint8_t room[64];

	(void)state;
	for (uint8_t version = 0; version <= 2; version++) {
		struct writer w = writer_of(room, sizeof room);
		struct rtr_pdu p;

		rtr_write_end_of_data(&w, version, 7, 9, &RTR_TIMERS_USUAL);
		assert_int_equal(w.pos, version == 0 ? 12 : 24);
		p = read_ok(writer_done(&w));
		assert_int_equal(p.h.field, 7);
		assert_int_equal(p.serial, 9);
		assert_int_equal(p.timers.refresh, version == 0 ? 0 : 3600);
		assert_int_equal(p.timers.retry, version == 0 ? 0 : 600);
		assert_int_equal(p.timers.expire, version == 0 ? 0 : 7200);
	}
	assert_true(rtr_timers_sound(&RTR_TIMERS_USUAL));
	assert_false(rtr_timers_sound(&(struct rtr_timers){ 3600, 600, 3600 }));
	assert_false(rtr_timers_sound(&(struct rtr_timers){ 0, 600, 7200 }));
}

static void an_error_report_is_cut_to_its_bounds(void **state)
{
	uint8_t room[RTR_REPORT_MAX], bad[2000] = { 1, 4 };
	struct writer w = writer_of(room, sizeof room);
	struct rtr_pdu p;

	(void)state;
	rtr_write_error(&w, 1, RTR_CORRUPT_DATA, span_of(bad, sizeof bad), "why");
	assert_true(writer_ok(&w));
	p = read_ok(writer_done(&w));
	assert_int_equal(p.h.field, RTR_CORRUPT_DATA);
	assert_int_equal(p.erroneous.n, RTR_REPORT_PDU_MAX);
	assert_true(span_equal(p.text, span_text("why")));
}

static void what_is_malformed_is_told_from_what_is_unsupported(void **state)
{
	static const uint8_t unknown[] = { 1, 5, 0, 0, 0, 0, 0, 8 };
	static const uint8_t key0[] = { 0, 9, 1, 0, 0, 0, 0, 33 };
	static const uint8_t aspa1[] = { 1, 11, 1, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 2 };
	static const uint8_t longer[] = { 1, 2, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0 };
	static const uint8_t host_bits[] = { 1, 4, 0, 0, 0, 0, 0, 20, 1, 24, 24, 0, 192, 0, 2, 1, 0, 0, 0, 1 };
	static const uint8_t descending[] = { 2, 11, 1, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2 };
	static const uint8_t zero_first[] = { 2, 11, 1, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2 };
	static const uint8_t none[] = { 2, 11, 1, 0, 0, 0, 0, 12, 0, 0, 0, 1 };
	static const uint8_t withdrawn_with[] = { 2, 11, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 2 };
	static const uint8_t report[] = { 1, 10, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0 };

	(void)state;
	assert_int_equal(read_bad(span_of(unknown, sizeof unknown)), RTR_UNSUPPORTED_TYPE);
	assert_int_equal(read_bad(span_of(key0, sizeof key0)), RTR_UNSUPPORTED_TYPE);
	assert_int_equal(read_bad(span_of(aspa1, sizeof aspa1)), RTR_UNSUPPORTED_TYPE);
	assert_int_equal(read_bad(span_of(longer, sizeof longer)), RTR_CORRUPT_DATA);
	assert_int_equal(read_bad(span_of(host_bits, sizeof host_bits)), RTR_CORRUPT_DATA);
	assert_int_equal(read_bad(span_of(host_bits, 19)), RTR_CORRUPT_DATA);
	assert_int_equal(read_bad(span_of(descending, sizeof descending)), RTR_ASPA_PROVIDERS);
	assert_int_equal(read_bad(span_of(zero_first, sizeof zero_first)), RTR_ASPA_PROVIDERS);
	assert_int_equal(read_bad(span_of(none, sizeof none)), RTR_ASPA_PROVIDERS);
	assert_int_equal(read_bad(span_of(withdrawn_with, sizeof withdrawn_with)), RTR_ASPA_PROVIDERS);
	assert_int_equal(read_bad(span_of(report, sizeof report)), RTR_CORRUPT_DATA);
	assert_int_equal(read_bad(span_of(report, 7)), RTR_CORRUPT_DATA);
	assert_string_equal(rtr_error_text(13), "Cache Shutdown");
	assert_string_equal(rtr_error_text(99), "unknown error");
	assert_string_equal(rtr_type_text(RTR_ASPA), "ASPA");
	assert_string_equal(rtr_type_text(5), "unknown PDU type");
}

static void put(struct table_builder *b, const char *prefix, uint8_t maxlen, uint32_t asn)
{
	struct prefix p;
	struct vrp v = { .asn = 0 };

	assert_true(OK(prefix_parse(prefix, &p)));
	assert_true(OK(vrp_make(&p, maxlen, asn, &v)));
	assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
}

/* Types, flags and last octets of what an image has, as text: "4+1" is an announced IPv4 prefix of AS 1. */
static void image_text(struct span octets, char *text, size_t room)
{
	size_t at = 0;

	*text = '\0';
	while (octets.n > 0) {
		struct rtr_header h = rtr_header_of(octets.p);
		struct rtr_pdu p = read_ok(span_of(octets.p, h.length));
		uint32_t tail = h.type == RTR_ASPA ? p.customer : h.type == RTR_ROUTER_KEY ? p.key.asn : p.vrp.asn;

		at += (size_t)snprintf(text + at, room - at, "%u%c%u ", h.type, p.announce ? '+' : '-', tail);
		assert_true(at < room);
		octets = span_of(octets.p + h.length, octets.n - h.length);
	}
}

static struct payload_table *first_table(void) OWNED_BY(table_unref);
static struct payload_table *first_table(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct router_key k = { .asn = 5, .spki = span_text("key") };
	struct payload_table *t = NULL;
	uint32_t p[] = { 9, 8 };

	assert_non_null(b);
	put(b, "10.0.0.0/8", 8, 0);
	put(b, "10.0.0.0/8", 8, 1);
	put(b, "10.0.0.0/8", 9, 2);
	put(b, "11.0.0.0/8", 8, 3);
	put(b, "2001:db8::/32", 32, 4);
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 6, p, 2, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 7, p, 1, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	return t;
}

static struct payload_table *second_table(void) OWNED_BY(table_unref);
static struct payload_table *second_table(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct router_key k = { .asn = 6, .spki = span_text("key") };
	struct payload_table *t = NULL;
	uint32_t p[] = { 9 };

	assert_non_null(b);
	put(b, "10.0.0.0/8", 8, 1);
	put(b, "12.0.0.0/8", 8, 20);
	put(b, "12.0.0.0/8", 8, 21);
	put(b, "2001:db8::/32", 32, 22);
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 6, p, 1, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	return t;
}

static void images_have_the_order_of_version_2(void **state)
{
	AUTO(table_unref) struct payload_table *a = first_table(), *b = second_table();
	AUTO(delta_free) struct payload_delta *d = NULL;
	static const char *const full[] = { "4+3 4+2 4+1 4+0 6+4 ", "4+3 4+2 4+1 4+0 6+4 9+5 ", "4+3 4+2 4+1 4+0 6+4 9+5 11+6 11+7 " };
	static const char *const change[] = { "4+21 4+20 4-0 4-2 4-3 6+22 6-4 ", "4+21 4+20 4-0 4-2 4-3 6+22 6-4 9+6 9-5 ",
		"4+21 4+20 4-0 4-2 4-3 6+22 6-4 9+6 9-5 11+6 11-7 " };
	char text[200];

	(void)state;
	assert_true(OK(delta_between(a, b, &d)));
	for (uint8_t version = 0; version <= 2; version++) {
		AUTO(rtr_image_unref) struct rtr_image *i = NULL, *j = NULL;

		assert_true(OK(rtr_image_full(a, version, &i)));
		image_text(rtr_image_octets(i), text, sizeof text);
		assert_string_equal(text, full[version]);
		assert_true(OK(rtr_image_delta(d, version, &j)));
		image_text(rtr_image_octets(j), text, sizeof text);
		assert_string_equal(text, change[version]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_lie_on_the_wire_as_rfc_8210_draws_them),
		cmocka_unit_test(end_of_data_has_timers_from_version_1_on),
		cmocka_unit_test(an_error_report_is_cut_to_its_bounds),
		cmocka_unit_test(what_is_malformed_is_told_from_what_is_unsupported),
		cmocka_unit_test(images_have_the_order_of_version_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
