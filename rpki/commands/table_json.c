/* Tables as JSON, by the names of members: those of Routinator, rpki-client, FORT and StayRTR; and SLURM. */
#include "base/arena.h"
#include "base/base64.h"
#include "rpki/commands/table_file.h"
#include "rpki/routes/route_text.h"
#include "rpki/serve/json.h"
#include "rpki/serve/slurm.h"

/* The first of these members that is there. */
static const struct json *member(const struct json *o, const char *const *names) BORROWED;
static const struct json *member(const struct json *o, const char *const *names)
{
	const struct json *m = NULL;

	for (; m == NULL && *names != NULL; names++)
		m = json_member(o, *names);
	return m;
}

struct list {
	struct table_text *t BORROWED_FIELD;
	const char *name BORROWED_FIELD;
	size_t i;
};

static struct result wrong(const struct list *l, const char *what, const char *expected)
{
	strbuf_printf(l->t->why, "%s: %s[%zu].%s: expected %s\n", l->t->name, l->name, l->i, what, expected);
	return FAIL(ERR_FORMAT);
}

static bool number_of(const struct json *j, uint32_t max, uint32_t *ret)
{
	if (j == NULL)
		return false;
	if (j->type == JSON_STRING)
		return max == UINT32_MAX ? route_text_asn(span_of(j->text, j->n), ret) : span_number(span_of(j->text, j->n), max, ret);
	if (j->type != JSON_INTEGER || j->number < 0 || j->number > (int64_t)max)
		return false;
	*ret = (uint32_t)j->number;
	return true;
}

static const char *text_of(const struct json *j) BORROWED;
static const char *text_of(const struct json *j)
{
	return j != NULL && j->type == JSON_STRING ? j->text : NULL;
}

/* Where it comes from, of the first source when there are several. */
static RESULT source_of(const struct list *l, const struct json *o, enum source_kind kind, uint32_t *ret)
{
	const struct json *list = json_member(o, "source");
	const struct json *from = list != NULL && list->type == JSON_ARRAY && list->n > 0 ? list->child : o;
	const char *tal = text_of(member(from, (const char *const[]){ "ta", "tal", NULL })), *uri = text_of(json_member(from, "uri"));
	struct payload_source s = { .kind = kind, .tal = tal, .uri = uri };

	*ret = SOURCE_NONE;
	if (tal == NULL && uri == NULL)
		return DONE;
	return table_builder_add_source(l->t->b, &s, ret);
}

static RESULT add_roa(const struct list *l, const struct json *o)
{
	const struct json *prefix = json_member(o, "prefix"), *max = json_member(o, "maxLength");
	uint32_t asn, longest = 0, source;
	struct prefix p;

	if (!number_of(json_member(o, "asn"), UINT32_MAX, &asn))
		return wrong(l, "asn", "an AS number");
	if (text_of(prefix) == NULL || !table_prefix(span_of(prefix->text, prefix->n), &p))
		return wrong(l, "prefix", "a prefix");
	if (max != NULL && (!number_of(max, p.a.family == ADDR_V4 ? 32 : 128, &longest) || longest < p.len))
		return wrong(l, "maxLength", "a length from that of the prefix to 32 or 128");
	TRY(source_of(l, o, SOURCE_ROA, &source));
	return table_add(l->t, &p, max != NULL, longest, asn, source);
}

static bool hex_of(const struct json *j, uint8_t ret[PAYLOAD_SKI])
{
	if (text_of(j) == NULL || j->n != 2 * (size_t)PAYLOAD_SKI)
		return false;
	for (size_t i = 0; i < 2 * (size_t)PAYLOAD_SKI; i++) {
		uint8_t c = (uint8_t)j->text[i], low = c | 0x20, v;

		if (c >= '0' && c <= '9')
			v = (uint8_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			v = (uint8_t)(low - 'a' + 10);
		else
			return false;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | v);
	}
	return true;
}

static RESULT add_key(const struct list *l, const struct json *o)
{
	const struct json *spki = member(o, (const char *const[]){ "routerPublicKey", "pubkey", NULL });
	struct base64 state = { .form = BASE64_URL | BASE64_UNPADDED | BASE64_LOOSE };
	AUTO(mem_free) void *room = NULL;
	struct router_key k = { .asn = 0 };
	struct writer w;
	uint32_t source;

	if (!number_of(json_member(o, "asn"), UINT32_MAX, &k.asn))
		return wrong(l, "asn", "an AS number");
	if (!hex_of(member(o, (const char *const[]){ "SKI", "ski", NULL }), k.ski))
		return wrong(l, "SKI", "40 hexadecimal digits");
	if (text_of(spki) == NULL)
		return wrong(l, "routerPublicKey", "base64");
	room = mem_alloc(base64_room(spki->n));
	if (room == NULL)
		return FAIL(ERR_NOMEM);
	w = writer_of(room, base64_room(spki->n));
	if (!base64_read(&state, span_of(spki->text, spki->n), &w) || !base64_end(&state) || w.pos == 0 || w.pos > PAYLOAD_SPKI_MAX)
		return wrong(l, "routerPublicKey", "base64 of a key");
	k.spki = writer_done(&w);
	TRY(source_of(l, o, SOURCE_CER, &source));
	return table_builder_add_key(l->t->b, &k, source);
}

static RESULT add_aspa(const struct list *l, const struct json *o)
{
	const struct json *providers = json_member(o, "providers");
	AUTO(mem_free) void *room = NULL;
	uint32_t customer, source, *numbers;
	size_t n = 0;

	if (!number_of(member(o, (const char *const[]){ "customer", "customer_asid", NULL }), UINT32_MAX, &customer))
		return wrong(l, "customer", "an AS number");
	if (providers == NULL || providers->type != JSON_ARRAY || providers->n == 0)
		return wrong(l, "providers", "AS numbers");
	numbers = room = mem_alloc_array(providers->n, sizeof *numbers);
	if (room == NULL)
		return FAIL(ERR_NOMEM);
	for (const struct json *p = providers->child; p != NULL && n < providers->n; p = p->next)
		if (!number_of(p, UINT32_MAX, &numbers[n++]))
			return wrong(l, "providers", "AS numbers");
	TRY(source_of(l, o, SOURCE_ASPA, &source));
	return table_builder_add_aspa(l->t->b, customer, numbers, n, source);
}

typedef RESULT add_fn(const struct list *l, const struct json *o);

static RESULT each(struct table_text *t, const struct json *all, const char *name, add_fn *add, bool *seen)
{
	const struct json *a = json_member(all, name);
	struct list l = { .t = t, .name = name };

	if (a == NULL)
		return DONE;
	if (a->type != JSON_ARRAY) {
		strbuf_printf(t->why, "%s: %s: found %s, expected an array\n", t->name, name, json_type_text(a));
		return FAIL(ERR_FORMAT);
	}
	*seen = true;
	for (const struct json *o = a->child; o != NULL; o = o->next, l.i++)
		TRY(add(&l, o)); /* lint-ok: cppcheck:returnDanglingLifetime a result points to nothing */
	return DONE;
}

/* Assertions alone make a table: filters say nothing without another. */
static RESULT read_slurm(struct table_text *t, struct span text)
{
	AUTO(table_unref) struct payload_table *assertions = NULL;
	AUTO(slurm_free) struct slurm *s = NULL;
	struct slurm_file file = { .name = t->name, .text = text };
	struct slurm_counts counts;

	TRY(slurm_read(&file, 1, t->why, &s));
	TRY(slurm_apply(s, NULL, NULL, 0, &counts, &assertions));
	return table_builder_add_table(t->b, assertions);
}

RESULT table_json_read(struct table_text *t, struct span text)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	const struct json *all = NULL;
	struct json_error e = { .why = NULL };
	struct result r;
	bool seen;

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	r = json_read(text, a, &all, &e);
	if (r.e == ERR_FORMAT)
		strbuf_printf(t->why, "%s:%zu:%zu: %s\n", t->name, e.line, e.column, e.why);
	TRY(r);
	if (json_member(all, "slurmVersion") != NULL)
		return read_slurm(t, text);
	seen = json_member(all, "metadata") != NULL; /* of a file that leaves everything out */
	TRY(each(t, all, "roas", add_roa, &seen));
	TRY(each(t, all, "routerKeys", add_key, &seen));
	TRY(each(t, all, "bgpsec_keys", add_key, &seen));
	TRY(each(t, all, "aspas", add_aspa, &seen));
	if (!seen) {
		strbuf_printf(t->why, "%s: found no member roas, routerKeys, bgpsec_keys, aspas or slurmVersion, expected at least one of them\n", t->name);
		return FAIL(ERR_FORMAT);
	}
	return DONE;
}
