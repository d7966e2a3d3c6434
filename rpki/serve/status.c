/*
 * The flat form: magic, version, then all fields in one order, numbers of 8 octets, texts as length and octets, lists as count and items. One walk over the fields both writes and
 * reads them, so that the two cannot differ.
 */
#include "rpki/serve/status.h"

#include "base/strbuf.h"

#define MAGIC 0x43524e53u /* "CRNS" */
#define VERSION 2u
#define TEXT_MAX 65535u

void status_free(struct status *s)
{
	if (s == NULL)
		return;
	arena_free(MOVE(s->arena));
	mem_free(s);
}

struct status *status_new(void)
{
	AUTO(status_free) struct status *s = (struct status *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->log = "";
	s->arena = arena_new(2 * STATUS_OCTETS_MAX);
	return s->arena != NULL ? MOVE(s) : NULL;
}

const char *status_text(struct status *s, const char *text)
{
	const char *copy = text != NULL ? arena_strdup(s->arena, text) : NULL;

	return copy != NULL ? copy : "";
}

struct status_anchor *status_add_anchor(struct status *s, const char *name)
{
	struct status_anchor *x = (struct status_anchor *)arena_alloc(s->arena, sizeof *x);

	if (x == NULL)
		return NULL;
	x->name = status_text(s, name);
	if (s->last_anchor != NULL)
		s->last_anchor->next = x;
	else
		s->anchors = x;
	s->last_anchor = x;
	s->nanchors++;
	return x;
}

struct status_repository *status_add_repository(struct status *s, const char *uri)
{
	struct status_repository *x = (struct status_repository *)arena_alloc(s->arena, sizeof *x);

	if (x == NULL)
		return NULL;
	x->uri = status_text(s, uri);
	x->anchor = x->why = x->session = "";
	x->exit_status = -1;
	if (s->last_repository != NULL)
		s->last_repository->next = x;
	else
		s->repositories = x;
	s->last_repository = x;
	s->nrepositories++;
	return x;
}

struct status_alarm *status_add_alarm(struct status *s, enum status_gravity g, int64_t since, const char *what)
{
	struct status_alarm *x = (struct status_alarm *)arena_alloc(s->arena, sizeof *x);

	if (x == NULL)
		return NULL;
	x->what = status_text(s, what);
	x->gravity = g;
	x->since = since;
	if (s->last_alarm != NULL)
		s->last_alarm->next = x;
	else
		s->alarms = x;
	s->last_alarm = x;
	s->nalarms++;
	return x;
}

struct status_repository *status_find_repository(const struct status *s, struct status_repository *from, const char *uri)
{
	struct status_repository *first = from != NULL ? from : s->repositories, *x = first;

	while (x != NULL && strcmp(x->uri, uri) != 0) {
		x = x->next != NULL ? x->next : s->repositories;
		if (x == first)
			return NULL;
	}
	return x;
}

void status_carry_alarms(struct status *s, const struct status *before)
{
	for (struct status_alarm *a = s->alarms; a != NULL; a = a->next)
		for (const struct status_alarm *b = before->alarms; b != NULL; b = b->next)
			if (a->gravity == b->gravity && b->since < a->since && strcmp(a->what, b->what) == 0)
				a->since = b->since;
}

/* --------------------------------------------------------------------------------------------------------------- flat form */

/* Writes to out, or reads from in when out is NULL. What is wrong sticks. */
struct codec {
	struct strbuf *out BORROWED_FIELD;
	struct reader in;
	struct status *status BORROWED_FIELD; /* that is read */
	bool no_memory;
};

static uint64_t number(struct codec *c, uint64_t v)
{
	uint8_t octets[8];
	struct writer w = writer_of(octets, sizeof octets);
	uint64_t high;

	if (c->out == NULL) {
		high = read32(&c->in);
		return high << 32 | read32(&c->in);
	}
	write32(&w, (uint32_t)(v >> 32));
	write32(&w, (uint32_t)v);
	strbuf_add_span(c->out, writer_done(&w));
	return v;
}

static void u64(struct codec *c, uint64_t *v)
{
	*v = number(c, *v);
}

static void i64(struct codec *c, int64_t *v)
{
	*v = (int64_t)number(c, (uint64_t)*v);
}

static void u32(struct codec *c, uint32_t *v)
{
	uint64_t n = number(c, *v);

	if (n > UINT32_MAX)
		reader_fail(&c->in);
	*v = (uint32_t)n;
}

static void i32(struct codec *c, int32_t *v)
{
	int64_t n = (int64_t)number(c, (uint64_t)(int64_t)*v);

	if (n < INT32_MIN || n > INT32_MAX)
		reader_fail(&c->in);
	*v = (int32_t)n;
}

static void truth(struct codec *c, bool *v)
{
	uint64_t n = number(c, *v ? 1 : 0);

	if (n > 1)
		reader_fail(&c->in);
	*v = n != 0;
}

/* Of words 0 to end - 1. */
static unsigned int word(struct codec *c, unsigned int v, unsigned int end)
{
	uint64_t n = number(c, v);

	if (n < end)
		return (unsigned int)n;
	reader_fail(&c->in);
	return 0;
}

static void text_to(struct codec *c, const char **v, size_t max)
{
	size_t n = *v != NULL && c->out != NULL ? strnlen(*v, max) : 0;
	struct span s;
	char *copy;

	n = (size_t)number(c, n);
	if (c->out != NULL) {
		strbuf_add(c->out, *v, n);
		return;
	}
	s = n <= max ? read_span(&c->in, n) : (struct span){ NULL, 0 };
	if (n > max || (s.n > 0 && memchr(s.p, '\0', s.n) != NULL))
		reader_fail(&c->in);
	*v = "";
	if (s.n == 0 || !reader_ok(&c->in))
		return;
	copy = (char *)arena_alloc(c->status->arena, s.n + 1);
	if (copy == NULL) {
		c->no_memory = true;
		return;
	}
	memcpy(copy, s.p, s.n);
	*v = copy;
}

static void text(struct codec *c, const char **v)
{
	text_to(c, v, TEXT_MAX);
}

static void objects(struct codec *c, struct status_objects *o)
{
	u64(c, &o->points);
	u64(c, &o->points_failed);
	u64(c, &o->points_kept);
	for (unsigned int i = 0; i < COUNTED; i++) {
		u64(c, &o->valid[i]);
		u64(c, &o->invalid[i]);
	}
	u64(c, &o->stale_manifests);
	u64(c, &o->stale_crls);
	u64(c, &o->missing_manifests);
}

static void payloads(struct codec *c, struct status_payloads p[STATUS_PAYLOADS])
{
	for (unsigned int i = 0; i < STATUS_PAYLOADS; i++) {
		u64(c, &p[i].valid);
		u64(c, &p[i].duplicate);
		u64(c, &p[i].unsafe);
		u64(c, &p[i].filtered);
		u64(c, &p[i].contributed);
	}
}

static void anchor(struct codec *c, struct status_anchor *a)
{
	text(c, &a->name);
	truth(c, &a->usable);
	i64(c, &a->not_after);
	u64(c, &a->limits);
	u64(c, &a->held_back);
	objects(c, &a->objects);
	payloads(c, a->payloads);
}

static void repository(struct codec *c, struct status_repository *r)
{
	text(c, &r->uri);
	text(c, &r->anchor);
	text(c, &r->why);
	r->way = (enum status_way)word(c, r->way, STATUS_WAYS);
	r->outcome = (enum status_outcome)word(c, r->outcome, STATUS_OUTCOMES);
	truth(c, &r->fallback);
	i64(c, &r->tried);
	i64(c, &r->succeeded);
	u64(c, &r->duration_ms);
	i32(c, &r->http_status);
	i32(c, &r->http_payload_status);
	i32(c, &r->exit_status);
	text(c, &r->session);
	u64(c, &r->serial);
	u32(c, &r->deltas);
	u32(c, &r->failures);
	u32(c, &r->patience_ms);
	u64(c, &r->octets);
	u64(c, &r->objects_new);
	u64(c, &r->objects_withdrawn);
	objects(c, &r->objects);
	payloads(c, r->payloads);
}

static void alarm_of(struct codec *c, struct status_alarm *a)
{
	a->gravity = (enum status_gravity)word(c, a->gravity, STATUS_GRAVITIES);
	i64(c, &a->since);
	text(c, &a->what);
}

static void run(struct codec *c, struct status *s)
{
	u64(c, &s->runs);
	i64(c, &s->run_start);
	i64(c, &s->run_done);
	i64(c, &s->run_next);
	u64(c, &s->run_ms);
	i64(c, &s->table_time);
	u64(c, &s->limits);
	u64(c, &s->remembered);
	u64(c, &s->validated);
	u64(c, &s->objects_stored);
	u64(c, &s->octets_stored);
	text_to(c, &s->log, STATUS_LOG_MAX);
	u64(c, &s->customers_withheld);
	payloads(c, s->exceptions);
	payloads(c, s->total);
}

/* How many items follow; 0 after an error, so that no loop runs for what is not there. */
static uint64_t count(struct codec *c, size_t n)
{
	uint64_t v = number(c, n);

	if (v > STATUS_LISTED_MAX)
		reader_fail(&c->in);
	return reader_ok(&c->in) ? v : 0;
}

RESULT status_encode(const struct status *s, struct strbuf *out)
{
	struct codec c = { .out = out };
	struct status copy = *s; /* the walk takes what it may change */

	(void)number(&c, (uint64_t)MAGIC << 32 | VERSION);
	run(&c, &copy);
	(void)count(&c, s->nanchors);
	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next) {
		struct status_anchor x = *a;

		anchor(&c, &x);
	}
	(void)count(&c, s->nrepositories);
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next) {
		struct status_repository x = *r;

		repository(&c, &x);
	}
	(void)count(&c, s->nalarms);
	for (const struct status_alarm *a = s->alarms; a != NULL; a = a->next) {
		struct status_alarm x = *a;

		alarm_of(&c, &x);
	}
	TRY(strbuf_result(out));
	return strbuf_len(out) > STATUS_OCTETS_MAX || !reader_ok(&c.in) ? FAIL(ERR_LIMIT) : DONE;
}

/* Each list ends early when something is wrong. */
static void read_lists(struct codec *c, struct status *s)
{
	uint64_t n = count(c, 0);

	for (uint64_t i = 0; i < n && reader_ok(&c->in) && !c->no_memory; i++) {
		struct status_anchor *a = status_add_anchor(s, "");

		if (a == NULL)
			c->no_memory = true;
		else
			anchor(c, a);
	}
	n = count(c, 0);
	for (uint64_t i = 0; i < n && reader_ok(&c->in) && !c->no_memory; i++) {
		struct status_repository *r = status_add_repository(s, "");

		if (r == NULL)
			c->no_memory = true;
		else
			repository(c, r);
	}
	n = count(c, 0);
	for (uint64_t i = 0; i < n && reader_ok(&c->in) && !c->no_memory; i++) {
		struct status_alarm *a = status_add_alarm(s, STATUS_NOTE, 0, "");

		if (a == NULL)
			c->no_memory = true;
		else
			alarm_of(c, a);
	}
}

RESULT status_decode(struct span octets, struct status **ret_status)
{
	AUTO(status_free) struct status *s = NULL;
	struct codec c = { .in = reader_of(octets) };

	if (octets.n > STATUS_OCTETS_MAX)
		return FAIL(ERR_LIMIT);
	s = status_new();
	if (s == NULL)
		return FAIL(ERR_NOMEM);
	c.status = s;
	if (number(&c, 0) != ((uint64_t)MAGIC << 32 | VERSION))
		return FAIL(ERR_FORMAT);
	run(&c, s);
	read_lists(&c, s);
	if (c.no_memory)
		return FAIL(arena_exhausted(s->arena) ? ERR_LIMIT : ERR_NOMEM);
	if (!reader_ok(&c.in) || !reader_end(&c.in))
		return FAIL(ERR_FORMAT);
	*ret_status = MOVE(s);
	return DONE;
}

/* -------------------------------------------------------------------------------------------------------------------- words */

const char *status_way_text(enum status_way w)
{
	static const char *const words[STATUS_WAYS] = { "rrdp", "rsync", "https" };

	return (unsigned int)w < STATUS_WAYS ? words[w] : "unknown";
}

const char *status_outcome_text(enum status_outcome o)
{
	static const char *const words[STATUS_OUTCOMES] = { "failed", "unchanged", "deltas", "snapshot", "fetched", "not-tried" };

	return (unsigned int)o < STATUS_OUTCOMES ? words[o] : "unknown";
}

RESULT status_copy(const struct status *s, struct status **ret)
{
	AUTO(strbuf_free) struct strbuf *octets = strbuf_new(STATUS_OCTETS_MAX);

	if (octets == NULL)
		return FAIL(ERR_NOMEM);
	TRY(status_encode(s, octets));
	return status_decode(strbuf_span(octets), ret);
}
