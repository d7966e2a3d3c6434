/* exceptions.h: the files of slurm:, read, and read again when they change. What is wrong with them leaves the ones read before in force. */
#ifndef RPKI_PROCESS_EXCEPTIONS_H
#define RPKI_PROCESS_EXCEPTIONS_H

#include "conf/conf.h"
#include "rpki/serve/slurm.h"

struct exceptions;

void exceptions_free(struct exceptions *x) TAKES(1);
/* Reads all files of the clause rpki:, which outlives it. What is wrong is in the log. ERR_FORMAT, ERR_NOTFOUND, ERR_SYSTEM, ERR_LIMIT, ERR_NOMEM. */
RESULT exceptions_new(const struct conf_clause *rpki, struct exceptions **ret) NONNULL;
DEFINE_AUTO(struct exceptions, exceptions_free)
bool exceptions_changed(struct exceptions *x) NONNULL; /* a file is another one than when it was looked at last */
RESULT exceptions_read(struct exceptions *x) NONNULL;  /* all of them, again */
const struct slurm *exceptions_now(const struct exceptions *x) BORROWED NONNULL;

#endif
