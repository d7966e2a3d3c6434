#include "conf_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "conf/check.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/cairn-test-conf.XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static void put(const char *name, const char *text)
{
	AUTO_CHARS char *path = mem_printf("%s/%s", dir, name);

	assert_ok(file_write_atomic(path, span_text(text), 0600));
}

static int drop_dir(void **state)
{
	static const char *const names[] = { "a.conf", "1.part", "2.part", "out" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_CHARS char *path = mem_printf("%s/%s", dir, names[i]);

		unlink(path);
	}
	return rmdir(dir);
}

static void without_a_file_there_is_the_built_in_configuration(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;

	(void)state;
	assert_ok(conf_load(NULL, report, &c));
	assert_string_equal(strbuf_text(report), "");
	assert_int_equal(conf_int(conf_server(c), OPT_PORT), 5335);
	assert_int_equal(conf_count(conf_server(c), OPT_INTERFACE), 2);
	assert_false(conf_bool(conf_server(c), OPT_DO_DAEMONIZE));
	assert_string_equal(conf_text(conf_server(c), OPT_USERNAME), "");
	assert_string_equal(conf_text(conf_server(c), OPT_PIDFILE), "");
	assert_string_equal(conf_where(conf_server(c), OPT_PORT, 0), "built-in configuration:4");
}

static void files_and_patterns_are_read_from_disk(void **state)
{
	AUTO_CHARS char *path = mem_printf("%s/a.conf", dir);
	AUTO_CHARS char *text = mem_printf("server:\ndirectory: \"%s\"\ninclude: \"*.part\"\n", dir);
	AUTO(conf_free) struct conf *c = NULL;

	(void)state;
	put("2.part", "interface: 2.2.2.2\n");
	put("1.part", "interface: 1.1.1.1\n");
	put("a.conf", text);
	assert_ok(conf_load(path, NULL, &c));
	assert_int_equal(conf_count(conf_server(c), OPT_INTERFACE), 2);
	assert_string_equal(conf_item(conf_server(c), OPT_INTERFACE, 0), "1.1.1.1");
	assert_string_equal(conf_item(conf_server(c), OPT_INTERFACE, 1), "2.2.2.2");
}

static void a_missing_file_is_said(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;

	(void)state;
	assert_err(conf_load_counted("/nonexistent/x.conf", report, &counts, &c), ERR_NOTFOUND);
	assert_string_equal(strbuf_text(report),
	    "/nonexistent/x.conf: error: found no file that can be read, expected a configuration: no such "
	    "file\n");
	assert_int_equal(counts.errors, 1);
	assert_null(c);
}

static void text_is_read_with_its_origin(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;

	(void)state;
	assert_err(conf_load_text("foo", "command line", report, &c), ERR_FORMAT);
	assert_non_null(strstr(strbuf_text(report), "command line:1: error: "));
}

/* The exit status of --check-config, and what it prints. */
static int check(const char *text, char *ret_out, size_t room)
{
	AUTO_CHARS char *path = mem_printf("%s/a.conf", dir);
	AUTO_CHARS char *out = mem_printf("%s/out", dir);
	AUTO_CHARS char *printed = NULL;
	int saved = dup(1), fd = open(out, O_CREAT | O_TRUNC | O_WRONLY, 0600), status;
	size_t n;

	put("a.conf", text);
	fflush(stdout);
	dup2(fd, 1);
	status = conf_check_main(path, NULL);
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	close(fd);
	assert_ok(file_read_all(out, room - 1, &printed, &n));
	memcpy(ret_out, printed, n + 1);
	return status;
}

static void check_config_prints_and_tells_by_its_status(void **state)
{
	static char out[4096];

	(void)state;
	assert_int_equal(check("server: port: 1", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "/a.conf: no errors\n"));
	assert_int_equal(check("server: port: 1 port: 2", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "/a.conf: no errors, 1 warning\n"));
	assert_int_equal(check("server: port: x\nprefetch: 7", out, sizeof(out)), 1);
	assert_non_null(strstr(out, "/a.conf:1: error: port: found 'x', expected a port number from 0 to 65535\n"));
	assert_non_null(strstr(out, "/a.conf:2: error: prefetch: found '7', expected yes or no\n"));
	assert_non_null(strstr(out, "/a.conf: 2 errors\n"));
}

static void the_sample_is_clean(void **state)
{
	const char *src = getenv("CAIRN_SRC");
	AUTO_CHARS char *path = mem_printf("%s/conf/cairn.conf.sample", src != NULL ? src : ".");
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;

	(void)state;
	assert_ok(conf_load(path, report, &c));
	assert_string_equal(strbuf_text(report), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_there_is_the_built_in_configuration),
		cmocka_unit_test_setup_teardown(files_and_patterns_are_read_from_disk, make_dir, drop_dir),
		cmocka_unit_test(a_missing_file_is_said),
		cmocka_unit_test(text_is_read_with_its_origin),
		cmocka_unit_test_setup_teardown(check_config_prints_and_tells_by_its_status, make_dir, drop_dir),
		cmocka_unit_test(the_sample_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
