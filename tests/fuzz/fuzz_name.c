/* Names: as wire, as text, and compressed in a message. What is accepted keeps the promises of name.h. */
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static const struct hash_key key = { { 1, 2 } };
static const struct name origin = { (const uint8_t *)"\7Example\3oRg", 13, 2 };

/* The labels of a name, one by one, are the name; there is none behind the last. */
static void check_labels(struct name n)
{
	size_t at = 0;

	for (unsigned int i = 0; i < n.labels; i++) {
		struct span label = name_label(n, i);

		CHECK(label.n >= 1 && label.n <= 63 && n.wire[at] == label.n && label.p == n.wire + at + 1);
		at += 1 + label.n;
	}
	CHECK(at + 1 == n.len && name_label(n, n.labels).p == NULL);
}

static void check_name(struct name n)
{
	char text[NAME_TEXT];
	struct name_buf back;
	struct name_buf low;
	struct name wire;

	CHECK(n.len >= 1 && n.labels <= NAME_MAX_LABELS);
	CHECK(OK(name_from_wire((struct span){ n.wire, n.len }, &wire)) && wire.len == n.len && wire.labels == n.labels);
	check_labels(n);
	name_to_text(n, text);
	for (const char *p = text; *p != '\0'; p++)
		CHECK(*p > ' ' && *p < 127);
	CHECK(OK(name_from_text(text, NULL, &back)));
	CHECK(name_equal_case(n, name_of(&back)) && back.labels == n.labels);
	name_copy(&low, n);
	name_lower(&low);
	CHECK(name_equal(n, name_of(&low)) && name_compare(n, name_of(&low)) == 0);
	CHECK(name_hash(&key, n) == name_hash(&key, name_of(&low)));
	for (unsigned int i = 0; i <= n.labels; i++) {
		struct name up = name_strip(n, i);

		CHECK(name_is_under(n, up) && up.labels == n.labels - i);
		CHECK(name_compare(up, n) == (i == 0 ? 0 : -1));
		CHECK(name_common_labels(n, up) == up.labels);
		CHECK(OK(name_concat(n, i, up, &back)) && name_equal_case(name_of(&back), n));
	}
}

static void check_pair(struct name a, struct name b)
{
	int c = name_compare(a, b);
	struct name_buf both;
	struct result joined = name_concat(a, a.labels, b, &both);

	CHECK(OK(joined) == (a.len - 1 + b.len <= NAME_MAX_OCTETS));
	if (OK(joined))
		CHECK(both.len == a.len - 1 + b.len && both.labels == a.labels + b.labels && name_equal_case(name_strip(name_of(&both), a.labels), b));
	CHECK(c == -name_compare(b, a));
	CHECK((c == 0) == name_equal(a, b));
	CHECK(name_is_under(a, b) == (name_common_labels(a, b) == b.labels));
	if (c == 0)
		CHECK(name_hash(&key, a) == name_hash(&key, b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct name n;
	struct name_buf first = { 1, 0, { 0 } };
	struct name_buf b;
	struct reader r = reader_of(span_of(data, size));

	if (OK(name_from_wire(span_of(data, size), &n)))
		check_name(n);
	if (OK(name_from_text_n((const char *)data, size, NULL, &b)))
		check_name(name_of(&b));
	if (OK(name_from_text_n((const char *)data, size, &origin, &b)))
		check_name(name_of(&b));
	if (size < 12)
		return 0;
	read_skip(&r, 12);
	while (reader_left(&r) != 0) {
		struct reader skipper = r;

		bool skipped = OK(name_skip(&skipper));

		if (!OK(name_read(&r, &b)))
			break;
		CHECK(skipped && skipper.pos == r.pos);
		check_name(name_of(&b));
		check_pair(name_of(&b), name_of(&first));
		first = b;
	}
	return 0;
}
