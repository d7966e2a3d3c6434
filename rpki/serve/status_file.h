/* status_file.h: the facts of the last run as a file in cache-dir:, for `cairn-rpki status`: written by the daemon, replaced whole, read as foreign data. */
#ifndef RPKI_SERVE_STATUS_FILE_H
#define RPKI_SERVE_STATUS_FILE_H

#include "rpki/serve/status.h"

#define STATUS_FILE_NAME "status"

/* ERR_SYSTEM, ERR_NOMEM, ERR_LIMIT: the old file stays. */
RESULT status_file_write(const char *path, const struct status *s) NONNULL;
/* ERR_NOTFOUND, ERR_SYSTEM, ERR_LIMIT, ERR_FORMAT, ERR_NOMEM. */
RESULT status_file_read(const char *path, struct status **ret) NONNULL;

#endif
