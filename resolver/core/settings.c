#include "resolver/core/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/zonefile.h"
#include "resolver/core/hints.h"
#include "validator/work.h"

#define DNS_PORT 53

void core_settings_free(struct core_settings *s)
{
	if (s == NULL)
		return;
	prefix_map_free(MOVE(s->no_query));
	prefix_map_free(MOVE(s->private_addrs));
	arena_free(MOVE(s->arena));
	mem_free(s);
}

/* --- questions */

const struct zone_conf *settings_zone(const struct core_settings *s, struct name n, uint64_t except)
{
	for (size_t i = 0; i < s->zone_count; i++) {
		if (i < 64 && (except >> i & 1) != 0)
			continue;
		if (name_is_under(n, s->zones[i].name))
			return &s->zones[i];
	}
	return NULL;
}

enum route_policy settings_route_policy(const struct core_settings *s, struct name n)
{
	for (size_t i = 0; i < s->zone_route_count; i++)
		if (name_is_under(n, s->zone_routes[i].name))
			return s->zone_routes[i].policy;
	return s->route_policy;
}

uint32_t settings_zone_rate(const struct core_settings *s, struct name zone)
{
	for (size_t i = 0; i < s->zone_rate_count; i++) {
		const struct zone_rate *r = &s->zone_rates[i];

		if (r->below ? name_is_strictly_under(zone, r->name) : name_equal(zone, r->name))
			return r->per_sec;
	}
	return s->rate.per_sec;
}

bool settings_requires_routes(const struct core_settings *s)
{
	bool any = s->route_policy >= ROUTE_POLICY_NOT_INVALID;

	for (size_t i = 0; i < s->zone_route_count; i++)
		any = any || s->zone_routes[i].policy >= ROUTE_POLICY_NOT_INVALID;
	return any;
}

bool settings_may_ask(const struct core_settings *s, const struct addr *a)
{
	struct addr plain = addr_unmap(a);
	uint32_t unused;

	if (plain.family == ADDR_V4 ? !s->ipv4 : plain.family == ADDR_V6 ? !s->ipv6 : true)
		return false;
	if (plain.family != a->family) /* a mapped address is no address of a name server */
		return false;
	if (addr_is_unspecified(a) || addr_is_multicast(a))
		return false;
	return s->no_query == NULL || !prefix_map_get(s->no_query, a, &unused);
}

bool settings_is_private(const struct core_settings *s, const struct addr *a)
{
	struct addr plain = addr_unmap(a);
	uint32_t unused;

	if (s->private_addrs == NULL)
		return false;
	return prefix_map_get(s->private_addrs, &plain, &unused) || prefix_map_get(s->private_addrs, a, &unused);
}

static bool is_under_any(struct name n, const struct name *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (name_is_under(n, list[i]))
			return true;
	}
	return false;
}

bool settings_is_private_domain(const struct core_settings *s, struct name n)
{
	return is_under_any(n, s->private_domains, s->private_domain_count);
}

bool settings_is_plain_case(const struct core_settings *s, struct name n)
{
	return is_under_any(n, s->plain_case, s->plain_case_count);
}

/* --- making one */

struct maker {
	struct core_settings *s BORROWED_FIELD;
	struct strbuf *report BORROWED_FIELD;
	bool bad; /* something was said that makes the configuration unusable */
};

static struct name dup_name(struct maker *m, const char *text)
{
	struct name_buf nb;

	if (!OK(name_from_text(text, NULL, &nb)))
		return (struct name){ NULL, 0, 0 };
	return name_dup_in(m->s->arena, name_of(&nb));
}

static void make_limits(struct core_settings *s, const struct conf_clause *c)
{
	uint32_t quota = (uint32_t)conf_int(c, OPT_MAX_GLOBAL_QUOTA);
	uint32_t sent = (uint32_t)conf_int(c, OPT_MAX_SENT_COUNT);

	/* max-global-quota is Unbound's word for what a question may cost in all; ours is lower, and a lower one is obeyed. */
	s->client = (struct budget_limits){
		.packets = quota < 48 ? quota : 48, .octets = 262144, .subquestions = 12,
		.cname_steps = (uint32_t)conf_int(c, OPT_MAX_QUERY_RESTARTS), .depth = 6, .referrals = 24,
		.work = 1000 * WORK_UNIT, .time_ms = 12000, /* a stub's second try, after five seconds, joins the first */
	};
	s->sub = s->client;
	s->sub.packets = sent < 16 ? sent : 16;
	s->sub.subquestions = 6;
	s->sub.work = 500 * WORK_UNIT;
	s->sub.time_ms = 3500;
	s->parallel_targets = 2;
	s->dead_targets = 3;
	s->target_time_ms = 3500;
	s->max_tries = (uint32_t)conf_int(c, OPT_OUTBOUND_MSG_RETRY) + 4;
	s->max_wait_ms = 1600;
	s->unknown_wait_ms = (uint32_t)conf_int(c, OPT_UNKNOWN_SERVER_TIME_LIMIT);
	s->timeouts_per_zone = 12;
	s->failure_first_sec = 5;
	s->failure_max_sec = 300;
	s->outage_max_sec = 20;
	s->exhausted_sec = 5;
	s->dead_zone_failures = 3;
	s->chain_links = 32;
	s->cached_judgements = 24;
}

static void make_fetch_policy(struct core_settings *s, const char *text)
{
	for (size_t i = 0; i < FETCH_POLICY; i++) {
		char *end = NULL;
		long n = text == NULL ? 0 : strtol(text, &end, 10);

		s->fetch_policy[i] = n < 0 ? -1 : n > 100 ? 100 : (int)n;
		if (text == NULL || end == text)
			break;
		text = end;
	}
}

/* Both preferred is neither (conf/cross.c says so). */
static enum addr_family preferred_family(const struct conf_clause *c)
{
	bool v4 = conf_bool(c, OPT_PREFER_IP4), v6 = conf_bool(c, OPT_PREFER_IP6);

	return v4 == v6 ? ADDR_NONE : v4 ? ADDR_V4 : ADDR_V6;
}

static void make_switches(struct core_settings *s, const struct conf_clause *c)
{
	s->ipv4 = conf_bool(c, OPT_DO_IP4);
	s->ipv6 = conf_bool(c, OPT_DO_IP6);
	s->preferred = preferred_family(c);
	s->qmin = conf_bool(c, OPT_QNAME_MINIMISATION);
	s->qmin_strict = conf_bool(c, OPT_QNAME_MINIMISATION_STRICT);
	s->qmin_steps = 10;
	s->qmin_one_label = 4;
	s->minimal_responses = conf_bool(c, OPT_MINIMAL_RESPONSES);
	s->drop_spare_ns = conf_bool(c, OPT_ITER_SCRUB_PROMISCUOUS);
	s->max_ns = (uint32_t)conf_int(c, OPT_ITER_SCRUB_NS);
	s->max_chain = (uint32_t)conf_int(c, OPT_ITER_SCRUB_CNAME);
	s->max_rrsigs = (uint32_t)conf_int(c, OPT_ITER_SCRUB_RRSIG);
	s->harden_glue = conf_bool(c, OPT_HARDEN_GLUE);
	s->verify_glue = conf_bool(c, OPT_HARDEN_UNVERIFIED_GLUE);
	s->harden_below_nxdomain = conf_bool(c, OPT_HARDEN_BELOW_NXDOMAIN);
	s->reset_expired = conf_bool(c, OPT_SERVE_EXPIRED) && conf_bool(c, OPT_SERVE_EXPIRED_TTL_RESET);
	s->fast_permil = (uint32_t)conf_int(c, OPT_FAST_SERVER_PERMIL);
	s->fast_servers = (uint32_t)conf_int(c, OPT_FAST_SERVER_NUM);
	s->no_do = conf_bool(c, OPT_DISABLE_EDNS_DO);
	s->min_ttl = (uint32_t)conf_int(c, OPT_CACHE_MIN_TTL);
	s->max_ttl = (uint32_t)conf_int(c, OPT_CACHE_MAX_TTL);
	s->min_negative_ttl = (uint32_t)conf_int(c, OPT_CACHE_MIN_NEGATIVE_TTL);
	s->max_negative_ttl = (uint32_t)conf_int(c, OPT_CACHE_MAX_NEGATIVE_TTL);
	make_fetch_policy(s, conf_text(c, OPT_TARGET_FETCH_POLICY));
}

static RESULT put_text_prefix(struct prefix_map *m, const char *text)
{
	struct prefix p;

	TRY(prefix_parse(text, &p));
	return prefix_map_put(m, &p, 1);
}

static RESULT make_prefixes(struct core_settings *s, const struct conf_clause *c)
{
	s->no_query = prefix_map_new();
	if (s->no_query == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < conf_count(c, OPT_DO_NOT_QUERY_ADDRESS); i++) {
		struct prefix p;

		TRY(conf_word_prefix(c, OPT_DO_NOT_QUERY_ADDRESS, i, 0, &p));
		TRY(prefix_map_put(s->no_query, &p, 1));
	}
	TRY(put_text_prefix(s->no_query, "0.0.0.0/8"));
	if (conf_bool(c, OPT_DO_NOT_QUERY_LOCALHOST)) {
		TRY(put_text_prefix(s->no_query, "127.0.0.0/8"));
		TRY(put_text_prefix(s->no_query, "::1/128"));
	}
	if (conf_count(c, OPT_PRIVATE_ADDRESS) == 0)
		return DONE;
	s->private_addrs = prefix_map_new();
	if (s->private_addrs == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < conf_count(c, OPT_PRIVATE_ADDRESS); i++) {
		struct prefix p;

		TRY(conf_word_prefix(c, OPT_PRIVATE_ADDRESS, i, 0, &p));
		TRY(prefix_map_put(s->private_addrs, &p, 1));
	}
	return DONE;
}

static RESULT make_names(struct maker *m, const struct conf_clause *c, enum conf_opt o, const struct name **ret_names, size_t *ret_count)
{
	size_t n = conf_count(c, o);
	struct name *names = arena_alloc_array(m->s->arena, n + 1, sizeof *names);

	if (names == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		names[i] = dup_name(m, conf_item(c, o, i));
		if (names[i].wire == NULL)
			return FAIL(ERR_NOMEM);
	}
	*ret_names = names;
	*ret_count = n;
	return DONE;
}

/* --- root hints */

struct hint_reader {
	struct maker *m BORROWED_FIELD;
	struct known_server *list ARENA_FIELD;
	size_t count, cap;
};

static RESULT hint_server(struct hint_reader *h, struct name n, struct known_server **ret)
{
	struct known_server *list;

	for (size_t i = 0; i < h->count; i++) {
		if (name_equal(h->list[i].name, n)) {
			*ret = &h->list[i];
			return DONE;
		}
	}
	if (h->count == h->cap) {
		list = arena_alloc_array(h->m->s->arena, h->cap * 2 + 16, sizeof *list);
		if (list == NULL)
			return FAIL(ERR_NOMEM);
		if (h->count > 0)
			memcpy(list, h->list, h->count * sizeof *list);
		h->list = list;
		h->cap = h->cap * 2 + 16;
	}
	list = &h->list[h->count];
	*list = (struct known_server){ .name = name_dup_in(h->m->s->arena, n) };
	if (list->name.wire == NULL)
		return FAIL(ERR_NOMEM);
	h->count++;
	*ret = list;
	return DONE;
}

static RESULT hint_addr(struct hint_reader *h, struct known_server *k, const struct addr *a)
{
	struct addr *list = arena_alloc_array(h->m->s->arena, k->addr_count + 1, sizeof *list);

	if (list == NULL)
		return FAIL(ERR_NOMEM);
	if (k->addr_count > 0)
		memcpy(list, k->addrs, k->addr_count * sizeof *list);
	list[k->addr_count] = *a;
	k->addrs = list;
	k->addr_count++;
	return DONE;
}

static RESULT builtin_hints(struct hint_reader *h)
{
	size_t n;
	const struct root_hint *list = root_hints(&n);

	for (size_t i = 0; i < n; i++) {
		struct known_server *k;
		struct name_buf nb;
		struct addr a;

		TRY(name_from_text(list[i].name, NULL, &nb));
		TRY(hint_server(h, name_of(&nb), &k));
		TRY(addr_parse(list[i].ipv4, &a));
		TRY(hint_addr(h, k, &a));
		TRY(addr_parse(list[i].ipv6, &a));
		TRY(hint_addr(h, k, &a));
	}
	return DONE;
}

/* The first pass takes the NS records of the root, the second the addresses of the names found. */
static struct result hint_ns_rr(void *user, const struct zone_rr *rr)
{
	struct hint_reader *h = user;
	struct known_server *k;
	struct name target;

	if (rr->type != RR_NS || !name_is_root(rr->owner))
		return DONE;
	TRY(name_from_wire(rr->rdata, &target));
	return hint_server(h, target, &k);
}

static struct result hint_addr_rr(void *user, const struct zone_rr *rr)
{
	struct hint_reader *h = user;
	struct addr a = { 0 };

	if (!(rr->type == RR_A && rr->rdata.n == 4) && !(rr->type == RR_AAAA && rr->rdata.n == 16))
		return DONE;
	a.family = rr->type == RR_A ? ADDR_V4 : ADDR_V6;
	memcpy(a.b, rr->rdata.p, rr->rdata.n);
	for (size_t i = 0; i < h->count; i++) {
		if (name_equal(h->list[i].name, rr->owner))
			return hint_addr(h, &h->list[i], &a);
	}
	return DONE;
}

static RESULT file_hints(struct hint_reader *h, const char *path)
{
	struct zone_read z = {
		.origin_text = path, .origin = name_root, .default_ttl = 3600000, .rclass = CLASS_IN, .max_octets = 1u << 20, .fn = hint_ns_rr, .user = h,
	};
	size_t before = strbuf_len(h->m->report);

	if (!OK(zone_read_file(&z, path, h->m->report))) {
		if (strbuf_len(h->m->report) == before)
			strbuf_printf(h->m->report, "%s: error: root-hints: cannot be read\n", path);
		h->m->bad = true;
		return DONE;
	}
	z.fn = hint_addr_rr;
	TRY(zone_read_file(&z, path, h->m->report));
	if (h->count == 0) {
		strbuf_printf(h->m->report, "%s: error: root-hints: found no NS record of the root, expected at least one\n", path);
		h->m->bad = true;
	}
	return DONE;
}

static RESULT make_roots(struct maker *m, const struct conf_clause *c)
{
	struct hint_reader h = { .m = m };
	const char *path = conf_text(c, OPT_ROOT_HINTS);

	if (path != NULL && path[0] != '\0')
		TRY(file_hints(&h, path));
	else
		TRY(builtin_hints(&h));
	m->s->roots = h.list;
	m->s->root_count = h.count;
	return DONE;
}

/* --- stub-zone: and forward-zone: */

struct zone_opts {
	enum conf_opt name, addr, host, first, no_cache, tcp;
};
static const struct zone_opts stub_opts = {
	OPT_STUB_ZONE_NAME, OPT_STUB_ZONE_STUB_ADDR, OPT_STUB_ZONE_STUB_HOST, OPT_STUB_ZONE_STUB_FIRST, OPT_STUB_ZONE_STUB_NO_CACHE,
	OPT_STUB_ZONE_STUB_TCP_UPSTREAM,
};
static const struct zone_opts forward_opts = {
	OPT_FORWARD_ZONE_NAME, OPT_FORWARD_ZONE_FORWARD_ADDR, OPT_FORWARD_ZONE_FORWARD_HOST, OPT_FORWARD_ZONE_FORWARD_FIRST,
	OPT_FORWARD_ZONE_FORWARD_NO_CACHE, OPT_FORWARD_ZONE_FORWARD_TCP_UPSTREAM,
};

/* "NAME[@PORT][#NAME]" */
static RESULT read_host(struct maker *m, const char *text, struct zone_host *ret)
{
	size_t n = strcspn(text, "@#");
	struct name_buf nb;
	unsigned long port = text[n] == '@' ? strtoul(text + n + 1, NULL, 10) : DNS_PORT;

	if (port == 0 || port > 65535)
		return FAIL(ERR_RANGE);
	TRY(name_from_text_n(text, n, NULL, &nb));
	*ret = (struct zone_host){ name_dup_in(m->s->arena, name_of(&nb)), (uint16_t)port };
	return ret->name.wire == NULL ? FAIL(ERR_NOMEM) : DONE;
}

static RESULT read_servers(struct maker *m, const struct conf_clause *c, const struct zone_opts *o, struct zone_conf *z)
{
	size_t n_addr = conf_count(c, o->addr), n_host = conf_count(c, o->host);
	struct endpoint *addrs = arena_alloc_array(m->s->arena, n_addr + n_host + 1, sizeof *addrs);
	struct zone_host *hosts = arena_alloc_array(m->s->arena, n_host + 1, sizeof *hosts);

	if (addrs == NULL || hosts == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n_addr; i++)
		TRY(conf_word_endpoint(c, o->addr, i, 0, DNS_PORT, &addrs[z->addr_count++]));
	for (size_t i = 0; i < n_host; i++) {
		if (OK(conf_word_endpoint(c, o->host, i, 0, DNS_PORT, &addrs[z->addr_count])))
			z->addr_count++;
		else
			TRY(read_host(m, conf_item(c, o->host, i), &hosts[z->host_count++]));
	}
	z->addrs = addrs;
	z->hosts = hosts;
	return DONE;
}

static RESULT read_zone(struct maker *m, const struct conf_clause *c, enum zone_kind kind, struct zone_conf *z)
{
	const struct zone_opts *o = kind == ZONE_STUB ? &stub_opts : &forward_opts;
	const char *name = conf_text(c, o->name);

	if (name == NULL)
		return FAIL(ERR_FORMAT);
	*z = (struct zone_conf){
		.name = dup_name(m, name), .kind = kind, .first = conf_bool(c, o->first), .no_cache = conf_bool(c, o->no_cache),
		.prime = kind == ZONE_STUB && conf_bool(c, OPT_STUB_ZONE_STUB_PRIME), .tcp = conf_bool(c, o->tcp),
	};
	z->where = arena_strdup(m->s->arena, conf_where(c, o->name, 0));
	if (z->name.wire == NULL || z->where == NULL)
		return FAIL(ERR_NOMEM);
	return read_servers(m, c, o, z);
}

static int deeper_first(const void *a, const void *b)
{
	const struct zone_conf *x = a, *y = b;

	if (x->name.labels != y->name.labels)
		return x->name.labels > y->name.labels ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind == ZONE_FORWARD ? -1 : 1;
	return name_compare(x->name, y->name);
}

static RESULT make_zones(struct maker *m, const struct conf *c)
{
	size_t stubs = conf_clause_count(c, CLAUSE_STUB_ZONE), forwards = conf_clause_count(c, CLAUSE_FORWARD_ZONE);
	struct zone_conf *list = arena_alloc_array(m->s->arena, stubs + forwards + 1, sizeof *list);
	size_t n = 0;

	if (list == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < stubs; i++)
		TRY(read_zone(m, conf_clause(c, CLAUSE_STUB_ZONE, i), ZONE_STUB, &list[n++]));
	for (size_t i = 0; i < forwards; i++)
		TRY(read_zone(m, conf_clause(c, CLAUSE_FORWARD_ZONE, i), ZONE_FORWARD, &list[n++]));
	qsort(list, n, sizeof *list, deeper_first);
	m->s->zones = list;
	m->s->zone_count = n;
	return DONE;
}

static int deeper_route(const void *a, const void *b)
{
	const struct zone_route *x = a, *y = b;

	return x->name.labels != y->name.labels ? (x->name.labels > y->name.labels ? -1 : 1) : name_compare(x->name, y->name);
}

static enum route_policy route_policy_of(int64_t word)
{
	static const enum route_policy of[] = { ROUTE_POLICY_OFF, ROUTE_POLICY_LOG, ROUTE_POLICY_PREFER, ROUTE_POLICY_NOT_INVALID, ROUTE_POLICY_VALID }; /* as the words stand in conf */

	return of[word - CONF_ROUTES_OFF];
}

static RESULT make_routes(struct maker *m, const struct conf *c)
{
	const struct conf_clause *r = conf_single(c, CLAUSE_ROUTE_VALIDATION);
	size_t n = conf_count(r, OPT_ROUTE_VALIDATION_ZONE_POLICY);
	struct zone_route *list = arena_alloc_array(m->s->arena, n + 1, sizeof *list);

	if (list == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		list[i].name = dup_name(m, conf_item(r, OPT_ROUTE_VALIDATION_ZONE_POLICY, i));
		list[i].policy = route_policy_of(conf_word_int(r, OPT_ROUTE_VALIDATION_ZONE_POLICY, i, 1));
		if (list[i].name.wire == NULL)
			return FAIL(ERR_NOMEM);
	}
	qsort(list, n, sizeof *list, deeper_route);
	m->s->zone_routes = list;
	m->s->zone_route_count = n;
	m->s->invalid_ttl = (uint32_t)conf_int(r, OPT_ROUTE_VALIDATION_INVALID_TTL);
	m->s->route_policy = route_policy_of(conf_int(r, OPT_ROUTE_VALIDATION_POLICY));
	return DONE;
}

static int deeper_rate(const void *a, const void *b)
{
	const struct zone_rate *x = a, *y = b;

	return x->name.labels != y->name.labels ? (x->name.labels > y->name.labels ? -1 : 1) : name_compare(x->name, y->name);
}

static RESULT make_rates(struct maker *m, const struct conf_clause *c)
{
	static const enum conf_opt lists[] = { OPT_RATELIMIT_FOR_DOMAIN, OPT_RATELIMIT_BELOW_DOMAIN };
	size_t most = conf_count(c, lists[0]) + conf_count(c, lists[1]), n = 0;
	struct zone_rate *list = arena_alloc_array(m->s->arena, most + 1, sizeof *list);

	if (list == NULL)
		return FAIL(ERR_NOMEM);
	m->s->rate = (struct token_rate){ (uint32_t)conf_int(c, OPT_RATELIMIT), (uint32_t)conf_int(c, OPT_RATELIMIT_FACTOR), conf_bool(c, OPT_RATELIMIT_BACKOFF) };
	m->s->rate_octets = (size_t)conf_int(c, OPT_RATELIMIT_SIZE);
	m->s->limits_rates = m->s->rate.per_sec != 0;
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < conf_count(c, lists[k]); i++) {
			list[n] = (struct zone_rate){ dup_name(m, conf_item(c, lists[k], i)), (uint32_t)conf_word_int(c, lists[k], i, 1), k == 1 };
			if (list[n].name.wire == NULL)
				return FAIL(ERR_NOMEM);
			m->s->limits_rates = m->s->limits_rates || list[n].per_sec != 0;
			n++;
		}
	}
	qsort(list, n, sizeof *list, deeper_rate);
	m->s->zone_rates = list;
	m->s->zone_rate_count = n;
	return DONE;
}

static RESULT make_all(struct maker *m, const struct conf *c)
{
	const struct conf_clause *server = conf_server(c);

	make_limits(m->s, server);
	make_switches(m->s, server);
	TRY(make_prefixes(m->s, server));
	TRY(make_names(m, server, OPT_PRIVATE_DOMAIN, &m->s->private_domains, &m->s->private_domain_count));
	TRY(make_names(m, server, OPT_CAPS_EXEMPT, &m->s->plain_case, &m->s->plain_case_count));
	TRY(make_roots(m, server));
	TRY(make_zones(m, c));
	TRY(make_routes(m, c));
	TRY(make_rates(m, server));
	return m->bad ? FAIL(ERR_FORMAT) : DONE;
}

RESULT core_settings_make(const struct conf *c, struct strbuf *report, struct core_settings **ret_settings)
{
	AUTO(core_settings_free) struct core_settings *s = mem_alloc(sizeof *s);
	struct maker m = { .s = s, .report = report };

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->arena = arena_new(0);
	if (s->arena == NULL)
		return FAIL(ERR_NOMEM);
	TRY(make_all(&m, c));
	*ret_settings = MOVE(s);
	return DONE;
}
