/*
 * Invariants: (1) rings are made once and stay: workers hold them. (2) while the thread runs, `sender` and what it points at do not change: plan, trust.
 */
#include "resolver/dnstap/hub.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "net/tls_client.h"
#include "resolver/dnstap/ring.h"
#include "resolver/dnstap/sender.h"
#include "resolver/dnstap/tap.h"
#include "resolver/dnstap/tap_settings.h"
#include "resolver/plan.h"

#define WHY 300u

struct tap_hub {
	struct tap_seat *seats OWNED_FIELD; /* workers of them */
	size_t workers;
	struct tap_bell bell;
	_Atomic uint64_t counts[TAP_COUNTS];
	struct plan *plan OWNED_FIELD;       /* that the sender goes by */
	struct tls_trust *trust OWNED_FIELD;
	struct tap_sender sender;
	bool usable;                         /* the sender knows where to */
	bool started, running;
	pthread_t id;
};

static void stop(struct tap_hub *h)
{
	if (!h->running)
		return;
	atomic_store(&h->sender.stop, true);
	tap_bell_ring(&h->bell);
	(void)pthread_join(h->id, NULL);
	h->running = false;
}

void tap_hub_close(struct tap_hub *h)
{
	if (h == NULL)
		return;
	stop(h);
	for (size_t i = 0; h->seats != NULL && i < h->workers; i++)
		tap_ring_free(MOVE(h->seats[i].ring));
	mem_free(MOVE(h->seats));
	if (h->bell.fd >= 0)
		(void)close(h->bell.fd);
	tls_trust_free(MOVE(h->trust));
	plan_unref(MOVE(h->plan));
	mem_free(h);
}

struct tap_hub *tap_hub_open(unsigned int workers)
{
	AUTO(tap_hub_close) struct tap_hub *h = mem_alloc(sizeof *h);

	if (h == NULL)
		return NULL;
	h->workers = workers;
	atomic_init(&h->bell.asleep, false);
	for (size_t i = 0; i < TAP_COUNTS; i++)
		atomic_init(&h->counts[i], 0);
	h->bell.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	h->seats = mem_alloc_array(workers, sizeof *h->seats);
	for (size_t i = 0; h->seats != NULL && i < workers; i++)
		h->seats[i].bell = &h->bell;
	return h->bell.fd >= 0 && h->seats != NULL ? MOVE(h) : NULL;
}

static RESULT make_rings(struct tap_hub *h, size_t octets)
{
	for (size_t i = 0; i < h->workers; i++) {
		if (h->seats[i].ring == NULL)
			h->seats[i].ring = tap_ring_new(octets);
		if (h->seats[i].ring == NULL)
			return FAIL(ERR_NOMEM);
	}
	return DONE;
}

/* ERR_SYSTEM: it was said why. */
static RESULT read_trust(const struct tap_settings *s, struct tls_trust **ret)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(WHY);
	AUTO(tls_trust_free) struct tls_trust *t = NULL;
	struct result r;

	if (why == NULL)
		return FAIL(ERR_NOMEM);
	r = tls_trust_new(s->tls_bundle, why, &t);
	if (OK(r) && s->tls_key != NULL)
		r = tls_trust_identity(t, s->tls_certificate, s->tls_key, why);
	if (OK(r))
		*ret = MOVE(t);
	else if (r.e == ERR_SYSTEM)
		log_error("dnstap: %s", strbuf_text(why));
	return r;
}

static void *thread_main(void *arg) /* own-ok: R1 pthread's signature; always NULL */
{
	(void)pthread_setname_np(pthread_self(), "cairnd/dnstap");
	tap_sender_run(arg);
	return NULL;
}

RESULT tap_hub_start(struct tap_hub *h)
{
	sigset_t all, before;
	int e;

	h->started = true;
	if (h->running || !h->usable)
		return DONE;
	h->sender = (struct tap_sender){ h->plan->tap, h->trust, h->seats, h->workers, &h->bell, h->counts, false };
	(void)sigfillset(&all); /* signals are the main loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&h->id, NULL, thread_main, &h->sender);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	h->running = e == 0;
	errno = e;
	return h->running ? DONE : FAIL(ERR_SYSTEM);
}

/* Where to send from now on. */
static RESULT take(struct tap_hub *h, const struct plan *p)
{
	AUTO(tls_trust_free) struct tls_trust *trust = NULL;

	if (p->tap->tls) {
		struct result r = read_trust(p->tap, &trust);

		if (r.e == ERR_SYSTEM) /* as before, or not at all */
			return DONE;
		TRY(r);
	}
	stop(h);
	plan_unref(MOVE(h->plan));
	tls_trust_free(MOVE(h->trust));
	h->plan = plan_ref(p);
	h->trust = MOVE(trust);
	h->usable = true;
	return DONE;
}

RESULT tap_hub_set(struct tap_hub *h, const struct plan *p)
{
	if (p->tap->wanted == 0) {
		stop(h);
		h->usable = false;
		return DONE;
	}
	if (tap_sender_by() == NULL) {
		log_warn("dnstap-enable: this cairnd was built without dnstap: nothing is sent");
		return DONE;
	}
	TRY(make_rings(h, p->tap->queue_octets));
	if (!h->usable || !tap_settings_same_place(h->plan->tap, p->tap))
		TRY(take(h, p));
	return h->started ? tap_hub_start(h) : DONE;
}

const struct tap_seat *tap_hub_seat(const struct tap_hub *h, unsigned int i)
{
	return &h->seats[i];
}

uint64_t tap_hub_count(const struct tap_hub *h, enum tap_count c)
{
	return atomic_load_explicit(&h->counts[c], memory_order_relaxed);
}

const char *tap_count_name(enum tap_count c)
{
	static const char *const names[] = {
#define COUNTER(id, name, doc) name,
#include "resolver/dnstap/counters.def"
#undef COUNTER
	};

	return names[c];
}

const char *tap_count_doc(enum tap_count c)
{
	static const char *const docs[] = {
#define COUNTER(id, name, doc) doc,
#include "resolver/dnstap/counters.def"
#undef COUNTER
	};

	return docs[c];
}

const char *tap_hub_by(void)
{
	return tap_sender_by();
}
