/* TLS as a host on top of a host: libssl's client on the loopback, with certificates that are made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/libcms.h"
#include "base/libssl.h"
#include "base/strbuf.h"
#include "net/tls_server.h"
#include "tests/unit/net/net_test.h"

LOOP_HANDLE_IMPL(user)

struct owner {
	EVP_PKEY *key;
	X509 *cert;
	char cert_pem[2000], key_pem[2000];
};

static struct owner root, server, second, client, elsewhere;

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

static void write_pem(char text[2000], X509 *cert, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;

	assert_int_equal(cert != NULL ? PEM_write_bio_X509(b, cert) : PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_get_mem_data(b, &p);
	assert_true(n > 0 && n < 2000);
	memcpy(text, p, (size_t)n);
	text[n] = '\0';
	BIO_free(b);
}

static void make(struct owner *o, const char *name, const char *alt, const struct owner *issuer)
{
	X509_NAME *n;

	o->key = EVP_EC_gen("P-256");
	o->cert = X509_new();
	assert_true(o->key != NULL && o->cert != NULL);
	n = X509_get_subject_name(o->cert);
	X509_set_version(o->cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(o->cert), issuer == NULL ? 1 : 2);
	X509_gmtime_adj(X509_getm_notBefore(o->cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(o->cert), 86400);
	X509_set_pubkey(o->cert, o->key);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(o->cert, X509_get_subject_name(issuer != NULL ? issuer->cert : o->cert));
	if (issuer == NULL)
		add(o->cert, o->cert, NID_basic_constraints, "critical,CA:TRUE");
	else
		add(o->cert, issuer->cert, NID_subject_alt_name, alt);
	assert_true(X509_sign(o->cert, issuer != NULL ? issuer->key : o->key, EVP_sha256()) > 0);
	write_pem(o->cert_pem, o->cert, NULL);
	write_pem(o->key_pem, NULL, o->key);
}

static void drop(struct owner *o)
{
	EVP_PKEY_free(o->key);
	X509_free(o->cert);
}

static int start(void **state)
{
	(void)state;
	make(&root, "an authority", NULL, NULL);
	make(&server, "server", "DNS:server.example", &root);
	make(&second, "second", "DNS:server.example", &root);
	make(&client, "client", "IP:127.0.0.1", &root);
	make(&elsewhere, "elsewhere", "IP:192.0.2.1", &root);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	drop(&root);
	drop(&server);
	drop(&second);
	drop(&client);
	drop(&elsewhere);
	return 0;
}

/* ------------------------------------------------------------------------------------------------------------------- rig */

struct rig {
	struct user *u;
	struct host *tls;
	SSL_CTX *ctx;
	SSL *ssl;
	stream_h client, accepted;
	struct endpoint where;
	unsigned int accepts, connected, closed, server_closed, drained;
	enum err server_error;
	bool shaken, broken, leaving, notified; /* notified: the server said that it ends */
	uint64_t echoed;
	char heard[4096];
	size_t n;
};

LOOP_HANDLE(rig)
LOOP_HANDLE_IMPL(rig)

static rig_h self;
static struct rig rig;

/* The server: echoes. */
static void s_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct rig *r = (struct rig *)object;

	(void)l;
	r->echoed += octets.n;
	assert_true(OK(host_stream_write(r->tls, s, octets)));
	r->leaving = memmem(octets.p, octets.n, "bye", 3) != NULL;
}

static void s_drained(struct loop *l, void *object, stream_h s)
{
	struct rig *r = (struct rig *)object;

	(void)l;
	r->drained++;
	if (r->leaving && host_stream_unsent(r->tls, s) == 0)
		host_stream_close(r->tls, s);
}

static void s_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	struct rig *r = (struct rig *)object;

	(void)l, (void)s;
	r->server_closed++;
	r->server_error = e;
}

static void on_accept(struct loop *l, void *object, acceptor_h a, stream_h s, const struct endpoint *from, const struct endpoint *local)
{
	struct rig *r = (struct rig *)object;
	struct stream_events ev = { .type = &rig_loop_type, .who = self.v, .data = s_data, .drained = s_drained, .closed = s_closed };

	(void)l, (void)a, (void)local;
	assert_true(from->a.family == ADDR_V4);
	r->accepts++;
	r->accepted = s;
	assert_true(OK(host_stream_adopt(r->tls, s, &ev)));
}

/* The client. */
static void flush(struct rig *r)
{
	char *p = NULL;
	long n = BIO_get_mem_data(SSL_get_wbio(r->ssl), &p);

	if (n > 0)
		(void)!OK(host_stream_write(r->u->host, r->client, span_of(p, (size_t)n)));
	(void)BIO_reset(SSL_get_wbio(r->ssl));
}

static void go_on(struct rig *r)
{
	int n;

	ERR_clear_error();
	if (!r->shaken)
		r->shaken = SSL_do_handshake(r->ssl) == 1;
	while (r->shaken && (n = SSL_read(r->ssl, r->heard + r->n, (int)(sizeof r->heard - 1 - r->n))) > 0) {
		r->n = (r->n + (size_t)n) % (sizeof r->heard / 2); /* only of interest while little comes */
	}
	r->notified = r->notified || (SSL_get_shutdown(r->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
	n = ERR_GET_REASON(ERR_peek_error());
	r->broken = r->broken || n != 0;
	flush(r);
}

static void c_connected(struct loop *l, void *object, stream_h s)
{
	(void)l, (void)s;
	((struct rig *)object)->connected++;
}

static void c_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct rig *r = (struct rig *)object;

	(void)l, (void)s;
	if (r->ssl == NULL)
		return;
	assert_int_equal(BIO_write(SSL_get_rbio(r->ssl), octets.p, (int)octets.n), (int)octets.n);
	go_on(r);
}

static void c_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	(void)l, (void)s, (void)e;
	((struct rig *)object)->closed++;
}

static void dial(const struct owner *who, bool speak)
{
	struct exchange_options o = { .to = rig.where };
	struct stream_events ev = { .type = &rig_loop_type, .who = self.v, .connected = c_connected, .data = c_data, .closed = c_closed };

	host_stream_close(rig.u->host, rig.client);
	SSL_free(rig.ssl);
	SSL_CTX_free(rig.ctx);
	rig.ssl = NULL;
	rig.ctx = SSL_CTX_new(TLS_client_method());
	rig.connected = rig.closed = rig.server_closed = 0;
	rig.shaken = rig.broken = rig.notified = false;
	rig.n = 0;
	memset(rig.heard, 0, sizeof rig.heard);
	if (speak) {
		assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(rig.ctx), root.cert), 1);
		SSL_CTX_set_verify(rig.ctx, SSL_VERIFY_PEER, NULL);
		if (who != NULL) {
			assert_int_equal(SSL_CTX_use_certificate(rig.ctx, who->cert), 1);
			assert_int_equal(SSL_CTX_use_PrivateKey(rig.ctx, who->key), 1);
		}
		rig.ssl = SSL_new(rig.ctx);
		SSL_set_bio(rig.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
		SSL_set_connect_state(rig.ssl);
	}
	assert_true(OK(host_connect(rig.u->host, &o, &ev, &rig.client)));
	RUN_UNTIL(rig.u, rig.connected == 1);
	if (speak)
		go_on(&rig);
}

static void say(const char *text)
{
	assert_int_equal(SSL_write(rig.ssl, text, (int)strlen(text)), (int)strlen(text));
	flush(&rig);
}

static struct tls_identity *identity(const struct owner *o, bool clients, bool address)
{
	struct tls_identity_pem pem = { span_text(o->cert_pem), span_text(o->key_pem), span_text(clients ? root.cert_pem : ""), address };
	struct strbuf *why = strbuf_new(1000);
	struct tls_identity *i = NULL;

	if (!OK(tls_identity_new(&pem, why, &i)))
		fail_msg("%s", strbuf_text(why));
	strbuf_free(why);
	return i;
}

static void begin(struct user *u, struct tls_identity *i, unsigned int handshake_ms)
{
	struct tls_server_options o = { handshake_ms, 10 };
	unsigned int port = 20000 + (unsigned int)getpid() % 20000;
	struct listen_options lo = { .dscp = -1 };
	acceptor_h a;

	memset(&rig, 0, sizeof rig);
	rig.u = u;
	self = rig_enlist(u->loop, &rig);
	rig.tls = host_tls_new(u->host, i, &o);
	assert_non_null(rig.tls);
	for (unsigned int n = 0; n < 50; n++) {
		char text[32];

		(void)snprintf(text, sizeof text, "127.0.0.1@%u", port + n);
		lo.at = rig.where = at(text);
		if (OK(host_accept(rig.tls, &lo, &rig_loop_type, self.v, on_accept, &a)))
			return;
	}
	fail();
}

static void finish(void)
{
	host_stream_close(rig.u->host, rig.client);
	host_free(rig.tls);
	SSL_free(rig.ssl);
	SSL_CTX_free(rig.ctx);
	rig_retire(rig.u->loop, self);
	loop_turn(rig.u->loop, false);
	loop_turn(rig.u->loop, false);
}

/* ------------------------------------------------------------------------------------------------------------------ tests */

static void there_and_back(void **state)
{
	char *large = (char *)malloc(200001);

	begin((struct user *)*state, identity(&server, false, false), 5000);
	dial(NULL, true);
	RUN_UNTIL(rig.u, rig.shaken);
	say("hello");
	RUN_UNTIL(rig.u, rig.n == 5);
	assert_string_equal(rig.heard, "hello");
	assert_true(rig.accepts == 1 && host_tls_counts(rig.tls)->ready == 1 && host_tls_counts(rig.tls)->shaking == 0);
	/* much at a time, and with reading held up: nothing is lost */
	memset(large, 'x', 200000);
	large[200000] = '\0';
	host_stream_pause(rig.tls, rig.accepted, true);
	say(large);
	for (unsigned int i = 0; i < 5; i++)
		loop_turn(rig.u->loop, false);
	assert_int_equal(rig.echoed, 5);
	host_stream_pause(rig.tls, rig.accepted, false);
	RUN_UNTIL(rig.u, rig.echoed == 200005);
	RUN_UNTIL(rig.u, host_stream_unsent(rig.tls, rig.accepted) == 0);
	assert_true(rig.drained > 0);
	/* an end that is said */
	say("bye");
	RUN_UNTIL(rig.u, rig.closed == 1);
	assert_true(rig.notified);
	finish();
	free(large);
}

static void the_client_ends(void **state)
{
	begin((struct user *)*state, identity(&server, false, false), 5000);
	dial(NULL, true);
	RUN_UNTIL(rig.u, rig.shaken);
	say("x");
	RUN_UNTIL(rig.u, rig.n == 1);
	(void)SSL_shutdown(rig.ssl);
	flush(&rig);
	RUN_UNTIL(rig.u, rig.server_closed == 1);
	assert_int_equal(rig.server_error, ERR_CLOSED);
	/* and one that speaks no TLS */
	dial(NULL, false);
	assert_true(OK(host_stream_write(rig.u->host, rig.client, span_text("GET / HTTP/1.0\r\n\r\n"))));
	RUN_UNTIL(rig.u, rig.server_closed == 1);
	assert_int_equal(host_tls_counts(rig.tls)->failed, 1);
	finish();
}

static void certificates_of_clients(void **state)
{
	begin((struct user *)*state, identity(&server, true, true), 5000);
	dial(NULL, true);
	RUN_UNTIL(rig.u, rig.server_closed == 1);
	assert_int_equal(rig.server_error, ERR_REFUSED);
	dial(&elsewhere, true);
	RUN_UNTIL(rig.u, rig.server_closed == 1);
	assert_int_equal(rig.server_error, ERR_REFUSED);
	assert_int_equal(host_tls_counts(rig.tls)->refused, 2);
	dial(&client, true);
	RUN_UNTIL(rig.u, rig.shaken);
	say("x");
	RUN_UNTIL(rig.u, rig.n == 1);
	/* any address will do */
	host_tls_set(rig.tls, identity(&server, true, false));
	dial(&elsewhere, true);
	RUN_UNTIL(rig.u, rig.shaken);
	say("x");
	RUN_UNTIL(rig.u, rig.n == 1);
	finish();
}

static void another_identity(void **state)
{
	X509 *seen;

	begin((struct user *)*state, identity(&server, false, false), 5000);
	dial(NULL, true);
	RUN_UNTIL(rig.u, rig.shaken);
	host_tls_set(rig.tls, identity(&second, false, false));
	say("still");
	RUN_UNTIL(rig.u, rig.n == 5);
	dial(NULL, true);
	RUN_UNTIL(rig.u, rig.shaken);
	seen = SSL_get1_peer_certificate(rig.ssl);
	assert_int_equal(X509_cmp(seen, second.cert), 0);
	X509_free(seen);
	finish();
}

static void too_slow(void **state)
{
	begin((struct user *)*state, identity(&server, false, false), 50);
	dial(NULL, false);
	RUN_UNTIL(rig.u, rig.server_closed == 1);
	assert_int_equal(rig.server_error, ERR_TIMEOUT);
	assert_true(host_tls_counts(rig.tls)->late == 1 && host_tls_counts(rig.tls)->shaking == 0);
	finish();
}

static void bad_identities(void **state)
{
	char chain[6000], broken[6000];
	struct tls_identity_pem none = { span_text("hello"), span_text(server.key_pem), span_text(""), false },
		other = { span_text(server.cert_pem), span_text(client.key_pem), span_text(""), false },
		ca = { span_text(server.cert_pem), span_text(server.key_pem), span_text("hello"), false };
	struct strbuf *why = strbuf_new(1000);
	struct tls_identity *i = NULL;

	(void)state;
	assert_int_equal(tls_identity_new(&none, why, &i).e, ERR_FORMAT);
	assert_non_null(strstr(strbuf_text(why), "the certificate cannot be used"));
	assert_int_equal(tls_identity_new(&other, why, &i).e, ERR_FORMAT);
	assert_int_equal(tls_identity_new(&ca, why, &i).e, ERR_FORMAT);
	(void)snprintf(chain, sizeof chain, "%s%s", server.cert_pem, root.cert_pem);
	other = (struct tls_identity_pem){ span_text(chain), span_text(server.key_pem), span_text(""), false };
	assert_true(OK(tls_identity_new(&other, why, &i)));
	tls_identity_free(i);
	(void)snprintf(broken, sizeof broken, "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", server.cert_pem);
	other.certificate = span_text(broken);
	assert_int_equal(tls_identity_new(&other, why, &i).e, ERR_FORMAT);
	strbuf_free(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, user_start, user_end),
		cmocka_unit_test_setup_teardown(the_client_ends, user_start, user_end),
		cmocka_unit_test_setup_teardown(certificates_of_clients, user_start, user_end),
		cmocka_unit_test_setup_teardown(another_identity, user_start, user_end),
		cmocka_unit_test_setup_teardown(too_slow, user_start, user_end),
		cmocka_unit_test(bad_identities),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
