/* libcms.h: what is used of libcrypto for CMS and certificates, with the words of own.h added; apart from libcrypto.h, for these headers are large. */
#ifndef BASE_LIBCMS_H
#define BASE_LIBCMS_H

#include "base/libcrypto.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

extern int BIO_free(BIO *) TAKES(1);
extern BIO *BIO_new_mem_buf(const void *, int) OWNED_BY(BIO_free);
extern void X509_free(X509 *) TAKES(1);
extern X509 *PEM_read_bio_X509(BIO *, X509 **, pem_password_cb *, void *) OWNED_BY(X509_free);
extern EVP_PKEY *PEM_read_bio_PrivateKey(BIO *, EVP_PKEY **, pem_password_cb *, void *) OWNED_BY(EVP_PKEY_free);
extern void X509_STORE_free(X509_STORE *) TAKES(1);
extern X509_STORE *X509_STORE_new(void) OWNED_BY(X509_STORE_free);
extern void CMS_ContentInfo_free(CMS_ContentInfo *) TAKES(1);
extern CMS_ContentInfo *d2i_CMS_bio(BIO *, CMS_ContentInfo **) OWNED_BY(CMS_ContentInfo_free);
DEFINE_AUTO(BIO, BIO_free)
DEFINE_AUTO(X509, X509_free)
DEFINE_AUTO(X509_STORE, X509_STORE_free)
DEFINE_AUTO(CMS_ContentInfo, CMS_ContentInfo_free)

#endif
