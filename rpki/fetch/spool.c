#include "rpki/fetch/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/libcrypto.h"
#include "base/strbuf.h"

#define PIECE ((size_t)64 * 1024)

struct spool {
	char *dir OWNED_FIELD;
	struct strbuf *head OWNED_FIELD; /* what is not in the file */
	uint64_t octets, max;
	int fd; /* -1: all is in head */
	SHA256_CTX sha;
};

void spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	strbuf_free(MOVE(s->head));
	mem_free(MOVE(s->dir));
	mem_free(s);
}

struct spool *spool_new(const char *dir, uint64_t max)
{
	AUTO(spool_free) struct spool *s = (struct spool *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->fd = -1;
	s->max = max;
	s->head = strbuf_new(dir != NULL ? SPOOL_IN_MEMORY : SIZE_MAX / 2);
	if (s->head == NULL || SHA256_Init(&s->sha) != 1)
		return NULL;
	if (dir != NULL) {
		s->dir = mem_strdup(dir);
		if (s->dir == NULL)
			return NULL;
	}
	return MOVE(s);
}

static RESULT write_all(int fd, struct span s)
{
	struct reader r = reader_of(s);

	while (!reader_end(&r)) {
		struct reader look = r;
		struct span rest = read_rest(&look);
		ssize_t n = write(fd, rest.p, rest.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FAIL(ERR_SYSTEM);
		read_skip(&r, (size_t)n);
	}
	return DONE;
}

/* head becomes too long: all goes to a file from here on. */
static RESULT spill(struct spool *s)
{
	if (s->fd < 0) {
		s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (s->fd < 0)
			return FAIL(ERR_SYSTEM);
	}
	TRY(write_all(s->fd, strbuf_span(s->head)));
	strbuf_clear(s->head);
	return DONE;
}

RESULT spool_add(struct spool *s, struct span octets)
{
	if (octets.n > s->max - s->octets)
		return FAIL(ERR_LIMIT);
	if (octets.n > 0 && SHA256_Update(&s->sha, octets.p, octets.n) != 1)
		return FAIL(ERR_NOMEM);
	s->octets += octets.n;
	if (s->dir != NULL && octets.n > SPOOL_IN_MEMORY - strbuf_len(s->head)) {
		TRY(spill(s));
		if (octets.n > SPOOL_IN_MEMORY)
			return write_all(s->fd, octets);
	}
	strbuf_add_span(s->head, octets);
	return strbuf_result(s->head);
}

uint64_t spool_octets(const struct spool *s)
{
	return s->octets;
}

RESULT spool_check(struct spool *s, const uint8_t want[SPOOL_HASH])
{
	uint8_t have[SPOOL_HASH];

	if (SHA256_Final(have, &s->sha) != 1)
		return FAIL(ERR_NOMEM);
	return memcmp(have, want, SPOOL_HASH) == 0 ? DONE : FAIL(ERR_REFUSED);
}

static RESULT replay_file(struct spool *s, spool_fn *fn, void *ctx)
{
	AUTO(mem_free) void *room = mem_alloc_raw(PIECE);
	uint64_t at = 0;

	if (room == NULL)
		return FAIL(ERR_NOMEM);
	while (at < s->octets) {
		ssize_t n = pread(s->fd, room, PIECE, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FAIL(ERR_SYSTEM);
		at += (uint64_t)n;
		TRY(fn(ctx, span_of(room, (size_t)n), at >= s->octets));
	}
	return DONE;
}

RESULT spool_replay(struct spool *s, spool_fn *fn, void *ctx)
{
	struct reader r = reader_of(strbuf_span(s->head));

	if (s->fd >= 0) {
		TRY(spill(s));
		return replay_file(s, fn, ctx);
	}
	if (reader_end(&r))
		return fn(ctx, span_of("", 0), true);
	while (!reader_end(&r)) {
		struct span piece = read_span(&r, reader_left(&r) < PIECE ? reader_left(&r) : PIECE);

		TRY(fn(ctx, piece, reader_end(&r)));
	}
	return DONE;
}
