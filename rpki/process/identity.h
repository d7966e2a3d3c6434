/*
 * identity.h: the certificate and key of rtr: for TLS, as octets: gathered by who may read them (the process that serves, before it becomes another user; later the monitor), used by
 * the process that serves.
 */
#ifndef RPKI_PROCESS_IDENTITY_H
#define RPKI_PROCESS_IDENTITY_H

#include "base/strbuf.h"
#include "conf/conf.h"
#include "net/tls_server.h"

#define IDENTITY_OCTETS ((size_t)1 << 20) /* of all files */

bool identity_wanted(const struct conf *c) NONNULL; /* there is a tls-interface: */
/* Appends the three files. The reason for an error is in the log. */
RESULT identity_gather(const struct conf *c, struct strbuf *out) NONNULL;
/* Likewise. ERR_FORMAT, ERR_NOMEM. */
RESULT identity_use(struct span gathered, bool client_address, struct tls_identity **ret) NONNULL;

#endif
