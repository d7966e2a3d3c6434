/*
 * anchor_sources.h: the trust anchors that a configuration names, read from wherever they are into one set. What was learnt or said since (a rollover that RFC 5011 followed, names made
 * insecure by the operator) is laid over it.
 */
#ifndef RESOLVER_CORE_ANCHOR_SOURCES_H
#define RESOLVER_CORE_ANCHOR_SOURCES_H

#include "base/mem.h"
#include "conf/conf.h"
#include "validator/anchors.h"
#include "validator/rfc5011.h"

struct anchor_overlay {
	const struct autotrust *const *autos BORROWED_FIELD; /* one for each auto-trust-anchor-file:, in order; NULL: the files are read */
	const struct name_buf *insecure BORROWED_FIELD;      /* beside those of domain-insecure: */
	size_t insecure_count;
	const struct name_buf *validated BORROWED_FIELD;     /* names of domain-insecure: that are left out */
	size_t validated_count;
	int64_t wall;                                        /* seconds since 1970: when keys of root-anchors-file: are valid */
};

/* A sealed set; empty when the configuration names nothing. ERR_FORMAT: what is wrong is in report. ERR_NOMEM, ERR_SYSTEM. */
RESULT anchor_sources_read(const struct conf *c, const struct anchor_overlay *o, struct strbuf *report, struct anchors **ret) NONNULL;
/* Of an option of type path: item i as the process finds it: relative names are below directory:. NULL: out of memory. */
char *anchor_sources_path(const struct conf_clause *c, enum conf_opt o, size_t i) OWNED_BY(mem_free) NONNULL;
/* The i-th auto-trust-anchor-file:. One that is not there yet begins with the built-in anchor of the root. ERR_FORMAT: in report. */
RESULT anchor_sources_auto(const struct conf_clause *c, size_t i, struct strbuf *report, struct autotrust **ret) NONNULL;

#endif
