/* libz.h: what is used of zlib, with the words of own.h added. The only file that includes its header. */
#ifndef BASE_LIBZ_H
#define BASE_LIBZ_H

#define ZLIB_CONST /* input is const */

#include <zlib.h>

#include "base/own.h"

#endif
