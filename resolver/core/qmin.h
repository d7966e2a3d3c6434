/*
 * qmin.h: QNAME minimisation (RFC 9156): which part of the name the servers of a zone are shown. A step shows one label more, or a share of the many left
 * (section 2.3); once the servers of a zone do not bear it, they are asked the whole question.
 */
#ifndef RESOLVER_CORE_QMIN_H
#define RESOLVER_CORE_QMIN_H

#include "dns/msg.h"

struct core_settings;

struct qmin {
	uint32_t steps;       /* minimised questions of this name so far */
	unsigned int labels;  /* of the name that were shown last; at first those of the zone */
	bool off;             /* the servers of this zone get the whole question */
	bool by_ns;           /* a last try: minimised, and asked for NS */
	bool above;           /* step by step, whatever is configured: servers astride the zone above spoke for the zone whose DS is asked for */
};

void qmin_enter_zone(struct qmin *m, struct name zone) NONNULL;
/* What to ask: the question itself, or fewer labels of its name with type A. plain: no minimisation (forwarders, priming). */
struct question qmin_question(struct qmin *m, const struct core_settings *s, const struct question *q, bool plain) NONNULL;
/* The servers of this zone answered for the DS's own zone: the zone above it is looked for from here on, one label at a time. */
void qmin_look_above(struct qmin *m, struct name zone) NONNULL;
/* The answer to the last step was no referral: the next question shows more. */
void qmin_advance(struct qmin *m, const struct question *asked) NONNULL;

#endif
