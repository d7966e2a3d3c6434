/* TLS as a layer: a server of libssl on the other end of two buffers, with certificates that are made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/libcms.h"
#include "base/libssl.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "net/tls_client.h"

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

static void add(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* days: until it expires. issuer NULL: an authority of its own. */
static struct authority make(const char *name, const char *alt, const struct authority *issuer, int days)
{
	struct authority a = { EVP_EC_gen("P-256"), X509_new() };
	X509_NAME *n = X509_get_subject_name(a.cert);

	assert_true(a.key != NULL && a.cert != NULL);
	X509_set_version(a.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(a.cert), issuer == NULL ? 1 : 2);
	X509_gmtime_adj(X509_getm_notBefore(a.cert), -86400L * 10);
	X509_gmtime_adj(X509_getm_notAfter(a.cert), 86400L * days);
	X509_set_pubkey(a.cert, a.key);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(a.cert, X509_get_subject_name(issuer != NULL ? issuer->cert : a.cert));
	if (issuer == NULL)
		add(a.cert, a.cert, NID_basic_constraints, "critical,CA:TRUE");
	else
		add(a.cert, issuer->cert, NID_subject_alt_name, alt);
	assert_true(X509_sign(a.cert, issuer != NULL ? issuer->key : a.key, EVP_sha256()) > 0);
	return a;
}

static void drop(struct authority *a)
{
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
}

static struct authority root, foreign;
static char bundle[] = "/tmp/test_tls_client.XXXXXX";

static int start(void **state)
{
	int fd = mkstemp(bundle);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	(void)state;
	assert_non_null(f);
	root = make("an authority", NULL, NULL, 10);
	foreign = make("an authority", NULL, NULL, 10);
	assert_int_equal(PEM_write_X509(f, root.cert), 1);
	assert_int_equal(fclose(f), 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	(void)unlink(bundle);
	drop(&root);
	drop(&foreign);
	return 0;
}

struct session {
	struct tls_trust *trust;
	struct tls_client *client;
	SSL_CTX *ctx;
	SSL *server;
	struct result r;
	char why[200], sni[100];
};

static void session_end(struct session *s)
{
	tls_client_free(s->client);
	tls_trust_free(s->trust);
	SSL_free(s->server);
	SSL_CTX_free(s->ctx);
}

static void to_server(struct session *s)
{
	struct span out = tls_client_output(s->client);

	if (out.n > 0)
		assert_int_equal(BIO_write(SSL_get_rbio(s->server), out.p, (int)out.n), (int)out.n);
	tls_client_sent(s->client);
}

/* What the server has to say, in pieces. */
static void to_client(struct session *s, size_t piece)
{
	uint8_t room[512];
	int n;

	while (OK(s->r) && (n = BIO_read(SSL_get_wbio(s->server), room, (int)piece)) > 0) {
		s->r = tls_client_input(s->client, span_of(room, (size_t)n));
		to_server(s);
	}
	(void)snprintf(s->why, sizeof s->why, "%s", tls_client_why(s->client));
}

static struct session shake(const struct authority *server, const char *host, bool literal, int max_version, size_t piece)
{
	struct session s = { .r = DONE };
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);

	assert_non_null(why);
	assert_true(OK(tls_trust_new(bundle, why, &s.trust)));
	s.client = tls_client_new(s.trust, host, literal);
	s.ctx = SSL_CTX_new(TLS_server_method());
	assert_true(s.client != NULL && s.ctx != NULL);
	SSL_CTX_set_security_level(s.ctx, 0);
	SSL_CTX_set_max_proto_version(s.ctx, max_version);
	assert_int_equal(SSL_CTX_use_certificate(s.ctx, server->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(s.ctx, server->key), 1);
	s.server = SSL_new(s.ctx);
	SSL_set_bio(s.server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(s.server);
	s.r = tls_client_input(s.client, span_of("", 0));
	to_server(&s);
	for (unsigned int i = 0; i < 10 && OK(s.r) && (!tls_client_ready(s.client) || !SSL_is_init_finished(s.server)); i++) {
		(void)SSL_do_handshake(s.server);
		to_client(&s, piece);
	}
	if (SSL_get_servername(s.server, TLSEXT_NAMETYPE_host_name) != NULL)
		(void)snprintf(s.sni, sizeof s.sni, "%s", SSL_get_servername(s.server, TLSEXT_NAMETYPE_host_name));
	return s;
}

static void octets_go_both_ways(void **state)
{
	struct authority server = make("x", "DNS:h.example", &root, 5);
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t v = 0; v < 2; v++) {
		for (size_t piece = 1; piece < 500; piece += 199) {
			struct session s = shake(&server, "h.example", false, versions[v], piece);
			uint8_t room[100];
			size_t n = 0;

			assert_true(OK(s.r) && tls_client_ready(s.client));
			assert_string_equal(s.sni, "h.example");
			assert_true(OK(tls_client_write(s.client, span_text("question"))));
			to_server(&s);
			assert_int_equal(SSL_read(s.server, room, sizeof room), 8);
			assert_memory_equal(room, "question", 8);
			assert_true(OK(tls_client_read(s.client, room, sizeof room, &n)));
			assert_int_equal(n, 0);
			assert_int_equal(SSL_write(s.server, "answer", 6), 6);
			to_client(&s, piece);
			assert_true(OK(tls_client_read(s.client, room, 3, &n)));
			assert_int_equal(n, 3);
			assert_true(OK(tls_client_read(s.client, room, sizeof room, &n)));
			assert_int_equal(n, 3);
			assert_false(tls_client_ended(s.client));
			(void)SSL_shutdown(s.server);
			to_client(&s, piece);
			assert_true(OK(tls_client_read(s.client, room, sizeof room, &n)));
			assert_int_equal(n, 0);
			assert_true(tls_client_ended(s.client));
			session_end(&s);
		}
	}
	drop(&server);
}

static void refused(const struct authority *server, const char *host, bool literal, int version, enum err e, const char *why)
{
	struct session s = shake(server, host, literal, version, 500);

	if (s.r.e != e || strstr(s.why, why) == NULL)
		fail_msg("%s: error %d: %s", host, s.r.e, s.why);
	assert_false(tls_client_ready(s.client));
	session_end(&s);
}

static void the_certificate_must_be_right(void **state)
{
	struct authority good = make("h.example", "DNS:h.example,DNS:*.w.example,IP:192.0.2.1", &root, 5), old = make("x", "DNS:h.example", &root, -1),
			 strange = make("x", "DNS:h.example", &foreign, 5);
	struct session s;

	(void)state;
	refused(&good, "other.example", false, TLS1_3_VERSION, ERR_REFUSED, "hostname mismatch");
	refused(&good, "a.b.w.example", false, TLS1_3_VERSION, ERR_REFUSED, "hostname mismatch");
	refused(&good, "192.0.2.2", true, TLS1_3_VERSION, ERR_REFUSED, "IP address mismatch");
	refused(&old, "h.example", false, TLS1_3_VERSION, ERR_REFUSED, "expired");
	refused(&strange, "h.example", false, TLS1_3_VERSION, ERR_REFUSED, "certificate");
	refused(&foreign, "an authority", false, TLS1_2_VERSION, ERR_REFUSED, "certificate");
	s = shake(&good, "a.w.example", false, TLS1_3_VERSION, 500);
	assert_true(OK(s.r) && tls_client_ready(s.client));
	session_end(&s);
	s = shake(&good, "192.0.2.1", true, TLS1_3_VERSION, 500);
	assert_true(OK(s.r) && tls_client_ready(s.client));
	assert_string_equal(s.sni, "");
	session_end(&s);
	drop(&good);
	drop(&old);
	drop(&strange);
}

static void old_versions_are_refused(void **state)
{
	struct authority server = make("x", "DNS:h.example", &root, 5);

	(void)state;
	refused(&server, "h.example", false, TLS1_1_VERSION, ERR_FORMAT, "TLS: ");
	drop(&server);
}

static void what_is_no_tls(void **state)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	AUTO(tls_trust_free) struct tls_trust *trust = NULL;
	AUTO(tls_client_free) struct tls_client *c = NULL;

	(void)state;
	assert_non_null(why);
	assert_true(OK(tls_trust_new(bundle, why, &trust)));
	c = tls_client_new(trust, "h.example", false);
	assert_non_null(c);
	assert_true(OK(tls_client_input(c, span_of("", 0))));
	assert_int_equal(tls_client_input(c, span_text("HTTP/1.1 400 Bad Request\r\n\r\n")).e, ERR_FORMAT);
	assert_non_null(strstr(tls_client_why(c), "TLS: "));
	assert_null(tls_client_new(trust, "", false));
	assert_null(tls_client_new(trust, "no address", true));
}

static void a_bundle_must_have_certificates(void **state)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	AUTO(tls_trust_free) struct tls_trust *trust = NULL;

	(void)state;
	assert_non_null(why);
	assert_int_equal(tls_trust_new("/nonexistent", why, &trust).e, ERR_SYSTEM);
	assert_non_null(strstr(strbuf_text(why), "/nonexistent: "));
	assert_int_equal(tls_trust_new("/dev/null", why, &trust).e, ERR_SYSTEM);
	assert_true(OK(tls_trust_new(NULL, why, &trust)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_go_both_ways),
		cmocka_unit_test(the_certificate_must_be_right),
		cmocka_unit_test(old_versions_are_refused),
		cmocka_unit_test(what_is_no_tls),
		cmocka_unit_test(a_bundle_must_have_certificates),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
