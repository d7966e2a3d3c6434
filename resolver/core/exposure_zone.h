/*
 * exposure_zone.h: one zone, as the caches have it: is it signed, how are the routes to its servers guarded (exposure.h), and do they all hang on one prefix or one AS? Nothing is
 * asked. Any thread whose epoch member is online.
 */
#ifndef RESOLVER_CORE_EXPOSURE_ZONE_H
#define RESOLVER_CORE_EXPOSURE_ZONE_H

#include "resolver/core/deleg.h"
#include "resolver/core/exposure.h"

struct keycache;
struct validation;

struct exposure_env {
	struct rrcache *rrcache PARENT_FIELD;
	struct keycache *keycache PARENT_FIELD;           /* NULL: none */
	const struct validation *validation SHARED_FIELD; /* NULL: nothing is validated */
	const struct route_view *routes BORROWED_FIELD;
	const struct now *now BORROWED_FIELD;
};

enum zone_signed { ZONE_SIGNED_UNKNOWN, ZONE_UNSIGNED, ZONE_SIGNED };
const char *zone_signed_text(enum zone_signed s) BORROWED; /* "signed", "unsigned", "unknown" */

struct zone_exposure {
	enum zone_signed is_signed;
	enum exposure exposure;
	struct guard_counts guards;
	uint32_t addresses;    /* of its servers that are known */
	/* All of them are there. */
	bool one_prefix, one_origin;
	bool prefix_assumed;   /* no route to them is known: a /24 or /48, than which longer ones are seldom let through */
	struct prefix prefix;
	uint32_t origin;
};

/* Is there a chain of trust to the zone that we follow, whether or not it holds? UNKNOWN: the caches do not tell. */
enum zone_signed exposure_signed(const struct exposure_env *e, struct name zone) NONNULL;
struct zone_exposure exposure_examine(const struct exposure_env *e, const struct deleg *d) NONNULL;
/* Anything to tell of? */
bool zone_exposure_any(const struct zone_exposure *x) NONNULL;

#endif
