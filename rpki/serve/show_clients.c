/* Who is connected by RTR, by address. */
#include "rpki/serve/http_inside.h"

#include <stdlib.h>

struct gathering {
	struct rtr_client_sum *list OWNED_FIELD;
	size_t n, room;
};

static void count_client(void *ctx, const struct rtr_client *c)
{
	(void)c;
	((struct gathering *)ctx)->room++;
}

static void put_client(void *ctx, const struct rtr_client *c)
{
	struct gathering *g = (struct gathering *)ctx;

	if (g->n < g->room)
		g->list[g->n++] = (struct rtr_client_sum){ .connections = 1, .sum = *c };
}

static int by_address(const void *pa, const void *pb)
{
	const struct rtr_client_sum *a = pa, *b = pb;

	return a->sum.from.family != b->sum.from.family ? (a->sum.from.family < b->sum.from.family ? -1 : 1) : memcmp(a->sum.from.b, b->sum.from.b, sizeof a->sum.from.b);
}

static void join(struct rtr_client_sum *a, const struct rtr_client *b)
{
	a->connections++;
	a->sum.reset_queries += b->reset_queries;
	a->sum.serial_queries += b->serial_queries;
	a->sum.octets_read += b->octets_read;
	a->sum.octets_sent += b->octets_sent;
	if (b->told && (!a->sum.told || (int32_t)(b->serial - a->sum.serial) > 0)) /* RFC 1982 */
		a->sum.serial = b->serial;
	a->sum.told = a->sum.told || b->told;
	a->sum.updated = b->updated > a->sum.updated ? b->updated : a->sum.updated;
	a->sum.reset = b->reset > a->sum.reset ? b->reset : a->sum.reset;
}

static void name(struct rtr_client_sum *x)
{
	if (x->sum.from.family == ADDR_NONE)
		memcpy(x->name, "unix", sizeof "unix");
	else
		(void)addr_text(&x->sum.from, x->name);
}

RESULT clients_gather(const struct rtr_server *s, struct rtr_client_sum **ret_list, size_t *ret_n)
{
	struct gathering g = { .n = 0 };
	size_t n = 0;

	rtr_server_each(s, count_client, &g);
	g.list = (struct rtr_client_sum *)mem_alloc_array(g.room, sizeof *g.list);
	if (g.list == NULL)
		return FAIL(ERR_NOMEM);
	rtr_server_each(s, put_client, &g);
	if (g.n > 1)
		qsort(g.list, g.n, sizeof *g.list, by_address);
	for (size_t i = 0; i < g.n; i++) {
		if (n > 0 && by_address(&g.list[n - 1], &g.list[i]) == 0)
			join(&g.list[n - 1], &g.list[i].sum);
		else
			g.list[n++] = g.list[i];
	}
	for (size_t i = 0; i < n; i++)
		name(&g.list[i]);
	*ret_list = MOVE(g.list);
	*ret_n = n;
	return DONE;
}
