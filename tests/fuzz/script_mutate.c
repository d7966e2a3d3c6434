/*
 * script_mutate.c: scripts changed as scripts: operations come, go and move; arguments change by little or altogether; the blobs of changed replies and of strangers' datagrams
 * are changed as what they are (records, names, DNS messages). What a zone says is signed when it is asked for (tests/sim/signed.c), so a changed zone is signed anew by itself; what
 * a reply says is signed anew where MEDDLE_RESIGN stands beside the change, and otherwise not.
 */
#include "tests/fuzz/script.h"

#include <string.h>

#include "dns/edns.h"
#include "tests/fuzz/meddle.h"

uint32_t script_draw(struct script_dice *d, uint32_t n)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return n == 0 ? 0 : (uint32_t)(d->state >> 16) % n;
}

static uint8_t octet(struct script_dice *d)
{
	return (uint8_t)script_draw(d, 256);
}

/* ---- blobs -------------------------------------------------------------------------------------------------------------------------------------- */

static void put_label(struct writer *w, struct script_dice *d)
{
	static const char *const words[] = { "h0", "c0", "t0", "z2", "t1", "www", "a", "wild", "version", "bind", "ns0", "moved", "_25" };
	const char *word = words[script_draw(d, sizeof words / sizeof words[0])];

	write8(w, (uint8_t)strlen(word));
	write_octets(w, word, strlen(word));
}

static void put_name(struct writer *w, struct script_dice *d)
{
	for (uint32_t n = script_draw(d, 5); n > 0; n--)
		put_label(w, d);
	if (script_draw(d, 12) == 0) {
		write16(w, (uint16_t)(0xc000 | octet(d))); /* a compression pointer */
		return;
	}
	write8(w, 0);
}

/* A question as clients send it, or nearly. */
static void make_query(struct script_op *op, struct script_dice *d)
{
	static const uint16_t types[] = { 1, 28, 15, 16, 255, 252, 251, 249, 46, 48, 41, 250, 0, 65 };
	static const uint16_t options[] = { EDNS_COOKIE, EDNS_NSID, EDNS_CLIENT_SUBNET, EDNS_TCP_KEEPALIVE, EDNS_PADDING, EDNS_CHAIN, EDNS_KEY_TAG, EDNS_EXPIRE, EDNS_ERROR, 65001 };
	struct writer w = writer_of(op->blob, 255);
	bool edns = script_draw(d, 2) == 0, tsig = script_draw(d, 12) == 0;

	write16(&w, (uint16_t)script_draw(d, 65536));
	write16(&w, (uint16_t)(script_draw(d, 3) == 0 ? script_draw(d, 65536) & 0x7fff : 0x0100));
	write16(&w, script_draw(d, 12) == 0 ? (uint16_t)script_draw(d, 3) : 1);
	write32(&w, script_draw(d, 16) == 0 ? script_draw(d, 65536) : 0);
	write16(&w, (uint16_t)(edns + tsig));
	put_name(&w, d);
	write16(&w, types[script_draw(d, sizeof types / sizeof types[0])]);
	write16(&w, script_draw(d, 6) == 0 ? 3 : 1);
	if (edns) {
		uint32_t n = script_draw(d, 3);
		size_t at;

		write8(&w, 0);
		write16(&w, 41);
		write16(&w, (uint16_t)(script_draw(d, 3) * 900));
		write8(&w, 0);
		write8(&w, script_draw(d, 10) == 0 ? 1 : 0);
		write16(&w, script_draw(d, 2) == 0 ? 0x8000 : 0);
		at = w.pos;
		write16(&w, 0);
		for (; n > 0; n--) {
			uint16_t len = (uint16_t)(script_draw(d, 5) * 8);

			write16(&w, options[script_draw(d, sizeof options / sizeof options[0])]);
			write16(&w, len);
			while (len-- > 0)
				write8(&w, octet(d));
		}
		if (writer_ok(&w))
			store16(op->blob + at, (uint16_t)(w.pos - at - 2));
	}
	if (tsig) {
		put_name(&w, d);
		write16(&w, 250);
		write16(&w, 255);
		write32(&w, 0);
		write16(&w, 0);
	}
	op->len = (uint8_t)w.pos;
}

static void make_record(struct script_op *op, struct script_dice *d)
{
	static const uint8_t of_names[] = { 1, 2, 4, 5 }; /* NS, CNAME, DNAME, TXT: numbers of meddle.c's table */
	struct writer w = writer_of(op->blob, 255);

	write8(&w, 0);
	switch (script_draw(d, 6)) {
	case 0:
		write8(&w, 0); /* A */
		write16(&w, (uint16_t)(octet(d) << 8 | octet(d)));
		write32(&w, 0x14000035 | script_draw(d, 32) << 8); /* of a server, perhaps */
		break;
	case 1:
		write8(&w, 3); /* SOA */
		write16(&w, (uint16_t)(octet(d) << 8 | octet(d)));
		put_name(&w, d);
		put_name(&w, d);
		for (unsigned int i = 0; i < 5; i++)
			write32(&w, script_draw(d, 4000));
		break;
	case 2:
		write8(&w, 6); /* NSEC */
		write16(&w, (uint16_t)(octet(d) << 8 | octet(d)));
		put_name(&w, d);
		write16(&w, 6);
		write32(&w, 0x62018003u ^ script_draw(d, 2) << 24);
		write16(&w, 0x0180);
		break;
	case 3:
		write8(&w, 7); /* NSEC3 */
		write16(&w, (uint16_t)(octet(d) << 8 | octet(d)));
		write32(&w, 0x01000000u | script_draw(d, 4) << 16 | (script_draw(d, 2) == 0 ? 0 : 500));
		write8(&w, 0);
		write8(&w, 20);
		for (unsigned int i = 0; i < 20; i++)
			write8(&w, octet(d));
		write32(&w, 0x00062200);
		write32(&w, 0x80000002);
		break;
	case 4:
		write8(&w, script_draw(d, 2) == 0 ? 8 : 9); /* DS, DNSKEY */
		write16(&w, (uint16_t)(octet(d) << 8 | octet(d)));
		write32(&w, 0x01010308u ^ script_draw(d, 4) << 24);
		for (unsigned int i = 0; i < 64; i++)
			write8(&w, octet(d));
		break;
	default:
		write8(&w, of_names[script_draw(d, 4)]);
		write16(&w, (uint16_t)(octet(d) << 8 | octet(d)));
		put_name(&w, d);
		break;
	}
	op->len = (uint8_t)w.pos;
}

static void change_blob(struct script_op *op, struct script_dice *d)
{
	uint32_t at = script_draw(d, op->len + 1u);

	switch (script_draw(d, 6)) {
	case 0:
		if (op->len < 255) {
			memmove(op->blob + at + 1, op->blob + at, 254 - at);
			op->blob[at] = octet(d);
			op->len++;
		}
		break;
	case 1:
		if (op->len > 0 && at < op->len) {
			memmove(op->blob + at, op->blob + at + 1, 254 - at);
			op->len--;
		}
		break;
	case 2:
		op->len = (uint8_t)at;
		break;
	case 3:
		if (at < op->len)
			op->blob[at] ^= (uint8_t)(1u << script_draw(d, 8));
		break;
	default:
		if (op->len == 0)
			op->len = (uint8_t)(1 + script_draw(d, 12));
		op->blob[at % op->len] = octet(d);
		break;
	}
}

static void make_blob(struct script_op *op, struct script_dice *d)
{
	struct writer w = writer_of(op->blob, 255);
	unsigned int action = op->arg[5] % MEDDLE_ACTIONS;

	if (op->code == OP_RAW || (op->code == OP_MEDDLE && action == MEDDLE_REPLACE)) {
		make_query(op, d);
	} else if (op->code == OP_NAME) {
		put_name(&w, d);
		op->len = (uint8_t)w.pos;
	} else if (action == MEDDLE_RR) {
		make_record(op, d);
	} else if (action == MEDDLE_XOR) {
		op->len = (uint8_t)(3 * (1 + script_draw(d, 4)));
		for (unsigned int i = 0; i < op->len; i++)
			op->blob[i] = i % 3 == 0 ? 0 : octet(d);
	} else {
		op->len = (uint8_t)script_draw(d, 6);
		for (unsigned int i = 0; i < op->len; i++)
			op->blob[i] = octet(d);
	}
}

/* ---- operations ----------------------------------------------------------------------------------------------------------------------------------- */

static struct script_op draw_op(struct script_dice *d)
{
	static const uint8_t codes[] = { OP_ZONE, OP_ZONE, OP_RECORD, OP_RECORD, OP_TEMPER, OP_OPTION, OP_ASK, OP_ASK, OP_ASK, OP_WAIT, OP_CONTROL, OP_FORGE, OP_LINK, OP_MEDDLE, OP_MEDDLE,
		OP_MEDDLE, OP_MEDDLE, OP_RAW, OP_NAME };
	struct script_op op = { .code = codes[script_draw(d, sizeof codes)] };

	for (unsigned int i = 0; i < SCRIPT_ARGS; i++)
		op.arg[i] = script_draw(d, 3) == 0 ? 0 : script_draw(d, 2) == 0 ? (uint8_t)script_draw(d, 8) : octet(d);
	if (op.code == OP_MEDDLE && script_draw(d, 2) == 0)
		op.arg[2] = op.arg[3] = 0; /* any reply, from the first */
	if (script_has_blob(op.code))
		make_blob(&op, d);
	return op;
}

static void insert_op(struct script *s, size_t at, struct script_op op)
{
	if (s->count == SCRIPT_OPS)
		return;
	if (at > s->count)
		at = s->count;
	memmove(&s->ops[at + 1], &s->ops[at], (s->count - at) * sizeof s->ops[0]);
	s->ops[at] = op;
	s->count++;
}

static void remove_op(struct script *s, size_t at)
{
	memmove(&s->ops[at], &s->ops[at + 1], (s->count - at - 1) * sizeof s->ops[0]);
	s->count--;
}

static void change_op(struct script_op *op, struct script_dice *d)
{
	uint8_t *arg = &op->arg[script_draw(d, SCRIPT_ARGS)];

	if (script_has_blob(op->code) && script_draw(d, 2) == 0) {
		if (script_draw(d, 3) == 0)
			make_blob(op, d);
		else
			change_blob(op, d);
		return;
	}
	switch (script_draw(d, 5)) {
	case 0:
		*arg ^= (uint8_t)(1u << script_draw(d, 8));
		break;
	case 1:
		*arg = (uint8_t)(*arg + 1);
		break;
	case 2:
		*arg = (uint8_t)script_draw(d, 8);
		break;
	case 3:
		*arg = 0;
		break;
	default:
		*arg = octet(d);
		break;
	}
}

void script_mutate(struct script *s, struct script_dice *d)
{
	for (uint32_t n = 1 + script_draw(d, 4); n > 0; n--) {
		size_t at = script_draw(d, (uint32_t)s->count + 1);
		uint32_t what = s->count == 0 ? 0 : script_draw(d, 10);

		if (what > 0 && at == s->count)
			at--;
		switch (what) {
		case 0:
		case 1:
			insert_op(s, at, draw_op(d));
			break;
		case 2:
			remove_op(s, at);
			break;
		case 3:
			insert_op(s, at, s->ops[at]);
			break;
		case 4: {
			size_t to = script_draw(d, (uint32_t)s->count);
			struct script_op t = s->ops[at];

			s->ops[at] = s->ops[to];
			s->ops[to] = t;
			break;
		}
		case 5:
			s->head[script_draw(d, SCRIPT_HEAD)] = script_draw(d, 2) == 0 ? 0 : octet(d);
			break;
		default:
			change_op(&s->ops[at], d);
			break;
		}
	}
}

void script_cross(struct script *s, const struct script *with, struct script_dice *d)
{
	size_t from = script_draw(d, (uint32_t)with->count + 1), n = script_draw(d, (uint32_t)(with->count - from) + 1);
	size_t at = script_draw(d, (uint32_t)s->count + 1);

	if (script_draw(d, 3) == 0) /* this one's world, that one's events */
		s->count = at;
	for (size_t i = 0; i < n; i++)
		insert_op(s, at + i, with->ops[from + i]);
	if (script_draw(d, 4) == 0)
		memcpy(s->head, with->head, sizeof s->head);
}
