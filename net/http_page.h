/*
 * http_page.h: the body of answers: rendered once, in pieces, each when somebody first needs it, and shared by all who are sent it. A shelf keeps the pages that were asked for
 * last. Used by one thread.
 */
#ifndef NET_HTTP_PAGE_H
#define NET_HTTP_PAGE_H

#include "base/mem.h"
#include "base/strbuf.h"

#define HTTP_PIECE ((size_t)32 * 1024) /* octets of a piece, about */

/* What a page is rendered from. It is the first member of whatever knows how. */
struct http_source {
	/* Appends to out until it has at least `want` octets, or all is said. True: there is more. Errors are out's. */
	bool (*more)(struct http_source *s, struct strbuf *out, size_t want);
	void (*free)(struct http_source *s);
};
void http_source_free(struct http_source *s) TAKES(1);
DEFINE_AUTO(struct http_source, http_source_free)

struct http_page;

void http_page_unref(struct http_page *p) TAKES(1);
struct http_page *http_page_ref(const struct http_page *p) OWNED_BY(http_page_unref) NONNULL;
DEFINE_AUTO(struct http_page, http_page_unref)
/* NULL: out of memory. */
struct http_page *http_page_new(struct http_source *s, bool gzip) OWNED_BY(http_page_unref) TAKES(1) NONNULL;
struct http_page *http_page_text(struct span text, bool gzip) OWNED_BY(http_page_unref); /* of a copy */

/* Piece i, good as long as the page is; the piece before it was asked for already. ERR_NOTFOUND: there are no more; else rendering has failed, now or earlier. */
RESULT http_page_piece(struct http_page *p, size_t i, struct span *ret_piece) NONNULL;
bool http_page_complete(const struct http_page *p) NONNULL; /* all of it is rendered */
uint64_t http_page_length(const struct http_page *p) NONNULL; /* of what is rendered */
bool http_page_is_gzip(const struct http_page *p) NONNULL;
size_t http_page_octets(const struct http_page *p) NONNULL; /* of memory, about */
/* True when n was not given to this page before: to count each page once among many who hold it. */
bool http_page_first_seen(struct http_page *p, uint64_t n) NONNULL;

struct http_shelf;

void http_shelf_free(struct http_shelf *s) TAKES(1);
/* octets: of the pages that stay; the one asked for last stays always. */
struct http_shelf *http_shelf_new(size_t octets) OWNED_BY(http_shelf_free);
DEFINE_AUTO(struct http_shelf, http_shelf_free)
struct http_page *http_shelf_find(struct http_shelf *s, const char *key) OWNED_BY(http_page_unref) NONNULL; /* NULL: it is not there */
void http_shelf_put(struct http_shelf *s, const char *key, struct http_page *p) NONNULL; /* out of memory: it is just not kept */
void http_shelf_clear(struct http_shelf *s) NONNULL; /* what the pages say is no longer so */
size_t http_shelf_count(const struct http_shelf *s) NONNULL;

#endif
