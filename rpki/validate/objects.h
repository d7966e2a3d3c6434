/*
 * objects.h: where validation gets objects from. Two kinds exist: a tree of files as rsync lays it out (tree.h), and the store (later). A reader is one thread's own view; what it finds
 * stays as it is until the reader is closed.
 */
#ifndef RPKI_VALIDATE_OBJECTS_H
#define RPKI_VALIDATE_OBJECTS_H

#include "base/cursor.h"
#include "base/own.h"

struct arena;
struct objects;
struct objects_reader;

#define OBJECT_HASH 32  /* octets of a SHA-256 */
#define OBJECT_STATE 24 /* octets of a mark; all zeros: unknown */

struct objects_ops {
	RESULT (*open)(const struct objects *o, struct objects_reader **ret_reader);
	void (*close)(struct objects_reader *r);
	/* What the repository with this notification URI (n 0: rsync alone) has at an rsync URI. The octets have the hash. ERR_NOTFOUND: nothing; ERR_LIMIT: more than max octets. */
	RESULT (*find)(struct objects_reader *r, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH]);
	/* A trust anchor's certificate at one of its URIs, https or rsync. */
	RESULT (*anchor)(struct objects_reader *r, struct span uri, size_t max, struct arena *a, struct span *ret);
	/* What was kept under this key by an earlier run, as long as the reader. ERR_NOTFOUND. */
	RESULT (*recall)(struct objects_reader *r, struct span key, struct span *ret);
	/* An object that is there, whoever publishes it or has published it. ERR_NOTFOUND. */
	RESULT (*by_hash)(struct objects_reader *r, const uint8_t hash[OBJECT_HASH], size_t max, struct span *ret);
	/* The two below are NULL where nothing can be remembered. */
	/* A mark of all that find() looks at for this notification URI and rsync URIs of base's module: as long as it is the same, find() gives the same. */
	RESULT (*state)(struct objects_reader *r, struct span notify, struct span base, uint8_t ret[OBJECT_STATE]);
	/* The hash of what find() looks for, by the SHA-256 of its URI, which is in base's module. ERR_NOTFOUND: nothing. */
	RESULT (*hash_at)(struct objects_reader *r, struct span notify, struct span base, const uint8_t uri[OBJECT_HASH], uint8_t ret_hash[OBJECT_HASH]);
};

/* The first field of each kind's own struct. */
struct objects {
	const struct objects_ops *ops SHARED_FIELD;
};
struct objects_reader {
	const struct objects_ops *ops SHARED_FIELD;
};

/* Called by one thread at a time. */
struct objects_keeper {
	/* Keeps a value for later runs, and the objects (count hashes) that it names; no value and no objects: no longer. */
	RESULT (*keep)(struct objects_keeper *k, struct span key, struct span value, const uint8_t *hashes, size_t count);
	/* What is kept under this key counts in this run. NULL: nobody wants to know. */
	RESULT (*used)(struct objects_keeper *k, struct span key);
};

static inline void objects_close(struct objects_reader *r) TAKES(1);
static inline void objects_close(struct objects_reader *r)
{
	if (r != NULL)
		r->ops->close(r); /* which takes it */
}
DEFINE_AUTO(struct objects_reader, objects_close)

#endif
