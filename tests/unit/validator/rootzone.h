/*
 * rootzone.h: the real root zone of 2020-10-19 with its real signatures, as RRsets, for tests at a time when they were valid. ROOT_ZONE names the file; else it is looked for
 * beside the source tree.
 */
#ifndef TESTS_UNIT_VALIDATOR_ROOTZONE_H
#define TESTS_UNIT_VALIDATOR_ROOTZONE_H

#include "tests/unit/validator/validator_test.h"

#include <unistd.h>

#include "dns/zonefile.h"

#define NOON 1603195200u /* 2020-10-20 12:00:00 UTC */
#define DAY 86400u

struct record {
	struct name owner;
	uint16_t type; /* of the set: of an RRSIG the type that it covers */
	bool sig;
	uint32_t ttl;
	struct span rdata;
};

static struct arena *arena;
static struct record *records;
static size_t n_records, room;
static struct rrset **sets; /* in canonical order of their owners */
static size_t n_sets;
static struct rrset **nsecs; /* those of type NSEC */
static size_t n_nsecs;
static char path[4096];

static inline struct result take(void *user, const struct zone_rr *rr)
{
	struct record *r = &records[n_records];
	uint8_t *p;

	(void)user;
	if (n_records == room)
		return FAIL(ERR_LIMIT);
	p = arena_dup(arena, rr->rdata.p, rr->rdata.n);
	r->owner = name_dup_in(arena, rr->owner);
	if (p == NULL || r->owner.wire == NULL)
		return FAIL(ERR_NOMEM);
	r->rdata = span_of(p, rr->rdata.n);
	r->sig = rr->type == RR_RRSIG;
	r->type = r->sig ? load16(p) : rr->type;
	r->ttl = rr->ttl;
	n_records++;
	return DONE;
}

static inline int by_set(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = name_compare(x->owner, y->owner);

	if (order != 0)
		return order;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return (int)x->sig - (int)y->sig;
}

static inline void group(void)
{
	struct span spans[64];
	size_t n;

	for (size_t i = 0; i < n_records; i += n) {
		size_t count = 0;

		for (n = 0; i + n < n_records && n < 64 && records[i + n].type == records[i].type && name_equal(records[i + n].owner, records[i].owner); n++) {
			spans[n] = records[i + n].rdata;
			count += !records[i + n].sig;
		}
		sets[n_sets] = rrset_make_in(arena, records[i].owner, records[i].type, CLASS_IN, records[i].ttl, spans, count, n - count);
		assert_non_null(sets[n_sets]);
		if (sets[n_sets]->type == RR_NSEC)
			nsecs[n_nsecs++] = sets[n_sets];
		n_sets++;
	}
}

static inline int root_load(void **state)
{
	struct zone_read z = { .origin_text = path, .origin = name_root, .default_ttl = 86400, .rclass = CLASS_IN, .fn = take };
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

	(void)state;
	arena = arena_new(0);
	room = 40000;
	records = arena_alloc_array(arena, room, sizeof *records);
	sets = arena_alloc_array(arena, room, sizeof *sets);
	nsecs = arena_alloc_array(arena, room, sizeof *nsecs);
	if (records == NULL || sets == NULL || nsecs == NULL || report == NULL || !OK(zone_read_file(&z, path, report)))
		return 1;
	qsort(records, n_records, sizeof *records, by_set);
	group();
	return 0;
}

static inline int root_unload(void **state)
{
	(void)state;
	arena_free(MOVE(arena));
	return 0;
}

static inline struct rrset *find(struct name owner, uint16_t type)
{
	size_t from = 0, to = n_sets;

	while (from < to) {
		size_t at = (from + to) / 2;
		int order = name_compare(rrset_name(sets[at]), owner);

		if (order == 0 && sets[at]->type == type)
			return sets[at];
		if (order < 0 || (order == 0 && sets[at]->type < type))
			from = at + 1;
		else
			to = at;
	}
	return NULL;
}

static inline bool is_top(size_t i) /* the NS set of a delegation from the root */
{
	return sets[i]->type == RR_NS && sets[i]->name_labels == 1;
}

/* The first name behind top and all that is below it: its label and an octet of zero. */
static inline struct name_buf behind(struct name top)
{
	uint8_t wire[NAME_MAX_OCTETS];
	struct name_buf b;
	struct name n;

	memcpy(wire, top.wire, top.len - 1u);
	wire[0]++;
	wire[top.len - 1] = 0;
	wire[top.len] = 0;
	assert_ok(name_from_wire(span_of(wire, top.len + 1u), &n));
	name_copy(&b, n);
	return b;
}

/* false: there is no zone to be read; a test is skipped then. */
static inline bool root_there(void)
{
	const char *file = getenv("ROOT_ZONE"), *src = getenv("CAIRN_SRC");

	if (file != NULL)
		snprintf(path, sizeof path, "%s", file);
	else
		snprintf(path, sizeof path, "%s/../shared/data/dns/root-2020101902.zone", src != NULL ? src : ".");
	if (access(path, R_OK) == 0)
		return true;
	printf("no root zone at %s; ROOT_ZONE names one\n", path);
	return false;
}

#endif
