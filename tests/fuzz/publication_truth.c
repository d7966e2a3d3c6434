#include "tests/fuzz/publication_truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/libcms.h"
#include "base/mem.h"
#include "rpki/object/oid.h"

#define MOST (PUB_FILES * PUB_MOST_STATES)

/* A file of one of the states, as far as libcrypto reads it. */
struct item {
	const struct toy_file *file BORROWED_FIELD;
	size_t state;
	X509 *cert BORROWED_FIELD; /* it, or its signer's; freed with what it is of */
	X509_CRL *crl BORROWED_FIELD;
	bool is_signed;            /* it is a signed object, and its signature is that of its certificate */
	bool is_manifest;
	struct span content;
};
struct truth {
	struct arena *a OWNED_FIELD;
	struct item items[MOST];
	size_t n, states;
	const char *anchor BORROWED_FIELD;
	struct span key;
	time_t now;
	char now_text[20];
	const char *why BORROWED_FIELD; /* the last thing that spoke against something, and how far that was */
	unsigned int how_far;
};

static bool no(struct truth *t, unsigned int how_far, const char *why)
{
	if (how_far >= t->how_far) {
		t->how_far = how_far;
		t->why = why;
	}
	return false;
}

void truth_free(struct truth *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++) {
		X509_free(t->items[i].cert);
		X509_CRL_free(t->items[i].crl);
	}
	arena_free(MOVE(t->a));
	mem_free(t);
}

static void read_signed(struct truth *t, struct item *i)
{
	const unsigned char *p = i->file->octets.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)i->file->octets.n);
	ASN1_OCTET_STRING **content = cms != NULL ? CMS_get0_content(cms) : NULL;
	STACK_OF(X509) *certs = cms != NULL ? CMS_get1_certs(cms) : NULL;
	uint8_t type[32];
	int n;

	if (content != NULL && *content != NULL && sk_X509_num(certs) == 1 && CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1) {
		i->is_signed = true;
		i->cert = X509_dup(sk_X509_value(certs, 0));
		n = ASN1_STRING_length(*content);
		i->content = span_of(arena_dup(t->a, n > 0 ? ASN1_STRING_get0_data(*content) : (const uint8_t *)"", (size_t)n), (size_t)n);
		n = i2d_ASN1_OBJECT(CMS_get0_eContentType(cms), NULL);
		if (n > 0 && (size_t)n <= sizeof type) {
			unsigned char *to = type;

			i2d_ASN1_OBJECT(CMS_get0_eContentType(cms), &to);
			i->is_manifest = span_equal(span_of(type + 2, (size_t)n - 2), OID_SPAN(OID_MANIFEST));
		}
	}
	sk_X509_pop_free(certs, X509_free);
	CMS_ContentInfo_free(cms);
}

/* What nobody has changed is read once. */
static struct truth *of_pristine BORROWED_FIELD;

static bool read_already(struct item *i)
{
	for (size_t k = 0; of_pristine != NULL && k < of_pristine->n; k++) {
		const struct item *is = &of_pristine->items[k];

		if (is->file->octets.p != i->file->octets.p || is->file->octets.n != i->file->octets.n)
			continue;
		i->cert = is->cert;
		i->crl = is->crl;
		i->is_signed = is->is_signed;
		i->is_manifest = is->is_manifest;
		i->content = is->content;
		if (i->cert != NULL)
			X509_up_ref(i->cert);
		if (i->crl != NULL)
			X509_CRL_up_ref(i->crl);
		return true;
	}
	return false;
}

static void read_item(struct truth *t, const struct toy_file *f, size_t state)
{
	struct item *i = &t->items[t->n++];
	const unsigned char *p = f->octets.p;

	*i = (struct item){ .file = f, .state = state, .content = { NULL, 0 } };
	if (read_already(i))
		return;
	i->cert = d2i_X509(NULL, &p, (long)f->octets.n);
	if (i->cert != NULL)
		return;
	p = f->octets.p;
	i->crl = d2i_X509_CRL(NULL, &p, (long)f->octets.n);
	if (i->crl == NULL)
		read_signed(t, i);
}

struct truth *truth_new(const struct pub_state *const *states, size_t count, const char *anchor, struct span key, int64_t now)
{
	AUTO(truth_free) struct truth *t = mem_alloc(sizeof *t);
	struct tm tm;

	if (t == NULL)
		return NULL;
	t->a = arena_new(0);
	if (t->a == NULL)
		return NULL;
	t->anchor = anchor;
	t->key = key;
	t->now = (time_t)now;
	t->states = count;
	if (gmtime_r(&t->now, &tm) == NULL || strftime(t->now_text, sizeof t->now_text, "%Y%m%d%H%M%SZ", &tm) == 0)
		abort();
	for (size_t s = 0; s < count && s < PUB_MOST_STATES; s++)
		for (size_t i = 0; i < states[s]->n; i++)
			read_item(t, &states[s]->files[i], s);
	ERR_clear_error();
	return MOVE(t);
}

void truth_know(const struct pub_state *pristine, int64_t now)
{
	of_pristine = truth_new(&pristine, 1, "", span_of("", 0), now);
}

/* --- certificates */

static bool in_time(const struct truth *t, X509 *c)
{
	time_t now = t->now, before = t->now - 1;

	return X509_cmp_time(X509_get0_notBefore(c), &now) == -1 && X509_cmp_time(X509_get0_notAfter(c), &before) == 1;
}

static bool signed_by(X509 *c, X509 *by)
{
	return X509_verify(c, X509_get0_pubkey(by)) == 1;
}

static bool same_key(struct span key, X509 *c)
{
	unsigned char *octets = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c), &octets);
	bool same = n > 0 && span_equal(key, span_of(octets, (size_t)n));

	OPENSSL_free(octets);
	return same;
}

/* False: every list of this issuer that there is has it, or there is none. */
static bool unrevoked(const struct truth *t, X509 *c, X509 *by)
{
	for (size_t i = 0; i < t->n; i++) {
		X509_CRL *crl = t->items[i].crl;
		X509_REVOKED *entry;

		if (crl != NULL && X509_CRL_verify(crl, X509_get0_pubkey(by)) == 1 && X509_CRL_get0_by_serial(crl, &entry, X509_get_serialNumber(c)) == 0)
			return true;
	}
	return false;
}

/* What is in the extension, be it RFC 3779's own or RFC 8360's of the same form; NULL: nothing. */
static void *extension_of(X509 *c, int nid, int other) BORROWED;
static void *extension_of(X509 *c, int nid, int other)
{
	int at = X509_get_ext_by_NID(c, nid, -1);
	X509_EXTENSION *x;
	void *is;

	if (at < 0)
		at = X509_get_ext_by_NID(c, other, -1);
	if (at < 0)
		return NULL;
	x = X509_EXTENSION_create_by_NID(NULL, nid, 1, X509_EXTENSION_get_data(X509_get_ext(c, at)));
	is = X509V3_EXT_d2i(x);
	X509_EXTENSION_free(x);
	return is;
}

static bool blocks_have(const IPAddrBlocks *blocks, unsigned int afi, const uint8_t *first, const uint8_t *last, int n)
{
	for (int i = 0; i < sk_IPAddressFamily_num(blocks); i++) {
		IPAddressFamily *f = sk_IPAddressFamily_value(blocks, i);

		if (X509v3_addr_get_afi(f) != afi)
			continue;
		if (f->ipAddressChoice->type == IPAddressChoice_inherit)
			return true;
		for (int k = 0; k < sk_IPAddressOrRange_num(f->ipAddressChoice->u.addressesOrRanges); k++) {
			uint8_t lo[16], hi[16];

			if (X509v3_addr_get_range(sk_IPAddressOrRange_value(f->ipAddressChoice->u.addressesOrRanges, k), afi, lo, hi, 16) == n && memcmp(lo, first, (size_t)n) <= 0 &&
			    memcmp(hi, last, (size_t)n) >= 0)
				return true;
		}
	}
	return false;
}

static bool has_prefix(X509 *c, const struct ip_prefix *p)
{
	IPAddrBlocks *blocks = extension_of(c, NID_sbgp_ipAddrBlock, NID_sbgp_ipAddrBlockv2);
	int n = p->family == 4 ? 4 : 16;
	uint8_t first[16], last[16];
	rpki_u128 lo = p->lo, hi = ip_prefix_last(p);
	bool has;

	for (int i = n; i-- > 0; lo >>= 8, hi >>= 8) {
		first[i] = (uint8_t)lo;
		last[i] = (uint8_t)hi;
	}
	has = blocks != NULL && blocks_have(blocks, p->family == 4 ? IANA_AFI_IPV4 : IANA_AFI_IPV6, first, last, n);
	sk_IPAddressFamily_pop_free(blocks, IPAddressFamily_free);
	return has;
}

static uint64_t number(const ASN1_INTEGER *i)
{
	uint64_t v;

	return ASN1_INTEGER_get_uint64(&v, i) == 1 ? v : UINT64_MAX;
}

static bool choice_has(const ASIdentifierChoice *c, uint32_t as)
{
	if (c == NULL)
		return false;
	if (c->type == ASIdentifierChoice_inherit)
		return true;
	for (int i = 0; i < sk_ASIdOrRange_num(c->u.asIdsOrRanges); i++) {
		const ASIdOrRange *r = sk_ASIdOrRange_value(c->u.asIdsOrRanges, i);

		if (r->type == ASIdOrRange_id ? number(r->u.id) == as : number(r->u.range->min) <= as && as <= number(r->u.range->max))
			return true;
	}
	return false;
}

static bool has_as(X509 *c, uint32_t as)
{
	ASIdentifiers *ids = extension_of(c, NID_sbgp_autonomousSysNum, NID_sbgp_autonomousSysNumv2);
	bool has = ids != NULL && choice_has(ids->asnum, as);

	ASIdentifiers_free(ids);
	return has;
}

static bool has_it(X509 *c, const struct truth_product *p)
{
	if (p->kind != TRUTH_ROA)
		return has_as(c, p->as);
	for (size_t i = 0; i < p->n; i++)
		if (!has_prefix(c, &p->prefixes[i]))
			return false;
	return true;
}

/* --- ways */

static bool is_anchor(const struct truth *t, const struct item *i)
{
	return i->state == 0 && strcmp(i->file->uri, t->anchor) == 0 && same_key(t->key, i->cert) && signed_by(i->cert, i->cert);
}

/* Whether c, which has what is asked, hangs from the trust anchor. product NULL: resources are not asked for. *ret_by: who signed it. */
static bool hangs(struct truth *t, X509 *c, const struct truth_product *p, unsigned int depth, X509 **ret_by)
{
	if (!in_time(t, c))
		return no(t, 1, "not valid at this time");
	if (p != NULL && !has_it(c, p))
		return no(t, 2, "a certificate on the way has not the resources");
	for (size_t i = 0; i < t->n && depth < 6; i++) {
		struct item *by = &t->items[i];
		X509 *above;

		if (by->cert == NULL || by->is_signed || by->cert == c || !signed_by(c, by->cert))
			continue;
		if (!unrevoked(t, c, by->cert)) {
			(void)no(t, 3, "revoked, or no list of revoked certificates");
			continue;
		}
		if (is_anchor(t, by) ? in_time(t, by->cert) && (p == NULL || has_it(by->cert, p)) : hangs(t, by->cert, p, depth + 1, &above)) {
			*ret_by = by->cert;
			return true;
		}
	}
	return no(t, 2, "no way to the trust anchor");
}

/* --- manifests */

static struct span child_octets(struct node *n, unsigned int i)
{
	struct node *c = tree_child(n, i);

	return c != NULL && !c->inside ? c->octets : span_of("", 0);
}

static struct span sha256(struct truth *t, struct span s)
{
	uint8_t *hash = arena_alloc(t->a, 33);

	SHA256(s.p, s.n, hash + 1);
	return span_of(hash, 33); /* as a BIT STRING */
}

/* What a manifest of a state means by a name: what is there now, or by its hash what has been there. */
static bool is_there(struct truth *t, const struct item *manifest, struct span folder, struct span name, struct span hash)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *uri = t->items[i].file->uri;
		bool named = strlen(uri) == folder.n + name.n && memcmp(uri, folder.p, folder.n) == 0 && memcmp(uri + folder.n, name.p, name.n) == 0;

		if ((manifest->state > 0 || t->items[i].state > 0 || named) && span_equal(sha256(t, t->items[i].file->octets), hash))
			return true;
	}
	return false;
}

static bool manifest_allows(struct truth *t, const struct item *m, const struct item *object, X509 *by, struct span folder)
{
	struct node *root = m->content.n > 0 ? tree_parse(t->a, m->content) : NULL, *list, *f;
	struct span now = span_text(t->now_text), from, until, name = span_text(object->file->uri + folder.n), hash = sha256(t, object->file->octets);
	unsigned int at = 0;
	bool listed = false;
	X509 *above;

	if (root == NULL || !signed_by(m->cert, by) || !unrevoked(t, m->cert, by) || !hangs(t, m->cert, NULL, 0, &above))
		return no(t, 4, "no good manifest");
	if (tree_child(root, 0) != NULL && tree_child(root, 0)->inside)
		at = 1; /* a version */
	from = child_octets(root, at + 1);
	until = child_octets(root, at + 2);
	if (from.n != now.n || until.n != now.n || memcmp(from.p, now.p, now.n) > 0 || memcmp(until.p, now.p, now.n) < 0)
		return no(t, 5, "the manifest is not of this time");
	list = tree_child(root, at + 4);
	for (f = tree_child(list, 0); f != NULL; f = f->next) {
		struct span n = child_octets(f, 0), h = child_octets(f, 1);

		if (!is_there(t, m, folder, n, h))
			return no(t, 6, "not all of the manifest is there");
		listed = listed || (span_equal(n, name) && span_equal(h, hash));
	}
	return listed || no(t, 6, "the manifest does not list it");
}

static bool allowed(struct truth *t, const struct item *object, const struct truth_product *p)
{
	struct span folder = span_of(object->file->uri, (size_t)(pub_name(object->file->uri) - object->file->uri));
	X509 *by;

	if (object->cert == NULL || object->is_signed != (p->kind != TRUTH_ROUTER))
		return no(t, 0, "no such object");
	if (!hangs(t, object->cert, p, 0, &by))
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (t->items[i].is_manifest && manifest_allows(t, &t->items[i], object, by, folder))
			return true;
	return false;
}

const char *truth_excludes(struct truth *t, const struct truth_product *p)
{
	bool good = false;

	t->why = "nothing is published there";
	t->how_far = 0;
	for (size_t i = 0; i < t->n && !good; i++)
		good = span_equal(span_text(t->items[i].file->uri), p->uri) && allowed(t, &t->items[i], p);
	ERR_clear_error();
	return good ? NULL : t->why;
}
