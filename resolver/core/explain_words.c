#include "resolver/core/explain_words.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "dns/edns.h"
#include "dns/rrtype.h"

#define NAME_SHOWN 200 /* octets of a name in a sentence */
#define TAGS_TEXT 256

const char *explain_verdict_text(enum explain_verdict v)
{
	switch (v) {
	case EXPLAIN_SECURE:
		return "secure";
	case EXPLAIN_INSECURE:
		return "insecure";
	case EXPLAIN_INDETERMINATE:
		return "indeterminate";
	case EXPLAIN_BOGUS:
		return "bogus";
	case EXPLAIN_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *explain_kind_text(enum explain_kind k)
{
	switch (k) {
	case EXPLAIN_DATA:
		return "data";
	case EXPLAIN_ALIAS:
		return "alias";
	case EXPLAIN_NODATA:
		return "nodata";
	case EXPLAIN_NXDOMAIN:
		return "nxdomain";
	case EXPLAIN_MISSING:
		break;
	}
	return "missing";
}

/* Reasons are words for people: when memory is short they have gaps. */
static const char *or_blank(const char *s) BORROWED;
static const char *or_blank(const char *s)
{
	return s != NULL ? s : "";
}

/* "3 days" */
static void span_words(char room[32], int64_t sec)
{
	static const struct {
		int64_t sec;
		const char *one BORROWED_FIELD, *many BORROWED_FIELD;
	} units[] = { { 86400 * 365, "year", "years" }, { 86400, "day", "days" }, { 3600, "hour", "hours" }, { 60, "minute", "minutes" },
		{ 1, "second", "seconds" } };
	size_t i = 0;
	long long n;

	while (i < sizeof units / sizeof units[0] - 1 && sec < units[i].sec)
		i++;
	n = (long long)(sec / units[i].sec);
	snprintf(room, 32, "%lld %s", n, n == 1 ? units[i].one : units[i].many);
}

const char *explain_when(struct arena *a, int64_t when, int64_t now)
{
	char iso[32], away[32];

	span_words(away, when < now ? now - when : when - now);
	clock_iso(when, iso);
	return or_blank(when < now ? arena_printf(a, "%s, %s ago", iso, away) : arena_printf(a, "%s, in %s", iso, away));
}

const char *explain_name(struct arena *a, struct name n)
{
	char room[NAME_TEXT];
	size_t len = strlen(name_to_text(n, room));

	if (len > 1 && room[len - 1] == '.')
		room[--len] = '\0';
	if (len > NAME_SHOWN)
		memcpy(room + NAME_SHOWN - 3, "...", 4);
	return or_blank(arena_strdup(a, room));
}

static struct explain_finding bogus(uint16_t ede, const char *reason, const char *mend)
{
	return (struct explain_finding){ .verdict = EXPLAIN_BOGUS, .ede = ede, .reason = reason, .mend = mend };
}

/* --- sets */

/* "www.example.com A" */
static const char *set_name(struct arena *a, const struct rrset *rs) IN_ARENA;
static const char *set_name(struct arena *a, const struct rrset *rs)
{
	char type[RRTYPE_TEXT];

	return arena_printf(a, "%s %s", explain_name(a, rrset_name(rs)), rrtype_text(rs->type, type));
}

static struct explain_finding bad_dates(struct arena *a, const struct explain_sig *sig, const char *what, const char *z, int64_t wall)
{
	bool expired = sig->verdict == SIG_EXPIRED;
	const char *when = explain_when(a, expired ? sig->expiration : sig->inception, wall);

	if (expired)
		return bogus(EDE_SIG_EXPIRED, arena_printf(a, "the signature of %s by key %u of %s expired on %s", what, sig->tag, z, when),
		    arena_printf(a, "Sign zone %s anew: its signature of %s expired on %s. Look whether its signer still runs, and whether all of its servers have "
				    "the newest copy of the zone.", z, what, when));
	return bogus(EDE_SIG_NOT_YET, arena_printf(a, "the signature of %s by key %u of %s is not valid before %s", what, sig->tag, z, when),
	    arena_printf(a, "The signature of %s begins on %s: look at the clock of the machine that signs zone %s.", what, when, z));
}

static struct explain_finding bad_key(struct arena *a, const struct explain_set *s, const struct explain_sig *sig, const char *what, const char *z)
{
	if (s->rs->type == RR_DNSKEY)
		return bogus(EDE_RRSIGS_MISSING,
		    arena_printf(a, "%s is not signed by any key that the parent's DS records, or the trust anchor, name; key %u signs it", what, sig->tag),
		    arena_printf(a, "Sign the DNSKEY RRset of %s with the key that its DS record names, or publish a DS record of the key that signs it (tag %u).", z,
			sig->tag));
	return bogus(EDE_DNSKEY_MISSING, arena_printf(a, "the signature of %s is by key %u, algorithm %u, which %s does not publish", what, sig->tag, sig->algorithm, z),
	    arena_printf(a, "Publish the DNSKEY with tag %u in zone %s, or sign %s with a key that is there.", sig->tag, z, what));
}

static struct explain_finding bad_best(struct arena *a, const struct explain_set *s, const char *what, const char *z, int64_t wall)
{
	const struct explain_sig *sig = &s->sigs[s->best];

	switch (s->verdict) {
	case SIG_EXPIRED:
	case SIG_NOT_YET:
		return bad_dates(a, sig, what, z, wall);
	case SIG_NO_KEY:
		return bad_key(a, s, sig, what, z);
	case SIG_KEY_FAULT:
		return bogus(sig->fault == KEY_NOT_ZONE ? EDE_NO_ZONE_KEY : EDE_BOGUS,
		    arena_printf(a, "the signature of %s is by key %u of %s, which cannot be used: %s", what, sig->tag, z, key_fault_text(sig->fault)),
		    arena_printf(a, "Replace key %u of zone %s by one that can be used, and sign with it.", sig->tag, z));
	case SIG_BAD:
		return bogus(EDE_BOGUS, arena_printf(a, "the signature of %s by key %u of %s does not verify", what, sig->tag, z),
		    arena_printf(a, "Sign zone %s anew: %s, or its signature, was changed after it was signed. Look for what edits the zone behind its signer, and compare "
				    "the answers of all its servers.", z, what));
	case SIG_SIGNER:
		return bogus(EDE_BOGUS, arena_printf(a, "the signature of %s is by %s, not by the zone %s", what, explain_name(a, sig->signer), z),
		    arena_printf(a, "Sign %s with the keys of zone %s, and look whether records of another zone came into it.", what, z));
	case SIG_ALGORITHM:
		return bogus(EDE_UNSUPPORTED_DNSKEY, arena_printf(a, "the signatures of %s are of algorithm %u, which is not validated", what, sig->algorithm),
		    arena_printf(a, "Sign zone %s with an algorithm of its DS records that is in use, such as 13 (ECDSAP256SHA256).", z));
	case SIG_MISSING:
	case SIG_FORMAT:
	case SIG_LABELS:
	case SIG_DATES:
	case SIG_GOOD:
		break;
	}
	return bogus(EDE_BOGUS, arena_printf(a, "the signature of %s in %s: %s", what, z, sig_verdict_text(s->verdict)),
	    arena_printf(a, "Sign zone %s anew: no signer makes such a signature of %s.", z, what));
}

struct explain_finding explain_bad_set(struct arena *a, const struct explain_set *s, struct name zone, int64_t wall)
{
	const char *z = explain_name(a, zone), *what = s->rs != NULL ? or_blank(set_name(a, s->rs)) : "";

	if (s->sig_count == 0 || s->rs == NULL)
		return bogus(EDE_RRSIGS_MISSING, arena_printf(a, "%s has no signature, in the signed zone %s", what, z),
		    arena_printf(a, "Sign %s in zone %s. If it is signed there, a server has an unsigned copy of the zone, or something on the way drops RRSIG records: "
				    "compare the answers of all servers to a question with the DO bit.", what, z));
	return bad_best(a, s, what, z, wall);
}

/* --- links */

static void add_tag(char room[TAGS_TEXT], const char *sep, uint16_t tag, uint8_t algorithm)
{
	size_t n = strlen(room);

	if (n < TAGS_TEXT - 40)
		snprintf(room + n, TAGS_TEXT - n, "%s%u (algorithm %u)", n == 0 ? "" : sep, tag, algorithm);
}

static void link_tags(char room[TAGS_TEXT], const struct explain_zone *z)
{
	room[0] = '\0';
	for (size_t i = 0; i < z->link_count; i++) {
		if (z->links[i].readable && z->links[i].usable)
			add_tag(room, ", ", z->links[i].tag, z->links[i].algorithm);
	}
}

static void key_tags(char room[TAGS_TEXT], const struct explain_zone *z)
{
	room[0] = '\0';
	for (size_t i = 0; i < z->key_count; i++) {
		if (z->keys[i].flags & DNSKEY_SEP)
			add_tag(room, ", ", z->keys[i].tag, z->keys[i].algorithm);
	}
	for (size_t i = 0; room[0] == '\0' && i < z->key_count; i++)
		add_tag(room, ", ", z->keys[i].tag, z->keys[i].algorithm);
}

/* The usable link that came nearest. */
static const struct explain_link *nearest(const struct explain_zone *z) BORROWED;
static const struct explain_link *nearest(const struct explain_zone *z)
{
	const struct explain_link *best = NULL;

	for (size_t i = 0; i < z->link_count; i++) {
		if (z->links[i].usable && (best == NULL || z->links[i].match > best->match))
			best = &z->links[i];
	}
	return best;
}

static enum key_fault fault_of(const struct explain_zone *z, const struct explain_link *l)
{
	for (size_t i = 0; i < z->key_count; i++) {
		if (z->keys[i].tag == l->tag && z->keys[i].algorithm == l->algorithm && z->keys[i].fault != KEY_GOOD)
			return z->keys[i].fault;
	}
	return KEY_GOOD;
}

struct explain_finding explain_bad_links(struct arena *a, const struct explain_zone *z, struct name parent)
{
	const char *name = explain_name(a, z->name), *above = explain_name(a, parent);
	const struct explain_link *l = nearest(z);
	char links[TAGS_TEXT], keys[TAGS_TEXT];
	const char *of = z->anchored ? "trust anchor" : "DS record";

	link_tags(links, z);
	key_tags(keys, z);
	if (l != NULL && l->match == MATCH_FAULTY)
		return bogus(fault_of(z, l) == KEY_NOT_ZONE ? EDE_NO_ZONE_KEY : EDE_DNSKEY_MISSING,
		    arena_printf(a, "the %s with tag %u names a key of %s that cannot be used: %s", of, l->tag, name, key_fault_text(fault_of(z, l))),
		    z->anchored ? arena_printf(a, "Put a trust anchor for the present keys of %s into the configuration.", name) :
				  arena_printf(a, "Publish a DS record of a usable key of %s in %s, and take away the one with tag %u.", name, above, l->tag));
	if (z->anchored)
		return bogus(EDE_DNSKEY_MISSING, arena_printf(a, "%s publishes no key that its trust anchor names: anchors %s, keys %s", name, links, keys),
		    arena_printf(a, "The trust anchor of %s is out of date, or its servers are not the ones it was made for: compare the anchors in the configuration with the "
				    "zone's keys.", name));
	if (l != NULL && l->match == MATCH_DIFFERS)
		return bogus(EDE_DNSKEY_MISSING, arena_printf(a, "the DS record with tag %u has the digest of another key than the one with this tag in %s", l->tag, name),
		    arena_printf(a, "Have %s replace the DS record with tag %u by the digest of the key that %s publishes.", above, l->tag, name));
	return bogus(EDE_DNSKEY_MISSING, arena_printf(a, "no key of %s is named by a DS record: DS %s, keys %s", name, links, keys[0] != '\0' ? keys : "none"),
	    arena_printf(a, "Publish the DNSKEY with tag %s in zone %s, or have %s replace the DS records by those of the present keys%s%s.", links, name, above,
		keys[0] != '\0' ? ", such as " : "", keys));
}

struct explain_finding explain_unusable_links(struct arena *a, const struct explain_zone *z, uint16_t ede)
{
	const char *name = explain_name(a, z->name);

	return (struct explain_finding){ .verdict = EXPLAIN_INSECURE, .ede = ede,
		.reason = arena_printf(a, "the %s of %s have no %s that is validated", z->anchored ? "trust anchors" : "DS records", name,
		    ede == EDE_UNSUPPORTED_DS ? "digest" : "algorithm"),
		.mend = arena_printf(a, "Nothing is broken; for validation %s needs a DS record with a digest and an algorithm in use, such as SHA-256 and 13 (ECDSAP256SHA256).",
		    name) };
}

struct explain_finding explain_insecure_cut(struct arena *a, const struct explain_zone *z, struct name parent)
{
	const char *name = explain_name(a, z->name), *above = explain_name(a, parent), *why;

	if (z->no_ds.what == DENIAL_ITERATIONS_INSECURE)
		return (struct explain_finding){ .verdict = EXPLAIN_INSECURE, .ede = EDE_NSEC3_ITERATIONS,
			.reason = arena_printf(a, "%s denies with more NSEC3 iterations than are followed: whether %s has a DS record stays open", above, name),
			.mend = arena_printf(a, "Nothing is bogus; zone %s should be signed with 0 NSEC3 iterations (RFC 9276).", above) };
	if (z->no_ds.what == DENIAL_INSECURE_OPTOUT)
		why = arena_printf(a, "%s is an unsigned delegation: it lies in an opt-out span of %s", name, above);
	else
		why = arena_printf(a, "%s is an unsigned delegation: %s proves that it has no DS record", name, above);
	return (struct explain_finding){ .verdict = EXPLAIN_INSECURE, .reason = why,
		.mend = arena_printf(a, "Nothing is broken. It is validated as soon as zone %s is signed and its DS record stands in %s.", name, above) };
}

struct explain_finding explain_configured(struct arena *a, const struct explain_zone *z, int64_t wall)
{
	const char *at = explain_name(a, z->config_at);

	if (z->config == ANCHOR_NEGATIVE)
		return (struct explain_finding){ .verdict = EXPLAIN_INSECURE, .ede = EDE_NEGATIVE_ANCHOR,
			.reason = arena_printf(a, "an operator has set a negative trust anchor for %s, until %s", at, explain_when(a, z->nta_until, wall)),
			.mend = arena_printf(a, "Nothing, while %s is being mended; it is validated again when the negative trust anchor ends or is removed.", at) };
	if (z->config == ANCHOR_INSECURE)
		return (struct explain_finding){ .verdict = EXPLAIN_INSECURE, .reason = arena_printf(a, "the configuration says domain-insecure: %s", at),
			.mend = arena_printf(a, "Nothing is broken; without that line %s is validated.", at) };
	return (struct explain_finding){ .verdict = EXPLAIN_INDETERMINATE, .ede = EDE_INDETERMINATE,
		.reason = arena_printf(a, "no trust anchor encloses %s", explain_name(a, z->name)) };
}

/* --- proofs */

struct explain_finding explain_bad_proof(struct arena *a, const struct explain_proof *p, struct name zone, const char *about, int64_t wall)
{
	const char *z = explain_name(a, zone), *mend;
	size_t proofs = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->sets[i].rs->type == RR_SOA)
			continue;
		proofs++;
		if (p->sets[i].verdict != SIG_GOOD)
			return explain_bad_set(a, &p->sets[i], zone, wall);
	}
	if (proofs > 0 && p->judged && p->what != DENIAL_NOT_PROVEN)
		return bogus(EDE_BOGUS, arena_printf(a, "the reply says one thing and its proof another: what is proven is \"%s\", not %s", denial_text(p->what), about),
		    arena_printf(a, "Look at the server software of zone %s, and at what stands in front of it: its replies do not fit their own NSEC or NSEC3 records.", z));
	mend = arena_printf(a, "Sign zone %s anew, so that its chain of NSEC or NSEC3 records is whole, and compare the answers of all its servers: one of them may have another "
			       "copy of the zone, or leave records out.", z);
	if (proofs == 0)
		return bogus(EDE_NSEC_MISSING, arena_printf(a, "nothing proves %s: neither NSEC nor NSEC3 came along, in the signed zone %s", about, z), mend);
	return bogus(EDE_BOGUS, arena_printf(a, "the NSEC or NSEC3 records of %s do not prove %s%s%s", z, about, p->text != NULL ? ": " : "", or_blank(p->text)), mend);
}
