/*
 * What a client sends, through admission and into a reply: a verdict is always reached, every reply can be read, goes to the
 * asker's question, fits its limit, and no reply answers a reply. The first octet chooses the client and the transport.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/msg.h"
#include "resolver/serve/admission.h"
#include "resolver/serve/chaos.h"
#include "resolver/serve/hit.h"
#include "resolver/serve/quota.h"
#include "resolver/serve/render.h"
#include "resolver/stats.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
    "server:\n nsid: \"ascii_fuzz\"\n identity: id\n edns-tcp-keepalive: yes\n access-control: 10.0.0.0/8 allow_cookie\n"
    " access-control: 11.0.0.0/8 allow_snoop\n access-control: 12.0.0.0/8 refuse_non_local\n cookie-secret: "
    "000102030405060708090a0b0c0d0e0f\n"
    " ip-ratelimit: 1000\n";

struct bench {
	struct conf *conf OWNED_FIELD;
	struct serve_settings *settings OWNED_FIELD;
	struct quota *quota OWNED_FIELD;
	struct stats stats;
	struct now now;
	struct arena *arena OWNED_FIELD;
	uint8_t scratch[RENDER_SCRATCH], out[MSG_MAX];
};

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_reply(struct bench *b, const struct request *r, size_t len)
{
	struct msg_limits limits = { .max_rrs = 0 };
	struct msg m;

	must(len >= MSG_HEADER && len <= r->to.limit);
	must(OK(MINE(msg_read(b->arena, span_of(b->out, len), &limits, &m))));
	must((m.flags & MSG_QR) != 0 && m.id == r->m.id);
	must(!m.edns.present || r->to.edns);
	must(!m.has_question || name_equal_case(m.q.name, r->to.name));
}

static void reply_code_of(struct bench *b, const struct request *r)
{
	uint8_t room[6];
	struct writer w = writer_of(room, sizeof room);
	struct reply_code c = { .rcode = r->rcode, .truncated = r->truncate, .bare = r->bare };

	if (r->has_ede)
		reply_ede_option(&w, r->ede, NULL);
	c.ede = writer_done(&w);
	check_reply(b, r, reply_compose(b->settings, &r->to, &c, b->out, r->to.limit));
}

/* The same answer as a stored one would be given. */
static void reply_answer(struct bench *b, const struct request *r)
{
	static const uint8_t address[4] = { 192, 0, 2, 1 };
	struct span rdata = span_of(address, 4);
	struct render how = { b->settings, &b->now, 1, b->scratch };
	struct ans_key k = { r->to.name, r->to.type, r->to.rclass, r->variant };
	struct answer_set set = { rrset_make_in(b->arena, r->to.name, RR_A, CLASS_IN, 300, &rdata, 1, 0), 300 };
	struct answer a = { .q = r->m.q, .cacheable = true, .ttl = 300, .sets = &set, .answer_count = 1 };
	AUTO(ans_entry_free) struct ans_entry *e = NULL;

	if (set.rs == NULL || !OK(render_answer(&how, &a, &k, 1, &e)))
		return;
	check_reply(b, r, hit_compose(b->settings, e, &r->to, now_sec(&b->now) + 7, b->out, r->to.limit));
}

static void one_packet(struct bench *b, uint8_t choice, struct span packet)
{
	static const uint8_t first[] = { 127, 10, 11, 12, 13 };
	struct admission a = { b->settings, b->quota, &b->stats, &b->now, 1, { ADDR_NONE, { 0 } }, ACCESS_UNSAID, ACCESS_UNSAID, false };
	struct request r = { .verdict = ADMIT };
	struct answer chaos;

	b->settings->harden_short = (choice & 0x40) == 0;
	b->settings->harden_large = (choice & 0x20) != 0;
	r.origin.from = (struct endpoint){ { ADDR_V4, { first[choice % 5], 0, 0, 1 } }, 4000, 0 };
	if ((choice & 0x80) != 0)
		r.origin.session.v = 1;
	admission_judge(&a, packet, ACCESS_UNSAID, 30000, &r);
	must(packet.n >= MSG_HEADER || r.verdict == ADMIT_DROP);
	must(packet.n < MSG_HEADER || (load16(packet.p + 2) & MSG_QR) == 0 || r.verdict == ADMIT_DROP);
	if (r.verdict == ADMIT_REPLY)
		reply_code_of(b, &r);
	else if (r.verdict == ADMIT_CHAOS)
		(void)chaos_answer(b->settings, NULL, &r.m.q, b->arena, &chaos);
	else if (r.verdict != ADMIT_DROP)
		reply_answer(b, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = { { 1, 2 } };
	AUTO(rng_free) struct rng *rng = MINE(rng_new_seeded(1));
	AUTO(strbuf_free) struct strbuf *report = MINE(strbuf_new(10000));
	struct bench *b = calloc(1, sizeof *b);

	must(b != NULL && rng != NULL && report != NULL);
	b->now = (struct now){ 1000000000000u, 1700000000, 0 };
	must(OK(MINE(conf_load_text(text, "fuzz", report, &b->conf))));
	must(OK(MINE(serve_settings_make(b->conf, rng, NULL, report, &b->settings))));
	b->quota = MINE(quota_new(&key, 10000));
	b->arena = MINE(arena_new(1 << 20));
	must(b->quota != NULL && b->arena != NULL);
	if (size > 0)
		one_packet(b, data[0], span_of(data + 1, size - 1));
	arena_free(b->arena);
	quota_free(b->quota);
	serve_settings_free(b->settings);
	conf_free(b->conf);
	free(b);
	return 0;
}
