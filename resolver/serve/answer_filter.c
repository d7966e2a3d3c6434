#include "resolver/serve/answer_filter.h"

#include "base/log.h"
#include "dns/rrtype.h"
#include "resolver/routes/board.h"
#include "resolver/serve/filter_board.h"
#include "resolver/serve/filtering.h"
#include "resolver/serve/serve.h"
#include "resolver/serve/watched.h"
#include "resolver/stats.h"

static const struct filter_sheet *sheet_now(struct serve *s, struct answer_filter *j) BORROWED;
static const struct filter_sheet *sheet_now(struct serve *s, struct answer_filter *j)
{
	const struct filter_sheet *sheet;

	j->blocked = j->nothing = false;
	j->mask = 0;
	j->routes = j->filter = 0;
	if (s->env.filters == NULL)
		return NULL;
	sheet = filter_seat_sheet(&s->filter_seat, s->env.filters);
	j->filter = s->filter_seat.number;
	if (sheet != NULL)
		arena_reset(s->filter_arena);
	return sheet;
}

/* --- what is told */

/* RFC 2308 section 3: kept by others for block-ttl:. Its owner is the name itself, for nothing is said of others. */
static const struct rrset *soa_of(struct arena *a, struct name owner, uint32_t ttl) IN_ARENA;
static const struct rrset *soa_of(struct arena *a, struct name owner, uint32_t ttl)
{
	static const uint8_t names[] = "\11localhost\0\6nobody\7invalid"; /* MNAME, RNAME */
	uint8_t room[sizeof names + 20];
	struct writer w = writer_of(room, sizeof room);
	struct span rdata;

	write_octets(&w, names, sizeof names);
	write32(&w, 1);
	write32(&w, 3600);
	write32(&w, 1200);
	write32(&w, 604800);
	write32(&w, ttl);
	rdata = writer_done(&w);
	return rrset_make_in(a, owner, RR_SOA, CLASS_IN, ttl, &rdata, 1, 0);
}

static const struct rrset *null_address(struct arena *a, struct name owner, uint16_t type, uint32_t ttl) IN_ARENA;
static const struct rrset *null_address(struct arena *a, struct name owner, uint16_t type, uint32_t ttl)
{
	static const uint8_t zero[16];
	struct span rdata = { zero, type == RR_A ? 4 : 16 };

	return rrset_make_in(a, owner, type, CLASS_IN, ttl, &rdata, 1, 0);
}

/* The one set of a blocked answer. False: no memory. */
static bool set_told(struct serve *s, const struct filter_options *o, struct answer *to)
{
	bool has_address = o->told == FILTER_TOLD_NULL && (to->q.type == RR_A || to->q.type == RR_AAAA);
	const struct rrset *rs = has_address ? null_address(s->filter_arena, to->q.name, to->q.type, o->ttl) : soa_of(s->filter_arena, to->q.name, o->ttl);

	to->sets = arena_alloc(s->filter_arena, sizeof *to->sets);
	if (rs == NULL || to->sets == NULL)
		return false;
	to->sets[0] = (struct answer_set){ rs, o->ttl };
	to->answer_count = has_address ? 1 : 0;
	to->authority_count = has_address ? 0 : 1;
	return true;
}

static void servfail(const struct question *q, struct answer_filter *j)
{
	j->instead = (struct answer){ .q = *q, .rcode = RCODE_SERVFAIL, .why = "out of memory within the filter" };
}

static void block(struct serve *s, const struct filter_options *o, const struct question *q, bool cacheable, struct answer_filter *j)
{
	static const uint16_t codes[] = { [FILTER_TOLD_NULL] = RCODE_NOERROR, [FILTER_TOLD_NXDOMAIN] = RCODE_NXDOMAIN, [FILTER_TOLD_NODATA] = RCODE_NOERROR,
		[FILTER_TOLD_REFUSED] = RCODE_REFUSED, [FILTER_TOLD_NOTHING] = RCODE_REFUSED };

	j->blocked = true;
	j->nothing = o->told == FILTER_TOLD_NOTHING;
	j->instead = (struct answer){ .q = *q, .rcode = codes[o->told], .cacheable = cacheable && o->ttl > 0 && !j->nothing, .ttl = o->ttl, .security = SECURITY_INSECURE };
	if (o->told != FILTER_TOLD_REFUSED && !j->nothing && !set_told(s, o, &j->instead)) {
		servfail(q, j);
		return;
	}
	j->instead.ede[0] = (struct ede){ EDE_BLOCKED, j->text };
	j->instead.ede_count = 1;
	j->instead.policy = &j->note;
}

/* --- what is noted */

static enum policy_action action_of(const struct answer *instead, const struct filter_options *o)
{
	if (o->told == FILTER_TOLD_NOTHING)
		return POLICY_DROP;
	if (o->told == FILTER_TOLD_REFUSED)
		return (enum policy_action)0;
	if (o->told == FILTER_TOLD_NXDOMAIN)
		return POLICY_NXDOMAIN;
	return instead->answer_count > 0 ? POLICY_LOCAL_DATA : POLICY_NODATA;
}

static void note(const struct filter_hit *h, enum policy_action action, struct answer_filter *j)
{
	j->note = (struct policy_note){ .type = "filter", .action = action, .match = h->address != NULL ? POLICY_RESPONSE_IP : POLICY_QNAME };
	policy_note_rule(&j->note, h->rule);
	if (h->address != NULL)
		policy_note_addr(&j->note, &h->address->addr);
	else
		policy_note_name(&j->note, h->name);
}

static void say(const struct question *q, const struct answer_filter *j, bool blocked)
{
	char name[NAME_TEXT], type[RRTYPE_TEXT];

	log_limited(LOG_LEVEL_INFO, "filter: %s %s: %s: %s", name_to_text(q->name, name), rrtype_text(q->type, type), j->text, blocked ? "blocked" : "would be blocked");
}

/* --- questions */

bool answer_filter_question(struct serve *s, const struct question *q, struct answer_filter *j)
{
	const struct filter_sheet *sheet = sheet_now(s, j);
	struct filter_hit h;

	if (sheet == NULL || sheet->options.dry_run || q->rclass != CLASS_IN || filter_question(sheet->filter, q->name, q->type, &h) != FILTER_BLOCKED)
		return false;
	filtering_say(&h, &q->name, j->text, sizeof j->text);
	block(s, &sheet->options, q, true, j);
	j->instead.synthesized = true; /* a flood of names below a blocked one shall not have the cache */
	note(&h, action_of(&j->instead, &sheet->options), j);
	say(q, j, true);
	stats_inc(s->env.stats, COUNT_FILTER_BLOCKED);
	return true;
}

/* --- answers */

struct watching {
	struct serve *serve BORROWED_FIELD;
	struct answer_filter *j BORROWED_FIELD;
};

static void watch(void *ctx, const struct addr *a, const struct route_facts *f)
{
	struct watching *w = ctx;
	bool full;

	if (w->serve->env.watched == NULL)
		return;
	w->j->mask |= watched_note(w->serve->env.watched, a, f, &full);
	if (full)
		stats_inc(w->serve->env.stats, COUNT_ROUTE_FORGOTTEN);
}

/* Told as it is, with a note of who would have it otherwise, or let it through. */
static const struct answer *pass(const struct answer *a, const struct filter_hit *h, struct answer_filter *j) BORROWED;
static const struct answer *pass(const struct answer *a, const struct filter_hit *h, struct answer_filter *j)
{
	if (a->policy != NULL)
		return a; /* somebody has changed it */
	note(h, POLICY_PASS, j);
	j->instead = *a;
	j->instead.policy = &j->note;
	return &j->instead;
}

/* What comes along is a courtesy: it is left out where a part of it is blocked. */
static bool spoils(const struct filtering *f, const struct answer *a, struct arena *arena)
{
	for (size_t i = 0; i < a->additional_count; i++) {
		struct filter_hit h;

		if (!OK(filtering_set(f, a->sets[a->answer_count + a->authority_count + i].rs, arena, &h)) || h.verdict == FILTER_BLOCKED)
			return true;
	}
	return false;
}

static const struct answer *without_additional(const struct answer *a, struct answer_filter *j) BORROWED;
static const struct answer *without_additional(const struct answer *a, struct answer_filter *j)
{
	if (a != &j->instead)
		j->instead = *a;
	j->instead.additional_count = 0;
	return &j->instead;
}

static bool is_failure(const struct answer *a)
{
	return a->bogus || a->security == SECURITY_BOGUS || (a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN);
}

static const struct answer *judged(struct serve *s, const struct filter_sheet *sheet, const struct answer *a, const struct filter_hit *h, struct answer_filter *j) BORROWED;
static const struct answer *judged(struct serve *s, const struct filter_sheet *sheet, const struct answer *a, const struct filter_hit *h, struct answer_filter *j)
{
	bool dry = sheet->options.dry_run;

	if (h->verdict == FILTER_PASS)
		return a;
	filtering_say(h, &a->q.name, j->text, sizeof j->text);
	if (h->verdict == FILTER_ALLOWED) {
		stats_inc(s->env.stats, COUNT_FILTER_ALLOWED);
		return pass(a, h, j);
	}
	say(&a->q, j, !dry);
	stats_inc(s->env.stats, dry ? COUNT_FILTER_DRY_RUN : COUNT_FILTER_BLOCKED);
	if (dry)
		return pass(a, h, j);
	block(s, &sheet->options, &a->q, a->cacheable, j);
	note(h, action_of(&j->instead, &sheet->options), j);
	return &j->instead;
}

const struct answer *answer_filter_judge(struct serve *s, const struct answer *a, size_t own, struct answer_filter *j)
{
	const struct filter_sheet *sheet = sheet_now(s, j);
	struct watching w = { s, j };
	struct filtering f = { .seen = watch, .ctx = &w };
	struct filter_hit h;

	if (sheet == NULL || a->q.rclass != CLASS_IN || is_failure(a) || (a->ede_count > 0 && a->ede[0].code == EDE_BLOCKED))
		return a;
	f.filter = sheet->filter;
	if (s->env.routes != NULL && filter_wants_routes(sheet->filter)) {
		f.view = route_seat_view(&s->seat, s->env.routes);
		j->routes = s->seat.number;
	}
	if (!OK(filtering_answer(&f, a, own, s->filter_arena, &h))) {
		servfail(&a->q, j);
		return &j->instead;
	}
	a = judged(s, sheet, a, &h, j);
	if (!sheet->options.dry_run && spoils(&f, a, s->filter_arena))
		return without_additional(a, j);
	return a;
}

void answer_filter_stored(struct serve *s, const struct ans_key *k, uint64_t hash, const struct answer_filter *j)
{
	const struct ans_entry *e;

	if (s->env.filters == NULL)
		return;
	if (filter_board_number(s->env.filters) == j->filter && (j->mask == 0 || route_board_number(s->env.routes) == j->routes))
		return;
	e = anscache_get(s->env.anscache, k, hash);
	if (e != NULL)
		anscache_drop(s->env.anscache, s->env.member, e);
}
