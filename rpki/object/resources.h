/*
 * resources.h: Internet number resources (RFC 3779): sets of IPv4 and IPv6 addresses and of AS numbers, as sorted ranges that neither overlap nor touch.
 * They are read from the octets of a certificate into an arena, and are immutable from then on; nothing here points into the octets.
 */
#ifndef RPKI_OBJECT_RESOURCES_H
#define RPKI_OBJECT_RESOURCES_H

#include "rpki/object/der.h"
#include "rpki/object/rule.h"

__extension__ typedef unsigned __int128 rpki_u128;

struct range32 { /* IPv4 addresses, or AS numbers; both ends belong to it */
	uint32_t lo, hi;
};
struct range128 {
	rpki_u128 lo, hi;
};
struct set32 {
	const struct range32 *r ARENA_FIELD;
	uint32_t n;
};
struct set128 {
	const struct range128 *r ARENA_FIELD;
	uint32_t n;
};

/* Whether a certificate says something of a kind of resources. */
enum claim {
	CLAIM_NONE,
	CLAIM_INHERIT,
	CLAIM_SET,
};

struct resources {
	enum claim ip4, ip6, as;
	struct set32 v4;   /* of CLAIM_SET */
	struct set128 v6;
	struct set32 asn;
};

#define RESOURCES_MAX_RANGES 200000 /* of one kind in one certificate; the largest seen has some 9,000 */

/* The contents of an IPAddrBlocks extension (RFC 3779 section 2.2.3) or ASIdentifiers (section 3.2.3). False: reading is to stop, also (then *ret_nomem) for
 * want of memory. In every case *res is good to look at: what could not be read is not in it. */
bool resources_read_ip(struct span extension, struct arena *a, struct report *rep, struct resources *res, bool *ret_nomem) NONNULL;
bool resources_read_as(struct span extension, struct arena *a, struct report *rep, struct resources *res, bool *ret_nomem) NONNULL;
/* The same where nothing may inherit: in an RSC (RFC 9323 section 4.2). */
bool resources_read_ip_list(struct span contents, struct arena *a, struct report *rep, struct resources *res, bool *ret_nomem) NONNULL;
bool resources_read_as_list(struct span contents, struct arena *a, struct report *rep, struct resources *res, bool *ret_nomem) NONNULL;

/* An address prefix in a BIT STRING: family 4 or 6. False: too long for its family. */
struct ip_prefix {
	uint8_t family; /* 4 or 6 */
	uint8_t len;    /* bits */
	rpki_u128 lo;   /* the first address; IPv4 in the lowest 32 bits */
};
bool ip_prefix_of_bits(uint8_t family, struct bits b, struct ip_prefix *ret) NONNULL;
static inline rpki_u128 ip_prefix_last(const struct ip_prefix *p)
{
	unsigned int width = p->family == 4 ? 32 : 128;

	return p->len == 0 && width == 128 ? ~(rpki_u128)0 : p->lo | (((rpki_u128)1 << (width - p->len)) - 1);
}
/* "192.0.2.0/24" */
#define PREFIX_TEXT 64
const char *ip_prefix_text(const struct ip_prefix *p, char room[PREFIX_TEXT]) BORROWED NONNULL;

bool set32_has(const struct set32 *s, uint32_t lo, uint32_t hi) NONNULL; /* all of lo to hi */
bool set128_has(const struct set128 *s, rpki_u128 lo, rpki_u128 hi) NONNULL;
bool set32_within(const struct set32 *inner, const struct set32 *outer) NONNULL;
bool set128_within(const struct set128 *inner, const struct set128 *outer) NONNULL;
bool resources_have_prefix(const struct resources *r, const struct ip_prefix *p) NONNULL; /* r with inherit resolved */
bool resources_have_as(const struct resources *r, uint32_t as) NONNULL;

/* What a certificate has, given its issuer's effective resources (none of them inherit): inherit replaced by the issuer's. *ret borrows from both.
 * False, and *ret_kind tells which, when it claims what the issuer has not. */
bool resources_effective(const struct resources *claimed, const struct resources *issuer, struct resources *ret, const char **ret_kind) NONNULL;
/* The same as RFC 8360 section 4 wants it: what both have; *ret_trimmed when that is less than was claimed. ERR_NOMEM. */
RESULT resources_trimmed(const struct resources *claimed, const struct resources *issuer, struct arena *a, struct resources *ret, bool *ret_trimmed) NONNULL;

/* "192.0.2.0/24, 198.51.100.0-198.51.100.9; AS64496-AS64511", at most max entries, then "..." */
void resources_print(const struct resources *r, struct strbuf *out, size_t max) NONNULL;
/* Words of an address for text: IPv4 dotted or IPv6 as RFC 5952 has it. */
const char *address_text(uint8_t family, rpki_u128 v, char room[PREFIX_TEXT]) BORROWED NONNULL;

#endif
