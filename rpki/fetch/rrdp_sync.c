#include "rpki/fetch/rrdp_sync.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "net/http_url.h"
#include "rpki/fetch/spool.h"

#define WHY_MAX 4096u

struct rrdp_sync {
	struct rrdp_store store;
	struct rrdp_limits limits;
	char *uri OWNED_FIELD;
	char *dir OWNED_FIELD;
	struct strbuf *why OWNED_FIELD;
	struct rrdp_state *state OWNED_FIELD; /* as before this run; session "": nothing usable */
	char etag[RRDP_TAG_MAX + 1], modified[RRDP_TAG_MAX + 1]; /* of the notification of this run */
	struct rrdp_notification *notification OWNED_FIELD;
	size_t delta;                          /* that is fetched: an index of the notification's */
	struct rrdp_request request;
	struct rrdp_report report;
	bool begun;                            /* an update of the store is open */

	/* of the transfer that is under way */
	bool answered, unmodified;
	struct result result;                  /* the first that went wrong in it */
	struct rrdp_reader *reader OWNED_FIELD; /* of a notification */
	struct spool *spool OWNED_FIELD;        /* of a snapshot or delta */
};

void rrdp_sync_free(struct rrdp_sync *s)
{
	if (s == NULL)
		return;
	if (s->begun)
		s->store.abort(s->store.ctx);
	rrdp_reader_free(s->reader);
	spool_free(s->spool);
	rrdp_notification_free(s->notification);
	rrdp_state_free(s->state);
	strbuf_free(s->why);
	mem_free(s->uri);
	mem_free(s->dir);
	mem_free(s);
}

static void finish(struct rrdp_sync *s, enum rrdp_outcome how)
{
	s->report.outcome = how;
	s->request.uri = NULL;
}

static void tell_end(struct rrdp_sync *s)
{
	strbuf_putc(s->why, '\n');
}

static void drop_update(struct rrdp_sync *s)
{
	if (s->begun)
		s->store.abort(s->store.ctx);
	s->begun = false;
	s->report.deltas = 0;
	s->report.counts = (struct rrdp_counts){ 0 };
}

/* ------------------------------------------------------------------------------------------------------------- what is next */

static void want(struct rrdp_sync *s, enum rrdp_file kind, const char *uri, uint64_t max)
{
	bool tags = kind == RRDP_NOTIFICATION;

	s->request = (struct rrdp_request){ .kind = kind, .uri = uri, .max_octets = max };
	s->request.etag = tags ? s->state->etag : "";
	s->request.modified = tags ? s->state->modified : "";
	s->answered = s->unmodified = false;
	s->result = DONE;
}

static void want_snapshot(struct rrdp_sync *s)
{
	drop_update(s);
	want(s, RRDP_SNAPSHOT, s->notification->snapshot, s->limits.snapshot_octets);
}

/* All files are of the origin of the notification (RFC 9674 section 2). */
static bool same_origin(const struct rrdp_sync *s, const char *uri)
{
	struct http_url a, b;

	return OK(http_url_parse(span_text(s->uri), &a)) && OK(http_url_parse(span_text(uri), &b)) && http_url_same_origin(&a, &b);
}

/* Whether deltas lead from the state to the notification, and then the index of the first one: the count when nothing is missing. Else the log says why not. */
static bool deltas_lead(struct rrdp_sync *s, size_t *ret_first)
{
	const struct rrdp_notification *n = s->notification;
	uint64_t serial, missing = n->serial - s->state->serial;

	if (s->state->session[0] == '\0')
		return false;
	if (strcmp(s->state->session, n->session) != 0)
		strbuf_puts(s->why, "a new session\n");
	else if (rrdp_state_differs(s->state, n, &serial))
		strbuf_printf(s->why, "the delta of serial %llu has another hash than before (RFC 9697)\n", (unsigned long long)serial);
	else if (n->serial < s->state->serial)
		strbuf_printf(s->why, "the serial went back from %llu to %llu\n", (unsigned long long)s->state->serial, (unsigned long long)n->serial);
	else if (n->gaps && missing > 0)
		strbuf_puts(s->why, "the list of deltas has gaps or doubles, or is too long\n");
	else if (missing > n->count)
		strbuf_printf(s->why, "the deltas do not reach back to serial %llu\n", (unsigned long long)s->state->serial);
	else if (missing > s->limits.deltas)
		strbuf_printf(s->why, "%llu deltas are missing, the snapshot is less work\n", (unsigned long long)missing);
	else {
		*ret_first = n->count - (size_t)missing;
		return true;
	}
	return false;
}

static RESULT write_state(struct rrdp_sync *s, bool touch)
{
	AUTO(strbuf_free) struct strbuf *octets = strbuf_new(SIZE_MAX / 2);

	if (octets == NULL)
		return FAIL(ERR_NOMEM);
	rrdp_state_set_tags(s->state, s->etag, s->modified);
	TRY(rrdp_state_write(s->state, octets));
	return touch ? s->store.touch(s->store.ctx, strbuf_span(octets)) : s->store.commit(s->store.ctx, strbuf_span(octets));
}

static void fail_store(struct rrdp_sync *s, struct result r)
{
	s->report.store = r.e;
	strbuf_printf(s->why, "the store cannot be written: %s\n", err_text(r.e));
	drop_update(s);
	finish(s, RRDP_FAILED);
}

static void unchanged(struct rrdp_sync *s)
{
	struct result r = write_state(s, true);

	s->report.serial = s->state->serial;
	if (OK(r))
		finish(s, RRDP_UNCHANGED);
	else
		fail_store(s, r);
}

static void commit(struct rrdp_sync *s, enum rrdp_outcome how)
{
	struct result r = rrdp_state_follow(s->state, s->notification);

	if (OK(r))
		r = write_state(s, false);
	if (!OK(r)) {
		fail_store(s, r);
		return;
	}
	s->begun = false;
	s->report.serial = s->state->serial;
	finish(s, how);
}

static void plan(struct rrdp_sync *s)
{
	const struct rrdp_notification *n = s->notification;

	/* lint-ok: fanalyzer:-Wanalyzer-possible-null-dereference end_notification() has said DONE, so there is one */
	if (!same_origin(s, n->snapshot)) {
		strbuf_printf(s->why, "the snapshot is of another origin (RFC 9674): %.200s\n", n->snapshot);
		finish(s, RRDP_FAILED);
		return;
	}
	for (size_t i = 0; i < n->count; i++) {
		if (!same_origin(s, n->deltas[i].uri)) {
			strbuf_printf(s->why, "a delta is of another origin (RFC 9674): %.200s\n", n->deltas[i].uri);
			finish(s, RRDP_FAILED);
			return;
		}
	}
	if (!deltas_lead(s, &s->delta)) {
		want_snapshot(s);
	} else if (s->delta < n->count) {
		want(s, RRDP_DELTA, n->deltas[s->delta].uri, s->limits.delta_octets);
	} else {
		struct result r = rrdp_state_follow(s->state, n);

		if (OK(r))
			unchanged(s);
		else
			fail_store(s, r);
	}
}

/* -------------------------------------------------------------------------------------------------------------- a transfer */

static void keep_tag(char to[RRDP_TAG_MAX + 1], const char *tag)
{
	size_t n = strlen(tag);

	if (n > RRDP_TAG_MAX)
		n = 0;
	memcpy(to, tag, n);
	to[n] = '\0';
}

static int32_t *status_of(struct rrdp_sync *s) BORROWED;
static int32_t *status_of(struct rrdp_sync *s)
{
	return s->request.kind == RRDP_NOTIFICATION ? &s->report.notification_status : &s->report.file_status;
}

RESULT rrdp_sync_answer(struct rrdp_sync *s, unsigned int status, const char *etag, const char *modified)
{
	bool conditional = s->request.etag[0] != '\0' || s->request.modified[0] != '\0';

	s->answered = true;
	*status_of(s) = (int32_t)status;
	if (status == 304 && s->request.kind == RRDP_NOTIFICATION && conditional) {
		s->unmodified = true;
		return DONE;
	}
	if (status != 200) {
		strbuf_printf(s->why, "%s: HTTP status %u", s->request.uri, status);
		tell_end(s);
		s->result = FAIL(ERR_REFUSED);
		return s->result;
	}
	if (s->request.kind == RRDP_NOTIFICATION) {
		rrdp_reader_free(MOVE(s->reader));
		s->reader = rrdp_reader_new(RRDP_NOTIFICATION, &s->limits, NULL, NULL, s->why);
		keep_tag(s->etag, etag);
		keep_tag(s->modified, modified);
		s->result = s->reader == NULL ? FAIL(ERR_NOMEM) : DONE;
	} else {
		spool_free(MOVE(s->spool));
		s->spool = spool_new(s->dir, s->request.max_octets);
		s->result = s->spool == NULL ? FAIL(ERR_NOMEM) : DONE;
	}
	return s->result;
}

RESULT rrdp_sync_data(struct rrdp_sync *s, struct span octets)
{
	if (!OK(s->result) || s->unmodified)
		return s->result;
	s->report.octets += octets.n;
	if (s->request.kind == RRDP_NOTIFICATION) {
		s->result = rrdp_read(s->reader, octets, false);
		if (!OK(s->result))
			tell_end(s);
	} else {
		s->result = spool_add(s->spool, octets);
		if (!OK(s->result))
			strbuf_printf(s->why, "%s: %s\n", s->request.uri, err_text(s->result.e));
	}
	return s->result;
}

/* --- a whole file */

static RESULT end_notification(struct rrdp_sync *s)
{
	struct result r;

	if (s->unmodified)
		return DONE;
	r = rrdp_read(s->reader, span_of("", 0), true);
	if (OK(r))
		s->notification = rrdp_reader_take(s->reader);
	else
		tell_end(s);
	rrdp_reader_free(MOVE(s->reader));
	return r;
}

/* Errors that say something of the store, and not of what the repository says. */
static RESULT from_store(struct rrdp_sync *s, struct result r)
{
	if (r.e == ERR_FORMAT || r.e == ERR_LIMIT || r.e == ERR_SYSTEM)
		s->report.store = r.e;
	return r;
}

static RESULT sink_publish(void *ctx, struct span uri, const uint8_t *replaces, struct span octets)
{
	struct rrdp_sync *s = (struct rrdp_sync *)ctx;

	return from_store(s, s->store.publish(s->store.ctx, uri, replaces, octets));
}

static RESULT sink_withdraw(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH])
{
	struct rrdp_sync *s = (struct rrdp_sync *)ctx;

	return from_store(s, s->store.withdraw(s->store.ctx, uri, hash));
}

static RESULT replay(void *ctx, struct span octets, bool last)
{
	return rrdp_read((struct rrdp_reader *)ctx, octets, last);
}

/* Into the store. The hash is right. */
static RESULT apply(struct rrdp_sync *s, uint64_t serial)
{
	struct rrdp_expected expected = { s->notification->session, serial };
	struct rrdp_sink sink = { .ctx = s, .publish = sink_publish, .withdraw = sink_withdraw };
	AUTO(rrdp_reader_free) struct rrdp_reader *r = rrdp_reader_new(s->request.kind, &s->limits, &expected, &sink, s->why);
	const struct rrdp_counts *c;

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	if (!s->begun) {
		TRY(from_store(s, s->store.begin(s->store.ctx, s->request.kind == RRDP_SNAPSHOT)));
		s->begun = true;
	}
	TRY(spool_replay(s->spool, replay, r));
	c = rrdp_counts(r);
	s->report.counts.published += c->published;
	s->report.counts.withdrawn += c->withdrawn;
	s->report.counts.too_large += c->too_large;
	return DONE;
}

static RESULT end_file(struct rrdp_sync *s, const uint8_t hash[RRDP_HASH], uint64_t serial)
{
	size_t told = strbuf_len(s->why);
	struct result r = spool_check(s->spool, hash);

	if (r.e == ERR_REFUSED) {
		strbuf_printf(s->why, "%s: the hash is not the one that was announced\n", s->request.uri);
		return r;
	}
	if (OK(r))
		r = apply(s, serial);
	spool_free(MOVE(s->spool));
	if (OK(r))
		return r;
	if (strbuf_len(s->why) == told)
		strbuf_printf(s->why, "%s: %s", s->request.uri, err_text(r.e));
	tell_end(s);
	return r;
}

static void end_of_delta(struct rrdp_sync *s)
{
	const struct rrdp_notification *n = s->notification;
	const struct rrdp_delta_ref *d = &n->deltas[s->delta];

	if (OK(s->result))
		s->result = end_file(s, d->hash, d->serial);
	if (!OK(s->result)) {
		want_snapshot(s);
		return;
	}
	s->report.deltas++;
	if (++s->delta < n->count)
		want(s, RRDP_DELTA, n->deltas[s->delta].uri, s->limits.delta_octets);
	else
		commit(s, RRDP_BY_DELTAS);
}

void rrdp_sync_end(struct rrdp_sync *s, enum err e, const char *text)
{
	if (s->request.uri == NULL)
		return;
	if (!s->answered)
		*status_of(s) = -1;
	if (OK(s->result) && (e != ERR_NONE || !s->answered)) {
		strbuf_printf(s->why, "%s: %.300s\n", s->request.uri, e != ERR_NONE ? text : "no answer");
		s->result = FAIL(e != ERR_NONE ? e : ERR_CLOSED);
	}
	switch (s->request.kind) {
	case RRDP_NOTIFICATION:
		if (OK(s->result))
			s->result = end_notification(s);
		if (!OK(s->result))
			finish(s, RRDP_FAILED);
		else if (s->unmodified)
			unchanged(s);
		else
			plan(s);
		break;
	case RRDP_DELTA:
		end_of_delta(s);
		break;
	case RRDP_SNAPSHOT:
		if (OK(s->result))
			s->result = end_file(s, s->notification->snapshot_hash, s->notification->serial);
		if (OK(s->result)) {
			commit(s, RRDP_BY_SNAPSHOT);
		} else {
			drop_update(s);
			finish(s, RRDP_FAILED);
		}
		break;
	}
}

/* ------------------------------------------------------------------------------------------------------------------- whole */

struct rrdp_sync *rrdp_sync_new(const struct rrdp_options *o, const struct rrdp_store *store)
{
	AUTO(rrdp_sync_free) struct rrdp_sync *s = (struct rrdp_sync *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->store = *store;
	s->limits = *o->limits;
	s->uri = mem_strdup(o->uri);
	s->dir = o->spool != NULL ? mem_strdup(o->spool) : NULL;
	s->why = strbuf_new(WHY_MAX);
	s->state = rrdp_state_read(o->state);
	if (s->uri == NULL || s->why == NULL || s->state == NULL || (o->spool != NULL && s->dir == NULL))
		return NULL;
	memcpy(s->etag, s->state->etag, sizeof s->etag); /* "not modified" may leave them out */
	memcpy(s->modified, s->state->modified, sizeof s->modified);
	s->report.serial = s->state->serial;
	want(s, RRDP_NOTIFICATION, s->uri, s->limits.notification_octets);
	if (!same_origin(s, s->uri)) {
		strbuf_printf(s->why, "not an https: URI that can be used: %.200s\n", s->uri);
		finish(s, RRDP_FAILED);
	}
	return MOVE(s);
}

const struct rrdp_request *rrdp_sync_request(const struct rrdp_sync *s)
{
	return s->request.uri != NULL ? &s->request : NULL;
}

struct rrdp_report rrdp_sync_report(const struct rrdp_sync *s)
{
	struct rrdp_report r = s->report;

	r.why = strbuf_text(s->why);
	r.session = s->state->session;
	return r;
}
