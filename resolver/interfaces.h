/* interfaces.h: what this machine says of itself: the addresses of its network interfaces, and its name. */
#ifndef RESOLVER_INTERFACES_H
#define RESOLVER_INTERFACES_H

#include "base/addr.h"
#include "base/own.h"

typedef struct result interface_address_fn(void *user, const struct endpoint *at);
/* Calls fn for each address of the interface that text names ("eth0" or "eth0@PORT"). ERR_NOTFOUND: it has none, or there is no
 * such interface. An error of fn ends the walk and is passed on. */
RESULT interfaces_addresses(const char *text, uint16_t default_port, interface_address_fn *fn, void *user)
    __attribute__((nonnull(1, 3)));
void interfaces_host_name(char *to, size_t size) NONNULL; /* "localhost" when the machine has none */

#endif
