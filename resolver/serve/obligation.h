/*
 * obligation.h: a reply that is owed is met or dropped for a reason, exactly once, on every path (docs/ownership.md, section 7).
 * OBLIGATION(o, client) makes a token; leaving its scope without OBLIGATION_MET(o) or OBLIGATION_DROP(o, why) does not compile
 * where the optimiser can prove it, and aborts elsewhere.
 */
#ifndef RESOLVER_SERVE_OBLIGATION_H
#define RESOLVER_SERVE_OBLIGATION_H

#include "base/own.h"
#include "resolver/stats.h"

struct client;
void obligation_met(struct client *c) NONNULL;                     /* client.c: the reply has been sent */
void obligation_dropped(struct client *c, enum counter why) NONNULL; /* client.c: counted as why */

#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(CAIRN_NO_PROOF)
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(coverage_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define OBLIGATION_AT_RUN_TIME
#endif
#endif
#else
#define OBLIGATION_AT_RUN_TIME
#endif

#ifdef OBLIGATION_AT_RUN_TIME
#define obligation_forgotten() __builtin_trap()
#else
/* Never defined: a call that is left in the object file is the finding. */
extern void obligation_forgotten(void) __attribute__((error("a client that is owed a reply is forgotten")));
#endif

struct obligation {
	struct client *c BORROWED_FIELD;
};
static inline __attribute__((always_inline)) void obligation_check(struct obligation *o)
{
	if (o->c != NULL)
		obligation_forgotten();
}
#define OBLIGATION(name, who) __attribute__((cleanup(obligation_check))) struct obligation name = { (who) }
#define OBLIGATION_MET(name) \
	do { \
		struct client *met_ = (name).c; \
		(name).c = NULL; \
		obligation_met(met_); \
	} while (0)
#define OBLIGATION_DROP(name, why) \
	do { \
		struct client *dropped_ = (name).c; \
		(name).c = NULL; \
		obligation_dropped(dropped_, (why)); \
	} while (0)

#endif
