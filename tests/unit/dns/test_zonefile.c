#include "tests/unit/dns/dns_test.h"

#include <unistd.h>

#include "base/file.h"
#include "dns/zonefile.h"

/* Collects what is delivered as lines of text. */
struct seen {
	struct strbuf *out;
	unsigned int count;
	unsigned int stop_at; /* 0: never */
};

static struct result take(void *user, const struct zone_rr *rr)
{
	struct seen *s = (struct seen *)user;
	char owner[NAME_TEXT];
	char type[RRTYPE_TEXT];
	char rclass[RRTYPE_TEXT];

	assert_ok(rdata_check(rr->type, rr->rdata));
	if (++s->count == s->stop_at)
		return FAIL(ERR_REFUSED);
	strbuf_printf(s->out, "%s %u%s %s %s ", name_to_text(rr->owner, owner), (unsigned int)rr->ttl, rr->ttl_given ? "!" : "",
	    rrclass_text(rr->rclass, rclass), rrtype_text(rr->type, type));
	rdata_print(rr->type, rr->rdata, s->out);
	strbuf_putc(s->out, '\n');
	return DONE;
}

static struct name_buf example;

static struct zone_read reader(struct seen *s)
{
	example = nb("example.");
	return (struct zone_read){ .origin_text = "t", .origin = name_of(&example), .default_ttl = 99, .rclass = CLASS_IN, .fn = take, .user = s };
}

static void check(const char *text, enum err want, const char *records, const char *errors)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 20);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	struct seen s = { out, 0, 0 };
	struct zone_read z = reader(&s);

	assert_err(zone_read_text(&z, span_text(text), report), want);
	assert_string_equal(strbuf_text(out), records);
	assert_string_equal(strbuf_text(report), errors);
}

static void records_in_all_their_forms(void **state)
{
	(void)state;
	check("a A 192.0.2.1\n"
	      "b 300 IN A 192.0.2.2\n"
	      "c IN 2h A 192.0.2.3 ; comment\n"
	      "  A 192.0.2.4\n"
	      "\tCH TXT hi\n"
	      "; only a comment\n"
	      "\n"
	      "@ IN TXT ( \"a;b\" ; in here\n  c )\n"
	      "d. in a 192.0.2.5\r\n"
	      "e TYPE65280 \\# 2 ab cd\n"
	      "f CLASS32 5 TYPE1 \\# 4 c0000201\n"
	      "\"quoted\"", ERR_FORMAT,
	    "a.example. 99 IN A 192.0.2.1\n"
	    "b.example. 300! IN A 192.0.2.2\n"
	    "c.example. 7200! IN A 192.0.2.3\n"
	    "c.example. 7200 IN A 192.0.2.4\n"
	    "c.example. 7200 CH TXT \"hi\"\n"
	    "example. 7200 IN TXT \"a;b\" \"c\"\n"
	    "d. 7200 IN A 192.0.2.5\n"
	    "e.example. 7200 IN TYPE65280 \\# 2 abcd\n"
	    "f.example. 5! CLASS32 A 192.0.2.1\n", "t:13: found \"quoted\", expected a domain name\n");
}

static void directives(void **state)
{
	(void)state;
	check("$TTL 1d\n"
	      "a 5 A 192.0.2.1\n"
	      "b A 192.0.2.2\n"
	      "$ORIGIN sub\n"
	      "c A 192.0.2.3\n"
	      "$origin other.\n"
	      "@ NS ns\n", ERR_NONE,
	    "a.example. 5! IN A 192.0.2.1\n"
	    "b.example. 86400 IN A 192.0.2.2\n"
	    "c.sub.example. 86400 IN A 192.0.2.3\n"
	    "other. 86400 IN NS ns.other.\n", "");
}

static void generate(void **state)
{
	(void)state;
	check("$GENERATE 1-3 h$ A 192.0.2.$\n"
	      "$GENERATE 8-12/2 ${-8,3,d}-${0,4,x} 60 IN TXT \"$$ ${1,2,o} \\$\"\n"
	      "$GENERATE 31-31 ${0,5,n}.ip6 PTR x${0,3,N}.\n"
	      "$GENERATE 0-1 $ ( TXT\n a$ )\n"
	      "after A 192.0.2.9\n", ERR_NONE,
	    "h1.example. 99 IN A 192.0.2.1\n"
	    "h2.example. 99 IN A 192.0.2.2\n"
	    "h3.example. 99 IN A 192.0.2.3\n"
	    "000-0008.example. 60! IN TXT \"$ 11 $\"\n"
	    "002-000a.example. 60! IN TXT \"$ 13 $\"\n"
	    "004-000c.example. 60! IN TXT \"$ 15 $\"\n"
	    "f.1.0.ip6.example. 60 IN PTR xF.1.\n"
	    "0.example. 60 IN TXT \"a0\"\n"
	    "1.example. 60 IN TXT \"a1\"\n"
	    "after.example. 60 IN A 192.0.2.9\n", "");
}

static void every_error_is_named_and_the_rest_is_read(void **state)
{
	(void)state;
	check("a A 192.0.2.1\n"
	      "b A 192.0.2.256\n"
	      "c MX 10\n"
	      "d NOSUCH x\n"
	      "e 99999999999 A 192.0.2.1\n"
	      "f ANY x\n"
	      "g..h A 192.0.2.1\n"
	      "  A 192.0.2.7\n"
	      "$FOO\n"
	      "$TTL x\n"
	      "$INCLUDE file\n"
	      "i TXT \"open\n"
	      "j TXT ) A\n"
	      "k A 192.0.2.8 extra\n"
	      "l\n"
	      "m IN IN A 192.0.2.1\n"
	      "$GENERATE 5-1 a A 192.0.2.1\n"
	      "$GENERATE 1-2 a$ A 192.0.2.300\n"
	      "$GENERATE 1-2 ${x} A 192.0.2.1\n"
	      "n TXT \"\\300\"\n"
	      "o TXT \"\x01\x1b[31m\xff\n"
	      "z A 192.0.2.9\n"
	      "p TXT ( a b\n c\n", ERR_FORMAT,
	    "a.example. 99 IN A 192.0.2.1\n"
	    "z.example. 99 IN A 192.0.2.9\n",
	    "t:2: found \"192.0.2.256\", expected an IPv4 address\n"
	    "t:3: found the end of the record, expected a domain name\n"
	    "t:4: found \"NOSUCH\", expected an RR type\n"
	    "t:5: found \"99999999999\", expected a TTL of at most 2147483647 seconds\n"
	    "t:6: found \"ANY\", expected a type of records, not of questions\n"
	    "t:7: found \"g..h\", expected a domain name\n"
	    "t:8: found \"A\", expected a record with an owner name before this one\n"
	    "t:9: found \"$FOO\", expected $ORIGIN, $TTL, $INCLUDE or $GENERATE\n"
	    "t:10: found \"x\", expected a TTL of at most 2147483647 seconds\n"
	    "t:11: found \"file\", expected no $INCLUDE, which is not allowed here\n"
	    "t:12: found the end of the record, expected a closing quote before the end of the line\n"
	    "t:13: found the end of the record, expected an opening parenthesis before this closing one\n"
	    "t:14: found \"extra\", expected the end of the record\n"
	    "t:15: found the end of the record, expected an RR type\n"
	    "t:16: found \"IN\", expected an RR type\n"
	    "t:17: found \"5-1\", expected a range as START-STOP[/STEP]\n"
	    "t:18: found \"192.0.2.300\", expected an IPv4 address\n"
	    "t:19: found the end of the record, expected a name in which $ and ${offset,width,base} give a domain name\n"
	    "t:20: found \"\\\\300\", expected a string with valid escapes\n"
	    "t:21: found the end of the record, expected a closing quote before the end of the line\n"
	    "t:23: found the end of the record, expected a closing parenthesis before the end of the text\n");
}

static void messages_are_one_line_each(void **state)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 20);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	struct seen s = { out, 0, 0 };
	struct zone_read z = reader(&s);
	char text[400];
	size_t n = 0;

	(void)state;
	n += (size_t)sprintf(text, "a TYPE\\");
	for (int c = 1; c < 256; c++)
		if (strchr(" \t\r\n;()\"\\", c) == NULL)
			text[n++] = (char)c;
	assert_err(zone_read_text(&z, span_of(text, n), report), ERR_FORMAT);
	for (const char *p = strbuf_text(report); *p != '\0'; p++)
		assert_true((*p >= ' ' && *p < 127) || (*p == '\n' && p[1] == '\0'));
}

static void the_caller_may_stop_it(void **state)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 20);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	struct seen s = { out, 0, 2 };
	struct zone_read z = reader(&s);

	(void)state;
	assert_err(zone_read_text(&z, span_text("a A 192.0.2.1\na A 192.0.2.2\na A 192.0.2.3\n"), report), ERR_REFUSED);
	assert_int_equal(s.count, 2);
}

static void limits_are_kept(void **state)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 24);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	AUTO(strbuf_free) struct strbuf *tiny = strbuf_new(10);
	struct seen s = { out, 0, 0 };
	struct zone_read z = reader(&s);

	(void)state;
	z.max_octets = 10;
	assert_err(zone_read_text(&z, span_text("a A 192.0.2.1"), report), ERR_LIMIT);
	z.max_octets = 200;
	assert_err(zone_read_text(&z, span_text("$GENERATE 1-1000000 h$ A 192.0.2.1"), report), ERR_LIMIT);
	assert_true(s.count < 20);
	z.max_octets = 0;
	z.max_generated = 100;
	s.count = 0;
	assert_err(zone_read_text(&z, span_text("$GENERATE 1-60 h$ A 192.0.2.1\n$GENERATE 1-60 h$ A 192.0.2.1"), report), ERR_LIMIT);
	assert_int_equal(s.count, 100);
	assert_err(zone_read_text(&z, span_text("x\ny\nz\nok A 192.0.2.1"), tiny), ERR_FORMAT); /* a full report stops nothing */
	assert_int_equal(s.count, 101);
	z.max_generated = 0;
	assert_err(zone_read_text(&z, span_text("$GENERATE 1-2 ${0,1001,d} A 192.0.2.1"), report), ERR_FORMAT);
	assert_err(zone_read_text(&z, span_text("$GENERATE 1-2 a ${0,900,d}${0,900,d}"), report), ERR_FORMAT);
}

static char dir[] = "/tmp/test_zonefile.XXXXXX";

static void put_file(const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_ok(file_write_atomic(path, span_text(text), 0600));
}

static void remove_file(const char *name)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
}

static void files_include_files(void **state)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 20);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	struct seen s = { out, 0, 0 };
	struct zone_read z = reader(&s);
	char path[200];

	(void)state;
	assert_non_null(mkdtemp(dir));
	put_file("main", "a A 192.0.2.1\n$INCLUDE inner sub\n  A 192.0.2.3\n$INCLUDE missing\nb A 192.0.2.4\n");
	put_file("inner", "x A 192.0.2.2\ny BAD\n");
	put_file("loop", "$INCLUDE loop\nc A 192.0.2.5\n");
	z.allow_include = true;
	z.include_dir = dir;
	snprintf(path, sizeof path, "%s/main", dir);
	assert_err(zone_read_file(&z, path, report), ERR_FORMAT);
	assert_string_equal(strbuf_text(out), "a.example. 99 IN A 192.0.2.1\n"
					      "x.sub.example. 99 IN A 192.0.2.2\n"
					      "a.example. 99 IN A 192.0.2.3\n"
					      "b.example. 99 IN A 192.0.2.4\n");
	assert_non_null(strstr(strbuf_text(report), "/inner:2: found \"BAD\", expected an RR type\n"));
	assert_non_null(strstr(strbuf_text(report), "/main:4: found \"missing\", expected the name of a file that can be read\n"));
	strbuf_clear(report);
	s.count = 0;
	snprintf(path, sizeof path, "%s/loop", dir);
	assert_err(zone_read_file(&z, path, report), ERR_FORMAT);
	assert_non_null(strstr(strbuf_text(report), "files included less deeply"));
	assert_int_equal(s.count, ZONE_INCLUDE_DEPTH + 1);
	strbuf_clear(report);
	put_file("twice", "$INCLUDE twice\n$INCLUDE twice\n"); /* 2^16 files but for the limit of octets */
	z.max_octets = 3000;
	snprintf(path, sizeof path, "%s/twice", dir);
	assert_err(zone_read_file(&z, path, report), ERR_LIMIT);
	z.max_octets = 0;
	strbuf_clear(report);
	snprintf(path, sizeof path, "%s/missing", dir);
	assert_false(OK(zone_read_file(&z, path, report)));
	assert_non_null(strstr(strbuf_text(report), "/missing: "));
	remove_file("main");
	remove_file("inner");
	remove_file("loop");
	remove_file("twice");
	rmdir(dir);
}

static void one_record_alone(void **state)
{
	uint8_t room[512];
	struct writer w = writer_of(room, sizeof room);
	struct name_buf owner;
	struct zone_rr rr;
	const char *msg = NULL;
	struct name_buf want = nb("www.example.com.");

	(void)state;
	assert_ok(zone_read_rr("www.example.com. 300 IN A 192.0.2.1", name_root, 5, &owner, &rr, &w, &msg));
	assert_true(name_equal(rr.owner, name_of(&want)));
	assert_int_equal(rr.ttl, 300);
	assert_true(rr.ttl_given);
	assert_int_equal(rr.rdata.n, 4);
	assert_ok(zone_read_rr("  WWW.example.com A 192.0.2.1\n", name_root, 5, &owner, &rr, &w, &msg));
	assert_int_equal(rr.ttl, 5);
	assert_false(rr.ttl_given);
	assert_int_equal(w.pos, 8); /* behind what was there */
	for (int i = 0; i < 9; i++) {
		static const char *const bad[] = { "", "a", "a.", "a. A", "a. A 1.2.3.4 x", "a. A 1.2.3.4\nb. A 1.2.3.4", "..", "a. TXT \"", "a. IN 5 ) A" };

		msg = NULL;
		assert_err(zone_read_rr(bad[i], name_root, 5, &owner, &rr, &w, &msg), ERR_FORMAT);
		assert_non_null(msg);
	}
	w = writer_of(room, 3);
	assert_err(zone_read_rr("a. A 192.0.2.1", name_root, 5, &owner, &rr, &w, &msg), ERR_SPACE);
}

static struct result count_only(void *user, const struct zone_rr *rr)
{
	(void)rr;
	++*(unsigned int *)user;
	return DONE;
}

static bool read_small(void)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1000);
	unsigned int count = 0;
	struct zone_read z = { .origin_text = "t", .origin = name_root, .fn = count_only, .user = &count };
	struct result r;

	if (report == NULL)
		return false;
	r = zone_read_text(&z, span_text("a. A 192.0.2.1\nb. SVCB 1 . port=1 alpn=h2\nc. TXT x\n"), report);
	assert_true(OK(r) || r.e == ERR_NOMEM);
	return OK(r);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(read_small) >= 3);
}

/* What is printed reads back as itself. */
static struct result round_trip(void *user, const struct zone_rr *rr)
{
	struct strbuf *text = (struct strbuf *)user;
	static uint8_t room[65536];
	struct writer w = writer_of(room, sizeof room);
	char owner[NAME_TEXT];
	char type[RRTYPE_TEXT];
	struct name_buf name;
	struct zone_rr back;
	const char *msg = "";

	strbuf_clear(text);
	strbuf_printf(text, "%s %u IN %s ", name_to_text(rr->owner, owner), (unsigned int)rr->ttl, rrtype_text(rr->type, type));
	rdata_print(rr->type, rr->rdata, text);
	if (!OK(zone_read_rr(strbuf_text(text), name_root, 0, &name, &back, &w, &msg)))
		fail_msg("%s: expected %s", strbuf_text(text), msg);
	assert_true(name_equal_case(rr->owner, back.owner));
	assert_int_equal(rr->ttl, back.ttl);
	assert_true(span_equal(rr->rdata, back.rdata));
	return DONE;
}

static void the_root_zone(void **state)
{
	static const char *const places[] = { "../shared/data/dns/root-2020101902.zone", "../../shared/data/dns/root-2020101902.zone" };
	const char *src = getenv("CAIRN_SRC");
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(1 << 20);
	unsigned int count = 0;
	struct zone_read z = { .origin = name_root, .fn = count_only, .user = &count };
	char path[4096];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", src != NULL ? src : ".", places[i]);
		if (access(path, R_OK) == 0)
			break;
	}
	if (access(path, R_OK) != 0) {
		print_message("    no root zone here\n");
		return;
	}
	if (!OK(zone_read_file(&z, path, report)))
		fail_msg("%.1000s", strbuf_text(report));
	print_message("    %u records\n", count);
	assert_true(count > 20000);
	z.fn = round_trip;
	z.user = text;
	assert_ok(zone_read_file(&z, path, report));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_in_all_their_forms),
		cmocka_unit_test(directives),
		cmocka_unit_test(generate),
		cmocka_unit_test(every_error_is_named_and_the_rest_is_read),
		cmocka_unit_test(messages_are_one_line_each),
		cmocka_unit_test(the_caller_may_stop_it),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(files_include_files),
		cmocka_unit_test(one_record_alone),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(the_root_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
