/* Questions of the main loop: to a worker's core, and to one apart from its caches. Both loops are the same here; what crosses over is the same. */
#include "core_world.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/ask.h"
#include "resolver/apart.h"
#include "resolver/core/resolution.h"
#include "resolver/worker.h"

static const struct line lines[] = {
	ROOT_PRIMING,
	{ ROOT, ".example.", "*", "ns: example. 172800 NS ns1.example.; ar: ns1.example. 172800 A 1.2.3.4" },
	{ "1.2.3.4", "www.example.", "A", "AA; www.example. 300 A 10.20.30.40" },
	{ "1.2.3.4", "silent.example.", "A", "DROP" },
	{ 0 },
};

LOOP_HANDLE(listener_of_tests)
LOOP_HANDLE_IMPL(listener_of_tests)
struct listener_of_tests {
	unsigned int times;
	uint32_t tag;
	bool nothing;
	uint16_t rcode;
	uint8_t security;
	size_t sets;
	char name[NAME_TEXT];
};

static void heard(struct loop *l, void *object, uint32_t tag, const struct answer *a)
{
	struct listener_of_tests *t = object;

	(void)l;
	t->times++;
	t->tag = tag;
	t->nothing = a == NULL;
	if (a == NULL)
		return;
	t->rcode = a->rcode;
	t->security = a->security;
	t->sets = a->answer_count;
	if (a->answer_count > 0)
		(void)name_to_text(rrset_name(a->sets[0].rs), t->name);
}

struct bench {
	struct mem_usage before;
	struct world *world;
	struct plan *plan;
	struct rng *rng;
	struct shared shared;
	struct worker worker;
	struct loop *loop;
	struct listener_of_tests listener;
	listener_of_tests_h who;
};

static void bench_begin(struct bench *b)
{
	struct mem_usage before = mem_usage();
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct conf *c = NULL;
	struct core *core;

	*b = (struct bench){ .before = before };
	b->world = world_new(CONF, lines);
	b->rng = rng_new_seeded(1);
	if (!OK(conf_load_text(CONF "\troot-anchors: none\n\ttrust-anchor: \"island. DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\n",
	    "test", report, &c)) || !OK(plan_make(c, NULL, b->rng, report, &b->plan)))
		fail_msg("%s", strbuf_text(report));
	core = world_core(b->world);
	b->loop = core->env.loop;
	b->shared.infra = core->env.infra;
	b->worker.core = core;
	b->worker.upstream = core->env.upstream;
	b->worker.plan = b->plan;
	b->worker.env = (struct worker_env){ .loop = b->loop, .shared = &b->shared };
	b->who = listener_of_tests_enlist(b->loop, &b->listener);
}

static void bench_end(struct bench *b)
{
	listener_of_tests_retire(b->loop, b->who);
	apart_end_all(&b->worker);
	world_free(b->world);
	plan_unref(b->plan);
	rng_free(b->rng);
	assert_int_equal(mem_usage().objects, b->before.objects);
}

static struct resolve_request request_of(struct name_buf *name, const char *text)
{
	assert_true(OK(name_from_text(text, NULL, name)));
	return (struct resolve_request){ .q = { .name = name_of(name), .type = RR_A, .rclass = CLASS_IN } };
}

static struct result ask_for(struct bench *b, const char *text, bool apart, uint32_t tag)
{
	struct name_buf name;
	struct resolve_request r = request_of(&name, text);

	return apart ? ask_apart(&b->worker, b->loop, &r, b->plan->validation, &listener_of_tests_loop_type, b->who.v, tag, heard) :
		ask_worker(&b->worker, b->loop, &r, &listener_of_tests_loop_type, b->who.v, tag, heard);
}

static void the_answer_comes_home_as_a_copy(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b);
	assert_true(OK(ask_for(&b, "www.example.", false, 7)));
	assert_int_equal(b.listener.times, 0); /* in a later turn */
	world_run(b.world, 1000);
	assert_int_equal(b.listener.times, 1);
	assert_int_equal(b.listener.tag, 7);
	assert_false(b.listener.nothing);
	assert_int_equal(b.listener.rcode, RCODE_NOERROR);
	assert_string_equal(b.listener.name, "www.example.");
	world_forget(b.world);
	assert_true(OK(ask_for(&b, "www.example.", false, 8)));
	world_run(b.world, 1000);
	assert_int_equal(b.listener.tag, 8);
	assert_int_equal(world_packets(b.world), 0); /* from the worker's cache */
	bench_end(&b);
}

static void a_failure_is_an_answer(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b);
	assert_true(OK(ask_for(&b, "silent.example.", false, 1)));
	world_run(b.world, 60000);
	assert_int_equal(b.listener.times, 1);
	assert_int_equal(b.listener.rcode, RCODE_SERVFAIL);
	bench_end(&b);
}

static void who_is_gone_is_told_nothing(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b);
	assert_true(OK(ask_for(&b, "www.example.", false, 1)));
	listener_of_tests_retire(b.loop, b.who);
	world_run(b.world, 1000);
	assert_int_equal(b.listener.times, 0);
	b.who = listener_of_tests_enlist(b.loop, &b.listener);
	bench_end(&b);
}

static void apart_means_other_caches_and_another_validation(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b);
	assert_true(OK(ask_for(&b, "www.example.", false, 1)));
	world_run(b.world, 1000);
	world_forget(b.world);
	assert_true(OK(ask_for(&b, "www.example.", true, 2)));
	world_run(b.world, 1000);
	assert_int_equal(b.listener.tag, 2);
	assert_int_equal(b.listener.rcode, RCODE_NOERROR);
	assert_int_equal(b.listener.security, SECURITY_INDETERMINATE); /* no anchor encloses it */
	assert_true(world_packets(b.world) >= 2);
	assert_null(b.worker.apart);
	bench_end(&b);
}

static void a_worker_that_ends_ends_what_is_apart(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b);
	assert_true(OK(ask_for(&b, "silent.example.", true, 3)));
	world_run(b.world, 100);
	assert_non_null(b.worker.apart);
	apart_end_all(&b.worker);
	assert_null(b.worker.apart);
	world_run(b.world, 100);
	assert_int_equal(b.listener.times, 1);
	assert_int_equal(b.listener.rcode, RCODE_SERVFAIL);
	bench_end(&b);
}

static void memory_that_runs_out_is_said_and_nothing_is_left(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 120; n++) {
		struct bench b;
		struct result r;
		bool apart = n % 2 == 0;

		bench_begin(&b);
		mem_fail_at(n / 2 + 1, false);
		r = ask_for(&b, "www.example.", apart, 1);
		world_run(b.world, 30000);
		mem_fail_at(0, false);
		/* it was refused, or something is told: nothing, a failure or the answer */
		assert_true(OK(r) ? b.listener.times == 1 : b.listener.times == 0);
		bench_end(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answer_comes_home_as_a_copy),
		cmocka_unit_test(a_failure_is_an_answer),
		cmocka_unit_test(who_is_gone_is_told_nothing),
		cmocka_unit_test(apart_means_other_caches_and_another_validation),
		cmocka_unit_test(a_worker_that_ends_ends_what_is_apart),
		cmocka_unit_test(memory_that_runs_out_is_said_and_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
