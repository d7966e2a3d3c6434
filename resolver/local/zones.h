/*
 * zones.h: the inside of struct local_zones, for the files of this folder: local.c answers, build.c makes and changes, defaults.c knows the special names, hosts.c
 * reads files in the form of /etc/hosts, print.c lists.
 */
#ifndef RESOLVER_LOCAL_ZONES_H
#define RESOLVER_LOCAL_ZONES_H

#include "resolver/local/local.h"
#include "resolver/local/nametable.h"

/* What is said of one name. It exists while it has data or a name below it has (an empty non-terminal). */
struct local_node {
	struct named named;
	const struct rrset **sets ARENA_FIELD;
	size_t count;
	size_t below; /* nodes with data strictly below it */
};

/* local-zone-override: for clients in a network the zone has another type. */
struct local_override {
	struct local_override *next ARENA_FIELD;
	struct prefix clients;
	enum local_type type;
};

struct local_zone {
	struct named named;
	enum local_type type;
	struct local_override *overrides ARENA_FIELD;
	bool implicit; /* made by local-data outside of every zone */
	bool gone;
};

struct local_zones {
	struct arena *arena OWNED_FIELD; /* all of what follows but the tables' slots */
	struct nametable zones;          /* struct local_zone */
	struct nametable nodes;          /* struct local_node */
	struct nametable tops;           /* struct named: the top labels that have zones below them */
	bool root_zone;                  /* a zone for "." covers every name */
	unsigned int max_labels;         /* of any zone */
	size_t zone_count;
	const struct rrset *null_a ARENA_FIELD;    /* what always_null answers: owner "." */
	const struct rrset *null_aaaa ARENA_FIELD;
	bool log_actions;                /* log-local-actions */
};

static inline struct local_zone *local_zone_of(struct named *n) BORROWED;
static inline struct local_node *local_node_of(struct named *n) BORROWED;
static inline struct local_zone *local_zone_of(struct named *n) { return (struct local_zone *)(void *)n; }
static inline struct local_node *local_node_of(struct named *n) { return (struct local_node *)(void *)n; }

/* The closest zone at or above n; NULL: none. */
const struct local_zone *local_find_zone(const struct local_zones *z, struct name n, uint16_t rclass) BORROWED NONNULL;
const struct local_node *local_find_node(const struct local_zones *z, struct name n, uint16_t rclass) BORROWED NONNULL;
const struct rrset *local_node_set(const struct local_node *n, uint16_t type) BORROWED NONNULL;

RESULT local_zones_new(struct local_zones **ret_zones) NONNULL;
/* ERR_NOTFOUND: no such zone. */
RESULT local_add_override(struct local_zones *z, struct name zone, uint16_t rclass, const struct prefix *clients, enum local_type t) NONNULL;
RESULT local_add_rr(struct local_zones *z, struct name owner, uint16_t type, uint16_t rclass, uint32_t ttl, struct span rdata) NONNULL;

/* The zones of RFC 6761, RFC 6303 and kin, but for those named in a local-zone: option. lan: also those of private networks. */
RESULT local_add_defaults(struct local_zones *z, bool lan) NONNULL;
/* Names and addresses of a file in the form of /etc/hosts; lines that are wrong are said in report and left out. ERR_NOTFOUND: no such file. */
RESULT local_add_hosts(struct local_zones *z, const char *path, struct strbuf *report) NONNULL;
/* "ADDRESS [TTL] NAME", as local-data-ptr: has it. */
RESULT local_add_ptr(struct local_zones *z, const char *text, const char **ret_msg) NONNULL;
/* The name of an address in in-addr.arpa or ip6.arpa (RFC 1035 section 3.5, RFC 3596 section 2.5). */
RESULT local_reverse_name(const struct addr *a, struct name_buf *ret_name) NONNULL;

#endif
