/* A fetcher over a link: both ends on one loop, a scripted fetcher behind the far one; and a far end that is not ours and says what it likes. */
#include "tests/unit/net/net_test.h"

#include <sys/socket.h>

#include "rpki/process/fetch_service.h"
#include "rpki/process/fetch_wire.h"
#include "rpki/process/fetcher_link.h"
#include "rpki/process/link.h"

LOOP_HANDLE_IMPL(user)

/* ------------------------------------------------------------------------------------------------------ a scripted fetcher */

#define ASKED_MAX 8u

struct asked {
	bool rsync, paused, cancelled, open;
	char uri[200], etag[100], modified[100];
	uint64_t max_octets;
	uint32_t deadline_ms, connect_ms;
	uint8_t folder[FETCH_FOLDER];
	struct fetch_events ev;
};
struct script {
	struct fetcher fetcher;
	struct asked asked[ASKED_MAX];
	size_t n;
	enum err refuse;
};

static struct script far;

static RESULT far_begin(const struct fetch_events *ev, fetch_h *ret)
{
	if (far.refuse != ERR_NONE)
		return FAIL(far.refuse);
	assert_true(far.n < ASKED_MAX);
	far.asked[far.n].ev = *ev;
	far.asked[far.n].open = true;
	*ret = (fetch_h){ ++far.n };
	return DONE;
}

static RESULT far_get(struct fetcher *f, const struct fetch_get *q, const struct fetch_events *ev, fetch_h *ret)
{
	struct asked *a = &far.asked[far.n];

	(void)f;
	(void)snprintf(a->uri, sizeof a->uri, "%s", q->uri);
	(void)snprintf(a->etag, sizeof a->etag, "%s", q->etag);
	(void)snprintf(a->modified, sizeof a->modified, "%s", q->modified);
	a->max_octets = q->max_octets;
	a->deadline_ms = q->deadline_ms;
	a->connect_ms = q->connect_ms;
	return far_begin(ev, ret);
}

static RESULT far_rsync(struct fetcher *f, const struct fetch_rsync *q, const struct fetch_events *ev, fetch_h *ret)
{
	struct asked *a = &far.asked[far.n];

	(void)f;
	a->rsync = true;
	(void)snprintf(a->uri, sizeof a->uri, "%s", q->uri);
	memcpy(a->folder, q->folder, FETCH_FOLDER);
	a->connect_ms = q->connect_ms;
	return far_begin(ev, ret);
}

static void far_pause(struct fetcher *f, fetch_h h, bool paused)
{
	(void)f;
	if (h.v > 0)
		far.asked[h.v - 1].paused = paused;
}

static void far_cancel(struct fetcher *f, fetch_h h)
{
	(void)f;
	if (h.v == 0)
		return;
	far.asked[h.v - 1].cancelled = true;
	far.asked[h.v - 1].open = false;
}

static struct fetch_counts far_counts(const struct fetcher *f)
{
	(void)f;
	return (struct fetch_counts){ .gets = far.n, .waited = 12 };
}

static const struct fetcher_ops far_ops = { .get = far_get, .rsync = far_rsync, .pause = far_pause, .cancel = far_cancel, .counts = far_counts };

/* Whose fetch this is, as long as the service stands. */
static void *taker(struct loop *l, const struct asked *a)
{
	void *object = loop_slot_get(l, a->ev.type, a->ev.who);

	assert_non_null(object);
	return object;
}

static void far_head(struct loop *l, size_t i, unsigned int status)
{
	const struct fetch_head h = { .status = status, .etag = "\"t\"", .modified = "then" };

	far.asked[i].ev.head(l, taker(l, &far.asked[i]), (fetch_h){ i + 1 }, &h);
}

static void far_body(struct loop *l, size_t i, struct span s)
{
	far.asked[i].ev.body(l, taker(l, &far.asked[i]), (fetch_h){ i + 1 }, s);
}

static void far_end(struct loop *l, size_t i, enum err e, const char *why)
{
	const struct fetch_end end = { .e = e, .why = why, .octets = 3 };

	far.asked[i].open = false;
	far.asked[i].ev.ended(l, taker(l, &far.asked[i]), (fetch_h){ i + 1 }, &end);
}

/* ---------------------------------------------------------------------------------------------------------------- the near */

struct heard {
	unsigned int heads, ended, service_ended;
	unsigned int status;
	char etag[100], modified[100], why[100];
	size_t octets;
	uint8_t sum;
	enum err e;
	uint64_t said_octets;
	fetch_h last;
};

static struct heard heard;
static struct fetcher *near;
static struct fetch_service *service;

static void on_head(struct loop *l, void *object, fetch_h f, const struct fetch_head *h)
{
	(void)l, (void)object;
	heard.heads++;
	heard.status = h->status;
	heard.last = f;
	(void)snprintf(heard.etag, sizeof heard.etag, "%s", h->etag);
	(void)snprintf(heard.modified, sizeof heard.modified, "%s", h->modified);
}

static void on_body(struct loop *l, void *object, fetch_h f, struct span s)
{
	(void)l, (void)object, (void)f;
	heard.octets += s.n;
	for (size_t i = 0; i < s.n; i++)
		heard.sum = (uint8_t)(heard.sum * 3 + s.p[i]);
}

static void on_ended(struct loop *l, void *object, fetch_h f, const struct fetch_end *e)
{
	(void)l, (void)object;
	heard.ended++;
	heard.e = e->e;
	heard.last = f;
	heard.said_octets = e->octets;
	(void)snprintf(heard.why, sizeof heard.why, "%s", e->why);
}

static void on_service_ended(struct loop *l, void *object, enum err e)
{
	(void)l, (void)object, (void)e;
	heard.service_ended++;
}

static struct fetch_events events(struct user *u)
{
	return (struct fetch_events){ .type = &user_loop_type, .who = u->self.v, .head = on_head, .body = on_body, .ended = on_ended };
}

/* One process in place of both, with the link between. */
static void attach(struct user *u, enum fetch_way way)
{
	const struct fetch_service_events ev = { .type = &user_loop_type, .who = u->self.v, .ended = on_service_ended };
	int fds[2];

	assert_true(OK(link_pair(fds)));
	assert_true(OK(fetch_service_new(u->loop, &far.fetcher, fds[0], &ev, &service)));
	assert_true(OK(fetcher_link_attach(near, way, fds[1])));
}

static void begin(struct user *u)
{
	const bool has[FETCH_WAYS] = { true, true };

	heard = (struct heard){ 0 };
	far = (struct script){ .fetcher = { .ops = &far_ops, .loop = u->loop } };
	near = fetcher_link_new(u->loop, has);
	assert_non_null(near);
}

static void finish(struct user *u)
{
	fetcher_free(near);
	near = NULL;
	loop_turn(u->loop, false);
	fetch_service_free(service);
	service = NULL;
	loop_turn(u->loop, false);
}

static fetch_h get(struct user *u, uint64_t max)
{
	const struct fetch_get q = { .uri = "https://h.example/notification.xml", .etag = "\"e\"", .modified = "Mon", .max_octets = max, .deadline_ms = 77, .connect_ms = max == 200000 ? 4000 : 0 };
	const struct fetch_events ev = events(u);
	fetch_h h;

	assert_true(OK(fetcher_get(near, &q, &ev, &h)));
	assert_true(h.v != 0);
	return h;
}

/* ------------------------------------------------------------------------------------------------------------------- cases */

static void a_get_goes_over_and_its_events_come_back(void **state)
{
	struct user *u = (struct user *)*state;
	static uint8_t octets[100000];
	uint8_t sum = 0;
	fetch_h h;

	begin(u);
	attach(u, FETCH_BY_HTTPS);
	h = get(u, 200000);
	RUN_UNTIL(u, far.n == 1);
	assert_string_equal(far.asked[0].uri, "https://h.example/notification.xml");
	assert_string_equal(far.asked[0].etag, "\"e\"");
	assert_string_equal(far.asked[0].modified, "Mon");
	assert_int_equal(far.asked[0].max_octets, 200000);
	assert_int_equal(far.asked[0].deadline_ms, 77);
	assert_int_equal(far.asked[0].connect_ms, 4000);
	far_head(u->loop, 0, 200);
	for (size_t i = 0; i < sizeof octets; i++) {
		octets[i] = (uint8_t)(i * 31 >> 3);
		sum = (uint8_t)(sum * 3 + octets[i]);
	}
	far_body(u->loop, 0, span_of(octets, sizeof octets));
	far_end(u->loop, 0, ERR_NONE, "");
	RUN_UNTIL(u, heard.ended == 1);
	assert_int_equal(heard.heads, 1);
	assert_int_equal(heard.status, 200);
	assert_string_equal(heard.etag, "\"t\"");
	assert_string_equal(heard.modified, "then");
	assert_int_equal(heard.octets, sizeof octets);
	assert_int_equal(heard.sum, sum);
	assert_int_equal(heard.e, ERR_NONE);
	assert_int_equal(heard.said_octets, sizeof octets);
	assert_int_equal(heard.last.v, h.v);
	assert_int_equal(fetcher_counts(near).gets, 1);
	assert_int_equal(fetcher_counts(near).waited, 12);
	finish(u);
}

static void rsync_goes_over(void **state)
{
	struct user *u = (struct user *)*state;
	const struct fetch_rsync q = { .uri = "rsync://h.example/m/", .folder = "0123456789abcde", .connect_ms = 3000 };
	const struct fetch_events ev = events(u);
	fetch_h h;

	begin(u);
	attach(u, FETCH_BY_RSYNC);
	assert_true(OK(fetcher_rsync(near, &q, &ev, &h)));
	RUN_UNTIL(u, far.n == 1);
	assert_true(far.asked[0].rsync);
	assert_int_equal(far.asked[0].connect_ms, 3000);
	assert_string_equal(far.asked[0].uri, q.uri);
	assert_memory_equal(far.asked[0].folder, q.folder, FETCH_FOLDER);
	far_end(u->loop, 0, ERR_SYSTEM, "rsync ended with 5");
	RUN_UNTIL(u, heard.ended == 1);
	assert_int_equal(heard.e, ERR_SYSTEM);
	assert_string_equal(heard.why, "rsync ended with 5");
	assert_int_equal(heard.said_octets, 3);
	finish(u);
}

static void a_refusal_is_an_end(void **state)
{
	struct user *u = (struct user *)*state;

	begin(u);
	attach(u, FETCH_BY_HTTPS);
	far.refuse = ERR_NOMEM;
	(void)get(u, 10);
	RUN_UNTIL(u, heard.ended == 1);
	assert_int_equal(heard.e, ERR_NOMEM);
	finish(u);
}

static void cancel_and_pause_go_over(void **state)
{
	struct user *u = (struct user *)*state;
	fetch_h h;

	begin(u);
	attach(u, FETCH_BY_HTTPS);
	h = get(u, 10);
	RUN_UNTIL(u, far.n == 1);
	fetcher_pause(near, h, true);
	RUN_UNTIL(u, far.asked[0].paused);
	fetcher_pause(near, h, false);
	RUN_UNTIL(u, !far.asked[0].paused);
	fetcher_cancel(near, h);
	fetcher_cancel(near, h);
	RUN_UNTIL(u, far.asked[0].cancelled);
	assert_int_equal(heard.ended, 0);
	finish(u);
}

/* An event that was on its way when its fetch was cancelled hurts nobody. */
static void late_events_are_dropped(void **state)
{
	struct user *u = (struct user *)*state;
	fetch_h h;

	begin(u);
	attach(u, FETCH_BY_HTTPS);
	h = get(u, 10);
	RUN_UNTIL(u, far.n == 1);
	far_head(u->loop, 0, 200);
	far_body(u->loop, 0, span_text("abc"));
	far_end(u->loop, 0, ERR_NONE, "");
	fetcher_cancel(near, h);
	(void)get(u, 10);
	RUN_UNTIL(u, far.n == 2);
	far_end(u->loop, 1, ERR_REFUSED, "no");
	RUN_UNTIL(u, heard.ended == 1);
	assert_int_equal(heard.e, ERR_REFUSED);
	assert_int_equal(heard.heads, 0);
	finish(u);
}

/* A reader that does not keep up makes the far end rest, and go on when it does. */
static void transfers_rest_while_the_near_end_does_not_read(void **state)
{
	struct user *u = (struct user *)*state;
	static uint8_t piece[LINK_BODY_MAX];
	size_t sent = 0;

	begin(u);
	attach(u, FETCH_BY_HTTPS);
	(void)get(u, (uint64_t)1 << 30);
	RUN_UNTIL(u, far.n == 1);
	far_head(u->loop, 0, 200);
	while (!far.asked[0].paused) { /* no turn of the loop in between */
		assert_true(sent < (64u << 20));
		far_body(u->loop, 0, span_of(piece, sizeof piece));
		sent += sizeof piece;
	}
	assert_true(sent >= LINK_UNSENT_HIGH);
	RUN_UNTIL(u, !far.asked[0].paused);
	RUN_UNTIL(u, heard.octets == sent);
	finish(u);
}

static void what_had_no_answer_is_asked_again_of_the_next_process(void **state)
{
	struct user *u = (struct user *)*state;

	begin(u);
	attach(u, FETCH_BY_HTTPS);
	(void)get(u, 10);
	RUN_UNTIL(u, far.n == 1);
	fetch_service_free(service); /* the process dies */
	service = NULL;
	for (unsigned int i = 0; i < 5; i++)
		loop_turn(u->loop, false);
	assert_int_equal(heard.ended, 0);
	attach(u, FETCH_BY_HTTPS);
	RUN_UNTIL(u, far.n == 2);
	assert_string_equal(far.asked[1].uri, "https://h.example/notification.xml");
	fetch_service_free(service); /* and once more: that is enough */
	service = NULL;
	RUN_UNTIL(u, heard.ended == 1);
	assert_int_equal(heard.e, ERR_CLOSED);
	finish(u);
}

static void what_was_being_answered_ends_with_its_process(void **state)
{
	struct user *u = (struct user *)*state;

	begin(u);
	attach(u, FETCH_BY_HTTPS);
	(void)get(u, 10);
	RUN_UNTIL(u, far.n == 1);
	far_head(u->loop, 0, 200);
	RUN_UNTIL(u, heard.heads == 1);
	fetch_service_free(service);
	service = NULL;
	RUN_UNTIL(u, heard.ended == 1);
	assert_int_equal(heard.e, ERR_CLOSED);
	finish(u);
}

static void a_request_waits_for_a_process(void **state)
{
	struct user *u = (struct user *)*state;
	fetch_h h;

	begin(u);
	h = get(u, 10);
	fetcher_pause(near, h, true);
	loop_turn(u->loop, false);
	attach(u, FETCH_BY_HTTPS);
	RUN_UNTIL(u, far.n == 1 && far.asked[0].paused);
	finish(u);
}

static void a_way_that_there_is_not(void **state)
{
	struct user *u = (struct user *)*state;
	const bool has[FETCH_WAYS] = { true, false };
	const struct fetch_rsync q = { .uri = "rsync://h.example/m/" };
	const struct fetch_events ev = events(u);
	fetch_h h;

	begin(u);
	fetcher_free(near);
	near = fetcher_link_new(u->loop, has);
	assert_non_null(near);
	assert_int_equal(fetcher_rsync(near, &q, &ev, &h).e, ERR_CLOSED);
	finish(u);
}

/* --- a far end that is not ours */

struct bad {
	uint32_t type;
	const char *body;
	size_t n;
	bool head_first;
};

static void send_raw(int fd, uint32_t type, uint64_t id, const void *rest, size_t n)
{
	uint8_t room[1000];
	struct writer w = writer_of(room, sizeof room);

	write32(&w, type);
	write64(&w, id);
	write_octets(&w, rest, n);
	assert_int_equal(send(fd, room, writer_done(&w).n, MSG_NOSIGNAL), (ssize_t)writer_done(&w).n);
}

static void ends_the_link(struct user *u, const struct bad *b)
{
	fetch_h h;
	int fds[2];

	begin(u);
	assert_true(OK(link_pair(fds)));
	assert_true(OK(fetcher_link_attach(near, FETCH_BY_HTTPS, fds[0])));
	h = get(u, 4);
	if (b->head_first)
		send_raw(fds[1], FETCH_HEAD, h.v, "\0\0\0\310\0\0\0\0", 8);
	send_raw(fds[1], b->type, h.v, b->body, b->n);
	if (!b->head_first) { /* it waits for another process: one ends it */
		for (unsigned int i = 0; i < 5; i++)
			loop_turn(u->loop, false);
		assert_int_equal(heard.ended, 0);
		(void)close(fds[1]);
		assert_true(OK(link_pair(fds)));
		assert_true(OK(fetcher_link_attach(near, FETCH_BY_HTTPS, fds[0])));
		send_raw(fds[1], b->type, h.v, b->body, b->n);
	}
	RUN_UNTIL(u, heard.ended == 1);
	assert_int_equal(heard.e, ERR_CLOSED);
	(void)close(fds[1]);
	finish(u);
}

static void what_the_far_end_may_not_say_ends_the_link(void **state)
{
	struct user *u = (struct user *)*state;
	static const struct bad bad[] = {
		{ FETCH_GET, "", 0, false },
		{ 99, "", 0, false },
		{ FETCH_HEAD, "\0\0\0\310", 4, false },                   /* no tags */
		{ FETCH_HEAD, "\0\0\0\310\0\1a\0\0x", 10, false },        /* more than there is */
		{ FETCH_HEAD, "\0\0\0\310\0\1\0\0\0", 9, false },         /* a NUL in a text */
		{ FETCH_HEAD, "\0\0\4\0\0\0\0\0", 8, false },             /* status 1024 */
		{ FETCH_HEAD, "\0\0\0\310\0\0\0\0", 8, true },            /* twice */
		{ FETCH_BODY, "abc", 3, false },                          /* before the head */
		{ FETCH_BODY, "abcde", 5, true },                         /* more than was asked for */
		{ FETCH_ENDED, "\0\0\0\0\0\0\0\0\0\0\0", 11, false },     /* well, without a head */
		{ FETCH_ENDED, "\0\0\0\0\0\0\0\0\143\0\0", 11, true },    /* no such error */
		{ FETCH_ENDED, "\0\0\0\0\0\0\0\0\2\0\5no", 13, true },    /* shorter than it says */
		{ FETCH_COUNTS, "", 0, true },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ends_the_link(u, &bad[i]);
}

static void an_engine_that_says_nonsense_is_left(void **state)
{
	struct user *u = (struct user *)*state;
	const struct fetch_service_events ev = { .type = &user_loop_type, .who = u->self.v, .ended = on_service_ended };
	static const struct bad bad[] = { { FETCH_GET, "\0", 1, false }, { FETCH_HEAD, "", 0, false }, { FETCH_RSYNC, "abcd", 4, false }, { FETCH_PAUSE, "", 0, true } };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int fds[2];

		begin(u);
		assert_true(OK(link_pair(fds)));
		assert_true(OK(fetch_service_new(u->loop, &far.fetcher, fds[0], &ev, &service)));
		if (bad[i].head_first)
			send_raw(fds[1], FETCH_GET, 5, "\0\0\0\0\0\0\0\1\0\0\0\0\0\1x\0\0\0\0", 19);
		send_raw(fds[1], bad[i].type, 5, bad[i].body, bad[i].n);
		RUN_UNTIL(u, heard.service_ended == 1);
		assert_int_equal(far.n > 0 && far.asked[0].open, 0); /* what was under way is cancelled */
		(void)close(fds[1]);
		finish(u);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, user_start, user_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_get_goes_over_and_its_events_come_back),
		CASE(rsync_goes_over),
		CASE(a_refusal_is_an_end),
		CASE(cancel_and_pause_go_over),
		CASE(late_events_are_dropped),
		CASE(transfers_rest_while_the_near_end_does_not_read),
		CASE(what_had_no_answer_is_asked_again_of_the_next_process),
		CASE(what_was_being_answered_ends_with_its_process),
		CASE(a_request_waits_for_a_process),
		CASE(a_way_that_there_is_not),
		CASE(what_the_far_end_may_not_say_ends_the_link),
		CASE(an_engine_that_says_nonsense_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
