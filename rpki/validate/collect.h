/* collect.h: a sink of validate.h that collects payloads into a table (rpki/routes/table.h), and keeps in words what was refused. */
#ifndef RPKI_VALIDATE_COLLECT_H
#define RPKI_VALIDATE_COLLECT_H

#include "base/cursor.h"
#include "base/hash.h"
#include "base/own.h"
#include "rpki/validate/validate.h"

struct payload_table;
struct unsafe;
struct strbuf;
struct collector;

void collector_free(struct collector *c) TAKES(1);
/* refused: gets a line for each object that was refused, as far as it has room; NULL: nobody wants them. It outlives the collector. */
struct collector *collector_new(struct strbuf *refused) OWNED_BY(collector_free);
DEFINE_AUTO(struct collector, collector_free)
struct validate_sink *collector_sink(struct collector *c) BORROWED NONNULL; /* as long as the collector */
/*
 * Publication points, by a hash of their folder's URI, each time that one was looked at: kept only when somebody gives a key. For the loss guard (rpki/guard.h).
 */
struct point_fact {
	uint64_t id, parent; /* parent 0: the trust anchor is above it */
	uint32_t repository; /* which of collector_repositories(); NO_REPOSITORY: that was one too many */
	bool failed;
};
#define NO_REPOSITORY UINT32_MAX
void collector_note_points(struct collector *c, const struct hash_key *key) NONNULL; /* key outlives it */
const struct point_fact *collector_points(const struct collector *c, size_t *ret_n) BORROWED NONNULL;
/* What the publication points of a repository have, each time that one was looked at. */
struct repository_fact {
	const char *uri BORROWED_FIELD; /* of the notification; of what rsync alone has: of the module, with its last slash */
	uint64_t points, points_failed, points_kept;
	uint64_t valid[COUNTED], invalid[COUNTED], wanting[WANTINGS];
};
void collector_by_module(struct collector *c) NONNULL; /* all of them are modules: notifications do not count */
#define COLLECTOR_REPOSITORIES 10000u /* of them */
const struct repository_fact *collector_repositories(const struct collector *c, size_t *ret_n) BORROWED NONNULL;
/* Of the point that an object lies in: by its URI up to the last '/'. Never 0. */
uint64_t point_id(const struct hash_key *key, struct span uri) NONNULL;
/* Of which resources the CAs that failed were, from now on (rpki/validate/unsafe.h): x is given them, and outlives the collector. */
void collector_note_unsafe(struct collector *c, struct unsafe *x) NONNULL;
/* What was collected; the collector is empty then. ERR_NOMEM. */
RESULT collector_finish(struct collector *c, uint64_t generation, struct payload_table **ret) NONNULL;

#endif
