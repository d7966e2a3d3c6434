#include "tests/lint/cases/ownlint/zone.h"
void own(void);
void own(void)
{
	AUTO(mem_free) void *p = mem_alloc(1);
	AUTO_CHARS char *s = mem_strdup("");

	(void)p;
	(void)s;
}
