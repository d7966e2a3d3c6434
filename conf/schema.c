#include "conf/schema.h"

#include <string.h>

#include "base/mem.h"

static const char *const theme_text[] = {
#define THEME(id, kind, text) [THEME_##id] = text,
#include "conf/themes.def"
#undef THEME
};

/* A theme's kind, so that a row cannot say NOT_YET with a theme that says IGNORED. */
#define KIND_NOT_YET SCHEMA_NOT_YET
#define KIND_IGNORED SCHEMA_IGNORED
enum theme_kind {
#define THEME(id, kind, text) THEME_KIND_##id = KIND_##kind,
#include "conf/themes.def"
#undef THEME
};

static const struct schema_clause clauses[] = {
#define CLAUSE(id, name, many, doc) [CLAUSE_##id] = { name, doc, many },
#include "conf/clauses.def"
#undef CLAUSE
};

/* The flags of a row are one number while the table is made: the theme is in the upper half. */
#define RELOAD SCHEMA_RELOAD
#define LIST SCHEMA_LIST
#define NEEDED SCHEMA_NEEDED
#define THEMED(kind, id) ((kind) | (unsigned int)THEME_##id << 16 | 0u / (unsigned int)(THEME_KIND_##id == (kind)))
#define NOT_YET(id) THEMED(SCHEMA_NOT_YET, id)
#define IGNORED(id) THEMED(SCHEMA_IGNORED, id)

static const struct schema_option options[] = {
#define OPTION(id, clause, name, type, min, max, dflt, flags, since, unbound, doc) \
	[OPT_##id] = { name, type, dflt, since, unbound, doc, min, max, CLAUSE_##clause, (flags) & 0xffffu, (flags) >> 16 },
#include "conf/schema.def"
#undef OPTION
};

const struct schema_clause *schema_clause(enum conf_clause_kind k)
{
	return &clauses[k];
}

const struct schema_option *schema_option(enum conf_opt o)
{
	return &options[o];
}

const char *schema_theme_text(unsigned int theme)
{
	return theme < THEME_COUNT ? theme_text[theme] : "";
}

size_t schema_clause_options(enum conf_clause_kind k, enum conf_opt *ret_first)
{
	size_t first = 0, n = 0;

	while (first < OPT_COUNT && options[first].clause != k)
		first++;
	while (first + n < OPT_COUNT && options[first + n].clause == k)
		n++;
	*ret_first = (enum conf_opt)first;
	return n;
}

bool schema_clause_unused(enum conf_clause_kind k)
{
	enum conf_opt first;
	size_t n = schema_clause_options(k, &first);

	for (size_t i = 0; i < n; i++) {
		const struct schema_option *o = &options[first + i];

		if ((o->flags & (SCHEMA_NOT_YET | SCHEMA_IGNORED)) == 0 || o->theme != options[first].theme)
			return false;
	}
	return true;
}

size_t schema_types(enum conf_opt o, struct value_type types[SCHEMA_WORDS])
{
	const char *p = options[o].type;
	size_t n = 0;

	while (*p != '\0' && n < SCHEMA_WORDS) {
		size_t len = strcspn(p, " ");

		if (!value_type_parse(span_of(p, len), &types[n]))
			break;
		types[n].min = options[o].min;
		types[n].max = options[o].max;
		n++;
		p += len;
		p += strspn(p, " ");
	}
	return n;
}

/* The index is a hash table of names with open addressing; an option stands in it once under each of its names. */
struct slot {
	const char *name BORROWED_FIELD; /* NULL: free */
	uint16_t len;
	uint16_t opt;
};

struct types {
	struct value_type t[SCHEMA_WORDS];
	uint8_t n;
};

struct schema_index {
	struct slot *slots OWNED_FIELD;
	size_t mask;
	struct types *types OWNED_FIELD; /* OPT_COUNT of them */
};

void schema_index_free(struct schema_index *x)
{
	if (x == NULL)
		return;
	mem_free(x->slots);
	mem_free(x->types);
	mem_free(x);
}

/* FNV-1a: the names in the table are ours, so a name from outside cannot make it slow. */
static uint32_t name_hash(struct span name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ name.p[i]) * 16777619u;
	return h;
}

static void index_add(struct schema_index *x, const char *name, size_t len, size_t opt)
{
	size_t at = name_hash(span_of(name, len)) & x->mask;

	while (x->slots[at].name != NULL)
		at = (at + 1) & x->mask;
	x->slots[at] = (struct slot){ name, (uint16_t)len, (uint16_t)opt };
}

/* Calls add for the name of an option and for each further name. */
static void index_option(struct schema_index *x, size_t opt)
{
	const char *more = options[opt].unbound;

	index_add(x, options[opt].name, strlen(options[opt].name), opt);
	if (strcmp(more, "-") == 0)
		return;
	while (*more != '\0') {
		size_t len = strcspn(more, " ");

		index_add(x, more, len, opt);
		more += len;
		more += strspn(more, " ");
	}
}

struct schema_index *schema_index_new(void)
{
	AUTO(schema_index_free) struct schema_index *x = mem_alloc(sizeof(*x));
	size_t room = 64;

	if (x == NULL)
		return NULL;
	while (room < (size_t)OPT_COUNT * 4)
		room *= 2;
	x->slots = mem_alloc_array(room, sizeof(*x->slots));
	x->types = mem_alloc_array(OPT_COUNT, sizeof(*x->types));
	if (x->slots == NULL || x->types == NULL)
		return NULL;
	x->mask = room - 1;
	for (size_t i = 0; i < OPT_COUNT; i++) {
		index_option(x, i);
		x->types[i].n = (uint8_t)schema_types((enum conf_opt)i, x->types[i].t);
	}
	return MOVE(x);
}

static bool index_find(const struct schema_index *x, bool any, enum conf_clause_kind k, struct span name, enum conf_opt *ret)
{
	size_t at = name_hash(name) & x->mask;

	for (; x->slots[at].name != NULL; at = (at + 1) & x->mask) {
		const struct slot *s = &x->slots[at];

		if (!span_equal(span_of(s->name, s->len), name) || (!any && options[s->opt].clause != k))
			continue;
		*ret = (enum conf_opt)s->opt;
		return true;
	}
	return false;
}

bool schema_find(const struct schema_index *x, enum conf_clause_kind k, struct span name, enum conf_opt *ret)
{
	return index_find(x, false, k, name, ret);
}

bool schema_find_any(const struct schema_index *x, struct span name, enum conf_opt *ret)
{
	return index_find(x, true, CLAUSE_KINDS, name, ret);
}

bool schema_find_clause(struct span name, enum conf_clause_kind *ret)
{
	for (size_t i = 0; i < CLAUSE_KINDS; i++) {
		if (span_equal(span_text(clauses[i].name), name)) {
			*ret = (enum conf_clause_kind)i;
			return true;
		}
	}
	return false;
}

size_t schema_index_types(const struct schema_index *x, enum conf_opt o, const struct value_type **ret_types)
{
	*ret_types = x->types[o].t;
	return x->types[o].n;
}

#define NEAR_MAX 40 /* longer names are not compared */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c == '_' ? '-' : c;
}

/*
 * Edits (insert, delete, replace, swap of neighbours) from a to b, or max + 1 when there are more than max; case and '_' for '-'
 * are free. Only cells within max of the diagonal can count, so only they are computed. Both at most NEAR_MAX long.
 */
static unsigned int edits(struct span a, struct span b, unsigned int max)
{
	unsigned int row[3][NEAR_MAX + 2];

	for (size_t j = 0; j <= b.n + 1; j++) {
		row[0][j] = (unsigned int)j;
		row[1][j] = row[2][j] = max + 1;
	}
	for (size_t i = 1; i <= a.n; i++) {
		unsigned int *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3], least;
		size_t from = i > max ? i - max : 1, to = i + max < b.n ? i + max : b.n;

		least = now[from - 1] = from == 1 ? (unsigned int)i : max + 1;
		for (size_t j = from; j <= to; j++) {
			uint8_t ca = lower(a.p[i - 1]), cb = lower(b.p[j - 1]);
			unsigned int best = last[j - 1] + (ca != cb);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && ca == lower(b.p[j - 2]) && cb == lower(a.p[i - 2]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
			if (best < least)
				least = best;
		}
		now[to + 1] = max + 1;
		if (least > max)
			return max + 1;
	}
	return row[a.n % 3][b.n] <= max ? row[a.n % 3][b.n] : max + 1;
}

struct nearest {
	const char *name BORROWED_FIELD;
	unsigned int score; /* smaller is nearer */
};

/* Own clause wins over other clauses at the same distance. */
static void nearer(struct nearest *n, struct span name, const char *candidate, bool own)
{
	struct span c = span_text(candidate);
	unsigned int score;

	if (c.n > NEAR_MAX || (c.n > name.n ? c.n - name.n : name.n - c.n) > 4)
		return;
	score = edits(name, c, n->score / 2) * 2 + !own;
	if (score < n->score)
		*n = (struct nearest){ candidate, score };
}

const char *schema_nearest(enum conf_clause_kind k, struct span name)
{
	/* A third of the letters may be wrong, at most four. */
	struct nearest n = { NULL, name.n / 3 < 4 ? (unsigned int)(name.n / 3) * 2 + 2 : 10 };

	if (name.n == 0 || name.n > NEAR_MAX)
		return NULL;
	for (size_t i = 0; i < OPT_COUNT; i++)
		nearer(&n, name, options[i].name, options[i].clause == k);
	for (size_t i = 0; i < CLAUSE_KINDS; i++)
		nearer(&n, name, clauses[i].name, true);
	return n.name;
}
