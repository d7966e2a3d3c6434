/* judge.c: what must hold of replies, of caches, and of a run as a whole. The oracles' numbers are those of simulate.c. */
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "dns/build.h"
#include "resolver/cache/anscache.h"
#include "tests/sim/run.h"
#include "validator/work.h"

#define UNFINISHED (4 * SEC) /* who waits so long may be told that there is no answer yet */
#define WORK_PER_QUESTION (2000u * WORK_UNIT) /* on average, with what is asked ahead and again */
#define MOST_AT_ONCE 12u /* questions of one connection */
#define CLOCK_SLACK 3u /* seconds: rounding, and the way of the packets */
#define CLOCK_SLACK_SIGNED 12u /* the keys may have been waited for */

void complain(struct run *r, const struct asked *q, const char *fmt, ...)
{
	char name[NAME_TEXT], type[RRTYPE_TEXT], text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	r->wrong++;
	fprintf(stderr, "seed %llu%s: %s%s%s%s%s\n", (unsigned long long)r->seed, r->in_child ? " (without memory)" : "",
	    q == NULL ? "" : name_to_text(name_of(&q->name), name), q == NULL ? "" : " ", q == NULL ? "" : rrtype_text(q->type, type), q == NULL ? "" : ": ", text);
}

static uint64_t count(const struct run *r, enum counter c)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < r->workers; i++)
		n += stats_get(&r->w[i].worker->stats, c);
	return n;
}

/* ---- O5 -------------------------------------------------------------------------------------------------------------------------------- */

/* bogus_too: also by what only validation can find out. */
static bool is_marked(const struct rrset *rs, bool bogus_too)
{
	for (unsigned int k = 0; k < rs->count; k++) {
		if (world_is_marked(rs->type, rrset_rdata(rs, k)) || (bogus_too && world_is_marked_bogus(rs->type, rrset_rdata(rs, k))))
			return true;
	}
	return false;
}

static bool section_is_marked(const struct msg_section *s, bool bogus_too)
{
	for (size_t i = 0; i < s->count; i++) {
		if (is_marked(s->sets[i], bogus_too))
			return true;
	}
	return false;
}

/* Of worlds whose servers alone say something: not where octets change on the way, others write replies, or the configuration answers. */
static bool hears_all(const struct run *r)
{
	return !r->damaged && !r->meddled && !r->guests && !r->policies && !r->resigned;
}

/* Whatever its mark: each record, also beside the answer, is one that a server said of a name of its own. What a DNAME makes of a name is the resolver's own work. */
static void judge_source(struct run *r, const struct msg *m, const struct asked *q)
{
	const struct msg_section *parts[] = { &m->answer, &m->authority, &m->additional };
	char name[NAME_TEXT], type[RRTYPE_TEXT];
	bool moved = false;

	for (size_t k = 0; k < 3 && hears_all(r); k++) {
		for (size_t i = 0; i < parts[k]->count; i++) {
			const struct rrset *rs = parts[k]->sets[i];

			moved |= rs->type == RR_DNAME;
			if (!world_was_said(r->world, rs) && !(moved && rs->type == RR_CNAME))
				complain(r, q, "a record that NOBODY SAID reached a client: %s %s", name_to_text(rrset_name(rs), name), rrtype_text(rs->type, type));
		}
	}
}

static bool message_is_marked(const struct msg *m, bool bogus_too)
{
	return section_is_marked(&m->answer, bogus_too) || section_is_marked(&m->authority, bogus_too) || section_is_marked(&m->additional, bogus_too);
}

static struct result look_at_bundle(void *user, const struct bundle *b)
{
	struct run *r = user;
	char name[NAME_TEXT], type[RRTYPE_TEXT];

	for (size_t i = 0; i < bundle_count(b); i++) {
		const struct rrset *rs = bundle_set(b, i);

		if (is_marked(rs, !r->unvalidated && rs->security != SECURITY_UNCHECKED && rs->security != SECURITY_BOGUS))
			complain(r, NULL, "FORGED data is in the cache: %s %s", name_to_text(rrset_name(rs), name), rrtype_text(rs->type, type));
		else if (hears_all(r) && !world_was_said(r->world, rs) && rs->type != RR_CNAME)
			complain(r, NULL, "what NOBODY SAID is in the cache: %s %s", name_to_text(rrset_name(rs), name), rrtype_text(rs->type, type));
	}
	return DONE;
}

static bool look_at_answer(void *user, const struct ans_entry *e)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct run *r = user;
	struct msg m;

	if (!OK(msg_read(a, span_of(ans_packet(e), e->len), NULL, &m)))
		complain(r, NULL, "a cached answer cannot be read");
	else if (message_is_marked(&m, !r->unvalidated && e->security != SECURITY_UNCHECKED && e->security != SECURITY_BOGUS))
		complain(r, NULL, "FORGED data is in the answer cache");
	return false;
}

/* A name server that nobody named; it has no mark. */
static void plant_foreign(struct run *r)
{
	static const uint8_t server[] = "\2ns\6nobody";
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct bundle_key k = { world_some_zone(r->world), RR_NS, CLASS_IN, BUNDLE_DATA };
	struct span d = span_of(server, sizeof server);
	const struct rrset *rs = rrset_make_in(a, k.name, RR_NS, CLASS_IN, 86400, &d, 1, 0);
	struct now now = *loop_now(r->w[0].loop);

	(void)rrcache_flush_zone(r->shared->rrcache, r->member, k.name);
	(void)OK(rrcache_put(r->shared->rrcache, r->member, &k, &rs, 1, 86400, &now));
}

static void plant_forged(struct run *r)
{
	static const uint8_t bad[4] = { 66, 66, 1, 1 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct bundle_key k = { world_some_zone(r->world), RR_A, CLASS_IN, BUNDLE_DATA };
	struct span d = span_of(bad, 4);
	const struct rrset *rs = rrset_make_in(a, k.name, RR_A, CLASS_IN, 86400, &d, 1, 0);
	struct now now = *loop_now(r->w[0].loop);

	(void)OK(rrcache_put(r->shared->rrcache, r->member, &k, &rs, 1, 86400, &now));
}

void judge_caches(struct run *r)
{
	uint64_t cursor = 0;
	struct result done;

	epoch_online(r->member);
	if (r->plant == PLANT_FORGE_CACHE)
		plant_forged(r);
	if (r->plant == PLANT_FOREIGN)
		plant_foreign(r);
	do
		cursor = rrcache_visit(r->shared->rrcache, cursor, 4096, look_at_bundle, r, &done);
	while (cursor != 0);
	(void)anscache_flush(r->shared->anscache, r->member, look_at_answer, r);
	epoch_quiesce(r->member);
	epoch_offline(r->member);
}

/* ---- O6 -------------------------------------------------------------------------------------------------------------------------------- */

/* An address that says when it was given: it is not older than its TTL, and has no more left than is right. */
static bool clock_is_right(const struct run *r, const struct world_rr *w, const struct rrset *rs, struct span rdata)
{
	uint64_t now = sim_now_ns(r->sim) / SEC, flushed = r->flushed_ns / SEC;
	uint32_t slack = r->is_signed ? CLOCK_SLACK_SIGNED : CLOCK_SLACK, age;

	if (rdata.n != 4 || rdata.p[0] != 31)
		return false;
	age = world_clock_age(rdata, now);
	if (r->stale_ok)
		return age <= now;
	if (r->plant == PLANT_OLD)
		age += w->ttl;
	if (r->flushed_ns != 0 && now > flushed + PATIENCE / SEC && age > now - flushed + PATIENCE / SEC)
		return false;
	return age <= w->ttl + slack && rs->ttl + age <= w->ttl + slack;
}

static bool has_rr(const struct run *r, const struct msg *m, const struct world_rr *w)
{
	for (size_t i = 0; i < m->answer.count; i++) {
		const struct rrset *rs = m->answer.sets[i];

		if (rs->type != w->type || !name_equal(rrset_name(rs), w->owner))
			continue;
		for (unsigned int k = 0; k < rs->count; k++) {
			struct span d = rrset_rdata(rs, k);
			bool is_name = w->type == RR_CNAME || w->type == RR_NS || w->type == RR_DNAME;

			if (w->clock)
				return clock_is_right(r, w, rs, d);
			if (d.n == w->rdata.n && (is_name ? octets_equal_nocase(d.p, w->rdata.p, d.n) : span_equal(d, w->rdata)))
				return rs->ttl <= w->ttl;
		}
	}
	return false;
}

/* ---- O9 -------------------------------------------------------------------------------------------------------------------------------- */

static bool wants_security(const struct run *r, const struct asked *q)
{
	return r->is_signed && ((q->edns && q->dnssec_ok) || q->authentic);
}

/* The extended error that came first; -1: none. */
static int first_error(const struct msg *m)
{
	struct reader o = reader_of(m->edns.options);
	struct span data;
	uint16_t code;

	while (m->edns.present && edns_next_option(&o, &code, &data)) {
		if (code == EDNS_ERROR && data.n >= 2)
			return load16(data.p);
	}
	return -1;
}

/* The caches are so small that what a question learns on its way is forgotten before it is used, and its packets are spent on learning it again. */
static bool forgot_too_much(const struct run *r, int ede)
{
	return r->small && (ede == EDE_INDETERMINATE || ede == EDE_OTHER || ede < 0) && count(r, COUNT_CORE_OUT_OF_BUDGET) > 0;
}

static bool is_of_validation(int ede)
{
	return (ede >= EDE_INDETERMINATE && ede <= EDE_NSEC_MISSING) || ede == EDE_SIG_BEFORE_INCEPTION || ede == EDE_CACHED_ERROR;
}

static bool has_signatures(const struct msg *m)
{
	for (size_t i = 0; i < m->answer.count; i++) {
		const struct rrset *rs = m->answer.sets[i];
		bool made = rs->type == RR_CNAME && i > 0 && m->answer.sets[i - 1]->type == RR_DNAME;

		if (rs->sigs == 0 && !made)
			return false;
	}
	return true;
}

static void show(const struct msg *m)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(100000);

	msg_print(m, text);
	fputs(strbuf_text(text), stderr);
}

static void judge_security(struct run *r, const struct msg *m, const struct asked *q, const struct world_answer *want, bool exact)
{
	bool ad = (m->flags & MSG_AD) != 0, signs = q->edns && q->dnssec_ok, said = m->rcode == RCODE_NOERROR || m->rcode == RCODE_NXDOMAIN;

	if (!q->recurse && m->rcode == RCODE_NOERROR && m->answer.count == 0)
		return; /* the way to somebody who knows; its own records may well be secure */
	if (ad && want->security != WORLD_SECURE && !r->resigned) {
		complain(r, q, "AD on what is %s", want->security == WORLD_BOGUS ? "bogus" : "insecure");
		show(m);
	}
	if (ad && !exact && (m->flags & MSG_TC) == 0 && !r->resigned)
		complain(r, q, "AD on what is not the right answer");
	for (size_t i = 0; i < m->answer.count && !signs; i++) {
		if (m->answer.sets[i]->sigs > 0)
			complain(r, q, "signatures for a client that did not ask for them");
	}
	if (q->check_disabled || !q->recurse)
		return;
	/* Whoever changes unsigned replies leads questions elsewhere, and whoever has the keys says what he likes. */
	if (r->resigned || (r->meddled && !want->firm))
		return;
	if (want->security == WORLD_BOGUS && m->rcode != RCODE_SERVFAIL && !want->may_fail)
		complain(r, q, "a BOGUS answer was given");
	if (want->security == WORLD_BOGUS && m->rcode == RCODE_SERVFAIL && want->faulty && !want->may_fail && q->calm && q->edns &&
	    q->took_ns < UNFINISHED && !is_of_validation(first_error(m)) &&
	    !(first_error(m) == EDE_OTHER && count(r, COUNT_CORE_DROPPED) > 0)) /* overload is told as that */
		complain(r, q, "a bogus answer is refused with extended error %d", first_error(m));
	if (want->security != WORLD_SECURE || !said || (m->flags & MSG_TC) != 0)
		return;
	/* Where octets change on the way, a signature may: then a zone with too many NSEC3 iterations cannot deny that its name is unsigned. */
	if (wants_security(r, q) && !ad && !r->stale_ok && !r->damaged) {
		complain(r, q, "a secure answer without AD");
		show(m);
	}
	if (signs && !has_signatures(m))
		complain(r, q, "a secure answer without its signatures");
}

/* ---- O6 -------------------------------------------------------------------------------------------------------------------------------- */

static bool right(struct run *r, const struct msg *m, const struct asked *q)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct world_answer want;
	size_t got = 0, of_want = 0;
	bool exact;

	world_right_answer(r->world, a, name_of(&q->name), q->type, &want);
	for (size_t i = 0; i < m->answer.count; i++)
		got += m->answer.sets[i]->count;
	for (size_t i = 0; i < want.count; i++)
		of_want += has_rr(r, m, &want.rrs[i]);
	exact = m->rcode == want.rcode && got == want.count && of_want == want.count;
	if (r->is_signed && !r->guests)
		judge_security(r, m, q, &want, exact);
	if (r->damaged || (r->is_signed && q->check_disabled))
		return true;
	if (r->is_signed && q->recurse && want.security == WORLD_BOGUS && !want.may_fail)
		return m->rcode == RCODE_SERVFAIL;
	if (m->rcode == RCODE_SERVFAIL)
		return q->must ? forgot_too_much(r, first_error(m)) : want.may_fail || !q->calm || !q->recurse || count(r, COUNT_CORE_DROPPED) > 0;
	if ((m->flags & MSG_TC) != 0)
		return !q->tcp;
	if (want.may_fail && (!r->is_signed || want.security != WORLD_SECURE || want.deniable))
		return true; /* a part of the way is broken: whatever is said is not forged, which is judged elsewhere */
	if (!q->recurse)
		return got == of_want && (m->rcode == want.rcode || m->rcode == RCODE_REFUSED || m->rcode == RCODE_NOERROR);
	return exact;
}

/* ---- O2 -------------------------------------------------------------------------------------------------------------------------------- */

static size_t most_octets(const struct asked *q)
{
	size_t n = !q->edns || q->udp_size < 512 ? 512 : q->udp_size;

	return q->tcp ? 65535 : n < 1232 ? n : 1232;
}

static bool has_right_flags(const struct run *r, const struct msg *m, const struct asked *q)
{
	return (m->flags & (MSG_QR | MSG_RA)) == (MSG_QR | MSG_RA) && ((m->flags & MSG_RD) != 0) == q->recurse && ((m->flags & MSG_CD) != 0) == q->check_disabled &&
	    ((m->flags & MSG_AD) == 0 || wants_security(r, q));
}

/* A client that is not served and that speaks no EDNS, so that it cannot be told why, gets the header alone. */
static bool is_bare_refusal(const struct run *r, const struct msg *m, const struct asked *q)
{
	return r->policies && m->rcode == RCODE_REFUSED && !m->has_question && !q->edns && !m->edns.present;
}

static bool has_right_edns(const struct run *r, const struct msg *m, const struct asked *q)
{
	return m->edns.present == q->edns || (r->no_do && q->dnssec_ok && !m->edns.present);
}

static bool is_of_question(const struct run *r, const struct msg *m, const struct asked *q)
{
	return m->has_question && name_equal_case(m->q.name, name_of(&q->name)) && m->q.type == q->type && has_right_edns(r, m, q) &&
	    (r->policies || has_right_flags(r, m, q));
}

static void keep_cookie(struct client *c, const struct msg *m)
{
	struct reader o = reader_of(m->edns.options);
	struct span data;
	uint16_t code;

	while (m->edns.present && edns_next_option(&o, &code, &data)) {
		if (code == EDNS_COOKIE && data.n > 8 && data.n <= sizeof c->cookie) {
			memcpy(c->cookie, data.p, data.n);
			c->cookie_len = (uint8_t)data.n;
		}
	}
}

struct asked *judge_reply(struct run *r, unsigned int client, bool tcp, struct span packet, bool *ret_truncated)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	uint16_t id = packet.n < MSG_HEADER ? 0 : load16(packet.p);
	struct asked *q = id == 0 || id > r->count ? NULL : &r->asked[id - 1];
	uint64_t took;
	struct msg m;

	*ret_truncated = false;
	if (q == NULL || q->client != client || q->tcp != tcp) {
		complain(r, NULL, "a reply to a question that was not asked");
		return NULL;
	}
	if (++q->replies > 1) {
		complain(r, q, "a second reply");
		return NULL;
	}
	took = q->took_ns = sim_now_ns(r->sim) - q->at_ns;
	if (took > PATIENCE && !q->lossy)
		complain(r, q, "the reply took %.3f s", (double)took / 1e9);
	if (packet.n > most_octets(q))
		complain(r, q, "a reply of %zu octets to a client that takes %zu", packet.n, most_octets(q));
	if (!OK(msg_read(a, packet, NULL, &m))) {
		complain(r, q, "a reply that cannot be read");
		return q;
	}
	if (!is_of_question(r, &m, q) && !is_bare_refusal(r, &m, q))
		complain(r, q, "question, flags or EDNS of the reply are not those of the question: flags %04x", m.flags);
	if (message_is_marked(&m, !q->check_disabled && !r->unvalidated))
		complain(r, q, "FORGED data reached a client");
	judge_source(r, &m, q);
	if (!right(r, &m, q)) {
		complain(r, q, "not the right answer (id %u, %s, %s):", q->id, tcp ? "tcp" : "udp", q->calm ? "calm" : "not calm");
		show(&m);
	}
	keep_cookie(&r->clients[client], &m);
	q->rcode = m.rcode;
	q->ede = first_error(&m);
	q->secure = (m.flags & MSG_AD) != 0;
	for (size_t i = 0; i < m.answer.count; i++)
		q->answers = (uint16_t)(q->answers + m.answer.sets[i]->count);
	r->failures += m.rcode == RCODE_SERVFAIL;
	*ret_truncated = (m.flags & MSG_TC) != 0;
	if (sim_verbose(r->sim)) {
		char name[NAME_TEXT], type[RRTYPE_TEXT], rcode[RRTYPE_TEXT];

		fprintf(stderr, "%10.3f reply to %u: %s %s %s, %zu octets, after %.1f ms\n", (double)sim_now_ns(r->sim) / 1e9, q->id,
		    name_to_text(m.q.name, name), rrtype_text(m.q.type, type), rcode_text(m.rcode, rcode), packet.n, (double)took / 1e6);
		if (r->guests)
			show(&m);
	}
	return q;
}

/* Questions that a policy dropped, as the resolver counts them itself. */
static uint64_t dropped(const struct run *r)
{
	static const enum counter policies[] = { COUNT_DROPPED_POLICY, COUNT_QUERIES_RATELIMITED, COUNT_LIST_EXCEEDED, COUNT_LIST_OVERWRITTEN,
		COUNT_QUERIES_WAIT_LIMIT, COUNT_QUERIES_DISCARDED };
	uint64_t n = 0;

	for (size_t k = 0; k < sizeof policies / sizeof policies[0]; k++)
		n += count(r, policies[k]);
	return n;
}

static void judge_missing(struct run *r)
{
	uint64_t udp_may = dropped(r), tcp_may = udp_may + (count(r, COUNT_TCP_REFUSED) + count(r, COUNT_TCP_EVICTED)) * MOST_AT_ONCE +
	    (r->limits || r->in_child ? r->count : 0);
	unsigned int missing = 0, of_tcp = 0;

	for (unsigned int i = 0; i < r->count; i++) {
		const struct asked *q = &r->asked[i];

		missing += q->replies == 0 && !q->lossy;
		of_tcp += q->replies == 0 && !q->lossy && q->tcp;
	}
	for (unsigned int i = 0; i < r->count; i++) {
		const struct asked *q = &r->asked[i];

		if (q->replies == 0 && !q->lossy && (q->tcp ? of_tcp > tcp_may : missing - of_tcp > udp_may))
			complain(r, q, "no reply (id %u, client %u, %s, at %.3f)", q->id, q->client, q->tcp ? "tcp" : "udp", (double)q->at_ns / 1e9);
	}
	r->missing = missing;
}

/* ---- O4, O8 ---------------------------------------------------------------------------------------------------------------------------- */

static void judge_packets(struct run *r)
{
	r->packets = world_packets(r->world);
	if (r->packets > (uint64_t)PACKETS_PER_QUESTION * (r->count + r->uncounted + 1))
		complain(r, NULL, "more upstream packets than the budgets allow: %llu", (unsigned long long)r->packets);
	if (count(r, COUNT_VAL_WORK) > (uint64_t)WORK_PER_QUESTION * (r->count + r->uncounted + 1))
		complain(r, NULL, "more verifications and hashes than the budgets allow: %llu", (unsigned long long)count(r, COUNT_VAL_WORK));
	for (unsigned int i = 0; r->lonely && i < r->count; i++) {
		uint64_t n = (i + 1 < r->count ? r->asked[i + 1].packets : r->packets) - r->asked[i].packets;

		if (n > r->dearest)
			r->dearest = n;
		if (n > PACKETS_PER_QUESTION)
			complain(r, &r->asked[i], "it cost %llu upstream packets", (unsigned long long)n);
	}
}

static void judge_stale_events(struct run *r)
{
	for (unsigned int i = 0; i < r->workers; i++) {
		uint64_t n = loop_stale_events(r->w[i].loop);

		if (n > 0 && !r->closed_early)
			complain(r, NULL, "%llu events came for objects that were closed, and nobody had closed any before its time", (unsigned long long)n);
	}
}

void judge_all(struct run *r)
{
	judge_missing(r);
	judge_packets(r);
	judge_stale_events(r);
	judge_caches(r);
}
