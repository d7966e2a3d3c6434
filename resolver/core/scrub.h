/*
 * scrub.h: what a reply says, and what of it we believe. A reply comes from a server that was asked as one of the servers of `zone`: nothing outside of that zone is
 * believed, nothing that the question does not need is kept, and everything kept gets its rank (RFC 2181 section 5.4.1).
 *
 *   answer      the RRset asked for, and the aliases that lead to it as long as they stay in the zone; DNAMEs are worked out here, a CNAME beside them is not read
 *   authority   SOA and denials of negative answers, NSEC/NSEC3 of wildcards; NS and DS of a referral. NS records elsewhere are spare: they are
 *               never learnt, and go with the answer only when the configuration says so
 *   additional  addresses of the name servers of a referral (glue), or of spare NS records that are kept
 *
 * The zone is what the configuration or the delegation says, never what the reply says: a forwarder's is the name of its forward-zone.
 */
#ifndef RESOLVER_CORE_SCRUB_H
#define RESOLVER_CORE_SCRUB_H

#include "dns/msg.h"
#include "resolver/cache/infra.h"

struct arena;
struct core_settings;

enum reply_kind {
	REPLY_ANSWER,   /* the RRset, behind aliases or not */
	REPLY_ALIAS,    /* aliases only: go on at `final` */
	REPLY_REFERRAL, /* to servers of `cut`, strictly below the zone and at or above the name */
	REPLY_NODATA,
	REPLY_NXDOMAIN,
	REPLY_EMPTY,    /* no error, and nothing in it that is to the point: perhaps NODATA of a careless server */
	REPLY_LAME,     /* not a server of the zone: a referral to the zone itself, upwards or aside */
	REPLY_ERROR,    /* another rcode */
	REPLY_KINDS
};
const char *reply_kind_text(enum reply_kind k) BORROWED;

struct scrub_request {
	const struct core_settings *settings BORROWED_FIELD;
	struct name zone;
	struct question q;    /* as asked upstream: perhaps minimised */
	bool recursive;       /* asked with RD: a forwarder */
	bool judged;          /* it will be validated: private addresses stay for the validator to see, and scrub_private() takes them out behind it */
};

struct scrub_sets {
	const struct rrset **sets ARENA_FIELD;
	size_t count, cap;
};

struct scrubbed {
	enum reply_kind kind;
	enum lame_kind lame;   /* REPLY_LAME, REPLY_ERROR */
	uint16_t rcode;
	bool authoritative;    /* AA */
	bool second_hand;      /* RA without AA to a question without RD: the server passes on what it heard */
	bool filtered;         /* a private address was taken out */
	struct name final;     /* the name at the end of the aliases */
	struct name cut;       /* REPLY_REFERRAL */
	uint32_t negative_ttl; /* RFC 2308 section 5, with the limits of the configuration; 0: not to be kept */
	struct scrub_sets answer, authority, additional;
	uint32_t doubtful_ttl; /* it came over an invalid route: unsigned data of it are kept no longer, in seconds; 0: it did not */
	bool spoilt;           /* records of wrong form were left out by the reader */
	uint32_t dropped;      /* RRsets that were not believed or not needed */
	const char *note BORROWED_FIELD; /* static text: what was wrong with it; "" */
};

/* ERR_NOMEM: the arena is full. Everything in ret lives in the arena or, as final and cut may, in the message and the request. */
RESULT scrub_reply(struct arena *a, const struct scrub_request *r, const struct msg *m, struct scrubbed *ret) NONNULL;
/* *ret: the set without the private addresses that its name must not have, and then unsigned and insecure at most: the same, when it has none; NULL: nothing is left. ERR_NOMEM. */
RESULT scrub_private(struct arena *a, const struct core_settings *s, const struct rrset *rs, const struct rrset **ret) NONNULL;
/* The set of that owner and type, or NULL. */
const struct rrset *scrub_find(const struct scrub_sets *s, struct name owner, uint16_t type) BORROWED NONNULL;

#endif
