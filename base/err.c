#include "base/err.h"

const char *err_text(enum err e)
{
	switch (e) {
	case ERR_NONE:
		return "no error";
	case ERR_NOMEM:
		return "out of memory";
	case ERR_LIMIT:
		return "limit reached";
	case ERR_FORMAT:
		return "bad format";
	case ERR_SPACE:
		return "no room for the output";
	case ERR_SYSTEM:
		return "system call failed";
	case ERR_NOTFOUND:
		return "not found";
	case ERR_EXISTS:
		return "exists already";
	case ERR_CLOSED:
		return "closed";
	case ERR_REFUSED:
		return "refused by policy";
	case ERR_BUDGET:
		return "work budget spent";
	case ERR_TIMEOUT:
		return "timed out";
	case ERR_RANGE:
		return "out of range";
	case ERR_UNSUPPORTED:
		return "not supported";
	}
	return "unknown error";
}
