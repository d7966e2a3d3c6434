/*
 * clock.h: time as an argument. A struct now is read once a turn by the loop and handed down. TTLs, back-off and timers age by
 * mono (CLOCK_BOOTTIME: a laptop that slept wakes with a cache that knows it); dates of signatures and logs use wall.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/own.h"

struct now {
	uint64_t mono_ns;  /* CLOCK_BOOTTIME in nanoseconds */
	int64_t wall_sec;  /* CLOCK_REALTIME, seconds since 1970 */
	uint32_t wall_nsec;
};

static inline uint64_t now_ms(const struct now *n) { return n->mono_ns / 1000000u; }
static inline uint32_t now_sec(const struct now *n) { return (uint32_t)(n->mono_ns / 1000000000u); }

struct now clock_read(void);          /* through the C library, so that libfaketime moves it */
uint64_t clock_precise_ns(void);      /* CLOCK_MONOTONIC, for upstream round trips and measurements only */

/* Serial number arithmetic of RFC 1982 for 32-bit times of signatures: true when a is before b. */
static inline bool serial_before(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }

/* "YYYY-MM-DDTHH:MM:SSZ" into buf. Returns buf. */
char *clock_iso(int64_t wall_sec, char buf[32]) BORROWED;
/* Reads "YYYYMMDDHHMMSS" (RFC 4034 section 3.2), seconds, or ISO 8601 UTC. */
RESULT clock_parse(const char *text, int64_t *ret_sec) NONNULL;

#endif
