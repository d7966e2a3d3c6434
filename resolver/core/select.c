#include "resolver/core/select.h"

#include "base/rng.h"

#define UNKNOWN_US 400000u /* what a server is taken for that was never asked: soon tried, but not before a fast one */
#define BAND_US 30000u     /* servers this close to the best share the load */
#define EXPLORE 24u        /* one choice in so many goes to any server, so that a slow one's recovery is seen */
#define MAX_CANDIDATES 64

struct candidate {
	uint16_t index;
	uint32_t rtt_us;
	enum route_use use;
	bool free; /* its back-off does not concern this question */
	bool preferred; /* prefer-ip4, prefer-ip6: of that family, and not silent lately */
};

/* Round trip as expected, made worse by time-outs in a row and by having been tried for this question. */
static uint32_t expected_us(const struct server_facts *f, const struct deleg_server *s)
{
	uint64_t us = f->srtt_us != 0 ? f->srtt_us : UNKNOWN_US;

	us += (uint64_t)f->timeouts * UNKNOWN_US;
	us += (uint64_t)s->tries * 4 * UNKNOWN_US;
	return us > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)us;
}

/* All the time-outs it is in back-off for are this question's: it may go on with its tries. */
static bool is_own_silence(const struct server_facts *f, const struct deleg_server *s)
{
	return s->timeouts > 0 && f->timeouts <= s->timeouts;
}

/* Silent for another type only: servers are about that drop AAAA and answer A. */
static bool is_other_type(const struct server_facts *f, uint16_t type)
{
	return f->timeouts > 0 && f->silent_type != 0 && f->silent_type != type;
}

static bool is_free(const struct candidate *c, size_t n, size_t index)
{
	for (size_t i = 0; i < n; i++) {
		if (c[i].index == index)
			return c[i].free;
	}
	return false;
}

/* Round trips in the band of the best; where a valid route is among them, only those with one. */
struct band {
	uint32_t best_us;
	bool first_only;
};

static bool is_in(const struct band *b, const struct candidate *c)
{
	return c->rtt_us <= b->best_us + BAND_US && (!b->first_only || c->use == ROUTE_FIRST);
}

static struct band band_of(const struct candidate *c, size_t n)
{
	struct band b = { .best_us = UINT32_MAX / 2 };

	for (size_t i = 0; i < n; i++)
		b.best_us = c[i].rtt_us < b.best_us ? c[i].rtt_us : b.best_us;
	for (size_t i = 0; i < n && !b.first_only; i++)
		b.first_only = c[i].use == ROUTE_FIRST && c[i].rtt_us <= b.best_us + BAND_US;
	return b;
}

/* fast-server-permil: is this choice among the fastest only? Never for a refresh, which nobody waits for: it may find out who else is fast by now. */
static bool is_hasty(const struct deleg_env *e)
{
	return e->settings->fast_permil != 0 && !e->renew && rng_below(e->rng, 1000) < e->settings->fast_permil;
}

/* The `most` fastest, of those that the band leaves; *ret_n of them. Where it leaves none, as it was. */
static const struct candidate *fastest(const struct candidate *c, size_t n, size_t most, struct candidate *out, size_t *ret_n) BORROWED;
static const struct candidate *fastest(const struct candidate *c, size_t n, size_t most, struct candidate *out, size_t *ret_n)
{
	struct band b = band_of(c, n);
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = count;

		if (b.first_only && c[i].use != ROUTE_FIRST)
			continue;
		for (; at > 0 && out[at - 1].rtt_us > c[i].rtt_us; at--)
			out[at] = out[at - 1];
		out[at] = c[i];
		count++;
	}
	if (count == 0)
		return c;
	*ret_n = count < most ? count : most;
	return out;
}

/* Those of the preferred family, if any; but a valid route counts for more. */
static const struct candidate *of_family(const struct candidate *c, size_t n, struct candidate *out, size_t *ret_n) BORROWED;
static const struct candidate *of_family(const struct candidate *c, size_t n, struct candidate *out, size_t *ret_n)
{
	struct band b = band_of(c, n);
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (c[i].preferred && (!b.first_only || c[i].use == ROUTE_FIRST))
			out[count++] = c[i];
	}
	*ret_n = count > 0 ? count : n;
	return count > 0 ? out : c;
}

static size_t choose(const struct deleg_env *e, const struct candidate *c, size_t n)
{
	struct candidate sorted[MAX_CANDIDATES], family[MAX_CANDIDATES];
	struct rng *rng = e->rng;
	struct band b;
	size_t close = 0;

	if (e->settings->preferred != ADDR_NONE)
		c = of_family(c, n, family, &n);
	if (is_hasty(e))
		c = fastest(c, n, e->settings->fast_servers, sorted, &n);
	else if (n > 1 && rng_below(rng, EXPLORE) == 0)
		return c[rng_below(rng, (uint32_t)n)].index;
	b = band_of(c, n);
	for (size_t i = 0; i < n; i++)
		close += is_in(&b, &c[i]);
	close = rng_below(rng, (uint32_t)close);
	for (size_t i = 0; i < n; i++) {
		if (!is_in(&b, &c[i]))
			continue;
		if (close == 0)
			return c[i].index;
		close--;
	}
	return c[0].index;
}

/* One of these that may be asked. *blocked: one may not, being in back-off. */
static bool pick(const struct deleg_env *e, const struct deleg *d, struct infra *infra, struct candidate *open, size_t opens, bool *blocked, size_t *ret_server)
{
	while (opens > 0) {
		size_t index = choose(e, open, opens);

		if (is_free(open, opens, index) || infra_may_ask(infra, &d->servers[index].at, e->now)) {
			*ret_server = index;
			return true;
		}
		*blocked = true;
		for (size_t i = 0; i < opens; i++) {
			if (open[i].index == index) {
				open[i] = open[--opens];
				break;
			}
		}
	}
	return false;
}

static void refuse(const struct deleg_env *e, const struct route_rule *rule, struct deleg *d, struct deleg_server *s)
{
	s->outcome = SERVER_ROUTE;
	s->done = true;
	d->route_refused++;
	if (d->route_why == NULL)
		d->route_why = route_reason(rule, &s->at, e->arena);
}

enum route_policy select_policy(const struct deleg_env *e, const struct deleg *d)
{
	return settings_route_policy(e->settings, d->source == DELEG_FORWARD && e->asked.wire != NULL ? e->asked : d->zone);
}

enum select_result select_server(const struct deleg_env *e, struct deleg *d, uint16_t type, struct infra *infra, size_t *ret_server)
{
	const struct route_rule rule = { .view = e->routes, .policy = select_policy(e, d) };
	struct candidate open[MAX_CANDIDATES], last[MAX_CANDIDATES];
	size_t opens = 0, lasts = 0;
	bool blocked = false;

	d->route_policy = rule.policy;
	for (size_t i = 0; i < d->server_count && opens + lasts < MAX_CANDIDATES; i++) {
		struct deleg_server *s = &d->servers[i];
		struct server_facts f;
		struct candidate c = { .index = (uint16_t)i };
		enum verdict_state state;

		if (s->done)
			continue;
		infra_get(infra, &s->at, e->now, &f);
		c.rtt_us = expected_us(&f, s);
		if (infra_lame(infra, &s->at, d->zone, e->now) != LAME_NO) {
			s->outcome = SERVER_LAME;
			s->done = true;
			continue;
		}
		state = route_state_of(&rule, infra, &s->at, &f, e->now);
		s->route_invalid = verdict_rank(state) == 2;
		c.use = route_use_of(&rule, state);
		if (c.use == ROUTE_NEVER) {
			refuse(e, &rule, d, s);
			continue;
		}
		if (f.blocked_until_ms > now_ms(e->now) && !is_own_silence(&f, s) && !is_other_type(&f, type)) {
			blocked = true;
			continue;
		}
		c.preferred = s->at.a.family == e->settings->preferred && f.timeouts == 0 && s->tries == 0;
		c.free = is_own_silence(&f, s) || is_other_type(&f, type);
		if (c.use == ROUTE_LAST)
			last[lasts++] = c;
		else
			open[opens++] = c;
	}
	if (pick(e, d, infra, open, opens, &blocked, ret_server))
		return SELECT_SERVER;
	if (pick(e, d, infra, last, lasts, &blocked, ret_server))
		return SELECT_LAST;
	return blocked ? SELECT_BLOCKED : SELECT_NONE;
}
