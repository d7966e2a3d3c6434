#include "tests/unit/resolver/serve_world.h"

#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/local/local.h"
#include "resolver/serve/listener.h"

/* --- a core that answers when the test says so --- */

struct core {
	int unused;
};
LOOP_HANDLE_IMPL(waiter)

struct asked asked[MAX_ASKED];
size_t asked_count, cancelled, dropped_oldest;
enum err core_error;

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
bool sock_open, stamped, stamp_fails;
struct listen_options listened, accepting;
static uint8_t room[65536];

struct sent sent[256];
size_t sent_count;

struct fake_stream streams[40];
static host_accept_fn *accept_fn;
static const struct loop_type *accept_type;
static uint64_t accept_who;

static RESULT fake_listen(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who,
    host_datagrams_fn *fn, struct dgram_sock **ret_sock)
{
	(void)h;
	listened = *o;
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

static RESULT fake_stamp(struct dgram_sock *s, bool on)
{
	(void)s;
	stamped = on;
	return stamp_fails ? FAIL(ERR_SYSTEM) : DONE;
}

static void fake_flush(struct dgram_sock *s)
{
	(void)s;
}

static RESULT fake_accept(
    struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who, host_accept_fn *fn, acceptor_h *ret)
{
	(void)h;
	accepting = *o;
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
	.dgram_stamp = fake_stamp,
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

/* --- the world --- */

static struct core core;
struct serve_world world = { .stamp = 1 };

void turn(void)
{
	loop_turn(world.loop, false);
}

void pass_ms(uint64_t ms)
{
	the_time.mono_ns += ms * 1000000;
	the_time.wall_sec += (int64_t)(ms / 1000);
	turn();
	turn();
}

void serve_world_start(const char *more)
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
	memset(&world.stats, 0, sizeof world.stats);
	the_time = (struct now){ 1000000000000u, 1700000000, 0 };
	world.rng = rng_new_seeded(1);
	world.epoch = epoch_new();
	world.member = epoch_join(world.epoch);
	world.loop = loop_new(&b, world.rng, world.member);
	host.loop = world.loop;
	world.anscache = anscache_new(1 << 20, &key);
	world.arena = arena_new(0);
	world.board = route_board_new();
	world.filters = filter_board_new();
	world.watched = watched_new(100, &key);
	assert_non_null(text);
	if (!OK(conf_load_text(text, "test", report, &world.conf)))
		fail_msg("%s", strbuf_text(report));
	assert_true(OK(serve_settings_make(world.conf, world.rng, NULL, report, &world.settings)));
	assert_true(OK(local_zones_make(conf_server(world.conf), report, &world.zones)));
	epoch_online(world.member);
	world.serve = serve_new(&(struct serve_env){ world.loop, &host, &core, world.anscache, world.member, &world.stats, world.settings, world.zones, &world.stamp, 1, NULL, world.board, world.watched, world.filters });
	assert_non_null(world.serve);
	assert_true(OK(listener_open(world.serve, report, &failed)));
	assert_int_equal(failed, 0);
	turn();
	epoch_online(world.member);
}

void serve_world_end(void)
{
	serve_free(world.serve);
	loop_free(world.loop);
	anscache_free(world.anscache);
	epoch_leave(world.member);
	epoch_free(world.epoch);
	local_zones_free(world.zones);
	serve_settings_free(world.settings);
	conf_free(world.conf);
	arena_free(world.arena);
	watched_free(world.watched);
	route_board_free(world.board);
	filter_board_free(world.filters);
	rng_free(world.rng);
}

struct endpoint client(unsigned int n)
{
	return (struct endpoint){ { ADDR_V4, { 127, 0, (uint8_t)(n >> 8), (uint8_t)n } }, 4000, 0 };
}

struct wire question(const char *name, uint16_t type, uint16_t id, uint16_t flags, uint16_t edns, struct span options)
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

void deliver(const struct datagram *d, size_t n)
{
	void *object = loop_slot_get(world.loop, sock.type, sock.who);

	assert_non_null(object);
	sock.fn(world.loop, object, &sock, d, n);
}

static uint32_t waited_us; /* in the socket's queue, of what comes next */

void receive_late(struct wire q, unsigned int from, uint32_t us)
{
	waited_us = us;
	receive(q, from);
	waited_us = 0;
}

void receive(struct wire q, unsigned int from)
{
	struct datagram d = { q.b, q.n, client(from), { ADDR_NONE, { 0 } }, waited_us };

	deliver(&d, 1);
}

void ask(const char *name, uint16_t id, unsigned int from)
{
	receive(question(name, RR_A, id, MSG_RD, 0, (struct span){ NULL, 0 }), from);
}

void tell(size_t i, const struct answer *a)
{
	void *object = loop_slot_get(world.loop, asked[i].type, asked[i].who);

	assert_true(asked[i].open);
	asked[i].open = false;
	assert_non_null(object);
	asked[i].fn(world.loop, object, 0, a);
}

struct answer addresses(size_t i, size_t n, uint32_t ttl)
{
	struct span *rdata = arena_alloc_array(world.arena, n, sizeof *rdata);
	struct answer_set *set = arena_alloc(world.arena, sizeof *set);
	struct rrset *rs;

	for (size_t k = 0; k < n; k++) {
		uint8_t a[4] = { 192, 0, (uint8_t)(k >> 8), (uint8_t)k };

		rdata[k] = span_of(arena_dup(world.arena, a, 4), 4);
	}
	rs = rrset_make_in(world.arena, asked[i].r.q.name, RR_A, CLASS_IN, ttl, rdata, n, 0);
	assert_non_null(rs);
	*set = (struct answer_set){ rs, ttl };
	return (struct answer){
		.q = asked[i].r.q, .rcode = RCODE_NOERROR, .cacheable = ttl > 0, .ttl = ttl, .sets = set, .answer_count = 1
	};
}

void tell_addresses(size_t i, size_t n, uint32_t ttl)
{
	struct answer a = addresses(i, n, ttl);

	tell(i, &a);
}

uint16_t sent_flags(size_t i) { return load16(sent[i].b + 2); }
uint16_t sent_id(size_t i) { return load16(sent[i].b); }
uint16_t sent_answers(size_t i) { return load16(sent[i].b + 6); }

/* --- TCP --- */

void connect_from(unsigned int n, unsigned int from)
{
	struct endpoint e = client(from);

	streams[n] = (struct fake_stream){ .n = 0 };
	accept_fn(world.loop, loop_slot_get(world.loop, accept_type, accept_who), (acceptor_h){ 7 }, (stream_h){ n }, &e, &e);
}

void stream_gives(unsigned int n, const void *p, size_t len)
{
	void *object = loop_slot_get(world.loop, streams[n].ev.type, streams[n].ev.who);

	assert_non_null(object);
	streams[n].ev.data(world.loop, object, (stream_h){ n }, span_of(p, len));
}

void stream_drains(unsigned int n)
{
	streams[n].unsent = 0;
	streams[n].ev.drained(world.loop, loop_slot_get(world.loop, streams[n].ev.type, streams[n].ev.who), (stream_h){ n });
}

struct wire framed(const char *name, uint16_t id)
{
	struct wire q = question(name, RR_A, id, MSG_RD, 0, (struct span){ NULL, 0 });

	memmove(q.b + 2, q.b, q.n);
	store16(q.b, (uint16_t)q.n);
	q.n += 2;
	return q;
}

/* --- answers of core --- */

const struct rrset *set_of(const char *owner, uint16_t type, const void *rdata, size_t n)
{
	struct span d = span_of(arena_dup(world.arena, rdata, n), n);
	struct name_buf nb;

	assert_true(OK(name_from_text(owner, NULL, &nb)));
	return rrset_make_in(world.arena, name_dup_in(world.arena, name_of(&nb)), type, CLASS_IN, 300, &d, 1, 0);
}

size_t answered_with(const char *name, uint16_t type, const struct rrset *const *sets, size_t n, size_t more)
{
	struct answer_set *list = arena_alloc_array(world.arena, n, sizeof *list);
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

size_t answered_by_address(const char *name, const char *address)
{
	struct addr a = route_world_addr(address);
	const struct rrset *rs = set_of(name, a.family == ADDR_V4 ? RR_A : RR_AAAA, a.b, a.family == ADDR_V4 ? 4 : 16);

	return answered_with(name, a.family == ADDR_V4 ? RR_A : RR_AAAA, &rs, 1, 0);
}

bool says(size_t i, const char *text)
{
	return memmem(sent[i].b, sent[i].n, text, strlen(text)) != NULL;
}

static bool moved(void *user, const struct ans_entry *e)
{
	return (e->watched & *(const uint32_t *)user) != 0;
}

size_t flush_moved(uint32_t bits)
{
	return anscache_flush(world.anscache, world.member, moved, &bits);
}
