#include "tests/unit/rpki/object/walk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "rpki/object/aspa.h"
#include "rpki/object/crl.h"
#include "rpki/object/ghostbusters.h"
#include "rpki/object/manifest.h"
#include "rpki/object/roa.h"
#include "rpki/object/tal.h"

#define MAX_DEPTH 32
#define MAX_OBJECT (64u << 20)

void walk_free(struct walk *w)
{
	if (w == NULL)
		return;
	mem_free(MOVE(w->vrps));
	strbuf_free(MOVE(w->log));
	strbuf_free(MOVE(w->anchor));
	mem_free(w);
}

struct walk *walk_new(const char *tree, int64_t now)
{
	AUTO(walk_free) struct walk *w = mem_alloc(sizeof *w);

	if (w == NULL)
		return NULL;
	w->tree = tree;
	w->now = now;
	w->log = strbuf_new(64 << 20);
	w->anchor = strbuf_new(1 << 20);
	return w->log != NULL && w->anchor != NULL ? MOVE(w) : NULL;
}

/* "rsync://host/path" with, when name.n is not 0, name instead of what follows the last slash; in the arena. */
static struct span load(struct walk *w, struct arena *a, struct span uri, struct span name)
{
	AUTO_CHARS char *path = NULL;
	char *text = NULL;
	size_t n = 0, scheme = strlen("rsync://"), end = uri.n;

	if (uri.n < scheme)
		return (struct span){ NULL, 0 };
	while (name.n > 0 && end > scheme && uri.p[end - 1] != '/')
		end--;
	path = mem_printf("%s/%.*s%.*s", w->tree, (int)(end - scheme), (const char *)uri.p + scheme, (int)name.n, name.n > 0 ? (const char *)name.p : "");
	if (path == NULL || !OK(file_read_all(path, MAX_OBJECT, &text, &n)))
		return (struct span){ NULL, 0 };
	w->octets += n;
	{
		AUTO_CHARS char *own = text;

		return span_of(arena_dup(a, own, n), n);
	}
}

static void say(struct walk *w, struct span name, const struct report *rep, const char *what)
{
	AUTO_CHARS char *text = NULL;

	if (!w->verbose)
		return;
	text = mem_strndup((const char *)name.p, name.n);
	if (rep != NULL && !report_good(rep))
		report_print(rep, text, w->log);
	else
		strbuf_printf(w->log, "%s: %s\n", text, what);
}

static void add(struct walk *w, const struct roa *roa)
{
	struct roa_walk it = roa_begin(roa);
	struct roa_prefix p;

	while (roa_next(&it, &p)) {
		if (w->count == w->room) {
			size_t room = w->room == 0 ? 4096 : w->room * 2;
			void *grown = w->vrps;

			if (!OK(mem_resize(&grown, w->room, room, sizeof *w->vrps)))
				abort();
			w->vrps = grown;
			w->room = room;
		}
		w->vrps[w->count++] = (struct walk_vrp){ roa->as, p.p, p.max_len };
	}
}

static void counted(struct walk *w, const struct cms *cms)
{
	w->kept_checks++;
	w->fresh_checks++;
	w->hashed += cms->whole.n * 2; /* the file, and its parts once more */
	w->ber += cms->ber;
}

static void point(struct walk *w, const struct issuer *ca, unsigned int depth);

static bool take_roa(struct walk *w, struct span s, const struct issuer *by, struct arena *a, struct report *rep)
{
	struct resources effective;
	struct cms cms;
	struct roa roa;

	if (!OK(cms_read(s, OBJECT_ROA, a, rep, &cms)) || !OK(roa_read(&cms, rep, &roa)))
		return false;
	counted(w, &cms);
	if (!OK(cms_check(&cms, by, w->now, a, rep, &effective)) || !OK(roa_check(&roa, &cms.ee, &effective, rep)))
		return false;
	add(w, &roa);
	return true;
}

static bool take_cert(struct walk *w, struct span s, const struct issuer *by, struct arena *a, struct report *rep, unsigned int depth)
{
	AUTO(public_key_free) struct public_key *key = NULL;
	enum cert_kind kind = cert_kind_of(s);
	struct resources effective;
	struct cert c;

	if (!OK(cert_read(s, kind, CERT_USE_ANY, a, rep, &c)))
		return false;
	w->kept_checks++;
	w->hashed += s.n * 2;
	if (!OK(cert_check(&c, by, w->now, a, rep, &effective)))
		return false;
	if (kind == CERT_ROUTER)
		return true;
	if (!OK(public_key_make(&c.key, &key)))
		return false;
	point(w, &(struct issuer){ &c, key, &effective, NULL }, depth + 1);
	return true;
}

static bool take_other(struct walk *w, struct span s, enum object_type type, const struct issuer *by, struct arena *a, struct report *rep)
{
	struct resources effective;
	struct ghostbusters g;
	struct aspa aspa;
	struct cms cms;

	if (!OK(cms_read(s, type, a, rep, &cms)))
		return false;
	counted(w, &cms);
	if (!OK(cms_check(&cms, by, w->now, a, rep, &effective)))
		return false;
	if (type == OBJECT_ASPA)
		return OK(aspa_read(&cms, rep, &aspa)) && OK(aspa_check(&aspa, &cms.ee, &effective, rep));
	return OK(ghostbusters_read(&cms, rep, &g)) && OK(ghostbusters_check(&cms.ee, rep));
}

static void take(struct walk *w, const struct manifest_file *f, struct span s, const struct issuer *by, unsigned int depth)
{
	AUTO(arena_free) struct arena *a = arena_new(0), *notes = arena_new(0);
	struct report rep;
	bool good = true;

	if (a == NULL || notes == NULL)
		abort();
	report_init(&rep);
	if (w->verbose)
		rep.notes = notes;
	w->objects++;
	switch (object_type_of_name(f->name)) {
	case OBJECT_ROA:
		good = take_roa(w, s, by, a, &rep);
		break;
	case OBJECT_CERT:
		good = take_cert(w, s, by, a, &rep, depth);
		break;
	case OBJECT_ASPA:
	case OBJECT_GHOSTBUSTERS:
		good = take_other(w, s, object_type_of_name(f->name), by, a, &rep);
		break;
	default:
		break;
	}
	w->valid += good;
	if (!good)
		say(w, f->name, &rep, "refused");
}

static bool hash_is(struct span s, const uint8_t *hash)
{
	uint8_t digest[32];

	sha256_of(s, digest);
	return memcmp(digest, hash, 32) == 0;
}

static struct span last_part(struct span uri)
{
	size_t n = uri.n;

	while (n > 0 && uri.p[n - 1] != '/')
		n--;
	return span_of(uri.p + n, uri.n - n);
}

/* The CRL that the manifest's EE certificate names must be on the manifest. */
static bool read_crl(struct walk *w, const struct cms *cms, const struct manifest *m, const struct issuer *ca, struct arena *a, struct report *rep, struct crl *ret)
{
	struct span want = last_part(cms->ee.crl_uri);

	for (size_t i = 0; i < m->count; i++) {
		struct span s;

		if (!span_equal(m->files[i].name, want))
			continue;
		s = load(w, a, ca->cert->manifest, want);
		w->kept_checks++;
		w->hashed += s.n * 2;
		return s.p != NULL && hash_is(s, m->files[i].hash) && OK(crl_read(s, a, rep, ret)) && OK(crl_check(ret, ca->cert, ca->key, w->now, rep));
	}
	return false;
}

static bool try_point(struct walk *w, const struct issuer *ca, unsigned int depth, struct arena *a, struct report *rep)
{
	struct span s = load(w, a, ca->cert->manifest, (struct span){ NULL, 0 }), *files;
	struct issuer by = *ca;
	struct resources effective;
	struct manifest m;
	struct crl crl;
	struct cms cms;

	if (s.p == NULL)
		return false;
	w->objects++;
	if (!OK(cms_read(s, OBJECT_MANIFEST, a, rep, &cms)) || !OK(manifest_read(&cms, a, rep, &m)))
		return false;
	counted(w, &cms);
	if (!read_crl(w, &cms, &m, ca, a, rep, &crl))
		return false;
	by.crl = &crl;
	if (!OK(cms_check(&cms, &by, w->now, a, rep, &effective)) || !OK(manifest_check(&m, &cms.ee, w->now, rep)))
		return false;
	files = arena_alloc_array(a, m.count, sizeof *files);
	for (size_t i = 0; i < m.count; i++) { /* all or nothing (RFC 9286 section 6.4) */
		files[i] = load(w, a, ca->cert->manifest, m.files[i].name);
		if (files[i].p == NULL || !hash_is(files[i], m.files[i].hash)) {
			say(w, m.files[i].name, NULL, files[i].p == NULL ? "missing" : "wrong hash");
			return false;
		}
	}
	w->valid += 2;
	w->objects++;
	for (size_t i = 0; i < m.count; i++)
		take(w, &m.files[i], files[i], &by, depth);
	return true;
}

static void point(struct walk *w, const struct issuer *ca, unsigned int depth)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;

	if (a == NULL)
		abort();
	report_init(&rep);
	if (depth > MAX_DEPTH)
		return;
	w->cas++;
	if (w->verbose)
		rep.notes = a;
	if (!try_point(w, ca, depth, a, &rep)) {
		w->failed_points++;
		say(w, ca->cert->manifest, &rep, "publication point refused");
	}
}

bool walk_trust_anchor(struct walk *w, struct span text)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(public_key_free) struct public_key *key = NULL;
	struct span s = { NULL, 0 };
	struct report rep;
	struct tal tal;
	struct cert c;

	if (a == NULL)
		abort();
	report_init_all(&rep, a);
	if (!OK(tal_read(text, a, &rep, &tal)))
		return false;
	for (size_t i = 0; i < tal.count && s.p == NULL; i++)
		if (uri_is(tal.uris[i], "rsync://"))
			s = load(w, a, tal.uris[i], (struct span){ NULL, 0 });
	if (s.p == NULL || !OK(cert_read(s, CERT_TA, CERT_USE_ANY, a, &rep, &c)) || !OK(cert_check_ta(&c, &tal.key.whole, w->now, &rep, &key))) {
		report_print(&rep, "trust anchor", w->log);
		return false;
	}
	w->kept_checks++;
	strbuf_add_span(w->anchor, s);
	point(w, &(struct issuer){ &c, key, &c.claimed, NULL }, 0);
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct walk_vrp *x = a, *y = b;

	if (x->as != y->as)
		return x->as < y->as ? -1 : 1;
	if (x->p.family != y->p.family)
		return x->p.family < y->p.family ? -1 : 1;
	if (x->p.lo != y->p.lo)
		return x->p.lo < y->p.lo ? -1 : 1;
	if (x->p.len != y->p.len)
		return x->p.len < y->p.len ? -1 : 1;
	return (x->max_len > y->max_len) - (x->max_len < y->max_len);
}

void walk_sort(struct walk *w)
{
	size_t n = 0;

	if (w->count == 0)
		return;
	qsort(w->vrps, w->count, sizeof *w->vrps, compare);
	for (size_t i = 1; i < w->count; i++)
		if (compare(&w->vrps[n], &w->vrps[i]) != 0)
			w->vrps[++n] = w->vrps[i];
	w->count = n + 1;
}
