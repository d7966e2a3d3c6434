/* rdata_parse.h: rdata from the words of a zone-file entry. Internal to dns/: others use rdata_parse() and the zone-file reader. */
#ifndef DNS_RDATA_PARSE_H
#define DNS_RDATA_PARSE_H

#include "dns/name.h"
#include "dns/words.h"

/* Reads the words from l on, which must end with the entry. ERR_FORMAT: *ret_msg names what was expected, l->found is what was there;
 * ERR_SPACE: longer than out, or than an RR can be; ERR_NOMEM. */
RESULT rdata_parse_words(uint16_t type, struct lexer *l, const struct name *origin, struct writer *out, const char **ret_msg)
    __attribute__((nonnull(2, 4, 5)));

#endif
