#include "resolver/serve/upstream_tap.h"

#include "resolver/dnstap/tap.h"

static struct tap_event event_of(const struct ask *a, const struct attempt *t, enum tap_type type)
{
	const struct ask_request *r = &a->request;
	struct tap_event e = { .type = type, .protocol = t == &a->tcp ? TAP_TCP : TAP_UDP, .response = r->server };

	e.query_time = tap_time_at(loop_now(a->u->loop), t->sent_ns);
	e.zone = span_of(r->zone.wire, r->zone.wire != NULL ? r->zone.len : 0);
	return e;
}

void ask_tap_query(struct ask *a, const struct attempt *t, struct span packet)
{
	enum tap_type type = a->request.recurse ? TAP_FORWARDER_QUERY : TAP_RESOLVER_QUERY;
	struct tap_event e;

	if (!tap_wants(a->u->tap, type))
		return;
	e = event_of(a, t, type);
	e.query_message = packet;
	tap_tell(a->u->tap, &e);
}

void ask_tap_reply(struct ask *a, const struct attempt *t, struct span packet)
{
	enum tap_type type = a->request.recurse ? TAP_FORWARDER_RESPONSE : TAP_RESOLVER_RESPONSE;
	struct tap_event e;
	char room[TAP_EXTRA_MAX];

	if (!tap_wants(a->u->tap, type))
		return;
	e = event_of(a, t, type);
	e.response_time = tap_time_of(loop_now(a->u->loop));
	e.response_message = packet;
	e.extra = tap_extra_server(a->u->tap, &a->request.server.a, room);
	tap_tell(a->u->tap, &e);
}
