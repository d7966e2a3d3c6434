#include "rpki/commands/table_of.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "conf/conf.h"
#include "rpki/commands/table_file.h"
#include "rpki/engine.h"
#include "rpki/process/setup.h"
#include "rpki/serve/rtr_keep.h"
#include "rpki/serve/slurm.h"
#include "rpki/settings.h"
#include "rpki/store/store.h"
#include "rpki/validate/stored.h"
#include "rpki/validate/tree.h"

#define SLURM_OCTETS ((size_t)1 << 30)

static struct result say(struct strbuf *why, const char *path, struct result r)
{
	if (r.e != ERR_NOMEM)
		strbuf_printf(why, "%s: %s\n", path, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	return r;
}

/* --------------------------------------------------------------------------------------------------------------- exceptions */

static RESULT read_slurm(const struct conf_clause *rpki, size_t n, char **texts, struct slurm_file *files, struct strbuf *why, struct slurm **ret)
{
	for (size_t i = 0; i < n; i++) {
		const char *path = conf_item(rpki, OPT_RPKI_SLURM, i);
		size_t octets = 0;
		struct result r = file_read_all(path, SLURM_OCTETS, &texts[i], &octets);

		if (!OK(r))
			return say(why, path, r);
		files[i] = (struct slurm_file){ .name = path, .text = span_of(texts[i], octets) };
	}
	return slurm_read(files, n, why, ret);
}

RESULT table_with_exceptions(const struct conf *c, const struct payload_table *t, struct strbuf *why, struct payload_table **ret)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	size_t n = conf_count(rpki, OPT_RPKI_SLURM);
	AUTO(mem_free) void *texts = mem_alloc_array(n, sizeof(char *)), *files = mem_alloc_array(n, sizeof(struct slurm_file));
	AUTO(slurm_free) struct slurm *s = NULL;
	struct result r = FAIL(ERR_NOMEM);
	struct slurm_counts counts;

	if (texts != NULL && files != NULL)
		r = read_slurm(rpki, n, texts, files, why, &s);
	for (size_t i = 0; texts != NULL && i < n; i++)
		mem_free(((char **)texts)[i]); /* own-ok: R4 the array owned it */
	TRY(r);
	if (s == NULL)
		return FAIL(ERR_NOMEM);
	return slurm_apply(s, t, NULL, 0, &counts, ret);
}

/* --------------------------------------------------------------------------------------------------------------------- run */

/* Otherwise a route that is not found would be all that is told of it. */
static void say_unusable(const struct locators *l, const struct anchor_result *anchors, int64_t now, struct strbuf *why)
{
	char iso[32];

	for (size_t i = 0; i < locators_count(l); i++)
		if (!anchors[i].usable)
			strbuf_printf(why, "%s: the trust anchor is not usable as of %s: nothing below it counts\n", locators_list(l)[i].name, clock_iso(now, iso));
}

static RESULT run_over(const struct objects *objects, const struct conf_clause *rpki, const struct locators *l, int64_t now, struct strbuf *why, struct payload_table **ret)
{
	AUTO(mem_free) void *anchors = mem_alloc_array(locators_count(l), sizeof(struct anchor_result));
	struct engine_options o = { .now = now, .threads = (unsigned int)conf_int(rpki, OPT_RPKI_THREADS), .limits = settings_validate(rpki),
		.objects = objects, .locators = l, .unsafe = settings_unsafe(rpki) };

	if (anchors == NULL)
		return FAIL(ERR_NOMEM);
	TRY(engine_run(&o, anchors, ret, NULL));
	say_unusable(l, anchors, now, why);
	return DONE;
}

static RESULT run_over_store(const struct conf_clause *rpki, const struct locators *l, int64_t now, struct strbuf *why, struct payload_table **ret)
{
	const char *dir = conf_text(rpki, OPT_RPKI_CACHE_DIR);
	AUTO(store_close) struct store *s = NULL;
	AUTO(stored_free) struct stored *objects = NULL;
	struct store_limits limits = store_limits_default();
	size_t said = strbuf_len(why);
	struct result r;

	if (dir == NULL || access(dir, R_OK) != 0)
		return say(why, dir != NULL ? dir : "cache-dir", FAIL(dir != NULL ? ERR_SYSTEM : ERR_NOTFOUND));
	limits.only_look = true;
	r = store_open(dir, &limits, why, &s);
	if (!OK(r))
		return strbuf_len(why) > said ? r : say(why, dir, r);
	objects = stored_new(s, conf_bool(rpki, OPT_RPKI_RRDP));
	return objects != NULL ? run_over(stored_objects(objects), rpki, l, now, why, ret) : FAIL(ERR_NOMEM);
}

static RESULT run_over_tree(const char *folder, const struct conf_clause *rpki, const struct locators *l, int64_t now, struct strbuf *why, struct payload_table **ret)
{
	AUTO(tree_free) struct tree *tree = tree_new(folder);

	if (tree == NULL)
		return say(why, folder, FAIL(ERR_SYSTEM));
	return run_over(tree_objects(tree), rpki, l, now, why, ret);
}

static RESULT run(const struct conf *c, int64_t now, struct strbuf *why, struct payload_table **ret)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	const char *folder = conf_text(rpki, OPT_RPKI_RPKI_TREE);
	AUTO(table_unref) struct payload_table *validated = NULL;
	AUTO(locators_free) struct locators *l = NULL;

	TRY(settings_load_locators(rpki, why, &l));
	if (locators_count(l) == 0)
		return table_with_exceptions(c, NULL, why, ret);
	if (folder != NULL && *folder != '\0')
		TRY(run_over_tree(folder, rpki, l, now, why, &validated));
	else
		TRY(run_over_store(rpki, l, now, why, &validated));
	return table_with_exceptions(c, validated, why, ret);
}

RESULT table_of(const struct table_wanted *w, const struct conf *c, struct strbuf *why, struct payload_table **ret)
{
	AUTO_CHARS char *kept = NULL;
	const char *dir;
	struct stat st;

	if (w->file != NULL)
		return table_file_read(w->file, why, ret);
	if (w->offline)
		return run(c, w->now, why, ret);
	dir = conf_text(conf_single(c, CLAUSE_RPKI), OPT_RPKI_CACHE_DIR);
	kept = mem_printf("%s/" SERVE_FOLDER "/" RTR_KEEP_NAME, dir != NULL ? dir : "");
	if (kept == NULL)
		return FAIL(ERR_NOMEM);
	if (stat(kept, &st) != 0 || access(kept, R_OK) != 0) {
		strbuf_printf(why, "%s: %s: the daemon has not served a table with this configuration: say --table FILE or --offline\n", kept, strerror(errno));
		return FAIL(ERR_NOTFOUND);
	}
	if (w->now - st.st_mtime > conf_int(conf_single(c, CLAUSE_RTR), OPT_RTR_EXPIRE))
		strbuf_printf(why, "%s: %lld seconds old: the daemon does not run, or finds nothing\n", kept, (long long)(w->now - st.st_mtime));
	return table_file_read(kept, why, ret);
}
