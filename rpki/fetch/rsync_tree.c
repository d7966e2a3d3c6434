#include "rpki/fetch/rsync_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "rpki/fetch/uri.h"

struct walk {
	const struct rsync_tree_limits *limits BORROWED_FIELD;
	rsync_tree_fn *fn;
	void *ctx BORROWED_FIELD;
	struct rsync_tree_counts *counts BORROWED_FIELD;
	struct strbuf *uri BORROWED_FIELD; /* of the folder, then of what is in it */
	uint8_t *room BORROWED_FIELD;      /* object_octets + 1 */
};

struct rsync_tree_limits rsync_tree_limits_default(void)
{
	return (struct rsync_tree_limits){ .depth = 32, .files = 1000000, .octets = 2ull << 30, .object_octets = 8u << 20 };
}

/* Up to size octets. */
static RESULT read_file(int fd, uint8_t *room, size_t size, size_t *ret_n)
{
	struct writer w = writer_of(room, size);

	while (writer_left(&w) > 0) {
		ssize_t n = read(fd, &room[w.pos], writer_left(&w));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FAIL(ERR_SYSTEM);
		if (n == 0)
			break;
		w.pos += (size_t)n;
	}
	*ret_n = w.pos;
	return DONE;
}

static RESULT one_file(struct walk *w, int fd)
{
	struct rsync_tree_counts *c = w->counts;
	size_t n;

	TRY(read_file(fd, w->room, (size_t)w->limits->object_octets + 1, &n));
	if (n > w->limits->object_octets) {
		c->too_large++;
		return DONE;
	}
	if (!rsync_uri_ok(strbuf_span(w->uri))) {
		c->odd++;
		return DONE;
	}
	c->files++;
	c->octets += n;
	if (c->files > w->limits->files || c->octets > w->limits->octets)
		return FAIL(ERR_LIMIT);
	return w->fn(w->ctx, strbuf_span(w->uri), span_of(w->room, n));
}

static RESULT one_folder(struct walk *w, DIR *dir, unsigned int depth);

/* Takes fd. */
static RESULT inside(struct walk *w, int fd, unsigned int depth)
{
	DIR *dir = fdopendir(fd);
	struct result r;

	if (dir == NULL) {
		(void)close(fd);
		return FAIL(ERR_NOMEM);
	}
	r = one_folder(w, dir, depth);
	(void)closedir(dir);
	return r;
}

static RESULT one_entry(struct walk *w, int at, const char *name, unsigned int depth)
{
	struct stat st;
	struct result r = DONE;
	int fd;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return DONE;
	/* lint-ok: analyzer:unix.StdCLibraryFunctions a folder that is being read has a descriptor */
	fd = rsync_name_ok(span_text(name)) ? openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		return FAIL(ERR_SYSTEM);
	if (fd < 0 || fstat(fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) || (S_ISDIR(st.st_mode) && depth >= w->limits->depth)) {
		w->counts->odd++;
	} else {
		strbuf_puts(w->uri, name);
		if (S_ISDIR(st.st_mode)) {
			strbuf_putc(w->uri, '/');
			return inside(w, fd, depth + 1);
		}
		r = one_file(w, fd);
	}
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static RESULT one_folder(struct walk *w, DIR *dir, unsigned int depth)
{
	size_t len = strbuf_len(w->uri);
	const struct dirent *d;

	for (;;) {
		errno = 0;
		d = readdir(dir);
		if (d == NULL)
			return errno == 0 ? DONE : FAIL(ERR_SYSTEM);
		errno = 0;
		TRY(one_entry(w, dirfd(dir), d->d_name, depth));
		strbuf_cut(w->uri, len);
		TRY(strbuf_result(w->uri));
	}
}

RESULT rsync_tree_read(const char *dir, struct span base, const struct rsync_tree_limits *limits, rsync_tree_fn *fn, void *ctx, struct rsync_tree_counts *counts)
{
	AUTO(strbuf_free) struct strbuf *uri = strbuf_new(RSYNC_URI_MAX + (size_t)limits->depth * (RSYNC_NAME_MAX + 1));
	AUTO(mem_free) void *room = mem_alloc_raw((size_t)limits->object_octets + 1);
	struct walk w = { .limits = limits, .fn = fn, .ctx = ctx, .counts = counts, .uri = uri };
	int fd;

	*counts = (struct rsync_tree_counts){ 0 };
	if (uri == NULL || room == NULL)
		return FAIL(ERR_NOMEM);
	w.room = (uint8_t *)room;
	strbuf_add_span(uri, base);
	TRY(strbuf_result(uri));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? FAIL(ERR_SYSTEM) : inside(&w, fd, 0);
}
