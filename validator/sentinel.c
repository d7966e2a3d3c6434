#include "validator/sentinel.h"

#include <string.h>

static bool tag_after(struct span label, const char *word, uint16_t *ret_tag)
{
	size_t n = strlen(word);
	uint32_t v = 0;

	if (label.n != n + 5 || !octets_equal_nocase(label.p, (const uint8_t *)word, n))
		return false;
	for (size_t i = n; i < label.n; i++) {
		if (label.p[i] < '0' || label.p[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(label.p[i] - '0');
	}
	if (v > UINT16_MAX)
		return false;
	*ret_tag = (uint16_t)v;
	return true;
}

enum sentinel sentinel_parse(struct name question, uint16_t *ret_tag)
{
	struct span label = name_label(question, 0);

	if (tag_after(label, "root-key-sentinel-is-ta-", ret_tag))
		return SENTINEL_IS_TA;
	return tag_after(label, "root-key-sentinel-not-ta-", ret_tag) ? SENTINEL_NOT_TA : SENTINEL_NONE;
}

bool sentinel_refuses(enum sentinel s, bool is_anchor)
{
	return (s == SENTINEL_IS_TA && !is_anchor) || (s == SENTINEL_NOT_TA && is_anchor);
}

struct result ta_signal_name(struct name zone, const uint16_t *tags, size_t count, struct name_buf *ret)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t wire[65] = { 3, '_', 't', 'a' }; /* a label and the root */
	size_t n = 4;
	int32_t last = -1;
	struct name prefix;

	if (count == 0)
		return FAIL(ERR_RANGE);
	for (;;) {
		int32_t next = UINT16_MAX + 1;

		for (size_t i = 0; i < count; i++) {
			if (tags[i] > last && tags[i] < next)
				next = tags[i];
		}
		if (next > UINT16_MAX)
			break;
		if (n + 5 > 64)
			return FAIL(ERR_SPACE);
		wire[n++] = '-';
		for (int shift = 12; shift >= 0; shift -= 4)
			wire[n++] = (uint8_t)hex[next >> shift & 15];
		last = next;
	}
	wire[0] = (uint8_t)(n - 1);
	wire[n] = 0;
	TRY(name_from_wire(span_of(wire, n + 1), &prefix));
	return name_concat(prefix, 1, zone, ret);
}
