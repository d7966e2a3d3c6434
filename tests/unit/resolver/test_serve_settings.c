/* Settings of the serving side from an operator's text: what is taken, and what is refused with a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/serve/serve_settings.h"

#define ONE "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define TWO "445536bcd2513298075a5d379663c962"

/* The settings that a server: clause gives, or NULL with the message in report. */
static struct serve_settings *made(const char *text, struct strbuf *report)
{
	AUTO(rng_free) struct rng *rng = rng_new_seeded(1);
	AUTO_CHARS char *whole = mem_printf("server:\n%s", text);
	AUTO(conf_free) struct conf *conf = NULL;
	struct serve_settings *s = NULL;

	assert_true(OK(conf_load_text(whole, "test", report, &conf)));
	return OK(serve_settings_make(conf, rng, NULL, report, &s)) ? s : NULL;
}

static void an_nsid_is_pairs_of_digits_or_a_text(void **state)
{
	static const char *const bad[] = { " nsid: 012\n", " nsid: 01zz\n", " nsid: \"0x12\"\n", " nsid: \"+1\"\n", " nsid: here\n" };
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO(serve_settings_free) struct serve_settings *s = made(" nsid: 01Fe\n", report);
	AUTO(serve_settings_free) struct serve_settings *t = made(" nsid: ascii_01\n", report);
	AUTO(serve_settings_free) struct serve_settings *none = made(" nsid: \"\"\n", report);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->nsid_len, 2);
	assert_memory_equal(s->nsid, "\x01\xfe", 2);
	assert_non_null(t);
	assert_int_equal(t->nsid_len, 2);
	assert_memory_equal(t->nsid, "01", 2);
	assert_non_null(none);
	assert_int_equal(none->nsid_len, 0);
	assert_int_equal(strbuf_len(report), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		strbuf_clear(report);
		assert_null(made(bad[i], report));
		assert_non_null(strstr(strbuf_text(report), "nsid: found"));
	}
}

static void an_nsid_that_does_not_fit_its_option_is_refused(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	char octets[520];

	(void)state;
	for (size_t n = 255; n <= 256; n++) {
		AUTO_CHARS char *hex = NULL;
		AUTO_CHARS char *ascii = NULL;
		AUTO(serve_settings_free) struct serve_settings *of_hex = NULL;
		AUTO(serve_settings_free) struct serve_settings *of_ascii = NULL;

		memset(octets, 'a', sizeof octets);
		hex = mem_printf(" nsid: %.*s\n", (int)(2 * n), octets);
		ascii = mem_printf(" nsid: ascii_%.*s\n", (int)n, octets);
		of_hex = made(hex, report);
		of_ascii = made(ascii, report);
		assert_int_equal(of_hex != NULL, n == 255);
		assert_int_equal(of_ascii != NULL, n == 255);
	}
}

static struct serve_settings *made_with_secrets(const char *path, const char *content, size_t n, struct strbuf *report)
{
	AUTO_CHARS char *text = mem_printf(" cookie-secret-file: %s\n", path);

	assert_true(OK(file_write_atomic(path, span_of(content, n), 0600)));
	return made(text, report);
}

static void a_file_of_secrets_has_one_a_line(void **state)
{
	static const char *const good[] = { ONE "\n" TWO "\n", ONE "\n" TWO, "\r\n\n" ONE "\r\n\r\n" TWO "\r\n\n" };
	static const struct {
		const char *text;
		size_t n;
	} bad[] = { { ONE " " TWO "\n", 66 }, { ONE "\nzz\n", 36 }, { ONE "\n\0" TWO "\n", 67 }, { "#\n", 2 } };
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	char path[] = "/tmp/cairn-secrets-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		AUTO(serve_settings_free) struct serve_settings *s = made_with_secrets(path, good[i], strlen(good[i]), report);

		assert_non_null(s);
		assert_int_equal(s->secrets.count, 2);
		assert_false(s->secrets.drawn);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		strbuf_clear(report);
		assert_null(made_with_secrets(path, bad[i].text, bad[i].n, report));
		assert_non_null(strstr(strbuf_text(report), "cookie-secret-file: found"));
	}
	assert_int_equal(unlink(path), 0);
}

static void listens_to(const struct serve_settings *s, const char *text)
{
	char all[400] = "", one[ENDPOINT_TEXT];

	assert_non_null(s);
	for (size_t i = 0; i < s->listen_count; i++)
		(void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i > 0 ? " " : "", endpoint_text(&s->listen[i].at, one));
	assert_string_equal(all, text);
}

static void automatic_ports_take_the_place_of_the_port(void **state)
{
	static const char *const bad[] = { "some text", "53,5353", "0", "65536", "99999999999", "-1", "53 x" };
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO(serve_settings_free) struct serve_settings *plain = made(" port: 5300\n interface-automatic: yes\n do-ip6: no\n", report);
	AUTO(serve_settings_free) struct serve_settings *blank =
	    made(" port: 5300\n interface-automatic: yes\n interface-automatic-ports: \" \"\n do-ip6: no\n", report);
	AUTO(serve_settings_free) struct serve_settings *two =
	    made(" port: 5300\n interface-automatic: yes\n interface-automatic-ports: \" 53 65535\t53 \"\n", report);
	AUTO(serve_settings_free) struct serve_settings *unused =
	    made(" port: 5300\n interface: 10.0.0.1\n interface-automatic-ports: \"some text\"\n", report);

	(void)state;
	listens_to(plain, "0.0.0.0@5300");
	listens_to(blank, "0.0.0.0@5300");
	listens_to(two, "0.0.0.0@53 ::@53 0.0.0.0@65535 ::@65535");
	listens_to(unused, "10.0.0.1@5300");
	assert_int_equal(strbuf_len(report), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_CHARS char *text = mem_printf(" interface-automatic: yes\n interface-automatic-ports: \"%s\"\n", bad[i]);

		strbuf_clear(report);
		assert_null(made(text, report));
		assert_non_null(strstr(strbuf_text(report), "interface-automatic-ports: found"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_nsid_is_pairs_of_digits_or_a_text),
		cmocka_unit_test(an_nsid_that_does_not_fit_its_option_is_refused),
		cmocka_unit_test(a_file_of_secrets_has_one_a_line),
		cmocka_unit_test(automatic_ports_take_the_place_of_the_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
