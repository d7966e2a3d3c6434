#include "resolver/serve/serve.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "resolver/cache/anscache.h"
#include "resolver/local/local.h"
#include "resolver/core/validation.h"
#include "resolver/serve/answer_filter.h"
#include "resolver/serve/answer_route.h"
#include "resolver/serve/chaos.h"
#include "resolver/serve/client.h"
#include "resolver/serve/hit.h"
#include "resolver/serve/listener.h"
#include "resolver/serve/quota.h"
#include "resolver/serve/render.h"
#include "resolver/serve/serve_tap.h"
#include "resolver/serve/tcp.h"
#include "resolver/stats.h"

#define DESTINATION_TEXT (ADDR_TEXT + 16)
#define LOCAL_OCTETS (256u * 1024) /* of one local answer */
#define FILTER_OCTETS (1024u * 1024) /* of a verdict on the largest message, all of addresses */

/* own-ok: R13 ports, sessions and clients end in the files that they are the subject of: listener.c, tcp.c, client.c */
void serve_free(struct serve *s)
{
	if (s == NULL)
		return;
	tcp_close_all(s);
	listener_close_all(s);
	client_drop_all(s);
	quota_free(MOVE(s->quota));
	arena_free(MOVE(s->arena));
	arena_free(MOVE(s->filter_arena));
	mem_free(MOVE(s->scratch));
	mem_free(MOVE(s->frame));
	mem_free(MOVE(s->batch));
	route_seat_done(&s->seat);
	filter_seat_done(&s->filter_seat);
	mem_free(s);
}

static bool make_parts(struct serve *s)
{
	struct hash_key key = rng_hash_key(loop_rng(s->env.loop));

	s->quota = quota_new(&key, s->env.settings->rate_octets / s->env.workers);
	s->arena = arena_new(LOCAL_OCTETS);
	s->filter_arena = arena_new(FILTER_OCTETS);
	s->scratch = mem_alloc(RENDER_SCRATCH);
	s->frame = mem_alloc(2 + MSG_MAX);
	s->batch = mem_alloc_array(SERVE_BATCH, sizeof *s->batch);
	return s->quota != NULL && s->arena != NULL && s->filter_arena != NULL && s->scratch != NULL && s->frame != NULL && s->batch != NULL;
}

struct serve *serve_new(const struct serve_env *env)
{
	AUTO(serve_free) struct serve *s = mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->env = *env;
	if (s->env.workers == 0)
		s->env.workers = 1;
	if (!make_parts(s))
		return NULL;
	s->admission = (struct admission){ s->env.settings, s->quota, s->env.stats, NULL, s->env.workers, { ADDR_NONE, { 0 } },
		ACCESS_UNSAID, ACCESS_UNSAID, s->env.validation != NULL };
	return MOVE(s);
}

void serve_set(struct serve *s, const struct serve_settings *settings, const struct local_zones *zones)
{
	s->env.settings = settings;
	s->env.zones = zones;
	s->admission.settings = settings;
	admission_forget(&s->admission);
	quota_set_size(s->quota, settings->rate_octets / s->env.workers);
}

void serve_set_validation(struct serve *s, const struct validation *v)
{
	s->env.validation = v;
	s->admission.validates = v != NULL;
}

void serve_set_tap(struct serve *s, struct tap *t)
{
	s->tap = t;
}

uint64_t serve_stamp(const struct serve *s)
{
	return atomic_load_explicit(s->env.stamp, memory_order_acquire); /* what it was raised for is seen */
}

uint8_t *serve_room(struct serve *s, const struct origin *o, size_t limit)
{
	if (origin_is_tcp(o))
		return session_get(s->env.loop, o->session) != NULL ? s->frame + 2 : NULL;
	return listener_room(s, o->port, limit);
}

void serve_send(struct serve *s, const struct origin *o, size_t len)
{
	if (len == 0)
		return;
	if (origin_is_tcp(o))
		session_reply(s, o->session, len);
	else
		listener_send(s, o, len);
}

void serve_code(struct serve *s, const struct origin *o, const struct reply_to *to, const struct reply_code *c)
{
	uint8_t *buf = serve_room(s, o, to->limit);
	size_t len;

	if (buf == NULL)
		return;
	len = reply_compose(s->env.settings, to, c, buf, to->limit);
	if (s->tap != NULL)
		serve_tap_code(s, o, span_of(buf, len));
	s->policy = NULL;
	serve_send(s, o, len);
	reply_count(s->env.stats, c->rcode, false);
	if (s->env.settings->log_replies)
		serve_log_reply(s, o, to, c->rcode, 0, false, len);
}

/* As Unbound writes it: " on udp 192.0.2.1 53". */
static void destination_text(struct serve *s, const struct origin *o, char buf[DESTINATION_TEXT])
{
	struct endpoint at = listener_address(s, o);
	char text[ADDR_TEXT];

	(void)snprintf(buf, DESTINATION_TEXT, " on %s %s %u", origin_is_tcp(o) ? "tcp" : "udp", addr_text(&at.a, text), at.port);
}

void serve_log_reply(struct serve *s, const struct origin *o, const struct reply_to *to, unsigned int rcode, uint64_t took_us,
    bool cached, size_t len)
{
	char at[ENDPOINT_TEXT], name[NAME_TEXT], type[RRTYPE_TEXT], cls[RRTYPE_TEXT], code[RRTYPE_TEXT], dest[DESTINATION_TEXT] = "";

	if (s->env.settings->log_destaddr)
		destination_text(s, o, dest);
	log_tagged(LOG_LEVEL_NOTICE, s->env.settings->log_tag ? "reply" : NULL, "%s %s %s %s %s %u.%06u %d %zu%s", endpoint_text(&o->from, at),
	    name_to_text(to->name, name), rrtype_text(to->type, type), rrclass_text(to->rclass, cls), rcode_text((uint16_t)rcode, code),
	    (unsigned int)(took_us / 1000000), (unsigned int)(took_us % 1000000), cached, len, dest);
}

static void log_query(const struct serve *s, const struct request *r)
{
	char at[ENDPOINT_TEXT], name[NAME_TEXT], type[RRTYPE_TEXT], cls[RRTYPE_TEXT];

	log_tagged(LOG_LEVEL_NOTICE, s->env.settings->log_tag ? "query" : NULL, "%s %s %s %s", endpoint_text(&r->origin.from, at), name_to_text(r->to.name, name), rrtype_text(r->to.type, type),
	    rrclass_text(r->to.rclass, cls));
}

/* What admission decided that the reply is. */
static void reply_verdict(struct serve *s, const struct request *r)
{
	uint8_t room[4 + 2];
	struct writer w = writer_of(room, sizeof room);
	struct reply_code c = { .rcode = r->rcode, .truncated = r->truncate, .bare = r->bare };

	if (r->has_ede && s->env.settings->ede)
		reply_ede_option(&w, r->ede, NULL);
	c.ede = writer_done(&w);
	serve_code(s, &r->origin, &r->to, &c);
}

static void refuse(struct serve *s, struct request *r, uint16_t ede)
{
	r->rcode = RCODE_REFUSED;
	r->ede = ede;
	r->has_ede = true;
	reply_verdict(s, r);
}

void serve_answer(struct serve *s, const struct origin *o, const struct reply_to *to, uint32_t variant, const struct answer *a)
{
	struct render how = { s->env.settings, loop_now(s->env.loop), 0, s->scratch };
	struct ans_key k = { to->name, to->type, to->rclass, variant };
	AUTO(ans_entry_free) struct ans_entry *e = NULL;
	struct answer_route route;
	uint8_t *buf;
	size_t len;

	a = answer_route_judge(s, a, &route);
	if (!OK(render_answer(&how, a, &k, 0, &e))) {
		serve_code(s, o, to, &(struct reply_code){ .rcode = RCODE_SERVFAIL, .recursion_available = true });
		return;
	}
	buf = serve_room(s, o, to->limit);
	if (buf == NULL)
		return;
	len = hit_compose(s->env.settings, e, to, now_sec(how.now), buf, to->limit);
	if (s->tap != NULL)
		serve_tap_entry(s, o, span_of(buf, len), e, TAP_HOW_LOCAL, how.now->mono_ns);
	serve_send(s, o, len);
	reply_count(s->env.stats, a->rcode, (e->flags & HIT_NO_DATA) != 0);
	if (s->env.settings->log_replies)
		serve_log_reply(s, o, to, a->rcode, 0, true, len);
}

/* Names that are answered from here. True: done. */
static bool answer_locally(struct serve *s, struct request *r)
{
	struct answer a = { .rcode = RCODE_NOERROR };
	struct name follow = { NULL, 0, 0 };
	enum local_verdict v;

	arena_reset(s->arena);
	v = local_answer(s->env.zones, &r->m.q, &r->origin.from, s->arena, &a, &follow);
	if (v == LOCAL_PASS)
		return false;
	stats_inc(s->env.stats, COUNT_QUERIES_LOCAL);
	if (v == LOCAL_DROP) {
		stats_inc(s->env.stats, COUNT_DROPPED_POLICY);
		return true;
	}
	if (follow.wire != NULL && r->recurse && r->verdict == ADMIT) {
		client_wait(s, r, &a, &follow);
		return true;
	}
	stats_inc(s->env.stats, COUNT_CACHE_HITS);
	serve_answer(s, &r->origin, &r->to, r->variant, &a);
	return true;
}

static void answer_chaos(struct serve *s, struct request *r)
{
	struct answer a;

	arena_reset(s->arena);
	if (chaos_answer(s->env.settings, s->env.validation != NULL ? s->env.validation->anchors : NULL, &r->m.q, s->arena, &a) == CHAOS_ANSWER)
		serve_answer(s, &r->origin, &r->to, r->variant, &a);
	else if (!answer_locally(s, r))
		refuse(s, r, EDE_NOT_SUPPORTED);
}

/* The answer cache: true when it had a fresh answer, which is on its way now. */
static inline bool answer_from_cache(struct serve *s, struct request *r)
{
	struct ans_key k = { r->to.name, r->to.type, r->to.rclass, r->variant };
	const struct ans_entry *e = anscache_get(s->env.anscache, &k, r->hash);
	uint32_t now = now_sec(s->admission.now);
	uint8_t *buf;
	size_t len;

	if (e == NULL || !hit_is_fresh(e, serve_stamp(s), now))
		return false;
	buf = serve_room(s, &r->origin, r->to.limit);
	if (buf == NULL)
		return true;
	len = hit_compose(s->env.settings, e, &r->to, now, buf, r->to.limit);
	if (s->tap != NULL)
		serve_tap_entry(s, &r->origin, span_of(buf, len), e, TAP_HOW_CACHE, s->admission.now->mono_ns);
	serve_send(s, &r->origin, len);
	stats_inc(s->env.stats, COUNT_CACHE_HITS);
	if ((e->flags & HIT_FILTERED) != 0)
		stats_inc(s->env.stats, COUNT_FILTER_HITS);
	reply_count(s->env.stats, load16(ans_packet(e) + 2) & 15, (e->flags & HIT_NO_DATA) != 0);
	if (s->env.settings->log_replies)
		serve_log_reply(s, &r->origin, &r->to, load16(ans_packet(e) + 2) & 15, 0, true, len);
	if (s->env.settings->prefetch && (int32_t)(now - e->prefetch_sec) >= 0)
		client_refresh(s, &r->m.q, r->variant, r->hash, true);
	return true;
}

/* Blocked before anybody is asked. Stored like other answers, but never refreshed: that would ask. */
static bool answer_by_filter(struct serve *s, const struct request *r)
{
	struct render how = { s->env.settings, loop_now(s->env.loop), serve_stamp(s), s->scratch };
	struct ans_key k = { r->to.name, r->to.type, r->to.rclass, r->variant };
	AUTO(ans_entry_free) struct ans_entry *e = NULL;
	struct answer_filter j;
	uint8_t *buf;
	size_t len;

	if (!answer_filter_question(s, &r->m.q, &j))
		return false;
	if (j.nothing) {
		stats_inc(s->env.stats, COUNT_DROPPED_POLICY);
		return true;
	}
	if (!OK(render_answer(&how, &j.instead, &k, r->hash, &e))) {
		serve_code(s, &r->origin, &r->to, &(struct reply_code){ .rcode = RCODE_SERVFAIL, .recursion_available = true });
		return true;
	}
	e->flags |= HIT_FILTERED;
	e->prefetch_sec = e->expires_sec;
	buf = serve_room(s, &r->origin, r->to.limit);
	if (buf == NULL)
		return true;
	len = hit_compose(s->env.settings, e, &r->to, now_sec(how.now), buf, r->to.limit);
	if (s->tap != NULL)
		serve_tap_entry(s, &r->origin, span_of(buf, len), e, TAP_HOW_CODE, how.now->mono_ns);
	serve_send(s, &r->origin, len);
	reply_count(s->env.stats, j.instead.rcode, (e->flags & HIT_NO_DATA) != 0);
	if (s->env.settings->log_replies)
		serve_log_reply(s, &r->origin, &r->to, j.instead.rcode, 0, false, len);
	if (j.instead.cacheable && serve_is_worth_a_place(s, &j.instead, r->hash)) {
		anscache_put(s->env.anscache, s->env.member, MOVE(e));
		answer_filter_stored(s, &k, r->hash, &j);
	}
	return true;
}

bool serve_is_worth_a_place(struct serve *s, const struct answer *a, uint64_t hash)
{
	uint16_t *seen = &s->synthesized[hash % SERVE_SYNTHESIZED], mark = (uint16_t)(hash >> 48);

	if (!a->synthesized || *seen == mark)
		return true;
	*seen = mark;
	return false;
}

/* RFC 8482: nothing is a valid answer to ANY, too. */
static void answer_any(struct serve *s, const struct request *r)
{
	serve_code(s, &r->origin, &r->to, &(struct reply_code){ .rcode = RCODE_NOERROR, .recursion_available = true });
}

void serve_prepare(struct serve *s, struct request *r)
{
	struct ans_key k;

	if (r->verdict != ADMIT && r->verdict != ADMIT_LOCAL)
		return;
	r->may_be_local = local_may_match(s->env.zones, r->to.name);
	if (r->verdict != ADMIT)
		return;
	k = (struct ans_key){ r->to.name, r->to.type, r->to.rclass, r->variant };
	r->hash = anscache_hash(s->env.anscache, &k);
	anscache_prefetch(s->env.anscache, r->hash);
}

void serve_fetch(const struct serve *s, const struct request *r)
{
	if (r->verdict == ADMIT)
		anscache_prefetch_entry(s->env.anscache, r->hash);
}

void serve_question(struct serve *s, struct request *r)
{
	if (r->verdict == ADMIT_DROP)
		return;
	if (s->env.settings->log_queries && !r->bare)
		log_query(s, r);
	if (r->verdict == ADMIT_REPLY) {
		reply_verdict(s, r);
		return;
	}
	if (r->verdict == ADMIT_CHAOS) {
		answer_chaos(s, r);
		return;
	}
	if (r->may_be_local && answer_locally(s, r))
		return;
	if (r->verdict == ADMIT_LOCAL) {
		if (r->refuse_other)
			refuse(s, r, (r->m.flags & MSG_RD) != 0 ? EDE_PROHIBITED : EDE_NOT_AUTHORITATIVE);
		else
			stats_inc(s->env.stats, COUNT_DROPPED_POLICY);
		return;
	}
	if (r->to.type == RR_ANY && s->env.settings->deny_any) {
		answer_any(s, r);
		return;
	}
	if (answer_from_cache(s, r) || (s->env.filters != NULL && answer_by_filter(s, r)))
		return;
	client_wait(s, r, NULL, NULL);
}
