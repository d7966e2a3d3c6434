#include "resolver/serve/cookie.h"

#define VERSION 1u
#define RENEW_SEC 1800       /* RFC 9018 section 4.3: half an hour old cookies are replaced, */
#define OLD_SEC 3600         /* those of more than an hour refused, */
#define FUTURE_SEC 300       /* as are those of more than five minutes ahead */
#define SERVER_MIN 8         /* RFC 7873 section 4.2 */
#define SERVER_MAX 32

/* The hash of RFC 9018 section 4.4 over what stands in cookie[0..16) and the address. */
static void hash_into(const struct hash_key *key, const uint8_t cookie[16], const struct addr *client, uint8_t ret[8])
{
	uint8_t in[16 + 16];
	size_t n = addr_octets(client);
	uint64_t h;

	memcpy(in, cookie, 16);
	memcpy(in + 16, client->b, n);
	h = siphash24(key, in, 16 + n);
	for (unsigned int i = 0; i < 8; i++)
		ret[i] = (uint8_t)(h >> 8 * i); /* as the reference implementation writes it: little end first */
}

static void make(
    const struct cookie_secrets *s, const uint8_t *client_part, const struct addr *client, uint32_t at, uint8_t ret[COOKIE_FULL])
{
	memmove(ret, client_part, COOKIE_CLIENT);
	store32(ret + 8, VERSION << 24);
	store32(ret + 12, at);
	hash_into(&s->key[0], ret, client, ret + 16);
}

/* Compares without telling by its time how many octets were right. */
static bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint8_t diff = 0;

	while (n-- > 0)
		diff |= a[n] ^ b[n];
	return diff == 0;
}

static bool ours(const struct cookie_secrets *s, const uint8_t *cookie, const struct addr *client)
{
	uint8_t want[8];

	for (unsigned int i = 0; i < s->count; i++) {
		hash_into(&s->key[i], cookie, client, want);
		if (same(want, cookie + 16, sizeof want))
			return true;
	}
	return false;
}

enum cookie_state cookie_judge(const struct cookie_secrets *s, struct span option, const struct addr *client, int64_t wall_sec,
    uint8_t ret_reply[COOKIE_FULL])
{
	uint32_t now = (uint32_t)wall_sec, at;

	if (option.n < COOKIE_CLIENT || (option.n > COOKIE_CLIENT && option.n < COOKIE_CLIENT + SERVER_MIN) ||
	    option.n > COOKIE_CLIENT + SERVER_MAX)
		return COOKIE_MALFORMED;
	if (option.n == COOKIE_CLIENT) {
		make(s, option.p, client, now, ret_reply);
		return COOKIE_ALONE;
	}
	if (option.n != COOKIE_FULL || option.p[8] != VERSION) {
		make(s, option.p, client, now, ret_reply);
		return COOKIE_BAD;
	}
	at = load32(option.p + 12);
	/* serial arithmetic (RFC 1982), so that 2106 is a day like any other */
	if ((int32_t)(now - at) > OLD_SEC || (int32_t)(at - now) > FUTURE_SEC || !ours(s, option.p, client)) {
		make(s, option.p, client, now, ret_reply);
		return COOKIE_BAD;
	}
	if ((int32_t)(now - at) > RENEW_SEC) {
		make(s, option.p, client, now, ret_reply);
		return COOKIE_RENEW;
	}
	memcpy(ret_reply, option.p, COOKIE_FULL);
	return COOKIE_GOOD;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

RESULT cookie_secret_parse(const char *hex, struct hash_key *ret)
{
	struct hash_key key = { { 0, 0 } };
	size_t i;

	for (i = 0; i < 32; i++) {
		int v = digit(hex[i]);

		if (v < 0)
			return FAIL(ERR_FORMAT);
		/* octet i/2 of the secret is octet i/2 % 8 of a little-endian word */
		key.k[i / 16] |= (uint64_t)v << (8 * (i / 2 % 8) + (i % 2 == 0 ? 4 : 0));
	}
	if (hex[32] != '\0')
		return FAIL(ERR_FORMAT);
	*ret = key;
	return DONE;
}
