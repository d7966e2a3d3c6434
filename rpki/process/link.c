#include "rpki/process/link.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define TYPE_OCTETS 4u
#define MESSAGES_PER_TURN 16u

LOOP_HANDLE_IMPL(link)

struct waiting {
	struct waiting *next OWNED_FIELD;
	size_t n;
	int fd; /* a duplicate; -1: none */
	uint8_t octets[];
};

/* Its handle is retired first when it goes; so a callback from within it looks again. */
struct link {
	struct loop *loop PARENT_FIELD;
	struct dead dead;
	link_h self;
	struct link_events ev;
	int fd;
	watch_h read_watch, write_watch;
	bool paused, closed, was_high;
	struct waiting *first OWNED_FIELD;
	struct waiting **last PARENT_FIELD;
	size_t unsent;
	uint8_t room[TYPE_OCTETS + LINK_BODY_MAX + 1]; /* the message that is read; one more, so that what is too long shows */
};

static void waiting_free(struct waiting *w) TAKES(1);
static void waiting_free(struct waiting *w)
{
	if (w == NULL)
		return;
	if (w->fd >= 0)
		(void)close(w->fd);
	mem_free(w);
}
DEFINE_AUTO(struct waiting, waiting_free)

static void drop_first(struct link *k)
{
	AUTO(waiting_free) struct waiting *w = MOVE(k->first);

	k->first = MOVE(w->next);
}

static void link_free(struct link *k) TAKES(1);
static void link_free(struct link *k)
{
	if (k == NULL)
		return;
	while (k->first != NULL)
		drop_first(k);
	if (k->fd >= 0)
		(void)close(k->fd);
	mem_free(k);
}
DEFINE_AUTO(struct link, link_free)

static void link_bury(struct dead *d)
{
	link_free(PARENT_OF(d, struct link, dead));
}

static void drop(struct link *k)
{
	if (k->closed)
		return;
	k->closed = true;
	loop_unwatch(k->loop, &k->read_watch);
	loop_unwatch(k->loop, &k->write_watch);
	link_retire(k->loop, k->self);
	(void)close(k->fd); /* now: the other end sees it, whatever this turn still does */
	k->fd = -1;
	loop_bury(k->loop, &k->dead, link_bury);
}

static void end(struct link *k, enum err e)
{
	void *object = loop_slot_get(k->loop, k->ev.type, k->ev.who);

	if (k->closed)
		return;
	drop(k);
	if (object != NULL)
		k->ev.closed(k->loop, object, k->self, e);
}

/* ---------------------------------------------------------------------------------------------------------------- reading */

/* Closes all that came along but the first, if that one alone is there. -1: none, -2: more than one, or something else. */
static int take_descriptor(struct msghdr *m)
{
	bool good = (m->msg_flags & MSG_CTRUNC) == 0;
	int kept = -1, fd;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		bool rights = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS;

		good = good && rights;
		for (size_t at = 0; rights && CMSG_LEN(at + sizeof fd) <= c->cmsg_len; at += sizeof fd) {
			memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
			good = good && kept < 0;
			if (kept < 0)
				kept = fd;
			else
				(void)close(fd);
		}
	}
	if (good)
		return kept;
	if (kept >= 0)
		(void)close(kept);
	return -2;
}

static void deliver(struct link *k, size_t n, int fd)
{
	struct reader r = reader_of(span_of(k->room, n));
	struct link_message m = { .type = read32(&r), .fd = fd };
	void *object = loop_slot_get(k->loop, k->ev.type, k->ev.who);

	m.body = read_rest(&r);
	if (object != NULL)
		k->ev.message(k->loop, object, k->self, &m);
	if (m.fd >= 0)
		(void)close(m.fd);
}

/* False: nothing more for now, or the link is gone. */
static bool read_one(struct link *k)
{
	union {
		struct cmsghdr align;
		uint8_t octets[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { k->room, sizeof k->room };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t n = recvmsg(k->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd;

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			end(k, errno == ECONNRESET ? ERR_CLOSED : ERR_SYSTEM);
		return false;
	}
	fd = take_descriptor(&m);
	if (n < (ssize_t)TYPE_OCTETS || n == (ssize_t)sizeof k->room || fd == -2) {
		if (fd >= 0) /* take_descriptor() has closed it otherwise */
			(void)close(fd);
		end(k, n == 0 && fd == -1 ? ERR_CLOSED : ERR_FORMAT);
		return false;
	}
	deliver(k, (size_t)n, fd);
	return true;
}

static void on_readable(struct loop *l, void *object, unsigned int events)
{
	struct link *k = (struct link *)object;

	(void)l, (void)events;
	for (unsigned int i = 0; i < MESSAGES_PER_TURN && !k->closed && !k->paused; i++)
		if (!read_one(k))
			break;
}

static RESULT set_reading(struct link *k)
{
	if (k->paused) {
		loop_unwatch(k->loop, &k->read_watch);
		return DONE;
	}
	return k->read_watch.v != 0 ? DONE : loop_watch(k->loop, &link_loop_type, k->self.v, k->fd, LOOP_READ, on_readable, &k->read_watch);
}

/* ---------------------------------------------------------------------------------------------------------------- writing */

/* 0, or errno. */
static int send_now(int socket, struct iovec *v, size_t nv, int fd)
{
	union {
		struct cmsghdr align;
		uint8_t octets[CMSG_SPACE(sizeof(int))];
	} control = { .octets = { 0 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = nv }; /* own-ok: R6 of this call */
	struct cmsghdr *c;
	ssize_t n;

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof control;
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	do
		n = sendmsg(socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

static bool for_later(int e)
{
	return e == EAGAIN || e == ENOBUFS || e == ENOMEM || e == ETOOMANYREFS;
}

static void on_writable(struct loop *l, void *object, unsigned int events)
{
	struct link *k = (struct link *)object;
	void *user;

	(void)events;
	while (k->first != NULL) {
		struct waiting *w = k->first;
		struct iovec v = { w->octets, w->n };
		int e = send_now(k->fd, &v, 1, w->fd);

		if (e != 0 && for_later(e))
			return;
		if (e != 0) {
			end(k, e == EPIPE || e == ECONNRESET ? ERR_CLOSED : ERR_SYSTEM);
			return;
		}
		k->unsent -= w->n;
		drop_first(k);
	}
	k->last = &k->first;
	loop_unwatch(l, &k->write_watch);
	user = loop_slot_get(l, k->ev.type, k->ev.who);
	if (!k->was_high)
		return;
	k->was_high = false;
	if (user != NULL && k->ev.drained != NULL)
		k->ev.drained(l, user, k->self);
}

static RESULT let_wait(struct link *k, const uint8_t type[TYPE_OCTETS], struct span body, int fd)
{
	AUTO(waiting_free) struct waiting *w = NULL;
	struct waiting **next;

	if (k->unsent + TYPE_OCTETS + body.n > LINK_UNSENT_MAX)
		return FAIL(ERR_LIMIT);
	w = (struct waiting *)mem_alloc_raw(sizeof *w + TYPE_OCTETS + body.n);
	if (w == NULL)
		return FAIL(ERR_NOMEM);
	w->next = NULL;
	w->n = TYPE_OCTETS + body.n;
	w->fd = -1;
	memcpy(w->octets, type, TYPE_OCTETS);
	if (body.n > 0)
		memcpy(w->octets + TYPE_OCTETS, body.p, body.n);
	if (fd >= 0) {
		w->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (w->fd < 0)
			return FAIL(ERR_SYSTEM);
	}
	if (k->write_watch.v == 0)
		TRY(loop_watch(k->loop, &link_loop_type, k->self.v, k->fd, LOOP_WRITE, on_writable, &k->write_watch));
	k->unsent += w->n;
	k->was_high = k->was_high || k->unsent > LINK_UNSENT_HIGH;
	next = &w->next;
	*k->last = MOVE(w);
	k->last = next;
	return DONE;
}

RESULT link_send(struct loop *l, link_h handle, uint32_t type, struct span body, int fd)
{
	struct link *k = link_get(l, handle);
	uint8_t head[TYPE_OCTETS];
	struct iovec v[2] = { { head, sizeof head }, { NULL, body.n } };
	int e;

	if (k == NULL)
		return FAIL(ERR_CLOSED);
	if (body.n > LINK_BODY_MAX)
		return FAIL(ERR_RANGE);
	store32(head, type);
	memcpy(&v[1].iov_base, &body.p, sizeof body.p); /* sendmsg does not write there */
	e = k->first != NULL ? EAGAIN : send_now(k->fd, v, body.n > 0 ? 2 : 1, fd);
	if (e == 0)
		return DONE;
	if (for_later(e))
		return let_wait(k, head, body, fd);
	return FAIL(e == EPIPE || e == ECONNRESET ? ERR_CLOSED : ERR_SYSTEM);
}

size_t link_unsent(const struct loop *l, link_h handle)
{
	const struct link *k = link_get(l, handle);

	return k != NULL ? k->unsent : 0;
}

/* ------------------------------------------------------------------------------------------------------------------- whole */

void link_pause(struct loop *l, link_h handle, bool paused)
{
	struct link *k = link_get(l, handle);

	if (k == NULL || k->paused == paused)
		return;
	k->paused = paused;
	if (!OK(set_reading(k)))
		k->paused = true; /* whoever paused it will do so again */
}

RESULT link_pair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) == 0 ? DONE : FAIL(ERR_SYSTEM);
}

RESULT link_open(struct loop *l, int fd, const struct link_events *ev, link_h *ret)
{
	AUTO(link_free) struct link *k = (struct link *)mem_alloc_raw(sizeof *k);
	struct result r;

	if (k == NULL) {
		(void)close(fd);
		return FAIL(ERR_NOMEM);
	}
	memset(k, 0, offsetof(struct link, room)); /* the room stays untouched, and takes no memory, until something comes */
	k->loop = l;
	k->fd = fd;
	k->ev = *ev;
	k->last = &k->first;
	k->self = link_enlist(l, k);
	if (k->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = set_reading(k);
	if (!OK(r)) {
		link_retire(l, k->self);
		return r;
	}
	*ret = k->self;
	(void)MOVE(k); /* own-ok: R3 its handle names it until drop() buries it */
	return DONE;
}

void link_close(struct loop *l, link_h handle)
{
	struct link *k = link_get(l, handle);

	if (k != NULL)
		drop(k);
}
