/*
 * upstream_ask.c: the way of one question to one server.
 *
 *   UDP query -> reply that fits ----------------------------------------------------------> told
 *             -> does not fit: waited on; it says "somebody guesses" (wrong ID, wrong cookie): TCP as well
 *             -> fits, but truncated or in fragments, or in another case of the name: TCP as well
 *             -> fits, but FORMERR, NOTIMP, BADVERS: asked again with less of EDNS; BADCOOKIE: with the new cookie
 *             -> nothing in time: told
 *   TCP query -> its reply ----------------------------------------------------------------> told
 *             -> connection lost: once again on a new one, if it was an old one; else back to UDP for the time that is left, or
 *             told
 *
 * A UDP socket stays open until the ask ends, whatever else has been tried: the real reply may come behind a forged one. The
 * exception is the second wrong ID: from then on nothing that comes to that port is believed.
 *
 * Invariants: an active ask has its timer armed, or is about to end; a->tcp_on says that a->place holds a question; what is
 * learnt of the server comes from replies that fitted, and what can be turned against it only from protected ones.
 */
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "resolver/serve/upstream_inside.h"
#include "resolver/serve/upstream_query.h"
#include "resolver/serve/upstream_tap.h"

#define HELD_WAIT_MS 500u     /* for TCP, when a reply over UDP is at hand that came after one near miss */
#define UNREACHABLE_WAIT_MS 50u /* for a reply after "port unreachable", which may be forged */
#define FIRST_TCP_LEAST_MS 1500u /* over a new connection whose SYN may be lost: the second one goes out after a second */
#define LATE_LEAST_MS 2000u   /* how long a reply that is late is still listened to */
#define NEAR_MISSES 1u        /* wrong IDs that a port survives */

static struct now now_of(const struct ask *a)
{
	return *loop_now(a->u->loop);
}

static bool can_tcp(const struct ask *a)
{
	return a->u->set.tcp && !a->tcp_tried;
}

static bool tcp_pending(const struct ask *a)
{
	return a->tcp_on || a->link[LINK_TCP].list != NULL;
}

/* ------------------------------------------------------------------------------------------------------------------ ending */

/* A timed-out ask stays to hear a late reply. False: it cannot, and should end. */
static bool become_late(struct ask *a)
{
	struct upstream *u = a->u;
	uint64_t ms = 4 * (uint64_t)a->facts.timeout_ms;

	if (a->udp_count == 0 || a->udp[a->udp_count - 1].near_misses != 0 || a->suspect || tcp_pending(a))
		return false;
	for (unsigned int i = 0; i + 1 < a->udp_count; i++)
		host_ask_close(u->host, a->udp[i].x);
	if (!OK(ask_arm(a, ms > LATE_LEAST_MS ? ms : LATE_LEAST_MS)))
		return false;
	ask_retire(u->loop, a->self);
	ask_list_remove(LINK_LIFE, a);
	ask_list_add(&u->late, LINK_LIFE, a);
	upstream_room(u);
	return true;
}

/* Ends a and tells its asker. Nothing of a is touched afterwards by the caller. */
static void tell(struct ask *a, const struct ask_reply *reply)
{
	struct loop *l = a->u->loop;
	void *object = loop_slot_get(l, a->type, a->who);
	ask_fn *fn = a->fn;
	uint32_t tag = a->tag;

	if (reply->outcome != ASK_TIMEOUT || !become_late(a))
		ask_end(a);
	if (object != NULL)
		fn(l, object, tag, reply);
}

static void tell_failure(struct ask *a, enum ask_outcome outcome)
{
	struct ask_reply reply = { .outcome = outcome };

	tell(a, &reply);
}

static void tell_reply(struct ask *a, const struct msg *m, const struct attempt *t, bool strong, uint32_t rtt)
{
	struct ask_reply reply = {.outcome = ASK_REPLY,
		.msg = m,
		.tcp = t == &a->tcp,
		.strong = strong || t == &a->tcp,
		.edns = t->edns,
		.rtt_us = rtt};
	struct now now = now_of(a);

	if (a->doubted && !t->edns && m->rcode != RCODE_FORMERR && m->rcode != RCODE_NOTIMP)
		infra_note_edns(a->u->infra, &a->request.server, false, a->doubt_strong, &now);
	if (a->folded && !t->mixed && t != &a->tcp)
		infra_note_no_0x20(a->u->infra, &a->request.server, &now);
	tell(a, &reply);
}

static enum ask_outcome outcome_of(enum err e)
{
	switch (e) {
	case ERR_BUDGET:
		return ASK_BUDGET;
	case ERR_LIMIT:
	case ERR_NOMEM:
	case ERR_SPACE:
		return ASK_NO_ROOM;
	case ERR_TIMEOUT:
		return ASK_TIMEOUT;
	case ERR_FORMAT:
		return ASK_MALFORMED;
	default:
		return ASK_UNREACHABLE;
	}
}

void ask_fail(struct ask *a, enum err e)
{
	tell_failure(a, outcome_of(e));
}

/* ----------------------------------------------------------------------------------------------------------------- sending */

static void on_timer(struct loop *l, void *object);

RESULT ask_arm(struct ask *a, uint64_t ms)
{
	loop_timer_stop(a->u->loop, &a->timer);
	return loop_timer(a->u->loop, &ask_inner_loop_type, a->inner, on_timer, ms, &a->timer);
}

/* One of our addresses for this query; ADDR_NONE leaves it to the system. ERR_UNSUPPORTED: outgoing-interface has none of the
 * family. */
static RESULT draw_from(const struct ask *a, struct addr *ret)
{
	const struct upstream_settings *s = &a->u->set;
	uint32_t fit = 0, n;

	*ret = (struct addr){ .family = ADDR_NONE };
	if (s->from_count == 0)
		return DONE;
	for (size_t i = 0; i < s->from_count; i++)
		fit += s->from[i].family == a->request.server.a.family;
	if (fit == 0)
		return FAIL(ERR_UNSUPPORTED);
	n = rng_below(loop_rng(a->u->loop), fit);
	for (size_t i = 0; i < s->from_count; i++)
		if (s->from[i].family == a->request.server.a.family && n-- == 0)
			*ret = s->from[i];
	return DONE;
}

/* A server's cookie is bound to the address that it saw, so it is of use only while there is one. */
static bool keeps_cookies(const struct ask *a)
{
	return a->u->set.from_count <= 1;
}

static void put_cookie(struct ask *a, struct attempt *t, struct query_form *f, const struct addr *from)
{
	bool known = keeps_cookies(a) && a->facts.cookie_len != 0;

	t->cookie = true;
	t->cookie_known = a->facts.knows_cookies;
	if (known)
		memcpy(t->client_cookie, a->facts.client_cookie, 8);
	else
		query_client_cookie(upstream_secret(a->u), &a->request.server, from, t->client_cookie);
	memcpy(f->cookie, t->client_cookie, 8);
	f->cookie_len = 8;
	if (known) {
		memcpy(f->cookie + 8, a->facts.cookie, a->facts.cookie_len);
		f->cookie_len = (uint8_t)(8 + a->facts.cookie_len);
	}
}

/* Fills t and writes the query. */
static size_t compose(
	struct ask *a, struct attempt *t, uint16_t id, const struct addr *from, bool keepalive, uint8_t buf[QUERY_MOST])
{
	const struct upstream_settings *s = &a->u->set;
	struct query_form f = {
		.q = a->request.q,
		.id = id,
		.recurse = a->request.recurse,
		.check_disabled = a->request.check_disabled,
		.edns = a->form != FORM_NONE,
		.dnssec_ok = a->request.dnssec_ok,
		.edns_size = s->edns_size,
	};

	*t = (struct attempt){ .sent_ns = loop_now(a->u->loop)->mono_ns, .id = id, .form = a->form, .edns = f.edns };
	t->name = a->name;
	t->mixed = s->use_0x20 && !a->plain && (t != &a->tcp || a->folded); /* over TCP only to learn who folds it */
	if (t->mixed)
		query_mix_case(&t->name, loop_rng(a->u->loop));
	f.q.name = name_of(&t->name);
	if (a->form == FORM_FULL) {
		f.keepalive = keepalive;
		if (s->cookies)
			put_cookie(a, t, &f, from);
	}
	return query_write(&f, buf, QUERY_MOST);
}

static uint32_t udp_wait_ms(const struct ask *a)
{
	const struct upstream_settings *s = &a->u->set;
	uint32_t ms = a->request.timeout_ms != 0 ? a->request.timeout_ms : a->facts.timeout_ms;

	if (s->max_timeout_ms != 0 && ms > s->max_timeout_ms)
		ms = s->max_timeout_ms;
	return ms > s->min_timeout_ms ? ms : s->min_timeout_ms;
}

static void on_packet(struct loop *l, void *object, exchange_h x, struct span packet);
static void on_exchange_error(struct loop *l, void *object, exchange_h x, enum err e);

static RESULT send_udp(struct ask *a)
{
	struct exchange_events ev = { &ask_inner_loop_type, a->inner, on_packet, on_exchange_error };
	struct exchange_options o = { .to = a->request.server, .no_fragment = true, .unconnected = a->u->set.udp_unconnected };
	uint32_t ms = udp_wait_ms(a);
	uint8_t buf[QUERY_MOST];
	struct attempt *t;
	size_t n;

	if (a->udp_count == ATTEMPTS)
		return FAIL(ERR_TIMEOUT);
	TRY(draw_from(a, &o.from));
	if (!budget_take_packets(a->budget, 1))
		return FAIL(ERR_BUDGET);
	t = &a->udp[a->udp_count];
	n = compose(a, t, rng16(loop_rng(a->u->loop)), &o.from, false, buf);
	if (n == 0)
		return FAIL(ERR_SPACE);
	TRY(host_ask(a->u->host, &o, span_of(buf, n), &ev, &t->x));
	a->udp_count++;
	a->udp_due_ns = t->sent_ns + (uint64_t)ms * 1000000u;
	stats_inc(a->u->stats, COUNT_UPSTREAM_UDP);
	if (a->u->tap != NULL)
		ask_tap_query(a, t, span_of(buf, n));
	return ask_arm(a, ms);
}

/* Puts the question on a connection. ERR_LIMIT: none is free now. */
static RESULT place_tcp(struct ask *a)
{
	struct upstream *u = a->u;
	struct pool_request r = { .server = a->request.server, .alone = a->tcp_alone, .who = a->inner };
	uint8_t buf[QUERY_MOST];
	uint64_t opened = pool_opened(u->pool), worn = pool_worn(u->pool);
	struct result done;
	size_t n;

	TRY(draw_from(a, &r.from));
	if (!a->tcp_charged && !budget_take_packets(a->budget, pool_has_place(u->pool, &r) ? 1 : 2))
		return FAIL(ERR_BUDGET);
	done = pool_join(u->pool, &r, &a->place);
	a->tcp_charged = done.e == ERR_LIMIT;
	TRY(done);
	a->tcp_on = true;
	stats_add(u->stats, COUNT_UPSTREAM_CONNECTS, pool_opened(u->pool) - opened);
	stats_add(u->stats, COUNT_UPSTREAM_WORN, pool_worn(u->pool) - worn);
	n = compose(a, &a->tcp, a->place.id, &r.from, a->place.first, buf);
	done = n == 0 ? FAIL(ERR_SPACE) : pool_send(u->pool, &a->place, span_of(buf, n));
	if (OK(done)) {
		stats_inc(u->stats, COUNT_UPSTREAM_TCP);
		if (u->tap != NULL)
			ask_tap_query(a, &a->tcp, span_of(buf, n));
		return DONE;
	}
	a->tcp_on = false;
	pool_leave(u->pool, &a->place, false);
	return done;
}

/*
 * Of a server that has not been heard over UDP for this question nobody knows whether it is there: what its round trip makes likely, thrice for the handshake and for a lost SYN; the next try
 * waits longer. Forwarders have work to do before they answer.
 */
static uint32_t tcp_wait_ms(const struct ask *a)
{
	uint32_t most = a->u->set.tcp_timeout_ms, ms = 3 * udp_wait_ms(a);

	if (a->udp_count > 0 || a->request.recurse || a->request.tcp)
		return most;
	ms = ms > FIRST_TCP_LEAST_MS ? ms : FIRST_TCP_LEAST_MS;
	return ms < most ? ms : most;
}

RESULT ask_start_tcp(struct ask *a)
{
	TRY(place_tcp(a));
	return ask_arm(a, a->held != NULL ? HELD_WAIT_MS : tcp_wait_ms(a));
}

/* Goes to TCP, or to the queue for it. */
static RESULT start_or_queue_tcp(struct ask *a)
{
	struct result r;

	a->tcp_tried = true;
	r = ask_start_tcp(a);
	if (r.e != ERR_LIMIT)
		return r;
	ask_list_add(&a->u->tcp_queue, LINK_TCP, a);
	return ask_arm(a, a->u->set.tcp_timeout_ms);
}

RESULT ask_start(struct ask *a)
{
	const struct upstream_settings *s = &a->u->set;
	struct now now = now_of(a);

	infra_get(a->u->infra, &a->request.server, &now, &a->facts);
	a->form = a->request.no_edns || a->facts.edns == EDNS_BROKEN ? FORM_NONE : FORM_FULL;
	a->plain = a->plain || a->facts.no_0x20;
	if (!s->tcp && (a->request.tcp || !s->udp))
		return FAIL(ERR_UNSUPPORTED);
	if (s->tcp && (a->request.tcp || !s->udp || a->facts.tcp_only))
		return start_or_queue_tcp(a);
	return send_udp(a);
}

/* ---------------------------------------------------------------------------------------------------------- TCP beside UDP */

static bool udp_is_open(const struct ask *a)
{
	for (unsigned int i = 0; i < a->udp_count; i++)
		if (a->udp[i].near_misses <= NEAR_MISSES)
			return true;
	return false;
}

/* A first packet over UDP that needs TCP. When that cannot be, the wait goes on as it was. */
static void want_tcp(struct ask *a)
{
	struct result r;

	if (!can_tcp(a))
		return;
	r = start_or_queue_tcp(a);
	if (!OK(r))
		ask_tcp_failed(a, r.e);
}

/* UDP once more, because TCP did not help; *done remembers it, and says to send_udp() what is to be different. */
static bool retry_udp(struct ask *a, bool *done)
{
	if (*done || !a->u->set.udp)
		return false;
	*done = true;
	return OK(send_udp(a));
}

void ask_tcp_failed(struct ask *a, enum err e)
{
	uint64_t now = loop_now(a->u->loop)->mono_ns;

	if (a->tcp_on)
		pool_leave(a->u->pool, &a->place, e == ERR_TIMEOUT);
	a->tcp_on = false;
	ask_list_remove(LINK_TCP, a);
	if (a->held != NULL) {
		tell_reply(a, a->held, a->held_by, false, a->held_rtt_us);
		return;
	}
	if (a->folded && retry_udp(a, &a->plain))
		return;
	if (a->udp_count > 0 && !udp_is_open(a) && retry_udp(a, &a->freshened))
		return;
	if (udp_is_open(a) && a->udp_due_ns > now && OK(ask_arm(a, (a->udp_due_ns - now + 999999) / 1000000)))
		return;
	if (a->udp_count == 0 && (e == ERR_TIMEOUT || e == ERR_REFUSED || e == ERR_SYSTEM || e == ERR_CLOSED)) {
		struct now n = now_of(a);

		infra_note_timeout_of(a->u->infra, &a->request.server, a->request.q.type, &n);
	}
	ask_fail(a, a->malformed && e != ERR_BUDGET ? ERR_FORMAT : e);
}

/* Nothing that can be believed came over UDP in time. */
static void udp_over(struct ask *a)
{
	struct now now = now_of(a);

	if (a->malformed) {
		tell_failure(a, ASK_MALFORMED);
	} else if (a->suspect && can_tcp(a)) {
		want_tcp(a);
	} else {
		if (!a->suspect && !a->truncated && udp_is_open(a)) { /* an attacker's packets are not held against the server */
			infra_note_timeout_of(a->u->infra, &a->request.server, a->request.q.type, &now);
			stats_inc(a->u->stats, COUNT_UPSTREAM_TIMEOUTS);
		}
		tell_failure(a, a->unreachable || a->truncated ? ASK_UNREACHABLE : ASK_TIMEOUT);
	}
}

static void on_timer(struct loop *l, void *object)
{
	struct ask *a = (struct ask *)object;

	(void)l;
	a->timer.v = 0;
	if (a->link[LINK_LIFE].list == &a->u->late)
		ask_end(a);
	else if (a->link[LINK_LIFE].list == &a->u->waiting)
		tell_failure(a, ASK_NO_ROOM);
	else if (tcp_pending(a))
		ask_tcp_failed(a, a->tcp_on ? ERR_TIMEOUT : ERR_LIMIT);
	else
		udp_over(a);
}

/* ---------------------------------------------------------------------------------------------- what both transports share */

#define MIXED_CASE_MAX 4096u /* octets: longer replies come over TCP, where case is seldom drawn */

/* Reads a reply that fits. ERR_FORMAT: malformed; ERR_NOMEM: the asker's arena or memory is full. */
static RESULT read_message(struct ask *a, struct span packet, struct msg **ret)
{
	struct msg *m = (struct msg *)arena_alloc(a->arena, sizeof *m);
	struct name asked = a->request.q.name;
	struct result r;

	if (m == NULL)
		return FAIL(ERR_NOMEM);
	if (packet.n <= MIXED_CASE_MAX && packet.n >= MSG_HEADER + (size_t)asked.len && load16(packet.p + 4) == 1) {
		/* The letter case that was drawn for this query is nobody's business: names that are compressed to the question
		 * get the asker's. */
		uint8_t *plain = arena_dup(a->arena, packet.p, packet.n);

		if (plain == NULL)
			return FAIL(ERR_NOMEM);
		memcpy(plain + MSG_HEADER, asked.wire, asked.len);
		packet.p = plain;
	}
	r = msg_read(a->arena, packet, &a->u->set.limits, m);
	if (!OK(r) && r.e != ERR_NOMEM) {
		stats_inc(a->u->stats, COUNT_UPSTREAM_MALFORMED);
		return FAIL(ERR_FORMAT);
	}
	*ret = m;
	return r;
}

static void learn_cookie(struct ask *a, const struct attempt *t, struct span server_cookie)
{
	struct now now = now_of(a);
	struct server_facts *f = &a->facts;

	if (!keeps_cookies(a) || server_cookie.n == 0)
		return;
	if (span_equal(server_cookie, span_of(f->cookie, f->cookie_len)) && memcmp(f->client_cookie, t->client_cookie, 8) == 0)
		return;
	memcpy(f->client_cookie, t->client_cookie, 8);
	memcpy(f->cookie, server_cookie.p, server_cookie.n);
	f->cookie_len = (uint8_t)server_cookie.n;
	infra_note_cookie(a->u->infra, &a->request.server, t->client_cookie, server_cookie.p, server_cookie.n, &now);
}

static enum cookie_match judge_cookie(struct ask *a, const struct attempt *t, const struct msg *m)
{
	struct span server_cookie = { NULL, 0 };
	enum cookie_match c = COOKIE_NONE;

	if (t->cookie)
		c = match_cookie(&m->edns, t->client_cookie, &server_cookie);
	if (c == COOKIE_OURS)
		learn_cookie(a, t, server_cookie);
	return c;
}

static bool refuses_edns(const struct msg *m, const struct attempt *t)
{
	if (m->edns.present && !t->cookie && m->rcode != RCODE_BADVERS)
		return false; /* it knows EDNS, and says no to something else */
	return t->edns && (m->rcode == RCODE_FORMERR || m->rcode == RCODE_NOTIMP || m->rcode == RCODE_BADVERS);
}

/* Asks again with less of EDNS, or has done so already. False: there is nothing less, or it cannot be sent. */
static bool fall_back(struct ask *a, const struct attempt *t, bool reply_has_edns, bool strong)
{
	enum ask_form before = a->form;
	enum ask_form next = reply_has_edns && t->cookie ? FORM_BARE : FORM_NONE;
	struct result r;

	if (!t->edns)
		return false;
	if (t->form < a->form)
		return true;
	a->form = next;
	r = t == &a->tcp ? start_or_queue_tcp(a) : send_udp(a);
	if (!OK(r)) {
		a->form = before;
		return false;
	}
	if (next == FORM_NONE && !reply_has_edns) {
		a->doubted = true;
		a->doubt_strong = strong;
	}
	stats_inc(a->u->stats, COUNT_UPSTREAM_NO_EDNS);
	return true;
}

static void learn_edns(struct ask *a, const struct msg *m, bool strong)
{
	struct now now = now_of(a);

	if (m->edns.present && a->facts.edns != EDNS_WORKS)
		infra_note_edns(a->u->infra, &a->request.server, true, strong, &now);
}

static void learn_rtt(struct ask *a, uint32_t rtt)
{
	struct now now = now_of(a);

	infra_note_rtt(a->u->infra, &a->request.server, rtt, &now);
}

/* ------------------------------------------------------------------------------------------------------------- UDP replies */

static struct match_expected expected(const struct ask *a, const struct attempt *t)
{
	return (struct match_expected){ name_of(&t->name), a->request.q.type, a->request.q.rclass, t->id };
}

static uint32_t rtt_of(const struct ask *a, const struct attempt *t)
{
	uint64_t us = (loop_now(a->u->loop)->mono_ns - t->sent_ns) / 1000;

	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void near_miss(struct ask *a, struct attempt *t)
{
	stats_inc(a->u->stats, COUNT_UPSTREAM_NEAR_MISS);
	if (!a->u->set.tcp) /* there is nothing better than to wait on */
		return;
	if (++t->near_misses > NEAR_MISSES) {
		host_ask_close(a->u->host, t->x);
		if (a->held_by == t) {
			a->held = NULL;
			a->held_by = NULL;
		}
	}
	if (can_tcp(a))
		want_tcp(a);
	else if (!tcp_pending(a) && !udp_is_open(a))
		ask_tcp_failed(a, ERR_TIMEOUT);
}

static void folded_case(struct ask *a)
{
	a->folded = true;
	stats_inc(a->u->stats, COUNT_UPSTREAM_CASE);
	if (can_tcp(a))
		want_tcp(a);
	else if (!tcp_pending(a))
		(void)retry_udp(a, &a->plain);
}

static void truncated(struct ask *a)
{
	a->truncated = true;
	stats_inc(a->u->stats, COUNT_UPSTREAM_TRUNCATED);
	if (can_tcp(a))
		want_tcp(a);
}

/* A reply without the cookie that it should have. */
static void cookie_missing(struct ask *a)
{
	a->suspect = true;
	stats_inc(a->u->stats, COUNT_UPSTREAM_COOKIE_WRONG);
	want_tcp(a);
}

/* True: the server wants its new cookie to be used, and it is on the way. */
static bool renew_cookie(struct ask *a, enum cookie_match c)
{
	if (c != COOKIE_OURS || a->cookie_renewed || !OK(send_udp(a)))
		return false;
	a->cookie_renewed = true;
	stats_inc(a->u->stats, COUNT_UPSTREAM_BADCOOKIE);
	return true;
}

/* An error without a question, under the right ID. */
static void no_question(struct ask *a, struct attempt *t, uint16_t flags)
{
	unsigned int rcode = msg_rcode(flags);

	if ((rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP) && fall_back(a, t, false, false))
		return;
	a->malformed = true;
	want_tcp(a);
}

static void take_message(struct ask *a, struct attempt *t, const struct msg *m)
{
	enum cookie_match c = judge_cookie(a, t, m);
	bool strong = c == COOKIE_OURS;

	if (c == COOKIE_WRONG || (c == COOKIE_NONE && t->cookie && t->cookie_known)) {
		cookie_missing(a);
		return;
	}
	if (m->rcode == RCODE_BADCOOKIE && t->cookie) {
		if (!renew_cookie(a, c))
			want_tcp(a);
		return;
	}
	if (refuses_edns(m, t) && fall_back(a, t, m->edns.present, strong))
		return;
	learn_edns(a, m, strong);
	if (t->near_misses > 0 && !strong && tcp_pending(a)) {
		a->held = m;
		a->held_by = t;
		a->held_rtt_us = rtt_of(a, t);
		if (OK(ask_arm(a, HELD_WAIT_MS)))
			return;
	}
	tell_reply(a, m, t, strong, rtt_of(a, t));
}

static void take_fitting(struct ask *a, struct attempt *t, struct span packet, uint16_t flags)
{
	struct msg *m;
	struct result r;

	if (!budget_take_octets(a->budget, (uint32_t)packet.n)) {
		tell_failure(a, ASK_BUDGET);
		return;
	}
	learn_rtt(a, rtt_of(a, t));
	if (a->u->tap != NULL)
		ask_tap_reply(a, t, packet);
	if ((flags & MSG_TC) != 0) {
		truncated(a);
		return;
	}
	r = read_message(a, packet, &m);
	if (OK(r))
		take_message(a, t, m);
	else if (r.e == ERR_FORMAT)
		a->malformed = true;
	else
		tell_failure(a, ASK_NO_ROOM);
}

static void take_late(struct ask *a, const struct attempt *t, enum match m)
{
	if (m != MATCH_YES)
		return;
	stats_inc(a->u->stats, COUNT_UPSTREAM_LATE);
	learn_rtt(a, rtt_of(a, t));
	ask_end(a);
}

static struct attempt *find_attempt(struct ask *a, exchange_h x) BORROWED;
static struct attempt *find_attempt(struct ask *a, exchange_h x)
{
	for (unsigned int i = 0; i < a->udp_count; i++)
		if (a->udp[i].x.v == x.v)
			return &a->udp[i];
	return NULL;
}

static void on_packet(struct loop *l, void *object, exchange_h x, struct span packet)
{
	struct ask *a = (struct ask *)object;
	struct attempt *t = find_attempt(a, x);
	struct match_expected e;
	uint16_t flags = 0;
	enum match m;

	(void)l;
	if (t == NULL)
		return;
	e = expected(a, t);
	m = match_reply(packet, &e, &flags);
	if (m == MATCH_CASE && !t->mixed)
		m = MATCH_YES;
	if (m != MATCH_YES)
		upstream_unwanted(a->u);
	if (a->link[LINK_LIFE].list == &a->u->late) {
		take_late(a, t, m);
		return;
	}
	switch (m) {
	case MATCH_YES:
		take_fitting(a, t, packet, flags);
		break;
	case MATCH_CASE:
		folded_case(a);
		break;
	case MATCH_NO_QUESTION:
		no_question(a, t, flags);
		break;
	case MATCH_ID:
		near_miss(a, t);
		break;
	case MATCH_NOT:
		a->suspect = true;
		break;
	}
}

static void on_exchange_error(struct loop *l, void *object, exchange_h x, enum err e)
{
	struct ask *a = (struct ask *)object;
	uint64_t due = loop_now(l)->mono_ns + UNREACHABLE_WAIT_MS * UINT64_C(1000000);

	(void)x;
	if (a->link[LINK_LIFE].list != &a->u->active)
		return;
	if (e == ERR_REFUSED) { /* fragments */
		truncated(a);
		return;
	}
	a->unreachable = true;
	if (due >= a->udp_due_ns)
		return;
	a->udp_due_ns = due;
	if (!tcp_pending(a) && !OK(ask_arm(a, UNREACHABLE_WAIT_MS)))
		tell_failure(a, ASK_NO_ROOM);
}

/* ------------------------------------------------------------------------------------------------------------- TCP replies */

static void keepalive(struct ask *a, conn_h c, const struct edns *e)
{
	struct reader options = reader_of(e->options);
	struct span data;
	uint16_t code;

	while (e->present && edns_next_option(&options, &code, &data))
		if (code == EDNS_TCP_KEEPALIVE && data.n == 2)
			pool_keepalive(a->u->pool, c, load16(data.p));
}

static bool fits_tcp(struct ask *a, struct span message, uint16_t *ret_flags)
{
	struct match_expected e = expected(a, &a->tcp);
	struct now now = now_of(a);

	switch (match_reply(message, &e, ret_flags)) {
	case MATCH_YES:
	case MATCH_NO_QUESTION:
		return (*ret_flags & MSG_TC) == 0;
	case MATCH_CASE:
		if (a->tcp.mixed)
			infra_note_no_0x20(a->u->infra, &a->request.server, &now);
		return (*ret_flags & MSG_TC) == 0;
	case MATCH_ID:
	case MATCH_NOT:
		break;
	}
	return false;
}

static void take_tcp(struct ask *a, conn_h c, struct msg *m, uint32_t rtt)
{
	if (!m->has_question) { /* an error of a server that could not read the query */
		m->q = a->request.q;
		m->q.name = name_dup_in(a->arena, m->q.name);
		m->has_question = m->q.name.wire != NULL;
		if (!m->has_question) {
			tell_failure(a, ASK_NO_ROOM);
			return;
		}
	}
	keepalive(a, c, &m->edns);
	(void)judge_cookie(a, &a->tcp, m);
	if (refuses_edns(m, &a->tcp) && fall_back(a, &a->tcp, m->edns.present, true))
		return;
	learn_edns(a, m, true);
	tell_reply(a, m, &a->tcp, true, rtt);
}

void ask_tcp_answer(struct loop *l, void *object, conn_h c, struct span message, uint32_t rtt)
{
	struct ask *a = (struct ask *)object;
	uint16_t flags = 0;
	struct msg *m;
	struct result r;

	(void)l;
	a->tcp_on = false;
	if (!budget_take_octets(a->budget, (uint32_t)message.n)) {
		tell_failure(a, ASK_BUDGET);
		return;
	}
	if (!fits_tcp(a, message, &flags)) {
		ask_tcp_failed(a, ERR_FORMAT);
		return;
	}
	learn_rtt(a, rtt);
	if (a->u->tap != NULL)
		ask_tap_reply(a, &a->tcp, message);
	r = read_message(a, message, &m);
	if (OK(r))
		take_tcp(a, c, m, rtt);
	else
		ask_tcp_failed(a, r.e);
}

void ask_tcp_lost(struct loop *l, void *object, enum err e, bool used)
{
	struct ask *a = (struct ask *)object;
	struct result r = FAIL(e);

	(void)l;
	a->tcp_on = false;
	if (used && !a->tcp_alone && e != ERR_TIMEOUT) {
		a->tcp_alone = true;
		r = start_or_queue_tcp(a);
	}
	if (!OK(r))
		ask_tcp_failed(a, r.e);
}
