/* lock.h: a mutex that clang's analysis knows. For what only misses touch; nothing on the way of a hit takes one. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>

#include "base/own.h"

struct LOCKABLE lock {
	pthread_mutex_t m;
};

void lock_init(struct lock *l) NONNULL;
void lock_done(struct lock *l) NONNULL;
void lock_take(struct lock *l) ACQUIRES(*l) NONNULL;
void lock_give(struct lock *l) RELEASES(*l) NONNULL;

#endif
