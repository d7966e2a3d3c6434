#include "tests/unit/filter/made.h"

const struct hash_key test_key = { { 1, 2 } };

void tell(void *ctx, const struct filter_refusal *r)
{
	struct told *t = (struct told *)ctx;

	t->n += (size_t)snprintf(t->text + t->n, sizeof t->text - t->n, "%s:%u: %s: %.*s\n", r->source, r->line, r->reason, (int)r->text.n, (const char *)r->text.p);
	assert_true(t->n < sizeof t->text);
}

struct filter *made_within(const struct filter_limits *limits, const char *text, struct told *told)
{
	AUTO(filter_builder_free) struct filter_builder *b = filter_builder_new(limits, &test_key, told != NULL ? tell : NULL, told);
	struct filter *f = NULL;

	if (told != NULL)
		*told = (struct told){ .n = 0 };
	assert_non_null(b);
	assert_true(OK(filter_add_text(b, "list", span_text(text))));
	assert_true(OK(filter_build(MOVE(b), &f)));
	return f;
}

struct filter *made(const char *text)
{
	const struct filter_limits none = { .told = 10 };
	AUTO(filter_free) struct filter *f = NULL;
	struct told told;

	f = made_within(&none, text, &told);
	assert_string_equal(told.text, "");
	return MOVE(f);
}

struct name_buf name_buf(const char *text)
{
	struct name_buf nb;

	assert_true(OK(name_from_text(text, NULL, &nb)));
	return nb;
}
