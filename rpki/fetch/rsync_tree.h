/*
 * rsync_tree.h: what rsync has brought into a folder, read as the objects that they are. The folder was written by somebody else's word: links are not followed, only
 * plain files are read, names that no URI has are left out, and depth, number and size are bounded. What is left out is counted.
 */
#ifndef RPKI_FETCH_RSYNC_TREE_H
#define RPKI_FETCH_RSYNC_TREE_H

#include "base/cursor.h"

struct rsync_tree_limits {
	unsigned int depth;     /* folders in folders */
	uint32_t files;
	uint64_t octets;        /* of all */
	uint32_t object_octets; /* larger ones are left out */
};

struct rsync_tree_limits rsync_tree_limits_default(void); /* 32, 1000000, 2 GiB, 8 MiB */

struct rsync_tree_counts {
	uint64_t files, octets;
	uint64_t too_large, odd; /* left out: by their size; by their name or kind, or too deep */
};

typedef struct result rsync_tree_fn(void *ctx, struct span uri, struct span octets);
/*
 * fn hears each file below dir once, in no order; base (with a slash at its end) and the path give its URI. ERR_LIMIT: too many files or octets; ERR_SYSTEM (see errno):
 * dir cannot be read; ERR_NOMEM; or what fn said.
 */
RESULT rsync_tree_read(const char *dir, struct span base, const struct rsync_tree_limits *limits, rsync_tree_fn *fn, void *ctx, struct rsync_tree_counts *counts)
	__attribute__((nonnull(1, 3, 4, 6)));

#endif
