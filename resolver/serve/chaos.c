#include "resolver/serve/chaos.h"

#include "base/arena.h"
#include "dns/rrtype.h"

static const struct {
	const char *name BORROWED_FIELD; /* static text */
	bool version;
} names[] = {
	{ "id.server.", false },
	{ "hostname.bind.", false },
	{ "version.server.", true },
	{ "version.bind.", true },
};

static bool is_named(struct name n, const char *text)
{
	struct name_buf nb;

	return OK(name_from_text(text, NULL, &nb)) && name_equal(n, name_of(&nb));
}

static bool text_answer(const struct question *q, const char *text, struct arena *a, struct answer *ret)
{
	size_t n = strlen(text);
	uint8_t *octets = arena_alloc(a, n + 1);
	struct answer_set *set = arena_alloc(a, sizeof *set);
	struct span rdata;

	if (octets == NULL || set == NULL)
		return false;
	octets[0] = (uint8_t)n;
	memcpy(octets + 1, text, n);
	rdata = span_of(octets, n + 1);
	set->rs = rrset_make_in(a, q->name, RR_TXT, CLASS_CH, 0, &rdata, 1, 0);
	if (set->rs == NULL)
		return false;
	*ret = (struct answer){ .q = *q, .rcode = RCODE_NOERROR, .sets = set, .answer_count = 1 };
	return true;
}

enum chaos chaos_answer(const struct serve_settings *s, const struct question *q, struct arena *a, struct answer *ret_answer)
{
	if (q->type != RR_TXT && q->type != RR_ANY)
		return CHAOS_OTHER;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!is_named(q->name, names[i].name))
			continue;
		if (names[i].version ? s->hide_version : s->hide_identity)
			return CHAOS_HIDDEN;
		return text_answer(q, names[i].version ? s->version : s->identity, a, ret_answer) ? CHAOS_ANSWER : CHAOS_OTHER;
	}
	return CHAOS_OTHER;
}
