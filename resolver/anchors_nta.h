/*
 * anchors_nta.h: negative trust anchors (RFC 7646) while the daemon runs: set by the operator, ended by time, by the operator or because the zone validates again; kept in a file over
 * restarts. validator/anchors.h has the set that is validated by; this is its bookkeeping, on the main loop.
 */
#ifndef RESOLVER_ANCHORS_NTA_H
#define RESOLVER_ANCHORS_NTA_H

#include "validator/anchors.h"

struct strbuf;

#define NTA_FILE "negative-anchors" /* in state-directory: */
#define NTA_FILE_MAX (4u << 20)

struct negative {
	struct name_buf name;
	int64_t until;   /* wall time */
	int64_t recheck; /* wall time of the next; 0: never */
	bool force;      /* it stays though the zone validates again */
	bool asking;     /* a recheck is under way */
	uint16_t number; /* of that recheck */
};
struct negatives {
	struct negative *list OWNED_FIELD;
	size_t n;
};
void negatives_done(struct negatives *n) NONNULL;
/* Sets or renews. ERR_RANGE: lifetime is not in 1..NTA_LIFETIME_MAX; ERR_LIMIT: there are NTA_MAX others; ERR_NOMEM. */
RESULT negatives_set(struct negatives *n, struct name name, uint32_t lifetime, bool force, int64_t wall, uint32_t recheck_sec) NONNULL;
struct negative *negatives_find(struct negatives *n, struct name name) BORROWED NONNULL; /* NULL: none */
bool negatives_remove(struct negatives *n, struct name name) NONNULL;
/* The first that has ended. false: none has. */
bool negatives_ended(const struct negatives *n, int64_t wall, struct name_buf *ret) NONNULL;
/* The set to validate by, without one name when `but` is not NULL. ERR_NOMEM. */
RESULT negatives_make(const struct negatives *n, const struct name *but, int64_t wall, struct ntas **ret) __attribute__((nonnull(1, 4)));

/* The file's content: "NAME UNTIL recheck|force" a line. What has ended is not read; lines that are damaged are left out, and said in report. ERR_NOMEM. */
RESULT negatives_read(struct negatives *n, const char *where, struct span text, int64_t wall, uint32_t recheck_sec, struct strbuf *report) NONNULL;
void negatives_write(const struct negatives *n, struct strbuf *out) NONNULL;

#endif
