/*
 * sentinel.h: what is told about the trust anchors in use: the root key sentinel's labels (RFC 8509) and the names that signal key tags to a zone's servers
 * (RFC 8145 section 5).
 */
#ifndef VALIDATOR_SENTINEL_H
#define VALIDATOR_SENTINEL_H

#include "dns/name.h"

enum sentinel { SENTINEL_NONE, SENTINEL_IS_TA, SENTINEL_NOT_TA };
/* Looks at the first label of a question's name: "root-key-sentinel-is-ta-NNNNN" or "-not-ta-NNNNN", five digits, without case. ret_tag is written
 * unless the answer is SENTINEL_NONE. A number above 65535 is no key tag: SENTINEL_NONE. */
enum sentinel sentinel_parse(struct name question, uint16_t *ret_tag) NONNULL;
/* RFC 8509 section 2.2: whether a secure answer to an A or AAAA question becomes SERVFAIL. is_anchor: a root anchor in use has the tag. */
bool sentinel_refuses(enum sentinel s, bool is_anchor);

/* "_ta-4f66-9728.zone": the tags in rising order, four lower-case hexadecimal digits each. Doubles count once. ERR_SPACE: the label or the name would
 * be too long; ERR_RANGE: no tag. */
RESULT ta_signal_name(struct name zone, const uint16_t *tags, size_t count, struct name_buf *ret) NONNULL;

#endif
