/* DS RRs and DNSKEY RRs of any octets, and some that fit: exactly the keys are vouched for that a digest which may be followed is of. */
#include <stdlib.h>

#include "base/arena.h"
#include "tests/fuzz/failing.h"
#include "tests/unit/validator/obvious.h"
#include "validator/ds.h"

#define MOST 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool known(uint8_t algorithm)
{
	return algorithm == 5 || algorithm == 7 || algorithm == 8 || algorithm == 10 || (algorithm >= 13 && algorithm <= 16);
}

/* Followed but for RFC 4509 section 3. */
static bool of_use(struct span ds)
{
	return ds.n > 4 && known(ds.p[2]) && ((ds.p[3] == 1 && ds.n == 24) || (ds.p[3] == 2 && ds.n == 36) || (ds.p[3] == 4 && ds.n == 52));
}

/* Octets as they come, or the digest of a key. */
static struct span one_ds(struct arena *a, struct reader *r, struct name owner, const struct span *keys, size_t n)
{
	static const enum hash_kind hashes[] = { HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA256 };
	static const uint8_t types[] = { 1, 2, 4, 2 };
	uint8_t c = read8(r), room[4 + HASH_MAX_OCTETS];
	struct span key = keys[c / 4 % n];
	size_t octets;

	if (c >= 0xe0 || key.n < 4) {
		struct span s = read_span(r, c & 31);

		return s.p != NULL ? s : span_of("", 0);
	}
	store16(room, dnskey_tag(key));
	room[2] = key.p[3];
	room[3] = types[c & 3];
	octets = 4 + hash_pieces(hashes[c & 3], (struct span[]){ { owner.wire, owner.len }, key }, 2, room + 4);
	if ((c & 0x80) != 0)
		room[read8(r) % octets] ^= read8(r);
	return span_of(MINE(arena_dup(a, room, octets)), octets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct name owner = { (const uint8_t *)"\7example\3org", 13, 2 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct reader r = reader_of((struct span){ data, size });
	struct span keys[MOST], ds[MOST];
	struct work work = { 1000000 };
	size_t n_keys, n_ds, count = 0, want = 0;
	bool vouched[MOST], strong = false;
	struct rrset *key_set, *ds_set;
	uint16_t ede = 0;

	if (a == NULL)
		return 0;
	n_keys = 1 + read8(&r) % MOST;
	for (size_t i = 0; i < n_keys; i++) {
		keys[i] = read_span(&r, read8(&r) & 63);
		if (keys[i].p == NULL)
			keys[i] = span_of("", 0);
	}
	n_ds = 1 + read8(&r) % MOST;
	for (size_t i = 0; i < n_ds; i++)
		ds[i] = one_ds(a, &r, owner, keys, n_keys);
	key_set = rrset_make_unique_in(a, owner, RR_DNSKEY, CLASS_IN, 60, keys, n_keys, 0);
	ds_set = rrset_make_unique_in(a, owner, RR_DS, CLASS_IN, 60, ds, n_ds, 0);
	if (key_set == NULL || ds_set == NULL || !OK(ds_vouch(ds_set, key_set, NULL, 1000, &work, vouched, &count)))
		return 0;
	for (size_t i = 0; i < n_ds; i++)
		strong = strong || (of_use(ds[i]) && ds[i].p[3] != 1);
	for (size_t k = 0; k < n_keys; k++) {
		bool so = false;

		for (size_t i = 0; i < n_ds; i++)
			so = so || (of_use(ds[i]) && (ds[i].p[3] != 1 || !strong) && keys[k].n > 4 && (keys[k].p[0] & 1) != 0 && keys[k].p[2] == 3 &&
				MINE(obvious_ds_matches(ds[i], owner, keys[k])));
		if (so != vouched[k])
			abort();
		want += so;
	}
	if (want != count)
		abort();
	for (size_t i = 0; i < n_ds; i++)
		if (ds_usable(ds_set, i, NULL) != (of_use(ds[i]) && (ds[i].p[3] != 1 || !strong)))
			abort();
	if (ds_any_usable(ds_set, NULL, &ede) != (ede == 0))
		abort();
	return 0;
}
