#include "rpki/object/manifest.h"

#include <stdlib.h>

#include "base/arena.h"
#include "rpki/object/oid.h"

bool manifest_name_is_good(struct span name)
{
	if (name.n < 5 || name.n > MANIFEST_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

		if (i + 4 == name.n ? c != '.' : i + 4 > name.n ? !(c >= 'a' && c <= 'z') : !letter)
			return false;
	}
	return true;
}

int manifest_number_compare(struct span a, struct span b)
{
	return a.n != b.n ? (a.n < b.n ? -1 : 1) : a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

static int compare_names(struct span a, struct span b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int compare_files(const void *a, const void *b)
{
	const struct manifest_file *x = a, *y = b;

	return compare_names(x->name, y->name);
}

struct reading {
	struct manifest *m PARENT_FIELD;
	struct report *rep PARENT_FIELD;
	struct arena *a PARENT_FIELD;
	bool nomem;
};

static bool check_unique(struct reading *g)
{
	const struct manifest_file *f = g->m->files;
	struct manifest_file *sorted;
	size_t i = 1;

	while (i < g->m->count && compare_names(f[i - 1].name, f[i].name) < 0)
		i++;
	if (i >= g->m->count)
		return true; /* as most are */
	sorted = arena_dup(g->a, f, g->m->count * sizeof *f);
	if (sorted == NULL) {
		g->nomem = true;
		return false;
	}
	qsort(sorted, g->m->count, sizeof *sorted, compare_files);
	for (i = 1; i < g->m->count; i++)
		if (compare_names(sorted[i - 1].name, sorted[i].name) == 0)
			BROKEN_AT(g->rep, MFT_FILE_TWICE, "%.*s", (int)sorted[i].name.n, (const char *)sorted[i].name.p);
	return true;
}

/* FileAndHash. */
static bool read_file(const struct reading *g, struct reader *list, struct manifest_file *f)
{
	struct reader in = der_enter(list, DER_SEQUENCE);
	uint8_t tag;
	struct bits hash;

	f->name = der_get(&in, DER_IA5_STRING);
	if (!reader_ok(&in))
		UNREADABLE(g->rep, MFT_FILE);
	if (!manifest_name_is_good(f->name))
		BROKEN(g->rep, MFT_NAME);
	if (der_peek(&in) != DER_BIT_STRING) {
		BROKEN(g->rep, MFT_HASH);
		der_any(&in, &tag);
		f->hash = NULL;
	} else {
		hash = der_bit_string(&in);
		f->hash = hash.octets.p;
		if (reader_ok(&in) && bits_count(hash) != 256)
			BROKEN(g->rep, MFT_HASH);
	}
	der_leave(list, &in);
	if (!reader_ok(list))
		UNREADABLE(g->rep, MFT_FILE);
	return true;
}

static bool read_files(struct reading *g, struct span contents)
{
	struct reader count = reader_of(contents), r = reader_of(contents);
	struct manifest_file *files;
	size_t most = 0, n = 0;

	while (!reader_end(&count) && most <= MANIFEST_MAX_FILES) {
		der_whole_any(&count);
		most++;
	}
	if (most > MANIFEST_MAX_FILES)
		UNREADABLE(g->rep, MFT_LIMIT);
	if (most == 0)
		BROKEN(g->rep, MFT_EMPTY);
	files = arena_alloc_array(g->a, most + 1, sizeof *files);
	if (files == NULL) {
		g->nomem = true;
		return false;
	}
	while (!reader_end(&r) && n < most)
		if (!read_file(g, &r, &files[n++]))
			return false;
	if (!reader_ok(&r))
		UNREADABLE(g->rep, MFT_FILE);
	g->m->files = files;
	g->m->count = n;
	return check_unique(g);
}

static bool read_time(const struct reading *g, struct reader *r, int64_t *ret)
{
	uint8_t tag;
	struct span s = der_any(r, &tag);

	if (!reader_ok(r))
		UNREADABLE(g->rep, MFT_DER);
	if (tag != DER_GENERALIZED_TIME || !der_time_value(tag, s, ret))
		BROKEN(g->rep, MFT_TIME_FORM);
	return true;
}

static bool read_version(const struct reading *g, struct reader *r)
{
	if (der_peek(r) != DER_CONSTRUCTED)
		return true;
	BROKEN(g->rep, MFT_VERSION); /* 0 is the default, and not encoded */
	der_whole_any(r);
	return true;
}

static bool read_all(struct reading *g, struct span content)
{
	struct reader outer = reader_of(content), r = der_enter(&outer, DER_SEQUENCE);
	struct span list, oid;

	if (!reader_ok(&outer) || !reader_end(&outer))
		UNREADABLE(g->rep, MFT_DER);
	if (!read_version(g, &r))
		return false;
	if (der_peek(&r) != DER_INTEGER) {
		BROKEN(g->rep, MFT_NUMBER);
	} else {
		g->m->number = der_integer(&r);
		if (der_negative(g->m->number) || g->m->number.n > 20)
			BROKEN(g->rep, MFT_NUMBER);
	}
	if (!read_time(g, &r, &g->m->this_update) || !read_time(g, &r, &g->m->next_update))
		return false;
	if (g->m->this_update >= g->m->next_update)
		BROKEN(g->rep, MFT_UPDATES_CROSSED);
	oid = der_get(&r, DER_OID);
	if (!reader_ok(&r))
		UNREADABLE(g->rep, MFT_DER);
	if (!OID_IS(oid, OID_SHA256))
		BROKEN(g->rep, MFT_HASH_ALGORITHM);
	list = der_get(&r, DER_SEQUENCE);
	if (!reader_ok(&r) || !reader_end(&r))
		UNREADABLE(g->rep, MFT_DER);
	return read_files(g, list);
}

RESULT manifest_read(const struct cms *cms, struct arena *a, struct report *rep, struct manifest *ret)
{
	struct reading g = { .m = ret, .rep = rep, .a = a };
	size_t before = rep->count;

	*ret = (struct manifest){ 0 };
	if (!read_all(&g, cms->content))
		return FAIL(g.nomem ? ERR_NOMEM : ERR_FORMAT);
	return rep->count != before ? FAIL(ERR_FORMAT) : DONE;
}

static bool check(const struct manifest *m, const struct cert *ee, int64_t now, struct report *rep)
{
	if (ee->claimed.ip4 == CLAIM_SET || ee->claimed.ip6 == CLAIM_SET || ee->claimed.as == CLAIM_SET)
		BROKEN(rep, MFT_INHERIT);
	if (now < m->this_update)
		BROKEN(rep, MFT_IN_FUTURE);
	if (now > m->next_update)
		BROKEN(rep, MFT_STALE);
	return true;
}

RESULT manifest_check(const struct manifest *m, const struct cert *ee, int64_t now, struct report *rep)
{
	size_t before = rep->count;

	return check(m, ee, now, rep) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}
