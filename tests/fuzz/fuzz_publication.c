/*
 * Whole publication points: three CAs of a toy RPKI whose objects are changed label by label, in whatever way, and signed and listed again, so that a change is seen by what comes behind
 * signatures and hashes; and validated, up to four states of them one after the other with the last good ones remembered. The input is a script (publication.h).
 *
 * What is told must be allowed by libcrypto as well: signatures, times, resources, revocation, and whole manifests (publication_truth.h). What nobody touched is told, whatever is wrong
 * beside it. The same objects give the same, with two threads as with one, and what earlier runs found out about the points (rpki/validate/remember.h), at other times perhaps, changes
 * nothing. Nothing is left.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "rpki/object/roa.h"
#include "rpki/validate/validate.h"
#include "tests/fuzz/kit.h"
#include "tests/fuzz/publication_truth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max, unsigned int seed);

#define MOST_TOLD 1024
#define MOST_KEPT 64
#define LETTER_REMEMBERED 'v' /* of keys of notes that must make no difference */

static struct toy *toy BORROWED_FIELD;
static struct toy_place pristine[TOY_PLACES];
static struct anchor_locator locator;
static struct pub_state known;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	toy = toy_new();
	CHECK(toy != NULL);
	toy_places(toy, pristine);
	locator = (struct anchor_locator){ "toy", toy_locator(toy) };
	for (size_t i = 0; i < TOY_PLACES; i++)
		known.files[known.n++] = (struct toy_file){ pristine[i].uri, pristine[i].octets };
	truth_know(&known, TOY_NOW);
	return 0;
}

/* --- what a run is told, and what is kept for later ones */

struct told {
	struct arena *a BORROWED_FIELD;
	const char *lines[MOST_TOLD] ARENA_FIELD;
	size_t n, more;
	struct truth_product products[MOST_TOLD];
	size_t product_count;
	uint64_t payloads;
	struct anchor_result result;
};

struct memory {
	struct {
		struct span key, value;
	} of[MOST_KEPT];
	size_t n;
};

struct world {
	struct objects objects;
	struct validate_sink sink;
	struct objects_keeper keeper;
	struct arena *a BORROWED_FIELD;
	struct pub_state *states[PUB_MOST_STATES] ARENA_FIELD; /* the newest first */
	size_t state_count;
	bool marks_unknown;
	const struct memory *recalled BORROWED_FIELD;
	struct memory *kept BORROWED_FIELD;
	struct told *told BORROWED_FIELD;
	struct validate_options o;
};

struct world_reader {
	struct objects_reader reader;
	struct world *w BORROWED_FIELD;
};

static struct world *world_of(struct objects_reader *r) BORROWED;
static struct world *world_of(struct objects_reader *r) { return ((struct world_reader *)(void *)r)->w; }

static void w_close(struct objects_reader *r) { mem_free(r); }

static RESULT w_find(struct objects_reader *r, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH])
{
	const struct pub_state *s = world_of(r)->states[0];

	(void)notify;
	(void)a;
	return toy_file_find(s->files, s->n, uri, max, ret, ret_hash);
}

static RESULT w_anchor(struct objects_reader *r, struct span uri, size_t max, struct arena *a, struct span *ret)
{
	uint8_t hash[OBJECT_HASH];

	return w_find(r, span_of("", 0), uri, max, a, ret, hash);
}

static RESULT w_recall(struct objects_reader *r, struct span key, struct span *ret)
{
	const struct memory *m = world_of(r)->recalled;

	for (size_t i = 0; i < m->n; i++) {
		if (!span_equal(m->of[i].key, key))
			continue;
		*ret = m->of[i].value;
		return DONE;
	}
	return FAIL(ERR_NOTFOUND);
}

static RESULT w_by_hash(struct objects_reader *r, const uint8_t hash[OBJECT_HASH], size_t max, struct span *ret)
{
	const struct world *w = world_of(r);
	struct result found = FAIL(ERR_NOTFOUND);

	for (size_t s = 0; s < w->state_count && found.e == ERR_NOTFOUND; s++)
		found = toy_file_by_hash(w->states[s]->files, w->states[s]->n, hash, max, ret);
	return found;
}

/* "rsync://HOST/MODULE/" */
static size_t module_size(struct span uri)
{
	size_t n = 0;

	for (unsigned int slashes = 0; n < uri.n && slashes < 4; n++)
		slashes += uri.p[n] == '/';
	return n;
}

static bool in_module(const struct toy_file *f, struct span base)
{
	size_t n = module_size(base);

	return strlen(f->uri) >= n && memcmp(f->uri, base.p, n) == 0;
}

static RESULT w_state(struct objects_reader *r, struct span notify, struct span base, uint8_t ret[OBJECT_STATE])
{
	const struct world *w = world_of(r);
	const struct pub_state *s = w->states[0];
	uint8_t hash[2][OBJECT_HASH] = { { 0 } };

	(void)notify;
	memset(ret, 0, OBJECT_STATE);
	if (w->marks_unknown)
		return DONE;
	for (size_t i = 0; i < s->n; i++) {
		if (!in_module(&s->files[i], base))
			continue;
		sha256_of(s->files[i].octets, hash[1]);
		sha256_of(span_of(hash, sizeof hash), hash[0]);
		sha256_of(span_text(s->files[i].uri), hash[1]);
		sha256_of(span_of(hash, sizeof hash), hash[0]);
	}
	memcpy(ret, hash[0], OBJECT_STATE);
	ret[0] |= 1;
	return DONE;
}

static RESULT w_hash_at(struct objects_reader *r, struct span notify, struct span base, const uint8_t uri[OBJECT_HASH], uint8_t ret_hash[OBJECT_HASH])
{
	const struct pub_state *s = world_of(r)->states[0];

	(void)notify;
	for (size_t i = 0; i < s->n; i++) {
		uint8_t hash[OBJECT_HASH];

		sha256_of(span_text(s->files[i].uri), hash);
		if (memcmp(hash, uri, sizeof hash) != 0)
			continue;
		CHECK(in_module(&s->files[i], base));
		sha256_of(s->files[i].octets, ret_hash);
		return DONE;
	}
	return FAIL(ERR_NOTFOUND);
}

static RESULT w_open(const struct objects *o, struct objects_reader **ret);
static const struct objects_ops ops = { w_open, w_close, w_find, w_anchor, w_recall, w_by_hash, w_state, w_hash_at };
static const struct objects_ops forgetful_ops = { w_open, w_close, w_find, w_anchor, w_recall, w_by_hash, NULL, NULL };

static RESULT w_open(const struct objects *o, struct objects_reader **ret)
{
	struct world_reader *r = mem_alloc(sizeof *r);

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	r->reader.ops = o->ops;
	r->w = (struct world *)(uintptr_t)(const void *)o;
	*ret = &r->reader;
	return DONE;
}

static struct world *of_keeper(struct objects_keeper *k) BORROWED;
static struct world *of_keeper(struct objects_keeper *k) { return PARENT_OF(k, struct world, keeper); }

static RESULT w_keep(struct objects_keeper *k, struct span key, struct span value, const uint8_t *hashes, size_t count)
{
	struct world *w = of_keeper(k);
	struct memory *m = w->kept;
	size_t i = 0;

	CHECK(key.n > 0 && (key.p[0] == LETTER_REMEMBERED ? count == 0 : (value.n == 0) == (count == 0) && (count == 0 || memcmp(hashes, value.p, OBJECT_HASH) == 0)));
	while (i < m->n && !span_equal(m->of[i].key, key))
		i++;
	if (i == MOST_KEPT)
		return DONE;
	if (value.n == 0) {
		if (i < m->n)
			m->of[i] = m->of[--m->n];
		return DONE;
	}
	mem_fail_hold(true);
	m->n = i == m->n ? i + 1 : m->n;
	m->of[i].key = span_of(arena_dup(w->a, key.p, key.n), key.n);
	m->of[i].value = span_of(arena_dup(w->a, value.p, value.n), value.n);
	mem_fail_hold(false);
	return DONE;
}

static bool has_note(const struct memory *m, struct span key)
{
	for (size_t i = 0; i < m->n; i++)
		if (span_equal(m->of[i].key, key))
			return true;
	return false;
}

static RESULT w_used(struct objects_keeper *k, struct span key)
{
	const struct world *w = of_keeper(k);

	CHECK(key.p[0] != LETTER_REMEMBERED || w->kept->n == MOST_KEPT || has_note(w->recalled, key) || has_note(w->kept, key));
	return DONE;
}

/* What is remembered of looking at points, left out. */
static void forget(struct memory *m)
{
	for (size_t i = 0; i < m->n;) {
		if (m->of[i].key.p[0] == LETTER_REMEMBERED)
			m->of[i] = m->of[--m->n];
		else
			i++;
	}
}

/* --- the sink: a line for each product and each refusal */

static struct told *told_of(struct validate_sink *s) BORROWED;
static struct told *told_of(struct validate_sink *s) { return PARENT_OF(s, struct world, sink)->told; }

static void add_line(struct told *t, const char *line) /* which is in its arena */
{
	CHECK(line != NULL);
	if (t->n < MOST_TOLD)
		t->lines[t->n++] = line;
	else
		t->more++; /* of them only the number is compared */
}

static void add_product(struct validate_sink *s, enum truth_kind kind, const struct origin *o, uint32_t as, const struct ip_prefix *prefixes, size_t n, struct span more)
{
	static const char *const kinds[] = { "roa", "aspa", "router" };
	struct world *w = PARENT_OF(s, struct world, sink);
	struct told *t = w->told;
	struct span uri = span_of(arena_dup(t->a, o->uri.p, o->uri.n), o->uri.n);
	int64_t now = w->o.now;
	uint8_t hash[32];

	CHECK(strcmp(o->tal, "toy") == 0 && o->not_before <= now && now <= o->not_after && o->chain_not_before <= now && now <= o->chain_not_after && o->stale >= now && o->stale < INT64_MAX &&
	      o->chain_not_before >= o->not_before && o->chain_not_after <= o->not_after);
	sha256_of(more, hash);
	add_line(t, arena_printf(t->a, "%s AS%u %.*s %zu %08x %lld-%lld %lld-%lld %lld", kinds[kind], as, (int)uri.n, (const char *)uri.p, n, load32(hash), (long long)o->not_before,
			(long long)o->not_after, (long long)o->chain_not_before, (long long)o->chain_not_after, (long long)o->stale));
	if (t->product_count < MOST_TOLD)
		t->products[t->product_count++] = (struct truth_product){ kind, uri, as, prefixes, n };
}

static RESULT s_roa(struct validate_sink *s, const struct origin *o, const struct roa *roa)
{
	struct told *t = told_of(s);
	struct roa_walk w = roa_begin(roa);
	struct ip_prefix *list;
	struct roa_prefix p;
	size_t n = 0;

	mem_fail_hold(true);
	list = arena_alloc_array(t->a, roa->prefixes + 1, sizeof *list);
	while (roa_next(&w, &p) && n <= roa->prefixes) {
		CHECK(p.max_len >= p.p.len && p.max_len <= (p.p.family == 4 ? 32 : 128));
		list[n++] = p.p;
	}
	CHECK(n == roa->prefixes);
	add_product(s, TRUTH_ROA, o, roa->as, list, n, roa->blocks);
	t->payloads += n;
	mem_fail_hold(false);
	return DONE;
}

static RESULT s_aspa(struct validate_sink *s, const struct origin *o, uint32_t customer, const uint32_t *providers, size_t n)
{
	mem_fail_hold(true);
	for (size_t i = 0; i < n; i++)
		CHECK(providers[i] != customer && (i == 0 || providers[i] > providers[i - 1]));
	add_product(s, TRUTH_ASPA, o, customer, NULL, n, span_of(providers, n * sizeof *providers));
	told_of(s)->payloads += n;
	mem_fail_hold(false);
	return DONE;
}

static RESULT s_router(struct validate_sink *s, const struct origin *o, uint32_t as, struct span ski, struct span spki)
{
	mem_fail_hold(true);
	CHECK(ski.n == 20);
	add_product(s, TRUTH_ROUTER, o, as, NULL, 0, spki);
	told_of(s)->payloads++;
	mem_fail_hold(false);
	return DONE;
}

static void s_refused(struct validate_sink *s, const char *tal, struct span uri, const char *why)
{
	struct told *t = told_of(s);

	mem_fail_hold(true);
	CHECK(strcmp(tal, "toy") == 0);
	add_line(t, arena_printf(t->a, "refused %.*s: %s", (int)uri.n, (const char *)uri.p, why));
	mem_fail_hold(false);
}

static const struct validate_sink_ops sink_ops = { .roa = s_roa, .aspa = s_aspa, .router_key = s_router, .refused = s_refused };

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* --- a state */

/* recalled: what earlier runs kept; kept: what this one does. NULL: memory ran out, as it was made to in the first run. */
static struct told *run(struct world *w, unsigned int threads, bool failing, const struct memory *recalled, struct memory *kept) IN_ARENA;
static struct told *run(struct world *w, unsigned int threads, bool failing, const struct memory *recalled, struct memory *kept)
{
	struct told *t = arena_alloc(w->a, sizeof *t);
	struct result done;

	t->a = w->a;
	w->told = t;
	w->o.threads = threads;
	w->recalled = recalled;
	w->kept = kept;
	done = failing ? KIT_FAILING(validate_run(&w->o, &t->result)) : validate_run(&w->o, &t->result);
	if (!OK(done)) {
		CHECK(done.e == ERR_NOMEM && mem_failed());
		return NULL;
	}
	qsort(t->lines, t->n, sizeof t->lines[0], compare);
	CHECK(t->result.payloads == t->payloads && t->result.points_failed + t->result.points_kept <= t->result.points && (!t->result.usable || t->result.points > 0));
	return t;
}

static void check_same(const struct told *a, const struct told *b)
{
	CHECK(a->more == b->more);
	for (size_t i = 0; a->more == 0 && (i < a->n || i < b->n); i++) {
		if (i < a->n && i < b->n && strcmp(a->lines[i], b->lines[i]) == 0)
			continue;
		fprintf(stderr, "two runs over the same objects differ:\n%s\n%s\n", i < a->n ? a->lines[i] : "(nothing more)", i < b->n ? b->lines[i] : "(nothing more)");
		abort();
	}
	CHECK(a->result.points == b->result.points && a->result.points_failed == b->result.points_failed && a->result.points_kept == b->result.points_kept &&
	      a->result.limits == b->result.limits && a->result.usable == b->result.usable && a->result.not_after == b->result.not_after &&
	      memcmp(a->result.valid, b->result.valid, sizeof a->result.valid) == 0 && memcmp(a->result.invalid, b->result.invalid, sizeof a->result.invalid) == 0 &&
	      memcmp(a->result.wanting, b->result.wanting, sizeof a->result.wanting) == 0);
}

static void check_truth(const struct world *w, const struct told *t)
{
	size_t states = t->result.points_kept > 0 ? w->state_count : 1;
	AUTO(truth_free) struct truth *truth = truth_new((const struct pub_state *const *)w->states, states, pristine[TOY_PLACE_TA].uri, toy_key_info(toy, TOY_KEY_TA), w->o.now);

	CHECK(truth != NULL);
	for (size_t i = 0; i < t->product_count; i++) {
		const char *why = truth_excludes(truth, &t->products[i]);

		if (why != NULL) {
			fprintf(stderr, "told, though it may not be: %.*s: %s\n", (int)t->products[i].uri.n, (const char *)t->products[i].uri.p, why);
			abort();
		}
	}
}

static bool is_told(const struct told *t, const char *uri)
{
	for (size_t i = 0; i < t->product_count; i++)
		if (span_equal(t->products[i].uri, span_text(uri)))
			return true;
	return false;
}

static void check_innocent(const struct publication *p, const struct told *t)
{
	static const enum toy_place_at products[] = { TOY_PLACE_ROA, TOY_PLACE_ROA2, TOY_PLACE_ASPA, TOY_PLACE_ROUTER, TOY_PLACE_SUB_ROA };

	for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
		if (t->more == 0 && publication_is_innocent(p, products[i]) && !is_told(t, pristine[products[i]].uri)) {
			fprintf(stderr, "not told, though nobody touched it: %s\n", pristine[products[i]].uri);
			abort();
		}
	}
}

static void print(const struct told *t)
{
	for (size_t i = 0; i < t->n; i++)
		fprintf(stderr, "%s\n", t->lines[i]);
	fprintf(stderr, "%llu points, %llu failed, %llu kept, %llu limits\n", (unsigned long long)t->result.points, (unsigned long long)t->result.points_failed,
	    (unsigned long long)t->result.points_kept, (unsigned long long)t->result.limits);
}

/* False: memory ran out. */
static bool look(struct world *w, struct publication *p, struct memory *memory, bool usual)
{
	struct memory kept = *memory, plain = *memory, again = *memory;
	struct told *first, *second, *third;

	memmove(w->states + 1, w->states, sizeof w->states - sizeof w->states[0]);
	w->states[0] = arena_alloc(w->a, sizeof *w->states[0]);
	w->state_count += w->state_count < PUB_MOST_STATES;
	publication_state(p, w->states[0]);
	first = run(w, 1, true, memory, &kept);
	if (first == NULL)
		return false;
	if (getenv("CAIRN_FUZZ_VERBOSE") != NULL)
		print(first);
	check_truth(w, first);
	if (usual && !mem_failed())
		check_innocent(p, first);
	forget(&plain);
	second = run(w, 2, false, &plain, &again);
	*memory = kept;
	third = run(w, 1, false, memory, &again);
	CHECK(second != NULL && third != NULL);
	if (!mem_failed()) {
		check_same(first, second);
		check_same(first, third);
	}
	return true;
}

static int64_t shift(uint8_t n)
{
	static const int64_t shifts[] = { 0, 1, -1, 86400, -86400, INT64_C(3652) * 86400, INT64_C(-380) * 86400, INT64_C(282758400), INT64_C(282758401), INT64_C(-32774400), INT64_C(-32774401) };

	return shifts[n % (sizeof shifts / sizeof shifts[0])];
}

/* False: none is another than usual. */
static bool limit(struct validate_limits *l, const uint8_t *head)
{
	uint32_t v = head[PUB_HEAD_LIMIT_VALUE];

	switch (head[PUB_HEAD_LIMIT] % 7) {
	case 0:
		return false;
	case 1:
		l->depth = v;
		break;
	case 2:
		l->branch = v;
		break;
	case 3:
		l->files = v;
		break;
	case 4:
		l->children = v;
		break;
	case 5:
		l->payloads = v;
		break;
	default:
		l->object = v * 16;
		break;
	}
	return true;
}

static void flip_note(struct world *w, struct memory *m, const struct pub_op *op)
{
	size_t i = m->n > 0 ? op->place % m->n : 0;
	uint8_t *copy;

	if (m->n == 0 || m->of[i].key.p[0] != LETTER_REMEMBERED || op->n == 0)
		return;
	copy = arena_dup(w->a, m->of[i].value.p, m->of[i].value.n);
	copy[op->label % m->of[i].value.n] ^= op->argument[0];
	m->of[i].value.p = copy;
}

static void begin(struct world *w, const struct pub_script *script)
{
	uint8_t flags = script->head[PUB_HEAD_FLAGS];

	w->objects.ops = (flags & PUB_FORGETFUL) != 0 ? &forgetful_ops : &ops;
	w->sink.ops = &sink_ops;
	w->keeper = (struct objects_keeper){ w_keep, w_used };
	w->marks_unknown = (flags & PUB_NO_MARKS) != 0;
	w->o = (struct validate_options){ .now = TOY_NOW + shift(script->head[PUB_HEAD_NOW]), .limits = validate_limits_default(), .objects = &w->objects, .sink = &w->sink, .anchors = &locator };
	w->o.anchor_count = 1;
	w->o.keeper = (flags & PUB_NO_KEEPER) != 0 ? NULL : &w->keeper;
}

static void one(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct pub_script script;
	struct publication p;
	struct memory memory = { 0 };
	struct world w = { .a = a };
	unsigned int states = 0;
	bool limited, on = true;

	CHECK(a != NULL);
	pub_script_read(span_of(data, size), &script);
	publication_begin(&p, a, toy, pristine);
	begin(&w, &script);
	limited = limit(&w.o.limits, script.head);
	p.same_number = (script.head[PUB_HEAD_FLAGS] & PUB_SAME_NUMBER) != 0;
	for (size_t i = 0; i < script.count && on; i++) {
		const struct pub_op *op = &script.ops[i];

		if (op->code == PUB_STEP && ++states < PUB_MOST_STATES) {
			on = look(&w, &p, &memory, !limited && w.o.now == TOY_NOW);
			w.o.now = TOY_NOW + shift(op->n > 0 ? op->argument[0] : script.head[PUB_HEAD_NOW]);
		} else if (op->code == PUB_NOTE)
			flip_note(&w, &memory, op);
		else
			publication_change(&p, op);
	}
	if (on)
		(void)look(&w, &p, &memory, !limited && w.o.now == TOY_NOW);
}

static void target(const uint8_t *data, size_t size)
{
	uint64_t before = mem_usage().objects;

	one(data, size);
	CHECK(mem_usage().objects == before);
}

KIT_TARGET(target)

/* --- mutation: also of AFL++, by its shim for these two (custom_mutators/libfuzzer) */

static uint32_t draw(uint64_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return n == 0 ? 0 : (uint32_t)(*state >> 16) % n;
}

/* An argument that fits a change of this label. */
static void draw_argument(struct pub_op *op, uint64_t *dice)
{
	static const uint8_t tags[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0x86, 0xa0, 0xa1, 0xa3, 0x24, 0x1f, 0x00 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	const struct toy_place *at = &pristine[op->place];
	struct toy_tree tree = toy_tree(a, at->octets, at->what);
	struct node *n = label_nth(tree.root, op->label % labels_count(tree.root));
	struct span s = draw(dice, 2) == 0 ? label_known(n->tag, draw(dice, 64)) : n->octets;

	op->n = (uint8_t)(s.n < 64 ? s.n : 64);
	if (op->n > 0)
		memcpy(op->argument, s.p, op->n);
	if (op->n > 0 && draw(dice, 2) == 0)
		op->argument[draw(dice, op->n)] ^= (uint8_t)(1u << draw(dice, 8));
	switch (op->code) {
	case LABEL_TAG:
	case LABEL_WRAP:
		op->n = 1;
		op->argument[0] = tags[draw(dice, sizeof tags)];
		break;
	case LABEL_BEFORE:
	case LABEL_CHILD: { /* a whole label */
		uint8_t length = op->n;

		memmove(op->argument + 2, op->argument, op->n);
		op->argument[0] = draw(dice, 2) == 0 && n->tag != 0 ? n->tag : tags[draw(dice, sizeof tags)];
		op->argument[1] = length;
		op->n = (uint8_t)(op->n + 2);
		break;
	}
	case LABEL_SPLICE:
		op->n = 3;
		op->argument[0] = draw(dice, 2) == 0 ? op->place : (uint8_t)draw(dice, TOY_PLACES);
		store16(op->argument + 1, (uint16_t)draw(dice, 160));
		break;
	case LABEL_CONTENTS:
		break;
	default:
		op->n = 2;
		op->argument[0] = (uint8_t)draw(dice, draw(dice, 4) == 0 ? 256 : 48);
		op->argument[1] = (uint8_t)(1u << draw(dice, 8));
		break;
	}
}

static struct pub_op draw_op(uint64_t *dice)
{
	static const char *const names[] = { "", "again.cer", "again.roa", "x.crl", "x.mft", "x.asa", "toy.roa", "x.xyz", "../x.roa" };
	struct pub_op op = { .code = (uint8_t)draw(dice, LABEL_CODES), .place = (uint8_t)draw(dice, TOY_PLACES), .label = (uint16_t)draw(dice, 160) };

	if (draw(dice, 4) > 0) {
		draw_argument(&op, dice);
		return op;
	}
	op.code = (uint8_t)(PUB_GONE + draw(dice, PUB_CODES - PUB_GONE));
	op.n = (uint8_t)draw(dice, 2);
	op.argument[0] = (uint8_t)draw(dice, 16);
	if (op.code == PUB_ALSO) {
		const char *name = names[draw(dice, sizeof names / sizeof names[0])];

		op.n = (uint8_t)strlen(name);
		memcpy(op.argument, name, op.n);
	}
	return op;
}

static void insert_op(struct pub_script *s, size_t at, const struct pub_op *op)
{
	if (s->count == PUB_MOST_OPS)
		return;
	memmove(&s->ops[at + 1], &s->ops[at], (s->count - at) * sizeof s->ops[0]);
	s->ops[at] = *op;
	s->count++;
}

static void remove_op(struct pub_script *s, size_t at)
{
	memmove(&s->ops[at], &s->ops[at + 1], (s->count - at - 1) * sizeof s->ops[0]);
	s->count--;
}

static void change_op(struct pub_op *op, uint64_t *dice)
{
	switch (draw(dice, 6)) {
	case 0:
		op->label = (uint16_t)(op->label + draw(dice, 5) - 2);
		break;
	case 1:
		op->label = (uint16_t)draw(dice, 160);
		break;
	case 2:
		op->place = (uint8_t)draw(dice, TOY_PLACES);
		break;
	case 3:
		if (op->code < LABEL_CODES)
			draw_argument(op, dice);
		break;
	case 4:
		op->code = (uint8_t)draw(dice, LABEL_CODES);
		break;
	default:
		if (op->n > 0)
			op->argument[draw(dice, op->n)] ^= (uint8_t)(1u << draw(dice, 8));
		break;
	}
}

static void mutate(struct pub_script *s, uint64_t *dice)
{
	for (uint32_t n = 1 + draw(dice, 4); n > 0; n--) {
		uint32_t what = s->count == 0 ? 0 : draw(dice, 10);
		size_t at = draw(dice, (uint32_t)s->count + (what < 3));
		struct pub_op op;

		switch (what) {
		case 0:
		case 1:
		case 2:
			op = draw_op(dice);
			insert_op(s, at, &op);
			break;
		case 3:
			remove_op(s, at);
			break;
		case 4:
			op = s->ops[at];
			insert_op(s, draw(dice, (uint32_t)s->count + 1), &op);
			break;
		case 5:
			s->head[draw(dice, PUB_HEAD)] = (uint8_t)(draw(dice, 2) == 0 ? 0 : draw(dice, 16));
			break;
		default:
			change_op(&s->ops[at], dice);
			break;
		}
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	uint64_t dice = UINT64_C(0x9e3779b97f4a7c15) ^ seed;
	struct pub_script s;

	pub_script_read(span_of(data, size), &s);
	mutate(&s, &dice);
	return pub_script_write(&s, data, max);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max, unsigned int seed)
{
	uint64_t dice = UINT64_C(0x9e3779b97f4a7c15) ^ seed;
	struct pub_script s, with;
	size_t from;

	pub_script_read(span_of(a, a_size), &s);
	pub_script_read(span_of(b, b_size), &with);
	from = draw(&dice, (uint32_t)with.count + 1);
	s.count = draw(&dice, (uint32_t)s.count + 1);
	for (size_t i = from; i < with.count; i++)
		insert_op(&s, s.count, &with.ops[i]);
	return pub_script_write(&s, out, max);
}
