/* libcrypto.h: what is used of libcrypto, with the words of own.h added. The only file that includes its headers. */
#ifndef BASE_LIBCRYPTO_H
#define BASE_LIBCRYPTO_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

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
DEFINE_AUTO(EVP_PKEY, EVP_PKEY_free)
DEFINE_AUTO(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_AUTO(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_AUTO(EVP_MD, EVP_MD_free)

#endif
