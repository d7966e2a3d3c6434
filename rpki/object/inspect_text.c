/* An inspection in words, or as JSON. */
#include "base/clock.h"
#include "base/strbuf.h"
#include "rpki/object/inspect.h"

struct fields {
	struct strbuf *out PARENT_FIELD;
	bool json;
	bool first; /* nothing is in the object yet */
};

static struct span text(const char *s) { return span_text(s); }

static void name_field(struct fields *f, const char *name)
{
	if (f->json) {
		strbuf_puts(f->out, f->first ? "" : ",");
		strbuf_json_string(f->out, text(name));
		strbuf_putc(f->out, ':');
	} else {
		strbuf_printf(f->out, "%s: ", name);
	}
	f->first = false;
}

/* Octets of others: for a terminal only what is printable. */
static void put_text(struct fields *f, struct span s)
{
	if (f->json) {
		strbuf_json_string(f->out, s);
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		strbuf_putc(f->out, s.p[i] >= 0x20 && s.p[i] < 0x7f ? (char)s.p[i] : s.p[i] == '\n' ? ' ' : '?');
}

static void end_field(struct fields *f)
{
	if (!f->json)
		strbuf_putc(f->out, '\n');
}

static void field(struct fields *f, const char *name, struct span value)
{
	if (value.n == 0)
		return;
	name_field(f, name);
	put_text(f, value);
	end_field(f);
}

static void field_number(struct fields *f, const char *name, uint64_t v)
{
	name_field(f, name);
	strbuf_printf(f->out, "%llu", (unsigned long long)v);
	end_field(f);
}

static void field_hex(struct fields *f, const char *name, struct span value)
{
	if (value.n == 0)
		return;
	name_field(f, name);
	if (f->json)
		strbuf_putc(f->out, '"');
	for (size_t i = 0; i < value.n; i++)
		strbuf_printf(f->out, "%02X", value.p[i]);
	if (f->json)
		strbuf_putc(f->out, '"');
	end_field(f);
}

static void field_time(struct fields *f, const char *name, int64_t sec)
{
	char room[32];

	field(f, name, text(clock_iso(sec, room)));
}

static void field_name(struct fields *f, const char *name, struct span value)
{
	char room[256];

	field(f, name, text(name_text(value, room)));
}

static void field_resources(struct fields *f, const char *name, const struct resources *r)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 24);

	if (b == NULL || (r->ip4 == CLAIM_NONE && r->ip6 == CLAIM_NONE && r->as == CLAIM_NONE))
		return;
	resources_print(r, b, f->json ? RESOURCES_MAX_RANGES : 20);
	field(f, name, strbuf_span(b));
}

/* A list: each item between these. */
static void list_begin(struct fields *f, const char *name)
{
	name_field(f, name);
	if (f->json)
		strbuf_putc(f->out, '[');
	else
		strbuf_putc(f->out, '\n');
}
static void item_begin(struct fields *f, bool first) { strbuf_puts(f->out, f->json ? (first ? "" : ",") : "  "); }
static void item_end(struct fields *f)
{
	if (!f->json)
		strbuf_putc(f->out, '\n');
}
static void item(struct fields *f, bool first, struct span value)
{
	item_begin(f, first);
	put_text(f, value);
	item_end(f);
}
static void list_end(struct fields *f)
{
	if (f->json)
		strbuf_putc(f->out, ']');
}

static const char *kind_text(enum cert_kind k)
{
	switch (k) {
	case CERT_TA:
		return "trust anchor";
	case CERT_CA:
		return "CA";
	case CERT_EE:
		return "EE";
	case CERT_ROUTER:
		return "BGPsec router";
	}
	return "?";
}

static void put_cert(struct fields *f, const struct inspection *i)
{
	const struct cert *c = &i->cert;

	if (c->tbs.n == 0)
		return;
	if (i->type == OBJECT_CERT)
		field(f, "kind", text(kind_text(c->kind)));
	field_name(f, "issuer", c->issuer);
	field_name(f, "subject", c->subject);
	field_hex(f, "serial", c->serial);
	field_hex(f, "ski", c->ski);
	field_hex(f, "aki", c->aki);
	field_time(f, "notBefore", c->not_before);
	field_time(f, "notAfter", c->not_after);
	field(f, "crl", c->crl_uri);
	field(f, "aia", c->aia_uri);
	field(f, "repository", c->repository);
	field(f, "manifest", c->manifest);
	field(f, "notify", c->notify);
	field(f, "signedObject", c->signed_object);
	field(f, "cps", c->cps);
	if (c->reconsidered)
		field(f, "policy", text("RFC 8360"));
	field_resources(f, "resources", &c->claimed);
	if (c->claimed.ip4 == CLAIM_INHERIT || c->claimed.ip6 == CLAIM_INHERIT || c->claimed.as == CLAIM_INHERIT || c->reconsidered)
		field_resources(f, "effective", &i->effective);
	if (c->kind == CERT_ROUTER)
		field_hex(f, "routerPublicKey", c->key.whole);
}

static void put_crl(struct fields *f, const struct crl *c)
{
	field_name(f, "issuer", c->issuer);
	field_hex(f, "aki", c->aki);
	field_hex(f, "number", c->number);
	field_time(f, "thisUpdate", c->this_update);
	field_time(f, "nextUpdate", c->next_update);
	list_begin(f, "revoked");
	for (size_t n = 0; n < c->revoked_count; n++) {
		item_begin(f, n == 0);
		strbuf_puts(f->out, f->json ? "\"" : "");
		for (size_t k = 0; k < c->revoked[n].n; k++)
			strbuf_printf(f->out, "%02X", c->revoked[n].p[k]);
		strbuf_puts(f->out, f->json ? "\"" : "");
		item_end(f);
	}
	list_end(f);
}

static void put_roa(struct fields *f, const struct roa *roa)
{
	struct roa_walk w = roa_begin(roa);
	struct roa_prefix p;
	char room[PREFIX_TEXT];

	field_number(f, "asn", roa->as);
	list_begin(f, "prefixes");
	for (bool first = true; roa_next(&w, &p); first = false) {
		item_begin(f, first);
		if (f->json)
			strbuf_printf(f->out, "{\"prefix\":\"%s\",\"maxLength\":%u}", ip_prefix_text(&p.p, room), p.max_len);
		else
			strbuf_printf(f->out, "%s maxlen %u", ip_prefix_text(&p.p, room), p.max_len);
		item_end(f);
	}
	list_end(f);
}

static void put_manifest(struct fields *f, const struct manifest *m)
{
	field_hex(f, "number", m->number);
	field_time(f, "thisUpdate", m->this_update);
	field_time(f, "nextUpdate", m->next_update);
	list_begin(f, "files");
	for (size_t n = 0; n < m->count; n++) {
		item_begin(f, n == 0);
		strbuf_puts(f->out, f->json ? "{\"name\":" : "");
		put_text(f, m->files[n].name);
		strbuf_puts(f->out, f->json ? ",\"hash\":\"" : " ");
		for (size_t k = 0; m->files[n].hash != NULL && k < 32; k++)
			strbuf_printf(f->out, "%02x", m->files[n].hash[k]);
		strbuf_puts(f->out, f->json ? "\"}" : "");
		item_end(f);
	}
	list_end(f);
}

static void put_ghostbusters(struct fields *f, const struct ghostbusters *g)
{
	field(f, "name", g->name);
	field(f, "organization", g->organization);
	field(f, "email", g->email);
	field(f, "telephone", g->telephone);
	field(f, "address", g->address);
}

static void put_aspa(struct fields *f, const struct aspa *a)
{
	struct reader r = aspa_begin(a);
	uint32_t provider;

	field_number(f, "customer", a->customer);
	list_begin(f, "providers");
	for (bool first = true; aspa_next(&r, &provider); first = false) {
		item_begin(f, first);
		strbuf_printf(f->out, "%u", provider);
		item_end(f);
	}
	list_end(f);
}

static void put_tak_key(struct fields *f, const char *name, const struct tak_key *k)
{
	struct reader r = reader_of(k->uris);
	struct span uri;

	if (!k->there)
		return;
	list_begin(f, name);
	for (bool first = true; tak_next_uri(&r, &uri); first = false)
		item(f, first, uri);
	list_end(f);
}

static void put_rsc(struct fields *f, const struct rsc *rsc)
{
	struct reader r = rsc_begin(rsc);
	struct span name, hash;

	field_resources(f, "signedResources", &rsc->resources);
	list_begin(f, "files");
	for (bool first = true; rsc_next(&r, &name, &hash); first = false) {
		item_begin(f, first);
		strbuf_puts(f->out, f->json ? "{\"name\":" : "");
		put_text(f, name);
		strbuf_puts(f->out, f->json ? ",\"hash\":\"" : " ");
		for (size_t k = 0; k < hash.n; k++)
			strbuf_printf(f->out, "%02x", hash.p[k]);
		strbuf_puts(f->out, f->json ? "\"}" : "");
		item_end(f);
	}
	list_end(f);
}

static void put_prefix_list(struct fields *f, const struct prefix_list *l)
{
	struct prefix_list_walk w = prefix_list_begin(l);
	struct ip_prefix p;
	char room[PREFIX_TEXT];

	field_number(f, "asn", l->as);
	list_begin(f, "prefixes");
	for (bool first = true; prefix_list_next(&w, &p); first = false)
		item(f, first, text(ip_prefix_text(&p, room)));
	list_end(f);
}

static void put_tal(struct fields *f, const struct tal *t)
{
	list_begin(f, "uris");
	for (size_t n = 0; n < t->count; n++)
		item(f, n == 0, t->uris[n]);
	list_end(f);
	field_hex(f, "key", t->key_octets);
}

static void put_content(struct fields *f, const struct inspection *i)
{
	switch (i->type) {
	case OBJECT_CRL:
		put_crl(f, &i->crl);
		break;
	case OBJECT_ROA:
		put_roa(f, &i->u.roa);
		break;
	case OBJECT_MANIFEST:
		put_manifest(f, &i->u.manifest);
		break;
	case OBJECT_GHOSTBUSTERS:
		put_ghostbusters(f, &i->u.ghostbusters);
		break;
	case OBJECT_ASPA:
		put_aspa(f, &i->u.aspa);
		break;
	case OBJECT_TAK:
		put_tak_key(f, "current", &i->u.tak.current);
		put_tak_key(f, "predecessor", &i->u.tak.predecessor);
		put_tak_key(f, "successor", &i->u.tak.successor);
		break;
	case OBJECT_RSC:
		put_rsc(f, &i->u.rsc);
		break;
	case OBJECT_PREFIX_LIST:
		put_prefix_list(f, &i->u.prefix_list);
		break;
	case OBJECT_TAL:
		put_tal(f, &i->u.tal);
		break;
	default:
		break;
	}
}

/* The rules, each once with its first detail, in the order of the table. */
static void put_rules(struct fields *f, const struct report *rep)
{
	bool first = true;
	char place[64];

	list_begin(f, "rules");
	for (unsigned int r = 1; r < RULE_COUNT; r++) {
		const char *detail = NULL;

		if (!report_has(rep, (enum rule)r))
			continue;
		for (const struct finding *x = rep->findings; x != NULL; x = x->next)
			if (x->rule == (enum rule)r)
				detail = x->detail;
		item_begin(f, first);
		first = false;
		if (f->json) {
			strbuf_printf(f->out, "{\"rule\":\"%s\",\"place\":\"%s\",\"message\":\"%s\"", rule_name((enum rule)r), rule_place((enum rule)r, place),
			    rule_text((enum rule)r));
			if (detail != NULL) {
				strbuf_puts(f->out, ",\"detail\":");
				strbuf_json_string(f->out, text(detail));
			}
			strbuf_putc(f->out, '}');
		} else {
			strbuf_printf(f->out, "%s: %s: %s", rule_name((enum rule)r), rule_place((enum rule)r, place), rule_text((enum rule)r));
			if (detail != NULL) {
				strbuf_puts(f->out, " (");
				put_text(f, text(detail));
				strbuf_putc(f->out, ')');
			}
		}
		item_end(f);
	}
	list_end(f);
}

void inspection_print(const struct inspection *i, const char *name, bool json, struct strbuf *out)
{
	struct fields f = { out, json, true };
	uint8_t digest[32];

	sha256_of(i->whole, digest);
	if (json)
		strbuf_putc(out, '{');
	field(&f, "file", text(name));
	field_hex(&f, "sha256", span_of(digest, sizeof digest));
	field(&f, "type", text(object_type_text(i->type)));
	field(&f, "verdict", text(i->valid ? "valid" : "invalid"));
	if (i->type != OBJECT_TAL)
		field(&f, "chain", text(chain_text(i->state)));
	if (!report_good(&i->report))
		put_rules(&f, &i->report);
	if (i->cms.ber)
		field(&f, "encoding", text("BER"));
	if (i->cms.has_signing_time)
		field_time(&f, "signingTime", i->cms.signing_time);
	put_cert(&f, i);
	if (i->readable)
		put_content(&f, i);
	strbuf_puts(out, json ? "}\n" : "");
}
