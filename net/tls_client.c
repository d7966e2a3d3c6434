#include "net/tls_client.h"

#include <stdio.h>

#include "base/libssl.h"
#include "base/mem.h"
#include "base/strbuf.h"

#define WHY 200u

struct tls_trust {
	SSL_CTX *ctx OWNED_FIELD;
};

struct tls_client {
	SSL *ssl OWNED_FIELD;
	BIO *in PARENT_FIELD, *out PARENT_FIELD; /* the SSL's */
	bool ready, ended;
	char why[WHY];
};

void tls_trust_free(struct tls_trust *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	mem_free(t);
}

static const char *last_error(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text != NULL ? text : "no reason given";
}

RESULT tls_trust_new(const char *bundle, struct strbuf *why, struct tls_trust **ret)
{
	AUTO(tls_trust_free) struct tls_trust *t = (struct tls_trust *)mem_alloc(sizeof *t);

	if (t == NULL)
		return FAIL(ERR_NOMEM);
	ERR_clear_error();
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL || SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1)
		return FAIL(ERR_NOMEM);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_options(t->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS);
	if (bundle == NULL ? SSL_CTX_set_default_verify_paths(t->ctx) != 1 : SSL_CTX_load_verify_file(t->ctx, bundle) != 1) {
		strbuf_printf(why, "%s: %s", bundle != NULL ? bundle : "the system's certificates", last_error());
		ERR_clear_error();
		return FAIL(ERR_SYSTEM);
	}
	*ret = MOVE(t);
	return DONE;
}

RESULT tls_trust_identity(struct tls_trust *t, const char *certificate, const char *key, struct strbuf *why)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(t->ctx, certificate) != 1)
		strbuf_printf(why, "%s: %s", certificate, last_error());
	else if (SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(t->ctx) != 1)
		strbuf_printf(why, "%s: %s", key, last_error());
	else
		return DONE;
	ERR_clear_error();
	return FAIL(ERR_SYSTEM);
}

void tls_client_free(struct tls_client *c)
{
	if (c == NULL)
		return;
	SSL_free(c->ssl);
	mem_free(c);
}

/* Whom the certificate must be for. */
static bool set_name(SSL *ssl, const char *host, bool literal)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(ssl);
	AUTO_CHARS char *name = mem_strdup(host); /* the macro below is not for constants */

	if (literal)
		return X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return host[0] != '\0' && name != NULL && SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct tls_client *tls_client_new_plain(const struct tls_trust *trust, const char *host, bool literal)
{
	AUTO(tls_client_free) struct tls_client *c = (struct tls_client *)mem_alloc(sizeof *c);
	AUTO(BIO_free) BIO *in = NULL;
	AUTO(BIO_free) BIO *out = NULL;

	if (c == NULL)
		return NULL;
	c->ssl = SSL_new(trust->ctx);
	in = BIO_new(BIO_s_mem());
	out = BIO_new(BIO_s_mem());
	if (c->ssl == NULL || in == NULL || out == NULL || !set_name(c->ssl, host, literal)) {
		ERR_clear_error();
		return NULL;
	}
	c->in = in;
	c->out = out;
	SSL_set_bio(c->ssl, MOVE(in), MOVE(out));
	SSL_set_connect_state(c->ssl);
	return MOVE(c);
}

struct tls_client *tls_client_new(const struct tls_trust *trust, const char *host, bool literal)
{
	static const unsigned char protocols[] = { 8, 'h', 't', 't', 'p', '/', '1', '.', '1' };
	AUTO(tls_client_free) struct tls_client *c = tls_client_new_plain(trust, host, literal);

	if (c == NULL || SSL_set_alpn_protos(c->ssl, protocols, sizeof protocols) == 0)
		return MOVE(c);
	ERR_clear_error();
	return NULL;
}

/* What OpenSSL said to the last call. ERR_NONE: it only wants more octets. */
static enum err reason(struct tls_client *c, int returned)
{
	long verdict = SSL_get_verify_result(c->ssl);
	enum err e = ERR_FORMAT;

	switch (SSL_get_error(c->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return ERR_NONE;
	case SSL_ERROR_ZERO_RETURN:
		c->ended = true;
		return ERR_NONE;
	default:
		break;
	}
	if (verdict != X509_V_OK) {
		e = ERR_REFUSED;
		(void)snprintf(c->why, sizeof c->why, "certificate: %s", X509_verify_cert_error_string(verdict));
	} else {
		(void)snprintf(c->why, sizeof c->why, "TLS: %s", last_error());
	}
	ERR_clear_error();
	return e;
}

RESULT tls_client_input(struct tls_client *c, struct span octets)
{
	enum err e;
	int n;

	ERR_clear_error();
	for (struct reader r = reader_of(octets); !reader_end(&r);) {
		struct span s = read_span(&r, reader_left(&r) < 65536 ? reader_left(&r) : 65536);

		if (BIO_write(c->in, s.p, (int)s.n) != (int)s.n)
			return FAIL(ERR_NOMEM);
	}
	if (c->ready)
		return DONE;
	n = SSL_do_handshake(c->ssl);
	c->ready = n == 1;
	if (c->ready)
		return DONE;
	e = reason(c, n);
	return e == ERR_NONE && !c->ended ? DONE : FAIL(e == ERR_NONE ? ERR_FORMAT : e);
}

bool tls_client_ready(const struct tls_client *c)
{
	return c->ready;
}

RESULT tls_client_write(struct tls_client *c, struct span octets)
{
	size_t written;

	ERR_clear_error();
	if (SSL_write_ex(c->ssl, octets.p, octets.n, &written) == 1 && written == octets.n)
		return DONE;
	(void)reason(c, 0);
	return FAIL(ERR_FORMAT);
}

RESULT tls_client_read(struct tls_client *c, uint8_t *room, size_t size, size_t *ret_n)
{
	size_t n = 0;
	enum err e = ERR_NONE;

	ERR_clear_error();
	if (!c->ended && SSL_read_ex(c->ssl, room, size, &n) != 1) {
		n = 0;
		e = reason(c, 0);
	}
	if (e != ERR_NONE)
		return FAIL(e);
	*ret_n = n;
	return DONE;
}

bool tls_client_ended(const struct tls_client *c)
{
	return c->ended;
}

struct span tls_client_output(struct tls_client *c)
{
	char *p = NULL;
	long n = BIO_get_mem_data(c->out, &p);

	return n > 0 ? span_of(p, (size_t)n) : span_of("", 0);
}

void tls_client_sent(struct tls_client *c)
{
	(void)BIO_reset(c->out);
}

const char *tls_client_why(const struct tls_client *c)
{
	return c->why;
}
