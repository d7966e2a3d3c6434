#include <pthread.h>
#include "tests/lint/cases/ownlint/zone.h"
struct count {
	_Atomic int hits;
	_Atomic int misses;
};
static const int table[] = { 1, 2 };
static _Atomic int calls;
static struct count counts;
static _Thread_local int mine;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int guarded; /* own-ok: R14 under the lock above */
int note(void);
int note(void)
{
	static const char *const words[] = { "a" };

	pthread_mutex_lock(&lock);
	guarded++;
	pthread_mutex_unlock(&lock);
	calls++;
	counts.hits++;
	return table[0] + words[0][0] + mine++;
}
