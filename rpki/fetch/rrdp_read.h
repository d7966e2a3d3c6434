/*
 * rrdp_read.h: the three files of the RPKI Repository Delta Protocol (RFC 8182 section 3.5), read as they come. Everything in them is foreign: a document type is
 * refused at its declaration, each token, name, object and count has a limit, and an attribute or element that the schema does not have ends it. In a snapshot or
 * a delta each element is told to a sink when it is complete; what a file says counts only when rrdp_read_end() was done, so the sink must be able to forget.
 */
#ifndef RPKI_FETCH_RRDP_READ_H
#define RPKI_FETCH_RRDP_READ_H

#include "base/cursor.h"

struct strbuf;

#define RRDP_HASH 32    /* octets of a SHA-256 */
#define RRDP_SESSION 36 /* characters of a UUID */
#define RRDP_URI_MAX 2048u

enum rrdp_file { RRDP_NOTIFICATION, RRDP_SNAPSHOT, RRDP_DELTA };

struct rrdp_limits {
	uint64_t notification_octets; /* of each kind of file */
	uint64_t snapshot_octets;
	uint64_t delta_octets;
	uint32_t object_octets;       /* a larger object is left out, and counted */
	uint32_t elements;            /* of publish and withdraw in a file */
	uint32_t list;                /* deltas in a notification; of more none is used */
	uint32_t deltas;              /* that are applied; for more than these the snapshot is taken */
	uint32_t token_octets;        /* between two events of the XML parser: a tag, a comment */
};
struct rrdp_limits rrdp_limits_default(void); /* 16 MiB, 2 GiB, 1 GiB, 8 MiB, 10000000, 10000, 300, 64 KiB */

struct rrdp_delta_ref {
	uint64_t serial;
	uint8_t hash[RRDP_HASH];
	char *uri OWNED_FIELD; /* NULL in what is remembered */
};

struct rrdp_notification {
	char session[RRDP_SESSION + 1]; /* in small letters */
	uint64_t serial;
	char *snapshot OWNED_FIELD; /* its URI */
	uint8_t snapshot_hash[RRDP_HASH];
	struct rrdp_delta_ref *deltas OWNED_FIELD; /* by rising serial */
	size_t count;
	bool gaps;     /* the deltas are no row without gaps up to `serial`, or too many: none may be used */
};
void rrdp_notification_free(struct rrdp_notification *n) TAKES(1);
DEFINE_AUTO(struct rrdp_notification, rrdp_notification_free)

/* What hears a snapshot or delta. An error ends the reading. Spans are good during the call. */
struct rrdp_sink {
	void *ctx BORROWED_FIELD;
	/* replaces: the hash of what is there so far (deltas only), or NULL */
	struct result (*publish)(void *ctx, struct span uri, const uint8_t *replaces, struct span octets);
	struct result (*withdraw)(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH]);
};

/* What a snapshot or delta must be of. */
struct rrdp_expected {
	const char *session BORROWED_FIELD;
	uint64_t serial;
};

struct rrdp_counts {
	uint64_t published, withdrawn;
	uint64_t too_large; /* objects left out */
};

struct rrdp_reader;

void rrdp_reader_free(struct rrdp_reader *r) TAKES(1);
/* expected and sink are for snapshots and deltas, NULL for a notification; both are borrowed for the reader's life, as is why, which is told of a refusal. NULL: out of
 * memory. */
struct rrdp_reader *rrdp_reader_new(enum rrdp_file kind, const struct rrdp_limits *limits, const struct rrdp_expected *expected, const struct rrdp_sink *sink,
	struct strbuf *why) OWNED_BY(rrdp_reader_free);
DEFINE_AUTO(struct rrdp_reader, rrdp_reader_free)
/* ERR_FORMAT: not of the form; ERR_LIMIT: too large; ERR_REFUSED: of another session or serial; ERR_NOMEM; or what the sink said. */
RESULT rrdp_read(struct rrdp_reader *r, struct span octets, bool last) NONNULL;
const struct rrdp_counts *rrdp_counts(const struct rrdp_reader *r) BORROWED NONNULL;
/* What a notification said, once; after rrdp_read with last was done. */
struct rrdp_notification *rrdp_reader_take(struct rrdp_reader *r) OWNED_BY(rrdp_notification_free) NONNULL;

#endif
