/* One repository over RRDP, with a made server and a made store: which files are asked for, and what the store has afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/libcrypto.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/fetch/rrdp_sync.h"

#define S1 "b4772554-7369-4e0e-94f8-883d01bcabc8"
#define S2 "00000000-7369-4e0e-94f8-883d01bcabc8"

/* --- a store: names and one octet of content each */

struct entry {
	char uri[40];
	char content[8];
};

struct memory {
	struct entry now[16], next[16]; /* what counts, what was begun */
	size_t count, next_count;
	bool begun;
	uint8_t state[4096];
	size_t state_len;
	unsigned int commits, touches, aborts;
	bool broken, damaged;
};

static void sha(const char *text, uint8_t hash[RRDP_HASH])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, text, strlen(text));
	SHA256_Final(hash, &c);
}

static struct entry *find(struct memory *m, struct span uri)
{
	for (size_t i = 0; i < m->next_count; i++)
		if (span_equal(span_text(m->next[i].uri), uri))
			return &m->next[i];
	return NULL;
}

static RESULT m_begin(void *ctx, bool whole)
{
	struct memory *m = (struct memory *)ctx;

	assert_false(m->begun);
	m->begun = true;
	memcpy(m->next, m->now, sizeof m->next);
	m->next_count = whole ? 0 : m->count;
	return DONE;
}

static RESULT m_check(struct entry *e, const uint8_t *replaces)
{
	uint8_t hash[RRDP_HASH];

	if (replaces == NULL)
		return e == NULL ? DONE : FAIL(ERR_EXISTS);
	if (e == NULL)
		return FAIL(ERR_NOTFOUND);
	sha(e->content, hash);
	return memcmp(hash, replaces, RRDP_HASH) == 0 ? DONE : FAIL(ERR_REFUSED);
}

static RESULT m_publish(void *ctx, struct span uri, const uint8_t *replaces, struct span octets)
{
	struct memory *m = (struct memory *)ctx;
	struct entry *e = find(m, uri);

	assert_true(m->begun);
	if (m->damaged)
		return FAIL(ERR_FORMAT);
	TRY(m_check(e, replaces));
	if (e == NULL)
		e = &m->next[m->next_count++];
	(void)snprintf(e->uri, sizeof e->uri, "%.*s", (int)uri.n, (const char *)uri.p);
	(void)snprintf(e->content, sizeof e->content, "%.*s", (int)octets.n, (const char *)octets.p);
	return DONE;
}

static RESULT m_withdraw(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH])
{
	struct memory *m = (struct memory *)ctx;
	struct entry *e = find(m, uri);

	assert_true(m->begun);
	TRY(m_check(e, hash));
	*e = m->next[--m->next_count];
	return DONE;
}

static RESULT m_commit(void *ctx, struct span state)
{
	struct memory *m = (struct memory *)ctx;

	assert_true(m->begun);
	if (m->broken)
		return FAIL(ERR_SYSTEM);
	m->begun = false;
	memcpy(m->now, m->next, sizeof m->now);
	m->count = m->next_count;
	assert_true(state.n <= sizeof m->state);
	memcpy(m->state, state.p, state.n);
	m->state_len = state.n;
	m->commits++;
	return DONE;
}

static RESULT m_touch(void *ctx, struct span state)
{
	struct memory *m = (struct memory *)ctx;

	assert_false(m->begun);
	memcpy(m->state, state.p, state.n);
	m->state_len = state.n;
	m->touches++;
	return DONE;
}

static void m_abort(void *ctx)
{
	struct memory *m = (struct memory *)ctx;

	assert_true(m->begun);
	m->begun = false;
	m->aborts++;
}

/* --- a server: files by URI */

struct file {
	char uri[64];
	char text[2048];
	unsigned int status;
	char etag[16];
};

struct server {
	struct file files[16];
	size_t count;
	char asked[512]; /* the last part of each URI that was asked for */
	size_t cut;      /* files break off behind so many octets; 0: never */
};

static struct file *put(struct server *v, const char *uri, const char *text)
{
	struct file *f = NULL;

	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->files[i].uri, uri) == 0)
			f = &v->files[i];
	if (f == NULL)
		f = &v->files[v->count++];
	*f = (struct file){ .status = 200 };
	(void)snprintf(f->uri, sizeof f->uri, "%s", uri);
	(void)snprintf(f->text, sizeof f->text, "%s", text);
	return f;
}

static void hex_of(const char *text, char out[2 * RRDP_HASH + 1])
{
	uint8_t hash[RRDP_HASH];

	sha(text, hash);
	for (size_t i = 0; i < RRDP_HASH; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

static const char *text_of(struct server *v, const char *uri)
{
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->files[i].uri, uri) == 0)
			return v->files[i].text;
	return "";
}

/* A notification with the snapshot s.xml and deltas from..serial as d<serial>.xml, as they are on the server now. */
static struct file *announce(struct server *v, const char *session, unsigned int from, unsigned int serial)
{
	char text[2048], hex[2 * RRDP_HASH + 1], uri[64];
	int n;

	hex_of(text_of(v, "https://h/s.xml"), hex);
	n = snprintf(text, sizeof text,
		"<notification version='1' xmlns='http://www.ripe.net/rpki/rrdp' session_id='%s' serial='%u'><snapshot uri='https://h/s.xml' hash='%s'/>", session, serial, hex);
	for (unsigned int i = from; i <= serial; i++) {
		(void)snprintf(uri, sizeof uri, "https://h/d%u.xml", i);
		hex_of(text_of(v, uri), hex);
		n += snprintf(text + n, sizeof text - (size_t)n, "<delta serial='%u' uri='%s' hash='%s'/>", i, uri, hex);
	}
	(void)snprintf(text + n, sizeof text - (size_t)n, "</notification>");
	return put(v, "https://h/n.xml", text);
}

static void snapshot(struct server *v, const char *session, unsigned int serial, const char *body)
{
	char text[2048];

	(void)snprintf(text, sizeof text, "<snapshot version='1' xmlns='http://www.ripe.net/rpki/rrdp' session_id='%s' serial='%u'>%s</snapshot>", session, serial, body);
	put(v, "https://h/s.xml", text);
}

static void delta(struct server *v, const char *session, unsigned int serial, const char *body)
{
	char text[2048], uri[64];

	(void)snprintf(text, sizeof text, "<delta version='1' xmlns='http://www.ripe.net/rpki/rrdp' session_id='%s' serial='%u'>%s</delta>", session, serial, body);
	(void)snprintf(uri, sizeof uri, "https://h/d%u.xml", serial);
	put(v, uri, text);
}

#define NEW(name, text) "<publish uri='rsync://a/m/" name "'>" text "</publish>"

static const char *changed(char room[256], const char *name, const char *was, const char *text)
{
	char hex[2 * RRDP_HASH + 1];

	hex_of(was, hex);
	if (text == NULL)
		(void)snprintf(room, 256, "<withdraw uri='rsync://a/m/%s' hash='%s'/>", name, hex);
	else
		(void)snprintf(room, 256, "<publish uri='rsync://a/m/%s' hash='%s'>%s</publish>", name, hex, text);
	return room;
}

static void transfer(struct server *v, struct rrdp_sync *s, const struct rrdp_request *q)
{
	const struct file *f = NULL;
	size_t n;

	(void)strncat(v->asked, strrchr(q->uri, '/') + 1, 20);
	(void)strncat(v->asked, " ", 2);
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->files[i].uri, q->uri) == 0)
			f = &v->files[i];
	if (f == NULL) {
		rrdp_sync_end(s, ERR_REFUSED, "connection refused");
		return;
	}
	if (f->etag[0] != '\0' && strcmp(q->etag, f->etag) == 0) {
		assert_true(OK(rrdp_sync_answer(s, 304, "", "")));
		rrdp_sync_end(s, ERR_NONE, "");
		return;
	}
	if (!OK(rrdp_sync_answer(s, f->status, f->etag, "")))  {
		rrdp_sync_end(s, ERR_NONE, "");
		return;
	}
	n = strlen(f->text);
	for (size_t at = 0; at < n; at += 100) {
		if (v->cut != 0 && at > v->cut) {
			rrdp_sync_end(s, ERR_TIMEOUT, "too slow");
			return;
		}
		if (!OK(rrdp_sync_data(s, span_of(f->text + at, n - at < 100 ? n - at : 100))))
			break;
	}
	rrdp_sync_end(s, ERR_NONE, "");
}

struct rig {
	struct server v;
	struct memory m;
	struct rrdp_limits limits;
	struct rrdp_report report;
	char why[4096];
};

static void run(struct rig *g, enum rrdp_outcome want, const char *asked)
{
	struct rrdp_store store = { &g->m, m_begin, m_publish, m_withdraw, m_commit, m_touch, m_abort };
	struct rrdp_options o = { .uri = "https://h/n.xml", .state = span_of(g->m.state, g->m.state_len), .limits = &g->limits };
	AUTO(rrdp_sync_free) struct rrdp_sync *s = rrdp_sync_new(&o, &store);
	const struct rrdp_request *q;

	assert_non_null(s);
	g->v.asked[0] = '\0';
	while ((q = rrdp_sync_request(s)) != NULL)
		transfer(&g->v, s, q);
	g->report = rrdp_sync_report(s);
	(void)snprintf(g->why, sizeof g->why, "%s", g->report.why);
	assert_false(g->m.begun);
	if (g->report.outcome != want || strcmp(g->v.asked, asked) != 0)
		fail_msg("outcome %d (%d), asked for %s(%s): %s", g->report.outcome, want, g->v.asked, asked, g->why);
}

static void has(const struct memory *m, const char *name, const char *content)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->now[i].uri + strlen("rsync://a/m/"), name) == 0) {
			assert_string_equal(m->now[i].content, content);
			return;
		}
	fail_msg("%s is not there", name);
}

/* A repository at serial 1 with x = "Man". */
static struct rig *rig(void)
{
	struct rig *g = (struct rig *)test_calloc(1, sizeof *g);

	assert_non_null(g);
	g->limits = rrdp_limits_default();
	snapshot(&g->v, S1, 1, NEW("x", "TWFu"));
	(void)announce(&g->v, S1, 2, 1);
	run(g, RRDP_BY_SNAPSHOT, "n.xml s.xml ");
	has(&g->m, "x", "Man");
	assert_int_equal(g->m.count, 1);
	assert_int_equal(g->report.serial, 1);
	return g;
}

/* The next two serials: x changes to "Ma" and y comes, then x goes. */
static void advance(struct rig *g)
{
	char room[256], body[600];

	(void)snprintf(body, sizeof body, "%s%s", changed(room, "x", "Man", "TWE="), NEW("y", "TQ=="));
	delta(&g->v, S1, 2, body);
	delta(&g->v, S1, 3, changed(room, "x", "Ma", NULL));
	snapshot(&g->v, S1, 3, NEW("y", "TQ=="));
	(void)announce(&g->v, S1, 2, 3);
}

static void deltas_lead_to_the_next_serial(void **state)
{
	struct rig *g = rig();

	(void)state;
	advance(g);
	run(g, RRDP_BY_DELTAS, "n.xml d2.xml d3.xml ");
	assert_int_equal(g->report.deltas, 2);
	assert_int_equal(g->report.serial, 3);
	assert_int_equal(g->report.counts.published, 2);
	assert_int_equal(g->report.counts.withdrawn, 1);
	assert_int_equal(g->m.count, 1);
	has(&g->m, "y", "M");
	assert_int_equal(g->m.commits, 2);
	run(g, RRDP_UNCHANGED, "n.xml ");
	assert_int_equal(g->m.touches, 1);
	test_free(g);
}

static void nothing_is_done_when_nothing_is_new(void **state)
{
	struct rig *g = rig();

	(void)state;
	(void)snprintf(announce(&g->v, S1, 2, 1)->etag, 16, "\"v1\"");
	run(g, RRDP_UNCHANGED, "n.xml "); /* the serial is the same; the tag is learnt */
	put(&g->v, "https://h/n.xml", "nobody reads this");
	(void)snprintf(g->v.files[1].etag, 16, "\"v1\"");
	run(g, RRDP_UNCHANGED, "n.xml "); /* not modified */
	assert_int_equal(g->m.touches, 2);
	assert_int_equal(g->m.commits, 1);
	(void)snprintf(g->v.files[1].etag, 16, "\"v2\"");
	run(g, RRDP_FAILED, "n.xml ");
	has(&g->m, "x", "Man");
	test_free(g);
}

static void a_new_session_is_a_snapshot(void **state)
{
	struct rig *g = rig();

	(void)state;
	snapshot(&g->v, S2, 5, NEW("z", "TQ=="));
	(void)announce(&g->v, S2, 6, 5);
	run(g, RRDP_BY_SNAPSHOT, "n.xml s.xml ");
	assert_non_null(strstr(g->why, "a new session"));
	assert_int_equal(g->m.count, 1);
	has(&g->m, "z", "M");
	test_free(g);
}

static void a_serial_that_goes_back_is_a_snapshot(void **state)
{
	struct rig *g = rig();

	(void)state;
	advance(g);
	run(g, RRDP_BY_DELTAS, "n.xml d2.xml d3.xml ");
	snapshot(&g->v, S1, 1, NEW("x", "TWFu"));
	(void)announce(&g->v, S1, 2, 1);
	run(g, RRDP_BY_SNAPSHOT, "n.xml s.xml ");
	assert_non_null(strstr(g->why, "went back from 3 to 1"));
	test_free(g);
}

static void deltas_that_do_not_reach_back_are_a_snapshot(void **state)
{
	struct rig *g = rig();

	(void)state;
	advance(g);
	(void)announce(&g->v, S1, 3, 3);
	run(g, RRDP_BY_SNAPSHOT, "n.xml s.xml ");
	assert_non_null(strstr(g->why, "reach back to serial 1"));
	has(&g->m, "y", "M");
	test_free(g);
}

static void too_many_deltas_are_a_snapshot(void **state)
{
	struct rig *g = rig();

	(void)state;
	advance(g);
	g->limits.deltas = 1;
	run(g, RRDP_BY_SNAPSHOT, "n.xml s.xml ");
	test_free(g);
}

static void a_delta_changed_after_the_fact_is_a_snapshot(void **state)
{
	struct rig *g = rig();

	(void)state;
	advance(g);
	run(g, RRDP_BY_DELTAS, "n.xml d2.xml d3.xml ");
	delta(&g->v, S1, 2, NEW("q", "TQ=="));
	delta(&g->v, S1, 4, NEW("r", "TQ=="));
	snapshot(&g->v, S1, 4, NEW("q", "TQ==") NEW("r", "TQ=="));
	(void)announce(&g->v, S1, 2, 4);
	run(g, RRDP_BY_SNAPSHOT, "n.xml s.xml ");
	assert_non_null(strstr(g->why, "RFC 9697"));
	assert_int_equal(g->m.count, 2);
	delta(&g->v, S1, 3, NEW("q", "TQ=="));
	(void)announce(&g->v, S1, 2, 4);
	run(g, RRDP_BY_SNAPSHOT, "n.xml s.xml "); /* also where the serial has not moved */
	run(g, RRDP_UNCHANGED, "n.xml ");
	test_free(g);
}

static void a_delta_that_cannot_be_used_is_a_snapshot(void **state)
{
	char room[256];

	(void)state;
	for (unsigned int fault = 0; fault < 7; fault++) {
		struct rig *g = rig();

		advance(g);
		switch (fault) {
		case 0: /* another hash than announced */
			delta(&g->v, S1, 3, "");
			break;
		case 1: /* withdraws what is not there */
			delta(&g->v, S1, 3, changed(room, "nothing", "Ma", NULL));
			(void)announce(&g->v, S1, 2, 3);
			break;
		case 2: /* withdraws another object than is there */
			delta(&g->v, S1, 3, changed(room, "x", "other", NULL));
			(void)announce(&g->v, S1, 2, 3);
			break;
		case 3: /* publishes what is there */
			delta(&g->v, S1, 3, NEW("x", "TQ=="));
			(void)announce(&g->v, S1, 2, 3);
			break;
		case 4: /* of another session */
			delta(&g->v, S2, 3, NEW("z", "TQ=="));
			(void)announce(&g->v, S1, 2, 3);
			break;
		case 5: /* no XML */
			put(&g->v, "https://h/d3.xml", "<delta");
			(void)announce(&g->v, S1, 2, 3);
			break;
		default:
			put(&g->v, "https://h/d3.xml", "")->status = 404;
			(void)announce(&g->v, S1, 2, 3);
			break;
		}
		run(g, RRDP_BY_SNAPSHOT, "n.xml d2.xml d3.xml s.xml ");
		assert_true(g->why[0] != '\0');
		assert_int_equal(g->m.aborts, 1);
		assert_int_equal(g->m.count, 1);
		has(&g->m, "y", "M");
		assert_int_equal(g->report.deltas, 0);
		test_free(g);
	}
}

static void a_snapshot_that_cannot_be_used_leaves_the_store(void **state)
{
	(void)state;
	for (unsigned int fault = 0; fault < 7; fault++) {
		struct rig *g = rig();

		snapshot(&g->v, S2, 5, NEW("z", "TQ=="));
		(void)announce(&g->v, S2, 6, 5);
		switch (fault) {
		case 0: /* another hash than announced */
			snapshot(&g->v, S2, 5, NEW("z", "TWE="));
			break;
		case 1: /* of another serial */
			snapshot(&g->v, S2, 4, NEW("z", "TQ=="));
			(void)announce(&g->v, S2, 6, 5);
			break;
		case 2: /* one URI twice */
			snapshot(&g->v, S2, 5, NEW("z", "TQ==") NEW("z", "TQ=="));
			(void)announce(&g->v, S2, 6, 5);
			break;
		case 3: /* ends in the middle, with the hash of it */
			put(&g->v, "https://h/s.xml", "<snapshot version='1'");
			(void)announce(&g->v, S2, 6, 5);
			break;
		case 4:
			put(&g->v, "https://h/s.xml", "")->status = 500;
			break;
		case 5:
			g->m.broken = true;
			break;
		default:
			g->m.damaged = true;
			break;
		}
		run(g, RRDP_FAILED, "n.xml s.xml ");
		assert_true(g->why[0] != '\0');
		assert_int_equal(g->report.store, fault == 5 ? ERR_SYSTEM : fault == 6 ? ERR_FORMAT : ERR_NONE);
		assert_int_equal(g->m.commits, 1);
		assert_int_equal(g->m.count, 1);
		has(&g->m, "x", "Man");
		g->m.broken = g->m.damaged = false;
		(void)announce(&g->v, S1, 2, 1);
		run(g, RRDP_UNCHANGED, "n.xml ");
		test_free(g);
	}
}

static void other_origins_are_refused(void **state)
{
	static const char *const uris[] = { "https://other/s.xml", "https://h:444/s.xml" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig *g = rig();
		char text[1024];

		(void)snprintf(text, sizeof text,
			"<notification version='1' xmlns='http://www.ripe.net/rpki/rrdp' session_id='%s' serial='2'><snapshot uri='%s' hash='%064d'/></notification>", S1, uris[i], 0);
		put(&g->v, "https://h/n.xml", text);
		run(g, RRDP_FAILED, "n.xml ");
		assert_non_null(strstr(g->why, "RFC 9674"));
		test_free(g);
	}
}

static void a_transfer_that_breaks_off_fails(void **state)
{
	struct rig *g = rig();

	(void)state;
	advance(g);
	g->v.cut = 150;
	run(g, RRDP_FAILED, "n.xml ");
	assert_non_null(strstr(g->why, "too slow"));
	has(&g->m, "x", "Man");
	g->v.count = 0;
	run(g, RRDP_FAILED, "n.xml ");
	assert_non_null(strstr(g->why, "connection refused"));
	test_free(g);
}

static void files_that_are_too_large_are_not_read_to_the_end(void **state)
{
	struct rig *g = rig();

	(void)state;
	advance(g);
	g->limits.delta_octets = 50;
	run(g, RRDP_BY_SNAPSHOT, "n.xml d2.xml s.xml ");
	g->limits.snapshot_octets = 50;
	snapshot(&g->v, S2, 5, NEW("z", "TQ=="));
	(void)announce(&g->v, S2, 6, 5);
	run(g, RRDP_FAILED, "n.xml s.xml ");
	g->limits.notification_octets = 50;
	run(g, RRDP_FAILED, "n.xml ");
	test_free(g);
}

static void a_damaged_state_is_none(void **state)
{
	struct rig *g = rig();
	uint8_t kept[4096];
	size_t n = g->m.state_len;

	(void)state;
	memcpy(kept, g->m.state, n);
	for (size_t cut = 0; cut < n; cut++) {
		g->m.state_len = cut;
		run(g, RRDP_BY_SNAPSHOT, "n.xml s.xml ");
		assert_int_equal(g->m.state_len, n);
		assert_memory_equal(g->m.state, kept, n);
	}
	g->m.state[0] ^= 1;
	run(g, RRDP_BY_SNAPSHOT, "n.xml s.xml ");
	test_free(g);
}

static void a_uri_that_cannot_be_used_fails_at_once(void **state)
{
	struct memory m = { .count = 0 };
	struct rrdp_limits limits = rrdp_limits_default();
	struct rrdp_store store = { &m, m_begin, m_publish, m_withdraw, m_commit, m_touch, m_abort };
	struct rrdp_options o = { .uri = "http://h/n.xml", .limits = &limits };
	AUTO(rrdp_sync_free) struct rrdp_sync *s = rrdp_sync_new(&o, &store);

	(void)state;
	assert_non_null(s);
	assert_null(rrdp_sync_request(s));
	assert_int_equal(rrdp_sync_report(s).outcome, RRDP_FAILED);
}

static void a_run_may_end_anywhere(void **state)
{
	struct rig *g = rig();
	struct rrdp_store store = { &g->m, m_begin, m_publish, m_withdraw, m_commit, m_touch, m_abort };
	struct rrdp_options o = { .uri = "https://h/n.xml", .limits = &g->limits };

	(void)state;
	advance(g);
	o.state = span_of(g->m.state, g->m.state_len);
	for (unsigned int files = 0; files < 3; files++) {
		AUTO(rrdp_sync_free) struct rrdp_sync *s = rrdp_sync_new(&o, &store);

		assert_non_null(s);
		for (unsigned int i = 0; i < files; i++)
			transfer(&g->v, s, rrdp_sync_request(s));
		assert_true(OK(rrdp_sync_answer(s, 200, "", "")));
		assert_true(OK(rrdp_sync_data(s, span_text("<"))));
		rrdp_sync_free(s);
		s = NULL;
		assert_false(g->m.begun);
	}
	has(&g->m, "x", "Man");
	test_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deltas_lead_to_the_next_serial),
		cmocka_unit_test(nothing_is_done_when_nothing_is_new),
		cmocka_unit_test(a_new_session_is_a_snapshot),
		cmocka_unit_test(a_serial_that_goes_back_is_a_snapshot),
		cmocka_unit_test(deltas_that_do_not_reach_back_are_a_snapshot),
		cmocka_unit_test(too_many_deltas_are_a_snapshot),
		cmocka_unit_test(a_delta_changed_after_the_fact_is_a_snapshot),
		cmocka_unit_test(a_delta_that_cannot_be_used_is_a_snapshot),
		cmocka_unit_test(a_snapshot_that_cannot_be_used_leaves_the_store),
		cmocka_unit_test(other_origins_are_refused),
		cmocka_unit_test(a_transfer_that_breaks_off_fails),
		cmocka_unit_test(files_that_are_too_large_are_not_read_to_the_end),
		cmocka_unit_test(a_damaged_state_is_none),
		cmocka_unit_test(a_uri_that_cannot_be_used_fails_at_once),
		cmocka_unit_test(a_run_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
