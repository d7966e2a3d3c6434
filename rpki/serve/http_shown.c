/* A table and its facts, as they are shown together: what the facts do not say is counted in the table. */
#include "rpki/serve/http_inside.h"

#include <stdio.h>

#include "rpki/serve/tally.h"

static void shown_free(struct shown *d) TAKES(1);
static void shown_free(struct shown *d)
{
	if (d == NULL)
		return;
	table_unref(MOVE(d->table));
	status_free(MOVE(d->status));
	mem_free(MOVE(d->tallies));
	mem_free(d);
}

void shown_unref(struct shown *d)
{
	if (d != NULL && --d->refs == 0)
		shown_free(d);
}

struct shown *shown_ref(const struct shown *d)
{
	struct shown *m = (struct shown *)(uintptr_t)d; /* only the count is written */

	m->refs++;
	return m;
}

/* ------------------------------------------------------------------------------------------------------------------ counting */

static bool is_counted(const struct status *s)
{
	for (unsigned int i = 0; i < STATUS_PAYLOADS; i++)
		if (s->total[i].contributed > 0)
			return true;
	return false;
}

/* -------------------------------------------------------------------------------------------------------------------- tallies */

static void tally_of(struct output_tally *y, const struct status_payloads p[STATUS_PAYLOADS])
{
	struct status_payloads v = vrps_of(p);

	y->vrps = v.valid;
	y->vrps_final = v.contributed;
	y->router_keys = p[STATUS_KEYS].valid;
	y->router_keys_final = p[STATUS_KEYS].contributed;
	y->aspas = p[STATUS_ASPAS].valid;
	y->aspas_final = p[STATUS_ASPAS].contributed;
}

static RESULT make_tallies(struct shown *d)
{
	const struct status *s = d->status;
	struct output_tally *y = (struct output_tally *)mem_alloc_array(s->nanchors, sizeof *y); /* own-ok: R3 becomes the field at once */
	size_t n = 0;

	if (y == NULL)
		return FAIL(ERR_NOMEM);
	d->tallies = y;
	for (const struct status_anchor *a = s->anchors; a != NULL && n < s->nanchors; a = a->next, n++) {
		y[n].name = a->name;
		y[n].roas = a->objects.valid[COUNTED_ROA];
		y[n].router_certs = a->objects.valid[COUNTED_ROUTER];
		tally_of(&y[n], a->payloads);
		d->info.total.roas += y[n].roas;
		d->info.total.router_certs += y[n].router_certs;
	}
	tally_of(&d->info.total, s->total);
	d->info.tallies = y;
	d->info.ntallies = n;
	return DONE;
}

static void put_member(struct shown *d, const char *name, uint64_t v)
{
	if (d->info.nmembers < sizeof d->members / sizeof d->members[0])
		d->members[d->info.nmembers++] = (struct output_member){ .name = name, .number = (int64_t)v };
}

/* Of the metadata of rpki-client's json. */
static void make_members(struct shown *d)
{
	const struct status *s = d->status;
	struct status_objects o = { .points = 0 };
	struct status_payloads v = vrps_of(s->total);
	AUTO(strbuf_free) struct strbuf *time = strbuf_new(sizeof d->built - 1);

	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next) {
		for (unsigned int i = 0; i < COUNTED; i++) {
			o.valid[i] += a->objects.valid[i];
			o.invalid[i] += a->objects.invalid[i];
		}
	}
	if (time != NULL) {
		iso_time(time, d->info.generated_sec);
		(void)snprintf(d->built, sizeof d->built, "%s", strbuf_text(time));
	}
	d->info.members = d->members;
	d->members[d->info.nmembers++] = (struct output_member){ .name = "buildtime", .text = d->built };
	put_member(d, "elapsedtime", s->run_ms / 1000);
	put_member(d, "roas", o.valid[COUNTED_ROA] + o.invalid[COUNTED_ROA]);
	put_member(d, "failedroas", o.invalid[COUNTED_ROA]);
	put_member(d, "aspas", o.valid[COUNTED_ASPA] + o.invalid[COUNTED_ASPA]);
	put_member(d, "failedaspas", o.invalid[COUNTED_ASPA]);
	put_member(d, "bgpsec_pubkeys", s->total[STATUS_KEYS].contributed);
	put_member(d, "certificates", o.valid[COUNTED_CERT] + o.invalid[COUNTED_CERT]);
	put_member(d, "invalidcertificates", o.invalid[COUNTED_CERT]);
	put_member(d, "tals", s->nanchors);
	put_member(d, "manifests", o.valid[COUNTED_MANIFEST] + o.invalid[COUNTED_MANIFEST]);
	put_member(d, "failedmanifests", o.invalid[COUNTED_MANIFEST]);
	put_member(d, "crls", o.valid[COUNTED_CRL]);
	put_member(d, "repositories", s->nrepositories);
	put_member(d, "vrps", v.valid);
	put_member(d, "uniquevrps", v.contributed);
}

/* Not inlined: gcc would take what mem_alloc() gives for something that only mem_free() may free. */
static struct shown *shown_alloc(void) OWNED_BY(shown_unref) __attribute__((noinline));
static struct shown *shown_alloc(void)
{
	struct shown *d = (struct shown *)mem_alloc(sizeof *d); /* own-ok: R3 passed on at once */

	if (d != NULL)
		d->refs = 1;
	return d;
}

struct shown *shown_new(const struct payload_table *t, struct status *s, int64_t now)
{
	AUTO(status_free) struct status *own = s;
	AUTO(shown_unref) struct shown *d = shown_alloc();

	if (d == NULL)
		return NULL;
	d->table = table_ref(t);
	d->status = MOVE(own);
	d->status->customers_withheld += table_customers_withheld(t);
	d->info.generated_sec = d->status->table_time != 0 ? d->status->table_time : d->status->run_done != 0 ? d->status->run_done : now;
	if ((!is_counted(d->status) && !OK(tally_payloads(d->status, t, t))) || !OK(make_tallies(d)))
		return NULL;
	make_members(d);
	return MOVE(d);
}
