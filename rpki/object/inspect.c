#include "rpki/object/inspect.h"

#include "base/arena.h"
#include "base/mem.h"

const char *chain_text(enum chain c)
{
	return c == CHAIN_GOOD ? "good" : c == CHAIN_BROKEN ? "broken" : "absent: signature of the issuer, times, revocation and resources not checked";
}

struct work {
	const struct inspect_context *ctx PARENT_FIELD;
	struct arena *a PARENT_FIELD;
	struct inspection *i PARENT_FIELD;
	bool nomem;
};

/* What the file is when its name does not say: by how it begins. */
static enum object_type type_of_octets(struct span s)
{
	struct reader outer = reader_of(s), in;

	if (der_peek(&outer) != DER_SEQUENCE)
		return OBJECT_TAL;
	if (s.n > 1 && s.p[1] == 0x80)
		return OBJECT_UNKNOWN; /* BER */
	in = der_enter(&outer, DER_SEQUENCE);
	if (der_peek(&in) == DER_OID)
		return OBJECT_UNKNOWN;
	in = der_enter(&in, DER_SEQUENCE);
	return der_peek(&in) == DER_CONSTRUCTED ? OBJECT_CERT : OBJECT_CRL;
}

/* Of a signed object, by its eContentType. */
static enum object_type type_of_signed(struct work *w, struct span s)
{
	struct report silent;
	struct cms cms;

	report_init(&silent);
	if (cms_read(s, OBJECT_UNKNOWN, w->a, &silent, &cms).e == ERR_NOMEM)
		w->nomem = true;
	return object_type_of_content(cms.content_type);
}

/* --- the chain */

struct candidate {
	struct cert cert;
	struct public_key *key OWNED_FIELD;
};

static void candidate_done(struct candidate *c)
{
	public_key_free(MOVE(c->key));
}

/* A certificate that keeps the profile by itself, and whose key could sign. */
static bool read_candidate(struct work *w, struct span s, struct candidate *ret)
{
	struct report silent;
	struct result r;

	report_init(&silent);
	r = cert_read(s, cert_kind_of(s), CERT_USE_ANY, w->a, &silent, &ret->cert);
	if (!OK(r) || ret->cert.kind == CERT_ROUTER) {
		w->nomem = w->nomem || r.e == ERR_NOMEM;
		return false;
	}
	r = public_key_make(&ret->cert.key, &ret->key);
	w->nomem = w->nomem || r.e == ERR_NOMEM;
	return OK(r);
}

/* What was signed, and by whom as it says itself. */
struct signed_by {
	struct span tbs, signature, aki, issuer;
};

/* How well a candidate fits: 4 by key identifier and signature, 3 by name and signature, 2 by key identifier, 1 by name, 0 not at all. */
static int fit_of(const struct candidate *c, const struct signed_by *s)
{
	bool by_key = s->aki.n == 20 && span_equal(s->aki, c->cert.ski), by_name = name_equal(s->issuer, c->cert.subject);
	uint8_t digest[32];

	if (!by_key && !by_name)
		return 0;
	sha256_of(s->tbs, digest);
	return (by_key ? 2 : 1) + (public_key_verify(c->key, digest, s->signature) ? 2 : 0);
}

static bool self_signed(const struct candidate *c)
{
	const struct cert *x = &c->cert;

	return x->kind != CERT_TA || fit_of(c, &(struct signed_by){ x->tbs, x->signature, x->ski, x->subject }) == 4;
}

static bool find_issuer(struct work *w, const struct signed_by *s, struct candidate *ret)
{
	int best = 0;

	for (size_t n = 0; n < w->ctx->cert_count && best < 4; n++) {
		struct candidate c = { .key = NULL };
		int fit;

		if (read_candidate(w, w->ctx->certs[n], &c) && (fit = fit_of(&c, s)) > best && self_signed(&c)) {
			candidate_done(ret);
			ret->cert = c.cert;
			ret->key = MOVE(c.key);
			best = fit;
		}
		candidate_done(&c);
	}
	return best > 0;
}

static struct signed_by signed_by_of(const struct cert *c)
{
	return (struct signed_by){ c->tbs, c->signature, c->aki, c->issuer };
}

static void chain_done(struct candidate *chain, size_t n)
{
	for (size_t k = 0; k < n; k++)
		candidate_done(&chain[k]);
}

/* Issuers from the object upwards; true when the last one is a trust anchor. */
static bool find_chain(struct work *w, const struct signed_by *object, struct candidate *chain, size_t *ret_n)
{
	struct signed_by next = *object;
	size_t n = 0;

	while (n < INSPECT_MAX_CHAIN && find_issuer(w, &next, &chain[n])) {
		w->i->chain[n] = chain[n].cert.whole;
		n++;
		if (chain[n - 1].cert.kind == CERT_TA)
			break;
		next = signed_by_of(&chain[n - 1].cert);
	}
	*ret_n = w->i->chain_count = n;
	return n > 0 && chain[n - 1].cert.kind == CERT_TA;
}

/* The newest good CRL of an issuer among those at hand; false without one. */
static bool find_crl(struct work *w, const struct candidate *issuer, struct crl *ret)
{
	bool found = false;

	for (size_t n = 0; n < w->ctx->crl_count; n++) {
		struct report silent;
		struct crl crl;

		report_init(&silent);
		if (!OK(crl_read(w->ctx->crls[n], w->a, &silent, &crl)) || !OK(crl_check(&crl, &issuer->cert, issuer->key, w->ctx->now, &silent)))
			continue;
		if (!found || crl.this_update > ret->this_update)
			*ret = crl;
		found = true;
	}
	return found;
}

/* From the trust anchor downwards: the effective resources of the object's issuer. */
static bool check_chain(struct work *w, const struct candidate *chain, size_t n, struct resources *ret)
{
	*ret = chain[n - 1].cert.claimed;
	for (size_t k = n; k-- > 0;) {
		struct report silent;
		struct resources effective;
		struct crl crl;
		struct issuer by = { NULL, NULL, ret, NULL };

		report_init(&silent);
		if (k + 1 == n) {
			if (w->ctx->now < chain[k].cert.not_before || w->ctx->now > chain[k].cert.not_after)
				return false;
			continue;
		}
		by.cert = &chain[k + 1].cert;
		by.key = chain[k + 1].key;
		by.crl = find_crl(w, &chain[k + 1], &crl) ? &crl : NULL;
		if (!OK(cert_check(&chain[k].cert, &by, w->ctx->now, w->a, &silent, &effective)))
			return false;
		*ret = effective;
	}
	return true;
}

/* --- the objects. Each gives whether a valid chain is at hand. */

static bool look_at_ta(struct work *w)
{
	AUTO(public_key_free) struct public_key *key = NULL;
	struct result r = cert_check_ta(&w->i->cert, NULL, w->ctx->now, &w->i->report, &key);

	w->nomem = w->nomem || r.e == ERR_NOMEM;
	w->i->effective = w->i->cert.claimed;
	return true;
}

static bool look_at_cert_or_signed(struct work *w, bool is_signed)
{
	AUTO(mem_free) void *room = mem_alloc_array(INSPECT_MAX_CHAIN, sizeof(struct candidate));
	struct candidate *chain = room;
	struct signed_by s = signed_by_of(&w->i->cert);
	struct resources resources = { .ip4 = CLAIM_NONE };
	struct result r = DONE;
	struct crl crl;
	size_t n = 0;
	bool good;

	w->i->effective = w->i->cert.claimed;
	if (chain == NULL) {
		w->nomem = true;
		return false;
	}
	good = find_chain(w, &s, chain, &n) && check_chain(w, chain, n, &resources);
	if (n > 0) {
		struct issuer by = { &chain[0].cert, chain[0].key, &resources, NULL };
		struct resources effective = w->i->cert.claimed;

		if (!good) /* an issuer without a chain still verifies, and has nothing that can be checked */
			by.resources = &w->i->cert.claimed;
		by.crl = find_crl(w, &chain[0], &crl) ? &crl : NULL;
		if (is_signed)
			r = cms_check(&w->i->cms, &by, w->ctx->now, w->a, &w->i->report, &effective);
		else
			r = cert_check(&w->i->cert, &by, w->ctx->now, w->a, &w->i->report, &effective);
		if (OK(r))
			w->i->effective = effective;
		if (w->i->type == OBJECT_TAK)
			(void)tak_check(&w->i->u.tak, &w->i->cert, &chain[0].cert, &w->i->report).e;
	} else if (is_signed) {
		r = cms_check_signature(&w->i->cms, &w->i->report);
	}
	w->nomem = w->nomem || r.e == ERR_NOMEM;
	chain_done(chain, n);
	return good;
}

static bool look_at_cert(struct work *w)
{
	struct result r = cert_read(w->i->whole, cert_kind_of(w->i->whole), CERT_USE_ANY, w->a, &w->i->report, &w->i->cert);

	w->nomem = r.e == ERR_NOMEM;
	if (w->nomem)
		return false;
	w->i->readable = w->i->cert.key.whole.n > 0;
	return w->i->cert.kind == CERT_TA ? look_at_ta(w) : look_at_cert_or_signed(w, false);
}

static bool look_at_crl(struct work *w)
{
	struct result r = crl_read(w->i->whole, w->a, &w->i->report, &w->i->crl);
	struct signed_by s = { w->i->crl.tbs, w->i->crl.signature, w->i->crl.aki, w->i->crl.issuer };
	AUTO(mem_free) void *room = mem_alloc_array(INSPECT_MAX_CHAIN, sizeof(struct candidate));
	struct candidate *chain = room;
	struct resources resources;
	size_t n = 0;
	bool good;

	w->nomem = r.e == ERR_NOMEM || chain == NULL;
	if (w->nomem)
		return false;
	w->i->readable = w->i->crl.issuer.n > 0;
	good = find_chain(w, &s, chain, &n) && check_chain(w, chain, n, &resources);
	if (n > 0)
		(void)crl_check(&w->i->crl, &chain[0].cert, chain[0].key, w->ctx->now, &w->i->report).e;
	chain_done(chain, n);
	return good;
}

static bool is_broken(struct work *w, struct result r)
{
	w->nomem = w->nomem || r.e == ERR_NOMEM;
	return !OK(r);
}

/* The content by itself. */
static void read_content(struct work *w)
{
	struct inspection *i = w->i;
	bool broken = false;

	switch (i->type) {
	case OBJECT_ROA:
		broken = is_broken(w, roa_read(&i->cms, &i->report, &i->u.roa));
		break;
	case OBJECT_MANIFEST:
		broken = is_broken(w, manifest_read(&i->cms, w->a, &i->report, &i->u.manifest));
		break;
	case OBJECT_GHOSTBUSTERS:
		broken = is_broken(w, ghostbusters_read(&i->cms, &i->report, &i->u.ghostbusters));
		break;
	case OBJECT_ASPA:
		broken = is_broken(w, aspa_read(&i->cms, &i->report, &i->u.aspa));
		break;
	case OBJECT_TAK:
		broken = is_broken(w, tak_read(&i->cms, &i->report, &i->u.tak));
		break;
	case OBJECT_RSC:
		broken = is_broken(w, rsc_read(&i->cms, w->a, &i->report, &i->u.rsc));
		break;
	case OBJECT_PREFIX_LIST:
		broken = is_broken(w, prefix_list_read(&i->cms, &i->report, &i->u.prefix_list));
		break;
	default:
		break;
	}
	i->readable = !broken;
}

/* The content against its EE certificate. */
static void check_content(struct work *w)
{
	struct inspection *i = w->i;

	switch (i->type) {
	case OBJECT_ROA:
		is_broken(w, roa_check(&i->u.roa, &i->cert, &i->effective, &i->report));
		break;
	case OBJECT_MANIFEST:
		is_broken(w, manifest_check(&i->u.manifest, &i->cert, w->ctx->now, &i->report));
		break;
	case OBJECT_GHOSTBUSTERS:
		is_broken(w, ghostbusters_check(&i->cert, &i->report));
		break;
	case OBJECT_ASPA:
		is_broken(w, aspa_check(&i->u.aspa, &i->cert, &i->effective, &i->report));
		break;
	case OBJECT_RSC:
		is_broken(w, rsc_check(&i->u.rsc, &i->cert, &i->effective, &i->report));
		break;
	case OBJECT_PREFIX_LIST:
		is_broken(w, prefix_list_check(&i->u.prefix_list, &i->cert, &i->effective, &i->report));
		break;
	default:
		break;
	}
}

static bool look_at_signed(struct work *w)
{
	struct result r = cms_read(w->i->whole, w->i->type, w->a, &w->i->report, &w->i->cms);
	bool good;

	w->nomem = r.e == ERR_NOMEM;
	if (w->nomem)
		return false;
	w->i->cert = w->i->cms.ee;
	if (w->i->cms.content.p == NULL) /* nothing more can be said of it */
		return false;
	read_content(w);
	good = look_at_cert_or_signed(w, true);
	check_content(w);
	return good;
}

static bool look(struct work *w)
{
	switch (w->i->type) {
	case OBJECT_CERT:
		return look_at_cert(w);
	case OBJECT_CRL:
		return look_at_crl(w);
	case OBJECT_TAL:
		w->i->readable = !is_broken(w, tal_read(w->i->whole, w->a, &w->i->report, &w->i->u.tal));
		return true;
	default:
		return look_at_signed(w);
	}
}

RESULT rpki_inspect(struct span octets, struct span name, const struct inspect_context *ctx, struct arena *a, struct inspection *ret)
{
	struct work w = { .ctx = ctx, .a = a, .i = ret };
	const char *bad;
	bool chain;

	*ret = (struct inspection){ .whole = octets, .type = object_type_of_name(name) };
	report_init_all(&ret->report, a);
	if (ctx->ignore != NULL)
		TRY(report_ignore(&ret->report, ctx->ignore, &bad));
	if (ret->type == OBJECT_UNKNOWN)
		ret->type = type_of_octets(octets);
	if (ret->type == OBJECT_UNKNOWN)
		ret->type = type_of_signed(&w, octets);
	chain = look(&w);
	if (w.nomem)
		return FAIL(ERR_NOMEM);
	ret->valid = report_good(&ret->report);
	ret->state = chain ? CHAIN_GOOD : ret->chain_count > 0 ? CHAIN_BROKEN : CHAIN_ABSENT;
	return DONE;
}
