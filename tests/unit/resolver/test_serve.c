/* The serving side between a host and a core that are played by the test: what is answered, what waits, what gives way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/epoch.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/cache/anscache.h"
#include "resolver/core/core.h"
#include "resolver/local/local.h"
#include "resolver/serve/answer_route.h"
#include "resolver/serve/listener.h"
#include "resolver/serve/quota.h"
#include "resolver/serve/serve.h"
#include "resolver/serve/tcp.h"
#include "resolver/serve/watched.h"
#include "resolver/stats.h"
#include "tests/unit/resolver/route_world.h"

/* --- a core that answers when the test says so --- */

struct core {
	int unused;
};
LOOP_HANDLE_IMPL(waiter)

#define MAX_ASKED 4096
static struct asked {
	struct resolve_request r;
	struct name_buf name;
	const struct loop_type *type;
	uint64_t who;
	resolve_fn *fn;
	bool open;
} asked[MAX_ASKED];
static size_t asked_count, cancelled, dropped_oldest;
static enum err core_error;

RESULT core_resolve(struct core *c, const struct resolve_request *r, const struct loop_type *t, uint64_t who, uint32_t tag,
    resolve_fn *fn, waiter_h *ret)
{
	struct asked *a = &asked[asked_count];

	(void)c;
	(void)tag;
	if (core_error != ERR_NONE)
		return FAIL(core_error);
	assert_true(asked_count < MAX_ASKED);
	*a = (struct asked){ .r = *r, .type = t, .who = who, .fn = fn, .open = true };
	name_copy(&a->name, r->q.name);
	a->r.q.name = name_of(&a->name);
	ret->v = ++asked_count;
	return DONE;
}

void core_cancel(struct core *c, waiter_h w)
{
	(void)c;
	assert_in_range(w.v, 1, asked_count);
	assert_true(asked[w.v - 1].open);
	asked[w.v - 1].open = false;
	cancelled++;
}

static struct loop *loop;
static void tell(size_t i, const struct answer *a);

void core_drop_oldest(struct core *c, size_t n)
{
	struct answer failed = { .rcode = RCODE_SERVFAIL, .why = "gave way" };

	(void)c;
	for (size_t i = 0; i < asked_count && n > 0; i++)
		if (asked[i].open) {
			dropped_oldest++;
			n--;
			tell(i, &failed);
		}
}

/* --- a host that keeps what is sent --- */

struct dgram_sock {
	const struct loop_type *type;
	uint64_t who;
	host_datagrams_fn *fn;
};
static struct dgram_sock sock;
static bool sock_open;
static uint8_t room[65536];

static struct sent {
	uint8_t b[4096];
	size_t n;
	struct endpoint to;
} sent[256];
static size_t sent_count;

static struct fake_stream {
	struct stream_events ev;
	bool adopted, closed, paused, refuses;
	uint8_t out[1 << 17];
	size_t n, unsent;
} streams[40];
static host_accept_fn *accept_fn;
static const struct loop_type *accept_type;
static uint64_t accept_who;

static RESULT fake_listen(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who,
    host_datagrams_fn *fn, struct dgram_sock **ret_sock)
{
	(void)h;
	(void)o;
	sock = (struct dgram_sock){ t, who, fn };
	sock_open = true;
	*ret_sock = &sock;
	return DONE;
}

static void fake_dgram_close(struct host *h, struct dgram_sock *s)
{
	(void)h;
	(void)s;
	sock_open = false;
}

static uint8_t *fake_room(struct dgram_sock *s, size_t cap)
{
	assert_ptr_equal(s, &sock);
	return cap <= sizeof room ? room : NULL;
}

static void fake_commit(struct dgram_sock *s, size_t len, const struct endpoint *to, const struct addr *local)
{
	struct sent *x = &sent[sent_count++ % 256];

	(void)s;
	(void)local;
	assert_in_range(len, 12, sizeof x->b);
	memcpy(x->b, room, len);
	x->n = len;
	x->to = *to;
}

static void fake_flush(struct dgram_sock *s)
{
	(void)s;
}

static RESULT fake_accept(
    struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who, host_accept_fn *fn, acceptor_h *ret)
{
	(void)h;
	(void)o;
	accept_fn = fn;
	accept_type = t;
	accept_who = who;
	ret->v = 7;
	return DONE;
}

static void fake_accept_close(struct host *h, acceptor_h a)
{
	(void)h;
	(void)a;
}

static RESULT fake_adopt(struct host *h, stream_h s, const struct stream_events *ev)
{
	(void)h;
	streams[s.v].ev = *ev;
	streams[s.v].adopted = true;
	return DONE;
}

static RESULT fake_write(struct host *h, stream_h s, struct span o)
{
	struct fake_stream *f = &streams[s.v];

	(void)h;
	assert_false(f->closed);
	if (f->refuses)
		return FAIL(ERR_LIMIT);
	assert_true(f->n + o.n <= sizeof f->out);
	memcpy(f->out + f->n, o.p, o.n);
	f->n += o.n;
	return DONE;
}

static size_t fake_unsent(struct host *h, stream_h s)
{
	(void)h;
	return streams[s.v].unsent;
}

static void fake_pause(struct host *h, stream_h s, bool paused)
{
	(void)h;
	streams[s.v].paused = paused;
}

static void fake_stream_close(struct host *h, stream_h s)
{
	(void)h;
	streams[s.v].closed = true;
}

static const struct host_ops fake_ops = { .dgram_listen = fake_listen,
	.dgram_close = fake_dgram_close,
	.dgram_room = fake_room,
	.dgram_commit = fake_commit,
	.dgram_flush = fake_flush,
	.accept = fake_accept,
	.accept_close = fake_accept_close,
	.stream_adopt = fake_adopt,
	.stream_write = fake_write,
	.stream_unsent = fake_unsent,
	.stream_pause = fake_pause,
	.stream_close = fake_stream_close };
static struct host host = { .ops = &fake_ops };

/* --- a loop whose clock the test moves --- */

static struct now the_time;

static void back_now(void *ctx, struct now *ret)
{
	(void)ctx;
	*ret = the_time;
}

static void back_wait(void *ctx, struct loop *l, uint64_t ns)
{
	(void)ctx;
	(void)l;
	(void)ns;
}

static void back_nothing(void *ctx)
{
	(void)ctx;
}

/* --- the bench --- */

static struct rng *rng;
static struct epoch *epoch;
static struct epoch_member *member;
static struct anscache *anscache;
static struct conf *conf;
static struct serve_settings *settings;
static struct local_zones *zones;
static struct stats stats;
static struct core core;
static _Atomic uint64_t stamp = 1;
static struct serve *serve;
static struct arena *arena;
static struct route_board *board;
static struct watched *watched;
static struct filter_board *filters;

static void turn(void)
{
	loop_turn(loop, false);
}

static void pass_ms(uint64_t ms)
{
	the_time.mono_ns += ms * 1000000;
	the_time.wall_sec += (int64_t)(ms / 1000);
	turn();
	turn();
}

static void start(const char *more)
{
	struct loop_backend b = { .now = back_now, .wait = back_wait, .wake = back_nothing, .free = back_nothing };
	static const struct hash_key key = { { 3, 4 } };
	AUTO_CHARS char *text = mem_printf("server:\n interface: 127.0.0.1@5300\n identity: me\n%s", more);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	size_t failed;

	memset(asked, 0, sizeof asked);
	memset(streams, 0, sizeof streams);
	asked_count = cancelled = dropped_oldest = sent_count = 0;
	core_error = ERR_NONE;
	memset(&stats, 0, sizeof stats);
	the_time = (struct now){ 1000000000000u, 1700000000, 0 };
	rng = rng_new_seeded(1);
	epoch = epoch_new();
	member = epoch_join(epoch);
	loop = loop_new(&b, rng, member);
	host.loop = loop;
	anscache = anscache_new(1 << 20, &key);
	arena = arena_new(0);
	board = route_board_new();
	filters = filter_board_new();
	watched = watched_new(100, &key);
	assert_non_null(text);
	if (!OK(conf_load_text(text, "test", report, &conf)))
		fail_msg("%s", strbuf_text(report));
	assert_true(OK(serve_settings_make(conf, rng, NULL, report, &settings)));
	assert_true(OK(local_zones_make(conf_server(conf), report, &zones)));
	epoch_online(member);
	serve = serve_new(&(struct serve_env){ loop, &host, &core, anscache, member, &stats, settings, zones, &stamp, 1, NULL, board, watched, filters });
	assert_non_null(serve);
	assert_true(OK(listener_open(serve, report, &failed)));
	assert_int_equal(failed, 0);
	turn();
	epoch_online(member);
}

static void end(void)
{
	serve_free(serve);
	loop_free(loop);
	anscache_free(anscache);
	epoch_leave(member);
	epoch_free(epoch);
	local_zones_free(zones);
	serve_settings_free(settings);
	conf_free(conf);
	arena_free(arena);
	watched_free(watched);
	route_board_free(board);
	filter_board_free(filters);
	rng_free(rng);
}

static struct endpoint client(unsigned int n)
{
	return (struct endpoint){ { ADDR_V4, { 127, 0, (uint8_t)(n >> 8), (uint8_t)n } }, 4000, 0 };
}

struct wire {
	uint8_t b[512];
	size_t n;
};

/* edns: 0 none, else the size; options may be empty. */
static struct wire question(const char *name, uint16_t type, uint16_t id, uint16_t flags, uint16_t edns, struct span options)
{
	struct wire q;
	struct writer w = writer_of(q.b, sizeof q.b);
	struct name_buf nb;

	assert_true(OK(name_from_text(name, NULL, &nb)));
	write16(&w, id);
	write16(&w, flags);
	write16(&w, 1);
	write32(&w, 0);
	write16(&w, edns != 0);
	write_octets(&w, nb.b, nb.len);
	write16(&w, type);
	write16(&w, CLASS_IN);
	if (edns != 0) {
		write8(&w, 0);
		write16(&w, RR_OPT);
		write16(&w, edns);
		write32(&w, 0);
		write16(&w, (uint16_t)options.n);
		write_span(&w, options);
	}
	q.n = writer_done(&w).n;
	return q;
}

static void receive(struct wire q, unsigned int from)
{
	struct datagram d = { q.b, q.n, client(from), { ADDR_NONE, { 0 } } };
	void *object = loop_slot_get(loop, sock.type, sock.who);

	assert_non_null(object);
	sock.fn(loop, object, &sock, &d, 1);
}

static void ask(const char *name, uint16_t id, unsigned int from)
{
	receive(question(name, RR_A, id, MSG_RD, 0, (struct span){ NULL, 0 }), from);
}

static void tell(size_t i, const struct answer *a)
{
	void *object = loop_slot_get(loop, asked[i].type, asked[i].who);

	assert_true(asked[i].open);
	asked[i].open = false;
	assert_non_null(object);
	asked[i].fn(loop, object, 0, a);
}

/* n addresses for the i-th question. */
static struct answer addresses(size_t i, size_t n, uint32_t ttl)
{
	struct span *rdata = arena_alloc_array(arena, n, sizeof *rdata);
	struct answer_set *set = arena_alloc(arena, sizeof *set);
	struct rrset *rs;

	for (size_t k = 0; k < n; k++) {
		uint8_t a[4] = { 192, 0, (uint8_t)(k >> 8), (uint8_t)k };

		rdata[k] = span_of(arena_dup(arena, a, 4), 4);
	}
	rs = rrset_make_in(arena, asked[i].r.q.name, RR_A, CLASS_IN, ttl, rdata, n, 0);
	assert_non_null(rs);
	*set = (struct answer_set){ rs, ttl };
	return (struct answer){
		.q = asked[i].r.q, .rcode = RCODE_NOERROR, .cacheable = ttl > 0, .ttl = ttl, .sets = set, .answer_count = 1
	};
}

static void tell_addresses(size_t i, size_t n, uint32_t ttl)
{
	struct answer a = addresses(i, n, ttl);

	tell(i, &a);
}

static void connect_from(unsigned int n, unsigned int from);
static void stream_gives(unsigned int n, const void *p, size_t len);
static struct wire framed(const char *name, uint16_t id);

static uint16_t sent_flags(size_t i) { return load16(sent[i].b + 2); }
static uint16_t sent_id(size_t i) { return load16(sent[i].b); }
static uint16_t sent_answers(size_t i) { return load16(sent[i].b + 6); }

#define BEGIN(more) \
	(void)state; \
	start(more)

/* --- UDP --- */

static void a_miss_waits_and_a_hit_does_not(void **state)
{
	BEGIN("");
	ask("www.example.com.", 0x1234, 1);
	assert_int_equal(asked_count, 1);
	assert_int_equal(sent_count, 0);
	tell_addresses(0, 2, 300);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_id(0), 0x1234);
	assert_int_equal(sent_flags(0), MSG_QR | MSG_RD | MSG_RA);
	assert_int_equal(sent_answers(0), 2);
	turn();
	ask("WWW.Example.com.", 0x4321, 2);
	assert_int_equal(asked_count, 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent_id(1), 0x4321);
	assert_memory_equal(sent[1].b + 13, "WWW", 3); /* the client's letter case */
	assert_int_equal(stats_get(&stats, COUNT_CACHE_HITS), 1);
	assert_int_equal(stats_get(&stats, COUNT_CACHE_MISSES), 1);
	end();
}

static void ttls_count_down_and_an_expired_answer_is_asked_for_again(void **state)
{
	BEGIN("");
	ask("a.test-a.org.", 1, 1);
	tell_addresses(0, 1, 300);
	pass_ms(100000);
	ask("a.test-a.org.", 2, 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(load32(sent[1].b + sent[1].n - 10), 200);
	pass_ms(199000);
	ask("a.test-a.org.", 3, 1);
	assert_int_equal(asked_count, 1);
	pass_ms(2000);
	ask("a.test-a.org.", 4, 1);
	assert_int_equal(asked_count, 2);
	end();
}

static void a_raised_stamp_sends_hits_to_core(void **state)
{
	BEGIN("");
	ask("a.org.", 1, 1);
	tell_addresses(0, 1, 300);
	turn();
	atomic_fetch_add(&stamp, 1);
	ask("a.org.", 2, 1);
	assert_int_equal(asked_count, 2);
	tell_addresses(1, 1, 300);
	turn();
	ask("a.org.", 3, 1);
	assert_int_equal(asked_count, 2);
	end();
}

static void everyone_who_waits_is_answered(void **state)
{
	BEGIN("");
	for (unsigned int i = 0; i < 50; i++)
		ask("a.org.", (uint16_t)i, i);
	assert_int_equal(asked_count, 50);
	for (unsigned int i = 0; i < 50; i++)
		tell_addresses(i, 1, 60);
	assert_int_equal(sent_count, 50);
	for (unsigned int i = 0; i < 50; i++)
		assert_int_equal(sent_id(i), i);
	turn();
	assert_int_equal(serve->clients.count, 0);
	end();
}

static void what_must_not_be_stored_is_asked_for_each_time(void **state)
{
	struct answer failed = {
		.rcode = RCODE_SERVFAIL, .ede = { { EDE_NO_REACHABLE, NULL } }, .ede_count = 1, .why = "all dead"
	};

	BEGIN("");
	ask("zero.org.", 1, 1);
	tell_addresses(0, 1, 0);
	ask("zero.org.", 2, 1);
	assert_int_equal(asked_count, 2);
	tell(1, &failed);
	assert_int_equal(msg_rcode(sent_flags(1)), RCODE_SERVFAIL);
	receive(question("fail.org.", RR_A, 3, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	tell(2, &failed);
	assert_int_equal(load16(sent[2].b + sent[2].n - 6), EDNS_ERROR);
	assert_int_equal(load16(sent[2].b + sent[2].n - 2), EDE_NO_REACHABLE);
	end();
}

/* A flood of names that denials answer for must not take the answer cache. */
static void what_denials_answer_is_stored_when_it_is_asked_for_again(void **state)
{
	BEGIN("");
	for (unsigned int i = 0; i < 2; i++) {
		struct answer a;

		ask("gap.org.", (uint16_t)i, 1);
		assert_int_equal(asked_count, i + 1);
		a = addresses(i, 1, 60);
		a.synthesized = true;
		tell(i, &a);
	}
	ask("gap.org.", 3, 1);
	assert_int_equal(asked_count, 2);
	assert_int_equal(sent_count, 3);
	end();
}

static void answers_that_do_not_fit_are_cut_at_an_rr_and_say_so(void **state)
{
	BEGIN("");
	ask("big.org.", 1, 1);
	tell_addresses(0, 100, 60);
	assert_int_equal(sent_flags(0) & MSG_TC, MSG_TC);
	assert_in_range(sent[0].n, 480, 512);
	assert_int_equal(sent[0].n, 12 + 9 + 4 + 16u * sent_answers(0));
	turn();
	receive(question("big.org.", RR_A, 2, MSG_RD, 4096, (struct span){ NULL, 0 }), 1);
	assert_in_range(sent[1].n, 1200, 1232); /* max-udp-size */
	assert_int_equal(sent_flags(1) & MSG_TC, MSG_TC);
	end();
}

static void a_reply_that_comes_too_late_is_dropped_but_kept_for_the_next(void **state)
{
	BEGIN(" discard-timeout: 1900\n");
	ask("slow.org.", 1, 1);
	pass_ms(1901);
	tell_addresses(0, 1, 60);
	assert_int_equal(sent_count, 0);
	assert_int_equal(stats_get(&stats, COUNT_QUERIES_DISCARDED), 1);
	turn();
	ask("slow.org.", 2, 1);
	assert_int_equal(sent_count, 1);
	end();
	start(" discard-timeout: 0\n");
	ask("slow.org.", 1, 1);
	pass_ms(60000);
	tell_addresses(0, 1, 60);
	assert_int_equal(sent_count, 1);
	end();
}

static void a_failure_is_told_however_late(void **state)
{
	struct answer failed = { .rcode = RCODE_SERVFAIL, .why = "all silent" };

	BEGIN(" discard-timeout: 1900\n");
	ask("slow.org.", 1, 1);
	pass_ms(3000);
	tell(0, &failed);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_flags(0) & 15, RCODE_SERVFAIL);
	assert_int_equal(stats_get(&stats, COUNT_QUERIES_DISCARDED), 0);
	end();
}

static void who_waits_too_long_is_told_and_the_resolution_goes_on(void **state)
{
	BEGIN(" discard-timeout: 1900\n");
	ask("slow.org.", 1, 1);
	pass_ms(4499);
	assert_int_equal(sent_count, 0);
	pass_ms(2);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_flags(0) & 15, RCODE_SERVFAIL);
	assert_int_equal(cancelled, 0);
	assert_int_equal(stats_get(&stats, COUNT_QUERIES_GIVEN_UP), 1);
	assert_int_equal(quota_count(serve->quota, &(struct addr){ ADDR_V4, { 127, 0, 0, 1 } }, QUOTA_WAITING), 0);
	pass_ms(4000);
	tell_addresses(0, 1, 60); /* for the next one */
	assert_int_equal(sent_count, 1);
	turn();
	ask("slow.org.", 2, 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(asked_count, 1);
	end();
	start(" discard-timeout: 0\n");
	ask("slow.org.", 1, 1);
	pass_ms(11000);
	assert_int_equal(sent_count, 0);
	end();
}

static void when_full_the_oldest_slow_question_gives_way(void **state)
{
	BEGIN(" num-queries-per-thread: 4\n jostle-timeout: 200\n");
	for (unsigned int i = 0; i < 4; i++) {
		const char *names[] = { "a.org.", "b.org.", "c.org.", "d.org." };

		ask(names[i], (uint16_t)i, 1);
	}
	ask("e.org.", 9, 1); /* nobody has been slow yet */
	assert_int_equal(asked_count, 4);
	assert_int_equal(stats_get(&stats, COUNT_LIST_EXCEEDED), 1);
	pass_ms(201);
	ask("f.org.", 10, 1);
	assert_int_equal(asked_count, 5);
	assert_int_equal(dropped_oldest, 1);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_id(0), 0);
	assert_int_equal(msg_rcode(sent_flags(0)), RCODE_SERVFAIL);
	end();
}

static void hits_are_answered_while_the_queue_is_full(void **state)
{
	BEGIN(" num-queries-per-thread: 2\n");
	ask("hit.org.", 1, 1);
	tell_addresses(0, 1, 60);
	turn();
	ask("a.org.", 2, 1);
	ask("b.org.", 3, 1);
	ask("c.org.", 4, 1);
	ask("hit.org.", 5, 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent_id(1), 5);
	end();
}

static void one_client_may_not_have_all_places(void **state)
{
	BEGIN(" wait-limit: 2\n wait-limit-netblock: 127.0.0.9/32 -1\n");
	ask("a.org.", 1, 1);
	ask("b.org.", 2, 1);
	ask("c.org.", 3, 1);
	assert_int_equal(asked_count, 2);
	assert_int_equal(stats_get(&stats, COUNT_QUERIES_WAIT_LIMIT), 1);
	ask("c.org.", 4, 2);
	assert_int_equal(asked_count, 3);
	for (unsigned int i = 0; i < 5; i++)
		ask("x.org.", 4, 9);
	assert_int_equal(asked_count, 8);
	tell_addresses(0, 1, 60);
	ask("d.org.", 5, 1);
	assert_int_equal(asked_count, 9);
	end();
}

static void a_hit_near_its_end_starts_one_refresh(void **state)
{
	BEGIN(" prefetch: yes\n");
	ask("a.org.", 1, 1);
	tell_addresses(0, 1, 100);
	pass_ms(89000);
	ask("a.org.", 2, 1);
	assert_int_equal(asked_count, 1);
	pass_ms(2000);
	ask("a.org.", 3, 1);
	ask("a.org.", 4, 1);
	assert_int_equal(asked_count, 2);
	assert_true(asked[1].r.refresh);
	assert_int_equal(sent_count, 4);
	tell_addresses(1, 1, 100);
	assert_int_equal(sent_count, 4);
	pass_ms(50000);
	ask("a.org.", 5, 1);
	assert_int_equal(asked_count, 2);
	end();
}

static void expired_data_comes_with_its_ttl_and_mark_and_is_renewed(void **state)
{
	struct answer a;

	BEGIN(" serve-expired: yes\n serve-expired-reply-ttl: 33\n ede-serve-expired: yes\n");
	receive(question("old.org.", RR_A, 1, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_true(asked[0].r.stale_ok);
	assert_int_equal(asked[0].r.stale_after_ms, 1800);
	a = addresses(0, 1, 600);
	a.stale = true;
	a.cacheable = false;
	a.sets[0].ttl = 0;
	tell(0, &a);
	assert_int_equal(sent_count, 1);
	assert_int_equal(load32(sent[0].b + 12 + 9 + 4 + 6), 33);
	assert_int_equal(load16(sent[0].b + sent[0].n - 2), EDE_STALE);
	assert_int_equal(asked_count, 2); /* the resolution goes on */
	assert_false(asked[1].r.stale_ok);
	tell_addresses(1, 1, 600);
	turn();
	receive(question("old.org.", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 2);
	assert_int_equal(sent_count, 2);
	end();
}

static void core_without_memory_is_a_servfail(void **state)
{
	BEGIN("");
	core_error = ERR_NOMEM;
	ask("a.org.", 1, 1);
	assert_int_equal(sent_count, 1);
	assert_int_equal(msg_rcode(sent_flags(0)), RCODE_SERVFAIL);
	turn();
	assert_int_equal(serve->clients.count, 0);
	end();
}

/* Whichever allocation fails: nothing is left under way, and no other client is hurt. */
static void memory_may_run_out_at_each_allocation(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 60; n++) {
		start(" prefetch: yes\n local-data: \"alias.example. 60 IN CNAME www.example.com.\"\n");
		mem_fail_at(n, false);
		ask("a.org.", 1, 1);
		ask("alias.example.", 2, 2);
		connect_from(1, 3);
		if (streams[1].adopted && !streams[1].closed) {
			struct wire q = framed("b.org.", 3);

			stream_gives(1, q.b, 5);
			if (!streams[1].closed)
				stream_gives(1, q.b + 5, q.n - 5);
		}
		for (size_t i = 0; i < asked_count; i++) {
			uint64_t who = asked[i].who;

			if (asked[i].open && loop_slot_get(loop, asked[i].type, who) != NULL) {
				struct answer failed = { .rcode = RCODE_SERVFAIL, .why = "test" };

				tell(i, &failed);
			}
		}
		mem_fail_at(0, false);
		turn();
		assert_int_equal(serve->clients.count, 0);
		assert_int_equal(quota_count(serve->quota, &(struct addr){ ADDR_V4, { 127, 0, 0, 1 } }, QUOTA_WAITING), 0);
		ask("c.org.", 4, 4);
		assert_true(asked[asked_count - 1].open);
		tell_addresses(asked_count - 1, 1, 60);
		assert_int_equal(sent_id(sent_count - 1), 4);
		end();
	}
}

static void an_alias_in_local_data_is_followed(void **state)
{
	BEGIN(" local-data: \"alias.example. 60 IN CNAME www.example.com.\"\n");
	ask("alias.example.", 1, 1);
	assert_int_equal(asked_count, 1);
	assert_int_equal(asked[0].name.b[0], 3);
	tell_addresses(0, 1, 60);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_answers(0), 2);
	ask("alias.example.", 2, 1);
	assert_int_equal(asked_count, 2);
	end();
}

static void replies_and_echo_services_are_never_answered(void **state)
{
	struct wire q = question("a.org.", RR_A, 1, MSG_RD | MSG_QR, 0, (struct span){ NULL, 0 });
	struct datagram d;
	struct wire echo = question("a.org.", RR_A, 1, MSG_RD, 0, (struct span){ NULL, 0 });

	BEGIN("");
	receive(q, 1);
	for (size_t n = 0; n < 12; n++) {
		q.n = n;
		receive(q, 1);
	}
	d = (struct datagram){ echo.b, echo.n, client(1), { ADDR_NONE, { 0 } } };
	d.from.port = 7;
	sock.fn(loop, loop_slot_get(loop, sock.type, sock.who), &sock, &d, 1);
	d.from.port = 0;
	sock.fn(loop, loop_slot_get(loop, sock.type, sock.who), &sock, &d, 1);
	assert_int_equal(sent_count, 0);
	assert_int_equal(asked_count, 0);
	assert_int_equal(stats_get(&stats, COUNT_DROPPED_MALFORMED), 15);
	end();
}

static void a_batch_is_answered_in_order(void **state)
{
	static struct wire q[100];
	static struct datagram d[100];

	BEGIN("");
	ask("a.org.", 1, 1);
	tell_addresses(0, 1, 60);
	turn();
	sent_count = 0;
	for (unsigned int i = 0; i < 100; i++) {
		q[i] = question("a.org.", RR_A, (uint16_t)i, MSG_RD, 0, (struct span){ NULL, 0 });
		d[i] = (struct datagram){ q[i].b, q[i].n, client(i), { ADDR_NONE, { 0 } } };
	}
	sock.fn(loop, loop_slot_get(loop, sock.type, sock.who), &sock, d, 100);
	assert_int_equal(sent_count, 100);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(sent_id(i), i);
	end();
}

static void the_end_leaves_nothing_under_way(void **state)
{
	BEGIN("");
	ask("a.org.", 1, 1);
	ask("b.org.", 1, 1);
	end();
	assert_int_equal(cancelled, 2);
	assert_false(sock_open);
}

/* --- TCP --- */

static void connect_from(unsigned int n, unsigned int from)
{
	struct endpoint e = client(from);

	streams[n] = (struct fake_stream){ .n = 0 };
	accept_fn(loop, loop_slot_get(loop, accept_type, accept_who), (acceptor_h){ 7 }, (stream_h){ n }, &e, &e);
}

static void stream_gives(unsigned int n, const void *p, size_t len)
{
	void *object = loop_slot_get(loop, streams[n].ev.type, streams[n].ev.who);

	assert_non_null(object);
	streams[n].ev.data(loop, object, (stream_h){ n }, span_of(p, len));
}

static void stream_drains(unsigned int n)
{
	streams[n].unsent = 0;
	streams[n].ev.drained(loop, loop_slot_get(loop, streams[n].ev.type, streams[n].ev.who), (stream_h){ n });
}

static struct wire framed(const char *name, uint16_t id)
{
	struct wire q = question(name, RR_A, id, MSG_RD, 0, (struct span){ NULL, 0 });

	memmove(q.b + 2, q.b, q.n);
	store16(q.b, (uint16_t)q.n);
	q.n += 2;
	return q;
}

static void a_question_may_come_octet_by_octet(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN("");
	connect_from(1, 1);
	assert_true(streams[1].adopted);
	for (size_t i = 0; i < q.n; i++)
		stream_gives(1, q.b + i, 1);
	assert_int_equal(asked_count, 1);
	tell_addresses(0, 200, 60);
	assert_int_equal(load16(streams[1].out), streams[1].n - 2);
	assert_int_equal(load16(streams[1].out + 2), 5);
	assert_int_equal(load16(streams[1].out + 8), 200); /* nothing is cut over TCP */
	end();
}

static void questions_are_answered_in_the_order_in_which_they_are_ready(void **state)
{
	uint8_t all[512];
	size_t n = 0;

	BEGIN("");
	connect_from(1, 1);
	for (uint16_t i = 0; i < 3; i++) {
		const char *names[] = { "a.org.", "b.org.", "c.org." };
		struct wire q = framed(names[i], i);

		memcpy(all + n, q.b, q.n);
		n += q.n;
	}
	stream_gives(1, all, n - 5);
	assert_int_equal(asked_count, 2);
	stream_gives(1, all + n - 5, 5);
	assert_int_equal(asked_count, 3);
	tell_addresses(2, 1, 60);
	tell_addresses(0, 1, 60);
	assert_int_equal(load16(streams[1].out + 2), 2);
	assert_int_equal(load16(streams[1].out + 2 + 2 + load16(streams[1].out)), 0);
	end();
}

static void an_idle_session_is_closed_and_a_working_one_is_not(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN(" tcp-idle-timeout: 1000\n discard-timeout: 0\n");
	connect_from(1, 1);
	connect_from(2, 2);
	stream_gives(2, q.b, q.n);
	for (int i = 0; i < 12; i++)
		pass_ms(200);
	assert_true(streams[1].closed);
	assert_false(streams[2].closed);
	tell_addresses(0, 1, 60);
	assert_true(streams[2].n > 0);
	for (int i = 0; i < 12; i++)
		pass_ms(200);
	assert_true(streams[2].closed);
	end();
}

static void a_question_that_drips_in_is_given_up(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN(" tcp-idle-timeout: 1000\n");
	connect_from(1, 1);
	for (int i = 0; i < 12 && !streams[1].closed; i++) {
		stream_gives(1, q.b + i, 1);
		pass_ms(200);
	}
	assert_true(streams[1].closed);
	assert_int_equal(stats_get(&stats, COUNT_TCP_IDLE_CLOSED), 1);
	end();
}

static void the_greediest_client_makes_room(void **state)
{
	BEGIN(" incoming-num-tcp: 4\n");
	connect_from(1, 1);
	connect_from(2, 2);
	pass_ms(10);
	connect_from(3, 2);
	connect_from(4, 2);
	pass_ms(10);
	connect_from(5, 3);
	assert_true(streams[5].adopted);
	assert_false(streams[1].closed);
	assert_true(streams[2].closed); /* of client 2 the longest idle */
	assert_false(streams[3].closed);
	assert_int_equal(stats_get(&stats, COUNT_TCP_EVICTED), 1);
	end();
}

static void a_limit_of_connections_holds_for_a_netblock(void **state)
{
	BEGIN(" incoming-num-tcp: 10\n tcp-connection-limit: 127.0.0.1/32 2\n tcp-connection-limit: 127.0.0.5/32 0\n");
	connect_from(1, 1);
	connect_from(2, 1);
	connect_from(3, 1);
	assert_true(streams[2].adopted);
	assert_false(streams[3].adopted);
	connect_from(4, 5);
	assert_false(streams[4].adopted);
	end();
}

static void who_does_not_read_is_not_read_from(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN(" tcp-idle-timeout: 1000\n");
	connect_from(1, 1);
	stream_gives(1, q.b, q.n);
	streams[1].unsent = 100000;
	tell_addresses(0, 1, 60);
	turn();
	stream_gives(1, q.b, q.n);
	assert_true(streams[1].paused);
	assert_int_equal(streams[1].n, load16(streams[1].out) + 2);
	stream_drains(1);
	assert_false(streams[1].paused);
	assert_int_equal(streams[1].n, 2u * (load16(streams[1].out) + 2));
	streams[1].unsent = 100000;
	stream_gives(1, q.b, q.n);
	for (int i = 0; i < 12 && !streams[1].closed; i++)
		pass_ms(200);
	assert_true(streams[1].closed);
	assert_int_equal(stats_get(&stats, COUNT_TCP_SLOW_CLOSED), 1);
	end();
}

static void at_most_so_many_questions_of_a_session_are_under_way(void **state)
{
	static uint8_t all[200 * 64];
	size_t n = 0;

	BEGIN("");
	connect_from(1, 1);
	for (uint16_t i = 0; i < 200; i++) {
		char name[32];
		struct wire q;

		(void)snprintf(name, sizeof name, "n%u.org.", i);
		q = framed(name, i);
		memcpy(all + n, q.b, q.n);
		n += q.n;
	}
	stream_gives(1, all, n);
	assert_int_equal(asked_count, 64);
	assert_true(streams[1].paused);
	for (size_t i = 0; i < asked_count; i++) {
		tell_addresses(i, 1, 60);
		turn();
	}
	assert_int_equal(asked_count, 200);
	assert_false(streams[1].paused);
	end();
}

static void questions_go_with_their_session(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN("");
	connect_from(1, 1);
	stream_gives(1, q.b, q.n);
	streams[1].ev.closed(loop, loop_slot_get(loop, streams[1].ev.type, streams[1].ev.who), (stream_h){ 1 }, ERR_CLOSED);
	assert_int_equal(cancelled, 1);
	turn();
	assert_int_equal(serve->clients.count, 0);
	assert_int_equal(serve->sessions.count, 0);
	end();
}

static void keepalive_tells_a_time_that_shrinks_under_load(void **state)
{
	uint8_t option[4] = { 0, EDNS_TCP_KEEPALIVE, 0, 0 };
	struct wire q = question("a.org.", RR_A, 1, MSG_RD, 1232, span_of(option, 4));

	BEGIN(" incoming-num-tcp: 2\n edns-tcp-keepalive: yes\n edns-tcp-keepalive-timeout: 60000\n");
	memmove(q.b + 2, q.b, q.n);
	store16(q.b, (uint16_t)q.n);
	q.n += 2;
	connect_from(1, 1);
	stream_gives(1, q.b, q.n);
	tell_addresses(0, 1, 60);
	assert_int_equal(load16(streams[1].out + streams[1].n - 6), EDNS_TCP_KEEPALIVE);
	assert_int_equal(load16(streams[1].out + streams[1].n - 2), 600);
	connect_from(2, 2);
	stream_gives(2, q.b, q.n);
	assert_in_range(load16(streams[2].out + streams[2].n - 2), 1, 300);
	end();
}

/* --- answer-policy --- */

#define BLOCK "route-validation:\n answer-policy: block\n"

static const struct rrset *set_of(const char *owner, uint16_t type, const void *rdata, size_t n)
{
	struct span d = span_of(arena_dup(arena, rdata, n), n);
	struct name_buf nb;

	assert_true(OK(name_from_text(owner, NULL, &nb)));
	return rrset_make_in(arena, name_dup_in(arena, name_of(&nb)), type, CLASS_IN, 300, &d, 1, 0);
}

/* Asks for type, with EDNS, and has core answer with these sets; the last `more` of them are additional. Returns the index of the reply. */
static size_t answered_with(const char *name, uint16_t type, const struct rrset *const *sets, size_t n, size_t more)
{
	struct answer_set *list = arena_alloc_array(arena, n, sizeof *list);
	struct answer a = { .rcode = RCODE_NOERROR, .cacheable = true, .ttl = 300, .security = SECURITY_SECURE, .sets = list, .answer_count = n - more, .additional_count = more };
	size_t before = asked_count;

	receive(question(name, type, 1, MSG_RD | MSG_AD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, before + 1);
	for (size_t i = 0; i < n; i++)
		list[i] = (struct answer_set){ sets[i], 300 };
	a.q = asked[before].r.q;
	tell(before, &a);
	return sent_count - 1;
}

static size_t answered_by_address(const char *name, const char *address)
{
	struct addr a = route_world_addr(address);
	const struct rrset *rs = set_of(name, a.family == ADDR_V4 ? RR_A : RR_AAAA, a.b, a.family == ADDR_V4 ? 4 : 16);

	return answered_with(name, a.family == ADDR_V4 ? RR_A : RR_AAAA, &rs, 1, 0);
}

static bool says(size_t i, const char *text)
{
	return memmem(sent[i].b, sent[i].n, text, strlen(text)) != NULL;
}

static uint16_t answers_in(size_t i) { return load16(sent[i].b + 6); }

/* What the daemon does when routes have changed. */
static bool moved(void *user, const struct ans_entry *e)
{
	return (e->watched & *(const uint32_t *)user) != 0;
}

static size_t look_at_routes(bool vrps, bool taken)
{
	AUTO(route_view_unref) struct route_view *v = route_world_view(vrps, taken);
	uint32_t bits = watched_look(watched, v, WATCHED_INVALID);

	return anscache_flush(anscache, member, moved, &bits);
}

static void an_answer_with_an_invalid_route_is_blocked(void **state)
{
	size_t i;

	(void)state;
	start(BLOCK);
	route_world_put(board, true, true);
	i = answered_by_address("honest.net", "192.0.2.1");
	assert_int_equal(answers_in(i), 1);
	assert_true((sent_flags(i) & MSG_AD) != 0);
	i = answered_by_address("taken.net", "198.51.100.7");
	assert_int_equal(answers_in(i), 0);
	assert_int_equal(sent_flags(i) & 15, RCODE_NOERROR);
	assert_int_equal(sent_flags(i) & MSG_AD, 0);
	assert_true(says(i, "198.51.100.7: route invalid origin, 198.51.100.0/24 by AS64511, VRP 198.51.100.0/24-24 AS64496"));
	assert_int_equal(stats_get(&stats, COUNT_ROUTE_ANSWERS_BLOCKED), 1);
	/* From the cache, and not judged again. */
	receive(question("taken.net", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 2);
	assert_int_equal(answers_in(sent_count - 1), 0);
	assert_true(says(sent_count - 1, "198.51.100.7: route invalid"));
	assert_int_equal(stats_get(&stats, COUNT_ROUTE_ANSWERS_BLOCKED), 1);
	/* An address of IPv6 that is one of IPv4. */
	i = answered_by_address("mapped.net", "::ffff:198.51.100.7");
	assert_int_equal(answers_in(i), 0);
	end();
}

static void a_stored_answer_is_judged_again_when_a_verdict_of_its_own_moves(void **state)
{
	(void)state;
	start(BLOCK);
	(void)answered_by_address("first.net", "198.51.100.7"); /* nothing is known of routes yet */
	(void)answered_by_address("other.net", "192.0.2.1");
	route_world_put(board, true, false);
	assert_int_equal(look_at_routes(true, false), 0);
	route_world_put(board, true, true);
	assert_int_equal(look_at_routes(true, true), 1);
	receive(question("other.net", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 2); /* that one stayed */
	assert_int_equal(answers_in(answered_by_address("first.net", "198.51.100.7")), 0);
	route_world_put(board, true, false);
	assert_int_equal(look_at_routes(true, false), 1); /* the blocked one is taken out, too */
	assert_int_equal(answers_in(answered_by_address("first.net", "198.51.100.7")), 1);
	/* Without VRPs nothing is invalid. */
	route_world_put(board, true, true);
	assert_int_equal(look_at_routes(true, true), 1);
	(void)answered_by_address("first.net", "198.51.100.7");
	route_world_put(board, false, true);
	assert_int_equal(look_at_routes(false, true), 1);
	assert_int_equal(answers_in(answered_by_address("first.net", "198.51.100.7")), 1);
	end();
}

static void what_was_judged_while_routes_changed_is_not_kept(void **state)
{
	struct answer_route judged = { .mask = 1 };
	struct ans_key k = { .type = RR_A, .rclass = CLASS_IN };
	uint64_t hash;

	(void)state;
	start(BLOCK);
	route_world_put(board, true, false);
	(void)answered_by_address("honest.net", "192.0.2.1");
	k.name = asked[0].r.q.name;
	hash = anscache_hash(anscache, &k);
	judged.number = route_board_number(board);
	answer_route_stored(serve, &k, hash, &judged);
	assert_non_null(anscache_get(anscache, &k, hash));
	route_world_put(board, true, true);
	answer_route_stored(serve, &k, hash, &judged);
	assert_null(anscache_get(anscache, &k, hash));
	end();
}

static void the_dry_run_counts_and_blocks_nothing(void **state)
{
	size_t i;

	(void)state;
	start("route-validation:\n answer-policy: log\n");
	route_world_put(board, true, true);
	i = answered_by_address("taken.net", "198.51.100.7");
	assert_int_equal(answers_in(i), 1);
	assert_true((sent_flags(i) & MSG_AD) != 0);
	assert_int_equal(stats_get(&stats, COUNT_ROUTE_ANSWERS_LOGGED), 1);
	assert_int_equal(stats_get(&stats, COUNT_ROUTE_ANSWERS_BLOCKED), 0);
	end();
	start("");
	route_world_put(board, true, true);
	assert_int_equal(answers_in(answered_by_address("taken.net", "198.51.100.7")), 1);
	assert_int_equal(watched_count(watched), 0);
	assert_int_equal(stats_get(&stats, COUNT_ROUTE_ANSWERS_LOGGED), 0);
	end();
}

static void hints_count_and_what_comes_along_is_left_out(void **state)
{
	static const uint8_t good_hints[] = { 0, 1, 0, 0, 4, 0, 4, 192, 0, 2, 1 };
	static const uint8_t bad_hints[] = { 0, 1, 3, 'w', 'w', 'w', 0, 0, 1, 0, 3, 2, 'h', '2', 0, 4, 0, 8, 192, 0, 2, 1, 198, 51, 100, 7 };
	static const uint8_t bad_6[] = { 0, 1, 0, 0, 6, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7 };
	static const uint8_t bad[] = { 198, 51, 100, 7 }, mx[] = { 0, 10, 4, 'm', 'a', 'i', 'l', 3, 'n', 'e', 't', 0 };
	const struct rrset *sets[2];
	size_t i;

	(void)state;
	start("server:\n minimal-responses: no\n" BLOCK);
	route_world_put(board, true, true);
	sets[0] = set_of("a.net", RR_HTTPS, good_hints, sizeof good_hints);
	assert_int_equal(answers_in(answered_with("a.net", RR_HTTPS, sets, 1, 0)), 1);
	sets[0] = set_of("b.net", RR_HTTPS, bad_hints, sizeof bad_hints);
	i = answered_with("b.net", RR_HTTPS, sets, 1, 0);
	assert_int_equal(answers_in(i), 0);
	assert_true(says(i, "198.51.100.7: route invalid"));
	sets[0] = set_of("c.net", RR_SVCB, bad_6, sizeof bad_6);
	assert_int_equal(answers_in(answered_with("c.net", RR_SVCB, sets, 1, 0)), 0);
	sets[0] = set_of("d.net", RR_MX, mx, sizeof mx);
	sets[1] = set_of("mail.net", RR_A, bad, sizeof bad);
	i = answered_with("d.net", RR_MX, sets, 2, 1);
	assert_int_equal(answers_in(i), 1);
	assert_int_equal(load16(sent[i].b + 10), 1); /* OPT alone */
	assert_false(says(i, "route invalid"));
	assert_int_equal(stats_get(&stats, COUNT_ROUTE_ANSWERS_BLOCKED), 2);
	end();
}

static void failures_stay_failures(void **state)
{
	struct answer a = { .rcode = RCODE_SERVFAIL, .bogus = true, .ede = { { EDE_BOGUS, NULL } }, .ede_count = 1 };

	(void)state;
	start(BLOCK);
	route_world_put(board, true, true);
	ask("bogus.net", 1, 1);
	a.q = asked[0].r.q;
	tell(0, &a);
	assert_int_equal(sent_flags(0) & 15, RCODE_SERVFAIL);
	assert_int_equal(stats_get(&stats, COUNT_ROUTE_ANSWERS_BLOCKED), 0);
	end();
}

static void local_data_are_judged_like_others(void **state)
{
	(void)state;
	start("server:\n local-data: \"taken.local A 198.51.100.7\"\n local-data: \"honest.local A 192.0.2.1\"\n" BLOCK);
	route_world_put(board, true, true);
	receive(question("taken.local", RR_A, 1, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	receive(question("honest.local", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(answers_in(0), 0);
	assert_true(says(0, "198.51.100.7: route invalid"));
	assert_int_equal(answers_in(1), 1);
	end();
}

/* --- filter: */

static void filter_by(const char *rules, enum filter_told told, uint32_t ttl)
{
	static const struct filter_limits limits = { .rules = 100 };
	static const struct hash_key key = { { 5, 6 } };
	struct filter_builder *b = filter_builder_new(&limits, &key, NULL, NULL);
	struct filter_options o = { told, ttl, false };
	struct filter *f = NULL;

	assert_true(OK(filter_add_text(b, "rules", span_text(rules))));
	assert_true(OK(filter_build(b, &f)));
	filter_board_put(filters, filter_sheet_new(f, &o));
	stamp++;
}

static void a_blocked_question_costs_nobody_anything(void **state)
{
	(void)state;
	start(" prefetch: yes\n");
	filter_by("||ads.net^\n", FILTER_TOLD_NULL, 60);
	for (uint16_t i = 1; i <= 3; i++) {
		receive(question("x.ads.net", RR_A, i, MSG_RD | MSG_AD, 1232, (struct span){ NULL, 0 }), 1);
		assert_int_equal(sent_count, i);
		assert_int_equal(load16(sent[i - 1].b), i);
		assert_int_equal(answers_in(i - 1), 1);
		assert_int_equal(sent_flags(i - 1) & (MSG_AD | 15), 0);
		assert_true(says(i - 1, "rules:1: ||ads.net^"));
		pass_ms(18000); /* near its end it is not refreshed: that would ask */
	}
	assert_int_equal(asked_count, 0);
	assert_int_equal(stats_get(&stats, COUNT_FILTER_BLOCKED), 2); /* who asks twice is worth a place in the cache */
	assert_int_equal(stats_get(&stats, COUNT_FILTER_HITS), 1);
	pass_ms(21000);
	receive(question("x.ads.net", RR_A, 4, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 0);
	assert_int_equal(answers_in(3), 1);
	/* Another filter: the answer of before does not count any more. */
	filter_by("||other.net^\n", FILTER_TOLD_NULL, 60);
	receive(question("x.ads.net", RR_A, 5, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 1);
	end();
}

static void an_answer_with_a_blocked_address_is_kept_as_blocked_until_its_origin_moves(void **state)
{
	AUTO(route_view_unref) struct route_view *taken = NULL;
	uint32_t bits;
	size_t i;

	(void)state;
	start("");
	filter_by("*$asn=64496\n", FILTER_TOLD_NXDOMAIN, 60);
	route_world_put(board, true, false);
	i = answered_by_address("first.net", "198.51.100.7");
	assert_int_equal(sent_flags(i) & 15, RCODE_NXDOMAIN);
	assert_int_equal(sent_flags(i) & MSG_AD, 0);
	assert_int_equal(load16(sent[i].b + 8), 1); /* SOA */
	receive(question("first.net", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 1);
	assert_int_equal(stats_get(&stats, COUNT_FILTER_HITS), 1);
	route_world_put(board, true, true);
	taken = route_world_view(true, true);
	bits = watched_look(watched, taken, WATCHED_FACTS);
	assert_int_equal(anscache_flush(anscache, member, moved, &bits), 1);
	assert_int_equal(answers_in(answered_by_address("first.net", "198.51.100.7")), 1);
	end();
}

static void what_is_dropped_is_not_answered(void **state)
{
	(void)state;
	start("");
	filter_by("||ads.net^\n*$address=192.0.2.1\n", FILTER_TOLD_NOTHING, 60);
	ask("ads.net", 1, 1);
	assert_int_equal(sent_count, 0);
	assert_int_equal(asked_count, 0);
	assert_int_equal(stats_get(&stats, COUNT_DROPPED_POLICY), 1);
	(void)answered_by_address("first.net", "192.0.2.1");
	assert_int_equal(sent_count, 0);
	assert_int_equal(stats_get(&stats, COUNT_DROPPED_POLICY), 2);
	assert_int_equal(serve->clients.count, 0);
	assert_int_equal(answers_in(answered_by_address("first.net", "192.0.2.2")), 1); /* nothing was kept */
	end();
}

static void route_policy_comes_before_the_filter(void **state)
{
	size_t i;

	(void)state;
	start(BLOCK);
	filter_by("*$route=invalid\n", FILTER_TOLD_NXDOMAIN, 60);
	route_world_put(board, true, true);
	i = answered_by_address("taken.net", "198.51.100.7");
	assert_int_equal(sent_flags(i) & 15, RCODE_NOERROR);
	assert_true(says(i, "198.51.100.7: route invalid"));
	assert_int_equal(stats_get(&stats, COUNT_FILTER_BLOCKED), 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_miss_waits_and_a_hit_does_not),
		cmocka_unit_test(ttls_count_down_and_an_expired_answer_is_asked_for_again),
		cmocka_unit_test(a_raised_stamp_sends_hits_to_core),
		cmocka_unit_test(everyone_who_waits_is_answered),
		cmocka_unit_test(what_must_not_be_stored_is_asked_for_each_time),
		cmocka_unit_test(what_denials_answer_is_stored_when_it_is_asked_for_again),
		cmocka_unit_test(answers_that_do_not_fit_are_cut_at_an_rr_and_say_so),
		cmocka_unit_test(a_reply_that_comes_too_late_is_dropped_but_kept_for_the_next),
		cmocka_unit_test(a_failure_is_told_however_late),
		cmocka_unit_test(who_waits_too_long_is_told_and_the_resolution_goes_on),
		cmocka_unit_test(when_full_the_oldest_slow_question_gives_way),
		cmocka_unit_test(hits_are_answered_while_the_queue_is_full),
		cmocka_unit_test(one_client_may_not_have_all_places),
		cmocka_unit_test(a_hit_near_its_end_starts_one_refresh),
		cmocka_unit_test(expired_data_comes_with_its_ttl_and_mark_and_is_renewed),
		cmocka_unit_test(core_without_memory_is_a_servfail),
		cmocka_unit_test(memory_may_run_out_at_each_allocation),
		cmocka_unit_test(an_alias_in_local_data_is_followed),
		cmocka_unit_test(replies_and_echo_services_are_never_answered),
		cmocka_unit_test(a_batch_is_answered_in_order),
		cmocka_unit_test(the_end_leaves_nothing_under_way),
		cmocka_unit_test(a_question_may_come_octet_by_octet),
		cmocka_unit_test(questions_are_answered_in_the_order_in_which_they_are_ready),
		cmocka_unit_test(an_idle_session_is_closed_and_a_working_one_is_not),
		cmocka_unit_test(a_question_that_drips_in_is_given_up),
		cmocka_unit_test(the_greediest_client_makes_room),
		cmocka_unit_test(a_limit_of_connections_holds_for_a_netblock),
		cmocka_unit_test(who_does_not_read_is_not_read_from),
		cmocka_unit_test(at_most_so_many_questions_of_a_session_are_under_way),
		cmocka_unit_test(questions_go_with_their_session),
		cmocka_unit_test(keepalive_tells_a_time_that_shrinks_under_load),
		cmocka_unit_test(an_answer_with_an_invalid_route_is_blocked),
		cmocka_unit_test(a_stored_answer_is_judged_again_when_a_verdict_of_its_own_moves),
		cmocka_unit_test(what_was_judged_while_routes_changed_is_not_kept),
		cmocka_unit_test(the_dry_run_counts_and_blocks_nothing),
		cmocka_unit_test(hints_count_and_what_comes_along_is_left_out),
		cmocka_unit_test(failures_stay_failures),
		cmocka_unit_test(local_data_are_judged_like_others),
		cmocka_unit_test(a_blocked_question_costs_nobody_anything),
		cmocka_unit_test(an_answer_with_a_blocked_address_is_kept_as_blocked_until_its_origin_moves),
		cmocka_unit_test(what_is_dropped_is_not_answered),
		cmocka_unit_test(route_policy_comes_before_the_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
