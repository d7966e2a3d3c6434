#include "rpki/serve/rtr_feed.h"

#include "base/rng.h"

/* A rendered difference. */
struct kept {
	struct kept *next OWNED_FIELD;
	uint32_t since;
	uint8_t version;
	struct rtr_image *image OWNED_FIELD;
};

struct rtr_feed {
	struct rtr_feed_options o;
	struct rtr_state state;
	uint64_t generation;
	struct payload_table *table OWNED_FIELD; /* NULL: none yet */
	struct payload_history *history OWNED_FIELD;
	struct rtr_image *full[RTR_VERSIONS] OWNED_FIELD; /* NULL: not asked for yet */
	struct kept *kept OWNED_FIELD;
	size_t kept_octets;
};

struct rtr_state rtr_state_draw(struct rng *rng)
{
	struct rtr_state s = { .serial = 1 };

	for (unsigned int i = 0; i < RTR_VERSIONS;) {
		bool taken = false;

		s.session[i] = rng16(rng);
		for (unsigned int k = 0; k < i; k++)
			taken |= s.session[k] == s.session[i];
		i += !taken;
	}
	return s;
}

static void kept_free(struct kept *k) TAKES(1);
static void kept_free(struct kept *k)
{
	while (k != NULL) {
		struct kept *next = k->next;

		rtr_image_unref(MOVE(k->image));
		mem_free(k);
		k = next;
	}
}
DEFINE_AUTO(struct kept, kept_free)

static void forget_images(struct rtr_feed *f)
{
	for (unsigned int v = 0; v < RTR_VERSIONS; v++)
		rtr_image_unref(MOVE(f->full[v]));
	kept_free(MOVE(f->kept));
	f->kept_octets = 0;
}

void rtr_feed_free(struct rtr_feed *f)
{
	if (f == NULL)
		return;
	forget_images(f);
	table_unref(MOVE(f->table));
	history_free(MOVE(f->history));
	mem_free(f);
}

struct rtr_feed *rtr_feed_new(const struct rtr_feed_options *o, const struct rtr_state *s)
{
	AUTO(rtr_feed_free) struct rtr_feed *f = (struct rtr_feed *)mem_alloc(sizeof *f);

	if (f == NULL)
		return NULL;
	f->o = *o;
	f->state = *s;
	f->history = history_new(&o->history, s->serial);
	return f->history != NULL ? MOVE(f) : NULL;
}

RESULT rtr_feed_publish(struct rtr_feed *f, struct payload_table *t, bool *ret_changed)
{
	AUTO(table_unref) struct payload_table *own = t;

	if (f->table != NULL) {
		AUTO(delta_free) struct payload_delta *d = NULL;

		TRY(delta_between(f->table, own, &d));
		if (delta_is_empty(d)) {
			*ret_changed = false;
			return DONE;
		}
		TRY(history_add(f->history, MOVE(d), &f->state.serial));
	}
	forget_images(f);
	table_unref(MOVE(f->table));
	f->table = MOVE(own);
	f->generation++;
	*ret_changed = true;
	return DONE;
}

void rtr_feed_restore(struct rtr_feed *f, const struct rtr_state *s, struct payload_table *t, struct payload_history *h)
{
	AUTO(table_unref) struct payload_table *table = t;
	AUTO(history_free) struct payload_history *history = h;

	forget_images(f);
	table_unref(MOVE(f->table));
	history_free(MOVE(f->history));
	f->state = *s;
	f->table = MOVE(table);
	f->history = MOVE(history);
	f->generation++;
}

void rtr_feed_set_timers(struct rtr_feed *f, const struct rtr_timers *t)
{
	f->o.timers = *t;
}

const struct payload_table *rtr_feed_table(const struct rtr_feed *f)
{
	return f->table;
}

struct rtr_state rtr_feed_state(const struct rtr_feed *f)
{
	return f->state;
}

const struct payload_history *rtr_feed_history(const struct rtr_feed *f)
{
	return f->history;
}

const struct rtr_timers *rtr_feed_timers(const struct rtr_feed *f)
{
	return &f->o.timers;
}

uint64_t rtr_feed_generation(const struct rtr_feed *f)
{
	return f->generation;
}

size_t rtr_feed_octets(const struct rtr_feed *f)
{
	size_t n = sizeof *f + history_octets(f->history) + f->kept_octets;

	if (f->table != NULL)
		n += table_octets(f->table);
	for (unsigned int v = 0; v < RTR_VERSIONS; v++)
		if (f->full[v] != NULL)
			n += rtr_image_octets(f->full[v]).n;
	return n;
}

RESULT rtr_feed_full(struct rtr_feed *f, uint8_t version, struct rtr_image **ret_image)
{
	if (f->full[version] == NULL)
		TRY(rtr_image_full(f->table, version, &f->full[version]));
	*ret_image = rtr_image_ref(f->full[version]);
	return DONE;
}

/* What the whole table takes at least: a difference that is longer is of no use. */
static size_t least_full(const struct rtr_feed *f)
{
	size_t n4 = table_vrps4(f->table);

	return 20 * n4 + 32 * (table_count(f->table, PAYLOAD_VRP) - n4);
}

/* Keeps the image for others while there is room; without, it lives as long as who asked. */
static void keep(struct rtr_feed *f, uint8_t version, uint32_t serial, const struct rtr_image *i)
{
	size_t n = rtr_image_octets(i).n + sizeof(struct kept);
	AUTO(kept_free) struct kept *k = NULL;

	if (n > f->o.history.octets || f->kept_octets > f->o.history.octets - n)
		return;
	k = (struct kept *)mem_alloc(sizeof *k);
	if (k == NULL)
		return;
	k->since = serial;
	k->version = version;
	k->image = rtr_image_ref(i);
	k->next = MOVE(f->kept);
	f->kept = MOVE(k);
	f->kept_octets += n;
}

RESULT rtr_feed_since(struct rtr_feed *f, uint8_t version, uint32_t serial, struct rtr_image **ret_image)
{
	AUTO(delta_free) struct payload_delta *d = NULL;
	AUTO(rtr_image_unref) struct rtr_image *i = NULL;

	for (const struct kept *k = f->kept; k != NULL; k = k->next) {
		if (k->since == serial && k->version == version) {
			*ret_image = rtr_image_ref(k->image);
			return DONE;
		}
	}
	TRY(history_since(f->history, serial, &d));
	TRY(rtr_image_delta(d, version, &i));
	if (rtr_image_octets(i).n > least_full(f) && serial != f->state.serial && table_count(f->table, PAYLOAD_VRP) > 0)
		return FAIL(ERR_NOTFOUND);
	keep(f, version, serial, i);
	*ret_image = MOVE(i);
	return DONE;
}
