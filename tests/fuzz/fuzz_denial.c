/* Denial of existence: the input is a small zone, a question and the records of its chains that come along; held against what the zone says. */
#include "base/cursor.h"
#include "tests/fuzz/failing.h"
#include "tests/unit/validator/denial_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int kinds[] = { M_A, M_CNAME, M_NS, M_NS | M_DS, M_DNAME };
	static const uint16_t types[] = { RR_A, RR_TXT, RR_DS, RR_CNAME, RR_NS, RR_DNAME };
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct reader r = reader_of((struct span){ data, size });
	static struct model m;
	unsigned int n;

	if (h == NULL || a == NULL)
		return 0;
	mem_fail_hold(true);
	model_init(&m, a, h);
	n = read8(&r);
	m.opt_out = (n & 1) != 0;
	m.iterations = n >> 1 & 3;
	for (n = n >> 3 & 15; n > 0; n--) {
		struct name_buf name = model_nth("*ab", read8(&r) % MODEL_NAMES, name_of(&m.zone));
		unsigned int kind = kinds[read8(&r) % 5];

		if (model_find(&m, name_of(&name)) == NULL)
			model_add(&m, name_of(&name), kind);
	}
	model_sign(&m);
	mem_fail_hold(false);
	for (n = 0; n < 64 && !reader_end(&r); n++) {
		struct name_buf q = model_nth("*abc", read8(&r) % 84, name_of(&m.zone));
		uint16_t type = types[read8(&r) % 6];
		uint64_t subset = (uint64_t)read32(&r) << 32 | read32(&r);

		model_check(&m, name_of(&q), type, false, subset, subset == 0);
		model_check(&m, name_of(&q), type, true, subset, subset == 0);
	}
	return 0;
}
