/*
 * What everything stands on, each by operations beside a model; the first octet says which. Timers (those that are due come out in their order), a loop on a virtual clock (each event
 * runs once, in order, for objects that are there), arenas (what was handed out stays as it was written), growing text (the same as an array), files that are replaced as a whole,
 * draws, and what is retired until nobody can look at it.
 */
#include <unistd.h>

#include "base/arena.h"
#include "base/chacha.h"
#include "base/cursor.h"
#include "base/epoch.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "base/timerq.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_OPS 2000u

/* --- timers */

#define TIMERS 256u

static void never_called(struct loop *l, void *object)
{
	(void)l, (void)object;
	abort();
}

struct model_timer {
	timer_h h;
	uint64_t due, order;
	bool waits;
};

static struct model_timer *first_due(struct model_timer *t, size_t n) BORROWED;
static struct model_timer *first_due(struct model_timer *t, size_t n)
{
	struct model_timer *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (t[i].waits && (best == NULL || t[i].due < best->due || (t[i].due == best->due && t[i].order < best->order)))
			best = &t[i];
	return best;
}

static void pop_timer(struct timerq *q, struct model_timer *t, size_t n, uint64_t now, uint64_t mark, uint64_t mark_order)
{
	struct model_timer *want = first_due(t, n);
	struct timer_call call;
	bool got = timerq_pop(q, now, mark, &call);

	CHECK(got == (want != NULL && want->due <= now && want->order < mark_order) || !got);
	if (!got)
		return;
	for (size_t i = 0; i < n; i++) {
		if (t[i].waits && t[i].order == call.who) {
			CHECK(t[i].due <= now && t[i].order < mark_order);
			CHECK(want->order >= mark_order || &t[i] == want);
			t[i].waits = false;
			return;
		}
	}
	abort();
}

static void run_timers(struct reader *r)
{
	static struct model_timer t[TIMERS];
	AUTO(timerq_free) struct timerq *q = timerq_new();
	uint64_t now = 1000, order = 0, mark = 0, mark_order = 0;
	size_t n = 0, waiting;

	CHECK(q != NULL);
	memset(t, 0, sizeof t);
	for (unsigned int i = 0; i < MOST_OPS && !reader_end(r); i++) {
		uint8_t op = read8(r), c = read8(r);
		struct timer_call call = { NULL, order, never_called };

		if ((op & 3) < 2 && n < TIMERS) {
			CHECK(OK(timerq_add(q, now + c % 16 * 10, &call, &t[n].h)));
			t[n].due = now + c % 16 * 10;
			t[n].order = order++;
			t[n++].waits = true;
		} else if ((op & 3) == 2 && n > 0) {
			CHECK(timerq_stop(q, t[c % n].h) == t[c % n].waits);
			t[c % n].waits = false;
		} else {
			now += c;
			if ((op & 0x10) != 0) {
				mark = timerq_mark(q);
				mark_order = order;
			}
			pop_timer(q, t, n, now, mark, mark_order);
		}
		waiting = 0;
		for (size_t k = 0; k < n; k++)
			waiting += t[k].waits;
		CHECK(timerq_count(q) == waiting && (waiting == 0) == (timerq_next(q) == UINT64_MAX));
		CHECK(waiting == 0 || timerq_next(q) == first_due(t, n)->due);
	}
}

/* --- a loop */

LOOP_HANDLE(thing)
LOOP_HANDLE_IMPL(thing)

#define THINGS 16u

struct thing {
	struct world *w BORROWED_FIELD;
	struct dead dead;
	thing_h self;
	timer_h timer;
	uint64_t due_ms;
	unsigned int hooks; /* asked for, not yet run */
	bool open, buried;
};
struct world {
	struct kit_loop k;
	struct loop *loop BORROWED_FIELD;
	struct thing *thing[THINGS] BORROWED_FIELD;
	unsigned int live, messages, messages_run;
};
struct letter {
	struct message m;
	struct world *w BORROWED_FIELD;
	thing_h to;
};

static void thing_dead(struct dead *d)
{
	struct thing *t = PARENT_OF(d, struct thing, dead);

	CHECK(t->buried && !t->open);
	mem_free(t);
}

static void thing_close(struct world *w, unsigned int i)
{
	struct thing *t = w->thing[i];

	w->thing[i] = NULL;
	w->live--;
	t->open = false;
	t->buried = true;
	thing_retire(w->loop, t->self);
	CHECK(thing_get(w->loop, t->self) == NULL);
	loop_bury(w->loop, &t->dead, thing_dead);
}

static void on_timer(struct loop *l, void *object)
{
	struct thing *t = (struct thing *)object;

	CHECK(t->open && now_ms(loop_now(l)) >= t->due_ms);
	t->timer = (timer_h){ 0 };
	t->due_ms = UINT64_MAX;
}

static void on_hook(struct loop *l, void *object)
{
	struct thing *t = (struct thing *)object;

	(void)l;
	CHECK(t->open && t->hooks-- > 0);
}

static void letter_run(struct loop *l, struct message *m)
{
	struct letter *x = (struct letter *)(void *)m;

	(void)thing_get(l, x->to);
	x->w->messages_run++;
}

static void letter_free(struct message *m)
{
	mem_free(m);
}

static void post(struct world *w, struct thing *t)
{
	struct letter *x = mem_alloc(sizeof *x);

	CHECK(x != NULL);
	*x = (struct letter){ { NULL, letter_run, letter_free }, w, t != NULL ? t->self : (thing_h){ 0 } };
	w->messages++;
	loop_post(w->loop, &x->m);
}

static void loop_op(struct world *w, struct reader *r)
{
	uint8_t op = read8(r), c = read8(r);
	unsigned int i = op >> 4;
	struct thing *t = w->thing[i];

	if (t == NULL && (op & 15) < 8) {
		t = w->thing[i] = mem_alloc(sizeof *t);
		CHECK(t != NULL);
		t->w = w;
		t->open = true;
		t->due_ms = UINT64_MAX;
		t->self = thing_enlist(w->loop, t);
		CHECK(t->self.v != 0 && thing_get(w->loop, t->self) == t);
		w->live++;
	} else if ((op & 15) == 0 && t != NULL) {
		thing_close(w, i);
	} else if ((op & 15) < 4 && t != NULL) {
		loop_timer_stop(w->loop, &t->timer);
		t->due_ms = now_ms(loop_now(w->loop)) + c;
		CHECK(OK(loop_timer(w->loop, &thing_loop_type, t->self.v, on_timer, c, &t->timer)));
	} else if ((op & 15) == 4 && t != NULL) {
		loop_timer_stop(w->loop, &t->timer);
		t->due_ms = UINT64_MAX;
	} else if ((op & 15) == 5 && t != NULL) {
		CHECK(OK(loop_at_turn_end(w->loop, &thing_loop_type, t->self.v, on_hook)));
		t->hooks++;
	} else if ((op & 15) == 6) {
		post(w, t);
	} else {
		kit_advance(&w->k, c);
		loop_turn(w->loop, (c & 1) != 0);
		CHECK(w->messages_run == w->messages);
		for (unsigned int k = 0; k < THINGS; k++)
			CHECK(w->thing[k] == NULL || w->thing[k]->due_ms > now_ms(loop_now(w->loop)));
	}
	CHECK(loop_live_handles(w->loop) == w->live);
}

static void run_loop(struct reader *r)
{
	struct world *w = mem_alloc(sizeof *w);
	AUTO(rng_free) struct rng *rng = rng_new_seeded(5);
	struct loop_backend b;

	CHECK(w != NULL && rng != NULL);
	w->k.now = (struct now){ UINT64_C(5000000000), 1700000000, 0 };
	b = kit_backend(&w->k);
	w->loop = loop_new(&b, rng, NULL);
	CHECK(w->loop != NULL && loop_rng(w->loop) == rng);
	loop_turn(w->loop, false);
	for (unsigned int i = 0; i < MOST_OPS && !reader_end(r); i++)
		loop_op(w, r);
	for (unsigned int i = 0; i < THINGS; i++)
		if (w->thing[i] != NULL)
			thing_close(w, i);
	post(w, NULL); /* which never runs */
	loop_stop(w->loop);
	loop_run(w->loop);
	CHECK(loop_stale_events(w->loop) < MOST_OPS);
	loop_free(w->loop);
	mem_free(w);
}

/* --- arenas */

#define PIECES 200u

static void run_arena(struct reader *r)
{
	struct {
		uint8_t *p BORROWED_FIELD;
		size_t n;
		uint8_t mark;
	} piece[PIECES];
	size_t n = 0, limit = (size_t)read8(r) * 512;
	AUTO(arena_free) struct arena *a = arena_new(limit);

	CHECK(a != NULL);
	for (unsigned int i = 0; i < MOST_OPS && !reader_end(r) && n < PIECES; i++) {
		uint8_t op = read8(r), c = read8(r);
		size_t want = (op & 7) == 0 ? (size_t)c << 8 : c;
		uint8_t *p = NULL;

		switch (op & 7) {
		case 1:
			arena_reset(a);
			CHECK(arena_used(a) == 0 && !arena_exhausted(a));
			n = 0;
			continue;
		case 2:
			CHECK(arena_alloc_array(a, SIZE_MAX / 2, 3 + (size_t)c) == NULL);
			continue;
		case 3:
			p = (uint8_t *)arena_printf(a, "%*d", (int)c, 7);
			want = c == 0 ? 2 : (size_t)c + 1;
			break;
		case 4:
			p = (uint8_t *)arena_strdup(a, "text");
			want = 5;
			break;
		default:
			p = arena_alloc_array(a, want, 1);
			for (size_t k = 0; p != NULL && k < want; k++)
				CHECK(p[k] == 0);
			break;
		}
		CHECK(p != NULL || (limit != 0 && arena_exhausted(a)));
		if (p == NULL)
			continue;
		CHECK(limit == 0 || arena_used(a) <= limit);
		memset(p, op ^ c, want);
		piece[n].p = p;
		piece[n].n = want;
		piece[n++].mark = op ^ c;
		for (size_t k = 0; k < n; k++)
			CHECK(piece[k].n == 0 || (piece[k].p[0] == piece[k].mark && piece[k].p[piece[k].n - 1] == piece[k].mark));
	}
}

/* --- text */

static void run_text(struct reader *r)
{
	static char model[5000];
	size_t max = 1 + (size_t)read8(r) * 16, n = 0;
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(max);
	bool ok = true;

	CHECK(b != NULL);
	for (unsigned int i = 0; i < MOST_OPS && !reader_end(r); i++) {
		uint8_t op = read8(r), c = read8(r);
		char add[600];
		size_t len = 0;

		switch (op & 15) {
		case 0:
			strbuf_clear(b);
			ok = true;
			n = 0;
			continue;
		case 1:
			strbuf_cut(b, c);
			n = n < c ? n : c;
			break;
		case 2:
			strbuf_drop(b, c);
			memmove(model, model + (n < c ? n : c), n - (n < c ? n : c));
			n -= n < c ? n : c;
			break;
		case 3:
			strbuf_fail(b, ERR_FORMAT);
			CHECK(strbuf_result(b).e != ERR_NONE);
			ok = false;
			break;
		case 4: {
			AUTO_CHARS char *s = strbuf_take(b);

			CHECK((s != NULL) == ok && (s == NULL || memcmp(s, model, n) == 0));
			n = s != NULL ? 0 : n;
			continue;
		}
		case 5:
			len = (size_t)snprintf(add, sizeof add, "%*u", c, op);
			strbuf_printf(b, "%*u", c, op);
			break;
		case 6: {
			struct span s = read_span(r, c % 20u < reader_left(r) ? c % 20u : reader_left(r));
			AUTO(strbuf_free) struct strbuf *json = strbuf_new(2000);

			strbuf_json_string(json, s);
			CHECK(kit_json(strbuf_text(json), 0) == strbuf_text(json) + strbuf_len(json));
			len = strbuf_len(json);
			memcpy(add, strbuf_text(json), len);
			strbuf_json_string(b, s);
			break;
		}
		default:
			memset(add, c, len = op);
			strbuf_add(b, add, len);
			break;
		}
		ok = ok && n + len <= max;
		if (ok) {
			memcpy(model + n, add, len);
			n += len;
		}
		CHECK(strbuf_ok(b) == ok && OK(strbuf_result(b)) == ok && strbuf_len(b) == n && memcmp(strbuf_text(b), model, n) == 0 && strbuf_text(b)[n] == '\0');
	}
}

/* --- files */

static void run_files(struct reader *r)
{
	char dir[] = "/tmp/cairn-fuzz-XXXXXX", path[100], none[120];
	struct span last = span_of("", 0), s;
	AUTO_CHARS char *text = NULL;
	size_t n = 0;
	bool there = false;

	CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof path, "%s/a", dir);
	(void)snprintf(none, sizeof none, "%s/none/a", dir);
	for (unsigned int i = 0; i < 5 && !reader_end(r); i++) {
		uint8_t c = read8(r);

		s = read_span(r, c < reader_left(r) ? c : reader_left(r));
		CHECK(OK(file_write_atomic(path, s, 0600)));
		last = s;
		there = true;
		CHECK(!OK(file_write_atomic(none, s, 0600)) && !OK(file_write_atomic(dir, s, 0600)));
		CHECK(file_read_all(path, last.n - (last.n > 0), &text, &n).e == (last.n > 0 ? ERR_LIMIT : ERR_NONE));
		mem_free(text);
		text = NULL;
		CHECK(OK(file_read_all(path, last.n, &text, &n)) && n == last.n && (n == 0 || memcmp(text, last.p, n) == 0) && text[n] == '\0');
		mem_free(text);
		text = NULL;
	}
	CHECK(file_read_all(none, 1000, &text, &n).e == ERR_NOTFOUND && !OK(file_read_all(dir, 1000, &text, &n)));
	CHECK(!there || unlink(path) == 0);
	CHECK(rmdir(dir) == 0); /* nothing is left beside it */
}

/* --- draws, and texts of errors */

static void run_draws(struct reader *r)
{
	uint64_t seed = read32(r);
	AUTO(rng_free) struct rng *a = rng_new_seeded(seed), *b = rng_new_seeded(seed), *other = rng_new();
	uint8_t x[300], y[300], key[CHACHA_KEY] = { 0 }, nonce[CHACHA_NONCE] = { 0 };
	struct hash_key k, k2;

	CHECK(a != NULL && b != NULL && other != NULL);
	while (!reader_end(r)) {
		uint8_t op = read8(r);
		uint32_t bound = (uint32_t)op << (op & 15);

		rng_fill(a, x, op);
		rng_fill(b, y, op);
		CHECK(memcmp(x, y, op) == 0 && rng16(a) == rng16(b) && rng32(a) == rng32(b) && rng64(a) == rng64(b));
		CHECK(bound == 0 ? rng_below(a, 0) == 0 && rng_below(b, 0) == 0 : rng_below(a, bound) < bound && rng_below(b, bound) < bound);
		k = rng_hash_key(a);
		k2 = rng_hash_key(b);
		CHECK(memcmp(&k, &k2, sizeof k) == 0);
		(void)rng32(other);
		CHECK(*err_text((enum err)(op % 20)) != '\0');
	}
	key[0] = (uint8_t)seed;
	chacha20_block(key, 1, nonce, x);
	chacha20_block(key, 2, nonce, y);
	CHECK(memcmp(x, y, CHACHA_BLOCK) != 0);
}

/* --- what is retired */

struct shared_thing {
	struct retired retired;
	unsigned int *freed BORROWED_FIELD;
};

static void shared_free(struct retired *x)
{
	struct shared_thing *t = (struct shared_thing *)(void *)x;

	++*t->freed;
	mem_free(t);
}

static void run_epochs(struct reader *r)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *m[4] = { NULL, NULL, NULL, NULL };
	bool online[4] = { false, false, false, false };
	unsigned int retired = 0, freed = 0;

	CHECK(e != NULL);
	for (unsigned int i = 0; i < MOST_OPS && !reader_end(r); i++) {
		uint8_t op = read8(r);
		unsigned int at = op >> 6;

		if (m[at] == NULL) {
			m[at] = epoch_join(e);
			CHECK(m[at] != NULL);
			continue;
		}
		switch (op & 7) {
		case 0:
			epoch_offline(m[at]);
			epoch_leave(m[at]);
			m[at] = NULL;
			online[at] = false;
			break;
		case 1:
			epoch_online(m[at]);
			online[at] = true;
			break;
		case 2:
			epoch_offline(m[at]);
			online[at] = false;
			break;
		case 3:
			if (online[at])
				epoch_quiesce(m[at]);
			break;
		default:
			if (online[at]) {
				struct shared_thing *t = mem_alloc(sizeof *t);

				CHECK(t != NULL);
				t->freed = &freed;
				retired++;
				epoch_retire(m[at], &t->retired, 100, shared_free);
				CHECK(freed < retired && epoch_pending(m[at])); /* its own turn has not ended */
			}
			break;
		}
		CHECK(freed <= retired && epoch_retired_octets(e) == (uint64_t)(retired - freed) * 100);
	}
	for (unsigned int i = 0; i < 4; i++) {
		if (m[i] == NULL)
			continue;
		epoch_offline(m[i]);
		epoch_leave(m[i]);
	}
	epoch_free(MOVE(e));
	CHECK(freed == retired);
}

/* --- lines of the log */

/* One label: nothing in the value ends it early. */
static void check_label(const char *value)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(100000);
	const char *p = NULL;

	CHECK(b != NULL);
	strbuf_metric_label(b, "a", value);
	CHECK(strbuf_ok(b) && strncmp(strbuf_text(b), "a=\"", 3) == 0);
	for (p = strbuf_text(b) + 3; *p != '"'; p++) {
		CHECK(*p >= ' ' && *p <= '~');
		p += *p == '\\';
		CHECK(*p != '\0');
	}
	CHECK(p[1] == '\0');
}

static void run_log(struct reader *r)
{
	char path[] = "/tmp/cairn-fuzz-XXXXXX";
	uint8_t how = read8(r);
	struct span s = read_rest(r);
	AUTO_CHARS char *text = mem_strndup((const char *)s.p, s.n < 3000 ? s.n : 3000), *written = NULL;
	struct log_config c = { .ident = "fuzz", .file = path, .json = (how & 1) != 0, .level = (enum log_level)(how >> 1 & 7) % (LOG_LEVEL_TRACE + 1),
		.time = (enum log_time)((how ^ s.n) % 3), .thread_id = s.n % 2 != 0 };
	struct log_config usual = { .ident = "fuzz", .level = LOG_LEVEL_ERROR };
	int fd = mkstemp(path);
	size_t n = 0;

	CHECK(fd >= 0 && close(fd) == 0 && text != NULL && OK(log_setup(&c)));
	log_msg((enum log_level)(how >> 4) % (LOG_LEVEL_TRACE + 1), "%s", text);
	log_tagged(LOG_LEVEL_ERROR, "query", "%s", text);
	log_lines(LOG_LEVEL_ERROR, "of many: ", text);
	check_label(text);
	for (unsigned int i = 0; i < 30; i++)
		log_limited(LOG_LEVEL_ERROR, "many %s", text);
	CHECK(OK(log_reopen()));
	log_error("%s", text);
	c.file = "/nowhere/at/all";
	CHECK(!OK(log_setup(&c)) && OK(log_setup(&usual)));
	CHECK(OK(file_read_all(path, 1 << 20, &written, &n)) && unlink(path) == 0);
	for (char *line = written; n > 0 && *line != '\0';) {
		char *end = strchr(line, '\n');

		CHECK(end != NULL);
		*end = '\0';
		for (const char *p = line; *p != '\0'; p++)
			CHECK(*p >= ' ' && *p <= '~');
		CHECK((how & 1) == 0 || kit_json(line, 0) == end);
		line = end + 1;
	}
}

static void one_input(const uint8_t *data, size_t size)
{
	static void (*const runs[])(struct reader *r) = { run_timers, run_loop, run_arena, run_text, run_files, run_draws, run_epochs, run_log };
	struct reader r = reader_of(span_of(data, size));

	if (size > 0)
		runs[read8(&r) & 7](&r);
}

KIT_TARGET(one_input)
