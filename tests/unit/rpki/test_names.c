/* names: what look-ups in threads find, and what hangs in them, which nobody waits for. */
#include "tests/unit/net/net_test.h"

#include <stdatomic.h>
#include <time.h>

#include "rpki/fetch/names.h"

LOOP_HANDLE_IMPL(user)

struct heard {
	unsigned int n;
	struct names_answer last;
};

static struct heard heard;
static atomic_uint inside, most;
static atomic_bool held;

static void on_answer(struct loop *l, void *object, const struct names_answer *a)
{
	(void)l, (void)object;
	heard.n++;
	heard.last = *a;
}

static void pause_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&t, NULL);
}

static void look(const char *host, struct names_answer *ret)
{
	unsigned int now = atomic_fetch_add(&inside, 1) + 1, was = atomic_load(&most);

	while (now > was && !atomic_compare_exchange_weak(&most, &was, now))
		;
	while (atomic_load(&held))
		pause_ms(1);
	if (strcmp(host, "good.example") == 0)
		assert_true(OK(addr_parse("192.0.2.1", &ret->a[ret->n++])));
	else
		(void)snprintf(ret->why, sizeof ret->why, "no %s", host);
	(void)atomic_fetch_sub(&inside, 1);
}

/* Threads go when the owner has gone, in their own time; what they share goes with the last. */
static void end(struct names *n, uint64_t before)
{
	names_free(n);
	for (unsigned int i = 0; i < 10000 && mem_usage().objects > before; i++)
		pause_ms(1);
}

static void ask(struct user *u, struct names *n, const char *host)
{
	assert_true(OK(names_ask(n, host, &user_loop_type, u->self.v, on_answer)));
}

static void names_have_addresses_or_a_reason(void **state)
{
	struct user *u = (struct user *)*state;
	uint64_t before = mem_usage().objects;
	struct names *n = names_new(u->loop, 2, look);

	heard = (struct heard){ 0 };
	ask(u, n, "good.example");
	assert_int_equal(heard.n, 0);
	RUN_UNTIL(u, heard.n == 1);
	assert_int_equal(heard.last.n, 1);
	assert_int_equal(heard.last.a[0].family, ADDR_V4);
	ask(u, n, "bad.example");
	RUN_UNTIL(u, heard.n == 2);
	assert_int_equal(heard.last.n, 0);
	assert_string_equal(heard.last.why, "no bad.example");
	assert_int_equal(names_ask(n, "", &user_loop_type, u->self.v, on_answer).e, ERR_RANGE);
	end(n, before);
}

static void the_system_knows_its_own_name(void **state)
{
	struct user *u = (struct user *)*state;
	uint64_t before = mem_usage().objects;
	struct names *n = names_new(u->loop, 1, NULL);

	heard = (struct heard){ 0 };
	ask(u, n, "127.0.0.1");
	RUN_UNTIL(u, heard.n == 1);
	assert_int_equal(heard.last.n, 1);
	assert_true(addr_is_loopback(&heard.last.a[0]));
	ask(u, n, "no-such-name.invalid.");
	RUN_UNTIL(u, heard.n == 2);
	assert_int_equal(heard.last.n, 0);
	assert_true(heard.last.why[0] != '\0');
	end(n, before);
}

static void no_more_threads_than_allowed(void **state)
{
	struct user *u = (struct user *)*state;
	uint64_t before = mem_usage().objects;
	struct names *n = names_new(u->loop, 3, look);

	heard = (struct heard){ 0 };
	atomic_store(&most, 0);
	atomic_store(&held, true);
	for (unsigned int i = 0; i < 20; i++)
		ask(u, n, "good.example");
	while (atomic_load(&inside) < 3)
		pause_ms(1);
	atomic_store(&held, false);
	RUN_UNTIL(u, heard.n == 20);
	assert_int_equal(atomic_load(&most), 3);
	end(n, before);
}

static void what_hangs_ends_by_itself(void **state)
{
	struct user *u = (struct user *)*state;
	uint64_t before = mem_usage().objects;
	struct names *n = names_new(u->loop, 1, look);

	heard = (struct heard){ 0 };
	atomic_store(&held, true);
	ask(u, n, "good.example");
	ask(u, n, "good.example"); /* is still in the queue */
	while (atomic_load(&inside) == 0)
		pause_ms(1);
	names_free(n);
	atomic_store(&held, false);
	while (atomic_load(&inside) > 0)
		pause_ms(1);
	for (unsigned int i = 0; i < 5; i++)
		loop_turn(u->loop, false);
	assert_int_equal(heard.n, 0);
	end(NULL, before);
}

static void at_once_where_there_are_no_threads(void **state)
{
	struct user *u = (struct user *)*state;
	uint64_t before = mem_usage().objects;
	struct names *n = names_new(u->loop, 0, look);

	heard = (struct heard){ 0 };
	ask(u, n, "good.example");
	assert_int_equal(heard.n, 0);
	loop_turn(u->loop, false);
	assert_int_equal(heard.n, 1);
	end(n, before);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, user_start, user_end)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(names_have_addresses_or_a_reason), CASE(the_system_knows_its_own_name), CASE(no_more_threads_than_allowed),
		CASE(what_hangs_ends_by_itself), CASE(at_once_where_there_are_no_threads) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
