/*
 * remember.h: what was found out about a publication point, as octets for a note, and when it may be used again instead of looking (docs/decisions/0013). The note's key is a hash of all that
 * the verdict depends on before anything is looked at: program, limits, the CA's certificate, its effective resources, its place. The note says what else it was based on: what was found
 * at each URI, the last good state (RFC 9286 section 6.6), and the time between two changes. Only rpki/validate sees it.
 */
#ifndef RPKI_VALIDATE_REMEMBER_H
#define RPKI_VALIDATE_REMEMBER_H

#include "base/strbuf.h"
#include "rpki/validate/point.h"

#define REMEMBER_KEY (1u + OBJECT_HASH)
#define REMEMBER_LETTER 'v'          /* the first octet of such keys */
#define REMEMBER_PAIR (2u * OBJECT_HASH) /* octets of what was seen at a URI */
#define REMEMBER_MAX (64u << 20)     /* octets of a note; what would need more is not remembered */

/* Sets c->identity, once. */
void remember_identify(const struct validate_limits *l, struct ca *c) NONNULL;

/* The verdict may be another before this time than after it. */
void remember_change(struct point *p, int64_t at) NONNULL;
/* The same for both ends of a validity, which belong to it. */
void remember_validity(struct point *p, int64_t not_before, int64_t not_after) NONNULL;
/* What was found at a URI; NULL: nothing. The manifest's comes first. */
RESULT remember_seen(struct point *p, struct span uri, const uint8_t *hash) __attribute__((nonnull(1)));

/* Fills p with what is remembered, when that holds; when not, p->known with what may hold of it. good: the note of the last good state, as it is now. */
RESULT remember_recall(struct point *p, struct span good, bool *ret_known) NONNULL;
/* An object of the publication point as it was when the note was made, and valid. Everything else that this depended on is as it was, but the time and its certificate's revocation. */
struct known {
	const uint8_t *hash BORROWED_FIELD;
	enum counted kind;
	struct span uri, serial;
	int64_t not_before, not_after;
	struct span octets;           /* in the note */
};
/* Sets p->known from a note's found. ERR_NOMEM. */
RESULT remember_know(struct point *p, struct span found) NONNULL;
const struct known *remember_find(const struct point *p, const uint8_t hash[OBJECT_HASH], struct span uri) BORROWED NONNULL; /* NULL: it is not known */
/* Gives p what such an object gave; a CA to *ret_child, which has no place yet. ERR_NOMEM; ERR_FORMAT: p is as it was, and the object is to be looked at. */
RESULT remember_reuse(struct point *p, const struct known *k, struct ca **ret_child) NONNULL;

/* Makes p's note. good: as it will be after this run. */
RESULT remember_make(struct point *p, struct span good) NONNULL;

/* The two halves of a note, for the sweep and the tests. */
struct remembered {
	int64_t from, until;  /* it holds from the one until before the other */
	struct span states;   /* 2 of OBJECT_STATE: of the manifest's and of the other files' source */
	struct span good;
	struct span seen;     /* pairs of hashes: of a URI, and of what was there or zeros */
	struct span found;    /* for remember_take() */
};
/* ERR_FORMAT: no such note, or its octets are not what they were. */
RESULT remember_open(struct span note, struct remembered *ret) NONNULL;
/* ERR_FORMAT: not what remember_make() writes; p is as far as it came then, and to be thrown away. */
RESULT remember_take(struct span found, struct point *p) NONNULL;
/* The octets of p for remember_take(), behind what out has. */
void remember_write(const struct point *p, struct strbuf *out) NONNULL;
/* Against bits that flip, not against people: who can write to the store needs no such way. */
uint64_t remember_sum(struct span s);
/* The end of a note: a sum of all that it has so far. */
void remember_seal(struct strbuf *note) NONNULL;

#endif
