#include "unit.h"

#include "base/hash.h"

/* Key 00 01 .. 0f, input 00 01 .. of n octets; 2-4 from the authors' paper and code, 1-3 from an independent implementation. */
static const struct {
	size_t n;
	uint64_t h24, h13;
} vectors[] = {
	{ 0, 0x726fdb47dd0e0e31, 0xabac0158050fc4dc },
	{ 1, 0x74f839c593dc67fd, 0xc9f49bf37d57ca93 },
	{ 7, 0xab0200f58b01d137, 0xd3927d989bb11140 },
	{ 8, 0x93f5f5799a932462, 0x369095118d299a8e },
	{ 9, 0x9e0082df0ba9e4b0, 0x25a48eb36c063de4 },
	{ 15, 0xa129ca6149be45e5, 0xd320d86d2a519956 },
	{ 16, 0x3f2acc7f57c29bdb, 0xcc4fdd1a7d908b66 },
	{ 63, 0x958a324ceb064572, 0x9d199062b7bbb3a8 },
};

static void vectors_match(void **state)
{
	struct hash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	uint8_t in[65];

	(void)state;
	for (size_t offset = 0; offset < 2; offset++) { /* alignment does not matter */
		for (size_t i = 0; i < 64; i++)
			in[offset + i] = (uint8_t)i;
		for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
			assert_true(siphash24(&key, in + offset, vectors[i].n) == vectors[i].h24);
			assert_true(siphash13(&key, in + offset, vectors[i].n) == vectors[i].h13);
		}
	}
}

static void the_key_matters(void **state)
{
	struct hash_key a = { { 1, 2 } }, b = { { 1, 3 } };

	(void)state;
	assert_true(siphash13(&a, "x", 1) != siphash13(&b, "x", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_match),
		cmocka_unit_test(the_key_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
