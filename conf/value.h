/*
 * value.h: the types of single words of a configuration, and how each is checked. Types, as written in schema.def:
 *
 *   bool       yes or no
 *   int        a decimal number
 *   size       octets: a number, with k, m or g (times 1024, 1024^2, 1024^3) behind it, and b behind that
 *   seconds    a number of seconds
 *   interval   seconds, or "" for 0
 *   ms         a number of milliseconds
 *   port       a port number
 *   ports      a port number, or a range "LOW-HIGH"
 *   intlist    decimal numbers, separated by blanks
 *   text       anything
 *   path       the name of a file
 *   netblock   ADDRESS or ADDRESS/LENGTH; host bits are cleared
 *   listen     ADDRESS[@PORT], or the name of a network interface in place of the address
 *   control    an absolute path, or as listen
 *   server     ADDRESS[@PORT][#NAME]
 *   host       NAME[@PORT][#NAME], or as server
 *   name       a domain name in presentation form (RFC 1035 section 5.1)
 *   rr         a resource record in presentation form; the record itself is checked by who reads it
 *   ptr        ADDRESS [TTL] NAME
 *   hex        hexadecimal digits, or ""
 *   date       YYYYMMDDHHMMSS, seconds since 1970, -1, or ""
 *   modules    names of Unbound's modules, separated by blanks
 *   enum:SET   a word of enums.def
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "base/addr.h"
#include "base/cursor.h"
#include "base/own.h"

struct strbuf;

enum value_kind {
	VALUE_BOOL,
	VALUE_INT,
	VALUE_SIZE,
	VALUE_SECONDS,
	VALUE_INTERVAL,
	VALUE_MS,
	VALUE_PORT,
	VALUE_PORTS,
	VALUE_INTLIST,
	VALUE_TEXT,
	VALUE_PATH,
	VALUE_NETBLOCK,
	VALUE_LISTEN,
	VALUE_CONTROL,
	VALUE_SERVER,
	VALUE_HOST,
	VALUE_NAME,
	VALUE_RR,
	VALUE_PTR,
	VALUE_HEX,
	VALUE_DATE,
	VALUE_MODULES,
	VALUE_ENUM,
};

struct value_type {
	enum value_kind kind;
	int first, end;   /* of an enumeration: its words are first <= enum conf_enum_word < end */
	int64_t min, max; /* of numbers and of hex digits, inclusive */
};

#define VALUE_NORMAL 64 /* room for the normal form of a word */

struct value {
	int64_t num;               /* bool, numbers, enumerations; 0 of others */
	char normal[VALUE_NORMAL]; /* what is stored in place of the word, "": the word itself */
};

/* Reads one type as written in schema.def. False when there is no such type. */
bool value_type_parse(struct span spec, struct value_type *ret) NONNULL;
/* Checks a word. False when it is not of the type. */
bool value_read(const struct value_type *t, const char *word, struct value *ret) NONNULL;
/* Adds what a word of the type looks like, for "expected ...". */
void value_expected(const struct value_type *t, struct strbuf *out) NONNULL;
bool value_is_number(enum value_kind k);

/* Addresses and netblocks, lenient as Unbound is: host bits are cleared. */
RESULT value_prefix(const char *text, struct prefix *ret) NONNULL;

/* The parts of "HOST[@PORT][#NAME]". */
struct value_server {
	struct span host;
	uint16_t port;                   /* default_port when there is none */
	const char *auth BORROWED_FIELD; /* the name to authenticate, NULL: none */
};
RESULT value_server_split(const char *text, uint16_t default_port, struct value_server *ret) NONNULL;
/* The address in it, when HOST is one; ERR_FORMAT otherwise. */
RESULT value_endpoint(const char *text, uint16_t default_port, struct endpoint *ret) NONNULL;

#endif
