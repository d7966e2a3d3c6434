/* route_lines.h: routes to be judged, from text: one a line, an AS number and a prefix in any order; "=>" between them, commas and comments (#) are passed over. */
#ifndef RPKI_COMMANDS_ROUTE_LINES_H
#define RPKI_COMMANDS_ROUTE_LINES_H

#include "rpki/commands/verdict.h"

typedef struct result route_fn(void *ctx, const struct judged_route *r);
/* ERR_FORMAT: why has "NAME:LINE: found X, expected Y"; or what fn gave. */
RESULT route_lines_read(struct span text, const char *name, struct strbuf *why, route_fn *fn, void *ctx) __attribute__((nonnull(2, 3, 4)));

#endif
