/*
 * build.h: messages composed straight into the send buffer. Owner names and those in rdata of RFC 1035 types are compressed (case-insensitive match,
 * offsets below 16384; the table of names is on the stack of the caller, no allocation). An RRset that does not fit is taken back whole and the
 * caller told: truncation happens at RR (here: RRset) boundaries (RFC 2181 section 9).
 */
#ifndef DNS_BUILD_H
#define DNS_BUILD_H

#include "dns/msg.h"

#define BUILD_NAMES 256 /* labels remembered; names of later ones go uncompressed, which is correct and rare */

/*
 * The table of names: one entry per label written uncompressed, found by its label and the entry of the name above it (a trie in a hash table of four-way
 * buckets). Finding the longest known suffix of a name so costs at most four comparisons a label, whoever chose the names.
 */
struct builder {
	struct writer w;
	size_t limit;          /* octets that the message may have, with room kept for OPT */
	size_t reserved;       /* octets kept for what is written last (OPT) */
	uint16_t counts[4];    /* QD, AN, NS, AR */
	uint16_t names;        /* used of offset[] */
	uint16_t opt_at;       /* where the OPT's rdata length stands; 0: no OPT is open */
	uint16_t offset[BUILD_NAMES]; /* of the label in the message */
	uint16_t parent[BUILD_NAMES]; /* offset of the label behind it; 0: the root */
	uint8_t tag[BUILD_NAMES];     /* bits of the hash, to skip most comparisons; 0: free */
};

enum msg_part { PART_ANSWER = 1, PART_AUTHORITY = 2, PART_ADDITIONAL = 3 };

/* Starts a message in buf of cap octets, at most limit of them used; reserve is kept free for build_edns_*(). Writes the header, whose counts
 * build_finish() puts in. Sections are built in their order. */
void build_start(struct builder *b, uint8_t *buf, size_t cap, size_t limit, size_t reserve, uint16_t id, uint16_t flags) NONNULL;
void build_question(struct builder *b, const struct question *q) NONNULL;
/* A name, compressed against what stands before when compress is true, remembered for later. */
void build_name(struct builder *b, struct name n, bool compress) NONNULL;
/* All RRs, starting with number `first` (rotation), then, when with_sigs, the signatures. false: it did not fit and nothing was written. */
bool build_rrset(struct builder *b, enum msg_part part, const struct rrset *rs, uint32_t ttl, bool with_sigs, unsigned int first) NONNULL;
/* Places where TTLs stand, for copy-and-patch: the offset of each TTL of a finished message (OPT left out). ERR_FORMAT: no message; ERR_SPACE: more
 * than max. */
RESULT msg_ttl_offsets(struct span message, uint16_t *offsets, size_t max, size_t *ret_count)
    __attribute__((nonnull(2, 4)));

/* The OPT RR: options are written with edns_out_*. size: our UDP payload size; rcode: the full 12 bits (header's part is set as well). */
struct edns_out {
	uint16_t udp_size;
	uint16_t rcode;
	bool dnssec_ok;
	bool compact_ok;
};
void build_edns_start(struct builder *b, const struct edns_out *e) NONNULL; /* the reserve is given free */
/* false and nothing written when the option does not fit. */
bool build_edns_option(struct builder *b, uint16_t code, struct span data) NONNULL;
bool build_edns_error(struct builder *b, uint16_t code, const char *text); /* RFC 8914; text may be NULL; cut at max_text octets by the caller */
void build_edns_pad(struct builder *b, unsigned int block) NONNULL;            /* RFC 8467: to a multiple of block (0: none), as far as the limit allows, as the last option */
void build_edns_end(struct builder *b) NONNULL;

void build_set_flags(struct builder *b, uint16_t set, uint16_t clear) NONNULL;
void build_set_rcode(struct builder *b, unsigned int rcode) NONNULL; /* header's four bits */
/* Writes the counts. The length of the message; 0 when it did not fit at all. */
size_t build_finish(struct builder *b) NONNULL;

#endif
