#include "validator/rfc5011.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "dns/rdata.h"
#include "dns/zonefile.h"
#include "validator/anchors.h"

enum { FLAG_ZONE = 0x01, FLAG_SEP = 0x01, FLAG_REVOKE = 0x80, HOUR = 3600, DAY = 86400 };

const struct ta_policy ta_policy_default = { 30 * DAY, 30 * DAY, 366 * DAY, false };

enum ta_state ta_next(enum ta_state s, enum ta_event e)
{
	switch (s) {
	case TA_START:
		return e == TA_NEWKEY ? TA_ADDPEND : s;
	case TA_ADDPEND:
		return e == TA_ADDTIME ? TA_VALID : e == TA_KEYREM || e == TA_REVBIT ? TA_START : s;
	case TA_VALID:
		return e == TA_KEYREM ? TA_MISSING : e == TA_REVBIT ? TA_REVOKED : s;
	case TA_MISSING:
		return e == TA_KEYPRES ? TA_VALID : e == TA_REVBIT ? TA_REVOKED : s;
	case TA_REVOKED:
		return e == TA_REMTIME ? TA_REMOVED : s;
	case TA_REMOVED:
		break;
	}
	return s;
}

void autotrust_free(struct autotrust *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		mem_free(MOVE(t->keys[i].rdata));
	mem_free(MOVE(t->keys));
	mem_free(t);
}

static void drop_key(struct autotrust *t, size_t i)
{
	mem_free(MOVE(t->keys[i].rdata));
	t->count--;
	memmove(t->keys + i, t->keys + i + 1, (t->count - i) * sizeof *t->keys);
}

static struct result add_key(struct autotrust *t, const struct ta_key *like, struct span rdata)
{
	AUTO(mem_free) void *copy = mem_dup(rdata.p, rdata.n);
	void *p = t->keys;

	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	TRY(mem_resize(&p, t->count, t->count + 1, sizeof *t->keys));
	t->keys = p;
	t->keys[t->count] = *like;
	t->keys[t->count].n = (uint16_t)rdata.n;
	t->keys[t->count].rdata = MOVE(copy);
	t->count++;
	return DONE;
}

static bool same_key(const struct ta_key *k, struct span rdata)
{
	return k->type == RR_DNSKEY && k->n == rdata.n && rdata.n > 4 && k->rdata[0] == rdata.p[0] && ((k->rdata[1] ^ rdata.p[1]) & ~FLAG_REVOKE) == 0 &&
	       memcmp(k->rdata + 2, rdata.p + 2, rdata.n - 2) == 0;
}

bool ta_is_anchor(const struct ta_key *k)
{
	return k->state == TA_VALID || k->state == TA_MISSING;
}

bool autotrust_is_revoked(const struct autotrust *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (ta_is_anchor(&t->keys[i]))
			return false;
	}
	return true;
}

/* --- the file */

#define TIME_MAX UINT64_C(253402300799) /* the last second of the year 9999: what is written is read, whatever a clock has shown */

struct parse {
	const char *where BORROWED_FIELD;
	struct strbuf *report BORROWED_FIELD;
	struct autotrust *t BORROWED_FIELD;
	struct strbuf *entry BORROWED_FIELD; /* an RR's text so far */
	unsigned int line;
	unsigned int open;      /* parentheses */
	bool state_file;        /* ";;id:" was seen */
	bool all_revoked;       /* ";;REVOKED" */
	bool has_keys;          /* ";;keys:" was seen */
	uint64_t keys;
	bool has[3];            /* what the entry's comments said: state, count, lastchange */
	uint64_t value[3];
};

static struct result damaged(const struct parse *p, const char *found)
{
	strbuf_printf(p->report, "%s:%u: found %s, the file is left as it is\n", p->where, p->line, found);
	return FAIL(ERR_FORMAT);
}

/* The number after a key word that text has, at the front or anywhere. */
static bool number_after(struct span text, const char *word, bool anywhere, uint64_t max, uint64_t *ret, bool *ret_bad)
{
	size_t n = strlen(word);
	size_t at = 0;
	size_t digits = 0;
	uint64_t v = 0;

	while (at + n <= text.n && memcmp(text.p + at, word, n) != 0) {
		if (!anywhere)
			return false;
		at++;
	}
	if (at + n > text.n)
		return false;
	for (at += n; at < text.n && text.p[at] == ' '; at++)
		;
	for (; at < text.n && text.p[at] >= '0' && text.p[at] <= '9' && v <= max; at++, digits++)
		v = v * 10 + (uint64_t)(text.p[at] - '0');
	if (digits == 0 || v > max || (at < text.n && text.p[at] != ' ' && text.p[at] != '\t' && text.p[at] != '\r')) {
		*ret_bad = true;
		return false;
	}
	*ret = v;
	return true;
}

static bool begins(struct span line, const char *word)
{
	size_t n = strlen(word);

	return line.n >= n && memcmp(line.p, word, n) == 0;
}

static struct result header_line(struct parse *p, struct span line)
{
	bool bad = false;
	bool bad_time = false;
	uint64_t v = 0;

	if (begins(line, ";;id:"))
		p->state_file = true;
	else if (begins(line, ";;REVOKED"))
		p->all_revoked = true;
	else if (number_after(line, ";;last_queried:", false, TIME_MAX, &v, &bad))
		p->t->last_queried = (int64_t)v;
	else if (number_after(line, ";;last_success:", false, TIME_MAX, &v, &bad))
		p->t->last_success = (int64_t)v;
	else if (begins(line, ";;next_probe_time:")) /* one that is no number says nothing of trust: the zone is asked at once */
		p->t->next_probe = number_after(line, ";;next_probe_time:", false, TIME_MAX, &v, &bad_time) ? (int64_t)v : 0;
	else if (number_after(line, ";;query_failed:", false, INT32_MAX, &v, &bad))
		p->t->failed = (uint32_t)v;
	else if (number_after(line, ";;query_interval:", false, INT32_MAX, &v, &bad))
		p->t->interval = (uint32_t)v;
	else if (number_after(line, ";;retry_time:", false, INT32_MAX, &v, &bad))
		p->t->retry = (uint32_t)v;
	else if (number_after(line, ";;keys:", false, INT32_MAX, &p->keys, &bad))
		p->has_keys = true;
	return bad ? damaged(p, "a header without its number") : DONE;
}

static struct result end_entry(struct parse *p)
{
	uint8_t room[8192];
	struct writer w = writer_of(room, sizeof room);
	struct name_buf owner;
	struct zone_rr rr;
	struct ta_key k = { .state = TA_VALID };
	const char *msg = "";
	const char *text = strbuf_text(p->entry);

	TRY(strbuf_result(p->entry));
	if (text[strspn(text, " \t\r")] == '\0') {
		strbuf_clear(p->entry);
		return DONE;
	}
	if (memchr(text, '\0', strbuf_len(p->entry)) != NULL || !OK(zone_read_rr(text, name_root, HOUR, &owner, &rr, &w, &msg)))
		return damaged(p, "a record that cannot be read");
	strbuf_clear(p->entry);
	if ((rr.type != RR_DS && rr.type != RR_DNSKEY) || rr.rclass != CLASS_IN || rr.rdata.n < 5)
		return damaged(p, "a record that is no DS or DNSKEY of class IN");
	if (p->t->count != 0 && !name_equal(name_of(&p->t->zone), rr.owner))
		return damaged(p, "a record of another zone");
	if (p->t->count >= AUTOTRUST_KEYS)
		return damaged(p, "too many records");
	if (p->state_file && !(p->has[0] && p->has[1] && p->has[2]))
		return damaged(p, "a record without its state");
	name_copy(&p->t->zone, rr.owner);
	if (p->has[0])
		k.state = (enum ta_state)p->value[0];
	k.count = p->has[1] ? (uint32_t)p->value[1] : 0;
	k.since = p->has[2] ? (int64_t)p->value[2] : 0;
	k.type = rr.type;
	k.ttl = rr.ttl;
	memset(p->has, 0, sizeof p->has);
	if (k.state == TA_START)
		return DONE;
	return add_key(p->t, &k, rr.rdata);
}

static struct result record_line(struct parse *p, struct span line)
{
	static const char *const words[3] = { ";;state=", ";;count=", ";;lastchange=" };
	static const uint64_t most[3] = { TA_REMOVED, INT32_MAX, TIME_MAX };
	const uint8_t *semi = memchr(line.p, ';', line.n);
	struct span data = { line.p, semi != NULL ? (size_t)(semi - line.p) : line.n };
	struct span comment = { line.p + data.n, line.n - data.n };
	bool bad = false;

	for (unsigned int i = 0; i < 3; i++) {
		if (number_after(comment, words[i], true, most[i], &p->value[i], &bad))
			p->has[i] = true;
	}
	if (bad)
		return damaged(p, "a state that is none");
	for (size_t i = 0; i < data.n; i++) {
		if (data.p[i] == '(')
			p->open++;
		else if (data.p[i] == ')' && p->open == 0)
			return damaged(p, "a parenthesis that was not opened");
		else if (data.p[i] == ')')
			p->open--;
	}
	strbuf_add_span(p->entry, data);
	if (p->open != 0) {
		strbuf_putc(p->entry, '\n');
		return strbuf_result(p->entry);
	}
	return end_entry(p);
}

struct result autotrust_read(const char *where, struct span text, struct autotrust **ret, struct strbuf *report)
{
	AUTO(autotrust_free) struct autotrust *t = mem_alloc(sizeof *t);
	AUTO(strbuf_free) struct strbuf *entry = strbuf_new(65536);
	struct parse p = { .where = where, .report = report, .t = t, .entry = entry };

	if (t == NULL || entry == NULL)
		return FAIL(ERR_NOMEM);
	t->interval = HOUR;
	t->retry = HOUR;
	for (size_t at = 0; at < text.n;) {
		const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
		struct span line = { text.p + at, end != NULL ? (size_t)(end - text.p) - at : text.n - at };

		p.line++;
		at += line.n + 1;
		if (begins(line, ";;") && p.open == 0)
			TRY(header_line(&p, line));
		else
			TRY(record_line(&p, line));
		if (end == NULL && p.state_file)
			return damaged(&p, "a last line that is cut off");
	}
	if (p.open != 0)
		return damaged(&p, "an open parenthesis at the end");
	if (t->count == 0)
		return damaged(&p, "no key");
	if (p.has_keys && p.keys != t->count)
		return damaged(&p, "another number of keys than the file's head says");
	if (p.state_file && !p.all_revoked && autotrust_is_revoked(t))
		return damaged(&p, "no key that is an anchor");
	*ret = MOVE(t);
	return DONE;
}

static void print_time(struct strbuf *out, const char *word, int64_t when)
{
	char iso[32];

	strbuf_printf(out, ";;%s: %lld ;;%s\n", word, (long long)when, clock_iso(when, iso));
}

void autotrust_write(const struct autotrust *t, struct strbuf *out)
{
	static const char *const names[] = { " START ", "ADDPEND", " VALID ", "MISSING", "REVOKED", "REMOVED" };
	char owner[NAME_TEXT];
	char type[RRTYPE_TEXT];
	char iso[32];

	name_to_text(name_of(&t->zone), owner);
	strbuf_printf(out, "; autotrust trust anchor file\n");
	if (autotrust_is_revoked(t))
		strbuf_printf(out, ";;REVOKED\n; every key of the zone has been revoked: it counts as a zone without an anchor.\n"
				   "; To begin anew, replace this file by one with valid DNSKEY or DS records.\n");
	strbuf_printf(out, ";;id: %s 1\n", owner);
	print_time(out, "last_queried", t->last_queried);
	print_time(out, "last_success", t->last_success);
	print_time(out, "next_probe_time", t->next_probe);
	strbuf_printf(out, ";;query_failed: %u\n;;query_interval: %u\n;;retry_time: %u\n;;keys: %zu\n", (unsigned int)t->failed,
	    (unsigned int)t->interval, (unsigned int)t->retry, t->count);
	for (size_t i = 0; i < t->count; i++) {
		const struct ta_key *k = &t->keys[i];

		strbuf_printf(out, "%s\t%u\tIN\t%s\t", owner, (unsigned int)k->ttl, rrtype_text(k->type, type));
		rdata_print(k->type, span_of(k->rdata, k->n), out);
		strbuf_printf(out, " ;;state=%d [%s] ;;count=%u ;;lastchange=%lld ;;%s\n", (int)k->state, names[k->state], (unsigned int)k->count,
		    (long long)k->since, clock_iso(k->since, iso));
	}
}

/* --- probes */

static void step(struct ta_key *k, enum ta_event e, int64_t now, bool *changed)
{
	enum ta_state next = ta_next(k->state, e);

	if (next == k->state)
		return;
	if (ta_is_anchor(k) != (next == TA_VALID || next == TA_MISSING))
		*changed = true;
	k->state = next;
	k->since = now;
	k->count = 0;
}

static bool is_ksk(struct span rdata) /* a zone key with the SEP bit, of protocol 3 */
{
	return rdata.n > 4 && (rdata.p[0] & FLAG_ZONE) != 0 && (rdata.p[1] & FLAG_SEP) != 0 && rdata.p[2] == 3;
}

static void take_revocations(struct autotrust *t, const struct ta_probe *s, int64_t now, bool *changed)
{
	for (size_t i = 0; i < s->count; i++) {
		struct span rdata = s->keys[i].rdata;

		if (!is_ksk(rdata) || (rdata.p[1] & FLAG_REVOKE) == 0 || !s->keys[i].self_signed)
			continue;
		for (size_t k = 0; k < t->count; k++) {
			if (!same_key(&t->keys[k], rdata))
				continue;
			step(&t->keys[k], TA_REVBIT, now, changed);
			if (t->keys[k].state == TA_REVOKED)
				t->keys[k].rdata[1] |= FLAG_REVOKE;
			else if (t->keys[k].state == TA_START)
				drop_key(t, k); /* the file has no such keys, and its head counts them */
			break;
		}
	}
}

static bool is_present(const struct ta_probe *s, const struct ta_key *k)
{
	for (size_t i = 0; i < s->count; i++) {
		if (is_ksk(s->keys[i].rdata) && (s->keys[i].rdata.p[1] & FLAG_REVOKE) == 0 && same_key(k, s->keys[i].rdata))
			return true;
	}
	return false;
}

static void age_key(struct ta_key *k, const struct ta_policy *p, bool present, bool others, int64_t now, bool *changed)
{
	int64_t hold = p->add_holddown > k->ttl ? p->add_holddown : k->ttl;

	if (k->since > now)
		k->since = now; /* the clock was ahead once: begin the wait again */
	step(k, present ? TA_KEYPRES : TA_KEYREM, now, changed);
	if (k->state == TA_ADDPEND) {
		k->count += k->count < INT32_MAX;
		if (k->count >= 2 && now - k->since >= hold)
			step(k, TA_ADDTIME, now, changed);
	}
	if (k->state == TA_REVOKED && now - k->since >= p->del_holddown)
		step(k, TA_REMTIME, now, changed);
	if (k->state == TA_MISSING && p->keep_missing != 0 && others && now - k->since >= p->keep_missing) {
		k->state = TA_REMOVED;
		k->since = now;
		*changed = true;
	}
}

static void age_keys(struct autotrust *t, const struct ta_policy *p, const struct ta_probe *s, int64_t now, bool *changed)
{
	bool valid = false;

	for (size_t i = 0; i < t->count; i++)
		valid = valid || (t->keys[i].type == RR_DNSKEY && t->keys[i].state == TA_VALID && is_present(s, &t->keys[i]));
	for (size_t i = t->count; i-- > 0;) {
		if (t->keys[i].type != RR_DNSKEY)
			continue;
		age_key(&t->keys[i], p, is_present(s, &t->keys[i]), valid, now, changed);
		if (t->keys[i].state == TA_START)
			drop_key(t, i);
	}
}

static bool make_room(struct autotrust *t)
{
	size_t oldest = t->count;

	if (t->count < AUTOTRUST_KEYS)
		return true;
	for (size_t i = 0; i < t->count; i++) {
		if (t->keys[i].state == TA_REMOVED && (oldest == t->count || t->keys[i].since < t->keys[oldest].since))
			oldest = i;
	}
	if (oldest == t->count)
		return false;
	drop_key(t, oldest);
	return true;
}

static struct result take_new(struct autotrust *t, const struct ta_probe *s, int64_t now, bool *changed)
{
	for (size_t i = 0; i < s->count; i++) {
		struct span rdata = s->keys[i].rdata;
		struct ta_key k = { .type = RR_DNSKEY, .ttl = s->original_ttl, .since = now };
		bool known = false;

		for (size_t j = 0; j < t->count && !known; j++)
			known = same_key(&t->keys[j], rdata);
		if (known || !is_ksk(rdata) || (rdata.p[1] & FLAG_REVOKE) != 0 || rdata.n > UINT16_MAX)
			continue;
		if (!make_room(t)) {
			t->not_noted++;
			continue;
		}
		k.state = s->keys[i].by_ds ? TA_VALID : ta_next(TA_START, TA_NEWKEY);
		k.count = s->keys[i].by_ds ? 0 : 1;
		TRY(add_key(t, &k, rdata));
		*changed = *changed || s->keys[i].by_ds;
	}
	return DONE;
}

/* A DS is done with once its key is an anchor of its own; one of a key that is not published yet stays. */
static void drop_ds(struct autotrust *t, bool *changed)
{
	for (size_t i = t->count; i-- > 0;) {
		const struct ta_key *ds = &t->keys[i];
		bool met = false;

		for (size_t k = 0; k < t->count && ds->type == RR_DS && !met; k++) {
			const struct ta_key *key = &t->keys[k];

			met = key->type == RR_DNSKEY && ta_is_anchor(key) && key->rdata[3] == ds->rdata[2] &&
			      dnskey_tag_of(span_of(key->rdata, key->n)) == load16(ds->rdata);
		}
		if (met) {
			drop_key(t, i);
			*changed = true;
		}
	}
}

static uint32_t clamp(const struct ta_policy *p, uint32_t most, uint32_t a, uint32_t b)
{
	uint32_t v = a < b ? a : b, least = p->often ? 1 : HOUR;

	v = v < most ? v : most;
	return v > least ? v : least;
}

void autotrust_failed(struct autotrust *t, int64_t now)
{
	t->last_queried = now;
	t->failed += t->failed < INT32_MAX;
	t->next_probe = now + t->retry;
}

struct result autotrust_probe(struct autotrust *t, const struct ta_policy *p, const struct ta_probe *seen, int64_t now, bool *ret_changed)
{
	bool changed = false;
	struct result r = DONE;

	take_revocations(t, seen, now, &changed);
	if (!seen->validated) {
		autotrust_failed(t, now);
	} else {
		age_keys(t, p, seen, now, &changed);
		r = take_new(t, seen, now, &changed);
		drop_ds(t, &changed);
		t->interval = clamp(p, 15 * DAY, seen->original_ttl / 2, seen->sig_left / 2);
		t->retry = clamp(p, DAY, seen->original_ttl / 10, seen->sig_left / 10);
		t->last_queried = now;
		t->last_success = now;
		t->failed = 0;
		t->next_probe = now + t->interval;
	}
	if (OK(r))
		*ret_changed = changed;
	return r;
}
