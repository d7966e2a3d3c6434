/*
 * Trust anchors, names that are insecure, and negative anchors that come and go, beside a naive model: lists that are searched from one end to the other. The input is operations;
 * after each the answers for every name of a small tree must be the model's.
 */
#include <strings.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "tests/fuzz/kit.h"
#include "validator/algorithm.h"
#include "validator/anchors.h"
#include "validator/key.h"
#include "validator/sentinel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAMES 10u
#define NTAS 4u
#define MOST_ITEMS 16u
#define MOST_OPS 400u

static const struct name names[NAMES] = { { (const uint8_t *)"", 1, 0 }, { (const uint8_t *)"\1a", 3, 1 }, { (const uint8_t *)"\1B\1a", 5, 2 },
	{ (const uint8_t *)"\1c\1b\1A", 7, 3 }, { (const uint8_t *)"\1d\1C\1b\1a", 9, 4 }, { (const uint8_t *)"\1e\1b\1a", 7, 3 }, { (const uint8_t *)"\1z", 3, 1 },
	{ (const uint8_t *)"\2bb\1a", 6, 2 }, { (const uint8_t *)"\1\0\1a", 5, 2 }, { (const uint8_t *)"\1b\1z", 5, 2 } };

struct item {
	uint16_t type;
	uint8_t rdata[8], n;
};
struct model {
	struct {
		bool insecure;
		struct item item[MOST_ITEMS];
		size_t count;
	} zone[NAMES];
	int64_t until[NAMES]; /* of negative anchors; 0: none */
	int64_t now;
};

static bool fits(const struct item *i)
{
	if (i->type == RR_DS)
		return i->n > 4;
	return i->type == RR_DNSKEY && i->n > 4 && (i->rdata[0] & 1) != 0 && (i->rdata[1] & 0x80) == 0 && i->rdata[2] == 3;
}

static bool has_item(const struct model *m, unsigned int at, uint16_t type, struct span rdata)
{
	for (size_t i = 0; i < m->zone[at].count; i++)
		if (m->zone[at].item[i].type == type && span_equal(span_of(m->zone[at].item[i].rdata, m->zone[at].item[i].n), rdata))
			return true;
	return false;
}

static void add_item(struct reader *r, struct anchors *a, struct model *m, unsigned int at)
{
	static const uint16_t types[4] = { RR_DS, RR_DNSKEY, RR_DNSKEY, RR_A };
	struct item i = { .type = types[read8(r) & 3] };
	struct result done;

	i.n = read8(r) % 9;
	for (unsigned int k = 0; k < i.n; k++)
		i.rdata[k] = read8(r);
	if (m->zone[at].count == MOST_ITEMS)
		return;
	done = anchors_add(a, names[at], i.type, span_of(i.rdata, i.n));
	CHECK(OK(done) == fits(&i));
	if (OK(done) && !has_item(m, at, i.type, span_of(i.rdata, i.n)))
		m->zone[at].item[m->zone[at].count++] = i;
}

static void build(struct reader *r, struct model *m, struct anchors *a)
{
	unsigned int n = read8(r) % 24;

	while (n-- > 0) {
		unsigned int at = read8(r);

		if ((at & 0x80) != 0) {
			CHECK(OK(anchors_add_insecure(a, names[at % NAMES])));
			m->zone[at % NAMES].insecure = true;
		} else {
			add_item(r, a, m, at % NAMES);
		}
		CHECK(anchors_has(a, names[at % NAMES]) == (m->zone[at % NAMES].count > 0));
	}
	CHECK(OK(anchors_seal(a)));
}

static void check_find(const struct anchors *a, const struct ntas *n, const struct model *m, unsigned int at)
{
	int best = -1;
	enum anchor_kind kind = ANCHOR_NONE;
	struct anchor_found plain = anchors_find(a, names[at]), with = anchors_find_with(a, n, m->now, names[at]);

	for (unsigned int i = 0; i < NAMES; i++) {
		if (!name_is_under(names[at], names[i]) || (m->zone[i].count == 0 && !m->zone[i].insecure) || names[i].labels < best)
			continue;
		best = names[i].labels;
		kind = m->zone[i].count > 0 ? ANCHOR_KEYS : ANCHOR_INSECURE;
	}
	CHECK(plain.kind == kind && (kind == ANCHOR_NONE || plain.zone.labels == best) && (plain.keys != NULL) == (kind == ANCHOR_KEYS));
	for (size_t i = 0; plain.keys != NULL && i < anchor_zone_count(plain.keys); i++) {
		struct anchor_rr rr = anchor_zone_rr(plain.keys, i);

		for (unsigned int k = 0; k < NAMES; k++)
			if (name_equal(names[k], plain.zone))
				CHECK(has_item(m, k, rr.type, rr.rdata) && anchor_zone_count(plain.keys) == m->zone[k].count);
	}
	for (unsigned int i = 0; i < NAMES; i++) {
		if (name_is_under(names[at], names[i]) && m->until[i] > m->now && names[i].labels >= best) {
			best = names[i].labels;
			kind = ANCHOR_NEGATIVE;
		}
	}
	CHECK(with.kind == kind && (kind == ANCHOR_NONE || with.zone.labels == best));
}

static void check_list(const struct ntas *n, const struct model *m)
{
	size_t count = 0;

	for (unsigned int i = 0; i < NAMES; i++)
		count += m->until[i] != 0;
	CHECK(ntas_count(n) == count);
	for (size_t i = 0; i < count; i++) {
		int64_t until, other;
		struct name name = ntas_at(n, i, &until);

		CHECK(i == 0 || name_compare(ntas_at(n, i - 1, &other), name) < 0);
		for (unsigned int k = 0; k < NAMES; k++)
			if (name_equal(names[k], name))
				CHECK(m->until[k] == until);
	}
}

static size_t model_expire(struct model *m)
{
	size_t gone = 0;

	for (unsigned int i = 0; i < NAMES; i++) {
		if (m->until[i] != 0 && m->until[i] <= m->now) {
			m->until[i] = 0;
			gone++;
		}
	}
	return gone;
}

static void set_negative(struct reader *r, struct ntas *n, struct model *m, unsigned int at)
{
	uint8_t c = read8(r);
	uint32_t lifetime = c == 255 ? NTA_LIFETIME_MAX + 1u : c;
	struct result done = ntas_set(n, names[at], lifetime, m->now);
	size_t in_force = 0;

	if (lifetime == 0 || lifetime > NTA_LIFETIME_MAX) {
		CHECK(done.e == ERR_RANGE);
		return;
	}
	if (m->until[at] == 0) {
		for (unsigned int i = 0; i < NAMES; i++)
			in_force += m->until[i] != 0;
		if (in_force >= NTAS) /* those that have ended make room */
			in_force -= model_expire(m);
		CHECK(done.e == (in_force < NTAS ? ERR_NONE : ERR_LIMIT));
	}
	if (OK(done))
		m->until[at] = m->now + lifetime;
}

/* What is switched off is not used, and nothing else changes. */
static void check_policy(struct reader *r)
{
	struct algorithm_policy p = { { 0 }, { 0 } };
	uint8_t algorithm = read8(r), digest = read8(r);

	algorithm_switch_off(&p, algorithm);
	digest_switch_off(&p, digest);
	for (unsigned int i = 0; i < 256; i++) {
		CHECK(algorithm_usable(&p, (uint8_t)i) == (i != algorithm && algorithm_find((uint8_t)i) != NULL));
		CHECK(digest_usable(&p, (uint8_t)i) == (i != digest && digest_find((uint8_t)i) != NULL));
		CHECK(algorithm_usable(NULL, (uint8_t)i) == (algorithm_find((uint8_t)i) != NULL));
	}
}

/* The same tag by both functions, which have no common line. */
static void check_tag(struct span rest)
{
	CHECK(rest.n < 4 || rest.p[3] == 1 || dnskey_tag_of(rest) == dnskey_tag(rest));
}

/* Any octets as the first label of a question, and as key tags that are signalled. */
static void check_signals(struct span in)
{
	static const struct name names_of[2] = { { (const uint8_t *)"", 1, 0 }, { (const uint8_t *)"\7example", 9, 1 } };
	uint8_t wire[80];
	struct writer w = writer_of(wire, sizeof wire);
	uint16_t tags[40], tag = 0;
	char text[NAME_TEXT];
	struct name_buf n;
	enum sentinel s;
	size_t count = in.n / 2 < 40 ? in.n / 2 : 40;
	struct result r;

	if (in.n == 0)
		return;
	write8(&w, (uint8_t)(in.n < 63 ? in.n : 63));
	write_octets(&w, in.p, in.n < 63 ? in.n : 63);
	write8(&w, 0);
	s = sentinel_parse((struct name){ wire, (uint8_t)w.pos, 1 }, &tag);
	name_to_text((struct name){ wire, (uint8_t)w.pos, 1 }, text);
	if (s != SENTINEL_NONE) /* the text says so, too */
		CHECK(strncasecmp(text, s == SENTINEL_IS_TA ? "root-key-sentinel-is-ta-" : "root-key-sentinel-not-ta-", 24) == 0 && atoi(strrchr(text, '-') + 1) == tag);
	CHECK(sentinel_refuses(s, true) == (s == SENTINEL_NOT_TA) && sentinel_refuses(s, false) == (s == SENTINEL_IS_TA));
	for (size_t i = 0; i < count; i++)
		tags[i] = load16(in.p + 2 * i);
	r = ta_signal_name(names_of[in.p[0] & 1], tags, count, &n);
	CHECK(OK(r) || r.e == (count == 0 ? ERR_RANGE : ERR_SPACE));
	if (!OK(r))
		return;
	CHECK(n.b[0] % 5 == 3 && memcmp(n.b + 1, "_ta", 3) == 0 && n.labels == 1 + names_of[in.p[0] & 1].labels);
	for (size_t i = 0; i < count; i++) {
		char hex[8];

		(void)snprintf(hex, sizeof hex, "-%04x", tags[i]);
		CHECK(memmem(n.b + 1, n.b[0], hex, 5) != NULL);
	}
}

static void one_input(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	struct model m = { .now = 1000 };
	AUTO(anchors_free) struct anchors *a = anchors_new();
	AUTO(ntas_free) struct ntas *n = ntas_new(NTAS);

	CHECK(a != NULL && n != NULL);
	build(&r, &m, a);
	CHECK(anchors_digest(a) != NULL);
	check_tag(span_of(data, size < 2000 ? size : 2000));
	check_signals(span_of(data, size));
	check_policy(&r);
	for (unsigned int ops = 0; ops < MOST_OPS && !reader_end(&r); ops++) {
		uint8_t op = read8(&r);
		unsigned int at = read8(&r) % NAMES;

		switch (op & 3) {
		case 0:
			set_negative(&r, n, &m, at);
			break;
		case 1:
			CHECK(ntas_remove(n, names[at]) == (m.until[at] != 0));
			m.until[at] = 0;
			break;
		case 2:
			CHECK(ntas_expire(n, m.now) == model_expire(&m));
			break;
		default:
			m.now += op >> 2;
			break;
		}
		check_list(n, &m);
		for (unsigned int i = 0; i < NAMES; i++)
			check_find(a, n, &m, i);
	}
	for (unsigned int i = 0; i < NAMES; i++)
		check_find(a, n, &m, i);
}

KIT_TARGET(one_input)
