/* collect.h: a sink of validate.h that collects payloads into a table (rpki/routes/table.h), and keeps in words what was refused. */
#ifndef RPKI_VALIDATE_COLLECT_H
#define RPKI_VALIDATE_COLLECT_H

#include "base/own.h"

struct payload_table;
struct strbuf;
struct validate_sink;
struct collector;

void collector_free(struct collector *c) TAKES(1);
/* refused: gets a line for each object that was refused, as far as it has room; NULL: nobody wants them. It outlives the collector. */
struct collector *collector_new(struct strbuf *refused) OWNED_BY(collector_free);
DEFINE_AUTO(struct collector, collector_free)
struct validate_sink *collector_sink(struct collector *c) BORROWED NONNULL; /* as long as the collector */
/* What was collected; the collector is empty then. ERR_NOMEM. */
RESULT collector_finish(struct collector *c, uint64_t generation, struct payload_table **ret) NONNULL;

#endif
