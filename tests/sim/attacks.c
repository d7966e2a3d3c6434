/*
 * attacks.c: zones made to be dear, as published attacks make them, and what one question about them costs: upstream packets of all kinds (datagrams, connections,
 * data on them), counted at all servers once the way to the zone's parent is known, and the time that a client waits.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/attacks.h"

/* ---- NXNS, and delegations to silence ------------------------------------------------------------------------------------------------------- */

static bool says_nothing(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	(void)ctx, (void)q, (void)a, (void)b, (void)tcp;
	return false;
}

static bool denies(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	(void)ctx, (void)tcp;
	no_such_name(b, a, name_suffix(q->q.name, 1));
	return true;
}

/* Every name below is a delegation to very many names of a victim. */
static bool nxns(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	struct attack *k = ctx;
	struct name zone = text_name(a, "nxns");

	(void)tcp;
	if (!is_direct_child(q->q.name, zone)) {
		put_soa(b, a, zone);
		return true;
	}
	refer(b, a, name_suffix(q->q.name, 2), k->kind == 0 ? 50 : 1500, "v", ++k->drawn * 2000, k->kind == 0 ? ".victim" : ".silent");
	return true;
}

static void attack_nxns(struct attack *k)
{
	static const unsigned int questions = 10;
	uint64_t before;
	double longest = 0;

	for (k->kind = 0; k->kind < 2; k->kind++) {
		begin(k, 1 + k->kind);
		guest(k, "nxns", "50.0.0.1", nxns);
		guest(k, "victim", "50.0.0.2", denies);
		guest(k, "silent", "50.0.0.3", says_nothing);
		start(k);
		(void)ask(k, "nxns", RR_A, 10000);
		(void)ask(k, "victim", RR_A, 10000);
		before = packets(k);
		for (unsigned int i = 0; i < questions; i++) {
			char name[40];
			struct asked *q;

			(void)snprintf(name, sizeof name, "www.x%u.nxns", i);
			q = ask(k, name, RR_A, 30000);
			longest = seconds(q) > longest ? seconds(q) : longest;
		}
		if (k->kind == 0) {
			bar(k, "NXNS, 50 names of a victim: packets per question", (double)(packets(k) - before) / questions, 7);
		} else {
			bar(k, "NRDelegation, 1,500 names that lead to silence: packets per question", (double)(packets(k) - before) / questions, 7);
			bar(k, "NRDelegation: seconds that a client waits", longest, 5);
		}
		end(k);
	}
}

/* ---- circles --------------------------------------------------------------------------------------------------------------------------------- */

/* kind 0: a <-> b. kind 1: a wheel of 4 zones, each with 8 servers named in the next. */
static bool circle(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	const struct attack *k = ctx;
	struct name zone = text_name(a, "circle"), cut;
	unsigned int spokes = k->kind == 0 ? 2 : 4;
	char after[80];

	(void)tcp;
	if (!is_direct_child(q->q.name, zone)) {
		put_soa(b, a, zone);
		return true;
	}
	cut = name_suffix(q->q.name, 2);
	(void)snprintf(after, sizeof after, ".z%u.circle", ((unsigned int)(name_label(cut, 0).p[1] - '0') + 1) % spokes);
	refer(b, a, cut, k->kind == 0 ? 1 : 8, "ns", 0, after);
	return true;
}

static void attack_circles(struct attack *k)
{
	for (k->kind = 0; k->kind < 2; k->kind++) {
		struct asked *q;
		uint64_t first, before;

		begin(k, 10 + k->kind);
		guest(k, "circle", "50.0.0.1", circle);
		start(k);
		(void)ask(k, "circle", RR_A, 10000);
		first = packets(k);
		q = ask(k, "www.z0.circle", RR_A, 3000);
		first = packets(k) - first;
		bar(k, k->kind == 0 ? "cyclic pair: packets, first question" : "cyclic wheel: packets, first question", (double)first, k->kind == 0 ? 5 : 12);
		bar(k, "circle: seconds that a client waits", seconds(q), 1);
		before = packets(k);
		for (unsigned int i = 0; i < 10; i++) {
			char name[40];

			(void)snprintf(name, sizeof name, "w%u.z0.circle", i);
			(void)ask(k, name, RR_A, 100);
		}
		bar(k, "circle: packets per later question", (double)(packets(k) - before) / 10, k->kind == 0 ? 0.1 : 1);
		end(k);
	}
}

/* ---- a lame zone of six servers ---------------------------------------------------------------------------------------------------------------- */

enum { LAME_AS_REFUSED, LAME_AS_SERVFAIL, LAME_AS_FORMERR, LAME_AS_NOTAUTH, LAME_AS_NOTIMP, LAME_UPWARD, LAME_SELF, LAME_EMPTY, LAME_SILENT, LAME_TC_EMPTY,
	LAME_TC_LOOP, LAME_AS_KINDS };
static const char *const lame_words[] = { "REFUSED", "SERVFAIL", "FORMERR", "NOTAUTH", "NOTIMP", "upward referral", "self referral", "empty", "silent",
	"TC, empty over TCP", "TC for ever" };

static bool lame(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	static const uint8_t rcodes[] = { RCODE_REFUSED, RCODE_SERVFAIL, RCODE_FORMERR, RCODE_NOTAUTH, RCODE_NOTIMP };
	const struct attack *k = ctx;

	switch (k->kind) {
	case LAME_UPWARD:
		refer(b, a, name_root, 5, "", 1, ".root-servers.net");
		return true;
	case LAME_SELF:
		refer(b, a, name_suffix(q->q.name, 2), 6, "ns", 0, ".lame.par");
		return true;
	case LAME_EMPTY:
		return true;
	case LAME_SILENT:
		return false;
	case LAME_TC_EMPTY:
		if (!tcp)
			build_set_flags(b, MSG_TC, 0);
		return true;
	case LAME_TC_LOOP:
		build_set_flags(b, MSG_TC, 0);
		return true;
	default:
		build_set_rcode(b, rcodes[k->kind]);
		return true;
	}
}

static bool parent_of_lame(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	struct name zone = text_name(a, "par"), cut = text_name(a, "lame.par");

	(void)ctx, (void)tcp;
	if (!name_is_under(q->q.name, cut)) {
		put_soa(b, a, zone);
		return true;
	}
	refer(b, a, cut, 6, "ns", 0, ".lame.par");
	for (unsigned int i = 0; i < 6; i++) {
		char name[40], at[20];

		(void)snprintf(name, sizeof name, "ns%u.lame.par", i);
		(void)snprintf(at, sizeof at, "50.0.1.%u", i + 1);
		put_address(b, a, PART_ADDITIONAL, text_name(a, name), at);
	}
	return true;
}

static void attack_lame(struct attack *k)
{
	double fresh_sum = 0;

	for (k->kind = 0; k->kind < LAME_AS_KINDS; k->kind++) {
		char what[120];
		uint64_t before;

		begin(k, 20 + k->kind);
		guest(k, "par", "50.0.0.1", parent_of_lame);
		for (unsigned int i = 0; i < 6; i++) {
			char zone[20], at[20];

			(void)snprintf(zone, sizeof zone, "lamer%u", i);
			(void)snprintf(at, sizeof at, "50.0.1.%u", i + 1);
			guest(k, zone, at, lame);
		}
		start(k);
		(void)ask(k, "par", RR_A, 10000);
		before = packets(k);
		ask_and_wait(k, "www.lame.par");
		(void)snprintf(what, sizeof what, "six lame servers (%s): packets, first question", lame_words[k->kind]);
		bar(k, what, (double)(packets(k) - before), k->kind == LAME_TC_LOOP ? 20 : 18);
		before = packets(k);
		for (unsigned int i = 0; i < 20; i++)
			(void)ask(k, "www.lame.par", RR_A, 100);
		(void)snprintf(what, sizeof what, "six lame servers (%s): packets, 20 repeats", lame_words[k->kind]);
		bar(k, what, (double)(packets(k) - before), 2);
		before = packets(k);
		for (unsigned int i = 0; i < 10; i++) {
			char name[40];

			(void)snprintf(name, sizeof name, "w%u.lame.par", i);
			(void)ask(k, name, RR_A, 500);
		}
		(void)sim_run(k->run.sim, sim_now_ns(k->run.sim) + 14 * SEC);
		if (k->verbose)
			fprintf(stderr, "   fresh names, %s: %g\n", lame_words[k->kind], (double)(packets(k) - before) / 10);
		fresh_sum += (double)(packets(k) - before) / 10;
		end(k);
	}
	bar(k, "lame: packets per fresh name, mean of kinds", fresh_sum / LAME_AS_KINDS, 3);
}

/* ---- aliases ------------------------------------------------------------------------------------------------------------------------------------ */

/* Names cN.chain: each an alias of the next; c<length> has an address. */
static bool chain(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	const struct attack *k = ctx;
	struct name zone = text_name(a, "chain");
	struct span label = name_label(q->q.name, 0);
	unsigned int at = 0;
	char next[40];

	(void)tcp;
	if (q->q.name.labels != 2 || label.n < 2 || (label.p[0] | 0x20) != 'c') {
		put_soa(b, a, zone);
		return true;
	}
	for (size_t i = 1; i < label.n; i++)
		at = at * 10 + (label.p[i] - '0');
	(void)snprintf(next, sizeof next, "c%u.chain", at + 1);
	if (at == k->kind)
		put_address(b, a, PART_ANSWER, q->q.name, "30.0.0.1");
	else
		put_alias(b, a, q->q.name, RR_CNAME, text_name(a, next));
	return true;
}

static void attack_chains(struct attack *k)
{
	struct asked *q;

	begin(k, 50);
	k->kind = 64;
	guest(k, "chain", "50.0.0.1", chain);
	start(k);
	(void)ask(k, "chain", RR_A, 10000);
	bar(k, "CNAME chain of 64: packets", (double)cost(k, "c0.chain", &q), 12);
	end(k);
	begin(k, 51);
	k->kind = 11;
	guest(k, "chain", "50.0.0.1", chain);
	start(k);
	(void)cost(k, "c0.chain", &q);
	bar(k, "CNAME chain of 11 that is not answered", q->rcode != RCODE_NOERROR || q->answers != 12, 0);
	end(k);
}

/* kind 0: a -> b -> a. 1: a -> a. 2: a DNAME that grows the name. 3: a DNAME onto itself */
static bool loops(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	const struct attack *k = ctx;
	struct name zone = text_name(a, "loop"), top = text_name(a, "d.loop"), target;
	struct name_buf made;

	(void)tcp;
	if (q->q.name.labels < 2) {
		put_soa(b, a, zone);
	} else if (k->kind == 0) {
		put_alias(b, a, q->q.name, RR_CNAME, text_name(a, (name_label(q->q.name, 0).p[0] | 0x20) == 'a' ? "b.loop" : "a.loop"));
	} else if (k->kind == 1) {
		put_alias(b, a, q->q.name, RR_CNAME, q->q.name);
	} else if (name_is_strictly_under(q->q.name, top)) {
		target = text_name(a, k->kind == 2 ? "x.x.d.loop" : "d.loop");
		put_alias(b, a, top, RR_DNAME, target);
		if (OK(name_concat(q->q.name, q->q.name.labels - top.labels, target, &made)))
			put_alias(b, a, q->q.name, RR_CNAME, name_dup_in(a, name_of(&made)));
		else
			build_set_rcode(b, RCODE_YXDOMAIN);
	} else {
		put_soa(b, a, zone);
	}
	return true;
}

static void attack_loops(struct attack *k)
{
	for (k->kind = 0; k->kind < 4; k->kind++) {
		begin(k, 60 + k->kind);
		guest(k, "loop", "50.0.0.1", loops);
		start(k);
		(void)ask(k, "loop", RR_A, 10000);
		bar(k, "loop of aliases: packets", (double)cost(k, k->kind < 2 ? "a.loop" : "a.d.loop", NULL), 5);
		end(k);
	}
}

/* ---- endless ways --------------------------------------------------------------------------------------------------------------------------------- */

/* kind 0: one more delegation at every label, to the same server. 1: ten servers without glue in names that need as many again. 2: likewise, by aliases */
static bool endless(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	struct attack *k = ctx;
	struct name zone = text_name(a, "endless");
	unsigned int depth = ++k->drawn;
	char text[80];

	(void)tcp;
	if (q->q.name.labels < 2) {
		put_soa(b, a, zone);
		return true;
	}
	if (k->kind == 0) {
		unsigned int labels = depth + 1 < q->q.name.labels ? depth + 1 : q->q.name.labels;
		struct name cut = name_suffix(q->q.name, labels);

		refer(b, a, cut, 1, "ns", 0, ".endless");
		put_address(b, a, PART_ADDITIONAL, text_name(a, "ns0.endless"), "50.0.0.1");
		return true;
	}
	if (k->kind == 2 && (name_label(q->q.name, 0).p[0] | 0x20) != 'n') {
		(void)snprintf(text, sizeof text, "a.b.c%u.endless", depth);
		put_alias(b, a, q->q.name, RR_CNAME, text_name(a, text));
		return true;
	}
	(void)snprintf(text, sizeof text, ".r%u.endless", depth);
	refer(b, a, name_suffix(q->q.name, 2), 10, "n", 0, text);
	return true;
}

static void attack_endless(struct attack *k)
{
	char name[256] = "";

	for (unsigned int i = 0; i < 110; i++)
		strcat(name, "x.");
	strcat(name, "endless");
	for (k->kind = 0; k->kind < 3; k->kind++) {
		begin(k, 70 + k->kind);
		guest(k, "endless", "50.0.0.1", endless);
		start(k);
		(void)ask(k, "endless", RR_A, 10000);
		bar(k, k->kind == 0 ? "delegations at every label: packets" : "servers whose names need servers: packets",
		    (double)cost(k, k->kind == 0 ? name : "www.a.endless", NULL), PACKETS_PER_QUESTION);
		end(k);
	}
}

/* ---- glue that points at the resolver or at nobody -------------------------------------------------------------------------------------------------- */

static bool self_glue(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	static const char *const at[] = { "0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.1" };
	const struct attack *k = ctx;
	struct name zone = text_name(a, "self"), cut = text_name(a, "z.self");

	(void)tcp;
	if (!name_is_under(q->q.name, cut)) {
		put_soa(b, a, zone);
		return true;
	}
	refer(b, a, cut, 1, "ns", 0, ".z.self");
	put_address(b, a, PART_ADDITIONAL, text_name(a, "ns0.z.self"), at[k->kind]);
	return true;
}

static void attack_self_glue(struct attack *k)
{
	for (k->kind = 0; k->kind < 4; k->kind++) {
		struct asked *q;
		uint64_t before;
		double longest = 0;

		begin(k, 80 + k->kind);
		guest(k, "self", "50.0.0.1", self_glue);
		start(k);
		(void)ask(k, "z.self", RR_A, 10000);
		before = packets(k);
		for (unsigned int i = 0; i < 10; i++) {
			char name[40];

			(void)snprintf(name, sizeof name, "w%u.z.self", i);
			q = ask(k, name, RR_A, 2000);
			longest = seconds(q) > longest ? seconds(q) : longest;
		}
		bar(k, "glue of special addresses: packets per question", (double)(packets(k) - before) / 10, 0.2);
		bar(k, "glue of special addresses: seconds that a client waits", longest, 1);
		end(k);
	}
}

/* ---- crowds ------------------------------------------------------------------------------------------------------------------------------------------ */

static bool late(void *ctx, const struct msg_query *q, struct arena *a, struct builder *b, bool tcp)
{
	(void)ctx, (void)tcp;
	if (q->q.name.labels < 2)
		put_soa(b, a, text_name(a, "crowd"));
	else
		put_address(b, a, PART_ANSWER, q->q.name, "30.0.0.1");
	return true;
}

static void attack_crowd(struct attack *k)
{
	uint64_t before;
	unsigned int answered = 0;

	begin(k, 90);
	guest(k, "crowd", "50.0.0.1", late);
	start(k);
	(void)ask(k, "crowd", RR_A, 10000);
	before = packets(k);
	for (unsigned int i = 0; i < 200; i++)
		(void)ask(k, "one.crowd", RR_A, 0);
	(void)sim_run(k->run.sim, sim_now_ns(k->run.sim) + 20 * SEC);
	for (unsigned int i = 1; i < k->run.count; i++)
		answered += k->run.asked[i].replies == 1 && k->run.asked[i].rcode == RCODE_NOERROR;
	bar(k, "200 clients ask the same, some with CD: packets", (double)(packets(k) - before), 2);
	bar(k, "200 clients ask the same: without an answer", 200.0 - answered, 0);
	before = packets(k);
	k->run.no_recursion = true;
	(void)ask(k, "two.crowd", RR_A, 10000);
	bar(k, "a question without RD: packets", (double)(packets(k) - before), 0);
	end(k);
}

unsigned int attacks_run(bool verbose, unsigned int *ret_passed)
{
	static struct attack k;

	k.verbose = verbose;
	attack_nxns(&k);
	attack_circles(&k);
	attack_lame(&k);
	attack_chains(&k);
	attack_loops(&k);
	attack_endless(&k);
	attack_self_glue(&k);
	attack_crowd(&k);
	attacks_on_validation(&k);
	lies_told(&k);
	hijacks(&k);
	*ret_passed = k.passed;
	return k.failed;
}
