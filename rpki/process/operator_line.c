#include "rpki/process/operator_line.h"

#define MAGIC "UBCT1 "

static RESULT cut(struct operator_line *x, size_t from, size_t n)
{
	size_t at = from;

	x->words = 0;
	while (at < n) {
		size_t end = at;

		while (end < n && x->text[end] != ' ')
			end++;
		if (end > at && x->words == OPERATOR_WORDS)
			return FAIL(ERR_FORMAT);
		if (end > at)
			x->word[x->words++] = &x->text[at];
		x->text[end] = '\0';
		at = end + 1;
	}
	return DONE;
}

RESULT operator_line_read(struct span line, struct operator_line *ret, const char **ret_expected)
{
	size_t skip = strlen(MAGIC);

	*ret_expected = "a line that begins with UBCT1 and a blank, of printable characters, and not too long";
	if (line.n <= skip || line.n > OPERATOR_LINE_MAX || memcmp(line.p, MAGIC, skip) != 0)
		return FAIL(ERR_FORMAT);
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] < 0x20 || line.p[i] > 0x7e)
			return FAIL(ERR_FORMAT);
		ret->text[i] = (char)line.p[i];
	}
	ret->text[line.n] = '\0';
	*ret_expected = "a verb, and not so many words";
	TRY(cut(ret, skip, line.n));
	ret->json = ret->words > 0 && strcmp(ret->word[0], "--json") == 0;
	if (ret->json) {
		ret->words--;
		for (size_t i = 0; i < ret->words; i++)
			ret->word[i] = ret->word[i + 1];
	}
	return ret->words > 0 ? DONE : FAIL(ERR_FORMAT);
}
