#include "rpki/engine.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/object/tal.h"
#include "rpki/routes/table.h"
#include "rpki/validate/collect.h"

#define SUFFIX ".tal"

struct locator {
	char *name OWNED_FIELD;
	char *text OWNED_FIELD;
	size_t n;
};

struct locators {
	struct locator *list OWNED_FIELD;
	size_t n, room;
	struct anchor_locator *shown OWNED_FIELD; /* the same, as others see it */
};

void locators_free(struct locators *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n; i++) {
		mem_free(MOVE(l->list[i].name));
		mem_free(MOVE(l->list[i].text));
	}
	mem_free(MOVE(l->list));
	mem_free(MOVE(l->shown));
	mem_free(l);
}

static bool has_suffix(const char *name)
{
	size_t n = strlen(name);

	return n > strlen(SUFFIX) && strcmp(name + n - strlen(SUFFIX), SUFFIX) == 0;
}

/* The file's name without folder and suffix. */
static char *name_of(const char *path) OWNED_BY(mem_free);
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;

	return mem_strndup(name, strlen(name) - (has_suffix(name) ? strlen(SUFFIX) : 0));
}

static RESULT load(struct locators *l, const char *path, struct strbuf *why)
{
	AUTO_CHARS char *text = NULL, *name = name_of(path);
	struct result r;
	size_t n = 0;

	if (name == NULL)
		return FAIL(ERR_NOMEM);
	r = file_read_all(path, TAL_MAX, &text, &n);
	if (!OK(r))
		strbuf_printf(why, "%s: %s\n", path, r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_LIMIT ? "too large for a trust anchor locator" : err_text(r.e));
	TRY(r);
	if (l->n == l->room) {
		TRY(mem_resize((void **)(void *)&l->list, l->room, l->room + 8, sizeof *l->list));
		l->room += 8;
	}
	l->list[l->n].text = MOVE(text);
	l->list[l->n].name = MOVE(name);
	l->list[l->n++].n = n;
	return DONE;
}

static RESULT load_folder(struct locators *l, const char *folder, struct strbuf *why)
{
	DIR *dir = opendir(folder);
	struct result r = DONE;
	const struct dirent *e;

	if (dir == NULL) {
		strbuf_printf(why, "%s: %s\n", folder, strerror(errno));
		return FAIL(ERR_SYSTEM);
	}
	while (OK(r) && (e = readdir(dir)) != NULL) {
		AUTO_CHARS char *path = has_suffix(e->d_name) ? mem_printf("%s/%s", folder, e->d_name) : NULL;

		if (has_suffix(e->d_name))
			r = path != NULL ? load(l, path, why) : FAIL(ERR_NOMEM);
	}
	(void)closedir(dir);
	return r;
}

static int by_name(const void *a, const void *b)
{
	const struct locator *x = a, *y = b;

	return strcmp(x->name, y->name);
}

RESULT locators_load(const char *folder, const char *const *files, size_t n, struct strbuf *why, struct locators **ret)
{
	AUTO(locators_free) struct locators *l = mem_alloc(sizeof *l);

	if (l == NULL)
		return FAIL(ERR_NOMEM);
	if (folder != NULL && *folder != '\0')
		TRY(load_folder(l, folder, why));
	for (size_t i = 0; i < n; i++)
		TRY(load(l, files[i], why));
	if (l->n > 1)
		qsort(l->list, l->n, sizeof *l->list, by_name);
	for (size_t i = 1; i < l->n; i++) {
		if (strcmp(l->list[i - 1].name, l->list[i].name) != 0)
			continue;
		strbuf_printf(why, "two trust anchor locators have the name %s\n", l->list[i].name);
		return FAIL(ERR_EXISTS);
	}
	l->shown = mem_alloc_array(l->n, sizeof *l->shown);
	if (l->shown == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < l->n; i++)
		l->shown[i] = (struct anchor_locator){ l->list[i].name, span_of(l->list[i].text, l->list[i].n) };
	*ret = MOVE(l);
	return DONE;
}

size_t locators_count(const struct locators *l)
{
	return l->n;
}

const struct anchor_locator *locators_list(const struct locators *l)
{
	return l->shown;
}

RESULT engine_run(const struct engine_options *o, struct anchor_result *ret_anchors, struct payload_table **ret_table, struct payload_table **ret_unsafe)
{
	AUTO(unsafe_free) struct unsafe *unsafe = unsafe_new(o->unsafe_ranges);
	AUTO(collector_free) struct collector *c = collector_new(o->refused);
	AUTO(table_unref) struct payload_table *t = NULL, *part = NULL;
	struct validate_options v;

	if (c == NULL || unsafe == NULL)
		return FAIL(ERR_NOMEM);
	collector_note_unsafe(c, unsafe);
	v = (struct validate_options){ .now = o->now, .threads = o->threads > 0 ? o->threads : 1, .limits = o->limits, .objects = o->objects, .sink = collector_sink(c), .keeper = o->keeper,
		.anchors = o->locators->shown, .anchor_count = o->locators->n };
	TRY(validate_run(&v, ret_anchors));
	TRY(collector_finish(c, o->generation, &t));
	unsafe_seal(unsafe);
	TRY(unsafe_part(unsafe, o->unsafe, o->generation, &t, &part));
	if (ret_unsafe != NULL)
		*ret_unsafe = MOVE(part);
	*ret_table = MOVE(t);
	return DONE;
}

static uint64_t all_invalid(const struct anchor_result *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < COUNTED; i++)
		n += a->invalid[i];
	return n;
}

void engine_report(const struct locators *l, const struct anchor_result *anchors, struct strbuf *out)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct anchor_result *a = &anchors[i];

		if (!a->usable && a->points == 0) {
			strbuf_printf(out, "%s: NOT USABLE: there is no good certificate of it\n", l->list[i].name);
			continue;
		}
		strbuf_printf(out, "%s: %s%" PRIu64 " publication points (%" PRIu64 " failed, %" PRIu64 " by their last good state), ", l->list[i].name,
			a->usable ? "" : "NOT USABLE: ", a->points, a->points_failed, a->points_kept);
		strbuf_printf(out, "%" PRIu64 " ROAs, %" PRIu64 " ASPAs, %" PRIu64 " router certificates, %" PRIu64 " objects refused, %" PRIu64 " payloads\n",
			a->valid[COUNTED_ROA], a->valid[COUNTED_ASPA], a->valid[COUNTED_ROUTER], all_invalid(a), a->payloads);
		if (a->wanting[WANTING_MANIFEST] + a->wanting[WANTING_FRESH_MANIFEST] + a->wanting[WANTING_FRESH_CRL] > 0)
			strbuf_printf(out, "%s: %" PRIu64 " manifests are missing, %" PRIu64 " manifests and %" PRIu64 " CRLs are out of date\n", l->list[i].name,
				a->wanting[WANTING_MANIFEST], a->wanting[WANTING_FRESH_MANIFEST], a->wanting[WANTING_FRESH_CRL]);
		if (a->limits > 0)
			strbuf_printf(out, "%s: %" PRIu64 " times a limit was reached\n", l->list[i].name, a->limits);
	}
}
