/* made.h: for tests of filter/: a filter made from text, and what it said of its lines. */
#ifndef TESTS_UNIT_FILTER_MADE_H
#define TESTS_UNIT_FILTER_MADE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "dns/rrtype.h"
#include "filter/inside.h"

extern const struct hash_key test_key;

/* What was refused: "SOURCE:LINE: REASON: TEXT\n" for each. */
struct told {
	char text[4000];
	size_t n;
};

void tell(void *ctx, const struct filter_refusal *r);
struct filter *made_within(const struct filter_limits *limits, const char *text, struct told *told) OWNED_BY(filter_free) __attribute__((nonnull(1, 2)));
/* Nothing of it may be refused. */
struct filter *made(const char *text) OWNED_BY(filter_free);
struct name_buf name_buf(const char *text);

#endif
