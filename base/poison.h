/* poison.h: tells AddressSanitizer which octets nobody may touch. Costs nothing in other builds. */
#ifndef BASE_POISON_H
#define BASE_POISON_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define BASE_HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BASE_HAVE_ASAN 1
#endif
#endif

#ifdef BASE_HAVE_ASAN
#include <sanitizer/asan_interface.h>

#define POISON_GAP ((size_t)16) /* octets between neighbours that an overrun hits */
static inline void poison_set(const volatile void *p, size_t n) { ASAN_POISON_MEMORY_REGION(p, n); }
static inline void poison_clear(const volatile void *p, size_t n) { ASAN_UNPOISON_MEMORY_REGION(p, n); }
#else
#define POISON_GAP ((size_t)0)
static inline void poison_set(const volatile void *p, size_t n)
{
	(void)p;
	(void)n;
}
static inline void poison_clear(const volatile void *p, size_t n)
{
	(void)p;
	(void)n;
}
#endif

#endif
