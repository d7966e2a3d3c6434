/*
 * rdata.h: what the rdata of each type looks like, as one table of fields per type: read from a message (checked, decompressed), from and to
 * text, in canonical form. Types that are not in it are opaque (RFC 3597).
 */
#ifndef DNS_RDATA_H
#define DNS_RDATA_H

#include "dns/name.h"
#include "dns/rrtype.h"

struct strbuf;

/* Reads len octets of rdata at msg's position (its base is the message's first octet), checks them against the type's format and writes them
 * uncompressed. ERR_FORMAT: not of that format; names are decompressed only in types of RFC 1035 and those RFC 3597 section 4 lists. */
RESULT rdata_read(struct reader *msg, uint16_t type, uint16_t len, struct writer *out) NONNULL;
/* The same with a budget of compression pointers that many names share (name_read_budget). */
RESULT rdata_read_budget(struct reader *msg, uint16_t type, uint16_t len, unsigned int *hops, struct writer *out) NONNULL;
/* Whether uncompressed rdata is well-formed. */
RESULT rdata_check(uint16_t type, struct span rdata); /* ERR_FORMAT: no */
/* Writes rdata into a message, names compressed where RFC 1035 types allow (see build.h for the table of names). */
struct builder;
void rdata_write(struct builder *b, uint16_t type, struct span rdata) NONNULL;
/* Canonical form of RFC 4034 section 6.2 (names lower-cased in the types of RFC 6840 section 5.1). Same length; out holds rdata.n octets. */
void rdata_canonical(uint16_t type, struct span rdata, uint8_t *out) NONNULL;
/* Order and equality of canonical forms (RFC 4034 section 6.3), and a hash that is equal for equal ones. Both rdata have been checked. */
int rdata_compare(uint16_t type, struct span a, struct span b);
uint64_t rdata_hash(const struct hash_key *key, uint16_t type, struct span rdata) NONNULL;

/* Where the names stand that the canonical form lower-cases. */
#define RDATA_NAMES 2
struct rdata_name {
	uint16_t at;
	uint8_t len;
	uint8_t labels;
	bool compress; /* of a type of RFC 1035 */
};
/* Their number. The rdata has been checked. */
unsigned int rdata_names(uint16_t type, struct span rdata, struct rdata_name ret[RDATA_NAMES]);

/* Text as zone files have it: "\# n hex" for opaque types, and for what the type's own form cannot express. Everything that could
 * forge a line is escaped. */
void rdata_print(uint16_t type, struct span rdata, struct strbuf *out) NONNULL;
/* From presentation form: the words after the type, up to end of text. Also "\# n hex" for every type. msg names what was expected. */
RESULT rdata_parse(uint16_t type, const char *text, const struct name *origin, struct writer *out, const char **ret_msg);

#endif
