#include "tests/unit/dns/dns_test.h"

#include "dns/fields.h"

static void every_format_ends(void **state)
{
	(void)state;
	for (unsigned int v = 0; v <= 65535; v++) {
		const uint8_t *f = format_of((uint16_t)v);
		unsigned int n = 0;

		while (f[n] != F_END)
			n++;
		assert_true(n >= 1 && n < FORMAT_FIELDS);
	}
}

static void mnemonics_of_fields(void **state)
{
	uint16_t v = 0;

	(void)state;
	assert_string_equal(field_mnemonic(F_ALGORITHM, 13), "ECDSAP256SHA256");
	assert_null(field_mnemonic(F_ALGORITHM, 200));
	assert_ok(field_mnemonic_parse(F_CERT_TYPE, span_text("pgp"), &v));
	assert_int_equal(v, 3);
	assert_err(field_mnemonic_parse(F_ALGORITHM, span_text("pgp"), &v), ERR_NOTFOUND);
	assert_err(field_mnemonic_parse(F_ALGORITHM, span_text(""), &v), ERR_NOTFOUND);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_ends),
		cmocka_unit_test(mnemonics_of_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
