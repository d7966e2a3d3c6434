/*
 * hijacks.c: conversations in which a forged server answers, because somebody has taken the route to the true one: what clients hear under each policy, while it lasts and afterwards; of zones that
 * are signed and that are not; without VRPs; and of addresses in answers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/attacks.h"

enum who { TRUE_ONE, FORGER };

#define BANK "50.1.0.53"
#define LONGER_THAN_TTL (400 * SEC)

/* Unsigned. The forger's data have no mark: some policies let them through. */
static bool unsigned_bank(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	struct attack *k = ctx;

	(void)tcp;
	if (q->q.name.labels < 2 || q->q.type != RR_A) {
		put_soa(b, a, name_suffix(q->q.name, 1));
		return true;
	}
	k->drawn += k->kind == FORGER;
	put_address(b, a, PART_ANSWER, q->q.name, k->kind == FORGER ? "30.0.0.66" : "30.0.0.1");
	return true;
}

/* Signed; the forger has no keys, and its addresses have the mark of what only validation finds out. */
static bool signed_bank(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	static const uint8_t truth[4] = { 30, 0, 0, 1 };
	struct attack *k = ctx;
	struct name zone = name_suffix(q->q.name, 1);
	struct span d = span_of(truth, 4);

	(void)tcp;
	if (k->kind == FORGER) {
		k->drawn++;
		put_address(b, a, PART_ANSWER, q->q.name, "66.67.0.1");
	} else if (q->q.type == RR_DNSKEY && q->q.name.labels == 1) {
		put_keys(k, b, a, zone);
	} else if (q->q.type == RR_A && q->q.name.labels == 2) {
		put_signed(k, b, a, PART_ANSWER, zone, q->q.name, q->q.name, RR_A, &d, 1, 0, true);
	} else {
		put_signed_soa(k, b, a, zone);
	}
	return true;
}

struct policy {
	const char *name BORROWED_FIELD; /* static text */
	bool asks;     /* the forger, where nobody else can be */
	bool shortens; /* what it says */
};
static const struct policy policies[] = {
	{ "off", true, false }, { "log", true, false }, { "prefer", true, true }, { "require-not-invalid", false, false }, { "require-valid", false, false },
};

static void set_up(struct attack *k, const char *more)
{
	k->run.plain = true;
	k->kind = TRUE_ONE;
	(void)snprintf(k->run.clauses, sizeof k->run.clauses, "route-validation:\n %s\n", more);
}

static void set_up_policy(struct attack *k, const struct policy *p)
{
	char more[100];

	(void)snprintf(more, sizeof more, "policy: %s", p->name);
	set_up(k, more);
}

/* From now on the forger answers, and the routes say so; or no longer. */
static void hijack(struct attack *k, bool taken)
{
	struct addr bank;

	if (!OK(addr_parse(BANK, &bank)))
		abort();
	k->kind = taken ? FORGER : TRUE_ONE;
	routes_hang(&k->run, &bank, taken ? 1 : 0, true);
}

static void time_has_come(struct sim *s, void *ctx, uint64_t arg)
{
	(void)s, (void)ctx, (void)arg;
}

static void wait_for(struct attack *k, uint64_t ns)
{
	sim_at(k->run.sim, ns, time_has_come, NULL, 0); /* without events time does not pass */
	(void)sim_run(k->run.sim, sim_now_ns(k->run.sim) + ns);
}

static void check(struct attack *k, const char *policy, const char *what, bool holds)
{
	char text[200];

	(void)snprintf(text, sizeof text, "hijack, %s: %s: does not hold", policy, what);
	bar(k, text, !holds, 0);
}

static bool is_refused(const struct asked *q)
{
	return q->replies == 1 && q->rcode == RCODE_SERVFAIL && q->ede == EDE_NO_REACHABLE;
}

static bool is_answered(const struct asked *q)
{
	return q->replies == 1 && q->rcode == RCODE_NOERROR && q->answers == 1;
}

static void of_unsigned(struct attack *k, const struct policy *p)
{
	struct asked *q;
	uint64_t before;

	begin(k, 500);
	guest(k, "bank", BANK, unsigned_bank);
	set_up_policy(k, p);
	start(k);
	hijack(k, false);
	q = ask(k, "a.bank", RR_A, 5000);
	check(k, p->name, "the true server is asked", is_answered(q) && k->drawn == 0);
	hijack(k, true);
	q = ask(k, "b.bank", RR_A, 5000);
	check(k, p->name, "the forged one is asked only where it may", p->asks ? is_answered(q) && k->drawn == 1 : is_refused(q) && k->drawn == 0);
	before = packets(k);
	q = ask(k, "a.bank", RR_A, 5000);
	check(k, p->name, "what was learnt before is told", is_answered(q) && packets(k) == before);
	hijack(k, false);
	wait_for(k, 61 * SEC);
	before = packets(k);
	q = ask(k, "b.bank", RR_A, 5000);
	check(k, p->name, "afterwards the true one is asked again, at once or in a minute", is_answered(q) && (packets(k) > before) == (p->shortens || !p->asks));
	end(k);
}

static void of_signed(struct attack *k, const struct policy *p)
{
	struct asked *q;

	begin_signed(k, 501);
	signed_guest(k, "bank", BANK, signed_bank);
	set_up_policy(k, p);
	start(k);
	hijack(k, false);
	q = ask(k, "a.bank", RR_A, 15000);
	check(k, p->name, "the true answer is secure", is_answered(q) && q->secure);
	wait_for(k, LONGER_THAN_TTL);
	hijack(k, true);
	for (unsigned int i = 0; i < 2; i++) {
		q = ask(k, "a.bank", RR_A, 15000);
		if (p->asks)
			check(k, p->name, "what is forged is bogus", q->replies == 1 && q->rcode == RCODE_SERVFAIL && q->ede >= 0 && k->drawn > 0);
		else
			check(k, p->name, "what was validated is told though it has expired", is_answered(q) && q->ede == EDE_NO_REACHABLE && k->drawn == 0); /* with the reason */
	}
	q = ask(k, "b.bank", RR_A, 15000);
	check(k, p->name, "and what was not is not", q->replies == 1 && q->rcode == RCODE_SERVFAIL && q->answers == 0);
	wait_for(k, 320 * SEC); /* failures are forgotten */
	hijack(k, false);
	q = ask(k, "b.bank", RR_A, 15000);
	check(k, p->name, "afterwards the true one is asked again", is_answered(q) && q->secure);
	end(k);
}

/* Who fetches the VRPs may need the resolver for it. */
static void of_nobody_knows(struct attack *k, const struct policy *p)
{
	struct asked *q;
	struct addr bank;

	begin(k, 502);
	guest(k, "bank", BANK, unsigned_bank);
	set_up_policy(k, p);
	start(k);
	q = ask(k, "a.bank", RR_A, 5000);
	check(k, p->name, "before anything is known questions are answered", is_answered(q));
	if (!OK(addr_parse(BANK, &bank)))
		abort();
	routes_hang(&k->run, &bank, 1, false);
	q = ask(k, "b.bank", RR_A, 5000);
	check(k, p->name, "and while there are no VRPs", is_answered(q));
	check(k, p->name, "that is counted where something is required", (stats_get(&k->run.w[0].worker->stats, COUNT_ROUTE_UNGUARDED) > 0) == !p->asks);
	hijack(k, true);
	q = ask(k, "c.bank", RR_A, 5000);
	check(k, p->name, "with them it is as ever", is_answered(q) == p->asks);
	end(k);
}

static void look(struct attack *k, const struct addr *taken, size_t n)
{
	routes_hang(&k->run, taken, n, true);
	epoch_online(k->run.member);
	shared_look_at_routes(k->run.shared, k->run.member);
	epoch_quiesce(k->run.member);
	epoch_offline(k->run.member);
}

static void of_addresses(struct attack *k, bool blocks)
{
	const char *policy = blocks ? "answer-policy: block" : "answer-policy: log";
	struct addr told;
	struct asked *q;
	uint64_t before;

	begin(k, 503);
	guest(k, "bank", BANK, unsigned_bank);
	set_up(k, policy);
	start(k);
	if (!OK(addr_parse("30.0.0.1", &told)))
		abort();
	q = ask(k, "a.bank", RR_A, 5000);
	check(k, policy, "an answer", is_answered(q));
	look(k, &told, 1);
	before = packets(k);
	q = ask(k, "a.bank", RR_A, 5000);
	check(k, policy, "is blocked when the route to its address is taken", blocks ? q->rcode == RCODE_NOERROR && q->answers == 0 && q->ede == EDE_BLOCKED : is_answered(q));
	q = ask(k, "a.bank", RR_A, 5000);
	check(k, policy, "from the cache as well", blocks ? q->answers == 0 && q->ede == EDE_BLOCKED : is_answered(q));
	look(k, NULL, 0);
	q = ask(k, "a.bank", RR_A, 5000);
	check(k, policy, "and told when that is over", is_answered(q));
	check(k, policy, "without a question to servers", packets(k) == before);
	end(k);
}

void hijacks(struct attack *k)
{
	for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
		of_unsigned(k, &policies[i]);
		of_signed(k, &policies[i]);
		of_nobody_knows(k, &policies[i]);
	}
	of_addresses(k, true);
	of_addresses(k, false);
}
