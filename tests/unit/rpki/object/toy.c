#include "tests/unit/rpki/object/toy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/libcrypto.h"
#include "base/mem.h"
#include "rpki/object/oid.h"
#include "tests/unit/rpki/object/toy_keys.h"

struct toy {
	struct arena *a OWNED_FIELD;
	RSA *keys[TOY_KEYS];
	struct span spki[TOY_KEYS];   /* SubjectPublicKeyInfo */
	struct span ski[TOY_KEYS];
	struct span objects[TOY_KINDS];
	struct span certs[2];
};

#define T(a, tag, ...) tree_tlv((a), (tag), (const struct span[]){ __VA_ARGS__ }, sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span))
#define SEQ(a, ...) T(a, DER_SEQUENCE, __VA_ARGS__)
#define SET(a, ...) T(a, DER_SET, __VA_ARGS__)
#define OID(a, literal) T(a, DER_OID, OID_SPAN(literal))
#define HEX(a, h) tree_hex((a), (h), strlen(h))
#define NOTHING span_of("", 0)

static struct span str(struct arena *a, uint8_t tag, const char *s) { return T(a, tag, span_text(s)); }
static struct span null_value(struct arena *a) { return T(a, DER_NULL, NOTHING); }
static struct span uri(struct arena *a, const char *s) { return str(a, DER_CONTEXT + 6, s); }
static struct span rsa_sha256(struct arena *a) { return SEQ(a, OID(a, OID_SHA256_WITH_RSA), null_value(a)); }

static struct span name_of(struct arena *a, const char *cn)
{
	return SEQ(a, SET(a, SEQ(a, OID(a, OID_COMMON_NAME), str(a, DER_PRINTABLE_STRING, cn))));
}

static const char *key_name(unsigned int key) BORROWED;
static const char *key_name(unsigned int key)
{
	static const char *const names[TOY_KEYS] = { "toy-ta", "toy-ca", "toy-ee", "toy-sub" };

	return names[key];
}

static struct span bits(struct arena *a, const char *hex_with_unused) { return T(a, DER_BIT_STRING, HEX(a, hex_with_unused)); }

static struct span extension(struct arena *a, struct span oid, bool critical, struct span value)
{
	struct span wrapped = T(a, DER_OCTET_STRING, value);

	return critical ? SEQ(a, T(a, DER_OID, oid), HEX(a, "0101ff"), wrapped) : SEQ(a, T(a, DER_OID, oid), wrapped);
}

static struct span ce(struct arena *a, uint8_t last)
{
	uint8_t *p = arena_dup(a, OID_CE, 3);

	p[2] = last;
	return span_of(p, 3);
}

static struct span access_description(struct arena *a, struct span method, const char *where)
{
	return SEQ(a, T(a, DER_OID, method), uri(a, where));
}

/* What a certificate is made with. */
struct plan {
	const char *subject;
	const char *issuer;
	const char *serial; /* hex */
	unsigned int key, by;
	struct span spki;   /* instead of the key's */
	struct span sia;    /* of the AccessDescriptions; none: no extension */
	struct span ip;     /* of IPAddrBlocks; none: no extension */
	struct span as;
	bool ca, self, router;
	const char *crl;    /* where the issuer's CRL is; NULL: where the CA's is */
};

#define REPO "rsync://toy.example/repo/"
#define TA_REPO "rsync://toy.example/ta/"

static struct span make_extensions(struct toy *t, const struct plan *p)
{
	struct arena *a = t->a;
	uint8_t digest[20];
	struct key_info info = { .whole = p->spki };
	struct reader r = reader_of(p->spki);
	struct span ski, x[16];
	size_t n = 0;

	info = key_info_read(&r);
	sha1_of(info.octets, digest);
	ski = span_of(arena_dup(a, digest, 20), 20);
	if (p->ca)
		x[n++] = extension(a, ce(a, CE_BASIC_CONSTRAINTS), true, SEQ(a, HEX(a, "0101ff")));
	x[n++] = extension(a, ce(a, CE_SKI), false, T(a, DER_OCTET_STRING, ski));
	if (!p->self)
		x[n++] = extension(a, ce(a, CE_AKI), false, SEQ(a, T(a, DER_CONTEXT, t->ski[p->by])));
	x[n++] = extension(a, ce(a, CE_KEY_USAGE), true, bits(a, p->ca ? "0106" : "0780"));
	if (p->router)
		x[n++] = extension(a, ce(a, CE_EKU), false, SEQ(a, OID(a, OID_BGPSEC_ROUTER)));
	if (!p->self) {
		x[n++] = extension(a, ce(a, CE_CRLDP), false,
		    SEQ(a, SEQ(a, T(a, DER_CONSTRUCTED, T(a, DER_CONSTRUCTED, uri(a, p->crl != NULL ? p->crl : REPO "toy.crl"))))));
		x[n++] = extension(a, OID_SPAN(OID_AIA), false, SEQ(a, access_description(a, OID_SPAN(OID_CA_ISSUERS), REPO "toy.cer")));
	}
	if (p->sia.n > 0)
		x[n++] = extension(a, OID_SPAN(OID_SIA), false, T(a, DER_SEQUENCE, p->sia));
	x[n++] = extension(a, ce(a, CE_POLICIES), true,
	    SEQ(a, SEQ(a, OID(a, OID_POLICY), SEQ(a, SEQ(a, OID(a, OID_CPS), str(a, DER_IA5_STRING, "https://toy.example/cps"))))));
	if (p->ip.n > 0)
		x[n++] = extension(a, OID_SPAN(OID_IP_RESOURCES), true, p->ip);
	if (p->as.n > 0)
		x[n++] = extension(a, OID_SPAN(OID_AS_RESOURCES), true, p->as);
	return T(a, DER_CONSTRUCTED + 3, tree_tlv(a, DER_SEQUENCE, x, n));
}

static struct span sign_octets(struct toy *t, struct arena *a, unsigned int key, struct span s)
{
	uint8_t digest[32], signature[256];
	unsigned int n = 0;

	sha256_of(s, digest);
	if (RSA_sign(NID_sha256, digest, 32, signature, &n, t->keys[key]) != 1)
		abort();
	return span_of(arena_dup(a, signature, n), n);
}

static struct span sign_frame(struct toy *t, unsigned int key, struct span tbs)
{
	struct arena *a = t->a;

	return SEQ(a, tbs, rsa_sha256(a), T(a, DER_BIT_STRING, span_of("", 1), sign_octets(t, a, key, tbs)));
}

static struct span make_cert(struct toy *t, const struct plan *given)
{
	struct plan p = *given;
	struct arena *a = t->a;

	if (p.spki.n == 0)
		p.spki = t->spki[p.key];
	return sign_frame(t, p.by,
	    SEQ(a, HEX(a, "a003020102"), T(a, DER_INTEGER, HEX(a, p.serial)), rsa_sha256(a), name_of(a, p.issuer),
		SEQ(a, str(a, DER_UTC_TIME, "260101000000Z"), str(a, DER_UTC_TIME, "360101000000Z")), name_of(a, p.subject), p.spki,
		make_extensions(t, &p)));
}

#define IP_INHERIT "30103006040200010500" "3006040200020500"
#define AS_INHERIT "3004a0020500"

/* IPAddrBlocks of one IPv4 and one IPv6 prefix, as the contents of their BIT STRINGs. */
static struct span blocks(struct arena *a, const char *v4, const char *v6)
{
	return SEQ(a, SEQ(a, HEX(a, "04020001"), SEQ(a, bits(a, v4))), SEQ(a, HEX(a, "04020002"), SEQ(a, bits(a, v6))));
}

static struct span as_numbers(struct arena *a, const char *hex) { return SEQ(a, T(a, DER_CONSTRUCTED, SEQ(a, HEX(a, hex)))); }

static struct span make_crl(struct toy *t, unsigned int by)
{
	struct arena *a = t->a;

	return sign_frame(t, by,
	    SEQ(a, HEX(a, "020101"), rsa_sha256(a), name_of(a, key_name(by)), str(a, DER_UTC_TIME, "260101000000Z"),
		str(a, DER_UTC_TIME, "360101000000Z"), SEQ(a, SEQ(a, HEX(a, "02020666"), str(a, DER_UTC_TIME, "260101000000Z"))),
		T(a, DER_CONSTRUCTED,
		    SEQ(a, extension(a, ce(a, CE_AKI), false, SEQ(a, T(a, DER_CONTEXT, t->ski[by]))),
			extension(a, ce(a, CE_CRL_NUMBER), false, HEX(a, "02020101"))))));
}

static struct span attribute(struct arena *a, struct span oid, struct span value) { return SEQ(a, T(a, DER_OID, oid), SET(a, value)); }

/* An object signed by the CA, or by the trust anchor itself. */
static struct span make_signed_at(struct toy *t, const char *file, unsigned int by, struct span type, struct span content, struct span ip, struct span as, const char *crl)
{
	struct arena *a = t->a;
	uint8_t digest[32];
	struct plan p = { "toy-ee", key_name(by), "1000", TOY_KEY_EE, by, NOTHING, NOTHING, ip, as, false, false, false, crl };
	struct span set, retagged;
	struct node *n;

	if (strstr(file, ".sig") == NULL)
		p.sia = access_description(a, OID_SPAN(OID_SIGNED_OBJECT), file);
	sha256_of(content, digest);
	set = SET(a, attribute(a, OID_SPAN(OID_CONTENT_TYPE_ATTR), T(a, DER_OID, type)),
	    attribute(a, OID_SPAN(OID_SIGNING_TIME_ATTR), str(a, DER_UTC_TIME, "260101000000Z")),
	    attribute(a, OID_SPAN(OID_MESSAGE_DIGEST_ATTR), T(a, DER_OCTET_STRING, span_of(digest, 32))));
	n = tree_parse(a, set);
	n->tag = DER_CONSTRUCTED;
	retagged = tree_write(a, n);
	return SEQ(a, OID(a, OID_SIGNED_DATA),
	    T(a, DER_CONSTRUCTED,
		SEQ(a, HEX(a, "020103"), SET(a, SEQ(a, OID(a, OID_SHA256))),
		    SEQ(a, T(a, DER_OID, type), T(a, DER_CONSTRUCTED, T(a, DER_OCTET_STRING, content))), T(a, DER_CONSTRUCTED, make_cert(t, &p)),
		    SET(a, SEQ(a, HEX(a, "020103"), T(a, DER_CONTEXT, t->ski[TOY_KEY_EE]), SEQ(a, OID(a, OID_SHA256)), retagged,
				SEQ(a, OID(a, OID_RSA_ENCRYPTION), null_value(a)), T(a, DER_OCTET_STRING, sign_octets(t, a, TOY_KEY_EE, set)))))));
}

static struct span make_signed(struct toy *t, const char *file, unsigned int by, struct span type, struct span content, struct span ip, struct span as)
{
	return make_signed_at(t, file, by, type, content, ip, as, NULL);
}

static struct span tak_key(struct toy *t, unsigned int key)
{
	struct arena *a = t->a;

	return SEQ(a, SEQ(a, str(a, DER_UTF8_STRING, "a toy")), SEQ(a, str(a, DER_IA5_STRING, "rsync://toy.example/ta/toy.cer")), t->spki[key]);
}

static struct span file_and_hash(struct arena *a, const char *name)
{
	uint8_t digest[33] = { 0 };

	sha256_of(span_text(name), digest + 1);
	return SEQ(a, str(a, DER_IA5_STRING, name), T(a, DER_BIT_STRING, span_of(digest, 33)));
}

static struct span make_manifest(struct toy *t)
{
	struct arena *a = t->a;

	return make_signed(t, REPO "toy.mft", TOY_KEY_CA, OID_SPAN(OID_MANIFEST),
	    SEQ(a, HEX(a, "020107"), str(a, DER_GENERALIZED_TIME, "20260101000000Z"), str(a, DER_GENERALIZED_TIME, "20360101000000Z"), OID(a, OID_SHA256),
		SEQ(a, file_and_hash(a, "toy.crl"), file_and_hash(a, "toy.roa"))),
	    HEX(a, IP_INHERIT), HEX(a, AS_INHERIT));
}

static struct span make_rsc(struct toy *t, struct span ip, struct span as)
{
	struct arena *a = t->a;
	uint8_t digest[32];

	sha256_of(span_text("file"), digest);
	return make_signed(t, REPO "toy.sig", TOY_KEY_CA, OID_SPAN(OID_RSC),
	    SEQ(a, SEQ(a, T(a, DER_CONSTRUCTED, as), T(a, DER_CONSTRUCTED + 1, ip)), SEQ(a, OID(a, OID_SHA256)),
		SEQ(a, SEQ(a, str(a, DER_IA5_STRING, "file"), T(a, DER_OCTET_STRING, span_of(digest, 32))))),
	    ip, as);
}

static struct span make_router(struct toy *t)
{
	/* the curve's generator: a point as good as any */
	static const char point[] = "00046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
	struct arena *a = t->a;
	struct plan p = { "ROUTER-0000FBF0", "toy-ca", "03", TOY_KEY_EE, TOY_KEY_CA, NOTHING, NOTHING, NOTHING, NOTHING, false, false, true, NULL };

	p.spki = SEQ(a, SEQ(a, OID(a, OID_EC_PUBLIC_KEY), OID(a, OID_P256)), T(a, DER_BIT_STRING, HEX(a, point)));
	p.as = as_numbers(a, "020300fbf0");
	return make_cert(t, &p);
}

#define VCARD "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:A Toy\r\nORG:Toys\r\nEMAIL:toy@toy.example\r\nEND:VCARD\r\n"

static void make_all(struct toy *t)
{
	struct arena *a = t->a;
	struct span ca_sia, ip, as;
	struct span *o = t->objects;
	struct plan ta = { "toy-ta", "toy-ta", "01", TOY_KEY_TA, TOY_KEY_TA, NOTHING, NOTHING, NOTHING, NOTHING, true, true, false, NULL };
	struct plan ca = { "toy-ca", "toy-ta", "02", TOY_KEY_CA, TOY_KEY_TA, NOTHING, NOTHING, NOTHING, NOTHING, true, false, false, NULL };
	struct writer w = writer_of(arena_alloc(a, 512), 512);

	write_span(&w, access_description(a, OID_SPAN(OID_CA_REPOSITORY), REPO));
	write_span(&w, access_description(a, OID_SPAN(OID_RPKI_MANIFEST), REPO "toy.mft"));
	write_span(&w, access_description(a, OID_SPAN(OID_RPKI_NOTIFY), "https://toy.example/notify.xml"));
	ca_sia = writer_done(&w);
	ta.sia = ca.sia = ca_sia;
	ta.ip = blocks(a, "000a", "0020010db8");       /* 10.0.0.0/8, 2001:db8::/32 */
	ta.as = as_numbers(a, "300a020300fbf0020300fbff"); /* 64496 to 64511 */
	ca.ip = blocks(a, "070a00", "0020010db8");     /* 10.0.0.0/9 */
	ca.as = ta.as;
	ip = blocks(a, "000a01", "0020010db80001");    /* 10.1.0.0/16, 2001:db8:1::/48 */
	as = as_numbers(a, "020300fbf0");
	o[TOY_TA] = make_cert(t, &ta);
	o[TOY_CA] = make_cert(t, &ca);
	o[TOY_ROUTER] = make_router(t);
	o[TOY_CRL] = make_crl(t, TOY_KEY_CA);
	o[TOY_ROA] = make_signed(t, REPO "toy.roa", TOY_KEY_CA, OID_SPAN(OID_ROA),
	    SEQ(a, HEX(a, "020300fbf0"),
		SEQ(a, SEQ(a, HEX(a, "04020001"), SEQ(a, SEQ(a, bits(a, "000a01"), HEX(a, "020118")))),
		    SEQ(a, HEX(a, "04020002"), SEQ(a, SEQ(a, bits(a, "0020010db80001")))))),
	    ip, NOTHING);
	o[TOY_MANIFEST] = make_manifest(t);
	o[TOY_GHOSTBUSTERS] =
	    make_signed(t, REPO "toy.gbr", TOY_KEY_CA, OID_SPAN(OID_GHOSTBUSTERS), span_text(VCARD), HEX(a, IP_INHERIT), HEX(a, AS_INHERIT));
	o[TOY_ASPA] = make_signed(t, REPO "toy.asa", TOY_KEY_CA, OID_SPAN(OID_ASPA),
	    SEQ(a, HEX(a, "a003020101"), HEX(a, "020300fbf0"), SEQ(a, HEX(a, "020101020102"))), NOTHING, as);
	o[TOY_TAK] = make_signed(t, REPO "toy.tak", TOY_KEY_TA, OID_SPAN(OID_TAK), SEQ(a, tak_key(t, TOY_KEY_TA), T(a, DER_CONSTRUCTED + 1, tak_key(t, TOY_KEY_CA))),
	    HEX(a, IP_INHERIT), HEX(a, AS_INHERIT));
	o[TOY_RSC] = make_rsc(t, ip, as);
	o[TOY_PREFIX_LIST] = make_signed(t, REPO "toy.spl", TOY_KEY_CA, OID_SPAN(OID_PREFIX_LIST),
	    SEQ(a, HEX(a, "020300fbf0"),
		SEQ(a, SEQ(a, HEX(a, "04020001"), SEQ(a, bits(a, "000a01"), bits(a, "000a02"))),
		    SEQ(a, HEX(a, "04020002"), SEQ(a, bits(a, "0020010db8"))))),
	    NOTHING, as);
	t->certs[0] = o[TOY_TA];
	t->certs[1] = o[TOY_CA];
}

void toy_free(struct toy *t)
{
	if (t == NULL)
		return;
	for (unsigned int i = 0; i < TOY_KEYS; i++)
		RSA_free(t->keys[i]);
	arena_free(MOVE(t->a));
	mem_free(t);
}

static void take_key(struct toy *t, unsigned int i)
{
	struct span der = HEX(t->a, toy_keys[i]), n, e;
	struct reader outer = reader_of(der), r = der_enter(&outer, DER_SEQUENCE);
	const unsigned char *p = der.p;
	struct span key;
	uint8_t digest[20];

	t->keys[i] = d2i_RSAPrivateKey(NULL, &p, (long)der.n);
	if (t->keys[i] == NULL)
		abort();
	der_integer(&r);
	n = der_whole(&r, DER_INTEGER);
	e = der_whole(&r, DER_INTEGER);
	key = SEQ(t->a, n, e);
	sha1_of(key, digest);
	t->ski[i] = span_of(arena_dup(t->a, digest, 20), 20);
	t->spki[i] = SEQ(t->a, SEQ(t->a, OID(t->a, OID_RSA_ENCRYPTION), null_value(t->a)), T(t->a, DER_BIT_STRING, span_of("", 1), key));
}

struct toy *toy_new(void)
{
	AUTO(toy_free) struct toy *t = mem_alloc(sizeof *t);

	if (t == NULL)
		return NULL;
	t->a = arena_new(0);
	if (t->a == NULL)
		return NULL;
	for (unsigned int i = 0; i < TOY_KEYS; i++)
		take_key(t, i);
	make_all(t);
	return MOVE(t);
}

const char *toy_name(enum toy_what w)
{
	static const char *const names[TOY_KINDS] = { "ta.cer", "toy.cer", "router.cer", "toy.crl", "toy.roa", "toy.mft", "toy.gbr", "toy.asa", "toy.tak",
		"toy.sig", "toy.spl" };

	return names[w];
}

struct span toy_object(const struct toy *t, enum toy_what w) { return t->objects[w]; }
struct arena *toy_arena(struct toy *t) { return t->a; }
struct span toy_key_info(const struct toy *t, enum toy_key key) { return t->spki[key]; }

struct inspect_context toy_context(const struct toy *t)
{
	return (struct inspect_context){ TOY_NOW, NULL, t->certs, 2, &t->objects[TOY_CRL], 1 };
}

/* --- changing */

static enum toy_key signer_of(enum toy_what w) { return w == TOY_TA || w == TOY_CA || w == TOY_TAK ? TOY_KEY_TA : TOY_KEY_CA; }

struct toy_tree toy_tree(struct arena *a, struct span der, enum toy_what w)
{
	struct toy_tree t = { .what = w, .by = signer_of(w), .root = tree_parse(a, der) };
	struct node *sd, *signer, *digest;

	if (w <= TOY_CRL) {
		t.cert = t.root;
		return t;
	}
	sd = tree_child(tree_child(t.root, 1), 0);
	t.content = tree_child(tree_child(tree_child(sd, 2), 1), 0);
	t.cert = tree_child(tree_child(sd, 3), 0);
	signer = tree_child(tree_child(sd, 4), 0);
	t.attributes = tree_child(signer, 3);
	t.signature = tree_child(signer, 5);
	digest = tree_find(t.attributes, OID_SPAN(OID_MESSAGE_DIGEST_ATTR));
	t.digest = tree_child(tree_child(digest, 1), 0);
	return t;
}

static void sign_again(struct toy *t, struct arena *a, struct node *frame, unsigned int key)
{
	struct node *tbs = tree_child(frame, 0), *signature = tree_child(frame, 2);

	if (tbs != NULL && signature != NULL && signature->tag == DER_BIT_STRING) {
		struct span s = sign_octets(t, a, key, tree_write(a, tbs));
		uint8_t *p = arena_alloc(a, s.n + 1);

		memcpy(p + 1, s.p, s.n);
		signature->octets = span_of(p, s.n + 1);
	}
}

struct span toy_sign(struct toy *t, struct arena *a, struct toy_tree *tree, unsigned int keep)
{
	if (tree->what <= TOY_CRL) {
		if ((keep & TOY_KEEP_SIGNATURE) == 0)
			sign_again(t, a, tree->root, tree->by);
		return tree_write(a, tree->root);
	}
	if ((keep & TOY_KEEP_EE_SIGNATURE) == 0 && tree->cert != NULL)
		sign_again(t, a, tree->cert, tree->by);
	if ((keep & TOY_KEEP_DIGEST) == 0 && tree->digest != NULL && tree->digest->tag == DER_OCTET_STRING && tree->content != NULL) {
		uint8_t digest[32];

		sha256_of(tree_contents(a, tree->content), digest);
		tree->digest->octets = span_of(arena_dup(a, digest, 32), 32);
	}
	if ((keep & TOY_KEEP_SIGNATURE) == 0 && tree->signature != NULL && tree->signature->tag == DER_OCTET_STRING && tree->attributes != NULL) {
		struct span contents = tree_contents(a, tree->attributes);

		tree->signature->octets = sign_octets(t, a, TOY_KEY_EE, tree_tlv(a, DER_SET, &contents, 1));
	}
	return tree_write(a, tree->root);
}

struct span toy_as_ber(struct arena *a, const struct toy_tree *tree)
{
	struct node *root = tree->root, *sd = tree_child(tree_child(root, 1), 0), *encap = tree_child(sd, 2), *certs = tree_child(sd, 3), *signers = tree_child(sd, 4);
	struct span content = tree->content != NULL ? tree_contents(a, tree->content) : NOTHING;
	size_t room = tree_size(root) + content.n / 5 + 64;
	struct writer w = writer_of(arena_alloc(a, room), room);
	struct reader r = reader_of(content);

	if (signers == NULL || tree_child(encap, 0) == NULL)
		return tree_write(a, root);
	write_octets(&w, "\x30\x80", 2);
	write_span(&w, tree_write(a, tree_child(root, 0)));
	write_octets(&w, "\xa0\x80\x30\x80", 4);
	write_span(&w, tree_write(a, tree_child(sd, 0)));
	write_span(&w, tree_write(a, tree_child(sd, 1)));
	write_octets(&w, "\x30\x80", 2);
	write_span(&w, tree_write(a, tree_child(encap, 0)));
	write_octets(&w, "\xa0\x80\x24\x80", 4);
	while (!reader_end(&r)) {
		struct span chunk = read_span(&r, reader_left(&r) < 20 ? reader_left(&r) : 20);

		write_span(&w, tree_tlv(a, DER_OCTET_STRING, &chunk, 1));
	}
	write_octets(&w, "\0\0\0\0\0\0\xa0\x80", 8);
	write_span(&w, tree_contents(a, certs));
	write_octets(&w, "\0\0", 2);
	write_span(&w, tree_write(a, signers));
	write_octets(&w, "\0\0\0\0\0\0", 6);
	return writer_ok(&w) ? writer_done(&w) : tree_write(a, root);
}

static struct node *find_extension(struct arena *a, struct node *frame, const char *name) BORROWED;
static struct node *find_extension(struct arena *a, struct node *frame, const char *name)
{
	static const struct {
		const char *name;
		uint8_t ce;
	} known[] = { { "bc", CE_BASIC_CONSTRAINTS }, { "ski", CE_SKI }, { "aki", CE_AKI }, { "ku", CE_KEY_USAGE }, { "eku", CE_EKU }, { "crldp", CE_CRLDP },
		{ "cp", CE_POLICIES }, { "num", CE_CRL_NUMBER } };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i].name, name) == 0)
			return tree_find(frame, ce(a, known[i].ce));
	if (strcmp(name, "aia") == 0)
		return tree_find(frame, OID_SPAN(OID_AIA));
	if (strcmp(name, "sia") == 0)
		return tree_find(frame, OID_SPAN(OID_SIA));
	return tree_find(frame, strcmp(name, "ip") == 0 ? OID_SPAN(OID_IP_RESOURCES) : OID_SPAN(OID_AS_RESOURCES));
}

static struct node *find_part(struct arena *a, struct toy_tree *t, const char *part) BORROWED;
static struct node *find_part(struct arena *a, struct toy_tree *t, const char *part)
{
	bool ee = strncmp(part, "ee", 2) == 0 && (part[2] == '\0' || part[2] == '/');

	if (part[0] == '\0')
		return t->root;
	if (!ee && t->what > TOY_CRL) {
		struct node *sd = tree_child(tree_child(t->root, 1), 0);

		if (strcmp(part, "content") == 0)
			return t->content;
		if (strcmp(part, "attrs") == 0)
			return t->attributes;
		return strcmp(part, "sd") == 0 ? sd : tree_child(tree_child(sd, 4), 0);
	}
	if (ee)
		part += part[2] == '/' ? 3 : 2;
	if (part[0] == '\0')
		return t->cert;
	return strcmp(part, "tbs") == 0 ? tree_child(t->cert, 0) : find_extension(a, tree_child(t->cert, 0), part);
}

bool toy_edit(struct arena *a, struct toy_tree *tree, const char *part, const char *edits)
{
	struct node *n = find_part(a, tree, part);

	return n != NULL && tree_edit(a, n, edits);
}

struct span toy_edited_in(struct arena *a, struct toy *t, enum toy_what w, const char *part, const char *edits, unsigned int keep)
{
	struct toy_tree tree = toy_tree(a, t->objects[w], w);

	return toy_edit(a, &tree, part, edits) ? toy_sign(t, a, &tree, keep) : (struct span){ NULL, 0 };
}

struct span toy_edited(struct toy *t, enum toy_what w, const char *part, const char *edits, unsigned int keep)
{
	return toy_edited_in(t->a, t, w, part, edits, keep);
}

struct span toy_locator(struct toy *t)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct span key = t->spki[TOY_KEY_TA];
	struct writer w = writer_of(arena_alloc(t->a, 1024), 1024);

	write_span(&w, span_text("# a toy\nrsync://toy.example/ta/toy.cer\nhttps://toy.example/ta/toy.cer\n\n"));
	for (size_t i = 0; i < key.n; i += 3) { /* 294 octets: no padding */
		uint32_t v = (uint32_t)key.p[i] << 16 | (uint32_t)key.p[i + 1] << 8 | key.p[i + 2];

		for (unsigned int k = 0; k < 4; k++)
			write8(&w, (uint8_t)digits[v >> (18 - 6 * k) & 63]);
	}
	write8(&w, '\n');
	return writer_done(&w);
}

/* --- a repository */

static struct span point_sia(struct arena *a, const char *repository, const char *manifest)
{
	struct writer w = writer_of(arena_alloc(a, 512), 512);

	write_span(&w, access_description(a, OID_SPAN(OID_CA_REPOSITORY), repository));
	write_span(&w, access_description(a, OID_SPAN(OID_RPKI_MANIFEST), manifest));
	return writer_done(&w);
}

static struct span listed(struct arena *a, const struct toy_file *f)
{
	const char *name = strrchr(f->uri, '/') + 1;
	uint8_t digest[33] = { 0 };

	sha256_of(f->octets, digest + 1);
	return SEQ(a, str(a, DER_IA5_STRING, name), T(a, DER_BIT_STRING, span_of(digest, 33)));
}

struct span toy_manifest_at(struct toy *t, enum toy_key by, const char *where, const char *crl, uint8_t number, const struct toy_file *files, size_t n)
{
	struct arena *a = t->a;
	struct span list[32];

	for (size_t i = 0; i < n; i++)
		list[i] = listed(a, &files[i]);
	return make_signed_at(t, where, by, OID_SPAN(OID_MANIFEST),
	    SEQ(a, T(a, DER_INTEGER, span_of(&number, 1)), str(a, DER_GENERALIZED_TIME, "20260101000000Z"), str(a, DER_GENERALIZED_TIME, "20360101000000Z"),
		OID(a, OID_SHA256), tree_tlv(a, DER_SEQUENCE, list, n)),
	    HEX(a, IP_INHERIT), HEX(a, AS_INHERIT), crl);
}

struct span toy_manifest(struct toy *t, bool of_anchor, uint8_t number, const struct toy_file *files, size_t n)
{
	return of_anchor ? toy_manifest_at(t, TOY_KEY_TA, TA_REPO "ta.mft", TA_REPO "ta.crl", number, files, n) : toy_manifest_at(t, TOY_KEY_CA, REPO "toy.mft", NULL, number, files, n);
}

struct span toy_ca_below(struct toy *t, enum toy_key by, enum toy_key key, const char *crl)
{
	struct arena *a = t->a;
	struct plan p = { key_name(key), key_name(by), "07", key, by, NOTHING, point_sia(a, REPO, REPO "toy.mft"), HEX(a, IP_INHERIT), HEX(a, AS_INHERIT), true, false, false, crl };

	return make_cert(t, &p);
}

struct span toy_ca_below_itself(struct toy *t) { return toy_ca_below(t, TOY_KEY_CA, TOY_KEY_CA, NULL); }

void toy_repository(struct toy *t, struct toy_file ret[TOY_FILES])
{
	struct arena *a = t->a;
	struct plan ta = { "toy-ta", "toy-ta", "01", TOY_KEY_TA, TOY_KEY_TA, NOTHING, point_sia(a, TA_REPO, TA_REPO "ta.mft"), NOTHING, NOTHING, true, true, false, NULL };
	struct plan ca = { "toy-ca", "toy-ta", "02", TOY_KEY_CA, TOY_KEY_TA, NOTHING, point_sia(a, REPO, REPO "toy.mft"), NOTHING, NOTHING, true, false, false, TA_REPO "ta.crl" };

	ta.ip = blocks(a, "000a", "0020010db8");
	ta.as = as_numbers(a, "300a020300fbf0020300fbff");
	ca.ip = blocks(a, "070a00", "0020010db8");
	ca.as = ta.as;
	ret[TOY_FILE_TA] = (struct toy_file){ "rsync://toy.example/ta/toy.cer", make_cert(t, &ta) };
	ret[TOY_FILE_TA_CRL] = (struct toy_file){ TA_REPO "ta.crl", make_crl(t, TOY_KEY_TA) };
	ret[TOY_FILE_CA] = (struct toy_file){ TA_REPO "ca.cer", make_cert(t, &ca) };
	ret[TOY_FILE_TA_MANIFEST] = (struct toy_file){ TA_REPO "ta.mft", toy_manifest(t, true, 7, ret + TOY_FILE_TA_CRL, 2) };
	ret[TOY_FILE_CRL] = (struct toy_file){ REPO "toy.crl", t->objects[TOY_CRL] };
	ret[TOY_FILE_ROA] = (struct toy_file){ REPO "toy.roa", t->objects[TOY_ROA] };
	ret[TOY_FILE_ASPA] = (struct toy_file){ REPO "toy.asa", t->objects[TOY_ASPA] };
	ret[TOY_FILE_ROUTER] = (struct toy_file){ REPO "router.cer", t->objects[TOY_ROUTER] };
	ret[TOY_FILE_GHOSTBUSTERS] = (struct toy_file){ REPO "toy.gbr", t->objects[TOY_GHOSTBUSTERS] };
	ret[TOY_FILE_MANIFEST] = (struct toy_file){ REPO "toy.mft", toy_manifest(t, false, 7, ret + TOY_FILE_CRL, 5) };
}

/* --- the same with one CA more, and more of each kind */

#define SUB_REPO "rsync://toy.example/sub/"

/* Another serial number for its certificate, or for that of its signer: objects are revoked one by one. */
static struct span numbered(struct toy *t, struct span der, const struct toy_place *p, unsigned int number)
{
	struct toy_tree tree = toy_tree(t->a, der, p->what);
	char edit[] = "0.1:1000";

	snprintf(edit + 6, sizeof edit - 6, "%02x", number & 0x7f);
	tree.by = p->by;
	if (!tree_edit(t->a, tree.cert, edit))
		abort();
	return toy_sign(t, t->a, &tree, 0);
}

static struct span make_roa(struct toy *t, const char *where, enum toy_key by, const char *as, const char *v4, const char *crl)
{
	struct arena *a = t->a;
	struct span ip = SEQ(a, SEQ(a, HEX(a, "04020001"), SEQ(a, bits(a, v4))));

	return make_signed_at(t, where, by, OID_SPAN(OID_ROA), SEQ(a, HEX(a, as), SEQ(a, SEQ(a, HEX(a, "04020001"), SEQ(a, SEQ(a, bits(a, v4)))))), ip, NOTHING, crl);
}

static struct span make_sub(struct toy *t)
{
	struct arena *a = t->a;
	struct plan sub = { "toy-sub", "toy-ca", "04", TOY_KEY_SUB, TOY_KEY_CA, NOTHING, point_sia(a, SUB_REPO, SUB_REPO "sub.mft"), NOTHING, NOTHING, true, false, false, NULL };

	sub.ip = blocks(a, "000a01", "0020010db80001");
	sub.as = as_numbers(a, "020300fbf0");
	return make_cert(t, &sub);
}

static struct span place_octets(struct toy *t, enum toy_place_at at, const struct toy_place *p, const struct toy_file *repository)
{
	struct arena *a = t->a;

	switch (at) {
	case TOY_PLACE_TA:
		return repository[TOY_FILE_TA].octets;
	case TOY_PLACE_TA_CRL:
		return repository[TOY_FILE_TA_CRL].octets;
	case TOY_PLACE_CA:
		return repository[TOY_FILE_CA].octets;
	case TOY_PLACE_TAK:
		return make_signed_at(t, p->uri, TOY_KEY_TA, OID_SPAN(OID_TAK), tree_contents(a, toy_tree(a, t->objects[TOY_TAK], TOY_TAK).content), HEX(a, IP_INHERIT), HEX(a, AS_INHERIT),
		    TA_REPO "ta.crl");
	case TOY_PLACE_ROA2:
		return make_roa(t, p->uri, p->by, "020300fbf1", "000a02", NULL);
	case TOY_PLACE_SUB:
		return make_sub(t);
	case TOY_PLACE_SUB_CRL:
		return make_crl(t, TOY_KEY_SUB);
	case TOY_PLACE_SUB_ROA:
		return make_roa(t, p->uri, p->by, "020300fbf2", "000a0102", SUB_REPO "sub.crl");
	default:
		return t->objects[p->what];
	}
}

void toy_places(struct toy *t, struct toy_place ret[TOY_PLACES])
{
	static const struct toy_place all[TOY_PLACES] = {
		[TOY_PLACE_TA] = { TA_REPO "toy.cer", TOY_TA, TOY_KEY_TA, 0, { NULL, 0 } },
		[TOY_PLACE_TA_CRL] = { TA_REPO "ta.crl", TOY_CRL, TOY_KEY_TA, 0, { NULL, 0 } },
		[TOY_PLACE_CA] = { TA_REPO "ca.cer", TOY_CA, TOY_KEY_TA, 0, { NULL, 0 } },
		[TOY_PLACE_TAK] = { TA_REPO "toy.tak", TOY_TAK, TOY_KEY_TA, 0, { NULL, 0 } },
		[TOY_PLACE_TA_MANIFEST] = { TA_REPO "ta.mft", TOY_MANIFEST, TOY_KEY_TA, 0, { NULL, 0 } },
		[TOY_PLACE_CRL] = { REPO "toy.crl", TOY_CRL, TOY_KEY_CA, 1, { NULL, 0 } },
		[TOY_PLACE_ROA] = { REPO "toy.roa", TOY_ROA, TOY_KEY_CA, 1, { NULL, 0 } },
		[TOY_PLACE_ROA2] = { REPO "two.roa", TOY_ROA, TOY_KEY_CA, 1, { NULL, 0 } },
		[TOY_PLACE_ASPA] = { REPO "toy.asa", TOY_ASPA, TOY_KEY_CA, 1, { NULL, 0 } },
		[TOY_PLACE_ROUTER] = { REPO "router.cer", TOY_ROUTER, TOY_KEY_CA, 1, { NULL, 0 } },
		[TOY_PLACE_GHOSTBUSTERS] = { REPO "toy.gbr", TOY_GHOSTBUSTERS, TOY_KEY_CA, 1, { NULL, 0 } },
		[TOY_PLACE_PREFIX_LIST] = { REPO "toy.spl", TOY_PREFIX_LIST, TOY_KEY_CA, 1, { NULL, 0 } },
		[TOY_PLACE_SUB] = { REPO "sub.cer", TOY_CA, TOY_KEY_CA, 1, { NULL, 0 } },
		[TOY_PLACE_MANIFEST] = { REPO "toy.mft", TOY_MANIFEST, TOY_KEY_CA, 1, { NULL, 0 } },
		[TOY_PLACE_SUB_CRL] = { SUB_REPO "sub.crl", TOY_CRL, TOY_KEY_SUB, 2, { NULL, 0 } },
		[TOY_PLACE_SUB_ROA] = { SUB_REPO "sub.roa", TOY_ROA, TOY_KEY_SUB, 2, { NULL, 0 } },
		[TOY_PLACE_SUB_MANIFEST] = { SUB_REPO "sub.mft", TOY_MANIFEST, TOY_KEY_SUB, 2, { NULL, 0 } },
	};
	struct toy_file repository[TOY_FILES], listed_here[TOY_PLACES];
	size_t n = 0;

	toy_repository(t, repository);
	for (unsigned int i = 0; i < TOY_PLACES; i++) {
		struct toy_place *p = &ret[i];

		*p = all[i];
		if (p->what == TOY_MANIFEST) {
			p->octets = toy_manifest_at(t, p->by, p->uri, listed_here[0].uri, 7, listed_here, n);
			n = 0;
		} else
			p->octets = place_octets(t, (enum toy_place_at)i, p, repository);
		if (p->what > TOY_CRL)
			p->octets = numbered(t, p->octets, p, i + 16);
		if (i != TOY_PLACE_TA && p->what != TOY_MANIFEST)
			listed_here[n++] = (struct toy_file){ p->uri, p->octets };
	}
}

RESULT toy_file_find(const struct toy_file *files, size_t n, struct span uri, size_t max, struct span *ret, uint8_t ret_hash[32])
{
	for (size_t i = 0; i < n; i++) {
		if (!span_equal(span_text(files[i].uri), uri))
			continue;
		if (files[i].octets.n > max)
			return FAIL(ERR_LIMIT);
		*ret = files[i].octets;
		sha256_of(*ret, ret_hash);
		return DONE;
	}
	return FAIL(ERR_NOTFOUND);
}

RESULT toy_file_by_hash(const struct toy_file *files, size_t n, const uint8_t hash[32], size_t max, struct span *ret)
{
	uint8_t is[32];

	for (size_t i = 0; i < n; i++) {
		sha256_of(files[i].octets, is);
		if (memcmp(is, hash, sizeof is) != 0)
			continue;
		*ret = files[i].octets;
		return ret->n > max ? FAIL(ERR_LIMIT) : DONE;
	}
	return FAIL(ERR_NOTFOUND);
}
