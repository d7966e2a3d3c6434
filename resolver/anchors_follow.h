/*
 * anchors_follow.h: the files of auto-trust-anchor-file: while the daemon runs: read, kept in memory, written when a probe has changed them. Each write is atomic and durable. A file
 * that is damaged is left as it is and said.
 */
#ifndef RESOLVER_ANCHORS_FOLLOW_H
#define RESOLVER_ANCHORS_FOLLOW_H

#include "conf/conf.h"
#include "validator/chain.h"
#include "validator/rfc5011.h"

struct followed {
	char *path OWNED_FIELD;
	struct autotrust *t OWNED_FIELD;
	bool asking;  /* a probe is under way */
	bool unsaved; /* the file is behind */
};
struct follow {
	struct followed *list OWNED_FIELD;
	const struct autotrust **states OWNED_FIELD; /* in order, for an anchor_overlay */
	size_t n;
	struct ta_policy policy;
};
void follow_done(struct follow *f) NONNULL;
/* Reads the files anew, but for those of `before` that could not be written. ret is initialised by it. Errors as of anchor_sources_auto(). */
RESULT follow_read(const struct conf_clause *c, struct follow *before, struct strbuf *report, struct follow *ret) __attribute__((nonnull(1, 3, 4)));
/* What a probe of entry i brought; NULL: no answer. The file is written. True: the set of anchors has changed. Changes and failures are logged. */
bool follow_take(struct follow *f, size_t i, const struct val_policy *v, const struct rrset *dnskeys, int64_t wall) __attribute__((nonnull(1, 3)));
void follow_save(struct followed *f) NONNULL;

#endif
