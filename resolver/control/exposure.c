/*
 * exposure.c: "exposure [ZONE | --cache]": which zones in use hang on servers whose routes nobody vouches for, on one prefix or on one AS. The RRset cache is walked twice, a slice a turn
 * of the main loop: for the zones, then for what is in use below them. For a ZONE, too, what is at and below it, and what it hangs on: the zones above, and those of its servers' names,
 * and so on; it is resolved first.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/anchors.h"
#include "resolver/control/route_shown.h"
#include "resolver/control/verbs.h"
#include "resolver/core/exposure_zone.h"

#define EXPOSURE_SLOTS 2048u   /* of the cache, a turn */
#define EXPOSURE_ROWS 200000u  /* zones that are kept; others are counted */
#define EXPOSURE_NAMES 3u      /* in use that are shown of each */
#define EXPOSURE_HANGS 256u    /* names that a zone may be found to hang on */
#define EXPOSURE_WAIT_MS 15000u
#define EXPOSURE_PRINTED 256u  /* rows, a step */

struct exposure_row {
	struct name zone;
	struct zone_exposure x;
	struct name names[EXPOSURE_NAMES];
	uint32_t name_count;
	uint64_t uses; /* RRsets in the cache, whose deepest zone this is */
};

struct exposure_job {
	struct exposure_row *rows ARENA_FIELD;
	size_t count, cap, printed;
	uint64_t zones, left_out, unknown;
	uint64_t kinds[EXPOSURES];
	uint64_t one_prefix, one_origin;
	bool all;
	struct name of;                /* unless all */
	struct name hangs[EXPOSURE_HANGS];
	size_t hang_count;
	struct route_sheet *sheet BORROWED_FIELD; /* of this slice */
	struct arena *scratch BORROWED_FIELD;     /* of this slice */
	uint64_t cursor;
	unsigned int stage;            /* 0: asked, 1: zones, 2: what is in use */
	timer_h timer;
};

static void next_turn(struct command *c);

/* --- rows */

static int by_name(const void *a, const void *b)
{
	return name_compare(((const struct exposure_row *)a)->zone, ((const struct exposure_row *)b)->zone);
}

/* Worst first. */
static int by_class(const void *a, const void *b)
{
	const struct exposure_row *x = (const struct exposure_row *)a, *y = (const struct exposure_row *)b;

	if (x->x.exposure != y->x.exposure)
		return x->x.exposure > y->x.exposure ? -1 : 1;
	if (x->uses != y->uses)
		return x->uses > y->uses ? -1 : 1;
	return by_name(a, b);
}

static struct exposure_row *find_row(const struct exposure_job *j, struct name zone) BORROWED;
static struct exposure_row *find_row(const struct exposure_job *j, struct name zone)
{
	struct exposure_row key = { .zone = zone };

	return j->count == 0 ? NULL : (struct exposure_row *)bsearch(&key, j->rows, j->count, sizeof key, by_name);
}

static bool room_for_row(struct command *c, struct exposure_job *j)
{
	size_t cap = j->cap == 0 ? 64 : 2 * j->cap;
	struct exposure_row *more;

	if (j->count < j->cap)
		return true;
	if (j->count >= EXPOSURE_ROWS)
		return false;
	more = (struct exposure_row *)arena_alloc_array(c->arena, cap, sizeof *more);
	if (more == NULL)
		return false;
	if (j->count > 0)
		memcpy(more, j->rows, j->count * sizeof *more);
	j->rows = more;
	j->cap = cap;
	return true;
}

static struct exposure_env env_of(struct command *c)
{
	struct shared *s = daemon_shared(c->daemon);

	return (struct exposure_env){ .rrcache = s->rrcache, .keycache = s->keycache, .validation = anchor_keeper_validation(daemon_keeper(c->daemon)),
		.routes = c->exposure->sheet->view, .now = loop_now(c->loop) };
}

static void count_zone(struct exposure_job *j, const struct zone_exposure *x)
{
	j->zones++;
	j->kinds[x->exposure]++;
	j->one_prefix += x->one_prefix;
	j->one_origin += x->one_origin;
	j->unknown += x->is_signed == ZONE_SIGNED_UNKNOWN || x->guards.n[GUARD_UNKNOWN] == x->addresses;
}

static void take_zone(struct command *c, const struct deleg *d)
{
	struct exposure_job *j = c->exposure;
	struct exposure_env e = env_of(c);
	struct zone_exposure x = exposure_examine(&e, d);
	struct name zone;

	count_zone(j, &x);
	if (!zone_exposure_any(&x))
		return;
	zone = name_dup_in(c->arena, d->zone);
	if (zone.wire != NULL && room_for_row(c, j))
		j->rows[j->count++] = (struct exposure_row){ .zone = zone, .x = x };
	else
		j->left_out++;
}

static struct deleg_env deleg_env_of(struct command *c)
{
	return (struct deleg_env){ .arena = c->exposure->scratch, .settings = daemon_plan(c->daemon)->core, .cache = daemon_shared(c->daemon)->rrcache, .now = loop_now(c->loop) };
}

/* --- what a zone hangs on */

static void hang(struct command *c, struct name n)
{
	struct exposure_job *j = c->exposure;

	for (size_t i = 0; i < j->hang_count; i++)
		if (name_equal(j->hangs[i], n))
			return;
	n = name_dup_in(c->arena, n);
	if (j->hang_count < EXPOSURE_HANGS && n.wire != NULL)
		j->hangs[j->hang_count++] = n;
	else
		j->left_out++;
}

/* The zone of a name, those above it, and the names of their servers. hangs grows meanwhile. */
static void take_hangs(struct command *c)
{
	struct exposure_job *j = c->exposure;
	struct deleg_env e = deleg_env_of(c);
	struct name *zones = (struct name *)arena_alloc_array(c->exposure->scratch, EXPOSURE_HANGS, sizeof *zones);
	size_t zone_count = 0;

	for (size_t i = 0; zones != NULL && i < j->hang_count; i++) {
		struct deleg *d = NULL;
		bool seen = false;

		if (!OK(deleg_find(&e, j->hangs[i], RR_A, 0, &d)) || d == NULL)
			continue;
		for (size_t k = 0; k < zone_count; k++)
			seen = seen || name_equal(zones[k], d->zone);
		if (seen || zone_count == EXPOSURE_HANGS)
			continue;
		zones[zone_count++] = d->zone;
		if (!name_is_under(d->zone, j->of)) /* the others the walk comes by */
			take_zone(c, d);
		if (!name_is_root(d->zone))
			hang(c, name_parent(d->zone));
		for (size_t k = 0; k < d->target_count; k++)
			hang(c, d->targets[k].name);
	}
}

static void take_configured(struct command *c)
{
	const struct core_settings *s = daemon_plan(c->daemon)->core;
	struct deleg_env e = deleg_env_of(c);
	struct deleg *d = NULL;

	for (size_t i = 0; i < s->zone_count; i++)
		if ((c->exposure->all || name_is_under(s->zones[i].name, c->exposure->of)) && OK(deleg_from_conf(&e, &s->zones[i], &d)) && d != NULL)
			take_zone(c, d);
}

/* --- walks */

static RESULT visit_zone(void *user, const struct bundle *b)
{
	struct command *c = (struct command *)user;
	struct deleg_env e = deleg_env_of(c);
	struct deleg *d = NULL;

	if (bundle_key(b).kind != BUNDLE_DELEGATION || bundle_info(b)->expires_sec <= now_ms(e.now) / 1000)
		return DONE;
	if (!c->exposure->all && !name_is_under(bundle_key(b).name, c->exposure->of))
		return DONE;
	TRY(deleg_from_bundle(&e, b, &d));
	if (d != NULL)
		take_zone(c, d);
	return DONE;
}

static void take_use(struct command *c, struct exposure_row *r, struct name n)
{
	r->uses++;
	for (size_t i = 0; i < r->name_count; i++)
		if (name_equal(r->names[i], n))
			return;
	if (r->name_count == EXPOSURE_NAMES)
		return;
	n = name_dup_in(c->arena, n);
	if (n.wire != NULL)
		r->names[r->name_count++] = n;
}

static RESULT visit_use(void *user, const struct bundle *b)
{
	struct command *c = (struct command *)user;
	struct bundle_key k = bundle_key(b);
	struct deleg_env e = deleg_env_of(c);
	struct deleg *d = NULL;
	struct exposure_row *r;

	if (k.kind != BUNDLE_DATA || k.type == RR_NS || k.type == RR_DS || k.type == RR_DNSKEY || bundle_info(b)->expires_sec <= now_ms(e.now) / 1000)
		return DONE;
	TRY(deleg_find(&e, k.name, k.type, 0, &d));
	r = d != NULL ? find_row(c->exposure, d->zone) : NULL;
	if (r != NULL)
		take_use(c, r, k.name);
	return DONE;
}

/* A slice; false: there is more. */
static bool walk(struct command *c, rrcache_visit_fn *fn)
{
	struct exposure_job *j = c->exposure;
	struct result r = DONE;

	j->cursor = rrcache_visit(daemon_shared(c->daemon)->rrcache, j->cursor, EXPOSURE_SLOTS, fn, c, &r);
	if (!OK(r))
		j->left_out++;
	return !OK(r) || j->cursor == 0;
}

/* The same zone may have been come by twice. */
static void settle_rows(struct exposure_job *j)
{
	size_t n = 0;

	if (j->count == 0)
		return;
	qsort(j->rows, j->count, sizeof *j->rows, by_name);
	for (size_t i = 1; i < j->count; i++)
		if (!name_equal(j->rows[n].zone, j->rows[i].zone))
			j->rows[++n] = j->rows[i];
	j->count = n + 1;
}

/* --- what is said */

static void text_row(const struct exposure_row *r, struct strbuf *out)
{
	const uint32_t *n = r->x.guards.n;
	const char *how = exposure_text(r->x.exposure);
	char name[NAME_TEXT], text[ADDR_TEXT];

	strbuf_printf(out, "%s: %s", name_to_text(r->zone, name), how != NULL ? how : zone_signed_text(r->x.is_signed));
	if (r->x.one_prefix)
		strbuf_printf(out, ", on one prefix %s/%u%s", addr_text(&r->x.prefix.a, text), r->x.prefix.len, r->x.prefix_assumed ? " (assumed)" : "");
	if (r->x.one_origin)
		strbuf_printf(out, ", on one origin AS%u", r->x.origin);
	strbuf_printf(out, "\n  %u address%s: %u covered, %u uncovered, %u invalid, %u unknown", r->x.addresses, r->x.addresses == 1 ? "" : "es", n[GUARD_COVERED],
	    n[GUARD_UNCOVERED], n[GUARD_INVALID], n[GUARD_UNKNOWN]);
	strbuf_printf(out, "; in use: %" PRIu64 " RRset%s", r->uses, r->uses == 1 ? "" : "s");
	for (size_t i = 0; i < r->name_count; i++)
		strbuf_printf(out, "%s%s", i == 0 ? " of " : ", ", name_to_text(r->names[i], name));
	strbuf_puts(out, r->uses > r->name_count && r->name_count == EXPOSURE_NAMES ? ", ...\n" : "\n");
}

static void json_row(const struct exposure_row *r, struct json_out *j)
{
	json_open(j, NULL, '{');
	json_put_name(j, "zone", r->zone);
	json_put_text(j, "signed", zone_signed_text(r->x.is_signed));
	json_put_text(j, "exposure", exposure_text(r->x.exposure));
	if (r->x.one_prefix)
		json_put_prefix(j, "one_prefix", &r->x.prefix);
	else
		json_put_text(j, "one_prefix", NULL);
	json_put_bool(j, "prefix_assumed", r->x.one_prefix && r->x.prefix_assumed);
	if (r->x.one_origin)
		json_put_number(j, "one_origin", r->x.origin);
	else
		json_put_text(j, "one_origin", NULL);
	json_put_number(j, "addresses", r->x.addresses);
	json_open(j, "routes", '{');
	for (enum route_guard g = 0; g < ROUTE_GUARDS; g++)
		json_put_number(j, route_guard_text(g), r->x.guards.n[g]);
	json_close(j, '}');
	json_put_number(j, "rrsets", r->uses);
	json_open(j, "names", '[');
	for (size_t i = 0; i < r->name_count; i++)
		json_put_name(j, NULL, r->names[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void text_sum(const struct exposure_job *j, struct strbuf *out)
{
	strbuf_printf(out, "%" PRIu64 " zones looked at: ", j->zones);
	for (enum exposure how = EXPOSURES - 1; how > EXPOSURE_NONE; how--)
		strbuf_printf(out, "%" PRIu64 " %s, ", j->kinds[how], exposure_text(how));
	strbuf_printf(out, "%" PRIu64 " on one prefix, %" PRIu64 " on one origin AS; of %" PRIu64 " it cannot be said", j->one_prefix, j->one_origin, j->unknown);
	if (j->left_out > 0)
		strbuf_printf(out, "; left out for want of room: %" PRIu64, j->left_out);
	strbuf_putc(out, '\n');
}

static void json_sum(const struct exposure_job *j, struct json_out *out)
{
	json_open(out, "summary", '{');
	json_put_number(out, "zones", j->zones);
	json_put_number(out, "unsigned_invalid", j->kinds[EXPOSURE_UNSIGNED_INVALID]);
	json_put_number(out, "unsigned_uncovered", j->kinds[EXPOSURE_UNSIGNED]);
	json_put_number(out, "signed_invalid", j->kinds[EXPOSURE_SIGNED_INVALID]);
	json_put_number(out, "signed_hijackable", j->kinds[EXPOSURE_SIGNED]);
	json_put_number(out, "one_prefix", j->one_prefix);
	json_put_number(out, "one_origin", j->one_origin);
	json_put_number(out, "unknown", j->unknown);
	json_put_number(out, "left_out", j->left_out);
	json_close(out, '}');
}

static bool step_print(struct command *c)
{
	struct exposure_job *j = c->exposure;
	struct json_out json = { .out = c->out, .more = j->printed > 0 };
	size_t end = j->printed + EXPOSURE_PRINTED < j->count ? j->printed + EXPOSURE_PRINTED : j->count;

	if (c->words.json && j->printed == 0)
		strbuf_puts(c->out, "{\"zones\":[");
	for (; j->printed < end; j->printed++) {
		if (c->words.json)
			json_row(&j->rows[j->printed], &json);
		else
			text_row(&j->rows[j->printed], c->out);
	}
	if (end < j->count)
		return false;
	if (c->words.json) {
		json_close(&json, ']');
		json_sum(j, &json);
		strbuf_puts(c->out, "}\n");
	} else {
		text_sum(j, c->out);
	}
	c->part = REPLY_ENDED;
	return true;
}

/* --- turns */

static void finish(struct command *c, const char *problem)
{
	c->waiting = false;
	if (problem != NULL) {
		reply_error(c, "%s", problem);
	} else {
		if (c->exposure->count > 0)
			qsort(c->exposure->rows, c->exposure->count, sizeof *c->exposure->rows, by_class);
		c->step = step_print;
	}
	command_resume(c);
}

/* True: all is done. */
static bool take_slice(struct command *c)
{
	struct exposure_job *j = c->exposure;

	if (j->stage == 0) {
		take_configured(c);
		if (!j->all) {
			hang(c, j->of);
			take_hangs(c);
		}
		j->stage = 1;
	} else if (j->stage == 1 && walk(c, visit_zone)) {
		settle_rows(j);
		j->stage = 2;
	} else if (j->stage == 2) {
		return walk(c, visit_use);
	}
	return false;
}

static void on_turn(struct loop *l, void *object)
{
	struct command *c = (struct command *)object;
	AUTO(route_sheet_unref) struct route_sheet *sheet = route_board_get(daemon_shared(c->daemon)->routes);
	AUTO(arena_free) struct arena *scratch = arena_new(0);
	bool done;

	(void)l;
	c->exposure->timer = (timer_h){ 0 };
	if (sheet == NULL || scratch == NULL) {
		finish(c, "out of memory");
		return;
	}
	c->exposure->sheet = sheet;
	c->exposure->scratch = scratch;
	done = take_slice(c);
	c->exposure->sheet = NULL;
	c->exposure->scratch = NULL;
	if (done)
		finish(c, NULL);
	else
		next_turn(c);
}

static void next_turn(struct command *c)
{
	if (!OK(loop_timer(c->loop, &command_loop_type, c->self.v, on_turn, 1, &c->exposure->timer)))
		finish(c, "out of memory");
}

static void on_late(struct loop *l, void *object)
{
	struct command *c = (struct command *)object;

	c->count = 1;
	on_turn(l, c);
}

static void on_answer(struct loop *l, void *object, uint32_t tag, const struct answer *a)
{
	struct command *c = (struct command *)object;

	(void)l;
	(void)tag;
	(void)a;
	if (c->count++ > 0) /* it was not waited for any longer */
		return;
	loop_timer_stop(c->loop, &c->exposure->timer);
	next_turn(c);
}

static void ask_first(struct command *c)
{
	struct resolve_request r = { .q = { c->exposure->of, RR_SOA, CLASS_IN } };

	if (!OK(daemon_ask(c->daemon, &r, &command_loop_type, c->self.v, 0, on_answer)) ||
	    !OK(loop_timer(c->loop, &command_loop_type, c->self.v, on_late, EXPOSURE_WAIT_MS, &c->exposure->timer))) {
		c->count = 1;
		next_turn(c);
	}
}

static void verb_exposure(struct command *c)
{
	AUTO(route_sheet_unref) struct route_sheet *sheet = route_board_get(daemon_shared(c->daemon)->routes);
	bool all = c->words.count < 2 || strcmp(c->words.word[1], "--cache") == 0;

	if (!all && !command_name(c, 1, &c->name))
		return;
	if (sheet == NULL) {
		reply_error(c, "nothing is known of routes: route-validation: has neither rtr-server: nor a source of routes");
		return;
	}
	c->exposure = (struct exposure_job *)arena_alloc(c->arena, sizeof *c->exposure);
	if (c->exposure == NULL) {
		reply_error(c, "out of memory");
		return;
	}
	c->exposure->all = all;
	c->waiting = true;
	if (all) {
		next_turn(c);
		return;
	}
	c->exposure->of = name_of(&c->name);
	ask_first(c);
}

const struct verb exposure_verbs[] = {
	{ "exposure", 0, 1, verb_exposure, "[ZONE | --cache]" },
	{ NULL, 0, 0, NULL, NULL },
};
