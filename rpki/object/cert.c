#include "rpki/object/cert.h"

#include "base/arena.h"
#include "rpki/object/crl.h"
#include "rpki/object/oid.h"

struct reading {
	struct cert *c PARENT_FIELD;
	struct report *rep PARENT_FIELD;
	struct arena *a PARENT_FIELD;
	enum cert_use use;
	bool nomem;
	uint32_t seen;   /* bits of enum known */
};

/* The extensions of the profile, each with what reads it. */
enum known { BASIC, SKI, AKI, USAGE, EKU, CRLDP, AIA, SIA, POLICIES, IP, AS, IP2, AS2, KNOWN };

static bool has(const struct reading *g, enum known k) { return (g->seen >> k & 1) != 0; }
static bool is_ca(const struct cert *c) { return c->kind == CERT_TA || c->kind == CERT_CA; }

static bool read_basic(struct reading *g, struct span value)
{
	struct reader outer = reader_of(value), r = der_enter(&outer, DER_SEQUENCE);
	bool ca = false;

	if (der_peek(&r) == DER_BOOLEAN) {
		ca = der_boolean(&r);
		if (!ca)
			reader_fail(&r);
	}
	g->c->constraints = ca ? 2 : 1;
	if (der_peek(&r) == DER_INTEGER) {
		der_integer(&r);
		BROKEN(g->rep, BASIC_PATH_LENGTH);
	}
	der_leave(&outer, &r);
	if (!reader_ok(&outer) || !reader_end(&outer))
		BROKEN(g->rep, BASIC_DER);
	return true;
}

static bool read_ski(struct reading *g, struct span value)
{
	struct reader r = reader_of(value);
	struct span id = der_get(&r, DER_OCTET_STRING);

	if (!reader_ok(&r) || !reader_end(&r) || id.n != 20) {
		BROKEN(g->rep, SKI_LENGTH);
		return true;
	}
	g->c->ski = id;
	return true;
}

static bool read_aki(struct reading *g, struct span value)
{
	g->c->has_aki = true;
	if (!aki_read(value, &g->c->aki))
		BROKEN(g->rep, AKI_FORM);
	return true;
}

static bool read_usage(struct reading *g, struct span value)
{
	struct reader r = reader_of(value);
	struct bits b = der_bit_string(&r);
	uint8_t want = is_ca(g->c) ? 0x06 : 0x80; /* keyCertSign and cRLSign; digitalSignature */

	if (!reader_ok(&r) || !reader_end(&r) || b.octets.n != 1 || b.octets.p[0] != want || b.unused != (want == 0x06 ? 1 : 7))
		BROKEN(g->rep, USAGE_BITS);
	return true;
}

static bool read_eku(struct reading *g, struct span value)
{
	struct reader outer = reader_of(value), r = der_enter(&outer, DER_SEQUENCE);
	bool router = false;

	if (g->c->kind != CERT_ROUTER)
		BROKEN(g->rep, EKU_PRESENT);
	while (!reader_end(&r))
		router = OID_IS(der_get(&r, DER_OID), OID_BGPSEC_ROUTER) || router;
	if (!reader_ok(&r) || !reader_ok(&outer) || !reader_end(&outer))
		BROKEN(g->rep, EKU_DER);
	if (g->c->kind == CERT_ROUTER && !router)
		BROKEN(g->rep, ROUTER_EKU);
	return true;
}

static bool crldp_der(struct reading *g)
{
	BROKEN(g->rep, CRLDP_DER);
	return true;
}

/* One DistributionPoint with a fullName of URIs, at least one of them rsync's, and nothing else (RFC 6487 section 4.8.6). */
static bool read_crldp(struct reading *g, struct span value)
{
	struct reader outer = reader_of(value), r = der_enter(&outer, DER_SEQUENCE), point = der_enter(&r, DER_SEQUENCE);
	struct reader name, full;

	g->c->has_crldp = true;
	if (g->c->kind == CERT_TA)
		BROKEN(g->rep, CRLDP_TA);
	if (!reader_ok(&r) || !reader_ok(&outer) || !reader_end(&outer))
		return crldp_der(g);
	if (!reader_end(&r))
		BROKEN(g->rep, CRLDP_SEVERAL);
	if (der_peek(&point) != DER_CONSTRUCTED) {
		BROKEN(g->rep, CRLDP_NO_NAME);
		return true;
	}
	name = der_enter(&point, DER_CONSTRUCTED);
	if (der_peek(&name) == DER_CONSTRUCTED + 1) {
		BROKEN(g->rep, CRLDP_RELATIVE);
		return true;
	}
	full = der_enter(&name, DER_CONSTRUCTED);
	while (!reader_end(&full)) {
		uint8_t tag;
		struct span s = der_any(&full, &tag);

		if (tag != DER_CONTEXT + 6) /* uniformResourceIdentifier */
			BROKEN(g->rep, CRLDP_NOT_URI);
		else if (g->c->crl_uri.n == 0 && uri_is(s, "rsync://"))
			g->c->crl_uri = s;
	}
	der_leave(&name, &full);
	der_leave(&point, &name);
	if (!reader_ok(&point))
		return crldp_der(g);
	if (!reader_end(&point)) /* reasons or cRLIssuer */
		BROKEN(g->rep, CRLDP_EXTRA);
	if (g->c->crl_uri.n == 0)
		BROKEN(g->rep, CRLDP_NO_RSYNC);
	return true;
}

/* An AccessDescription; tag is that of the GeneralName. */
static bool access_next(struct reader *r, struct span *ret_method, uint8_t *ret_tag, struct span *ret_location)
{
	struct reader in = der_enter(r, DER_SEQUENCE);

	*ret_method = der_get(&in, DER_OID);
	*ret_location = der_any(&in, ret_tag);
	der_leave(r, &in);
	return reader_ok(r);
}

static bool read_aia(struct reading *g, struct span value)
{
	struct reader outer = reader_of(value), r = der_enter(&outer, DER_SEQUENCE);

	g->c->has_aia = true;
	if (g->c->kind == CERT_TA)
		BROKEN(g->rep, AIA_TA);
	while (!reader_end(&r)) {
		struct span method, uri;
		uint8_t tag;

		if (!access_next(&r, &method, &tag, &uri))
			break;
		if (!OID_IS(method, OID_CA_ISSUERS))
			BROKEN(g->rep, AIA_METHOD);
		else if (tag == DER_CONTEXT + 6 && g->c->aia_uri.n == 0 && uri_is(uri, "rsync://"))
			g->c->aia_uri = uri;
	}
	if (!reader_ok(&r) || !reader_ok(&outer) || !reader_end(&outer)) {
		BROKEN(g->rep, AIA_DER);
		return true;
	}
	if (g->c->aia_uri.n == 0)
		BROKEN(g->rep, AIA_NO_RSYNC);
	return true;
}

static void take_uri(struct span *field, uint8_t tag, struct span uri, const char *scheme)
{
	if (field->n == 0 && tag == DER_CONTEXT + 6 && uri_is(uri, scheme))
		*field = uri;
}

static bool sia_of_ca(struct reading *g, struct span method, uint8_t tag, struct span uri)
{
	if (OID_IS(method, OID_CA_REPOSITORY))
		take_uri(&g->c->repository, tag, uri, "rsync://");
	else if (OID_IS(method, OID_RPKI_MANIFEST))
		take_uri(&g->c->manifest, tag, uri, "rsync://");
	else if (OID_IS(method, OID_RPKI_NOTIFY))
		take_uri(&g->c->notify, tag, uri, "https://");
	return true; /* other methods have no meaning here (RFC 6487 section 4.8.8.1) */
}

static bool sia_of_ee(struct reading *g, struct span method, uint8_t tag, struct span uri)
{
	if (OID_IS(method, OID_SIGNED_OBJECT))
		take_uri(&g->c->signed_object, tag, uri, "rsync://");
	else if (OID_IS(method, OID_RPKI_NOTIFY)) /* RFC 8182 section 3.2 has it in CAs only; a quarter of the real ones has it */
		take_uri(&g->c->notify, tag, uri, "https://");
	else
		BROKEN(g->rep, SIA_EE_METHOD);
	return true;
}

static bool read_sia(struct reading *g, struct span value)
{
	struct reader outer = reader_of(value), r = der_enter(&outer, DER_SEQUENCE);

	g->c->has_sia = true;
	if (g->c->kind == CERT_ROUTER)
		BROKEN(g->rep, ROUTER_SIA);
	if (g->use == CERT_USE_RSC)
		BROKEN(g->rep, RSC_SIA);
	while (!reader_end(&r)) {
		struct span method, uri;
		uint8_t tag;

		if (!access_next(&r, &method, &tag, &uri))
			break;
		if (is_ca(g->c) ? !sia_of_ca(g, method, tag, uri) : g->c->kind == CERT_EE && g->use != CERT_USE_RSC && !sia_of_ee(g, method, tag, uri))
			return false;
	}
	if (!reader_ok(&r) || !reader_ok(&outer) || !reader_end(&outer)) {
		BROKEN(g->rep, SIA_DER);
		return true;
	}
	if (is_ca(g->c) && g->c->repository.n == 0)
		BROKEN(g->rep, SIA_NO_REPOSITORY);
	if (is_ca(g->c) && g->c->manifest.n == 0)
		BROKEN(g->rep, SIA_NO_MANIFEST);
	if (g->c->kind == CERT_EE && g->use != CERT_USE_RSC && g->c->signed_object.n == 0)
		BROKEN(g->rep, SIA_EE_NO_OBJECT);
	return true;
}

/* At most one qualifier, and that a CPS URI (RFC 7318 section 2). */
static bool read_qualifiers(struct reading *g, struct reader *info)
{
	struct reader list = der_enter(info, DER_SEQUENCE), one = der_enter(&list, DER_SEQUENCE);
	struct span oid = der_get(&one, DER_OID);
	uint8_t tag;

	if (reader_ok(&one) && !OID_IS(oid, OID_CPS)) {
		BROKEN(g->rep, POLICY_QUALIFIER);
		der_rest(&one);
	} else {
		g->c->cps = der_any(&one, &tag);
		if (tag != DER_IA5_STRING)
			reader_fail(&one);
		der_leave(&list, &one);
	}
	if (reader_ok(&list) && !reader_end(&list))
		BROKEN(g->rep, POLICY_QUALIFIERS);
	if (!reader_ok(&list))
		reader_fail(info);
	return true;
}

static bool read_policies(struct reading *g, struct span value)
{
	struct reader outer = reader_of(value), r = der_enter(&outer, DER_SEQUENCE), info = der_enter(&r, DER_SEQUENCE);
	struct span oid = der_get(&info, DER_OID);

	if (!reader_ok(&info) || !reader_ok(&outer) || !reader_end(&outer)) {
		BROKEN(g->rep, POLICY_DER);
		return true;
	}
	if (OID_IS(oid, OID_POLICY_V2))
		g->c->reconsidered = true;
	else if (!OID_IS(oid, OID_POLICY))
		BROKEN(g->rep, POLICY_OID);
	if (!reader_end(&r))
		BROKEN(g->rep, POLICY_SEVERAL);
	if (!reader_end(&info) && !read_qualifiers(g, &info))
		return false;
	if (!reader_ok(&info) || !reader_end(&info))
		BROKEN(g->rep, POLICY_DER);
	return true;
}

static bool read_ip(struct reading *g, struct span value)
{
	if (g->c->kind == CERT_ROUTER)
		BROKEN(g->rep, ROUTER_IP);
	return resources_read_ip(value, g->a, g->rep, &g->c->claimed, &g->nomem);
}

static bool read_as(struct reading *g, struct span value)
{
	return resources_read_as(value, g->a, g->rep, &g->c->claimed, &g->nomem);
}

/* critical: what RFC 6487 wants, and the rule when it is otherwise. */
static const struct {
	bool (*read)(struct reading *g, struct span value);
	bool critical;
	enum rule criticality;
} extensions[KNOWN] = {
	[BASIC] = { read_basic, true, RULE_BASIC_CRITICAL },
	[SKI] = { read_ski, false, RULE_SKI_CRITICAL },
	[AKI] = { read_aki, false, RULE_AKI_CRITICAL },
	[USAGE] = { read_usage, true, RULE_USAGE_CRITICAL },
	[EKU] = { read_eku, false, RULE_EKU_CRITICAL },
	[CRLDP] = { read_crldp, false, RULE_CRLDP_CRITICAL },
	[AIA] = { read_aia, false, RULE_AIA_CRITICAL },
	[SIA] = { read_sia, false, RULE_SIA_CRITICAL },
	[POLICIES] = { read_policies, true, RULE_POLICY_CRITICAL },
	[IP] = { read_ip, true, RULE_IP_CRITICAL },
	[AS] = { read_as, true, RULE_AS_CRITICAL },
	[IP2] = { read_ip, true, RULE_IP_CRITICAL },
	[AS2] = { read_as, true, RULE_AS_CRITICAL },
};

static enum known known_extension(struct span oid)
{
	if (oid.n == 3 && memcmp(oid.p, OID_CE, 2) == 0) {
		switch (oid.p[2]) {
		case CE_SKI:
			return SKI;
		case CE_KEY_USAGE:
			return USAGE;
		case CE_BASIC_CONSTRAINTS:
			return BASIC;
		case CE_CRLDP:
			return CRLDP;
		case CE_POLICIES:
			return POLICIES;
		case CE_AKI:
			return AKI;
		case CE_EKU:
			return EKU;
		default:
			return KNOWN;
		}
	}
	if (OID_IS(oid, OID_AIA))
		return AIA;
	if (OID_IS(oid, OID_SIA))
		return SIA;
	if (OID_IS(oid, OID_IP_RESOURCES))
		return IP;
	if (OID_IS(oid, OID_AS_RESOURCES))
		return AS;
	if (OID_IS(oid, OID_IP_RESOURCES_V2))
		return IP2;
	return OID_IS(oid, OID_AS_RESOURCES_V2) ? AS2 : KNOWN;
}

static bool read_extension(struct reading *g, const struct extension *x)
{
	enum known k = known_extension(x->oid);
	char room[DER_OID_TEXT];

	if (k == KNOWN) {
		if (x->critical)
			BROKEN_AT(g->rep, UNKNOWN_CRITICAL, "%s", der_oid_text(x->oid, room));
		return true; /* what is not critical is passed over (RFC 6487 section 8 says how the profile may grow) */
	}
	if (has(g, k)) {
		BROKEN_AT(g->rep, EXTENSION_TWICE, "%s", der_oid_text(x->oid, room));
		return true;
	}
	g->seen |= 1u << k;
	/* an extended key usage may be critical in no certificate of the RPKI, but where there must be none that is what is said */
	if (x->critical != extensions[k].critical && !(k == EKU && g->c->kind != CERT_ROUTER) && report_broken(g->rep, extensions[k].criticality))
		return false;
	return extensions[k].read(g, x->value);
}

/* What must be there, and what must not, once all extensions were seen. */
static bool check_presence(struct reading *g)
{
	struct cert *c = g->c;

	if (is_ca(c) ? c->constraints != 2 : c->constraints != 0) {
		if (is_ca(c) && !has(g, BASIC))
			BROKEN(g->rep, BASIC_ABSENT);
		else if (is_ca(c))
			BROKEN(g->rep, BASIC_NOT_CA);
		else if (c->kind == CERT_ROUTER)
			BROKEN(g->rep, ROUTER_BASIC);
		else
			BROKEN(g->rep, BASIC_IN_EE);
	}
	if (!has(g, SKI))
		BROKEN(g->rep, SKI_ABSENT);
	if (!has(g, AKI) && c->kind != CERT_TA)
		BROKEN(g->rep, AKI_ABSENT);
	if (!has(g, USAGE))
		BROKEN(g->rep, USAGE_ABSENT);
	if (!has(g, EKU) && c->kind == CERT_ROUTER)
		BROKEN(g->rep, ROUTER_EKU);
	if (!has(g, CRLDP) && c->kind != CERT_TA)
		BROKEN(g->rep, CRLDP_ABSENT);
	if (!has(g, AIA) && c->kind != CERT_TA)
		BROKEN(g->rep, AIA_ABSENT);
	if (!has(g, SIA) && c->kind != CERT_ROUTER && g->use != CERT_USE_RSC)
		BROKEN(g->rep, SIA_ABSENT);
	if (!has(g, POLICIES))
		BROKEN(g->rep, POLICY_ABSENT);
	return true;
}

static bool check_resources(struct reading *g)
{
	const struct resources *r = &g->c->claimed;
	bool v2 = has(g, IP2) || has(g, AS2), v1 = has(g, IP) || has(g, AS);

	if (!v1 && !v2)
		BROKEN(g->rep, RESOURCES_ABSENT);
	if (v2 && !g->c->reconsidered)
		BROKEN(g->rep, V2_WITHOUT_POLICY);
	if (v1 && g->c->reconsidered)
		BROKEN(g->rep, V1_WITH_POLICY_V2);
	if (g->c->kind == CERT_TA && (r->ip4 == CLAIM_INHERIT || r->ip6 == CLAIM_INHERIT || r->as == CLAIM_INHERIT))
		BROKEN(g->rep, TA_INHERIT);
	if (g->c->kind == CERT_ROUTER && !has(g, AS) && !has(g, AS2))
		BROKEN(g->rep, ROUTER_NO_AS);
	if (g->c->kind == CERT_ROUTER && r->as == CLAIM_INHERIT)
		BROKEN(g->rep, ROUTER_INHERIT);
	return true;
}

static bool read_extensions(struct reading *g, struct reader *tbs)
{
	struct reader outer, list;
	unsigned int count = 0;

	if (reader_end(tbs)) {
		BROKEN(g->rep, EXTENSIONS_ABSENT);
		return check_presence(g);
	}
	outer = der_enter(tbs, DER_CONSTRUCTED + 3);
	list = der_enter(&outer, DER_SEQUENCE);
	while (!reader_end(&list)) {
		struct extension x;

		if (!extension_next(&list, &x) || count++ == CERT_MAX_EXTENSIONS)
			UNREADABLE(g->rep, EXTENSIONS_DER);
		if (!read_extension(g, &x))
			return false;
	}
	der_leave(&outer, &list);
	der_leave(tbs, &outer);
	if (!reader_ok(tbs) || !reader_end(tbs))
		UNREADABLE(g->rep, EXTENSIONS_DER);
	return check_presence(g) && check_resources(g);
}

static bool read_version(struct reading *g, struct reader *tbs)
{
	uint64_t version = 0;

	if (der_peek(tbs) == DER_CONSTRUCTED) {
		struct reader in = der_enter(tbs, DER_CONSTRUCTED);
		struct span v = der_integer(&in);

		der_leave(tbs, &in);
		if (!reader_ok(tbs))
			UNREADABLE(g->rep, CERT_DER);
		if (der_negative(v)) {
			BROKEN(g->rep, VERSION_NEGATIVE);
			return true;
		}
		if (!der_small(v, UINT64_MAX, &version))
			version = 99;
	}
	if (version != 2)
		BROKEN(g->rep, VERSION);
	return true;
}

static bool check_serial(struct reading *g)
{
	switch (serial_fault(g->c->serial)) {
	case SERIAL_GOOD:
		break;
	case SERIAL_NEGATIVE:
	case SERIAL_ZERO:
		BROKEN(g->rep, SERIAL_NOT_POSITIVE);
		break;
	case SERIAL_LONG:
		BROKEN(g->rep, SERIAL_LENGTH);
		break;
	}
	return true;
}

static bool read_validity(struct reading *g, struct reader *tbs)
{
	struct reader r = der_enter(tbs, DER_SEQUENCE);
	uint8_t tag;
	struct span s = der_any(&r, &tag);

	if (!der_time_value(tag, s, &g->c->not_before) && reader_ok(&r))
		BROKEN(g->rep, VALIDITY_FORM);
	s = der_any(&r, &tag);
	if (!der_time_value(tag, s, &g->c->not_after) && reader_ok(&r))
		BROKEN(g->rep, VALIDITY_FORM);
	der_leave(tbs, &r);
	if (!reader_ok(tbs))
		UNREADABLE(g->rep, CERT_DER);
	if (g->c->not_before > g->c->not_after)
		BROKEN(g->rep, VALIDITY_CROSSED);
	return true;
}

/* RFC 7935 section 3; RFC 8208 section 3 for routers, who may also have RSA keys of other profiles. */
static bool check_key(struct reading *g)
{
	const struct key_info *k = &g->c->key;

	if (g->c->kind == CERT_ROUTER) {
		if (k->kind != KEY_KIND_P256)
			BROKEN(g->rep, ROUTER_KEY);
		else if (!k->readable)
			BROKEN(g->rep, KEY_UNREADABLE);
		return true;
	}
	if (k->kind != KEY_KIND_RSA)
		BROKEN(g->rep, KEY_ALGORITHM);
	else if (!k->readable)
		BROKEN(g->rep, KEY_UNREADABLE);
	else if (!key_info_is_profile_rsa(k))
		BROKEN(g->rep, KEY_SIZE);
	return true;
}

static bool check_ski(struct reading *g)
{
	uint8_t digest[20];

	if (g->c->ski.n != 20)
		return true;
	sha1_of(g->c->key.octets, digest);
	if (memcmp(digest, g->c->ski.p, 20) != 0)
		BROKEN(g->rep, SKI_HASH);
	return true;
}

/* A trust anchor is self-issued, and its AKI, if any, its own SKI. */
static bool check_self(struct reading *g)
{
	if (g->c->kind != CERT_TA)
		return true;
	if (!name_equal(g->c->issuer, g->c->subject))
		BROKEN(g->rep, TA_NAMES);
	if (g->c->aki.n == 20 && !span_equal(g->c->aki, g->c->ski))
		BROKEN(g->rep, AKI_TA);
	return true;
}

static bool read_tbs(struct reading *g, const struct signed_parts *parts)
{
	struct reader outer = reader_of(parts->tbs), tbs = der_enter(&outer, DER_SEQUENCE);
	struct cert *c = g->c;
	struct span algorithm;

	if (!read_version(g, &tbs))
		return false;
	c->serial = der_integer(&tbs);
	algorithm = der_whole(&tbs, DER_SEQUENCE);
	c->issuer = der_whole(&tbs, DER_SEQUENCE);
	if (!reader_ok(&tbs))
		UNREADABLE(g->rep, CERT_DER);
	if (!check_serial(g))
		return false;
	if (!algorithm_is_sha256_with_rsa(algorithm) || !algorithm_is_sha256_with_rsa(parts->algorithm))
		BROKEN(g->rep, SIGNATURE_ALGORITHM);
	if (!span_equal(algorithm, parts->algorithm))
		BROKEN(g->rep, SIGNATURE_ALGORITHMS);
	if (!name_is_good(c->issuer))
		BROKEN(g->rep, ISSUER);
	if (!read_validity(g, &tbs))
		return false;
	c->subject = der_whole(&tbs, DER_SEQUENCE);
	c->key = key_info_read(&tbs);
	if (!reader_ok(&tbs))
		UNREADABLE(g->rep, CERT_DER);
	if (!name_is_good(c->subject))
		BROKEN(g->rep, SUBJECT);
	if (!check_key(g))
		return false;
	if (der_peek(&tbs) == DER_CONTEXT + 1 || der_peek(&tbs) == DER_CONTEXT + 2) {
		BROKEN(g->rep, UNIQUE_ID);
		der_whole_any(&tbs);
		if (der_peek(&tbs) == DER_CONTEXT + 2)
			der_whole_any(&tbs);
	}
	return read_extensions(g, &tbs) && check_ski(g) && check_self(g);
}

RESULT cert_read(struct span whole, enum cert_kind kind, enum cert_use use, struct arena *a, struct report *rep, struct cert *ret)
{
	struct reading g = { .c = ret, .rep = rep, .a = a, .use = use };
	struct signed_parts parts;
	size_t before = rep->count;

	*ret = (struct cert){ .whole = whole, .kind = kind };
	if (!signed_parts_read(whole, &parts)) {
		report_broken(rep, RULE_CERT_DER);
		return FAIL(ERR_FORMAT);
	}
	ret->tbs = parts.tbs;
	ret->signature = parts.signature;
	if (!read_tbs(&g, &parts)) /* broken rules that are ignored do not stop it, what cannot be read does */
		return FAIL(g.nomem ? ERR_NOMEM : ERR_FORMAT);
	return rep->count != before ? FAIL(ERR_FORMAT) : DONE;
}

enum cert_kind cert_kind_of(struct span whole)
{
	struct signed_parts parts;
	struct reader outer, tbs, wrap, list;
	struct span issuer, subject, ski = { NULL, 0 }, aki = { NULL, 0 };
	bool pointers = false;

	if (!signed_parts_read(whole, &parts))
		return CERT_CA;
	outer = reader_of(parts.tbs);
	tbs = der_enter(&outer, DER_SEQUENCE);
	if (der_peek(&tbs) == DER_CONSTRUCTED)
		der_whole_any(&tbs);
	der_whole_any(&tbs);
	der_whole_any(&tbs);
	issuer = der_whole_any(&tbs);
	der_whole_any(&tbs);
	subject = der_whole_any(&tbs);
	while (!reader_end(&tbs) && der_peek(&tbs) != DER_CONSTRUCTED + 3)
		der_whole_any(&tbs);
	wrap = der_enter(&tbs, DER_CONSTRUCTED + 3);
	list = der_enter(&wrap, DER_SEQUENCE);
	while (!reader_end(&list)) {
		struct extension x;
		struct reader value;

		if (!extension_next(&list, &x))
			return CERT_CA;
		value = reader_of(x.value);
		switch (known_extension(x.oid)) {
		case EKU:
			value = der_enter(&value, DER_SEQUENCE);
			while (!reader_end(&value))
				if (OID_IS(der_get(&value, DER_OID), OID_BGPSEC_ROUTER))
					return CERT_ROUTER;
			break;
		case SKI:
			ski = der_get(&value, DER_OCTET_STRING);
			break;
		case AKI:
			aki_read(x.value, &aki);
			break;
		case AIA:
		case CRLDP:
			pointers = true;
			break;
		default:
			break;
		}
	}
	if (name_equal(issuer, subject) || (!pointers && (aki.n == 0 || span_equal(aki, ski))))
		return CERT_TA;
	return CERT_CA;
}

static bool check_times(const struct cert *c, int64_t now, struct report *rep)
{
	if (now < c->not_before)
		BROKEN(rep, NOT_YET_VALID);
	if (now > c->not_after)
		BROKEN(rep, EXPIRED);
	return true;
}

static bool check_against(const struct cert *c, const struct issuer *by, int64_t now, struct report *rep)
{
	char a[256], b[256];
	uint8_t digest[32];

	if (!check_times(c, now, rep))
		return false;
	if (!name_equal(c->issuer, by->cert->subject) && report_broken_at(rep, RULE_ISSUER_MISMATCH, "issuer \"%s\", the issuer's subject \"%s\"",
							     rep->notes != NULL ? name_text(c->issuer, a) : "", rep->notes != NULL ? name_text(by->cert->subject, b) : ""))
		return false;
	if (c->aki.n == 20 && !span_equal(c->aki, by->cert->ski))
		BROKEN(rep, AKI_MISMATCH);
	if (by->crl != NULL && crl_has(by->crl, c->serial))
		BROKEN(rep, REVOKED);
	sha256_of(c->tbs, digest);
	if (!public_key_verify(by->key, digest, c->signature))
		BROKEN(rep, SIGNATURE);
	return true;
}

RESULT cert_check(const struct cert *c, const struct issuer *by, int64_t now, struct arena *a, struct report *rep, struct resources *ret_effective)
{
	size_t before = rep->count;
	const char *kind;
	bool trimmed;

	if (!check_against(c, by, now, rep))
		return FAIL(ERR_FORMAT);
	if (c->reconsidered) { /* RFC 8360 section 4.3: what is too much is left out, and no reason to refuse */
		TRY(resources_trimmed(&c->claimed, by->resources, a, ret_effective, &trimmed));
	} else if (!resources_effective(&c->claimed, by->resources, ret_effective, &kind)) {
		*ret_effective = (struct resources){ .ip4 = CLAIM_NONE };
		report_broken_at(rep, RULE_OVERCLAIM, "%s", kind);
	}
	return rep->count != before ? FAIL(ERR_FORMAT) : DONE;
}

RESULT cert_check_ta(const struct cert *c, const struct span *locator_key, int64_t now, struct report *rep, struct public_key **ret_key)
{
	AUTO(public_key_free) struct public_key *key = NULL;
	struct result made = public_key_make(&c->key, &key);
	size_t before = rep->count;
	uint8_t digest[32];

	if (made.e == ERR_NOMEM)
		return made;
	if (!check_times(c, now, rep))
		return FAIL(ERR_FORMAT);
	if (locator_key != NULL && !span_equal(*locator_key, c->key.whole) && report_broken(rep, RULE_TA_KEY))
		return FAIL(ERR_FORMAT);
	sha256_of(c->tbs, digest);
	if (!OK(made) || !public_key_verify(key, digest, c->signature))
		report_broken(rep, RULE_SIGNATURE);
	if (rep->count != before || !OK(made))
		return FAIL(ERR_FORMAT);
	*ret_key = MOVE(key);
	return DONE;
}
