#include "resolver/cache/key.h"

void key_chain_init(struct key_chain *ret, const struct hash_key *k, struct name n)
{
	KEY_SCRATCH uint8_t at[NAME_MAX_LABELS];
	KEY_SCRATCH uint8_t lower[NAME_MAX_OCTETS];
	unsigned int count = 0;

	key_lower(lower, n.wire, n.len);
	for (unsigned int pos = 0; pos < n.len && lower[pos] != 0 && count < NAME_MAX_LABELS; pos += 1u + lower[pos])
		at[count++] = (uint8_t)pos;
	ret->labels = count;
	ret->of[0] = siphash13(k, "", 0);
	for (unsigned int i = 1; i <= count; i++) {
		const uint8_t *label = lower + at[count - i];
		struct hash_key below = { { k->k[0] ^ ret->of[i - 1], k->k[1] } };

		ret->of[i] = siphash13(&below, label, 1u + label[0]);
	}
}
