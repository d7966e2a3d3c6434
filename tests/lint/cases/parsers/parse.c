/* What is given octets, and what a fuzz target comes to: by a call, through a table, through another function. */
#include "base/cursor.h"
struct ops {
	int (*read)(struct span s);
};
int parse_fuzzed(struct span s);
int parse_by_table(struct span s);
int parse_inside(const uint8_t *p, size_t n);
int parse_forgotten(const uint8_t *p, size_t n);
int parse_text_forgotten(const char *text);
int parse_by_forgotten(struct reader *r);
int not_a_parser(struct span s);
extern const struct ops table;

static int inner(const uint8_t *p, size_t n)
{
	return parse_inside(p, n);
}

int parse_fuzzed(struct span s)
{
	return inner(s.p, s.n);
}

int parse_by_table(struct span s)
{
	return s.n > 0;
}

int parse_inside(const uint8_t *p, size_t n)
{
	return n > 0 && p[0] == 1;
}

int parse_forgotten(const uint8_t *p, size_t n) /* expect: parsers */
{
	struct reader r = reader_of(span_of(p, n));

	return parse_by_forgotten(&r);
}

int parse_text_forgotten(const char *text) /* expect: parsers */
{
	return text[0];
}

int parse_by_forgotten(struct reader *r) /* expect: parsers */
{
	return reader_left(r) > 0;
}

int not_a_parser(struct span s)
{
	return s.n > 1;
}

const struct ops table = { .read = parse_by_table };
