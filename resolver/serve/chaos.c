#include "resolver/serve/chaos.h"

#include <stdio.h>

#include "base/arena.h"
#include "dns/rrtype.h"
#include "validator/anchors.h"

enum subject { IDENTITY, VERSION, ANCHORS };

static const struct {
	const char *name BORROWED_FIELD; /* static text */
	enum subject subject;
} names[] = {
	{ "id.server.", IDENTITY },
	{ "hostname.bind.", IDENTITY },
	{ "version.server.", VERSION },
	{ "version.bind.", VERSION },
	{ "trustanchor.cairn.", ANCHORS },
	{ "trustanchor.unbound.", ANCHORS },
};

static bool is_named(struct name n, const char *text)
{
	struct name_buf nb;

	return OK(name_from_text(text, NULL, &nb)) && name_equal(n, name_of(&nb));
}

static bool texts_answer(const struct question *q, const struct span *rdata, size_t n, struct arena *a, struct answer *ret)
{
	struct answer_set *set = arena_alloc(a, sizeof *set);

	if (set == NULL)
		return false;
	*ret = (struct answer){ .q = *q, .rcode = RCODE_NOERROR, .sets = set };
	if (n == 0)
		return true;
	*set = (struct answer_set){ .rs = rrset_make_in(a, q->name, RR_TXT, CLASS_CH, 0, rdata, n, 0) };
	ret->answer_count = 1;
	return set->rs != NULL;
}

static bool text_rdata(const char *text, struct arena *a, struct span *ret)
{
	size_t n = strlen(text);
	uint8_t *octets = arena_alloc(a, n + 1);

	if (octets == NULL || n > UINT8_MAX)
		return false;
	octets[0] = (uint8_t)n;
	memcpy(octets + 1, text, n);
	*ret = span_of(octets, n + 1);
	return true;
}

static bool text_answer(const struct question *q, const char *text, struct arena *a, struct answer *ret)
{
	struct span rdata;

	return text_rdata(text, a, &rdata) && texts_answer(q, &rdata, 1, a, ret);
}

/* "zone. tag tag ...", as many as one string holds. */
static void anchor_text(struct anchor_found f, char to[UINT8_MAX + 1])
{
	char name[NAME_TEXT];
	int n = snprintf(to, UINT8_MAX + 1, "%.200s", name_to_text(f.zone, name));

	for (size_t i = 0; i < anchor_zone_count(f.keys) && n > 0 && n < UINT8_MAX - 6; i++) {
		struct anchor_rr rr = anchor_zone_rr(f.keys, i);

		n += snprintf(to + n, (size_t)(UINT8_MAX + 1 - n), " %u", (unsigned int)(rr.type == RR_DS ? load16(rr.rdata.p) : dnskey_tag_of(rr.rdata)));
	}
}

static bool anchors_answer(const struct question *q, const struct anchors *anchors, struct arena *a, struct answer *ret)
{
	size_t zones = anchors != NULL ? anchors_zones(anchors) : 0, n = 0;
	struct span *rdata = arena_alloc_array(a, zones + 1, sizeof *rdata);

	if (rdata == NULL)
		return false;
	for (size_t i = 0; i < zones; i++) {
		struct anchor_found f = anchors_zone_at(anchors, i);
		char text[UINT8_MAX + 1];

		if (f.kind != ANCHOR_KEYS)
			continue;
		anchor_text(f, text);
		if (!text_rdata(text, a, &rdata[n++]))
			return false;
	}
	return texts_answer(q, rdata, n, a, ret);
}

enum chaos chaos_answer(const struct serve_settings *s, const struct anchors *anchors, const struct question *q, struct arena *a, struct answer *ret_answer)
{
	bool made = false;

	if (q->type != RR_TXT && q->type != RR_ANY)
		return CHAOS_OTHER;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!is_named(q->name, names[i].name))
			continue;
		switch (names[i].subject) {
		case IDENTITY:
			if (s->hide_identity)
				return CHAOS_HIDDEN;
			made = text_answer(q, s->identity, a, ret_answer);
			break;
		case VERSION:
			if (s->hide_version)
				return CHAOS_HIDDEN;
			made = text_answer(q, s->version, a, ret_answer);
			break;
		case ANCHORS:
			if (s->hide_trustanchor)
				return CHAOS_HIDDEN;
			made = anchors_answer(q, anchors, a, ret_answer);
			break;
		}
		return made ? CHAOS_ANSWER : CHAOS_OTHER;
	}
	return CHAOS_OTHER;
}
