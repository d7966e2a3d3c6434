/*
 * libfstrm's writer does the handshakes and the framing; what it reads and writes goes over a line of ours (line.h), so that it can be stopped, and TLS can be between. Its own threads
 * and queues are not used: they allocate for each message.
 *
 * States of a session: opened (the handshake is under way), settled (frames are sent), over. What was written to the line and not yet flushed is pending: it counts as sent when the flush
 * went well, and as lost when it did not.
 */
#include "config.h"

#ifdef HAVE_DNSTAP

#include "resolver/dnstap/sender.h"

#include <string.h>
#include <sys/uio.h>

#include "base/libfstrm.h"
#include "base/log.h"
#include "resolver/dnstap/line.h"
#include "resolver/dnstap/ring.h"
#include "resolver/dnstap/tap.h"
#include "resolver/dnstap/tap_settings.h"

#define CONTENT "protobuf:dnstap.Dnstap"
#define PAUSE_MS 1000u       /* after the first failure; twice as long after each further one */
#define PAUSE_MOST_MS 30000u
#define IDLE_MS 100u         /* between looks into the queues, while there is traffic */
#define ASLEEP_MS 1000u      /* and when there was none in the last look */
#define SETTLE_MS 5000u      /* for connecting and both hellos */
#define END_MS 1000u         /* for a farewell */
#define TURN 256u            /* frames of one queue, before the next has its turn */

struct session {
	struct tap_sender *sender PARENT_FIELD;
	struct tap_line *line PARENT_FIELD;
	uint64_t pending; /* frames */
	bool settled;
};

static void count(struct tap_sender *s, enum tap_count c, uint64_t n)
{
	(void)atomic_fetch_add_explicit(&s->counts[c], n, memory_order_relaxed);
}

static bool stopped(struct tap_sender *s)
{
	return atomic_load(&s->stop);
}

/* --- libfstrm's view of a line --- */

static fstrm_res on_open(void *obj)
{
	struct session *x = obj;

	return tap_line_open(x->line) ? fstrm_res_success : fstrm_res_failure;
}

static fstrm_res on_close(void *obj)
{
	struct session *x = obj;

	(void)tap_line_flush(x->line); /* the last word of a stream that is not answered */
	tap_line_close(x->line);
	return fstrm_res_success;
}

static fstrm_res on_read(void *obj, void *data, size_t n)
{
	struct session *x = obj;

	return tap_line_read(x->line, data, n) ? fstrm_res_success : fstrm_res_failure;
}

static fstrm_res on_write(void *obj, const struct iovec *iov, int n)
{
	struct session *x = obj;

	for (int i = 0; i < n; i++)
		if (!tap_line_write(x->line, span_of(iov[i].iov_base, iov[i].iov_len)))
			return fstrm_res_failure;
	return fstrm_res_success;
}

/* --- a session --- */

static void flush(struct session *x, bool *good)
{
	*good = *good && tap_line_flush(x->line);
	count(x->sender, *good ? TAPS_SENT : TAPS_LOST, x->pending);
	x->pending = 0;
}

enum found { FOUND_NOTHING, FOUND_SOME, FOUND_MORE }; /* in the queues: nothing; what was there; perhaps there is more */

/* Some of what waits. */
static bool drain(struct session *x, struct fstrm_writer *w, enum found *ret)
{
	enum found found = FOUND_NOTHING;
	bool good = true;

	for (size_t i = 0; i < x->sender->n && good; i++) {
		struct tap_ring *r = x->sender->seats[i].ring;
		struct span frame;
		unsigned int left = TURN;

		while (good && left > 0 && tap_ring_next(r, &frame)) {
			good = fstrm_writer_write(w, frame.p, frame.n) == fstrm_res_success;
			x->pending++;
			left--;
			tap_ring_done(r);
		}
		if (left == 0)
			found = FOUND_MORE;
		else if (left < TURN && found == FOUND_NOTHING)
			found = FOUND_SOME;
	}
	flush(x, &good);
	*ret = found;
	return good;
}

/*
 * Until something should be there. While there is traffic, a look now and then makes large batches of it, and the bell rings only when a queue is half full; a first message after a
 * silence rings it. (One that comes just before the thread says that it sleeps waits for the end of that sleep.) False: the collector has gone.
 */
static bool rest(struct session *x, bool quiet)
{
	bool good;

	atomic_store_explicit(&x->sender->bell->asleep, quiet, memory_order_relaxed);
	good = tap_line_idle(x->line, quiet ? ASLEEP_MS : IDLE_MS);
	atomic_store_explicit(&x->sender->bell->asleep, false, memory_order_relaxed);
	return good;
}

static bool serve(struct session *x, struct fstrm_writer *w)
{
	for (;;) {
		bool last = stopped(x->sender);
		enum found found;

		if (!drain(x, w, &found))
			return false;
		if (found == FOUND_MORE)
			continue;
		if (last)
			return true;
		if (!stopped(x->sender) && !rest(x, found == FOUND_NOTHING))
			return false;
	}
}

/* From connecting to the end, whichever comes. True: it was told to stop, and all is sent. */
static bool run_session(struct session *x)
{
	AUTO_FSTRM(fstrm_writer_options) struct fstrm_writer_options *options = fstrm_writer_options_init();
	AUTO_FSTRM(fstrm_rdwr) struct fstrm_rdwr *rdwr = fstrm_rdwr_init(x);
	AUTO_FSTRM(fstrm_writer) struct fstrm_writer *w = NULL;
	bool good;

	fstrm_rdwr_set_open(rdwr, on_open);
	fstrm_rdwr_set_close(rdwr, on_close);
	fstrm_rdwr_set_write(rdwr, on_write);
	if (x->sender->settings->bidirectional) /* to libfstrm, what can be read from is */
		fstrm_rdwr_set_read(rdwr, on_read);
	(void)fstrm_writer_options_add_content_type(options, CONTENT, strlen(CONTENT));
	w = fstrm_writer_init(options, &rdwr);
	tap_line_due(x->line, SETTLE_MS);
	if (w == NULL || fstrm_writer_open(w) != fstrm_res_success || !tap_line_flush(x->line))
		return false;
	tap_line_due(x->line, 0);
	x->settled = true;
	count(x->sender, TAPS_CONNECTED, 1);
	log_notice("dnstap: connected to the collector");
	good = serve(x, w);
	tap_line_due(x->line, END_MS);
	return good;
}

/* --- the thread --- */

static void pause_for(struct tap_sender *s, uint32_t ms)
{
	for (uint32_t slept = 0; slept < ms && !stopped(s); slept += IDLE_MS)
		tap_bell_wait(s->bell, IDLE_MS);
}

void tap_sender_run(struct tap_sender *s)
{
	struct tap_line_env env = { s->settings, s->trust, s->bell, &s->stop };
	AUTO(tap_line_free) struct tap_line *line = tap_line_new(&env);
	uint32_t pause = PAUSE_MS;
	bool told = false;

	if (line == NULL) {
		log_error("dnstap: out of memory: nothing is sent");
		return;
	}
	while (!stopped(s)) {
		struct session x = { s, line, 0, false };

		if (run_session(&x))
			return;
		tap_line_close(line);
		count(s, TAPS_FAILED, 1);
		if (x.settled) {
			pause = PAUSE_MS;
			told = false;
		}
		if (!told)
			log_warn("dnstap: no connection to the collector: %s", tap_line_why(line));
		told = true;
		pause_for(s, pause);
		pause = pause < PAUSE_MOST_MS / 2 ? 2 * pause : PAUSE_MOST_MS;
	}
}

const char *tap_sender_by(void)
{
	return "libfstrm";
}

#endif
