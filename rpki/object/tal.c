#include "rpki/object/tal.h"

#include "base/arena.h"
#include "base/base64.h"
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
	struct base64 base64 = { .form = BASE64_BLANKS };
	struct writer out;
	uint8_t *room;

	if (text.n > TAL_MAX)
		UNREADABLE(rep, TAL_LIMIT);
	if (!read_uris(&r, rep, t))
		return false;
	if (t->count == 0)
		BROKEN(rep, TAL_NO_URI);
	room = arena_alloc(a, base64_room(reader_left(&r)));
	*nomem = room == NULL;
	if (room == NULL)
		return false;
	out = writer_of(room, base64_room(reader_left(&r)));
	if (!base64_read(&base64, der_rest(&r), &out) || !base64_end(&base64))
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
