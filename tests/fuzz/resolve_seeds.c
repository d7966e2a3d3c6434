/*
 * resolve_seeds.c: the seeds of fuzz_resolve, written from what they are meant to show: `resolve_seeds DIR` makes tests/fuzz/fuzz_resolve.corpus/s-*. The same each time. What a
 * fuzzer found beside them (f-*) and what once failed (named by what it showed) stands in the same directory.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/meddle.h"

static const char *dir BORROWED_FIELD;
static struct script now;
static unsigned int written;

static void end(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void end(const char *fmt, ...)
{
	static uint8_t out[SCRIPT_MAX];
	size_t n = script_write(&now, out, sizeof out);
	char path[4096], name[200];
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	(void)vsnprintf(name, sizeof name, fmt, ap);
	va_end(ap);
	(void)snprintf(path, sizeof path, "%s/s-%s", dir, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(out, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
	written++;
	now = (struct script){ .head = { 0 } };
}

static struct script_op *op(enum script_code code, unsigned int a, unsigned int b, unsigned int c, unsigned int d, unsigned int e, unsigned int f, unsigned int g) BORROWED;
static struct script_op *op(enum script_code code, unsigned int a, unsigned int b, unsigned int c, unsigned int d, unsigned int e, unsigned int f, unsigned int g)
{
	struct script_op *o = &now.ops[now.count < SCRIPT_OPS ? now.count++ : SCRIPT_OPS - 1];

	*o = (struct script_op){ .code = (uint8_t)code, .arg = { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d, (uint8_t)e, (uint8_t)f, (uint8_t)g } };
	return o;
}

static void blob(struct script_op *o, const void *p, size_t n)
{
	memcpy(o->blob, p, n);
	o->len = (uint8_t)n;
}

/* Numbers of zones: 0 root, 1 t0, 2 t1, 3 z2.t0, 4 z3.t1, 5 z4.z2.t0. sign 0: unsigned. */
static void zones(unsigned int sign)
{
	now.head[HEAD_SEED] = (uint8_t)(7 + sign);
	now.head[HEAD_ROOT] = sign == 0 ? 0 : (uint8_t)(1 | (sign & 127) << 1);
	op(OP_ZONE, 0, 1, sign, 0, 0, 0, 0);
	op(OP_ZONE, 0, 0, sign, 0, 0, 0, 0);
	op(OP_ZONE, 1, 1, sign, 0, 0, 0, 0);
	op(OP_ZONE, 2, 2, sign, 0, 0, 0, 0);
	op(OP_ZONE, 3, 0, sign, 0, 0, 0, 0);
}

enum { SIGNED = 128, BY3 = 1, OPTOUT = 2, ED25519 = 4, TWO = 16, ONE_KEY = 32, SALT = 64 };
enum { NAME_H, NAME_C, NAME_NOTHING, NAME_BELOW, NAME_WILD, NAME_BIG, NAME_ENT, NAME_MOVED, NAME_APEX, NAME_CLOCK, NAME_NS, NAME_WC, NAME_DEEP, NAME_SENTINEL, NAME_STAR };
enum { T_A, T_AAAA, T_MX, T_TXT, T_NS, T_SOA, T_CNAME, T_HTTPS, T_DS, T_DNSKEY };
enum { NO_RD = 1, CD = 2, DO = 4, AD = 8, NO_EDNS = 16 };
enum { AT_ONCE, MS_1, MS_5, MS_20, MS_100, MS_500, SEC_2, SEC_5, SEC_15, MIN_1, MIN_10, HOUR_1, DAY_1, SEC_30 };
#define TCP(manner) (((manner) + 2u) << 3)

static void ask(unsigned int zone, unsigned int name, unsigned int type, unsigned int flags, unsigned int then)
{
	op(OP_ASK, 3, zone, name, type, flags, 0, then);
}

static void records(unsigned int zone, unsigned int target)
{
	for (unsigned int i = 0; i < 14; i++)
		op(OP_RECORD, zone, i, i == 3 ? 1 : 0, target, i % 3, i, 0);
}

/* Everything that there is to ask about a zone. */
static void conversation(unsigned int zone, unsigned int flags)
{
	for (unsigned int name = 0; name <= NAME_STAR; name++) {
		if (name != NAME_SENTINEL)
			ask(zone, name, name == NAME_BIG ? T_TXT : T_A, flags, name % 3 == 0 ? MS_100 : MS_1);
	}
	ask(zone, NAME_APEX, T_MX, flags, MS_5);
	ask(zone, NAME_APEX, T_NS, flags, MS_5);
	ask(zone, NAME_H, T_HTTPS, flags, MS_500);
	ask(zone, NAME_APEX, T_DS, flags, SEC_2);
	ask(zone, NAME_APEX, T_DNSKEY, flags, SEC_2);
}

static void plain(void)
{
	end("nothing");
	for (unsigned int i = 0; i < 4; i++) {
		zones(0);
		records(1 + i, 1 + (i + 1) % 4);
		conversation(1 + i, i == 0 ? NO_EDNS : i == 1 ? DO : 0);
		end("plain-%u", i);
	}
	zones(0);
	op(OP_ZONE, 1, 4, 0, 0, 0, 0, 0);
	op(OP_ZONE, 2, 4, 0, 0, 0, 0, 0);
	ask(6, NAME_H, T_A, 0, MS_20);
	ask(7, NAME_H, T_A, 0, MS_20);
	ask(6, NAME_NS, T_AAAA, 0, SEC_5);
	end("no-glue");
	zones(0);
	op(OP_ZONE, 1, 8, 0, 0, 0, 0, 0);
	ask(6, NAME_H, T_A, 0, SEC_15);
	ask(6, NAME_H, T_A, 0, MS_20);
	end("lost-zone");
	zones(0);
	for (unsigned int i = 0; i < 6; i++) {
		op(OP_RECORD, 3, 3, i | ((i + 1) % 6) << 4, 3, 0, 0, 0);
		op(OP_RECORD, 3, 2, 6, 5, 0, 0, 0);
	}
	ask(3, NAME_C, T_A, 0, SEC_2);
	ask(3, NAME_C | 6 << 4, T_A, 0, SEC_2);
	ask(3, NAME_C, T_CNAME, 0, SEC_2);
	end("alias-circle");
	for (unsigned int setup = 1; setup < 4; setup++) {
		for (unsigned int sign = 0; sign < 2; sign++) {
			zones(sign != 0 ? SIGNED : 0);
			now.head[HEAD_SETUP] = (uint8_t)setup;
			records(5, 3);
			conversation(5, DO);
			conversation(1, 0);
			end("setup-%u%s", setup, sign != 0 ? "-signed" : "");
		}
	}
	for (unsigned int i = 2; i < 7; i++) {
		for (unsigned int setup = 1; setup < 4; setup++) {
			zones(0);
			now.head[HEAD_SETUP] = (uint8_t)(setup | i << 3);
			conversation(5, DO);
			conversation(1, 0);
			op(OP_CONTROL, 10, 5, NAME_H, T_A, 0, 0, 0);
			end("clause-%u-%u", i, setup);
		}
	}
	for (unsigned int i = 0; i < 4; i++) {
		zones(0);
		now.head[HEAD_SETUP] = (uint8_t)(1 | 2 << 3);
		op(OP_TEMPER, 0, 0, i % 2 == 0 ? SERVFAILS : REFUSES, 0, 0, 0, 0);
		op(OP_TEMPER, 0, 1, i < 2 ? SERVFAILS : SILENT, 0, 0, 0, 0);
		ask(5, NAME_H, T_A, 0, SEC_15);
		ask(3, NAME_H, T_A, 0, SEC_15);
		end("forward-first-%u", i);
	}
	zones(0);
	op(OP_ZONE, 1, 12, 0, 0, 0, 0, 0);
	op(OP_ZONE, 1, 12 | 16, 0, 0, 0, 0, 0);
	ask(6, NAME_H, T_A, 0, SEC_15);
	ask(7, NAME_H, T_A, 0, MS_20);
	ask(7, NAME_NS, T_A, 0, SEC_15);
	end("circle");
	zones(0);
	op(OP_ZONE, 5, 0, 0, 0, 0, 0, 0);
	op(OP_ZONE, 6, 0, 0, 0, 0, 0, 0);
	op(OP_RECORD, 1, 4, 0, 7, 0, 0, 0);
	{
		uint8_t name[252];

		memset(name, 'x', sizeof name);
		for (unsigned int i = 0; i < 4; i++)
			name[i * 60] = 59;
		memcpy(name + 240, "\5moved\2t0", 10);
		blob(op(OP_NAME, 1, 1, 0, T_A, 0, 0, SEC_2), name, 249);
		blob(op(OP_NAME, 1, 1, 0, T_A, 0, 0, SEC_2), name, 249);
		blob(op(OP_NAME, 1, 1, 0, T_AAAA, DO, 0, SEC_2), name, 249);
	}
	end("too-long");
	zones(0);
	now.head[HEAD_SETUP] = 4;
	for (unsigned int i = 0; i < 12; i++)
		op(OP_ASK, i / 4, 5, NAME_H, T_A, i & 20, 0, i % 3 == 0 ? MS_1 : AT_ONCE);
	end("two-workers");
}

/* Each policy of routes, with other servers left out each time; and without VRPs. */
static void routes(void)
{
	for (unsigned int how = 1; how < 14; how++) {
		if ((how & 7) == 0 || (how & 7) > 5)
			continue;
		for (unsigned int salt = 0; salt < 8; salt += 3) {
			zones(salt == 3 ? SIGNED : 0);
			now.head[HEAD_ROUTES] = (uint8_t)(how | salt << 4);
			now.head[HEAD_SETUP] = (uint8_t)(salt == 6 ? how % 4 : 0);
			op(OP_ZONE, 1, 4, 0, 0, 0, 0, 0);
			conversation(5, salt == 3 ? DO : 0);
			ask(3, NAME_H, T_A, 0, SEC_5);
			ask(6, NAME_H, T_A, 0, SEC_15);
			ask(4, NAME_NOTHING, T_A, 0, SEC_5);
			op(OP_CONTROL, 10, 5, NAME_H, T_A, 0, 0, 0);
			end("routes-%u-%u", how, salt);
		}
	}
}

/* Rules of the filter, each way of blocking, and without; with routes and without VRPs. */
static void filters(void)
{
	for (unsigned int how = 6; how < 16; how += how == 7 ? 7 : 1) {
		for (unsigned int told = 0; told < 5; told++) {
			zones(told == 3 ? SIGNED : 0);
			now.head[HEAD_ROUTES] = (uint8_t)(how | told << 4);
			op(OP_ZONE, 1, 4, 0, 0, 0, 0, 0);
			op(OP_ZONE, 2, 4, 0, 0, 0, 0, 0);
			for (unsigned int zone = 1; zone < 7; zone++)
				for (unsigned int i = 0; i < 3; i++)
					op(OP_ASK, i, zone, NAME_H, T_A, told == 3 ? DO : 0, 0, i == 2 ? SEC_5 : MS_20);
			conversation(5, told == 3 ? DO : 0);
			ask(3, NAME_H, T_A, 0, SEC_5);
			ask(3, NAME_H, T_A, 0, SEC_15);
			end("filters-%u-%u", how, told);
		}
	}
}

static void tempers(void)
{
	for (unsigned int t = 0; t < TEMPERS; t++) {
		for (unsigned int sign = 0; sign < 2; sign++) {
			zones(sign != 0 ? SIGNED : 0);
			records(5, 3);
			op(OP_RECORD, 4, 8, 0, 0, 0, 0, 0);
			op(OP_TEMPER, 3, 0, t, 0, 0, 0, 0);
			op(OP_TEMPER, 5, 0, t, 0, 0, 0, 0);
			op(OP_TEMPER, 4, 1, t, 0, 0, 0, 0);
			ask(3, NAME_H, T_A, 0, MS_500);
			ask(5, NAME_BIG, T_TXT, DO, SEC_2);
			ask(5, NAME_NOTHING, T_A, 0, MS_100);
			ask(5, NAME_C, T_A, 0, MS_100);
			ask(4, NAME_H, T_A, DO, SEC_5);
			ask(4, NAME_CLOCK, T_A, 0, SEC_15);
			ask(5, NAME_APEX, T_DS, 0, SEC_15);
			end("temper-%02u%s", t, sign != 0 ? "-signed" : "");
		}
	}
}

static void signatures(void)
{
	static const unsigned int how[] = { 0, BY3, BY3 | SALT, OPTOUT, ED25519, TWO, ONE_KEY, 8 | BY3, ONE_KEY | TWO | OPTOUT };

	for (unsigned int i = 0; i < sizeof how / sizeof how[0]; i++) {
		zones(SIGNED | how[i]);
		records(5, 4);
		conversation(5, i % 2 == 0 ? DO : AD);
		op(OP_CONTROL, 9, 5, NAME_H, T_A, 3, 0, 0);
		op(OP_CONTROL, 9, 5, NAME_NOTHING, T_A, 0, 0, 0);
		op(OP_CONTROL, 9, 5, NAME_C, T_A, 0x21, 0, 0);
		op(OP_CONTROL, 9, 5, NAME_WILD, T_A, 0, 0, 0);
		end("signed-%u", i);
	}
	for (unsigned int fault = 1; fault < FAULTS; fault++) {
		zones(SIGNED);
		now.ops[2].arg[4] = (uint8_t)fault;
		records(3, 4);
		ask(3, NAME_H, T_A, DO, SEC_5);
		ask(3, NAME_H, T_A, DO | CD, SEC_5);
		ask(5, NAME_NOTHING, T_A, DO, SEC_15);
		ask(3, NAME_H, T_A, 0, MIN_1);
		ask(3, NAME_H, T_A, 0, SEC_5);
		for (unsigned int name = 0; name < 4; name++)
			op(OP_CONTROL, 9, 3, name, T_A, 0x21, 0, 0);
		op(OP_CONTROL, 9, 3, NAME_APEX, 4, 0x21, 0, 0);
		op(OP_CONTROL, 9, 5, NAME_H, T_A, 0, 0, 0);
		end("fault-%u", fault);
	}
	for (unsigned int ds = 1; ds < 64; ds += ds < 4 ? 1 : 11) {
		zones(SIGNED | (ds & 1 ? BY3 : OPTOUT));
		now.ops[2].arg[3] = (uint8_t)ds;
		now.ops[4].arg[3] = (uint8_t)(ds >> 1);
		conversation(5, DO);
		op(OP_CONTROL, 9, 5, NAME_H, T_A, 0, 0, 0);
		end("ds-%u", ds);
	}
	zones(SIGNED | BY3);
	ask(5, NAME_NOTHING, T_A, DO, SEC_5);
	ask(5, NAME_NOTHING | 16, T_A, DO, SEC_5);
	ask(5, NAME_DEEP, T_A, DO, SEC_5);
	ask(3, NAME_NOTHING | 32, T_AAAA, DO, SEC_5);
	ask(3, NAME_H, T_AAAA, DO, SEC_5);
	end("aggressive");
	for (unsigned int i = 0; i < 6; i++) { /* what was learnt with CD is judged when somebody wants to know */
		static const unsigned int of[] = { 0, BY3, OPTOUT };

		zones(SIGNED | of[i % 3]);
		if (i >= 3)
			now.ops[2].arg[4] = FAULT_CORRUPT;
		records(3, 4);
		for (unsigned int k = 0; k < 2; k++) {
			for (unsigned int name = 0; name < NAME_DEEP; name++)
				ask(3, name, name == NAME_BIG ? T_TXT : T_A, k == 0 ? DO | CD : DO, MS_100);
			ask(3, NAME_APEX, T_MX, k == 0 ? CD : 0, SEC_2);
			op(OP_WAIT, 3, k * 2, 0, 0, 0, 0, 0);
		}
		end("checked-later-%u", i);
	}
	for (unsigned int i = 0; i < 8; i++) {
		static const unsigned int of[] = { 75, 86, 29, 31, 50, 77, 81, 87 };

		zones(SIGNED);
		op(OP_OPTION, of[i], 0, 0, 0, 0, 0, 0);
		now.ops[2].arg[4] = (uint8_t)(1 + i % (FAULTS - 1));
		records(3, 4);
		conversation(3, DO);
		conversation(5, 0);
		end("fault-option-%u", i);
	}
	zones(SIGNED);
	ask(1, NAME_SENTINEL, T_A, DO, SEC_2);
	ask(1, NAME_SENTINEL | 16, T_A, DO, SEC_2);
	end("sentinel");
}

static void options(void)
{
	for (unsigned int i = 0; i < 92; i++) {
		zones(i % 2 == 0 ? SIGNED | (i % 3) : 0);
		op(OP_OPTION, i, 0, 0, 0, 0, 0, 0);
		records(5, 4);
		op(OP_TEMPER, 5, 1, i % TEMPERS, 0, 0, 0, 0);
		ask(5, NAME_H, T_A, 0, MS_20);
		ask(5, NAME_BIG, T_TXT, DO, MS_20);
		op(OP_ASK, 2 | TCP(PIPELINE) | 64, 5, NAME_C, T_A, 0, 0, 0);
		op(OP_ASK, 2 | TCP(PIPELINE), 3, NAME_WILD, T_A, 0, 0, MS_500);
		op(OP_ASK, 2, 1, NAME_H, T_A, 0, 7, MS_5);
		op(OP_ASK, 4, 1, NAME_NOTHING, T_A, NO_RD, 0, MS_5);
		ask(5, NAME_NOTHING, T_A, CD, SEC_5);
		op(OP_WAIT, 3, 4, 0, 0, 0, 0, 0);
		ask(5, NAME_H, T_A, DO, MS_500);
		op(OP_WAIT, 4, 2, 0, 0, 0, 0, 0);
		ask(5, NAME_H, T_A, DO, AT_ONCE);
		ask(5, NAME_H | 16, T_A, 0, AT_ONCE);
		ask(5, NAME_H | 32, T_A, 0, AT_ONCE);
		end("option-%02u", i);
	}
}

static void meddling(void)
{
	static const uint8_t words[] = { 5, 3, 2, 6, 1, 0 };

	for (unsigned int action = 0; action < MEDDLE_ACTIONS; action++) {
		for (unsigned int variant = 0; variant < 8; variant++) {
			unsigned int sign = variant & 1, zone = variant < 4 ? 4 : variant < 6 ? 6 : 2; /* z2.t0; z4; t0 */
			uint8_t b[12];
			struct script_op *o;

			zones(sign != 0 ? SIGNED | (variant % 3) : 0);
			records(5, 4);
			for (unsigned int i = 0; i < sizeof b; i++)
				b[i] = (uint8_t)(words[i % 6] * (variant + 1));
			o = op(OP_MEDDLE, zone, 0, variant == 3 ? 3 : 0, variant == 2, variant == 7 ? 2 : 0, action, action == MEDDLE_FLAGS ? variant == 7 ? 3 : 1u << variant : variant);
			blob(o, b, action == MEDDLE_RR ? 0 : sizeof b);
			if (action == MEDDLE_RR) {
				static const uint8_t soa[] = { 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9 }, ns[] = { 0, 1, 3, 0, 2, 'h', '0', 2, 't', '1', 0 },
					cname[] = { 0, 2, 3, 0, 2, 'h', '0', 2, 't', '1', 0 }, a4[] = { 0, 0, 0x83, 0, 20, 0, 20, 53 };
				static const struct {
					const uint8_t *p BORROWED_FIELD;
					size_t n;
				} all[] = { { soa, sizeof soa }, { ns, sizeof ns }, { cname, sizeof cname }, { a4, sizeof a4 } };

				blob(o, all[variant % 4].p, all[variant % 4].n);
			}
			if (variant == 5)
				op(OP_MEDDLE, zone, 0, 0, 0, 0, MEDDLE_RESIGN, 0);
			ask(5, NAME_H, T_A, DO, SEC_2);
			ask(3, NAME_NOTHING, T_A, 0, SEC_5);
			ask(5, NAME_C, T_A, DO, SEC_15);
			ask(5, NAME_BIG, T_TXT, DO, SEC_15);
			op(OP_CONTROL, 9, 5, NAME_H, T_A, 0, 0, 0);
			end("meddle-%02u-%u", action, variant);
		}
	}
	for (unsigned int kind = 0; kind < 10; kind++) {
		zones(0);
		op(OP_MEDDLE, 0, 0, 0, 0, 0, MEDDLE_NEAR_MISS, kind);
		op(OP_MEDDLE, 0, 0, 0, 0, 0, MEDDLE_DELAY, 2);
		ask(5, NAME_H, T_A, 0, SEC_2);
		ask(4, NAME_H, T_A, 0, AT_ONCE);
		op(OP_WAIT, 0, 1, 0, 0, 0, 0, 0);
		op(OP_FORGE, 0, 0, kind, 3, 0, 0, 0);
		op(OP_FORGE, 2, 0, kind, 3, 0, 0, 0);
		ask(3, NAME_H, T_AAAA, 0, SEC_15);
		end("near-miss-%u", kind);
	}
}

static void operators(void)
{
	for (unsigned int verb = 0; verb < 16; verb++) {
		for (unsigned int argument = 0; argument < 10; argument += verb == 4 || verb == 13 ? 1 : 5) {
			zones(verb % 2 == 0 ? SIGNED : 0);
			records(5, 4);
			ask(5, NAME_H, T_A, DO, MS_20);
			op(OP_ASK, 1 | TCP(DRIP), 5, NAME_BIG, T_TXT, 0, 0, MS_1);
			op(OP_CONTROL, verb, verb == 13 ? argument : 3, verb == 4 ? argument : 0, 0, 0, 0, 0);
			ask(5, NAME_C, T_A, 0, MS_5);
			ask(3, NAME_H, T_A, 0, SEC_2);
			op(OP_CONTROL, 8, 0, 0, 0, 0, 0, 0);
			ask(4, NAME_H, T_A, 0, MS_20);
			op(OP_CONTROL, verb == 11 ? 12 : verb, verb == 13 ? 15 : 5, 1, 0, 0, 0, 0);
			ask(5, NAME_NOTHING, T_A, DO, SEC_15);
			ask(5, NAME_H, T_A, DO, SEC_15);
			end("control-%02u-%u", verb, argument);
		}
	}
	for (unsigned int i = 0; i < 6; i++) {
		zones(i % 2 == 0 ? SIGNED : 0);
		op(OP_LINK, i == 5 ? 255 : i * 40, i * 30, i * 40, 0, 0, 0, 0);
		records(3, 4);
		conversation(3, DO);
		end("link-%u", i);
	}
	for (unsigned int i = 0; i < 48; i++) {
		static const unsigned int at[] = { 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597 };

		zones(i % 2 == 0 ? SIGNED : 0);
		now.head[HEAD_FAIL] = (uint8_t)at[i / 3];
		now.head[HEAD_FAIL_HIGH] = (uint8_t)(at[i / 3] >> 8);
		now.head[HEAD_FAIL_HOW] = i % 3 == 2;
		records(5, 3);
		ask(5, NAME_C, T_A, DO, MS_20);
		op(OP_ASK, 1 | TCP(PIPELINE), 5, NAME_BIG, T_TXT, 0, 0, MS_100);
		ask(5, NAME_WILD, T_A, DO, SEC_2);
		end("memory-%02u", i);
	}
}

/* Work that is dropped in whatever state it is, and questions that come when another worker has just done with them. */
static void timing(void)
{
	for (unsigned int i = 0; i < 24; i++) {
		zones(i % 2 == 0 ? SIGNED : 0);
		op(OP_ZONE, 1, 4, i % 2 == 0 ? SIGNED : 0, 0, 0, 0, 0);
		op(OP_ZONE, 2, 4, i % 2 == 0 ? SIGNED : 0, 0, 0, 0, 0);
		op(OP_OPTION, i % 3 == 0 ? 3 : 0, 0, 0, 0, 0, 0, 0);
		op(OP_LINK, 0, 0, 0, 1, 0, 0, 0);
		for (unsigned int k = 0; k < 4; k++) {
			ask(k % 2 == 0 ? 7 : 5, k, T_A, DO, AT_ONCE);
			op(OP_WAIT, 0, 1 + i + k * 5, 0, 0, 0, 0, 0);
			op(OP_CONTROL, 8, 0, 0, 0, 0, 0, 0);
			op(OP_CONTROL, 7, 255, 0, 0, 0, 0, 0);
		}
		end("dropped-%02u", i);
	}
	for (unsigned int i = 0; i < 12; i++) {
		zones(0);
		now.head[HEAD_SETUP] = 4;
		op(OP_LINK, 0, 0, 0, 1, 0, 0, 0);
		op(OP_ASK, 0, 1, NAME_H, T_A, 0, 0, SEC_2);
		for (unsigned int k = 0; k < 8; k++) {
			/* The same client's questions go to the workers in turn. */
			op(OP_ASK, 0, 1, NAME_NOTHING | (k % 8) << 4, T_MX + i / 4, 0, 0, AT_ONCE);
			op(OP_WAIT, 0, 1 + i % 4, 0, 0, 0, 0, 0);
			for (unsigned int n = 0; n < 4; n++)
				op(OP_ASK, 0, 1, NAME_NOTHING | (k % 8) << 4, T_MX + i / 4, 0, 0, AT_ONCE);
		}
		end("just-done-%02u", i);
	}
}

/* The word to or from another worker cannot be sent for want of memory. */
static void remote(void)
{
	zones(0);
	now.head[HEAD_SETUP] = 4;
	now.head[HEAD_FAIL] = 57; /* resolve_states tries them all */
	op(OP_LINK, 0, 0, 0, 1, 0, 0, 0);
	op(OP_ASK, 0, 1, NAME_H, T_A, 0, 0, SEC_2);
	for (unsigned int k = 0; k < 2; k++) {
		op(OP_ASK, 0, 1, NAME_NOTHING | k << 4, T_MX, 0, 0, AT_ONCE);
		op(OP_WAIT, 0, 1, 0, 0, 0, 0, 0);
		for (unsigned int n = 0; n < 4; n++)
			op(OP_ASK, 0, 1, NAME_NOTHING | k << 4, T_MX, 0, 0, AT_ONCE);
	}
	end("remote-memory");
}

static void clients(void)
{
	static const uint8_t raw[][48] = {
		{ 30, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, 'v', 'e', 'r', 's', 'i', 'o', 'n', 4, 'b', 'i', 'n', 'd', 0, 0, 16, 0, 3 },
		{ 31, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 8, 'h', 'o', 's', 't', 'n', 'a', 'm', 'e', 4, 'b', 'i', 'n', 'd', 0, 0, 16, 0, 3 },
		{ 20, 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 't', '0', 0, 0, 255, 0, 1 },
		{ 20, 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 't', '0', 0, 0, 252, 0, 1 },
		{ 20, 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 't', '0', 0, 0, 46, 0, 1 },
		{ 20, 1, 2, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 't', '0', 0, 0, 1, 0, 1 },
		{ 12, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ 5, 1, 2, 1, 0, 0 },
		{ 20, 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 't', '0', 0, 0, 1, 0, 254 },
		{ 20, 1, 2, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 2, 't', '0', 0, 0, 1, 0, 1 },
		{ 31, 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 't', '0', 0, 0, 1, 0, 1, 0, 0, 41, 4, 0, 0, 1, 0, 0, 0, 0 },
		{ 43, 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 't', '0', 0, 0, 1, 0, 1, 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8 },
		{ 20, 1, 2, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 't', '0', 0, 0, 1, 0, 1 },
		{ 38, 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 't', '0', 0, 0, 1, 0, 1, 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 7, 0, 10, 0, 3, 1, 2, 3 },
	};

	for (unsigned int i = 0; i < sizeof raw / sizeof raw[0]; i++) {
		zones(0);
		for (unsigned int tcp = 0; tcp < 2; tcp++)
			blob(op(OP_RAW, i, 0, MS_500, tcp, 0, 0, 0), raw[i] + 1, raw[i][0]);
		ask(1, NAME_H, T_A, 0, SEC_2);
		end("raw-%02u", i);
	}
	for (unsigned int manner = 0; manner < MANNERS; manner++) {
		for (unsigned int option = 0; option < 2; option++) {
			zones(0);
			records(3, 4);
			if (option != 0)
				op(OP_OPTION, 41, 0, 0, 0, 0, 0, 0); /* few connections */
			for (unsigned int i = 0; i < 9; i++)
				op(OP_ASK, i % 3 | TCP(manner) | (i % 4 < 2 ? 64 : 0), 3, i, i == 5 ? T_TXT : T_A, i & 4, i, i % 2 == 0 ? AT_ONCE : MS_20);
			op(OP_ASK, TCP(manner), 3, NAME_BIG | 16, T_TXT, 0, 0, SEC_30);
			op(OP_ASK, TCP(manner), 3, NAME_H, T_TXT, 0, 0, SEC_30);
			end("tcp-%u-%u", manner, option);
		}
	}
	for (unsigned int i = 0; i < 8; i++) {
		zones(i % 2 == 0 ? SIGNED : 0);
		records(3, 4);
		for (unsigned int k = 0; k < 8; k++)
			op(OP_ASK, k, 3, NAME_BIG * (k & 1), k & 1 ? T_TXT : T_A, DO * (k & 1), i | k << 3, MS_5);
		op(OP_WAIT, 2, 2, 0, 0, 0, 0, 0);
		for (unsigned int k = 0; k < 8; k++)
			op(OP_ASK, k, 3, NAME_BIG * (k & 1), k & 1 ? T_TXT : T_A, DO * (k & 1), i | k << 3, MS_5);
		end("edns-%u", i);
	}
	zones(0);
	blob(op(OP_NAME, 1, 1, 0, T_A, 0, 0, MS_500), "\7EXAMPLE\2t0", 11);
	blob(op(OP_NAME, 1, 1, 0, T_A, 0, 0, MS_500), "\11localhost", 10);
	blob(op(OP_NAME, 1, 1, 0, T_SOA, 0, 0, MS_500), "\1" "1" "\3" "168" "\3" "192" "\7" "in-addr" "\4" "arpa", 23);
	blob(op(OP_NAME, 1, 1, 0, T_A, 0, 0, MS_500), "\4home\4arpa", 10);
	blob(op(OP_NAME, 1, 1, 0, T_A, 0, 0, MS_500), "\3\0\377.\2t0", 7);
	end("names");
	zones(0);
	for (unsigned int i = 0; i < 7; i++) { /* cookies: none, learnt, half an hour old, too old */
		op(OP_ASK, 1, 1, NAME_H, T_A, 0, i == 6 ? OPTION_COOKIES_AND_ALL : OPTION_COOKIE, MS_20);
		op(OP_WAIT, 3, i < 2 ? 0 : i * 13, 0, 0, 0, 0, 0);
	}
	end("cookies");
	for (unsigned int i = 0; i < 4; i++) { /* fresh, about to end, over */
		zones(i % 2 == 0 ? SIGNED : 0);
		op(OP_OPTION, i < 2 ? 5 : 60 + i % 2, 0, 0, 0, 0, 0, 0);
		for (unsigned int k = 0; k < 5; k++) {
			ask(3, NAME_H, T_A, DO, SEC_5);
			ask(3, NAME_NOTHING, T_A, 0, SEC_5);
			op(OP_WAIT, 2, 135, 0, 0, 0, 0, 0);
			if (k > 2)
				op(OP_CONTROL, 11, 1, 0, 0, 0, 0, 0);
		}
		end("old-%u", i);
	}
	for (unsigned int i = 0; i < 6; i++) { /* a life of days */
		zones(i % 2 == 0 ? SIGNED : 0);
		records(3, 4);
		op(OP_OPTION, i < 3 ? 5 : 60 + i % 3, 0, 0, 0, 0, 0, 0);
		for (unsigned int k = 0; k < 6; k++) {
			ask(3, NAME_H, T_A, DO, MS_500);
			ask(3, NAME_CLOCK, T_A, 0, k < 3 ? SEC_30 : HOUR_1);
			op(OP_WAIT, k < 2 ? 3 : 4, k < 2 ? 4 : 1 + k * 7, 0, 0, 0, 0, 0);
			if (k == 3 && i > 2)
				op(OP_CONTROL, 11, 1, 0, 0, 0, 0, 0);
		}
		end("days-%u", i);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("resolve_seeds DIR\n", stderr);
		return 2;
	}
	dir = argv[1];
	plain();
	routes();
	filters();
	tempers();
	signatures();
	options();
	meddling();
	operators();
	timing();
	remote();
	clients();
	printf("%u seeds\n", written);
	return 0;
}
