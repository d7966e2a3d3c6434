/*
 * DER and the wrapper's BER: what is strict DER is the same after it was taken apart and put together; what ber_to_der() writes has no freedom of BER left in
 * what it rewrote, and is not changed by it again; numbers, times and bit strings keep to their ranges, and what is taken for UTF-8 is code points in their shortest form.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "rpki/object/der.h"
#include "tests/unit/rpki/object/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static void text(struct span s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	struct reader r = reader_of(s);

	if (!der_utf8_is_good(s))
		return;
	while (!reader_end(&r)) {
		uint32_t v = read8(&r);
		unsigned int n = v < 0x80 ? 1 : v < 0xe0 ? 2 : v < 0xf0 ? 3 : 4;

		CHECK(v < 0x80 || (v >= 0xc0 && v < 0xf8));
		v = n == 1 ? v : v & (0x7fu >> n);
		for (unsigned int i = 1; i < n; i++) {
			uint8_t next = read8(&r);

			CHECK((next & 0xc0) == 0x80);
			v = v << 6 | (next & 0x3f);
		}
		CHECK(reader_ok(&r) && v >= least[n] && v <= 0x10ffff && (v < 0xd800 || v > 0xdfff));
	}
}

static void values(struct span s)
{
	struct reader r = reader_of(s), again = reader_of(s);
	uint64_t v = 0;
	int64_t t = 0;
	char room[DER_OID_TEXT];
	uint8_t tag;
	struct span in = der_any(&again, &tag), integer;
	struct bits b;

	integer = der_integer(&r);
	if (reader_ok(&r) && der_small(integer, UINT32_MAX, &v))
		CHECK(v <= UINT32_MAX && !der_negative(integer) && integer.n <= 5);
	r = reader_of(s);
	b = der_bit_string(&r);
	if (reader_ok(&r))
		CHECK(b.unused < 8 && bits_count(b) <= 8 * s.n);
	if (reader_ok(&again)) {
		if (der_time_value(tag, in, &t))
			CHECK(t > -63000000000 && t < 253402300800);
		CHECK(strlen(der_oid_text(in, room)) < DER_OID_TEXT);
		der_set_is_sorted(in);
		text(in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct span s = span_of(data, size), out, again;

	if (a == NULL)
		return 0;
	values(s);
	if (OK(ber_to_der(s, a, &out))) {
		CHECK(out.n < size + size / 1024 + 80);
		if (OK(ber_to_der(out, a, &again)))
			CHECK(span_equal(out, again));
		else
			CHECK(mem_failed());
	}
	mem_fail_hold(true);
	if (der_is_strict(s, DER_MAX_DEPTH)) {
		struct node *n = tree_parse(a, s);
		struct reader r = reader_of(s);

		der_whole_any(&r);
		CHECK(reader_ok(&r) && reader_end(&r));
		CHECK(n != NULL && span_equal(tree_write(a, n), s));
	}
	mem_fail_hold(false);
	return 0;
}
