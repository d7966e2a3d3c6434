/* fuzz_name with a printer that forgets to escape a dot within a label: what is read back is another name, and the target must say so. */
#include "dns/name.h"

static char *careless(struct name n, char buf[NAME_TEXT]) BORROWED;
static char *careless(struct name n, char buf[NAME_TEXT])
{
	char *dot = strstr(name_to_text(n, buf), "\\.");

	if (dot != NULL)
		memmove(dot, dot + 1, strlen(dot));
	return buf;
}
#define name_to_text careless
#include "tests/fuzz/fuzz_name.c"
