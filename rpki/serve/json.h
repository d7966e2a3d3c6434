/*
 * json.h: JSON (RFC 8259) read whole, in an arena. For files of the operator's, which may be large: a node takes some fifty octets. Why our own:
 * docs/decisions/0012-json-of-our-own.md.
 */
#ifndef RPKI_SERVE_JSON_H
#define RPKI_SERVE_JSON_H

#include "base/arena.h"
#include "base/cursor.h"

#define JSON_DEPTH 32u   /* of arrays and objects in one another */
#define JSON_MEMBERS 64u /* of one object */

enum json_type { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_INTEGER, JSON_FRACTION, JSON_TRUE, JSON_FALSE, JSON_NULL };

struct json {
	enum json_type type;
	uint32_t n;                          /* octets of text, or how many children */
	int64_t number;                      /* of JSON_INTEGER */
	const char *text ARENA_FIELD;        /* of JSON_STRING, with a NUL behind it and none within */
	const char *key ARENA_FIELD;         /* of a member */
	const struct json *child ARENA_FIELD; /* the first of an array or object */
	const struct json *next ARENA_FIELD;  /* sibling */
};

struct json_error {
	size_t line, column; /* from 1 */
	const char *why BORROWED_FIELD;
};

/* ERR_FORMAT with *ret_error; ERR_NOMEM. Keys that occur twice are errors, so are numbers past 64 bits. */
RESULT json_read(struct span text, struct arena *a, const struct json **ret_json, struct json_error *ret_error) NONNULL;
const struct json *json_member(const struct json *object, const char *key) BORROWED NONNULL; /* NULL: there is none, or it is no object */
const char *json_type_text(const struct json *j) BORROWED; /* "an array"; of NULL "nothing" */

#endif
