/*
 * A process of cairn-rpki that has gone bad, at the other end of a link: it sends whatever octets it likes, with and without descriptors, to the engine's fetcher, or to the
 * process that fetches for it. Neither end may trip; each fetch ends once and then is never heard of again; no body is longer than was asked for; no descriptor and no memory stays.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rng.h"
#include "rpki/process/fetch_service.h"
#include "rpki/process/fetch_wire.h"
#include "rpki/process/fetcher_link.h"
#include "rpki/process/link.h"
#include "tests/fuzz/failing.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_STEPS 200u
#define FETCHES 16u
#define ASKED_OCTETS 5000u

LOOP_HANDLE(user)
LOOP_HANDLE_IMPL(user)

struct one {
	fetch_h h;
	bool open, head;
	size_t octets;
};
struct user {
	struct loop *loop BORROWED_FIELD;
	struct kit_loop *kit BORROWED_FIELD;
	user_h self;
	struct one one[FETCHES];
	size_t n;
	struct fetcher fetcher; /* behind a service: it has fetches that last until they are cancelled, or end at once */
	struct fetch_events behind[FETCHES];
	bool live[FETCHES], paused[FETCHES];
	bool service_ended;
};

static struct one *one_of(struct user *u, fetch_h h) BORROWED;
static struct one *one_of(struct user *u, fetch_h h)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->one[i].h.v == h.v && u->one[i].open)
			return &u->one[i];
	abort();
}

static void on_head(struct loop *l, void *object, fetch_h f, const struct fetch_head *h)
{
	struct one *o = one_of((struct user *)object, f);

	(void)l;
	CHECK(!o->head && strlen(h->etag) < FETCH_TAG_MAX && strlen(h->modified) < FETCH_TAG_MAX && h->status <= 999);
	o->head = true;
}

static void on_body(struct loop *l, void *object, fetch_h f, struct span s)
{
	struct one *o = one_of((struct user *)object, f);

	(void)l;
	o->octets += s.n;
	CHECK(o->head && o->octets <= ASKED_OCTETS);
}

static void on_ended(struct loop *l, void *object, fetch_h f, const struct fetch_end *e)
{
	struct one *o = one_of((struct user *)object, f);

	(void)l;
	CHECK(strlen(e->why) < FETCH_WHY_MAX);
	o->open = false;
}

/* ----------------------------------------------------------------------------------------------------- behind the service */

static RESULT behind_begin(struct fetcher *f, const struct fetch_events *ev, fetch_h *ret)
{
	struct user *u = PARENT_OF(f, struct user, fetcher);

	for (size_t i = 0; i < FETCHES; i++)
		if (!u->live[i]) {
			u->live[i] = true;
			u->paused[i] = false;
			u->behind[i] = *ev;
			*ret = (fetch_h){ i + 1 };
			return DONE;
		}
	return FAIL(ERR_LIMIT);
}

static RESULT behind_get(struct fetcher *f, const struct fetch_get *q, const struct fetch_events *ev, fetch_h *ret)
{
	CHECK(strlen(q->uri) < FETCH_URI_MAX && strlen(q->etag) < FETCH_TAG_MAX && strlen(q->modified) < FETCH_TAG_MAX);
	return behind_begin(f, ev, ret);
}

static RESULT behind_rsync(struct fetcher *f, const struct fetch_rsync *q, const struct fetch_events *ev, fetch_h *ret)
{
	CHECK(strlen(q->uri) < FETCH_URI_MAX);
	return behind_begin(f, ev, ret);
}

static void behind_pause(struct fetcher *f, fetch_h h, bool paused)
{
	struct user *u = PARENT_OF(f, struct user, fetcher);

	CHECK(h.v <= FETCHES);
	if (h.v != 0)
		u->paused[h.v - 1] = paused;
}

static void behind_cancel(struct fetcher *f, fetch_h h)
{
	struct user *u = PARENT_OF(f, struct user, fetcher);

	if (h.v == 0)
		return;
	CHECK(u->live[h.v - 1]);
	u->live[h.v - 1] = false;
}

static struct fetch_counts behind_counts(const struct fetcher *f)
{
	(void)f;
	return (struct fetch_counts){ .gets = 1 };
}

static const struct fetcher_ops behind_ops = { .get = behind_get, .rsync = behind_rsync, .pause = behind_pause, .cancel = behind_cancel, .counts = behind_counts };

static void on_service_ended(struct loop *l, void *object, enum err e)
{
	struct user *u = (struct user *)object;

	(void)l, (void)e;
	CHECK(!u->service_ended);
	u->service_ended = true;
	for (size_t i = 0; i < FETCHES; i++)
		CHECK(!u->live[i]);
}

/* ------------------------------------------------------------------------------------------------------------------- steps */

static void send_raw(int to, struct span s, bool descriptor)
{
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec v;
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	memcpy(&v.iov_base, &s.p, sizeof s.p);
	v.iov_len = s.n;
	if (descriptor) {
		m.msg_control = &control;
		m.msg_controllen = sizeof control;
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &to, sizeof to);
	}
	if (sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return; /* nobody listens any more */
}

static void ask(struct user *u, struct fetcher *f, uint8_t what)
{
	const struct fetch_events ev = { .type = &user_loop_type, .who = u->self.v, .head = on_head, .body = on_body, .ended = on_ended };
	const struct fetch_get q = { .uri = "https://h/n", .etag = "", .modified = "", .max_octets = ASKED_OCTETS };
	const struct fetch_rsync s = { .uri = "rsync://h/m/" };
	struct one *o = &u->one[u->n];

	if (u->n == FETCHES)
		return;
	if (OK(what & 1 ? fetcher_get(f, &q, &ev, &o->h) : fetcher_rsync(f, &s, &ev, &o->h))) {
		o->open = true;
		u->n++;
	}
}

/* A message whose type and id mean something, so that the fuzzer need not guess them: the rest is its own. */
static void helpful(struct user *u, int to, uint8_t what, struct span rest)
{
	uint8_t room[70000];
	struct writer w = writer_of(room, sizeof room);

	write32(&w, FETCH_GET + what % 8);
	write64(&w, u->n > 0 ? u->one[what / 8 % u->n].h.v : what / 8);
	write_span(&w, rest);
	send_raw(to, writer_done(&w), false);
}

/* The engine takes what waits for it: the messages are of the form that they should be. */
static void take(int from)
{
	static uint8_t room[LINK_BODY_MAX + 100];
	ssize_t n;

	while ((n = recv(from, room, sizeof room, MSG_DONTWAIT)) > 0) {
		struct reader r = reader_of(span_of(room, (size_t)n));
		uint32_t type = read32(&r);

		CHECK(n >= 4 && type >= FETCH_HEAD && type <= FETCH_COUNTS);
		CHECK(type != FETCH_COUNTS || reader_left(&r) == 8 * FETCH_COUNTED);
	}
}

/* A fetch behind the service has something to say; or the engine reads. */
static void speak(struct user *u, int to, uint8_t what, uint8_t arg)
{
	static const uint8_t body[70000];
	const struct fetch_head head = { .status = 200, .etag = arg & 1 ? "tag" : "", .modified = "" };
	const struct fetch_end end = { .e = (enum err)(arg % (ERR_UNSUPPORTED + 1)), .why = "so", .octets = arg };
	size_t i = arg % FETCHES;
	const struct fetch_events *ev = &u->behind[i];
	void *object;

	if (what % 4 == 3)
		take(to);
	if (what % 4 == 3 || !u->live[i])
		return;
	object = loop_slot_get(u->loop, ev->type, ev->who);
	CHECK(object != NULL);
	if (what % 4 == 0) {
		ev->head(u->loop, object, (fetch_h){ i + 1 }, &head);
	} else if (what % 4 == 1) {
		for (unsigned int n = 0; n < (what & 16 ? 40u : 1u) && u->live[i] && !u->paused[i]; n++)
			ev->body(u->loop, object, (fetch_h){ i + 1 }, span_of(body, arg * 270u));
	} else {
		u->live[i] = false;
		ev->ended(u->loop, object, (fetch_h){ i + 1 }, &end);
	}
}

static void turns(struct user *u)
{
	for (unsigned int i = 0; i < 3; i++)
		loop_turn(u->loop, false);
}

static void step(struct user *u, struct fetcher *f, int to, struct reader *r)
{
	uint8_t what = read8(r), arg = read8(r);
	struct span rest = read_span(r, arg <= reader_left(r) ? arg : reader_left(r));

	switch (what & 7) {
	case 0:
		send_raw(to, rest, (what & 8) != 0);
		break;
	case 3:
		kit_advance(u->kit, (uint64_t)arg * 200);
		break;
	case 1:
		if (f != NULL)
			ask(u, f, what >> 3);
		else
			speak(u, to, what >> 3, arg);
		break;
	case 2:
		if (f != NULL && u->n > 0) {
			struct one *o = &u->one[arg % u->n];

			if (what & 8)
				fetcher_pause(f, o->h, (what & 16) != 0);
			else
				fetcher_cancel(f, o->h), o->open = false;
		}
		break;
	default:
		helpful(u, to, what >> 3, rest);
		break;
	}
	turns(u);
}

static void run_near(struct user *u, struct reader *r)
{
	const bool has[FETCH_WAYS] = { true, true };
	AUTO(fetcher_free) struct fetcher *f = fetcher_link_new(u->loop, has);
	int to = -1;

	for (unsigned int i = 0; f != NULL && i < MAX_STEPS && !reader_end(r); i++) {
		if (to < 0 || (i % 16 == 15 && read8(r) & 1)) { /* another process */
			int fds[2];

			if (to >= 0)
				(void)close(to);
			CHECK(OK(link_pair(fds)));
			to = fds[1];
			if (!OK(fetcher_link_attach(f, i & 16 ? FETCH_BY_RSYNC : FETCH_BY_HTTPS, fds[0])))
				break;
		}
		step(u, f, to, r);
	}
	if (to >= 0)
		(void)close(to);
	turns(u);
}

static void run_far(struct user *u, struct reader *r)
{
	const struct fetch_service_events ev = { .type = &user_loop_type, .who = u->self.v, .ended = on_service_ended };
	AUTO(fetch_service_free) struct fetch_service *s = NULL;
	int fds[2];

	CHECK(OK(link_pair(fds)));
	u->fetcher = (struct fetcher){ .ops = &behind_ops, .loop = u->loop };
	if (OK(fetch_service_new(u->loop, &u->fetcher, fds[0], &ev, &s)))
		for (unsigned int i = 0; i < MAX_STEPS && !reader_end(r); i++)
			step(u, NULL, fds[1], r);
	(void)close(fds[1]);
	turns(u);
	CHECK(s == NULL || u->service_ended || mem_failed());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	AUTO(rng_free) struct rng *rng = rng_new_seeded(1);
	AUTO(loop_free) struct loop *l = NULL;
	struct kit_loop kit = { .now = { .mono_ns = 1000000000, .wall_sec = 1700000000 } };
	const struct loop_backend b = kit_backend(&kit);
	struct user u = { .n = 0 };

	HOLDS(rng != NULL);
	l = loop_new(&b, rng, NULL);
	HOLDS(l != NULL);
	u.loop = l;
	u.kit = &kit;
	u.self = user_enlist(l, &u);
	HOLDS(u.self.v != 0);
	if (read8(&r) & 1)
		run_near(&u, &r);
	else
		run_far(&u, &r);
	user_retire(l, u.self);
	loop_turn(l, false);
	CHECK(loop_live_handles(l) == 0 || mem_failed());
	return 0;
}
