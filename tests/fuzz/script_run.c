/* script_run.c: the world and the configuration that a script describes, then its events one after another, then rest, then judgement. */
#include "tests/fuzz/script_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/cache/anscache.h"
#include "resolver/control/explain_json.h"
#include "resolver/control/explain_text.h"
#include "resolver/core/explain.h"
#include "tests/fuzz/meddle.h"
#include "tests/fuzz/script_routes.h"

#define ZONES 12u
#define DEPTH 5u
#define HELD 12u /* questions that go on one connection */
#define DAYS 400u

struct acting {
	struct run r;
	struct meddler m;
	const struct script *s BORROWED_FIELD;
	const struct model_zone *zones[ZONES] BORROWED_FIELD; /* [0] is the root */
	size_t zone_count;
	struct asked held[HELD];
	unsigned int held_count;
	struct addr stranger; /* sends raw datagrams */
	struct sim_conn *conns[SCRIPT_OPS] BORROWED_FIELD; /* its connections; NULL: closed */
	size_t conn_count;
	unsigned int strange, heard;
	uint64_t waited_ns;
	bool meddles, links, harms;
};

static const char *const config[] = {
	/* Answers stay what the model says. */
	"minimal-responses: no", "qname-minimisation: no", "qname-minimisation-strict: yes", "use-caps-for-id: no", "do-ip6: no",
	"prefetch: yes", "prefetch-key: yes",
	"target-fetch-policy: \"0 0 0 0 0\"", "target-fetch-policy: \"3 2 1 0 0\"", "discard-timeout: 1900", "tcp-upstream: yes",
	"iter-scrub-promiscuous: yes", "aggressive-nsec: no",
	"harden-below-nxdomain: no", "rrset-roundrobin: no", "max-udp-size: 512", "edns-buffer-size: 512", "ede-serve-expired: yes",
	"answer-cookie: no", "val-clean-additional: yes",
	"harden-glue: no", "harden-unverified-glue: yes", "harden-referral-path: yes", "harden-algo-downgrade: yes",
	"do-not-query-localhost: no", "edns-tcp-keepalive: yes",
	"trust-anchor-signaling: no", "disable-dnssec-lame-check: yes", "fast-server-permil: 500", "val-max-restart: 0",
	"delay-close: 500", "prefer-ip6: yes", "ede: no", "deny-any: yes",
	"log-servfail: yes\n log-queries: yes\n log-replies: yes\n log-local-actions: yes", "nsid: \"ascii_me\"", "tcp-idle-timeout: 1000", "jostle-timeout: 20", "caps-exempt: \"t1\"",
	/* From here on questions may fail or be dropped. */
	"msg-cache-size: 8k\n rrset-cache-size: 16k\n infra-cache-numhosts: 4\n key-cache-size: 4k", "num-queries-per-thread: 2",
	"incoming-num-tcp: 2", "outgoing-num-tcp: 1",
	"outgoing-range: 2", "ip-ratelimit: 2", "wait-limit: 1", "max-sent-count: 3", "max-query-restarts: 2", "outbound-msg-retry: 1",
	"unwanted-reply-threshold: 2", "ratelimit: 1",
	"val-validation-attempts: 1", "val-hash-attempts: 1", "max-global-quota: 2",
	"val-nsec3-keysize-iterations: \"1024 0 2048 0 4096 0\"", "do-not-query-address: 20.0.0.0/8",
	"infra-host-ttl: 1", "iter-scrub-ns: 1", "iter-scrub-cname: 1", "iter-scrub-rrsig: 1",
	"serve-expired: yes\n serve-expired-client-timeout: 0", "serve-expired: yes",
	"serve-expired: yes\n serve-expired-ttl: 5\n serve-expired-reply-ttl: 0", "tcp-connection-limit: 10.1.0.0/16 1",
	/* From here on answers are others than the model's. */
	"cache-max-ttl: 1", "cache-min-ttl: 3600", "cache-max-negative-ttl: 1", "cache-min-negative-ttl: 600",
	"private-address: 30.0.0.0/9", "private-address: 0.0.0.0/0\n private-domain: \"t0\"",
	"access-control: 10.1.0.3/32 deny\n access-control: 10.1.0.4/32 refuse",
	"access-control: 10.1.0.3/32 refuse_non_local\n access-control: 10.1.0.4/32 allow\n access-control: 10.1.0.5/32 allow_setrd",
	"access-control: 10.1.0.3/32 allow_cookie", "local-zone: \"z2.t0\" static\n local-data: \"h0.z2.t0 A 30.0.0.1\"",
	"local-zone: \"t1\" redirect\n local-data: \"t1 A 30.0.0.1\"",
	"val-permissive-mode: yes", "domain-insecure: \"t0\"", "ignore-cd-flag: yes", "disable-dnssec-algorithm: 8",
	"disable-ds-digest: 2", "serve-original-ttl: yes",
	"local-zone: \"h0.t0\" always_nxdomain", "val-override-date: -1", "val-sig-skew-max: 0\n val-sig-skew-min: 0",
	"module-config: \"iterator\"", "disable-edns-do: yes", "val-permissive-mode: yes\n val-log-level: 2",
	"local-zone: \"z3.t1\" transparent\n local-data: \"c7.z3.t1 CNAME h0.t0\"\n local-data: \"c6.z3.t1 CNAME c7.z3.t1\"", "ip-ratelimit: 1\n ip-ratelimit-factor: 2\n ip-ratelimit-backoff: yes",
	"outgoing-interface: 10.0.0.1", "prefer-ip4: yes", "hide-identity: yes\n hide-version: yes\n hide-trustanchor: yes",
};
#define OPTIONS (sizeof config / sizeof config[0])
#define OPTION_HARMS 39u   /* index of the first of its kind */
#define OPTION_CHANGES 64u

_Static_assert(OPTION_CHANGES < OPTIONS, "kinds of options");

/* ---- the world ------------------------------------------------------------------------------------------------------------------------------- */

static struct model_zone *writable(const struct acting *a, unsigned int i) BORROWED;
static struct model_zone *writable(const struct acting *a, unsigned int i)
{
	for (struct model_zone *z = a->r.world->zones; z != NULL; z = z->next) {
		if (z == a->zones[i % a->zone_count])
			return z;
	}
	abort();
}

static void PRINTF_LIKE(3, 4) put(struct acting *a, struct model_zone *z, const char *fmt, ...)
{
	char text[2600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	world_put(a->r.world, z, text);
	/* Each record once, as zones have them; and all of a set with the TTL of the first. */
	for (const struct model_rr *m = z->rrs->next; m != NULL; m = m->next) {
		if (m->rr.type != z->rrs->rr.type || !name_equal(m->rr.owner, z->rrs->rr.owner))
			continue;
		z->rrs->rr.ttl = m->rr.ttl;
		if (span_equal(m->rr.rdata, z->rrs->rr.rdata)) {
			z->rrs = z->rrs->next;
			return;
		}
	}
}

static bool exists(const struct model_zone *z, const char *label)
{
	struct name_buf b;

	must(name_from_text(label, &z->apex, &b));
	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
		if (name_equal(m->rr.owner, name_of(&b)))
			return true;
	}
	return false;
}

static unsigned int depth_of(const struct model_zone *z)
{
	return z->apex.labels;
}

static void add_zone(struct acting *a, const struct script_op *op)
{
	struct model_zone *parent = writable(a, op->arg[0]), *z;
	unsigned int servers = 1 + op->arg[1] % 3, kind = op->arg[1] >> 2 & 3;
	char label[8], apex[NAME_TEXT];

	if (a->zone_count == ZONES || depth_of(parent) >= DEPTH)
		return;
	(void)snprintf(label, sizeof label, "%c%u", parent->parent == NULL ? 't' : 'z', (unsigned int)a->zone_count - 1);
	z = world_add_zone(a->r.world, parent, label);
	a->zones[a->zone_count++] = z;
	if (kind == 1 && a->zone_count > 2 && parent->parent != NULL && a->zones[1]->honest > 0 && a->zones[1] != z) {
		world_serve_at(a->r.world, z, writable(a, 1));
	} else if (kind >= 2 && parent->parent != NULL) {
		/* Its server is to be found in itself, in the zone before it, or in the next. */
		unsigned int there = (unsigned int)a->zone_count - (kind == 2 ? 1 : (op->arg[1] & 16) != 0 ? 2 : 0);

		(void)name_to_text(parent->apex, apex);
		put(a, parent, "%s NS ns.z%u.%s", label, there, apex);
		put(a, z, "@ NS ns.z%u.%s", there, apex);
		z->lost = true;
	} else {
		for (unsigned int i = 0; i < servers; i++)
			(void)world_add_server(a->r.world, z, HONEST);
	}
	put(a, z, "h0 300 A 30.0.0.%u", (unsigned int)a->zone_count);
	z->hosts = 1;
}

static void add_record(struct acting *a, const struct script_op *op)
{
	static const unsigned int ttls[] = { 300, 0, 1, 5, 60, 900, 86400, 604800 };
	struct model_zone *z = writable(a, op->arg[0]);
	unsigned int n = op->arg[2] % 8, ttl = ttls[op->arg[4] % 8], to = op->arg[2] >> 4 & 7;
	char target[NAME_TEXT], label[16];

	if (z->parent == NULL)
		return;
	(void)name_to_text(writable(a, op->arg[3])->apex, target);
	if (strcmp(target, ".") == 0)
		target[0] = '\0';
	(void)snprintf(label, sizeof label, "c%u", n);
	switch (op->arg[1] % 14) {
	case 0:
		put(a, z, "h%u %u A 30.%u.0.%u", n, ttl, n, op->arg[5]);
		break;
	case 1:
		put(a, z, "h%u %u AAAA 2600:%x::1", n, ttl, op->arg[5]);
		break;
	case 2:
	case 3:
		if (!exists(z, label))
			put(a, z, "c%u %u CNAME %c%u.%s", n, ttl, op->arg[1] % 14 == 2 ? 'h' : 'c', to, target);
		break;
	case 4:
		if (!exists(z, "moved") && target[0] != '\0')
			put(a, z, "moved %u DNAME %s", ttl, target);
		break;
	case 5:
		put(a, z, "*.wild %u A 30.2.2.%u", ttl, op->arg[5]);
		break;
	case 6:
		for (unsigned int i = 0; i < 10 && !exists(z, "big.h7"); i++)
			put(a, z, "big %u TXT \"%0200u\"", ttl, i + op->arg[5]);
		break;
	case 7:
		put(a, z, "@ %u MX 10 h%u.%s", ttl, to, target);
		break;
	case 8:
		if (!exists(z, "clock")) {
			put(a, z, "clock 60 A 31.0.0.0");
			z->rrs->rr.clock = true;
		}
		break;
	case 9:
		put(a, z, "a.ent.h%u %u A 30.1.1.%u", n, ttl, op->arg[5]);
		break;
	case 10:
		if (!exists(z, "*.wc"))
			put(a, z, "*.wc %u CNAME h%u.%s", ttl, to, target);
		break;
	case 11:
		put(a, z, "h%u %u HTTPS 1 . alpn=h2%s", n, ttl, (n & 1) != 0 ? " ipv4hint=30.0.0.1 ipv6hint=2600::1" : "");
		break;
	case 12:
		put(a, z, "h%u %u TXT \"text %u\"", n, ttl, op->arg[5]);
		break;
	default:
		for (unsigned int i = 0; i < 90 && !exists(z, "huge.h7"); i++)
			put(a, z, "huge %u TXT \"%0240u\"", ttl, i);
		break;
	}
}

static bool brings_marks(enum temper t)
{
	return t == PROMISCUOUS || t == STUFFS || t == LIAR || t == LIAR_DNAME || t == FORGES || t == FORGES_SIGNED || t == FORWARDER || t == FORWARDER_STUFFS;
}

static void set_temper(struct acting *a, const struct script_op *op)
{
	const struct model_zone *z = a->zones[op->arg[0] % a->zone_count];
	enum temper t = (enum temper)(op->arg[2] % TEMPERS);
	unsigned int number = op->arg[1] % 3;

	if (z->parent == NULL && (t == REFUSES || t == SILENT || t == SERVFAILS || t == SHUTS || t == EMPTY))
		a->r.world->forwarders[number % 2]->temper = t;
	if (z->parent == NULL || (a->meddles && brings_marks(t)) || t == FORWARDER || t == FORWARDER_STUFFS || (t >= STRIPS && !a->r.is_signed))
		return;
	if (t == HIJACKED) /* only a policy of routes helps against that: tests/sim/hijacks.c */
		return;
	for (struct model_server *v = a->r.world->servers; v != NULL; v = v->next) {
		bool has = false;

		for (const struct model_serves *x = v->zones; x != NULL; x = x->next)
			has |= x->zone == z;
		if (!has || number-- > 0)
			continue;
		for (const struct model_serves *x = v->zones; x != NULL; x = x->next) {
			x->zone->honest += (t == HONEST) - (v->temper == HONEST);
			x->zone->empties += (t == EMPTY) - (v->temper == EMPTY);
		}
		v->temper = t;
		return;
	}
}

static struct sign_plan plan_of(uint8_t how, uint8_t ds, uint8_t fault)
{
	static const uint8_t algorithms[] = { 8, 15, 7, 8 };
	static const unsigned int iterations[] = { 0, 1, 50, 51 };

	return (struct sign_plan){ .denial = (enum denial_kind)((how & 3) % 3), .algorithm = algorithms[how >> 2 & 3], .two_algorithms = (how & 16) != 0, .one_key = (how & 32) != 0,
		.salt = (how & 64) != 0, .ds = (ds & 1) == 0, .unknown_ds = (ds & 2) != 0, .anchored = (ds & 4) != 0, .switched_off = (ds & 8) != 0,
		.iterations = iterations[ds >> 4 & 3], .fault = (enum zone_fault)(fault % FAULTS) };
}

static void sign_world(struct acting *a)
{
	struct sign_plan root = plan_of(a->s->head[HEAD_ROOT] >> 1, 0, 0);
	size_t i = 1;

	world_sign_zone(a->r.world, writable(a, 0), &root);
	for (size_t k = 0; k < a->s->count && i < a->zone_count; k++) {
		const struct script_op *op = &a->s->ops[k];
		struct sign_plan p = plan_of(op->arg[2], op->arg[3], op->arg[4]);

		if (op->code == OP_ZONE) {
			world_sign_zone(a->r.world, writable(a, (unsigned int)i), (op->arg[2] & 128) != 0 ? &p : NULL);
			i++;
		}
	}
	world_sign_end(a->r.world);
}

/* ---- the configuration ------------------------------------------------------------------------------------------------------------------------ */

static bool weakens_validation(const char *option)
{
	static const char *const words[] = { "module-config:", "val-permissive-mode:", "domain-insecure:", "disable-dnssec-algorithm:", "disable-ds-digest:" };
	bool found = false;

	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		found |= strncmp(option, words[k], strlen(words[k])) == 0;
	return found;
}

static void add_option(struct acting *a, unsigned int i)
{
	size_t n = strlen(a->r.conf);

	if (n + strlen(config[i]) + 3 > sizeof a->r.conf)
		return;
	(void)snprintf(a->r.conf + n, sizeof a->r.conf - n, " %s\n", config[i]);
	a->m.plain_case |= strstr(config[i], "caps") != NULL;
	a->r.stale_ok |= strstr(config[i], "serve-expired:") != NULL;
	a->r.no_do |= strstr(config[i], "disable-edns-do:") != NULL;
	a->r.unvalidated |= weakens_validation(config[i]);
	a->harms |= i >= OPTION_HARMS || strstr(config[i], "harden-unverified-glue:") != NULL; /* more names are looked up than a question may have */
	a->r.limits |= i >= OPTION_HARMS;
	if (i >= OPTION_CHANGES)
		a->r.damaged = a->r.guests = a->r.policies = true;
}

static void look_ahead(struct acting *a)
{
	for (size_t i = 0; i < a->s->count; i++) {
		const struct script_op *op = &a->s->ops[i];

		a->meddles |= op->code == OP_MEDDLE;
		a->links |= op->code == OP_LINK;
		a->harms |= (op->code == OP_TEMPER && op->arg[0] == 0) || op->code == OP_CONTROL || op->code == OP_RAW || op->code == OP_FORGE;
	}
}

static void describe(struct acting *a)
{
	/* Of a zone that is asked about elsewhere. 40.9.9.9 and 40.9.9.8 are nobody's. */
	static const char *const clauses[8] = { NULL, NULL, " forward-first: yes\n forward-addr: 40.9.9.9\n", " forward-no-cache: yes\n", " forward-tcp-upstream: yes\n",
		" forward-host: ns0.t1\n", " forward-first: yes\n forward-addr: 40.9.9.8\n forward-no-cache: yes\n", NULL };
	const struct script *s = a->s;

	a->r.is_signed = (s->head[HEAD_ROOT] & 1) != 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct script_op *op = &s->ops[i];

		if (op->code == OP_ZONE)
			add_zone(a, op);
		else if (op->code == OP_OPTION)
			add_option(a, op->arg[0] % OPTIONS);
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct script_op *op = &s->ops[i];

		if (op->code == OP_RECORD)
			add_record(a, op);
		else if (op->code == OP_TEMPER)
			set_temper(a, op);
		else if (op->code == OP_MEDDLE && meddle_is_of_root(op, a->zone_count))
			a->m.trusting = true;
	}
	a->m.zones = a->zones;
	a->m.zone_count = a->zone_count;
	if (a->r.is_signed)
		sign_world(a);
	a->r.setup = (enum world_setup)((s->head[HEAD_SETUP] & 3) % SETUPS);
	if (a->r.setup != SETUP_PLAIN)
		a->m.trusting = true;
	a->r.world->clause = clauses[s->head[HEAD_SETUP] >> 3 & 7];
	a->harms |= a->r.world->clause != NULL;
	if (a->r.setup == SETUP_STUB && a->r.world->clause != NULL && strstr(a->r.world->clause, "forward") != NULL)
		a->r.world->clause = NULL;
	a->m.routes = s->head[HEAD_ROUTES];
	a->harms |= script_routes_policy(&a->r, a->m.routes);
	a->r.workers = 1 + (s->head[HEAD_SETUP] >> 2 & 1);
	a->r.calm = !a->meddles && !a->links && !a->harms && s->head[HEAD_FAIL] == 0 && s->head[HEAD_FAIL_HIGH] == 0;
	a->r.meddled = a->meddles;
	a->r.damaged |= a->meddles;
}

/* ---- questions -------------------------------------------------------------------------------------------------------------------------------- */

static uint64_t pause_ns(uint8_t i)
{
	static const uint32_t ms[] = { 0, 1, 5, 20, 100, 500, 2000, 5000, 15000, 60000, 600000, 3600000, 86400000, 30000, 50, 1000 };

	return ms[i % 16] * MS;
}

static void wake(struct sim *s, void *ctx, uint64_t arg)
{
	(void)s, (void)ctx, (void)arg;
}

static void wait_ns(struct acting *a, uint64_t ns)
{
	mem_fail_hold(false);
	if (a->waited_ns + ns <= DAYS * 86400 * SEC) {
		a->waited_ns += ns;
		sim_at(a->r.sim, ns, wake, NULL, 0); /* time passes also where nothing is to happen */
		(void)sim_run(a->r.sim, sim_now_ns(a->r.sim) + ns);
	}
	mem_fail_hold(true);
}

static void name_for(const struct acting *a, const struct script_op *op, struct name_buf *ret)
{
	const struct model_zone *z = a->zones[op->arg[1] % a->zone_count];
	unsigned int n = op->arg[2] >> 4 & 7;
	char text[64];

	name_copy(ret, z->apex);
	switch (op->arg[2] & 15) {
	case 0:
		(void)snprintf(text, sizeof text, "h%u", n);
		break;
	case 1:
		(void)snprintf(text, sizeof text, "c%u", n);
		break;
	case 2:
		(void)snprintf(text, sizeof text, "nothing%u", n);
		break;
	case 3:
		(void)snprintf(text, sizeof text, "below.h%u", n);
		break;
	case 4:
		(void)snprintf(text, sizeof text, "any%u.wild", n);
		break;
	case 5:
		(void)snprintf(text, sizeof text, "%s", n == 0 ? "big" : "huge");
		break;
	case 6:
		(void)snprintf(text, sizeof text, "ent.h%u", n);
		break;
	case 7:
		(void)snprintf(text, sizeof text, "h%u.moved", n);
		break;
	case 8:
		return;
	case 9:
		(void)snprintf(text, sizeof text, "clock");
		break;
	case 10:
		(void)snprintf(text, sizeof text, "ns%u", n);
		break;
	case 11:
		(void)snprintf(text, sizeof text, "any%u.wc", n);
		break;
	case 12:
		(void)snprintf(text, sizeof text, "a.very.long.way.down.from.here.a.ent.h%u", n);
		break;
	case 13:
		(void)snprintf(text, sizeof text, "root-key-sentinel-%s-ta-2%u326", n & 1 ? "is" : "not", n);
		break;
	case 14:
		(void)snprintf(text, sizeof text, "%s", "*.wild");
		break;
	default:
		(void)snprintf(text, sizeof text, "moved");
		break;
	}
	(void)OK(name_from_text(text, &z->apex, ret));
}

/* Labels with their lengths, in lower case; what is no name leaves the one of the arguments. */
static void name_of_blob(const struct script_op *op, struct name_buf *ret)
{
	uint8_t wire[256];
	struct name n;
	size_t at = 0;

	while (at < op->len && op->blob[at] != 0 && op->blob[at] < 64 && at + op->blob[at] + 2u <= 255 && at + op->blob[at] < op->len) {
		wire[at] = op->blob[at];
		octets_lower(wire + at + 1, op->blob + at + 1, op->blob[at]);
		at += op->blob[at] + 1u;
	}
	wire[at] = 0;
	if (OK(name_from_wire(span_of(wire, at + 1), &n)))
		name_copy(ret, n);
}

static bool is_of_the_world(const struct acting *a, struct name n)
{
	bool found = n.labels == 0;

	for (size_t i = 1; i < a->zone_count; i++)
		found |= name_is_under(n, a->zones[i]->apex);
	return found;
}

static void ask(struct acting *a, const struct script_op *op)
{
	static const uint16_t types[] = { RR_A, RR_AAAA, RR_MX, RR_TXT, RR_NS, RR_SOA, RR_CNAME, RR_HTTPS, RR_DS, RR_DNSKEY, RR_PTR, RR_DNAME, RR_NSEC, RR_NSEC3PARAM, RR_SVCB, 4711 };
	static const uint16_t sizes[] = { 1232, 512, 0, 600, 4096, 65535, 1400, 900 };
	unsigned int manner = op->arg[0] >> 3 & 7;
	struct asked q = { .client = op->arg[0] & 7, .type = types[op->arg[3] % 16], .recurse = (op->arg[4] & 1) == 0, .check_disabled = (op->arg[4] & 2) != 0,
		.dnssec_ok = (op->arg[4] & 4) != 0, .authentic = (op->arg[4] & 8) != 0, .edns = (op->arg[4] & 16) == 0, .option = op->arg[5] & 7,
		.udp_size = sizes[op->arg[5] >> 3 & 7] };

	q.authentic &= a->r.is_signed;
	q.dnssec_ok &= q.edns;
	name_for(a, op, &q.name);
	if (op->code == OP_NAME)
		name_of_blob(op, &q.name);
	if (!is_of_the_world(a, name_of(&q.name)) || (op->code == OP_ASK && (op->arg[2] & 15) == 13))
		a->r.damaged = a->r.guests = true; /* local names, and RFC 8509: other answers than the model's */
	if (manner < 2) {
		(void)clients_put(&a->r, &q);
	} else if (a->held_count < HELD) {
		a->held[a->held_count++] = q;
		if ((op->arg[0] & 64) == 0) {
			for (unsigned int i = 0; i < a->held_count; i++)
				a->held[i].client = q.client;
			(void)clients_put_tcp(&a->r, (enum manner)(manner - 2), a->held, a->held_count);
			a->held_count = 0;
		}
	}
	wait_ns(a, pause_ns(op->arg[6]));
}

/* ---- strangers: any octets ---------------------------------------------------------------------------------------------------------------------- */

static void strange_reply(struct sim *s, void *ctx, const struct endpoint *from, const struct endpoint *to, struct span packet)
{
	struct acting *a = ctx;

	(void)s, (void)from, (void)to;
	if (packet.n < MSG_HEADER || (packet.p[2] & 0x80) == 0)
		complain(&a->r, NULL, "a stranger was sent what is no reply");
	if (++a->heard > a->strange)
		complain(&a->r, NULL, "a stranger got more replies than it asked questions");
}

static void strange_data(struct sim *s, void *ctx, struct sim_conn *c, struct span octets)
{
	(void)s, (void)ctx, (void)c, (void)octets;
}

static void strange_close(struct sim *s, void *ctx, struct sim_conn *c)
{
	(void)s, (void)c;
	*(struct sim_conn **)ctx = NULL;
}

static void hang_up(struct sim *s, void *ctx, uint64_t arg)
{
	struct sim_conn **at = ctx, *c = *at;

	(void)arg;
	*at = NULL;
	if (c != NULL)
		sim_conn_close(s, c);
}

static const struct sim_node_events stranger_events = { .datagram = strange_reply, .data = strange_data, .closed = strange_close };

static void send_raw(struct acting *a, const struct script_op *op)
{
	struct endpoint from = { .a = a->stranger, .port = (uint16_t)(3000 + op->arg[0]) }, to = run_resolver();
	uint8_t out[2 + 255];
	size_t n = op->len;

	memcpy(out + 2, op->blob, op->len);
	if (n > 2 && (op->arg[1] & 1) != 0)
		out[4] &= 0x07; /* QR and opcode of a question */
	if (n > 5 && (op->arg[1] & 2) != 0)
		store16(out + 6, 1);
	a->r.uncounted += 4;
	if ((op->arg[3] & 1) != 0) {
		struct sim_conn **at = &a->conns[a->conn_count++];

		store16(out, (uint16_t)((op->arg[1] & 4) != 0 ? (size_t)op->arg[4] << 8 | op->arg[5] : n));
		*at = sim_connect(a->r.sim, &from, &to, at);
		sim_conn_write(a->r.sim, *at, span_of(out, n + 2));
		if ((op->arg[3] & 2) != 0)
			sim_at(a->r.sim, op->arg[6] * 20 * MS, hang_up, at, 0);
	} else {
		a->strange++;
		sim_send(a->r.sim, &from, &to, span_of(out + 2, n));
	}
	wait_ns(a, pause_ns(op->arg[2]));
}

/* ---- control --------------------------------------------------------------------------------------------------------------------------------------- */

static void explain(struct acting *a, const struct script_op *op)
{
	static const uint16_t types[] = { RR_A, RR_AAAA, RR_TXT, RR_DS, RR_DNSKEY, RR_NS, RR_SOA, RR_MX };
	struct now now = { .mono_ns = sim_now_ns(a->r.sim), .wall_sec = sim_wall_sec(a->r.sim) };
	struct explain_env e = { .rrcache = a->r.shared->rrcache, .infra = a->r.shared->infra, .keycache = a->r.shared->keycache, .settings = a->r.plan->core,
		.validation = a->r.plan->validation, .now = &now };
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1u << 20);
	struct explain_told told = { .told = (op->arg[4] & 1) != 0, .rcode = op->arg[4] >> 4, .security = (enum security)(op->arg[4] >> 1 & 3) };
	struct name_buf name;

	name_for(a, op, &name);
	{
		struct question q = { name_of(&name), types[op->arg[3] % 8], CLASS_IN };
		AUTO(explanation_free) struct explanation *x = explain_make(&e, &q);

		if (x == NULL || out == NULL)
			abort();
		explain_text(x, &told, out);
		explain_json(x, &told, out);
	}
	strbuf_clear(out);
	core_explain_servers_of(a->r.shared->rrcache, a->r.shared->infra, a->r.plan->core, name_of(&name), &now, out);
}

static void look_at_workers(struct acting *a)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1u << 20);

	for (unsigned int i = 0; i < a->r.workers; i++) {
		core_dump_requests(a->r.w[i].worker->core, out);
		(void)worker_gauges(a->r.w[i].worker);
	}
}

static void zone_down(struct acting *a, const struct model_zone *z, bool down)
{
	for (const struct model_server *v = a->r.world->servers; v != NULL; v = v->next) {
		for (const struct model_serves *x = v->zones; x != NULL; x = x->next) {
			if (x->zone == z) {
				sim_node_down(a->r.sim, &v->v4, down);
				sim_node_down(a->r.sim, &v->v6, down);
			}
		}
	}
}

static void control(struct acting *a, const struct script_op *op)
{
	static const char *const changes[] = { "", " minimal-responses: no\n", " qname-minimisation: no\n", " msg-cache-size: 8k\n rrset-cache-size: 16k\n", " prefetch: yes\n",
		" outgoing-num-tcp: 1\n", " num-queries-per-thread: 8\n", " incoming-num-tcp: 1\n", " do-tcp: no\n", " do-udp: no\n" };
	struct run *r = &a->r;
	const struct model_zone *z = a->zones[op->arg[1] % a->zone_count];
	struct name_buf name;

	epoch_online(r->member);
	switch (op->arg[0] % 16) {
	case 0:
		(void)rrcache_flush_zone(r->shared->rrcache, r->member, z->apex);
		shared_raise_stamp(r->shared);
		break;
	case 1:
		(void)rrcache_flush_class(r->shared->rrcache, r->member, FLUSH_ALL);
		r->flushed_ns = sim_now_ns(r->sim);
		shared_raise_stamp(r->shared);
		break;
	case 2:
		name_for(a, op, &name);
		(void)rrcache_flush_name(r->shared->rrcache, r->member, name_of(&name), op->arg[3] % 3 == 0 ? 0 : RR_A);
		shared_raise_stamp(r->shared);
		break;
	case 3:
		(void)rrcache_flush_class(r->shared->rrcache, r->member, (op->arg[1] & 1) != 0 ? FLUSH_BOGUS : FLUSH_NEGATIVE);
		break;
	case 4:
	case 5:
		if (op->arg[2] % 10 >= 8)
			r->limits = true;
		r->closed_early = true;
		weather_reload(r, changes[op->arg[2] % 10]);
		break;
	case 6:
		shared_raise_stamp(r->shared);
		break;
	case 7:
		for (unsigned int i = 0; i < r->workers; i++)
			core_drop_oldest(r->w[i].worker->core, op->arg[1]);
		break;
	case 8:
		look_at_workers(a);
		break;
	case 9:
	case 10:
		explain(a, op);
		break;
	case 11:
		world_outage(r->world, true, (op->arg[1] & 1) != 0);
		break;
	case 12:
		world_outage(r->world, false, true);
		break;
	case 13:
		r->limits = r->closed_early = true;
		for (unsigned int i = 0; i < r->workers; i++)
			sim_host_limit(r->w[i].host, (op->arg[1] & 15) == 15 ? 0 : sim_host_open(r->w[i].host) + (op->arg[1] & 15));
		break;
	case 14:
		zone_down(a, z, (op->arg[2] & 1) == 0);
		break;
	default:
		infra_flush(r->shared->infra, NULL);
		break;
	}
	epoch_quiesce(r->member);
	epoch_offline(r->member);
}

/* ---- events --------------------------------------------------------------------------------------------------------------------------------------- */

static void wait_op(struct acting *a, const struct script_op *op)
{
	static const uint64_t units[] = { MS, 100 * MS, SEC, 60 * SEC, 3600 * SEC, 86400 * SEC };

	wait_ns(a, units[op->arg[0] % 6] * op->arg[1]);
}

static void forge(struct acting *a, const struct script_op *op)
{
	const struct model_server *v = a->r.world->servers;
	const struct model_zone *z = a->zones[op->arg[0] % a->zone_count];

	for (; v != NULL; v = v->next) {
		for (const struct model_serves *x = v->zones; x != NULL; x = x->next) {
			if (x->zone == z) {
				for (unsigned int i = 0; i <= op->arg[3] % 16u; i++)
					(void)meddle_forge(&a->m, v, op->arg[2]);
				break;
			}
		}
	}
}

static void set_link(struct acting *a, const struct script_op *op)
{
	static const struct sim_link even = { .delay_min_us = 1000, .delay_max_us = 1000 };
	struct sim_link l = { .delay_min_us = 200, .delay_max_us = 200 + op->arg[2] * 4000u, .loss = op->arg[0] * 3906u, .duplicate = op->arg[1] * 3906u };

	sim_set_link(a->r.sim, (op->arg[3] & 1) != 0 ? &even : &l);
	for (unsigned int i = 0; i < CLIENTS && (op->arg[3] & 1) != 0; i++)
		sim_node_link(a->r.sim, &a->r.clients[i].at, &even);
}

static void act(struct acting *a, const struct script_op *op)
{
	switch (op->code) {
	case OP_ASK:
	case OP_NAME:
		ask(a, op);
		break;
	case OP_WAIT:
		wait_op(a, op);
		break;
	case OP_CONTROL:
		control(a, op);
		break;
	case OP_FORGE:
		forge(a, op);
		break;
	case OP_LINK:
		set_link(a, op);
		break;
	case OP_MEDDLE:
		meddle_add(&a->m, op);
		break;
	case OP_RAW:
		send_raw(a, op);
		break;
	default:
		break; /* of the world */
	}
}

static void set_failure(struct acting *a)
{
	unsigned int n = a->s->head[HEAD_FAIL] | (unsigned int)a->s->head[HEAD_FAIL_HIGH] << 8;

	if (n == 0)
		return;
	a->r.starved = (a->s->head[HEAD_FAIL_HOW] & 1) != 0;
	mem_fail_at(n, (a->s->head[HEAD_FAIL_HOW] & 1) != 0);
}

static void note_moves(const struct acting *a, struct script_result *ret)
{
	for (unsigned int i = 0; i < a->r.workers; i++) {
		for (unsigned int k = 0; k < QUERY_STATES; k++)
			ret->moves[k] |= a->r.w[i].worker->core->moves[k];
	}
}

static void tell(const struct acting *a)
{
	fputs(a->r.conf, stderr);
	for (unsigned int c = 0; c < COUNTERS; c++) {
		uint64_t n = 0;

		for (unsigned int i = 0; i < a->r.workers; i++)
			n += stats_get(&a->r.w[i].worker->stats, (enum counter)c);
		if (n > 0)
			fprintf(stderr, "%s=%llu\n", counter_name((enum counter)c), (unsigned long long)n);
	}
	for (unsigned int i = 0; i < a->r.count; i++)
		fprintf(stderr, "question %u: client %u, %u replies, code %u\n", i + 1, a->r.asked[i].client, a->r.asked[i].replies, a->r.asked[i].rcode);
}

static void play(struct acting *a, struct script_result *ret)
{
	static const struct sim_link good = { .delay_min_us = 200, .delay_max_us = 5000 };
	struct run *r = &a->r;
	bool failed;

	if (!run_start_workers(r))
		abort();
	script_routes_start(r, a->m.routes);
	clients_start(r);
	a->stranger = (struct addr){ ADDR_V4, { 10, 1, 1, 1 } };
	if (!OK(sim_node(r->sim, &a->stranger, &stranger_events, a)))
		abort();
	sim_node_link(r->sim, &a->stranger, &good);
	meddle_start(&a->m);
	set_failure(a);
	for (size_t i = 0; i < a->s->count; i++)
		act(a, &a->s->ops[i]);
	/* A burst without memory ends, and the network is good again. */
	failed = mem_failed();
	if (a->r.starved)
		mem_fail_at(0, false);
	world_outage(r->world, false, true);
	sim_set_link(r->sim, &good);
	mem_fail_hold(false);
	if (!sim_run(r->sim, sim_now_ns(r->sim) + 4 * 3600 * SEC) || !sim_at_rest(r->sim) || sim_turns(r->sim) > 1000000)
		complain(r, NULL, "it never comes to rest");
	mem_fail_hold(true);
	/* One reply may be lost with the memory for it; and somebody else (failing.c) may have let memory run out for good. */
	if (failed || mem_failed()) {
		r->in_child = r->closed_early = true;
		r->starved |= a->s->head[HEAD_FAIL] == 0 && a->s->head[HEAD_FAIL_HIGH] == 0;
	}
	if (sim_verbose(r->sim))
		tell(a);
	judge_all(r);
	note_moves(a, ret);
}

void script_run(const struct script *s, bool verbose, struct script_result *ret)
{
	static const struct sim_link good = { .delay_min_us = 200, .delay_max_us = 5000 };
	struct acting *a;

	mem_fail_hold(true); /* but for the time in which the resolver works: wait_ns() */
	a = (struct acting *)mem_alloc(sizeof *a);
	if (a == NULL || !run_start(&a->r, s->head[HEAD_SEED] | (uint64_t)s->head[HEAD_SEED_HIGH] << 8, PLANT_NONE, verbose))
		abort();
	*ret = (struct script_result){ .wrong = 0 };
	a->s = s;
	a->m.r = &a->r;
	sim_set_link(a->r.sim, &good);
	(void)snprintf(a->r.conf, sizeof a->r.conf, " msg-cache-size: 128k\n rrset-cache-size: 256k\n neg-cache-size: 32k\n key-cache-size: 32k\n infra-cache-numhosts: 200\n");
	a->r.world = world_new_by_hand(a->r.sim);
	if (a->r.world == NULL)
		abort();
	a->zones[a->zone_count++] = a->r.world->root;
	look_ahead(a);
	describe(a);
	play(a, ret);
	if (s->head[HEAD_FAIL] != 0 || s->head[HEAD_FAIL_HIGH] != 0)
		mem_fail_at(0, false);
	run_stop(&a->r);
	ret->wrong = a->r.wrong;
	ret->trace = a->r.trace;
	mem_free(a);
	mem_fail_hold(false);
}
