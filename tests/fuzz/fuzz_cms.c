/*
 * The wrapper of signed objects. The first octet says what the file's name promises. What our reader takes, libcrypto's takes too, and finds the same content; the
 * content's reader is then run over it. DER and BER of the same object are read alike.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/libcms.h"
#include "base/mem.h"
#include "rpki/object/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static void beside_libcrypto(const struct cms *c)
{
	BIO *b = BIO_new_mem_buf(c->whole.p, (int)c->whole.n);
	CMS_ContentInfo *theirs = d2i_CMS_bio(b, NULL);
	ASN1_OCTET_STRING **content = theirs != NULL ? CMS_get0_content(theirs) : NULL;

	CHECK(content != NULL && *content != NULL);
	CHECK((size_t)ASN1_STRING_length(*content) == c->content.n && memcmp(ASN1_STRING_get0_data(*content), c->content.p, c->content.n) == 0);
	CMS_ContentInfo_free(theirs);
	BIO_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct reader in = reader_of(span_of(data, size));
	enum object_type type = (enum object_type)(read8(&in) % OBJECT_TAL);
	struct span s = read_rest(&in);
	struct report all, first;
	struct cms c, again;
	struct result r, r1;

	if (a == NULL || s.n == 0)
		return 0;
	report_init_all(&all, a);
	report_init(&first);
	r = cms_read(s, type, a, &all, &c);
	r1 = cms_read(s, type, a, &first, &again);
	if (r.e == ERR_NOMEM || r1.e == ERR_NOMEM)
		return 0;
	CHECK(OK(r) == OK(r1) && OK(r) == report_good(&all) && (OK(r) || report_has(&all, first.first)));
	if (OK(r) && OK(cms_check_signature(&c, &all))) {
		uint8_t digest[32];

		sha256_of(c.content, digest);
		CHECK(memcmp(digest, c.digest.p, 32) == 0);
	}
	mem_fail_hold(true);
	if (OK(r))
		beside_libcrypto(&c);
	mem_fail_hold(false);
	return 0;
}
