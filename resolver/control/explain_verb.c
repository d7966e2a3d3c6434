/*
 * explain_verb.c: "explain NAME [TYPE]". The question is resolved as a client's would be; then the caches are examined (resolver/core/explain.h), and what is missing in them is asked
 * for with CD, so that bogus data is at hand too, a few times over. Everything but the resolutions happens on the main loop.
 */
#include "base/rng.h"
#include "resolver/anchors.h"
#include "resolver/control/explain_json.h"
#include "resolver/control/explain_text.h"
#include "resolver/control/verbs.h"
#include "resolver/core/explain_keep.h"
#include "resolver/routes/board.h"

#define EXPLAIN_ROUNDS 8         /* of questions for what is missing */
#define EXPLAIN_WAIT_MS 15000    /* for the answers of one round */
#define EXPLAIN_TIME_MS 40000    /* after which no new round begins */
#define EXPLAIN_ASKED 128        /* questions in all */
#define TEXT_KEPT 1024

struct explain_job {
	struct explain_told told;
	struct question q;
	struct question asked[EXPLAIN_ASKED]; /* with CD */
	size_t asked_count;
	uint32_t round;       /* answers of others come too late */
	uint32_t outstanding;
	uint64_t began_ms;
	timer_h timer;
};

static void go_on(struct command *c);

static void end_round(struct command *c)
{
	struct explain_job *j = c->explain;

	loop_timer_stop(c->loop, &j->timer);
	j->round++;
	j->outstanding = 0;
	go_on(c);
}

static void on_time(struct loop *l, void *object)
{
	struct command *c = object;

	(void)l;
	c->explain->timer = (timer_h){ 0 };
	end_round(c);
}

static const char *kept(struct command *c, const char *s) IN_ARENA;
static const char *kept(struct command *c, const char *s)
{
	return s == NULL ? NULL : arena_printf(c->arena, "%.*s", TEXT_KEPT, s);
}

static void keep_told(struct command *c, const struct answer *a)
{
	struct explain_told *t = &c->explain->told;

	t->told = true;
	t->rcode = a->rcode;
	t->security = (enum security)a->security;
	t->why = kept(c, a->why);
	for (size_t i = 0; i < a->ede_count && i < ANSWER_EDES; i++)
		t->ede[t->ede_count++] = (struct ede){ a->ede[i].code, kept(c, a->ede[i].text) };
	if (t->rcode == RCODE_SERVFAIL && t->ede_count > 0 && ede_is_dnssec(t->ede[0].code))
		t->security = SECURITY_BOGUS;
}

static void on_told(struct loop *l, void *object, uint32_t tag, const struct answer *a)
{
	struct command *c = object;
	struct explain_job *j = c->explain;

	if (tag != j->round)
		return;
	if (tag == 0 && a != NULL)
		keep_told(c, a);
	if (a != NULL)
		explain_keep(c->kept, daemon_member(c->daemon), a, loop_now(l));
	if (--j->outstanding == 0)
		end_round(c);
}

/* With CD: what is bogus too. It is not in the cache, or it would not be asked for: so that it failed lately does not count either. */
static void ask(struct command *c, const struct question *q, bool check_disabled)
{
	struct explain_job *j = c->explain;
	struct resolve_request r = { .q = *q, .check_disabled = check_disabled, .refresh = check_disabled };

	if (OK(daemon_ask(c->daemon, &r, &command_loop_type, c->self.v, j->round, on_told)))
		j->outstanding++;
}

static bool wait_for_round(struct command *c)
{
	struct explain_job *j = c->explain;

	return j->outstanding > 0 && OK(loop_timer(c->loop, &command_loop_type, c->self.v, on_time, EXPLAIN_WAIT_MS, &j->timer));
}

static bool was_asked(const struct explain_job *j, const struct question *q)
{
	for (size_t i = 0; i < j->asked_count; i++) {
		if (j->asked[i].type == q->type && name_equal(j->asked[i].name, q->name))
			return true;
	}
	return false;
}

static void ask_anew(struct command *c, const struct question *q)
{
	struct explain_job *j = c->explain;
	struct question copy = { name_dup_in(c->arena, q->name), q->type, CLASS_IN };

	if (copy.name.wire == NULL || j->asked_count == EXPLAIN_ASKED || was_asked(j, &copy))
		return;
	j->asked[j->asked_count++] = copy;
	ask(c, &copy, true);
}

/* What the explanation misses is asked for; false: nothing new, or it has taken too long. */
static bool ask_missing(struct command *c, const struct explanation *x)
{
	struct explain_job *j = c->explain;

	if (j->round > EXPLAIN_ROUNDS || now_ms(loop_now(c->loop)) - j->began_ms > EXPLAIN_TIME_MS)
		return false;
	for (size_t i = 0; i < x->wanted_count; i++)
		ask_anew(c, &x->wanted[i]);
	return wait_for_round(c);
}

static void reply(struct command *c, const struct explanation *x)
{
	if (c->words.json)
		explain_json(x, &c->explain->told, c->out);
	else
		explain_text(x, &c->explain->told, c->out);
	c->part = REPLY_ENDED;
}

static void go_on(struct command *c)
{
	struct shared *s = daemon_shared(c->daemon);
	struct explain_env e = { .rrcache = s->rrcache, .kept = c->kept, .infra = s->infra, .keycache = s->keycache, .settings = daemon_plan(c->daemon)->core,
		.validation = anchor_keeper_validation(daemon_keeper(c->daemon)), .now = loop_now(c->loop) };
	AUTO(route_sheet_unref) struct route_sheet *sheet = route_board_get(s->routes);
	AUTO(explanation_free) struct explanation *x = NULL;

	e.routes = sheet != NULL ? sheet->view : NULL;
	x = explain_make(&e, &c->explain->q);
	if (x != NULL && ask_missing(c, x))
		return;
	c->waiting = false;
	if (x != NULL)
		reply(c, x);
	else
		reply_error(c, "out of memory");
	command_resume(c);
}

static bool read_type(struct command *c, uint16_t *ret)
{
	*ret = RR_A;
	if (c->words.count <= 2)
		return true;
	if (OK(rrtype_parse(c->words.word[2], ret)) && !rrtype_is_meta(*ret) && *ret != RR_RRSIG)
		return true;
	reply_error(c, "found \"%s\", expected the name of an RR type", c->words.word[2]);
	return false;
}

static void verb_explain(struct command *c)
{
	struct hash_key key = rng_hash_key(loop_rng(c->loop));
	struct explain_job *j;

	if (!command_name(c, 1, &c->name) || !read_type(c, &c->type))
		return;
	j = arena_alloc(c->arena, sizeof *j);
	c->explain = j;
	c->kept = explain_keeper(&key);
	if (j == NULL || c->kept == NULL) {
		reply_error(c, "out of memory");
		return;
	}
	j->q = (struct question){ name_of(&c->name), c->type, CLASS_IN };
	j->began_ms = now_ms(loop_now(c->loop));
	c->waiting = true;
	ask(c, &j->q, false);
	if (!wait_for_round(c)) {
		c->waiting = false;
		reply_error(c, "out of memory");
	}
}

const struct verb explain_verbs[] = {
	{ "explain", 1, 2, verb_explain, "NAME [TYPE]" },
	{ NULL, 0, 0, NULL, NULL },
};
