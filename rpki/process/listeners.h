/* listeners.h: the listening sockets of the configuration. The monitor opens them, once, and they stay open when the process that serves is started again: routers that come meanwhile wait. */
#ifndef RPKI_PROCESS_LISTENERS_H
#define RPKI_PROCESS_LISTENERS_H

#include "conf/conf.h"
#include "net/host.h"

enum listener_kind { LISTEN_RTR, LISTEN_RTR_TLS, LISTEN_HTTP, LISTEN_CONTROL };

struct listener {
	enum listener_kind kind;
	char *path OWNED_FIELD; /* of a Unix socket; NULL: `at` counts */
	struct endpoint at;
	int fd;
};

struct listeners {
	struct listener *list OWNED_FIELD;
	size_t n;
};

void listeners_done(struct listeners *x) NONNULL;
/* All of them, or an error whose reason is in the log. */
RESULT listeners_open(struct listeners *ret, const struct conf *conf) NONNULL;
/* The control sockets are for root, and for the group of the user that the processes become: given to it here. */
void listeners_give(const struct listeners *x, uint32_t gid) NONNULL;
void listeners_unlink(const struct listeners *x) NONNULL; /* the paths of Unix sockets */
/* What host_accept() is to be told of one: a duplicate of its descriptor goes with it. ERR_SYSTEM. */
RESULT listener_options(const struct listener *x, struct listen_options *ret) NONNULL;

#endif
