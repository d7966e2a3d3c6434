/*
 * store_kill ROUNDS [SEED]: a process that updates sources of a store, and collects its garbage, is killed with SIGKILL at a moment nobody chose, again and again. After each time the store
 * opens, and every source is exactly as one of its commits left it: not before the last one that was told of, all entries there, all objects what they were. The last line is
 * "N passed, N failed".
 *
 * What a source has after its n-th commit follows from seed, source and n alone, so that it can be held against the store.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/object/key.h"
#include "rpki/store/store.h"

#define SOURCES 4
#define URIS 60
#define MOST_MICROSECONDS 150000

static uint64_t seed;
static char dir[64];
static unsigned int passed, failed;

static uint64_t mix(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t x = seed ^ (a * UINT64_C(0x9e3779b97f4a7c15)) ^ (b * UINT64_C(0xc2b2ae3d27d4eb4f)) ^ (c * UINT64_C(0x165667b19e3779f9));

	for (int i = 0; i < 3; i++) {
		x ^= x >> 29;
		x *= UINT64_C(0xbf58476d1ce4e5b9);
		x ^= x >> 32;
	}
	return x;
}

static void check(bool good, const char *what, int source, unsigned long n)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	printf("source %d after commit %lu: %s (seed %llu)\n", source, n, what, (unsigned long long)seed);
}

/* --- the model */

/* The commit that made what is at the URI after commit n. */
static unsigned long made_by(int source, int i, unsigned long n)
{
	while (n > 1 && mix((uint64_t)source, (uint64_t)i, n) % 4 != 0)
		n--;
	return n;
}

static bool is_there(int source, int i, unsigned long n)
{
	return n > 0 && mix((uint64_t)source, (uint64_t)i, made_by(source, i, n) + 1000000) % 5 != 0;
}

static struct span object_of(char buf[400], int source, int i, unsigned long n)
{
	unsigned long by = made_by(source, i, n);
	int len = snprintf(buf, 400, "%d %d %lu %llu ", source, i, by, (unsigned long long)seed), more = (int)(mix((uint64_t)i, by, 7) % 300);

	memset(buf + len, 'x', (size_t)more);
	return span_of(buf, (size_t)(len + more));
}

static struct span uri_of(char buf[64], int i)
{
	snprintf(buf, 64, "rsync://repo.example/module/%d.roa", i);
	return span_text(buf);
}

static struct span source_of(char buf[64], int source)
{
	snprintf(buf, 64, "https://repo-%d.example/notification.xml", source);
	return span_text(buf);
}

/* --- the process that is killed */

static void must(struct result r, const char *what)
{
	if (OK(r))
		return;
	fprintf(stderr, "%s: %s\n", what, err_text(r.e));
	_exit(3);
}

static struct store *open_store(void) OWNED_BY(store_close);
static struct store *open_store(void)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	AUTO(store_close) struct store *s = NULL;
	struct store_limits l = store_limits_default();

	l.octets = 64u << 20;
	l.batch_octets = 1500;
	if (why == NULL || !OK(store_open(dir, &l, why, &s))) {
		fprintf(stderr, "the store does not open: %s\n", why != NULL ? strbuf_text(why) : "");
		return NULL;
	}
	return MOVE(s);
}

static unsigned long committed(struct store *s, int source)
{
	AUTO(store_view_close) struct store_view *v = NULL;
	struct store_source src;
	char uri[64], text[40];

	must(store_view_open(s, &v), "view");
	if (!OK(store_source(v, STORE_RRDP, source_of(uri, source), &src)))
		return 0;
	snprintf(text, sizeof text, "%.*s", (int)src.state.n, (const char *)src.state.p);
	return strtoul(text, NULL, 10);
}

static void one_update(struct store *s, int source, unsigned long n)
{
	AUTO(store_update_free) struct store_update *u = NULL;
	bool whole = n == 1 || mix((uint64_t)source, n, 5) % 3 == 0;
	char uri[64], buf[400], old[400], text[40];
	uint8_t hash[STORE_HASH];

	must(store_update_begin(s, STORE_RRDP, source_of(uri, source), whole ? STORE_REPLACE : STORE_CHANGE, &u), "begin");
	for (int i = 0; i < URIS; i++) {
		bool now = is_there(source, i, n), before = is_there(source, i, n - 1), same = n > 1 && made_by(source, i, n) != n;

		if (whole) {
			if (now)
				must(store_update_publish(u, uri_of(uri, i), NULL, object_of(buf, source, i, n)), "publish");
			continue;
		}
		if (same || (!now && !before))
			continue;
		sha256_of(object_of(old, source, i, n - 1), hash);
		must(now ? store_update_publish(u, uri_of(uri, i), before ? hash : NULL, object_of(buf, source, i, n)) : store_update_withdraw(u, uri_of(uri, i), hash), "change");
	}
	snprintf(text, sizeof text, "%lu", n);
	must(store_update_commit(u, span_text(text), (int64_t)n), "commit");
}

static void work(int tell, unsigned int round)
{
	AUTO(store_close) struct store *s = open_store();
	unsigned long n[SOURCES];

	if (s == NULL)
		_exit(3);
	for (int i = 0; i < SOURCES; i++)
		n[i] = committed(s, i);
	for (unsigned int step = 0; step < 10000; step++) {
		uint64_t draw = mix(round, step, 99);
		int source = (int)(draw % SOURCES);
		struct store_collected c;

		if (draw >> 8 & 7) {
			one_update(s, source, ++n[source]);
			if (write(tell, &source, sizeof source) != sizeof source)
				_exit(3);
		} else
			must(store_collect(s, &c), "collect");
	}
}

/* --- the one who kills */

struct counted {
	int source;
	unsigned long n;
	const struct store_view *v;
	int entries;
};

static struct result one_entry(void *ctx, struct span uri, const uint8_t hash[STORE_HASH])
{
	struct counted *c = ctx;
	char name[64], buf[400];
	struct span found;

	c->entries++;
	for (int i = 0; i < URIS; i++) {
		if (!span_equal(uri, uri_of(name, i)))
			continue;
		check(is_there(c->source, i, c->n), "an entry that should be gone", c->source, c->n);
		check(OK(store_object(c->v, hash, &found)) && span_equal(found, object_of(buf, c->source, i, c->n)), "an object is not what it was", c->source, c->n);
		return DONE;
	}
	check(false, "an entry that was never there", c->source, c->n);
	return DONE;
}

static void look(struct store *s, int source, unsigned long told)
{
	AUTO(store_view_close) struct store_view *v = NULL;
	unsigned long n = committed(s, source);
	struct counted c = { .source = source, .n = n };
	struct store_source src;
	char uri[64];
	int expected = 0;

	check(n >= told, "a commit that was told of is lost", source, told);
	if (n == 0)
		return;
	must(store_view_open(s, &v), "view");
	must(store_source(v, STORE_RRDP, source_of(uri, source), &src), "source");
	c.v = v;
	check(OK(store_each(v, &src, one_entry, &c)), "its map cannot be read", source, n);
	for (int i = 0; i < URIS; i++)
		expected += is_there(source, i, n);
	check(c.entries == expected, "entries are missing", source, n);
}

static void round_of(unsigned int round, unsigned long told[SOURCES])
{
	struct timespec t = { 0, (long)(mix(round, 1, 2) % MOST_MICROSECONDS) * 1000 };
	int tell[2], source, status;
	pid_t pid;

	if (pipe(tell) != 0 || (pid = fork()) < 0) {
		perror("store_kill");
		exit(2);
	}
	if (pid == 0) {
		close(tell[0]);
		work(tell[1], round);
		_exit(0);
	}
	close(tell[1]);
	nanosleep(&t, NULL);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	check(WIFSIGNALED(status), "the process has ended by itself", -1, round);
	while (read(tell[0], &source, sizeof source) == sizeof source)
		told[source]++;
	close(tell[0]);
}

static void look_at_all(unsigned long told[SOURCES])
{
	AUTO(store_close) struct store *s = open_store();

	check(s != NULL, "the store does not open", -1, 0);
	for (int i = 0; i < SOURCES && s != NULL; i++) {
		look(s, i, told[i]);
		told[i] = committed(s, i);
	}
}

int main(int argc, char **argv)
{
	unsigned long told[SOURCES] = { 0 }, rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;
	char path[100];

	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	snprintf(dir, sizeof dir, "/tmp/cairn-kill-XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	for (unsigned int round = 0; round < rounds; round++) {
		round_of(round, told);
		look_at_all(told);
	}
	for (int i = 0; i < SOURCES; i++)
		printf("source %d: %lu commits\n", i, told[i]);
	printf("%u passed, %u failed\n", passed, failed);
	snprintf(path, sizeof path, "%s/objects.mdb", dir);
	(void)unlink(path);
	snprintf(path, sizeof path, "%s/objects.mdb-lock", dir);
	(void)unlink(path);
	(void)rmdir(dir);
	return failed != 0;
}
