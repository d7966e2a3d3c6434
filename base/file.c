#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define FIRST_ROOM ((size_t)4096)

/* Closes without hiding the errno of what failed before. */
static void close_quietly(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}
#define AUTO_FD __attribute__((cleanup(close_quietly)))

static int open_retry(const char *path, int flags)
{
	int fd;

	do {
		fd = open(path, flags | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

/* Reads into p up to n octets or the end; *ret_n is short at the end only. */
static RESULT read_full(int fd, char *p, size_t n, size_t *ret_n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = read(fd, p + got, n - got);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return FAIL(ERR_SYSTEM);
		if (k == 0)
			break;
		got += (size_t)k;
	}
	*ret_n = got;
	return DONE;
}

/* One octet more than the file is said to have shows that it has ended; one more than max, that it is too long. */
static size_t first_room(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (uintmax_t)st.st_size < max)
		return (size_t)st.st_size + 1;
	return max < FIRST_ROOM ? max + 1 : FIRST_ROOM;
}

RESULT file_read_all(const char *path, size_t max, char **ret_text, size_t *ret_n)
{
	AUTO_FD int fd = open_retry(path, O_RDONLY | O_NOCTTY);
	AUTO_CHARS char *text = NULL;
	size_t room = 0, n = 0;

	if (fd < 0)
		return FAIL(errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_SYSTEM);
	if (max > SIZE_MAX / 4)
		max = SIZE_MAX / 4;
	while (n == room) {
		size_t next = room == 0 ? first_room(fd, max) : room * 2 <= max ? room * 2 : max + 1;
		size_t got;

		if (n > max)
			return FAIL(ERR_LIMIT);
		TRY(mem_resize((void **)&text, room, next + 1, 1));
		room = next;
		TRY(read_full(fd, text + n, room - n, &got));
		n += got;
	}
	if (n > max)
		return FAIL(ERR_LIMIT);
	text[n] = '\0';
	*ret_text = MOVE(text);
	*ret_n = n;
	return DONE;
}

static bool write_full(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t k = write(fd, s.p, s.n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return false;
		s = span_of(s.p + k, s.n - (size_t)k);
	}
	return true;
}

static bool sync_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_CHARS char *dir = slash == NULL ? mem_strdup(".") : slash == path ? mem_strdup("/") :
		mem_strndup(path, (size_t)(slash - path));
	AUTO_FD int fd = -1;

	if (dir == NULL)
		return false;
	fd = open_retry(dir, O_RDONLY | O_DIRECTORY);
	/* some file systems cannot sync a directory and say EINVAL: then there is nothing to be done */
	return fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
}

/* Content as one piece, for file_write_atomic(). */
static RESULT whole_piece(void *ctx, struct span *ret_piece)
{
	struct span *left = ctx;

	*ret_piece = *left;
	*left = span_of(NULL, 0);
	return DONE;
}

static RESULT fill(int fd, file_piece_fn *fn, void *ctx)
{
	for (;;) {
		struct span piece = span_of(NULL, 0);

		TRY(fn(ctx, &piece));
		if (piece.n == 0)
			return DONE;
		if (!write_full(fd, piece))
			return FAIL(ERR_SYSTEM);
	}
}

static RESULT fill_and_rename(int fd, const char *from, const char *to, file_piece_fn *fn, void *ctx, mode_t mode)
{
	if (fchmod(fd, mode) != 0)
		return FAIL(ERR_SYSTEM);
	TRY(fill(fd, fn, ctx));
	return fsync(fd) == 0 && rename(from, to) == 0 ? DONE : FAIL(ERR_SYSTEM);
}

RESULT file_write_pieces(const char *path, file_piece_fn *fn, void *ctx, mode_t mode)
{
	AUTO_CHARS char *beside = mem_printf("%s.XXXXXX", path);
	AUTO_FD int fd = -1;
	struct result r;

	if (beside == NULL)
		return FAIL(ERR_NOMEM);
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return FAIL(ERR_SYSTEM);
	r = fill_and_rename(fd, beside, path, fn, ctx, mode);
	if (!OK(r)) {
		int saved = errno;

		unlink(beside);
		errno = saved;
		return r;
	}
	(void)sync_directory_of(path); /* the new file is in place and whole; only its survival of a power cut is in doubt */
	return DONE;
}

RESULT file_write_atomic(const char *path, struct span content, mode_t mode)
{
	return file_write_pieces(path, whole_piece, &content, mode);
}

struct file_seen file_look(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return (struct file_seen){ .there = false };
	return (struct file_seen){ .device = st.st_dev, .inode = st.st_ino, .size = (uint64_t)st.st_size, .sec = st.st_mtim.tv_sec, .nsec = st.st_mtim.tv_nsec, .there = true };
}

bool file_same(const struct file_seen *a, const struct file_seen *b)
{
	return a->there == b->there && a->device == b->device && a->inode == b->inode && a->size == b->size && a->sec == b->sec && a->nsec == b->nsec;
}
