/*
 * gather.h: the certificates and CRLs that an object's chain may need, from wherever they are at hand: beside a file and in the folders above it, below folders that were named, in the store,
 * in the tree of files. Nothing is fetched. The AIA serves to look up issuers here, and for nothing else.
 */
#ifndef RPKI_COMMANDS_GATHER_H
#define RPKI_COMMANDS_GATHER_H

#include "rpki/object/inspect.h"

struct conf;
struct gather;

struct gather_limits {
	uint32_t files;  /* that are looked at in folders */
	uint32_t octets; /* of one object */
	uint32_t above;  /* folders above that of a file */
};
#define GATHER_USUAL ((struct gather_limits){ 200000, 16u << 20, 8 })

void gather_free(struct gather *g) TAKES(1);
struct gather *gather_new(const struct gather_limits *limits) OWNED_BY(gather_free) NONNULL;
DEFINE_AUTO(struct gather, gather_free)

/* The store and the tree of this configuration are looked into from now on; what is not there is not. Trust anchors' certificates are gathered. On an error why has lines. */
RESULT gather_use(struct gather *g, const struct conf *c, struct strbuf *why) NONNULL;
/* All certificates and CRLs below a folder. ERR_SYSTEM, ERR_LIMIT, ERR_NOMEM. */
RESULT gather_below(struct gather *g, const char *folder) NONNULL;
/* Those beside a file, and in the folders above as long as they have some. ERR_NOMEM. */
RESULT gather_around(struct gather *g, const char *path) NONNULL;
/* Issuers and their CRLs, from the object upwards, by the URIs that it and they name; a CRL names none: the manifest beside it does. where: URI or
 * path of the object; "": not known. ERR_NOMEM, ERR_SYSTEM, ERR_FORMAT: of the store. */
RESULT gather_chain(struct gather *g, struct span object, const char *where) NONNULL;

/* What is at hand at a URI, or of a hash. As long as g. ERR_NOTFOUND; ERR_LIMIT, ERR_SYSTEM, ERR_FORMAT, ERR_NOMEM. */
RESULT gather_uri(struct gather *g, struct span uri, struct span *ret) NONNULL;
RESULT gather_hash(struct gather *g, const uint8_t hash[32], struct span *ret) NONNULL;

/* Candidates for rpki_inspect(). */
void gather_context(const struct gather *g, struct inspect_context *ret) NONNULL;
/* Where a certificate among them was found: a path or a URI. */
const char *gather_place(const struct gather *g, struct span cert) BORROWED NONNULL;

#endif
