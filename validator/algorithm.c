#include "validator/algorithm.h"

#include "validator/work.h"

static const struct algorithm algorithms[] = {
	{ ALG_RSASHA1, ALG_FAMILY_RSA, "RSASHA1", HASH_SHA1, 0, 0, 0 },
	{ ALG_RSASHA1_NSEC3, ALG_FAMILY_RSA, "RSASHA1-NSEC3-SHA1", HASH_SHA1, 0, 0, 0 },
	{ ALG_RSASHA256, ALG_FAMILY_RSA, "RSASHA256", HASH_SHA256, 0, 0, 0 },
	{ ALG_RSASHA512, ALG_FAMILY_RSA, "RSASHA512", HASH_SHA512, 0, 0, 0 },
	{ ALG_ECDSAP256, ALG_FAMILY_ECDSA, "ECDSAP256SHA256", HASH_SHA256, 64, 64, WORK_P256 },
	{ ALG_ECDSAP384, ALG_FAMILY_ECDSA, "ECDSAP384SHA384", HASH_SHA384, 96, 96, WORK_P384 },
	{ ALG_ED25519, ALG_FAMILY_EDDSA, "ED25519", HASH_NONE, 32, 64, WORK_ED25519 },
	{ ALG_ED448, ALG_FAMILY_EDDSA, "ED448", HASH_NONE, 57, 114, WORK_ED448 },
};

static const struct digest_kind digests[] = {
	{ DIGEST_SHA1, 20, HASH_SHA1, "SHA1" },
	{ DIGEST_SHA256, 32, HASH_SHA256, "SHA256" },
	{ DIGEST_SHA384, 48, HASH_SHA384, "SHA384" },
};

const struct algorithm *algorithm_find(uint8_t number)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
		if (algorithms[i].number == number)
			return &algorithms[i];
	return NULL;
}

const struct digest_kind *digest_find(uint8_t number)
{
	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
		if (digests[i].number == number)
			return &digests[i];
	return NULL;
}

static bool bit_of(const uint32_t set[8], uint8_t number)
{
	return (set[number / 32] >> number % 32 & 1) != 0;
}

static void bit_set(uint32_t set[8], uint8_t number)
{
	set[number / 32] |= UINT32_C(1) << number % 32;
}

void algorithm_switch_off(struct algorithm_policy *p, uint8_t number)
{
	bit_set(p->algorithms_off, number);
}

void digest_switch_off(struct algorithm_policy *p, uint8_t number)
{
	bit_set(p->digests_off, number);
}

bool algorithm_usable(const struct algorithm_policy *p, uint8_t number)
{
	return algorithm_find(number) != NULL && (p == NULL || !bit_of(p->algorithms_off, number));
}

bool digest_usable(const struct algorithm_policy *p, uint8_t number)
{
	return digest_find(number) != NULL && (p == NULL || !bit_of(p->digests_off, number));
}
