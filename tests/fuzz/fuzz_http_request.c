/* The head of a request, and what stands in it: its query, dates, lists of tags. What is taken is sound; a date that is printed is read again. */
#include <stdlib.h>

#include "net/http_head.h"
#include "net/http_request.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool query_holds(struct span query)
{
	char *room = (char *)malloc(query.n + 1);
	size_t end = query.n;
	const char *key, *value;
	bool holds = room != NULL;

	while (holds && http_query_next(&query, room, &key, &value)) {
		holds = query.n < end && strlen(key) + strlen(value) <= end;
		end = query.n;
	}
	free(room);
	return holds;
}

static bool date_holds(struct span text)
{
	char room[HTTP_DATE_ROOM];
	int64_t at = http_date_read(text);

	return at == INT64_MIN || http_date_read(span_text(http_date_print(at, room))) == at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_request_limits limits = { 2000, 20 };
	struct span all = span_of(data, size);
	size_t end = http_head_end(all);
	struct http_request q;
	unsigned int wrong;

	HOLDS(query_holds(all) && date_holds(all));
	(void)http_tag_matches(all, "\"a\"");
	if (end == 0)
		return 0;
	wrong = http_request_parse(span_of(data, end), &limits, &q);
	HOLDS(wrong == 0 || (wrong >= 400 && wrong < 600));
	if (wrong != 0)
		return 0;
	HOLDS(q.path.n > 0 && (q.path.p[0] == '/' || q.method == HTTP_OPTIONS) && q.path.n + q.query.n <= limits.target);
	HOLDS(!(q.chunked && q.has_length) && (q.old || q.host.p != NULL));
	HOLDS(query_holds(q.query));
	return 0;
}
