#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

static char path[64], moved[80];
static char to_syslog[4096]; /* what went there */

static void note_syslog(int priority, const char *format, va_list ap) PRINTF_LIKE(2, 0);
static void note_syslog(int priority, const char *format, va_list ap)
{
	size_t n = strlen(to_syslog);

	(void)snprintf(to_syslog + n, sizeof(to_syslog) - n, "<%d>", priority);
	n = strlen(to_syslog);
	(void)vsnprintf(to_syslog + n, sizeof(to_syslog) - n, format, ap);
}

/* In the place of the C library's, which has two names for it. */
void syslog(int priority, const char *format, ...) PRINTF_LIKE(2, 3);
void syslog(int priority, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	note_syslog(priority, format, ap);
	va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *format, ...) PRINTF_LIKE(3, 4);
void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, format);
	note_syslog(priority, format, ap);
	va_end(ap);
}

static int make_path(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/cairn-test-log.XXXXXX");
	fd = mkstemp(path);
	close(fd);
	snprintf(moved, sizeof(moved), "%s.1", path);
	return fd < 0 ? -1 : 0;
}

static int drop_path(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved);
	return 0;
}

static void to_file(bool json, enum log_level level)
{
	const struct log_config c = { .ident = "tester", .file = path, .json = json, .level = level };

	assert_int_equal(truncate(path, 0), 0);
	assert_ok(log_setup(&c));
}

static char *content(const char *of) OWNED_BY(mem_free);
static char *content(const char *of)
{
	char *text = NULL;
	size_t n;

	assert_ok(file_read_all(of, 10000000, &text, &n));
	return text;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (const char *p = strstr(text, what); p != NULL; p = strstr(p + 1, what))
		n++;
	return n;
}

static void a_line_has_time_name_level_and_message(void **state)
{
	AUTO_CHARS char *text = NULL;
	char want[100];

	(void)state;
	to_file(false, LOG_LEVEL_INFO);
	errno = EXDEV;
	log_warn("hello %d", 5);
	assert_int_equal(errno, EXDEV);
	text = content(path);
	snprintf(want, sizeof(want), " tester[%ld] warning: hello 5\n", (long)getpid());
	assert_non_null(strstr(text, want));
	assert_int_equal(text[23], 'Z');
	assert_int_equal(text[10], 'T');
	assert_int_equal(count(text, "\n"), 1);
}

static size_t time_as(enum log_time how, time_t t, char want[64])
{
	struct tm tm;

	assert_non_null(gmtime_r(&t, &tm));
	if (how == LOG_TIME_SECONDS)
		return (size_t)snprintf(want, 64, "[%lld] tester[", (long long)t);
	return how == LOG_TIME_TEXT ? strftime(want, 64, "%b %d %H:%M:%S tester[", &tm) : strftime(want, 64, "%Y-%m-%dT%H:%M:%S.", &tm);
}

static void times_have_three_forms(void **state)
{
	(void)state;
	for (enum log_time how = LOG_TIME_ISO; how <= LOG_TIME_SECONDS; how++) {
		const struct log_config c = { .ident = "tester", .file = path, .time = how, .level = LOG_LEVEL_INFO };
		time_t before = (time_t)clock_read().wall_sec, after;
		AUTO_CHARS char *text = NULL;
		bool found = false;

		assert_int_equal(truncate(path, 0), 0);
		assert_ok(log_setup(&c));
		log_info("hello");
		after = (time_t)clock_read().wall_sec;
		text = content(path);
		for (time_t t = before; t <= after; t++) {
			char want[64];
			size_t n = time_as(how, t, want);

			found |= strncmp(text, want, n) == 0;
		}
		assert_true(found);
	}
}

static void json_has_one_form_of_time(void **state)
{
	const struct log_config c = { .ident = "tester", .file = path, .json = true, .time = LOG_TIME_SECONDS, .level = LOG_LEVEL_INFO };
	AUTO_CHARS char *text = NULL;

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	assert_ok(log_setup(&c));
	log_info("hello");
	text = content(path);
	assert_int_equal(text[9 + 10], 'T');
	assert_int_equal(text[9 + 23], 'Z');
}

static void *log_own_thread(void *p)
{
	*(long *)p = (long)gettid();
	log_info("from a thread");
	return NULL;
}

static void a_thread_tells_its_number(void **state)
{
	struct log_config c = { .ident = "tester", .file = path, .thread_id = true, .level = LOG_LEVEL_INFO };
	char want[100];

	(void)state;
	for (int json = 0; json < 2; json++) {
		AUTO_CHARS char *text = NULL;
		pthread_t t;
		long tid = 0;

		c.json = json != 0;
		assert_int_equal(truncate(path, 0), 0);
		assert_ok(log_setup(&c));
		assert_int_equal(pthread_create(&t, NULL, log_own_thread, &tid), 0);
		pthread_join(t, NULL);
		assert_true(tid != (long)getpid());
		text = content(path);
		snprintf(want, sizeof(want), json ? "\"pid\":%ld,\"tid\":%ld,\"ident\":\"tester\"" : " tester[%ld:%ld] info: from a thread\n", (long)getpid(), tid);
		assert_non_null(strstr(text, want));
	}
}

static void a_tag_stands_for_the_level(void **state)
{
	AUTO_CHARS char *text = NULL;

	(void)state;
	to_file(false, LOG_LEVEL_NOTICE);
	log_tagged(LOG_LEVEL_NOTICE, "query", "one %d", 1);
	log_tagged(LOG_LEVEL_NOTICE, NULL, "two");
	log_tagged(LOG_LEVEL_INFO, "query", "not wanted");
	text = content(path);
	assert_int_equal(count(text, "] query: one 1\n"), 1);
	assert_int_equal(count(text, "] notice: two\n"), 1);
	assert_int_equal(count(text, "\n"), 2);
	to_file(true, LOG_LEVEL_NOTICE);
	log_tagged(LOG_LEVEL_NOTICE, "reply", "three");
	mem_free(text);
	text = content(path);
	assert_int_equal(count(text, ",\"level\":\"reply\","), 1);
}

static void syslog_gets_what_it_does_not_know(void **state)
{
	struct log_config c = { .ident = "tester", .syslog = true, .time = LOG_TIME_SECONDS, .level = LOG_LEVEL_INFO };
	char want[100];

	(void)state;
	to_syslog[0] = '\0';
	assert_ok(log_setup(&c));
	log_info("one");
	log_tagged(LOG_LEVEL_NOTICE, "query", "two");
	assert_string_equal(to_syslog, "<6>one<5>query: two");
	to_syslog[0] = '\0';
	c.thread_id = true;
	assert_ok(log_setup(&c));
	log_warn("three");
	snprintf(want, sizeof(want), "<4>[%ld:%ld] three", (long)getpid(), (long)gettid());
	assert_string_equal(to_syslog, want);
	to_syslog[0] = '\0';
	c.json = true;
	assert_ok(log_setup(&c));
	log_warn("four");
	assert_ptr_equal(strstr(to_syslog, "<4>{\"time\":\"2"), to_syslog);
	assert_non_null(strstr(to_syslog, "\"message\":\"four\"}"));
}

static void levels_are_obeyed(void **state)
{
	AUTO_CHARS char *text = NULL;

	(void)state;
	to_file(false, LOG_LEVEL_WARN);
	log_info("no");
	log_error("yes");
	assert_false(log_wants(LOG_LEVEL_NOTICE));
	log_set_level(LOG_LEVEL_TRACE);
	log_msg(LOG_LEVEL_TRACE, "yes");
	text = content(path);
	assert_int_equal(count(text, "yes"), 2);
	assert_int_equal(count(text, "no"), 0);
}

static void no_octet_forges_a_line(void **state)
{
	AUTO_CHARS char *text = NULL;

	(void)state;
	to_file(false, LOG_LEVEL_INFO);
	log_info("%s", "a\nb\r\x1b[0m\xc3\xa9\x7f\\.c");
	text = content(path);
	assert_int_equal(count(text, "\n"), 1);
	assert_non_null(strstr(text, "a\\x0ab\\x0d\\x1b[0m\\xc3\\xa9\\x7f\\.c\n"));
}

static void json_lines_are_json(void **state)
{
	AUTO_CHARS char *text = NULL;

	(void)state;
	to_file(true, LOG_LEVEL_INFO);
	log_info("%s", "say \"hi\"\n\\ \xff");
	text = content(path);
	assert_int_equal(strncmp(text, "{\"time\":\"20", 11), 0);
	assert_non_null(strstr(text, ",\"level\":\"info\","));
	assert_non_null(strstr(text, ",\"ident\":\"tester\","));
	assert_non_null(strstr(text, ",\"message\":\"say \\\"hi\\\"\\u000a\\\\ \\\\xff\"}\n"));
	assert_int_equal(count(text, "\n"), 1);
}

static void long_lines_are_cut_whole(void **state)
{
	static char big[10000];

	(void)state;
	for (int json = 0; json < 2; json++) {
		AUTO_CHARS char *text = NULL;
		size_t n;

		to_file(json != 0, LOG_LEVEL_INFO);
		memset(big, '\x01', sizeof(big) - 1);
		log_info("%s", big);
		text = content(path);
		n = strlen(text);
		assert_in_range(n, 2000, 4096);
		assert_int_equal(text[n - 1], '\n');
		assert_int_equal(count(text, "\n"), 1);
		assert_string_equal(text + n - (json ? 6 : 4), json ? "...\"}\n" : "...\n");
		assert_int_equal(text[n - (json ? 7 : 5)], '1'); /* no half escape */
	}
}

static void reopening_follows_a_moved_file(void **state)
{
	AUTO_CHARS char *old = NULL;
	AUTO_CHARS char *new = NULL;

	(void)state;
	to_file(false, LOG_LEVEL_INFO);
	log_info("first");
	assert_int_equal(rename(path, moved), 0);
	log_info("second");
	assert_ok(log_reopen());
	log_info("third");
	old = content(moved);
	new = content(path);
	assert_int_equal(count(old, "first") + count(old, "second"), 2);
	assert_int_equal(count(old, "third"), 0);
	assert_int_equal(count(new, "third"), 1);
	assert_int_equal(count(new, "\n"), 1);
}

static void a_bad_file_keeps_the_old_one(void **state)
{
	const struct log_config c = { .ident = "x", .file = "/nonexistent/dir/log", .level = LOG_LEVEL_INFO };
	AUTO_CHARS char *text = NULL;

	(void)state;
	to_file(false, LOG_LEVEL_INFO);
	assert_err(log_setup(&c), ERR_SYSTEM);
	log_info("still here");
	text = content(path);
	assert_non_null(strstr(text, "tester"));
	assert_non_null(strstr(text, "still here"));
}

static void going_back_to_standard_error_lets_go_of_the_file(void **state)
{
	const struct log_config c = { .ident = "tester", .level = LOG_LEVEL_INFO };
	int saved = dup(STDERR_FILENO), fd = open(moved, O_RDWR | O_CREAT | O_TRUNC, 0600);
	AUTO_CHARS char *text = NULL;
	AUTO_CHARS char *err = NULL;

	(void)state;
	to_file(false, LOG_LEVEL_INFO);
	dup2(fd, STDERR_FILENO);
	assert_ok(log_setup(&c));
	log_info("on stderr");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	text = content(path);
	err = content(moved);
	assert_string_equal(text, "");
	assert_int_equal(count(err, "on stderr"), 1);
}

static void floods_are_limited_and_told(void **state)
{
	AUTO_CHARS char *text = NULL;
	struct log_limit limit = { 0 };

	(void)state;
	to_file(false, LOG_LEVEL_INFO);
	for (unsigned int i = 0; i < 1000; i++)
		log_limited_(&limit, LOG_LEVEL_INFO, "flood");
	text = content(path);
	assert_in_range(count(text, "info: flood"), 10, 20); /* 20: a second ended meanwhile */
	to_file(false, LOG_LEVEL_INFO);
	limit = (struct log_limit){ .second = 1, .lines = 500, .held = 490 }; /* that second has passed */
	log_limited_(&limit, LOG_LEVEL_INFO, "flood");
	assert_int_equal(limit.held, 0);
	mem_free(text);
	text = content(path);
	assert_int_equal(count(text, "info: 490 lines like the next one were held back\n"), 1);
	assert_int_equal(count(text, "info: flood"), 1);
}

static void *log_many(void *p)
{
	for (unsigned int i = 0; i < 200; i++) {
		log_info("line of %s", (const char *)p);
		if (i % 50 == 0)
			assert_ok(log_reopen());
	}
	return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
	static char names[4][200];
	pthread_t t[4];
	AUTO_CHARS char *text = NULL;

	(void)state;
	to_file(false, LOG_LEVEL_INFO);
	for (int i = 0; i < 4; i++) {
		memset(names[i], 'a' + i, sizeof(names[i]) - 1);
		assert_int_equal(pthread_create(&t[i], NULL, log_many, names[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	text = content(path);
	assert_int_equal(count(text, "\n"), 800);
	for (int i = 0; i < 4; i++) {
		char want[220];

		snprintf(want, sizeof(want), "line of %.199s\n", names[i]);
		assert_int_equal(count(text, want), 200);
	}
}

/* One process writes, another logs: the level comes along, odd octets are escaped only there, and what is no such line is logged as a warning. */
static void lines_of_another_process_are_logged(void **state)
{
	AUTO_CHARS char *text = NULL;
	struct log_config c = { .ident = "child", .relay = true, .level = LOG_LEVEL_INFO };
	char line[200] = "";
	ssize_t n;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	c.relay_fd = p[1];
	assert_ok(log_setup(&c));
	log_notice("one\ntwo");
	n = read(p[0], line, sizeof line);
	assert_int_equal(n, 15);
	assert_memory_equal(line, "2child: one\ntwo", 15);
	to_file(false, LOG_LEVEL_INFO);
	log_relayed(line, (size_t)n);
	log_relayed("xyz", 3);
	log_relayed("6hidden: at this level", 22);
	log_relayed("", 0);
	text = content(path);
	assert_int_equal(count(text, "notice: child: one\\x0atwo\n"), 1);
	assert_int_equal(count(text, "warning: yz\n"), 1);
	assert_int_equal(count(text, "\n"), 2);
	while (write(p[1], line, sizeof line) > 0)
		continue;
	assert_ok(log_setup(&c));
	log_notice("lost, for it would block");
	to_file(false, LOG_LEVEL_INFO);
	(void)close(p[0]);
	(void)close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_name_level_and_message),
		cmocka_unit_test(times_have_three_forms),
		cmocka_unit_test(json_has_one_form_of_time),
		cmocka_unit_test(a_thread_tells_its_number),
		cmocka_unit_test(a_tag_stands_for_the_level),
		cmocka_unit_test(syslog_gets_what_it_does_not_know),
		cmocka_unit_test(levels_are_obeyed),
		cmocka_unit_test(no_octet_forges_a_line),
		cmocka_unit_test(json_lines_are_json),
		cmocka_unit_test(long_lines_are_cut_whole),
		cmocka_unit_test(reopening_follows_a_moved_file),
		cmocka_unit_test(a_bad_file_keeps_the_old_one),
		cmocka_unit_test(going_back_to_standard_error_lets_go_of_the_file),
		cmocka_unit_test(lines_of_another_process_are_logged),
		cmocka_unit_test(floods_are_limited_and_told),
		cmocka_unit_test(threads_do_not_mix_lines),
	};

	return cmocka_run_group_tests(tests, make_path, drop_path);
}
