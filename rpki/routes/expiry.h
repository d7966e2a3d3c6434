/* expiry.h: until when payloads are good, by their sources: the certificates up to the trust anchor, and the manifests and CRLs on the way (RFC 9286 section 4.2.1). */
#ifndef RPKI_ROUTES_EXPIRY_H
#define RPKI_ROUTES_EXPIRY_H

#include "rpki/routes/table.h"

#define EXPIRY_NEVER INT64_MAX

/* Seconds since 1970; EXPIRY_NEVER of an exception, and of a source that tells no time. */
int64_t source_expiry(const struct payload_source *s) NONNULL;
/* Of the source that is good for longest; EXPIRY_NEVER when there is none. */
int64_t payload_expiry(const struct payload_table *t, enum payload_kind k, size_t i) NONNULL;
/* The payloads of t that are good at `now`, as a table of their own; all of them: t itself once more. ret_expired: how many are not. ERR_NOMEM, ERR_LIMIT. */
RESULT table_unexpired(const struct payload_table *t, int64_t now, size_t *ret_expired, struct payload_table **ret) NONNULL;

#endif
