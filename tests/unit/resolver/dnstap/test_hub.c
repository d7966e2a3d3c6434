/*
 * The thread that sends, against readers of the test's: one that reads, one that goes away and comes back, one that never reads, none at all. A reader is a thread that speaks Frame
 * Streams (https://farsightsec.github.io/fstrm/) in a few lines of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "resolver/dnstap/hub.h"
#include "resolver/dnstap/ring.h"
#include "resolver/dnstap/tap.h"
#include "resolver/plan.h"

#define CONTENT "protobuf:dnstap.Dnstap"
#define WAIT_MS 20000

enum { CONTROL_ACCEPT = 1, CONTROL_START, CONTROL_STOP, CONTROL_READY, CONTROL_FINISH };

/* --- a reader --- */

struct reader_thread {
	int listener;
	bool hello;          /* bidirectional */
	unsigned int leaves; /* the first connection ends after so many frames; 0: it does not */
	bool deaf;           /* it says hello, and reads no more */
	_Atomic unsigned int frames, connections, stops, wrong;
	_Atomic bool end;
	pthread_t id;
};

static bool octets_in(struct reader_thread *r, int fd, void *to, size_t n)
{
	uint8_t *at = to;

	while (n > 0) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t got;

		if (atomic_load(&r->end))
			return false;
		if (poll(&p, 1, 20) <= 0)
			continue;
		got = read(fd, at, n);
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static void say(int fd, uint32_t type)
{
	uint8_t f[4 + 4 + 4 + 8 + sizeof CONTENT - 1] = { 0 };
	size_t n = type == CONTROL_ACCEPT ? sizeof f : 12;

	store32(f + 4, (uint32_t)(n - 8));
	store32(f + 8, type);
	if (type == CONTROL_ACCEPT) {
		store32(f + 12, 1); /* the field "content type" */
		store32(f + 16, sizeof CONTENT - 1);
		memcpy(f + 20, CONTENT, sizeof CONTENT - 1);
	}
	if (write(fd, f, n) != (ssize_t)n)
		return; /* the other end has gone, and will be noticed */
}

/* The type of a control frame, or 0 for a data frame. False: the connection is over. */
static bool frame_in(struct reader_thread *r, int fd, uint32_t *ret_type)
{
	uint8_t head[4], body[70000];
	uint32_t n;

	if (!octets_in(r, fd, head, 4))
		return false;
	n = load32(head);
	*ret_type = 0;
	if (n == 0) {
		if (!octets_in(r, fd, head, 4))
			return false;
		n = load32(head);
		if (n < 4 || n > sizeof body || !octets_in(r, fd, body, n))
			return false;
		*ret_type = load32(body);
		if (*ret_type == CONTROL_START && (n < 12 + sizeof CONTENT - 1 || memcmp(body + 12, CONTENT, sizeof CONTENT - 1) != 0))
			atomic_fetch_add(&r->wrong, 1);
		return true;
	}
	if (n > sizeof body || !octets_in(r, fd, body, n))
		return false;
	for (uint32_t i = 1; i < n; i++)
		if (body[i] != body[0])
			atomic_fetch_add(&r->wrong, 1);
	return true;
}

static void read_connection(struct reader_thread *r, int fd)
{
	unsigned int here = 0;
	uint32_t type;

	while (frame_in(r, fd, &type)) {
		if (type == CONTROL_READY && r->hello)
			say(fd, CONTROL_ACCEPT);
		else if (type == CONTROL_READY)
			atomic_fetch_add(&r->wrong, 1);
		else if (type == CONTROL_STOP) {
			atomic_fetch_add(&r->stops, 1);
			if (r->hello)
				say(fd, CONTROL_FINISH);
			return;
		} else if (type == CONTROL_START && r->deaf) {
			while (!atomic_load(&r->end))
				(void)poll(NULL, 0, 20);
			return;
		} else if (type == 0) {
			atomic_fetch_add(&r->frames, 1);
			if (++here == r->leaves && atomic_load(&r->connections) == 1)
				return;
		}
	}
}

static void *reader_main(void *arg) /* own-ok: R1 pthread's signature; always NULL */
{
	struct reader_thread *r = arg;

	while (!atomic_load(&r->end)) {
		struct pollfd p = { r->listener, POLLIN, 0 };
		int fd = poll(&p, 1, 20) > 0 ? accept(r->listener, NULL, NULL) : -1;

		if (fd < 0)
			continue;
		atomic_fetch_add(&r->connections, 1);
		read_connection(r, fd);
		(void)close(fd);
	}
	return NULL;
}

static int listen_at(const struct sockaddr *at, socklen_t n)
{
	int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, at, n), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void reader_start(struct reader_thread *r)
{
	assert_int_equal(pthread_create(&r->id, NULL, reader_main, r), 0);
}

static void reader_join(struct reader_thread *r)
{
	atomic_store(&r->end, true);
	(void)pthread_join(r->id, NULL);
	(void)close(r->listener);
	assert_int_equal(atomic_load(&r->wrong), 0);
}

/* --- the hub --- */

struct scene {
	struct rng *rng OWNED_FIELD;
	struct tap_hub *hub OWNED_FIELD;
	char dir[32], path[48];
};

static int start(void **state)
{
	struct scene *s = mem_alloc(sizeof *s);

	log_set_level(LOG_LEVEL_ERROR);
	assert_non_null(s);
	memcpy(s->dir, "/tmp/cairn-tap-XXXXXX", sizeof "/tmp/cairn-tap-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->path, sizeof s->path, "%s/socket", s->dir);
	s->rng = rng_new_seeded(1);
	s->hub = tap_hub_open(2);
	*state = s;
	return s->rng != NULL && s->hub != NULL ? 0 : -1;
}

static int end(void **state)
{
	struct scene *s = *state;

	tap_hub_close(s->hub);
	rng_free(s->rng);
	(void)unlink(s->path);
	(void)rmdir(s->dir);
	mem_free(s);
	return 0;
}

static int listen_path(const struct scene *s)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	memcpy(at.sun_path, s->path, sizeof s->path);
	return listen_at((const struct sockaddr *)&at, sizeof at);
}

static struct plan *plan_of(struct scene *s, const char *clause) OWNED_BY(plan_unref);
static struct plan *plan_of(struct scene *s, const char *clause)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(4096), *report = strbuf_new(4096);
	struct conf *c = NULL;
	struct plan *p = NULL;

	strbuf_printf(text, "server:\n root-anchors: none\ndnstap:\n %s\n", clause);
	assert_true(OK(conf_load_text(strbuf_text(text), "test", report, &c)));
	if (!OK(plan_make(c, NULL, s->rng, report, &p)))
		fail_msg("%s", strbuf_text(report));
	return p;
}

static void set(struct scene *s, const char *clause)
{
	AUTO(plan_unref) struct plan *p = plan_of(s, clause);

	assert_true(OK(tap_hub_set(s->hub, p)));
}

static void put(struct scene *s, unsigned int worker, uint8_t octet, size_t n)
{
	const struct tap_seat *seat = tap_hub_seat(s->hub, worker);
	uint8_t *room = tap_ring_room(seat->ring, n);

	assert_non_null(room);
	memset(room, octet, n);
	(void)tap_ring_commit(seat->ring, n);
	tap_bell_ring(seat->bell);
}

static void until(const _Atomic unsigned int *what, unsigned int n)
{
	for (int ms = 0; atomic_load(what) < n; ms += 5) {
		assert_true(ms < WAIT_MS);
		(void)poll(NULL, 0, 5);
	}
}

static void until_count(struct scene *s, enum tap_count c, uint64_t n)
{
	for (int ms = 0; tap_hub_count(s->hub, c) < n; ms += 5) {
		assert_true(ms < WAIT_MS);
		(void)poll(NULL, 0, 5);
	}
}

#define ON "dnstap-enable: yes\n dnstap-log-client-query-messages: yes\n "

static void clause_of(const struct scene *s, const char *more, char to[300])
{
	(void)snprintf(to, 300, ON "dnstap-socket-path: \"%s\"\n %s", s->path, more);
}

/* --- cases --- */

static void what_is_put_arrives(void **state)
{
	struct scene *s = *state;
	struct reader_thread r = { .listener = listen_path(s), .hello = true };
	char clause[300];

	reader_start(&r);
	clause_of(s, "", clause);
	set(s, clause);
	assert_int_equal(atomic_load(&r.connections), 0); /* not before threads may run */
	assert_true(OK(tap_hub_start(s->hub)));
	for (unsigned int i = 0; i < 600; i++)
		put(s, i % 2, (uint8_t)i, 1 + i * 3);
	put(s, 0, 7, 65535);
	until(&r.frames, 601);
	until_count(s, TAPS_SENT, 601);
	assert_int_equal(tap_hub_count(s->hub, TAPS_CONNECTED), 1);
	tap_hub_close(MOVE(s->hub));
	until(&r.stops, 1); /* a farewell */
	reader_join(&r);
	assert_int_equal(atomic_load(&r.frames), 601);
}

static void what_waits_is_sent_at_the_end(void **state)
{
	struct scene *s = *state;
	struct reader_thread r = { .listener = listen_path(s), .hello = false };
	char clause[300];

	reader_start(&r);
	clause_of(s, "dnstap-bidirectional: no", clause);
	set(s, clause);
	assert_true(OK(tap_hub_start(s->hub)));
	until(&r.connections, 1);
	until_count(s, TAPS_CONNECTED, 1);
	for (unsigned int i = 0; i < 1000; i++)
		put(s, 1, 9, 100);
	tap_hub_close(MOVE(s->hub));
	until(&r.stops, 1);
	assert_int_equal(atomic_load(&r.frames), 1000);
	reader_join(&r);
}

static void a_reader_that_goes_is_found_again(void **state)
{
	struct scene *s = *state;
	struct reader_thread r = { .listener = listen_path(s), .hello = true, .leaves = 1 };
	char clause[300];

	reader_start(&r);
	clause_of(s, "", clause);
	set(s, clause);
	assert_true(OK(tap_hub_start(s->hub)));
	put(s, 0, 1, 10);
	until(&r.frames, 1);
	until_count(s, TAPS_FAILED, 1); /* noticed, though nothing was to be sent */
	put(s, 0, 2, 10);               /* waits for the next connection */
	until(&r.frames, 2);
	assert_int_equal(atomic_load(&r.connections), 2);
	assert_int_equal(tap_hub_count(s->hub, TAPS_CONNECTED), 2);
	tap_hub_close(MOVE(s->hub));
	reader_join(&r);
}

static void a_reader_that_does_not_read_holds_nobody_up(void **state)
{
	struct scene *s = *state;
	struct reader_thread r = { .listener = listen_path(s), .hello = true, .deaf = true };
	unsigned int n = 0;
	char clause[300];

	reader_start(&r);
	clause_of(s, "dnstap-queue-size: 64k", clause);
	set(s, clause);
	assert_true(OK(tap_hub_start(s->hub)));
	until_count(s, TAPS_CONNECTED, 1);
	for (int full = 0; full < 50; n++) { /* full, and still so after a while */
		if (tap_ring_room(tap_hub_seat(s->hub, 0)->ring, 16000) != NULL) {
			put(s, 0, 3, 16000);
			full = 0;
			continue;
		}
		full++;
		assert_true(n < 100000);
		(void)poll(NULL, 0, 5);
	}
	tap_hub_close(MOVE(s->hub)); /* comes back */
	reader_join(&r);
}

static void nobody_is_there(void **state)
{
	struct scene *s = *state;
	char clause[300];

	clause_of(s, "", clause);
	set(s, clause);
	assert_true(OK(tap_hub_start(s->hub)));
	put(s, 0, 1, 10);
	until_count(s, TAPS_FAILED, 1);
	assert_int_equal(tap_hub_count(s->hub, TAPS_SENT) + tap_hub_count(s->hub, TAPS_LOST), 0);
}

/* A reload: on, elsewhere, off. */
static void another_place(void **state)
{
	struct scene *s = *state;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct reader_thread first = { .listener = listen_path(s), .hello = true }, second = { .hello = true };
	socklen_t n = sizeof at;
	char clause[300];

	set(s, "dnstap-enable: no");
	assert_true(OK(tap_hub_start(s->hub)));
	assert_null(tap_hub_seat(s->hub, 0)->ring);
	reader_start(&first);
	clause_of(s, "", clause);
	set(s, clause);
	put(s, 0, 1, 10);
	until(&first.frames, 1);
	second.listener = listen_at((const struct sockaddr *)&at, sizeof at);
	assert_int_equal(getsockname(second.listener, (struct sockaddr *)&at, &n), 0);
	reader_start(&second);
	(void)snprintf(clause, sizeof clause, ON "dnstap-ip: 127.0.0.1@%u\n dnstap-tls: no", ntohs(at.sin_port));
	set(s, clause);
	put(s, 1, 2, 10);
	until(&second.frames, 1);
	set(s, clause); /* the same again: nobody hangs up */
	set(s, "dnstap-enable: no");
	until(&second.stops, 1);
	assert_int_equal(atomic_load(&second.connections), 1);
	assert_int_equal(atomic_load(&first.frames), 1);
	reader_join(&first);
	reader_join(&second);
}

static void what_is_wrong_is_said(void **state)
{
	struct scene *s = *state;
	static const char *const wrong[] = { ON "dnstap-ip: nowhere", ON "dnstap-ip: 127.0.0.1\n dnstap-tls-client-key-file: /key" };

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		AUTO(strbuf_free) struct strbuf *text = strbuf_new(4096), *report = strbuf_new(4096);
		AUTO(conf_free) struct conf *c = NULL;
		struct tap_settings *t = NULL;

		strbuf_printf(text, "dnstap:\n %s\n", wrong[i]);
		assert_true(OK(conf_load_text(strbuf_text(text), "test", report, &c)));
		assert_int_equal(tap_settings_make(c, report, &t).e, ERR_FORMAT);
		assert_non_null(strstr(strbuf_text(report), "error: dnstap-"));
	}
	/* TLS without certificates that can be read: said, and nothing is sent */
	log_set_level(LOG_LEVEL_ERROR);
	set(s, ON "dnstap-ip: 127.0.0.1@9\n dnstap-tls-cert-bundle: /nowhere/at/all.pem");
	assert_true(OK(tap_hub_start(s->hub)));
	put(s, 0, 1, 1);
	assert_int_equal(tap_hub_count(s->hub, TAPS_FAILED), 0);
}

static void places(void **state)
{
	struct scene *s = *state;
	AUTO(plan_unref) struct plan *p = plan_of(s, ON "dnstap-ip: 2001:db8::1\n dnstap-send-identity: yes\n dnstap-send-version: yes\n dnstap-sample-rate: 3");
	AUTO(plan_unref) struct plan *off = plan_of(s, "dnstap-log-client-query-messages: yes");
	struct tap t = { .settings = p->tap };
	unsigned int wanted = 0;

	assert_int_equal(p->tap->at.port, TAP_PORT);
	assert_true(p->tap->tls && p->tap->bidirectional);
	assert_null(p->tap->path);
	assert_non_null(p->tap->identity);
	assert_string_equal(p->tap->version, "cairn 0.1.0");
	assert_int_equal(off->tap->wanted, 0);
	for (unsigned int i = 0; i < 30; i++)
		wanted += tap_wants(&t, TAP_CLIENT_QUERY);
	assert_int_equal(wanted, 10);
	assert_false(tap_wants(&t, TAP_CLIENT_RESPONSE));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_put_arrives),
		CASE(what_waits_is_sent_at_the_end),
		CASE(a_reader_that_goes_is_found_again),
		CASE(a_reader_that_does_not_read_holds_nobody_up),
		CASE(nobody_is_there),
		CASE(another_place),
		CASE(what_is_wrong_is_said),
		CASE(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
