#include "tests/unit/rpki/object/tree.h"

#include <stdlib.h>

#include "base/arena.h"

static struct node *parse(struct arena *a, struct reader *r, unsigned int depth) IN_ARENA;
static struct node *parse(struct arena *a, struct reader *r, unsigned int depth)
{
	struct node *n = arena_alloc(a, sizeof *n), **end = &n->first;
	struct reader in;

	n->octets = der_any(r, &n->tag);
	if (!reader_ok(r) || depth > DER_MAX_DEPTH)
		return NULL;
	if ((n->tag & 0x20) == 0 && !(n->tag == DER_OCTET_STRING && der_is_strict(n->octets, DER_MAX_DEPTH)))
		return n;
	n->inside = true;
	for (in = reader_of(n->octets); !reader_end(&in); end = &(*end)->next) {
		*end = parse(a, &in, depth + 1);
		if (*end == NULL)
			return NULL;
	}
	return n;
}

struct node *tree_parse(struct arena *a, struct span der)
{
	struct reader r = reader_of(der);

	return parse(a, &r, 0);
}

struct span tree_tlv(struct arena *a, uint8_t tag, const struct span *parts, size_t count)
{
	size_t n = 0, octets = 0;
	struct writer w;

	for (size_t i = 0; i < count; i++)
		n += parts[i].n;
	w = writer_of(arena_alloc(a, n + 6), n + 6);
	for (size_t v = n; n >= 0x80 && v > 0; v >>= 8)
		octets++;
	write8(&w, tag);
	write8(&w, (uint8_t)(octets == 0 ? n : 0x80 | octets));
	for (size_t i = octets; i > 0; i--)
		write8(&w, (uint8_t)(n >> (8 * (i - 1))));
	for (size_t i = 0; i < count; i++)
		write_span(&w, parts[i]);
	return writer_done(&w);
}

static size_t head_size(size_t n) { return n < 0x80 ? 2 : n < 0x100 ? 3 : n < 0x10000 ? 4 : n < 0x1000000 ? 5 : 6; }

static size_t contents_size(const struct node *n)
{
	size_t total = 0;

	if (!n->inside)
		return n->octets.n;
	for (const struct node *c = n->first; c != NULL; c = c->next)
		total += tree_size(c);
	return total;
}
size_t tree_size(const struct node *n)
{
	size_t in = contents_size(n);

	return n->tag == 0 ? in : in + head_size(in);
}

static void put(struct writer *w, const struct node *n);
static void put_contents(struct writer *w, const struct node *n)
{
	if (!n->inside)
		write_span(w, n->octets);
	for (const struct node *c = n->inside ? n->first : NULL; c != NULL; c = c->next)
		put(w, c);
}
static void put(struct writer *w, const struct node *n)
{
	size_t in = contents_size(n);

	if (n->tag != 0) {
		write8(w, n->tag);
		if (in >= 0x80)
			write8(w, (uint8_t)(0x80 + head_size(in) - 2));
		for (size_t i = in < 0x80 ? 1 : head_size(in) - 2; i > 0; i--)
			write8(w, (uint8_t)(in >> (8 * (i - 1))));
	}
	put_contents(w, n);
}

struct span tree_contents(struct arena *a, const struct node *n)
{
	struct writer w = writer_of(arena_alloc(a, contents_size(n) + 1), contents_size(n) + 1);

	put_contents(&w, n);
	return writer_done(&w);
}

struct span tree_write(struct arena *a, const struct node *n)
{
	struct writer w = writer_of(arena_alloc(a, tree_size(n) + 1), tree_size(n) + 1);

	put(&w, n);
	return writer_done(&w);
}

struct node *tree_child(struct node *n, unsigned int i)
{
	struct node *c = n != NULL && n->inside ? n->first : NULL;

	while (c != NULL && i-- > 0)
		c = c->next;
	return c;
}

struct node *tree_find(struct node *n, struct span octets)
{
	for (struct node *c = n != NULL && n->inside ? n->first : NULL; c != NULL; c = c->next) {
		struct node *found;

		if (!c->inside && span_equal(c->octets, octets))
			return n;
		found = tree_find(c, octets);
		if (found != NULL)
			return found;
	}
	return NULL;
}

struct node *tree_raw(struct arena *a, struct span octets)
{
	struct node *n = arena_alloc(a, sizeof *n);

	n->octets = octets;
	return n;
}

static unsigned int digit(char c) { return (unsigned int)(c <= '9' ? c : c + 9) & 15; }

struct span tree_hex(struct arena *a, const char *hex, size_t n)
{
	uint8_t *p = arena_alloc(a, n / 2 + 1);

	for (size_t i = 0; i + 1 < n; i += 2)
		p[i / 2] = (uint8_t)(digit(hex[i]) << 4 | digit(hex[i + 1]));
	return span_of(p, n / 2);
}

/* Where the pointer to the element is; NULL when there is none. */
static struct node **locate(struct node **root, const char **path)
{
	struct node **at = root;

	while (**path >= '0' && **path <= '9') {
		unsigned long i = strtoul(*path, NULL, 10);

		*path += strspn(*path, "0123456789");
		*path += **path == '.';
		if (!(*at)->inside)
			return NULL;
		for (at = &(*at)->first; *at != NULL && i > 0; i--)
			at = &(*at)->next;
		if (*at == NULL)
			return NULL;
	}
	return at;
}

static bool edit_one(struct arena *a, struct node *root, const char *edit)
{
	struct node *top = root, **at = locate(&top, &edit), *node, *made;
	struct span hex;

	if (at == NULL || *edit == '\0')
		return false;
	node = *at;
	hex = tree_hex(a, edit + 1, strcspn(edit + 1, " "));
	made = tree_raw(a, hex);
	switch (*edit) {
	case '=':
		node->tag = 0;
		node->inside = false;
		node->octets = hex;
		return true;
	case ':':
		node->inside = false;
		node->octets = hex;
		return true;
	case '-':
		node->tag = 0;
		node->inside = false;
		node->octets = span_of("", 0);
		return true;
	case '*':
		made->octets = tree_write(a, node);
		made->next = node->next;
		node->next = made;
		return true;
	case '+':
		if (!node->inside)
			return false;
		for (at = &node->first; *at != NULL;)
			at = &(*at)->next;
		*at = made;
		return true;
	case '<':
		if (node == root)
			return false;
		made->next = node;
		*at = made;
		return true;
	case '^':
		if (node->next == NULL || node == root)
			return false;
		made = node->next;
		*at = made;
		node->next = made->next;
		made->next = node;
		return true;
	case '|': {
		struct span contents = tree_contents(a, node);
		uint8_t *copy = arena_dup(a, contents.p, contents.n);

		if (hex.n == 0 || contents.n == 0)
			return false;
		copy[0] ^= hex.p[0];
		node->octets = span_of(copy, contents.n);
		node->inside = false;
		return true;
	}
	default:
		return false;
	}
}

bool tree_edit(struct arena *a, struct node *n, const char *edits)
{
	while (*edits != '\0') {
		size_t len = strcspn(edits, " ");

		if (!edit_one(a, n, edits))
			return false;
		edits += len;
		edits += strspn(edits, " ");
	}
	return true;
}
