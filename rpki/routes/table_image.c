#include "rpki/routes/table_image.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "rpki/routes/table_inside.h"

/* The octets in memory are the octets of the image: whoever changes one of these changes LAYOUT too. */
#define LAYOUT 1u
#define ORDER 0x01020304u
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

struct head {
	char magic[8];
	uint32_t order, layout;
	uint64_t generation, octets, withheld;
	uint32_t n4, n6, nkeys, naspas, noctets, nproviders, nsources, ntext;
	uint32_t nids[PAYLOAD_KINDS];
	uint8_t listed[PAYLOAD_KINDS], pad; /* whether payloads of this kind have sources */
};

static const char magic[8] = { 'c', 'a', 'i', 'r', 'n', 't', 'a', 'b' };
static const uint8_t zeros[8];

_Static_assert(sizeof(struct head) == TABLE_IMAGE_HEAD, "layout");
_Static_assert(sizeof(struct slot4) == 12 && sizeof(struct slot6) == 24 && sizeof(struct slot_key) == 32, "layout");
_Static_assert(sizeof(struct slot_aspa) == 12 && sizeof(struct slot_source) == 56, "layout");
_Static_assert(2 * (1 + 5 + 2 * PAYLOAD_KINDS + 3) <= TABLE_IMAGE_PARTS, "parts");

/* --------------------------------------------------------------------------------------------------------------- writing */

static void part(struct table_image *m, const void *p, size_t n)
{
	size_t pad = (8 - n % 8) % 8;

	if (n > 0)
		m->parts[m->n++] = span_of(p, n);
	if (pad > 0)
		m->parts[m->n++] = span_of(zeros, pad);
	m->octets += n + pad;
}

void table_image_of(const struct payload_table *t, struct table_image *ret)
{
	struct head h = { .order = ORDER, .layout = LAYOUT, .generation = t->generation, .withheld = t->withheld, .n4 = (uint32_t)t->n4, .n6 = (uint32_t)t->n6,
		.nkeys = (uint32_t)t->nkeys, .naspas = (uint32_t)t->naspas, .noctets = (uint32_t)t->noctets, .nproviders = (uint32_t)t->nproviders,
		.nsources = (uint32_t)t->nsources, .ntext = (uint32_t)t->ntext };

	*ret = (struct table_image){ .n = 0 };
	memcpy(h.magic, magic, sizeof h.magic);
	part(ret, ret->head, sizeof h);
	part(ret, t->v4, t->n4 * sizeof *t->v4);
	part(ret, t->v6, t->n6 * sizeof *t->v6);
	part(ret, t->keys, t->nkeys * sizeof *t->keys);
	part(ret, t->aspas, t->naspas * sizeof *t->aspas);
	part(ret, t->providers, t->nproviders * sizeof *t->providers);
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++) {
		const struct source_lists *l = &t->lists[k];

		h.listed[k] = l->first != NULL;
		h.nids[k] = l->first != NULL ? l->n : 0;
		part(ret, l->first, l->first != NULL ? (table_count(t, k) + 1) * sizeof *l->first : 0);
		part(ret, l->ids, h.nids[k] * sizeof *l->ids);
	}
	part(ret, t->sources, t->nsources * sizeof *t->sources);
	part(ret, t->octets, t->noctets);
	part(ret, t->text, t->ntext);
	h.octets = ret->octets;
	memcpy(ret->head, &h, sizeof h);
}

RESULT table_image_copy(const struct payload_table *t, void **ret_octets, size_t *ret_n)
{
	AUTO(mem_free) void *octets = NULL;
	struct table_image m;
	struct writer w;

	table_image_of(t, &m);
	octets = mem_alloc_raw(m.octets);
	if (octets == NULL)
		return FAIL(ERR_NOMEM);
	w = writer_of(octets, m.octets);
	for (size_t i = 0; i < m.n; i++)
		write_span(&w, m.parts[i]);
	*ret_octets = MOVE(octets);
	*ret_n = m.octets;
	return DONE;
}

uint64_t table_image_sum(const struct payload_table *t)
{
	struct hash_key key = { { 0x6361697, 0x726e } }; /* no secret: against damage, not against people */
	struct table_image m;

	table_image_of(t, &m);
	for (size_t i = 0; i < m.n; i++)
		key.k[0] ^= siphash13(&key, m.parts[i].p, m.parts[i].n);
	return key.k[0];
}

static RESULT write_parts(int fd, const struct table_image *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct reader r = reader_of(m->parts[i]);

		while (!reader_end(&r)) {
			ssize_t n = write(fd, r.base + r.pos, reader_left(&r));

			if (n < 0 && errno != EINTR)
				return FAIL(ERR_SYSTEM);
			if (n > 0)
				read_skip(&r, (size_t)n);
		}
	}
	return DONE;
}

RESULT table_image_file(const struct payload_table *t, int *ret_fd)
{
	struct table_image m;
	struct result r;
	int fd = memfd_create("payloads", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return FAIL(ERR_SYSTEM);
	table_image_of(t, &m);
	r = write_parts(fd, &m);
	if (OK(r) && fcntl(fd, F_ADD_SEALS, SEALS) != 0)
		r = FAIL(ERR_SYSTEM);
	if (!OK(r)) {
		(void)close(fd);
		return r;
	}
	*ret_fd = fd;
	return DONE;
}

/* --------------------------------------------------------------------------------------------------------------- reading */

/* The next part; NULL when there is none of it. Its octets begin at a multiple of 8, as the image does. */
static const void *array(struct reader *r, size_t n, size_t size) BORROWED;
static const void *array(struct reader *r, size_t n, size_t size)
{
	struct span s = read_span(r, n * size); /* both of 32 bits at most */
	struct span pad = read_span(r, (8 - s.n % 8) % 8);

	if (reader_ok(r) && memcmp(pad.n > 0 ? pad.p : zeros, zeros, pad.n) != 0)
		reader_fail(r);
	return reader_ok(r) && n > 0 ? s.p : NULL;
}

static bool slots4_are_sound(const struct slot4 *v, size_t n)
{
	uint64_t before = 0;

	for (size_t i = 0; i < n; i++) {
		const struct slot4 *s = &v[i];
		uint32_t host = s->len < 32 ? UINT32_MAX >> s->len : 0;
		uint64_t key = (uint64_t)s->addr << 16 | (uint64_t)s->maxlen << 8 | s->len;

		if (s->len > s->maxlen || s->maxlen > 32 || (s->addr & host) != 0 || s->pad[0] != 0 || s->pad[1] != 0)
			return false;
		if (i > 0 && (key < before || (key == before && s->asn <= v[i - 1].asn)))
			return false;
		before = key;
	}
	return true;
}

static struct vrp vrp_of6(const struct slot6 *s)
{
	struct vrp v = { .asn = s->asn, .family = ADDR_V6, .len = s->len, .maxlen = s->maxlen };

	memcpy(v.addr, s->addr, sizeof v.addr);
	return v;
}

static bool slots6_are_sound(const struct slot6 *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct vrp x = vrp_of6(&v[i]), before;

		if (!vrp_is_sound(&x) || v[i].pad[0] != 0 || v[i].pad[1] != 0)
			return false;
		if (i == 0)
			continue;
		before = vrp_of6(&v[i - 1]);
		if (vrp_compare(&before, &x) >= 0)
			return false;
	}
	return true;
}

static bool lies_within(uint32_t at, uint32_t n, size_t all)
{
	return at <= all && n <= all - at;
}

static bool keys_are_sound(const struct payload_table *t)
{
	for (size_t i = 0; i < t->nkeys; i++) {
		const struct slot_key *s = &t->keys[i];
		struct router_key x, before;

		if (s->n == 0 || s->n > PAYLOAD_SPKI_MAX || !lies_within(s->at, s->n, t->noctets))
			return false;
		if (i == 0)
			continue;
		x = table_key(t, i);
		before = table_key(t, i - 1);
		if (router_key_compare(&before, &x) >= 0)
			return false;
	}
	return true;
}

static bool aspas_are_sound(const struct payload_table *t)
{
	for (size_t i = 0; i < t->naspas; i++) {
		const struct slot_aspa *s = &t->aspas[i];
		struct aspa_payload a;

		if (s->n == 0 || s->n > PAYLOAD_PROVIDERS_MAX || !lies_within(s->at, s->n, t->nproviders))
			return false;
		a = table_aspa(t, i);
		if (!aspa_is_sound(&a) || (i > 0 && s->customer <= t->aspas[i - 1].customer))
			return false;
	}
	return true;
}

static bool lists_are_sound(const struct source_lists *l, size_t payloads, size_t sources)
{
	if (l->first == NULL)
		return l->n == 0;
	if (l->first[0] != 0 || l->first[payloads] != l->n)
		return false;
	for (size_t i = 0; i < payloads; i++)
		if (l->first[i] > l->first[i + 1])
			return false;
	for (size_t i = 0; i < l->n; i++)
		if (l->ids[i] >= sources)
			return false;
	return true;
}

static bool sources_are_sound(const struct payload_table *t)
{
	if (t->ntext > 0 && t->text[t->ntext - 1] != '\0')
		return false;
	for (size_t i = 0; i < t->nsources; i++) {
		const struct slot_source *s = &t->sources[i];

		if (s->kind > SOURCE_EXCEPTION || s->tal >= t->ntext || (s->uri != TEXT_NONE && s->uri >= t->ntext) ||
		    (s->comment != TEXT_NONE && s->comment >= t->ntext))
			return false;
	}
	return true;
}

/* The views, from the head. False: they do not fill the image exactly. */
static bool place(struct payload_table *t, const struct head *h, struct reader *r)
{
	t->generation = h->generation;
	t->withheld = (size_t)h->withheld;
	t->n4 = h->n4;
	t->n6 = h->n6;
	t->nkeys = h->nkeys;
	t->naspas = h->naspas;
	t->noctets = h->noctets;
	t->nproviders = h->nproviders;
	t->nsources = h->nsources;
	t->ntext = h->ntext;
	t->v4 = array(r, t->n4, sizeof *t->v4);
	t->v6 = array(r, t->n6, sizeof *t->v6);
	t->keys = array(r, t->nkeys, sizeof *t->keys);
	t->aspas = array(r, t->naspas, sizeof *t->aspas);
	t->providers = array(r, t->nproviders, sizeof *t->providers);
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++) {
		struct source_lists *l = &t->lists[k];

		if (h->listed[k] > 1)
			return false;
		l->n = h->nids[k];
		l->first = array(r, h->listed[k] != 0 ? table_count(t, k) + 1 : 0, sizeof *l->first);
		l->ids = array(r, l->n, sizeof *l->ids);
	}
	t->sources = array(r, t->nsources, sizeof *t->sources);
	t->octets = array(r, t->noctets, 1);
	t->text = array(r, t->ntext, 1);
	return reader_ok(r) && reader_end(r);
}

/* Builds t upon the octets, which are its image. */
static RESULT read_image(struct payload_table *t, struct span image)
{
	struct reader r = reader_of(image);
	struct span head = read_span(&r, sizeof(struct head));
	struct head h;
	bool good;

	if (head.n != sizeof h || (uintptr_t)image.p % 8 != 0)
		return FAIL(ERR_FORMAT);
	memcpy(&h, head.p, sizeof h);
	if (memcmp(h.magic, magic, sizeof magic) != 0 || h.order != ORDER || h.layout != LAYOUT || h.octets != image.n || h.pad != 0 || h.withheld > SIZE_MAX ||
	    (uint64_t)h.n4 + h.n6 > UINT32_MAX || !place(t, &h, &r))
		return FAIL(ERR_FORMAT);
	good = slots4_are_sound(t->v4, t->n4) && slots6_are_sound(t->v6, t->n6) && keys_are_sound(t) && aspas_are_sound(t) && sources_are_sound(t);
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++)
		good = good && lists_are_sound(&t->lists[k], table_count(t, k), t->nsources);
	return good ? DONE : FAIL(ERR_FORMAT);
}

RESULT table_image_take(void *octets, size_t n, struct payload_table **ret)
{
	AUTO(mem_free) void *own = octets;
	AUTO(table_unref) struct payload_table *t = (struct payload_table *)mem_alloc(sizeof *t);

	if (t == NULL)
		return FAIL(ERR_NOMEM);
	atomic_init(&t->refs, 1);
	t->image = MOVE(own);
	t->image_octets = n;
	TRY(read_image(t, span_of(t->image, n)));
	*ret = MOVE(t);
	return DONE;
}

RESULT table_image_map(int fd, size_t max, struct payload_table **ret)
{
	AUTO(table_unref) struct payload_table *t = (struct payload_table *)mem_alloc(sizeof *t);
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *p;

	if (t == NULL)
		return FAIL(ERR_NOMEM);
	atomic_init(&t->refs, 1);
	if (seals < 0 || (seals & SEALS) != SEALS)
		return FAIL(ERR_REFUSED);
	if (fstat(fd, &st) != 0)
		return FAIL(ERR_SYSTEM);
	if (st.st_size < (off_t)TABLE_IMAGE_HEAD)
		return FAIL(ERR_FORMAT);
	if ((uint64_t)st.st_size > max)
		return FAIL(ERR_LIMIT);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return FAIL(ERR_SYSTEM);
	t->image = p; /* which table_unref() unmaps */
	t->image_octets = (size_t)st.st_size;
	t->mapped = true;
	TRY(read_image(t, span_of(p, t->image_octets)));
	*ret = MOVE(t);
	return DONE;
}
