/*
 * Every rule of the table fires: an object of the toy RPKI (toy.h) that is valid is changed in one place and signed again, and the rule is among those that it
 * is found to break; on the way to routers, too, it is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "tests/unit/rpki/object/toy.h"

/* part and edits: see toy_edited() and tree_edit(). */
static const struct {
	enum rule rule;
	enum toy_what what;
	const char *part, *edits;
	unsigned int keep;
} breaks[] = {
	{ RULE_CERT_DER, TOY_CA, "", "1-", 0 },
	{ RULE_VERSION, TOY_CA, "tbs", "0.0:01", 0 },
	{ RULE_VERSION_NEGATIVE, TOY_CA, "tbs", "0.0:ff", 0 },
	{ RULE_SERIAL_NOT_POSITIVE, TOY_CA, "tbs", "1:00", 0 },
	{ RULE_SERIAL_LENGTH, TOY_CA, "tbs", "1:010202020202020202020202020202020202020202", 0 },
	{ RULE_SIGNATURE_ALGORITHM, TOY_CA, "tbs", "2.0:2a864886f70d010105", 0 },
	{ RULE_SIGNATURE_ALGORITHMS, TOY_CA, "tbs", "2.0:2a864886f70d010105", 0 },
	{ RULE_ISSUER, TOY_CA, "tbs", "3.0*", 0 },
	{ RULE_SUBJECT, TOY_CA, "tbs", "5.0*", 0 },
	{ RULE_VALIDITY_FORM, TOY_CA, "tbs", "4.0:323630313031303030305a", 0 },
	{ RULE_VALIDITY_CROSSED, TOY_CA, "tbs", "4.0^", 0 },
	{ RULE_KEY_ALGORITHM, TOY_CA, "tbs", "6.0.0:2a864886f70d010105", 0 },
	{ RULE_KEY_UNREADABLE, TOY_CA, "tbs", "6.1:00ff", 0 },
	{ RULE_KEY_SIZE, TOY_CA, "tbs", "6.1:00300a02030100010203010001", 0 },
	{ RULE_UNIQUE_ID, TOY_CA, "tbs", "7<810100", 0 },
	{ RULE_EXTENSIONS_ABSENT, TOY_CA, "tbs", "7-", 0 },
	{ RULE_EXTENSIONS_DER, TOY_CA, "tbs", "7.0.0.0-", 0 },
	{ RULE_EXTENSION_TWICE, TOY_CA, "bc", "*", 0 },
	{ RULE_UNKNOWN_CRITICAL, TOY_CA, "tbs", "7.0+300a0603551d630101ff0400", 0 },
	{ RULE_BASIC_DER, TOY_CA, "bc", "2.0+0500", 0 },
	{ RULE_BASIC_CRITICAL, TOY_CA, "bc", "1-", 0 },
	{ RULE_BASIC_ABSENT, TOY_CA, "bc", "-", 0 },
	{ RULE_BASIC_NOT_CA, TOY_CA, "bc", "2.0.0-", 0 },
	{ RULE_BASIC_PATH_LENGTH, TOY_CA, "bc", "2.0+020100", 0 },
	{ RULE_BASIC_IN_EE, TOY_ROA, "ee/tbs", "7.0+300f0603551d130101ff040530030101ff", 0 },
	{ RULE_SKI_ABSENT, TOY_CA, "ski", "-", 0 },
	{ RULE_SKI_CRITICAL, TOY_CA, "ski", "1<0101ff", 0 },
	{ RULE_SKI_LENGTH, TOY_CA, "ski", "1.0:0102", 0 },
	{ RULE_SKI_HASH, TOY_CA, "ski", "1.0|01", 0 },
	{ RULE_AKI_ABSENT, TOY_CA, "aki", "-", 0 },
	{ RULE_AKI_CRITICAL, TOY_CA, "aki", "1<0101ff", 0 },
	{ RULE_AKI_FORM, TOY_CA, "aki", "1.0+820101", 0 },
	{ RULE_AKI_TA, TOY_TA, "tbs", "7.0+301f0603551d230418301680140000000000000000000000000000000000000000", 0 },
	{ RULE_AKI_MISMATCH, TOY_CA, "aki", "1.0.0|01", 0 },
	{ RULE_USAGE_ABSENT, TOY_CA, "ku", "-", 0 },
	{ RULE_USAGE_CRITICAL, TOY_CA, "ku", "1-", 0 },
	{ RULE_USAGE_BITS, TOY_CA, "ku", "2.0:0780", 0 },
	{ RULE_EKU_PRESENT, TOY_CA, "tbs", "7.0+30130603551d25040c300a06082b06010505070301", 0 },
	{ RULE_EKU_DER, TOY_ROUTER, "eku", "1.0+0500", 0 },
	{ RULE_EKU_CRITICAL, TOY_ROUTER, "eku", "1<0101ff", 0 },
	{ RULE_CRLDP_ABSENT, TOY_CA, "crldp", "-", 0 },
	{ RULE_CRLDP_TA, TOY_TA, "tbs", "7.0+30090603551d1f04023000", 0 },
	{ RULE_CRLDP_CRITICAL, TOY_CA, "crldp", "1<0101ff", 0 },
	{ RULE_CRLDP_DER, TOY_CA, "crldp", "1:0500", 0 },
	{ RULE_CRLDP_SEVERAL, TOY_CA, "crldp", "1.0.0*", 0 },
	{ RULE_CRLDP_NO_NAME, TOY_CA, "crldp", "1.0.0.0-", 0 },
	{ RULE_CRLDP_RELATIVE, TOY_CA, "crldp", "1.0.0.0.0=a100", 0 },
	{ RULE_CRLDP_NOT_URI, TOY_CA, "crldp", "1.0.0.0.0+8203616263", 0 },
	{ RULE_CRLDP_EXTRA, TOY_CA, "crldp", "1.0.0+81020780", 0 },
	{ RULE_CRLDP_NO_RSYNC, TOY_CA, "crldp", "1.0.0.0.0.0:687474703a2f2f612f62", 0 },
	{ RULE_AIA_ABSENT, TOY_CA, "aia", "-", 0 },
	{ RULE_AIA_TA, TOY_TA, "tbs", "7.0+300e06082b0601050507010104023000", 0 },
	{ RULE_AIA_CRITICAL, TOY_CA, "aia", "1<0101ff", 0 },
	{ RULE_AIA_DER, TOY_CA, "aia", "1:0500", 0 },
	{ RULE_AIA_METHOD, TOY_CA, "aia", "1.0.0.0:2b06010505073001", 0 },
	{ RULE_AIA_NO_RSYNC, TOY_CA, "aia", "1.0.0.1:687474703a2f2f612f62", 0 },
	{ RULE_SIA_ABSENT, TOY_CA, "sia", "-", 0 },
	{ RULE_SIA_CRITICAL, TOY_CA, "sia", "1<0101ff", 0 },
	{ RULE_SIA_DER, TOY_CA, "sia", "1:0500", 0 },
	{ RULE_SIA_NO_REPOSITORY, TOY_CA, "sia", "1.0.0-", 0 },
	{ RULE_SIA_NO_MANIFEST, TOY_CA, "sia", "1.0.1-", 0 },
	{ RULE_SIA_EE_METHOD, TOY_ROA, "ee/sia", "1.0.0.0:2b0601050507300a", 0 },
	{ RULE_SIA_EE_NO_OBJECT, TOY_ROA, "ee/sia", "1.0.0.1:687474703a2f2f612f62", 0 },
	{ RULE_POLICY_ABSENT, TOY_CA, "cp", "-", 0 },
	{ RULE_POLICY_CRITICAL, TOY_CA, "cp", "1-", 0 },
	{ RULE_POLICY_DER, TOY_CA, "cp", "2:0500", 0 },
	{ RULE_POLICY_OID, TOY_CA, "cp", "2.0.0.0:2b06010505070e09", 0 },
	{ RULE_POLICY_SEVERAL, TOY_CA, "cp", "2.0.0*", 0 },
	{ RULE_POLICY_QUALIFIER, TOY_CA, "cp", "2.0.0.1.0.0:2b06010505070202", 0 },
	{ RULE_POLICY_QUALIFIERS, TOY_CA, "cp", "2.0.0.1.0*", 0 },
	{ RULE_IP_CRITICAL, TOY_CA, "ip", "1-", 0 },
	{ RULE_IP_DER, TOY_CA, "ip", "2.0.0.1.0:08", 0 },
	{ RULE_IP_FAMILY, TOY_CA, "ip", "2.0.0.0:0003", 0 },
	{ RULE_IP_SAFI, TOY_CA, "ip", "2.0.0.0:000101", 0 },
	{ RULE_IP_EMPTY, TOY_CA, "ip", "2.0.0.1:", 0 },
	{ RULE_IP_ORDER, TOY_CA, "ip", "2.0.0^", 0 },
	{ RULE_IP_RANGE, TOY_CA, "ip", "2.0.0.1.0=30080302010a0302000a", 0 },
	{ RULE_AS_CRITICAL, TOY_CA, "as", "1-", 0 },
	{ RULE_AS_DER, TOY_CA, "as", "2.0.0.0.0=0500", 0 },
	{ RULE_AS_RDI, TOY_CA, "as", "2.0+a1023000", 0 },
	{ RULE_AS_EMPTY, TOY_CA, "as", "2.0.0.0:", 0 },
	{ RULE_AS_ORDER, TOY_CA, "as", "2.0.0.0+020101", 0 },
	{ RULE_AS_RANGE, TOY_CA, "as", "2.0.0.0.0=300a020300fbf0020300fbf0", 0 },
	{ RULE_RESOURCES_ABSENT, TOY_CA, "tbs", "7.0.9- 7.0.8-", 0 },
	{ RULE_V2_WITHOUT_POLICY, TOY_CA, "ip", "0:2b0601050507011c", 0 },
	{ RULE_V1_WITH_POLICY_V2, TOY_CA, "cp", "2.0.0.0:2b06010505070e03", 0 },
	{ RULE_ISSUER_MISMATCH, TOY_CA, "tbs", "3.0.0.1:746f79", 0 },
	{ RULE_SIGNATURE, TOY_CA, "tbs", "1:05", TOY_KEEP_SIGNATURE },
	{ RULE_REVOKED, TOY_ROA, "ee/tbs", "1:0666", 0 },
	{ RULE_OVERCLAIM, TOY_CA, "ip", "2.0.0.1.0:000b", 0 },
	{ RULE_TA_NAMES, TOY_TA, "tbs", "3.0.0.1:746f79", 0 },
	{ RULE_TA_INHERIT, TOY_TA, "ip", "2.0.0.1=0500", 0 },
	{ RULE_ROUTER_BASIC, TOY_ROUTER, "tbs", "7.0+300f0603551d130101ff040530030101ff", 0 },
	{ RULE_ROUTER_SIA, TOY_ROUTER, "tbs", "7.0+300e06082b0601050507010b04023000", 0 },
	{ RULE_ROUTER_IP, TOY_ROUTER, "tbs", "7.0+301106082b060105050701070101ff04023000", 0 },
	{ RULE_ROUTER_NO_AS, TOY_ROUTER, "as", "-", 0 },
	{ RULE_ROUTER_INHERIT, TOY_ROUTER, "as", "2.0.0.0=0500", 0 },
	{ RULE_ROUTER_KEY, TOY_ROUTER, "tbs", "6.0.1:2b81040022", 0 },
	{ RULE_KEY_UNREADABLE, TOY_ROUTER, "tbs", "6.1:0004", 0 },
	{ RULE_CRL_DER, TOY_CRL, "", "1-", 0 },
	{ RULE_CRL_VERSION, TOY_CRL, "tbs", "0-", 0 },
	{ RULE_CRL_VERSION, TOY_CRL, "tbs", "0:02", 0 },
	{ RULE_CRL_ALGORITHM, TOY_CRL, "tbs", "1.0:2a864886f70d010105", 0 },
	{ RULE_CRL_ALGORITHMS, TOY_CRL, "tbs", "1.0:2a864886f70d010105", 0 },
	{ RULE_CRL_ISSUER, TOY_CRL, "tbs", "2.0*", 0 },
	{ RULE_CRL_THIS_UPDATE_FORM, TOY_CRL, "tbs", "3:3236", 0 },
	{ RULE_CRL_NEXT_UPDATE_FORM, TOY_CRL, "tbs", "4:3236", 0 },
	{ RULE_CRL_NEXT_UPDATE_ABSENT, TOY_CRL, "tbs", "4-", 0 },
	{ RULE_CRL_UPDATES_CROSSED, TOY_CRL, "tbs", "3^", 0 },
	{ RULE_CRL_IN_FUTURE, TOY_CRL, "tbs", "3:3239303130313030303030305a", 0 },
	{ RULE_CRL_STALE, TOY_CRL, "tbs", "4:3236303230313030303030305a", 0 },
	{ RULE_CRL_EMPTY_LIST, TOY_CRL, "tbs", "5:", 0 },
	{ RULE_CRL_ENTRY_SERIAL, TOY_CRL, "tbs", "5.0.0:00", 0 },
	{ RULE_CRL_ENTRY_SERIAL_LENGTH, TOY_CRL, "tbs", "5.0.0:010202020202020202020202020202020202020202", 0 },
	{ RULE_CRL_ENTRY_DATE, TOY_CRL, "tbs", "5.0.1:3236", 0 },
	{ RULE_CRL_ENTRY_EXTENSION, TOY_CRL, "tbs", "5.0+3000", 0 },
	{ RULE_CRL_EXTENSION, TOY_CRL, "tbs", "6.0+300a0603551d630101ff0400", 0 },
	{ RULE_CRL_EXTENSION_TWICE, TOY_CRL, "num", "*", 0 },
	{ RULE_CRL_EXTENSION_CRITICAL, TOY_CRL, "num", "1<0101ff", 0 },
	{ RULE_CRL_AKI_ABSENT, TOY_CRL, "aki", "-", 0 },
	{ RULE_CRL_AKI_FORM, TOY_CRL, "aki", "1.0.0:01", 0 },
	{ RULE_CRL_AKI_MISMATCH, TOY_CRL, "aki", "1.0.0|01", 0 },
	{ RULE_CRL_NUMBER_ABSENT, TOY_CRL, "num", "-", 0 },
	{ RULE_CRL_NUMBER_FORM, TOY_CRL, "num", "1.0:ff", 0 },
	{ RULE_CRL_ISSUER_MISMATCH, TOY_CRL, "tbs", "2.0.0.1:746f79", 0 },
	{ RULE_CRL_SIGNATURE, TOY_CRL, "num", "1.0:05", TOY_KEEP_SIGNATURE },
	{ RULE_CMS_DER, TOY_ROA, "", "1-", 0 },
	{ RULE_CMS_TYPE, TOY_ROA, "", "0:2a864886f70d010701", 0 },
	{ RULE_CMS_VERSION, TOY_ROA, "sd", "0:01", 0 },
	{ RULE_CMS_DIGESTS_COUNT, TOY_ROA, "sd", "1.0*", 0 },
	{ RULE_CMS_DIGESTS, TOY_ROA, "sd", "1.0.0:608648016503040202", 0 },
	{ RULE_CMS_NO_CONTENT, TOY_ROA, "sd", "2.1-", 0 },
	{ RULE_CMS_NO_CERT, TOY_ROA, "sd", "3-", 0 },
	{ RULE_CMS_CERTS, TOY_ROA, "sd", "3.0*", 0 },
	{ RULE_CMS_CRLS, TOY_ROA, "sd", "4<a100", 0 },
	{ RULE_CMS_SIGNERS, TOY_ROA, "sd", "4.0*", 0 },
	{ RULE_CMS_SIGNER_VERSION, TOY_ROA, "signer", "0:01", 0 },
	{ RULE_CMS_SID, TOY_ROA, "signer", "1-", 0 },
	{ RULE_CMS_SID, TOY_ROA, "signer", "1=300530000201ff", 0 },
	{ RULE_CMS_SID_MISMATCH, TOY_ROA, "signer", "1|01", 0 },
	{ RULE_CMS_SIGNER_DIGEST, TOY_ROA, "signer", "2.0:608648016503040202", 0 },
	{ RULE_CMS_NO_ATTRIBUTES, TOY_ROA, "signer", "3-", 0 },
	{ RULE_CMS_ATTRIBUTES_ORDER, TOY_ROA, "attrs", "0^", 0 },
	{ RULE_CMS_ATTRIBUTE, TOY_ROA, "attrs", "+3009060355040331020500", 0 },
	{ RULE_CMS_ATTRIBUTE_TWICE, TOY_ROA, "attrs", "0*", 0 },
	{ RULE_CMS_ATTRIBUTE_VALUES, TOY_ROA, "attrs", "0.1+0500", 0 },
	{ RULE_CMS_BINARY_TIME, TOY_ROA, "attrs", "1.0:2a864886f70d010910022e", 0 },
	{ RULE_CMS_NO_CONTENT_TYPE, TOY_ROA, "attrs", "0-", 0 },
	{ RULE_CMS_CONTENT_TYPE_ATTR, TOY_ROA, "attrs", "0.1.0:2a03", 0 },
	{ RULE_CMS_NO_DIGEST, TOY_ROA, "attrs", "2-", 0 },
	{ RULE_CMS_DIGEST_FORM, TOY_ROA, "attrs", "2.1.0:0102", TOY_KEEP_DIGEST },
	{ RULE_CMS_DIGEST, TOY_ROA, "attrs", "2.1.0|01", TOY_KEEP_DIGEST },
	{ RULE_CMS_NO_TIME, TOY_ROA, "attrs", "1-", 0 },
	{ RULE_CMS_TIME_FORM, TOY_ROA, "attrs", "1.1.0:3236", 0 },
	{ RULE_CMS_SIGNATURE_ALGORITHM, TOY_ROA, "signer", "4.0:2a864886f70d010105", 0 },
	{ RULE_CMS_NO_SIGNATURE, TOY_ROA, "signer", "5-", 0 },
	{ RULE_CMS_UNSIGNED_ATTRIBUTES, TOY_ROA, "signer", "+a100", 0 },
	{ RULE_CMS_SIGNATURE, TOY_ROA, "attrs", "1.1.0:3236303130323030303030305a", TOY_KEEP_SIGNATURE },
	{ RULE_SIGNATURE, TOY_ROA, "ee/tbs", "1:05", TOY_KEEP_EE_SIGNATURE },
	{ RULE_ROA_TYPE, TOY_ROA, "sd", "2.0:2a864886f70d010910011a", 0 },
	{ RULE_ROA_DER, TOY_ROA, "content", "0.1-", 0 },
	{ RULE_ROA_VERSION, TOY_ROA, "content", "0.0<a003020101", 0 },
	{ RULE_ROA_VERSION, TOY_ROA, "content", "0.0<800100", 0 },
	{ RULE_ROA_VERSION_DEFAULT, TOY_ROA, "content", "0.0<a003020100", 0 },
	{ RULE_ROA_AS, TOY_ROA, "content", "0.0:0100000000", 0 },
	{ RULE_ROA_EMPTY, TOY_ROA, "content", "0.1:", 0 },
	{ RULE_ROA_FAMILY, TOY_ROA, "content", "0.1.0.0:0003", 0 },
	{ RULE_ROA_EMPTY_FAMILY, TOY_ROA, "content", "0.1.0.1:", 0 },
	{ RULE_ROA_PREFIX, TOY_ROA, "content", "0.1.0.1.0.0:000102030405", 0 },
	{ RULE_ROA_MAX_LENGTH, TOY_ROA, "content", "0.1.0.1.0.1:08", 0 },
	{ RULE_ROA_MAX_LENGTH, TOY_ROA, "content", "0.1.0.1.0.1:21", 0 },
	{ RULE_ROA_CONTAINED, TOY_ROA, "content", "0.1.0.1.0.0:000a02", 0 },
	{ RULE_ROA_INHERIT, TOY_ROA, "ee/ip", "2.0.0.1=0500", 0 },
	{ RULE_ROA_AS_RESOURCES, TOY_ROA, "ee/tbs", "7.0+301506082b060105050701080101ff04063004a0020500", 0 },
	{ RULE_MFT_TYPE, TOY_MANIFEST, "sd", "2.0:2a864886f70d0109100118", 0 },
	{ RULE_MFT_DER, TOY_MANIFEST, "content", "0.4-", 0 },
	{ RULE_MFT_VERSION, TOY_MANIFEST, "content", "0.0<a003020100", 0 },
	{ RULE_MFT_NUMBER, TOY_MANIFEST, "content", "0.0:ff", 0 },
	{ RULE_MFT_NUMBER, TOY_MANIFEST, "content", "0.0:010202020202020202020202020202020202020202", 0 },
	{ RULE_MFT_TIME_FORM, TOY_MANIFEST, "content", "0.1=170d3236303130313030303030305a", 0 },
	{ RULE_MFT_UPDATES_CROSSED, TOY_MANIFEST, "content", "0.1^", 0 },
	{ RULE_MFT_IN_FUTURE, TOY_MANIFEST, "content", "0.1:32303239303130313030303030305a", 0 },
	{ RULE_MFT_STALE, TOY_MANIFEST, "content", "0.2:32303236303230313030303030305a", 0 },
	{ RULE_MFT_HASH_ALGORITHM, TOY_MANIFEST, "content", "0.3:608648016503040202", 0 },
	{ RULE_MFT_EMPTY, TOY_MANIFEST, "content", "0.4:", 0 },
	{ RULE_MFT_FILE, TOY_MANIFEST, "content", "0.4.0.0=0500", 0 },
	{ RULE_MFT_NAME, TOY_MANIFEST, "content", "0.4.0.0:2e2e2f612e726f61", 0 },
	{ RULE_MFT_FILE_TWICE, TOY_MANIFEST, "content", "0.4.0*", 0 },
	{ RULE_MFT_HASH, TOY_MANIFEST, "content", "0.4.0.1:0001", 0 },
	{ RULE_MFT_INHERIT, TOY_MANIFEST, "ee/ip", "2.0.0.1=30050303000a01", 0 },
	{ RULE_GBR_TYPE, TOY_GHOSTBUSTERS, "sd", "2.0:2a864886f70d0109100118", 0 },
	{ RULE_GBR_INHERIT, TOY_GHOSTBUSTERS, "ee/ip", "2.0.0.1=30050303000a01", 0 },
	{ RULE_GBR_NOT_VCARD, TOY_GHOSTBUSTERS, "content", ":6162", 0 },
	{ RULE_GBR_VERSION, TOY_GHOSTBUSTERS, "content", ":424547494e3a56434152440d0a56455253494f4e3a322e310d0a464e3a410d0a454d41494c3a6140620d0a454e443a56434152440d0a", 0 },
	{ RULE_GBR_NO_NAME, TOY_GHOSTBUSTERS, "content", ":424547494e3a56434152440d0a56455253494f4e3a342e300d0a454d41494c3a6140620d0a454e443a56434152440d0a", 0 },
	{ RULE_GBR_NO_CONTACT, TOY_GHOSTBUSTERS, "content", ":424547494e3a56434152440d0a56455253494f4e3a342e300d0a464e3a410d0a454e443a56434152440d0a", 0 },
	{ RULE_ASPA_TYPE, TOY_ASPA, "sd", "2.0:2a864886f70d0109100118", 0 },
	{ RULE_ASPA_DER, TOY_ASPA, "content", "0.2-", 0 },
	{ RULE_ASPA_VERSION, TOY_ASPA, "content", "0.0-", 0 },
	{ RULE_ASPA_CUSTOMER, TOY_ASPA, "content", "0.1:0100000000", 0 },
	{ RULE_ASPA_EMPTY, TOY_ASPA, "content", "0.2:", 0 },
	{ RULE_ASPA_PROVIDER, TOY_ASPA, "content", "0.2.0=0500", 0 },
	{ RULE_ASPA_ORDER, TOY_ASPA, "content", "0.2.0^", 0 },
	{ RULE_ASPA_ORDER, TOY_ASPA, "content", "0.2.0*", 0 },
	{ RULE_ASPA_SELF, TOY_ASPA, "content", "0.2+020300fbf0", 0 },
	{ RULE_ASPA_IP_RESOURCES, TOY_ASPA, "ee/tbs", "7.0+302106082b060105050701070101ff0412301030060402000105003006040200020500", 0 },
	{ RULE_ASPA_INHERIT, TOY_ASPA, "ee/as", "2.0.0.0=0500", 0 },
	{ RULE_ASPA_CONTAINED, TOY_ASPA, "content", "0.1:05", 0 },
	{ RULE_TAK_TYPE, TOY_TAK, "sd", "2.0:2a864886f70d0109100118", 0 },
	{ RULE_TAK_DER, TOY_TAK, "content", "0.0.2-", 0 },
	{ RULE_TAK_VERSION, TOY_TAK, "content", "0.0<a003020100", 0 },
	{ RULE_TAK_COMMENTS, TOY_TAK, "content", "0.0.0.0=0500", 0 },
	{ RULE_TAK_URIS, TOY_TAK, "content", "0.0.1:", 0 },
	{ RULE_TAK_KEY, TOY_TAK, "content", "0.0.2.1:00300a02030100010203010001", 0 },
	{ RULE_TAK_INHERIT, TOY_TAK, "ee/ip", "2.0.0.1=30050303000a01", 0 },
	{ RULE_TAK_CURRENT, TOY_TAK, "content", "0.0.2.0.1-", 0 },
	{ RULE_RSC_TYPE, TOY_RSC, "sd", "2.0:2a864886f70d0109100118", 0 },
	{ RULE_RSC_SIA, TOY_RSC, "ee/tbs", "7.0+300e06082b0601050507010b04023000", 0 },
	{ RULE_RSC_DER, TOY_RSC, "content", "0.2-", 0 },
	{ RULE_RSC_VERSION, TOY_RSC, "content", "0.0<a003020100", 0 },
	{ RULE_RSC_NO_RESOURCES, TOY_RSC, "content", "0.0:", 0 },
	{ RULE_RSC_AS, TOY_RSC, "content", "0.0.0.0.0.0.0=0500", 0 },
	{ RULE_RSC_IP, TOY_RSC, "content", "0.0.1.0.0.1:", 0 },
	{ RULE_RSC_ALGORITHM, TOY_RSC, "content", "0.1.0:608648016503040202", 0 },
	{ RULE_RSC_EMPTY, TOY_RSC, "content", "0.2:", 0 },
	{ RULE_RSC_NAME, TOY_RSC, "content", "0.2.0.0:2f", 0 },
	{ RULE_RSC_HASH, TOY_RSC, "content", "0.2.0.1:00", 0 },
	{ RULE_RSC_INHERIT, TOY_RSC, "ee/as", "2.0.0.0=0500", 0 },
	{ RULE_RSC_CONTAINED, TOY_RSC, "content", "0.0.0.0.0.0.0:05", 0 },
	{ RULE_SPL_TYPE, TOY_PREFIX_LIST, "sd", "2.0:2a864886f70d0109100118", 0 },
	{ RULE_SPL_DER, TOY_PREFIX_LIST, "content", "0.1-", 0 },
	{ RULE_SPL_VERSION, TOY_PREFIX_LIST, "content", "0.0<a003020100", 0 },
	{ RULE_SPL_AS, TOY_PREFIX_LIST, "content", "0.0:0100000000", 0 },
	{ RULE_SPL_FAMILY, TOY_PREFIX_LIST, "content", "0.1.0.0:0003", 0 },
	{ RULE_SPL_EMPTY, TOY_PREFIX_LIST, "content", "0.1.0.1:", 0 },
	{ RULE_SPL_PREFIX, TOY_PREFIX_LIST, "content", "0.1.0.1.0:000102030405", 0 },
	{ RULE_SPL_ORDER, TOY_PREFIX_LIST, "content", "0.1.0.1.0^", 0 },
	{ RULE_SPL_IP_RESOURCES, TOY_PREFIX_LIST, "ee/tbs", "7.0+302106082b060105050701070101ff0412301030060402000105003006040200020500", 0 },
	{ RULE_SPL_INHERIT, TOY_PREFIX_LIST, "ee/as", "2.0.0.0=0500", 0 },
	{ RULE_SPL_CONTAINED, TOY_PREFIX_LIST, "content", "0.0:05", 0 },
};

static struct toy *toy;
static bool fired[RULE_COUNT];

static bool breaks_rule(struct span s, const char *name, enum rule rule, int64_t now)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct inspect_context ctx = toy_context(toy);
	struct inspection i;

	ctx.now = now;
	assert_true(OK(rpki_inspect(s, span_text(name), &ctx, a, &i)));
	for (unsigned int r = 1; r < RULE_COUNT; r++)
		fired[r] = fired[r] || report_has(&i.report, (enum rule)r);
	return !i.valid && report_has(&i.report, rule);
}

static void toys_are_valid(void **state)
{
	(void)state;
	for (unsigned int w = 0; w < TOY_KINDS; w++) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);
		struct inspect_context ctx = toy_context(toy);
		struct inspection i;
		struct toy_tree tree = toy_tree(a, toy_object(toy, (enum toy_what)w), (enum toy_what)w);

		assert_true(OK(rpki_inspect(toy_object(toy, (enum toy_what)w), span_text(toy_name((enum toy_what)w)), &ctx, a, &i)));
		inspection_print(&i, toy_name((enum toy_what)w), false, b);
		if (!i.valid || i.state != CHAIN_GOOD)
			fail_msg("%s", strbuf_text(b));
		/* taken apart and signed again it is what it was */
		assert_true(span_equal(toy_sign(toy, a, &tree, 0), toy_object(toy, (enum toy_what)w)));
		/* and known without a name */
		assert_true(OK(rpki_inspect(toy_object(toy, (enum toy_what)w), span_text(""), &ctx, a, &i)));
		assert_true(i.valid && i.type == object_type_of_name(span_text(toy_name((enum toy_what)w))));
	}
}

static void each_break_is_found(void **state)
{
	unsigned int wrong = 0;

	(void)state;
	for (size_t n = 0; n < sizeof breaks / sizeof breaks[0]; n++) {
		struct span s = toy_edited(toy, breaks[n].what, breaks[n].part, breaks[n].edits, breaks[n].keep);

		if (s.p == NULL) {
			print_message("%s %s %s: no such place\n", toy_name(breaks[n].what), breaks[n].part, breaks[n].edits);
			wrong++;
		} else if (!breaks_rule(s, toy_name(breaks[n].what), breaks[n].rule, TOY_NOW)) {
			print_message("%s %s %s: not \"%s\"\n", toy_name(breaks[n].what), breaks[n].part, breaks[n].edits, rule_text(breaks[n].rule));
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

/* What routers' data goes through stops at the first broken rule, and refuses the same. */
static bool refused_on_the_way(struct span s, enum toy_what w, int64_t now)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(public_key_free) struct public_key *key = NULL;
	struct report rep;
	struct resources effective;
	struct cert issuer;
	struct cms cms;
	struct roa roa;
	struct aspa aspa;
	struct crl crl;
	struct issuer by = { &issuer, NULL, NULL, &crl };

	report_init(&rep);
	assert_true(OK(crl_read(toy_object(toy, TOY_CRL), a, &rep, &crl)));
	assert_true(OK(cert_read(toy_object(toy, w == TOY_CA ? TOY_TA : TOY_CA), w == TOY_CA ? CERT_TA : CERT_CA, CERT_USE_ANY, a, &rep, &issuer)));
	assert_true(OK(public_key_make(&issuer.key, &key)));
	by.key = key;
	by.resources = &issuer.claimed;
	if (w == TOY_CA)
		return !OK(cert_read(s, CERT_CA, CERT_USE_ANY, a, &rep, &cms.ee)) || !OK(cert_check(&cms.ee, &by, now, a, &rep, &effective));
	if (!OK(cms_read(s, w == TOY_ROA ? OBJECT_ROA : OBJECT_ASPA, a, &rep, &cms)))
		return true;
	if (w == TOY_ROA)
		return !OK(roa_read(&cms, &rep, &roa)) || !OK(cms_check(&cms, &by, now, a, &rep, &effective)) ||
		       !OK(roa_check(&roa, &cms.ee, &effective, &rep));
	return !OK(aspa_read(&cms, &rep, &aspa)) || !OK(cms_check(&cms, &by, now, a, &rep, &effective)) ||
	       !OK(aspa_check(&aspa, &cms.ee, &effective, &rep));
}

static void each_break_is_refused_on_the_way(void **state)
{
	unsigned int tried = 0;

	(void)state;
	assert_false(refused_on_the_way(toy_object(toy, TOY_ROA), TOY_ROA, TOY_NOW));
	assert_false(refused_on_the_way(toy_object(toy, TOY_ASPA), TOY_ASPA, TOY_NOW));
	assert_false(refused_on_the_way(toy_object(toy, TOY_CA), TOY_CA, TOY_NOW));
	for (size_t n = 0; n < sizeof breaks / sizeof breaks[0]; n++) {
		enum toy_what w = breaks[n].what;

		if (w != TOY_ROA && w != TOY_ASPA && w != TOY_CA)
			continue;
		if (!refused_on_the_way(toy_edited(toy, w, breaks[n].part, breaks[n].edits, breaks[n].keep), w, TOY_NOW))
			fail_msg("%s %s %s: taken", toy_name(w), breaks[n].part, breaks[n].edits);
		tried++;
	}
	assert_true(tried > 100);
}

static void times(void **state)
{
	(void)state;
	assert_true(breaks_rule(toy_object(toy, TOY_CA), "toy.cer", RULE_NOT_YET_VALID, 1700000000));
	assert_true(breaks_rule(toy_object(toy, TOY_CA), "toy.cer", RULE_EXPIRED, 2100000000));
	assert_true(breaks_rule(toy_object(toy, TOY_TA), "ta.cer", RULE_EXPIRED, 2100000000));
	assert_true(breaks_rule(toy_object(toy, TOY_ROA), "toy.roa", RULE_NOT_YET_VALID, 1767225599)); /* a second before */
	assert_false(breaks_rule(toy_object(toy, TOY_ROA), "toy.roa", RULE_NOT_YET_VALID, 1767225600));
	assert_false(breaks_rule(toy_object(toy, TOY_ROA), "toy.roa", RULE_EXPIRED, 2082758400));
	assert_true(breaks_rule(toy_object(toy, TOY_ROA), "toy.roa", RULE_EXPIRED, 2082758401));
}

static void content_of_no_known_type(void **state)
{
	(void)state;
	assert_true(breaks_rule(toy_edited(toy, TOY_ROA, "sd", "2.0:2a03", 0), "toy", RULE_CMS_ECONTENT_TYPE, TOY_NOW));
}

static void a_router_must_say_so(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct cert c;

	(void)state;
	report_init_all(&rep, a);
	assert_false(OK(cert_read(toy_edited(toy, TOY_ROUTER, "eku", "-", 0), CERT_ROUTER, CERT_USE_ANY, a, &rep, &c)));
	assert_true(report_has(&rep, RULE_ROUTER_EKU));
	fired[RULE_ROUTER_EKU] = true;
}

static void the_locators_key(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(public_key_free) struct public_key *key = NULL;
	struct report rep;
	struct cert ta, ca;

	(void)state;
	report_init(&rep);
	assert_true(OK(cert_read(toy_object(toy, TOY_TA), CERT_TA, CERT_USE_ANY, a, &rep, &ta)));
	assert_true(OK(cert_read(toy_object(toy, TOY_CA), CERT_CA, CERT_USE_ANY, a, &rep, &ca)));
	assert_true(OK(cert_check_ta(&ta, &ta.key.whole, TOY_NOW, &rep, &key)));
	public_key_free(MOVE(key));
	assert_false(OK(cert_check_ta(&ta, &ca.key.whole, TOY_NOW, &rep, &key)));
	assert_int_equal(rep.first, RULE_TA_KEY);
	assert_null(key);
	fired[RULE_TA_KEY] = true;
}

static void locators(void **state)
{
	struct span good = toy_locator(toy);
	AUTO_CHARS char *text = mem_strndup((const char *)good.p, good.n);
	AUTO_CHARS char *no_uri = mem_strdup(strstr(text, "\n\n") + 1);
	AUTO_CHARS char *path = mem_strdup(text);
	AUTO_CHARS char *odd = mem_printf("%s!", text);
	AUTO_CHARS char *other = mem_printf("rsync://a/b\n\nMAMCAQE=\n");

	(void)state;
	assert_false(breaks_rule(good, "toy.tal", RULE_TAL_KEY, TOY_NOW));
	assert_true(breaks_rule(span_text(no_uri), "toy.tal", RULE_TAL_NO_URI, TOY_NOW));
	memcpy(strstr(path, "rsync"), "rsink", 5);
	assert_true(breaks_rule(span_text(path), "toy.tal", RULE_TAL_URI, TOY_NOW));
	assert_true(breaks_rule(span_text(odd), "toy.tal", RULE_TAL_BASE64, TOY_NOW));
	assert_true(breaks_rule(span_text(other), "toy.tal", RULE_TAL_KEY, TOY_NOW));
}

/* n elements of these octets as the contents of what is at the path. */
static struct span many(enum toy_what w, const char *part, const unsigned int *path, size_t depth, const char *element, size_t n)
{
	struct arena *a = toy_arena(toy);
	struct toy_tree tree = toy_tree(a, toy_object(toy, w), w);
	struct node *at = strcmp(part, "content") == 0 ? tree.content : tree_child(tree.cert, 0);
	size_t len = strlen(element) / 2;
	struct span one = tree_hex(a, element, len * 2);
	uint8_t *all = arena_alloc(a, len * n);

	for (size_t i = 0; i < n; i++)
		memcpy(all + i * len, one.p, len);
	for (size_t i = 0; i < depth; i++)
		at = tree_child(at, path[i]);
	assert_non_null(at);
	at->inside = false;
	at->octets = span_of(all, len * n);
	return toy_sign(toy, a, &tree, 0);
}

static void limits(void **state)
{
	static const unsigned int files[] = { 0, 4 }, revoked[] = { 5 }, addresses[] = { 7, 0, 8, 2, 0, 0, 1 };
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);

	(void)state;
	assert_true(breaks_rule(many(TOY_MANIFEST, "content", files, 2, "3000", MANIFEST_MAX_FILES + 1), "toy.mft", RULE_MFT_LIMIT, TOY_NOW));
	assert_true(breaks_rule(many(TOY_CRL, "tbs", revoked, 1, "3000", CRL_MAX_ENTRIES + 1), "toy.crl", RULE_CRL_LIMIT, TOY_NOW));
	assert_true(breaks_rule(many(TOY_CA, "tbs", addresses, 7, "030100", RESOURCES_MAX_RANGES + 1), "toy.cer", RULE_RESOURCES_LIMIT, TOY_NOW));
	for (unsigned int i = 0; i <= TAL_MAX_URIS; i++)
		strbuf_printf(b, "rsync://a/%u\n", i);
	strbuf_add_span(b, toy_locator(toy));
	assert_true(breaks_rule(strbuf_span(b), "toy.tal", RULE_TAL_LIMIT, TOY_NOW));
}

/* The last test: the table has no row that nothing breaks. */
static void no_rule_is_without_a_test(void **state)
{
	unsigned int silent = 0;

	(void)state;
	for (unsigned int r = 1; r < RULE_COUNT; r++) {
		if (!fired[r])
			print_message("never fired: %s %s\n", rule_name((enum rule)r), rule_text((enum rule)r));
		silent += !fired[r];
	}
	assert_int_equal(silent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(toys_are_valid),
		cmocka_unit_test(each_break_is_found),
		cmocka_unit_test(each_break_is_refused_on_the_way),
		cmocka_unit_test(times),
		cmocka_unit_test(content_of_no_known_type),
		cmocka_unit_test(a_router_must_say_so),
		cmocka_unit_test(the_locators_key),
		cmocka_unit_test(locators),
		cmocka_unit_test(limits),
		cmocka_unit_test(no_rule_is_without_a_test),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
