#include "resolver/routes/counts.h"

static const struct {
	const char *name BORROWED_FIELD, *doc BORROWED_FIELD; /* static text */
} counters[ROUTE_COUNTERS] = {
#define COUNTER(id, name, doc) [ROUTES_##id] = { name, doc },
#include "resolver/routes/counters.def"
#undef COUNTER
};

const char *route_counter_name(enum route_counter k)
{
	return counters[k].name;
}

const char *route_counter_doc(enum route_counter k)
{
	return counters[k].doc;
}
