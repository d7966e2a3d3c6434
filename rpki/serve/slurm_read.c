/* slurm_read.c: one SLURM file into filters and assertions. Every member is looked for by name, and members that the RFC does not define are errors (section 3.2). */
#include <stdarg.h>
#include <stdlib.h>

#include "base/libjansson.h"
#include "base/mem.h"
#include "rpki/routes/raw.h"
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

static void expect_type(struct slurm_work *w, const char *place, const json_t *found, const char *expected)
{
	static const char *const names[] = { "an object", "an array", "a string", "a number", "a number with a fraction", "true", "false", "null" };

	slurm_finding(w, place, "found %s, expected %s", found == NULL ? "nothing" : names[json_typeof(found)], expected);
}

/* A member that may be absent: *ret_there says whether it is. */
static bool read_number(struct slurm_work *w, const json_t *o, const char *name, uint32_t max, bool *ret_there, uint32_t *ret)
{
	const json_t *v = json_object_get(o, name);

	*ret_there = v != NULL;
	if (v == NULL)
		return true;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max) {
		if (json_is_integer(v))
			slurm_finding(w, name, "found %lld, expected 0 to %u", (long long)json_integer_value(v), max);
		else
			expect_type(w, name, v, "a whole number");
		return false;
	}
	*ret = (uint32_t)json_integer_value(v);
	return true;
}

static bool read_prefix(struct slurm_work *w, const json_t *o, bool *ret_there, struct prefix *ret)
{
	const json_t *v = json_object_get(o, "prefix");
	const char *text;
	struct result r;

	*ret_there = v != NULL;
	if (v == NULL)
		return true;
	if (!json_is_string(v)) {
		expect_type(w, "prefix", v, "a prefix as text");
		return false;
	}
	text = json_string_value(v);
	r = strchr(text, '/') != NULL ? prefix_parse(text, ret) : FAIL(ERR_FORMAT);
	if (!OK(r)) {
		slurm_finding(w, "prefix", "found \"%.*s\", expected %s", SHOWN, text,
			r.e == ERR_RANGE ? "no bits behind the length" : "ADDRESS/LENGTH");
		return false;
	}
	return true;
}

/* Base64 for URLs without padding (RFC 4648 section 5); the usual alphabet and padding are taken too. -1: another character. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-' || c == '+')
		return 62;
	return c == '_' || c == '/' ? 63 : -1;
}

/* Decodes in place of the room given; *ret_n octets. False: not base64, or more than fits. */
static bool base64_decode(const char *text, struct writer *w)
{
	size_t n = strlen(text);
	uint32_t bits = 0;
	unsigned int have = 0;

	for (unsigned int pad = 0; n > 0 && text[n - 1] == '=' && pad < 2; pad++)
		n--;
	for (size_t i = 0; i < n; i++) {
		int v = base64_value(text[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			write8(w, (uint8_t)(bits >> have));
		}
	}
	return n % 4 != 1 && (bits & ((1u << have) - 1)) == 0 && writer_ok(w);
}

static bool read_ski(struct slurm_work *w, const json_t *o, bool *ret_there, uint8_t ski[PAYLOAD_SKI])
{
	const json_t *v = json_object_get(o, "SKI");
	struct writer to = writer_of(ski, PAYLOAD_SKI);

	*ret_there = v != NULL;
	if (v == NULL)
		return true;
	if (!json_is_string(v)) {
		expect_type(w, "SKI", v, "a key identifier in base64");
		return false;
	}
	if (!base64_decode(json_string_value(v), &to) || to.pos != PAYLOAD_SKI) {
		slurm_finding(w, "SKI", "found \"%.*s\", expected %d octets in base64", SHOWN, json_string_value(v), PAYLOAD_SKI);
		return false;
	}
	return true;
}

static const char *comment_of(struct slurm_work *w, const json_t *o)
{
	const json_t *v = json_object_get(o, "comment");

	if (v != NULL && !json_is_string(v))
		expect_type(w, "comment", v, "a string");
	return json_is_string(v) ? json_string_value(v) : NULL;
}

/* No other members than those named. */
static void only(struct slurm_work *w, json_t *o, const char *const *names, size_t n)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value) {
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known |= strcmp(key, names[i]) == 0;
		if (!known)
			slurm_finding(w, NULL, "found the member \"%.*s\", expected no such", SHOWN, key);
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
static void prefix_filter(struct slurm_work *w, json_t *o)
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
static void key_filter(struct slurm_work *w, json_t *o)
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

static void aspa_filter(struct slurm_work *w, json_t *o)
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
static void prefix_assertion(struct slurm_work *w, json_t *o)
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
static void key_assertion(struct slurm_work *w, json_t *o)
{
	const json_t *spki = json_object_get(o, "routerPublicKey");
	const char *text = json_is_string(spki) ? json_string_value(spki) : "";
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

static bool read_providers(struct slurm_work *w, const json_t *list, uint32_t *room)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX) {
			expect_type(w, "providerAsns", v, "AS numbers");
			return false;
		}
		room[i] = (uint32_t)json_integer_value(v);
	}
	return true;
}

static void aspa_assertion(struct slurm_work *w, json_t *o)
{
	const json_t *list = json_object_get(o, "providerAsns");
	AUTO(mem_free) void *room = mem_alloc_array(json_array_size(list), sizeof(uint32_t));
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
	if (json_array_size(list) == 0 || json_array_size(list) > PAYLOAD_PROVIDERS_MAX) {
		slurm_finding(w, "providerAsns", "found %zu providers, expected an array of 1 to %u", json_array_size(list), PAYLOAD_PROVIDERS_MAX);
		return;
	}
	if (!read_providers(w, list, room))
		return;
	note(w, table_builder_add_aspa(w->asserted, customer, room, json_array_size(list), source_of(w, comment)));
	number_scope(w, &w->customers, customer);
	w->s->nasserted[PAYLOAD_ASPA]++;
}

/* ------------------------------------------------------------------------------------------------------------- whole files */

typedef void item_fn(struct slurm_work *w, json_t *o);

static void read_list(struct slurm_work *w, const json_t *section, const char *name, item_fn *fn)
{
	const json_t *list = json_object_get(section, name);

	if (!json_is_array(list)) {
		expect_type(w, name, list, "an array");
		return;
	}
	w->list = name;
	for (w->item = 0; w->item < json_array_size(list) && w->failed == ERR_NONE; w->item++) {
		json_t *o = json_array_get(list, w->item);

		if (json_is_object(o))
			fn(w, o);
		else
			expect_type(w, NULL, o, "an object");
	}
	w->list = NULL;
}

static json_t *section_of(struct slurm_work *w, const json_t *top, const char *name) BORROWED;
static json_t *section_of(struct slurm_work *w, const json_t *top, const char *name)
{
	json_t *section = json_object_get(top, name);

	if (json_is_object(section)) {
		w->section = name;
		return section;
	}
	expect_type(w, name, section, "an object");
	return NULL;
}

static void read_sections(struct slurm_work *w, const json_t *top, json_int_t version)
{
	json_t *section = section_of(w, top, FILTERS);

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

static void read_top(struct slurm_work *w, json_t *top)
{
	const json_t *version = json_object_get(top, "slurmVersion");

	if (!json_is_object(top)) {
		expect_type(w, NULL, top, "an object");
		return;
	}
	if (!json_is_integer(version) || json_integer_value(version) < 1 || json_integer_value(version) > 2) {
		if (json_is_integer(version))
			slurm_finding(w, "slurmVersion", "found %lld, expected 1 or 2", (long long)json_integer_value(version));
		else
			expect_type(w, "slurmVersion", version, "1 or 2");
		return;
	}
	ONLY(w, top, "slurmVersion", FILTERS, ASSERTIONS);
	read_sections(w, top, json_integer_value(version));
}

static void *json_alloc(size_t n) OWNED_BY(mem_free);
static void *json_alloc(size_t n)
{
	return mem_alloc_raw(n);
}

void slurm_read_file(struct slurm_work *w, const struct slurm_file *f)
{
	AUTO(json_delete) json_t *top = NULL;
	json_error_t e = { .line = 0 };

	json_set_alloc_funcs(json_alloc, mem_free);
	w->file = f->name;
	w->plain_source = SOURCE_NONE;
	w->section = w->list = NULL;
	top = json_loadb((const char *)f->text.p, f->text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (top != NULL) {
		read_top(w, top);
	} else if (json_error_code(&e) == json_error_out_of_memory) {
		note(w, FAIL(ERR_NOMEM));
	} else if (++w->findings <= SLURM_FINDINGS_MAX) {
		strbuf_printf(w->report, "%s:%d:%d: %s\n", f->name, e.line, e.column, e.text);
	}
	w->file_number++;
}
