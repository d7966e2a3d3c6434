/*
 * own.h: the vocabulary of ownership. Every pointer's declaration answers who frees it and how long it may be held; the
 * compilers, the analysers and tests/lint/ownlint read the answer from these words. The rules are in docs/ownership.md.
 *
 *   owned     one holder; returned by an OWNED_BY function, held in an AUTO local or an OWNED_FIELD
 *   moved     MOVE(p) into a parameter listed in TAKES(n); p is NULL afterwards
 *   borrowed  a look at somebody else's object; ends with the call, at latest with the turn
 *   shared    immutable since publication, read by any thread until the end of its turn
 *   arena     lives and dies with one arena
 *   handle    a weak name (base/loop.h) of an object that may be gone
 */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NONNULL __attribute__((nonnull))
#define UNUSED __attribute__((unused))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* A local that is destroyed by dtor when it goes out of scope; DEFINE_AUTO(T, dtor) must have been said for it. */
#define AUTO(dtor) __attribute__((cleanup(dtor##_p)))
#define DEFINE_AUTO(T, dtor) \
	static inline UNUSED void dtor##_p(T **p) \
	{ \
		dtor(*p); \
		*p = NULL; \
	}

/* Passes ownership on and leaves NULL behind. */
#define MOVE(p) \
	__extension__({ \
		__typeof__(&(p)) from_ = &(p); \
		__typeof__(p) v_ = *from_; \
		*from_ = NULL; \
		v_; \
	})

/* The object whose member `field` is at p. Borrowed, as p is; good where p is known to be in such an object (a grave's own, a callback's). */
#define PARENT_OF(p, type, field) ((type *)(void *)((char *)(p)-offsetof(type, field)))

#ifdef OWN_LINT /* only ownlint sees these: clang turns a field's annotation into code that hinders the optimiser */
#define OWN_NOTE(s) __attribute__((annotate("own:" s)))
#else
#define OWN_NOTE(s)
#endif

#if defined(__clang__)
#define OWNED_BY(dtor) __attribute__((warn_unused_result)) OWN_NOTE("returns=" #dtor)
#define TAKES(n) __attribute__((ownership_takes(malloc, n))) OWN_NOTE("takes=" #n)
#define ROLE __attribute__((capability("role")))
#define REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define ASSERTS(r) __attribute__((assert_capability(r)))
#define LOCKABLE __attribute__((capability("mutex")))
#define ACQUIRES(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define RELEASES(...) __attribute__((release_capability(__VA_ARGS__)))
#define NO_THREAD_SAFETY __attribute__((no_thread_safety_analysis))
#else
#define OWNED_BY(dtor) __attribute__((malloc(dtor, 1), warn_unused_result))
#define TAKES(n)
#define ROLE
#define REQUIRES(...)
#define ASSERTS(r)
#define LOCKABLE
#define ACQUIRES(...)
#define RELEASES(...)
#define NO_THREAD_SAFETY
#endif

#define BORROWED OWN_NOTE("borrowed")
#define IN_ARENA OWN_NOTE("arena")
#define OWNED_FIELD OWN_NOTE("owned")
#define ARENA_FIELD OWN_NOTE("arena")
#define SHARED_FIELD OWN_NOTE("shared")
#define PARENT_FIELD OWN_NOTE("parent")     /* the object that owns this one and outlives it */
#define BORROWED_FIELD OWN_NOTE("borrowed") /* only in value types that live within a call or a turn (spans, cursors) */

#include "base/err.h" /* which uses the words above */

#endif
