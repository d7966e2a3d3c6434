/*
 * The only file that calls the C library's allocator.
 *
 * Accounting. Each thread counts for itself, with plain stores that only it makes, so that an allocation costs no shared
 * write. Memory freed by another thread than the one that asked for it makes single counts wrap; their sum is right. When a
 * thread ends its counts are folded into a common one; what its later destructors still allocate is counted there directly.
 */
#include "base/mem.h"

#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum count_state { COUNT_NEW = 0, COUNT_LINKED, COUNT_FOLDED };

struct count {
	_Atomic uint64_t objects;
	_Atomic uint64_t octets;
	struct count *prev PARENT_FIELD; /* neighbours in all_counts, under counts_lock */
	struct count *next PARENT_FIELD;
	enum count_state state;
};

struct failing {
	uint64_t in; /* allocations until the one that fails; 0: none asked for */
	bool all;    /* those after it fail too */
	bool happened;
	unsigned int held;
	mem_fail_fn *ask; /* decides instead, while `in` is not 0 */
	void *ctx BORROWED_FIELD; /* of ask: the test's, as long as it lets itself be asked */
};

static pthread_mutex_t counts_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t counts_once = PTHREAD_ONCE_INIT;
static pthread_key_t counts_key;
static struct count *all_counts PARENT_FIELD;
static struct count folded = { .state = COUNT_FOLDED };

static _Thread_local struct count my_count;
static _Thread_local struct failing my_failing;

/* Runs when a thread ends: its thread-local memory goes away, its counts stay. */
static void counts_fold(void *p)
{
	struct count *c = p;

	pthread_mutex_lock(&counts_lock);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		all_counts = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	atomic_fetch_add_explicit(&folded.objects, atomic_load_explicit(&c->objects, memory_order_relaxed), memory_order_relaxed);
	atomic_fetch_add_explicit(&folded.octets, atomic_load_explicit(&c->octets, memory_order_relaxed), memory_order_relaxed);
	c->state = COUNT_FOLDED;
	pthread_mutex_unlock(&counts_lock);
}

static void counts_make_key(void)
{
	if (pthread_key_create(&counts_key, counts_fold) != 0)
		abort();
}

static void counts_link(struct count *c)
{
	pthread_once(&counts_once, counts_make_key);
	if (pthread_setspecific(counts_key, c) != 0) {
		c->state = COUNT_FOLDED;
		return;
	}
	pthread_mutex_lock(&counts_lock);
	c->next = all_counts;
	if (all_counts != NULL)
		all_counts->prev = c;
	all_counts = c;
	c->state = COUNT_LINKED;
	pthread_mutex_unlock(&counts_lock);
}

static void count_shared(uint64_t objects, uint64_t octets)
{
	atomic_fetch_add_explicit(&folded.objects, objects, memory_order_relaxed);
	atomic_fetch_add_explicit(&folded.octets, octets, memory_order_relaxed);
}

/* Adds modulo 2^64, so that a negative number can be given. */
static inline void count(uint64_t objects, uint64_t octets)
{
	struct count *c = &my_count;

	if (__builtin_expect(c->state != COUNT_LINKED, 0)) {
		if (c->state == COUNT_NEW)
			counts_link(c);
		if (c->state == COUNT_FOLDED) {
			count_shared(objects, octets);
			return;
		}
	}
	atomic_store_explicit(&c->objects, atomic_load_explicit(&c->objects, memory_order_relaxed) + objects, memory_order_relaxed);
	atomic_store_explicit(&c->octets, atomic_load_explicit(&c->octets, memory_order_relaxed) + octets, memory_order_relaxed);
}

static inline void *counted(void *p) BORROWED;
static inline void *counted(void *p)
{
	if (__builtin_expect(p != NULL, 1))
		count(1, malloc_usable_size(p));
	return p;
}

static bool failing_now(void)
{
	struct failing *f = &my_failing;

	if (f->held > 0)
		return false;
	if (f->ask != NULL) {
		bool fails = f->ask(f->ctx);

		f->happened |= fails;
		return fails;
	}
	if (f->in > 1) {
		f->in--;
		return false;
	}
	if (!f->all)
		f->in = 0;
	f->happened = true;
	return true;
}

static inline bool must_fail(void)
{
	return __builtin_expect(my_failing.in != 0, 0) && failing_now();
}

void mem_fail_at(uint64_t n, bool all)
{
	my_failing = (struct failing){ n, all, false, my_failing.held, NULL, NULL };
}

void mem_fail_ask(mem_fail_fn *fn, void *ctx)
{
	my_failing = (struct failing){ fn != NULL, false, false, my_failing.held, fn, ctx };
}

void mem_fail_hold(bool hold)
{
	if (hold)
		my_failing.held++;
	else
		my_failing.held--;
}

bool mem_failed(void)
{
	return my_failing.happened;
}

struct mem_usage mem_usage(void)
{
	struct mem_usage u;

	pthread_mutex_lock(&counts_lock);
	u.objects = atomic_load_explicit(&folded.objects, memory_order_relaxed);
	u.octets = atomic_load_explicit(&folded.octets, memory_order_relaxed);
	for (const struct count *c = all_counts; c != NULL; c = c->next) {
		u.objects += atomic_load_explicit(&c->objects, memory_order_relaxed);
		u.octets += atomic_load_explicit(&c->octets, memory_order_relaxed);
	}
	pthread_mutex_unlock(&counts_lock);
	return u;
}

void mem_free(void *p)
{
	if (p == NULL)
		return;
	count((uint64_t)-1, (uint64_t)0 - malloc_usable_size(p));
	free(p);
}

void *mem_alloc(size_t size)
{
	return must_fail() ? NULL : counted(calloc(1, size != 0 ? size : 1));
}

void *mem_alloc_raw(size_t size)
{
	return must_fail() ? NULL : counted(malloc(size != 0 ? size : 1));
}

void *mem_alloc_array(size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) /* sanitizers end a program that leaves this to calloc */
		return NULL;
	return mem_alloc(all);
}

void *mem_alloc_aligned(size_t align, size_t size)
{
	void *p = NULL;

	if (must_fail())
		return NULL;
	if (align < sizeof(void *))
		align = sizeof(void *);
	if (size == 0)
		size = 1;
	if (posix_memalign(&p, align, size) != 0)
		return NULL;
	memset(p, 0, size);
	return counted(p);
}

char *mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s) + 1);
}

char *mem_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = mem_alloc_raw(len + 1);

	if (p == NULL)
		return NULL;
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void *mem_dup(const void *p, size_t n)
{
	void *q = mem_alloc_raw(n);

	if (q != NULL && n != 0)
		memcpy(q, p, n);
	return q;
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	p = mem_alloc_raw((size_t)n + 1);
	if (p == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

/* *holder is a pointer of any object type, so it is read and written as octets, whatever the caller's type is. */
RESULT mem_resize(void **holder, size_t old_n, size_t n, size_t size)
{
	size_t want, had, old_usable;
	void *p, *q;

	if (__builtin_mul_overflow(n, size, &want) || must_fail())
		return FAIL(ERR_NOMEM);
	memcpy(&p, holder, sizeof(p));
	had = old_n * size;
	old_usable = p != NULL ? malloc_usable_size(p) : 0;
	q = realloc(p, want != 0 ? want : 1);
	if (q == NULL)
		return FAIL(ERR_NOMEM);
	count(p == NULL, malloc_usable_size(q) - old_usable);
	if (want > had)
		memset((char *)q + had, 0, want - had);
	memcpy(holder, &q, sizeof(q));
	return DONE;
}

void mem_trim(void)
{
	(void)malloc_trim(0);
}
