/* tally.h: what validation found, counted by trust anchor and for all: what occurs in valid objects, what of it is there already, what local exceptions take away, what is left. */
#ifndef RPKI_SERVE_TALLY_H
#define RPKI_SERVE_TALLY_H

#include "rpki/routes/table.h"
#include "rpki/serve/status.h"

/*
 * Fills the payloads of s: total, exceptions, and those of its anchors. validated: before the exceptions (NULL: nothing; what comes from exceptions in it does not
 * count there), served: after them. A payload that several objects have counts as valid
 * for each; the first of them contributes it, for the others it is a duplicate. ERR_NOMEM.
 */
RESULT tally_payloads(struct status *s, const struct payload_table *validated, const struct payload_table *served) __attribute__((nonnull(1, 3)));

/* The same, and for each repository that `of` gives for an object's URI (NULL: none); uri lasts as long as `validated`. */
typedef struct status_repository *tally_place_fn(void *ctx, const char *uri);
RESULT tally_payloads_at(struct status *s, const struct payload_table *validated, const struct payload_table *served, tally_place_fn *of, void *ctx) __attribute__((nonnull(1, 3)));
/* After it: counts what is unsafe (a part of what was found, by sources) for s, in total and for its anchors. rejected: it is not in `validated`, so it was not counted as valid either. ERR_NOMEM. */
RESULT tally_unsafe(struct status *s, const struct payload_table *unsafe, bool rejected) NONNULL;

#endif
