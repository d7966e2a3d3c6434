/* explain_words.h: findings in words: what is wrong with a set or a link, and what whoever runs the zone can do about it. */
#ifndef RESOLVER_CORE_EXPLAIN_WORDS_H
#define RESOLVER_CORE_EXPLAIN_WORDS_H

#include "resolver/core/explain.h"

/* "2026-11-18T12:00:00Z, 3 days ago". Neither gives NULL: when memory is short they are empty. */
const char *explain_when(struct arena *a, int64_t when, int64_t now) IN_ARENA NONNULL;
const char *explain_name(struct arena *a, struct name n) IN_ARENA NONNULL; /* as in a sentence: without its final dot, cut when it is very long */
/* The fault of a set that should be signed by zone. `wall`: now. */
struct explain_finding explain_bad_set(struct arena *a, const struct explain_set *s, struct name zone, int64_t wall) NONNULL;
/* No link names a key of z that can be used. */
struct explain_finding explain_bad_links(struct arena *a, const struct explain_zone *z, struct name parent) NONNULL;
/* A proof that proves too little, or is not signed well. about: "that there is no www.example.com A" */
struct explain_finding explain_bad_proof(struct arena *a, const struct explain_proof *p, struct name zone, const char *about, int64_t wall) NONNULL;
/* Why z is insecure though the zone above is signed. */
struct explain_finding explain_insecure_cut(struct arena *a, const struct explain_zone *z, struct name parent) NONNULL;
/* Its DS records have nothing that is validated. */
struct explain_finding explain_unusable_links(struct arena *a, const struct explain_zone *z, uint16_t ede) NONNULL;
struct explain_finding explain_configured(struct arena *a, const struct explain_zone *z, int64_t wall) NONNULL; /* not ANCHOR_KEYS */

#endif
