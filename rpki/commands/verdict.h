/* verdict.h: the verdict on a route (RFC 6811) with the VRPs that decide, in words and as Routinator's JSON. */
#ifndef RPKI_COMMANDS_VERDICT_H
#define RPKI_COMMANDS_VERDICT_H

#include "base/strbuf.h"
#include "rpki/routes/validity.h"

struct judged_route {
	struct prefix prefix;
	uint32_t origin;
};

/* {"route": ..., "validity": ...}, over several lines, each but the first behind `indent`. No line end behind it. */
void verdict_json(const struct validity_index *x, const struct judged_route *r, const char *indent, struct strbuf *out) NONNULL;
/* "192.0.2.0/24 AS64496: valid", and with `evidence` a line for each VRP that covers the prefix, with its sources. */
void verdict_text(const struct validity_index *x, const struct judged_route *r, bool evidence, struct strbuf *out) NONNULL;

#endif
