/* json.h: JSON written piece by piece: commas come of themselves, what came from the network is escaped. */
#ifndef RESOLVER_CONTROL_JSON_H
#define RESOLVER_CONTROL_JSON_H

#include "base/addr.h"
#include "base/strbuf.h"
#include "dns/name.h"

struct json_out {
	struct strbuf *out BORROWED_FIELD;
	bool more; /* what is written next needs a comma before it */
};

/* name: NULL in an array, here and below. */
void json_key(struct json_out *j, const char *name) __attribute__((nonnull(1)));
void json_open(struct json_out *j, const char *name, char bracket) __attribute__((nonnull(1)));
void json_close(struct json_out *j, char bracket) NONNULL;
void json_put_text(struct json_out *j, const char *name, const char *s) __attribute__((nonnull(1))); /* NULL: null */
void json_put_number(struct json_out *j, const char *name, uint64_t n) __attribute__((nonnull(1)));
void json_put_bool(struct json_out *j, const char *name, bool b) __attribute__((nonnull(1)));
void json_put_name(struct json_out *j, const char *name, struct name n) __attribute__((nonnull(1))); /* its wire NULL: null */
void json_put_type(struct json_out *j, const char *name, uint16_t type) __attribute__((nonnull(1)));
void json_put_time(struct json_out *j, const char *name, int64_t when) __attribute__((nonnull(1))); /* seconds since 1970 */
void json_put_prefix(struct json_out *j, const char *name, const struct prefix *p) __attribute__((nonnull(1, 3)));

#endif
