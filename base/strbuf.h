/*
 * strbuf.h: a growing buffer of octets with a maximum, for text and output whose length is not known before. Errors are
 * sticky: append as often as you like, ask once. What does not fit is not written in part: a failed append changes nothing
 * but the error. There is always a NUL after the content, so strbuf_text() is a C string when no NUL was added.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/own.h"

struct strbuf;

void strbuf_free(struct strbuf *b) TAKES(1);
/* max: octets of content, at least 1 and not counting the NUL. NULL when out of memory. */
struct strbuf *strbuf_new(size_t max) OWNED_BY(strbuf_free);
DEFINE_AUTO(struct strbuf, strbuf_free)

void strbuf_printf(struct strbuf *b, const char *fmt, ...) NONNULL PRINTF_LIKE(2, 3);
void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap) NONNULL PRINTF_LIKE(2, 0);
void strbuf_add(struct strbuf *b, const void *p, size_t n) __attribute__((nonnull(1))); /* p may be NULL when n is 0 */
void strbuf_add_span(struct strbuf *b, struct span s) NONNULL;
void strbuf_puts(struct strbuf *b, const char *s) NONNULL;
void strbuf_putc(struct strbuf *b, char c) NONNULL;
void strbuf_number(struct strbuf *b, uint64_t n) NONNULL;            /* decimal; a tenth of strbuf_printf()'s time */
/* A JSON string with its quotes: control characters, quote and backslash escaped; octets above 126 become \u00XX. */
void strbuf_json_string(struct strbuf *b, struct span s) NONNULL;
/* NAME="VALUE", as in Prometheus's text format: quote, backslash and line end escaped; other control characters and octets above 126 become '?', for it must be UTF-8. */
void strbuf_metric_label(struct strbuf *b, const char *name, const char *value) NONNULL;

const char *strbuf_text(const struct strbuf *b) BORROWED NONNULL;     /* until the next change; "" when empty */
struct span strbuf_span(const struct strbuf *b) NONNULL;              /* likewise */
size_t strbuf_len(const struct strbuf *b) NONNULL;                    /* octets of content */
bool strbuf_ok(const struct strbuf *b) NONNULL;                       /* nothing failed since strbuf_new or strbuf_clear */
RESULT strbuf_result(const struct strbuf *b) NONNULL;                 /* the first error: ERR_LIMIT, ERR_NOMEM or ERR_FORMAT */
void strbuf_fail(struct strbuf *b, enum err e) NONNULL;               /* sets the error, when there is none yet */

void strbuf_cut(struct strbuf *b, size_t len) NONNULL;                /* keeps the first len octets; the error stays */
void strbuf_drop(struct strbuf *b, size_t n) NONNULL;                 /* drops the first n octets (an output queue) */
void strbuf_clear(struct strbuf *b) NONNULL;                          /* empties, forgets the error, keeps the memory */
/* The content as a string of its own; b is empty afterwards. NULL when b has an error (or is out of memory). */
char *strbuf_take(struct strbuf *b) OWNED_BY(mem_free) NONNULL;

#endif
