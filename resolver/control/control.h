/*
 * control.h: the control socket: unbound-control's line protocol on a Unix socket, or without TLS on a loopback address, so that exporters and scripts written for
 * Unbound work unchanged. Lives on the daemon's main loop: no worker ever waits for it. One command a connection.
 */
#ifndef RESOLVER_CONTROL_CONTROL_H
#define RESOLVER_CONTROL_CONTROL_H

#include "base/own.h"

struct control;
struct daemon;

void control_close(struct control *c) TAKES(1);
/* As the configuration says; NULL when there is none, or it could not be opened (logged). A socket's path is made anew, readable for its owner and group. */
struct control *control_open(struct daemon *d) OWNED_BY(control_close) NONNULL;

#endif
