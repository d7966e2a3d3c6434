#include "core_world.h"

#include "base/arena.h"
#include "base/epoch.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/build.h"
#include "dns/zonefile.h"
#include "resolver/cache/infra.h"
#include "resolver/cache/rrcache.h"
#include "resolver/core/settings.h"
#include "resolver/routes/board.h"
#include "resolver/serve/upstream.h"

#define CORES 2
#define QUESTIONS 600
#define ROUND_TRIP_MS 10
#define TIMEOUT_MS 300

LOOP_HANDLE(asked)
LOOP_HANDLE_IMPL(asked)
LOOP_HANDLE(client)
LOOP_HANDLE_IMPL(client)
const struct loop_type ask_loop_type = { "ask" };

/* One that asks. */
struct client {
	client_h self;
	waiter_h waiter;
	struct core *core;
	struct world *world;
	struct told told;
};

struct upstream {
	struct world *w;
	struct loop *loop;
};

struct worker {
	struct loop *loop;
	struct epoch_member *member;
	struct rng *rng;
	struct stats stats;
	struct upstream upstream;
	struct core *core;
};

struct world {
	const struct line *lines;
	uint64_t mono_ms;
	struct strbuf *log;
	unsigned int packets;
	uint32_t timeout_ms;
	struct epoch *epoch;
	struct rrcache *cache;
	struct infra *infra;
	struct conf *conf;
	struct core_settings *settings;
	struct core_shared *shared;
	struct route_board *routes;
	struct worker worker[CORES];
	size_t core; /* in use */
	uint64_t fail_at;
	struct client client[QUESTIONS];
	size_t clients;
	/* Made and filled once before, so that memory that runs out on purpose runs out in what is tested. */
	struct arena *room;
	struct strbuf *print;
};

/* --- the loop's back end: virtual time */

static void virtual_now(void *ctx, struct now *ret)
{
	const struct world *w = ctx;

	*ret = (struct now){ .mono_ns = w->mono_ms * 1000000u, .wall_sec = 1700000000 + (int64_t)(w->mono_ms / 1000) };
}

static void virtual_wait(void *ctx, struct loop *l, uint64_t wait_ns)
{
	(void)ctx;
	(void)l;
	(void)wait_ns;
}

static struct result virtual_watch(void *ctx, struct loop *l, int fd, unsigned int events, uint32_t slot, void **ret)
{
	(void)ctx;
	(void)l;
	(void)fd;
	(void)events;
	(void)slot;
	(void)ret;
	return FAIL(ERR_UNSUPPORTED);
}

static void virtual_unwatch(void *ctx, void *watch)
{
	(void)ctx;
	(void)watch;
}

static void virtual_wake(void *ctx)
{
	(void)ctx;
}

/* --- scripted servers */

struct asked {
	asked_h self;
	struct dead dead;
	struct upstream *u;
	struct ask_request r;
	struct name_buf name;
	struct arena *arena;
	struct budget *budget;
	const struct loop_type *type;
	uint64_t who;
	uint32_t tag;
	ask_fn *fn;
	enum ask_outcome outcome;
	struct msg msg;
};

static void asked_bury(struct dead *d)
{
	mem_free((char *)d - offsetof(struct asked, dead));
}

static void asked_close(struct asked *a)
{
	asked_retire(a->u->loop, a->self);
	loop_bury(a->u->loop, &a->dead, asked_bury);
}

static void asked_done(struct loop *l, void *object)
{
	struct asked *a = object;
	struct ask_reply reply = { .outcome = a->outcome, .msg = &a->msg, .edns = true, .rtt_us = ROUND_TRIP_MS * 1000 };
	void *who = loop_slot_get(l, a->type, a->who);

	if (a->outcome == ASK_TIMEOUT)
		infra_note_timeout_of(a->u->w->infra, &a->r.server, a->r.q.type, loop_now(l));
	else
		infra_note_rtt(a->u->w->infra, &a->r.server, reply.rtt_us, loop_now(l));
	asked_close(a);
	if (who != NULL)
		a->fn(l, who, a->tag, &reply);
}

static bool name_fits(const char *pattern, struct name n)
{
	struct name_buf nb;
	bool below = pattern[0] == '.' && pattern[1] != '\0';

	if (strcmp(pattern, "*") == 0)
		return true;
	assert_true(OK(name_from_text(pattern + (below ? 1 : 0), NULL, &nb)));
	return below ? name_is_under(n, name_of(&nb)) : name_equal(n, name_of(&nb));
}

static const struct line *find_line(const struct world *w, const char *server, const struct question *q)
{
	char type[RRTYPE_TEXT];

	for (const struct line *l = w->lines; l->server != NULL; l++) {
		if (strcmp(l->server, "*") != 0 && strcmp(l->server, server) != 0)
			continue;
		if (strcmp(l->type, "*") != 0 && strcmp(l->type, rrtype_text(q->type, type)) != 0)
			continue;
		if (name_fits(l->name, q->name))
			return l;
	}
	return NULL;
}

struct composed {
	struct builder b;
	enum msg_part part;
	uint16_t rcode;
	enum ask_outcome outcome;
	struct arena *arena;
	const struct question *q;
	struct zone_rr pending[64]; /* RRs of one set, to be built together */
	size_t count;
};

static void flush_set(struct composed *c)
{
	struct span rdata[64];
	struct rrset *rs;

	if (c->count == 0)
		return;
	for (size_t i = 0; i < c->count; i++)
		rdata[i] = c->pending[i].rdata;
	rs = rrset_make_in(c->arena, c->pending[0].owner, c->pending[0].type, c->pending[0].rclass, c->pending[0].ttl, rdata, c->count, 0);
	c->count = 0;
	if (rs == NULL) {
		c->outcome = ASK_NO_ROOM;
		return;
	}
	assert_true(build_rrset(&c->b, c->part, rs, rs->ttl, false, 0));
}

static void add_record(struct composed *c, const char *text)
{
	uint8_t room[600];
	struct writer out = writer_of(room, sizeof room);
	struct name_buf owner;
	struct zone_rr rr;
	char whole[1500], asked[NAME_TEXT];
	const char *msg = "";
	bool as_asked = text[0] == 'Q' && text[1] == ' ';

	snprintf(whole, sizeof whole, "%s%s", as_asked ? name_to_text(c->q->name, asked) : "", as_asked ? text + 1 : text);
	if (!OK(zone_read_rr(whole, name_root, 3600, &owner, &rr, &out, &msg)) && !mem_failed())
		fail_msg("%s: %s", whole, msg);
	rr.owner = name_dup_in(c->arena, rr.owner);
	rr.rdata = span_of(arena_dup(c->arena, rr.rdata.p, rr.rdata.n), rr.rdata.n);
	if (mem_failed() && (rr.owner.wire == NULL || rr.rdata.p == NULL)) {
		c->outcome = ASK_NO_ROOM;
		return;
	}
	if (c->count > 0 && (c->pending[0].type != rr.type || !name_equal(c->pending[0].owner, rr.owner)))
		flush_set(c);
	c->pending[c->count++] = rr;
}

static void add_word(struct composed *c, const char *word)
{
	static const struct {
		const char *word;
		uint16_t flag;
	} flags[] = { { "AA", MSG_AA }, { "RA", MSG_RA } };
	static const struct {
		const char *word;
		enum ask_outcome outcome;
	} outcomes[] = { { "DROP", ASK_TIMEOUT }, { "GARBAGE", ASK_MALFORMED }, { "UNREACHABLE", ASK_UNREACHABLE } };
	static const char *const parts[] = { "an:", "ns:", "ar:" };
	uint16_t rcode;

	for (size_t i = 0; i < 2; i++) {
		if (strcmp(word, flags[i].word) == 0) {
			build_set_flags(&c->b, flags[i].flag, 0);
			return;
		}
	}
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(word, outcomes[i].word) == 0) {
			c->outcome = outcomes[i].outcome;
			return;
		}
		if (strcmp(word, parts[i]) == 0) {
			flush_set(c);
			c->part = PART_ANSWER + (enum msg_part)i;
			return;
		}
	}
	if (OK(rcode_parse(word, &rcode)))
		build_set_rcode(&c->b, rcode);
	else
		add_record(c, word);
}

static void compose(struct asked *a, const char *text)
{
	static uint8_t room[65535];
	struct composed c = { .part = PART_ANSWER, .outcome = ASK_REPLY, .arena = a->u->w->room, .q = &a->r.q };
	struct msg_limits limits = { 0 };
	char copy[8000], *save = copy, *word;
	size_t n;

	arena_reset(c.arena);
	build_start(&c.b, room, sizeof room, sizeof room, 0, 1, MSG_QR);
	build_question(&c.b, &a->r.q);
	snprintf(copy, sizeof copy, "%s", text);
	while ((word = strsep(&save, ";")) != NULL) {
		word += strspn(word, " ");
		word[strcspn(word, "\n")] = '\0';
		while (*word != '\0' && word[strlen(word) - 1] == ' ')
			word[strlen(word) - 1] = '\0';
		if (strlen(word) > 3 && word[2] == ':' && word[3] == ' ') {
			word[3] = '\0';
			add_word(&c, word);
			word += 4;
		}
		if (*word != '\0')
			add_word(&c, word);
	}
	flush_set(&c);
	n = build_finish(&c.b);
	assert_true(n > 0);
	a->outcome = c.outcome;
	if (a->outcome == ASK_REPLY && !OK(msg_read(a->arena, span_of(room, n), &limits, &a->msg)))
		a->outcome = ASK_NO_ROOM; /* the arena is full, or memory */
}

struct result upstream_ask(struct upstream *u, const struct ask_request *r, struct arena *arena, struct budget *budget, const struct loop_type *t,
    uint64_t who, uint32_t tag, ask_fn *fn, ask_h *ret)
{
	char server[ADDR_TEXT], name[NAME_TEXT], type[RRTYPE_TEXT];
	const struct line *line;
	struct asked *a;
	timer_h timer;

	if (!budget_take_packets(budget, 1))
		return FAIL(ERR_BUDGET);
	a = mem_alloc(sizeof *a);
	if (a == NULL)
		return FAIL(ERR_NOMEM);
	*a = (struct asked){ .u = u, .r = *r, .arena = arena, .budget = budget, .type = t, .who = who, .tag = tag, .fn = fn };
	name_copy(&a->name, r->q.name);
	a->r.q.name = name_of(&a->name);
	addr_text(&r->server.a, server);
	strbuf_printf(u->w->log, "%s %s %s%s%s\n", server, name_to_text(r->q.name, name), rrtype_text(r->q.type, type), r->dnssec_ok ? "" : " without-DO",
	    r->plain_case ? " plain" : "");
	u->w->timeout_ms = r->timeout_ms;
	u->w->packets++;
	line = find_line(u->w, server, &r->q);
	if (line == NULL)
		a->outcome = ASK_TIMEOUT;
	else
		compose(a, line->reply);
	a->self = asked_enlist(u->loop, a);
	if (a->self.v == 0 || !OK(loop_timer(u->loop, &asked_loop_type, a->self.v, asked_done, a->outcome == ASK_TIMEOUT ? TIMEOUT_MS : ROUND_TRIP_MS,
	    &timer))) {
		if (a->self.v != 0)
			asked_retire(u->loop, a->self);
		mem_free(a);
		return FAIL(ERR_NOMEM);
	}
	ret->v = a->self.v;
	return DONE;
}

void upstream_cancel(struct upstream *u, ask_h h)
{
	struct asked *a = asked_get(u->loop, (asked_h){ h.v });

	if (a != NULL)
		asked_close(a);
}

/* --- a world */

static void worker_start(struct world *w, struct worker *k)
{
	struct loop_backend b = { w, virtual_now, virtual_wait, virtual_watch, virtual_unwatch, virtual_wake, NULL };

	b.free = virtual_wake;
	k->rng = rng_new_seeded(42);
	k->member = epoch_join(w->epoch);
	assert_non_null(k->rng);
	assert_non_null(k->member);
	k->loop = loop_new(&b, k->rng, k->member);
	assert_non_null(k->loop);
	k->upstream = (struct upstream){ w, k->loop };
	k->core = core_new(&(struct core_env){ .loop = k->loop, .upstream = &k->upstream, .rrcache = w->cache, .infra = w->infra, .shared = w->shared,
	    .stats = &k->stats, .member = k->member, .settings = w->settings, .routes = w->routes });
	assert_non_null(k->core);
	loop_turn(k->loop, false);
}

static struct strbuf *warm_strbuf(size_t max)
{
	struct strbuf *b = strbuf_new(max);

	assert_non_null(b);
	for (int i = 0; i < 60000; i++)
		strbuf_putc(b, ' ');
	strbuf_clear(b);
	return b;
}

struct world *world_new(const char *conf, const struct line *lines)
{
	static const struct hash_key key = { { 1, 2 } };
	static const struct rrcache_limits cache = { .octets = 8u << 20, .max_ttl = 86400, .max_negative_ttl = 3600, .keep_expired_sec = 86400,
		.max_bundle_octets = 65536 };
	struct infra_limits infra = { .host_ttl_sec = 900, .max_entries = 10000, .min_rtt_ms = 50, .max_rtt_ms = 10000,
		.max_backoff_ms = 60000, .lame_ttl_sec = 900 };
	struct world *w = mem_alloc(sizeof *w);
	struct strbuf *report = strbuf_new(1u << 16);

	assert_non_null(w);
	assert_non_null(report);
	w->lines = lines;
	w->mono_ms = 1000000;
	w->log = warm_strbuf(1u << 20);
	w->print = warm_strbuf(1u << 16);
	w->room = arena_new(0);
	assert_non_null(w->room);
	assert_non_null(arena_alloc(w->room, 100000));
	w->epoch = epoch_new();
	w->cache = rrcache_new(&cache, &key);
	w->infra = infra_new(&infra, &key);
	w->shared = core_shared_new(&key);
	w->routes = route_board_new();
	if (!OK(conf_load_text(conf, "test", report, &w->conf)) || !OK(core_settings_make(w->conf, report, &w->settings)))
		fail_msg("%s", strbuf_text(report));
	infra.unknown_ms = w->settings->unknown_wait_ms;
	infra_set_limits(w->infra, &infra);
	strbuf_free(report);
	for (size_t i = 0; i < CORES; i++)
		worker_start(w, &w->worker[i]);
	return w;
}

void world_free(struct world *w)
{
	for (size_t i = 0; i < CORES; i++) {
		core_free(w->worker[i].core);
		w->worker[i].core = NULL;
	}
	world_run(w, 30000);
	for (size_t i = 0; i < w->clients; i++) {
		client_retire(w->worker[0].loop, w->client[i].self);
		client_retire(w->worker[1].loop, w->client[i].self);
	}
	for (size_t i = 0; i < CORES; i++) {
		assert_int_equal(loop_live_handles(w->worker[i].loop), 0);
		loop_free(w->worker[i].loop);
		epoch_leave(w->worker[i].member);
		rng_free(w->worker[i].rng);
	}
	core_settings_free(w->settings);
	conf_free(w->conf);
	core_shared_free(w->shared);
	route_board_free(w->routes);
	infra_free(w->infra);
	rrcache_free(w->cache);
	epoch_free(w->epoch);
	strbuf_free(w->log);
	strbuf_free(w->print);
	arena_free(w->room);
	mem_free(w);
}

void world_set_lines(struct world *w, const struct line *lines)
{
	w->lines = lines;
}

void world_run(struct world *w, uint32_t ms)
{
	for (uint64_t end = w->mono_ms + ms; w->mono_ms < end; w->mono_ms += 5) {
		for (size_t i = 0; i < CORES; i++) {
			epoch_online(w->worker[i].member);
			loop_turn(w->worker[i].loop, false);
		}
	}
	for (size_t i = 0; i < CORES; i++)
		epoch_online(w->worker[i].member);
}

static void print_part(struct strbuf *out, struct told *t, const char *name, const struct answer_set *sets, size_t n)
{
	size_t at = strlen(t->text);

	strbuf_clear(out);
	for (size_t i = 0; i < n; i++)
		rrset_print(sets[i].rs, sets[i].ttl, out);
	snprintf(t->text + at, sizeof t->text - at, "%s\n%s", name, strbuf_text(out));
	for (char *p = t->text + at; *p != '\0'; p++)
		*p = *p == '\t' ? ' ' : *p;
}

static void client_told(struct loop *l, void *object, uint32_t tag, const struct answer *a)
{
	static const struct answer_set none;
	const struct answer_set *sets = a->sets != NULL ? a->sets : &none;
	struct client *c = object;
	struct told *t = &c->told;

	(void)l;
	assert_int_equal(tag, 7);
	t->times++;
	t->rcode = a->rcode;
	t->stale = a->stale;
	t->cacheable = a->cacheable;
	t->ttl = a->ttl;
	t->ede_count = a->ede_count;
	for (size_t i = 0; i < a->ede_count; i++) {
		t->ede[i] = a->ede[i].code;
		snprintf(t->ede_text[i], sizeof t->ede_text[i], "%s", a->ede[i].text == NULL ? "" : a->ede[i].text);
	}
	t->text[0] = '\0';
	print_part(c->world->print, t, "an:", sets, a->answer_count);
	print_part(c->world->print, t, "ns:", sets + a->answer_count, a->authority_count);
	print_part(c->world->print, t, "ar:", sets + a->answer_count + a->authority_count, a->additional_count);
	snprintf(t->why, sizeof t->why, "%s", a->why == NULL ? "" : a->why);
}

size_t world_begin(struct world *w, const char *name, const char *type, const struct resolve_request *like)
{
	struct worker *k = &w->worker[w->core];
	struct resolve_request r = like == NULL ? (struct resolve_request){ 0 } : *like;
	struct client *c = &w->client[w->clients];
	struct name_buf nb;

	assert_true(w->clients < QUESTIONS);
	c->world = w;
	assert_true(OK(name_from_text(name, NULL, &nb)));
	assert_true(OK(rrtype_parse(type, &r.q.type)));
	r.q.name = name_of(&nb);
	r.q.rclass = CLASS_IN;
	c->core = k->core;
	c->self = client_enlist(k->loop, c);
	mem_fail_at(w->fail_at, false);
	w->fail_at = 0;
	if (!OK(core_resolve(k->core, &r, &client_loop_type, c->self.v, 7, client_told, &c->waiter)))
		c->told.times = 999; /* refused: memory */
	return w->clients++;
}

const struct told *world_told(struct world *w, size_t question)
{
	return &w->client[question].told;
}

void world_cancel(struct world *w, size_t question)
{
	core_cancel(w->client[question].core, w->client[question].waiter);
}

const struct told *world_ask_with(struct world *w, const char *name, const char *type, const struct resolve_request *like)
{
	size_t n = world_begin(w, name, type, like);

	for (unsigned int i = 0; i < 30000 && w->client[n].told.times == 0; i += 5)
		world_run(w, 5);
	assert_int_equal(w->client[n].told.times, 1);
	return world_told(w, n);
}

const struct told *world_ask(struct world *w, const char *name, const char *type)
{
	return world_ask_with(w, name, type, NULL);
}

unsigned int world_packets(const struct world *w)
{
	return w->packets;
}

uint32_t world_timeout_ms(const struct world *w)
{
	return w->timeout_ms;
}

const char *world_log(const struct world *w)
{
	return strbuf_text(w->log);
}

void world_forget(struct world *w)
{
	w->packets = 0;
	strbuf_clear(w->log);
}

uint64_t world_count(const struct world *w, enum counter c)
{
	return stats_get(&w->worker[0].stats, c) + stats_get(&w->worker[1].stats, c);
}

struct core *world_core(struct world *w)
{
	return w->worker[w->core].core;
}

struct route_board *world_routes(struct world *w)
{
	return w->routes;
}

struct rrcache *world_cache(struct world *w)
{
	return w->cache;
}

struct core_shared *world_shared(struct world *w)
{
	return w->shared;
}

struct epoch_member *world_member(struct world *w)
{
	return w->worker[w->core].member;
}

struct now world_now(const struct world *w)
{
	return *loop_now(w->worker[w->core].loop);
}

void world_use_core(struct world *w, size_t n)
{
	w->core = n;
}

void world_fail_at(struct world *w, uint64_t n)
{
	w->fail_at = n;
}
