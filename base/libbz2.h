/* libbz2.h: what is used of libbz2, with the words of own.h added. The only file that includes its header. */
#ifndef BASE_LIBBZ2_H
#define BASE_LIBBZ2_H

#include <bzlib.h>

#include "base/own.h"

#endif
