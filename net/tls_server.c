/*
 *   shaking   handshake under way; what the user writes waits in OpenSSL's way: SSL_write fails, so it is kept here
 *   open      octets are decrypted and handed up, written ones encrypted and handed down
 *   closed    off the list, handle stale, buried
 *
 * The user has a stream of ours, whose number is that of our slot; the stream below is ours alone. OpenSSL reads from and writes to memory.
 */
#include "net/tls_server.h"

#include <stdio.h>

#include "base/libssl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"

#define ROOM 16384u           /* octets decrypted at once: a record */
#define EARLY ((size_t)65536) /* octets that may be written before the handshake is over */

LOOP_HANDLE(tls_stream)
LOOP_HANDLE_IMPL(tls_stream)
LOOP_HANDLE(tls_acceptor)
LOOP_HANDLE_IMPL(tls_acceptor)

struct tls_identity {
	SSL_CTX *ctx OWNED_FIELD;
	bool client_address;
};

struct tls_stream {
	struct tls_host *host PARENT_FIELD;
	struct tls_stream *next OWNED_FIELD;
	struct tls_stream **at PARENT_FIELD;
	struct dead dead;
	tls_stream_h self;
	stream_h below;
	SSL *ssl OWNED_FIELD;
	BIO *in PARENT_FIELD, *out PARENT_FIELD; /* the SSL's */
	struct strbuf *early OWNED_FIELD;        /* written during the handshake; NULL: nothing */
	struct endpoint from;
	timer_h late;
	bool adopted, ready, closed, paused;
	struct stream_events ev;
};

struct tls_acceptor {
	struct tls_host *host PARENT_FIELD;
	struct tls_acceptor *next OWNED_FIELD;
	struct tls_acceptor **at PARENT_FIELD;
	struct dead dead;
	tls_acceptor_h self;
	acceptor_h below;
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	host_accept_fn *fn;
};

struct tls_host {
	struct host host; /* first */
	struct host *under PARENT_FIELD;
	struct tls_identity *identity OWNED_FIELD;
	struct tls_server_options o;
	struct tls_server_counts counts;
	struct tls_stream *streams OWNED_FIELD;
	struct tls_acceptor *acceptors OWNED_FIELD;
	uint8_t *room OWNED_FIELD;
};

static struct tls_host *tls_of(struct host *h) BORROWED;
static struct tls_host *tls_of(struct host *h)
{
	return (struct tls_host *)(void *)h;
}

/* ---------------------------------------------------------------------------------------------------------------- identity */

void tls_identity_free(struct tls_identity *i)
{
	if (i == NULL)
		return;
	SSL_CTX_free(MOVE(i->ctx));
	mem_free(i);
}

static RESULT complain(struct strbuf *why, const char *what)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	strbuf_printf(why, "%s%s%s", what, text != NULL ? ": " : "", text != NULL ? text : "");
	ERR_clear_error();
	return FAIL(ERR_FORMAT);
}

static bool ended_well(void)
{
	unsigned long e = ERR_peek_last_error();
	bool well = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;

	ERR_clear_error();
	return well;
}

static BIO *octets_of(struct span s) OWNED_BY(BIO_free);
static BIO *octets_of(struct span s)
{
	return s.n <= INT32_MAX ? BIO_new_mem_buf(s.p, (int)s.n) : NULL;
}

static RESULT set_certificate(struct tls_identity *i, struct span pem, struct strbuf *why)
{
	AUTO(BIO_free) BIO *in = octets_of(pem);
	AUTO(X509_free) X509 *own = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

	if (own == NULL || SSL_CTX_use_certificate(i->ctx, own) != 1)
		return complain(why, "the certificate cannot be used");
	for (;;) {
		AUTO(X509_free) X509 *next = PEM_read_bio_X509(in, NULL, NULL, NULL);

		if (next == NULL)
			break;
		if (SSL_CTX_add1_chain_cert(i->ctx, next) != 1)
			return complain(why, "a certificate above it cannot be used");
	}
	return ended_well() ? DONE : complain(why, "a certificate above it cannot be read");
}

/* Nobody is there to type one. */
static int no_password(char *room, int size, int writing, void *ctx)
{
	(void)room, (void)size, (void)writing, (void)ctx;
	return -1;
}

static RESULT set_key(struct tls_identity *i, struct span pem, struct strbuf *why)
{
	AUTO(BIO_free) BIO *in = octets_of(pem);
	AUTO(EVP_PKEY_free) EVP_PKEY *key = in != NULL ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;

	if (key == NULL || SSL_CTX_use_PrivateKey(i->ctx, key) != 1)
		return complain(why, "the private key cannot be read, or is not the certificate's");
	return DONE;
}

static RESULT set_clients(struct tls_identity *i, struct span pem, struct strbuf *why)
{
	AUTO(BIO_free) BIO *in = octets_of(pem);
	unsigned int n = 0;

	for (;;) {
		AUTO(X509_free) X509 *ca = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

		if (ca == NULL)
			break;
		if (X509_STORE_add_cert(SSL_CTX_get_cert_store(i->ctx), ca) != 1 || SSL_CTX_add_client_CA(i->ctx, ca) != 1)
			return complain(why, "an authority of clients cannot be used");
		n++;
	}
	if (!ended_well() || n == 0)
		return complain(why, "the authorities of clients cannot be read");
	SSL_CTX_set_verify(i->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return DONE;
}

RESULT tls_identity_new(const struct tls_identity_pem *pem, struct strbuf *why, struct tls_identity **ret)
{
	AUTO(tls_identity_free) struct tls_identity *i = (struct tls_identity *)mem_alloc(sizeof *i);

	if (i == NULL)
		return FAIL(ERR_NOMEM);
	ERR_clear_error();
	i->ctx = SSL_CTX_new(TLS_server_method());
	if (i->ctx == NULL || SSL_CTX_set_min_proto_version(i->ctx, TLS1_2_VERSION) != 1)
		return FAIL(ERR_NOMEM);
	(void)SSL_CTX_set_options(i->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	(void)SSL_CTX_set_mode(i->ctx, SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(i->ctx, SSL_SESS_CACHE_OFF);
	TRY(set_certificate(i, pem->certificate, why));
	TRY(set_key(i, pem->key, why));
	if (pem->client_ca.n > 0)
		TRY(set_clients(i, pem->client_ca, why));
	i->client_address = pem->client_ca.n > 0 && pem->client_address;
	*ret = MOVE(i);
	return DONE;
}

/* ------------------------------------------------------------------------------------------------------------------ streams */

static void tls_stream_free(struct tls_stream *s) TAKES(1);
static void tls_stream_free(struct tls_stream *s)
{
	if (s == NULL)
		return;
	SSL_free(MOVE(s->ssl));
	strbuf_free(MOVE(s->early));
	mem_free(s);
}
DEFINE_AUTO(struct tls_stream, tls_stream_free)

static void tls_stream_bury(struct dead *d)
{
	tls_stream_free(PARENT_OF(d, struct tls_stream, dead));
}

/* With linger the stream below is left to itself: it has something to send that was just written, and ends when that has left, for it has no user any more. */
static void leave(struct tls_stream *s, bool linger)
{
	struct loop *l = s->host->host.loop;

	if (s->closed)
		return;
	s->closed = true;
	loop_timer_stop(l, &s->late);
	if (!s->ready)
		s->host->counts.shaking--;
	tls_stream_retire(l, s->self);
	if (!linger)
		host_stream_close(s->host->under, s->below);
	*s->at = s->next;
	if (s->next != NULL)
		s->next->at = s->at;
	s->next = NULL;
	loop_bury(l, &s->dead, tls_stream_bury);
}

static void drop(struct tls_stream *s)
{
	leave(s, false);
}

/* An alert, say. True: it is on its way. */
static bool last_words(struct tls_stream *s)
{
	char *p = NULL;
	long n = BIO_get_mem_data(s->out, &p);

	return n > 0 && OK(host_stream_write(s->host->under, s->below, span_of(p, (size_t)n)));
}

/* It ends by itself, and its user is told. */
static void end(struct tls_stream *s, enum err e)
{
	struct loop *l = s->host->host.loop;
	void *object;

	if (s->closed)
		return;
	object = s->adopted ? loop_slot_get(l, s->ev.type, s->ev.who) : NULL;
	leave(s, last_words(s));
	if (object != NULL)
		s->ev.closed(l, object, (stream_h){ s->self.v }, e);
}

static void who_is_it(const struct tls_stream *s, char text[ENDPOINT_TEXT])
{
	if (s->from.a.family == ADDR_NONE)
		memcpy(text, "a client", sizeof "a client");
	else
		(void)endpoint_text(&s->from, text);
}

/* What OpenSSL has to say goes down. False: the stream is gone. */
static bool pump(struct tls_stream *s)
{
	char *p = NULL;
	long n = BIO_get_mem_data(s->out, &p);
	struct result r;

	if (n <= 0)
		return true;
	r = host_stream_write(s->host->under, s->below, span_of(p, (size_t)n));
	(void)BIO_reset(s->out);
	if (OK(r))
		return true;
	end(s, r.e);
	return false;
}

static bool encrypt(struct tls_stream *s, struct span octets)
{
	size_t written;

	ERR_clear_error();
	return SSL_write_ex(s->ssl, octets.p, octets.n, &written) == 1 && written == octets.n;
}

/* The certificate names the address that the client comes from. */
static bool address_holds(const struct tls_stream *s)
{
	AUTO(X509_free) X509 *cert = SSL_get1_peer_certificate(s->ssl);

	if (cert == NULL || s->from.a.family == ADDR_NONE)
		return false;
	return X509_check_ip(cert, s->from.a.b, s->from.a.family == ADDR_V4 ? 4 : 16, 0) == 1;
}

static void shaken(struct tls_stream *s)
{
	struct loop *l = s->host->host.loop;

	s->ready = true;
	s->host->counts.shaking--;
	s->host->counts.ready++;
	loop_timer_stop(l, &s->late);
	if (s->early == NULL)
		return;
	if (!encrypt(s, strbuf_span(s->early))) {
		end(s, ERR_SYSTEM);
		return;
	}
	strbuf_free(MOVE(s->early));
}

/* A handshake has failed for what the other end did, or is. */
static void fail_shake(struct tls_stream *s, const char *why, bool refused)
{
	char from[ENDPOINT_TEXT];

	who_is_it(s, from);
	log_limited(LOG_LEVEL_NOTICE, "tls: %s: %s", from, why);
	if (refused)
		s->host->counts.refused++;
	else
		s->host->counts.failed++;
	end(s, refused ? ERR_REFUSED : ERR_FORMAT);
}

static void shake(struct tls_stream *s)
{
	int n, e;
	long verdict;

	ERR_clear_error();
	n = SSL_do_handshake(s->ssl);
	if (n == 1) {
		if (s->host->identity->client_address && !address_holds(s))
			fail_shake(s, "its certificate does not name the address that it comes from", true);
		else
			shaken(s);
		return;
	}
	e = SSL_get_error(s->ssl, n);
	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
		return;
	verdict = SSL_get_verify_result(s->ssl);
	if (verdict != X509_V_OK) {
		fail_shake(s, X509_verify_cert_error_string(verdict), true);
	} else {
		const char *text = ERR_reason_error_string(ERR_peek_last_error());
		bool none = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;

		fail_shake(s, text != NULL ? text : "the handshake failed", none);
	}
	ERR_clear_error();
}

/* Hands up what can be decrypted now. */
static void hand_up(struct loop *l, struct tls_stream *s)
{
	while (!s->closed && !s->paused) {
		void *object = loop_slot_get(l, s->ev.type, s->ev.who);
		size_t n = 0;
		int e;

		if (object == NULL) {
			drop(s);
			return;
		}
		ERR_clear_error();
		if (SSL_read_ex(s->ssl, s->host->room, ROOM, &n) == 1) {
			s->ev.data(l, object, (stream_h){ s->self.v }, span_of(s->host->room, n));
			continue;
		}
		e = SSL_get_error(s->ssl, 0);
		if (e == SSL_ERROR_ZERO_RETURN)
			end(s, ERR_CLOSED);
		else if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
			end(s, ERR_SYSTEM);
		return;
	}
}

static void on_data(struct loop *l, void *object, stream_h h, struct span octets)
{
	struct tls_stream *s = (struct tls_stream *)object;

	(void)h;
	if (BIO_write(s->in, octets.p, (int)octets.n) != (int)octets.n) {
		end(s, ERR_NOMEM);
		return;
	}
	if (!s->ready)
		shake(s);
	if (!s->closed && s->ready)
		hand_up(l, s);
	if (!s->closed)
		(void)pump(s);
}

static void on_drained(struct loop *l, void *object, stream_h h)
{
	struct tls_stream *s = (struct tls_stream *)object;
	void *user = s->ready ? loop_slot_get(l, s->ev.type, s->ev.who) : NULL;

	(void)h;
	if (user != NULL && s->ev.drained != NULL)
		s->ev.drained(l, user, (stream_h){ s->self.v });
}

static void on_closed(struct loop *l, void *object, stream_h h, enum err e)
{
	(void)l, (void)h;
	end((struct tls_stream *)object, e);
}

static void on_late(struct loop *l, void *object)
{
	struct tls_stream *s = (struct tls_stream *)object;

	(void)l;
	s->late.v = 0;
	s->host->counts.late++;
	end(s, ERR_TIMEOUT);
}

/* ---------------------------------------------------------------------------------------------------------------- accepting */

static bool set_up_ssl(struct tls_stream *s)
{
	AUTO(BIO_free) BIO *in = BIO_new(BIO_s_mem());
	AUTO(BIO_free) BIO *out = BIO_new(BIO_s_mem());

	s->ssl = SSL_new(s->host->identity->ctx);
	if (s->ssl == NULL || in == NULL || out == NULL) {
		ERR_clear_error();
		return false;
	}
	s->in = in;
	s->out = out;
	SSL_set_bio(s->ssl, MOVE(in), MOVE(out));
	SSL_set_accept_state(s->ssl);
	return true;
}

static RESULT enter(struct tls_host *t, stream_h below, const struct endpoint *from, struct tls_stream **ret)
{
	AUTO(tls_stream_free) struct tls_stream *s = (struct tls_stream *)mem_alloc(sizeof *s);
	struct loop *l = t->host.loop;

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->host = t;
	s->below = below;
	s->from = *from;
	if (!set_up_ssl(s))
		return FAIL(ERR_NOMEM);
	s->self = tls_stream_enlist(l, s);
	if (s->self.v == 0)
		return FAIL(ERR_NOMEM);
	if (!OK(loop_timer(l, &tls_stream_loop_type, s->self.v, on_late, t->o.handshake_ms, &s->late))) {
		tls_stream_retire(l, s->self);
		return FAIL(ERR_NOMEM);
	}
	s->next = MOVE(t->streams);
	if (s->next != NULL)
		s->next->at = &s->next;
	s->at = &t->streams;
	t->streams = MOVE(s);
	t->counts.shaking++;
	t->counts.accepted++;
	*ret = t->streams;
	return DONE;
}

static void on_accept(struct loop *l, void *object, acceptor_h a, stream_h below, const struct endpoint *from, const struct endpoint *local)
{
	struct tls_acceptor *x = (struct tls_acceptor *)object;
	struct tls_host *t = x->host;
	void *user = loop_slot_get(l, x->type, x->who);
	struct tls_stream *s;

	(void)a;
	if (user == NULL || t->counts.shaking >= t->o.max_shaking || !OK(enter(t, below, from, &s)))
		return; /* nobody adopts it: it is closed */
	x->fn(l, user, (acceptor_h){ x->self.v }, (stream_h){ s->self.v }, from, local);
	if (!s->adopted)
		drop(s);
}

static void tls_acceptor_free(struct tls_acceptor *a) TAKES(1);
static void tls_acceptor_free(struct tls_acceptor *a)
{
	mem_free(a);
}
DEFINE_AUTO(struct tls_acceptor, tls_acceptor_free)

static void tls_acceptor_bury(struct dead *d)
{
	tls_acceptor_free(PARENT_OF(d, struct tls_acceptor, dead));
}

static struct result tls_accept(struct host *h, const struct listen_options *o, const struct loop_type *type, uint64_t who, host_accept_fn *fn, acceptor_h *ret)
{
	struct tls_host *t = tls_of(h);
	AUTO(tls_acceptor_free) struct tls_acceptor *a = (struct tls_acceptor *)mem_alloc(sizeof *a);
	struct result r;

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	a->host = t;
	a->type = type;
	a->who = who;
	a->fn = fn;
	a->self = tls_acceptor_enlist(h->loop, a);
	if (a->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = host_accept(t->under, o, &tls_acceptor_loop_type, a->self.v, on_accept, &a->below);
	if (!OK(r)) {
		tls_acceptor_retire(h->loop, a->self);
		return r;
	}
	ret->v = a->self.v;
	a->next = MOVE(t->acceptors);
	if (a->next != NULL)
		a->next->at = &a->next;
	a->at = &t->acceptors;
	t->acceptors = MOVE(a);
	return DONE;
}

static void tls_accept_close(struct host *h, acceptor_h handle)
{
	struct tls_acceptor *a = tls_acceptor_get(h->loop, (tls_acceptor_h){ handle.v });

	if (a == NULL)
		return;
	host_accept_close(a->host->under, a->below);
	tls_acceptor_retire(h->loop, a->self);
	*a->at = a->next;
	if (a->next != NULL)
		a->next->at = a->at;
	a->next = NULL;
	loop_bury(h->loop, &a->dead, tls_acceptor_bury);
}

static void tls_accept_pause(struct host *h, acceptor_h handle, bool paused)
{
	const struct tls_acceptor *a = tls_acceptor_get(h->loop, (tls_acceptor_h){ handle.v });

	if (a != NULL)
		host_accept_pause(a->host->under, a->below, paused);
}

/* --------------------------------------------------------------------------------------------------------- for the user above */

static struct tls_stream *stream_of(struct host *h, stream_h handle) BORROWED;
static struct tls_stream *stream_of(struct host *h, stream_h handle)
{
	return tls_stream_get(h->loop, (tls_stream_h){ handle.v });
}

static struct result tls_adopt(struct host *h, stream_h handle, const struct stream_events *ev)
{
	struct tls_stream *s = stream_of(h, handle);
	struct stream_events own = { .type = &tls_stream_loop_type, .who = handle.v, .data = on_data, .drained = on_drained, .closed = on_closed };

	if (s == NULL)
		return FAIL(ERR_CLOSED);
	TRY(host_stream_adopt(s->host->under, s->below, &own));
	s->ev = *ev;
	s->adopted = true;
	return DONE;
}

static struct result write_early(struct tls_stream *s, struct span octets)
{
	if (s->early == NULL)
		s->early = strbuf_new(EARLY);
	if (s->early == NULL)
		return FAIL(ERR_NOMEM);
	strbuf_add_span(s->early, octets);
	return strbuf_result(s->early);
}

static struct result tls_write(struct host *h, stream_h handle, struct span octets)
{
	struct tls_stream *s = stream_of(h, handle);
	char *p = NULL;
	long n;
	struct result r;

	if (s == NULL)
		return FAIL(ERR_CLOSED);
	if (octets.n == 0)
		return DONE;
	if (!s->ready)
		return write_early(s, octets);
	if (!encrypt(s, octets))
		return FAIL(ERR_NOMEM);
	/* Not pump(): a call from above never calls back. */
	n = BIO_get_mem_data(s->out, &p);
	r = host_stream_write(s->host->under, s->below, span_of(p, (size_t)n));
	(void)BIO_reset(s->out);
	return r;
}

static size_t tls_unsent(struct host *h, stream_h handle)
{
	const struct tls_stream *s = stream_of(h, handle);

	if (s == NULL)
		return 0;
	return host_stream_unsent(s->host->under, s->below) + (s->early != NULL ? strbuf_len(s->early) : 0);
}

static void resume(struct loop *l, void *object)
{
	struct tls_stream *s = (struct tls_stream *)object;

	if (!s->closed && s->ready && s->adopted && !s->paused) {
		hand_up(l, s);
		if (!s->closed)
			(void)pump(s);
	}
}

/* What was read below and not yet handed up comes at the end of the turn, when nobody is in a call of ours. */
static void tls_pause(struct host *h, stream_h handle, bool paused)
{
	struct tls_stream *s = stream_of(h, handle);

	if (s == NULL || s->paused == paused)
		return;
	s->paused = paused;
	host_stream_pause(s->host->under, s->below, paused);
	if (!paused && s->ready && !OK(loop_at_turn_end(h->loop, &tls_stream_loop_type, s->self.v, resume)))
		s->paused = true; /* out of memory: the user's limits of time end it */
}

static void tls_close(struct host *h, stream_h handle)
{
	struct tls_stream *s = stream_of(h, handle);

	if (s == NULL)
		return;
	if (!s->ready || host_stream_unsent(s->host->under, s->below) > 0) {
		drop(s);
		return;
	}
	(void)SSL_shutdown(s->ssl); /* so that the client knows that nothing was cut off */
	ERR_clear_error();
	leave(s, last_words(s));
}

/* ----------------------------------------------------------------------------------------------------------------- lifetime */

static void tls_host_free(struct host *h) TAKES(1);
static void tls_host_free(struct host *h)
{
	AUTO(mem_free) void *memory = h;
	struct tls_host *t = tls_of(h);

	while (t->streams != NULL)
		drop(t->streams);
	while (t->acceptors != NULL)
		tls_accept_close(h, (acceptor_h){ t->acceptors->self.v });
	tls_identity_free(MOVE(t->identity));
	mem_free(MOVE(t->room));
}

static const struct host_ops ops = { .accept = tls_accept, .accept_close = tls_accept_close, .accept_pause = tls_accept_pause, .stream_adopt = tls_adopt,
	.stream_write = tls_write, .stream_unsent = tls_unsent, .stream_pause = tls_pause, .stream_close = tls_close, .free = tls_host_free };

struct host *host_tls_new(struct host *under, struct tls_identity *i, const struct tls_server_options *o)
{
	AUTO(tls_identity_free) struct tls_identity *own = i;
	AUTO(mem_free) void *memory = mem_alloc(sizeof(struct tls_host));
	struct tls_host *t = memory;

	if (t == NULL)
		return NULL;
	t->room = (uint8_t *)mem_alloc_raw(ROOM);
	if (t->room == NULL)
		return NULL;
	t->host.ops = &ops;
	t->host.loop = under->loop;
	t->under = under;
	t->o = *o;
	t->identity = MOVE(own);
	return (struct host *)MOVE(memory);
}

void host_tls_set(struct host *h, struct tls_identity *i)
{
	AUTO(tls_identity_free) struct tls_identity *own = i;
	struct tls_host *t = tls_of(h);

	tls_identity_free(MOVE(t->identity));
	t->identity = MOVE(own);
}

const struct tls_server_counts *host_tls_counts(const struct host *h)
{
	return &((const struct tls_host *)(const void *)h)->counts;
}
