/*
 * Signatures over root-anchors.xml: any octets as document, detached CMS signature and certificates that are trusted, each with its length in two octets before it. A refusal has a
 * reason. What is accepted depends on every octet of the document, on the trusted certificates, and on the time.
 */
#include "base/cursor.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "tests/fuzz/kit.h"
#include "validator/rootxml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1790000000)

static struct span part(struct reader *r)
{
	size_t n = read16(r);
	struct span s = read_span(r, n < reader_left(r) ? n : reader_left(r));

	return s.p != NULL ? s : span_of("", 0);
}

static struct result verify(struct span xml, struct span signature, struct span ca, int64_t when)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 16);
	struct result r;

	CHECK(report != NULL);
	r = rootxml_verify("fuzz", xml, signature, ca, when, report);
	CHECK(OK(r) == (strbuf_len(report) == 0));
	CHECK(OK(r) || r.e == ERR_REFUSED || r.e == ERR_FORMAT);
	return r;
}

static void one_input(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	struct span xml = part(&r), signature = part(&r), ca = part(&r);
	uint8_t *other;

	if (size > 1 << 16 || !OK(verify(xml, signature, ca, NOW)))
		return;
	other = mem_alloc(xml.n + 1);
	CHECK(other != NULL);
	if (xml.n > 0)
		memcpy(other, xml.p, xml.n);
	for (size_t i = 0; i <= xml.n; i += xml.n / 4 + 1) {
		other[i] ^= 0x10; /* another octet, or one more */
		CHECK(!OK(verify(span_of(other, i < xml.n ? xml.n : xml.n + 1), signature, ca, NOW)));
		other[i] ^= 0x10;
	}
	CHECK(!OK(verify(xml, signature, span_of("", 0), NOW)));
	CHECK(!OK(verify(xml, signature, ca, 0)));
	mem_free(other);
}

KIT_TARGET(one_input)
