/* rrtype.h: numbers and names of RR types, classes, rcodes and opcodes (IANA DNS parameters). Unknown ones print as RFC 3597 says. */
#ifndef DNS_RRTYPE_H
#define DNS_RRTYPE_H

#include "base/own.h"

/* Every type libldns knows and the newer ones; the table with rdata formats is in rdata.h. */
enum {
	RR_A = 1, RR_NS = 2, RR_MD = 3, RR_MF = 4, RR_CNAME = 5, RR_SOA = 6, RR_MB = 7, RR_MG = 8, RR_MR = 9, RR_NULL = 10, RR_WKS = 11,
	RR_PTR = 12, RR_HINFO = 13, RR_MINFO = 14, RR_MX = 15, RR_TXT = 16, RR_RP = 17, RR_AFSDB = 18, RR_X25 = 19, RR_ISDN = 20, RR_RT = 21,
	RR_NSAP = 22, RR_NSAP_PTR = 23, RR_SIG = 24, RR_KEY = 25, RR_PX = 26, RR_GPOS = 27, RR_AAAA = 28, RR_LOC = 29, RR_NXT = 30, RR_EID = 31,
	RR_NIMLOC = 32, RR_SRV = 33, RR_ATMA = 34, RR_NAPTR = 35, RR_KX = 36, RR_CERT = 37, RR_A6 = 38, RR_DNAME = 39, RR_SINK = 40, RR_OPT = 41,
	RR_APL = 42, RR_DS = 43, RR_SSHFP = 44, RR_IPSECKEY = 45, RR_RRSIG = 46, RR_NSEC = 47, RR_DNSKEY = 48, RR_DHCID = 49, RR_NSEC3 = 50,
	RR_NSEC3PARAM = 51, RR_TLSA = 52, RR_SMIMEA = 53, RR_HIP = 55, RR_NINFO = 56, RR_RKEY = 57, RR_TALINK = 58, RR_CDS = 59, RR_CDNSKEY = 60,
	RR_OPENPGPKEY = 61, RR_CSYNC = 62, RR_ZONEMD = 63, RR_SVCB = 64, RR_HTTPS = 65, RR_DSYNC = 66, RR_SPF = 99, RR_UINFO = 100, RR_UID = 101,
	RR_GID = 102, RR_UNSPEC = 103, RR_NID = 104, RR_L32 = 105, RR_L64 = 106, RR_LP = 107, RR_EUI48 = 108, RR_EUI64 = 109, RR_NXNAME = 128,
	RR_TKEY = 249, RR_TSIG = 250, RR_IXFR = 251, RR_AXFR = 252, RR_MAILB = 253, RR_MAILA = 254, RR_ANY = 255, RR_URI = 256, RR_CAA = 257,
	RR_AVC = 258, RR_DOA = 259, RR_AMTRELAY = 260, RR_RESINFO = 261, RR_WALLET = 262, RR_CLA = 263, RR_IPN = 264, RR_TA = 32768, RR_DLV = 32769,
};
enum { CLASS_IN = 1, CLASS_CH = 3, CLASS_HS = 4, CLASS_NONE = 254, CLASS_ANY = 255 };
enum { OPCODE_QUERY = 0, OPCODE_IQUERY = 1, OPCODE_STATUS = 2, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5, OPCODE_DSO = 6 };
enum {
	RCODE_NOERROR = 0, RCODE_FORMERR = 1, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_NOTIMP = 4, RCODE_REFUSED = 5, RCODE_YXDOMAIN = 6,
	RCODE_YXRRSET = 7, RCODE_NXRRSET = 8, RCODE_NOTAUTH = 9, RCODE_NOTZONE = 10, RCODE_BADVERS = 16, RCODE_BADCOOKIE = 23,
};

#define RRTYPE_TEXT 12
/* "AAAA" or "TYPE65535"; buf is used for unknown ones. */
const char *rrtype_text(uint16_t type, char buf[RRTYPE_TEXT]) BORROWED;
RESULT rrtype_parse(const char *text, uint16_t *ret) NONNULL; /* also TYPEnnn; without case */
const char *rrclass_text(uint16_t rclass, char buf[RRTYPE_TEXT]) BORROWED;
RESULT rrclass_parse(const char *text, uint16_t *ret) NONNULL;
const char *rcode_text(uint16_t rcode, char buf[RRTYPE_TEXT]) BORROWED;
RESULT rcode_parse(const char *text, uint16_t *ret) NONNULL;
bool rrtype_is_meta(uint16_t type);      /* only a question or a pseudo RR: OPT, TSIG, TKEY, IXFR, AXFR, MAILA, MAILB, ANY, 0 */
bool rrtype_is_at_parent(uint16_t type); /* DS: lives at the parent side of a cut */

#endif
