#include "resolver/serve/hit.h"

#include "dns/rrtype.h"

/* RD and CD come back as they were; AD says that the answer was validated, to clients that understand it (RFC 6840 sections 5.7
 * to 5.9). */
static inline uint16_t flags_for(const struct ans_entry *e, const struct reply_to *to, uint16_t stored)
{
	uint16_t flags = stored | (to->flags & (MSG_RD | MSG_CD));

	if (e->security == SECURITY_SECURE && (to->dnssec_ok || (to->flags & MSG_AD) != 0))
		flags |= MSG_AD;
	return flags;
}

static inline void age_ttls(const struct ans_entry *e, uint32_t age, size_t len, uint8_t *buf)
{
	const uint16_t *at = ans_ttl_offsets(e);

	for (unsigned int i = 0; i < e->ttl_count && at[i] + 4u <= len; i++) {
		uint32_t ttl = load32(buf + at[i]);

		store32(buf + at[i], ttl > age ? ttl - age : 0);
	}
}

/* Equally long RRs of one set, starting with another one each time. The ID is the client's random number, and replays in a
 * simulation. */
static inline void rotate(const struct ans_entry *e, uint16_t id, uint8_t *buf)
{
	size_t size = e->rotate_size, all = size * e->rotate_count;
	size_t first = ((uint32_t)id * e->rotate_count >> 16) * size;
	const uint8_t *from = ans_packet(e) + e->rotate_from;
	uint8_t *to = buf + e->rotate_from;

	if (first == 0)
		return;
	memcpy(to, from + first, all - first);
	memcpy(to + all - first, from, first);
}

/* The end of the RR whose TTL stands at `at`. */
static size_t rr_end(const uint8_t *packet, size_t at)
{
	return at + 6 + load16(packet + at + 4);
}

static uint16_t rr_type(const uint8_t *packet, size_t at)
{
	return load16(packet + at - 4);
}

/* What the RR belongs to: a signature, to what it covers. */
static uint16_t set_type(const uint8_t *packet, size_t at)
{
	return rr_type(packet, at) == RR_RRSIG ? load16(packet + at + 6) : rr_type(packet, at);
}

/* The first RR, not before `least`, of the RRset that the i-th one, which does not fit, belongs to: half a set in the authority section is of no use. */
static size_t set_begins(const uint8_t *packet, const uint16_t *at, size_t least, size_t i)
{
	uint16_t type = set_type(packet, at[i]);
	bool signature = rr_type(packet, at[i]) == RR_RRSIG;

	while (i > least && set_type(packet, at[i - 1]) == type && (signature || rr_type(packet, at[i - 1]) != RR_RRSIG)) {
		i--;
		signature = rr_type(packet, at[i]) == RR_RRSIG;
	}
	return i;
}

struct cut {
	size_t len;
	uint16_t an, ns;
	bool truncated;
};

/* What fits into `room` octets. */
static struct cut cut_at(const struct ans_entry *e, size_t room)
{
	const uint8_t *p = ans_packet(e);
	const uint16_t *at = ans_ttl_offsets(e);
	uint16_t an = load16(p + 6), ns = load16(p + 8);
	struct cut c = { e->question_end, 0, 0, false };
	size_t main_end = (size_t)an + ns; /* RRs that count */
	size_t i;

	if (main_end > e->ttl_count)
		main_end = e->ttl_count;
	for (i = 0; i < main_end && rr_end(p, at[i]) <= room; i++)
		c.len = rr_end(p, at[i]);
	if (i > an && i < main_end)
		i = set_begins(p, at, an, i);
	c.len = i > 0 ? rr_end(p, at[i - 1]) : e->question_end;
	c.an = (uint16_t)(i < an ? i : an);
	c.ns = (uint16_t)(i - c.an);
	if (i == main_end)
		return c;
	if (i >= an && (e->flags & HIT_NEEDS_AUTHORITY) == 0) {
		c.len = e->answer_end;
		c.ns = 0;
		return c;
	}
	c.truncated = true;
	return c;
}

static void finish(
    const struct serve_settings *s, const struct ans_entry *e, const struct reply_to *to, struct writer *w, uint16_t additional)
{
	if (!to->edns)
		return;
	reply_opt(w, s, to, load16(ans_packet(e) + 2) & 15, span_of(ans_ede(e), e->ede_len));
	patch16(w, 10, additional + 1);
}

/* The rarer case: it does not fit as it is. */
static size_t compose_cut(
    const struct serve_settings *s, const struct ans_entry *e, const struct reply_to *to, uint32_t age, uint8_t *buf, size_t cap)
{
	size_t limit = cap < to->limit ? cap : to->limit, opt = reply_opt_size(s, to);
	struct writer w = writer_of(buf, limit);
	struct cut c;

	if (limit < e->question_end + opt)
		return 0;
	c = cut_at(e, limit - opt);
	write_octets(&w, ans_packet(e), c.len);
	if (w.pos < MSG_HEADER || w.pos < 12u + to->name.len)
		return 0;
	store16(buf, to->id);
	store16(buf + 2, flags_for(e, to, load16(buf + 2)) | (c.truncated ? MSG_TC : 0));
	store16(buf + 6, c.an);
	store16(buf + 8, c.ns);
	store16(buf + 10, 0);
	memcpy(buf + 12, to->name.wire, to->name.len);
	if ((e->flags & HIT_KEEPS_TTL) == 0)
		age_ttls(e, age, c.len, buf);
	finish(s, e, to, &w, 0);
	return w.pos;
}

size_t hit_compose(const struct serve_settings *s, const struct ans_entry *e, const struct reply_to *to, uint32_t now_sec,
    uint8_t *buf, size_t cap)
{
	size_t limit = cap < to->limit ? cap : to->limit;
	uint32_t age = now_sec - e->stored_sec;
	struct writer w = writer_of(buf, limit);

	if (e->len + reply_opt_size(s, to) > limit)
		return compose_cut(s, e, to, age, buf, cap);
	write_octets(&w, ans_packet(e), e->len);
	if (w.pos < 12u + to->name.len)
		return 0;
	store16(buf, to->id);
	store16(buf + 2, flags_for(e, to, load16(buf + 2)));
	memcpy(buf + 12, to->name.wire, to->name.len);
	if (e->rotate_count > 1 && s->roundrobin)
		rotate(e, to->id, buf);
	if ((e->flags & HIT_KEEPS_TTL) == 0 && age != 0)
		age_ttls(e, age, e->len, buf);
	finish(s, e, to, &w, load16(buf + 10));
	return w.pos;
}
