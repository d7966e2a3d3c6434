/*
 * zonefile.h: the one reader of zone files (RFC 1035 section 5, RFC 2308's $TTL, $GENERATE as BIND has it, RFC 3597): root hints, stub data, local-data
 * lines, trust anchors, test zones, later RPZ and transferred lists. Text may be foreign: depth, length and $INCLUDE are the caller's choice.
 */
#ifndef DNS_ZONEFILE_H
#define DNS_ZONEFILE_H

#include "dns/rdata.h"

struct strbuf;

struct zone_rr {
	struct name owner;
	uint16_t type;
	uint16_t rclass;
	uint32_t ttl;
	bool ttl_given;
	struct span rdata;
};
/* Called for each RR; what it gets is good during the call. An error from it ends the reading and is passed on. */
typedef struct result zone_rr_fn(void *user, const struct zone_rr *rr);

#define ZONE_GENERATED 1000000
#define ZONE_INCLUDE_DEPTH 16 /* files within files */

struct zone_read {
	const char *origin_text BORROWED_FIELD; /* names messages: a path */
	struct name origin;
	uint32_t default_ttl;
	uint16_t rclass;
	bool allow_include;   /* relative to include_dir */
	const char *include_dir BORROWED_FIELD;
	size_t max_octets;    /* of all text, with what $INCLUDE reads and $GENERATE makes; 0: 1 GiB */
	uint32_t max_generated; /* RRs that $GENERATE may make in all; 0: ZONE_GENERATED */
	zone_rr_fn *fn;
	void *user BORROWED_FIELD;
};
/* Every error is added to report as "FILE:LINE: found ..., expected ...\n"; ERR_FORMAT when there was one; good RRs are still delivered, also when report
 * is full. ERR_LIMIT: max_octets; ERR_NOMEM; what fn said. An RR's TTL is its own, else $TTL's, else that of the RR before, else default_ttl. */
RESULT zone_read_text(const struct zone_read *z, struct span text, struct strbuf *report) NONNULL;
/* Also ERR_NOTFOUND and ERR_SYSTEM, and reported, when the file cannot be read. */
RESULT zone_read_file(const struct zone_read *z, const char *path, struct strbuf *report) NONNULL;
/* One RR in presentation form ("name [ttl] [class] type rdata"), as local-data: has it. ERR_FORMAT: *ret_msg names
 * what was expected; ERR_SPACE: rdata_room is too small. ret_rr borrows from ret_owner and rdata_room. */
RESULT zone_read_rr(const char *text, struct name origin, uint32_t default_ttl, struct name_buf *ret_owner, struct zone_rr *ret_rr,
    struct writer *rdata_room, const char **ret_msg) NONNULL;

#endif
