#include "resolver/serve/render.h"

#include "dns/build.h"
#include "resolver/dnstap/encode.h"
#include "resolver/serve/hit.h"

#define MAX_RRS 8192u          /* TTLs of one message that are noted; a message with more is cut there */
#define EDE_ROOM 512u
#define PREFETCH_MIN_SEC 10u   /* shorter-lived answers are not refreshed ahead */
#define PREFETCH_SHARE 10u     /* in the last tenth of its life a hit refreshes an answer */

struct rotation {
	uint16_t from, size, count;
};

/* A set of addresses whose RRs are equally long in the message may be rotated there. */
static struct rotation rotation_of(const struct builder *b, const struct rrset *rs, size_t from)
{
	size_t rdlen = rs->type == RR_A ? 4 : rs->type == RR_AAAA ? 16 : 0, size = 2 + 10 + rdlen;
	struct rotation none = { 0, 0, 0 };

	if (rdlen == 0 || rs->count < 2 || from + size * rs->count > b->w.pos)
		return none;
	for (size_t i = 0; i < rs->count; i++)
		if ((b->w.base[from + size * i] & 0xc0) != 0xc0 || load16(b->w.base + from + size * i + 10) != rdlen)
			return none;
	return (struct rotation){ (uint16_t)from, (uint16_t)size, rs->count };
}

/* TTL of a set in the reply: what is left, and for expired data what serve-expired-reply-ttl: says, but never more than it had. */
static uint32_t ttl_of(const struct render *r, const struct answer *a, const struct answer_set *set)
{
	if (set->ttl == 0 && a->stale)
		return set->rs->ttl < r->settings->expired_reply_ttl_sec ? set->rs->ttl : r->settings->expired_reply_ttl_sec;
	return r->settings->original_ttl && !a->stale ? set->rs->ttl : set->ttl;
}

static bool is_proof(const struct rrset *rs)
{
	return rs->type == RR_NSEC || rs->type == RR_NSEC3;
}

static bool has_proof(const struct answer *a)
{
	for (size_t i = a->answer_count; i < a->answer_count + a->authority_count; i++) {
		if (is_proof(a->sets[i].rs))
			return true;
	}
	return false;
}

/* Does a set of the authority section belong to the reply? */
static bool wanted_authority(const struct render *r, const struct answer *a, const struct rrset *rs, bool dnssec_ok)
{
	if (is_proof(rs))
		return dnssec_ok;
	if (rs->count == 0 && !dnssec_ok)
		return false;
	/* Beside the proof that goes with a wildcard the rest is no burden: who validates wants it whole. */
	return a->answer_count == 0 || a->rcode != RCODE_NOERROR || !r->settings->minimal || rs->type == RR_SOA || (dnssec_ok && has_proof(a));
}

/* Additional records are a courtesy; minimal-responses: leaves those of name servers that were asked for, or that we refer to. */
static bool wanted_additional(const struct render *r, const struct answer *a, bool dnssec_ok)
{
	return a->rcode == RCODE_NOERROR && (!r->settings->minimal || a->q.type == RR_NS || a->q.type == RR_ANY || a->answer_count == 0 || (dnssec_ok && has_proof(a)));
}

struct draft {
	struct builder b;
	struct rotation rotation;
	uint32_t least_ttl; /* of the sets in it */
	size_t answer_end;
	bool full;          /* something did not fit into a message at all */
	bool needs_authority;
};

static void add_sets(
    const struct render *r, const struct answer *a, enum msg_part part, size_t first, size_t n, bool dnssec_ok, struct draft *d)
{
	for (size_t i = first; i < first + n && !d->full; i++) {
		const struct rrset *rs = a->sets[i].rs;
		uint32_t ttl = ttl_of(r, a, &a->sets[i]);
		size_t from = d->b.w.pos;

		if (part == PART_AUTHORITY && !wanted_authority(r, a, rs, dnssec_ok))
			continue;
		if (!build_rrset(&d->b, part, rs, ttl, dnssec_ok || rs->type == RR_RRSIG, 0)) {
			d->full = true;
			break;
		}
		if (ttl < d->least_ttl)
			d->least_ttl = ttl;
		if (part == PART_ANSWER) {
			struct rotation rot = rotation_of(&d->b, rs, from);

			if (rot.count > d->rotation.count)
				d->rotation = rot;
		} else if (part == PART_AUTHORITY) {
			d->needs_authority |= a->answer_count == 0 || is_proof(rs) || rs->type == RR_SOA;
		}
	}
}

/* What proves something first: what does not fit is cut off behind. */
static void add_authority(const struct render *r, const struct answer *a, bool dnssec_ok, struct draft *d)
{
	for (int spare = 0; spare < 2; spare++) {
		for (size_t i = a->answer_count; i < a->answer_count + a->authority_count; i++) {
			if ((a->sets[i].rs->type == RR_NS) == (spare == 1))
				add_sets(r, a, PART_AUTHORITY, i, 1, dnssec_ok, d);
		}
	}
}

static void draft_message(const struct render *r, const struct answer *a, const struct question *q, bool dnssec_ok, struct draft *d)
{
	uint16_t flags = MSG_QR | MSG_RA | (a->authoritative ? MSG_AA : 0) | (a->rcode & 15);
	size_t first = 0;

	build_start(&d->b, r->scratch, RENDER_SCRATCH, RENDER_SCRATCH, 0, 0, flags);
	build_question(&d->b, q);
	add_sets(r, a, PART_ANSWER, first, a->answer_count, dnssec_ok, d);
	d->answer_end = d->b.w.pos;
	first += a->answer_count;
	add_authority(r, a, dnssec_ok, d);
	first += a->authority_count;
	if (wanted_additional(r, a, dnssec_ok))
		add_sets(r, a, PART_ADDITIONAL, first, a->additional_count, dnssec_ok, d);
	if (d->full)
		build_set_flags(&d->b, MSG_TC, 0);
}

static size_t draft_edes(const struct render *r, const struct answer *a, uint8_t room[EDE_ROOM])
{
	struct writer w = writer_of(room, EDE_ROOM);
	bool told_stale = false;

	if (!r->settings->ede)
		return 0;
	for (size_t i = 0; i < a->ede_count; i++) {
		uint16_t code = a->ede[i].code;
		size_t before = w.pos;

		if (code == EDE_STALE || code == EDE_STALE_NXDOMAIN) {
			if (!r->settings->ede_expired || told_stale)
				continue;
			told_stale = true;
		}
		reply_ede_option(&w, code, a->ede[i].text);
		if (!writer_ok(&w))
			writer_rewind(&w, before);
	}
	if (a->stale && r->settings->ede_expired && !told_stale)
		reply_ede_option(&w, a->rcode == RCODE_NXDOMAIN ? EDE_STALE_NXDOMAIN : EDE_STALE, NULL);
	return w.pos;
}

/* Times of the entry, from the least TTL in it. */
static void set_times(const struct render *r, const struct answer *a, uint32_t ttl, struct ans_entry *e)
{
	uint32_t now = now_sec(r->now), whole = 0;

	for (size_t i = 0; i < a->answer_count; i++)
		if (whole == 0 || a->sets[i].rs->ttl < whole)
			whole = a->sets[i].rs->ttl;
	if (whole < ttl)
		whole = ttl;
	e->stored_sec = now;
	e->expires_sec = now + ttl;
	/* how much is left of the whole life, not of the time since it was rendered */
	e->prefetch_sec = whole >= PREFETCH_MIN_SEC && ttl > 0 ? e->expires_sec - whole / PREFETCH_SHARE : e->expires_sec;
	if ((int32_t)(e->prefetch_sec - now) < 0)
		e->prefetch_sec = now;
}

/* What a watcher is told of the answer: 0 octets when there is nothing to tell. */
static size_t draft_note(const struct answer *a, uint8_t room[1 + TAP_POLICY_MAX])
{
	size_t n = a->policy != NULL ? tap_encode_policy(a->policy, room + 1) : 0;

	room[0] = a->route;
	return a->route != 0 || n > 0 ? 1 + n : 0;
}

RESULT render_answer(
    const struct render *r, const struct answer *a, const struct ans_key *k, uint64_t hash, struct ans_entry **ret_entry)
{
	AUTO(ans_entry_free) struct ans_entry *e = NULL;
	struct draft d = { .least_ttl = a->ttl };
	struct name_buf name;
	struct question q = { .type = k->type, .rclass = k->rclass };
	uint16_t offsets[MAX_RRS];
	uint8_t ede[EDE_ROOM], note[1 + TAP_POLICY_MAX];
	size_t len, ttls, ede_len = draft_edes(r, a, ede), note_len = draft_note(a, note);

	name_copy(&name, k->name);
	name_lower(&name);
	q.name = name_of(&name);
	draft_message(r, a, &q, (k->variant & ANS_DO) != 0, &d);
	len = build_finish(&d.b);
	if (len == 0)
		return FAIL(ERR_SPACE);
	TRY(msg_ttl_offsets(span_of(r->scratch, len), offsets, MAX_RRS, &ttls));
	e = ans_entry_new_noted(ttls, len, ede_len, note_len);
	if (e == NULL)
		return FAIL(ERR_NOMEM);
	e->hash = hash;
	e->stamp = r->stamp;
	e->variant = k->variant;
	e->len = (uint16_t)len;
	e->question_end = (uint16_t)(MSG_HEADER + name.len + 4);
	e->ttl_count = (uint16_t)ttls;
	e->answer_end = (uint16_t)d.answer_end;
	e->rotate_from = d.rotation.from;
	e->rotate_size = d.rotation.size;
	e->rotate_count = d.rotation.count;
	e->ede_len = (uint16_t)ede_len;
	e->security = a->bogus ? SECURITY_BOGUS : a->security;
	e->flags =
	    (uint8_t)((d.needs_authority ? HIT_NEEDS_AUTHORITY : 0) | (r->settings->original_ttl || a->stale ? HIT_KEEPS_TTL : 0) |
		      (a->answer_count == 0 && a->rcode == RCODE_NOERROR ? HIT_NO_DATA : 0) | (a->stale ? HIT_STALE : 0));
	set_times(r, a, a->cacheable ? d.least_ttl : 0, e);
	memcpy((uint8_t *)(e + 1), offsets, ttls * sizeof *offsets);
	memcpy((uint8_t *)(e + 1) + ttls * sizeof *offsets, r->scratch, len);
	memcpy((uint8_t *)(e + 1) + ttls * sizeof *offsets + len, ede, ede_len);
	memcpy((uint8_t *)(e + 1) + ttls * sizeof *offsets + len + ede_len, note, note_len);
	*ret_entry = MOVE(e);
	return DONE;
}
