#include "resolver/cache/infra.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "base/lock.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/cache/key.h"
#include "resolver/cache/lru.h"

#define SHARDS 16u
#define SHARD_LEAST 64u /* fewer entries than that in each: a single shard, with exact order of use */
#define DEFAULT_BACKOFF_MS 15000u
#define DEFAULT_WAIT_MS 6000u
#define MAX_DOUBLINGS 3u
#define WEAK_EVIDENCE 3u
#define PROBE_GRACE_MS 500u
#define MAX_SRTT_US (UINT32_C(120) * 1000000)

struct server {
	struct lru_node node;
	struct endpoint where;
	struct server_facts facts; /* timeout_ms is worked out when asked for */
	uint64_t expires_ms;
	uint64_t counted_ms;       /* the last timeout that counted */
	uint64_t blocked_at_ms;    /* when the back-off began */
	uint32_t backoff_ms;       /* how long it lasts */
	uint64_t probing_until_ms; /* a probe is under way until then; 0: none */
	uint64_t tcp_until_ms;
	uint8_t edns_doubts;
};

struct lame {
	struct lru_node node;
	struct endpoint where;
	uint64_t until_ms;
	uint8_t why;
	uint8_t zone_len;
	uint8_t zone_labels;
	uint8_t zone[]; /* lower case */
};

struct shard {
	struct lock lock;
	struct lru servers;
	struct lru lames;
};

struct infra {
	struct hash_key key;
	uint32_t shards;
	_Atomic uint32_t host_ttl_sec, min_rtt_ms, max_rtt_ms, unknown_ms, max_backoff_ms, max_wait_ms, lame_ttl_sec;
	_Atomic bool keep_probing;
	_Atomic uint32_t silence;       /* timeouts of any servers since the last reply of any */
	_Atomic uint64_t recovered_ms;  /* the reply that ended the last outage of ours */
	struct shard shard[SHARDS];
};

static uint32_t load(const _Atomic uint32_t *x)
{
	return atomic_load_explicit(x, memory_order_relaxed);
}

/* --- finding */

static uint64_t hash_of(const struct infra *i, const struct endpoint *e)
{
	uint8_t b[1 + 16 + 2 + 4];

	b[0] = e->a.family;
	memcpy(b + 1, e->a.b, sizeof(e->a.b));
	store16(b + 17, e->port);
	store32(b + 19, e->scope);
	return siphash13(&i->key, b, sizeof(b));
}

static struct shard *shard_of(struct infra *i, uint64_t hash) BORROWED;
static struct shard *shard_of(struct infra *i, uint64_t hash)
{
	return &i->shard[(hash >> 32) % i->shards];
}

static bool is_server(const void *key, const struct lru_node *n)
{
	return endpoint_equal(&((const struct server *)(const void *)n)->where, key);
}

static struct server *server_find(struct shard *sh, const struct endpoint *e, uint64_t hash) BORROWED;
static struct server *server_find(struct shard *sh, const struct endpoint *e, uint64_t hash)
{
	return (struct server *)(void *)lru_find(&sh->servers, hash, is_server, e);
}

/* Forgets what was learnt too long ago, so that it is learnt anew. */
static struct server *server_fresh(struct shard *sh, const struct endpoint *e, uint64_t hash, const struct now *now) BORROWED;
static struct server *server_fresh(struct shard *sh, const struct endpoint *e, uint64_t hash, const struct now *now)
{
	struct server *s = server_find(sh, e, hash);

	if (s == NULL || now_ms(now) < s->expires_ms)
		return s;
	lru_remove(&sh->servers, &s->node);
	return NULL;
}

/* NULL: no memory; then nothing is noted. */
static struct server *server_make(struct infra *i, struct shard *sh, const struct endpoint *e, uint64_t hash, const struct now *now) BORROWED;
static struct server *server_make(struct infra *i, struct shard *sh, const struct endpoint *e, uint64_t hash, const struct now *now)
{
	struct server *s = server_fresh(sh, e, hash, now);

	if (s != NULL)
		return s;
	AUTO(lru_node_free) struct lru_node *n = mem_alloc(sizeof(struct server));
	if (n == NULL)
		return NULL;
	s = (struct server *)(void *)n;
	n->hash = hash;
	s->where = *e;
	s->expires_ms = now_ms(now) + load(&i->host_ttl_sec) * UINT64_C(1000);
	return lru_add(&sh->servers, MOVE(n)) ? (struct server *)(void *)lru_newest(&sh->servers) : NULL;
}

/* --- times */

static uint32_t wait_ms(const struct infra *i, const struct server *s)
{
	uint64_t ms = load(&i->unknown_ms);
	uint32_t most = load(&i->max_rtt_ms) < load(&i->max_wait_ms) ? load(&i->max_rtt_ms) : load(&i->max_wait_ms);

	if (s != NULL && s->facts.srtt_us != 0) /* RFC 6298 section 2.3; 10 ms is our clock's and the server's unrest */
		ms = (s->facts.srtt_us + (4 * (uint64_t)s->facts.rttvar_us > 10000 ? 4 * (uint64_t)s->facts.rttvar_us : 10000)) / 1000;
	if (ms < load(&i->min_rtt_ms))
		ms = load(&i->min_rtt_ms);
	if (s != NULL)
		ms <<= s->facts.timeouts < MAX_DOUBLINGS ? s->facts.timeouts : MAX_DOUBLINGS;
	return ms < most ? (uint32_t)ms : most;
}

static bool in_backoff(const struct server *s)
{
	return s->facts.timeouts >= INFRA_DOWN_AFTER;
}

/* When a probe may go: 0, at once, when an outage of ours has ended since. */
static uint64_t blocked_until(const struct infra *i, const struct server *s)
{
	uint32_t max = load(&i->max_backoff_ms);

	if (!in_backoff(s) || s->blocked_at_ms < atomic_load_explicit(&i->recovered_ms, memory_order_relaxed))
		return 0;
	return s->blocked_at_ms + (s->backoff_ms < max ? s->backoff_ms : max); /* it may have been lowered since */
}

static void block(const struct infra *i, struct server *s, uint64_t now)
{
	uint32_t max = load(&i->max_backoff_ms);

	if (s->backoff_ms == 0)
		s->backoff_ms = INFRA_FIRST_BACKOFF_MS;
	else if (!atomic_load_explicit(&i->keep_probing, memory_order_relaxed))
		s->backoff_ms = s->backoff_ms < max / 2 ? s->backoff_ms * 2 : max;
	if (s->backoff_ms > max)
		s->backoff_ms = max;
	s->blocked_at_ms = now;
	s->probing_until_ms = 0;
}

/* Many questions that were in flight together time out together: that is one timeout, not many. */
static bool counts(const struct infra *i, const struct server *s, uint64_t now)
{
	if (in_backoff(s))
		return s->probing_until_ms != 0 && now >= blocked_until(i, s);
	return s->facts.timeouts == 0 || now - s->counted_ms >= wait_ms(i, s) / 4;
}

static void count_timeout(struct infra *i, struct server *s, uint64_t now)
{
	if (!counts(i, s, now))
		return;
	s->counted_ms = now;
	if (s->facts.timeouts < UINT16_MAX)
		s->facts.timeouts++;
	if (in_backoff(s))
		block(i, s, now);
}

static uint32_t difference(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

/* RFC 6298 sections 2.2 and 2.3. */
static void smooth(struct server_facts *f, uint32_t rtt_us)
{
	uint32_t r = rtt_us == 0 ? 1 : rtt_us < MAX_SRTT_US ? rtt_us : MAX_SRTT_US;

	if (f->srtt_us == 0) {
		f->srtt_us = r;
		f->rttvar_us = r / 2;
		return;
	}
	f->rttvar_us = f->rttvar_us - f->rttvar_us / 4 + difference(f->srtt_us, r) / 4;
	f->srtt_us = f->srtt_us - f->srtt_us / 8 + r / 8;
	if (f->srtt_us == 0)
		f->srtt_us = 1;
}

static void clear_backoff(struct server *s)
{
	s->facts.timeouts = 0;
	s->backoff_ms = 0;
	s->blocked_at_ms = 0;
	s->probing_until_ms = 0;
}

/* --- what is asked and told of servers */

void infra_get(struct infra *i, const struct endpoint *server, const struct now *now, struct server_facts *ret)
{
	uint64_t hash = hash_of(i, server);
	struct shard *sh = shard_of(i, hash);
	struct server_facts f = { 0 };

	lock_take(&sh->lock);
	const struct server *s = server_fresh(sh, server, hash, now);
	if (s != NULL) {
		f = s->facts;
		f.blocked_until_ms = blocked_until(i, s);
		f.tcp_only = s->tcp_until_ms > now_ms(now);
	}
	f.timeout_ms = wait_ms(i, s);
	lock_give(&sh->lock);
	*ret = f;
}

void infra_note_rtt(struct infra *i, const struct endpoint *server, uint32_t rtt_us, const struct now *now)
{
	uint64_t hash = hash_of(i, server);
	struct shard *sh = shard_of(i, hash);

	if (load(&i->silence) != 0 &&
	    atomic_exchange_explicit(&i->silence, 0, memory_order_relaxed) >= INFRA_OUTAGE_TIMEOUTS)
		atomic_store_explicit(&i->recovered_ms, now_ms(now), memory_order_relaxed);
	lock_take(&sh->lock);
	struct server *s = server_make(i, sh, server, hash, now);
	if (s != NULL) {
		smooth(&s->facts, rtt_us);
		clear_backoff(s);
	}
	lock_give(&sh->lock);
}

void infra_note_timeout(struct infra *i, const struct endpoint *server, const struct now *now)
{
	infra_note_timeout_of(i, server, 0, now);
}

void infra_note_timeout_of(struct infra *i, const struct endpoint *server, uint16_t type, const struct now *now)
{
	uint64_t hash = hash_of(i, server);
	struct shard *sh = shard_of(i, hash);

	if (load(&i->silence) < INFRA_OUTAGE_TIMEOUTS)
		atomic_fetch_add_explicit(&i->silence, 1, memory_order_relaxed);
	lock_take(&sh->lock);
	struct server *s = server_make(i, sh, server, hash, now);
	if (s != NULL) {
		if (s->facts.timeouts == 0)
			s->facts.silent_type = type;
		else if (s->facts.silent_type != type)
			s->facts.silent_type = 0;
		count_timeout(i, s, now_ms(now));
	}
	lock_give(&sh->lock);
}

static bool may_probe(const struct infra *i, struct server *s, uint64_t now)
{
	if (!in_backoff(s))
		return true;
	if (now < blocked_until(i, s) || now < s->probing_until_ms)
		return false;
	s->probing_until_ms = now + wait_ms(i, s) + PROBE_GRACE_MS;
	return true;
}

bool infra_may_ask(struct infra *i, const struct endpoint *server, const struct now *now)
{
	uint64_t hash = hash_of(i, server);
	struct shard *sh = shard_of(i, hash);

	lock_take(&sh->lock);
	struct server *s = server_fresh(sh, server, hash, now);
	bool yes = s == NULL || may_probe(i, s, now_ms(now));
	lock_give(&sh->lock);
	return yes;
}

void infra_note_edns(struct infra *i, const struct endpoint *server, bool works, bool strong_evidence, const struct now *now)
{
	uint64_t hash = hash_of(i, server);
	struct shard *sh = shard_of(i, hash);

	lock_take(&sh->lock);
	struct server *s = server_make(i, sh, server, hash, now);
	if (s != NULL && works) {
		s->facts.edns = EDNS_WORKS;
		s->edns_doubts = 0;
	} else if (s != NULL && (strong_evidence || ++s->edns_doubts >= WEAK_EVIDENCE)) {
		s->facts.edns = EDNS_BROKEN;
		s->edns_doubts = 0;
	}
	lock_give(&sh->lock);
}

void infra_note_no_0x20(struct infra *i, const struct endpoint *server, const struct now *now)
{
	uint64_t hash = hash_of(i, server);
	struct shard *sh = shard_of(i, hash);

	lock_take(&sh->lock);
	struct server *s = server_make(i, sh, server, hash, now);
	if (s != NULL)
		s->facts.no_0x20 = true;
	lock_give(&sh->lock);
}

bool infra_note_route(struct infra *i, const struct endpoint *server, uint8_t state, uint32_t origin, uint64_t generation, const struct now *now)
{
	uint64_t hash = hash_of(i, server);
	struct shard *sh = shard_of(i, hash);
	bool first = false;

	lock_take(&sh->lock);
	struct server *s = server_make(i, sh, server, hash, now);
	if (s != NULL) {
		first = s->facts.route_generation != generation;
		s->facts.route_state = state;
		s->facts.route_origin = origin;
		s->facts.route_generation = generation;
	}
	lock_give(&sh->lock);
	return first;
}

void infra_note_tcp_only(struct infra *i, const struct endpoint *server, uint32_t for_sec, const struct now *now)
{
	uint64_t hash = hash_of(i, server);
	struct shard *sh = shard_of(i, hash);

	lock_take(&sh->lock);
	struct server *s = server_make(i, sh, server, hash, now);
	if (s != NULL)
		s->tcp_until_ms = now_ms(now) + for_sec * UINT64_C(1000);
	lock_give(&sh->lock);
}

static void set_cookie(struct server_facts *f, const uint8_t client_cookie[8], const uint8_t *server_cookie, size_t len)
{
	f->cookie_len = (uint8_t)len;
	if (len == 0)
		return;
	f->knows_cookies = true;
	memcpy(f->client_cookie, client_cookie, sizeof(f->client_cookie));
	memcpy(f->cookie, server_cookie, len);
}

void infra_note_cookie(struct infra *i, const struct endpoint *server, const uint8_t client_cookie[8], const uint8_t *server_cookie,
    size_t len, const struct now *now)
{
	uint64_t hash = hash_of(i, server);
	struct shard *sh = shard_of(i, hash);

	if (len != 0 && (server_cookie == NULL || len < 8 || len > sizeof(((struct server_facts *)NULL)->cookie)))
		return;
	lock_take(&sh->lock);
	struct server *s = server_make(i, sh, server, hash, now);
	if (s != NULL)
		set_cookie(&s->facts, client_cookie, server_cookie, len);
	lock_give(&sh->lock);
}

/* --- lameness */

struct lame_key {
	const struct endpoint *where BORROWED_FIELD;
	struct name zone;
};

static bool is_lame(const void *key, const struct lru_node *n)
{
	const struct lame_key *k = key;
	const struct lame *l = (const struct lame *)(const void *)n;

	return l->zone_len == k->zone.len && endpoint_equal(&l->where, k->where) && key_equal(l->zone, k->zone.wire, k->zone.len);
}

static uint64_t lame_hash(const struct infra *i, uint64_t server, struct name zone)
{
	return server ^ name_hash(&i->key, zone);
}

static struct lame *lame_find(struct shard *sh, uint64_t hash, const struct lame_key *k) BORROWED;
static struct lame *lame_find(struct shard *sh, uint64_t hash, const struct lame_key *k)
{
	return (struct lame *)(void *)lru_find(&sh->lames, hash, is_lame, k);
}

static void lame_add(struct shard *sh, uint64_t hash, const struct lame_key *k, enum lame_kind why, uint64_t until_ms)
{
	AUTO(lru_node_free) struct lru_node *n = mem_alloc(sizeof(struct lame) + k->zone.len);

	if (n == NULL)
		return;
	struct lame *l = (struct lame *)(void *)n;
	n->hash = hash;
	l->where = *k->where;
	l->until_ms = until_ms;
	l->why = (uint8_t)why;
	l->zone_len = k->zone.len;
	l->zone_labels = k->zone.labels;
	key_lower(l->zone, k->zone.wire, k->zone.len);
	(void)lru_add(&sh->lames, MOVE(n));
}

void infra_note_lame(struct infra *i, const struct endpoint *server, struct name zone, enum lame_kind why, const struct now *now)
{
	uint64_t where = hash_of(i, server);
	uint64_t hash = lame_hash(i, where, zone);
	struct shard *sh = shard_of(i, where);
	struct lame_key k = { server, zone };

	lock_take(&sh->lock);
	struct lame *l = lame_find(sh, hash, &k);
	if (l != NULL)
		lru_remove(&sh->lames, &l->node);
	if (why != LAME_NO)
		lame_add(sh, hash, &k, why, now_ms(now) + load(&i->lame_ttl_sec) * UINT64_C(1000));
	lock_give(&sh->lock);
}

enum lame_kind infra_lame(struct infra *i, const struct endpoint *server, struct name zone, const struct now *now)
{
	uint64_t where = hash_of(i, server);
	uint64_t hash = lame_hash(i, where, zone);
	struct shard *sh = shard_of(i, where);
	struct lame_key k = { server, zone };

	lock_take(&sh->lock);
	const struct lame *l = lame_find(sh, hash, &k);
	enum lame_kind why = l != NULL && now_ms(now) < l->until_ms ? (enum lame_kind)l->why : LAME_NO;
	lock_give(&sh->lock);
	return why;
}

const char *lame_text(enum lame_kind k)
{
	switch (k) {
	case LAME_NO:
		return "not lame";
	case LAME_REFERRAL:
		return "referral away from the zone";
	case LAME_REFUSED:
		return "refused";
	case LAME_SERVFAIL:
		return "server failure";
	case LAME_NOTAUTH:
		return "not authoritative";
	case LAME_GARBAGE:
		return "malformed answers";
	}
	return "lame";
}

/* --- all of them */

static void flush_servers(struct shard *sh, const struct addr *only)
{
	for (struct lru_node *n = lru_newest(&sh->servers), *older; n != NULL; n = older) {
		older = lru_older(n);
		if (only == NULL || addr_equal(&((struct server *)(void *)n)->where.a, only))
			lru_remove(&sh->servers, n);
	}
}

static void flush_lames(struct shard *sh, const struct addr *only)
{
	for (struct lru_node *n = lru_newest(&sh->lames), *older; n != NULL; n = older) {
		older = lru_older(n);
		if (only == NULL || addr_equal(&((struct lame *)(void *)n)->where.a, only))
			lru_remove(&sh->lames, n);
	}
}

void infra_flush(struct infra *i, const struct addr *only)
{
	for (uint32_t at = 0; at < i->shards; at++) {
		struct shard *sh = &i->shard[at];

		lock_take(&sh->lock);
		flush_servers(sh, only);
		flush_lames(sh, only);
		lock_give(&sh->lock);
	}
}

static void dump_server(const struct infra *i, const struct server *s, uint64_t now, struct strbuf *out)
{
	char text[ENDPOINT_TEXT];
	uint64_t until = blocked_until(i, s);

	strbuf_printf(out, "%s . ttl %" PRIu64 " ping %u var %u rtt %u rto %u tA %u tAAAA 0 tother 0 ednsknown %u edns %d delay %" PRIu64
	    " tcp %u cookie %u 0x20 %u lame dnssec 0 rec 0 A 0 other 0\n",
	    endpoint_text(&s->where, text), (s->expires_ms - now) / 1000, s->facts.srtt_us / 1000, s->facts.rttvar_us / 1000,
	    (s->facts.srtt_us + 4 * s->facts.rttvar_us) / 1000, wait_ms(i, s), s->facts.timeouts, s->facts.edns != EDNS_UNTRIED,
	    s->facts.edns == EDNS_BROKEN ? -1 : 0, until > now ? until - now : 0, s->tcp_until_ms > now, s->facts.cookie_len != 0,
	    !s->facts.no_0x20);
}

static void dump_lame(const struct lame *l, uint64_t now, struct strbuf *out)
{
	char text[ENDPOINT_TEXT];
	char zone[NAME_TEXT];

	strbuf_printf(out, "%s %s ttl %" PRIu64 " lame dnssec 0 rec %d A 0 other %d reason \"%s\"\n", endpoint_text(&l->where, text),
	    name_to_text((struct name){ l->zone, l->zone_len, l->zone_labels }, zone), (l->until_ms - now) / 1000, l->why == LAME_REFERRAL,
	    l->why != LAME_REFERRAL, lame_text(l->why));
}

static void dump_shard(const struct infra *i, const struct shard *sh, uint64_t now, struct strbuf *out)
{
	for (const struct lru_node *n = lru_newest(&sh->servers); n != NULL; n = lru_older(n)) {
		const struct server *s = (const struct server *)(const void *)n;

		if (now < s->expires_ms)
			dump_server(i, s, now, out);
	}
	for (const struct lru_node *n = lru_newest(&sh->lames); n != NULL; n = lru_older(n)) {
		const struct lame *l = (const struct lame *)(const void *)n;

		if (now < l->until_ms)
			dump_lame(l, now, out);
	}
}

void infra_dump(struct infra *i, const struct now *now, struct strbuf *out)
{
	for (uint32_t at = 0; at < i->shards; at++) {
		lock_take(&i->shard[at].lock);
		dump_shard(i, &i->shard[at], now_ms(now), out);
		lock_give(&i->shard[at].lock);
	}
}

/* The lock of a shard is no part of what an observer may not change. */
static struct lock *lock_of(const struct shard *sh) BORROWED;
static struct lock *lock_of(const struct shard *sh)
{
	return (struct lock *)(uintptr_t)&sh->lock;
}

size_t infra_count(const struct infra *i)
{
	size_t n = 0;

	for (uint32_t at = 0; at < i->shards; at++) {
		struct lock *lock = lock_of(&i->shard[at]);

		lock_take(lock);
		n += i->shard[at].servers.count;
		lock_give(lock);
	}
	return n;
}

uint64_t infra_evicted(const struct infra *i)
{
	uint64_t n = 0;

	for (uint32_t at = 0; at < i->shards; at++) {
		struct lock *lock = lock_of(&i->shard[at]);

		lock_take(lock);
		n += i->shard[at].servers.evicted + i->shard[at].lames.evicted;
		lock_give(lock);
	}
	return n;
}

/* --- life */

void infra_free(struct infra *i)
{
	if (i == NULL)
		return;
	for (uint32_t at = 0; at < i->shards; at++) {
		lru_done(&i->shard[at].servers);
		lru_done(&i->shard[at].lames);
		lock_done(&i->shard[at].lock);
	}
	mem_free(i);
}

struct infra *infra_new(const struct infra_limits *l, const struct hash_key *key)
{
	AUTO(infra_free) struct infra *i = mem_alloc(sizeof(*i));

	if (i == NULL)
		return NULL;
	i->key = *key;
	i->shards = l->max_entries >= SHARDS * SHARD_LEAST ? SHARDS : 1;
	for (uint32_t at = 0; at < i->shards; at++) {
		lock_init(&i->shard[at].lock);
		lru_init(&i->shard[at].servers, 0);
		lru_init(&i->shard[at].lames, 0);
	}
	infra_set_limits(i, l);
	return MOVE(i);
}

static void set(_Atomic uint32_t *x, uint32_t value)
{
	atomic_store_explicit(x, value, memory_order_relaxed);
}

void infra_set_limits(struct infra *i, const struct infra_limits *l)
{
	set(&i->host_ttl_sec, l->host_ttl_sec);
	set(&i->min_rtt_ms, l->min_rtt_ms);
	set(&i->max_rtt_ms, l->max_rtt_ms);
	set(&i->unknown_ms, l->unknown_ms != 0 ? l->unknown_ms : INFRA_UNKNOWN_RTT_MS);
	set(&i->max_backoff_ms, l->max_backoff_ms != 0 ? l->max_backoff_ms : DEFAULT_BACKOFF_MS);
	set(&i->max_wait_ms, l->max_wait_ms != 0 ? l->max_wait_ms : DEFAULT_WAIT_MS);
	set(&i->lame_ttl_sec, l->lame_ttl_sec);
	atomic_store_explicit(&i->keep_probing, l->keep_probing, memory_order_relaxed);
	for (uint32_t at = 0; at < i->shards; at++) {
		lock_take(&i->shard[at].lock);
		lru_set_max(&i->shard[at].servers, (l->max_entries + i->shards - 1) / i->shards);
		lru_set_max(&i->shard[at].lames, (l->max_entries + i->shards - 1) / i->shards);
		lock_give(&i->shard[at].lock);
	}
}
