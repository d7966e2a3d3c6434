/* The facts of a run as flat octets: there and back, cut short, with numbers out of their range, without memory. With an argument: writes an example to that file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "rpki/serve/status.h"

static struct status *example(void)
{
	struct status *s = status_new();
	struct status_anchor *a;
	struct status_repository *r;

	assert_non_null(s);
	s->runs = 3;
	s->run_start = 1700000000;
	s->run_done = 1700000042;
	s->run_next = 1700000600;
	s->run_ms = 42123;
	s->log = status_text(s, "[WARN] repository r.example: gone\n[INFO] run: 1 repository\n");
	s->total[STATUS_V6] = (struct status_payloads){ 10, 2, 1, 7, 3 };
	a = status_add_anchor(s, "ripe");
	a->usable = true;
	a->not_after = INT64_MAX;
	a->objects.valid[COUNTED_ROA] = UINT64_MAX;
	a->objects.stale_crls = 4;
	a->payloads[STATUS_ASPAS].contributed = 5;
	assert_non_null(status_add_anchor(s, ""));
	r = status_add_repository(s, "https://rrdp.example/notification.xml");
	r->anchor = status_text(s, "ripe");
	r->why = status_text(s, "the answer was 503");
	r->failures = 4;
	r->patience_ms = 5000;
	r->http_status = 503;
	r->http_payload_status = -1;
	r->outcome = STATUS_SNAPSHOT;
	r->session = status_text(s, "9df4b597-af9e-4dca-bdda-719cce2c4e28");
	r = status_add_repository(s, "rsync://rsync.example/repo");
	r->way = STATUS_RSYNC;
	r->fallback = true;
	assert_non_null(status_add_alarm(s, STATUS_ALARM, 1700000001, "ripe has lost half of its payloads"));
	return s;
}

static void there_and_back(void **state)
{
	struct status *s = example(), *t = NULL;
	struct strbuf *flat = strbuf_new(1 << 20), *again = strbuf_new(1 << 20);

	(void)state;
	assert_true(OK(status_encode(s, flat)));
	assert_true(OK(status_decode(strbuf_span(flat), &t)));
	assert_true(t->runs == 3 && t->run_ms == 42123 && t->nanchors == 2 && t->nrepositories == 2 && t->nalarms == 1);
	assert_string_equal(t->anchors->name, "ripe");
	assert_true(t->anchors->usable && t->anchors->not_after == INT64_MAX && t->anchors->objects.valid[COUNTED_ROA] == UINT64_MAX);
	assert_true(t->anchors->objects.stale_crls == 4 && t->anchors->payloads[STATUS_ASPAS].contributed == 5 && t->total[STATUS_V6].duplicate == 2);
	assert_string_equal(t->repositories->why, "the answer was 503");
	assert_string_equal(t->log, "[WARN] repository r.example: gone\n[INFO] run: 1 repository\n");
	assert_true(t->total[STATUS_V6].unsafe == 3 && t->repositories->failures == 4 && t->repositories->patience_ms == 5000);
	assert_true(t->repositories->http_status == 503 && t->repositories->http_payload_status == -1 && t->repositories->outcome == STATUS_SNAPSHOT);
	assert_true(t->repositories->next->way == STATUS_RSYNC && t->repositories->next->fallback && t->repositories->next->exit_status == -1);
	assert_string_equal(t->alarms->what, "ripe has lost half of its payloads");
	assert_true(OK(status_encode(t, again)) && span_equal(strbuf_span(flat), strbuf_span(again)));
	status_free(s);
	status_free(t);
	strbuf_free(flat);
	strbuf_free(again);
}

static void what_is_not_one(void **state)
{
	struct status *s = example(), *t = NULL;
	struct strbuf *flat = strbuf_new(1 << 20);
	struct span all;

	(void)state;
	assert_true(OK(status_encode(s, flat)));
	all = strbuf_span(flat);
	for (size_t n = 0; n < all.n; n++)
		assert_int_equal(status_decode(span_of(all.p, n), &t).e, ERR_FORMAT);
	strbuf_putc(flat, '\0');
	assert_int_equal(status_decode(strbuf_span(flat), &t).e, ERR_FORMAT);
	/* the version, and a truth that is neither */
	s->anchors->usable = true;
	for (size_t at = 0; at < all.n; at++) {
		struct strbuf *bad = strbuf_new(1 << 20);
		uint8_t octet = all.p[at] ^ 0xff;
		struct result r;

		strbuf_add(bad, all.p, at);
		strbuf_add(bad, &octet, 1);
		strbuf_add(bad, all.p + at + 1, all.n - at - 1);
		r = status_decode(strbuf_span(bad), &t);
		assert_true(OK(r) || r.e == ERR_FORMAT);
		assert_true(at >= 8 || !OK(r));
		if (OK(r))
			status_free(t);
		strbuf_free(bad);
	}
	status_free(s);
	strbuf_free(flat);
}

static void alarms_last(void **state)
{
	struct status *before = example(), *s = status_new();

	(void)state;
	assert_non_null(status_add_alarm(s, STATUS_ALARM, 1700009999, "ripe has lost half of its payloads"));
	assert_non_null(status_add_alarm(s, STATUS_WARNING, 1700009999, "ripe has lost half of its payloads"));
	assert_non_null(status_add_alarm(s, STATUS_ALARM, 1700009999, "another"));
	status_carry_alarms(s, before);
	assert_true(s->alarms->since == 1700000001 && s->alarms->next->since == 1700009999 && s->last_alarm->since == 1700009999);
	status_free(before);
	status_free(s);
}

static void without_memory(void **state)
{
	struct status *s = example(), *t = NULL;
	struct strbuf *flat = strbuf_new(1 << 20);
	bool over = false;
	uint64_t before;

	(void)state;
	assert_true(OK(status_encode(s, flat)));
	before = mem_usage().objects;
	for (uint64_t n = 1; !over; n++) {
		struct result r;

		mem_fail_at(n, true);
		r = status_decode(strbuf_span(flat), &t);
		over = !mem_failed();
		mem_fail_at(0, false);
		assert_true(over ? OK(r) : r.e == ERR_NOMEM);
		if (OK(r))
			status_free(t);
		assert_int_equal(mem_usage().objects, before);
	}
	status_free(s);
	strbuf_free(flat);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_is_not_one),
		cmocka_unit_test(alarms_last),
		cmocka_unit_test(without_memory),
	};

	if (argc > 1) {
		struct status *s = example();
		struct strbuf *flat = strbuf_new(1 << 20);
		FILE *f = fopen(argv[1], "w");

		if (f == NULL || !OK(status_encode(s, flat)) || fwrite(strbuf_text(flat), 1, strbuf_len(flat), f) != strbuf_len(flat))
			return 1;
		return fclose(f);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
