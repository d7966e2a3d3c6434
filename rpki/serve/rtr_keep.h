/*
 * rtr_keep.h: what the RTR service keeps on the disk, so that after a restart routers go on with the session, the serial and the data that they had (RFC 8210 sections 5.1 and 5.2): one file,
 * replaced whole, with the state, the table and the differences before it. It is read as foreign data; damaged or old, it is not used at all. A run that changes nothing only writes
 * the time again, in place.
 */
#ifndef RPKI_SERVE_RTR_KEEP_H
#define RPKI_SERVE_RTR_KEEP_H

#include "rpki/serve/rtr_feed.h"

#define RTR_KEEP_NAME "rtr-state"          /* in cache-dir: */
#define RTR_KEEP_MAX ((size_t)4 << 30)     /* octets of such a file */
#define RTR_KEEP_AHEAD 300                 /* seconds that its time may be ahead of the clock */

#define RTR_KEEP_ANY_AGE INT64_MAX         /* whenever it was */

/* Writes what f has, good as of now (seconds since 1970); there is a table. ERR_SYSTEM, ERR_NOMEM: the old file stays. */
RESULT rtr_keep_write(const char *path, const struct rtr_feed *f, int64_t now) NONNULL;
/* The file stands for what f has, and that is good as of now too. ERR_NOTFOUND: it does not, and must be written; ERR_SYSTEM. */
RESULT rtr_keep_confirm(const char *path, const struct rtr_feed *f, int64_t now) NONNULL;
/* The one or the other: after each run. */
RESULT rtr_keep_save(const char *path, const struct rtr_feed *f, int64_t now) NONNULL;

/*
 * f goes on where the file says, but with its own session of version 0, when it is good at now and no older than max_age seconds; payloads that have expired meanwhile are not in the table,
 * at one serial more. ret_at: as of when the data are good. ERR_NOTFOUND: there is no file; ERR_TIMEOUT: too old, or of the future; ERR_FORMAT: damaged, or of another version; ERR_LIMIT;
 * ERR_SYSTEM; ERR_NOMEM.
 */
RESULT rtr_keep_read(const char *path, struct rtr_feed *f, const struct history_limits *limits, int64_t now, int64_t max_age, int64_t *ret_at) NONNULL;
/* The same of a file that is open, wherever it is read from; fd stays the caller's. */
RESULT rtr_keep_read_file(int fd, struct rtr_feed *f, const struct history_limits *limits, int64_t now, int64_t max_age, int64_t *ret_at) NONNULL;

#endif
