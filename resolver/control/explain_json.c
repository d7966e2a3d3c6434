#include "resolver/control/explain_json.h"

#include "base/clock.h"
#include "base/strbuf.h"
#include "dns/rdata.h"
#include "resolver/control/explain_text.h"
#include "validator/algorithm.h"

#define TEXT_MAX (1u << 18)

/* What is written next needs a comma before it? */
struct json {
	struct strbuf *out BORROWED_FIELD;
	bool more;
};

static void key(struct json *j, const char *name) /* NULL: in an array */
{
	if (j->more)
		strbuf_putc(j->out, ',');
	if (name != NULL)
		strbuf_printf(j->out, "\"%s\":", name);
	j->more = true;
}

static void open_with(struct json *j, const char *name, char c)
{
	key(j, name);
	strbuf_putc(j->out, c);
	j->more = false;
}

static void close_with(struct json *j, char c)
{
	strbuf_putc(j->out, c);
	j->more = true;
}

static void put_text(struct json *j, const char *name, const char *s) /* NULL: null */
{
	key(j, name);
	if (s != NULL)
		strbuf_json_string(j->out, span_text(s));
	else
		strbuf_puts(j->out, "null");
}

static void put_number(struct json *j, const char *name, uint64_t n)
{
	key(j, name);
	strbuf_printf(j->out, "%llu", (unsigned long long)n);
}

static void put_bool(struct json *j, const char *name, bool b)
{
	key(j, name);
	strbuf_puts(j->out, b ? "true" : "false");
}

static void put_name(struct json *j, const char *name, struct name n)
{
	char room[NAME_TEXT];

	put_text(j, name, n.wire != NULL ? name_to_text(n, room) : NULL);
}

static void put_type(struct json *j, const char *name, uint16_t type)
{
	char room[RRTYPE_TEXT];

	put_text(j, name, rrtype_text(type, room));
}

static void put_time(struct json *j, const char *name, int64_t when)
{
	char room[32];

	put_text(j, name, clock_iso(when, room));
}

static void put_algorithm(struct json *j, uint8_t number)
{
	const struct algorithm *a = algorithm_find(number);

	put_number(j, "algorithm", number);
	put_text(j, "algorithm_name", a != NULL ? a->name : NULL);
}

/* --- parts */

static void put_finding(struct json *j, const struct explain_finding *f)
{
	put_text(j, "verdict", explain_verdict_text(f->verdict));
	put_bool(j, "inherited", f->inherited);
	put_text(j, "reason", f->reason);
	put_text(j, "mend", f->mend);
	key(j, "extended_error");
	if (f->ede != 0)
		strbuf_printf(j->out, "%u", f->ede);
	else
		strbuf_puts(j->out, "null");
}

static void put_sigs(struct json *j, const struct explain_set *s)
{
	open_with(j, "signatures", '[');
	for (size_t i = 0; i < s->sig_count; i++) {
		const struct explain_sig *g = &s->sigs[i];

		open_with(j, NULL, '{');
		put_bool(j, "readable", g->readable);
		if (g->readable) {
			put_name(j, "signer", g->signer);
			put_number(j, "tag", g->tag);
			put_algorithm(j, g->algorithm);
			put_number(j, "labels", g->labels);
			put_time(j, "inception", g->inception);
			put_time(j, "expiration", g->expiration);
		}
		put_bool(j, "verified", g->tried && g->verdict == SIG_GOOD);
		put_text(j, "result", !g->tried ? "not tried" : g->verdict == SIG_KEY_FAULT ? key_fault_text(g->fault) : sig_verdict_text(g->verdict));
		close_with(j, '}');
	}
	close_with(j, ']');
	put_number(j, "signatures_in_all", s->rs != NULL ? s->rs->sigs : 0);
}

static void put_rdata(struct json *j, const struct rrset *rs)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);

	open_with(j, "data", '[');
	for (size_t i = 0; text != NULL && i < rs->count; i++) {
		strbuf_clear(text);
		rdata_print(rs->type, rrset_rdata(rs, i), text);
		put_text(j, NULL, strbuf_text(text));
	}
	close_with(j, ']');
}

/* null, or a set with its signatures. */
static void put_set(struct json *j, const char *name, const struct explain_set *s)
{
	if (s->rs == NULL) {
		put_text(j, name, NULL);
		return;
	}
	open_with(j, name, '{');
	put_name(j, "name", rrset_name(s->rs));
	put_type(j, "type", s->rs->type);
	put_number(j, "ttl", s->ttl);
	put_bool(j, "verified", s->verdict == SIG_GOOD);
	put_rdata(j, s->rs);
	put_sigs(j, s);
	close_with(j, '}');
}

static void put_proof(struct json *j, const char *name, const struct explain_proof *p)
{
	open_with(j, name, '{');
	put_text(j, "proves", p->judged ? denial_text(p->what) : NULL);
	put_text(j, "why", p->judged ? p->text : NULL);
	open_with(j, "sets", '[');
	for (size_t i = 0; i < p->n; i++)
		put_set(j, NULL, &p->sets[i]);
	close_with(j, ']');
	close_with(j, '}');
}

static void put_servers(struct json *j, const struct explain_zone *z)
{
	char at[ENDPOINT_TEXT];

	open_with(j, "servers", '[');
	for (size_t i = 0; i < z->server_count; i++) {
		const struct explain_server *s = &z->servers[i];

		open_with(j, NULL, '{');
		put_name(j, "name", s->name);
		put_text(j, "address", endpoint_text(&s->at, at));
		put_bool(j, "asked", s->asked);
		put_number(j, "rtt_ms", s->rtt_ms);
		put_number(j, "timeouts", s->timeouts);
		put_bool(j, "backoff", s->backoff);
		put_text(j, "lame", s->lame != LAME_NO ? lame_text(s->lame) : NULL);
		close_with(j, '}');
	}
	close_with(j, ']');
}

static void put_links(struct json *j, const struct explain_zone *z)
{
	open_with(j, z->anchored ? "anchors" : "ds", '[');
	for (size_t i = 0; i < z->link_count; i++) {
		const struct explain_link *l = &z->links[i];
		const struct digest_kind *d = digest_find(l->digest_type);

		open_with(j, NULL, '{');
		put_type(j, "type", l->type);
		put_bool(j, "readable", l->readable);
		put_number(j, "tag", l->tag);
		put_algorithm(j, l->algorithm);
		put_number(j, "digest", l->digest_type);
		put_text(j, "digest_name", d != NULL && l->type == RR_DS ? d->name : NULL);
		put_bool(j, "followed", l->usable);
		put_bool(j, "matches", l->match == MATCH_KEY);
		put_text(j, "result", explain_match_text(l->match));
		close_with(j, '}');
	}
	close_with(j, ']');
}

static void put_keys(struct json *j, const struct explain_zone *z)
{
	open_with(j, "keys", '[');
	for (size_t i = 0; i < z->key_count; i++) {
		const struct explain_key *k = &z->keys[i];

		open_with(j, NULL, '{');
		put_number(j, "tag", k->tag);
		put_algorithm(j, k->algorithm);
		put_number(j, "flags", k->flags);
		put_text(j, "role", explain_role_text(k->flags));
		put_bool(j, "named", k->named);
		put_text(j, "fault", k->fault != KEY_GOOD ? key_fault_text(k->fault) : NULL);
		close_with(j, '}');
	}
	close_with(j, ']');
}

static void put_configuration(struct json *j, const struct explain_zone *z)
{
	static const char *const words[] = { [ANCHOR_NONE] = "no trust anchor", [ANCHOR_KEYS] = "trust anchor", [ANCHOR_INSECURE] = "domain-insecure",
		[ANCHOR_NEGATIVE] = "negative trust anchor" };

	open_with(j, "configuration", '{');
	put_text(j, "kind", words[z->config]);
	put_name(j, "at", z->config_at);
	if (z->config == ANCHOR_NEGATIVE)
		put_time(j, "until", z->nta_until);
	close_with(j, '}');
}

static void put_zone(struct json *j, const struct explanation *x, const struct explain_zone *z)
{
	open_with(j, NULL, '{');
	put_name(j, "name", z->name);
	put_name(j, "parent", z->parent != EXPLAIN_TOP ? x->zones[z->parent].name : (struct name){ .wire = NULL });
	put_finding(j, &z->finding);
	put_configuration(j, z);
	put_text(j, "remembered", z->remembered ? trust_state_text(z->trust) : NULL);
	put_text(j, "source", explain_source_text(z));
	put_number(j, "cut_ttl", z->cut_ttl);
	put_servers(j, z);
	put_links(j, z);
	put_set(j, "ds_rrset", &z->ds);
	put_text(j, "ds_failure", z->ds_failure);
	put_proof(j, "no_ds", &z->no_ds);
	put_keys(j, z);
	put_set(j, "dnskey_rrset", &z->dnskey);
	put_text(j, "dnskey_failure", z->key_failure);
	close_with(j, '}');
}

static void put_record(struct json *j, const struct explanation *x, const struct explain_record *r)
{
	open_with(j, NULL, '{');
	put_name(j, "name", r->name);
	put_type(j, "type", r->type);
	put_text(j, "kind", explain_kind_text(r->kind));
	put_name(j, "zone", r->zone != EXPLAIN_TOP ? x->zones[r->zone].name : (struct name){ .wire = NULL });
	put_finding(j, &r->finding);
	put_name(j, "target", r->kind == EXPLAIN_ALIAS ? r->target : (struct name){ .wire = NULL });
	put_set(j, "rrset", &r->set);
	put_name(j, "wildcard", r->expanded ? r->source : (struct name){ .wire = NULL });
	put_proof(j, "proof", &r->proof);
	put_text(j, "failure", r->failure);
	close_with(j, '}');
}

static void put_told(struct json *j, const struct explain_told *t)
{
	char rcode[RRTYPE_TEXT];

	open_with(j, "answer", '{');
	put_text(j, "rcode", t->told ? rcode_text(t->rcode, rcode) : NULL);
	put_text(j, "security", t->told ? explain_security_text(t->security) : NULL);
	open_with(j, "extended_errors", '[');
	for (size_t i = 0; i < t->ede_count; i++) {
		open_with(j, NULL, '{');
		put_number(j, "code", t->ede[i].code);
		put_text(j, "purpose", ede_text(t->ede[i].code));
		put_text(j, "text", t->ede[i].text);
		close_with(j, '}');
	}
	close_with(j, ']');
	put_text(j, "why", t->why);
	close_with(j, '}');
}

void explain_json(const struct explanation *x, const struct explain_told *told, struct strbuf *out)
{
	struct json j = { .out = out };

	open_with(&j, NULL, '{');
	open_with(&j, "question", '{');
	put_name(&j, "name", x->q.name);
	put_type(&j, "type", x->q.type);
	close_with(&j, '}');
	put_time(&j, "time", x->wall);
	put_told(&j, told);
	put_finding(&j, &x->finding);
	put_bool(&j, "clock_suspect", x->clock);
	put_bool(&j, "incomplete", x->out_of_work);
	open_with(&j, "zones", '[');
	for (size_t i = 0; i < x->zone_count; i++)
		put_zone(&j, x, &x->zones[i]);
	close_with(&j, ']');
	open_with(&j, "records", '[');
	for (size_t i = 0; i < x->record_count; i++)
		put_record(&j, x, &x->records[i]);
	close_with(&j, ']');
	close_with(&j, '}');
	strbuf_putc(out, '\n');
}
