/*
 * bindkeys.h: trust anchors in the form of BIND's bind.keys: the clauses trusted-keys, managed-keys and trust-anchors (all that other clauses say is passed
 * over). They are rewritten as zone-file text, which anchors.h reads and checks. Text from outside.
 */
#ifndef VALIDATOR_BINDKEYS_H
#define VALIDATOR_BINDKEYS_H

#include "base/cursor.h"
#include "base/own.h"

struct strbuf;

/* Adds a line "NAME IN DNSKEY|DS ..." to out for each entry. Initial and static entries count alike: nothing is followed from here. ERR_FORMAT: a line "where:LINE: found ...,
 * expected ..." is in report. ERR_LIMIT, ERR_NOMEM. */
RESULT bindkeys_text(const char *where, struct span text, struct strbuf *out, struct strbuf *report) NONNULL;

#endif
