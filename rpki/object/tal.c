#include "rpki/object/tal.h"

#include "base/arena.h"
#include "rpki/object/cert.h"

static struct span read_line(struct reader *r)
{
	struct reader look = *r;
	size_t n = 0;
	struct span s;

	while (!reader_end(&look) && read8(&look) != '\n')
		n++;
	s = der_take(r, n);
	read_skip(r, reader_end(r) ? 0 : 1);
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 with line breaks, to the end; canonical padding. */
static bool read_base64(struct reader *r, struct writer *out)
{
	uint32_t bits = 0;
	unsigned int have = 0, pad = 0;

	while (!reader_end(r)) {
		uint8_t c = read8(r);
		int v = base64_value(c);

		if (c == '\n' || c == '\r' || c == ' ' || c == '\t')
			continue;
		if (c == '=' && (have == 2 || have == 3) && pad < 2) {
			pad++;
			continue;
		}
		if (v < 0 || pad > 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		if (++have == 4) {
			write8(out, (uint8_t)(bits >> 16));
			write16(out, (uint16_t)bits);
			bits = have = 0;
		}
	}
	if (have == 0)
		return pad == 0;
	if (have == 1 || have + pad != 4)
		return false;
	write8(out, (uint8_t)(bits >> (have == 2 ? 4 : 10)));
	if (have == 3)
		write8(out, (uint8_t)(bits >> 2));
	return (bits & (have == 2 ? 0x0fu : 0x03u)) == 0;
}

static bool read_uris(struct reader *r, struct report *rep, struct tal *t)
{
	while (!reader_end(r)) {
		struct span line = read_line(r);

		if (line.n == 0)
			return true;
		if (line.p[0] == '#' && t->count == 0) /* comments come first */
			continue;
		if (!uri_is(line, "rsync://") && !uri_is(line, "https://"))
			BROKEN_AT(rep, TAL_URI, "%.*s", (int)(line.n < 100 ? line.n : 100), (const char *)line.p);
		else if (t->count == TAL_MAX_URIS)
			BROKEN(rep, TAL_LIMIT);
		else
			t->uris[t->count++] = line;
	}
	return true;
}

static bool read_all(struct span text, struct arena *a, struct report *rep, struct tal *t, bool *nomem)
{
	struct reader r = reader_of(text), key;
	struct writer out;
	uint8_t *room;

	if (text.n > TAL_MAX)
		UNREADABLE(rep, TAL_LIMIT);
	if (!read_uris(&r, rep, t))
		return false;
	if (t->count == 0)
		BROKEN(rep, TAL_NO_URI);
	room = arena_alloc(a, reader_left(&r) + 1);
	*nomem = room == NULL;
	if (room == NULL)
		return false;
	out = writer_of(room, reader_left(&r) + 1);
	if (!read_base64(&r, &out))
		UNREADABLE(rep, TAL_BASE64);
	t->key_octets = writer_done(&out);
	key = reader_of(t->key_octets);
	t->key = key_info_read(&key);
	if (!reader_ok(&key) || !reader_end(&key) || !key_info_is_profile_rsa(&t->key))
		BROKEN(rep, TAL_KEY);
	return true;
}

RESULT tal_read(struct span text, struct arena *a, struct report *rep, struct tal *ret)
{
	size_t before = rep->count;
	bool nomem = false;

	*ret = (struct tal){ .count = 0 };
	if (!read_all(text, a, rep, ret, &nomem))
		return FAIL(nomem ? ERR_NOMEM : ERR_FORMAT);
	return rep->count != before ? FAIL(ERR_FORMAT) : DONE;
}
