/* script.c: scripts read and written. The code of an operation is its number; operations with a blob have SCRIPT_BLOB set, so that what follows is known before it is. */
#include "tests/fuzz/script.h"

static uint8_t code_of(uint8_t octet)
{
	if ((octet & SCRIPT_BLOB) != 0)
		return (uint8_t)(OP_CODES + 1 + (octet & 0x7f) % (OP_ALL - OP_CODES - 1));
	return octet % OP_CODES;
}

static uint8_t octet_of(uint8_t code)
{
	return code > OP_CODES ? (uint8_t)(SCRIPT_BLOB | (code - OP_CODES - 1)) : code;
}

static bool read_op(struct reader *r, struct script_op *op)
{
	struct span args, blob;

	if (reader_end(r))
		return false;
	memset(op, 0, sizeof *op);
	op->code = code_of(read8(r));
	args = read_span(r, reader_left(r) < SCRIPT_ARGS ? reader_left(r) : SCRIPT_ARGS);
	if (args.n > 0)
		memcpy(op->arg, args.p, args.n);
	if (!script_has_blob(op->code) || reader_end(r))
		return true;
	op->len = read8(r);
	if (op->len > reader_left(r))
		op->len = (uint8_t)reader_left(r);
	blob = read_span(r, op->len);
	if (blob.n > 0)
		memcpy(op->blob, blob.p, blob.n);
	return true;
}

void script_read(struct span in, struct script *ret)
{
	struct reader r = reader_of(in);
	struct span head = read_span(&r, in.n < SCRIPT_HEAD ? in.n : SCRIPT_HEAD);

	memset(ret->head, 0, sizeof ret->head);
	if (head.n > 0)
		memcpy(ret->head, head.p, head.n);
	ret->count = 0;
	while (ret->count < SCRIPT_OPS && read_op(&r, &ret->ops[ret->count]))
		ret->count++;
}

size_t script_write(const struct script *s, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);
	size_t good;

	write_octets(&w, s->head, sizeof s->head);
	good = w.pos;
	for (size_t i = 0; i < s->count && writer_ok(&w); i++) {
		const struct script_op *op = &s->ops[i];

		write8(&w, octet_of(op->code));
		write_octets(&w, op->arg, sizeof op->arg);
		if (script_has_blob(op->code)) {
			write8(&w, op->len);
			write_octets(&w, op->blob, op->len);
		}
		if (writer_ok(&w))
			good = w.pos;
	}
	return good;
}
