/* EDNS options: first octet a limit, then the list. */
#include <stdlib.h>

#include "dns/edns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span options;
	struct reader r;
	uint16_t code;
	struct span value;
	size_t octets = 0;
	unsigned int count = 0;
	unsigned int limit;
	struct result checked;

	if (size < 1)
		return 0;
	limit = data[0];
	options = (struct span){ data + 1, size - 1 };
	checked = edns_check_options(options, limit);
	r = reader_of(options);
	while (edns_next_option(&r, &code, &value)) {
		CHECK(value.n == 0 || (value.p >= options.p && value.p + value.n <= options.p + options.n));
		CHECK(ede_text(code) != NULL);
		octets += 4 + value.n;
		count++;
	}
	CHECK(octets <= options.n);
	if (OK(checked))
		CHECK(octets == options.n && (limit == 0 || count <= limit));
	if (checked.e == ERR_LIMIT)
		CHECK(limit != 0 && count >= limit);
	return 0;
}
