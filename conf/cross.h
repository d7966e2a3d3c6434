/* cross.h: what can only be said of a configuration as a whole: options that a clause must have, and values that contradict each
 * other. */
#ifndef CONF_CROSS_H
#define CONF_CROSS_H

#include "conf/conf.h"
#include "conf/report.h"

void conf_cross_check(const struct conf *c, struct report *r) NONNULL;

#endif
