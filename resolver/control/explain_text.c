#include "resolver/control/explain_text.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "dns/rdata.h"
#include "validator/algorithm.h"

#define COLUMNS 108
#define DNS_PORT 53
#define LABEL 10       /* columns of the word that a line begins with */
#define RDATA_SHOWN 90 /* octets of a record's text */
#define RECORDS_SHOWN 8
#define SPARE_SERVERS_SHOWN 8 /* that were not asked lately, for the sake of the routes to them */
#define EVIDENCE_MAX 400u
#define PREFIX_MAX 256
#define TEXT_MAX (1u << 16)

/* --- a tree of lines */

struct line {
	const char *text ARENA_FIELD;
	struct line *first ARENA_FIELD, *last ARENA_FIELD, *next ARENA_FIELD;
};

/* A line below another one; NULL, and nothing is below it, when memory is short: the tree has a gap. */
static struct line *add(struct arena *a, struct line *above, const char *text) IN_ARENA;
static struct line *add(struct arena *a, struct line *above, const char *text)
{
	struct line *l = above == NULL || text == NULL ? NULL : arena_alloc(a, sizeof *l);

	if (l == NULL)
		return NULL;
	l->text = text;
	if (above->last != NULL)
		above->last->next = l;
	else
		above->first = l;
	above->last = l;
	return l;
}

static void put_clean(struct strbuf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < ' ' || c > '~')
			strbuf_printf(out, "\\%03u", c);
		else
			strbuf_putc(out, (char)c);
	}
}

/* Octets of s that fit on a line of that width: up to a blank, or to the end of a word that is longer. */
static size_t fitting(const char *s, size_t width)
{
	size_t best = 0, n = 0;

	while (s[n] != '\0') {
		if (s[n] == ' ') {
			if (n > width && best > 0)
				return best;
			best = n;
			if (n > width)
				return best;
		}
		n++;
	}
	return n > width && best > 0 ? best : n;
}

/* The text, wrapped; each line begins with `first`, later ones with `rest` and the indent. */
static void put_wrapped(struct strbuf *out, const char *first, const char *rest, size_t indent, const char *text)
{
	const char *lead = first;
	size_t room = strlen(first) + indent + 30 < COLUMNS ? COLUMNS - strlen(first) : 30;

	do {
		size_t n = fitting(text, lead == first ? room : room - indent);

		strbuf_puts(out, lead);
		if (lead != first)
			strbuf_printf(out, "%*s", (int)indent, "");
		put_clean(out, text, n);
		strbuf_putc(out, '\n');
		text += n;
		text += strspn(text, " ");
		lead = rest;
	} while (*text != '\0');
}

static void put_tree(struct strbuf *out, const struct line *l, const char *prefix)
{
	for (const struct line *c = l->first; c != NULL; c = c->next) {
		char own[PREFIX_MAX], rest[PREFIX_MAX], more[PREFIX_MAX];
		bool deep = strlen(prefix) + 8 > PREFIX_MAX; /* 80 zones deep: no more lines are drawn */

		snprintf(own, sizeof own, "%.240s%s", prefix, c->next != NULL ? "|- " : "`- ");
		snprintf(rest, sizeof rest, "%.240s%s", prefix, c->next != NULL ? "|  " : "   ");
		snprintf(more, sizeof more, "%.240s%s", rest, c->first != NULL ? "|  " : "   ");
		put_wrapped(out, own, c->first != NULL && !deep ? more : rest, c->first != NULL && !deep ? LABEL - 3 : LABEL, c->text);
		put_tree(out, c, deep ? prefix : rest);
	}
}

/* --- words */

const char *explain_security_text(enum security s)
{
	switch (s) {
	case SECURITY_SECURE:
		return "secure";
	case SECURITY_INSECURE:
		return "insecure";
	case SECURITY_BOGUS:
		return "bogus";
	case SECURITY_INDETERMINATE:
		return "indeterminate";
	case SECURITY_UNCHECKED:
		break;
	}
	return "unchecked";
}

const char *explain_source_text(const struct explain_zone *z)
{
	if (!z->cut_known)
		return "none";
	switch (z->source) {
	case DELEG_REFERRAL:
		return "referral";
	case DELEG_STUB:
		return "stub-zone";
	case DELEG_FORWARD:
		return "forward-zone";
	case DELEG_HINTS:
		break;
	}
	return "root-hints";
}

const char *explain_role_text(uint16_t flags)
{
	if (flags & DNSKEY_REVOKE)
		return "revoked";
	if ((flags & DNSKEY_ZONE) == 0)
		return "none";
	return flags & DNSKEY_SEP ? "KSK" : "ZSK";
}

static const char *algorithm_text(uint8_t number, char room[32]) BORROWED;
static const char *algorithm_text(uint8_t number, char room[32])
{
	const struct algorithm *a = algorithm_find(number);

	if (a != NULL)
		return a->name;
	snprintf(room, 32, "algorithm %u", number);
	return room;
}

static const char *digest_text(uint8_t number, char room[32]) BORROWED;
static const char *digest_text(uint8_t number, char room[32])
{
	const struct digest_kind *d = digest_find(number);

	if (d != NULL)
		return d->name;
	snprintf(room, 32, "digest type %u", number);
	return room;
}

static const char *name_words(struct arena *a, struct name n) IN_ARENA;
static const char *name_words(struct arena *a, struct name n)
{
	char room[NAME_TEXT];
	const char *s = arena_strdup(a, name_to_text(n, room));

	return s != NULL ? s : "";
}

/* --- details */

static const char *sig_words(const struct explain_sig *s)
{
	if (!s->tried && s->verdict == SIG_GOOD)
		return "dates are good; not verified for want of keys";
	return s->verdict == SIG_KEY_FAULT ? key_fault_text(s->fault) : sig_verdict_text(s->verdict);
}

static void add_sigs(struct arena *a, struct line *l, const struct explain_set *s)
{
	char from[32], to[32], alg[32];

	if (s->rs == NULL)
		return;
	if (s->rs->sigs == 0)
		add(a, l, "RRSIG     none");
	for (size_t i = 0; i < s->sig_count; i++) {
		const struct explain_sig *g = &s->sigs[i];

		if (!g->readable)
			add(a, l, "RRSIG     malformed");
		else
			add(a, l, arena_printf(a, "RRSIG     by %s key %u %s, %s to %s: %s", name_words(a, g->signer), g->tag, algorithm_text(g->algorithm, alg),
				    clock_iso(g->inception, from), clock_iso(g->expiration, to), sig_words(g)));
	}
	if (s->sig_count < s->rs->sigs)
		add(a, l, arena_printf(a, "RRSIG     %zu more", s->rs->sigs - s->sig_count));
}

static void add_rdata(struct arena *a, struct line *l, const struct rrset *rs, size_t i)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);
	char type[RRTYPE_TEXT];

	if (text == NULL)
		return;
	rdata_print(rs->type, rrset_rdata(rs, i), text);
	add(a, l, arena_printf(a, "%-*s%.*s%s", LABEL, rrtype_text(rs->type, type), RDATA_SHOWN, strbuf_text(text), strbuf_len(text) > RDATA_SHOWN ? "..." : ""));
}

/* What was found out about the route: "; route not-found: 192.0.2.0/24 by AS64496, no VRP". */
static const char *route_words(struct arena *a, const struct explain_server *s) IN_ARENA;
static const char *route_words(struct arena *a, const struct explain_server *s)
{
	AUTO(strbuf_free) struct strbuf *evidence = s->judged ? strbuf_new(EVIDENCE_MAX) : NULL;
	const char *words;

	if (evidence == NULL)
		return "";
	verdict_evidence(&s->route, evidence);
	words = arena_printf(a, "; route %s%s%s%s", verdict_state_text(s->route.state), s->route.contested ? ", contested" : "", strbuf_len(evidence) > 0 ? ": " : "",
	    strbuf_text(evidence));
	return words != NULL ? words : "";
}

static void add_server_line(struct arena *a, struct line *l, const struct explain_server *s)
{
	char room[ENDPOINT_TEXT];
	const char *who = s->name.wire != NULL ? name_words(a, s->name) : "", *at = s->at.port == DNS_PORT ? addr_text(&s->at.a, room) : endpoint_text(&s->at, room);

	if (s->asked || s->lame != LAME_NO)
		add(a, l, arena_printf(a, "server    %s%s%s %u ms%s%s%s%s%s", at, who[0] != '\0' ? " " : "", who, s->rtt_ms,
			    s->timeouts > 0 ? arena_printf(a, ", timed out %u times", s->timeouts) : "", s->backoff ? ", in back-off" : "",
			    s->lame != LAME_NO ? ", lame: " : "", s->lame != LAME_NO ? lame_text(s->lame) : "", route_words(a, s)));
	else
		add(a, l, arena_printf(a, "server    %s%s%s not asked%s", at, who[0] != '\0' ? " " : "", who, route_words(a, s)));
}

static bool is_open(const struct explain_server *s)
{
	enum route_guard g = route_guard_of(s->route.state);

	return s->judged && (g == GUARD_UNCOVERED || g == GUARD_INVALID);
}

static void add_routes(struct arena *a, struct line *l, const struct explain_zone *z)
{
	const uint32_t *n = z->guards.n;
	bool one = guard_counts_open(&z->guards) == 1;

	if (!z->judged || z->server_count == 0)
		return;
	add(a, l, arena_printf(a, "routes    %u covered, %u uncovered, %u invalid, %u unknown", n[GUARD_COVERED], n[GUARD_UNCOVERED], n[GUARD_INVALID], n[GUARD_UNKNOWN]));
	switch (z->exposure) {
	case EXPOSURE_UNSIGNED:
		add(a, l, arena_printf(a, "EXPOSED   unsigned and uncovered: who takes over the route to %s can answer for this zone as he likes, and nothing would tell",
			    one ? "that address" : "one of those addresses"));
		break;
	case EXPOSURE_UNSIGNED_INVALID:
		add(a, l, "EXPOSED   unsigned with an invalid route: who announces it can answer for this zone as he likes, now, and nothing but the route would tell");
		break;
	case EXPOSURE_SIGNED:
		add(a, l, arena_printf(a, "EXPOSED   signed but hijackable: who takes over the route to %s can keep answers away, and give old ones until their "
			    "signatures expire; forged ones do not validate", one ? "that address" : "one of those addresses"));
		break;
	case EXPOSURE_SIGNED_INVALID:
		add(a, l, "EXPOSED   signed with an invalid route: who announces it can keep answers away, now, and give old ones until their signatures expire; forged ones do "
			  "not validate");
		break;
	case EXPOSURE_NONE:
	case EXPOSURES:
		break;
	}
}

static void add_servers(struct arena *a, struct line *l, const struct explain_zone *z)
{
	size_t asked = 0, spare = 0;
	struct line *below;

	if (!z->cut_known) {
		add(a, l, "servers   those of the zone above: no delegation to it is in the cache");
		return;
	}
	for (size_t i = 0; i < z->server_count; i++)
		asked += z->servers[i].asked || z->servers[i].lame != LAME_NO;
	below = add(a, l, arena_printf(a, "servers   %zu by %s, %zu of them asked lately%s", z->server_count, explain_source_text(z), asked,
			      z->cut_ttl != 0 ? arena_printf(a, "; kept for %u s more", z->cut_ttl) : ""));
	for (size_t i = 0; i < z->server_count && below != NULL; i++) {
		const struct explain_server *s = &z->servers[i];

		if (s->asked || s->lame != LAME_NO || (is_open(s) && spare++ < SPARE_SERVERS_SHOWN))
			add_server_line(a, below, s);
	}
	if (spare > SPARE_SERVERS_SHOWN)
		add(a, below, arena_printf(a, "          %zu more with such routes", spare - SPARE_SERVERS_SHOWN));
	add_routes(a, l, z);
}

static void add_links(struct arena *a, struct line *l, const struct explain_zone *z)
{
	char alg[32], digest[32];

	for (size_t i = 0; i < z->link_count; i++) {
		const struct explain_link *k = &z->links[i];
		const char *label = z->anchored ? "anchor" : "DS";

		if (!k->readable)
			add(a, l, arena_printf(a, "%-*smalformed", LABEL, label));
		else
			add(a, l, arena_printf(a, "%-*s%u %s %s: %s%s", LABEL, label, k->tag, algorithm_text(k->algorithm, alg),
				    k->type == RR_DNSKEY ? "DNSKEY" : digest_text(k->digest_type, digest), explain_match_text(k->match),
				    k->usable ? "" : "; not followed"));
	}
	add_sigs(a, l, &z->ds);
}

static void add_keys(struct arena *a, struct line *l, const struct explain_zone *z)
{
	char alg[32];

	for (size_t i = 0; i < z->key_count; i++) {
		const struct explain_key *k = &z->keys[i];

		add(a, l, arena_printf(a, "DNSKEY    %u %s %u %s%s%s%s", k->tag, algorithm_text(k->algorithm, alg), k->flags, explain_role_text(k->flags),
			    k->named ? z->anchored ? ", named by the trust anchor" : ", named by DS" : "", k->fault != KEY_GOOD ? ", not used: " : "",
			    k->fault != KEY_GOOD ? key_fault_text(k->fault) : ""));
	}
	add_sigs(a, l, &z->dnskey);
}

static void add_proof(struct arena *a, struct line *l, const struct explain_proof *p)
{
	char type[RRTYPE_TEXT];

	for (size_t i = 0; i < p->n; i++) {
		const struct rrset *rs = p->sets[i].rs;
		struct line *below = add(a, l, arena_printf(a, "%-*s%s", LABEL, rrtype_text(rs->type, type), name_words(a, rrset_name(rs))));

		for (size_t k = 0; k < rs->count && k < RECORDS_SHOWN && rs->type != RR_SOA; k++)
			add_rdata(a, below, rs, k);
		add_sigs(a, below, &p->sets[i]);
	}
	if (p->judged)
		add(a, l, arena_printf(a, "proven    %s", denial_text(p->what)));
}

static void add_finding(struct arena *a, struct line *l, const struct explain_finding *f)
{
	if (f->reason != NULL && !f->inherited)
		add(a, l, arena_printf(a, "%-*s%s", LABEL, f->verdict == EXPLAIN_BOGUS ? "FAULT" : "note", f->reason));
}

/* --- zones and records */

static const char *headline(struct arena *a, const char *what, const struct explain_finding *f) IN_ARENA;
static const char *headline(struct arena *a, const char *what, const struct explain_finding *f)
{
	return arena_printf(a, "%-30s %s%s%s", what, explain_verdict_text(f->verdict), f->inherited && f->reason != NULL ? ": " : "",
	    f->inherited && f->reason != NULL ? f->reason : "");
}

static void add_record(struct arena *a, struct line *above, const struct explain_record *r)
{
	char type[RRTYPE_TEXT];
	const char *name = name_words(a, r->name), *what = "";
	struct line *l;

	if (r->kind == EXPLAIN_NODATA)
		what = ": there is none";
	else if (r->kind == EXPLAIN_NXDOMAIN)
		what = ": no such name";
	else if (r->kind == EXPLAIN_MISSING)
		what = ": not known";
	l = add(a, above, headline(a, arena_printf(a, "%s %s%s", name, rrtype_text(r->type, type), what), &r->finding));
	if (l == NULL)
		return;
	add_finding(a, l, &r->finding);
	if (r->type == RR_DNSKEY && r->kind == EXPLAIN_DATA)
		return; /* they stand with the zone */
	for (size_t i = 0; r->set.rs != NULL && i < r->set.rs->count && i < RECORDS_SHOWN; i++)
		add_rdata(a, l, r->set.rs, i);
	if (r->set.rs != NULL && r->set.rs->count > RECORDS_SHOWN)
		add(a, l, arena_printf(a, "          %u more", r->set.rs->count - RECORDS_SHOWN));
	if (r->kind == EXPLAIN_ALIAS && r->target.wire == NULL)
		add(a, l, "note      the name that it leads to would be too long");
	add_sigs(a, l, &r->set);
	if (r->expanded)
		add(a, l, arena_printf(a, "wildcard  expanded from %s", name_words(a, r->source)));
	add_proof(a, l, &r->proof);
}

static void add_zone(struct arena *a, const struct explanation *x, size_t at, struct line *above)
{
	const struct explain_zone *z = &x->zones[at];
	struct line *l = add(a, above, headline(a, name_words(a, z->name), &z->finding));

	if (l == NULL)
		return;
	add_finding(a, l, &z->finding);
	add_servers(a, l, z);
	add_links(a, l, z);
	add_proof(a, l, &z->no_ds);
	add_keys(a, l, z);
	for (size_t i = 0; i < x->record_count; i++) {
		if (x->records[i].zone == at)
			add_record(a, l, &x->records[i]);
	}
	for (size_t i = at + 1; i < x->zone_count; i++) {
		if (x->zones[i].parent == at)
			add_zone(a, x, i, l);
	}
}

/* --- the head */

static void put_told(struct arena *a, const struct explain_told *t, struct strbuf *out)
{
	char rcode[RRTYPE_TEXT];

	if (!t->told) {
		strbuf_puts(out, "  answer  none came in time\n");
		return;
	}
	strbuf_printf(out, "  answer  %s", rcode_text(t->rcode, rcode));
	if (t->rcode != RCODE_SERVFAIL)
		strbuf_printf(out, ", %s", explain_security_text(t->security));
	strbuf_putc(out, '\n');
	for (size_t i = 0; i < t->ede_count; i++) {
		const char *line = arena_printf(a, "%u (%s)%s%s", t->ede[i].code, ede_text(t->ede[i].code), t->ede[i].text != NULL ? ": " : "",
		    t->ede[i].text != NULL ? t->ede[i].text : "");

		if (line != NULL)
			put_wrapped(out, "  error   ", "          ", 0, line);
	}
}

/* Zones that are exposed in that way, by name. */
static void put_exposed(const struct explanation *x, enum exposure how, struct strbuf *out)
{
	const char *line = NULL;

	for (size_t i = 0; i < x->zone_count; i++) {
		if (x->zones[i].exposure == how)
			line = arena_printf(x->arena, "%s%s%s", line != NULL ? line : exposure_text(how), line != NULL ? ", " : ": ", name_words(x->arena, x->zones[i].name));
	}
	if (line != NULL)
		put_wrapped(out, "  routes  ", "          ", 0, line);
}

static void put_head(const struct explanation *x, const struct explain_told *t, struct strbuf *out)
{
	static const char *const verdicts[] = { [EXPLAIN_SECURE] = "SECURE", [EXPLAIN_INSECURE] = "INSECURE", [EXPLAIN_INDETERMINATE] = "INDETERMINATE",
		[EXPLAIN_UNKNOWN] = "UNKNOWN", [EXPLAIN_BOGUS] = "BOGUS" };
	char type[RRTYPE_TEXT], name[NAME_TEXT];

	strbuf_printf(out, "%s %s %s\n", verdicts[x->finding.verdict], name_to_text(x->q.name, name), rrtype_text(x->q.type, type));
	put_told(x->arena, t, out);
	if (x->finding.reason != NULL)
		put_wrapped(out, "  why     ", "          ", 0, x->finding.reason);
	if (x->finding.mend != NULL)
		put_wrapped(out, "  mend    ", "          ", 0, x->finding.mend);
	for (enum exposure how = EXPOSURES - 1; how > EXPOSURE_NONE; how--)
		put_exposed(x, how, out);
	if (t->told && t->rcode == RCODE_SERVFAIL && x->finding.verdict != EXPLAIN_BOGUS && x->finding.verdict != EXPLAIN_UNKNOWN)
		put_wrapped(out, "  note    ", "          ", 0, "what is in the caches now validates: the failure is remembered from before, comes from other servers of the zone, "
						     "or has other causes than validation");
	if (x->out_of_work)
		put_wrapped(out, "  note    ", "          ", 0, "more signatures and keys than an explanation may examine: some were left out");
	strbuf_putc(out, '\n');
}

void explain_text(const struct explanation *x, const struct explain_told *told, struct strbuf *out)
{
	struct line top = { 0 };

	put_head(x, told, out);
	for (size_t i = 0; i < x->zone_count; i++) {
		if (x->zones[i].parent == EXPLAIN_TOP)
			add_zone(x->arena, x, i, &top);
	}
	for (size_t i = 0; i < x->record_count; i++) {
		if (x->records[i].zone == EXPLAIN_TOP)
			add_record(x->arena, &top, &x->records[i]);
	}
	for (const struct line *l = top.first; l != NULL; l = l->next) {
		put_wrapped(out, "", "|  ", LABEL, l->text);
		put_tree(out, l, "");
	}
}
