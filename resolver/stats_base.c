#include "resolver/stats_base.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"

LOOP_HANDLE(stats_base)
LOOP_HANDLE_IMPL(stats_base)

struct stats_base {
	struct loop *loop PARENT_FIELD;
	stats_base_h self;
	timer_h timer;
	uint64_t log_every_sec;
	bool cumulative;
	uint64_t since_ms;
	unsigned int workers, room;
	struct counted *of OWNED_FIELD; /* room */
};

struct counted {
	const struct stats *now PARENT_FIELD;
	uint64_t zero[COUNTERS]; /* what they were */
};

void stats_base_free(struct stats_base *b)
{
	if (b == NULL)
		return;
	loop_timer_stop(b->loop, &b->timer);
	if (b->self.v != 0)
		stats_base_retire(b->loop, b->self);
	mem_free(MOVE(b->of));
	mem_free(b);
}

struct stats_base *stats_base_new(struct loop *l, unsigned int workers)
{
	AUTO(stats_base_free) struct stats_base *b = mem_alloc(sizeof *b);

	if (b == NULL)
		return NULL;
	b->loop = l;
	b->room = workers;
	b->of = mem_alloc_array(workers, sizeof *b->of);
	b->self = stats_base_enlist(l, b);
	if (b->of == NULL || b->self.v == 0)
		return NULL;
	b->since_ms = now_ms(loop_now(l));
	return MOVE(b);
}

void stats_base_add(struct stats_base *b, const struct stats *s)
{
	if (b->workers < b->room)
		b->of[b->workers++].now = s;
}

unsigned int stats_base_workers(const struct stats_base *b)
{
	return b->workers;
}

uint64_t stats_base_since_ms(const struct stats_base *b)
{
	return b->since_ms;
}

uint64_t stats_base_count(const struct stats_base *b, unsigned int worker, enum counter k)
{
	const struct counted *c = &b->of[worker];

	return stats_get(c->now, k) - (k == COUNT_LIST_MAX ? 0 : c->zero[k]);
}

uint64_t stats_base_total(const struct stats_base *b, enum counter k)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < b->workers; i++) {
		uint64_t n = stats_base_count(b, i, k);

		if (k != COUNT_LIST_MAX)
			sum += n;
		else if (n > sum)
			sum = n;
	}
	return sum;
}

void stats_base_zero(struct stats_base *b)
{
	b->since_ms = now_ms(loop_now(b->loop));
	for (unsigned int i = 0; i < b->workers; i++)
		for (unsigned int k = 0; k < COUNTERS; k++)
			b->of[i].zero[k] = stats_get(b->of[i].now, (enum counter)k);
}

void stats_base_told(struct stats_base *b)
{
	if (b->cumulative)
		b->since_ms = now_ms(loop_now(b->loop));
	else
		stats_base_zero(b);
}

/* In the words of Unbound's lines, which programs read. */
static void log_worker(const struct stats_base *b, unsigned int i)
{
	uint64_t misses = stats_base_count(b, i, COUNT_CACHE_MISSES), replies = stats_base_count(b, i, COUNT_RECURSIVE_REPLIES), us = stats_base_count(b, i, COUNT_RECURSION_US);

	log_info("server stats for thread %u: %" PRIu64 " queries, %" PRIu64 " answers from cache, %" PRIu64 " recursions, %" PRIu64 " prefetch, %" PRIu64
		 " rejected by ip ratelimiting",
	    i, stats_base_count(b, i, COUNT_QUERIES), stats_base_count(b, i, COUNT_CACHE_HITS), misses, stats_base_count(b, i, COUNT_PREFETCHES),
	    stats_base_count(b, i, COUNT_QUERIES_RATELIMITED));
	log_info("server stats for thread %u: requestlist max %" PRIu64 " avg %g exceeded %" PRIu64 " jostled %" PRIu64, i, stats_base_count(b, i, COUNT_LIST_MAX),
	    misses > 0 ? (double)stats_base_count(b, i, COUNT_LIST_SUM) / (double)misses : 0.0, stats_base_count(b, i, COUNT_LIST_EXCEEDED),
	    stats_base_count(b, i, COUNT_LIST_OVERWRITTEN));
	if (replies > 0)
		log_info("server stats for thread %u: %" PRIu64 " recursion replies sent, average recursion processing time %" PRIu64 ".%06u sec", i, replies,
		    us / replies / 1000000, (unsigned int)(us / replies % 1000000));
}

static RESULT log_later(struct stats_base *b);

static void on_time(struct loop *l, void *object)
{
	struct stats_base *b = object;

	(void)l;
	b->timer = (timer_h){ 0 };
	for (unsigned int i = 0; i < b->workers; i++)
		log_worker(b, i);
	stats_base_told(b);
	if (!OK(log_later(b)))
		log_error("statistics-interval: out of memory: no more statistics before the next reload");
}

static RESULT log_later(struct stats_base *b)
{
	struct result r = DONE;

	loop_timer_stop(b->loop, &b->timer);
	if (b->log_every_sec > 0)
		r = loop_timer(b->loop, &stats_base_loop_type, b->self.v, on_time, b->log_every_sec * 1000, &b->timer);
	return r;
}

RESULT stats_base_set(struct stats_base *b, uint64_t log_every_sec, bool cumulative)
{
	b->cumulative = cumulative;
	if (log_every_sec == b->log_every_sec && b->timer.v != 0)
		return DONE;
	b->log_every_sec = log_every_sec;
	return log_later(b);
}
