/*
 * fetcher_direct.h: the fetcher that has the network itself: files by the HTTP client, names by names.h, folders by the program rsync. Requests wait while a host has as many
 * transfers as it may have, or all together have; the oldest that may begin is the next.
 */
#ifndef RPKI_FETCH_FETCHER_DIRECT_H
#define RPKI_FETCH_FETCHER_DIRECT_H

#include "net/http_client.h"
#include "rpki/fetch/fetcher.h"
#include "rpki/fetch/names.h"
#include "rpki/fetch/rsync_run.h"

struct fetcher_direct_options {
	struct http_options http;           /* its trust is borrowed for the fetcher's life */
	struct rsync_options rsync;
	const char *rsync_dir BORROWED_FIELD; /* an existing folder, absolute: fetch_rsync's folders are made there; NULL: no rsync */
	uint32_t host_gets, gets;           /* transfers at a time: from one host, in all */
	uint32_t host_rsyncs, rsyncs;       /* likewise of rsync */
	uint32_t folder_days;               /* folders of rsync that nobody has asked for in so many days are removed at the start; 0: never */
	unsigned int name_threads;          /* look-ups at a time */
	names_lookup_fn *lookup;            /* NULL: the system's */
};
struct fetcher_direct_options fetcher_direct_options_default(void); /* those of http and rsync; 4, 128, 4, 32; 14 days; 8 */

/* o is copied, with its texts. The host outlives it. NULL: out of memory. */
struct fetcher *fetcher_direct_new(struct host *h, const struct fetcher_direct_options *o) OWNED_BY(fetcher_free) NONNULL;

#endif
