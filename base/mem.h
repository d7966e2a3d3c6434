/*
 * mem.h: the only way to the heap. Every allocation can be made to fail by a test (mem_fail_at), and is counted, so that a
 * test can say "nothing is left". Memory comes zeroed unless said otherwise. All functions are thread-safe.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/own.h"

void mem_free(void *p) TAKES(1); /* NULL is fine */

void *mem_alloc(size_t size) OWNED_BY(mem_free);                 /* zeroed; NULL when out of memory; size 0 gives 1 octet */
void *mem_alloc_raw(size_t size) OWNED_BY(mem_free);             /* not zeroed */
void *mem_alloc_array(size_t n, size_t size) OWNED_BY(mem_free); /* zeroed; NULL also when n * size overflows */
void *mem_alloc_aligned(size_t align, size_t size) OWNED_BY(mem_free); /* zeroed; align a power of two */
char *mem_strdup(const char *s) OWNED_BY(mem_free) NONNULL;
char *mem_strndup(const char *s, size_t n) OWNED_BY(mem_free) NONNULL;
void *mem_dup(const void *p, size_t n) OWNED_BY(mem_free);
char *mem_printf(const char *fmt, ...) OWNED_BY(mem_free) PRINTF_LIKE(1, 2);

/* Resizes *p (which may hold NULL) to n elements of the given size; what is new is zeroed. On failure *p stays as it was. */
RESULT mem_resize(void **p, size_t old_n, size_t n, size_t size) NONNULL;

DEFINE_AUTO(void, mem_free)
static inline UNUSED void mem_free_chars_p(char **p)
{
	mem_free(*p);
	*p = NULL;
}
#define AUTO_CHARS __attribute__((cleanup(mem_free_chars_p)))

/* Gives free pages back to the system: after something large that is not needed again soon. */
void mem_trim(void);

/* For tests: the n-th allocation of this thread from now on fails (0: none), and every one after it while `all` is set. */
void mem_fail_at(uint64_t n, bool all);
/* For tests: each allocation of this thread asks fn whether it is to fail, instead of counting. fn may fork, and may allocate under mem_fail_hold. NULL: none is asked. */
typedef bool mem_fail_fn(void *ctx);
void mem_fail_ask(mem_fail_fn *fn, void *ctx);
/* Between hold and not hold nothing fails and nothing counts towards n: what a test allocates for itself meanwhile. Nests. */
void mem_fail_hold(bool hold);
/* True when the failure that was asked for has happened. */
bool mem_failed(void);
/* Live allocations and their octets in this process, as a test sees them (octets as malloc_usable_size says). */
struct mem_usage {
	uint64_t objects;
	uint64_t octets;
};
struct mem_usage mem_usage(void);

#endif
