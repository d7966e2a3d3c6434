#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char dir[64];
static char path[128];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/cairn-test-file.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static unsigned int entries(void)
{
	DIR *d = opendir(dir);
	unsigned int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static void what_is_written_is_read(void **state)
{
	static char big[100000];
	struct stat st;

	(void)state;
	for (size_t n = 0; n <= sizeof(big); n = n * 3 + 1) {
		AUTO_CHARS char *text = NULL;
		size_t got = 0;

		memset(big, (int)('a' + n % 26), n);
		assert_ok(file_write_atomic(path, span_of(big, n), 0600));
		assert_ok(file_read_all(path, sizeof(big), &text, &got));
		assert_int_equal(got, n);
		assert_memory_equal(text, big, n);
		assert_int_equal(text[n], 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(entries(), 1);
	}
}

static void the_maximum_is_kept(void **state)
{
	(void)state;
	assert_ok(file_write_atomic(path, span_text("0123456789"), 0644));
	for (size_t max = 0; max < 14; max++) {
		AUTO_CHARS char *text = NULL;
		size_t got = 0;

		assert_int_equal(file_read_all(path, max, &text, &got).e, max < 10 ? ERR_LIMIT : ERR_NONE);
		assert_int_equal(got, max < 10 ? 0 : 10);
	}
}

static void pipes_and_devices_have_no_size(void **state)
{
	AUTO_CHARS char *text = NULL;
	size_t got = 0;

	(void)state;
	assert_err(file_read_all("/dev/zero", 100000, &text, &got), ERR_LIMIT);
	assert_ok(file_read_all("/dev/null", 0, &text, &got));
	assert_int_equal(got, 0);
	mem_free(text);
	text = NULL;
	assert_ok(file_read_all("/proc/self/status", 100000, &text, &got));
	assert_true(got > 100);
}

static void what_is_missing_is_named_so(void **state)
{
	AUTO_CHARS char *text = NULL;
	size_t got;

	(void)state;
	unlink(path);
	assert_err(file_read_all(path, 10, &text, &got), ERR_NOTFOUND);
	assert_err(file_read_all(dir, 10, &text, &got), ERR_SYSTEM);
	assert_int_equal(errno, EISDIR);
	assert_err(file_write_atomic("/nonexistent/dir/file", span_text("x"), 0600), ERR_SYSTEM);
	assert_int_equal(errno, ENOENT);
}

static void a_failed_write_keeps_the_old_file(void **state)
{
	static char big[10000];
	struct rlimit old, small;
	AUTO_CHARS char *text = NULL;
	size_t got;

	(void)state;
	assert_ok(file_write_atomic(path, span_text("old"), 0600));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 4096, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_err(file_write_atomic(path, span_of(big, sizeof(big)), 0600), ERR_SYSTEM);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(entries(), 1);
	assert_ok(file_read_all(path, 100, &text, &got));
	assert_string_equal(text, "old");
}

static bool write_and_read(void)
{
	AUTO_CHARS char *text = NULL;
	size_t got = 0;

	return OK(file_write_atomic(path, span_text("hello"), 0600)) && OK(file_read_all(path, 100, &text, &got)) && got == 5;
}

static void another_file_looks_different(void **state)
{
	struct file_seen before, after;

	(void)state;
	(void)unlink(path);
	before = file_look(path);
	assert_false(before.there);
	assert_ok(file_write_atomic(path, span_text("0123456789"), 0644));
	after = file_look(path);
	assert_false(file_same(&before, &after));
	before = file_look(path);
	assert_true(file_same(&before, &after));
	assert_ok(file_write_atomic(path, span_text("9876543210"), 0644)); /* of the same size, and maybe within the same tick of the clock */
	after = file_look(path);
	assert_false(file_same(&before, &after));
	(void)unlink(path);
	after = file_look(path);
	assert_false(file_same(&before, &after));
	assert_true(write_and_read()); /* as it was found */
}

static void memory_may_run_out(void **state)
{
	(void)state;
	/* the directory's name is needed after the file is in place: without it the directory is not synced, which is no failure */
	for (unsigned int n = 1; n < 10; n++) {
		struct mem_usage before = mem_usage();

		mem_fail_at(n, false);
		(void)write_and_read();
		mem_fail_at(0, false);
		assert_int_equal(mem_usage().objects, before.objects);
		assert_int_equal(entries(), 1);
	}
	assert_true(write_and_read());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_maximum_is_kept),
		cmocka_unit_test(pipes_and_devices_have_no_size),
		cmocka_unit_test(what_is_missing_is_named_so),
		cmocka_unit_test(a_failed_write_keeps_the_old_file),
		cmocka_unit_test(another_file_looks_different),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
