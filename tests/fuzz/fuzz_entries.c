/*
 * What cairn-fuzz.h offers to harnesses of others, held to what it says there: results that are cut are the beginning of whole ones, what one function writes the
 * other reads, and nothing is left alive. The first octet chooses the function, the second how much room it gets.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/cairn-fuzz.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM 200000
#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

enum { MESSAGE_TEXT, MESSAGE_WIRE, NAME_TEXT_, NAME_WIRE, RDATA_TEXT, RDATA_WIRE, ZONE_TEXT, CONF_TEXT, REPLY_TEXT, FUNCTIONS };

static uint16_t type_of(const uint8_t *p, size_t n)
{
	return n >= 2 ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static long call(unsigned int which, const uint8_t *p, size_t n, char *out, size_t cap)
{
	uint16_t type = type_of(p, n);
	size_t skip = n >= 2 ? 2 : n;
	unsigned int errors = 0;

	switch (which) {
	case MESSAGE_TEXT:
		return cairn_fuzz_message_text(p, n, out, cap);
	case MESSAGE_WIRE:
		return cairn_fuzz_message_wire(p, n, (uint8_t *)out, cap);
	case NAME_TEXT_:
		return cairn_fuzz_name_text(p, n, out, cap);
	case NAME_WIRE:
		return cairn_fuzz_name_wire((const char *)p, n, (uint8_t *)out, cap);
	case RDATA_TEXT:
		return cairn_fuzz_rdata_text(type, p + skip, n - skip, out, cap);
	case RDATA_WIRE:
		return cairn_fuzz_rdata_wire(type, (const char *)p + skip, n - skip, (uint8_t *)out, cap);
	case ZONE_TEXT:
		return cairn_fuzz_zone_text((const char *)p, n, out, cap, &errors);
	case CONF_TEXT:
		return cairn_fuzz_conf_text((const char *)p, n, out, cap);
	default:
		return cairn_fuzz_reply_text((const uint8_t *)"", 1, p, n, out, cap);
	}
}

/* What the function in the other direction makes of a whole result. */
static void check_back(unsigned int which, const uint8_t *input, uint16_t type, const char *whole, size_t n, char *out)
{
	long back;

	switch (which) {
	case MESSAGE_WIRE: /* a fixed point after the first time: what is dropped as a duplicate is dropped once */
		back = cairn_fuzz_message_wire((const uint8_t *)whole, n, (uint8_t *)out, ROOM);
		CHECK(mem_failed() || (back == (long)n && memcmp(out, whole, n) == 0));
		break;
	case NAME_TEXT_:
		back = cairn_fuzz_name_wire(whole, n, (uint8_t *)out, ROOM);
		CHECK(back > 0 && memcmp(out, input, (size_t)back) == 0);
		break;
	case NAME_WIRE:
		CHECK(cairn_fuzz_name_text((const uint8_t *)whole, n, out, ROOM) > 0);
		break;
	case RDATA_WIRE:
		CHECK(cairn_fuzz_rdata_text(type, (const uint8_t *)whole, n, out, ROOM) >= 0 || mem_failed());
		break;
	case CONF_TEXT:
		back = cairn_fuzz_conf_text(whole, n, out, ROOM);
		CHECK(mem_failed() || (back == (long)n && memcmp(out, whole, n) == 0));
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char whole[ROOM], part[ROOM], back[ROOM];
	unsigned long live = cairn_fuzz_live();
	unsigned int which;
	size_t room, same;
	long n;

	if (size < 2)
		return 0;
	which = data[0] % FUNCTIONS;
	room = data[1];
	data += 2;
	size -= 2;
	CHECK(cairn_fuzz_version() == CAIRN_FUZZ_VERSION);
	n = call(which, data, size, whole, sizeof whole);
	memset(part, 'x', sizeof part);
	HOLDS(call(which, data, size, part, room) == n);
	CHECK(part[room] == 'x');
	if (n > 0) {
		same = (size_t)n < room ? (size_t)n : room;
		CHECK(memcmp(whole, part, same > 0 ? same - 1 : 0) == 0); /* the last octet may be the NUL */
	}
	if (n >= 0 && (size_t)n < sizeof whole && !mem_failed())
		check_back(which, data, type_of(data, size), whole, (size_t)n, back);
	CHECK(cairn_fuzz_live() == live);
	return 0;
}
