/*
 * anchors_probe.h: what a zone's DNSKEY RRset says to the trust anchors that follow it (RFC 5011): verified by the anchors, then given to the state machine of validator/rfc5011.h.
 * No I/O.
 */
#ifndef RESOLVER_ANCHORS_PROBE_H
#define RESOLVER_ANCHORS_PROBE_H

#include "validator/chain.h"
#include "validator/rfc5011.h"

#define PROBE_WORK (2000u * WORK_UNIT) /* a probe is days away from the next one: it may cost */

/* dnskeys NULL: nobody answered. *ret_changed: the set of anchors differs. *ret_verdict: what was found of the signatures. ERR_NOMEM, ERR_BUDGET, ERR_LIMIT: it counts as unanswered. */
RESULT anchors_probe(struct autotrust *t, const struct ta_policy *p, const struct val_policy *v, const struct rrset *dnskeys, int64_t wall, bool *ret_changed,
    enum sig_verdict *ret_verdict) __attribute__((nonnull(1, 2, 3, 6, 7)));
/* The time that signatures are compared with. */
struct sig_time anchors_time(const struct val_policy *v, int64_t wall) NONNULL;

#endif
