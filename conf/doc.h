/* doc.h: the documentation that is made from the schema table. conf/confdoc prints it; a test compares it with what is in docs/. */
#ifndef CONF_DOC_H
#define CONF_DOC_H

#include "base/own.h"

struct strbuf;

RESULT conf_schema_print_man(struct strbuf *out) NONNULL;   /* docs/man/cairn.conf.5 */
RESULT conf_schema_print_guide(struct strbuf *out) NONNULL; /* docs/guide/configuration.md */

#endif
