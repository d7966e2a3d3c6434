#include "resolver/serve/serve_tap.h"

#include "resolver/cache/anscache.h"
#include "resolver/dnstap/encode.h"
#include "resolver/serve/listener.h"
#include "resolver/serve/policy_note.h"
#include "resolver/serve/request.h"

static struct tap_event event_of(struct serve *s, const struct origin *o, enum tap_type type)
{
	struct tap_event e = { .type = type, .protocol = origin_is_tcp(o) ? TAP_TCP : TAP_UDP, .query = o->from };

	e.query.a = addr_unmap(&o->from.a);
	e.response = listener_address(s, o);
	return e;
}

void serve_tap_question(struct serve *s, const struct request *r, struct span packet)
{
	struct tap_event e;

	if (!tap_wants(s->tap, TAP_CLIENT_QUERY))
		return;
	e = event_of(s, &r->origin, TAP_CLIENT_QUERY);
	e.query_time = tap_time_of(loop_now(s->env.loop));
	e.query_message = packet;
	tap_tell(s->tap, &e);
}

static void tell_reply(struct serve *s, const struct origin *o, struct span packet, struct span policy, struct span extra, uint64_t asked_ns)
{
	const struct now *now = loop_now(s->env.loop);
	struct tap_event e = event_of(s, o, TAP_CLIENT_RESPONSE);

	e.query_time = tap_time_at(now, asked_ns);
	e.response_time = tap_time_of(now);
	e.response_message = packet;
	e.policy = policy;
	e.extra = extra;
	tap_tell(s->tap, &e);
}

void serve_tap_entry(struct serve *s, const struct origin *o, struct span packet, const struct ans_entry *e, enum tap_how how, uint64_t asked_ns)
{
	struct span note = span_of(ans_note(e), e->note_len);
	char room[TAP_EXTRA_MAX];

	if (packet.n == 0 || !tap_wants(s->tap, TAP_CLIENT_RESPONSE))
		return;
	tell_reply(s, o, packet, note.n > 1 ? span_of(note.p + 1, note.n - 1) : (struct span){ NULL, 0 },
	    tap_extra_reply(how, e->security, note.n > 0 ? note.p[0] : 0, room), asked_ns);
}

void serve_tap_code(struct serve *s, const struct origin *o, struct span packet)
{
	uint8_t policy[TAP_POLICY_MAX];
	char room[TAP_EXTRA_MAX];
	size_t n = 0;

	if (packet.n == 0 || !tap_wants(s->tap, TAP_CLIENT_RESPONSE))
		return;
	if (s->policy != NULL)
		n = tap_encode_policy(s->policy, policy);
	tell_reply(s, o, packet, span_of(policy, n), tap_extra_reply(TAP_HOW_CODE, 0, 0, room), loop_now(s->env.loop)->mono_ns);
}
