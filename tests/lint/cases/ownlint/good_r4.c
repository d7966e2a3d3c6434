#include "tests/lint/cases/ownlint/zone.h"
struct keeper {
	struct zone *held OWNED_FIELD;
	struct zone *slots[4] OWNED_FIELD;
};
void keeper_free(struct keeper *k) TAKES(1);
void keeper_free(struct keeper *k)
{
	if (k == NULL)
		return;
	zone_free(k->held);
	for (size_t i = 0; i < 4; i++)
		zone_free(k->slots[i]);
	mem_free(k);
}
void pass(struct table *t, struct keeper *k, struct zone *z) TAKES(3);
void pass(struct table *t, struct keeper *k, struct zone *z)
{
	AUTO(zone_free) struct zone *mine = zone_new(1);

	table_put(t, MOVE(mine));
	table_put(t, MOVE(k->held));
	table_put(t, zone_new(2));
	table_put(t, NULL);
	table_put(t, z);
}
struct host {
	int n;
};
struct event_host {
	char *room OWNED_FIELD;
	struct host host;
};
void host_free(struct host *h) TAKES(1);
void host_free(struct host *h)
{
	struct event_host *e = (struct event_host *)(void *)((char *)h - offsetof(struct event_host, host));

	mem_free(e->room);
	mem_free(e);
}
struct block {
	struct block *next OWNED_FIELD;
};
void blocks_free(struct block *b) TAKES(1);
void blocks_free(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;

		mem_free(b);
		b = next;
	}
}
struct entry {
	uint64_t due;
};
struct heap {
	struct entry *entries OWNED_FIELD;
};
void heap_place(struct heap *h, size_t at, struct entry e);
void heap_place(struct heap *h, size_t at, struct entry e)
{
	h->entries[at] = e; /* a value, not a pointer */
}

void heap_end(struct heap *h);
void heap_end(struct heap *h)
{
	mem_free(MOVE(h->entries));
}
