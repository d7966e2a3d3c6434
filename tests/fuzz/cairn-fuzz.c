/* The functions of cairn-fuzz.h, by way of the libraries' own. */
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/parse.h"
#include "dns/build.h"
#include "dns/msg.h"
#include "dns/zonefile.h"
#include "resolver/core/scrub.h"
#include "resolver/core/settings.h"
#include "tests/fuzz/cairn-fuzz.h"

#define TEXT_MAX ((size_t)16 << 20)
#define ARENA_MAX ((size_t)64 << 20)

static long refusal(struct result r)
{
	switch (r.e) {
	case ERR_NOMEM:
		return CAIRN_FUZZ_MEMORY;
	case ERR_LIMIT:
	case ERR_SPACE:
		return CAIRN_FUZZ_LIMIT;
	default:
		return CAIRN_FUZZ_REFUSED;
	}
}

static long give(struct span from, void *out, size_t cap)
{
	size_t n = from.n < cap ? from.n : cap;

	if (n > 0)
		memcpy(out, from.p, n);
	return (long)from.n;
}

/* With a NUL behind it: one octet of cap is the NUL's, unless there is none at all. */
static long give_text(const struct strbuf *b, char *out, size_t cap)
{
	size_t n = strbuf_len(b);
	struct result r = strbuf_result(b);

	if (!OK(r))
		return refusal(r);
	if (cap > 0) {
		size_t part = n < cap ? n : cap - 1;

		memcpy(out, strbuf_text(b), part);
		out[part] = '\0';
	}
	return (long)n;
}

int cairn_fuzz_version(void)
{
	return CAIRN_FUZZ_VERSION;
}

unsigned long cairn_fuzz_live(void)
{
	return (unsigned long)mem_usage().objects;
}

long cairn_fuzz_message_text(const uint8_t *packet, size_t n, char *out, size_t cap)
{
	AUTO(arena_free) struct arena *a = arena_new(ARENA_MAX);
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);
	struct result r;
	struct msg m;

	if (a == NULL || text == NULL)
		return CAIRN_FUZZ_MEMORY;
	r = msg_read(a, span_of(packet, n), NULL, &m);
	if (!OK(r))
		return refusal(r);
	msg_print(&m, text);
	return give_text(text, out, cap);
}

static bool build_section(struct builder *b, enum msg_part part, const struct msg_section *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (!build_rrset(b, part, s->sets[i], s->sets[i]->ttl, true, 0))
			return false;
	return true;
}

static bool build_edns(struct builder *b, const struct msg *m)
{
	struct edns_out e = { m->edns.udp_size, m->rcode, m->edns.dnssec_ok, m->edns.compact_ok };
	struct reader options = reader_of(m->edns.options);
	struct span value;
	uint16_t code;

	build_edns_start(b, &e);
	while (edns_next_option(&options, &code, &value))
		if (!build_edns_option(b, code, value))
			return false;
	return true;
}

long cairn_fuzz_message_wire(const uint8_t *packet, size_t n, uint8_t *out, size_t cap)
{
	AUTO(arena_free) struct arena *a = arena_new(ARENA_MAX);
	uint8_t *room = NULL; /* of the arena */
	struct builder b;
	struct result r;
	struct msg m;
	size_t len;

	if (a == NULL)
		return CAIRN_FUZZ_MEMORY;
	r = msg_read(a, span_of(packet, n), NULL, &m);
	if (!OK(r))
		return refusal(r);
	room = arena_alloc(a, MSG_MAX);
	if (room == NULL)
		return CAIRN_FUZZ_MEMORY;
	build_start(&b, room, MSG_MAX, MSG_MAX, 0, m.id, m.flags);
	if (m.has_question)
		build_question(&b, &m.q);
	if (!build_section(&b, PART_ANSWER, &m.answer) || !build_section(&b, PART_AUTHORITY, &m.authority) ||
	    !build_section(&b, PART_ADDITIONAL, &m.additional) || (m.edns.present && !build_edns(&b, &m)))
		return CAIRN_FUZZ_LIMIT;
	len = build_finish(&b);
	return len == 0 ? CAIRN_FUZZ_LIMIT : give(span_of(room, len), out, cap);
}

long cairn_fuzz_name_text(const uint8_t *wire, size_t n, char *out, size_t cap)
{
	char buf[NAME_TEXT];
	struct name name;
	struct result r = name_from_wire(span_of(wire, n), &name);
	size_t len;

	if (!OK(r))
		return refusal(r);
	len = strlen(name_to_text(name, buf));
	(void)give(span_of(buf, len + 1), out, cap);
	return (long)len;
}

long cairn_fuzz_name_wire(const char *text, size_t n, uint8_t *out, size_t cap)
{
	struct name_buf name;
	struct result r = name_from_text_n(n > 0 ? text : "", n, NULL, &name);

	return OK(r) ? give(span_of(name.b, name.len), out, cap) : refusal(r);
}

long cairn_fuzz_rdata_text(uint16_t type, const uint8_t *rdata, size_t n, char *out, size_t cap)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);
	struct result r;

	if (text == NULL)
		return CAIRN_FUZZ_MEMORY;
	if (n > UINT16_MAX)
		return CAIRN_FUZZ_REFUSED;
	r = rdata_check(type, span_of(rdata, n));
	if (!OK(r))
		return refusal(r);
	rdata_print(type, span_of(rdata, n), text);
	return give_text(text, out, cap);
}

long cairn_fuzz_rdata_wire(uint16_t type, const char *text, size_t n, uint8_t *out, size_t cap)
{
	AUTO_CHARS char *whole = mem_strndup(n > 0 ? text : "", n);
	uint8_t room[UINT16_MAX];
	struct writer w = writer_of(room, sizeof room);
	const char *msg;
	struct result r;

	if (whole == NULL)
		return CAIRN_FUZZ_MEMORY;
	if (strlen(whole) != n)
		return CAIRN_FUZZ_REFUSED;
	r = rdata_parse(type, whole, NULL, &w, &msg);
	if (!OK(r))
		return refusal(r);
	return writer_ok(&w) ? give(span_of(room, w.pos), out, cap) : CAIRN_FUZZ_LIMIT;
}

static RESULT print_rr(void *user, const struct zone_rr *rr)
{
	struct strbuf *out = user;
	char owner[NAME_TEXT], type[RRTYPE_TEXT], rclass[RRTYPE_TEXT];

	strbuf_printf(out, "%s %u %s %s ", name_to_text(rr->owner, owner), rr->ttl, rrclass_text(rr->rclass, rclass), rrtype_text(rr->type, type));
	rdata_print(rr->type, rr->rdata, out);
	strbuf_putc(out, '\n');
	return strbuf_result(out);
}

static unsigned int lines_of(const char *text)
{
	unsigned int n = 0;

	for (const char *p = strchr(text, '\n'); p != NULL; p = strchr(p + 1, '\n'))
		n++;
	return n;
}

long cairn_fuzz_zone_text(const char *text, size_t n, char *out, size_t cap, unsigned int *ret_errors)
{
	AUTO(strbuf_free) struct strbuf *lines = strbuf_new(TEXT_MAX);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(TEXT_MAX);
	struct zone_read z = { .origin_text = "input", .origin = name_root, .default_ttl = 3600, .rclass = CLASS_IN, .max_octets = TEXT_MAX, .max_generated = 10000,
		.fn = print_rr, .user = lines };
	struct result r;

	if (lines == NULL || report == NULL)
		return CAIRN_FUZZ_MEMORY;
	r = zone_read_text(&z, span_of(text, n), report);
	if (ret_errors != NULL)
		*ret_errors = lines_of(strbuf_text(report));
	return OK(r) || r.e == ERR_FORMAT ? give_text(lines, out, cap) : refusal(r);
}

static RESULT no_file(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_n)
{
	(void)ctx;
	(void)path;
	(void)max;
	(void)ret_text;
	(void)ret_n;
	return FAIL(ERR_NOTFOUND);
}

static RESULT no_match(void *ctx, const char *pattern, struct conf_names *names)
{
	(void)ctx;
	(void)pattern;
	(void)names;
	return DONE;
}

long cairn_fuzz_conf_text(const char *text, size_t n, char *out, size_t cap)
{
	AUTO(strbuf_free) struct strbuf *lines = strbuf_new(TEXT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_files files = { NULL, no_file, no_match };
	struct conf_counts counts;
	struct result r;

	if (lines == NULL)
		return CAIRN_FUZZ_MEMORY;
	r = conf_parse(span_of(text, n), "input", &files, NULL, &counts, &c);
	if (OK(r))
		r = conf_print(c, lines);
	return OK(r) ? give_text(lines, out, cap) : refusal(r);
}

static void print_sets(struct strbuf *out, const char *section, const struct scrub_sets *s)
{
	for (size_t i = 0; i < s->count; i++) {
		char owner[NAME_TEXT], type[RRTYPE_TEXT];

		strbuf_printf(out, "%s %s %s %u\n", section, name_to_text(rrset_name(s->sets[i]), owner), rrtype_text(s->sets[i]->type, type), s->sets[i]->count);
	}
}

long cairn_fuzz_reply_text(const uint8_t *zone, size_t zone_n, const uint8_t *packet, size_t n, char *out, size_t cap)
{
	AUTO(arena_free) struct arena *a = arena_new(ARENA_MAX);
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);
	struct core_settings set = {
		.ipv4 = true, .ipv6 = true, .max_ns = 20, .max_chain = 11, .max_rrsigs = 8, .max_ttl = 86400, .max_negative_ttl = 3600, .harden_glue = true,
	};
	struct scrub_request request = { .settings = &set };
	struct scrubbed s;
	struct result r;
	struct msg m;

	if (a == NULL || text == NULL)
		return CAIRN_FUZZ_MEMORY;
	r = name_from_wire(span_of(zone, zone_n), &request.zone);
	if (OK(r))
		r = msg_read(a, span_of(packet, n), NULL, &m);
	if (!OK(r))
		return refusal(r);
	if (!m.has_question || !name_is_under(m.q.name, request.zone))
		return CAIRN_FUZZ_REFUSED;
	request.q = m.q;
	r = scrub_reply(a, &request, &m, &s);
	if (!OK(r))
		return refusal(r);
	strbuf_printf(text, "%s\n", reply_kind_text(s.kind));
	print_sets(text, "answer", &s.answer);
	print_sets(text, "authority", &s.authority);
	print_sets(text, "additional", &s.additional);
	return give_text(text, out, cap);
}
