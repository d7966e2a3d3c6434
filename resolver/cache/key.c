#include "resolver/cache/key.h"

/*
 * The latest name. A question has its name, and those above it, looked for in the caches a dozen times in a row: a name whose octets end the latest one, at the
 * same label, has the front part of its hashes.
 */
struct latest {
	struct hash_key key;
	unsigned int labels;
	unsigned int len;                /* 0: nothing yet */
	uint8_t at[NAME_MAX_LABELS + 1]; /* where each label begins, the first one first, the root's last */
	uint8_t lower[NAME_MAX_OCTETS];
	uint64_t of[NAME_MAX_LABELS + 1];
};
static _Thread_local struct latest latest;

static bool ends_latest(const struct hash_key *k, struct name n)
{
	unsigned int start;

	if (latest.len == 0 || n.labels > latest.labels || k->k[0] != latest.key.k[0] || k->k[1] != latest.key.k[1])
		return false;
	start = latest.at[latest.labels - n.labels];
	return latest.len - start == n.len && key_equal(latest.lower + start, n.wire, n.len);
}

static void make_latest(const struct hash_key *k, struct name n)
{
	unsigned int count = 0, pos = 0;

	key_lower(latest.lower, n.wire, n.len);
	for (; pos < n.len && latest.lower[pos] != 0 && count < NAME_MAX_LABELS; pos += 1u + latest.lower[pos])
		latest.at[count++] = (uint8_t)pos;
	latest.at[count] = (uint8_t)pos;
	latest.key = *k;
	latest.labels = count;
	latest.len = n.len;
	latest.of[0] = siphash13(k, "", 0);
	for (unsigned int i = 1; i <= count; i++) {
		const uint8_t *label = latest.lower + latest.at[count - i];
		struct hash_key below = { { k->k[0] ^ latest.of[i - 1], k->k[1] } };

		latest.of[i] = siphash13(&below, label, 1u + label[0]);
	}
}

void key_chain_init(struct key_chain *ret, const struct hash_key *k, struct name n)
{
	unsigned int labels = n.labels;

	if (!ends_latest(k, n)) {
		make_latest(k, n);
		labels = latest.labels;
	}
	ret->labels = labels;
	memcpy(ret->of, latest.of, (labels + 1) * sizeof ret->of[0]);
}
