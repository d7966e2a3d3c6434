/* settings.h: what the clause rpki: of the configuration means for fetching, the store and a run. */
#ifndef RPKI_SETTINGS_H
#define RPKI_SETTINGS_H

#include "rpki/cycle.h"
#include "rpki/fetch/fetcher_direct.h"
#include "rpki/fetch/patience.h"
#include "rpki/store/store.h"

struct conf;
struct conf_clause;

/* Texts are the configuration's. What its caller has of its own (trust, rsync_dir) is left NULL. ERR_FORMAT: https-proxy: is no address. */
RESULT settings_fetcher(const struct conf *c, struct fetcher_direct_options *ret) NONNULL;
/* All limits, threads and switches; the rest is left empty. */
struct cycle_options settings_cycle(const struct conf *c) NONNULL;
struct patience_options settings_patience(const struct conf_clause *rpki) NONNULL;
enum unsafe_policy settings_unsafe(const struct conf_clause *rpki) NONNULL;
struct validate_limits settings_validate(const struct conf_clause *rpki) NONNULL;
/* The trust anchor locators of tal-dir: and tal:, as locators_load() reads them (engine.h). */
RESULT settings_load_locators(const struct conf_clause *rpki, struct strbuf *why, struct locators **ret) NONNULL;
/* The same; what is wrong goes to the log. */
RESULT settings_locators(const struct conf_clause *rpki, struct locators **ret) NONNULL;
struct store_limits settings_store(const struct conf *c) NONNULL;

/* The folder of rsync's trees in a cache. */
char *settings_rsync_dir(const char *cache) OWNED_BY(mem_free) NONNULL;

#endif
