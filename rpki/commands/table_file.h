/*
 * table_file.h: a table from a file that a relying party has written, whichever of the formats that it has: the JSON of Routinator, rpki-client, FORT and StayRTR, local exceptions
 * (SLURM), every CSV of them, the configuration of BIRD and OpenBGPD, RPSL; an image of a table, or what the RTR service kept. For the commands.
 */
#ifndef RPKI_COMMANDS_TABLE_FILE_H
#define RPKI_COMMANDS_TABLE_FILE_H

#include "base/strbuf.h"
#include "rpki/routes/table.h"

#define TABLE_FILE_MAX ((size_t)4 << 30) /* octets */

/* Where reading is, for messages. */
struct table_text {
	const char *name BORROWED_FIELD; /* of the file */
	size_t line;                     /* from 1; 0: the place is told in words */
	struct strbuf *why BORROWED_FIELD;
	struct table_builder *b BORROWED_FIELD;
};

/* ERR_FORMAT, ERR_SYSTEM, ERR_NOTFOUND, ERR_LIMIT: why has a line "FILE:LINE: found X, expected Y"; ERR_NOMEM. */
RESULT table_file_read(const char *path, struct strbuf *why, struct payload_table **ret) NONNULL;
/* The same of octets that are at hand, text only: what is no JSON is read as lines. */
RESULT table_text_read(struct span text, const char *name, struct strbuf *why, struct payload_table **ret) NONNULL;

/* Inside. */
RESULT table_json_read(struct table_text *t, struct span text) NONNULL;
RESULT table_lines_read(struct table_text *t, struct span text) NONNULL;
bool table_prefix(struct span s, struct prefix *ret) NONNULL;
/* Says what was found (cut short, printable) instead of what, and gives ERR_FORMAT. */
struct result table_wrong(struct table_text *t, struct span found, const char *expected) NONNULL;
/* has_max false: as long as the prefix. */
RESULT table_add(struct table_text *t, const struct prefix *p, bool has_max, uint32_t max, uint32_t asn, uint32_t source) NONNULL;

#endif
