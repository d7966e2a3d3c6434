/* top.h: for tests: a folder of the program's own, made before its tests (cmocka_run_group_tests) and gone after them with all that is in it. */
#ifndef TESTS_UNIT_TOP_H
#define TESTS_UNIT_TOP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"

static char top[] = "/tmp/cairn-test-XXXXXX";

static inline int make_top(void **state)
{
	(void)state;
	return mkdtemp(top) != NULL ? 0 : -1;
}

static inline int remove_top(void **state)
{
	char command[100];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", top);
	return system(command) == 0 ? 0 : -1;
}

/* A name in it; good until the fourth call after this one. */
static inline const char *path(const char *name)
{
	static char room[4][300];
	static unsigned int turn;

	turn = (turn + 1) % 4;
	(void)snprintf(room[turn], sizeof room[turn], "%s/%s", top, name);
	return room[turn];
}

static inline void write_file(const char *where, struct span octets, mode_t mode)
{
	int fd = open(where, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, octets.p, octets.n), (ssize_t)octets.n);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

#endif
