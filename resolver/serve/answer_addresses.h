/* answer_addresses.h: the addresses that a client of an RRset may connect to: A, AAAA, and the hints of SVCB and HTTPS (RFC 9460 section 7.3). */
#ifndef RESOLVER_SERVE_ANSWER_ADDRESSES_H
#define RESOLVER_SERVE_ANSWER_ADDRESSES_H

#include "base/addr.h"
#include "dns/rrset.h"

/* fn is called for each, IPv6 that is IPv4 as the latter, until it says false. False: it did. */
typedef bool answer_address_fn(void *ctx, const struct addr *a);
bool answer_addresses(const struct rrset *rs, answer_address_fn *fn, void *ctx) __attribute__((nonnull(1, 2)));

#endif
