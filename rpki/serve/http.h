/*
 * http.h: what cairn-rpki says over HTTP: its tables in all formats and with Routinator's paths and selectors, differences, the validity of routes, the status and metrics. What is
 * said of one table is rendered once, when it is first asked for, and shared until the next one.
 *
 * Before the first rpki_http_publish() everything but /version is answered by 503.
 */
#ifndef RPKI_SERVE_HTTP_H
#define RPKI_SERVE_HTTP_H

#include "net/http_server.h"
#include "rpki/serve/rtr_server.h"
#include "rpki/serve/status.h"

struct rpki_http;

struct rpki_http_options {
	struct http_server_options server;
	size_t shelf;        /* octets of rendered pages that are kept */
	bool clients;        /* status and metrics speak of each router's address */
	const char *version BORROWED_FIELD; /* of the program; static */
};

void rpki_http_free(struct rpki_http *x) TAKES(1);
/* h, feed and rtr (NULL: there is none) outlive it. NULL: out of memory. */
struct rpki_http *rpki_http_new(struct host *h, const struct rtr_feed *feed, const struct rtr_server *rtr, const struct rpki_http_options *o) OWNED_BY(rpki_http_free)
    __attribute__((nonnull(1, 2, 4)));
DEFINE_AUTO(struct rpki_http, rpki_http_free)
RESULT rpki_http_listen(struct rpki_http *x, struct host *h, const struct listen_options *o) NONNULL;
/* What the feed has now is what is shown, with these facts; after each run, whether its table differs or not. Counts of payloads that the facts do not have are made from the table.
 * ERR_NOMEM: the old ones stay. */
RESULT rpki_http_publish(struct rpki_http *x, struct status *s) TAKES(2) NONNULL;
const struct http_server_counts *rpki_http_counts(const struct rpki_http *x) BORROWED NONNULL;

#endif
