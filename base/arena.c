/*
 * An arena is a list of blocks, newest first; allocation bumps a position in the newest. A request that does not fit gets a new
 * block: twice the last one's size up to BLOCK_MAX, or as large as the request. Zeroing is done when memory is handed out, so
 * that a block can be used again without touching what was never used.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/poison.h"

#define BLOCK_MIN ((size_t)2048)
#define BLOCK_MAX ((size_t)65536)
#define ALIGN _Alignof(max_align_t)

struct block {
	struct block *next OWNED_FIELD;
	size_t size; /* octets of data */
	size_t pos;  /* the first octet of data that is free */
	_Alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct block *top OWNED_FIELD; /* where allocation happens; NULL before the first */
	size_t limit;                  /* octets, SIZE_MAX for none */
	size_t used;                   /* octets handed out, rounded up for alignment */
	bool exhausted;
};

static void block_free(struct block *b) TAKES(1);
static void block_free(struct block *b)
{
	if (b == NULL)
		return;
	poison_clear(b->data, b->size);
	mem_free(b);
}
DEFINE_AUTO(struct block, block_free)

static void blocks_free(struct block *b) TAKES(1);
static void blocks_free(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;

		block_free(b);
		b = next;
	}
}

struct arena *arena_new(size_t limit)
{
	AUTO(arena_free) struct arena *a = mem_alloc(sizeof(*a));

	if (a == NULL)
		return NULL;
	a->limit = limit != 0 ? limit : SIZE_MAX;
	return MOVE(a);
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	blocks_free(a->top);
	mem_free(a);
}

static bool arena_grow(struct arena *a, size_t need)
{
	size_t size = a->top == NULL ? BLOCK_MIN : a->top->size < BLOCK_MAX / 2 ? a->top->size * 2 : BLOCK_MAX;
	AUTO(block_free) struct block *b = NULL;

	if (size < need)
		size = need;
	b = mem_alloc_raw(sizeof(*b) + size);
	if (b == NULL)
		return false;
	*b = (struct block){ .next = a->top, .size = size };
	poison_set(b->data, size);
	a->top = MOVE(b);
	return true;
}

/* Gives n octets that are not zeroed. n is at most PTRDIFF_MAX; the limit counts the octets rounded up, without the gap. */
static void *arena_take(struct arena *a, size_t n) IN_ARENA;
static void *arena_take(struct arena *a, size_t n)
{
	size_t round = (n + ALIGN - 1) / ALIGN * ALIGN;
	unsigned char *p;

	if (round > a->limit - a->used) {
		a->exhausted = true;
		return NULL;
	}
	if ((a->top == NULL || round + POISON_GAP > a->top->size - a->top->pos) && !arena_grow(a, round + POISON_GAP))
		return NULL;
	p = a->top->data + a->top->pos;
	a->top->pos += round + POISON_GAP;
	a->used += round;
	poison_clear(p, n);
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p;

	if (size == 0)
		size = 1;
	if (size > PTRDIFF_MAX) {
		a->exhausted = a->limit != SIZE_MAX;
		return NULL;
	}
	p = arena_take(a, size);
	return p != NULL ? memset(p, 0, size) : NULL;
}

void *arena_alloc_array(struct arena *a, size_t n, size_t size)
{
	size_t all;

	return __builtin_mul_overflow(n, size, &all) ? NULL : arena_alloc(a, all);
}

void *arena_dup(struct arena *a, const void *p, size_t n)
{
	void *q = arena_take(a, n != 0 ? n : 1);

	if (q != NULL && n != 0)
		memcpy(q, p, n);
	return q;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_dup(a, s, strlen(s) + 1);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	p = arena_take(a, (size_t)n + 1);
	if (p == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void arena_reset(struct arena *a)
{
	struct block *keep = a->top;

	a->used = 0;
	a->exhausted = false;
	if (keep == NULL)
		return;
	blocks_free(MOVE(keep->next));
	keep->pos = 0;
	poison_set(keep->data, keep->size);
	if (keep->size > BLOCK_MAX) /* made for one huge request: not worth holding */
		block_free(MOVE(a->top));
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

bool arena_exhausted(const struct arena *a)
{
	return a->exhausted;
}
