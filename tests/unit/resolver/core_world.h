/*
 * core_world.h: a core with its caches on a loop with virtual time, and in place of serve/upstream.c scripted servers: each test program that links
 * core_world.c asks them, and sees which questions they got.
 */
#ifndef TESTS_UNIT_RESOLVER_CORE_WORLD_H
#define TESTS_UNIT_RESOLVER_CORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolver/core/core.h"
#include "resolver/stats.h"

/*
 * What a server says. The first line that fits answers; none: the question times out.
 * server: address, or "*". name: "www.example.com.", or ".example.com." for it and all below, or "*". type: "A", or "*".
 * reply: words and records, separated by ';' : flags (AA RA TC), an rcode, DROP (silence), GARBAGE, UNREACHABLE; a record stands in the section named last
 * (an:, ns:, ar:), at first in the answer. "Q" in place of an owner is the name asked for.
 */
struct line {
	const char *server, *name, *type, *reply;
};

struct world;
struct told {
	unsigned int times;
	uint16_t rcode;
	bool stale, cacheable;
	uint32_t ttl;
	uint16_t ede[ANSWER_EDES];
	char ede_text[ANSWER_EDES][300]; /* "": none */
	size_t ede_count;
	char text[4000]; /* "an: record; record | ns: ... | ar: ..." with TTLs */
	char why[600];
};

/* conf: lines of cairn.conf; lines ends with one whose server is NULL. Both live as long as the world. */
struct world *world_new(const char *conf, const struct line *lines);
void world_free(struct world *w);
void world_set_lines(struct world *w, const struct line *lines);
/* Asks and runs until told or `limit_ms` of virtual time have passed. */
const struct told *world_ask(struct world *w, const char *name, const char *type);
const struct told *world_ask_with(struct world *w, const char *name, const char *type, const struct resolve_request *like);
/* Asks and does not wait: the number of the question, for world_told() and world_cancel(). */
size_t world_begin(struct world *w, const char *name, const char *type, const struct resolve_request *like);
const struct told *world_told(struct world *w, size_t question);
/* The n-th allocation from the next question on fails. */
void world_fail_at(struct world *w, uint64_t n);
void world_cancel(struct world *w, size_t question);
void world_run(struct world *w, uint32_t ms); /* lets virtual time pass */
/* Packets the servers got since the last call of world_forget(). */
unsigned int world_packets(const struct world *w);
const char *world_log(const struct world *w); /* "SERVER NAME TYPE\n" for each; " without-DO" and " plain" (case) where it is so */
uint32_t world_timeout_ms(const struct world *w); /* that the last one was given */
void world_forget(struct world *w);
uint64_t world_count(const struct world *w, enum counter c);
struct core *world_core(struct world *w);
struct route_board;
struct rrcache;
struct route_board *world_routes(struct world *w); /* nothing hangs there at first */
struct rrcache *world_cache(struct world *w);
struct core_shared *world_shared(struct world *w);
struct epoch_member *world_member(struct world *w);
struct now world_now(const struct world *w);
/* A second core, of another worker, that shares caches and questions in flight; world_begin() and world_ask() act on core `n`. */
void world_use_core(struct world *w, size_t n);

#define assert_has(text, part) \
	do { \
		if (strstr((text), (part)) == NULL) \
			fail_msg("\"%s\" has no \"%s\"", (text), (part)); \
	} while (0)
#define assert_has_not(text, part) \
	do { \
		if (strstr((text), (part)) != NULL) \
			fail_msg("\"%s\" has \"%s\"", (text), (part)); \
	} while (0)

/* What most tests begin and end with: a world `w`, and `t` for what was told; nothing is left behind. */
#define BEGIN(conf, lines) \
	struct mem_usage before = mem_usage(); \
	struct world *w = world_new((conf), (lines)); \
	const struct told *t = NULL; \
	(void)t; \
	(void)state
#define END \
	world_free(w); \
	assert_int_equal(mem_usage().objects, before.objects)

/* Nothing is asked but what the question needs. */
#define CONF "server:\n\tqname-minimisation: no\n\ttarget-fetch-policy: \"0 0 0 0 0\"\n"
#define ROOT "198.41.0.4"
/* The thirteen root servers all say the same; priming included. */
#define ROOT_PRIMING { "*", ".", "NS", "AA; . 518400 NS a.root-servers.net.; ar: a.root-servers.net. 518400 A " ROOT }

#endif
