/*
 * http_request.h: the head of a request (RFC 9110, RFC 9112), read strictly: what two readers could take for two things is refused, and the answer's status says why.
 */
#ifndef NET_HTTP_REQUEST_H
#define NET_HTTP_REQUEST_H

#include "base/cursor.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_OTHER /* PUT, DELETE, PATCH, TRACE */ };

/* Texts are those of the head: good as long as it is. Empty: not there. */
struct http_request {
	enum http_method method;
	bool old;                    /* HTTP/1.0: its end is the connection's, and no chunks */
	bool close;                  /* the connection is not to be used again */
	bool chunked, has_length;    /* of the body; neither: there is none */
	uint64_t length;
	bool takes_gzip;             /* Accept-Encoding */
	bool takes_json, takes_html; /* Accept names them */
	bool expects;                /* 100-continue */
	struct span path;            /* as it was sent, from its '/' up to the '?' */
	struct span query;           /* behind the '?' */
	struct span host, type;      /* Host, Content-Type */
	struct span none_match;      /* If-None-Match; of several fields the last */
	int64_t modified_since;      /* seconds since 1970; INT64_MIN: not there, or no date */
};

struct http_request_limits {
	size_t target; /* octets of the request's target */
	unsigned int fields;
};

/* text: all of it, with the blank line. 0: *ret is set; else the status that says what is wrong: 400, 414, 417, 431, 501, 505. */
unsigned int http_request_parse(struct span text, const struct http_request_limits *limits, struct http_request *ret) NONNULL;

/* The next KEY=VALUE of a query, percent and '+' decoded into room (of at least query->n + 1 octets), both with NUL. False: there is none left, or it is malformed: then *query is not
 * empty. */
bool http_query_next(struct span *query, char *room, const char **ret_key, const char **ret_value) NONNULL;
/* A path or a part of one, percent decoded, with a NUL. room: n + 1 octets. False: it is malformed, or has a NUL within. */
bool http_decode(struct span text, bool plus, char *room, size_t *ret_n) NONNULL;

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7); the two old forms are no dates to us. INT64_MIN: it is none. */
int64_t http_date_read(struct span text);
#define HTTP_DATE_ROOM 32
const char *http_date_print(int64_t sec, char room[HTTP_DATE_ROOM]) BORROWED NONNULL;
/* If-None-Match: one of the tags in the list is tag, by weak comparison (RFC 9110 section 13.1.2). */
bool http_tag_matches(struct span list, const char *tag) NONNULL;

#endif
