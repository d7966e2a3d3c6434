#include "unit.h"

#include <pthread.h>

#include "base/lock.h"

struct shared {
	struct lock lock;
	unsigned int n;
};

static void *add_many(void *p)
{
	struct shared *s = p;

	for (unsigned int i = 0; i < 20000; i++) {
		lock_take(&s->lock);
		s->n++;
		lock_give(&s->lock);
	}
	return NULL;
}

static void one_at_a_time(void **state)
{
	struct shared s = { .n = 0 };
	pthread_t t[4];

	(void)state;
	lock_init(&s.lock);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, add_many, &s), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	lock_done(&s.lock);
	assert_int_equal(s.n, 80000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
