#include "resolver/stats.h"

static const struct {
	const char *name BORROWED_FIELD, *doc BORROWED_FIELD; /* static text */
} counters[COUNTERS] = {
#define COUNTER(id, name, doc) [COUNT_##id] = { name, doc },
#include "resolver/core/counters.def"
#include "resolver/cache/counters.def"
#include "resolver/serve/counters.def"
#include "resolver/local/counters.def"
#undef COUNTER
};

const char *counter_name(enum counter c)
{
	return counters[c].name;
}

const char *counter_doc(enum counter c)
{
	return counters[c].doc;
}
