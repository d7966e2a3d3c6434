#include "resolver/filter_keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/plan.h"
#include "resolver/serve/filter_board.h"

#define WATCH_MS 2000u
#define TOLD 20u        /* lines that are no rules and are told one by one */
#define TOLD_OCTETS 200 /* of such a line */

LOOP_HANDLE(filter_keeper)
LOOP_HANDLE_IMPL(filter_keeper)

struct rule_file {
	char *path OWNED_FIELD;
	struct file_seen seen;
	bool looked;          /* seen is how it looked then */
	char *text OWNED_FIELD; /* as it was read last; NULL: never */
	size_t octets;
};

struct rule_files {
	size_t count;
	struct rule_file f[];
};

struct filter_keeper {
	struct loop *loop PARENT_FIELD;
	struct filter_board *board PARENT_FIELD;
	filter_changed_fn *changed;
	void *ctx PARENT_FIELD; /* own-ok: R15 the daemon, which outlives it */
	filter_keeper_h self;
	timer_h watch;
	struct hash_key key;
	struct rule_files *files OWNED_FIELD; /* NULL: not set yet */
	struct plan *plan OWNED_FIELD;
	bool behind; /* what hangs there is not made of all that was read: there was no memory */
	struct filter_keeper_counts counts;
};

static const struct conf_clause *clause_of(const struct conf *c)
{
	return conf_single(c, CLAUSE_FILTER);
}

/* "FILE:LINE" in two. */
static uint32_t split_where(char *where)
{
	char *colon = strrchr(where, ':');

	if (colon == NULL)
		return 0;
	*colon = '\0';
	return (uint32_t)strtoul(colon + 1, NULL, 10);
}

/* Adds rule i of the configuration. ERR_FORMAT: it is none. */
static RESULT add_rule(struct filter_builder *b, const struct conf_clause *c, size_t i)
{
	const char *text = conf_item(c, OPT_FILTER_RULE, i);
	AUTO_CHARS char *where = mem_strdup(conf_where(c, OPT_FILTER_RULE, i));
	uint32_t line;

	if (where == NULL)
		return FAIL(ERR_NOMEM);
	line = split_where(where);
	return filter_add_rule(b, where, line, span_text(text));
}

/* --- checking */

static void refused_in_conf(void *ctx, const struct filter_refusal *r)
{
	struct strbuf *report = ctx;

	strbuf_printf(report, "%s:%u: error: rule: found \"%.*s\", which cannot be used: %s\n", r->source, r->line, (int)r->text.n, (const char *)r->text.p, r->reason);
}

static struct filter_limits limits_of(const struct conf_clause *c)
{
	return (struct filter_limits){ .rules = (size_t)conf_int(c, OPT_FILTER_MAX_RULES),
		.patterns = (size_t)conf_int(c, OPT_FILTER_MAX_PATTERNS),
		.octets = (size_t)conf_int(c, OPT_FILTER_MAX_MEMORY),
		.line = (size_t)conf_int(c, OPT_FILTER_MAX_LINE),
		.told = TOLD };
}

RESULT filter_check(const struct conf *conf, struct strbuf *report)
{
	static const struct hash_key key = { { 0, 0 } };
	const struct conf_clause *c = clause_of(conf);
	struct filter_limits limits = limits_of(c);
	AUTO(filter_builder_free) struct filter_builder *b = NULL;
	struct result r = DONE;

	limits.told = conf_count(c, OPT_FILTER_RULE);
	b = filter_builder_new(&limits, &key, refused_in_conf, report);
	if (b == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < conf_count(c, OPT_FILTER_RULE); i++) {
		struct result one = add_rule(b, c, i);

		if (!OK(one) && one.e != ERR_FORMAT)
			return one;
		r = OK(one) ? r : one;
	}
	return r;
}

/* --- files */

static void rule_files_free(struct rule_files *all) TAKES(1);
DEFINE_AUTO(struct rule_files, rule_files_free)
static void rule_files_free(struct rule_files *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->count; i++) {
		mem_free(MOVE(all->f[i].path));
		mem_free(MOVE(all->f[i].text));
	}
	mem_free(all);
}

static struct rule_files *rule_files_new(const struct conf_clause *c) OWNED_BY(rule_files_free);
static struct rule_files *rule_files_new(const struct conf_clause *c)
{
	size_t n = conf_count(c, OPT_FILTER_RULE_FILE);
	AUTO(rule_files_free) struct rule_files *all = (struct rule_files *)mem_alloc(sizeof *all + n * sizeof all->f[0]);

	if (all == NULL)
		return NULL;
	all->count = n;
	for (size_t i = 0; i < n; i++) {
		all->f[i].path = mem_strdup(conf_item(c, OPT_FILTER_RULE_FILE, i));
		if (all->f[i].path == NULL)
			return NULL;
	}
	return MOVE(all);
}

/* What was listed before stays as it was read. */
static void take_text(struct rule_files *before, struct rule_file *f)
{
	for (size_t i = 0; i < before->count && !f->looked; i++) {
		struct rule_file *b = &before->f[i];

		if (!b->looked || strcmp(b->path, f->path) != 0)
			continue;
		f->text = MOVE(b->text);
		f->octets = b->octets;
		f->seen = b->seen;
		f->looked = true;
		b->looked = false;
	}
}

static RESULT set_files(struct filter_keeper *k, const struct conf_clause *c)
{
	AUTO(rule_files_free) struct rule_files *now = rule_files_new(c), *before = NULL;

	if (now == NULL)
		return FAIL(ERR_NOMEM);
	before = MOVE(k->files);
	for (size_t i = 0; before != NULL && i < now->count; i++)
		take_text(before, &now->f[i]);
	k->files = MOVE(now);
	return DONE;
}

static RESULT read_file(struct filter_keeper *k, struct rule_file *f)
{
	AUTO_CHARS char *text = NULL;
	size_t n = 0;
	struct result r = file_read_all(f->path, (size_t)conf_int(clause_of(k->plan->conf), OPT_FILTER_MAX_FILE_SIZE), &text, &n);

	if (!OK(r)) {
		f->looked = r.e != ERR_NOMEM; /* then it is tried again */
		k->counts.failed++;
		log_error("filter: %s cannot be read: %s%s", f->path, r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_LIMIT ? "more than max-file-size:" : err_text(r.e),
		    f->text != NULL ? "; its rules of before stay" : "");
		return r;
	}
	k->counts.read++;
	mem_free(MOVE(f->text));
	f->text = MOVE(text);
	f->octets = n;
	return DONE;
}

/* Reads it when it looks different than before: one that is missing is said so once. True: there is something new. */
static bool look_at(struct filter_keeper *k, struct rule_file *f)
{
	struct file_seen now = file_look(f->path);

	if (f->looked && file_same(&now, &f->seen))
		return false;
	f->looked = true;
	f->seen = now;
	return OK(read_file(k, f));
}

static bool look_at_files(struct filter_keeper *k)
{
	bool changed = false;

	for (size_t i = 0; i < k->files->count; i++)
		changed = look_at(k, &k->files->f[i]) || changed;
	return changed;
}

/* --- making a filter */

static void refused_in_file(void *ctx, const struct filter_refusal *r)
{
	char text[TOLD_OCTETS + 1];
	size_t n = r->text.n < TOLD_OCTETS ? r->text.n : TOLD_OCTETS;

	(void)ctx;
	for (size_t i = 0; i < n; i++)
		text[i] = r->text.p[i] >= ' ' && r->text.p[i] <= '~' ? (char)r->text.p[i] : '?';
	text[n] = '\0';
	log_warn("filter: %s:%u: \"%s\" is left out: %s", r->source, r->line, text, r->reason);
}

static RESULT add_all(struct filter_keeper *k, const struct conf_clause *c, struct filter_builder *b)
{
	for (size_t i = 0; i < conf_count(c, OPT_FILTER_RULE); i++) {
		struct result r = add_rule(b, c, i);

		if (!OK(r) && r.e != ERR_FORMAT) /* that was told */
			return r;
	}
	for (size_t i = 0; i < k->files->count; i++)
		if (k->files->f[i].text != NULL)
			TRY(filter_add_text(b, k->files->f[i].path, span_of(k->files->f[i].text, k->files->f[i].octets)));
	return DONE;
}

static enum filter_told told_of(int64_t word)
{
	switch (word) {
	case CONF_BLOCK_NXDOMAIN:
		return FILTER_TOLD_NXDOMAIN;
	case CONF_BLOCK_NODATA:
		return FILTER_TOLD_NODATA;
	case CONF_BLOCK_REFUSE:
		return FILTER_TOLD_REFUSED;
	case CONF_BLOCK_DROP:
		return FILTER_TOLD_NOTHING;
	default:
		return FILTER_TOLD_NULL;
	}
}

static struct filter_options options_of(const struct conf_clause *c)
{
	return (struct filter_options){ told_of(conf_int(c, OPT_FILTER_BLOCK_ANSWER)), (uint32_t)conf_int(c, OPT_FILTER_BLOCK_TTL), conf_bool(c, OPT_FILTER_DRY_RUN) };
}

static void tell_counts(const struct filter *f)
{
	const struct filter_counts *n = filter_count(f);

	log_notice("filter: %llu rules, %llu of them exceptions, %llu with conditions on the answer; %llu lines left out, %llu of them for a limit", (unsigned long long)n->rules,
	    (unsigned long long)n->exceptions, (unsigned long long)n->conditions, (unsigned long long)n->refused, (unsigned long long)n->over_limit);
}

static RESULT make_sheet(struct filter_keeper *k, const struct conf_clause *c, struct filter_sheet **ret)
{
	struct filter_limits limits = limits_of(c);
	struct filter_options options = options_of(c);
	AUTO(filter_builder_free) struct filter_builder *b = filter_builder_new(&limits, &k->key, refused_in_file, NULL);
	AUTO(filter_free) struct filter *f = NULL;

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	TRY(add_all(k, c, b));
	TRY(filter_build(MOVE(b), &f));
	tell_counts(f);
	*ret = filter_sheet_new(MOVE(f), &options);
	return *ret != NULL ? DONE : FAIL(ERR_NOMEM);
}

/* Nothing hangs there where nothing is asked for. */
static RESULT publish(struct filter_keeper *k)
{
	const struct conf_clause *c = clause_of(k->plan->conf);
	AUTO(filter_sheet_unref) struct filter_sheet *s = NULL;

	if (k->files->count > 0 || conf_count(c, OPT_FILTER_RULE) > 0)
		TRY(make_sheet(k, c, &s));
	else if (filter_board_number(k->board) == 0)
		return DONE;
	filter_board_put(k->board, MOVE(s));
	k->behind = false;
	k->counts.made_ms = now_ms(loop_now(k->loop));
	mem_trim();
	k->changed(k->ctx);
	return DONE;
}

static void watch_again(struct filter_keeper *k);

static void on_watch(struct loop *l, void *object)
{
	struct filter_keeper *k = object;

	(void)l;
	k->watch.v = 0;
	k->behind = look_at_files(k) || k->behind;
	if (k->behind && !OK(publish(k)))
		log_limited(LOG_LEVEL_ERROR, "filter: out of memory: the rules of before stay for now");
	watch_again(k);
}

static void watch_again(struct filter_keeper *k)
{
	loop_timer_stop(k->loop, &k->watch);
	if (k->files != NULL && k->files->count > 0 && !OK(loop_timer(k->loop, &filter_keeper_loop_type, k->self.v, on_watch, WATCH_MS, &k->watch)))
		log_error("filter: out of memory: changes of files are not noticed until the next reload");
}

RESULT filter_keeper_set(struct filter_keeper *k, const struct plan *p)
{
	struct result r;

	plan_unref(MOVE(k->plan));
	k->plan = plan_ref(p);
	r = set_files(k, clause_of(p->conf));
	if (OK(r)) {
		(void)look_at_files(k);
		k->behind = true;
		r = publish(k);
	}
	watch_again(k);
	return r;
}

struct filter_keeper_counts filter_keeper_counts(const struct filter_keeper *k)
{
	return k->counts;
}

void filter_keeper_close(struct filter_keeper *k)
{
	if (k == NULL)
		return;
	loop_timer_stop(k->loop, &k->watch);
	if (k->self.v != 0)
		filter_keeper_retire(k->loop, k->self);
	rule_files_free(MOVE(k->files));
	plan_unref(MOVE(k->plan));
	mem_free(k);
}

struct filter_keeper *filter_keeper_open(struct loop *l, struct filter_board *b, filter_changed_fn *changed, void *ctx)
{
	AUTO(filter_keeper_close) struct filter_keeper *k = (struct filter_keeper *)mem_alloc(sizeof *k);

	if (k == NULL)
		return NULL;
	k->loop = l;
	k->board = b;
	k->changed = changed;
	k->ctx = ctx;
	k->key = rng_hash_key(loop_rng(l));
	k->self = filter_keeper_enlist(l, k);
	return k->self.v != 0 ? MOVE(k) : NULL;
}
