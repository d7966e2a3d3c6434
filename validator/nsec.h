/*
 * nsec.h: what one NSEC record says (RFC 4034 section 4, RFC 6840 section 4, RFC 9824). nsec_read() is the gate: a record that could speak about names
 * that its zone has no say over does not come through it. denial.c puts what comes through together to proofs.
 */
#ifndef VALIDATOR_NSEC_H
#define VALIDATOR_NSEC_H

#include "dns/rrset.h"

/* A type bit map of NSEC and NSEC3 (RFC 4034 section 4.1.2). A malformed one has no types from the fault on. */
bool bitmap_has(struct span bitmap, uint16_t type);
/* Some type is set besides RRSIG, NSEC and NXNAME. */
bool bitmap_has_data(struct span bitmap);
/* Compact denial: the record that matches a name, NSEC or NSEC3, says that the name is not there (RFC 9824 sections 3 and 4). */
bool bitmap_is_nxname(struct span bitmap);
/* The parent's side of a cut: NS is set and SOA is not. */
bool bitmap_is_cut(struct span bitmap);
/* The bit map, at a name that exists and was not reached through a cut, says that there is no RRset of this type (RR_ANY: of any): neither it nor CNAME is set, and it
 * speaks with authority for the type: DS is denied by the parent only (never by a record with SOA, but for the root's), all others below a cut by
 * the child only (RFC 4035 section 5.4, RFC 6840 section 4.1). */
bool bitmap_denies(struct span bitmap, uint16_t type, bool root);

/* Whether the signatures that came with the set are of zone, and none of them is for a set expanded from a wildcard, which is as good as an NSEC or
 * NSEC3 that the zone does not have (RFC 4035 section 5.3.4). The class is IN and the set is marked SECURITY_SECURE. */
bool denial_set_is_of(const struct rrset *rs, struct name zone) NONNULL;

struct nsec {
	struct name owner;
	struct name next;
	struct span types;
	const struct rrset *set BORROWED_FIELD;
	bool last; /* next is the apex: all names of the zone behind owner are covered */
};

/* ERR_REFUSED: not fit as a proof for this zone: owner or next name outside of it, next name not behind owner though no apex, SOA below the apex,
 * several records under one name; ERR_FORMAT. What is found borrows from rs. */
RESULT nsec_read(const struct rrset *rs, struct name zone, struct nsec *ret) NONNULL;
bool nsec_matches(const struct nsec *n, struct name name) NONNULL;
/* name, which is in the zone, is between owner and next, and it is the zone's to say so: owner is no cut and has no DNAME above name (RFC 6840
 * section 4.1, RFC 6672 section 5.3.4.1). The name may still be an empty non-terminal. */
bool nsec_covers(const struct nsec *n, struct name name) NONNULL;
/* A covered name that exists all the same, without any RRset: the next name is below it. */
bool nsec_shows_empty(const struct nsec *n, struct name name) NONNULL;
/* Labels of the closest encloser of a covered name: its longest ancestor that owner or next show to exist. */
unsigned int nsec_encloser_labels(const struct nsec *n, struct name name) NONNULL;

#endif
