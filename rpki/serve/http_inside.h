/*
 * http_inside.h: what the files behind http.h share: http.c (paths, answers), http_select.c (selectors, tables as pages), http_delta.c (differences), http_validity.c (routes),
 * show_*.c (the status); and the facts of a table for output files. Nobody else includes it but who writes those.
 */
#ifndef RPKI_SERVE_HTTP_INSIDE_H
#define RPKI_SERVE_HTTP_INSIDE_H

#include "net/http_head.h"
#include "rpki/routes/delta.h"
#include "rpki/routes/validity.h"
#include "rpki/serve/http.h"
#include "rpki/serve/output.h"

/* One table with its facts: shared by all pages that are made of it. */
struct shown {
	uint32_t refs;
	struct payload_table *table OWNED_FIELD;
	struct status *status OWNED_FIELD;
	struct output_tally *tallies OWNED_FIELD;
	struct output_info info;  /* of all that is not selected by a request */
	struct output_member members[16];
	char built[32];
	uint64_t session;
	uint32_t serial;
	uint64_t number;          /* of publications */
};
void shown_unref(struct shown *d) TAKES(1);
DEFINE_AUTO(struct shown, shown_unref)
struct shown *shown_ref(const struct shown *d) OWNED_BY(shown_unref) NONNULL;
/* t: a reference is taken. now: when the data are from, where s does not say. NULL: out of memory. */
struct shown *shown_new(const struct payload_table *t, struct status *s, int64_t now) OWNED_BY(shown_unref) TAKES(2) NONNULL;

/* ----------------------------------------------------------------------------------------------------------- http_select.c */

/* What a query asks for: payloads that any of the selectors selects, all where there are none. */
struct selection {
	struct prefix *prefixes OWNED_FIELD;
	uint32_t *asns OWNED_FIELD;
	size_t nprefixes, nasns;
	bool more_specifics;
	bool exclude[PAYLOAD_KINDS];
};
void selection_done(struct selection *s) NONNULL;
/* ERR_FORMAT: a selector that nobody knows, or a value that is none; *why says which. ERR_LIMIT: more than SELECTORS_MAX; ERR_NOMEM. After any of them selection_done() is due. */
#define SELECTORS_MAX 1000u
RESULT selection_read(struct span query, struct selection *s, const char **why) NONNULL;
bool selection_is_all(const struct selection *s) NONNULL; /* no selector: exclusions may be */
bool selection_has(const struct selection *s, const struct payload_table *t, enum payload_kind k, size_t i) NONNULL;
/* "AS64496", "as64496" or "64496" */
bool asn_read(const char *text, uint32_t *ret_asn) NONNULL;

/* The table of d in a format, of what is selected. */
RESULT table_page(const struct shown *d, enum output_format f, const struct selection *s, bool gzip, struct http_page **ret_page) NONNULL;

/* ------------------------------------------------------------------------------------------------------------ http_delta.c */

/* Routinator's json-delta: from `serial` (delta), or everything (NULL). Takes the delta. */
RESULT delta_page(const struct shown *d, struct payload_delta *delta, uint32_t serial, bool gzip, struct http_page **ret_page) TAKES(2) __attribute__((nonnull(1, 5)));

/* --------------------------------------------------------------------------------------------------------- http_validity.c */

struct route {
	struct prefix prefix;
	uint32_t asn;
};
RESULT route_read(const char *asn, const char *prefix, struct route *ret) NONNULL; /* ERR_FORMAT; bits behind the length are set to 0 */
/* {"routes": [{"asn": ..., "prefix": ...}, ...]}; *ret_routes is the caller's. ERR_FORMAT, ERR_NOMEM. */
RESULT routes_read(struct span json, struct route **ret_routes, size_t *ret_n) NONNULL;
void validity_show(const struct validity_index *x, const struct route *r, int64_t generated, struct strbuf *out) NONNULL;
void validity_show_all(const struct validity_index *x, const struct route *r, size_t n, int64_t generated, struct strbuf *out) NONNULL;

/* ------------------------------------------------------------------------------------------------------------------ show_*.c */

/* What is known only when it is asked for. */
struct live {
	int64_t now;
	const char *version BORROWED_FIELD;
	const struct rtr_server_counts *rtr BORROWED_FIELD; /* NULL: there is none */
	const struct http_server_counts *http BORROWED_FIELD;
	const struct rtr_client_sum *clients BORROWED_FIELD;
	size_t nclients;
};

/* Routers of one address. */
struct rtr_client_sum {
	char name[ADDR_TEXT]; /* "unix" */
	uint32_t connections;
	struct rtr_client sum; /* told, serial, updated, reset: the latest */
};
/* In order of their addresses; *ret_list is the caller's. ERR_NOMEM. */
RESULT clients_gather(const struct rtr_server *s, struct rtr_client_sum **ret_list, size_t *ret_n) NONNULL;
/* HTTP statuses of RRDP and exit status of rsync. Where the facts have none they follow from the outcome, so that who watches for 200 and 304, or 0, sees what was meant. */
int http_status_of(const struct status_repository *r) NONNULL;         /* of the notification */
int http_payload_status_of(const struct status_repository *r) NONNULL; /* 0: nothing was fetched but that */
int http_both_status_of(const struct status_repository *r) NONNULL;
int exit_status_of(const struct status_repository *r) NONNULL;
void show_json(const struct shown *d, const struct live *l, struct strbuf *out) NONNULL;
void show_text(const struct shown *d, const struct live *l, struct strbuf *out) NONNULL;
void show_html(const struct shown *d, const struct live *l, struct strbuf *out) NONNULL;
void show_metrics(const struct shown *d, const struct live *l, struct strbuf *out) NONNULL;
struct status_payloads vrps_of(const struct status_payloads p[STATUS_PAYLOADS]) NONNULL; /* IPv4 and IPv6 together */
void iso_time(struct strbuf *out, int64_t sec) NONNULL; /* 2026-11-21T21:00:00Z */

#endif
