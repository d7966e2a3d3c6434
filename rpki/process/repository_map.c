#include "rpki/process/repository_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "rpki/serve/tally.h"
#include "rpki/validate/collect.h"

/* A publication point's folder. */
struct folder {
	uint64_t id;
	uint32_t repository;
};

struct repository_map {
	struct hash_key key;
	struct folder *folders OWNED_FIELD; /* in the order of their ids */
	size_t nfolders;
	char **names OWNED_FIELD;
	size_t nnames;
	/* during a tally */
	struct status_repository **places OWNED_FIELD; /* by name; NULL: there is none */
	const char *last BORROWED_FIELD; /* the folder of `place`, with last_n octets */
	size_t last_n;
	struct status_repository *place BORROWED_FIELD;
};

void repository_map_free(struct repository_map *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; m->names != NULL && i < m->nnames; i++)
		mem_free(MOVE(m->names[i]));
	mem_free(MOVE(m->names));
	mem_free(MOVE(m->folders));
	mem_free(MOVE(m->places));
	mem_free(m);
}

static int by_id(const void *a, const void *b)
{
	const struct folder *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static RESULT fill(struct repository_map *m, const struct cycle_report *r)
{
	m->folders = (struct folder *)mem_alloc_array(r->point_count, sizeof *m->folders);
	m->names = (char **)mem_alloc_array(r->fact_count, sizeof *m->names);
	m->places = (struct status_repository **)mem_alloc_array(r->fact_count, sizeof *m->places);
	if (m->folders == NULL || m->names == NULL || m->places == NULL)
		return FAIL(ERR_NOMEM);
	m->nnames = r->fact_count;
	for (size_t i = 0; i < r->fact_count; i++) {
		m->names[i] = mem_strdup(r->facts[i].uri);
		if (m->names[i] == NULL)
			return FAIL(ERR_NOMEM);
	}
	for (size_t i = 0; i < r->point_count; i++)
		if (r->points[i].repository < r->fact_count && !r->points[i].failed)
			m->folders[m->nfolders++] = (struct folder){ r->points[i].id, r->points[i].repository };
	if (m->nfolders > 1)
		qsort(m->folders, m->nfolders, sizeof *m->folders, by_id);
	return DONE;
}

RESULT repository_map_make(const struct cycle_report *r, const struct hash_key *key, struct repository_map **ret)
{
	AUTO(repository_map_free) struct repository_map *m = (struct repository_map *)mem_alloc(sizeof *m);

	if (m == NULL)
		return FAIL(ERR_NOMEM);
	m->key = *key;
	TRY(fill(m, r));
	*ret = MOVE(m);
	return DONE;
}

static size_t folder_of(const char *uri)
{
	const char *slash = strrchr(uri, '/');

	return slash != NULL ? (size_t)(slash - uri) + 1 : 0;
}

/* Objects of one folder come together, more often than not. */
static struct status_repository *place_of(void *ctx, const char *uri) BORROWED;
static struct status_repository *place_of(void *ctx, const char *uri)
{
	struct repository_map *m = (struct repository_map *)ctx;
	size_t n = folder_of(uri);
	struct folder wanted = { .repository = 0 };
	const struct folder *f;

	if (m->last != NULL && n == m->last_n && memcmp(uri, m->last, n) == 0)
		return m->place;
	wanted.id = point_id(&m->key, span_text(uri));
	f = m->nfolders > 0 ? (const struct folder *)bsearch(&wanted, m->folders, m->nfolders, sizeof *m->folders, by_id) : NULL;
	m->last = uri;
	m->last_n = n;
	m->place = f != NULL ? m->places[f->repository] : NULL;
	return m->place;
}

RESULT repository_map_tally(struct repository_map *m, struct status *s, const struct payload_table *validated, const struct payload_table *served)
{
	struct status_repository *x = NULL;
	struct result r;

	for (size_t i = 0; i < m->nnames; i++) {
		struct status_repository *found = status_find_repository(s, x, m->names[i]);

		m->places[i] = found;
		x = found != NULL ? found : x;
	}
	m->last = NULL;
	r = tally_payloads_at(s, validated, served, place_of, m);
	m->last = NULL; /* it was the table's */
	return r;
}
