#include "rpki/serve/json.h"

struct parse {
	struct reader r;
	struct arena *a BORROWED_FIELD;
	const char *why BORROWED_FIELD; /* what is wrong; NULL: nothing yet */
	bool no_memory;
};

static bool wrong(struct parse *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	return false;
}

static bool no_memory(struct parse *p)
{
	p->no_memory = true;
	return wrong(p, "out of memory");
}

/* The next octet, which stays; 0 at the end. */
static uint8_t peek(const struct parse *p)
{
	return reader_end(&p->r) ? 0 : p->r.base[p->r.pos];
}

static void skip_space(struct parse *p)
{
	while (peek(p) == ' ' || peek(p) == '\t' || peek(p) == '\n' || peek(p) == '\r')
		read_skip(&p->r, 1);
}

static bool expect(struct parse *p, const char *word, const char *why)
{
	for (; *word != '\0'; word++) {
		if (peek(p) != (uint8_t)*word)
			return wrong(p, why);
		read_skip(&p->r, 1);
	}
	return true;
}

static bool read_hex4(struct parse *p, uint32_t *ret)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < 4; i++) {
		uint8_t c = peek(p);
		uint32_t digit = c >= '0' && c <= '9' ? c - 48u : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10u : 16;

		if (digit == 16)
			return wrong(p, "four hexadecimal digits expected");
		v = v << 4 | digit;
		read_skip(&p->r, 1);
	}
	*ret = v;
	return true;
}

static void write_utf8(struct writer *w, uint32_t c)
{
	if (c < 0x80) {
		write8(w, (uint8_t)c);
	} else if (c < 0x800) {
		write8(w, (uint8_t)(0xc0 | c >> 6));
		write8(w, (uint8_t)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		write8(w, (uint8_t)(0xe0 | c >> 12));
		write8(w, (uint8_t)(0x80 | (c >> 6 & 63)));
		write8(w, (uint8_t)(0x80 | (c & 63)));
	} else {
		write8(w, (uint8_t)(0xf0 | c >> 18));
		write8(w, (uint8_t)(0x80 | (c >> 12 & 63)));
		write8(w, (uint8_t)(0x80 | (c >> 6 & 63)));
		write8(w, (uint8_t)(0x80 | (c & 63)));
	}
}

static bool read_escape(struct parse *p, struct writer *w)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t c = read8(&p->r);
	const char *at = c != 0 ? strchr(from, c) : NULL;
	uint32_t v = 0, low = 0;

	if (at != NULL) {
		write8(w, (uint8_t)to[at - from]);
		return true;
	}
	if (c != 'u')
		return wrong(p, "no such escape");
	if (!read_hex4(p, &v))
		return false;
	if (v >= 0xd800 && v < 0xdc00) {
		if (!expect(p, "\\u", "half a surrogate pair") || !read_hex4(p, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return wrong(p, "half a surrogate pair");
		v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
	} else if (v == 0 || (v >= 0xdc00 && v < 0xe000)) {
		return wrong(p, "a character that text cannot have");
	}
	write_utf8(w, v);
	return true;
}

/* How many octets the string has until its closing quote, as it is written: its value is never longer. */
static bool string_room(struct parse *p, size_t *ret_n)
{
	const uint8_t *s = p->r.base + p->r.pos;
	size_t left = reader_left(&p->r), n = 0;

	for (; n < left && s[n] != '"'; n++)
		if (s[n] == '\\')
			n++;
	if (n >= left || n > UINT32_MAX)
		return wrong(p, "a string without an end");
	*ret_n = n;
	return true;
}

static bool read_string(struct parse *p, const char **ret_text, uint32_t *ret_n)
{
	size_t room;
	struct writer w;
	char *text;

	if (!expect(p, "\"", "a string expected") || !string_room(p, &room))
		return false;
	text = arena_alloc(p->a, room + 1);
	if (text == NULL)
		return no_memory(p);
	w = writer_of(text, room);
	while (peek(p) != '"') {
		uint8_t c = read8(&p->r);

		if (c < ' ')
			return wrong(p, "a control character in a string");
		if (c != '\\')
			write8(&w, c);
		else if (!read_escape(p, &w))
			return false;
	}
	read_skip(&p->r, 1);
	*ret_text = text;
	*ret_n = (uint32_t)w.pos;
	return true;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool skip_digits(struct parse *p)
{
	if (!is_digit(peek(p)))
		return wrong(p, "a digit expected");
	while (is_digit(peek(p)))
		read_skip(&p->r, 1);
	return true;
}

static bool read_number(struct parse *p, struct json *j)
{
	bool minus = peek(p) == '-';
	size_t from;
	uint64_t v = 0;

	read_skip(&p->r, minus);
	from = p->r.pos;
	if (!skip_digits(p))
		return false;
	if (p->r.base[from] == '0' && p->r.pos - from > 1)
		return wrong(p, "a number that begins with 0");
	for (size_t i = from; i < p->r.pos; i++) {
		if (v > (INT64_MAX - 9) / 10)
			return wrong(p, "a number past 64 bits");
		v = v * 10 + (p->r.base[i] - '0');
	}
	j->type = JSON_INTEGER;
	j->number = minus ? -(int64_t)v : (int64_t)v;
	if (peek(p) == '.') {
		j->type = JSON_FRACTION;
		read_skip(&p->r, 1);
		if (!skip_digits(p))
			return false;
	}
	if ((peek(p) | 32) == 'e') {
		j->type = JSON_FRACTION;
		read_skip(&p->r, 1);
		if (peek(p) == '+' || peek(p) == '-')
			read_skip(&p->r, 1);
		return skip_digits(p);
	}
	return true;
}

static bool read_value(struct parse *p, struct json *j, unsigned int depth);

static bool read_key(struct parse *p, const struct json *object, struct json *member)
{
	uint32_t n;

	if (!read_string(p, &member->key, &n))
		return false;
	if (object->n >= JSON_MEMBERS)
		return wrong(p, "too many members");
	for (const struct json *m = object->child; m != NULL; m = m->next)
		if (strcmp(m->key, member->key) == 0)
			return wrong(p, "a member twice");
	skip_space(p);
	return expect(p, ":", "':' expected");
}

/* The children of an array or object, whose first octet was read. */
static bool read_children(struct parse *p, struct json *j, uint8_t close, unsigned int depth)
{
	const struct json **at = &j->child;

	if (depth >= JSON_DEPTH)
		return wrong(p, "too deep");
	skip_space(p);
	if (peek(p) == close) {
		read_skip(&p->r, 1);
		return true;
	}
	for (;;) {
		struct json *child = arena_alloc(p->a, sizeof *child);

		if (child == NULL)
			return no_memory(p);
		skip_space(p);
		if ((close == '}' && !read_key(p, j, child)) || !read_value(p, child, depth + 1))
			return false;
		*at = child;
		at = &child->next;
		j->n++;
		skip_space(p);
		if (peek(p) == close)
			break;
		if (!expect(p, ",", close == '}' ? "',' or '}' expected" : "',' or ']' expected"))
			return false;
	}
	read_skip(&p->r, 1);
	return true;
}

static bool read_value(struct parse *p, struct json *j, unsigned int depth)
{
	skip_space(p);
	switch (peek(p)) {
	case '{':
	case '[':
		j->type = peek(p) == '{' ? JSON_OBJECT : JSON_ARRAY;
		read_skip(&p->r, 1);
		return read_children(p, j, j->type == JSON_OBJECT ? '}' : ']', depth);
	case '"':
		j->type = JSON_STRING;
		return read_string(p, &j->text, &j->n);
	case 't':
		j->type = JSON_TRUE;
		return expect(p, "true", "a value expected");
	case 'f':
		j->type = JSON_FALSE;
		return expect(p, "false", "a value expected");
	case 'n':
		j->type = JSON_NULL;
		return expect(p, "null", "a value expected");
	default:
		return peek(p) == '-' || is_digit(peek(p)) ? read_number(p, j) : wrong(p, "a value expected");
	}
}

static void place_of(const struct parse *p, struct json_error *ret)
{
	ret->line = ret->column = 1;
	for (size_t i = 0; i < p->r.pos; i++) {
		ret->column++;
		if (p->r.base[i] == '\n') {
			ret->line++;
			ret->column = 1;
		}
	}
	ret->why = p->why;
}

RESULT json_read(struct span text, struct arena *a, const struct json **ret_json, struct json_error *ret_error)
{
	struct parse p = { .r = reader_of(text), .a = a };
	struct json *j = arena_alloc(a, sizeof *j);
	bool good;

	if (j == NULL)
		return FAIL(ERR_NOMEM);
	good = read_value(&p, j, 0);
	skip_space(&p);
	if (good && reader_end(&p.r)) {
		*ret_json = j;
		return DONE;
	}
	(void)wrong(&p, "more behind the end");
	if (p.no_memory)
		return FAIL(ERR_NOMEM);
	place_of(&p, ret_error);
	return FAIL(ERR_FORMAT);
}

const struct json *json_member(const struct json *object, const char *key)
{
	if (object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *m = object->child; m != NULL; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

const char *json_type_text(const struct json *j)
{
	static const char *const names[] = { "an object", "an array", "a string", "a number", "a number with a fraction", "true", "false", "null" };

	return j == NULL ? "nothing" : names[j->type];
}
