/*
 * Snapshots of the cache, as files. The first octet chooses: the rest is the file as it is; or the rest is a list of payloads
 * (length:16 each), around which header and checksums are made, so that what is behind them is reached. What was believed must
 * be sound, and must survive being saved and loaded again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/epoch.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/cache/rrcache.h"
#include "resolver/cache/snapshot.h"
#include "resolver/cache/snapshot_format.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static const uint8_t anchors[32] = "anchors";
static const struct now now = { .mono_ns = UINT64_C(1000000000000), .wall_sec = 1700000000 };

/* A file in memory under a name. */
struct file {
	int fd;
	char path[40];
};

static struct file file_of(struct span content)
{
	struct file f = { memfd_create("snapshot", MFD_CLOEXEC), "" };

	CHECK(f.fd >= 0);
	CHECK(content.n == 0 || write(f.fd, content.p, content.n) == (ssize_t)content.n);
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

#define NONE UINT64_MAX /* memory failed */

static uint64_t load(const char *path, const uint8_t digest[32], struct rrcache *c, struct epoch_member *m)
{
	struct snapshot_reader *r;
	struct snapshot_result res;
	struct result opened = snapshot_read_open(path, digest, &r);
	bool finished = false;

	CHECK((opened.e != ERR_NOMEM || mem_failed()) && opened.e != ERR_SYSTEM && opened.e != ERR_NOTFOUND);
	if (!OK(opened))
		return 0;
	while (!finished) {
		if (!OK(snapshot_read_step(r, c, m, &now, 3, &finished, &res))) {
			CHECK(mem_failed());
			snapshot_reader_free(r);
			return NONE;
		}
	}
	CHECK(res.written_or_read + res.expired + res.known + res.damaged < 100000 && res.note != NULL);
	snapshot_reader_free(r);
	return res.written_or_read;
}

/* Everything in it can be walked, printed and checked again. */
static struct result look(void *user, const struct bundle *b)
{
	AUTO(strbuf_free) struct strbuf *text = MINE(strbuf_new(1 << 20));
	struct bundle_key k = bundle_key(b);
	struct name again;

	(void)user;
	CHECK(text != NULL);
	CHECK(OK(name_from_wire(span_of(k.name.wire, k.name.len), &again)) && again.len == k.name.len && again.labels == k.name.labels);
	CHECK(k.kind < BUNDLE_FAILURE);
	for (size_t i = 0; i < bundle_count(b); i++) {
		const struct rrset *rs = bundle_set(b, i);

		CHECK(OK(rrset_check_block(span_of(rs, rs->octets))));
		CHECK(rs->security != SECURITY_BOGUS && rs->rank < RANK_LOCAL);
		rrset_print(rs, rs->ttl, text);
	}
	return DONE;
}

static void visit_all(struct rrcache *c, rrcache_visit_fn *fn, void *user)
{
	struct result r;
	uint64_t cursor = 0;

	do
		cursor = rrcache_visit(c, cursor, 1000, fn, user, &r);
	while (cursor != 0);
}

static struct rrcache *cache(void) OWNED_BY(rrcache_free);
static struct rrcache *cache(void)
{
	static const struct rrcache_limits l = { .octets = 16 << 20, .max_ttl = 86400, .keep_expired_sec = 86400, .max_bundle_octets = 1 << 20 };
	static const struct hash_key key = { { 1, 2 } };
	struct rrcache *c = MINE(rrcache_new(&l, &key));

	CHECK(c != NULL);
	return c;
}

/* False: memory failed, and nothing was written. */
static bool save(const char *path, struct rrcache *c, uint64_t expected)
{
	AUTO(snapshot_writer_free) struct snapshot_writer *w = NULL;
	struct snapshot_result res;
	bool finished = false;

	if (!OK(snapshot_write_open(path, anchors, &w))) {
		CHECK(mem_failed());
		return false;
	}
	while (!finished) {
		if (!OK(snapshot_write_step(w, c, &now, 1000, &finished, &res))) {
			CHECK(mem_failed());
			return false;
		}
	}
	CHECK(res.written_or_read == expected);
	return true;
}

/* What was loaded, saved, is loaded as much. */
static void save_and_load(struct rrcache *c, struct epoch_member *m, uint64_t expected)
{
	char dir[] = "/tmp/cairn-fuzz-XXXXXX", path[64];
	struct rrcache *again = cache();

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/s", dir);
	if (save(path, c, expected)) {
		uint64_t n = load(path, anchors, again, m);

		CHECK(n == expected || mem_failed());
		CHECK(unlink(path) == 0);
	}
	rrcache_free(again);
	CHECK(rmdir(dir) == 0); /* also when memory failed nothing is left beside the file */
}

static void try_file(struct span content, bool again)
{
	struct epoch *e = MINE(epoch_new());
	struct epoch_member *m = MINE(epoch_join(e));
	struct rrcache *c = cache();
	struct file f = file_of(content);
	uint64_t n;

	CHECK(m != NULL);
	epoch_online(m);
	n = load(f.path, anchors, c, m);
	CHECK(n == rrcache_usage(c).entries || mem_failed());
	visit_all(c, look, NULL);
	if (again && n != 0 && n != NONE)
		save_and_load(c, m, n);
	rrcache_free(c);
	close(f.fd);
	epoch_leave(m);
	epoch_free(e);
}

static struct span wrap(struct reader *in, uint8_t *buf, size_t cap)
{
	struct writer w = writer_of(buf, cap);
	uint64_t wall = 1700000000;
	uint64_t number = 0;

	snapshot_write_header(&w, wall, anchors);
	while (!reader_end(in)) {
		size_t n = read16(in);
		struct span payload = read_span(in, n < reader_left(in) ? n : reader_left(in));

		if (payload.n == 0)
			continue;
		snapshot_write_block_header(&w, wall, number++, payload);
		write_span(&w, payload);
	}
	snapshot_write_block_header(&w, wall, number, (struct span){ NULL, 0 });
	CHECK(writer_ok(&w));
	return writer_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(span_of(data, size));
	uint8_t how = read8(&in);
	size_t cap = size * 8 + 1000;
	uint8_t *buf;

	if ((how & 1) == 0) {
		try_file(read_rest(&in), false);
		return 0;
	}
	buf = MINE(mem_alloc_raw(cap));
	CHECK(buf != NULL);
	try_file(wrap(&in, buf, cap), (how & 0x70) == 0x70);
	mem_free(buf);
	return 0;
}
