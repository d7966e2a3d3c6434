#include "rpki/object/cms.h"

#include "rpki/object/oid.h"

struct reading {
	struct cms *cms PARENT_FIELD;
	struct report *rep PARENT_FIELD;
	struct arena *a PARENT_FIELD;
	enum object_type type;
	struct span cert;
	bool nomem;
	bool ski_sid; /* the signer is named by a key identifier */
	struct span sid;
};

static const struct {
	const char *text SHARED_FIELD;
	char suffix[5];
} types[OBJECT_TYPES] = {
	[OBJECT_UNKNOWN] = { "unknown", "" },
	[OBJECT_CERT] = { "certificate", ".cer" },
	[OBJECT_CRL] = { "CRL", ".crl" },
	[OBJECT_ROA] = { "ROA", ".roa" },
	[OBJECT_MANIFEST] = { "manifest", ".mft" },
	[OBJECT_GHOSTBUSTERS] = { "Ghostbusters", ".gbr" },
	[OBJECT_ASPA] = { "ASPA", ".asa" },
	[OBJECT_TAK] = { "TAK", ".tak" },
	[OBJECT_RSC] = { "RSC", ".sig" },
	[OBJECT_PREFIX_LIST] = { "prefix list", ".spl" },
	[OBJECT_TAL] = { "TAL", ".tal" },
};

const char *object_type_text(enum object_type t) { return types[t].text; }

enum object_type object_type_of_name(struct span name)
{
	for (unsigned int t = OBJECT_CERT; name.n >= 4 && t < OBJECT_TYPES; t++)
		if (memcmp(name.p + name.n - 4, types[t].suffix, 4) == 0)
			return (enum object_type)t;
	return OBJECT_UNKNOWN;
}

enum object_type object_type_of_content(struct span oid)
{
	if (OID_IS(oid, OID_ROA))
		return OBJECT_ROA;
	if (OID_IS(oid, OID_MANIFEST))
		return OBJECT_MANIFEST;
	if (OID_IS(oid, OID_GHOSTBUSTERS))
		return OBJECT_GHOSTBUSTERS;
	if (OID_IS(oid, OID_ASPA))
		return OBJECT_ASPA;
	if (OID_IS(oid, OID_TAK))
		return OBJECT_TAK;
	if (OID_IS(oid, OID_RSC))
		return OBJECT_RSC;
	return OID_IS(oid, OID_PREFIX_LIST) ? OBJECT_PREFIX_LIST : OBJECT_UNKNOWN;
}

/* The rule that an eContentType which is not what the file's name says breaks. */
static enum rule wrong_type_rule(enum object_type t)
{
	switch (t) {
	case OBJECT_ROA:
		return RULE_ROA_TYPE;
	case OBJECT_MANIFEST:
		return RULE_MFT_TYPE;
	case OBJECT_GHOSTBUSTERS:
		return RULE_GBR_TYPE;
	case OBJECT_ASPA:
		return RULE_ASPA_TYPE;
	case OBJECT_TAK:
		return RULE_TAK_TYPE;
	case OBJECT_RSC:
		return RULE_RSC_TYPE;
	case OBJECT_PREFIX_LIST:
		return RULE_SPL_TYPE;
	default:
		return RULE_CMS_ECONTENT_TYPE;
	}
}

/* AlgorithmIdentifier of SHA-256; parameters absent, or NULL as 6 % of the real ones have it (RFC 5754 section 2). */
static bool is_sha256(struct reader *r)
{
	struct reader in = der_enter(r, DER_SEQUENCE);
	struct span oid = der_get(&in, DER_OID);

	if (!OID_IS(oid, OID_SHA256))
		return false;
	return reader_end(&in) || (der_get(&in, DER_NULL).n == 0 && reader_ok(&in) && reader_end(&in));
}

static bool read_digest_algorithms(const struct reading *g, struct reader *r)
{
	struct reader set = der_enter(r, DER_SET);

	if (!reader_ok(r))
		UNREADABLE(g->rep, CMS_DER);
	if (reader_end(&set)) {
		BROKEN(g->rep, CMS_DIGESTS_COUNT);
		return true;
	}
	if (!is_sha256(&set))
		BROKEN(g->rep, CMS_DIGESTS);
	if (!reader_end(&set))
		BROKEN(g->rep, CMS_DIGESTS_COUNT);
	return true;
}

static bool read_content(const struct reading *g, struct reader *r)
{
	struct reader in = der_enter(r, DER_SEQUENCE), wrap;
	char room[DER_OID_TEXT];
	enum object_type is;

	g->cms->content_type = der_get(&in, DER_OID);
	if (!reader_ok(&in))
		UNREADABLE(g->rep, CMS_DER);
	if (reader_end(&in))
		UNREADABLE(g->rep, CMS_NO_CONTENT);
	wrap = der_enter(&in, DER_CONSTRUCTED);
	g->cms->content = der_get(&wrap, DER_OCTET_STRING);
	der_leave(&in, &wrap);
	der_leave(r, &in);
	if (!reader_ok(r))
		UNREADABLE(g->rep, CMS_DER);
	is = object_type_of_content(g->cms->content_type);
	if (is == OBJECT_UNKNOWN || (g->type != OBJECT_UNKNOWN && is != g->type)) {
		if (report_broken_at(g->rep, wrong_type_rule(g->type), "%s", der_oid_text(g->cms->content_type, room)))
			return false;
	}
	return true;
}

static bool read_certificates(struct reading *g, struct reader *r)
{
	struct reader in;

	if (der_peek(r) != DER_CONSTRUCTED) {
		BROKEN(g->rep, CMS_NO_CERT);
		return true;
	}
	in = der_enter(r, DER_CONSTRUCTED);
	if (reader_ok(&in) && reader_end(&in)) {
		BROKEN(g->rep, CMS_NO_CERT);
		return true;
	}
	g->cert = der_whole_any(&in);
	if (!reader_ok(&in))
		UNREADABLE(g->rep, CMS_DER);
	if (!reader_end(&in))
		BROKEN(g->rep, CMS_CERTS);
	return true;
}

/* The one value of an attribute: *ret_set false when there is not one. */
static struct span attribute_value(struct span values, uint8_t *ret_tag, bool *ret_one)
{
	struct reader r = reader_of(values);
	struct span s = der_any(&r, ret_tag);

	*ret_one = reader_ok(&r) && reader_end(&r);
	return s;
}

enum { SEEN_TYPE = 1, SEEN_DIGEST = 2, SEEN_TIME = 4, SEEN_BINARY = 8 };

static bool take_attribute(const struct reading *g, struct span oid, struct span values, unsigned int *seen)
{
	bool one;
	uint8_t tag = 0;
	struct span value = attribute_value(values, &tag, &one);
	char room[DER_OID_TEXT];
	unsigned int which = OID_IS(oid, OID_CONTENT_TYPE_ATTR)    ? SEEN_TYPE
			     : OID_IS(oid, OID_MESSAGE_DIGEST_ATTR) ? SEEN_DIGEST
			     : OID_IS(oid, OID_SIGNING_TIME_ATTR)   ? SEEN_TIME
			     : OID_IS(oid, OID_BINARY_SIGNING_TIME_ATTR) ? SEEN_BINARY : 0;

	if (which == 0) {
		BROKEN_AT(g->rep, CMS_ATTRIBUTE, "%s", der_oid_text(oid, room));
		return true;
	}
	if (which == SEEN_BINARY)
		BROKEN(g->rep, CMS_BINARY_TIME);
	if ((*seen & which) != 0) {
		BROKEN(g->rep, CMS_ATTRIBUTE_TWICE);
		return true;
	}
	*seen |= which;
	if (!one) {
		BROKEN(g->rep, CMS_ATTRIBUTE_VALUES);
		return true;
	}
	if (which == SEEN_TYPE && (tag != DER_OID || !span_equal(value, g->cms->content_type)))
		BROKEN(g->rep, CMS_CONTENT_TYPE_ATTR);
	if (which == SEEN_DIGEST) {
		if (tag != DER_OCTET_STRING || value.n != 32)
			BROKEN(g->rep, CMS_DIGEST_FORM);
		else
			g->cms->digest = value;
	}
	if (which == SEEN_TIME) {
		g->cms->has_signing_time = der_time_value(tag, value, &g->cms->signing_time);
		if (!g->cms->has_signing_time)
			BROKEN(g->rep, CMS_TIME_FORM);
	}
	return true;
}

static bool read_attributes(const struct reading *g, struct reader *r)
{
	struct reader whole = *r;
	struct span contents = der_get(r, DER_CONSTRUCTED), head;
	struct reader in = reader_of(contents);
	unsigned int seen = 0;

	if (!reader_ok(r))
		UNREADABLE(g->rep, CMS_DER);
	head = der_take(&whole, r->pos - whole.pos - contents.n);
	g->cms->attributes = contents;
	g->cms->attributes_head = head;
	if (!der_set_is_sorted(contents))
		BROKEN(g->rep, CMS_ATTRIBUTES_ORDER);
	while (!reader_end(&in)) {
		struct reader one = der_enter(&in, DER_SEQUENCE);
		struct span oid = der_get(&one, DER_OID), values = der_get(&one, DER_SET);

		der_leave(&in, &one);
		if (!reader_ok(&in))
			UNREADABLE(g->rep, CMS_DER);
		if (!take_attribute(g, oid, values, &seen))
			return false;
	}
	if ((seen & SEEN_TYPE) == 0)
		BROKEN(g->rep, CMS_NO_CONTENT_TYPE);
	if ((seen & SEEN_DIGEST) == 0)
		BROKEN(g->rep, CMS_NO_DIGEST);
	if ((seen & SEEN_TIME) == 0)
		BROKEN(g->rep, CMS_NO_TIME);
	return true;
}

/* RSA by either of two names (RFC 7935 section 2), parameters NULL or absent. An object without a signing time (RFC 9589), which is of use only when that
 * rule is left out, is judged as one of the times of RFC 6485, whose section 2 knew one name: so the conformance suite of that time has it. */
static bool is_rsa_signature(const struct reading *g, struct reader *r)
{
	struct reader in = der_enter(r, DER_SEQUENCE);
	struct span oid = der_get(&in, DER_OID);

	if (!OID_IS(oid, OID_SHA256_WITH_RSA) && !(OID_IS(oid, OID_RSA_ENCRYPTION) && g->cms->has_signing_time))
		return false;
	return reader_end(&in) || (der_get(&in, DER_NULL).n == 0 && reader_ok(&in) && reader_end(&in));
}

static bool read_sid(struct reading *g, struct reader *r)
{
	if (der_peek(r) == DER_CONTEXT) {
		g->sid = der_get(r, DER_CONTEXT);
		g->ski_sid = true;
	} else {
		BROKEN(g->rep, CMS_SID);
		if (der_peek(r) == DER_SEQUENCE) { /* an issuer and serial number, or else there is none and this is the digest's algorithm */
			struct reader look = *r, in = der_enter(&look, DER_SEQUENCE);

			if (der_peek(&in) == DER_SEQUENCE)
				der_whole_any(r);
		}
	}
	return true;
}

static bool read_signer(struct reading *g, struct reader *list)
{
	struct reader r = der_enter(list, DER_SEQUENCE);
	uint64_t version;

	if (!reader_ok(&r))
		UNREADABLE(g->rep, CMS_DER);
	if (!der_small(der_integer(&r), UINT64_MAX, &version) || version != 3)
		BROKEN(g->rep, CMS_SIGNER_VERSION);
	if (!read_sid(g, &r))
		return false;
	if (der_peek(&r) != DER_SEQUENCE) {
		BROKEN(g->rep, CMS_SIGNER_DIGEST);
	} else if (!is_sha256(&r)) {
		BROKEN(g->rep, CMS_SIGNER_DIGEST);
	}
	if (der_peek(&r) != DER_CONSTRUCTED)
		BROKEN(g->rep, CMS_NO_ATTRIBUTES);
	else if (!read_attributes(g, &r))
		return false;
	if (!is_rsa_signature(g, &r))
		BROKEN(g->rep, CMS_SIGNATURE_ALGORITHM);
	if (der_peek(&r) != DER_OCTET_STRING) {
		BROKEN(g->rep, CMS_NO_SIGNATURE);
	} else {
		g->cms->signature = der_get(&r, DER_OCTET_STRING);
	}
	if (der_peek(&r) == DER_OCTET_STRING) {
		BROKEN(g->rep, CMS_NO_SIGNATURE);
		der_whole_any(&r);
	}
	if (der_peek(&r) == DER_CONSTRUCTED + 1) {
		BROKEN(g->rep, CMS_UNSIGNED_ATTRIBUTES);
		der_whole_any(&r);
	}
	if (!reader_ok(&r) || !reader_end(&r))
		UNREADABLE(g->rep, CMS_DER);
	return true;
}

static bool read_signers(struct reading *g, struct reader *r)
{
	struct reader set = der_enter(r, DER_SET);

	if (!reader_ok(r))
		UNREADABLE(g->rep, CMS_DER);
	if (reader_end(&set)) {
		BROKEN(g->rep, CMS_SIGNERS);
		return true;
	}
	if (!read_signer(g, &set))
		return false;
	if (!reader_end(&set))
		BROKEN(g->rep, CMS_SIGNERS);
	return true;
}

static bool read_signed_data(struct reading *g, struct reader *r)
{
	uint64_t version;

	if (!der_small(der_integer(r), UINT64_MAX, &version) || version != 3)
		BROKEN(g->rep, CMS_VERSION);
	if (!read_digest_algorithms(g, r) || !read_content(g, r) || !read_certificates(g, r))
		return false;
	if (der_peek(r) == DER_CONSTRUCTED + 1) {
		BROKEN(g->rep, CMS_CRLS);
		der_whole_any(r);
	}
	if (!read_signers(g, r))
		return false;
	if (!reader_ok(r) || !reader_end(r))
		UNREADABLE(g->rep, CMS_DER);
	return true;
}

static bool read_wrapper(struct reading *g, struct span s)
{
	struct reader outer = reader_of(s), info = der_enter(&outer, DER_SEQUENCE), wrap, data;
	struct span type = der_get(&info, DER_OID);

	if (!reader_ok(&info) || !reader_end(&outer))
		UNREADABLE(g->rep, CMS_DER);
	if (!OID_IS(type, OID_SIGNED_DATA))
		BROKEN(g->rep, CMS_TYPE);
	wrap = der_enter(&info, DER_CONSTRUCTED);
	data = der_enter(&wrap, DER_SEQUENCE);
	if (!reader_ok(&wrap) || !reader_end(&wrap) || !reader_end(&info))
		UNREADABLE(g->rep, CMS_DER);
	return read_signed_data(g, &data);
}

/* The EE certificate, and the signer's name of it. */
static bool read_ee(struct reading *g)
{
	struct result r;

	if (g->cert.n == 0)
		return true;
	r = cert_read(g->cert, CERT_EE, g->type == OBJECT_RSC ? CERT_USE_RSC : CERT_USE_ANY, g->a, g->rep, &g->cms->ee);
	if (r.e == ERR_NOMEM) {
		g->nomem = true;
		return false;
	}
	if (!OK(r) && !g->rep->all)
		return false;
	if (g->ski_sid && !span_equal(g->sid, g->cms->ee.ski))
		BROKEN(g->rep, CMS_SID_MISMATCH);
	return true;
}

RESULT cms_read(struct span whole, enum object_type type, struct arena *a, struct report *rep, struct cms *ret)
{
	struct reading g = { .cms = ret, .rep = rep, .a = a, .type = type };
	struct reader look = reader_of(whole);
	struct span s = whole;
	size_t before = rep->count;
	bool wrapper;

	*ret = (struct cms){ .whole = whole };
	if (read16(&look) == (DER_SEQUENCE << 8 | 0x80)) { /* an indefinite length */
		struct result r = ber_to_der(whole, a, &s);

		if (r.e == ERR_NOMEM)
			return r;
		ret->ber = true;
	}
	wrapper = read_wrapper(&g, s);
	if (!wrapper && !rep->all)
		return FAIL(g.nomem ? ERR_NOMEM : ERR_FORMAT);
	if (!read_ee(&g) || !wrapper)
		return FAIL(g.nomem ? ERR_NOMEM : ERR_FORMAT);
	return rep->count != before ? FAIL(ERR_FORMAT) : DONE;
}

/* RFC 5652 section 5.4: the attributes are signed as a SET OF, not with the tag that they have. */
static bool check_signature(const struct cms *cms, struct report *rep, bool *ret_nomem)
{
	static const uint8_t set = DER_SET;
	AUTO(public_key_free) struct public_key *key = NULL;
	struct reader head = reader_of(cms->attributes_head);
	uint8_t digest[32], attributes[32];
	struct result made;

	sha256_of(cms->content, digest);
	if (cms->digest.n == 32 && memcmp(digest, cms->digest.p, 32) != 0)
		BROKEN(rep, CMS_DIGEST);
	if (cms->signature.n == 0 || cms->attributes.n == 0)
		return true; /* which has been said */
	made = public_key_make(&cms->ee.key, &key);
	*ret_nomem = made.e == ERR_NOMEM;
	if (*ret_nomem)
		return false;
	read_skip(&head, 1);
	sha256_of_three((struct span){ &set, 1 }, der_rest(&head), cms->attributes, attributes);
	if (!OK(made) || !public_key_verify(key, attributes, cms->signature))
		BROKEN(rep, CMS_SIGNATURE);
	return true;
}

RESULT cms_check_signature(const struct cms *cms, struct report *rep)
{
	size_t before = rep->count;
	bool nomem = false;

	if (!check_signature(cms, rep, &nomem))
		return FAIL(nomem ? ERR_NOMEM : ERR_FORMAT);
	return rep->count != before ? FAIL(ERR_FORMAT) : DONE;
}

RESULT cms_check(const struct cms *cms, const struct issuer *by, int64_t now, struct arena *a, struct report *rep, struct resources *ret_effective)
{
	struct result chain = cert_check(&cms->ee, by, now, a, rep, ret_effective), own;

	if (chain.e == ERR_NOMEM || (!OK(chain) && !rep->all))
		return chain;
	own = cms_check_signature(cms, rep);
	return OK(chain) ? own : chain;
}
