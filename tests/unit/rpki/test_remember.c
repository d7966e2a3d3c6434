/*
 * remember: a run that remembers says what one says that does not, entry by entry, over random changes of a toy repository, its clock and its limits; what a note must have in it; when one is
 * used, and when it goes. What a note leaves out is found: two such faults are planted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/object/roa.h"
#include "rpki/validate/remember.h"
#include "rpki/validate/stored.h"
#include "tests/unit/rpki/object/toy.h"
#include "tests/unit/rpki/store_here.h"

#define MODULE "rsync://toy.example/repo/"
#define TA_MODULE "rsync://toy.example/ta/"
#define MOST_FILES 16
#define EXTRA TOY_FILES /* a place for one file more */
#define FEBRUARY INT64_C(1801440000) /* 2027-02-01 */

enum plant { PLANT_NONE, PLANT_STATE, PLANT_TIME, PLANT_LOST };

/* The store's objects, with a count of what is looked at, and the plants. */
struct watch {
	struct objects objects;
	const struct objects *in;
	enum plant plant;
	unsigned int finds;
};
struct watch_reader {
	struct objects_reader reader;
	struct objects_reader *in;
	struct watch *w;
	uint8_t *patched;
};

struct world {
	struct validate_sink sink;
	struct toy_file files[MOST_FILES], published[MOST_FILES];
	struct watch watch;
	struct stored *stored;
	struct validate_options o;
	struct anchor_locator locator;
	struct strbuf *told;
	uint64_t random;
	uint8_t number[2]; /* of the manifests */
	bool unswept;      /* runs leave what they did not need */
};

static struct toy *toy;

/* --- objects */

static struct watch_reader *mine(struct objects_reader *r) { return (struct watch_reader *)(void *)r; }

static RESULT w_open(const struct objects *o, struct objects_reader **ret);

static void w_close(struct objects_reader *r)
{
	objects_close(mine(r)->in);
	mem_free(mine(r)->patched);
	mem_free(r);
}

static RESULT w_find(struct objects_reader *r, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH])
{
	mine(r)->w->finds++;
	return mine(r)->in->ops->find(mine(r)->in, notify, uri, max, a, ret, ret_hash);
}

static RESULT w_anchor(struct objects_reader *r, struct span uri, size_t max, struct arena *a, struct span *ret)
{
	return mine(r)->in->ops->anchor(mine(r)->in, uri, max, a, ret);
}

static RESULT w_recall(struct objects_reader *r, struct span key, struct span *ret)
{
	static const struct hash_key known = { { 0x636169726e206f6eu, 0x6365206d6f726521u } };
	uint64_t sum;

	TRY(mine(r)->in->ops->recall(mine(r)->in, key, ret));
	if (mine(r)->w->plant != PLANT_TIME || key.p[0] != REMEMBER_LETTER)
		return DONE;
	mem_free(mine(r)->patched);
	mine(r)->patched = mem_dup(ret->p, ret->n);
	memset(mine(r)->patched, 0, 16);
	mine(r)->patched[8] = 0x7f;
	sum = siphash13(&known, mine(r)->patched, ret->n - 8);
	store32(mine(r)->patched + ret->n - 8, (uint32_t)(sum >> 32));
	store32(mine(r)->patched + ret->n - 4, (uint32_t)sum);
	*ret = span_of(mine(r)->patched, ret->n);
	return DONE;
}

static RESULT w_by_hash(struct objects_reader *r, const uint8_t hash[OBJECT_HASH], size_t max, struct span *ret)
{
	if (mine(r)->w->plant == PLANT_LOST)
		return FAIL(ERR_NOTFOUND);
	return mine(r)->in->ops->by_hash(mine(r)->in, hash, max, ret);
}

static RESULT w_state(struct objects_reader *r, struct span notify, struct span base, uint8_t ret[OBJECT_STATE])
{
	TRY(mine(r)->in->ops->state(mine(r)->in, notify, base, ret));
	if (mine(r)->w->plant == PLANT_STATE)
		memset(ret, 1, OBJECT_STATE);
	return DONE;
}

static RESULT w_hash_at(struct objects_reader *r, struct span notify, struct span base, const uint8_t uri[OBJECT_HASH], uint8_t ret_hash[OBJECT_HASH])
{
	return mine(r)->in->ops->hash_at(mine(r)->in, notify, base, uri, ret_hash);
}

static const struct objects_ops ops = { w_open, w_close, w_find, w_anchor, w_recall, w_by_hash, w_state, w_hash_at };

static RESULT w_open(const struct objects *o, struct objects_reader **ret)
{
	struct watch *w = (struct watch *)(uintptr_t)(const void *)o;
	struct watch_reader *r = mem_alloc(sizeof *r);

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	if (!OK(w->in->ops->open(w->in, &r->in))) {
		mem_free(r);
		return FAIL(ERR_NOMEM);
	}
	r->reader.ops = &ops;
	r->w = w;
	*ret = &r->reader;
	return DONE;
}

/* --- what is told */

static struct strbuf *told_of(struct validate_sink *s) { return ((struct world *)(void *)s)->told; }

static void tell_origin(struct validate_sink *s, const struct origin *o)
{
	strbuf_printf(told_of(s), " %s %.*s %lld-%lld %lld-%lld %lld\n", o->tal, (int)o->uri.n, (const char *)o->uri.p, (long long)o->not_before, (long long)o->not_after,
	    (long long)o->chain_not_before, (long long)o->chain_not_after, (long long)o->stale);
}

static RESULT s_roa(struct validate_sink *s, const struct origin *o, const struct roa *roa)
{
	struct roa_walk w = roa_begin(roa);
	struct roa_prefix p;
	char room[PREFIX_TEXT];

	strbuf_printf(told_of(s), "ROA %u %zu", roa->as, roa->prefixes);
	while (roa_next(&w, &p))
		strbuf_printf(told_of(s), " %s-%u", ip_prefix_text(&p.p, room), p.max_len);
	tell_origin(s, o);
	return DONE;
}

static RESULT s_aspa(struct validate_sink *s, const struct origin *o, uint32_t customer, const uint32_t *providers, size_t n)
{
	strbuf_printf(told_of(s), "ASPA %u", customer);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(told_of(s), " %u", providers[i]);
	tell_origin(s, o);
	return DONE;
}

static RESULT s_router(struct validate_sink *s, const struct origin *o, uint32_t as, struct span ski, struct span spki)
{
	strbuf_printf(told_of(s), "router %u %02x %zu %02x", as, ski.p[19], spki.n, spki.p[spki.n - 1]);
	tell_origin(s, o);
	return DONE;
}

static void s_refused(struct validate_sink *s, const char *tal, struct span uri, const char *why)
{
	strbuf_printf(told_of(s), "refused %s %.*s: %s\n", tal, (int)uri.n, (const char *)uri.p, why);
}

static RESULT s_unsafe(struct validate_sink *s, const struct resources *r)
{
	strbuf_puts(told_of(s), "unsafe ");
	resources_print(r, told_of(s), 10);
	strbuf_putc(told_of(s), '\n');
	return DONE;
}

static const struct validate_sink_ops sink_ops = { .roa = s_roa, .aspa = s_aspa, .router_key = s_router, .refused = s_refused, .unsafe = s_unsafe };

/* --- the world */

static void publish(enum store_kind kind, const char *source, const char *prefix, const struct toy_file *files)
{
	struct store_update *u;

	assert_true(OK(store_update_begin(store, kind, span_text(source), STORE_REPLACE, &u)));
	for (size_t i = 0; i < MOST_FILES; i++)
		if (files[i].uri != NULL && strncmp(files[i].uri, prefix, strlen(prefix)) == 0)
			assert_true(OK(store_update_publish(u, span_text(files[i].uri), NULL, files[i].octets)));
	assert_true(OK(store_update_commit(u, span_text("state"), 1)));
	store_update_free(u);
}

/* What has changed goes to the store; what has not leaves its source's state as it is. */
static void publish_all(struct world *w)
{
	bool changed[2] = { false, false };

	for (size_t i = 0; i < MOST_FILES; i++)
		if (memcmp(&w->files[i], &w->published[i], sizeof w->files[i]) != 0)
			changed[strncmp(w->files[i].uri != NULL ? w->files[i].uri : w->published[i].uri, MODULE, strlen(MODULE)) == 0] = true;
	if (changed[0])
		publish(STORE_RSYNC, TA_MODULE, TA_MODULE, w->files);
	if (changed[1])
		publish(STORE_RSYNC, MODULE, MODULE, w->files);
	memcpy(w->published, w->files, sizeof w->files);
}

static struct world *world_new(uint64_t seed)
{
	struct world *w = mem_alloc(sizeof *w);

	assert_non_null(w);
	w->sink.ops = &sink_ops;
	w->random = seed;
	w->number[0] = w->number[1] = 7;
	toy_repository(toy, w->files);
	w->stored = stored_new(store, true);
	w->watch = (struct watch){ { &ops }, stored_objects(w->stored), PLANT_NONE, 0 };
	w->locator = (struct anchor_locator){ "toy", toy_locator(toy) };
	w->told = strbuf_new(100000);
	w->o = (struct validate_options){ .now = TOY_NOW, .threads = 1, .limits = validate_limits_default(), .objects = &w->watch.objects, .sink = &w->sink, .anchors = &w->locator,
		.anchor_count = 1 };
	publish(STORE_ANCHOR, w->files[TOY_FILE_TA].uri, w->files[TOY_FILE_TA].uri, w->files);
	return w;
}

static void world_free(struct world *w)
{
	stored_free(w->stored);
	strbuf_free(w->told);
	mem_free(w);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What a run says, its lines sorted, and the counts. */
static char *run(struct world *w, bool remembers)
{
	struct anchor_result r;
	char *lines[200], *text, *rest;
	struct strbuf *out = strbuf_new(100000);
	size_t n = 0;

	w->o.keeper = remembers ? stored_keeper(w->stored) : NULL;
	w->watch.finds = 0;
	strbuf_clear(w->told);
	assert_true(OK(validate_run(&w->o, &r)));
	text = strbuf_take(w->told);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL && n < 200; line = strtok_r(NULL, "\n", &rest))
		lines[n++] = line;
	qsort(lines, n, sizeof *lines, by_text);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, "%s\n", lines[i]);
	strbuf_printf(out, "usable %d points %llu failed %llu kept %llu payloads %llu limits %llu until %lld:", r.usable, (unsigned long long)r.points, (unsigned long long)r.points_failed,
	    (unsigned long long)r.points_kept, (unsigned long long)r.payloads, (unsigned long long)r.limits, (long long)r.not_after);
	for (size_t i = 0; i < COUNTED; i++)
		strbuf_printf(out, " %llu/%llu", (unsigned long long)r.valid[i], (unsigned long long)r.invalid[i]);
	for (size_t i = 0; i < WANTINGS; i++)
		strbuf_printf(out, " %llu", (unsigned long long)r.wanting[i]);
	mem_free(text);
	text = strbuf_take(out);
	strbuf_free(out);
	if (remembers) {
		assert_true(OK(stored_write_kept(w->stored)));
		if (!w->unswept)
			assert_true(OK(stored_sweep(w->stored, w->o.now)));
	}
	return text;
}

/* --- random changes */

static unsigned int pick(struct world *w, unsigned int n)
{
	static const struct hash_key k = { { 1, 2 } };

	w->random = siphash13(&k, &w->random, sizeof w->random);
	return (unsigned int)(w->random % n);
}

static struct span variant(struct world *w, unsigned int i)
{
	static const char ended[] = "4.1:3237303230313030303030305a", coming[] = "4.0:3237303230313030303030305a";

	switch (i) {
	case TOY_FILE_ROA:
		return pick(w, 2) ? toy_edited(toy, TOY_ROA, "ee/tbs", ended, 0) : toy_edited(toy, TOY_ROA, "ee/tbs", coming, 0);
	case TOY_FILE_ASPA:
		return pick(w, 2) ? toy_edited(toy, TOY_ASPA, "ee/tbs", ended, 0) : toy_object(toy, TOY_ROA);
	case TOY_FILE_ROUTER:
		return pick(w, 2) ? toy_edited(toy, TOY_ROUTER, "tbs", coming, 0) : toy_object(toy, TOY_PREFIX_LIST);
	case TOY_FILE_CRL:
		return toy_edited(toy, TOY_CRL, "tbs", pick(w, 2) ? "4:3237303230313030303030305a" : "3:3237303230313030303030305a", 0);
	case TOY_FILE_GHOSTBUSTERS:
		return toy_object(toy, TOY_ASPA);
	default:
		return toy_object(toy, TOY_GHOSTBUSTERS);
	}
}

static void new_manifest(struct world *w, bool of_anchor)
{
	struct toy_file list[8];
	unsigned int first = of_anchor ? TOY_FILE_TA_CRL : TOY_FILE_CRL, most = of_anchor ? 2 : 5, at = of_anchor ? TOY_FILE_TA_MANIFEST : TOY_FILE_MANIFEST;
	size_t n = 0;

	for (unsigned int i = 0; i < most; i++)
		if (w->files[first + i].uri != NULL && (pick(w, 8) > 0 || i == 0))
			list[n++] = w->files[first + i];
	if (!of_anchor && w->files[EXTRA].uri != NULL)
		list[n++] = w->files[EXTRA];
	if (w->number[of_anchor] < 120)
		w->number[of_anchor] = (uint8_t)(w->number[of_anchor] + (pick(w, 10) > 0)); /* now and then it does not rise */
	w->files[at] = (struct toy_file){ of_anchor ? TA_MODULE "ta.mft" : MODULE "toy.mft", toy_manifest(toy, of_anchor, w->number[of_anchor], list, n) };
}

static const int64_t times[] = { TOY_NOW, TOY_NOW, TOY_NOW, FEBRUARY - 1, FEBRUARY, FEBRUARY + 1, FEBRUARY, TOY_NOW + 365 * 86400, TOY_NOW - 500 * 86400 };

static void change_file(struct world *w, struct toy_file fresh[MOST_FILES])
{
	unsigned int i = pick(w, 4) == 0 ? TOY_FILE_TA_CRL + pick(w, TOY_FILES - TOY_FILE_TA_CRL) : TOY_FILE_CRL + pick(w, 4);

	if (pick(w, 6) == 0)
		w->files[i] = (struct toy_file){ NULL, { NULL, 0 } };
	else if (pick(w, 2) == 0 && i >= TOY_FILE_CRL)
		w->files[i] = (struct toy_file){ fresh[i].uri, variant(w, i) };
	else
		w->files[i] = fresh[i];
}

static void change_limits(struct world *w)
{
	w->o.limits = validate_limits_default();
	switch (pick(w, 8)) {
	case 0:
		w->o.limits.payloads = 4;
		break;
	case 1:
		w->o.limits.files = 4;
		break;
	case 2:
		w->o.limits.depth = 0;
		break;
	case 3:
		w->o.limits.object = 1600;
		break;
	default:
		break;
	}
}

static void step(struct world *w, struct toy_file fresh[MOST_FILES])
{
	switch (pick(w, 11)) {
	case 0:
	case 1:
		w->o.now = times[pick(w, sizeof times / sizeof *times)];
		break;
	case 2:
		change_limits(w);
		break;
	case 3:
	case 4:
		new_manifest(w, pick(w, 4) == 0);
		break;
	case 5:
		w->files[EXTRA] = pick(w, 2) ? (struct toy_file){ NULL, { NULL, 0 } } : (struct toy_file){ MODULE "again.cer", toy_ca_below_itself(toy) };
		break;
	case 6:
	case 8:
	case 9:
		change_file(w, fresh);
		new_manifest(w, false);
		break;
	case 7:
		change_file(w, fresh);
		break;
	default: /* nothing changes */
		break;
	}
}

/* The number of the first step that differs; 0: none does. */
static unsigned int walk(uint64_t seed, enum plant plant, unsigned int steps, bool show, unsigned int *ret_remembered)
{
	struct world *w = world_new(seed);
	struct toy_file fresh[MOST_FILES] = { 0 };
	unsigned int differs = 0;

	w->watch.plant = plant;
	memcpy(fresh, w->files, sizeof fresh);
	for (unsigned int i = 1; i <= steps && differs == 0; i++) {
		char *with, *without;

		publish_all(w);
		without = run(w, false);
		with = run(w, true);
		*ret_remembered += w->watch.finds == 0;
		if (strcmp(with, without) != 0) {
			differs = i;
			if (show)
				fail_msg("seed %llu step %u: remembered\n%s\nlooked at\n%s\n", (unsigned long long)seed, i, with, without);
		}
		mem_free(with);
		mem_free(without);
		if (pick(w, 20) == 0) {
			struct store_collected c;

			assert_true(OK(store_collect(store, &c)));
		}
		if (pick(w, 25) == 0)
			memcpy(w->files, fresh, sizeof fresh);
		step(w, fresh);
	}
	world_free(w);
	return differs;
}

/* --- */

static void a_run_that_remembers_says_the_same(void **state)
{
	unsigned int remembered = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++)
		assert_int_equal(walk(seed, PLANT_NONE, 80, true, &remembered), 0);
	assert_true(remembered > 40); /* runs that looked at nothing */
}

static void what_a_note_leaves_out_is_found(void **state)
{
	(void)state;
	for (enum plant p = PLANT_STATE; p <= PLANT_TIME; p++) {
		unsigned int found = 0, remembered = 0;

		for (uint64_t seed = 1; seed <= 6 && found == 0; seed++)
			found = walk(seed, p, 60, false, &remembered);
		if (found == 0)
			fail_msg("plant %d was not found", p);
	}
}

/* With and without memory: the same. */
static void assert_same(struct world *w, const char *part)
{
	char *without, *with;

	publish_all(w);
	without = run(w, false);
	with = run(w, true);
	assert_string_equal(with, without);
	if (strstr(with, part) == NULL)
		fail_msg("\"%s\" has no \"%s\"", with, part);
	mem_free(with);
	mem_free(without);
}

static void every_validity_counts(void **state)
{
	static const struct {
		unsigned int file;
		enum toy_what what;
		const char *part, *edit, *before, *after; /* February; what is said before it and then */
	} list[] = {
		{ TOY_FILE_ROA, TOY_ROA, "ee/tbs", "4.1:3237303230313030303030305a", "ROA 64496", "toy.roa: RFC 6487 section 4.6.2" },
		{ TOY_FILE_ROA, TOY_ROA, "ee/tbs", "4.0:3237303230313030303030305a", "toy.roa: RFC 6487 section 4.6", "ROA 64496" },
		{ TOY_FILE_ASPA, TOY_ASPA, "ee/tbs", "4.1:3237303230313030303030305a", "ASPA 64496", "toy.asa: RFC 6487 section 4.6.2" },
		{ TOY_FILE_ROUTER, TOY_ROUTER, "tbs", "4.0:3237303230313030303030305a", "router.cer: RFC 6487 section 4.6", "router 64496" },
		{ TOY_FILE_GHOSTBUSTERS, TOY_GHOSTBUSTERS, "ee/tbs", "4.1:3237303230313030303030305a", "points 2", "toy.gbr: RFC 6487 section 4.6.2" },
		{ TOY_FILE_CRL, TOY_CRL, "tbs", "4:3237303230313030303030305a", "ROA 64496", "refused toy rsync://toy.example/repo/toy.crl" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct world *w = world_new(1);

		w->files[list[i].file].octets = toy_edited(toy, list[i].what, list[i].part, list[i].edit, 0);
		w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, (uint8_t)(8 + i), w->files + TOY_FILE_CRL, 5);
		w->o.now = FEBRUARY - 1;
		assert_same(w, list[i].before);
		w->o.now = FEBRUARY + 1;
		assert_same(w, list[i].after);
		w->o.now = FEBRUARY - 1;
		assert_same(w, list[i].before);
		world_free(w);
	}
}

/* What is the last good state now is not what it was when the note was made. */
static void the_last_good_state_counts(void **state)
{
	struct world *w = world_new(1);
	struct span old = w->files[TOY_FILE_MANIFEST].octets;

	(void)state;
	w->unswept = true;
	assert_same(w, "failed 0 kept 0");
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 8, w->files + TOY_FILE_CRL, 5);
	w->o.limits.children--; /* another note */
	assert_same(w, "failed 0 kept 0");
	w->files[TOY_FILE_MANIFEST].octets = old;
	w->o.limits.children++;
	assert_same(w, "the manifest's number is not higher");
	assert_same(w, "failed 0 kept 1");
	world_free(w);
}

static void what_is_unchanged_is_not_looked_at(void **state)
{
	struct world *w = world_new(1);
	char *first, *second;

	(void)state;
	publish_all(w);
	first = run(w, true);
	assert_int_equal(w->watch.finds, 11); /* each file, and the CRLs once more */
	second = run(w, true);
	assert_int_equal(w->watch.finds, 0);
	assert_string_equal(first, second);
	mem_free(second);
	/* Something else changes in the source: what is there is asked for, and nothing is read. */
	w->files[EXTRA] = (struct toy_file){ MODULE "other.txt", span_text("of no manifest") };
	publish_all(w);
	second = run(w, true);
	assert_int_equal(w->watch.finds, 0);
	assert_string_equal(first, second);
	mem_free(second);
	/* A point changes: its issuer's does not. */
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 8, w->files + TOY_FILE_CRL, 5);
	publish_all(w);
	second = run(w, true);
	assert_int_equal(w->watch.finds, 3); /* its manifest and CRL; its objects are as they were */
	assert_string_equal(first, second);
	mem_free(second);
	mem_free(first);
	world_free(w);
}

static uint64_t notes(void)
{
	struct store_usage u;

	assert_true(OK(store_usage(store, &u)));
	return u.notes;
}

static void notes_of_what_is_gone_are_swept(void **state)
{
	struct world *w = world_new(1);

	(void)state;
	publish_all(w);
	mem_free(run(w, true));
	assert_int_equal(notes(), 4); /* two points, and their last good states */
	w->files[TOY_FILE_TA_MANIFEST].octets = toy_manifest(toy, true, 8, w->files + TOY_FILE_TA_CRL, 1);
	publish_all(w);
	mem_free(run(w, true));
	assert_int_equal(notes(), 3); /* the CA may come back, and its last good state has not ended */
	w->o.now = TOY_NOW + INT64_C(12) * 366 * 86400;
	mem_free(run(w, true));
	assert_int_equal(notes(), 0); /* the trust anchor's certificate has ended as well */
	world_free(w);
}

static void a_note_that_was_damaged_is_none(void **state)
{
	struct world *w = world_new(1);
	struct store_view *v;
	struct store_note n;
	struct remembered m;
	uint8_t key[REMEMBER_KEY] = { REMEMBER_LETTER };
	struct span notes_key = { key, sizeof key };
	uint8_t *bad;

	(void)state;
	publish_all(w);
	mem_free(run(w, true));
	{
		AUTO(arena_free) struct arena *a = arena_new(0);
		struct report rep;
		struct ca *c;

		report_init(&rep);
		assert_true(OK(ca_new(w->files[TOY_FILE_TA].octets, CERT_TA, span_text(w->files[TOY_FILE_TA].uri), &rep, &c)));
		c->effective = c->cert.claimed;
		remember_identify(&w->o.limits, c);
		memcpy(key + 1, c->identity, OBJECT_HASH);
		ca_free(c);
	}
	assert_true(OK(store_view_open(store, &v)));
	assert_true(OK(store_note_get(v, notes_key, &n)));
	assert_true(OK(remember_open(n.value, &m)));
	assert_int_equal(m.seen.n, 3 * 2 * OBJECT_HASH + 2 * OBJECT_HASH); /* manifest, CRL twice, and the CA */
	assert_true(m.from <= TOY_NOW && m.until > TOY_NOW && m.until < INT64_MAX);
	bad = mem_dup(n.value.p, n.value.n);
	for (size_t i = 0; i < n.value.n; i += 7) {
		bad[i] ^= 4;
		assert_int_equal(remember_open(span_of(bad, n.value.n), &m).e, ERR_FORMAT);
		bad[i] ^= 4;
	}
	for (size_t i = 0; i < n.value.n; i++)
		assert_int_equal(remember_open(span_of(bad, i), &m).e, ERR_FORMAT);
	bad[30] ^= 1;
	store_view_close(v);
	n = (struct store_note){ .key = notes_key, .value = span_of(bad, n.value.n) };
	assert_true(OK(store_notes_put(store, &n, 1)));
	mem_free(run(w, true));
	assert_int_equal(w->watch.finds, 4); /* the trust anchor's point is looked at, the CA's is not */
	mem_free(run(w, true));
	assert_int_equal(w->watch.finds, 0);
	mem_free(bad);
	world_free(w);
}

/* The issuer is remembered and the certificate is not there: not to be expected, but bits flip. */
static void a_certificate_that_is_lost_is_looked_for_again(void **state)
{
	struct world *w = world_new(1);
	char *good, *text;

	(void)state;
	publish_all(w);
	good = run(w, true);
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 8, w->files + TOY_FILE_CRL, 5);
	publish_all(w);
	w->watch.plant = PLANT_LOST;
	text = run(w, true);
	assert_non_null(strstr(text, "refused toy rsync://toy.example/ta/ca.cer: its certificate has been lost from the store\n"));
	assert_non_null(strstr(text, "points 2 failed 1"));
	mem_free(text);
	w->watch.plant = PLANT_NONE;
	text = run(w, true);
	assert_int_equal(w->watch.finds, 7);
	assert_string_equal(text, good);
	mem_free(text);
	mem_free(good);
	world_free(w);
}

static void memory_may_run_out_anywhere(void **state)
{
	struct world *w = world_new(1);
	char *good;
	bool failed = true;

	(void)state;
	publish_all(w);
	good = run(w, false);
	mem_free(run(w, true));
	w->files[TOY_FILE_MANIFEST].octets = toy_manifest(toy, false, 8, w->files + TOY_FILE_CRL, 5);
	publish_all(w);
	w->o.keeper = stored_keeper(w->stored);
	for (uint64_t n = 1; failed; n++) {
		uint64_t before = mem_usage().objects;
		struct anchor_result r;
		struct result done;

		strbuf_clear(w->told);
		mem_fail_at(n, false);
		done = validate_run(&w->o, &r);
		failed = mem_failed();
		mem_fail_at(0, false);
		assert_true(failed || OK(done));
		assert_true(OK(done) || done.e == ERR_NOMEM);
		assert_true(mem_usage().objects >= before); /* what is kept for the store, and no more */
		stored_free(w->stored);
		w->stored = stored_new(store, true);
		w->watch.in = stored_objects(w->stored);
		w->o.keeper = stored_keeper(w->stored);
	}
	mem_free(good);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_unchanged_is_not_looked_at, begin, end),
		cmocka_unit_test_setup_teardown(every_validity_counts, begin, end),
		cmocka_unit_test_setup_teardown(the_last_good_state_counts, begin, end),
		cmocka_unit_test_setup_teardown(a_run_that_remembers_says_the_same, begin, end),
		cmocka_unit_test_setup_teardown(what_a_note_leaves_out_is_found, begin, end),
		cmocka_unit_test_setup_teardown(notes_of_what_is_gone_are_swept, begin, end),
		cmocka_unit_test_setup_teardown(a_note_that_was_damaged_is_none, begin, end),
		cmocka_unit_test_setup_teardown(a_certificate_that_is_lost_is_looked_for_again, begin, end),
		cmocka_unit_test_setup_teardown(memory_may_run_out_anywhere, begin, end),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
