#include "dns/zonefile.h"

#include <errno.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "dns/rdata_parse.h"
#include "dns/words.h"

#define TTL_MAX 0x7fffffffu
#define MAX_OCTETS ((size_t)1 << 30)
#define GENERATED_TEXT 66000 /* octets of one record that $GENERATE makes */
#define WIDTH_MAX 1000       /* digits that ${,width} may ask for */
#define FOUND_MAX 60         /* octets of a word that a message shows */

/* What is true at one point of the text. */
struct context {
	struct name_buf origin;
	struct name_buf owner; /* of the record before */
	bool has_owner;
};

struct zone {
	const struct zone_read *z BORROWED_FIELD;
	struct strbuf *report BORROWED_FIELD;
	struct context at;
	uint32_t ttl;       /* for records that have none */
	bool ttl_is_default; /* $TTL was there: the record before does not count */
	uint16_t rclass;
	size_t octets_left;
	uint32_t generated_left;
	bool failed;        /* something was reported */
	uint8_t rdata[65535];
	char text[GENERATED_TEXT];
};

/* One file or text being read. */
struct source {
	struct zone *zone BORROWED_FIELD;
	const char *name BORROWED_FIELD;
	struct lexer l;
	unsigned int entry_line; /* where this entry started */
	unsigned int depth;      /* of $INCLUDE */
};

/* The head of a record and its rdata, once parsed. */
struct head {
	uint32_t ttl;
	bool ttl_given;
	bool class_given;
	uint16_t rclass;
	uint16_t type;
};

/* --- messages */

static void report_expected(struct source *s, const char *expected)
{
	struct strbuf *out = s->zone->report;
	bool open = s->l.p == s->l.end && s->l.depth > 0;
	struct span found = s->l.found;

	s->zone->failed = true;
	strbuf_printf(out, "%s:%u: found ", s->name, open ? s->entry_line : s->l.line);
	if (found.p == NULL) {
		strbuf_puts(out, "the end of the record");
	} else {
		text_quote((struct span){ found.p, found.n < FOUND_MAX ? found.n : FOUND_MAX }, out);
		if (found.n > FOUND_MAX)
			strbuf_puts(out, "...");
	}
	strbuf_printf(out, ", expected %s\n", expected);
}

/* A bad record does not end the reading; what is no fault of the text does. */
static RESULT report_result(struct source *s, struct result r, const char *expected)
{
	if (OK(r))
		return DONE;
	if (r.e == ERR_FORMAT || r.e == ERR_SPACE) {
		report_expected(s, expected);
		return DONE;
	}
	return r;
}

/* --- records */

static bool c_text(struct span w, char *buf, size_t cap)
{
	if (w.n == 0 || w.n >= cap || memchr(w.p, 0, w.n) != NULL)
		return false;
	memcpy(buf, w.p, w.n);
	buf[w.n] = '\0';
	return true;
}

static bool word_class(struct span w, uint16_t *ret)
{
	char text[16];
	uint16_t v;

	if (!c_text(w, text, sizeof text) || !OK(rrclass_parse(text, &v)) || v == CLASS_ANY || v == CLASS_NONE)
		return false;
	*ret = v;
	return true;
}

static bool word_type(struct span w, uint16_t *ret)
{
	char text[16];

	return c_text(w, text, sizeof text) && OK(rrtype_parse(text, ret));
}

/* [TTL] [class] type, in either order. w is the first word. */
static RESULT parse_head(struct lexer *l, struct word w, struct head *ret, const char **ret_msg)
{
	for (;;) {
		uint32_t ttl;
		enum lexed e;

		if (!ret->ttl_given && w.s.n != 0 && w.s.p[0] >= '0' && w.s.p[0] <= '9') {
			*ret_msg = "a TTL of at most 2147483647 seconds";
			if (!word_period(w.s, &ttl) || ttl > TTL_MAX)
				return FAIL(ERR_FORMAT);
			ret->ttl = ttl;
			ret->ttl_given = true;
		} else if (!ret->class_given && word_class(w.s, &ret->rclass)) {
			ret->class_given = true;
		} else if (word_type(w.s, &ret->type)) {
			*ret_msg = "a type of records, not of questions";
			return rrtype_is_meta(ret->type) ? FAIL(ERR_FORMAT) : DONE;
		} else {
			*ret_msg = "an RR type";
			return FAIL(ERR_FORMAT);
		}
		e = lexer_next(l, &w, ret_msg);
		if (e == LEX_END)
			*ret_msg = "an RR type";
		if (e != LEX_WORD)
			return FAIL(ERR_FORMAT);
	}
}

static RESULT deliver(struct zone *z, const struct head *h, struct span rdata)
{
	struct zone_rr rr = {
		.owner = name_of(&z->at.owner),
		.type = h->type,
		.rclass = h->rclass,
		.ttl = h->ttl,
		.ttl_given = h->ttl_given,
		.rdata = rdata,
	};

	if (h->ttl_given && !z->ttl_is_default)
		z->ttl = h->ttl; /* RFC 1035 section 5.1: the last stated one */
	z->rclass = h->rclass;
	return z->z->fn(z->z->user, &rr);
}

/* Type and rdata behind the owner, which has been set. */
static RESULT read_body(struct source *s, struct lexer *l, struct word w)
{
	struct zone *z = s->zone;
	struct head h = { .ttl = z->ttl, .rclass = z->rclass };
	struct writer rdata = writer_of(z->rdata, sizeof z->rdata);
	struct name origin = name_of(&z->at.origin);
	const char *msg = "";
	struct result r = parse_head(l, w, &h, &msg);

	if (OK(r))
		r = rdata_parse_words(h.type, l, &origin, &rdata, &msg);
	s->l.found = l->found;
	TRY(report_result(s, r, msg));
	return OK(r) ? deliver(z, &h, writer_done(&rdata)) : DONE;
}

static bool set_owner(struct zone *z, struct span w)
{
	struct name origin = name_of(&z->at.origin);

	if (!OK(name_from_text_n((const char *)w.p, w.n, &origin, &z->at.owner)))
		return false;
	z->at.has_owner = true;
	return true;
}

static RESULT read_record(struct source *s, bool blank, struct word w)
{
	const char *msg = "an RR type";
	enum lexed e = LEX_WORD;

	if (!blank) {
		if (w.quoted || !set_owner(s->zone, w.s)) {
			s->zone->at.has_owner = false; /* so that records below it are not given to another */
			report_expected(s, "a domain name");
			return DONE;
		}
		e = lexer_next(&s->l, &w, &msg);
	} else if (!s->zone->at.has_owner) {
		report_expected(s, "a record with an owner name before this one");
		return DONE;
	}
	if (e != LEX_WORD) {
		report_expected(s, msg);
		return DONE;
	}
	return read_body(s, &s->l, w);
}

/* --- directives */

/* The next word, or what was expected is reported. */
static bool next_word(struct source *s, const char *expected, struct word *ret)
{
	const char *msg = expected;

	if (lexer_next(&s->l, ret, &msg) == LEX_WORD)
		return true;
	report_expected(s, msg);
	return false;
}

static bool at_end(struct source *s)
{
	const char *msg = "the end of the line";
	struct word w;

	if (lexer_next(&s->l, &w, &msg) == LEX_END)
		return true;
	report_expected(s, msg);
	return false;
}

static void read_origin(struct source *s)
{
	struct name origin = name_of(&s->zone->at.origin);
	struct name_buf name;
	struct word w;

	if (!next_word(s, "a domain name", &w))
		return;
	if (!OK(name_from_text_n((const char *)w.s.p, w.s.n, &origin, &name)))
		report_expected(s, "a domain name");
	else if (at_end(s))
		s->zone->at.origin = name;
}

static void read_ttl(struct source *s)
{
	static const char what[] = "a TTL of at most 2147483647 seconds";
	struct word w;
	uint32_t ttl;

	if (!next_word(s, what, &w))
		return;
	if (!word_period(w.s, &ttl) || ttl > TTL_MAX) {
		report_expected(s, what);
	} else if (at_end(s)) {
		s->zone->ttl = ttl;
		s->zone->ttl_is_default = true;
	}
}

static RESULT read_path(struct zone *z, const char *path, unsigned int depth);

static RESULT include(struct source *s, struct span file, const struct name_buf *origin)
{
	struct zone *z = s->zone;
	struct context before = z->at;
	const char *dir = z->z->include_dir;
	AUTO_CHARS char *path = NULL;
	struct result r;

	if (dir != NULL && file.p[0] != '/')
		path = mem_printf("%s/%.*s", dir, (int)file.n, (const char *)file.p);
	else
		path = mem_strndup((const char *)file.p, file.n);
	if (path == NULL)
		return FAIL(ERR_NOMEM);
	z->at.origin = *origin;
	r = read_path(z, path, s->depth + 1);
	z->at = before;
	if (r.e == ERR_NOTFOUND || r.e == ERR_SYSTEM) {
		s->l.found = file;
		report_expected(s, "the name of a file that can be read");
		return DONE;
	}
	return r;
}

static RESULT read_include(struct source *s)
{
	struct zone *z = s->zone;
	struct name here = name_of(&z->at.origin);
	struct name_buf origin = z->at.origin;
	const char *msg = "the end of the line";
	struct word file;
	struct word w;
	enum lexed e;

	if (!next_word(s, "the name of a file", &file))
		return DONE;
	if (!z->z->allow_include || s->depth >= ZONE_INCLUDE_DEPTH) {
		report_expected(s, z->z->allow_include ? "files included less deeply" : "no $INCLUDE, which is not allowed here");
		return DONE;
	}
	if (file.s.n == 0 || file.s.n > 4095 || memchr(file.s.p, 0, file.s.n) != NULL) {
		report_expected(s, "the name of a file");
		return DONE;
	}
	e = lexer_next(&s->l, &w, &msg);
	if (e == LEX_WORD) {
		if (!OK(name_from_text_n((const char *)w.s.p, w.s.n, &here, &origin))) {
			report_expected(s, "a domain name");
			return DONE;
		}
		if (!at_end(s))
			return DONE;
	} else if (e == LEX_ERROR) {
		report_expected(s, msg);
		return DONE;
	}
	return include(s, file.s, &origin);
}

/* --- $GENERATE, as BIND has it: start-stop[/step], a name and a record with $ and ${offset[,width[,base]]} in them */

struct range {
	uint64_t from;
	uint64_t to;
	uint64_t step;
};

static bool parse_range(struct span w, struct range *ret)
{
	size_t dash = 0;
	size_t slash = 0;

	while (dash < w.n && w.p[dash] != '-')
		dash++;
	while (slash < w.n && w.p[slash] != '/')
		slash++;
	if (dash >= slash)
		return false;
	ret->step = 1;
	if (slash < w.n && !word_number((struct span){ w.p + slash + 1, w.n - slash - 1 }, INT32_MAX, &ret->step))
		return false;
	return word_number((struct span){ w.p, dash }, INT32_MAX, &ret->from) &&
	    word_number((struct span){ w.p + dash + 1, slash - dash - 1 }, INT32_MAX, &ret->to) && ret->step != 0 && ret->from <= ret->to;
}

struct modifier {
	int64_t offset;
	uint64_t width;
	char base;
};

/* What is between the braces. */
static bool parse_modifier(struct span m, struct modifier *ret)
{
	struct span part[3] = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
	size_t n = 0;
	size_t start = 0;
	uint64_t offset;
	bool negative;

	for (size_t i = 0; i <= m.n; i++)
		if (i == m.n || m.p[i] == ',') {
			if (n == 3)
				return false;
			part[n++] = (struct span){ m.p + start, i - start };
			start = i + 1;
		}
	negative = part[0].n != 0 && part[0].p[0] == '-';
	if (part[0].n != 0 && (negative || part[0].p[0] == '+'))
		part[0] = (struct span){ part[0].p + 1, part[0].n - 1 };
	if (!word_number(part[0], INT32_MAX, &offset) || (n > 1 && !word_number(part[1], WIDTH_MAX, &ret->width)))
		return false;
	ret->offset = negative ? -(int64_t)offset : (int64_t)offset;
	if (n == 3)
		ret->base = part[2].n == 1 ? (char)part[2].p[0] : '?';
	return memchr("doxXnN", ret->base, 6) != NULL;
}

/* Nibbles with dots between, the last one first; the width counts the dots. */
static void put_nibbles(uint64_t v, uint64_t width, const char *digit, struct writer *w)
{
	do {
		write8(w, (uint8_t)digit[v & 15]);
		v >>= 4;
		width -= width > 0;
		if (width > 0 || v != 0) {
			write8(w, '.');
			width -= width > 0;
		}
	} while (v != 0 || width > 0);
}

static bool put_value(uint64_t i, const struct modifier *m, struct writer *w)
{
	const char *digit = m->base == 'X' || m->base == 'N' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned int base = m->base == 'd' ? 10 : m->base == 'o' ? 8 : 16;
	int64_t sum = (int64_t)i + m->offset;
	uint64_t v = (uint64_t)sum;
	char text[24];
	size_t n = sizeof text;

	if (sum < 0)
		return false;
	if (m->base == 'n' || m->base == 'N') {
		put_nibbles(v, m->width, digit, w);
		return true;
	}
	do
		text[--n] = digit[v % base];
	while ((v /= base) != 0);
	for (size_t pad = sizeof text - n; pad < m->width; pad++)
		write8(w, '0');
	write_octets(w, text + n, sizeof text - n);
	return true;
}

/* The template with i in the place of its dollars. */
static bool expand(struct span t, uint64_t i, struct writer *w)
{
	for (size_t at = 0; at < t.n; at++) {
		struct modifier m = { 0, 0, 'd' };
		size_t end;

		if (t.p[at] == '\\' && at + 1 < t.n) {
			write8(w, t.p[at++]);
			write8(w, t.p[at]);
		} else if (t.p[at] != '$') {
			write8(w, t.p[at]);
		} else if (at + 1 < t.n && t.p[at + 1] == '$') {
			at++;
			write_octets(w, "\\$", 2);
		} else if (at + 1 < t.n && t.p[at + 1] == '{') {
			for (end = at + 2; end < t.n && t.p[end] != '}'; end++)
				;
			if (end == t.n || !parse_modifier((struct span){ t.p + at + 2, end - at - 2 }, &m) || !put_value(i, &m, w))
				return false;
			at = end;
		} else if (!put_value(i, &m, w)) {
			return false;
		}
	}
	return writer_ok(w);
}

static RESULT generate_one(struct source *s, struct span owner, struct span body, unsigned int depth, uint64_t i)
{
	struct zone *z = s->zone;
	struct writer w = writer_of(z->text, sizeof z->text);
	const char *msg = "an RR type";
	struct lexer l;
	struct word first;
	size_t owner_end;

	if (!expand(owner, i, &w) || !set_owner(z, writer_done(&w))) {
		report_expected(s, "a name in which $ and ${offset,width,base} give a domain name");
		return DONE;
	}
	owner_end = w.pos;
	if (!expand(body, i, &w)) {
		report_expected(s, "a record with $ and ${offset,width,base}");
		return DONE;
	}
	if (z->generated_left == 0 || w.pos > z->octets_left) {
		report_expected(s, "less that $GENERATE makes");
		return FAIL(ERR_LIMIT);
	}
	z->generated_left--;
	z->octets_left -= w.pos;
	l = lexer_of((struct span){ w.base + owner_end, w.pos - owner_end });
	l.depth = depth;
	if (lexer_next(&l, &first, &msg) != LEX_WORD) {
		report_expected(s, msg);
		return DONE;
	}
	return read_body(s, &l, first);
}

static RESULT read_generate(struct source *s)
{
	struct zone *z = s->zone;
	struct range range;
	struct word w;
	struct word owner;
	struct span body;
	const char *start;
	const char *msg = NULL;
	unsigned int depth;
	enum lexed e;

	if (!next_word(s, "a range as START-STOP[/STEP]", &w))
		return DONE;
	if (!parse_range(w.s, &range)) {
		report_expected(s, "a range as START-STOP[/STEP]");
		return DONE;
	}
	if (!next_word(s, "a name", &owner))
		return DONE;
	start = s->l.p;
	depth = s->l.depth;
	while ((e = lexer_next(&s->l, &w, &msg)) == LEX_WORD)
		;
	if (e == LEX_ERROR) {
		report_expected(s, msg);
		return DONE;
	}
	body = span_of(start, (size_t)(s->l.p - start));
	for (uint64_t i = range.from; i <= range.to; i += range.step) {
		bool failed = z->failed;

		z->failed = false;
		TRY(generate_one(s, owner.s, body, depth, i));
		if (z->failed)
			return DONE; /* one message is enough */
		z->failed = failed;
	}
	return DONE;
}

static RESULT read_directive(struct source *s, struct span w)
{
	if (word_is(w, "$ORIGIN")) {
		read_origin(s);
	} else if (word_is(w, "$TTL")) {
		read_ttl(s);
	} else if (word_is(w, "$INCLUDE")) {
		return read_include(s);
	} else if (word_is(w, "$GENERATE")) {
		return read_generate(s);
	} else {
		report_expected(s, "$ORIGIN, $TTL, $INCLUDE or $GENERATE");
	}
	return DONE;
}

/* --- texts and files */

static RESULT read_entry(struct source *s)
{
	const char *msg = NULL;
	bool blank = lexer_at_blank(&s->l);
	struct word w;

	s->entry_line = s->l.line;
	switch (lexer_next(&s->l, &w, &msg)) {
	case LEX_END:
		return DONE;
	case LEX_ERROR:
		report_expected(s, msg);
		return DONE;
	default:
		break;
	}
	if (!blank && !w.quoted && w.s.p[0] == '$')
		return read_directive(s, w.s);
	return read_record(s, blank, w);
}

static RESULT read_source(struct zone *z, const char *name, struct span text, unsigned int depth)
{
	struct source s = { .zone = z, .name = name, .l = lexer_of(text), .depth = depth };

	if (text.n > z->octets_left)
		return FAIL(ERR_LIMIT);
	z->octets_left -= text.n;
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) /* an editor's mark */
		s.l.p += 3;
	do
		TRY(read_entry(&s));
	while (lexer_next_entry(&s.l));
	return DONE;
}

static RESULT read_path(struct zone *z, const char *path, unsigned int depth)
{
	AUTO_CHARS char *text = NULL;
	size_t n = 0;

	TRY(file_read_all(path, z->octets_left, &text, &n));
	return read_source(z, path, span_of(text, n), depth);
}

static void zone_free(struct zone *zone) TAKES(1);
static void zone_free(struct zone *zone)
{
	mem_free(zone);
}
DEFINE_AUTO(struct zone, zone_free)

static struct zone *zone_new(const struct zone_read *z, struct strbuf *report) OWNED_BY(zone_free);
static struct zone *zone_new(const struct zone_read *z, struct strbuf *report)
{
	AUTO(zone_free) struct zone *zone = (struct zone *)mem_alloc(sizeof *zone);

	if (zone == NULL)
		return NULL;
	zone->z = z;
	zone->report = report;
	name_copy(&zone->at.origin, z->origin.wire != NULL ? z->origin : name_root);
	zone->ttl = z->default_ttl;
	zone->rclass = z->rclass != 0 ? z->rclass : CLASS_IN;
	zone->octets_left = z->max_octets != 0 ? z->max_octets : MAX_OCTETS;
	zone->generated_left = z->max_generated != 0 ? z->max_generated : ZONE_GENERATED;
	return MOVE(zone);
}

static RESULT finish(const struct zone *zone, const char *name, struct result r)
{
	if (r.e == ERR_LIMIT)
		strbuf_printf(zone->report, "%s: more text than is allowed\n", name);
	if (OK(r) && zone->failed)
		return FAIL(ERR_FORMAT);
	return r;
}

RESULT zone_read_text(const struct zone_read *z, struct span text, struct strbuf *report)
{
	const char *name = z->origin_text != NULL ? z->origin_text : "text";
	AUTO(zone_free) struct zone *zone = zone_new(z, report);

	if (zone == NULL)
		return FAIL(ERR_NOMEM);
	return finish(zone, name, read_source(zone, name, text, 0));
}

RESULT zone_read_file(const struct zone_read *z, const char *path, struct strbuf *report)
{
	AUTO(zone_free) struct zone *zone = zone_new(z, report);
	struct result r;

	if (zone == NULL)
		return FAIL(ERR_NOMEM);
	r = read_path(zone, path, 0);
	if (r.e == ERR_NOTFOUND || r.e == ERR_SYSTEM)
		strbuf_printf(report, "%s: %s\n", path, r.e == ERR_SYSTEM ? strerror(errno) : "no such file");
	return finish(zone, path, r);
}

RESULT zone_read_rr(const char *text, struct name origin, uint32_t default_ttl, struct name_buf *ret_owner, struct zone_rr *ret_rr,
    struct writer *rdata_room, const char **ret_msg)
{
	struct lexer l = lexer_of(span_text(text));
	struct head h = { .ttl = default_ttl, .rclass = CLASS_IN };
	struct name_buf owner;
	size_t start = rdata_room->pos;
	const char *msg = "a record: name, TTL, class, type and data";
	struct word w;

	*ret_msg = msg;
	if (lexer_next(&l, &w, ret_msg) != LEX_WORD)
		return FAIL(ERR_FORMAT);
	*ret_msg = "a domain name";
	if (w.quoted || !OK(name_from_text_n((const char *)w.s.p, w.s.n, &origin, &owner)))
		return FAIL(ERR_FORMAT);
	*ret_msg = "an RR type";
	if (lexer_next(&l, &w, ret_msg) != LEX_WORD)
		return FAIL(ERR_FORMAT);
	TRY(parse_head(&l, w, &h, ret_msg));
	TRY(rdata_parse_words(h.type, &l, &origin, rdata_room, ret_msg));
	if (!lexer_is_last(&l)) {
		writer_rewind(rdata_room, start);
		*ret_msg = "one record only";
		return FAIL(ERR_FORMAT);
	}
	name_copy(ret_owner, name_of(&owner));
	*ret_rr = (struct zone_rr){
		.owner = name_of(ret_owner),
		.type = h.type,
		.rclass = h.rclass,
		.ttl = h.ttl,
		.ttl_given = h.ttl_given,
		.rdata = { rdata_room->base + start, rdata_room->pos - start },
	};
	return DONE;
}
