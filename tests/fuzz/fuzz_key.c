/* A DNSKEY RR of any octets: a key that verifies nothing which is not signed, or a fault. */
#include <stdlib.h>

#include "base/arena.h"
#include "dns/rdata.h"
#include "tests/unit/validator/obvious.h"
#include "validator/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One octet: how much of the rest is the key; the remainder is taken for a signature and for data. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t address[4] = { 192, 0, 2, 1 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct key_limits limits = KEY_LIMITS;
	struct reader r = reader_of((struct span){ data, size });
	size_t part = read8(&r);
	struct span rdata = read_span(&r, reader_left(&r) * part / 255), rest = read_rest(&r), items[2];
	struct dnskey parsed;
	AUTO(key_free) struct key *k = key_new(rdata, NULL, &limits);
	uint8_t rrsig[1200];
	struct writer w = writer_of(rrsig, sizeof rrsig);
	struct work work = { 1000000 };
	struct canonical c;
	struct rrset *set;
	struct rrsig sig;
	struct result verified;

	if (k == NULL || a == NULL)
		return 0;
	if (key_tag(k) != obvious_tag(rdata) && key_algorithm(k) != ALG_RSAMD5 && OK(dnskey_parse(rdata, &parsed)))
		abort();
	if (key_fault(k) == KEY_GOOD && (key_cost(k) == 0 || key_cost(k) > 40 * WORK_UNIT))
		abort();
	write16(&w, RR_A);
	write8(&w, key_algorithm(k));
	write8(&w, 1);
	for (int i = 0; i < 12; i++)
		write8(&w, 0);
	write16(&w, key_tag(k));
	write_octets(&w, "\7example", 9);
	write_span(&w, (struct span){ rest.p, rest.n < 600 ? rest.n : 600 });
	items[0] = (struct span){ address, 4 };
	items[1] = writer_done(&w);
	set = rrset_make_in(a, (struct name){ (const uint8_t *)"\7example", 9, 1 }, RR_A, CLASS_IN, 0, items, 1, 1);
	if (set == NULL || !OK(rrsig_parse(items[1], &sig)) || !OK(canonical_make(a, set, &c)))
		return 0;
	verified = rrsig_verify(&sig, set, &c, k, a, &work);
	if (key_fault(k) != KEY_GOOD ? OK(verified) && key_fault(k) != KEY_REVOKED : OK(verified) != obvious_verify(rdata, items[1], set))
		abort();
	return 0;
}
