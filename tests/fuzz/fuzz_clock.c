/* Dates in text: what is read is written as ISO 8601 and read again as the same. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CHARS char *text = mem_alloc(size + 1);
	int64_t t, again;
	char iso[32];

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	if (!OK(clock_parse(text, &t)))
		return 0;
	if (memchr(clock_iso(t, iso), '\0', sizeof(iso)) == NULL)
		abort();
	if (t <= 253402300799 && (!OK(clock_parse(iso, &again)) || again != t)) /* until the end of the year 9999 */
		abort();
	return 0;
}
