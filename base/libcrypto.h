/* libcrypto.h: what is used of libcrypto, with the words of own.h added. The only file that includes its headers. */
#ifndef BASE_LIBCRYPTO_H
#define BASE_LIBCRYPTO_H

#define OPENSSL_SUPPRESS_DEPRECATED /* RSA, EC_KEY and SHA: docs/decisions/0006-libcryptos-plain-functions.md */

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "base/own.h"

extern void EVP_PKEY_free(EVP_PKEY *) TAKES(1);
extern EVP_PKEY *EVP_PKEY_new_raw_public_key_ex(OSSL_LIB_CTX *, const char *, const char *, const unsigned char *, size_t) OWNED_BY(EVP_PKEY_free);
extern void EVP_PKEY_CTX_free(EVP_PKEY_CTX *) TAKES(1);
extern EVP_PKEY_CTX *EVP_PKEY_CTX_new_from_name(OSSL_LIB_CTX *, const char *, const char *) OWNED_BY(EVP_PKEY_CTX_free);
extern EVP_PKEY_CTX *EVP_PKEY_CTX_new_from_pkey(OSSL_LIB_CTX *, EVP_PKEY *, const char *) OWNED_BY(EVP_PKEY_CTX_free);
extern void EVP_MD_CTX_free(EVP_MD_CTX *) TAKES(1);
extern EVP_MD_CTX *EVP_MD_CTX_new(void) OWNED_BY(EVP_MD_CTX_free);
extern void EVP_MD_free(EVP_MD *) TAKES(1);
extern EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *, const char *, const char *) OWNED_BY(EVP_MD_free);
extern void BN_free(BIGNUM *) TAKES(1);
extern BIGNUM *BN_bin2bn(const unsigned char *, int, BIGNUM *) OWNED_BY(BN_free);
extern void RSA_free(RSA *) TAKES(1);
extern RSA *RSA_new(void) OWNED_BY(RSA_free);
extern int RSA_set0_key(RSA *, BIGNUM *, BIGNUM *, BIGNUM *) TAKES(2) TAKES(3); /* only without modulus or exponent does it fail, and take nothing */
extern void EC_KEY_free(EC_KEY *) TAKES(1);
extern EC_KEY *EC_KEY_new(void) OWNED_BY(EC_KEY_free);
extern void EC_GROUP_free(EC_GROUP *) TAKES(1);
extern EC_GROUP *EC_GROUP_new_by_curve_name(int) OWNED_BY(EC_GROUP_free);
DEFINE_AUTO(BIGNUM, BN_free)
DEFINE_AUTO(RSA, RSA_free)
DEFINE_AUTO(EC_KEY, EC_KEY_free)
DEFINE_AUTO(EC_GROUP, EC_GROUP_free)
DEFINE_AUTO(EVP_PKEY, EVP_PKEY_free)
DEFINE_AUTO(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_AUTO(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_AUTO(EVP_MD, EVP_MD_free)

#endif
