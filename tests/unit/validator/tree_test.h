/*
 * tree_test.h: a small signed tree made with libcrypto, servers that answer from it, and a resolver that asks what the judge asks for. What a server says can be
 * spoilt on its way. Ed25519 throughout: it needs no randomness but for the keys. Shared by the unit tests of chain.c and judge.c.
 *
 *   .                       the trust anchor
 *   com.                    NSEC
 *   example.com.            NSEC; sub. (signed) and plain. (unsigned) on the same servers, without a visible cut
 *   insecure.com.           unsigned; island.insecure.com. below it is signed and has a DS nowhere
 *   unknown.com.            its DS has an unknown algorithm only; digest.com.: an unknown digest
 *   org.                    NSEC3 with opt-out: signed.org. and unsigned.org.
 */
#ifndef TESTS_UNIT_VALIDATOR_TREE_TEST_H
#define TESTS_UNIT_VALIDATOR_TREE_TEST_H

#include "tests/unit/validator/validator_test.h"

#include "base/libcrypto.h"
#include "dns/edns.h"
#include "validator/judge.h"
#include "validator/nsec3.h"

#define TREE_NOW 1800000000u
#define TREE_ZONES 16
#define TREE_SETS 32
#define TREE_KNOWN 256
#define TREE_DEPTH 32

struct tree_zone {
	struct name_buf name;
	bool is_signed, nsec3, opt_out, hidden; /* hidden: on its parent's servers, no referral is seen */
	const char *ds_text;                    /* what the parent has instead of the zone's own DS */
	bool no_ds;                             /* signed, but the parent does not say so */
	unsigned int iterations;
	EVP_PKEY *key;
	struct span dnskey;
	uint16_t tag;
	struct rrset *sets[TREE_SETS];
	size_t n;
};

struct tree_reply {
	struct judge_reply r;
	const struct rrset *answer[32];
	const struct rrset *authority[128];
};

struct tree {
	struct arena *arena;
	struct tree_zone zone[TREE_ZONES];
	size_t zones;
	struct anchors *anchors;
	struct ntas *ntas;
	struct val_policy policy;
	struct nsec3_hasher *hasher;
	struct trust *known[TREE_KNOWN];
	size_t knowns;
	bool referrals;             /* they are seen, with what they bring */
	uint32_t slice;             /* of work, for each run; 0: plenty */
	bool forget;                /* nothing that is learnt is kept */
	/* A server's reply, before it is judged. */
	void (*spoil)(struct tree *t, struct tree_reply *reply);
	const struct rrset *(*spoil_referral)(struct tree *t, const struct rrset *set);
	bool (*mute)(struct name name, uint16_t type); /* nobody answers that */
	/* Where denials are kept, if anywhere: as in struct chain_env, but for the first argument. */
	void (*denied)(void *user, struct name zone, const struct rrset *rs);
	bool (*verified)(void *user, struct name zone, const struct rrset *rs, uint32_t *ret_ttl);
	uint16_t mute_ede;
	unsigned int questions, runs, depth;
};

/* --- signing */

struct tree_how {
	uint32_t inception, expiration;
	int labels;   /* -1: the owner's; fewer: as if a wildcard had been signed */
	bool corrupt;
};
#define TREE_GOOD ((struct tree_how){ TREE_NOW - 86400, TREE_NOW + 86400 * 7, -1, false })

static inline UNUSED struct rrset *tree_sign(struct arena *a, const struct rrset *set, const struct tree_zone *z, struct tree_how how)
{
	struct name owner = rrset_name(set);
	unsigned int labels = owner.labels - (name_is_wildcard(owner) ? 1u : 0u);
	static uint8_t data[65536];
	uint8_t sig[18 + NAME_MAX_OCTETS + 64];
	struct writer w = writer_of(data, sizeof data), s = writer_of(sig, sizeof sig);
	AUTO(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct span *rdata = arena_alloc_array(a, set->count + set->sigs + 1u, sizeof *rdata);
	struct canonical c;
	struct name_buf signer = z->name, head;
	size_t len = 64;
	struct rrset *out;

	name_lower(&signer);
	write16(&s, set->type);
	write8(&s, ALG_ED25519);
	write8(&s, (uint8_t)(how.labels >= 0 ? how.labels : (int)labels));
	write32(&s, set->ttl);
	write32(&s, how.expiration);
	write32(&s, how.inception);
	write16(&s, z->tag);
	write_octets(&s, signer.b, signer.len);
	name_copy(&head, owner);
	if (how.labels >= 0 && (unsigned int)how.labels < labels) {
		static const uint8_t star[] = { 1, '*', 0 };

		assert_ok(name_concat((struct name){ star, sizeof star, 1 }, 1, name_suffix(owner, (unsigned int)how.labels), &head));
	}
	name_lower(&head);
	write_span(&w, writer_done(&s));
	assert_ok(canonical_make(a, set, &c));
	for (size_t i = 0; i < c.count; i++) {
		write_octets(&w, head.b, head.len);
		write16(&w, set->type);
		write16(&w, set->rclass);
		write32(&w, set->ttl);
		write16(&w, (uint16_t)c.rdata[i].n);
		write_span(&w, c.rdata[i]);
	}
	assert_true(writer_ok(&w));
	assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, z->key, NULL), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig + s.pos, &len, data, w.pos), 1);
	if (how.corrupt)
		sig[s.pos + 5] ^= 1;
	for (size_t i = 0; i < (size_t)set->count + set->sigs; i++)
		rdata[i] = i < set->count ? rrset_rdata(set, i) : rrset_sig(set, i - set->count);
	rdata[(size_t)set->count + set->sigs] = (struct span){ sig, s.pos + len };
	out = rrset_make_in(a, owner, set->type, set->rclass, set->ttl, rdata, set->count, set->sigs + 1u);
	assert_non_null(out);
	return out;
}

static inline UNUSED struct rrset *tree_unsigned(struct arena *a, const struct rrset *set)
{
	struct span *rdata = arena_alloc_array(a, set->count + 1u, sizeof *rdata);

	for (size_t i = 0; i < set->count; i++)
		rdata[i] = rrset_rdata(set, i);
	return rrset_make_in(a, rrset_name(set), set->type, set->rclass, set->ttl, rdata, set->count, 0);
}

/* --- zones */

static inline UNUSED struct tree_zone *tree_find(struct tree *t, const char *name)
{
	struct name_buf b = nb(name);

	for (size_t i = 0; i < t->zones; i++)
		if (name_equal(name_of(&t->zone[i].name), name_of(&b)))
			return &t->zone[i];
	abort(); /* there is none of that name */
}

static inline UNUSED void tree_new_key(struct tree *t, struct tree_zone *z)
{
	uint8_t rdata[36] = { 0x01, 0x01, 3, ALG_ED25519 };
	size_t n = 32;

	EVP_PKEY_free(z->key);
	z->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_non_null(z->key);
	assert_int_equal(EVP_PKEY_get_raw_public_key(z->key, rdata + 4, &n), 1);
	z->dnskey = (struct span){ arena_dup(t->arena, rdata, sizeof rdata), sizeof rdata };
	z->tag = dnskey_tag(z->dnskey);
}

static inline UNUSED void tree_put(struct tree *t, struct tree_zone *z, const char *owner, uint16_t type, const char *text)
{
	assert_true(z->n < TREE_SETS);
	z->sets[z->n++] = signed_set(t->arena, owner, type, 3600, TEXTS(text), NULL);
}

static inline UNUSED struct tree_zone *tree_zone(struct tree *t, const char *name, bool is_signed)
{
	struct tree_zone *z = &t->zone[t->zones++];

	assert_true(t->zones <= TREE_ZONES);
	z->name = nb(name);
	z->is_signed = is_signed;
	if (is_signed)
		tree_new_key(t, z);
	tree_put(t, z, name, RR_SOA, "ns.invalid. host.invalid. 1 3600 900 604800 900");
	tree_put(t, z, name, RR_NS, "ns.invalid.");
	return z;
}

static inline UNUSED struct rrset *tree_dnskey(struct tree *t, const struct tree_zone *z)
{
	return rrset_make_in(t->arena, name_of(&z->name), RR_DNSKEY, CLASS_IN, 3600, &z->dnskey, 1, 0);
}

static inline UNUSED struct span tree_ds_rdata(struct tree *t, const struct tree_zone *z)
{
	uint8_t rdata[36], room[NAME_MAX_OCTETS + 36];
	struct writer w = writer_of(room, sizeof room);
	struct name_buf low = z->name;

	name_lower(&low);
	write_octets(&w, low.b, low.len);
	write_span(&w, z->dnskey);
	store16(rdata, z->tag);
	rdata[2] = ALG_ED25519;
	rdata[3] = DIGEST_SHA256;
	assert_int_equal(EVP_Digest(room, w.pos, rdata + 4, NULL, EVP_sha256(), NULL), 1);
	return (struct span){ arena_dup(t->arena, rdata, sizeof rdata), sizeof rdata };
}

/* The DS RRset at a zone, unsigned; NULL: it has none. */
static inline UNUSED struct rrset *tree_ds(struct tree *t, const struct tree_zone *z)
{
	struct span rdata;

	if (z->ds_text != NULL)
		rdata = rdata_of(t->arena, RR_DS, z->ds_text);
	else if (z->is_signed && !z->no_ds)
		rdata = tree_ds_rdata(t, z);
	else
		return NULL;
	return rrset_make_in(t->arena, name_of(&z->name), RR_DS, CLASS_IN, 3600, &rdata, 1, 0);
}

/* The zone that holds data at name; for DS: above it. */
static inline UNUSED struct tree_zone *tree_home(struct tree *t, struct name name, uint16_t type)
{
	struct tree_zone *best = NULL;

	for (size_t i = 0; i < t->zones; i++) {
		struct name z = name_of(&t->zone[i].name);

		if (!name_is_under(name, z) || (type == RR_DS && name_equal(name, z) && !name_is_root(name)))
			continue;
		if (best == NULL || z.labels > best->name.labels)
			best = &t->zone[i];
	}
	if (best == NULL)
		abort(); /* the root holds everything */
	return best;
}

/* Whether the zone has this name as a delegation. */
static inline UNUSED const struct tree_zone *tree_child_at(struct tree *t, const struct tree_zone *z, struct name name)
{
	for (size_t i = 0; i < t->zones; i++)
		if (name_equal(name_of(&t->zone[i].name), name) && &t->zone[i] != z && tree_home(t, name, RR_DS) == z)
			return &t->zone[i];
	return NULL;
}

static inline UNUSED const struct rrset *tree_set(struct tree *t, const struct tree_zone *z, struct name name, uint16_t type)
{
	const struct tree_zone *child = type == RR_DS ? tree_child_at(t, z, name) : NULL;
	struct rrset *found = NULL;

	for (size_t i = 0; i < z->n; i++)
		if (z->sets[i]->type == type && name_equal(rrset_name(z->sets[i]), name))
			found = z->sets[i];
	if (type == RR_DNSKEY && z->is_signed && name_equal(name, name_of(&z->name)))
		found = tree_dnskey(t, z);
	if (child != NULL)
		found = tree_ds(t, child);
	return found == NULL || !z->is_signed ? found : tree_sign(t->arena, found, z, TREE_GOOD);
}

/* --- names of a zone, and their denial */

struct tree_names {
	struct name name[64];
	size_t n;
};

static inline UNUSED void tree_add_name(struct tree_names *l, struct name name)
{
	for (size_t i = 0; i < l->n; i++)
		if (name_equal(l->name[i], name))
			return;
	assert_true(l->n < 64);
	l->name[l->n++] = name;
}

static inline UNUSED int tree_by_name(const void *a, const void *b)
{
	return name_compare(*(const struct name *)a, *(const struct name *)b);
}

/* In canonical order; `empty`: the empty non-terminals too. */
static inline UNUSED void tree_list(struct tree *t, const struct tree_zone *z, bool empty, struct tree_names *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < z->n; i++)
		tree_add_name(ret, rrset_name(z->sets[i]));
	for (size_t i = 0; i < t->zones; i++)
		if (tree_child_at(t, z, name_of(&t->zone[i].name)) != NULL)
			tree_add_name(ret, name_of(&t->zone[i].name));
	for (size_t i = 0, n = ret->n; empty && i < n; i++)
		for (unsigned int l = ret->name[i].labels; l > z->name.labels; l--)
			tree_add_name(ret, name_suffix(ret->name[i], l));
	qsort(ret->name, ret->n, sizeof ret->name[0], tree_by_name);
}

static inline UNUSED void tree_types(struct tree *t, const struct tree_zone *z, struct name name, const char *own, char out[256])
{
	static const uint16_t types[] = { RR_A, RR_NS, RR_CNAME, RR_SOA, RR_MX, RR_TXT, RR_AAAA, RR_DNAME, RR_DS, RR_DNSKEY };
	const struct tree_zone *child = tree_child_at(t, z, name);
	bool any = false;
	char buf[RRTYPE_TEXT];

	out[0] = '\0';
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		bool there = child != NULL ? types[i] == RR_NS || (types[i] == RR_DS && tree_ds(t, child) != NULL) : tree_set(t, z, name, types[i]) != NULL;

		if (!there)
			continue;
		strcat(out, " ");
		strcat(out, rrtype_text(types[i], buf));
		any = any || child == NULL || types[i] == RR_DS;
	}
	if (any || own[0] != '\0')
		strcat(out, " RRSIG");
	strcat(out, own);
}

static inline UNUSED void tree_b32(const uint8_t hash[20], char out[33])
{
	static const char digit[] = "0123456789abcdefghijklmnopqrstuv";

	for (int i = 0; i < 32; i++) {
		unsigned int bit = (unsigned int)i * 5, v = (unsigned int)hash[bit / 8] << 8 | (bit / 8 + 1 < 20 ? hash[bit / 8 + 1] : 0u);

		out[i] = digit[v >> (11 - bit % 8) & 31];
	}
	out[32] = '\0';
}

/* All NSEC sets of the zone, signed. */
static inline UNUSED size_t tree_nsecs(struct tree *t, const struct tree_zone *z, const struct rrset **out)
{
	struct tree_names l;
	char text[NAME_TEXT + 256], owner[NAME_TEXT], types[256];

	tree_list(t, z, false, &l);
	for (size_t i = 0; i < l.n; i++) {
		tree_types(t, z, l.name[i], " NSEC", types);
		name_to_text(l.name[(i + 1) % l.n], text);
		strcat(text, types);
		out[i] = tree_sign(t->arena, signed_set(t->arena, name_to_text(l.name[i], owner), RR_NSEC, 3600, TEXTS(text), NULL), z, TREE_GOOD);
	}
	return l.n;
}

struct tree_hash {
	uint8_t hash[20];
	struct name name;
};

static inline UNUSED int tree_by_hash(const void *a, const void *b)
{
	return memcmp(((const struct tree_hash *)a)->hash, ((const struct tree_hash *)b)->hash, 20);
}

static inline UNUSED size_t tree_nsec3s(struct tree *t, const struct tree_zone *z, const struct rrset **out)
{
	struct tree_names l;
	struct tree_hash h[64];
	char text[512], owner[NAME_TEXT + 64], zone[NAME_TEXT], types[256], b32[33];
	size_t n = 0;

	tree_list(t, z, true, &l);
	for (size_t i = 0; i < l.n; i++) {
		const struct tree_zone *child = tree_child_at(t, z, l.name[i]);

		if (z->opt_out && child != NULL && tree_ds(t, child) == NULL)
			continue;
		h[n].name = l.name[i];
		assert_ok(nsec3_hash(t->hasher, l.name[i], (struct span){ NULL, 0 }, z->iterations, h[n].hash));
		n++;
	}
	qsort(h, n, sizeof h[0], tree_by_hash);
	name_to_text(name_of(&z->name), zone);
	for (size_t i = 0; i < n; i++) {
		tree_types(t, z, h[i].name, "", types);
		tree_b32(h[(i + 1) % n].hash, b32);
		snprintf(text, sizeof text, "1 %d %u - %s%s", z->opt_out, z->iterations, b32, types);
		tree_b32(h[i].hash, b32);
		snprintf(owner, sizeof owner, "%s.%s", b32, zone[1] == '\0' ? "" : zone);
		out[i] = tree_sign(t->arena, signed_set(t->arena, owner, RR_NSEC3, 3600, TEXTS(text), NULL), z, TREE_GOOD);
	}
	return n;
}

/* Everything the zone can deny with: more than needed, and all that is needed. */
static inline UNUSED size_t tree_denials(struct tree *t, const struct tree_zone *z, const struct rrset **out)
{
	if (!z->is_signed)
		return 0;
	return z->nsec3 ? tree_nsec3s(t, z, out) : tree_nsecs(t, z, out);
}

/* --- servers */

static inline UNUSED bool tree_exists(struct tree *t, const struct tree_zone *z, struct name name)
{
	struct tree_names l;

	tree_list(t, z, true, &l);
	for (size_t i = 0; i < l.n; i++)
		if (name_equal(l.name[i], name))
			return true;
	return false;
}

/* The set as its wildcard makes it; NULL: no wildcard. */
static inline UNUSED const struct rrset *tree_expand(struct tree *t, const struct tree_zone *z, struct name name, uint16_t type)
{
	for (unsigned int l = name.labels; l-- > z->name.labels;) {
		struct name_buf star;
		struct name encloser = name_suffix(name, l);
		const struct rrset *rs;
		static const uint8_t wire[] = { 1, '*', 0 };

		if (!tree_exists(t, z, encloser))
			continue;
		assert_ok(name_concat((struct name){ wire, 3, 1 }, 1, encloser, &star));
		rs = tree_set(t, z, name_of(&star), type);
		return rs == NULL ? NULL : rrset_renamed_in(t->arena, rs, name);
	}
	return NULL;
}

static inline UNUSED bool tree_has_wildcard(struct tree *t, const struct tree_zone *z, struct name name)
{
	static const uint16_t types[] = { RR_A, RR_CNAME };

	return tree_expand(t, z, name, types[0]) != NULL || tree_expand(t, z, name, types[1]) != NULL;
}

static inline UNUSED void tree_deny(struct tree *t, struct tree_reply *p, const struct tree_zone *z, enum judge_kind kind)
{
	p->r.kind = kind;
	p->authority[p->r.authorities++] = tree_set(t, z, name_of(&z->name), RR_SOA);
	p->r.authorities += tree_denials(t, z, p->authority + p->r.authorities);
}

static inline UNUSED void tree_serve(struct tree *t, struct name name, uint16_t type, struct tree_reply *p)
{
	const struct tree_zone *z = tree_home(t, name, type);
	struct name at = name;

	memset(p, 0, sizeof *p);
	p->r = (struct judge_reply){ .name = name, .type = type, .zone = name_of(&z->name), .answer = p->answer, .authority = p->authority };
	for (int i = 0; i < 8; i++) {
		const struct rrset *rs = tree_set(t, z, at, type), *cname = tree_set(t, z, at, RR_CNAME), *dname = NULL;
		bool exists = tree_exists(t, z, at);

		for (unsigned int l = at.labels; l-- > z->name.labels && dname == NULL;)
			dname = tree_set(t, z, name_suffix(at, l), RR_DNAME);
		p->r.final = at;
		if (dname != NULL) {
			struct name to;
			struct name_buf b;
			struct span rdata;

			assert_true(rrset_target(dname, 0, &to));
			assert_ok(name_concat(at, at.labels - dname->name_labels, to, &b));
			rdata = (struct span){ b.b, b.len };
			cname = rrset_make_in(t->arena, at, RR_CNAME, CLASS_IN, 3600, &rdata, 1, 0);
			p->answer[p->r.answers++] = dname;
			p->answer[p->r.answers++] = cname;
		} else if (!exists) {
			rs = tree_expand(t, z, at, type);
			cname = tree_expand(t, z, at, RR_CNAME);
			if (rs != NULL || cname != NULL)
				p->r.authorities += tree_denials(t, z, p->authority + p->r.authorities);
			if (rs == NULL && cname != NULL)
				p->answer[p->r.answers++] = cname;
		} else if (rs == NULL && cname != NULL) {
			p->answer[p->r.answers++] = cname;
		}
		if (rs != NULL && dname == NULL) {
			p->answer[p->r.answers++] = rs;
			p->r.kind = JUDGE_ANSWER;
			return;
		}
		if (cname == NULL) {
			tree_deny(t, p, z, exists || tree_has_wildcard(t, z, at) ? JUDGE_NODATA : JUDGE_NXDOMAIN);
			return;
		}
		assert_true(rrset_target(cname, 0, &at));
		if (tree_home(t, at, type) != z)
			break;
	}
	p->r.final = at;
	p->r.kind = JUDGE_ALIAS;
}

/* --- the resolver's part */

struct tree_failure {
	struct name name;
	uint16_t type, ede;
	const char *text;
};
struct tree_asker {
	struct tree *t;
	struct tree_failure failures[32];
	size_t n;
};

static inline UNUSED const struct trust *tree_known(void *user, struct name zone)
{
	struct tree *t = ((struct tree_asker *)user)->t;

	for (size_t i = t->knowns; i-- > 0;)
		if (name_equal(name_of(&t->known[i]->zone), zone))
			return t->known[i];
	return NULL;
}

static inline UNUSED bool tree_referral(void *user, struct name zone, const struct rrset *const **ret_sets, size_t *ret_n)
{
	struct tree *t = ((struct tree_asker *)user)->t;
	static const struct rrset *sets[64];
	const struct tree_zone *up = tree_home(t, zone, RR_DS);
	const struct tree_zone *child = up == NULL ? NULL : tree_child_at(t, up, zone);

	if (!t->referrals || child == NULL || child->hidden)
		return false;
	mem_fail_hold(true);
	*ret_n = 0;
	if (tree_ds(t, child) != NULL)
		sets[(*ret_n)++] = tree_set(t, up, zone, RR_DS);
	else
		*ret_n = tree_denials(t, up, sets);
	for (size_t i = 0; i < *ret_n && t->spoil_referral != NULL; i++)
		sets[i] = t->spoil_referral(t, sets[i]);
	mem_fail_hold(false);
	*ret_sets = sets;
	return true;
}

static inline UNUSED bool tree_cut(void *user, struct name name, struct name *ret_zone)
{
	struct tree *t = ((struct tree_asker *)user)->t;
	const struct tree_zone *z = tree_home(t, name, RR_A);

	while (z->hidden)
		z = tree_home(t, name_of(&z->name), RR_DS);
	*ret_zone = name_of(&z->name);
	return true;
}

static inline UNUSED bool tree_failed(void *user, struct name name, uint16_t type, struct chain_failure *ret)
{
	const struct tree_asker *a = user;

	for (size_t i = 0; i < a->n; i++) {
		if (a->failures[i].type != type || !name_equal(a->failures[i].name, name))
			continue;
		*ret = (struct chain_failure){ a->failures[i].ede, a->failures[i].text };
		return true;
	}
	return false;
}

static inline UNUSED void tree_learn(void *user, struct trust *trust)
{
	struct tree *t = ((struct tree_asker *)user)->t;

	if (t->forget) {
		trust_unref(trust);
		return;
	}
	assert_true(t->knowns < TREE_KNOWN);
	t->known[t->knowns++] = trust;
}

static inline UNUSED struct chain_env tree_env(struct tree *t, struct tree_asker *user, struct work *work)
{
	return (struct chain_env){ .policy = &t->policy, .anchors = t->anchors, .ntas = t->ntas, .wall = TREE_NOW, .time = { TREE_NOW, SIG_SKEW_MIN, SIG_SKEW_MAX, false },
		.hasher = t->hasher, .arena = t->arena, .work = work, .user = user, .known = tree_known, .referral = tree_referral, .cut = tree_cut,
		.failed = tree_failed, .learn = tree_learn, .denied = t->denied, .verified = t->verified };
}

static inline UNUSED const struct judgement *tree_ask(struct tree *t, struct name name, uint16_t type);

/* One reply judged, all questions on the way answered. */
static inline UNUSED const struct judgement *tree_judge(struct tree *t, const struct judge_reply *reply)
{
	struct tree_asker *user = arena_alloc(t->arena, sizeof *user);
	struct judge *j;

	mem_fail_hold(false);
	j = judge_new(t->arena, reply);
	mem_fail_hold(true);
	if (j == NULL)
		return NULL;
	user->t = t;
	assert_true(++t->depth < TREE_DEPTH);
	for (int i = 0; i < 2000; i++) {
		struct work work = { t->slice != 0 ? t->slice : 10000000 };
		struct chain_env e = tree_env(t, user, &work);
		struct question q;
		enum judge_what what;

		t->runs++;
		mem_fail_hold(false);
		what = judge_run(j, &e, &q);
		mem_fail_hold(true);
		if (what == JUDGE_DONE) {
			t->depth--;
			return judge_judgement(j);
		}
		if (what == JUDGE_WORK && t->slice != 0)
			continue;
		if (what != JUDGE_ASK)
			break;
		if (t->mute != NULL && t->mute(q.name, q.type)) {
			user->failures[user->n++] = (struct tree_failure){ q.name, q.type, t->mute_ede, NULL };
		} else {
			const struct judgement *sub = tree_ask(t, q.name, q.type);

			if (sub == NULL)
				break;
			if (sub->security == SECURITY_BOGUS)
				user->failures[user->n++] = (struct tree_failure){ q.name, q.type, sub->ede, sub->text };
		}
		assert_true(user->n < 32);
	}
	t->depth--;
	return NULL;
}

static inline UNUSED const struct judgement *tree_ask(struct tree *t, struct name name, uint16_t type)
{
	struct tree_reply *reply = arena_alloc(t->arena, sizeof *reply);

	t->questions++;
	tree_serve(t, name, type, reply);
	if (t->spoil != NULL)
		t->spoil(t, reply);
	return tree_judge(t, &reply->r);
}

static inline UNUSED const struct judgement *tree_resolve(struct tree *t, const char *name, uint16_t type)
{
	struct name_buf *b;
	const struct judgement *j;

	mem_fail_hold(true); /* but for the judge */
	b = arena_alloc(t->arena, sizeof *b);
	*b = nb(name);
	t->questions = t->runs = t->depth = 0;
	j = tree_ask(t, name_of(b), type);
	mem_fail_hold(false);
	return j;
}

/* --- life */

static inline UNUSED void tree_forget(struct tree *t)
{
	while (t->knowns > 0)
		trust_unref(MOVE(t->known[--t->knowns]));
}

static inline UNUSED void tree_anchor(struct tree *t, const char *zone)
{
	assert_ok(anchors_add(t->anchors, name_of(&tree_find(t, zone)->name), RR_DS, tree_ds_rdata(t, tree_find(t, zone))));
}

/* Anchors as DS of these zones (NULL: the root's), and names that are insecure by configuration. */
static inline UNUSED void tree_configure(struct tree *t, const char *const *anchors, const char *const *insecure)
{
	anchors_free(MOVE(t->anchors));
	t->anchors = anchors_new();
	assert_non_null(t->anchors);
	for (; anchors != NULL && *anchors != NULL; anchors++)
		tree_anchor(t, *anchors);
	for (; insecure != NULL && *insecure != NULL; insecure++) {
		struct name_buf b = nb(*insecure);

		assert_ok(anchors_add_insecure(t->anchors, name_of(&b)));
	}
	assert_ok(anchors_seal(t->anchors));
	tree_forget(t);
}

static inline UNUSED struct tree *tree_new(void)
{
	struct arena *a = arena_new(0);
	struct tree *t = arena_alloc(a, sizeof *t);
	struct tree_zone *z;

	t->arena = a;
	t->hasher = nsec3_hasher_new();
	t->ntas = ntas_new(16);
	t->referrals = true;
	t->policy = (struct val_policy){ .keys = KEY_LIMITS, .signatures = SIG_LIMITS, .denials = DENIAL_LIMITS, .skew_min = SIG_SKEW_MIN, .skew_max = SIG_SKEW_MAX,
		.stripped_is_bogus = true, .max_probes = VAL_MAX_PROBES };
	tree_zone(t, ".", true);
	z = tree_zone(t, "com.", true);
	z = tree_zone(t, "example.com.", true);
	tree_put(t, z, "www.example.com.", RR_A, "192.0.2.1");
	tree_put(t, z, "example.com.", RR_MX, "10 www.example.com.");
	tree_put(t, z, "*.wild.example.com.", RR_A, "192.0.2.2");
	tree_put(t, z, "*.wildalias.example.com.", RR_CNAME, "www.example.com.");
	tree_put(t, z, "alias.example.com.", RR_CNAME, "www.example.com.");
	tree_put(t, z, "nowhere.example.com.", RR_CNAME, "none.example.com.");
	tree_put(t, z, "away.example.com.", RR_CNAME, "www.insecure.com.");
	tree_put(t, z, "leaf.empty.example.com.", RR_TXT, "x");
	tree_put(t, z, "tree.example.com.", RR_DNAME, "example.com.");
	z = tree_zone(t, "sub.example.com.", true);
	z->hidden = true;
	tree_put(t, z, "www.sub.example.com.", RR_A, "192.0.2.3");
	z = tree_zone(t, "plain.example.com.", false);
	z->hidden = true;
	tree_put(t, z, "www.plain.example.com.", RR_A, "192.0.2.4");
	z = tree_zone(t, "insecure.com.", false);
	tree_put(t, z, "www.insecure.com.", RR_A, "192.0.2.5");
	z = tree_zone(t, "island.insecure.com.", true);
	z->no_ds = true;
	tree_put(t, z, "www.island.insecure.com.", RR_A, "192.0.2.6");
	z = tree_zone(t, "unknown.com.", true);
	z->ds_text = "1 253 2 0000000000000000000000000000000000000000000000000000000000000000";
	tree_put(t, z, "www.unknown.com.", RR_A, "192.0.2.7");
	z = tree_zone(t, "digest.com.", true);
	z->ds_text = "1 15 250 00000000000000000000000000000000";
	tree_put(t, z, "www.digest.com.", RR_A, "192.0.2.8");
	z = tree_zone(t, "org.", true);
	z->nsec3 = true;
	z->opt_out = true;
	tree_put(t, z, "www.org.", RR_A, "192.0.2.9");
	tree_put(t, z, "*.wild.org.", RR_A, "192.0.2.10");
	z = tree_zone(t, "signed.org.", true);
	z->nsec3 = true;
	tree_put(t, z, "www.signed.org.", RR_A, "192.0.2.11");
	tree_put(t, z, "*.wild.signed.org.", RR_A, "192.0.2.12");
	tree_put(t, z, "leaf.empty.signed.org.", RR_TXT, "x");
	z = tree_zone(t, "unsigned.org.", false);
	tree_put(t, z, "www.unsigned.org.", RR_A, "192.0.2.13");
	tree_configure(t, TEXTS("."), NULL);
	return t;
}

static inline UNUSED void tree_free(struct tree *t)
{
	tree_forget(t);
	anchors_free(MOVE(t->anchors));
	ntas_free(MOVE(t->ntas));
	nsec3_hasher_free(MOVE(t->hasher));
	for (size_t i = 0; i < t->zones; i++)
		EVP_PKEY_free(t->zone[i].key);
	arena_free(t->arena);
}

#endif
