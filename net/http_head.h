/* http_head.h: the head of an answer (RFC 9110, RFC 9112), read strictly: what two readers could take for two things is refused. */
#ifndef NET_HTTP_HEAD_H
#define NET_HTTP_HEAD_H

#include "base/cursor.h"

#define HTTP_TAG_MAX 512u
#define HTTP_LOCATION_MAX 2048u

struct http_head {
	unsigned int status;
	bool close;      /* the connection is not to be used again */
	bool chunked, has_length, gzip;
	uint64_t length; /* of the body, where has_length */
	/* "": not there, or longer than there is room for */
	char etag[HTTP_TAG_MAX + 1], modified[HTTP_TAG_MAX + 1], location[HTTP_LOCATION_MAX + 1];
};

/* Where the head ends, the blank line included: 0 when it is not all there. */
size_t http_head_end(struct span octets);
/* All of it, with the blank line. ERR_FORMAT; ERR_UNSUPPORTED: a coding that was not asked for. */
RESULT http_head_parse(struct span text, struct http_head *ret) NONNULL;

/* What heads of answers and of requests have in common. */
bool http_next_line(struct reader *r, struct span *ret) NONNULL; /* without its end; false: there is none, or it has an octet that no line may have */
struct span http_trim(struct span s);
bool http_is_text(struct span s, const char *text) NONNULL;      /* without case */
bool http_is_token(struct span s);
/* A number of octets. false: it is none. */
bool http_read_number(struct span v, uint64_t *ret) NONNULL;
/* The next of a list whose members commas divide; false: there is none left. */
bool http_next_member(struct span *list, struct span *ret) NONNULL;

#endif
