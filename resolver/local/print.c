/* print.c: local zones and data as text, in canonical order, for the control socket. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/local/zones.h"

static int by_name(const void *a, const void *b)
{
	const struct named *const *x = (const struct named *const *)a, *const *y = (const struct named *const *)b;

	return name_compare((*x)->name, (*y)->name);
}

static void sorted_free(struct named **all) TAKES(1);
static void sorted_free(struct named **all)
{
	mem_free(all);
}
DEFINE_AUTO(struct named *, sorted_free)

/* The objects of a table in canonical order of their names; NULL when memory ran out. */
static struct named **sorted(const struct nametable *t) OWNED_BY(sorted_free);
static struct named **sorted(const struct nametable *t)
{
	AUTO(sorted_free) struct named **all = (struct named **)mem_alloc_array(t->used + 1, sizeof(struct named *));
	size_t n = 0;

	if (all == NULL)
		return NULL;
	for (size_t i = 0; i < t->slots; i++) {
		if (t->slot[i] != NULL)
			all[n++] = t->slot[i];
	}
	qsort(all, n, sizeof(struct named *), by_name);
	return MOVE(all);
}

void local_print_zones(const struct local_zones *z, struct strbuf *out)
{
	AUTO(sorted_free) struct named **all = sorted(&z->zones);
	char text[NAME_TEXT];

	if (all == NULL) {
		strbuf_fail(out, ERR_NOMEM);
		return;
	}
	for (size_t i = 0; i < z->zones.used; i++) {
		const struct local_zone *lz = local_zone_of(all[i]);

		if (!lz->gone)
			strbuf_printf(out, "%s %s\n", name_to_text(lz->named.name, text), local_type_text(lz->type));
	}
}

void local_print_data(const struct local_zones *z, struct strbuf *out)
{
	AUTO(sorted_free) struct named **all = sorted(&z->nodes);

	if (all == NULL) {
		strbuf_fail(out, ERR_NOMEM);
		return;
	}
	for (size_t i = 0; i < z->nodes.used; i++) {
		const struct local_node *node = local_node_of(all[i]);

		for (size_t k = 0; k < node->count; k++)
			rrset_print(node->sets[k], node->sets[k]->ttl, out);
	}
}
