/*
 * anchors.h: the keeper of trust anchors at run time, on the main loop. It has what the configuration says, what RFC 5011 has learnt since, and what the operator said (negative
 * trust anchors, names made insecure or validated again); from them it makes the struct validation in force, and hands it out whenever it changes.
 *
 *   configuration --.
 *   probes ---------+--> validation in force --> publish(): every worker; what was judged by what no longer holds is dropped
 *   operator -------'
 *
 * It asks, through ask(): for the DNSKEY RRset of each zone of auto-trust-anchor-file: when its time has come; for whether a zone under a negative anchor validates again; and the
 * key tag signals of RFC 8145, whose answers count nothing. Times are wall times: its timer looks at the clock every minute, and when that was set by more than a minute
 * against the one that ages the caches, all verdicts are dropped.
 */
#ifndef RESOLVER_ANCHORS_H
#define RESOLVER_ANCHORS_H

#include "resolver/core/core.h"
#include "resolver/core/validation.h"

struct anchor_keeper;
struct plan;
LOOP_HANDLE(anchor_keeper)

struct anchor_keeper_env {
	struct loop *loop PARENT_FIELD;
	void *user PARENT_FIELD; /* own-ok: R15 the daemon, which outlives its keeper */
	/* From now on v (NULL: nothing is validated) holds. top: what was judged at and below that name is dropped; NULL: all verdicts still hold. An error: it is tried again soon. */
	RESULT (*publish)(void *user, const struct validation *v, const struct name *top);
	/* core_resolve() at a worker. by NULL: as the workers validate, else by that, apart from their caches. */
	RESULT (*ask)(void *user, const struct resolve_request *r, const struct validation *by, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn);
};

void anchor_keeper_close(struct anchor_keeper *k) TAKES(1);
/* Works by p until anchor_keeper_set(). Reads the files of RFC 5011 and of negative anchors. ERR_FORMAT: said in report. */
RESULT anchor_keeper_open(const struct anchor_keeper_env *e, const struct plan *p, struct strbuf *report, struct anchor_keeper **ret) NONNULL;
DEFINE_AUTO(struct anchor_keeper, anchor_keeper_close)
void anchor_keeper_start(struct anchor_keeper *k) NONNULL; /* from now on it may ask */
/* Another plan is in force. afresh: it was read from the file, so what insecure_add and insecure_remove said ends. Publishes. */
void anchor_keeper_set(struct anchor_keeper *k, const struct plan *p, bool afresh) NONNULL;
const struct validation *anchor_keeper_validation(const struct anchor_keeper *k) BORROWED NONNULL; /* in force; NULL: nothing is validated */
/* Of all that verdicts depend on, negative anchors too: for what is saved with them. */
#define ANCHOR_KEEPER_DIGEST 32
void anchor_keeper_digest(const struct anchor_keeper *k, uint8_t ret[ANCHOR_KEEPER_DIGEST]) NONNULL;

/* What the operator says. Names that already are as wanted are fine. */
RESULT anchor_keeper_insecure(struct anchor_keeper *k, struct name name, bool insecure) NONNULL;
/* lifetime 0: nta-lifetime:. ERR_RANGE, ERR_LIMIT, ERR_NOMEM. */
RESULT anchor_keeper_set_negative(struct anchor_keeper *k, struct name name, uint32_t lifetime, bool force) NONNULL;
bool anchor_keeper_remove_negative(struct anchor_keeper *k, struct name name) NONNULL; /* false: there was none */
void anchor_keeper_print_negative(const struct anchor_keeper *k, struct strbuf *out) NONNULL; /* a line each: name, its end, how it ends */
void anchor_keeper_print_insecure(const struct anchor_keeper *k, struct strbuf *out) NONNULL; /* a line each */
void anchor_keeper_print_anchors(const struct anchor_keeper *k, struct strbuf *out) NONNULL;  /* a record each, and the states of RFC 5011 */

#endif
