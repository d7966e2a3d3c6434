#include "filter/lines.h"

#include "dns/name.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span s)
{
	while (s.n > 0 && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r'))
		s.n--;
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	return s;
}

bool lines_next(struct reader *text, struct span *ret_line)
{
	struct span rest = span_of(text->base + text->pos, reader_left(text));
	const uint8_t *end;

	if (rest.n == 0)
		return false;
	end = (const uint8_t *)memchr(rest.p, '\n', rest.n);
	*ret_line = read_span(text, end == NULL ? rest.n : (size_t)(end - rest.p));
	read_skip(text, end == NULL ? 0 : 1);
	return true;
}

static bool is_cosmetic(struct span s)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		size_t k = i + 1;

		if (s.p[i] == '$' && s.p[i + 1] == '$')
			return true;
		if (s.p[i] != '#' || (i > 0 && is_blank(s.p[i - 1])))
			continue;
		while (k < s.n && (s.p[k] == '@' || s.p[k] == '?' || s.p[k] == '$' || s.p[k] == '%'))
			k++;
		if (k < s.n && s.p[k] == '#')
			return true;
	}
	return false;
}

static struct span without_comment(struct span s)
{
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == '#' && is_blank(s.p[i - 1]))
			return span_trim(span_of(s.p, i));
	return s;
}

/* Up to the next blank, which is taken off the rest with those behind it. */
static struct span next_word(struct span *rest)
{
	struct span word = *rest;

	for (size_t i = 0; i < rest->n; i++) {
		if (is_blank(rest->p[i])) {
			word.n = i;
			break;
		}
	}
	*rest = span_trim(span_of(rest->p + word.n, rest->n - word.n));
	return word;
}

/* An address, with a %zone or without. */
static bool read_address(struct span word, struct addr *ret)
{
	const uint8_t *zone = word.n > 0 ? (const uint8_t *)memchr(word.p, '%', word.n) : NULL;
	char text[ADDR_TEXT];

	if (zone != NULL)
		word.n = (size_t)(zone - word.p);
	if (word.n == 0 || word.n >= sizeof text)
		return false;
	memcpy(text, word.p, word.n);
	text[word.n] = '\0';
	return memchr(text, '\0', word.n) == NULL && OK(addr_parse(text, ret)) && addr_octets(ret) > 0;
}

static const char *odd(struct span s) BORROWED;
static const char *odd(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' && s.p[i] != '\t')
			return "a control character";
		if (s.p[i] > '~')
			return "not ASCII: names are written in their xn-- form";
	}
	return NULL;
}

static void read_hosts(struct filter_line *l, struct span names)
{
	const uint8_t *comment = names.n > 0 ? (const uint8_t *)memchr(names.p, '#', names.n) : NULL;

	if (comment != NULL)
		names.n = (size_t)(comment - names.p);
	l->names = span_trim(names);
	l->kind = LINE_HOSTS;
}

static bool is_of_machine(struct span name)
{
	static const char *const names[] = { "localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback", "ip6-localnet",
		"ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters", "ip6-allhosts" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (name.n == strlen(names[i]) && octets_equal_nocase(name.p, (const uint8_t *)names[i], name.n))
			return true;
	return false;
}

void line_read(struct span line, struct filter_line *ret)
{
	struct span rest, first;

	*ret = (struct filter_line){ .kind = LINE_NOTHING, .text = span_trim(line) };
	if (ret->text.n == 0 || memchr("!#;[", ret->text.p[0], 4) != NULL)
		return;
	ret->kind = LINE_SKIPPED;
	if (is_cosmetic(ret->text))
		return;
	ret->text = without_comment(ret->text);
	ret->kind = LINE_REFUSED;
	ret->reason = odd(ret->text);
	if (ret->reason != NULL)
		return;
	rest = ret->text;
	first = next_word(&rest);
	if (rest.n > 0 && read_address(first, &ret->address)) {
		read_hosts(ret, rest);
		return;
	}
	ret->reason = "a blank within a rule";
	if (rest.n == 0)
		ret->kind = is_of_machine(first) ? LINE_SKIPPED : LINE_RULE;
}

bool line_next_name(struct filter_line *l, struct span *ret_name, uint64_t *skipped)
{
	struct addr address;

	while (l->names.n > 0) {
		struct span word = next_word(&l->names);

		if (!is_of_machine(word) && !read_address(word, &address)) {
			*ret_name = word;
			return true;
		}
		(*skipped)++;
	}
	return false;
}

bool line_goes_nowhere(const struct filter_line *l)
{
	return addr_is_unspecified(&l->address) || addr_is_loopback(&l->address);
}
