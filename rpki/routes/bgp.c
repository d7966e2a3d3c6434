#include "rpki/routes/bgp.h"

enum { ATTRIBUTE_AS_PATH = 2, ATTRIBUTE_MP_REACH = 14, ATTRIBUTE_MP_UNREACH = 15, ATTRIBUTE_AS4_PATH = 17 };
enum { SEGMENT_SET = 1, SEGMENT_SEQUENCE = 2, SEGMENT_CONFED_SEQUENCE = 3, SEGMENT_CONFED_SET = 4 }; /* RFC 4271 section 4.3, RFC 5065 section 3 */
#define EXTENDED_LENGTH 0x10
#define HEADER 19u /* octets before a message's body */
#define MARKER 16u
#define UPDATE 2u
#define AFI_IP4 1u
#define AFI_IP6 2u
#define SAFI_UNICAST 1u

/* ------------------------------------------------------------------------------------------------------------------- paths */

struct path {
	uint32_t origin;
	uint32_t length; /* as RFC 4271 section 9.1.2.2 counts it: a set is one, a confederation nothing */
};

static bool path_read(struct span value, unsigned int as_octets, uint32_t speaker, struct path *ret)
{
	struct reader r = reader_of(value);
	struct path p = { .origin = speaker };

	while (!reader_end(&r)) {
		uint8_t type = read8(&r), n = read8(&r);
		uint32_t last = 0;

		for (unsigned int i = 0; i < n; i++)
			last = as_octets == 4 ? read32(&r) : read16(&r);
		if (!reader_ok(&r) || n == 0 || type < SEGMENT_SET || type > SEGMENT_CONFED_SET)
			return false;
		p.origin = type == SEGMENT_SEQUENCE ? last : type == SEGMENT_SET ? BGP_AS_NONE : speaker;
		p.length += type == SEGMENT_SEQUENCE ? n : type == SEGMENT_SET;
	}
	if (!reader_ok(&r))
		return false;
	*ret = p;
	return true;
}

/* RFC 6793 section 4.2.3: a path with more ASes than AS_PATH does not belong to it. */
static uint32_t origin_of(const struct path *two, const struct path *four, bool have_four)
{
	return have_four && four->length <= two->length && four->length > 0 ? four->origin : two->origin;
}

/* An attribute's flags, type and value. */
static bool attribute_next(struct reader *r, uint8_t *ret_type, struct span *ret_value)
{
	uint8_t flags = read8(r);

	*ret_type = read8(r);
	*ret_value = read_span(r, (flags & EXTENDED_LENGTH) != 0 ? read16(r) : read8(r));
	return reader_ok(r);
}

/* ERR_FORMAT leaves in *ret what was found: a bad path does not hide where the prefixes are. */
static RESULT read_attributes(struct span attributes, unsigned int as_octets, uint32_t speaker, struct bgp_attributes *ret)
{
	struct reader r = reader_of(attributes);
	struct path path = { .origin = BGP_AS_NONE }, path4 = { .origin = BGP_AS_NONE };
	bool good = true, four = false, seen[256] = { false };

	while (!reader_end(&r)) {
		struct span value;
		uint8_t type;

		if (!attribute_next(&r, &type, &value))
			return FAIL(ERR_FORMAT);
		if (seen[type]) { /* RFC 7606 section 3 g: the first counts, but for those with prefixes */
			good = good && type != ATTRIBUTE_MP_REACH && type != ATTRIBUTE_MP_UNREACH;
			continue;
		}
		seen[type] = true;
		if (type == ATTRIBUTE_AS_PATH)
			good = path_read(value, as_octets, speaker, &path) && good;
		else if (type == ATTRIBUTE_AS4_PATH && as_octets == 2)
			four = path_read(value, 4, speaker, &path4); /* a bad one is as none: RFC 6793 section 6 */
		else if (type == ATTRIBUTE_MP_REACH)
			ret->reach = value;
		else if (type == ATTRIBUTE_MP_UNREACH)
			ret->unreach = value;
	}
	ret->path = seen[ATTRIBUTE_AS_PATH];
	ret->origin = origin_of(&path, &path4, four);
	return good ? DONE : FAIL(ERR_FORMAT);
}

RESULT bgp_attributes_read(struct span attributes, unsigned int as_octets, uint32_t speaker, struct bgp_attributes *ret)
{
	struct bgp_attributes a = { .origin = BGP_AS_NONE };

	TRY(read_attributes(attributes, as_octets, speaker, &a));
	*ret = a;
	return DONE;
}

bool bgp_prefix_read(struct reader *r, uint8_t family, struct prefix *ret)
{
	struct prefix p = { .a = { .family = family }, .len = read8(r) };
	struct span octets;

	if (p.len > (family == ADDR_V4 ? 32 : 128))
		reader_fail(r);
	octets = read_span(r, (p.len + 7u) / 8);
	if (!reader_ok(r))
		return false;
	if (octets.n > 0)
		memcpy(p.a.b, octets.p, octets.n);
	if (p.len % 8 != 0)
		p.a.b[p.len / 8] &= (uint8_t)(0xff00u >> p.len % 8);
	*ret = p;
	return true;
}

/* ----------------------------------------------------------------------------------------------------------------- messages */

struct telling {
	const struct bgp_session *session BORROWED_FIELD;
	bgp_change_fn *fn;
	void *ctx BORROWED_FIELD;
};

/* Prefixes up to the end of nlri, all announced or all withdrawn. */
static RESULT tell(const struct telling *t, struct span nlri, uint8_t family, bool announced, uint32_t origin)
{
	struct reader r = reader_of(nlri);
	bool paths = family == ADDR_V4 ? t->session->paths4 : t->session->paths6;

	while (!reader_end(&r)) {
		struct bgp_change c = { .announced = announced, .origin = announced ? origin : BGP_AS_NONE };

		c.path = paths ? read32(&r) : 0;
		if (!bgp_prefix_read(&r, family, &c.prefix))
			return FAIL(ERR_FORMAT);
		TRY(t->fn(t->ctx, &c));
	}
	return reader_ok(&r) ? DONE : FAIL(ERR_FORMAT);
}

/* RFC 4760 section 4 */
static RESULT tell_unreach(const struct telling *t, struct span value)
{
	struct reader r = reader_of(value);
	uint16_t afi = read16(&r);
	uint8_t safi = read8(&r);

	if (!reader_ok(&r))
		return FAIL(ERR_FORMAT);
	if ((afi != AFI_IP4 && afi != AFI_IP6) || safi != SAFI_UNICAST)
		return DONE;
	return tell(t, read_rest(&r), afi == AFI_IP4 ? ADDR_V4 : ADDR_V6, false, BGP_AS_NONE);
}

/* RFC 4760 section 3 */
static RESULT tell_reach(const struct telling *t, struct span value, bool announced, uint32_t origin)
{
	struct reader r = reader_of(value);
	uint16_t afi = read16(&r);
	uint8_t safi = read8(&r);

	read_skip(&r, read8(&r)); /* the next hop */
	read_skip(&r, 1);
	if (!reader_ok(&r))
		return FAIL(ERR_FORMAT);
	if ((afi != AFI_IP4 && afi != AFI_IP6) || safi != SAFI_UNICAST)
		return DONE;
	return tell(t, read_rest(&r), afi == AFI_IP4 ? ADDR_V4 : ADDR_V6, announced, origin);
}

RESULT bgp_update_read(struct span message, const struct bgp_session *s, bgp_change_fn *fn, void *ctx, bool *ret_mended)
{
	const struct telling t = { .session = s, .fn = fn, .ctx = ctx };
	struct reader r = reader_of(message);
	struct bgp_attributes a = { .origin = BGP_AS_NONE };
	struct span withdrawn, attributes, nlri;
	struct result read;
	bool announced;
	uint16_t length;

	*ret_mended = false;
	read_skip(&r, MARKER);
	length = read16(&r);
	if (length < HEADER || length != message.n)
		return FAIL(ERR_FORMAT);
	if (read8(&r) != UPDATE)
		return DONE;
	withdrawn = read_span(&r, read16(&r));
	attributes = read_span(&r, read16(&r));
	nlri = read_rest(&r);
	if (!reader_ok(&r))
		return FAIL(ERR_FORMAT);
	read = read_attributes(attributes, s->as_octets, s->speaker, &a);
	announced = OK(read) && a.path; /* AS_PATH is well-known and mandatory (RFC 4271 section 5) */
	*ret_mended = !OK(read) || (!a.path && (nlri.n > 0 || a.reach.n > 0));
	TRY(tell(&t, withdrawn, ADDR_V4, false, BGP_AS_NONE));
	if (a.unreach.n > 0)
		TRY(tell_unreach(&t, a.unreach));
	TRY(tell(&t, nlri, ADDR_V4, announced, a.origin));
	return a.reach.n > 0 ? tell_reach(&t, a.reach, announced, a.origin) : DONE;
}
