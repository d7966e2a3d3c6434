/*
 * payload.h: what the RPKI says, as values: validated route origins (VRPs), BGPsec router keys and ASPAs (terms of RFC 6811, RFC 8635 and the RTR drafts), and their
 * canonical order. Canonical order is ascending, IPv4 before IPv6, by address, maxLength, prefix length and AS number; read backwards it is the order in which RTR
 * version 2 announces prefixes, read forwards that of withdrawals.
 */
#ifndef RPKI_ROUTES_PAYLOAD_H
#define RPKI_ROUTES_PAYLOAD_H

#include "base/addr.h"
#include "base/cursor.h"

#define PAYLOAD_SKI 20 /* octets of a subject key identifier */
/* What one PDU of 65,535 octets can carry; the RTR protocol sets these bounds. */
#define PAYLOAD_SPKI_MAX (65535u - 32u)
#define PAYLOAD_PROVIDERS_MAX ((65535u - 12u) / 4u)

/* A validated ROA payload: this AS may announce this prefix, down to maxlen. */
struct vrp {
	uint8_t addr[16]; /* network order; IPv4 uses 4 octets, the others are zero; host bits are zero */
	uint32_t asn;
	uint8_t family;   /* ADDR_V4 or ADDR_V6 */
	uint8_t len, maxlen; /* len <= maxlen <= 32 or 128 */
};

struct router_key {
	uint8_t ski[PAYLOAD_SKI];
	uint32_t asn;
	struct span spki; /* DER SubjectPublicKeyInfo, 1 to PAYLOAD_SPKI_MAX octets */
};

struct aspa_payload {
	uint32_t customer;
	const uint32_t *providers BORROWED_FIELD; /* ascending, unique; AS0 only alone */
	size_t n;                                 /* 1 to PAYLOAD_PROVIDERS_MAX; 0 only in a withdrawal */
};

enum payload_kind { PAYLOAD_VRP, PAYLOAD_KEY, PAYLOAD_ASPA, PAYLOAD_KINDS };

static inline unsigned int vrp_bits(const struct vrp *v) { return v->family == ADDR_V4 ? 32 : 128; }
/* Family, lengths and host bits are as they must be. */
bool vrp_is_sound(const struct vrp *v) NONNULL;
/* Less than, equal to or greater than 0, in canonical order. */
int vrp_compare(const struct vrp *a, const struct vrp *b) NONNULL;
struct prefix vrp_prefix(const struct vrp *v) NONNULL;
/* maxlen is that of the prefix when 0 is given for a prefix longer than 0. ERR_RANGE: not sound. */
RESULT vrp_make(const struct prefix *p, uint8_t maxlen, uint32_t asn, struct vrp *ret) NONNULL;
/* By key identifier, length of the key, key, AS number. */
int router_key_compare(const struct router_key *a, const struct router_key *b) NONNULL;
bool aspa_is_sound(const struct aspa_payload *a) NONNULL; /* an announcement: at least one provider, ascending, AS0 only alone */

/* True when the first bits of a and b are the same; both have at least (bits + 7) / 8 octets. */
bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits) NONNULL;

#endif
