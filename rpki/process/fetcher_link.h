/*
 * fetcher_link.h: a fetcher (rpki/fetch/fetcher.h) whose network is in other processes: one link for HTTPS, one for rsync. The processes are not believed: an event in the wrong order,
 * or more octets than were asked for, ends the link.
 *
 * A process may end and another take its place. What had no answer yet is then asked again, once; what was in the middle of one ends with ERR_CLOSED. Requests wait for
 * a process that is not there, for FETCHER_LINK_WAIT_MS.
 */
#ifndef RPKI_PROCESS_FETCHER_LINK_H
#define RPKI_PROCESS_FETCHER_LINK_H

#include "rpki/fetch/fetcher.h"

enum fetch_way { FETCH_BY_HTTPS, FETCH_BY_RSYNC, FETCH_WAYS };

#define FETCHER_LINK_WAIT_MS 30000u

/* has: which ways there will ever be; a request by another ends with ERR_UNSUPPORTED. NULL: out of memory. */
struct fetcher *fetcher_link_new(struct loop *l, const bool has[FETCH_WAYS]) OWNED_BY(fetcher_free) NONNULL;
/* The other end's process is this one from now on. Takes fd, also when it fails: then the way is down. f came from fetcher_link_new. */
RESULT fetcher_link_attach(struct fetcher *f, enum fetch_way way, int fd) NONNULL;

#endif
