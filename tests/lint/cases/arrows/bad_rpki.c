/* as: resolver/serve/x.c */
#include "rpki/routes/vrps.h"
#include "rpki/store/store.h" /* expect: arrows */
#include "control/lines.h"    /* expect: arrows */
