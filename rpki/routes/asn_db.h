/*
 * asn_db.h: a database of autonomous systems in MaxMind's format (GeoLite2-ASN, DB-IP, IPinfo): networks and the AS that they are thought to be of. That is no announcement: a
 * network's length says nothing of a route's.
 *
 * libmaxminddb maps files, and dies with one that is cut short under it, or whose own word of its size is too large (1.7.1: a node count of 2^31); so this is a reader of its own. The tree
 * is walked with a budget, for what a file says of itself is not believed: nodes that are their own descendants, or have several parents, end the reading. Networks of IPv4 are told
 * once, not at the places of IPv6 that such a database points back from.
 */
#ifndef RPKI_ROUTES_ASN_DB_H
#define RPKI_ROUTES_ASN_DB_H

#include "rpki/routes/source.h"

struct announced_edit;
struct strbuf;

struct asn_db_limits {
	size_t octets;     /* of a file */
	uint64_t networks;
};
struct asn_db_limits asn_db_limits_default(void); /* 1 GiB, 20 million */

/*
 * Tells each network with an AS. counts: networks told; passed: those without an AS number; bad: places that do not hold together. ERR_FORMAT: this is no such database, or its tree is none;
 * ERR_LIMIT: more networks than allowed; or what the sink said.
 */
RESULT asn_db_read(struct span octets, const struct asn_db_limits *limits, struct source_sink *to, struct source_counts *ret_counts) NONNULL;

/* Adds the networks of the file at path to the edit as routes of this source, as route_file_load does. */
RESULT asn_db_load(const char *path, const struct asn_db_limits *limits, struct announced_edit *e, uint32_t source, struct strbuf *what) NONNULL;

#endif
