/* source.h: what readers of announced routes (mrt.h, route_text.h, asn_db.h) have in common: whom they tell, and what they count. */
#ifndef RPKI_ROUTES_SOURCE_H
#define RPKI_ROUTES_SOURCE_H

#include "base/addr.h"
#include "base/cursor.h"

struct source_sink {
	/* origin 0: an AS_SET. An error ends the reading. */
	RESULT (*route)(struct source_sink *s, const struct prefix *p, uint32_t origin);
};

struct source_counts {
	uint64_t routes;   /* told */
	uint64_t passed;   /* records of other kinds */
	uint64_t bad;      /* records or lines that do not hold together, and were left out */
	uint64_t first_bad; /* where the first one is: octet of a file of records, line of a text, from 1; 0: none */
};

#endif
