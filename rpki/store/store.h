/*
 * store.h: what was fetched, kept in LMDB. Objects lie under their SHA-256, and are checked against it whenever they are read. Each source (an RRDP
 * notification URI, an rsync base URI) has a map of its own from URI to object, so that none speaks for another. What arrives is put in bounded,
 * idempotent batches that may stop anywhere; one small last transaction makes it visible, or nothing does. No name that came over the network becomes
 * the name of a file. One process writes to a store, others may look at it; in each any thread reads by a view of its own, and one thread at a time writes.
 *
 * What the store does not look into: the state of a source (session, serial, tags, hashes of deltas) belongs to rpki/fetch, the value of a note
 * (what was found out about a publication point, its last good manifest) to rpki/validate. A note names the objects that must stay for it.
 *
 * Errors: ERR_NOMEM; ERR_SYSTEM (see errno); ERR_LIMIT: the file may not grow further, or something is too large; ERR_FORMAT: the store is damaged
 * and should be set aside; ERR_RANGE: an argument is out of range. `why`, where there is one, is told the rest.
 */
#ifndef RPKI_STORE_STORE_H
#define RPKI_STORE_STORE_H

#include "base/cursor.h"
#include "base/own.h"

struct strbuf;
struct store;
struct store_view;
struct store_update;

#define STORE_HASH 32 /* octets of a SHA-256 */

struct store_limits {
	uint64_t octets;         /* that the file may have, at least 1 MiB; it is as large as it needs to be */
	uint32_t object_octets;  /* of the largest object */
	uint32_t batch_octets;   /* of objects in one transaction */
	uint32_t changes;        /* that one update by differences may make */
	unsigned int readers;    /* views at once */
	bool only_look;          /* nothing is made nor written, beside the process whose store it is: for commands */
};
struct store_limits store_limits_default(void); /* 16 GiB, 8 MiB, 4 MiB, 100000, 128 */

void store_close(struct store *s) TAKES(1); /* all views and updates have ended */
/* The store in the folder `dir`, which is made when it is not there. ERR_FORMAT: no store of this version, or damaged: nothing was changed. */
RESULT store_open(const char *dir, const struct store_limits *limits, struct strbuf *why, struct store **ret) NONNULL;
DEFINE_AUTO(struct store, store_close)
/* Renames the file of a store that cannot be used, so that the next store_open starts with an empty one: it then ends in ".bad". Done when there was none. */
RESULT store_set_aside(const char *dir) NONNULL;

struct store_usage {
	uint64_t file_octets, used_octets; /* as far as it has ever grown; in use */
	uint64_t objects, sources, entries, notes;
};
RESULT store_usage(struct store *s, struct store_usage *ret) NONNULL;

/* --- sources */

enum store_kind { STORE_RRDP = 'd', STORE_RSYNC = 's', STORE_ANCHOR = 't' /* certificates of trust anchors, by their own URI */ };

struct store_source {
	uint32_t id, generation;           /* of the map that counts */
	int64_t updated;                   /* wall time of its last commit, seconds */
	struct span state BORROWED_FIELD;  /* as long as the view */
	uint64_t commits;                  /* counted: as long as id and this are the same, so is the map */
};

/* --- reading: a view is one state of the whole store, as it was when the view was opened */

void store_view_close(struct store_view *v) TAKES(1);
/* ERR_LIMIT: too many views. A view that stays open keeps what is deleted meanwhile from being used again: minutes, not hours. */
RESULT store_view_open(struct store *s, struct store_view **ret) NONNULL;
DEFINE_AUTO(struct store_view, store_view_close)

RESULT store_source(const struct store_view *v, enum store_kind kind, struct span uri, struct store_source *ret) NONNULL; /* ERR_NOTFOUND */
/* What a source has at a URI. ERR_NOTFOUND. */
RESULT store_find(const struct store_view *v, const struct store_source *src, struct span uri, uint8_t ret_hash[STORE_HASH]) NONNULL;
RESULT store_find_hashed(const struct store_view *v, const struct store_source *src, const uint8_t uri[STORE_HASH], uint8_t ret_hash[STORE_HASH]) NONNULL; /* by the URI's SHA-256 */
/* The object, as long as the view. ERR_NOTFOUND: not there, or its octets are not what they were when it was put: it must be fetched again. */
RESULT store_object(const struct store_view *v, const uint8_t hash[STORE_HASH], struct span *ret) NONNULL;

typedef struct result store_entry_fn(void *ctx, struct span uri, const uint8_t hash[STORE_HASH]);
RESULT store_each(const struct store_view *v, const struct store_source *src, store_entry_fn *fn, void *ctx) __attribute__((nonnull(1, 2, 3)));
typedef struct result store_source_fn(void *ctx, enum store_kind kind, struct span uri, const struct store_source *src);
RESULT store_each_source(const struct store_view *v, store_source_fn *fn, void *ctx) __attribute__((nonnull(1, 2)));

/* --- what a source publishes */

enum store_how {
	STORE_REPLACE, /* all that it has, anew: a snapshot, a run of rsync */
	STORE_CHANGE,  /* differences to what it had */
};

void store_update_free(struct store_update *u) TAKES(1); /* what was not committed is forgotten */
/* Several updates may be under way at once, one for each source. The state of the source is the one of this moment. ERR_NOTFOUND: nothing there to change. */
RESULT store_update_begin(struct store *s, enum store_kind kind, struct span uri, enum store_how how, struct store_update **ret) NONNULL;
DEFINE_AUTO(struct store_update, store_update_free)
/*
 * An object at a URI. By STORE_CHANGE: replaces is the hash of what is there so far, NULL when nothing may be there (RFC 8182 section 3.4.2); ERR_EXISTS:
 * there is, ERR_NOTFOUND: there is not, ERR_REFUSED: it is another. By STORE_REPLACE: replaces is NULL; ERR_EXISTS (from this call or a later one): the URI came twice.
 * ERR_LIMIT: the object, or the number of changes, is too large.
 */
RESULT store_update_publish(struct store_update *u, struct span uri, const uint8_t *replaces, struct span octets) __attribute__((nonnull(1)));
/* Only by STORE_CHANGE. ERR_NOTFOUND, ERR_REFUSED as above. */
RESULT store_update_withdraw(struct store_update *u, struct span uri, const uint8_t hash[STORE_HASH]) NONNULL;
/* Only by STORE_REPLACE: what the source had at this URI stays as it is (a file that rsync did not send again). ERR_NOTFOUND, ERR_EXISTS. */
RESULT store_update_keep(struct store_update *u, struct span uri) NONNULL;
/* Makes it visible, with the source's new state. ERR_REFUSED: another update of the source has been committed since this one began. Only free is left then. */
RESULT store_update_commit(struct store_update *u, struct span state, int64_t now) NONNULL;
/* A new state without any change of what is there (nothing new, but looked for). ERR_NOTFOUND. */
RESULT store_touch(struct store *s, enum store_kind kind, struct span uri, struct span state, int64_t now) NONNULL;
/* Forgets a source, with its map. Done when there was none. */
RESULT store_forget(struct store *s, enum store_kind kind, struct span uri) NONNULL;

/* --- notes */

struct store_note {
	struct span key BORROWED_FIELD;   /* 1 to 500 octets */
	struct span value BORROWED_FIELD;
	const uint8_t *objects BORROWED_FIELD; /* object_count hashes, of objects that stay as long as the note does */
	size_t object_count;
};

RESULT store_note_get(const struct store_view *v, struct span key, struct store_note *ret) NONNULL; /* ERR_NOTFOUND; borrowed as long as the view */
/* In one transaction; a value of no octets and no objects deletes the note. */
RESULT store_notes_put(struct store *s, const struct store_note *notes, size_t n) __attribute__((nonnull(1)));
typedef bool store_note_fn(void *ctx, const struct store_note *note);
/* Deletes the notes that fn does not want to keep. */
RESULT store_notes_sweep(struct store *s, store_note_fn *keep, void *ctx) __attribute__((nonnull(1, 2)));

/* --- garbage */

struct store_collected {
	uint64_t objects, entries; /* that were deleted: objects that nothing names, entries of maps that no longer count */
};
/* Deletes what neither a source's map nor a note names, in bounded transactions. No update is under way: what it has put is not named yet. */
RESULT store_collect(struct store *s, struct store_collected *ret) NONNULL;

#endif
