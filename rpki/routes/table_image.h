/*
 * table_image.h: a table with its sources as flat octets, for other processes (a sealed memory file) and for the disk. An image is what a table is in memory: writing copies nothing, and a
 * table that is read lies in its image. It is of this machine's byte order, and tells the layout that it was written with.
 *
 * Reading believes nothing: every offset, order and range is checked before there is a table, in one pass. What is refused is ERR_FORMAT. A mapping is accepted only of a file that nobody can
 * change any more.
 */
#ifndef RPKI_ROUTES_TABLE_IMAGE_H
#define RPKI_ROUTES_TABLE_IMAGE_H

#include "rpki/routes/table.h"

#define TABLE_IMAGE_PARTS 32u
#define TABLE_IMAGE_HEAD 88u

/* An image in pieces, in order: the head and the table's own arrays. Good as long as this and the table are. */
struct table_image {
	struct span parts[TABLE_IMAGE_PARTS];
	size_t n;
	size_t octets; /* of all */
	uint64_t head[TABLE_IMAGE_HEAD / 8];
};

void table_image_of(const struct payload_table *t, struct table_image *ret) NONNULL;
/* The image in one piece; ret_octets may be moved to table_image_take(). */
RESULT table_image_copy(const struct payload_table *t, void **ret_octets, size_t *ret_n) NONNULL;
/* Of a table's image, to find damage. */
uint64_t table_image_sum(const struct payload_table *t) NONNULL;

/* Reads an image in memory of mem.h. The table keeps it; on failure it is freed. ERR_FORMAT, ERR_NOMEM. */
RESULT table_image_take(void *octets, size_t n, struct payload_table **ret) TAKES(1) NONNULL;

/* A new memory file with the image, sealed against all changes. It is the caller's to close. ERR_SYSTEM. */
RESULT table_image_file(const struct payload_table *t, int *ret_fd) NONNULL;
/* The table in a file that came from table_image_file(), perhaps of another process. fd stays the caller's, and may be closed. ERR_REFUSED: it is not sealed; ERR_LIMIT: larger
 * than max octets; ERR_FORMAT; ERR_SYSTEM; ERR_NOMEM. */
RESULT table_image_map(int fd, size_t max, struct payload_table **ret) NONNULL;

#endif
