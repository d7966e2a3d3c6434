/* The table of RR types against libldns, both ways: it must read our text as we do, and we its text. */
#include "tests/unit/dns/dns_test.h"

#include "tests/unit/dns/rr_table.h"
#include "tests/unit/ldns_overlay.h"

/* What libldns 1.8 has in another form, or not at all. */
static const char *ldns_differs(const struct rr_case *c)
{
	switch (c->type) {
	case RR_NSAP_PTR:
		return "a string there, a domain name in RFC 1348";
	case RR_SINK:
		return "one octet there";
	case RR_ATMA:
		return "its own text form";
	case RR_NXT:
		return "no text form there";
	case RR_SVCB:
	case RR_HTTPS:
		return strstr(c->text, "docpath") != NULL || strstr(c->text, "key65534") != NULL || strstr(c->text, "oo") != NULL ?
		    "keys and escapes of later documents" : NULL;
	case RR_CAA:
		return strstr(c->text, "\"\"") != NULL ? "prints no empty value" : NULL;
	case RR_PTR:
		return strchr(c->text, '"') != NULL ? "leaves a quote in a name as it is" : NULL;
	case RR_GID:
	case RR_UID:
	case RR_NULL:
	case RR_EID:
	case RR_NIMLOC:
		return "no text form there";
	default:
		return NULL;
	}
}

static bool ldns_of_text(uint16_t type, const char *rdata, uint8_t *out, size_t cap, size_t *ret_n)
{
	AUTO(ldns_buffer_free) ldns_buffer *buffer = ldns_buffer_new(70000);
	AUTO(ldns_rr_free) ldns_rr *rr = NULL;
	char type_text[RRTYPE_TEXT];
	char line[8192];

	snprintf(line, sizeof line, "owner.example. 300 IN %s %s", rrtype_text(type, type_text), rdata);
	if (ldns_rr_new_frm_str(&rr, line, 300, NULL, NULL) != LDNS_STATUS_OK || buffer == NULL ||
	    ldns_rr_rdata2buffer_wire(buffer, rr) != LDNS_STATUS_OK)
		return false;
	*ret_n = ldns_buffer_position(buffer);
	assert_true(*ret_n <= cap);
	memcpy(out, ldns_buffer_begin(buffer), *ret_n);
	return true;
}

static void it_reads_our_text_as_we_do(void **state)
{
	unsigned int compared = 0;

	(void)state;
	for (size_t i = 0; i < RR_CASES; i++) {
		const struct rr_case *c = &rr_table[i];
		char type_text[RRTYPE_TEXT];
		uint8_t want[2048];
		uint8_t got[70000];
		size_t n = 0;
		size_t want_n = unhex(c->hex, want, sizeof want);

		if (ldns_differs(c) != NULL)
			continue;
		if (!ldns_of_text(c->type, c->text, got, sizeof got, &n)) {
			print_message("    not read by libldns: %s %s\n", rrtype_text(c->type, type_text), c->text);
			continue;
		}
		if (n != want_n || memcmp(got, want, n) != 0)
			fail_msg("%s %s: other octets", rrtype_text(c->type, type_text), c->text);
		compared++;
	}
	print_message("    %u texts compared\n", compared);
	assert_true(compared > 75);
}

static char *ldns_text(const struct rr_case *c) OWNED_BY(free);
static char *ldns_text(const struct rr_case *c)
{
	AUTO(ldns_rr_free) ldns_rr *rr = NULL;
	uint8_t wire[4096];
	struct writer w = writer_of(wire, sizeof wire);
	uint8_t rdata[2048];
	size_t n = unhex(c->hex, rdata, sizeof rdata);
	size_t pos = 0;

	write_octets(&w, "\5owner\7example", 15);
	write16(&w, c->type);
	write16(&w, CLASS_IN);
	write32(&w, 300);
	write16(&w, (uint16_t)n);
	write_octets(&w, rdata, n);
	return ldns_wire2rr(&rr, wire, w.pos, &pos, LDNS_SECTION_ANSWER) == LDNS_STATUS_OK ? ldns_rr2str(rr) : NULL;
}

static void we_read_its_text_as_it_does(void **state)
{
	unsigned int compared = 0;

	(void)state;
	for (size_t i = 0; i < RR_CASES; i++) {
		const struct rr_case *c = &rr_table[i];
		uint8_t want[2048];
		uint8_t got[4096];
		size_t n = unhex(c->hex, want, sizeof want);
		struct writer w = writer_of(got, sizeof got);
		char *text;
		const char *rdata;
		const char *msg = "";

		if (ldns_differs(c) != NULL)
			continue;
		text = ldns_text(c);
		if (text == NULL) {
			print_message("    not read by libldns: %u %s\n", (unsigned int)c->type, c->text);
			continue;
		}
		rdata = text;
		for (int tabs = 0; tabs < 4; tabs++)
			rdata = strchr(rdata, '\t') + 1;
		if (!OK(rdata_parse(c->type, rdata, NULL, &w, &msg)))
			fail_msg("%s: expected %s", text, msg);
		if (w.pos != n || memcmp(got, want, n) != 0)
			fail_msg("%s: other octets", text);
		free(text);
		compared++;
	}
	print_message("    %u texts compared\n", compared);
	assert_true(compared > 75);
}

/* A name of every octet means the same to both. */
static void names_in_text_are_the_same(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 256; c++) {
		struct name_buf n = { 5, 1, { 3, 'a', (uint8_t)c, 'b', 0 } };
		char text[NAME_TEXT];
		ldns_rdf *rdf;

		rdf = ldns_dname_new_frm_str(name_to_text(name_of(&n), text));
		if (rdf == NULL)
			fail_msg("%s", text);
		assert_int_equal(ldns_rdf_size(rdf), 5);
		assert_memory_equal(ldns_rdf_data(rdf), n.b, 5);
		ldns_rdf_deep_free(rdf);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_our_text_as_we_do),
		cmocka_unit_test(we_read_its_text_as_it_does),
		cmocka_unit_test(names_in_text_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
