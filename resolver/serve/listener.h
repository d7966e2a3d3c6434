/* listener.h: the addresses that are listened to, each a *port*: a datagram socket and an acceptor of connections, of one worker.
 */
#ifndef RESOLVER_SERVE_LISTENER_H
#define RESOLVER_SERVE_LISTENER_H

#include "resolver/serve/serve.h"

struct strbuf;

/* Opens what the settings name and is not open, closes what they no longer name. What cannot be opened is said in report; DONE when
 * at least one port is open or none is wanted, else ERR_SYSTEM. ret_failed: how many could not be opened. */
RESULT listener_open(struct serve *s, struct strbuf *report, size_t *ret_failed) NONNULL;
void listener_close_all(struct serve *s) NONNULL;

/* For replies: see serve_room(), serve_send(). */
uint8_t *listener_room(struct serve *s, port_h h, size_t limit) BORROWED NONNULL;
/* Where the question came to, as far as it is known. */
struct endpoint listener_address(struct serve *s, const struct origin *o) NONNULL;
void listener_send(struct serve *s, const struct origin *o, size_t len) NONNULL;

#endif
