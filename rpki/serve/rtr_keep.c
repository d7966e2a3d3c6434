/* The file: a head, a list of images (octets and sum of each), the images: the table, then what each difference announces and withdraws, the oldest first. */
#include "rpki/serve/rtr_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "rpki/routes/expiry.h"
#include "rpki/routes/table_image.h"

#define LAYOUT 1u
#define ORDER 0x01020304u
#define DELTAS_MAX 65536u

struct entry {
	uint64_t octets, sum;
};

/* What was good later, in place: with a sum of its own, for it may be written in part. */
struct confirmed {
	int64_t at;
	uint64_t sum; /* of at and the head's sum */
};

struct head {
	char magic[8];
	uint32_t order, layout;
	uint64_t octets; /* of the file */
	int64_t at;
	uint32_t serial, deltas;
	uint16_t session[RTR_VERSIONS], pad;
	uint64_t sum; /* of all above, and of the list */
	struct confirmed confirmed;
};

static const char magic[8] = { 'c', 'a', 'i', 'r', 'n', 'r', 't', 'r' };
static const struct hash_key sum_key = { { 0x727472, 0x6b656570 } }; /* no secret: against damage */

_Static_assert(sizeof(struct head) == 72 && RTR_VERSIONS == 3, "layout");

static uint64_t head_sum(const struct head *h, const struct entry *list, size_t n)
{
	struct hash_key k = sum_key;

	k.k[0] ^= siphash13(&k, h, offsetof(struct head, sum));
	return siphash13(&k, list, n * sizeof *list);
}

static uint64_t confirmed_sum(int64_t at, uint64_t sum)
{
	uint64_t both[2] = { (uint64_t)at, sum };

	return siphash13(&sum_key, both, sizeof both);
}

/* --------------------------------------------------------------------------------------------------------------- writing */

struct writing {
	const struct rtr_feed *feed BORROWED_FIELD;
	struct head head;
	struct entry *list OWNED_FIELD;
	size_t n;             /* images */
	size_t at;            /* the next piece: 0 the head, 1 the list, then images */
	struct table_image image;
	size_t part;          /* the next of image */
};

static void writing_done(struct writing *w)
{
	mem_free(MOVE(w->list));
}

/* Image i of the file. */
static const struct payload_table *image_table(const struct writing *w, size_t i) BORROWED;
static const struct payload_table *image_table(const struct writing *w, size_t i)
{
	const struct payload_delta *d;

	if (i == 0)
		return rtr_feed_table(w->feed);
	d = history_step(rtr_feed_history(w->feed), w->head.deltas - 1 - (i - 1) / 2);
	return (i - 1) % 2 == 0 ? delta_announced(d) : delta_withdrawn(d);
}

static RESULT writing_init(struct writing *w, const struct rtr_feed *f, int64_t now)
{
	struct rtr_state s = rtr_feed_state(f);

	*w = (struct writing){ .feed = f, .head = { .order = ORDER, .layout = LAYOUT, .at = now, .serial = s.serial,
		.deltas = (uint32_t)history_count(rtr_feed_history(f)) } };
	memcpy(w->head.magic, magic, sizeof magic);
	memcpy(w->head.session, s.session, sizeof w->head.session);
	w->n = 1 + 2 * (size_t)w->head.deltas;
	w->list = mem_alloc_array(w->n, sizeof *w->list);
	if (w->list == NULL)
		return FAIL(ERR_NOMEM);
	w->head.octets = sizeof w->head + w->n * sizeof *w->list;
	for (size_t i = 0; i < w->n; i++) {
		const struct payload_table *t = image_table(w, i);

		table_image_of(t, &w->image);
		w->list[i] = (struct entry){ .octets = w->image.octets, .sum = table_image_sum(t) };
		w->head.octets += w->image.octets;
	}
	w->head.sum = head_sum(&w->head, w->list, w->n);
	w->head.confirmed = (struct confirmed){ .at = now, .sum = confirmed_sum(now, w->head.sum) };
	w->image.n = 0;
	return DONE;
}

static RESULT next_piece(void *ctx, struct span *ret)
{
	struct writing *w = ctx;

	if (w->part < w->image.n) {
		*ret = w->image.parts[w->part++];
		return DONE;
	}
	*ret = span_of(NULL, 0);
	if (w->at == 0) {
		*ret = span_of(&w->head, sizeof w->head);
	} else if (w->at == 1) {
		*ret = span_of(w->list, w->n * sizeof *w->list);
	} else if (w->at - 2 < w->n) {
		table_image_of(image_table(w, w->at - 2), &w->image);
		*ret = w->image.parts[0];
		w->part = 1;
	}
	w->at++;
	return DONE;
}

RESULT rtr_keep_write(const char *path, const struct rtr_feed *f, int64_t now)
{
	struct writing w;
	struct result r = writing_init(&w, f, now);

	if (OK(r))
		r = file_write_pieces(path, next_piece, &w, 0600);
	writing_done(&w);
	return r;
}

/* --------------------------------------------------------------------------------------------------------------- reading */

/* ERR_FORMAT: the file ends before. */
static RESULT read_at(int fd, uint64_t at, void *to, size_t n)
{
	struct writer w = writer_of(to, n);

	while (writer_left(&w) > 0) {
		ssize_t got = pread(fd, w.base + w.pos, writer_left(&w), (off_t)(at + w.pos));

		if (got < 0 && errno != EINTR)
			return FAIL(ERR_SYSTEM);
		if (got == 0)
			return FAIL(ERR_FORMAT);
		if (got > 0)
			w.pos += (size_t)got;
	}
	return DONE;
}

static bool head_is_sound(const struct head *h)
{
	if (memcmp(h->magic, magic, sizeof magic) != 0 || h->order != ORDER || h->layout != LAYOUT || h->deltas > DELTAS_MAX || h->pad != 0)
		return false;
	for (unsigned int i = 0; i < RTR_VERSIONS; i++)
		for (unsigned int k = 0; k < i; k++)
			if (h->session[i] == h->session[k])
				return false;
	return true;
}

static int64_t good_as_of(const struct head *h)
{
	const struct confirmed *c = &h->confirmed;

	return c->sum == confirmed_sum(c->at, h->sum) && c->at > h->at ? c->at : h->at;
}

static bool too_old(int64_t at, int64_t now, int64_t max_age)
{
	int64_t age;

	return max_age != RTR_KEEP_ANY_AGE && (__builtin_sub_overflow(now, at, &age) || age > max_age || age < -RTR_KEEP_AHEAD);
}

/* The head and the list, checked against each other and the file's size. */
static RESULT read_head(int fd, struct head *ret_head, struct entry **ret_list, size_t *ret_n)
{
	AUTO(mem_free) void *list = NULL;
	struct entry *e;
	struct stat st;
	size_t n;
	uint64_t octets;

	if (fstat(fd, &st) != 0)
		return FAIL(ERR_SYSTEM);
	if ((uint64_t)st.st_size > RTR_KEEP_MAX)
		return FAIL(ERR_LIMIT);
	TRY(read_at(fd, 0, ret_head, sizeof *ret_head));
	if (!head_is_sound(ret_head) || ret_head->octets != (uint64_t)st.st_size)
		return FAIL(ERR_FORMAT);
	n = 1 + 2 * (size_t)ret_head->deltas;
	octets = sizeof *ret_head + n * sizeof *e;
	list = mem_alloc_array(n, sizeof *e);
	e = list;
	if (list == NULL)
		return FAIL(ERR_NOMEM);
	TRY(read_at(fd, sizeof *ret_head, list, n * sizeof *e));
	for (size_t i = 0; i < n; i++) {
		if (e[i].octets > RTR_KEEP_MAX)
			return FAIL(ERR_FORMAT);
		octets += e[i].octets;
	}
	if (octets != ret_head->octets || head_sum(ret_head, e, n) != ret_head->sum)
		return FAIL(ERR_FORMAT);
	*ret_list = MOVE(list);
	*ret_n = n;
	return DONE;
}

static RESULT read_table(int fd, const struct entry *e, uint64_t *at, struct payload_table **ret)
{
	AUTO(table_unref) struct payload_table *t = NULL;
	AUTO(mem_free) void *octets = mem_alloc_raw((size_t)e->octets);

	if (octets == NULL)
		return FAIL(ERR_NOMEM);
	TRY(read_at(fd, *at, octets, (size_t)e->octets));
	TRY(table_image_take(MOVE(octets), (size_t)e->octets, &t));
	if (table_image_sum(t) != e->sum)
		return FAIL(ERR_FORMAT);
	*at += e->octets;
	*ret = MOVE(t);
	return DONE;
}

/* list: that of the file; the first image is at `at`. */
static RESULT read_images(int fd, const struct head *h, const struct entry *list, uint64_t at, struct payload_history *history, struct payload_table **ret_table)
{
	AUTO(table_unref) struct payload_table *t = NULL;
	uint32_t serial;

	TRY(read_table(fd, &list[0], &at, &t));
	for (size_t i = 0; i < h->deltas; i++) {
		AUTO(table_unref) struct payload_table *announced = NULL, *withdrawn = NULL;
		AUTO(delta_free) struct payload_delta *d = NULL;

		TRY(read_table(fd, &list[1 + 2 * i], &at, &announced));
		TRY(read_table(fd, &list[2 + 2 * i], &at, &withdrawn));
		TRY(delta_of(MOVE(announced), MOVE(withdrawn), &d));
		TRY(history_add(history, MOVE(d), &serial));
	}
	*ret_table = MOVE(t);
	return DONE;
}

/*
 * Version 0 begins a session of its own each time: of its routers GoBGP asks for everything whenever it connects, and forgets what it had only when the session is another; what was withdrawn
 * while it was away would stay for ever.
 */
static struct rtr_state state_of(const struct head *h, uint16_t drawn)
{
	struct rtr_state s = { .serial = h->serial };
	bool taken = true;

	memcpy(s.session, h->session, sizeof s.session);
	for (s.session[0] = drawn; taken; s.session[0] += taken) {
		taken = false;
		for (unsigned int i = 0; i < RTR_VERSIONS; i++)
			taken |= s.session[0] == h->session[i];
	}
	return s;
}

RESULT rtr_keep_read_file(int fd, struct rtr_feed *f, const struct history_limits *limits, int64_t now, int64_t max_age, int64_t *ret_at)
{
	AUTO(table_unref) struct payload_table *t = NULL, *fresh = NULL;
	AUTO(history_free) struct payload_history *history = NULL;
	AUTO(mem_free) void *list = NULL;
	struct rtr_state s;
	struct head h;
	size_t n = 0, expired = 0;
	bool changed;

	TRY(read_head(fd, &h, (struct entry **)(void *)&list, &n));
	if (too_old(good_as_of(&h), now, max_age))
		return FAIL(ERR_TIMEOUT);
	history = history_new(limits, h.serial - h.deltas);
	if (history == NULL)
		return FAIL(ERR_NOMEM);
	TRY(read_images(fd, &h, list, sizeof h + n * sizeof(struct entry), history, &t));
	TRY(table_unexpired(t, now, &expired, &fresh));
	s = state_of(&h, rtr_feed_state(f).session[0]);
	*ret_at = good_as_of(&h);
	rtr_feed_restore(f, &s, MOVE(t), MOVE(history));
	return expired > 0 ? rtr_feed_publish(f, MOVE(fresh), &changed) : DONE;
}

/* ERR_NOTFOUND: there is none. */
static RESULT open_file(const char *path, int flags, int *ret_fd)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return FAIL(errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM);
	*ret_fd = fd;
	return DONE;
}

RESULT rtr_keep_read(const char *path, struct rtr_feed *f, const struct history_limits *limits, int64_t now, int64_t max_age, int64_t *ret_at)
{
	struct result r;
	int fd = -1;

	TRY(open_file(path, O_RDONLY, &fd));
	r = rtr_keep_read_file(fd, f, limits, now, max_age, ret_at);
	(void)close(fd);
	return r;
}

static RESULT confirm(int fd, const struct rtr_feed *f, int64_t now)
{
	struct rtr_state s = rtr_feed_state(f);
	AUTO(mem_free) void *list = NULL;
	struct confirmed c;
	struct head h;
	size_t n = 0;
	struct result r = read_head(fd, &h, (struct entry **)(void *)&list, &n);

	if (r.e == ERR_FORMAT)
		return FAIL(ERR_NOTFOUND);
	TRY(r);
	if (h.serial != s.serial || memcmp(h.session, s.session, sizeof s.session) != 0)
		return FAIL(ERR_NOTFOUND);
	c = (struct confirmed){ .at = now, .sum = confirmed_sum(now, h.sum) };
	if (pwrite(fd, &c, sizeof c, (off_t)offsetof(struct head, confirmed)) != (ssize_t)sizeof c || fsync(fd) != 0)
		return FAIL(ERR_SYSTEM);
	return DONE;
}

RESULT rtr_keep_confirm(const char *path, const struct rtr_feed *f, int64_t now)
{
	struct result r;
	int fd = -1;

	TRY(open_file(path, O_RDWR, &fd));
	r = confirm(fd, f, now);
	(void)close(fd);
	return r;
}

RESULT rtr_keep_save(const char *path, const struct rtr_feed *f, int64_t now)
{
	struct result r = rtr_keep_confirm(path, f, now);

	return OK(r) ? r : rtr_keep_write(path, f, now);
}
