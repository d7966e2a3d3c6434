#include "resolver/dnstap/tap.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dns/rrset.h"
#include "resolver/dnstap/encode.h"
#include "resolver/dnstap/ring.h"
#include "resolver/dnstap/tap_settings.h"
#include "resolver/stats.h"

void tap_bell_ring(struct tap_bell *b)
{
	const uint64_t one = 1;

	atomic_store_explicit(&b->asleep, false, memory_order_relaxed);
	if (write(b->fd, &one, sizeof one) < 0) /* it has been rung so often that it sounds anyway */
		return;
}

bool tap_wants(struct tap *t, enum tap_type type)
{
	if ((t->settings->wanted & 1u << type) == 0)
		return false;
	if (t->settings->sample > 1 && ++t->passed < t->settings->sample)
		return false;
	t->passed = 0;
	return true;
}

static struct span text_of(const char *text)
{
	return text != NULL ? span_text(text) : (struct span){ NULL, 0 };
}

void tap_tell(struct tap *t, struct tap_event *e)
{
	struct tap_size n;
	uint8_t *room;

	e->identity = text_of(t->settings->identity);
	e->version = text_of(t->settings->version);
	n = tap_encode_size(e);
	room = tap_ring_room(t->ring, n.all);
	if (room == NULL) {
		stats_inc(t->stats, COUNT_DNSTAP_DROPPED);
		return;
	}
	tap_encode(e, &n, room);
	stats_inc(t->stats, COUNT_DNSTAP_QUEUED);
	if (tap_ring_commit(t->ring, n.all) || atomic_load_explicit(&t->bell->asleep, memory_order_relaxed))
		tap_bell_ring(t->bell);
}

void tap_done(struct tap *t)
{
	route_seat_done(&t->seat);
}

struct tap_time tap_time_of(const struct now *now)
{
	return (struct tap_time){ now->wall_sec, now->wall_nsec };
}

struct tap_time tap_time_at(const struct now *now, uint64_t mono_ns)
{
	const uint64_t second = 1000000000u;
	uint64_t ago = now->mono_ns > mono_ns ? now->mono_ns - mono_ns : 0;
	uint64_t borrow = ago % second > now->wall_nsec ? 1 : 0;

	return (struct tap_time){ now->wall_sec - (int64_t)(ago / second + borrow), (uint32_t)(now->wall_nsec + borrow * second - ago % second) };
}

static struct span written(const char *room, int n)
{
	return span_of(room, n > 0 && (size_t)n < TAP_EXTRA_MAX ? (size_t)n : 0);
}

struct span tap_extra_server(struct tap *t, const struct addr *server, char room[TAP_EXTRA_MAX])
{
	const struct route_view *view = t->routes != NULL ? route_seat_view(&t->seat, t->routes) : NULL;
	struct route_verdict v;
	char prefix[ADDR_TEXT];

	if (view == NULL)
		return (struct span){ NULL, 0 };
	v = route_judge(view, server);
	if (!v.has_route)
		return written(room, snprintf(room, TAP_EXTRA_MAX, "{\"route\":\"%s\"}", verdict_state_text(v.state)));
	return written(room, snprintf(room, TAP_EXTRA_MAX, "{\"route\":\"%s\",\"origin\":%u,\"prefix\":\"%s/%u\"}", verdict_state_text(v.state), v.from.origin,
	    addr_text(&v.route.a, prefix), v.route.len));
}

static const char *security_word(uint8_t security) BORROWED;
static const char *security_word(uint8_t security)
{
	switch ((enum security)security) {
	case SECURITY_UNCHECKED:
		break;
	case SECURITY_INDETERMINATE:
		return "indeterminate";
	case SECURITY_BOGUS:
		return "bogus";
	case SECURITY_INSECURE:
		return "insecure";
	case SECURITY_SECURE:
		return "secure";
	}
	return "unchecked";
}

/* Each reply has one: this is cheaper than printf(). */
static void add(struct writer *w, const char *text)
{
	write_octets(w, text, strlen(text));
}

struct span tap_extra_reply(enum tap_how how, uint8_t security, uint8_t route, char room[TAP_EXTRA_MAX])
{
	static const char *const words[] = { [TAP_HOW_CODE] = "policy", [TAP_HOW_CACHE] = "cache", [TAP_HOW_RESOLVED] = "resolved", [TAP_HOW_LOCAL] = "local" };
	struct writer w = writer_of(room, TAP_EXTRA_MAX);

	add(&w, "{\"from\":\"");
	add(&w, words[how]);
	if (how == TAP_HOW_CACHE || how == TAP_HOW_RESOLVED) {
		add(&w, "\",\"dnssec\":\"");
		add(&w, security_word(security));
	}
	if (route != 0) {
		add(&w, "\",\"route\":\"");
		add(&w, verdict_state_text((enum verdict_state)(route - 1)));
	}
	add(&w, "\"}");
	return writer_done(&w);
}
