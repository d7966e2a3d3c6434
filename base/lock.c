#include "base/lock.h"

#include <stdlib.h>

/* An error here means that the lock's memory is not a lock: nothing that can be handled. */
static void must(int rc)
{
	if (rc != 0)
		abort();
}

void lock_init(struct lock *l)
{
	must(pthread_mutex_init(&l->m, NULL));
}

void lock_done(struct lock *l)
{
	must(pthread_mutex_destroy(&l->m));
}

void NO_THREAD_SAFETY lock_take(struct lock *l)
{
	must(pthread_mutex_lock(&l->m));
}

void NO_THREAD_SAFETY lock_give(struct lock *l)
{
	must(pthread_mutex_unlock(&l->m));
}
