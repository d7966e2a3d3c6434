/* check.h: cairnd --check-config. */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "base/own.h"

/*
 * Reads the configuration at path (NULL: the built-in one, "-": standard input), prints to standard output every error and warning,
 * one a line, and at the end "FILE: no errors" or "FILE: N errors", with the number of warnings when there are some. Returns the
 * exit status: 0, 1 when there were errors, 2 when the file could not be read or memory ran out.
 */
int conf_check_main(const char *path);

#endif
