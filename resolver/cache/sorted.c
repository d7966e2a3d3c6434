#include "resolver/cache/sorted.h"

uint64_t sorted_head(struct span key)
{
	uint64_t x = 0;

	if (key.n >= sizeof x)
		return (uint64_t)load32(key.p) << 32 | load32(key.p + 4);
	for (size_t i = 0; i < key.n; i++)
		x |= (uint64_t)key.p[i] << (56 - 8 * i);
	return x;
}

int sorted_compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

/* The same, of a key whose head is known. Equal heads decide nothing: one of the keys may be shorter than a head. */
static inline int compare(uint64_t head, struct span key, const struct sorted_node *n)
{
	return head != n->head ? (head > n->head) - (head < n->head) : sorted_compare(key, n->key);
}

/* Deals the tree at `from` out to what is before key and what is behind it. */
static void split(struct sorted_node *from, uint64_t head, struct span key, struct sorted_node **less, struct sorted_node **more)
{
	while (from != NULL) {
		if (compare(head, key, from) > 0) {
			*less = from;
			less = &from->more;
			from = from->more;
		} else {
			*more = from;
			more = &from->less;
			from = from->less;
		}
	}
	*less = *more = NULL;
}

void sorted_add(struct sorted *s, struct sorted_node *n, struct span key, uint32_t random)
{
	struct sorted_node **at = &s->top;

	n->key = key;
	n->head = sorted_head(key);
	n->priority = random;
	while (*at != NULL && (*at)->priority >= random)
		at = compare(n->head, key, *at) > 0 ? &(*at)->more : &(*at)->less;
	split(*at, n->head, key, &n->less, &n->more);
	*at = n;
	s->count++;
}

void sorted_remove(struct sorted *s, struct sorted_node *n)
{
	struct sorted_node **at = &s->top, *less = n->less, *more = n->more;

	while (*at != n)
		at = compare(n->head, n->key, *at) > 0 ? &(*at)->more : &(*at)->less;
	while (less != NULL && more != NULL) {
		if (less->priority >= more->priority) {
			*at = less;
			at = &less->more;
			less = less->more;
		} else {
			*at = more;
			at = &more->less;
			more = more->less;
		}
	}
	*at = less != NULL ? less : more;
	n->less = n->more = NULL;
	s->count--;
}

struct sorted_node *sorted_floor(const struct sorted *s, struct span key)
{
	struct sorted_node *n = s->top, *best = NULL;
	uint64_t head = sorted_head(key);

	while (n != NULL) {
		int c = compare(head, key, n);

		if (c == 0)
			return n;
		if (c > 0)
			best = n;
		n = c > 0 ? n->more : n->less;
	}
	return best;
}

struct sorted_node *sorted_above(const struct sorted *s, struct span key)
{
	struct sorted_node *n = s->top, *best = NULL;
	uint64_t head = sorted_head(key);

	while (n != NULL) {
		if (compare(head, key, n) < 0) {
			best = n;
			n = n->less;
		} else {
			n = n->more;
		}
	}
	return best;
}

struct sorted_node *sorted_first(const struct sorted *s)
{
	struct sorted_node *n = s->top;

	while (n != NULL && n->less != NULL)
		n = n->less;
	return n;
}

struct sorted_node *sorted_last(const struct sorted *s)
{
	struct sorted_node *n = s->top;

	while (n != NULL && n->more != NULL)
		n = n->more;
	return n;
}

/* --- for tests */

static bool is_sound(const struct sorted_node *n)
{
	if (n->head != sorted_head(n->key))
		return false;
	if (n->less != NULL && (n->less->priority > n->priority || sorted_compare(n->less->key, n->key) >= 0))
		return false;
	return n->more == NULL || (n->more->priority <= n->priority && sorted_compare(n->more->key, n->key) > 0);
}

bool sorted_check(const struct sorted *s)
{
	const struct sorted_node *before = NULL;
	size_t seen = 0;

	for (const struct sorted_node *n = sorted_first(s); n != NULL; n = sorted_above(s, n->key)) {
		if (!is_sound(n) || (before != NULL && sorted_compare(before->key, n->key) >= 0))
			return false;
		before = n;
		seen++;
	}
	return seen == s->count;
}
