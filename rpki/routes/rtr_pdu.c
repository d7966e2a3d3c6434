#include "rpki/routes/rtr_pdu.h"

#define FLAG_ANNOUNCE 1u

bool rtr_timers_sound(const struct rtr_timers *t)
{
	return t->refresh >= 1 && t->refresh <= 86400 && t->retry >= 1 && t->retry <= 7200 && t->expire >= 600 && t->expire <= 172800 &&
	    t->expire > t->refresh && t->expire > t->retry;
}

struct rtr_header rtr_header_of(const uint8_t octets[RTR_HEADER])
{
	return (struct rtr_header){ .version = octets[0], .type = octets[1], .field = load16(octets + 2), .length = load32(octets + 4) };
}

/* Least and greatest length, and the first version that has it. */
struct shape {
	uint32_t least, most;
	uint8_t since;
};

static bool shape_of(const struct rtr_header *h, struct shape *ret)
{
	switch ((enum rtr_type)h->type) {
	case RTR_SERIAL_NOTIFY:
	case RTR_SERIAL_QUERY:
		*ret = (struct shape){ 12, 12, 0 };
		return true;
	case RTR_RESET_QUERY:
	case RTR_CACHE_RESPONSE:
	case RTR_CACHE_RESET:
		*ret = (struct shape){ 8, 8, 0 };
		return true;
	case RTR_IPV4:
		*ret = (struct shape){ 20, 20, 0 };
		return true;
	case RTR_IPV6:
		*ret = (struct shape){ 32, 32, 0 };
		return true;
	case RTR_END_OF_DATA:
		*ret = h->version == 0 ? (struct shape){ 12, 12, 0 } : (struct shape){ 24, 24, 0 };
		return true;
	case RTR_ROUTER_KEY:
		*ret = (struct shape){ RTR_HEADER + PAYLOAD_SKI + 4 + 1, RTR_PDU_MAX, 1 };
		return true;
	case RTR_ERROR:
		*ret = (struct shape){ 16, RTR_PDU_MAX, 0 };
		return true;
	case RTR_ASPA:
		*ret = (struct shape){ 12, RTR_PDU_MAX, 2 };
		return true;
	}
	return false;
}

bool rtr_length_fits(const struct rtr_header *h, enum rtr_error *ret_error, const char **ret_why)
{
	struct shape s;

	if (!shape_of(h, &s)) {
		*ret_error = RTR_UNSUPPORTED_TYPE;
		*ret_why = "no such PDU type";
	} else if (h->version < s.since) {
		*ret_error = RTR_UNSUPPORTED_TYPE;
		*ret_why = "this version has no such PDU type";
	} else if (h->length < s.least || h->length > s.most) {
		*ret_error = RTR_CORRUPT_DATA;
		*ret_why = "wrong length for its type";
	} else {
		return true;
	}
	return false;
}

/* ----------------------------------------------------------------------------------------------------------------- reading */

/* The fields behind the header; false: *ret_why says what is wrong. */
static bool read_prefix(struct reader *r, uint8_t family, struct rtr_pdu *p, const char **ret_why)
{
	uint8_t flags = read8(r);
	struct span addr;

	p->vrp.family = family;
	p->vrp.len = read8(r);
	p->vrp.maxlen = read8(r);
	(void)read8(r);
	addr = read_span(r, family == ADDR_V4 ? 4 : 16);
	p->vrp.asn = read32(r);
	if (!reader_ok(r))
		return false;
	memcpy(p->vrp.addr, addr.p, addr.n);
	p->announce = (flags & FLAG_ANNOUNCE) != 0;
	*ret_why = "lengths or host bits that no prefix has";
	return vrp_is_sound(&p->vrp);
}

static bool read_key(struct reader *r, struct rtr_pdu *p)
{
	struct span ski = read_span(r, PAYLOAD_SKI);

	p->announce = (p->h.field >> 8 & FLAG_ANNOUNCE) != 0;
	p->key.asn = read32(r);
	p->key.spki = read_rest(r);
	if (!reader_ok(r))
		return false;
	memcpy(p->key.ski, ski.p, ski.n);
	return true;
}

/* 8210bis section 5.12 */
static bool read_aspa(struct reader *r, struct rtr_pdu *p, const char **ret_why)
{
	uint32_t before = 0;
	struct reader list;

	p->announce = (p->h.field >> 8 & FLAG_ANNOUNCE) != 0;
	p->customer = read32(r);
	p->providers = read_rest(r);
	*ret_why = "providers that do not ascend, or AS 0 among others, or none";
	if (p->providers.n % 4 != 0 || p->announce != (p->providers.n > 0))
		return false;
	list = reader_of(p->providers);
	for (size_t i = 0; !reader_end(&list); i++) {
		uint32_t asn = read32(&list);

		if (i > 0 && (asn <= before || before == 0))
			return false;
		before = asn;
	}
	return reader_ok(r);
}

static bool read_report(struct reader *r, struct rtr_pdu *p)
{
	p->erroneous = read_span(r, read32(r));
	p->text = read_span(r, read32(r));
	return reader_ok(r) && reader_end(r);
}

static bool read_body(struct reader *r, struct rtr_pdu *p, const char **ret_why)
{
	switch ((enum rtr_type)p->h.type) {
	case RTR_SERIAL_NOTIFY:
	case RTR_SERIAL_QUERY:
		p->serial = read32(r);
		break;
	case RTR_END_OF_DATA:
		p->serial = read32(r);
		if (p->h.version > 0)
			p->timers = (struct rtr_timers){ .refresh = read32(r) };
		if (p->h.version > 0) {
			p->timers.retry = read32(r);
			p->timers.expire = read32(r);
		}
		break;
	case RTR_IPV4:
		return read_prefix(r, ADDR_V4, p, ret_why);
	case RTR_IPV6:
		return read_prefix(r, ADDR_V6, p, ret_why);
	case RTR_ROUTER_KEY:
		return read_key(r, p);
	case RTR_ASPA:
		return read_aspa(r, p, ret_why);
	case RTR_ERROR:
		*ret_why = "lengths that do not add up";
		return read_report(r, p);
	case RTR_RESET_QUERY:
	case RTR_CACHE_RESPONSE:
	case RTR_CACHE_RESET:
		break;
	}
	return reader_ok(r);
}

RESULT rtr_read(struct span octets, struct rtr_pdu *ret, enum rtr_error *ret_error, const char **ret_why)
{
	struct reader r = reader_of(octets);
	struct rtr_pdu p = { .serial = 0 };

	if (octets.n < RTR_HEADER) {
		*ret_error = RTR_CORRUPT_DATA;
		*ret_why = "shorter than a header";
		return FAIL(ERR_FORMAT);
	}
	p.h = rtr_header_of(octets.p);
	read_skip(&r, RTR_HEADER);
	if (!rtr_length_fits(&p.h, ret_error, ret_why))
		return FAIL(ERR_FORMAT);
	*ret_why = "another length than its header says";
	if (p.h.length != octets.n || !read_body(&r, &p, ret_why)) {
		*ret_error = p.h.type == RTR_ASPA ? RTR_ASPA_PROVIDERS : RTR_CORRUPT_DATA;
		return FAIL(ERR_FORMAT);
	}
	*ret = p;
	return DONE;
}

void rtr_providers(struct span providers, uint32_t *room)
{
	struct reader r = reader_of(providers);

	for (size_t i = 0; i < providers.n / 4; i++)
		room[i] = read32(&r);
}

/* ----------------------------------------------------------------------------------------------------------------- writing */

static void write_header(struct writer *w, uint8_t version, enum rtr_type type, uint16_t field, size_t length)
{
	write8(w, version);
	write8(w, (uint8_t)type);
	write16(w, field);
	write32(w, (uint32_t)length);
}

void rtr_write_serial_notify(struct writer *w, uint8_t version, uint16_t session, uint32_t serial)
{
	write_header(w, version, RTR_SERIAL_NOTIFY, session, 12);
	write32(w, serial);
}

void rtr_write_serial_query(struct writer *w, uint8_t version, uint16_t session, uint32_t serial)
{
	write_header(w, version, RTR_SERIAL_QUERY, session, 12);
	write32(w, serial);
}

void rtr_write_reset_query(struct writer *w, uint8_t version)
{
	write_header(w, version, RTR_RESET_QUERY, 0, 8);
}

void rtr_write_cache_response(struct writer *w, uint8_t version, uint16_t session)
{
	write_header(w, version, RTR_CACHE_RESPONSE, session, 8);
}

void rtr_write_cache_reset(struct writer *w, uint8_t version)
{
	write_header(w, version, RTR_CACHE_RESET, 0, 8);
}

void rtr_write_end_of_data(struct writer *w, uint8_t version, uint16_t session, uint32_t serial, const struct rtr_timers *t)
{
	write_header(w, version, RTR_END_OF_DATA, session, version == 0 ? 12 : 24);
	write32(w, serial);
	if (version > 0) {
		write32(w, t->refresh);
		write32(w, t->retry);
		write32(w, t->expire);
	}
}

void rtr_write_vrp(struct writer *w, uint8_t version, bool announce, const struct vrp *v)
{
	bool v4 = v->family == ADDR_V4;

	write_header(w, version, v4 ? RTR_IPV4 : RTR_IPV6, 0, v4 ? 20 : 32);
	write8(w, announce ? FLAG_ANNOUNCE : 0);
	write8(w, v->len);
	write8(w, v->maxlen);
	write8(w, 0);
	write_octets(w, v->addr, v4 ? 4 : 16);
	write32(w, v->asn);
}

void rtr_write_key(struct writer *w, uint8_t version, bool announce, const struct router_key *k)
{
	write_header(w, version, RTR_ROUTER_KEY, announce ? FLAG_ANNOUNCE << 8 : 0, RTR_HEADER + PAYLOAD_SKI + 4 + k->spki.n);
	write_octets(w, k->ski, sizeof k->ski);
	write32(w, k->asn);
	write_span(w, k->spki);
}

void rtr_write_aspa(struct writer *w, uint8_t version, bool announce, const struct aspa_payload *a)
{
	size_t n = announce ? a->n : 0;

	write_header(w, version, RTR_ASPA, announce ? FLAG_ANNOUNCE << 8 : 0, RTR_HEADER + 4 + 4 * n);
	write32(w, a->customer);
	for (size_t i = 0; i < n; i++)
		write32(w, a->providers[i]);
}

void rtr_write_error(struct writer *w, uint8_t version, enum rtr_error code, struct span erroneous, const char *text)
{
	size_t n = erroneous.n < RTR_REPORT_PDU_MAX ? erroneous.n : RTR_REPORT_PDU_MAX;
	size_t t = strlen(text) < RTR_REPORT_TEXT_MAX ? strlen(text) : RTR_REPORT_TEXT_MAX;

	write_header(w, version, RTR_ERROR, (uint16_t)code, RTR_HEADER + 8 + n + t);
	write32(w, (uint32_t)n);
	write_octets(w, erroneous.p, n);
	write32(w, (uint32_t)t);
	write_octets(w, text, t);
}

/* ------------------------------------------------------------------------------------------------------------------- words */

const char *rtr_error_text(unsigned int code)
{
	static const char *const text[] = { "Corrupt Data", "Internal Error", "No Data Available", "Invalid Request",
		"Unsupported Protocol Version", "Unsupported PDU Type", "Withdrawal of Unknown Record", "Duplicate Announcement Received",
		"Unexpected Protocol Version", "ASPA Provider List Error", "Transport Failure", "Ordering Error", "Cache Restart",
		"Cache Shutdown" };

	return code < sizeof text / sizeof text[0] ? text[code] : "unknown error";
}

const char *rtr_type_text(unsigned int type)
{
	static const char *const text[] = { "Serial Notify", "Serial Query", "Reset Query", "Cache Response", "IPv4 Prefix",
		"unknown PDU type", "IPv6 Prefix", "End of Data", "Cache Reset", "Router Key", "Error Report", "ASPA" };

	return type < sizeof text / sizeof text[0] ? text[type] : "unknown PDU type";
}
