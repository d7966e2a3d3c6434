#include "dns/name.h"

#include "base/arena.h"

static const uint8_t root_wire[1] = { 0 };
const struct name name_root = { root_wire, 1, 0 };

/* A pointer costs two octets, and each but the first of a name should follow a label: more hops than labels is an attack. */
#define MAX_HOPS (NAME_MAX_LABELS + 1)
#define MIN_POINTER 12 /* nothing before the end of the header is a name */

/* --- octets without case, eight at a time */

#define ONES UINT64_C(0x0101010101010101)

static inline uint64_t load_word(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* Lower-cases the ASCII letters in each of eight octets. Length octets (below 64) are never letters. */
static inline uint64_t lower_word(uint64_t v)
{
	uint64_t low = v & (0x7f * ONES);
	uint64_t from_a = low + (0x80 - 'A') * ONES;
	uint64_t after_z = low + (0x7f - 'Z') * ONES;
	uint64_t upper = (from_a ^ after_z) & ~v & (0x80 * ONES);

	return v | upper >> 2;
}

static inline uint64_t load_tail(const uint8_t *p, size_t n) /* n < 8 */
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

void octets_lower(uint8_t *out, const uint8_t *in, size_t n)
{
	uint64_t v;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		v = lower_word(load_word(in + i));
		memcpy(out + i, &v, sizeof v);
	}
	v = lower_word(load_tail(in + i, n - i));
	for (; i < n; i++, v >>= 8)
		out[i] = (uint8_t)v;
}

bool octets_equal_nocase(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t va = load_word(a + i);
		uint64_t vb = load_word(b + i);

		if (va != vb && lower_word(va) != lower_word(vb))
			return false;
	}
	return lower_word(load_tail(a + i, n - i)) == lower_word(load_tail(b + i, n - i));
}

static inline uint8_t lower1(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* --- from the wire */

RESULT name_from_wire(struct span s, struct name *ret)
{
	size_t at = 0;
	unsigned int labels = 0;

	while (at < s.n) {
		uint8_t len = s.p[at];

		if (len == 0) {
			*ret = (struct name){ s.p, (uint8_t)(at + 1), (uint8_t)labels };
			return DONE;
		}
		at += 1u + len;
		if (len > 63 || at >= NAME_MAX_OCTETS)
			return FAIL(ERR_FORMAT);
		labels++;
	}
	return FAIL(ERR_FORMAT);
}

/* Labels are copied by fragments: the stretch between two pointers at once. */
RESULT name_read_budget(struct reader *msg, unsigned int *hops, struct name_buf *ret)
{
	const uint8_t *p = msg->base;
	size_t at = msg->pos;
	size_t start = at;   /* of this fragment: the next pointer must go before it */
	size_t behind = 0;   /* where the reader goes on, once a pointer was seen */
	size_t len = 0;      /* of the fragments before */
	unsigned int labels = 0;
	unsigned int budget = *hops < MAX_HOPS ? *hops : MAX_HOPS;
	unsigned int used = 0;

	for (;;) {
		uint8_t c;
		size_t to;

		if (at >= msg->len)
			goto bad;
		c = p[at];
		if (c != 0 && c <= 63) {
			at += c + 1u;
			labels++;
			if (len + (at - start) >= NAME_MAX_OCTETS)
				goto bad;
			continue;
		}
		if (at != start)
			memcpy(ret->b + len, p + start, at - start);
		len += at - start;
		if (c == 0)
			break;
		if (c < 0xc0 || msg->len - at < 2 || ++used > budget)
			goto bad;
		to = (size_t)(c & 0x3f) << 8 | p[at + 1];
		if (to >= start || to < MIN_POINTER)
			goto bad;
		if (behind == 0)
			behind = at + 2;
		at = start = to;
	}
	ret->b[len] = 0;
	ret->len = (uint8_t)(len + 1);
	ret->labels = (uint8_t)labels;
	*hops -= used;
	msg->pos = behind != 0 ? behind : at + 1;
	return DONE;
bad:
	*hops -= used <= *hops ? used : *hops;
	reader_fail(msg);
	return FAIL(ERR_FORMAT);
}

RESULT name_read(struct reader *msg, struct name_buf *ret)
{
	unsigned int hops = MAX_HOPS;

	return name_read_budget(msg, &hops, ret);
}

RESULT name_skip(struct reader *msg)
{
	size_t len = 0;

	for (;;) {
		uint8_t c = read8(msg);

		if (!reader_ok(msg))
			return FAIL(ERR_FORMAT);
		if (c == 0)
			return DONE;
		if (c >= 0xc0) {
			read_skip(msg, 1);
			return reader_ok(msg) ? DONE : FAIL(ERR_FORMAT);
		}
		len += c + 1u;
		if (c > 63 || len >= NAME_MAX_OCTETS) {
			reader_fail(msg);
			return FAIL(ERR_FORMAT);
		}
		read_skip(msg, c);
	}
}

/* --- text */

/* How an octet of a label is written: as it is, behind a backslash, or as a number. */
enum { PLAIN, ESCAPE, NUMBER };

static int text_kind(uint8_t c)
{
	if (c <= ' ' || c >= 127)
		return NUMBER;
	switch (c) {
	case '.':
	case ';':
	case '(':
	case ')':
	case '"':
	case '\\':
	case '@':
	case '$':
		return ESCAPE;
	default:
		return PLAIN;
	}
}

char *name_to_text(struct name n, char buf[NAME_TEXT])
{
	char *out = buf;

	if (n.labels == 0)
		*out++ = '.';
	for (size_t at = 0; n.wire[at] != 0;) {
		size_t end = at + 1u + n.wire[at];

		for (at++; at < end; at++) {
			uint8_t c = n.wire[at];
			int kind = text_kind(c);

			if (kind != PLAIN)
				*out++ = '\\';
			if (kind == NUMBER) {
				*out++ = (char)('0' + c / 100);
				*out++ = (char)('0' + c / 10 % 10);
				*out++ = (char)('0' + c % 10);
			} else {
				*out++ = (char)c;
			}
		}
		*out++ = '.';
	}
	*out = '\0';
	return buf;
}

bool text_unescape(const char **p, const char *end, uint8_t *ret)
{
	const char *s = *p;
	unsigned int v;

	if (s == end)
		return false;
	if (s[0] < '0' || s[0] > '9') {
		*ret = (uint8_t)s[0];
		*p = s + 1;
		return true;
	}
	if (end - s < 3 || s[1] < '0' || s[1] > '9' || s[2] < '0' || s[2] > '9')
		return false;
	v = (unsigned int)(s[0] - '0') * 100 + (unsigned int)(s[1] - '0') * 10 + (unsigned int)(s[2] - '0');
	if (v > 255)
		return false;
	*ret = (uint8_t)v;
	*p = s + 3;
	return true;
}

RESULT name_from_text_n(const char *text, size_t n, const struct name *origin, struct name_buf *ret)
{
	const struct name *top = origin != NULL ? origin : &name_root;
	const char *p = text;
	const char *end = text + n;
	struct name_buf out;
	size_t len = 0; /* octets before the label that is being written */
	size_t in_label = 0;

	out.labels = 0;
	if (n == 0)
		return FAIL(ERR_FORMAT);
	if (n == 1 && *text == '@') {
		name_copy(ret, *top);
		return DONE;
	}
	if (n == 1 && *text == '.') {
		name_copy(ret, name_root);
		return DONE;
	}
	while (p < end) {
		uint8_t c = (uint8_t)*p++;

		if (c == '.') {
			if (in_label == 0)
				return FAIL(ERR_FORMAT);
			out.b[len] = (uint8_t)in_label;
			len += in_label + 1;
			in_label = 0;
			out.labels++;
			continue;
		}
		if (c == '\\' && !text_unescape(&p, end, &c))
			return FAIL(ERR_FORMAT);
		if (in_label == 63 || len + in_label + 3 > NAME_MAX_OCTETS)
			return FAIL(ERR_FORMAT);
		out.b[len + 1 + in_label++] = c;
	}
	if (in_label != 0) { /* relative */
		out.b[len] = (uint8_t)in_label;
		len += in_label + 1;
		out.labels++;
	} else {
		top = &name_root;
	}
	if (len + top->len > NAME_MAX_OCTETS)
		return FAIL(ERR_FORMAT);
	memcpy(out.b + len, top->wire, top->len);
	out.len = (uint8_t)(len + top->len);
	out.labels = (uint8_t)(out.labels + top->labels);
	name_copy(ret, name_of(&out));
	return DONE;
}

RESULT name_from_text(const char *text, const struct name *origin, struct name_buf *ret)
{
	return name_from_text_n(text, strlen(text), origin, ret);
}

/* --- copies */

void name_copy(struct name_buf *to, struct name n)
{
	memmove(to->b, n.wire, n.len);
	to->len = n.len;
	to->labels = n.labels;
}

struct name name_dup_in(struct arena *a, struct name n)
{
	const uint8_t *wire = (const uint8_t *)arena_dup(a, n.wire, n.len);

	return (struct name){ wire, n.len, n.labels };
}

void name_lower(struct name_buf *nb)
{
	octets_lower(nb->b, nb->b, nb->len);
}

/* --- comparison */

bool name_equal(struct name a, struct name b)
{
	return a.len == b.len && a.labels == b.labels && (a.wire == b.wire || octets_equal_nocase(a.wire, b.wire, a.len));
}

bool name_equal_case(struct name a, struct name b)
{
	return a.len == b.len && memcmp(a.wire, b.wire, a.len) == 0;
}

bool name_is_root(struct name n)
{
	return n.len == 1;
}

struct name name_strip(struct name n, unsigned int labels)
{
	size_t at = 0;

	if (labels >= n.labels)
		return (struct name){ n.wire + n.len - 1, 1, 0 };
	for (unsigned int i = 0; i < labels; i++)
		at += 1u + n.wire[at];
	return (struct name){ n.wire + at, (uint8_t)(n.len - at), (uint8_t)(n.labels - labels) };
}

struct name name_suffix(struct name n, unsigned int labels)
{
	return labels >= n.labels ? n : name_strip(n, n.labels - labels);
}

bool name_is_under(struct name n, struct name top)
{
	return n.len >= top.len && n.labels >= top.labels && name_equal(name_suffix(n, top.labels), top);
}

bool name_is_strictly_under(struct name n, struct name top)
{
	return n.labels > top.labels && name_is_under(n, top);
}

/* Offsets of the labels of n, the first at [0]. */
static void label_offsets(struct name n, uint8_t at[NAME_MAX_LABELS + 1])
{
	size_t pos = 0;

	for (unsigned int i = 0; i <= n.labels; i++) {
		at[i] = (uint8_t)pos;
		pos += 1u + n.wire[pos];
	}
}

static int label_compare(const uint8_t *a, const uint8_t *b)
{
	unsigned int n = *a < *b ? *a : *b;

	for (unsigned int i = 1; i <= n; i++)
		if (a[i] != b[i] && lower1(a[i]) != lower1(b[i]))
			return lower1(a[i]) < lower1(b[i]) ? -1 : 1;
	return *a == *b ? 0 : *a < *b ? -1 : 1;
}

/* Compares from the last label on; counts the labels that are equal. */
static int compare_labels(struct name a, struct name b, unsigned int *ret_common)
{
	uint8_t at_a[NAME_MAX_LABELS + 1];
	uint8_t at_b[NAME_MAX_LABELS + 1];
	unsigned int n = a.labels < b.labels ? a.labels : b.labels;

	label_offsets(a, at_a);
	label_offsets(b, at_b);
	for (unsigned int i = 1; i <= n; i++) {
		int c = label_compare(a.wire + at_a[a.labels - i], b.wire + at_b[b.labels - i]);

		if (c != 0) {
			*ret_common = i - 1;
			return c;
		}
	}
	*ret_common = n;
	return a.labels == b.labels ? 0 : a.labels < b.labels ? -1 : 1;
}

unsigned int name_common_labels(struct name a, struct name b)
{
	unsigned int common;

	compare_labels(a, b, &common);
	return common;
}

int name_compare(struct name a, struct name b)
{
	unsigned int common;

	return compare_labels(a, b, &common);
}

bool name_is_wildcard(struct name n)
{
	return n.len > 2 && n.wire[0] == 1 && n.wire[1] == '*';
}

RESULT name_concat(struct name prefix_labels, unsigned int labels, struct name suffix, struct name_buf *ret)
{
	unsigned int n = labels < prefix_labels.labels ? labels : prefix_labels.labels;
	size_t head = 0;
	struct name_buf out;

	for (unsigned int i = 0; i < n; i++)
		head += 1u + prefix_labels.wire[head];
	if (head + suffix.len > NAME_MAX_OCTETS)
		return FAIL(ERR_SPACE);
	memcpy(out.b, prefix_labels.wire, head);
	memcpy(out.b + head, suffix.wire, suffix.len);
	out.len = (uint8_t)(head + suffix.len);
	out.labels = (uint8_t)(n + suffix.labels);
	name_copy(ret, name_of(&out));
	return DONE;
}

struct span name_label(struct name n, unsigned int i)
{
	size_t at = 0;

	if (i >= n.labels)
		return (struct span){ NULL, 0 };
	while (i-- > 0)
		at += 1u + n.wire[at];
	return (struct span){ n.wire + at + 1, n.wire[at] };
}

uint64_t name_hash(const struct hash_key *k, struct name n)
{
	uint8_t low[NAME_MAX_OCTETS + 1] __attribute__((uninitialized)); /* on the hit path; octets_lower writes all that is read */

	octets_lower(low, n.wire, n.len);
	return siphash13(k, low, n.len);
}
