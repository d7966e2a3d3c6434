/*
 * loading.h: the RRset cache as text: what dump_cache prints and load_cache reads. A bundle is a line ";bundle KIND TYPE CLASS TTL NAME", then for each of its RRsets a line
 * ";rrset TYPE RANK" and its RRs in presentation form, signatures among them. Unbound's frame lines (START_RRSET_CACHE, ...) are printed and skipped. What is
 * loaded counts as unchecked, and never replaces what is better.
 */
#ifndef RESOLVER_CONTROL_LOADING_H
#define RESOLVER_CONTROL_LOADING_H

#include "base/clock.h"
#include "base/cursor.h"
#include "base/own.h"

struct bundle;
struct epoch_member;
struct loading;
struct now;
struct rrcache;
struct strbuf;

void loading_print(const struct bundle *b, const struct now *now, struct strbuf *out) NONNULL;

void loading_free(struct loading *l) TAKES(1);
struct loading *loading_new(struct rrcache *c, struct epoch_member *m) OWNED_BY(loading_free) NONNULL;
DEFINE_AUTO(struct loading, loading_free)
/* One line. ERR_FORMAT: it is wrong, and its bundle is left out. */
RESULT loading_line(struct loading *l, struct span line, const struct now *now) __attribute__((nonnull(1, 3)));
/* The last bundle. The number that went into the cache. */
uint64_t loading_end(struct loading *l, const struct now *now) NONNULL;

#endif
