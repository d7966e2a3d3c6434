/*
 * Invariants: (1) `put` and `taken` only grow, by whole frames; put - taken <= size. (2) a frame is a length of 32 bits and its octets, in steps of eight, and never goes over the end of
 * the block: SKIP stands where the rest of the block is left out. (3) what lies between taken and put belongs to the taking thread, all else to the putting one.
 */
#include "resolver/dnstap/ring.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

#define LEAST 4096u
#define STEP 8u
#define SKIP UINT32_MAX

struct tap_ring {
	_Alignas(64) _Atomic size_t put; /* written by the putting thread */
	_Alignas(64) _Atomic size_t taken; /* written by the taking thread */
	size_t size;
	uint8_t *block OWNED_FIELD;
};

void tap_ring_free(struct tap_ring *r)
{
	if (r == NULL)
		return;
	mem_free(MOVE(r->block));
	mem_free(r);
}

struct tap_ring *tap_ring_new(size_t octets)
{
	AUTO(tap_ring_free) struct tap_ring *r = mem_alloc_aligned(_Alignof(struct tap_ring), sizeof *r);
	size_t size = LEAST;

	if (r == NULL)
		return NULL;
	while (size < octets && size <= SIZE_MAX / 4)
		size *= 2;
	atomic_init(&r->put, 0);
	atomic_init(&r->taken, 0);
	r->size = size;
	r->block = mem_alloc(size);
	return r->block != NULL ? MOVE(r) : NULL;
}

static size_t frame_size(size_t n)
{
	return (sizeof(uint32_t) + n + STEP - 1) / STEP * STEP;
}

static void set_length(struct tap_ring *r, size_t at, uint32_t n)
{
	memcpy(r->block + (at & (r->size - 1)), &n, sizeof n);
}

/* Octets that a frame of that size would have to leave out before it. */
static size_t gap(const struct tap_ring *r, size_t at, size_t size)
{
	size_t left = r->size - (at & (r->size - 1));

	return left >= size ? 0 : left;
}

uint8_t *tap_ring_room(struct tap_ring *r, size_t n)
{
	size_t put = atomic_load_explicit(&r->put, memory_order_relaxed), taken = atomic_load_explicit(&r->taken, memory_order_acquire);
	size_t size = frame_size(n), skip;

	if (n > r->size / 4)
		return NULL;
	skip = gap(r, put, size);
	if (put - taken + skip + size > r->size)
		return NULL;
	if (skip > 0)
		set_length(r, put, SKIP);
	return r->block + ((put + skip) & (r->size - 1)) + sizeof(uint32_t);
}

bool tap_ring_commit(struct tap_ring *r, size_t n)
{
	size_t before = atomic_load_explicit(&r->put, memory_order_relaxed), taken = atomic_load_explicit(&r->taken, memory_order_relaxed);
	size_t size = frame_size(n), put = before + gap(r, before, size);

	set_length(r, put, (uint32_t)n);
	atomic_store_explicit(&r->put, put + size, memory_order_release);
	return before - taken <= r->size / 2 && put + size - taken > r->size / 2;
}

static uint32_t length_at(const struct tap_ring *r, size_t at)
{
	uint32_t n;

	memcpy(&n, r->block + (at & (r->size - 1)), sizeof n);
	return n;
}

bool tap_ring_next(struct tap_ring *r, struct span *ret)
{
	size_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);

	if (taken == atomic_load_explicit(&r->put, memory_order_acquire))
		return false;
	if (length_at(r, taken) == SKIP) {
		taken += r->size - (taken & (r->size - 1));
		atomic_store_explicit(&r->taken, taken, memory_order_release);
	}
	*ret = span_of(r->block + (taken & (r->size - 1)) + sizeof(uint32_t), length_at(r, taken));
	return true;
}

void tap_ring_done(struct tap_ring *r)
{
	size_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);

	atomic_store_explicit(&r->taken, taken + frame_size(length_at(r, taken)), memory_order_release);
}
