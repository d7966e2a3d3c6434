/* slurm_read.c: one SLURM file into filters and assertions. Every member is looked for by name, and members that the RFC does not define are errors (section 3.2). */
#include <stdarg.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/mem.h"
#include "rpki/routes/raw.h"
#include "rpki/serve/json.h"
#include "rpki/serve/slurm_inside.h"

#define FILTERS "validationOutputFilters"
#define ASSERTIONS "locallyAddedAssertions"
#define SHOWN 40 /* octets of a value that a message shows */

void slurm_work_done(struct slurm_work *w)
{
	table_builder_free(MOVE(w->any));
	table_builder_free(MOVE(w->one));
	table_builder_free(MOVE(w->asserted));
	mem_free(MOVE(w->prefixes));
	mem_free(MOVE(w->router_asns.v));
	mem_free(MOVE(w->customers.v));
}

void slurm_finding(struct slurm_work *w, const char *place, const char *fmt, ...)
{
	va_list ap;

	if (++w->findings > SLURM_FINDINGS_MAX)
		return;
	strbuf_printf(w->report, "%s: ", w->file);
	if (w->section != NULL)
		strbuf_printf(w->report, "%s", w->section);
	if (w->list != NULL)
		strbuf_printf(w->report, ".%s[%zu]", w->list, w->item);
	if (place != NULL)
		strbuf_printf(w->report, "%s%s", w->section != NULL ? "." : "", place);
	if (place != NULL || w->section != NULL)
		strbuf_puts(w->report, ": ");
	va_start(ap, fmt);
	strbuf_vprintf(w->report, fmt, ap);
	va_end(ap);
	strbuf_putc(w->report, '\n');
}

static void note(struct slurm_work *w, struct result r)
{
	if (!OK(r) && w->failed == ERR_NONE)
		w->failed = r.e;
}

/* --------------------------------------------------------------------------------------------------------- single values */

static void expect_type(struct slurm_work *w, const char *place, const struct json *found, const char *expected)
{
	slurm_finding(w, place, "found %s, expected %s", json_type_text(found), expected);
}

static bool is(const struct json *j, enum json_type t)
{
	return j != NULL && j->type == t;
}

/* A member that may be absent: *ret_there says whether it is. */
static bool read_number(struct slurm_work *w, const struct json *o, const char *name, uint32_t max, bool *ret_there, uint32_t *ret)
{
	const struct json *v = json_member(o, name);

	*ret_there = v != NULL;
	if (v == NULL)
		return true;
	if (!is(v, JSON_INTEGER) || v->number < 0 || v->number > max) {
		if (is(v, JSON_INTEGER))
			slurm_finding(w, name, "found %lld, expected 0 to %u", (long long)v->number, max);
		else
			expect_type(w, name, v, "a whole number");
		return false;
	}
	*ret = (uint32_t)v->number;
	return true;
}

static bool read_prefix(struct slurm_work *w, const struct json *o, bool *ret_there, struct prefix *ret)
{
	const struct json *v = json_member(o, "prefix");
	const char *text;
	struct result r;

	*ret_there = v != NULL;
	if (v == NULL)
		return true;
	if (!is(v, JSON_STRING)) {
		expect_type(w, "prefix", v, "a prefix as text");
		return false;
	}
	text = v->text;
	r = strchr(text, '/') != NULL ? prefix_parse(text, ret) : FAIL(ERR_FORMAT);
	if (!OK(r)) {
		slurm_finding(w, "prefix", "found \"%.*s\", expected %s", SHOWN, text,
			r.e == ERR_RANGE ? "no bits behind the length" : "ADDRESS/LENGTH");
		return false;
	}
	return true;
}

/* Base64 for URLs without padding (RFC 8416 sections 3.3.2 and 3.4.2); the usual digits and padding are taken too. */
static bool base64_decode(const char *text, struct writer *w)
{
	struct base64 b = { .form = BASE64_URL | BASE64_UNPADDED };

	return base64_read(&b, span_text(text), w) && base64_end(&b);
}

static bool read_ski(struct slurm_work *w, const struct json *o, bool *ret_there, uint8_t ski[PAYLOAD_SKI])
{
	const struct json *v = json_member(o, "SKI");
	struct writer to = writer_of(ski, PAYLOAD_SKI);

	*ret_there = v != NULL;
	if (v == NULL)
		return true;
	if (!is(v, JSON_STRING)) {
		expect_type(w, "SKI", v, "a key identifier in base64");
		return false;
	}
	if (!base64_decode(v->text, &to) || to.pos != PAYLOAD_SKI) {
		slurm_finding(w, "SKI", "found \"%.*s\", expected %d octets in base64", SHOWN, v->text, PAYLOAD_SKI);
		return false;
	}
	return true;
}

static const char *comment_of(struct slurm_work *w, const struct json *o)
{
	const struct json *v = json_member(o, "comment");

	if (v != NULL && !is(v, JSON_STRING))
		expect_type(w, "comment", v, "a string");
	return is(v, JSON_STRING) ? v->text : NULL;
}

/* No other members than those named. */
static void only(struct slurm_work *w, const struct json *o, const char *const *names, size_t n)
{
	for (const struct json *m = o->child; m != NULL; m = m->next) {
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known |= strcmp(m->key, names[i]) == 0;
		if (!known)
			slurm_finding(w, NULL, "found the member \"%.*s\", expected no such", SHOWN, m->key);
	}
}
#define ONLY(w, o, ...) \
	do { \
		static const char *const names_[] = { __VA_ARGS__ }; \
		only((w), (o), names_, sizeof names_ / sizeof names_[0]); \
	} while (0)

/* ------------------------------------------------------------------------------------------------------ filters and scopes */

static void number_scope(struct slurm_work *w, struct number_scopes *list, uint32_t number)
{
	void *p = list->v;
	struct result r = raw_grow(&p, list->n, 1, &list->room, sizeof *list->v);

	list->v = (struct number_scope *)p;
	note(w, r);
	if (OK(r))
		list->v[list->n++] = (struct number_scope){ number, w->file_number };
}

static void prefix_scope(struct slurm_work *w, const struct prefix *p)
{
	void *room = w->prefixes;
	struct result r = raw_grow(&room, w->nprefixes, 1, &w->room_prefixes, sizeof *w->prefixes);

	w->prefixes = (struct prefix_scope *)room;
	note(w, r);
	if (OK(r))
		w->prefixes[w->nprefixes++] = (struct prefix_scope){ *p, w->file_number };
}

static void number_add(struct slurm_work *w, struct numbers *list, uint32_t number)
{
	void *p = list->v;
	struct result r = raw_grow(&p, list->n, 1, &list->room, sizeof *list->v);

	list->v = (uint32_t *)p;
	note(w, r);
	if (OK(r))
		list->v[list->n++] = number;
}

/* RFC 8416 section 3.3.1 */
static void prefix_filter(struct slurm_work *w, const struct json *o)
{
	struct prefix p = { .len = 0 };
	struct vrp v = { .asn = 0 };
	uint32_t asn = 0;
	bool has_prefix, has_asn;

	ONLY(w, o, "prefix", "asn", "comment");
	(void)comment_of(w, o);
	if (!read_prefix(w, o, &has_prefix, &p) || !read_number(w, o, "asn", UINT32_MAX, &has_asn, &asn))
		return;
	if (!has_prefix && !has_asn) {
		slurm_finding(w, NULL, "found neither prefix nor asn, expected at least one");
		return;
	}
	if (!has_prefix) {
		number_add(w, &w->s->origins, asn);
		return;
	}
	note(w, vrp_make(&p, p.a.family == ADDR_V4 ? 32 : 128, asn, &v));
	note(w, table_builder_add_vrp(has_asn ? w->one : w->any, &v, SOURCE_NONE));
	prefix_scope(w, &p);
}

/* Section 3.3.2 */
static void key_filter(struct slurm_work *w, const struct json *o)
{
	struct key_filter f = { .asn = 0 };
	void *p;
	struct result r;

	ONLY(w, o, "asn", "SKI", "comment");
	(void)comment_of(w, o);
	if (!read_number(w, o, "asn", UINT32_MAX, &f.has_asn, &f.asn) || !read_ski(w, o, &f.has_ski, f.ski))
		return;
	if (!f.has_asn && !f.has_ski) {
		slurm_finding(w, NULL, "found neither asn nor SKI, expected at least one");
		return;
	}
	p = w->s->keys;
	r = raw_grow(&p, w->s->nkeys, 1, &w->s->room_keys, sizeof *w->s->keys);
	w->s->keys = (struct key_filter *)p;
	note(w, r);
	if (OK(r))
		w->s->keys[w->s->nkeys++] = f;
	if (f.has_asn)
		number_scope(w, &w->router_asns, f.asn);
}

static void aspa_filter(struct slurm_work *w, const struct json *o)
{
	uint32_t customer = 0;
	bool there;

	ONLY(w, o, "customerAsn", "comment");
	(void)comment_of(w, o);
	if (!read_number(w, o, "customerAsn", UINT32_MAX, &there, &customer))
		return;
	if (!there) {
		slurm_finding(w, "customerAsn", "found nothing, expected the AS number of a customer");
		return;
	}
	number_add(w, &w->s->customers, customer);
	number_scope(w, &w->customers, customer);
}

/* -------------------------------------------------------------------------------------------------------------- assertions */

static uint32_t source_of(struct slurm_work *w, const char *comment)
{
	struct payload_source s = { .kind = SOURCE_EXCEPTION, .uri = w->file, .comment = comment };
	uint32_t id = w->plain_source;

	if (comment != NULL || id == SOURCE_NONE)
		note(w, table_builder_add_source(w->asserted, &s, &id));
	if (comment == NULL)
		w->plain_source = id;
	return id;
}

/* Section 3.4.1 */
static void prefix_assertion(struct slurm_work *w, const struct json *o)
{
	struct prefix p = { .len = 0 };
	struct vrp v = { .asn = 0 };
	uint32_t asn = 0, maxlen = 0;
	bool has_prefix, has_asn, has_max;
	const char *comment;

	ONLY(w, o, "prefix", "asn", "maxPrefixLength", "comment");
	comment = comment_of(w, o);
	if (!read_prefix(w, o, &has_prefix, &p) || !read_number(w, o, "asn", UINT32_MAX, &has_asn, &asn) ||
		!read_number(w, o, "maxPrefixLength", 128, &has_max, &maxlen))
		return;
	if (!has_prefix || !has_asn) {
		slurm_finding(w, has_prefix ? "asn" : "prefix", "found nothing, expected %s", has_prefix ? "an AS number" : "a prefix");
		return;
	}
	maxlen = has_max ? maxlen : p.len;
	v = (struct vrp){ .family = p.a.family, .len = p.len, .maxlen = (uint8_t)maxlen, .asn = asn };
	memcpy(v.addr, p.a.b, sizeof v.addr);
	if (!vrp_is_sound(&v)) {
		slurm_finding(w, "maxPrefixLength", "found %u, expected %u to %u", maxlen, p.len, vrp_bits(&v));
		return;
	}
	note(w, table_builder_add_vrp(w->asserted, &v, source_of(w, comment)));
	prefix_scope(w, &p);
	w->s->nasserted[PAYLOAD_VRP]++;
}

/* Section 3.4.2 */
static void key_assertion(struct slurm_work *w, const struct json *o)
{
	const struct json *spki = json_member(o, "routerPublicKey");
	const char *text = is(spki, JSON_STRING) ? spki->text : "";
	AUTO(mem_free) void *room = mem_alloc_raw(strlen(text) + 1);
	struct writer key = writer_of(room, room != NULL ? strlen(text) + 1 : 0);
	struct router_key k = { .asn = 0 };
	bool has_asn, has_ski;
	const char *comment;

	ONLY(w, o, "asn", "SKI", "routerPublicKey", "comment");
	comment = comment_of(w, o);
	if (room == NULL) {
		note(w, FAIL(ERR_NOMEM));
		return;
	}
	if (!read_number(w, o, "asn", UINT32_MAX, &has_asn, &k.asn) || !read_ski(w, o, &has_ski, k.ski))
		return;
	if (!has_asn || !has_ski) {
		slurm_finding(w, has_asn ? "SKI" : "asn", "found nothing, expected %s", has_asn ? "a key identifier" : "an AS number");
		return;
	}
	if (!base64_decode(text, &key) || key.pos == 0 || key.pos > PAYLOAD_SPKI_MAX) {
		slurm_finding(w, "routerPublicKey", "found no key of 1 to %u octets in base64", PAYLOAD_SPKI_MAX);
		return;
	}
	k.spki = writer_done(&key);
	note(w, table_builder_add_key(w->asserted, &k, source_of(w, comment)));
	number_scope(w, &w->router_asns, k.asn);
	w->s->nasserted[PAYLOAD_KEY]++;
}

static bool read_providers(struct slurm_work *w, const struct json *list, uint32_t *room)
{
	size_t i = 0;

	for (const struct json *v = list->child; v != NULL; v = v->next, i++) {
		if (!is(v, JSON_INTEGER) || v->number < 0 || v->number > UINT32_MAX) {
			expect_type(w, "providerAsns", v, "AS numbers");
			return false;
		}
		room[i] = (uint32_t)v->number;
	}
	return true;
}

static void aspa_assertion(struct slurm_work *w, const struct json *o)
{
	const struct json *list = json_member(o, "providerAsns");
	size_t n = is(list, JSON_ARRAY) ? list->n : 0;
	AUTO(mem_free) void *room = mem_alloc_array(n, sizeof(uint32_t));
	uint32_t customer = 0;
	bool there;
	const char *comment;

	ONLY(w, o, "customerAsn", "providerAsns", "comment");
	comment = comment_of(w, o);
	if (room == NULL) {
		note(w, FAIL(ERR_NOMEM));
		return;
	}
	if (!read_number(w, o, "customerAsn", UINT32_MAX, &there, &customer))
		return;
	if (!there) {
		slurm_finding(w, "customerAsn", "found nothing, expected the AS number of a customer");
		return;
	}
	if (n == 0 || n > PAYLOAD_PROVIDERS_MAX) {
		slurm_finding(w, "providerAsns", "found %zu providers, expected an array of 1 to %u", n, PAYLOAD_PROVIDERS_MAX);
		return;
	}
	if (!read_providers(w, list, room))
		return;
	note(w, table_builder_add_aspa(w->asserted, customer, room, n, source_of(w, comment)));
	number_scope(w, &w->customers, customer);
	w->s->nasserted[PAYLOAD_ASPA]++;
}

/* ------------------------------------------------------------------------------------------------------------- whole files */

typedef void item_fn(struct slurm_work *w, const struct json *o);

static void read_list(struct slurm_work *w, const struct json *section, const char *name, item_fn *fn)
{
	const struct json *list = json_member(section, name);

	if (!is(list, JSON_ARRAY)) {
		expect_type(w, name, list, "an array");
		return;
	}
	w->list = name;
	w->item = 0;
	for (const struct json *o = list->child; o != NULL && w->failed == ERR_NONE; o = o->next, w->item++) {
		if (is(o, JSON_OBJECT))
			fn(w, o);
		else
			expect_type(w, NULL, o, "an object");
	}
	w->list = NULL;
}

static const struct json *section_of(struct slurm_work *w, const struct json *top, const char *name) BORROWED;
static const struct json *section_of(struct slurm_work *w, const struct json *top, const char *name)
{
	const struct json *section = json_member(top, name);

	if (is(section, JSON_OBJECT)) {
		w->section = name;
		return section;
	}
	expect_type(w, name, section, "an object");
	return NULL;
}

static void read_sections(struct slurm_work *w, const struct json *top, int64_t version)
{
	const struct json *section = section_of(w, top, FILTERS);

	if (section != NULL) {
		if (version == 1)
			ONLY(w, section, "prefixFilters", "bgpsecFilters");
		else
			ONLY(w, section, "prefixFilters", "bgpsecFilters", "aspaFilters");
		read_list(w, section, "prefixFilters", prefix_filter);
		read_list(w, section, "bgpsecFilters", key_filter);
		if (version > 1)
			read_list(w, section, "aspaFilters", aspa_filter);
	}
	w->section = NULL;
	section = section_of(w, top, ASSERTIONS);
	if (section != NULL) {
		if (version == 1)
			ONLY(w, section, "prefixAssertions", "bgpsecAssertions");
		else
			ONLY(w, section, "prefixAssertions", "bgpsecAssertions", "aspaAssertions");
		read_list(w, section, "prefixAssertions", prefix_assertion);
		read_list(w, section, "bgpsecAssertions", key_assertion);
		if (version > 1)
			read_list(w, section, "aspaAssertions", aspa_assertion);
	}
	w->section = NULL;
}

static void read_top(struct slurm_work *w, const struct json *top)
{
	const struct json *version = json_member(top, "slurmVersion");

	if (!is(top, JSON_OBJECT)) {
		expect_type(w, NULL, top, "an object");
		return;
	}
	if (!is(version, JSON_INTEGER) || version->number < 1 || version->number > 2) {
		if (is(version, JSON_INTEGER))
			slurm_finding(w, "slurmVersion", "found %lld, expected 1 or 2", (long long)version->number);
		else
			expect_type(w, "slurmVersion", version, "1 or 2");
		return;
	}
	ONLY(w, top, "slurmVersion", FILTERS, ASSERTIONS);
	read_sections(w, top, version->number);
}

void slurm_read_file(struct slurm_work *w, const struct slurm_file *f)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	const struct json *top = NULL;
	struct json_error e = { .line = 0 };
	struct result r = FAIL(ERR_NOMEM);

	w->file = f->name;
	w->plain_source = SOURCE_NONE;
	w->section = w->list = NULL;
	if (a != NULL)
		r = json_read(f->text, a, &top, &e);
	if (OK(r)) {
		read_top(w, top);
	} else if (r.e != ERR_FORMAT) {
		note(w, r);
	} else if (++w->findings <= SLURM_FINDINGS_MAX) {
		strbuf_printf(w->report, "%s:%zu:%zu: %s\n", f->name, e.line, e.column, e.why);
	}
	w->file_number++;
}
