/*
 * bmp.h: what a router tells by the BGP Monitoring Protocol (RFC 7854; Loc-RIB: RFC 9069; Adj-RIB-Out: RFC 8671, passed over, for what a router sends is no evidence of what it
 * hears). One reader for each connection; octets come in pieces of any size. Peers are numbered from 0 as they come up; a number that went down is not used again.
 */
#ifndef RPKI_ROUTES_BMP_H
#define RPKI_ROUTES_BMP_H

#include "rpki/routes/bgp.h"

struct bmp;
struct bmp_sink;

enum bmp_view { BMP_BEFORE_POLICY, BMP_AFTER_POLICY, BMP_LOC_RIB };

struct bmp_peer {
	struct addr address; /* none for a Loc-RIB */
	uint32_t as;
	enum bmp_view view;
};

struct bmp_sink_ops {
	RESULT (*up)(struct bmp_sink *s, uint32_t number, const struct bmp_peer *p);
	RESULT (*change)(struct bmp_sink *s, uint32_t number, const struct bgp_change *c);
	RESULT (*down)(struct bmp_sink *s, uint32_t number); /* all of its routes are gone */
};
struct bmp_sink {
	const struct bmp_sink_ops *ops SHARED_FIELD;
};

struct bmp_limits {
	uint32_t message; /* octets of one message */
	uint32_t peers;   /* that are up at a time */
};
struct bmp_limits bmp_limits_default(void); /* 1 MiB, 10,000 */

struct bmp_counts {
	uint64_t messages, changes;
	uint64_t passed;  /* messages of kinds, and of views, that tell nothing of routes heard */
	uint64_t strange; /* of a peer that is not up, or up twice */
	uint64_t bad;     /* UPDATEs that do not hold together: left out; or mended as RFC 7606 says */
};

void bmp_free(struct bmp *b) TAKES(1); /* tells the sink nothing */
/* to: outlives the reader */
struct bmp *bmp_new(struct bmp_sink *to, const struct bmp_limits *limits) OWNED_BY(bmp_free) NONNULL;
DEFINE_AUTO(struct bmp, bmp_free)
/* The session is over after an error. ERR_FORMAT: no BMP of version 3, or a message does not hold together; ERR_LIMIT; ERR_CLOSED: the router ends it (section 4.5);
 * ERR_NOMEM; or what the sink said. */
RESULT bmp_feed(struct bmp *b, struct span octets) NONNULL;
/* Tells the sink that all peers are down: the session is over. */
RESULT bmp_end(struct bmp *b) NONNULL;
const struct bmp_counts *bmp_counts(const struct bmp *b) BORROWED NONNULL;
size_t bmp_peers(const struct bmp *b) NONNULL; /* that are up */
bool bmp_within_message(const struct bmp *b) NONNULL; /* one has begun, and has not come whole */

#endif
