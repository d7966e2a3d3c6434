/* libssl.h: what is used of libssl, with the words of own.h added. The only file that includes its header. */
#ifndef BASE_LIBSSL_H
#define BASE_LIBSSL_H

#include "base/libcms.h"

#include <openssl/ssl.h>

extern BIO *BIO_new(const BIO_METHOD *) OWNED_BY(BIO_free);
extern void SSL_CTX_free(SSL_CTX *) TAKES(1);
extern SSL_CTX *SSL_CTX_new(const SSL_METHOD *) OWNED_BY(SSL_CTX_free);
extern X509 *SSL_get1_peer_certificate(const SSL *) OWNED_BY(X509_free);
extern void SSL_free(SSL *) TAKES(1);
extern SSL *SSL_new(SSL_CTX *) OWNED_BY(SSL_free);
extern void SSL_set_bio(SSL *, BIO *, BIO *) TAKES(2) TAKES(3);
DEFINE_AUTO(SSL_CTX, SSL_CTX_free)
DEFINE_AUTO(SSL, SSL_free)

#endif
