/*
 * rrset.h: an RRset with its signatures as one block of memory without pointers inside, so that a copy is a memcpy, be it to an arena, the
 * heap or a file. Immutable once made. Rdata is uncompressed and has been checked against its type's format.
 */
#ifndef DNS_RRSET_H
#define DNS_RRSET_H

#include "dns/name.h"
#include "dns/rrtype.h"

/* How far we trust data, in rising order (RFC 2181 section 5.4.1). Data replaces what has the same rank or less, or has expired. */
enum rank {
	RANK_NONE = 0,
	RANK_ADDITIONAL,     /* additional section of a non-authoritative answer; glue from a referral */
	RANK_GLUE,           /* addresses from a referral that belong to its delegation */
	RANK_DELEGATION,     /* NS of a referral, root hints */
	RANK_ANSWER_NONAUTH, /* answer section, AA clear (forwarders; CNAME targets) */
	RANK_AUTHORITY,      /* authority section, AA set */
	RANK_ANSWER_AUTH,    /* answer section, AA set */
	RANK_LOCAL,          /* zone data of our own */
};

/* RFC 4035 section 4.3, as far as it is known. SECURITY_UNCHECKED until the validator has spoken. */
enum security { SECURITY_UNCHECKED = 0, SECURITY_INDETERMINATE, SECURITY_BOGUS, SECURITY_INSECURE, SECURITY_SECURE };

struct rrset {
	uint32_t octets;    /* of the whole block */
	uint32_t ttl;       /* seconds, as received (after the limits of configuration) */
	uint16_t type;
	uint16_t rclass;
	uint16_t count;     /* RRs; 0 only in sets of stray signatures */
	uint16_t sigs;      /* RRSIGs that cover type, after the RRs */
	uint8_t rank;       /* enum rank */
	uint8_t security;   /* enum security */
	uint8_t name_len;
	uint8_t name_labels;
	uint32_t offset[];  /* count + sigs offsets from the block's start to {uint16_t length in host order, rdata}; then the name; then those */
};

struct arena;
struct strbuf;

void rrset_free(struct rrset *rs) TAKES(1);
struct rrset *rrset_copy(const struct rrset *rs) OWNED_BY(rrset_free) NONNULL;
struct rrset *rrset_copy_in(struct arena *a, const struct rrset *rs) IN_ARENA NONNULL;
DEFINE_AUTO(struct rrset, rrset_free)

/* Makes one in an arena. rdata: count spans, then sigs spans. Duplicates are removed (RFC 2181 section 5). NULL: arena full. */
struct rrset *rrset_make_in(struct arena *a, struct name owner, uint16_t type, uint16_t rclass, uint32_t ttl, const struct span *rdata,
    size_t count, size_t sigs) IN_ARENA;
/* The same, when it is known that there are no duplicates (msg.c). */
struct rrset *rrset_make_unique_in(struct arena *a, struct name owner, uint16_t type, uint16_t rclass, uint32_t ttl, const struct span *rdata,
    size_t count, size_t sigs) IN_ARENA;
/* The same set under another owner name (wildcard expansion, DNAME synthesis) or TTL. */
struct rrset *rrset_renamed_in(struct arena *a, const struct rrset *rs, struct name owner) IN_ARENA NONNULL;

static inline struct name rrset_name(const struct rrset *rs)
{
	return (struct name){ (const uint8_t *)&rs->offset[(size_t)rs->count + rs->sigs], rs->name_len, rs->name_labels };
}
static inline struct span rrset_item_(const struct rrset *rs, size_t i)
{
	const uint8_t *p = (const uint8_t *)rs + rs->offset[i];
	uint16_t n;

	memcpy(&n, p, sizeof n);
	return (struct span){ p + sizeof n, n };
}
static inline struct span rrset_rdata(const struct rrset *rs, size_t i) /* i < count */
{
	return rrset_item_(rs, i);
}
static inline struct span rrset_sig(const struct rrset *rs, size_t i) /* i < sigs: rdata of the RRSIG */
{
	return rrset_item_(rs, (size_t)rs->count + i);
}
/* The name that the rdata of a NS, CNAME, DNAME, PTR, or (after its fixed part) MX, SRV, ... RR holds: false for other types. */
bool rrset_target(const struct rrset *rs, size_t i, struct name *ret) NONNULL;
bool rrset_same_data(const struct rrset *a, const struct rrset *b) NONNULL; /* same RRs in any order; TTL and signatures do not count */
/* Checks a block that came from a file: every offset and length inside, rdata well-formed. */
RESULT rrset_check_block(struct span block); /* ERR_FORMAT */
/* One line per RR: "owner TTL class type rdata\n". */
void rrset_print(const struct rrset *rs, uint32_t ttl, struct strbuf *out) NONNULL; /* signatures after the RRs */

#endif
