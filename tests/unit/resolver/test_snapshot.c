#include "cache_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/cache/rrcache.h"
#include "resolver/cache/snapshot.h"
#include "resolver/cache/snapshot_format.h"

static const struct rrcache_limits roomy = { .octets = 16 << 20, .max_ttl = 86400, .max_negative_ttl = 3600, .keep_expired_sec = 100 };
static const uint8_t anchors[32] = "these anchors", others[32] = "those anchors";

struct place {
	char dir[64];
	char path[96];
	char beside[104];
};

static struct place place_make(void)
{
	struct place p;

	snprintf(p.dir, sizeof(p.dir), "/tmp/cairn-snapshot-XXXXXX");
	assert_non_null(mkdtemp(p.dir));
	snprintf(p.path, sizeof(p.path), "%s/cache", p.dir);
	snprintf(p.beside, sizeof(p.beside), "%s.new", p.path);
	return p;
}

static void place_remove(const struct place *p)
{
	(void)unlink(p->path);
	(void)unlink(p->beside);
	assert_int_equal(rmdir(p->dir), 0);
}

static bool is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static struct rrcache *cache(void) OWNED_BY(rrcache_free);
static struct rrcache *cache(void)
{
	struct rrcache *c = rrcache_new(&roomy, &test_key);

	assert_non_null(c);
	return c;
}

static struct bundle_key key(struct turn *t, const char *name, uint16_t type, enum bundle_kind kind)
{
	return (struct bundle_key){ nm(t, name), type, CLASS_IN, (uint8_t)kind };
}

static void put(struct rrcache *c, struct turn *t, struct bundle_key k, const struct rrset *rs, uint32_t ttl, uint32_t sec)
{
	struct now now = at_sec(sec);

	assert_true(OK(rrcache_put(c, t->m, &k, &rs, 1, ttl, &now)));
}

static void put_a(struct rrcache *c, struct turn *t, const char *name, uint32_t ttl, enum security s, uint32_t sec)
{
	put(c, t, key(t, name, RR_A, BUNDLE_DATA), a_set(t, name, ttl, 1, RANK_ANSWER_AUTH, s), 0, sec);
}

static const struct bundle *get(struct rrcache *c, struct turn *t, const char *name, uint16_t type, enum bundle_kind kind, uint32_t sec, unsigned int flags)
{
	struct bundle_key k = key(t, name, type, kind);
	struct now now = at_sec(sec);

	return rrcache_get(c, &k, &now, flags);
}

/* With a cache of one of each kind. */
static void fill(struct rrcache *c, struct turn *t, uint32_t sec)
{
	struct bundle_key k = key(t, "fail.example.", RR_A, BUNDLE_FAILURE);
	struct now now = at_sec(sec);

	put_a(c, t, "Www.Example.", 600, SECURITY_SECURE, sec);
	put_a(c, t, "short.example.", 30, SECURITY_INSECURE, sec);
	put_a(c, t, "bogus.example.", 600, SECURITY_BOGUS, sec);
	put(c, t, key(t, "example.", 0, BUNDLE_DELEGATION), ns_set(t, "example.", "ns.example.", 3600), 0, sec);
	put(c, t, key(t, "www.example.", RR_AAAA, BUNDLE_NODATA), soa_set(t, "example.", 300, RANK_AUTHORITY, SECURITY_SECURE), 300, sec);
	put(c, t, key(t, "none.example.", 0, BUNDLE_NXDOMAIN), soa_set(t, "example.", 300, RANK_AUTHORITY, SECURITY_SECURE), 300, sec);
	assert_true(OK(rrcache_put_failure(c, t->m, &k, RCODE_SERVFAIL, 22, "why", 5, 300, &now)));
}
#define KEPT 5u

static struct snapshot_result save(struct rrcache *c, const char *path, uint32_t sec, size_t slots)
{
	struct snapshot_writer *w;
	struct snapshot_result r = { .note = NULL };
	struct now now = at_sec(sec);
	bool finished = false;

	assert_int_equal(snapshot_write_open(path, anchors, &w).e, ERR_NONE);
	for (int i = 0; !finished; i++) {
		assert_int_equal(snapshot_write_step(w, c, &now, slots, &finished, &r).e, ERR_NONE);
		assert_true(i < 100000);
	}
	snapshot_writer_free(w);
	return r;
}

static struct snapshot_result restore(struct rrcache *c, struct turn *t, const char *path, const uint8_t digest[32], struct now now, size_t entries)
{
	struct snapshot_reader *rd;
	struct snapshot_result r = { .note = NULL };
	bool finished = false;

	assert_int_equal(snapshot_read_open(path, digest, &rd).e, ERR_NONE);
	for (int i = 0; !finished; i++) {
		assert_int_equal(snapshot_read_step(rd, c, t->m, &now, entries, &finished, &r).e, ERR_NONE);
		assert_true(i < 100000);
	}
	snapshot_reader_free(rd);
	return r;
}

#define BEGIN \
	struct turn t = turn_begin(); \
	struct place p = place_make(); \
	struct rrcache *from = cache(), *to = cache(); \
	(void)state
#define END \
	rrcache_free(from); \
	rrcache_free(to); \
	place_remove(&p); \
	turn_end(&t)

static void what_was_saved_comes_back_aged(void **state)
{
	struct snapshot_result r;
	const struct bundle *b;
	BEGIN;

	fill(from, &t, 1000);
	r = save(from, p.path, 1010, 7);
	assert_int_equal(r.written_or_read, KEPT);
	assert_string_equal(r.note, "written");
	assert_false(is_there(p.beside));
	r = restore(to, &t, p.path, anchors, (struct now){ .mono_ns = UINT64_C(5000000000000), .wall_sec = 1700001110 }, 2);
	assert_int_equal(r.written_or_read, KEPT - 0);
	assert_int_equal(r.damaged, 0);
	assert_string_equal(r.note, "complete");
	b = get(to, &t, "www.example.", RR_A, BUNDLE_DATA, 5000, 0);
	assert_non_null(b);
	assert_int_equal(bundle_info(b)->expires_sec, 5000 + 600 - 110);
	assert_int_equal(bundle_info(b)->security, SECURITY_SECURE);
	assert_int_equal(bundle_info(b)->rank, RANK_ANSWER_AUTH);
	assert_true(name_equal_case(rrset_name(bundle_set(b, 0)), nm(&t, "Www.Example.")));
	assert_true(rrset_same_data(bundle_set(b, 0), a_set(&t, "www.example.", 1, 1, 0, 0)));
	assert_null(get(to, &t, "short.example.", RR_A, BUNDLE_DATA, 5000, 0));
	assert_non_null(get(to, &t, "short.example.", RR_A, BUNDLE_DATA, 5000, RRCACHE_STALE));
	assert_non_null(get(to, &t, "example.", 0, BUNDLE_DELEGATION, 5000, 0));
	assert_non_null(get(to, &t, "www.example.", RR_AAAA, BUNDLE_NODATA, 5000, 0));
	assert_non_null(get(to, &t, "none.example.", 0, BUNDLE_NXDOMAIN, 5000, 0));
	assert_null(get(to, &t, "bogus.example.", RR_A, BUNDLE_DATA, 5000, 0));
	assert_null(get(to, &t, "fail.example.", RR_A, BUNDLE_FAILURE, 5000, 0));
	END;
}

static void a_clock_that_went_back_counts_as_stopped(void **state)
{
	BEGIN;
	fill(from, &t, 1000);
	save(from, p.path, 1010, 1000);
	assert_int_equal(restore(to, &t, p.path, anchors, (struct now){ .mono_ns = 0, .wall_sec = 12 }, 1000).written_or_read, KEPT);
	assert_int_equal(bundle_info(get(to, &t, "www.example.", RR_A, BUNDLE_DATA, 0, 0))->expires_sec, 590);
	END;
}

static void what_has_expired_meanwhile_is_left_out(void **state)
{
	struct snapshot_result r;
	BEGIN;

	fill(from, &t, 1000);
	save(from, p.path, 1000, 1000);
	r = restore(to, &t, p.path, anchors, at_sec(1000 + 400), 1000);
	assert_int_equal(r.expired, 3); /* short, and both negative ones, with 100 s of being stale */
	assert_int_equal(r.written_or_read, 2);
	END;
}

static void other_anchors_make_all_unchecked(void **state)
{
	struct snapshot_result r;
	BEGIN;

	fill(from, &t, 1000);
	save(from, p.path, 1000, 1000);
	r = restore(to, &t, p.path, others, at_sec(1000), 1000);
	assert_true(r.anchors_differ);
	assert_int_equal(r.written_or_read, KEPT);
	assert_int_equal(bundle_info(get(to, &t, "www.example.", RR_A, BUNDLE_DATA, 1000, 0))->security, SECURITY_UNCHECKED);
	assert_int_equal(bundle_set(get(to, &t, "www.example.", RR_A, BUNDLE_DATA, 1000, 0), 0)->security, SECURITY_UNCHECKED);
	END;
}

static void what_the_cache_learnt_since_is_not_overwritten(void **state)
{
	struct snapshot_result r;
	BEGIN;

	fill(from, &t, 1000);
	save(from, p.path, 1000, 1000);
	put(to, &t, key(&t, "www.example.", RR_A, BUNDLE_DATA), a_set(&t, "www.example.", 60, 99, RANK_ANSWER_NONAUTH, 0), 0, 1000);
	r = restore(to, &t, p.path, anchors, at_sec(1000), 1000);
	assert_int_equal(r.known, 1);
	assert_int_equal(rrset_rdata(bundle_set(get(to, &t, "www.example.", RR_A, BUNDLE_DATA, 1000, 0), 0), 0).p[3], 99);
	END;
}

static void many_entries_survive_in_small_steps(void **state)
{
	char name[32];
	BEGIN;

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%d.example.", i);
		put_a(from, &t, name, 3600, SECURITY_SECURE, 1000);
	}
	assert_int_equal(save(from, p.path, 1000, 64).written_or_read, 5000);
	assert_int_equal(restore(to, &t, p.path, anchors, at_sec(1000), 64).written_or_read, 5000);
	assert_int_equal(rrcache_usage(to).entries, 5000);
	END;
}

static void the_old_file_stays_until_the_new_one_is_whole(void **state)
{
	struct snapshot_writer *w, *second;
	struct snapshot_result r;
	struct now now = at_sec(1000);
	bool finished;
	BEGIN;

	fill(from, &t, 1000);
	save(from, p.path, 1000, 1000);
	assert_true(OK(snapshot_write_open(p.path, anchors, &w)));
	assert_true(OK(snapshot_write_step(w, from, &now, 1, &finished, &r)));
	assert_false(finished);
	assert_true(is_there(p.beside));
	assert_int_equal(snapshot_write_open(p.path, anchors, &second).e, ERR_EXISTS);
	snapshot_writer_free(w);
	assert_false(is_there(p.beside));
	assert_int_equal(restore(to, &t, p.path, anchors, at_sec(1000), 1000).written_or_read, KEPT);
	END;
}

/* A writer that is killed leaves the old file and a torso beside it, which the next writer takes over. */
static void a_killed_writer_does_no_harm(void **state)
{
	struct snapshot_result r;
	pid_t child;
	int status;
	BEGIN;

	fill(from, &t, 1000);
	save(from, p.path, 1000, 1000);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct snapshot_writer *w;
		struct now now = at_sec(1000);
		bool finished;

		if (OK(snapshot_write_open(p.path, anchors, &w)) && OK(snapshot_write_step(w, from, &now, 1, &finished, &r)) && !finished)
			(void)kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_true(is_there(p.beside));
	assert_int_equal(restore(to, &t, p.path, anchors, at_sec(1000), 1000).written_or_read, KEPT);
	assert_int_equal(save(from, p.path, 1000, 1000).written_or_read, KEPT);
	assert_false(is_there(p.beside));
	END;
}

static void what_a_killed_writer_left_is_removed_but_not_what_a_living_one_writes(void **state)
{
	AUTO(snapshot_writer_free) struct snapshot_writer *w = NULL;
	int fd;
	BEGIN;

	assert_false(snapshot_clear_leftover(p.path));
	assert_true(OK(snapshot_write_open(p.path, anchors, &w)));
	assert_false(snapshot_clear_leftover(p.path));
	assert_true(is_there(p.beside));
	snapshot_writer_free(MOVE(w));
	fd = open(p.beside, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_true(snapshot_clear_leftover(p.path));
	assert_false(is_there(p.beside));
	END;
}

static size_t read_file(const char *path, uint8_t *buf, size_t cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, buf, cap) : -1;

	assert_true(n > 0 && (size_t)n < cap);
	close(fd);
	return (size_t)n;
}

static void write_file(const char *path, const uint8_t *buf, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf, n), n);
	close(fd);
}

/* Cut short at every octet: what is whole is used, the rest said to be lost. */
static void a_file_cut_short_is_used_up_to_there(void **state)
{
	static uint8_t file[8192];
	size_t n, last = 0;
	BEGIN;

	fill(from, &t, 1000);
	save(from, p.path, 1000, 1000);
	n = read_file(p.path, file, sizeof(file));
	for (size_t cut = 1; cut < n; cut++) {
		struct snapshot_reader *rd;
		struct snapshot_result r;

		write_file(p.path, file, cut);
		if (cut < SNAPSHOT_HEADER) {
			assert_int_equal(snapshot_read_open(p.path, anchors, &rd).e, ERR_FORMAT);
			continue;
		}
		rrcache_flush_class(to, t.m, FLUSH_ALL);
		epoch_quiesce(t.m);
		r = restore(to, &t, p.path, anchors, at_sec(1000), 1000);
		assert_int_equal(r.damaged, 1);
		assert_string_not_equal(r.note, "complete");
		assert_true(r.written_or_read >= last && r.written_or_read <= KEPT);
		last = r.written_or_read;
	}
	assert_int_equal(last, KEPT);
	END;
}

/* One octet changed, at every place: found, or the header is refused. */
static void every_changed_octet_is_found(void **state)
{
	static uint8_t file[8192];
	size_t n;
	BEGIN;

	fill(from, &t, 1000);
	save(from, p.path, 1000, 1000);
	n = read_file(p.path, file, sizeof(file));
	for (size_t at = 0; at < n; at++) {
		struct snapshot_reader *rd;

		file[at] ^= 0x10;
		write_file(p.path, file, n);
		if (at < SNAPSHOT_HEADER) {
			assert_int_equal(snapshot_read_open(p.path, anchors, &rd).e, ERR_FORMAT);
		} else {
			rrcache_flush_class(to, t.m, FLUSH_ALL);
			epoch_quiesce(t.m);
			assert_int_equal(restore(to, &t, p.path, anchors, at_sec(1000), 1000).damaged, 1);
		}
		file[at] ^= 0x10;
	}
	END;
}

static void what_is_no_snapshot_is_refused(void **state)
{
	struct snapshot_reader *rd;
	BEGIN;

	assert_int_equal(snapshot_read_open(p.path, anchors, &rd).e, ERR_NOTFOUND);
	write_file(p.path, (const uint8_t *)"", 0);
	assert_int_equal(snapshot_read_open(p.path, anchors, &rd).e, ERR_FORMAT);
	assert_int_equal(snapshot_read_open(p.dir, anchors, &rd).e, ERR_FORMAT);
	assert_int_equal(snapshot_write_open("/nonexistent/dir/cache", anchors, &(struct snapshot_writer *){ NULL }).e, ERR_SYSTEM);
	END;
}

/* A block with a good checksum around a bad payload: that one is left out, the next is used. */
static void a_block_that_is_not_to_be_believed_is_left_out(void **state)
{
	static uint8_t file[8192];
	struct snapshot_result r;
	uint32_t length;
	size_t n;
	BEGIN;

	put_a(from, &t, "a.example.", 600, SECURITY_SECURE, 1000);
	save(from, p.path, 1000, 1000);
	n = read_file(p.path, file, sizeof(file));
	length = load32(file + SNAPSHOT_HEADER);
	for (uint32_t at = 0; at < length; at++) {
		uint8_t *payload = file + SNAPSHOT_HEADER + SNAPSHOT_BLOCK_HEADER;
		struct writer w = writer_of(file + SNAPSHOT_HEADER, SNAPSHOT_BLOCK_HEADER);

		payload[at] ^= 0x81;
		snapshot_write_block_header(&w, 1700001000, 0, span_of(payload, length));
		write_file(p.path, file, n);
		rrcache_flush_class(to, t.m, FLUSH_ALL);
		epoch_quiesce(t.m);
		r = restore(to, &t, p.path, anchors, at_sec(1000), 1000);
		assert_string_equal(r.note, "complete");
		assert_int_equal(r.damaged + r.written_or_read + r.expired, 1);
		payload[at] ^= 0x81;
	}
	END;
}

static void a_full_disk_is_an_error_and_leaves_the_old_file(void **state)
{
	struct snapshot_writer *w;
	struct snapshot_result r;
	struct now now = at_sec(1000);
	bool finished;
	BEGIN;

	assert_int_equal(symlink("/dev/full", p.beside), 0); /* is not followed */
	assert_int_equal(snapshot_write_open(p.path, anchors, &w).e, ERR_SYSTEM);
	assert_int_equal(unlink(p.beside), 0);
	fill(from, &t, 1000);
	assert_true(OK(snapshot_write_open(p.path, anchors, &w)));
	assert_int_equal(unlink(p.beside), 0); /* so that the rename fails */
	assert_int_equal(snapshot_write_step(w, from, &now, 100000, &finished, &r).e, ERR_SYSTEM);
	assert_int_equal(snapshot_write_step(w, from, &now, 100000, &finished, &r).e, ERR_CLOSED);
	snapshot_writer_free(w);
	assert_false(is_there(p.path));
	END;
}

static bool attempt(struct rrcache *from, struct turn *t, const struct place *p)
{
	struct snapshot_writer *w = NULL;
	struct snapshot_reader *rd = NULL;
	struct snapshot_result r;
	struct now now = at_sec(1000);
	struct rrcache *to = rrcache_new(&roomy, &test_key);
	bool finished = false;
	bool good = to != NULL && OK(snapshot_write_open(p->path, anchors, &w)) &&
	    OK(snapshot_write_step(w, from, &now, 100000, &finished, &r)) && OK(snapshot_read_open(p->path, anchors, &rd)) &&
	    OK(snapshot_read_step(rd, to, t->m, &now, 1000, &finished, &r)) && finished && r.written_or_read == KEPT;

	snapshot_writer_free(w);
	snapshot_reader_free(rd);
	rrcache_free(to);
	return good;
}

static void out_of_memory_is_an_error_like_others(void **state)
{
	BEGIN;
	fill(from, &t, 1000);
	for (uint64_t n = 1;; n++) {
		uint64_t before = mem_usage().objects;
		bool good, failed;

		mem_fail_at(n, false);
		good = attempt(from, &t, &p);
		failed = mem_failed();
		mem_fail_at(0, false);
		assert_int_equal(mem_usage().objects, before);
		assert_true(good || failed); /* a probation queue that cannot grow is not missed */
		if (!failed)
			break;
		assert_true(n < 10000);
	}
	END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_comes_back_aged),
		cmocka_unit_test(a_clock_that_went_back_counts_as_stopped),
		cmocka_unit_test(what_has_expired_meanwhile_is_left_out),
		cmocka_unit_test(other_anchors_make_all_unchecked),
		cmocka_unit_test(what_the_cache_learnt_since_is_not_overwritten),
		cmocka_unit_test(many_entries_survive_in_small_steps),
		cmocka_unit_test(the_old_file_stays_until_the_new_one_is_whole),
		cmocka_unit_test(a_killed_writer_does_no_harm),
		cmocka_unit_test(what_a_killed_writer_left_is_removed_but_not_what_a_living_one_writes),
		cmocka_unit_test(a_file_cut_short_is_used_up_to_there),
		cmocka_unit_test(every_changed_octet_is_found),
		cmocka_unit_test(what_is_no_snapshot_is_refused),
		cmocka_unit_test(a_block_that_is_not_to_be_believed_is_left_out),
		cmocka_unit_test(a_full_disk_is_an_error_and_leaves_the_old_file),
		cmocka_unit_test(out_of_memory_is_an_error_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
