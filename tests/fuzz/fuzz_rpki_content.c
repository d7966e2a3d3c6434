/*
 * What is in signed objects: the first octet says which kind, the rest is the eContent. What is taken can be walked, and the walk meets as many things as were
 * counted; each is in its range; the rule found first on the way to routers is one of all that are found.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "rpki/object/aspa.h"
#include "rpki/object/ghostbusters.h"
#include "rpki/object/manifest.h"
#include "rpki/object/prefix_list.h"
#include "rpki/object/roa.h"
#include "rpki/object/rsc.h"
#include "rpki/object/tak.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static void prefix_is_good(const struct ip_prefix *p)
{
	char room[PREFIX_TEXT];

	CHECK((p->family == 4 && p->len <= 32) || (p->family == 6 && p->len <= 128));
	CHECK(ip_prefix_last(p) >= p->lo && (p->family == 6 || ip_prefix_last(p) <= UINT32_MAX));
	CHECK(strchr(ip_prefix_text(p, room), '/') != NULL);
}

/* An EE certificate that has everything, and one that has nothing. */
static const struct range32 everything32 = { 0, UINT32_MAX };
static const struct range128 everything128 = { 0, ~(rpki_u128)0 };
static const struct resources all_resources = { CLAIM_SET, CLAIM_SET, CLAIM_SET, { &everything32, 1 }, { &everything128, 1 }, { &everything32, 1 } };
static const struct resources no_resources;

static struct result roa(const struct cms *cms, struct report *rep)
{
	struct cert ee = { .claimed = { .ip4 = CLAIM_SET } };
	struct roa_prefix p;
	struct roa_walk w;
	struct report walk;
	struct roa x;
	struct result r = roa_read(cms, rep, &x);
	size_t n = 0;

	for (w = roa_begin(&x); roa_next(&w, &p); n++) {
		prefix_is_good(&p.p);
		CHECK(p.max_len >= p.p.len && p.max_len <= (p.p.family == 4 ? 32 : 128));
	}
	CHECK(!OK(r) || n == x.prefixes);
	report_init(&walk);
	CHECK(OK(roa_check(&x, &ee, &all_resources, &walk)));
	CHECK(n == 0 || !OK(roa_check(&x, &ee, &no_resources, &walk)));
	return r;
}

static struct result manifest(const struct cms *cms, struct arena *a, struct report *rep)
{
	struct manifest m;
	struct result r = manifest_read(cms, a, rep, &m);

	for (size_t i = 0; OK(r) && i < m.count; i++) {
		CHECK(manifest_name_is_good(m.files[i].name) && m.files[i].hash != NULL);
		for (size_t k = 0; k < i && i < 50; k++)
			CHECK(!span_equal(m.files[i].name, m.files[k].name));
	}
	CHECK(!OK(r) || (m.this_update < m.next_update && !der_negative(m.number)));
	CHECK(manifest_number_compare(m.number, m.number) == 0);
	return r;
}

static struct result aspa(const struct cms *cms, struct report *rep)
{
	struct aspa x;
	struct result r = aspa_read(cms, rep, &x);
	struct reader w = aspa_begin(&x);
	uint32_t provider, last = 0;
	size_t n = 0;

	for (; OK(r) && aspa_next(&w, &provider); last = provider)
		CHECK((n++ == 0 || provider > last) && provider != x.customer);
	CHECK(!OK(r) || n == x.count);
	return r;
}

static struct result rsc(const struct cms *cms, struct arena *a, struct report *rep)
{
	struct rsc x;
	struct result r = rsc_read(cms, a, rep, &x);
	struct reader w = rsc_begin(&x);
	struct span name, hash;
	size_t n = 0;

	for (; OK(r) && rsc_next(&w, &name, &hash); n++)
		CHECK(hash.n == 32);
	CHECK(!OK(r) || n == x.count);
	return r;
}

static struct result prefix_list(const struct cms *cms, struct report *rep)
{
	struct prefix_list x;
	struct result r = prefix_list_read(cms, rep, &x);
	struct prefix_list_walk w = prefix_list_begin(&x);
	struct ip_prefix p;
	size_t n = 0;

	for (; prefix_list_next(&w, &p); n++)
		prefix_is_good(&p);
	CHECK(!OK(r) || n == x.count);
	return r;
}

static struct result read_one(uint8_t what, const struct cms *cms, struct arena *a, struct report *rep)
{
	struct ghostbusters g;
	struct tak tak;

	switch (what % 7) {
	case 0:
		return roa(cms, rep);
	case 1:
		return manifest(cms, a, rep);
	case 2:
		return aspa(cms, rep);
	case 3:
		return rsc(cms, a, rep);
	case 4:
		return prefix_list(cms, rep);
	case 5:
		return ghostbusters_read(cms, rep, &g);
	default:
		return tak_read(cms, rep, &tak);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct reader in = reader_of(span_of(data, size));
	uint8_t what = read8(&in);
	struct cms cms = { .content = read_rest(&in) };
	struct report all, first;
	struct result r, r1;

	if (a == NULL || cms.content.n == 0)
		return 0;
	report_init_all(&all, a);
	report_init(&first);
	r = read_one(what, &cms, a, &all);
	r1 = read_one(what, &cms, a, &first);
	if (r.e == ERR_NOMEM || r1.e == ERR_NOMEM)
		return 0;
	CHECK(OK(r) == OK(r1) && OK(r) == report_good(&all) && (OK(r) || report_has(&all, first.first)));
	return 0;
}
