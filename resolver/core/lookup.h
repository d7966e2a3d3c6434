/*
 * lookup.h: what the RRset cache knows about a question: the answer, behind aliases or not; that there is none (RFC 2308), also because a name above does not
 * exist (RFC 8020) or lies in a gap between names that do (RFC 8198); that asking failed lately (RFC 9520); or how far along the aliases one has to go on asking.
 */
#ifndef RESOLVER_CORE_LOOKUP_H
#define RESOLVER_CORE_LOOKUP_H

#include "base/clock.h"
#include "resolver/cache/rrcache.h"
#include "resolver/core/draft.h"

struct core_settings;
struct denials;
struct denied_answer;
struct nsec3_hasher;
struct validation;

enum lookup_kind {
	LOOKUP_NOTHING, /* ask servers about `name` */
	LOOKUP_ANSWER,
	LOOKUP_NODATA,
	LOOKUP_NXDOMAIN,
	LOOKUP_FAILURE, /* it failed, and it is too early to try again */
	LOOKUP_LOOP,    /* the aliases lead to themselves, or too far */
	LOOKUP_TOO_LONG, /* a DNAME makes a name of more than 255 octets: YXDOMAIN */
	LOOKUP_UNCHECKED, /* with LOOKUP_CHECKED: `unchecked` is to be validated first, then look again from `name` on */
};

#define LOOKUP_STALE 1u       /* expired records will do, where fresh ones are missing */
#define LOOKUP_NO_FAILURES 2u /* do not look at failures */
#define LOOKUP_CHECKED 4u     /* only what the validator has seen; without it, failures of validation do not count either */
#define LOOKUP_REJUDGE 8u     /* with LOOKUP_CHECKED: nothing has been seen, so that the validator learns from it again */

#define DNAME_GRACE_SEC 2u /* a DNAME with a TTL of 0 is kept for the other names of the same burst, and told with a TTL of 0 all the same */

struct lookup {
	struct rrcache *cache PARENT_FIELD;
	struct denials *denials PARENT_FIELD;       /* with LOOKUP_CHECKED: aggressive use; NULL: not */
	struct nsec3_hasher *hasher BORROWED_FIELD; /* with denials, as the next */
	const struct validation *validation BORROWED_FIELD;
	const struct core_settings *settings SHARED_FIELD;
	const struct now *now BORROWED_FIELD;
	struct arena *arena BORROWED_FIELD;
	struct draft *draft BORROWED_FIELD; /* sets found are copied into it */
	unsigned int flags;
	uint16_t type;
	struct name name;     /* in: what is asked for; out: the end of the aliases */
	uint32_t aliases_left; /* in and out */
	bool stale;           /* out: something had expired */
	struct epoch_member *prolong BORROWED_FIELD; /* NULL, or who lets what has expired and is found be served for longer */
	bool authority_kept;  /* out: the entry had what stood beside the answer */
	bool synthesized;     /* out: the answer was made from denials of other names */
	const struct bundle *failure BORROWED_FIELD; /* LOOKUP_FAILURE */
	const struct bundle *unchecked BORROWED_FIELD; /* LOOKUP_UNCHECKED */
	struct name floor, floor_from; /* lookup.c's own: found once for a name */
};
/* What the denials of other names say of the name, unless configuration has put it out of their reach (NTA, domain-insecure). */
void lookup_denied(struct lookup *k, struct denied_answer *ret) NONNULL;
/* ERR_NOMEM: the arena is full. */
RESULT lookup_answer(struct lookup *k, enum lookup_kind *ret_kind) NONNULL;
/* Seconds left of an entry; 0 when expired. */
uint32_t bundle_ttl_left(const struct bundle *b, const struct now *now) NONNULL;
/* What the validator said of the part of an entry that answers: of data its set, of denials all of them. */
enum security lookup_security(const struct bundle *b) NONNULL;
/* Is anything known of this very name and type that makes asking needless: data, an alias, or that there is none? For QNAME minimisation. */
bool lookup_is_known(struct rrcache *c, struct name n, uint16_t type, const struct now *now);

#endif
