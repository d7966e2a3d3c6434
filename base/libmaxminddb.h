/* libmaxminddb.h: what is used of libmaxminddb, with the words of own.h added. The only file that includes its header. */
#ifndef BASE_LIBMAXMINDDB_H
#define BASE_LIBMAXMINDDB_H

#include <maxminddb.h>

#include "base/own.h"

extern const char *MMDB_strerror(int) BORROWED;

#endif
