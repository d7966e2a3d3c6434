#include "resolver/serve/quota.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/tokens.h"

/*
 * A hash table with chains, and a list of the entries with nothing open in order of use. Invariants: (1) an entry is in the list
 * exactly when all its counts are 0; (2) idle is the list's length.
 */
#define FIRST_BUCKETS 64u

struct entry {
	struct entry *next OWNED_FIELD;  /* in the bucket */
	struct entry *newer BORROWED_FIELD, *older BORROWED_FIELD; /* in the list of idle ones */
	struct tokens tokens;
	uint32_t open[QUOTA_KINDS];
	struct addr client;
};

struct quota {
	struct hash_key key;
	struct entry **bucket OWNED_FIELD;
	size_t buckets; /* a power of two */
	size_t count, idle, max_idle;
	struct entry *newest BORROWED_FIELD, *oldest BORROWED_FIELD;
};

static struct addr client_of(const struct addr *a)
{
	struct addr c = addr_unmap(a);

	if (c.family == ADDR_V6)
		memset(c.b + 8, 0, 8);
	return c;
}

static size_t bucket_of(const struct quota *q, const struct addr *client)
{
	return (size_t)siphash13(&q->key, client->b, sizeof client->b) & (q->buckets - 1);
}

static void unlist(struct quota *q, struct entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		q->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		q->oldest = e->newer;
	e->newer = e->older = NULL;
	q->idle--;
}

static void list(struct quota *q, struct entry *e)
{
	e->older = q->newest;
	e->newer = NULL;
	if (q->newest != NULL)
		q->newest->newer = e;
	else
		q->oldest = e;
	q->newest = e;
	q->idle++;
}

static bool is_idle(const struct entry *e)
{
	return e->open[QUOTA_WAITING] == 0 && e->open[QUOTA_SESSIONS] == 0;
}

static void drop(struct quota *q, struct entry *gone)
{
	struct entry **at = &q->bucket[bucket_of(q, &gone->client)];

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	unlist(q, gone);
	q->count--;
	mem_free(gone); /* own-ok: R4 taken out of its bucket above */
}

static void shrink(struct quota *q)
{
	while (q->idle > q->max_idle) {
		struct entry *gone = q->oldest;

		assert(gone != NULL && gone != q->newest && gone->newer != NULL); /* two are listed at least: max_idle is above 0 */
		drop(q, gone);
		assert(q->oldest != gone && q->newest != gone);
	}
}

void quota_free(struct quota *q)
{
	if (q == NULL)
		return;
	for (size_t i = 0; q->bucket != NULL && i < q->buckets; i++) {
		while (q->bucket[i] != NULL) {
			struct entry *e = q->bucket[i];

			q->bucket[i] = e->next;
			mem_free(e);
		}
	}
	mem_free(MOVE(q->bucket));
	mem_free(q);
}

struct quota *quota_new(const struct hash_key *key, size_t octets)
{
	AUTO(quota_free) struct quota *q = mem_alloc(sizeof *q);

	if (q == NULL)
		return NULL;
	q->key = *key;
	q->buckets = FIRST_BUCKETS;
	q->bucket = mem_alloc_array(q->buckets, sizeof *q->bucket);
	if (q->bucket == NULL)
		return NULL;
	quota_set_size(q, octets);
	return MOVE(q);
}

void quota_set_size(struct quota *q, size_t octets)
{
	q->max_idle = octets / (sizeof(struct entry) + sizeof(struct entry *)) + 1;
	shrink(q);
}

static void buckets_free(struct entry **b) TAKES(1);
static inline void buckets_free_p(struct entry ***b)
{
	buckets_free(*b);
}
static void buckets_free(struct entry **b)
{
	mem_free(b);
}

/* Twice the buckets, when memory allows. */
static void grow(struct quota *q)
{
	size_t old = q->buckets;
	AUTO(buckets_free) struct entry **wider = mem_alloc_array(old * 2, sizeof *wider), **narrow = NULL;

	if (wider == NULL)
		return;
	narrow = MOVE(q->bucket);
	q->bucket = MOVE(wider);
	q->buckets = old * 2;
	for (size_t i = 0; i < old; i++) {
		while (narrow[i] != NULL) {
			struct entry *e = narrow[i], **to = &q->bucket[bucket_of(q, &e->client)];

			narrow[i] = e->next;
			e->next = *to;
			*to = e;
		}
	}
}

static struct entry *find(const struct quota *q, const struct addr *client) BORROWED;
static struct entry *find(const struct quota *q, const struct addr *client)
{
	struct entry *e = q->bucket[bucket_of(q, client)];

	while (e != NULL && !addr_equal(&e->client, client))
		e = e->next;
	return e;
}

static void entry_free(struct entry *e) TAKES(1);
DEFINE_AUTO(struct entry, entry_free)
static void entry_free(struct entry *e)
{
	mem_free(e);
}

static struct entry *find_or_make(struct quota *q, const struct addr *client) BORROWED;
static struct entry *find_or_make(struct quota *q, const struct addr *client)
{
	AUTO(entry_free) struct entry *made = NULL;
	struct entry *e = find(q, client), **to;

	if (e != NULL)
		return e;
	if (q->count >= q->buckets)
		grow(q);
	to = &q->bucket[bucket_of(q, client)];
	made = mem_alloc(sizeof *made);
	if (made == NULL)
		return NULL;
	e = made;
	e->client = *client;
	e->tokens.parts = TOKENS_FULL;
	e->next = *to;
	*to = MOVE(made);
	q->count++;
	list(q, e);
	shrink(q); /* takes the oldest, which is not e: max_idle is at least 1 */
	return e;
}

static void touch(struct quota *q, struct entry *e)
{
	if (is_idle(e) && q->newest != e) {
		unlist(q, e);
		list(q, e);
	}
}

bool quota_take_token(struct quota *q, const struct addr *client, const struct quota_rate *r, uint64_t now_ms)
{
	const struct token_rate rate = { r->per_sec, r->factor, r->backoff };
	struct addr c = client_of(client);
	struct entry *e = find_or_make(q, &c);

	if (e == NULL)
		return true;
	touch(q, e);
	return tokens_take(&e->tokens, &rate, now_ms) != TOKEN_NONE;
}

bool quota_open(struct quota *q, const struct addr *client, enum quota_kind k, uint32_t limit)
{
	struct addr c = client_of(client);
	struct entry *e = find_or_make(q, &c);

	if (e == NULL || (limit != 0 && e->open[k] >= limit))
		return false;
	if (is_idle(e))
		unlist(q, e);
	e->open[k]++;
	return true;
}

void quota_close(struct quota *q, const struct addr *client, enum quota_kind k)
{
	struct addr c = client_of(client);
	struct entry *e = find(q, &c);

	if (e == NULL || e->open[k] == 0)
		return;
	e->open[k]--;
	if (is_idle(e)) {
		list(q, e);
		shrink(q);
	}
}

uint32_t quota_count(const struct quota *q, const struct addr *client, enum quota_kind k)
{
	struct addr c = client_of(client);
	const struct entry *e = find(q, &c);

	return e != NULL ? e->open[k] : 0;
}

size_t quota_entries(const struct quota *q)
{
	return q->count;
}
