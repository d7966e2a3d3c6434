#include "resolver/serve/reply.h"

#include "dns/rrtype.h"
#include "resolver/stats.h"

static void option(struct writer *w, uint16_t code, const void *p, size_t n)
{
	write16(w, code);
	write16(w, (uint16_t)n);
	write_octets(w, p, n);
}

void reply_ede_option(struct writer *w, uint16_t code, const char *text)
{
	size_t n = text != NULL ? strlen(text) : 0;

	if (n > REPLY_EDE_TEXT)
		n = REPLY_EDE_TEXT;
	write16(w, EDNS_ERROR);
	write16(w, (uint16_t)(n + 2));
	write16(w, code);
	write_octets(w, text, n);
}

/* What fits of extra, whole options only. */
static void extra_options(struct writer *w, struct span extra)
{
	struct reader r = reader_of(extra);
	struct span data;
	uint16_t code;

	if (extra.n <= writer_left(w)) {
		write_span(w, extra);
		return;
	}
	while (edns_next_option(&r, &code, &data) && data.n + 4 <= writer_left(w))
		option(w, code, data.p, data.n);
}

void reply_opt(struct writer *w, const struct serve_settings *s, const struct reply_to *to, uint16_t rcode, struct span extra)
{
	size_t length_at;

	if (!to->edns)
		return;
	write8(w, 0);
	write16(w, RR_OPT);
	write16(w, s->edns_size);
	write32(w, (uint32_t)(rcode >> 4) << 24 | (to->dnssec_ok ? 0x8000u : 0));
	length_at = w->pos;
	write16(w, 0);
	if (to->cookie_len > 0)
		option(w, EDNS_COOKIE, to->cookie, to->cookie_len);
	if (to->nsid)
		option(w, EDNS_NSID, s->nsid, s->nsid_len);
	if (to->keepalive) {
		uint8_t time[2];

		store16(time, to->keepalive_ds);
		option(w, EDNS_TCP_KEEPALIVE, time, sizeof time);
	}
	if (extra.n > 0)
		extra_options(w, extra);
	patch16(w, length_at, (uint16_t)(w->pos - length_at - 2));
}

size_t reply_compose(
    const struct serve_settings *s, const struct reply_to *to, const struct reply_code *c, uint8_t *buf, size_t cap)
{
	struct writer w = writer_of(buf, cap < to->limit ? cap : to->limit);
	bool question = !c->bare && to->name.len > 0;

	write16(&w, to->id);
	write16(&w, (uint16_t)(MSG_QR | (to->flags & (0x7800 | MSG_RD | MSG_CD)) | (c->recursion_available ? MSG_RA : 0) |
	    (c->truncated ? MSG_TC : 0) | (c->rcode & 15)));
	write16(&w, question ? 1 : 0);
	write16(&w, 0);
	write16(&w, 0);
	write16(&w, to->edns ? 1 : 0);
	if (question) {
		write_octets(&w, to->name.wire, to->name.len);
		write16(&w, to->type);
		write16(&w, to->rclass);
	}
	reply_opt(&w, s, to, c->rcode, c->ede);
	return writer_ok(&w) ? w.pos : 0;
}

void reply_count(struct stats *st, uint16_t rcode, bool no_data)
{
	if (rcode <= RCODE_REFUSED) {
		stats_inc(st, COUNT_RCODE_NOERROR + rcode);
		if (rcode == RCODE_NOERROR && no_data)
			stats_inc(st, COUNT_RCODE_NODATA);
	} else {
		stats_inc(st, COUNT_RCODE_OTHER);
	}
}
