/*
 * arena.h: memory that lives and dies with one query. Allocation is a bump of a pointer; nothing is freed singly. An arena
 * has a limit in octets: past it arena_alloc gives NULL as when memory ran out, and arena_exhausted() tells which it was.
 * Sanitizer builds poison what is not handed out and what was reset. One thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/own.h"

struct arena;
struct span;

void arena_free(struct arena *a) TAKES(1);
struct arena *arena_new(size_t limit) OWNED_BY(arena_free); /* limit in octets, 0: none. NULL when out of memory */
void *arena_alloc(struct arena *a, size_t size) IN_ARENA NONNULL;                     /* zeroed, aligned for any type; NULL on failure */
void *arena_alloc_array(struct arena *a, size_t n, size_t size) IN_ARENA NONNULL;     /* NULL also when n * size overflows */
void *arena_dup(struct arena *a, const void *p, size_t n) IN_ARENA NONNULL;
char *arena_strdup(struct arena *a, const char *s) IN_ARENA NONNULL;
char *arena_printf(struct arena *a, const char *fmt, ...) IN_ARENA PRINTF_LIKE(2, 3);
void arena_reset(struct arena *a) NONNULL;            /* everything handed out is gone; one block is kept for reuse */
size_t arena_used(const struct arena *a) NONNULL;     /* octets handed out since the last reset */
bool arena_exhausted(const struct arena *a) NONNULL;  /* the limit, not memory, made an allocation fail */

DEFINE_AUTO(struct arena, arena_free)

#endif
