/* log_options.h: what the configuration says about the log, in the words of base/log.h. */
#ifndef RESOLVER_LOG_OPTIONS_H
#define RESOLVER_LOG_OPTIONS_H

#include "base/log.h"

struct conf;

enum log_level log_options_level(unsigned int verbosity);
/* The texts in it are the configuration's; without the level. foreground: not to syslog. */
struct log_config log_options_read(const struct conf *c, bool foreground) NONNULL;
/* Do both say the same, but for verbosity:? */
bool log_options_same(const struct conf *a, const struct conf *b) NONNULL;

#endif
