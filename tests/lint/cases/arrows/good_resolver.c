/* as: resolver/serve/x.c */
#include "config.h"
#include "base/own.h"
#include "conf/conf.h"
#include "net/host.h"
#include "resolver/core/iter.h"
#include "rpki/routes/vrps.h"
#include <stdio.h>
