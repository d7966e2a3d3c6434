/* dns_test.h: what the unit tests of dns/ share. */
#ifndef TESTS_UNIT_DNS_DNS_TEST_H
#define TESTS_UNIT_DNS_DNS_TEST_H

#include "tests/unit/base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "dns/build.h"
#include "dns/msg.h"
#include "dns/name.h"
#include "dns/rdata.h"

/* A name from text; the test fails when it is none. */
static inline UNUSED struct name_buf nb(const char *text)
{
	struct name_buf b;

	if (!OK(name_from_text(text, NULL, &b)))
		fail_msg("no name: %s", text);
	return b;
}

/* Hexadecimal digits (blanks allowed) to octets; gives their number. */
static inline UNUSED size_t unhex(const char *hex, uint8_t *out, size_t cap)
{
	size_t n = 0;
	int high = -1;

	for (; *hex != '\0'; hex++) {
		int v = *hex >= '0' && *hex <= '9' ? *hex - '0' : *hex >= 'a' && *hex <= 'f' ? *hex - 'a' + 10 : -1;

		if (v < 0)
			continue;
		if (high < 0) {
			high = v;
		} else {
			assert_true(n < cap);
			out[n++] = (uint8_t)(high << 4 | v);
			high = -1;
		}
	}
	assert_int_equal(high, -1);
	return n;
}

/* An RRset of one or more rdata given as text. */
static inline UNUSED struct rrset *make_set(struct arena *a, const char *owner, uint16_t type, uint32_t ttl, const char *const *rdata, size_t n)
{
	static uint8_t room[65536];
	struct span spans[64];
	struct writer w = writer_of(room, sizeof room);
	struct name_buf name = nb(owner);
	struct rrset *rs;

	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++) {
		size_t start = w.pos;
		const char *msg = "";

		if (!OK(rdata_parse(type, rdata[i], NULL, &w, &msg)))
			fail_msg("%s: expected %s", rdata[i], msg);
		spans[i] = (struct span){ room + start, w.pos - start };
	}
	rs = rrset_make_in(a, name_of(&name), type, CLASS_IN, ttl, spans, n, 0);
	assert_non_null(rs);
	return rs;
}

static inline UNUSED double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What attacks may cost, in CPU ms: several times what they do cost, as machines and sanitizers differ. Quadratic work costs hundreds. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CPU_BOUND 60.0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CPU_BOUND 60.0
#endif
#endif
#ifndef CPU_BOUND
#define CPU_BOUND 10.0
#endif

#endif
