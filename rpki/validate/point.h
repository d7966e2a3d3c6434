/* point.h: one publication point. Only rpki/validate sees it. */
#ifndef RPKI_VALIDATE_POINT_H
#define RPKI_VALIDATE_POINT_H

#include <stdatomic.h>

#include "base/mem.h"
#include "rpki/object/cert.h"
#include "rpki/validate/validate.h"

#define CA_KEY_ID 20
#define CA_MAX_DEPTH 64

/* All below one member of a registry. */
struct branch {
	atomic_uint_fast32_t holders; /* CAs that point here */
	atomic_uint_fast32_t points;
	uint32_t repositories; /* the gate's, under the run's lock */
};
void branch_unref(struct branch *b) TAKES(1);
DEFINE_AUTO(struct branch, branch_unref)

/*
 * A CA whose certificate is valid, and whose publication point is to be looked at. It lives in its own arena. One that comes from memory is brief: of cert there are notify, manifest,
 * repository, ski, serial and the times alone, and effective only when it is not what the certificate claims; point_validate() reads the rest when it needs it.
 */
struct ca {
	struct ca *next OWNED_FIELD;
	struct arena *arena OWNED_FIELD;
	struct branch *branch OWNED_FIELD; /* NULL near the trust anchor */
	struct cert cert;
	struct resources effective;
	struct span uri;                       /* of the certificate */
	size_t anchor;                         /* which */
	unsigned int depth;                    /* 0: the trust anchor's own */
	uint8_t (*above)[CA_KEY_ID] ARENA_FIELD; /* key identifiers of all CAs up to the trust anchor: depth of them */
	int64_t chain_not_before, chain_not_after, stale;
	bool brief;
	bool as_claimed;                       /* effective is what the certificate claims: nothing was inherited or trimmed */
	bool identified;
	uint8_t hash[OBJECT_HASH];             /* of the certificate */
	uint8_t identity[OBJECT_HASH];         /* remember.h */
	uint8_t by[OBJECT_HASH];               /* brief: the identity of its issuer */
};
void ca_free(struct ca *c) TAKES(1); /* this one, not the next */
DEFINE_AUTO(struct ca, ca_free)
/* A certificate's octets, copied and read. ERR_FORMAT: a rule is broken. */
RESULT ca_new(struct span octets, enum cert_kind kind, struct span uri, struct report *rep, struct ca **ret) NONNULL;
struct ca *ca_brief(void) OWNED_BY(ca_free); /* with nothing in it; NULL: out of memory */
/* What a brief one has, copied: `to` is brief then. ERR_NOMEM. */
RESULT ca_copy_brief(struct ca *to, const struct ca *c) NONNULL;
/* The effective resources become c's own: what was inherited lies with the issuer, which goes before c does. ERR_NOMEM. */
RESULT ca_keep_resources(struct ca *c, const struct resources *effective) NONNULL;
bool ca_is_above(const struct ca *c, struct span ski) NONNULL; /* c or one of those above it has that key */
/* The validity of all up to the trust anchor, and this one below `by`. */
void ca_chain_after(int64_t *ret_not_before, int64_t *ret_not_after, const struct ca *by, int64_t not_before, int64_t not_after) NONNULL;

/* An object that is valid, and no CA. */
struct item {
	struct item *next ARENA_FIELD;
	enum counted kind;
	struct span uri;
	const uint8_t *hash ARENA_FIELD;
	struct span serial;              /* of its own certificate, as its times */
	int64_t not_before, not_after;
};

/* A product, as it waits for the end of its point. Those of one item stand together. */
struct product {
	struct product *next ARENA_FIELD;
	const struct item *item ARENA_FIELD;
	struct origin origin;
	uint32_t as;                     /* ROA; router key; ASPA: the customer */
	struct span what;                /* ROA: the address blocks; router key: its SPKI */
	struct span ski;
	const uint32_t *list ARENA_FIELD; /* ASPA: providers */
	size_t n;
	size_t prefixes;                 /* ROA */
};

struct refusal {
	struct refusal *next ARENA_FIELD;
	struct span uri;
	const char *why ARENA_FIELD;
};

struct known;
struct manifest_file;
struct seen;
struct point {
	const struct validate_options *options BORROWED_FIELD;
	struct objects_reader *reader BORROWED_FIELD;
	struct ca *ca BORROWED_FIELD;
	struct arena *arena BORROWED_FIELD;      /* for all of the point; what is told of it lies here or in the reader's octets */
	struct item *items ARENA_FIELD;
	struct product *products ARENA_FIELD; /* in the order of their items */
	struct refusal *refusals ARENA_FIELD;
	struct ca *children OWNED_FIELD;
	size_t child_count;
	uint64_t payloads;
	int64_t stale;                           /* when the first manifest or CRL down to here ends */
	uint64_t valid[COUNTED], invalid[COUNTED];
	bool wanting[WANTINGS];
	uint64_t limits;
	bool failed;                             /* nothing of it counts */
	bool by_hash;                            /* its last good state is looked at, not what is published */
	bool kept;                               /* ... and counts */
	/* What is to be kept of it for later runs; value.n 0: nothing that is not known. */
	struct span good_key, good_value;
	const uint8_t *good_hashes ARENA_FIELD;
	size_t good_count;
	/* What it was based on (remember.h). */
	bool remembers;                          /* this run does */
	bool remembered;                         /* nothing was looked at */
	bool unsure;                             /* on something else, too, that no note tells */
	int64_t from, until;                     /* the time between two changes */
	int64_t own_stale;                       /* as stale, without what is above */
	struct known *known ARENA_FIELD;         /* what is remembered of its objects: sorted by hash */
	size_t known_count;
	struct seen *seen ARENA_FIELD, *seen_last ARENA_FIELD;
	size_t seen_count;
	struct span note_key, note_value;        /* note_value.n 0: nothing new */
	bool note_gone;                          /* the note under note_key is of no use */
};

/* Fills x->origin, by its item and all above it. */
void product_origin(const struct point *p, struct product *x) NONNULL;

/* A CA's place below its issuer: in the tree, and in the count of all below one member of a registry (*ret_room false: that is full). ERR_NOMEM. */
RESULT child_below(struct ca *c, const struct ca *by, int64_t stale) NONNULL;
RESULT child_join(struct point *p, struct ca *c, bool *ret_room) NONNULL;
#define CHILD_NO_ROOM "more publication points below one CA than allowed"
RESULT child_add(struct point *p, struct ca *given, const char **ret_why) TAKES(2) NONNULL; /* *ret_why is set when it may not be */

/* --- what stands in its files (take.c) */

struct point_file {
	struct span uri, octets;
	const uint8_t *hash ARENA_FIELD;   /* as the manifest has it */
	const struct known *known ARENA_FIELD; /* not NULL: it is as it is remembered, and octets are not there */
};

/* Each object by itself; what is wrong with it is a refusal. ERR_NOMEM. */
RESULT point_take(struct point *p, const struct manifest_file *m, const struct point_file *f, const struct issuer *by) NONNULL;
RESULT point_refuse_text(struct point *p, struct span uri, const char *why) NONNULL;
RESULT point_refuse(struct point *p, struct span uri, const struct report *rep) NONNULL; /* for the first rule that is broken */
/* ERR_FORMAT of the readers and checkers is a verdict, any other error is one. */
static inline RESULT point_verdict(struct result r, bool *ret_good)
{
	*ret_good = OK(r);
	return r.e == ERR_FORMAT || r.e == ERR_UNSUPPORTED ? DONE : r;
}

/* The note of a last good state: hash of the manifest, nextUpdate, thisUpdate, whether nothing was refused, and its number. */
#define GOOD_LETTER 'G'               /* the first octet of the key */
#define GOOD_HEAD (OBJECT_HASH + 17u)

/* Looks at the publication point of p->ca. Its children are p->children. ERR_NOMEM, ERR_SYSTEM; what is wrong with objects is in p. */
RESULT point_validate(struct point *p) NONNULL;
/* Gives the keeper, if there is one, what is to be kept of it. By one thread at a time. */
RESULT point_keep(const struct point *p) NONNULL;

#endif
