#include "rpki/validate/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "rpki/object/cert.h"

struct tree {
	struct objects objects;
	int folder;
};

struct tree_reader {
	struct objects_reader reader;
	int folder; /* the tree's, which outlives it */
};

static RESULT tree_open(const struct objects *o, struct objects_reader **ret);
static void tree_close(struct objects_reader *r);
static RESULT tree_find(struct objects_reader *r, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH]);
static RESULT tree_anchor(struct objects_reader *r, struct span uri, size_t max, struct arena *a, struct span *ret);

static RESULT tree_recall(struct objects_reader *r, struct span key, struct span *ret);
static RESULT tree_by_hash(struct objects_reader *r, const uint8_t hash[OBJECT_HASH], size_t max, struct span *ret);

static const struct objects_ops ops = { tree_open, tree_close, tree_find, tree_anchor, tree_recall, tree_by_hash, NULL, NULL };

void tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	if (t->folder >= 0)
		close(t->folder);
	mem_free(t);
}

struct tree *tree_new(const char *folder)
{
	AUTO(tree_free) struct tree *t = mem_alloc(sizeof *t);

	if (t == NULL)
		return NULL;
	t->objects.ops = &ops;
	t->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return t->folder >= 0 ? MOVE(t) : NULL;
}

const struct objects *tree_objects(const struct tree *t)
{
	return &t->objects;
}

static RESULT tree_open(const struct objects *o, struct objects_reader **ret)
{
	struct tree_reader *r = mem_alloc(sizeof *r); /* own-ok: R3 becomes the caller's by its first field */

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	r->reader.ops = &ops;
	r->folder = ((const struct tree *)(const void *)o)->folder;
	*ret = &r->reader;
	return DONE;
}

static void tree_close(struct objects_reader *r)
{
	mem_free(r); /* own-ok: R4 objects_close() took it */
}

/* Its octets, in the arena. */
static RESULT read_file(int fd, size_t max, struct arena *a, struct span *ret)
{
	struct stat st;
	uint8_t *p;
	size_t n = 0;

	if (fstat(fd, &st) != 0)
		return FAIL(ERR_SYSTEM);
	if (!S_ISREG(st.st_mode))
		return FAIL(ERR_NOTFOUND);
	if ((uint64_t)st.st_size > max)
		return FAIL(ERR_LIMIT);
	p = arena_alloc(a, (size_t)st.st_size + 1);
	if (p == NULL)
		return FAIL(ERR_NOMEM);
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, p + n, (size_t)st.st_size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return FAIL(ERR_SYSTEM);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret = span_of(p, n);
	return DONE;
}

/* uri_is() has refused "." and ".." in paths, so that the file is below the folder. */
static RESULT read_at(const struct tree_reader *t, struct span uri, size_t scheme, size_t max, struct arena *a, struct span *ret)
{
	char *path = arena_printf(a, "%.*s", (int)(uri.n - scheme), (const char *)uri.p + scheme);
	struct result r;
	int fd;

	if (path == NULL)
		return FAIL(ERR_NOMEM);
	fd = openat(t->folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG ? FAIL(ERR_NOTFOUND) : FAIL(ERR_SYSTEM);
	r = read_file(fd, max, a, ret);
	close(fd);
	return r;
}

static RESULT tree_find(struct objects_reader *r, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH])
{
	(void)notify;
	if (!uri_is(uri, "rsync://"))
		return FAIL(ERR_NOTFOUND);
	TRY(read_at((const struct tree_reader *)(const void *)r, uri, strlen("rsync://"), max, a, ret));
	sha256_of(*ret, ret_hash);
	return DONE;
}

static RESULT tree_anchor(struct objects_reader *r, struct span uri, size_t max, struct arena *a, struct span *ret)
{
	const struct tree_reader *t = (const struct tree_reader *)(const void *)r;

	if (uri_is(uri, "rsync://"))
		return read_at(t, uri, strlen("rsync://"), max, a, ret);
	return uri_is(uri, "https://") ? read_at(t, uri, strlen("https://"), max, a, ret) : FAIL(ERR_NOTFOUND);
}

/* Nothing is kept in a tree. */
static RESULT tree_recall(struct objects_reader *r, struct span key, struct span *ret)
{
	(void)r;
	(void)key;
	*ret = (struct span){ NULL, 0 };
	return FAIL(ERR_NOTFOUND);
}

static RESULT tree_by_hash(struct objects_reader *r, const uint8_t hash[OBJECT_HASH], size_t max, struct span *ret)
{
	(void)r;
	(void)hash;
	(void)max;
	*ret = (struct span){ NULL, 0 };
	return FAIL(ERR_NOTFOUND);
}
