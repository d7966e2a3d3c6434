/*
 * encode.h: dnstap's protobuf messages. A writer of our own, because the packet path allows no allocation: it says first how long a message will be and then writes it where it
 * shall stand, in the queue. It writes the few field forms that the schema has; tests decode with libprotobuf-c.
 */
#ifndef RESOLVER_DNSTAP_ENCODE_H
#define RESOLVER_DNSTAP_ENCODE_H

#include "resolver/dnstap/event.h"

struct policy_note;

#define TAP_POLICY_MAX 600u /* octets of an encoded policy, at most */

/* Octets of the whole, and of the message in it. */
struct tap_size {
	size_t all, message;
};
struct tap_size tap_encode_size(const struct tap_event *e) NONNULL;
/* Writes it: n is of tap_encode_size(), room has n->all octets. */
void tap_encode(const struct tap_event *e, const struct tap_size *n, uint8_t *room) NONNULL;
/* The Policy of a message; returns its octets. */
size_t tap_encode_policy(const struct policy_note *n, uint8_t room[TAP_POLICY_MAX]) NONNULL;

#endif
