/*
 * The boundary of MemorySanitizer builds. libcrypto, libexpat and zlib are not instrumented: what they write into our memory looks as if nobody had written it, and
 * nobody checks what they read of ours. Each __wrap_x here stands for their x (boundary.wraps tells the linker): it checks that what goes in was written,
 * calls the real one, and notes what came out as written. A function of theirs that reads or writes our memory and is not here shows itself as a
 * report that ends in it.
 *
 * tests/stages/full/42-msan links this into every program of its build, and no other build has it.
 */
#include "base/libcms.h"
#include "base/libcrypto.h"
#include "base/libexpat.h"
#include "base/libbz2.h"
#include "base/libz.h"

#include <stdlib.h>
#include <string.h>

void __msan_check_mem_is_initialized(const volatile void *p, size_t n);
void __msan_unpoison(const volatile void *p, size_t n);
void __msan_unpoison_param(size_t n);
void __msan_scoped_disable_interceptor_checks(void);
void __msan_scoped_enable_interceptor_checks(void);

/* Between these the runtime does not check what the C library's functions are given: their caller is not instrumented. */
#define CALL(real) \
	__msan_scoped_disable_interceptor_checks(); \
	real; \
	__msan_scoped_enable_interceptor_checks()

static void in(const void *p, size_t n)
{
	if (p != NULL && n > 0)
		__msan_check_mem_is_initialized(p, n);
}

static void out(const void *p, size_t n)
{
	if (p != NULL && n > 0)
		__msan_unpoison(p, n);
}

/* __wrap_name of no memory of ours: only the runtime's checks are held back. */
#define PLAIN(type, name, params, args) \
	extern type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params \
	{ \
		type r; \
		CALL(r = __real_##name args); \
		return r; \
	}

PLAIN(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * l, const char *name, const char *query), (l, name, query))
PLAIN(int, EVP_DigestInit_ex, (EVP_MD_CTX * c, const EVP_MD *md, ENGINE *e), (c, md, e))
PLAIN(int, EVP_DigestInit_ex2, (EVP_MD_CTX * c, const EVP_MD *md, const OSSL_PARAM p[]), (c, md, p))
PLAIN(int, EVP_DigestVerifyInit_ex,
	(EVP_MD_CTX * c, EVP_PKEY_CTX **pc, const char *md, OSSL_LIB_CTX *l, const char *q, EVP_PKEY *k, const OSSL_PARAM p[]), (c, pc, md, l, q, k, p))
PLAIN(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name, (OSSL_LIB_CTX * l, const char *name, const char *query), (l, name, query))
PLAIN(EC_GROUP *, EC_GROUP_new_by_curve_name, (int nid), (nid))
PLAIN(unsigned long, ERR_get_error, (void), ())
PLAIN(unsigned long, ERR_peek_error, (void), ())
PLAIN(unsigned long, ERR_peek_last_error, (void), ())
PLAIN(int, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * c), (c))
PLAIN(int, EVP_PKEY_fromdata, (EVP_PKEY_CTX * c, EVP_PKEY **k, int what, OSSL_PARAM p[]), (c, k, what, p))
PLAIN(int, EVP_PKEY_get_bn_param, (const EVP_PKEY *k, const char *name, BIGNUM **b), (k, name, b))
PLAIN(EVP_PKEY *, EVP_PKEY_new_raw_private_key_ex, (OSSL_LIB_CTX * l, const char *type, const char *q, const unsigned char *p, size_t n), (l, type, q, p, n))
PLAIN(int, EVP_DigestSignInit, (EVP_MD_CTX * c, EVP_PKEY_CTX **pc, const EVP_MD *md, ENGINE *e, EVP_PKEY *k), (c, pc, md, e, k))
PLAIN(int, EVP_DigestSignInit_ex,
	(EVP_MD_CTX * c, EVP_PKEY_CTX **pc, const char *md, OSSL_LIB_CTX *l, const char *q, EVP_PKEY *k, const OSSL_PARAM p[]), (c, pc, md, l, q, k, p))
PLAIN(ECDSA_SIG *, ECDSA_do_sign, (const unsigned char *md, int n, EC_KEY *k), (md, n, k))
PLAIN(EVP_PKEY *, d2i_PrivateKey, (int type, EVP_PKEY **k, const unsigned char **p, long n), (type, k, p, n))
PLAIN(int, X509_STORE_add_cert, (X509_STORE * store, X509 *x), (store, x))
PLAIN(EVP_PKEY *, d2i_AutoPrivateKey, (EVP_PKEY **k, const unsigned char **p, long n), (k, p, n))
PLAIN(X509 *, PEM_read_bio_X509, (BIO * b, X509 **x, pem_password_cb *cb, void *user), (b, x, cb, user))
PLAIN(CMS_ContentInfo *, d2i_CMS_bio, (BIO * b, CMS_ContentInfo **cms), (b, cms))
PLAIN(int, CMS_verify, (CMS_ContentInfo * cms, STACK_OF(X509) * certs, X509_STORE *store, BIO *data, BIO *to, unsigned int flags),
	(cms, certs, store, data, to, flags))
PLAIN(EC_KEY *, EC_KEY_new, (void), ())
PLAIN(RSA *, RSA_new, (void), ())

/* --- digests */

#define SHA(name, ctx, octets) \
	extern int __real_##name##_Init(ctx *c); \
	int __wrap_##name##_Init(ctx *c); \
	int __wrap_##name##_Init(ctx *c) \
	{ \
		int r = __real_##name##_Init(c); \
		out(c, sizeof(*c)); \
		return r; \
	}
#define SHA_MORE(name, ctx, octets) \
	extern int __real_##name##_Update(ctx *c, const void *p, size_t n); \
	int __wrap_##name##_Update(ctx *c, const void *p, size_t n); \
	int __wrap_##name##_Update(ctx *c, const void *p, size_t n) \
	{ \
		in(p, n); \
		in(c, sizeof(*c)); \
		return __real_##name##_Update(c, p, n); \
	} \
	extern int __real_##name##_Final(unsigned char *md, ctx *c); \
	int __wrap_##name##_Final(unsigned char *md, ctx *c); \
	int __wrap_##name##_Final(unsigned char *md, ctx *c) \
	{ \
		int r = __real_##name##_Final(md, c); \
		out(md, octets); \
		return r; \
	}
SHA(SHA1, SHA_CTX, 20)
SHA_MORE(SHA1, SHA_CTX, 20)
SHA(SHA256, SHA256_CTX, 32)
SHA_MORE(SHA256, SHA256_CTX, 32)
SHA(SHA384, SHA512_CTX, 48)
SHA(SHA512, SHA512_CTX, 64)
SHA_MORE(SHA512, SHA512_CTX, c->md_len)

extern int __real_EVP_DigestUpdate(EVP_MD_CTX *c, const void *p, size_t n);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *c, const void *p, size_t n);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *c, const void *p, size_t n)
{
	int r;

	in(p, n);
	CALL(r = __real_EVP_DigestUpdate(c, p, n));
	return r;
}

extern int __real_EVP_DigestFinal_ex(EVP_MD_CTX *c, unsigned char *md, unsigned int *n);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *c, unsigned char *md, unsigned int *n);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *c, unsigned char *md, unsigned int *n)
{
	int r;

	CALL(r = __real_EVP_DigestFinal_ex(c, md, n));
	if (r == 1)
		out(md, (size_t)EVP_MD_get_size(EVP_MD_CTX_get0_md(c)));
	out(n, sizeof(*n));
	return r;
}

extern int __real_EVP_Digest(const void *p, size_t n, unsigned char *md, unsigned int *size, const EVP_MD *type, ENGINE *e);
int __wrap_EVP_Digest(const void *p, size_t n, unsigned char *md, unsigned int *size, const EVP_MD *type, ENGINE *e);
int __wrap_EVP_Digest(const void *p, size_t n, unsigned char *md, unsigned int *size, const EVP_MD *type, ENGINE *e)
{
	int r;

	in(p, n);
	CALL(r = __real_EVP_Digest(p, n, md, size, type, e));
	if (r == 1)
		out(md, (size_t)EVP_MD_get_size(type));
	out(size, sizeof(*size));
	return r;
}

extern int __real_EVP_Q_digest(OSSL_LIB_CTX *l, const char *name, const char *query, const void *p, size_t n, unsigned char *md, size_t *size);
int __wrap_EVP_Q_digest(OSSL_LIB_CTX *l, const char *name, const char *query, const void *p, size_t n, unsigned char *md, size_t *size);
int __wrap_EVP_Q_digest(OSSL_LIB_CTX *l, const char *name, const char *query, const void *p, size_t n, unsigned char *md, size_t *size)
{
	size_t made = 0;
	int r;

	in(p, n);
	CALL(r = __real_EVP_Q_digest(l, name, query, p, n, md, &made));
	out(&made, sizeof(made));
	if (r == 1)
		out(md, made);
	if (size != NULL)
		*size = made;
	return r;
}

/* --- keys and signatures, those that the tests make among them */

extern int __real_EVP_DigestVerify(EVP_MD_CTX *c, const unsigned char *sig, size_t sig_n, const unsigned char *p, size_t n);
int __wrap_EVP_DigestVerify(EVP_MD_CTX *c, const unsigned char *sig, size_t sig_n, const unsigned char *p, size_t n);
int __wrap_EVP_DigestVerify(EVP_MD_CTX *c, const unsigned char *sig, size_t sig_n, const unsigned char *p, size_t n)
{
	int r;

	in(sig, sig_n);
	in(p, n);
	CALL(r = __real_EVP_DigestVerify(c, sig, sig_n, p, n));
	return r;
}

extern int __real_EVP_DigestSign(EVP_MD_CTX *c, unsigned char *sig, size_t *sig_n, const unsigned char *p, size_t n);
int __wrap_EVP_DigestSign(EVP_MD_CTX *c, unsigned char *sig, size_t *sig_n, const unsigned char *p, size_t n);
int __wrap_EVP_DigestSign(EVP_MD_CTX *c, unsigned char *sig, size_t *sig_n, const unsigned char *p, size_t n)
{
	int r;

	in(p, n);
	CALL(r = __real_EVP_DigestSign(c, sig, sig_n, p, n));
	out(sig_n, sizeof(*sig_n));
	if (r == 1)
		out(sig, *sig_n);
	return r;
}

extern int __real_RSA_verify(int type, const unsigned char *md, unsigned int n, const unsigned char *sig, unsigned int sig_n, RSA *rsa);
int __wrap_RSA_verify(int type, const unsigned char *md, unsigned int n, const unsigned char *sig, unsigned int sig_n, RSA *rsa);
int __wrap_RSA_verify(int type, const unsigned char *md, unsigned int n, const unsigned char *sig, unsigned int sig_n, RSA *rsa)
{
	int r;

	in(md, n);
	in(sig, sig_n);
	CALL(r = __real_RSA_verify(type, md, n, sig, sig_n, rsa));
	return r;
}

extern int __real_ECDSA_verify(int type, const unsigned char *md, int n, const unsigned char *sig, int sig_n, EC_KEY *key);
int __wrap_ECDSA_verify(int type, const unsigned char *md, int n, const unsigned char *sig, int sig_n, EC_KEY *key);
int __wrap_ECDSA_verify(int type, const unsigned char *md, int n, const unsigned char *sig, int sig_n, EC_KEY *key)
{
	int r;

	in(md, (size_t)n);
	in(sig, (size_t)sig_n);
	CALL(r = __real_ECDSA_verify(type, md, n, sig, sig_n, key));
	return r;
}

extern int __real_EC_KEY_oct2key(EC_KEY *key, const unsigned char *p, size_t n, BN_CTX *ctx);
int __wrap_EC_KEY_oct2key(EC_KEY *key, const unsigned char *p, size_t n, BN_CTX *ctx);
int __wrap_EC_KEY_oct2key(EC_KEY *key, const unsigned char *p, size_t n, BN_CTX *ctx)
{
	int r;

	in(p, n);
	CALL(r = __real_EC_KEY_oct2key(key, p, n, ctx));
	return r;
}

extern EVP_PKEY *__real_EVP_PKEY_new_raw_public_key_ex(OSSL_LIB_CTX *l, const char *type, const char *query, const unsigned char *p, size_t n);
EVP_PKEY *__wrap_EVP_PKEY_new_raw_public_key_ex(OSSL_LIB_CTX *l, const char *type, const char *query, const unsigned char *p, size_t n);
EVP_PKEY *__wrap_EVP_PKEY_new_raw_public_key_ex(OSSL_LIB_CTX *l, const char *type, const char *query, const unsigned char *p, size_t n)
{
	EVP_PKEY *r;

	in(p, n);
	CALL(r = __real_EVP_PKEY_new_raw_public_key_ex(l, type, query, p, n));
	return r;
}

extern int __real_EVP_PKEY_get_raw_public_key(const EVP_PKEY *key, unsigned char *p, size_t *n);
int __wrap_EVP_PKEY_get_raw_public_key(const EVP_PKEY *key, unsigned char *p, size_t *n);
int __wrap_EVP_PKEY_get_raw_public_key(const EVP_PKEY *key, unsigned char *p, size_t *n)
{
	int r;

	CALL(r = __real_EVP_PKEY_get_raw_public_key(key, p, n));
	out(n, sizeof(*n));
	if (r == 1)
		out(p, *n);
	return r;
}

extern BIGNUM *__real_BN_bin2bn(const unsigned char *p, int n, BIGNUM *ret);
BIGNUM *__wrap_BN_bin2bn(const unsigned char *p, int n, BIGNUM *ret);
BIGNUM *__wrap_BN_bin2bn(const unsigned char *p, int n, BIGNUM *ret)
{
	in(p, (size_t)n);
	return __real_BN_bin2bn(p, n, ret);
}

extern int __real_BN_bn2binpad(const BIGNUM *b, unsigned char *p, int n);
int __wrap_BN_bn2binpad(const BIGNUM *b, unsigned char *p, int n);
int __wrap_BN_bn2binpad(const BIGNUM *b, unsigned char *p, int n)
{
	out(p, n > 0 ? (size_t)n : 0);
	return __real_BN_bn2binpad(b, p, n);
}

extern int __real_BN_bn2nativepad(const BIGNUM *b, unsigned char *p, int n);
int __wrap_BN_bn2nativepad(const BIGNUM *b, unsigned char *p, int n);
int __wrap_BN_bn2nativepad(const BIGNUM *b, unsigned char *p, int n)
{
	out(p, n > 0 ? (size_t)n : 0);
	return __real_BN_bn2nativepad(b, p, n);
}

extern size_t __real_EC_POINT_point2oct(const EC_GROUP *g, const EC_POINT *at, point_conversion_form_t form, unsigned char *p, size_t n, BN_CTX *c);
size_t __wrap_EC_POINT_point2oct(const EC_GROUP *g, const EC_POINT *at, point_conversion_form_t form, unsigned char *p, size_t n, BN_CTX *c);
size_t __wrap_EC_POINT_point2oct(const EC_GROUP *g, const EC_POINT *at, point_conversion_form_t form, unsigned char *p, size_t n, BN_CTX *c)
{
	size_t r = __real_EC_POINT_point2oct(g, at, form, p, n, c);

	out(p, r);
	return r;
}

extern int __real_i2d_ECDSA_SIG(const ECDSA_SIG *sig, unsigned char **at);
int __wrap_i2d_ECDSA_SIG(const ECDSA_SIG *sig, unsigned char **at);
int __wrap_i2d_ECDSA_SIG(const ECDSA_SIG *sig, unsigned char **at)
{
	const unsigned char *from = at != NULL ? *at : NULL;
	int r = __real_i2d_ECDSA_SIG(sig, at);

	if (at != NULL && r > 0) {
		out(at, sizeof(*at));
		out(from != NULL ? from : *at, (size_t)r);
	}
	return r;
}

extern int __real_EVP_DecodeBlock(unsigned char *to, const unsigned char *p, int n);
int __wrap_EVP_DecodeBlock(unsigned char *to, const unsigned char *p, int n);
int __wrap_EVP_DecodeBlock(unsigned char *to, const unsigned char *p, int n)
{
	int r = __real_EVP_DecodeBlock(to, p, n);

	in(p, (size_t)n);
	if (r > 0)
		out(to, (size_t)r);
	return r;
}

/* A word or a number follows the type, or nothing does: then one register more is passed on, which nobody reads. */
extern EVP_PKEY *__real_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *l, const char *query, const char *type, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *l, const char *query, const char *type, const void *more);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *l, const char *query, const char *type, const void *more)
{
	EVP_PKEY *r;

	CALL(r = __real_EVP_PKEY_Q_keygen(l, query, type, more));
	return r;
}

/* --- libexpat: what its heap holds counts as written from the start, for our callbacks are shown it */

static void *written_alloc(size_t n)
{
	void *p = malloc(n);

	out(p, p != NULL ? n : 0);
	return p;
}

static void *written_realloc(void *old, size_t n)
{
	void *p = realloc(old, n);

	out(p, p != NULL ? n : 0);
	return p;
}

XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding);
XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding)
{
	static const XML_Memory_Handling_Suite suite = { written_alloc, written_realloc, free };
	XML_Parser p;

	CALL(p = XML_ParserCreate_MM(encoding, &suite, NULL));
	return p;
}

/*
 * Expat, which calls us, says nothing of what it passes: the runtime would take it for as written as the arguments of the last call of ours were. So between it and each of our callbacks stands
 * one that says so, and the parser's user data is the list of them.
 */
struct shown {
	void *user;
	XML_StartElementHandler start;
	XML_EndElementHandler end;
	XML_CharacterDataHandler text;
	XML_StartDoctypeDeclHandler doctype;
};

__attribute__((no_sanitize("memory"))) static void show_start(void *shown, const XML_Char *name, const XML_Char **attributes)
{
	const struct shown *s = shown;

	__msan_unpoison_param(3);
	s->start(s->user, name, attributes);
}

__attribute__((no_sanitize("memory"))) static void show_end(void *shown, const XML_Char *name)
{
	const struct shown *s = shown;

	__msan_unpoison_param(2);
	s->end(s->user, name);
}

__attribute__((no_sanitize("memory"))) static void show_text(void *shown, const XML_Char *text, int n)
{
	const struct shown *s = shown;

	__msan_unpoison_param(3);
	__msan_unpoison(text, (size_t)n); /* a line feed lies on its stack */
	s->text(s->user, text, n);
}

__attribute__((no_sanitize("memory"))) static void show_doctype(void *shown, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	const struct shown *s = shown;

	__msan_unpoison_param(5);
	s->doctype(s->user, name, system, public, internal);
}

extern void __real_XML_SetUserData(XML_Parser p, void *user);
static struct shown *shown_of(XML_Parser p)
{
	struct shown *s = XML_GetUserData(p);

	if (s != NULL)
		return s;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		abort();
	__real_XML_SetUserData(p, s);
	return s;
}

void __wrap_XML_SetUserData(XML_Parser p, void *user);
void __wrap_XML_SetUserData(XML_Parser p, void *user)
{
	shown_of(p)->user = user;
}

extern void __real_XML_SetElementHandler(XML_Parser p, XML_StartElementHandler start, XML_EndElementHandler end);
void __wrap_XML_SetElementHandler(XML_Parser p, XML_StartElementHandler start, XML_EndElementHandler end);
void __wrap_XML_SetElementHandler(XML_Parser p, XML_StartElementHandler start, XML_EndElementHandler end)
{
	shown_of(p)->start = start;
	shown_of(p)->end = end;
	__real_XML_SetElementHandler(p, show_start, show_end);
}

extern void __real_XML_SetCharacterDataHandler(XML_Parser p, XML_CharacterDataHandler text);
void __wrap_XML_SetCharacterDataHandler(XML_Parser p, XML_CharacterDataHandler text);
void __wrap_XML_SetCharacterDataHandler(XML_Parser p, XML_CharacterDataHandler text)
{
	shown_of(p)->text = text;
	__real_XML_SetCharacterDataHandler(p, show_text);
}

extern void __real_XML_SetStartDoctypeDeclHandler(XML_Parser p, XML_StartDoctypeDeclHandler doctype);
void __wrap_XML_SetStartDoctypeDeclHandler(XML_Parser p, XML_StartDoctypeDeclHandler doctype);
void __wrap_XML_SetStartDoctypeDeclHandler(XML_Parser p, XML_StartDoctypeDeclHandler doctype)
{
	shown_of(p)->doctype = doctype;
	__real_XML_SetStartDoctypeDeclHandler(p, show_doctype);
}

extern void __real_XML_ParserFree(XML_Parser p);
void __wrap_XML_ParserFree(XML_Parser p);
void __wrap_XML_ParserFree(XML_Parser p)
{
	void *shown = p != NULL ? XML_GetUserData(p) : NULL;

	__real_XML_ParserFree(p);
	free(shown);
}

extern enum XML_Status __real_XML_Parse(XML_Parser p, const char *s, int n, int last);
enum XML_Status __wrap_XML_Parse(XML_Parser p, const char *s, int n, int last);
enum XML_Status __wrap_XML_Parse(XML_Parser p, const char *s, int n, int last)
{
	enum XML_Status r;

	in(s, (size_t)n);
	CALL(r = __real_XML_Parse(p, s, n, last));
	return r;
}

/* --- zlib */

extern int __real_inflate(z_stream *z, int flush);
int __wrap_inflate(z_stream *z, int flush);
int __wrap_inflate(z_stream *z, int flush)
{
	unsigned char *before = z->next_out;
	int r;

	in(z->next_in, z->avail_in);
	CALL(r = __real_inflate(z, flush));
	out(before, (size_t)(z->next_out - before));
	return r;
}

extern int __real_deflate(z_stream *z, int flush);
int __wrap_deflate(z_stream *z, int flush);
int __wrap_deflate(z_stream *z, int flush)
{
	unsigned char *before = z->next_out;
	int r;

	in(z->next_in, z->avail_in);
	CALL(r = __real_deflate(z, flush));
	out(before, (size_t)(z->next_out - before));
	return r;
}

/* --- libbz2 */

extern int __real_BZ2_bzDecompress(bz_stream *b);
int __wrap_BZ2_bzDecompress(bz_stream *b);
int __wrap_BZ2_bzDecompress(bz_stream *b)
{
	char *before = b->next_out;
	int r;

	in(b->next_in, b->avail_in);
	CALL(r = __real_BZ2_bzDecompress(b));
	out(before, (size_t)(b->next_out - before));
	return r;
}
