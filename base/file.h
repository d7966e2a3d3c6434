/*
 * file.h: whole files, read with a limit and replaced in one step. These calls block: they are for start, reload and
 * snapshots, never for the way of a packet.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/cursor.h"
#include "base/own.h"

/*
 * Reads a regular file, pipe or device to its end. *ret_text has *ret_n octets and a NUL after them, is owned by the caller and
 * freed with mem_free (hold it in an AUTO_CHARS). ERR_NOTFOUND, ERR_SYSTEM (see errno), ERR_LIMIT: more than max octets,
 * ERR_NOMEM.
 */
RESULT file_read_all(const char *path, size_t max, char **ret_text, size_t *ret_n) NONNULL;

/*
 * Replaces path by a file with this content and mode: written beside it, synced, renamed over it, and the directory synced.
 * On an error the old file is as it was and nothing is left beside it. ERR_SYSTEM (see errno), ERR_NOMEM.
 */
RESULT file_write_atomic(const char *path, struct span content, mode_t mode) NONNULL;

/*
 * The same for content that is made piece by piece: fn gives the next piece, good until it is called again, and an empty one at the end. Its error ends it, and the old
 * file stays.
 */
typedef RESULT file_piece_fn(void *ctx, struct span *ret_piece);
RESULT file_write_pieces(const char *path, file_piece_fn *fn, void *ctx, mode_t mode) __attribute__((nonnull(1, 2)));

/* By what a file is known to be another one than before: it was changed, replaced, or came or went. */
struct file_seen {
	uint64_t device, inode, size;
	int64_t sec, nsec;
	bool there;
};
struct file_seen file_look(const char *path) NONNULL;
bool file_same(const struct file_seen *a, const struct file_seen *b) NONNULL;

#endif
