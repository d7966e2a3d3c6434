/*
 * route_text.h: announced routes as lines of text, in pieces of any size. Three forms are told apart line by line, with blanks, tabs or commas between the words:
 *
 *   192.0.2.0/24 64496          prefix, origin
 *   64496  192.0.2.0/24  311    origin, prefix, and what else there may be: RIS whois dumps
 *   192.0.2.0  24  64496_64497  address, length, origins: CAIDA's pfx2as
 *
 * An origin may have "AS" before it. Several stand apart by '_'; "{64496,64497}" or "64496,64497" in the third form is an AS_SET. What begins with '#', '%' or ';' is a comment. Of
 * a first line of words that are no numbers (a table's head) nothing is said.
 */
#ifndef RPKI_ROUTES_ROUTE_TEXT_H
#define RPKI_ROUTES_ROUTE_TEXT_H

#include "rpki/routes/source.h"

struct route_text;

#define ROUTE_LINE_MAX 4096u /* octets of a line; longer ones are bad */

void route_text_free(struct route_text *t) TAKES(1);
/* to: outlives the reader. */
struct route_text *route_text_new(struct source_sink *to) OWNED_BY(route_text_free) NONNULL;
DEFINE_AUTO(struct route_text, route_text_free)
/* ERR_NOMEM, or what the sink said. Bad lines are counted. */
RESULT route_text_feed(struct route_text *t, struct span text) NONNULL;
/* At the end. ERR_FORMAT: there was no route, or more bad lines than good ones. */
RESULT route_text_end(struct route_text *t) NONNULL;
const struct source_counts *route_text_counts(const struct route_text *t) BORROWED NONNULL;

/* "AS64496", "as64496" or "64496". */
bool route_text_asn(struct span s, uint32_t *ret) NONNULL;

#endif
