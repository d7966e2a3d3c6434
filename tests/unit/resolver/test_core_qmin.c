/* Resolution with QNAME minimisation: what servers see of a name, and steps that several questions share. */
#include "core_lines.h"

static void servers_see_no_more_of_a_name_than_they_need(void **state)
{
	BEGIN(QMIN, plain);

	t = world_ask(w, "alias.example.com.", "A");
	assert_has(t->text, "10.20.30.40");
	assert_has(world_log(w), ROOT " com. A\n" COM " example.com. A\n1.2.3.4 alias.example.com. A\n");
	END;
}

static void minimisation_is_given_up_where_servers_do_not_bear_it(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; ar: ns1.a.com. A 1.1.1.1" },
		{ "1.1.1.1", "w.ent.a.com.", "A", "AA; w.ent.a.com. A 10.0.0.1" },
		{ "1.1.1.1", "ent.a.com.", "*", "AA; NXDOMAIN; ns: a.com. SOA a. b. 1 2 3 4 60" },
		{ "1.1.1.1", "w.no.a.com.", "A", "AA; w.no.a.com. A 10.0.0.2" },
		{ "1.1.1.1", "no.a.com.", "*", "REFUSED" },
		{ "1.1.1.1", "w.mute.a.com.", "A", "AA; w.mute.a.com. A 10.0.0.3" },
		{ 0 },
	};
	BEGIN(QMIN, lines);

	t = world_ask(w, "w.ent.a.com.", "A");
	assert_has(t->text, "10.0.0.1");
	t = world_ask(w, "w.no.a.com.", "A");
	assert_has(t->text, "10.0.0.2");
	t = world_ask(w, "w.mute.a.com.", "A");
	assert_has(t->text, "10.0.0.3");
	assert_int_equal(world_count(w, COUNT_CORE_QMIN_RELAXED), 2);
	END;
}

static size_t count_of(const char *log, const char *line)
{
	size_t n = 0;

	for (const char *at = strstr(log, line); at != NULL; at = strstr(at + 1, line))
		n++;
	return n;
}

static void a_step_is_asked_once_for_all_that_need_it(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; ar: ns1.a.com. A 1.1.1.1" },
		{ "1.1.1.1", "*", "A", "AA; Q A 10.0.0.1" },
		{ 0 },
	};
	size_t q[3];
	BEGIN(QMIN, lines);

	q[0] = world_begin(w, "x.a.com.", "A", NULL);
	q[1] = world_begin(w, "y.a.com.", "A", NULL);
	q[2] = world_begin(w, "z.a.com.", "A", NULL);
	world_cancel(w, q[2]); /* who waits may leave */
	world_run(w, 2000);
	t = world_told(w, q[0]);
	assert_has(t->text, "10.0.0.1");
	assert_has(world_told(w, q[1])->text, "10.0.0.1");
	assert_true(world_count(w, COUNT_CORE_STEPS_SHARED) >= 1);
	assert_int_equal(count_of(world_log(w), " com. A"), 1);
	assert_int_equal(count_of(world_log(w), " a.com. A"), 1);
	END;
}

/* Whoever asks the step gives up: the others do not hang on it. Nor does he who waits for it when he leaves. */
static void a_step_that_is_given_up_is_asked_by_another(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; ar: ns1.a.com. A 1.1.1.1" },
		{ "1.1.1.1", "*", "A", "AA; Q A 10.0.0.1" },
		{ 0 },
	};

	for (unsigned int leaves = 0; leaves < 2; leaves++) {
		size_t q[2];
		BEGIN(QMIN, lines);

		q[0] = world_begin(w, "x.a.com.", "A", NULL);
		q[1] = world_begin(w, "y.a.com.", "A", NULL);
		for (int i = 0; i < 100 && world_count(w, COUNT_CORE_STEPS_SHARED) == 0; i++)
			world_run(w, 1);
		assert_int_equal(world_count(w, COUNT_CORE_STEPS_SHARED), 1); /* one hangs on the other */
		world_cancel(w, q[leaves]);
		world_run(w, 200);
		t = world_told(w, q[1 - leaves]);
		assert_has(t->text, "10.0.0.1");
		END;
	}
}

static void many_labels_take_at_most_ten_steps(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; ar: ns1.a.com. A 1.1.1.1" },
		{ "1.1.1.1", "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.a.com.", "A", "AA; Q A 10.0.0.1" },
		{ "1.1.1.1", "*", "*", "AA; ns: a.com. SOA a. b. 1 2 3 4 60" },
		{ 0 },
	};
	BEGIN(QMIN, lines);

	t = world_ask(w, "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.a.com.", "A");
	assert_has(t->text, "10.0.0.1");
	assert_true(world_packets(w) <= 12); /* priming, ten steps, the question */
	END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_see_no_more_of_a_name_than_they_need),
		cmocka_unit_test(minimisation_is_given_up_where_servers_do_not_bear_it),
		cmocka_unit_test(a_step_is_asked_once_for_all_that_need_it),
		cmocka_unit_test(a_step_that_is_given_up_is_asked_by_another),
		cmocka_unit_test(many_labels_take_at_most_ten_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
