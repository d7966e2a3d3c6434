/* RRSIG, DNSKEY and other rdata of any octets as a set with its signatures and keys: read within bounds, and signed only when the second implementation says so. */
#include <stdlib.h>

#include "base/arena.h"
#include "dns/rdata.h"
#include "tests/unit/validator/obvious.h"
#include "validator/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As many octets as the next one says, eight times that for large rdata. */
static struct span piece(struct reader *r)
{
	size_t n = read8(r);
	struct span s = read_span(r, n < 200 ? n : (n - 199) * 8);

	return s.p != NULL ? s : span_of("", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(keyset_free) struct keyset *keys = NULL;
	struct reader r = reader_of((struct span){ data, size });
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = { 100, 100, 100 };
	struct work work = { 100000000 };
	struct sig_time t = { read32(&r), SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	struct obvious_time ot = { t.now, SIG_SKEW_MIN, SIG_SKEW_MAX };
	uint16_t type = read16(&r);
	struct span rdata[2], items[8];
	struct name owner, zone;
	struct rrset *dnskeys, *set;
	struct sig_report report;
	size_t n = 0, sigs;

	if (a == NULL || !OK(name_from_wire((struct span){ data + (size - reader_left(&r)), reader_left(&r) }, &owner)))
		return 0;
	read_skip(&r, owner.len);
	zone = name_strip(owner, read8(&r) & 7);
	rdata[0] = piece(&r);
	rdata[1] = piece(&r);
	for (unsigned int i = read8(&r) & 3; i > 0; i--) {
		items[n] = piece(&r);
		n += OK(rdata_check(type, items[n]));
	}
	for (sigs = 0; sigs < 3 && !reader_end(&r); sigs++)
		items[n + sigs] = piece(&r);
	dnskeys = rrset_make_in(a, zone, RR_DNSKEY, CLASS_IN, 60, rdata, 2, 0);
	set = n > 0 ? rrset_make_in(a, owner, type, CLASS_IN, 60, items, n, sigs) : NULL;
	if (dnskeys == NULL || set == NULL || !OK(keyset_make(dnskeys, NULL, &kl, &work, &keys)))
		return 0;
	if (!OK(rrset_verify(set, keys, NULL, NULL, &t, &sl, a, &work, &report)))
		abort();
	if ((report.verdict == SIG_GOOD) != obvious_is_signed(set, dnskeys, &ot))
		abort();
	return 0;
}
