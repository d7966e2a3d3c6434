/* sock_key.h: keys with which TCP signs its segments, set on a socket that listens: TCP-MD5 (RFC 2385) and TCP-AO (RFC 5925). */
#ifndef NET_SOCK_KEY_H
#define NET_SOCK_KEY_H

#include "base/addr.h"
#include "base/cursor.h"

#define SOCK_KEY_MAX 80u /* octets */

/* Connections from peer, of the socket's family, are signed with key; unsigned ones from there do not come to be. ERR_RANGE: a key of no octets or of more than SOCK_KEY_MAX;
 * ERR_UNSUPPORTED: the kernel has no such thing; ERR_SYSTEM. */
RESULT sock_key_md5(int fd, const struct prefix *peer, struct span key) NONNULL;
/* The same by HMAC-SHA-1-96 (RFC 5926), with id in both directions. */
RESULT sock_key_ao(int fd, const struct prefix *peer, uint8_t id, struct span key) NONNULL;

#endif
