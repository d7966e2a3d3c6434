#include "resolver/control/explain_json.h"

#include "base/strbuf.h"
#include "dns/rdata.h"
#include "resolver/control/explain_text.h"
#include "resolver/control/json.h"
#include "validator/algorithm.h"

#define TEXT_MAX (1u << 18)

static void put_algorithm(struct json_out *j, uint8_t number)
{
	const struct algorithm *a = algorithm_find(number);

	json_put_number(j, "algorithm", number);
	json_put_text(j, "algorithm_name", a != NULL ? a->name : NULL);
}

/* --- parts */

static void put_finding(struct json_out *j, const struct explain_finding *f)
{
	json_put_text(j, "verdict", explain_verdict_text(f->verdict));
	json_put_bool(j, "inherited", f->inherited);
	json_put_text(j, "reason", f->reason);
	json_put_text(j, "mend", f->mend);
	json_key(j, "extended_error");
	if (f->ede != 0)
		strbuf_printf(j->out, "%u", f->ede);
	else
		strbuf_puts(j->out, "null");
}

static void put_sigs(struct json_out *j, const struct explain_set *s)
{
	json_open(j, "signatures", '[');
	for (size_t i = 0; i < s->sig_count; i++) {
		const struct explain_sig *g = &s->sigs[i];

		json_open(j, NULL, '{');
		json_put_bool(j, "readable", g->readable);
		if (g->readable) {
			json_put_name(j, "signer", g->signer);
			json_put_number(j, "tag", g->tag);
			put_algorithm(j, g->algorithm);
			json_put_number(j, "labels", g->labels);
			json_put_time(j, "inception", g->inception);
			json_put_time(j, "expiration", g->expiration);
		}
		json_put_bool(j, "verified", g->tried && g->verdict == SIG_GOOD);
		json_put_text(j, "result", !g->tried ? "not tried" : g->verdict == SIG_KEY_FAULT ? key_fault_text(g->fault) : sig_verdict_text(g->verdict));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_put_number(j, "signatures_in_all", s->rs != NULL ? s->rs->sigs : 0);
}

static void put_rdata(struct json_out *j, const struct rrset *rs)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);

	json_open(j, "data", '[');
	for (size_t i = 0; text != NULL && i < rs->count; i++) {
		strbuf_clear(text);
		rdata_print(rs->type, rrset_rdata(rs, i), text);
		json_put_text(j, NULL, strbuf_text(text));
	}
	json_close(j, ']');
}

/* null, or a set with its signatures. */
static void put_set(struct json_out *j, const char *name, const struct explain_set *s)
{
	if (s->rs == NULL) {
		json_put_text(j, name, NULL);
		return;
	}
	json_open(j, name, '{');
	json_put_name(j, "name", rrset_name(s->rs));
	json_put_type(j, "type", s->rs->type);
	json_put_number(j, "ttl", s->ttl);
	json_put_bool(j, "verified", s->verdict == SIG_GOOD);
	put_rdata(j, s->rs);
	put_sigs(j, s);
	json_close(j, '}');
}

static void put_proof(struct json_out *j, const char *name, const struct explain_proof *p)
{
	json_open(j, name, '{');
	json_put_text(j, "proves", p->judged ? denial_text(p->what) : NULL);
	json_put_text(j, "why", p->judged ? p->text : NULL);
	json_open(j, "sets", '[');
	for (size_t i = 0; i < p->n; i++)
		put_set(j, NULL, &p->sets[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void put_route(struct json_out *j, const struct explain_server *s)
{
	const struct route_verdict *v = &s->route;

	if (!s->judged) {
		json_put_text(j, "route", NULL);
		return;
	}
	json_open(j, "route", '{');
	json_put_text(j, "state", verdict_state_text(v->state));
	json_put_text(j, "guard", route_guard_text(route_guard_of(v->state)));
	json_put_bool(j, "contested", v->contested);
	if (v->has_route)
		json_put_prefix(j, "prefix", &v->route);
	if (v->has_route && v->from.origin != 0)
		json_put_number(j, "origin", v->from.origin);
	if (v->has_vrp) {
		struct prefix p = vrp_prefix(&v->vrp);

		json_put_prefix(j, "vrp", &p);
		json_put_number(j, "vrp_max_length", v->vrp.maxlen);
		json_put_number(j, "vrp_origin", v->vrp.asn);
	}
	json_close(j, '}');
}

static void put_exposure(struct json_out *j, const struct explain_zone *z)
{
	json_put_text(j, "exposure", z->judged ? exposure_text(z->exposure) : NULL);
	if (!z->judged) {
		json_put_text(j, "routes", NULL);
		return;
	}
	json_open(j, "routes", '{');
	for (enum route_guard g = 0; g < ROUTE_GUARDS; g++)
		json_put_number(j, route_guard_text(g), z->guards.n[g]);
	json_close(j, '}');
}

static void put_servers(struct json_out *j, const struct explain_zone *z)
{
	char at[ENDPOINT_TEXT];

	json_open(j, "servers", '[');
	for (size_t i = 0; i < z->server_count; i++) {
		const struct explain_server *s = &z->servers[i];

		json_open(j, NULL, '{');
		json_put_name(j, "name", s->name);
		json_put_text(j, "address", endpoint_text(&s->at, at));
		json_put_bool(j, "asked", s->asked);
		json_put_number(j, "rtt_ms", s->rtt_ms);
		json_put_number(j, "timeouts", s->timeouts);
		json_put_bool(j, "backoff", s->backoff);
		json_put_text(j, "lame", s->lame != LAME_NO ? lame_text(s->lame) : NULL);
		put_route(j, s);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_links(struct json_out *j, const struct explain_zone *z)
{
	json_open(j, z->anchored ? "anchors" : "ds", '[');
	for (size_t i = 0; i < z->link_count; i++) {
		const struct explain_link *l = &z->links[i];
		const struct digest_kind *d = digest_find(l->digest_type);

		json_open(j, NULL, '{');
		json_put_type(j, "type", l->type);
		json_put_bool(j, "readable", l->readable);
		json_put_number(j, "tag", l->tag);
		put_algorithm(j, l->algorithm);
		json_put_number(j, "digest", l->digest_type);
		json_put_text(j, "digest_name", d != NULL && l->type == RR_DS ? d->name : NULL);
		json_put_bool(j, "followed", l->usable);
		json_put_bool(j, "matches", l->match == MATCH_KEY);
		json_put_text(j, "result", explain_match_text(l->match));
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_keys(struct json_out *j, const struct explain_zone *z)
{
	json_open(j, "keys", '[');
	for (size_t i = 0; i < z->key_count; i++) {
		const struct explain_key *k = &z->keys[i];

		json_open(j, NULL, '{');
		json_put_number(j, "tag", k->tag);
		put_algorithm(j, k->algorithm);
		json_put_number(j, "flags", k->flags);
		json_put_text(j, "role", explain_role_text(k->flags));
		json_put_bool(j, "named", k->named);
		json_put_text(j, "fault", k->fault != KEY_GOOD ? key_fault_text(k->fault) : NULL);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_configuration(struct json_out *j, const struct explain_zone *z)
{
	static const char *const words[] = { [ANCHOR_NONE] = "no trust anchor", [ANCHOR_KEYS] = "trust anchor", [ANCHOR_INSECURE] = "domain-insecure",
		[ANCHOR_NEGATIVE] = "negative trust anchor" };

	json_open(j, "configuration", '{');
	json_put_text(j, "kind", words[z->config]);
	json_put_name(j, "at", z->config_at);
	if (z->config == ANCHOR_NEGATIVE)
		json_put_time(j, "until", z->nta_until);
	json_close(j, '}');
}

static void put_zone(struct json_out *j, const struct explanation *x, const struct explain_zone *z)
{
	json_open(j, NULL, '{');
	json_put_name(j, "name", z->name);
	json_put_name(j, "parent", z->parent != EXPLAIN_TOP ? x->zones[z->parent].name : (struct name){ .wire = NULL });
	put_finding(j, &z->finding);
	put_configuration(j, z);
	json_put_text(j, "remembered", z->remembered ? trust_state_text(z->trust) : NULL);
	json_put_text(j, "source", explain_source_text(z));
	json_put_number(j, "cut_ttl", z->cut_ttl);
	put_servers(j, z);
	put_exposure(j, z);
	put_links(j, z);
	put_set(j, "ds_rrset", &z->ds);
	json_put_text(j, "ds_failure", z->ds_failure);
	put_proof(j, "no_ds", &z->no_ds);
	put_keys(j, z);
	put_set(j, "dnskey_rrset", &z->dnskey);
	json_put_text(j, "dnskey_failure", z->key_failure);
	json_close(j, '}');
}

static void put_record(struct json_out *j, const struct explanation *x, const struct explain_record *r)
{
	json_open(j, NULL, '{');
	json_put_name(j, "name", r->name);
	json_put_type(j, "type", r->type);
	json_put_text(j, "kind", explain_kind_text(r->kind));
	json_put_name(j, "zone", r->zone != EXPLAIN_TOP ? x->zones[r->zone].name : (struct name){ .wire = NULL });
	put_finding(j, &r->finding);
	json_put_name(j, "target", r->kind == EXPLAIN_ALIAS ? r->target : (struct name){ .wire = NULL });
	put_set(j, "rrset", &r->set);
	json_put_name(j, "wildcard", r->expanded ? r->source : (struct name){ .wire = NULL });
	put_proof(j, "proof", &r->proof);
	json_put_text(j, "failure", r->failure);
	json_close(j, '}');
}

static void put_told(struct json_out *j, const struct explain_told *t)
{
	char rcode[RRTYPE_TEXT];

	json_open(j, "answer", '{');
	json_put_text(j, "rcode", t->told ? rcode_text(t->rcode, rcode) : NULL);
	json_put_text(j, "security", t->told ? explain_security_text(t->security) : NULL);
	json_open(j, "extended_errors", '[');
	for (size_t i = 0; i < t->ede_count; i++) {
		json_open(j, NULL, '{');
		json_put_number(j, "code", t->ede[i].code);
		json_put_text(j, "purpose", ede_text(t->ede[i].code));
		json_put_text(j, "text", t->ede[i].text);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_put_text(j, "why", t->why);
	json_close(j, '}');
}

void explain_json(const struct explanation *x, const struct explain_told *told, struct strbuf *out)
{
	struct json_out j = { .out = out };

	json_open(&j, NULL, '{');
	json_open(&j, "question", '{');
	json_put_name(&j, "name", x->q.name);
	json_put_type(&j, "type", x->q.type);
	json_close(&j, '}');
	json_put_time(&j, "time", x->wall);
	put_told(&j, told);
	put_finding(&j, &x->finding);
	json_put_bool(&j, "clock_suspect", x->clock);
	json_put_bool(&j, "incomplete", x->out_of_work);
	json_open(&j, "zones", '[');
	for (size_t i = 0; i < x->zone_count; i++)
		put_zone(&j, x, &x->zones[i]);
	json_close(&j, ']');
	json_open(&j, "records", '[');
	for (size_t i = 0; i < x->record_count; i++)
		put_record(&j, x, &x->records[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	strbuf_putc(out, '\n');
}
