/* explain_json.h: an explanation (resolver/core/explain.h) as one JSON object. Its fields are documented in docs/guide/explain.md and stay as they are. */
#ifndef RESOLVER_CONTROL_EXPLAIN_JSON_H
#define RESOLVER_CONTROL_EXPLAIN_JSON_H

#include "resolver/core/explain.h"

void explain_json(const struct explanation *x, const struct explain_told *told, struct strbuf *out) NONNULL;

#endif
