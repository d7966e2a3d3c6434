/* oid.h: the object identifiers of the RPKI's profiles, as the contents octets of their encodings. */
#ifndef RPKI_OBJECT_OID_H
#define RPKI_OBJECT_OID_H

#include "base/cursor.h"

static inline bool oid_is_(struct span oid, const char *octets, size_t n)
{
	return oid.n == n && memcmp(oid.p, octets, n) == 0;
}
#define OID_IS(span, literal) oid_is_((span), (literal), sizeof(literal) - 1)
#define OID_SPAN(literal) span_of(literal, sizeof(literal) - 1)

/* algorithms */
#define OID_RSA_ENCRYPTION "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_SHA256_WITH_RSA "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
#define OID_SHA256 "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define OID_EC_PUBLIC_KEY "\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_P256 "\x2a\x86\x48\xce\x3d\x03\x01\x07"
/* names */
#define OID_COMMON_NAME "\x55\x04\x03"
#define OID_SERIAL_NUMBER "\x55\x04\x05"
/* extensions of certificates and CRLs */
#define OID_CE "\x55\x1d" /* the octet after it: */
enum { CE_SKI = 14, CE_KEY_USAGE = 15, CE_BASIC_CONSTRAINTS = 19, CE_CRL_NUMBER = 20, CE_CRLDP = 31, CE_POLICIES = 32, CE_AKI = 35, CE_EKU = 37 };
#define OID_AIA "\x2b\x06\x01\x05\x05\x07\x01\x01"
#define OID_SIA "\x2b\x06\x01\x05\x05\x07\x01\x0b"
#define OID_IP_RESOURCES "\x2b\x06\x01\x05\x05\x07\x01\x07"
#define OID_AS_RESOURCES "\x2b\x06\x01\x05\x05\x07\x01\x08"
#define OID_IP_RESOURCES_V2 "\x2b\x06\x01\x05\x05\x07\x01\x1c"
#define OID_AS_RESOURCES_V2 "\x2b\x06\x01\x05\x05\x07\x01\x1d"
#define OID_POLICY "\x2b\x06\x01\x05\x05\x07\x0e\x02"    /* id-cp-ipAddr-asNumber */
#define OID_POLICY_V2 "\x2b\x06\x01\x05\x05\x07\x0e\x03" /* id-cp-ipAddr-asNumber-v2 */
#define OID_CPS "\x2b\x06\x01\x05\x05\x07\x02\x01"
#define OID_BGPSEC_ROUTER "\x2b\x06\x01\x05\x05\x07\x03\x1e"
/* access methods */
#define OID_CA_ISSUERS "\x2b\x06\x01\x05\x05\x07\x30\x02"
#define OID_CA_REPOSITORY "\x2b\x06\x01\x05\x05\x07\x30\x05"
#define OID_RPKI_MANIFEST "\x2b\x06\x01\x05\x05\x07\x30\x0a"
#define OID_SIGNED_OBJECT "\x2b\x06\x01\x05\x05\x07\x30\x0b"
#define OID_RPKI_NOTIFY "\x2b\x06\x01\x05\x05\x07\x30\x0d"
/* CMS */
#define OID_SIGNED_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define OID_CONTENT_TYPE_ATTR "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"
#define OID_MESSAGE_DIGEST_ATTR "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"
#define OID_SIGNING_TIME_ATTR "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"
#define OID_BINARY_SIGNING_TIME_ATTR "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2e"
/* content types: id-ct (1.2.840.113549.1.9.16.1) and a number */
#define OID_CT "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"
#define OID_ROA OID_CT "\x18"
#define OID_MANIFEST OID_CT "\x1a"
#define OID_GHOSTBUSTERS OID_CT "\x23"
#define OID_RSC OID_CT "\x30"
#define OID_ASPA OID_CT "\x31"
#define OID_TAK OID_CT "\x32"
#define OID_PREFIX_LIST OID_CT "\x33"

#endif
