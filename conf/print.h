/* print.h: a configuration as text. */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include "base/own.h"

/* The quote that text can be written in so that it reads back the same: '"', or '\'', or NUL when neither can. */
char conf_quote_of(const char *text) NONNULL;

#endif
