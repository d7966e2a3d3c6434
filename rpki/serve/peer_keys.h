/*
 * peer_keys.h: the secrets of rtr: tcp-md5: and tcp-ao:, set on a socket that listens for routers. A key of the other family than the socket's is left out. What cannot be set is an
 * error: who asks for signed connections must not be served without.
 */
#ifndef RPKI_SERVE_PEER_KEYS_H
#define RPKI_SERVE_PEER_KEYS_H

#include "conf/conf.h"

/* fd: of an IPv4 or IPv6 TCP socket; of any other nothing is done. The reason for an error is in the log. ERR_SYSTEM, ERR_UNSUPPORTED, ERR_RANGE, ERR_FORMAT, ERR_NOMEM. */
RESULT peer_keys_set(const struct conf *conf, int fd) NONNULL;

#endif
