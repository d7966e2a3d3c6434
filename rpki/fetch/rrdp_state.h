/*
 * rrdp_state.h: what is remembered of a repository between two runs: session, serial, the tags of its notification file, and the hashes of its deltas, by which one
 * that was changed after the fact is seen (RFC 9697). Kept as octets beside the data in the store; what cannot be read is as if there were nothing.
 */
#ifndef RPKI_FETCH_RRDP_STATE_H
#define RPKI_FETCH_RRDP_STATE_H

#include "rpki/fetch/rrdp_read.h"

#define RRDP_TAG_MAX 512u /* octets of an ETag or Last-Modified; longer ones are not remembered */

struct rrdp_state {
	char session[RRDP_SESSION + 1]; /* "": nothing is known */
	uint64_t serial;
	char etag[RRDP_TAG_MAX + 1], modified[RRDP_TAG_MAX + 1]; /* "": none */
	struct rrdp_delta_ref *deltas OWNED_FIELD; /* by rising serial, without URIs */
	size_t count;
};

void rrdp_state_free(struct rrdp_state *s) TAKES(1);
/* NULL: out of memory. Octets that are no state give one without a session. */
struct rrdp_state *rrdp_state_read(struct span octets) OWNED_BY(rrdp_state_free);
DEFINE_AUTO(struct rrdp_state, rrdp_state_free)

void rrdp_state_set_tags(struct rrdp_state *s, const char *etag, const char *modified) NONNULL; /* "": none */
/* Takes over session, serial and hashes of a notification. ERR_NOMEM: nothing was changed. */
RESULT rrdp_state_follow(struct rrdp_state *s, const struct rrdp_notification *n) NONNULL;
/* Whether a delta that was known under its serial has another hash now (RFC 9697 section 2); *ret_serial is the first such. */
bool rrdp_state_differs(const struct rrdp_state *s, const struct rrdp_notification *n, uint64_t *ret_serial) NONNULL;
/* As octets, in place of what is in out. */
RESULT rrdp_state_write(const struct rrdp_state *s, struct strbuf *out) NONNULL;

#endif
