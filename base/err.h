/* err.h: what can go wrong, as a type that cannot be mistaken for a number nor be ignored. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/own.h"

enum err {
	ERR_NONE = 0,
	ERR_NOMEM,    /* memory ran out */
	ERR_LIMIT,    /* a configured limit was reached */
	ERR_FORMAT,   /* foreign data does not follow its format */
	ERR_SPACE,    /* the output does not fit the room given */
	ERR_SYSTEM,   /* a system call failed; errno says how */
	ERR_NOTFOUND, /* what was named does not exist */
	ERR_EXISTS,   /* what was to be made is there already */
	ERR_CLOSED,   /* the other end or the object is gone */
	ERR_REFUSED,  /* a policy forbids it */
	ERR_BUDGET,   /* a work budget is spent */
	ERR_TIMEOUT,  /* nothing came in time */
	ERR_RANGE,    /* a value is outside what is allowed */
	ERR_UNSUPPORTED, /* well-formed, but of a kind that this build does not handle */
};

struct result {
	enum err e;
};

#define RESULT __attribute__((warn_unused_result)) struct result
#define DONE ((struct result){ ERR_NONE })
#define FAIL(code) ((struct result){ (code) })
#define OK(x) ((x).e == ERR_NONE)
#define TRY(x) \
	do { \
		struct result r_ = (x); \
		if (r_.e != ERR_NONE) \
			return r_; \
	} while (0)

/* A short English phrase for an error, e.g. "out of memory". Never NULL, static storage. */
const char *err_text(enum err e) BORROWED;

#endif
