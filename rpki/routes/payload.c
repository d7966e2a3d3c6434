#include "rpki/routes/payload.h"

bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int whole = bits / 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return bits % 8 == 0 || (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0;
}

bool vrp_is_sound(const struct vrp *v)
{
	unsigned int bits = vrp_bits(v), at = v->len / 8u;

	if ((v->family != ADDR_V4 && v->family != ADDR_V6) || v->len > v->maxlen || v->maxlen > bits)
		return false;
	if (v->len % 8 != 0 && (v->addr[at++] & (0xff >> v->len % 8)) != 0)
		return false;
	for (; at < sizeof v->addr; at++)
		if (v->addr[at] != 0)
			return false;
	return true;
}

int vrp_compare(const struct vrp *a, const struct vrp *b)
{
	int c;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	c = memcmp(a->addr, b->addr, sizeof a->addr);
	if (c != 0)
		return c;
	if (a->maxlen != b->maxlen)
		return a->maxlen < b->maxlen ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->asn < b->asn ? -1 : a->asn > b->asn;
}

struct prefix vrp_prefix(const struct vrp *v)
{
	struct prefix p = { .a = { .family = v->family }, .len = v->len };

	memcpy(p.a.b, v->addr, sizeof p.a.b);
	return p;
}

RESULT vrp_make(const struct prefix *p, uint8_t maxlen, uint32_t asn, struct vrp *ret)
{
	struct vrp v = { .asn = asn, .family = p->a.family, .len = p->len, .maxlen = maxlen == 0 ? p->len : maxlen };

	memcpy(v.addr, p->a.b, sizeof v.addr);
	if (!vrp_is_sound(&v))
		return FAIL(ERR_RANGE);
	*ret = v;
	return DONE;
}

int router_key_compare(const struct router_key *a, const struct router_key *b)
{
	int c = memcmp(a->ski, b->ski, sizeof a->ski);

	if (c != 0)
		return c;
	if (a->spki.n != b->spki.n)
		return a->spki.n < b->spki.n ? -1 : 1;
	c = a->spki.n == 0 ? 0 : memcmp(a->spki.p, b->spki.p, a->spki.n);
	if (c != 0)
		return c;
	return a->asn < b->asn ? -1 : a->asn > b->asn;
}

bool aspa_is_sound(const struct aspa_payload *a)
{
	if (a->n == 0 || a->n > PAYLOAD_PROVIDERS_MAX)
		return false;
	for (size_t i = 1; i < a->n; i++)
		if (a->providers[i - 1] >= a->providers[i])
			return false;
	return a->n == 1 || a->providers[0] != 0;
}
