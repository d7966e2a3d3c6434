/* The keeper of trust anchors: RFC 5011 on a virtual clock with real signatures and real files, negative anchors, what is published and what is dropped. */
#include "cache_unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/rdata.h"
#include "resolver/anchors.h"
#include "resolver/plan.h"
#include "tests/unit/validator/signer.h"

#define DAY 86400
#define START INT64_C(1800000000)

struct asked {
	struct name_buf name;
	uint16_t type;
	bool apart, check_disabled;
	uint64_t who;
	uint32_t tag;
	resolve_fn *fn;
};

struct world {
	struct now now;
	struct rng *rng;
	struct loop *loop;
	struct plan *plan;
	struct anchor_keeper *keeper;
	struct arena *arena;
	char dir[64];
	struct asked asked[64];
	size_t asks;
	/* what was published last */
	unsigned int published;
	bool validates, everything;
	struct name_buf top;
	bool top_given;
	bool refuse;
};

static void virtual_now(void *ctx, struct now *ret)
{
	struct world *w = ctx;

	*ret = w->now;
}
static void virtual_wait(void *ctx, struct loop *l, uint64_t ns)
{
	(void)ctx, (void)l, (void)ns;
}
static RESULT virtual_watch(void *ctx, struct loop *l, int fd, unsigned int events, uint32_t slot, void **ret)
{
	(void)ctx, (void)l, (void)fd, (void)events, (void)slot, (void)ret;
	return FAIL(ERR_SYSTEM);
}
static void virtual_unwatch(void *ctx, void *watch)
{
	(void)ctx, (void)watch;
}
static void virtual_nothing(void *ctx)
{
	(void)ctx;
}

static RESULT published(void *user, const struct validation *v, const struct name *top)
{
	struct world *w = user;

	if (w->refuse)
		return FAIL(ERR_NOMEM);
	w->published++;
	w->validates = v != NULL;
	w->top_given = top != NULL;
	w->everything = top != NULL && name_is_root(*top);
	if (top != NULL)
		name_copy(&w->top, *top);
	return DONE;
}

static RESULT ask(void *user, const struct resolve_request *r, const struct validation *by, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn)
{
	struct world *w = user;
	struct asked *a = &w->asked[w->asks++ % 64];

	(void)t;
	assert_true(r->refresh);
	*a = (struct asked){ .type = r->q.type, .apart = by != NULL, .check_disabled = r->check_disabled, .who = who, .tag = tag, .fn = fn };
	name_copy(&a->name, r->q.name);
	return DONE;
}

static struct plan *plan_of(const struct world *w, const char *text)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	AUTO_CHARS char *all = mem_printf("server:\nroot-anchors: none\nstate-directory: \"%s\"\ntrust-anchor-signaling: no\n%s", w->dir, text);
	struct conf *c = NULL;
	struct plan *p = NULL;

	if (!OK(conf_load_text(all, "test", report, &c)) || !OK(plan_make(c, NULL, w->rng, report, &p)))
		fail_msg("%s", strbuf_text(report));
	return p;
}

static struct result open_keeper(struct world *w)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct anchor_keeper_env e = { .loop = w->loop, .user = w, .publish = published, .ask = ask };

	return anchor_keeper_open(&e, w->plan, report, &w->keeper);
}

static struct world *empty_world(void)
{
	struct world *w = calloc(1, sizeof *w);
	struct loop_backend b = { w, virtual_now, virtual_wait, virtual_watch, virtual_unwatch, virtual_nothing, virtual_nothing };

	assert_non_null(w);
	w->now = (struct now){ .mono_ns = 1000000000, .wall_sec = START };
	(void)snprintf(w->dir, sizeof w->dir, "/tmp/cairn-keeper-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	w->rng = rng_new_seeded(7);
	w->loop = loop_new(&b, w->rng, NULL);
	w->arena = arena_new(0);
	loop_turn(w->loop, false);
	return w;
}

static struct world *world_of(const char *text)
{
	struct world *w = empty_world();

	w->plan = plan_of(w, text);
	assert_true(OK(open_keeper(w)));
	return w;
}

static char *path_in(const struct world *w, const char *name)
{
	return mem_printf("%s/%s", w->dir, name);
}

static void put(const struct world *w, const char *name, const char *text)
{
	AUTO_CHARS char *path = path_in(w, name);

	assert_true(OK(file_write_atomic(path, span_text(text), 0600)));
}

static void assert_file_has(const struct world *w, const char *name, const char *what)
{
	AUTO_CHARS char *path = path_in(w, name);
	AUTO_CHARS char *text = NULL;
	size_t n;

	assert_true(OK(file_read_all(path, 1 << 20, &text, &n)));
	if (strstr(text, what) == NULL)
		fail_msg("found %s, expected %s", text, what);
}

static void world_end(struct world *w)
{
	AUTO_CHARS char *key = path_in(w, "zone.key");
	AUTO_CHARS char *nta = path_in(w, "negative-anchors");

	anchor_keeper_close(w->keeper);
	plan_unref(w->plan);
	loop_free(w->loop);
	rng_free(w->rng);
	arena_free(w->arena);
	(void)unlink(key);
	(void)unlink(nta);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
}

/* Time passes in steps no longer than a timer of the keeper waits. */
static void wait_for(struct world *w, int64_t sec)
{
	while (sec > 0) {
		int64_t step = sec < 60 ? sec : 60;

		sec -= step;
		w->now.mono_ns += (uint64_t)step * 1000000000u;
		w->now.wall_sec += step;
		loop_turn(w->loop, false);
	}
	w->now.mono_ns += 2000000;
	loop_turn(w->loop, false);
}

static const struct asked *last_ask(const struct world *w)
{
	assert_true(w->asks > 0);
	return &w->asked[(w->asks - 1) % 64];
}

static void tell(struct world *w, const struct answer *a)
{
	struct asked k = *last_ask(w);

	k.fn(w->loop, w->keeper, k.tag, a);
}

/* A DNSKEY RRset of these keys, signed by those of `by`. */
static void tell_keys(struct world *w, const char *zone, const struct span *keys, size_t n, struct signer *const *by, size_t signers)
{
	struct name_buf name;
	struct span sigs[4];
	struct rrset *set;
	struct answer_set as;
	struct answer a = { .rcode = RCODE_NOERROR, .sets = &as, .answer_count = 1 };
	struct signer_how how;

	assert_true(OK(name_from_text(zone, NULL, &name)));
	how = (struct signer_how){ .zone = name_of(&name), .inception = (uint32_t)w->now.wall_sec - 3600, .expiration = (uint32_t)w->now.wall_sec + 10 * DAY,
		.ttl = 2 * DAY, .labels = -1 };
	set = rrset_make_in(w->arena, name_of(&name), RR_DNSKEY, CLASS_IN, 2 * DAY, keys, n, 0);
	for (size_t i = 0; i < signers; i++)
		sigs[i] = signer_rrsig_in(w->arena, by[i], &how, set);
	as = (struct answer_set){ signer_with_in(w->arena, set, sigs, signers), 2 * DAY };
	tell(w, &a);
}

static size_t keys_at(const struct world *w, const char *zone)
{
	const struct validation *v = anchor_keeper_validation(w->keeper);
	struct name_buf name;
	struct anchor_found f;

	assert_true(OK(name_from_text(zone, NULL, &name)));
	if (v == NULL)
		return 0;
	f = anchors_find(v->anchors, name_of(&name));
	return f.kind == ANCHOR_KEYS && name_equal(f.zone, name_of(&name)) ? anchor_zone_count(f.keys) : 0;
}

static enum anchor_kind kind_at(const struct world *w, const char *text)
{
	const struct validation *v = anchor_keeper_validation(w->keeper);
	struct name_buf name;

	assert_true(OK(name_from_text(text, NULL, &name)));
	return anchors_find_with(v->anchors, v->ntas, w->now.wall_sec, name_of(&name)).kind;
}

#define AUTO_FILE "auto-trust-anchor-file: \"zone.key\"\n"

static struct world *following(const struct signer *first)
{
	struct world *w = empty_world();
	AUTO(strbuf_free) struct strbuf *key = strbuf_new(4096);
	AUTO_CHARS char *conf = mem_printf("directory: \"%s\"\n" AUTO_FILE, w->dir);

	strbuf_puts(key, "zone. 3600 IN DNSKEY ");
	rdata_print(RR_DNSKEY, signer_dnskey(first), key);
	strbuf_putc(key, '\n');
	put(w, "zone.key", strbuf_text(key));
	w->plan = plan_of(w, conf);
	assert_true(OK(open_keeper(w)));
	anchor_keeper_start(w->keeper);
	wait_for(w, 1);
	return w;
}

static void a_zone_is_asked_for_its_keys_and_the_file_is_kept(void **state)
{
	AUTO(signer_free) struct signer *a = signer_new(13, 257, 0);
	struct world *w = following(a);
	struct span key = signer_dnskey(a);

	(void)state;
	assert_int_equal(w->asks, 1);
	assert_int_equal(last_ask(w)->type, RR_DNSKEY);
	assert_true(last_ask(w)->check_disabled && !last_ask(w)->apart);
	tell_keys(w, "zone.", &key, 1, &a, 1);
	assert_int_equal(w->published, 0); /* nothing changed */
	assert_file_has(w, "zone.key", ";;query_failed: 0\n");
	assert_file_has(w, "zone.key", ";;state=2 [ VALID ]");
	assert_int_equal(keys_at(w, "zone."), 1);
	wait_for(w, DAY - 60); /* half of the TTL of two days */
	assert_int_equal(w->asks, 1);
	wait_for(w, 120);
	assert_int_equal(w->asks, 2);
	world_end(w);
}

static void a_rollover_is_followed(void **state)
{
	AUTO(signer_free) struct signer *a = signer_new(13, 257, 0);
	AUTO(signer_free) struct signer *b = signer_new(13, 257, 1);
	AUTO(signer_free) struct signer *a_revoked = signer_new(13, 257 | 128, 0);
	struct signer *both[] = { a_revoked, b };
	struct world *w = following(a);
	struct span keys[] = { signer_dnskey(a), signer_dnskey(b) };
	struct span revoked[] = { signer_dnskey(a_revoked), signer_dnskey(b) };

	(void)state;
	tell_keys(w, "zone.", keys, 2, &a, 1);
	assert_file_has(w, "zone.key", ";;state=1 [ADDPEND]");
	assert_int_equal(keys_at(w, "zone."), 1);
	for (int day = 0; day < 31; day++) {
		size_t before = w->asks;

		wait_for(w, DAY + 60);
		assert_int_equal(w->asks, before + 1);
		tell_keys(w, "zone.", keys, 2, &a, 1);
	}
	assert_int_equal(keys_at(w, "zone."), 2);
	assert_int_equal(w->published, 1);
	assert_false(w->top_given); /* what was secure still is */
	wait_for(w, DAY + 60);
	tell_keys(w, "zone.", revoked, 2, both, 2);
	assert_int_equal(keys_at(w, "zone."), 1);
	assert_int_equal(w->published, 2);
	assert_true(w->everything); /* what the revoked key vouched for is not believed any more */
	assert_file_has(w, "zone.key", ";;state=4 [REVOKED]");
	world_end(w);
}

static void what_no_anchor_signed_changes_nothing(void **state)
{
	AUTO(signer_free) struct signer *a = signer_new(13, 257, 0);
	AUTO(signer_free) struct signer *b = signer_new(13, 257, 1);
	struct world *w = following(a);
	struct span keys[] = { signer_dnskey(a), signer_dnskey(b) };

	(void)state;
	tell_keys(w, "zone.", keys, 2, &b, 1);
	assert_int_equal(keys_at(w, "zone."), 1);
	assert_file_has(w, "zone.key", ";;query_failed: 1\n");
	assert_file_has(w, "zone.key", ";;keys: 1\n");
	assert_int_equal(w->asks, 1);
	wait_for(w, 3700); /* the retry time */
	assert_int_equal(w->asks, 2);
	tell(w, NULL);
	assert_file_has(w, "zone.key", ";;query_failed: 2\n");
	assert_int_equal(w->published, 0);
	world_end(w);
}

static void a_trust_point_that_is_revoked_is_none(void **state)
{
	AUTO(signer_free) struct signer *a = signer_new(13, 257 | 128, 0);
	AUTO(signer_free) struct signer *plain = signer_new(13, 257, 0);
	struct world *w = following(plain);
	struct span key = signer_dnskey(a);

	(void)state;
	tell_keys(w, "zone.", &key, 1, &a, 1);
	assert_int_equal(w->published, 1);
	assert_false(w->validates);
	assert_true(w->everything);
	assert_null(anchor_keeper_validation(w->keeper));
	assert_file_has(w, "zone.key", ";;REVOKED\n");
	wait_for(w, 20 * DAY);
	assert_int_equal(w->asks, 1); /* it is not asked any more */
	world_end(w);
}

static void a_damaged_file_is_left_alone(void **state)
{
	AUTO(signer_free) struct signer *a = signer_new(13, 257, 0);
	struct world *w = following(a);
	struct span key = signer_dnskey(a);

	(void)state;
	put(w, "zone.key", ";;id: zone. 1\nzone. 1 IN DNSKEY 257 3 13 ");
	tell_keys(w, "zone.", &key, 1, &a, 1);
	assert_file_has(w, "zone.key", "257 3 13 ");
	assert_int_equal(keys_at(w, "zone."), 1);
	anchor_keeper_close(w->keeper);
	w->keeper = NULL;
	assert_int_equal(open_keeper(w).e, ERR_FORMAT);
	assert_null(w->keeper);
	assert_file_has(w, "zone.key", "257 3 13 ");
	world_end(w);
}

static void what_cannot_be_written_is_kept_and_tried_again(void **state)
{
	AUTO(signer_free) struct signer *a = signer_new(13, 257, 0);
	AUTO(signer_free) struct signer *b = signer_new(13, 257, 1);
	struct world *w = following(a);
	struct span keys[] = { signer_dnskey(a), signer_dnskey(b) };
	AUTO_CHARS char *path = path_in(w, "zone.key");
	AUTO_CHARS char *away = path_in(w, "away");

	(void)state;
	/* a directory in its place is neither read nor replaced */
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	tell_keys(w, "zone.", keys, 2, &a, 1);
	assert_int_equal(rmdir(path), 0);
	wait_for(w, 2 * 3600);
	assert_file_has(w, "zone.key", ";;state=1 [ADDPEND]");
	assert_int_equal(unlink(away), 0);
	world_end(w);
}

static void an_unsaved_state_survives_a_reload(void **state)
{
	AUTO(signer_free) struct signer *a = signer_new(13, 257, 0);
	AUTO(signer_free) struct signer *b = signer_new(13, 257, 1);
	struct world *w = following(a);
	struct span keys[] = { signer_dnskey(a), signer_dnskey(b) };
	AUTO_CHARS char *path = path_in(w, "zone.key");
	AUTO_CHARS char *away = path_in(w, "away");
	struct asked old;

	(void)state;
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	tell_keys(w, "zone.", keys, 2, &a, 1);
	old = *last_ask(w);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(away, path), 0);
	anchor_keeper_set(w->keeper, w->plan, true);
	wait_for(w, 1);
	assert_file_has(w, "zone.key", ";;state=1 [ADDPEND]");
	old.fn(w->loop, w->keeper, old.tag, NULL); /* of a list that is no more */
	assert_file_has(w, "zone.key", ";;query_failed: 0\n");
	world_end(w);
}

static void negative_anchors_hold_for_their_time(void **state)
{
	struct world *w = world_of("trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\nnta-recheck: 0\n");
	struct name_buf zone, other;

	(void)state;
	assert_true(OK(name_from_text("Broken.example.", NULL, &zone)) && OK(name_from_text("other.", NULL, &other)));
	anchor_keeper_start(w->keeper);
	assert_true(OK(anchor_keeper_set_negative(w->keeper, name_of(&zone), 0, false)));
	assert_int_equal(w->published, 1);
	assert_true(w->top_given && name_equal(name_of(&w->top), name_of(&zone)));
	assert_int_equal(kind_at(w, "www.broken.example."), ANCHOR_NEGATIVE);
	assert_int_equal(kind_at(w, "example."), ANCHOR_KEYS);
	assert_file_has(w, "negative-anchors", "broken.example. 1800003600 recheck\n");
	assert_int_equal(anchor_keeper_set_negative(w->keeper, name_of(&other), 8 * DAY, false).e, ERR_RANGE);
	wait_for(w, 3590);
	assert_int_equal(kind_at(w, "broken.example."), ANCHOR_NEGATIVE);
	assert_int_equal(w->published, 1);
	wait_for(w, 20);
	assert_int_equal(w->published, 2);
	assert_true(name_equal(name_of(&w->top), name_of(&zone)));
	assert_int_equal(kind_at(w, "broken.example."), ANCHOR_KEYS);
	assert_false(anchor_keeper_remove_negative(w->keeper, name_of(&zone)));
	assert_int_equal(w->asks, 0);
	world_end(w);
}

static void negative_anchors_survive_a_restart_and_change_the_digest(void **state)
{
	struct world *w = world_of("trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\n");
	uint8_t plain[ANCHOR_KEEPER_DIGEST], with[ANCHOR_KEEPER_DIGEST], again[ANCHOR_KEEPER_DIGEST];
	AUTO(strbuf_free) struct strbuf *list = strbuf_new(4096);
	struct name_buf zone;

	(void)state;
	assert_true(OK(name_from_text("broken.", NULL, &zone)));
	anchor_keeper_digest(w->keeper, plain);
	assert_true(OK(anchor_keeper_set_negative(w->keeper, name_of(&zone), 2 * DAY, true)));
	anchor_keeper_digest(w->keeper, with);
	assert_memory_not_equal(plain, with, sizeof plain);
	anchor_keeper_close(w->keeper);
	w->keeper = NULL;
	w->now.wall_sec += DAY;
	loop_turn(w->loop, false);
	assert_true(OK(open_keeper(w)));
	anchor_keeper_digest(w->keeper, again);
	assert_memory_equal(again, with, sizeof with);
	assert_int_equal(kind_at(w, "a.broken."), ANCHOR_NEGATIVE);
	anchor_keeper_print_negative(w->keeper, list);
	assert_string_equal(strbuf_text(list), "broken. until 2027-01-17T08:00:00Z force\n");
	anchor_keeper_close(w->keeper);
	w->keeper = NULL;
	w->now.wall_sec += DAY;
	loop_turn(w->loop, false);
	assert_true(OK(open_keeper(w)));
	anchor_keeper_digest(w->keeper, again);
	assert_memory_equal(again, plain, sizeof plain);
	world_end(w);
}

static void a_zone_that_validates_again_needs_none(void **state)
{
	struct world *w = world_of("trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\n");
	struct answer bogus = { .rcode = RCODE_SERVFAIL, .bogus = true }, good = { .rcode = RCODE_NOERROR, .security = SECURITY_SECURE };
	struct name_buf zone, forced;

	(void)state;
	assert_true(OK(name_from_text("broken.", NULL, &zone)) && OK(name_from_text("forced.", NULL, &forced)));
	anchor_keeper_start(w->keeper);
	assert_true(OK(anchor_keeper_set_negative(w->keeper, name_of(&zone), DAY, false)));
	assert_true(OK(anchor_keeper_set_negative(w->keeper, name_of(&forced), DAY, true)));
	wait_for(w, 299);
	assert_int_equal(w->asks, 0);
	wait_for(w, 2);
	assert_int_equal(w->asks, 1);
	assert_true(last_ask(w)->apart && !last_ask(w)->check_disabled && last_ask(w)->type == RR_SOA);
	assert_true(name_equal(name_of(&last_ask(w)->name), name_of(&zone)));
	wait_for(w, 600);
	assert_int_equal(w->asks, 1); /* one at a time */
	tell(w, &bogus);
	assert_int_equal(kind_at(w, "broken."), ANCHOR_NEGATIVE);
	wait_for(w, 301);
	assert_int_equal(w->asks, 2);
	tell(w, &good);
	assert_int_equal(kind_at(w, "broken."), ANCHOR_KEYS);
	assert_int_equal(kind_at(w, "forced."), ANCHOR_NEGATIVE);
	wait_for(w, 3600);
	assert_int_equal(w->asks, 2);
	world_end(w);
}

static void the_operator_makes_names_insecure_until_a_reload(void **state)
{
	struct world *w = world_of("trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\ndomain-insecure: lan\n");
	AUTO(strbuf_free) struct strbuf *list = strbuf_new(4096);
	struct name_buf lan, home;

	(void)state;
	assert_true(OK(name_from_text("lan.", NULL, &lan)) && OK(name_from_text("home.", NULL, &home)));
	assert_true(OK(anchor_keeper_insecure(w->keeper, name_of(&lan), false)));
	assert_int_equal(kind_at(w, "lan."), ANCHOR_KEYS);
	assert_true(name_equal(name_of(&w->top), name_of(&lan)));
	assert_true(OK(anchor_keeper_insecure(w->keeper, name_of(&home), true)));
	assert_int_equal(kind_at(w, "a.home."), ANCHOR_INSECURE);
	anchor_keeper_print_insecure(w->keeper, list);
	assert_string_equal(strbuf_text(list), "home.\n");
	anchor_keeper_set(w->keeper, w->plan, false); /* set_option: what was said stays */
	assert_int_equal(kind_at(w, "a.home."), ANCHOR_INSECURE);
	assert_false(w->top_given);
	anchor_keeper_set(w->keeper, w->plan, true);
	assert_int_equal(kind_at(w, "a.home."), ANCHOR_KEYS);
	assert_int_equal(kind_at(w, "lan."), ANCHOR_INSECURE);
	assert_true(w->everything);
	world_end(w);
}

static void a_reload_drops_verdicts_only_when_they_do_not_hold(void **state)
{
	static const struct {
		const char *text;
		bool dropped;
	} after[] = {
		{ "trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\nval-log-level: 2\n", false },
		{ "trust-anchor: \". DS 2 13 2 0000000000000000000000000000000000000000000000000000000000000002\"\n", true },
		{ "trust-anchor: \". DS 2 13 2 0000000000000000000000000000000000000000000000000000000000000002\"\ndomain-insecure: a\n", true },
		{ "trust-anchor: \". DS 2 13 2 0000000000000000000000000000000000000000000000000000000000000002\"\ndomain-insecure: a\nval-override-date: -1\n", true },
		{ "module-config: iterator\n", true },
		{ "trust-anchor: \". DS 2 13 2 0000000000000000000000000000000000000000000000000000000000000002\"\n", false },
	};
	struct world *w = world_of("trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\n");

	(void)state;
	for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
		struct plan *next = plan_of(w, after[i].text);

		anchor_keeper_set(w->keeper, next, true);
		assert_int_equal(w->published, i + 1);
		assert_int_equal(w->top_given, after[i].dropped);
		plan_unref(next);
	}
	world_end(w);
}

static void what_could_not_be_published_is_tried_again(void **state)
{
	struct world *w = world_of("trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\n");
	struct name_buf zone;

	(void)state;
	assert_true(OK(name_from_text("broken.", NULL, &zone)));
	anchor_keeper_start(w->keeper);
	w->refuse = true;
	(void)!OK(anchor_keeper_set_negative(w->keeper, name_of(&zone), 0, false));
	wait_for(w, 5);
	assert_int_equal(w->published, 0);
	w->refuse = false;
	wait_for(w, 2);
	assert_int_equal(w->published, 1);
	assert_true(w->everything); /* which of them was lost is not known any more */
	wait_for(w, 10);
	assert_int_equal(w->published, 1);
	world_end(w);
}

static void a_clock_that_was_set_drops_all_verdicts(void **state)
{
	struct world *w = world_of("trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\n");

	(void)state;
	anchor_keeper_start(w->keeper);
	wait_for(w, 600);
	w->now.wall_sec += 30; /* as a clock is disciplined */
	wait_for(w, 120);
	assert_int_equal(w->published, 0);
	w->now.wall_sec -= 3600;
	wait_for(w, 120);
	assert_int_equal(w->published, 1);
	assert_true(w->everything);
	wait_for(w, 600);
	assert_int_equal(w->published, 1);
	w->now.wall_sec += 2 * DAY;
	wait_for(w, 120);
	assert_int_equal(w->published, 2);
	world_end(w);
}

static void key_tags_are_signalled_daily(void **state)
{
	struct world *w = world_of("trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\ntrust-anchor-signaling: yes\n"
		"trust-anchor: \"zone. DS 258 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\n");
	char text[NAME_TEXT];

	(void)state;
	anchor_keeper_start(w->keeper);
	wait_for(w, 5);
	assert_int_equal(w->asks, 0);
	wait_for(w, 60);
	assert_int_equal(w->asks, 2);
	assert_string_equal(name_to_text(name_of(&w->asked[0].name), text), "_ta-0001.");
	assert_string_equal(name_to_text(name_of(&w->asked[1].name), text), "_ta-0102.zone.");
	assert_int_equal(w->asked[0].type, RR_NULL);
	tell(w, NULL);
	wait_for(w, 23 * 3600);
	assert_int_equal(w->asks, 2);
	wait_for(w, 3600);
	assert_int_equal(w->asks, 4);
	world_end(w);
}

static void memory_that_runs_out_leaves_nothing_behind(void **state)
{
	AUTO(signer_free) struct signer *a = signer_new(13, 257, 0);
	struct world *w = following(a);
	struct anchor_keeper_env e = { .loop = w->loop, .user = w, .publish = published, .ask = ask };
	struct strbuf *report = strbuf_new(65536);
	bool opened = false;

	(void)state;
	anchor_keeper_close(w->keeper);
	w->keeper = NULL;
	for (uint64_t n = 1; !opened && n < 500; n++) {
		struct mem_usage before;
		struct result r;

		strbuf_clear(report);
		before = mem_usage();
		mem_fail_at(n, true);
		r = anchor_keeper_open(&e, w->plan, report, &w->keeper);
		mem_fail_at(0, false);
		opened = OK(r);
		if (!opened) {
			assert_int_equal(r.e, ERR_NOMEM);
			assert_null(w->keeper);
			assert_in_range(mem_usage().objects, before.objects, before.objects + 1); /* the report may have grown */
		}
	}
	assert_true(opened);
	strbuf_free(report);
	world_end(w);
}

static void what_memory_failed_for_is_done_later(void **state)
{
	struct name_buf zone;

	(void)state;
	assert_true(OK(name_from_text("broken.", NULL, &zone)));
	for (uint64_t n = 1; n < 60; n++) {
		struct world *w = world_of("trust-anchor: \". DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\nnta-recheck: 0\n");
		struct result r;

		anchor_keeper_start(w->keeper);
		mem_fail_at(n, true);
		r = anchor_keeper_set_negative(w->keeper, name_of(&zone), 1000, false);
		mem_fail_at(0, false);
		anchor_keeper_set(w->keeper, w->plan, false); /* arms the timer, should that have failed */
		wait_for(w, 3);
		/* either it was refused at once, or it is in force by now */
		if (OK(r) || w->published > 1)
			assert_int_equal(kind_at(w, "broken."), ANCHOR_NEGATIVE);
		world_end(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_is_asked_for_its_keys_and_the_file_is_kept),
		cmocka_unit_test(a_rollover_is_followed),
		cmocka_unit_test(what_no_anchor_signed_changes_nothing),
		cmocka_unit_test(a_trust_point_that_is_revoked_is_none),
		cmocka_unit_test(a_damaged_file_is_left_alone),
		cmocka_unit_test(what_cannot_be_written_is_kept_and_tried_again),
		cmocka_unit_test(an_unsaved_state_survives_a_reload),
		cmocka_unit_test(negative_anchors_hold_for_their_time),
		cmocka_unit_test(negative_anchors_survive_a_restart_and_change_the_digest),
		cmocka_unit_test(a_zone_that_validates_again_needs_none),
		cmocka_unit_test(the_operator_makes_names_insecure_until_a_reload),
		cmocka_unit_test(a_reload_drops_verdicts_only_when_they_do_not_hold),
		cmocka_unit_test(what_could_not_be_published_is_tried_again),
		cmocka_unit_test(a_clock_that_was_set_drops_all_verdicts),
		cmocka_unit_test(key_tags_are_signalled_daily),
		cmocka_unit_test(memory_that_runs_out_leaves_nothing_behind),
		cmocka_unit_test(what_memory_failed_for_is_done_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
