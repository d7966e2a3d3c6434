#include "resolver/anchors_follow.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/anchors_probe.h"
#include "resolver/core/anchor_sources.h"

#define REPORT_OCTETS (64u * 1024)

static void followed_done(struct followed *f)
{
	mem_free(MOVE(f->path));
	autotrust_free(MOVE(f->t));
}

void follow_done(struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		followed_done(&f->list[i]);
	mem_free(MOVE(f->list));
	mem_free(MOVE(f->states));
	f->n = 0;
}

/* The entry of the same file whose state is not on the disk. */
static struct followed *unsaved_of(struct follow *f, const char *path) BORROWED;
static struct followed *unsaved_of(struct follow *f, const char *path)
{
	for (size_t i = 0; f != NULL && i < f->n; i++) {
		if (f->list[i].unsaved && f->list[i].t != NULL && strcmp(f->list[i].path, path) == 0)
			return &f->list[i];
	}
	return NULL;
}

static bool is_there(const char *path)
{
	AUTO_CHARS char *text = NULL;
	size_t n;

	return file_read_all(path, AUTOTRUST_FILE_MAX, &text, &n).e != ERR_NOTFOUND;
}

static RESULT read_one(const struct conf_clause *c, size_t i, struct follow *before, struct strbuf *report, struct followed *f)
{
	f->path = anchor_sources_path(c, OPT_AUTO_TRUST_ANCHOR_FILE, i);
	if (f->path == NULL)
		return FAIL(ERR_NOMEM);
	if (unsaved_of(before, f->path) != NULL)
		return DONE; /* taken when nothing can fail any more */
	f->unsaved = !is_there(f->path);
	return anchor_sources_auto(c, i, report, &f->t);
}

static uint32_t seconds(const struct conf_clause *c, enum conf_opt o)
{
	int64_t v = conf_int(c, o);

	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

RESULT follow_read(const struct conf_clause *c, struct follow *before, struct strbuf *report, struct follow *ret)
{
	__attribute__((cleanup(follow_done))) struct follow f = { .policy = { seconds(c, OPT_ADD_HOLDDOWN), seconds(c, OPT_DEL_HOLDDOWN),
		seconds(c, OPT_KEEP_MISSING), conf_bool(c, OPT_PERMIT_SMALL_HOLDDOWN) } };
	size_t n = conf_count(c, OPT_AUTO_TRUST_ANCHOR_FILE);

	f.list = mem_alloc_array(n + 1, sizeof *f.list);
	f.states = mem_alloc_array(n + 1, sizeof *f.states);
	if (f.list == NULL || f.states == NULL)
		return FAIL(ERR_NOMEM);
	for (; f.n < n; f.n++) {
		struct result r = read_one(c, f.n, before, report, &f.list[f.n]);

		if (!OK(r)) {
			followed_done(&f.list[f.n]);
			return r;
		}
	}
	for (size_t i = 0; i < n; i++) {
		struct followed *known = f.list[i].t == NULL ? unsaved_of(before, f.list[i].path) : NULL;

		if (known != NULL) {
			f.list[i].t = MOVE(known->t);
			f.list[i].unsaved = true;
		}
		f.states[i] = f.list[i].t;
	}
	*ret = f;
	f = (struct follow){ .n = 0 };
	return DONE;
}

/* --- the file */

/* What is there reads as a file of anchors, or is not there. */
static bool may_replace(const char *path)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	AUTO(autotrust_free) struct autotrust *t = NULL;
	AUTO_CHARS char *text = NULL;
	struct result r;
	size_t n;

	if (report == NULL)
		return false;
	r = file_read_all(path, AUTOTRUST_FILE_MAX, &text, &n);
	if (r.e == ERR_NOTFOUND)
		return true;
	if (!OK(r)) {
		log_error("auto-trust-anchor-file: %s cannot be read and was not overwritten (%s); what was learnt is kept in memory only", path,
		    r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
		return false;
	}
	r = autotrust_read(path, span_of(text, n), &t, report);
	if (!OK(r))
		log_error("auto-trust-anchor-file: %s is damaged and was not overwritten (%.*s); what was learnt is kept in memory only", path,
		    (int)strcspn(strbuf_text(report), "\n"), strbuf_text(report));
	return OK(r);
}

void follow_save(struct followed *f)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(AUTOTRUST_FILE_MAX);
	struct result r = FAIL(ERR_NOMEM);

	f->unsaved = true;
	if (text != NULL) {
		autotrust_write(f->t, text);
		r = strbuf_result(text);
	}
	if (OK(r) && !may_replace(f->path))
		return;
	if (OK(r))
		r = file_write_atomic(f->path, strbuf_span(text), 0644);
	f->unsaved = !OK(r);
	if (f->unsaved)
		log_warn("auto-trust-anchor-file: %s cannot be written (%s): changes of trust anchors do not survive a restart", f->path,
		    r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
}

/* --- probes */

struct was {
	uint16_t tag;
	enum ta_state state;
	uint16_t type;
};

/* Of a key as it was before it was revoked: the bit is no part of its identity. */
static uint16_t tag_of(const struct ta_key *k)
{
	uint8_t plain[2048];
	size_t n = k->n < sizeof plain ? k->n : sizeof plain;

	if (k->type == RR_DS)
		return load16(k->rdata);
	memcpy(plain, k->rdata, n);
	if (n > 1)
		plain[1] &= (uint8_t)~DNSKEY_REVOKE;
	return dnskey_tag_of(span_of(plain, n));
}

static const char *state_text(enum ta_state s) BORROWED;
static const char *state_text(enum ta_state s)
{
	static const char *const texts[] = { "not known", "seen, not trusted yet", "trusted", "trusted, though it is not published", "revoked", "removed" };

	return texts[s];
}

static const struct ta_key *find_like(const struct autotrust *t, const struct was *w) BORROWED;
static const struct ta_key *find_like(const struct autotrust *t, const struct was *w)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct ta_key *k = &t->keys[i];

		if (k->type == w->type && tag_of(k) == w->tag)
			return k;
	}
	return NULL;
}

static void tell_changes(const struct autotrust *t, const struct was *before, size_t n)
{
	char zone[NAME_TEXT];

	(void)name_to_text(name_of(&t->zone), zone);
	for (size_t i = 0; i < t->count; i++) {
		struct was now = { tag_of(&t->keys[i]), t->keys[i].state, t->keys[i].type };
		enum ta_state was = TA_START;

		for (size_t k = 0; k < n; k++) {
			if (before[k].tag == now.tag && before[k].type == now.type)
				was = before[k].state;
		}
		if (was != now.state)
			log_notice("trust anchor of %s: key %u is %s (was: %s)", zone, (unsigned int)now.tag, state_text(now.state), state_text(was));
	}
	for (size_t i = 0; i < n; i++) {
		if (find_like(t, &before[i]) == NULL)
			log_notice("trust anchor of %s: %s %u is no longer kept (was: %s)", zone, before[i].type == RR_DS ? "the digest of key" : "key",
			    (unsigned int)before[i].tag, state_text(before[i].state));
	}
	if (autotrust_is_revoked(t))
		log_error("trust anchor of %s: every key has been revoked: the zone is no longer validated", zone);
}

bool follow_take(struct follow *f, size_t i, const struct val_policy *v, const struct rrset *dnskeys, int64_t wall)
{
	struct followed *e = &f->list[i];
	struct was before[AUTOTRUST_KEYS];
	size_t n = 0;
	char zone[NAME_TEXT];
	enum sig_verdict verdict;
	bool changed;
	struct result r;

	for (; n < e->t->count && n < AUTOTRUST_KEYS; n++)
		before[n] = (struct was){ tag_of(&e->t->keys[n]), e->t->keys[n].state, e->t->keys[n].type };
	e->asking = false;
	r = anchors_probe(e->t, &f->policy, v, dnskeys, wall, &changed, &verdict);
	(void)name_to_text(name_of(&e->t->zone), zone);
	if (!OK(r))
		log_warn("trust anchor of %s: its keys could not be checked (%s); asked again in %u s", zone, err_text(r.e), (unsigned int)e->t->retry);
	else if (dnskeys == NULL)
		log_warn("trust anchor of %s: there was no answer to the question for its keys; asked again in %u s", zone, (unsigned int)e->t->retry);
	else if (verdict != SIG_GOOD)
		log_warn("trust anchor of %s: its keys are not signed by an anchor (%s); asked again in %u s", zone, sig_verdict_text(verdict),
		    (unsigned int)e->t->retry);
	tell_changes(e->t, before, n);
	follow_save(e);
	return changed;
}
