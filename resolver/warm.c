#include "resolver/warm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "resolver/cache/snapshot.h"
#include "resolver/plan.h"
#include "resolver/worker.h"

#define SLOTS_A_STEP 4096u   /* of the cache, written in one turn */
#define ENTRIES_A_STEP 2000u /* read in one turn */
#define BETWEEN_STEPS_MS 1u

LOOP_HANDLE_IMPL(warm)

struct warm {
	struct loop *loop PARENT_FIELD;
	struct shared *shared PARENT_FIELD;
	struct epoch_member *member PARENT_FIELD;
	warm_h self;
	char *path OWNED_FIELD; /* NULL: none */
	uint32_t interval_sec;
	uint8_t anchors_digest[32];
	timer_h step, next;
	struct snapshot_writer *writer OWNED_FIELD;
	struct snapshot_reader *reader OWNED_FIELD;
	char *reading OWNED_FIELD; /* path of what is being read */
};

void warm_close(struct warm *w)
{
	if (w == NULL)
		return;
	loop_timer_stop(w->loop, &w->step);
	loop_timer_stop(w->loop, &w->next);
	snapshot_writer_free(MOVE(w->writer));
	snapshot_reader_free(MOVE(w->reader));
	warm_retire(w->loop, w->self);
	mem_free(MOVE(w->path));
	mem_free(MOVE(w->reading));
	mem_free(w);
}

struct warm *warm_open(struct loop *l, struct shared *s, struct epoch_member *m)
{
	AUTO(warm_close) struct warm *w = mem_alloc(sizeof *w);

	if (w == NULL)
		return NULL;
	w->loop = l;
	w->shared = s;
	w->member = m;
	w->self = warm_enlist(l, w);
	return w->self.v != 0 ? MOVE(w) : NULL;
}

bool warm_is_busy(const struct warm *w)
{
	return w->writer != NULL || w->reader != NULL;
}

static void warm_step(struct loop *l, void *object);

static void again(struct warm *w)
{
	if (!OK(loop_timer(w->loop, &warm_loop_type, w->self.v, warm_step, BETWEEN_STEPS_MS, &w->step))) {
		snapshot_writer_free(MOVE(w->writer));
		snapshot_reader_free(MOVE(w->reader));
	}
}

static void warm_due(struct loop *l, void *object)
{
	struct warm *w = object;

	(void)l;
	w->next = (timer_h){ 0 };
	warm_start_writing(w);
}

static void arm(struct warm *w)
{
	loop_timer_stop(w->loop, &w->next);
	if (w->path != NULL && w->interval_sec > 0 &&
	    !OK(loop_timer(w->loop, &warm_loop_type, w->self.v, warm_due, (uint64_t)w->interval_sec * 1000, &w->next)))
		log_error("out of memory: no cache snapshot until the stop");
}

void warm_set_plan(struct warm *w, const struct plan *p)
{
	bool same = w->interval_sec == p->snapshot_sec && (w->path == NULL) == (p->snapshot == NULL) &&
	    (w->path == NULL || strcmp(w->path, p->snapshot) == 0);

	if (same)
		return;
	mem_free(MOVE(w->path));
	if (p->snapshot != NULL)
		w->path = mem_strdup(p->snapshot);
	w->interval_sec = p->snapshot_sec;
	arm(w);
}

void warm_set_digest(struct warm *w, const uint8_t digest[32])
{
	memcpy(w->anchors_digest, digest, sizeof w->anchors_digest);
}

static void set_aside(const char *path)
{
	AUTO_CHARS char *bad = mem_printf("%s.bad", path);

	if (bad != NULL && rename(path, bad) == 0)
		log_warn(
		    "cache snapshot: %s is not a snapshot of this version; kept as %s, starting with an empty cache", path, bad);
	else
		log_warn("cache snapshot: %s is not a snapshot of this version; starting with an empty cache", path);
}

/* What came before the damage is in use; the file stays for whoever wants to know what happened to it. */
static void keep_damaged(const char *path)
{
	AUTO_CHARS char *bad = mem_printf("%s.bad", path);

	if (bad != NULL && rename(path, bad) == 0)
		log_warn("cache snapshot: %s was damaged; kept as %s", path, bad);
	else
		log_warn("cache snapshot: %s was damaged", path);
}

void warm_start_reading(struct warm *w)
{
	struct result r;

	if (w->path == NULL || warm_is_busy(w))
		return;
	if (snapshot_clear_leftover(w->path))
		log_notice("cache snapshot: %s.new, which a daemon that was killed left unfinished, is removed; the snapshot "
			   "before it counts",
		    w->path);
	r = snapshot_read_open(w->path, w->anchors_digest, &w->reader);
	if (OK(r)) {
		mem_free(MOVE(w->reading));
		w->reading = mem_strdup(w->path);
		again(w);
	} else if (r.e == ERR_FORMAT) {
		set_aside(w->path);
	} else if (r.e != ERR_NOTFOUND) {
		log_warn("cache snapshot: %s cannot be read: %s", w->path, err_text(r.e));
	}
}

void warm_start_writing(struct warm *w)
{
	struct result r;

	if (w->path == NULL || warm_is_busy(w))
		return;
	r = snapshot_write_open(w->path, w->anchors_digest, &w->writer);
	if (OK(r)) {
		again(w);
		return;
	}
	log_error("cache snapshot: %s cannot be written: %s", w->path, err_text(r.e));
	arm(w);
}

static bool read_some(struct warm *w)
{
	struct snapshot_result got = { .note = NULL };
	bool finished = false;
	struct result r =
	    snapshot_read_step(w->reader, w->shared->rrcache, w->member, loop_now(w->loop), ENTRIES_A_STEP, &finished, &got);

	if (OK(r) && !finished)
		return true;
	log_notice("cache snapshot: %" PRIu64 " entries read, %" PRIu64 " had expired, %" PRIu64 " were damaged%s%s",
	    got.written_or_read, got.expired, got.damaged, got.note != NULL ? ": " : "", got.note != NULL ? got.note : "");
	snapshot_reader_free(MOVE(w->reader));
	if (got.damaged > 0 && w->reading != NULL)
		keep_damaged(w->reading);
	mem_free(MOVE(w->reading));
	return false;
}

/* True: there is more. */
static bool write_some(struct warm *w)
{
	struct snapshot_result put = { .note = NULL };
	bool finished = false;
	struct result r = snapshot_write_step(w->writer, w->shared->rrcache, loop_now(w->loop), SLOTS_A_STEP, &finished, &put);

	if (OK(r) && !finished)
		return true;
	if (!OK(r))
		log_error("cache snapshot: not written: %s", err_text(r.e));
	else
		log_info("cache snapshot: %" PRIu64 " entries written", put.written_or_read);
	snapshot_writer_free(MOVE(w->writer));
	return false;
}

static void warm_step(struct loop *l, void *object)
{
	struct warm *w = object;

	(void)l;
	w->step = (timer_h){ 0 };
	if (w->reader != NULL ? read_some(w) : w->writer != NULL && write_some(w))
		again(w);
	else
		arm(w);
}

void warm_write_all(struct warm *w)
{
	loop_timer_stop(w->loop, &w->step);
	snapshot_reader_free(MOVE(w->reader));
	snapshot_writer_free(MOVE(w->writer));
	if (w->path == NULL)
		return;
	if (!OK(snapshot_write_open(w->path, w->anchors_digest, &w->writer))) {
		log_error("cache snapshot: %s cannot be written", w->path);
		return;
	}
	while (w->writer != NULL && write_some(w))
		;
}
