/*
 * From an answer to a stored packet, and from that to replies, by copying and patching. The input draws an answer, the clients that want it, and when. Each reply can be read, fits, has
 * its client's ID, question and flags, and nothing but the answer's RRsets; where all of it fits, it is octet by octet what is made of the answer as it stands by then.
 */
#include "base/arena.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "resolver/serve/hit.h"
#include "resolver/serve/render.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SETS 12u
#define REPLIES 20u
#define NOW_SEC 100000u

struct drawn {
	struct arena *arena BORROWED_FIELD;
	struct reader *in BORROWED_FIELD;
	struct answer a;
	struct answer_set sets[SETS];
	struct name qname;
	uint32_t least;
};

static struct name a_name(struct drawn *d, uint8_t b)
{
	static const char *const names[] = { "www.example", "example", "a.very.long.name.that.is.hard.to.compress.example", ".", "alias.example", "x.other", "ns.other", "*.example" };
	struct name_buf nb;

	CHECK(OK(name_from_text(names[b % 8], NULL, &nb)));
	return name_dup_in(d->arena, name_of(&nb));
}

static const struct rrset *a_set(struct drawn *d, uint32_t ttl)
{
	static const uint16_t types[] = { RR_A, RR_AAAA, RR_TXT, RR_NS, RR_CNAME, RR_SOA, RR_NSEC, RR_MX };
	static const uint8_t sig[] = { 0, 1, 8, 2, 0, 0, 1, 0, 0x70, 0, 0, 0, 0x60, 0, 0, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	uint16_t type = types[read8(d->in) % 8];
	struct name owner = a_name(d, read8(d->in)), target = a_name(d, owner.len);
	unsigned int many = read8(d->in), n = type == RR_CNAME || type == RR_SOA || type == RR_NSEC ? 1 : 1 + many % 24u, sigs = many >> 6;
	struct span *rdata = arena_alloc_array(d->arena, n + sigs, sizeof *rdata);

	CHECK(rdata != NULL);
	for (unsigned int i = 0; i < n; i++) {
		size_t room = 600;
		struct writer w = writer_of(arena_alloc(d->arena, room), room);

		switch (type) {
		case RR_A:
		case RR_AAAA:
			for (unsigned int k = 0; k < (type == RR_A ? 4u : 16u); k++)
				write8(&w, (uint8_t)(k == 3 ? i : k));
			break;
		case RR_TXT:
			write8(&w, 200);
			for (unsigned int k = 0; k < 200; k++)
				write8(&w, (uint8_t)(k == 0 ? i : 't'));
			break;
		case RR_MX:
			write16(&w, (uint16_t)i);
			write_octets(&w, target.wire, target.len);
			break;
		case RR_NS:
			write8(&w, 1);
			write8(&w, (uint8_t)('a' + i));
			write_octets(&w, target.wire, target.len);
			break;
		default:
			write_octets(&w, target.wire, target.len);
			if (type == RR_SOA) {
				write_octets(&w, target.wire, target.len);
				for (unsigned int k = 0; k < 5; k++)
					write32(&w, k);
			} else if (type == RR_NSEC) {
				write32(&w, 0x00014000);
				w.pos--;
			}
			break;
		}
		CHECK(writer_ok(&w));
		rdata[i] = writer_done(&w);
	}
	if (sigs > 0) {
		uint8_t *covering = arena_dup(d->arena, sig, sizeof sig);

		CHECK(covering != NULL);
		store16(covering, type);
		rdata[n] = span_of(covering, sizeof sig);
	}
	return rrset_make_in(d->arena, owner, type, CLASS_IN, ttl, rdata, n, sigs > 0 ? 1 : 0);
}

static bool is_new(const struct drawn *d, size_t count, const struct rrset *rs)
{
	for (size_t i = 0; i < count; i++) {
		if (d->sets[i].rs->type == rs->type && name_equal(rrset_name(d->sets[i].rs), rrset_name(rs)))
			return false;
	}
	return true;
}

static void draw(struct drawn *d)
{
	static const uint16_t rcodes[] = { RCODE_NOERROR, RCODE_NXDOMAIN, RCODE_NOERROR, RCODE_YXDOMAIN };
	uint8_t how = read8(d->in);
	size_t sections[3] = { read8(d->in) % 5, read8(d->in) % 5, read8(d->in) % 4 }, count = 0;

	d->qname = a_name(d, how >> 4);
	d->a = (struct answer){ .rcode = rcodes[how & 3], .cacheable = true, .security = (how & 4) != 0 ? SECURITY_SECURE : SECURITY_INSECURE, .sets = d->sets };
	d->least = UINT32_MAX;
	for (unsigned int s = 0; s < 3; s++) {
		for (size_t i = 0; i < sections[s]; i++) {
			uint32_t ttl = 1000u + read8(d->in) * 17u;
			const struct rrset *rs = a_set(d, ttl);

			CHECK(rs != NULL);
			if (!is_new(d, count, rs))
				continue;
			d->sets[count++] = (struct answer_set){ rs, ttl };
			d->least = ttl < d->least ? ttl : d->least;
			d->a.answer_count += s == 0;
			d->a.authority_count += s == 1;
			d->a.additional_count += s == 2;
		}
	}
	if (d->least == UINT32_MAX)
		d->least = 1000;
	d->a.ttl = d->least;
	d->a.q = (struct question){ d->qname, RR_A, CLASS_IN };
	if ((how & 8) != 0) {
		d->a.ede[0] = (struct ede){ 15, "a word" };
		d->a.ede_count = 1;
	}
}

static struct ans_entry *rendered(const struct drawn *d, const struct serve_settings *s, uint32_t age, uint32_t variant, uint8_t *scratch) OWNED_BY(ans_entry_free);
static struct ans_entry *rendered(const struct drawn *d, const struct serve_settings *s, uint32_t age, uint32_t variant, uint8_t *scratch)
{
	struct now now = { (NOW_SEC + age) * UINT64_C(1000000000), 1700000000 + age, 0 };
	struct render r = { s, &now, 7, scratch };
	struct ans_key k = { d->qname, RR_A, CLASS_IN, variant };
	struct answer_set sets[SETS];
	struct answer a = d->a;
	struct ans_entry *e = NULL;

	memcpy(sets, d->sets, sizeof sets);
	for (size_t i = 0; i < SETS; i++)
		sets[i].ttl -= sets[i].ttl > age ? age : 0;
	a.sets = sets;
	a.ttl -= age;
	mem_fail_hold(false);
	if (!OK(render_answer(&r, &a, &k, 1, &e)))
		e = NULL;
	mem_fail_hold(true);
	return e;
}

static bool is_part(const struct rrset *part, const struct rrset *whole)
{
	for (unsigned int i = 0; i < part->count; i++) {
		bool found = false;

		for (unsigned int k = 0; k < whole->count; k++) {
			struct span a = rrset_rdata(part, i), b = rrset_rdata(whole, k);

			found |= a.n == b.n && octets_equal_nocase(a.p, b.p, a.n); /* names are compressed: the client's case */
		}
		if (!found)
			return false;
	}
	return true;
}

/* cut: of the last set some RRs may be missing. */
static bool is_of_answer(const struct drawn *d, const struct rrset *rs, uint32_t age, bool keeps, bool cut)
{
	for (size_t i = 0; i < d->a.answer_count + d->a.authority_count + d->a.additional_count; i++) {
		const struct answer_set *s = &d->sets[i];

		if (s->rs->type == rs->type && name_equal(rrset_name(s->rs), rrset_name(rs)) && (cut ? is_part(rs, s->rs) : rrset_same_data(s->rs, rs)) && rs->ttl == s->ttl - (keeps ? 0 : age))
			return true;
	}
	return false;
}

static void check(const struct drawn *d, const struct reply_to *to, struct span reply, uint32_t age, bool keeps, bool dnssec)
{
	const struct msg_section *sections[3];
	struct msg m;

	CHECK(OK(msg_read(d->arena, reply, NULL, &m)));
	CHECK(m.id == to->id && m.has_question && name_equal_case(m.q.name, to->name) && m.q.type == RR_A);
	CHECK((m.flags & MSG_QR) != 0 && ((m.flags & MSG_RD) != 0) == ((to->flags & MSG_RD) != 0) && ((m.flags & MSG_CD) != 0) == ((to->flags & MSG_CD) != 0));
	CHECK((m.flags & MSG_AD) == 0 || d->a.security == SECURITY_SECURE);
	CHECK(m.edns.present == to->edns && m.rcode == d->a.rcode);
	sections[0] = &m.answer;
	sections[1] = &m.authority;
	sections[2] = &m.additional;
	for (unsigned int s = 0; s < 3; s++) {
		for (size_t i = 0; i < sections[s]->count; i++) {
			CHECK(is_of_answer(d, sections[s]->sets[i], age, keeps, (m.flags & MSG_TC) != 0));
			CHECK(dnssec || sections[s]->sets[i]->sigs == 0);
		}
	}
	CHECK((m.flags & MSG_TC) != 0 || m.answer.count == d->a.answer_count);
}

static void reply(struct drawn *d, const struct serve_settings *s, const struct ans_entry *e, uint32_t variant, uint8_t *room, uint8_t *again)
{
	uint8_t how = read8(d->in);
	uint32_t age = read16(d->in) % d->least;
	bool dnssec = (variant & ANS_DO) != 0;
	struct name_buf written;
	struct reply_to to = { .id = 0xbeef, .flags = (uint16_t)((how & 1 ? MSG_RD : 0) | (how & 2 ? MSG_CD : 0) | (how & 4 ? MSG_AD : 0)), .limit = (uint16_t)(512 + read16(d->in) % 65000u),
		.type = RR_A, .rclass = CLASS_IN, .edns = dnssec || (how & 8) != 0, .dnssec_ok = dnssec, .cookie_len = how & 16 ? COOKIE_FULL : 0, .keepalive = (how & 32) != 0,
		.nsid = (how & 64) != 0 };
	size_t n;

	name_copy(&written, d->qname);
	if (written.len > 2 && (how & 128) != 0 && written.b[1] >= 'a')
		written.b[1] ^= 0x20;
	to.name = name_of(&written);
	memset(room, 0xee, 65536);
	n = hit_compose(s, e, &to, NOW_SEC + age, room, 65535);
	CHECK(n <= to.limit && room[n] == 0xee);
	if (n == 0)
		return;
	check(d, &to, span_of(room, n), age, s->original_ttl, dnssec);
	if ((load16(room + 2) & MSG_TC) == 0 && !s->roundrobin && e->len + 200u < to.limit && !s->original_ttl) {
		AUTO(ans_entry_free) struct ans_entry *fresh = rendered(d, s, age, variant, again);

		if (fresh == NULL)
			return;
		CHECK(hit_compose(s, fresh, &to, NOW_SEC + age, again, 65535) == n && memcmp(again, room, n) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(span_of(data, size));
	struct arena *a;
	uint8_t how = read8(&in), *room = malloc(65536), *again = malloc(65536);
	struct serve_settings s = { .minimal = (how & 1) != 0, .ede = (how & 2) == 0, .edns_size = 1232, .expired_reply_ttl_sec = 30, .roundrobin = (how & 4) != 0,
		.original_ttl = (how & 8) != 0, .nsid_len = 3 };
	struct drawn d = { .in = &in };
	uint32_t variant = (how & 16 ? ANS_DO : 0) | (how & 32 ? ANS_CD : 0);
	struct ans_entry *e;

	mem_fail_hold(true); /* but for the rendering */
	a = arena_new(0);
	d.arena = a;
	CHECK(a != NULL && room != NULL && again != NULL);
	draw(&d);
	e = rendered(&d, &s, 0, variant, again);
	for (unsigned int i = 0; e != NULL && i < REPLIES && !reader_end(&in); i++)
		reply(&d, &s, e, variant, room, again);
	ans_entry_free(e);
	arena_free(a);
	mem_fail_hold(false);
	free(room);
	free(again);
	return 0;
}
