/*
 * names.h: addresses of names, as the system knows them: getaddrinfo, so that /etc/hosts, resolv.conf and with it cairnd count. It blocks, so it runs in a few threads of its
 * own; what they find is posted to the loop. A look-up that hangs holds its thread until the system gives up, and nobody else: whoever asked has a deadline of their own.
 */
#ifndef RPKI_FETCH_NAMES_H
#define RPKI_FETCH_NAMES_H

#include "base/addr.h"
#include "base/loop.h"

#define NAMES_ADDRESSES 8 /* of one name; more are left out */
#define NAMES_HOST_MAX 256u

struct names;

struct names_answer {
	struct addr a[NAMES_ADDRESSES]; /* in the system's order (RFC 6724) */
	size_t n;                       /* 0: none */
	char why[128];                  /* ... and why */
};

/* In place of getaddrinfo, in any thread. */
typedef void names_lookup_fn(const char *host, struct names_answer *ret);
typedef void names_fn(struct loop *l, void *object, const struct names_answer *a);

void names_free(struct names *n) TAKES(1); /* no answer follows; what hangs ends by itself */
/* threads 0: each look-up is done at once, by the caller, and told in a later turn (for tests). lookup NULL: getaddrinfo. */
struct names *names_new(struct loop *l, unsigned int threads, names_lookup_fn *lookup) OWNED_BY(names_free) __attribute__((nonnull(1)));
DEFINE_AUTO(struct names, names_free)
/* fn hears once, in a later turn, unless the object is gone by then. ERR_NOMEM, ERR_RANGE: a name that is too long, or none; ERR_SYSTEM: no thread. */
RESULT names_ask(struct names *n, const char *host, const struct loop_type *t, uint64_t who, names_fn *fn) NONNULL;

#endif
