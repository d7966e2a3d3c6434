/*
 * route_file.h: a file of announced routes into a table of them (announced.h): MRT or text (mrt.h, route_text.h), packed by gzip or bzip2 or not; which, its octets tell. The reader takes
 * octets in pieces; route_file_load reads a whole file, which blocks: for a thread that may.
 */
#ifndef RPKI_ROUTES_ROUTE_FILE_H
#define RPKI_ROUTES_ROUTE_FILE_H

#include "rpki/routes/source.h"

struct announced_edit;
struct route_reader;
struct strbuf;

struct route_file_limits {
	uint64_t octets;     /* that come out of a packed file */
	uint32_t max_record; /* octets of a record of MRT */
	uint64_t routes;     /* that one file may bring */
};
struct route_file_limits route_file_limits_default(void); /* 16 GiB, 16 MiB, 20 million */

void route_reader_free(struct route_reader *x) TAKES(1);
/* to: outlives the reader */
struct route_reader *route_reader_new(struct source_sink *to, const struct route_file_limits *limits) OWNED_BY(route_reader_free) NONNULL;
DEFINE_AUTO(struct route_reader, route_reader_free)
/* ERR_FORMAT, ERR_LIMIT, ERR_NOMEM, or what the sink said. After an error it can only be freed. */
RESULT route_reader_feed(struct route_reader *x, struct span octets) NONNULL;
RESULT route_reader_end(struct route_reader *x) NONNULL;
struct source_counts route_reader_counts(const struct route_reader *x) NONNULL;
/* "MRT", "text", or "nothing" so far. */
const char *route_reader_format(const struct route_reader *x) BORROWED NONNULL;

/*
 * Adds the routes of the file at path to the edit, with this source. what: one line, of what was read or why it was not. ERR_SYSTEM (see errno), ERR_FORMAT, ERR_LIMIT, ERR_NOMEM: the edit has
 * some of them, and is to be thrown away.
 */
RESULT route_file_load(const char *path, const struct route_file_limits *limits, struct announced_edit *e, uint32_t source, struct strbuf *what) NONNULL;

#endif
