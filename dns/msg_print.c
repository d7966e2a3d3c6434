#include "base/strbuf.h"
#include "dns/msg.h"
#include "dns/words.h"

static const char *opcode_text(unsigned int opcode)
{
	static const char *const text[16] = { "QUERY", "IQUERY", "STATUS", "OPCODE3", "NOTIFY", "UPDATE", "DSO", "OPCODE7", "OPCODE8",
		"OPCODE9", "OPCODE10", "OPCODE11", "OPCODE12", "OPCODE13", "OPCODE14", "OPCODE15" };

	return text[opcode & 15];
}

static void print_flags(uint16_t flags, struct strbuf *out)
{
	static const struct {
		uint16_t bit;
		const char *text BORROWED_FIELD;
	} names[] = { { MSG_QR, "qr" }, { MSG_AA, "aa" }, { MSG_TC, "tc" }, { MSG_RD, "rd" }, { MSG_RA, "ra" }, { MSG_Z, "z" }, { MSG_AD, "ad" },
		{ MSG_CD, "cd" } };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((flags & names[i].bit) != 0)
			strbuf_printf(out, " %s", names[i].text);
}

static const char *option_text(uint16_t code)
{
	switch (code) {
	case EDNS_LLQ:
		return "LLQ";
	case EDNS_UL:
		return "UPDATE-LEASE";
	case EDNS_NSID:
		return "NSID";
	case EDNS_DAU:
		return "DAU";
	case EDNS_DHU:
		return "DHU";
	case EDNS_N3U:
		return "N3U";
	case EDNS_CLIENT_SUBNET:
		return "CLIENT-SUBNET";
	case EDNS_EXPIRE:
		return "EXPIRE";
	case EDNS_COOKIE:
		return "COOKIE";
	case EDNS_TCP_KEEPALIVE:
		return "TCP-KEEPALIVE";
	case EDNS_PADDING:
		return "PADDING";
	case EDNS_CHAIN:
		return "CHAIN";
	case EDNS_KEY_TAG:
		return "KEY-TAG";
	case EDNS_ERROR:
		return "EDE";
	case EDNS_CLIENT_TAG:
		return "CLIENT-TAG";
	case EDNS_SERVER_TAG:
		return "SERVER-TAG";
	case EDNS_REPORT_CHANNEL:
		return "REPORT-CHANNEL";
	case EDNS_ZONEVERSION:
		return "ZONEVERSION";
	case EDNS_UMBRELLA:
		return "UMBRELLA";
	case EDNS_DEVICEID:
		return "DEVICEID";
	default:
		return NULL;
	}
}

static void print_option(uint16_t code, struct span data, struct strbuf *out)
{
	const char *text = option_text(code);

	if (text != NULL)
		strbuf_printf(out, "; %s:", text);
	else
		strbuf_printf(out, "; OPT=%u:", (unsigned int)code);
	if (code == EDNS_ERROR && data.n >= 2) {
		uint16_t error = load16(data.p);

		strbuf_printf(out, " %u (%s)", (unsigned int)error, ede_text(error));
		if (data.n > 2) {
			strbuf_putc(out, ' ');
			text_quote((struct span){ data.p + 2, data.n - 2 }, out);
		}
	} else if (code == EDNS_PADDING) {
		strbuf_printf(out, " %zu octets", data.n);
	} else if (data.n != 0) {
		strbuf_putc(out, ' ');
		text_print_hex(data, out);
		if (code == EDNS_NSID || code == EDNS_REPORT_CHANNEL) {
			strbuf_putc(out, ' ');
			text_quote(data, out);
		}
	}
	strbuf_putc(out, '\n');
}

static void print_edns(const struct edns *e, struct strbuf *out)
{
	struct reader r = reader_of(e->options);
	uint16_t code;
	struct span data;

	strbuf_printf(out, ";; OPT PSEUDOSECTION:\n; EDNS: version: %u, flags:%s%s; udp: %u\n", (unsigned int)e->version, e->dnssec_ok ? " do" : "",
	    e->compact_ok ? " co" : "", (unsigned int)e->udp_size);
	while (edns_next_option(&r, &code, &data))
		print_option(code, data, out);
}

static size_t count_rrs(const struct msg_section *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += (size_t)s->sets[i]->count + s->sets[i]->sigs;
	return n;
}

static void print_section(const char *title, const struct msg_section *s, struct strbuf *out)
{
	if (s->count != 0)
		strbuf_printf(out, "\n;; %s SECTION:\n", title);
	for (size_t i = 0; i < s->count; i++)
		rrset_print(s->sets[i], s->sets[i]->ttl, out);
}

static void print_question(const struct question *q, struct strbuf *out)
{
	char name[NAME_TEXT];
	char rclass[RRTYPE_TEXT];
	char type[RRTYPE_TEXT];

	strbuf_printf(out, "\n;; QUESTION SECTION:\n;%s %s %s\n", name_to_text(q->name, name), rrclass_text(q->rclass, rclass),
	    rrtype_text(q->type, type));
}

void msg_print(const struct msg *m, struct strbuf *out)
{
	char rcode[RRTYPE_TEXT];

	strbuf_printf(out, ";; ->>HEADER<<- opcode: %s, status: %s, id: %u\n;; flags:", opcode_text(msg_opcode(m->flags)), rcode_text(m->rcode, rcode),
	    (unsigned int)m->id);
	print_flags(m->flags, out);
	strbuf_printf(out, "; QUERY: %d, ANSWER: %zu, AUTHORITY: %zu, ADDITIONAL: %zu\n", m->has_question, count_rrs(&m->answer),
	    count_rrs(&m->authority), count_rrs(&m->additional) + m->edns.present);
	if (m->edns.present)
		print_edns(&m->edns, out);
	if (m->has_question)
		print_question(&m->q, out);
	print_section("ANSWER", &m->answer, out);
	print_section("AUTHORITY", &m->authority, out);
	print_section("ADDITIONAL", &m->additional, out);
}
