/*
 * status.h: the facts of the last run, for people and machines to look at: whole, of each trust anchor and of each repository. Filled by who runs (rpki/cycle.h), shown by
 * who serves (http.h), and as flat octets on the way between their processes, where it is foreign data like any other.
 *
 * Everything lives in the status: texts given to status_text() are copied. Times are seconds since 1970, 0: not known or never.
 */
#ifndef RPKI_SERVE_STATUS_H
#define RPKI_SERVE_STATUS_H

#include "base/arena.h"
#include "base/cursor.h"
#include "rpki/validate/validate.h"

#define STATUS_OCTETS_MAX ((size_t)64 << 20) /* of the flat form */
#define STATUS_LOG_MAX ((size_t)32 << 20)    /* of its log */
#define STATUS_LISTED_MAX 1000000u           /* anchors, repositories or alarms */

struct strbuf;

/* Payloads by kind, IPv4 and IPv6 VRPs apart. */
enum status_payload { STATUS_V4, STATUS_V6, STATUS_KEYS, STATUS_ASPAS, STATUS_PAYLOADS };

struct status_payloads {
	uint64_t valid;       /* in valid objects, those that occur more than once counted each time */
	uint64_t duplicate;   /* of these: counted for an earlier object already */
	uint64_t filtered;    /* of the rest: taken away by local exceptions */
	uint64_t contributed; /* what is left, and served */
	uint64_t unsafe;      /* of the valid ones: VRPs that overlap a refused CA. With unsafe-vrps: reject they are not served */
};

/* Objects that a trust anchor or a repository has. */
struct status_objects {
	uint64_t points, points_failed; /* publication points; failed: neither what is published is good, nor what was */
	uint64_t points_kept;           /* what is published is not good, and the last good state was used */
	uint64_t valid[COUNTED], invalid[COUNTED];
	uint64_t stale_manifests, stale_crls, missing_manifests; /* as published, whatever serves instead; stale ones are invalid as well */
};

struct status_anchor {
	struct status_anchor *next ARENA_FIELD;
	const char *name ARENA_FIELD;
	bool usable;
	int64_t not_after;  /* of its certificate */
	uint64_t limits;    /* times that a limit has bitten */
	uint64_t held_back; /* payloads that the loss guard keeps served */
	struct status_objects objects;
	struct status_payloads payloads[STATUS_PAYLOADS];
};

enum status_way { STATUS_RRDP, STATUS_RSYNC, STATUS_HTTPS /* the certificate of a trust anchor */, STATUS_WAYS };
enum status_outcome {
	STATUS_FAILED,
	STATUS_UNCHANGED, /* not modified, or the same serial */
	STATUS_DELTAS,
	STATUS_SNAPSHOT,
	STATUS_FETCHED,   /* by rsync, or a certificate */
	STATUS_NOT_TRIED, /* put off: it failed too often, or a limit */
	STATUS_OUTCOMES
};

struct status_repository {
	struct status_repository *next ARENA_FIELD;
	const char *uri ARENA_FIELD;    /* of the notification, or rsync: */
	const char *anchor ARENA_FIELD; /* name of the first trust anchor that led there */
	const char *why ARENA_FIELD;    /* it failed, or deltas would not do; "" */
	enum status_way way;
	enum status_outcome outcome;
	bool fallback;                  /* rsync stands in for RRDP */
	int64_t tried, succeeded;       /* when the last attempt ended, and the last good one */
	uint64_t duration_ms;
	int32_t http_status;            /* of the notification, or certificate; 0: not asked, -1: no answer */
	int32_t http_payload_status;    /* of the last delta or snapshot; likewise */
	int32_t exit_status;            /* of rsync; -1: none */
	const char *session ARENA_FIELD; /* of RRDP; "" */
	uint64_t serial;                /* of RRDP; 0: not known */
	uint32_t deltas;                /* that were applied */
	uint32_t failures;              /* runs in a row, the last one among them */
	uint32_t patience_ms;           /* so long a first answer was waited for, since it had failed before; 0: as long as for all */
	uint64_t octets;                /* that came */
	uint64_t objects_new, objects_withdrawn;
	struct status_objects objects;
	struct status_payloads payloads[STATUS_PAYLOADS];
};

enum status_gravity { STATUS_NOTE, STATUS_WARNING, STATUS_ALARM, STATUS_GRAVITIES };
struct status_alarm {
	struct status_alarm *next ARENA_FIELD;
	enum status_gravity gravity;
	int64_t since;
	const char *what ARENA_FIELD; /* one line */
};

struct status {
	struct arena *arena OWNED_FIELD;
	uint64_t runs;                      /* since the start, this one included */
	int64_t run_start, run_done, run_next;
	uint64_t run_ms;
	int64_t table_time;                 /* when the table that is served was validated: its age */
	uint64_t limits;                    /* times that a limit has bitten, of all */
	uint64_t remembered, validated;     /* publication points taken from memory, and looked at anew */
	uint64_t objects_stored, octets_stored; /* in the store */
	const char *log ARENA_FIELD;        /* what the log said of the run (rpki/run_log.h); "" */
	uint64_t customers_withheld;        /* ASPA customers with too many providers */
	struct status_payloads exceptions[STATUS_PAYLOADS]; /* added by local exceptions: valid and contributed */
	struct status_payloads total[STATUS_PAYLOADS];      /* of all anchors and exceptions */
	struct status_anchor *anchors ARENA_FIELD;
	struct status_repository *repositories ARENA_FIELD;
	struct status_alarm *alarms ARENA_FIELD;
	/* Where each list ends. */
	struct status_anchor *last_anchor ARENA_FIELD;
	struct status_repository *last_repository ARENA_FIELD;
	struct status_alarm *last_alarm ARENA_FIELD;
	size_t nanchors, nrepositories, nalarms;
};

void status_free(struct status *s) TAKES(1);
struct status *status_new(void) OWNED_BY(status_free);
DEFINE_AUTO(struct status, status_free)
/* Each is put at the end of its list, empty but for what is given. NULL: out of memory. */
struct status_anchor *status_add_anchor(struct status *s, const char *name) BORROWED NONNULL;
struct status_repository *status_add_repository(struct status *s, const char *uri) BORROWED NONNULL;
struct status_alarm *status_add_alarm(struct status *s, enum status_gravity g, int64_t since, const char *what) BORROWED NONNULL;
/* The one of that URI, looked for from `from` on (NULL: from the first), all of them once. NULL: there is none. */
struct status_repository *status_find_repository(const struct status *s, struct status_repository *from, const char *uri) BORROWED __attribute__((nonnull(1, 3)));
/* Alarms that `before` had too, word for word, have lasted since then. */
void status_carry_alarms(struct status *s, const struct status *before) NONNULL;
const char *status_text(struct status *s, const char *text) IN_ARENA __attribute__((nonnull(1))); /* a copy; "" when memory is out, or for NULL */

/* Appends. ERR_NOMEM, ERR_LIMIT. */
RESULT status_encode(const struct status *s, struct strbuf *out) NONNULL;
/* ERR_FORMAT: it is not one, or one of another version of this program; ERR_LIMIT; ERR_NOMEM. */
RESULT status_decode(struct span octets, struct status **ret_status) NONNULL;

/* Another with the same facts. */
RESULT status_copy(const struct status *s, struct status **ret) NONNULL;

const char *status_way_text(enum status_way w) BORROWED;         /* "rrdp", "rsync", "https" */
const char *status_outcome_text(enum status_outcome o) BORROWED; /* "failed", "unchanged", "deltas", "snapshot", "fetched", "not-tried" */

#endif
