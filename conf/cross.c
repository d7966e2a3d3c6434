#include "conf/cross.h"

#include "conf/schema.h"
#include "conf/store.h"

static const char *where_file(const struct conf_clause *cl, enum conf_opt o, uint32_t *ret_line) BORROWED;
static const char *where_file(const struct conf_clause *cl, enum conf_opt o, uint32_t *ret_line)
{
	const struct conf_item *i = store_get(cl, o, 0);

	*ret_line = i != NULL ? i->line : cl->line;
	return store_file_name(cl->conf, i != NULL ? i->file : cl->file);
}

static void say(const struct conf_clause *cl, struct report *r, enum severity s, enum conf_opt o, const char *text)
{
	uint32_t line;
	const char *file = where_file(cl, o, &line);

	report_add(r, s, file, line, schema_option(o)->name, "%s", text);
}

/* Options without which a clause means nothing. */
static void check_needed(const struct conf_clause *cl, struct report *r)
{
	const struct schema_clause *k = schema_clause(cl->kind);

	for (size_t i = 0; i < cl->slot_count; i++) {
		const struct schema_option *o = schema_option((enum conf_opt)(cl->first + i));

		if ((o->flags & SCHEMA_NEEDED) != 0 && !cl->slots[i].given)
			report_add(r, SEVERITY_ERROR, store_file_name(cl->conf, cl->file), cl->line, k->name,
			    "found a clause without %s:, expected one", o->name);
	}
}

/* Both off is a resolver that can do nothing. */
static void check_both_off(const struct conf_clause *s, struct report *r, enum conf_opt a, enum conf_opt b, const char *text)
{
	if (!conf_bool(s, a) && !conf_bool(s, b))
		say(s, r, SEVERITY_ERROR, conf_given(s, b) ? b : a, text);
}

/* The smaller value that was given is greater than the greater one. */
static void check_order(const struct conf_clause *s, struct report *r, enum conf_opt low, enum conf_opt high, const char *text)
{
	if (conf_int(s, low) > conf_int(s, high) && (conf_given(s, low) || conf_given(s, high)))
		say(s, r, SEVERITY_WARNING, conf_given(s, low) ? low : high, text);
}

static void check_server(const struct conf_clause *s, struct report *r)
{
	check_both_off(s, r, OPT_DO_IP4, OPT_DO_IP6, "found do-ip4 and do-ip6 both no, expected one of them yes");
	check_both_off(s, r, OPT_DO_UDP, OPT_DO_TCP, "found do-udp and do-tcp both no, expected one of them yes");
	if (conf_bool(s, OPT_PREFER_IP4) && conf_bool(s, OPT_PREFER_IP6))
		say(s, r, SEVERITY_WARNING, OPT_PREFER_IP6, "prefer-ip4 is yes too, so that neither has an effect");
	check_order(s, r, OPT_CACHE_MIN_TTL, OPT_CACHE_MAX_TTL, "cache-min-ttl is above cache-max-ttl, which wins");
	check_order(s, r, OPT_CACHE_MIN_NEGATIVE_TTL, OPT_CACHE_MAX_NEGATIVE_TTL,
	    "cache-min-negative-ttl is above cache-max-negative-ttl, which wins");
	check_order(
	    s, r, OPT_INFRA_CACHE_MIN_RTT, OPT_INFRA_CACHE_MAX_RTT, "infra-cache-min-rtt is above infra-cache-max-rtt, which wins");
	check_order(s, r, OPT_VAL_SIG_SKEW_MIN, OPT_VAL_SIG_SKEW_MAX, "val-sig-skew-min is above val-sig-skew-max, which wins");
}

void conf_cross_check(const struct conf *c, struct report *r)
{
	for (size_t k = 0; k < CLAUSE_KINDS; k++) {
		for (size_t i = 0; i < c->clauses[k].n; i++) {
			if (c->clauses[k].v[i]->given || schema_clause((enum conf_clause_kind)k)->many)
				check_needed(c->clauses[k].v[i], r);
		}
	}
	check_server(conf_server(c), r);
}
