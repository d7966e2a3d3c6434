#include "rpki/routes/rtr_image.h"

#include <stdatomic.h>

struct rtr_image {
	atomic_uint refs;
	size_t n;
	uint8_t octets[];
};

void rtr_image_unref(struct rtr_image *i)
{
	if (i != NULL && atomic_fetch_sub_explicit(&i->refs, 1, memory_order_acq_rel) == 1)
		mem_free(i);
}

struct rtr_image *rtr_image_ref(const struct rtr_image *i)
{
	struct rtr_image *counted = (struct rtr_image *)(uintptr_t)i; /* the count is not part of what is immutable */

	atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
	return counted;
}

struct span rtr_image_octets(const struct rtr_image *i)
{
	return span_of(i->octets, i->n);
}

static size_t octets_of(const struct payload_table *t, uint8_t version, bool announce)
{
	size_t n4 = table_vrps4(t), n = 20 * n4 + 32 * (table_count(t, PAYLOAD_VRP) - n4);

	for (size_t i = 0; version >= 1 && i < table_count(t, PAYLOAD_KEY); i++)
		n += RTR_HEADER + PAYLOAD_SKI + 4 + table_key(t, i).spki.n;
	for (size_t i = 0; version >= 2 && i < table_count(t, PAYLOAD_ASPA); i++)
		n += RTR_HEADER + 4 + (announce ? 4 * table_aspa(t, i).n : 0);
	return n;
}

/* VRPs from `from` to `to` - 1: announcements descend, withdrawals ascend. */
static void render_vrps(struct writer *w, uint8_t version, bool announce, const struct payload_table *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct vrp v = table_vrp(t, announce ? from + to - 1 - i : i);

		rtr_write_vrp(w, version, announce, &v);
	}
}

static void render_keys(struct writer *w, uint8_t version, bool announce, const struct payload_table *t)
{
	for (size_t i = 0; i < table_count(t, PAYLOAD_KEY); i++) {
		struct router_key k = table_key(t, i);

		rtr_write_key(w, version, announce, &k);
	}
}

/* d: of which t is what goes; NULL: t is announced */
static void render_aspas(struct writer *w, uint8_t version, const struct payload_delta *d, const struct payload_table *t)
{
	for (size_t i = 0; i < table_count(t, PAYLOAD_ASPA); i++) {
		struct aspa_payload a = table_aspa(t, i);

		if (d == NULL || !delta_replaces(d, i))
			rtr_write_aspa(w, version, d == NULL, &a);
	}
}

/* What comes, and (of a difference) what goes. */
static void render(struct writer *w, uint8_t version, const struct payload_table *up, const struct payload_delta *d)
{
	const struct payload_table *down = d != NULL ? delta_withdrawn(d) : NULL;

	render_vrps(w, version, true, up, 0, table_vrps4(up));
	if (down != NULL)
		render_vrps(w, version, false, down, 0, table_vrps4(down));
	render_vrps(w, version, true, up, table_vrps4(up), table_count(up, PAYLOAD_VRP));
	if (down != NULL)
		render_vrps(w, version, false, down, table_vrps4(down), table_count(down, PAYLOAD_VRP));
	if (version < 1)
		return;
	render_keys(w, version, true, up);
	if (down != NULL)
		render_keys(w, version, false, down);
	if (version < 2)
		return;
	render_aspas(w, version, NULL, up);
	if (down != NULL)
		render_aspas(w, version, d, down);
}

static RESULT make(const struct payload_table *up, const struct payload_delta *d, uint8_t version, struct rtr_image **ret_image)
{
	size_t most = octets_of(up, version, true) + (d != NULL ? octets_of(delta_withdrawn(d), version, false) : 0);
	AUTO(rtr_image_unref) struct rtr_image *i = (struct rtr_image *)mem_alloc_raw(sizeof *i + most);
	struct writer w;

	if (i == NULL)
		return FAIL(ERR_NOMEM);
	atomic_init(&i->refs, 1);
	w = writer_of(i->octets, most);
	render(&w, version, up, d);
	i->n = w.pos;
	*ret_image = MOVE(i);
	return DONE;
}

RESULT rtr_image_full(const struct payload_table *t, uint8_t version, struct rtr_image **ret_image)
{
	return make(t, NULL, version, ret_image);
}

RESULT rtr_image_delta(const struct payload_delta *d, uint8_t version, struct rtr_image **ret_image)
{
	return make(delta_announced(d), d, version, ret_image);
}
