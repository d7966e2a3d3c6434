/* The control socket: its line, its connections, its verbs, and what is asked of the monitor. */
#include "base/strbuf.h"
#include "rpki/process/operator_verbs.h"
#include "rpki/serve/rtr_server.h"
#include "rpki/serve/status.h"
#include "tests/unit/net/net_test.h"
#include "tests/unit/rpki/stream_client.h"
#include "tests/unit/top.h"

LOOP_HANDLE_IMPL(user)
LOOP_HANDLE(rig)
LOOP_HANDLE_IMPL(rig)

struct rig {
	struct stream_client client; /* first */
	struct user *u;
	rig_h self;
	struct rtr_feed *feed;
	struct rtr_server *rtr;
	struct operator_server *server;
	struct strbuf *status;
	struct operator_message wished;
	bool deaf; /* the monitor cannot be told */
	bool later; /* nobody answers for now */
	operator_ask_h ask;
};

static struct rig rig;

/* --------------------------------------------------------------------------------------------------------------------- lines */

static struct result read_line(const char *text, struct operator_line *ret)
{
	const char *expected = NULL;
	struct result r = operator_line_read(span_text(text), ret, &expected);

	assert_non_null(expected);
	return r;
}

static void a_line_is_words(void **state)
{
	struct operator_line x;
	char longest[OPERATOR_LINE_MAX + 2];

	(void)state;
	assert_true(OK(read_line("UBCT1 status", &x)));
	assert_true(x.words == 1 && !x.json);
	assert_string_equal(x.word[0], "status");
	assert_true(OK(read_line("UBCT1  --json   verbosity 3 ", &x)));
	assert_true(x.words == 2 && x.json);
	assert_string_equal(x.word[1], "3");
	assert_true(OK(read_line("UBCT1 a b c d e f g h", &x)));
	assert_int_equal(x.words, OPERATOR_WORDS);
	assert_int_equal(read_line("UBCT1 a b c d e f g h i", &x).e, ERR_FORMAT);
	assert_int_equal(read_line("UBCT1 ", &x).e, ERR_FORMAT);
	assert_int_equal(read_line("UBCT1    ", &x).e, ERR_FORMAT);
	assert_int_equal(read_line("UBCT1 --json", &x).e, ERR_FORMAT);
	assert_int_equal(read_line("UBCT1status", &x).e, ERR_FORMAT);
	assert_int_equal(read_line("UBCT2 status", &x).e, ERR_FORMAT);
	assert_int_equal(read_line("", &x).e, ERR_FORMAT);
	assert_int_equal(read_line("UBCT1 sta\x01tus", &x).e, ERR_FORMAT);
	memset(longest, 'x', sizeof longest);
	memcpy(longest, "UBCT1 ", 6);
	longest[OPERATOR_LINE_MAX] = '\0';
	assert_true(OK(read_line(longest, &x)));
	longest[OPERATOR_LINE_MAX] = 'x';
	longest[OPERATOR_LINE_MAX + 1] = '\0';
	assert_int_equal(read_line(longest, &x).e, ERR_FORMAT);
}

static void a_message_is_whole(void **state)
{
	const struct operator_message m = { { 0x123456789abcdef0u }, WISH_VERBOSITY, 5 };
	struct operator_message back;
	uint8_t room[OPERATOR_MESSAGE + 1] = { 0 };
	struct span s = operator_message_write(&m, room);

	(void)state;
	assert_int_equal(s.n, OPERATOR_MESSAGE);
	assert_true(OK(operator_message_read(s, &back)));
	assert_true(back.ask.v == m.ask.v && back.what == WISH_VERBOSITY && back.value == 5);
	assert_false(OK(operator_message_read(span_of(room, OPERATOR_MESSAGE - 1), &back)));
	assert_false(OK(operator_message_read(span_of(room, OPERATOR_MESSAGE + 1), &back)));
	room[8] = WISHES;
	assert_false(OK(operator_message_read(s, &back)));
	room[8] = 0;
	assert_false(OK(operator_message_read(s, &back)));
}

/* ----------------------------------------------------------------------------------------------------------------------- rig */

static struct result wish(const void *ctx, const struct operator_message *m)
{
	struct rig *x = (struct rig *)(uintptr_t)ctx;

	if (x->deaf)
		return FAIL(ERR_CLOSED);
	x->wished = *m;
	return DONE;
}

static struct operator_desk desk(void)
{
	return (struct operator_desk){ .server = rig.server, .rtr = rig.rtr, .status = strbuf_span(rig.status), .now = 1700000100, .version = "9.9", .ctx = &rig, .wish = wish };
}

static void on_asked(struct loop *l, void *object, operator_ask_h ask, const struct operator_line *line)
{
	struct operator_desk d = desk();

	(void)l, (void)object;
	rig.ask = ask;
	if (!rig.later)
		operator_do(&d, ask, line);
}

static void begin(struct user *u)
{
	struct rtr_feed_options fo = { .timers = { 3600, 600, 7200 }, .history = { 4, 1 << 20 } };
	struct rtr_server_options so = RTR_SERVER_USUAL;
	struct rtr_state ids = { { 1, 2, 3 }, 7 };
	struct operator_events ev = { .type = &rig_loop_type, .asked = on_asked };
	struct listen_options lo = { .dscp = -1, .path = path("ctl") };

	memset(&rig, 0, sizeof rig);
	rig.u = u;
	rig.self = rig_enlist(u->loop, &rig);
	ev.who = rig.self.v;
	rig.feed = rtr_feed_new(&fo, &ids);
	rig.rtr = rtr_server_new(u->host, rig.feed, &so);
	rig.status = strbuf_new(1 << 20);
	rig.server = operator_server_new(u->host, &ev);
	assert_non_null(rig.server);
	assert_true(OK(operator_server_listen(rig.server, &lo)));
}

static void finish(void)
{
	host_stream_close(rig.u->host, rig.client.stream);
	operator_server_free(rig.server);
	rtr_server_free(rig.rtr);
	rtr_feed_free(rig.feed);
	strbuf_free(rig.status);
	rig_retire(rig.u->loop, rig.self);
	loop_turn(rig.u->loop, false);
}

static void connect_client(void)
{
	struct exchange_options o = { .path = path("ctl") };

	stream_client_open(rig.u->host, &rig.client, &o, &rig_loop_type, rig.self.v);
}

static void say(const char *text)
{
	connect_client();
	assert_true(OK(host_stream_write(rig.u->host, rig.client.stream, span_text(text))));
}

/* The whole answer. */
static const char *answer_to(const char *text)
{
	say(text);
	RUN_UNTIL(rig.u, rig.client.closed);
	return rig.client.heard;
}

static void facts(void)
{
	struct status *s = status_new();
	struct status_anchor *a = status_add_anchor(s, "ripe");
	struct status_repository *r = status_add_repository(s, "https://r.example/notification.xml");

	a->usable = true;
	a->objects.points = 9;
	a->payloads[STATUS_V4].unsafe = 6;
	s->run_done = s->table_time = 1700000042;
	s->remembered = 7;
	s->validated = 2;
	s->objects_stored = 4711;
	s->log = status_text(s, "[WARN] repository r.example: gone\n");
	r->outcome = STATUS_FAILED;
	r->why = status_text(s, "gone");
	r->failures = 4;
	r->patience_ms = 2500;
	strbuf_clear(rig.status);
	assert_true(OK(status_encode(s, rig.status)));
	status_free(s);
}

/* --------------------------------------------------------------------------------------------------------------------- tests */

static void facts_are_shown(void **state)
{
	begin((struct user *)*state);
	assert_string_equal(answer_to("UBCT1 status\n"), "error no run has ended yet\n");
	assert_string_equal(answer_to("UBCT1 --json log\r\n"), "{\"error\":\"no run has ended yet\"}\n");
	facts();
	(void)answer_to("UBCT1 status\n");
	assert_true(memcmp(rig.client.heard, "cairn-rpki 9.9, 0 routers are connected\nlast run: ", 50) == 0);
	assert_non_null(strstr(rig.client.heard, "publication points: 7 unchanged, 2 validated; store: 4711 objects, 0 KiB\n"));
	assert_non_null(strstr(rig.client.heard, "table: 58 s old"));
	assert_non_null(strstr(rig.client.heard, ", 6 VRPs unsafe\n"));
	assert_non_null(strstr(rig.client.heard, ": failed: gone; failed in 4 runs in a row, so only 2.5 s were waited for an answer\n"));
	assert_non_null(strstr(answer_to("UBCT1 --json status\n"), "\"remembered\":7,\"validated\":2,\"limits\":0,\"objectsStored\":4711,"));
	assert_string_equal(answer_to("UBCT1 log\n"), "[WARN] repository r.example: gone\n");
	assert_string_equal(answer_to("UBCT1 routers\n"), "no router is connected\n");
	assert_string_equal(answer_to("UBCT1 --json routers\n"), "[]\n");
	finish();
}

static void nonsense_is_refused(void **state)
{
	begin((struct user *)*state);
	assert_string_equal(answer_to("UBCT1 fly\n"), "error unknown command 'fly'; there are status, log, routers, run, reload, stop and verbosity\n");
	assert_string_equal(answer_to("UBCT1 verbosity\n"), "error found 1 words, expected: verbosity N\n");
	assert_string_equal(answer_to("UBCT1 verbosity 6\n"), "error found \"6\", expected a number from 0 to 5\n");
	assert_string_equal(answer_to("UBCT1 verbosity 33\n"), "error found \"33\", expected a number from 0 to 5\n");
	assert_string_equal(answer_to("UBCT1 run away\n"), "error found 2 words, expected: run\n");
	assert_true(memcmp(answer_to("GET / HTTP/1.1\n"), "error expected a line that begins with UBCT1", 44) == 0);
	assert_int_equal(rig.wished.what, 0);
	assert_int_equal(operator_server_counts(rig.server).malformed, 1);
	finish();
}

/* What the monitor is asked for, and what it says to it. */
static void grant(const char *line, enum operator_wish what, uint8_t good)
{
	struct operator_desk d;

	rig.wished.what = 0;
	say(line);
	RUN_UNTIL(rig.u, rig.wished.what != 0);
	assert_int_equal(rig.wished.what, what);
	assert_false(rig.client.closed);
	rig.wished.value = good;
	d = desk();
	operator_granted(&d, &rig.wished);
	RUN_UNTIL(rig.u, rig.client.closed);
}

static void the_monitor_is_asked(void **state)
{
	begin((struct user *)*state);
	grant("UBCT1 run\n", WISH_RUN, 1);
	assert_string_equal(rig.client.heard, "ok\n");
	grant("UBCT1 run\n", WISH_RUN, 0);
	assert_string_equal(rig.client.heard, "error the engine does not run just now: a run begins when it is started again\n");
	grant("UBCT1 reload\n", WISH_RELOAD, 0);
	assert_string_equal(rig.client.heard, "error the configuration cannot be used (the log says why): the one read before stays in force\n");
	grant("UBCT1 verbosity 4\n", WISH_VERBOSITY, 1);
	assert_string_equal(rig.client.heard, "ok\n");
	rig.wished.what = 0;
	assert_string_equal(answer_to("UBCT1 stop\n"), "ok\n"); /* nobody will be there to say so */
	assert_int_equal(rig.wished.what, WISH_STOP);
	rig.deaf = true;
	assert_string_equal(answer_to("UBCT1 run\n"), "error the monitor cannot be told\n");
	finish();
}

static void a_question_may_come_in_pieces(void **state)
{
	begin((struct user *)*state);
	facts();
	connect_client();
	for (const char *p = "UBCT1 log\n"; *p != '\0'; p++) {
		assert_true(OK(host_stream_write(rig.u->host, rig.client.stream, span_of(p, 1))));
		loop_turn(rig.u->loop, false);
	}
	RUN_UNTIL(rig.u, rig.client.closed);
	assert_string_equal(rig.client.heard, "[WARN] repository r.example: gone\n");
	finish();
}

/* Longer than what a stream takes at once. */
static void a_long_answer_leaves_in_pieces(void **state)
{
	struct strbuf *b = strbuf_new(1 << 17);
	struct strbuf *second = strbuf_new(10);

	begin((struct user *)*state);
	rig.later = true;
	say("UBCT1 status\nand more\n");
	RUN_UNTIL(rig.u, rig.ask.v != 0);
	for (unsigned int i = 0; i < 100000; i++)
		strbuf_putc(b, 'x');
	operator_answer(rig.server, rig.ask, b);
	strbuf_puts(second, "again");
	operator_answer(rig.server, rig.ask, second); /* one is all */
	RUN_UNTIL(rig.u, rig.client.closed);
	assert_int_equal(rig.client.n, 100000);
	operator_refuse(rig.server, rig.ask, "%s", "it has gone"); /* stale */
	finish();
}

static void too_long_a_line_is_closed(void **state)
{
	char text[OPERATOR_LINE_MAX + 10];

	begin((struct user *)*state);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_string_equal(answer_to(text), "");
	assert_int_equal(operator_server_counts(rig.server).malformed, 1);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_words),
		cmocka_unit_test(a_message_is_whole),
		cmocka_unit_test_setup_teardown(facts_are_shown, user_start, user_end),
		cmocka_unit_test_setup_teardown(nonsense_is_refused, user_start, user_end),
		cmocka_unit_test_setup_teardown(the_monitor_is_asked, user_start, user_end),
		cmocka_unit_test_setup_teardown(a_question_may_come_in_pieces, user_start, user_end),
		cmocka_unit_test_setup_teardown(a_long_answer_leaves_in_pieces, user_start, user_end),
		cmocka_unit_test_setup_teardown(too_long_a_line_is_closed, user_start, user_end),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
