/* status_words.h: the facts of the last run as an operator reads them on a terminal, and the same as JSON: for `cairn-rpki status`, and on the control socket. */
#ifndef RPKI_SERVE_STATUS_WORDS_H
#define RPKI_SERVE_STATUS_WORDS_H

#include "base/strbuf.h"
#include "rpki/serve/status.h"

#define STATUS_AGE_UNKNOWN (-1)
int64_t status_age(const struct status *s, int64_t now) NONNULL; /* of the table that is served, in seconds; STATUS_AGE_UNKNOWN: there is none */
void status_words(const struct status *s, int64_t now, struct strbuf *out) NONNULL;
void status_words_json(const struct status *s, int64_t now, struct strbuf *out) NONNULL;

#endif
