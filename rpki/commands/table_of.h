/* table_of.h: the table that a command is about: of a file, of what the daemon serves or has last served, or of a run over what has been fetched. */
#ifndef RPKI_COMMANDS_TABLE_OF_H
#define RPKI_COMMANDS_TABLE_OF_H

#include "base/strbuf.h"
#include "rpki/routes/table.h"

struct conf;

struct table_wanted {
	const char *file BORROWED_FIELD; /* of any format; NULL: none */
	bool offline;                    /* run */
	int64_t now;                     /* for the run */
};

/* c may be NULL with a file. On an error why has lines, but for ERR_NOMEM; and where the table is old. */
RESULT table_of(const struct table_wanted *w, const struct conf *c, struct strbuf *why, struct payload_table **ret) __attribute__((nonnull(1, 3, 4)));
/* The local exceptions of the configuration, applied to t (NULL: nothing). */
RESULT table_with_exceptions(const struct conf *c, const struct payload_table *t, struct strbuf *why, struct payload_table **ret) __attribute__((nonnull(1, 3, 4)));

#endif
