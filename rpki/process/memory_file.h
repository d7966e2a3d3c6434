/* memory_file.h: octets in a file without a name, sealed against all changes: how what is too large for a message goes from one process to another. */
#ifndef RPKI_PROCESS_MEMORY_FILE_H
#define RPKI_PROCESS_MEMORY_FILE_H

#include "base/cursor.h"
#include "base/mem.h"

/* A new one, the caller's to close. ERR_SYSTEM (see errno). */
RESULT memory_file_make(struct span octets, int *ret_fd) NONNULL;
/* What is in one, perhaps of another process, copied. ERR_REFUSED: it is not sealed; ERR_LIMIT: more than max; ERR_SYSTEM; ERR_NOMEM. */
RESULT memory_file_read(int fd, size_t max, void **ret_octets, size_t *ret_n) NONNULL;

#endif
