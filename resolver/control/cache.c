/* cache.c: verbs about what is cached, and about what is under way. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "resolver/cache/denials.h"
#include "resolver/cache/infra.h"
#include "resolver/cache/keycache.h"
#include "resolver/control/loading.h"
#include "resolver/control/verbs.h"

#define SLOTS_A_STEP 512u
#define TEXT_MAX (64u << 20)

/* ---- dumps, in steps -------------------------------------------------------------------------------------------------------------------- */

static RESULT print_bundle(void *user, const struct bundle *b)
{
	struct command *c = user;
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);

	if (text == NULL)
		return FAIL(ERR_NOMEM);
	if (c->name.len != 0 && !name_is_under(bundle_key(b).name, name_of(&c->name)))
		return DONE;
	loading_print(b, loop_now(c->loop), text);
	reply_lines(c, strbuf_text(text));
	return DONE;
}

static bool step_dump(struct command *c)
{
	struct result r = DONE;

	c->cursor = rrcache_visit(daemon_shared(c->daemon)->rrcache, c->cursor, SLOTS_A_STEP, print_bundle, c, &r);
	if (OK(r) && c->cursor != 0)
		return false;
	if (c->flag) {
		reply_line(c, "END_RRSET_CACHE");
		reply_line(c, "START_MSG_CACHE");
		reply_line(c, "END_MSG_CACHE");
		reply_line(c, "EOF");
	}
	reply_end(c);
	return true;
}

static void verb_dump_cache(struct command *c)
{
	c->flag = true;
	reply_line(c, "START_RRSET_CACHE");
	c->step = step_dump;
}

static void verb_cache_lookup(struct command *c)
{
	size_t i = 1;

	if (strcmp(c->words.word[1], "+t") == 0)
		i++; /* whole top levels are allowed anyway */
	if (i >= c->words.count)
		reply_error(c, "cache_lookup: expected: cache_lookup [+t] NAME");
	else if (command_name(c, i, &c->name))
		c->step = step_dump;
}

static void line_load(struct command *c, struct span line)
{
	bool end = line.n == 3 && memcmp(line.p, "EOF", 3) == 0; /* a dump's own end: unbound-control sends no other */

	if (line.p == NULL || end) {
		uint64_t n = loading_end(c->loading, loop_now(c->loop));

		c->line = NULL;
		daemon_flushed(c->daemon);
		if (c->bad > 0)
			reply_line(c, "%llu lines were left out", (unsigned long long)c->bad);
		reply_line(c, "ok loaded %llu entries", (unsigned long long)n);
		reply_end(c);
	} else if (!OK(loading_line(c->loading, line, loop_now(c->loop)))) {
		c->bad++;
	}
}

static void verb_load_cache(struct command *c)
{
	c->loading = loading_new(daemon_shared(c->daemon)->rrcache, daemon_member(c->daemon));
	if (c->loading == NULL)
		reply_error(c, "out of memory");
	else
		c->line = line_load;
}

/* ---- flushes ---------------------------------------------------------------------------------------------------------------------------- */

static void flushed(struct command *c, size_t n)
{
	daemon_flushed(c->daemon);
	if (c->flag || c->words.json)
		reply_line(c, "ok removed %zu entries", n);
	else
		reply_ok(c);
}

static struct rrcache *cache_of(struct command *c) BORROWED;
static struct rrcache *cache_of(struct command *c)
{
	return daemon_shared(c->daemon)->rrcache;
}

/* Keys and the like at and below the name. */
static size_t flush_keys(struct command *c, struct name n)
{
	return keycache_flush(daemon_shared(c->daemon)->keycache, daemon_member(c->daemon), n);
}

/* What other names' denials say about the name and those below it: or it would be denied again at once. */
static size_t flush_denials(struct command *c, struct name n)
{
	return denials_flush(daemon_shared(c->daemon)->denials, n);
}

static void verb_flush(struct command *c)
{
	struct name_buf n;

	if (command_name(c, 1, &n))
		flushed(c, rrcache_flush_name(cache_of(c), daemon_member(c->daemon), name_of(&n), 0) + flush_denials(c, name_of(&n)));
}

static void verb_flush_type(struct command *c)
{
	struct name_buf n;
	uint16_t type;
	size_t keys = 0;

	if (!command_name(c, 1, &n))
		return;
	if (!OK(rrtype_parse(c->words.word[2], &type))) {
		reply_error(c, "found \"%s\", expected the name of an RR type", c->words.word[2]);
		return;
	}
	if (type == RR_DS || type == RR_DNSKEY)
		keys = flush_keys(c, name_of(&n));
	flushed(c, rrcache_flush_name(cache_of(c), daemon_member(c->daemon), name_of(&n), type) + flush_denials(c, name_of(&n)) + keys);
}

static void verb_flush_zone(struct command *c)
{
	struct name_buf n;
	size_t removed;

	c->flag = true;
	if (!command_name(c, 1, &n))
		return;
	removed = rrcache_flush_zone(cache_of(c), daemon_member(c->daemon), name_of(&n));
	flushed(c, removed + flush_keys(c, name_of(&n)) + flush_denials(c, name_of(&n)));
}

/* Neither keys nor denials are ever bogus. */
static void verb_flush_bogus(struct command *c)
{
	c->flag = true;
	flushed(c, rrcache_flush_class(cache_of(c), daemon_member(c->daemon), FLUSH_BOGUS));
}

static void verb_flush_negative(struct command *c)
{
	size_t removed = rrcache_flush_class(cache_of(c), daemon_member(c->daemon), FLUSH_NEGATIVE);

	c->flag = true;
	removed += keycache_flush_negative(daemon_shared(c->daemon)->keycache, daemon_member(c->daemon));
	flushed(c, removed + flush_denials(c, name_root));
}

static void verb_flush_infra(struct command *c)
{
	struct addr a;

	if (strcmp(c->words.word[1], "all") == 0) {
		infra_flush(daemon_shared(c->daemon)->infra, NULL);
	} else if (OK(addr_parse(c->words.word[1], &a))) {
		infra_flush(daemon_shared(c->daemon)->infra, &a);
	} else {
		reply_error(c, "found \"%s\", expected all or an address", c->words.word[1]);
		return;
	}
	reply_ok(c);
}

/* ---- servers, and what is under way -------------------------------------------------------------------------------------------------------- */

static void verb_dump_infra(struct command *c)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);

	if (text == NULL) {
		reply_error(c, "out of memory");
		return;
	}
	infra_dump(daemon_shared(c->daemon)->infra, loop_now(c->loop), text);
	reply_lines(c, strbuf_text(text));
}

static void each_requests(struct worker *w, struct strbuf *out, void *ctx)
{
	(void)ctx;
	strbuf_printf(out, "thread #%u\n", w->env.number);
	core_dump_requests(w->core, out);
}

static void done_lines(struct command *c, struct strbuf *const *outs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		reply_lines(c, strbuf_text(outs[i]));
}

static void verb_dump_requestlist(struct command *c)
{
	command_round(c, each_requests, done_lines);
}

static void each_drop(struct worker *w, struct strbuf *out, void *ctx)
{
	(void)ctx, (void)out;
	core_drop_oldest(w->core, SIZE_MAX);
}

static void done_ok(struct command *c, struct strbuf *const *outs, size_t n)
{
	(void)outs, (void)n;
	reply_ok(c);
}

static void verb_flush_requestlist(struct command *c)
{
	command_round(c, each_drop, done_ok);
}

static void each_lookup(struct worker *w, struct strbuf *out, void *ctx)
{
	const struct name_buf *name = ctx;

	if (w->env.number == 0)
		core_explain_servers(w->core, name_of(name), out);
}

static void verb_lookup(struct command *c)
{
	if (command_name(c, 1, &c->name))
		command_round(c, each_lookup, done_lines);
}

const struct verb cache_verbs[] = {
	{ "dump_cache", 0, 1, verb_dump_cache, "" },
	{ "load_cache", 0, 1, verb_load_cache, "(lines)" },
	{ "cache_lookup", 1, 2, verb_cache_lookup, "[+t] NAME" },
	{ "lookup", 1, 1, verb_lookup, "NAME" },
	{ "flush", 1, 2, verb_flush, "NAME" },
	{ "flush_type", 2, 3, verb_flush_type, "NAME TYPE" },
	{ "flush_zone", 1, 2, verb_flush_zone, "NAME" },
	{ "flush_bogus", 0, 1, verb_flush_bogus, "" },
	{ "flush_negative", 0, 1, verb_flush_negative, "" },
	{ "flush_infra", 1, 1, verb_flush_infra, "all|ADDRESS" },
	{ "dump_infra", 0, 0, verb_dump_infra, "" },
	{ "dump_requestlist", 0, 0, verb_dump_requestlist, "" },
	{ "flush_requestlist", 0, 0, verb_flush_requestlist, "" },
	{ NULL, 0, 0, NULL, NULL },
};
