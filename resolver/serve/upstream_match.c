#include "resolver/serve/upstream_match.h"

#include "dns/rrtype.h"

static enum match match_question(struct reader *r, const struct match_expected *e)
{
	struct name name;
	uint16_t type, rclass;

	if (!OK(name_from_wire(span_of(r->base + r->pos, reader_left(r)), &name)))
		return MATCH_NOT;
	read_skip(r, name.len);
	type = read16(r);
	rclass = read16(r);
	if (!reader_ok(r) || type != e->type || rclass != e->rclass || !name_equal(name, e->name))
		return MATCH_NOT;
	return name_equal_case(name, e->name) ? MATCH_YES : MATCH_CASE;
}

enum match match_reply(struct span packet, const struct match_expected *e, uint16_t *ret_flags)
{
	struct reader r = reader_of(packet);
	uint16_t id = read16(&r), flags = read16(&r), questions = read16(&r), answers = read16(&r);

	read_skip(&r, 4);
	if (!reader_ok(&r))
		return MATCH_NOT;
	*ret_flags = flags;
	if (id != e->id)
		return MATCH_ID;
	if ((flags & MSG_QR) == 0 || msg_opcode(flags) != OPCODE_QUERY)
		return MATCH_NOT;
	if (questions == 0)
		return msg_rcode(flags) != RCODE_NOERROR && answers == 0 ? MATCH_NO_QUESTION : MATCH_NOT;
	return questions == 1 ? match_question(&r, e) : MATCH_NOT;
}

enum cookie_match match_cookie(const struct edns *e, const uint8_t client_cookie[8], struct span *ret_server)
{
	struct reader options = reader_of(e->options);
	struct span data;
	uint16_t code;

	if (!e->present)
		return COOKIE_NONE;
	while (edns_next_option(&options, &code, &data)) {
		struct reader r = reader_of(data);
		struct span client;

		if (code != EDNS_COOKIE)
			continue;
		client = read_span(&r, 8);
		if (!reader_ok(&r) || memcmp(client.p, client_cookie, 8) != 0)
			return COOKIE_WRONG;
		if (reader_left(&r) != 0 && (reader_left(&r) < 8 || reader_left(&r) > 32))
			return COOKIE_WRONG;
		*ret_server = read_rest(&r);
		return COOKIE_OURS;
	}
	return COOKIE_NONE;
}
