/*
 * name.h: domain names in wire form, uncompressed, case kept. A struct name is a view (it borrows its octets); a struct name_buf holds
 * one. Comparison and hashing ignore ASCII case (RFC 4343). A name that exists as either has passed the checks: at most 255 octets,
 * labels of 1 to 63, ending with the root label (RFC 1035 section 3.1).
 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/cursor.h"
#include "base/hash.h"
#include "base/own.h"

#define NAME_MAX_OCTETS 255
#define NAME_MAX_LABELS 127
#define NAME_TEXT 1025 /* room for the longest name as text, with escapes and final NUL */

struct arena;

struct name {
	const uint8_t *wire BORROWED_FIELD;
	uint8_t len;    /* 1..255, with the root label */
	uint8_t labels; /* without the root label: 0 for "." */
};

struct name_buf {
	uint8_t len;
	uint8_t labels;
	uint8_t b[NAME_MAX_OCTETS];
};

extern const struct name name_root;

static inline struct name name_of(const struct name_buf *nb)
{
	return (struct name){ nb->b, nb->len, nb->labels };
}

/* Checks an uncompressed name at the start of s; s may be longer. */
RESULT name_from_wire(struct span s, struct name *ret) NONNULL;
/* Reads a name, following compression pointers (backwards only, RFC 1035 section 4.1.4), from a reader whose base is the message's first
 * octet, and leaves the reader behind it. Linear in the length of the name. */
RESULT name_read(struct reader *msg, struct name_buf *ret) NONNULL;
/* The same with a budget of hops that many names share: *hops shrinks by each pointer followed; ERR_FORMAT when it is spent. */
RESULT name_read_budget(struct reader *msg, unsigned int *hops, struct name_buf *ret) NONNULL;
/* Leaves the reader behind a name; the target of a pointer is not looked at. */
RESULT name_skip(struct reader *msg) NONNULL;

/* Presentation form (RFC 1035 section 5.1): \DDD and \X escapes; a relative name is completed by origin (NULL: the root). */
RESULT name_from_text(const char *text, const struct name *origin, struct name_buf *ret);
RESULT name_from_text_n(const char *text, size_t n, const struct name *origin, struct name_buf *ret);
char *name_to_text(struct name n, char buf[NAME_TEXT]) BORROWED; /* with the final dot; every octet but letters, digits, '-', '_', '*', '/' ... escaped as needed */

void name_copy(struct name_buf *to, struct name n) NONNULL;
struct name name_dup_in(struct arena *a, struct name n) NONNULL; /* .wire is NULL when the arena is full */
void name_lower(struct name_buf *nb) NONNULL;                    /* canonical form, RFC 4034 section 6.2 */

bool name_equal(struct name a, struct name b);                   /* without case */
bool name_equal_case(struct name a, struct name b);              /* octet by octet: 0x20 */
bool name_is_root(struct name n);
bool name_is_under(struct name n, struct name top);              /* equal or below */
bool name_is_strictly_under(struct name n, struct name top);
struct name name_strip(struct name n, unsigned int labels);      /* without its first labels; all of them and more give the root */
static inline struct name name_parent(struct name n) { return name_strip(n, 1); }
/* The name of the last `labels` labels of n (0: the root). */
struct name name_suffix(struct name n, unsigned int labels);
unsigned int name_common_labels(struct name a, struct name b);
int name_compare(struct name a, struct name b);                  /* canonical order, RFC 4034 section 6.1 */
bool name_is_wildcard(struct name n);                            /* first label is "*" */
/* ERR_SPACE when the result would be too long: YXDOMAIN (RFC 6672 section 2.2). */
RESULT name_concat(struct name prefix_labels, unsigned int labels, struct name suffix, struct name_buf *ret) NONNULL; /* first `labels` labels of prefix_labels, then suffix (DNAME) */
struct span name_label(struct name n, unsigned int i);           /* i-th label without its length octet; empty past the last */

uint64_t name_hash(const struct hash_key *k, struct name n) NONNULL; /* without case */
/* Lower-cases n octets into out (for hash keys built in place). */
void octets_lower(uint8_t *out, const uint8_t *in, size_t n) NONNULL; /* out may be in */
bool octets_equal_nocase(const uint8_t *a, const uint8_t *b, size_t n) NONNULL;
/* Reads what follows a backslash at *p (RFC 1035 section 5.1): DDD or one character. false: cut off, or a number above 255. */
bool text_unescape(const char **p, const char *end, uint8_t *ret) NONNULL;

#endif
