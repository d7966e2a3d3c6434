/*
 * Resource certificates, CRLs and key formats. The first octet says which kind is wanted. What our reader takes, libcrypto's parser takes too, and sees the same
 * serial number, key and times; what breaks a rule is said, and the first rule found on the way to routers is one of all that are found.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/libcms.h"
#include "base/mem.h"
#include "rpki/object/crl.h"
#include "rpki/object/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static int64_t seconds_of(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, t) != 1)
		abort();
	ASN1_TIME_free(epoch);
	return (int64_t)days * 86400 + seconds;
}

static bool same_serial(const ASN1_INTEGER *theirs, struct span ours)
{
	struct reader r = reader_of(ours);

	if (ours.n > 1 && ours.p[0] == 0)
		read_skip(&r, 1);
	ours = read_rest(&r);
	return (size_t)ASN1_STRING_length(theirs) == ours.n && memcmp(ASN1_STRING_get0_data(theirs), ours.p, ours.n) == 0;
}

static void beside_libcrypto(const struct cert *c)
{
	const unsigned char *p = c->whole.p;
	X509 *x = d2i_X509(NULL, &p, (long)c->whole.n);

	CHECK(x != NULL && p == c->whole.p + c->whole.n);
	CHECK(same_serial(X509_get0_serialNumber(x), c->serial));
	CHECK(seconds_of(X509_get0_notBefore(x)) == c->not_before && seconds_of(X509_get0_notAfter(x)) == c->not_after);
	CHECK((X509_get_ext_by_NID(x, NID_sinfo_access, -1) >= 0) == c->has_sia);
	CHECK((X509_get_ext_by_NID(x, NID_authority_key_identifier, -1) >= 0) == c->has_aki);
	X509_free(x);
}

static void crl_beside_libcrypto(const struct crl *c)
{
	const unsigned char *p = c->whole.p;
	X509_CRL *x = d2i_X509_CRL(NULL, &p, (long)c->whole.n);

	CHECK(x != NULL && p == c->whole.p + c->whole.n);
	CHECK((size_t)sk_X509_REVOKED_num(X509_CRL_get_REVOKED(x)) == c->revoked_count || c->revoked_count == 0);
	CHECK(seconds_of(X509_CRL_get0_lastUpdate(x)) == c->this_update);
	X509_CRL_free(x);
}

static void read_crl(struct span s, struct arena *a)
{
	struct report all, first;
	struct crl c, again;
	struct result r, r1;

	report_init_all(&all, a);
	report_init(&first);
	r = crl_read(s, a, &all, &c);
	r1 = crl_read(s, a, &first, &again);
	if (r.e == ERR_NOMEM || r1.e == ERR_NOMEM)
		return;
	CHECK(OK(r) == OK(r1) && OK(r) == report_good(&all) && (OK(r) || report_has(&all, first.first)));
	for (size_t i = 0; OK(r) && i < c.revoked_count; i++)
		CHECK(crl_has(&c, c.revoked[i]));
	CHECK(!OK(r) || !crl_has(&c, span_of("\x7f\x01\x02", 3)) || c.revoked_count > 0);
	mem_fail_hold(true);
	if (OK(r))
		crl_beside_libcrypto(&c);
	mem_fail_hold(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nothing[32];
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(public_key_free) struct public_key *key = NULL;
	struct reader in = reader_of(span_of(data, size));
	uint8_t what = read8(&in);
	struct span s = read_rest(&in);
	struct report all, first;
	struct cert c, again;
	struct result r, r1;
	enum cert_kind kind = (enum cert_kind)(what % 4);
	enum cert_use use = (what & 8) != 0 ? CERT_USE_RSC : CERT_USE_ANY;

	if (a == NULL || s.n == 0)
		return 0;
	if ((what & 4) != 0) {
		read_crl(s, a);
		return 0;
	}
	cert_kind_of(s);
	report_init_all(&all, a);
	report_init(&first);
	r = cert_read(s, kind, use, a, &all, &c);
	r1 = cert_read(s, kind, use, a, &first, &again);
	if (r.e == ERR_NOMEM || r1.e == ERR_NOMEM)
		return 0;
	CHECK(OK(r) == OK(r1) && OK(r) == report_good(&all) && (OK(r) || report_has(&all, first.first)));
	CHECK(name_equal(c.issuer, c.subject) == name_equal(c.subject, c.issuer));
	mem_fail_hold(true);
	if (OK(r))
		beside_libcrypto(&c);
	mem_fail_hold(false);
	if (OK(r) && OK(public_key_make(&c.key, &key)))
		CHECK(!public_key_verify(key, nothing, c.signature)); /* nobody has signed it */
	return 0;
}
