/* sock.h: socket addresses and socket options as host_event.c and its parts use them. A struct endpoint becomes a sockaddr and
 * back without a call. */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/addr.h"
#include "net/host.h"

union sock_name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* The length of what was written; 0 when the family is neither IPv4 nor IPv6. */
static inline socklen_t sock_name_set(union sock_name *n, const struct endpoint *e)
{
	if (e->a.family == ADDR_V4) {
		n->v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(e->port) };
		memcpy(&n->v4.sin_addr, e->a.b, 4);
		return sizeof n->v4;
	}
	if (e->a.family == ADDR_V6) {
		n->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(e->port), .sin6_scope_id = e->scope };
		memcpy(&n->v6.sin6_addr, e->a.b, 16);
		return sizeof n->v6;
	}
	return 0;
}

/* Any other family gives ADDR_NONE. */
static inline void sock_name_get(const union sock_name *n, struct endpoint *ret)
{
	*ret = (struct endpoint){ .port = 0 };
	if (n->any.sa_family == AF_INET) {
		ret->a.family = ADDR_V4;
		memcpy(ret->a.b, &n->v4.sin_addr, 4);
		ret->port = ntohs(n->v4.sin_port);
	} else if (n->any.sa_family == AF_INET6) {
		ret->a.family = ADDR_V6;
		memcpy(ret->a.b, &n->v6.sin6_addr, 16);
		ret->port = ntohs(n->v6.sin6_port);
		ret->scope = n->v6.sin6_scope_id;
	}
}

/* A non-blocking socket of the given type (SOCK_DGRAM, SOCK_STREAM) with o's options, bound to o->at. ERR_LIMIT: no descriptor
 * left; ERR_SYSTEM with errno; ERR_RANGE: not an IP address. */
RESULT sock_listen(const struct listen_options *o, int type, int *ret_fd) NONNULL;
/* The same of a SOCK_STREAM that listens, with o->backlog. */
RESULT sock_listen_stream(const struct listen_options *o, int *ret_fd) NONNULL;
/* A non-blocking stream to `to`, or to the Unix socket at path (NULL: none), whose connection is begun: it is there when it can be written to and has no SO_ERROR. Errors as above. */
RESULT sock_connect_stream(const struct endpoint *to, const char *path, int *ret_fd) __attribute__((nonnull(1, 3)));
/* The address of a Unix socket. ERR_RANGE: a path cannot be that long. */
RESULT sock_name_path(const char *path, struct sockaddr_un *ret) NONNULL;
/* What a failed system call means: ERR_LIMIT when descriptors or buffers are lacking, else ERR_SYSTEM. */
enum err sock_errno(int e);
/* sets an integer option that may be missing in this kernel or refused to this user: the socket is usable without it */
void sock_try_option(int fd, int level, int option, int value);
/* sets SO_RCVBUF or SO_SNDBUF, past the system's limit where we may */
void sock_buffer(int fd, bool receive, int octets);
/* path MTU discovery off: what a forged "fragmentation needed" says is not believed (RFC 9715) */
void sock_ignore_path_mtu(int fd, int family);

#endif
