/* names.c: a queue under one lock, and threads that end when the owner has gone. What they share with it lives until the last of them has let go. */
#include "rpki/fetch/names.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "base/mem.h"

#define STACK ((size_t)256 * 1024)

struct question {
	struct question *next OWNED_FIELD;
	char host[NAMES_HOST_MAX];
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	names_fn *fn;
};

struct told {
	struct message m; /* first: it is freed by it */
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	names_fn *fn;
	struct names_answer answer;
};

struct shared {
	struct lock lock;
	pthread_cond_t news;
	struct loop *loop PARENT_FIELD; /* NULL: the owner has gone */
	names_lookup_fn *lookup;
	struct question *first OWNED_FIELD;
	struct question **end PARENT_FIELD; /* of the same list */
	unsigned int holders, threads, threads_max, idle;
};

struct names {
	struct shared *shared OWNED_FIELD;
};

static void question_free(struct question *q) TAKES(1);
static void question_free(struct question *q)
{
	mem_free(q);
}
DEFINE_AUTO(struct question, question_free)

static void shared_unref(struct shared *s) TAKES(1);
static void shared_unref(struct shared *s)
{
	bool last;

	if (s == NULL)
		return;
	lock_take(&s->lock);
	last = --s->holders == 0;
	lock_give(&s->lock);
	if (!last)
		return; /* the others hold it */
	while (s->first != NULL) {
		AUTO(question_free) struct question *q = MOVE(s->first);

		s->first = MOVE(q->next);
	}
	pthread_cond_destroy(&s->news);
	lock_done(&s->lock);
	mem_free(s);
}
DEFINE_AUTO(struct shared, shared_unref)

/* ------------------------------------------------------------------------------------------------------------------ looking */

static void keep(struct names_answer *a, const struct sockaddr *sa)
{
	struct addr x = { .family = ADDR_NONE };

	if (sa->sa_family == AF_INET) {
		x.family = ADDR_V4;
		memcpy(x.b, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		x.family = ADDR_V6;
		memcpy(x.b, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
	}
	if (x.family != ADDR_NONE && a->n < NAMES_ADDRESSES)
		a->a[a->n++] = x;
}

static void look_up(const char *host, struct names_answer *ret)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	int code = getaddrinfo(host, NULL, &hints, &list);

	if (code == EAI_NONAME || code == EAI_ADDRFAMILY || code == EAI_NODATA) /* a network that has loopback addresses only */
		code = getaddrinfo(host, NULL, &(const struct addrinfo){ .ai_socktype = SOCK_STREAM }, &list);
	if (code != 0) {
		(void)snprintf(ret->why, sizeof ret->why, "%s", gai_strerror(code));
		return;
	}
	for (const struct addrinfo *i = list; i != NULL; i = i->ai_next)
		keep(ret, i->ai_addr);
	freeaddrinfo(list);
	if (ret->n == 0)
		(void)snprintf(ret->why, sizeof ret->why, "no address");
}

/* ------------------------------------------------------------------------------------------------------------------ telling */

static void told_run(struct loop *l, struct message *m)
{
	struct told *t = (struct told *)(void *)m;
	void *object = loop_slot_get(l, t->type, t->who);

	if (object != NULL)
		t->fn(l, object, &t->answer);
}

static void told_free(struct message *m)
{
	mem_free(m); /* own-ok: R4 the queue owned it */
}

static void told_drop(struct told *t) TAKES(1);
static void told_drop(struct told *t)
{
	mem_free(t);
}
DEFINE_AUTO(struct told, told_drop)

static struct told *answer_to(const struct shared *s, const struct question *q) OWNED_BY(told_drop);
static struct told *answer_to(const struct shared *s, const struct question *q)
{
	AUTO(told_drop) struct told *t = mem_alloc(sizeof *t);

	if (t == NULL)
		return NULL; /* the deadline of who asked ends it */
	t->m.run = told_run;
	t->m.free = told_free;
	t->type = q->type;
	t->who = q->who;
	t->fn = q->fn;
	s->lookup(q->host, &t->answer);
	return MOVE(t);
}

static void post(struct loop *l, struct told *t) TAKES(2);
static void post(struct loop *l, struct told *t)
{
	if (t != NULL)
		loop_post(l, &MOVE(t)->m);
}

/* ------------------------------------------------------------------------------------------------------------------ threads */

/* NULL: the owner has gone. */
static struct question *take(struct shared *s) OWNED_BY(question_free);
static struct question *take(struct shared *s)
{
	AUTO(question_free) struct question *q = NULL;

	lock_take(&s->lock);
	s->idle++;
	while (s->first == NULL && s->loop != NULL)
		pthread_cond_wait(&s->news, &s->lock.m);
	s->idle--;
	if (s->loop != NULL && s->first != NULL) {
		q = MOVE(s->first);
		s->first = MOVE(q->next);
		if (s->first == NULL)
			s->end = &s->first;
	}
	lock_give(&s->lock);
	return MOVE(q);
}

static void tell(struct shared *s, struct told *given) TAKES(2);
static void tell(struct shared *s, struct told *given)
{
	AUTO(told_drop) struct told *t = given;

	lock_take(&s->lock);
	if (s->loop != NULL)
		post(s->loop, MOVE(t));
	lock_give(&s->lock);
}

static void *thread_main(void *ctx) BORROWED;
static void *thread_main(void *ctx)
{
	AUTO(shared_unref) struct shared *s = ctx; /* own-ok: R9 it was given as one of its holders */

	for (;;) {
		AUTO(question_free) struct question *q = take(s);

		if (q == NULL)
			return NULL;
		tell(s, answer_to(s, q));
	}
}

/* With the lock. Signals are the loop's. */
static RESULT start_thread(struct shared *s)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t id;
	int code;

	if (pthread_attr_init(&attr) != 0)
		return FAIL(ERR_SYSTEM);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, STACK);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	code = pthread_create(&id, &attr, thread_main, s);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	if (code != 0)
		return FAIL(ERR_SYSTEM);
	s->threads++;
	s->holders++;
	return DONE;
}

static RESULT enqueue(struct shared *s, struct question *given) TAKES(2);
static RESULT enqueue(struct shared *s, struct question *given)
{
	AUTO(question_free) struct question *q = given;

	if (s->idle == 0 && s->threads < s->threads_max) {
		struct result r = start_thread(s);

		if (!OK(r) && s->threads == 0)
			return r;
	}
	*s->end = MOVE(q);
	s->end = &(*s->end)->next;
	pthread_cond_signal(&s->news);
	return DONE;
}

/* -------------------------------------------------------------------------------------------------------------------- whole */

RESULT names_ask(struct names *n, const char *host, const struct loop_type *t, uint64_t who, names_fn *fn)
{
	AUTO(question_free) struct question *q = NULL;
	struct shared *s = n->shared;
	struct result r;

	if (host[0] == '\0' || strlen(host) >= NAMES_HOST_MAX)
		return FAIL(ERR_RANGE);
	q = mem_alloc(sizeof *q);
	if (q == NULL)
		return FAIL(ERR_NOMEM);
	memcpy(q->host, host, strlen(host));
	q->type = t;
	q->who = who;
	q->fn = fn;
	if (s->threads_max == 0) {
		AUTO(told_drop) struct told *told = answer_to(s, q);

		if (told == NULL)
			return FAIL(ERR_NOMEM);
		post(s->loop, MOVE(told));
		return DONE;
	}
	lock_take(&s->lock);
	r = enqueue(s, MOVE(q));
	lock_give(&s->lock);
	return r;
}

void names_free(struct names *n)
{
	struct shared *s;

	if (n == NULL)
		return;
	s = n->shared;
	if (s != NULL) {
		lock_take(&s->lock);
		s->loop = NULL;
		pthread_cond_broadcast(&s->news);
		lock_give(&s->lock);
	}
	shared_unref(MOVE(n->shared));
	mem_free(n);
}

struct names *names_new(struct loop *l, unsigned int threads, names_lookup_fn *lookup)
{
	AUTO(names_free) struct names *n = mem_alloc(sizeof *n);
	struct shared *s;

	if (n == NULL)
		return NULL;
	n->shared = mem_alloc(sizeof *n->shared);
	if (n->shared == NULL)
		return NULL;
	s = n->shared;
	lock_init(&s->lock);
	pthread_cond_init(&s->news, NULL);
	s->end = &s->first;
	s->loop = l;
	s->lookup = lookup != NULL ? lookup : look_up;
	s->threads_max = threads;
	s->holders = 1;
	return MOVE(n);
}
