/* repository_map.h: which repository an object lies in, by its URI: from the publication points of the last run (rpki/validate/collect.h). For counts of payloads by repository. */
#ifndef RPKI_PROCESS_REPOSITORY_MAP_H
#define RPKI_PROCESS_REPOSITORY_MAP_H

#include "rpki/cycle.h"
#include "rpki/serve/status.h"

struct repository_map;

void repository_map_free(struct repository_map *m) TAKES(1);
/* key: that points were noted by; copied. ERR_NOMEM. */
RESULT repository_map_make(const struct cycle_report *r, const struct hash_key *key, struct repository_map **ret) NONNULL;
DEFINE_AUTO(struct repository_map, repository_map_free)
/* tally_payloads() by repository, too. ERR_NOMEM. */
RESULT repository_map_tally(struct repository_map *m, struct status *s, const struct payload_table *validated, const struct payload_table *served) NONNULL;

#endif
