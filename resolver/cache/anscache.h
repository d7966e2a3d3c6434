/*
 * anscache.h: finished packets, served by copy and patch: the way of a hit. A hit takes no lock, allocates nothing and writes
 * nothing but, when it changes, the two-bit hit count of its index slot (resolver/cache/slots.h). Entries are immutable and
 * good until the end of the turn.
 *
 * A stored packet has header, question (name in lower case), and sections without OPT; its TTLs are those at the time of
 * storing. What differs by client (ID, RD, CD, the question's case, TTLs, OPT) is patched into the copy (serve/hit.c).
 */
#ifndef RESOLVER_CACHE_ANSCACHE_H
#define RESOLVER_CACHE_ANSCACHE_H

#include "base/clock.h"
#include "dns/msg.h"
#include "resolver/cache/slots.h"

struct anscache;

enum { ANS_DO = 1, ANS_CD = 2 }; /* variant bits; the policy set is above them */

struct ans_key {
	struct name name;
	uint16_t type;
	uint16_t rclass;
	uint32_t variant; /* ANS_DO | ANS_CD | policy set << 2 */
};

struct ans_entry {
	union {
		struct slot_item item; /* the index's */
		struct {
			struct retired retired;
			uint64_t hash; /* anscache_hash() of its key */
		};
	};
	uint64_t stamp;        /* generations it was judged under; a hit compares it with the current one */
	uint32_t stored_sec;   /* mono */
	uint32_t expires_sec;  /* mono: the least TTL */
	uint32_t watched;      /* bits of the addresses it was judged by (serve/watched.h): one of them moved, and it is taken out */
	uint32_t prefetch_sec; /* mono: from here on a hit starts a refresh */
	uint32_t variant;
	uint16_t len;          /* of the packet */
	uint16_t question_end;
	uint16_t ttl_count;    /* offsets in ttl_offset[] */
	uint16_t answer_end;   /* offset behind the answer section: what fits is cut there */
	uint16_t rotate_from, rotate_size, rotate_count; /* equally long RRs of one RRset in the answer; count 0: none */
	uint16_t ede_len;      /* EDNS options (EDE) that go with it, after the packet */
	uint8_t security;      /* enum security: AD */
	uint8_t flags;
	uint16_t note_len;     /* what a watcher is told of it (dnstap): 1 + the worst state of a route to its servers, or 0; then the encoded policy */
	/* followed by uint16_t ttl_offset[ttl_count], packet[len], ede[ede_len], note[note_len] */
};
static inline const uint16_t *ans_ttl_offsets(const struct ans_entry *e) { return (const uint16_t *)(const void *)(e + 1); }
static inline const uint8_t *ans_packet(const struct ans_entry *e) { return (const uint8_t *)(e + 1) + 2u * e->ttl_count; }
static inline const uint8_t *ans_ede(const struct ans_entry *e) { return ans_packet(e) + e->len; }
static inline const uint8_t *ans_note(const struct ans_entry *e) { return ans_ede(e) + e->ede_len; }

void ans_entry_free(struct ans_entry *e) TAKES(1);
struct ans_entry *ans_entry_new(size_t ttl_count, size_t len, size_t ede_len) OWNED_BY(ans_entry_free);
struct ans_entry *ans_entry_new_noted(size_t ttl_count, size_t len, size_t ede_len, size_t note_len) OWNED_BY(ans_entry_free); /* with room for a note */
DEFINE_AUTO(struct ans_entry, ans_entry_free)

void anscache_free(struct anscache *c) TAKES(1);
struct anscache *anscache_new(size_t octets, const struct hash_key *key) OWNED_BY(anscache_free) NONNULL;
DEFINE_AUTO(struct anscache, anscache_free)
void anscache_set_limit(struct anscache *c, size_t octets) NONNULL;

/* Hash of a key, the name as the client wrote it (case does not matter); to be computed once a query. */
uint64_t anscache_hash(const struct anscache *c, const struct ans_key *k) NONNULL;
/* Asks the processor to fetch what anscache_get will look at: called for a whole batch before the first look-up. */
void anscache_prefetch(const struct anscache *c, uint64_t hash) NONNULL;
/* The second step, after the first was done for the whole batch: the entry itself, as far as the slots tell. */
void anscache_prefetch_entry(const struct anscache *c, uint64_t hash) NONNULL;
/* The entry, fresh or not: the caller compares expires_sec and stamp. NULL: none. */
const struct ans_entry *anscache_get(struct anscache *c, const struct ans_key *k, uint64_t hash) BORROWED NONNULL;
/* Publishes e, replacing an entry of the same key. e->hash must be set. An entry that is larger than a quarter of the cache, whose
 * question is not inside its packet, or for which there is no memory is freed instead. */
void anscache_put(struct anscache *c, struct epoch_member *m, struct ans_entry *e) TAKES(3) NONNULL;
/* Takes an entry out (judged anew and found wanting). */
void anscache_drop(struct anscache *c, struct epoch_member *m, const struct ans_entry *e) NONNULL;
/* Takes out what match says (NULL: everything); returns how many. Walks the whole table, a short lock for each of its shards. */
size_t anscache_flush(struct anscache *c, struct epoch_member *m, bool (*match)(void *user, const struct ans_entry *e), void *user);

struct cache_usage;
void anscache_usage(const struct anscache *c, struct cache_usage *ret) NONNULL;

#endif
