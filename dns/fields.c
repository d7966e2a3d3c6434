#include "dns/fields.h"

#include <strings.h>

#include "dns/svcb.h"

#define LAST_TYPE RR_IPN

static const uint8_t formats[LAST_TYPE + 1][FORMAT_FIELDS] = {
	[RR_A] = { F_A },
	[RR_NS] = { F_NAME_1035 },
	[RR_MD] = { F_NAME_1035 },
	[RR_MF] = { F_NAME_1035 },
	[RR_CNAME] = { F_NAME_1035 },
	[RR_SOA] = { F_NAME_1035, F_NAME_1035, F_U32, F_PERIOD, F_PERIOD, F_PERIOD, F_PERIOD },
	[RR_MB] = { F_NAME_1035 },
	[RR_MG] = { F_NAME_1035 },
	[RR_MR] = { F_NAME_1035 },
	[RR_NULL] = { F_OPAQUE },
	[RR_WKS] = { F_A, F_WKS },
	[RR_PTR] = { F_NAME_1035 },
	[RR_HINFO] = { F_STRING, F_STRING },
	[RR_MINFO] = { F_NAME_1035, F_NAME_1035 },
	[RR_MX] = { F_U16, F_NAME_1035 },
	[RR_TXT] = { F_STRINGS },
	[RR_RP] = { F_NAME_OLD, F_NAME_OLD },
	[RR_AFSDB] = { F_U16, F_NAME_OLD },
	[RR_X25] = { F_STRING },
	[RR_ISDN] = { F_STRING, F_STRING_OPT },
	[RR_RT] = { F_U16, F_NAME_OLD },
	[RR_NSAP] = { F_NSAP },
	[RR_NSAP_PTR] = { F_NAME },
	[RR_SIG] = { F_TYPE, F_ALGORITHM, F_U8, F_U32, F_TIME, F_TIME, F_U16, F_NAME_OLD, F_BASE64 },
	[RR_KEY] = { F_U16, F_U8, F_ALGORITHM, F_BASE64_OPT },
	[RR_PX] = { F_U16, F_NAME_OLD, F_NAME_OLD },
	[RR_GPOS] = { F_STRING, F_STRING, F_STRING },
	[RR_AAAA] = { F_AAAA },
	[RR_LOC] = { F_LOC },
	[RR_NXT] = { F_NAME_OLD, F_NXT },
	[RR_EID] = { F_HEX },
	[RR_NIMLOC] = { F_HEX },
	[RR_SRV] = { F_U16, F_U16, F_U16, F_NAME_OLD },
	[RR_ATMA] = { F_ATMA },
	[RR_NAPTR] = { F_U16, F_U16, F_STRING, F_STRING, F_STRING, F_NAME_OLD },
	[RR_KX] = { F_U16, F_NAME_LOWER },
	[RR_CERT] = { F_CERT_TYPE, F_U16, F_ALGORITHM, F_BASE64 },
	[RR_A6] = { F_A6 },
	[RR_DNAME] = { F_NAME_LOWER },
	[RR_SINK] = { F_U8, F_U8, F_U8, F_BASE64_OPT },
	[RR_OPT] = { F_OPAQUE },
	[RR_APL] = { F_APL },
	[RR_DS] = { F_U16, F_ALGORITHM, F_U8, F_HEX },
	[RR_SSHFP] = { F_U8, F_U8, F_HEX },
	[RR_IPSECKEY] = { F_U8, F_IPSECKEY, F_BASE64_OPT },
	[RR_RRSIG] = { F_TYPE, F_ALGORITHM, F_U8, F_U32, F_TIME, F_TIME, F_U16, F_NAME_LOWER, F_BASE64 },
	[RR_NSEC] = { F_NAME, F_BITMAP },
	[RR_DNSKEY] = { F_U16, F_U8, F_ALGORITHM, F_BASE64_OPT },
	[RR_DHCID] = { F_BASE64 },
	[RR_NSEC3] = { F_U8, F_U8, F_U16, F_SALT, F_HASH, F_BITMAP },
	[RR_NSEC3PARAM] = { F_U8, F_U8, F_U16, F_SALT },
	[RR_TLSA] = { F_U8, F_U8, F_U8, F_HEX },
	[RR_SMIMEA] = { F_U8, F_U8, F_U8, F_HEX },
	[RR_HIP] = { F_HIP },
	[RR_NINFO] = { F_STRINGS },
	[RR_RKEY] = { F_U16, F_U8, F_ALGORITHM, F_BASE64_OPT },
	[RR_TALINK] = { F_NAME, F_NAME },
	[RR_CDS] = { F_U16, F_ALGORITHM, F_U8, F_HEX },
	[RR_CDNSKEY] = { F_U16, F_U8, F_ALGORITHM, F_BASE64_OPT },
	[RR_OPENPGPKEY] = { F_BASE64 },
	[RR_CSYNC] = { F_U32, F_U16, F_BITMAP },
	[RR_ZONEMD] = { F_U32, F_U8, F_U8, F_DIGEST },
	[RR_SVCB] = { F_U16, F_NAME, F_PARAMS },
	[RR_HTTPS] = { F_U16, F_NAME, F_PARAMS },
	[RR_DSYNC] = { F_TYPE, F_SCHEME, F_U16, F_NAME },
	[RR_SPF] = { F_STRINGS },
	[RR_NID] = { F_U16, F_NODE64 },
	[RR_L32] = { F_U16, F_A },
	[RR_L64] = { F_U16, F_NODE64 },
	[RR_LP] = { F_U16, F_NAME },
	[RR_EUI48] = { F_EUI48 },
	[RR_EUI64] = { F_EUI64 },
	[RR_NXNAME] = { F_EMPTY },
	[RR_TKEY] = { F_NAME, F_TIME, F_TIME, F_U16, F_U16, F_DATA16, F_DATA16 },
	[RR_TSIG] = { F_NAME, F_TIME48, F_U16, F_DATA16, F_U16, F_U16, F_DATA16 },
	[RR_URI] = { F_U16, F_U16, F_LONG_TEXT },
	[RR_CAA] = { F_U8, F_TAG, F_VALUE },
	[RR_AVC] = { F_STRINGS },
	[RR_DOA] = { F_U32, F_U32, F_U8, F_STRING, F_BASE64_DASH },
	[RR_AMTRELAY] = { F_U8, F_AMTRELAY },
	[RR_RESINFO] = { F_STRINGS },
	[RR_WALLET] = { F_STRINGS },
	[RR_CLA] = { F_STRINGS },
	[RR_IPN] = { F_U64 },
};

static const uint8_t ds_format[FORMAT_FIELDS] = { F_U16, F_ALGORITHM, F_U8, F_HEX };
static const uint8_t opaque_format[FORMAT_FIELDS] = { F_OPAQUE };

const uint8_t *format_of(uint16_t type)
{
	if (type <= LAST_TYPE)
		return formats[type][0] != F_END ? formats[type] : opaque_format;
	return type == RR_TA || type == RR_DLV ? ds_format : opaque_format;
}

/* --- checks */

static void skip_name(struct reader *r)
{
	struct name n;

	if (OK(name_from_wire((struct span){ r->base + r->pos, reader_left(r) }, &n)))
		read_skip(r, n.len);
	else
		reader_fail(r);
}

static void skip_rest(struct reader *r, size_t at_least)
{
	if (reader_left(r) < at_least)
		reader_fail(r);
	else
		read_skip(r, reader_left(r));
}

static void skip_tag(struct reader *r)
{
	struct span tag = read_span(r, read8(r));

	if (tag.n == 0)
		reader_fail(r);
	for (size_t i = 0; i < tag.n; i++) {
		uint8_t c = tag.p[i] | 0x20;

		if (!(c >= 'a' && c <= 'z') && !(tag.p[i] >= '0' && tag.p[i] <= '9'))
			reader_fail(r);
	}
}

/* Windows in rising order, 1 to 32 octets each, without zero octets at the end (RFC 4034 section 4.1.2). */
static void skip_bitmap(struct reader *r)
{
	int last = -1;

	while (!reader_end(r)) {
		int window = read8(r);
		struct span bits = read_span(r, read8(r));

		if (bits.n == 0 || bits.n > 32 || window <= last || bits.p[bits.n - 1] == 0)
			reader_fail(r);
		last = window;
	}
}

/* Families that nobody defined keep their octets; an address has no zero octets at its end (RFC 3123 section 4). */
static void skip_apl(struct reader *r)
{
	while (!reader_end(r)) {
		unsigned int family = read16(r);
		unsigned int prefix = read8(r);
		struct span part = read_span(r, read8(r) & 0x7f);
		size_t octets = family == 1 ? 4 : family == 2 ? 16 : 127;

		if (part.n > octets || (family <= 2 && family != 0 && prefix > octets * 8) || (part.n > 0 && part.p[part.n - 1] == 0))
			reader_fail(r);
	}
}

static void skip_gateway(struct reader *r, unsigned int kind)
{
	switch (kind) {
	case 0:
		break;
	case 1:
		read_skip(r, 4);
		break;
	case 2:
		read_skip(r, 16);
		break;
	case 3:
		skip_name(r);
		break;
	default: /* its length is not known */
		skip_rest(r, 0);
		break;
	}
}

static void skip_hip(struct reader *r)
{
	unsigned int hit = read8(r);
	unsigned int key;

	read_skip(r, 1);
	key = read16(r);
	if (hit == 0 || key == 0)
		reader_fail(r);
	read_skip(r, (size_t)hit + key);
	while (!reader_end(r))
		skip_name(r);
}

static void skip_a6(struct reader *r)
{
	unsigned int prefix = read8(r);

	if (prefix > 128)
		reader_fail(r);
	else
		read_skip(r, (128u - prefix + 7) / 8);
	if (prefix != 0)
		skip_name(r);
}

static void skip_rest_fields(uint8_t field, struct reader *r);

void field_skip(uint8_t field, struct reader *r)
{
	static const uint8_t octets[] = {
		[F_U8] = 1, [F_U16] = 2, [F_U32] = 4, [F_U64] = 8, [F_PERIOD] = 4, [F_TIME] = 4, [F_TIME48] = 6, [F_TYPE] = 2,
		[F_ALGORITHM] = 1, [F_CERT_TYPE] = 2, [F_SCHEME] = 1, [F_A] = 4, [F_AAAA] = 16, [F_NODE64] = 8, [F_EUI48] = 6,
		[F_EUI64] = 8,
	};

	if (field_is_name(field))
		skip_name(r);
	else if (field < sizeof octets)
		read_skip(r, octets[field]);
	else
		skip_rest_fields(field, r);
}

/* The fields that have no fixed length. */
static void skip_rest_fields(uint8_t field, struct reader *r)
{
	switch (field) {
	case F_STRING_OPT:
		if (!reader_end(r))
			read_skip(r, read8(r));
		break;
	case F_STRING:
	case F_SALT:
		read_skip(r, read8(r));
		break;
	case F_STRINGS:
		do
			read_skip(r, read8(r));
		while (!reader_end(r));
		break;
	case F_TAG:
		skip_tag(r);
		break;
	case F_DATA16:
		read_skip(r, read16(r));
		break;
	case F_LONG_TEXT:
	case F_BASE64:
	case F_HEX:
	case F_NSAP:
		skip_rest(r, 1);
		break;
	case F_ATMA:
		skip_rest(r, 2);
		break;
	case F_DIGEST:
		skip_rest(r, 12);
		break;
	case F_HASH:
		if (read_span(r, read8(r)).n == 0)
			reader_fail(r);
		break;
	case F_BITMAP:
		skip_bitmap(r);
		break;
	case F_NXT:
		if (reader_left(r) > 16 && (r->base[r->pos] & 0x80) == 0)
			reader_fail(r);
		skip_rest(r, 1);
		break;
	case F_APL:
		skip_apl(r);
		break;
	case F_LOC: /* other versions than 0 have another form */
		if (reader_left(r) != 16 && (reader_end(r) || r->base[r->pos] == 0))
			reader_fail(r);
		skip_rest(r, 1);
		break;
	case F_WKS:
		if (reader_left(r) > 1 + 65536 / 8)
			reader_fail(r);
		skip_rest(r, 1);
		break;
	case F_A6:
		skip_a6(r);
		break;
	case F_IPSECKEY: {
		unsigned int kind = read8(r);

		read_skip(r, 1);
		skip_gateway(r, kind);
		break;
	}
	case F_AMTRELAY:
		skip_gateway(r, read8(r) & 0x7f);
		break;
	case F_HIP:
		skip_hip(r);
		break;
	case F_PARAMS:
		svcb_skip(r);
		break;
	case F_EMPTY:
		break;
	default: /* F_OPAQUE, F_VALUE, F_BASE64_OPT, F_BASE64_DASH */
		skip_rest(r, 0);
		break;
	}
}

/* --- mnemonics */

struct mnemonic {
	const char *text BORROWED_FIELD;
	uint8_t field;
	uint16_t value;
};

static const struct mnemonic mnemonics[] = {
	{ "DELETE", F_ALGORITHM, 0 },
	{ "RSAMD5", F_ALGORITHM, 1 },
	{ "DH", F_ALGORITHM, 2 },
	{ "DSA", F_ALGORITHM, 3 },
	{ "RSASHA1", F_ALGORITHM, 5 },
	{ "DSA-NSEC3-SHA1", F_ALGORITHM, 6 },
	{ "RSASHA1-NSEC3-SHA1", F_ALGORITHM, 7 },
	{ "RSASHA256", F_ALGORITHM, 8 },
	{ "RSASHA512", F_ALGORITHM, 10 },
	{ "ECC-GOST", F_ALGORITHM, 12 },
	{ "ECDSAP256SHA256", F_ALGORITHM, 13 },
	{ "ECDSAP384SHA384", F_ALGORITHM, 14 },
	{ "ED25519", F_ALGORITHM, 15 },
	{ "ED448", F_ALGORITHM, 16 },
	{ "SM2SM3", F_ALGORITHM, 17 },
	{ "ECC-GOST12", F_ALGORITHM, 23 },
	{ "INDIRECT", F_ALGORITHM, 252 },
	{ "PRIVATEDNS", F_ALGORITHM, 253 },
	{ "PRIVATEOID", F_ALGORITHM, 254 },
	{ "PKIX", F_CERT_TYPE, 1 },
	{ "SPKI", F_CERT_TYPE, 2 },
	{ "PGP", F_CERT_TYPE, 3 },
	{ "IPKIX", F_CERT_TYPE, 4 },
	{ "ISPKI", F_CERT_TYPE, 5 },
	{ "IPGP", F_CERT_TYPE, 6 },
	{ "ACPKIX", F_CERT_TYPE, 7 },
	{ "IACPKIX", F_CERT_TYPE, 8 },
	{ "URI", F_CERT_TYPE, 253 },
	{ "OID", F_CERT_TYPE, 254 },
	{ "NOTIFY", F_SCHEME, 1 },
};

#define MNEMONICS (sizeof mnemonics / sizeof mnemonics[0])

const char *field_mnemonic(uint8_t field, uint16_t value)
{
	for (size_t i = 0; i < MNEMONICS; i++)
		if (mnemonics[i].field == field && mnemonics[i].value == value)
			return mnemonics[i].text;
	return NULL;
}

RESULT field_mnemonic_parse(uint8_t field, struct span word, uint16_t *ret)
{
	for (size_t i = 0; i < MNEMONICS; i++)
		if (mnemonics[i].field == field && strlen(mnemonics[i].text) == word.n &&
		    strncasecmp(mnemonics[i].text, (const char *)word.p, word.n) == 0) {
			*ret = mnemonics[i].value;
			return DONE;
		}
	return FAIL(ERR_NOTFOUND);
}
