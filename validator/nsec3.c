#include "validator/nsec3.h"

#include <assert.h>

#include "base/arena.h"
#include "base/libcrypto.h"
#include "base/mem.h"
#include "validator/nsec.h"

#define NSEC3_SHA1 1
#define NSEC3_OPT_OUT 0x01
#define NSEC3_LABEL 32 /* NSEC3_HASH_OCTETS in base32hex */

struct nsec3_hasher {
	EVP_MD *sha1 OWNED_FIELD;
	EVP_MD_CTX *ctx OWNED_FIELD;
};

struct nsec3_hashed {
	struct nsec3_hashed *next ARENA_FIELD;
	struct name name;
	uint8_t hash[NSEC3_HASH_OCTETS];
};

void nsec3_hasher_free(struct nsec3_hasher *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->sha1);
	mem_free(h);
}

struct nsec3_hasher *nsec3_hasher_new(void)
{
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = mem_alloc(sizeof *h);

	if (h == NULL)
		return NULL;
	h->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	h->ctx = EVP_MD_CTX_new();
	if (h->sha1 == NULL || h->ctx == NULL || EVP_MD_get_size(h->sha1) != NSEC3_HASH_OCTETS)
		return NULL;
	return MOVE(h);
}

static bool digest(struct nsec3_hasher *h, const uint8_t *p, size_t n, struct span salt, uint8_t *out)
{
	unsigned int len = 0;

	return EVP_DigestInit_ex2(h->ctx, h->sha1, NULL) == 1 && EVP_DigestUpdate(h->ctx, p, n) == 1
	    && (salt.n == 0 || EVP_DigestUpdate(h->ctx, salt.p, salt.n) == 1) && EVP_DigestFinal_ex(h->ctx, out, &len) == 1
	    && len == NSEC3_HASH_OCTETS;
}

RESULT nsec3_hash(struct nsec3_hasher *h, struct name name, struct span salt, unsigned int iterations, uint8_t ret_hash[NSEC3_HASH_OCTETS])
{
	struct name_buf low;
	uint8_t hash[NSEC3_HASH_OCTETS];

	name_copy(&low, name);
	name_lower(&low);
	if (!digest(h, low.b, low.len, salt, hash))
		return FAIL(ERR_SYSTEM);
	for (unsigned int i = 0; i < iterations; i++) {
		if (!digest(h, hash, sizeof hash, salt, hash))
			return FAIL(ERR_SYSTEM);
	}
	memcpy(ret_hash, hash, sizeof hash);
	return DONE;
}

/* RFC 4648 section 7, either case; 32 digits are 20 octets without a rest. */
static bool unbase32(struct span label, uint8_t out[NSEC3_HASH_OCTETS])
{
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t at = 0;

	if (label.n != NSEC3_LABEL)
		return false;
	for (size_t i = 0; i < label.n; i++) {
		uint8_t c = label.p[i];
		uint32_t v;

		if (c >= '0' && c <= '9')
			v = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'v')
			v = (c | 0x20u) - 'a' + 10;
		else
			return false;
		bits = (bits << 5 | v) & 0xfff;
		have += 5;
		if (have >= 8) {
			have -= 8;
			out[at++] = (uint8_t)(bits >> have);
		}
	}
	return true;
}

/* One record of a set; false: no use. */
static bool read_record(struct span rdata, struct nsec3 *ret, struct span *ret_salt, unsigned int *ret_iterations)
{
	struct reader r = reader_of(rdata);
	uint8_t algorithm = read8(&r);
	uint8_t flags = read8(&r);
	unsigned int iterations = read16(&r);
	struct span salt = read_span(&r, read8(&r));
	struct span next = read_span(&r, read8(&r));
	struct span types = read_rest(&r);

	if (!reader_ok(&r) || algorithm != NSEC3_SHA1 || (flags & ~NSEC3_OPT_OUT) != 0 || next.n != NSEC3_HASH_OCTETS)
		return false;
	ret->next_hash = next;
	ret->types = types;
	ret->opt_out = (flags & NSEC3_OPT_OUT) != 0;
	*ret_salt = salt;
	*ret_iterations = iterations;
	return true;
}

/* Owner and signatures. */
static bool is_of_zone(const struct rrset *rs, struct name zone, uint8_t ret_hash[NSEC3_HASH_OCTETS])
{
	struct name owner = rrset_name(rs);

	return rs->type == RR_NSEC3 && owner.labels == zone.labels + 1 && denial_set_is_of(rs, zone) && unbase32(name_label(owner, 0), ret_hash);
}

bool nsec3_owner_hash(struct name owner, struct name zone, uint8_t ret_hash[NSEC3_HASH_OCTETS])
{
	return owner.labels == zone.labels + 1 && name_is_under(owner, zone) && unbase32(name_label(owner, 0), ret_hash);
}

RESULT nsec3_read(const struct rrset *rs, size_t i, struct name zone, struct nsec3 *ret, struct span *ret_salt, unsigned int *ret_iterations)
{
	struct nsec3 rec = { .set = rs };

	if (i >= rs->count || !is_of_zone(rs, zone, rec.owner_hash) || !read_record(rrset_rdata(rs, i), &rec, ret_salt, ret_iterations))
		return FAIL(ERR_REFUSED);
	*ret = rec;
	return DONE;
}

static void collect_set(const struct rrset *rs, struct nsec3_zone *z)
{
	struct nsec3 rec = { .set = rs };

	if (!is_of_zone(rs, z->zone, rec.owner_hash))
		return;
	for (size_t i = 0; i < rs->count; i++) {
		struct span salt = { NULL, 0 };
		unsigned int iterations = 0;

		if (!read_record(rrset_rdata(rs, i), &rec, &salt, &iterations))
			continue;
		if (z->n == 0) {
			z->salt = salt;
			z->iterations = iterations;
		} else if (z->iterations != iterations || !span_equal(z->salt, salt)) {
			z->mixed = true;
		}
		assert(z->records != NULL); /* nsec3_collect() made room for all there are */
		z->records[z->n++] = rec;
	}
}

RESULT nsec3_collect(const struct rrset *const *sets, size_t n, struct name zone, struct arena *a, struct nsec3_hasher *h, struct work *w,
    struct nsec3_zone *ret)
{
	struct nsec3_zone z = { .zone = zone, .arena = a, .hasher = h, .work = w };
	size_t room = 0;

	for (size_t i = 0; i < n; i++) {
		if (sets[i]->type == RR_NSEC3)
			room += sets[i]->count;
	}
	if (room > 0) {
		z.records = arena_alloc_array(a, room, sizeof *z.records);
		if (z.records == NULL)
			return FAIL(ERR_NOMEM);
	}
	for (size_t i = 0; i < n; i++)
		collect_set(sets[i], &z);
	*ret = z;
	return DONE;
}

static RESULT hash_of(struct nsec3_zone *z, struct name name, const struct nsec3_hashed **ret)
{
	struct nsec3_hashed *k;

	for (k = z->known; k != NULL; k = k->next) {
		if (name_equal(k->name, name)) {
			*ret = k;
			return DONE;
		}
	}
	if (!work_spend(z->work, (z->iterations + 1) * WORK_NSEC3_HASH))
		return FAIL(ERR_BUDGET);
	k = arena_alloc(z->arena, sizeof *k);
	if (k == NULL)
		return FAIL(ERR_NOMEM);
	k->name = name_dup_in(z->arena, name);
	if (k->name.wire == NULL)
		return FAIL(ERR_NOMEM);
	TRY(nsec3_hash(z->hasher, name, z->salt, z->iterations, k->hash));
	z->hashes++;
	k->next = z->known;
	z->known = k;
	*ret = k;
	return DONE;
}

void nsec3_recall(struct nsec3_zone *z, const struct nsec3_memo *m)
{
	if (z->n > 0 && m->known != NULL && m->iterations == z->iterations && span_equal(m->salt, z->salt))
		z->known = m->known;
}

void nsec3_remember(const struct nsec3_zone *z, struct nsec3_memo *m)
{
	if (z->known != NULL)
		*m = (struct nsec3_memo){ z->known, z->salt, z->iterations };
}

RESULT nsec3_match(struct nsec3_zone *z, struct name name, const struct nsec3 **ret)
{
	const struct nsec3_hashed *k = NULL;
	struct nsec3 *found = NULL;

	TRY(hash_of(z, name, &k));
	for (size_t i = 0; i < z->n && found == NULL; i++) {
		if (memcmp(z->records[i].owner_hash, k->hash, NSEC3_HASH_OCTETS) == 0)
			found = &z->records[i];
	}
	if (found != NULL)
		found->used = true;
	*ret = found;
	return DONE;
}

/* The last record of the chain points to the first, and the only record to itself. */
static bool covers(const struct nsec3 *rec, const uint8_t hash[NSEC3_HASH_OCTETS])
{
	const uint8_t *next = rec->next_hash.p;
	bool behind = memcmp(rec->owner_hash, hash, NSEC3_HASH_OCTETS) < 0;
	bool before = memcmp(hash, next, NSEC3_HASH_OCTETS) < 0;

	if (memcmp(rec->owner_hash, next, NSEC3_HASH_OCTETS) < 0)
		return behind && before;
	return memcmp(rec->owner_hash, hash, NSEC3_HASH_OCTETS) != 0 && (behind || before);
}

RESULT nsec3_cover(struct nsec3_zone *z, struct name name, const struct nsec3 **ret)
{
	const struct nsec3_hashed *k = NULL;
	struct nsec3 *found = NULL;

	TRY(hash_of(z, name, &k));
	for (size_t i = 0; i < z->n; i++) {
		if (covers(&z->records[i], k->hash) && (found == NULL || !z->records[i].opt_out))
			found = &z->records[i];
	}
	if (found != NULL)
		found->used = true;
	*ret = found;
	return DONE;
}
