/*
 * A repository over several runs. The input is lines; each says what a server has and how it behaves:
 *
 *	session N | serial N | deltas N | tag TEXT | status N | cut N | lie (the hashes are wrong) | state TEXT (in place of what was remembered)
 *	s BODY, d BODY (elements of the snapshot, or of the next delta; at most 8) | raw TEXT (the notification itself) | run
 *
 * Hashes are made here, so that what the body says is looked into. However it goes, a run ends, an update is not left open, and what counts is only what was committed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/libcrypto.h"
#include "base/strbuf.h"
#include "rpki/fetch/rrdp_sync.h"
#include "tests/fuzz/failing.h"

#define DELTAS 8u
#define STATE 4096u
#define RUNS 8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	char session;
	uint64_t serial;
	size_t deltas; /* that the notification lists */
	struct span tag, snapshot, delta[DELTAS], raw;
	unsigned int status;
	size_t cut;
	bool lie, bad, begun;
	uint32_t changes, counted; /* in the open update, and committed */
	uint8_t state[STATE];
	size_t state_len;
};

static RESULT s_begin(void *ctx, bool whole)
{
	struct world *w = (struct world *)ctx;

	(void)whole;
	w->bad = w->bad || w->begun;
	w->begun = true;
	w->changes = 0;
	return DONE;
}

/* Refuses by what the URI looks like: a store has its own mind. */
static RESULT s_publish(void *ctx, struct span uri, const uint8_t *replaces, struct span octets)
{
	struct world *w = (struct world *)ctx;

	w->bad = w->bad || !w->begun || octets.n > 8u << 20;
	w->changes++;
	if (uri.p[uri.n - 1] == 'e')
		return FAIL(replaces == NULL ? ERR_EXISTS : ERR_REFUSED);
	return DONE;
}

static RESULT s_withdraw(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH])
{
	struct world *w = (struct world *)ctx;

	(void)hash;
	w->bad = w->bad || !w->begun;
	w->changes++;
	return uri.p[uri.n - 1] == 'e' ? FAIL(ERR_NOTFOUND) : DONE;
}

static RESULT keep(struct world *w, struct span state)
{
	if (state.n > sizeof w->state)
		return FAIL(ERR_LIMIT);
	memcpy(w->state, state.p, state.n);
	w->state_len = state.n;
	return DONE;
}

static RESULT s_commit(void *ctx, struct span state)
{
	struct world *w = (struct world *)ctx;

	w->bad = w->bad || !w->begun;
	TRY(keep(w, state));
	w->begun = false;
	w->counted = w->changes;
	return DONE;
}

static RESULT s_touch(void *ctx, struct span state)
{
	struct world *w = (struct world *)ctx;

	w->bad = w->bad || w->begun;
	return keep(w, state);
}

static void s_abort(void *ctx)
{
	struct world *w = (struct world *)ctx;

	w->bad = w->bad || !w->begun;
	w->begun = false;
}

static void add_hash(struct strbuf *b, const struct world *w, const struct strbuf *file)
{
	uint8_t hash[RRDP_HASH];
	struct span s = strbuf_span(file);
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, s.p, s.n);
	SHA256_Final(hash, &sha);
	for (size_t i = 0; i < sizeof hash; i++)
		strbuf_printf(b, "%02x", hash[i] ^ (w->lie ? 1 : 0));
}

/* kind: s, or the index of a delta from the end. */
static void write_file(const struct world *w, struct strbuf *b, const char *kind, uint64_t serial, struct span body)
{
	strbuf_clear(b);
	strbuf_printf(b, "<%s version='1' xmlns='http://www.ripe.net/rpki/rrdp' session_id='%08x-7369-4e0e-94f8-883d01bcabc8' serial='%llu'>", kind, (unsigned int)w->session,
		(unsigned long long)serial);
	strbuf_add_span(b, body);
	strbuf_printf(b, "</%s>", kind);
}

static void write_notification(const struct world *w, struct strbuf *b, struct strbuf *scratch)
{
	AUTO(strbuf_free) struct strbuf *body = MINE(strbuf_new(1u << 20));

	if (body == NULL)
		return;
	write_file(w, scratch, "snapshot", w->serial, w->snapshot);
	strbuf_puts(body, "<snapshot uri='https://h/s' hash='");
	add_hash(body, w, scratch);
	strbuf_puts(body, "'/>");
	for (size_t i = 0; i < w->deltas && i < w->serial; i++) {
		write_file(w, scratch, "delta", w->serial - i, w->delta[i % DELTAS]);
		strbuf_printf(body, "<delta serial='%llu' uri='https://h/d%zu' hash='", (unsigned long long)(w->serial - i), i);
		add_hash(body, w, scratch);
		strbuf_puts(body, "'/>");
	}
	write_file(w, b, "notification", w->serial, strbuf_span(body));
	if (w->raw.n > 0) {
		strbuf_clear(b);
		strbuf_add_span(b, w->raw);
	}
}

static void transfer(const struct world *w, struct rrdp_sync *s, const struct rrdp_request *q, struct strbuf *b, struct strbuf *scratch)
{
	char tag[32] = "";
	bool same;
	struct span all;
	size_t i;

	memcpy(tag, w->tag.p, w->tag.n < sizeof tag ? w->tag.n : 0);
	same = q->kind == RRDP_NOTIFICATION && tag[0] != '\0' && strcmp(tag, q->etag) == 0;
	mem_fail_hold(true);
	if (q->kind == RRDP_NOTIFICATION)
		write_notification(w, b, scratch);
	else if (q->kind == RRDP_SNAPSHOT)
		write_file(w, b, "snapshot", w->serial, w->snapshot);
	else {
		i = (size_t)strtoul(strrchr(q->uri, 'd') + 1, NULL, 10);
		write_file(w, b, "delta", w->serial - i, w->delta[i % DELTAS]);
	}
	mem_fail_hold(false);
	all = strbuf_span(b);
	if (OK(rrdp_sync_answer(s, same ? 304 : w->status, tag, "")) && !same && !OK(rrdp_sync_data(s, span_of(all.p, all.n < w->cut ? all.n : w->cut))))
		rrdp_sync_end(s, ERR_NONE, ""); /* it has its own reason */
	else
		rrdp_sync_end(s, all.n > w->cut ? ERR_CLOSED : ERR_NONE, "cut off");
}

/* false: memory failed, or what must hold does not. */
static bool run(struct world *w, struct strbuf *b, struct strbuf *scratch)
{
	struct rrdp_limits limits = rrdp_limits_default();
	struct rrdp_store store = { w, s_begin, s_publish, s_withdraw, s_commit, s_touch, s_abort };
	struct rrdp_options o = { .uri = "https://h/n", .state = span_of(w->state, w->state_len), .limits = &limits };
	AUTO(rrdp_sync_free) struct rrdp_sync *s = NULL;
	const struct rrdp_request *q;
	uint32_t before = w->counted;
	unsigned int files = 0;
	enum rrdp_outcome how;

	limits.deltas = 5;
	limits.list = 20;
	limits.elements = 100;
	s = rrdp_sync_new(&o, &store);
	if (s == NULL)
		return false;
	while ((q = rrdp_sync_request(s)) != NULL) {
		if (++files > 2 + 5)
			return false;
		transfer(w, s, q, b, scratch);
	}
	how = rrdp_sync_report(s).outcome;
	if (w->begun || w->bad || how == RRDP_UNDER_WAY)
		return false;
	if (how == RRDP_FAILED && rrdp_sync_report(s).why[0] == '\0')
		return false;
	return how == RRDP_BY_DELTAS || how == RRDP_BY_SNAPSHOT || w->counted == before;
}

static struct span word(struct reader *r, char end)
{
	struct reader look = *r;
	size_t n = 0;
	struct span s;

	while (!reader_end(&look) && read8(&look) != (uint8_t)end)
		n++;
	s = read_span(r, n);
	if (!reader_end(r))
		read_skip(r, 1);
	return s;
}

static uint64_t number(struct span s)
{
	char text[24] = "";

	memcpy(text, s.p, s.n < sizeof text ? s.n : 0);
	return strtoull(text, NULL, 10);
}

static bool is(struct span s, const char *text)
{
	return span_equal(s, span_text(text));
}

static bool line(struct world *w, struct span verb, struct span rest, size_t *delta)
{
	if (is(verb, "session"))
		w->session = rest.n > 0 ? (char)rest.p[0] : 0;
	else if (is(verb, "serial"))
		w->serial = number(rest);
	else if (is(verb, "deltas"))
		w->deltas = number(rest) % 30;
	else if (is(verb, "tag"))
		w->tag = rest;
	else if (is(verb, "status"))
		w->status = (unsigned int)number(rest);
	else if (is(verb, "cut"))
		w->cut = (size_t)number(rest);
	else if (is(verb, "lie"))
		w->lie = !w->lie;
	else if (is(verb, "state"))
		w->state_len = OK(keep(w, rest)) ? w->state_len : 0;
	else if (is(verb, "s"))
		w->snapshot = rest;
	else if (is(verb, "d"))
		w->delta[(*delta)++ % DELTAS] = rest;
	else if (is(verb, "raw"))
		w->raw = rest;
	return is(verb, "run");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(strbuf_free) struct strbuf *b = MINE(strbuf_new(1u << 20));
	AUTO(strbuf_free) struct strbuf *scratch = MINE(strbuf_new(1u << 20));
	struct reader r = reader_of(span_of(data, size));
	struct world w = { .serial = 1, .status = 200, .cut = SIZE_MAX, .tag = span_text(""), .snapshot = span_text("") };
	size_t delta = 0, runs = 0;

	if (b == NULL || scratch == NULL)
		return 0;
	for (size_t i = 0; i < DELTAS; i++)
		w.delta[i] = span_text("");
	while (!reader_end(&r) && runs < RUNS) {
		struct reader l = reader_of(word(&r, '\n'));
		struct span verb = word(&l, ' ');

		if (line(&w, verb, read_rest(&l), &delta)) {
			HOLDS(run(&w, b, scratch));
			runs++;
		}
	}
	return 0;
}
