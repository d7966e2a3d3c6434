/* as: base/libz.h */
#include <zlib.h>
#include <sys/mman.h>
