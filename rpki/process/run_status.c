#include "rpki/process/run_status.h"

#include <string.h>

#include "base/mem.h"
#include "rpki/routes/table.h"
#include "rpki/validate/collect.h"

static enum status_outcome outcome_of(enum cycle_how how)
{
	switch (how) {
	case CYCLE_UNCHANGED:
		return STATUS_UNCHANGED;
	case CYCLE_DELTAS:
		return STATUS_DELTAS;
	case CYCLE_SNAPSHOT:
		return STATUS_SNAPSHOT;
	case CYCLE_RSYNC:
		return STATUS_FETCHED;
	case CYCLE_UNDER_WAY:
	case CYCLE_FAILED:
		return STATUS_FAILED;
	}
	return STATUS_FAILED;
}

/* Both lists are in the order in which repositories were found, which seldom changes: the search goes on where the last one ended. */
static const struct status_repository *find_before(const struct status *before, const struct status_repository **at, const char *uri) BORROWED;
static const struct status_repository *find_before(const struct status *before, const struct status_repository **at, const char *uri)
{
	const struct status_repository *from = *at != NULL ? *at : before->repositories, *x = from;

	while (x != NULL) {
		const struct status_repository *next = x->next != NULL ? x->next : before->repositories;

		if (strcmp(x->uri, uri) == 0) {
			*at = next;
			return x;
		}
		x = next != from ? next : NULL;
	}
	return NULL;
}

static RESULT add_repository(struct status *s, const struct cycle_repository *r, const char *anchor, int64_t now, const struct status_repository *was)
{
	struct status_repository *x = status_add_repository(s, r->uri);

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->anchor = status_text(s, anchor);
	x->why = status_text(s, r->why);
	x->way = r->rrdp ? STATUS_RRDP : STATUS_RSYNC;
	x->outcome = outcome_of(r->how);
	x->tried = now;
	x->succeeded = x->outcome != STATUS_FAILED ? now : was != NULL ? was->succeeded : 0;
	x->duration_ms = r->took_ms;
	x->failures = r->failures;
	x->patience_ms = r->patience_ms;
	x->exit_status = !r->rrdp && x->outcome != STATUS_FAILED ? 0 : -1;
	x->fallback = r->fallback;
	x->http_status = r->notification_status;
	x->http_payload_status = r->file_status;
	x->session = status_text(s, r->session);
	x->serial = r->serial;
	x->deltas = r->deltas;
	x->octets = r->octets;
	x->objects_new = r->published;
	x->objects_withdrawn = r->withdrawn;
	return DONE;
}

static RESULT add_repositories(struct status *s, const struct cycle_report *r, const struct locators *l, int64_t now, const struct status *before)
{
	const struct status_repository *at = NULL;

	for (size_t i = 0; i < r->repository_count; i++) {
		const struct cycle_repository *x = &r->repositories[i];
		const char *anchor = x->anchor < locators_count(l) ? locators_list(l)[x->anchor].name : "";

		TRY(add_repository(s, x, anchor, now, before != NULL ? find_before(before, &at, x->uri) : NULL));
	}
	return DONE;
}

/* Of an anchor_result or a repository_fact, which have it by the same names. */
#define TAKE_OBJECTS(to, from) \
	do { \
		(to)->points = (from)->points; \
		(to)->points_failed = (from)->points_failed; \
		(to)->points_kept = (from)->points_kept; \
		memcpy((to)->valid, (from)->valid, sizeof(to)->valid); \
		memcpy((to)->invalid, (from)->invalid, sizeof(to)->invalid); \
		(to)->missing_manifests = (from)->wanting[WANTING_MANIFEST]; \
		(to)->stale_manifests = (from)->wanting[WANTING_FRESH_MANIFEST]; \
		(to)->stale_crls = (from)->wanting[WANTING_FRESH_CRL]; \
	} while (0)

/* What repositories have. Where nothing was fetched they are known by that alone; else one that was not asked is not listed, for there may be as many as a stranger likes. */
static RESULT add_facts(struct status *s, const struct cycle_report *r)
{
	struct status_repository *x = NULL, *last = NULL;

	for (size_t i = 0; i < r->fact_count; i++) {
		const struct repository_fact *f = &r->facts[i];

		x = status_find_repository(s, x, f->uri);
		if (x == NULL && r->repository_count > 0) {
			x = last;
			continue;
		}
		if (x == NULL) {
			x = status_add_repository(s, f->uri);
			if (x == NULL)
				return FAIL(ERR_NOMEM);
			x->way = strncmp(f->uri, "rsync:", 6) == 0 ? STATUS_RSYNC : STATUS_RRDP;
			x->outcome = STATUS_NOT_TRIED;
		}
		last = x;
		TAKE_OBJECTS(&x->objects, f);
	}
	return DONE;
}

static RESULT add_anchor(struct status *s, const char *name, const struct anchor_result *a)
{
	struct status_anchor *x = status_add_anchor(s, name);

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->usable = a->usable;
	x->not_after = a->not_after;
	x->limits = a->limits;
	TAKE_OBJECTS(&x->objects, a);
	s->limits += a->limits;
	s->remembered += a->points_remembered;
	s->validated += a->points - a->points_remembered;
	return DONE;
}

static RESULT add_alarm(struct status *s, enum status_gravity g, int64_t now, const char *what)
{
	return status_add_alarm(s, g, now, what) != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT add_alarms(struct status *s, const struct cycle_report *r, int64_t now)
{
	const struct status_anchor *a;

	if (!OK(r->result))
		TRY(add_alarm(s, STATUS_ALARM, now, r->result.e == ERR_LIMIT ? "the run failed: the store is full (store-size:)" : "the run failed"));
	for (a = s->anchors; a != NULL; a = a->next) {
		AUTO_CHARS char *what = a->usable ? NULL : mem_printf("the trust anchor %s is not usable", a->name);

		if (!a->usable)
			TRY(what != NULL ? add_alarm(s, STATUS_ALARM, now, what) : FAIL(ERR_NOMEM));
	}
	if (r->counts.store_full > 0)
		TRY(add_alarm(s, STATUS_ALARM, now, "repositories do not fit: the store is full (store-size:), or their objects are too large"));
	if (r->counts.over_limit > 0)
		TRY(add_alarm(s, STATUS_WARNING, now, "publication points are in repositories above the limits of max-repositories*"));
	return DONE;
}

RESULT run_status_make(const struct cycle_report *r, const struct locators *l, const struct run_times *t, const struct status *before, struct status **ret)
{
	AUTO(status_free) struct status *s = status_new();

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->runs = (before != NULL ? before->runs : 0) + 1;
	s->run_start = t->start;
	s->run_done = t->done;
	s->run_next = t->next;
	s->run_ms = r->took_ms;
	s->table_time = OK(r->result) ? t->done : before != NULL ? before->table_time : 0;
	for (size_t i = 0; OK(r->result) && i < r->anchor_count && i < locators_count(l); i++)
		TRY(add_anchor(s, locators_list(l)[i].name, &r->anchors[i]));
	s->objects_stored = r->objects_stored;
	s->octets_stored = r->octets_stored;
	TRY(add_repositories(s, r, l, t->done, before));
	TRY(add_facts(s, r));
	TRY(add_alarms(s, r, t->done));
	if (before != NULL)
		status_carry_alarms(s, before);
	if (OK(r->result))
		s->customers_withheld = table_customers_withheld(r->table);
	*ret = MOVE(s);
	return DONE;
}
