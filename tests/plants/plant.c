/*
 * One fault of each kind that a sanitizer build is there for, in our own ways of memory, loops and threads: whoever runs it must be told.
 *
 *     plant          lists the plants of this build's sanitizer: name, a tab, a part of what the report must say
 *     plant NAME     does it; ends with 0 only when nobody noticed
 *
 * tests/stages/ci/35-plants runs them all in each sanitizer's build.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/epoch.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "validator/hash.h"

#if defined(__has_feature)
#define HAVE(x) __has_feature(x)
#else
#define HAVE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HAVE(address_sanitizer)
#define ADDRESS 1
#endif
#if defined(__SANITIZE_THREAD__) || HAVE(thread_sanitizer)
#define THREAD 1
#endif
#if HAVE(memory_sanitizer)
#define MEMORY 1
#endif

/* Where results go, so that no compiler sees that nobody wants them. */
static volatile uint64_t sink;

/* --- of loops: an object that closes itself, and whose memory is kept a turn too long */

LOOP_HANDLE(guest)
LOOP_HANDLE_IMPL(guest)

struct guest {
	guest_h self;
	struct dead dead;
	unsigned int hits;
};

static void guest_free(struct dead *d)
{
	mem_free((char *)d - offsetof(struct guest, dead));
}

static struct loop *new_loop(void) OWNED_BY(loop_free);
static struct loop *new_loop(void)
{
	struct loop_backend b;

	if (loop_event_backend(&b).e != ERR_NONE)
		return NULL;
	return loop_new(&b, NULL, NULL);
}

static UNUSED void grave(void)
{
	AUTO(loop_free) struct loop *l = new_loop();
	struct guest *g = mem_alloc(sizeof(*g));

	if (l == NULL || g == NULL)
		exit(2);
	g->self = guest_enlist(l, g);
	guest_retire(l, g->self);
	loop_bury(l, &g->dead, guest_free);
	sink = g->hits;         /* until the turn ends this is right */
	loop_turn(l, false);
	sink = g->hits;
}

/* --- of shared objects: one that was replaced, looked at after its reader said that it holds nothing */

struct shared {
	struct retired r;
	uint64_t value;
};

static void shared_free(struct retired *r)
{
	mem_free((char *)r - offsetof(struct shared, r));
}

static UNUSED void after_turn(void)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *m = epoch_join(e);
	struct shared *s = mem_alloc(sizeof(*s));

	if (m == NULL || s == NULL)
		exit(2);
	epoch_online(m);
	epoch_retire(m, &s->r, sizeof(*s), shared_free);
	sink = s->value;        /* in the turn in which it was replaced, right */
	epoch_quiesce(m);
	epoch_quiesce(m);
	sink = s->value;
	epoch_leave(m);
}

/* --- of memory */

static UNUSED void overflow(void)
{
	AUTO(mem_free) void *p = mem_alloc(8);

	sink = ((volatile char *)p)[8];
}

static UNUSED void use_after_free(void)
{
	void *volatile p = mem_alloc(8);

	mem_free(p);
	sink = (uint64_t)((volatile char *)p)[0];
}

static UNUSED void double_free(void)
{
	void *volatile p = mem_alloc(8);

	free(p);
	free(p);
}

static volatile char *stale BORROWED_FIELD;

static __attribute__((noinline)) void leave_address(void)
{
	char here[32];

	memset(here, 1, sizeof(here));
	stale = (volatile char *)(uintptr_t)here;
	sink = (uint64_t)here[3];
}

static UNUSED void stack_after_return(void)
{
	leave_address();
	sink = (uint64_t)stale[3];
}

static UNUSED void arena_after_reset(void)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	volatile char *p = arena_alloc(a, 16);

	arena_reset(a);
	sink = (uint64_t)p[0];
}

static UNUSED void arena_overflow(void)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	volatile char *p = arena_alloc(a, 16);

	if (arena_alloc(a, 16) == NULL)
		exit(2);
	sink = (uint64_t)p[16];
}

/* A look at an element of an array that grew meanwhile. */
static UNUSED void array_grew(void)
{
	AUTO(mem_free) void *p = mem_alloc_array(4, 8);
	const volatile uint64_t *first = p;

	if (p == NULL || mem_resize(&p, 4, 100000, 8).e != ERR_NONE)
		exit(2);
	sink = *first;
}

static void *volatile lost OWNED_FIELD;

static UNUSED void leak(void)
{
	lost = mem_alloc(77);
	sink = lost != NULL;
	lost = NULL;
}

/* --- of undefined behaviour */

static UNUSED void signed_overflow(void)
{
	volatile int most = 0x7fffffff;

	sink = (uint64_t)(most + 1);
}

static UNUSED void shift(void)
{
	volatile unsigned int by = 32;

	sink = 1u << by;
}

static UNUSED void counted_array(void)
{
	static const char four[4] = "abc";
	volatile unsigned int at = 4;

	sink = (uint64_t)four[at];
}

static UNUSED void misaligned(void)
{
	char room[16] = "";
	char *volatile p = room + 1;

	sink = *(const uint32_t *)(const void *)p;
}

static int takes_int(int *n)
{
	return *n;
}

static UNUSED void wrong_function(void)
{
	int n = 0;
	int (*volatile fn)(const char *);
	int (*right)(int *) = takes_int;

	memcpy((void *)(uintptr_t)&fn, &right, sizeof(fn));
	sink = (uint64_t)fn((const char *)&n);
}

/* --- of threads */

static uint64_t plain; /* what should have been an atomic */

static void *add(void *nothing) BORROWED;
static void *add(void *nothing)
{
	(void)nothing;
	for (int i = 0; i < 1000; i++)
		plain++;
	return NULL;
}

static UNUSED void race(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, add, NULL) != 0)
		exit(2);
	add(NULL);
	pthread_join(t, NULL);
	sink = plain;
}

/* Two loops on threads of their own, as workers are; a message asks each to add to what neither owns. */
struct job {
	struct message m;
	unsigned int left;
	struct loop *other BORROWED_FIELD;
};

static void job_free(struct message *m)
{
	mem_free(m);
}

static void job_run(struct loop *l, struct message *m);

static void send(struct loop *to, struct loop *from, unsigned int left)
{
	struct job *j = mem_alloc(sizeof(*j));

	if (j == NULL)
		exit(2);
	j->m.run = job_run;
	j->m.free = job_free;
	j->left = left;
	j->other = from;
	loop_post(to, &j->m);
}

static void job_run(struct loop *l, struct message *m)
{
	struct job *j = (struct job *)(void *)m;

	add(NULL);
	if (j->left > 0)
		send(l, j->other, j->left - 1);
	else
		loop_stop(l);
}

static void *turn(void *loop) BORROWED;
static void *turn(void *loop)
{
	loop_run(loop);
	return NULL;
}

static UNUSED void race_of_loops(void)
{
	AUTO(loop_free) struct loop *a = new_loop();
	AUTO(loop_free) struct loop *b = new_loop();
	pthread_t ta, tb;

	send(a, b, 50);
	send(b, a, 50);
	if (pthread_create(&ta, NULL, turn, a) != 0 || pthread_create(&tb, NULL, turn, b) != 0)
		exit(2);
	pthread_join(ta, NULL);
	pthread_join(tb, NULL);
}

/* A reader that goes on looking after it has said, on its own thread, that it holds nothing. */
struct pair {
	struct epoch *e OWNED_FIELD;
	_Atomic(struct shared *) slot SHARED_FIELD;
	_Atomic int stage;
};

static void until(struct pair *p, int stage)
{
	while (atomic_load_explicit(&p->stage, memory_order_relaxed) < stage)
		usleep(100);
}

static void *reader(void *pair) BORROWED;
static void *reader(void *pair)
{
	struct pair *p = pair;
	struct epoch_member *m = epoch_join(p->e);
	const struct shared *s;

	if (m == NULL)
		exit(2);
	epoch_online(m);
	s = atomic_load_explicit(&p->slot, memory_order_acquire);
	sink = s->value;
	atomic_store_explicit(&p->stage, 1, memory_order_relaxed);
	until(p, 2);
	epoch_quiesce(m);
	until(p, 3);
	sink = s->value;
	epoch_leave(m);
	return NULL;
}

static UNUSED void shared_after_turn(void)
{
	struct pair p = { .e = epoch_new() };
	struct epoch_member *m = epoch_join(p.e);
	struct shared *s = mem_alloc(sizeof(*s));
	pthread_t t;

	if (m == NULL || s == NULL)
		exit(2);
	epoch_online(m);
	atomic_store(&p.slot, s);
	if (pthread_create(&t, NULL, reader, &p) != 0)
		exit(2);
	until(&p, 1);
	atomic_store(&p.slot, NULL);
	epoch_retire(m, &s->r, sizeof(*s), shared_free);
	atomic_store_explicit(&p.stage, 2, memory_order_relaxed);
	while (epoch_retired_octets(p.e) > 0) {
		epoch_quiesce(m);
		usleep(100);
	}
	atomic_store_explicit(&p.stage, 3, memory_order_relaxed);
	pthread_join(t, NULL);
	epoch_leave(m);
	epoch_free(p.e);
}

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;

static UNUSED void lock_order(void)
{
	pthread_mutex_lock(&first);
	pthread_mutex_lock(&second);
	pthread_mutex_unlock(&second);
	pthread_mutex_unlock(&first);
	pthread_mutex_lock(&second);
	pthread_mutex_lock(&first);
	pthread_mutex_unlock(&first);
	pthread_mutex_unlock(&second);
}

/* --- of what was never written */

static UNUSED void unwritten_heap(void)
{
	AUTO(mem_free) void *p = mem_alloc_raw(8);

	if (((volatile char *)p)[3] == 7)
		sink = 1;
}

static UNUSED void unwritten_stack(void)
{
	volatile int n[4];

	if (n[sink & 3] == 7)
		sink = 1;
}

/* What goes to libcrypto, which nobody instrumented, is looked at on the way. */
static UNUSED void unwritten_hashed(void)
{
	uint8_t text[32], digest[HASH_MAX_OCTETS];
	struct span piece = span_of(text, sizeof(text));

	memset(text, 1, 16);
	sink = hash_pieces(HASH_SHA256, &piece, 1, digest);
}

static const struct plant {
	const char *name BORROWED_FIELD;
	void (*run)(void);
	const char *says BORROWED_FIELD;
} plants[] = {
#ifdef ADDRESS
	{ "overflow", overflow, "heap-buffer-overflow" },
	{ "use-after-free", use_after_free, "heap-use-after-free" },
	{ "double-free", double_free, "double-free" },
	{ "stack-after-return", stack_after_return, "stack-use-after-return" },
	{ "arena-after-reset", arena_after_reset, "use-after-poison" },
	{ "arena-overflow", arena_overflow, "use-after-poison" },
	{ "grave", grave, "heap-use-after-free" },
	{ "after-turn", after_turn, "heap-use-after-free" },
	{ "array-grew", array_grew, "heap-use-after-free" },
	{ "leak", leak, "LeakSanitizer: detected memory leaks" },
	{ "signed-overflow", signed_overflow, "signed integer overflow" },
	{ "shift", shift, "shift exponent 32 is too large" },
	{ "counted-array", counted_array, "out of bounds" },
	{ "misaligned", misaligned, "misaligned address" },
#ifdef __clang__
	{ "wrong-function", wrong_function, "through pointer to incorrect function type" },
#endif
#endif
#ifdef THREAD
	{ "race", race, "data race" },
	{ "race-of-loops", race_of_loops, "data race" },
	{ "shared-after-turn", shared_after_turn, "ThreadSanitizer" },
	{ "lock-order", lock_order, "lock-order-inversion" },
#endif
#ifdef MEMORY
	{ "unwritten-heap", unwritten_heap, "use-of-uninitialized-value" },
	{ "unwritten-stack", unwritten_stack, "use-of-uninitialized-value" },
	{ "unwritten-hashed", unwritten_hashed, "Uninitialized bytes" },
#endif
	{ NULL, NULL, NULL },
};

int main(int argc, char **argv)
{
	for (const struct plant *p = plants; p->name != NULL; p++) {
		if (argc < 2)
			printf("%s\t%s\n", p->name, p->says);
		else if (strcmp(argv[1], p->name) == 0) {
			p->run();
			return 0;
		}
	}
	return argc < 2 ? 0 : 2;
}
