/* scenes.c: files that are read and replaced: plain ones, snapshots of the cache, states of trust anchors, the configuration, the log, the pid file; and the seed of the random generator. */
#include "tests/failing/scenes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/epoch.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/anchors_follow.h"
#include "resolver/cache/rrcache.h"
#include "resolver/cache/snapshot.h"
#include "base/process.h"

#define OLD "what was there before\n"
#define NEW_LINES 600 /* more than one write or read may do at once */

void wrong(struct place *p, const char *fmt, ...)
{
	va_list ap;

	if (p->wrong[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(p->wrong, sizeof p->wrong, fmt, ap);
	va_end(ap);
}

static void must(struct place *p, bool good, const char *what)
{
	if (!good)
		wrong(p, "%s", what);
}

/* --- places */

void place_make(struct place *p)
{
	unsigned int pid = (unsigned int)getpid();

	*p = (struct place){ .dir = "/tmp/cairn-failing-XXXXXX" };
	if (mkdtemp(p->dir) == NULL)
		abort();
	(void)snprintf(p->file, sizeof p->file, "%s/file", p->dir);
	(void)snprintf(p->address, sizeof p->address, "127.%u.%u.%u", 64 + (pid >> 16) % 64, pid >> 8 & 255, pid & 255);
}

/* Every file of the folder is named to fn. */
static void each_file(const char *dir, void (*fn)(struct place *p, const char *dir, const char *name), struct place *p)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] != '.')
			fn(p, dir, e->d_name);
	}
	if (d != NULL)
		closedir(d);
}

static void remove_file(struct place *p, const char *dir, const char *name)
{
	char path[512];

	(void)p;
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	(void)unlink(path);
}

void place_remove(struct place *p)
{
	each_file(p->dir, remove_file, p);
	(void)rmdir(p->dir);
}

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

/* Into out, which is at least 64 KiB; ends with NUL. */
static const char *get_file(const char *path, char *out) BORROWED;
static const char *get_file(const char *path, char *out)
{
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(out, 1, 65535, f) : 0;

	if (f != NULL)
		fclose(f);
	out[n] = '\0';
	return out;
}

static void only_the_file(struct place *p, const char *dir, const char *name)
{
	(void)dir;
	if (strcmp(name, "file") != 0 && strcmp(name, "more.inc") != 0)
		wrong(p, "%s is left beside the file", name);
}

static const char *new_text(void) BORROWED;
static const char *new_text(void)
{
	static char text[NEW_LINES * 11 + 1];

	for (size_t i = 0; i < NEW_LINES; i++)
		memcpy(text + i * 11, "new lines.\n", 11);
	return text;
}

/* The old file or the new one, as was said, and nothing beside it. */
static void old_or_new(struct place *p, const char *old, const char *want)
{
	const char *got = get_file(p->file, p->log);

	if (strcmp(got, p->done ? want : old) != 0)
		wrong(p, "%s, but the file is %s (%zu octets)", p->done ? "it was said to be written" : "it was said not to be written",
		    strcmp(got, want) == 0 ? "the new one" : strcmp(got, old) == 0 ? "the old one" : "neither the old one nor the new one", strlen(got));
	each_file(p->dir, only_the_file, p);
	must(p, p->done || p->error != EINTR, "an interruption is told as an error");
	must(p, p->done || p->error != SHORT, "half of it done is told as an error");
}

/* --- a file */

static void old_file(struct place *p)
{
	put_file(p->file, OLD);
}

static void replace_file(struct place *p)
{
	p->done = OK(file_write_atomic(p->file, span_of(new_text(), strlen(new_text())), 0600));
}

static void file_replaced(struct place *p)
{
	old_or_new(p, OLD, new_text());
}

static void new_file(struct place *p)
{
	put_file(p->file, new_text());
}

static void read_file(struct place *p)
{
	AUTO_CHARS char *text = NULL;
	size_t n = 0;

	p->done = OK(file_read_all(p->file, 1 << 20, &text, &n));
	if (p->done && (n != strlen(new_text()) || memcmp(text, new_text(), n) != 0))
		wrong(p, "%zu octets were read for the whole file", n);
}

static void file_read(struct place *p)
{
	must(p, p->done || (p->error != EINTR && p->error != SHORT), "an interruption, or half of it done, is told as an error");
}

/* --- the pid file */

static void write_pid(struct place *p)
{
	p->done = OK(process_write_pid(p->file));
}

static void pid_written(struct place *p)
{
	char want[32];

	(void)snprintf(want, sizeof want, "%ld\n", (long)getpid());
	old_or_new(p, OLD, want);
}

/* --- the cache's snapshot. The old file has one entry, the cache has three. */

static struct {
	struct epoch *e;
	struct epoch_member *m;
	struct rrcache *c;
} caches;
static const uint8_t digest[32] = "anchors";
static const struct now start = { .mono_ns = UINT64_C(1000000000000), .wall_sec = 1700000000 };

static struct rrcache *cache_new(void) OWNED_BY(rrcache_free);
static struct rrcache *cache_new(void)
{
	static const struct rrcache_limits limits = { .octets = 1 << 20, .max_ttl = 86400, .max_negative_ttl = 3600 };
	static const struct hash_key key = { { 1, 2 } };

	return rrcache_new(&limits, &key);
}

static void put_entry(struct rrcache *c, const char *text)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct span address = span_of("\300\0\2\1", 4);
	struct name_buf name;
	struct bundle_key k;
	struct rrset *rs;
	const struct rrset *set;

	if (a == NULL || !OK(name_from_text(text, NULL, &name)))
		abort();
	k = (struct bundle_key){ name_of(&name), RR_A, CLASS_IN, BUNDLE_DATA };
	rs = rrset_make_in(a, k.name, RR_A, CLASS_IN, 3600, &address, 1, 0);
	if (rs == NULL)
		abort();
	rs->rank = RANK_ANSWER_AUTH;
	set = rs;
	if (!OK(rrcache_put(c, caches.m, &k, &set, 1, 3600, &start)))
		abort();
}

static bool save(const struct place *p, struct rrcache *c)
{
	AUTO(snapshot_writer_free) struct snapshot_writer *w = NULL;
	struct snapshot_result r;
	bool finished = false;

	if (!OK(snapshot_write_open(p->file, digest, &w)))
		return false;
	while (!finished) {
		if (!OK(snapshot_write_step(w, c, &start, 1000, &finished, &r)))
			return false;
	}
	return true;
}

/* How many entries the file has; -1: it cannot be read, or is damaged. */
static int load(const struct place *p)
{
	AUTO(snapshot_reader_free) struct snapshot_reader *r = NULL;
	AUTO(rrcache_free) struct rrcache *c = cache_new();
	struct snapshot_result got = { 0 };
	bool finished = false;

	if (c == NULL || !OK(snapshot_read_open(p->file, digest, &r)))
		return -1;
	while (!finished) {
		if (!OK(snapshot_read_step(r, c, caches.m, &start, 100, &finished, &got)))
			return -1;
	}
	return got.damaged != 0 ? -1 : (int)got.written_or_read;
}

static void old_snapshot(struct place *p)
{
	caches.e = epoch_new();
	caches.m = caches.e != NULL ? epoch_join(caches.e) : NULL;
	caches.c = cache_new();
	if (caches.m == NULL || caches.c == NULL)
		abort();
	epoch_online(caches.m);
	put_entry(caches.c, "a.example.");
	if (!save(p, caches.c))
		abort();
	put_entry(caches.c, "b.example.");
	put_entry(caches.c, "c.example.");
}

static void free_caches(struct place *p)
{
	(void)p;
	rrcache_free(MOVE(caches.c));
	epoch_leave(MOVE(caches.m));
	epoch_free(MOVE(caches.e));
}

static void write_snapshot(struct place *p)
{
	p->done = save(p, caches.c);
}

static void snapshot_written(struct place *p)
{
	int n = load(p);

	if (n != (p->done ? 3 : 1))
		wrong(p, "the snapshot was said to be %s, and has %d entries", p->done ? "written" : "not written", n);
	each_file(p->dir, only_the_file, p);
	must(p, p->done || (p->error != EINTR && p->error != SHORT), "an interruption, or half of it done, is told as an error");
	free_caches(p);
}

static void read_snapshot(struct place *p)
{
	int n = load(p);

	p->done = n >= 0;
	if (p->done && n != 1)
		wrong(p, "%d entries were read", n);
}

/* --- states of trust anchors (RFC 5011) */

#define OLD_STATE "example. 10800 IN DNSKEY 257 3 13 BAUG ;;state=2 [  VALID  ] ;;count=0 ;;lastchange=7\n"
#define STATE_LINE "example. 10800 IN DNSKEY 257 3 13 AAAA ;;state=2 [  VALID  ] ;;count=0 ;;lastchange=7\n"

static struct followed followed;
static struct strbuf *state_text;
static struct conf *anchor_conf;

static void old_state(struct place *p)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);

	put_file(p->file, OLD_STATE);
	state_text = strbuf_new(100000);
	followed = (struct followed){ .path = mem_strdup(p->file) };
	if (report == NULL || state_text == NULL || followed.path == NULL ||
	    !OK(autotrust_read("state", span_of(STATE_LINE, strlen(STATE_LINE)), &followed.t, report)))
		abort();
	autotrust_write(followed.t, state_text);
}

static void save_state(struct place *p)
{
	follow_save(&followed);
	p->done = !followed.unsaved;
}

static void state_saved(struct place *p)
{
	old_or_new(p, OLD_STATE, strbuf_text(state_text));
}

static void new_state(struct place *p)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	char text[300];

	put_file(p->file, STATE_LINE);
	(void)snprintf(text, sizeof text, "server:\n auto-trust-anchor-file: \"%s\"\n root-anchors: none\n chroot: \"\"\n directory: \"\"\n", p->file);
	if (report == NULL || !OK(conf_load_text(text, "test", report, &anchor_conf)))
		abort();
}

static void read_state(struct place *p)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	struct follow f;

	p->done = OK(follow_read(conf_server(anchor_conf), NULL, report, &f));
	p->said = strbuf_len(report) != 0;
	if (p->done && (f.n != 1 || f.list[0].t == NULL) && !p->said)
		wrong(p, "no state was read, and nothing was said");
	if (p->done)
		follow_done(&f);
}

static void state_read(struct place *p)
{
	must(p, p->done || p->said, "an error without a message");
	must(p, strcmp(get_file(p->file, p->log), STATE_LINE) == 0, "the state was changed by reading it");
	file_read(p);
}

/* --- the configuration, with a file that it includes by a pattern */

static void conf_files(struct place *p)
{
	char text[300], more[200];

	(void)snprintf(text, sizeof text, "server:\n port: 5301\ninclude: \"%s/*.inc\"\n", p->dir);
	(void)snprintf(more, sizeof more, "%s/more.inc", p->dir);
	put_file(p->file, text);
	put_file(more, "server:\n num-threads: 3\n");
}

static void read_conf(struct place *p)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO(conf_free) struct conf *c = NULL;

	struct result r = conf_load(p->file, report, &c);

	p->done = OK(r);
	p->said = strbuf_len(report) != 0 || r.e == ERR_NOMEM; /* which needs no further words */
	if (p->done && (conf_int(conf_server(c), OPT_PORT) != 5301 || conf_int(conf_server(c), OPT_NUM_THREADS) != 3))
		wrong(p, "a part of the configuration is missing%s", p->said ? ", though it is said" : ", and nothing is said");
}

static void conf_was_read(struct place *p)
{
	must(p, p->done || p->said, "an error without a message");
	file_read(p);
}

/* --- the log: a file that is opened anew */

static void open_log(struct place *p)
{
	struct log_config l = { .ident = "test", .file = p->file, .level = LOG_LEVEL_INFO };

	if (!OK(log_setup(&l)))
		abort();
	log_msg(LOG_LEVEL_INFO, "first line");
}

static void reopen_log(struct place *p)
{
	log_msg(LOG_LEVEL_INFO, "second line");
	p->done = OK(log_reopen());
	log_msg(LOG_LEVEL_INFO, "third line");
	log_msg(LOG_LEVEL_INFO, "fourth line");
}

/* One line at most is lost: the one whose write failed. */
static void log_reopened(struct place *p)
{
	const char *text = get_file(p->file, p->log);
	unsigned int n = 0;

	for (const char *at = text; (at = strstr(at, " line\n")) != NULL; at++)
		n++;
	if (n < (p->error == ENOSPC ? 3u : 4u))
		wrong(p, "the log has %u lines of 4", n);
}

/* --- the random generator's seed */

static void nothing(struct place *p)
{
	(void)p;
}

static void seed(struct place *p)
{
	AUTO(rng_free) struct rng *a = rng_new();
	AUTO(rng_free) struct rng *b = rng_new();

	p->done = a != NULL && b != NULL;
	if (p->done && rng64(a) == rng64(b))
		wrong(p, "two generators say the same");
}

/* --- plants: what must be found */

static void leak_descriptor(struct place *p)
{
	int fd = open(p->file, O_RDONLY | O_CLOEXEC);
	char c;

	if (fd >= 0 && read(fd, &c, 1) == 1)
		(void)close(fd);
}

static void leak_memory(struct place *p)
{
	char *text = mem_strdup(OLD); /* own-ok: R3 the plant */
	int fd = open(p->file, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)close(fd);
		mem_free(text);
	}
}

static void leave_half(struct place *p)
{
	int fd = open(p->file, O_WRONLY | O_TRUNC | O_CLOEXEC);

	p->done = fd >= 0 && write(fd, new_text(), strlen(new_text())) == (ssize_t)strlen(new_text());
	if (fd >= 0)
		(void)close(fd);
}

static void crash(struct place *p)
{
	int fd = open(p->file, O_RDONLY | O_CLOEXEC);
	volatile char *volatile end = fd >= 0 ? p->log : NULL; /* the planted fault: what the compiler cannot foresee */

	if (fd >= 0)
		(void)close(fd);
	*end = '\0';
}

const struct scene scenes[] = {
	{ "file", old_file, replace_file, file_replaced, false },
	{ "file-read", new_file, read_file, file_read, false },
	{ "pid", old_file, write_pid, pid_written, false },
	{ "snapshot", old_snapshot, write_snapshot, snapshot_written, false },
	{ "snapshot-read", old_snapshot, read_snapshot, free_caches, false },
	{ "anchors", old_state, save_state, state_saved, false },
	{ "anchors-read", new_state, read_state, state_read, false },
	{ "conf", conf_files, read_conf, conf_was_read, false },
	{ "log", open_log, reopen_log, log_reopened, false },
	{ "random", nothing, seed, file_read, false },
	{ "daemon", daemon_prepare, daemon_act, daemon_judge, false },
	{ "plant-descriptor", old_file, leak_descriptor, nothing, true },
	{ "plant-memory", old_file, leak_memory, nothing, true },
	{ "plant-half", old_file, leave_half, file_replaced, true },
	{ "plant-crash", old_file, crash, nothing, true },
	{ NULL, NULL, NULL, NULL, false },
};
