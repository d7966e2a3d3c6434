/*
 * snapshot.h: the RRset cache on disk, so that it survives a restart. Written beside the old one, synced, renamed; carries a
 * version, wall times and the digest of the trust anchors. Read in slices so that a large one does not hold up answers; every
 * block is checked; a file that is damaged or cut short is used up to the damage and the rest said to be lost. Where anchors
 * differ, records are loaded as unchecked. Failures and what is bogus are not kept. TTLs have aged by the wall clock, which
 * counts as having stood still when it went backwards. The format is in snapshot_format.h.
 */
#ifndef RESOLVER_CACHE_SNAPSHOT_H
#define RESOLVER_CACHE_SNAPSHOT_H

#include "base/clock.h"
#include "base/own.h"

struct rrcache;
struct epoch_member;
struct snapshot_writer;
struct snapshot_reader;

struct snapshot_result {
	uint64_t written_or_read, expired; /* bundles; expired ones were left out */
	uint64_t damaged;                  /* places of damage; what follows a checksum that is wrong counts as one */
	uint64_t known;                    /* left out because the cache knew better already, or had no room */
	bool anchors_differ;
	const char *note BORROWED_FIELD;   /* static text: what happened to the file */
};

void snapshot_writer_free(struct snapshot_writer *w) TAKES(1); /* unfinished: the temporary file is removed */
/* Makes PATH.new with mode 0600. ERR_EXISTS: another writer is at work on it. ERR_SYSTEM (see errno), ERR_NOMEM. */
RESULT snapshot_write_open(const char *path, const uint8_t anchors_digest[32], struct snapshot_writer **ret_writer) NONNULL;
/* One step writes at most `slots` slots; returns DONE with *ret_finished true after the rename. After an error only free is left.
 * An error means that the old file is still there, and nothing beside it once w is freed. The last step syncs, which blocks.
 * *ret_result tells of all steps so far. The caller's epoch member is online. */
RESULT snapshot_write_step(struct snapshot_writer *w, struct rrcache *c, const struct now *now, size_t slots, bool *ret_finished,
    struct snapshot_result *ret_result) NONNULL;
DEFINE_AUTO(struct snapshot_writer, snapshot_writer_free)
/* Removes the PATH.new of a writer that was killed. True: there was one. That of a writer at work is left alone. */
bool snapshot_clear_leftover(const char *path) NONNULL;

void snapshot_reader_free(struct snapshot_reader *r) TAKES(1);
/* ERR_NOTFOUND: no file. ERR_FORMAT: not a snapshot or of another version (set aside by the caller, who says so). */
RESULT snapshot_read_open(const char *path, const uint8_t anchors_digest[32], struct snapshot_reader **ret_reader) NONNULL;
/* One step reads at most `entries` bundles. Damage is no error: it ends the reading and is in *ret_result. */
RESULT snapshot_read_step(struct snapshot_reader *r, struct rrcache *c, struct epoch_member *m, const struct now *now, size_t entries,
    bool *ret_finished, struct snapshot_result *ret_result) NONNULL;
DEFINE_AUTO(struct snapshot_reader, snapshot_reader_free)

#endif
