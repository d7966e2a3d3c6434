/*
 * snapshot.h: the RRset cache on disk, so that it survives a restart. Written beside the old one, synced, renamed; carries a version, wall times and the
 * digest of the trust anchors. Read in slices so that a large one does not hold up answers; every block is checked; a file that is damaged or cut short is
 * used up to the damage and the rest said to be lost. Where anchors differ, records are loaded as unchecked.
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
	uint64_t written_or_read, expired, damaged;
	const char *note BORROWED_FIELD; /* static text: what happened to the file */
};

/* One step writes at most `slots` slots; returns DONE with *ret_finished true after the rename. */
void snapshot_writer_free(struct snapshot_writer *w) TAKES(1); /* unfinished: the temporary file is removed */
RESULT snapshot_write_open(const char *path, const uint8_t anchors_digest[32], struct snapshot_writer **ret_writer) NONNULL;
RESULT snapshot_write_step(struct snapshot_writer *w, struct rrcache *c, const struct now *now, size_t slots, bool *ret_finished,
    struct snapshot_result *ret_result) NONNULL;
DEFINE_AUTO(struct snapshot_writer, snapshot_writer_free)

void snapshot_reader_free(struct snapshot_reader *r) TAKES(1);
/* ERR_NOTFOUND: no file. ERR_FORMAT: not a snapshot or of another version (set aside by the caller, who says so). */
RESULT snapshot_read_open(const char *path, const uint8_t anchors_digest[32], struct snapshot_reader **ret_reader) NONNULL;
RESULT snapshot_read_step(struct snapshot_reader *r, struct rrcache *c, struct epoch_member *m, const struct now *now, size_t entries,
    bool *ret_finished, struct snapshot_result *ret_result) NONNULL;
DEFINE_AUTO(struct snapshot_reader, snapshot_reader_free)

#endif
