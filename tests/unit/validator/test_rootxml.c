#include "tests/unit/dns/dns_test.h"

#include "base/libcms.h"
#include "validator/anchors.h"
#include "validator/rootxml.h"

#define NOW 1790000000 /* September 2026 */
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TrustAnchor id=\"1\" source=\"http://data.iana.org/root-anchors/root-anchors.xml\">\n"
#define ZONE "<Zone>.</Zone>\n"
#define OLD "<KeyDigest id=\"Kjqmt7v\" validFrom=\"2010-07-15T00:00:00+00:00\" validUntil=\"2019-01-11T00:00:00+00:00\"><KeyTag>19036</KeyTag>" \
	"<Algorithm>8</Algorithm><DigestType>2</DigestType><Digest>49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5</Digest></KeyDigest>\n"
#define KEY_2017 "<KeyDigest id=\"Klajeyz\" validFrom=\"2017-02-02T00:00:00+00:00\">\n\t<KeyTag>20326</KeyTag>\n\t<Algorithm>8</Algorithm>\n" \
	"\t<DigestType>2</DigestType>\n\t<Digest>\n E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n</Digest>\n"
#define PUBLIC_2017 "<PublicKey>AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kv" \
	"ArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWe" \
	"L3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=</PublicKey>" \
	"<Flags>257</Flags>"
#define END "</KeyDigest>\n"
#define TAIL "</TrustAnchor>\n"
#define DS_2017 ". IN DS 20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d\n"

static void expect_text(const char *xml, int64_t when, const char *want)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(65536);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);
	struct result r = rootxml_text("t", span_text(xml), when, out, report);

	assert_string_equal(strbuf_text(report), "");
	assert_ok(r);
	assert_string_equal(strbuf_text(out), want);
}

static void expect_report(const char *xml, const char *message)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(65536);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

	assert_int_equal(rootxml_text("t", span_text(xml), NOW, out, report).e, ERR_FORMAT);
	if (strstr(strbuf_text(report), message) == NULL)
		fail_msg("found %s, expected %s", strbuf_text(report), message);
}

static void keys_count_in_their_time(void **state)
{
	(void)state;
	expect_text(HEAD ZONE OLD KEY_2017 END TAIL, NOW, DS_2017);
	expect_text(HEAD ZONE OLD KEY_2017 PUBLIC_2017 END TAIL, NOW, DS_2017);
	expect_text(HEAD ZONE OLD KEY_2017 END TAIL, 1400000000, ". IN DS 19036 8 2 49aac11d7b6f6446702e54a1607371607a1a41855200fd2ce1cdde32f24e8fb5\n");
	/* both: from the instant of validFrom, up to but without that of validUntil */
	expect_text(HEAD ZONE KEY_2017 END TAIL, 1485993600, DS_2017);
	expect_report(HEAD ZONE OLD TAIL, "t: found no key that is valid now");
}

static void times_may_have_an_offset(void **state)
{
	(void)state;
	expect_text(HEAD ZONE "<KeyDigest validFrom=\"2017-02-02T02:00:00+02:00\"><KeyTag>1</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType>"
		"<Digest>00</Digest>" END TAIL, 1485993600, ". IN DS 1 8 2 00\n");
	expect_report(HEAD ZONE "<KeyDigest validFrom=\"2017-02-02\">" END TAIL, "t:4: found a date of another form");
	expect_report(HEAD ZONE "<KeyDigest validFrom=\"2017-13-02T00:00:00Z\">" END TAIL, "t:4: found a date of another form");
}

static void what_is_wrong_is_refused(void **state)
{
	(void)state;
	expect_report("", "found no XML");
	expect_report("<html/>", "t:1: found another document, expected TrustAnchor");
	expect_report(HEAD "<Zone>com</Zone>" KEY_2017 END TAIL, "found anchors of another zone, expected the root's");
	expect_report(HEAD KEY_2017 END TAIL, "found no key that is valid now");
	expect_report(HEAD ZONE KEY_2017 END, "found no XML (no element found)");
	expect_report(HEAD ZONE KEY_2017 "<Digest>00</Digest>" END TAIL, "found an element twice");
	expect_report(HEAD ZONE KEY_2017 "<X><Y/></X>" END TAIL, "found elements in elements");
	expect_report(HEAD ZONE "<KeyDigest><KeyTag>70000</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType><Digest>00</Digest>" END TAIL,
	    "found a KeyDigest without its numbers");
	expect_report(HEAD ZONE "<KeyDigest><KeyTag>1</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType><Digest>0G</Digest>" END TAIL,
	    "found a digest that cannot be read");
	expect_report(HEAD ZONE KEY_2017 "<PublicKey>AwEAAaz/tAm8yTn4</PublicKey>" END TAIL, "found a public key that the digest is not of");
	expect_report(HEAD ZONE KEY_2017 "<PublicKey>###</PublicKey>" END TAIL, "found a public key that cannot be read");
	expect_report(HEAD ZONE KEY_2017 END "<x>\xff</x>" TAIL, "found no XML");
}

static void a_document_with_a_dtd_is_refused(void **state)
{
	(void)state;
	expect_report("<!DOCTYPE TrustAnchor [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><TrustAnchor><Zone>&b;</Zone></TrustAnchor>",
	    "t:1: found a document type declaration, expected none");
	expect_report("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><TrustAnchor/>", "found a document type declaration");
	expect_report("<TrustAnchor><Zone>&b;</Zone></TrustAnchor>", "found no XML");
}

static void there_are_limits(void **state)
{
	AUTO(strbuf_free) struct strbuf *xml = strbuf_new(4 << 20);
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(65536);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

	(void)state;
	strbuf_puts(xml, HEAD ZONE "<KeyDigest><Digest>");
	for (size_t i = 0; i < ROOTXML_FIELD + 1; i++)
		strbuf_putc(xml, '0');
	strbuf_puts(xml, "</Digest>" END TAIL);
	expect_report(strbuf_text(xml), "found an element that is too long");
	strbuf_clear(xml);
	strbuf_puts(xml, HEAD ZONE);
	for (size_t i = 0; i < ROOTXML_KEYS + 1; i++)
		strbuf_puts(xml, OLD);
	strbuf_puts(xml, TAIL);
	expect_report(strbuf_text(xml), "found too many keys");
	while (strbuf_len(xml) <= ROOTXML_MAX)
		strbuf_puts(xml, OLD);
	assert_int_equal(rootxml_text("t", strbuf_span(xml), NOW, out, report).e, ERR_LIMIT);
}

/* --- signatures, by certificates made here */

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	assert_non_null(k);
	return k;
}

static void add_extension(X509 *c, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(c, e, -1), 1);
	X509_EXTENSION_free(e);
}

static X509 *new_certificate(const char *name, EVP_PKEY *key, const X509 *issuer, EVP_PKEY *by, bool is_ca)
{
	X509 *c = X509_new();
	X509_NAME *subject = X509_get_subject_name(c);

	X509_set_version(c, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c), is_ca ? 1 : 2);
	ASN1_TIME_set(X509_getm_notBefore(c), NOW - 86400);
	ASN1_TIME_set(X509_getm_notAfter(c), NOW + 86400);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(c, issuer != NULL ? X509_get_subject_name(issuer) : subject);
	X509_set_pubkey(c, key);
	add_extension(c, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_extension(c, NID_key_usage, is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	if (!is_ca)
		add_extension(c, NID_ext_key_usage, "emailProtection");
	assert_true(X509_sign(c, by, EVP_sha256()) > 0);
	return c;
}

static struct span octets_of(struct arena *a, BIO *b)
{
	char *p = NULL;
	long n = BIO_get_mem_data(b, &p);

	return span_of(arena_dup(a, p, (size_t)n), (size_t)n);
}

struct pki {
	struct arena *a;
	EVP_PKEY *ca_key, *key;
	X509 *ca, *certificate;
	struct span pem, signature;
};

static void pki_make(struct pki *p, const char *text)
{
	BIO *out = BIO_new(BIO_s_mem()), *pem = BIO_new(BIO_s_mem()), *in = BIO_new_mem_buf(text, -1);
	CMS_ContentInfo *cms;

	p->a = arena_new(0);
	p->ca_key = new_key();
	p->key = new_key();
	p->ca = new_certificate("Root CA", p->ca_key, NULL, p->ca_key, true);
	p->certificate = new_certificate("Signer", p->key, p->ca, p->ca_key, false);
	cms = CMS_sign(p->certificate, p->key, NULL, in, CMS_DETACHED | CMS_BINARY);
	assert_non_null(cms);
	assert_int_equal(i2d_CMS_bio(out, cms), 1);
	assert_int_equal(PEM_write_bio_X509(pem, p->ca), 1);
	p->signature = octets_of(p->a, out);
	p->pem = octets_of(p->a, pem);
	CMS_ContentInfo_free(cms);
	BIO_free(out);
	BIO_free(pem);
	BIO_free(in);
}

static void pki_done(struct pki *p)
{
	X509_free(p->certificate);
	X509_free(p->ca);
	EVP_PKEY_free(p->key);
	EVP_PKEY_free(p->ca_key);
	arena_free(p->a);
}

static enum err verify(const char *xml, struct span signature, struct span ca, int64_t when, const char *message)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);
	struct result r = rootxml_verify("t", span_text(xml), signature, ca, when, report);

	if (strstr(strbuf_text(report), message) == NULL)
		fail_msg("found %s, expected %s", strbuf_text(report), message);
	return r.e;
}

static void a_signature_counts_when_the_ca_vouches_for_it(void **state)
{
	struct pki p, other;
	const char *xml = HEAD ZONE KEY_2017 END TAIL;

	(void)state;
	pki_make(&p, xml);
	pki_make(&other, xml);
	assert_int_equal(verify(xml, p.signature, p.pem, NOW, ""), ERR_NONE);
	assert_int_equal(verify(HEAD ZONE OLD TAIL, p.signature, p.pem, NOW, "t: the signature is not good: "), ERR_REFUSED);
	assert_int_equal(verify(xml, p.signature, other.pem, NOW, "t: the signature is not good: certificate verify error"), ERR_REFUSED);
	assert_int_equal(verify(xml, other.signature, p.pem, NOW, "t: the signature is not good: "), ERR_REFUSED);
	assert_int_equal(verify(xml, p.signature, p.pem, NOW + 2 * 86400, "t: the signature is not good: certificate verify error"), ERR_REFUSED);
	assert_int_equal(verify(xml, p.signature, p.pem, NOW - 2 * 86400, "t: the signature is not good: "), ERR_REFUSED);
	pki_done(&p);
	pki_done(&other);
}

static void what_is_no_signature_or_certificate_is_said(void **state)
{
	struct pki p;
	const char *xml = HEAD ZONE KEY_2017 END TAIL;

	(void)state;
	pki_make(&p, xml);
	assert_int_equal(verify(xml, span_text("nonsense"), p.pem, NOW, "t: found no CMS signature"), ERR_FORMAT);
	assert_int_equal(verify(xml, span_of(p.signature.p, p.signature.n - 20), p.pem, NOW, "t: found no CMS signature"), ERR_FORMAT);
	assert_int_equal(verify(xml, p.signature, span_text("nonsense"), NOW, "t: found no certificate, expected PEM"), ERR_FORMAT);
	for (size_t i = 0; i < p.signature.n; i += 7) {
		AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);
		uint8_t *bent = arena_dup(p.a, p.signature.p, p.signature.n);

		assert_non_null(report);
		assert_non_null(bent);
		bent[i] ^= 0x10;
		(void)!OK(rootxml_verify("t", span_text(xml), span_of(bent, p.signature.n), p.pem, NOW, report)); /* must end, and not crash */
	}
	pki_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_count_in_their_time),
		cmocka_unit_test(times_may_have_an_offset),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(a_document_with_a_dtd_is_refused),
		cmocka_unit_test(there_are_limits),
		cmocka_unit_test(a_signature_counts_when_the_ca_vouches_for_it),
		cmocka_unit_test(what_is_no_signature_or_certificate_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
