#include "resolver/dnstap/line.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/sock.h"
#include "net/tls_client.h"
#include "resolver/dnstap/tap.h"
#include "resolver/dnstap/tap_settings.h"

#define GATHER ((size_t)64 * 1024) /* octets that leave together */
#define LAST_MS 500u               /* after "stop" */
#define ROOM 4096u
#define WHY 200u
#define MS UINT64_C(1000000)

struct tap_line {
	struct tap_line_env env;
	int fd;                            /* -1: none */
	struct tls_client *tls OWNED_FIELD; /* of this connection */
	uint8_t *out OWNED_FIELD;          /* GATHER octets */
	size_t out_len;
	uint64_t due_ns;                   /* of what is under way; 0: there is no hurry */
	uint64_t last_ns;                  /* of everything, once "stop" was said; 0: not yet */
	char why[WHY];
};

static bool gives_up(struct tap_line *l, const char *what, const char *why)
{
	(void)snprintf(l->why, sizeof l->why, "%s: %s", what, why);
	return false;
}

static bool system_failed(struct tap_line *l, const char *what)
{
	return gives_up(l, what, strerror(errno));
}

void tap_line_close(struct tap_line *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	l->out_len = 0;
	tls_client_free(MOVE(l->tls));
}

void tap_line_free(struct tap_line *l)
{
	if (l == NULL)
		return;
	tap_line_close(l);
	mem_free(MOVE(l->out));
	mem_free(l);
}

struct tap_line *tap_line_new(const struct tap_line_env *e)
{
	AUTO(tap_line_free) struct tap_line *l = mem_alloc(sizeof *l);

	if (l == NULL)
		return NULL;
	l->env = *e;
	l->fd = -1;
	l->out = mem_alloc(GATHER);
	return l->out != NULL ? MOVE(l) : NULL;
}

/* --- waiting --- */

static void hear(const struct tap_bell *b)
{
	uint64_t times;

	if (read(b->fd, &times, sizeof times) < 0) /* nobody has rung */
		return;
}

void tap_bell_wait(struct tap_bell *b, unsigned int ms)
{
	struct pollfd p = { b->fd, POLLIN, 0 };

	if (poll(&p, 1, (int)ms) > 0)
		hear(b);
}

/* Milliseconds that may still be waited, -1 for ever; 0: no more. */
static int patience(struct tap_line *l)
{
	uint64_t now = clock_precise_ns(), due = l->due_ns;

	if (l->last_ns == 0 && atomic_load(l->env.stop))
		l->last_ns = now + LAST_MS * MS;
	if (l->last_ns != 0 && (due == 0 || l->last_ns < due))
		due = l->last_ns;
	if (due == 0)
		return -1;
	return now < due ? (int)((due - now) / MS + 1) : 0;
}

/* Until the connection can be written to (POLLOUT) or read from (POLLIN). */
static bool await(struct tap_line *l, short events, const char *what)
{
	for (;;) {
		struct pollfd p[2] = { { l->fd, events, 0 }, { l->env.bell->fd, POLLIN, 0 } };
		int ms = patience(l), n;

		if (ms == 0)
			return gives_up(l, what, "no answer in time");
		n = poll(p, 2, ms);
		if (n < 0 && errno != EINTR)
			return system_failed(l, what);
		if (n <= 0)
			continue;
		if ((p[1].revents & POLLIN) != 0)
			hear(l->env.bell);
		if (p[0].revents != 0)
			return true;
	}
}

bool tap_line_idle(struct tap_line *l, unsigned int ms)
{
	struct pollfd p[2] = { { l->fd, POLLRDHUP, 0 }, { l->env.bell->fd, POLLIN, 0 } };

	if (poll(p, 2, (int)ms) <= 0)
		return true;
	if ((p[1].revents & POLLIN) != 0)
		hear(l->env.bell);
	return p[0].revents == 0 || gives_up(l, "connection", "the other end has hung up");
}

/* --- octets on the wire --- */

static bool send_all(struct tap_line *l, struct span octets)
{
	while (octets.n > 0) {
		ssize_t n = write(l->fd, octets.p, octets.n);

		if (n > 0) {
			octets = span_of(octets.p + n, octets.n - (size_t)n);
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return system_failed(l, "write");
		if (!await(l, POLLOUT, "write"))
			return false;
	}
	return true;
}

/* At least one octet; *ret_n of them. */
static bool receive(struct tap_line *l, uint8_t *to, size_t size, size_t *ret_n)
{
	for (;;) {
		ssize_t n = read(l->fd, to, size);

		if (n > 0) {
			*ret_n = (size_t)n;
			return true;
		}
		if (n == 0)
			return gives_up(l, "read", "the other end has hung up");
		if (errno != EAGAIN && errno != EINTR)
			return system_failed(l, "read");
		if (!await(l, POLLIN, "read"))
			return false;
	}
}

/* --- TLS between --- */

static bool tls_send(struct tap_line *l)
{
	bool good = send_all(l, tls_client_output(l->tls));

	tls_client_sent(l->tls);
	return good;
}

static bool tls_take(struct tap_line *l)
{
	uint8_t room[ROOM];
	size_t n;

	if (!receive(l, room, sizeof room, &n))
		return false;
	return OK(tls_client_input(l->tls, span_of(room, n))) || gives_up(l, "TLS", tls_client_why(l->tls));
}

static bool tls_open(struct tap_line *l)
{
	const struct tap_settings *s = l->env.settings;
	char address[ADDR_TEXT];

	l->tls = l->env.trust == NULL ? NULL :
	         tls_client_new_plain(l->env.trust, s->tls_name != NULL ? s->tls_name : addr_text(&s->at.a, address), s->tls_name == NULL);
	if (l->tls == NULL)
		return gives_up(l, "TLS", "no certificates, or no memory");
	if (!OK(tls_client_input(l->tls, (struct span){ NULL, 0 })))
		return gives_up(l, "TLS", tls_client_why(l->tls));
	while (!tls_client_ready(l->tls))
		if (!tls_send(l) || !tls_take(l))
			return false;
	return tls_send(l);
}

static bool tls_read(struct tap_line *l, uint8_t *to, size_t size, size_t *ret_n)
{
	for (;;) {
		if (!OK(tls_client_read(l->tls, to, size, ret_n)))
			return gives_up(l, "TLS", tls_client_why(l->tls));
		if (*ret_n > 0)
			return true;
		if (tls_client_ended(l->tls))
			return gives_up(l, "TLS", "the other end has said that this is all");
		if (!tls_take(l))
			return false;
	}
}

/* --- the connection --- */

static bool connected(struct tap_line *l)
{
	int e = 0;
	socklen_t n = sizeof e;

	if (!await(l, POLLOUT, "connect"))
		return false;
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &e, &n) == 0 && e == 0)
		return true;
	return gives_up(l, "connect", strerror(e));
}

bool tap_line_open(struct tap_line *l)
{
	const struct tap_settings *s = l->env.settings;

	if (!OK(sock_connect_stream(&s->at, s->path, &l->fd))) {
		l->fd = -1;
		return system_failed(l, "connect");
	}
	return connected(l) && (!s->tls || tls_open(l));
}

void tap_line_due(struct tap_line *l, unsigned int ms)
{
	l->due_ns = ms != 0 ? clock_precise_ns() + ms * MS : 0;
}

bool tap_line_flush(struct tap_line *l)
{
	struct span all = span_of(l->out, l->out_len);

	if (l->out_len == 0)
		return true;
	l->out_len = 0;
	if (l->tls == NULL)
		return send_all(l, all);
	if (!OK(tls_client_write(l->tls, all)))
		return gives_up(l, "TLS", tls_client_why(l->tls));
	return tls_send(l);
}

bool tap_line_write(struct tap_line *l, struct span octets)
{
	while (octets.n > 0) {
		size_t n = octets.n < GATHER - l->out_len ? octets.n : GATHER - l->out_len;

		memcpy(l->out + l->out_len, octets.p, n);
		l->out_len += n;
		octets = span_of(octets.p + n, octets.n - n);
		if (l->out_len == GATHER && !tap_line_flush(l))
			return false;
	}
	return true;
}

bool tap_line_read(struct tap_line *l, uint8_t *to, size_t n)
{
	if (!tap_line_flush(l))
		return false;
	for (size_t at = 0, got = 0; at < n; at += got)
		if (!(l->tls != NULL ? tls_read(l, to + at, n - at, &got) : receive(l, to + at, n - at, &got)))
			return false;
	return true;
}

const char *tap_line_why(const struct tap_line *l)
{
	return l->why;
}
