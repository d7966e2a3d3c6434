/* Addresses, endpoints and prefixes in text: what is read is written and read again as the same, and the table agrees with a list. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* At most one of these, and none of them when it is the unmapped form of another address that counts. */
static void check_kinds(const struct addr *a)
{
	struct addr u = addr_unmap(a);

	must(addr_is_loopback(a) + addr_is_unspecified(a) + addr_is_multicast(a) <= 1);
	must(addr_equal(&u, a) || (a->family == ADDR_V6 && u.family == ADDR_V4 && memcmp(u.b, a->b + 12, 4) == 0));
	u = addr_unmap(&u);
	must(u.family != ADDR_V6 || addr_equal(&u, a));
}

static void one_text(const char *text)
{
	char buf[ENDPOINT_TEXT];
	struct endpoint e, e2;
	struct addr a, a2;

	if (OK(addr_parse(text, &a))) {
		must(OK(addr_parse(addr_text(&a, buf), &a2)) && addr_equal(&a, &a2));
		check_kinds(&a);
	}
	if (OK(endpoint_parse(text, 53, &e)))
		must(OK(endpoint_parse(endpoint_text(&e, buf), 1, &e2)) && endpoint_equal(&e, &e2));
}

#define MAX_PREFIXES 64

struct table {
	struct prefix_map *map BORROWED_FIELD;
	struct prefix list[MAX_PREFIXES];
	uint32_t n;
};

static void check_address(const struct table *t, const struct addr *a)
{
	uint32_t got = 0, want = 0;
	int best = -1;

	for (uint32_t i = 0; i < t->n; i++) {
		if (prefix_covers(&t->list[i], a) && t->list[i].len >= best) {
			best = t->list[i].len;
			want = i;
		}
	}
	must(prefix_map_get(t->map, a, &got) == (best >= 0));
	must(got == want);
}

static void one_line(struct table *t, const char *text)
{
	struct prefix p;

	one_text(text);
	if (t->n == MAX_PREFIXES || !OK(prefix_parse(text, &p)))
		return;
	if (OK(prefix_map_put(t->map, &p, t->n)))
		t->list[t->n++] = p;
	for (uint32_t i = 0; i < t->n; i++)
		check_address(t, &t->list[i].a);
	must(prefix_map_count(t->map) <= t->n);
	p.len = 129;
	must(!OK(prefix_map_put(t->map, &p, 0)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(prefix_map_free) struct prefix_map *map = prefix_map_new();
	AUTO_CHARS char *text = mem_alloc(size + 1);
	struct table t = { .map = map };
	char *line = text;

	if (map == NULL || text == NULL)
		return 0;
	memcpy(text, data, size);
	while (line != NULL) {
		char *end = strchr(line, '\n');

		if (end != NULL)
			*end++ = '\0';
		one_line(&t, line);
		line = end;
	}
	return 0;
}
