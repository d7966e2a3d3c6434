/*
 * deleg.h: a delegation as one question uses it: the names of its servers, their addresses, and what was tried of them. Lives in the question's arena.
 *
 * It comes from a referral (by way of the cache or directly), from the configuration (stub-zone:, forward-zone:), or from the root hints. Names without
 * an address are looked up by sub-questions, few at a time, and only when the addresses at hand do not suffice.
 */
#ifndef RESOLVER_CORE_DELEG_H
#define RESOLVER_CORE_DELEG_H

#include "base/addr.h"
#include "base/clock.h"
#include "dns/msg.h"
#include "resolver/cache/infra.h"
#include "resolver/cache/rrcache.h"
#include "resolver/core/settings.h"

struct rng;
struct route_view;
struct strbuf;

enum deleg_source { DELEG_REFERRAL, DELEG_STUB, DELEG_FORWARD, DELEG_HINTS };

enum target_state {
	TARGET_UNASKED, /* no address of that family is known */
	TARGET_ASKING,
	TARGET_FOUND,
	TARGET_NONE,    /* it has none, or none that may be asked */
	TARGET_FAILED,  /* looking it up failed */
	TARGET_LOOP,    /* looking it up would need this very question */
};
enum { FAMILY_V4, FAMILY_V6, FAMILIES };

struct deleg_target {
	struct name name;
	uint16_t port;
	uint8_t state[FAMILIES]; /* enum target_state */
	bool has_glue;           /* it was not looked up, but has addresses from the referral to its own zone */
};

enum server_outcome { SERVER_UNTRIED, SERVER_TIMEOUT, SERVER_UNREACHABLE, SERVER_MALFORMED, SERVER_LAME, SERVER_RCODE, SERVER_EMPTY, SERVER_SECOND_HAND,
	SERVER_BOGUS, SERVER_UNSIGNED, SERVER_ROUTE /* its route forbids it */, SERVER_ANSWERED };

struct deleg_server {
	struct endpoint at;
	uint16_t target;  /* index into targets; UINT16_MAX: from configuration */
	uint8_t tries;    /* of this question */
	uint8_t timeouts;
	bool route_invalid; /* as of when it was last looked at */
	bool done;        /* not to be asked again for this question */
	uint8_t outcome;  /* enum server_outcome, of the last try */
	uint16_t rcode;   /* SERVER_RCODE */
};

/* An address that a referral gives for a name outside of its zone, while such are looked up themselves (harden-unverified-glue): the last resort. */
struct held_glue {
	struct held_glue *next ARENA_FIELD;
	struct addr at;
	uint16_t target;
};

struct deleg {
	struct name zone;
	enum deleg_source source;
	const struct zone_conf *conf SHARED_FIELD; /* DELEG_STUB, DELEG_FORWARD; NULL otherwise */
	struct deleg_target *targets ARENA_FIELD;
	size_t target_count;
	struct deleg_server *servers ARENA_FIELD;
	size_t server_count, server_cap;
	struct held_glue *held ARENA_FIELD;
	uint32_t expires_sec;  /* mono: what is learnt below it may not outlive it (ghost domains) */
	uint32_t shown_until_sec; /* mono: the same without regard to the zones above: what clients are told */
	bool expires;          /* false: from configuration, for as long as that lasts */
	bool asked_child;      /* the names that the zone itself gives were looked at */
	const char *route_why ARENA_FIELD; /* of the first SERVER_ROUTE; NULL: none, or no memory */
	bool doubtful;         /* unsigned, and it came over an invalid route */
	enum route_policy route_policy; /* by which its servers were last chosen from */
	uint32_t route_refused; /* servers: SERVER_ROUTE */
	uint32_t dead_targets; /* names that turned out to have no address */
};

struct deleg_env {
	struct arena *arena BORROWED_FIELD;
	const struct core_settings *settings BORROWED_FIELD;
	struct rrcache *cache BORROWED_FIELD;
	struct rng *rng BORROWED_FIELD; /* NULL: only to look, not to ask */
	const struct now *now BORROWED_FIELD;
	const struct route_view *routes BORROWED_FIELD; /* NULL: they do not count */
	struct name asked; /* of the question, for whose sake; wire NULL: none */
	bool renew; /* a refresh: delegations that are about to expire are asked for anew */
};

/* Each makes a new one in the arena. ERR_NOMEM. */
RESULT deleg_from_conf(const struct deleg_env *e, const struct zone_conf *z, struct deleg **ret) NONNULL;
RESULT deleg_from_hints(const struct deleg_env *e, struct deleg **ret) NONNULL;
/* From sets: the NS set of zone and, anywhere among them, addresses of its servers. expires_sec as in struct deleg. */
RESULT deleg_from_sets(const struct deleg_env *e, struct name zone, const struct rrset *const *sets, size_t n, uint32_t expires_sec, struct deleg **ret);
RESULT deleg_from_bundle(const struct deleg_env *e, const struct bundle *b, struct deleg **ret) NONNULL;

/*
 * Where to ask about a name: the deepest of configured zones and cached delegations; a forward-zone also wins over delegations below it. For a DS question the zone is
 * strictly above the name. except: configured zones that failed already (by index). *ret is NULL when not even the root's servers are known.
 */
RESULT deleg_find(const struct deleg_env *e, struct name n, uint16_t type, uint64_t except, struct deleg **ret) NONNULL;

/* What a sub-question found: the addresses of a target, of one family. sets may be empty: there are none. */
RESULT deleg_add_addresses(const struct deleg_env *e, struct deleg *d, size_t target, int family, const struct rrset *rs)
    __attribute__((nonnull(1, 2)));
/* Must this name's address be looked up before it is used? (harden-unverified-glue) */
bool deleg_must_verify(const struct deleg_env *e, const struct deleg *d, struct name target);
/* Nothing else is left: what was held back counts now. *ret_more: there is a new server. */
RESULT deleg_use_held(const struct deleg_env *e, struct deleg *d, bool *ret_more) NONNULL;
/* Addresses of targets that became known since. */
RESULT deleg_refresh(const struct deleg_env *e, struct deleg *d) NONNULL;
/* Adds names of servers that are not there yet. */
RESULT deleg_add_names(const struct deleg_env *e, struct deleg *d, const struct rrset *ns, bool *ret_more) __attribute__((nonnull(1, 2, 4)));
/* Is this target's address worth a look-up now? Not when it could only be found at the servers that are wanted, nor while that of a sibling is being found. */
bool deleg_may_look_for(const struct deleg *d, size_t target) NONNULL;
/* The next target that is worth looking up, and the family; false: there is none. */
bool deleg_next_target(const struct deleg_env *e, const struct deleg *d, size_t *ret_target, int *ret_family) NONNULL;
bool deleg_is_asking(const struct deleg *d) NONNULL; /* sub-questions for it are under way */
size_t deleg_count_asking(const struct deleg *d) NONNULL;
bool deleg_has_target(const struct deleg *d, struct name n) NONNULL;
/* Which servers failed how: for logs and extended errors. */
void deleg_explain(const struct deleg *d, struct strbuf *out) NONNULL;
void deleg_list_servers(const struct deleg *d, struct infra *infra, const struct now *now, struct strbuf *out) NONNULL;

#endif
