/* store_inside.h: what the files of the store share. Nobody else includes it. */
#ifndef RPKI_STORE_STORE_INSIDE_H
#define RPKI_STORE_STORE_INSIDE_H

#include "base/hash.h"
#include "base/liblmdb.h"
#include "rpki/store/store.h"

/*
 * Databases of the one file:
 *   objects  SHA-256 -> octets
 *   sources  kind, SHA-256 of the URI -> struct record, URI, state
 *   maps     id, generation, SHA-256 of the URI -> hash, URI
 *   notes    key -> number of hashes, hashes, value
 *   meta     "version", "next" (the next source's id)
 * Numbers in keys and records are in network order, so that keys of one map stand together.
 */
#define STORE_VERSION 1u
#define MAP_PREFIX 8u
#define MAP_KEY (MAP_PREFIX + STORE_HASH)
#define SOURCE_KEY (1u + STORE_HASH)
#define RECORD 28u /* id 4, generation 4, next generation 4, commits 8, updated 8 */

struct store {
	MDB_env *env OWNED_FIELD;
	MDB_dbi objects, sources, maps, notes, meta;
	struct store_limits limits;
};

struct store_view {
	struct store *store PARENT_FIELD;
	MDB_txn *txn OWNED_FIELD;
};

/* A source's entry: the fixed fields in their own form. */
struct record {
	uint32_t id, generation, next_generation; /* generation 0: nothing was ever committed */
	uint64_t commits;
	int64_t updated;
};

struct result store_result(int code) __attribute__((warn_unused_result)); /* of LMDB's codes; 0 is DONE */
RESULT store_begin(struct store *s, unsigned int flags, MDB_txn **ret) NONNULL;
MDB_val store_val(const void *p, size_t n);
struct span store_span(MDB_val v);

void store_source_key(enum store_kind kind, struct span uri, uint8_t ret[SOURCE_KEY]) NONNULL;
void store_map_key(uint32_t id, uint32_t generation, struct span uri, uint8_t ret[MAP_KEY]) NONNULL;
void store_map_prefix(uint32_t id, uint32_t generation, uint8_t ret[MAP_PREFIX]) NONNULL;
/* ERR_NOTFOUND: none. ret_uri and ret_state are borrowed from the transaction. */
RESULT store_record_get(struct store *s, MDB_txn *txn, enum store_kind kind, struct span uri, struct record *ret, struct span *ret_state) NONNULL;
RESULT store_record_read(MDB_val v, struct record *ret, struct span *ret_uri, struct span *ret_state) NONNULL;
RESULT store_record_put(struct store *s, MDB_txn *txn, enum store_kind kind, struct span uri, const struct record *r, struct span state) NONNULL;
/* What a map has: the hash, and where it is borrowed from the URI. ERR_NOTFOUND. */
RESULT store_entry_get(struct store *s, MDB_txn *txn, uint32_t id, uint32_t generation, struct span uri, uint8_t ret_hash[STORE_HASH]) NONNULL;
RESULT store_entry_read(MDB_val v, uint8_t ret_hash[STORE_HASH], struct span *ret_uri) NONNULL;
RESULT store_note_read(MDB_val key, MDB_val value, struct store_note *ret) NONNULL;

#endif
