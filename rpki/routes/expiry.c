#include "rpki/routes/expiry.h"

static int64_t sooner(int64_t end, int64_t other)
{
	return other != 0 && other < end ? other : end;
}

int64_t source_expiry(const struct payload_source *s)
{
	if (s->kind == SOURCE_EXCEPTION)
		return EXPIRY_NEVER;
	return sooner(sooner(sooner(EXPIRY_NEVER, s->not_after), s->chain_not_after), s->stale);
}

int64_t payload_expiry(const struct payload_table *t, enum payload_kind k, size_t i)
{
	size_t n = table_sources(t, k, i);
	int64_t last = INT64_MIN;

	for (size_t w = 0; w < n; w++) {
		struct payload_source s = table_source(t, k, i, w);
		int64_t end = source_expiry(&s);

		last = end > last ? end : last;
	}
	return n > 0 ? last : EXPIRY_NEVER;
}

static bool has_expired(void *ctx, const struct payload_table *t, enum payload_kind k, size_t i)
{
	const int64_t *now = ctx;

	return payload_expiry(t, k, i) < *now;
}

static size_t count_expired(const struct payload_table *t, int64_t now)
{
	size_t expired = 0;

	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++)
		for (size_t i = 0; i < table_count(t, k); i++)
			expired += payload_expiry(t, k, i) < now;
	return expired;
}

RESULT table_unexpired(const struct payload_table *t, int64_t now, size_t *ret_expired, struct payload_table **ret)
{
	AUTO(table_builder_free) struct table_builder *b = NULL;
	size_t left[PAYLOAD_KINDS] = { 0 }, expired = count_expired(t, now);

	if (expired > 0) {
		b = table_builder_new(NULL);
		if (b == NULL)
			return FAIL(ERR_NOMEM);
		TRY(table_builder_add_unless(b, t, has_expired, &now, left));
		TRY(table_builder_finish(MOVE(b), table_generation(t), ret));
	} else {
		*ret = table_ref(t);
	}
	*ret_expired = expired;
	return DONE;
}
