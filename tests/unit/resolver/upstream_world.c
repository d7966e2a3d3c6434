#include "tests/unit/resolver/upstream_world.h"

#include "dns/rrtype.h"
#include "tests/unit/resolver/virtual_time.h"

LOOP_HANDLE_IMPL(asker)

/* ---------------------------------------------------------------------------------------------------------------- the host */

static struct result fake_ask(
	struct host *h, const struct exchange_options *o, struct span packet, const struct exchange_events *ev, exchange_h *ret)
{
	struct fake_host *f = (struct fake_host *)(void *)h;
	struct exchange *x;

	if (f->ask_error != ERR_NONE)
		return FAIL(f->ask_error);
	assert_true(f->udps < MOST && packet.n <= sizeof x->packet);
	x = (struct exchange *)mem_alloc(sizeof *x);
	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->self = exchange_enlist(h->loop, x);
	if (x->self.v == 0) {
		mem_free(x);
		return FAIL(ERR_NOMEM);
	}
	x->open = true;
	x->o = *o;
	x->ev = *ev;
	memcpy(x->packet, packet.p, packet.n);
	x->n = packet.n;
	f->udp[f->udps++] = x;
	*ret = x->self;
	return DONE;
}

static void fake_ask_close(struct host *h, exchange_h xh)
{
	struct exchange *x = exchange_get(h->loop, xh);

	if (x == NULL)
		return;
	x->open = false;
	exchange_retire(h->loop, xh);
}

static struct result fake_connect(struct host *h, const struct exchange_options *o, const struct stream_events *ev, stream_h *ret)
{
	struct fake_host *f = (struct fake_host *)(void *)h;
	struct stream *s;

	if (f->connect_error != ERR_NONE)
		return FAIL(f->connect_error);
	assert_true(f->tcps < MOST);
	s = (struct stream *)mem_alloc(sizeof *s);
	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->self = stream_enlist(h->loop, s);
	if (s->self.v == 0) {
		mem_free(s);
		return FAIL(ERR_NOMEM);
	}
	s->open = true;
	s->o = *o;
	s->ev = *ev;
	f->tcp[f->tcps++] = s;
	*ret = s->self;
	return DONE;
}

static struct result fake_write(struct host *h, stream_h sh, struct span octets)
{
	struct stream *s = stream_get(h->loop, sh);

	if (s == NULL)
		return FAIL(ERR_CLOSED);
	if (octets.n > sizeof s->out - s->out_len)
		return FAIL(ERR_LIMIT);
	memcpy(s->out + s->out_len, octets.p, octets.n);
	s->out_len += octets.n;
	return DONE;
}

static void fake_stream_close(struct host *h, stream_h sh)
{
	struct stream *s = stream_get(h->loop, sh);

	if (s == NULL)
		return;
	s->open = false;
	stream_retire(h->loop, sh);
}

static void fake_free(struct host *h) TAKES(1);
static void fake_free(struct host *h)
{
	struct fake_host *f = (struct fake_host *)(void *)h;

	for (size_t i = 0; i < f->udps; i++) {
		assert_false(f->udp[i]->open);
		mem_free(f->udp[i]);
	}
	for (size_t i = 0; i < f->tcps; i++) {
		assert_false(f->tcp[i]->open);
		mem_free(f->tcp[i]);
	}
	mem_free(f);
}

static const struct host_ops fake_ops = {.ask = fake_ask,
	.ask_close = fake_ask_close,
	.connect = fake_connect,
	.stream_write = fake_write,
	.stream_close = fake_stream_close,
	.free = fake_free};

/* --------------------------------------------------------------------------------------------------------------- the world */

int world_start(void **state)
{
	struct world *w = (struct world *)mem_alloc(sizeof *w);
	struct loop_backend b;
	struct infra_limits il = {.host_ttl_sec = 900,
		.max_entries = 1000,
		.min_rtt_ms = 50,
		.max_rtt_ms = 120000,
		.max_backoff_ms = 60000,
		.lame_ttl_sec = 900};
	struct hash_key k = { { 1, 2 } };

	assert_non_null(w);
	b = virtual_time(&w->now_ns);
	w->now_ns = 1000000000u;
	w->rng = rng_new_seeded(7);
	w->loop = loop_new(&b, w->rng, NULL);
	w->fake = (struct fake_host *)mem_alloc(sizeof *w->fake);
	w->infra = infra_new(&il, &k);
	w->stats = (struct stats *)mem_alloc(sizeof *w->stats);
	w->arena = arena_new(0);
	assert_true(w->rng && w->loop && w->fake && w->infra && w->stats && w->arena);
	w->fake->host.ops = &fake_ops;
	w->fake->host.loop = w->loop;
	w->set = (struct upstream_settings){.ipv4 = true,
		.ipv6 = true,
		.udp = true,
		.tcp = true,
		.use_0x20 = true,
		.cookies = true,
		.edns_size = 1232,
		.max_asks = 100,
		.tcp_idle_ms = 10000,
		.tcp_max = 4,
		.tcp_pipeline = 8,
		.tcp_timeout_ms = 3000,
		.min_timeout_ms = 50,
		.max_timeout_ms = 120000,
		.limits = {.max_rrs = 100, .max_options = 20}};
	w->up = upstream_new(w->loop, &w->fake->host, w->infra, w->stats, &w->set);
	assert_non_null(w->up);
	w->budget.left = (struct budget_limits){ .packets = 100, .octets = 100000 };
	w->me.self = asker_enlist(w->loop, &w->me);
	assert_true(OK(name_from_text("www.example.org.", NULL, &w->name)));
	assert_true(OK(endpoint_parse("192.0.2.53@53", 53, &w->request.server)));
	w->request.q = (struct question){ name_of(&w->name), RR_A, CLASS_IN };
	w->request.dnssec_ok = true;
	*state = w;
	return 0;
}

int world_end(void **state)
{
	struct world *w = (struct world *)*state;

	upstream_free(w->up);
	asker_retire(w->loop, w->me.self);
	loop_turn(w->loop, false);
	assert_int_equal(loop_live_handles(w->loop), 0);
	host_free(&w->fake->host);
	infra_free(w->infra);
	mem_free(w->stats);
	arena_free(w->arena);
	loop_free(w->loop);
	rng_free(w->rng);
	mem_free(w);
	assert_int_equal(mem_usage().objects, 0);
	return 0;
}

static void told(struct loop *l, void *object, uint32_t tag, const struct ask_reply *r)
{
	struct asker *me = (struct asker *)object;

	(void)l;
	me->told++;
	me->tag = tag;
	me->reply = *r;
	assert_true((r->msg != NULL) == (r->outcome == ASK_REPLY));
	if (r->msg != NULL)
		me->msg = *r->msg;
}

struct result world_ask(struct world *w)
{
	return upstream_ask(w->up, &w->request, w->arena, &w->budget, &asker_loop_type, w->me.self.v, 42, told, &w->ask);
}

void world_must_ask(struct world *w)
{
	assert_true(OK(world_ask(w)));
}

static void run_over(struct loop *l, void *object)
{
	(void)l, (void)object;
}

void world_run(struct world *w, uint64_t ms)
{
	uint64_t end = w->now_ns + ms * 1000000u;
	timer_h t;

	assert_true(OK(loop_timer(w->loop, &asker_loop_type, w->me.self.v, run_over, ms, &t)));
	while (w->now_ns < end)
		loop_turn(w->loop, true);
	loop_turn(w->loop, false);
}

void world_turn(struct world *w)
{
	loop_turn(w->loop, false);
}

struct server_facts world_facts(struct world *w)
{
	struct server_facts f;

	infra_get(w->infra, &w->request.server, loop_now(w->loop), &f);
	return f;
}

/* ----------------------------------------------------------------------------------------------------------------- replies */

static bool find_cookie(struct span query, struct span *ret)
{
	struct msg_query q;
	struct reader options;
	uint16_t code;

	assert_int_equal(msg_read_query(query, 20, &q), MSG_GOOD);
	options = reader_of(q.edns.options);
	while (q.edns.present && edns_next_option(&options, &code, ret))
		if (code == EDNS_COOKIE)
			return true;
	return false;
}

bool query_has_edns(struct span query)
{
	struct msg_query q;

	assert_int_equal(msg_read_query(query, 20, &q), MSG_GOOD);
	return q.edns.present;
}

size_t query_cookie_octets(struct span query)
{
	struct span c;

	return find_cookie(query, &c) ? c.n : 0;
}

static void write_question(struct writer *w, const struct msg_query *q, const struct reply_spec *r)
{
	struct name_buf n;

	name_copy(&n, q->q.name);
	if (r->name != NULL)
		assert_true(OK(name_from_text(r->name, NULL, &n)));
	if (r->lower)
		name_lower(&n);
	if (r->other_case)
		for (unsigned int i = 1; i < n.len; i++)
			if (n.b[i] >= 'A')
				n.b[i] ^= 0x20;
	write_octets(w, n.b, n.len);
	write16(w, r->type != 0 ? r->type : q->q.type);
	write16(w, r->rclass != 0 ? r->rclass : q->q.rclass);
}

static void write_opt(struct writer *w, const struct reply_spec *r, struct span query)
{
	struct span theirs;
	size_t at;

	write8(w, 0);
	write16(w, RR_OPT);
	write16(w, 1232);
	write32(w, (uint32_t)(r->rcode >> 4) << 24);
	at = w->pos;
	write16(w, 0);
	if (r->cookie != RC_NONE && find_cookie(query, &theirs)) {
		uint8_t c[16] = { 0 };

		memcpy(c, theirs.p, 8);
		memset(c + 8, r->server_cookie, 8);
		if (r->cookie == RC_WRONG)
			c[0] ^= 1;
		write16(w, EDNS_COOKIE);
		write16(w, r->cookie == RC_CLIENT_ONLY ? 8 : 16);
		write_octets(w, c, r->cookie == RC_CLIENT_ONLY ? 8 : 16);
	}
	if (r->keepalive > 0) {
		write16(w, EDNS_TCP_KEEPALIVE);
		write16(w, 2);
		write16(w, (uint16_t)(r->keepalive - 1));
	}
	patch16(w, at, (uint16_t)(w->pos - at - 2));
}

size_t make_reply(struct span query, const struct reply_spec *r, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);
	bool answer = !r->no_answer && !r->no_question && (r->rcode == 0);
	struct msg_query q;

	assert_int_equal(msg_read_query(query, 20, &q), MSG_GOOD);
	write16(&w, q.id ^ r->id_xor);
	write16(&w, (uint16_t)(((MSG_QR | MSG_AA | (r->rcode & 15)) | r->set) & ~r->clear));
	write16(&w, r->no_question ? 0 : r->two_questions ? 2 : 1);
	write16(&w, answer);
	write16(&w, 0);
	write16(&w, r->opt);
	if (!r->no_question)
		write_question(&w, &q, r);
	if (r->two_questions)
		write_question(&w, &q, r);
	if (answer) {
		write16(&w, 0xc00c);
		write16(&w, RR_A);
		write16(&w, CLASS_IN);
		write32(&w, 300);
		write16(&w, 4);
		write32(&w, 0xc0000201);
	}
	if (r->opt)
		write_opt(&w, r, query);
	for (int i = 0; i < r->extra; i++)
		write8(&w, 0);
	assert_true(writer_ok(&w));
	return w.pos - (size_t)r->cut;
}

struct span udp_query(struct world *w, size_t i)
{
	assert_true(i < w->fake->udps);
	return span_of(w->fake->udp[i]->packet, w->fake->udp[i]->n);
}

void udp_octets(struct world *w, size_t i, struct span packet)
{
	struct exchange *x = w->fake->udp[i];
	void *object;

	assert_true(i < w->fake->udps);
	if (!x->open)
		return;
	object = loop_slot_get(w->loop, x->ev.type, x->ev.who);
	if (object != NULL)
		x->ev.packet(w->loop, object, x->self, packet);
}

void udp_reply(struct world *w, size_t i, const struct reply_spec *r)
{
	uint8_t buf[1024];
	uint8_t *exact;
	size_t n = make_reply(udp_query(w, i), r, buf, sizeof buf);

	exact = (uint8_t *)mem_dup(buf, n); /* an overrun of one octet is seen */
	assert_non_null(exact);
	udp_octets(w, i, span_of(exact, n));
	mem_free(exact);
}

void udp_error(struct world *w, size_t i, enum err e)
{
	struct exchange *x = w->fake->udp[i];
	void *object;

	if (!x->open)
		return;
	object = loop_slot_get(w->loop, x->ev.type, x->ev.who);
	if (object != NULL)
		x->ev.error(w->loop, object, x->self, e);
}

void tcp_connected(struct world *w, size_t i)
{
	struct stream *s = w->fake->tcp[i];
	void *object;

	assert_true(i < w->fake->tcps);
	object = loop_slot_get(w->loop, s->ev.type, s->ev.who);
	if (s->open && object != NULL)
		s->ev.connected(w->loop, object, s->self);
}

void tcp_closed(struct world *w, size_t i, enum err e)
{
	struct stream *s = w->fake->tcp[i];
	void *object;

	assert_true(i < w->fake->tcps);
	if (!s->open)
		return;
	s->open = false;
	stream_retire(w->loop, s->self);
	object = loop_slot_get(w->loop, s->ev.type, s->ev.who);
	if (object != NULL)
		s->ev.closed(w->loop, object, s->self, e);
}

void tcp_octets(struct world *w, size_t i, struct span octets)
{
	struct stream *s = w->fake->tcp[i];
	void *object;

	assert_true(i < w->fake->tcps);
	if (!s->open)
		return;
	object = loop_slot_get(w->loop, s->ev.type, s->ev.who);
	if (object != NULL)
		s->ev.data(w->loop, object, s->self, octets);
}

struct span tcp_query(struct world *w, size_t i, size_t q)
{
	struct reader r;

	assert_true(i < w->fake->tcps);
	r = reader_of(span_of(w->fake->tcp[i]->out, w->fake->tcp[i]->out_len));
	while (!reader_end(&r)) {
		struct span m = read_span(&r, read16(&r));

		if (q-- == 0)
			return m;
	}
	return span_of(NULL, 0);
}

void tcp_reply(struct world *w, size_t i, size_t q, const struct reply_spec *r)
{
	uint8_t buf[1026];
	struct span query = tcp_query(w, i, q);
	size_t n;

	assert_true(query.n > 0);
	n = make_reply(query, r, buf + 2, sizeof buf - 2);
	store16(buf, (uint16_t)n);
	tcp_octets(w, i, span_of(buf, n + 2));
}
