#include "tests/fuzz/publication.h"

#include "base/arena.h"

/* --- scripts */

void pub_script_read(struct span s, struct pub_script *ret)
{
	struct reader r = reader_of(s);

	memset(ret, 0, sizeof *ret);
	for (unsigned int i = 0; i < PUB_HEAD && !reader_end(&r); i++)
		ret->head[i] = read8(&r);
	while (!reader_end(&r) && ret->count < PUB_MOST_OPS) {
		struct pub_op *op = &ret->ops[ret->count++];
		struct span argument;
		uint8_t n;

		op->code = (uint8_t)(read8(&r) % PUB_CODES);
		op->place = reader_end(&r) ? 0 : (uint8_t)(read8(&r) % TOY_PLACES);
		op->label = reader_left(&r) >= 2 ? read16(&r) : 0;
		n = reader_end(&r) ? 0 : read8(&r);
		argument = read_span(&r, n <= reader_left(&r) ? n : reader_left(&r));
		op->n = (uint8_t)argument.n;
		if (argument.n > 0)
			memcpy(op->argument, argument.p, argument.n);
	}
}

size_t pub_script_write(const struct pub_script *s, uint8_t *room, size_t max)
{
	struct writer w = writer_of(room, max);

	write_octets(&w, s->head, PUB_HEAD);
	for (size_t i = 0; i < s->count && writer_left(&w) >= 5u + s->ops[i].n; i++) {
		const struct pub_op *op = &s->ops[i];

		write8(&w, op->code);
		write8(&w, op->place);
		write16(&w, op->label);
		write8(&w, op->n);
		write_octets(&w, op->argument, op->n);
	}
	return writer_ok(&w) ? writer_done(&w).n : 0;
}

/* --- places */

enum toy_place_at pub_manifest_of(unsigned int point)
{
	return point == 0 ? TOY_PLACE_TA_MANIFEST : point == 1 ? TOY_PLACE_MANIFEST : TOY_PLACE_SUB_MANIFEST;
}

static enum toy_place_at crl_of(unsigned int point) { return point == 0 ? TOY_PLACE_TA_CRL : point == 1 ? TOY_PLACE_CRL : TOY_PLACE_SUB_CRL; }

const char *pub_name(const char *uri)
{
	const char *slash = strrchr(uri, '/');

	return slash != NULL ? slash + 1 : uri;
}

void publication_begin(struct publication *p, struct arena *a, struct toy *toy, const struct toy_place *pristine)
{
	memset(p, 0, sizeof *p);
	p->a = a;
	p->toy = toy;
	p->pristine = pristine;
	for (unsigned int i = 0; i < TOY_PLACES; i++) {
		p->places[i].is = pristine[i];
		p->places[i].octets = pristine[i].octets;
		p->places[i].tree = toy_tree(a, pristine[i].octets, pristine[i].what);
		p->places[i].tree.by = pristine[i].by;
	}
	for (unsigned int point = 0; point < 3; point++)
		p->listed[point] = tree_contents(a, p->places[pub_manifest_of(point)].tree.content);
}

bool publication_is_innocent(const struct publication *p, unsigned int place)
{
	unsigned int point = p->pristine[place].point;
	const struct pub_place *x = p->places, *self = &x[place];

	if (self->changed || self->harmed || (p->also_count > 0) || p->same_number)
		return false;
	for (unsigned int above = 0; above <= point; above++) {
		if (x[pub_manifest_of(above)].changed || x[crl_of(above)].changed)
			return false;
		for (unsigned int i = 0; i < TOY_PLACES; i++)
			if (p->pristine[i].point == above && (x[i].harmed || (x[i].changed && (p->pristine[i].what == TOY_TA || p->pristine[i].what == TOY_CA))))
				return false;
	}
	return true;
}

/* --- operations */

static struct node *serial_of(struct pub_place *x) BORROWED NONNULL;
static struct node *serial_of(struct pub_place *x)
{
	return tree_child(tree_child(x->tree.cert, 0), 1);
}

/* Another entry on a list; a CRL has its list of revoked certificates before the extensions, and there it is the second SEQUENCE after the times. */
static void revoke(struct publication *p, struct pub_place *x)
{
	struct pub_place *crl = &p->places[x->is.by == TOY_KEY_TA ? TOY_PLACE_TA_CRL : x->is.by == TOY_KEY_CA ? TOY_PLACE_CRL : TOY_PLACE_SUB_CRL];
	struct node *serial = x->is.what == TOY_CRL ? NULL : serial_of(x), *list = tree_child(tree_child(crl->tree.root, 0), 5);
	struct span parts[2], entry, time = tree_hex(p->a, "170d3236303130313030303030305a", 30);

	if (serial == NULL || list == NULL || !list->inside)
		return;
	parts[0] = tree_write(p->a, serial);
	parts[1] = time;
	entry = tree_tlv(p->a, DER_SEQUENCE, parts, 2);
	label_change(p->a, list, 0, LABEL_CHILD, entry, NULL);
	crl->changed = crl->dirty = true;
}

/* The list of files in a manifest's content: its last element. NULL: there is none any more. */
static struct node *list_of(struct pub_place *manifest) BORROWED NONNULL;
static struct node *list_of(struct pub_place *manifest)
{
	struct node *content = tree_child(manifest->tree.content, 0), *last = NULL;

	for (struct node *n = tree_child(content, 0); n != NULL; n = n->next)
		last = n->inside ? n : last;
	return last;
}

static bool is_name(const struct node *n, const char *name) { return n != NULL && !n->inside && span_equal(n->octets, span_text(name)); }

static void unlist(struct publication *p, struct pub_place *x)
{
	struct pub_place *m = &p->places[pub_manifest_of(x->is.point)];
	struct node *list = list_of(m);

	for (struct node **at = list != NULL ? &list->first : NULL; at != NULL && *at != NULL; at = &(*at)->next) {
		if (is_name(tree_child(*at, 0), pub_name(x->is.uri))) {
			*at = (*at)->next;
			m->changed = m->dirty = true;
			return;
		}
	}
}

static void publish_also(struct publication *p, unsigned int from, const struct pub_op *op)
{
	const char *source = p->pristine[from].uri, *name = op->n > 0 ? arena_printf(p->a, "%.*s", (int)op->n, (const char *)op->argument) : arena_printf(p->a, "also-%s", pub_name(source));
	unsigned int point = op->label % 3;
	const char *beside = p->pristine[pub_manifest_of(point)].uri;
	struct node *list = list_of(&p->places[pub_manifest_of(point)]);
	struct span parts[2], text;
	uint8_t hash[33] = { 0 };

	if (p->also_count == PUB_MOST_ALSO || list == NULL)
		return;
	p->also[p->also_count].uri = arena_printf(p->a, "%.*s%s", (int)(pub_name(beside) - beside), beside, name);
	p->also[p->also_count].point = point;
	p->also[p->also_count++].from = from;
	text = span_text(name);
	parts[0] = tree_tlv(p->a, DER_IA5_STRING, &text, 1);
	text = span_of(hash, sizeof hash);
	parts[1] = tree_tlv(p->a, DER_BIT_STRING, &text, 1);
	text = tree_tlv(p->a, DER_SEQUENCE, parts, 2);
	{
		struct node *last = list->first, *made = tree_parse(p->a, text);

		while (last != NULL && last->next != NULL)
			last = last->next;
		if (last != NULL)
			last->next = made;
		else
			list->first = made;
	}
	p->places[pub_manifest_of(point)].changed = p->places[pub_manifest_of(point)].dirty = true;
}

static void change_label(struct publication *p, struct pub_place *x, const struct pub_op *op)
{
	struct span s = span_of(arena_dup(p->a, op->argument, sizeof op->argument), op->n);
	const struct node *from = NULL;

	if (op->code == LABEL_SPLICE) { /* argument: place, and which label of it */
		struct pub_place *other = &p->places[(op->n > 0 ? op->argument[0] : 0) % TOY_PLACES];
		size_t n = op->n > 2 ? load16(op->argument + 1) : 0;

		from = label_nth(other->tree.root, n % labels_count(other->tree.root));
	}
	label_change(p->a, x->tree.root, op->label, (enum label_code)op->code, s, from);
	x->changed = x->dirty = true;
}

static void edit(struct publication *p, struct pub_place *x, const struct pub_op *op)
{
	char *part = arena_printf(p->a, "%.*s", (int)op->n, (const char *)op->argument), *blank = strchr(part, ' ');

	if (blank == NULL)
		return;
	*blank = '\0';
	(void)toy_edit(p->a, &x->tree, part, blank + 1);
	x->changed = x->dirty = true;
}

static void change_file(struct publication *p, struct pub_place *x, const struct pub_op *op)
{
	x->harmed = true;
	switch (op->code) {
	case PUB_GONE:
		x->gone = op->n == 0;
		break;
	case PUB_OTHER:
		x->other = op->n == 0 ? 0 : op->label % TOY_PLACES + 1u;
		break;
	case PUB_FLIPPED:
		x->flip_at = op->label;
		x->flip_by = op->n > 0 ? op->argument[0] : 0;
		break;
	case PUB_KEPT:
		x->keep = op->n > 0 ? op->argument[0] & 15u : 0;
		x->dirty = true;
		break;
	default: /* PUB_BER */
		x->ber = !x->ber;
		x->dirty = true;
		break;
	}
	(void)p;
}

void publication_change(struct publication *p, const struct pub_op *op)
{
	struct pub_place *x = &p->places[op->place % TOY_PLACES];

	switch (op->code) {
	case PUB_STEP:
	case PUB_NOTE:
		break;
	case PUB_EDITED:
		edit(p, x, op);
		break;
	case PUB_UNLISTED:
		unlist(p, x);
		break;
	case PUB_ALSO:
		publish_also(p, op->place % TOY_PLACES, op);
		break;
	case PUB_REVOKED:
		revoke(p, x);
		break;
	default:
		if (op->code < LABEL_CODES)
			change_label(p, x, op);
		else
			change_file(p, x, op);
		break;
	}
}

/* --- publishing */

static struct span of_place(struct publication *p, struct pub_place *x)
{
	if (x->dirty) {
		x->octets = toy_sign(p->toy, p->a, &x->tree, x->keep & 7);
		if (x->ber && x->is.what > TOY_CRL)
			x->octets = toy_as_ber(p->a, &x->tree);
		x->dirty = false;
	}
	return x->octets;
}

static void add_file(struct pub_state *to, const char *uri, struct span octets)
{
	to->files[to->n++] = (struct toy_file){ uri, octets };
}

/* Hashes on a manifest are those of what is published by the names beside them. */
static void list_anew(struct publication *p, unsigned int point, struct node *n)
{
	struct node *name = tree_child(n, 0), *hash = tree_child(n, 1);

	for (struct node *c = n->inside ? n->first : NULL; c != NULL; c = c->next)
		list_anew(p, point, c);
	if (name == NULL || hash == NULL || name->inside || hash->inside || hash->octets.n != 33)
		return;
	for (unsigned int i = 0; i < TOY_PLACES + p->also_count; i++) {
		bool own = i < TOY_PLACES;
		const struct pub_place *x = &p->places[own ? i : p->also[i - TOY_PLACES].from];
		uint8_t *octets;

		if ((own ? x->is.point : p->also[i - TOY_PLACES].point) != point || !is_name(name, pub_name(own ? x->is.uri : p->also[i - TOY_PLACES].uri)) || (x->keep & 8) != 0)
			continue;
		octets = arena_alloc(p->a, 33);
		sha256_of(x->octets, octets + 1);
		hash->octets = span_of(octets, 33);
	}
}

/* A manifest that lists something else than the last one has a higher number, unless it is the number that was changed. */
static void raise_number(struct publication *p, struct pub_place *m, struct span last)
{
	struct node *number = tree_child(tree_child(m->tree.content, 0), 0);
	struct span now = tree_contents(p->a, m->tree.content);
	uint8_t *octets;

	if (p->states == 0 || p->same_number || span_equal(now, last) || number == NULL || number->inside || number->octets.n != 1 || number->octets.p[0] >= 0x7f)
		return;
	octets = arena_alloc(p->a, 1);
	octets[0] = (uint8_t)(number->octets.p[0] + 1);
	number->octets = span_of(octets, 1);
}

static void publish_manifest(struct publication *p, unsigned int point)
{
	struct pub_place *m = &p->places[pub_manifest_of(point)];
	struct span now;

	list_anew(p, point, m->tree.content);
	raise_number(p, m, p->listed[point]);
	now = tree_contents(p->a, m->tree.content);
	m->dirty = m->dirty || !span_equal(now, p->listed[point]);
	p->listed[point] = now;
	(void)of_place(p, m);
}

static struct span flipped(struct publication *p, const struct pub_place *x, struct span s)
{
	uint8_t *copy;

	if (x->flip_by == 0 || s.n == 0)
		return s;
	copy = arena_dup(p->a, s.p, s.n);
	copy[x->flip_at % s.n] ^= x->flip_by;
	return span_of(copy, s.n);
}

void publication_state(struct publication *p, struct pub_state *ret)
{
	ret->n = 0;
	for (unsigned int i = 0; i < TOY_PLACES; i++)
		if (p->places[i].is.what != TOY_MANIFEST)
			(void)of_place(p, &p->places[i]);
	for (unsigned int i = 0; i < TOY_PLACES; i++)
		if (p->places[i].other != 0)
			p->places[i].octets = p->places[p->places[i].other - 1].octets;
	for (unsigned int point = 3; point-- > 0;)
		publish_manifest(p, point);
	for (unsigned int i = 0; i < TOY_PLACES; i++)
		if (!p->places[i].gone)
			add_file(ret, p->places[i].is.uri, flipped(p, &p->places[i], p->places[i].octets));
	for (size_t i = 0; i < p->also_count; i++)
		add_file(ret, p->also[i].uri, p->places[p->also[i].from].octets);
	p->states++;
}
