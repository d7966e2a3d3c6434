#include "dns/rrtype.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct mnemonic {
	const char *text BORROWED_FIELD;
	uint16_t value;
};

/* Sorted by name, for bisection. */
static const struct mnemonic types[] = {
	{ "A", RR_A },
	{ "A6", RR_A6 },
	{ "AAAA", RR_AAAA },
	{ "AFSDB", RR_AFSDB },
	{ "AMTRELAY", RR_AMTRELAY },
	{ "ANY", RR_ANY },
	{ "APL", RR_APL },
	{ "ATMA", RR_ATMA },
	{ "AVC", RR_AVC },
	{ "AXFR", RR_AXFR },
	{ "CAA", RR_CAA },
	{ "CDNSKEY", RR_CDNSKEY },
	{ "CDS", RR_CDS },
	{ "CERT", RR_CERT },
	{ "CLA", RR_CLA },
	{ "CNAME", RR_CNAME },
	{ "CSYNC", RR_CSYNC },
	{ "DHCID", RR_DHCID },
	{ "DLV", RR_DLV },
	{ "DNAME", RR_DNAME },
	{ "DNSKEY", RR_DNSKEY },
	{ "DOA", RR_DOA },
	{ "DS", RR_DS },
	{ "DSYNC", RR_DSYNC },
	{ "EID", RR_EID },
	{ "EUI48", RR_EUI48 },
	{ "EUI64", RR_EUI64 },
	{ "GID", RR_GID },
	{ "GPOS", RR_GPOS },
	{ "HINFO", RR_HINFO },
	{ "HIP", RR_HIP },
	{ "HTTPS", RR_HTTPS },
	{ "IPN", RR_IPN },
	{ "IPSECKEY", RR_IPSECKEY },
	{ "ISDN", RR_ISDN },
	{ "IXFR", RR_IXFR },
	{ "KEY", RR_KEY },
	{ "KX", RR_KX },
	{ "L32", RR_L32 },
	{ "L64", RR_L64 },
	{ "LOC", RR_LOC },
	{ "LP", RR_LP },
	{ "MAILA", RR_MAILA },
	{ "MAILB", RR_MAILB },
	{ "MB", RR_MB },
	{ "MD", RR_MD },
	{ "MF", RR_MF },
	{ "MG", RR_MG },
	{ "MINFO", RR_MINFO },
	{ "MR", RR_MR },
	{ "MX", RR_MX },
	{ "NAPTR", RR_NAPTR },
	{ "NID", RR_NID },
	{ "NIMLOC", RR_NIMLOC },
	{ "NINFO", RR_NINFO },
	{ "NS", RR_NS },
	{ "NSAP", RR_NSAP },
	{ "NSAP-PTR", RR_NSAP_PTR },
	{ "NSEC", RR_NSEC },
	{ "NSEC3", RR_NSEC3 },
	{ "NSEC3PARAM", RR_NSEC3PARAM },
	{ "NULL", RR_NULL },
	{ "NXNAME", RR_NXNAME },
	{ "NXT", RR_NXT },
	{ "OPENPGPKEY", RR_OPENPGPKEY },
	{ "OPT", RR_OPT },
	{ "PTR", RR_PTR },
	{ "PX", RR_PX },
	{ "RESINFO", RR_RESINFO },
	{ "RKEY", RR_RKEY },
	{ "RP", RR_RP },
	{ "RRSIG", RR_RRSIG },
	{ "RT", RR_RT },
	{ "SIG", RR_SIG },
	{ "SINK", RR_SINK },
	{ "SMIMEA", RR_SMIMEA },
	{ "SOA", RR_SOA },
	{ "SPF", RR_SPF },
	{ "SRV", RR_SRV },
	{ "SSHFP", RR_SSHFP },
	{ "SVCB", RR_SVCB },
	{ "TA", RR_TA },
	{ "TALINK", RR_TALINK },
	{ "TKEY", RR_TKEY },
	{ "TLSA", RR_TLSA },
	{ "TSIG", RR_TSIG },
	{ "TXT", RR_TXT },
	{ "UID", RR_UID },
	{ "UINFO", RR_UINFO },
	{ "UNSPEC", RR_UNSPEC },
	{ "URI", RR_URI },
	{ "WALLET", RR_WALLET },
	{ "WKS", RR_WKS },
	{ "X25", RR_X25 },
	{ "ZONEMD", RR_ZONEMD },
};

static const struct mnemonic classes[] = {
	{ "IN", CLASS_IN }, { "CH", CLASS_CH }, { "HS", CLASS_HS }, { "NONE", CLASS_NONE }, { "ANY", CLASS_ANY },
};

static const struct mnemonic rcodes[] = {
	{ "NOERROR", RCODE_NOERROR },
	{ "FORMERR", RCODE_FORMERR },
	{ "SERVFAIL", RCODE_SERVFAIL },
	{ "NXDOMAIN", RCODE_NXDOMAIN },
	{ "NOTIMP", RCODE_NOTIMP },
	{ "REFUSED", RCODE_REFUSED },
	{ "YXDOMAIN", RCODE_YXDOMAIN },
	{ "YXRRSET", RCODE_YXRRSET },
	{ "NXRRSET", RCODE_NXRRSET },
	{ "NOTAUTH", RCODE_NOTAUTH },
	{ "NOTZONE", RCODE_NOTZONE },
	{ "DSOTYPENI", 11 },
	{ "BADVERS", RCODE_BADVERS },
	{ "BADKEY", 17 },
	{ "BADTIME", 18 },
	{ "BADMODE", 19 },
	{ "BADNAME", 20 },
	{ "BADALG", 21 },
	{ "BADTRUNC", 22 },
	{ "BADCOOKIE", RCODE_BADCOOKIE },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *find_text(const struct mnemonic *m, size_t n, uint16_t value)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].value == value)
			return m[i].text;
	return NULL;
}

static const char *number_text(const char *prefix, uint16_t value, char buf[RRTYPE_TEXT])
{
	snprintf(buf, RRTYPE_TEXT, "%s%u", prefix, (unsigned int)value);
	return buf;
}

/* PREFIXnnn, nnn up to 65535. */
static RESULT parse_number(const char *prefix, const char *text, uint16_t *ret)
{
	size_t n = strlen(prefix);
	unsigned int v = 0;

	if (strncasecmp(text, prefix, n) != 0 || text[n] == '\0')
		return FAIL(ERR_NOTFOUND);
	for (const char *p = text + n; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return FAIL(ERR_NOTFOUND);
		v = v * 10 + (unsigned int)(*p - '0');
		if (v > 65535)
			return FAIL(ERR_RANGE);
	}
	*ret = (uint16_t)v;
	return DONE;
}

static RESULT parse_mnemonic(const struct mnemonic *m, size_t n, const char *prefix, const char *text, uint16_t *ret)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(m[i].text, text) == 0) {
			*ret = m[i].value;
			return DONE;
		}
	return parse_number(prefix, text, ret);
}

const char *rrtype_text(uint16_t type, char buf[RRTYPE_TEXT])
{
	const char *text;

	switch (type) { /* what nearly every call asks for */
	case RR_A:
		return "A";
	case RR_AAAA:
		return "AAAA";
	case RR_NS:
		return "NS";
	case RR_RRSIG:
		return "RRSIG";
	default:
		text = find_text(types, COUNT(types), type);
		return text != NULL ? text : number_text("TYPE", type, buf);
	}
}

RESULT rrtype_parse(const char *text, uint16_t *ret)
{
	size_t low = 0;
	size_t high = COUNT(types);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcasecmp(text, types[mid].text);

		if (c == 0) {
			*ret = types[mid].value;
			return DONE;
		}
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return parse_number("TYPE", text, ret);
}

const char *rrclass_text(uint16_t rclass, char buf[RRTYPE_TEXT])
{
	const char *text = find_text(classes, COUNT(classes), rclass);

	return text != NULL ? text : number_text("CLASS", rclass, buf);
}

RESULT rrclass_parse(const char *text, uint16_t *ret)
{
	if (strcasecmp(text, "CHAOS") == 0 || strcasecmp(text, "HESIOD") == 0) { /* as people write them */
		*ret = (text[0] | 0x20) == 'c' ? CLASS_CH : CLASS_HS;
		return DONE;
	}
	return parse_mnemonic(classes, COUNT(classes), "CLASS", text, ret);
}

const char *rcode_text(uint16_t rcode, char buf[RRTYPE_TEXT])
{
	const char *text = find_text(rcodes, COUNT(rcodes), rcode);

	return text != NULL ? text : number_text("RCODE", rcode, buf);
}

RESULT rcode_parse(const char *text, uint16_t *ret)
{
	uint16_t v;

	TRY(parse_mnemonic(rcodes, COUNT(rcodes), "RCODE", text, &v));
	if (v > 4095) /* twelve bits with EDNS */
		return FAIL(ERR_RANGE);
	*ret = v;
	return DONE;
}

bool rrtype_is_meta(uint16_t type)
{
	switch (type) {
	case 0:
	case RR_OPT:
	case RR_TSIG:
	case RR_TKEY:
	case RR_IXFR:
	case RR_AXFR:
	case RR_MAILA:
	case RR_MAILB:
	case RR_ANY:
		return true;
	default:
		return false;
	}
}

bool rrtype_is_at_parent(uint16_t type)
{
	return type == RR_DS;
}
