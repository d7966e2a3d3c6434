/*
 * bgp.h: what is read of BGP-4 (RFC 4271): the origin of a path, and the routes of an UPDATE message, as MRT dumps (mrt.h) and BMP (bmp.h) carry them. Functions without state;
 * octets are foreign.
 */
#ifndef RPKI_ROUTES_BGP_H
#define RPKI_ROUTES_BGP_H

#include "base/addr.h"
#include "base/cursor.h"

#define BGP_AS_NONE 0u          /* no origin that a VRP could match: an AS_SET (RFC 6811 section 2), AS 0 (RFC 7607) */
#define BGP_AS_TRANS 23456u     /* RFC 6793 */

struct bgp_attributes {
	uint32_t origin; /* route origin ASN of RFC 6811 section 2 */
	bool path;       /* there was an AS_PATH */
	struct span reach, unreach; /* values of MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760); n 0: none */
};

/*
 * The path attributes of a route. as_octets: 2 or 4, of an AS number in AS_PATH; speaker: the AS of whoever told, which is the origin of an empty path and of one that ends in a
 * confederation. ERR_FORMAT: they do not hold together, or an attribute comes twice.
 */
RESULT bgp_attributes_read(struct span attributes, unsigned int as_octets, uint32_t speaker, struct bgp_attributes *ret) NONNULL;

/* One prefix as NLRI has it (RFC 4271 section 4.3): length, then as many octets as it needs. Bits behind the prefix do not count. False: the reader has failed. */
bool bgp_prefix_read(struct reader *r, uint8_t family, struct prefix *ret) NONNULL;

/* How to read a session's UPDATE messages. */
struct bgp_session {
	unsigned int as_octets; /* 2 or 4 */
	bool paths4, paths6;    /* prefixes have path identifiers (RFC 7911) */
	uint32_t speaker;
};

struct bgp_change {
	bool announced; /* or withdrawn */
	struct prefix prefix;
	uint32_t path;   /* identifier; 0 without */
	uint32_t origin; /* when announced */
};
typedef RESULT bgp_change_fn(void *ctx, const struct bgp_change *c);

/*
 * All changes that a message brings, IPv4 and IPv6 unicast alone, withdrawals first. Messages of other types bring none. What is announced with bad attributes counts as withdrawn
 * (RFC 7606 section 2), and *ret_mended is set. ERR_FORMAT: not even its prefixes can be told, and some changes may have been told already; or what fn said.
 */
RESULT bgp_update_read(struct span message, const struct bgp_session *s, bgp_change_fn *fn, void *ctx, bool *ret_mended) __attribute__((nonnull(2, 3, 5)));

#endif
