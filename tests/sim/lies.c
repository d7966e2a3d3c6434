/*
 * lies.c: zones that are signed, and whose servers use their own good signatures to say what is not theirs to say: faults that other resolvers had (docs/regressions.md). Asked is
 * from the outside: what a client is told about the zone, and whether its neighbours stay what they are.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "tests/sim/attacks.h"
#include "tests/sim/sign.h"

#define LATER (400 * SEC) /* longer than the data lives */

enum lie_kind {
	HONEST_WILDCARD,  /* no lie: the twin of those below */
	NEXT_OUTSIDE,     /* an NSEC whose next name is outside the zone */
	OWNER_OUTSIDE,    /* an NSEC of a name outside the zone */
	NSEC3_BELOW,      /* an NSEC3 that is not directly under its zone */
	FEW_LABELS,       /* a signature with fewer labels than its signer has: a wildcard of the zone above (which needs a proof that it has not, besides) */
	NO_PROOF,         /* an alias made from a wildcard without a proof that the name is not there */
	WRONG_PROOF,      /* likewise, with a proof about another name */
	REPLAYED,         /* a wildcard's data for a name that is there, once its true data has expired */
	REPLAYED_STALE,   /* the same, and expired data may be served */
	PRIVATE,          /* bad signature over a private address: policy does not make it good */
	UNSIGNED_ALIAS,   /* a signed answer behind an alias of the same zone that is not signed */
	LIES
};

static const struct lie {
	const char *what BORROWED_FIELD;
	const char *conf BORROWED_FIELD; /* options of the resolver */
	unsigned int rcode;              /* that the client is told */
	bool secure;
	bool or_stale;                   /* or the truth of before: that it is not the lie is seen elsewhere */
	bool later;                      /* it is the truth at first, and the lie when that has expired */
} lies[LIES] = {
	[HONEST_WILDCARD] = { .what = "an alias made from a wildcard, with its proof", .rcode = RCODE_NOERROR, .secure = true },
	[NEXT_OUTSIDE] = { .what = "NSEC with a next name outside the zone", .rcode = RCODE_SERVFAIL },
	[OWNER_OUTSIDE] = { .what = "NSEC of a name outside the zone", .rcode = RCODE_SERVFAIL },
	[NSEC3_BELOW] = { .what = "NSEC3 not directly under its zone", .rcode = RCODE_SERVFAIL },
	[FEW_LABELS] = { .what = "signature with fewer labels than its signer", .rcode = RCODE_SERVFAIL },
	[NO_PROOF] = { .what = "alias made from a wildcard, without a proof", .rcode = RCODE_SERVFAIL },
	[WRONG_PROOF] = { .what = "alias made from a wildcard, with another name's proof", .rcode = RCODE_SERVFAIL },
	[REPLAYED] = { .what = "a wildcard's data in place of a name's own", .rcode = RCODE_SERVFAIL, .later = true },
	[REPLAYED_STALE] = { .what = "a wildcard's data in place of a name's own, with serve-expired", .conf = " serve-expired: yes\n", .rcode = RCODE_SERVFAIL, .later = true,
	    .or_stale = true },
	[PRIVATE] = { .what = "a private address with a bad signature", .conf = " private-address: 10.0.0.0/8\n", .rcode = RCODE_SERVFAIL },
	[UNSIGNED_ALIAS] = { .what = "an unsigned alias to a signed name", .rcode = RCODE_SERVFAIL },
};

static const uint8_t truth[4] = { 30, 0, 0, 1 }, forged[4] = { 66, 67, 0, 1 }, private[4] = { 10, 0, 0, 1 };

static void say_nsec(struct attack *k, struct builder *b, struct arena *a, struct name zone, const char *owner, const char *next)
{
	static const uint16_t apex[] = { RR_NS, RR_SOA, RR_RRSIG, RR_NSEC, RR_DNSKEY }, host[] = { RR_A, RR_RRSIG, RR_NSEC };
	struct name o = text_name(a, owner), n = text_name(a, next);
	bool is_apex = name_equal(o, zone);
	struct span bits = sign_bitmap(a, is_apex ? apex : host, is_apex ? 5 : 3);
	uint8_t *d = arena_alloc(a, n.len + bits.n);
	struct span rdata = span_of(d, n.len + bits.n);

	if (d == NULL)
		abort();
	memcpy(d, n.wire, n.len);
	memcpy(d + n.len, bits.p, bits.n);
	put_signed(k, b, a, PART_AUTHORITY, zone, o, o, RR_NSEC, &rdata, 1, 0, true);
}

/* All of NSEC3 that denies x.evil, but under `under`. */
static void say_nsec3(struct attack *k, struct builder *b, struct arena *a, struct name zone, const char *under)
{
	static const uint16_t apex[] = { RR_NS, RR_SOA, RR_RRSIG, RR_DNSKEY, RR_NSEC3PARAM };
	struct name top = text_name(a, under);
	struct span bits = sign_bitmap(a, apex, 5), rdata;
	uint8_t hash[SIGN_HASH], *d;
	struct name_buf owner;
	char text[33];

	/* One record for the apex, which covers all other hashes. */
	sign_nsec3_hash(zone, span_of("", 0), 0, hash);
	sign_base32(hash, text);
	if (!OK(name_from_text(text, &top, &owner)))
		abort();
	d = arena_alloc(a, 26 + bits.n);
	if (d == NULL)
		abort();
	d[0] = 1;
	d[5] = SIGN_HASH;
	memcpy(d + 6, hash, SIGN_HASH);
	memcpy(d + 6 + SIGN_HASH, bits.p, bits.n);
	rdata = span_of(d, 26 + bits.n);
	put_signed(k, b, a, PART_AUTHORITY, zone, name_of(&owner), name_of(&owner), RR_NSEC3, &rdata, 1, 0, true);
}

static void deny(struct attack *k, struct builder *b, struct arena *a, struct name zone)
{
	build_set_rcode(b, RCODE_NXDOMAIN);
	put_signed_soa(k, b, a, zone);
}

static void say_address(struct attack *k, struct builder *b, struct arena *a, struct name zone, struct name owner, struct name source, const uint8_t address[4],
    bool right)
{
	struct span d = span_of(address, 4);

	put_signed(k, b, a, PART_ANSWER, zone, owner, source, RR_A, &d, 1, right ? 0 : 1, right);
}

static void say_alias(struct attack *k, struct builder *b, struct arena *a, struct name zone, struct name owner, const char *target)
{
	struct name t = text_name(a, target);
	struct span d = span_of(t.wire, t.len);

	put_signed(k, b, a, PART_ANSWER, zone, owner, text_name(a, "*.evil"), RR_CNAME, &d, 1, 0, true);
}

/* About x.evil; every lie is well signed where it can be. */
static void tell(struct attack *k, struct builder *b, struct arena *a, struct name zone, struct name n)
{
	bool is_late = k->drawn > 0;

	switch ((enum lie_kind)k->kind) {
	case HONEST_WILDCARD:
		say_alias(k, b, a, zone, n, "www.good");
		say_nsec(k, b, a, zone, "*.evil", "evil");
		break;
	case NEXT_OUTSIDE:
		deny(k, b, a, zone);
		say_nsec(k, b, a, zone, "evil", "zzz");
		break;
	case OWNER_OUTSIDE:
		deny(k, b, a, zone);
		say_nsec(k, b, a, zone, "a", "zzz");
		break;
	case NSEC3_BELOW:
		deny(k, b, a, zone);
		say_nsec3(k, b, a, zone, "deep.evil");
		break;
	case FEW_LABELS:
		say_address(k, b, a, zone, n, text_name(a, "*"), forged, true);
		say_nsec(k, b, a, zone, "evil", "evil");
		break;
	case NO_PROOF:
		say_alias(k, b, a, zone, n, "www.good");
		break;
	case WRONG_PROOF:
		say_alias(k, b, a, zone, n, "www.good");
		say_nsec(k, b, a, zone, "*.evil", "b.evil");
		break;
	case REPLAYED:
	case REPLAYED_STALE:
		if (is_late) {
			say_address(k, b, a, zone, n, text_name(a, "*.evil"), forged, true);
			say_nsec(k, b, a, zone, "*.evil", "x.evil");
			say_nsec(k, b, a, zone, "x.evil", "evil");
		} else {
			say_address(k, b, a, zone, n, n, truth, true);
		}
		break;
	case PRIVATE:
		say_address(k, b, a, zone, n, n, private, false);
		break;
	case UNSIGNED_ALIAS:
		put_alias(b, a, n, RR_CNAME, text_name(a, "h.evil"));
		say_address(k, b, a, zone, text_name(a, "h.evil"), text_name(a, "h.evil"), forged, true);
		break;
	case LIES:
		break;
	}
}

static bool says(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	struct attack *k = ctx;
	struct name zone = name_suffix(q->q.name, 1);
	bool is_good = name_equal(zone, text_name(a, "good"));

	(void)tcp;
	if (q->q.type == RR_DNSKEY && q->q.name.labels == 1) {
		put_keys(k, b, a, zone);
	} else if (q->q.type == RR_A && q->q.name.labels == 2 && is_good) {
		say_address(k, b, a, zone, q->q.name, q->q.name, truth, true);
	} else if (q->q.name.labels == 2 && !is_good && (name_label(q->q.name, 0).p[0] | 0x20) == 'x') {
		tell(k, b, a, zone, q->q.name);
	} else {
		put_signed_soa(k, b, a, zone);
		say_nsec(k, b, a, zone, is_good ? "good" : "evil", is_good ? "good" : "evil");
	}
	return true;
}

static void time_has_come(struct sim *s, void *ctx, uint64_t arg)
{
	(void)s, (void)ctx, (void)arg;
}

static bool came_out(const struct asked *q, unsigned int rcode, bool secure)
{
	return q->replies == 1 && q->rcode == rcode && q->secure == secure && (rcode == RCODE_SERVFAIL ? q->ede >= 0 : q->answers > 0);
}

static void tell_lie(struct attack *k, const struct lie *l)
{
	struct asked *q, *neighbour, *absent;
	char what[160];

	begin_signed(k, 300 + k->kind);
	signed_guest(k, "evil", "50.0.0.1", says);
	signed_guest(k, "good", "50.0.0.2", says);
	if (l->conf != NULL)
		(void)snprintf(k->run.conf, sizeof k->run.conf, "%s", l->conf);
	start(k);
	if (l->later) {
		q = ask(k, "x.evil", RR_A, 0);
		sim_at(k->run.sim, LATER, time_has_come, NULL, 0);
		(void)sim_run(k->run.sim, sim_now_ns(k->run.sim) + LATER);
		bar(k, "the truth, before the lie, is not told", !came_out(q, RCODE_NOERROR, true), 0);
		k->drawn = 1;
	}
	q = ask(k, "x.evil", RR_A, 15000);
	neighbour = ask(k, "www.good", RR_A, 15000);
	absent = ask(k, "zebra", RR_A, 15000);
	(void)snprintf(what, sizeof what, "%s: not told as it should be", l->what);
	bar(k, what, !came_out(q, l->rcode, l->secure) && !(l->or_stale && came_out(q, RCODE_NOERROR, q->secure)), 0);
	(void)snprintf(what, sizeof what, "%s: neighbours are no longer what they were", l->what);
	bar(k, what, !came_out(neighbour, RCODE_NOERROR, true) || absent->rcode != RCODE_NXDOMAIN, 0);
	if (k->verbose)
		fprintf(stderr, "   rcode %u, %s, extended error %d, %u answers\n", q->rcode, q->secure ? "secure" : "not secure", q->ede, q->answers);
	end(k);
}

void lies_told(struct attack *k)
{
	for (k->kind = 0; k->kind < LIES; k->kind++)
		tell_lie(k, &lies[k->kind]);
}
