/*
 * gaps.h: the denials that are known of one zone (RFC 8198): each NSEC or NSEC3 RRset is a *gap*, an owner that exists and the next one, nothing between them. They
 * stand in two orders, names in that of RFC 4034 section 6.1 and hashes, so that what denies a name is found by one walk down a tree. Not locked: denials.c does that.
 *
 * Both orders are circles: the last gap of a zone leads to its first owner. Gaps of one order never contradict each other: a new one removes those that it does
 * (their owner lies in it, or its owner lies in them).
 *
 * A *sort key* is a name under the zone's apex as octets that memcmp puts in canonical order: labels from the apex down, in lower case, a 0 behind each; octets 0 and
 * 1 inside of labels are written as two. So the key of a name is the beginning of the keys of all names below it, and the apex's is empty.
 */
#ifndef RESOLVER_CACHE_GAPS_H
#define RESOLVER_CACHE_GAPS_H

#include "dns/rrset.h"
#include "resolver/cache/sorted.h"
#include "validator/nsec3.h"

enum gap_order { GAP_NSEC, GAP_NSEC3, GAP_ORDERS };

enum gap_place { GAP_STAR, GAP_STAR3, GAP_APEX3, GAP_PLACES }; /* the wildcards of NSEC and NSEC3, and the hash of the apex */

#define GAP_KEY_OCTETS (2u * NAME_MAX_OCTETS)
#define GAP_ITERATIONS 50u /* NSEC3 with more is not kept (RFC 9276 section 3.2) */

/* One block with its keys and its RRset. */
struct gap {
	struct sorted_node node; /* its key is the owner's */
	struct gap *newer PARENT_FIELD; /* both: in the order of use; the zone owns them all */
	struct gap *older PARENT_FIELD;
	struct span next;        /* sort key or hash */
	struct span types;       /* bit map */
	struct span salt;        /* NSEC3 */
	const struct rrset *set PARENT_FIELD; /* in this block */
	uint32_t octets;
	uint32_t expires_sec;    /* mono */
	uint32_t shown_until_sec; /* mono: the same by its TTL, which clients are told */
	uint16_t iterations;     /* NSEC3 */
	uint8_t order;           /* enum gap_order */
	bool opt_out;
	bool speaks_below;       /* neither a delegation nor a DNAME nor "no such name": what it says holds for names below its owner, too (RFC 6840 section 4.1) */
};

struct gap_zone {
	struct gap_zone *chain OWNED_FIELD;   /* these six: denials.c */
	struct gap_zone *newer PARENT_FIELD;
	struct gap_zone *older PARENT_FIELD;
	uint64_t hash;
	uint64_t used_ms;                     /* mono */
	bool listed;                          /* its hash is marked as one that has gaps */

	struct sorted order[GAP_ORDERS];
	struct gap *newest PARENT_FIELD;
	struct gap *oldest PARENT_FIELD;
	struct gap *last[GAP_PLACES] PARENT_FIELD; /* what was found last where every question looks; NULL: nothing */
	struct rrset *soa OWNED_FIELD;        /* or NULL */
	uint32_t soa_expires_sec;
	uint32_t soa_minimum;                 /* seconds (RFC 2308 section 4) */
	bool apex_known, star_known;          /* the hashes of the apex and of "*" under it, once they were needed */
	uint8_t apex_hash[NSEC3_HASH_OCTETS], star_hash[NSEC3_HASH_OCTETS];
	size_t octets;                        /* of the heap, with gaps and SOA */
	uint8_t name_len, name_labels;
	uint8_t name[];                       /* in lower case */
};

void gap_free(struct gap *g) TAKES(1);
DEFINE_AUTO(struct gap, gap_free)
/* NULL: the set is not fit as a denial of this zone (SECURITY_SECURE and signed by it, in its form, few iterations), would not be of use, or out of memory. */
struct gap *gap_new(struct name zone, const struct rrset *rs, uint32_t now_sec) OWNED_BY(gap_free) NONNULL;

void gap_zone_free(struct gap_zone *z) TAKES(1);
struct gap_zone *gap_zone_new(struct name zone, uint64_t hash) OWNED_BY(gap_zone_free);
DEFINE_AUTO(struct gap_zone, gap_zone_free)
static inline struct name gap_zone_name(const struct gap_zone *z) { return (struct name){ z->name, z->name_len, z->name_labels }; }
static inline size_t gap_zone_count(const struct gap_zone *z) { return z->order[GAP_NSEC].count + z->order[GAP_NSEC3].count; }

/* Removes what it contradicts; an NSEC3 with other parameters removes those of the old ones. random as for sorted_add(). */
void gap_zone_add(struct gap_zone *z, struct gap *g, uint32_t random) TAKES(2) NONNULL;
/* Is that very set, SOA or denial, with the same signatures, among them? *ret_left: for how many seconds. */
bool gap_zone_has(struct gap_zone *z, const struct rrset *rs, uint32_t now_sec, uint32_t *ret_left) NONNULL;
/* A copy; false: not the zone's, or out of memory. */
bool gap_zone_set_soa(struct gap_zone *z, const struct rrset *soa, uint32_t now_sec) NONNULL;
void gap_zone_remove(struct gap_zone *z, struct gap *g) NONNULL;
void gap_zone_drop_soa(struct gap_zone *z) NONNULL;
void gap_zone_used(struct gap_zone *z, struct gap *g) NONNULL; /* it was used now: the last to be evicted */

/* The sort key of a name at or below a zone of that many labels; its octets. */
size_t gap_key(struct name n, unsigned int zone_labels, uint8_t ret[GAP_KEY_OCTETS]) NONNULL;
/* The gap whose owner has this key. Expired ones are removed and not found; NULL: none. */
struct gap *gap_zone_match(struct gap_zone *z, enum gap_order o, struct span key, uint32_t now_sec) BORROWED NONNULL;
/* That gap (*ret_match), or the one in which the key lies. */
struct gap *gap_zone_at(struct gap_zone *z, enum gap_order o, struct span key, uint32_t now_sec, bool *ret_match) BORROWED NONNULL;
/* The same for what most questions ask for one after another: what was found there last is looked at first. */
struct gap *gap_zone_at_place(struct gap_zone *z, enum gap_order o, enum gap_place at, struct span key, uint32_t now_sec, bool *ret_match) BORROWED NONNULL;
bool gap_covers(const struct gap *g, struct span key) NONNULL; /* the key lies between owner and next */
/* Is a the key of a name above b's (or the same)? */
static inline bool gap_key_is_under(struct span b, struct span a) { return a.n <= b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }
/* All that speaks about a name or what is below it, and all NSEC3; how many. */
size_t gap_zone_flush(struct gap_zone *z, struct name name) NONNULL;

#endif
