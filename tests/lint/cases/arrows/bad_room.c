/* as: resolver/core/x.c */
#include "net/host.h" /* expect: arrows */
#include "dns/name.h"
