/* store_here.h: for tests: a store of 8 MiB in a folder of its own, from begin() to end() of each test. */
#ifndef TESTS_UNIT_RPKI_STORE_HERE_H
#define TESTS_UNIT_RPKI_STORE_HERE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "rpki/store/store.h"

static char dir[64];
static struct store *store;

static int begin(void **state)
{
	struct store_limits l = store_limits_default();
	struct strbuf *why = strbuf_new(1000);

	(void)state;
	l.octets = 8u << 20;
	snprintf(dir, sizeof dir, "/tmp/cairn-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_true(OK(store_open(dir, &l, why, &store)));
	strbuf_free(why);
	return 0;
}

static int end(void **state)
{
	char path[100];

	(void)state;
	store_close(store);
	store = NULL;
	snprintf(path, sizeof path, "%s/objects.mdb", dir);
	(void)unlink(path);
	snprintf(path, sizeof path, "%s/objects.mdb-lock", dir);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

#endif
