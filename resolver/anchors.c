/*
 * Invariants: (1) k->v is what was published last, or, while k->behind is set, what shall be published next. (2) Questions of a list of files that has been read anew since count nothing:
 * their tag has another generation. (3) The timer is armed whenever a callback of the keeper has ended.
 */
#include "resolver/anchors.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/libcrypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "dns/rdata.h"
#include "resolver/anchors_follow.h"
#include "resolver/anchors_nta.h"
#include "resolver/core/anchor_sources.h"
#include "resolver/plan.h"
#include "validator/sentinel.h"

#define REPORT_OCTETS (64u * 1024)
#define LOOK_AGAIN_SEC 3600        /* the wall clock may be set; a file that could not be written is tried again */
#define BEHIND_SEC 1
#define CLOCK_SEC 60               /* the clocks are compared so often, and this much they may drift apart */
#define SIGNAL_FIRST_SEC 10u       /* after the start, and up to as much again times five at random */
#define SIGNAL_SEC 86400
#define SIGNAL_TAGS 12u            /* that fit into a label */
#define PROBE_LONGEST (16 * 86400) /* RFC 5011 section 2.3 never waits longer: a clock was wrong */

LOOP_HANDLE_IMPL(anchor_keeper)

/* A question's tag: what for, of which generation of the list, which. */
enum { ASK_PROBE = 1u << 28, ASK_RECHECK = 2u << 28, ASK_SIGNAL = 3u << 28, ASK_KIND = 15u << 28, ASK_NUMBER = 0xffff };

struct names {
	struct name_buf *list OWNED_FIELD;
	size_t n;
};

struct anchor_keeper {
	struct anchor_keeper_env env;
	anchor_keeper_h self;
	timer_h timer;
	bool started;
	struct plan *plan OWNED_FIELD;
	struct validation *v OWNED_FIELD;
	bool behind;                      /* v is not published, or could not be made */
	struct follow follow;
	uint32_t generation;              /* of follow, 12 bits */
	int64_t save_at;                  /* wall: files that could not be written */
	struct negatives negatives;
	uint16_t rechecks;
	char *negative_path OWNED_FIELD;  /* NULL: they end with the daemon */
	struct names insecure, validated; /* said by the operator since the last reload */
	int64_t signal_at;                /* wall */
	int64_t apart_sec;                /* wall clock minus the other one, when verdicts were last dropped because of it */
};

static int64_t wall(const struct anchor_keeper *k)
{
	return loop_now(k->env.loop)->wall_sec;
}

static const struct conf_clause *server(const struct anchor_keeper *k) BORROWED;
static const struct conf_clause *server(const struct anchor_keeper *k)
{
	return conf_server(k->plan->conf);
}

void anchor_keeper_close(struct anchor_keeper *k)
{
	if (k == NULL)
		return;
	loop_timer_stop(k->env.loop, &k->timer);
	anchor_keeper_retire(k->env.loop, k->self);
	follow_done(&k->follow);
	negatives_done(&k->negatives);
	mem_free(MOVE(k->insecure.list));
	mem_free(MOVE(k->validated.list));
	mem_free(MOVE(k->negative_path));
	validation_unref(MOVE(k->v));
	plan_unref(MOVE(k->plan));
	mem_free(k);
}

const struct validation *anchor_keeper_validation(const struct anchor_keeper *k)
{
	return k->v;
}

/* --- what is in force */

static RESULT make_validation(const struct anchor_keeper *k, const struct name *but, struct strbuf *report, struct validation **ret)
{
	AUTO(ntas_free) struct ntas *n = NULL;
	struct anchor_overlay o = { .autos = k->follow.states, .insecure = k->insecure.list, .insecure_count = k->insecure.n, .validated = k->validated.list,
		.validated_count = k->validated.n, .wall = wall(k) };

	TRY(negatives_make(&k->negatives, but, wall(k), &n));
	return validation_make_over(k->plan->conf, &o, MOVE(n), report, ret);
}

static bool same_policy(const struct val_policy *a, const struct val_policy *b)
{
	return memcmp(&a->algorithms, &b->algorithms, sizeof a->algorithms) == 0 && memcmp(&a->keys, &b->keys, sizeof a->keys) == 0 &&
	    a->denials.iterations == b->denials.iterations && a->skew_min == b->skew_min && a->skew_max == b->skew_max && a->fixed_date == b->fixed_date &&
	    a->date == b->date && a->ignore_dates == b->ignore_dates && a->stripped_is_bogus == b->stripped_is_bogus &&
	    a->all_algorithms == b->all_algorithms;
}

static bool zone_has(const struct anchor_zone *z, struct anchor_rr rr)
{
	for (size_t i = 0; i < anchor_zone_count(z); i++) {
		struct anchor_rr have = anchor_zone_rr(z, i);

		if (have.type == rr.type && span_equal(have.rdata, rr.rdata))
			return true;
		/* a DS gives way to the key itself, once that was seen (rfc5011.h) */
		if (rr.type == RR_DS && have.type == RR_DNSKEY && have.rdata.p[3] == rr.rdata.p[2] && dnskey_tag_of(have.rdata) == load16(rr.rdata.p))
			return true;
	}
	return false;
}

/* Every entry of a is one of b too, with at least the same keys: what was secure stays so, and nothing else becomes it. */
static bool only_grew(const struct anchors *a, const struct anchors *b)
{
	if (anchors_zones(a) != anchors_zones(b))
		return false;
	for (size_t i = 0; i < anchors_zones(a); i++) {
		struct anchor_found x = anchors_zone_at(a, i), y = anchors_zone_at(b, i);

		if (x.kind != y.kind || !name_equal(x.zone, y.zone))
			return false;
		for (size_t r = 0; x.keys != NULL && r < anchor_zone_count(x.keys); r++) {
			if (!zone_has(y.keys, anchor_zone_rr(x.keys, r)))
				return false;
		}
	}
	return true;
}

/* Verdicts under a still hold under b; negative anchors are not looked at. */
static bool still_holds(const struct validation *a, const struct validation *b)
{
	if (a == NULL || b == NULL)
		return a == NULL; /* what nobody judged is judged when it is asked for */
	return same_policy(&a->policy, &b->policy) && only_grew(a->anchors, b->anchors);
}

static void publish(struct anchor_keeper *k, const struct name *top)
{
	k->behind = !OK(k->env.publish(k->env.user, k->v, top));
}

/* Makes it anew and publishes. changed: a name at and below which verdicts change besides; NULL: none. */
static RESULT renew(struct anchor_keeper *k, const struct name *changed)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	AUTO(validation_unref) struct validation *next = NULL;
	struct result r = report == NULL ? FAIL(ERR_NOMEM) : make_validation(k, NULL, report, &next);
	bool holds;

	if (!OK(r)) {
		k->behind = true;
		log_error("trust anchors: they could not be put together (%s), the ones before stay: %s", err_text(r.e), report != NULL ? strbuf_text(report) : "");
		return r;
	}
	/* what a look at the operator's own word finds different is at and below the name that was said */
	holds = !k->behind && (changed != NULL || still_holds(k->v, next));
	validation_unref(MOVE(k->v));
	k->v = MOVE(next);
	publish(k, holds ? changed : &name_root);
	return DONE;
}

void anchor_keeper_digest(const struct anchor_keeper *k, uint8_t ret[ANCHOR_KEEPER_DIGEST])
{
	AUTO(EVP_MD_CTX_free) EVP_MD_CTX *h = NULL;
	bool ok;

	memset(ret, 0, ANCHOR_KEEPER_DIGEST);
	if (k->v == NULL)
		return;
	memcpy(ret, anchors_digest(k->v->anchors), ANCHOR_KEEPER_DIGEST);
	if (k->negatives.n == 0)
		return;
	h = EVP_MD_CTX_new();
	ok = h != NULL && EVP_DigestInit_ex(h, EVP_sha256(), NULL) == 1 && EVP_DigestUpdate(h, ret, ANCHOR_KEEPER_DIGEST) == 1;
	for (size_t i = 0; i < k->negatives.n; i++)
		ok = ok && EVP_DigestUpdate(h, k->negatives.list[i].name.b, k->negatives.list[i].name.len) == 1;
	if (!ok || EVP_DigestFinal_ex(h, ret, NULL) != 1)
		memset(ret, 0xff, ANCHOR_KEEPER_DIGEST); /* like nobody's: what is saved counts as unchecked */
}

/* --- negative anchors */

static uint32_t recheck_sec(const struct anchor_keeper *k)
{
	return (uint32_t)conf_int(server(k), OPT_NTA_RECHECK);
}

static RESULT find_negative_path(struct anchor_keeper *k)
{
	const char *dir = conf_text(server(k), OPT_STATE_DIRECTORY);

	if (dir == NULL || *dir == '\0')
		return DONE;
	k->negative_path = mem_printf("%s/%s", dir, NTA_FILE);
	return k->negative_path != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT read_negatives(struct anchor_keeper *k)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	AUTO_CHARS char *text = NULL;
	size_t n;
	struct result r;

	if (report == NULL)
		return FAIL(ERR_NOMEM);
	TRY(find_negative_path(k));
	if (k->negative_path == NULL)
		return DONE;
	r = file_read_all(k->negative_path, NTA_FILE_MAX, &text, &n);
	if (r.e == ERR_NOTFOUND)
		return DONE;
	if (OK(r))
		r = negatives_read(&k->negatives, k->negative_path, span_of(text, n), wall(k), recheck_sec(k), report);
	if (r.e == ERR_NOMEM)
		return r;
	if (!OK(r))
		log_warn("negative trust anchors: %s cannot be read: %s", k->negative_path, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	if (strbuf_len(report) > 0)
		log_warn("negative trust anchors: %s", strbuf_text(report));
	return DONE;
}

static void save_negatives(const struct anchor_keeper *k)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(NTA_FILE_MAX);
	struct result r = FAIL(ERR_NOMEM);

	if (k->negative_path == NULL)
		return;
	if (text != NULL) {
		negatives_write(&k->negatives, text);
		r = strbuf_result(text);
	}
	if (OK(r))
		r = file_write_atomic(k->negative_path, strbuf_span(text), 0644);
	if (!OK(r))
		log_warn("negative trust anchors: %s cannot be written (%s): they do not survive a restart", k->negative_path,
		    r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
}

static void end_negative(struct anchor_keeper *k, struct name name, const char *why)
{
	struct name_buf kept; /* name may be the entry's own */
	struct name n;
	char text[NAME_TEXT];

	name_copy(&kept, name);
	n = name_of(&kept);
	if (!negatives_remove(&k->negatives, n))
		return;
	log_notice("negative trust anchor of %s ends: %s", name_to_text(n, text), why);
	save_negatives(k);
	(void)OK(renew(k, &n)); /* said there */
}

static void answered(struct loop *l, void *object, uint32_t tag, const struct answer *a);

static void recheck(struct anchor_keeper *k, struct negative *e)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	AUTO(validation_unref) struct validation *without = NULL;
	struct name name = name_of(&e->name);
	struct resolve_request r = { .q = { .name = name, .type = RR_SOA, .rclass = CLASS_IN }, .refresh = true };

	e->recheck = wall(k) + recheck_sec(k);
	if (report == NULL || !OK(make_validation(k, &name, report, &without)) || without == NULL)
		return;
	e->number = ++k->rechecks;
	e->asking = OK(k->env.ask(k->env.user, &r, without, &anchor_keeper_loop_type, k->self.v, ASK_RECHECK | e->number, answered));
}

static void rechecked(struct anchor_keeper *k, uint32_t number, const struct answer *a)
{
	for (size_t i = 0; i < k->negatives.n; i++) {
		struct negative *e = &k->negatives.list[i];

		if (!e->asking || e->number != number)
			continue;
		e->asking = false;
		if (a != NULL && !e->force && (a->rcode == RCODE_NOERROR || a->rcode == RCODE_NXDOMAIN) &&
		    (a->security == SECURITY_SECURE || a->security == SECURITY_INSECURE))
			end_negative(k, name_of(&e->name), "the zone validates again");
		return;
	}
}

/* --- RFC 5011 */

static const struct rrset *keys_of(const struct answer *a, struct name zone) BORROWED;
static const struct rrset *keys_of(const struct answer *a, struct name zone)
{
	for (size_t i = 0; a != NULL && a->rcode == RCODE_NOERROR && i < a->answer_count; i++) {
		const struct rrset *rs = a->sets[i].rs;

		if (rs->type == RR_DNSKEY && rs->rclass == CLASS_IN && name_equal(rrset_name(rs), zone))
			return rs;
	}
	return NULL;
}

/* What it is judged by: the policy in force, or, where nothing is validated any more, that of the configuration as it was read. */
static const struct val_policy *policy_of(const struct anchor_keeper *k) BORROWED;
static const struct val_policy *policy_of(const struct anchor_keeper *k)
{
	return k->v != NULL ? &k->v->policy : k->plan->validation != NULL ? &k->plan->validation->policy : NULL;
}

static void probed(struct anchor_keeper *k, size_t i, const struct answer *a)
{
	const struct val_policy *p = policy_of(k);

	if (i >= k->follow.n || !k->follow.list[i].asking)
		return;
	if (p == NULL) {
		k->follow.list[i].asking = false;
		autotrust_failed(k->follow.list[i].t, wall(k));
		return;
	}
	if (follow_take(&k->follow, i, p, keys_of(a, name_of(&k->follow.list[i].t->zone)), wall(k)))
		(void)OK(renew(k, NULL)); /* said there */
}

/* A trust point whose keys are all revoked is none any more. */
static bool is_followed(const struct anchor_keeper *k, const struct followed *f)
{
	return policy_of(k) != NULL && !f->asking && !autotrust_is_revoked(f->t);
}

static bool is_due(const struct followed *f, int64_t now)
{
	return f->t->next_probe <= now || f->t->last_queried > now || f->t->next_probe > now + PROBE_LONGEST;
}

static void probe(struct anchor_keeper *k, size_t i)
{
	struct followed *f = &k->follow.list[i];
	struct resolve_request r = { .q = { .name = name_of(&f->t->zone), .type = RR_DNSKEY, .rclass = CLASS_IN }, .check_disabled = true, .refresh = true };
	uint32_t tag = ASK_PROBE | k->generation << 16 | (uint32_t)i;

	f->asking = OK(k->env.ask(k->env.user, &r, NULL, &anchor_keeper_loop_type, k->self.v, tag, answered));
	if (!f->asking)
		autotrust_failed(f->t, wall(k));
}

static void save_again(struct anchor_keeper *k)
{
	if (wall(k) < k->save_at)
		return;
	k->save_at = wall(k) + LOOK_AGAIN_SEC;
	for (size_t i = 0; i < k->follow.n; i++) {
		if (k->follow.list[i].unsaved && !k->follow.list[i].asking)
			follow_save(&k->follow.list[i]);
	}
}

/* --- RFC 8145 */

static void signal_zone(struct anchor_keeper *k, struct anchor_found f)
{
	struct resolve_request r = { .q = { .type = RR_NULL, .rclass = CLASS_IN }, .check_disabled = true, .refresh = true };
	uint16_t tags[SIGNAL_TAGS];
	struct name_buf name;
	size_t n = 0;

	for (size_t i = 0; i < anchor_zone_count(f.keys) && n < SIGNAL_TAGS; i++) {
		struct anchor_rr rr = anchor_zone_rr(f.keys, i);

		tags[n++] = rr.type == RR_DS ? load16(rr.rdata.p) : dnskey_tag_of(rr.rdata);
	}
	if (!OK(ta_signal_name(f.zone, tags, n, &name)))
		return;
	r.q.name = name_of(&name);
	/* nobody waits for what is answered: "no such name", as a rule */
	(void)OK(k->env.ask(k->env.user, &r, NULL, &anchor_keeper_loop_type, k->self.v, ASK_SIGNAL, answered));
}

static void signal_all(struct anchor_keeper *k)
{
	if (wall(k) < k->signal_at)
		return;
	k->signal_at = wall(k) + SIGNAL_SEC;
	for (size_t i = 0; k->v != NULL && k->v->signaling && i < anchors_zones(k->v->anchors); i++) {
		struct anchor_found f = anchors_zone_at(k->v->anchors, i);

		if (f.kind == ANCHOR_KEYS)
			signal_zone(k, f);
	}
}

/* --- time */

static int64_t clocks_apart(const struct anchor_keeper *k)
{
	return wall(k) - (int64_t)now_sec(loop_now(k->env.loop));
}

/* The wall clock was set: what it said of the dates of signatures does not hold, neither what was good nor what had expired. */
static bool clock_was_set(struct anchor_keeper *k)
{
	int64_t by = clocks_apart(k) - k->apart_sec;

	if (by >= -CLOCK_SEC && by <= CLOCK_SEC)
		return false;
	k->apart_sec += by;
	if (k->v == NULL || k->v->policy.fixed_date || k->v->policy.ignore_dates)
		return false;
	log_notice("the clock was set by %lld s: all signatures are checked anew", (long long)by);
	return true;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_work(const struct anchor_keeper *k)
{
	int64_t now = wall(k), at = now + (k->started ? CLOCK_SEC : LOOK_AGAIN_SEC);

	if (k->behind)
		at = now + BEHIND_SEC;
	for (size_t i = 0; k->started && i < k->follow.n; i++) {
		const struct followed *f = &k->follow.list[i];

		if (is_followed(k, f))
			at = earlier(at, is_due(f, now) ? now : f->t->next_probe);
		if (f->unsaved)
			at = earlier(at, k->save_at);
	}
	for (size_t i = 0; i < k->negatives.n; i++) {
		const struct negative *e = &k->negatives.list[i];

		at = earlier(at, e->until);
		if (k->started && e->recheck != 0 && !e->asking)
			at = earlier(at, e->recheck);
	}
	return k->started ? earlier(at, k->signal_at) : at;
}

static void tick(struct loop *l, void *object);

static void arm(struct anchor_keeper *k)
{
	int64_t wait = next_work(k) - wall(k);

	loop_timer_stop(k->env.loop, &k->timer);
	if (wait > LOOK_AGAIN_SEC)
		wait = LOOK_AGAIN_SEC;
	if (!OK(loop_timer(k->env.loop, &anchor_keeper_loop_type, k->self.v, tick, wait <= 0 ? 1 : (uint64_t)wait * 1000, &k->timer)))
		log_error("trust anchors: out of memory: they are not followed until the next reload");
}

static void tick(struct loop *l, void *object)
{
	struct anchor_keeper *k = object;
	struct name_buf ended;

	(void)l;
	k->timer = (timer_h){ 0 };
	while (negatives_ended(&k->negatives, wall(k), &ended))
		end_negative(k, name_of(&ended), "its time is over");
	k->behind = clock_was_set(k) || k->behind;
	if (k->behind)
		(void)OK(renew(k, NULL)); /* said there */
	if (k->started) {
		save_again(k);
		for (size_t i = 0; i < k->follow.n; i++) {
			if (is_followed(k, &k->follow.list[i]) && is_due(&k->follow.list[i], wall(k)))
				probe(k, i);
		}
		for (size_t i = 0; i < k->negatives.n; i++) {
			if (k->negatives.list[i].recheck != 0 && !k->negatives.list[i].asking && k->negatives.list[i].recheck <= wall(k))
				recheck(k, &k->negatives.list[i]);
		}
		signal_all(k);
	}
	arm(k);
}

static void answered(struct loop *l, void *object, uint32_t tag, const struct answer *a)
{
	struct anchor_keeper *k = object;

	(void)l;
	if ((tag & ASK_KIND) == ASK_PROBE && (tag >> 16 & 0xfff) == k->generation)
		probed(k, tag & ASK_NUMBER, a);
	else if ((tag & ASK_KIND) == ASK_RECHECK)
		rechecked(k, tag & ASK_NUMBER, a);
	arm(k);
}

/* --- its life */

static RESULT take_plan(struct anchor_keeper *k, const struct plan *p, struct strbuf *report)
{
	__attribute__((cleanup(follow_done))) struct follow next = { .n = 0 };

	TRY(follow_read(conf_server(p->conf), &k->follow, report, &next));
	follow_done(&k->follow);
	k->follow = next;
	next = (struct follow){ .n = 0 };
	k->generation = (k->generation + 1) & 0xfff;
	k->save_at = 0;
	plan_unref(MOVE(k->plan));
	k->plan = plan_ref(p);
	return DONE;
}

RESULT anchor_keeper_open(const struct anchor_keeper_env *e, const struct plan *p, struct strbuf *report, struct anchor_keeper **ret)
{
	AUTO(anchor_keeper_close) struct anchor_keeper *k = mem_alloc(sizeof *k);

	if (k == NULL)
		return FAIL(ERR_NOMEM);
	k->env = *e;
	k->self = anchor_keeper_enlist(e->loop, k);
	if (k->self.v == 0)
		return FAIL(ERR_NOMEM);
	TRY(take_plan(k, p, report));
	TRY(read_negatives(k));
	TRY(make_validation(k, NULL, report, &k->v));
	*ret = MOVE(k);
	return DONE;
}

void anchor_keeper_start(struct anchor_keeper *k)
{
	k->started = true;
	k->apart_sec = clocks_apart(k);
	k->signal_at = wall(k) + SIGNAL_FIRST_SEC + rng_below(loop_rng(k->env.loop), 5 * SIGNAL_FIRST_SEC);
	arm(k);
}

void anchor_keeper_set(struct anchor_keeper *k, const struct plan *p, bool afresh)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	struct result r = report == NULL ? FAIL(ERR_NOMEM) : take_plan(k, p, report);

	if (!OK(r)) /* it could be read a moment ago, when the plan was made */
		log_error("trust anchors: the new configuration's could not be read (%s), those before stay: %s", err_text(r.e),
		    report != NULL ? strbuf_text(report) : "");
	if (afresh) {
		k->insecure.n = 0;
		k->validated.n = 0;
	}
	(void)OK(renew(k, NULL)); /* said there */
	arm(k);
}

/* --- what the operator says */

static bool names_has(const struct names *l, struct name name, size_t *ret_at)
{
	for (size_t i = 0; i < l->n; i++) {
		if (name_equal(name_of(&l->list[i]), name)) {
			*ret_at = i;
			return true;
		}
	}
	return false;
}

static RESULT names_add(struct names *l, struct name name)
{
	void *list = l->list;
	size_t at;

	if (names_has(l, name, &at))
		return DONE;
	TRY(mem_resize(&list, l->n, l->n + 1, sizeof *l->list));
	l->list = list;
	name_copy(&l->list[l->n++], name);
	return DONE;
}

static void names_remove(struct names *l, struct name name)
{
	size_t at;

	if (names_has(l, name, &at))
		l->list[at] = l->list[--l->n];
}

RESULT anchor_keeper_insecure(struct anchor_keeper *k, struct name name, bool insecure)
{
	struct result r = names_add(insecure ? &k->insecure : &k->validated, name);

	if (OK(r)) {
		names_remove(insecure ? &k->validated : &k->insecure, name);
		r = renew(k, &name);
	}
	arm(k);
	return r;
}

RESULT anchor_keeper_set_negative(struct anchor_keeper *k, struct name name, uint32_t lifetime, bool force)
{
	uint32_t sec = lifetime != 0 ? lifetime : (uint32_t)conf_int(server(k), OPT_NTA_LIFETIME);
	struct result r = negatives_set(&k->negatives, name, sec, force, wall(k), recheck_sec(k));

	if (OK(r)) {
		save_negatives(k);
		r = renew(k, &name);
	}
	arm(k);
	return r;
}

bool anchor_keeper_remove_negative(struct anchor_keeper *k, struct name name)
{
	bool there = negatives_find(&k->negatives, name) != NULL;

	if (there)
		end_negative(k, name, "removed by the operator");
	arm(k);
	return there;
}

void anchor_keeper_print_negative(const struct anchor_keeper *k, struct strbuf *out)
{
	char name[NAME_TEXT], iso[32];

	for (size_t i = 0; i < k->negatives.n; i++) {
		const struct negative *e = &k->negatives.list[i];

		strbuf_printf(out, "%s until %s%s\n", name_to_text(name_of(&e->name), name), clock_iso(e->until, iso), e->force ? " force" : "");
	}
}

void anchor_keeper_print_insecure(const struct anchor_keeper *k, struct strbuf *out)
{
	char name[NAME_TEXT];

	for (size_t i = 0; k->v != NULL && i < anchors_zones(k->v->anchors); i++) {
		struct anchor_found f = anchors_zone_at(k->v->anchors, i);

		if (f.kind == ANCHOR_INSECURE)
			strbuf_printf(out, "%s\n", name_to_text(f.zone, name));
	}
}

void anchor_keeper_print_anchors(const struct anchor_keeper *k, struct strbuf *out)
{
	char name[NAME_TEXT], type[RRTYPE_TEXT];

	for (size_t i = 0; k->v != NULL && i < anchors_zones(k->v->anchors); i++) {
		struct anchor_found f = anchors_zone_at(k->v->anchors, i);

		for (size_t r = 0; f.keys != NULL && r < anchor_zone_count(f.keys); r++) {
			struct anchor_rr rr = anchor_zone_rr(f.keys, r);

			strbuf_printf(out, "%s IN %s ", name_to_text(f.zone, name), rrtype_text(rr.type, type));
			rdata_print(rr.type, rr.rdata, out);
			strbuf_printf(out, " ; key tag %u\n", rr.type == RR_DS ? load16(rr.rdata.p) : dnskey_tag_of(rr.rdata));
		}
	}
	for (size_t i = 0; i < k->follow.n; i++) {
		strbuf_printf(out, "; %s\n", k->follow.list[i].path);
		autotrust_write(k->follow.list[i].t, out);
	}
}
