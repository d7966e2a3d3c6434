#include "resolver/cache/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "resolver/cache/rrcache.h"
#include "resolver/cache/snapshot_format.h"

#define BUFFER ((size_t)65536)
#define START_WRITEBACK ((uint64_t)4 << 20) /* octets after which the kernel is told to begin, so that the last sync is short */

/* --- writing */

struct snapshot_writer {
	char *path OWNED_FIELD;
	char *beside OWNED_FIELD;
	uint8_t *buf OWNED_FIELD; /* BUFFER octets */
	struct writer payload;    /* over its own memory, one block at a time */
	uint8_t *payload_memory OWNED_FIELD;
	uint8_t digest[32];
	size_t used;
	uint64_t written, synced; /* octets */
	uint64_t cursor;
	uint64_t blocks;
	uint64_t wall_sec;        /* of the header */
	struct now now;           /* of the step */
	struct snapshot_result result;
	int fd;
	bool begun, failed, finished;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void snapshot_writer_free(struct snapshot_writer *w)
{
	if (w == NULL)
		return;
	if (w->fd >= 0 && !w->finished)
		(void)unlink(w->beside);
	close_fd(&w->fd);
	mem_free(w->path);
	mem_free(w->beside);
	mem_free(w->buf);
	mem_free(w->payload_memory);
	mem_free(w);
}

/* The lock says whose it is: a writer that was killed leaves a file without one. */
static RESULT open_beside(struct snapshot_writer *w)
{
	w->fd = open(w->beside, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->fd < 0)
		return FAIL(ERR_SYSTEM);
	while (flock(w->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return FAIL(ERR_SYSTEM);
		close_fd(&w->fd); /* so that it is not removed */
		return FAIL(ERR_EXISTS);
	}
	return ftruncate(w->fd, 0) == 0 ? DONE : FAIL(ERR_SYSTEM);
}

bool snapshot_clear_leftover(const char *path)
{
	AUTO_CHARS char *beside = mem_printf("%s.new", path);
	int fd = beside != NULL ? open(beside, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	bool gone;

	if (fd < 0)
		return false;
	gone = flock(fd, LOCK_EX | LOCK_NB) == 0 && unlink(beside) == 0;
	(void)close(fd);
	return gone;
}

RESULT snapshot_write_open(const char *path, const uint8_t anchors_digest[32], struct snapshot_writer **ret_writer)
{
	AUTO(snapshot_writer_free) struct snapshot_writer *w = mem_alloc(sizeof(*w));

	if (w == NULL)
		return FAIL(ERR_NOMEM);
	w->fd = -1;
	w->path = mem_strdup(path);
	w->beside = mem_printf("%s.new", path);
	w->buf = mem_alloc_raw(BUFFER);
	w->payload_memory = mem_alloc(SNAPSHOT_MAX_PAYLOAD);
	if (w->path == NULL || w->beside == NULL || w->buf == NULL || w->payload_memory == NULL)
		return FAIL(ERR_NOMEM);
	memcpy(w->digest, anchors_digest, sizeof(w->digest));
	w->result.note = "not finished";
	TRY(open_beside(w));
	*ret_writer = MOVE(w);
	return DONE;
}

static RESULT write_out(struct snapshot_writer *w, struct span s)
{
	while (s.n != 0) {
		ssize_t n = write(w->fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FAIL(ERR_SYSTEM);
		w->written += (uint64_t)n;
		s = span_of(s.p + n, s.n - (size_t)n);
	}
	if (w->written - w->synced >= START_WRITEBACK) {
		(void)sync_file_range(w->fd, (off_t)w->synced, (off_t)(w->written - w->synced), SYNC_FILE_RANGE_WRITE);
		w->synced = w->written;
	}
	return DONE;
}

static RESULT put(struct snapshot_writer *w, struct span s)
{
	if (s.n > BUFFER - w->used) {
		TRY(write_out(w, span_of(w->buf, w->used)));
		w->used = 0;
	}
	if (s.n > BUFFER)
		return write_out(w, s);
	memcpy(w->buf + w->used, s.p, s.n);
	w->used += s.n;
	return DONE;
}

static RESULT put_block(struct snapshot_writer *w, struct span payload)
{
	uint8_t head[SNAPSHOT_BLOCK_HEADER];
	struct writer h = writer_of(head, sizeof(head));

	snapshot_write_block_header(&h, w->wall_sec, w->blocks++, payload);
	TRY(put(w, writer_done(&h)));
	return payload.n != 0 ? put(w, payload) : DONE;
}

static void write_padding(struct writer *p)
{
	while (p->pos % 4 != 0 && writer_ok(p))
		write8(p, 0);
}

static void write_bundle(struct writer *p, const struct bundle *b, uint64_t stored_wall)
{
	struct bundle_key k = bundle_key(b);

	write8(p, k.kind);
	write8(p, k.name.len);
	write16(p, k.type);
	write16(p, k.rclass);
	write16(p, (uint16_t)bundle_count(b));
	write32(p, bundle_info(b)->ttl);
	write64(p, stored_wall);
	write32(p, 0);
	for (size_t i = 0; i < bundle_count(b); i++) {
		const struct rrset *rs = bundle_set(b, i);

		write32(p, rs->octets);
		write_octets(p, rs, rs->octets);
		write_padding(p);
	}
	write_octets(p, k.name.wire, k.name.len);
}

static bool is_kept(const struct bundle *b)
{
	return bundle_key(b).kind != BUNDLE_FAILURE && bundle_info(b)->security != SECURITY_BOGUS;
}

static struct result visit(void *user, const struct bundle *b)
{
	struct snapshot_writer *w = user;
	const struct bundle_info *info = bundle_info(b);
	uint32_t now = now_sec(&w->now);
	uint32_t age = now > info->stored_sec ? now - info->stored_sec : 0;

	if (!is_kept(b))
		return DONE;
	w->payload = writer_of(w->payload_memory, SNAPSHOT_MAX_PAYLOAD);
	write_bundle(&w->payload, b, w->now.wall_sec > age ? (uint64_t)w->now.wall_sec - age : 0);
	if (!writer_ok(&w->payload))
		return DONE; /* larger than any block may be */
	w->result.written_or_read++;
	return put_block(w, writer_done(&w->payload));
}

static RESULT begin(struct snapshot_writer *w)
{
	uint8_t head[SNAPSHOT_HEADER];
	struct writer h = writer_of(head, sizeof(head));

	w->begun = true;
	w->wall_sec = w->now.wall_sec > 0 ? (uint64_t)w->now.wall_sec : 0;
	snapshot_write_header(&h, w->wall_sec, w->digest);
	return put(w, writer_done(&h));
}

/* The new file is in place and whole already; only its survival of a power cut hangs on this. */
static void sync_directory(const char *path)
{
	AUTO_CHARS char *dir = mem_strdup(path);
	char *slash = dir != NULL ? strrchr(dir, '/') : NULL;
	int fd;

	if (dir == NULL)
		return;
	if (slash != NULL)
		slash[slash == dir ? 1 : 0] = '\0';
	fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static RESULT finish(struct snapshot_writer *w)
{
	TRY(put_block(w, (struct span){ NULL, 0 }));
	TRY(write_out(w, span_of(w->buf, w->used)));
	w->used = 0;
	if (fsync(w->fd) != 0 || rename(w->beside, w->path) != 0)
		return FAIL(ERR_SYSTEM);
	w->finished = true;
	w->result.note = "written";
	sync_directory(w->path);
	return DONE;
}

static RESULT step(struct snapshot_writer *w, struct rrcache *c, size_t slots)
{
	struct result r;

	if (!w->begun)
		TRY(begin(w));
	w->cursor = rrcache_visit(c, w->cursor, slots, visit, w, &r);
	TRY(r);
	return w->cursor == 0 ? finish(w) : DONE;
}

RESULT snapshot_write_step(struct snapshot_writer *w, struct rrcache *c, const struct now *now, size_t slots, bool *ret_finished,
    struct snapshot_result *ret_result)
{
	struct result r;

	if (w->failed || w->finished)
		return FAIL(ERR_CLOSED);
	w->now = *now;
	r = step(w, c, slots != 0 ? slots : 1);
	w->failed = !OK(r);
	TRY(r);
	*ret_finished = w->finished;
	*ret_result = w->result;
	return DONE;
}

/* --- reading */

struct snapshot_reader {
	uint8_t *buf OWNED_FIELD;             /* BUFFER octets */
	uint8_t *payload OWNED_FIELD;         /* one block */
	size_t payload_cap;
	const struct rrset **sets OWNED_FIELD; /* into payload */
	size_t sets_cap;
	size_t at, have;                      /* in buf */
	uint64_t wall_sec;
	uint64_t blocks;
	uint64_t flush_count;
	struct snapshot_result result;
	int fd;
	bool begun, finished;
};

void snapshot_reader_free(struct snapshot_reader *r)
{
	if (r == NULL)
		return;
	close_fd(&r->fd);
	mem_free(r->buf);
	mem_free(r->payload);
	mem_free(r->sets);
	mem_free(r);
}

static RESULT fill(struct snapshot_reader *r)
{
	ssize_t n;

	do
		n = read(r->fd, r->buf, BUFFER);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return FAIL(ERR_SYSTEM);
	r->at = 0;
	r->have = (size_t)n;
	return n != 0 ? DONE : FAIL(ERR_FORMAT);
}

/* ERR_FORMAT: the file ends before. */
static RESULT take(struct snapshot_reader *r, uint8_t *to, size_t n)
{
	while (n != 0) {
		if (r->at == r->have)
			TRY(fill(r));
		size_t part = r->have - r->at < n ? r->have - r->at : n;

		memcpy(to, r->buf + r->at, part);
		r->at += part;
		to += part;
		n -= part;
	}
	return DONE;
}

static RESULT read_header(struct snapshot_reader *r, const uint8_t anchors_digest[32])
{
	uint8_t head[SNAPSHOT_HEADER];
	struct reader h = reader_of(span_of(head, sizeof(head)));

	TRY(take(r, head, sizeof(head)));
	struct span magic = read_span(&h, 8);
	uint32_t version = read32(&h);
	uint32_t layout = read32(&h);
	r->wall_sec = read64(&h);
	struct span digest = read_span(&h, 32);
	read_skip(&h, 8);
	if (!span_equal(magic, span_of(SNAPSHOT_MAGIC, 8)) || version != SNAPSHOT_VERSION || layout != snapshot_layout() ||
	    read64(&h) != snapshot_checksum(r->wall_sec, SNAPSHOT_HEADER_NUMBER, span_of(head, SNAPSHOT_HEADER - 8)))
		return FAIL(ERR_FORMAT);
	r->result.anchors_differ = !span_equal(digest, span_of(anchors_digest, 32));
	return DONE;
}

static RESULT open_file(struct snapshot_reader *r, const char *path)
{
	struct stat st;

	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (r->fd < 0)
		return FAIL(errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM);
	if (fstat(r->fd, &st) != 0)
		return FAIL(ERR_SYSTEM);
	return S_ISREG(st.st_mode) ? DONE : FAIL(ERR_FORMAT);
}

RESULT snapshot_read_open(const char *path, const uint8_t anchors_digest[32], struct snapshot_reader **ret_reader)
{
	AUTO(snapshot_reader_free) struct snapshot_reader *r = mem_alloc(sizeof(*r));

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	r->fd = -1;
	r->result.note = "not finished";
	r->buf = mem_alloc_raw(BUFFER);
	if (r->buf == NULL)
		return FAIL(ERR_NOMEM);
	TRY(open_file(r, path));
	TRY(read_header(r, anchors_digest));
	*ret_reader = MOVE(r);
	return DONE;
}

/* A bundle as it was read; it borrows from the reader's payload. */
struct found {
	struct bundle_key key;
	size_t sets;
	uint32_t ttl;
	uint64_t stored_wall;
};

static RESULT sets_reserve(struct snapshot_reader *r, size_t n)
{
	if (n <= r->sets_cap)
		return DONE;
	TRY(mem_resize((void **)(void *)&r->sets, r->sets_cap, n, sizeof(*r->sets)));
	r->sets_cap = n;
	return DONE;
}

/* Payloads and sets in them begin at multiples of four, so a block can be used where it stands. */
static RESULT parse_set(struct snapshot_reader *r, struct reader *p, uint16_t rclass, size_t i)
{
	uint32_t octets = read32(p);
	size_t at = p->pos;
	struct span block = read_span(p, octets);

	while (p->pos % 4 != 0 && reader_ok(p))
		read_skip(p, 1);
	if (!reader_ok(p) || !OK(rrset_check_block(block)))
		return FAIL(ERR_FORMAT);
	struct rrset *rs = (struct rrset *)(void *)(r->payload + at);
	if (rs->rclass != rclass || rs->rank >= RANK_LOCAL || rs->security > SECURITY_SECURE || rs->security == SECURITY_BOGUS)
		return FAIL(ERR_FORMAT);
	if (r->result.anchors_differ)
		rs->security = SECURITY_UNCHECKED;
	r->sets[i] = rs;
	return DONE;
}

static bool has_set(const struct snapshot_reader *r, const struct found *f, uint16_t type)
{
	for (size_t i = 0; i < f->sets; i++)
		if (r->sets[i]->type == type && name_equal(rrset_name(r->sets[i]), f->key.name))
			return true;
	return false;
}

static bool fits_its_kind(const struct snapshot_reader *r, const struct found *f)
{
	switch (f->key.kind) {
	case BUNDLE_DATA:
		return has_set(r, f, f->key.type);
	case BUNDLE_DELEGATION:
		return f->key.type == 0 && has_set(r, f, RR_NS);
	case BUNDLE_NODATA:
		return true;
	case BUNDLE_NXDOMAIN:
		return f->key.type == 0;
	default:
		return false;
	}
}

static RESULT parse(struct snapshot_reader *r, struct span payload, struct found *ret)
{
	struct reader p = reader_of(payload);
	uint8_t name_len;

	ret->key.kind = read8(&p);
	name_len = read8(&p);
	ret->key.type = read16(&p);
	ret->key.rclass = read16(&p);
	ret->sets = read16(&p);
	ret->ttl = read32(&p);
	ret->stored_wall = read64(&p);
	read_skip(&p, 4);
	if (!reader_ok(&p) || ret->sets > reader_left(&p) / sizeof(struct rrset))
		return FAIL(ERR_FORMAT);
	TRY(sets_reserve(r, ret->sets));
	for (size_t i = 0; i < ret->sets; i++)
		TRY(parse_set(r, &p, ret->key.rclass, i));
	struct span name = read_span(&p, name_len);
	if (!reader_ok(&p) || !reader_end(&p))
		return FAIL(ERR_FORMAT);
	TRY(name_from_wire(name, &ret->key.name));
	return ret->key.name.len == name_len && fits_its_kind(r, ret) ? DONE : FAIL(ERR_FORMAT);
}

static RESULT restore(struct snapshot_reader *r, const struct found *f, struct rrcache *c, struct epoch_member *m, const struct now *now)
{
	uint64_t wall = now->wall_sec > 0 && (uint64_t)now->wall_sec > r->wall_sec ? (uint64_t)now->wall_sec : r->wall_sec;
	uint64_t age = wall > f->stored_wall ? wall - f->stored_wall : 0;
	struct result done = rrcache_restore(c, m, &f->key, r->sets, f->sets, f->ttl, age, r->flush_count, now);

	if (OK(done))
		r->result.written_or_read++;
	else if (done.e == ERR_RANGE)
		r->result.expired++;
	else if (done.e == ERR_EXISTS || done.e == ERR_LIMIT)
		r->result.known++;
	else
		return done;
	return DONE;
}

static RESULT read_payload(struct snapshot_reader *r, size_t n)
{
	if (n > SNAPSHOT_MAX_PAYLOAD)
		return FAIL(ERR_FORMAT);
	if (n > r->payload_cap) {
		TRY(mem_resize((void **)(void *)&r->payload, r->payload_cap, n, 1));
		r->payload_cap = n;
	}
	return take(r, r->payload, n);
}

static void end(struct snapshot_reader *r, const char *note, bool damaged)
{
	r->finished = true;
	r->result.damaged += damaged;
	r->result.note = note;
}

/* ERR_FORMAT: from here on the file cannot be used. */
static RESULT read_block(struct snapshot_reader *r, struct rrcache *c, struct epoch_member *m, const struct now *now)
{
	uint8_t head[SNAPSHOT_BLOCK_HEADER];
	struct reader h = reader_of(span_of(head, sizeof(head)));
	struct found f;

	TRY(take(r, head, sizeof(head)));
	size_t n = read32(&h);
	TRY(read_payload(r, n));
	struct span payload = { r->payload, n };
	if (read64(&h) != snapshot_checksum(r->wall_sec, r->blocks++, payload))
		return FAIL(ERR_FORMAT);
	if (n == 0) {
		end(r, "complete", false);
		return DONE;
	}
	struct result parsed = parse(r, payload, &f);
	if (parsed.e == ERR_NOMEM)
		return parsed;
	if (!OK(parsed)) { /* whole, but not to be believed: only this one is left out */
		r->result.damaged++;
		return DONE;
	}
	return restore(r, &f, c, m, now);
}

RESULT snapshot_read_step(struct snapshot_reader *r, struct rrcache *c, struct epoch_member *m, const struct now *now, size_t entries,
    bool *ret_finished, struct snapshot_result *ret_result)
{
	if (!r->begun)
		r->flush_count = rrcache_flush_count(c);
	r->begun = true;
	for (size_t i = 0; i < entries && !r->finished; i++) {
		struct result one = read_block(r, c, m, now);

		if (one.e == ERR_FORMAT)
			end(r, "damaged or cut short: what came after is lost", true);
		else
			TRY(one);
	}
	*ret_finished = r->finished;
	*ret_result = r->result;
	return DONE;
}
