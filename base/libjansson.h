/* libjansson.h: what is used of jansson, with the words of own.h added. The only file that includes its header. */
#ifndef BASE_LIBJANSSON_H
#define BASE_LIBJANSSON_H

#include <jansson.h>

#include "base/own.h"

/* What was loaded has one reference: its end. NULL is fine. */
extern void json_delete(json_t *json) TAKES(1);
extern json_t *json_loadb(const char *buffer, size_t buflen, size_t flags, json_error_t *error) OWNED_BY(json_delete);
extern json_t *json_object_get(const json_t *object, const char *key) BORROWED;
extern json_t *json_array_get(const json_t *array, size_t index) BORROWED;
extern const char *json_string_value(const json_t *string) BORROWED;
DEFINE_AUTO(json_t, json_delete)

#endif
