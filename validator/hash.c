#include "validator/hash.h"

#include "base/libcrypto.h"

static size_t sha1(const struct span *pieces, size_t count, uint8_t ret_digest[HASH_MAX_OCTETS])
{
	SHA_CTX c;

	SHA1_Init(&c);
	for (size_t i = 0; i < count; i++)
		SHA1_Update(&c, pieces[i].p, pieces[i].n);
	SHA1_Final(ret_digest, &c);
	return SHA_DIGEST_LENGTH;
}

static size_t sha256(const struct span *pieces, size_t count, uint8_t ret_digest[HASH_MAX_OCTETS])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	for (size_t i = 0; i < count; i++)
		SHA256_Update(&c, pieces[i].p, pieces[i].n);
	SHA256_Final(ret_digest, &c);
	return SHA256_DIGEST_LENGTH;
}

static size_t sha512(bool short_one, const struct span *pieces, size_t count, uint8_t ret_digest[HASH_MAX_OCTETS])
{
	SHA512_CTX c;

	if (short_one)
		SHA384_Init(&c);
	else
		SHA512_Init(&c);
	for (size_t i = 0; i < count; i++)
		SHA512_Update(&c, pieces[i].p, pieces[i].n);
	SHA512_Final(ret_digest, &c); /* as many octets as it was begun with */
	return short_one ? SHA384_DIGEST_LENGTH : SHA512_DIGEST_LENGTH;
}

size_t hash_pieces(enum hash_kind kind, const struct span *pieces, size_t count, uint8_t ret_digest[HASH_MAX_OCTETS])
{
	switch (kind) {
	case HASH_SHA1:
		return sha1(pieces, count, ret_digest);
	case HASH_SHA256:
		return sha256(pieces, count, ret_digest);
	case HASH_SHA384:
		return sha512(true, pieces, count, ret_digest);
	case HASH_SHA512:
		return sha512(false, pieces, count, ret_digest);
	case HASH_NONE:
		break;
	}
	return 0;
}
