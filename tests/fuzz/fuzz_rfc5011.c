/*
 * Trust anchors that follow their zone over virtual years, beside the state table of RFC 5011 section 4.2 written down once more, naively: for each of a few keys its state, since
 * when, and how often it was seen. The input is events: DNSKEY RRsets with keys that come, go, and are revoked; time that passes, and goes back; probes that fail; restarts.
 */
#include "base/cursor.h"
#include "base/strbuf.h"
#include "tests/fuzz/failing.h"
#include "tests/fuzz/kit.h"
#include "validator/key.h"
#include "validator/rfc5011.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS 6u
#define RDATA 20u
#define DAY_SEC INT64_C(86400)
#define MOST_EVENTS 400u

struct model_key {
	enum ta_state state; /* TA_START: nothing is known of it */
	int64_t since;
	uint32_t seen;
	uint32_t ttl;
};
struct life {
	struct autotrust *t OWNED_FIELD;
	struct model_key keys[KEYS];
	bool ds; /* the DS that it began with is still there */
	int64_t now;
	struct ta_policy policy;
	uint8_t rdata[KEYS][2][RDATA]; /* not revoked, and revoked */
};

/* ---- the model ----------------------------------------------------------------------------------------------------------------------------------- */

struct seen_set {
	uint8_t present, revoked, signed_by, by_ds; /* bits of keys */
	bool validated;
	uint32_t ttl, left;
};

static bool bit(uint8_t bits, unsigned int i)
{
	return (bits >> i & 1) != 0;
}

static void becomes(struct model_key *k, enum ta_state s, int64_t now)
{
	k->state = s;
	k->since = now;
	k->seen = 0;
}

/* A validated RRset, for a key that is known. */
static void model_age(struct life *l, struct model_key *k, bool there, bool others)
{
	int64_t wait = l->policy.add_holddown > k->ttl ? l->policy.add_holddown : k->ttl;

	if (k->since > l->now)
		k->since = l->now;
	switch (k->state) {
	case TA_ADDPEND:
		if (!there)
			becomes(k, TA_START, l->now);
		else if (++k->seen >= 2 && l->now - k->since >= wait)
			becomes(k, TA_VALID, l->now);
		break;
	case TA_VALID:
		if (!there)
			becomes(k, TA_MISSING, l->now);
		break;
	case TA_MISSING:
		if (there)
			becomes(k, TA_VALID, l->now);
		else if (l->policy.keep_missing != 0 && others && l->now - k->since >= l->policy.keep_missing)
			becomes(k, TA_REMOVED, l->now);
		break;
	case TA_REVOKED:
		if (l->now - k->since >= l->policy.del_holddown)
			becomes(k, TA_REMOVED, l->now);
		break;
	case TA_START:
	case TA_REMOVED:
		break;
	}
}

static void model_probe(struct life *l, const struct seen_set *s)
{
	bool others = false;

	for (unsigned int i = 0; i < KEYS; i++) {
		struct model_key *k = &l->keys[i];

		if (!bit(s->revoked, i) || !bit(s->signed_by, i))
			continue;
		if (k->state == TA_VALID || k->state == TA_MISSING)
			becomes(k, TA_REVOKED, l->now);
		else if (k->state == TA_ADDPEND)
			becomes(k, TA_START, l->now);
	}
	if (!s->validated)
		return;
	for (unsigned int i = 0; i < KEYS; i++)
		others |= l->keys[i].state == TA_VALID && bit(s->present, i);
	for (unsigned int i = 0; i < KEYS; i++) {
		struct model_key *k = &l->keys[i];

		if (k->state != TA_START) {
			model_age(l, k, bit(s->present, i), others);
			if (k->state != TA_START || !bit(s->present, i))
				continue;
		}
		if (bit(s->present, i)) {
			becomes(k, bit(s->by_ds, i) ? TA_VALID : TA_ADDPEND, l->now);
			k->seen = k->state == TA_ADDPEND;
			k->ttl = s->ttl;
		}
	}
	l->ds &= l->keys[0].state != TA_VALID && l->keys[0].state != TA_MISSING;
}

/* ---- the code ------------------------------------------------------------------------------------------------------------------------------------- */

static const struct ta_key *find(const struct life *l, unsigned int i) BORROWED;
static const struct ta_key *find(const struct life *l, unsigned int i)
{
	for (size_t k = 0; k < l->t->count; k++) {
		const struct ta_key *key = &l->t->keys[k];

		if (key->type == RR_DNSKEY && key->n == RDATA && memcmp(key->rdata + 4, l->rdata[i][0] + 4, RDATA - 4) == 0)
			return key;
	}
	return NULL;
}

static bool has_ds(const struct life *l)
{
	bool found = false;

	for (size_t k = 0; k < l->t->count; k++)
		found |= l->t->keys[k].type == RR_DS;
	return found;
}

static unsigned int anchors(const struct life *l)
{
	unsigned int n = l->ds;

	for (unsigned int i = 0; i < KEYS; i++)
		n += l->keys[i].state == TA_VALID || l->keys[i].state == TA_MISSING;
	return n;
}

static void compare(const struct life *l)
{
	for (unsigned int i = 0; i < KEYS; i++) {
		const struct ta_key *k = find(l, i);
		enum ta_state s = k == NULL ? TA_START : k->state;

		CHECK(s == l->keys[i].state);
		CHECK(s == TA_START || k->since == l->keys[i].since);
		CHECK(k == NULL || ta_is_anchor(k) == (s == TA_VALID || s == TA_MISSING));
	}
	CHECK(has_ds(l) == l->ds);
	CHECK(autotrust_is_revoked(l->t) == (anchors(l) == 0));
}

static bool probe(struct life *l, const struct seen_set *s)
{
	struct ta_seen keys[2 * KEYS];
	struct ta_probe p = { .keys = keys, .validated = s->validated, .original_ttl = s->ttl, .sig_left = s->left };
	struct life before = *l;
	bool changed = false, differs = false;
	struct result r;

	for (unsigned int i = 0; i < KEYS; i++) {
		if (bit(s->present, i))
			keys[p.count++] = (struct ta_seen){ span_of(l->rdata[i][0], RDATA), bit(s->signed_by, i), bit(s->by_ds, i) };
		if (bit(s->revoked, i))
			keys[p.count++] = (struct ta_seen){ span_of(l->rdata[i][1], RDATA), bit(s->signed_by, i), false };
	}
	model_probe(l, s);
	r = autotrust_probe(l->t, &l->policy, &p, l->now, &changed);
	if (!OK(r)) {
		CHECK(mem_failed());
		return false;
	}
	for (unsigned int i = 0; i < KEYS; i++) {
		enum ta_state a = before.keys[i].state, b = l->keys[i].state;

		differs |= (a == TA_VALID || a == TA_MISSING) != (b == TA_VALID || b == TA_MISSING);
		CHECK(a != TA_REMOVED || b == TA_REMOVED); /* never back */
	}
	CHECK(changed == (differs || before.ds != l->ds));
	CHECK(l->t->last_queried == l->now);
	if (s->validated) /* RFC 5011 section 2.3 */
		CHECK(l->t->next_probe >= l->now + (l->policy.often ? 1 : 3600) && l->t->next_probe <= l->now + 15 * DAY_SEC && l->t->failed == 0);
	else
		CHECK(l->t->next_probe == l->now + l->t->retry && l->t->failed > 0);
	return true;
}

/* Written, and read by the next process. */
static bool restart(struct life *l)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(1u << 20), *report = strbuf_new(65536), *again = strbuf_new(1u << 20);
	AUTO(autotrust_free) struct autotrust *t = NULL;

	if (text == NULL || report == NULL || again == NULL)
		return false;
	autotrust_write(l->t, text);
	if (!OK(strbuf_result(text)) || !OK(autotrust_read("state", strbuf_span(text), &t, report))) {
		fputs(strbuf_text(report), stderr);
		CHECK(mem_failed());
		return false;
	}
	/* A key that was forgotten but not dropped yet is not read back; all else is. */
	autotrust_write(t, again);
	if (!OK(strbuf_result(again)))
		return false;
	CHECK(t->count <= l->t->count && t->next_probe == l->t->next_probe && t->failed == l->t->failed);
	CHECK(t->count != l->t->count || span_equal(strbuf_span(text), strbuf_span(again)));
	autotrust_free(MOVE(l->t));
	l->t = MOVE(t);
	return true;
}

static bool begin(struct life *l, bool from_ds)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(4096), *report = strbuf_new(4096);

	for (unsigned int i = 0; i < KEYS; i++) {
		uint8_t *d = l->rdata[i][0];

		for (unsigned int k = 4; k < RDATA; k++)
			d[k] = (uint8_t)(17 * i + k);
		store16(d, 257);
		d[2] = 3;
		d[3] = 8;
		memcpy(l->rdata[i][1], d, RDATA);
		l->rdata[i][1][1] |= 0x80;
	}
	if (text == NULL || report == NULL)
		return false;
	if (from_ds)
		strbuf_printf(text, ". IN DS %u 8 2 ", (unsigned int)dnskey_tag(span_of(l->rdata[0][0], RDATA)));
	else
		strbuf_puts(text, ". IN DNSKEY \\# 20 ");
	for (unsigned int k = 0; k < (from_ds ? 32 : RDATA); k++)
		strbuf_printf(text, "%02x", from_ds ? 0xab : (unsigned int)l->rdata[0][0][k]);
	strbuf_putc(text, '\n');
	if (!OK(strbuf_result(text)) || !OK(autotrust_read("begin", strbuf_span(text), &l->t, report))) {
		CHECK(mem_failed());
		return false;
	}
	l->ds = from_ds;
	if (!from_ds)
		l->keys[0] = (struct model_key){ .state = TA_VALID, .ttl = l->t->keys[0].ttl };
	return true;
}

static uint32_t ttl_of(uint8_t b)
{
	static const uint32_t ttls[] = { 0, 60, 3600, 86400, 172800, 40 * 86400, 100 * 86400, 0x7fffffff };

	return ttls[b & 7];
}

static bool event(struct life *l, struct reader *r)
{
	static const int64_t units[] = { 1, 3600, DAY_SEC, 10 * DAY_SEC, 30 * DAY_SEC, 366 * DAY_SEC };
	uint8_t what = read8(r), b;

	switch (what & 7) {
	case 0:
	case 1:
		b = read8(r);
		l->now += units[b % 6] * (1 + (b >> 4));
		return true;
	case 2:
		l->now -= units[read8(r) % 4];
		return true;
	case 3:
		autotrust_failed(l->t, l->now);
		return true;
	case 4:
		return restart(l);
	default: {
		struct seen_set s = { .present = read8(r), .revoked = 0 };

		if ((what & 8) != 0) {
			s.revoked = read8(r);
			s.signed_by = read8(r);
		}
		s.validated = (what & 16) == 0;
		s.by_ds = (what & 32) != 0 ? s.present & 1 : 0;
		b = read8(r);
		s.ttl = ttl_of(b);
		s.left = ttl_of(b >> 4);
		return probe(l, &s);
	}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	struct life l = { .now = INT64_C(1700000000), .policy = ta_policy_default };
	uint8_t how = read8(&r);

	if ((how & 2) != 0)
		l.policy = (struct ta_policy){ .add_holddown = 10, .del_holddown = 3600, .keep_missing = 7200, .often = true };
	if ((how & 4) != 0)
		l.policy.keep_missing = 0;
	if (begin(&l, (how & 1) != 0)) {
		compare(&l);
		for (unsigned int n = 0; n < MOST_EVENTS && !reader_end(&r) && event(&l, &r); n++)
			compare(&l);
	}
	autotrust_free(MOVE(l.t));
	return 0;
}
