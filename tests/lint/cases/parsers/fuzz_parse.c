/* A fuzz target for some of parse.c. */
#include "base/cursor.h"
struct ops {
	int (*read)(struct span s);
};
int parse_fuzzed(struct span s);
extern const struct ops table;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return parse_fuzzed(span_of(data, size)) == 2 || table.read(span_of(data, size)) == 2 ? 1 : 0;
}
