#include "resolver/serve/admission.h"

#include "dns/rrtype.h"
#include "resolver/cache/anscache.h"
#include "resolver/serve/quota.h"
#include "resolver/serve/reply.h"
#include "resolver/stats.h"

#define MAX_OPTIONS 100u     /* of EDNS in a question; real ones have three */
#define UDP_WITHOUT_EDNS 512u /* RFC 1035 section 4.2.1 */
#define LARGE_QUESTION 512u   /* harden-large-queries: no question needs more, but for options that few understand */

void admission_forget(struct admission *a)
{
	a->seen = (struct addr){ ADDR_NONE, { 0 } };
}

static void reply_with(struct request *r, uint16_t rcode)
{
	r->verdict = ADMIT_REPLY;
	r->rcode = rcode;
}

static void reply_with_ede(struct request *r, uint16_t rcode, uint16_t ede)
{
	reply_with(r, rcode);
	r->ede = ede;
	r->has_ede = true;
}

static enum access access_of(struct admission *a, const struct addr *client, enum access of_interface)
{
	if (a->seen_of_interface != of_interface || !addr_equal(&a->seen, client)) {
		a->seen = *client;
		a->seen_of_interface = of_interface;
		a->seen_access = settings_access(a->settings, client, of_interface);
	}
	return a->seen_access;
}

static void count(struct stats *s, const struct request *r)
{
	stats_inc(s, COUNT_QUERIES);
	if (origin_is_tcp(&r->origin))
		stats_inc(s, COUNT_QUERY_TCP);
	if (r->origin.from.a.family == ADDR_V6)
		stats_inc(s, COUNT_QUERY_IPV6);
	if (r->m.edns.present)
		stats_inc(s, COUNT_QUERY_EDNS);
	if (r->m.edns.dnssec_ok)
		stats_inc(s, COUNT_QUERY_EDNS_DO);
	if ((r->m.flags & MSG_RD) != 0)
		stats_inc(s, COUNT_QUERY_RD);
	if ((r->m.flags & MSG_AD) != 0)
		stats_inc(s, COUNT_QUERY_AD);
	if ((r->m.flags & MSG_CD) != 0)
		stats_inc(s, COUNT_QUERY_CD);
}

static enum counter type_counter(uint16_t type)
{
	switch (type) {
	case RR_A:
		return COUNT_TYPE_A;
	case RR_NS:
		return COUNT_TYPE_NS;
	case RR_CNAME:
		return COUNT_TYPE_CNAME;
	case RR_SOA:
		return COUNT_TYPE_SOA;
	case RR_PTR:
		return COUNT_TYPE_PTR;
	case RR_MX:
		return COUNT_TYPE_MX;
	case RR_TXT:
		return COUNT_TYPE_TXT;
	case RR_AAAA:
		return COUNT_TYPE_AAAA;
	case RR_SRV:
		return COUNT_TYPE_SRV;
	case RR_DS:
		return COUNT_TYPE_DS;
	case RR_DNSKEY:
		return COUNT_TYPE_DNSKEY;
	case RR_SVCB:
		return COUNT_TYPE_SVCB;
	case RR_HTTPS:
		return COUNT_TYPE_HTTPS;
	case RR_ANY:
		return COUNT_TYPE_ANY;
	default:
		return COUNT_TYPE_OTHER;
	}
}

static enum counter class_counter(uint16_t rclass)
{
	return rclass == CLASS_CH ? COUNT_CLASS_CH : rclass == CLASS_ANY ? COUNT_CLASS_ANY : COUNT_CLASS_OTHER;
}

/* Of one that is not QUERY. */
static enum counter opcode_counter(unsigned int opcode)
{
	switch (opcode) {
	case OPCODE_IQUERY:
		return COUNT_OPCODE_IQUERY;
	case OPCODE_STATUS:
		return COUNT_OPCODE_STATUS;
	case OPCODE_NOTIFY:
		return COUNT_OPCODE_NOTIFY;
	case OPCODE_UPDATE:
		return COUNT_OPCODE_UPDATE;
	default:
		return COUNT_OPCODE_OTHER;
	}
}

/* Fills in what the reply must have; also for questions that are refused. */
static void note_reply(const struct admission *a, struct request *r)
{
	const struct msg_query *m = &r->m;
	bool tcp = origin_is_tcp(&r->origin);
	uint16_t udp = m->edns.udp_size < UDP_WITHOUT_EDNS ? UDP_WITHOUT_EDNS : m->edns.udp_size;

	r->to.id = m->id;
	r->to.flags = m->flags;
	r->to.name = m->q.name;
	r->to.type = m->q.type;
	r->to.rclass = m->q.rclass;
	r->to.edns = m->edns.present;
	r->to.dnssec_ok = m->edns.present && m->edns.dnssec_ok;
	if (a->settings->no_do && r->to.dnssec_ok && !a->validates)
		r->to.edns = r->to.dnssec_ok = false; /* no DNSSEC to be had here */
	if (tcp)
		r->to.limit = MSG_MAX;
	else if (!m->edns.present)
		r->to.limit = UDP_WITHOUT_EDNS;
	else
		r->to.limit = udp < a->settings->max_udp_size ? udp : a->settings->max_udp_size;
	r->variant = (r->to.dnssec_ok ? ANS_DO : 0) | ((m->flags & MSG_CD) != 0 && !a->settings->ignore_cd ? ANS_CD : 0);
}

static void judge_cookie(struct admission *a, struct span option, struct request *r)
{
	struct addr client = addr_unmap(&r->origin.from.a);

	switch (cookie_judge(&a->settings->secrets, option, &client, a->now->wall_sec, r->to.cookie)) {
	case COOKIE_NONE:
		return;
	case COOKIE_MALFORMED:
		r->bare = true;
		reply_with(r, RCODE_FORMERR);
		return;
	case COOKIE_ALONE:
		stats_inc(a->stats, COUNT_QUERIES_COOKIE_CLIENT);
		break;
	case COOKIE_BAD:
		stats_inc(a->stats, COUNT_QUERIES_COOKIE_INVALID);
		break;
	case COOKIE_GOOD:
	case COOKIE_RENEW:
		stats_inc(a->stats, COUNT_QUERIES_COOKIE_VALID);
		r->good_cookie = true;
		break;
	}
	r->to.cookie_len = COOKIE_FULL;
}

static void read_options(struct admission *a, uint32_t keepalive_ms, struct request *r)
{
	struct reader options = reader_of(r->m.edns.options);
	bool tcp = origin_is_tcp(&r->origin), cookie_seen = false;
	struct span data;
	uint16_t code;

	while (edns_next_option(&options, &code, &data)) {
		if (code == EDNS_NSID && a->settings->nsid_len > 0) {
			r->to.nsid = true;
		} else if (code == EDNS_TCP_KEEPALIVE && a->settings->tcp_keepalive && tcp) {
			if (data.n != 0) { /* RFC 7828 section 3.2.1: a client's option is empty */
				r->bare = true;
				reply_with(r, RCODE_FORMERR);
				return;
			}
			r->to.keepalive = true;
			r->to.keepalive_ds = (uint16_t)(keepalive_ms / 100 > UINT16_MAX ? UINT16_MAX : keepalive_ms / 100);
		} else if (code == EDNS_COOKIE && a->settings->cookies && !cookie_seen) {
			cookie_seen = true;
			judge_cookie(a, data, r);
		}
	}
}

static bool within_rate(struct admission *a, const struct request *r)
{
	const struct serve_settings *s = a->settings;
	uint32_t per_sec = r->good_cookie ? s->rate_cookie_per_sec : s->rate_per_sec;
	struct quota_rate rate = { (per_sec + a->workers - 1) / a->workers, s->rate_factor, s->rate_backoff };

	if (per_sec == 0 || origin_is_tcp(&r->origin))
		return true;
	return quota_take_token(a->quota, &r->origin.from.a, &rate, now_ms(a->now));
}

/* What access-control: says. False: the question goes no further. */
static bool judge_access(enum access access, struct request *r)
{
	bool tcp = origin_is_tcp(&r->origin);

	switch (access) {
	case ACCESS_DENY:
		r->verdict = ADMIT_DROP;
		return false;
	case ACCESS_DENY_NON_LOCAL:
	case ACCESS_REFUSE_NON_LOCAL:
		r->verdict = ADMIT_LOCAL;
		r->refuse_other = access == ACCESS_REFUSE_NON_LOCAL;
		return true;
	case ACCESS_ALLOW_SETRD:
		r->recurse = true;
		return true;
	case ACCESS_ALLOW_SNOOP:
		r->recurse = (r->m.flags & MSG_RD) != 0;
		return true;
	case ACCESS_ALLOW_COOKIE:
		if (!tcp && !r->good_cookie) {
			if (r->to.cookie_len > 0) {
				reply_with(r, RCODE_BADCOOKIE);
			} else {
				reply_with_ede(r, RCODE_REFUSED, EDE_PROHIBITED);
				r->truncate = true;
			}
			return false;
		}
		__attribute__((fallthrough));
	case ACCESS_ALLOW:
		r->recurse = (r->m.flags & MSG_RD) != 0;
		if (!r->recurse) {
			r->verdict = ADMIT_LOCAL;
			r->refuse_other = true;
		}
		return true;
	case ACCESS_UNSAID:
	case ACCESS_REFUSE:
		break;
	}
	reply_with_ede(r, RCODE_REFUSED, EDE_PROHIBITED);
	r->bare = !r->to.edns;
	return false;
}

/* Classes and types that are never resolved. */
static void judge_question(struct request *r)
{
	const struct question *q = &r->m.q;

	if (q->type == RR_AXFR || q->type == RR_IXFR || q->type == RR_MAILA || q->type == RR_MAILB) {
		reply_with(r, RCODE_REFUSED);
		return;
	}
	if (q->type == 0 || q->type == RR_OPT || q->type == RR_TKEY || q->type == RR_TSIG || q->type == RR_NXNAME /* RFC 9824 section 3.5 */) {
		r->bare = true;
		reply_with_ede(r, RCODE_FORMERR, EDE_INVALID_QTYPE);
		return;
	}
	if (q->rclass == CLASS_CH) {
		r->verdict = ADMIT_CHAOS;
		return;
	}
	if (q->rclass != CLASS_IN && q->rclass != CLASS_HS && q->rclass != CLASS_ANY)
		reply_with(r, RCODE_REFUSED);
	else if (q->rclass != CLASS_IN)
		reply_with_ede(r, RCODE_REFUSED, EDE_NOT_SUPPORTED);
}

/* A question has no answer and no authority section (an IXFR has, and is refused anyway). */
static bool has_records(struct span packet)
{
	return packet.n >= MSG_HEADER && (load16(packet.p + 6) != 0 || load16(packet.p + 8) != 0);
}

/* harden-short-bufsize: no takes a client at its word (RFC 6891 section 6.2.3 says 512), but for the header, the question and the OPT, without which a reply is none. */
static void allow_short_reply(const struct admission *a, struct request *r)
{
	size_t least = MSG_HEADER + r->to.name.len + 4u + reply_opt_size(a->settings, &r->to), size = r->m.edns.udp_size;

	if (size < MSG_HEADER && r->verdict != ADMIT_REPLY) {
		r->bare = true;
		reply_with(r, RCODE_FORMERR);
	}
	if (size < least)
		size = least;
	if (size < r->to.limit)
		r->to.limit = (uint16_t)size;
}

static void judge_packet(struct admission *a, struct span packet, enum access of_interface, uint32_t keepalive_ms, struct request *r)
{
	enum msg_verdict read = msg_read_query(packet, MAX_OPTIONS, &r->m);
	enum access access;

	r->verdict = ADMIT;
	r->has_ede = r->bare = r->refuse_other = r->truncate = r->recurse = r->good_cookie = r->may_be_local = false;
	r->to.nsid = r->to.keepalive = false;
	r->to.cookie_len = 0;
	if (read == MSG_DROP) {
		stats_inc(a->stats, COUNT_DROPPED_MALFORMED);
		r->verdict = ADMIT_DROP;
		return;
	}
	access = access_of(a, &r->origin.from.a, of_interface);
	if (access == ACCESS_DENY) {
		stats_inc(a->stats, COUNT_DROPPED_POLICY);
		r->verdict = ADMIT_DROP;
		return;
	}
	if (a->settings->harden_large && packet.n > LARGE_QUESTION) {
		stats_inc(a->stats, COUNT_DROPPED_LARGE);
		r->verdict = ADMIT_DROP;
		return;
	}
	count(a->stats, r);
	note_reply(a, r);
	if (read == MSG_NOTIMP)
		stats_inc(a->stats, opcode_counter(msg_opcode(r->m.flags)));
	if (read != MSG_GOOD || has_records(packet)) {
		r->bare = read != MSG_BADVERS;
		r->to.edns = read == MSG_BADVERS;
		reply_with(r, read == MSG_NOTIMP ? RCODE_NOTIMP : read == MSG_BADVERS ? RCODE_BADVERS : RCODE_FORMERR);
		return;
	}
	stats_inc(a->stats, type_counter(r->m.q.type));
	if (r->m.q.rclass != CLASS_IN)
		stats_inc(a->stats, class_counter(r->m.q.rclass));
	if (r->m.edns.options.n > 0)
		read_options(a, keepalive_ms, r);
	if (a->settings->rate_per_sec != 0 && !within_rate(a, r)) {
		stats_inc(a->stats, COUNT_QUERIES_RATELIMITED);
		r->verdict = ADMIT_DROP;
		return;
	}
	if (r->verdict == ADMIT && judge_access(access, r))
		judge_question(r);
}

void admission_judge(struct admission *a, struct span packet, enum access of_interface, uint32_t keepalive_ms, struct request *r)
{
	judge_packet(a, packet, of_interface, keepalive_ms, r);
	if (!a->settings->harden_short && r->verdict != ADMIT_DROP && r->m.edns.present && r->m.edns.udp_size < UDP_WITHOUT_EDNS && !origin_is_tcp(&r->origin))
		allow_short_reply(a, r);
}
